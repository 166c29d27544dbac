"""Match: the answer starts with an ideal."""

from __future__ import annotations

import random
from typing import Any

from aigc_evals.api import record_and_check_match
from aigc_evals.elsuite.asking import AsksAfterExamples
from aigc_evals.elsuite.few_shot import check_input_and_ideals, ideals
from aigc_evals.elsuite.matching import begins, check_version
from aigc_evals.metrics import half_sample_std
from aigc_evals.record import Recorder, record_match
from aigc_evals.record.scores import MATCH


class Match(AsksAfterExamples):
    """Correct when the answer, as it is, starts with one of the ideals: no stripping, no folding of case.

    So ``1`` matches ``10``, `` Paris`` does not match ``Paris``, and an ideal of "" matches everything.

    With ``version: 2`` it starts with the ideal's words, white space, punctuation and width aside, case kept: ``1`` does
    not match ``10`` nor ``是`` ``是否``, and ``一百二十`` is ``120``. An ideal of "" matches only an empty answer.
    """

    def __init__(self, *args: Any, max_tokens: int = 500, version: int = 1, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.version = check_version(version)
        self.max_tokens = max_tokens

    def check_sample(self, sample: Any) -> None:
        check_input_and_ideals(sample)

    async def aeval_sample(self, sample: Any, rng: random.Random | None = None) -> Any:
        self.check_sample(sample)
        prompt = self._examples.apply(sample["input"])
        sampled = await self.ask(prompt, temperature=0.0)
        if self.version == 2:
            return _record_beginning(sampled, ideals(sample))
        return record_and_check_match(prompt=prompt, sampled=sampled, expected=sample["ideal"])

    def run(self, recorder: Recorder) -> dict[str, Any]:
        self.eval_all_samples(recorder, self.get_samples(), collect=False)
        return match_report(recorder)


def _record_beginning(sampled: str, options: list[str]) -> str | None:
    picked = next((option for option in options if begins(sampled, option)), None)
    record_match(picked is not None, expected=options, picked=picked, sampled=sampled, options=options)
    return picked


def match_report(recorder: Recorder, std_key: str = "boostrap_std") -> dict[str, Any]:
    """Accuracy over all match events, and upstream's measure of its spread under upstream's (misspelt) key."""
    n = recorder.scores.count(MATCH)
    correct = int(recorder.scores.events[MATCH].total) if n else 0
    return {"accuracy": recorder.scores.mean(MATCH), std_key: half_sample_std(correct, n)}
