"""What a check finds: rules, the problems they see, and findings as they are told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ERROR = "error"
WARNING = "warning"
SHOWN_LINES = 3
"""How many lines of a finding that repeats itself in a data file are named."""


@dataclass(frozen=True)
class Problem:
    """What a rule saw: lines and columns count from 1; ``severity`` is given where it is not the rule's usual one."""

    message: str
    line: int | None = None
    column: int | None = None
    hint: str | None = None
    severity: str | None = None


@dataclass(frozen=True)
class Rule:
    """One rule: its name, how bad it is (``error``: a run refuses or breaks; ``warning``: it runs, and the figure may mislead).

    ``function`` sees one thing of the rule's scope and gives the problems it has; ``matchers`` are the ways of scoring
    that a rule about golds is meant for (empty: all).
    """

    name: str
    severity: str
    function: Callable[..., Any]
    matchers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """One problem of a registry, with its place.

    ``key`` names the entry it belongs to. A problem of many rows of a data file is one finding: ``count`` says how many
    rows, ``lines`` are the first few of them, ``line`` the first.
    """

    rule: str
    severity: str
    message: str
    path: Path
    line: int | None = None
    column: int | None = None
    key: str | None = None
    hint: str | None = None
    count: int = 1
    lines: tuple[int, ...] = field(default=())

    @property
    def place(self) -> str:
        """``path:line:column``, as far as known."""
        return ":".join(str(part) for part in (self.path, self.line, self.column) if part is not None)

    def __str__(self) -> str:
        key = f"{self.key}: " if self.key else ""
        more = ""
        if self.count > 1:
            others = ", ".join(map(str, self.lines[1:]))
            more = f" ({self.count} rows; also line {others}{', ...' if self.count > len(self.lines) else ''})"
        text = f"{self.place}: {self.severity} [{self.rule}] {key}{self.message}{more}"
        return f"{text}\n    {self.hint}" if self.hint else text

    def as_dict(self) -> Mapping[str, Any]:
        """The finding as plain values, for JSON."""
        return {
            "rule": self.rule,
            "severity": self.severity,
            "path": str(self.path),
            "line": self.line,
            "column": self.column,
            "key": self.key,
            "message": self.message,
            "hint": self.hint,
            "count": self.count,
            "lines": list(self.lines) or ([] if self.line is None else [self.line]),
        }
