"""Streamed answers: joined to what would have come whole, timed, and never taken for whole when they break off."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path
from typing import Any

import pytest
from support import cli, logs
from support.api_server import ApiServer, Reply
from support.bounded import ends
from support.registries import match_registry

import aigc_evals
from aigc_evals.completion_fns.openai import OpenAIChatCompletionFn, OpenAICompletionFn
from aigc_evals.completion_fns.streaming import JoinedReply
from aigc_evals.completion_fns.transport import JsonClient, ServerSentEvents
from aigc_evals.errors import EndpointError, UsageError
from aigc_evals.testing import Fault, LoopbackServer

ANSWER: dict[str, Any] = {
    "content": "答案是 北京 and Paris.",
    "reasoning_content": "Let me 想一想 first.",
    "tool_calls": [{"name": "calculator", "arguments": {"expression": "1 + 1"}}, {"name": "b", "arguments": "{}"}],
}


def chat(server: LoopbackServer, **more: Any) -> OpenAIChatCompletionFn:
    return OpenAIChatCompletionFn(model="m", api_base=server.base_url, **more)


@pytest.mark.parametrize("n", [1, 3])
def test_a_streamed_chat_is_the_same_as_a_whole_one(n: int, loopback: LoopbackServer) -> None:
    loopback.configure(answer=ANSWER)
    whole = chat(loopback)(prompt="问", n=n)
    streamed = chat(loopback, stream=True)(prompt="问", n=n)
    assert loopback.requests()[1]["body"]["stream_options"] == {"include_usage": True}
    assert streamed.get_completions() == whole.get_completions() == [ANSWER["content"]] * n
    for name in ("reasoning", "finish_reason", "usage", "model", "system_fingerprint", "refusal"):
        assert getattr(streamed, name) == getattr(whole, name), name
    calls = [{key: call[key] for key in ("id", "type", "function")} for call in streamed.tool_calls]
    assert calls == whole.tool_calls
    assert streamed.first_token_seconds > 0
    assert whole.first_token_seconds is None


def test_a_streamed_text_completion_is_the_same_as_a_whole_one(loopback: LoopbackServer) -> None:
    loopback.configure(answer="甲 乙 丙")
    made = {"model": "m", "api_base": loopback.base_url}
    whole, streamed = OpenAICompletionFn(**made)(prompt="a"), OpenAICompletionFn(**made, stream=True)(prompt="a")
    assert streamed.get_completions() == whole.get_completions() == ["甲 乙 丙"]
    assert (streamed.usage, streamed.finish_reason) == (whole.usage, whole.finish_reason)


def test_a_refusal_and_a_cut_answer_keep_what_they_are(loopback: LoopbackServer) -> None:
    loopback.configure(answer={"content": None, "refusal": "我不能 回答"})
    assert chat(loopback, stream=True)(prompt="a").refusal == "我不能 回答"
    loopback.configure(faults=[Fault("length", text="cut")])
    assert chat(loopback, stream=True)(prompt="a").finish_reason == "length"


def test_the_time_to_the_first_word_is_recorded_for_each_sample(loopback: LoopbackServer, home: Path) -> None:
    loopback.configure(answer="True 是的 of course", stream_delay=0.03)
    log = home / "run.jsonl"
    registry = match_registry(home / "registry", 4)
    done = cli.run(
        "mock-model", "many", "--completion_args", "stream=true", "--json",
        "--registry_path", registry, "--record_path", log, env=cli.environment(home, loopback.base_url),
    )  # fmt: skip
    assert done.code == 0, done.err
    assert done.report["accuracy"] == 1.0
    assert done.report["usage_completion_tokens"] > 0
    samplings = [event["data"] for event in logs.events(log, "sampling")]
    assert len(samplings) == 4
    for data in samplings:
        assert 0 < data["first_token_seconds"] < data["seconds"]
        assert data["finish_reason"] == "stop"


BREAKS = [Fault("truncated", first=1), Fault("reset", when="middle", first=1)]


@pytest.mark.parametrize("fault", BREAKS, ids=lambda fault: fault.kind)
def test_a_stream_that_breaks_off_is_asked_for_again(fault: Fault, loopback: LoopbackServer) -> None:
    loopback.configure(answer="一 二 三 四", faults=[fault])
    assert chat(loopback, stream=True)(prompt="a").get_completions() == ["一 二 三 四"]
    assert loopback.stats()["requests"] == 2


def test_a_stream_that_ends_in_peace_but_too_early_is_a_bad_reply() -> None:
    joined = JoinedReply()
    joined.add({"choices": [{"index": 0, "delta": {"content": "half"}, "finish_reason": None}]})
    assert not joined.finished
    joined.add({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    assert joined.finished


def test_an_endpoint_that_does_not_stream_is_understood(loopback: LoopbackServer) -> None:
    body = {"choices": [{"index": 0, "message": {"content": "整个"}, "finish_reason": "stop"}], "model": "x"}
    loopback.configure(faults=[Fault("wrong_shape", body=body)])
    assert chat(loopback, stream=True)(prompt="a").get_completions() == ["整个"]


def test_a_refused_request_is_told_as_ever(loopback: LoopbackServer) -> None:
    loopback.configure(faults=[Fault("context_length")])
    with pytest.raises(EndpointError) as caught:
        chat(loopback, stream=True)(prompt="a")
    assert (caught.value.status, caught.value.retryable) == (400, False)


def test_stream_options_that_are_refused_are_left_out(loopback: LoopbackServer) -> None:
    loopback.configure(faults=[Fault("unsupported_parameter", params=("stream_options",), style="pydantic")])
    fn = chat(loopback, stream=True)
    assert fn(prompt="a").get_completions()[0] in ("True", "False")
    assert fn.adjusted == {"stream_options": None}


def test_connections_are_used_again(loopback: LoopbackServer, home: Path) -> None:
    registry = match_registry(home / "registry", 60)
    fn = chat(loopback, stream=True)
    result = aigc_evals.run(
        fn, "many", registry_path=[registry], concurrency=4, record_path=home / "l.jsonl", progress=False
    )
    assert result.report["outcomes"]["scored"] == 60
    assert loopback.stats()["connections"] <= 8


def test_stream_must_be_true_or_false(loopback: LoopbackServer) -> None:
    with pytest.raises(UsageError, match="stream"):
        chat(loopback, stream="yes")


# -- the form of a stream ---------------------------------------------------------------------------------------------

STREAM = "\ufeff: hello\r\ndata: 甲\r\ndata:乙\r\n\r\nevent: x\ndata: two\n\nid: 1\n\ndata: 三\u2028三\r\rdata: unended".encode()
EVENTS = ["甲\n乙", "two", "三\u2028三"]


@pytest.mark.parametrize("seed", range(20))
def test_events_are_the_same_however_the_stream_is_cut(seed: int) -> None:
    rng = random.Random(seed)
    cuts = sorted(rng.sample(range(len(STREAM)), rng.randrange(1, 25)))
    parser = ServerSentEvents()
    pieces = [STREAM[a:b] for a, b in zip([0, *cuts], [*cuts, len(STREAM)], strict=True)]
    assert [event for piece in pieces for event in parser.feed(piece)] == EVENTS


def test_the_parts_of_tool_calls_are_joined_by_their_index() -> None:
    joined = JoinedReply()
    parts: list[dict[str, Any]] = [
        {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}},
        {"index": 1, "id": "b", "type": "function", "function": {"name": "g", "arguments": '{"城'}},
        {"index": 0, "function": {"arguments": '{"x"'}},
        {"index": 1, "function": {"arguments": '市": 1}'}},
        {"index": 0, "function": {"arguments": ": 2}"}},
    ]
    for part in parts:
        assert joined.add({"choices": [{"index": 0, "delta": {"tool_calls": [part]}}]})
    calls = joined.reply["choices"][0]["message"]["tool_calls"]
    assert [call["function"] for call in calls] == [
        {"name": "f", "arguments": '{"x": 2}'},
        {"name": "g", "arguments": '{"城市": 1}'},
    ]


@pytest.mark.parametrize(
    ("error", "retryable"),
    [({"message": "过载", "type": "server_error"}, True), ({"message": "过载", "code": 400}, False)],
)
def test_an_error_in_the_midst_of_a_stream_is_an_error(error: dict[str, Any], retryable: bool) -> None:
    async def read(url: str) -> None:
        client = JsonClient(url, {})
        try:
            async for _ in client.post_stream(b"{}"):
                pass
        finally:
            await client.aclose()

    events = [{"choices": []}, {"error": error}]
    stream = "".join(f"data: {json.dumps(event, ensure_ascii=False)}\n\n" for event in events).encode()
    server = ApiServer(lambda asked: Reply(stream, content_type="text/event-stream"))
    with server as api, pytest.raises(EndpointError, match="过载") as caught:
        asyncio.run(read(api.url))
    assert caught.value.retryable is retryable


def test_joining_many_pieces_comes_to_an_end() -> None:
    joined = JoinedReply()
    with ends():
        for _ in range(200_000):
            joined.add({"choices": [{"index": 0, "delta": {"content": "字 "}}]})
        assert joined.reply["choices"][0]["message"]["content"] == "字 " * 200_000
