"""The final report: an eval's own figures, and beside them what they are worth.

``build`` puts the uncertainty of every metric, the ledger of outcomes and the costs next to what ``Eval.run`` returned;
``render`` shows it to a person.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aigc_evals.base import Outcome
from aigc_evals.columns import table
from aigc_evals.record import Recorder
from aigc_evals.record.scores import MATCH, Scored, ScoreTable
from aigc_evals.statistics import mean_estimate, missing_bounds
from aigc_evals.statistics.groups import group_report, group_table, is_group_key
from aigc_evals.statistics.repeats import grouped, is_binary, pass_all_k, pass_at_k, passes, shown_ks

_MOST_SHARES = 12
"""Labels of more kinds than this are no verdicts, and their shares are not reported."""

_MOST_GROUPS = 20
"""Groups of an axis that a table for a terminal has; the report and the other forms have all."""

OUR_KEYS = (
    "planned",
    "outcomes",
    "headline",
    "metrics",
    "groups",
    "repeats",
    "requests",
    "retries",
    "cache_hits",
    "seconds",
    "partial",
    "adjusted",
    "delivery",
    "notes",
    "problems",
)
"""The keys of a final report that are not the eval's own (nor ``usage_*``, nor those of groups)."""


def build(
    result: Mapping[str, Any],
    recorder: Recorder,
    *,
    metric_ranges: Mapping[str, tuple[float, float]],
    primary: str | None = None,
    seconds: float = 0.0,
    partial: bool = False,
    adjusted: Mapping[str, Any] | None = None,
    repeats: int = 1,
) -> dict[str, Any]:
    """The final report. ``primary`` names the headline metric where the registry says it, ``seconds`` is wall time,
    ``repeats`` how many times each sample was to be asked.

    Keys of ``result`` (upstream's) stay as they are. ``metrics`` holds per metric the mean over scored samples with n,
    standard error, 95 % interval, its method, and the bounds it would have with all missing samples at their worst or best.
    """
    scores = recorder.scores
    report: dict[str, Any] = {key: plain_number(value) for key, value in result.items()}
    for key, total in scores.usage.items():
        report.setdefault(f"usage_{key}", total)
    ledger = outcomes(scores, recorder.planned)
    metrics = _metrics(scores, recorder.planned, metric_ranges, repeats)
    report.update(
        planned=recorder.planned,
        outcomes=ledger,
        headline=_headline(metrics, primary),
        metrics=metrics,
        requests=scores.totals["requests"],
        retries=scores.totals["retries"],
        cache_hits=scores.totals["cache_hits"],
        seconds=round(seconds, 3),
        partial=partial,
    )
    report.update(_groups(scores, report["headline"]))
    if repeats > 1:
        report["repeats"] = repeats
    if adjusted:
        report["adjusted"] = dict(adjusted)
    return report


def is_own(key: str) -> bool:
    """Whether a key of a final report is the eval's own, and not one that every report has."""
    return not (key in OUR_KEYS or key.startswith("usage_") or is_group_key(key))


def outcomes(scores: ScoreTable, planned: int) -> dict[str, int]:
    """How many samples ended in which outcome; what has not ended was skipped, so that the sum is what was planned."""
    ledger = {outcome.value: scores.outcomes[outcome.value] for outcome in Outcome}
    ledger[Outcome.SKIPPED.value] += max(0, planned - sum(ledger.values()))
    return ledger


def _metrics(
    scores: ScoreTable, planned: int, metric_ranges: Mapping[str, tuple[float, float]], repeats: int
) -> dict[str, dict[str, Any]]:
    metrics: dict[str, dict[str, Any]] = {}
    for key in scores.events:
        name = "accuracy" if key == MATCH else key
        if key == MATCH and "accuracy" in scores.events:
            continue
        column = scores.scored.get(key) or Scored()
        clusters = column.clusters if scores.has_clusters else None
        if repeats > 1:
            metrics |= _repeated(name, column, scores, planned, metric_ranges.get(name), repeats)
            continue
        metrics[name] = _metric(column.values, clusters, planned, metric_ranges.get(name))
    for key, labels in scores.scored_labels.items():
        if len(labels.names) > _MOST_SHARES:
            continue
        clusters = labels.clusters if scores.has_clusters else None
        for label, code in sorted(labels.names.items()):
            shares = array("d", (float(other == code) for other in labels.codes))
            if repeats > 1:
                metrics[f"{key}/{label}"] = _mean_of_means(
                    shares, labels.rows, labels.clusters, scores, planned, (0.0, 1.0)
                )
                continue
            metrics[f"{key}/{label}"] = _metric(shares, clusters, planned, (0.0, 1.0))
    return metrics


