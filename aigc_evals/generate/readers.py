"""Reads the raw files of data sets: CSV and TSV, JSON, JSON lines; UTF-8 with or without a mark, else GB 18030.

What cannot be read is a DataError that names the file and the line, and so is a field that is asked for and not there.
"""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from aigc_evals.data.lines import likely_encoding
from aigc_evals.errors import DataError, nearest
from aigc_evals.files import is_file
from aigc_evals.generate.archives import is_litter, plain_pattern
from aigc_evals.generate.rows import Row

_BLOCK = 1 << 20
_LONGEST_FIELD = 1 << 28


def find(folder: Path, name: str) -> Path:
    """The file below ``folder`` whose path ends with ``name`` (``dev.json``, ``BoolQ/val.jsonl``), the least deep if several.

    A name with ``*`` is a pattern, in which ``**`` stands for any number of folders, or none. Raises DataError, with the
    nearest names, where there is no such file.
    """
    return find_all(folder, name)[0]


def find_all(folder: Path, name: str) -> list[Path]:
    """All files below ``folder`` whose paths end with ``name``, which may hold ``*``; the least deep first, then by path."""
    found = files_below(folder, name)
    if not found:
        names = [path.relative_to(folder).as_posix() for path in files_below(folder) if not path.name.startswith(".")]
        near = nearest(name, names) or f"There are: {', '.join(sorted(names)[:20]) or 'no files at all'}"
        raise DataError(f"the source has no file {name!r}", path=folder, hint=near)
    return found


def files_below(folder: Path, name: str = "*") -> list[Path]:
    """``find_all``, or nothing where there is no such file; never what systems leave beside people's files (``._x``)."""
    found = {path for path in folder.rglob(plain_pattern(name)) if not is_litter(path.relative_to(folder).as_posix())}
    return sorted(filter(is_file, found), key=lambda path: (len(path.parts), path.as_posix()))


def encoding_of(path: Path) -> str:
    """``utf-8-sig`` where all of a file is UTF-8 (a mark or none), else ``gb18030``; DataError where it is neither, and for
    NUL bytes, which no text has.
    """
    for encoding in ("utf-8", "gb18030"):
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            with open(path, "rb") as stream:
                while block := stream.read(_BLOCK):
                    if b"\x00" in block:
                        raise _no_text(path, "there are NUL bytes in it, so it is damaged or no plain text")
                    decoder.decode(block)
            decoder.decode(b"", True)
        except UnicodeDecodeError:
            continue
        except OSError as error:
            raise DataError(f"cannot be read: {error.strerror}", path=path) from None
        return "utf-8-sig" if encoding == "utf-8" else encoding
    raise _no_text(path, "neither UTF-8 nor GB 18030")


def _no_text(path: Path, message: str) -> DataError:
    with open(path, "rb") as stream:
        likely = likely_encoding(stream.read(_BLOCK))
    if not likely.startswith("utf-16"):
        return DataError(message, path=path)
    hint = f"It looks like {likely}. If it is: iconv -f {likely} -t utf-8 FILE > NEW_FILE"
    return DataError(message, path=path, hint=hint)


def open_text(path: Path, encoding: str | None = None) -> TextIO:
    """Open a text file, in the encoding it is found to have if none is given; line ends are left as they are."""
    return open(path, encoding=encoding or encoding_of(path), newline="")


def read_text(path: Path, encoding: str | None = None) -> str:
    """All of a text file."""
    with open_text(path, encoding) as stream:
        return stream.read()


def read_lines(path: Path, encoding: str | None = None) -> Iterator[str]:
    """The lines of a text file without their ends."""
    with open_text(path, encoding) as stream:
        for line in stream:
            yield line.rstrip("\r\n")


def read_json(path: Path, encoding: str | None = None) -> Any:
    """The value of a JSON file."""
    try:
        return json.loads(read_text(path, encoding), object_hook=partial(Row, path=path))
    except json.JSONDecodeError as error:
        raise DataError(f"not JSON: {error.msg}", path=path, line=error.lineno, column=error.colno) from None


def read_jsonl(path: Path, encoding: str | None = None) -> Iterator[Any]:
    """The values of a file with one JSON value a line; blank lines are passed over."""
    for number, line in enumerate(read_lines(path, encoding), 1):
        if line.strip():
            try:
                yield json.loads(line, object_hook=partial(Row, path=path, line=number))
            except json.JSONDecodeError as error:
                raise DataError(f"not JSON: {error.msg}", path=path, line=number, column=error.colno) from None


def read_csv(
    path: Path,
    *,
    columns: Sequence[str] | None = None,
    delimiter: str = ",",
    quoted: bool = True,
    encoding: str | None = None,
) -> Iterator[dict[str, str]]:
    """The rows of a CSV file by the names of their columns, which are those of its first row unless given.

    Quoted fields may hold delimiters and line ends; with ``quoted=False`` quotes are text (as in most TSV files). Fields
    missing at the end of a row are empty; a row with more fields than columns is a DataError.
    """
    if csv.field_size_limit() < _LONGEST_FIELD:
        csv.field_size_limit(_LONGEST_FIELD)  # articles are longer than the 128 kB that Python takes for a mistake
    with open_text(path, encoding) as stream:
        reader = csv.reader(stream, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE)
        names = list(columns) if columns is not None else None
        while True:
            try:
                row = next(reader, None)
            except csv.Error as error:
                raise DataError(f"not CSV: {error}", path=path, line=reader.line_num) from None
            if row is None:
                return
            if not row:
                continue
            if names is None:
                names = row
                continue
            if len(row) > len(names):
                message = f"{len(row)} fields where there are {len(names)} columns"
                raise DataError(message, path=path, line=reader.line_num, hint=f"Columns: {', '.join(names)}")
            fields = zip(names, [*row, *[""] * (len(names) - len(row))], strict=True)
            yield Row(fields, path, reader.line_num)


def read_tsv(
    path: Path, *, columns: Sequence[str] | None = None, quoted: bool = False, encoding: str | None = None
) -> Iterator[dict[str, str]]:
    """``read_csv`` for fields separated by tabs, in which quotes are text unless ``quoted``."""
    return read_csv(path, columns=columns, delimiter="\t", quoted=quoted, encoding=encoding)
