"""Completions on disk, so that a request that was answered before is not paid for again.

An entry is found by the SHA-256 of the whole request: the function (its class, endpoint, model and arguments), the prompt,
the parameters, the number of the repeat, and which of several equal requests of one sample it is. What must stay secret
is not part of it. Only good answers are kept: no errors, refusals, empty or truncated ones, and none in which a secret
occurs.

The file is SQLite in WAL mode: any number of processes may use it at once. Looking up is done where it is asked for (some
ten microseconds), writing in a thread. Whatever is wrong with the file, a run goes on without it, and says so once.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aigc_evals.api import CompletionResult
from aigc_evals.errors import RunError, UsageError
from aigc_evals.fastjson import decode, encode
from aigc_evals.files import expanded, home, is_there
from aigc_evals.prompt.base import Prompt
from aigc_evals.redact import Redactor
from aigc_evals.sampling.cache_identity import Identity, identity

if TYPE_CHECKING:
    import sqlite3

    from aigc_evals.record.scope import SampleScope

logger = logging.getLogger(__name__)

_VERSION = 1
_TABLE = """
CREATE TABLE IF NOT EXISTS completions (
    key BLOB PRIMARY KEY, endpoint TEXT NOT NULL, model TEXT NOT NULL, created REAL NOT NULL, value BLOB NOT NULL
)
"""
_KEPT = ("usage", "finish_reason", "reasoning", "model", "system_fingerprint", "adjusted", "tool_calls")
_OPEN_SECONDS = 2.0
_LOCKED_SECONDS = 5.0
_CLOSE_SECONDS = 15.0
_MOST_WAITING = 10_000
_MOST_IN_ONE = 500


def cache_path(environ: Mapping[str, str] | None = None, platform: str = sys.platform) -> Path:
    """The file: below ``AIGC_EVALS_CACHE_DIR``, else in the folder the platform has for a user's caches."""
    environ = os.environ if environ is None else environ
    own = environ.get("AIGC_EVALS_CACHE_DIR")
    if own:
        return expanded(own, key="AIGC_EVALS_CACHE_DIR") / "completions.sqlite3"
    if platform == "win32" and environ.get("LOCALAPPDATA"):
        folder = Path(environ["LOCALAPPDATA"])
    elif platform == "darwin":
        folder = _home() / "Library" / "Caches"
    else:
        # A relative XDG path is to be ignored, says its specification.
        given = environ.get("XDG_CACHE_HOME", "")
        folder = Path(given) if os.path.isabs(given) else _home() / ".cache"
    return folder / "aigc_evals" / "completions.sqlite3"


def _home() -> Path:
    found = home()
    if found is None:
        hint = "Name a folder: AIGC_EVALS_CACHE_DIR."
        raise UsageError("there is no home folder that the cache could be in", key="cache", hint=hint)
    return found


class CachedResult(CompletionResult):
    """A result that comes from the cache; ``usage`` is what it once cost."""

    cached = True

    def __init__(self, value: Mapping[str, Any], prompt: Any) -> None:
        self.completions: list[str] = list(value["completions"])
        self.prompt = value.get("prompt", prompt)
        for name in _KEPT:
            setattr(self, name, value.get(name))

    def get_completions(self) -> list[str]:
        return list(self.completions)


@dataclass(frozen=True)
class Request:
    """One request: who is asked, where its answer is kept, and the prompt as it was given."""

    who: Identity
    key: bytes
    prompt: Any


