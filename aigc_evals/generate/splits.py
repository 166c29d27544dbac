"""The files of a data set's splits while its own code makes them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def whole_or_none(folder: Path) -> Iterator[None]:
    """Remove what was written to a folder's splits when the block fails or is interrupted.

    A data set's code may write to them directly, and half a split under its name would be taken for all of it ever after.
    """
    before = _states(folder)
    try:
        yield
    except BaseException:
        for path, state in _states(folder).items():
            if before.get(path) != state:
                with contextlib.suppress(OSError):
                    path.unlink()
        raise


def _states(folder: Path) -> dict[Path, tuple[int, int, int]]:
    """Path -> what tells a file from another one that is put in its place, of all splits."""
    stats = {path: path.stat() for path in folder.glob("*.jsonl")}
    return {path: (stat.st_ino, stat.st_mtime_ns, stat.st_size) for path, stat in stats.items()}
