"""The work that is measured: a registry with Match evals of N samples like the bundled BoolQ ones."""

from __future__ import annotations

import json
from pathlib import Path

from aigc_evals.registry import BUILT_IN


def write_registry(folder: Path, sizes: list[int]) -> Path:
    """A registry in ``folder`` with an eval ``bench<N>`` for every size; returns its path."""
    source = BUILT_IN / "data" / "boolq" / "boolq.jsonl"
    rows = [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines()]
    (folder / "evals").mkdir(parents=True, exist_ok=True)
    (folder / "data").mkdir(parents=True, exist_ok=True)
    for n in sizes:
        with samples(folder, n).open("w", encoding="utf-8") as file:
            for i in range(n):
                row = rows[i % len(rows)]
                *before, question = row["input"]
                asked = {**question, "content": f"{question['content']} ({i})"}
                file.write(json.dumps({"input": [*before, asked], "ideal": row["ideal"]}, ensure_ascii=False) + "\n")
        (folder / "evals" / f"bench{n}.yaml").write_text(
            f"bench{n}:\n  id: bench{n}.test.v0\n  metrics: [accuracy]\n"
            f"bench{n}.test.v0:\n  class: evals.elsuite.basic.match:Match\n"
            f"  args:\n    samples_jsonl: bench{n}.jsonl\n",
            encoding="utf-8",
        )
    return folder


def samples(folder: Path, n: int) -> Path:
    """The data file of ``bench<n>``."""
    return folder / "data" / f"bench{n}.jsonl"
