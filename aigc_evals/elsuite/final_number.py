"""FinalNumber: problems whose answer is a number, read out of free text and compared by value."""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple

from aigc_evals.elsuite.few_shot import check_input_and_ideals, ideals
from aigc_evals.elsuite.numerals import NUMERALS, number_value
from aigc_evals.elsuite.read_answer import ReadAnswer
from aigc_evals.eval import need

LAST = "last number"
"""The rule for an answer without a mark."""


class Number(NamedTuple):
    """A number read from a text (None: there is none), and the rule that found it."""

    value: Fraction | None
    rule: str


class FinalNumber(ReadAnswer):
    """Correct when the number that the answer ends with has the value of an ideal: ``$1,050.00`` is ``1050``.

    The number is the one that a mark stands before: ``####``, ``\\boxed{...}``, "the answer is", "Answer:", ``答案：``, the last
    of them. In an answer without a mark it is the last number of the text. That is a guess, which common harnesses make
    too; with ``unmarked: false`` such an answer cannot be read, as one without any number cannot. ``rule`` of a ``match``
    event says how a number was found.

    Values must be equal: nothing is rounded, a percentage is the number before its sign, and units are not looked at.
    Ordinals (``42nd``) are passed over.
    """

    def __init__(self, *args: Any, unmarked: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.unmarked = unmarked

    def check_sample(self, sample: Any) -> None:
        check_input_and_ideals(sample)
        answers = ideals(sample)
        need(bool(answers), "'ideal' is empty: there is no right number")
        for answer in answers:
            need(_exact(answer) is not None, f"'ideal' must be a number, got {answer[:80]!r}")

    async def aeval_sample(self, sample: Any, rng: random.Random | None = None) -> Any:
        self.check_sample(sample)
        sampled = await self.answer(sample)
        found = final_number(sampled, unmarked=self.unmarked)
        correct = found.value is not None and found.value in {_exact(ideal) for ideal in ideals(sample)}
        picked = None if found.value is None else _written(found.value)
        return self.record(correct, picked, expected=sample["ideal"], sampled=sampled, rule=found.rule)


_CHARACTERS = "".join(sorted(NUMERALS))
_NEGATIVE = rf"(?<![正胜肩担自辜抱背欠身亏])负(?![\d.,\s{_CHARACTERS}]{{0,60}}(?:[场局盘]|次(?!方)))"
"""The minus in Chinese: no part of a word (肩负, 自负), and no lost game (负5场)."""
_DIGITS = r"\d+(?:,\d+)*(?:\.\d+)?(?:[eE][+-]?\d{1,3}(?![A-Za-z0-9]))?|\.\d+"
_NUMBER = re.compile(
    rf"(?<![A-Za-z0-9.])(?:(?<![\w)\]])(?P<sign>[-−–])|(?P<negative>{_NEGATIVE}))?"
    r"(?:(?:US|CA|HK|RMB)?\\?[$€£¥]\s?)?(?P<after>[-−])?"
    rf"(?:\\[dt]?frac\{{(?P<over>\d+)\}}\{{(?P<under>\d+)\}}|(?P<digits>{_DIGITS})(?:\s?[/⁄]\s?(?P<part>\d+)(?![\d.]*[/\d]))?)"
    r"(?P<ordinal>(?i:st|nd|rd|th)(?![A-Za-z0-9]))?(?:\s?(?P<unit>[万亿])(?!分))?"
)
_CHINESE = re.compile(rf"(?:{_NEGATIVE})?[{_CHARACTERS}]+(?:点[零〇一二三四五六七八九]+)?")
_GROUP = re.compile(r"(?<=\d)(?:\{,\}|,?\\[,!]|[\u00a0\u2009\u202f])(?=\d{3}(?!\d))")
_STYLE = re.compile(r"\*\*|__|`|\\(?:text|mathrm|mathbf)(?=\{)")
_BOXED = re.compile(r"\\boxed\s*\{")
_MARK = re.compile(r"(?P<hashes>####)|\banswers?\s*(?:\b(?:is|are)\b|[:=])|答案\s*应?该?\s*[是为:=]", re.IGNORECASE)
_REACH = 300
"""How many characters a mark can be followed by: more is no answer."""
_MOST = 20
"""How many marks are looked at: a model that repeats one without end gives no answer."""
_LONGEST = 60


def final_number(text: str, *, unmarked: bool = True) -> Number:
    """The number that ``text`` gives as its answer, with the rule: ``####``, ``boxed``, ``answer``, or ``last number``.

    After the last mark that has a number on its line it is the first one there, of an equation the first behind its last
    ``=``; it may be in Chinese numerals. ``unmarked`` says whether a text without such a mark is searched for its last
    number, in digits. Where there is none the rule is ``nothing``.
    """
    plain = _STYLE.sub("", unicodedata.normalize("NFKC", _GROUP.sub(",", text)))
    for rule, marked in _marked(plain):
        value = _value(marked)
        if value is not None:
            return Number(value, rule)
    matches = list(_NUMBER.finditer(plain)) if unmarked else []
    value = next((value for match in reversed(matches) if (value := _of(match)) is not None), None)
    return Number(value, "nothing" if value is None else LAST)


def _marked(plain: str) -> Iterator[tuple[str, str]]:
    """What the last marks mark, each with its rule, the very last first."""
    for match in sorted([*_MARK.finditer(plain), *_BOXED.finditer(plain)], key=lambda match: -match.start())[:_MOST]:
        following = plain[match.end() : match.end() + _REACH]
        if match.re is _BOXED:
            yield "boxed", _braced(following)
        else:
            yield "####" if match["hashes"] else "answer", following.lstrip(" \t:=").partition("\n")[0]


def _braced(text: str) -> str:
    """What stands before the brace that closes one opened before ``text``; all of it, where none does."""
    depth = 1
    for end, character in enumerate(text):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth == 0:
            return text[:end]
    return text


def _value(marked: str) -> Fraction | None:
    """The value of the first number of a text, in digits or else in Chinese numerals; of an equation's right side."""
    side = marked.rpartition("=")[2]
    match = next((match for match in _NUMBER.finditer(side) if not _is_ordinal(match)), None)
    if match is not None:
        return _of(match)
    chinese = _CHINESE.search(side.replace("百分之", ""))
    value = None if chinese is None else number_value(list(chinese[0]))
    return None if value is None else Fraction(value)


def _exact(ideal: str) -> Fraction | None:
    """The value of a text that is a number and nothing else."""
    match = _NUMBER.fullmatch(unicodedata.normalize("NFKC", ideal).strip())
    return None if match is None else _of(match)


def _is_ordinal(match: re.Match[str]) -> bool:
    """Whether a match of ``_NUMBER`` is ``42nd``, which says which one and not how many; ``1/20th`` is a fraction."""
    return match["ordinal"] is not None and match["part"] is None and match["over"] is None


def _of(match: re.Match[str]) -> Fraction | None:
    """The value of a match of ``_NUMBER``; None for an ordinal, a division by zero, more digits than anybody writes."""
    if _is_ordinal(match):
        return None
    over = _ungrouped(match["over"] or match["digits"])
    under = match["under"] or match["part"] or "1"
    if len(over) > _LONGEST or len(under) > _LONGEST or not int(under):
        return None
    value = Fraction(f"0{over}") / int(under) * {"万": 10_000, "亿": 100_000_000}.get(match["unit"] or "", 1)
    return -value if match["sign"] or match["negative"] or match["after"] else value


def _ungrouped(digits: str) -> str:
    """Digits without separators of thousands (those of India too); the last number, where the commas make a list."""
    first, *rest = digits.split(",")
    whole = [part.partition(".")[0] for part in rest]
    if rest and len(first) <= 3 and len(whole[-1]) == 3 and all(len(part) in (2, 3) for part in whole):
        return "".join([first, *rest])
    return rest[-1] if rest else first


def _written(value: Fraction) -> str:
    """A value as it is recorded: ``18``, ``0.5``, and ``1/3`` where digits would have no end."""
    if value.denominator == 1:
        return str(value)
    decimal = str(float(value))
    return decimal if Fraction(decimal) == value else str(value)
