"""Stand-in for Hugging Face `datasets`: `load_dataset` reads JSONL files written by the tests.

`load_dataset("org/name", "subset", split="test")` reads
`$AIGC_EVALS_TEST_DATASETS/org__name__subset__test.jsonl`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def file_name(path: str, name: str | None = None, split: str | None = None) -> str:
    """The file that stands for one split of a dataset."""
    parts = [path.replace("/", "__"), name, split]
    return "__".join(part for part in parts if part) + ".jsonl"


def load_dataset(path: str, name: str | None = None, *, split: str | None = None, **_: Any) -> list[dict[str, Any]]:
    """All rows of the file that stands for this dataset."""
    folder = os.environ.get("AIGC_EVALS_TEST_DATASETS")
    if not folder:
        raise FileNotFoundError("AIGC_EVALS_TEST_DATASETS is not set: no dataset is available offline")
    file = Path(folder) / file_name(path, name, split)
    return [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line]
