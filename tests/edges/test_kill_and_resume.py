"""Runs that are killed, and logs that are given again: nothing is asked twice, nothing is lost, nothing is mixed up."""

from __future__ import annotations

import os
import random
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from support import cli, logs
from support.registries import match_registry, registry, rows

from aigc_evals.testing import Fault, LoopbackServer

COUNT = 300
CONCURRENCY = 8
KILLS = 20


def test_twenty_kills_change_nothing_and_cost_at_most_what_was_in_flight(tmp_path: Path, home: Path) -> None:
    paths = match_registry(tmp_path / "registry", COUNT)
    log, calm_log = home / "run.jsonl", home / "calm.jsonl"
    moments = sorted(random.Random(7).sample(range(1, COUNT - CONCURRENCY), KILLS))
    lost: list[int] = []
    with LoopbackServer(latency=0.02, jitter=0.03) as server:
        env = cli.environment(home, server.base_url)
        command = ["mock-model", "many", "--registry_path", paths, "--concurrency", CONCURRENCY, "--json"]
        calm = cli.run(*command, "--record_path", calm_log, env=env)
        assert calm.code == 0, calm.err
        server.reset()
        for moment in moments:
            process = cli.start(*command, "--record_path", log, env=env)
            logs.wait_for_samples(log, moment)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            assert process.returncode == -signal.SIGKILL
            lost.append(server.stats()["distinct"] - logs.finished_samples(log))
        last = cli.run(*command, "--record_path", log, env=env)
        stats = server.stats()
    assert last.code == 0, last.err
    assert logs.lasting(last.report) == logs.lasting(calm.report)
    assert logs.outcomes(log) == logs.outcomes(calm_log)
    assert len(logs.outcomes(log)) == COUNT
    ids = [event["event_id"] for event in logs.events(log)]
    assert ids == list(range(len(ids)))
    print(f"in flight at the kills: {lost}, repeated requests: {stats['repeats']}")
    assert max(lost) <= CONCURRENCY
    assert stats["distinct"] == COUNT
    assert stats["repeats"] <= sum(lost)


# -- logs that belong to something else -----------------------------------------------------------------------------


@pytest.fixture
def finished(loopback: LoopbackServer, home: Path, tmp_path: Path) -> tuple[list[object], dict[str, str], Path]:
    """A command with its environment, and the log of its finished run."""
    paths = registry(
        tmp_path / "registry",
        {
            "evals/some.yaml": """
                some: {id: some.dev.v0, metrics: [accuracy]}
                some.dev.v0:
                  class: aigc_evals.elsuite.basic.match:Match
                  args: {samples_jsonl: some.jsonl}
                other: {id: other.dev.v0}
                other.dev.v0:
                  class: aigc_evals.elsuite.basic.match:Match
                  args: {samples_jsonl: some.jsonl}
            """
        },
        {"some.jsonl": rows(12)},
    )
    log = home / "run.jsonl"
    env = cli.environment(home, loopback.base_url)
    command: list[object] = ["mock-model", "some", "--registry_path", paths, "--json", "--record_path", log]
    assert cli.run(*command, env=env).code == 0
    loopback.reset()
    return command, env, log


OTHER: dict[str, tuple[list[object], str]] = {
    "eval": (["mock-model", "other"], "eval_name was"),
    "model": (["other-model", "some"], "completion_fns was"),
    "seed": (["mock-model", "some", "--seed", 1], "seed was"),
    "max_samples": (["mock-model", "some", "--max_samples", 3], "max_samples was"),
    "eval's arguments": (["mock-model", "some", "--extra_eval_params", "max_tokens=7"], "args.max_tokens was"),
    "function's arguments": (["mock-model", "some", "--completion_args", "timeout=7"], "completion_args.timeout was"),
}


@pytest.mark.parametrize("name", OTHER)
def test_a_log_of_another_run_is_refused_and_left_as_it_is(
    name: str, finished: tuple[list[object], dict[str, str], Path], loopback: LoopbackServer
) -> None:
    command, env, log = finished
    start, said = OTHER[name]
    before = log.read_bytes()
    ended = cli.run(*start, *command[2:], env=env)
    assert ended.code == 2
    assert said in ended.message
    assert str(log) in ended.message
    assert log.read_bytes() == before
    assert loopback.stats()["requests"] == 0


