"""What users' own evals and completion functions may do."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest
from support.registries import registry

import aigc_evals
from aigc_evals.api import CompletionResult
from aigc_evals.base import RunSpec
from aigc_evals.eval import Eval
from aigc_evals.record import DummyRecorder, record_metrics
from aigc_evals.registry import Registry


class OwnLoop(Eval):
    """Plain user code that awaits the completion function in an event loop of its own."""

    def eval_sample(self, sample: Any, rng: random.Random) -> None:
        result = asyncio.run(self.completion_fn.acall(prompt=sample))
        record_metrics(accuracy=float(result.get_completions()[0] == "好"))

    def run(self, recorder: Any) -> dict[str, Any]:
        self.eval_all_samples(recorder, [f"问题{i}" for i in range(8)])
        return {"accuracy": recorder.scores.mean("accuracy")}


def test_a_function_of_the_run_can_be_awaited_in_a_loop_of_the_users_own() -> None:
    recorder = DummyRecorder(RunSpec(["f"], "own.loop", "own", "loop", {}, ""), log=False)
    assert OwnLoop([lambda prompt: "好"], name="own.loop").run(recorder) == {"accuracy": 1.0}


class SaysNothing(CompletionResult):
    def get_completions(self) -> list[Any]:
        return [None]


def test_a_completion_that_is_null_is_an_empty_answer(tmp_path: Path) -> None:
    result = aigc_evals.run(lambda prompt: SaysNothing(), "test-match", record_path=tmp_path / "log.jsonl")
    assert result.report["outcomes"]["empty"] == result.report["planned"]


@pytest.mark.parametrize("name", ["api_key", "userkey", "stop_token", "dbpassword", "appSecret"])
def test_an_argument_that_may_be_a_secret_is_in_no_log(name: str, tmp_path: Path) -> None:
    class Leaks(aigc_evals.NamedModel):
        MODEL_NAME = "泄密"

        def __init__(self, **given: str) -> None:
            self.given = given

        def create(self, prompt: Any, **kwargs: Any) -> str:
            return f"我的参数：{self.given}"

    args = {name: "zebra-quartz-7731", "region": "shanghai-north-2"}
    log = tmp_path / "log.jsonl"
    aigc_evals.run(Leaks, "test-match", record_path=log, completion_args=args, progress=False, environ={})
    written = log.read_text(encoding="utf-8")
    assert "zebra" not in written
    assert f"我的参数：{{'{name}': '[redacted]', 'region': 'shanghai-north-2'" in written


def test_the_report_says_where_code_of_the_users_own_failed(tmp_path: Path) -> None:
    def model(prompt: Any, **kwargs: Any) -> str:
        return str(kwargs["promt"])

    result = aigc_evals.run(model, "test-match", record_path=tmp_path / "log.jsonl", progress=False)
    line = model.__code__.co_firstlineno + 1
    assert result.problems[0].endswith(f"most often: KeyError: 'promt' ({__file__}:{line})")


def test_where_no_sample_is_scored_the_report_says_how_to_look_at_them(tmp_path: Path) -> None:
    result = aigc_evals.run(lambda prompt: "", "test-match", record_path=tmp_path / "log.jsonl", progress=False)
    assert result.problems[0].endswith("10 empty; `aigc_evals samples LOG --outcome empty` shows what was said")


def test_samples_may_be_a_folder_of_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, rows in (("数据", 2), ("test_match", 1)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "samples.jsonl").write_text('{"input": "问", "ideal": "答"}\n' * rows, encoding="utf-8")

    def planned(samples: str) -> int:
        args = {"samples_jsonl": samples}
        result = aigc_evals.run("dummy", "test-match", extra_eval_params=args, dry_run=True, dry_run_logging=False)
        return int(result.report["planned"])

    assert planned("数据") == 2
    assert planned("test_match") == 19  # the registry's own


class Panic(BaseException):
    """What libraries in Rust raise."""


class Panics(Eval):
    def eval_sample(self, sample: Any, rng: random.Random) -> None:
        if sample == 2:
            raise Panic("a slice has no such index")
        record_metrics(accuracy=1.0)

    def run(self, recorder: Any) -> dict[str, Any]:
        self.eval_all_samples(recorder, [1, 2, 3])
        return {}


def test_an_error_that_is_no_exception_is_an_error_of_its_sample(tmp_path: Path) -> None:
    recorder = DummyRecorder(RunSpec(["f"], "own.panics", "own", "panics", {}, ""), log=False)
    Panics([lambda prompt: ""], name="own.panics").run(recorder)
    assert dict(recorder.scores.outcomes) == {"scored": 2, "error": 1}

    def model(prompt: Any, **kwargs: Any) -> str:
        raise Panic("恐慌")

    result = aigc_evals.run(model, "test-match", record_path=tmp_path / "log.jsonl", progress=False)
    assert "most often: Panic: 恐慌" in result.problems[0]


class Grades(Eval):
    async def aeval_sample(self, sample: Any, rng: random.Random) -> None:
        record_metrics(choice="Y")
        record_metrics(choice="Y")

    def run(self, recorder: Any) -> dict[str, Any]:
        self.eval_all_samples(recorder, [1, 2, 3])
        return {}


def test_a_sample_that_records_a_label_twice_is_still_one_sample() -> None:
    recorder = DummyRecorder(RunSpec(["f"], "own.labels", "own", "labels", {}, ""), log=False)
    Grades([lambda prompt: ""], name="own.labels").run(recorder)
    assert len(recorder.scores.scored_labels["choice"].codes) == 3


@pytest.mark.parametrize("name", ["author", "passthrough", "compass", "tokenize", "keywords"])
def test_an_argument_whose_name_only_has_the_letters_of_a_secret_masks_nothing(name: str, tmp_path: Path) -> None:
    class Own(aigc_evals.NamedModel):
        MODEL_NAME = "own"

        def __init__(self, **given: str) -> None:
            self.given = given

        def create(self, prompt: Any, **kwargs: Any) -> str:
            return f"the {self.given[name]} is here"

    log = tmp_path / "log.jsonl"
    aigc_evals.run(Own, "test-match", record_path=log, completion_args={name: "answer"}, progress=False, environ={})
    written = log.read_text(encoding="utf-8")
    assert "the answer is here" in written
    assert "[redacted]" not in written


class Takes(Eval):
    """An eval that takes its settings apart as it reads them."""

    seen: list[Any] = []

    def __init__(self, *args: Any, options: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.seen.append(options.pop("style", None))

    def run(self, recorder: Any) -> dict[str, Any]:
        self.eval_all_samples(recorder, [])
        return {}


def test_what_a_constructor_does_to_its_settings_is_not_seen_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evals = """
        a.dev.v0: {class: "test_user_code:Takes", args: &same {options: {style: formal}}}
        b.dev.v0: {class: "test_user_code:Takes", args: *same}
        """
    folder = registry(
        tmp_path / "registry", {"evals/a.yaml": evals, "eval_sets/s.yaml": "s: {evals: [a.dev.v0, b.dev.v0]}"}
    )
    monkeypatch.setattr(Takes, "seen", [])
    shared = Registry([folder])
    for name in ("a.dev.v0", "a.dev.v0", "b.dev.v0"):
        aigc_evals.run("dummy", name, registry=shared, dry_run=True, dry_run_logging=False, progress=False)
    aigc_evals.run_set(
        "dummy", "s", registry_path=[folder], record_path=tmp_path / "logs", exit_on_error=False, progress=False
    )
    assert Takes.seen == ["formal"] * 5
