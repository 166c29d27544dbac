"""What data sets in Chinese share: short answers, compared by words, numbers and characters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from aigc_evals.generate.base import GenerateZh
from aigc_evals.generate.kinds import CHINESE, EvalKind

SECOND: Mapping[str, EvalKind] = {
    **CHINESE,
    **{name: replace(CHINESE[name], args={"version": 2}) for name in ("match", "fuzzy", "includes")},
}
"""The Chinese ways of scoring with version 2 of the matching rules: ``不是`` is no ``是``, ``3`` not in ``13``."""

LABELS = ("match", "fuzzy", "fact")
"""For an answer that is one of a few names: not ``includes``, which takes a reply that names them all."""


class ShortAnswersZh(GenerateZh):
    """A set in Chinese whose answers are a character or a few words."""

    kinds: ClassVar[Mapping[str, EvalKind]] = SECOND
