"""CLUE's sets from their own zip files."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from support.generators import World, jsonl, zip_of

from aigc_evals.generate.datasets.clue import APPS, TOPICS

ADDRESS = "https://storage.googleapis.com/cluebenchmark/tasks/{}_public.zip"


def archive(name: str, rows: list[Any], train: list[Any] | None = None, **more: bytes) -> dict[str, bytes]:
    """A task's zip file at its address: the rows to validate, others to train, and a test split without labels."""
    bare = [{"id": i, "sentence": "无"} for i, _ in enumerate(rows)]
    files = {"train": train if train is not None else rows, "dev": rows, "test": bare}
    packed = {f"{split}.json": jsonl(found) for split, found in files.items()}
    return {ADDRESS.format(name): zip_of({**packed, "README.md": "说明".encode(), **more})}


def asked(row: dict[str, Any]) -> str:
    """The last message of a row's prompt."""
    return str(row["input"][-1]["content"])


def paper(number: int) -> dict[str, Any]:
    told = f"为解决第{number}类算法计算量大的问题,提出一种新方法. "
    return {"id": number, "abst": told, "keyword": ["水声学", f"算法{number}"], "label": "01"[number % 2]}


def csl(count: int = 4) -> dict[str, bytes]:
    return archive("csl", [paper(i) for i in range(count)], [paper(50 + i) for i in range(count)])


def test_csl(world: World) -> None:
    made = world.generate("csl", csl())
    assert [row["ideal"] for row in made.rows] == ["假", "真", "假", "真"]
    assert asked(made.rows[1]) == "摘要：为解决第1类算法计算量大的问题,提出一种新方法.\n关键词：水声学；算法1"
    for kind, metric in (("match", "accuracy"), ("fuzzy", "f1_score")):
        made.scores(f"csl_{kind}", right=3, **{metric: 3 / 4})
        for answer, right in (("真。", 2), ("**假**", 2), ("不是真", 0)):
            assert made.rate(kind, answer) == right / 4, (kind, answer)
    assert made.rate("match", "可能是真，也可能是假") == 0, "both are named"
    made.scores("csl_fact", right=2)
    world.checked("csl")


def headline(number: int) -> dict[str, Any]:
    name = list(TOPICS)[number % len(TOPICS)]
    title = f'第{number}条："股票"大涨，游戏\t公司怎么看？'
    return {"label": str(100 + number), "label_desc": name, "sentence": title, "keywords": "股票,游戏"}


def tnews(count: int = 15) -> dict[str, bytes]:
    labels = jsonl({"label": str(100 + i), "label_desc": name} for i, name in enumerate(TOPICS))
    rows = [headline(i) for i in range(count)]
    return archive("tnews", rows, [headline(300 + i) for i in range(count)], **{"labels.json": labels})


def test_tnews_offers_the_names_in_chinese(world: World) -> None:
    made = world.generate("tnews", tnews())
    assert [row["ideal"] for row in made.rows][:3] == ["故事", "文化", "娱乐"]
    assert len({row["ideal"] for row in made.rows}) == 15
    assert all(row["ideal"] in row["input"][0]["content"] for row in made.rows)
    assert asked(made.rows[2]) == '标题：第2条："股票"大涨，游戏\t公司怎么看？'
    made.scores("tnews_match", right=6, accuracy=6 / 15)
    made.scores("tnews_fuzzy", right=6, f1_score=6 / 15)
    made.scores("tnews_fact", right=7)
    for answer in ("财经", "**财经**。", "“财经”"):
        assert made.rate("match", answer) == 1 / 15
    assert made.rate("match", "不是财经") == 0
    world.checked("tnews")


def app(name: str, number: int = 0) -> dict[str, Any]:
    told = f" 应用{number}，让{name}更方便。\r\n1. 修复了若干问题， 2. “全新”界面 "
    return {"label": str(APPS.split("、").index(name)), "label_des": name, "sentence": told}


def iflytek(names: tuple[str, ...] = ("视频", "视频教育", "语言(非英语)", "免费WIFI", "其他")) -> dict[str, bytes]:
    labels = jsonl({"label": str(i), "label_des": name} for i, name in enumerate(APPS.split("、")))
    rows = [app(name) for name in names]
    return archive("iflytek", rows, [app(name, 7) for name in names], **{"labels.json": labels})


def test_iflytek_tells_apart_names_that_begin_alike(world: World) -> None:
    made = world.generate("iflytek", iflytek())
    assert [row["ideal"] for row in made.rows] == [
        "【视频】",
        "【视频教育】",
        "【语言(非英语)】",
        "【免费WIFI】",
        "【其他】",
    ]
    assert all(row["ideal"][1:-1] in row["input"][0]["content"] for row in made.rows)
    assert asked(made.rows[0]) == "应用描述：应用0，让视频更方便。\r\n1. 修复了若干问题， 2. “全新”界面"
    made.scores("iflytek_marked", right=2, accuracy=2 / 5)
    for answer, right in (("【视频教育】", 1), ("先想到【新闻】，其实是【 视频 】。", 1), ("视频", 0)):
        assert made.rate("marked", answer) == right / 5, answer
    made.scores("iflytek_fact", right=4)
    world.checked("iflytek")


