"""Text as the rules for choices read it, and options that are named by their place: pure functions over text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

_SIMPLIFIED = str.maketrans(
    "選擇項應該當為對錯誤確參題說還與認覺顯嗎麼實個無適內別許終綜沒後問糾",
    "选择项应该当为对错误确参题说还与认觉显吗么实个无适内别许终综没后问纠",
)
_FIRST_TO_TENTH = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_PLACES = {
    **{word: place for place, word in enumerate(_FIRST_TO_TENTH)},
    **{word: place for place, word in enumerate("一二三四五六七八九十")},
    **{str(place + 1): place for place in range(26)},
    "last": -1,
}
_OF_TWO = {"former": 0, "latter": 1, "前者": 0, "后者": 1}
_HAN = "[\u3400-\u4dbf\u4e00-\u9fff]"
_SHORT = 4
"""A Chinese text of no more characters may be part of a longer word."""

_LEADS_TO = "是为选项即叫在于到属有与和及或像如称名指由被让从把给靠用的了应会就"
_FOLLOWS = "是为才就都也最更比可能会应符吧了呢啊哦属在有因由对和与或"
_BY_PLACE = re.compile(
    rf"\b(?:the\s+)?(?:(?P<nth>{'|'.join(_FIRST_TO_TENTH)}|last)\s+(?:option|choice|answer|one)|(?:option|choice)\s+(?:(?:number|no\.?)\s)?(?P<number>[0-9]+))\b"
    r"|\bthe\s+(?P<of_two>former|latter)\b"
    r"|第(?P<nth_zh>[一二三四五六七八九十]|[0-9]+)(?:个?选项|项)|选项\s?(?P<number_zh>[一二三四五六七八九十]|[0-9]+)|(?P<of_two_zh>[前后]者)",
    re.IGNORECASE,
)


def normal(text: str) -> str:
    """Full-width characters as plain ones, and the traditional Chinese ones that the rules have as simplified ones."""
    return unicodedata.normalize("NFKC", text).translate(_SIMPLIFIED)


def folded(text: str) -> str:
    """``text`` for comparing: without case, double white space, or punctuation around it."""
    return " ".join(normal(text).casefold().split()).strip(" .,;:!?。、\"'“”‘’()")


def starts(text: str, part: str) -> bool:
    """Whether ``text`` begins with ``part`` as whole words."""
    return re.match(rf"{re.escape(part)}(?![a-z0-9])", text) is not None


def contains(text: str, part: str) -> bool:
    """Whether ``part`` stands in ``text`` as whole words."""
    before, after = "", ""
    if len(part) <= _SHORT:
        # Chinese has no blanks between words: 北京 is no word of 北京大学.
        before = rf"(?<!{_HAN})|(?<=[{_LEADS_TO}])" if re.match(_HAN, part) else ""
        after = rf"(?!{_HAN})|(?=[{_FOLLOWS}])" if re.search(rf"{_HAN}\Z", part) else ""
    return re.search(rf"(?<![a-z0-9])(?:{before}){re.escape(part)}(?:{after})(?![a-z0-9])", text) is not None


def lettered(plain: str, options: Mapping[str, str]) -> str:
    """The text with options that are named by their place, as in "the second option" or "第二项", named by their letter."""
    letters = list(options)

    def letter(match: re.Match[str]) -> str:
        kind = match.lastgroup or ""
        places = _PLACES if not kind.startswith("of_two") else _OF_TWO if len(letters) == 2 else {}
        place = places.get(match[kind].casefold())
        if place is None or place >= len(letters):
            return match[0]
        return f"{'选项' if kind.endswith('zh') else 'option '}{letters[place]}"

    return _BY_PLACE.sub(letter, plain)
