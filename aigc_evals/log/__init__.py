"""The log of a run on disk: JSON lines, appended sample by sample, readable after any crash, the only checkpoint.

Line 1 is ``{"spec": ...}``, then come events, the last line is ``{"final_report": ..., "run_id": ...}``. A sample's lines
are appended in one write that ends with its ``sample`` event, so whatever follows the last such line after a crash
belongs to a sample that will be asked again, and is cut off when the run is continued.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, overload

from aigc_evals.base import Event
from aigc_evals.errors import RunError, UsageError
from aigc_evals.fastjson import decode_object, encode
from aigc_evals.files import is_file, is_folder, listed, unreadable

_EVENT_FIELDS = tuple(field.name for field in fields(Event))
_CHUNK = 1 << 20
_SPEC_BEGINS = b'{"spec":{'


class LogFile:
    """An open log that this process alone writes to.

    ``open`` makes a new file or takes up an old one; ``append`` is durable against the death of the process as soon as
    it returns (``sync`` also against the death of the machine).
    """

    def __init__(self, path: Path, handle: int) -> None:
        self.path = path
        self._handle = handle
        self._size = os.fstat(handle).st_size

    @classmethod
    def open(cls, path: Path) -> LogFile:
        """Open for appending, creating folders and file; UsageError where that cannot be."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
            handle = os.open(path, flags, 0o644)
        except (OSError, ValueError) as error:
            raise _unwritable(path, error) from None
        if not _lock(handle):
            os.close(handle)
            raise UsageError("another run is writing this log", path=path, hint="Choose another --record_path.")
        return cls(path, handle)

    @property
    def size(self) -> int:
        return self._size

    def append(self, lines: bytes) -> None:
        """Append whole lines; on failure nothing of them stays in the file. RunError says why (a full disk, ...)."""
        try:
            written = os.write(self._handle, lines)
            while written < len(lines):
                written += os.write(self._handle, lines[written:])
        except OSError as error:
            with contextlib.suppress(OSError):
                self.truncate(self._size)
            reason = "the disk is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else error.strerror
            raise RunError(
                f"{self.path}: cannot write the log: {reason}. Everything before is safe in it; "
                "continue with the same command and --record_path once there is room."
            ) from None
        self._size += len(lines)

    def truncate(self, size: int) -> None:
        """Cut the file to ``size`` bytes."""
        os.ftruncate(self._handle, size)
        self._size = size

    def sync(self) -> None:
        """Bring what was appended to the disk itself."""
        os.fsync(self._handle)

    def close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


@dataclass
class LogState:
    """What a log holds: its spec, its report if the run ended, and where the part that counts ends.

    ``end`` is the offset after the last finished sample (or the spec line), ``events`` the number of events up to there.
    """

    spec: dict[str, Any]
    report: dict[str, Any] | None
    end: int
    events: int


class EventView(Sequence[Event]):
    """The events of one type, read again from the log each time they are iterated."""

    def __init__(self, read: Callable[[], Iterable[Event]], count: int) -> None:
        self._read = read
        self._count = count

    def __iter__(self) -> Iterator[Event]:
        return iter(self._read())

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> list[Event]: ...
    def __getitem__(self, index: int | slice) -> Event | list[Event]:
        return list(self._read())[index]


def read_spec(path: str | Path) -> dict[str, Any] | None:
    """The ``spec`` of the first line, or None where the file is no log."""
    try:
        with open(path, "rb") as file:
            first = file.readline()
    except OSError:
        return None
    line = decode_object(first)
    spec = line.get("spec") if line else None
    return spec if isinstance(spec, dict) else None


