"""ADAPTER: the one place that knows how our runner is started. When its API changes, change this.

Assumed of the package:

* `aigc_evals.run(completion_fn, eval, *, registry, max_samples, record_path, extra_eval_params,
  completion_args)` runs one eval and returns an object with `.report`, `.log_path`, `.problems` (sentences);
* the log is JSONL: `{"spec": ...}`, events `{sample_id, type, data, ...}`, `{"final_report": ...}`;
* `aigc_evals.registry.Registry(paths)` resolves as upstream's does, `class` paths of upstream included.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .results import RunResult, read_log
from .selection import Case

if TYPE_CHECKING:
    from aigc_evals.testing import LoopbackServer

_MODELS = ("gpt-3.5-turbo", "gpt-3.5-turbo-16k", "gpt-4", "gpt-3.5-turbo-instruct")


def run_ours(
    case: Case,
    *,
    base_url: str,
    log: Path,
    table: dict[str, Any],
    registry_path: Sequence[Path],
    datasets: Path | None = None,
) -> RunResult:
    """Run one case with our runner against an endpoint; errors of the run are raised."""
    import aigc_evals

    variables = {"OPENAI_BASE_URL": base_url, "OPENAI_API_KEY": "not-a-key", "NO_PROXY": "127.0.0.1"}
    if datasets is not None:
        variables["AIGC_EVALS_TEST_DATASETS"] = str(datasets)
    with _environment(variables):
        result = aigc_evals.run(
            case.completion_fn,
            case.eval,
            max_samples=case.max_samples,
            registry=_registry(tuple(str(path) for path in registry_path)),
            record_path=str(log),
            extra_eval_params=_parameters(case.extra_eval_params),
            completion_args=_parameters(case.completion_args),
        )
    assert result.log_path is not None
    return RunResult(
        report=dict(result.report),
        per_sample=read_log(Path(result.log_path), table),
        error="; ".join(result.problems) or None,
    )


@functools.lru_cache(maxsize=4)
def _registry(paths: tuple[str, ...]) -> Any:
    """Our built-in registry and these: read once, because upstream's has 480 files."""
    from aigc_evals.registry import Registry

    registry = Registry()
    registry.add_registry_paths(list(paths))
    return registry


def _parameters(text: str) -> dict[str, int | str]:
    """`a=1,b=x` as the command line reads it (only whole numbers and words are used here)."""
    pairs = (part.split("=", 1) for part in text.split(",") if part)
    return {key: int(value) if value.isdigit() else value for key, value in pairs}


def run_quietly(completion_fn: str, eval_name: str, registry: Any, log: Path, max_samples: int) -> dict[str, Any]:
    """Run one eval without any endpoint; returns the report. A run that is not good is an error.

    Judge's replies that hold no choice are no error: `dummy` and the script are often asked to be judges.
    """
    import aigc_evals

    result = aigc_evals.run(completion_fn, eval_name, registry=registry, max_samples=max_samples, record_path=str(log))
    problems = [problem for problem in result.problems if "judge_failed" not in problem]
    if problems:
        raise RuntimeError("; ".join(problems))
    return dict(result.report)


def make_registry(paths: Sequence[Path]) -> Any:
    """Our resolver over these directories alone."""
    from aigc_evals.registry import Registry

    return Registry([str(path) for path in paths])


def serve(script: Path) -> LoopbackServer:
    """A server (not yet started) that answers by `reply` in the file `script`."""
    from aigc_evals.testing import LoopbackServer

    return LoopbackServer(script=f"{script}:reply", models=_MODELS)


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
