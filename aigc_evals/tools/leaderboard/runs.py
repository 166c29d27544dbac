"""Which runs a leaderboard is made of: the logs found, one of them per model and eval, and what keeps runs from being compared.

Runs of one eval are comparable if they saw the same data with the same class, arguments, number of samples, repeats and
judge. Another seed is no obstacle, the questions being the same.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from aigc_evals.errors import UsageError
from aigc_evals.fastjson import encode, without_keys
from aigc_evals.files import is_folder, is_there, listed, unreadable
from aigc_evals.log import check_readable, is_torn_spec, read_report, read_spec

_DATA_ARGUMENTS = frozenset({"samples_jsonl", "few_shot_jsonl"})
"""Arguments that say where data lie; what counts is what they hold, and the log has their checksums."""


@dataclass(frozen=True)
class Run:
    """One log: its spec, and its final report, None where the run was killed."""

    path: Path
    spec: Mapping[str, Any]
    final: Mapping[str, Any] | None

    @property
    def eval(self) -> str:
        return str(self.spec.get("eval_name"))

    @property
    def model(self) -> str:
        """The completion function under test; of several it is the first, the others judge or help."""
        functions = self.spec.get("completion_fns") or ["?"]
        return str(functions[0])

    @property
    def judges(self) -> list[str]:
        """Who grades: as the run found it, else the further completion functions. A model may be its own judge."""
        judge = self._config.get("judge")
        if isinstance(judge, dict) and judge.get("name"):
            return [str(judge["name"])]
        return [str(name) for name in (self.spec.get("completion_fns") or ())[1:]]

    @property
    def remarks(self) -> list[str]:
        """What the run itself says is to be known of its figures."""
        final = self.final or {}
        problems = [f"Does not count as good: {text}" for text in final.get("problems") or ()]
        return [*problems, *(f"The run says: {text}" for text in final.get("notes") or ())]

    @property
    def arguments(self) -> Mapping[str, Any]:
        """What ``--completion_args`` said: with other ones it is another system."""
        return self._config.get("completion_args") or {}

    @property
    def finished(self) -> bool:
        return self.final is not None and not self.final.get("partial")

    @property
    def age(self) -> tuple[str, str, str]:
        """Sorts runs from the oldest to the newest."""
        return str(self.spec.get("created_at")), str(self.spec.get("run_id")), str(self.path)

    @property
    def seed(self) -> Any:
        return self._config.get("seed")

    @property
    def version(self) -> str:
        return str((self._config.get("versions") or {}).get("aigc_evals"))

    @property
    def _config(self) -> Mapping[str, Any]:
        return self.spec.get("run_config") or {}

    @property
    def samples(self) -> int | None:
        """How many samples the run was to evaluate, each counted once; None where the log does not say."""
        rows = ((self._config.get("data") or {}).get("samples") or {}).get("rows")
        counts = [int(count) for count in (rows, self._config.get("max_samples")) if count is not None]
        return min(counts, default=None)

    @cached_property
    def conditions(self) -> dict[str, Any]:
        """By name all that must be the same in runs that are compared."""
        spec = self._config.get("eval_spec") or {}
        data = self._config.get("data") or {}
        arguments = spec.get("args") or {}
        if data:
            arguments = {key: value for key, value in arguments.items() if key not in _DATA_ARGUMENTS}
        return {
            "data": without_keys(data, frozenset({"files"})),
            "samples": self.samples,
            "repeats": self._config.get("repeats") or 1,
            "judge": self.judges,
            "class": spec.get("cls"),
            **{f"argument {name}": value for name, value in arguments.items()},
        }

    @cached_property
    def signature(self) -> bytes:
        return encode(dict(sorted(self.conditions.items())))


def unlike(run: Run, other: Run) -> list[str]:
    """What keeps ``run`` from being compared with ``other``, a phrase each."""
    found: list[str] = []
    mine, theirs = run.conditions, other.conditions
    for name in dict.fromkeys([*mine, *theirs]):
        if mine.get(name) == theirs.get(name):
            continue
        if name == "data":
            found.append("other data")
        else:
            found.append(f"{name} {_short(mine.get(name))} instead of {_short(theirs.get(name))}")
    return found


def _short(value: Any) -> str:
    if value is None or value == []:
        return "none"
    text = value if isinstance(value, str) else ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def find_runs(inputs: Sequence[str | Path]) -> tuple[list[Run], list[str]]:
    """The runs of logs and of folders with logs at any depth, and a remark on each file left out.

    In folders only ``*.jsonl`` is looked at, and what is no log is passed over. UsageError where a file that was named is no
    log, or nothing is found at all.
    """
    found: dict[str, Run] = {}
    remarks: list[str] = []
    others = 0
    for name in inputs:
        path = Path(name)
        if not is_there(path):
            raise UsageError("there is no such log or folder", path=path)
        for file in _files(path, remarks) if is_folder(path) else [path]:
            try:
                check_readable(file)
            except UsageError as error:
                if file == path:
                    raise
                remarks.append(f"{file.name} was left out: it {error.message}.")
                continue
            spec = read_spec(file)
            if spec is not None:
                run = Run(file, spec, read_report(file))
                known = found.setdefault(str(spec.get("run_id") or file.resolve()), run)
                if known.final is None and run.final is not None:
                    found[str(spec.get("run_id"))] = run
            elif is_torn_spec(file) or file.stat().st_size == 0:
                remarks.append(f"{file.name} was left out: its run was killed before anything happened.")
            elif file == path:
                raise UsageError("this file is not a log of aigc_evals", path=path)
            else:
                others += 1
    if others:
        what = "a file" if others == 1 else f"{others} files"
        remarks.append(f"Passed over: {what} ending in .jsonl, no log{'' if others == 1 else 's'}.")
    if not found:
        where = ", ".join(map(str, inputs))
        hint = "\n".join([*remarks, "Logs are files that end in .jsonl."])
        raise UsageError("there is no log with anything in it", path=where, hint=hint)
    return list(found.values()), remarks


def _files(folder: Path, remarks: list[str]) -> Iterable[Path]:
    """The files of a folder and of those in it; UsageError where it cannot be read, a remark on each in it that cannot."""
    listed(folder)

    def tell(error: OSError) -> None:
        remarks.append(f"The folder {error.filename} was left out: {unreadable(folder, error).message}.")

    for where, folders, names in os.walk(folder, onerror=tell):
        folders.sort()
        for name in sorted(names):
            if name.endswith(".jsonl"):
                yield Path(where) / name


def model_names(runs: Sequence[Run]) -> dict[int, str]:
    """The row of each run, by ``id``: the model's name, with its arguments where runs of one eval differ in them."""
    variants: dict[tuple[str, str], set[bytes]] = {}
    for run in runs:
        variants.setdefault((run.model, run.eval), set()).add(encode(run.arguments))
    several = {model for (model, _), kinds in variants.items() if len(kinds) > 1}
    names: dict[int, str] = {}
    for run in runs:
        told = ", ".join(f"{key}={value}" for key, value in run.arguments.items())
        names[id(run)] = f"{run.model} ({told})" if told and run.model in several else run.model
    return names


