"""Rules about golds: ideals that the chosen way of matching cannot score, or scores where it should not.

A row rule sees an eval, a row and its ideals, and says what is wrong in one sentence; it knows nothing of files. Rules for
version 1 of a matcher hint at version 2 where that scores the ideal as it should.
"""

from __future__ import annotations

import itertools
import json
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from aigc_evals.check.data_rules import Summary
from aigc_evals.check.findings import Problem
from aigc_evals.check.spec_rules import needs_ignore_case
from aigc_evals.check.uses import FUZZY, INCLUDES, MATCH, MATCH_2, SECOND, Use
from aigc_evals.elsuite.matching import begins, fold, includes, tokens
from aigc_evals.elsuite.utils import normalize

_BRACKETS = frozenset("【】「」『』〖〗〔〕")
_QUOTES = frozenset("\u2018\u2019\u201c\u201d")
_EDGES = " .。!?、,;:…\"'“”‘"
_LABELS = 30
"""A file with at most this many different golds, each at least twice on average, is taken to ask for one of a few labels."""
_HINT = "version: 2 in the eval's args compares whole words, and scores such an ideal."


def empty_gold(use: Use, sample: Mapping[str, Any], golds: list[str]) -> Problem | None:
    """There is no ideal, or one that is empty."""
    if not golds:
        return Problem("there is no ideal, so no answer can be right")
    second = use.matcher in SECOND.values()
    if "" in golds or (second and not all(fold(gold).strip() for gold in golds)):
        only = second or use.matcher == FUZZY
        return Problem(
            "an ideal is empty: " + ("only an empty answer matches it" if only else "every answer matches it")
        )
    return None


def gold_vanishes(use: Use, sample: Mapping[str, Any], golds: list[str]) -> Problem | None:
    """Normalising leaves nothing of an ideal."""
    for gold in golds:
        if gold and not normalize(gold):
            gone = "nothing is left of the ideal {!r} once case, punctuation and articles are gone, so nothing matches"
            return _problem(use, gone.format(gold), gold)
    return None


def gold_white_space(use: Use, sample: Mapping[str, Any], golds: list[str]) -> Problem | None:
    """An ideal begins or ends with white space, and the answer is compared as it is."""
    for gold in golds:
        if gold.strip() and gold != gold.strip() and gold.strip() not in golds:
            where = "begins" if gold != gold.lstrip() else "ends"
            return _problem(use, f"the ideal {gold!r} {where} with white space, which answers rarely do", gold)
    return None


def gold_cjk(use: Use, sample: Mapping[str, Any], golds: list[str]) -> Problem | None:
    """An ideal has Chinese punctuation or full-width forms, which this matcher does not fold; so has every other one."""
    if any(gold.isascii() for gold in golds):
        return None
    told = str(sample.get("input"))
    first: tuple[str, str] | None = None
    for gold in golds:
        odd = _odd_characters(gold, told)
        if not odd:
            return None
        first = first or (gold, odd)
    if first is None:
        return None
    return _problem(use, f"the ideal {first[0]!r} has {first[1]!r}, which must be in the answer exactly so", first[0])


def _problem(use: Use, message: str, gold: str) -> Problem:
    return Problem(message, hint=_HINT if use.has_second and tokens(gold) else None)


def _odd_characters(gold: str, told: str) -> str:
    """The characters of a gold that ASCII rules do not fold and that nobody told the model to write."""
    odd = dict.fromkeys(character for character in gold if _is_odd(character))
    if all(character in _QUOTES for character in odd) and not any("\u3040" <= c <= "\u9fff" for c in gold):
        return ""  # in other scripts they are the usual quotes and apostrophes
    # Brackets that the question itself shows are a way to mark the answer.
    return "".join(character for character in odd if not (character in _BRACKETS and character in told))


def _is_odd(character: str) -> bool:
    if "\u3001" <= character <= "\u303f":
        return unicodedata.category(character)[0] == "P"
    return "\uff01" <= character <= "\uff65" or character == "\u3000" or character in _QUOTES


def gold_not_json(use: Use, sample: Mapping[str, Any], golds: list[str]) -> Problem | None:
    """An ideal of JsonMatch is not JSON."""
    for gold in golds:
        try:
            json.loads(gold)
        except (ValueError, RecursionError) as error:
            return Problem(f"the ideal {gold[:60]!r} is not JSON: {error}")
    return None


