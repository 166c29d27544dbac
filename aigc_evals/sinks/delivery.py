"""Delivers a log to one receiver: as a sink while the run goes on, or afterwards."""

from __future__ import annotations

import logging
import math
import threading
from pathlib import Path
from typing import Any

from aigc_evals.base import RunSpec
from aigc_evals.errors import UsageError
from aigc_evals.log import read_report, read_spec, require_spec
from aigc_evals.sinks import Delivery
from aigc_evals.sinks.carrier import Carrier, How
from aigc_evals.sinks.courier import Courier
from aigc_evals.sinks.ledger import event_lines

logger = logging.getLogger(__name__)

_PARTIAL_CLOSE_SECONDS = 2.0
_ABORT_SECONDS = 0.3
_TELL_SECONDS = 2.0
_FIRST_WORD_SECONDS = 5.0


class DeliverySink:
    """Delivers while the run goes on, in a thread that reads the log.

    ``close`` takes at most about ``close_seconds``, and much less when the receiver is dead. More than
    ``fail_percent_threshold`` percent undelivered is over the threshold.
    """

    def __init__(self, carrier: Carrier, how: How, *, fail_percent_threshold: float, close_seconds: float) -> None:
        self._carrier = carrier
        self._how = how
        self._threshold = fail_percent_threshold
        self._close_seconds = close_seconds
        self._courier: Courier | None = None
        self._thread: threading.Thread | None = None

    def open(self, log_path: Path, run_spec: RunSpec) -> None:
        """Begin; UsageError where the receiver says within a few seconds that it will never take anything."""
        # As it stands in the log: without secrets.
        spec = read_spec(log_path) or vars(run_spec)
        courier = self._courier = Courier(self._carrier, log_path, spec, self._how)
        name = f"aigc_evals-{self._carrier.name}"
        self._thread = threading.Thread(target=courier.run, name=name, daemon=True)
        self._thread.start()
        trouble = courier.first_word(_FIRST_WORD_SECONDS)
        if isinstance(trouble, UsageError):
            self.abort()
            raise trouble
        if trouble:
            logger.warning(
                "%s cannot be reached (%s); events stay in the log until it can", self._carrier.shown, trouble
            )

    def notify(self, events: int) -> None:
        if self._courier is not None:
            self._courier.notify(events)

    def close(self, report: Any) -> Delivery:
        """Deliver the rest and the report; a Ctrl-C ends the waiting and leaves the rest in the log.

        A run that was stopped early (its report is ``partial``) waits two seconds only: it is to be continued.
        """
        courier, thread = self._courier, self._thread
        if courier is None or thread is None:
            return Delivery(self._carrier.name, 0, 0, False)
        partial = isinstance(report, dict) and bool(report.get("partial"))
        seconds = min(self._close_seconds, _PARTIAL_CLOSE_SECONDS) if partial else self._close_seconds
        courier.finish(report, seconds)
        try:
            thread.join(min(seconds, _TELL_SECONDS))
            if thread.is_alive():
                logger.warning(
                    "still sending events to %s, for up to %.0f seconds; Ctrl-C leaves the rest in the log",
                    self._carrier.shown,
                    seconds,
                )
                # A little longer than the thread allows itself: a name server or a trickling reply can hold it up.
                thread.join(max(0.0, seconds - _TELL_SECONDS) + 1.0)
        except KeyboardInterrupt:
            logger.warning("not waiting for %s any longer", self._carrier.shown)
        self.abort()
        return courier.delivery(self._threshold)

    def abort(self) -> None:
        if self._courier is None or self._thread is None:
            return
        self._courier.stop()
        self._thread.join(_ABORT_SECONDS)
        self._courier.close()
        self._courier = self._thread = None


def deliver_log(log_path: str | Path, carrier: Carrier, how: How) -> Delivery:
    """Send what a receiver does not have of a log, its report included; says what this call delivered.

    Ends early when the receiver is dead, and can be called again. UsageError for what is not a log.
    """
    path = Path(log_path)
    spec = require_spec(path)
    if not spec.get("run_id"):
        raise UsageError("this is not the log of a run", path=path)
    report = read_report(path)
    how = how._replace(flush_seconds=0.0, whole=None if report else _end_of_samples(path))
    courier = Courier(carrier, path, spec, how)
    try:
        courier.finish(report, math.inf)
        courier.run()
        if courier.refusal is not None:
            raise courier.refusal
        return courier.delivery(0, replayed=True)
    finally:
        courier.close()


def at_least_one(batch_size: int, key: str) -> int:
    """``batch_size``; UsageError about ``key`` if there would be no batch."""
    if batch_size < 1:
        raise UsageError(f"must be at least 1, got {batch_size}", key=key)
    return batch_size


def _end_of_samples(path: Path) -> int | None:
    """Where the finished samples of an unfinished log end; None for a log that does not close its samples.

    What follows belongs to a sample that is asked again when the run is continued.
    """
    return max((line.end for line in event_lines(path) if line.type == "sample"), default=None)
