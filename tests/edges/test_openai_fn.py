"""Functions of OpenAI-compatible endpoints: what is sent, what is learned from a refusal, and what is never shown."""

from __future__ import annotations

import asyncio
import socket
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from support import cli, logs
from support.api_server import ApiServer, Reply
from support.registries import match_registry

import aigc_evals as evals
from aigc_evals.completion_fns.openai import OpenAIChatCompletionFn, OpenAICompletionFn
from aigc_evals.errors import EndpointError, UsageError
from aigc_evals.testing import Fault, LoopbackServer

JUDGE = ({"contains": "<submission>", "answer": "C"},)
KEY = "zebra-quartz-7731-lantern"
"""A key of no known shape: only its value gives it away."""


def run_fuzzy(server: LoopbackServer, home: Path, *args: object, **env: str) -> tuple[cli.Finished, Path]:
    """FuzzyMatch sends temperature and max_tokens."""
    log = home / "run.jsonl"
    made = cli.environment(home, server.base_url, **env)
    command = ["mock-model", "BoolQ_fuzzy", "--max_samples", 24, "--concurrency", 4, "--json", "--record_path", log]
    return cli.run(*command, *args, env=made), log


# -- what counts as JSON --------------------------------------------------------------------------------------------

WHOLE = '{"choices":[{"message":{"content":"%s"},"finish_reason":"stop"}]%s}'
READABLE = {
    "half of a surrogate pair": (WHOLE % ("True\\ud83d", ""), "application/json", "True\ud83d"),
    "half of one in a name": (WHOLE % ("True", ',"model":"\\ud800"'), "application/json", "True"),
    "no number": (WHOLE % ("True", ',"usage":{"total_tokens":NaN}'), "application/json", "True"),
    "infinity": (WHOLE % ("True", ',"x":-Infinity'), "application/json", "True"),
    "a long number": (WHOLE % ("True", ',"x":123456789012345678901234567890'), "application/json", "True"),
    "a byte order mark": ("\ufeff" + WHOLE % ("True", ""), "application/json; charset=utf-8", "True"),
    "another charset": ((WHOLE % ("True 是的", "")).encode("gbk"), "application/json; charset=gbk", "True 是的"),
    "two bytes a character": (
        (WHOLE % ("True 是", "")).encode("utf-16"),
        "application/json; charset=utf-16",
        "True 是",
    ),
    "a wrong charset": (WHOLE % ("True 是的", ""), "application/json; charset=gbk", "True 是的"),
}


@pytest.mark.parametrize("name", READABLE)
def test_a_reply_that_can_be_read_is_asked_for_once(name: str, home: Path) -> None:
    body, kind, answer = READABLE[name]
    reply = Reply(body if isinstance(body, bytes) else body.encode(), content_type=kind)
    with ApiServer(lambda asked: reply) as api:
        fn = OpenAIChatCompletionFn("m", f"{api.url}/v1")
        assert fn(prompt="q").get_completions() == [answer]
        for args in (("--cache",), ("--cache",), ()):
            env = cli.environment(home, f"{api.url}/v1")
            done = cli.run("m", "test-match", "--max_samples", 1, "--json", *args, env=env)
            assert done.report["outcomes"]["scored"] == 1, done.err
    assert len(api.asked) == 3, "the second run was answered from the cache"


UNREADABLE = {
    "another charset than it says": (WHOLE % ("是", "")).encode("gbk"),
    "nested too deeply": b"[" * 100_000,
    "half of it": WHOLE[:30].encode(),
}


@pytest.mark.parametrize("name", UNREADABLE)
@pytest.mark.parametrize("charset", ["", "; charset=utf-8", "; charset=no-such-one"])
def test_a_reply_that_cannot_be_read_is_a_bad_one(name: str, charset: str) -> None:
    reply = Reply(UNREADABLE[name], content_type=f"application/json{charset}")
    with ApiServer(lambda asked: reply) as api, pytest.raises(EndpointError, match="the reply is not JSON") as caught:
        OpenAIChatCompletionFn("m", f"{api.url}/v1")(prompt="q")
    assert (caught.value.kind, caught.value.retryable) == ("bad_reply", True)


