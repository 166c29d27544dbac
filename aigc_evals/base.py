"""The plain types everything speaks: specs of the registry, the run, its events, outcomes and settings."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from enum import Enum
from pathlib import Path
from typing import Any

from aigc_evals.errors import UsageError

DEFAULT_SEED = 20220722
JUDGE_VARIABLE = "AIGC_EVALS_JUDGE"


class Outcome(str, Enum):
    """How a planned sample ended; every one ends in exactly one of these.

    ``scored``: answered and judged, right or wrong. ``refused``: the model or its filter declined. ``empty``: nothing
    was said. ``truncated``: the answer was cut by a length limit. ``unparsed``: no answer could be read out of what was
    said. ``judge_failed``: the grading model failed or gave no verdict. ``error``: the call or the eval's code failed.
    ``skipped``: never asked, because the run was stopped.
    """

    SCORED = "scored"
    REFUSED = "refused"
    EMPTY = "empty"
    TRUNCATED = "truncated"
    UNPARSED = "unparsed"
    JUDGE_FAILED = "judge_failed"
    ERROR = "error"
    SKIPPED = "skipped"


class JudgeRule(str, Enum):
    """How the judge of a run was chosen, the first of these that applies.

    ``eval_model``: the eval's own argument. ``judge``: ``--judge``. ``last``: of several completion functions.
    ``environment``: ``AIGC_EVALS_JUDGE``. ``itself``: the model under test.
    """

    EVAL_MODEL = "eval_model"
    NAMED = "judge"
    LAST = "last"
    ENVIRONMENT = "environment"
    ITSELF = "itself"


@dataclass
class CompletionFnSpec:
    """A completion function (or solver) of the registry."""

    cls: str
    args: dict[str, Any] | None = None
    key: str | None = None
    group: str | None = None


@dataclass
class BaseEvalSpec:
    """What a base eval says of itself; the first of ``metrics`` is the headline."""

    id: str | None = None
    metrics: Sequence[str] | None = None
    description: str | None = None
    disclaimer: str | None = None
    higher_is_better: bool = True
    key: str | None = None
    group: str | None = None


@dataclass
class EvalSpec:
    """One eval: its class, the constructor's arguments, and the registry its data belong to.

    ``made_by`` is the command that makes its data, for one whose data may not be there yet.
    """

    cls: str
    registry_path: Path
    args: dict[str, Any] | None = None
    key: str | None = None
    group: str | None = None
    made_by: str | None = None


@dataclass
class EvalSetSpec:
    """A named list of evals or patterns over their names."""

    evals: Sequence[str]
    key: str | None = None
    group: str | None = None


@dataclass
class RunSpec:
    """What identifies a run: the first line of its log."""

    completion_fns: list[str]
    eval_name: str
    base_eval: str
    split: str
    run_config: dict[str, Any]
    created_by: str
    run_id: str | None = None
    created_at: str | None = None

    def __post_init__(self) -> None:
        now = datetime.now(timezone.utc)
        if not self.run_id:
            suffix = base64.b32encode(os.urandom(5)).decode("ascii")
            self.run_id = now.strftime("%y%m%d%H%M%S") + suffix
        if not self.created_at:
            self.created_at = str(now)


@dataclass
class Event:
    """One line of a log. ``data`` is JSON-like; ``event_id`` counts from 0 in the order of the log."""

    run_id: str
    event_id: int
    sample_id: str | None
    type: str
    data: Any
    created_by: str
    created_at: str


@dataclass(frozen=True)
class Settings:
    """How a run asks: the effective settings of the engine and of every model call.

    ``concurrency`` is the number of calls in flight at one endpoint (None: adaptive up to ``max_concurrency``);
    ``timeout`` is seconds for one attempt; ``max_retries`` bounds the repeats of one call; with ``sequential`` a sample
    begins when the one before it has ended, whatever that waits for. ``judge`` (a name, or a function) grades where an eval
    names no judge itself, ``default_judge`` where there would be none but the model under test.
    """

    concurrency: int | None = None
    max_concurrency: int = 1000
    timeout: float = 300.0
    max_retries: int = 6
    progress: bool = True
    sequential: bool = False
    judge: Any = None
    default_judge: str | None = None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], **given: Any) -> Settings:
        """Settings from ``EVALS_*`` / ``AIGC_EVALS_*`` variables, overridden by what is ``given`` and not None."""
        values: dict[str, Any] = {}
        threads = _variable(environ, "THREADS")
        if threads is not None:
            values["concurrency"] = _number(threads, int, 1)
        if _truth(_variable(environ, "SEQUENTIAL"), False):
            values["concurrency"] = 1
            values["sequential"] = True
        timeout = _variable(environ, "THREAD_TIMEOUT")
        if timeout is not None:
            values["timeout"] = _number(timeout, float, 0.001)
        values["default_judge"] = environ.get(JUDGE_VARIABLE, "").strip() or None
        values["progress"] = _truth(_variable(environ, "SHOW_EVAL_PROGRESS"), True)
        values.update({key: value for key, value in given.items() if value is not None})
        return cls(**values)


@dataclass(frozen=True)
class _Found:
    name: str
    value: str


def _variable(environ: Mapping[str, str], suffix: str) -> _Found | None:
    for prefix in ("AIGC_EVALS_", "EVALS_"):
        if prefix + suffix in environ:
            return _Found(prefix + suffix, environ[prefix + suffix].strip())
    return None


def _truth(found: _Found | None, default: bool) -> bool:
    if found is None:
        return default
    return found.value.lower() not in ("", "0", "false", "no", "off")


def _number(found: _Found, kind: type[int] | type[float], least: float) -> float:
    try:
        number = kind(found.value)
    except ValueError:
        number = kind(0)
    if not least <= number < 1e9:
        raise UsageError(
            f"expected {'a whole number' if kind is int else 'seconds'} of at least {least:g}, got {found.value!r}",
            key=found.name,
        )
    return number


@dataclass
class RunResult:
    """What a run gives back.

    ``report`` is the final report; ``log_path`` is None for a dry run; ``problems`` says, one sentence each, why the
    run does not count as good; ``interrupted`` is set when a person stopped it.
    """

    report: dict[str, Any]
    run_id: str
    log_path: Path | None
    problems: list[str] = field(default_factory=list)
    interrupted: bool = False

    @property
    def exit_code(self) -> int:
        """0 good, 1 failed or over a limit, 130 interrupted with the log intact."""
        return 130 if self.interrupted else 1 if self.problems else 0
