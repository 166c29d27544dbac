"""Events on their way to a receiver that is fine, slow, down, failing, dying, and a run that is killed meanwhile.

Whatever happens, every event stands once in the local log; at a receiver that recovers it arrives exactly once, by the
run itself or by ``replay``.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import aigc_evals
from aigc_evals.base import Outcome, RunResult, RunSpec
from aigc_evals.errors import UsageError
from aigc_evals.record import HttpRecorder, Recorder
from aigc_evals.sinks import courier
from aigc_evals.sinks.http import HttpSink, masked, replay
from aigc_evals.sinks.ledger import Ranges, ledger_path
from aigc_evals.testing import Fault, LoopbackServer
from tests.support import cli, logs
from tests.support.registries import MATCH, match_registry, registry

SAMPLES = 100
EVENTS = 3 * SAMPLES


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry of one eval, ``many``, whose samples make three events each."""
    return match_registry(tmp_path_factory.mktemp("registry"), SAMPLES)


@pytest.fixture
def receiver() -> Iterator[LoopbackServer]:
    with LoopbackServer() as server:
        yield server


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "run.jsonl"


def flags(folder: Path, log: Path, url: str, batch: int = 10) -> list[str]:
    paths = ["--registry_path", str(folder), "--record_path", str(log)]
    return [*paths, "--http-run", "--http-run-url", url, "--http-batch-size", str(batch), "--json"]


def run(home: Path, folder: Path, log: Path, url: str, batch: int = 10, *more: str) -> cli.Finished:
    env = cli.environment(home, EVALS_SEQUENTIAL="1")
    return cli.run("dummy", "many", *flags(folder, log, url, batch), *more, env=env)


