"""Which keys stand for which files. A key is the path of its file relative to the working directory, with ``/``.

A key that has no such file, or whose file could lie elsewhere, is refused, when pushing as when pulling: so what was pushed
can be pulled again on any machine that knows the name.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator

from aigc_evals.errors import UsageError

MAX_KEY = 1024
"""Bytes of a key in UTF-8; the limit of the S3 API."""

_DRIVE = re.compile(r"[A-Za-z]:")
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com[1-9¹²³]|lpt[1-9¹²³]|conin\$|conout\$)(\.|$)")
_NOT_ON_WINDOWS = re.compile(r'[<>:"|?*\x00-\x1f]|[. ]$')
_PART = re.compile(r"(\.aigc_evals-[0-9a-f]{16}-)[0-9a-f]{16}\.part")


def prefix_of(path: str) -> str:
    """The prefix that the argument PATH stands for: ``a/b`` for ``./a//b/``, empty for ``.``; raises UsageError."""
    name = path.replace("\\", "/") if os.name == "nt" else path
    hint = "Go to the folder that the keys are to be relative to, and give the path from there."
    if not name:
        raise UsageError("a file or a folder is wanted; . is the whole working directory", key="path")
    if name.startswith("/") or _DRIVE.match(name):
        raise UsageError(f"must be relative to the working directory, got {path!r}", key="path", hint=hint)
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise UsageError(f"must not leave the working directory, got {path!r}", key="path", hint=hint)
    problem = refusal("/".join(parts)) if parts else None
    if problem:
        raise UsageError(f"{path!r} cannot be used: {problem}", key="path")
    return "/".join(parts)


def refusal(key: str, *, windows: bool = os.name == "nt") -> str | None:
    """Why a key cannot stand for a file; None when it can. A ``/`` at the end (the key of a folder) is allowed."""
    try:
        length = len(key.encode("utf-8"))
    except UnicodeEncodeError:
        return "its name is not UTF-8"
    if length > MAX_KEY:
        return f"its key has {length} bytes; a store takes {MAX_KEY}"
    if "\0" in key:
        return "a name cannot have a NUL character"
    if "\\" in key:
        return "a backslash separates folders on Windows"
    for part in key.removesuffix("/").split("/"):
        problem = _part_refusal(part, windows)
        if problem:
            return problem
    return None


def _part_refusal(part: str, windows: bool) -> str | None:
    if not part:
        return "it begins with / or has // in it, as no path relative to the working directory has"
    if part in (".", ".."):
        return f"{part} would lead to another place"
    if _DRIVE.match(part):
        return f"{part[:2]} names a drive on Windows"
    if windows and (_RESERVED.match(part) or _NOT_ON_WINDOWS.search(part)):
        return f"Windows allows no file of the name {part}"
    if part_stem(part):
        return "it has the name of a file that is not whole yet"
    return None


def clashes(keys: Iterable[str], *, insensitive: bool) -> Iterator[tuple[str, str]]:
    """The keys that cannot stand beside others, each with the reason.

    A key may not be a file and a folder at once; where names differing in case only are one file (``insensitive``), no two
    keys may differ so. All that clash are named, as none is more right than the others.
    """
    folded = {key: _fold(key) if insensitive else key for key in keys}
    files = {name for name in folded.values() if not name.endswith("/")}
    counts = Counter(folded.values())
    files_with_more = {above for name in folded.values() for above in _above(name) if above in files}
    for key, name in folded.items():
        if name in files_with_more or any(above in files_with_more for above in _above(name)):
            yield key, "one name is both a file and a folder"
        elif counts[name] > 1 and not name.endswith("/"):
            yield key, "several keys differ in case only, which is one file here"


def _fold(key: str) -> str:
    return unicodedata.normalize("NFC", key).casefold()


def _above(name: str) -> Iterator[str]:
    """The folders that ``name`` lies in, itself too when it is the key of a folder."""
    end = name.rfind("/")
    while end > 0:
        yield name[:end]
        end = name.rfind("/", 0, end)


def ignores_case(folder: str) -> bool:
    """Whether the file system of a folder takes names that differ in case only for one; nothing is written."""
    path = os.path.abspath(folder)
    while True:
        above, name = os.path.split(path)
        other = os.path.join(above, name.swapcase())
        if name and other != path and os.path.exists(path):
            try:
                return os.path.samefile(path, other)
            except OSError:
                return False
        if above == path:
            return os.name == "nt"
        path = above


def part_name(bucket: str, key: str, etag: str, size: int) -> str:
    """The name, in the folder of a file, under which this version of it is kept until it is whole."""
    return f".aigc_evals-{_short_hash(bucket, key)}-{_short_hash(etag, str(size))}.part"


def part_stem(name: str) -> str | None:
    """What a name of ``part_name`` begins with for all versions of one object; None for other names."""
    found = _PART.fullmatch(name)
    return found[1] if found else None


def _short_hash(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode("utf-8")).hexdigest()[:16]


def shown(name: str) -> str:
    """A name as it may be printed: control characters and what is not text escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in name)
