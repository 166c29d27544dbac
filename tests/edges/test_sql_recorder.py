"""Events on their way to databases that are fine, stopped, started again or never there, and runs killed meanwhile.

Whatever happens, in the end a database holds exactly the events of the log, each once, by the run itself or by ``replay``.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support import cli, logs, postgres
from support.registries import match_registry

from aigc_evals.base import Outcome, RunSpec
from aigc_evals.errors import UsageError
from aigc_evals.record import Recorder
from aigc_evals.sinks import courier
from aigc_evals.sinks.database import Database
from aigc_evals.sinks.ledger import ledger_path
from aigc_evals.sinks.sql import SqlSink, replay
from aigc_evals.testing import Fault, LoopbackServer

SAMPLES = 120
EVENTS = 3 * SAMPLES
SECRETS = ("geheim-9f3k", postgres.QUOTED, postgres.PASSWORD)

SMALL_BATCHES = """#!{python}
import sys
from aigc_evals.cli.{module} import main
from aigc_evals.sinks import courier
from aigc_evals.sinks.sql import SqlSink
if {impatient}:
    courier._FIRST_DELAY = courier._LONGEST_DELAY_AT_THE_END = 0.01
SqlSink.__init__.__kwdefaults__.update(batch_size=7, flush_seconds=0.05)
sys.exit(main())
"""
"""The command with batches so small that something is always on its way; ``impatient`` back-off takes no time."""


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Postgres]:
    bin = postgres.programs()
    if bin is None:
        assert os.environ.get("CI") != "true", "there is no PostgreSQL server to test with"
        pytest.skip("PostgreSQL's server is not installed (initdb is not found)")
    with postgres.server(bin) as running:
        yield running


@pytest.fixture(params=["postgresql", "sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that nobody has used, of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / '数据.db'}"
    made: str = request.getfixturevalue("server").new_database()
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry of one eval, ``many``, whose samples make three events each."""
    return match_registry(tmp_path_factory.mktemp("registry"), SAMPLES)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "run.jsonl"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, back-off takes next to no time."""
    monkeypatch.setattr(courier, "_FIRST_DELAY", 0.001)


@pytest.fixture
def program(tmp_path: Path) -> str:
    return _program(tmp_path / "program", "run", impatient=False)


@pytest.fixture
def impatient_run(tmp_path: Path) -> str:
    return _program(tmp_path / "impatient_run", "run", impatient=True)


@pytest.fixture
def impatient_replay(tmp_path: Path) -> str:
    return _program(tmp_path / "impatient_replay", "main", impatient=True)


def _program(path: Path, module: str, *, impatient: bool) -> str:
    path.write_text(SMALL_BATCHES.format(python=sys.executable, module=module, impatient=impatient), encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def command(folder: Path, log: Path, url: str, *more: object) -> list[object]:
    paths = ["--registry_path", folder, "--record_path", log]
    return ["gpt-test", "many", *paths, "--sql-run", "--sql-run-url", url, "--json", *more]


def replayed(home: Path, log: Path, url: str, program: str = "aigc_evals") -> cli.Finished:
    return cli.run("replay", log, "--sql-run-url", url, env=cli.environment(home), program=program)


def delivery(finished: cli.Finished) -> dict[str, Any]:
    [told] = finished.report["delivery"]
    return dict(told)


def rows(url: str, query: str) -> list[Any]:
    """What a database says, without the package's own code or SQLAlchemy."""
    if url.startswith("sqlite:///"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            return connection.execute(query).fetchall()
    import psycopg

    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        return connection.execute(query).fetchall()


def run_of(url: str, run_id: str) -> dict[str, Any]:
    names = "eval_name, base_eval, split, completion_fns, created_by, created_at, spec, final_report, event_count"
    [row] = rows(url, f"SELECT {names} FROM runs WHERE run_id = '{run_id}'")
    return dict(zip(names.split(", "), row, strict=True))


def events_of(url: str, run_id: str) -> list[dict[str, Any]]:
    names = "event_id, sample_id, type, data, created_by, created_at"
    found = rows(url, f"SELECT {names} FROM events WHERE run_id = '{run_id}' ORDER BY event_id")
    events = [{"run_id": run_id, **dict(zip(names.split(", "), row, strict=True))} for row in found]
    return [{**event, "data": json.loads(event["data"])} for event in events]


def check_kept(url: str, log: Path) -> None:
    """A database holds the run of a finished log and its events as they stand there, each once and nothing else."""
    lines = logs.lines(log)
    spec = lines[0]["spec"]
    kept = events_of(url, spec["run_id"])
    assert kept == logs.events(log)
    run = run_of(url, spec["run_id"])
    assert json.loads(run["spec"]) == spec
    assert json.loads(run["completion_fns"]) == spec["completion_fns"]
    for name in ("eval_name", "base_eval", "split", "created_by", "created_at"):
        assert run[name] == spec[name], name
    report = logs.final_report(log)
    assert report is not None
    without = {key: value for key, value in report.items() if key not in ("delivery", "problems")}
    assert json.loads(run["final_report"]) == without
    assert run["event_count"] == len(kept)


# -- runs that are killed -------------------------------------------------------------------------------------------


def test_killed_at_many_moments_and_continued(
    home: Path, folder: Path, log: Path, url: str, program: str, loopback: LoopbackServer
) -> None:
    """kill -9 while batches are on their way; notes beside the log that are torn or gone change nothing."""
    loopback.configure(latency=0.02)
    env = cli.environment(home, loopback.base_url, EVALS_THREADS="2")
    here = 0
    for samples in (3, 17, 31, 46, 60, 75, 90):
        process = cli.start(*command(folder, log, url), env=env, program=program)
        _wait(process, log, samples)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        notes = ledger_path(log, "sql")
        if samples == 31:
            notes.write_bytes(notes.read_bytes()[:-20])
        if samples == 60:
            notes.unlink()
        if samples > 3:
            [(here,)] = rows(url, "SELECT count(*) FROM events")
    assert 0 < here < EVENTS
    finished = cli.run(*command(folder, log, url), env=env, program=program)
    assert finished.code == 0, finished.err
    assert len(logs.outcomes(log)) == SAMPLES
    check_kept(url, log)
    assert delivery(finished) == {
        "name": "sql",
        "delivered": EVENTS + 1,
        "failed": 0,
        "over_threshold": False,
        "message": "",
    }


def test_killed_and_replayed(
    home: Path, folder: Path, log: Path, url: str, program: str, loopback: LoopbackServer
) -> None:
    """What an unfinished log holds is brought to the database; a run that goes on from there finds it."""
    loopback.configure(latency=0.02)
    env = cli.environment(home, loopback.base_url, EVALS_THREADS="2")
    process = cli.start(*command(folder, log, url), env=env, program=program)
    _wait(process, log, 40)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert replayed(home, log, url).code == 0
    run_id = logs.events(log)[0]["run_id"]
    assert events_of(url, run_id) == logs.events(log)
    assert run_of(url, run_id)["final_report"] is None
    assert cli.run(*command(folder, log, url), env=env, program=program).code == 0
    check_kept(url, log)


def test_interrupted_and_continued(
    home: Path, folder: Path, log: Path, url: str, program: str, loopback: LoopbackServer
) -> None:
    """A report that was only of a part is there until the run is taken up again."""
    loopback.configure(latency=0.02)
    env = cli.environment(home, loopback.base_url, EVALS_THREADS="2")
    process = cli.start(*command(folder, log, url), env=env, program=program)
    _wait(process, log, 30)
    os.kill(process.pid, signal.SIGINT)
    assert cli.finish(process).code == 130
    check_kept(url, log)
    run_id = logs.events(log)[0]["run_id"]
    before = run_of(url, run_id)
    assert json.loads(before["final_report"])["partial"]
    process = cli.start(*command(folder, log, url), env=env, program=program)
    _wait(process, log, before["event_count"] // 3 + 20)
    assert run_of(url, run_id)["final_report"] is None
    assert cli.finish(process).code == 0
    check_kept(url, log)
    again = cli.run(*command(folder, log, url), env=env, program=program)
    assert (again.code, delivery(again)["delivered"]) == (0, EVENTS + 1)
    check_kept(url, log)


def test_samples_asked_again_replace_what_was_kept_of_them(log: Path, url: str) -> None:
    first = Outcome.ERROR

    def part(outcomes: dict[str, Outcome], report: dict[str, Any]) -> None:
        recorder = Recorder(_spec(), path=log, sinks=[SqlSink(url, batch_size=1)], retry_outcomes=["error"])
        recorder.start(3)
        for sample_id, outcome in outcomes.items():
            recorder.end(recorder.begin(sample_id), outcome, 0.0)
        recorder.record_final_report(report)
        assert recorder.deliveries[0].failed == 0
        check_kept(url, log)

    part({"a.b.0": Outcome.SCORED, "a.b.1": first, "a.b.2": Outcome.SCORED}, {"part": 1})
    part({"a.b.1": Outcome.SCORED}, {"part": 2})
    assert {event["data"]["outcome"] for event in logs.events(log)} == {"scored"}


def test_ids_that_are_used_again_after_the_notes_were_lost(log: Path, url: str) -> None:
    """The log without its notes gives the id of a dropped event to another one: the database gets the log's."""
    for outcome, sinks in ((Outcome.ERROR, [SqlSink(url)]), (Outcome.SCORED, [])):
        recorder = Recorder(_spec(), path=log, sinks=sinks, retry_outcomes=["error"])
        recorder.start(1)
        recorder.end(recorder.begin("a.b.0"), outcome, 0.0)
        recorder.record_final_report({"outcome": outcome.value})
        ledger_path(log, "sql").unlink(missing_ok=True)
    assert [event["event_id"] for event in logs.events(log)] == [0]
    assert replay(log, url).failed == 0
    check_kept(url, log)


def test_a_commit_that_came_late(log: Path, url: str) -> None:
    """What a killed process had on its way when the run was continued without it does not stay either."""
    recorder = Recorder(_spec(), path=log, sinks=[SqlSink(url, flush_seconds=0.05)])
    recorder.record_event("extra", 1, sample_id="a.b.0")
    _until(lambda: rows(url, "SELECT count(*) FROM events") == [(1,)])
    engine = Database(url).engine
    with engine.begin() as connection:
        copied = "INSERT INTO events (run_id, event_id, data) SELECT run_id, event_id + 70, data FROM events"
        connection.exec_driver_sql(copied)
    engine.dispose()
    recorder.record_final_report({"x": 1})
    check_kept(url, log)


# -- databases that are not always there ----------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_server_is_stopped_and_started_during_a_run(
    home: Path, folder: Path, log: Path, server: postgres.Postgres, program: str, loopback: LoopbackServer, mode: str
) -> None:
    url = server.new_database()
    loopback.configure(latency=0.02)
    env = cli.environment(home, loopback.base_url, EVALS_THREADS="1")
    process = cli.start(*command(folder, log, url), env=env, program=program)
    for samples in (20, 50):
        _wait(process, log, samples)
        server.stop(mode)
        _wait(process, log, samples + 15)
        server.start()
    finished = cli.finish(process)
    assert finished.code == 0, finished.err
    check_kept(url, log)


@pytest.mark.parametrize(("threshold", "code"), [(5, 1), (100, 0)])
def test_server_is_never_there(
    home: Path,
    folder: Path,
    log: Path,
    server: postgres.Postgres,
    loopback: LoopbackServer,
    impatient_run: str,
    impatient_replay: str,
    threshold: int,
    code: int,
) -> None:
    url = server.new_database()
    server.stop()
    try:
        limit = ("--http-fail-percent-threshold", threshold)
        finished = cli.run(
            *command(folder, log, url, *limit), env=cli.environment(home, loopback.base_url), program=impatient_run
        )
        failed = replayed(home, log, url, impatient_replay)
    finally:
        server.start()
    assert finished.code == code, finished.err
    told = delivery(finished)
    assert (told["delivered"], told["failed"], told["over_threshold"]) == (0, EVENTS + 1, bool(code))
    assert "Connection refused" in told["message"]
    assert f"aigc_evals replay {log} --sql-run-url '{server.url('X', password='***')[:-1]}" in told["message"]
    assert "cannot be reached" in finished.err
    assert finished.report["outcomes"]["scored"] == SAMPLES
    assert failed.code == 1
    for sent in (EVENTS + 1, 0):
        again = replayed(home, log, url)
        assert again.code == 0, again.err
        assert f"{sent} events delivered, 0 not." in again.out
    check_kept(url, log)


@pytest.mark.usefixtures("impatient")
def test_what_cannot_be_asked_is_not_said_to_be_complete(log: Path, server: postgres.Postgres) -> None:
    url = server.new_database()
    _recorded(log, url, [1, 2])
    server.stop()
    try:
        told = replay(log, url)
    finally:
        server.start()
    assert (told.delivered, told.failed, told.over_threshold) == (0, 0, True)
    assert "could not be asked" in told.message


def test_a_database_that_lost_rows_gets_them_again(log: Path, url: str) -> None:
    """The notes say that all was taken; the database knows better."""
    _recorded(log, url, list(range(20)))
    check_kept(url, log)
    for lost in ("DELETE FROM events WHERE event_id BETWEEN 3 AND 7", "DELETE FROM runs", "DROP TABLE events"):
        engine = Database(url).engine
        with engine.begin() as connection:
            connection.exec_driver_sql(lost)
        engine.dispose()
        assert replay(log, url, batch_size=4).failed == 0
        check_kept(url, log)


class CutAfterCommit:
    """A connection to a server that breaks when events are committed, before the answer comes back: ``times`` times."""

    def __init__(self, port: int, times: int) -> None:
        self._target = port
        self.left = times
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            there = socket.create_connection(("127.0.0.1", self._target))
            for work in (self._forth, self._back):
                self._threads.append(threading.Thread(target=work, args=(client, there), daemon=True))
                self._threads[-1].start()

    def _forth(self, client: socket.socket, there: socket.socket) -> None:
        writing = False
        with client, there:
            try:
                while data := client.recv(1 << 16):
                    writing = writing or b"INSERT INTO events" in data
                    if writing and b"COMMIT" in data and self.left > 0:
                        self.left -= 1
                        client.shutdown(socket.SHUT_RDWR)
                        there.sendall(data)
                        # The server has its time to commit.
                        time.sleep(0.2)
                        return
                    there.sendall(data)
            except OSError:
                return

    def _back(self, client: socket.socket, there: socket.socket) -> None:
        try:
            while data := there.recv(1 << 16):
                client.sendall(data)
        except OSError:
            return

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)


