"""Locks among processes, and ``datasets.lock``."""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import sys
import time
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import IO, Any

from aigc_evals.errors import UsageError
from aigc_evals.files import write_whole

logger = logging.getLogger(__name__)


def unwritable(path: Path, error: OSError) -> UsageError:
    """The error for a place that cannot be written to."""
    return UsageError(f"cannot be written: {error.strerror or error}", path=error.filename or path)


_held: ContextVar[frozenset[str]] = ContextVar("aigc_evals_held", default=frozenset())
"""The locks that are held around the code that runs."""


def made_folder(path: Path) -> Path:
    """The folder, made where there is none; UsageError where it cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(path, error) from None
    return path


@contextlib.contextmanager
def held(path: Path, doing: str, *, needed: bool = True) -> Iterator[bool]:
    """Hold ``path`` as a lock among processes, and give whether it is held; ``doing`` is what whoever holds it does.

    Whoever has to wait is told so. Where locks do not work, none is held; neither where its file cannot be made, unless it
    is ``needed`` (UsageError). UsageError, too, where it is held around this very code, which would wait for itself.
    """
    name = os.path.realpath(path)
    if name in _held.get():
        hint = "Code that makes a data set cannot make one of the same name: give one of them a class_name of its own."
        raise UsageError(f"{doing} already, and would wait for itself for ever", path=path, hint=hint)
    with contextlib.ExitStack() as stack:
        alone = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            alone = _acquired(stack.enter_context(open(path, "a+b")), doing)
        except OSError as error:
            if needed:
                raise unwritable(path, error) from None
        token = _held.set(_held.get() | {name})
        try:
            yield alone
        finally:
            _held.reset(token)


def _acquired(stream: IO[bytes], doing: str) -> bool:
    """Wait until the file is locked; False where it cannot be."""
    waiting = False
    while True:
        try:
            if sys.platform == "win32":
                import msvcrt

                stream.seek(0)
                msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(stream, fcntl.LOCK_EX if waiting else fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EDEADLK, errno.EAGAIN):
                return False
        if waiting:
            time.sleep(0.1)
        else:
            logger.warning("waiting for another process that %s (Ctrl-C ends this one)", doing)
        waiting = True


class DatasetsLock:
    """``datasets.lock``: the size and SHA-256 of every file that was ever taken from an address.

    JSON, sorted by address, so that it can be kept under version control beside the data sets it stands for.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def recorded(self, address: str) -> dict[str, Any] | None:
        """What is recorded of an address: ``bytes`` and ``sha256``."""
        found = self._read().get(address)
        return found if isinstance(found, dict) else None

    def record(self, address: str, size: int, sha256: str) -> None:
        """Record a file, in place of what was recorded of its address."""
        with held(self.path.with_name(f".{self.path.name}"), f"writes {self.path}"):
            files = {**self._read(), address: {"bytes": size, "sha256": sha256}}
            content = json.dumps({"version": 1, "files": files}, indent=2, sort_keys=True, ensure_ascii=False)
            write_whole(self.path, [f"{content}\n".encode()])

    def _read(self) -> dict[str, Any]:
        try:
            files = json.loads(self.path.read_text(encoding="utf-8"))["files"]
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise UsageError(
                f"cannot be read: {error}", path=self.path, hint="Restore it, or delete it to begin a new one."
            ) from None
        if not isinstance(files, dict):
            raise UsageError("'files' must be an object", path=self.path, key="files")
        return files
