"""The JSON Schemas of the YAML files are in step with the code, and tell good files from bad ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from aigc_evals.registry import BUILT_IN
from aigc_evals.schemas import KINDS, path
from aigc_evals.schemas.generate import as_text, eval_classes

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
FILES = [
    (kind, file) for root in (BUILT_IN, EXAMPLES / "my_eval") for kind in KINDS for file in (root / kind).glob("*.yaml")
]


def validator(kind: str) -> Any:
    schema = json.loads(path(kind).read_text(encoding="utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


@pytest.mark.parametrize("kind", KINDS)
def test_the_schemas_are_what_the_code_says(kind: str) -> None:
    """After a change of a spec or of a constructor: ``python -m aigc_evals.schemas``."""
    assert path(kind).read_text(encoding="utf-8") == as_text(kind)


@pytest.mark.parametrize(("kind", "file"), FILES, ids=[f"{kind}/{file.name}" for kind, file in FILES])
def test_all_yaml_of_the_package_is_valid(kind: str, file: Path) -> None:
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert [error.message for error in validator(kind).iter_errors(content)] == []


def test_every_eval_class_of_the_package_has_its_arguments_in_the_schema() -> None:
    names = {cls.__name__ for cls in eval_classes()}
    assert {"Match", "Includes", "FuzzyMatch", "JsonMatch", "ModelBasedClassify", "Translate"} <= names
    assert names <= set(json.loads(as_text("evals"))["definitions"])


MATCH = "aigc_evals.elsuite.basic.match:Match"
DATA = {"samples_jsonl": "问题.jsonl"}

GOOD: list[tuple[str, Any]] = [
    ("evals", {"甲": "甲.dev.v0", "甲.dev.v0": {"class": MATCH, "args": DATA}}),
    ("evals", {"甲": {"id": "甲.dev.v0", "metrics": ["accuracy"], "description": "中文题"}}),
    ("evals", {"甲.dev.v0": {"class": "their.module:Eval", "args": {"anything": [1]}}}),
    ("eval_sets", {"中文": {"evals": ["甲", "*-zh"]}}),
    ("completion_fns", {"f": {"class": "a:B"}}),
    ("modelgraded", {"j": {"prompt": "{input}", "choice_strings": "AB", "input_outputs": {"input": "completion"}}}),
    ("modelgraded", None),
]
BAD: list[tuple[str, Any]] = [
    ("evals", {"甲": {"id": "甲.dev.v0", "metric": ["accuracy"]}}),
    ("evals", {"甲": {"description": "没有类"}}),
    ("evals", {"甲": ["甲.dev.v0"]}),
    ("evals", {"甲.dev.v0": {"class": MATCH}}),
    ("evals", {"甲.dev.v0": {"class": MATCH, "args": {**DATA, "num_fewshot": 2}}}),
    ("evals", {"甲.dev.v0": {"class": MATCH.removeprefix("aigc_"), "args": {**DATA, "num_few_shot": "二"}}}),
    ("eval_sets", {"中文": {"evals": "甲"}}),
    ("completion_fns", {"f": {"args": {}}}),
    ("modelgraded", {"j": {"prompt": "{input}", "choice_strings": "AB"}}),
    (
        "modelgraded",
        {"j": {"prompt": "x", "choice_strings": "AB", "input_outputs": {"input": "a"}, "eval_type": "cot_clasify"}},
    ),
]


@pytest.mark.parametrize(("kind", "content"), GOOD)
def test_good_files_pass(kind: str, content: Any) -> None:
    assert validator(kind).is_valid(content)


@pytest.mark.parametrize(("kind", "content"), BAD)
def test_bad_files_do_not(kind: str, content: Any) -> None:
    assert not validator(kind).is_valid(content)


def test_there_is_no_schema_of_another_kind() -> None:
    with pytest.raises(ValueError, match="no schema for '其他'"):
        path("其他")
