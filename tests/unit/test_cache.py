"""The cache of completions: where it is, what is found again, what is never kept, and what happens when it breaks."""

from __future__ import annotations

import logging
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aigc_evals.api import TextResult
from aigc_evals.completion_fns.cot import ChainOfThoughtCompletionFn
from aigc_evals.completion_fns.openai import OpenAIChatCompletionFn, OpenAICompletionFn
from aigc_evals.prompt.base import ChatCompletionPrompt
from aigc_evals.redact import Redactor
from aigc_evals.sampling import Sampler
from aigc_evals.sampling.cache import CompletionCache, cache_path, contents, remove
from aigc_evals.sampling.cache_identity import identity

PROMPT = [{"role": "user", "content": "天空是什么颜色？"}]
SECRET = "sk-0123456789abcdefghijklmnop"


class Count:
    """A number that is not part of who a function is."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0


class Named:
    """A function with an endpoint and a model, which counts its calls and answers with their number."""

    endpoint = "http://一处/v1"

    def __init__(self, model: str = "m", result: Any = None, **settings: Any) -> None:
        self.model = model
        self.calls = Count()
        self.result = result
        vars(self).update(settings)

    def __call__(self, prompt: Any, **kwargs: Any) -> Any:
        self.calls.value += 1
        return TextResult(f"蓝 {self.calls.value}") if self.result is None else self.result


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "缓存" / "completions.sqlite3"


@pytest.fixture
def cache(path: Path) -> Iterator[CompletionCache]:
    made = CompletionCache(path)
    yield made
    made.close()


def settled(cache: CompletionCache) -> CompletionCache:
    """The same file opened anew, everything written."""
    cache.close()
    return CompletionCache(cache.path)


def ask(cache: CompletionCache, fn: Any, prompt: Any = PROMPT, **kwargs: Any) -> Any:
    """One call in a run of its own, whose answers are all in the file when this returns."""
    opened = CompletionCache(cache.path)
    try:
        return Sampler(cache=opened).wrap(fn)(prompt=prompt, **kwargs)
    finally:
        opened.close()


# -- where it is ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "platform", "folder"),
    [
        ({"AIGC_EVALS_CACHE_DIR": "/快"}, "linux", "/快"),
        ({"XDG_CACHE_HOME": "/x"}, "linux", "/x/aigc_evals"),
        ({"XDG_CACHE_HOME": "relative"}, "linux", "~/.cache/aigc_evals"),
        ({}, "linux", "~/.cache/aigc_evals"),
        ({}, "darwin", "~/Library/Caches/aigc_evals"),
        ({"LOCALAPPDATA": "/local"}, "win32", "/local/aigc_evals"),
        ({"AIGC_EVALS_CACHE_DIR": "~/mine", "XDG_CACHE_HOME": "/x"}, "darwin", "~/mine"),
    ],
)
def test_the_file_is_where_the_platform_keeps_caches(environ: dict[str, str], platform: str, folder: str) -> None:
    assert cache_path(environ, platform) == Path(folder).expanduser() / "completions.sqlite3"


def test_only_its_owner_can_read_it(cache: CompletionCache) -> None:
    assert stat.S_IMODE(cache.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(cache.path.parent.stat().st_mode) == 0o700


# -- what is found again --------------------------------------------------------------------------------------------


def test_the_same_request_is_answered_once(cache: CompletionCache) -> None:
    usage = {"prompt_tokens": 5, "total_tokens": 7}
    fn = Named(result=TextResult("蓝", usage=usage, finish_reason="stop", reasoning="想", model="m-2"))
    first, second = ask(cache, fn), ask(cache, fn)
    assert fn.calls.value == 1
    assert second.get_completions() == first.get_completions() == ["蓝"]
    assert (second.usage, second.finish_reason, second.reasoning, second.model) == (usage, "stop", "想", "m-2")
    assert second.cached is True


@pytest.mark.parametrize(
    "other",
    [
        (Named("other"), PROMPT, {}),
        (Named(temperature=1), PROMPT, {}),
        (Named(endpoint="http://别处/v1"), PROMPT, {}),
        (Named(), [{"role": "user", "content": "天空是什么颜色"}], {}),
        (Named(), [{"role": "system", "content": "天空是什么颜色？"}], {}),
        (Named(), PROMPT, {"temperature": 0.5}),
        (Named(), PROMPT, {"max_tokens": 7}),
    ],
)
def test_any_difference_is_another_request(cache: CompletionCache, other: tuple[Any, Any, dict[str, Any]]) -> None:
    ask(cache, Named())
    fn, prompt, kwargs = other
    ask(cache, fn, prompt, **kwargs)
    assert fn.calls.value == 1


def test_limits_secrets_and_the_order_of_parameters_make_no_difference(cache: CompletionCache) -> None:
    ask(cache, Named(api_key=SECRET, secrets=(SECRET,), note=f"key {SECRET}"), temperature=0.0, max_tokens=5)
    fn = Named(timeout=3, max_concurrency=2, api_key="another-key-4711", secrets=("another-key-4711",))
    vars(fn)["note"] = "key another-key-4711"
    ask(cache, fn, max_tokens=5, temperature=0.0)
    assert fn.calls.value == 0


def test_a_prompt_object_is_the_prompt_it_stands_for(cache: CompletionCache) -> None:
    fn = Named()
    ask(cache, fn, ChatCompletionPrompt(PROMPT))
    ask(cache, fn, PROMPT)
    assert fn.calls.value == 1


def test_reasoning_is_taken_off_a_kept_answer_as_off_a_new_one(cache: CompletionCache) -> None:
    fn = Named(result=TextResult("<think>先想一想</think>蓝"))
    first, second = ask(cache, fn), ask(cache, fn)
    assert first.get_completions() == second.get_completions() == ["蓝"]
    assert first.reasoning == second.reasoning == "先想一想"
    assert fn.calls.value == 1


def test_a_sample_that_asks_the_same_twice_gets_two_answers_both_times(tmp_path: Path, path: Path) -> None:
    from aigc_evals.base import RunSpec
    from aigc_evals.record import Recorder

    seen: list[list[str]] = []
    fn = Named()
    for _ in range(2):
        cache = CompletionCache(path)
        wrapped = Sampler(cache=cache).wrap(fn)
        recorder = Recorder(RunSpec(["f"], "e.dev", "e", "dev", {}, ""))
        with recorder.as_default_recorder("e.dev.0"):
            seen.append([wrapped(prompt=PROMPT).get_completions()[0] for _ in range(3)])
        cache.close()
    assert seen == [["蓝 1", "蓝 2", "蓝 3"]] * 2
    assert fn.calls.value == 3


# -- who is asked ---------------------------------------------------------------------------------------------------


def test_plain_functions_are_known_only_by_a_key_of_their_own(cache: CompletionCache) -> None:
    def plain(prompt: Any, **kwargs: Any) -> str:
        return "蓝"

    assert identity(plain) is None
    plain.cache_key = "蓝 第一版"  # type: ignore[attr-defined]
    first = identity(plain)
    plain.cache_key = "蓝 第二版"  # type: ignore[attr-defined]
    second = identity(plain)
    assert first is not None
    assert second is not None
    assert first.digest != second.digest
    ask(cache, plain)
    assert getattr(ask(cache, plain), "cached", False) is True


def test_functions_that_only_call_others_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    composite = ChainOfThoughtCompletionFn(cot_completion_fn="dummy")
    vars(composite).update(endpoint="http://x", model="m", cache_key="k")
    assert identity(composite) is None


def openai(**arguments: Any) -> bytes:
    who = identity(OpenAIChatCompletionFn(**{"model": "m", "api_base": "http://127.0.0.1:1/v1", **arguments}))
    assert who is not None
    return who.digest


def test_models_behind_endpoints_are_told_apart_by_what_changes_their_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    base = openai()
    assert base == openai()
    assert base == openai(api_key=SECRET) == openai(api_key="another-key-4711", timeout=7, max_concurrency=3)
    assert base == openai(headers={"Authorization": f"Bearer {SECRET}"}) == openai(headers={"X-Api-Key": "abcdef123"})
    assert base == openai(api_key=SECRET, headers={"X-Whose": SECRET})
    different = [
        openai(model="n"),
        openai(api_base="http://127.0.0.1:2/v1"),
        openai(extra_options={"seed": 3}),
        openai(headers={"X-Route": "green"}),
        openai(headers={"X-Route": "blue"}),
    ]
    text = identity(OpenAICompletionFn("m", "http://127.0.0.1:1/v1"))
    assert text is not None
    assert len({base, text.digest, *different}) == 7


def test_a_password_in_an_address_is_neither_in_the_key_nor_in_the_list() -> None:
    with_password = identity(OpenAIChatCompletionFn("m", "http://用户:密码123456@127.0.0.1:1/v1"))
    assert with_password is not None
    assert with_password.digest == openai()
    assert "密码" not in with_password.endpoint


# -- what is never kept ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "result",
    [
        TextResult(""),
        TextResult("  \n"),
        TextResult("<think>只有想法</think>"),
        TextResult("蓝的", finish_reason="length"),
        TextResult("", finish_reason="content_filter"),
        TextResult(f"你的钥匙是 {SECRET}"),
        TextResult("你的密码是 天王盖地虎-12345"),
    ],
)
def test_bad_answers_and_answers_with_secrets_are_asked_for_again(path: Path, result: TextResult) -> None:
    fn = Named(result=result)
    for _ in range(2):
        cache = CompletionCache(path, Redactor(["天王盖地虎-12345"]))
        Sampler(cache=cache).wrap(fn)(prompt=PROMPT)
        cache.close()
    assert fn.calls.value == 2
    assert contents(path) == []


def test_errors_are_asked_for_again(cache: CompletionCache) -> None:
    def failing(prompt: Any, **kwargs: Any) -> str:
        raise RuntimeError("坏了")

    failing.cache_key = "k"  # type: ignore[attr-defined]
    for _ in range(2):
        with pytest.raises(Exception, match="坏了"):
            ask(cache, failing)
    assert contents(cache.path) == []


# -- when it breaks -------------------------------------------------------------------------------------------------


def test_a_file_that_is_no_database_is_left_out_with_one_notice(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.parent.mkdir()
    path.write_bytes("不是数据库".encode() * 500)
    fn = Named()
    with caplog.at_level(logging.WARNING):
        cache = CompletionCache(path)
        for _ in range(3):
            Sampler(cache=cache).wrap(fn)(prompt=PROMPT)
        cache.close()
    assert fn.calls.value == 3
    assert [str(path) in record.message for record in caplog.records] == [True]
    assert remove(path) == (0, 7500)
    assert not path.exists()


def test_a_file_of_a_later_format_is_left_as_it_is(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    CompletionCache(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = path.read_bytes()
    cache = CompletionCache(path)
    assert not cache.usable
    assert "later version" in caplog.text
    cache.close()
    assert path.read_bytes() == before


def test_damage_in_the_middle_ends_the_use_of_it_and_not_the_run(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache, fn = CompletionCache(path), Named()
    for number in range(400):
        request = cache.request(fn, f"问题 {number}", {}, None)
        assert request is not None
        cache.put(request, TextResult("答" * 200))
    cache.close()
    content = bytearray(path.read_bytes())
    content[8192:] = b"\xee" * (len(content) - 8192)
    path.write_bytes(content)
    damaged = CompletionCache(path)
    wrapped = Sampler(cache=damaged).wrap(fn)
    for number in range(400):
        assert wrapped(prompt=f"问题 {number}").get_completions()
    damaged.close()
    assert len(caplog.records) == 1
    assert "going on without it" in caplog.text


def test_a_locked_file_can_still_be_read_and_holds_up_nobody(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aigc_evals.sampling.cache._LOCKED_SECONDS", 0.05)
    first = CompletionCache(path)
    fn = Named()
    Sampler(cache=first).wrap(fn)(prompt="以前")
    first.close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    cache = CompletionCache(path)
    wrapped = Sampler(cache=cache).wrap(fn)
    assert getattr(wrapped(prompt="以前"), "cached", False) is True
    assert wrapped(prompt="现在").get_completions() == ["蓝 2"]
    cache.close()
    other.execute("ROLLBACK")
    other.close()
    assert fn.calls.value == 2


def test_a_folder_that_cannot_be_made_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("x")
    cache, fn = CompletionCache(tmp_path / "file" / "completions.sqlite3"), Named()
    assert Sampler(cache=cache).wrap(fn)(prompt=PROMPT).get_completions() == ["蓝 1"]
    cache.close()
    assert "cannot be used" in caplog.text


def test_many_threads_of_many_caches_write_one_file(path: Path) -> None:
    def work(number: int) -> None:
        cache, fn = CompletionCache(path), Named(f"m{number % 2}")
        for i in range(100):
            request = cache.request(fn, f"问题 {number} {i}", {}, None)
            assert request is not None
            cache.put(request, TextResult("答"))
        cache.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(kept.model, kept.entries) for kept in contents(path)] == [("m0", 300), ("m1", 300)]


# -- looking after it -----------------------------------------------------------------------------------------------


def test_entries_are_listed_and_removed_by_model_and_age(path: Path) -> None:
    assert contents(path) == []
    assert remove(path) == (0, 0)
    cache = CompletionCache(path)
    for model, count in (("旧", 2), ("新", 3)):
        for number in range(count):
            ask(cache, Named(model), f"问题 {number}")
    cache.close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE completions SET created = ? WHERE model = '旧'", (time.time() - 3 * 86400,))
    connection.close()
    assert {kept.model: kept.entries for kept in contents(path)} == {"旧": 2, "新": 3}
    assert remove(path, model="新", older_than=1) == (0, 0)
    count, size = remove(path, older_than=1)
    assert count == 2
    assert size > 0
    assert remove(path, model="新")[0] == 3
    assert contents(path) == []
