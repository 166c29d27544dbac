"""The eval classes on tables: what counts as correct; and how evals and functions of one's own are run."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support import logs
from support.registries import rows, write_jsonl

import aigc_evals as evals
from aigc_evals.api import CompletionResult, TextResult
from aigc_evals.base import RunSpec, Settings
from aigc_evals.elsuite.basic.fuzzy_match import FuzzyMatch
from aigc_evals.elsuite.basic.includes import Includes
from aigc_evals.elsuite.basic.json_match import JsonMatch
from aigc_evals.elsuite.basic.json_validator import JsonValidator
from aigc_evals.elsuite.basic.match import Match
from aigc_evals.elsuite.basic.match_with_solvers import MatchWithSolvers
from aigc_evals.elsuite.lambada import Lambada
from aigc_evals.elsuite.multiple_choice import MultipleChoice
from aigc_evals.elsuite.translate import Translate
from aigc_evals.errors import EndpointError, SampleError
from aigc_evals.eval import Eval
from aigc_evals.record import LocalRecorder, Recorder, record_match, record_metrics
from aigc_evals.sampling import Sampler
from aigc_evals.testing import ScriptedCompletionFn


def judged(cls: Any, answer: str, ideal: Any, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any], Any]:
    """One sample through an eval class: the data of its match event, of its metrics event, and the call made."""
    fn = ScriptedCompletionFn([answer])
    recorder = Recorder(RunSpec(["fn"], "a.b", "a", "b", {}, ""))
    made = cls([fn], samples_jsonl="", name="a.b", **kwargs)
    with recorder.as_default_recorder("a.b.0"):
        made.eval_sample({"input": [{"role": "user", "content": "q"}], "ideal": ideal}, random.Random(1))
    matches, metrics = recorder.get_events("match"), recorder.get_events("metrics")
    return matches[0].data if matches else {}, metrics[0].data if metrics else {}, fn.calls[0]


@pytest.mark.parametrize(
    ("answer", "ideal", "picked"),
    [
        ("Paris", "Paris", "Paris"),
        ("Paris, of course", "Paris", "Paris"),
        (" Paris", "Paris", None),
        ("paris", "Paris", None),
        ("10", "1", "1"),
        ("Par", "Paris", None),
        ("12", ["1", "12"], "1"),
        ("12", ["12", "1"], "12"),
        ("anything", "", ""),
        ("anything", [], None),
        ("巴黎。", "巴黎", "巴黎"),
        ("不是", "是", None),
        ("是的", ["否", "是"], "是"),
        ("“是”", "是", None),
        ("ｔｒｕｅ", "true", None),
    ],
)
def test_match(answer: str, ideal: Any, picked: str | None) -> None:
    data, _, call = judged(Match, answer, ideal)
    options = [ideal] if isinstance(ideal, str) else ideal
    assert data == {
        "correct": picked is not None,
        "expected": options[0] if len(options) == 1 else options,
        "picked": picked,
        "sampled": answer,
        "options": options,
    }
    assert call.kwargs == {"temperature": 0.0}
    assert call.prompt == [{"role": "user", "content": "q"}]


@pytest.mark.parametrize(
    ("answer", "ideal", "ignore_case", "correct"),
    [
        ("It is Paris.", "Paris", False, True),
        ("It is paris.", "Paris", False, False),
        ("It is paris.", "Paris", True, True),
        ("It is Rome.", ["Paris", "Rome"], False, True),
        ("", "Paris", False, False),
        ("x", "", False, True),
        ("答案是巴黎。", "巴黎", False, True),
        ("不是", "是", False, True),
        ("ÀÉ", "àé", True, True),
    ],
)
def test_includes(answer: str, ideal: Any, ignore_case: bool, correct: bool) -> None:
    data, _, call = judged(Includes, answer, ideal, ignore_case=ignore_case)
    assert data["correct"] is correct
    assert (data["picked"], data["sampled"], call.kwargs) == (answer, answer, {})


@pytest.mark.parametrize(
    ("answer", "ideal", "accuracy", "f1"),
    [
        ("The Paris!", "paris", 1.0, 1.0),
        ("It is in Paris", "Paris", 1.0, 0.4),
        ("Paris", "It is in Paris", 1.0, 0.4),
        ("Rome", "Paris", 0.0, 0.0),
        ("11", "1", 1.0, 0.0),
        ("A", "A", 1.0, 0.0),
        ("B", "A", 0.0, 0.0),
        ("x", ["y", "x"], 1.0, 1.0),
        ("x", [], 0.0, 0.0),
        ("是。", "是", 1.0, 0.0),
        ("不是", "是", 1.0, 0.0),
        ("【是】", "【是】", 1.0, 1.0),
    ],
)
def test_fuzzy_match(answer: str, ideal: Any, accuracy: float, f1: float) -> None:
    data, metrics, call = judged(FuzzyMatch, answer, ideal)
    assert metrics == {"accuracy": accuracy, "f1_score": pytest.approx(f1)}
    assert data["correct"] is bool(accuracy)
    assert data["picked"] == ([answer] * int(accuracy))
    assert call.kwargs == {"temperature": 0.0, "max_tokens": 100}


@pytest.mark.parametrize(
    ("answer", "ideal", "correct"),
    [
        ('{"a": 1, "b": [1, 2]}', '{"b": [1, 2], "a": 1}', True),
        ('{"a": 1}', '{"a": 1, "b": null}', False),
        ('{"a": 1.0}', '{"a": 1}', True),
        ("[1, 2]", "[2, 1]", False),
        ("[1]", "[1, 1]", False),
        ("null", "null", False),
        ('"天"', '"\\u5929"', True),
        ("not json", '"x"', False),
        ('```json\n{"a": 1}\n```', '{"a": 1}', False),
        ('{"a": 1}', ['{"a": 2}', '{"a": 1}'], True),
        ("true", "1", True),
        ("{}", "[]", False),
    ],
)
def test_json_match(answer: str, ideal: Any, correct: bool) -> None:
    data, metrics, call = judged(JsonMatch, answer, ideal)
    assert (data["correct"], metrics) == (correct, {"accuracy": float(correct)})
    assert call.kwargs == {"temperature": 0.0, "max_tokens": 512}


@pytest.mark.parametrize(
    ("answer", "correct"),
    [('{"a": 1}', True), ("5", True), ("null", True), ("{a: 1}", False), ("", False), ("是", False)],
)
def test_json_validator(answer: str, correct: bool) -> None:
    data, _, call = judged(JsonValidator, answer, None)
    assert (data["correct"], call.kwargs) == (correct, {"temperature": 0.0})


@pytest.mark.parametrize(
    ("answer", "ideal", "correct"),
    [("yes", "yes", True), ("Yes.", "yes", True), ("YES", "yes", False), ("b", ["a", "b"], False), ("是", "是", True)],
)
def test_match_with_solvers(answer: str, ideal: Any, correct: bool) -> None:
    data, _, call = judged(MatchWithSolvers, answer, ideal, task_description="Do it.")
    assert data["correct"] is correct
    assert call.prompt == [{"role": "system", "content": "Do it."}, {"role": "user", "content": "q"}]


@pytest.mark.parametrize(
    ("answer", "ideal", "correct"),
    [
        ("The cat sits on the mat.", "The cat sits on the mat.", True),
        ("The cat sits on the mat.", ["Ein Hund.", "The cat sits on the mat."], True),
        ("Something else altogether", "The cat sits on the mat.", False),
    ],
)
def test_translate(answer: str, ideal: Any, correct: bool) -> None:
    data, metrics, call = judged(Translate, answer, ideal)
    assert data["correct"] is correct
    assert (metrics["sacrebleu_sentence_score"] > 30) is correct
    assert call.kwargs == {"max_tokens": 500}


def test_multiple_choice_and_lambada(tmp_path: Path) -> None:
    questions = write_jsonl(tmp_path / "q.jsonl", [{"question": "Q?", "answers": ["x", "y", "z"], "label": 1}])
    passage = write_jsonl(tmp_path / "p.jsonl", [{"text": "the cat sat on the mat"}])

    def letter(prompt: Any) -> str:
        return next(line[0] for line in str(prompt).splitlines() if line.endswith(") y"))

    fn = ScriptedCompletionFn(letter)
    report = run_eval(MultipleChoice([fn], dataset=str(questions), name="a.b"))
    assert report == {"accuracy": 1.0}
    assert fn.calls[0].kwargs == {"temperature": 0.0, "max_tokens": 1}
    fn = ScriptedCompletionFn(lambda prompt: "mat." if "the cat sat on the" in str(prompt) else "x")
    assert run_eval(Lambada([fn], subset=str(passage), name="a.b")) == {"accuracy": 1.0}
    assert fn.calls[0].kwargs == {"temperature": 0.0, "max_tokens": 8}


def run_eval(made: Eval, recorder: Recorder | None = None) -> dict[str, Any]:
    return made.run(recorder or Recorder(RunSpec(["fn"], "a.b", "a", "b", {}, "")))


@pytest.mark.parametrize(
    ("cls", "sample"),
    [
        (Match, {"input": "a"}),
        (Match, {"ideal": "a"}),
        (Match, "text"),
        (Match, {"input": "a", "ideal": 5}),
        (Match, {"input": "a", "ideal": ["a", 5]}),
        (Match, {"input": None, "ideal": "a"}),
        (Match, {"input": [], "ideal": "a"}),
        (Includes, {"input": "a"}),
        (JsonMatch, {"input": "a", "ideal": "{"}),
        (JsonValidator, {}),
        (Translate, {"input": "a", "ideal": []}),
    ],
)
def test_a_malformed_sample_is_an_assertion_and_a_value_error(cls: Any, sample: Any) -> None:
    fn = ScriptedCompletionFn(["a"])
    made = cls([fn], samples_jsonl="", name="a.b")
    for kind in (SampleError, AssertionError, ValueError):
        with pytest.raises(kind):
            made.eval_sample(sample, None)
    assert fn.calls == []


@pytest.mark.parametrize("count", [0, 1, 2])
def test_examples_come_before_the_last_message(count: int, tmp_path: Path) -> None:
    shots = write_jsonl(
        tmp_path / "f.jsonl", [{"sample": [{"role": "user", "content": f"shot {i}"}]} for i in range(3)]
    )
    fn = ScriptedCompletionFn(["a"])
    made = Match(
        [fn], samples_jsonl="", name="a.b", num_few_shot=count, few_shot_jsonl=str(shots) if count else "/nowhere"
    )
    recorder = Recorder(RunSpec(["fn"], "a.b", "a", "b", {}, ""))
    prompt = [{"role": "system", "content": "S"}, {"role": "user", "content": "Q"}]
    with recorder.as_default_recorder("x"):
        made.eval_sample({"input": prompt, "ideal": "a"}, random.Random(1))
    contents = [message["content"] for message in fn.calls[0].prompt]
    assert contents == ["S", *[f"shot {i}" for i in range(count)], "Q"]
    assert len(prompt) == 2, "the sample itself stays as it was"


@pytest.mark.parametrize("cls", [Match, Translate])
def test_a_subclass_finds_the_examples_where_openai_evals_has_them(cls: Any, tmp_path: Path) -> None:
    class Own(cls):  # type: ignore[misc]
        def eval_sample(self, sample: Any, *_: Any) -> Any:
            prompt = sample["input"][:-1]
            for shot in self.few_shot[: self.num_few_shot]:
                prompt += shot["sample"]
            return [*prompt, *sample["input"][-1:]]

    shots = write_jsonl(tmp_path / "f.jsonl", [{"sample": [{"role": "user", "content": f"{i}"}]} for i in range(3)])
    made = Own([ScriptedCompletionFn(["a"])], samples_jsonl="", name="a.b", num_few_shot=2, few_shot_jsonl=str(shots))
    prompt = made.eval_sample({"input": [{"role": "user", "content": "Q"}], "ideal": "a"}, None)
    assert [message["content"] for message in prompt] == ["0", "1", "Q"]


def test_deeply_nested_json_is_unparsed_not_the_end_of_the_run(tmp_path: Path) -> None:
    data = write_jsonl(tmp_path / "d.jsonl", [{"input": "a", "ideal": "{}"}, {"input": "b", "ideal": "{}"}])
    fn = ScriptedCompletionFn({"a": "[" * 100_000, "b": "{}"})
    recorder = Recorder(RunSpec(["fn"], "a.b", "a", "b", {}, ""))
    assert run_eval(JsonMatch([fn], samples_jsonl=str(data), name="a.b"), recorder) == {"accuracy": 1.0}
    assert dict(recorder.scores.outcomes) == {"unparsed": 1, "scored": 1}


def test_the_order_is_fixed_and_max_samples_cuts_it(tmp_path: Path) -> None:
    data = write_jsonl(tmp_path / "d.jsonl", rows(50))
    order = list(range(50))
    random.Random(123).shuffle(order)
    for seed in (1, 2):
        fn = ScriptedCompletionFn([], default="True")
        made = Match([fn], samples_jsonl=str(data), name="a.b.c", seed=seed)
        made.max_samples = 10
        recorder = Recorder(RunSpec(["fn"], "a.b.c", "a", "b", {}, ""))
        run_eval(made, recorder)
        assert [call.prompt for call in fn.calls] == [f"Question {i}: is it so?" for i in order[:10]]
        assert {event.sample_id for event in recorder.get_events("match")} == {f"a.b.{i}" for i in order[:10]}


# -- evals of one's own -----------------------------------------------------------------------------------------------


class Plain(Eval):
    """Plain code, as people write it for openai/evals."""

    def eval_sample(self, sample: Any, rng: random.Random) -> Any:
        result = self.completion_fn(prompt=sample["input"], temperature=0.0)
        record_match(result.get_completions()[0] == sample["ideal"], expected=sample["ideal"])
        record_metrics(drawn=rng.random())
        return sample["input"]

    def run(self, recorder: Any) -> dict[str, Any]:
        self.results = self.eval_all_samples(recorder, self.get_samples())
        return {"accuracy": evals.metrics.get_accuracy(recorder.get_events("match"))}


class Meeting:
    """Answers only when ``count`` callers are there at the same time."""

    def __init__(self, count: int) -> None:
        self.barrier = threading.Barrier(count)

    def __call__(self, prompt: Any, **kwargs: Any) -> str:
        self.barrier.wait(10)
        return "True"


def test_plain_evals_over_plain_functions_run_at_full_concurrency(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVALS_THREADS", "40")
    monkeypatch.setenv("EVALS_SHOW_EVAL_PROGRESS", "0")
    data = write_jsonl(tmp_path / "d.jsonl", rows(80))
    recorder = LocalRecorder(tmp_path / "log.jsonl", RunSpec(["fn"], "a.b", "a", "b", {}, ""))
    made = Plain([Meeting(40)], samples_jsonl=str(data), name="a.b")
    assert made.run(recorder) == {"accuracy": 1.0}
    assert made.results == [row["input"] for row in rows(80)], "results come in the order of the samples"
    recorder.record_final_report({})
    for event in logs.events(tmp_path / "log.jsonl", "metrics"):
        expected = random.Random(f"{event['sample_id']}:{made.seed}".encode()).random()
        assert event["data"]["drawn"] == expected
    assert {event["data"]["prompt"] for event in logs.events(tmp_path / "log.jsonl", "sampling")} == set(made.results)


def test_a_function_with_a_limit_of_its_own_is_never_called_more_often(tmp_path: Path) -> None:
    lock = threading.Lock()
    inside, most = 0, 0

    class Alone:
        max_concurrency = 1

        def __call__(self, prompt: Any) -> str:
            nonlocal inside, most
            with lock:
                inside += 1
                most = max(most, inside)
            threading.Event().wait(0.002)
            with lock:
                inside -= 1
            return "True"

    data = write_jsonl(tmp_path / "d.jsonl", rows(20))
    assert run_eval(Plain([Alone()], samples_jsonl=str(data), name="a.b"))["accuracy"] == 1.0
    assert most == 1


def _plain(prompt: Any, **kwargs: Any) -> str:
    return "True"


def _bare(text: Any) -> str:
    return "True"


async def _async(prompt: Any, temperature: float = 1.0) -> CompletionResult:
    await asyncio.sleep(0)
    assert temperature == 0.0
    return TextResult("True")


class _Acall:
    async def acall(self, prompt: Any, **kwargs: Any) -> str:
        return "True"

    def __call__(self, prompt: Any, **kwargs: Any) -> str:
        raise AssertionError("acall is to be awaited")


class _AsyncCall:
    async def __call__(self, prompt: Any, **kwargs: Any) -> str:
        return "True"


class _Odd:
    """Attributes of names that mean something here, with something else in them."""

    timeout = (3, 5)
    max_concurrency = "many"
    endpoint = ["a", "list"]
    retries = None
    usage: Mapping[str, Any] = {}

    def __call__(self, prompt: Any, **kwargs: Any) -> CompletionResult:
        return TextResult("True")


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "plain": _plain,
    "bare": _bare,
    "lambda": lambda prompt, **kwargs: "True",
    "async": _async,
    "acall": _Acall(),
    "async __call__": _AsyncCall(),
    "partial": partial(_plain, answer="x"),
    "partial of async": partial(_async),
    "a coroutine from a lambda": lambda prompt, **kwargs: _async(prompt, temperature=0.0),
    "odd": _Odd(),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("cls", [Match, Plain])
def test_any_callable_is_a_completion_function(cls: Any, name: str, tmp_path: Path) -> None:
    data = write_jsonl(tmp_path / "d.jsonl", rows(5))
    assert run_eval(cls([FUNCTIONS[name]], samples_jsonl=str(data), name="a.b"))["accuracy"] == 1.0


def test_one_bad_sample_does_not_end_the_run(tmp_path: Path) -> None:
    def fails_once(prompt: Any) -> str:
        if "Question 3:" in prompt:
            raise KeyError("a bug")
        return "True"

    data = write_jsonl(tmp_path / "d.jsonl", rows(6))
    for cls in (Match, Plain):
        recorder = Recorder(RunSpec(["fn"], "a.b", "a", "b", {}, ""))
        assert run_eval(cls([fails_once], samples_jsonl=str(data), name="a.b"), recorder)["accuracy"] == 1.0
        assert dict(recorder.scores.outcomes) == {"scored": 5, "error": 1}
        (error,) = recorder.get_events("error")
        assert "KeyError: 'a bug'" in error.data["message"]
        assert error.sample_id == "a.b.3"


@pytest.mark.parametrize("value", [None, 5, ["True"], {"text": "True"}])
def test_an_answer_of_a_wrong_type_is_one_samples_error_and_many_end_the_run(value: Any, tmp_path: Path) -> None:
    data = write_jsonl(tmp_path / "d.jsonl", rows(200))
    asked = 0

    def fn(prompt: Any, **kwargs: Any) -> Any:
        nonlocal asked
        asked += 1
        return value if asked <= last else "True"

    for last, planned in ((19, 200), (200, 20)):
        asked = 0
        recorder = Recorder(RunSpec(["fn"], "a.b", "a", "b", {}, ""))
        one_by_one = Sampler(Settings(concurrency=1)).wrap(fn)
        run_eval(Match([one_by_one], samples_jsonl=str(data), name="a.b"), recorder)
        assert recorder.scores.outcomes["error"] == min(last, planned)
        assert asked == planned
        assert f"returned {type(value).__name__}" in recorder.get_events("error")[0].data["message"]


def test_a_function_that_fails_for_a_while_is_asked_again() -> None:
    from aigc_evals.testing import FailingCompletionFn

    fn = FailingCompletionFn(
        EndpointError("busy", kind="rate_limit", retryable=True, retry_after=0.0), 2, answer="True"
    )
    recorder = Recorder(RunSpec(["fn"], "a.b", "a", "b", {}, ""))
    made = Match([fn], samples_jsonl="", name="a.b")
    made.eval_all_samples(recorder, [{"input": "a", "ideal": "True"}])
    (closing,) = recorder.get_events("sample")
    assert (closing.data["outcome"], closing.data["requests"], closing.data["retries"]) == ("scored", 3, 2)


def test_an_eval_needs_a_name_with_a_split() -> None:
    with pytest.raises(ValueError, match=r"base\.split"):
        Match([_plain], samples_jsonl="", name="alone")
