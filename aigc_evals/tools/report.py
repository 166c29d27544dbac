"""The report of a run, made from its log alone: also of a run that was killed, and a check of one that was not.

The metrics are computed again from the events. What only the eval's own code can compute (its figures under the keys of
openai/evals) and what the events do not tell (wall time) comes from the log's final report, where there is one.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aigc_evals.errors import UsageError
from aigc_evals.fastjson import encode_text
from aigc_evals.log import read_samples, require_spec
from aigc_evals.record import Recorder
from aigc_evals.report import build, is_own, render
from aigc_evals.report.markdown import markdown, markdown_table, number
from aigc_evals.statistics.groups import group_rows

FORMATS = ("table", "markdown", "csv", "json")

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_CARRIED = ("adjusted", "delivery")
_RANGES: Mapping[str, tuple[float, float]] = {"accuracy": (0.0, 1.0), "metascore": (0.0, 1.0)}
_COLUMNS = ("eval", "completion_fns", "metric", "value", "n", "low", "high", "planned", "scored", "state", "log")


@dataclass(frozen=True)
class LogReport:
    """The report of one log, and what it is a report of. ``state`` is ``finished``, ``partial`` or ``problems``."""

    path: Path
    spec: dict[str, Any]
    report: dict[str, Any]

    @property
    def title(self) -> str:
        return f"{self.spec.get('eval_name')}  {self.functions}"

    @property
    def functions(self) -> str:
        return ",".join(map(str, self.spec.get("completion_fns") or ()))

    @property
    def state(self) -> str:
        return "partial" if self.report["partial"] else "problems" if self.report.get("problems") else "finished"

    def row(self) -> dict[str, Any]:
        """The headline metric with its interval, as one row of a table."""
        name = self.report["headline"]
        metric = self.report["metrics"].get(name, {})
        values = (
            self.spec.get("eval_name"),
            self.functions,
            name,
            *(metric.get(key) for key in ("value", "n", "low", "high")),
            self.report["planned"],
            self.report["outcomes"]["scored"],
            self.state,
            str(self.path),
        )
        return dict(zip(_COLUMNS, values, strict=True))

    def group_rows(self) -> list[dict[str, Any]]:
        """The same for every group, and for the mean over the groups of each axis."""
        rows: list[dict[str, Any]] = []
        for axis, label, figures in group_rows(self.report):
            name, value = next((key, figures[key]) for key in figures if key not in ("n", "stderr"))
            metric = f"macro/{axis}" if name == "value" else f"{name}/{axis}/{label}"
            empty = dict.fromkeys(("low", "high", "scored", "planned"))
            rows.append({**self.row(), **empty, "metric": metric, "value": value, "n": figures["n"]})
        return rows

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON has it, after the facts of the run."""
        facts = {key: self.spec.get(key) for key in ("run_id", "eval_name", "completion_fns", "created_at")}
        return {"log": str(self.path), **facts, "state": self.state, "report": self.report}


def report_of(path: str | Path) -> LogReport:
    """The report of one log; UsageError where the file is none.

    A run without a final report is marked ``partial``, and what it had not come to counts as ``skipped``. A final report
    whose metrics are not those of the events is a problem, and named.
    """
    path = Path(path)
    spec = require_spec(path)
    recorder = Recorder(None)
    final: dict[str, Any] = {}
    finished = 0
    for events, state in read_samples(path):
        if events:
            recorder.scores.add(events)
            finished += 1
        final = state.report or {}
    config = spec.get("run_config") or {}
    repeats = int(config.get("repeats") or 1)
    recorder.planned = max(int(final.get("planned") or _planned(config, repeats)), finished)
    own = {key: value for key, value in final.items() if is_own(key)}
    report = build(
        own,
        recorder,
        metric_ranges=_RANGES,
        primary=final.get("headline"),
        seconds=float(final.get("seconds") or 0.0),
        partial=bool(final.get("partial")) if final else True,
        repeats=repeats,
    )
    report.update({key: final[key] for key in _CARRIED if key in final})
    problems = [*(final.get("problems") or ()), *_take_over(report, final)]
    if problems:
        report["problems"] = problems
    return LogReport(path, spec, report)


def _planned(config: Mapping[str, Any], repeats: int) -> int:
    rows = int(((config.get("data") or {}).get("samples") or {}).get("rows") or 0)
    most = config.get("max_samples")
    return repeats * (rows if most is None else min(rows, int(most)))


def _take_over(report: dict[str, Any], final: Mapping[str, Any]) -> list[str]:
    """Put the final report's word on each metric (it knows its range) in place of ours; say where the figures differ."""
    problems: list[str] = []
    metrics = report["metrics"]
    for name, told in (final.get("metrics") or {}).items():
        ours = metrics.get(name)
        if ours is not None and ours["n"] == told.get("n") and _same(ours["value"], told.get("value")):
            metrics[name] = told
        elif ours is not None or told.get("n"):
            have = "nothing" if ours is None else f"{ours['value']} over {ours['n']}"
            problems.append(
                f"the log's final report has {name} {told.get('value')} over {told.get('n')}, its events have {have}"
            )
    return problems


def _same(left: Any, right: Any) -> bool:
    if left is None or right is None:
        return left is right
    return math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-12)


def rendered(reports: Sequence[LogReport], form: str = "table") -> str:
    """One report or several as text: ``table`` for a terminal, ``markdown``, ``csv`` or ``json``.

    One report alone is shown whole as a table, as Markdown with all its metrics, and as an object; several are a row, or an
    item of an array, each. CSV has a row per log always, and one per
    group below it (``<headline>/<axis>/<label>``).
    """
    if form not in FORMATS:
        raise UsageError(f"expected one of {', '.join(FORMATS)}, got {form!r}", key="format")
    if form == "json":
        values = [one.as_dict() for one in reports]
        return encode_text(values[0] if len(values) == 1 else values)
    if form == "csv":
        return csv_table(_COLUMNS, [row for one in reports for row in (one.row(), *one.group_rows())])
    if form == "markdown":
        return markdown([(one.title, one.report) for one in reports]) if len(reports) == 1 else _markdown_rows(reports)
    if len(reports) == 1:
        return render(reports[0].report, title=reports[0].title, log_path=reports[0].path)
    return _table(reports)


def csv_table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as CSV, without the last line end; what a row lacks is empty. Text that a spreadsheet program would take for a
    formula has ``'`` before it: names come from logs, which may be anybody's.
    """
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows({key: _harmless(value) for key, value in row.items()} for row in rows)
    return out.getvalue().rstrip("\n")


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _cells(one: LogReport) -> list[str]:
    row = one.row()
    interval = "-" if row["low"] is None or row["high"] is None else f"{row['low']:.4f} to {row['high']:.4f}"
    scored = f"{row['scored']} of {row['planned']}"
    names = [str(row[key]) for key in ("eval", "completion_fns")]
    return [*names, str(row["metric"] or "-"), number(row["value"]), number(row["n"]), interval, scored, one.state]


_HEADS = ("eval", "completion function", "metric", "value", "n", "95 % interval", "scored", "state")


def _table(reports: Sequence[LogReport]) -> str:
    from aigc_evals.columns import table

    return "\n".join(table([(*_HEADS, "log"), *((*_cells(one), str(one.path)) for one in reports)]))


def _markdown_rows(reports: Sequence[LogReport]) -> str:
    return markdown_table([(*_HEADS, "log"), *((*_cells(one), one.path.name) for one in reports)])
