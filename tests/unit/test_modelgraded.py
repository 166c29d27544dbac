"""Grading by a model: what the judge is asked, and what is read from its reply."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from support.registries import registry, write_jsonl

from aigc_evals.api import CompletionResult
from aigc_evals.base import RunSpec
from aigc_evals.elsuite.modelgraded.base import ModelGradedSpec
from aigc_evals.elsuite.modelgraded.classify import ModelBasedClassify
from aigc_evals.elsuite.modelgraded.classify_utils import (
    ANSWER_PROMPTS,
    INVALID_STR,
    choice_to_str,
    classify,
    concat_n_completions,
    get_choice,
    get_choice_score,
    get_choice_strings,
    sample_and_concat_n_completions,
)
from aigc_evals.elsuite.utils import PromptFn
from aigc_evals.errors import EndpointError, UsageError
from aigc_evals.eval import Eval
from aigc_evals.record import Recorder, record_metrics
from aigc_evals.registry import Registry
from aigc_evals.testing import ScriptedCompletionFn

ABC = ("A", "B", "C")
YN = ("Yes", "No", "Unsure")
ZH = ("是", "否")
RIGHT = ("正确", "错误")


@pytest.mark.parametrize(
    ("reply", "eval_type", "choices", "choice"),
    [
        ("A", "classify", ABC, "A"),
        ("  B.  ", "classify", ABC, "B"),
        ('"C"', "classify", ABC, "C"),
        ("(B)", "classify", ABC, "B"),
        ("**A**", "classify", ABC, "A"),
        ("`B`", "classify", ABC, "B"),
        ("### C", "classify", ABC, "C"),
        ("「A」", "classify", ABC, "A"),
        ("“B”。", "classify", ABC, "B"),
        ("【C】", "classify", ABC, "C"),
        ("（A）", "classify", ABC, "A"),
        ("答案：B", "classify", ABC, "B"),
        ("答案是：“B”。", "classify", ABC, "B"),
        ("a", "classify", ABC, None),
        ("", "classify", ABC, None),
        ("...", "classify", ABC, None),
        ("I do not know", "classify", ABC, None),
        ("The choice is A", "classify", ABC, "A"),
        ("A\nbecause it is better than B", "classify_cot", ABC, "A"),
        ("\n\nB\nwhy", "classify_cot", ABC, "B"),
        ("It might be A.\nNo:\nB", "cot_classify", ABC, "B"),
        ("Reasons.\nC\n\n", "cot_classify", ABC, "C"),
        ("Reasons.\n**C**\n---", "cot_classify", ABC, "C"),
        ("Reasons.\r\nC\r\n", "cot_classify", ABC, "C"),
        ("推理……\n所以选择：\nB。", "cot_classify_zh", ABC, "B"),
        ("推理……\n最终答案：**B**", "cot_classify_zh", ABC, "B"),
        ("考え：\n「C」", "cot_classify_jp", ABC, "C"),
        ("Yes, I think", "classify", YN, "Yes"),
        ("I think: No", "classify", YN, "No"),
        ("是。", "classify_zh", ZH, "是"),
        ("结论：否", "classify_zh", ZH, "否"),
        ("C\nlast line without verdict", "cot_classify", ABC, "C"),
        ("Ａ", "classify_zh", ABC, "A"),
        ("最终答案：（Ｂ）", "cot_classify_zh", ABC, "B"),
        ("３", "classify_zh", ("1", "2", "3"), "3"),
        ("\u200bC\u200b", "classify", ABC, "C"),
        ("是，且无误", "classify_zh", ("是，且无误", "否"), "是，且无误"),
        ("结论：Ｙ", "classify_zh", ("Ｙ", "Ｎ"), "Ｙ"),
        ("还可以。\n不通顺。", "cot_classify_zh", ("通顺", "一般", "不通顺"), "不通顺"),
        ("结论：不通顺", "classify_zh", ("通顺", "不通顺"), "不通顺"),
        ("结论：通顺", "classify_zh", ("不通顺", "通顺"), "通顺"),
        ("incorrect", "classify", ("correct", "incorrect"), "incorrect"),
        ("10", "classify", [str(n) for n in range(1, 11)], "10"),
        ("不是。", "classify_zh", ZH, None),
        ("是，不是否。", "classify_zh", ZH, "是"),
        ("否，不是。", "classify_zh", ZH, "否"),
        ("看起来是的。\n不是", "cot_classify_zh", ZH, None),
        ("这个回答不太正确。", "classify_zh", RIGHT, None),
        ("结论：并非完全正确", "classify_zh", RIGHT, None),
        ("不能说是正确的，结论：错误", "classify_zh", RIGHT, "错误"),
        ("错误，不能说是正确", "classify_zh", RIGHT, "错误"),
        ("表述不太好，正确", "classify_zh", RIGHT, "正确"),
        ("是否正确？\n错误", "classify_zh", RIGHT, None),
        ("不得不说正确", "classify_zh", RIGHT, "正确"),
        ("不太正确", "classify_zh", ("正确", "不太正确", "错误"), "不太正确"),
        ("不完全正确", "classify_zh", ("正确", "部分正确", "不正确"), None),
        ("不可能", "classify_zh", ("可能", "不可能"), "不可能"),
        ("不能选B", "classify_zh", ABC, None),
        ("选A，不选B", "classify_zh", ABC, None),
        ("A，不是B", "classify_zh", ABC, "A"),
        ("不是" * 50_000, "classify_zh", ZH, None),
        ("This is not correct", "classify", ("correct", "incorrect"), "correct"),
        ("This is incorrect", "classify", ("correct", "incorrect"), "incorrect"),
    ],
)
def test_the_verdict_in_a_reply(reply: str, eval_type: str, choices: Sequence[str], choice: str | None) -> None:
    assert get_choice(reply, eval_type, None, choices) == (choice or INVALID_STR)


@pytest.mark.parametrize(
    ("line", "match_fn", "choice"),
    [
        ("so A it is", "include", "A"),
        ("so A it is", "exact", None),
        ("A", "exact", "A"),
        ("so A", "endswith", "A"),
        ("A so", "endswith", None),
        ("A so", "starts_or_endswith", "A"),
        ("so A it", "starts_or_endswith", None),
    ],
)
def test_how_a_choice_is_looked_for(line: str, match_fn: str, choice: str | None) -> None:
    assert get_choice(line, "classify", match_fn, ABC) == (choice or INVALID_STR)


@pytest.mark.parametrize(
    ("given", "n", "choices"),
    [
        ("ABC", None, ["A", "B", "C"]),
        (["Yes", "No"], None, ["Yes", "No"]),
        ([1, 2], None, ["1", "2"]),
        ("from_n", 3, ["1", "2", "3"]),
        ("from_n_abc", 3, ["a", "b", "c"]),
        ("from_n_ABC", 2, ["A", "B"]),
        ("是否", None, ["是", "否"]),
    ],
)
def test_choices(given: Any, n: int | None, choices: list[str]) -> None:
    assert get_choice_strings(given, n) == choices


@pytest.mark.parametrize("choices", [["A."], ["yes!", "no"], ["a-b"]])
def test_a_choice_with_punctuation_can_never_be_found(choices: list[str]) -> None:
    with pytest.raises(UsageError, match="punctuation"):
        get_choice_strings(choices)


@pytest.mark.parametrize(
    ("choice", "scores", "score"),
    [
        ("A", None, None),
        ("A", {"A": 1, "B": 0.5, "C": 0}, 1.0),
        (INVALID_STR, {"A": 1, "B": 0.5, "C": -1}, -1.0),
        ("B", {"A": 1, "B": 0.5, "C": 0}, 0.5),
    ],
)
def test_what_a_verdict_is_worth(choice: str, scores: Mapping[str, float] | None, score: float | None) -> None:
    assert get_choice_score(choice, ABC, scores) == score
    assert get_choice_score("2", ["1", "2"], "from_strings") == 2.0
    assert get_choice_score(INVALID_STR, ["1", "2"], "from_strings") == 1.0


@pytest.mark.parametrize("scores", [{"A": 1}, {"A": "x", "B": 1, "C": 1}, "from_string", "from_strings"])
def test_scores_that_are_none(scores: Any) -> None:
    with pytest.raises(UsageError):
        get_choice_score("A", ABC, scores)


def test_choices_read_as_a_sentence() -> None:
    assert choice_to_str(YN) == '"Yes" or "No" or "Unsure"'
    assert all("{choices}" in text for text in ANSWER_PROMPTS.values())
    for suffix in ("", "_zh", "_jp"):
        assert {f"classify{suffix}", f"classify_cot{suffix}", f"cot_classify{suffix}"} <= set(ANSWER_PROMPTS)


def test_completions_are_laid_out_by_the_template() -> None:
    assert concat_n_completions(["x{y}", "z"], "{i}/{n} {i_abc} {i_ABC}: {output}\n") == "1/2 a A: x{y}\n2/2 b B: z"


# -- whole evals ------------------------------------------------------------------------------------------------------

SPECS = """
plain:
  prompt: "Q: {input}\\nR: {ideal}\\nS: {completion}"
  choice_strings: ABC
  choice_scores: {A: 1.0, B: 0.5, C: 0.0}
  input_outputs: {input: completion}