@pytest.mark.usefixtures("impatient")
def test_the_answer_to_a_commit_is_lost(log: Path, server: postgres.Postgres) -> None:
    url = server.new_database()
    _recorded(log, f"sqlite:///{log.parent / 'unused.db'}", list(range(60)))
    wire = CutAfterCommit(server.port, times=8)
    try:
        name = url.rpartition("/")[2]
        told = replay(log, server.url(name, port=wire.port) + "?sslmode=disable&gssencmode=disable", batch_size=5)
    finally:
        wire.close()
    assert wire.left == 0
    assert (told.failed, told.delivered) == (0, 61)
    check_kept(url, log)


# -- several runs ---------------------------------------------------------------------------------------------------


def test_runs_that_start_at_the_same_time_share_a_new_database(
    home: Path, tmp_path: Path, folder: Path, url: str, program: str, loopback: LoopbackServer
) -> None:
    env = cli.environment(home, loopback.base_url, EVALS_THREADS="2")
    paths = [tmp_path / f"{i}.jsonl" for i in range(3)]
    processes = [cli.start(*command(folder, path, url), env=env, program=program) for path in paths]
    for finished in [cli.finish(process) for process in processes]:
        assert finished.code == 0, finished.err
    for path in paths:
        check_kept(url, path)
    assert rows(url, "SELECT count(*) FROM events") == [(3 * EVENTS,)]


