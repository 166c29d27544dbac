"""Recorders: what is recorded into which sample, what is hidden, what is read back."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import logs

import aigc_evals.record as record
from aigc_evals.base import Outcome, RunSpec
from aigc_evals.errors import UsageError
from aigc_evals.record import DummyRecorder, LocalRecorder, Recorder
from aigc_evals.redact import Redactor
from aigc_evals.sinks import Delivery


def spec(**config: Any) -> RunSpec:
    return RunSpec(["fn"], "e.dev.v0", "e", "dev", {"seed": 1, **config}, "me")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.jsonl"


def data(path: Path, type: str) -> list[Any]:
    return [event["data"] for event in logs.events(path, type)]


CALLS: dict[str, tuple[Callable[[], Any], str, Any]] = {
    "match": (
        lambda: record.record_match(True, expected=["a"], picked="a", extra=1),
        "match",
        {"correct": True, "expected": "a", "picked": "a", "extra": 1},
    ),
    "match of several": (
        lambda: record.record_match(False, expected=["a", "b"]),
        "match",
        {"correct": False, "expected": ["a", "b"], "picked": None},
    ),
    "sampling": (
        lambda: record.record_sampling("p", ["s"], model="m"),
        "sampling",
        {"prompt": "p", "sampled": ["s"], "model": "m"},
    ),
    "metrics": (lambda: record.record_metrics(a=1, b=0.5), "metrics", {"a": 1, "b": 0.5}),
    "embedding": (
        lambda: record.record_embedding("p", "kind", vector=[1]),
        "embedding",
        {"prompt": "p", "embedding_type": "kind", "vector": [1]},
    ),
    "cond_logp": (
        lambda: record.record_cond_logp("p", "c", -1.5),
        "cond_logp",
        {"prompt": "p", "completion": "c", "logp": -1.5},
    ),
    "pick_option": (
        lambda: record.record_pick_option("p", ["x", "y"], "x"),
        "pick_option",
        {"prompt": "p", "options": ["x", "y"], "picked": "x"},
    ),
    "function_call": (
        lambda: record.record_function_call("f", {"a": 1}, 2),
        "function_call",
        {"name": "f", "arguments": {"a": 1}, "return_value": 2},
    ),
    "raw": (lambda: record.record_raw({"a": "天"}), "raw_sample", {"a": "天"}),
    "error": (
        lambda: record.record_error("m", ValueError("v"), where="w"),
        "error",
        {"type": "ValueError", "message": "v", "context": "m", "where": "w"},
    ),
    "extra": (lambda: record.record_extra([1]), "extra", [1]),
    "event": (lambda: record.record_event("mine", {"a": None}), "mine", {"a": None}),
}


@pytest.mark.parametrize("name", CALLS)
def test_each_kind_of_event(name: str, path: Path) -> None:
    call, kind, expected = CALLS[name]
    recorder = LocalRecorder(path, spec())
    with recorder.as_default_recorder("e.dev.0"):
        call()
        assert record.current_sample_id() == "e.dev.0"
        assert record.default_recorder() is recorder
    recorder.record_final_report({"accuracy": float("nan")})
    (event,) = logs.events(path)
    assert (event["type"], event["data"], event["sample_id"]) == (kind, expected, "e.dev.0")
    assert (event["event_id"], event["created_by"]) == (0, "me")
    assert logs.final_report(path) == {"accuracy": None}


def test_correct_must_be_a_bool(path: Path) -> None:
    recorder = LocalRecorder(path, spec())
    with recorder.as_default_recorder("a"), pytest.raises(TypeError, match="bool"):
        record.record_match(1, expected="x")  # type: ignore[arg-type]


def test_outside_a_sample_there_is_nothing_to_record_into(path: Path) -> None:
    with pytest.raises(RuntimeError, match="not evaluating a sample"):
        record.record_match(True)
    recorder = LocalRecorder(path, spec())
    with pytest.raises(ValueError, match="no sample"):
        recorder.record_event("extra", 1)
    recorder.record_event("extra", 1, sample_id="given")
    assert recorder.get_events("extra")[0].sample_id == "given"


def test_samples_are_kept_apart_whoever_records(path: Path) -> None:
    """Tasks and threads at the same time, each in its own sample."""
    recorder = LocalRecorder(path, spec())

    async def in_a_task(i: int) -> None:
        with recorder.as_default_recorder(f"task {i}"):
            for j in range(3):
                await asyncio.sleep(0)
                record.record_metrics(i=i, j=j)

    def in_a_thread(i: int) -> None:
        with recorder.as_default_recorder(f"thread {i}"):
            for j in range(3):
                record.record_metrics(i=i, j=j)

    async def main() -> None:
        await asyncio.gather(*(in_a_task(i) for i in range(10)))

    threads = [threading.Thread(target=in_a_thread, args=(i,)) for i in range(10)]
    for thread in threads:
        thread.start()
    asyncio.run(main())
    for thread in threads:
        thread.join()
    recorder.record_final_report({})
    found = logs.events(path, "metrics")
    assert len(found) == 60
    assert [event["event_id"] for event in found] == list(range(60))
    assert all(event["sample_id"].endswith(str(event["data"]["i"])) for event in found)
    for first in range(0, 60, 3):
        assert len({event["sample_id"] for event in found[first : first + 3]}) == 1, "a sample's events lie together"


def test_pause_and_unpause_concern_one_sample(path: Path) -> None:
    recorder = LocalRecorder(path, spec())
    with recorder.as_default_recorder("a"):
        record.record_extra(1)
        record.pause()
        assert recorder.is_paused()
        record.record_extra(2)
        with recorder.as_default_recorder("b"):
            assert not recorder.is_paused()
            record.record_extra(3)
        record.unpause()
        record.record_extra(4)
    recorder.record_final_report({})
    assert sorted(data(path, "extra")) == [1, 3, 4]


def test_hidden_fields_are_nowhere(path: Path) -> None:
    recorder = LocalRecorder(path, spec(), hidden_data_fields=["prompt", "secret"])
    with recorder.as_default_recorder("a"):
        record.record_sampling("p", ["s"], deep=[{"secret": 1, "open": 2}])
    recorder.record_final_report({})
    assert data(path, "sampling") == [{"sampled": ["s"], "deep": [{"open": 2}]}]


def test_secrets_are_masked(path: Path) -> None:
    recorder = Recorder(spec(), path=path, redactor=Redactor(["zebra-quartz-7731"]))
    with recorder.as_default_recorder("a"):
        record.record_sampling("my key is zebra-quartz-7731.", ["ok"])
    recorder.record_final_report({"note": "zebra-quartz-7731"})
    assert b"zebra-quartz" not in path.read_bytes()


@pytest.mark.parametrize("on_disk", [True, False])
def test_reading_back(on_disk: bool, path: Path) -> None:
    recorder = Recorder(spec(), path=path if on_disk else None)
    for i in range(3):
        with recorder.as_default_recorder(str(i)):
            record.record_metrics(score=i, name=f"n{i}")
            record.record_match(i > 0, expected="x")
    matches = recorder.get_events("match")
    assert len(matches) == 3
    assert [event.data["correct"] for event in matches] == [False, True, True]
    assert [event.sample_id for event in matches[1:]] == ["1", "2"]
    assert matches[-1].sample_id == "2"
    assert list(recorder.get_events("nothing")) == []
    assert recorder.get_scores("score") == [0, 1, 2]
    assert recorder.get_metrics()[1] == {"score": 1, "name": "n1"}
    with pytest.raises(KeyError):
        recorder.get_scores("other")


@pytest.mark.parametrize(
    "value",
    [
        {1, 2},
        b"bytes",
        float("inf"),
        2**80,
        Path("/a"),
        ValueError("v"),
        {"k": object()},
        {(1, 2): 3},
        "\ud800 lone",
        Outcome.SCORED,
        [[[[]]]] * 3,
    ],
    ids=str,
)
def test_any_value_can_be_recorded(value: Any, path: Path) -> None:
    recorder = LocalRecorder(path, spec())
    with recorder.as_default_recorder("a"):
        record.record_extra({"value": value})
    recorder.record_final_report({})
    assert len(logs.events(path, "extra")) == 1


def test_what_a_late_thread_records_changes_nothing(path: Path) -> None:
    recorder = LocalRecorder(path, spec())
    with recorder.as_default_recorder("a") as scope:
        record.record_extra(1)
    scope.recorder.record_event("extra", 2, sample_id="a")
    recorder.record_final_report({"accuracy": 1.0})
    before = path.read_bytes()
    recorder.record_event("extra", 3, sample_id="b")
    with recorder.as_default_recorder("c"):
        record.record_extra(4)
    assert path.read_bytes() == before
    assert data(path, "extra") == [1, 2]


def test_an_abandoned_run_leaves_no_file_of_its_own(path: Path) -> None:
    recorder = LocalRecorder(path, spec())
    recorder.start(3)
    assert path.exists()
    recorder.abandon()
    assert not path.exists()


def test_an_abandoned_run_leaves_a_file_that_was_there(path: Path) -> None:
    path.touch()
    recorder = LocalRecorder(path, spec())
    recorder.start(3)
    recorder.abandon()
    assert path.read_bytes() == b""


class Seen:
    """A sink that notes what becomes of it; one with ``trouble`` cannot begin."""

    def __init__(self, trouble: str = "") -> None:
        self.trouble = trouble
        self.said: list[str] = []

    def open(self, log_path: Path, run_spec: RunSpec) -> None:
        self.said.append("open")
        if self.trouble:
            raise UsageError(self.trouble)

    def notify(self, events: int) -> None:
        self.said.append(f"notify {events}")

    def close(self, report: Any) -> Delivery:
        self.said.append("close")
        return Delivery("seen", 0, 0, over_threshold=False)

    def abort(self) -> None:
        self.said.append("abort")


def test_a_sink_is_stopped_once_and_only_if_it_was_opened(path: Path) -> None:
    sinks = [Seen(), Seen("没有数据库"), Seen()]
    recorder = Recorder(spec(), path=path, sinks=sinks)
    with pytest.raises(UsageError, match="没有数据库"):
        recorder.start(1)
    recorder.abandon()
    recorder.close()
    assert [sink.said for sink in sinks] == [["open", "abort"], ["open", "abort"], []]
    assert not path.exists()


def test_a_sink_that_has_delivered_is_not_stopped(path: Path) -> None:
    sink = Seen()
    recorder = Recorder(spec(), path=path, sinks=[sink])
    recorder.record_event("extra", 1, sample_id="a")
    recorder.record_final_report({})
    recorder.close()
    assert sink.said == ["open", "notify 1", "close"]


def test_a_log_is_continued_with_the_samples_it_holds(path: Path) -> None:
    first = LocalRecorder(path, spec())
    first.start(2, {"samples": {"rows": 2}})
    scope = first.begin("e.dev.0")
    first.end(scope, Outcome.SCORED, 0.5)
    first.close()
    second = LocalRecorder(path, spec())
    done: list[str] = []
    second.start(2, {"samples": {"rows": 2}}, done.append)
    assert done == ["e.dev.0"]
    assert second.run_spec is not None
    assert first.run_spec is not None
    assert second.run_spec.run_id == first.run_spec.run_id
    second.end(second.begin("e.dev.1"), Outcome.EMPTY, 0.1)
    second.record_final_report({})
    assert logs.outcomes(path) == {"e.dev.0": "scored", "e.dev.1": "empty"}
    other = LocalRecorder(path, spec(seed=2))
    with pytest.raises(UsageError, match="seed was 1, is now 2"):
        other.start(2, {"samples": {"rows": 2}})


def test_a_dummy_recorder_prints_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for shown in (True, False):
        recorder = DummyRecorder(spec(), log=shown)
        with recorder.as_default_recorder("a"):
            record.record_match(True, expected="x")
        recorder.record_final_report({})
        assert ('"type":"match"' in capsys.readouterr().err) is shown
        assert len(recorder.get_events("match")) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_recorder_without_a_run_takes_everything_and_keeps_nothing() -> None:
    recorder = DummyRecorder(None)
    with recorder.as_default_recorder("a"):
        record.record_match(True)
    assert list(recorder.get_events("match")) == []
    recorder.record_final_report({})


def test_run_ids_are_utc_and_distinct() -> None:
    first, second = spec(), spec()
    assert first.run_id
    assert second.run_id
    assert first.run_id != second.run_id
    assert len(first.run_id) == 20
    assert first.run_id[:12].isdigit()
