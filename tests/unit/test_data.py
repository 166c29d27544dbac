"""JSON for the log takes any value and loses nothing it can keep; data files of every kind are read."""

from __future__ import annotations

import dataclasses
import enum
import gzip
import io
import json
import math
import sys
import types
from collections import deque
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigc_evals import data
from aigc_evals.errors import UsageError
from aigc_evals.fastjson import MAX_DEPTH, decode_object, encode_text


class Person(pydantic.BaseModel):
    first_name: str
    last_name: str


@dataclasses.dataclass
class Record:
    name: str
    person: Any = None


class Colour(enum.Enum):
    RED = "red"


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError("no")


class Endless:
    def model_dump(self) -> Any:
        return Endless()


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))


@given(JSON_VALUES)
def test_what_json_can_say_comes_back_the_same(value: Any) -> None:
    line = data.encode(value)
    assert b"\n" not in line
    assert b"\r" not in line
    assert data.decode(line) == value
    assert data.decode(line.decode()) == value


@given(ANY_TEXT)
def test_every_text_comes_back_the_same_lone_surrogates_too(text: str) -> None:
    assert data.decode(data.encode({"a": text, text: [text]})) == {"a": text, text: [text]}


@given(ANY_TEXT)
def test_as_text_it_is_the_same_line(text: str) -> None:
    assert encode_text([text]).encode("utf-8") == data.encode([text])


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (b'{"a": "\xe9\x97\xae"}\n', {"a": "问"}),
        ("{}", {}),
        (b"[1]", None),
        (b"null", None),
        (b'{"a": "\xe9', None),
        (b'{"a": 1} {}', None),
        (b"", None),
    ],
)
def test_only_an_object_is_taken_of_a_line(line: bytes | str, value: Any) -> None:
    assert decode_object(line) == value


def test_non_ascii_is_kept() -> None:
    assert data.encode({"问": "答案🙂"}) == '{"问":"答案🙂"}'.encode()


@pytest.mark.parametrize(
    "value, expected",
    [
        (math.nan, None),
        ([math.inf, -math.inf], [None, None]),
        (2**70, 2**70),
        ({"big": -(2**64), "nan": math.nan}, {"big": -(2**64), "nan": None}),
        (Path("a") / "b", "a/b"),
        (
            Record("a", Person(first_name="甲", last_name="乙")),
            {"name": "a", "person": {"first_name": "甲", "last_name": "乙"}},
        ),
        ({3, 1, 2}, [1, 2, 3]),
        ({"a"} | {1}, [1, "a"]),
        (b"caf\xc3\xa9 \xff", "café \\xff"),
        (ValueError("bad"), "ValueError: bad"),
        (np.float32(0.5), 0.5),
        (np.arange(6).reshape(2, 3).T, [[0, 3], [1, 4], [2, 5]]),
        (np.array(["x", None], dtype=object), ["x", None]),
        (deque([1, 2]), [1, 2]),
        (types.MappingProxyType({"a": 1}), {"a": 1}),
        (Colour.RED, "red"),
        (
            {1: "a", None: "b", (1, 2): "c", Colour.RED: "d"},
            {"1": "a", "null": "b", "(1, 2)": "c", "red": "d"},
        ),
        (Decimal("1.50"), "1.50"),
        (datetime(2026, 1, 2, tzinfo=timezone.utc), "2026-01-02T00:00:00+00:00"),
        ([datetime(2026, 1, 2), 2**70], ["2026-01-02T00:00:00", 2**70]),
        (Unprintable(), "<Unprintable>"),
        ([Unprintable(), {"\ud800": Unprintable()}], ["<Unprintable>", {"\ud800": "<Unprintable>"}]),
        (range(3), [0, 1, 2]),
        (Record, str(Record)),
    ],
)
def test_other_values_have_a_natural_form(value: Any, expected: Any) -> None:
    assert data.decode(data.encode(value)) == expected


def test_the_slow_way_and_the_fast_way_agree() -> None:
    value = {
        "r": Record("a", Person(first_name="x", last_name="y")),
        "p": Path("q"),
        "s": {2, 1},
        "n": math.nan,
    }
    assert data.decode(data.encode([value, 2**80])) == [data.decode(data.encode(value)), 2**80]


