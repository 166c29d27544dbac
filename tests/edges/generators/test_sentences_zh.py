"""Pairs of questions, and reviews that come without splits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from support.generators import World, csv_of, read_rows, tar_of

LCQMC = "https://bj.bcebos.com/paddlehub-dataset/lcqmc.tar.gz"
CORPUS = "https://raw.githubusercontent.com/SophonPlus/ChineseNlpCorpus/master/datasets/"
ADDRESSES = {
    "waimai_10k": CORPUS + "waimai_10k/waimai_10k.csv",
    "ChnSentiCorp": CORPUS + "ChnSentiCorp_htl_all/ChnSentiCorp_htl_all.csv",
}
HEAD = "text_a\ttext_b\tlabel\n"


def pairs(count: int, shift: int = 0) -> str:
    lines = [f'第{i + shift}天"喜欢"打篮球？\t{i + shift}号有谁爱打篮球\t{(i + 1) % 2}\n' for i in range(count)]
    return "".join(lines)


def lcqmc(count: int = 5) -> dict[str, bytes]:
    files = {"train": pairs(count, 50), "dev": pairs(count), "test": pairs(count, 90)}
    packed = {f"lcqmc/{split}.tsv": (HEAD + text).encode() for split, text in files.items()}
    return {LCQMC: tar_of({**packed, "lcqmc/._dev.tsv": b"\x00\xff"})}


def test_lcqmc_asks_for_yes_or_no(world: World) -> None:
    made = world.generate("lcqmc", lcqmc())
    assert [row["ideal"] for row in made.rows] == list("是否是否是")
    assert made.rows[1]["input"][1]["content"] == '问句一：第1天"喜欢"打篮球？\n问句二：1号有谁爱打篮球'
    for kind, metric in (("match", "accuracy"), ("fuzzy", "f1_score")):
        made.scores(f"lcqmc_{kind}", right=3, **{metric: 3 / 5})
        for answer, right in (("是的。", 3), ("否", 2), ("不是", 0), ("是否", 0), ("无法判断是否相同", 0)):
            assert made.rate(kind, answer) == right / 5, (kind, answer)
    made.scores("lcqmc_fact", right=4)
    world.checked("lcqmc")


@pytest.mark.parametrize("split, first", [("train", 50), ("test", 90)])
def test_lcqmc_has_answers_in_every_split(split: str, first: int, world: World) -> None:
    made = world.generate("lcqmc", lcqmc(), "--split", split)
    assert f"第{first}天" in made.rows[0]["input"][-1]["content"]
    assert len(made.rows) == 5


def test_lcqmc_without_names_of_columns_serves_as_source(world: World) -> None:
    folder = world.folder / "千言"
    folder.mkdir()
    (folder / "train.tsv").write_bytes(pairs(3).encode("gb18030"))
    (folder / "dev.tsv").write_text("\ufeff" + pairs(2), encoding="utf-8", newline="\r\n")
    (folder / "test.tsv").write_text("没有\t答案\n", encoding="utf-8")
    made = world.generate("lcqmc", {}, "--source", folder)
    assert [row["ideal"] for row in made.rows] == ["是", "否"]
    assert "第0天" in made.rows[0]["input"][1]["content"]
    assert "\ufeff" not in made.rows[0]["input"][1]["content"]
    made = world.generate("lcqmc", {}, "--source", folder, "--split", "train")
    assert "爱打篮球" in made.rows[0]["input"][1]["content"]
    assert read_rows(Path("datasets/lcqmc/test.jsonl")) == []


def test_a_label_that_is_neither_0_nor_1_is_told(world: World) -> None:
    world.publisher.serve(LCQMC, tar_of({"lcqmc/train.tsv": f"{HEAD}甲\t乙\t2\n".encode()}))
    code, _, err = world.command("generate", "lcqmc")
    assert code == 2
    assert "train.tsv" in err
    assert "'2'" in err


ODD = [
    [1, '送餐快,态度也好,"辛苦"啦'],
    [0, "菜凉了。\n等了两个小时，\n再也不订了"],
    [1, ""],
    [0, "  "],
    [1, "好吃"],
    [1, " 好吃 "],
    [0, "一般"],
    [1, "一般"],
    [0, "一般"],
]
"""Commas, quotes, line ends; empty ones, a double one, and one that is called both good and bad."""


def reviews(name: str, count: int = 200) -> dict[str, bytes]:
    rows = [[i % 2, f"第{i}次点，{'不好' if i % 2 == 0 else '很好'}"] for i in range(count)]
    return {ADDRESSES[name]: b"\xef\xbb\xbf" + csv_of([["label", "review"], *ODD, *rows])}


@pytest.mark.parametrize("name", ADDRESSES)
def test_reviews_are_good_or_bad(name: str, world: World) -> None:
    made = world.generate(name, reviews(name), "--samples", 6)
    system, user = made.rows[0]["input"]
    assert ("外卖" if name == "waimai_10k" else "酒店") in system["content"]
    assert user["content"].startswith("评论：")
    for row in made.rows:
        assert row["ideal"] == ("正面" if "很好" in row["input"][1]["content"] else "负面")
    good = sum(row["ideal"] == "正面" for row in made.rows)
    made.scores(f"{name}_match", right=4, accuracy=4 / 6)
    made.scores(f"{name}_fuzzy", right=4, f1_score=4 / 6)
    for answer, right in (("**正面**", good), ("负面。", 6 - good), ("不是正面", 0), ("既有正面也有负面", 0)):
        assert made.rate("match", answer) == pytest.approx(right / 6), answer
    made.scores(f"{name}_fact", right=5)
    world.checked(name)


@pytest.mark.parametrize("name", ADDRESSES)
def test_every_review_is_in_one_split_wherever_it_stands(name: str, world: World) -> None:
    files = reviews(name, 1000)
    world.generate(name, files)
    splits = {split: Path(f"datasets/{name}/{split}.jsonl") for split in ("train", "validation", "test")}
    found = {split: {row["review"]: row["label"] for row in read_rows(path)} for split, path in splits.items()}
    counted = Counter(review for rows in found.values() for review in rows)
    assert set(counted.values()) == {1}
    assert len(counted) == 1000 + 3
    everything = {review: label for rows in found.values() for review, label in rows.items()}
    assert everything["菜凉了。\n等了两个小时，\n再也不订了"] == 0
    assert everything["好吃"] == everything['送餐快,态度也好,"辛苦"啦'] == 1
    assert "一般" not in everything
    assert all(60 < len(found[split]) < 140 for split in ("validation", "test")), "about a tenth each"

    head, *lines = [["label", "review"], *([label, review] for review, label in reversed(everything.items()))]
    turned = world.folder / "turned.csv"
    turned.write_bytes(csv_of([head, *lines], encoding="gb18030"))
    world.generate(name, {}, "--source", turned)
    assert {split: {row["review"]: row["label"] for row in read_rows(path)} for split, path in splits.items()} == found


def test_a_file_with_other_columns_is_told(world: World) -> None:
    world.publisher.serve(ADDRESSES["waimai_10k"], csv_of([["评分", "内容"], [1, "好"]]))
    code, _, err = world.command("generate", "waimai_10k")
    assert code == 2
    assert "waimai_10k" in err
    assert "review" in err


SETS: dict[str, Callable[[], dict[str, bytes]]] = {
    "lcqmc": lcqmc,
    "waimai_10k": lambda: reviews("waimai_10k"),
    "ChnSentiCorp": lambda: reviews("ChnSentiCorp"),
}


@pytest.mark.parametrize("name", SETS)
def test_samples_and_examples(name: str, world: World) -> None:
    made = world.generate(name, SETS[name](), "--samples", 3, "--few_shot", 2)
    assert len(made.rows) == 3
    for row in made.rows:
        roles = [message["role"] for message in row["input"]]
        assert roles == ["system", *["user", "assistant"] * 2, "user"]
        assert row["input"][-1] not in row["input"][:-1]
    world.checked(name)
