"""Unpacks what data sets come in: zip, tar (also .gz, .bz2, .xz), a gzipped file, a plain file.

An archive is somebody else's work: nothing in it gets a place outside the folder it is unpacked to, and none may be larger
than ``Limits`` allow. The folder appears under its name only when all that is wanted of the archive is there.
"""

from __future__ import annotations

import contextlib
import gzip
import lzma
import os
import re
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import IO

from aigc_evals.errors import UsageError
from aigc_evals.files import is_folder, spare_name
from aigc_evals.generate.files import unwritable

_TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
    lzma.LZMAError,
    zlib.error,
    EOFError,
    UnicodeDecodeError,  # a name that is said to be UTF-8 and is not
)
_UTF8_FLAG = 0x800
_ENCRYPTED = 0x1
_BLOCK = 1 << 20
_TOLD = 20
"""So many names are told of an archive that has nothing of what is wanted."""
Readable = IO[bytes] | gzip.GzipFile
_WILD = re.compile(r"[*?\[]")
_LITTER = re.compile(r"(^|/)(__MACOSX|\.DS_Store|\._[^/]*|Thumbs\.db)(/|$)")
_GZIPPED = b"\x1f\x8b"


@dataclass(frozen=True)
class Limits:
    """What an archive may hold: so many files, so many bytes, and so many times its own size (beyond ``always`` bytes)."""

    files: int = 500_000
    bytes: int = 32 << 30
    ratio: int = 200
    always: int = 64 << 20


def is_litter(name: str) -> bool:
    """Whether a path below a folder is what systems leave beside people's files: ``__MACOSX/``, ``._x``, ``Thumbs.db``."""
    return _LITTER.search(name.replace("\\", "/")) is not None


def plain_pattern(pattern: str) -> str:
    """A pattern of paths as all versions of Python read it alike: without ``./``, and with ``**`` as a whole part that never
    is the last one.
    """
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    parts = [part if part == "**" else re.sub(r"\*{2,}", "*", part) for part in parts]
    return "/".join([*parts, "*"] if parts[-1:] == ["**"] else parts)


def _fits(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_fits(parts[i:], pattern[1:]) for i in range(len(parts)))
    return bool(parts) and fnmatchcase(parts[0], pattern[0]) and _fits(parts[1:], pattern[1:])


class Wanted:
    """Which files of an archive are wanted: those whose paths end as one of ``patterns`` says (``dev.json``, ``val/*.csv``:
    what ``readers.find`` takes; ``**`` stands for any number of folders, or none); all of them, where there are none.
    """

    def __init__(self, patterns: Sequence[str] = ()) -> None:
        self.patterns = tuple(patterns)
        plain = [plain_pattern(pattern) for pattern in patterns]
        # Some sets want ten thousands of files by their names.
        self._ends = frozenset(pattern for pattern in plain if not _WILD.search(pattern))
        self._wild = [("**", *pattern.split("/")) for pattern in plain if _WILD.search(pattern)]

    def __contains__(self, name: str) -> bool:
        if not self.patterns:
            return True
        parts = name.split("/")
        if any("/".join(parts[i:]) in self._ends for i in range(len(parts))):
            return True
        return any(_fits(parts, pattern) for pattern in self._wild)


class UnusableArchive(UsageError):
    """A file that is not what its name says, or an archive that cannot be unpacked."""


def unpack(archive: Path, target: Path, limits: Limits | None = None, wanted: Sequence[str] = ()) -> Path:
    """Unpack ``archive`` into the folder ``target``, which it replaces; a plain file is put there as it is.

    ``wanted`` names the files of the archive that are unpacked (see ``Wanted``; all, for none). UsageError for an archive
    that is damaged, has a member that leads out of the folder, has none of the wanted files or an encrypted one, or is too
    large.
    """
    made = spare_name(target)
    try:
        made.mkdir(parents=True)
        try:
            _Unpacking(archive, made, limits or Limits(), Wanted(wanted)).run()
            shutil.rmtree(target, ignore_errors=True)
            os.replace(made, target)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except _BROKEN as error:
        raise _refused(archive, f"damaged: {error}") from None
    except NotImplementedError as error:  # of zipfile: a method of compression, a version of the format
        raise _refused(archive, f"{error}") from None
    except OSError as error:
        raise unwritable(target, error) from None
    return target


