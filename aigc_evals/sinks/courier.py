"""Decides which batch of a log goes when: repeats what failed, slows down before a dead receiver, ends in bounded time."""

from __future__ import annotations

import hashlib
import logging
import math
import random
import shlex
import threading
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from aigc_evals.base import Event
from aigc_evals.errors import RunError, UsageError
from aigc_evals.fastjson import decode, encode
from aigc_evals.sinks import Delivery
from aigc_evals.sinks.carrier import Answer, Carrier, How, Known, Run
from aigc_evals.sinks.ledger import Batch, Ledger, Spool

logger = logging.getLogger(__name__)

_FIRST_DELAY = 0.2
_LONGEST_DELAY = 30.0
_LONGEST_DELAY_AT_THE_END = 1.0
_PATIENCE = 10
"""Failures in a row, no success between them, after which a receiver is taken for dead when a run waits for it."""
_SHARE_FOR_REPORT = 0.1
_NOT_OF_THE_RUN = frozenset({"delivery", "problems"})
"""Keys that a report gets after it was delivered."""


class Courier:
    """Takes the batches of one log to one receiver. ``run`` does the work, the other methods steer it from outside.

    A batch that fails waits its turn for the next attempt while others go on. Failures in a row slow everything down, so
    that a dead receiver is probed now and then by whatever is next. After ``max_retries`` repeats a batch is put aside
    and tried afresh once the run has ended.
    """

    def __init__(self, carrier: Carrier, log_path: Path, spec: dict[str, Any], how: How) -> None:
        self.refusal: UsageError | None = None
        self._carrier = carrier
        self._log_path = log_path
        self._spec = spec
        self._how = how
        self._ledger = Ledger(log_path, carrier.name, str(spec["run_id"]), carrier.key, carrier.shown)
        self._spool = Spool(log_path, self._ledger, how.batch_size, how.whole)
        self._run = Run(spec, log_path, self._spool.ids, self._ledger.free_id)
        self._met = False
        self._known: Known | None = None
        self._first_word = threading.Event()
        self._wake = threading.Event()
        self._wake_at: float = 0
        self._halt = threading.Event()
        self._closing = False
        self._deadline = math.inf
        self._report: Any = None
        self._waiting: list[Batch] = []
        self._aside: list[Batch] = []
        self._misses = 0
        self._paused_until = 0.0
        self._sent = 0
        self._report_sent_before = False
        self._reason = ""

    # -- from outside -------------------------------------------------------------------------------------------

    def first_word(self, seconds: float) -> UsageError | str | None:
        """What came of the first attempt to meet the receiver, once it is known: why it is of no use, or not there now."""
        if not self._first_word.wait(seconds):
            return "no answer yet"
        return self.refusal or (None if self._met else self._reason)

    def notify(self, events: int) -> None:
        """The log holds all events below this id. Costs next to nothing: it is called for every sample."""
        if events > self._spool.known:
            self._spool.known = events
        if events >= self._wake_at:
            self._wake_at = math.inf
            self._wake.set()

    def finish(self, report: Any, seconds: float) -> None:
        """Nothing more will come: deliver the rest and the report (None: there is none) within ``seconds``."""
        if self._how.whole is None:
            self._spool.known = math.inf
        self._report = as_sent(report)
        self._deadline = time.monotonic() + seconds
        self._closing = True
        self._wake.set()

    def stop(self) -> None:
        """End ``run`` at the next opportunity."""
        self._halt.set()
        self._wake.set()

    def close(self) -> None:
        """Let go of the ledger, even if ``run`` is stuck in a request."""
        self._ledger.close()

    def delivery(self, threshold: float, *, replayed: bool = False) -> Delivery:
        """How it went, once ``run`` has ended or been given up on."""
        total = self._spool.total() + (self._report is not None)
        taken = self._spool.taken_before + self._report_sent_before + self._sent
        failed = total - taken
        where = self._carrier.shown
        message = ""
        if failed:
            command = shlex.join(["aigc_evals", "replay", str(self._log_path), self._carrier.flag, where])
            why = f" ({self._reason})" if self._reason else ""
            message = f"{failed} of {total} events did not reach {where}{why}; they are in the log, and this sends them: {command}"
        elif not self._met:
            message = f"{where} could not be asked ({self._reason}); by what is noted beside the log it has all {total} events."
        elif replayed and not self._sent:
            message = f"{where} had all {total} events already."
        over = failed * 100 > threshold * total or (replayed and not self._met)
        return Delivery(self._carrier.name, self._sent if replayed else taken, failed, over, message)

    # -- the work -----------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Deliver; whatever goes wrong is told by ``delivery`` and ends nothing else."""
        try:
            self._follow()
            if not self._halt.is_set():
                self._end()
        except UsageError as error:
            self.refusal = error
            self._reason = error.message
        except (RunError, OSError) as error:
            self._reason = str(error)
        except Exception as error:
            self._reason = f"{type(error).__name__} while sending"
            logger.debug("the delivery failed", exc_info=True)
        finally:
            self._first_word.set()
            self._carrier.close()

    def _follow(self) -> None:
        """Send batches as they fill, until the run has ended."""
        partial = False
        while not (self._closing or self._halt.is_set()):
            now = time.monotonic()
            if now < self._paused_until:
                self._wait(self._paused_until - now, math.inf)
                continue
            if not self._met:
                self._meet()
                continue
            batch = self._due(now) or self._spool.cut(partial=partial)
            if batch is not None:
                partial = False
                self._send(batch)
                continue
            # What has not become a full batch by then goes as it is.
            due = min((batch.due for batch in self._waiting), default=math.inf) - now
            seconds = self._how.flush_seconds
            partial = self._wait(min(seconds, due), self._spool.next_id + self._how.batch_size) and seconds <= due

    def _end(self) -> None:
        """Send the rest, what was put aside, and the report."""
        self._waiting += self._aside
        self._aside = []
        for batch in self._waiting:
            batch.attempts, batch.due = 0, 0.0
        self._misses, self._paused_until = 0, 0.0
        now = time.monotonic()
        reserve = 0.0 if self._deadline == math.inf else _SHARE_FOR_REPORT * (self._deadline - now)
        self._drain(self._deadline - reserve, lambda: self._spool.cut(partial=True))
        report = self._report_batch()
        if report is not None:
            # A receiver that is given up on gets one more chance, any other as many as before.
            self._misses = min(self._misses, _PATIENCE - 1) if self._misses >= _PATIENCE else 0
            self._waiting, self._paused_until = [report], 0.0
            self._drain(self._deadline, lambda: None)

    def _drain(self, until: float, more: Callable[[], Batch | None]) -> None:
        """Send what ``more`` gives and what waits for another attempt, while there are time and hope."""
        while not self._halt.is_set():
            now = time.monotonic()
            if self._misses >= _PATIENCE:
                return
            if now >= until:
                self._reason = self._reason or "out of time"
                return
            if now < self._paused_until:
                self._halt.wait(min(self._paused_until, until) - now)
                continue
            if not self._met:
                self._meet()
                continue
            batch = more() or self._due(now)
            if batch is not None:
                self._send(batch)
            elif self._waiting:
                self._halt.wait(min(min(batch.due for batch in self._waiting), until) - now)
            else:
                return

    def _due(self, now: float) -> Batch | None:
        batch = min(self._waiting, key=lambda batch: batch.due, default=None)
        if batch is None or batch.due > now:
            return None
        self._waiting.remove(batch)
        return batch

    def _wait(self, seconds: float, events: float) -> bool:
        """Wait until the log holds all below ``events``, or the run ends; False if that came before ``seconds`` were over."""
        self._wake.clear()
        self._wake_at = events
        if self._closing or self._halt.is_set() or self._spool.known >= events:
            return False
        return not self._wake.wait(max(seconds, 0.0))

    def _meet(self) -> None:
        answer = self._carrier.meet(self._run)
        if answer.ok:
            self._met = True
            self._misses = 0
            self._known = answer.known
            if self._known is not None:
                self._ledger.acked = self._known.events
        else:
            self._reason = answer.reason
            self._missed(answer)
            self._paused_until = time.monotonic() + max(self._delay(self._misses), answer.wait)
        self._first_word.set()

    def _send(self, batch: Batch) -> None:
        if not batch.intended:
            self._ledger.intend(batch)
            batch.intended = True
        answer = self._carrier.send(batch, self._spool.body(batch), self._deadline - time.monotonic())
        if answer.ok:
            self._ledger.ack(batch)
            self._sent += batch.count
            self._misses, self._paused_until = 0, 0.0
            return
        self._reason = answer.reason
        logger.debug("batch %d-%d failed: %s", batch.first, batch.last, answer.reason)
        if not answer.passing:
            self._aside.append(batch)
            return
        now = time.monotonic()
        self._missed(answer)
        batch.attempts += 1
        batch.due = now + max(self._delay(batch.attempts), answer.wait)
        if self._misses > 1 or answer.wait:
            self._paused_until = now + max(self._delay(self._misses - 1), answer.wait)
        # At the end it is time and hope that are limited, not the attempts.
        put_aside = batch.attempts > self._how.max_retries and not self._closing
        (self._aside if put_aside else self._waiting).append(batch)

    def _missed(self, answer: Answer) -> None:
        self._misses += 1
        if answer.alive:
            self._misses = min(self._misses, _PATIENCE - 1)

    def _delay(self, failures: int) -> float:
        longest = _LONGEST_DELAY_AT_THE_END if self._closing else _LONGEST_DELAY
        seconds = _FIRST_DELAY * 2.0 ** min(failures - 1, 20) if failures > 0 else 0.0
        return min(longest, seconds) * random.uniform(0.5, 1.0)

    def _report_batch(self) -> Batch | None:
        """The report as an event of its own, under the id it was sent with before if it was; None if it has arrived."""
        report = self._report
        if report is None:
            return None
        mark = digest(encode(report))
        number = self._ledger.report_ids.get(mark)
        if self._known is not None:
            self._report_sent_before = self._known.report == mark
        else:
            self._report_sent_before = number is not None and number in self._ledger.acked
        if self._report_sent_before:
            return None
        total = self._spool.total()
        if number is None:
            number = max(self._spool.next_id, self._ledger.free_id)
        spec = self._spec
        now = str(datetime.now(timezone.utc))
        event = Event(str(spec["run_id"]), number, None, "final_report", report, spec.get("created_by") or "", now)
        return Batch(number, number, 1, body=b"[" + encode(event) + b"]", report=mark, total=total)


def as_sent(report: Any) -> Any:
    """A report without what is added after it was sent: an event has one content, whenever it is sent."""
    report = decode(encode(report))
    return {key: report[key] for key in report if key not in _NOT_OF_THE_RUN} if isinstance(report, dict) else report


def digest(report: bytes) -> str:
    """What tells one report, as JSON, from another."""
    return hashlib.sha256(report).hexdigest()[:16]
