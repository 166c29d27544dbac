"""The bookkeeping of delivery: what a receiver has of a log, and which batch is next.

Beside a log lies ``LOG.delivery.jsonl``. Before a batch is first sent, a line with its first and last event id says so;
when the receiver has taken it, a second line with ``ok``. Whoever delivers the log later (a continued run, ``replay``)
sends what was announced and not taken in the same batches, hence under the same idempotency keys, and never again what
was taken. Lines carry the run's id, as a log may be replaced by another, and a hash of the receiver's URL, as that may
hold a password. Each kind of receiver has a ledger of its own (``LOG.delivery-sql.jsonl`` for databases), so that a log
can go to one of each at the same time. What a kind of receiver is, nothing here knows.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import threading
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from aigc_evals.errors import RunError
from aigc_evals.fastjson import decode_object, encode
from aigc_evals.log import LogFile

_OUR_EVENT = re.compile(
    rb'\{"run_id":"[^"\\]*","event_id":(\d+),"sample_id":(?:null|"(?:[^"\\]|\\.)*"),"type":"([^"\\]*)"'
)

_ENDINGS = {"http": ".delivery.jsonl", "sql": ".delivery-sql.jsonl"}
"""By kind of receiver."""


def ledger_path(log_path: Path, kind: str = "http") -> Path:
    """Where the deliveries of a log to one kind of receiver are kept."""
    return log_path.with_name(log_path.name + _ENDINGS[kind])


def first_free_id(log_path: Path, run_id: str) -> int:
    """One more than the highest event id of this run that any receiver may know (0 if none does).

    A log can lose events that were sent already: samples asked again, the report of a run that is continued.
    """
    ledgers = [ledger_path(log_path, kind) for kind in _ENDINGS]
    entries = (entry for path in ledgers for _, entry in _entries(path) if entry.get("run") == run_id)
    return max((entry["last"] + 1 for entry in entries if "last" in entry), default=0)


class Line(NamedTuple):
    """An event in a log, from byte ``start`` to ``end``; ``json`` is it as one line of valid JSON."""

    start: int
    end: int
    event_id: int
    type: str
    json: bytes


def event_lines(path: Path, offset: int = 0) -> Iterator[Line]:
    """The events from byte ``offset`` on, up to the report or a torn last line."""
    with path.open("rb") as file:
        file.seek(offset)
        for raw in file:
            if not raw.endswith(b"\n"):
                return
            start, offset = offset, offset + len(raw)
            ours = _OUR_EVENT.match(raw)
            if ours is not None:
                yield Line(start, offset, int(ours[1]), ours[2].decode("utf-8", "replace"), raw.rstrip())
                continue
            line = decode_object(raw)
            if line is not None and "final_report" in line:
                return
            if line is not None and "type" in line and isinstance(line.get("event_id"), int):
                yield Line(start, offset, line["event_id"], str(line["type"]), encode(line))


@dataclass
class Batch:
    """Events that are sent in one request: ``count`` of them, in bytes ``start`` to ``end`` of the log.

    ``attempts`` and ``due`` are the sender's: how many have failed, and when the next may be. ``intended`` says that the
    ledger has it. ``body`` and ``report`` are for the one batch that is not in the log: the final report as an event, and
    the digest that tells one report from another; ``total`` is how many events go before it.
    """

    first: int
    last: int
    count: int = 0
    start: int = 0
    end: int = 0
    intended: bool = False
    attempts: int = 0
    due: float = 0.0
    body: bytes | None = None
    report: str | None = None
    total: int = 0


class Ranges:
    """A set of whole numbers kept as ranges."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    def add(self, first: int, last: int) -> None:
        """Add ``first`` to ``last``, both included."""
        end = last + 1
        low = bisect_right(self._starts, first)
        if low and self._ends[low - 1] >= first:
            low -= 1
            first = self._starts[low]
        high = low
        while high < len(self._starts) and self._starts[high] <= end:
            end = max(end, self._ends[high])
            high += 1
        self._starts[low:high] = [first]
        self._ends[low:high] = [end]

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._starts, number)
        return at > 0 and number < self._ends[at - 1]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """The ranges in their order, as first and last."""
        return ((start, end - 1) for start, end in zip(self._starts, self._ends, strict=True))


