"""Runs and sets of runs from Python: evals that go over their samples twice, evals whose own code fails, names, limits."""

from __future__ import annotations

import itertools
import os
import re
import signal
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from support import logs
from support.registries import registry, rows

from aigc_evals import RunError, UsageError, run, run_set
from aigc_evals.cli import evalset
from aigc_evals.cli.flags import RUN_FLAGS
from aigc_evals.engine import plan
from aigc_evals.errors import EndpointError
from aigc_evals.evalset import render_failures, render_set
from aigc_evals.log import LogFile
from aigc_evals.run_config import RunConfig, check_names

COUNT = 12

CLASSES = """
import aigc_evals as evals
from aigc_evals.record import record_match

class Twice(evals.Eval):
    async def aeval_sample(self, sample, rng):
        answer = await self.ask(sample["input"])
        record_match(answer == "True", expected="True", picked=answer)

    def run(self, recorder):
        samples = self.get_samples()
        self.eval_all_samples(recorder, samples)
        self.eval_all_samples(recorder, samples)
        return {"matches": len(recorder.get_events("match"))}

class Fails(Twice):
    def run(self, recorder):
        self.eval_all_samples(recorder, self.get_samples())
        return {"share": 1 / 0}

def broken(prompt):
    raise ValueError("坏了")
"""

SPECS = """
twice.dev.v0: {class: "classes_of_test_runs:Twice", args: {samples_jsonl: rows.jsonl}}
fails.dev.v0: {class: "classes_of_test_runs:Fails", args: {samples_jsonl: rows.jsonl}}
match.dev.v0: {class: "aigc_evals.elsuite.basic.match:Match", args: {samples_jsonl: rows.jsonl}}
"""

