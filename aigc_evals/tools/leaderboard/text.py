"""A leaderboard as text: a table for a terminal, Markdown, CSV, JSON; and the pieces that all its forms are made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from aigc_evals.columns import printable, table
from aigc_evals.fastjson import encode_text
from aigc_evals.report.markdown import escaped
from aigc_evals.tools.leaderboard.board import Board, Cell, Column, Row
from aigc_evals.tools.report import csv_table

_CSV_COLUMNS = (
    "model", "column", "eval", "metric", "value", "low", "high", "stderr", "n", "planned", "scored", "rank_first",
    "rank_last", "finished", "comparable", "notes", "log",
)  # fmt: skip


def figure(value: float | None) -> str:
    """A value as boards show it: three decimals, fewer for large ones, a dash for none."""
    if value is None or math.isnan(value):
        return "-"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def interval(cell: Cell) -> str:
    return "" if cell.low is None or cell.high is None else f"[{figure(cell.low)}, {figure(cell.high)}]"


def rank(cell: Cell | None) -> str:
    """``1``, or a range such as ``1-3``; a dash without one."""
    if cell is None or cell.ranks is None:
        return "-"
    first, last = cell.ranks
    return str(first) if first == last else f"{first}-{last}"


def head(column: Column, board: Board) -> list[str]:
    """What stands above a column: its name, then what it measures where that is not the same for all, then n."""
    parts = [column.name]
    if len({other.metric for other in board.columns}) > 1:
        parts.append(column.metric + (", less is better" if column.lower_is_better else ""))
    if column.n is not None:
        parts.append(f"n={column.n}")
    return parts


def remarks(cell: Cell, column: Column) -> list[str]:
    """What stands behind a figure: its n where it is not the column's, and what was not scored."""
    found = [f"n={cell.n}"] if cell.n not in (0, column.n) else []
    if cell.missing > 0:
        found.append(f"{_percent(cell.missing)} not scored")
    if not cell.finished:
        found.append("unfinished")
    return found


def _percent(share: float) -> str:
    percent = 100 * share
    return "<0.1 %" if percent < 0.1 else f"{percent:.1f} %"


def mean_name(board: Board) -> str:
    return "mean of groups" if board.by else "mean"


def subtitle(board: Board) -> str:
    metrics = dict.fromkeys(column.metric for column in board.columns)
    what = next(iter(metrics)) if len(metrics) == 1 else "headline metric"
    less = ", less is better" if len(metrics) == 1 and board.columns[0].lower_is_better else ""
    return f"{what}{less}, with 95 % intervals over the samples that were scored"


def legend(board: Board) -> list[str]:
    """How the board is to be read, a sentence or two each."""
    found: list[str] = []
    if any(cell.best for cell in _all_cells(board)):
        found.append("Bold: every other model that is ranked is significantly worse.")
    if any(cell.leads and not cell.best for cell in _all_cells(board)):
        found.append("≈: no model is significantly better, and at least one other is not significantly worse.")
    if board.models_ranked > 1:
        found.append(
            "Ranks are ranges; those of one column hold together with 95 % confidence: tests of all pairs of models over the same samples, "
            "paired, with Holm's correction (Mogstad et al. 2024)."
        )
    if board.means:
        what = "groups" if board.by else "evals"
        found.append(f"The mean gives all {what} the same weight, and is there for models comparable on all of them.")
    return found


def _all_cells(board: Board) -> list[Cell]:
    return [cell for row in board.rows for cell in (*row.cells, row.mean) if cell is not None]


def mean_or_count(row: Row, board: Board) -> str | None:
    """``2 of 3`` for a model that has no mean, as it may not be compared on all columns."""
    return None if row.mean is not None else f"{row.counted} of {len(board.columns)}"


def _marks(notes: Sequence[int], pattern: str) -> str:
    return "".join(f" {pattern.format(number)}" for number in notes)