def check_kind(path: Path, name: str) -> None:
    """UsageError unless a file is, as far as its beginning (and the end of a zip file) tells, what ``name`` says it is."""
    try:
        _check_kind(path, name)
    except _BROKEN as error:
        raise _refused(path, f"damaged: {error}") from None


def _check_kind(path: Path, name: str) -> None:
    kind = kind_of(path, name)
    with open(path, "rb") as stream:
        start = stream.read(512)
    if kind == "zip" and not zipfile.is_zipfile(path):
        cut = start.startswith(b"PK\x03\x04")
        told = (
            "not a whole zip file: its end is missing" if cut else f"not a zip file: it begins with {_beginning(path)}"
        )
        raise _refused(path, told)
    if kind == "tar" and not tarfile.is_tarfile(path):
        raise _refused(path, f"not a tar file: it begins with {_beginning(path)}")
    if kind == "gz" and not start.startswith(_GZIPPED):
        raise _refused(path, f"not a gzip file: it begins with {_beginning(path)}")
    page = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith((b"<!doctype html", b"<html"))
    if page and not name.lower().endswith((".html", ".htm")):
        raise _refused(path, f"a web page instead of the file: it begins with {_beginning(path)}")


def kind_of(path: Path, name: str = "") -> str:
    """``zip``, ``tar``, ``gz`` or ``plain``: by the end of the name (``name``, where it is to have another than it has), by the
    content where the name has no end.
    """
    name = (name or path.name).lower()
    if name.endswith(".zip"):
        return "zip"
    if name.endswith(_TAR_SUFFIXES):
        return "tar"
    if name.endswith(".gz"):
        return "gz"
    if "." in name.strip("."):
        return "plain"
    with contextlib.suppress(*_BROKEN):
        if zipfile.is_zipfile(path):
            return "zip"
        if tarfile.is_tarfile(path):
            return "tar"
    with open(path, "rb") as stream:
        return "gz" if stream.read(len(_GZIPPED)) == _GZIPPED else "plain"


def safe_name(name: str) -> str | None:
    """The path below the folder that a member's name stands for, with ``/``; None where it would lead out of it."""
    name = name.replace("\\", "/")
    if name.startswith("/") or re.match(r"[A-Za-z]:", name) or "\x00" in name:
        return None
    parts = [part for part in name.split("/") if part not in ("", ".")]
    # Windows drops blanks and dots at the end of a name, so ".. " may be the folder above.
    outside = any(part.startswith("..") and not part.strip(". ") for part in parts)
    return None if outside or not parts else "/".join(parts)


def zip_name(info: zipfile.ZipInfo) -> str:
    """The name of a member of a zip file. Without the flag that says UTF-8 it is that of the maker's machine: tried are
    UTF-8, GB 18030 (what Chinese Windows writes), and last the code page that the format names.
    """
    # zipfile puts / for the machine's own separator, which may be half of a Chinese character.
    name = info.orig_filename
    if info.flag_bits & _UTF8_FLAG:
        return name
    try:
        raw = name.encode("cp437")
    except UnicodeEncodeError:
        return name
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return name


