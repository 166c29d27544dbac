"""Fetches the files of data sets: resumed when cut, checked against ``datasets.lock``, from mirrors where some are named.

Proxies are those of the environment (``HTTPS_PROXY``, ``NO_PROXY``, ...). What is asked for at an address is recorded under
that address whichever mirror it came from, so a mirror that serves something else is found out.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from aigc_evals import __version__
from aigc_evals.columns import bar_size
from aigc_evals.errors import UsageError
from aigc_evals.files import checksum, is_file, is_there
from aigc_evals.generate.archives import UnusableArchive, check_kind
from aigc_evals.generate.files import DatasetsLock, unwritable
from aigc_evals.redact import Redactor

MIRRORS = "AIGC_EVALS_MIRROR"
CONNECT_SECONDS, READ_SECONDS = 15.0, 60.0
FRUITLESS = 4
"""How many attempts in a row may bring nothing before an address is given up."""
UNREACHABLE = 2
"""The same for an address that no connection can be made to."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_BLOCK = 1 << 16


class DownloadError(UsageError):
    """A file that could not be had from anywhere."""


@dataclass(frozen=True)
class Remote:
    """A file of a data set: its address, the name it is kept under, its SHA-256 where the publisher gives one, and further
    addresses of the same file, for when the first does not answer.
    """

    url: str
    name: str = ""
    sha256: str | None = None
    also: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        """The name of the file in the download folder."""
        return self.name or name_in(self.url)

    @property
    def shown(self) -> str:
        """The address without what is secret in it."""
        return Redactor().text(self.url)


def name_in(url: str) -> str:
    """The file name that an address ends with, made safe for any file system."""
    parts = urlsplit(url)
    last = unquote(parts.path.rstrip("/")).rsplit("/", 1)[-1] or parts.netloc.rpartition("@")[2]
    return re.sub(r'[\x00-\x1f\\/:*?"<>|]', "_", last).strip(". ") or "download"


def addresses(url: str, environ: Mapping[str, str]) -> list[str]:
    """Where a file is looked for: at the mirrors that apply, in their order, then at ``url`` itself.

    ``AIGC_EVALS_MIRROR`` holds mirrors separated by blanks or commas. ``PREFIX=REPLACEMENT`` applies to addresses that
    begin with PREFIX (up to a ``/`` or the end), in whose place REPLACEMENT is put; a plain ``BASE`` applies to all, and has
    a file under ``BASE/host/path``. UsageError for a mirror that is no address.
    """
    found = []
    for mirror in re.split(r"[\s,]+", environ.get(MIRRORS, "").strip()):
        if not mirror:
            continue
        prefix, equals, replacement = mirror.partition("=http")
        base = (f"http{replacement}" if equals else mirror).rstrip("/")
        if not all(re.match(r"https?://[^/]", part) for part in (prefix, base)):
            hint = "Write BASE or PREFIX=REPLACEMENT, each beginning with https:// or http://, several separated by blanks."
            raise UsageError(f"no mirror: {Redactor().text(mirror)!r}", key=MIRRORS, hint=hint)
        if not equals:
            parts = urlsplit(url)
            query = f"?{parts.query}" if parts.query else ""
            found.append(f"{base}/{parts.netloc.rpartition('@')[2]}{parts.path}{query}")
        elif (url + "/").startswith(prefix.rstrip("/") + "/"):
            found.append(base + url[len(prefix.rstrip("/")) :])
    return [*dict.fromkeys([*found, url])]


