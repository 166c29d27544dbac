"""Where a data set's raw files come from: its own addresses, or what was named with ``--source``."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aigc_evals.errors import UsageError
from aigc_evals.generate.archives import kind_of, unpack
from aigc_evals.generate.download import Remote, download
from aigc_evals.generate.files import DatasetsLock, sha256_of, unwritable

Described = str | Remote | Mapping[str, Any] | Sequence[str | Remote]
"""What ``d_url`` may be: an address; a list of addresses; a mapping of file names to addresses, or to mappings of ``url``
and ``sha256``."""

UNPACKED = "unpacked"


def remotes(described: Described) -> list[Remote]:
    """The files that a ``d_url`` stands for. UsageError for one that is of no known form."""
    if isinstance(described, str):
        return [Remote(described)] if described else []
    if isinstance(described, Remote):
        return [described]
    if isinstance(described, Mapping):
        return [_named(name, value) for name, value in described.items()]
    return [item if isinstance(item, Remote) else Remote(item) for item in described]


def _named(name: str, value: Any) -> Remote:
    if isinstance(value, Remote):
        return replace(value, name=name)
    if isinstance(value, Mapping) and isinstance(value.get("url"), str):
        return Remote(value["url"], name, value.get("sha256"))
    if isinstance(value, str):
        return Remote(value, name)
    raise UsageError(f"expected an address, or a mapping with 'url', got {value!r}", key=f"d_url.{name}")


@dataclass(frozen=True)
class Source:
    """The raw files of one data set, fetched and unpacked into ``<folder>/unpacked`` when they are asked for."""

    name: str
    files: Sequence[Remote]
    folder: Path
    lock: DatasetsLock
    given: str | None = None
    accept_changed: bool = False

    def fetch(self) -> Path:
        """The folder with everything, unpacked. UsageError where something cannot be had or does not fit."""
        if self.given is None:
            if not self.files:
                hint = f"Fetch the raw files from the publisher, then: aigc_evals generate {self.name} --source FILE"
                raise UsageError(
                    f"{self.name} names no address its files could be fetched from", key="d_url", hint=hint
                )
            found = [self._download(remote) for remote in self.files]
        elif re.match(r"https?://", self.given):
            found = [self._download(remote) for remote in self._at(self.given)]
        else:
            path = Path(self.given).expanduser()
            if path.is_dir():
                packed = [path / remote.file for remote in self.files if (path / remote.file).is_file()]
                # Some files, and none to unpack: what came out of the others stands beside them.
                if not packed or (len(packed) < len(self.files) and all(kind_of(one) == "plain" for one in packed)):
                    return path
                found = packed
            elif path.is_file():
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
        hint = f"Or name it where it is: aigc_evals generate {self.name} --source FILE"
        return download(remote, self.folder, self.lock, accept_changed=self.accept_changed, hint=hint)

    def _unpacked(self, found: Sequence[Path]) -> Path:
        """The folder with these files unpacked, each in a folder of its own, and with nothing else."""
        root = self.folder / UNPACKED
        kept = {f"{path.name}.d" for path in found}
        try:
            for other in root.iterdir() if root.is_dir() else ():
                if other.name not in kept and other.is_dir():
                    shutil.rmtree(other)
            for path in found:
                target, mark = root / f"{path.name}.d", root / f"{path.name}.sha256"
                digest = sha256_of(path)
                if not (target.is_dir() and mark.is_file() and mark.read_text(encoding="utf-8") == digest):
                    unpack(path, target)
                    mark.write_text(digest, encoding="utf-8")
        except OSError as error:
            raise unwritable(root, error) from None
        return root
