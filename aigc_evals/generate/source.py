"""Where a data set's raw files come from: its own addresses, or what was named with ``--source``."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from aigc_evals.errors import UsageError
from aigc_evals.files import checksum, expanded, is_file, is_folder, listed
from aigc_evals.generate.archives import kind_of, unpack
from aigc_evals.generate.download import Remote, download
from aigc_evals.generate.files import DatasetsLock, unwritable

Described = str | Remote | Mapping[str, Any] | Sequence[str | Remote]
"""What ``d_url`` may be: an address; a list of addresses; a mapping of file names to addresses, or to mappings of ``url``
and ``sha256``."""

UNPACKED = "unpacked"


def remotes(described: Described) -> list[Remote]:
    """The files that a ``d_url`` stands for. UsageError for one that is of no known form."""
    if not described:
        return []
    if isinstance(described, Mapping):
        return [_address(value, f"d_url.{name}", str(name)) for name, value in described.items()]
    if isinstance(described, (str, Remote)):
        return [_address(described, "d_url")]
    if not isinstance(described, Sequence):
        raise UsageError(f"expected an address, several, or names with addresses, got {described!r}", key="d_url")
    return [_address(one, "d_url") for one in described]


def _address(value: Any, key: str, name: str = "") -> Remote:
    if isinstance(value, Remote):
        found = replace(value, name=name or value.name)
    elif isinstance(value, Mapping) and isinstance(value.get("url"), str):
        found = Remote(value["url"], name, value.get("sha256"))
    elif isinstance(value, str):
        found = Remote(value, name)
    else:
        raise UsageError(f"expected an address, or a mapping with 'url', got {value!r}", key=key)
    if not re.match(r"https?://[^/]", found.url):
        hint = "Addresses begin with https:// or http://; a file that is here already is named with --source."
        raise UsageError(f"no address to fetch a file from: {found.shown!r}", key=key, hint=hint)
    return found


class PendingLock(DatasetsLock):
    """``datasets.lock`` while it is not known yet whether the files are what they should be: ``settle`` records them."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._pending: dict[str, tuple[int, str]] = {}

    def recorded(self, address: str) -> dict[str, Any] | None:
        if address in self._pending:
            size, digest = self._pending[address]
            return {"bytes": size, "sha256": digest}
        return super().recorded(address)

    def record(self, address: str, size: int, sha256: str) -> None:
        self._pending[address] = size, sha256

    def settle(self) -> None:
        """Record what was taken; a file that no data set could be made of never gets here."""
        for address, (size, digest) in self._pending.items():
            super().record(address, size, digest)
        self._pending.clear()


def _everything(folder: Path) -> Sequence[str]:
    return ()


@dataclass(frozen=True)
class Source:
    """The raw files of one data set, fetched and unpacked into ``<folder>/unpacked`` when they are asked for.

    ``members`` says which files of its archives are wanted (see ``archives.Wanted``), given the folder that the files which
    are no archives are in by then.
    """

    name: str
    command: Callable[[str], str]
    """The command that takes the files from elsewhere, given what is to be named there (``FILE``)."""
    files: Sequence[Remote]
    folder: Path
    lock: DatasetsLock
    given: str | None = None
    accept_changed: bool = False
    members: Callable[[Path], Sequence[str]] = _everything

    def fetch(self) -> Path:
        """The folder with everything, unpacked. UsageError where something cannot be had or does not fit."""
        if self.given is None:
            if not self.files:
                hint = f"Fetch the raw files from the publisher, then: {self.command('FILE')}"
                raise UsageError(
                    f"{self.name} names no address its files could be fetched from", key="d_url", hint=hint
                )
            found = [self._download(remote) for remote in self.files]
        elif re.match(r"https?://", self.given):
            found = [self._download(remote) for remote in self._at(self.given)]
        else:
            path = expanded(self.given, key="source")
            if is_folder(path, key="source"):
                packed = [path / remote.file for remote in self.files if is_file(path / remote.file)]
                # Some files, and none to unpack: what came out of the others stands beside them.
                if not packed or (len(packed) < len(self.files) and all(kind_of(one) == "plain" for one in packed)):
                    return path
                found = packed
            elif is_file(path):
                if len(self.files) > 1:
                    names = ", ".join(remote.file for remote in self.files)
                    raise UsageError(
                        f"{self.name} is made from several files",
                        path=path,
                        key="source",
                        hint=f"A folder with: {names}",
                    )
                found = [path]
            else:
                raise UsageError("no such file or folder", path=path, key="source")
        return self._unpacked(found)

    def _at(self, url: str) -> list[Remote]:
        """The files at an address given instead of their own; several are looked up below it."""
        if len(self.files) > 1:
            return [Remote(f"{url.rstrip('/')}/{remote.file}", remote.file, remote.sha256) for remote in self.files]
        return [Remote(url)]

    def _download(self, remote: Remote) -> Path:
        if len(self.files) == 1:
            hint = f"Or name it where it is: {self.command('FILE')}"
        else:
            names = ", ".join(file.file for file in self.files)
            hint = f"Or name the folder they are in, which needs {names}: {self.command('FOLDER')}"
        return download(remote, self.folder, self.lock, accept_changed=self.accept_changed, hint=hint)

    def _unpacked(self, found: Sequence[Path]) -> Path:
        """The folder with these files unpacked, each in a folder of its own, and with nothing else."""
        root = self.folder / UNPACKED
        kept = {name for path in found for name in (f"{path.name}.d", f".{path.name}.sha256")}
        try:
            for other in listed(root):
                if other.name not in kept:
                    shutil.rmtree(other) if is_folder(other) else other.unlink()
            plain = [path for path in found if kind_of(path) == "plain"]
            for path in plain:
                self._unpack(path, root, ())
            for path in (path for path in found if path not in plain):
                self._unpack(path, root, self.members(root))
        except OSError as error:
            raise unwritable(root, error) from None
        return root

    def _unpack(self, path: Path, root: Path, wanted: Sequence[str]) -> None:
        """Unpack a file unless the same was unpacked already, and the same of it."""
        target, mark = root / f"{path.name}.d", root / f".{path.name}.sha256"
        state = checksum(path)
        if wanted:
            state += " " + sha256("\n".join(wanted).encode()).hexdigest()
        if not (is_folder(target) and is_file(mark) and mark.read_text(encoding="utf-8") == state):
            unpack(path, target, wanted=wanted)
            mark.write_text(state, encoding="utf-8")