@pytest.mark.parametrize(
    "name, row",
    [("tnews", {**headline(0), "label_desc": "news_moon"}), ("iflytek", {**app("其他"), "label_des": "月球"})],
)
def test_a_class_that_the_set_does_not_have_is_told(name: str, row: dict[str, Any], world: World) -> None:
    world.publisher.serve(ADDRESS.format(name), next(iter(archive(name, [row]).values())))
    code, _, err = world.command("generate", name)
    assert code == 2
    assert "train.json" in err
    assert f"{name} has no class" in err


def article(number: int, people: int = 3) -> dict[str, Any]:
    context = f"《战国{number}》（）是由光荣和ω-force开发的第3作。\n2003年发售，售出42.5万套。"

    def question(place: int, text: str, *answers: str) -> dict[str, Any]:
        found = [{"text": answer, "answer_start": context.find(answer.strip())} for answer in answers[:people]]
        return {"question": text, "id": f"DEV_{number}_QUERY_{place}", "answers": found}

    qas = [
        question(0, "由哪两个公司开发？ ", "光荣和ω-force", "光荣和ω-force", "由光荣和ω-force开发"),
        question(1, "何时发售？", "2003年", " 2003年 ", "2003年发售"),
        question(2, "第几作？", "3", "第3作", "第3作"),
        question(3, "为什么？"),
    ]
    paragraph = {"id": f"DEV_{number}", "context": context, "qas": qas}
    return {"paragraphs": [paragraph], "id": f"DEV_{number}", "title": f"战国{number}"}


def cmrc(count: int = 2) -> dict[str, bytes]:
    def packed(shift: int, people: int) -> bytes:
        data = [article(shift + i, people) for i in range(count)]
        return json.dumps({"version": "v1.0", "data": data}, ensure_ascii=False, indent=1).encode()

    files = {"train.json": packed(50, 1), "dev.json": packed(0, 3), "trial.json": packed(90, 3), "test.json": b"{}"}
    return {ADDRESS.format("cmrc2018"): zip_of({f"cmrc2018_public/{name}": file for name, file in files.items()})}


def test_cmrc_takes_any_of_several_answers(world: World) -> None:
    made = world.generate("cmrc", cmrc())
    assert [row["ideal"] for row in made.rows[:3]] == [
        ["光荣和ω-force", "由光荣和ω-force开发"],
        ["2003年", "2003年发售"],
        ["3", "第3作"],
    ]
    assert [row["cluster"] for row in made.rows] == ["DEV_0"] * 3 + ["DEV_1"] * 3
    assert asked(made.rows[3]) == (
        "文章：《战国1》（）是由光荣和ω-force开发的第3作。\n2003年发售，售出42.5万套。\n\n问题：由哪两个公司开发？"
    )
    for kind, metric in (("match", "accuracy"), ("fuzzy", "f1_score"), ("includes", "accuracy")):
        made.scores(f"cmrc_{kind}", right=4, **{metric: 4 / 6})
    assert made.rate("match", "“光荣和Ω-force”") == 0, "case is kept"
    assert made.rate("match", "“由光荣和ω－force开发。”") == 2 / 6, "width is not"
    assert made.rate("includes", "是2013年第13作") == 0
    made.scores("cmrc_fact", right=5)
    world.checked("cmrc")


@pytest.mark.parametrize(
    "split, cluster, ideal", [("train", "DEV_50", ["2003年"]), ("trial", "DEV_90", ["2003年", "2003年发售"])]
)
def test_cmrc_has_further_splits(split: str, cluster: str, ideal: list[str], world: World) -> None:
    made = world.generate("cmrc", cmrc(), "--split", split)
    assert (made.rows[1]["cluster"], made.rows[1]["ideal"]) == (cluster, ideal)


SETS: dict[str, Callable[[], dict[str, bytes]]] = {"csl": csl, "tnews": tnews, "iflytek": iflytek, "cmrc": cmrc}


@pytest.mark.parametrize("name", SETS)
def test_samples_and_examples(name: str, world: World) -> None:
    made = world.generate(name, SETS[name](), "--samples", 3, "--few_shot", 2)
    assert len(made.rows) == 3
    for row in made.rows:
        roles = [message["role"] for message in row["input"]]
        assert roles == ["system", *["user", "assistant"] * 2, "user"]
        assert asked(row) not in [message["content"] for message in row["input"][:-1]]
    world.checked(name)
