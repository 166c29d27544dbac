"""Files and folders kept the same here and in an object store: ``sync("push", "my-bucket", "datasets")``.

Needs the extra ``s3``. The command line is ``aigc_evals sync``, also installed as ``datasets_sync``.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aigc_evals.errors import UsageError, nearest

if TYPE_CHECKING:
    from aigc_evals.sync.plan import Compare, Item, Sides

__all__ = ["SyncResult", "sync"]

DIRECTIONS = ("pull", "push")
MODES = ("no_overwrite", "overwrite")
JOBS = 8


@dataclass(frozen=True)
class SyncResult:
    """What a sync did, or with ``dry_run`` would do.

    ``items`` has every file and empty folder with its ``action``: ``moved`` (``move`` in a dry run), ``unchanged``,
    ``kept`` (differs and was left, as ``no_overwrite`` says) or ``failed``, then with a ``reason``. ``bucket_created`` says
    that a push made the bucket (would make it).
    """

    direction: str
    bucket: str
    path: str
    dry_run: bool
    bucket_created: bool
    items: tuple[Item, ...]

    def of(self, *actions: str) -> list[Item]:
        """The items with one of these actions."""
        return [item for item in self.items if item.action in actions]

    @property
    def moved(self) -> int:
        return len(self.of("move", "moved"))

    @property
    def moved_bytes(self) -> int:
        """The size of all files that were moved."""
        return sum(item.size for item in self.of("move", "moved"))

    @property
    def unchanged(self) -> int:
        return len(self.of("unchanged"))

    @property
    def kept(self) -> int:
        return len(self.of("kept"))

    @property
    def failed(self) -> int:
        return len(self.of("failed"))

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain values."""
        return {
            "direction": self.direction,
            "bucket": self.bucket,
            "path": self.path,
            "dry_run": self.dry_run,
            "bucket_created": self.bucket_created,
            "moved": self.moved,
            "moved_bytes": self.moved_bytes,
            "unchanged": self.unchanged,
            "kept": self.kept,
            "failed": self.failed,
            "files": [
                {"key": item.key, "bytes": item.size, "action": item.action}
                | ({"reason": item.reason} if item.reason else {})
                for item in self.items
            ],
        }


def sync(
    direction: str,
    bucket: str,
    path: str | os.PathLike[str],
    mode: str = "no_overwrite",
    *,
    dry_run: bool = False,
    jobs: int = JOBS,
    progress: bool = False,
    folder: str | os.PathLike[str] = ".",
) -> SyncResult:
    """Push a file or a folder to a bucket, or pull it from there.

    ``path`` is relative to ``folder``, and keys are what it is: ``datasets/a.jsonl`` has the key ``datasets/a.jsonl``.
    ``mode`` is ``no_overwrite`` (what is there stays) or ``overwrite`` (what differs is replaced); nothing is ever removed.
    ``jobs`` files are compared or moved at a time; ``progress`` shows a bar where stderr is a terminal. A file that could
    not be moved does not stop the others, and is ``failed`` in the result. Raises UsageError where nothing could be begun:
    the arguments, the credentials, the address, the bucket or the path are wrong.
    """
    from aigc_evals.data.s3 import connect, require_plain_bucket
    from aigc_evals.sync.names import prefix_of
    from aigc_evals.sync.plan import Sides, plan_pull, plan_push

    _one_of("direction", direction, DIRECTIONS)
    _one_of("mode", mode, MODES)
    if jobs < 1:
        raise UsageError(f"must be at least 1, got {jobs}", key="jobs")
    prefix = prefix_of(os.fspath(path))
    require_plain_bucket(bucket)
    with connect(2 * jobs) as store:
        sides = Sides(store, bucket, prefix, os.fspath(folder), mode == "overwrite")
        bucket_exists = True
        if direction == "push":
            items, compare, bucket_exists = plan_push(sides)
        else:
            items, compare = plan_pull(sides)
        _compare(sides, items, compare, jobs, progress)
        if not dry_run:
            if not bucket_exists:
                _create_bucket(sides)
            _move(sides, items, direction, jobs, progress)
    return SyncResult(direction, bucket, prefix or ".", dry_run, not bucket_exists, tuple(items))


def _one_of(key: str, given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        hint = nearest(given, known) or None
        raise UsageError(f"expected {' or '.join(known)}, got {given!r}", key=key, hint=hint)


def _create_bucket(sides: Sides) -> None:
    from aigc_evals.data.s3 import StoreError

    # The first region of all is the one that may not be named.
    region = sides.store.region
    named = region not in ("us-east-1", "aws-global")
    where = {"CreateBucketConfiguration": {"LocationConstraint": region}} if named else {}
    try:
        sides.store.call("create_bucket", Bucket=sides.bucket, **where)
    except StoreError as error:
        if "BucketAlreadyOwnedByYou" not in error.message:
            raise


def _compare(sides: Sides, items: list[Item], compare: Compare, jobs: int, progress: bool) -> None:
    from aigc_evals.sync.plan import MOVE
    from aigc_evals.sync.transfer import each

    todo = [item for item in items if item.action == MOVE]
    with _bar(progress, len(todo), "compared", bytes_=False) as told:
        for _ in each(compare, todo, sides, jobs, threading.Event()):
            told(1)


def _move(sides: Sides, items: list[Item], direction: str, jobs: int, progress: bool) -> None:
    from aigc_evals.sync.plan import MOVE
    from aigc_evals.sync.transfer import Transfer, abort_leftovers, each, remove_leftovers

    todo = [item for item in items if item.action == MOVE]
    if direction == "pull":
        remove_leftovers(sides, items)
    elif todo:
        abort_leftovers(sides, {item.key for item in todo})
    stop = threading.Event()
    with _bar(progress, sum(item.size for item in todo), f"{direction}ed", bytes_=True) as told:
        transfer = Transfer(sides, jobs, told, stop)
        try:
            _all(each(transfer.push if direction == "push" else transfer.pull, todo, sides, jobs, stop))
        except BaseException:
            stop.set()
            raise
        finally:
            transfer.close()


def _all(items: Iterable[Item]) -> None:
    for _ in items:
        pass


@contextlib.contextmanager
def _bar(shown: bool, total: int, what: str, *, bytes_: bool) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal that is told of progress from any thread; nothing elsewhere."""
    if not (shown and total and sys.stderr is not None and sys.stderr.isatty()):
        yield lambda count: None
        return
    from tqdm import tqdm

    from aigc_evals.columns import bar_size

    lock = threading.Lock()
    bar = tqdm(total=total, desc=what, unit="B" if bytes_ else "file", unit_scale=bytes_, **bar_size())

    def told(count: int) -> None:
        with lock, contextlib.suppress(OSError):  # a terminal that has gone away is no reason to stop
            bar.update(count)

    try:
        yield told
    finally:
        with contextlib.suppress(OSError):
            bar.close()
