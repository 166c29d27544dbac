"""Text in columns of a terminal, where Chinese characters and their like take two: widths, tables, wrapped lines.

And how many columns a terminal has.
"""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

_UNKNOWN_SIZE = {"ncols": 80, "nrows": 24}


def terminal_columns() -> int | None:
    """The columns of the terminal; None where stdout is a file or another program, which gets whole lines."""
    if not sys.stdout.isatty():
        return None
    import shutil

    return shutil.get_terminal_size().columns


def bar_size() -> dict[str, Any]:
    """What tqdm is to be told of the size of a bar on stderr: nothing fixed on a terminal that knows its own.

    On one that does not (``docker run -t``, ``script``) it would show no line at all.
    """
    try:
        known = all(os.get_terminal_size(sys.stderr.fileno()))
    except (OSError, ValueError):
        known = False
    return {"dynamic_ncols": True} if known else dict(_UNKNOWN_SIZE)


def width(text: str) -> int:
    """Columns that a text of one line takes; marks that combine with the character before take none."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}


def printable(text: str) -> str:
    """``text`` as one line for a terminal: line ends and other control characters, which could steer it, as ``\\x1b``."""
    return text.translate(_CONTROLS)


def padded(text: str, columns: int) -> str:
    return text + " " * (columns - width(text))


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows as lines, their cells under one another, two spaces between; control characters are made visible."""
    rows = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(padded(cell, wide) for cell, wide in zip(row, widths, strict=True)).rstrip() for row in rows]


def wrapped(text: str, columns: int) -> Iterator[str]:
    """The lines of ``text``, none wider than ``columns``: broken at spaces, within words and Chinese text anywhere."""
    for line in text.splitlines() or [""]:
        yield from _broken(line, max(2, columns))


def _broken(line: str, columns: int) -> Iterator[str]:
    start = 0
    while (end := _fitting(line, start, columns)) < len(line):
        space = line.rfind(" ", start, end + 1)
        within_a_word = (
            line[end] != " " and line[end - 1] != " " and _columns(line[end]) == _columns(line[end - 1]) == 1
        )
        if within_a_word and space > start:
            end = space
        yield line[start:end].rstrip(" ")
        start = end
        while start < len(line) and line[start] == " ":
            start += 1
    yield line[start:]


def _fitting(line: str, start: int, columns: int) -> int:
    """The end of what fits into ``columns`` from ``start`` on, at least one character."""
    used = 0
    for i in range(start, len(line)):
        used += _columns(line[i])
        if used > columns:
            return max(i, start + 1)
    return len(line)
