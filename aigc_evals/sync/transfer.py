"""Moving the content of one file, and doing something to many items at a time."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from aigc_evals.data.s3 import SHA256, ObjectReader, StoreError
from aigc_evals.files import checksum
from aigc_evals.sync.names import part_name, part_stem
from aigc_evals.sync.plan import KEPT, MOVED, UNCHANGED, Item, Sides

MULTIPART_FROM = 16 << 20
"""Bytes from which on a file is pushed in parts."""

PART = 8 << 20
"""Bytes of a part; a file that would have more than 10,000 of them gets larger ones."""

FAILURES_IN_A_ROW = 20
"""So many failures of the store one after another end a sync: the next would fail in the same way."""

_BLOCK = 1 << 20
_LAST_SECONDS = 10.0
_FATAL = (errno.ENOSPC, errno.EDQUOT)

Moved = Callable[[int], None]
"""Told how many bytes more have been moved; negative when some are to be moved again."""


class Interrupted(Exception):
    """The sync is being ended; what is under way is given up."""


class Transfer:
    """Moves files between the two sides, in parallel; ``stop`` ends what is under way."""

    def __init__(self, sides: Sides, jobs: int, moved: Moved, stop: threading.Event) -> None:
        self._sides = sides
        self._jobs = jobs
        self._moved = moved
        self._stop = stop
        self._lock = threading.Lock()
        self._manager: Any = None

    def close(self) -> None:
        """Wait for what is under way; when stopped, abort it."""
        if self._manager is not None:
            self._manager.shutdown(cancel=self._stop.is_set())

    def push(self, item: Item) -> None:
        """Send a file with its checksum, in one request or in parts."""
        name = {"Bucket": self._sides.bucket, "Key": item.key}
        if item.is_folder:
            self._sides.store.call("put_object", **name, Body=b"")
            item.action = MOVED
            return
        path = self._sides.path(item.key)
        before = os.stat(path)
        sha256 = checksum(path)
        if before.st_size < MULTIPART_FROM:
            with open(path, "rb") as body:
                self._sides.store.call("put_object", **name, Body=body, Metadata={SHA256: sha256})
            self._moved(before.st_size)
        else:
            self._push_in_parts(path, item.key, sha256)
        after = os.stat(path)
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            # What was sent may have another checksum than it was sent with, and would stay there as if it were right.
            self._sides.store.call("delete_object", **name)
            item.fail("changed while it was pushed; push it again")
        else:
            item.size, item.action = after.st_size, MOVED

    def _push_in_parts(self, path: str, key: str, sha256: str) -> None:
        from s3transfer.subscribers import BaseSubscriber

        moved, stop = self._moved, self._stop

        class Told(BaseSubscriber):  # type: ignore[misc,unused-ignore]
            def on_progress(self, future: Any, bytes_transferred: int, **_: Any) -> None:
                if stop.is_set():
                    raise Interrupted
                moved(bytes_transferred)

        extra = {"Metadata": {SHA256: sha256}}
        future = self._parts().upload(path, self._sides.bucket, key, extra_args=extra, subscribers=[Told()])
        try:
            future.result()
        except Interrupted:
            raise
        except Exception as error:  # s3transfer hands on whatever its threads met
            raise self._sides.store.error(error, self._sides.bucket, key) from None

    def _parts(self) -> Any:
        from s3transfer.manager import TransferConfig, TransferManager

        with self._lock:
            if self._manager is None:
                config = TransferConfig(
                    multipart_threshold=MULTIPART_FROM, multipart_chunksize=PART, max_request_concurrency=self._jobs
                )
                self._manager = TransferManager(self._sides.store.client, config)
            return self._manager

    def pull(self, item: Item) -> None:
        """Fetch an object to a file of another name beside its own, and rename it once it is whole and right."""
        path = self._sides.path(item.key.removesuffix("/"))
        if item.is_folder:
            os.makedirs(path, exist_ok=True)
            item.action = MOVED
            return
        folder = os.path.dirname(path)
        if folder:
            os.makedirs(folder, exist_ok=True)
        part = os.path.join(folder, part_name(self._sides.bucket, item.key, item.etag, item.size))
        if not self._fetch(item, part, go_on=True):
            self._fetch(item, part, go_on=False)
        try:
            os.replace(part, path)
        except OSError:
            if not os.path.exists(part):
                item.fail("another sync has taken what was fetched; try again")
                return
            raise
        item.action = MOVED

    def _fetch(self, item: Item, part: str, *, go_on: bool) -> bool:
        """Fetch all of an object, or what an earlier sync has left to do; False where that cannot be gone on with."""
        with open(os.open(part, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666), "r+b") as file:
            start = os.fstat(file.fileno()).st_size if go_on else 0
            start = start if start < item.size else 0
            digest = hashlib.sha256()
            for block in iter(lambda: file.read(min(_BLOCK, start - file.tell())), b""):
                digest.update(block)
            file.truncate(start)
            try:
                reader = ObjectReader(
                    self._sides.store, self._sides.bucket, item.key, start=start, etag=item.etag, digest=digest
                )
                with contextlib.closing(reader):
                    if start and reader.sha256 is None:
                        return False  # nothing could tell whether both halves are of one piece
                    self._moved(start)
                    self._write(reader, file)
            except StoreError as error:
                if error.kind != "checksum":
                    raise
                self._moved(-item.size)
                file.truncate(0)
                if start:
                    return False
                file.close()
                os.unlink(part)
                raise
            file.flush()
            os.fsync(file.fileno())
        return True

    def _write(self, reader: ObjectReader, file: Any) -> None:
        buffer = memoryview(bytearray(_BLOCK))
        while count := reader.readinto(buffer):
            file.write(buffer[:count])
            self._moved(count)
            if self._stop.is_set():
                raise Interrupted


def abort_leftovers(sides: Sides, keys: set[str]) -> None:
    """Give up what an interrupted push has sent of files that are pushed now: a store keeps, and bills, parts for good."""
    more: dict[str, str] = {}
    with contextlib.suppress(StoreError):  # not every store, and not everyone's rights, know this request
        while True:
            page = sides.store.call("list_multipart_uploads", Bucket=sides.bucket, Prefix=sides.prefix, **more)
            for found in page.get("Uploads", ()):
                if found["Key"] in keys:
                    name = {"Bucket": sides.bucket, "Key": found["Key"], "UploadId": found["UploadId"]}
                    sides.store.call("abort_multipart_upload", **name)
            if not page.get("IsTruncated"):
                return
            more = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}


def remove_leftovers(sides: Sides, items: Iterable[Item]) -> None:
    """Remove what interrupted pulls of these objects have left of versions that are not wanted any more."""
    folders: dict[str, dict[str, str]] = {}
    for item in items:
        if not item.is_folder:
            name = part_name(sides.bucket, item.key, item.etag, item.size)
            wanted = "" if item.action in (UNCHANGED, KEPT) else name
            folder = os.path.dirname(sides.path(item.key)) or "."
            folders.setdefault(folder, {})[str(part_stem(name))] = wanted
    for folder, by_stem in folders.items():
        with contextlib.suppress(OSError), os.scandir(folder) as found:
            for entry in found:
                if by_stem.get(part_stem(entry.name) or "", entry.name) != entry.name:
                    os.unlink(entry.path)


def each(
    work: Callable[[Item], None], items: Iterable[Item], sides: Sides, jobs: int, stop: threading.Event
) -> Iterator[Item]:
    """``work`` done to every item, ``jobs`` at a time; gives each when it is done, failures noted in it.

    Setting ``stop`` ends it early. So do too many failures of the store in a row: the items left are failed, untried.
    """
    todo = iter(items)
    lock = threading.Lock()
    done: queue.SimpleQueue[Item | BaseException | None] = queue.SimpleQueue()
    in_a_row = [0]  # of all threads together
    given_up = threading.Event()

    def one(item: Item) -> None:
        try:
            work(item)
        except StoreError as error:
            item.fail(error.message)
            in_a_row[0] += error.kind != "checksum"
            if in_a_row[0] >= FAILURES_IN_A_ROW:
                given_up.set()
        except OSError as error:
            item.fail(sides.store.mask(error.strerror or str(error)))
            if error.errno in _FATAL:
                given_up.set()
        else:
            in_a_row[0] = 0

    def worker() -> None:
        try:
            while not stop.is_set():
                with lock:
                    item = next(todo, None)
                if item is None:
                    break
                if given_up.is_set():
                    item.fail("not tried, after so many failures")
                else:
                    one(item)
                done.put(item)
        except Interrupted:
            pass
        except BaseException as error:  # a mistake of ours must not look like the end of the work
            done.put(error)
        finally:
            done.put(None)

    threads = [threading.Thread(target=worker, name=f"aigc_evals-sync-{n}", daemon=True) for n in range(jobs)]
    for thread in threads:
        thread.start()
    running = len(threads)
    try:
        while running:
            try:
                one_done = done.get(timeout=0.5)  # without a time limit Ctrl-C would not come through on Windows
            except queue.Empty:
                continue
            if isinstance(one_done, BaseException):
                raise one_done
            if one_done is None:
                running -= 1
            else:
                yield one_done
    except BaseException:
        stop.set()
        raise
    finally:
        if running:
            stop.set()
        until = time.monotonic() + _LAST_SECONDS
        for thread in threads:
            thread.join(timeout=max(0.0, until - time.monotonic()))
