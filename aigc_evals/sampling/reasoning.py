"""Takes a model's visible reasoning (``<think>...</think>`` and its kin) off its answer."""

from __future__ import annotations

import re
from typing import NamedTuple

_TAG = re.compile(r"<(/?)(think|thinking|reasoning)\s*>", re.IGNORECASE)
# Fenced blocks and inline code, closed ones only: text cut off within a code block hides nothing.
_FENCED = r"^ {0,3}(```+|~~~+)[^\n]*\n.*?^ {0,3}\1[ \t]*$"
_INLINE = r"(?<!`)(`+)(?!`)[^\n]*?(?<!`)\2(?!`)"
_CODE = re.compile(f"{_FENCED}|{_INLINE}", re.MULTILINE | re.DOTALL)
_QUOTES = dict(zip("\"'\u201c\u2018\u300c\u300e", "\"'\u201d\u2019\u300d\u300f", strict=True))


class _Tag(NamedTuple):
    closing: bool
    name: str
    start: int
    end: int


def split_reasoning(text: str) -> tuple[str, str | None]:
    """``(answer, reasoning)``; reasoning is None, and the answer the very ``text``, when there is none to
    take off.

    Tags are think, thinking and reasoning, in any case. Taken off are, in this order of looking:

    - blocks at the beginning, one after another; a block that quotes its own opening tag ends at the last
      closing one;
    - an opening tag at the beginning that is never closed: all of it was reasoning and the answer is empty;
    - a closing tag whose opening one was part of the prompt: all up to the last such tag.

    A tag inside code (backticks, fences) or directly between quotation marks is talked about, not used, and
    so is a pair of tags in the middle of an answer. Leading white space of the answer goes along with the
    reasoning, and the reasoning is stripped, several blocks joined by an empty line.
    """
    if "<" not in text:
        return text, None
    first = _TAG.search(text)
    if first is None:
        return text, None
    tags = [_Tag(bool(found[1]), found[2].lower(), *found.span()) for found in _TAG.finditer(text, first.start())]
    used = _used(text, tags)
    thoughts: list[str] = []
    position = 0
    while (opening := _TAG.match(text, _skip_space(text, position))) and not opening[1]:
        end = _block_end(opening, used, tags)
        if end is None:
            thoughts.append(text[opening.end() :].strip())
            return "", "\n\n".join(filter(None, thoughts))
        thoughts.append(text[opening.end() : end.start].strip())
        position = end.end
    if not position:
        last = _last_unopened(used)
        if last is None:
            return text, None
        thoughts.append(text[: last.start].strip())
        position = last.end
    return text[position:].lstrip(), "\n\n".join(filter(None, thoughts))


def _used(text: str, tags: list[_Tag]) -> list[_Tag]:
    """The tags that are neither in code nor between quotation marks."""
    code = [found.span() for found in _CODE.finditer(text)] if "`" in text or "~~~" in text else []
    used = []
    for tag in tags:
        quoted = _QUOTES.get(text[tag.start - 1 : tag.start])
        if quoted is not None and text[tag.end : tag.end + 1] == quoted:
            continue
        if not any(start < tag.start and tag.end < end for start, end in code):
            used.append(tag)
    return used


def _block_end(opening: re.Match[str], used: list[_Tag], tags: list[_Tag]) -> _Tag | None:
    """The closing tag of the block that begins with ``opening``; None when it is never closed."""
    depth = 1
    last = None
    for tag in used:
        if tag.start < opening.end() or tag.name != opening[2].lower():
            continue
        if tag.closing:
            last = tag
        depth += -1 if tag.closing else 1
        if depth == 0:
            return tag
    if last is not None:
        return last
    # Better to end at a doubtful tag (in code, or of another name) than to lose the whole answer.
    return next((tag for tag in reversed(tags) if tag.closing and tag.start >= opening.end()), None)


def _last_unopened(used: list[_Tag]) -> _Tag | None:
    open_tags: dict[str, int] = {}
    last = None
    for tag in used:
        if not tag.closing:
            open_tags[tag.name] = open_tags.get(tag.name, 0) + 1
        elif open_tags.get(tag.name):
            open_tags[tag.name] -= 1
        else:
            last = tag
    return last


def _skip_space(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position
