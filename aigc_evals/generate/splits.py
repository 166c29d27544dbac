"""The files of a data set's splits: made by one process at a time, and under their names only when they are whole."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from aigc_evals.errors import UsageError
from aigc_evals.files import is_file, is_folder, is_there, listed, write_whole
from aigc_evals.generate.files import held, unwritable

logger = logging.getLogger(__name__)

SAME_SPLIT = {"val": "validation", "valid": "validation", "dev": "validation", "training": "train", "testing": "test"}
"""What a split may be called, and its name where none is called so."""

UNFINISHED = ".unfinished"
_SOURCES = ".source"


class Splits:
    """``<folder>/<split>.jsonl`` for every split, and ``.source`` beside them: of which source each was made, if one was named.

    They are made in a folder of their own in it, and moved to their places when all have been made. So what is under a
    split's name is whole, and can be read without asking anybody; a process that is killed while it makes them leaves
    only its own folder. What is in the folder already stays, but for splits that were asked for ``anew``.

    ``whose`` is the data set's name; ``named`` says that its splits' names are known, so that none stands for another.
    """

    def __init__(self, folder: Path, whose: str, *, named: bool) -> None:
        self.folder = folder
        self._whose = whose
        self._named = named
        # Two links to one folder have one lock. Names of data sets begin with no dot: these are of no other file.
        real = Path(os.path.realpath(folder))
        self._lock = real.with_name(f".{real.name}.making")
        self._record = real.with_name(f".{real.name}.splits")

    def file(self, split: str) -> Path:
        """The file of a split."""
        return self.folder / f"{split}.jsonl"

    def found(self, split: str) -> str | None:
        """``split`` where it is there, or else the one that the name stands for; None where neither is."""
        if is_file(self.file(split)):
            return split
        other = SAME_SPLIT.get(split)
        if other is None or self._named or split in self._known() or not is_file(self.file(other)):
            return None
        return other

    def had(self, split: str, make: Callable[[Path], None] | None, *, source: str | None = None, anew: bool) -> str:
        """The name under which ``split`` is there; ``make`` makes the files of all splits in a folder where it is not, or all
        of them anew, of ``source``. UsageError where there is none then, or none can be made.
        """
        found = None if anew else self.found(split)
        if found is not None:
            return found
        if make is None:
            raise self._lacking(split, self._names(self.folder))
        with held(self._lock, f"makes {self.folder}", needed=False) as alone:
            found = None if anew else self.found(split)  # whoever was waited for may have made it
            if found is None:
                if not anew:
                    self._refuse_unknown(split)
                self._make(split, make, source, alone=alone, anew=anew)
                found = self.found(split)
        if found is None:
            raise self._lacking(split, self._names(self.folder))
        return found

    def source(self, split: str) -> str | None:
        """What was named as the source of a split when it was made."""
        return self._sources().get(split)

    def _sources(self) -> dict[str, str]:
        found = _json(self.folder / _SOURCES)
        return {name: one for name, one in found.items() if isinstance(one, str)} if isinstance(found, dict) else {}

    # -- which splits there are -------------------------------------------------------------------------------------

    def _known(self) -> list[str]:
        """The splits that the class has made before."""
        found = _json(self._record)
        return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []

    def _refuse_unknown(self, split: str) -> None:
        """UsageError for a split that the class made none of when it made those that are there."""
        known = self._known()
        there = [name for name in known if is_file(self.file(name))]
        if there and split not in known and SAME_SPLIT.get(split) not in known:
            hint = f"{_choice(there)}\nWhere the class makes more of them by now, delete {self._record} first."
            raise UsageError(f"{self._whose} has no split {split!r}", key="split", hint=hint)

    def _lacking(self, split: str, there: Collection[str]) -> UsageError:
        hint = _choice(there) if there else "extract_and_save_datasets is to give it to save_split; it saved nothing."
        message = f"{self._whose} has no split {split!r} after its raw files were read"
        return UsageError(message, path=self.file(split), hint=hint)

    @staticmethod
    def _names(folder: Path) -> list[str]:
        return [path.stem for path in listed(folder) if path.suffix == ".jsonl" and is_file(path)]

    # -- how they are made ------------------------------------------------------------------------------------------

    def _make(self, split: str, make: Callable[[Path], None], source: str | None, *, alone: bool, anew: bool) -> None:
        with self._unfinished(alone=alone, anew=anew) as folder:
            before = self._states()
            make(folder)
            # A class may write to the splits' own places too, by paths that it has written out.
            direct = {name for name, state in self._states().items() if before.get(name) != state}
            made = {*self._names(folder), *direct}
            if anew and not made & {split, *([] if self._named else [SAME_SPLIT.get(split, split)])}:
                raise self._lacking(split, made)
            try:
                kept = set() if anew else before.keys() - direct
                self._move(folder, kept)
                for name in before.keys() - made if anew else ():
                    aside = self.file(name).with_suffix(".jsonl.old")
                    logger.warning("%s was not made anew; the older one is %s now", self.file(name), aside.name)
                    os.replace(self.file(name), aside)
                self._note(made - kept, source, anew)
            except OSError as error:
                raise unwritable(self.folder, error) from None
        with contextlib.suppress(UsageError, OSError):
            if anew:
                self._record.unlink(missing_ok=True)  # another source may have other splits than the class's own
            else:
                write_whole(self._record, [json.dumps(sorted({*self._known(), *made})).encode()])

    @contextlib.contextmanager
    def _unfinished(self, *, alone: bool, anew: bool) -> Iterator[Path]:
        """A new folder to make splits in, with what there is already; it is removed afterwards.

        The one of a process that held the lock (``alone``) is left by nobody but a dead one, so the next that holds it
        removes it. That of a process which could get no lock may be in use, and has a name of its own.
        """
        name = UNFINISHED if alone else f"{UNFINISHED}-{os.getpid()}-{os.urandom(4).hex()}"
        folder = self.folder / name
        try:
            if alone:
                shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        except OSError as error:
            raise unwritable(folder, error) from None
        try:
            self._lay_out(folder, anew)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _lay_out(self, folder: Path, anew: bool) -> None:
        """Put there what a class may look for among its splits: copies of them, unless they are made anew, links to the rest."""
        try:
            for path in listed(self.folder):
                if path.name == _SOURCES or path.name.startswith(UNFINISHED):
                    continue
                if path.suffix != ".jsonl":
                    with contextlib.suppress(OSError):  # where links need a privilege
                        os.symlink(os.path.abspath(path), folder / path.name, target_is_directory=is_folder(path))
                elif not anew and is_file(path):
                    shutil.copyfile(path, folder / path.name)
        except OSError as error:
            raise unwritable(folder, error) from None

    def _move(self, made: Path, kept: Collection[str]) -> None:
        """Move what was made to its place, but for the splits that stay as they are and for the links to what is there."""
        for path in listed(made):
            target = self.folder / path.name
            if path.suffix == ".jsonl" and is_file(path):
                if path.stem in kept:
                    continue
                _settle(path)
            elif path.is_symlink() or (is_folder(path) and is_there(target)):
                continue
            os.replace(path, target)

    def _note(self, made: Collection[str], source: str | None, anew: bool) -> None:
        sources = {} if anew else {name: one for name, one in self._sources().items() if name not in made}
        if source is not None:
            sources.update(dict.fromkeys(sorted(made), source))
        if sources:
            write_whole(self.folder / _SOURCES, [json.dumps(sources, ensure_ascii=False).encode()])
        else:
            (self.folder / _SOURCES).unlink(missing_ok=True)

    def _states(self) -> dict[str, tuple[int, int, int]]:
        """Name -> what tells a file from another one that is put in its place, of all splits."""
        stats = {name: os.stat(self.file(name)) for name in self._names(self.folder)}
        return {name: (stat.st_ino, stat.st_mtime_ns, stat.st_size) for name, stat in stats.items()}


def _choice(splits: Collection[str]) -> str:
    return f"Take one of these with --split: {', '.join(sorted(splits))}"


def _json(path: Path) -> object:
    """What a file holds that is nothing but a help; None where it is not there or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _settle(path: Path) -> None:
    """Have a file on the disk before its name says that it is whole: a class writes it as it likes."""
    with contextlib.suppress(PermissionError), open(path, "rb+") as file:  # it may be a copy of what is read-only
        os.fsync(file.fileno())
