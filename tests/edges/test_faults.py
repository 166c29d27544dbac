"""A misbehaving endpoint, disk or network: every sample ends in one outcome, nothing hangs, nothing is lost.

Each case is a run of the command line against a server of its own; all cases of a table run side by side.
"""

from __future__ import annotations

import resource
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from support import cli, disks, logs

from aigc_evals.testing import Fault, LoopbackServer

SAMPLES = 30
JUDGE = ({"contains": "<submission>", "answer": "They say the same.\nC"},)
BOUNDED = ("--max_retries", 1, "--concurrency", 8)


@dataclass(frozen=True)
class Case:
    """One run: what the server does, and how it is asked."""

    faults: Sequence[Fault] = ()
    args: tuple[object, ...] = ()
    eval: str = "BoolQ_match"
    model: str = "mock-model"
    server: Mapping[str, Any] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ended:
    """What came of it, and of the same command with ``--retry_errors`` once the server behaves."""

    first: cli.Finished
    log: Path
    kept: bytes | None
    stats: dict[str, Any]
    again: cli.Finished | None


def perform(case: Case, home: Path, resume: bool) -> Ended:
    with LoopbackServer(rules=JUDGE, faults=list(case.faults), **case.server) as server:
        env = cli.environment(home, server.base_url, **case.env)
        log = home / "run.jsonl"
        command = [case.model, case.eval, "--max_samples", SAMPLES, "--json", "--record_path", log, *case.args]
        first = cli.run(*command, env=env)
        kept = log.read_bytes() if log.exists() else None
        stats = server.stats()
        again = None
        if resume:
            server.configure(faults=[])
            again = cli.run(*command, "--retry_errors", env=env)
        return Ended(first, log, kept, stats, again)


def perform_all(cases: Mapping[str, Case], folder: Path, resume: bool) -> dict[str, Ended]:
    with ThreadPoolExecutor(4) as pool:
        going = {name: pool.submit(perform, case, folder / name, resume) for name, case in cases.items()}
        return {name: future.result() for name, future in going.items()}


def share(kind: str, **more: Any) -> Fault:
    """A fault of every tenth sample's first request, so that a repeat succeeds."""
    return Fault(kind, **{"share": 0.1, "times": 1, **more})


SHAPES: tuple[Any, ...] = (
    None,
    [1, 2],
    {"choices": [None]},
    {"choices": "True"},
    {"choices": [{"message": "True"}]},
    {"error": {"message": "overloaded"}},
)

PASSING: dict[str, Case] = {
    "nothing": Case(),
    "judged, nothing": Case(eval="BoolQ_fact"),
    "429 with Retry-After": Case([share("rate_limit", retry_after=1)]),
    "429 with a date": Case([share("rate_limit", retry_after=1, retry_after_form="date")]),
    "429 with milliseconds": Case([share("rate_limit", retry_after=0.2, retry_after_form="ms")]),
    "429 without a word": Case([share("rate_limit")]),
    "500": Case([share("server_error")]),
    "503, 529 and 408": Case(
        [
            share("server_error", status=503, body="html"),
            share("server_error", seed=1, status=529),
            share("server_error", seed=2, status=408),
        ]
    ),
    "hang and stall": Case([share("hang"), share("stall")], ("--timeout", 1)),
    "resets": Case([share("reset"), share("reset", seed=1, when="middle")]),
    "closed connection, truncated body": Case([share("close"), share("truncated")]),
    "garbage": Case([share("garbage"), share("garbage", seed=1, body="html"), share("garbage", seed=2, body="binary")]),
    "wrong shapes": Case([share("wrong_shape", seed=i, body=body) for i, body in enumerate(SHAPES)]),
    "judged, everything": Case(
        [share(kind, seed=i) for i, kind in enumerate(("rate_limit", "server_error", "reset", "garbage", "close"))],
        eval="BoolQ_fact",
    ),
}
"""Faults that pass: the result is that of an undisturbed run."""


