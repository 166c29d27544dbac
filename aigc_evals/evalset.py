"""Many runs in one process: an eval set over one (or several) completion functions, resumable from its logs alone."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from aigc_evals.base import EvalSpec, RunResult
from aigc_evals.columns import table
from aigc_evals.errors import AigcEvalsError, UsageError
from aigc_evals.files import is_folder, is_there
from aigc_evals.log.names import default_log_dir, find_log, is_finished, log_name
from aigc_evals.log.resume import DifferentRunError
from aigc_evals.made_data import command_of_set, lacking, lacking_in_set
from aigc_evals.registry import Registry
from aigc_evals.report import headline_row
from aigc_evals.run_config import check_names, several
from aigc_evals.runner import names_of, run


@dataclass
class SetResult:
    """What an eval set gives back: the evals of the set, per eval its result, and what could not run at all.

    ``already`` are those that were finished before; ``not_made`` names, for those of ``failures`` that lack data which a
    command makes, that command, and ``make_all`` the one for all of them.
    """

    evals: list[str] = field(default_factory=list)
    results: dict[str, RunResult] = field(default_factory=dict)
    failures: dict[str, AigcEvalsError] = field(default_factory=dict)
    already: list[str] = field(default_factory=list)
    not_made: dict[str, str] = field(default_factory=dict)
    make_all: str = ""

    @property
    def exit_code(self) -> int:
        """The worst of the runs: 130 when interrupted, 2 when one could not begin, 1 when one failed, else 0."""
        codes = [result.exit_code for result in self.results.values()]
        if 130 in codes:
            return 130
        if self.failures:
            return 2 if any(isinstance(error, UsageError) for error in self.failures.values()) else 1
        return max(codes, default=0)


def evals_of(registry: Registry, eval_set: str) -> list[EvalSpec]:
    """The evals of a set, each once, in the registry's order; UsageError where it comes to nothing."""
    spec = registry.eval_set(eval_set)
    evals = list(registry.get_evals(spec.evals))
    if not evals:
        raise UsageError(f"no eval matches any name of the set {eval_set!r}: {', '.join(spec.evals)}")
    return evals


def run_set(
    completion_fn: str,
    eval_set: str,
    *,
    registry: Registry | None = None,
    environ: Mapping[str, str] | None = None,
    resume: bool = True,
    exit_on_error: bool = True,
    on_start: Callable[[int, int, EvalSpec], None] | None = None,
    on_end: Callable[[EvalSpec, RunResult | AigcEvalsError], None] | None = None,
    **config: Any,
) -> SetResult:
    """Run every eval of a set, one after another.

    ``record_path`` names a folder here, one log per eval. With ``resume`` an eval's newest log there is continued; a
    finished one is only read. With ``exit_on_error`` the first eval that fails ends the set. Evals whose data has not been
    made are told before anything is asked: they end the set, or are left out. ``config`` as for ``run``.
    """
    check_names(config)
    registry = registry or Registry()
    more: Sequence[str | Path] = several(config.pop("registry_path", ()))
    registry.add_registry_paths(more)
    evals = evals_of(registry, eval_set)
    done = SetResult([str(spec.key) for spec in evals])
    folder = Path(config.pop("record_path", None) or default_log_dir())
    if is_there(folder, key="record_path") and not is_folder(folder):
        raise UsageError("a set writes one log per eval, so this must be a folder", path=folder, key="record_path")
    without = _without_data(evals, config.get("extra_eval_params") or {})
    if without and exit_on_error:
        raise lacking_in_set([spec for spec in evals if spec.key in without], eval_set, more)
    done.failures.update(without)
    done.not_made = {str(spec.key): str(spec.made_by) for spec in evals if spec.key in without}
    done.make_all = command_of_set(eval_set, more)
    for spec in evals:
        if spec.key in without and on_end is not None:
            on_end(spec, without[spec.key])
    for number, spec in enumerate(evals):
        if spec.key in without:
            continue
        if on_start is not None:
            on_start(number, len(evals), spec)
        try:
            result = _run_one(
                completion_fn, spec, folder, registry, os.environ if environ is None else environ, resume, done, config
            )
        except AigcEvalsError as error:
            done.failures[str(spec.key)] = error
            if on_end is not None:
                on_end(spec, error)
            if exit_on_error:
                break
            continue
        done.results[str(spec.key)] = result
        if on_end is not None:
            on_end(spec, result)
        if result.interrupted or (exit_on_error and result.exit_code):
            break
    return done


