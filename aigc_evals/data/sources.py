"""How a data path is opened: plain or compressed, local or remote, file or directory.

What the bytes mean is left to ``lines``, ``data`` and ``samples``.
"""

from __future__ import annotations

import gzip
import io
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO, NoReturn, cast

from aigc_evals.errors import DataError, nearest

PathLike = str | Path

JSONL_SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.lz4", ".jsonl.zst")
COMPRESSED_SUFFIXES = (".gz", ".lz4", ".zst")
_S3 = "s3://"
_PACKED_AT_ONCE = 1 << 13
"""Bytes of a .zst file that are unpacked at a time: all that they hold is in memory then."""


def is_remote(path: PathLike) -> bool:
    """Whether ``path`` names something on another machine (any ``scheme://`` but ``file://``)."""
    scheme, mark, _ = os.fspath(path).partition("://")
    return bool(mark) and scheme.isalnum() and scheme != "file"


def open_source(path: PathLike) -> BinaryIO:
    """Open a data file for reading bytes, decompressed as the end of its name says (.gz, .lz4, .zst).

    Raises DataError when there is no such file, it may not be read, it is damaged, or a package to read it is
    missing.
    """
    return decompressed(open_raw(path), path)


def open_raw(path: PathLike) -> BinaryIO:
    """Open a data file for reading its bytes as they are stored."""
    name = os.fspath(path)
    if name.startswith(_S3):
        from aigc_evals.data.s3 import open_url

        return open_url(name)
    if is_remote(name):
        return cast(BinaryIO, _blob(name, "rb", streaming=True))
    try:
        return open(_local(name), "rb")
    except OSError as error:
        explain(name, error)


def decompressed(raw: BinaryIO, path: PathLike) -> BinaryIO:
    """The reader of what ``raw`` holds, by the compression that the end of ``path`` names; it closes
    ``raw``.
    """
    name = os.fspath(path)
    if not name.endswith(COMPRESSED_SUFFIXES):
        return raw
    try:
        return io.BufferedReader(_Unpacked(_packed(name, raw, "rb"), raw, name), 1 << 18)
    except BaseException:
        raw.close()
        raise


class _Unpacked(io.RawIOBase):
    """Unpacks while reading; damage becomes a DataError, closing closes the packed file too."""

    def __init__(self, reader: Any, raw: BinaryIO, name: str) -> None:
        self._reader = reader
        self._raw = raw
        self._path = name

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            content = self._reader.read(len(buffer))
        except DataError:  # of what it is read from
            raise
        except Exception as error:  # each format has its own exceptions, and shares no base with the others
            message = f"damaged or not {self._path.rsplit('.', 1)[-1]} data: {error}"
            raise DataError(message, path=self._path) from error
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        if not self.closed:
            self._reader.close()
            self._raw.close()
        super().close()


def gzip_open(filename: PathLike, mode: str = "rb", openhook: Callable[..., Any] = open) -> gzip.GzipFile:
    """A gzip file, always binary, over what ``openhook(filename, mode)`` opens."""
    mode = _binary(mode)
    stream = openhook(filename, mode)
    file = gzip.GzipFile(fileobj=stream, mode=mode)
    file.myfileobj = stream  # what is opened here is closed with the file
    return file


def lz4_open(filename: PathLike, mode: str = "rb", openhook: Callable[..., Any] = open) -> Any:
    """An LZ4 frame file, always binary, over what ``openhook(filename, mode)`` opens. Needs the package
    lz4.
    """
    mode = _binary(mode)
    file = _extra("lz4.frame", filename).LZ4FrameFile(openhook(filename, mode), mode=mode)
    file._closefp = True  # as above; the class has no public way
    return file


def zstd_open(filename: PathLike, mode: str = "rb", openhook: Callable[..., Any] = open) -> Any:
    """A Zstandard file, always binary, over what ``openhook(filename, mode)`` opens. Needs the package
    zstandard.
    """
    mode = _binary(mode)
    zstandard = _extra("zstandard", filename)
    stream = openhook(filename, mode)
    if "r" not in mode:
        return zstandard.open(stream, mode=mode, closefd=True)
    return io.BufferedReader(_Frames(zstandard.ZstdDecompressor(), stream))


class _Frames(io.RawIOBase):
    """Unpacks Zstandard frames one after another, which are one file, as for the zstd command.

    ``zstandard.open`` stops after the first, and neither it nor its ``stream_reader`` tells that a file ends in the midst
    of one: EOFError, as for gzip.
    """

    def __init__(self, decompressor: Any, stream: BinaryIO) -> None:
        self._decompressor = decompressor
        self._stream = stream
        self._frame: Any = None
        self._packed = b""
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            self._packed = self._packed or self._stream.read(_PACKED_AT_ONCE)
            if not self._packed:
                if self._frame is not None:
                    raise EOFError("the file ends in the midst of a frame")
                return 0
            self._frame = self._frame or self._decompressor.decompressobj()
            self._ready = memoryview(self._frame.decompress(self._packed))
            self._packed = b""
            if self._frame.eof:
                self._packed, self._frame = self._frame.unused_data, None
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()


