"""Scores by group: by subject and category, say, with the mean over groups beside the mean over samples.

Pure functions over plain columns. The groups of a sample are labels on axes (``{"category": "STEM", "subject": "physics"}``),
which rows carry in their ``metadata``.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from aigc_evals.statistics import macro_average, mean_estimate
from aigc_evals.statistics.repeats import grouped

AXES = ("category", "subject")
"""What of a row's ``metadata`` makes groups, unless an eval says otherwise."""

GROUPS = "groups"
MACRO = "macro/"
MACRO_STDERR = "macro_stderr/"


def labels_of(sample: Any, axes: Sequence[str]) -> dict[str, str]:
    """The groups of a row: those of ``axes`` that its ``metadata`` has a text or a whole number for."""
    metadata = sample.get("metadata") if isinstance(sample, dict) else None
    if not isinstance(metadata, dict):
        return {}
    found = {axis: metadata.get(axis) for axis in axes}
    return {
        axis: str(label)
        for axis, label in found.items()
        if isinstance(label, (str, int)) and not isinstance(label, bool) and label != ""
    }


def is_group_key(key: str) -> bool:
    """Whether a key of a final report is about groups."""
    return key == GROUPS or key.startswith((MACRO, MACRO_STDERR))


def group_report(
    name: str,
    values: Sequence[float],
    codes: Sequence[int],
    label_sets: Sequence[Mapping[str, str]],
    *,
    clusters: Sequence[int] | None = None,
    rows: Sequence[int] = (),
) -> dict[str, Any]:
    """The metric ``name`` by group: what is added to a final report ({} without ``label_sets``).

    ``codes`` says per value which of ``label_sets`` its sample has (-1: none). ``groups`` has per axis and label ``n``, the
    mean under ``name`` (None for n = 0: no sample of the group was scored), and its standard error (None for n < 2), with
    ``clusters`` as everywhere; ``macro/<axis>`` is the mean over the groups of an axis that have one, each counting the
    same, ``macro_stderr/<axis>`` its standard error. With ``rows`` (samples that were asked several times) n counts samples.
    """
    axes: dict[str, dict[str, list[int]]] = {}
    members: list[list[int]] = [[] for _ in label_sets]
    for place, code in enumerate(codes):
        if code >= 0:
            members[code].append(place)
    for labels, places in zip(label_sets, members, strict=True):
        for axis, label in labels.items():
            axes.setdefault(axis, {}).setdefault(label, []).extend(places)
    report: dict[str, Any] = {}
    for axis in sorted(axes):
        means, errors = [], []
        table = report.setdefault(GROUPS, {}).setdefault(axis, {})
        for label in sorted(axes[axis]):
            estimate = _estimate(axes[axis][label], values, clusters, rows)
            if estimate.n:
                means.append(estimate.value)
                errors.append(estimate.stderr)
            table[label] = {"n": estimate.n, name: _known(estimate.value), "stderr": _known(estimate.stderr)}
        mean, error = macro_average(means, errors)
        report[MACRO + axis], report[MACRO_STDERR + axis] = _known(mean), _known(error)
    return report


def _estimate(
    places: Sequence[int], values: Sequence[float], clusters: Sequence[int] | None, rows: Sequence[int]
) -> Any:
    chosen: Sequence[float] = array("d", (values[i] for i in places))
    codes = None if clusters is None else [clusters[i] for i in places]
    if rows:
        samples = grouped(chosen, [rows[i] for i in places], codes or [0] * len(places))
        return mean_estimate(samples.means, clusters=None if codes is None else samples.clusters)
    return mean_estimate(chosen, clusters=codes)


def _known(value: float) -> float | None:
    return value if value == value else None


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def group_rows(report: Mapping[str, Any]) -> list[tuple[str, str, Mapping[str, Any]]]:
    """Axis, label and figures of every group of a report, and of the mean over the groups of each axis (label ``macro``)."""
    found: list[tuple[str, str, Mapping[str, Any]]] = []
    for axis, table in (report.get(GROUPS) or {}).items():
        found += [(axis, label, figures) for label, figures in table.items()]
        n = sum(figures["n"] > 0 for figures in table.values())
        mean = {"n": n, "value": report.get(MACRO + axis), "stderr": report.get(MACRO_STDERR + axis)}
        found.append((axis, "macro", mean))
    return found


def group_table(report: Mapping[str, Any], most: int | None = None) -> list[tuple[str, ...]]:
    """The groups as rows of a table, the head first ([] without groups); an axis of more than ``most`` groups has only its
    mean over them.
    """
    tables: Mapping[str, Any] = report.get(GROUPS) or {}
    rows: list[tuple[str, ...]] = []
    for axis, label, figures in group_rows(report):
        if label == "macro" and "value" in figures:
            lacking = f" of {len(tables[axis])}" if figures["n"] < len(tables[axis]) else ""
            told = f"mean over {figures['n']}{lacking} groups"
            rows.append((axis, told, _shown(figures["value"]), "", _shown(figures["stderr"])))
        elif most is None or len(tables[axis]) <= most:
            value = next((figures[key] for key in figures if key not in ("n", "stderr")), None)
            rows.append((axis, label, _shown(value), str(figures["n"]), _shown(figures["stderr"])))
    return [("by", "group", "value", "n", "std. error"), *rows] if rows else []
