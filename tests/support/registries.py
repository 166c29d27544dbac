"""Small registries made for one test."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

MATCH = """
{name}:
  id: {name}.dev.v0
  metrics: [accuracy]
{name}.dev.v0:
  class: aigc_evals.elsuite.basic.match:Match
  args:
    samples_jsonl: {name}/samples.jsonl
"""


def rows(count: int) -> list[dict[str, Any]]:
    """Samples of Match with an input of their own each, their ideal "True"."""
    return [{"input": f"Question {i}: is it so?", "ideal": "True"} for i in range(count)]


def write_jsonl(path: Path, values: Iterable[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values), encoding="utf-8")
    return path


def registry(folder: Path, files: Mapping[str, str | bytes], data: Mapping[str, Iterable[Any]] | None = None) -> Path:
    """A registry with these YAML files (by their path below it) and these JSONL files below ``data``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else textwrap.dedent(content).encode())
    for name, values in (data or {}).items():
        write_jsonl(folder / "data" / name, values)
    return folder


def match_registry(folder: Path, count: int, name: str = "many") -> Path:
    """A registry with one Match eval over ``count`` samples."""
    return registry(folder, {f"evals/{name}.yaml": MATCH.format(name=name)}, {f"{name}/samples.jsonl": rows(count)})
