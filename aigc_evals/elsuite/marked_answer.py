"""MarkedAnswer: the answer stands between marks, and nothing else counts."""

from __future__ import annotations

import random
from typing import Any

from aigc_evals.elsuite.asking import AsksOne
from aigc_evals.elsuite.basic.match import match_report
from aigc_evals.elsuite.few_shot import check_input_and_ideals, ideals
from aigc_evals.errors import SampleError, UsageError
from aigc_evals.record import Recorder, record_match


class MarkedAnswer(AsksOne):
    """Correct when the last marked text of the answer is an ideal; ideals are written with their marks, such as ``【12】``.

    Reasons may stand before it, and a text that was marked on the way and then corrected does not count; nor does naming
    every candidate. White space just inside the marks is no difference. An answer without marks is wrong: the prompt
    asks for them.
    """

    def __init__(self, *args: Any, opening: str = "【", closing: str = "】", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for key, mark in (("opening", opening), ("closing", closing)):
            if not isinstance(mark, str) or not mark:
                raise UsageError(f"a mark must be a text that is not empty, got {mark!r}", key=key)
        self.opening = opening
        self.closing = closing

    def check_sample(self, sample: Any) -> None:
        check_input_and_ideals(sample)
        for ideal in ideals(sample):
            if last_marked(ideal, self.opening, self.closing) != ideal:
                raise SampleError(
                    f"an ideal must be one text in {self.opening}{self.closing}, and {ideal[:80]!r} is not"
                )

    async def aeval_sample(self, sample: Any, rng: random.Random | None = None) -> Any:
        self.check_sample(sample)
        sampled = await self.ask(sample["input"])
        picked = last_marked(sampled, self.opening, self.closing)
        correct = picked in ideals(sample)
        record_match(correct, expected=sample["ideal"], picked=picked, sampled=sampled)
        return correct

    def run(self, recorder: Recorder) -> dict[str, Any]:
        self.eval_all_samples(recorder, self.get_samples(), collect=False)
        return match_report(recorder)


def last_marked(text: str, opening: str, closing: str) -> str | None:
    """The last text between the marks that holds no mark itself, with its marks; None where there is none."""
    end = text.rfind(closing)
    while end >= 0:
        start = text.rfind(opening, 0, end)
        if start < 0:
            return None
        inner = text[start + len(opening) : end]
        if closing not in inner:
            return f"{opening}{inner.strip()}{closing}"
        end = text.rfind(closing, 0, end)
    return None
