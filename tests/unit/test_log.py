"""The log on disk: whole samples or none, whatever the last bytes are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from support import logs
from support.registries import match_registry

import aigc_evals as evals
from aigc_evals.errors import RunError, UsageError
from aigc_evals.log import LogFile, read_events, read_report, read_samples, read_spec
from aigc_evals.log.resume import differences, without_samples
from aigc_evals.testing import ScriptedCompletionFn


def answer(prompt: Any) -> str:
    """True or False by the question."""
    return "True, 是的" if len(str(prompt)) % 2 else "False"


def go(fn: ScriptedCompletionFn, registry: Path, log: Path) -> evals.RunResult:
    return evals.run(fn, "many", registry_path=[registry], record_path=log, progress=False, environ={})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A registry of 6 samples and the log of a run over it."""
    folder = tmp_path_factory.mktemp("log")
    registry = match_registry(folder / "registry", 6)
    go(ScriptedCompletionFn(answer), registry, folder / "run.jsonl")
    return registry, folder / "run.jsonl"


def last_sample(content: bytes) -> tuple[int, int]:
    """Where the lines of the last sample begin and end."""
    lines = content.splitlines(keepends=True)
    closings = [i for i, line in enumerate(lines) if b'"type":"sample"' in line]
    return sum(map(len, lines[: closings[-2] + 1])), sum(map(len, lines[: closings[-1] + 1]))


def test_a_log_torn_at_any_byte_of_its_last_sample_reads_as_without_it(made: tuple[Path, Path], tmp_path: Path) -> None:
    whole = made[1].read_bytes()
    begin, end = last_sample(whole)
    torn = tmp_path / "torn.jsonl"
    for cut in range(begin, end):
        torn.write_bytes(whole[:cut])
        *_, (_, state) = read_samples(torn)
        assert (state.end, state.report) == (begin, None), cut
        assert read_report(torn) is None
    torn.write_bytes(whole[:end])
    *_, (_, state) = read_samples(torn)
    assert state.end == end


def test_a_torn_log_is_continued_to_the_undisturbed_result(made: tuple[Path, Path], tmp_path: Path) -> None:
    registry, log = made
    whole = log.read_bytes()
    begin, end = last_sample(whole)
    report = logs.final_report(log)
    assert report is not None
    torn = tmp_path / "torn.jsonl"
    for cut in [*range(begin, end, 61), end - 1]:
        torn.write_bytes(whole[:cut])
        fn = ScriptedCompletionFn(answer)
        result = go(fn, registry, torn)
        assert len(fn.calls) == 1
        assert logs.lasting(result.report) == logs.lasting(report)
        assert logs.outcomes(torn) == logs.outcomes(log)
        assert [event["event_id"] for event in logs.events(torn)] == list(range(len(logs.events(log))))


@pytest.mark.parametrize("tail", [b"\x00" * 4096, b"\xff\xfe garbage", b'{"run_id": "x"', b"[]\n", b"null\n", b"\n"])
def test_what_follows_the_last_whole_sample_is_cut_off(tail: bytes, made: tuple[Path, Path], tmp_path: Path) -> None:
    registry, log = made
    whole = log.read_bytes()
    begin, _ = last_sample(whole)
    torn = tmp_path / "torn.jsonl"
    torn.write_bytes(whole[:begin] + tail)
    go(ScriptedCompletionFn(answer), registry, torn)
    assert logs.outcomes(torn) == logs.outcomes(log)


