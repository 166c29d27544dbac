"""File systems that are small or cannot be written to, made for one test."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@contextlib.contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    """A file system in memory at ``folder``; where this user may not make one, the test is skipped."""
    folder.mkdir()
    if shutil.which("mount") is None or shutil.which("umount") is None:
        pytest.skip("there is no program here that mounts file systems")
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True)
    if made.returncode:
        pytest.skip("this user may not mount a file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextlib.contextmanager
def read_only(folder: Path, *, holding: Path | None = None) -> Iterator[str]:
    """A folder that cannot be written to, with a copy of the folder ``holding`` in it; and what the system says of that.
    Root may write to any folder, so it gets a disk.
    """
    root = os.geteuid() == 0
    with contextlib.ExitStack() as stack:
        if root:
            stack.enter_context(mounted(folder, "size=16m"))
        else:
            folder.mkdir()
        if holding is not None:
            shutil.copytree(holding, folder / holding.name)
        if root:
            subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        else:
            for path in [path for path in (folder, *folder.rglob("*")) if path.is_dir()]:
                path.chmod(0o500)
                stack.callback(path.chmod, 0o700)
        yield "Read-only file system" if root else "Permission denied"