def _groups(scores: ScoreTable, headline: str | None) -> dict[str, Any]:
    """Accuracy by group, else the headline, where samples have groups."""
    name = next((key for key in ("accuracy", MATCH, headline) if key in scores.scored), None)
    if name is None or not scores.group_sets:
        return {}
    column = scores.scored[name]
    sets = [dict(labels) for labels in scores.group_sets]
    shown = "accuracy" if name == MATCH else name
    clusters = column.clusters if scores.has_clusters else None
    return group_report(shown, column.values, column.groups, sets, clusters=clusters, rows=column.rows)


def _repeated(
    name: str,
    column: Scored,
    scores: ScoreTable,
    planned: int,
    value_range: tuple[float, float] | None,
    repeats: int,
) -> dict[str, dict[str, Any]]:
    """A metric of samples that were asked several times, and what k answers to each are worth where it is right or wrong."""
    found = {name: _mean_of_means(column.values, column.rows, column.clusters, scores, planned, value_range)}
    if not column.values or not is_binary(column.values):
        return found
    samples = planned // repeats
    answers = grouped(column.values, column.rows, column.clusters)
    for sign, estimator in (("@", pass_at_k), ("^", pass_all_k)):
        for k in shown_ks(repeats):
            values, codes = passes(answers, k, estimator)
            clusters = codes if scores.has_clusters else None
            found[f"{name}/pass{sign}{k}"] = _metric(values, clusters, samples, (0.0, 1.0))
    voted = scores.votes.majorities() if name == "accuracy" and scores.votes.rows else None
    if voted is not None:
        shares, codes = voted
        found[f"{name}/majority"] = _metric(shares, codes if scores.has_clusters else None, samples, (0.0, 1.0))
    return found


def _mean_of_means(
    values: Sequence[float],
    rows: Sequence[int],
    codes: Sequence[int],
    scores: ScoreTable,
    planned: int,
    value_range: tuple[float, float] | None,
) -> dict[str, Any]:
    """The mean over samples of the mean over each sample's answers: what is independent of each other are samples."""
    samples = grouped(values, rows, codes)
    metric = _metric(samples.means, samples.clusters if scores.has_clusters else None, 0, value_range)
    metric["answers"] = len(values)
    if value_range is not None:
        missing = max(0, planned - len(values))
        metric["bounds"] = list(missing_bounds(math.fsum(values), len(values), missing, *value_range))
    return metric


def _metric(
    values: Sequence[float], clusters: Sequence[int] | None, planned: int, value_range: tuple[float, float] | None
) -> dict[str, Any]:
    estimate = mean_estimate(values, clusters=clusters, bounds=value_range)
    metric = {
        "value": plain_number(estimate.value),
        "n": estimate.n,
        "stderr": plain_number(estimate.stderr),
        "low": plain_number(estimate.low),
        "high": plain_number(estimate.high),
        "method": estimate.method,
    }
    if estimate.clusters is not None:
        metric["clusters"] = estimate.clusters
        metric["design_effect"] = plain_number(estimate.design_effect)
    if value_range is not None:
        metric["bounds"] = list(
            missing_bounds(math.fsum(values), estimate.n, max(0, planned - estimate.n), *value_range)
        )
    return metric


def _headline(metrics: Mapping[str, Any], primary: str | None) -> str | None:
    """The metric that stands for the run: the registry's, else accuracy or score, else the first that is no mere share."""
    if primary in metrics:
        return primary
    return next(
        (name for name in ("accuracy", "score", *(n for n in metrics if "/" not in n)) if name in metrics), None
    )


