"""Arguments of constructors, checked: a UsageError names the one that is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aigc_evals.errors import UsageError


def mapping(key: str, value: Any) -> Mapping[Any, Any]:
    """``value`` where it is a mapping or nothing; UsageError for anything else."""
    if not isinstance(value or {}, Mapping):
        raise UsageError(f"expected a mapping, got {type(value).__name__}", key=key)
    return value or {}


def positive(key: str, value: Any) -> Any:
    """``value`` where it is a number above 0 or None; UsageError for anything else."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1e9):
        raise UsageError(f"expected a number above 0, got {value!r}", key=key)
    return value


def count(key: str, value: Any) -> int | None:
    """``value`` where it is a whole number, 0 or more, or None; UsageError for anything else."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
        raise UsageError(f"expected a whole number, 0 or more, got {value!r}", key=key)
    return value


def one_of(key: str, value: Any, allowed: tuple[str, ...]) -> str:
    """``value`` where it is among ``allowed``; UsageError for anything else."""
    if value not in allowed:
        raise UsageError(f"expected one of {', '.join(allowed)}, got {value!r}", key=key)
    return str(value)
