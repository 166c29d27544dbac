"""The letters of options as text writes them: alone, in brackets, with a noun, in a list; expressions to build rules of."""

from __future__ import annotations

import re
from collections.abc import Iterable

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
TICK = "[✓✔✅☑√]"
CROSS = "[✗✘❌✕×]"

OPEN = r"[\s\"“‘「『【《〈\[(<{]{0,5}"
# A blank only before a mark: after the last one it belongs to what follows.
CLOSE = r"(?:\s?[\"”’」』】》〉\])>}]){0,4}"
# A and I are words too where a word in lower case follows that does not go on about an option.
_GOES_ON = (
    r"(?:and|or|but|because|since|as|is|are|was|for|with|which|by|due|based|here|instead|then|from|must|should)\b"
)
ONE = (
    r"(?<![A-Za-z0-9_'’\-])[A-Z](?![A-Za-z0-9_+]|['’][A-Za-z]|-[A-Za-z0-9]|\.[A-Za-z]\.)"
    rf"(?!(?<=A)\s+(?!{_GOES_ON})[a-z])(?!(?<=I)\s+(?!is\b)[a-z])(?![股型级栋座]|语言|字母)"
)
_LOWER = r"(?:(?<=\()[a-z](?=\))|(?<=[\"'])[a-z](?=[\"'])|(?<![A-Za-z])[a-z](?=\)|\s*(?:[.,;!。\n]|$)))"
_GLUED = r"(?<![A-Za-z0-9_])[A-Z]{2,26}(?![A-Za-z0-9_])"
_NOUN = r"(?:\s*(?:(?i:options?|choices?|letters?)\s|选项))?"
ITEM = rf"{_NOUN}{OPEN}(?:{ONE}){CLOSE}(?:\s*(?:选项|项))?"
END = r"\s*(?:[.,;:!?。)\n]|$)"
_COMMA = rf",(?:\s*(?:and|or)\b)?(?={OPEN}[A-Z]{CLOSE}(?:\s*[,、/.;!?。\n]|\s*(?:and|or|和|与|或)|\s*$))"
# No two neighbours here both take white space: a list that fails late would be tried in every way.
_SEPARATOR = rf"\s*(?:{_COMMA}|[、/&+]|\band\b|\bor\b|和|与|或者|或|以及|及|还是)"
LIST = rf"(?P<list>{ITEM}(?:{_SEPARATOR}{ITEM}){{0,25}}|{OPEN}{_GLUED}{CLOSE})"
# Not where only the first of a list would be taken: "so A, B and C are on a line".
STOP = rf"(?!{_SEPARATOR}{ITEM})(?={END})"
ANY = rf"(?:{LIST}|{_NOUN}{OPEN}(?P<lower>{_LOWER})\)?)"

_ONE = re.compile(ONE)
_NAMED = re.compile(rf"{ONE}|{_GLUED}|(?<![A-Za-z])[A-Z](?![A-Za-z])")
_POINTER = r"(?:(?:[👉➡→⇒►▶]|[=\-]{1,2}>)\s?)?"
_LONE = (
    r"\s*(?:(?i:option|choice|answer|letter)|选项|答案)?[\s:]*"
    rf"(?:{LIST}|{OPEN}(?P<lower>[a-z]){CLOSE})\s*[.。!,:;]*\s*"
)
_LONE_LINE = re.compile(_POINTER + _LONE)
_LONE_REPLY = re.compile(rf"(?:{TICK}\s?)?{_POINTER}{_LONE}(?:{TICK}\s*)?")
_HEADS_LIST = re.compile(
    r"(?:(?<=[\])】])|[.:、])[^\n]{0,200}?(?:\s{1,2})[\[(【]?([A-Z])(?:[\])】.:]|、(?![A-Z]))(?=\s?\S)",
)


def letters_of(listed: str) -> str:
    """The letters named in a list of them, each once, in the order of the alphabet."""
    return "".join(sorted(set("".join(_NAMED.findall(listed)))))


def alone(text: str, *, whole: bool = False) -> str | None:
    """The letters, where ``text``, a line or with ``whole`` the whole reply, names them and says nothing else.

    Of a line, letters in upper case only; a tick next to the letters is more than nothing, except for the whole reply.
    """
    match = (_LONE_REPLY if whole else _LONE_LINE).fullmatch(text)
    if match is None or not (match["list"] or whole):
        return None
    return letters_of(match["list"] or match["lower"].upper())


def heads_list(plain: str, letter: str, end: int) -> bool:
    """Whether the ``letter`` that ends there is the mark of an item, and the next mark that of the next letter."""
    following = _HEADS_LIST.match(plain, end)
    return following is not None and ord(following[1]) == ord(letter) + 1


def stand_in(text: str, options: Iterable[str]) -> set[str]:
    """The letters of options that stand in ``text``."""
    return set(_ONE.findall(text)) & set(options)
