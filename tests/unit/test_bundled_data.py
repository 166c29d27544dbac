"""The registry that ships with the package: rows well formed, balanced and distinct, YAML that finds them."""

from __future__ import annotations

import json
import string
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

import aigc_evals

REGISTRY = Path(aigc_evals.__path__[0]) / "registry"
DATA = REGISTRY / "data"
# The rest of the registry has tests of its own.
FOLDERS = ["boolq", "boolq_zh", "test_match", "test_fuzzy", "test_includes", "test_json", "test_modelgraded"]
FILES = sorted(path for folder in FOLDERS for path in (DATA / folder).glob("*.jsonl"))
SPECS = ["fact", "closedqa", "battle", "best", "humor", "possible", "security", "sql", "translation"]
EVAL_FILES = ["boolq", "boolq_zh", "test-basic", "test-modelgraded"]


def rows(path: Path | str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / path).read_text(encoding="utf-8").split("\n") if line]


def load(path: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((REGISTRY / path).read_text(encoding="utf-8"))
    return loaded


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_file_form(path: Path) -> None:
    raw = path.read_bytes()
    text = raw.decode("utf-8")
    assert not raw.startswith(b"\xef\xbb\xbf")
    assert b"\r" not in raw
    assert text.endswith("\n")
    assert "\\u" not in text, "non-ASCII text is kept as it is"
    lines = text.split("\n")[:-1]
    assert len(set(lines)) == len(lines) > 0
    for line in lines:
        assert json.dumps(json.loads(line), ensure_ascii=False) == line


BOOLQ = [
    ("boolq/boolq.jsonl", "boolq", 64, ("True", "False")),
    ("boolq_zh/boolq_zh.jsonl", "boolq-zh", 44, ("是", "否")),
    ("boolq_zh/boolq_zh_marked.jsonl", "boolq-zh", 44, ("【是】", "【否】")),
]


@pytest.mark.parametrize(("path", "prefix", "passages", "ideals"), BOOLQ)
def test_boolq_rows(path: str, prefix: str, passages: int, ideals: tuple[str, str]) -> None:
    data = rows(path)
    clusters = Counter(row["cluster"] for row in data)
    assert len(clusters) >= passages
    assert list(clusters) == [f"{prefix}-{i:03d}" for i in range(1, len(clusters) + 1)]
    assert set(clusters.values()) == {2}
    assert len({row["input"][2]["content"] for row in data}) == len(data), "no question twice"
    by_cluster: dict[str, set[str]] = {}
    for row in data:
        assert set(row) == {"input", "ideal", "cluster"}
        assert [m["role"] for m in row["input"]] == ["system", "system", "user"]
        assert all(set(m) == {"role", "content"} and m["content"].strip() == m["content"] for m in row["input"])
        assert row["ideal"] in ideals
        assert all(ideal in row["input"][0]["content"] for ideal in ideals)
        assert row["input"][2]["content"][-1] in "?？"
        by_cluster.setdefault(row["cluster"], set()).add(row["input"][1]["content"])
    texts = [text for group in by_cluster.values() for text in group]
    assert len(texts) == len(set(texts)) == len(clusters), "one passage per cluster"
    assert 0.48 <= sum(row["ideal"] == ideals[0] for row in data) / len(data) <= 0.52
    first = sum(row["ideal"] == ideals[0] for row in data[::2]) / len(clusters)
    assert 0.35 <= first <= 0.65, "the position of a question does not give its answer away"


def test_passages_are_of_the_stated_length() -> None:
    assert all(60 <= len(row["input"][1]["content"].split()) <= 130 for row in rows("boolq/boolq.jsonl"))
    assert all(90 <= len(row["input"][1]["content"]) <= 220 for row in rows("boolq_zh/boolq_zh.jsonl"))


def test_marked_rows_are_the_same_questions() -> None:
    plain, marked = rows("boolq_zh/boolq_zh.jsonl"), rows("boolq_zh/boolq_zh_marked.jsonl")
    assert [r["input"][1:] for r in plain] == [r["input"][1:] for r in marked]
    assert [f"【{r['ideal']}】" for r in plain] == [r["ideal"] for r in marked]


@pytest.mark.parametrize(
    ("folder", "test_file", "ideals"),
    [("boolq", "boolq.jsonl", {"True", "False"}), ("boolq_zh", "boolq_zh.jsonl", {"是", "否"})],
)
def test_few_shot_rows(folder: str, test_file: str, ideals: set[str]) -> None:
    shots = rows(f"{folder}/few_shot.jsonl")
    asked = {m["content"] for row in rows(f"{folder}/{test_file}") for m in row["input"]}
    assert len(shots) == 4
    for shot in shots:
        passage, question, answer = shot["sample"]
        assert {m["role"] for m in shot["sample"]} == {"system"}
        assert (question["name"], answer["name"]) == ("example_user", "example_assistant")
        assert answer["content"] in ideals
        for message in (passage, question):
            assert not any(message["content"] in text or text in message["content"] for text in asked)
    assert Counter(s["sample"][2]["content"] for s in shots) == dict.fromkeys(ideals, 2)


def test_json_golds_are_json() -> None:
    for row in rows("test_json/match.jsonl"):
        for ideal in [row["ideal"]] if isinstance(row["ideal"], str) else row["ideal"]:
            json.loads(ideal)


@pytest.mark.parametrize("name", EVAL_FILES)
def test_evals_are_complete(name: str) -> None:
    entries = load(f"evals/{name}.yaml")
    specs = {key for spec in SPECS for key in load(f"modelgraded/{spec}.yaml")}
    for key, entry in entries.items():
        if "id" in entry:
            assert entry["id"] in entries
            assert entry["description"]
            assert entry["metrics"]
            continue
        assert len(key.split(".")) >= 3
        assert entry["class"].startswith("aigc_evals.elsuite.")
        data = rows(entry["args"]["samples_jsonl"])
        assert data
        if "modelgraded_spec" in entry["args"]:
            assert entry["args"]["modelgraded_spec"] in specs
            graded = load(f"modelgraded/{entry['args']['modelgraded_spec'].removesuffix('_zh')}.yaml")
            inputs = graded[entry["args"]["modelgraded_spec"]]["input_outputs"]
            assert all(set(inputs) <= set(row) for row in data)
        if "few_shot_jsonl" in entry["args"]:
            assert rows(entry["args"]["few_shot_jsonl"])


def test_eval_sets_name_known_evals() -> None:
    known = {name for file in EVAL_FILES for name in load(f"evals/{file}.yaml")}
    sets = load("eval_sets/boolq.yaml")
    assert set(sets) == {"boolq", "boolq-zh", "test"}
    for entry in sets.values():
        assert set(entry["evals"]) <= known
        assert len(set(entry["evals"])) == len(entry["evals"])


SCORES: dict[str, tuple[str | list[str], set[str], dict[str, float] | None]] = {
    "fact": ("ABCDE", {"input", "ideal", "completion"}, {"A": 0.0, "B": 1.0, "C": 1.0, "D": 0.0, "E": 1.0}),
    "closedqa": ("YN", {"input", "criteria", "completion"}, {"Y": 1.0, "N": 0.0}),
    "battle": (["Yes", "No"], {"input1", "input2", "completion1", "completion2"}, {"Yes": 1.0, "No": 0.0}),
    "best": ("from_n", {"n", "input", "completion"}, None),
    "humor": (["Yes", "No", "Unsure"], {"completion"}, {"Yes": 1.0, "No": 0.0, "Unsure": 0.5}),
    "possible": ("AB", {"input", "completion"}, None),
    "security": (["Yes", "No", "Unsure"], {"completion"}, {"Yes": 1.0, "No": 0.0, "Unsure": 0.5}),
    "sql": (["Correct", "Incorrect"], {"input", "ideal", "completion"}, {"Correct": 1.0, "Incorrect": 0.0}),
    "translation": ("YN", {"input", "ideal", "completion", "language"}, {"Y": 1.0, "N": 0.0}),
}


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("suffix", ["", "_zh"])
def test_modelgraded_specs(name: str, suffix: str) -> None:
    spec = load(f"modelgraded/{name}.yaml")[name + suffix]
    choices, fields, scores = SCORES[name]
    assert spec["choice_strings"] == choices
    assert spec.get("choice_scores") == scores
    assert {field for _, field, _, _ in string.Formatter().parse(spec["prompt"]) if field} == fields
    assert set(spec["input_outputs"].values()) <= fields
    own_form = name in ("closedqa", "translation")
    assert spec.get("eval_type") == (f"cot_classify{suffix}" if own_form else None)
    assert any("\u4e00" <= c <= "\u9fff" for c in spec["prompt"]) == bool(suffix)


def test_baselines_are_registered() -> None:
    import importlib

    for entry in load("completion_fns/baseline.yaml").values():
        module, _, name = entry["class"].partition(":")
        getattr(importlib.import_module(module), name)(registry=None, **entry.get("args", {}))
