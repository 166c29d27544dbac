"""Rows are read on demand, in place, and whatever is wrong with a file is named with its place."""

from __future__ import annotations

import gc
import gzip
import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigc_evals.data import encode
from aigc_evals.data.samples import JsonlSamples, Subset
from aigc_evals.errors import SampleError, UsageError


def opened(tmp_path: Path, content: bytes, name: str = "a.jsonl", **kwargs: Any) -> JsonlSamples:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return JsonlSamples.open(path, **kwargs)


ROW = st.dictionaries(st.text(max_size=5), st.text(max_size=20) | st.integers(), max_size=3) | st.integers()
LINES = st.lists(
    st.tuples(ROW, st.sampled_from([b"\n", b"\r\n", b"\r"]), st.sampled_from([b"", b"\n", b" \r\n", b"\r\r"]))
)


@given(
    LINES,
    st.booleans(),
    st.booleans(),
    st.sampled_from(["a.jsonl", "a.jsonl.gz", "a.jsonl.lz4", "a.jsonl.zst"]),
)
def test_rows_come_back_whatever_the_line_ends(
    tmp_path_factory: pytest.TempPathFactory, lines: Any, bom: bool, cut: bool, name: str
) -> None:
    content = b"".join(encode(row) + end + blank for row, end, blank in lines)
    content = content.rstrip(b"\r\n ") if cut else content
    content = b"\xef\xbb\xbf" * bom + content
    path = tmp_path_factory.getbasetemp() / name
    from aigc_evals.data import open_by_file_pattern

    with open_by_file_pattern(path, "wb") as out:
        out.write(content)
    samples = JsonlSamples.open(path)
    rows = [row for row, _, _ in lines]
    assert list(samples) == [samples[i] for i in range(len(samples))] == rows
    assert samples.boms == bom
    text_lines = content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    wanted = [number for number, line in enumerate(text_lines, 1) if line.strip()]
    assert [samples.place(i) for i in range(len(samples))] == [(str(path), number) for number in wanted]
    ended = len(text_lines) - (not text_lines[-1])
    assert samples.blank_lines == ended - len(wanted)
    assert samples.sha256 == samples.files[str(path)] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_lines_longer_and_ends_placed_across_read_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aigc_evals.data.lines.BLOCK", 7)
    content = b'"abcdefghijklm"\r\n"12345"\r\n\r\n12345\n1\r\r2222222222222222\r'
    assert list(opened(tmp_path, content)) == ["abcdefghijklm", "12345", 12345, 1, 2222222222222222]


def test_unicode_line_breaks_do_not_end_a_row(tmp_path: Path) -> None:
    text = "a\u2028b\u2029c\u0085d"
    assert list(opened(tmp_path, encode(text) + b"\n")) == [text]


def test_it_is_a_sequence_of_fresh_rows(tmp_path: Path) -> None:
    samples = opened(tmp_path, b'{"a": 0}\n{"a": 1}\n{"a": 2}\n')
    assert len(samples) == 3
    assert samples[-1] == {"a": 2}
    assert samples[1:] == [{"a": 1}, {"a": 2}]
    assert samples[::-2] == [{"a": 2}, {"a": 0}]
    assert samples + [4] == [{"a": 0}, {"a": 1}, {"a": 2}, 4]
    assert [4] + samples == [4, *samples]
    samples[0]["a"] = "changed"
    assert samples[0] == {"a": 0}
    for index in (3, -4):
        with pytest.raises(IndexError):
            samples[index]


def test_big_numbers_and_lone_surrogates_keep_every_digit(tmp_path: Path) -> None:
    assert list(opened(tmp_path, b'18446744073709551617\n"\\ud800"\nNaN\n'))[:2] == [2**64 + 1, "\ud800"]