def test_many_make_the_tables_at_once(server: postgres.Postgres) -> None:
    failures: list[BaseException] = []
    for _ in range(3):
        url = server.new_database()
        barrier = threading.Barrier(8)

        def work(url: str = url, barrier: threading.Barrier = barrier) -> None:
            database = Database(url)
            try:
                with database.engine.connect() as connection:
                    barrier.wait()
                    database.prepare(connection)
            except BaseException as error:
                failures.append(error)
            finally:
                database.engine.dispose()

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []


def test_a_set_goes_into_one_database(home: Path, tmp_path: Path, url: str) -> None:
    done = cli.run(
        "dummy",
        "test",
        "--record_path",
        tmp_path / "logs",
        "--sql-run",
        "--max_samples",
        2,
        env=cli.environment(home, AIGC_EVALS_SQL_URL=url),
        program=cli.SET,
    )
    assert done.code in (0, 1), done.err
    paths = [path for path in (tmp_path / "logs").glob("*.jsonl") if "delivery" not in path.name]
    assert len(paths) > 1
    for path in paths:
        check_kept(url, path)


def test_to_a_service_and_a_database_at_the_same_time(
    home: Path, folder: Path, log: Path, url: str, loopback: LoopbackServer
) -> None:
    both = ("--http-run", "--http-run-url", loopback.ingest_url)
    finished = cli.run(*command(folder, log, url, *both), env=cli.environment(home, loopback.base_url))
    assert finished.code == 0, finished.err
    assert [told["failed"] for told in finished.report["delivery"]] == [0, 0]
    check_kept(url, log)
    assert len(loopback.ingested()["events"]) == EVENTS + 1
    again = cli.run(
        "replay",
        log,
        "--url",
        loopback.ingest_url,
        "--sql-run-url",
        url,
        env=cli.environment(home),
        program="aigc_evals",
    )
    assert (again.code, again.out.count("had all 361 events already")) == (0, 2)