class CompletionCache:
    """The cache of one run. No method raises; once the file has failed, nothing is found and nothing kept."""

    def __init__(self, path: Path, redactor: Redactor | None = None) -> None:
        self.path = path
        self._redactor = redactor
        self._lock = threading.Lock()
        self._known: dict[int, tuple[Any, Identity | None]] = {}
        self._waiting: queue.Queue[tuple[Any, ...] | None] = queue.Queue(_MOST_WAITING)
        self._writer: threading.Thread | None = None
        self._reader: sqlite3.Connection | None = None
        with self._guarded():
            self._reader = _connect(path)

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        import sqlite3

        try:
            yield
        except (sqlite3.Error, OSError, ValueError) as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        with self._lock:
            reader, self._reader = self._reader, None
        if reader is not None:
            with contextlib.suppress(Exception):
                reader.close()
            first = True
        else:
            first = self._writer is None
        if first:
            logger.warning(
                "the cache %s cannot be used (%s); going on without it. `aigc_evals cache rm` empties it.",
                self.path,
                error,
            )

    @property
    def usable(self) -> bool:
        return self._reader is not None

    def request(self, fn: Any, prompt: Any, kwargs: Mapping[str, Any], scope: SampleScope | None) -> Request | None:
        """What this call of ``fn`` is found by; None where its answer is not to be kept."""
        if self._reader is None:
            return None
        known = self._known.get(id(fn))
        if known is None:
            # The function is held, so that its id remains its own.
            known = self._known[id(fn)] = (fn, identity(fn))
        who = known[1]
        if who is None:
            return None
        asked = prompt.to_formatted_prompt() if isinstance(prompt, Prompt) else prompt
        repeat = 1 if scope is None else scope.notes.get("repeat", 1)
        body = encode([asked, dict(sorted(kwargs.items())), repeat])
        key = sha256(who.digest + body).digest()
        if scope is not None:
            # An eval that asks the same several times within a sample wants several answers.
            if scope.asked is None:
                scope.asked = {}
            nth = scope.asked[key] = scope.asked.get(key, 0) + 1
            if nth > 1:
                key = sha256(key + nth.to_bytes(4, "big")).digest()
        return Request(who, key, asked)

    def get(self, request: Request) -> CachedResult | None:
        """The answer kept for a request, if any; takes some ten microseconds."""
        import sqlite3

        reader = self._reader
        if reader is None:
            return None
        try:
            with self._lock:
                row = reader.execute("SELECT value FROM completions WHERE key = ?", (request.key,)).fetchone()
            return None if row is None else CachedResult(decode(row[0]), request.prompt)
        except (sqlite3.Error, ValueError, KeyError, TypeError) as error:
            if "locked" not in str(error) and "busy" not in str(error):
                self._give_up(error)
            return None

    def put(self, request: Request, result: CompletionResult) -> None:
        """Keep a good answer; it is written soon, by a thread."""
        if self._reader is None:
            return
        value: dict[str, Any] = {"completions": result.get_completions()}
        for name in _KEPT:
            found = getattr(result, name, None)
            if found is not None:
                value[name] = found
        prompt = getattr(result, "prompt", request.prompt)
        if prompt != request.prompt:
            value["prompt"] = prompt
        line = encode(value)
        if self._redactor is not None and self._redactor.line(line) is not line:
            return
        if self._writer is None:
            self._writer = threading.Thread(target=self._write, name="aigc_evals-cache", daemon=True)
            self._writer.start()
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait((request.key, request.who.endpoint, request.who.model, time.time(), line))

    def _write(self) -> None:
        with self._guarded():
            connection = _connect(self.path, _LOCKED_SECONDS)
            try:
                ended = False
                while not ended:
                    batch = [self._waiting.get()]
                    with contextlib.suppress(queue.Empty):
                        while len(batch) < _MOST_IN_ONE and batch[-1] is not None:
                            batch.append(self._waiting.get_nowait())
                    ended = batch[-1] is None
                    rows = [row for row in batch if row is not None]
                    if rows:
                        connection.execute("BEGIN IMMEDIATE")
                        connection.executemany("INSERT OR REPLACE INTO completions VALUES (?, ?, ?, ?, ?)", rows)
                        connection.execute("COMMIT")
            finally:
                connection.close()

    def close(self) -> None:
        """Write what is waiting, for at most 15 seconds, and close the file."""
        if self._writer is not None:
            with contextlib.suppress(queue.Full):
                self._waiting.put(None, timeout=1.0 if self._writer.is_alive() else 0.0)
            self._writer.join(_CLOSE_SECONDS)
        with self._lock:
            reader, self._reader = self._reader, None
        if reader is not None:
            with contextlib.suppress(Exception):
                reader.close()


