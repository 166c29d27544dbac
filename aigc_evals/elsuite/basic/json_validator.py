"""JsonValidator: the answer is JSON."""

from __future__ import annotations

import json
import random
from typing import Any

from aigc_evals.base import Outcome
from aigc_evals.elsuite.asking import AsksOne
from aigc_evals.elsuite.basic.match import match_report
from aigc_evals.eval import check_keys
from aigc_evals.record import Recorder, record_match
from aigc_evals.sampling import NoAnswer


def is_valid_json(text: str) -> bool:
    """Whether ``text`` parses as JSON (as Python's ``json`` reads it, so NaN counts)."""
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


class JsonValidator(AsksOne):
    """Correct when the answer as a whole parses as JSON."""

    def check_sample(self, sample: Any) -> None:
        check_keys(sample, "input")

    async def aeval_sample(self, sample: Any, rng: random.Random | None = None) -> Any:
        self.check_sample(sample)
        sampled = await self.ask(sample["input"], temperature=0.0)
        try:
            correct = is_valid_json(sampled)
        except RecursionError:
            raise NoAnswer(Outcome.UNPARSED) from None
        record_match(correct, expected=None, picked=sampled)
        return correct

    def run(self, recorder: Recorder) -> dict[str, Any]:
        self.eval_all_samples(recorder, self.get_samples(), collect=False)
        return match_report(recorder)
