"""The loopback server, met over real sockets: endpoints, answers, faults, load, its life and its death."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPException, IncompleteRead, RemoteDisconnected
from pathlib import Path
from typing import Any

import pytest

from aigc_evals.errors import EndpointError, RunError, UsageError
from aigc_evals.testing import FailingCompletionFn, Fault, LoopbackServer, ScriptedCompletionFn

ROOT = Path(__file__).resolve().parents[2]
CHAT = "/v1/chat/completions"


@pytest.fixture(scope="module")
def shared() -> Iterator[LoopbackServer]:
    with LoopbackServer() as server:
        yield server


@pytest.fixture
def server(shared: LoopbackServer) -> LoopbackServer:
    shared.reset(settings=True)
    return shared


def chat(text: str = "Is water wet?", **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": text}], **more}


def send(
    server: LoopbackServer,
    body: Any = None,
    path: str = CHAT,
    *,
    method: str = "POST",
    headers: dict[str, str] | None = None,
    timeout: float = 5.0,
) -> tuple[int, dict[str, str], bytes]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=timeout)
    try:
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        connection.request(method, path, body=data, headers=headers or {})
        response = connection.getresponse()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
    finally:
        connection.close()


def ask(server: LoopbackServer, body: dict[str, Any], path: str = CHAT, **more: Any) -> Any:
    status, _, raw = send(server, body, path, **more)
    assert status == 200, raw
    return json.loads(raw)


def said(server: LoopbackServer, text: str, **more: Any) -> Any:
    return ask(server, chat(text, **more))["choices"][0]["message"]["content"]


def eventually(holds: Callable[[], bool], within: float = 5.0) -> bool:
    """Whether something that happens in another process has come true in time."""
    end = time.monotonic() + within
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def events(raw: bytes) -> list[Any]:
    lines = raw.decode().split("\n\n")
    assert lines[-1] == ""
    assert lines[-2] == "data: [DONE]"
    return [json.loads(line.removeprefix("data: ")) for line in lines[:-2]]


class TestEndpoints:
    def test_chat_has_the_shape_of_openai(self, server: LoopbackServer) -> None:
        reply = ask(server, chat("one two 三四"))
        assert reply["object"] == "chat.completion"
        assert reply["model"] == "m"
        assert reply["id"].startswith("chatcmpl-")
        assert isinstance(reply["created"], int)
        (choice,) = reply["choices"]
        assert choice["message"]["role"] == "assistant"
        assert choice["message"]["content"] in ("True", "False")
        assert choice["finish_reason"] == "stop"
        assert choice["logprobs"] is None
        assert reply["usage"]["prompt_tokens"] == 4
        assert reply["usage"]["total_tokens"] == 5

    def test_default_answers_are_stable_and_mixed(self, server: LoopbackServer) -> None:
        first = [said(server, f"question {i}") for i in range(12)]
        assert first == [said(server, f"question {i}") for i in range(12)]
        assert set(first) == {"True", "False"}

    def test_n_choices(self, server: LoopbackServer) -> None:
        server.configure(answer=["a", "b"])
        choices = ask(server, chat(n=3))["choices"]
        assert [c["message"]["content"] for c in choices] == ["a", "b", "a"]
        assert [c["index"] for c in choices] == [0, 1, 2]

    def test_completions_of_several_prompts(self, server: LoopbackServer) -> None:
        server.configure(rules=[{"contains": "x", "answer": "X"}], answer="other")
        body = {"model": "m", "prompt": ["x?", "y?"], "n": 2, "logprobs": 1}
        choices = ask(server, body, "/v1/completions")["choices"]
        assert [c["text"] for c in choices] == ["X", "X", "other", "other"]
        assert choices[0]["logprobs"]["tokens"] == ["X"]
        echoed = ask(server, {"model": "m", "prompt": "x?", "echo": True, "max_tokens": 0}, "/v1/completions")
        assert echoed["choices"][0]["text"] == "x?"

    def test_embeddings(self, server: LoopbackServer) -> None:
        body = {"model": "e", "input": ["the red cat", "a red cat", "tax law"], "dimensions": 32}
        vectors = [item["embedding"] for item in ask(server, body, "/v1/embeddings")["data"]]
        near, far = (sum(a * b for a, b in zip(vectors[0], v, strict=True)) for v in vectors[1:])
        assert len(vectors[0]) == 32
        assert near > far
        packed = ask(server, {**body, "encoding_format": "base64"}, "/v1/embeddings")["data"][0]["embedding"]
        assert struct.unpack("<32f", base64.b64decode(packed)) == pytest.approx(vectors[0], abs=1e-6)

    def test_models(self, server: LoopbackServer) -> None:
        server.configure(models=["a", "b"])
        listed = json.loads(send(server, path="/v1/models", method="GET")[2])
        assert [model["id"] for model in listed["data"]] == ["a", "b"]
        assert send(server, path="/v1/models/b", method="GET")[0] == 200
        assert send(server, path="/v1/models/c", method="GET")[0] == 404

    def test_stream(self, server: LoopbackServer) -> None:
        server.configure(answer="one two  three")
        _, headers, raw = send(server, chat(stream=True, stream_options={"include_usage": True}))
        assert headers["content-type"] == "text/event-stream"
        chunks = events(raw)
        text = "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks[:-1])
        assert text == "one two  three"
        assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
        assert chunks[-2]["usage"] is None
        assert chunks[-1]["choices"] == []
        assert chunks[-1]["usage"]["completion_tokens"] == 3
        prompt = {"model": "m", "prompt": "p", "stream": True}
        texts = [c["choices"][0]["text"] for c in events(send(server, prompt, "/v1/completions")[2])]
        assert "".join(texts) == "one two  three"

    @pytest.mark.parametrize(
        ("body", "path", "status"),
        [
            (b"{", CHAT, 400),
            (b"[]", CHAT, 400),
            ({"messages": []}, CHAT, 400),
            ({"model": "m"}, CHAT, 400),
            ({"model": "m", "messages": "hi"}, CHAT, 400),
            ({"model": "m", "messages": [{"role": "user", "content": "x"}], "n": 0}, CHAT, 400),
            ({"model": "m"}, "/chat/completions", 404),
        ],
    )
    def test_bad_requests(self, server: LoopbackServer, body: Any, path: str, status: int) -> None:
        got, _, raw = send(server, body, path)
        assert got == status
        assert json.loads(raw)["error"]["type"] == "invalid_request_error"

    def test_wire_details(self, server: LoopbackServer) -> None:
        body = json.dumps(chat("zipped")).encode()
        assert send(server, gzip.compress(body), headers={"Content-Encoding": "gzip"})[0] == 200
        head = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\n"
        chunked = f"{head}Transfer-Encoding: chunked\r\n\r\n{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
        expecting = f"{head}Expect: 100-continue\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as sock:
            sock.sendall(chunked + chunked[:40])
            sock.sendall(chunked[40:] + expecting.encode())
            received = b""
            while b"100 Continue" not in received:
                received += sock.recv(65536)
            sock.sendall(body)
            while more := sock.recv(65536):
                received += more
        assert received.count(b"HTTP/1.1 200 OK") == 3


class TestAnswers:
    def test_sources_and_their_order(self, server: LoopbackServer, tmp_path: Path) -> None:
        script = tmp_path / "script.py"
        script.write_text(
            "def reply(body):\n    text = body['messages'][-1]['content']\n"
            "    if text == 'tool': return {'tool_calls': [{'name': 'f', 'arguments': {'a': 1}}]}\n"
            "    if text == 'think': "
            "return {'content': 'c', 'reasoning_content': 'r', 'usage': {'total_tokens': 7}}\n"
            "    if text == 'crash': raise RuntimeError('in the script')\n"
        )
        server.configure(
            script=f"{script}:reply",
            answers={"exact": "by text", hashlib.sha256(b"hashed").hexdigest(): "by sha"},
            rules=[{"contains": "needle", "answer": "by rule"}],
            answer="constant",
        )
        assert said(server, "exact") == "by text"
        assert said(server, "hashed") == "by sha"
        assert said(server, "hay needle hay") == "by rule"
        assert said(server, "else") == "constant"
        call = ask(server, chat("tool"))["choices"][0]
        assert call["finish_reason"] == "tool_calls"
        assert call["message"]["tool_calls"][0]["function"] == {"name": "f", "arguments": '{"a": 1}'}
        thought = ask(server, chat("think"))
        assert thought["choices"][0]["message"]["reasoning_content"] == "r"
        assert thought["usage"] == {"total_tokens": 7}
        status, _, raw = send(server, chat("crash"))
        assert status == 500
        assert b"in the script" in raw
        server.configure(script=None, answers=None, rules=[], echo=True)
        assert said(server, "else") == "else"

    def test_truncation_and_reasoning(self, server: LoopbackServer) -> None:
        server.configure(answer="one two 三四 five", truncate=True)
        choice = ask(server, chat(max_tokens=3))["choices"][0]
        assert choice["message"]["content"] == "one two 三"
        assert choice["finish_reason"] == "length"
        server.configure(reasoning="reasoning_content", reasoning_text="a b c")
        reply = ask(server, chat(max_completion_tokens=5))
        assert reply["choices"][0]["message"]["reasoning_content"] == "a b c"
        assert reply["choices"][0]["message"]["content"] == "one two"
        assert reply["usage"]["completion_tokens_details"]["reasoning_tokens"] == 3
        server.configure(reasoning="think_tags")
        assert said(server, "x").startswith("<think>\na b c\n</think>\n\none two")

    def test_half_a_surrogate_pair_can_be_answered(self, server: LoopbackServer) -> None:
        server.configure(answer="\ud83d half")
        assert said(server, "x") == "\ud83d half"
        assert len(events(send(server, chat(stream=True))[2])) == 4

    def test_what_else_a_reply_says(self, server: LoopbackServer) -> None:
        server.configure(served_model="real", usage=False, headers={"X-Extra": "1"})
        status, headers, raw = send(server, chat())
        reply = json.loads(raw)
        assert (status, headers["x-extra"], reply["model"], "usage" in reply) == (200, "1", "real", False)

    def test_unknown_settings_and_faults_are_refused(self, server: LoopbackServer) -> None:
        with pytest.raises(UsageError, match="latency"):
            server.configure(latencyy=1)
        with pytest.raises(UsageError, match="contains"):
            server.configure(rules=["needle"])
        with pytest.raises(UsageError, match="rate_limit"):
            server.configure(faults=[{"kind": "rate_limits"}])
        with pytest.raises(UsageError, match="no such file"):
            server.configure(script="/nowhere.py:f")
        with pytest.raises(UsageError):
            LoopbackServer(colour="red").start()


def error_of(server: LoopbackServer, fault: Fault | dict[str, Any], **body: Any) -> tuple[int, dict[str, str], Any]:
    server.configure(faults=[fault])
    status, headers, raw = send(server, chat(**body))
    return status, headers, json.loads(raw)


class TestErrorFaults:
    @pytest.mark.parametrize(
        ("fault", "status", "code"),
        [
            (Fault("rate_limit"), 429, "rate_limit_exceeded"),
            (Fault("quota"), 429, "insufficient_quota"),
            (Fault("server_error"), 500, None),
            (Fault("server_error", status=503), 503, None),
            (Fault("server_error", status=529), 529, None),
            (Fault("auth"), 401, "invalid_api_key"),
            (Fault("forbidden"), 403, "access_denied"),
            (Fault("not_found"), 404, "model_not_found"),
            (Fault("context_length"), 400, "context_length_exceeded"),
        ],
    )
    def test_kinds(self, server: LoopbackServer, fault: Fault, status: int, code: str | None) -> None:
        got, _, body = error_of(server, fault)
        assert (got, body["error"]["code"]) == (status, code)
        assert server.stats()["faults"] == {fault.kind: 1}

    def test_retry_after_forms(self, server: LoopbackServer) -> None:
        assert error_of(server, Fault("rate_limit", retry_after=0.25))[1]["retry-after"] == "0.25"
        in_ms = Fault("rate_limit", retry_after=0.0125, retry_after_form="ms")
        assert error_of(server, in_ms)[1]["retry-after-ms"] == "12.5"
        date = error_of(server, Fault("rate_limit", retry_after=3, retry_after_form="date"))[1]["retry-after"]
        assert date.endswith(" GMT")

    def test_html_body(self, server: LoopbackServer) -> None:
        server.configure(faults=[Fault("server_error", status=502, body="html")])
        status, headers, raw = send(server, chat())
        assert status == 502
        assert headers["content-type"] == "text/html"
        assert b"<h1>502" in raw

    def test_unsupported_parameters(self, server: LoopbackServer) -> None:
        fault = {"kind": "unsupported_parameter", "params": ["max_tokens", "temperature"]}
        error = error_of(server, fault, max_tokens=5)[2]["error"]
        assert error["param"] == "max_tokens"
        assert error["code"] == "unsupported_parameter"
        assert "Use 'max_completion_tokens' instead." in error["message"]
        error = error_of(server, fault, temperature=0)[2]["error"]
        assert error["code"] == "unsupported_value"
        assert "does not support 0" in error["message"]
        assert send(server, chat(temperature=1, max_completion_tokens=5))[0] == 200
        error = error_of(server, {**fault, "style": "unknown"}, temperature=0)[2]["error"]
        assert error["code"] == "unknown_parameter"
        body = error_of(server, {**fault, "style": "pydantic"}, max_tokens=5)[2]
        assert "'loc': ('body', 'max_tokens')" in body["message"]
        assert body["code"] == 400
        status, _, body = error_of(server, {**fault, "style": "fastapi"}, max_tokens=5)
        assert status == 422
        assert body["detail"][0]["loc"] == ["body", "max_tokens"]

    def test_context_limit(self, server: LoopbackServer) -> None:
        server.configure(faults=[Fault("context_length", limit_tokens=3)])
        assert send(server, chat("one two three"))[0] == 200
        assert send(server, chat("one two three four"))[0] == 400

    def test_keys(self, server: LoopbackServer) -> None:
        server.configure(api_key=["good", "also"])
        assert send(server, chat())[0] == 401
        assert send(server, chat(), headers={"Authorization": "Bearer bad"})[0] == 401
        assert send(server, chat(), headers={"Authorization": "Bearer also"})[0] == 200
        assert [r["authorized"] for r in server.requests()] == [False, False, True]
        assert "also" not in json.dumps(server.requests())


class TestTransportFaults:
    def fails(self, server: LoopbackServer, fault: Fault, error: type[BaseException], **body: Any) -> None:
        server.configure(faults=[fault], answer="word " * 400)
        with pytest.raises(error):
            send(server, chat(**body), timeout=0.3)

    @pytest.mark.parametrize("stream", [False, True])
    def test_replies_cut_short(self, server: LoopbackServer, stream: bool) -> None:
        self.fails(server, Fault("hang"), TimeoutError, stream=stream)
        self.fails(server, Fault("stall"), TimeoutError, stream=stream)
        self.fails(server, Fault("reset"), ConnectionResetError, stream=stream)
        self.fails(server, Fault("reset", when="middle"), ConnectionResetError, stream=stream)
        self.fails(server, Fault("close"), RemoteDisconnected, stream=stream)
        self.fails(server, Fault("truncated"), IncompleteRead, stream=stream)
        wanted = [None, 200, None, 200, None, 200]
        assert eventually(lambda: [r["status"] for r in server.requests()] == wanted)

    def test_hang_that_ends(self, server: LoopbackServer) -> None:
        server.configure(faults=[Fault("hang", seconds=0.2)], answer="late")
        start = time.perf_counter()
        assert said(server, "x") == "late"
        assert time.perf_counter() - start > 0.19

    def test_client_that_gives_up(self, server: LoopbackServer) -> None:
        server.configure(latency=30)
        with pytest.raises(TimeoutError):
            send(server, chat(), timeout=0.1)
        assert eventually(lambda: server.stats()["abandoned"] == 1)
        stats = server.stats()
        assert (stats["in_flight"], stats["statuses"]) == (0, {"none": 1})

    def test_bodies_that_are_no_reply(self, server: LoopbackServer) -> None:
        for form in ("text", "binary", "html", "plain words"):
            server.configure(faults=[Fault("garbage", body=form)])
            status, _, raw = send(server, chat())
            assert status == 200
            with pytest.raises(ValueError):
                json.loads(raw)
        server.configure(faults=[Fault("wrong_shape")])
        assert "choices" not in ask(server, chat())
        server.configure(faults=[Fault("wrong_shape", body={"choices": []})])
        assert ask(server, chat()) == {"choices": []}


class TestContentFaults:
    @pytest.mark.parametrize(
        ("fault", "content", "refused", "finish"),
        [
            (Fault("empty"), "", False, "stop"),
            (Fault("null"), None, False, "stop"),
            (Fault("refusal"), None, True, "stop"),
            (Fault("content_filter"), "", False, "content_filter"),
            (Fault("length"), "one two", False, "length"),
            (Fault("length", text=""), "", False, "length"),
        ],
    )
    def test_kinds(self, server: LoopbackServer, fault: Fault, content: str | None, refused: bool, finish: str) -> None:
        server.configure(answer="one two three four", faults=[fault])
        choice = ask(server, chat())["choices"][0]
        message = choice["message"]
        assert (message["content"], bool(message["refusal"]), choice["finish_reason"]) == (
            content,
            refused,
            finish,
        )
        chunks = events(send(server, chat(stream=True))[2])
        assert chunks[-1]["choices"][0]["finish_reason"] == finish


class TestWhenFaultsHappen:
    def statuses(self, server: LoopbackServer, count: int, *faults: Fault, text: str = "q{}") -> list[int]:
        server.reset()
        server.configure(faults=list(faults))
        return [send(server, chat(text.format(i)))[0] for i in range(count)]

    def test_by_number(self, server: LoopbackServer) -> None:
        assert self.statuses(server, 6, Fault("quota", every=3)) == [200, 200, 429, 200, 200, 429]
        assert self.statuses(server, 4, Fault("quota", first=2)) == [429, 429, 200, 200]
        assert self.statuses(server, 4, Fault("quota", after=2)) == [200, 200, 429, 429]
        assert self.statuses(server, 4, Fault("quota", after=1, first=2)) == [200, 429, 429, 200]

    def test_retries_get_through(self, server: LoopbackServer) -> None:
        steps = (Fault("rate_limit", times=1), Fault("server_error", times=2))
        assert self.statuses(server, 4, *steps, text="same") == [429, 500, 200, 200]
        assert server.stats()["repeats"] == 3
        assert server.stats()["distinct"] == 1

    def test_share(self, server: LoopbackServer) -> None:
        fault = Fault("quota", share=0.5, seed=3)
        first = self.statuses(server, 40, fault)
        assert first == self.statuses(server, 40, fault)
        assert 10 < first.count(429) < 30
        by_body = Fault("quota", share=0.5, by="body")
        assert len(set(self.statuses(server, 5, by_body, text="same"))) == 1

    def test_by_text_and_path(self, server: LoopbackServer) -> None:
        assert self.statuses(server, 3, Fault("quota", when_contains="q1")) == [200, 429, 200]
        assert self.statuses(server, 1, Fault("quota", path="/v1/models")) == [200]
        assert send(server, path="/v1/models", method="GET")[0] == 429


class TestIngest:
    def post(self, server: LoopbackServer, events: Any, key: str) -> int:
        body = events if isinstance(events, bytes) else json.dumps(events).encode()
        return send(server, body, "/ingest", headers={"Idempotency-Key": key})[0]

    def test_batches_are_kept_once_and_exactly(self, server: LoopbackServer) -> None:
        raw = b'[ {"n": 1.0, "big": 123456789012345678901234567890, "s": "\\u00e9"} , {"n":2}]'
        assert self.post(server, [{"n": 0}], "a") == 200
        assert self.post(server, [{"n": 0}], "a") == 200
        assert self.post(server, raw, "b") == 200
        assert self.post(server, [], "c") == 200
        assert self.post(server, {"n": 1}, "d") == 400
        held = server.ingested()
        assert held["events"] == [{"n": 0}, *json.loads(raw)]
        assert [(b["key"], b["events"]) for b in held["batches"]] == [("a", 1), ("b", 2), ("c", 0)]
        assert held["duplicates"] == 1

    def test_faults(self, server: LoopbackServer) -> None:
        server.configure(ingest_faults=[Fault("server_error", first=1), Fault("truncated", after=1, first=1)])
        assert self.post(server, [1], "a") == 500
        with pytest.raises(HTTPException):
            self.post(server, [1], "a")
        assert self.post(server, [1], "a") == 200
        held = server.ingested()
        assert held["events"] == [1]
        assert held["duplicates"] == 1


class TestAccount:
    def test_records(self, server: LoopbackServer) -> None:
        send(server, chat(), f"{CHAT}?v=1", headers={"Authorization": "Bearer s3cret", "X-A": "b"})
        (entry,) = server.requests()
        assert entry["path"] == CHAT
        assert entry["query"] == "v=1"
        assert entry["status"] == 200
        assert entry["body"] == chat()
        assert entry["authorized"]
        assert entry["headers"]["x-a"] == "b"
        assert "s3cret" not in json.dumps(entry)
        assert abs(entry["time"] - time.time()) < 60
        server.configure(record=False)
        server.reset()
        send(server, chat())
        assert server.requests() == []
        assert server.stats()["paths"] == {CHAT: 1}

    def test_concurrency_limit(self, server: LoopbackServer) -> None:
        server.configure(concurrency_limit=10, concurrency_retry_after=2, latency=1.5, jitter=0.01)
        statuses = asyncio.run(flood(server, 15))
        assert sorted(statuses) == [200] * 10 + [429] * 5

    def test_a_thousand_slow_requests(self, server: LoopbackServer) -> None:
        server.configure(latency=5, record=False)
        statuses = asyncio.run(flood(server, 1000))
        assert statuses == [200] * 1000
        stats = server.stats()
        assert stats["max_in_flight"] > 500
        assert stats["connections"] == 1000
        assert stats["repeats"] == 0


async def flood(server: LoopbackServer, count: int) -> list[int]:
    """``count`` requests at once, each over its own connection; their statuses."""
    raise_file_limit()

    async def one(index: int) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        body = json.dumps(chat(f"q{index}")).encode()
        writer.write(b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (CHAT.encode(), len(body)) + body)
        status = int((await reader.readline()).split()[1])
        writer.close()
        return status

    return await asyncio.gather(*(one(index) for index in range(count)))


def raise_file_limit() -> None:
    resource = pytest.importorskip("resource", reason="file limits can only be raised on POSIX")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def gone(pid: int) -> bool:
    """Whether no such process runs; one that nobody has waited for yet counts as gone."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    stat = Path(f"/proc/{pid}/stat")
    try:
        return Path("/proc/self").exists() and stat.read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


