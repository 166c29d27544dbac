"""JSONL bytes to numbered lines and checked rows: where lines end, and what is wrong with a line that is not
JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from aigc_evals.errors import DataError
from aigc_evals.fastjson import decode

BLOCK = 1 << 20
BOM = b"\xef\xbb\xbf"
_LINE_END = re.compile(rb"\r\n|\n|\r")
_MAGIC = {b"\x1f\x8b": ".gz", b"\x28\xb5\x2f\xfd": ".zst", b"\x04\x22\x4d\x18": ".lz4"}


def spans(stream: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """The lines of a stream, in order: each without its end, and the number of bytes of that end (0, 1 or 2).

    Lines end at LF, CRLF and a bare CR, and at nothing else. A byte-order mark stays part of the first line.
    """
    pending: list[bytes] = []
    while True:
        block = stream.read(BLOCK)
        if not block:
            break
        if block.endswith(b"\r"):  # a CRLF may be cut in two
            block += stream.read(1)
        if b"\r" in block:
            start = 0
            for end in _LINE_END.finditer(block):
                yield b"".join((*pending, block[start : end.start()])), end.end() - end.start()
                pending.clear()
                start = end.end()
            rest = block[start:]
        else:
            *whole, rest = block.split(b"\n")
            if whole and pending:
                whole[0] = b"".join((*pending, whole[0]))
                pending.clear()
            for line in whole:
                yield line, 1
        if rest:
            pending.append(rest)
    if pending:
        yield b"".join(pending), 0


def is_blank(line: bytes) -> bool:
    """Whether a line holds nothing but JSON's white space."""
    return not line.strip(b" \t\r\n")


def numbered_lines(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, numbered from 1 with the blank ones counted; no byte-order mark."""
    for number, (line, _) in enumerate(spans(stream), 1):
        content = line[len(BOM) :] if number == 1 and line.startswith(BOM) else line
        if not is_blank(content):
            yield number, content


def parse_line(line: bytes, path: str, number: int) -> Any:
    """The value of one line; raises DataError with path, line and column when it has none."""
    try:
        return decode(line)
    except (ValueError, RecursionError) as error:
        raise line_error(line, path, number, error) from None


def line_error(line: bytes, path: str, number: int, error: Exception) -> DataError:
    """What is wrong with a line that could not be parsed, and what to do about it."""
    if line.startswith(b"version https://git-lfs"):
        hint = "Fetch the data with: git lfs pull"
        return DataError("this is a git-lfs pointer, not the data itself", path=path, line=number, hint=hint)
    for magic, suffix in _MAGIC.items():
        if number == 1 and line.startswith(magic):
            message = f"this is compressed data ({suffix}), not text"
            return DataError(message, path=path, line=1, hint=f"Give the file a name that ends in {suffix}.")
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as wrong:
        return _encoding_error(line, path, number, wrong.start)
    if b"\x00" in line[:4]:
        return _encoding_error(line, path, number, line.index(b"\x00"))
    if isinstance(error, RecursionError):
        return DataError("nested too deeply to be read", path=path, line=number)
    if isinstance(error, json.JSONDecodeError):
        message = f"not JSON: {error.msg}, at {_excerpt(text, error.colno - 1)}"
        return DataError(message, path=path, line=number, column=error.colno, hint=_hint(text, number))
    return DataError(f"not readable as JSON: {error}", path=path, line=number)


def _encoding_error(line: bytes, path: str, number: int, start: int) -> DataError:
    encoding = likely_encoding(line)
    hint = f"Convert it, if that is right: iconv -f {encoding} -t utf-8 FILE > NEW_FILE"
    message = f"not UTF-8 (byte 0x{line[start]:02x} at byte {start + 1} of the line); it looks like {encoding}"
    return DataError(message, path=path, line=number, hint=hint)


def likely_encoding(content: bytes) -> str:
    """A guess at the encoding of text that is not UTF-8: utf-16, gb18030 or latin-1."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if b"\x00" in content:
        first = content.index(b"\x00")
        return "utf-16-be" if first % 2 == 0 else "utf-16-le"
    try:
        content.decode("gb18030")
    except UnicodeDecodeError as error:
        # A block may end within a character; anything earlier is a real contradiction.
        if error.end < len(content):
            return "latin-1"
    # Chinese bytes come in pairs, accented letters alone among ASCII.
    runs = re.findall(rb"[\x80-\xff]+[@-~]?", content)
    paired = sum(len(run) for run in runs if len(run) >= 4)
    return "gb18030" if 2 * paired >= sum(len(run) for run in runs) else "latin-1"


def _excerpt(text: str, at: int) -> str:
    begin, end = max(0, at - 20), at + 20
    shown = text[begin:end].replace("\t", " ")
    return repr(f"{'...' if begin else ''}{shown}{'...' if end < len(text) else ''}")


def _hint(text: str, number: int) -> str | None:
    start = text.lstrip()
    if start.startswith("<"):
        return "This looks like a web page, not data."
    if number == 1 and start.rstrip() in ("[", "{"):
        return "One JSON value per line is wanted; this looks like JSON spread over several lines."
    if start.startswith(("{'", "['")):
        return "JSON wants double quotes around names and texts."
    return None