SETS = """
both: {evals: [fails.dev.v0, match.dev.v0]}
one: {evals: [match.dev.v0]}
nothing: {evals: }
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "classes_of_test_runs.py").write_text(CLASSES)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("EVALS_SHOW_EVAL_PROGRESS", "0")
    return registry(
        tmp_path / "registry", {"evals/e.yaml": SPECS, "eval_sets/s.yaml": SETS}, {"rows.jsonl": rows(COUNT)}
    )


def true(prompt: Any) -> str:
    return "True"


@pytest.mark.parametrize("kept", [0, 5, COUNT, COUNT + 4, 2 * COUNT])
def test_each_of_several_passes_goes_on_where_it_was(kept: int, place: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    calls = itertools.count()

    def counted(prompt: Any) -> str:
        next(calls)
        return "True"

    whole = run(counted, "twice.dev.v0", registry_path=[place], record_path=log).report
    assert whole["planned"] == whole["outcomes"]["scored"] == 2 * COUNT
    lines = log.read_bytes().splitlines(keepends=True)
    ends = [i for i, line in enumerate(lines) if b'"type":"sample"' in line]
    log.write_bytes(b"".join(lines[: ends[kept - 1] + 1 if kept else 1]))

    again = run(counted, "twice.dev.v0", registry_path=[place], record_path=log).report
    assert next(calls) == 2 * COUNT + (2 * COUNT - kept)
    assert again["outcomes"] == whole["outcomes"]
    assert again["matches"] == again["metrics"]["accuracy"]["n"] == 2 * COUNT
    assert len(logs.events(log, "sample")) == 2 * COUNT


def test_a_pass_after_one_that_was_given_up_does_not_wait_for_ever(place: Path, tmp_path: Path) -> None:
    def down(prompt: Any) -> str:
        raise EndpointError("out of money", kind="quota")

    result = run(down, "twice.dev.v0", registry_path=[place], record_path=tmp_path / "log.jsonl")
    assert result.report["planned"] == 2 * COUNT == sum(result.report["outcomes"].values())
    assert result.report["partial"]


@pytest.mark.skipif(os.name == "nt", reason="a process cannot send itself an interrupt there")
def test_an_interrupt_ends_all_passes(place: Path, tmp_path: Path) -> None:
    calls = itertools.count(1)

    async def interrupting(prompt: Any) -> str:
        if next(calls) == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return "True"

    # Whoever started the tests may have them ignore it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        log = tmp_path / "log.jsonl"
        result = run(interrupting, "twice.dev.v0", registry_path=[place], record_path=log, concurrency=1)
    finally:
        signal.signal(signal.SIGINT, before)
    assert result.interrupted
    assert result.report["planned"] == 2 * COUNT == sum(result.report["outcomes"].values())
    assert next(calls) <= COUNT


def test_sequential_means_one_sample_after_the_other(place: Path, tmp_path: Path) -> None:
    seen: set[str] = set()

    def fails_first(prompt: Any) -> str:
        if str(prompt) not in seen:
            seen.add(str(prompt))
            raise EndpointError("busy", kind="rate_limit", retryable=True, retry_after=0.001)
        return "True"

    log = tmp_path / "log.jsonl"
    run(fails_first, "match.dev.v0", registry_path=[place], record_path=log, environ={"EVALS_SEQUENTIAL": "1"})
    order = [int(event["sample_id"].rsplit(".", 1)[1]) for event in logs.events(log, "sample")]
    assert order == list(plan(COUNT, None))


def test_an_eval_that_fails_in_its_own_code_says_where(place: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    with pytest.raises(RunError, match=r"ZeroDivisionError: division by zero\n.*classes_of_test_runs.py:\d+") as failed:
        run(true, "fails.dev.v0", registry_path=[place], record_path=log)
    assert str(log) in str(failed.value)
    assert isinstance(failed.value.__cause__, ZeroDivisionError)
    assert len(logs.events(log, "sample")) == COUNT


def test_a_set_goes_on_after_an_eval_whose_code_fails(place: Path, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"registry_path": [place], "record_path": tmp_path / "logs"}
    done = run_set("dummy", "both", exit_on_error=False, **settings)
    assert list(done.failures) == ["fails.dev.v0"]
    assert list(done.results) == ["match.dev.v0"]
    assert done.exit_code == 1
    assert not run_set("dummy", "both", **settings).results


def test_a_set_does_not_begin_an_eval_that_another_process_is_running(place: Path, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"registry_path": [place], "record_path": tmp_path / "logs", "exit_on_error": False}
    run_set("dummy", "both", **settings)
    held = [LogFile.open(path) for path in (tmp_path / "logs").glob("*.jsonl")]
    try:
        again = run_set("dummy", "both", **settings)
    finally:
        for log in held:
            log.close()
    assert ["another run is writing this log" in str(error) for error in again.failures.values()] == [True, True]
    assert len(list((tmp_path / "logs").iterdir())) == len(held) == 2


def test_a_set_with_other_settings_gets_logs_of_its_own(place: Path, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"registry_path": [place], "record_path": tmp_path / "logs", "exit_on_error": False}
    run_set("dummy", "both", **settings)
    assert not run_set("dummy", "both", seed=5, **settings).already
    assert run_set("dummy", "both", seed=5, **settings).already == ["match.dev.v0"]
    assert len(list((tmp_path / "logs").iterdir())) == 4


def test_a_set_ends_with_a_line_per_eval_whatever_became_of_it(place: Path, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"registry_path": [place], "record_path": tmp_path / "logs"}
    all_run = run_set("dummy", "both", exit_on_error=False, **settings)
    first_only = run_set("dummy", "both", **{**settings, "record_path": tmp_path / "other"})
    for done, last in ((all_run, "accuracy"), (first_only, "not run")):
        head, *lines = render_set(done).splitlines()
        assert head.split()[:3] == ["eval", "metric", "value"]
        assert [line.split()[0] for line in lines] == done.evals
        assert lines[0].split()[-1] == "failed"
        assert last in lines[1]


def test_what_failed_is_named_once_with_its_reason_and_what_to_do(place: Path, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"registry_path": [place], "record_path": tmp_path / "logs", "exit_on_error": False}
    told = render_failures(run_set("dummy", "both", **settings)).splitlines()
    assert told[:2] == [
        "failed: 1 of 2 evals",
        "  fails.dev.v0: eval fails.dev.v0 failed in its own code: ZeroDivisionError: division by zero",
    ]
    assert re.match(r"    \(.*classes_of_test_runs\.py:\d+\)$", told[2])
    done = run_set("classes_of_test_runs:broken", "both", **settings)
    log = done.results["match.dev.v0"].log_path
    told = render_failures(done).splitlines()
    assert told[0] == "failed: 2 of 2 evals"
    assert sum("no sample was scored" in line for line in told) == 1
    assert f"    See its samples: aigc_evals samples {log} --outcome error" in told
    assert "    To ask them again: the same command with --retry_errors" in told
    assert render_failures(run_set("dummy", "one", **settings)) == ""


def test_a_set_without_a_list_of_evals_is_refused(place: Path) -> None:
    with pytest.raises(UsageError, match="must be a list"):
        run_set("dummy", "nothing", registry_path=[place])


def test_one_registry_needs_no_list(place: Path, tmp_path: Path) -> None:
    assert run("dummy", "match.dev.v0", registry_path=place, record_path=tmp_path / "log.jsonl").exit_code == 0
    assert run("dummy", "match.dev.v0", registry_path=str(place), dry_run=True, dry_run_logging=False).exit_code == 0
    assert run_set("dummy", "both", registry_path=place, exit_on_error=False, dry_run=True).results


@pytest.mark.parametrize("names", ["", "dummy,", " , dummy"])
def test_a_completion_function_has_a_name(names: str, place: Path) -> None:
    with pytest.raises(UsageError, match="separated by commas"):
        run(names, "match.dev.v0", registry_path=[place])


def test_spaces_around_a_name_are_no_part_of_it(place: Path, tmp_path: Path) -> None:
    result = run(" dummy ", "match.dev.v0", registry_path=[place], record_path=tmp_path / "log.jsonl")
    assert logs.lines(tmp_path / "log.jsonl")[0]["spec"]["completion_fns"] == ["dummy"]
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("config", "key", "says"),
    [
        ({"junit": "a.xml"}, "junit", "command line"),
        ({"json": True}, "json", "RunResult.report"),
        ({"log_to_file": "a"}, "log_to_file", "logger"),
        ({"debug": True}, "debug", "logger"),
        ({"max_sample": 1}, "max_sample", "Did you mean: max_samples"),
        ({"fail_under": ["accuracy=1"]}, "fail_under", '{"accuracy": 0.9}'),
        ({"completion_args": "a=1"}, "completion_args", "mapping"),
        ({"extra_eval_params": "a=1"}, "extra_eval_params", "mapping"),
    ],
)
def test_an_argument_that_a_run_does_not_take_is_refused_with_what_it_takes(
    config: dict[str, Any], key: str, says: str, place: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        run("dummy", "match.dev.v0", registry_path=place, dry_run=True, **config)
    assert caught.value.key == key
    assert says in str(caught.value)


def test_a_set_refuses_a_strange_argument_before_it_begins(place: Path) -> None:
    with pytest.raises(UsageError, match="command line"):
        run_set("dummy", "both", registry_path=place, dry_run=True, junit="a.xml")


def test_every_flag_of_a_run_is_an_argument_or_says_what_is_one() -> None:
    for flag in RUN_FLAGS:
        if flag.dest in {one.name for one in fields(RunConfig)}:
            check_names({flag.dest: flag.default})
        else:
            with pytest.raises(UsageError) as caught:
                check_names({flag.dest: flag.default})
            assert "It takes:" not in str(caught.value), flag.name


def test_a_wrong_argument_of_an_eval_is_named_with_the_place_of_its_entry(place: Path) -> None:
    spec = "wrong.dev.v0:\n  class: aigc_evals.elsuite.basic.match:Match\n  args: {samples_jsonl: a, num_fewshot: 1}\n"
    registry(place, {"evals/错.yaml": f"# 注\n{spec}"})
    with pytest.raises(UsageError, match="num_fewshot") as caught:
        run("dummy", "wrong.dev.v0", registry_path=place, dry_run=True)
    assert (caught.value.path, caught.value.line) == (str(place / "evals" / "错.yaml"), 2)
    with pytest.raises(UsageError, match="num_fewshot") as caught:
        run("dummy", "match.dev.v0", registry_path=place, dry_run=True, extra_eval_params={"num_fewshot": 1})
    assert caught.value.path is None, "it stands on the command line"


def test_a_finished_log_is_judged_by_the_limits_of_now(place: Path, tmp_path: Path) -> None:
    def sometimes(prompt: Any) -> str:
        if "Question 1" in str(prompt):
            raise ValueError("no")
        return "True"

    settings: dict[str, Any] = {"registry_path": [place], "record_path": tmp_path / "log.jsonl"}
    strict = run(sometimes, "match.dev.v0", max_invalid=0.1, **settings)
    lenient = run(sometimes, "match.dev.v0", max_invalid=1.0, **settings)
    assert strict.exit_code == 1
    assert "--max_invalid" in strict.report["problems"][0]
    again = run(sometimes, "match.dev.v0", max_invalid=0.1, **settings)
    assert "--retry_errors" in again.report["problems"][1]
    assert lenient.exit_code == 0
    assert "problems" not in lenient.report


def test_the_command_tells_all_of_a_failure_once_and_at_the_end(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["dummy", "both", "--registry_path", str(place), "--record_path", str(tmp_path / "logs")]
    assert evalset.main(words) == 1
    said = capsys.readouterr().err
    assert said.index("error: fails.dev.v0: eval fails.dev.v0 failed in its own code") < said.index(
        "failed: 1 of 2 evals"
    )
    assert said.count("classes_of_test_runs.py:") == 1, "the place is told once"
    assert said.endswith("not run: 1 of 2 evals; --no-exit-on-error goes on after one that fails\n")
    assert evalset.main([*words, "--no-exit-on-error"]) == 1
    out, said = capsys.readouterr()
    assert "not run" not in out + said
    assert "failed: 1 of 2 evals" in said
