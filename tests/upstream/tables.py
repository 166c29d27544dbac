"""Build the tables that `answers.py` uses: ideals by prompt, and how to recognise each judge's prompt."""

from __future__ import annotations

import json
import random
import string
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from . import answers, selection

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MAX_ROWS_ANY_ORDER = 3000


def write_table(target: Path, registries: Sequence[Path], per_eval: int) -> Path:
    """Write the table for the core evals of some registries.

    Args:
        target: the JSON file to write.
        registries: registry directories, later ones override earlier ones.
        per_eval: how many samples of each eval are asked (the first so many of the runners' fixed shuffle).
    """
    ideals: dict[str, dict[str, Any]] = {}
    completions: dict[str, list[str]] = {}
    for registry in registries:
        for item in selection.core_evals(registry):
            if item.kind == "TestMatch":
                for prompt, ideal in _TEST_MATCH:
                    _add(ideals, prompt, [ideal], "Match")
            if selection.why_not_runnable(item, registry) is not None:
                continue
            path = registry / "data" / item.files[0] if item.files else None
            if path is None or path.is_dir():
                continue
            whole = item.kind == "MatchWithSolvers"
            for row in asked_rows(path, per_eval, any_order=whole):
                _add_row(ideals, row, item)
                if isinstance(row.get("completion"), str):
                    completions.setdefault(item.args.get("modelgraded_spec", ""), []).append(row["completion"])
    judges = [judge for registry in registries for judge in _judges(registry, completions)]
    judges.sort(key=lambda judge: (len(judge["head"]), len(judge["tail"])), reverse=True)
    target.write_text(json.dumps({"ideals": ideals, "judges": judges}, ensure_ascii=False), encoding="utf-8")
    return target


def asked_rows(path: Path, count: int, *, any_order: bool = False) -> list[dict[str, Any]]:
    """The first `count` samples of the runners' fixed shuffle (or, for any order, many samples)."""
    lines = [line for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
    indices = list(range(len(lines)))
    random.Random(123).shuffle(indices)
    chosen = indices[: _MAX_ROWS_ANY_ORDER if any_order else count]
    return [json.loads(lines[index]) for index in chosen]


_TEST_MATCH = [("Once upon a ", "time"), ("The first US president was ", "George Washington")]


def _strings(ideal: Any) -> list[str]:
    found = ideal if isinstance(ideal, list) else [ideal]
    return [text for text in found if isinstance(text, str) and text]


def _add_row(ideals: dict[str, dict[str, Any]], row: dict[str, Any], item: selection.CoreEval) -> None:
    kind = item.kind
    for field in ("input", "input1", "input2"):
        if field not in row:
            continue
        wanted = _strings(row.get("ideal"))
        if kind == "JsonMatch" or kind == "JsonValidator":
            kind = "JsonMatch" if wanted else "Match"
        prompt = row[field]
        if isinstance(prompt, list):
            if not prompt or not all(isinstance(message, dict) for message in prompt):
                continue
            _add(ideals, answers.messages_text(prompt), wanted, kind)
            _add(ideals, str(prompt[-1].get("content")), wanted, kind)
        elif isinstance(prompt, str):
            _add(ideals, prompt, wanted, kind)


def _add(ideals: dict[str, dict[str, Any]], text: str, wanted: list[str], kind: str) -> None:
    if not wanted and kind != "ModelBasedClassify":
        return
    for key in (answers.key_of(text), answers.tail_key_of(text)):
        ideals.setdefault(key, {"ideals": wanted, "kind": kind})


def _judges(registry: Path, completions: dict[str, list[str]]) -> Iterable[dict[str, Any]]:
    for file in sorted((registry / "modelgraded").glob("*.yaml")):
        specs = yaml.load(file.read_text(encoding="utf-8"), Loader=_LOADER)
        for name, spec in specs.items():
            parts = [(text, field) for text, field, _, _ in string.Formatter().parse(spec["prompt"])]
            strings = spec["choice_strings"]
            generated = isinstance(strings, str) and strings.startswith("from_n")
            yield {
                "name": name,
                "head": parts[0][0],
                "tail": parts[-1][0].rstrip() if parts[-1][1] is None else "",
                "choices": [] if generated else list(strings),
                "completions": completions.get(name, []),
            }
