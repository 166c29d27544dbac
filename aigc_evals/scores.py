"""The numbers in a run's events, kept as columns: some 25 bytes per sample and metric, whatever the events weigh.

Two readings of the same events are kept apart. The event columns count every recorded value, as reports compatible with
openai/evals do. The scored columns hold one value per sample that ended ``scored`` (the mean, where it recorded several):
the honest figure, and what uncertainty is computed from.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable
from typing import Any

from aigc_evals.base import Event, Outcome

MATCH = "match"
"""Name of the column of ``correct`` in match events (metrics events may well have their own ``accuracy``)."""

_MAX_LABELS = 10_000
_MAX_ERRORS = 100


class Column:
    """The values of one key, in the order they were recorded."""

    __slots__ = ("total", "values")

    def __init__(self) -> None:
        self.values: array[float] = array("d")
        self.total = 0.0

    def add(self, value: float) -> None:
        self.values.append(value)
        self.total += value

    @property
    def mean(self) -> float:
        return self.total / len(self.values) if self.values else float("nan")


class Scored(Column):
    """One value per scored sample, with the code of its cluster (samples without one are clusters of their own)."""

    __slots__ = ("clusters",)

    def __init__(self) -> None:
        super().__init__()
        self.clusters: array[int] = array("i")


class ScoredLabels:
    """One label per scored sample (a verdict, say), as codes, with the code of its cluster."""

    __slots__ = ("clusters", "codes", "names")

    def __init__(self) -> None:
        self.names: dict[str, int] = {}
        self.codes: array[int] = array("i")
        self.clusters: array[int] = array("i")

    def add(self, label: str, cluster: int) -> None:
        if label in self.names or len(self.names) < _MAX_LABELS:
            self.codes.append(self.names.setdefault(label, len(self.names)))
            self.clusters.append(cluster)


class ScoreTable:
    """All columns of one run, the ledger of outcomes, the labels seen, and the usage summed."""

    def __init__(self) -> None:
        self.events: dict[str, Column] = {}
        self.scored: dict[str, Scored] = {}
        self.labels: dict[str, Counter[str]] = {}
        self.scored_labels: dict[str, ScoredLabels] = {}
        self.outcomes: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.usage: Counter[str] = Counter()
        self.totals: Counter[str] = Counter()
        self.has_clusters = False
        self._cluster_codes: dict[str, int] = {}
        self._unclustered = 0

    def add(self, events: Iterable[Event]) -> None:
        """Take in the events of one sample; the last one, of type ``sample``, says how it ended (if it has ended)."""
        values: dict[str, list[float]] = {}
        labels: list[tuple[str, str]] = []
        closing: dict[str, Any] | None = None
        for event in events:
            data = event.data
            kind = event.type
            if kind == "match":
                values.setdefault(MATCH, []).append(float(bool(data.get("correct"))))
            elif kind == "metrics":
                for key, value in data.items():
                    if isinstance(value, (bool, int, float)):
                        values.setdefault(key, []).append(float(value))
                    elif isinstance(value, str):
                        labels.append((key, value))
                        self._label(key, value)
            elif kind == "sampling":
                usage = data.get("usage") if isinstance(data, dict) else None
                if usage:
                    self._use(usage)
            elif kind == "sample":
                closing = data
            elif kind == "error":
                self._error(data)
        for key, found in values.items():
            column = self.events.get(key)
            if column is None:
                column = self.events[key] = Column()
            for number in found:
                column.add(number)
        if closing is not None:
            self._close(closing, values, labels)

    def _close(self, closing: dict[str, Any], values: dict[str, list[float]], labels: list[tuple[str, str]]) -> None:
        outcome = closing["outcome"]
        self.outcomes[outcome] += 1
        for key in ("requests", "retries", "cache_hits", "invalid_policy", "invalid_judge"):
            count = closing.get(key)
            if count:
                self.totals[key] += count
        if outcome != Outcome.SCORED.value:
            return
        cluster = self._cluster(closing.get("cluster"))
        for key, found in values.items():
            scored = self.scored.get(key)
            if scored is None:
                scored = self.scored[key] = Scored()
            scored.add(found[0] if len(found) == 1 else sum(found) / len(found))
            scored.clusters.append(cluster)
        for key, label in dict(labels).items():
            codes = self.scored_labels.get(key)
            if codes is None:
                codes = self.scored_labels[key] = ScoredLabels()
            codes.add(label, cluster)

    def _cluster(self, name: Any) -> int:
        if name is None:
            # Negative codes are never shared: a sample without a cluster stands alone.
            self._unclustered -= 1
            return self._unclustered
        self.has_clusters = True
        return self._cluster_codes.setdefault(str(name), len(self._cluster_codes))

    def _error(self, data: Any) -> None:
        message = str(data.get("message") if isinstance(data, dict) else data)[:300]
        if message in self.errors or len(self.errors) < _MAX_ERRORS:
            self.errors[message] += 1

    def _label(self, key: str, value: str) -> None:
        counts = self.labels.setdefault(key, Counter())
        if value in counts or len(counts) < _MAX_LABELS:
            counts[value] += 1

    def _use(self, usage: Any) -> None:
        for key, value in usage.items():
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                self.usage[key] += value  # type: ignore[assignment]

    def mean(self, key: str) -> float:
        """Mean over every recorded value of ``key``; NaN when there is none."""
        column = self.events.get(key)
        return column.mean if column is not None else float("nan")

    def count(self, key: str) -> int:
        """How many values of ``key`` were recorded."""
        column = self.events.get(key)
        return len(column.values) if column is not None else 0
