"""The files of a data set's splits: made by one process at a time, and there only when they are whole."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

from aigc_evals.errors import UsageError
from aigc_evals.files import is_file, write_whole
from aigc_evals.generate.files import held, replaced, unwritable

SAME_SPLIT = {"val": "validation", "valid": "validation", "dev": "validation", "training": "train", "testing": "test"}
"""What a split may be called, and its name where none is called so."""


class Splits:
    """``<folder>/<split>.jsonl`` for every split, and ``source`` beside them: what was named as their source, if anything was.

    A data set's code may write to these files directly, and half a split under its name would be taken for all of it ever
    after. So while they are made a note lies beside them that says what was there before; whoever finds it, after a power
    failure say, removes the rest.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._note = folder / ".making"
        self._source = folder / ".source"

    def file(self, split: str) -> Path:
        """The file of a split."""
        return self.folder / f"{split}.jsonl"

    def names(self) -> list[str]:
        """The splits that are there."""
        return sorted(path.stem for path in self.folder.glob("*.jsonl"))

    def saved(self, split: str, whose: str) -> str:
        """``split`` where it was made, or else the one that the name stands for; UsageError where neither was."""
        for name in (split, SAME_SPLIT.get(split, split)):
            if is_file(self.file(name)):
                return name
        hint = (
            f"extract_and_save_datasets is to give it to save_split; it saved {', '.join(self.names()) or 'nothing'}."
        )
        message = f"{whose} has no split {split!r} after its raw files were read"
        raise UsageError(message, path=self.file(split), hint=hint)

    @property
    def source(self) -> str | None:
        """What was named as their source when they were made."""
        try:
            return self._source.read_text(encoding="utf-8")
        except OSError:
            return None

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the splits among processes, without any that is half made; where nothing can be written, none is held."""
        with held(self.folder.parent / f".{self.folder.name}.lock", needed=False):
            try:
                self._remove_half_made()
            except OSError as error:
                raise unwritable(self.folder, error) from None
            yield

    @contextlib.contextmanager
    def made(self, source: str | None, *, anew: bool) -> Iterator[None]:
        """Make splits in the block: all of them, in place of those that are there, with ``anew``. What it wrote is removed
        where it fails or is interrupted; ``source`` is noted where it does not.
        """
        with replaced(self.folder) if anew else contextlib.nullcontext():
            write_whole(self._note, [json.dumps(self._states()).encode()])
            try:
                yield
                if source is not None:
                    write_whole(self._source, [source.encode()])
                else:
                    self._source.unlink(missing_ok=True)
            except BaseException:
                with contextlib.suppress(OSError):
                    self._remove_half_made()
                raise
            self._note.unlink(missing_ok=True)

    def _remove_half_made(self) -> None:
        try:
            before = json.loads(self._note.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return
        for name, state in self._states().items():
            if before.get(name) != state:
                (self.folder / name).unlink()
        self._note.unlink()

    def _states(self) -> dict[str, list[int]]:
        """Name -> what tells a file from another one that is put in its place, of all splits."""
        stats = {path.name: path.stat() for path in self.folder.glob("*.jsonl")}
        return {name: [stat.st_ino, stat.st_mtime_ns, stat.st_size] for name, stat in stats.items()}
