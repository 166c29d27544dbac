"""Archives are unpacked whole, into their folder only, within bounds; raw files are read in the encodings there are."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.generators import gz_of, tar_of, zip_of

from aigc_evals.errors import DataError, UsageError
from aigc_evals.generate.archives import Limits, Wanted, check_kind, safe_name, unpack
from aigc_evals.generate.readers import (
    files_below,
    find,
    find_all,
    read_csv,
    read_json,
    read_jsonl,
    read_lines,
    read_tsv,
)

FILES = {"a/一.txt": "甲".encode(), "b.txt": b"b"}


def put(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.parametrize(
    "name, content",
    [
        ("x.zip", zip_of(FILES)),
        ("x.tar", tar_of(FILES, "w")),
        ("x.tar.gz", tar_of(FILES)),
        ("x.tgz", tar_of(FILES)),
        ("x.tar.bz2", tar_of(FILES, "w:bz2")),
        ("x.tar.xz", tar_of(FILES, "w:xz")),
        ("download", zip_of(FILES)),
        ("数据", tar_of(FILES)),
    ],
)
def test_every_kind_is_unpacked(name: str, content: bytes, tmp_path: Path) -> None:
    made = unpack(put(tmp_path, name, content), tmp_path / "out")
    assert tree(made) == FILES
    assert sorted(os.listdir(tmp_path)) == sorted([name, "out"]), "nothing else is left"


def test_single_files_keep_their_names(tmp_path: Path) -> None:
    assert tree(unpack(put(tmp_path, "x.jsonl.gz", gz_of(b"{}")), tmp_path / "1")) == {"x.jsonl": b"{}"}
    assert tree(unpack(put(tmp_path, "x.csv", b"a,b"), tmp_path / "2")) == {"x.csv": b"a,b"}


MIXED = {
    "A/dev.json": b"1",
    "A/deep/dev.json": b"2",
    "A/devil.json": b"3",
    "数/验证.csv": b"4",
    "A/corpus.txt": b"5" * 999,
}


@pytest.mark.parametrize(
    "wanted, found",
    [
        ((), list(MIXED)),
        (("dev.json",), ["A/deep/dev.json", "A/dev.json"]),
        (("A/dev.json",), ["A/dev.json"]),
        (("deep/*.json", "*.csv"), ["A/deep/dev.json", "数/验证.csv"]),
        (("dev*.json",), ["A/deep/dev.json", "A/dev.json", "A/devil.json"]),
        (("验证.csv", "nothing.csv"), ["数/验证.csv"]),
        (("./A/dev.json",), ["A/dev.json"]),
        (("./A/*.json",), ["A/dev.json", "A/devil.json"]),
        (("A/**/dev.json",), ["A/deep/dev.json", "A/dev.json"]),
        (("A/**",), ["A/corpus.txt", "A/deep/dev.json", "A/dev.json", "A/devil.json"]),
        (("**.csv",), ["数/验证.csv"]),
    ],
)
@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_only_what_is_wanted_is_unpacked(kind: str, wanted: tuple[str, ...], found: list[str], tmp_path: Path) -> None:
    path = put(tmp_path, f"x.{kind}", zip_of(MIXED) if kind == "zip" else tar_of(MIXED))
    assert sorted(tree(unpack(path, tmp_path / "out", wanted=wanted))) == sorted(found)


def test_what_is_not_wanted_does_not_count(tmp_path: Path) -> None:
    path = put(tmp_path, "x.zip", zip_of(MIXED))
    assert tree(unpack(path, tmp_path / "out", Limits(files=1, bytes=9), ("A/dev.json",))) == {"A/dev.json": b"1"}


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_an_archive_without_any_file_that_is_wanted_is_refused(kind: str, tmp_path: Path) -> None:
    path = put(tmp_path, f"x.{kind}", zip_of(MIXED) if kind == "zip" else tar_of(MIXED))
    with pytest.raises(
        UsageError, match=r"none of the files that are wanted: val\.json\. It has: A/corpus\.txt, A/deep/dev"
    ):
        unpack(path, tmp_path / "out", wanted=["val.json"])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_member_that_leads_out_is_refused_though_it_is_not_wanted(kind: str, tmp_path: Path) -> None:
    files = {"dev.json": b"1", "../x": b"2"}
    path = put(tmp_path, f"x.{kind}", zip_of(files) if kind == "zip" else tar_of(files, "w"))
    with pytest.raises(UsageError, match="would lead out of the folder"):
        unpack(path, tmp_path / "out", wanted=["dev.json"])


@given(st.lists(st.sampled_from(["a", "b", "一.txt", "c.txt"]), min_size=1, max_size=3).map("/".join), st.data())
def test_a_wanted_end_of_a_path_is_found_however_deep_it_is(name: str, data: st.DataObject) -> None:
    parts = name.split("/")
    end = "/".join(parts[data.draw(st.integers(0, len(parts) - 1)) :])
    assert name in Wanted([end])
    assert f"deeper/{name}" in Wanted([end])
    assert f"{name}x" not in Wanted([end])


@pytest.mark.parametrize("pattern", ["**/x.csv", "**/*.csv", "./x.csv", "./*.csv", ".//**/./x.*"])
def test_a_file_at_the_top_of_an_archive_is_below_any_folders_or_none(pattern: str, tmp_path: Path) -> None:
    path = put(tmp_path, "x.zip", zip_of({"x.csv": b"1", "x.md": b"2", "README": b"3"}))
    assert "x.csv" in tree(unpack(path, tmp_path / "out", wanted=[pattern]))


_PARTS = st.sampled_from(["a", "b", "数", "x.csv"])
_PATTERNS = st.lists(st.sampled_from([".", "**", "*", "a", "数", "[ab]", "?", "x.*", "x.csv", "**.csv"]), min_size=1)


@settings(max_examples=60)
@given(st.sets(st.lists(_PARTS, min_size=1, max_size=4).map("/".join), max_size=6), _PATTERNS.map("/".join))
def test_what_is_wanted_of_an_archive_is_what_is_found_in_a_folder(paths: set[str], pattern: str) -> None:
    names = {f"{path}/f.csv" for path in paths} | {f"{path}/甲" for path in paths}
    if not pattern.strip("./"):
        return  # it names nothing
    with tempfile.TemporaryDirectory() as made:
        for name in names:
            (Path(made) / name).parent.mkdir(parents=True, exist_ok=True)
            (Path(made) / name).touch()
        found = [path.relative_to(made).as_posix() for path in files_below(Path(made), pattern)]
    assert sorted(found) == sorted(name for name in names if name in Wanted([pattern]))


def test_unpacking_again_replaces_what_was_there(tmp_path: Path) -> None:
    unpack(put(tmp_path, "x.zip", zip_of({"old": b"1"})), tmp_path / "out")
    unpack(put(tmp_path, "x.zip", zip_of({"new": b"2"})), tmp_path / "out")
    assert tree(tmp_path / "out") == {"new": b"2"}


def raw_zip(name: bytes, flag: int = 0) -> bytes:
    """A zip with a member whose name is these bytes, as old tools write it."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as made:
        made.writestr("N" * len(name), b"1")
    return held.getvalue().replace(b"N" * len(name), name)


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8", "ascii"])
def test_names_without_the_utf8_flag_are_read(encoding: str, tmp_path: Path) -> None:
    name = "plain.txt" if encoding == "ascii" else "数据集/验证.txt"
    assert list(tree(unpack(put(tmp_path, "x.zip", raw_zip(name.encode(encoding))), tmp_path / "out"))) == [name]


