"""Recorders: what an eval writes its events to, and reads its scores back from.

``Recorder`` is the one recorder: it gathers the events of each sample, appends them to the log together when the sample
ends, keeps the numbers among them as columns (``scores``), and tells the sinks that the log has grown. Nothing but those
columns stays in memory; ``get_events`` reads the log again. ``LocalRecorder``, ``HttpRecorder`` and ``DummyRecorder``
are the same recorder with a log, with a log and a receiver, and with neither.

The functions at the end record into the sample that the caller is evaluating.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aigc_evals.base import Event, Outcome, RunSpec
from aigc_evals.fastjson import decode, encode, without_keys
from aigc_evals.groups import GROUPS
from aigc_evals.log import EventView, LogFile, is_torn_spec, read_events
from aigc_evals.redact import Redactor
from aigc_evals.resume import continue_log
from aigc_evals.scope import SampleScope, current_scope, enter_scope, leave_scope
from aigc_evals.scores import ScoreTable
from aigc_evals.sinks.ledger import first_free_id

if TYPE_CHECKING:
    from aigc_evals.sinks import Delivery, Sink

logger = logging.getLogger(__name__)


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


class Recorder:
    """Records events of a run. ``path`` is the log (None: events stay in memory, for trying things out).

    ``sinks`` are told when the log has grown and deliver its events elsewhere; ``on_events`` sees the events of each
    sample as they are committed; ``hidden_data_fields`` are keys never written; ``redactor`` masks secrets.
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
        self._pass = 0
        self._finished: dict[int, list[str]] = {}
        self.deliveries: list[Delivery] = []
        self._hidden = frozenset(hidden_data_fields)
        self._redactor = redactor
        self._sinks = tuple(sinks)
        self._on_events = on_events
        self._retry_outcomes = tuple(retry_outcomes)
        self._file: LogFile | None = None
        self._memory: list[Event] = []
        self._next_id = 0
        self._counts: Counter[str] = Counter()
        self._lock = threading.RLock()
        self._paused: set[str | None] = set()
        self._created = False
        self._empty = False
        self._ended = False
        self._previous_report: dict[str, Any] = {}
        self._end: int | None = None
        self._clock = _Clock()

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
        if self.planned == 0 and self._file is None:
            self._open(finished)
        self.planned += planned
        self._pass += 1
        for sample_id in self._finished.pop(self._pass, ()):
            if finished is not None:
                finished(sample_id)

    def _open(self, finished: Callable[[str], None] | None = None) -> None:
        if self.path is None or self._file is not None or self.run_spec is None:
            return
        self._created = not self.path.exists()
        self._file = LogFile.open(self.path)
        try:
            if self._file.size and is_torn_spec(self.path):
                self._file.truncate(0)
            if self._file.size:
                self._take_up(finished)
            else:
                self._empty = True
                self._file.append(self._encode({"spec": asdict(self.run_spec)}))
        except BaseException:
            self._sinks = ()
            self.abandon()
            raise
        for sink in self._sinks:
            sink.open(self.path, self.run_spec)

    def _take_up(self, finished: Callable[[str], None] | None) -> None:
        if self.run_spec is None or self._file is None:
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

        spec = decode(self._encode(asdict(self.run_spec)))
        self._file, state = continue_log(self._file, spec, self._retry_outcomes, take_in)
        self._previous_report = state.report or {}
        # A report that is there already goes only when there is something to add to its run.
        self._end = state.end
        if not self.complete:
            self._make_room()
        self.run_spec.run_id = state.spec.get("run_id", self.run_spec.run_id)
        self.run_spec.created_at = state.spec.get("created_at", self.run_spec.created_at)
        # An id that a receiver knows belongs to the event it came with, even if that is no longer in the log.
        self._next_id = max(state.events, first_free_id(self._file.path, str(self.run_spec.run_id)))

    def _make_room(self) -> None:
        if self._end is not None and self._file is not None:
            self._file.truncate(self._end)
        self._end = None

    @property
    def complete(self) -> bool:
        """Whether the log held this whole run, its report included, and nothing has been added to it."""
        return self._end is not None and bool(self._previous_report) and not self._previous_report.get("partial")

    @property
    def previous_report(self) -> dict[str, Any]:
        """The report that an earlier part of this run ended with ({} where it did not end)."""
        return self._previous_report

    def abandon(self) -> None:
        """Leave nothing behind of a run that never began: a log that it made and that holds no sample goes again."""
        if self._file is not None and self.path is not None and self._empty and not self._next_id:
            with contextlib.suppress(OSError):
                self._file.truncate(0)
                if self._created:
                    self.path.unlink()
        self.close()

    def close(self) -> None:
        """Close the log without a report, as a run does that is to be continued."""
        self._ended = True
        for sink in self._sinks:
            sink.abort()
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    def sync(self) -> None:
        """Bring the log to the disk itself."""
        file = self._file
        if file is not None:
            file.sync()

    def flush_events(self) -> None:
        """Upstream's name for ``sync``: events are in the file as soon as they are recorded."""
        self.sync()

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

    # -- reading back -------------------------------------------------------------------------------------------

    def get_events(self, type: str) -> Sequence[Event]:
        """The committed events of one type, in the order of the log."""
        if self._file is None and self.path is None:
            return [event for event in self._memory if event.type == type]
        path = self.path
        return EventView(
            lambda: read_events(path, type) if path is not None and path.exists() else (), self._counts[type]
        )

    def get_metrics(self) -> list[dict[str, Any]]:
        """The data of all ``metrics`` events."""
        return [event.data for event in self.get_events("metrics")]

    def get_scores(self, key: str) -> list[Any]:
        """The value of ``key`` of each ``metrics`` event; KeyError where one lacks it."""
        return [event.data[key] for event in self.get_events("metrics")]

    # -- recording ----------------------------------------------------------------------------------------------

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

    def record_match(
        self, correct: bool, *, expected: Any = None, picked: Any = None, sample_id: str | None = None, **extra: Any
    ) -> None:
        """Whether what was ``picked`` is what was ``expected``; a list of exactly one expected value is unwrapped."""
        if not isinstance(correct, bool):
            raise TypeError(f"correct must be a bool, got {type(correct).__name__}: {correct!r}")
        if isinstance(expected, list) and len(expected) == 1:
            expected = expected[0]
        self.record_event("match", {"correct": correct, "expected": expected, "picked": picked, **extra}, sample_id)

    def record_embedding(self, prompt: Any, embedding_type: str, sample_id: str | None = None, **extra: Any) -> None:
        self.record_event("embedding", {"prompt": prompt, "embedding_type": embedding_type, **extra}, sample_id)

    def record_sampling(self, prompt: Any, sampled: Any, sample_id: str | None = None, **extra: Any) -> None:
        """What a model answered to ``prompt``."""
        self.record_event("sampling", {"prompt": prompt, "sampled": sampled, **extra}, sample_id)

    def record_function_call(
        self, name: str, arguments: Any, return_value: Any, sample_id: str | None = None, **extra: Any
    ) -> None:
        data = {"name": name, "arguments": arguments, "return_value": return_value, **extra}
        self.record_event("function_call", data, sample_id)

    def record_cond_logp(
        self, prompt: Any, completion: Any, logp: float, sample_id: str | None = None, **extra: Any
    ) -> None:
        data = {"prompt": prompt, "completion": completion, "logp": logp, **extra}
        self.record_event("cond_logp", data, sample_id)

    def record_pick_option(
        self, prompt: Any, options: Any, picked: Any, sample_id: str | None = None, **extra: Any
    ) -> None:
        self.record_event("pick_option", {"prompt": prompt, "options": options, "picked": picked, **extra}, sample_id)

    def record_raw(self, data: Any) -> None:
        self.record_event("raw_sample", data)

    def record_metrics(self, **kwargs: Any) -> None:
        """Numbers (and labels) of the current sample; every number becomes a metric of the report."""
        self.record_event("metrics", kwargs)

    def record_error(self, msg: str, error: BaseException | None = None, **kwargs: Any) -> None:
        data: dict[str, Any] = {"type": type(error).__name__, "message": msg if error is None else str(error)}
        if error is not None and msg:
            data["context"] = msg
        self.record_event("error", {**data, **kwargs})

    def record_extra(self, data: Any, sample_id: str | None = None) -> None:
        self.record_event("extra", data, sample_id)

    def deliver(self, final_report: Any) -> list[Delivery]:
        """Let the sinks send what is left, the report included; says how each of them did."""
        if self._sinks and self._file is not None:
            # Receivers get what the log gets: no secrets. A run that was complete may still have to be delivered.
            report = self._previous_report if self.complete else decode(self._encode(final_report))
            self.deliveries = [sink.close(report) for sink in self._sinks]
            self._sinks = ()
        return self.deliveries

    def record_final_report(self, final_report: Any) -> None:
        """Write the report as the last line and close the log; sinks that have not yet been closed are served first."""
        if self.run_spec is None:
            return
        with self._lock:
            self._open()
            self.deliver(final_report)
            if self._file is not None:
                if not self.complete:
                    self._file.append(self._encode({"final_report": final_report, "run_id": self.run_spec.run_id}))
                    self._file.sync()
                self._file.close()
                self._file = None
            self._ended = True

    # -- inside -------------------------------------------------------------------------------------------------

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
            if self._file is None and self.path is not None:
                self._open()
            number = self._next_id
            for event in events:
                event.event_id = number
                number += 1
            if self._file is not None:
                if self._end is not None:
                    self._make_room()
                self._file.append(b"".join([self._encode(event) for event in events]))
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
        if isinstance(value, Event):
            # The fields of an event as a mapping: encoded three times as fast as the event.
            value = vars(value)
            if self._hidden:
                value = {**value, "data": without_keys(value["data"], self._hidden)}
        line = encode(value)
        return (line if self._redactor is None else self._redactor.line(line)) + b"\n"


