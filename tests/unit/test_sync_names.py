"""Keys stand for files below PATH and for nothing else; what is compared is told apart by content."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigc_evals.data.s3 import Listed, StoreError, connect, jsonl_urls, open_url, split
from aigc_evals.errors import UsageError
from aigc_evals.sync import sync
from aigc_evals.sync.names import (
    MAX_KEY,
    clashes,
    ignores_case,
    part_name,
    part_stem,
    prefix_of,
    refusal,
    shown,
)
from aigc_evals.sync.plan import FAILED, KEPT, MOVE, UNCHANGED, Item, Sides, plan_pull, plan_push

PIECES = st.sampled_from(
    ["..", ".", "", "a", "数据", "e\u0301", "é", "C:", "c:x", "\\", "a\\b", "\0", "con.txt", " ", "x."]
)
KEYS = st.one_of(st.lists(PIECES, min_size=1, max_size=5).map("/".join), st.text(max_size=30))


@given(KEYS)
def test_an_accepted_key_is_a_path_below_the_folder(key: str) -> None:
    if refusal(key, windows=False) is None:
        name = key.removesuffix("/")
        assert "/".join(PurePosixPath(name).parts) == name
        joined = os.path.join("/home", *name.split("/"))
        assert os.path.normpath(joined) == joined
        assert joined.startswith("/home/")


@given(KEYS)
def test_an_accepted_key_stays_below_the_folder_on_windows_too(key: str) -> None:
    if refusal(key, windows=True) is None:
        root = PureWindowsPath("D:/home")
        path = root.joinpath(*key.removesuffix("/").split("/"))
        assert path.parts[: len(root.parts)] == root.parts
        assert len(path.parts) == len(root.parts) + len(key.removesuffix("/").split("/"))


@given(st.text(alphabet=st.characters(exclude_characters="/\\\0:", exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_any_other_name_is_taken_as_it_is(name: str) -> None:
    if name not in (".", "..") and len(name.encode()) <= MAX_KEY:
        assert refusal(f"data/{name}", windows=False) is None
        assert prefix_of(f"data/{name}") == f"data/{name}"


@pytest.mark.parametrize(
    "key, windows, other",
    [
        ("a/../b", False, False),
        ("../b", False, False),
        ("/etc/passwd", False, False),
        ("a//b", False, False),
        ("a/./b", False, False),
        ("a\\..\\b", False, False),
        ("C:/b", False, False),
        ("a/c:b", False, False),
        ("a\0b", False, False),
        ("x" * 1025, False, False),
        ("中" * 342, False, False),
        ("a\udc80", False, False),
        ("a/.aigc_evals-0123456789abcdef-0123456789abcdef.part", False, False),
        ("a/NUL", False, True),
        ("a/com1.txt", False, True),
        ("a/b?", False, True),
        ("a/b.", False, True),
        ("a/bb:c", False, True),
        ("中" * 341, True, True),
        ("a/nullable", True, True),
        (".hidden/..x", True, True),
    ],
)
def test_keys_that_no_file_may_have_are_refused(key: str, windows: bool, other: bool) -> None:
    assert (refusal(key, windows=False) is None) == other
    assert (refusal(key, windows=True) is None) == windows


@pytest.mark.parametrize(
    ("path", "prefix"), [(".", ""), ("./", ""), ("a", "a"), ("./a//b/", "a/b"), ("数据/子", "数据/子")]
)
def test_a_path_is_written_in_one_way(path: str, prefix: str) -> None:
    assert prefix_of(path) == prefix


@pytest.mark.parametrize("path", ["", "/", "/a", "..", "a/../b", "a/..", "C:/a", "c:a", "a\0"])
def test_a_path_outside_the_working_directory_is_refused(path: str) -> None:
    with pytest.raises(UsageError) as caught:
        prefix_of(path)
    assert caught.value.key == "path"


@pytest.mark.parametrize(
    "keys, insensitive, clashing",
    [
        (["a", "b/c", "b/d", "b/"], False, []),
        (["a", "a/b", "c"], False, ["a", "a/b"]),
        (["a", "a/"], False, ["a", "a/"]),
        (["a/b", "a/b/c/d", "a/x"], False, ["a/b", "a/b/c/d"]),
        (["A", "a"], False, []),
        (["A", "a", "b"], True, ["A", "a"]),
        (["A", "a/b", "B/c", "b/d"], True, ["A", "a/b"]),
        (["é", "e\u0301"], False, []),
        (["é", "e\u0301"], True, ["é", "e\u0301"]),
        (["D/", "d/"], True, []),
    ],
)
def test_keys_that_cannot_stand_beside_each_other_are_named(
    keys: list[str], insensitive: bool, clashing: list[str]
) -> None:
    assert [key for key, _ in clashes(keys, insensitive=insensitive)] == clashing


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="there names may differ in case only")
def test_this_file_system_tells_case_apart_and_is_not_written_to_for_that(tmp_path: Path) -> None:
    assert not ignores_case(str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_the_name_of_an_unfinished_file_tells_versions_and_keys_apart() -> None:
    names = {part_name(b, k, e, s) for b in "xy" for k in ("a", "a/b") for e in ("1", "2") for s in (1, 2)}
    assert len(names) == 16
    assert len({part_stem(name) for name in names}) == 4
    assert part_stem(".aigc_evals-x.part") is part_stem("a.part") is None


@given(st.text())
def test_what_is_printed_of_a_name_cannot_move_the_cursor(name: str) -> None:
    assert shown(name).isprintable()
    assert shown("数据/a b.jsonl") == "数据/a b.jsonl"


class Listing:
    """A store that has nothing but a listing: for keys that a server would not take."""

    def __init__(self, **sizes: int) -> None:
        self.found = [Listed(key, size, '"0"') for key, size in sizes.items()]

    def under(self, bucket: str, path: str) -> list[Listed]:
        return self.found

    def call(self, operation: str, **arguments: Any) -> Any:
        raise AssertionError(f"{operation} is not needed")


def planned(
    folder: Path, store: Listing, prefix: str = "", *, overwrite: bool = False, push: bool = False
) -> dict[str, Item]:
    sides = Sides(store, "bucket", prefix, str(folder), overwrite)  # type: ignore[arg-type]
    items, compare = plan_push(sides)[:2] if push else plan_pull(sides)
    for item in items:
        if item.action == MOVE:
            compare(item)
    return {item.key: item for item in items}


def test_hostile_keys_are_failures_and_the_others_are_fetched(tmp_path: Path) -> None:
    hostile = ["../x", "/etc/x", "a//b", "a/../../x", "a\\b", "C:/x", "a/\0", "both", "both/x", "folder/"]
    found = planned(tmp_path, Listing(**dict.fromkeys(hostile, 1), fine=1))
    assert {key: item.action for key, item in found.items()} == {**dict.fromkeys(hostile, FAILED), "fine": MOVE}
    assert all(item.reason for item in found.values() if item.action == FAILED)


def test_what_is_here_decides_what_a_pull_does(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "other").write_text("longer", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "marked").mkdir()
    store = Listing(**{"empty": 0, "other": 1, "new": 3, "folder": 1, "file/below": 1, "marked/": 0})
    actions = {key: item.action for key, item in planned(tmp_path, store).items()}
    wanted = {
        "empty": UNCHANGED,
        "other": KEPT,
        "new": MOVE,
        "folder": FAILED,
        "file/below": FAILED,
        "marked/": UNCHANGED,
    }
    assert actions == wanted
    assert planned(tmp_path, store, overwrite=True)["other"].action == MOVE


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_lead_nowhere_outside(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    data = tmp_path / "work" / "data"
    outside.mkdir()
    data.mkdir(parents=True)
    (outside / "secret").write_text("secret", encoding="utf-8")
    (data / "real").write_text("real", encoding="utf-8")
    (data / "inner").symlink_to("real")
    (data / "leak").symlink_to(outside / "secret")
    (data / "folder").symlink_to(outside)
    (data / "broken").symlink_to("nothing")
    (data / "again").symlink_to(data)
    os.mkfifo(data / "pipe")
    pushed = {key: item.action for key, item in planned(data.parent, Listing(), "data", push=True).items()}
    assert {key for key, action in pushed.items() if action == MOVE} == {"data/real", "data/inner"}
    bad = {"data/leak", "data/folder", "data/broken", "data/again", "data/pipe"}
    assert {key for key, action in pushed.items() if action == FAILED} == bad
    pulled = planned(data.parent, Listing(**{"data/folder/x": 1, "data/leak": 1, "data/y": 1}), "data")
    assert [item.action for item in pulled.values()] == [FAILED, FAILED, MOVE]


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_a_name_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"a\xff")).touch()
    (item,) = planned(tmp_path, Listing(), push=True).values()
    assert (item.action, item.reason) == (FAILED, "its name is not UTF-8")


def test_wrong_words_are_told(tmp_path: Path) -> None:
    for arguments in (("pul", "b", "a"), ("pull", "b", "a", "over"), ("pull", "s3://b", "a"), ("push", "", "a")):
        with pytest.raises(UsageError):
            sync(*arguments)
    with pytest.raises(UsageError, match="at least 1"):
        sync("pull", "b", "a", jobs=0)


@pytest.mark.parametrize("url", ["s3://", "s3:///a", "s3://bucket/", "s3://bucket"])
def test_an_address_without_an_object_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match=r"names no (bucket|object)"):
        open_url(url)
    assert split("s3://b/数据/a.jsonl") == ("b", "数据/a.jsonl")


def test_without_boto3_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    for call in (
        lambda: open_url("s3://b/a.jsonl"),
        lambda: jsonl_urls("s3://b/a", (".jsonl",)),
        lambda: sync("pull", "b", "a"),
    ):
        with pytest.raises(UsageError, match=r'pip install "aigc_evals\[s3\]"'):
            call()


def test_without_credentials_no_request_is_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(StoreError, match="AWS_ACCESS_KEY_ID") as caught:
        connect()
    assert caught.value.kind == "credentials"


def test_a_secret_of_a_profile_is_masked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = hashlib.sha256(b"x").hexdigest()
    file = tmp_path / "credentials"
    file.write_text(f"[work]\naws_access_key_id = AKIDWORKWORK\naws_secret_access_key = {secret}\n", encoding="utf-8")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_PROFILE", "work")
    with connect() as store:
        text = str(store.error(RuntimeError(f"could not sign with {secret} of AKIDWORKWORK"), "b", "k"))
    assert "b/k" in text
    assert secret not in text
    assert "AKIDWORKWORK" not in text
