"""MarkedAnswer: the last marked text is the answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import aigc_evals
from aigc_evals.elsuite.marked_answer import last_marked
from aigc_evals.errors import UsageError


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("【12】", "【12】"),
        ("先算出【11】，不对，应为【12】。", "【12】"),
        ("【 12\n】", "【12】"),
        ("【【12】】", "【12】"),
        ("【12】】", "【12】"),
        ("【12】，还有【", "【12】"),
        ("【】", "【】"),
        ("12", None),
        ("12】", None),
        ("】12【", None),
        ("", None),
    ],
)
def test_the_last_marked_text(text: str, marked: str | None) -> None:
    assert last_marked(text, "【", "】") == marked


@pytest.mark.parametrize(
    ("opening", "closing", "text", "marked"),
    [
        ("**", "**", "**A** or rather **B**", "**B**"),
        ("\\boxed{", "}", "so \\boxed{42} {x}", "\\boxed{42}"),
        ("<a>", "</a>", "<a>1</a><a>2</a>", "<a>2</a>"),
    ],
)
def test_other_marks(opening: str, closing: str, text: str, marked: str) -> None:
    assert last_marked(text, opening, closing) == marked


@given(st.text(), st.text())
def test_what_is_marked_last_is_found_whatever_stands_before(before: str, answer: str) -> None:
    plain = answer.replace("【", "").replace("】", "").strip()
    assert last_marked(f"{before}【{plain}】", "【", "】") == f"【{plain}】"


def written(folder: Path, *ideals: str, **args: Any) -> Path:
    (folder / "evals").mkdir()
    rows = [{"input": f"问题{number}", "ideal": ideal} for number, ideal in enumerate(ideals)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    spec = {
        "class": "aigc_evals.elsuite.marked_answer:MarkedAnswer",
        "args": {"samples_jsonl": str(folder / "rows.jsonl"), **args},
    }
    (folder / "evals" / "marked.yaml").write_text(json.dumps({"marked.test.v0": spec}), encoding="utf-8")
    return folder


def test_every_sample_is_scored(tmp_path: Path) -> None:
    replies = {"问题0": "答案是【甲】", "问题1": "乙", "问题2": "【甲】【乙】【丙】"}
    fn = lambda prompt, **_: replies[prompt]  # noqa: E731
    folder = written(tmp_path, "【甲】", "【乙】", "【甲】")
    report = aigc_evals.run(fn, "marked.test.v0", registry_path=[folder], dry_run=True, dry_run_logging=False).report
    assert report["metrics"]["accuracy"]["value"] == pytest.approx(1 / 3)
    assert report["metrics"]["accuracy"]["n"] == 3


@pytest.mark.parametrize("ideal", ["甲", "【甲】。", "【甲】【乙】"])
def test_an_ideal_without_its_marks_is_named_before_the_first_call(ideal: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="one text in 【】"):
        aigc_evals.run("dummy", "marked.test.v0", registry_path=[written(tmp_path, ideal)], dry_run=True)


def test_marks_must_be_texts(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a mark must be a text"):
        aigc_evals.run("dummy", "marked.test.v0", registry_path=[written(tmp_path, "【甲】", opening="")], dry_run=True)