@pytest.fixture(scope="module")
def passing(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ended]:
    return perform_all(PASSING, tmp_path_factory.mktemp("passing"), resume=False)


@pytest.mark.parametrize("name", PASSING)
def test_a_fault_that_passes_changes_nothing_but_the_number_of_requests(name: str, passing: dict[str, Ended]) -> None:
    case, ended = PASSING[name], passing[name]
    calm = passing["judged, nothing" if case.eval == "BoolQ_fact" else "nothing"]
    assert ended.first.code == 0, ended.first.err
    report = ended.first.report
    logs.check_ledger(report)
    assert report["outcomes"]["scored"] == SAMPLES
    assert logs.lasting(report) == logs.lasting(calm.first.report)
    assert logs.outcomes(ended.log) == dict.fromkeys(logs.outcomes(calm.log), "scored")
    if case.faults:
        assert sum(ended.stats["faults"].values()) > 0
        assert report["retries"] == sum(ended.stats["faults"].values())
    assert report["requests"] == ended.stats["requests"]
    assert logs.final_report(ended.log) == report


STAYING: dict[str, tuple[Case, str]] = {
    "refusal": (Case([Fault("refusal", share=0.2, by="body")]), "refused"),
    "content filter": (Case([Fault("content_filter", share=0.2, by="body")]), "refused"),
    "empty": (Case([Fault("empty", share=0.2, by="body")]), "empty"),
    "null": (Case([Fault("null", share=0.2, by="body")]), "empty"),
    "no choices at all": (Case([Fault("wrong_shape", share=0.2, by="body", body={"choices": []})]), "empty"),
    "cut": (Case([Fault("length", share=0.2, by="body", text="Tr")]), "truncated"),
    "cut in thought": (Case([Fault("length", share=0.2, by="body", text="<think>Let me")]), "truncated"),
    "400 for some": (Case([Fault("context_length", share=0.2, by="body")]), "error"),
    "500 for some": (Case([Fault("server_error", share=0.2, by="body")], BOUNDED), "error"),
    "garbage for some": (Case([Fault("garbage", share=0.2, by="body")], BOUNDED), "error"),
    "hang for some": (Case([Fault("hang", share=0.1, by="body")], ("--timeout", 0.5, "--max_retries", 0)), "error"),
    "429 with a long wait": (Case([Fault("rate_limit", share=0.2, by="body", retry_after=86400)]), "error"),
    "401 for some, later": (Case([Fault("auth", share=0.2, by="body", after=10)], ("--concurrency", 2)), "error"),
    "judge says nothing": (
        Case([Fault("empty", share=0.5, by="body", when_contains="<submission>")], eval="BoolQ_fact"),
        "judge_failed",
    ),
    "judge is cut": (
        Case(
            [Fault("length", share=0.5, by="body", when_contains="<submission>", text="First,\nA submission that")],
            eval="BoolQ_fact",
        ),
        "judge_failed",
    ),
    "judge gets 500": (
        Case([Fault("server_error", share=0.5, by="body", when_contains="<submission>")], BOUNDED, eval="BoolQ_fact"),
        "judge_failed",
    ),
    "refusal before the judge": (
        Case([Fault("refusal", share=0.5, by="body")], eval="BoolQ_fact"),
        "refused",
    ),
}
"""Faults of some samples for good: these end in the outcome named, the others are scored."""


@pytest.fixture(scope="module")
def staying(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ended]:
    cases = {name: case for name, (case, _) in STAYING.items()}
    return perform_all(cases, tmp_path_factory.mktemp("staying"), resume=False)