class TestLife:
    def test_restart_keeps_port_and_settings(self) -> None:
        with LoopbackServer(answer="first", faults=[Fault("quota", when_contains="never")]) as server:
            server.configure(served_model="changed")
            port, pid = server.port, server.pid
            assert said(server, "x") == "first"
            assert pid is not None
            server.kill()
            assert eventually(lambda: gone(pid))
            assert not server.running
            with pytest.raises(RunError):
                server.stats()
            with pytest.raises(ConnectionRefusedError):
                send(server, chat())
            server.start()
            assert server.port == port
            assert ask(server, chat())["model"] == "changed"
            assert server.restart().port == port
            assert server.stats()["requests"] == 0
            last = server.pid
        assert last is not None
        assert eventually(lambda: gone(last))

    @pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
    def test_it_dies_with_its_parent(self, how: signal.Signals) -> None:
        code = (
            "import time; from aigc_evals.testing import LoopbackServer\n"
            "server = LoopbackServer().start(); print(server.pid, flush=True); time.sleep(60)"
        )
        with subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}
        ) as parent:
            assert parent.stdout is not None
            pid = int(parent.stdout.readline())
            assert not gone(pid)
            parent.send_signal(how)
            parent.wait()
        assert eventually(lambda: gone(pid))

    def test_command_line(self, tmp_path: Path) -> None:
        config = tmp_path / "config.json"
        config.write_text('{"answer": "from file"}')
        command = [sys.executable, "-m", "aigc_evals.testing.server", "--config", str(config)]
        with subprocess.Popen(
            [*command, "--settings", '{"served_model": "s"}'],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        ) as process:
            assert process.stdout is not None
            assert process.stdin is not None
            client = LoopbackServer(port=json.loads(process.stdout.readline())["port"])
            reply = ask(client, chat())
            process.stdin.close()
            assert process.wait(5) == 0
        assert reply["model"] == "s"
        assert reply["choices"][0]["message"]["content"] == "from file"