def test_a_stream_and_a_refusal_are_read_with_the_same_patience() -> None:
    event = '{"choices":[{"index":0,"delta":{"content":"a\\ud83d"},"finish_reason":"stop"}],"usage":{"x":NaN}}'
    stream = Reply(f"data: {event}\n\ndata: [DONE]\n\n".encode(), content_type="text/event-stream")
    with ApiServer(lambda asked: stream) as api:
        fn = OpenAIChatCompletionFn("m", f"{api.url}/v1", stream=True)
        assert fn(prompt="q").get_completions() == ["a\ud83d"]
    refusal = Reply(
        '{"error":{"message":"不行"}}'.encode("gbk"), status=400, content_type="application/json; charset=gbk"
    )
    with ApiServer(lambda asked: refusal) as api, pytest.raises(EndpointError, match="HTTP 400: 不行"):
        OpenAIChatCompletionFn("m", f"{api.url}/v1")(prompt="q")


def test_a_key_that_is_only_a_word_is_no_secret_in_what_is_asked_and_answered(
    loopback: LoopbackServer, home: Path
) -> None:
    loopback.configure(answer="True, as ollama says")
    log = home / "run.jsonl"
    env = cli.environment(home, loopback.base_url, OPENAI_API_KEY="ollama")
    assert cli.run("m", "test-match", "--record_path", log, env=env).code == 0
    assert all(request["authorized"] for request in loopback.requests())
    assert {event["data"]["sampled"][0] for event in logs.events(log, "sampling")} == {"True, as ollama says"}


# -- parameters an endpoint does not take ---------------------------------------------------------------------------


@pytest.mark.parametrize("style", ["openai", "unknown", "pydantic", "fastapi"])
def test_parameters_that_are_refused_are_corrected_once_and_remembered(
    style: str, loopback: LoopbackServer, home: Path
) -> None:
    loopback.configure(faults=[Fault("unsupported_parameter", params=("max_tokens", "temperature"), style=style)])
    ended, log = run_fuzzy(loopback, home)
    assert ended.code == 0, ended.err
    report = ended.report
    stats = loopback.stats()
    assert report["outcomes"]["scored"] == 24
    assert set(stats["statuses"]) <= {"200", "400", "422"}
    assert 2 <= stats["requests"] - 24 <= 2 * 4, "at most one correction of each parameter per call in flight"
    assert (report["requests"], report["retries"]) == (stats["requests"], stats["requests"] - 24)
    ((place, changes),) = report["adjusted"].items()
    assert place == f"{loopback.base_url} mock-model"
    assert changes == {"max_tokens": "max_completion_tokens" if style == "openai" else None, "temperature": None}
    notes = [event["data"]["adjusted_request"] for event in logs.events(log, "extra")]
    assert sorted(note["parameter"] for note in notes) == ["max_tokens", "temperature"]
    bodies = [request["body"] for request in loopback.requests()]
    refused = [body for body in bodies if "temperature" in body or "max_tokens" in body]
    assert len(refused) == stats["requests"] - 24, "what was corrected is never sent again"
    if style == "openai":
        assert all(body["max_completion_tokens"] == 100 for body in bodies if body not in refused)


def test_a_parameter_under_neither_name_is_left_out(loopback: LoopbackServer, home: Path) -> None:
    """Both names refused, each naming the other: no endless exchange of the two."""
    texts = {
        "max_tokens": "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
        "max_completion_tokens": "Unsupported parameter: 'max_completion_tokens'. Use 'max_tokens' instead.",
    }
    loopback.configure(
        faults=[Fault("unsupported_parameter", params=(name,), message=text) for name, text in texts.items()]
    )
    ended, _ = run_fuzzy(loopback, home)
    assert ended.report["outcomes"]["scored"] == 24
    assert all("max" not in "".join(request["body"]) for request in loopback.requests()[20:])


def test_policy_and_judge_each_learn_at_most_once(loopback: LoopbackServer, home: Path) -> None:
    loopback.configure(rules=JUDGE, faults=[Fault("unsupported_parameter", params=("max_tokens",))])
    ended = cli.run(
        "mock-model", "BoolQ_fact", "--max_samples", 10, "--concurrency", 1, "--json",
        "--extra_eval_params", "eval_model=judge-model",
        "--record_path", home / "run.jsonl", env=cli.environment(home, loopback.base_url),
    )  # fmt: skip
    assert ended.report["outcomes"]["scored"] == 10
    assert loopback.stats()["requests"] == 22
    assert sorted(place.split()[-1] for place in ended.report["adjusted"]) == ["judge-model", "mock-model"]


