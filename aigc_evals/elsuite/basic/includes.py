"""Includes: an ideal occurs somewhere in the answer."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from aigc_evals.elsuite.basic.match import match_report
from aigc_evals.elsuite.few_shot import check_input_and_ideals, ideals, one_function
from aigc_evals.elsuite.utils import get_answer
from aigc_evals.eval import Eval
from aigc_evals.record import Recorder, record_match


class Includes(Eval):
    """Correct when any ideal is a part of the answer, with ``ignore_case`` whatever the case."""

    def __init__(
        self,
        completion_fns: Sequence[Any],
        samples_jsonl: str,
        ignore_case: bool = False,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(completion_fns, *args, **kwargs)
        self.samples_jsonl = samples_jsonl
        one_function(self)
        self.ignore_case = ignore_case

    def check_sample(self, sample: Any) -> None:
        check_input_and_ideals(sample)

    async def aeval_sample(self, sample: Any, rng: random.Random | None = None) -> Any:
        self.check_sample(sample)
        sampled = await self.ask(sample["input"])
        correct = any(get_answer(sampled, ideal, self.ignore_case) is not None for ideal in ideals(sample))
        record_match(correct, expected=sample["ideal"], picked=sampled, sampled=sampled)
        return correct

    def run(self, recorder: Recorder) -> dict[str, Any]:
        self.eval_all_samples(recorder, self.get_samples(), collect=False)
        return match_report(recorder)
