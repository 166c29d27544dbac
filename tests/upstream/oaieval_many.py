"""Run many evals in one process of upstream; executed by the interpreter of its environment, not imported.

    python oaieval_many.py JOBS.json

`JOBS.json` is a list of `{"arguments": [...command line...], "record_path": ..., "result_path": ...}`.
For each of them upstream's own `run` is called with its own parser's result, and `{"report": ...,
"error": ..., "seconds": ...}` is written to `result_path`. The events are in the record file, which is
complete when the result file exists.

Two things are done that a single `oaieval` does not need: the recorder's events are flushed at the end of
each run (upstream leaves that to the end of the process), and OpenAI clients are shared (upstream builds
one for each request).
"""

from __future__ import annotations

import atexit
import functools
import json
import logging
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import evals.cli.oaieval as oaieval
import evals.completion_fns.openai as openai_fns
import evals.eval
import evals.registry

_RECORDERS: list[Any] = []
_build_recorder = oaieval.build_recorder


def _remember_recorder(*args: Any, **kwargs: Any) -> Any:
    recorder = _build_recorder(*args, **kwargs)
    atexit.unregister(recorder.flush_events)
    _RECORDERS.append(recorder)
    return recorder


def _run(job: dict[str, Any], registries: dict[tuple[str, ...], Any]) -> dict[str, Any]:
    arguments = oaieval.get_parser().parse_args([*job["arguments"], "--record_path", job["record_path"]])
    paths = tuple(arguments.registry_path or ())
    if paths not in registries:
        registries[paths] = evals.registry.Registry()
        registries[paths].add_registry_paths(list(paths))
    arguments.registry_path = None
    evals.eval.set_max_samples(None)
    started = time.perf_counter()
    result: dict[str, Any] = {"report": None, "error": None}
    try:
        oaieval.run(arguments, registries[paths])
    except (Exception, SystemExit) as error:
        result["error"] = f"{type(error).__name__}: {error}"
        result["traceback"] = traceback.format_exc()
    for recorder in _RECORDERS:
        recorder.flush_events()
    _RECORDERS.clear()
    result["seconds"] = time.perf_counter() - started
    return result


def main() -> None:
    """Run the jobs of the file named on the command line."""
    logging.disable(logging.WARNING)
    oaieval.build_recorder = _remember_recorder
    openai_fns.OpenAI = functools.lru_cache(maxsize=None)(openai_fns.OpenAI)
    registries: dict[tuple[str, ...], Any] = {}
    for job in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")):
        result = _run(job, registries)
        if result["error"] is None:
            lines = Path(job["record_path"]).read_text(encoding="utf-8").split("\n")
            reports = [json.loads(line) for line in lines if line.startswith('{"final_report"')]
            result["report"] = reports[0]["final_report"]
        Path(job["result_path"]).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()