# -- what is kept ---------------------------------------------------------------------------------------------------

ODD = [
    "问题：对吗？𠮷 🎈",
    "\0nul\0 in the midst",
    "lone \ud83d and \udc00",
    float("nan"),
    float("-inf"),
    10**40,
    -(2**63) - 1,
    1e308,
    "x" * 3_000_000,
    {"\0": {"键\ud800": [None, True, '"\\\u2028']}},
    "%s %(a)s :name ? $1 '; DROP TABLE runs; --",
]


def test_any_value_is_kept_as_it_is_in_the_log(log: Path, url: str) -> None:
    _recorded(log, url, ODD)
    check_kept(url, log)
    assert len(logs.events(log)) == len(ODD)


def test_names_that_no_database_takes_stand_as_escapes(log: Path, url: str) -> None:
    recorder = Recorder(
        RunSpec(["f\0"], "a\0.b", "a", "b", {"x": "\0"}, "某人\0\ud83d"), path=log, sinks=[SqlSink(url)]
    )
    recorder.record_event("ty\0pe", 1, sample_id="样本.\0.\udfff")
    recorder.record_final_report({"x\0": "\ud83d"})
    assert recorder.deliveries[0].failed == 0
    assert rows(url, "SELECT sample_id, type, created_by FROM events") == [
        ("样本.\\u0000.\\udfff", "ty\\u0000pe", "某人\\u0000\\ud83d")
    ]
    [(name, spec, report)] = rows(url, "SELECT eval_name, spec, final_report FROM runs")
    assert name == "a\\u0000.b"
    assert json.loads(spec) == logs.lines(log)[0]["spec"]
    assert json.loads(report) == {"x\0": "\ud83d"}


