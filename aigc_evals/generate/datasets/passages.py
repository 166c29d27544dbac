"""What data sets of questions about passages share: rows that belong together, answers in free words, options by letter."""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from aigc_evals.generate.base import Generate, Item
from aigc_evals.generate.kinds import ENGLISH, EvalKind

WORDS: tuple[str | EvalKind, ...] = (
    replace(ENGLISH["match"], args={"version": 2}),
    replace(ENGLISH["fuzzy"], args={"version": 2}),
    replace(ENGLISH["includes"], args={"ignore_case": True, "version": 2}),
    "fact",
)
"""Ways of scoring answers of a few words: whole words are compared, so that 3 is not in 13 and US not in USUAL."""


class Clustered(Generate):
    """A set whose items have a ``cluster``: the name of the passage that the question is about, kept in the rows."""

    def format_more(self, item: Item) -> Mapping[str, Any]:
        return {**super().format_more(item), "cluster": item["cluster"]}


def distinct(texts: Iterable[str]) -> list[str]:
    """Texts without white space around them, each once, in their order; empty ones are left out."""
    return list(dict.fromkeys(text.strip() for text in texts if text.strip()))


def lettered(texts: Iterable[str]) -> str:
    """Options as lines ``A. text``."""
    return "\n".join(f"{letter}. {text.strip()}" for letter, text in zip(string.ascii_uppercase, texts, strict=False))