class _Unpacking:
    """One archive on its way into a folder, counted."""

    def __init__(self, archive: Path, folder: Path, limits: Limits, wanted: Wanted) -> None:
        self._archive = archive
        self._folder = folder
        self._limits = limits
        self._wanted = wanted
        self._passed_over: list[str] = []
        self._most = min(limits.bytes, max(limits.always, limits.ratio * archive.stat().st_size))
        self._files = 0
        self._bytes = 0

    def run(self) -> None:
        kind = kind_of(self._archive)
        if kind != "plain":
            check_kind(self._archive, self._archive.name)
        if kind == "plain":
            _link(self._archive, self._folder / self._archive.name)
        elif kind == "gz":
            with gzip.open(self._archive) as packed:
                self._write(PurePosixPath(self._archive.name).stem, packed)
        elif kind == "zip":
            self._zip()
        else:
            self._tar()
        if self._passed_over and not self._files:
            message = f"it has none of the files that are wanted: {', '.join(self._wanted.patterns[:_TOLD])}"
            raise _refused(self._archive, f"{message}. It has: {', '.join(sorted(self._passed_over))}")

    def _zip(self) -> None:
        with zipfile.ZipFile(self._archive) as opened:
            for info in opened.infolist():
                name = zip_name(info)
                if name.endswith(("/", "\\")) or is_litter(name):
                    continue
                if not self._wants(name):
                    continue
                if info.flag_bits & _ENCRYPTED:
                    raise _refused(self._archive, f"{name!r} is encrypted")
                if stat.S_ISLNK(info.external_attr >> 16):
                    raise _refused(self._archive, f"{name!r} is a link")
                with opened.open(info) as stream:
                    self._write(name, stream)

    def _tar(self) -> None:
        with tarfile.open(self._archive) as opened:
            for member in opened:
                if member.isdir() or is_litter(member.name) or not self._wants(member.name):
                    continue
                stream = self._content(opened, member)
                if stream is None:
                    raise _refused(self._archive, f"{member.name!r} is neither a file nor a folder")
                with stream:
                    self._write(member.name, stream)

    def _content(self, opened: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes] | None:
        """What a member holds; of a link, what the member that it names holds."""
        if member.islnk() or member.issym():
            folder = f"{PurePosixPath(member.name).parent}/" if member.issym() else ""
            aim = os.path.normpath(folder + member.linkname)
            if safe_name(aim) is None or member.linkname.startswith("/"):
                raise _refused(self._archive, f"{member.name!r} is a link to {member.linkname!r}, outside the archive")
            try:
                return opened.extractfile(member)
            except (KeyError, RecursionError):
                message = f"{member.name!r} is a link to {member.linkname!r}, which is not in the archive"
                raise _refused(self._archive, message) from None
        return opened.extractfile(member)

    def _wants(self, name: str) -> bool:
        """Whether a member is wanted; none may lead out of the folder, wanted or not."""
        below = self._below(name)
        if below in self._wanted:
            return True
        if len(self._passed_over) < _TOLD:
            self._passed_over.append(below)
        return False

    def _below(self, name: str) -> str:
        below = safe_name(name)
        if below is None:
            raise _refused(self._archive, f"{name!r} would lead out of the folder it is unpacked to")
        return below

    def _write(self, name: str, stream: Readable) -> None:
        below = self._below(name)
        self._files += 1
        if self._files > self._limits.files:
            raise _refused(self._archive, f"more than {self._limits.files} files")
        path = self._folder / below
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise _refused(self._archive, f"{name!r} lies below a file") from None
        if is_folder(path):
            raise _refused(self._archive, f"{name!r} is a folder and a file")
        with open(path, "wb") as out:
            for block in _blocks(stream):
                self._bytes += len(block)
                if self._bytes > self._most:
                    raise _refused(self._archive, f"unpacks to more than {self._most:,} bytes")
                out.write(block)


def _blocks(stream: Readable) -> Iterator[bytes]:
    while block := stream.read(_BLOCK):
        yield block


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _beginning(path: Path) -> str:
    with open(path, "rb") as stream:
        return repr(stream.read(24))[1:]


def _refused(archive: Path, message: str) -> UnusableArchive:
    hint = "Delete the file to fetch it again, or name a good copy with --source."
    return UnusableArchive(f"this file cannot be used: {message}", path=archive, hint=hint)
