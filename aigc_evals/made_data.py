"""Data that is made by a command and may not be there yet: which of an eval's is missing, and what to tell."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from aigc_evals.base import EvalSpec
from aigc_evals.errors import UsageError


def missing_data(args: Mapping[str, Any], registry_path: Path) -> Iterator[tuple[str, Path]]:
    """Argument -> path, for each argument that names a local JSONL file which is not where a run would look for it."""
    for key, value in args.items():
        if key.endswith("_jsonl") and isinstance(value, str) and value and "://" not in value:
            path = registry_path / "data" / value
            if not os.path.isfile(value) and not path.exists():
                yield key, path


def require_data(spec: EvalSpec, whose: str) -> None:
    """UsageError with the command that makes the data of an eval, where it has such a command and lacks data."""
    if spec.made_by is None:
        return
    for key, path in missing_data(spec.args or {}, Path(spec.registry_path)):
        message = f"the data of {whose} has not been made here yet"
        raise UsageError(message, path=path, key=key, hint=f"Make it: {spec.made_by}")
