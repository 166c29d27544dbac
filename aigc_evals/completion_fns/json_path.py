"""Places in JSON, as ``choices[0].message.content``, and conditions on what is there. Pure; data, never code."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aigc_evals.errors import UsageError, nearest

_STEP = re.compile(r"""\[\s*(?:(-?\d+)|"([^"]*)"|'([^']*)')\s*\]|\.?([^.\[\]"']+)""")
_NUMBER = re.compile(r"-?\d+")
_SHOWN_KEYS = 8


class Nowhere(LookupError):
    """A path leads to nothing in this value; its text says where it ends."""


class JsonPath:
    """A path such as ``body.message``, ``choices[0].text``, ``data.0.text``, ``parts[-1]``, ``["a.b"].c``; ``.`` is all.

    A step that is a number is an index of a list and a key of an object, whichever it meets. ``key`` names the argument
    in the UsageError for what is no path.
    """

    def __init__(self, text: Any, key: str = "path") -> None:
        if not isinstance(text, str) or not text.strip():
            raise UsageError(f"expected a JSON path such as body.message, got {text!r}", key=key)
        self.text = text.strip()
        self._steps = tuple(_steps(self.text, key))

    def __repr__(self) -> str:
        return f"JsonPath({self.text!r})"

    def find(self, value: Any) -> Any:
        """What is there in ``value``; Nowhere where nothing is."""
        done = ""
        for step in self._steps:
            value = _into(value, step, done)
            done = _joined(done, step)
        return value

    def get(self, value: Any, default: Any = None) -> Any:
        """As ``find``, but ``default`` where nothing is."""
        try:
            return self.find(value)
        except Nowhere:
            return default


def _steps(text: str, key: str) -> list[str | int]:
    rest = text.removeprefix("$")
    if rest in ("", "."):
        return []
    steps: list[str | int] = []
    place = 0
    while place < len(rest):
        match = _STEP.match(rest, place)
        # A name that follows a bracket or another name needs its dot.
        if match is None or (match[4] is not None and place and not match[0].startswith(".")):
            raise UsageError(
                f"not a JSON path: {text!r}, from {rest[place:]!r} on",
                key=key,
                hint="As in: choices[0].message.content",
            )
        index, double, single, name = match.groups()
        if index is not None:
            steps.append(int(index))
        else:
            steps.append(next(part for part in (double, single, name) if part is not None))
        place = match.end()
    return steps


def _into(value: Any, step: str | int, done: str) -> Any:
    here = done or "the reply"
    if isinstance(value, dict):
        if str(step) in value:
            return value[str(step)]
        has = [str(name) for name in value]
        told = ", ".join(has[:_SHOWN_KEYS]) + (", ..." if len(has) > _SHOWN_KEYS else "")
        raise Nowhere(f"{here} has no {str(step)!r}, only: {told}" if has else f"{here} is an empty object")
    if isinstance(value, list):
        if isinstance(step, str) and not _NUMBER.fullmatch(step):
            raise Nowhere(f"{here} is a list and has no {step!r}")
        index = int(step)
        if not -len(value) <= index < len(value):
            raise Nowhere(f"{here} is a list of {len(value)} and has no [{index}]")
        return value[index]
    raise Nowhere(f"{here} is {kind_of(value)} and has no {str(step)!r}")


def _joined(done: str, step: str | int) -> str:
    if isinstance(step, int):
        return f"{done}[{step}]"
    return f"{done}.{step}" if done else step


def kind_of(value: Any) -> str:
    """What a JSON value is, for a message."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return json.dumps(value)
    names: Mapping[type, str] = {str: "a text", dict: "an object", list: "a list"}
    return names.get(type(value), "a number")


@dataclass(frozen=True)
class Condition:
    """What must be at a path: one of ``values``, or with None anything but null, false and nothing."""

    path: JsonPath
    values: tuple[Any, ...] | None

    @classmethod
    def of(cls, raw: Any, key: str) -> tuple[Condition, ...]:
        """The conditions of ``{path: code, equals: 0}``, where ``equals`` may be a list of what is allowed, or of a list of
        these; none for None. UsageError for anything else.
        """
        if raw is None:
            return ()
        if isinstance(raw, list):
            return tuple(condition for item in raw for condition in cls.of(item, key))
        if not isinstance(raw, Mapping) or "path" not in raw:
            raise UsageError("expected {path: ..., equals: ...}", key=key, hint="As in: {path: code, equals: [0, 200]}")
        for name in raw:
            if name not in ("path", "equals"):
                hint = nearest(str(name), ("path", "equals")) or "It has: path, equals"
                raise UsageError(f"a condition has no {name!r}", key=key, hint=hint)
        path = JsonPath(raw["path"], f"{key}.path")
        if "equals" not in raw:
            return (cls(path, None),)
        wanted = raw["equals"]
        values = tuple(wanted) if isinstance(wanted, list) else (wanted,)
        if not values:
            raise UsageError("the list of what is allowed is empty", key=f"{key}.equals")
        return (cls(path, values),)

    def holds(self, value: Any, missing: bool = False) -> bool:
        """Whether it is so in ``value``; ``missing`` where the path leads nowhere."""
        try:
            found = self.path.find(value)
        except Nowhere:
            return missing
        if self.values is None:
            return found is not None and found is not False
        # In Python True is 1; in JSON it is not.
        return any(found == wanted and isinstance(found, bool) == isinstance(wanted, bool) for wanted in self.values)

    def told(self, value: Any) -> str:
        """What is at the path, for a message."""
        try:
            found = json.dumps(self.path.find(value), ensure_ascii=False)
        except Nowhere:
            found = "not there"
        return f"{self.path.text} is {found if len(found) <= 80 else found[:80] + '...'}"
