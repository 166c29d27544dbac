"""Reading and writing data files: JSON, JSONL, CSV and lines, local or remote, plain or compressed.

These functions hold what they read in memory (``iter_jsonls`` streams); a run reads its samples through
``samples.JsonlSamples``, which does not. How a path is opened is in ``sources``; JSON for the log in
``fastjson``.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import itertools
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePath
from typing import IO, Any

from aigc_evals.data.sources import (
    PathLike,
    gzip_open,
    jsonl_files,
    lz4_open,
    open_by_file_pattern,
    open_source,
    zstd_open,
)
from aigc_evals.errors import DataError
from aigc_evals.fastjson import decode, encode

__all__ = [
    "DataError",
    "EnhancedJSONEncoder",
    "decode",
    "encode",
    "get_csv",
    "get_json",
    "get_jsonl",
    "get_jsonls",
    "get_lines",
    "gzip_open",
    "iter_jsonls",
    "jsondump",
    "jsondumps",
    "jsonload",
    "jsonloads",
    "lz4_open",
    "open_by_file_pattern",
    "zstd_open",
]

Paths = str | Path | Sequence[str | Path]


def get_jsonl(path: PathLike) -> list[Any]:
    """All rows of a JSONL file, or of every JSONL file under a directory (recursively, in sorted order).

    Blank lines and a byte-order mark are skipped. Raises DataError with path, line and column for a line that
    is not JSON or not UTF-8.
    """
    return list(_rows(path))


def get_jsonls(paths: Paths, line_limit: int | None = None) -> list[Any]:
    """The rows of several JSONL files or directories, at most ``line_limit`` of them."""
    return list(iter_jsonls(paths, line_limit))


def iter_jsonls(paths: Paths, line_limit: int | None = None) -> Iterator[Any]:
    """The rows of JSONL files or directories one by one, holding only one in memory; at most
    ``line_limit``.
    """
    several: Iterable[PathLike] = [paths] if isinstance(paths, (str, Path)) else paths
    return itertools.islice(itertools.chain.from_iterable(_rows(path) for path in several), line_limit)


def get_json(path: PathLike) -> Any:
    """The value of a JSON file."""
    if os.path.isdir(path):
        raise DataError("this is a directory; a JSON file is wanted", path=path)
    with open_source(path) as stream:
        content = stream.read()
    try:
        return json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise DataError(f"not UTF-8 (byte {error.start + 1}: {error.reason})", path=path) from None
    except json.JSONDecodeError as error:
        raise DataError(f"not JSON: {error.msg}", path=path, line=error.lineno, column=error.colno) from None


def get_lines(path: PathLike) -> list[str]:
    """The lines of a text file, each with its line end as "\\n"."""
    with _text(path) as stream:
        return stream.readlines()


def get_csv(path: PathLike, fieldnames: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """The rows of a CSV file as mappings; the first row names the fields unless ``fieldnames`` does."""
    with _text(path, newline="") as stream:
        return list(csv.DictReader(stream, fieldnames=fieldnames))


def _rows(path: PathLike) -> Iterator[Any]:
    from aigc_evals.data.lines import numbered_lines, parse_line

    for file in jsonl_files(path):
        with open_source(file) as stream:
            for number, line in numbered_lines(stream):
                yield parse_line(line, file, number)


def _text(path: PathLike, newline: str | None = None) -> IO[str]:
    return io.TextIOWrapper(open_source(path), encoding="utf-8-sig", newline=newline)


class EnhancedJSONEncoder(json.JSONEncoder):
    """The json module's encoder, for dataclasses, pydantic models and paths too; leaves out
    ``exclude_keys``.
    """

    def __init__(self, exclude_keys: Iterable[str] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.exclude_keys = frozenset(exclude_keys or ())

    def default(self, o: Any) -> Any:
        converted = _to_json_types(o, self.exclude_keys)
        return super().default(o) if converted is o else converted


def jsondumps(o: Any, ensure_ascii: bool = False, **kwargs: Any) -> str:
    """``o`` as JSON text; keyword arguments are those of json.dumps, and ``exclude_keys``: left out at any
    depth.

    The argument is never changed. Raises TypeError for what has no JSON form (``encode`` never does).
    """
    return json.dumps(_without(o, kwargs), cls=EnhancedJSONEncoder, ensure_ascii=ensure_ascii, **kwargs)


def jsondump(o: Any, fp: IO[str], ensure_ascii: bool = False, **kwargs: Any) -> None:
    """Write ``o`` to a text stream; see ``jsondumps``."""
    json.dump(_without(o, kwargs), fp, cls=EnhancedJSONEncoder, ensure_ascii=ensure_ascii, **kwargs)


def jsonloads(s: str | bytes, **kwargs: Any) -> Any:
    """The value of a JSON text; keyword arguments are those of json.loads."""
    return json.loads(s, **kwargs)


def jsonload(fp: IO[str] | IO[bytes], **kwargs: Any) -> Any:
    """The value of the JSON text in a stream; keyword arguments are those of json.load."""
    return json.load(fp, **kwargs)


def _without(o: Any, kwargs: dict[str, Any]) -> Any:
    # The encoder hook never sees plain dicts, so keys have to go before it.
    excluded = kwargs.get("exclude_keys")
    return _to_json_types(o, frozenset(excluded)) if excluded else o


def _to_json_types(o: Any, exclude: frozenset[str]) -> Any:
    if isinstance(o, dict):
        return {k: _to_json_types(v, exclude) for k, v in o.items() if not (isinstance(k, str) and k in exclude)}
    if isinstance(o, (list, tuple)):
        return [_to_json_types(v, exclude) for v in o]
    if isinstance(o, PurePath):
        return o.as_posix()
    if dataclasses.is_dataclass(o) and not isinstance(o, type):
        return _to_json_types({f.name: getattr(o, f.name) for f in dataclasses.fields(o)}, exclude)
    dump = getattr(o, "model_dump", None)
    if callable(dump) and not isinstance(o, type):
        return _to_json_types(dump(mode="json"), exclude)
    return o