def test_a_log_of_other_data_is_refused_and_left_as_it_is(
    finished: tuple[list[object], dict[str, str], Path], loopback: LoopbackServer, tmp_path: Path
) -> None:
    command, env, log = finished
    before = log.read_bytes()
    data = tmp_path / "registry/data/some.jsonl"
    data.write_bytes(data.read_bytes().replace(b"Question 3", b"Question three"))
    ended = cli.run(*command, env=env)
    assert ended.code == 2
    assert "data.samples.sha256 was" in ended.message
    assert log.read_bytes() == before
    assert loopback.stats()["requests"] == 0


@pytest.mark.parametrize("content", [b"my diary\n", b"[1, 2]\n", b'{"a": 1}\n', b"\x00\x01\x02", b"{\n"])
def test_a_file_that_is_no_log_is_refused_and_left_as_it_is(
    content: bytes, finished: tuple[list[object], dict[str, str], Path], loopback: LoopbackServer
) -> None:
    command, env, log = finished
    log.write_bytes(content)
    ended = cli.run(*command, env=env)
    assert ended.code == 2
    assert "not a log" in ended.message
    assert log.read_bytes() == content
    assert loopback.stats()["requests"] == 0


def test_a_finished_log_given_again_asks_nothing_and_shows_the_same(
    finished: tuple[list[object], dict[str, str], Path], loopback: LoopbackServer
) -> None:
    command, env, log = finished
    before = log.read_bytes()
    again = cli.run(*command, env=env)
    assert again.code == 0
    assert again.report == logs.final_report(log)
    assert log.read_bytes() == before
    assert loopback.stats()["requests"] == 0


@pytest.mark.parametrize("keep", [1, 5, 40])
def test_a_first_line_that_was_cut_off_is_begun_anew(
    keep: int, finished: tuple[list[object], dict[str, str], Path]
) -> None:
    command, env, log = finished
    log.write_bytes(log.read_bytes()[:keep])
    assert cli.run(*command, env=env).code == 0
    assert len(logs.outcomes(log)) == 12


def test_a_log_that_is_being_written_is_refused(
    finished: tuple[list[object], dict[str, str], Path], loopback: LoopbackServer
) -> None:
    command, env, log = finished
    log.unlink()
    loopback.configure(faults=[Fault("hang", after=4)])
    first = cli.start(*command, "--concurrency", 2, env=env)
    try:
        logs.wait_for_samples(log, 4)
        second = cli.run(*command, env=env)
    finally:
        first.kill()
        first.communicate()
    assert second.code == 2
    assert "another run is writing" in second.message


def test_moved_data_are_the_same_data(
    finished: tuple[list[object], dict[str, str], Path], loopback: LoopbackServer, tmp_path: Path
) -> None:
    command, env, _log = finished
    shutil.move(tmp_path / "registry", tmp_path / "elsewhere")
    moved = [tmp_path / "elsewhere" if part == tmp_path / "registry" else part for part in command]
    again = cli.run(*moved, env=env)
    assert again.code == 0, again.err
    assert loopback.stats()["requests"] == 0


# -- --resume and --retry_errors --------------------------------------------------------------------------------------


def interrupted_log(command: list[object], env: dict[str, str], folder: Path, samples: int) -> Path:
    """Start a command whose server hangs after ``samples`` answers, kill it, and return the log it has made."""
    known = set(folder.glob("*.jsonl")) if folder.exists() else set()
    process = cli.start(*command, env=env)
    while process.poll() is None:
        new = [path for path in folder.glob("*.jsonl") if path not in known] if folder.exists() else []
        if new:
            logs.wait_for_samples(new[0], samples)
            break
    process.kill()
    process.communicate()
    (path,) = new
    return path


def test_resume_without_a_path_takes_the_newest_unfinished_log(loopback: LoopbackServer, home: Path) -> None:
    env = cli.environment(home, loopback.base_url)
    folder = Path(env["TMPDIR"]) / "evallogs"
    command: list[object] = ["mock-model", "test-match", "--json", "--concurrency", 1]
    loopback.configure(faults=[Fault("hang", after=3)])
    interrupted_log(command, env, folder, 3)
    loopback.reset()
    newest = interrupted_log(command, env, folder, 3)
    loopback.configure(faults=[])
    loopback.reset()
    assert cli.run(*command, env=env).code == 0
    done = cli.run("mock-model", "test-includes", "--json", env=env)
    assert done.code == 0
    loopback.reset()
    resumed = cli.run(*command, "--resume", env=env)
    assert resumed.code == 0, resumed.err
    assert loopback.stats()["requests"] == 7
    assert str(newest) in resumed.err
    assert len(logs.outcomes(newest)) == 10
    assert len(list(folder.glob("*.jsonl"))) == 4


