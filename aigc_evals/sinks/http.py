"""Sends a run's events to an HTTP receiver, in batches, from the log and never at the expense of the sampling.

A batch is a JSON array of events, POSTed under an ``Idempotency-Key`` that stays the same however often it is sent; the
final report follows as an event of type ``final_report``. What does not arrive stays in the log: ``replay`` sends it.
"""

from __future__ import annotations

import contextlib
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
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from aigc_evals import __version__
from aigc_evals.base import Event, RunSpec
from aigc_evals.errors import RunError, UsageError
from aigc_evals.failures import retry_after
from aigc_evals.fastjson import decode, encode
from aigc_evals.log import read_report, read_spec
from aigc_evals.redact import MARK
from aigc_evals.sinks import Delivery
from aigc_evals.sinks.ledger import Batch, Ledger, Spool, event_lines

if TYPE_CHECKING:
    import requests

logger = logging.getLogger(__name__)

_NAME = "http"
_FIRST_DELAY = 0.2
_LONGEST_DELAY = 30.0
_LONGEST_DELAY_AT_THE_END = 1.0
_LONGEST_WAIT_ASKED_FOR = 60.0
_PATIENCE = 10
"""Failures in a row, no success between them, after which a receiver is taken for dead when a run waits for it."""
_PARTIAL_CLOSE_SECONDS = 2.0
_SHARE_FOR_REPORT = 0.1
_ABORT_SECONDS = 0.3
_TELL_SECONDS = 2.0
_READ_OF_REPLY = 1 << 16
_PASSING = frozenset({408, 429})
_NOT_OF_THE_RUN = frozenset({"delivery", "problems"})
"""Keys that a report gets after it was delivered."""


class HttpSink:
    """Delivers to ``url`` while the run goes on, in a thread that reads the log.

    ``timeout`` is seconds for one request, ``max_retries`` bounds its repeats before the batch is put aside until the end.
    A batch that is not full goes after ``flush_seconds``. ``close`` takes at most about ``close_seconds``, and much
    less when the receiver is dead. More than ``fail_percent_threshold`` percent undelivered is over the threshold.
    """

    def __init__(
        self,
        url: str,
        *,
        batch_size: int = 100,
        fail_percent_threshold: float = 5,
        timeout: float = 10.0,
        max_retries: int = 5,
        flush_seconds: float = 1.0,
        close_seconds: float = 30.0,
    ) -> None:
        check_url(url, "http-run-url")
        self._url = url
        self._threshold = fail_percent_threshold
        self._close_seconds = close_seconds
        self._how = _How(_at_least_one(batch_size), timeout, max_retries, flush_seconds)
        self._courier: _Courier | None = None
        self._thread: threading.Thread | None = None

    def open(self, log_path: Path, run_spec: RunSpec) -> None:
        courier = _Courier(self._url, log_path, vars(run_spec), self._how)
        self._courier = courier
        self._thread = threading.Thread(target=courier.run, name="aigc_evals-http", daemon=True)
        self._thread.start()

    def notify(self, events: int) -> None:
        if self._courier is not None:
            self._courier.notify(events)

    def close(self, report: Any) -> Delivery:
        """Deliver the rest and the report; a Ctrl-C ends the waiting and leaves the rest in the log.

        A run that was stopped early (its report is ``partial``) waits two seconds only: it is to be continued.
        """
        courier, thread = self._courier, self._thread
        if courier is None or thread is None:
            return Delivery(_NAME, 0, 0, False)
        partial = isinstance(report, dict) and bool(report.get("partial"))
        seconds = min(self._close_seconds, _PARTIAL_CLOSE_SECONDS) if partial else self._close_seconds
        courier.finish(report, seconds)
        try:
            thread.join(min(seconds, _TELL_SECONDS))
            if thread.is_alive():
                logger.warning(
                    "still sending events to %s, for up to %.0f seconds; Ctrl-C leaves the rest in the log",
                    masked(self._url),
                    seconds,
                )
                # A little longer than the thread allows itself: a name server or a trickling reply can hold it up.
                thread.join(max(0.0, seconds - _TELL_SECONDS) + 1.0)
        except KeyboardInterrupt:
            logger.warning("not waiting for %s any longer", masked(self._url))
        courier.stop()
        thread.join(_ABORT_SECONDS)
        courier.close()
        self._courier = self._thread = None
        return courier.delivery(self._threshold)

    def abort(self) -> None:
        if self._courier is None or self._thread is None:
            return
        self._courier.stop()
        self._thread.join(_ABORT_SECONDS)
        self._courier.close()
        self._courier = self._thread = None