RecorderBase = Recorder


class LocalRecorder(Recorder):
    """A recorder with a log on disk."""

    def __init__(
        self, log_path: str | Path | None, run_spec: RunSpec, hidden_data_fields: Sequence[str] = (), **kwargs: Any
    ) -> None:
        super().__init__(run_spec, path=log_path, hidden_data_fields=hidden_data_fields, **kwargs)


class DummyRecorder(Recorder):
    """A recorder that writes no file; with ``log`` it prints each event, coloured by correctness."""

    def __init__(
        self,
        run_spec: RunSpec | None,
        log: bool = True,
        primary_metric: str = "accuracy",
        redactor: Redactor | None = None,
    ) -> None:
        from aigc_evals.sinks.console import EventPrinter

        super().__init__(run_spec, on_events=EventPrinter(primary_metric, redactor) if log else None)


class HttpRecorder(Recorder):
    """A recorder whose events also go to ``url`` in batches; all of them are in the local log in any case."""

    def __init__(
        self,
        url: str,
        run_spec: RunSpec,
        local_fallback_path: str | Path,
        fail_percent_threshold: float = 5,
        batch_size: int = 100,
        **kwargs: Any,
    ) -> None:
        from aigc_evals.sinks.http import HttpSink

        sink = HttpSink(url, batch_size=batch_size, fail_percent_threshold=fail_percent_threshold)
        super().__init__(run_spec, path=local_fallback_path, sinks=[sink], **kwargs)

    def record_final_report(self, final_report: Any) -> None:
        """As ever, with a warning when not everything has arrived (``deliveries`` has the figures)."""
        super().record_final_report(final_report)
        for delivery in self.deliveries:
            if delivery.failed:
                logger.warning("%s", delivery.message)


