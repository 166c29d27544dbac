"""The tools as a user runs them: real processes over real logs, of a model behind HTTP and of functions."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from scipy import stats
from support import cli
from support.cli import Finished
from support.logs import events, wait_for_samples
from support.registries import match_registry

from aigc_evals.testing import LoopbackServer

ANSWERS = """
import time


def number(prompt):
    return int("".join(c for c in str(prompt) if c.isdigit()))


def strong(prompt, **kwargs):
    return "True" if number(prompt) % 10 else "错"


def weak(prompt, **kwargs):
    return "True" if number(prompt) % 3 else "不知道"


def slow(prompt, **kwargs):
    time.sleep(0.05)
    return "True"
"""


@pytest.fixture
def work(home: Path) -> Path:
    """A home with a registry of 90 samples, and functions of known quality."""
    match_registry(home / "registry", 90)
    (home / "answers.py").write_text(ANSWERS, encoding="utf-8")
    return home


def evaluated(home: Path, fn: str, name: str, *more: object, **environment: str) -> Finished:
    return cli.run(
        fn,
        "many",
        "--registry_path",
        "registry",
        "--record_path",
        name,
        *more,
        env=cli.environment(home, **environment),
    )


def tool(home: Path, *args: object, **environment: str) -> Finished:
    return cli.run(*args, env=cli.environment(home, **environment), program="aigc_evals")


def test_two_real_logs_are_compared(work: Path) -> None:
    assert evaluated(work, "answers.py:weak", "weak.jsonl").code == 0
    assert evaluated(work, "answers.py:strong", "strong.jsonl").code == 0
    done = tool(work, "compare", "weak.jsonl", "strong.jsonl", "--json")
    found = json.loads(done.out)["metrics"]["accuracy"]
    wins = sum(1 for i in range(90) if i % 3 == 0 and i % 10)
    losses = sum(1 for i in range(90) if i % 3 and not i % 10)
    assert (found["wins"], found["losses"], found["n"]) == (wins, losses, 90)
    assert found["difference"] == pytest.approx((wins - losses) / 90)
    assert found["p_exact"] == pytest.approx(stats.binomtest(wins, wins + losses).pvalue)
    assert found["low"] < found["difference"] < found["high"]
    assert found["verdict"] == "better"
    shown = tool(work, "compare", "weak.jsonl", "strong.jsonl", "--flips", 2, "--margin", 0.5)
    assert (shown.code, shown.err) == (0, "")
    for part in ("(baseline)", "B won 27, lost 6, tied 57", "no difference within the margin", "错", "many.dev.10"):
        assert part in shown.out, part


def test_the_same_run_twice_is_not_called_different(work: Path) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        evaluated(work, "answers.py:strong", name)
    found = json.loads(tool(work, "compare", "a.jsonl", "b.jsonl", "--json").out)
    assert found["metrics"]["accuracy"]["verdict"] == "inconclusive"
    assert found["metrics"]["accuracy"]["high"] > 0
    assert found["differences"] == []


def test_a_mistake_is_one_message(work: Path) -> None:
    evaluated(work, "answers.py:strong", "a.jsonl")
    for args in (
        ("compare", "a.jsonl", "没有.jsonl"),
        ("compare", "a.jsonl", "a.jsonl", "--metric", "akkuracy"),
        ("report", "answers.py"),
        ("report", "a.jsonl", "--format", "pdf"),
        ("samples", "a.jsonl", "--id", "4711"),
        ("score", "a.jsonl", "--class", "nowhere:Class"),
        ("score", "a.jsonl", "--arg", "x"),
    ):
        done = tool(work, *args)
        assert done.code == 2, args
        assert done.message.startswith("error: "), args


def test_a_run_that_was_killed_has_a_report(work: Path) -> None:
    process = cli.start(
        "answers.py:slow",
        "many",
        "--registry_path",
        "registry",
        "--record_path",
        "killed.jsonl",
        "--concurrency",
        2,
        env=cli.environment(work),
    )
    wait_for_samples(work / "killed.jsonl", 6)
    os.kill(process.pid, signal.SIGKILL)
    cli.finish(process)
    done = tool(work, "report", "killed.jsonl", "--format", "json")
    report = json.loads(done.out)["report"]
    assert report["partial"] is True
    assert report["outcomes"]["scored"] + report["outcomes"]["skipped"] == report["planned"] == 90
    assert 6 <= report["outcomes"]["scored"] < 90
    assert "partial" in tool(work, "report", "killed.jsonl").out
    assert tool(work, "report", "killed.jsonl", "killed.jsonl", "--format", "csv").out.count("partial") == 2


def test_samples_go_into_a_pipe_as_they_are_and_are_wrapped_on_a_terminal(work: Path) -> None:
    evaluated(work, "answers.py:weak", "a.jsonl")
    done = tool(work, "samples", "a.jsonl", "--wrong", "--limit", 0, "--json")
    found = [json.loads(line) for line in done.out.splitlines()]
    assert (len(found), {one["answer"] for one in found}) == (30, {"不知道"})
    env = cli.environment(work)
    piped = subprocess.run(
        ["bash", "-c", "aigc_evals samples a.jsonl --limit 0 | head -n 3; echo ${PIPESTATUS[0]}"],
        env={**env, "PATH": f"{cli.BIN}:{env.get('PATH', os.defpath)}"},
        cwd=work,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert piped.stdout.splitlines()[-1] == "0"
    assert "Traceback" not in piped.stderr
    ours, theirs = pty.openpty()
    process = cli.start(
        "samples", "a.jsonl", "--id", "3", env={**env, "COLUMNS": "34"}, program="aigc_evals", stdout=theirs
    )
    os.close(theirs)
    assert process.wait(30) == 0
    text = os.read(ours, 65536).decode()
    os.close(ours)
    assert max(len(line) for line in text.splitlines()[1:]) <= 34
    assert "不知道" in text


def test_a_log_of_a_real_endpoint_is_scored_again_without_it(work: Path, loopback: LoopbackServer) -> None:
    first = evaluated(work, "some-model", "asked.jsonl", OPENAI_BASE_URL=loopback.base_url)
    assert first.code == 0
    asked = loopback.stats()["requests"]
    done = tool(work, "score", "asked.jsonl", "--record_path", "again.jsonl", "--json")
    report: dict[str, Any] = done.report
    assert loopback.stats()["requests"] == asked
    assert (report["requests"], report["cache_hits"]) == (0, 90)
    other = tool(
        work,
        "score",
        "asked.jsonl",
        "--class",
        "aigc_evals.elsuite.basic.includes:Includes",
        "--arg",
        "ignore_case=true",
        "--record_path",
        "other.jsonl",
    )
    assert other.code == 0
    assert "note: cls was" in other.err
    replayed = {event["sample_id"]: event["data"]["sampled"] for event in events(work / "other.jsonl", "sampling")}
    assert replayed == {
        event["sample_id"]: event["data"]["sampled"] for event in events(work / "asked.jsonl", "sampling")
    }


def test_a_build_learns_what_came_of_a_run(work: Path) -> None:
    summary = work / "summary.md"
    more = ("--junit", "out/junit.xml", "--fail-under", "accuracy=0.8", "--fail-under", "准确率=1")
    done = evaluated(work, "answers.py:weak", "a.jsonl", *more, GITHUB_STEP_SUMMARY=str(summary))
    assert done.code == 1
    assert "accuracy is 0.6667, below the 0.8 that --fail-under asks" in done.out
    suite = ElementTree.parse(work / "out" / "junit.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")
    assert "there is no metric 准确率" in (suite.findtext("testcase/failure") or "")
    assert "| accuracy | 0.6667 | 90 |" in summary.read_text(encoding="utf-8")
    assert evaluated(work, "answers.py:weak", "a.jsonl", "--fail-under", "accuracy=0.6").code == 0
    unknown = evaluated(work, "no.py:fn", "b.jsonl", "--junit", "out/junit.xml")
    assert unknown.code == 2
    assert ElementTree.parse(work / "out" / "junit.xml").getroot()[0].get("errors") == "1"
    assert evaluated(work, "answers.py:weak", "c.jsonl", "--fail-under", "accuracy").code == 2


def test_a_set_has_a_testcase_per_eval(work: Path) -> None:
    (work / "registry" / "eval_sets").mkdir()
    (work / "registry" / "eval_sets" / "s.yaml").write_text("both:\n  evals: [many, test-match]\n", encoding="utf-8")
    done = cli.run(
        "answers.py:strong",
        "both",
        "--registry_path",
        "registry",
        "--junit",
        "set.xml",
        "--no-exit-on-error",
        "--record_path",
        "logs",
        env=cli.environment(work),
        program=cli.SET,
    )
    suite = ElementTree.parse(work / "set.xml").getroot()[0]
    assert {case.get("name") for case in suite.findall("testcase")} == {"many.dev.v0", "test-match.s1.simple-v0"}
    assert done.code in (0, 1)