def plain_number(value: Any) -> Any:
    """A number as JSON has it: numpy scalars become Python's, NaN and infinities become None."""
    if hasattr(value, "item") and not isinstance(value, (list, dict, str)):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def render(report: Mapping[str, Any], *, title: str = "", log_path: object = None) -> str:
    """The report as a calm table for a terminal; the path of the log comes last."""
    lines = [title, ""] if title else []
    metrics: Mapping[str, Mapping[str, Any]] = report.get("metrics") or {}
    if metrics:
        order = sorted(metrics, key=lambda name: name != report.get("headline"))
        # With one answer, pass@k and pass^k are the mean that stands above them.
        order = [name for name in order if not name.endswith(("/pass@1", "/pass^1"))]
        head = ("metric", "value", "n", "std. error", "95 % interval", "method")
        lines += [*table([head, *(_metric_row(name, metrics[name]) for name in order)]), ""]
    groups = group_table(report, _MOST_GROUPS)
    if groups:
        lines += [*table(groups), ""]
    facts = [*_facts(report, metrics)]
    if log_path is not None:
        facts.append(("log", str(log_path)))
    return "\n".join(lines + table(facts))


def _facts(report: Mapping[str, Any], metrics: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    planned = report.get("planned", 0)
    told = ", ".join(f"{count} {name}" for name, count in (report.get("outcomes") or {}).items() if count)
    repeats = report.get("repeats", 1)
    each = f", {planned // repeats} samples {repeats} times" if repeats > 1 else ""
    yield "outcomes", f"{told or 'none'} (of {planned} planned{each})"
    headline = metrics.get(report.get("headline") or "", {})
    missing = planned - (headline.get("answers", headline.get("n")) or 0)
    if missing > 0 and headline.get("bounds"):
        low, high = map(_number, headline["bounds"])
        yield "bounds", f"{report['headline']} {low} to {high}, with the {missing} not scored all wrong or all right"
    own = {key: value for key, value in report.items() if is_own(key) and not isinstance(value, Mapping)}
    yield "report", ", ".join(f"{key} {_number(value)}" for key, value in own.items()) or "nothing"
    usage = {key.removeprefix("usage_"): value for key, value in report.items() if key.startswith("usage_")}
    if any(usage.values()):
        yield "usage", ", ".join(f"{value:,} {key}" for key, value in usage.items() if value)
    calls = f"{report.get('requests', 0):,}, {report.get('retries', 0):,} of them repeats"
    if report.get("cache_hits"):
        calls += f", {report['cache_hits']:,} answers from the cache"
    yield "requests", calls
    yield "seconds", f"{report.get('seconds', 0):,.1f}"
    for endpoint, change in (report.get("adjusted") or {}).items():
        yield "adjusted", f"{endpoint}: {change}"
    for delivery in report.get("delivery") or []:
        sent = f"{delivery['delivered']} events delivered, {delivery['failed']} not"
        yield delivery["name"], f"{sent}. {delivery['message']}".strip()
    if report.get("partial"):
        yield (
            "partial",
            "the run was stopped before its end; the same command with --resume, or with this --record_path, goes on",
        )
    for note in report.get("notes") or []:
        yield "note", note
    for problem in report.get("problems") or []:
        yield "problem", problem


def headline_row(report: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """The headline of a report for a table of several: metric, value, interval, and how many of the planned count."""
    name = report.get("headline")
    metric = (report.get("metrics") or {}).get(name)
    planned = report.get("planned", 0)
    if metric is None:
        return ("-", "-", "-", f"0 of {planned}")
    counted = metric.get("answers", metric["n"])
    return (str(name), _number(metric["value"]), _interval(metric), f"{counted} of {planned}")


def _metric_row(name: str, metric: Mapping[str, Any]) -> tuple[str, ...]:
    method = metric["method"]
    if metric.get("clusters"):
        method += f", {metric['clusters']} clusters"
    return (name, _number(metric["value"]), str(metric["n"]), _number(metric["stderr"]), _interval(metric), method)


def _interval(metric: Mapping[str, Any]) -> str:
    if metric["low"] is None or metric["high"] is None:
        return "-"
    return f"{_number(metric['low'])} to {_number(metric['high'])}"


def _number(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4f}"
    return str(value)
