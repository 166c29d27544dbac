"""The fenced blocks of a Markdown file, and comparing output with what the file says it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, its text, the line it begins in, and the ``text`` block right after it."""

    language: str
    text: str
    line: int
    expected: str | None = None


def blocks(path: Path) -> list[Block]:
    """The fenced blocks of a file in order; a ``text`` block that directly follows another belongs to that one."""
    content = path.read_text(encoding="utf-8")
    found: list[Block] = []
    end = -1
    for match in _FENCE.finditer(content):
        language, text = match.groups()
        if language == "text" and found and match.start() == end + 1:
            found[-1] = Block(found[-1].language, found[-1].text, found[-1].line, text)
        else:
            found.append(Block(language, text, content.count("\n", 0, match.start()) + 1))
        end = match.end()
    return found


def as_pattern(expected: str) -> re.Pattern[str]:
    """What an expected output matches: ``...`` is any text; seconds, and the default place of a log, vary."""
    lines = []
    for line in expected.strip().splitlines():
        if re.match(r"seconds {2,}", line):
            lines.append(r"seconds +[\d.,]+")
        elif re.match(r"log {2,}.*/", line):
            lines.append(r"log +\S+\.jsonl")
        else:
            lines.append(".*?".join(map(re.escape, line.split("..."))))
    return re.compile("\n".join(lines), re.DOTALL)