chat:
  prompt:
    - {role: system, content: "Judge by {criteria}."}
    - {role: user, content: "{input} || {completion}"}
  choice_strings: ABC
  input_outputs: {input: completion}
own:
  prompt: "{completion}? Say A, B or C."
  eval_type: classify
  choice_strings: ABC
  input_outputs: {input: completion}
best:
  prompt: "{n} replies to {input}:\\n{completions}"
  choice_strings: from_n
  choice_scores: from_strings
  output_template: "{i}) {output}\\n"
  input_outputs: {input: completions}
two:
  prompt: "{first_out} or {second_out}"
  choice_strings: ABC
  input_outputs: {first: first_out, second: second_out}
malformed:
  prompt: "{input"
  choice_strings: ABC
  input_outputs: {input: completion}
"""


@pytest.fixture(scope="module")
def specs(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    return Registry([registry(tmp_path_factory.mktemp("specs"), {"modelgraded/specs.yaml": SPECS})])


def grade(
    specs: Registry, folder: Path, fns: Sequence[Any], samples: Sequence[Any], spec: str = "plain", **kwargs: Any
) -> tuple[dict[str, Any], Recorder]:
    data = write_jsonl(folder / "samples.jsonl", samples)
    recorder = Recorder(RunSpec(["fn"], "a.b", "a", "b", {}, ""))
    kwargs = {"eval_type": "classify", **kwargs}
    made = ModelBasedClassify(spec, list(fns), samples_jsonl=str(data), name="a.b", registry=specs, **kwargs)
    return made.run(recorder), recorder


def test_plain_code_of_a_run_can_grade(specs: Registry, tmp_path: Path) -> None:
    """The function belongs to the run's loop; awaiting it in another one would never end."""

    class Own(Eval):
        def eval_sample(self, sample: Any, rng: Any) -> None:
            told = sample_and_concat_n_completions(self.completion_fns, sample["input"], 2, "{output} ", {})
            mg = self.registry.get_modelgraded_spec("plain")
            asked = {"input": "q", "ideal": "i", "completion": told}
            choice, _ = classify(mg, self.completion_fn, format_kwargs=asked, eval_type="classify", n=1)
            record_metrics(choice=choice)

        def run(self, recorder: Recorder) -> dict[str, Any]:
            self.eval_all_samples(recorder, self.get_samples())
            return {"choices": [metrics["choice"] for metrics in recorder.get_metrics()]}

    class Busy(ScriptedCompletionFn):
        max_concurrency = 1

        async def acall(self, prompt: Any, **kwargs: Any) -> CompletionResult:
            await asyncio.sleep(0.001)
            return await super().acall(prompt, **kwargs)

    data = write_jsonl(tmp_path / "d.jsonl", [{"input": f"{i}"} for i in range(40)])
    made = Own([Busy(["A"], cycle=True)], samples_jsonl=str(data), name="a.b", registry=specs)
    recorder = Recorder(RunSpec(["fn"], "a.b", "a", "b", {}, ""))
    assert made.run(recorder) == {"choices": ["A"] * 40}