# -- recording into the current sample ------------------------------------------------------------------------------


def default_recorder() -> Recorder | None:
    """The recorder of the sample that the running code belongs to."""
    scope = current_scope()
    return None if scope is None else scope.recorder


def _here() -> Recorder:
    scope = current_scope()
    if scope is None:
        raise RuntimeError("nothing to record into: this code is not evaluating a sample (see as_default_recorder)")
    return scope.recorder


def current_sample_id() -> str | None:
    return _here().current_sample_id()


def record_match(correct: bool, *, expected: Any = None, picked: Any = None, **extra: Any) -> None:
    return _here().record_match(correct, expected=expected, picked=picked, **extra)


def record_embedding(prompt: Any, embedding_type: str, **extra: Any) -> None:
    return _here().record_embedding(prompt, embedding_type, **extra)


def record_sampling(prompt: Any, sampled: Any, **extra: Any) -> None:
    return _here().record_sampling(prompt, sampled, **extra)


def record_function_call(name: str, arguments: Any, return_value: Any, **extra: Any) -> None:
    return _here().record_function_call(name, arguments, return_value, **extra)


def record_cond_logp(prompt: Any, completion: Any, logp: float, **extra: Any) -> None:
    return _here().record_cond_logp(prompt, completion, logp, **extra)


def record_pick_option(prompt: Any, options: Any, picked: Any, **extra: Any) -> None:
    return _here().record_pick_option(prompt, options, picked, **extra)


def record_raw(data: Any) -> None:
    return _here().record_raw(data)


def record_metrics(**extra: Any) -> None:
    return _here().record_metrics(**extra)


def record_error(msg: str, error: BaseException | None = None, **extra: Any) -> None:
    return _here().record_error(msg, error, **extra)


def record_extra(data: Any) -> None:
    return _here().record_extra(data)


def record_event(type: str, data: Any = None, sample_id: str | None = None) -> None:
    return _here().record_event(type, data, sample_id)


def pause() -> None:
    return _here().pause()


def unpause() -> None:
    return _here().unpause()
