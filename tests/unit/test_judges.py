"""Who judges, by which rule, what is said about it, and that the judge is part of what a run is."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

import aigc_evals
from aigc_evals.base import JudgeRule, RunResult
from aigc_evals.errors import UsageError
from aigc_evals.eval import Eval
from aigc_evals.log import read_events, read_spec
from aigc_evals.log.resume import DifferentRunError
from aigc_evals.tools.score import rescore

EVAL = "test-modelgraded"
META = "test-modelgraded-meta"
ITSELF_TOLD = "the model judges its own answers"


def model(prompt: Any, **kwargs: Any) -> str:
    return "my answer"


def grader(prompt: Any, **kwargs: Any) -> str:
    return "C"


FILE = """
def first(prompt, **kwargs): return "C"
def second(prompt, **kwargs): return "D"
"""


def go(
    fns: Any, log: Path, eval_name: str = EVAL, *, environ: dict[str, str] | None = None, **config: Any
) -> RunResult:
    return aigc_evals.run(fns, eval_name, environ=environ or {}, record_path=log, progress=False, **config)


def judge_of(log: Path) -> Any:
    spec = read_spec(log)
    assert spec is not None
    return spec["run_config"].get("judge")


@pytest.fixture
def named(tmp_path: Path) -> list[str]:
    """Names of two judges: one that says C, one that says D."""
    path = tmp_path / "裁判.py"
    path.write_text(FILE, encoding="utf-8")
    return [f"{path}:first", f"{path}:second"]


def test_the_rules_in_their_order(named: list[str], tmp_path: Path) -> None:
    """Each rule is used where those before it have nothing to say; D is said by the second judge alone."""
    one, other = named
    given = {"extra_eval_params": {"eval_model": one}}
    both, variable = {"judge": other}, {"AIGC_EVALS_JUDGE": other}
    cases: list[tuple[Any, dict[str, Any], dict[str, str], tuple[str, str], str]] = [
        ([model], {**given, **both}, variable, (one, JudgeRule.EVAL_MODEL), "C"),
        ([model], both, {"AIGC_EVALS_JUDGE": one}, (other, JudgeRule.NAMED), "D"),
        ([model, grader], {}, variable, ("grader", JudgeRule.LAST), "C"),
        ([model], {}, variable, (other, JudgeRule.ENVIRONMENT), "D"),
        ([grader], {}, {"AIGC_EVALS_JUDGE": "  "}, ("grader", JudgeRule.ITSELF), "C"),
    ]
    for number, (fns, config, environ, (name, rule), verdict) in enumerate(cases):
        log = tmp_path / f"{number}.jsonl"
        result = go(fns, log, environ=environ, **config)
        assert judge_of(log) == {"name": name, "rule": rule}
        assert result.report[f"counts/{verdict}"] == 6
        assert result.exit_code == 0


def test_with_judge_several_functions_are_all_asked(named: list[str], tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    config = {"eval_type": "classify", "modelgraded_spec": "best", "multicomp_n": "from_models"}
    data = tmp_path / "data.jsonl"
    data.write_text('{"input": "说你好"}\n', encoding="utf-8")
    go([model, grader], log, judge=named[0], extra_eval_params={**config, "samples_jsonl": str(data)})
    asked = [event.data.get("role") for event in read_events(log, "sampling")]
    assert sorted(asked, key=str) == [None, None, "judge"]


def test_a_judge_may_be_a_function(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    assert go(model, log, judge=grader).report["counts/C"] == 6
    assert judge_of(log) == {"name": "grader", "rule": JudgeRule.NAMED}


@pytest.mark.parametrize("place", ["judge", "AIGC_EVALS_JUDGE", "eval_model"])
def test_a_judge_that_is_unknown_is_named_with_where_it_was_named(place: str, tmp_path: Path) -> None:
    config: dict[str, Any] = {}
    environ = {}
    if place == "judge":
        config["judge"] = "nobody"
    elif place == "eval_model":
        config["extra_eval_params"] = {"eval_model": "nobody"}
    else:
        environ[place] = "nobody"
    with pytest.raises(UsageError, match=rf"\[{place}\]: no completion function is named 'nobody'"):
        go(model, tmp_path / "log.jsonl", environ=environ, **config)


def test_a_function_too_many_beside_a_named_judge_is_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="leave out the one that is not to be asked"):
        go([model, grader], tmp_path / "log.jsonl", judge="dummy")


def test_an_empty_name_is_no_judge() -> None:
    with pytest.raises(UsageError, match=r"\[judge\]"):
        aigc_evals.run("dummy", EVAL, judge="")


# -- what is said about it --------------------------------------------------------------------------------------------


def test_a_model_that_judges_itself_is_told_of_and_does_not_fail(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    result = go(grader, tmp_path / "log.jsonl")
    assert [ITSELF_TOLD in note for note in result.report["notes"]] == [True]
    assert (result.problems, result.exit_code) == ([], 0)
    assert ITSELF_TOLD in caplog.text
    again = go(grader, tmp_path / "log.jsonl")
    assert again.report["notes"] == result.report["notes"]


def test_nobody_judges_himself_where_the_samples_bring_the_answers(tmp_path: Path) -> None:
    result = go(grader, tmp_path / "log.jsonl", META)
    assert "notes" not in result.report
    assert judge_of(tmp_path / "log.jsonl") == {"name": "grader", "rule": JudgeRule.ITSELF}


def test_a_judge_under_test_is_not_replaced_by_the_variable(named: list[str], tmp_path: Path) -> None:
    go(grader, tmp_path / "a.jsonl", META, environ={"AIGC_EVALS_JUDGE": named[1]})
    assert judge_of(tmp_path / "a.jsonl") == {"name": "grader", "rule": JudgeRule.ITSELF}
    go(grader, tmp_path / "b.jsonl", META, judge=named[1])
    assert judge_of(tmp_path / "b.jsonl") == {"name": named[1], "rule": JudgeRule.NAMED}


@pytest.mark.parametrize(
    "eval_name, config, told",
    [
        ("test-match", {}, "--judge grader is not used: test-match.s1.simple-v0 has no judge"),
        (EVAL, {"extra_eval_params": {"eval_model": "baseline/judge"}}, "eval_model, baseline/judge, goes before it"),
    ],
)
def test_a_judge_that_is_not_used_is_told_of(
    eval_name: str, config: dict[str, Any], told: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    result = go(model, tmp_path / "log.jsonl", eval_name, judge=grader, **config)
    assert told in caplog.text
    assert "notes" not in result.report
    assert result.exit_code == 0


def test_the_variable_is_silent_where_there_is_no_judge(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    result = go(model, tmp_path / "log.jsonl", "test-match", environ={"AIGC_EVALS_JUDGE": "nobody"})
    assert "notes" not in result.report
    assert judge_of(tmp_path / "log.jsonl") is None
    assert "nobody" not in caplog.text


# -- part of the run --------------------------------------------------------------------------------------------------


def begun(log: Path, fns: Any = "dummy", **config: Any) -> None:
    """A log of a run that was killed half-way."""
    go(fns, log, **config)
    content = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(content[: len(content) // 2]))


def test_a_log_is_not_continued_with_another_judge(named: list[str], tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    begun(log, judge=named[0])
    with pytest.raises(DifferentRunError, match=r"judge was .*first.*, is now .*second"):
        go("dummy", log, judge=named[1])
    with pytest.raises(DifferentRunError, match=r"judge was .*first.*, is now .*dummy"):
        go("dummy", log)
    result = go("dummy", log, environ={"AIGC_EVALS_JUDGE": named[0]})
    assert result.report["counts/C"] == 6, "the same judge by another rule is the same judge"


def test_a_log_from_before_judges_were_noted_is_continued_where_the_judge_is_the_same(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    begun(log, "baseline/judge")
    lines = log.read_bytes().splitlines(keepends=True)
    assert b'"judge":{"name":"baseline/judge","rule":"itself"},' in lines[0]
    lines[0] = lines[0].replace(b'"judge":{"name":"baseline/judge","rule":"itself"},', b"")
    log.write_bytes(b"".join(lines))
    with pytest.raises(DifferentRunError, match="judge was null"):
        go("baseline/judge", log, judge="dummy")
    assert go("baseline/judge", log).report["planned"] == 6


@pytest.mark.parametrize("by", ["judge", "variable"])
def test_recorded_answers_are_scored_again_with_the_same_judge(by: str, named: list[str], tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    config: dict[str, Any] = {"judge": named[1]} if by == "judge" else {"environ": {"AIGC_EVALS_JUDGE": named[1]}}
    before = go("dummy", log, **config)
    after = rescore(log, record_path=tmp_path / "again.jsonl", progress=False)
    assert after.differences == []
    assert after.unanswered == 0
    assert after.result.report["counts/D"] == before.report["counts/D"] == 6


# -- evals of users ---------------------------------------------------------------------------------------------------


class Judged(Eval):
    """A user's eval that asks for a judge in its constructor."""

    def __init__(self, *args: Any, eval_model: str | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.grade = self.choose_judge(eval_model)

    def run(self, recorder: Any) -> dict[str, Any]:
        return {}


def test_other_classes_choose_by_the_same_rules() -> None:
    alone = Judged([model])
    assert alone.judge is not None
    assert (alone.judge.rule, alone.grade) == (JudgeRule.ITSELF, alone.completion_fns[0])
    several = Judged([model, model, grader])
    assert several.judge is not None
    assert (several.judge.rule, len(several.completion_fns)) == (JudgeRule.LAST, 2)
    assert several.grade(prompt="x").get_completions() == ["C"]
    given = Judged([model], eval_model="baseline/judge")
    assert given.judge is not None
    assert (given.judge.rule, given.judge.name) == (JudgeRule.EVAL_MODEL, "baseline/judge")
