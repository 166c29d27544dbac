"""The numbers in a run's events, kept as columns: some 25 bytes per sample and metric, whatever the events weigh.

Two readings of the same events are kept apart. The event columns count every recorded value, as reports compatible with
openai/evals do. The scored columns hold one value per sample that ended ``scored`` (the mean, where it recorded several):
the honest figure, and what uncertainty is computed from.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from typing import Any

from aigc_evals.base import Event, Outcome
from aigc_evals.statistics.groups import GROUPS
from aigc_evals.statistics.repeats import Votes

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
    """One value per scored sample, with the code of its cluster (samples without one are clusters of their own).

    ``rows`` says which sample a value belongs to, in runs that ask each sample several times; else it is empty.
    ``groups`` are codes of sets of groups (-1: none), where samples have any; else it is empty.
    """

    __slots__ = ("clusters", "groups", "rows")

    def __init__(self) -> None:
        super().__init__()
        self.clusters: array[int] = array("i")
        self.groups: array[int] = array("i")
        self.rows: array[int] = array("I")

    def mark(self, group: int) -> None:
        """Say which groups the last value belongs to; values that were never marked belong to none."""
        self.groups.extend([-1] * (len(self.values) - 1 - len(self.groups)))
        self.groups.append(group)


class ScoredLabels:
    """One label per scored sample (a verdict, say), as codes, with the code of its cluster (and its row, as above)."""

    __slots__ = ("clusters", "codes", "names", "rows")

    def __init__(self) -> None:
        self.names: dict[str, int] = {}
        self.codes: array[int] = array("i")
        self.clusters: array[int] = array("i")
        self.rows: array[int] = array("I")

    def add(self, label: str, cluster: int, row: int | None = None) -> None:
        if label in self.names or len(self.names) < _MAX_LABELS:
            self.codes.append(self.names.setdefault(label, len(self.names)))
            self.clusters.append(cluster)
            if row is not None:
                self.rows.append(row)


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
        self.votes = Votes()
        self.has_clusters = False
        self.group_sets: dict[tuple[tuple[str, str], ...], int] = {}
        self._cluster_codes: dict[str, int] = {}
        self._unclustered = 0

    def add(self, events: Sequence[Event]) -> None:
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
                if isinstance(data, dict):
                    usage = data.get("usage")
                    if usage:
                        self._use(usage)
                    elif "usage_cached" in data:
                        self._use(data["usage_cached"], "cached_")
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
            cluster = self._close(closing, values, labels)
            if cluster is not None and "row" in closing:
                self._vote(events, closing["row"], cluster)

    def _close(
        self, closing: dict[str, Any], values: dict[str, list[float]], labels: list[tuple[str, str]]
    ) -> int | None:
        """Count a sample that has ended; the code of its cluster where it was scored."""
        outcome = closing["outcome"]
        self.outcomes[outcome] += 1
        for key in ("requests", "retries", "cache_hits", "invalid_policy", "invalid_judge"):
            count = closing.get(key)
            if count:
                self.totals[key] += count
        # Also of what was not scored: a group without a figure is to be seen.
        group = self._group(closing.get(GROUPS))
        if outcome != Outcome.SCORED.value:
            return None
        cluster = self._cluster(closing.get("cluster"))
        row = closing.get("row")
        for key, found in values.items():
            scored = self.scored.get(key)
            if scored is None:
                scored = self.scored[key] = Scored()
            scored.add(found[0] if len(found) == 1 else sum(found) / len(found))
            scored.clusters.append(cluster)
            if row is not None:
                scored.rows.append(row)
            if self.group_sets:
                scored.mark(group)
        for key, label in dict(labels).items():
            codes = self.scored_labels.get(key)
            if codes is None:
                codes = self.scored_labels[key] = ScoredLabels()
            codes.add(label, cluster, row)
        return cluster

    def _vote(self, events: Sequence[Event], row: int, cluster: int) -> None:
        """What the answer said, where exactly one match was recorded: what was picked, else what was answered."""
        matches = [event.data for event in events if event.type == "match"]
        if len(matches) != 1:
            return
        match = matches[0]
        said = match.get("picked") or match.get("sampled")
        if not said:
            asked = [event.data for event in events if event.type == "sampling" and isinstance(event.data, dict)]
            said = next((data.get("sampled") for data in reversed(asked) if data.get("role") is None), None)
        if isinstance(said, list):
            said = said[0] if said else None
        self.votes.add(row, str(said).strip(), str(match.get("expected")), bool(match.get("correct")), cluster)

    def _cluster(self, name: Any) -> int:
        if name is None:
            # Negative codes are never shared: a sample without a cluster stands alone.
            self._unclustered -= 1
            return self._unclustered
        self.has_clusters = True
        return self._cluster_codes.setdefault(str(name), len(self._cluster_codes))

    def _group(self, groups: Any) -> int:
        if not groups:
            return -1
        labels = tuple((str(axis), str(label)) for axis, label in groups.items())
        if labels not in self.group_sets and len(self.group_sets) >= _MAX_LABELS:
            return -1
        return self.group_sets.setdefault(labels, len(self.group_sets))

    def _error(self, data: Any) -> None:
        message = str(data.get("message") if isinstance(data, dict) else data)[:300]
        # An error in somebody's code says little without its place; one of an endpoint has the place of ours.
        if isinstance(data, dict) and data.get("kind", "code") == "code" and data.get("where"):
            message += f" ({data['where']})"
        if message in self.errors or len(self.errors) < _MAX_ERRORS:
            self.errors[message] += 1

    def _label(self, key: str, value: str) -> None:
        counts = self.labels.setdefault(key, Counter())
        if value in counts or len(counts) < _MAX_LABELS:
            counts[value] += 1

    def _use(self, usage: Any, prefix: str = "") -> None:
        for key, value in usage.items():
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                self.usage[prefix + key] += value  # type: ignore[assignment]

    def mean(self, key: str) -> float:
        """Mean over every recorded value of ``key``; NaN when there is none."""
        column = self.events.get(key)
        return column.mean if column is not None else float("nan")

    def count(self, key: str) -> int:
        """How many values of ``key`` were recorded."""
        column = self.events.get(key)
        return len(column.values) if column is not None else 0
