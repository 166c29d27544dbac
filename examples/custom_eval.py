"""An eval class: correct when the first number of the answer is the ideal; also how far it is off.

From the root of the checkout:

    PYTHONPATH=examples exec_aigc_evals examples/completion_fn.py:converter units-number --registry_path examples/my_eval
"""

from __future__ import annotations

import random
import re
from typing import Any

from aigc_evals import Eval, Outcome, SampleError
from aigc_evals.metrics import get_accuracy
from aigc_evals.record import Recorder, current_scope, record_match, record_metrics


def first_number(text: str) -> float | None:
    found = re.search(r"-?\d[\d,]*(?:\.\d+)?", text)
    return None if found is None else float(found[0].replace(",", ""))


class Number(Eval):
    """The ideal (the first one of several) must be a number."""

    metric_ranges = {"accuracy": (0.0, 1.0), "relative_error": (0.0, 1.0)}

    def check_sample(self, sample: Any) -> None:
        """Called for every planned sample before anything is asked."""
        if first_number(self.ideal(sample)) is None:
            raise SampleError(f"'ideal' is not a number: {sample['ideal']!r}")

    async def aeval_sample(self, sample: Any, rng: random.Random) -> None:
        answer = await self.ask(sample["input"], temperature=0.0)
        right, given = first_number(self.ideal(sample)), first_number(answer)
        if given is None:
            # Nothing that could be right or wrong: the sample is counted, but not scored.
            current_scope().outcome = Outcome.UNPARSED
            return
        record_match(given == right, expected=right, picked=given, sampled=answer)
        record_metrics(relative_error=min(1.0, abs(given - right) / max(abs(right), 1e-9)))

    def run(self, recorder: Recorder) -> dict[str, Any]:
        self.eval_all_samples(recorder, self.get_samples(), collect=False)
        return {"accuracy": get_accuracy(recorder.get_events("match"))}

    @staticmethod
    def ideal(sample: Any) -> str:
        return sample["ideal"] if isinstance(sample["ideal"], str) else sample["ideal"][0]