class TestFunctions:
    def test_scripts(self) -> None:
        messages = [{"role": "system", "content": "s"}, {"role": "user", "content": "q"}]
        by_text = ScriptedCompletionFn({"q": "a", "s\nother": "b"}, default="d", model="m")
        assert by_text(prompt=messages, temperature=0).get_completions() == ["a"]
        assert asyncio.run(by_text.acall("unknown")).get_completions() == ["d"]
        assert by_text.calls[0].kwargs == {"temperature": 0}
        assert by_text.calls[1].outcome == "d"
        in_turn = ScriptedCompletionFn(["a", EndpointError("no", kind="server")])
        assert in_turn("x").get_completions() == ["a"]
        for _ in range(2):  # the scripted error, then the end of the script
            with pytest.raises(EndpointError):
                in_turn("x")
        again = ScriptedCompletionFn(["a", "b"], cycle=True)
        assert [again("x").get_completions()[0] for _ in range(3)] == ["a", "b", "a"]
        assert ScriptedCompletionFn(str.upper)("x").get_completions() == ["X"]

    def test_failures(self) -> None:
        fails_twice = FailingCompletionFn(EndpointError("busy", kind="rate_limit", retryable=True), times=2)
        for _ in range(2):
            with pytest.raises(EndpointError, match="busy"):
                fails_twice("x")
        assert asyncio.run(fails_twice.acall("x")).get_completions() == ["ok"]
        assert len(fails_twice.calls) == 3
        with pytest.raises(ValueError):
            FailingCompletionFn(ValueError)("x")
