"""Where a run's events go besides its log.

A sink is told that the log has grown and reads the log itself, at its own pace, in a thread of its own: the log is the
spool. So no sink can slow the sampling or hold events in memory, and what it could not deliver is still in the log.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from aigc_evals.base import RunSpec

SQL_URL = "AIGC_EVALS_SQL_URL"
"""The environment variable that names the database where no flag does."""


@dataclass(frozen=True)
class Delivery:
    """How a sink did: events delivered and not, and whether the undelivered are more than it was told to bear."""

    name: str
    delivered: int
    failed: int
    over_threshold: bool
    message: str = ""


class Sink(Protocol):
    def open(self, log_path: Path, run_spec: RunSpec) -> None:
        """Begin; the log may already hold events of an earlier part of the run."""

    def notify(self, events: int) -> None:
        """The log now holds this many events; must return at once."""

    def close(self, report: Any) -> Delivery:
        """Deliver the rest and the report, within bounded time."""

    def abort(self) -> None:
        """Stop at once; the run will be continued later."""
