"""``a=1,b=x`` on the command line -> a mapping."""

from __future__ import annotations

from typing import Any

from aigc_evals.errors import UsageError

_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None}


def parse_parameters(text: str, flag: str) -> dict[str, Any]:
    """The pairs of ``key=value,key=value``.

    A value is an int, else a float, else true / false / null, else text; it may contain ``=``, and commas inside quotes
    (single or double; quotes make it text). UsageError where a part has no ``=``.
    """
    pairs: dict[str, Any] = {}
    for part in _split(text, flag):
        key, equals, value = part.partition("=")
        if not equals or not key.strip():
            raise UsageError(f"expected key=value, got {part!r}", key=flag)
        pairs[key.strip()] = _value(value)
    return pairs


def _split(text: str, flag: str) -> list[str]:
    parts: list[str] = []
    part, quote = "", ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"" and part.endswith("="):
            quote = character
        elif character == ",":
            parts.append(part)
            part = ""
            continue
        part += character
    if quote:
        raise UsageError(f"the quote {quote} is not closed in {text!r}", key=flag)
    return [part for part in [*parts, part] if part.strip()]


def _value(text: str) -> Any:
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return _WORDS.get(text.lower(), text)