def test_another_400_is_not_taken_for_a_refused_parameter(loopback: LoopbackServer) -> None:
    loopback.configure(faults=[Fault("context_length", message="max_tokens and the prompt are too long together")])
    fn = OpenAIChatCompletionFn(model="m", api_base=loopback.base_url)
    with pytest.raises(EndpointError, match="too long"):
        fn(prompt="a", max_tokens=5)
    assert loopback.stats()["requests"] == 1


# -- what is sent -----------------------------------------------------------------------------------------------------


def sent(loopback: LoopbackServer) -> dict[str, Any]:
    (request,) = loopback.requests()
    return request


def test_a_chat_and_a_text_model_are_asked_in_their_own_way(loopback: LoopbackServer) -> None:
    OpenAIChatCompletionFn(model="m", api_base=loopback.base_url)(prompt="Is 水 wet?", temperature=0.0)
    assert sent(loopback)["body"] == {
        "model": "m",
        "messages": [{"role": "system", "content": "Is 水 wet?"}],
        "temperature": 0.0,
    }
    loopback.reset()
    messages = [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}]
    OpenAICompletionFn(model="m", api_base=loopback.base_url)(prompt=messages)
    assert sent(loopback)["path"] == "/v1/completions"
    assert sent(loopback)["body"]["prompt"] == "S\nUser: U\nAssistant:"


def test_options_headers_and_key_go_along(loopback: LoopbackServer) -> None:
    loopback.configure(api_key=KEY)
    fn = OpenAIChatCompletionFn(
        model="m",
        base_url=loopback.base_url + "/",
        api_key=f" {KEY}\n",
        extra_options={"seed": 7, "temperature": 0.3},
        headers={"X-Team": "甲"},
    )
    result = fn(prompt="a", temperature=0.0)
    assert result.get_completions()[0] in ("True", "False")
    assert sent(loopback)["authorized"] is True
    assert sent(loopback)["body"]["seed"] == 7
    assert sent(loopback)["body"]["temperature"] == 0.3
    assert "x-team" in sent(loopback)["headers"]


@pytest.mark.parametrize("key", [None, "some-other-key"])
def test_user_and_password_of_the_address_are_sent_as_basic_authorization(key: str | None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        seen: list[bytes] = []

        async def main() -> None:
            fn = OpenAIChatCompletionFn(model="m", api_base=f"http://us%40er:p%3Ass@127.0.0.1:{port}/v1", api_key=key)
            assert fn.api_base == f"http://127.0.0.1:{port}/v1"
            loop = asyncio.get_running_loop()
            listener.setblocking(False)
            call = asyncio.ensure_future(fn.acall(prompt="a"))
            connection, _ = await loop.sock_accept(listener)
            seen.append(await loop.sock_recv(connection, 65536))
            connection.close()
            with pytest.raises(EndpointError):
                await call
            await fn.aclose()

        asyncio.run(main())
    wanted = b"Basic " + b64encode(b"us@er:p:ss")
    assert wanted in seen[0]
    assert seen[0].count(b"uthorization") == 1
    assert b" /v1/chat/completions " in seen[0]


def test_a_redirect_is_an_error_that_names_the_place(loopback: LoopbackServer) -> None:
    loopback.configure(faults=[Fault("server_error", status=307)])
    with pytest.raises(EndpointError, match="HTTP 307: the endpoint has moved") as caught:
        OpenAIChatCompletionFn(model="m", api_base=loopback.base_url)(prompt="a")
    assert not caught.value.retryable


def test_a_proxy_of_the_environment_is_used(loopback: LoopbackServer, home: Path) -> None:
    """The host does not exist; the proxy, which does, is asked for it."""
    env = cli.environment(home, "http://no-such-host.invalid/v1", http_proxy=loopback.url)
    ended = cli.run("mock-model", "test-match", "--max_samples", 2, "--json", env=env)
    assert "POST http://no-such-host.invalid/v1/chat/completions" in ended.message
    assert loopback.stats()["requests"] > 0


@pytest.mark.parametrize("n", [1, 3])
def test_results_carry_what_the_endpoint_said(n: int, loopback: LoopbackServer) -> None:
    loopback.configure(answer={"content": "True", "reasoning_content": "Hm."}, served_model="m-2026")
    result: Any = OpenAIChatCompletionFn(model="m", api_base=loopback.base_url)(prompt="a", n=n)
    assert result.get_completions() == ["True"] * n
    assert (result.model, result.finish_reason, result.reasoning) == ("m-2026", "stop", "Hm.")
    assert result.usage["total_tokens"] > 0
    assert result.raw_data.choices[0].message.content == "True"


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        ({"timeout": "soon"}, "timeout"),
        ({"timeout": float("nan")}, "timeout"),
        ({"max_concurrency": 0}, "max_concurrency"),
        ({"extra_options": [1]}, "extra_options"),
        ({"headers": "X"}, "headers"),
        ({"verify": "/nowhere.pem"}, "verify"),
        ({"api_base": "ftp://x"}, "api_base"),
        ({"api_base": "//x"}, "api_base"),
    ],
)
def test_arguments_that_cannot_work_are_refused(arguments: dict[str, Any], key: str) -> None:
    with pytest.raises(UsageError) as caught:
        OpenAIChatCompletionFn(**{"model": "m", "api_base": "http://localhost:1", **arguments})
    assert caught.value.key == key


