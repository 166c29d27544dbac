"""Matching texts, version 2: whole words, numbers and Chinese as people read them. Pure functions over strings.

A text becomes tokens (``tokens``): a word of letters and digits, a single CJK character, or a sign such as ``+`` or ``%``.
Texts are compared token by token, so ``1`` is not a part of ``11``. Nothing here extracts an answer from an explanation, and
nothing understands a denial, but for Chinese ones that lead to a gold (``denial``): ``It is not Paris`` includes ``Paris``.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import NamedTuple

from aigc_evals.elsuite.denial import COPULAS, DENIALS, is_denied
from aigc_evals.elsuite.numerals import MYRIADS, NEGATIVE, NUMERALS, number_value, percentage
from aigc_evals.errors import SampleError, UsageError

_ARTICLES = frozenset({"a", "an", "the"})
_AFTER_LABELS = re.compile(
    "is|are|was|were|be|isnt|because|since|as|and|or|not|nor|but|so|if|then|than|to|of|for|with|in|on|at|can|could|will|would|"
    "should|may|might|has|have|had|do|does|did|seems|looks|appears|only|alone|also"
)
"""Words that may follow the label ``A`` and not the article ``a``."""
_BEFORE_LABELS = re.compile("the|options?|choice|answer|letter|grade|class|group|type|vitamin")

_PARTICLES = "的了啊呀吧哦呢"
_NOUNS = frozenset({"答", "答案", "回答", "结果", "结论"})
_ADVERBS = frozenset({"", "当然", "确实", "的确"})
_QUESTION_WORDS = frozenset({"是否", "是非", "为何"})
_REACH = 8
"""How many tokens before and behind a gold are looked at."""

_STOPS = frozenset("。、!?;,.…—")
_NEWLINES = frozenset("\n\r\u2028\u2029")
_INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
_SUPERSCRIPT = re.compile("[⁺⁻]?[⁰¹²³⁴-⁹]+")
_FRACTION = re.compile("[¼½¾⅐-⅞↉]")
_SAME = str.maketrans({"\u2212": "-", "\u2044": "/", "\u2019": "'"})
CJK = (
    "\u1100-\u11ff\u3005-\u3007\u3041-\u318f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
"""The characters of scripts that are matched character by character, as ranges of a regular expression's class."""
_CJK = re.compile(f"[{CJK}]")

WORD, CHARACTER, SIGN, MARK = "word", "character", "sign", "mark"
_SHAPE = re.compile(
    r"""(?P<word>
        (?: (?<![a0-]) - (?=0) )?                                      # a minus
        (?: a(?:\.a)+ (?![a0]) | 0{1,3}(?:,000)+ (?!0) | [a0] )        # U.S  1,000
        (?: [a0] | [_'](?=[a0]) | (?<=0)[./](?=0) )*                   # foo_bar  don't  3.14  1/2
        (?: (?<=a) (?:\+\+|\#) (?![a0]) )?                             # C++  C#
    ) | (?P<character>c) | (?P<sign>[s+]) | (?P<mark>\S)""",
    re.VERBOSE,
)
"""Tokens in the text of shapes that ``_shape`` makes of a text, a character for each of its characters."""


class Token(NamedTuple):
    """``near``: the token before it belongs to the same phrase, as no punctuation or new line stands between."""

    text: str
    kind: str
    near: bool


def check_version(version: object) -> int:
    """The version of the matching rules, 1 or 2. Raises UsageError for anything else."""
    if isinstance(version, bool) or not isinstance(version, int) or version not in (1, 2):
        raise UsageError(f"there are versions 1 and 2 of this class's rules, not {version!r}", key="version")
    return version


def fold(text: str, *, ignore_case: bool = True) -> str:
    """NFKC, one kind of minus and apostrophe, no invisible characters; with ``ignore_case`` the case folded too.

    Surprising: ``①`` becomes ``1``, ``10²`` becomes ``10^2``, ``1½`` becomes ``1 1/2``, and a full-width comma becomes ``、``,
    so that it never separates thousands (``100，200``) as an ASCII one may (``100,200``).
    """
    text = "".join(c for c in _INVISIBLE.sub("", text) if unicodedata.category(c) != "Cf")
    text = _FRACTION.sub(r" \g<0>", _SUPERSCRIPT.sub(r"^\g<0>", text)).replace("，", "、")
    text = unicodedata.normalize("NFKC", text).translate(_SAME)
    return unicodedata.normalize("NFKC", text.casefold()) if ignore_case else text


def tokens(text: str, *, ignore_case: bool = True) -> list[Token]:
    """The tokens of a text, punctuation, emoji and articles left out.

    One word each: ``3.14``, ``1/2``, ``-5``, ``1,000`` (as ``1000``), ``10kg``, ``1st``, ``don't`` (as ``dont``), ``Ann's`` (as
    ``Ann``), ``U.S.`` (as ``US``), ``foo_bar``, ``C++``. Several: ``10:30``, ``3-5``, ``well-known``.

    ``a``, ``an`` and ``the`` are articles where a word follows, with white space only between: dropped in ``a dog``, kept in
    ``A.``, ``(A) dog``, ``option A looks``, ``A is right``, ``state-of-the-art``. So ``it is a dog`` does not include ``A``. Case
    does not count here, even where it is not folded.
    """
    found = _scan(fold(text, ignore_case=ignore_case))
    return [token for place, token in enumerate(found) if not _is_article(found, place)]