def _without_data(evals: Sequence[EvalSpec], extra: Mapping[str, Any]) -> dict[str, UsageError]:
    """The evals that lack data which a command makes, each with the error that names it."""
    found = {
        str(spec.key): lacking(replace(spec, args={**(spec.args or {}), **extra}), str(spec.key)) for spec in evals
    }
    return {key: error for key, error in found.items() if error is not None}


def render_set(done: SetResult) -> str:
    """One line per eval of the set as a table for a terminal: its headline with interval and n, or what became of it
    (``render_failures`` says why).
    """
    head = ("eval", "metric", "value", "95 % interval", "n", "")
    rows = [head]
    for key in done.evals:
        if key in done.results:
            result = done.results[key]
            told = "stopped" if result.interrupted else "failed" if result.problems else ""
            rows.append((key, *headline_row(result.report), told))
        else:
            told = "no data" if key in done.not_made else "failed" if key in done.failures else "not run"
            rows.append((key, "-", "-", "-", "-", told))
    return "\n".join(table(rows))


def render_failures(done: SetResult) -> str:
    """The evals that failed, each with its reason and what to do, and those whose data has not been made; "" for none."""
    failed = {key: str(error) for key, error in done.failures.items() if key not in done.not_made}
    failed |= {
        key: _problem(result) for key, result in done.results.items() if result.problems and not result.interrupted
    }
    lines = [f"failed: {len(failed)} of {len(done.evals)} evals"] if failed else []
    for key in sorted(failed, key=done.evals.index):
        lines += f"  {key}: {failed[key]}".replace("\n", "\n    ").split("\n")
    if done.not_made:
        lines.append(f"no data, which a command makes: {len(done.not_made)} of {len(done.evals)} evals")
        lines += [f"  {key}: {command}" for key, command in done.not_made.items()]
        lines.append(f"  Make it all: {done.make_all}")
    return "\n".join(lines)


def _problem(result: RunResult) -> str:
    """The problems of a run that has a report, and where to look."""
    told = "; ".join(result.problems)
    if result.log_path is None:
        return told
    outcomes = result.report.get("outcomes") or {}
    again = [outcome for outcome in ("error", "judge_failed") if outcomes.get(outcome)]
    where = shlex.join(["aigc_evals", "samples", str(result.log_path), *(["--outcome", again[0]] if again else [])])
    more = "\nTo ask them again: the same command with --retry_errors" if again else ""
    return f"{told}\nSee its samples: {where}{more}"


def _run_one(
    completion_fn: str,
    spec: EvalSpec,
    folder: Path,
    registry: Registry,
    environ: Mapping[str, str],
    resume: bool,
    done: SetResult,
    config: dict[str, Any],
) -> RunResult:
    key = str(spec.key)
    names = names_of(completion_fn)
    dry = bool(config.get("dry_run"))
    found = None if dry or not resume else find_log(folder, names, key)
    if found is not None:
        finished = is_finished(found)
        try:
            result = run(completion_fn, key, registry=registry, environ=environ, record_path=found, **config)
        except DifferentRunError as error:
            # The log there stays, and this run gets one of its own.
            sys.stderr.write(f"{error.message}\nstarting a new log for {key}\n")
        else:
            if finished:
                done.already.append(key)
            return result
    path = None
    if not dry:
        from aigc_evals.base import RunSpec

        fresh = RunSpec(list(names), key, "", "", {}, "")
        path = folder / log_name(str(fresh.run_id), names, key)
    return run(completion_fn, key, registry=registry, environ=environ, record_path=path, **config)
