"""A Match eval with three samples in the code, for trying out the runner without any data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aigc_evals.elsuite.basic.match import Match

_INSTRUCTION = "Finish the sentence with as few words as you can, and write nothing else."
_PHRASES = (
    ("Water is made of hydrogen and ", "oxygen"),
    ("The capital of Japan is ", "Tokyo"),
    ("二加三等于", "五"),
)


class TestMatch(Match):
    """Match over three sentences to be finished."""

    __test__ = False

    def __init__(self, completion_fns: Sequence[Any], samples_jsonl: str = "", *args: Any, **kwargs: Any) -> None:
        super().__init__(completion_fns, samples_jsonl, *args, **kwargs)

    def get_samples(self) -> list[Any]:
        return [
            {
                "input": [{"role": "system", "content": _INSTRUCTION}, {"role": "user", "content": phrase}],
                "ideal": ideal,
            }
            for phrase, ideal in _PHRASES
        ]
