"""FuzzyMatch: the answer and an ideal are the same, or one is part of the other, but for case, punctuation and articles."""

from __future__ import annotations

import random
from typing import Any

from aigc_evals.elsuite import matching
from aigc_evals.elsuite.asking import AsksOne
from aigc_evals.elsuite.few_shot import check_input_and_ideals, ideals
from aigc_evals.elsuite.utils import f1_score, fuzzy_match
from aigc_evals.record import Recorder, record_match, record_metrics


class FuzzyMatch(AsksOne):
    """Correct when, both normalised, the answer contains an ideal or is contained in it; also the best token F1.

    Normalised means lower case, ASCII punctuation deleted, the words a, an and the deleted. So the ideal ``A`` becomes
    empty and matches only an empty answer, ``1`` matches ``11``, and Chinese punctuation is kept.

    With ``version: 2`` whole words are compared, whatever their case, width and punctuation, Chinese by its characters:
    ``A`` matches ``The answer is A.``, ``1`` does not match ``11`` nor ``是`` ``不是``, and ``一百二十`` is ``120``. F1 is
    over characters where the text is Chinese.
    """

    metric_ranges = {"accuracy": (0.0, 1.0), "f1_score": (0.0, 1.0)}

    def __init__(self, *args: Any, max_tokens: int = 100, version: int = 1, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.max_tokens = max_tokens
        self.version = matching.check_version(version)
        self._matches = matching.matches if version == 2 else fuzzy_match
        self._f1 = matching.f1 if version == 2 else f1_score

    def check_sample(self, sample: Any) -> None:
        check_input_and_ideals(sample)

    async def aeval_sample(self, sample: Any, rng: random.Random | None = None) -> Any:
        self.check_sample(sample)
        answers = ideals(sample)
        sampled = await self.ask(sample["input"], temperature=0.0, max_tokens=self.max_tokens)
        matches = [self._matches(sampled, answer) for answer in answers]
        record_match(any(matches), expected=answers, picked=[sampled for match in matches if match])
        record_metrics(accuracy=float(any(matches)), f1_score=self._f1(sampled, answers) if answers else 0.0)
        return any(matches)

    def run(self, recorder: Recorder) -> dict[str, Any]:
        self.eval_all_samples(recorder, self.get_samples(), collect=False)
        return {"accuracy": recorder.scores.mean("accuracy"), "f1_score": recorder.scores.mean("f1_score")}
