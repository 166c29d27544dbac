"""The sample that is being evaluated: where its events gather until it has ended."""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any

from aigc_evals.base import Event, Outcome

if TYPE_CHECKING:
    from aigc_evals.record import Recorder

_current: ContextVar[SampleScope | None] = ContextVar("aigc_evals_sample", default=None)


class SampleScope:
    """The sample being evaluated: its events so far and what its model calls have shown.

    ``outcome`` is set by an eval that knows how the sample ended; ``answer_flaw`` by the sampling wrapper when the answer
    was refused, empty or truncated, ``judge_flaw`` when that is so of the grading model's last reply. Once ``closed``,
    what a late thread still records is dropped.
    """

    __slots__ = (
        "answer_flaw",
        "asked",
        "closed",
        "counts",
        "events",
        "judge_flaw",
        "notes",
        "outcome",
        "recorder",
        "sample_id",
        "sampled",
        "usage",
    )

    def __init__(self, recorder: Recorder, sample_id: str) -> None:
        self.recorder = recorder
        self.sample_id = sample_id
        self.events: list[Event] = []
        self.outcome: Outcome | None = None
        self.answer_flaw: Outcome | None = None
        self.judge_flaw: Outcome | None = None
        self.counts: dict[str, int] = {}
        self.usage: dict[str, float] = {}
        self.notes: dict[str, Any] = {}
        self.asked: dict[bytes, int] | None = None
        self.sampled = 0
        self.closed = False

    def count(self, key: str, by: int = 1) -> None:
        """Add to one of the sample's counts (``requests``, ``retries``, ...), which its closing event carries."""
        self.counts[key] = self.counts.get(key, 0) + by


def enter_scope(scope: SampleScope) -> Token[SampleScope | None]:
    """Make ``scope`` the current sample of the running task or thread until ``leave_scope`` is called with the result."""
    return _current.set(scope)


def leave_scope(token: Token[SampleScope | None]) -> None:
    _current.reset(token)


def current_scope() -> SampleScope | None:
    """The sample that the running code belongs to, if any."""
    return _current.get()
