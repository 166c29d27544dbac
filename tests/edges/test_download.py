"""Downloads from a real server: resumed, checked, from mirrors, and plain words when they cannot be had."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.generators import gz_of, tar_of, zip_of
from support.publisher import Publisher

from aigc_evals.errors import UsageError
from aigc_evals.generate import download as module
from aigc_evals.generate.download import DownloadError, Remote, addresses, download, name_in
from aigc_evals.generate.files import DatasetsLock

CONTENT = os.urandom(300_000)
ARCHIVE = zip_of({"验证.jsonl": b'{"a": 1}\n'})
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    made = Publisher()
    yield made
    made.close()


@pytest.fixture
def lock(tmp_path: Path) -> DatasetsLock:
    return DatasetsLock(tmp_path / "datasets" / "datasets.lock")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.01)


def get(publisher: Publisher, tmp_path: Path, lock: DatasetsLock, accept: bool = False) -> bytes:
    path = download(Remote(f"{publisher.url}/x.bin"), tmp_path / "downloads", lock, accept_changed=accept, environ={})
    assert [p.name for p in path.parent.iterdir()] == ["x.bin"], "no parts are left"
    return path.read_bytes()


def test_a_file_is_fetched_once_and_recorded(publisher: Publisher, tmp_path: Path, lock: DatasetsLock) -> None:
    publisher.serve("/x.bin", CONTENT)
    assert get(publisher, tmp_path, lock) == get(publisher, tmp_path, lock) == CONTENT
    assert len(publisher.requests) == 1
    assert json.loads(lock.path.read_text(encoding="utf-8")) == {
        "version": 1,
        "files": {f"{publisher.url}/x.bin": {"bytes": len(CONTENT), "sha256": DIGEST}},
    }


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_connection_is_taken_up_again(
    ranges: bool, publisher: Publisher, tmp_path: Path, lock: DatasetsLock
) -> None:
    publisher.serve("/x.bin", CONTENT, cut_after=70_000, times=2, ranges=ranges)
    assert get(publisher, tmp_path, lock) == CONTENT
    assert [request.status for request in publisher.requests] == ([200, 206, 206] if ranges else [200] * 3)


def test_a_file_that_changed_in_between_is_begun_anew(publisher: Publisher, tmp_path: Path, lock: DatasetsLock) -> None:
    publisher.serve("/x.bin", b"old" * 50_000, etag='"old"', cut_after=70_000, times=10**6, ranges=False)
    with pytest.raises(DownloadError):
        get(publisher, tmp_path, lock)
    publisher.serve("/x.bin", CONTENT, etag='"new"')
    publisher.requests.clear()
    assert get(publisher, tmp_path, lock) == CONTENT
    assert [(r.if_range, r.status) for r in publisher.requests] == [('"old"', 200)]


def test_a_part_is_continued_by_a_later_call(publisher: Publisher, tmp_path: Path, lock: DatasetsLock) -> None:
    publisher.serve("/x.bin", CONTENT, cut_after=70_000, times=1).statuses = [200, *[503] * 20]
    with pytest.raises(DownloadError, match="HTTP 503"):
        get(publisher, tmp_path, lock)
    publisher.files["/x.bin"].statuses.clear()
    publisher.requests.clear()
    assert get(publisher, tmp_path, lock) == CONTENT
    assert [(r.range is not None, r.status) for r in publisher.requests] == [(True, 206)]


def test_a_part_that_the_server_cannot_continue_is_thrown_away(
    publisher: Publisher, tmp_path: Path, lock: DatasetsLock
) -> None:
    folder = tmp_path / "downloads"
    folder.mkdir()
    (folder / "x.bin.part").write_bytes(b"x" * (len(CONTENT) + 5))
    note = {"address": f"{publisher.url}/x.bin", "validator": '"v1"'}
    (folder / "x.bin.part.json").write_text(json.dumps(note), encoding="utf-8")
    publisher.serve("/x.bin", CONTENT)
    assert get(publisher, tmp_path, lock) == CONTENT
    assert [request.status for request in publisher.requests] == [416, 200]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_is_tried_again(status: int, publisher: Publisher, tmp_path: Path, lock: DatasetsLock) -> None:
    publisher.serve("/x.bin", CONTENT, statuses=[status, status], retry_after="0")
    assert get(publisher, tmp_path, lock) == CONTENT
    assert len(publisher.requests) == 3


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_is_told_at_once(status: int, publisher: Publisher, tmp_path: Path, lock: DatasetsLock) -> None:
    publisher.serve("/x.bin", CONTENT, statuses=[status] * 9)
    with pytest.raises(DownloadError) as caught:
        get(publisher, tmp_path, lock)
    told = str(caught.value)
    assert f"HTTP {status}" in told
    assert f"Fetch {publisher.url}/x.bin by hand and put it at {tmp_path / 'downloads' / 'x.bin'}" in told
    assert len(publisher.requests) == 1


def test_a_web_page_in_place_of_the_file_is_refused_and_not_recorded(
    publisher: Publisher, tmp_path: Path, lock: DatasetsLock
) -> None:
    page = publisher.serve("/x.bin", b"<html>log in</html>", headers={"Content-Type": "text/html; charset=utf-8"})
    with pytest.raises(DownloadError, match="a web page was sent instead of the file"):
        get(publisher, tmp_path, lock)
    page.content, page.headers = CONTENT, {}
    assert get(publisher, tmp_path, lock) == CONTENT


@pytest.mark.parametrize("content", [b'{"error": "busy"}', b"<html>busy</html>", ARCHIVE[:-30]])
def test_what_is_no_archive_is_neither_kept_nor_recorded(
    content: bytes, publisher: Publisher, tmp_path: Path, lock: DatasetsLock
) -> None:
    publisher.serve("/x.zip", content)
    remote = Remote(f"{publisher.url}/x.zip")
    with pytest.raises(DownloadError, match=r"this file cannot be used: .*zip file") as caught:
        download(remote, tmp_path / "d", lock, environ={})
    assert f"Fetch {publisher.url}/x.zip by hand" in str(caught.value)
    assert list((tmp_path / "d").iterdir()) == []
    assert not lock.path.exists()
    publisher.serve("/x.zip", ARCHIVE)
    assert download(remote, tmp_path / "d", lock, environ={}).read_bytes() == ARCHIVE


def test_a_mirror_that_sends_something_else_does_not_keep_the_archive_away(
    publisher: Publisher, tmp_path: Path, lock: DatasetsLock
) -> None:
    publisher.serve("/a/x.zip", b"busy")
    publisher.serve("/b/x.zip", ARCHIVE)
    remote = Remote(f"{publisher.url}/a/x.zip", also=(f"{publisher.url}/b/x.zip",))
    assert download(remote, tmp_path, lock, environ={}).read_bytes() == ARCHIVE
    assert (lock.recorded(f"{publisher.url}/a/x.zip") or {})["bytes"] == len(ARCHIVE)


@pytest.mark.parametrize("name", ["x.tar.gz", "x.tgz", "x.tar.xz", "x"])
@pytest.mark.parametrize("length", [14, 60])
def test_an_archive_cut_short_does_not_keep_the_whole_one_away(
    length: int, name: str, publisher: Publisher, tmp_path: Path, lock: DatasetsLock
) -> None:
    whole = tar_of({"数据.txt": CONTENT[:999]}, "w:xz" if name.endswith("xz") else "w:gz")
    digest = hashlib.sha256(whole).hexdigest()
    publisher.serve(f"/a/{name}", whole[:length])
    publisher.serve(f"/b/{name}", whole)
    remote = Remote(f"{publisher.url}/a/{name}", sha256=digest, also=(f"{publisher.url}/b/{name}",))
    assert download(remote, tmp_path / "d", lock, environ={}).read_bytes() == whole
    assert [path.name for path in (tmp_path / "d").iterdir()] == [name]


@pytest.mark.parametrize("length", [14, 60])
def test_an_archive_cut_short_is_refused_wherever_it_comes_from(
    length: int, publisher: Publisher, tmp_path: Path, lock: DatasetsLock
) -> None:
    cut = tar_of({"数据.txt": CONTENT[:999]})[:length]
    remote = Remote(f"{publisher.url}/x.tar.gz")
    publisher.serve("/x.tar.gz", cut)
    with pytest.raises(DownloadError, match="this file cannot be used: damaged: "):
        download(remote, tmp_path, lock, environ={})
    assert list(tmp_path.iterdir()) == [], "no part is left"
    (tmp_path / "x.tar.gz").write_bytes(cut)
    with pytest.raises(UsageError, match="this file cannot be used: damaged: "):
        download(remote, tmp_path, lock, environ={})
    assert not lock.path.exists()


def test_why_no_address_has_the_file_is_told_of_each(publisher: Publisher, tmp_path: Path, lock: DatasetsLock) -> None:
    publisher.serve("/b/x.zip", b"busy")
    remote = Remote(f"{publisher.url}/a/x.zip", also=(f"{publisher.url}/b/x.zip",))
    with pytest.raises(DownloadError) as caught:
        download(remote, tmp_path, lock, environ={})
    assert str(caught.value).splitlines()[:3] == [
        "[x.zip]: cannot be fetched from any of 2 addresses:",
        f"  {publisher.url}/a/x.zip: HTTP 404 Not Found",
        f"  {publisher.url}/b/x.zip: this file cannot be used: not a zip file: it begins with 'busy'",
    ]


def test_a_file_put_there_by_hand_that_is_something_else_is_refused(
    publisher: Publisher, tmp_path: Path, lock: DatasetsLock
) -> None:
    (tmp_path / "x.zip").write_bytes(b"busy")
    with pytest.raises(UsageError, match="not a zip file"):
        download(Remote(f"{publisher.url}/x.zip"), tmp_path, lock, environ={})
    assert (publisher.requests, lock.path.exists()) == ([], False)


def test_a_file_that_is_packed_on_the_way_is_unpacked(publisher: Publisher, tmp_path: Path, lock: DatasetsLock) -> None:
    publisher.serve("/x.bin", gzip.compress(b"text " * 10_000), headers={"Content-Encoding": "gzip"})
    assert get(publisher, tmp_path, lock) == b"text " * 10_000


@pytest.mark.parametrize("name", ["x.jsonl.gz", "X.TGZ"])
@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "GZIP"])
def test_a_gzipped_file_is_taken_as_it_is_though_its_server_calls_it_packed_on_the_way(
    coding: str, name: str, publisher: Publisher, tmp_path: Path, lock: DatasetsLock
) -> None:
    packed = tar_of({"甲": CONTENT}) if name == "X.TGZ" else gz_of(b'{"a":1}\n' + CONTENT)
    publisher.serve(f"/{name}", packed, headers={"Content-Encoding": coding}, cut_after=70_000)
    assert download(Remote(f"{publisher.url}/{name}"), tmp_path, lock, environ={}).read_bytes() == packed
    assert [request.status for request in publisher.requests] == [200, 206]


@pytest.mark.parametrize("known", ["from the lock", "from the publisher"])
@pytest.mark.parametrize("by_hand", [True, False])
def test_a_file_with_the_wanted_checksum_may_look_like_something_else(
    by_hand: bool, known: str, publisher: Publisher, tmp_path: Path, lock: DatasetsLock
) -> None:
    content = "<html>标记,出处\n<b>,甲\n".encode()
    address, digest = f"{publisher.url}/tags.csv", hashlib.sha256(content).hexdigest()
    if known == "from the lock":
        lock.record(address, len(content), digest)
    if by_hand:
        (tmp_path / "tags.csv").write_bytes(content)
    else:
        publisher.serve("/tags.csv", content)
    remote = Remote(address, sha256=digest if known == "from the publisher" else None)
    assert download(remote, tmp_path, lock, environ={}).read_bytes() == content
    assert len(publisher.requests) == (0 if by_hand else 1)


def test_a_file_put_there_by_hand_counts(publisher: Publisher, tmp_path: Path, lock: DatasetsLock) -> None:
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "x.bin").write_bytes(CONTENT)
    assert get(publisher, tmp_path, lock) == CONTENT
    assert publisher.requests == []
    assert (lock.recorded(f"{publisher.url}/x.bin") or {})["sha256"] == DIGEST


def test_a_damaged_file_is_fetched_again(publisher: Publisher, tmp_path: Path, lock: DatasetsLock) -> None:
    publisher.serve("/x.bin", CONTENT)
    get(publisher, tmp_path, lock)
    (tmp_path / "downloads" / "x.bin").write_bytes(b"damaged")
    assert get(publisher, tmp_path, lock) == CONTENT


def test_a_file_that_is_no_longer_the_same_is_refused_until_accepted(
    publisher: Publisher, tmp_path: Path, lock: DatasetsLock
) -> None:
    publisher.serve("/x.bin", CONTENT)
    get(publisher, tmp_path, lock)
    (tmp_path / "downloads" / "x.bin").unlink()
    publisher.serve("/x.bin", b"something else")
    with pytest.raises(DownloadError, match="no longer the file it was") as caught:
        get(publisher, tmp_path, lock)
    assert "--accept_changed" in str(caught.value)
    assert (lock.recorded(f"{publisher.url}/x.bin") or {})["sha256"] == DIGEST
    assert get(publisher, tmp_path, lock, accept=True) == b"something else"
    assert get(publisher, tmp_path, lock) == b"something else"


def test_a_checksum_of_the_publisher_s_is_held_to(publisher: Publisher, tmp_path: Path, lock: DatasetsLock) -> None:
    publisher.serve("/x.bin", b"something else")
    with pytest.raises(DownloadError, match=f"that in the data set's description {DIGEST}"):
        download(Remote(f"{publisher.url}/x.bin", sha256=DIGEST), tmp_path, lock, environ={})


def test_nobody_at_home_is_told_soon(tmp_path: Path, lock: DatasetsLock) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://user:geheimes-wort@127.0.0.1:{closed.getsockname()[1]}/a.zip?token=abcdefghijk"
        with pytest.raises(DownloadError) as caught:
            download(Remote(url), tmp_path / "d", lock, environ={}, hint="Or so.")
    told = str(caught.value)
    assert "the connection was refused" in told
    assert "Or so." in told
    assert "geheimes-wort" not in told
    assert "abcdefghijk" not in told


def test_further_addresses_are_tried(publisher: Publisher, tmp_path: Path, lock: DatasetsLock) -> None:
    publisher.serve("/b/x.bin", CONTENT)
    remote = Remote(f"{publisher.url}/a/x.bin", also=(f"{publisher.url}/b/x.bin",))
    assert download(remote, tmp_path, lock, environ={}).read_bytes() == CONTENT
    assert list(json.loads(lock.path.read_text(encoding="utf-8"))["files"]) == [f"{publisher.url}/a/x.bin"]


def test_a_mirror_is_asked_first_and_the_publisher_when_it_lacks_the_file(
    publisher: Publisher, tmp_path: Path, lock: DatasetsLock
) -> None:
    publisher.serve("/d/x.bin", CONTENT)
    environ = {"AIGC_EVALS_MIRROR": f"{publisher.url}/mirror"}
    assert download(Remote(f"{publisher.url}/d/x.bin"), tmp_path, lock, environ=environ).read_bytes() == CONTENT
    host = publisher.url.removeprefix("http://")
    assert [(r.path, r.status) for r in publisher.requests] == [(f"/mirror/{host}/d/x.bin", 404), ("/d/x.bin", 200)]


def test_a_mirror_with_another_file_does_not_keep_the_right_one_away(
    publisher: Publisher, tmp_path: Path, lock: DatasetsLock
) -> None:
    host = publisher.url.removeprefix("http://")
    publisher.serve(f"/mirror/{host}/x.bin", b"an older version")
    publisher.serve("/x.bin", CONTENT)
    environ = {"AIGC_EVALS_MIRROR": f"{publisher.url}/mirror"}
    remote = Remote(f"{publisher.url}/x.bin", sha256=DIGEST)
    assert download(remote, tmp_path, lock, environ=environ).read_bytes() == CONTENT
    publisher.serve("/x.bin", b"a newer version")
    (tmp_path / "x.bin").unlink()
    with pytest.raises(DownloadError, match="no longer the file it was"):
        download(remote, tmp_path, lock, environ=environ)


@pytest.mark.parametrize(
    "mirrors, found",
    [
        ("", []),
        ("https://m.org/base/", ["https://m.org/base/hf.co/data/x.zip?a=1"]),
        ("https://hf.co=https://m.org", ["https://m.org/data/x.zip?a=1"]),
        ("https://hf.co/data/=https://m.org/d/", ["https://m.org/d/x.zip?a=1"]),
        ("https://hf.co/dat=https://m.org", []),
        ("https://hf.com=https://m.org", []),
        (
            "https://hf.co=http://m.org:81, https://n.org",
            ["http://m.org:81/data/x.zip?a=1", "https://n.org/hf.co/data/x.zip?a=1"],
        ),
    ],
)
def test_mirrors_take_the_place_of_addresses(mirrors: str, found: list[str]) -> None:
    url = "https://hf.co/data/x.zip?a=1"
    assert addresses(url, {"AIGC_EVALS_MIRROR": mirrors}) == [*found, url]


@pytest.mark.parametrize("mirror", ["m.org", "hf.co=https://m.org", "ftp://m.org", "https://"])
def test_a_mirror_that_is_no_address_is_refused(mirror: str) -> None:
    with pytest.raises(UsageError, match="AIGC_EVALS_MIRROR"):
        addresses("https://hf.co/x", {"AIGC_EVALS_MIRROR": mirror})


@pytest.mark.parametrize(
    "url, name",
    [
        ("https://h/a/b.zip?x=1", "b.zip"),
        ("https://h/a/%E6%95%B0%E6%8D%AE.csv", "数据.csv"),
        ("https://h/a/..%2F..%2Fetc", "etc"),
        ("https://h/", "h"),
        ("https://u:p@h", "h"),
        ("https://h/a:b*c", "a_b_c"),
        ("https://h/..", "download"),
    ],
)
def test_file_names_come_from_addresses(url: str, name: str) -> None:
    assert name_in(url) == name


def test_a_broken_lock_is_named(tmp_path: Path, lock: DatasetsLock) -> None:
    lock.path.parent.mkdir()
    lock.path.write_text("<<<<<<< HEAD", encoding="utf-8")
    with pytest.raises(UsageError, match=r"datasets\.lock"):
        lock.recorded("x")
