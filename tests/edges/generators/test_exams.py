"""Examinations: CSV by subject, examples from a split of their own, categories in the rows."""

from __future__ import annotations

import pytest
from support.generators import World, csv_of, zip_of

CEVAL = "https://huggingface.co/datasets/ceval/ceval-exam/resolve/main/ceval-exam.zip"
HEAD = ["id", "question", "A", "B", "C", "D", "answer"]


def sheet(subject: str, count: int, explained: bool = False) -> bytes:
    rows = [
        [i, f'{subject}第{i}题，"引号"\n换行____。', "甲, 乙", "丙", "丁", "戊", "ABCD"[i % 4]] for i in range(count)
    ]
    return csv_of([HEAD + ["explanation"], *[[*row, "因为"] for row in rows]] if explained else [HEAD, *rows])


def archive() -> bytes:
    files = {}
    for subject in ("logic", "computer_network"):
        files[f"dev/{subject}_dev.csv"] = sheet(subject + "例", 5, explained=True)
        files[f"val/{subject}_val.csv"] = sheet(subject, 3)
        files[f"test/{subject}_test.csv"] = csv_of([HEAD[:-1], [0, "题", "1", "2", "3", "4"]])
    return zip_of(files)


def test_ceval(world: World) -> None:
    made = world.generate("ceval", {CEVAL: archive()})
    assert [row["ideal"] for row in made.rows] == list("ABC") * 2
    assert made.rows[0]["metadata"] == {"subject": "computer_network", "category": "STEM", "title": "计算机网络"}
    assert made.rows[3]["input"][-1]["content"] == (
        '科目：逻辑学\nlogic第0题，"引号"\n换行____。\nA. 甲, 乙\nB. 丙\nC. 丁\nD. 戊'
    )

    assert made.rows[0]["choices"] == {"A": "甲, 乙", "B": "丙", "C": "丁", "D": "戊"}
    report = made.scores("ceval_choice", right=4, wrong="都不对", accuracy=1.0)
    assert report["outcomes"]["unparsed"] == 2
    report = made.report("ceval_choice", lambda prompt: "我认为正确答案为 B。")
    assert report["metrics"]["accuracy"]["value"] == pytest.approx(2 / 6)
    world.checked("ceval")


def test_ceval_examples_are_of_the_same_subject(world: World) -> None:
    made = world.generate("ceval", {CEVAL: archive()}, "--subset", "logic", "--few_shot", 5)
    assert len(made.rows) == 3
    for row in made.rows:
        roles = [message["role"] for message in row["input"]]
        assert roles == ["system", *["user", "assistant"] * 5, "user"]
        assert [message["content"] for message in row["input"][2::2]] == list("ABCDA")
        assert all("logic例" in message["content"] for message in row["input"][1:-1:2])
