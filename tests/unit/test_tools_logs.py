"""Reports, single samples and new scores, made from logs alone."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.registries import registry, rows

from aigc_evals import TextResult, run
from aigc_evals.errors import UsageError
from aigc_evals.tools.report import rendered, report_of
from aigc_evals.tools.samples import lines, views
from aigc_evals.tools.score import rescore

MATCH = "aigc_evals.elsuite.basic.match:Match"
INCLUDES = "aigc_evals.elsuite.basic.includes:Includes"
FUZZY = "aigc_evals.elsuite.basic.fuzzy_match:FuzzyMatch"
CLASSIFY = "aigc_evals.elsuite.modelgraded.classify:ModelBasedClassify"

FILES = {
    "evals/e.yaml": f"""
    plain:
      id: plain.dev.v0
    plain.dev.v0:
      class: {MATCH}
      args:
        samples_jsonl: plain.jsonl
    graded:
      id: graded.dev.v0
    graded.dev.v0:
      class: {CLASSIFY}
      args:
        samples_jsonl: plain.jsonl
        modelgraded_spec: kind
        eval_type: classify
    """,
    "modelgraded/m.yaml": """
    kind:
      prompt: |-
        问：{input}
        答：{completion}
        对不对？
      choice_strings: ["Y", "N"]
      choice_scores: {"Y": 1.0, "N": 0.0}
      input_outputs:
        input: completion
    """,
    "completion_fns/f.yaml": """
    thinker:
      class: aigc_evals.completion_fns.cot:ChainOfThoughtCompletionFn
      args:
        cot_completion_fn: THINKER
    """,
}


def answer(prompt: Any, **_kwargs: Any) -> TextResult:
    """Right on questions whose number is even; number 3 is cut, number 5 is thought about."""
    number = int("".join(c for c in prompt if c.isdigit()))
    if number == 3:
        return TextResult("Tr", finish_reason="length")
    text = "True" if number % 2 == 0 else "说不清，也许 True"
    return TextResult(text, reasoning="想一想" if number == 5 else None, usage={"total_tokens": 7}, model="甲-1")


def judge(prompt: Any, **_kwargs: Any) -> str:
    return "N" if "说不清" in str(prompt) else "Y"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return registry(tmp_path / "registry", FILES, {"plain.jsonl": rows(20)})


def made(folder: Path, name: str, fn: Any, eval: str = "plain", **config: Any) -> Path:
    path = folder / f"{name}.jsonl"
    run(fn, eval, registry_path=[folder], record_path=path, progress=False, **config)
    return path


def killed(path: Path, keep: int) -> Path:
    """The log as a kill would have left it: so many whole samples, and a piece of a line."""
    short = path.with_name("killed.jsonl")
    kept: list[bytes] = []
    ended = 0
    for line in path.read_bytes().splitlines(keepends=True):
        kept.append(line)
        ended += b'"type":"sample"' in line
        if ended == keep:
            break
    short.write_bytes(b"".join(kept) + b'{"run_id":"x","event')
    return short


# -- report


@pytest.mark.parametrize("eval", ["plain", "graded"])
def test_the_report_of_a_finished_log_is_the_run_s_own(folder: Path, eval: str) -> None:
    result = run(
        [answer, judge][: 1 + (eval == "graded")], eval, registry_path=[folder], record_path=folder / "a.jsonl"
    )
    assert report_of(folder / "a.jsonl").report == json.loads(json.dumps(result.report))
    assert report_of(folder / "a.jsonl").state == "finished"


def test_the_report_of_a_killed_run_tells_what_it_had_come_to(folder: Path) -> None:
    found = report_of(killed(made(folder, "a", answer), 8))
    assert found.state == "partial"
    assert found.report["partial"] is True
    assert found.report["planned"] == 20
    assert found.report["outcomes"]["skipped"] == 12
    low, high = found.report["metrics"]["accuracy"]["bounds"]
    assert high - low == pytest.approx(1 - found.report["metrics"]["accuracy"]["n"] / 20)


def test_a_report_that_does_not_fit_its_events_is_named(folder: Path) -> None:
    path = made(folder, "a", answer)
    head, last = path.read_bytes().rstrip(b"\n").rsplit(b"\n", 1)
    value = json.loads(last)["final_report"]["metrics"]["accuracy"]["value"]
    forged = last.replace(f'"value":{value}'.encode(), b'"value":0.99')
    assert forged != last
    path.write_bytes(head + b"\n" + forged + b"\n")
    found = report_of(path)
    assert found.state == "problems"
    assert "the log's final report has accuracy 0.99 over 19" in found.report["problems"][0]
    assert found.report["metrics"]["accuracy"]["value"] == pytest.approx(value)


def test_several_logs_are_a_table_in_every_format(folder: Path) -> None:
    whole = made(folder, "a", answer)
    both = [report_of(whole), report_of(killed(whole, 8))]
    assert [line.split()[-2] for line in rendered(both).splitlines()] == ["state", "finished", "partial"]
    assert rendered(both, "markdown").splitlines()[1].count("---") == 9
    table = list(csv.DictReader(io.StringIO(rendered(both, "csv"))))
    assert [row["state"] for row in table] == ["finished", "partial"]
    assert float(table[0]["value"]) == both[0].report["metrics"]["accuracy"]["value"]
    assert [one["report"]["partial"] for one in json.loads(rendered(both, "json"))] == [False, True]
    assert json.loads(rendered(both[:1], "json"))["eval_name"] == "plain.dev.v0"
    assert "| accuracy |" in rendered(both[:1], "markdown")
    with pytest.raises(UsageError, match="expected one of table"):
        rendered(both, "xml")


# -- samples


def test_a_sample_is_shown_whole(folder: Path) -> None:
    path = made(folder, "a", answer)
    (sample,) = views(path, sample_id="5")
    text = "\n".join(lines(sample, 60))
    assert sample.sample_id == "plain.dev.5"
    assert sample.wrong
    for part in ("scored, wrong", "Question 5: is it so?", "想一想", "说不清，也许 True", "expected   True"):
        assert part in text
    assert [one.sample_id for one in views(path, sample_id="plain.dev.5")] == ["plain.dev.5"]


def test_samples_are_chosen_by_outcome_and_by_being_wrong(folder: Path) -> None:
    path = made(folder, "a", answer)
    (cut,) = views(path, outcome="truncated")
    assert (cut.sample_id, cut.verdict) == ("plain.dev.3", None)
    assert {one.verdict for one in views(path, outcome="scored")} == {"right", "wrong"}
    assert len([*views(path, wrong=True)]) == 9
    assert len([*views(path, limit=4)]) == 4
    assert len([*views(path)]) == 20
    graded = made(folder, "g", [answer, judge], "graded")
    assert {one.verdict for one in views(graded, wrong=True)} == {"choice N, score 0.0"}
    (one,) = views(graded, sample_id="5")
    assert [call.judge for call in one.calls] == [False, True]
    assert json.loads(json.dumps(one.as_dict()))["answer"] == "说不清，也许 True"


def test_a_wrong_choice_of_samples_is_said(folder: Path) -> None:
    path = made(folder, "a", answer)
    for wrong, message in (
        ({"outcome": "scord"}, "no outcome is called"),
        ({"sample_id": "99"}, "no finished sample '99'"),
        ({"limit": -1}, "negative"),
    ):
        with pytest.raises(UsageError, match=message):
            list(views(path, **wrong))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="not a log of aigc_evals"):
        list(views(folder / "data" / "plain.jsonl"))
    with pytest.raises(UsageError, match=r"this is a folder; name a log that is in it\nIt has: .*plain\.jsonl"):
        list(views(folder / "data"))


def test_what_a_model_says_cannot_steer_the_terminal(folder: Path) -> None:
    path = made(folder, "a", lambda prompt, **kwargs: "\x1b[2J红\u202e色", max_samples=1)
    (sample,) = views(path)
    text = "\n".join(lines(sample, 80))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\\x1b[2J红" in text


# -- score


def outcomes_and_scores(path: Path) -> dict[str, tuple[str, bool | None, str]]:
    return {one.sample_id: (one.outcome, one.correct, json.dumps(one.metrics)) for one in views(path)}


@pytest.mark.parametrize(("eval", "fns"), [("plain", [answer]), ("graded", [answer, judge])])
def test_the_same_eval_gives_the_same_scores_and_asks_nothing(
    folder: Path, eval: str, fns: list[Callable[..., Any]]
) -> None:
    old = made(folder, "old", fns, eval)
    done = rescore(old, record_path=folder / "new.jsonl", registry_path=[folder], progress=False)
    assert outcomes_and_scores(folder / "new.jsonl") == outcomes_and_scores(old)
    assert (done.other_prompts, done.unanswered, done.dropped, done.differences) == (0, 0, [], [])
    assert done.replayed == 20 * len(fns)
    report = done.result.report
    assert (report["requests"], report["cache_hits"]) == (0, done.replayed)
    assert "usage_total_tokens" not in report
    assert report["usage_cached_total_tokens"] == 19 * 7


def test_another_class_scores_the_same_answers(folder: Path) -> None:
    old = made(folder, "old", answer)
    assert report_of(old).report["metrics"]["accuracy"]["value"] == pytest.approx(10 / 19)
    done = rescore(old, cls=INCLUDES, record_path=folder / "new.jsonl", progress=False)
    assert done.result.report["metrics"]["accuracy"]["value"] == 1.0
    assert [text.split(" was")[0] for text in done.differences] == ["cls"]
    fuzzy = rescore(old, cls=FUZZY, record_path=folder / "fuzzy.jsonl", progress=False)
    assert "f1_score" in fuzzy.result.report["metrics"]


def test_arguments_that_the_other_class_does_not_take_are_dropped_and_named(folder: Path) -> None:
    old = made(folder, "old", answer, extra_eval_params={"num_few_shot": 0})
    done = rescore(old, cls=INCLUDES, args={"ignore_case": True}, record_path=folder / "new.jsonl", progress=False)
    assert done.dropped == ["num_few_shot"]
    with pytest.raises(UsageError, match="nothing_such"):
        rescore(old, args={"nothing_such": 1}, record_path=folder / "x.jsonl", progress=False)


def test_what_the_log_has_no_answer_for_is_an_outcome(folder: Path) -> None:
    old = killed(made(folder, "old", answer), 8)
    done = rescore(old, record_path=folder / "new.jsonl", progress=False)
    assert done.result.report["outcomes"]["skipped"] == 12
    assert done.unanswered == 12
    asked = rescore(
        old,
        cls=CLASSIFY,
        args={"modelgraded_spec": "kind", "eval_type": "classify"},
        record_path=folder / "judged.jsonl",
        registry_path=[folder],
        progress=False,
    )
    told = asked.result.report["outcomes"]
    assert (told["scored"], told["skipped"], told["judge_failed"]) == (0, 12, 8)
    assert "no sample was scored" in asked.result.problems[0]


def test_a_verdict_is_not_taken_for_the_answer_to_another_question(folder: Path) -> None:
    old = made(folder, "old", [answer, judge], "graded")
    done = rescore(
        old,
        args={"eval_type": "cot_classify_zh"},
        record_path=folder / "n.jsonl",
        registry_path=[folder],
        progress=False,
    )
    assert done.result.report["outcomes"]["judge_failed"] == 20
    assert done.unanswered == 20


def test_answers_given_to_other_prompts_are_counted(folder: Path) -> None:
    old = made(folder, "old", answer)
    path = folder / "data" / "plain.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace("is it so?", "对吗？"), encoding="utf-8")
    done = rescore(old, record_path=folder / "new.jsonl", progress=False)
    assert (done.replayed, done.other_prompts) == (20, 20)
    assert any("sha256" in text for text in done.differences)


def test_a_chain_of_thought_is_replayed_link_by_link(folder: Path) -> None:
    module = folder / "thinks.py"
    module.write_text(
        "def think(prompt, **kwargs):\n"
        "    return ' True ' if 'exactly the form' in prompt[-1]['content'] else '一步一步想'\n",
        encoding="utf-8",
    )
    spec = folder / "completion_fns" / "f.yaml"
    spec.write_text(spec.read_text(encoding="utf-8").replace("THINKER", f"{module}:think"), encoding="utf-8")
    old = made(folder, "old", "thinker")
    assert report_of(old).report["accuracy"] == 1.0
    module.write_text("def think(prompt, **kwargs):\n    raise RuntimeError('asked again')\n", encoding="utf-8")
    done = rescore(old, record_path=folder / "new.jsonl", registry_path=[folder], progress=False)
    assert done.result.report["accuracy"] == 1.0
    assert (done.replayed, done.other_prompts) == (40, 0)


def test_repeats_get_their_own_answers(folder: Path) -> None:
    turn = {"n": 0}

    def fickle(prompt: Any, **_kwargs: Any) -> str:
        turn["n"] += 1
        return "True" if turn["n"] % 3 else "错"

    old = made(folder, "old", fickle, repeats=3)
    rescore(old, record_path=folder / "new.jsonl", progress=False)
    assert outcomes_and_scores(folder / "new.jsonl") == outcomes_and_scores(old)
    assert len(outcomes_and_scores(old)) == 60


def test_a_log_is_never_written_over(folder: Path) -> None:
    old = made(folder, "old", answer)
    with pytest.raises(UsageError, match="there already"):
        rescore(old, record_path=old)