def test_a_directory_numbers_its_rows_through(tmp_path: Path) -> None:
    for name, content in (
        ("b/2.jsonl", b"3\n\n4"),
        ("a.jsonl", b"\n1\n2\n"),
        ("e.jsonl", b""),
        ("c.jsonl.gz", gzip.compress(b"5")),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    samples = JsonlSamples.open(tmp_path)
    assert list(samples) == [samples[i] for i in range(5)] == [1, 2, 3, 4, 5]
    assert samples.place(3) == (str(tmp_path / "b" / "2.jsonl"), 3)
    assert samples.place(0) == (str(tmp_path / "a.jsonl"), 2)
    assert samples.blank_lines == 2
    sums = {p: hashlib.sha256(Path(p).read_bytes()).hexdigest() for p in samples.files}
    assert samples.files == sums
    assert len(sums) == 4
    listing = "".join(f"{sums[str(tmp_path / n)]}  {n}\n" for n in ("a.jsonl", "b/2.jsonl", "c.jsonl.gz", "e.jsonl"))
    assert samples.sha256 == hashlib.sha256(listing.encode()).hexdigest()


@pytest.mark.parametrize(
    "content, message",
    [
        (b'{"a": 1}\n\n{"a": oops}\n', r"a\.jsonl:3:7: not JSON: .*oops"),
        (b"{'a': 1}\n", r"a\.jsonl:1:2: .*(?s:.*)double quotes"),
        ('{"题": 甲}\n'.encode(), r":1:7: .*甲"),
        (b'\xef\xbb\xbf{"a" 1}', r":1:6"),
        (b"1 2\n", r":1:3"),
        (b"[\n1\n]\n", r"(?s)several lines"),
        (b"<!doctype html>\n", r"(?s)web page"),
        (
            b"1\n" + '{"题": "你好世界"}'.encode("gb18030"),
            r"(?s)a\.jsonl:2: not UTF-8 .*gb18030.*iconv -f gb18030",
        ),
        ('{"a": "naïve café déjà"}'.encode("latin-1"), r"(?s)looks like latin-1"),
        ('{"a": "嗨"}\n'.encode("utf-16"), r"(?s)looks like utf-16"),
        ('{"a": 1}\n'.encode("utf-16-le"), r"(?s)looks like utf-16-le"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", r"(?s)git-lfs pointer.*git lfs pull"),
        (gzip.compress(b"1"), r"(?s)compressed data \(\.gz\)"),
        (b"[" * 100_000, r":1: nested too deeply"),
        (b"9" * 5000, r":1: not readable"),
    ],
)
def test_what_is_wrong_with_a_line_is_said_with_its_place(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        opened(tmp_path, content)


def test_a_row_that_the_check_refuses_is_named(tmp_path: Path) -> None:
    def check(row: Any) -> None:
        if "input" not in row:
            raise SampleError("the row has no input")

    with pytest.raises(UsageError, match=r"a\.jsonl:3: the row has no input"):
        opened(tmp_path, b'{"input": 1}\n\n{"ideal": 1}\n', check=check)


def test_a_missing_file_comes_with_the_nearest_names(tmp_path: Path) -> None:
    (tmp_path / "samples.jsonl").touch()
    with pytest.raises(UsageError, match=r"(?s)sample\.jsonl: no such data file\nDid you mean: samples\.jsonl"):
        JsonlSamples.open(tmp_path / "sample.jsonl")


def test_a_file_changed_after_opening_is_noticed(tmp_path: Path) -> None:
    samples = opened(tmp_path, b'{"a": 1}\n{"a": 2}\n')
    (tmp_path / "a.jsonl").write_bytes(b'{"a')
    with pytest.raises(UsageError, match=r"(?s)a\.jsonl:2.*changed since"):
        samples[1]


def test_closing_gives_the_files_up_and_so_does_forgetting(tmp_path: Path) -> None:
    samples = opened(tmp_path, gzip.compress(b"1\n2\n"), "a.jsonl.gz")
    samples.close()
    samples.close()
    with pytest.raises(ValueError, match="closed"):
        samples[0]
    if os.path.isdir("/proc/self/fd"):
        gc.collect()
        before = len(os.listdir("/proc/self/fd"))
        again = JsonlSamples.open(tmp_path / "a.jsonl.gz")
        assert len(os.listdir("/proc/self/fd")) == before + 1
        del again
        gc.collect()
        assert len(os.listdir("/proc/self/fd")) == before
        with pytest.raises(UsageError):
            opened(tmp_path, b"x")
        gc.collect()
        assert len(os.listdir("/proc/self/fd")) == before


def test_threads_read_side_by_side(tmp_path: Path) -> None:
    samples = opened(tmp_path, b"".join(b'{"i": %d, "pad": "%s"}\n' % (i, b"x" * (i % 97)) for i in range(2000)))
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda i: samples[i]["i"], range(2000))) == list(range(2000))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_read_once_and_kept(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = subprocess.Popen([sys.executable, "-c", f"open({str(pipe)!r}, 'wb').write(b'1\\n2\\n')"])
    samples = JsonlSamples.open(pipe)
    assert writer.wait() == 0
    assert [samples[1], samples[0]] == [2, 1]


def test_a_subset_is_a_view_in_its_own_order(tmp_path: Path) -> None:
    samples = opened(tmp_path, b"10\n\n11\n12\n13\n")
    subset = Subset(samples, [3, 1])
    assert list(subset) == [13, 11]
    assert len(subset) == 2
    assert subset[-1] == 11
    assert subset[:1] == [13]
    assert subset + [0] == [13, 11, 0]
    assert [0] + subset == [0, 13, 11]
    assert subset.place(1) == (str(tmp_path / "a.jsonl"), 3)
    assert Subset("abc", range(2)).place(0) is None
    assert Subset(subset, [1]).place(0) == (str(tmp_path / "a.jsonl"), 3)