@pytest.mark.parametrize("name", STAYING)
def test_a_sample_without_an_answer_is_never_a_wrong_answer(name: str, staying: dict[str, Ended]) -> None:
    ended, outcome = staying[name], STAYING[name][1]
    assert ended.first.code == 0, ended.first.err
    report = ended.first.report
    logs.check_ledger(report)
    found = logs.outcomes(ended.log)
    bad = [sample for sample, how in found.items() if how != "scored"]
    assert 0 < len(bad) < SAMPLES
    assert {found[sample] for sample in bad} <= {outcome, "judge_failed"}
    assert any(found[sample] == outcome for sample in bad)
    assert report["outcomes"]["scored"] == SAMPLES - len(bad)
    scored = [
        float(event["data"]["correct"])
        for event in logs.events(ended.log, "match")
        if found[event["sample_id"]] == "scored"
    ]
    if scored:
        metric = report["metrics"]["accuracy"]
        assert (metric["n"], metric["value"]) == (len(scored), pytest.approx(sum(scored) / len(scored)))
        assert metric["bounds"] == pytest.approx([sum(scored) / SAMPLES, (sum(scored) + len(bad)) / SAMPLES])
    matches = [float(event["data"]["correct"]) for event in logs.events(ended.log, "match")]
    if matches:
        assert report["accuracy"] == pytest.approx(sum(matches) / len(matches))


HOPELESS: dict[str, tuple[Case, str]] = {
    "100 % 500": (Case([Fault("server_error")], BOUNDED), "in a row"),
    "100 % hang": (Case([Fault("hang")], ("--timeout", 1, "--max_retries", 0, "--concurrency", 8)), "in a row"),
    "100 % reset": (Case([Fault("reset")], BOUNDED), "in a row"),
    "100 % garbage": (Case([Fault("garbage")], BOUNDED), "in a row"),
    "100 % 429": (Case([Fault("rate_limit", retry_after=0.1)], BOUNDED), "in a row"),
    "500 after a while": (Case([Fault("server_error", after=3)], ("--max_retries", 0, "--concurrency", 2)), "in a row"),
    "quota": (Case([Fault("quota")], ("--concurrency", 4)), "quota"),
    "quota after a while": (Case([Fault("quota", after=10)], ("--concurrency", 2)), "quota"),
}
"""Faults of everything: the run ends early and fails, and goes on later from its log."""


@pytest.fixture(scope="module")
def hopeless(tmp_path_factory: pytest.TempPathFactory, passing: dict[str, Ended]) -> dict[str, Ended]:
    cases = {name: case for name, (case, _) in HOPELESS.items()}
    return perform_all(cases, tmp_path_factory.mktemp("hopeless"), resume=True)


@pytest.mark.parametrize("name", HOPELESS)
def test_an_endpoint_that_always_fails_ends_the_run_early_and_resumably(
    name: str, hopeless: dict[str, Ended], passing: dict[str, Ended]
) -> None:
    _case, said = HOPELESS[name]
    ended = hopeless[name]
    assert ended.first.code == 1, ended.first.err
    report = ended.first.report
    logs.check_ledger(report)
    assert report["partial"] is True
    assert any(said in problem for problem in report["problems"]), report["problems"]
    assert report["outcomes"]["skipped"] > 0
    assert ended.again is not None
    assert ended.again.code == 0, ended.again.err
    assert logs.lasting(ended.again.report) == logs.lasting(passing["nothing"].first.report)
    assert set(logs.outcomes(ended.log)) == set(logs.outcomes(passing["nothing"].log))


IMPOSSIBLE: dict[str, tuple[Case, tuple[str, ...], int]] = {
    "wrong key": (Case([Fault("auth")], env={"OPENAI_API_KEY": "wrong-key-123456"}), ("401",), SAMPLES),
    "key wanted, none given": (Case(server={"api_key": "right-key-123456"}), ("401",), SAMPLES),
    "forbidden": (Case([Fault("forbidden")]), ("403",), SAMPLES),
    "no such model": (Case([Fault("not_found")]), ("404", "model", "Asked: http://127.0.0.1:"), SAMPLES),
    "judge's key wrong": (
        Case([Fault("auth", when_contains="<submission>")], eval="BoolQ_fact", args=("--concurrency", 4)),
        (),
        SAMPLES * 2,
    ),
    "unknown host": (
        Case(env={"OPENAI_BASE_URL": "http://no-such-host.invalid/v1"}),
        ("no-such-host.invalid", "OPENAI_BASE_URL"),
        0,
    ),
    "not an address": (Case(env={"OPENAI_BASE_URL": "localhost:8000/v1"}), ("http", "localhost:8000"), 0),
}