class Ledger:
    """The deliveries of one run's log to one receiver; this process alone writes the file while it is open.

    ``receiver`` is the URL in a form that may be shown. Raises UsageError where the file cannot be opened or another
    process is delivering the same log.
    """

    def __init__(self, log_path: Path, kind: str, run_id: str, url: str, receiver: str) -> None:
        self.acked = Ranges()
        self.free_id = 0
        self.report_ids: dict[str, int] = {}
        self._run = run_id
        self._url = hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        self._receiver = receiver
        self._introduced = False
        self._intents: list[tuple[int, int]] = []
        self._lock = threading.Lock()
        self._file: LogFile | None = LogFile.open(ledger_path(log_path, kind))
        try:
            self._load()
        except BaseException:
            self.close()
            raise

    def _load(self) -> None:
        if self._file is None:
            return
        whole = 0
        intents: set[tuple[int, int]] = set()
        for end, entry in _entries(self._file.path):
            whole = end
            if entry.get("run") != self._run:
                continue
            mine = entry.get("url") == self._url
            if "last" not in entry:
                self._introduced = self._introduced or mine
                continue
            batch = (entry["first"], entry["last"])
            self.free_id = max(self.free_id, entry["last"] + 1)
            if "report" in entry:
                self.report_ids.setdefault(entry["report"], entry["first"])
            if mine and entry.get("ok"):
                self.acked.add(*batch)
                intents.discard(batch)
            elif mine and "report" not in entry:
                intents.add(batch)
        self._intents = sorted(intents)
        # What a killed process left half written would swallow the next line.
        if whole < self._file.size:
            self._file.truncate(whole)

    def intent(self, event_id: int) -> tuple[int, int] | None:
        """The batch (first, last) that an earlier process announced with this event and did not see taken."""
        at = bisect_right(self._intents, (event_id, event_id)) if self._intents else 0
        for batch in self._intents[max(0, at - 1) : at + 1]:
            if batch[0] <= event_id <= batch[1]:
                return batch
        return None

    def intend(self, batch: Batch) -> None:
        """Announce a batch before it is first sent; RunError when that cannot be written down."""
        line: dict[str, Any] = {"run": self._run, "url": self._url, "first": batch.first, "last": batch.last}
        if batch.report is not None:
            line["report"] = batch.report
        with self._lock:
            if self._file is None:
                raise RunError("the delivery has ended")
            if not self._introduced:
                self._append({"run": self._run, "url": self._url, "receiver": self._receiver})
                self._introduced = True
            self._append(line)
            self.free_id = max(self.free_id, batch.last + 1)

    def ack(self, batch: Batch) -> None:
        """Note that the receiver has taken a batch."""
        with self._lock:
            self.acked.add(batch.first, batch.last)
            if self._file is not None:
                self._append({"run": self._run, "url": self._url, "first": batch.first, "last": batch.last, "ok": True})

    def _append(self, entry: dict[str, Any]) -> None:
        if self._file is not None:
            self._file.append(encode(entry) + b"\n")

    def close(self) -> None:
        """Let go of the file; nothing is left of it when nothing was ever sent."""
        with self._lock:
            if self._file is None:
                return
            file, self._file = self._file, None
            file.close()
            if not file.size:
                file.path.unlink(missing_ok=True)


class Spool:
    """Cuts what a receiver lacks of a log into batches, in the order of the log, while the log still grows.

    Of what stands in the file only whole appends count: what stood there at first, and events below ``known``. The rest
    may be the torn half of a write and never be part of the log.
    """

    def __init__(self, path: Path, ledger: Ledger, batch_size: int, whole: int | None = None) -> None:
        self.known: float = 0
        self.next_id = 0
        self.taken_before = 0
        self._path = path
        self._ledger = ledger
        self._size = batch_size
        self._whole = path.stat().st_size if whole is None else whole
        self._offset = 0
        self._passed = 0

    def cut(self, *, partial: bool) -> Batch | None:
        """The next batch; one of fewer than ``batch_size`` events only if ``partial`` or if what follows is not its own."""
        batch: Batch | None = None
        intent: tuple[int, int] | None = None
        for line in event_lines(self._path, self._offset):
            if line.end > self._whole and line.event_id >= self.known:
                break
            if line.event_id in self._ledger.acked:
                if batch is not None:
                    return self._taken(batch)
                self._offset, self.next_id = line.end, line.event_id + 1
                self.taken_before += 1
                self._passed += 1
                continue
            owner = self._ledger.intent(line.event_id)
            if batch is None:
                intent = owner
                first, last = owner or (line.event_id, line.event_id)
                batch = Batch(first, last, start=line.start, intended=owner is not None)
            elif owner != intent:
                return self._taken(batch)
            batch.count += 1
            batch.end = line.end
            batch.last = max(batch.last, line.event_id)
            if intent is None and batch.count >= self._size:
                return self._taken(batch)
        if batch is not None and (partial or intent is not None):
            return self._taken(batch)
        return None

    def _taken(self, batch: Batch) -> Batch:
        self._offset, self.next_id = batch.end, batch.last + 1
        self._passed += batch.count
        return batch

    def body(self, batch: Batch) -> bytes:
        """The batch as a JSON array, each event as it stands in the log."""
        if batch.body is not None:
            return batch.body
        parts = []
        for line in event_lines(self._path, batch.start):
            if line.end > batch.end:
                break
            parts.append(line.json)
        return b"[" + b",".join(parts) + b"]"

    def ids(self) -> Ranges:
        """The ids of all events that the log holds; reads it from the beginning."""
        found = Ranges()
        for line in event_lines(self._path):
            if line.end > self._whole and line.event_id >= self.known:
                break
            found.add(line.event_id, line.event_id)
        return found

    def total(self) -> int:
        """How many events there are, the receiver's and the rest; passes over what has not been cut."""
        # A log that is gone has nothing more to count.
        with contextlib.suppress(OSError):
            for line in event_lines(self._path, self._offset):
                if line.end > self._whole and line.event_id >= self.known:
                    break
                if line.event_id in self._ledger.acked:
                    self.taken_before += 1
                self._offset, self.next_id = line.end, line.event_id + 1
                self._passed += 1
        return self._passed


def _entries(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The readable lines of a ledger, each with the offset of its end; nothing where there is none."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        end = 0
        for raw in file:
            if not raw.endswith(b"\n"):
                return
            end += len(raw)
            entry = decode_object(raw)
            if entry is None or ("last" in entry and not _is_batch(entry)):
                continue
            yield end, entry


def _is_batch(entry: dict[str, Any]) -> bool:
    return all(isinstance(entry.get(key), int) for key in ("first", "last"))
