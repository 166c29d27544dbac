"""What a sync has to do: both sides listed and compared, nothing changed yet.

Two sides are the same when their sizes and their SHA-256 agree. The checksum of an object is in its metadata; one that
another tool put there has none, and is the same when its entity tag is the MD5 that the file's content gives (of the whole,
or of the parts it was sent in). Where that says nothing they count as different: nothing is fetched only to be compared.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from aigc_evals.data.s3 import SHA256, Listed, Store, StoreError
from aigc_evals.errors import UsageError, nearest
from aigc_evals.files import checksum
from aigc_evals.sync.names import clashes, ignores_case, part_stem, refusal, shown

MOVE, UNCHANGED, KEPT, FAILED, MOVED = "move", "unchanged", "kept", "failed", "moved"

_BLOCK = 1 << 20


@dataclass(slots=True)
class Item:
    """One file or empty folder (its key ends in ``/``), and what is to become or has become of it.

    ``key`` is also its path relative to the working directory; ``size`` is in bytes, ``action`` one of the words above,
    ``reason`` is given where it failed.
    """

    key: str
    size: int = 0
    action: str = MOVE
    reason: str | None = None
    etag: str = ""

    @property
    def is_folder(self) -> bool:
        return self.key.endswith("/")

    def fail(self, reason: str) -> None:
        self.action, self.reason = FAILED, shown(reason)


@dataclass(frozen=True)
class Sides:
    """What is compared: the bucket, the prefix that PATH is, the working directory, and whether to replace."""

    store: Store
    bucket: str
    prefix: str
    folder: str
    overwrite: bool

    def path(self, key: str) -> str:
        return os.path.join(self.folder, *key.split("/")) if key else self.folder

    @property
    def real_root(self) -> str:
        return os.path.realpath(self.path(self.prefix))


Compare = Callable[[Item], None]


def plan_push(sides: Sides) -> tuple[list[Item], Compare, bool]:
    """The local files, how each is compared with its object, and whether the bucket is there."""
    items = list(_local(sides))
    bucket_exists = True
    remote: dict[str, Listed] = {}
    try:
        remote = {found.key: found for found in sides.store.under(sides.bucket, sides.prefix)}
    except StoreError as error:
        if error.kind != "no_bucket":
            raise
        bucket_exists = False
    _refuse(items, insensitive=False)

    def compare(item: Item) -> None:
        found = remote.get(item.key)
        if found is None:
            item.action = MOVE
        else:
            item.etag = found.etag
            _decide(item, found.size == item.size and same(sides, item.key, item.size, found.etag), sides.overwrite)

    return items, compare, bucket_exists


def plan_pull(sides: Sides) -> tuple[list[Item], Compare]:
    """The objects, and how each is compared with its file; raises StoreError where there is nothing."""
    items = [Item(found.key, found.size, etag=found.etag) for found in sides.store.under(sides.bucket, sides.prefix)]
    if not items:
        place = f"s3://{sides.bucket}/{sides.prefix}"
        hint = f"`aigc_evals sync pull {sides.bucket} . --dry-run` shows what the bucket has."
        raise StoreError("there is no such object and nothing below it", kind="no_key", path=place, hint=hint)
    _refuse(items, insensitive=ignores_case(sides.folder))
    root = sides.real_root
    inside: dict[str, bool] = {}

    def compare(item: Item) -> None:
        path = sides.path(item.key.removesuffix("/"))
        above = os.path.dirname(path)
        if item.key != sides.prefix and above not in inside:
            inside[above] = _is_inside(os.path.realpath(above), root)
        if item.is_folder and item.size:
            item.fail("the key of a folder (it ends in /) with content")
        elif not inside.get(above, True):
            item.fail("a link leads its folder out of PATH")
        else:
            _compare_with_file(item, path, root, sides)

    return items, compare


def _compare_with_file(item: Item, path: str, root: str, sides: Sides) -> None:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        item.action = MOVE
        return
    except OSError as error:
        item.fail(error.strerror or str(error))
        return
    linked = stat.S_ISLNK(found.st_mode)
    if linked and item.key != sides.prefix and not _is_inside(os.path.realpath(path), root):
        item.fail("a link that leads out of PATH has its name")
    elif os.path.isdir(path) != item.is_folder:
        item.fail("a file has its name" if item.is_folder else "a folder has its name")
    elif item.is_folder:
        item.action = UNCHANGED
    else:
        size = os.stat(path).st_size
        _decide(item, size == item.size and same(sides, item.key, size, item.etag), sides.overwrite)


def _decide(item: Item, is_same: bool, overwrite: bool) -> None:
    item.action = UNCHANGED if is_same else MOVE if overwrite else KEPT


def _refuse(items: list[Item], *, insensitive: bool) -> None:
    for item in items:
        problem = refusal(item.key) if item.action == MOVE else None
        if problem:
            item.fail(problem)
    by_key = {item.key: item for item in items if item.action == MOVE}
    for key, problem in clashes(by_key, insensitive=insensitive):
        by_key[key].fail(problem)


def same(sides: Sides, key: str, size: int, etag: str) -> bool:
    """Whether a file has the content of an object of the same size; at most two requests, no content moved."""
    if size == 0:
        return True
    head = sides.store.call("head_object", Bucket=sides.bucket, Key=key)
    path = sides.path(key)
    kept = head.get("Metadata", {}).get(SHA256)
    if kept is not None:
        return bool(kept == checksum(path))
    tag, dash, parts = etag.strip('"').partition("-")
    if not dash:
        return tag == checksum(path, "md5")
    first = sides.store.call("head_object", Bucket=sides.bucket, Key=key, PartNumber=1)
    part = first["ContentLength"]
    return bool(part > 0 and -(-size // part) == int(parts) and tag == _md5_of_parts(path, part))


def _md5_of_parts(path: str, part: int) -> str:
    whole = hashlib.md5(usedforsecurity=False)
    with open(path, "rb") as file:
        while True:
            digest, left = hashlib.md5(usedforsecurity=False), part
            while left and (block := file.read(min(left, _BLOCK))):
                digest.update(block)
                left -= len(block)
            if left == part:
                return whole.hexdigest()
            whole.update(digest.digest())


def _local(sides: Sides) -> Iterator[Item]:
    """The file or all files of PATH, sorted by key; what is neither file nor folder comes as failed."""
    top = sides.path(sides.prefix)
    if not os.path.lexists(top):
        folder, name = os.path.split(top)
        try:
            hint = nearest(name, sorted(os.listdir(folder or "."))) or None
        except OSError:
            hint = None
        raise UsageError("there is no such file or folder", path=shown(sides.prefix), hint=hint)
    if not os.path.isdir(top):
        yield _file(sides.prefix, top, None)
        return
    yield from _walk(top, f"{sides.prefix}/" if sides.prefix else "", sides.real_root, bool(sides.prefix))


def _walk(folder: str, prefix: str, root: str, mark: bool) -> Iterator[Item]:
    # A list of folders still to do, as trees may be deeper than Python's stack.
    todo = [(folder, prefix, mark)]
    while todo:
        folder, prefix, mark = todo.pop()
        try:
            with os.scandir(folder) as found:
                entries = sorted(found, key=lambda entry: entry.name, reverse=True)
        except OSError as error:
            item = Item(prefix or "./")
            item.fail(error.strerror or str(error))
            yield item
            continue
        seen = 0
        for entry in reversed(entries):
            if part_stem(entry.name):
                continue
            seen += 1
            if not entry.is_dir(follow_symlinks=False):
                yield _file(prefix + entry.name, entry.path, root)
        todo += [(e.path, f"{prefix}{e.name}/", True) for e in entries if e.is_dir(follow_symlinks=False)]
        if not seen and mark:
            yield Item(prefix)


def _file(key: str, path: str, root: str | None) -> Item:
    item = Item(key)
    try:
        found = os.stat(path)
    except OSError as error:
        item.fail("a link that leads nowhere" if os.path.islink(path) else error.strerror or str(error))
        return item
    if root is not None and os.path.islink(path) and not _is_inside(os.path.realpath(path), root):
        item.fail("a link that leads out of PATH; what it leads to is not pushed")
    elif stat.S_ISDIR(found.st_mode):
        item.fail("a link to a folder; its files are pushed where they lie")
    elif not stat.S_ISREG(found.st_mode):
        item.fail("neither a file nor a folder")
    item.size = found.st_size
    return item


def _is_inside(path: str, root: str) -> bool:
    return path == root or path.startswith(root.rstrip(os.sep) + os.sep)