def test_the_constructor_takes_its_arguments_in_the_order_of_openai_evals(specs: Registry) -> None:
    fn = policy()
    made = ModelBasedClassify("plain", [fn], registry=specs, eval_type="classify")
    assert (made.mg.key, made.completion_fn.inner) == ("plain", fn)


def test_grading_by_hand() -> None:
    spec = ModelGradedSpec(prompt="{input} {n}", choice_strings="AB", input_outputs={"input": "completion"})
    ask = judge("B")
    choice, info = classify(spec, ask, format_kwargs={"input": "q"}, eval_type="classify", n=1)
    assert (choice, info["sampled"], info["invalid_choice"]) == ("B", ["B"], False)
    assert content(ask.calls[0]).startswith("q 1\n\n")


@pytest.mark.parametrize("completions", [[], [None], [""]])
def test_a_function_without_an_answer_gives_an_empty_one(completions: list[str]) -> None:
    class Silent(CompletionResult):
        def get_completions(self) -> list[str]:
            return completions

    told = sample_and_concat_n_completions([lambda prompt, **_: Silent()], "q", 1, "[{output}]", {})
    assert told == "[]"
    assert PromptFn("q", lambda prompt, **_: Silent(), max_tokens=1)() == ("", "q")


def policy(*answers: str) -> ScriptedCompletionFn:
    return ScriptedCompletionFn(list(answers) or ["an answer"], cycle=True)