def test_a_log_whose_report_is_torn_gets_it_again_without_asking(made: tuple[Path, Path], tmp_path: Path) -> None:
    registry, log = made
    whole = log.read_bytes()
    _, end = last_sample(whole)
    report = logs.final_report(log)
    torn = tmp_path / "torn.jsonl"
    for cut in (end, end + 1, (end + len(whole)) // 2, len(whole) - 2):
        torn.write_bytes(whole[:cut])
        fn = ScriptedCompletionFn(answer)
        result = go(fn, registry, torn)
        assert fn.calls == []
        assert logs.lasting(result.report) == logs.lasting(report or {})
        assert logs.final_report(torn) == result.report


def test_the_report_is_the_last_line_and_the_spec_the_first(made: tuple[Path, Path]) -> None:
    found = logs.lines(made[1])
    assert list(found[0]) == ["spec"]
    assert list(found[-1]) == ["final_report", "run_id"]
    assert [line["event_id"] for line in found[1:-1]] == list(range(len(found) - 2))
    assert read_spec(made[1]) == found[0]["spec"]
    assert read_report(made[1]) == found[-1]["final_report"]
    assert "是的".encode() in made[1].read_bytes()


@pytest.mark.parametrize("kind", ["match", "sampling", "sample", "nothing"])
def test_events_are_read_by_their_type(kind: str, made: tuple[Path, Path]) -> None:
    expected = [event["event_id"] for event in logs.events(made[1], kind)]
    assert [event.event_id for event in read_events(made[1], kind)] == expected


def test_a_text_that_looks_like_another_type_is_not_taken_for_it(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    data = '{"run_id":"r","event_id":0,"sample_id":"a","type":"extra","data":{"type":"match"}}\n'
    path.write_text('{"spec":{}}\n' + data, encoding="utf-8")
    assert list(read_events(path, "match")) == []


def test_samples_of_an_outcome_are_taken_out_and_the_rest_keeps_its_bytes(
    made: tuple[Path, Path], tmp_path: Path
) -> None:
    copy = tmp_path / "copy.jsonl"
    content = made[1].read_bytes()
    begin, end = last_sample(content)
    copy.write_bytes(content[:begin] + content[begin:end].replace(b'"outcome":"scored"', b'"outcome":"error"'))
    assert without_samples(copy, ["error"]) == 1
    assert copy.read_bytes() == content[:begin]
    assert without_samples(copy, ["error"]) == 0


def test_a_write_that_fails_leaves_no_part_of_it(tmp_path: Path) -> None:
    file = LogFile.open(tmp_path / "log.jsonl")
    file.append(b"one\n")
    os.close(file._handle)
    file._handle = os.open(tmp_path / "log.jsonl", os.O_RDONLY)
    with pytest.raises(RunError, match="cannot write the log"):
        file.append(b"two\n")
    file.close()
    assert (tmp_path / "log.jsonl").read_bytes() == b"one\n"


@pytest.mark.parametrize("place", ["a_file/log.jsonl", "a_folder", "new/\0bad"])
def test_a_path_that_cannot_be_written_is_said_with_its_reason(place: str, tmp_path: Path) -> None:
    (tmp_path / "a_file").write_text("x")
    (tmp_path / "a_folder").mkdir()
    with pytest.raises(UsageError, match="cannot write the log here"):
        LogFile.open(tmp_path / place)


def test_two_writers_of_one_log_are_told_apart(tmp_path: Path) -> None:
    first = LogFile.open(tmp_path / "log.jsonl")
    with pytest.raises(UsageError, match="another run is writing"):
        LogFile.open(tmp_path / "log.jsonl")
    first.close()
    LogFile.open(tmp_path / "log.jsonl").close()


def test_what_one_version_masks_and_another_does_not_keeps_no_log_from_being_continued() -> None:
    def spec(header: str) -> dict[str, Any]:
        return {"run_config": {"completion_args": {"headers": {"X-Route": header}}}}

    for old, new in (("[redacted]", "canary"), ("canary", "[redacted]"), ("a [redacted] (c)", "a b\n (c)")):
        assert differences(spec(old), spec(new)) == []
    for old, new in (("canary", "blue"), ("a [redacted] c", "a b"), ("[redacted] a", "canary")):
        [told] = differences(spec(old), spec(new))
        assert told.startswith("completion_args.headers.X-Route was ")
