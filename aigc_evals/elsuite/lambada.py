"""Lambada: the last word of a passage."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from aigc_evals.api import record_and_check_match
from aigc_evals.elsuite.datasets import load_rows
from aigc_evals.elsuite.few_shot import one_function
from aigc_evals.errors import SampleError
from aigc_evals.eval import Eval, check_keys
from aigc_evals.record import Recorder
from aigc_evals.record.scores import MATCH

_HUB = "EleutherAI/lambada_openai"


class Lambada(Eval):
    """The answer must start with the word that ends the passage. Source: Paperno et al. 2016.

    ``subset`` is a language of the data set of the hub, or a local JSONL file whose rows have ``text``.
    """

    length_limited = True

    def __init__(self, completion_fns: Sequence[Any], subset: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(completion_fns, *args, **kwargs)
        one_function(self)
        self.subset = subset

    def get_samples(self) -> Sequence[Any]:
        if ".jsonl" in self.subset:
            return load_rows(self, self.subset)
        return load_rows(self, _HUB, name=self.subset, split="test")

    def check_sample(self, sample: Any) -> None:
        check_keys(sample, "text")
        if len(str(sample["text"]).split()) < 2:
            raise SampleError("'text' must have at least two words")

    async def aeval_sample(self, sample: Any, rng: random.Random | None = None) -> Any:
        *context, last = sample["text"].split()
        prompt = "Reply with the one word that most probably comes next in this text:\n\n" + " ".join(context)
        sampled = await self.ask(prompt, temperature=0.0, max_tokens=8)
        return record_and_check_match(prompt=prompt, sampled=sampled, expected=last)

    def run(self, recorder: Recorder) -> dict[str, Any]:
        self.eval_all_samples(recorder, self.get_samples(), collect=False)
        return {"accuracy": recorder.scores.mean(MATCH)}
