"""Reports as Markdown: for files, pages, and the summary of a build."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aigc_evals.statistics.groups import group_table


def markdown(reports: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """Reports with their titles as Markdown: a heading, the metrics, the ledger and the problems of each."""
    parts: list[str] = []
    for title, report in reports:
        rows = [("metric", "value", "n", "std. error", "95 % interval", "method")]
        for name, metric in (report.get("metrics") or {}).items():
            low, high = metric.get("low"), metric.get("high")
            interval = "-" if low is None or high is None else f"{number(low)} to {number(high)}"
            figures = [number(metric.get(key)) for key in ("value", "n", "stderr")]
            rows.append((name, *figures, interval, str(metric.get("method"))))
        told = ", ".join(f"{count} {name}" for name, count in (report.get("outcomes") or {}).items() if count)
        lines = [f"### {escaped(title)}", ""]
        if len(rows) > 1:
            lines += [markdown_table(rows), ""]
        groups = group_table(report)
        if groups:
            lines += [markdown_table(groups), ""]
        lines.append(f"Outcomes: {told or 'none'} (of {report.get('planned', 0)} planned).")
        if report.get("partial"):
            lines += ["", "**Partial**: the run has not come to its end."]
        lines += [
            f"{'' if i else chr(10)}- {escaped(problem)}" for i, problem in enumerate(report.get("problems") or [])
        ]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Rows, the first of them the head, as a Markdown table; text in cells stays text."""
    head, *body = [[escaped(cell) for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, ["---"] * len(head), *body])


def escaped(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    plain = " ".join(text.split())
    for character in "\\|<>*_`[]":
        plain = plain.replace(character, "\\" + character)
    return plain


def number(value: Any) -> str:
    """A figure as tables show it: four decimals, or a dash for what is not known."""
    return "-" if value is None else f"{value:.4f}" if isinstance(value, float) else str(value)