@pytest.fixture(scope="module")
def impossible(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ended]:
    cases = {name: case for name, (case, *_) in IMPOSSIBLE.items()}
    return perform_all(cases, tmp_path_factory.mktemp("impossible"), resume=False)


@pytest.mark.parametrize("name", [name for name in IMPOSSIBLE if name != "judge's key wrong"])
def test_a_run_that_cannot_begin_says_so_once_and_leaves_nothing_behind(
    name: str, impossible: dict[str, Ended]
) -> None:
    _, said, most = IMPOSSIBLE[name]
    ended = impossible[name]
    assert ended.first.code == 2, ended.first.err
    message = ended.first.message
    assert message.count("error:") == 1
    assert all(text in message for text in said), message
    assert ended.kept is None
    assert ended.stats["requests"] <= most


def test_a_key_refused_after_the_policy_has_answered_fails_samples_not_the_run(impossible: dict[str, Ended]) -> None:
    """Policy and judge share the endpoint, and that has answered: what is refused later is an error like any other."""
    ended = impossible["judge's key wrong"]
    assert ended.first.code == 1
    logs.check_ledger(ended.first.report)
    assert ended.first.report["outcomes"]["scored"] == 0


def test_connection_refused_ends_in_bounded_time(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        env = cli.environment(home, f"http://127.0.0.1:{port}/v1")
        log = home / "run.jsonl"
        ended = cli.run("mock-model", "BoolQ_match", "--json", "--record_path", log, "--max_retries", 2, env=env)
    assert ended.code == 1
    logs.check_ledger(ended.report)
    assert ended.report["outcomes"]["scored"] == 0
    told = f"in a row: cannot connect to 127.0.0.1:{port}: nothing listens there"
    assert any(told in problem for problem in ended.report["problems"])
    assert ended.seconds < 60


def test_no_sample_scored_says_why(loopback: LoopbackServer, home: Path) -> None:
    loopback.configure(faults=[Fault("context_length")])
    ended = cli.run(
        "mock-model", "test-match", "--json", "--record_path", home / "run.jsonl",
        env=cli.environment(home, loopback.base_url),
    )  # fmt: skip
    assert ended.code == 1
    assert any("no sample was scored: 10 error" in problem for problem in ended.report["problems"])
    assert any("context length" in problem for problem in ended.report["problems"]), ended.report["problems"]


@pytest.mark.parametrize(("most", "code"), [(0.05, 1), (1.0, 0)])
def test_max_invalid_decides_whether_missing_samples_fail_the_run(
    most: float, code: int, loopback: LoopbackServer, home: Path
) -> None:
    loopback.configure(faults=[Fault("empty", every=5)])
    ended = cli.run(
        "mock-model", "test-match", "--json", "--max_invalid", most, "--record_path", home / "run.jsonl",
        env=cli.environment(home, loopback.base_url),
    )  # fmt: skip
    assert ended.code == code
    assert ended.report["outcomes"] | {"empty": 2, "scored": 8} == ended.report["outcomes"]
    assert ("problems" in ended.report) == bool(code)


@pytest.mark.parametrize("reasoning", ["think_tags", "reasoning_content"])
def test_reasoning_is_kept_and_never_scored(reasoning: str, loopback: LoopbackServer, home: Path) -> None:
    loopback.configure(answer="True", reasoning=reasoning, reasoning_text="False, I thought at first.")
    log = home / "run.jsonl"
    ended = cli.run(
        "mock-model", "BoolQ_match", "--max_samples", 5, "--json", "--record_path", log,
        env=cli.environment(home, loopback.base_url),
    )  # fmt: skip
    assert ended.report["outcomes"]["scored"] == 5
    assert {event["data"]["sampled"] for event in logs.events(log, "match")} == {"True"}
    for event in logs.events(log, "sampling"):
        assert event["data"]["sampled"] == ["True"]
        assert event["data"]["reasoning"] == "False, I thought at first."


def test_all_thought_and_no_answer_is_empty_not_wrong(loopback: LoopbackServer, home: Path) -> None:
    loopback.configure(answer="<think>True? False? True?")
    ended = cli.run(
        "mock-model", "BoolQ_match", "--max_samples", 5, "--json", "--record_path", home / "run.jsonl",
        env=cli.environment(home, loopback.base_url),
    )  # fmt: skip
    assert ended.code == 1
    assert ended.report["outcomes"]["empty"] == 5


def test_a_judge_that_names_no_choice_is_counted_as_upstream_does_and_reported_as_failed(
    loopback: LoopbackServer, home: Path
) -> None:
    loopback.configure(rules=[{"contains": "<submission>", "answer": "I cannot tell."}])
    ended = cli.run(
        "mock-model", "BoolQ_fact", "--max_samples", 6, "--json", "--record_path", home / "run.jsonl",
        env=cli.environment(home, loopback.base_url),
    )  # fmt: skip
    assert ended.code == 1
    assert ended.report["counts/__invalid__"] == 6
    assert ended.report["outcomes"]["judge_failed"] == 6
    assert all(metric["n"] == 0 for metric in ended.report["metrics"].values())


# -- the disk -----------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 kB; where this user may not make one, the test is skipped (the next one is for everybody)."""
    with disks.mounted(tmp_path / "disk", "size=64k") as folder:
        yield folder


def _limit_file_size() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))


