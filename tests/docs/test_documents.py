"""The documents name what there is, and nothing else."""

from __future__ import annotations

import ast
import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from aigc_evals import Outcome, run
from aigc_evals.base import Event, RunSpec
from aigc_evals.log import read_events, read_spec
from aigc_evals.report import OUR_KEYS
from aigc_evals.testing import FailingCompletionFn

ROOT = Path(__file__).resolve().parents[2]
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
REPORT = (ROOT / "docs" / "report.md").read_text(encoding="utf-8")


def first_column(text: str) -> list[str]:
    """Every name in code style in the first column of the tables of ``text``."""
    cells = re.findall(r"^\| (.*?) \|", text, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def names_in_code(text: str) -> set[str]:
    return set(re.findall(r"`([^`\n]+)`", text))


def modules_with_content() -> set[str]:
    """Every module of the package but the ``__init__`` files that only say what their folder is for."""
    found: set[str] = set()
    package = ROOT / "aigc_evals"
    for path in package.rglob("*.py"):
        parts = path.relative_to(package).with_suffix("").parts
        if parts[-1] == "__init__":
            parts = parts[:-1]
            if len(ast.parse(path.read_text(encoding="utf-8")).body) <= 1:
                continue
        if parts:
            found.add(".".join(parts))
    return found


def test_every_module_is_on_the_map_and_nothing_else() -> None:
    named = first_column(ARCHITECTURE.split("## The way of a sample")[0])
    assert sorted(named) == sorted(modules_with_content())


def test_the_map_has_the_floors_that_imports_are_checked_by() -> None:
    """A module stands below the heading of its floor."""
    checked = (ROOT / "tests" / "architecture" / "test_imports.py").read_text(encoding="utf-8")
    floors: dict[str, Any] = {}
    for node in ast.parse(checked).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "FLOORS":
            floors = ast.literal_eval(node.value)
    for floor, rooms in floors.items():
        section = re.split(r"^### ", ARCHITECTURE, flags=re.MULTILINE)
        text = next(part for part in section if part.lower().startswith(floor))
        assert {name.split(".")[0] for name in first_column(text)} == set(rooms.split()), floor


def test_every_key_of_the_report_is_explained() -> None:
    explained = set(first_column(REPORT))
    assert set(OUR_KEYS) <= explained
    assert {outcome.value for outcome in Outcome} <= names_in_code(REPORT)
    assert {field.name for field in dataclasses.fields(RunSpec)} <= explained
    assert {field.name for field in dataclasses.fields(Event)} <= explained


RUNS = [
    ("dummy", "BoolQ_match", {"max_samples": 3}),
    ("baseline/lexical", "test-fuzzy-match", {}),
    ("baseline/lexical", "test-json-validator", {}),
    ("baseline/lexical,baseline/judge", "BoolQ_fact", {"max_samples": 3}),
    ("baseline/judge", "test-modelgraded-meta", {}),
    (FailingCompletionFn(RuntimeError("broken")), "test-match", {"max_samples": 3}),
]


@pytest.mark.parametrize(("fn", "name", "config"), RUNS)
def test_everything_a_run_writes_is_explained(fn: Any, name: str, config: dict[str, Any], tmp_path: Path) -> None:
    result = run(fn, name, record_path=tmp_path / "log.jsonl", progress=False, **config)
    assert result.log_path is not None
    explained = names_in_code(REPORT)
    keys = [re.sub(r"^(counts/choice|counts)/.*", r"\1/<choice>", key) for key in result.report]
    assert {key for key in keys if not key.startswith("usage_")} <= explained
    for metric in result.report["metrics"].values():
        assert set(metric) <= explained
        assert metric["method"] in explained
    spec = read_spec(result.log_path)
    assert spec is not None
    assert {*spec, *spec["run_config"], *spec["run_config"]["settings"], *spec["run_config"]["data"]} <= explained
    for event in read_events(result.log_path):
        assert event.type in explained
        if event.type in ("sampling", "match", "sample", "error"):
            assert set(event.data) <= explained, event.type