def test_resume_with_nothing_to_resume_says_so_and_starts(loopback: LoopbackServer, home: Path) -> None:
    ended = cli.run("mock-model", "test-match", "--resume", "--json", env=cli.environment(home, loopback.base_url))
    assert ended.code == 0
    assert "no unfinished log" in ended.err
    assert ended.report["planned"] == 10


def test_retry_errors_asks_again_what_failed_and_nothing_else(loopback: LoopbackServer, home: Path) -> None:
    env = cli.environment(home, loopback.base_url)
    log, calm_log = home / "run.jsonl", home / "calm.jsonl"
    command = ["mock-model", "test-match", "--json", "--max_retries", 0, "--record_path"]
    calm = cli.run(*command, calm_log, env=env)
    loopback.configure(faults=[Fault("server_error", share=0.4, by="body"), Fault("empty", share=0.5, by="body")])
    first = cli.run(*command, log, env=env)
    failed = first.report["outcomes"]["error"]
    empty = first.report["outcomes"]["empty"]
    assert failed
    assert empty
    log.chmod(0o640)
    loopback.configure(faults=[])
    loopback.reset()
    plain = cli.run(*command, log, env=env)
    assert (plain.report, loopback.stats()["requests"]) == (first.report, 0)
    again = cli.run(*command, log, "--retry_errors", env=env)
    assert again.code == 0
    assert loopback.stats()["requests"] == failed
    assert again.report["outcomes"]["empty"] == empty
    assert again.report["outcomes"]["error"] == 0
    assert set(logs.outcomes(log)) == set(logs.outcomes(calm_log))
    assert again.report["planned"] == calm.report["planned"]
    assert log.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in home.glob("run*")] == ["run.jsonl"]


def test_a_judge_that_failed_is_asked_again_too(loopback: LoopbackServer, home: Path) -> None:
    env = cli.environment(home, loopback.base_url)
    judge = {"contains": "<submission>", "answer": "C"}
    command = ["mock-model", "BoolQ_fact", "--max_samples", 8, "--json", "--max_retries", 0]
    command += ["--record_path", str(home / "run.jsonl")]
    loopback.configure(
        rules=[judge], faults=[Fault("server_error", when_contains="<submission>", share=0.5, by="body")]
    )
    first = cli.run(*command, env=env)
    failed = first.report["outcomes"]["judge_failed"]
    assert 0 < failed < 8
    assert first.report["invalid_request_during_evaluation"] == failed
    loopback.configure(faults=[])
    again = cli.run(*command, "--retry_errors", env=env)
    assert again.report["outcomes"]["scored"] == 8
    assert again.report["counts/C"] == 8


def test_an_eval_set_goes_on_where_it_was_killed(loopback: LoopbackServer, home: Path, tmp_path: Path) -> None:
    paths = match_registry(tmp_path / "registry", 12, "one")
    match_registry(paths, 12, "two")
    registry(paths, {"eval_sets/both.yaml": "both: {evals: [one, two]}\n"})
    env = cli.environment(home, loopback.base_url)
    folder = home / "logs"
    command: list[object] = ["mock-model", "both", "--registry_path", paths, "--record_path", folder]
    command += ["--concurrency", 1]
    loopback.configure(faults=[Fault("hang", after=17)])
    process = cli.start(*command, env=env, program=cli.SET)
    second: list[Path] = []
    while process.poll() is None and not second:
        second = list(folder.glob("*two*.jsonl")) if folder.exists() else []
    logs.wait_for_samples(second[0], 5)
    process.kill()
    process.communicate()
    loopback.configure(faults=[])
    loopback.reset()
    ended = cli.run(*command, env=env, program=cli.SET)
    assert ended.code == 0, ended.err
    assert loopback.stats()["requests"] == 7
    assert sorted(len(logs.outcomes(path)) for path in folder.glob("*.jsonl")) == [12, 12]
    loopback.reset()
    again = cli.run(*command, env=env, program=cli.SET)
    assert again.code == 0
    assert "2 evals were finished before" in again.err
    assert loopback.stats()["requests"] == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="POSIX only")
def test_two_different_function_sets_do_not_share_a_log(loopback: LoopbackServer, home: Path) -> None:
    env = cli.environment(home, loopback.base_url)
    results: list[dict[str, Any]] = []
    for model in ("mock-model", "mock-model-2"):
        ended = cli.run(model, "test-match", "--json", "--resume", env=env)
        assert ended.code == 0
        results.append(ended.report)
    assert len(list((Path(env["TMPDIR"]) / "evallogs").glob("*.jsonl"))) == 2
