"""Problems in words: numbers with commas, what a calculator was asked, and the number at the end of free text."""

from __future__ import annotations

import pytest
from support.generators import World, jsonl

ADDRESS = "https://raw.githubusercontent.com/openai/grade-school-math/master/grade_school_math/data/{}.jsonl"
TEST = [
    ("16 eggs, she eats 7.", "She sells 16-7=<<16-7=9>>9 eggs.\nThat is 9*2=$<<9*2=18>>18.\n#### 18"),
    ("A house for $80,000.", "He earns 200,000-130,000=$<<200000-130000=70000>>70,000\n#### 70,000"),
    ("It gets colder.", "It falls by <<5+2=7>>7 to -2.\n#### -2"),
    ("Half a cake, \"shared\".", "1/4 is <<1/4=.25>>0.25\n#### 0.25"),
]  # fmt: skip
REPLIES = {
    "16 eggs": "She has 16 - 7 = 9 eggs and earns 9 * 2 = 18 dollars.\n#### 18",
    "A house": "**Answer:** He makes \\boxed{\\$70{,}000.00} in 2 months",
    "It gets": "First 5 then -2, so the last number would be 7 but:\n#### -2\n(7 degrees)",
    "Half a": "I think each gets 1/4 of it",
}


def rows(pairs: list[tuple[str, str]]) -> bytes:
    return jsonl({"question": question, "answer": answer} for question, answer in pairs)


def served(train: list[tuple[str, str]]) -> dict[str, bytes]:
    return {ADDRESS.format("test"): rows(TEST), ADDRESS.format("train"): rows(train)}


def test_gsm8k(world: World) -> None:
    train = [(f"Tim has {n} cows.", f"He has {n}+{n}=<<{n}+{n}={2 * n}>>{2 * n} cows.\n#### {2 * n}") for n in range(9)]
    made = world.generate("gsm8k", served(train), "--few_shot", 2)
    assert [row["ideal"] for row in made.rows] == ["18", "70000", "-2", "0.25"]
    for row in made.rows:
        roles = [message["role"] for message in row["input"]]
        assert roles == ["system", *["user", "assistant"] * 2, "user"]
        n = int(row["input"][1]["content"].split()[2])
        assert row["input"][2]["content"] == f"He has {n}+{n}={2 * n} cows.\n#### {2 * n}"

    made.scores("gsm8k_number", right=3, wrong="#### 12", accuracy=3 / 4)
    report = made.report(
        "gsm8k_number", lambda prompt: next(v for k, v in REPLIES.items() if k in prompt[-1]["content"])
    )
    assert report["metrics"]["accuracy"]["value"] == 1.0
    report = made.scores("gsm8k_number", right=2, wrong="I cannot tell.", accuracy=1.0)
    assert report["outcomes"]["unparsed"] == 2
    assert report["accuracy_unparsed_wrong"] == pytest.approx(0.5)
    world.checked("gsm8k")


def test_gsm8k_names_the_row_without_an_answer(world: World) -> None:
    source = world.folder / "raw"
    source.mkdir()
    (source / "train.jsonl").write_bytes(rows(TEST))
    (source / "test.jsonl").write_bytes(rows([*TEST, ("Why?", "Because.")]))
    code, _, err = world.command("generate", "gsm8k", "--source", source)
    assert code == 2
    assert "item 4" in err
    assert "'test'" in err
    assert "####" in err