def test_a_backslash_within_a_chinese_name_is_no_separator(tmp_path: Path) -> None:
    name = "中誠.txt"
    assert b"\\" in name.encode("gb18030"), "the second byte of one of these characters is a backslash"
    assert list(tree(unpack(put(tmp_path, "x.zip", raw_zip(name.encode("gb18030"))), tmp_path / "out"))) == [name]


OUTSIDE = [
    ".. /x",
    "a/.. /..  ./x",
    "../x",
    "a/../../x",
    "/etc/x",
    "..\\x",
    "a\\..\\..\\x",
    "C:\\x",
    "c:x",
    "\\\\host\\share\\x",
    "\\x",
]


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_no_member_leads_out_of_the_folder(kind: str, name: str, tmp_path: Path) -> None:
    content = zip_of({"fine": b"1", name: b"2"}) if kind == "zip" else tar_of({"fine": b"1", name: b"2"}, "w")
    folder = tmp_path / "deep" / "er"
    folder.mkdir(parents=True)
    with pytest.raises(UsageError, match="would lead out of the folder"):
        unpack(put(folder, f"x.{kind}", content), folder / "out")
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == [f"x.{kind}"], "not even what was fine"


@given(st.lists(st.sampled_from(["..", ".", "a", "C:", "", "\\", "/", "\x00", "一"]), min_size=1).map("/".join))
def test_a_safe_name_stays_below_the_folder(name: str) -> None:
    found = safe_name(name)
    if found is not None:
        root = Path("/home/of/it")
        assert (root / found).is_relative_to(root)
        assert ".." not in found.split("/")
        assert "\\" not in found


