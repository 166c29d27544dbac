"""JSON Schemas of the registry's YAML files, for editors: ``path(kind)`` says where one is.

They are made from the code (``python -m aigc_evals.schemas``), and a test keeps them in step.
"""

from __future__ import annotations

from pathlib import Path

KINDS = ("evals", "eval_sets", "completion_fns", "modelgraded")


def path(kind: str) -> Path:
    """The schema of one kind of YAML file: ``evals``, ``eval_sets``, ``completion_fns`` or ``modelgraded``."""
    if kind not in KINDS:
        raise ValueError(f"there is no schema for {kind!r}; there is one for each of {', '.join(KINDS)}")
    return Path(__file__).with_name(f"{kind}.schema.json")
