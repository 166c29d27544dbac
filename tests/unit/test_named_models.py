"""Named models: what ``create`` is given, what may come of it, and where classes are found by their names."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import aigc_evals
from aigc_evals import NamedModel
from aigc_evals.api import TextResult
from aigc_evals.elsuite.basic.match import Match
from aigc_evals.errors import EndpointError, UsageError
from aigc_evals.log import read_events, read_spec
from aigc_evals.models.named import AsyncNamedModelFn, as_completion_fn, best_device
from aigc_evals.models.search import NamedModels, split_models
from aigc_evals.prompt.base import chat_prompt_to_text_prompt
from aigc_evals.registry import Registry
from aigc_evals.sampling import Sampler
from aigc_evals.sampling.cache_identity import identity

CHAT = [{"role": "system", "content": "只写名称。"}, {"role": "user", "content": "中国的首都？"}]
GIVEN: dict[str, Any] = {"temperature": 0.0, "max_tokens": 5}


def text(answer: Any) -> str:
    if isinstance(answer, str):
        return answer
    first: str = answer.get_completions()[0]
    return first


class Seen(NamedModel):
    """What create was called with, as the answer."""

    MODEL_NAME = "seen"

    @classmethod
    def create(cls, *args: Any, **kwargs: Any) -> str:
        return repr((args, sorted(kwargs.items())))


# -- what create is given ---------------------------------------------------------------------------------------------


def test_a_conversation_comes_as_text_and_as_messages() -> None:
    answer = as_completion_fn(Seen)(prompt=CHAT, **GIVEN)
    prompt = "只写名称。\nUser: 中国的首都？\n"
    assert answer == repr(((), sorted({**GIVEN, "messages": CHAT, "prompt": prompt}.items())))


@pytest.mark.parametrize(
    "asked, prompt",
    [
        ("一个问题", "一个问题"),
        ([{"role": "user", "content": "一个问题"}], "一个问题"),
        ([*CHAT, {"role": "assistant", "content": "北京"}], "只写名称。\nUser: 中国的首都？\nAssistant: 北京\n"),
        (
            [{"role": "system", "name": "example_user", "content": "1+1"}, {"role": "user", "content": "2+2"}],
            "User: 1+1\nUser: 2+2\n",
        ),
    ],
)
def test_the_text_is_rendered_by_the_rules_of_prompts(asked: Any, prompt: str) -> None:
    class Echo(NamedModel):
        @staticmethod
        def create(prompt: str) -> str:
            return prompt

    assert as_completion_fn(Echo)(prompt=asked) == prompt


def test_a_text_comes_as_one_message_too() -> None:
    class Echo(NamedModel):
        def create(self, messages: list[dict[str, Any]]) -> str:
            return repr(messages)

    assert as_completion_fn(Echo)(prompt="问") == repr([{"role": "system", "content": "问"}])


@given(
    st.lists(
        st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant"]), "content": st.text()}),
        min_size=1,
    )
)
@settings(max_examples=50, deadline=None)
def test_no_conversation_ends_in_the_models_turn(messages: list[dict[str, Any]]) -> None:
    class Echo(NamedModel):
        @classmethod
        def create(cls, prompt: str, messages: list[dict[str, Any]]) -> str:
            assert messages == asked
            messages[0]["content"] = "changed"
            return prompt

    asked = [dict(message) for message in messages]
    assert as_completion_fn(Echo)(prompt=messages) == chat_prompt_to_text_prompt(asked, for_completion=False)
    assert messages == asked, "what create does to its messages is its own affair"


def test_only_what_create_takes_is_passed() -> None:
    class Picky(NamedModel):
        @classmethod
        def create(cls, prompt: str, temperature: float = 1.0) -> str:
            return f"{prompt} {temperature}"

    assert as_completion_fn(Picky)(prompt="x", **GIVEN) == "x 0.0"


# -- what may come of it ----------------------------------------------------------------------------------------------


class Pieces(NamedModel):
    def create(self, prompt: str) -> Any:
        yield ""
        time.sleep(0.01)
        yield "北"
        yield "京"


class AsyncPieces(NamedModel):
    async def create(self, prompt: str) -> Any:
        for piece in ("北", "京"):
            await asyncio.sleep(0.001)
            yield piece


class Awaited(NamedModel):
    @classmethod
    async def create(cls, prompt: str) -> str:
        await asyncio.sleep(0)
        return "北京"


class AwaitableFromPlain(NamedModel):
    @classmethod
    def create(cls, prompt: str) -> Any:
        return Awaited.create(prompt)


class Counted(NamedModel):
    def create(self, prompt: str) -> TextResult:
        return TextResult("北京", usage={"total_tokens": 3})


@pytest.mark.parametrize("cls", [Pieces, AsyncPieces, Awaited, AwaitableFromPlain, Counted])
def test_every_way_of_answering_is_an_answer(cls: type[NamedModel]) -> None:
    result = Sampler().wrap(cls)(prompt=CHAT)
    assert result.get_completions() == ["北京"]


def test_a_streamed_answer_says_when_its_first_piece_came() -> None:
    assert as_completion_fn(Pieces)(prompt="").first_token_seconds >= 0.01
    assert as_completion_fn(AsyncPieces)(prompt="").first_token_seconds > 0


@pytest.mark.parametrize(
    "value, told",
    [
        (["a"], "returned a list: ['a']"),
        ({"body": "x" * 99}, "returned a dict: {'body'"),
        (5, "int"),
    ],
)
def test_what_is_no_text_is_named_with_its_class(value: Any, told: str) -> None:
    class Wrong(NamedModel):
        MODEL_NAME = "错"

        @classmethod
        def create(cls, **kwargs: Any) -> Any:
            return value

    with pytest.raises(EndpointError, match=r"model 错 .*Wrong.*must return the answer as text") as caught:
        Sampler().wrap(Wrong)(prompt="x")
    assert told in str(caught.value)
    result = aigc_evals.run(Wrong, "test-match", progress=False, dry_run=True, dry_run_logging=False)
    assert re.search(r"no sample was scored: 10 error; most often: model 错 .*Wrong", result.problems[0])


def test_a_piece_that_is_no_text_is_named() -> None:
    class Wrong(NamedModel):
        def create(self, prompt: str) -> Any:
            yield "a"
            yield 5

    with pytest.raises(EndpointError, match="yielded a int: 5; every piece must be text"):
        as_completion_fn(Wrong)(prompt="")


class NullAnswer(NamedModel):
    """Answers as an API that sends ``"content": null`` to every second question, the first one among them."""

    MODEL_NAME = "空"
    max_concurrency = 1

    def __init__(self) -> None:
        self.asked = 0

    def create(self, prompt: str) -> str | None:
        self.asked += 1
        message: dict[str, str | None] = json.loads('{"content": null}' if self.asked % 2 else '{"content": "是"}')
        return message["content"]


class AsyncNullAnswer(NullAnswer):
    async def create(self, prompt: str) -> str | None:  # type: ignore[override]
        return super().create(prompt)


class NullPieces(NullAnswer):
    def create(self, prompt: str) -> Any:
        yield None
        yield super().create(prompt)


@pytest.mark.parametrize("cls", [NullAnswer, AsyncNullAnswer, NullPieces])
def test_null_is_an_empty_answer_the_first_one_too(cls: type[NamedModel], tmp_path: Path) -> None:
    result = aigc_evals.run(cls, "test-match", record_path=tmp_path / "run.jsonl", progress=False)
    answers = [event.data["sampled"][0] for event in read_events(tmp_path / "run.jsonl", "sampling")]
    assert answers[:2] == ["", "是"]
    outcomes = {key: count for key, count in result.report["outcomes"].items() if count}
    assert outcomes == {"empty": answers.count(""), "scored": answers.count("是")}


def test_a_piece_that_has_no_truth_of_its_own_is_named_too() -> None:
    class Wrong(NamedModel):
        async def create(self, prompt: str) -> Any:
            yield numpy.array([1, 2])

    with pytest.raises(EndpointError, match="yielded a ndarray: array"):
        as_completion_fn(Wrong)(prompt="")


# -- classes and instances --------------------------------------------------------------------------------------------


def test_an_instance_is_made_once_in_a_run_when_it_is_first_asked(tmp_path: Path) -> None:
    made: list[str] = []

    class Slow(NamedModel):
        MODEL_NAME = "slow"

        def __init__(self, answer: str = "True") -> None:
            made.append(threading.current_thread().name)
            time.sleep(0.05)
            self.answer = answer

        def create(self, prompt: str) -> str:
            return self.answer

    result = aigc_evals.run(Slow, "test-match", record_path=tmp_path / "a.jsonl", progress=False)
    assert result.report["outcomes"]["scored"] == result.report["planned"] > 1
    assert len(made) == 1
    aigc_evals.run(Slow, "test-match", record_path=tmp_path / "a.jsonl", progress=False)
    assert len(made) == 1, "a finished log is only read"
    aigc_evals.run("slow", "test-match", models=[Slow], completion_args={"answer": "x"}, dry_run=True, progress=False)
    assert len(made) == 2


def test_a_class_that_is_given_itself_gets_the_arguments_too() -> None:
    class Says(NamedModel):
        def __init__(self, answer: str = "no") -> None:
            self.answer = answer

        def create(self, prompt: str) -> str:
            raise RuntimeError(f"says {self.answer}")

    arguments = {"answer": "yes"}
    result = aigc_evals.run(Says, "test-match", completion_args=arguments, dry_run=True, progress=False)
    assert "says yes" in str(result.problems)


def test_an_error_in_create_has_its_place_in_the_log(tmp_path: Path) -> None:
    class Surprised(NamedModel):
        @classmethod
        def create(cls, prompt: str) -> str:
            return {"code": 500}["body"]  # type: ignore[return-value]

    log = tmp_path / "log.jsonl"
    aigc_evals.run(Surprised, "test-match", record_path=log, progress=False)
    errors = [event.data for event in read_events(log) if event.type == "error"]
    assert {error["message"] for error in errors} == {"KeyError: 'body'"}
    assert all(Path(error["where"].rpartition(":")[0]).name == Path(__file__).name for error in errors)


def test_loading_is_not_part_of_the_time_of_a_call(tmp_path: Path) -> None:
    class Large(NamedModel):
        MODEL_NAME = "large"
        timeout = 1.0

        def __init__(self) -> None:
            time.sleep(2.0)

        def create(self, prompt: str) -> str:
            return "True"

    report = aigc_evals.run(Large, "test-match", record_path=tmp_path / "log.jsonl", progress=False).report
    assert (report["outcomes"]["scored"], report["requests"], report["retries"]) == (10, 10, 0)


@pytest.mark.parametrize(("closes", "times"), [(False, 1), (True, 2)])
def test_runs_of_one_registry_share_the_instance_unless_it_was_closed(closes: bool, times: int, tmp_path: Path) -> None:
    made: list[int] = []

    class Weights(NamedModel):
        MODEL_NAME = "weights"

        def __init__(self) -> None:
            made.append(1)
            self.open = True

        def create(self, prompt: str) -> str:
            if not self.open:
                raise RuntimeError("this one is closed")
            return "True"

    async def aclose(self: Any) -> None:
        self.open = False

    cls = type("Closing", (Weights,), {"MODEL_NAME": "weights", "aclose": aclose}) if closes else Weights
    registry = Registry()
    for number in range(2):
        log = tmp_path / f"{number}.jsonl"
        result = aigc_evals.run(
            "weights", "test-match", registry=registry, models=[cls], record_path=log, progress=False
        )
        assert result.report["outcomes"]["scored"] == 10
    assert len(made) == times


def test_what_holds_the_registry_of_a_run_is_made_for_each_run(tmp_path: Path) -> None:
    registries: list[Registry] = []

    class Relays(NamedModel):
        MODEL_NAME = "relays"

        def __init__(self, registry: Registry) -> None:
            registries.append(registry)
            self.inner = registry.make_completion_fn("baseline/echo")

        async def create(self, prompt: str, messages: Any) -> str:
            await self.inner.acall(messages)
            return "True"

    registry = Registry()
    for number in range(2):
        log = tmp_path / f"{number}.jsonl"
        result = aigc_evals.run(
            "relays", "test-match", registry=registry, models=[Relays], record_path=log, progress=False
        )
        assert result.report["outcomes"]["scored"] == 10
    assert len({*map(id, registries)}) == 2, "each run has limits and a log of its own"


def test_secrets_that_only_the_instance_knows_are_hidden(tmp_path: Path) -> None:
    class Keyed(NamedModel):
        MODEL_NAME = "keyed"

        def __init__(self) -> None:
            self.secrets = ("opal-heron-4471",)

        def create(self, prompt: str) -> str:
            raise RuntimeError(f"refused: {self.secrets[0]}")

    log = tmp_path / "log.jsonl"
    result = aigc_evals.run(Keyed, "test-match", record_path=log, progress=False)
    assert "refused: [redacted]" in str(result.problems)
    assert "opal-heron" not in str(result) + log.read_text(encoding="utf-8")


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_call_that_would_end_the_process_is_one_failed_call(asynchronous: bool, tmp_path: Path) -> None:
    def plain(prompt: str) -> str:
        sys.exit(3)

    async def awaited(prompt: str) -> str:
        sys.exit(3)

    create = staticmethod(awaited if asynchronous else plain)
    cls = type("Exits", (NamedModel,), {"create": create, "MODEL_NAME": "exits"})
    result = aigc_evals.run(cls, "test-match", record_path=tmp_path / "log.jsonl", progress=False)
    assert result.report["outcomes"]["error"] == 10
    assert "SystemExit: 3" in str(result.problems)


def test_model_and_judge_of_one_name_are_one_instance(tmp_path: Path) -> None:
    made: list[int] = []

    class Both(NamedModel):
        MODEL_NAME = "both"
        max_concurrency = 1

        def __init__(self) -> None:
            made.append(1)

        async def create(self, prompt: str) -> str:
            return "C"

    result = aigc_evals.run(
        "both", "test-modelgraded", models=[Both], judge="both", record_path=tmp_path / "log.jsonl", progress=False
    )
    assert result.report["outcomes"]["scored"] == 6
    assert len(made) == 1


def test_a_class_that_cannot_be_made_ends_the_run_before_it_began(tmp_path: Path) -> None:
    made: list[int] = []

    class Broken(NamedModel):
        MODEL_NAME = "broken"

        def __init__(self) -> None:
            made.append(1)
            raise FileNotFoundError("没有权重")

        def create(self, prompt: str) -> str:
            return ""

    with pytest.raises(
        UsageError, match=r"model broken .* cannot be made: FileNotFoundError: 没有权重 \(.*test_named_models"
    ):
        aigc_evals.run(Broken, "test-match", record_path=tmp_path / "log.jsonl", progress=False)
    assert len(made) == 1
    assert not (tmp_path / "log.jsonl").exists()


@pytest.mark.parametrize("asynchronous", [False, True])
def test_making_is_tried_again_where_the_failure_may_pass(asynchronous: bool, tmp_path: Path) -> None:
    made: list[int] = []

    class Connects(NamedModel):
        def __init__(self) -> None:
            made.append(1)
            if len(made) == 1:
                raise ConnectionRefusedError("not yet")

    def plain(self: Any, prompt: str) -> str:
        return "True"

    async def awaited(self: Any, prompt: str) -> str:
        return "True"

    cls = type("Connects", (Connects,), {"create": awaited if asynchronous else plain, "MODEL_NAME": "c"})
    result = aigc_evals.run(cls, "test-match", record_path=tmp_path / "log.jsonl", concurrency=1, progress=False)
    assert (result.report["outcomes"]["scored"], result.report["retries"]) == (10, 1)
    assert len(made) == 2


def test_an_instance_may_be_given_and_its_own_limits_count() -> None:
    class Configured(NamedModel):
        MODEL_NAME = "configured"

        def __init__(self, answer: str, most: int) -> None:
            self.answer, self.max_concurrency = answer, most

        def create(self, prompt: str) -> str:
            return self.answer

    one = Configured("True", 3)
    assert one("x") == "True"
    assert as_completion_fn(one).max_concurrency == 3
    result = aigc_evals.run(one, "test-match", dry_run=True, dry_run_logging=False, progress=False)
    assert result.report["planned"] == 10
    assert Match([one], samples_jsonl="x").completion_fns[0](prompt="x").get_completions() == ["True"]


def test_arguments_are_checked_before_anything_is_asked() -> None:
    registry = Registry()
    registry.models.add([Seen])
    with pytest.raises(UsageError, match="unexpected keyword argument 'wrong'"):
        registry.make_completion_fn("seen", wrong=1)


class NoCreate(NamedModel):
    MODEL_NAME = "none"


class WantsMore(NamedModel):
    def create(self, prompt: str, history: list[str]) -> str:
        return ""


class TakesNothing(NamedModel):
    @classmethod
    def create(cls, temperature: float = 0) -> str:
        return ""


class ForgotSelf(NamedModel):
    def create(**kwargs: Any) -> str:  # type: ignore[misc]
        return ""


class BadLimit(Seen):
    max_concurrency = "8"


class BadTimeout(Seen):
    timeout = 0


class BadRetries(Seen):
    retries = True


@pytest.mark.parametrize(
    "cls, told",
    [
        (NoCreate, "has no create"),
        (WantsMore, "wants history"),
        (TakesNothing, "neither prompt nor messages"),
        (ForgotSelf, "needs self first"),
        (BadLimit, "max_concurrency must be a whole number of at least 1, got '8'"),
        (BadTimeout, "timeout must be seconds, more than 0"),
        (BadRetries, "retries must be a whole number of at least 0, got True"),
    ],
)
def test_a_class_that_cannot_be_asked_says_why(cls: type[NamedModel], told: str) -> None:
    with pytest.raises(UsageError, match=rf"class {cls.__name__}\).*{told}"):
        aigc_evals.run(cls, "test-match", progress=False)


def test_what_a_class_says_reaches_the_callers_limits() -> None:
    class Limited(Seen):
        max_concurrency, timeout, retries, endpoint, secrets = 2, 1.5, 0, "shared", ("hush",)

    fn = as_completion_fn(Limited)
    assert (fn.max_concurrency, fn.timeout, fn.retries, fn.endpoint, fn.secrets) == (2, 1.5, 0, "shared", ("hush",))
    sampler = Sampler()
    wrapped = sampler.wrap(Limited)
    assert (wrapped._timeout, wrapped._retries, sampler.secrets) == (1.5, 0, ["hush"])
    assert sampler.endpoint(wrapped.inner).name == "shared"


def test_those_that_share_an_endpoint_keep_to_the_smallest_limit() -> None:
    lock, at_once, most = threading.Lock(), [0], [0]

    class Free(NamedModel):
        MODEL_NAME = "free"
        endpoint = "gpu"

        @classmethod
        async def create(cls, prompt: str) -> str:
            return "C"

    class Alone(NamedModel):
        MODEL_NAME = "alone"
        endpoint = "gpu"
        max_concurrency = 1

        @classmethod
        def create(cls, prompt: str) -> str:
            with lock:
                at_once[0] += 1
                most[0] = max(most[0], at_once[0])
            time.sleep(0.02)
            with lock:
                at_once[0] -= 1
            return "C"

    result = aigc_evals.run(Free, "test-modelgraded", judge=Alone, dry_run=True, dry_run_logging=False, progress=False)
    assert result.report["outcomes"]["scored"] == 6
    assert most[0] == 1


def test_answers_are_cached_only_where_the_class_says_who_it_is() -> None:
    class Kept(Seen):
        cache_key = "v1"

        def __init__(self, x: int = 0) -> None:
            self.x = x

    assert identity(as_completion_fn(Seen)) is None
    digests = {identity(as_completion_fn(Kept, args)) for args in ({}, {"x": 1}, {"x": 2})}
    assert len(digests) == 3
    assert None not in digests


def test_aclose_of_an_instance_is_awaited(tmp_path: Path) -> None:
    closed: list[str] = []

    class Client(NamedModel):
        def create(self, prompt: str) -> str:
            return "True"

        async def aclose(self) -> None:
            closed.append("closed")

    aigc_evals.run(Client, "test-match", record_path=tmp_path / "log.jsonl", progress=False)
    assert closed == ["closed"]


def test_the_device_is_asked_for_of_torch_only_when_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert best_device() in ("cuda", "mps", "cpu")
    assert Seen.device == Seen().device == best_device()
    monkeypatch.setitem(sys.modules, "torch", None)
    assert Seen.device == "cpu"


# -- where classes are found ------------------------------------------------------------------------------------------

FILE = '''
from aigc_evals import NamedModel


class {cls}(NamedModel):
    """{about}"""

    MODEL_NAME = {name}

    @classmethod
    def create(cls, prompt):
        return "{answer}"
'''


def write(path: Path, name: str, cls: str = "Model", about: str = "一个模型。", answer: str = "True") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(FILE.format(cls=cls, name=name, about=about, answer=answer), encoding="utf-8")
    return path


def models(folder: Path, **environ: str) -> NamedModels:
    return NamedModels(environ, folder)


@pytest.mark.parametrize(
    "given_text, separator, parts",
    [
        ("a.py:b.py,c", ":", ["a.py", "b.py", "c"]),
        (r"C:\模型\a.py;D:\b.py,c", ";", [r"C:\模型\a.py", r"D:\b.py", "c"]),
        (" a.py , ,", ":", ["a.py"]),
        ("", ";", []),
    ],
)
def test_the_variable_is_split_as_the_system_splits_paths(given_text: str, separator: str, parts: list[str]) -> None:
    assert split_models(given_text, separator) == parts


def test_files_modules_and_classes_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "模型.py", "'in/file'")
    write(tmp_path / "named_module_of_test.py", "'in/module'")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = models(tmp_path / "none")
    found.add([tmp_path / "模型.py", "named_module_of_test", Seen])
    assert [one.name for one in found.every()] == ["in/file", "in/module", "seen"]
    assert [one.line for one in found.every()][:2] == [5, 5]
    assert found.every()[0].about == "一个模型。"
    one = found.given("in/file")
    assert one is not None
    assert one.place == f"{tmp_path / '模型.py'}:5"


@pytest.mark.parametrize(
    "content, told",
    [
        ("import no_such_module_at_all", ":1: cannot be loaded: ModuleNotFoundError"),
        ("x = 1\ndef broken(:", ":2: cannot be loaded: SyntaxError"),
        ("import sys\n\nsys.exit(3)", ":3: cannot be loaded: SystemExit: 3"),
        ("x = 1", "defines no class derived from NamedModel"),
        ("class M:\n    MODEL_NAME = 'm'", "M has a MODEL_NAME, but does not derive"),
        ("from aigc_evals import NamedModel\nclass M(NamedModel):\n    MODEL_NAME = 'a,b'", ":2: M.MODEL_NAME must be"),
        ("from aigc_evals import NamedModel\nclass M(NamedModel):\n    MODEL_NAME = 5", ":2: M.MODEL_NAME must be"),
    ],
)
def test_a_named_file_that_is_broken_is_an_error_with_its_line(
    content: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "模型.py"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        models(tmp_path / "none").add([path])
    assert told in str(caught.value)
    assert "模型.py" in str(caught.value)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        models(tmp_path / "none").add(["模型.py"])
    assert told in str(caught.value)


@pytest.mark.parametrize("wrong", ["no_such_file.py", "no_such_module_of_anyone", "a folder/", 5, NamedModel])
def test_what_names_nothing_is_an_error(wrong: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no such Python file|no module|expected a Python file"):
        models(tmp_path).add([wrong])


def test_two_classes_of_one_name_are_named_with_their_places(tmp_path: Path) -> None:
    first, second = write(tmp_path / "a.py", "'同名'", cls="One"), write(tmp_path / "b.py", "'同名'", cls="Two")
    with pytest.raises(UsageError, match=rf"two classes are named '同名': {first}:5 and {second}:5"):
        models(tmp_path / "none").add([first, second])
    with pytest.raises(UsageError, match="two classes are named"):
        models(tmp_path).found("同名")
    alone = models(tmp_path)
    alone.add([first])
    with pytest.raises(UsageError, match="two classes are named"):
        alone.given("同名")
    fine = models(tmp_path / "none")
    fine.add([first, first, str(first)])
    assert fine.given("同名") is not None, "the same class twice is no contradiction"


def test_the_users_files_are_executed_only_when_they_are_needed(tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    for name in ("wanted", "other"):
        path = write(tmp_path / f"{name}.py", f"'{name}'")
        text = path.read_text(encoding="utf-8")
        path.write_text(f"open({str(mark)!r}, 'a', encoding='utf-8').write('{name} ')\n{text}", encoding="utf-8")
    found = models(tmp_path)
    assert [one.name for one in found.every()] == ["other", "wanted"]
    assert not mark.exists()
    one = found.found("wanted")
    assert one is not None
    assert as_completion_fn(one.load())(prompt="x") == "True"
    assert mark.read_text(encoding="utf-8") == "wanted "
    assert found.found("gpt-4o") is None
    assert mark.read_text(encoding="utf-8") == "wanted "


def test_names_that_are_computed_are_found_by_executing_their_file(tmp_path: Path) -> None:
    write(tmp_path / "a.py", "'model-' + str(7)")
    one = models(tmp_path).found("model-7")
    assert one is not None
    assert one.class_name == "Model"
    assert models(tmp_path).found("model-8") is None


def test_a_broken_file_of_the_users_matters_only_to_those_who_need_it(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("# MODEL_NAME\nclass A(:\n    MODEL_NAME = '甲'\n", encoding="utf-8")
    write(tmp_path / "fine.py", "'乙'")
    found = models(tmp_path)
    assert found.found("gpt-4o") is None
    assert found.found("乙") is not None
    with pytest.raises(UsageError, match=r"broken\.py:2: cannot be loaded: SyntaxError"):
        found.found("甲")
    assert ["broken.py:2" in str(problem) for problem in found.problems.values()] == [True]


def test_helpers_and_other_files_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    for name in ("_helper.py", ".hidden.py", "notes.txt"):
        (tmp_path / name).write_text("MODEL_NAME (", encoding="utf-8")
    assert models(tmp_path).every() == []
    assert models(tmp_path / "does not exist").every() == []


# -- which one wins ---------------------------------------------------------------------------------------------------


def registry(folder: Path, **environ: str) -> Registry:
    made = Registry()
    made.models = models(folder, **environ)
    return made


def test_a_class_that_is_given_goes_before_an_entry_of_the_registry(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.py", "'baseline/lexical'", answer="mine")
    plain = registry(tmp_path / "none")
    assert type(plain.make_completion_fn("baseline/lexical")).__name__ != "NamedModelFn"
    plain.models.add([path])
    assert plain.make_completion_fn("baseline/lexical")(prompt="x") == "mine"
    by_variable = registry(tmp_path / "none", AIGC_EVALS_MODELS=str(path))
    assert by_variable.make_completion_fn("baseline/lexical")(prompt="x") == "mine"


def test_an_entry_of_the_registry_goes_before_the_users_folder_which_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(tmp_path / "mine.py", "'baseline/lexical'")
    fn = registry(tmp_path).make_completion_fn("baseline/lexical")
    assert type(fn).__name__ != "NamedModelFn"
    assert f"--models {path}" in caplog.text


def test_an_unknown_name_is_answered_with_the_nearest_models(tmp_path: Path) -> None:
    write(tmp_path / "mine.py", "'glm-large'")
    (tmp_path / "broken.py").write_text("MODEL_NAME (", encoding="utf-8")
    with pytest.raises(UsageError, match=r"Did you mean: .*glm-large(.|\n)*broken\.py:1"):
        registry(tmp_path).make_completion_fn("glm-larg")


def test_what_the_variable_names_is_not_loaded_for_nothing(tmp_path: Path) -> None:
    environ = {"AIGC_EVALS_MODELS": str(tmp_path / "gone.py")}
    assert aigc_evals.run("dummy", "test-match", environ=environ, dry_run=True, dry_run_logging=False).exit_code == 0


def test_a_broken_variable_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\[AIGC_EVALS_MODELS\].*no such Python file"):
        registry(tmp_path, AIGC_EVALS_MODELS="gone.py").make_completion_fn("x")


# -- the log ----------------------------------------------------------------------------------------------------------


def test_the_log_names_the_model_and_its_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.py", "'命名'")
    log = tmp_path / "log.jsonl"
    aigc_evals.run("命名", "test-match", models=[path], record_path=log, max_samples=2, progress=False)
    spec = read_spec(log)
    assert spec is not None
    assert spec["completion_fns"] == ["命名"]
    code = spec["run_config"]["code"]["命名"]
    assert (code["class"], code["file"]) == ("Model", str(path.resolve()))
    assert len(code["sha256"]) == 64
    assert [event.data["prompt"][-1]["role"] for event in read_events(log, "sampling")] == ["user"] * 2


def test_a_class_given_as_an_object_is_named_by_its_model_name(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    aigc_evals.run([Seen], "test-match", record_path=log, max_samples=1, progress=False)
    spec = read_spec(log)
    assert spec is not None
    assert spec["completion_fns"] == ["seen"]
    assert spec["run_config"]["code"]["seen"]["file"] == str(Path(__file__).resolve())


def test_code_that_changed_does_not_keep_a_log_from_being_continued_and_is_told(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    first = write(tmp_path / "a.py", "'m'", answer="wrong")
    aigc_evals.run("m", "test-match", models=[first], record_path=log, progress=False)
    content = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(content[: len(content) // 2]))
    second = write(tmp_path / "b.py", "'m'", answer="True")
    result = aigc_evals.run("m", "test-match", models=[second], record_path=log, progress=False)
    assert result.report["outcomes"]["scored"] == result.report["planned"] == 10
    assert result.report["notes"] == [f"the code of m ({second.resolve()}) has changed since this log was begun"]
    assert result.exit_code == 0


def test_functions_of_this_package_have_no_code_in_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    aigc_evals.run("baseline/lexical", "test-match", record_path=log, max_samples=1, progress=False)
    spec = read_spec(log)
    assert spec is not None
    assert spec["run_config"]["code"] == {}


def test_plain_and_asynchronous_classes_are_told_apart() -> None:
    assert isinstance(as_completion_fn(AsyncPieces), AsyncNamedModelFn)
    assert isinstance(as_completion_fn(Awaited), AsyncNamedModelFn)
    assert not isinstance(as_completion_fn(Pieces), AsyncNamedModelFn)
    assert as_completion_fn(text) is text
