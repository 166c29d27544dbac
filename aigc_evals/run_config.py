"""``RunConfig``: everything that can be said about a run, and what of it makes no sense."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from aigc_evals.base import DEFAULT_SEED
from aigc_evals.errors import UsageError, nearest
from aigc_evals.models.search import ModelSource

_MAPPINGS = {
    "extra_eval_params": '{"num_few_shot": 2}',
    "completion_args": '{"temperature": 0.5}',
    "fail_under": '{"accuracy": 0.9}',
}
_OF_THE_COMMAND_LINE = {
    "debug": "Messages go to the logger aigc_evals: set its level.",
    "log_to_file": "Messages go to the logger aigc_evals: give it a handler.",
    "json": "The report is RunResult.report.",
    "junit": "The command line writes that file; aigc_evals.report.ci_output has what it uses.",
}
"""Flags that say what the command line does with messages and with the report, and what there is in Python."""


@dataclass(frozen=True)
class RunConfig:
    """Everything that can be said about a run; the flags of ``exec_aigc_evals`` have the same names and meanings.

    ``extra_eval_params`` override the arguments of the eval, ``completion_args`` those of the completion functions.
    ``cache`` answers requests that were made before from the cache on disk; ``repeats`` is how often each sample is asked.
    ``judge`` (a name, or a function) grades where an eval wants a judge and names none itself. ``models`` are Python files,
    modules or classes with models of the user's own (see ``NamedModel``).
    ``recorder`` names sinks that plugins offer, each as ``NAME`` or ``NAME=ARGUMENT``.
    ``max_invalid`` is the share of planned samples that may end without a score; ``fail_under`` maps metrics to the values
    below which the run fails. ``concurrency``, ``timeout`` (seconds per attempt), ``max_retries`` and ``progress`` override
    the ``EVALS_*`` environment variables when not None. Where several may be given, one alone may stand without a list.
    """

    extra_eval_params: Mapping[str, Any] = field(default_factory=dict)
    completion_args: Mapping[str, Any] = field(default_factory=dict)
    judge: str | Callable[..., Any] | None = None
    max_samples: int | None = None
    cache: bool = False
    repeats: int = 1
    visible: bool | None = None
    seed: int = DEFAULT_SEED
    user: str = ""
    record_path: str | Path | None = None
    registry_path: Sequence[str | Path] = ()
    models: Sequence[ModelSource] = ()
    local_run: bool = True
    http_run: bool = False
    http_run_url: str | None = None
    http_batch_size: int = 100
    http_fail_percent_threshold: float = 5
    sql_run: bool = False
    sql_run_url: str | None = None
    dry_run: bool = False
    dry_run_logging: bool = True
    recorder: Sequence[str] = ()
    resume: bool = False
    retry_errors: bool = False
    max_invalid: float = 1.0
    fail_under: Mapping[str, float] = field(default_factory=dict)
    concurrency: int | None = None
    timeout: float | None = None
    max_retries: int | None = None
    progress: bool | None = None
    command: str | None = None

    def __post_init__(self) -> None:
        for name, example in _MAPPINGS.items():
            if not isinstance(getattr(self, name), Mapping):
                raise UsageError(f"expected a mapping, got {getattr(self, name)!r}", key=name, hint=f"Say: {example}")
        for name in ("registry_path", "models", "recorder"):
            object.__setattr__(self, name, several(getattr(self, name)))
        if self.max_samples is not None and self.max_samples < 0:
            raise UsageError(f"must not be negative, got {self.max_samples}", key="max_samples")
        if not 0 <= self.max_invalid <= 1:
            raise UsageError(f"a share is between 0 and 1, got {self.max_invalid}", key="max_invalid")
        if self.concurrency is not None and self.concurrency < 1:
            raise UsageError(f"must be at least 1, got {self.concurrency}", key="concurrency")
        if self.timeout is not None and not 0 < self.timeout < 1e9:
            raise UsageError(f"must be more than 0 seconds and finite, got {self.timeout}", key="timeout")
        if self.max_retries is not None and self.max_retries < 0:
            raise UsageError(f"must not be negative, got {self.max_retries}", key="max_retries")
        if self.http_batch_size < 1:
            raise UsageError(f"must be at least 1, got {self.http_batch_size}", key="http-batch-size")
        if self.http_run and not self.http_run_url:
            raise UsageError("--http-run needs to know where to send events", key="http-run-url")
        if self.recorder and self.dry_run:
            raise UsageError("a dry run has no log that could be sent on", key="recorder")
        if self.repeats < 1:
            raise UsageError(f"must be at least 1, got {self.repeats}", key="repeats")
        if self.judge is not None and not self.judge:
            raise UsageError("expected the name of a completion function", key="judge")


def check_names(config: Mapping[str, Any]) -> None:
    """UsageError for what is no field of ``RunConfig``, with what a flag of the command line of that name is here."""
    known = [one.name for one in fields(RunConfig)]
    for name in config:
        if name not in known:
            hint = _OF_THE_COMMAND_LINE.get(name) or nearest(name, known)
            raise UsageError("a run has no such argument", key=name, hint=hint or f"It takes: {', '.join(known)}")


def several(value: Any) -> tuple[Any, ...]:
    """What was given as a list; one thing that stands alone is a list of one."""
    alone = isinstance(value, (str, Path, type)) or not isinstance(value, Iterable)
    return (value,) if alone else tuple(value)
