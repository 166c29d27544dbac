"""Rules about golds: ideals that the chosen way of matching cannot score, or scores where it should not.

A row rule sees an eval, a row and its ideals, and says what is wrong in one sentence; it knows nothing of files.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from aigc_evals.check.data_rules import Summary
from aigc_evals.check.findings import Problem
from aigc_evals.check.spec_rules import needs_ignore_case
from aigc_evals.check.uses import FUZZY, MATCH, Use
from aigc_evals.elsuite.utils import normalize

_BRACKETS = frozenset("【】「」『』〖〗〔〕")
_QUOTES = frozenset("\u2018\u2019\u201c\u201d")
_LABELS = 30
"""A file with at most this many different golds, each at least twice on average, is taken to ask for one of a few labels."""


def empty_gold(use: Use, sample: Mapping[str, Any], golds: list[str]) -> str | None:
    """There is no ideal, or one that is empty."""
    if not golds:
        return "there is no ideal, so no answer can be right"
    if "" in golds:
        return "an ideal is empty: " + (
            "only an empty answer matches it" if use.matcher == FUZZY else "every answer matches it"
        )
    return None


def gold_vanishes(use: Use, sample: Mapping[str, Any], golds: list[str]) -> str | None:
    """Normalising leaves nothing of an ideal."""
    for gold in golds:
        if gold and not normalize(gold):
            return f"nothing is left of the ideal {gold!r} once case, punctuation and articles are gone, so nothing matches"
    return None


def gold_white_space(use: Use, sample: Mapping[str, Any], golds: list[str]) -> str | None:
    """An ideal begins or ends with white space, and the answer is compared as it is."""
    for gold in golds:
        if gold.strip() and gold != gold.strip() and gold.strip() not in golds:
            where = "begins" if gold != gold.lstrip() else "ends"
            return f"the ideal {gold!r} {where} with white space, which answers rarely do"
    return None


def gold_cjk(use: Use, sample: Mapping[str, Any], golds: list[str]) -> str | None:
    """An ideal has Chinese punctuation or full-width forms, which this matcher does not fold; so has every other one."""
    told = str(sample.get("input"))
    first: tuple[str, str] | None = None
    for gold in golds:
        odd = _odd_characters(gold, told)
        if not odd:
            return None
        first = first or (gold, odd)
    return None if first is None else f"the ideal {first[0]!r} has {first[1]!r}, which must be in the answer exactly so"


def _odd_characters(gold: str, told: str) -> str:
    """The characters of a gold that ASCII rules do not fold and that nobody told the model to write."""
    if gold.isascii():
        return ""
    odd = dict.fromkeys(character for character in gold if _is_odd(character))
    if all(character in _QUOTES for character in odd) and not any("\u3040" <= c <= "\u9fff" for c in gold):
        return ""  # in other scripts they are the usual quotes and apostrophes
    # Brackets that the question itself shows are a way to mark the answer.
    return "".join(character for character in odd if not (character in _BRACKETS and character in told))


def _is_odd(character: str) -> bool:
    if "\u3001" <= character <= "\u303f":
        return unicodedata.category(character)[0] == "P"
    return "\uff01" <= character <= "\uff65" or character == "\u3000" or character in _QUOTES


def gold_not_json(use: Use, sample: Mapping[str, Any], golds: list[str]) -> str | None:
    """An ideal of JsonMatch is not JSON."""
    for gold in golds:
        try:
            json.loads(gold)
        except (ValueError, RecursionError) as error:
            return f"the ideal {gold[:60]!r} is not JSON: {error}"
    return None


def gold_null(use: Use, sample: Mapping[str, Any], golds: list[str]) -> str | None:
    """An ideal of JsonMatch holds null, which equals nothing."""
    for gold in golds:
        try:
            if "null" in gold and _has_null(json.loads(gold)):
                return f"the ideal {gold[:60]!r} holds null, which equals nothing, so no answer matches"
        except (ValueError, RecursionError):
            continue
    return None


def _has_null(value: Any) -> bool:
    if isinstance(value, (dict, list)):
        return any(map(_has_null, value.values() if isinstance(value, dict) else value))
    return value is None


def gold_very_short(use: Use, sample: Mapping[str, Any], golds: list[str]) -> str | None:
    """An ideal is so short that it occurs within other words."""
    for gold in golds:
        bare = gold.strip()
        if len(bare) == 1 or (len(bare) == 2 and bare.isascii() and bare.isalpha()):
            return f"the ideal {gold!r} is so short that it occurs in many wrong answers"
    return None


def gold_in_gold(use: Use, summary: Summary) -> Iterator[Problem]:
    """One of a few labels is a part of another, so that the one is taken for the other."""
    golds = [gold for gold in summary.golds if gold.strip()]
    if len(golds) > _LABELS or summary.rows < 2 * len(golds):
        return
    folded = {gold: _folded(use, gold) for gold in golds}
    for gold, form in folded.items():
        for other, whole in folded.items():
            if not form or form == whole or form not in whole or (gold, other) in summary.together:
                continue
            if use.matcher != MATCH:
                how = "is a part of"
            elif whole.startswith(form):
                how = "is the beginning of"
            else:
                continue
            message = f"the ideal {gold!r} {how} the ideal {other!r}: an answer {other!r} counts as {gold!r}"
            yield Problem(message, summary.golds[gold])


def _folded(use: Use, gold: str) -> str:
    if use.matcher == FUZZY:
        return normalize(gold)
    return gold.lower() if needs_ignore_case(use) else gold
