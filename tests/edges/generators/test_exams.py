"""Examinations: CSV by subject, examples from a split of their own, categories in the rows."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.generators import World, csv_of, tar_of, zip_of

from aigc_evals.generate import get

CMMLU = "https://huggingface.co/datasets/lmlmcat/cmmlu/resolve/main/cmmlu_v1_0_1.zip"
MMLU = "https://people.eecs.berkeley.edu/~hendrycks/data.tar"
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
    assert not any("test" in name for name in world.unpacked("ceval")), "which has no answers"


def test_ceval_examples_are_of_the_same_subject(world: World) -> None:
    made = world.generate("ceval", {CEVAL: archive()}, "--subset", "logic", "--few_shot", 5)
    assert len(made.rows) == 3
    for row in made.rows:
        roles = [message["role"] for message in row["input"]]
        assert roles == ["system", *["user", "assistant"] * 5, "user"]
        assert [message["content"] for message in row["input"][2::2]] == list("ABCDA")
        assert all("logic例" in message["content"] for message in row["input"][1:-1:2])


@pytest.mark.parametrize(
    "column, value, told",
    [
        ("answer", "E", "its 'ideal' is 'E', which is none of its options A, B, C, D"),
        ("key", "A", "there is no field 'answer'"),
    ],
)
def test_a_row_of_ceval_without_a_right_option_is_named_with_its_line(
    column: str, value: str, told: str, world: World
) -> None:
    sheets = csv_of(
        [
            ["id", "question", *"ABCD", column],
            [0, "题", *"1234", "B" if column == "answer" else value],
            [1, "题", *"1234", value],
        ]
    )
    for split in ("dev", "val"):
        (world.folder / "mine" / split).mkdir(parents=True)
        (world.folder / "mine" / split / f"logic_{split}.csv").write_bytes(sheets)
    code, out, err = world.command("generate", "ceval", "--source", "mine")
    assert (code, out) == (2, "")
    line = 2 if column == "answer" else 1
    place = f"datasets/ceval/validation.jsonl:{line}: ceval: item {line - 1} of the split 'validation'"
    assert f"{place} is not as it should be: {told}" in err
    assert [path for path in Path("registry").rglob("*") if path.is_file()] == []


def test_the_subjects_are_all_there() -> None:
    for name, subjects, categories in (("ceval", 52, 4), ("cmmlu", 67, 4), ("mmlu", 57, 4)):
        known = get(name).subsets
        assert len(known) == subjects
        assert len({told["category"] for told in known.values()}) == categories
    assert sum(told["scope"] == "China specific" for told in get("cmmlu").subsets.values()) == 15


def chinese_sheet(subject: str, count: int) -> bytes:
    rows = [[i, f"{subject}第{i}题，下列\n正确的是", "甲, 乙", '"丙"', "丁", "戊", "ABCD"[i % 4]] for i in range(count)]
    return b"\xef\xbb\xbf" + csv_of([["", "Question", "A", "B", "C", "D", "Answer"], *rows])


def test_cmmlu(world: World) -> None:
    names = ("ancient_chinese", "anatomy", "agronomy")
    files = {
        f"{split}/{name}.csv": chinese_sheet(f"{name}{told}", count)
        for split, told, count in (("dev", "例", 5), ("test", "", 4))
        for name in names
    }
    made = world.generate("cmmlu", {CMMLU: zip_of(files)}, "--few_shot", 5)
    assert [row["ideal"] for row in made.rows] == list("ABCD") * 3
    assert made.rows[8]["metadata"] == {
        "subject": "ancient_chinese",
        "category": "Social Science",
        "title": "古汉语",
        "scope": "China specific",
    }
    assert made.rows[8]["input"][-1]["content"] == (
        '科目：古汉语\nancient_chinese第0题，下列\n正确的是\nA. 甲, 乙\nB. "丙"\nC. 丁\nD. 戊'
    )
    for row in made.rows:
        assert [message["content"] for message in row["input"][2:-1:2]] == list("ABCDA")
        subject = row["metadata"]["subject"]
        assert all(f"{subject}例" in message["content"] for message in row["input"][1:-1:2])
    report = made.scores("cmmlu_choice", right=8, wrong="答案：D", accuracy=9 / 12)
    assert report["groups"]["scope"]["general"]["accuracy"] == 1.0
    assert report["groups"]["scope"]["China specific"] == {"n": 4, "accuracy": 0.25, "stderr": pytest.approx(0.25)}
    assert report["macro/category"] == pytest.approx((1 + 1 + 0.25) / 3)
    world.checked("cmmlu")


def test_a_folder_that_was_unpacked_by_hand_may_have_what_systems_leave_there(world: World) -> None:
    for split in ("dev", "val", "test"):
        name = f"{split}/anatomy_{split}.csv"
        for path, content in {
            f"data/{name}": english_sheet("anatomy", 2),
            f"__MACOSX/data/{split}/._anatomy_{split}.csv": b"\x00\x05\x16\x07",
            f"data/{split}/._anatomy_{split}.csv": b"\x00\x05\x16\x07",
            f"data/{split}/.DS_Store": b"\x00",
        }.items():
            (world.folder / "解压" / path).parent.mkdir(parents=True, exist_ok=True)
            (world.folder / "解压" / path).write_bytes(content)
    made = world.generate("mmlu", {}, "--source", world.folder / "解压", "--few_shot", 1)
    assert [row["metadata"]["subject"] for row in made.rows] == ["anatomy"] * 2


def english_sheet(subject: str, count: int) -> bytes:
    rows = [
        [f'{subject}, no. {i}: "to be"\nor not', "$300", "1,000", "True, False", "None", "ABCD"[i % 4]]
        for i in range(count)
    ]
    return csv_of(rows)


def test_mmlu(world: World) -> None:
    files = {
        f"data/{split}/{subject}_{split}.csv": english_sheet(f"{split} {subject}", count)
        for split, count in (("dev", 5), ("val", 2), ("test", 6))
        for subject in ("us_foreign_policy", "abstract_algebra")
    }
    files["data/auxiliary_train/race.csv"] = english_sheet("race", 2)
    files["data/possibly_contaminated_urls.txt"] = b"https://example.org\n"
    files["data/test/._abstract_algebra_test.csv"] = b"\x00\x05"
    made = world.generate("mmlu", {MMLU: tar_of(files, "w")}, "--few_shot", 3)
    assert len(made.rows) == 12
    assert made.rows[6]["metadata"] == {
        "subject": "us_foreign_policy",
        "category": "social sciences",
        "title": "US foreign policy",
    }
    assert made.rows[6]["input"][-1]["content"] == (
        'Subject: US foreign policy\n\ntest us_foreign_policy, no. 0: "to be"\nor not\n'
        "A. $300\nB. 1,000\nC. True, False\nD. None"
    )
    for row in made.rows:
        assert [message["content"] for message in row["input"][2:-1:2]] == list("ABC")
        assert all(f"dev {row['metadata']['subject']}" in message["content"] for message in row["input"][1:-1:2])
    report = made.scores("mmlu_choice", right=6, wrong="I am not sure.", accuracy=1.0)
    assert report["accuracy_unparsed_wrong"] == pytest.approx(0.5)
    report = made.report("mmlu_choice", lambda prompt: "Let me think. The answer is **A**.")
    assert report["groups"]["category"]["STEM"]["accuracy"] == pytest.approx(2 / 6)
    world.checked("mmlu")

    other = world.generate("mmlu", {}, "--split", "val", "--subset", "abstract_algebra", "--samples", 1)
    assert [row["metadata"]["subject"] for row in other.rows] == ["abstract_algebra"]
    code, _, err = world.command("generate", "mmlu", "--subset", "abstract_algebr")
    assert code == 2
    assert "abstract_algebra" in err