def replay(
    log_path: str | Path, url: str, *, batch_size: int = 100, timeout: float = 10.0, max_retries: int = 5
) -> Delivery:
    """Send what the receiver at ``url`` does not have of a log, its report included; says what this call delivered.

    Ends early when the receiver is dead, and can be called again. UsageError for what is not a log or not an address.
    """
    check_url(url, "url")
    path = Path(log_path)
    if not path.is_file():
        raise UsageError("no such log", path=path)
    spec = read_spec(path)
    if spec is None or not spec.get("run_id"):
        raise UsageError("this is not the log of a run", path=path)
    report = read_report(path)
    how = _How(_at_least_one(batch_size), timeout, max_retries, 0.0, whole=None if report else _end_of_samples(path))
    courier = _Courier(url, path, spec, how)
    try:
        courier.finish(report, math.inf)
        courier.run()
        return courier.delivery(0, replayed=True)
    finally:
        courier.close()


class _How(NamedTuple):
    """How events are sent; ``whole`` is where the log ends for that matter (None: with the file)."""

    batch_size: int
    timeout: float
    max_retries: int
    flush_seconds: float
    whole: int | None = None


class _Answer(NamedTuple):
    ok: bool
    passing: bool = False
    reason: str = ""
    wait: float = 0.0


class _Silent(logging.Filter):
    """Keeps a URL's query, which may hold a password, out of the debugging messages of the HTTP library."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._query = urlsplit(url).query

    def filter(self, record: logging.LogRecord) -> bool:
        return not self._query or self._query not in record.getMessage()


class _Courier:
    """Takes the batches of one log to one receiver. ``run`` does the work, the other methods steer it from outside.

    A batch that fails waits its turn for the next attempt while others go on. Failures in a row slow everything down, so
    that a dead receiver is probed now and then by whatever is next. After ``max_retries`` repeats a batch is put aside
    and tried afresh once the run has ended.
    """

    def __init__(self, url: str, log_path: Path, spec: dict[str, Any], how: _How) -> None:
        self._url = url
        self._log_path = log_path
        self._spec = spec
        self._how = how
        self._ledger = Ledger(log_path, str(spec["run_id"]), url, masked(url))
        self._spool = Spool(log_path, self._ledger, how.batch_size, how.whole)
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
        self._session: requests.Session | None = None

    # -- from outside -------------------------------------------------------------------------------------------

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
        self._report = _as_sent(report)
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
        where = masked(self._url)
        message = ""
        if failed:
            command = shlex.join(["aigc_evals", "replay", str(self._log_path), "--url", where])
            why = f" ({self._reason})" if self._reason else ""
            message = f"{failed} of {total} events did not reach {where}{why}; they are in the log, and this sends them: {command}"
        elif replayed and not self._sent:
            message = f"{where} had all {total} events already."
        over = failed * 100 > threshold * total
        return Delivery(_NAME, self._sent if replayed else taken, failed, over, message)

    # -- the work -----------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Deliver; whatever goes wrong is told by ``delivery`` and ends nothing else."""
        silent = _Silent(self._url)
        chatter = logging.getLogger("urllib3.connectionpool")
        chatter.addFilter(silent)
        try:
            self._follow()
            if not self._halt.is_set():
                self._end()
        except (RunError, OSError) as error:
            self._reason = str(error)
        except Exception as error:
            self._reason = f"{type(error).__name__} while sending"
            logger.debug("the delivery failed", exc_info=True)
        finally:
            chatter.removeFilter(silent)
            if self._session is not None:
                self._session.close()

    def _follow(self) -> None:
        """Send batches as they fill, until the run has ended."""
        partial = False
        while not (self._closing or self._halt.is_set()):
            now = time.monotonic()
            if now < self._paused_until:
                self._wait(self._paused_until - now, math.inf)
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

    def _send(self, batch: Batch) -> None:
        if not batch.intended:
            self._ledger.intend(batch)
            batch.intended = True
        key = f"{self._spec['run_id']}-{batch.first}-{batch.last}"
        answer = self._post(key, self._spool.body(batch))
        if answer.ok:
            self._ledger.ack(batch)
            self._sent += batch.count
            self._misses, self._paused_until = 0, 0.0
            return
        self._reason = answer.reason
        logger.debug("batch %s failed: %s", key, answer.reason)
        if not answer.passing:
            self._aside.append(batch)
            return
        now = time.monotonic()
        self._misses += 1
        batch.attempts += 1
        batch.due = now + max(self._delay(batch.attempts), answer.wait)
        if self._misses > 1 or answer.wait:
            self._paused_until = now + max(self._delay(self._misses - 1), answer.wait)
        # At the end it is time and hope that are limited, not the attempts.
        put_aside = batch.attempts > self._how.max_retries and not self._closing
        (self._aside if put_aside else self._waiting).append(batch)

    def _delay(self, failures: int) -> float:
        longest = _LONGEST_DELAY_AT_THE_END if self._closing else _LONGEST_DELAY
        seconds = _FIRST_DELAY * 2.0 ** min(failures - 1, 20) if failures > 0 else 0.0
        return min(longest, seconds) * random.uniform(0.5, 1.0)

    def _report_batch(self) -> Batch | None:
        """The report as an event of its own, under the id it was sent with before if it was; None if it has arrived."""
        report = self._report
        if report is None:
            return None
        digest = hashlib.sha256(encode(report)).hexdigest()[:16]
        known = self._ledger.report_ids.get(digest)
        if known is not None and known in self._ledger.acked:
            self._report_sent_before = True
            return None
        self._spool.total()
        number = max(self._spool.next_id, self._ledger.free_id) if known is None else known
        spec = self._spec
        now = str(datetime.now(timezone.utc))
        event = Event(str(spec["run_id"]), number, None, "final_report", report, spec.get("created_by") or "", now)
        return Batch(number, number, 1, body=b"[" + encode(event) + b"]", report=digest)

    def _post(self, key: str, body: bytes) -> _Answer:
        import requests

        if self._session is None:
            self._session = requests.Session()
            self._session.headers.update(
                {"Content-Type": "application/json; charset=utf-8", "User-Agent": f"aigc_evals/{__version__}"}
            )
        timeout = max(0.05, min(self._how.timeout, self._deadline - time.monotonic()))
        try:
            with self._session.post(
                self._url,
                data=body,
                headers={"Idempotency-Key": key},
                timeout=timeout,
                # A redirected POST would become a GET.
                allow_redirects=False,
                stream=True,
            ) as reply:
                status, headers = reply.status_code, reply.headers
                # Read for the connection's sake; that the batch was taken is said by the status alone.
                with contextlib.suppress(Exception):
                    reply.raw.read(_READ_OF_REPLY, decode_content=False)
        # What these say themselves holds the URL, and so perhaps a password.
        except requests.Timeout:
            return _Answer(False, True, f"no reply within {timeout:.3g} s")
        except requests.exceptions.SSLError:
            return _Answer(False, True, "no secure connection")
        except requests.ConnectionError:
            return _Answer(False, True, "no connection")
        except (requests.RequestException, ValueError) as error:
            return _Answer(False, False, type(error).__name__)
        if 200 <= status < 300:
            return _Answer(True)
        if status in _PASSING or status >= 500:
            return _Answer(False, True, f"HTTP {status}", min(retry_after(headers) or 0.0, _LONGEST_WAIT_ASKED_FOR))
        return _Answer(False, False, f"HTTP {status}")