def matches(answer: str, gold: str, *, ignore_case: bool = True) -> bool:
    """Whether answer and gold are the same, or one is a part of the other (version 2 of FuzzyMatch).

    Surprising: since the answer may be the part, ``guilty`` matches the gold ``not guilty``; punctuation alone is no such
    part. See ``includes`` for the rest.
    """
    if includes(answer, gold, ignore_case=ignore_case):
        return True
    return bool(tokens(answer)) and includes(gold, answer, ignore_case=ignore_case)


def includes(answer: str, gold: str, *, ignore_case: bool = False) -> bool:
    """Whether the tokens of ``gold`` stand next to each other in ``answer``, none between.

    Where both are a number and nothing else, their values decide: ``一百二十``, ``120`` and ``120.0`` are the same, ``十`` is
    no part of ``二十``. So it is where both are percentages: ``百分之五十`` is ``50%``, which is not ``0.5``. In a
    sentence only the same way of writing counts: ``共一百二十个`` does not include ``120``.

    CJK has no spaces, so its boundaries are approximate:

    - A gold of one character must be all that is said between punctuation, but for an opening (``答案``, ``当然``), anything
      that ends in ``是``, ``为`` or ``选``, and particles behind (``的``, ``了``, ``吧``). So ``是`` is in ``是的`` and ``答案是是``
      and not in ``不是``, ``是否``, ``是不是``, ``他是学生``, ``答案是：否``; ``否`` is in ``答案是否`` and not in ``是否`` and ``否定``.
      Surprising: ``三`` is not in ``三个``.
    - Any other may stand anywhere: ``北京`` is in ``北京市``. Surprising: it is in ``东北京剧``; only a dictionary would know.
    - None counts where 不, 没, 未, 非 or 是否 leads to it, right before it or with words of degree, of being able or of saying
      between (``denial``): ``正确`` is in ``完全正确`` and not in ``不正确``, ``不太正确`` or ``不能说是正确``, ``B`` not in ``不选B``.
      Surprising: ``正确`` is in ``很难说正确``.
    - A number is not cut out of a longer one: ``二十`` is not in ``答案是二十一``, ``3`` not in ``3万``, ``五`` not in ``负五``.

    A gold of punctuation or emoji only is looked for character by character: ``?`` is in ``why?``. An empty gold is included
    in an empty answer only, an empty answer includes no other; white space and invisible characters are empty.
    """
    there, wanted = _pair(answer, gold, ignore_case)
    same = _same_value(there, wanted)
    if same is not None:
        return same
    return any(_stands(there, start, wanted) for start in range(len(there) - len(wanted) + 1))


def begins(answer: str, gold: str, *, ignore_case: bool = False) -> bool:
    """Whether ``answer`` begins with the tokens of ``gold``; white space, punctuation and a ``$`` before them do not count:
    ``**Paris**`` begins with ``Paris``, ``“是”`` with ``是``. As for ``includes`` in everything else: ``10`` does not begin with
    ``1``, nor ``是否`` with ``是``.
    """
    there, wanted = _pair(answer, gold, ignore_case)
    same = _same_value(there, wanted)
    if same is not None:
        return same
    passed = 0
    while not _stands(there, passed, wanted):
        if passed == len(there) or not (there[passed].kind == MARK or there[passed].text == "$"):
            return False
        passed += 1
    return True


def f1(answer: str, golds: Sequence[str]) -> float:
    """The best F1 of the answer's tokens over ``golds``: of words, and of characters where the text is CJK.

    1.0 for two empty texts; for two numbers 1.0 or 0.0, by their values. Raises SampleError when there are no golds.
    """
    if not golds:
        raise SampleError("there is no answer to compare the prediction with")
    return max(_f1(answer, gold) for gold in golds)


def _f1(answer: str, gold: str) -> float:
    there, wanted = _pair(answer, gold, True)
    same = _same_value(there, wanted)
    if same is not None:
        return float(same)
    shared = sum((Counter(t.text for t in there) & Counter(t.text for t in wanted)).values())
    return 2 * shared / (len(there) + len(wanted)) if shared else 0.0


def _pair(answer: str, gold: str, ignore_case: bool) -> tuple[list[Token], list[Token]]:
    """The tokens of both; with their punctuation where the gold has nothing else."""
    wanted = tokens(gold, ignore_case=ignore_case)
    if wanted:
        return tokens(answer, ignore_case=ignore_case), wanted
    return _scan(fold(answer, ignore_case=ignore_case), marks=True), _scan(fold(gold), marks=True)