def test_the_database_can_be_asked_with_sql(home: Path, folder: Path, log: Path, server: postgres.Postgres) -> None:
    url = server.new_database()
    run = ["baseline/lexical", "BoolQ_match", "--record_path", log, "--sql-run", "--json"]
    finished = cli.run(*run, env=cli.environment(home, AIGC_EVALS_SQL_URL=url))
    assert finished.code == 0, finished.err
    query = "SELECT avg((data::json->>'correct')::boolean::int) FROM events WHERE type = 'match'"
    assert float(rows(url, query)[0][0]) == pytest.approx(finished.report["accuracy"])
    _recorded(log.with_name("odd.jsonl"), url, [{"value": value} for value in ODD])
    query = r"SELECT count(*), count(data::json->>'value') FROM events WHERE type = 'extra' AND data !~ '\\u(0000|d[89a-f])'"
    assert rows(url, query) == [(len(ODD) - 3, len(ODD) - 5)], "three have such characters, two are null"


def test_a_foreign_log(log: Path, url: str) -> None:
    """Spaces after colons, NaN, gaps between ids, missing and unusual fields."""
    spec = {"run_id": "r1", "eval_name": None, "completion_fns": ["f"]}
    events = [{"run_id": "r1", "event_id": i, "sample_id": 7, "type": "x", "created_at": 1.5} for i in (0, 4, 7)]
    log.write_text("".join(json.dumps(line) + "\n" for line in [{"spec": spec}, *events]), encoding="utf-8")
    assert replay(log, url, batch_size=2).delivered == 3
    assert rows(url, "SELECT event_id, sample_id, data, created_at FROM events ORDER BY 1") == [
        (i, "7", "null", "1.5") for i in (0, 4, 7)
    ]
    assert replay(log, url).delivered == 0