def tar_with(*members: tarfile.TarInfo) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as made:
        for member in members:
            made.addfile(member, io.BytesIO(b"x" * member.size))
    return held.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 0) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.size = kind, link, size
    return made


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
@pytest.mark.parametrize("link", ["/etc/passwd", "../../../etc/passwd", "missing", "link"])
def test_links_out_of_a_tar_file_are_refused(kind: bytes, link: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a link to"):
        unpack(put(tmp_path, "x.tar", tar_with(member("link", kind, link))), tmp_path / "out")


def test_links_within_a_tar_file_are_files(tmp_path: Path) -> None:
    content = tar_with(
        member("a/real", size=3), member("a/soft", tarfile.SYMTYPE, "real"), member("hard", tarfile.LNKTYPE, "a/real")
    )
    made = unpack(put(tmp_path, "x.tar", content), tmp_path / "out")
    assert tree(made) == dict.fromkeys(("a/real", "a/soft", "hard"), b"xxx")
    assert not (made / "a" / "soft").is_symlink()


@pytest.mark.parametrize("kind", [tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_devices_are_refused(kind: bytes, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="neither a file nor a folder"):
        unpack(put(tmp_path, "x.tar", tar_with(member("null", kind))), tmp_path / "out")


def test_links_in_a_zip_file_are_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as made:
        made.writestr(info, "/etc/passwd")
    with pytest.raises(UsageError, match="'link' is a link"):
        unpack(put(tmp_path, "x.zip", held.getvalue()), tmp_path / "out")


@pytest.mark.parametrize(
    "limits, told",
    [
        (Limits(files=2), "more than 2 files"),
        (Limits(bytes=10), "more than 10 bytes"),
        (Limits(ratio=2, always=0), "unpacks to more than"),
    ],
)
@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_bombs_are_refused(kind: str, limits: Limits, told: str, tmp_path: Path) -> None:
    files = {f"{i}.txt": b"0" * 100_000 for i in range(3)}
    path = put(tmp_path, f"x.{kind}", zip_of(files) if kind == "zip" else tar_of(files))
    with pytest.raises(UsageError, match=told):
        unpack(path, tmp_path / "out", limits)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "name, content, told",
    [
        ("x.zip", b"<!doctype html><html>log in</html>", "not a zip file: it begins with '<!doctype html>"),
        ("x.tar.gz", b"<!doctype html>", "not a tar file"),
        ("x.zip", zip_of(FILES)[:-40], "not a whole zip file: its end is missing"),
        ("x.tar.gz", tar_of({"a": os.urandom(50_000)})[:-20_000], "damaged"),
        ("x.txt.gz", gz_of(b"a" * 1000)[:-9], "damaged"),
        ("x.tar.gz", tar_of(FILES)[:14], "damaged"),
        ("download", tar_of(FILES)[:14], "damaged"),
        ("x.zip", zip_of({"a": b"1", "a/b": b"2"}), "lies below a file"),
        ("x.zip", zip_of({"a/b": b"1", "a": b"2"}), "is a folder and a file"),
    ],
)
def test_what_is_no_archive_is_said(name: str, content: bytes, told: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=told) as caught:
        unpack(put(tmp_path, name, content), tmp_path / "out")
    assert "--source" in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "name, content",
    [
        ("x.zip", zip_of(FILES)),
        ("x.tgz", tar_of(FILES)),
        ("x.jsonl.gz", gz_of(b"{}")),
        ("x.csv", b"a,b"),
        ("x.html", b"<html>"),
        ("x", b""),
    ],
)
def test_a_file_is_what_its_name_says(name: str, content: bytes, tmp_path: Path) -> None:
    check_kind(put(tmp_path, "part", content), name)


@pytest.mark.parametrize(
    "name, content, told",
    [
        ("x.zip", b'{"error": 1}', "not a zip file: it begins with"),
        ("x.zip", zip_of(FILES)[:100], "not a whole zip file: its end is missing"),
        ("x.tar.gz", b"busy", "not a tar file"),
        ("x.csv.gz", b"busy", "not a gzip file"),
        ("x.json", b"\xef\xbb\xbf \n<!DOCTYPE html>", "a web page instead of the file"),
        ("x.csv", b"<html><body>", "a web page instead of the file"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused(name: str, content: bytes, told: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=told):
        check_kind(put(tmp_path, "part", content), name)


def test_zip_files_that_cannot_be_read_are_said_to_be_so(tmp_path: Path) -> None:
    method = bytearray(zip_of({"a": b"1"}))
    entry = method.index(b"PK\x01\x02")
    method[8:10] = method[entry + 10 : entry + 12] = b"\x09\x00"  # deflate64
    name = zip_of({"数": b"1"}).replace("数".encode(), "数".encode()[:2] + b"x")
    for content, told in ((bytes(method), "compression"), (name, "utf-8")):
        with pytest.raises(UsageError, match=told):
            unpack(put(tmp_path, "x.zip", content), tmp_path / "out")


# -- readers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_text_is_read_in_its_encoding(encoding: str, tmp_path: Path) -> None:
    path = put(tmp_path, "x.csv", '标题,评论\r\n一,"很好, ""真的""\n不错"\r\n二\r\n\r\n'.encode(encoding))
    assert list(read_csv(path)) == [{"标题": "一", "评论": '很好, "真的"\n不错'}, {"标题": "二", "评论": ""}]
    assert next(read_lines(path)) == "标题,评论"


def test_tabs_separate_and_quotes_are_text(tmp_path: Path) -> None:
    path = put(tmp_path, "x.tsv", b'he said "hi\tyes\n"\t1\n')
    assert list(read_tsv(path, columns=["a", "b"])) == [{"a": 'he said "hi', "b": "yes"}, {"a": '"', "b": "1"}]


def test_long_fields_are_read(tmp_path: Path) -> None:
    path = put(tmp_path, "x.csv", b"article\n" + b"a" * 300_000 + b"\n")
    assert len(next(iter(read_csv(path)))["article"]) == 300_000


def test_json_is_read(tmp_path: Path) -> None:
    assert read_json(put(tmp_path, "x.json", b'\xef\xbb\xbf{"a": [1]}')) == {"a": [1]}
    assert list(read_jsonl(put(tmp_path, "x.jsonl", '{"a": "\u2028甲"}\n\n[2]\n'.encode()))) == [{"a": "\u2028甲"}, [2]]


@pytest.mark.parametrize(
    "name, content, read, told",
    [
        ("x.json", b'{"a":\n oops}', read_json, "x.json:2:2: not JSON"),
        ("x.jsonl", b"{}\n{]\n", lambda p: list(read_jsonl(p)), "x.jsonl:2:2: not JSON"),
        ("x.csv", b"a,b\n1,2,3\n", lambda p: list(read_csv(p)), "x.csv:2: 3 fields where there are 2 columns"),
        ("x.txt", b"\xff\xff\xff", lambda p: list(read_lines(p)), "neither UTF-8 nor GB 18030"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_place(
    name: str, content: bytes, read: object, told: str, tmp_path: Path
) -> None:
    assert callable(read)
    with pytest.raises(DataError) as caught:
        read(put(tmp_path, name, content))
    assert told in str(caught.value)


def test_files_are_found_by_the_end_of_their_path(tmp_path: Path) -> None:
    for name in ("z/dev.json", "a/b/dev.json", "a/test.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1", encoding="utf-8")
    assert find(tmp_path, "dev.json") == tmp_path / "z" / "dev.json"
    assert find(tmp_path, "b/dev.json") == tmp_path / "a" / "b" / "dev.json"
    with pytest.raises(DataError, match=r"Did you mean: a/test\.json"):
        find(tmp_path, "a/tests.json")


@pytest.mark.parametrize("pattern", ["dev.json", "*.json", "data/*.json", "**/dev.json", "[d.]*", "._dev.json", "*"])
def test_what_systems_leave_beside_files_is_never_found(pattern: str, tmp_path: Path) -> None:
    folder = tmp_path / "__MACOSX"  # where the folder itself lies says nothing
    for name in (
        "data/dev.json",
        "data/._dev.json",
        "__MACOSX/data/._dev.json",
        "__MACOSX/data/dev.json",
        "a/Thumbs.db",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"\x00\x05")
    if pattern == "._dev.json":
        with pytest.raises(DataError, match=r"Did you mean: data/dev\.json|There are: data/dev\.json$"):
            find_all(folder, pattern)
    else:
        assert find_all(folder, pattern) == [folder / "data" / "dev.json"]
