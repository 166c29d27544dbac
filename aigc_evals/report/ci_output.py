"""What a build server reads of a run: thresholds that fail it, JUnit XML, the summary of a GitHub step."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from aigc_evals.base import RunResult
from aigc_evals.errors import AigcEvalsError, UsageError
from aigc_evals.files import write_whole
from aigc_evals.redact import Redactor
from aigc_evals.report.markdown import markdown

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def parse_thresholds(texts: Sequence[str]) -> dict[str, float]:
    """``metric=value`` each -> a mapping; UsageError where one is not of that form."""
    found: dict[str, float] = {}
    for text in texts:
        name, equals, value = text.rpartition("=")
        try:
            least = float(value)
        except ValueError:
            least = math.nan
        if not equals or not name.strip() or not math.isfinite(least):
            raise UsageError(f"expected metric=value with a number, got {text!r}", key="fail-under")
        found[name.strip()] = least
    return found


def below(report: Mapping[str, Any], thresholds: Mapping[str, float]) -> list[str]:
    """Why a report fails its thresholds, a sentence each.

    A metric is looked for among ``metrics`` (the mean over scored samples), then among the eval's own figures. One that is
    missing, or not a number, fails: nothing shows that it is high enough.
    """
    metrics = report.get("metrics") or {}
    found: list[str] = []
    for name, least in thresholds.items():
        value = metrics[name].get("value") if name in metrics else report.get(name)
        if name not in metrics and name not in report:
            have = ", ".join(metrics) or "none"
            found.append(f"there is no metric {name}, of which --fail-under asks {least:g}; there are: {have}")
        elif isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            found.append(f"{name} has no value, and --fail-under asks {least:g} of it")
        elif value < least:
            found.append(f"{name} is {_exactly(value, least)}, below the {least:g} that --fail-under asks")
    return found


def _exactly(value: float, least: float) -> str:
    """The value with as many digits as it takes to see that it is less."""
    short = f"{value:.4f}"
    return short if float(short) < least else repr(value)


@dataclass(frozen=True)
class Case:
    """What one eval came to, for a build server: ``problems`` fail it, ``error`` means that it could not run."""

    eval: str
    completion_fn: str
    seconds: float = 0.0
    problems: Sequence[str] = ()
    error: str | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, eval: str, completion_fn: str, result: RunResult | AigcEvalsError) -> Case:
        """The case of a ``RunResult``, or of the error that kept the eval from running."""
        if isinstance(result, AigcEvalsError):
            return cls(eval, completion_fn, error=str(result))
        report = result.report
        figures = {name: metric.get("value") for name, metric in (report.get("metrics") or {}).items()}
        figures |= {f"outcomes.{name}": count for name, count in (report.get("outcomes") or {}).items() if count}
        problems = list(result.problems)
        if result.interrupted:
            problems.append("the run was interrupted")
        return cls(eval, completion_fn, float(report.get("seconds") or 0.0), problems, None, figures)


def junit_xml(cases: Sequence[Case]) -> str:
    """The cases as the XML that build servers know from JUnit: one suite, one testcase per eval."""
    failures = sum(case.error is None and bool(case.problems) for case in cases)
    errors = sum(case.error is not None for case in cases)
    seconds = sum(case.seconds for case in cases)
    counts = f'tests="{len(cases)}" failures="{failures}" errors="{errors}" skipped="0" time="{seconds:.3f}"'
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites name="aigc_evals" {counts.replace(" skipped=" + chr(34) + "0" + chr(34), "")}>',
        f'  <testsuite name="aigc_evals" {counts}>',
    ]
    for case in cases:
        lines += _testcase(case)
    return "\n".join([*lines, "  </testsuite>", "</testsuites>", ""])


def _testcase(case: Case) -> list[str]:
    name, fn = _attribute(case.eval), _attribute(case.completion_fn)
    lines = [f'    <testcase name={name} classname={fn} time="{case.seconds:.3f}">']
    if case.figures:
        lines.append("      <properties>")
        lines += [
            f"        <property name={_attribute(key)} value={_attribute(str(value))}/>"
            for key, value in case.figures.items()
        ]
        lines.append("      </properties>")
    if case.error is not None:
        lines += _trouble("error", "the eval could not run", [case.error])
    elif case.problems:
        lines += _trouble("failure", case.problems[0], case.problems)
    return [*lines, "    </testcase>"]


def _trouble(element: str, message: str, texts: Sequence[str]) -> list[str]:
    from xml.sax.saxutils import escape  # takes as long to load as a tenth of a run of one sample

    text = escape(_clean("\n".join(texts)))
    return [f'      <{element} type="aigc_evals" message={_attribute(message)}>{text}</{element}>']


def _attribute(text: str) -> str:
    from xml.sax.saxutils import quoteattr

    return quoteattr(_clean(text), {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})


def _clean(text: str) -> str:
    """Without the characters that XML cannot hold at all."""
    return _NOT_XML.sub("\ufffd", text)


def write_junit(path: str | Path, cases: Sequence[Case]) -> None:
    """Write the XML in one go, making its folder; UsageError where that cannot be."""
    write_whole(path, [junit_xml(cases).encode("utf-8")], key="junit")


class BuildOutput:
    """What a build server is to get of the evals run within its block; written down when the block ends, however it ends.

    That is the JUnit file ``junit`` where one is asked for, and the summary of a GitHub step where the environment is one.
    ``warn`` is told what could not be written of the summary: it is no reason to fail a run.
    """

    def __init__(self, junit: str | Path | None, environ: Mapping[str, str], warn: Callable[[str], None]) -> None:
        self._junit = junit
        self._environ = environ
        self._warn = warn
        self._cases: list[Case] = []
        self._reports: list[tuple[str, Mapping[str, Any]]] = []

    def tell(self, eval: str, completion_fn: str, outcome: RunResult | AigcEvalsError) -> None:
        """One eval has ended, with a result or with the error that kept it from running."""
        case = Case.of(eval, completion_fn, outcome)
        if case.error is not None:
            case = replace(case, error=Redactor.from_environment(self._environ).text(case.error))
        self._cases.append(case)
        report = {"problems": [case.error]} if isinstance(outcome, AigcEvalsError) else outcome.report
        self._reports.append((f"{eval}  {completion_fn}", report))

    def __enter__(self) -> BuildOutput:
        return self

    def __exit__(self, *raised: object) -> None:
        summary = self._environ.get("GITHUB_STEP_SUMMARY")
        if summary and self._reports:
            try:
                with open(summary, "a", encoding="utf-8") as file:
                    file.write(markdown(self._reports) + "\n\n")
            except OSError as error:
                self._warn(f"warning: {summary}: the step summary cannot be written: {error.strerror}")
        if self._junit is not None:
            write_junit(self._junit, self._cases)
