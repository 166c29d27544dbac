"""Many runs as one table: models by evals, or models by the groups of one eval, with intervals and honest ranks.

A cell is a run's headline metric over its scored samples, with its 95 % interval; what was not scored is told beside it, and
never counts as wrong. Runs that have not ended, or were made under other conditions than the column's, are shown and marked,
and take part in no rank and no mean. How ranks and means are made: ``ranks``; which run stands for a model: ``runs``.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import Any

from aigc_evals.errors import UsageError, nearest
from aigc_evals.statistics import mean_estimate
from aigc_evals.statistics.groups import GROUPS
from aigc_evals.tools.leaderboard.board import Board, Cell, Column, Row
from aigc_evals.tools.leaderboard.ranks import Contrast, in_group, mean_contrast, mean_of, paired, rank_ranges, unpaired
from aigc_evals.tools.leaderboard.runs import Chosen, Run, choose, find_runs, model_names
from aigc_evals.tools.paired_runs import PairedRun, read_run
from aigc_evals.tools.report import report_of


@dataclass
class _Notes:
    """Footnotes, each text once, numbered in the order they come up."""

    texts: list[str] = field(default_factory=list)

    def numbers(self, texts: Sequence[str]) -> tuple[int, ...]:
        self.texts += [text for text in dict.fromkeys(texts) if text not in self.texts]
        return tuple(self.texts.index(text) + 1 for text in dict.fromkeys(texts))


@dataclass
class _Grid:
    """What is gathered before rows are made: columns, cells by (model, column), runs where samples can be paired."""

    columns: list[Column] = field(default_factory=list)
    cells: dict[tuple[str, int], Cell] = field(default_factory=dict)
    pairable: dict[tuple[str, int], PairedRun] = field(default_factory=dict)
    bounded: bool = True
    notes: _Notes = field(default_factory=_Notes)
    remarks: list[str] = field(default_factory=list)
    row_notes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    groups: dict[int, tuple[str, str]] = field(default_factory=dict)


def leaderboard(
    inputs: Sequence[str | Path],
    *,
    metric: str | None = None,
    by: str | None = None,
    evals: Sequence[str] = (),
    lower_is_better: Collection[str] = (),
    sort: str = "mean",
    title: str | None = None,
) -> Board:
    """The table of the runs in ``inputs``, logs and folders of logs.

    ``metric`` is shown (default: each eval's headline); ``by`` makes the columns the groups of one eval; ``evals`` are those
    that count, in their order; ``lower_is_better`` names metrics of which less is better; ``sort`` is "mean", "name" or the
    name of a column. UsageError where a file is no log, a name is unknown, or nothing is left to show.
    """
    runs, remarks = find_runs(inputs)
    table: dict[str, dict[str, list[Run]]] = {}
    names = model_names(runs)
    for run in runs:
        table.setdefault(run.eval, {}).setdefault(names[id(run)], []).append(run)
    order = _evals(evals, table, runs)
    grid = _Grid(remarks=remarks)
    if by is None:
        _fill_evals(grid, {name: table[name] for name in order}, metric, _short_names(order), lower_is_better)
    else:
        _fill_groups(grid, {name: table[name] for name in order}, metric, by, lower_is_better)
    versions = sorted({run.version for run in runs if run.eval in order})
    if len(versions) > 1:
        grid.remarks.append(f"The runs were made by different versions of aigc_evals: {', '.join(versions)}.")
    shown = grid.columns[0].eval if by is not None else None
    models = list(dict.fromkeys(model for model, _ in grid.cells))
    means = len(grid.columns) > 1 and _means_make_sense(grid)
    rows = _ranked_rows(grid, models, means)
    return Board(
        title or (f"{shown} by {by}" if shown else "Leaderboard"),
        tuple(grid.columns),
        tuple(_sorted(rows, grid.columns, sort)),
        tuple(grid.notes.texts),
        tuple(grid.remarks),
        means,
        by,
    )


def _evals(wanted: Sequence[str], table: Mapping[str, Any], runs: Sequence[Run]) -> list[str]:
    if not wanted:
        return sorted(table, key=str.casefold)
    full: dict[str, list[str]] = {}
    for run in runs:
        for name in {run.eval, str(run.spec.get("base_eval"))}:
            full.setdefault(name, []).append(run.eval)
    for name in wanted:
        if name not in full:
            raise UsageError(
                f"no log is of the eval {name!r}",
                key="eval",
                hint=nearest(name, list(full)) or f"There are logs of: {', '.join(sorted(table))}",
            )
    return list(dict.fromkeys(eval for name in wanted for eval in sorted(full[name])))


def _short_names(evals: Sequence[str]) -> dict[str, str]:
    """Evals without split and version, where that leaves them different."""
    bases = Counter(name.split(".")[0] for name in evals)
    return {name: base if bases[base := name.split(".")[0]] == 1 else name for name in evals}


def _fill_evals(
    grid: _Grid,
    table: Mapping[str, Mapping[str, Sequence[Run]]],
    metric: str | None,
    names: Mapping[str, str],
    lower: Collection[str],
) -> None:
    have: set[str] = set()
    for eval, models in table.items():
        chosen = choose(models)
        reports = {model: report_of(one.run.path) for model, one in chosen.items()}
        have |= {name for found in reports.values() for name in found.report["metrics"]}
        headlines = Counter(found.report["headline"] for model, found in reports.items() if chosen[model].comparable)
        shown = metric or headlines.most_common(1)[0][0]
        if shown is None or not any(shown in found.report["metrics"] for found in reports.values()):
            what = "has no headline metric" if metric is None else f"has no metric {metric}"
            grid.remarks.append(f"{eval} is left out: it {what}.")
            continue
        place = len(grid.columns)
        for model, one in chosen.items():
            measured = reports[model].report["metrics"].get(shown) or {}
            grid.bounded &= not measured or _is_share(measured)
            grid.cells[model, place] = _eval_cell(grid.notes, one, reports[model].report, measured, shown)
            grid.pairable[model, place] = read_run(one.run.path)
        grid.columns.append(Column(names[eval], eval, shown, _usual_n(grid, place), shown in lower))
    if not grid.columns:
        hint = f"They have: {', '.join(sorted(have)) or 'none'}. Choose one with --metric."
        raise UsageError(
            "no log has this metric" if metric else "no log has a headline metric", key="metric", hint=hint
        )


def _eval_cell(notes: _Notes, one: Chosen, report: Mapping[str, Any], measured: Mapping[str, Any], metric: str) -> Cell:
    texts = _texts(one, report)
    if not measured:
        texts.append(f"Has no {metric}.")
    # What an unfinished run had not come to is not what it failed at.
    planned = report["planned"] - (0 if one.run.finished else report["outcomes"]["skipped"])
    return Cell(
        value=measured.get("value"),
        low=measured.get("low"),
        high=measured.get("high"),
        stderr=measured.get("stderr"),
        n=measured.get("n") or 0,
        planned=planned,
        scored=report["outcomes"]["scored"],
        finished=one.run.finished,
        comparable=one.comparable,
        notes=notes.numbers(texts),
        log=str(one.run.path),
    )


def _texts(one: Chosen, report: Mapping[str, Any]) -> list[str]:
    """All that is to be known of a run: why it has no rank, what it says of itself, what its log gives away."""
    unfinished = [] if one.run.finished else ["Unfinished: from the samples so far; without a rank."]
    told = (one.run.final or {}).get("problems") or ()
    found = [f"Does not count as good: {text}" for text in report.get("problems") or () if text not in told]
    return [*unfinished, *one.notes, *one.run.remarks, *found]


def _is_share(measured: Mapping[str, Any]) -> bool:
    low, high = measured.get("bounds") or (-math.inf, math.inf)
    return bool(low >= 0 and high <= 1)


def _fill_groups(
    grid: _Grid,
    table: Mapping[str, Mapping[str, Sequence[Run]]],
    metric: str | None,
    by: str,
    lower: Collection[str],
) -> None:
    eval = _with_groups(table, by)
    chosen = choose(table[eval])
    logs = {model: read_run(one.run.path) for model, one in chosen.items()}
    reports = {model: report_of(one.run.path).report for model, one in chosen.items()}
    headlines = Counter(report["headline"] for report in reports.values())
    shown = metric or ("accuracy" if "accuracy" in headlines else headlines.most_common(1)[0][0])
    have = sorted({name for log in logs.values() for name in log.columns})
    if shown not in have:
        raise UsageError(f"no sample has the metric {shown}", key="metric", hint=f"They have: {', '.join(have)}")
    for model, one in chosen.items():
        grid.row_notes[model] = grid.notes.numbers(_texts(one, reports[model]))
        grid.bounded &= _is_share(reports[model]["metrics"].get(shown) or {})
    labels = sorted({label for log in logs.values() for groups in log.groups if (label := groups.get(by)) is not None})
    for place, label in enumerate(labels):
        grid.groups[place] = by, label
        for model, one in chosen.items():
            log = logs[model]
            bounds = (0.0, 1.0) if _is_share(reports[model]["metrics"].get(shown) or {}) else None
            grid.cells[model, place] = _group_cell(log, shown, (by, label), bounds, one)
            grid.pairable[model, place] = log
        grid.columns.append(Column(label, eval, shown, _usual_n(grid, place), shown in lower))


def _with_groups(table: Mapping[str, Mapping[str, Sequence[Run]]], by: str) -> str:
    """The one eval that has groups of this kind."""
    kinds: dict[str, list[str]] = {}
    for eval, models in table.items():
        groups = {kind for runs in models.values() for run in runs for kind in (run.final or {}).get(GROUPS) or ()}
        for kind in sorted(groups):
            kinds.setdefault(kind, []).append(eval)
    if by not in kinds:
        hint = f"Logs have groups by: {', '.join(kinds) or 'nothing'}"
        raise UsageError(f"no finished log has groups by {by!r}", key="by", hint=hint)
    if len(kinds[by]) > 1:
        names = ", ".join(kinds[by])
        raise UsageError(f"several evals have groups by {by}: {names}", key="by", hint="Choose one with --eval.")
    return kinds[by][0]


def _group_cell(
    log: PairedRun, metric: str, group: tuple[str, str], bounds: tuple[float, float] | None, one: Chosen
) -> Cell:
    """The mean over a group's samples, with the interval that the whole run's report would give for as many."""
    rows = [row for row in log.rows.values() if in_group(log, row, group)]
    values = log.columns.get(metric)
    kept = [row for row in rows if values is not None and log.scored[row] and not math.isnan(values[row])]
    clusters = [row if log.clusters[row] is None else log.clusters[row] for row in kept] if any(log.clusters) else None
    found = mean_estimate([values[row] for row in kept] if values else [], clusters=clusters, bounds=bounds)
    return Cell(
        value=_known(found.value),
        low=_known(found.low),
        high=_known(found.high),
        stderr=_known(found.stderr),
        n=found.n,
        planned=len(rows),
        scored=sum(log.scored[row] for row in rows),
        finished=one.run.finished,
        comparable=one.comparable,
        log=str(one.run.path),
    )


def _usual_n(grid: _Grid, place: int) -> int | None:
    counts = Counter(cell.n for (_, column), cell in grid.cells.items() if column == place)
    n, cells = counts.most_common(1)[0]
    return n if 2 * cells > counts.total() else None


def _means_make_sense(grid: _Grid) -> bool:
    """Whether the columns can be averaged: one metric, or shares all of them, and all in the same direction."""
    metrics = dict.fromkeys(column.metric for column in grid.columns)
    if len({column.lower_is_better for column in grid.columns}) == 1 and (len(metrics) == 1 or grid.bounded):
        if len(metrics) > 1:
            grid.remarks.append(f"The mean is over different metrics: {', '.join(metrics)}.")
        return True
    grid.remarks.append(f"There is no mean over metrics of different kinds: {', '.join(metrics)}.")
    return False


def _ranked_rows(grid: _Grid, models: Sequence[str], means: bool) -> list[Row]:
    contrasts: dict[tuple[int, str, str], Contrast] = {}
    ranks: dict[tuple[str, int], tuple[int, int]] = {}
    for place, column in enumerate(grid.columns):
        eligible = [model for model in models if (cell := grid.cells.get((model, place))) and cell.ranked]
        pairs = list(combinations(range(len(eligible)), 2))
        known: list[tuple[int, int, Contrast]] = []
        for i, j in pairs:
            contrast = _contrast(grid, place, eligible[i], eligible[j], len(pairs))
            contrasts[place, eligible[i], eligible[j]] = contrast
            known.append((i, j, contrast))
        ranges = rank_ranges(len(eligible), known, lower_is_better=column.lower_is_better)
        ranks.update({(model, place): one for model, one in zip(eligible, ranges, strict=True)} if pairs else {})
    places = range(len(grid.columns))
    complete = [m for m in models if means and all((m, p) in grid.cells and grid.cells[m, p].ranked for p in places)]
    overall = {model: mean_of([grid.cells[model, place].figure for place in places]) for model in complete}
    known = [
        (i, j, mean_contrast([contrasts[place, complete[i], complete[j]] for place in places]))
        for i, j in combinations(range(len(complete)), 2)
    ]
    lower = grid.columns[0].lower_is_better
    ranges = rank_ranges(len(complete), known, lower_is_better=lower)
    placed = dict(zip(complete, ranges, strict=True)) if known else {}
    rows: list[Row] = []
    for model in models:
        cells = [grid.cells.get((model, place)) for place in places]
        made = tuple(cell and replace(cell, ranks=ranks.get((model, place))) for place, cell in enumerate(cells))
        mean = overall.get(model)
        mean_cell: Cell | None = None
        if mean is not None:
            mean_cell = Cell(mean.value, _known(mean.low), _known(mean.high), None, len(cells), ranks=placed.get(model))
        rows.append(Row(model, made, mean_cell, grid.row_notes.get(model, ())))
    return rows


def _contrast(grid: _Grid, place: int, a: str, b: str, pairs: int) -> Contrast:
    left, right = grid.pairable.get((a, place)), grid.pairable.get((b, place))
    found = paired(left, right, grid.columns[place].metric, pairs, grid.groups.get(place)) if left and right else None
    return found or unpaired(grid.cells[a, place].figure, grid.cells[b, place].figure)


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _sorted(rows: Sequence[Row], columns: Sequence[Column], sort: str) -> list[Row]:
    """The rows by name, or the best first: those that can be compared on all columns, then the others, then the empty."""
    by_name = sorted(rows, key=lambda row: row.model.casefold())
    if sort == "name":
        return by_name
    place = next((i for i, column in enumerate(columns) if sort in (column.name, column.eval)), None)
    if place is None and sort != "mean":
        names = ["mean", "name", *(column.name for column in columns)]
        raise UsageError(f"cannot sort by {sort!r}", key="sort", hint=nearest(sort, names) or f"By: {', '.join(names)}")
    sign = 1 if columns[place or 0].lower_is_better else -1

    def key(row: Row) -> tuple[bool, int, float]:
        cell = row.overall if place is None else row.cells[place]
        if cell is None and place is None:
            values = [one.value or 0.0 for one in row.cells if one is not None and one.ranked]
            return True, -row.counted, sign * (sum(values) / len(values) if values else 0.0)
        if cell is None or cell.value is None:
            return True, 1, 0.0
        return not cell.ranked, 0, sign * cell.value

    return sorted(by_name, key=key)