def replayed(home: Path, log: Path, url: str) -> cli.Finished:
    return cli.run("replay", log, "--url", url, env=cli.environment(home), program="aigc_evals")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, back-off takes next to no time."""
    monkeypatch.setattr(courier, "_FIRST_DELAY", 0.001)


def run_here(folder: Path, log: Path, url: str, batch: int = 10) -> RunResult:
    """The same in this process."""
    return aigc_evals.run(
        "dummy",
        "many",
        registry_path=[folder],
        record_path=log,
        http_run=True,
        http_run_url=url,
        http_batch_size=batch,
        progress=False,
        concurrency=1,
    )


def delivery(finished: cli.Finished) -> dict[str, Any]:
    [told] = finished.report["delivery"]
    return dict(told)


def check_local(log: Path, samples: int = SAMPLES) -> list[dict[str, Any]]:
    """Every event stands once in the log, every sample is whole, the report is the last line."""
    events = logs.events(log)
    ids = [event["event_id"] for event in events]
    assert ids == sorted(set(ids))
    assert len(logs.outcomes(log)) == samples
    assert len(events) == 3 * samples
    assert logs.final_report(log) is not None
    return events


def check_received(received: list[dict[str, Any]], log: Path, reports: int = 1) -> None:
    """A receiver has every event of the log once, as it stands there, and the report last."""
    counts = Counter((event["run_id"], event["event_id"]) for event in received)
    assert set(counts.values()) == {1}, counts.most_common(3)
    told = [event for event in received if event["type"] == "final_report"]
    assert len(told) == reports
    local = check_local(log, len(logs.outcomes(log)))
    rest = sorted((event for event in received if event["type"] != "final_report"), key=lambda event: event["event_id"])
    assert rest == local
    assert received[-1] == told[-1]
    assert told[-1]["sample_id"] is None
    assert told[-1]["event_id"] > local[-1]["event_id"]
    report = logs.final_report(log) or {}
    assert told[-1]["data"] == {key: value for key, value in report.items() if key not in ("delivery", "problems")}


# -- a receiver that takes everything in the end ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("batch", "faults"),
    [
        pytest.param(1, [], id="one-by-one"),
        pytest.param(7, [], id="sevens"),
        pytest.param(100, [], id="hundreds"),
        pytest.param(10, [Fault("server_error", share=0.03, status=503)], id="3-percent"),
        pytest.param(10, [Fault("server_error", share=0.5, seed=1)], id="50-percent"),
        pytest.param(20, [Fault("rate_limit", first=2, retry_after=0.3)], id="rate-limited"),
        pytest.param(10, [Fault("reset", share=0.2, accept=True)], id="reply-lost"),
        pytest.param(10, [Fault("server_error", share=0.3, accept=True, seed=2)], id="taken-but-500"),
        pytest.param(10, [Fault("truncated", share=0.3)], id="reply-cut"),
        pytest.param(10, [Fault("close", share=0.2, accept=False)], id="connection-closed"),
    ],
)
def test_everything_arrives_once(
    home: Path, folder: Path, log: Path, receiver: LoopbackServer, batch: int, faults: list[Fault]
) -> None:
    receiver.configure(ingest_faults=faults)
    finished = run(home, folder, log, receiver.ingest_url, batch)
    assert finished.code == 0, finished.err
    got = receiver.ingested()
    check_received(got["events"], log)
    assert delivery(finished) == {
        "name": "http",
        "delivered": EVENTS + 1,
        "failed": 0,
        "over_threshold": False,
        "message": "",
    }
    assert max(each["events"] for each in got["batches"]) <= batch
    if faults and faults[0].accept:
        assert got["duplicates"] > 0
    # All was acknowledged, so there is nothing left for a replay.
    before = receiver.stats()["paths"]["/ingest"]
    again = replay(log, receiver.ingest_url)
    assert (again.delivered, again.failed) == (0, 0)
    assert receiver.stats()["paths"]["/ingest"] == before


def test_requests(home: Path, folder: Path, log: Path, receiver: LoopbackServer) -> None:
    """Batches in the order of the log over one connection; the key says run, first and last event."""
    assert run(home, folder, log, receiver.ingest_url, 100).code == 0
    seen = receiver.requests()
    run_id = logs.events(log)[0]["run_id"]
    keys = [request["headers"]["idempotency-key"] for request in seen]
    assert keys[0].startswith(f"{run_id}-0-")
    assert keys[-1] == f"{run_id}-{EVENTS}-{EVENTS}"
    assert [key.split("-") for key in keys] == [
        [run_id, str(request["body"][0]["event_id"]), str(request["body"][-1]["event_id"])] for request in seen
    ]
    assert all(request["headers"]["content-type"].startswith("application/json") for request in seen)
    assert [event["event_id"] for request in seen for event in request["body"]] == list(range(EVENTS + 1))
    assert receiver.stats()["connections"] == 1


def test_any_language(home: Path, tmp_path: Path, log: Path, receiver: LoopbackServer) -> None:
    rows = [{"input": f"问题{i}：对吗？\u2028 é 🎈 \ud83d\ude00"[:-2] + '"\\', "ideal": "对"} for i in range(9)]
    folder = registry(tmp_path / "r", {"evals/many.yaml": MATCH.format(name="many")}, {"many/samples.jsonl": rows})
    finished = run(home, folder, log, receiver.ingest_url, 4)
    assert finished.code == 0, finished.err
    got = receiver.ingested()["events"]
    check_received(got, log)
    assert any("问题3：对吗？\u2028 é 🎈" in json.dumps(event, ensure_ascii=False) for event in got)


# -- a receiver that does not ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("impatient")
def test_persistent_failures_below_the_threshold(home: Path, folder: Path, log: Path, receiver: LoopbackServer) -> None:
    """3 % of the events are never taken: the run is good all the same, and says what is missing."""
    receiver.configure(ingest_faults=[Fault("server_error", when_contains="Question 17:")])
    result = run_here(folder, log, receiver.ingest_url)
    assert result.exit_code == 0, result.problems
    [told] = result.report["delivery"]
    assert (told["failed"], told["over_threshold"]) == (10, False)
    assert f"aigc_evals replay {log} --url {receiver.ingest_url}" in told["message"]
    check_local(log)
    assert receiver.ingested()["events"][-1]["type"] == "final_report"
    receiver.configure(ingest_faults=[])
    assert replayed(home, log, receiver.ingest_url).code == 0
    received = receiver.ingested()["events"]
    assert len(received) == EVENTS + 1
    assert {event["event_id"] for event in received} == set(range(EVENTS + 1))


@pytest.mark.parametrize(("threshold", "code"), [(5, 1), (10, 0)])
def test_persistent_failures_and_the_threshold(
    home: Path, folder: Path, log: Path, receiver: LoopbackServer, threshold: int, code: int
) -> None:
    """6 % are refused for what they are: not repeated, and over a threshold of 5."""
    texts = ("Question 17:", "Question 60:")
    receiver.configure(ingest_faults=[Fault("forbidden", when_contains=text) for text in texts])
    limit = ["--http-fail-percent-threshold", str(threshold)]
    finished = run(home, folder, log, receiver.ingest_url, 10, *limit)
    assert finished.code == code, finished.err
    assert delivery(finished)["failed"] == 20
    assert delivery(finished)["over_threshold"] == bool(code)
    assert bool(finished.report.get("problems")) == bool(code)
    check_local(log)
    # Each was sent, and once more at the very end where it had failed before that.
    assert 2 <= receiver.stats()["faults"]["forbidden"] <= 4


def test_all_requests_fail(home: Path, folder: Path, log: Path, receiver: LoopbackServer) -> None:
    receiver.configure(ingest_faults=[Fault("server_error")])
    finished = run(home, folder, log, receiver.ingest_url)
    assert finished.code == 1
    told = delivery(finished)
    assert (told["delivered"], told["failed"], told["over_threshold"]) == (0, EVENTS + 1, True)
    assert finished.report["accuracy"] == 0
    check_local(log)
    assert receiver.ingested()["events"] == []
    receiver.configure(ingest_faults=[])
    for sent in (EVENTS + 1, 0):
        again = replayed(home, log, receiver.ingest_url)
        assert again.code == 0, again.err
        assert f"{sent} events delivered, 0 not." in again.out
    check_received(receiver.ingested()["events"], log)


@pytest.mark.usefixtures("impatient")
def test_receiver_is_down(folder: Path, log: Path, receiver: LoopbackServer) -> None:
    url = receiver.ingest_url
    receiver.kill()
    result = run_here(folder, log, url)
    assert result.exit_code == 1
    assert "(no connection)" in result.problems[0]
    check_local(log)
    # A dead receiver is given up on before every batch has been tried.
    assert ledger_path(log).read_bytes().count(b'"first"') < EVENTS / 10
    assert replay(log, url).failed == EVENTS + 1
    receiver.start()
    assert replay(log, url).delivered == EVENTS + 1
    check_received(receiver.ingested()["events"], log)


def test_slow_receiver_does_not_hold_up_the_samples(
    home: Path, folder: Path, log: Path, receiver: LoopbackServer
) -> None:
    """All samples are in the log while the receiver still works on one of the first batches."""
    receiver.configure(ingest_latency=0.5)
    env = cli.environment(home, EVALS_SEQUENTIAL="1")
    process = cli.start("dummy", "many", *flags(folder, log, receiver.ingest_url, 50), env=env)
    logs.wait_for_samples(log, SAMPLES)
    assert len(receiver.ingested()["batches"]) <= 2
    finished = cli.finish(process)
    assert finished.code == 0, finished.err
    check_received(receiver.ingested()["events"], log)


def test_receiver_dies_half_way(home: Path, folder: Path, log: Path, loopback: LoopbackServer) -> None:
    """What it has when it dies and what it gets when it is back are everything, once."""
    loopback.configure(latency=0.02)
    env = cli.environment(home, loopback.base_url, EVALS_THREADS="1")
    with LoopbackServer(ingest_faults=[Fault("server_error", after=5)]) as first:
        process = cli.start("gpt-test", "many", *flags(folder, log, first.ingest_url), env=env)
        _until(lambda: first.stats()["faults"].get("server_error", 0) > 0)
        before = first.ingested()["events"]
        assert len(before) == 50
        assert process.poll() is None
        first.kill()
    logs.wait_for_samples(log, SAMPLES // 2)
    with LoopbackServer(port=first.port) as second:
        finished = cli.finish(process)
        assert finished.code == 0, finished.err
        check_received(before + second.ingested()["events"], log)


# -- a run that is killed, interrupted, continued -------------------------------------------------------------------


def test_killed_and_continued(
    home: Path, folder: Path, log: Path, receiver: LoopbackServer, loopback: LoopbackServer
) -> None:
    """kill -9, twice; torn lines of the ledger and an acknowledgement that was lost change nothing."""
    loopback.configure(latency=0.02)
    receiver.configure(ingest_faults=[Fault("reset", share=0.2, accept=True)])
    env = cli.environment(home, loopback.base_url, EVALS_THREADS="2")
    for samples in (30, 60):
        process = cli.start("gpt-test", "many", *flags(folder, log, receiver.ingest_url, 7), env=env)
        logs.wait_for_samples(log, samples)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        entries = ledger_path(log).read_bytes().splitlines(keepends=True)
        last_ack = max(i for i, entry in enumerate(entries) if b'"ok"' in entry)
        ledger_path(log).write_bytes(b"".join(entries[:last_ack] + entries[last_ack + 1 :]) + b'{"run":"26')
    finished = cli.run("gpt-test", "many", *flags(folder, log, receiver.ingest_url, 5), env=env)
    assert finished.code == 0, finished.err
    got = receiver.ingested()
    check_received(got["events"], log)
    assert got["duplicates"] >= 2
    assert delivery(finished)["delivered"] == EVENTS + 1


def test_killed_and_replayed(
    home: Path, folder: Path, log: Path, receiver: LoopbackServer, loopback: LoopbackServer
) -> None:
    """A log that ends in the middle of a sample is delivered up to the last whole one."""
    loopback.configure(latency=0.02)
    env = cli.environment(home, loopback.base_url, EVALS_THREADS="2")
    process = cli.start("gpt-test", "many", *flags(folder, log, "http://127.0.0.1:9/ingest"), env=env)
    logs.wait_for_samples(log, 30)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    whole = log.read_bytes().splitlines()[1:]
    torn = whole[-3].replace(b'"event_id":', b'"event_id":9')
    with log.open("ab") as file:
        file.write(torn + b"\n" + torn[:40])
    assert replayed(home, log, receiver.ingest_url).code == 0
    assert receiver.ingested()["events"] == [json.loads(line) for line in whole]


def test_interrupted_and_continued(
    home: Path, folder: Path, log: Path, receiver: LoopbackServer, loopback: LoopbackServer
) -> None:
    """The report of the first part keeps its id, so the second part's events cannot be taken for it."""
    loopback.configure(latency=0.02)
    env = cli.environment(home, loopback.base_url, EVALS_THREADS="2")
    process = cli.start("gpt-test", "many", *flags(folder, log, receiver.ingest_url, 1), env=env)
    logs.wait_for_samples(log, 20)
    process.send_signal(signal.SIGINT)
    assert cli.finish(process).code == 130
    finished = cli.run("gpt-test", "many", *flags(folder, log, receiver.ingest_url, 1), env=env)
    assert finished.code == 0, finished.err
    check_received(receiver.ingested()["events"], log, reports=2)
    # Once more: the run is complete, and so is its delivery.
    before = receiver.stats()["paths"]["/ingest"]
    assert cli.run("gpt-test", "many", *flags(folder, log, receiver.ingest_url), env=env).code == 0
    assert receiver.stats()["paths"]["/ingest"] == before