# -- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("CREATE TABLE events (id INTEGER, what TEXT)", "it has no column created_at, created_by, data, event_id"),
        (
            "CREATE TABLE runs (run_id VARCHAR(9), eval_name TEXT, base_eval TEXT, split TEXT, completion_fns TEXT,"
            " created_by TEXT, created_at TEXT, spec TEXT, final_report TEXT, event_count INTEGER, more TEXT NOT NULL)",
            "it demands values for more",
        ),
    ],
)
def test_other_tables_of_these_names_are_refused_before_anything_is_asked(
    home: Path, folder: Path, log: Path, url: str, loopback: LoopbackServer, table: str, said: str
) -> None:
    engine = Database(url).engine
    with engine.begin() as connection:
        connection.exec_driver_sql(table)
    engine.dispose()
    finished = cli.run(*command(folder, log, url), env=cli.environment(home, loopback.base_url))
    assert finished.code == 2
    assert "is not ours" in finished.message
    assert said in finished.message
    assert loopback.stats()["requests"] == 0
    assert not log.exists()
    assert not ledger_path(log, "sql").exists()


def test_no_right_to_make_tables(
    home: Path, folder: Path, log: Path, server: postgres.Postgres, loopback: LoopbackServer
) -> None:
    url = server.new_database()
    engine = Database(url).engine
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP ROLE IF EXISTS reader")
        connection.exec_driver_sql("CREATE ROLE reader LOGIN PASSWORD 'readerreader'")
    engine.dispose()
    finished = cli.run(
        *command(folder, log, url.replace("tester:" + postgres.QUOTED, "reader:readerreader")),
        env=cli.environment(home, loopback.base_url),
    )
    assert finished.code == 2
    assert "permission denied for schema public" in finished.message
    assert "readerreader" not in finished.message


def test_a_run_that_never_began_leaves_nothing(
    home: Path, folder: Path, log: Path, url: str, loopback: LoopbackServer
) -> None:
    loopback.configure(faults=[Fault("auth")])
    finished = cli.run(*command(folder, log, url), env=cli.environment(home, loopback.base_url, OPENAI_API_KEY="wrong"))
    assert finished.code == 2
    assert not log.exists()
    assert not ledger_path(log, "sql").exists()
    assert rows(url, "SELECT * FROM runs") == rows(url, "SELECT * FROM events") == []


def test_a_database_must_be_named(home: Path, folder: Path, log: Path) -> None:
    run = ["dummy", "many", "--registry_path", folder, "--record_path", log, "--sql-run"]
    finished = cli.run(*run, env=cli.environment(home))
    assert finished.code == 2
    assert "sql-run-url" in finished.message
    assert "AIGC_EVALS_SQL_URL" in finished.message
    nowhere = cli.run("replay", log, env=cli.environment(home), program="aigc_evals")
    assert nowhere.code == 2


@pytest.mark.parametrize("way", ["flag", "variable"])
@pytest.mark.parametrize("there", [True, False])
def test_the_password_is_nowhere(
    home: Path,
    tmp_path: Path,
    folder: Path,
    log: Path,
    server: postgres.Postgres,
    impatient_run: str,
    impatient_replay: str,
    way: str,
    there: bool,
) -> None:
    """It is used; no log, note, message, report, nor anything else shows it, whatever happens."""
    url = server.new_database()
    if not there:
        url = server.url("missing")
    run: list[object] = ["dummy", "many", "--registry_path", folder, "--record_path", log, "--sql-run", "--debug"]
    env = cli.environment(home)
    again: list[object] = ["replay", log]
    if way == "flag":
        run += ["--sql-run-url", url]
        again += ["--sql-run-url", url]
    else:
        env["AIGC_EVALS_SQL_URL"] = url
    finished = cli.run(*run, env=env, program=impatient_run)
    assert finished.code == int(not there), finished.err
    second = cli.run(*again, env=env, program=impatient_replay)
    assert second.code == int(not there), second.err
    written = [path.read_text("utf-8") for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) >= 1 + there
    for text in (*written, finished.out, finished.err, second.out, second.err):
        for secret in SECRETS:
            assert secret not in text
    if there:
        check_kept(url, log)