def _fills_up(loopback: LoopbackServer, home: Path, log: Path, preexec: Callable[[], None] | None) -> cli.Finished:
    ended = cli.run(
        "mock-model", "BoolQ_match", "--json", "--record_path", log,
        env=cli.environment(home, loopback.base_url), preexec=preexec,
    )  # fmt: skip
    assert ended.code == 1, ended.err
    logs.check_ledger(ended.report)
    assert ended.report["partial"] is True
    assert 0 < ended.report["outcomes"]["scored"] < 132
    assert len(logs.outcomes(log)) == ended.report["outcomes"]["scored"]
    return ended


def _goes_on(loopback: LoopbackServer, home: Path, log: Path) -> None:
    env = cli.environment(home, loopback.base_url)
    again = cli.run("mock-model", "BoolQ_match", "--json", "--record_path", log, env=env)
    calm = cli.run("mock-model", "BoolQ_match", "--json", "--record_path", home / "calm.jsonl", env=env)
    assert (again.code, calm.code) == (0, 0)
    assert logs.lasting(again.report) == logs.lasting(calm.report)
    assert logs.outcomes(log) == logs.outcomes(home / "calm.jsonl")


def test_a_full_disk_keeps_what_is_there_and_the_run_goes_on_when_there_is_room(
    small_disk: Path, loopback: LoopbackServer, home: Path
) -> None:
    log = small_disk / "run.jsonl"
    ended = _fills_up(loopback, home, log, None)
    assert any("the disk is full" in problem for problem in ended.report["problems"])
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    _goes_on(loopback, home, log)


def test_a_limit_of_the_file_size_is_met_in_the_same_way(loopback: LoopbackServer, home: Path) -> None:
    log = home / "run.jsonl"
    ended = _fills_up(loopback, home, log, _limit_file_size)
    assert any("cannot write the log" in problem for problem in ended.report["problems"])
    _goes_on(loopback, home, log)


def test_a_disk_that_is_full_from_the_start_costs_no_request(loopback: LoopbackServer, home: Path) -> None:
    ended = cli.run(
        "mock-model", "BoolQ_match", "--record_path", "/dev/full", env=cli.environment(home, loopback.base_url)
    )
    assert ended.code == 1
    assert "the disk is full" in ended.message
    assert Path("/dev/full").exists()
    assert loopback.stats()["requests"] == 0