def download(
    remote: Remote,
    folder: Path,
    lock: DatasetsLock,
    *,
    accept_changed: bool = False,
    environ: Mapping[str, str] | None = None,
    hint: str = "",
) -> Path:
    """The file of ``remote`` in ``folder``, fetched unless it is there, and as ``lock`` has it (which learns of a new one).

    What is not what its name says, such as a page that tells of an error, or a zip file cut short, is neither kept nor
    recorded: the next address is tried; a file with the wanted SHA-256 may look as it likes. A file put there by hand counts
    as fetched. ``accept_changed`` takes a file that differs from what is recorded, and records it. ``hint`` is added to the
    message of a DownloadError.
    """
    path = folder / remote.file
    recorded = lock.recorded(remote.shown)
    wanted = remote.sha256 or (recorded or {}).get("sha256")
    if is_file(path) and (wanted is None or accept_changed or checksum(path) == wanted):
        return _settled(remote, path, lock, wanted, accept_changed)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from None
    failures = []
    changed: DownloadError | None = None
    environ = os.environ if environ is None else environ
    for address in (address for url in (remote.url, *remote.also) for address in addresses(url, environ)):
        transfer = _Transfer(address, path)
        try:
            return _settled(remote, transfer.run(), lock, wanted, accept_changed, path)
        except _Failed as failure:
            failures.append((address, str(failure)))
        except UnusableArchive as refused:
            transfer.part.unlink(missing_ok=True)
            failures.append((address, refused.message))
        except DownloadError as error:
            # A mirror may be behind, or ahead; the next address may have the file that is wanted.
            changed = error
        except OSError as error:
            raise unwritable(path, error) from None
    if changed is not None:
        raise changed
    by_hand = f"Fetch {remote.shown} by hand and put it at {path}."
    raise DownloadError(_told(failures), key=remote.file, hint=f"{by_hand}\n{hint}".strip())


def _told(failures: Sequence[tuple[str, str]]) -> str:
    """Why a file cannot be had: the reason of the only address, or that of each on a line of its own."""
    lines = [f"{address}: {reason}" for address, reason in failures]
    head = "cannot be fetched: " if len(lines) == 1 else f"cannot be fetched from any of {len(lines)} addresses:\n  "
    return Redactor().text(head + "\n  ".join(lines))


def _settled(
    remote: Remote, found: Path, lock: DatasetsLock, wanted: str | None, accept: bool, path: Path | None = None
) -> Path:
    """``found``, moved to ``path``, if it is what is wanted; what was not recorded yet is recorded."""
    path = path or found
    digest = checksum(found)
    if digest != wanted:
        check_kind(found, path.name)
    if wanted is not None and digest != wanted and not accept:
        found.unlink(missing_ok=True)
        place = "the data set's description" if remote.sha256 else str(lock.path)
        raise DownloadError(
            f"{remote.shown} is no longer the file it was: its SHA-256 is {digest}, that in {place} {wanted}",
            key=remote.file,
            hint="If that is as it should be, take it with --accept_changed. Figures made with the two do not compare.",
        )
    if found != path:
        os.replace(found, path)
    if (lock.recorded(remote.shown) or {}).get("sha256") != digest:
        lock.record(remote.shown, path.stat().st_size, digest)
    return path


class _Failed(Exception):
    """An address did not give the file; the text says why."""


class _Passing(Exception):
    """An attempt failed in a way that may pass; ``reached`` says whether there was a connection."""

    def __init__(self, message: str, *, reached: bool = True, pause: float | None = None) -> None:
        super().__init__(message)
        self.reached = reached
        self.pause = pause


