"""Run upstream's `oaieval` on many cases and read what it gave."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import environment
from .results import RunResult, read_log
from .selection import Case

_DRIVER = Path(__file__).with_name("oaieval_many.py")


def run_upstream(
    cases: Sequence[Case],
    *,
    base_url: str,
    work: Path,
    table: dict[str, Any],
    registry_path: Sequence[Path] = (),
    datasets: Path | None = None,
    timeout_seconds: float = 900,
) -> dict[Case, RunResult]:
    """Run the cases one after the other in one process of upstream.

    Args:
        cases: what to run; a case on which upstream fails gives a result with `error`.
        base_url: the OpenAI-compatible endpoint, with its `/v1`.
        work: an existing directory for logs and results.
        table: the answer table, to recognise judge prompts in the log.
        registry_path: further registries, as with `--registry_path`.
        datasets: the directory of the stand-in for Hugging Face datasets.
        timeout_seconds: limit for all cases together.
    """
    jobs: list[dict[str, Any]] = []
    for index, case in enumerate(cases):
        arguments = [case.completion_fn, case.eval, "--max_samples", str(case.max_samples)]
        for path in registry_path:
            arguments += ["--registry_path", str(path)]
        if case.extra_eval_params:
            arguments += ["--extra_eval_params", case.extra_eval_params]
        if case.completion_args:
            arguments += ["--completion_args", case.completion_args]
        jobs.append(
            {
                "arguments": arguments,
                "record_path": str(work / f"upstream-{index}.jsonl"),
                "result_path": str(work / f"upstream-{index}.json"),
            }
        )
    plan = work / "upstream-jobs.json"
    plan.write_text(json.dumps(jobs), encoding="utf-8")
    variables = environment.process_environment(base_url)
    if datasets is not None:
        variables["AIGC_EVALS_TEST_DATASETS"] = str(datasets)
    done = subprocess.run(
        [str(environment.python()), str(_DRIVER), str(plan)],
        capture_output=True,
        text=True,
        env=variables,
        timeout=timeout_seconds,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"upstream's process ended with {done.returncode}:\n{done.stderr[-4000:]}")
    results = {}
    for case, job in zip(cases, jobs, strict=True):
        result = json.loads(Path(job["result_path"]).read_text(encoding="utf-8"))
        failed = result["error"] is not None
        results[case] = RunResult(
            report=result["report"] or {},
            per_sample={} if failed else read_log(Path(job["record_path"]), table),
            error=result["error"],
            seconds=result["seconds"],
        )
    return results