def open_by_file_pattern(filename: PathLike, mode: str = "r", **kwargs: Any) -> Any:
    """Open a file to read or write, local or remote; .gz, .lz4 and .zst are packed and unpacked, always as
    bytes.

    A relative path that does not exist is looked up in the package's own registry data. ``kwargs`` go to
    blobfile for remote paths. Text is UTF-8.
    """
    name = os.fspath(filename)

    def opened(path: Any, mode: str) -> Any:
        if os.fspath(path).startswith(_S3):
            return _from_store(path, mode)
        if is_remote(path):
            return _blob(path, mode, **kwargs)
        try:
            return open(_local(path), mode, encoding=None if "b" in mode else "utf-8")
        except OSError as error:
            explain(path, error)

    return _packed(name, name, mode, opened) if name.endswith(COMPRESSED_SUFFIXES) else opened(name, mode)


def jsonl_files(path: PathLike) -> list[str]:
    """The JSONL files that ``path`` stands for: itself, or all under it when it is a directory, sorted by
    path.

    Files and folders whose names begin with a dot are left out. Raises DataError for a directory without any.
    """
    name = os.fspath(path)
    if is_remote(name):
        if name.endswith((*JSONL_SUFFIXES, *COMPRESSED_SUFFIXES, ".json")):
            return [name]
        if name.startswith(_S3):
            from aigc_evals.data.s3 import jsonl_urls

            return jsonl_urls(name, JSONL_SUFFIXES)
        if not _remote_is_dir(name):
            return [name]
        blobs = _blobfile(name)
        found = [blobs.join(folder, file) for folder, _, files in blobs.walk(name) for file in files]
    else:
        root = _local(name)
        if not os.path.isdir(root):
            return [root]
        found = _walk(root)
    chosen = [f for f in found if f.endswith(JSONL_SUFFIXES) and not os.path.basename(f).startswith(".")]
    if not chosen:
        raise DataError("this directory has no JSONL files", path=name, hint=f"Wanted: *{', *'.join(JSONL_SUFFIXES)}")
    return sorted(chosen, key=lambda f: f.replace(os.sep, "/"))


def _walk(root: str) -> list[str]:
    found = []
    seen = set()
    for folder, folders, files in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:  # a link that leads back
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        found += [os.path.join(folder, file) for file in files]
    return found


def _packed(name: str, target: Any, mode: str, openhook: Callable[..., Any] | None = None) -> Any:
    hook = openhook or (lambda stream, mode: stream)
    if name.endswith(".gz"):
        return gzip_open(target, mode, hook)
    return lz4_open(target, mode, hook) if name.endswith(".lz4") else zstd_open(target, mode, hook)


def _binary(mode: str) -> str:
    return mode if "b" in mode else f"{mode.replace('t', '')}b"


def _local(name: str) -> str:
    path = name.removeprefix("file://")
    if not os.path.exists(path) and not os.path.isabs(path):
        own = Path(__file__).parents[1] / "registry" / "data" / path
        if os.path.exists(own):
            return str(own)
    return path


def explain(name: str, error: OSError) -> NoReturn:
    """Raise the DataError that says what ``error`` means for the data file ``name``, with the nearest
    names.
    """
    if not isinstance(error, (FileNotFoundError, NotADirectoryError)):
        raise DataError(f"cannot be read: {error.strerror or error}", path=name) from error
    folder, file = os.path.split(os.path.abspath(name))
    try:
        hint = nearest(file, sorted(os.listdir(folder))) or f"Looked in {folder}"
    except OSError:
        hint = f"The directory {folder} does not exist."
    raise DataError("no such data file", path=name, hint=hint) from None


def _extra(module: str, path: Any) -> ModuleType:
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError:
        package = module.partition(".")[0]
        shown = path if isinstance(path, (str, Path)) else getattr(path, "name", None)
        hint = 'pip install "aigc_evals[compression]"'
        raise DataError(f"reading this needs the package {package}", path=shown, hint=hint) from None


def _blobfile(name: str) -> ModuleType:
    try:
        import blobfile
    except ImportError:
        raise DataError("remote paths need the package blobfile", path=name, hint="pip install blobfile") from None
    return blobfile


def _from_store(name: str, mode: str) -> Any:
    if set(mode) - set("rbt"):
        hint = "Write the file here, then: aigc_evals sync push BUCKET PATH"
        raise DataError("objects of a store are only read", path=name, hint=hint)
    raw = open_raw(name)
    return raw if "b" in mode else io.TextIOWrapper(raw, encoding="utf-8")


def _blob(name: str, mode: str, **kwargs: Any) -> Any:
    blobs = _blobfile(name)
    try:
        return blobs.BlobFile(name, mode, **kwargs)
    except FileNotFoundError:
        raise DataError("no such data file", path=name) from None
    except Exception as error:
        raise DataError(f"cannot be opened: {error}", path=name) from error


def _remote_is_dir(name: str) -> bool:
    blobs = _blobfile(name)
    try:
        return bool(blobs.isdir(name))
    except Exception as error:
        raise DataError(f"cannot be opened: {error}", path=name) from error
