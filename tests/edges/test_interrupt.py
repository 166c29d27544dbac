"""A person stops a run: at once, with what there is, and nothing lost."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import cli, logs
from support.registries import match_registry, registry, rows

from aigc_evals.testing import Fault, LoopbackServer

COUNT = 24
AT_ONCE = 15.0
"""Seconds: far less than the functions below would sleep, far more than an end takes on a machine with other work."""

FUNCTIONS = """
import asyncio, os, pathlib, time

def number():
    # How many calls there have been, this one included.
    folder = pathlib.Path(os.environ["CALLS"])
    for i in range(1, 1000):
        try:
            os.close(os.open(folder / str(i), os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            continue
        return i

def blocking(prompt, **kwargs):
    if number() > 4:
        time.sleep(30)
    return "True"

async def hanging(prompt, **kwargs):
    if number() > 4:
        await asyncio.sleep(30)
    return "True"

class Stubborn:
    async def acall(self, prompt, **kwargs):
        if number() > 4:
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                await asyncio.sleep(30)
        return "True"

    def __call__(self, prompt, **kwargs):
        raise AssertionError
"""
PLAIN_EVAL = """
import aigc_evals as evals
from aigc_evals.record import record_match
import time, os, pathlib

class Plain(evals.Eval):
    def eval_sample(self, sample, rng):
        answer = self.completion_fn(prompt=sample["input"]).get_completions()[0]
        record_match(answer == sample["ideal"], expected=sample["ideal"], picked=answer)

    def run(self, recorder):
        self.eval_all_samples(recorder, self.get_samples())
        return {"accuracy": evals.metrics.get_accuracy(recorder.get_events("match"))}
"""


@pytest.fixture(params=["uvloop", "asyncio"])
def loop(request: pytest.FixtureRequest, home: Path) -> dict[str, str]:
    """The environment of a machine with uvloop, and of one without."""
    if request.param == "uvloop":
        return {}
    hidden = home / "hidden" / "uvloop"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text("raise ImportError('hidden by the test')\n")
    return {"PYTHONPATH": str(hidden.parent)}


@pytest.fixture
def place(tmp_path: Path, home: Path) -> Path:
    """A folder with a registry, functions that block, and a place where these note their calls."""
    match_registry(tmp_path / "registry", COUNT)
    registry(
        tmp_path / "registry",
        {
            "evals/plain.yaml": """
                plain: {id: plain.dev.v0}
                plain.dev.v0: {class: "plain_eval:Plain", args: {samples_jsonl: plain.jsonl}}
            """
        },
        {"plain.jsonl": rows(COUNT)},
    )
    (tmp_path / "functions.py").write_text(FUNCTIONS)
    (tmp_path / "plain_eval.py").write_text(PLAIN_EVAL)
    (tmp_path / "calls").mkdir()
    return tmp_path


def stop(process: subprocess.Popen[str], number: int = signal.SIGINT) -> cli.Finished:
    """Send a signal and time the end."""
    began = time.monotonic()
    process.send_signal(number)
    return cli.finish(process, timeout=20, began=began)


def check_partial(ended: cli.Finished, log: Path, planned: int = COUNT) -> None:
    assert ended.code == 130, ended.err
    assert ended.seconds < AT_ONCE
    report = ended.report
    logs.check_ledger(report)
    assert report["partial"] is True
    assert report["planned"] == planned
    assert report["outcomes"]["scored"] == logs.finished_samples(log) > 0
    assert report["outcomes"]["skipped"] == planned - report["outcomes"]["scored"]
    assert logs.final_report(log) == report
    assert "partial" in ended.err


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_one_signal_ends_the_run_within_a_second_and_it_can_go_on(
    name: str, loop: dict[str, str], loopback: LoopbackServer, place: Path, home: Path
) -> None:
    log = home / "run.jsonl"
    env = cli.environment(home, loopback.base_url, **loop)
    command: list[object] = [
        "mock-model",
        "many",
        "--registry_path",
        place / "registry",
        "--json",
        "--record_path",
        log,
    ]
    loopback.configure(answer="True", faults=[Fault("hang", after=5)])
    process = cli.start(*command, "--concurrency", 4, env=env)
    logs.wait_for_samples(log, 5)
    check_partial(stop(process, getattr(signal, name)), log)
    loopback.configure(faults=[])
    loopback.reset()
    again = cli.run(*command, env=env)
    assert again.code == 0
    assert again.report["partial"] is False
    assert again.report["accuracy"] == 1.0
    assert len(logs.outcomes(log)) == COUNT
    assert loopback.stats()["requests"] == COUNT - 5


@pytest.mark.parametrize("function", ["blocking", "hanging", "Stubborn"])
def test_functions_that_sleep_do_not_hold_up_the_end(
    function: str, loop: dict[str, str], place: Path, home: Path
) -> None:
    log = home / "run.jsonl"
    env = cli.environment(home, CALLS=str(place / "calls"), **loop)
    process = cli.start(
        f"{place / 'functions.py'}:{function}", "many", "--registry_path", place / "registry", "--json",
        "--record_path", log, "--concurrency", 2, env=env,
    )  # fmt: skip
    logs.wait_for_samples(log, 4)
    ended = stop(process)
    if function == "Stubborn":
        # It asks for a second look at each of its two cancellations; both are bounded.
        assert ended.code == 130
        assert ended.seconds < AT_ONCE
    else:
        check_partial(ended, log)


def test_plain_evals_over_plain_functions_end_at_once_too(place: Path, home: Path) -> None:
    log = home / "run.jsonl"
    env = cli.environment(home, CALLS=str(place / "calls"), PYTHONPATH=str(place))
    process = cli.start(
        f"{place / 'functions.py'}:blocking", "plain", "--registry_path", place / "registry", "--json",
        "--record_path", log, "--concurrency", 2, env=env,
    )  # fmt: skip
    logs.wait_for_samples(log, 4)
    check_partial(stop(process), log)


def test_an_eval_whose_own_report_needs_what_is_missing_still_gives_the_partial_one(place: Path, home: Path) -> None:
    """Nothing has been scored yet, and the eval divides by the number of scores."""
    log = home / "run.jsonl"
    for i in range(1, 6):
        (place / "calls" / str(i)).touch()
    (place / "plain_eval.py").write_text(PLAIN_EVAL.replace("evals.metrics.get_accuracy(", "1 / len("))
    env = cli.environment(home, CALLS=str(place / "calls"), PYTHONPATH=str(place))
    process = cli.start(
        f"{place / 'functions.py'}:blocking", "plain", "--registry_path", place / "registry", "--json",
        "--record_path", log, "--concurrency", 2, env=env,
    )  # fmt: skip
    while len(list((place / "calls").iterdir())) < 7:
        assert process.poll() is None
        time.sleep(0.01)
    ended = stop(process)
    assert ended.code == 130, ended.err
    assert ended.report["outcomes"]["skipped"] == COUNT
    assert any("ZeroDivisionError" in problem for problem in ended.report["problems"])


def test_a_second_signal_quits_at_once(place: Path, home: Path) -> None:
    log = home / "run.jsonl"
    env = cli.environment(home, CALLS=str(place / "calls"))
    process = cli.start(
        f"{place / 'functions.py'}:Stubborn", "many", "--registry_path", place / "registry", "--json",
        "--record_path", log, "--concurrency", 2, env=env,
    )  # fmt: skip
    logs.wait_for_samples(log, 4)
    process.send_signal(signal.SIGINT)
    time.sleep(0.1)  # two signals of one number that are both pending are one
    ended = stop(process)
    assert ended.code == 130
    assert ended.seconds < AT_ONCE
    assert len(logs.events(log, "sample")) == 4


def test_a_run_started_with_nohup_outlives_its_terminal(loopback: LoopbackServer, place: Path, home: Path) -> None:
    log = home / "run.jsonl"
    loopback.configure(answer="True", latency=0.02)
    process = cli.start(
        "mock-model", "many", "--registry_path", place / "registry", "--json", "--record_path", log,
        "--concurrency", 2, env=cli.environment(home, loopback.base_url),
        preexec=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )  # fmt: skip
    logs.wait_for_samples(log, 2)
    ended = stop(process, signal.SIGHUP)
    assert ended.code == 0
    assert ended.report["outcomes"]["scored"] == COUNT


# -- a terminal that goes away ----------------------------------------------------------------------------------------


@pytest.fixture
def pipe() -> Iterator[int]:
    """The writing end of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@pytest.mark.parametrize("stream", ["stdout", "stderr", "both"])
@pytest.mark.parametrize("flags", [(), ("--json",), ("--dry-run",)])
def test_nobody_reading_does_not_lose_the_run(
    stream: str, flags: tuple[str, ...], pipe: int, loopback: LoopbackServer, home: Path
) -> None:
    log = home / "run.jsonl"
    streams: dict[str, Any] = {name: pipe for name in ("stdout", "stderr") if stream in (name, "both")}
    process = cli.start(
        "mock-model",
        "test-match",
        "--record_path",
        log,
        *flags,
        env=cli.environment(home, loopback.base_url),
        **streams,
    )
    ended = cli.finish(process)
    assert ended.code == 0, ended
    assert "Traceback" not in ended.err
    assert "Exception ignored" not in ended.err
    if "--dry-run" not in flags:
        assert logs.final_report(log) is not None
        assert len(logs.outcomes(log)) == 10


def test_streams_that_were_never_open_do_not_lose_the_run(loopback: LoopbackServer, home: Path) -> None:
    log = home / "run.jsonl"

    def close_all() -> None:
        for number in (0, 1, 2):
            os.close(number)

    env = cli.environment(home, loopback.base_url)
    process = cli.start("mock-model", "test-match", "--record_path", log, env=env, preexec=close_all)
    process.wait(30)
    assert process.returncode == 0
    assert len(logs.outcomes(log)) == 10


def test_only_the_first_line_is_read(loopback: LoopbackServer, home: Path) -> None:
    log = home / "run.jsonl"
    env = cli.environment(home, loopback.base_url)
    piped = subprocess.run(
        ["bash", "-c", f"{cli.BIN / cli.RUN} mock-model test-match --record_path {log} | head -1; echo ${{PIPESTATUS[0]}}"],
        env=env, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert piped.stdout.splitlines()[-1] == "0", piped
    assert piped.stderr == ""
    assert len(logs.outcomes(log)) == 10


def test_a_terminal_that_closes_ends_the_run_in_order(loopback: LoopbackServer, place: Path, home: Path) -> None:
    """The progress bar is on a real terminal, which goes away in the middle of the run."""
    log = home / "run.jsonl"
    env = cli.environment(home, loopback.base_url, TERM="xterm")
    command: list[object] = ["mock-model", "many", "--registry_path", place / "registry", "--record_path", log]
    loopback.configure(answer="True", faults=[Fault("hang", after=5)])
    ours, theirs = pty.openpty()
    process = cli.start(*command, env=env, stdout=theirs, stderr=theirs)
    os.close(theirs)
    logs.wait_for_samples(log, 5)
    os.close(ours)
    process.send_signal(signal.SIGHUP)
    assert process.wait(10) == 130
    report = logs.final_report(log)
    assert report is not None
    assert report["partial"] is True
    loopback.configure(faults=[])
    again = cli.run(*command, "--json", env=env)
    assert again.report["outcomes"]["scored"] == COUNT


@pytest.mark.parametrize("size", [(0, 0), (24, 0), (24, 100)])
def test_a_terminal_shows_how_the_run_gets_on_whatever_it_knows_of_its_size(
    size: tuple[int, int], place: Path, home: Path
) -> None:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    process = cli.start(
        "dummy", "many", "--registry_path", place / "registry", env=cli.environment(home), stderr=slave,
    )  # fmt: skip
    os.close(slave)
    cli.finish(process)
    assert f"{COUNT}/{COUNT}" in os.read(master, 1 << 16).decode()
    os.close(master)