def judge(*answers: str) -> ScriptedCompletionFn:
    return ScriptedCompletionFn(list(answers) or ["A"], cycle=True)


def content(call: Any) -> str:
    return "\n".join(message["content"] for message in call.prompt)


def test_a_run_asks_the_policy_then_the_judge_and_counts(specs: Registry, tmp_path: Path) -> None:
    model, grader = policy(), judge("A", "A", "B", "nonsense")
    samples = [{"input": f"q{i}", "ideal": f"r{i}"} for i in range(4)]
    report, recorder = grade(specs, tmp_path, [model, grader], samples)
    assert report == {
        "counts/A": 2, "counts/choice/A": 2, "counts/B": 1, "counts/choice/B": 1,
        "counts/__invalid__": 1, "counts/choice/__invalid__": 1,
        "score": pytest.approx(2.5 / 4),
        "invalid_request_during_completion": 0, "invalid_request_during_evaluation": 0,
    }  # fmt: skip
    assert dict(recorder.scores.outcomes) == {"scored": 3, "judge_failed": 1}
    assert recorder.scores.scored["score"].mean == pytest.approx(2.5 / 3)
    kwargs = {"max_tokens": 1024, "temperature": 0, "top_p": 1, "frequency_penalty": 0, "presence_penalty": 0, "n": 1}
    assert model.calls[0].kwargs == grader.calls[0].kwargs == kwargs
    assert sorted(content(call).split("\n\n")[0] for call in grader.calls) == [
        f"Q: q{i}\nR: r{i}\nS: an answer" for i in range(4)
    ]
    assert all(
        content(call).endswith(ANSWER_PROMPTS["classify"].format(choices='"A" or "B" or "C"')) for call in grader.calls
    )
    assert all(call.prompt[0]["role"] == "user" for call in grader.calls)


def test_one_function_alone_judges_itself(specs: Registry, tmp_path: Path) -> None:
    fn = ScriptedCompletionFn(lambda prompt: "A" if isinstance(prompt, list) else "an answer")
    report, _ = grade(specs, tmp_path, [fn], [{"input": "q", "ideal": "r"}])
    assert report["counts/A"] == 1
    assert len(fn.calls) == 2


@pytest.mark.parametrize(
    "text", ["{input} {completion} {nothing}", "{{double}}", "}{", "{0} {} %s $x", "<think>x</think>", "{ideal!r:>10}"]
)
def test_braces_in_texts_reach_the_judge_as_they_are(text: str, specs: Registry, tmp_path: Path) -> None:
    model, grader = policy(f"said {text}"), judge()
    grade(specs, tmp_path, [model, grader], [{"input": f"in {text}", "ideal": f"ref {text}"}])
    assert content(grader.calls[0]).startswith(f"Q: in {text}\nR: ref {text}\nS: said {text}\n\n")


def test_a_chat_prompt_of_the_judge_does_not_grow(specs: Registry, tmp_path: Path) -> None:
    grader = judge()
    samples = [{"input": [{"role": "user", "content": f"q{i}"}]} for i in range(5)]
    grade(specs, tmp_path, [policy(), grader], samples, "chat", modelgraded_spec_args={"criteria": "taste"})
    lengths = {(len(call.prompt), len(content(call))) for call in grader.calls}
    assert len(lengths) == 1
    assert all(call.prompt[0]["content"] == "Judge by taste." for call in grader.calls)


def test_a_conversation_becomes_text_for_the_judge(specs: Registry, tmp_path: Path) -> None:
    grader = judge()
    chat = [{"role": "system", "content": "S"}, {"role": "user", "content": "天？"}]
    grade(specs, tmp_path, [policy(), grader], [{"input": chat, "ideal": "r"}])
    assert content(grader.calls[0]).startswith("Q: S\nUser: 天？\n\nR: r")


def test_a_spec_with_its_own_eval_type_is_asked_as_it_is(specs: Registry, tmp_path: Path) -> None:
    grader = judge("B")
    report, _ = grade(specs, tmp_path, [policy(), grader], [{"input": "q"}], "own", eval_type=None)
    assert content(grader.calls[0]) == "an answer? Say A, B or C."
    assert report["counts/B"] == 1


def test_a_completion_that_is_in_the_sample_is_not_asked_for(specs: Registry, tmp_path: Path) -> None:
    model, grader = policy(), judge("A", "B")
    samples = [{"input": "q", "ideal": "r", "completion": f"c{i}", "choice": "A"} for i in range(2)]
    report, recorder = grade(specs, tmp_path, [model, grader], samples, metaeval=True)
    assert model.calls == []
    assert report["metascore"] == 0.5
    assert [event.data["metascore"] for event in recorder.get_events("metrics")] == [True, False]


