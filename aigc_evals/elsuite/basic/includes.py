"""Includes: an ideal occurs somewhere in the answer."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from aigc_evals.elsuite.asking import AsksOne
from aigc_evals.elsuite.basic.match import match_report
from aigc_evals.elsuite.few_shot import check_input_and_ideals, ideals
from aigc_evals.elsuite.matching import check_version, includes
from aigc_evals.elsuite.utils import get_answer
from aigc_evals.record import Recorder, record_match


class Includes(AsksOne):
    """Correct when any ideal is a part of the answer, with ``ignore_case`` whatever the case.

    With ``version: 2`` the ideal's words are words of the answer, next to each other, punctuation and width aside: ``1`` is
    not in ``11``, ``A`` is in ``The answer is A.``, ``是`` is not in ``不是``. An ideal of "" matches only an empty answer.
    """

    def __init__(
        self,
        completion_fns: Sequence[Any],
        samples_jsonl: str,
        ignore_case: bool = False,
        *args: Any,
        version: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(completion_fns, samples_jsonl, *args, **kwargs)
        self.ignore_case = ignore_case
        self.version = check_version(version)

    def check_sample(self, sample: Any) -> None:
        check_input_and_ideals(sample)

    async def aeval_sample(self, sample: Any, rng: random.Random | None = None) -> Any:
        self.check_sample(sample)
        sampled = await self.ask(sample["input"])
        correct = any(self._is_in(sampled, ideal) for ideal in ideals(sample))
        record_match(correct, expected=sample["ideal"], picked=sampled, sampled=sampled)
        return correct

    def _is_in(self, sampled: str, ideal: str) -> bool:
        if self.version == 2:
            return includes(sampled, ideal, ignore_case=self.ignore_case)
        return get_answer(sampled, ideal, self.ignore_case) is not None

    def run(self, recorder: Recorder) -> dict[str, Any]:
        self.eval_all_samples(recorder, self.get_samples(), collect=False)
        return match_report(recorder)