def test_complete_run_continued_with_a_receiver(home: Path, folder: Path, log: Path, receiver: LoopbackServer) -> None:
    """A log made without any receiver is delivered by the same command with one."""
    env = cli.environment(home)
    assert cli.run("dummy", "many", "--registry_path", folder, "--record_path", log, env=env).code == 0
    finished = run(home, folder, log, receiver.ingest_url)
    assert finished.code == 0, finished.err
    check_received(receiver.ingested()["events"], log)


def test_asked_again_after_delivery(log: Path, receiver: LoopbackServer) -> None:
    """Samples that leave the log take their ids with them: what is asked instead is new to the receiver."""

    def part(outcomes: dict[str, Outcome], report: dict[str, Any]) -> None:
        sink = HttpSink(receiver.ingest_url, batch_size=1)
        recorder = Recorder(_spec(), path=log, sinks=[sink], retry_outcomes=["error"])
        for sample_id, outcome in outcomes.items():
            recorder.end(recorder.begin(sample_id), outcome, 0.0)
        recorder.record_final_report(report)
        assert recorder.deliveries[0].failed == 0

    part({"a.b.0": Outcome.SCORED, "a.b.1": Outcome.ERROR}, {"part": 1})
    part({"a.b.1": Outcome.SCORED}, {"part": 2})
    received = receiver.ingested()["events"]
    assert [event["event_id"] for event in received] == [0, 1, 2, 3, 4]
    assert [event["event_id"] for event in logs.events(log)] == [0, 3]


