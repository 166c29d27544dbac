"""What takes batches of events to one kind of receiver, as the courier sees it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from aigc_evals.sinks.ledger import Batch, Ranges


class Known(NamedTuple):
    """What a receiver that can be asked has of a run: ids of events, and the ``digest`` of the report (None: none)."""

    events: Ranges
    report: str | None


class Answer(NamedTuple):
    """What came of an attempt: if not ``ok``, whether it may pass, why, and how many seconds the receiver wants.

    ``alive`` says that the receiver is there and will take it soon: it is waited for as long as there is time.
    """

    ok: bool
    passing: bool = False
    reason: str = ""
    wait: float = 0.0
    alive: bool = False
    known: Known | None = None


class Run(NamedTuple):
    """The run whose log is delivered; ``ids`` reads the ids of the events that the log holds.

    No event with an id of ``free_id`` or above has ever been announced in the ledger.
    """

    spec: dict[str, Any]
    log_path: Path
    ids: Callable[[], Ranges]
    free_id: int


class Carrier(Protocol):
    """The way to one receiver. It is used by one thread at a time, and for one log.

    ``key`` tells receivers apart (only its hash is kept), ``shown`` may be shown, ``flag`` is how ``replay`` is told.
    """

    name: str
    key: str
    shown: str
    flag: str

    def meet(self, run: Run) -> Answer:
        """Get to know the receiver, before anything is sent; repeated until it is ok.

        ``known`` in the answer goes before the ledger: a receiver that can be asked knows best what it has. Raises
        UsageError for what no repeat can mend.
        """

    def send(self, batch: Batch, body: bytes, seconds: float) -> Answer:
        """Deliver a batch, whose events ``body`` holds as a JSON array, within about ``seconds``."""

    def close(self) -> None:
        """Let go of connections; called at the end by the thread that used them."""


class How(NamedTuple):
    """How events are sent; ``whole`` is where the log ends for that matter (None: with the file)."""

    batch_size: int
    max_retries: int = 5
    flush_seconds: float = 1.0
    whole: int | None = None
