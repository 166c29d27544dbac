"""``ReadAnswer``: what evals share that read an answer out of free text, above all what becomes of one that cannot be read."""

from __future__ import annotations

import abc
import random
from collections.abc import Mapping
from typing import Any

from aigc_evals.base import Outcome
from aigc_evals.elsuite.asking import AsksAfterExamples
from aigc_evals.record import Recorder, record_match
from aigc_evals.record.scope import current_scope
from aigc_evals.record.scores import MATCH


class ReadAnswer(AsksAfterExamples):
    """An eval that asks, reads the answer, and compares what it read.

    A sample whose answer cannot be read is ``unparsed``: ``accuracy`` is over the answers that could be read, and
    ``accuracy_unparsed_wrong`` counts the others as wrong. Both are NaN where there is nothing they could be over.
    """

    def __init__(self, *args: Any, max_tokens: int | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.max_tokens = max_tokens

    @abc.abstractmethod
    async def aeval_sample(self, sample: Any, rng: random.Random | None = None) -> Any:
        """Ask with ``answer``, read, and ``record``."""

    async def answer(self, sample: Mapping[str, Any]) -> str:
        """What the model says to a sample, after the examples; as long as it likes where ``max_tokens`` is None."""
        limit: dict[str, Any] = {} if self.max_tokens is None else {"max_tokens": self.max_tokens}
        return await self.ask(self._examples.apply(sample["input"], sample), temperature=0.0, **limit)

    @staticmethod
    def record(correct: bool, picked: str | None, **event: Any) -> bool:
        """Record what was read (None: nothing could be), and whether it is right; returns that."""
        scope = current_scope()
        # An answer that was cut or empty is that, and not merely unreadable.
        if picked is None and scope is not None and scope.answer_flaw is None:
            scope.outcome = Outcome.UNPARSED
        record_match(correct, picked=picked, **event)
        return correct

    def run(self, recorder: Recorder) -> dict[str, Any]:
        self.eval_all_samples(recorder, self.get_samples(), collect=False)
        unparsed = recorder.scores.outcomes[Outcome.UNPARSED.value]
        read = recorder.scores.scored.get(MATCH)
        if read is None:
            return {"accuracy": float("nan"), "accuracy_unparsed_wrong": 0.0 if unparsed else float("nan")}
        return {"accuracy": read.mean, "accuracy_unparsed_wrong": read.total / (len(read.values) + unparsed)}
