"""Files appear whole or not at all, and what was there before stays until then."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigc_evals.errors import UsageError
from aigc_evals.files import checksum, is_file, is_folder, is_there, listed, replacement, spare_name, write_whole

POSIX = pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")


def test_what_is_there_is_told_from_what_cannot_be_looked_at(tmp_path: Path) -> None:
    file = write_whole(tmp_path / "甲.txt", [b"x"])
    looks = (is_there, is_file, is_folder)
    assert [look(tmp_path) for look in looks] == [True, False, True]
    assert [look(str(file)) for look in looks] == [True, True, False]
    for nothing in (tmp_path / "乙", file / "below", tmp_path / "a\0b"):
        assert [look(nothing) for look in looks] == [False, False, False]
    (tmp_path / "link").symlink_to("link")
    for closed, why in ((tmp_path / "link", "symbolic links"), (tmp_path / ("长" * 100), "too long")):
        for look in looks:
            with pytest.raises(UsageError, match=why) as caught:
                look(closed, key="k")
            assert (caught.value.path, caught.value.key) == (str(closed), "k")


def test_a_folder_s_entries_are_sorted_and_those_of_no_folder_are_none(tmp_path: Path) -> None:
    for name in ("b", "a", ".c"):
        (tmp_path / name).touch()
    assert listed(tmp_path) == [tmp_path / ".c", tmp_path / "a", tmp_path / "b"]
    assert listed(tmp_path / "nowhere") == listed(tmp_path / "a") == []
    with pytest.raises(UsageError, match="too long"):
        listed(tmp_path / ("长" * 100))


def broken() -> Iterator[bytes]:
    yield "一半".encode()
    raise ZeroDivisionError


def test_a_file_is_written_with_its_folders(tmp_path: Path) -> None:
    path = tmp_path / "新" / "data" / "行.jsonl"
    assert write_whole(str(path), [b'"', "一".encode(), b'"\n']) == path
    assert path.read_bytes() == '"一"\n'.encode()
    write_whole(path, [])
    assert path.read_bytes() == b""
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("there", [b"before", None])
def test_what_breaks_off_leaves_what_was_there_and_nothing_else(tmp_path: Path, there: bytes | None) -> None:
    path = tmp_path / "a.txt"
    if there is not None:
        path.write_bytes(there)
    with pytest.raises(ZeroDivisionError):
        write_whole(path, broken())
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == ({} if there is None else {"a.txt": there})


def test_a_file_is_not_there_under_its_name_before_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with replacement(path) as file:
        file.write(b"half")
        file.flush()
        assert not path.exists()
        (beside,) = tmp_path.iterdir()
        assert beside.read_bytes() == b"half"
    assert path.read_bytes() == b"half"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("key", ["out", None])
def test_what_cannot_be_written_is_told_with_its_name_and_setting(tmp_path: Path, key: str | None) -> None:
    (tmp_path / "文件").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "文件" / "x.txt", tmp_path / "folder"):
        with pytest.raises(UsageError, match="cannot be written") as error:
            write_whole(path, [b"a"], key=key)
        assert (error.value.path, error.value.key) == (str(path), key)
    assert sorted(file.name for file in tmp_path.rglob("*")) == ["folder", "文件"]


def test_a_name_as_long_as_names_can_be_is_no_trouble(tmp_path: Path) -> None:
    path = tmp_path / ("名" * 84 + ".md")
    write_whole(path, [b"a"])
    write_whole(path, [b"b"])
    assert path.read_bytes() == b"b"


@POSIX
def test_a_new_file_has_the_permissions_of_any_other(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    write_whole(tmp_path / "whole", [])
    plain, whole = (stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "whole"))
    assert whole == plain


@POSIX
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666])
def test_a_file_keeps_its_permissions_and_is_never_more_open(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "private"
    path.write_bytes(b"")
    path.chmod(mode)
    with replacement(path) as file:
        assert stat.S_IMODE(os.fstat(file.fileno()).st_mode) & ~mode == 0
    assert stat.S_IMODE(path.stat().st_mode) == mode


@POSIX
def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    for name in ("there", "not yet"):
        target, link = tmp_path / "far" / name, tmp_path / name
        link.symlink_to(target)
        if name == "there":
            target.write_bytes(b"old")
        write_whole(link, [b"new"])
        assert link.is_symlink()
        assert target.read_bytes() == b"new"
    assert sorted(path.name for path in (tmp_path / "far").iterdir()) == ["not yet", "there"]


@POSIX
def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_whole(pipe, [b"a", b"b"])
        assert os.read(reader, 10) == b"ab"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@POSIX
def test_a_device_is_written_to_and_stays_one() -> None:
    write_whole(os.devnull, [b"gone"])
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


def test_a_file_system_that_cannot_sync_is_no_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(number: int) -> Callable[[int], None]:
        def fsync(_file: int) -> None:
            raise OSError(number, os.strerror(number))

        return fsync

    monkeypatch.setattr(os, "fsync", fails(errno.EINVAL))
    assert write_whole(tmp_path / "a", [b"a"]).read_bytes() == b"a"
    monkeypatch.setattr(os, "fsync", fails(errno.ENOSPC))
    with pytest.raises(UsageError, match="No space left"):
        write_whole(tmp_path / "a", [b"b"])
    assert (tmp_path / "a").read_bytes() == b"a"


def test_spare_names_are_beside_and_never_the_same(tmp_path: Path) -> None:
    names = {spare_name(tmp_path / "a") for _ in range(100)}
    assert len(names) == 100
    assert {name.parent for name in names} == {tmp_path}


@given(st.binary(max_size=100), st.integers(0, 3))
def test_a_checksum_is_that_of_the_whole_content(
    tmp_path_factory: pytest.TempPathFactory, end: bytes, blocks: int
) -> None:
    content = b"\0" * (blocks << 20) + end
    path = tmp_path_factory.getbasetemp() / "content"
    path.write_bytes(content)
    assert checksum(path) == hashlib.sha256(content).hexdigest()
    assert checksum(str(path), "md5") == hashlib.md5(content, usedforsecurity=False).hexdigest()
