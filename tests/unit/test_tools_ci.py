"""What build servers read: thresholds, JUnit XML, the summary of a step."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from support.registries import match_registry

from aigc_evals import RunResult, run
from aigc_evals.errors import UsageError
from aigc_evals.report.ci_output import BuildOutput, Case, below, junit_xml, parse_thresholds, write_junit

REPORT: dict[str, Any] = {
    "boostrap_std": 0.04,
    "partial": False,
    "score": None,
    "metrics": {"accuracy": {"value": 0.74999}, "f1_score": {"value": None}},
}

THRESHOLDS = [
    ({"accuracy": 0.7}, ""),
    ({"accuracy": 0.74999}, ""),
    ({"accuracy": 0.75}, "accuracy is 0.74999, below the 0.75 that --fail-under asks"),
    ({"accuracy": 0.8}, "accuracy is 0.7500, below the 0.8 that --fail-under asks"),
    ({"boostrap_std": 0.01}, ""),
    ({"f1_score": 0.1}, "f1_score has no value, and --fail-under asks 0.1 of it"),
    ({"score": 0.1}, "score has no value"),
    ({"partial": 0.0}, "partial has no value"),
    ({"准确率": 0.5}, "there is no metric 准确率, of which --fail-under asks 0.5; there are: accuracy, f1_score"),
]


@pytest.mark.parametrize(("thresholds", "sentence"), THRESHOLDS)
def test_a_metric_below_its_threshold_is_a_sentence(thresholds: dict[str, float], sentence: str) -> None:
    found = below(REPORT, thresholds)
    assert len(found) == bool(sentence)
    assert "".join(found).startswith(sentence)


def test_a_metric_that_is_not_a_number_fails() -> None:
    assert below({"metrics": {"accuracy": {"value": math.nan}}}, {"accuracy": 0.0})


def test_thresholds_are_metric_equals_value() -> None:
    assert parse_thresholds(["accuracy=0.5", "choice/A=b=1e-3", "准确率 = .9"]) == {
        "accuracy": 0.5,
        "choice/A=b": 0.001,
        "准确率": 0.9,
    }
    for wrong in ("accuracy", "=1", "accuracy=", "accuracy=viel", "accuracy=nan", "accuracy=inf"):
        with pytest.raises(UsageError, match="expected metric=value"):
            parse_thresholds([wrong])


def test_a_run_below_its_threshold_fails_and_its_log_says_why(tmp_path: Path) -> None:
    folder = match_registry(tmp_path / "registry", 4)
    log = tmp_path / "a.jsonl"

    def again(least: float) -> RunResult:
        return run(
            lambda prompt, **kwargs: "True",
            "many",
            registry_path=[folder],
            record_path=log,
            progress=False,
            fail_under={"accuracy": least},
        )

    failed = again(1.1)
    assert (failed.exit_code, failed.report["problems"]) == (1, failed.problems)
    assert failed.problems == ["accuracy is 1.0000, below the 1.1 that --fail-under asks"]
    assert "below the 1.1" in log.read_text(encoding="utf-8").splitlines()[-1]
    passed = again(0.9)
    assert (passed.exit_code, "problems" in passed.report) == (0, False)


def parsed(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text.encode())


def test_junit_has_a_testcase_per_eval() -> None:
    suite = parsed(
        junit_xml(
            [
                Case("好.test.v0", "模型", 1.5, figures={"accuracy": 0.5}),
                Case("bad.test.v0", "a,b", 0.25, ["below", 'and <more> & "worse" ]]> \x1b[0m\x00']),
                Case("never.test.v0", "c", error="no such\nmodel"),
            ]
        )
    )[0]
    counts = {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped", "time")}
    assert counts == {"tests": "3", "failures": "1", "errors": "1", "skipped": "0", "time": "1.750"}
    good, bad, never = suite.findall("testcase")
    assert (good.get("name"), good.get("classname"), good.get("time")) == ("好.test.v0", "模型", "1.500")
    assert [one.attrib for one in good.iter("property")] == [{"name": "accuracy", "value": "0.5"}]
    assert good.find("failure") is None
    failure, error = bad.find("failure"), never.find("error")
    assert failure is not None
    assert error is not None
    assert failure.get("message") == "below"
    assert failure.text == 'below\nand <more> & "worse" ]]> \ufffd[0m\ufffd'
    assert error.text == "no such\nmodel"


def test_junit_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "new" / "结果.xml"
    write_junit(path, [Case("a.b", "c")])
    assert parsed(path.read_text(encoding="utf-8")).tag == "testsuites"
    assert list(path.parent.iterdir()) == [path]
    with pytest.raises(UsageError, match="cannot be written"):
        write_junit(tmp_path / "new" / "结果.xml" / "x.xml", [])


def test_a_step_s_summary_is_appended_and_never_fails_a_run(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("前面的\n\n", encoding="utf-8")
    result = RunResult({"metrics": {}, "outcomes": {"scored": 0, "error": 2}, "planned": 2}, "id", None, ["坏了 | <b>"])
    result.report["problems"] = result.problems
    warnings: list[str] = []
    with BuildOutput(None, {"GITHUB_STEP_SUMMARY": str(summary)}, warnings.append) as build:
        build.tell("a_b.test.v0", "模型", result)
        build.tell("c.test.v0", "模型", UsageError("no eval is named 'c'"))
    text = summary.read_text(encoding="utf-8")
    assert text.startswith(
        "前面的\n\n### a\\_b.test.v0 模型\n\nOutcomes: 2 error (of 2 planned).\n\n- 坏了 \\| \\<b\\>\n"
    )
    assert "no eval is named 'c'" in text
    assert warnings == []
    with BuildOutput(None, {"GITHUB_STEP_SUMMARY": str(tmp_path)}, warnings.append) as build:
        build.tell("a", "b", result)
    assert "cannot be written" in warnings[0]


def test_secrets_do_not_get_into_the_build_s_files(tmp_path: Path) -> None:
    path = tmp_path / "j.xml"
    environ = {"OPENAI_API_KEY": "sk-geheim-1234567890abcdef"}
    with BuildOutput(path, environ, print) as build:
        build.tell("a.b", "c", UsageError("refused: key sk-geheim-1234567890abcdef"))
    assert "geheim" not in path.read_text(encoding="utf-8")