# -- the parts by themselves ----------------------------------------------------------------------------------------


def test_recorder_by_itself(log: Path, receiver: LoopbackServer) -> None:
    recorder = HttpRecorder(receiver.ingest_url, _spec(), log, batch_size=2)
    for i in range(5):
        recorder.record_event("match", {"correct": True, "gap": float("nan")}, sample_id=f"a.b.{i}")
    recorder.record_final_report({"accuracy": 1.0})
    received = receiver.ingested()["events"]
    assert [event["type"] for event in received] == ["match"] * 5 + ["final_report"]
    assert received[:-1] == logs.events(log)
    assert received[-1]["data"] == {"accuracy": 1.0}
    assert recorder.deliveries[0].delivered == 6


@pytest.mark.usefixtures("impatient")
def test_recorder_by_itself_warns(log: Path, caplog: pytest.LogCaptureFixture) -> None:
    recorder = HttpRecorder("http://127.0.0.1:9/ingest", _spec(), log)
    recorder.record_event("match", {"correct": True}, sample_id="a.b.0")
    recorder.record_final_report({"accuracy": 1.0})
    assert "2 of 2 events did not reach http://127.0.0.1:9/ingest (no connection)" in caplog.text
    assert len(logs.events(log)) == 1


def test_partial_batches_go_while_the_run_lasts(log: Path, receiver: LoopbackServer) -> None:
    recorder = Recorder(_spec(), path=log, sinks=[HttpSink(receiver.ingest_url, flush_seconds=0.05)])
    recorder.record_event("extra", 1, sample_id="a.b.0")
    _until(lambda: len(receiver.ingested()["events"]) == 1)
    recorder.close()