def _connect(path: Path, patience: float = 0.0) -> sqlite3.Connection:
    """The database, made where there is none; sqlite3.Error where it is damaged, locked or of a later version.

    A lookup does not wait for a lock (``patience``, in seconds): it is then a miss.
    """
    import sqlite3

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not os.path.exists(path):
        # Prompts and answers are the user's own.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    connection = sqlite3.connect(path, timeout=_OPEN_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > _VERSION:
            raise sqlite3.DatabaseError(f"it was made by a later version of this program (format {version})")
        if version < _VERSION:
            _patiently(connection, "PRAGMA journal_mode = WAL")
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(_TABLE)
            connection.execute(f"PRAGMA user_version = {_VERSION}")
            connection.execute("COMMIT")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("SELECT key FROM completions LIMIT 1").fetchone()
        connection.execute(f"PRAGMA busy_timeout = {int(patience * 1000)}")
    except BaseException:
        connection.close()
        raise
    return connection


def _patiently(connection: sqlite3.Connection, statement: str) -> None:
    """SQLite does not wait for its own time-out when two processes turn a new file to WAL at once."""
    import sqlite3

    until = time.monotonic() + _OPEN_SECONDS
    while True:
        try:
            connection.execute(statement)
            return
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)


# -- looking after it -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kept:
    """What is kept of one model at one endpoint; ``oldest`` and ``newest`` are seconds since 1970."""

    endpoint: str
    model: str
    entries: int
    bytes: int
    oldest: float
    newest: float


def contents(path: Path) -> list[Kept]:
    """What the file holds by endpoint and model; nothing where there is no file, RunError where it cannot be read."""
    if not is_there(path):
        return []
    with _opened(path) as connection:
        rows = connection.execute(
            "SELECT endpoint, model, count(*), sum(length(value)), min(created), max(created)"
            " FROM completions GROUP BY endpoint, model ORDER BY endpoint, model"
        ).fetchall()
    return [Kept(*row) for row in rows]


def remove(path: Path, *, model: str | None = None, older_than: float | None = None) -> tuple[int, int]:
    """Remove entries, all or those of a model and of more than ``older_than`` days; how many they were, and their bytes.

    A file that is no database is removed where all is to go. RunError where it is locked or cannot be written.
    """
    if not is_there(path):
        return 0, 0
    wanted: list[str] = []
    values: list[Any] = []
    if model is not None:
        wanted.append("model = ?")
        values.append(model)
    if older_than is not None:
        wanted.append("created < ?")
        values.append(time.time() - older_than * 86400)
    where = f" WHERE {' AND '.join(wanted)}" if wanted else ""
    try:
        with _opened(path) as connection:
            connection.execute("BEGIN IMMEDIATE")
            count, size = connection.execute(
                f"SELECT count(*), coalesce(sum(length(value)), 0) FROM completions{where}", values
            ).fetchone()
            connection.execute(f"DELETE FROM completions{where}", values)
            connection.execute("COMMIT")
            connection.execute("VACUUM")
    except RunError as error:
        if wanted or not _is_damaged(error.__cause__):
            raise
        size = path.stat().st_size
        for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
            path.with_name(name).unlink(missing_ok=True)
        return 0, size
    return count, size


def _is_damaged(error: BaseException | None) -> bool:
    import sqlite3

    return isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    import sqlite3

    connection: sqlite3.Connection | None = None
    try:
        connection = _connect(path, _LOCKED_SECONDS)
        yield connection
    except (sqlite3.Error, OSError) as error:
        raise RunError(f"{path}: {error}") from error
    finally:
        if connection is not None:
            connection.close()