# -- the time it takes ----------------------------------------------------------------------------------------------


def test_a_server_that_says_nothing_holds_nothing_up(log: Path) -> None:
    """Its connection is taken and never answered."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        url = f"postgresql://me:hunter2hunter2@127.0.0.1:{port}/x?connect_timeout=2"
        began = time.monotonic()
        recorder = Recorder(_spec(), path=log, sinks=[SqlSink(url, close_seconds=1.0)])
        recorder.record_event("extra", 1, sample_id="a.b.0")
        recorder.record_final_report({"x": 1})
        assert time.monotonic() - began < 30
    assert recorder.deliveries[0].failed == 2
    assert len(logs.events(log)) == 1
    _until(lambda: not any(thread.name == "aigc_evals-sql" for thread in threading.enumerate()))


def test_a_locked_database_is_waited_for(log: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'events.db'}"
    _recorded(log, url, [1])
    with closing(sqlite3.connect(tmp_path / "events.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        recorder = Recorder(_spec(), path=log.with_name("two.jsonl"), sinks=[SqlSink(url)])
        recorder.record_event("extra", 1, sample_id="a.b.0")
        time.sleep(0.5)
        other.execute("COMMIT")
        recorder.record_final_report({"x": 1})
    assert recorder.deliveries[0].failed == 0
    check_kept(url, log.with_name("two.jsonl"))


# -- Snowflake, imitated --------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore")
def test_snowflake(log: Path) -> None:
    fakesnow = pytest.importorskip("fakesnow", reason="fakesnow, which imitates Snowflake, is not installed")
    try:
        Database("snowflake://me:hunter2hunter2@account/d/s")
    except UsageError as error:
        pytest.skip(f"Snowflake's dialect cannot be used here: {error.message}")
    url = "snowflake://me:hunter2hunter2@account/db1/schema1?warehouse=w"
    _recorded(log, f"sqlite:///{log.parent / 'unused.db'}", ODD)
    with fakesnow.patch():
        import snowflake.connector

        assert replay(log, url, batch_size=4).delivered == len(ODD) + 1
        assert replay(log, url).delivered == 0
        with snowflake.connector.connect(database="db1", schema="schema1") as connection:
            cursor = connection.cursor()
            cursor.execute("SELECT event_id, sample_id, type, data FROM events ORDER BY event_id")
            kept = [(number, sample, kind, json.loads(data)) for number, sample, kind, data in cursor.fetchall()]
            report = cursor.execute("SELECT final_report, event_count FROM runs").fetchall()
    assert kept == [(e["event_id"], e["sample_id"], e["type"], e["data"]) for e in logs.events(log)]
    assert [(json.loads(text), count) for text, count in report] == [({"x": 1}, len(ODD))]


def _recorded(log: Path, url: str, values: list[Any]) -> None:
    """The log of a run that recorded these values, delivered to a database."""
    recorder = Recorder(_spec(), path=log, sinks=[SqlSink(url, batch_size=4)])
    for i, value in enumerate(values):
        recorder.record_event("extra", value, sample_id=f"a.b.{i}")
    recorder.record_final_report({"x": 1})
    assert recorder.deliveries[0].failed == 0, recorder.deliveries


def _spec() -> RunSpec:
    return RunSpec(["f"], "a.b", "a", "b", {}, "someone")


def _wait(process: subprocess.Popen[str], log: Path, samples: int) -> None:
    """Wait until a run that goes on has brought its log to so many samples."""
    end = time.monotonic() + 30
    while logs.finished_samples(log) < samples:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, f"{log} did not come to {samples} samples"
        time.sleep(0.005)


def _until(condition: Any, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)