def test_its_own_concurrency_and_time_limit_are_kept(loopback: LoopbackServer, tmp_path: Path) -> None:
    loopback.configure(latency=0.02)
    registry = match_registry(tmp_path / "registry", 20)
    fn = OpenAIChatCompletionFn(model="m", api_base=loopback.base_url, max_concurrency=3, timeout=0.7)
    evals.run(fn, "many", registry_path=[registry], dry_run=True, dry_run_logging=False, progress=False)
    assert loopback.stats()["max_in_flight"] == 3
    loopback.configure(faults=[Fault("hang")])
    result = evals.run(
        fn, "many", registry_path=[registry], dry_run=True, dry_run_logging=False, progress=False, max_samples=2,
        max_retries=0, concurrency=2,
    )  # fmt: skip
    assert result.report["outcomes"]["error"] == 2
    assert any("0.7 s" in problem for problem in result.problems)


# -- secrets ----------------------------------------------------------------------------------------------------------

ECHO = Fault("context_length", every=2, message=f"you sent Authorization: {KEY}")
ALL_ECHO = Fault("auth", message=f"Incorrect API key provided: {KEY}")
LIMIT_ECHO = Fault("quota", message=f"insufficient_quota for {KEY}")


@pytest.mark.parametrize(
    ("place", "fault", "flags", "code"),
    [
        ("environment", ECHO, (), 0),
        ("address", ECHO, ("--debug",), 0),
        ("arguments", None, (), 0),
        ("arguments", ECHO, ("--debug",), 0),
        ("arguments", ECHO, ("--dry-run",), 0),
        ("arguments", ALL_ECHO, (), 2),
        ("arguments", LIMIT_ECHO, ("--json",), 1),
    ],
)
def test_a_key_is_nowhere_to_be_seen(
    place: str, fault: Fault | None, flags: tuple[str, ...], code: int, loopback: LoopbackServer, home: Path
) -> None:
    loopback.configure(faults=[fault] if fault else [])
    env = cli.environment(home, loopback.base_url)
    args: list[object] = []
    if place == "environment":
        env["OPENAI_API_KEY"] = KEY
    elif place == "arguments":
        args = ["--completion_args", f"api_key={KEY}"]
    else:
        env["OPENAI_BASE_URL"] = loopback.base_url.replace("//", f"//someone:{KEY}@")
    ended = cli.run("mock-model", "test-match", *args, *flags, env=env)
    assert ended.code == code, ended.err
    if code == 0:
        assert loopback.stats()["requests"] == 10
        assert all(request["authorized"] for request in loopback.requests() if place != "address")
    written = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert "--dry-run" in flags or code or written.count(b'"type":"sample"') > 0
    for text in (ended.out, ended.err, written.decode()):
        assert KEY not in text
        assert b64encode(f"someone:{KEY}".encode()).decode() not in text


def test_a_key_in_headers_of_a_registry_is_nowhere_to_be_seen(loopback: LoopbackServer, home: Path) -> None:
    paths = match_registry(home / "registry", 4)
    (paths / "completion_fns").mkdir()
    (paths / "completion_fns/mine.yaml").write_text(
        "mine:\n  class: aigc_evals.completion_fns.openai:OpenAIChatCompletionFn\n"
        f"  args: {{model: m, headers: {{X-Gateway: {KEY}}}, api_key: {KEY}-2}}\n"
    )
    loopback.configure(faults=[ECHO])
    env = cli.environment(home, loopback.base_url)
    ended = cli.run("mine", "many", "--registry_path", paths, env=env)
    assert ended.code == 0
    written = b"".join(path.read_bytes() for path in (home / "tmp").rglob("*") if path.is_file())
    assert KEY not in ended.out + ended.err + written.decode()
    assert "[redacted]" in written.decode()
