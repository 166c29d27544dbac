"""Folders replaced whole, one writer at a time among several processes, and ``datasets.lock``."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from aigc_evals.errors import UsageError
from aigc_evals.files import is_there, spare_name, write_whole


def unwritable(path: Path, error: OSError) -> UsageError:
    """The error for a place that cannot be written to."""
    return UsageError(f"cannot be written: {error.strerror or error}", path=error.filename or path)


@contextlib.contextmanager
def replaced(folder: Path) -> Iterator[None]:
    """Put a folder aside while another one is made in its place; it comes back if that fails."""
    aside = spare_name(folder)
    try:
        with contextlib.suppress(FileNotFoundError):
            os.replace(folder, aside)
        try:
            yield
        except BaseException:
            if is_there(aside):
                shutil.rmtree(folder, ignore_errors=True)
                os.replace(aside, folder)
            raise
        shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        raise unwritable(folder, error) from None


@contextlib.contextmanager
def held(path: Path, *, needed: bool = True) -> Iterator[None]:
    """Hold ``path`` as a lock among processes; waits for whoever holds it. Where locks do not work, none is held; neither
    where its file cannot be made, unless it is ``needed`` (UsageError).
    """
    with contextlib.ExitStack() as stack:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _acquire(stack.enter_context(open(path, "a+b")))
        except OSError as error:
            if needed:
                raise unwritable(path, error) from None
        yield


def _acquire(stream: IO[bytes]) -> None:
    while True:
        try:
            if sys.platform == "win32":
                import msvcrt

                stream.seek(0)
                msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(stream, fcntl.LOCK_EX)
            return
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EDEADLK, errno.EAGAIN):
                return
            time.sleep(0.1)


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
        with held(self.path.with_name(f".{self.path.name}")):
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