def require_spec(path: str | Path) -> dict[str, Any]:
    """As ``read_spec``, but a UsageError that says what else there is under that name, if anything."""
    path = Path(path)
    if is_folder(path):
        found = [one.name for one in listed(path) if one.suffix == ".jsonl"]
        hint = f"It has: {', '.join(found[:5])}" if found else None
        raise UsageError("this is a folder; name a log that is in it", path=path, hint=hint)
    if not is_file(path):
        raise UsageError("there is no such log", path=path)
    spec = read_spec(path)
    if spec is None:
        check_readable(path)
        raise UsageError("this file is not a log of aigc_evals", path=path)
    return spec


def check_readable(path: Path) -> None:
    """UsageError with the reason where a file cannot be read."""
    try:
        with open(path, "rb") as file:
            file.read(1)
    except OSError as error:
        raise unreadable(path, error) from None


def is_torn_spec(path: Path) -> bool:
    """Whether a file holds nothing but the beginning of a log's first line: its run was killed before anything happened."""
    with open(path, "rb") as file:
        first = file.readline()
        return not first.endswith(b"\n") and _SPEC_BEGINS.startswith(first[: len(_SPEC_BEGINS)])


def read_report(path: str | Path) -> dict[str, Any] | None:
    """The final report, read from the end of the file; None while the run is not finished."""
    with open(path, "rb") as file:
        file.seek(0, os.SEEK_END)
        position = file.tell()
        tail = b""
        while position > 0 and tail.rstrip(b"\n").count(b"\n") < 1:
            step = min(_CHUNK, position)
            position -= step
            file.seek(position)
            tail = file.read(step) + tail
    line = decode_object(tail.rstrip(b"\n").rsplit(b"\n", 1)[-1])
    report = line.get("final_report") if line else None
    return report if isinstance(report, dict) else None


def read_events(path: str | Path, type: str | None = None) -> Iterator[Event]:
    """The events of a log one by one, of one ``type`` or all; a torn last line ends the reading quietly."""
    wanted = None if type is None else f'"type":"{type}"'.encode()
    loose = None if type is None else re.compile(rb'"type":\s*' + re.escape(encode(type)))
    with open(path, "rb") as file:
        for raw in file:
            if wanted is not None and wanted not in raw and (loose is None or not loose.search(raw)):
                continue
            event = _event(decode_object(raw))
            if event is not None and (type is None or event.type == type):
                yield event


def read_samples(path: str | Path) -> Iterator[tuple[list[Event], LogState]]:
    """Finished samples one by one, each with the state of the log as of its end.

    The first item is the bare spec with no events. Events recorded outside any sample come with the next one.
    """
    with open(path, "rb") as file:
        offset = 0
        group: list[Event] = []
        state: LogState | None = None
        for raw in file:
            offset += len(raw)
            line = decode_object(raw) if raw.endswith(b"\n") else None
            if line is None:
                break
            if state is None:
                spec = line.get("spec")
                if not isinstance(spec, dict):
                    break
                state = LogState(spec, None, offset, 0)
                yield [], state
            elif "final_report" in line:
                state = LogState(state.spec, line["final_report"], state.end, state.events)
                yield [], state
            else:
                event = _event(line)
                if event is None:
                    break
                group.append(event)
                if event.type == "sample":
                    state = LogState(state.spec, None, offset, event.event_id + 1)
                    yield group, state
                    group = []


def _event(line: dict[str, Any] | None) -> Event | None:
    if line is None or "type" not in line or "event_id" not in line:
        return None
    return Event(*[line.get(name) for name in _EVENT_FIELDS])  # type: ignore[arg-type]


def _unwritable(path: Path, error: OSError | ValueError) -> UsageError:
    return UsageError(
        f"cannot write the log here: {getattr(error, 'strerror', None) or error}",
        path=path,
        hint="Give a writable file with --record_path.",
    )


def _lock(handle: int) -> bool:
    """Whether this process now holds the file alone (always true where locks are not supported)."""
    try:
        if sys.platform == "win32":
            import msvcrt

            # Far beyond the end, so that readers are not locked out of the content.
            os.lseek(handle, 1 << 40, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EWOULDBLOCK, errno.EACCES, errno.EAGAIN)
    return True