@pytest.mark.parametrize("way", ["hanging", "down"])
def test_abort_is_quick(log: Path, receiver: LoopbackServer, way: str) -> None:
    if way == "down":
        receiver.kill()
    else:
        receiver.configure(ingest_faults=[Fault("hang")])
    sink = HttpSink(receiver.ingest_url, batch_size=1, timeout=120, close_seconds=120)
    recorder = Recorder(_spec(), path=log, sinks=[sink])
    recorder.record_event("extra", 1, sample_id="a.b.0")
    if way == "hanging":
        _until(lambda: receiver.stats()["paths"].get("/ingest") == 1)
    began = time.monotonic()
    recorder.close()
    assert time.monotonic() - began < 10
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "aigc_evals-http")


def test_hanging_receiver_is_left(log: Path, receiver: LoopbackServer) -> None:
    """Batches that are taken and never answered are sent again under the same key, within the time there is."""
    receiver.configure(ingest_faults=[Fault("hang", accept=True)])
    sink = HttpSink(receiver.ingest_url, batch_size=2, timeout=0.2, close_seconds=1.0)
    recorder = Recorder(_spec(), path=log, sinks=[sink])
    for i in range(4):
        recorder.record_event("extra", i, sample_id=f"a.b.{i}")
    began = time.monotonic()
    recorder.record_final_report({})
    assert time.monotonic() - began < 30
    [told] = recorder.deliveries
    assert (told.delivered, told.failed) == (0, 5)
    assert "no reply within" in told.message
    receiver.configure(ingest_faults=[])
    assert replay(log, receiver.ingest_url, batch_size=3).failed == 0
    received = receiver.ingested()["events"]
    assert sorted(event["event_id"] for event in received) == [0, 1, 2, 3, 4]


def test_receivers_are_kept_apart(log: Path, receiver: LoopbackServer, loopback: LoopbackServer) -> None:
    recorder = HttpRecorder(receiver.ingest_url, _spec(), log)
    recorder.record_event("extra", 1, sample_id="a.b.0")
    recorder.record_final_report({"x": 1})
    assert replay(log, loopback.ingest_url).delivered == 2
    assert [(e["event_id"], e["type"]) for e in loopback.ingested()["events"]] == [
        (e["event_id"], e["type"]) for e in receiver.ingested()["events"]
    ]


def test_another_run_at_the_same_place(log: Path, receiver: LoopbackServer) -> None:
    """A ledger says nothing about a log that was put where its own has been."""
    for _ in range(2):
        log.unlink(missing_ok=True)
        recorder = HttpRecorder(receiver.ingest_url, _spec(), log)
        recorder.record_event("extra", 1, sample_id="a.b.0")
        recorder.record_final_report({})
    assert len(receiver.ingested()["events"]) == 4


