"""Random access to the rows of JSONL data without holding them in memory.

Every line is checked once when the data is opened; rows are parsed again each time they are asked for. Which
rows a run takes, and in what order, is decided elsewhere (``Subset`` carries that decision out).
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
import threading
import weakref
from abc import abstractmethod
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any, BinaryIO, overload

import orjson

from aigc_evals.data.lines import BLOCK, BOM, is_blank, line_error, parse_line, spans
from aigc_evals.data.sources import (
    COMPRESSED_SUFFIXES,
    PathLike,
    decompressed,
    explain,
    is_remote,
    jsonl_files,
    open_raw,
)
from aigc_evals.errors import DataError, SampleError
from aigc_evals.fastjson import decode, has_long_number

Check = Callable[[Any], None]


class _Rows(Sequence[Any]):
    """Rows by their numbers; a slice, and a sum with other rows, is a list."""

    @abstractmethod
    def _row(self, index: int) -> Any:
        """One row; a negative number counts from the end."""

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [self._row(i) for i in range(*index.indices(len(self)))]
        return self._row(index)

    def __add__(self, other: Any) -> list[Any]:
        return [*self, *other]

    def __radd__(self, other: Any) -> list[Any]:
        return [*other, *self]


class JsonlSamples(_Rows):
    """The rows of a JSONL file, or of all JSONL files under a directory, numbered through from 0.

    Holds 8 bytes a row. Each access parses the row afresh, so nobody can change another's row. Safe to read
    from several threads. ``files`` maps each file to the SHA-256 of its bytes as stored; ``sha256`` is that
    of the single file, or, for a directory, of the lines "<sha256>  <relative path>\\n". ``blank_lines`` and
    ``boms`` count what was skipped.
    """

    def __init__(self, path: str, files: Sequence[_JsonlFile], checked: bool = False) -> None:
        self.path = path
        self.checked = checked
        self._files = tuple(files)
        self._first = array("Q")
        self._length = 0
        for file in files:
            self._first.append(self._length)
            self._length += len(file)
        self.files: dict[str, str] = {file.path: file.sha256 for file in files}
        self.blank_lines = sum(file.blank_lines for file in files)
        self.boms = sum(file.has_bom for file in files)
        if len(files) == 1 and files[0].path == path:
            self.sha256 = files[0].sha256
        else:
            listing = "".join(f"{file.sha256}  {_relative(file.path, path)}\n" for file in files)
            self.sha256 = hashlib.sha256(listing.encode("utf-8", "surrogateescape")).hexdigest()

    @classmethod
    def open(cls, path: PathLike, *, check: Check | None = None) -> JsonlSamples:
        """Read and check the data once; ``check`` is called with each row and may raise SampleError.

        Compressed and remote files are unpacked to a temporary file, which goes with the object. Raises
        DataError (a UsageError) that names the place for anything that cannot be used.
        """
        name = os.fspath(path)
        files: list[_JsonlFile] = []
        try:
            files.extend(_JsonlFile(file, check) for file in jsonl_files(name))
        except BaseException:
            for opened in files:
                opened.close()
            raise
        return cls(name, files, checked=check is not None)

    def __len__(self) -> int:
        return self._length

    def _row(self, index: int) -> Any:
        file, row = self._find(index)
        return file.row(row)

    def __iter__(self) -> Iterator[Any]:
        for file in self._files:
            for row in range(len(file)):
                yield file.row(row)

    def __repr__(self) -> str:
        return f"JsonlSamples({self.path!r}, {self._length} rows)"

    def place(self, index: int) -> tuple[str, int]:
        """The file and the line (from 1) that a row stands in."""
        file, row = self._find(index)
        return file.path, file.line(row)

    def close(self) -> None:
        """Give up the open files; rows cannot be read afterwards. Happens by itself when the object goes."""
        for file in self._files:
            file.close()

    def _find(self, index: int) -> tuple[_JsonlFile, int]:
        row = index + self._length if index < 0 else index
        if not 0 <= row < self._length:
            raise IndexError(f"row {index} of {self._length}")
        if len(self._files) == 1:
            return self._files[0], row
        which = bisect_right(self._first, row) - 1
        return self._files[which], row - self._first[which]


class Subset(_Rows):
    """Some samples of a sequence in an order of their own: position i is row ``order[i]`` of ``samples``."""

    def __init__(self, samples: Sequence[Any], order: Sequence[int]) -> None:
        self.samples = samples
        self.order = order

    def __len__(self) -> int:
        return len(self.order)

    def _row(self, index: int) -> Any:
        return self.samples[self.order[index]]

    def place(self, index: int) -> tuple[str, int] | None:
        """The file and the line of a position; None when the samples did not come from a file."""
        place = getattr(self.samples, "place", None)
        return place(self.order[index]) if place is not None else None


class _JsonlFile:
    """One file: where its rows begin, and a descriptor to read them from."""

    def __init__(self, path: str, check: Check | None) -> None:
        self.path = path
        self.has_bom = False
        self.blank_lines = 0
        self._starts = array("Q")
        # Line numbers: only where blank lines came before a row is that noted, with how many so far.
        self._gap_rows = array("Q")
        self._gap_totals = array("Q")
        self._lock = None if hasattr(os, "pread") else threading.Lock()
        with open_raw(path) as raw:
            digest = _Digest(raw)
            self._fd = _descriptor(raw, digest, path)
        self._close = weakref.finalize(self, os.close, self._fd)
        try:
            self._scan(digest, check)
        except BaseException:
            self.close()
            raise
        self.sha256 = digest.sha256.hexdigest()

    def _scan(self, digest: _Digest, check: Check | None) -> None:
        content = _DescriptorReader(self._read, digest if not digest.done else None)
        parse: Callable[[bytes], Any] = orjson.loads if check is None else decode
        rounded = False
        append = self._starts.append
        position = 0
        number = 0
        blanks = noted = 0
        for line, end in spans(content):  # type: ignore[arg-type]
            number += 1
            start = position
            position += len(line) + end
            if number == 1 and line.startswith(BOM):
                self.has_bom = True
                start += len(BOM)
                line = line[len(BOM) :]
            rounded = rounded or has_long_number(line)
            try:
                row = parse(line)
            except (ValueError, RecursionError):
                if is_blank(line):
                    blanks += bool(line or end)  # a byte-order mark alone is no line
                    continue
                row = parse_line(line, self.path, number)
            if blanks != noted:
                noted = blanks
                self._gap_rows.append(len(self._starts))
                self._gap_totals.append(blanks)
            append(start)
            if check is not None:
                try:
                    check(row)
                except SampleError as error:
                    raise DataError(str(error), path=self.path, line=number) from error
        self.blank_lines = blanks
        self._size = position
        self._parse = decode if rounded else orjson.loads

    def __len__(self) -> int:
        return len(self._starts)

    def row(self, row: int) -> Any:
        starts = self._starts
        start = starts[row]
        end = starts[row + 1] if row + 1 < len(starts) else self._size
        line = self._read(end - start, start)
        try:
            # Blank lines after the row come along; white space does not matter to the parser.
            return self._parse(line)
        except orjson.JSONDecodeError:
            # What only the slower parser takes: NaN, lone surrogates.
            pass
        try:
            return decode(line)
        except (ValueError, RecursionError) as error:
            reason = line_error(line, self.path, self.line(row), error)
            reason.hint = "The file was in order when it was opened: was it changed since?"
            raise reason from None

    def line(self, row: int) -> int:
        gap = bisect_right(self._gap_rows, row)
        return row + 1 + (self._gap_totals[gap - 1] if gap else 0)

    def close(self) -> None:
        self._close()
        self._fd = -1

    def _read(self, size: int, position: int) -> bytes:
        if self._fd < 0:
            raise ValueError(f"the samples of {self.path} are closed")
        if self._lock is None:
            return os.pread(self._fd, size, position)
        with self._lock:
            os.lseek(self._fd, position, os.SEEK_SET)
            return os.read(self._fd, size)


class _Digest:
    """Reads a stream and takes the SHA-256 of all that passes."""

    def __init__(self, raw: BinaryIO) -> None:
        self.raw = raw
        self.sha256 = hashlib.sha256()
        self.done = False

    def read(self, size: int = -1) -> bytes:
        content = self.raw.read(size)
        self.sha256.update(content)
        return content

    def close(self) -> None:
        pass


class _DescriptorReader:
    """A descriptor as a stream from its beginning, feeding a digest on the way when there is one."""

    def __init__(self, read: Callable[[int, int], bytes], digest: _Digest | None) -> None:
        self._read = read
        self._digest = digest
        self._position = 0

    def read(self, size: int) -> bytes:
        content = self._read(size, self._position)
        self._position += len(content)
        if self._digest is not None:
            self._digest.sha256.update(content)
        return content


def _descriptor(raw: BinaryIO, digest: _Digest, path: str) -> int:
    """A descriptor to read single rows from: the file's own, or a temporary file's with the content
    unpacked.
    """
    packed = is_remote(path) or path.endswith(COMPRESSED_SUFFIXES)
    if not packed and stat.S_ISREG(os.fstat(raw.fileno()).st_mode):
        return os.dup(raw.fileno())
    try:
        with tempfile.TemporaryFile(prefix="aigc_evals-") as spool:
            with closing(decompressed(digest, path)) as content:  # type: ignore[arg-type]
                while block := content.read(BLOCK):
                    spool.write(block)
            while digest.read(BLOCK):  # what stands behind the packed data belongs to the file's digest too
                pass
            spool.flush()
            digest.done = True
            return os.dup(spool.fileno())
    except OSError as error:
        explain(path, error)


def _relative(file: str, root: str) -> str:
    return file.removeprefix(root).replace(os.sep, "/").lstrip("/")
