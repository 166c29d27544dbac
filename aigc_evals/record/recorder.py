"""``Recorder``: gathers the events of each sample, writes them, and reads them back."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aigc_evals.base import Event, Outcome, RunSpec
from aigc_evals.fastjson import decode, encode, without_keys
from aigc_evals.log import EventView, read_events
from aigc_evals.record.kinds import RecordMethods
from aigc_evals.record.run_log import RunLog
from aigc_evals.record.scope import SampleScope, current_scope, enter_scope, leave_scope
from aigc_evals.record.scores import ScoreTable
from aigc_evals.redact import Redactor
from aigc_evals.statistics.groups import GROUPS

if TYPE_CHECKING:
    from aigc_evals.sinks import Delivery, Sink


class _Clock:
    """The time as events carry it, ``2026-01-31 12:00:00.000000+00:00``; made once a second, but for the fraction."""

    def __init__(self) -> None:
        self._second = -1
        self._text = ""

    def now(self) -> str:
        second, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
        if second != self._second:
            self._second, self._text = (
                second,
                datetime.fromtimestamp(second, timezone.utc).strftime("%Y-%m-%d %H:%M:%S"),
            )
        return f"{self._text}.{nanoseconds // 1000:06}+00:00"


class Recorder(RecordMethods):
    """Records events of a run. ``path`` is the log (None: events stay in memory, for trying things out).

    ``sinks`` are told when the log has grown and deliver its events elsewhere; ``on_events`` sees the events of each
    sample as they are committed; ``hidden_data_fields`` are keys never written; ``redactor`` masks secrets. Samples of a
    log that is continued are asked again where they ended in one of ``retry_outcomes``.
    """

    def __init__(
        self,
        run_spec: RunSpec | None,
        *,
        path: str | Path | None = None,
        hidden_data_fields: Sequence[str] = (),
        redactor: Redactor | None = None,
        sinks: Sequence[Sink] = (),
        on_events: Callable[[list[Event]], None] | None = None,
        retry_outcomes: Sequence[str] = (),
    ) -> None:
        self.run_spec = run_spec
        self.path = None if path is None else Path(path)
        self.scores = ScoreTable()
        self.planned = 0
        self.deliveries: list[Delivery] = []
        self._hidden = frozenset(hidden_data_fields)
        self._redactor = redactor
        self._unopened = list(sinks)
        self._sinks: list[Sink] = []
        self._on_events = on_events
        self._retry_outcomes = tuple(retry_outcomes)
        self._log: RunLog | None = None
        self._memory: list[Event] = []
        self._counts: Counter[str] = Counter()
        self._next_id = 0
        self._pass = 0
        self._finished: dict[int, list[str]] = {}
        self._paused: set[str | None] = set()
        self._clock = _Clock()
        self._lock = threading.RLock()
        self._ended = False

    # -- the life of a log --------------------------------------------------------------------------------------

    def start(
        self, planned: int, data: Mapping[str, Any] | None = None, finished: Callable[[str], None] | None = None
    ) -> None:
        """Open the log for a pass over ``planned`` samples of ``data`` (what was read, with checksums).

        An existing log of the same run is continued: ``finished`` is called with the id of each sample it holds of this
        pass (an eval may make several). A log of anything else is refused with a UsageError that names the differences.
        """
        if self.run_spec is not None and data:
            self.run_spec.run_config.setdefault("data", {}).update(data)
        if self.planned == 0:
            self._open(finished)
        self.planned += planned
        self._pass += 1
        for sample_id in self._finished.pop(self._pass, ()):
            if finished is not None:
                finished(sample_id)

    def _open(self, finished: Callable[[str], None] | None = None) -> None:
        if self.path is None or self.run_spec is None or (self._log is not None and self._log.is_open):
            return

        def take_in(sample: list[Event]) -> None:
            self._take_in(sample)
            sample_id, number = sample[-1].sample_id, sample[-1].data.get("pass", 1)
            if sample_id is None:
                return
            if number == 1 and finished is not None:
                finished(sample_id)
            else:
                self._finished.setdefault(number, []).append(sample_id)

        self._log = RunLog.open(self.path, self.run_spec, self._encode, take_in, self._retry_outcomes)
        self._next_id = self._log.first_id
        while self._unopened:
            sink = self._unopened.pop(0)
            self._sinks.append(sink)
            sink.open(self.path, self.run_spec)

    @property
    def complete(self) -> bool:
        """Whether the log held this whole run, its report included, and nothing has been added to it."""
        return self._log is not None and self._log.complete

    @property
    def previous_report(self) -> dict[str, Any]:
        """The report that an earlier part of this run ended with ({} where it did not end)."""
        return {} if self._log is None else self._log.previous_report

    def abandon(self) -> None:
        """Leave nothing behind of a run that never began: a log that it made and that holds no sample goes again."""
        if self._log is not None and not self._next_id:
            self._log.discard()
        self.close()

    def close(self) -> None:
        """Close the log without a report, as a run does that is to be continued."""
        self._ended = True
        sinks, self._sinks = self._sinks, []
        for sink in sinks:
            sink.abort()
        with self._lock:
            if self._log is not None:
                self._log.close()

    def sync(self) -> None:
        """Bring the log to the disk itself."""
        if self._log is not None:
            self._log.sync()

    def flush_events(self) -> None:
        """Upstream's name for ``sync``: events are in the file as soon as they are recorded."""
        self.sync()

    def deliver(self, final_report: Any) -> list[Delivery]:
        """Let the sinks send what is left, the report included; says how each of them did."""
        if self._sinks and self._log is not None and self._log.is_open:
            # Receivers get what the log gets: no secrets. A run that was complete may still have to be delivered.
            report = self.previous_report if self.complete else decode(self._encode(final_report))
            self.deliveries = [sink.close(report) for sink in self._sinks]
            self._sinks = []
        return self.deliveries

    def record_final_report(self, final_report: Any) -> None:
        """Write the report as the last line and close the log; sinks that have not yet been closed are served first."""
        if self.run_spec is None:
            return
        with self._lock:
            self._open()
            self.deliver(final_report)
            if self._log is not None:
                self._log.end(final_report, self.run_spec.run_id)
            self._ended = True

    # -- samples ------------------------------------------------------------------------------------------------

    def begin(self, sample_id: str) -> SampleScope:
        """A scope that gathers the events of one sample; the caller makes it current and hands it to ``end``."""
        return SampleScope(self, sample_id)

    def end(
        self,
        scope: SampleScope,
        outcome: Outcome,
        seconds: float,
        cluster: Any = None,
        groups: Mapping[str, str] | None = None,
    ) -> None:
        """Close a sample: its events and the closing ``sample`` event go to the log in one piece."""
        closing: dict[str, Any] = {"outcome": outcome.value, "seconds": round(seconds, 6), **scope.counts}
        if scope.usage:
            closing["usage"] = scope.usage
        if scope.notes:
            closing.update(scope.notes)
        if cluster is not None:
            closing["cluster"] = cluster
        if groups:
            closing[GROUPS] = dict(groups)
        if self._pass > 1:
            closing["pass"] = self._pass
        scope.closed = True
        events = scope.events
        events.append(self._event("sample", closing, scope.sample_id))
        self._commit(events)

    @contextlib.contextmanager
    def as_default_recorder(self, sample_id: str) -> Iterator[SampleScope]:
        """Within the block, ``record_*`` functions record into ``sample_id`` of this recorder."""
        scope = self.begin(sample_id)
        token = enter_scope(scope)
        try:
            yield scope
        finally:
            leave_scope(token)
            scope.closed = True
            self._commit(scope.events)

    def current_sample_id(self) -> str | None:
        scope = current_scope()
        return scope.sample_id if scope is not None and scope.recorder is self else None

    def pause(self) -> None:
        """Record nothing of the current sample until ``unpause``."""
        self._paused.add(self.current_sample_id())

    def unpause(self) -> None:
        self._paused.discard(self.current_sample_id())

    def is_paused(self, sample_id: str | None = None) -> bool:
        return bool(self._paused) and (sample_id or self.current_sample_id()) in self._paused

    # -- events -------------------------------------------------------------------------------------------------

    def record_event(self, type: str, data: Any = None, sample_id: str | None = None) -> None:
        """Record an event of any type; ValueError outside a sample when no ``sample_id`` is given."""
        if self.run_spec is None:
            return
        scope = current_scope()
        if scope is not None and scope.recorder is not self:
            scope = None
        if sample_id is None:
            if scope is None:
                raise ValueError("no sample to record into: pass sample_id or use as_default_recorder")
            sample_id = scope.sample_id
        if self._paused and sample_id in self._paused:
            return
        event = self._event(type, data, sample_id)
        if scope is None or scope.sample_id != sample_id:
            self._commit([event])
        elif not scope.closed:
            if type == "sampling":
                scope.sampled += 1
            scope.events.append(event)

    def _event(self, type: str, data: Any, sample_id: str | None) -> Event:
        spec = self.run_spec
        if spec is None:
            return Event("", 0, sample_id, type, data, "", "")
        return Event(spec.run_id or "", 0, sample_id, type, data, spec.created_by, self._clock.now())

    def _commit(self, events: list[Event]) -> None:
        if not events or self.run_spec is None:
            return
        with self._lock:
            if self._ended and self.path is not None:
                # What a late thread still records comes too late.
                return
            if self._log is None:
                self._open()
            number = self._next_id
            for event in events:
                event.event_id = number
                number += 1
            if self._log is not None:
                self._log.append(b"".join([self._encode(event) for event in events]))
            else:
                self._memory.extend(events)
            self._next_id = number
            self._take_in(events)
        if self._on_events is not None:
            self._on_events(events)
        for sink in self._sinks:
            sink.notify(number)

    def _take_in(self, events: list[Event]) -> None:
        self.scores.add(events)
        for event in events:
            self._counts[event.type] += 1

    def _encode(self, value: Any) -> bytes:
        """A line of the log: without what is hidden, secrets masked."""
        if isinstance(value, Event):
            # The fields of an event as a mapping: encoded three times as fast as the event.
            value = vars(value)
            if self._hidden:
                value = {**value, "data": without_keys(value["data"], self._hidden)}
        line = encode(value)
        return (line if self._redactor is None else self._redactor.line(line)) + b"\n"

    # -- reading back -------------------------------------------------------------------------------------------

    def get_events(self, type: str) -> Sequence[Event]:
        """The committed events of one type, in the order of the log."""
        path = self.path
        if path is None:
            return [event for event in self._memory if event.type == type]
        return EventView(lambda: read_events(path, type) if os.path.exists(path) else (), self._counts[type])

    def get_metrics(self) -> list[dict[str, Any]]:
        """The data of all ``metrics`` events."""
        return [event.data for event in self.get_events("metrics")]

    def get_scores(self, key: str) -> list[Any]:
        """The value of ``key`` of each ``metrics`` event; KeyError where one lacks it."""
        return [event.data[key] for event in self.get_events("metrics")]