def terminal(board: Board) -> str:
    """A table for a terminal, the notes below it."""
    heads = ["rank", "model", *([mean_name(board)] if board.means else []), *(_joined(c, board) for c in board.columns)]
    rows = []
    for row in board.rows:
        cells = [_plain(cell, column) for cell, column in zip(row.cells, board.columns, strict=True)]
        mean = [mean_or_count(row, board) or _plain(row.mean, None)] if board.means else []
        rows.append([rank(row.overall), row.model + _marks(row.notes, "({})"), *mean, *cells])
    lines = [board.title, subtitle(board), "", *table([heads, *rows])]
    extra = [text.replace("Bold:", "*:") for text in legend(board)]
    numbered = [f"({number}) {text}" for number, text in enumerate(board.notes, 1)]
    for block in (numbered, [*extra, *board.remarks]):
        lines += ["", *block] if block else []
    return "\n".join(map(printable, lines))


def _joined(column: Column, board: Board) -> str:
    name, *more = head(column, board)
    return f"{name} ({', '.join(more)})" if more else name


def _plain(cell: Cell | None, column: Column | None) -> str:
    if cell is None:
        return "-"
    mark = "*" if cell.best else "≈" if cell.leads else ""
    told = [figure(cell.value) + mark, interval(cell), *(remarks(cell, column) if column else ())]
    return " ".join(filter(None, told)) + _marks(cell.notes, "({})")


def markdown(board: Board) -> str:
    """The same as Markdown."""
    heads = ["Rank", "Model"]
    heads += [mean_name(board).capitalize()] if board.means else []
    heads += [
        "<br>".join([escaped(name), *map(escaped, more)]) for name, *more in (head(c, board) for c in board.columns)
    ]
    rows = [heads, ["---:", "---", *["---"] * (len(heads) - 2)]]
    for row in board.rows:
        cells = [_marked(cell, column) for cell, column in zip(row.cells, board.columns, strict=True)]
        mean = [mean_or_count(row, board) or _marked(row.mean, None)] if board.means else []
        rows.append([rank(row.overall), escaped(row.model) + _marks(row.notes, "<sup>{}</sup>"), *mean, *cells])
    lines = [f"## {escaped(board.title)}", "", escaped(subtitle(board)), ""]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    notes = [f"{number}. {escaped(text)}" for number, text in enumerate(board.notes, 1)]
    for block in (notes, [f"- {escaped(text)}" for text in (*legend(board), *board.remarks)]):
        lines += ["", *block] if block else []
    return "\n".join(lines)


def _marked(cell: Cell | None, column: Column | None) -> str:
    if cell is None:
        return "-"
    value = f"**{figure(cell.value)}**" if cell.best else figure(cell.value) + ("≈" if cell.leads else "")
    more = [text.replace("<", "&lt;") for text in (remarks(cell, column) if column else ())]
    return " ".join(filter(None, [value, interval(cell), *more])) + _marks(cell.notes, "<sup>{}</sup>")


def csv(board: Board) -> str:
    """A row per figure, also for means; what is not known is empty."""
    rows: list[dict[str, Any]] = []
    for row in board.rows:
        if row.mean is not None:
            metrics = {column.metric for column in board.columns}
            metric = metrics.pop() if len(metrics) == 1 else ""
            rows.append({"model": row.model, "column": mean_name(board), "metric": metric, **_facts(row.mean, board)})
        for cell, column in zip(row.cells, board.columns, strict=True):
            if cell is not None:
                names = {"column": column.name, "eval": column.eval, "metric": column.metric}
                facts = _facts(_with_notes_of(row, cell), board)
                rows.append({"model": row.model, **names, **facts})
    return csv_table(_CSV_COLUMNS, rows)


def _with_notes_of(row: Row, cell: Cell) -> Cell:
    return replace(cell, notes=tuple(dict.fromkeys((*cell.notes, *row.notes))))


def _facts(cell: Cell, board: Board) -> dict[str, Any]:
    facts = {key: value for key, value in asdict(cell).items() if key in _CSV_COLUMNS and value is not None}
    facts["rank_first"], facts["rank_last"] = cell.ranks or ("", "")
    facts["notes"] = " ".join(board.notes[number - 1] for number in cell.notes)
    return facts


def json(board: Board) -> str:
    """Everything that is known of the board, as one JSON object."""
    told = asdict(board)
    for made, row in zip(told["rows"], board.rows, strict=True):
        for item, cell in zip((*made["cells"], made["mean"]), (*row.cells, row.mean), strict=True):
            if item is not None and cell is not None:
                item.update(leads=cell.leads, best=cell.best)
    return encode_text(told)
