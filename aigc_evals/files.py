"""Files on disk: what is there under a name, files written whole or not at all, and the checksum of one."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from aigc_evals.errors import UsageError

_BLOCK = 1 << 20
_NO_SYNC = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP)
_NO_NAMES = (21, 123, 1921)
"""What Windows says of a drive without a medium, of what is no name (``a*b``), and of a link that leads nowhere."""


def is_there(path: str | Path, *, key: str | None = None) -> bool:
    """Whether there is anything under that name, links followed.

    As for ``is_file`` and ``is_folder``: UsageError about the setting ``key`` where that cannot be found out, which
    ``Path.exists`` raises or denies, by the version of Python: a folder that may not be searched, a name too long.
    """
    return _mode(path, key) is not None


def is_file(path: str | Path, *, key: str | None = None) -> bool:
    """Whether that is a file; UsageError as for ``is_there``."""
    mode = _mode(path, key)
    return mode is not None and stat.S_ISREG(mode)


def is_folder(path: str | Path, *, key: str | None = None) -> bool:
    """Whether that is a folder; UsageError as for ``is_there``."""
    mode = _mode(path, key)
    return mode is not None and stat.S_ISDIR(mode)


def _mode(path: str | Path, key: str | None) -> int | None:
    """The kind and the permissions of what is there; None for nothing."""
    try:
        return os.stat(path).st_mode
    except ValueError:  # a character that no name may have
        return None
    except OSError as error:
        if isinstance(error, (FileNotFoundError, NotADirectoryError)) or getattr(error, "winerror", 0) in _NO_NAMES:
            return None
        raise unreadable(path, error, key=key) from None


def listed(folder: str | Path, *, key: str | None = None) -> list[Path]:
    """All that is in a folder, sorted; nothing where there is no such folder, UsageError where it cannot be read."""
    try:
        return sorted(Path(folder, name) for name in os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise unreadable(folder, error, key=key) from None


def unreadable(path: str | Path, error: OSError, *, key: str | None = None) -> UsageError:
    """The error that says why a file or folder cannot be read."""
    return UsageError(f"cannot be read: {error.strerror or error}", path=path, key=key)


def home() -> Path | None:
    """The user's home folder; None for a user who has none, as in a container that runs under a mere number."""
    try:
        return Path.home()
    except RuntimeError:
        return None


def expanded(path: str | Path, *, key: str | None = None) -> Path:
    """The path with ``~`` replaced by the home folder; UsageError where there is none."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise UsageError("there is no such home folder", path=path, key=key, hint="Write the whole path.") from None


def write_whole(path: str | Path, chunks: Iterable[bytes], *, key: str | None = None) -> Path:
    """Write a file so that it appears under its name only when it is whole; its folder is made where there is none.

    UsageError about the setting ``key`` where that cannot be. Whatever goes wrong, a file that was there stays as it was.
    Into what is no file, as a pipe or ``/dev/stdout``, it is written directly.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "wb") if _is_stream(path) else replacement(path) as file:
            file.writelines(chunks)
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror or error}", path=path, key=key) from None
    return path


@contextlib.contextmanager
def replacement(path: Path) -> Iterator[IO[bytes]]:
    """A new file, open for writing, that takes the place of ``path``, with its permissions, when the block ends well; where
    that is a link, of the file that it leads to.
    """
    path = Path(os.path.realpath(path))
    made = spare_name(path)
    try:
        mode = stat.S_IMODE(os.stat(path).st_mode)
    except OSError:
        mode = None
    try:
        # With the old permissions from its first byte on: what is private must not be open to others meanwhile.
        with open(made, "xb", opener=lambda name, flags: os.open(name, flags, 0o666 if mode is None else mode)) as file:
            yield file
            file.flush()
            _sync(file)
        if mode is not None:
            with contextlib.suppress(OSError):  # a file system without permissions
                os.chmod(made, mode)
        os.replace(made, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(made)
        raise


def _is_stream(path: Path) -> bool:
    """Whether what is there is a pipe, a device, or a name for an open file, in whose place no other file may come."""
    if path.as_posix().startswith(("/dev/", "/proc/")):
        return True
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _sync(file: IO[bytes]) -> None:
    """Bring a file to the disk itself, where its file system can do that."""
    try:
        os.fsync(file.fileno())
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise


def spare_name(path: Path) -> Path:
    """A name beside ``path`` that nothing has, for what is to take its place; short, as ``path`` may have a long one."""
    return path.parent / f".{os.getpid()}-{os.urandom(4).hex()}.tmp"


def checksum(path: str | Path, kind: str = "sha256") -> str:
    """The checksum of a file's content in hexadecimal digits, read a block at a time; ``kind`` is a name of ``hashlib``."""
    digest = hashlib.new(kind, usedforsecurity=False)
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
