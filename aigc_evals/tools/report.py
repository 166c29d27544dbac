"""The report of a run, made from its log alone: also of a run that was killed, and a check of one that was not.

Everything is computed again from the events: the metrics, the outcomes, and by its class the own figures of an eval of this
package, where these need nothing but events. What needs more (corpus BLEU its tokenizer, an eval of the user's own its code), and
what the events do not tell (wall time), comes from the log's final report, where there is one.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aigc_evals import __version__
from aigc_evals.errors import UsageError
from aigc_evals.fastjson import decode, encode, encode_text
from aigc_evals.log import read_samples, require_spec
from aigc_evals.objects import is_ours, load_object
from aigc_evals.record import Recorder
from aigc_evals.report import build, is_own, plain_number, render
from aigc_evals.report.markdown import markdown, markdown_table, number
from aigc_evals.statistics.groups import group_rows

FORMATS = ("table", "markdown", "csv", "json")

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_CARRIED = ("adjusted", "delivery", "notes")
_COUNTED = ("requests", "retries", "cache_hits")
_OUR_EVALS = ("aigc_evals.elsuite.", "evals.elsuite.")
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

    A run without a final report is marked ``partial``, and what it had not come to counts as ``skipped``. Where a final
    report does not fit the events (its metrics, outcomes, counts, or own figures), that is a problem, and named; the report
    has what the events say.
    """
    path = Path(path)
    spec = require_spec(path)
    recorder = Recorder(None, path=path)
    final: dict[str, Any] = {}
    finished = 0
    for events, state in read_samples(path):
        if events:
            recorder.scores.add(events)
            finished += 1
        final = state.report or {}
    config = spec.get("run_config") or {}
    repeats = int(config.get("repeats") or 1)
    problems: list[str] = []
    recorder.planned = max(_told_planned(final, finished, problems) or _planned(config, repeats), finished)
    own = _own(config, final, recorder, problems)
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
    problems += [*_miscounted(report, final), *_take_over(report, final)]
    if problems or final.get("problems"):
        report["problems"] = [*(final.get("problems") or ()), *problems]
    return LogReport(path, spec, report)


def _planned(config: Mapping[str, Any], repeats: int) -> int:
    rows = int(((config.get("data") or {}).get("samples") or {}).get("rows") or 0)
    most = config.get("max_samples")
    return repeats * (rows if most is None else min(rows, int(most)))


def _told_planned(final: Mapping[str, Any], finished: int, problems: list[str]) -> int:
    """How many samples the final report says were planned; no more than there can have been."""
    told = int(final.get("planned") or 0)
    most = sum((final.get("outcomes") or {}).values()) if final.get("partial") else finished
    if told > most:
        problems.append(f"the log's final report has {told} planned, its events are of {most} samples")
    return min(told, most)


def _own(
    config: Mapping[str, Any], final: Mapping[str, Any], recorder: Recorder, problems: list[str]
) -> dict[str, Any]:
    """The eval's own figures of the final report; from the events where those give others."""
    own = {key: value for key, value in final.items() if is_own(key)}
    for key, made in _made_again(config, recorder).items() if own else ():
        value = plain_number(made)
        if key in own and not _fits(own[key], value):
            problems.append(f"the log's final report has {own[key]} as the eval's own {key}, its events have {value}")
            own[key] = value
    return own


class _OnlyReads:
    """Put before an eval's class, makes one that has nothing to ask: its ``run`` reads what the recorder has."""

    judge = None

    def __init__(self) -> None:
        pass

    def get_samples(self) -> list[Any]:
        return []

    def eval_all_samples(self, *_args: Any, **_kwargs: Any) -> list[Any]:
        return []


def _made_again(config: Mapping[str, Any], recorder: Recorder) -> Mapping[str, Any]:
    """What the eval's class makes of the recorded events; nothing where the class is not ours, or was another version's."""
    name = str((config.get("eval_spec") or {}).get("cls"))
    if not name.startswith(_OUR_EVALS) or (config.get("versions") or {}).get("aigc_evals") != __version__:
        return {}
    try:
        cls = load_object(name)
        made: Mapping[str, Any] = type(cls.__name__, (_OnlyReads, cls), {})().run(recorder) if is_ours(cls) else {}
    except Exception:
        # It needs more than the events: its arguments, its samples, a library that is not here.
        return {}
    return made


def _fits(told: Any, made: Any) -> bool:
    numbers = all(value is None or isinstance(value, (int, float)) for value in (told, made))
    return _same(told, made) if numbers else told == decode(encode(made))


def _miscounted(report: Mapping[str, Any], final: Mapping[str, Any]) -> list[str]:
    """Where the final report counts outcomes or requests otherwise than the events do."""
    pairs = [(name, count, (final.get("outcomes") or {}).get(name, 0)) for name, count in report["outcomes"].items()]
    pairs = pairs if "outcomes" in final else []
    pairs += [(name, report[name], final[name]) for name in _COUNTED if name in final]
    return [
        f"the log's final report has {told} {name}, its events have {count}"
        for name, count, told in pairs
        if told != count
    ]


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