def _same_value(there: Sequence[Token], wanted: Sequence[Token]) -> bool | None:
    """Whether both are the same number or both nothing; None where their tokens have to be compared."""
    if not wanted:
        return not there
    for value_of in (number_value, percentage):
        values = _value(there, value_of), _value(wanted, value_of)
        if None not in values:
            return values[0] == values[1]
    return None


def _value(found: Sequence[Token], value_of: Callable[[Sequence[str]], Decimal | None]) -> Decimal | None:
    """The number, or the percentage, that the tokens are, when they are one and nothing else."""
    if any(place and not token.near for place, token in enumerate(found)):
        return None
    return value_of([token.text for token in found])


def _stands(there: Sequence[Token], start: int, wanted: Sequence[Token]) -> bool:
    """Whether ``wanted`` stands at ``start``, undenied and with its boundaries kept."""
    end = start + len(wanted)
    if [token.text for token in there[start:end]] != [token.text for token in wanted]:
        return False
    before, after = _around(there, start, end)
    if is_denied(before) or _is_cut(wanted, before, after):
        return False
    return len(wanted) > 1 or wanted[0].kind != CHARACTER or _is_all(wanted[0].text, before, after)


def _around(there: Sequence[Token], start: int, end: int) -> tuple[str, str]:
    """What stands before and behind in the same phrase, as far as it matters; a sign is a boundary."""
    first, last = start, end
    while first and there[first].near and there[first - 1].kind != SIGN and start - first < _REACH:
        first -= 1
    while last < len(there) and there[last].near and there[last].kind != SIGN and last - end < _REACH:
        last += 1
    return "".join(t.text for t in there[first:start]), "".join(t.text for t in there[end:last])


def _is_cut(wanted: Sequence[Token], before: str, after: str) -> bool:
    """Whether ``wanted`` is a number that is a part of a longer one."""
    if not all(token.text in NUMERALS or token.text[-1].isdecimal() for token in wanted):
        return False
    if before[-1:] in NEGATIVE or (wanted[0].text in NUMERALS and before[-1:] in NUMERALS):
        return True
    # 12千克 is no number of thousands, so digits go on with 万 and 亿 only.
    return after[:1] in (NUMERALS if wanted[-1].text in NUMERALS else MYRIADS)


def _is_all(character: str, before: str, after: str) -> bool:
    """Whether a CJK character is all that is said, but for what leads to it and particles."""
    if after.strip(_PARTICLES) or before + character in _QUESTION_WORDS:
        return False
    if before in _NOUNS:
        return character not in COPULAS
    return before in _ADVERBS or (before[-1] in COPULAS and not before.endswith("还是"))


def _is_article(found: Sequence[Token], place: int) -> bool:
    text = found[place].text.casefold()
    following = found[place + 1] if place + 1 < len(found) else None
    if text not in _ARTICLES or following is None or following.kind != WORD or not following.near:
        return False
    if text != "a":
        return True
    before = found[place - 1].text.casefold() if found[place].near else ""
    return not (_AFTER_LABELS.fullmatch(following.text.casefold()) or _BEFORE_LABELS.fullmatch(before))


def _scan(text: str, *, marks: bool = False) -> list[Token]:
    """The tokens of a folded text, articles too, and with ``marks`` all else that is no white space, character by character."""
    found: list[Token] = []
    end = 0
    for token in _SHAPE.finditer("".join(map(_shape, text))):
        kind = str(token.lastgroup)
        if kind == MARK and not marks:
            continue
        word = text[token.start() : token.end()]
        near = bool(found) and kind != MARK and _is_near(found[-1], text[end : token.start()])
        found.append(Token(_plain(word) if kind == WORD else word, kind, near))
        end = token.end()
    return found


def _shape(character: str) -> str:
    """``0`` for a digit, ``a`` for any other part of a word, ``c`` CJK, ``s`` a sign, a space, a mark that words may hold, or
    ``p`` for the rest: punctuation, emoji, control characters.
    """
    if character in "-+.,/'_#":
        return character
    if character.isspace():
        return " "
    category = unicodedata.category(character)
    if category[0] in "LNM":
        return "c" if _CJK.match(character) else "0" if character.isdecimal() else "a"
    return "s" if character in "%‰°^" or (category in ("Sm", "Sc") and character not in "|~→⇒") else "p"


def _is_near(before: Token, gap: str) -> bool:
    """Whether a token belongs to the phrase of the one before it, with ``gap`` between.

    After a denial, or ``答案是``, a colon, a quote or an emphasis ends no phrase.
    """
    if not gap.strip():
        return not _NEWLINES.intersection(gap)
    if before.text in DENIALS or (before.text in COPULAS and before.near):
        return not _STOPS.intersection(gap) and (":" in gap or not _NEWLINES.intersection(gap))
    return False


def _plain(word: str) -> str:
    """A word as it is compared: without possessive ``'s``, apostrophes, separators of thousands and dots of abbreviations."""
    word = (word[:-2] if word.endswith(("'s", "'S")) else word).replace("'", "")
    if "," in word:
        return word.replace(",", "")
    return word.replace(".", "") if not any(c.isdecimal() for c in word) else word