@dataclass(frozen=True)
class Chosen:
    """The run that stands for a model on an eval: whether it may be compared with the column's others, and what to know."""

    run: Run
    comparable: bool
    notes: tuple[str, ...]


def choose(column: Mapping[str, Sequence[Run]]) -> dict[str, Chosen]:
    """For one eval and each model one of its runs.

    What most models were run under (of several such conditions that of the most samples, then the newest) is the measure.
    A model's newest finished run under it is taken, else its newest finished run, else its newest unfinished one.
    """
    measure = _measure(column)
    found: dict[str, Chosen] = {}
    for model, runs in column.items():
        order = sorted(runs, key=lambda run: (run.finished, run.signature == measure.signature, run.age))
        run = order[-1]
        notes: list[str] = []
        differs = unlike(run, measure)
        if differs:
            notes.append(f"Not comparable with the others: {'; '.join(differs)}.")
        if run.seed != measure.seed and not differs:
            notes.append(f"Run with another seed ({run.seed} instead of {measure.seed}).")
        newer = [other for other in runs if other.age > run.age]
        if newer:
            why = "unfinished" if not any(other.finished for other in newer) else "of other conditions"
            notes.append(f"A newer log of this model was passed over, as it is {why}.")
        elif len(runs) > 1:
            notes.append("The newest of several logs of this model.")
        found[model] = Chosen(run, not differs, tuple(notes))
    return found


def _measure(column: Mapping[str, Sequence[Run]]) -> Run:
    everything = [run for runs in column.values() for run in runs]
    none = not any(run.finished for run in everything)
    models = Counter(
        signature for runs in column.values() for signature in {run.signature for run in runs if run.finished or none}
    )
    return max(everything, key=lambda run: (models[run.signature], run.finished, run.samples or 0, run.age))
