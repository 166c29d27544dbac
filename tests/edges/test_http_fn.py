"""Any HTTP API told in YAML, and models of known providers: real servers that answer, stream, fail and break off."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import cli, logs
from support.api_server import ApiServer, Asked, Reply
from support.registries import MATCH, match_registry, registry

import aigc_evals
from aigc_evals.completion_fns.http import HttpCompletionFn
from aigc_evals.completion_fns.providers import ProviderChatCompletionFn, ProviderCompletionFn
from aigc_evals.errors import EndpointError, UsageError
from aigc_evals.registry import Registry
from aigc_evals.testing import LoopbackServer

KEY = "zebra-quartz-7731-lantern"
CHAT = [{"role": "system", "content": "只答是或否。"}, {"role": "user", "content": "水是湿的吗？"}]


def made(api: ApiServer, answer: str = "text", **args: Any) -> HttpCompletionFn:
    return HttpCompletionFn(
        **{"url": api.url + "/ask", "answer": answer, "body": {"q": "{prompt}"}, "timeout": 5, **args}
    )


def failure(fn: Any, prompt: Any = "问") -> EndpointError:
    """How one attempt fails, without the repeats around it."""
    from aigc_evals.aio import drive

    async def once() -> Any:
        try:
            return await fn.acall(prompt)
        finally:
            await fn.aclose()

    with pytest.raises(EndpointError) as caught:
        drive(once())
    return caught.value


# -- what is asked ----------------------------------------------------------------------------------------------------


def test_the_shipped_chatglm_api_speaks_its_protocol(home: Path) -> None:
    with ApiServer(lambda asked: {"code": 200, "body": {"message": "True"}}) as api:
        env = cli.environment(home, CHATGLM_API_URL=api.url + "/chatglm")
        folder = match_registry(home / "registry", 3)
        log = home / "run.jsonl"
        done = cli.run("chatglm_api", "many", "--registry_path", folder, "--record_path", log, "--json", env=env)
    assert done.code == 0, done.err
    assert done.report["accuracy"] == 1.0
    bodies = [asked.json for asked in api.asked]
    assert {tuple(body) for body in bodies} == {("input", "history", "conv_user_id")}
    assert {body["input"] for body in bodies} == {f"Question {i}: is it so?" for i in range(3)}
    assert all(body["history"] == [] for body in bodies)
    assert len({body["conv_user_id"] for body in bodies}) == 3
    assert {asked.path for asked in api.asked} == {"/chatglm"}


def test_a_variable_that_is_not_set_is_named_with_its_entry_before_any_call(home: Path) -> None:
    done = cli.run("chatglm_api", "test-match", "--record_path", home / "run.jsonl", env=cli.environment(home))
    assert done.code == 2
    assert "http.yaml:5 [url]: completion function 'chatglm_api'" in done.message
    assert "the environment variable CHATGLM_API_URL is not set" in done.message
    assert not (home / "run.jsonl").exists()


def test_the_conversation_is_sent_as_text_and_as_messages() -> None:
    with ApiServer(lambda asked: {"text": "是"}) as api:
        fn = made(api, body={"q": "{prompt}", "m": "{messages}", "told": "<{messages}>", "max": "{max_tokens=64}"})
        assert fn(prompt=CHAT).get_completions() == ["是"]
        fn(prompt="水", max_tokens=8)
    first, second = (asked.json for asked in api.asked)
    assert first["q"] == "只答是或否。\nUser: 水是湿的吗？\n"
    assert first["m"] == CHAT
    assert json.loads(first["told"][1:-1]) == CHAT
    assert (first["max"], second["max"]) == (64, 8)
    assert second["m"] == [{"role": "system", "content": "水"}]


def test_a_get_and_a_form_are_sent_with_everything_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", KEY)
    text = "1+1=2 & a/b? 你好 100% #"
    with ApiServer(lambda asked: {"data": [{"text": asked.number}]}) as api:
        fn = made(
            api, "data[-1].text", method="get", body=None, params={"q": "{prompt}", "k": "{env:SOME_KEY}", "n": "{n}"}
        )
        assert fn(prompt=text).get_completions() == ["1"]
        fn = made(api, "data.0.text", body=None, form={"q": "{prompt}", "messages": "{messages}", "again": True})
        fn(prompt=text)
        fn = made(
            api, "data.0.text", url=api.url + "/v1/{model}/{uuid}?q={prompt}", body=None, model="a/b", params={"r": 1}
        )
        fn(prompt=text)
    got, posted, in_url = api.asked
    assert (got.method, got.body, got.query) == ("GET", b"", {"q": text, "k": KEY})
    assert posted.headers["content-type"] == "application/x-www-form-urlencoded"
    assert posted.form["q"] == text
    assert json.loads(posted.form["messages"]) == [{"role": "system", "content": text}]
    assert posted.form["again"] == "true"
    assert in_url.path.startswith("/v1/a%2Fb/")
    assert in_url.query == {"q": text, "r": "1"}


def test_a_login_in_the_url_goes_into_a_header() -> None:
    with ApiServer(lambda asked: {"text": "a"}) as api:
        made(api, url=api.url.replace("://", "://us%40er:w%3Ard@") + "/x")(prompt="a")
    assert api.asked[0].headers["authorization"] == "Basic dXNAZXI6dzpyZA=="


def test_connections_are_used_again(home: Path) -> None:
    with ApiServer(lambda asked: {"text": "True"}) as api:
        seen: set[Any] = set()
        handler = api._server.process_request

        def process(request: Any, address: Any) -> None:
            seen.add(address)
            handler(request, address)

        api._server.process_request = process  # type: ignore[method-assign]
        folder = match_registry(home / "registry", 40)
        result = aigc_evals.run(
            made(api), "many", registry_path=[folder], record_path=home / "log", progress=False, concurrency=4
        )
    assert (result.report["accuracy"], len(api.asked)) == (1.0, 40)
    assert len(seen) <= 4


# -- what comes back --------------------------------------------------------------------------------------------------


def test_what_a_reply_tells_besides_its_answer_is_kept(home: Path) -> None:
    reply = {"out": [{"text": "True"}], "why": "stop", "by": "m-2", "cost": {"in": 7, "out": 2}}
    with ApiServer(lambda asked: reply) as api:
        usage = {"prompt_tokens": "cost.in", "completion_tokens": "cost.out"}
        fn = made(api, "out[0].text", finish_reason="why", reply_model="by", usage=usage)
        folder = match_registry(home / "registry", 1)
        aigc_evals.run(fn, "many", registry_path=[folder], record_path=home / "log", progress=False)
    (event,) = logs.events(home / "log", "sampling")
    told = {name: event["data"][name] for name in ("model", "finish_reason", "usage", "sampled")}
    assert told == {
        "model": "m-2",
        "finish_reason": "stop",
        "usage": {"prompt_tokens": 7, "completion_tokens": 2},
        "sampled": ["True"],
    }


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ({"text": {"zh": "好"}}, "what is at text is an object of 'zh' and no text"),
        ({"msg": "好"}, 'there is no answer at text: the reply has no \'text\', only: msg; the reply: {"msg":"好"}'),
        ([], "the reply is a list and has no 'text'"),
        (Reply(b'{"text": '), "the reply is not JSON"),
        (Reply(b"<html>", content_type="text/html"), "the reply is not JSON"),
    ],
)
def test_a_reply_without_an_answer_says_what_came_in_its_place(reply: Any, why: str) -> None:
    with ApiServer(lambda asked: reply) as api:
        error = failure(made(api))
    assert why in str(error)
    assert (error.kind, error.retryable) == ("bad_reply", True)


def test_null_is_an_empty_answer_and_a_number_is_a_text() -> None:
    replies = iter([None, 42, True, "x"])
    with ApiServer(lambda asked: {"text": next(replies)}) as api:
        fn = made(api)
        assert [fn(prompt="a").get_completions() for _ in range(4)] == [[], ["42"], ["true"], ["x"]]


def test_a_failure_that_the_reply_reports_is_told_and_repeated_only_where_it_may_pass() -> None:
    args = {
        "success": {"path": "code", "equals": [0, 200]},
        "error": "body.error.message",
        "retry_when": {"path": "code", "equals": 503},
    }
    busy = {"code": 503, "body": {"error": {"message": "模型繁忙"}}}
    with ApiServer(lambda asked: busy if asked.number < 3 else {"code": 0, "text": "好"}) as api:
        assert made(api, **args)(prompt="a").get_completions() == ["好"]
        assert len(api.asked) == 3
        error = failure(made(api, **args, answer="none"))
        assert error.kind == "bad_reply"
    with ApiServer(lambda asked: {**busy, "code": 7}) as api:
        with pytest.raises(EndpointError, match=r"the API reports a failure \(code is 7\): 模型繁忙") as caught:
            made(api, **args)(prompt="a")
        assert (len(api.asked), caught.value.kind) == (1, "bad_request")
    with ApiServer(lambda asked: {"text": "好"}) as api:
        assert "(code is not there)" in str(failure(made(api, **args)))


BUSY = {"retry_when": [{"path": "status", "equals": "busy"}, {"path": "error.code", "equals": ["繁忙", 1302]}]}


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 409, 422, 429])
def test_a_reply_that_says_busy_is_repeated_whatever_its_status(status: int) -> None:
    with ApiServer(lambda asked: Reply({"status": "busy"}, status) if asked.number == 1 else {"text": "好"}) as api:
        assert made(api, **BUSY)(prompt="水是湿的吗？").get_completions() == ["好"]
    assert len(api.asked) == 2


@pytest.mark.parametrize("stream", ["sse", "json-lines"])
@pytest.mark.parametrize("body", [{"error": {"code": "繁忙"}}, {"error": {"code": 1302}}])
def test_so_it_is_where_a_stream_was_asked_for(stream: str, body: Any) -> None:
    last = Reply([b'data: {"text": "OK"}\n\n'], 200, "text/event-stream") if stream == "sse" else {"text": "OK"}
    with ApiServer(lambda asked: Reply(body, 400) if asked.number == 1 else last) as api:
        assert made(api, stream=stream, **BUSY)(prompt="水是湿的吗？").get_completions() == ["OK"]
    assert len(api.asked) == 2


def test_a_refusal_that_says_busy_is_told_as_one_that_may_pass_with_the_pause_it_asks_for() -> None:
    said: dict[str, Any] = {"body": {"status": "busy", "message": "忙"}, "status": 400, "headers": {"Retry-After": "7"}}
    with ApiServer(lambda asked: Reply(**said)) as api:
        error = failure(made(api, **BUSY))
        assert (error.kind, error.retryable, error.status, error.retry_after) == ("server", True, 400, 7.0)
        assert "HTTP 400: 忙" in str(error)
        said["status"] = 429
        said["body"] = {"status": "busy", "code": "insufficient_quota"}
        assert (failure(made(api, **BUSY)).kind, failure(made(api)).kind) == ("rate_limit", "quota")


@pytest.mark.parametrize("reply", [{"status": "bad"}, b"<p>busy</p>", b"", b"null", b"[]", {"error": {"code": True}}])
def test_a_refusal_that_does_not_say_so_is_final(reply: Any) -> None:
    with ApiServer(lambda asked: Reply(reply, 400, headers={"Retry-After": "7"})) as api:
        fn = made(api, **BUSY)
        error = failure(fn)
        assert (error.kind, error.retryable, error.retry_after) == ("bad_request", False, None)
        with pytest.raises(EndpointError):
            fn(prompt="问")
        assert len(api.asked) == 2


@pytest.mark.parametrize("retries", [0, 1])
def test_the_entry_says_how_often_a_call_is_repeated(retries: int) -> None:
    with ApiServer(lambda asked: Reply({}, status=500)) as api:
        with pytest.raises(EndpointError):
            made(api, retries=retries)(prompt="问")
        assert len(api.asked) == retries + 1


@pytest.mark.parametrize("retries", [-1, 1.5, True, "3"])
def test_repeats_are_counted_in_whole_numbers(retries: Any) -> None:
    with pytest.raises(UsageError, match=r"\[retries\]: expected a whole number"):
        HttpCompletionFn("http://127.0.0.1:9/ask", "text", retries=retries)


def test_a_server_that_asks_for_a_pause_gets_it() -> None:
    wait = Reply({"error": "慢一点"}, status=429, headers={"Retry-After": "1"})
    with ApiServer(lambda asked: wait if asked.number == 1 else {"text": "好"}) as api:
        began = time.monotonic()
        assert made(api)(prompt="a").get_completions() == ["好"]
    assert time.monotonic() - began >= 1.0
    assert len(api.asked) == 2


def test_each_repeat_is_a_conversation_of_its_own() -> None:
    with ApiServer(lambda asked: Reply({}, status=500) if asked.number == 1 else {"text": "好"}) as api:
        made(api, body={"q": "{prompt}", "id": "{uuid}", "same": "{uuid}"})(prompt="a")
    first, second = (asked.json for asked in api.asked)
    assert first["id"] == first["same"]
    assert first["id"] != second["id"]


def test_a_slow_server_is_a_time_out() -> None:
    with ApiServer(lambda asked: Reply({"text": "好"}, pause=30.0 if asked.number == 1 else 0.0)) as api:
        assert made(api, timeout=1.0)(prompt="a").get_completions() == ["好"]
        assert len(api.asked) == 2


def test_no_secret_is_in_the_log_or_in_an_error(home: Path) -> None:
    def answer(asked: Asked) -> Reply:
        told = f"bad token {asked.headers['x-token']} {asked.json['key']} {asked.headers['authorization']}"
        return Reply({"error": {"message": told}}, status=401)

    entry = {
        "class": "aigc_evals.completion_fns.http:HttpCompletionFn",
        "args": {
            "url": "{env:MY_URL}",
            "headers": {"X-Token": "{env:TEAM}", "Authorization": "Token literal-word-9"},
            "body": {"q": "{prompt}", "key": "{env:MY_KEY}"},
            "answer": "text",
        },
    }
    with ApiServer(answer) as api:
        folder = registry(home / "r", {"completion_fns/mine.yaml": yaml.safe_dump({"mine": entry})})
        env = cli.environment(home, MY_URL=api.url, TEAM="team-seven-of-nine", MY_KEY=KEY)
        args = ("mine", "test-match", "--registry_path", folder, "--record_path", home / "log.jsonl")
        done = cli.run(*args, "--max_samples", "1", env=env)
        assert len(api.asked) == 1
        assert api.asked[0].headers["x-token"] == "team-seven-of-nine"
        fn = made(api, headers={"X-Token": KEY, "Authorization": "literal-word-9"}, body={"q": "{prompt}", "key": "k"})
        error = str(failure(fn))
    assert done.code != 0
    written = done.out + done.err + "".join(path.read_text("utf-8") for path in home.glob("*.jsonl"))
    assert "bad token [redacted]" in done.err
    for text in (written, error):
        assert all(secret not in text for secret in ("team-seven-of-nine", KEY, "literal-word-9"))


@pytest.mark.parametrize("kind", ["http:HttpCompletionFn", "providers:ProviderChatCompletionFn"])
def test_a_header_that_says_what_was_measured_stays_readable_in_the_log(kind: str, home: Path) -> None:
    def answer(asked: Asked) -> Reply:
        told = " ".join(asked.headers[name] for name in ("x-route", "x-auth", "x-gateway"))
        return Reply({"error": {"message": f"no such route: {told}"}}, status=400)

    with ApiServer(answer) as api:
        own = {"url": api.url, "body": {"q": "{prompt}"}, "answer": "text"}
        args = own if kind.startswith("http") else {"base_url": api.url, "model": "m"}
        args["headers"] = {"X-Route": "canary-v2", "X-Auth": "tomato", "X-Gateway": KEY}
        entry = {"class": f"aigc_evals.completion_fns.{kind}", "args": args}
        folder = registry(home / "r", {"completion_fns/mine.yaml": yaml.safe_dump({"mine": entry})})
        args_of_run = ("--registry_path", folder, "--record_path", home / "log.jsonl", "--max_samples", "1")
        done = cli.run("mine", "test-match", *args_of_run, env=cli.environment(home))
        assert len(api.asked) == 1
    written = done.out + done.err + (home / "log.jsonl").read_text("utf-8")
    assert "no such route: canary-v2 [redacted] [redacted]" in written
    assert "tomato" not in written
    assert KEY not in written


def test_no_part_of_a_secret_is_left_where_a_long_reply_is_cut() -> None:
    with ApiServer(lambda asked: {"told": "x" * 275 + asked.headers["x-token"] + "y" * 400}) as api:
        error = str(failure(made(api, headers={"X-Token": KEY})))
    assert "x" * 275 in error
    assert KEY[:6] not in error


@pytest.mark.parametrize("status", [200, 403])
def test_nor_where_a_page_that_is_no_json_is_cut(status: int) -> None:
    with ApiServer(lambda asked: Reply(b"<p>" + b"x" * 285 + asked.headers["x-token"].encode(), status)) as api:
        errors = [
            str(failure(made(api, headers={"X-Token": KEY}))),
            str(failure(ProviderChatCompletionFn("m", base_url=api.url, headers={"X-Token": KEY}))),
        ]
    for error in errors:
        assert "x" * 285 in error
        assert KEY[:6] not in error


def test_keys_that_are_written_into_a_request_are_not_told() -> None:
    secrets = ["query-Secret-1", "param-Secret-2", "body-Secret-3", "sign-Secret-4"]
    args: dict[str, Any] = {
        "params": {"access_token": secrets[1]},
        "body": {"q": "{prompt}", "api_key": secrets[2], "more": [{"sign": secrets[3], "stop_token": "<|im_end|>"}]},
    }
    with ApiServer(lambda asked: Reply(f"{asked.target} {asked.body.decode()}".encode(), 403)) as api:
        fn = HttpCompletionFn(url=f"{api.url}/ask?ak={secrets[0]}", answer="text", **args)
        error = str(failure(fn))
    assert set(fn.secrets) == set(secrets)
    assert "<|im_end|>" in error
    assert all(secret not in error for secret in secrets)


# -- streams ----------------------------------------------------------------------------------------------------------

EVENTS = [
    {"code": 0},
    {"text": "北"},
    {"text": "京, "},
    {"text": None},
    {"text": "Paris."},
    {"why": "stop", "n": {"a": 3}},
]


def framed(events: list[Any], stream: str, done: bool = True) -> bytes:
    texts = [event if isinstance(event, str) else json.dumps(event, ensure_ascii=False) for event in events]
    texts += ["[DONE]"] if done else []
    form = "data: {}\n\n" if stream == "sse" else "{}\n"
    return "".join(form.format(text) for text in texts).encode()


def streamed(body: bytes | list[bytes], stream: str = "sse", **more: Any) -> Reply:
    kind = "text/event-stream" if stream == "sse" else "application/x-ndjson"
    return Reply([body] if isinstance(body, bytes) else body, **{"content_type": kind, **more})


@pytest.mark.parametrize("stream", ["sse", "json-lines"])
@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_pieces_are_joined_however_the_stream_is_cut_into_chunks(stream: str, size: int) -> None:
    whole = framed(EVENTS, stream)
    parts = [whole[place : place + size] for place in range(0, len(whole), size)]
    with ApiServer(lambda asked: streamed(parts, stream)) as api:
        fn = made(api, stream=stream, finish_reason="why", usage="n", success={"path": "code", "equals": 0})
        result = fn(prompt="a")
    assert result.get_completions() == ["北京, Paris."]
    assert (result.finish_reason, result.usage) == ("stop", {"a": 3})  # type: ignore[attr-defined]
    assert result.first_token_seconds > 0  # type: ignore[attr-defined]


@pytest.mark.parametrize("content_type", ["text/plain", "application/octet-stream"])
def test_a_stream_under_another_name_is_read_all_the_same(content_type: str) -> None:
    with ApiServer(lambda asked: streamed(framed(EVENTS, "sse"), content_type=content_type)) as api:
        assert made(api, stream="sse")(prompt="a").get_completions() == ["北京, Paris."]


def test_a_server_that_does_not_stream_is_understood() -> None:
    with ApiServer(lambda asked: {"text": "北京"}) as api:
        assert made(api, stream="sse")(prompt="a").get_completions() == ["北京"]
        assert made(api, stream="json-lines")(prompt="a").get_completions() == ["北京"]


def test_of_pieces_that_repeat_the_whole_the_last_one_counts() -> None:
    events = [{"response": "你"}, {"response": "你好"}, {"response": "你好！", "finished": True}]
    with ApiServer(lambda asked: streamed(framed(events, "json-lines", done=False), "json-lines")) as api:
        fn = made(api, "response", stream="json-lines", pieces="whole", end={"path": "finished", "equals": True})
        assert fn(prompt="a").get_completions() == ["你好！"]


@pytest.mark.parametrize("stream", ["sse", "json-lines"])
def test_a_stream_that_breaks_off_is_never_an_answer(stream: str) -> None:
    whole = framed(EVENTS, stream, done=False)
    end = {"path": "why", "equals": "stop"}
    numbers = random.Random(7)
    for place in sorted(numbers.sample(range(1, len(whole) - 4), 12)):
        for cut in (False, True):
            # Cut off within the protocol (no last chunk), and by a server that ends its reply in peace.
            with ApiServer(lambda asked, place=place, cut=cut: streamed(whole[:place], stream, cut=cut)) as api:  # type: ignore[misc]
                error = failure(made(api, stream=stream, end=end))
            assert (error.kind, error.retryable) == ("bad_reply", True), (place, cut, str(error))
    with ApiServer(lambda asked: streamed(whole if asked.number > 1 else whole[: len(whole) // 2], stream)) as api:
        assert made(api, stream=stream, end=end)(prompt="a").get_completions() == ["北京, Paris."]
        assert len(api.asked) == 2


def test_an_end_may_be_a_word_and_may_come_before_the_connection_ends() -> None:
    whole = framed([*EVENTS, "<over>"], "sse", done=False)
    with ApiServer(lambda asked: streamed([whole, b": still here\n\n", b": and here\n\n"], pause=0.4)) as api:
        fn = made(api, stream="sse", end="<over>")
        began = time.monotonic()
        assert fn(prompt="a").get_completions() == ["北京, Paris."]
        assert time.monotonic() - began < 1.0
    with ApiServer(lambda asked: streamed(framed(EVENTS, "sse", done=False))) as api:
        assert "broke off before its end" in str(failure(made(api, stream="sse", end="<over>")))


@pytest.mark.parametrize(
    ("events", "kind", "why"),
    [
        ([{"text": "a"}, {"code": 9, "msg": "内部错误"}], "bad_request", "(code is 9): 内部错误"),
        (["{half"], "bad_reply", "an event of the stream is not JSON"),
        ([{"delta": "a"}], "bad_reply", "no event has an answer at text: the reply has no 'text', only: delta"),
        ([], "bad_reply", "the stream is empty"),
    ],
)
def test_what_goes_wrong_in_the_midst_of_a_stream_is_told(events: list[Any], kind: str, why: str) -> None:
    with ApiServer(lambda asked: streamed(framed(events, "sse"))) as api:
        error = failure(made(api, stream="sse", success={"path": "code", "equals": 0}, error="msg"))
    assert why in str(error)
    assert error.kind == kind


def test_an_error_in_place_of_a_piece_is_a_failure() -> None:
    with ApiServer(lambda asked: streamed(framed([{"text": "a"}, {"error": "显存不足"}], "sse"))) as api:
        assert "the stream reports an error" in str(failure(made(api, stream="sse")))


# -- the cache --------------------------------------------------------------------------------------------------------


def test_answers_are_cached_by_what_is_sent(home: Path) -> None:
    folder = match_registry(home / "registry", 3)
    with ApiServer(lambda asked: {"text": "True"}) as api:
        args = {"url": api.url, "answer": "text", "body": {"q": "{prompt}", "id": "{uuid}"}}
        entry = {"class": "aigc_evals.completion_fns.http:HttpCompletionFn", "args": args}
        registry(folder, {"completion_fns/mine.yaml": yaml.safe_dump({"mine": entry})})
        env = cli.environment(home, AIGC_EVALS_CACHE_DIR=str(home / "cache"))
        for number in (1, 2):
            log = home / f"{number}.jsonl"
            done = cli.run(
                "mine", "many", "--registry_path", folder, "--record_path", log, "--cache", "--json", env=env
            )
            assert done.report["accuracy"] == 1.0, done.err
            assert len(api.asked) == 3


# -- providers --------------------------------------------------------------------------------------------------------

PROVIDERS = [
    ("ollama/qwen2.5:7b", {"OLLAMA_HOST": "{place}"}, "qwen2.5:7b", None),
    ("ollama/hf.co/a/b:latest", {"OLLAMA_HOST": "{url}"}, "hf.co/a/b:latest", None),
    ("vllm/Qwen/Qwen3-8B", {"VLLM_BASE_URL": "{url}/v1", "VLLM_API_KEY": KEY}, "Qwen/Qwen3-8B", KEY),
    ("sglang/m", {"SGLANG_BASE_URL": "{url}/v1/"}, "m", None),
    ("llama.cpp/m", {"LLAMA_CPP_BASE_URL": "{url}", "LLAMA_API_KEY": KEY}, "m", KEY),
    ("dashscope/qwen-plus", {"DASHSCOPE_BASE_URL": "{url}/v1", "DASHSCOPE_API_KEY": KEY}, "qwen-plus", KEY),
    ("deepseek/deepseek-chat", {"DEEPSEEK_BASE_URL": "{url}/v1", "DEEPSEEK_API_KEY": KEY}, "deepseek-chat", KEY),
    ("zhipu/glm-4", {"ZAI_BASE_URL": "{url}/v1", "ZHIPUAI_API_KEY": KEY}, "glm-4", KEY),
    ("moonshot/kimi-k2", {"MOONSHOT_BASE_URL": "{url}/v1", "MOONSHOT_API_KEY": KEY}, "kimi-k2", KEY),
    ("openrouter/a/b:free", {"OPENROUTER_BASE_URL": "{url}/v1", "OPENROUTER_API_KEY": KEY}, "a/b:free", KEY),
]


@pytest.mark.parametrize(("name", "variables", "model", "key"), PROVIDERS)
def test_a_provider_is_asked_for_the_model_with_its_own_key(
    name: str,
    variables: dict[str, str],
    model: str,
    key: str | None,
    loopback: LoopbackServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loopback.configure(api_key=key)
    place = loopback.url.removeprefix("http://")
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value.format(url=loopback.url, place=place))
    # OpenAI's own key is nobody else's business.
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-for-others-0123456789")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    fn = Registry().make_completion_fn(name)
    assert isinstance(fn, ProviderChatCompletionFn)
    assert fn(prompt=CHAT).get_completions()[0] in ("True", "False")
    (request,) = loopback.requests()
    assert (request["path"], request["body"]["model"]) == ("/v1/chat/completions", model)
    assert request["authorized"] is (key is not None)
    assert "sk-not-for-others" not in json.dumps(request)


def test_every_shipped_provider_has_its_usual_address(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [name for name in Registry()._completion_fns if name.endswith("/*") and not name.startswith("azure/")]
    assert len(names) == 13
    found: dict[str, str] = {}
    for entry in names:
        spec = Registry().get_completion_fn(entry)
        assert spec is not None
        for variable in [(spec.args or {})["api_key_env"]]:
            monkeypatch.setenv(variable if isinstance(variable, str) else variable[0], KEY)
        fn = Registry().make_completion_fn(entry.replace("*", "m"))
        assert fn.model == "m"
        found[entry] = fn.api_base
    assert found["ollama/*"] == found["ollama/completion/*"] == "http://127.0.0.1:11434/v1"
    assert found["deepseek/*"] == "https://api.deepseek.com"
    assert found["zhipu/*"] == "https://open.bigmodel.cn/api/paas/v4"


def test_text_models_of_a_server_are_asked_for_completions(
    loopback: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLLM_BASE_URL", loopback.base_url)
    fn = Registry().make_completion_fn("vllm/completion/base/model")
    assert isinstance(fn, ProviderCompletionFn)
    fn(prompt="a")
    (request,) = loopback.requests()
    assert (request["path"], request["body"]["model"]) == ("/v1/completions", "base/model")


def test_a_missing_key_is_named_with_the_entry_before_any_call(home: Path) -> None:
    done = cli.run("deepseek/deepseek-chat", "test-match", env=cli.environment(home))
    assert done.code == 2
    assert "[DEEPSEEK_API_KEY]: completion function 'deepseek/deepseek-chat': there is no API key" in done.message
    assert "providers.yaml:" in done.message
    assert "Set DEEPSEEK_API_KEY." in done.message


def test_a_gateway_may_have_models_named_like_a_provider(
    loopback: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", loopback.base_url)
    assert Registry().make_completion_fn("deepseek/deepseek-chat").model == "deepseek/deepseek-chat"
    assert Registry().make_completion_fn("ollama/a", api_base=loopback.base_url).model == "a"
    monkeypatch.setenv("DEEPSEEK_API_KEY", KEY)
    assert Registry().make_completion_fn("deepseek/deepseek-chat").model == "deepseek-chat"
    monkeypatch.delenv("DEEPSEEK_API_KEY")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://api.openai.com/v1/")
    with pytest.raises(UsageError, match="DEEPSEEK_API_KEY"):
        Registry().make_completion_fn("deepseek/deepseek-chat")


OWN = """
gateway/*:
  class: aigc_evals.completion_fns.http:HttpCompletionFn
  args:
    url: "{env:GATEWAY}/{model}"
    body: {q: "{messages}"}
    answer: text
gateway/large/*: vllm/*
vllm/*:
  class: aigc_evals.completion_fns.providers:ProviderChatCompletionFn
  args: {base_url: "http://gpu-9:8000/v1"}
"""


def test_an_entry_of_ones_own_may_stand_for_many_models(home: Path) -> None:
    folder = registry(
        home / "r",
        {"completion_fns/own.yaml": OWN, "evals/asks.yaml": MATCH.format(name="asks")},
        {"asks/samples.jsonl": [{"input": "问", "ideal": "True"}]},
    )
    with ApiServer(lambda asked: {"text": "True"}) as api:
        env = cli.environment(home, GATEWAY=api.url)
        log = home / "log.jsonl"
        done = cli.run("gateway/small:1", "asks", "--registry_path", folder, "--record_path", log, "--json", env=env)
        assert done.report["accuracy"] == 1.0, done.err
        assert api.asked[0].path in ("/small:1", "/small%3A1")
    found = Registry([folder])
    fn = found.make_completion_fn("gateway/large/x")
    assert (fn.model, fn.api_base) == ("x", "http://gpu-9:8000/v1")
    shown = cli.run("show", "gateway/large/x", "--registry_path", folder, program="aigc_evals", env=env)
    assert shown.code == 0
    assert "asked_as: gateway/large/x\nmodel: x" in shown.out
    checked = cli.run("check", "--registry_path", folder, program="aigc_evals", env=env)
    assert checked.code == 0, checked.out


def test_check_knows_that_such_an_entry_is_given_a_model(home: Path) -> None:
    text = "b/*: {class: 'aigc_evals.completion_fns.agent:ToolAgentCompletionFn', args: {completion_fn: dummy}}"
    folder = registry(home / "r", {"completion_fns/own.yaml": text})
    done = cli.run("check", "--registry_path", folder, program="aigc_evals", env=cli.environment(home))
    assert done.code == 1
    assert "ToolAgentCompletionFn takes no argument 'model'" in done.out
