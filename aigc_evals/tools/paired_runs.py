"""What of one log is compared with another: a row per sample, a column per metric, and the answers of a few samples."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aigc_evals.base import Event, Outcome
from aigc_evals.fastjson import encode
from aigc_evals.log import read_samples, require_spec
from aigc_evals.statistics.groups import GROUPS

ACCURACY = "accuracy"

_MOST_SHARES = 12
"""Labels of more kinds than this are no verdicts, as in reports."""


class _Column:
    """The values of one metric by row: their sums, and of how many."""

    def __init__(self) -> None:
        self.sums: array[float] = array("d")
        self.counts: array[int] = array("I")

    def add(self, row: int, value: float) -> None:
        missing = row + 1 - len(self.sums)
        if missing > 0:
            self.sums.extend([0.0] * missing)
            self.counts.extend([0] * missing)
        self.sums[row] += value
        self.counts[row] += 1

    def means(self, rows: int) -> array[float]:
        """The mean of each row; NaN where it has no value."""
        means = array("d", (s / n if n else math.nan for s, n in zip(self.sums, self.counts, strict=True)))
        means.extend([math.nan] * (rows - len(means)))
        return means


@dataclass
class PairedRun:
    """What of one log is compared: per sample a row, per metric the mean of each row's scored answers, NaN without any.

    A sample that was asked several times is one row: its answers are not independent of each other.
    """

    path: Path
    spec: dict[str, Any]
    rows: dict[str, int] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)
    scored: bytearray = field(default_factory=bytearray)
    columns: dict[str, array[float]] = field(default_factory=dict)
    clusters: list[str | None] = field(default_factory=list)
    groups: list[Mapping[str, str]] = field(default_factory=list)
    expected: array[int] = field(default_factory=lambda: array("q"))
    models: set[str] = field(default_factory=set)
    answers: int = 0
    finished: bool = False
    _group_sets: dict[Any, Mapping[str, str]] = field(default_factory=dict)
    _sums: dict[str, _Column] = field(default_factory=lambda: {ACCURACY: _Column()})
    _matches: _Column = field(default_factory=_Column)
    _labels: dict[str, dict[str, _Column]] = field(default_factory=dict)

    def add(self, events: list[Event]) -> None:
        """Take in the events of one answered sample."""
        closing = events[-1]
        row = self.rows.setdefault(_sample_of(closing.sample_id), len(self.rows))
        self.answers += 1
        outcome = closing.data["outcome"]
        self.outcomes[outcome] += 1
        if row == len(self.scored):
            cluster = closing.data.get("cluster")
            self.clusters.append(None if cluster is None else str(cluster))
            groups = closing.data.get(GROUPS) or {}
            self.groups.append(self._group_sets.setdefault(tuple(groups.items()), groups))
            self.scored.append(0)
            self.expected.append(0)
        own = [event for event in events if event.sample_id == closing.sample_id and isinstance(event.data, dict)]
        self.models.update(
            event.data["model"]
            for event in own
            if event.type == "sampling" and isinstance(event.data.get("model"), str)
        )
        if outcome == Outcome.SCORED.value:
            self.scored[row] = 1
            self._score(row, own)

    def _score(self, row: int, events: Iterable[Event]) -> None:
        values: dict[str, list[float]] = {}
        matches: list[float] = []
        for event in events:
            if event.type == "match":
                matches.append(float(bool(event.data.get("correct"))))
                self.expected[row] = hash(encode(event.data.get("expected")))
            elif event.type == "metrics":
                for key, value in event.data.items():
                    if isinstance(value, (bool, int, float)) and math.isfinite(value):
                        values.setdefault(key, []).append(float(value))
                    elif isinstance(value, str):
                        kinds = self._labels.setdefault(key, {"": _Column()})
                        kinds[""].add(row, 1.0)
                        if value in kinds or len(kinds) <= _MOST_SHARES + 1:
                            kinds.setdefault(value, _Column()).add(row, 1.0)
        if matches:
            self._matches.add(row, sum(matches) / len(matches))
        for key, found in values.items():
            self._sums.setdefault(key, _Column()).add(row, sum(found) / len(found))

    def close(self) -> None:
        """Make the columns, when all samples are in."""
        if not self._sums[ACCURACY].sums:
            # A metric of that name goes before the match events, as in reports.
            self._sums[ACCURACY] = self._matches
        self.columns = {key: column.means(len(self.rows)) for key, column in self._sums.items() if column.sums}
        for key, kinds in self._labels.items():
            told = kinds.pop("").sums
            for label, column in sorted(kinds.items()) if len(kinds) <= _MOST_SHARES else ():
                column.add(len(told) - 1, 0.0)
                shares = array("d", (n / all if all else math.nan for n, all in zip(column.sums, told, strict=True)))
                shares.extend([math.nan] * (len(self.rows) - len(shares)))
                self.columns[f"{key}/{label}"] = shares

    @property
    def facts(self) -> dict[str, Any]:
        return {
            "log": str(self.path),
            "run_id": self.spec.get("run_id"),
            "eval": self.spec.get("eval_name"),
            "completion_fns": self.spec.get("completion_fns"),
            "samples": len(self.rows),
            "scored": sum(self.scored),
            "answers": self.answers,
            "outcomes": {name: count for name, count in self.outcomes.items() if count},
            "finished": self.finished,
        }


def read_run(path: Path) -> PairedRun:
    spec = require_spec(path)
    run = PairedRun(path, spec)
    for events, state in read_samples(path):
        if events:
            run.add(events)
        if state.report is not None:
            run.finished = not state.report.get("partial")
    run.close()
    return run


def read_answers(path: Path, wanted: Collection[str]) -> dict[str, tuple[str | None, Any]]:
    """Per sample the answer that was scored (else the last one of the model under test), and what was expected."""
    found: dict[str, tuple[str | None, Any]] = {}
    for events, _ in read_samples(path):
        name = _sample_of(events[-1].sample_id) if events else ""
        if name not in wanted or name in found:
            continue
        answer: str | None = None
        expected: Any = None
        for event in events:
            data = event.data if isinstance(event.data, dict) else {}
            if event.type == "sampling" and data.get("role") != "judge":
                sampled = data.get("sampled")
                first = sampled[0] if isinstance(sampled, list) and sampled else sampled
                answer = first if isinstance(first, str) else answer
            elif event.type == "match":
                expected = data.get("expected")
                answer = data["sampled"] if isinstance(data.get("sampled"), str) else answer
        found[name] = answer, expected
        if len(found) == len(wanted):
            break
    return found


def _sample_of(sample_id: str | None) -> str:
    """The sample that an id stands for: repeats of it have ``~2``, ``~3``, ... behind it."""
    name, _, repeat = str(sample_id).rpartition("~")
    return name if name and repeat.isdecimal() else str(sample_id)
