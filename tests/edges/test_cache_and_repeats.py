"""The cache and repeats as a user meets them: whole processes, a server on loopback that counts what reaches it."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from support import cli, logs
from support.registries import match_registry, registry

from aigc_evals import run
from aigc_evals.completion_fns.openai import OpenAIChatCompletionFn
from aigc_evals.testing import Fault, LoopbackServer

COUNT = 30
KEY = "sk-0123456789abcdefghijklmnopqrstuv"
EVAL = """
{name}: {{id: {name}.dev.v0, metrics: [accuracy]}}
{name}.dev.v0:
  class: aigc_evals.elsuite.basic.match:Match
  args: {{samples_jsonl: {name}.jsonl}}
"""


class Desk:
    """A registry with one eval over Chinese questions, a home with a cache of its own, and a server."""

    def __init__(self, home: Path, server: LoopbackServer, paths: Path) -> None:
        self.home, self.server, self.paths = home, server, paths
        self.env = cli.environment(home, server.base_url, OPENAI_API_KEY=KEY, AIGC_EVALS_CACHE_DIR=str(home / "cache"))
        self.words = ["mock-model", "many", "--registry_path", paths, "--json", "--cache"]

    def run(self, *more: object, code: int = 0) -> dict[str, Any]:
        """The report of a run in a log of its own; its table is in ``self.table``."""
        done = cli.run(*self.words, "--record_path", self.log(), *more, env=self.env)
        assert done.code == code, done.err
        self.table = done.err
        return done.report

    def log(self) -> Path:
        self.last = self.home / f"{len(list(self.home.glob('*.jsonl')))}.jsonl"
        return self.last

    def cache(self, *words: object) -> str:
        done = cli.run("cache", *words, env=self.env, program="aigc_evals")
        assert done.code == 0, done.err
        return done.out

    @property
    def requests(self) -> int:
        return int(self.server.stats()["requests"])


@pytest.fixture
def desk(home: Path, loopback: LoopbackServer, tmp_path: Path) -> Desk:
    rows = [{"input": f"第{i}题：对不对？", "ideal": "True"} for i in range(COUNT)]
    paths = registry(tmp_path / "registry", {"evals/many.yaml": EVAL.format(name="many")}, {"many.jsonl": rows})
    return Desk(home, loopback, paths)


def figures(report: dict[str, Any]) -> dict[str, Any]:
    return {
        key: value
        for key, value in report.items()
        if key not in (*logs.PASSING, "cache_hits") and not key.startswith("usage_")
    }


def scores(log: Path) -> dict[str, Any]:
    return {event["sample_id"]: event["data"] for event in logs.events(log, "match")}


# -- the cache ------------------------------------------------------------------------------------------------------


def test_the_second_run_asks_nothing_says_so_and_comes_to_the_same(desk: Desk) -> None:
    first = desk.run()
    paid, log = desk.requests, desk.last
    second = desk.run()
    assert paid == desk.requests == first["requests"] == COUNT
    assert (first["cache_hits"], second["cache_hits"], second["requests"]) == (0, COUNT, 0)
    assert "30 answers from the cache" in desk.table
    assert figures(second) == figures(first)
    assert scores(desk.last) == scores(log)
    # What was paid now is nothing; what the answers once cost stands apart.
    assert "usage_total_tokens" not in second
    assert second["usage_cached_total_tokens"] == first["usage_total_tokens"] > 0
    sampling = logs.events(desk.last, "sampling")
    assert {event["data"]["cached"] for event in sampling} == {True}
    assert {"usage_cached"} <= set(sampling[0]["data"])
    assert "usage" not in sampling[0]["data"]
    assert sampling[0]["data"]["prompt"][0]["role"] == "system"
    assert {event["data"]["cache_hits"] for event in logs.events(desk.last, "sample")} == {1}


def test_without_the_flag_nothing_is_read_or_written(desk: Desk) -> None:
    desk.words.remove("--cache")
    desk.run()
    desk.run()
    assert desk.requests == 2 * COUNT
    assert not (desk.home / "cache").exists()


@pytest.mark.parametrize(
    "other",
    [
        ["--completion_args", "extra_options=null", "--seed", "1", "--concurrency", "3", "--timeout", "9"],
        ["--completion_args", "timeout=9,max_concurrency=3"],
    ],
)
def test_what_does_not_change_the_request_is_answered_from_the_cache(desk: Desk, other: list[str]) -> None:
    desk.run()
    desk.run(*other)
    assert desk.requests == COUNT


def test_another_model_endpoint_or_repeat_is_asked(desk: Desk) -> None:
    desk.run()
    desk.words[0] = "other-model"
    assert desk.run()["cache_hits"] == 0
    desk.words[0] = "mock-model"
    assert desk.run("--repeats", "3")["cache_hits"] == COUNT
    assert desk.requests == 4 * COUNT
    desk.env["OPENAI_BASE_URL"] = desk.server.base_url.replace("127.0.0.1", "localhost")
    assert desk.run()["cache_hits"] == 0
    assert desk.requests == 5 * COUNT


def test_errors_and_refusals_and_the_like_are_asked_again_and_only_they(desk: Desk) -> None:
    kinds = {"refusal": "第1题", "empty": "第2题", "length": "第3题", "server_error": "第4题"}
    faults = [Fault(kind, when_contains=text + "：") for kind, text in kinds.items()]
    desk.server.configure(faults=faults)
    first = desk.run("--max_retries", "0")
    assert {k: v for k, v in first["outcomes"].items() if v} == {
        "scored": COUNT - 4,
        "refused": 1,
        "empty": 1,
        "truncated": 1,
        "error": 1,
    }
    desk.server.configure(faults=[])
    desk.server.reset()
    second = desk.run()
    assert (second["cache_hits"], second["requests"], desk.requests) == (COUNT - 4, 4, 4)
    assert second["outcomes"]["scored"] == COUNT


def test_no_key_and_no_header_reaches_the_file(desk: Desk) -> None:
    desk.words[2:2] = ["--completion_args", f"api_key={KEY}"]
    desk.run()
    content = b"".join(path.read_bytes() for path in (desk.home / "cache").iterdir())
    assert b"mock-model" in content
    for word in (KEY.encode(), b"Bearer", b"uthorization"):
        assert word not in content


def test_the_cache_is_listed_and_emptied(desk: Desk) -> None:
    assert desk.cache("path").strip() == str(desk.home / "cache" / "completions.sqlite3")
    assert desk.cache("ls").startswith("0 entries, 0 bytes in ")
    desk.run()
    listed = json.loads(desk.cache("ls", "--json"))
    assert [(kept["endpoint"], kept["model"], kept["entries"]) for kept in listed] == [
        (desk.server.base_url, "mock-model", COUNT)
    ]
    assert "30 entries" in desk.cache("ls")
    assert desk.cache("rm", "--older-than", "1") == "0 entries removed, 0 bytes.\n"
    assert desk.cache("rm", "--model", "别的") == "0 entries removed, 0 bytes.\n"
    assert desk.cache("rm").startswith("30 entries removed, ")
    desk.run()
    assert desk.requests == 2 * COUNT


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["list"], "has no command 'list'"),
        (["ls", "--model", "m"], "go with rm"),
        (["rm", "--older-than", "-1"], "must not be negative"),
    ],
)
def test_a_mistake_about_the_cache_is_told_in_one_message(home: Path, words: list[str], said: str) -> None:
    done = cli.run("cache", *words, env=cli.environment(home), program="aigc_evals")
    assert done.code == 2
    assert said in done.message


def test_a_damaged_cache_fails_no_run(desk: Desk) -> None:
    (desk.home / "cache").mkdir()
    (desk.home / "cache" / "completions.sqlite3").write_bytes("坏".encode() * 5000)
    report = desk.run()
    assert report["outcomes"]["scored"] == COUNT
    assert desk.table.count("cannot be used") == 1
    assert "removed" in desk.cache("rm")
    desk.run()
    assert desk.run()["cache_hits"] == COUNT


def test_a_function_object_is_known_again_within_one_process(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AIGC_EVALS_CACHE_DIR", str(tmp_path / "cache"))
    desk.server.configure(faults=[Fault("unsupported_parameter", params=("temperature",))])
    fn = OpenAIChatCompletionFn("mock-model", desk.server.base_url)
    hits = []
    for number in range(2):
        log = tmp_path / f"{number}.jsonl"
        done = run(fn, "many", registry_path=[desk.paths], cache=True, progress=False, record_path=log)
        hits.append(done.report["cache_hits"])
    assert hits == [0, COUNT]


def test_two_processes_fill_one_cache_at_once_and_a_third_finds_it_all(desk: Desk) -> None:
    running = [
        cli.start(*desk.words, "--repeats", "4", "--record_path", desk.home / f"{name}.jsonl", env=desk.env)
        for name in ("甲", "乙")
    ]
    ended = [cli.finish(process) for process in running]
    for done in ended:
        assert done.code == 0, done.err
        assert "cannot be used" not in done.err
    desk.server.reset()
    assert desk.run("--repeats", "4")["cache_hits"] == 4 * COUNT
    assert desk.requests == 0


def test_what_a_killed_run_paid_for_is_found_by_another_log(desk: Desk) -> None:
    desk.server.configure(latency=0.02)
    log = desk.log()
    process = cli.start(*desk.words, "--concurrency", "2", "--record_path", log, env=desk.env)
    logs.wait_for_samples(log, 15)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    finished = logs.finished_samples(log)
    # All but what was still on its way to the file, a few milliseconds' worth.
    assert desk.run()["cache_hits"] >= finished - 4


# -- repeats --------------------------------------------------------------------------------------------------------


def test_a_killed_run_of_repeats_goes_on_where_it_was(home: Path, loopback: LoopbackServer, tmp_path: Path) -> None:
    paths = match_registry(tmp_path / "registry", COUNT)
    env = cli.environment(home, loopback.base_url)
    words: list[object] = ["mock-model", "many", "--registry_path", paths, "--json", "--repeats", "3"]
    calm = cli.run(*words, "--record_path", home / "calm.jsonl", env=env)
    assert calm.code == 0, calm.err
    assert calm.report["planned"] == 3 * COUNT
    loopback.reset()
    loopback.configure(latency=0.02)
    log = home / "run.jsonl"
    for moment in (10, 40, 70):
        process = cli.start(*words, "--concurrency", "4", "--record_path", log, env=env)
        logs.wait_for_samples(log, moment)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    last = cli.run(*words, "--record_path", log, env=env)
    assert last.code == 0, last.err
    assert logs.lasting(last.report) == logs.lasting(calm.report)
    assert logs.outcomes(log) == logs.outcomes(home / "calm.jsonl")
    assert 3 * COUNT <= loopback.stats()["requests"] <= 3 * COUNT + 3 * 4


def test_a_log_of_another_number_of_repeats_is_refused(home: Path, loopback: LoopbackServer, tmp_path: Path) -> None:
    paths = match_registry(tmp_path / "registry", 4)
    env = cli.environment(home, loopback.base_url)
    words: list[object] = ["mock-model", "many", "--registry_path", paths, "--record_path", home / "log.jsonl"]
    assert cli.run(*words, "--repeats", "2", env=env).code == 0
    for other in ([], ["--repeats", "3"]):
        done = cli.run(*words, *other, env=env)
        assert done.code == 2
        assert "repeats was 2, is now" in done.message


def test_a_log_from_before_there_were_repeats_is_continued(
    home: Path, loopback: LoopbackServer, tmp_path: Path
) -> None:
    paths = match_registry(tmp_path / "registry", 4)
    env = cli.environment(home, loopback.base_url)
    log = home / "log.jsonl"
    words: list[object] = ["mock-model", "many", "--registry_path", paths, "--record_path", log]
    assert cli.run(*words, env=env).code == 0
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(lines[0].replace(b'"repeats":1,', b"") + b"".join(lines[1:4]))
    loopback.reset()
    assert cli.run(*words, env=env).code == 0
    assert loopback.stats()["requests"] == 3


def test_no_repeats_at_all_is_a_mistake(home: Path) -> None:
    done = cli.run("dummy", "test-match", "--repeats", "0", env=cli.environment(home))
    assert done.code == 2
    assert "must be at least 1, got 0" in done.message


def test_temperature_shows_as_a_spread_between_pass_at_k_and_pass_all_k(
    home: Path, loopback: LoopbackServer, tmp_path: Path
) -> None:
    script = tmp_path / "moody.py"
    script.write_text(
        "import random\nmood = random.Random(1)\ndef answer(body):\n    return mood.choice(['True', 'False', '不知道'])\n",
        encoding="utf-8",
    )
    loopback.configure(script=f"{script}:answer")
    paths = match_registry(tmp_path / "registry", 20)
    env = cli.environment(home, loopback.base_url)
    done = cli.run("mock-model", "many", "--registry_path", paths, "--json", "--repeats", "4", env=env)
    metrics = done.report["metrics"]
    values = {name: metric["value"] for name, metric in metrics.items()}
    assert values["accuracy/pass^4"] < values["accuracy"] < values["accuracy/pass@4"]
    assert "80 planned, 20 samples 4 times" in done.err
    assert all(metric["n"] == 20 for metric in metrics.values())
