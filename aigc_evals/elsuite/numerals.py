"""The value of a number as it is written, in digits or in Chinese numerals. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

_DIGITS = {c: value for value, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "兩": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_MYRIADS = {"万": 10_000, "萬": 10_000, "亿": 100_000_000, "億": 100_000_000}
_CAPITALS = str.maketrans("壹贰叁肆伍陆柒捌玖拾佰仟貳參陸負", "一二三四五六七八九十百千二三六负")
_PLAIN = re.compile(r"-?[0-9]{1,60}(?:\.[0-9]{1,60})?")

NUMERALS = frozenset(_DIGITS) | set(_UNITS) | set(_MYRIADS) | set("壹贰叁肆伍陆柒捌玖拾佰仟貳參陸")
"""Characters that Chinese numbers are written with, capital numerals of cheques included."""
NEGATIVE = frozenset("负負")
"""Minus in words."""
MYRIADS = frozenset(_MYRIADS)
"""The units that digits are written with too: ``3万``."""


def number_value(parts: Sequence[str]) -> Decimal | None:
    """The value of a number given as words and single Chinese characters; None when they are anything else.

    ``120``, ``-3.50``, ``一百二十``, ``二〇二四`` (digit by digit), ``负三点五``, ``负5``, ``壹佰``, ``3万``. As it is said, ``一百二`` is
    120 and ``一万二`` is 12,000. Fractions, percentages and dates are none.
    """
    if not parts:
        return None
    head = Decimal(parts[0]) if _PLAIN.fullmatch(parts[0]) and parts[0].isascii() else None
    if head is not None:
        tail = parts[1:]
        if not all(part in _MYRIADS or part in _UNITS for part in tail) or len(tail) > 2:
            return None
        for part in tail:
            head *= _MYRIADS.get(part) or _UNITS[part]
        return head
    if parts[0] in NEGATIVE and _PLAIN.match("".join(parts[1:2])) and not parts[1].startswith("-"):
        value = number_value(parts[1:])
        return None if value is None else -value
    return chinese_number("".join(parts))


def percentage(parts: Sequence[str]) -> Decimal | None:
    """The number of a percentage given as ``number_value`` takes it: 50 of ``50%`` and of ``百分之五十``; None for anything else."""
    if parts[-1:] == ["%"]:
        return number_value(parts[:-1])
    negative = parts[:1] != [] and parts[0] in NEGATIVE
    rest = parts[1:] if negative else parts
    value = number_value(rest[3:]) if "".join(rest[:3]) == "百分之" else None
    return -value if negative and value is not None else value


def chinese_number(text: str) -> Decimal | None:
    """The value of a number in Chinese numerals, None when the text is not one as it is written: ``百十``, ``万一``."""
    text = text.translate(_CAPITALS)
    negative = text.startswith("负")
    whole, point, decimals = text.removeprefix("负").partition("点")
    value = _integer(whole)
    if value is None or (point and (not decimals or any(c not in _DIGITS for c in decimals))) or len(text) > 60:
        return None
    digits = "".join(str(_DIGITS[c]) for c in decimals)
    number = Decimal(f"{value}.{digits}" if digits else value)
    return -number if negative else number


def _integer(text: str) -> int | None:
    if text and all(c in _DIGITS for c in text):
        return int("".join(str(_DIGITS[c]) for c in text))
    total, rest, above = 0, text, None
    for units in ("亿億", "万萬"):
        place = max(rest.rfind(unit) for unit in units)
        if place < 0:
            continue
        head = _integer(rest[:place]) if units[0] == "亿" else _section(rest[:place])
        if not head:
            return None
        above = _MYRIADS[units[0]]
        total, rest = total + head * above, rest[place + 1 :]
    if not rest:
        return total if above else None
    tail = _section(rest)
    if tail is None:
        return None
    return total + (tail * above // 10 if above and len(rest) == 1 and rest in _DIGITS else tail)


def _section(text: str) -> int | None:
    """A number below ten thousand; a zero may stand where places are left out."""
    value, digit, limit, last = 0, None, 10_000, ""
    for place, c in enumerate(text):
        if c in _DIGITS:
            if digit:
                return None
            digit = _DIGITS[c]
        elif c in _UNITS and _UNITS[c] < limit and (digit or (c == "十" and last in ("", "零", "〇"))):
            value, digit, limit = value + (digit or 1) * _UNITS[c], None, _UNITS[c]
        else:
            return None
        if place == len(text) - 1 and digit and last in ("百", "千"):
            digit = digit * _UNITS[last] // 10
        last = c
    return value + (digit or 0) if text else None
