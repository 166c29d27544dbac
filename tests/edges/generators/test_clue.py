"""CLUE's sets from their own zip files."""

from __future__ import annotations

from support.generators import World, jsonl, zip_of

CSL = "https://storage.googleapis.com/cluebenchmark/tasks/csl_public.zip"
ROWS = [
    {"id": 1, "abst": "为解决传统算法计算量大的问题,提出一种新方法.", "keyword": ["水声学", "并行处理"], "label": "0"},
    {"id": 2, "abst": "研究了高原鼠兔的食物选择.", "keyword": ["高原鼠兔", "食物选择"], "label": "1"},
    {"id": 3, "abst": "分析了某大坝的渗流.", "keyword": ["大坝", "渗流", "有限元"], "label": "1"},
]


def test_csl(world: World) -> None:
    files = {"train.json": jsonl(ROWS), "dev.json": jsonl(ROWS), "test.json": b'{"id": 1}\n', "README.md": b""}
    made = world.generate("csl", {CSL: zip_of(files)})
    assert [row["ideal"] for row in made.rows] == ["假", "真", "真"]
    assert made.rows[1]["input"][1]["content"] == "摘要：研究了高原鼠兔的食物选择.\n关键词：高原鼠兔；食物选择"
    made.scores("csl_match", right=2, accuracy=2 / 3)
    made.scores("csl_fact", right=2)
    world.checked("csl")
