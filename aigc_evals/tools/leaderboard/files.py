"""A leaderboard in any of its forms, printed or written to files."""

from __future__ import annotations

import codecs
from pathlib import Path

from aigc_evals.errors import UsageError
from aigc_evals.files import write_whole
from aigc_evals.tools.leaderboard import text
from aigc_evals.tools.leaderboard.board import Board

FORMATS = ("table", "markdown", "csv", "html", "json")

SUFFIXES = {".md": "markdown", ".markdown": "markdown", ".csv": "csv", ".html": "html", ".htm": "html", ".json": "json"}


def rendered(board: Board, form: str = "table") -> str:
    """The board as text in one of ``FORMATS``."""
    if form not in FORMATS:
        raise UsageError(f"expected one of {', '.join(FORMATS)}, got {form!r}", key="format")
    if form == "html":
        from aigc_evals.tools.leaderboard.html import page

        return page(board)
    makers = {"table": text.terminal, "markdown": text.markdown, "csv": text.csv, "json": text.json}
    return makers[form](board)


def check_output(path: str | Path) -> None:
    """UsageError where the ending of ``path`` stands for no form of a board."""
    if Path(path).suffix.lower() not in (*SUFFIXES, ".png"):
        raise UsageError(
            "the ending of the file says what is written, and this one is not known",
            path=path,
            key="out",
            hint="Known endings: .md, .csv, .html, .json, .png.",
        )


def write(board: Board, path: str | Path, *, font: str | Path | None = None, bom: bool = False) -> list[str]:
    """Write the board to ``path`` in the form that its ending names; the warnings there are.

    A PNG needs matplotlib; ``font`` is a font file for its labels. ``bom`` puts a byte order mark before a CSV: without
    one Excel takes its Chinese for another encoding, with one some programs take it for part of the first column's name.
    The file appears whole or not at all.
    """
    check_output(path)
    path = Path(path)
    warnings: list[str] = []
    if path.suffix.lower() == ".png":
        from aigc_evals.tools.leaderboard.chart import png

        content, warnings = png(board, font=font)
    else:
        form = SUFFIXES[path.suffix.lower()]
        content = (rendered(board, form).rstrip("\n") + "\n").encode("utf-8", "replace")
        if bom and form == "csv":
            content = codecs.BOM_UTF8 + content
    write_whole(path, [content], key="out")
    return warnings