class _Transfer:
    """One file from one address, into ``<file>.part`` beside its place until it is whole."""

    def __init__(self, address: str, path: Path) -> None:
        self.address = address
        self.part = path.with_name(path.name + ".part")
        self.note = path.with_name(path.name + ".part.json")
        """Which version of which address the part belongs to."""

    def run(self) -> Path:
        """The whole file, still under the name of its part. Raises _Failed."""
        import requests

        fruitless = 0
        pause = FIRST_PAUSE
        with requests.Session() as session:
            while True:
                before = self._size()
                try:
                    self._attempt(session)
                except _Passing as error:
                    # As long as each attempt brings something, the file is on its way.
                    fruitless = 0 if self._size() > before else fruitless + 1
                    if fruitless >= (FRUITLESS if error.reached else UNREACHABLE):
                        raise _Failed(str(error)) from None
                    time.sleep(min(LONGEST_PAUSE, pause if error.pause is None else error.pause))
                    pause = FIRST_PAUSE if fruitless == 0 else 2 * pause
                else:
                    self.note.unlink(missing_ok=True)
                    return self.part

    def _size(self) -> int:
        return self.part.stat().st_size if is_there(self.part) else 0

    def _attempt(self, session: Any) -> None:
        import requests

        have, validator = self._resumable()
        headers = {"User-Agent": f"aigc_evals/{__version__}", "Accept-Encoding": "identity"}
        if validator:
            headers |= {"Range": f"bytes={have}-", "If-Range": validator}
        reached = False
        limits = (CONNECT_SECONDS, READ_SECONDS)
        try:
            with session.get(self.address, headers=headers, stream=True, timeout=limits) as response:
                reached = True
                self._take(response, have)
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
            raise _Passing(_plainly(error), reached=reached or isinstance(error, requests.ReadTimeout)) from None
        except requests.RequestException as error:
            raise _Failed(_plainly(error)) from None

    def _take(self, response: Any, have: int) -> None:
        if response.status_code == 416:
            self._forget()
            raise _Passing("the server refused to continue the file")
        if response.status_code in _PASSING:
            raise _Passing(f"HTTP {response.status_code}", pause=_wish(response.headers.get("Retry-After")))
        if response.status_code not in (200, 206):
            raise _Failed(f"HTTP {response.status_code} {response.reason or ''}".strip())
        start = 0
        if response.status_code == 206:
            begins = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
            if begins is None or int(begins[1]) != have:
                self._forget()
                raise _Passing("the server sent another part than was asked for")
            start = have
        length = response.headers.get("Content-Length", "")
        whole = start + int(length) if length.isdigit() else None
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind == "text/html" and not self.part.name.lower().endswith((".html.part", ".htm.part")):
            # The page of a proxy, a log-in or an error; once taken, it would stand in the lock as the file.
            raise _Failed("a web page was sent instead of the file")
        coding = response.headers.get("Content-Encoding", "identity").strip().lower()
        plain = coding == "identity"
        if coding in ("gzip", "x-gzip") and self.part.name.lower().endswith((".gz.part", ".tgz.part")):
            # Some servers tell so how the file itself is packed, and it is wanted as it is: the decoder goes by this header.
            response.raw.headers.pop("Content-Encoding", None)
            plain = True
        if not plain:
            whole = None  # packed on the way, though not asked for: lengths and ranges are of what was sent
        self._remember(response.headers if plain else {})
        with open(self.part, "ab" if start else "wb") as out, self._bar(start, whole) as bar:
            for block in response.iter_content(_BLOCK):
                out.write(block)
                bar.update(len(block))
        if whole is not None and self._size() != whole:
            raise _Passing(f"the connection ended after {self._size():,} of {whole:,} bytes")

    def _resumable(self) -> tuple[int, str | None]:
        """How much is there already, and what tells the server which version of the file it is of."""
        have = self._size()
        try:
            note = json.loads(self.note.read_text(encoding="utf-8")) if have else {}
        except (OSError, ValueError):
            note = {}
        validator = note.get("validator") if note.get("address") == Redactor().text(self.address) else None
        return have, validator if isinstance(validator, str) else None

    def _remember(self, headers: Any) -> None:
        etag = headers.get("ETag", "")
        validator = etag if etag and not etag.startswith("W/") else headers.get("Last-Modified")
        note = {"address": Redactor().text(self.address), "validator": validator}
        self.note.write_text(json.dumps(note), encoding="utf-8")

    def _forget(self) -> None:
        self.part.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)

    def _bar(self, start: int, whole: int | None) -> Any:
        from tqdm import tqdm

        name = self.part.name.removesuffix(".part")
        quiet = not sys.stderr.isatty()
        look: dict[str, Any] = {"unit": "B", "unit_scale": True, "desc": name, **bar_size()}
        return tqdm(total=whole, initial=start, disable=quiet, leave=False, **look)


def _wish(retry_after: str | None) -> float | None:
    try:
        return max(0.0, float(retry_after)) if retry_after else None
    except ValueError:  # a date: our own pauses will do
        return None


def _plainly(error: Exception) -> str:
    """What went wrong, without the layers of classes that the HTTP library wraps it in."""
    text = str(error)
    for known, told in (
        ("ProxyError", "the proxy of the environment does not answer"),
        ("NameResolutionError", "the host's name is not known here (offline?)"),
        ("getaddrinfo", "the host's name is not known here (offline?)"),
        ("Connection refused", "the connection was refused"),
        ("CERTIFICATE_VERIFY_FAILED", "the server's certificate is not trusted here"),
        ("timed out", "no answer in time"),
        ("IncompleteRead", "the connection broke off"),
        ("Connection aborted", "the connection broke off"),
    ):
        if known in text:
            return told
    return text