def _as_sent(report: Any) -> Any:
    """A report without what is added after it was sent: an event has one content, whenever it is sent."""
    report = decode(encode(report))
    return {key: report[key] for key in report if key not in _NOT_OF_THE_RUN} if isinstance(report, dict) else report


def masked(url: str) -> str:
    """``url`` fit to be shown: without its user, password and the values of its query."""
    parts = urlsplit(url)
    host = f"{MARK}@{parts.netloc.rpartition('@')[2]}" if "@" in parts.netloc else parts.netloc
    fields = (field.partition("=") for field in parts.query.split("&") if field)
    query = "&".join(f"{name}={MARK}" if equals else MARK for name, equals, _ in fields)
    return urlunsplit((parts.scheme, host, parts.path, query, ""))


def check_url(url: str, key: str) -> None:
    """UsageError unless ``url`` is an http or https address."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or any(character.isspace() for character in url):
        # Not shown: what is no URL cannot be freed of its password.
        raise UsageError("events are sent to an http:// or https:// address, and this is none", key=key)


def _at_least_one(batch_size: int) -> int:
    if batch_size < 1:
        raise UsageError(f"must be at least 1, got {batch_size}", key="http-batch-size")
    return batch_size


def _end_of_samples(path: Path) -> int | None:
    """Where the finished samples of an unfinished log end; None for a log that does not close its samples.

    What follows belongs to a sample that is asked again when the run is continued.
    """
    return max((line.end for line in event_lines(path) if line.type == "sample"), default=None)