def test_foreign_log(log: Path, receiver: LoopbackServer) -> None:
    """Spaces after colons, NaN, gaps between ids, no closing events, no ledger."""
    events = [{"run_id": "r1", "event_id": i, "sample_id": None, "type": "x", "data": float("nan")} for i in (0, 4, 7)]
    log.write_text("".join(json.dumps(line) + "\n" for line in [{"spec": {"run_id": "r1"}}, *events]), encoding="utf-8")
    told = replay(log, receiver.ingest_url, batch_size=2)
    assert (told.delivered, told.failed) == (3, 0)
    assert [(e["event_id"], e["data"]) for e in receiver.ingested()["events"]] == [(0, None), (4, None), (7, None)]
    assert replay(log, receiver.ingest_url).delivered == 0


def test_log_that_vanishes(log: Path, receiver: LoopbackServer) -> None:
    """Not even that is the delivery's business to fail for."""
    recorder = HttpRecorder(receiver.ingest_url, _spec(), log)
    recorder.record_event("extra", 1, sample_id="a.b.0")
    log.unlink()
    recorder.record_final_report({})
    assert "No such file" in recorder.deliveries[0].message


def test_one_delivery_at_a_time(log: Path, receiver: LoopbackServer) -> None:
    recorder = HttpRecorder(receiver.ingest_url, _spec(), log)
    recorder.record_event("extra", 1, sample_id="a.b.0")
    with pytest.raises(UsageError, match="delivery"):
        replay(log, receiver.ingest_url)
    recorder.close()
    assert replay(log, receiver.ingest_url).failed == 0


def test_password_in_the_url(home: Path, folder: Path, log: Path, receiver: LoopbackServer) -> None:
    """It is used, and never shown or kept."""
    receiver.configure(ingest_faults=[Fault("forbidden")])
    url = receiver.ingest_url.replace("//", "//me:hunter2hunter2@") + "?token=s3cr3ts3cr3t"
    finished = run(home, folder, log, url, 100, "--debug")
    assert finished.code == 1
    again = replayed(home, log, url)
    assert again.code == 1
    assert {request["authorized"] for request in receiver.requests()} == {False}
    assert {request["query"] for request in receiver.requests()} == {"token=s3cr3ts3cr3t"}
    kept = log.read_text("utf-8") + ledger_path(log).read_text("utf-8")
    for text in (kept, finished.out, finished.err, again.out, again.err):
        assert "hunter2" not in text
        assert "s3cr3t" not in text
    assert "[redacted]@127.0.0.1" in kept


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://h/p", "http://h/p"),
        ("https://u:p@h:8/p?a=b&c#d", "https://[redacted]@h:8/p?a=[redacted]&[redacted]"),
        ("http://u@h@i/", "http://[redacted]@i/"),
    ],
)
def test_masked(url: str, shown: str) -> None:
    assert masked(url) == shown


@pytest.mark.parametrize(
    "url", ["", "h/ingest", "ftp://h/", "http://", "http://h:port/", "http://u:secretpw@", "http://h/a b"]
)
def test_no_url(url: str, log: Path) -> None:
    with pytest.raises(UsageError) as error:
        HttpSink(url)
    assert "secretpw" not in str(error.value)
    with pytest.raises(UsageError):
        replay(log, url)


def test_no_log(home: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.jsonl"
    text.write_text("no log\n")
    for path in (tmp_path / "missing.jsonl", tmp_path, text):
        finished = replayed(home, path, "http://127.0.0.1:9/ingest")
        assert finished.code == 2
        assert str(path) in finished.message
    assert [path.name for path in tmp_path.iterdir() if "delivery" in path.name] == []


def test_a_run_that_never_began_leaves_nothing(log: Path, folder: Path, loopback: LoopbackServer) -> None:
    loopback.configure(faults=[Fault("auth")])
    environ = {"OPENAI_BASE_URL": loopback.base_url, "OPENAI_API_KEY": "wrong-key-0123456789"}
    with pytest.raises(UsageError):
        aigc_evals.run(
            "gpt-test",
            "many",
            registry_path=[folder],
            record_path=log,
            http_run=True,
            http_run_url=loopback.ingest_url,
            progress=False,
            environ=environ,
        )
    assert not log.exists()
    assert not ledger_path(log).exists()


def test_ranges() -> None:
    ranges = Ranges()
    for first, last in [(10, 19), (0, 4), (30, 30), (5, 9), (15, 25), (26, 29)]:
        ranges.add(first, last)
    assert [number for number in range(-5, 40) if number in ranges] == list(range(31))


def _spec() -> RunSpec:
    return RunSpec(["f"], "a.b", "a", "b", {}, "someone")


def _until(condition: Any, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)
