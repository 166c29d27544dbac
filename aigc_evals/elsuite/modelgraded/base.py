"""The model-graded spec: how a grading model is asked, and what its verdicts are worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass
class ModelGradedSpec:
    """A spec of the registry's ``modelgraded`` folder.

    ``prompt`` (text or chat) is filled with the sample's fields and the completions; ``choice_strings`` are the verdicts
    (a list, a string of letters, or ``from_n``, ``from_n_abc``, ``from_n_ABC``); ``input_outputs`` maps the key of each
    input to the key its completion goes by; ``choice_scores`` gives verdicts their worth (or ``from_strings``);
    ``output_template`` lays out one of several completions; ``eval_type`` says how the prompt itself asks for the verdict.
    """

    prompt: str | list[dict[str, Any]]
    choice_strings: list[str] | str
    input_outputs: dict[str, str]
    eval_type: str | None = None
    choice_scores: dict[str, float] | str | None = None
    output_template: str | None = None
    key: str | None = None
    group: str | None = None