def test_no_value_is_too_deep_too_long_or_too_circular() -> None:
    deep: Any = "bottom"
    for _ in range(100_000):
        deep = [deep]
    level = data.decode(data.encode({"deep": deep}))["deep"]
    for _ in range(MAX_DEPTH - 1):
        (level,) = level
    assert isinstance(level, str)
    assert level.count("[") == 100_000 - MAX_DEPTH + 1
    assert "bottom" in level

    circle: dict[str, Any] = {}
    circle["self"] = [circle]
    assert b"[circular]" in data.encode(circle)
    assert isinstance(data.encode(Endless()), bytes)
    assert data.decode(data.encode(10**5000)) == hex(10**5000)


def test_decoding_keeps_every_digit_and_takes_what_strict_readers_refuse() -> None:
    assert data.decode("18446744073709551617") == 2**64 + 1
    assert data.decode(b'[-9223372036854775809, "\\ud800"]') == [-(2**63) - 1, "\ud800"]
    assert data.decode("[NaN, Infinity]")[1] == math.inf
    assert data.decode(b"\xef\xbb\xbf1") == 1
    with pytest.raises(json.JSONDecodeError):
        data.decode("{'a': 1}")
    with pytest.raises(ValueError):
        data.decode(b'"\xff"')


def test_jsondumps_leaves_out_keys_at_any_depth_and_changes_nothing() -> None:
    value = {
        "a": 1,
        "b": [{"a": 2, "c": Path("x/y")}],
        "r": Record("n", Person(first_name="f", last_name="l")),
    }
    text = data.jsondumps(value, exclude_keys=["a", "last_name", "absent"])
    assert text == '{"b": [{"c": "x/y"}], "r": {"name": "n", "person": {"first_name": "f"}}}'
    assert value["a"] == 1
    assert data.jsondumps({"问": Record("答")}) == '{"问": {"name": "答", "person": null}}'
    with pytest.raises(TypeError):
        data.jsondumps(object())


def test_json_goes_to_files_and_back(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with path.open("w", encoding="utf-8") as out:
        data.jsondump({"a": Path("b"), "x": 1}, out, exclude_keys=["x"])
    with path.open(encoding="utf-8") as file:
        assert data.jsonload(file) == {"a": "b"}
    assert data.get_json(path) == data.jsonloads(path.read_text()) == {"a": "b"}
    path.write_text("{\n  'a': 1}")
    with pytest.raises(UsageError, match=r"a\.json:2:3"):
        data.get_json(path)
    with pytest.raises(ValueError, match="directory"):
        data.get_json(tmp_path)


CONTENT = '{"a": "甲"}\n\n{"a": "乙"}\n'.encode()
ROWS = [{"a": "甲"}, {"a": "乙"}]


@pytest.mark.parametrize("suffix", ["", ".gz", ".lz4", ".zst"])
def test_rows_are_read_whatever_the_compression(tmp_path: Path, suffix: str) -> None:
    path = str(tmp_path / f"a.jsonl{suffix}")
    with data.open_by_file_pattern(path, "wb") as out:
        out.write(CONTENT)
    assert data.get_jsonl(path) == list(data.iter_jsonls(path)) == ROWS
    assert data.get_lines(path) == ['{"a": "甲"}\n', "\n", '{"a": "乙"}\n']
    with data.open_by_file_pattern(path, "rb") as file:
        assert file.read() == CONTENT


def test_frames_written_one_after_another_are_one_file(tmp_path: Path) -> None:
    for suffix in (".gz", ".lz4", ".zst"):
        frames = b""
        for half in (CONTENT[:9], CONTENT[9:]):
            with data.open_by_file_pattern(tmp_path / f"half{suffix}", "wb") as out:
                out.write(half)
            frames += (tmp_path / f"half{suffix}").read_bytes()
        (tmp_path / f"whole.jsonl{suffix}").write_bytes(frames)
        assert data.get_jsonl(tmp_path / f"whole.jsonl{suffix}") == ROWS


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(CONTENT)[:-6])
    with pytest.raises(UsageError, match=r"a\.jsonl\.gz.*damaged"):
        data.get_jsonl(path)
    path.write_bytes(b"not gzip")
    with pytest.raises(UsageError, match=r"not gz data"):
        data.get_jsonl(path)


