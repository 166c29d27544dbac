"""Files on disk: written whole or not at all, and the checksum of one."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from aigc_evals.errors import UsageError

_BLOCK = 1 << 20


def write_whole(path: str | Path, chunks: Iterable[bytes], *, key: str | None = None) -> Path:
    """Write a file so that it appears under its name only when it is whole; its folder is made where there is none.

    UsageError about the setting ``key`` where that cannot be. Whatever goes wrong, a file that was there stays as it was.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacement(path) as file:
            file.writelines(chunks)
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror or error}", path=path, key=key) from None
    return path


@contextlib.contextmanager
def replacement(path: Path) -> Iterator[IO[bytes]]:
    """A new file, open for writing, that takes the place of ``path``, with its permissions, when the block ends well."""
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
            os.fsync(file.fileno())
        if mode is not None:
            with contextlib.suppress(OSError):  # a file system without permissions
                os.chmod(made, mode)
        os.replace(made, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(made)
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
