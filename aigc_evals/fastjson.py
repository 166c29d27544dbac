"""JSON for the log: any Python value to one line of UTF-8, and back.

``encode`` is for writing what a run saw, whatever it is; ``decode`` is for reading lines. ``data.jsondumps``
is the strict, configurable writer for user code.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Mapping
from datetime import date, time
from enum import Enum
from pathlib import PurePath
from typing import Any

import orjson

# Not orjson's own option for numpy: with it the first unknown type would load numpy, a tenth of a second.
_OPTIONS = orjson.OPT_NON_STR_KEYS
MAX_DEPTH = 250
"""Levels of nesting that ``encode`` writes as JSON; readers (orjson, jq, Python) give up not far above it."""

_DIGITS_TO_ZERO = bytes(48 if 48 <= i <= 57 else i for i in range(256))
_LONG_NUMBER = b"0" * 19


def encode(obj: Any) -> bytes:
    """``obj`` as one line of JSON (no line end), non-ASCII kept.

    Never raises: paths, dataclasses, pydantic models, arrays, sets, bytes and exceptions have a natural form,
    everything else becomes its ``str``. NaN and infinities become null; integers keep every digit. What is
    nested deeper than ``MAX_DEPTH`` is written as a string that holds its JSON; a container inside itself as
    "[circular]".
    """
    try:
        return orjson.dumps(obj, default=plain, option=_OPTIONS)
    except (TypeError, RecursionError):  # orjson.JSONEncodeError is a TypeError
        return _encode_slowly(obj, MAX_DEPTH).encode("utf-8")


def encode_text(obj: Any) -> str:
    """What ``encode`` writes, as text, for the screen and for prompts."""
    return encode(obj).decode("utf-8", "replace")


def decode(line: bytes | str) -> Any:
    """The value of a JSON text; integers of any length are exact, and NaN, infinities and lone surrogates
    accepted.

    Raises json.JSONDecodeError (a ValueError) for what is not JSON, UnicodeDecodeError for bytes that are not
    UTF-8, and RecursionError for nesting of about a thousand levels.
    """
    try:
        # orjson reads integers beyond 64 bits as floats, which would silently change the data.
        raw = line.encode("utf-8") if isinstance(line, str) else line
        if not has_long_number(raw):
            return orjson.loads(raw)
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        pass
    return json.loads(line if isinstance(line, str) else bytes(line).decode("utf-8-sig"))


def decode_object(line: bytes | str) -> dict[str, Any] | None:
    """The JSON object of a line; None for a line that is no JSON (half of one, say), or other JSON."""
    try:
        value = decode(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def without_keys(value: Any, hidden: frozenset[str]) -> Any:
    """A copy of a JSON value without these keys, at whatever depth they are."""
    if isinstance(value, dict):
        return {key: without_keys(item, hidden) for key, item in value.items() if key not in hidden}
    if isinstance(value, list):
        return [without_keys(item, hidden) for item in value]
    return value


def has_long_number(line: bytes) -> bool:
    """Whether a run of digits is so long that orjson would round the number."""
    return _LONG_NUMBER in line.translate(_DIGITS_TO_ZERO)


def plain(obj: Any) -> Any:
    """One step from any object towards JSON: a dict, list, string or number that stands for it. Never
    raises.
    """
    try:
        return _plain(obj)
    except Exception:
        return _text(obj)


def _plain(obj: Any) -> Any:
    if isinstance(obj, BaseException):
        return f"{type(obj).__name__}: {_text(obj)}"
    if isinstance(obj, PurePath):
        return obj.as_posix()
    if isinstance(obj, (bytes, bytearray, memoryview)):
        return bytes(obj).decode("utf-8", "backslashreplace")
    if isinstance(obj, (set, frozenset)):
        try:
            return sorted(obj)
        except TypeError:
            return sorted(obj, key=_text)
    if isinstance(obj, type):
        return _text(obj)
    if dataclasses.is_dataclass(obj):
        return {field.name: getattr(obj, field.name, None) for field in dataclasses.fields(obj)}
    if isinstance(obj, Enum):
        return obj.value
    if isinstance(obj, (date, time)):
        return obj.isoformat()
    if isinstance(obj, Mapping):
        return dict(obj)
    for name in ("model_dump", "tolist"):  # pydantic models; arrays and tensors of any library
        method = getattr(obj, name, None)
        if callable(method):
            return method()
    if isinstance(obj, (list, tuple, range)) or type(obj).__name__ in ("deque", "dict_keys", "dict_values"):
        return list(obj)
    return _text(obj)


def _text(obj: Any) -> str:
    try:
        return str(obj)
    except Exception:
        return f"<{type(obj).__name__}>"


class _Close:
    """On the work stack: the container ends here."""

    __slots__ = ("bracket", "ident")

    def __init__(self, bracket: str, ident: int) -> None:
        self.bracket = bracket
        self.ident = ident


class _Key(str):
    """On the work stack: text that is already JSON."""


def _encode_slowly(obj: Any, max_depth: int | None) -> str:
    """JSON for whatever orjson refuses, without recursion, so that no depth can exhaust the stack."""
    out: list[str] = []
    path: set[int] = set()
    # Values made along the way must outlive the walk: ``path`` tells containers apart by identity.
    alive: list[Any] = []
    stack: list[Any] = [obj]
    while stack:
        item = stack.pop()
        if type(item) is _Key:
            out.append(item)
            continue
        if type(item) is _Close:
            path.discard(item.ident)
            out.append(item.bracket)
            continue
        scalar = _scalar(item)
        if scalar is not None:
            out.append(scalar)
            continue
        if not isinstance(item, (dict, list, tuple)):
            if id(item) in path:
                out.append('"[circular]"')
                continue
            step = plain(item)
            alive.append(step)
            if isinstance(step, (dict, list)):
                path.add(id(item))
                stack.append(_Close("", id(item)))
            stack.append(step if _scalar(step) or isinstance(step, (dict, list, tuple)) else _text(step))
            continue
        if id(item) in path:
            out.append('"[circular]"')
            continue
        if max_depth is not None and len(path) >= max_depth:
            out.append(_string(_encode_slowly(item, None)))
            continue
        path.add(id(item))
        if isinstance(item, dict):
            out.append("{")
            stack.append(_Close("}", id(item)))
            entries = list(item.items())
            for i in range(len(entries) - 1, -1, -1):
                key, value = entries[i]
                stack.append(value)
                stack.append(_Key(f"{',' if i else ''}{_key(key)}:"))
        else:
            out.append("[")
            stack.append(_Close("]", id(item)))
            for i in range(len(item) - 1, -1, -1):
                stack.append(item[i])
                if i:
                    stack.append(_Key(","))
    return "".join(out)


def _scalar(item: Any) -> str | None:
    """JSON of a value without parts; None for everything else."""
    if item is None:
        return "null"
    if isinstance(item, Enum):
        return None
    if isinstance(item, str):
        return _string(str.__str__(item))
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, int):
        return _integer(item)
    if isinstance(item, float):
        return float.__repr__(item) if math.isfinite(item) else "null"
    return None


def _integer(number: int) -> str:
    try:
        return int.__repr__(number)
    except ValueError:  # Python limits the digits it converts, to bound the time
        return f'"{hex(number)}"'


def _string(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:  # a lone surrogate exists in JSON only as an escape
        return json.dumps(text)
    return _quote(text)


_quote: Callable[[str], str] = json.JSONEncoder(ensure_ascii=False).encode


def _key(key: Any) -> str:
    if isinstance(key, str) and not isinstance(key, Enum):
        return _string(str.__str__(key))
    scalar = _scalar(key)
    if scalar is None:
        step = plain(key)
        scalar = _scalar(step)
        if scalar is None:
            scalar = _string(_text(key))
    return scalar if scalar.startswith('"') else _string(scalar)
