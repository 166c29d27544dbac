"""Rows of a data set by name: of Hugging Face ``datasets`` (extra ``datasets``), or of a local JSONL file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aigc_evals.errors import UsageError
from aigc_evals.eval import Eval


def load_rows(owner: Eval, path: str, **options: Any) -> Sequence[Any]:
    """The rows of ``path``: a JSONL file (as it is, or below the registry's data folder), else a data set of the hub.

    The hub's rows come from ``datasets.load_dataset(path, **options)``.
    """
    if path.endswith((".jsonl", ".jsonl.gz", ".jsonl.zst", ".jsonl.lz4")):
        from aigc_evals.data.samples import JsonlSamples

        return JsonlSamples.open(owner._prefix_registry_path(path))
    try:
        from datasets import load_dataset  # type: ignore[import-not-found,unused-ignore]
    except ModuleNotFoundError:
        raise UsageError(
            f"the data set {path!r} is read with the package datasets, which is not installed",
            hint='Install it: pip install "aigc_evals[datasets]", or name a local .jsonl file.',
        ) from None
    try:
        return load_dataset(path, **options)  # type: ignore[no-any-return,unused-ignore]
    except Exception as error:
        raise UsageError(f"the data set {path!r} {options or ''} cannot be loaded: {error}") from error