@pytest.mark.parametrize("suffix", [".gz", ".lz4", ".zst"])
def test_a_file_that_was_cut_off_is_never_a_shorter_one(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.jsonl{suffix}"
    frames = b""
    for rows in ([{"a": f"第 {i} 行"} for i in range(3000)], ROWS):
        with data.open_by_file_pattern(path, "wb") as out:
            out.write("".join(f"{data.jsondumps(row)}\n" for row in rows).encode())
        frames += path.read_bytes()
    last = len(path.read_bytes())
    path.write_bytes(frames)
    assert len(data.get_jsonl(path)) == 3002
    for cut in (len(frames) // 2, len(frames) - last - 1, len(frames) - last + 9, len(frames) - 1):
        path.write_bytes(frames[:cut])
        with pytest.raises(UsageError, match="damaged"):
            data.get_jsonl(path)
    path.write_bytes(frames[:-last])
    assert len(data.get_jsonl(path)) == 3000, "what ends with a frame is whole"


@given(st.lists(st.binary(max_size=300), max_size=4), st.integers(1, 400))
def test_zstandard_frames_are_read_in_pieces_of_any_size(parts: list[bytes], size: int) -> None:
    import zstandard

    skipped = b"\x50\x2a\x4d\x18\x02\x00\x00\x00__"
    packed = b"".join(zstandard.compress(part) + skipped for part in parts)
    found = b""
    with data.zstd_open(io.BytesIO(packed), "rb", lambda stream, mode: stream) as file:
        while piece := file.read(size):
            found += piece
    assert found == b"".join(parts)


def test_a_missing_package_names_the_command_that_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for suffix, package in ((".lz4", "lz4.frame"), (".zst", "zstandard")):
        path = tmp_path / f"a.jsonl{suffix}"
        path.write_bytes(b"x")
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(UsageError, match=r'pip install "aigc_evals\[compression\]"'):
            data.get_jsonl(path)


def test_a_directory_is_all_its_jsonl_files_sorted(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "1.jsonl").write_text("3\n")
    (tmp_path / "a.jsonl").write_text("1\n2\n")
    (tmp_path / "c.jsonl.gz").write_bytes(gzip.compress(b"4"))
    (tmp_path / "._a.jsonl").write_bytes(b"\x00")
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "b" / "loop").symlink_to(tmp_path)
    assert data.get_jsonl(tmp_path) == [1, 2, 3, 4]
    assert data.get_jsonls([str(tmp_path / "b"), tmp_path], line_limit=3) == [3, 1, 2]
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no JSONL files"):
        data.get_jsonl(tmp_path / "empty")


def test_csv_rows_are_mappings(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes('\ufeff名,分\n甲,"1\n2"\n'.encode())
    assert data.get_csv(path) == [{"名": "甲", "分": "1\n2"}]
    assert data.get_csv(path, fieldnames=["x", "y"])[0] == {"x": "名", "y": "分"}


def test_a_missing_file_comes_with_the_nearest_names(tmp_path: Path) -> None:
    (tmp_path / "samples.jsonl.gz").touch()
    for read in (data.get_jsonl, data.get_json, data.get_lines, data.get_csv, data.open_by_file_pattern):
        with pytest.raises(UsageError, match=r"(?s)sample\.jsonl: no such data file\nDid you mean: samples\.jsonl\.gz"):
            read(tmp_path / "sample.jsonl")
    with pytest.raises(UsageError, match=r"directory .*nowhere does not exist"):
        data.get_jsonl(tmp_path / "nowhere" / "a.jsonl")


def test_remote_paths_go_through_blobfile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.jsonl").write_bytes(CONTENT)

    def opened(path: str, mode: str, **_: Any) -> Any:
        if not path.startswith("gs://bucket/"):
            raise ValueError("Unrecognized path")
        return (tmp_path / path[len("gs://bucket/") :]).open(mode)

    stub = types.ModuleType("blobfile")
    stub.__dict__.update(
        BlobFile=opened,
        isdir=lambda path: path == "gs://bucket/all",
        join=lambda *parts: "gs://bucket/" + parts[-1],
        walk=lambda path: [(path, [], ["a.jsonl", "b.txt"])],
    )
    monkeypatch.setitem(sys.modules, "blobfile", stub)
    assert data.get_jsonl("gs://bucket/a.jsonl") == data.get_jsonl("gs://bucket/all") == ROWS
    with pytest.raises(UsageError, match="no such data file"):
        data.get_jsonl("gs://bucket/absent.jsonl")
    with pytest.raises(UsageError, match="Unrecognized path"):
        data.get_jsonl("https://example.com/a.jsonl")
