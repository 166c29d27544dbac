"""Recorders: what an eval writes its events to, and reads its scores back from.

``Recorder`` is the one recorder: it gathers the events of each sample, appends them to the log together when the sample
ends, keeps the numbers among them as columns (``record.scores``), and tells the sinks that the log has grown. Nothing but those
columns stays in memory; ``get_events`` reads the log again. ``LocalRecorder``, ``HttpRecorder`` and ``DummyRecorder``
are the same recorder with a log, with a log and a receiver, and with neither.

The functions at the end record into the sample that the caller is evaluating.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aigc_evals.base import Event as Event
from aigc_evals.base import RunSpec
from aigc_evals.record.recorder import Recorder as Recorder
from aigc_evals.record.scope import SampleScope as SampleScope
from aigc_evals.record.scope import current_scope as current_scope
from aigc_evals.redact import Redactor

logger = logging.getLogger(__name__)

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
