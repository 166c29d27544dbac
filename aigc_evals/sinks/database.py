"""A database by its URL: how it is connected to, what may be shown of it, and the two tables that runs are kept in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from aigc_evals.errors import UsageError
from aigc_evals.files import is_folder
from aigc_evals.redact import Redactor, url_secrets

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine

KEY = "sql-run-url"
_FORMS = "Write it as postgresql://host/database, with USER:PASSWORD@ before the host, or sqlite:///folder/file.db."
_INSTALL = {"psycopg": '"aigc_evals[postgresql]"', "snowflake": '"aigc_evals[snowflake]"', "MySQLdb": "mysqlclient"}
"""What to install for a module that a dialect needs, where that is named otherwise."""

_CONNECT: dict[str, dict[str, Any]] = {
    "psycopg": {
        "connect_timeout": 10,
        "tcp_user_timeout": 30_000,
        "client_encoding": "utf8",
        # Servers behind a pool of connections (pgbouncer) lose prepared statements.
        "prepare_threshold": None,
    },
    "pymysql": {"connect_timeout": 10},
    "pysqlite": {"timeout": 20},
    "snowflake": {"login_timeout": 20},
}
"""Arguments of a driver unless the URL has its own: nobody waits for ever."""

_TRIES_TO_CREATE = 5


class Database:
    """An engine and the tables ``runs`` and ``events``. Nothing is connected to before it is used.

    UsageError for what is no URL, a kind of database that is not known, and a driver that is not installed. ``key`` is the
    same whatever the password, ``shown`` has neither password nor query.
    """

    def __init__(self, url: str) -> None:
        parsed = _parsed(url)
        self.key = parsed.render_as_string(hide_password=True)
        self.shown = _shown(parsed)
        self._redactor = Redactor([*url_secrets(url), parsed.password or ""])
        self.engine = _engine(parsed)
        self.runs, self.events = _tables()

    def prepare(self, connection: Connection) -> None:
        """Make the tables where they are missing; UsageError where there are others of these names."""
        from sqlalchemy import inspect
        from sqlalchemy.exc import DBAPIError

        for attempt in range(_TRIES_TO_CREATE):
            try:
                with connection.begin():
                    self.runs.metadata.create_all(connection)
                break
            except DBAPIError:
                # Another run that starts now may have made them between the look and the making.
                if attempt + 1 == _TRIES_TO_CREATE:
                    raise
        with connection.begin():
            inspector = inspect(connection)
            for table in (self.runs, self.events):
                self._check(table, inspector.get_columns(table.name))

    def _check(self, table: Any, found: list[Any]) -> None:
        there = {str(column["name"]).lower(): column for column in found}
        ours = {column.name for column in table.columns}
        missing = sorted(ours - set(there))
        demanded = sorted(
            name
            for name, column in there.items()
            if name not in ours
            and not (column.get("nullable", True) or column.get("default") or column.get("autoincrement") is True)
        )
        wrong = [f"has no column {', '.join(missing)}"] * bool(missing)
        wrong += [f"demands values for {', '.join(demanded)}"] * bool(demanded)
        if wrong:
            raise UsageError(
                f"the table {table.name} of {self.shown} is not ours: it {' and '.join(wrong)}",
                key=KEY,
                hint="Name another database, or another schema; the tables are made where they are missing.",
            )

    def reason(self, error: BaseException) -> str:
        """What a database says is wrong, on one line and without secrets."""
        told = getattr(error, "orig", None) or error
        return self._redactor.text(" ".join(str(told).split()))[:300] or type(told).__name__


def storable(value: Any) -> str | None:
    """``value`` as a text that every database takes: what none does (NUL, lone surrogates) stands as its escape."""
    if value is None:
        return None
    return str(value).replace("\0", "\\u0000").encode("utf-8", "backslashreplace").decode("utf-8")


def _parsed(text: str) -> URL:
    try:
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import ArgumentError
    except ModuleNotFoundError:
        raise UsageError(
            "events to a database need the package SQLAlchemy", key=KEY, hint='pip install "aigc_evals[sql]"'
        ) from None
    try:
        url = make_url(text.strip())
    except (ArgumentError, ValueError):
        # Not shown: what is no URL cannot be freed of its password.
        raise UsageError("this is not the URL of a database", key=KEY, hint=_FORMS) from None
    if "@" in (url.host or ""):
        raise UsageError("this URL has more than one @", key=KEY, hint="In a user or a password, write it as %40.")
    if url.drivername in ("postgres", "postgresql"):
        return url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() == "sqlite":
        _check_file(url)
    return url


def _check_file(url: URL) -> None:
    """What SQLite would complain about in words that help nobody."""
    name = url.database or ":memory:"
    if name == ":memory:" or "mode" in url.query:
        raise UsageError("a database in memory is gone when the run ends", key=KEY, hint=_FORMS)
    if name.startswith("file:"):
        return
    path = Path(name)
    if is_folder(path, key=KEY):
        raise UsageError("this is a folder, not a database", path=path, key=KEY)
    if not is_folder(path.parent, key=KEY):
        raise UsageError("there is no such folder", path=path.parent, key=KEY)


def _shown(url: URL) -> str:
    """With ``***`` for the password, and for every value of the query: a key may be there as well."""
    plain = url.set(query={}).render_as_string(hide_password=True)
    return plain + "".join(f"{'&' if i else '?'}{name}=***" for i, name in enumerate(url.query))


def _engine(url: URL) -> Engine:
    from sqlalchemy import QueuePool, create_engine

    name = url.drivername
    driver = _driver(url)
    arguments = {key: value for key, value in _CONNECT.get(driver, {}).items() if key not in url.query}
    try:
        engine = create_engine(
            url, hide_parameters=True, poolclass=QueuePool, pool_size=1, max_overflow=0, connect_args=arguments
        )
    except ImportError as error:
        raise _not_installed(name, error) from None
    except Exception as error:
        # Not what it says itself: that may hold the URL.
        raise UsageError(f"this URL is not what {name} takes ({type(error).__name__})", key=KEY) from None
    return engine


def _driver(url: URL) -> str:
    from sqlalchemy import __version__
    from sqlalchemy.exc import NoSuchModuleError

    name = url.drivername
    try:
        dialect = url.get_dialect()
    except NoSuchModuleError:
        package = _INSTALL.get(name.partition("+")[0])
        hint = f"pip install {package}" if package else f"Its SQLAlchemy dialect must be installed. {_FORMS}"
        raise UsageError(f"unknown kind of database {name!r}", key=KEY, hint=hint) from None
    except ImportError as error:
        raise _not_installed(name, error) from None
    except Exception as error:
        raise UsageError(
            f"the SQLAlchemy dialect for {name} cannot be loaded: {type(error).__name__}: {error}",
            key=KEY,
            hint=f"Is it one for SQLAlchemy {__version__}? If it wants an older one: pip install 'sqlalchemy<2.1'",
        ) from None
    if dialect.is_async:
        raise UsageError(f"{name} is a driver for asynchronous programs", key=KEY, hint=_FORMS)
    return str(dialect.driver)


def _not_installed(name: str, error: ImportError) -> UsageError:
    module = (error.name or name.partition("+")[2]).split(".")[0]
    return UsageError(
        f"{name} needs the module {module!r}, which is not installed",
        key=KEY,
        hint=f"pip install {_INSTALL.get(module, module)}",
    )


def _tables() -> tuple[Any, Any]:
    """``runs`` and ``events``. JSON is kept as text: no type for JSON of any database takes all that a log can hold."""
    from sqlalchemy import BigInteger, Column, MetaData, String, Table, Text
    from sqlalchemy.dialects.mysql import LONGTEXT

    text = Text().with_variant(LONGTEXT(), "mysql", "mariadb")
    metadata = MetaData()
    runs = Table(
        "runs",
        metadata,
        Column("run_id", String(255), primary_key=True),
        Column("eval_name", text),
        Column("base_eval", text),
        Column("split", text),
        Column("completion_fns", text),
        Column("created_by", text),
        Column("created_at", text),
        Column("spec", text),
        Column("final_report", text),
        Column("event_count", BigInteger),
    )
    events = Table(
        "events",
        metadata,
        Column("run_id", String(255), primary_key=True),
        Column("event_id", BigInteger, primary_key=True, autoincrement=False),
        Column("sample_id", text),
        Column("type", text),
        Column("data", text),
        Column("created_by", text),
        Column("created_at", text),
    )
    return runs, events
