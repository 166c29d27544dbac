"""Keeps a run's events in the tables ``runs`` and ``events`` of a database, in batches of one transaction each.

The database itself says what it has of a run, so that nothing is there twice, even if the answer to a commit was lost; and
when it is met again after a run was continued, rows of events that are no longer in the log go.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aigc_evals.errors import UsageError
from aigc_evals.fastjson import decode, encode
from aigc_evals.log import read_report, read_spec
from aigc_evals.sinks import Delivery
from aigc_evals.sinks.carrier import Answer, How, Known, Run
from aigc_evals.sinks.courier import as_sent, digest
from aigc_evals.sinks.database import KEY, Database, storable
from aigc_evals.sinks.delivery import DeliverySink, at_least_one, deliver_log
from aigc_evals.sinks.ledger import Batch, Ranges

if TYPE_CHECKING:
    from sqlalchemy import Connection

_READ_AT_ONCE = 10_000
_SOON = re.compile(r"starting up|recovery mode|not yet accepting connections|too many clients")
"""What a server says that is there and will be of use; PostgreSQL gives no code to those who are not connected yet."""


class SqlSink(DeliverySink):
    """Delivers to the database at ``url`` while the run goes on, in a thread that reads the log.

    A batch is one transaction; one that is not full goes after ``flush_seconds``. ``max_retries``, ``close_seconds`` and
    ``fail_percent_threshold`` as for ``HttpSink``.
    """

    def __init__(
        self,
        url: str,
        *,
        batch_size: int = 500,
        fail_percent_threshold: float = 5,
        max_retries: int = 5,
        flush_seconds: float = 1.0,
        close_seconds: float = 30.0,
    ) -> None:
        how = How(at_least_one(batch_size, "batch_size"), max_retries, flush_seconds)
        carrier = _SqlCarrier(Database(url))
        super().__init__(carrier, how, fail_percent_threshold=fail_percent_threshold, close_seconds=close_seconds)


def replay(log_path: str | Path, url: str, *, batch_size: int = 500, max_retries: int = 5) -> Delivery:
    """Bring the database at ``url`` to what a log holds, its report included; says what this call delivered.

    Ends early when the database cannot be reached, and can be called again. UsageError for what is not a log, not the URL
    of a database, or a database with other tables.
    """
    how = How(at_least_one(batch_size, "batch_size"), max_retries)
    return deliver_log(log_path, _SqlCarrier(Database(url)), how)


class _SqlCarrier:
    """Writes batches over one connection."""

    name = "sql"
    flag = "--sql-run-url"

    def __init__(self, database: Database) -> None:
        self.key = database.key
        self.shown = database.shown
        self._database = database
        self._run: Run | None = None
        self._run_id = ""
        self._introduced = False

    def meet(self, run: Run) -> Answer:
        self._run, self._run_id = run, str(run.spec["run_id"])
        try:
            with self._database.engine.connect() as connection:
                self._database.prepare(connection)
                with connection.begin():
                    events = self._tidied(connection, run.free_id)
                    report = self._report(connection, run.log_path)
        except UsageError:
            raise
        except Exception as error:
            answer = self._failure(error)
            if not answer.passing:
                raise UsageError(f"{self.shown} cannot be used: {answer.reason}", key=KEY) from None
            return answer
        return Answer(True, known=Known(events, report))

    def send(self, batch: Batch, body: bytes, seconds: float) -> Answer:
        try:
            with self._database.engine.begin() as connection:
                self._introduce(connection)
                if batch.report is not None:
                    self._write_report(connection, batch, body)
                else:
                    self._write_events(connection, batch, body)
        except Exception as error:
            return self._failure(error)
        self._introduced = True
        return Answer(True)

    def close(self) -> None:
        self._database.engine.dispose()

    # -- within a transaction -----------------------------------------------------------------------------------

    def _tidied(self, connection: Connection, below: float) -> Ranges:
        """The ids of the run's events that are here, once those that the log does not hold are gone.

        What stands here with an id that the ledger never heard of belongs to a ledger that was lost; its id may have been
        given again since.
        """
        from sqlalchemy import bindparam, delete, select

        events = self._database.events
        mine = events.c.run_id == self._run_id
        kept, strays = Ranges(), Ranges()
        held: Ranges | None = None
        query = select(events.c.event_id).where(mine).order_by(events.c.event_id)
        for number in connection.execute(query, execution_options={"yield_per": _READ_AT_ONCE}).scalars():
            if held is None:
                held = self._run.ids() if self._run is not None else Ranges()
            (kept if number < below and number in held else strays).add(number, number)
        between = events.c.event_id.between(bindparam("first"), bindparam("last"))
        ranges = [{"first": first, "last": last} for first, last in strays]
        if ranges:
            connection.execute(delete(events).where(mine, between), ranges)
        return kept

    def _report(self, connection: Connection, log_path: Path) -> str | None:
        """The digest of the report that is here; none is of a run that has been taken up again since."""
        from sqlalchemy import select, update

        runs = self._database.runs
        mine = runs.c.run_id == self._run_id
        row = connection.execute(select(runs.c.final_report).where(mine)).first()
        self._introduced = row is not None
        if row is None or row[0] is None:
            return None
        report = str(row[0]).encode("utf-8", "surrogatepass")
        if report == encode(as_sent(read_report(log_path))):
            return digest(report)
        connection.execute(update(runs).where(mine).values(final_report=None, event_count=None))
        return None

    def _introduce(self, connection: Connection) -> None:
        """The row of the run, with its first batch: one that never began leaves none."""
        from sqlalchemy import insert, select

        runs = self._database.runs
        if self._introduced or self._run is None:
            return
        if connection.execute(select(runs.c.run_id).where(runs.c.run_id == self._run_id)).first() is not None:
            return
        spec = read_spec(self._run.log_path) or self._run.spec
        row = {
            name: storable(spec.get(name)) for name in ("eval_name", "base_eval", "split", "created_by", "created_at")
        }
        row["run_id"] = self._run_id
        row["completion_fns"] = _json(spec.get("completion_fns"))
        row["spec"] = _json(spec)
        connection.execute(insert(runs), [row])

    def _write_events(self, connection: Connection, batch: Batch, body: bytes) -> None:
        from sqlalchemy import insert, select

        events = self._database.events
        mine = events.c.run_id == self._run_id
        # The answer to an earlier attempt may have been lost, and not its commit.
        there = set(
            connection.execute(
                select(events.c.event_id).where(mine, events.c.event_id.between(batch.first, batch.last))
            ).scalars()
        )
        rows = [self._row(event) for event in decode(body) if event["event_id"] not in there]
        if rows:
            connection.execute(insert(events), rows)

    def _row(self, event: dict[str, Any]) -> dict[str, Any]:
        row: dict[str, Any] = {
            name: storable(event.get(name)) for name in ("sample_id", "type", "created_by", "created_at")
        }
        return {"run_id": self._run_id, "event_id": event["event_id"], "data": _json(event.get("data")), **row}

    def _write_report(self, connection: Connection, batch: Batch, body: bytes) -> None:
        from sqlalchemy import func, select, update

        runs, events = self._database.runs, self._database.events
        [event] = decode(body)
        connection.execute(
            update(runs)
            .where(runs.c.run_id == self._run_id)
            .values(final_report=_json(event["data"]), event_count=batch.total)
        )
        here = connection.execute(select(func.count()).where(events.c.run_id == self._run_id)).scalar_one()
        if here != batch.total:
            # The transaction of a process that was killed may have gone through after this one first looked.
            self._tidied(connection, float("inf"))

    # -- what went wrong ----------------------------------------------------------------------------------------

    def _failure(self, error: Exception) -> Answer:
        from sqlalchemy import exc

        if isinstance(error, exc.DBAPIError):
            lasting = isinstance(error, exc.DatabaseError) and not isinstance(
                error, (exc.OperationalError, exc.IntegrityError, exc.InternalError)
            )
        else:
            lasting = not isinstance(error, (OSError, exc.TimeoutError, exc.DisconnectionError))
        reason = self._database.reason(error)
        return Answer(False, not lasting, reason, alive=_SOON.search(reason) is not None)


def _json(value: Any) -> str:
    return encode(value).decode("utf-8")