def gold_null(use: Use, sample: Mapping[str, Any], golds: list[str]) -> Problem | None:
    """An ideal of JsonMatch holds null, which equals nothing."""
    for gold in golds:
        try:
            if "null" in gold and _has_null(json.loads(gold)):
                return Problem(f"the ideal {gold[:60]!r} holds null, which equals nothing, so no answer matches")
        except (ValueError, RecursionError):
            continue
    return None


def _has_null(value: Any) -> bool:
    if isinstance(value, (dict, list)):
        return any(map(_has_null, value.values() if isinstance(value, dict) else value))
    return value is None


def gold_very_short(use: Use, sample: Mapping[str, Any], golds: list[str]) -> Problem | None:
    """An ideal is so short that it occurs within other words."""
    for gold in golds:
        bare = gold.strip()
        if len(bare) == 1 or (len(bare) == 2 and bare.isascii() and bare.isalpha()):
            return _problem(use, f"the ideal {gold!r} is so short that it occurs in many wrong answers", gold)
    return None


def gold_punctuation(use: Use, sample: Mapping[str, Any], golds: list[str]) -> Problem | None:
    """An ideal is nothing but punctuation, which many a sentence has; an emoji may well be meant."""
    for gold in golds:
        if not tokens(gold) and any(unicodedata.category(character)[0] == "P" for character in fold(gold)):
            return Problem(f"the ideal {gold!r} is punctuation only, which occurs in many wrong answers")
    return None


def gold_in_gold(use: Use, summary: Summary) -> Iterator[Problem]:
    """One of a few labels is a part of another, so that the one is taken for the other."""
    how = "is the beginning of" if use.matcher in (MATCH, MATCH_2) else "is a part of"
    for gold, other in _pairs_of_labels(summary):
        if not _counts(use, str(use.matcher), other, gold) or _counts(use, str(use.matcher), gold, other):
            continue
        message = f"the ideal {gold!r} {how} the ideal {other!r}: an answer {other!r} counts as {gold!r}"
        yield Problem(message, summary.golds[gold], hint=_hint(use, other, gold))


def gold_same(use: Use, summary: Summary) -> Iterator[Problem]:
    """Two of a few labels are one and the same to the matcher: C and C++, [0, 1] and (0, 1), 3.1 and 3.10.

    Labels that differ by case, width or the punctuation around them are taken to mean the same.
    """
    for gold, other in _pairs_of_labels(summary):
        lines = summary.golds[gold], summary.golds[other]
        if (lines, gold) > (lines[::-1], other) or fold(gold).strip(_EDGES) == fold(other).strip(_EDGES):
            continue
        if _counts(use, str(use.matcher), other, gold) and _counts(use, str(use.matcher), gold, other):
            message = f"the ideals {gold!r} and {other!r} are the same to this matcher, so each counts as the other"
            yield Problem(message, lines[1], hint=_hint(use, other, gold))


def _pairs_of_labels(summary: Summary) -> Iterator[tuple[str, str]]:
    """Each pair of different golds, in both orders, unless both are right for one question; none but in a file of labels."""
    golds = [gold for gold in summary.golds if gold.strip()]
    if len(golds) <= _LABELS and summary.rows >= 2 * len(golds):
        for pair in itertools.permutations(golds, 2):
            if pair not in summary.together:
                yield pair


def _counts(use: Use, matcher: str, answer: str, gold: str) -> bool:
    """Whether a gold is found in an answer; for FuzzyMatch the answer is not looked for in the gold."""
    ignore_case = needs_ignore_case(use)
    if matcher in SECOND.values():
        return (begins if matcher == MATCH_2 else includes)(answer, gold, ignore_case=ignore_case)
    if matcher == FUZZY:
        return bool(normalize(gold)) and normalize(gold) in normalize(answer)
    if matcher == INCLUDES and ignore_case:
        return gold.lower() in answer.lower()
    return answer.startswith(gold) if matcher == MATCH else gold in answer


def _hint(use: Use, answer: str, gold: str) -> str | None:
    """What to do about an answer that counts as a gold of another meaning."""
    if not use.has_second or _counts(use, SECOND[str(use.matcher)], answer, gold):
        return None
    return "version: 2 in the eval's args compares whole words, and tells the two apart."