def test_several_inputs_have_a_completion_each(specs: Registry, tmp_path: Path) -> None:
    model, grader = policy("one", "two"), judge()
    grade(specs, tmp_path, [model, grader], [{"first": "f", "second": "s"}], "two")
    assert [call.prompt for call in model.calls] == ["f", "s"]
    assert content(grader.calls[0]).startswith("one or two")


def test_several_completions_of_one_model(specs: Registry, tmp_path: Path) -> None:
    model, grader = policy("x", "y{z}", "w"), judge("2")
    report, _ = grade(specs, tmp_path, [model, grader], [{"input": "q"}], "best", multicomp_n=3)
    assert content(grader.calls[0]).startswith("3 replies to q:\n1) x\n2) y{z}\n3) w\n\n")
    assert (report["counts/2"], report["score"]) == (1, 2.0)


def test_one_completion_of_each_of_several_models(specs: Registry, tmp_path: Path) -> None:
    grader = judge("1")
    report, _ = grade(
        specs, tmp_path, [policy("x"), policy("y"), grader], [{"input": "q"}], "best", multicomp_n="from_models"
    )
    assert content(grader.calls[0]).startswith("2 replies to q:\n1) x\n2) y\n\n")
    assert report["counts/1"] == 1


def test_arguments_of_the_calls_can_be_set(specs: Registry, tmp_path: Path) -> None:
    model, grader = policy(), judge()
    grade(
        specs, tmp_path, [model, grader], [{"input": "q", "ideal": "r"}],
        sample_kwargs={"max_tokens": 5, "temperature": 0.7},
        eval_kwargs={"completion_kwargs": {"seed": 3, "top_p": 0.5}},
    )  # fmt: skip
    assert (model.calls[0].kwargs["max_tokens"], model.calls[0].kwargs["temperature"]) == (5, 0.7)
    assert (grader.calls[0].kwargs["seed"], grader.calls[0].kwargs["top_p"]) == (3, 0.5)
    assert grader.calls[0].kwargs["max_tokens"] == 1024


@pytest.mark.parametrize("side", ["policy", "judge"])
def test_calls_that_fail_are_counted_by_side(side: str, specs: Registry, tmp_path: Path) -> None:
    broken = ScriptedCompletionFn([EndpointError("no", kind="bad_request", status=400)], cycle=True)
    fns = [broken, judge()] if side == "policy" else [policy(), broken]
    report, recorder = grade(specs, tmp_path, fns, [{"input": "q", "ideal": "r"}])
    counts = (report["invalid_request_during_completion"], report["invalid_request_during_evaluation"])
    assert counts == ((1, 0) if side == "policy" else (0, 1))
    assert dict(recorder.scores.outcomes) == {"error" if side == "policy" else "judge_failed": 1}
    assert "score" not in report


@pytest.mark.parametrize(
    ("spec", "kwargs", "said"),
    [
        ("nothing", {}, "no model-graded spec"),
        ("plain", {"eval_type": "classfy"}, "Did you mean: classify"),
        ("plain", {"eval_type": None}, "how the verdict is given"),
        ("plain", {"match_fn": "includes"}, "include"),
        ("plain", {"multicomp_n": 2}, "output_template"),
        ("plain", {"multicomp_n": 0}, "multicomp_n"),
        ("plain", {"multicomp_n": "all"}, "from_models"),
        ("best", {"multicomp_n": "from_models"}, "several models"),
        ("plain", {"sample_kwargs": {"max_token": 5}}, "max_token"),
        ("malformed", {}, "malformed"),
    ],
)
def test_mistakes_are_found_before_anything_is_asked(
    spec: str, kwargs: dict[str, Any], said: str, specs: Registry, tmp_path: Path
) -> None:
    fn = policy()
    with pytest.raises(UsageError) as caught:
        grade(specs, tmp_path, [fn], [{"input": "q", "ideal": "r"}], spec, **kwargs)
    assert said in str(caught.value)
    assert fn.calls == []


@pytest.mark.parametrize("sample", [{"input": "q"}, {"ideal": "r"}, {"input": None, "ideal": "r"}])
def test_a_sample_that_lacks_what_the_judge_is_shown_is_refused_beforehand(
    sample: Any, specs: Registry, tmp_path: Path
) -> None:
    fn = policy()
    with pytest.raises(UsageError) as caught:
        grade(specs, tmp_path, [fn], [{"input": "q", "ideal": "r"}, sample])
    assert (caught.value.line, caught.value.path) == (2, str(tmp_path / "samples.jsonl"))
    assert fn.calls == []
