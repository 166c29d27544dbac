"""Translate: translations measured by BLEU (extra ``translate``)."""

from __future__ import annotations

import random
from typing import Any

from aigc_evals.elsuite.asking import AsksAfterExamples
from aigc_evals.elsuite.few_shot import check_input_and_ideals, ideals
from aigc_evals.errors import UsageError
from aigc_evals.eval import need
from aigc_evals.record import Recorder, record_match, record_metrics
from aigc_evals.record.scores import MATCH

_GOOD = 30.0


class Translate(AsksAfterExamples):
    """Sentence BLEU (sacrebleu, effective order) against the ideals; above 30 counts as correct.

    The report adds the corpus BLEU. Where samples have different numbers of references, the missing ones are left out
    for those sentences, as sacrebleu does. Source: Papineni et al. 2002; Post 2018.
    """

    metric_ranges = {"accuracy": (0.0, 1.0), "sacrebleu_sentence_score": (0.0, 100.0)}

    def __init__(self, *args: Any, max_tokens: int = 500, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.max_tokens = max_tokens
        self.bleu = _bleu(effective_order=True)

    def check_sample(self, sample: Any) -> None:
        check_input_and_ideals(sample)
        need(sample["ideal"] != [], "'ideal' is empty: there is no translation to compare with")

    async def aeval_sample(self, sample: Any, rng: random.Random | None = None) -> Any:
        self.check_sample(sample)
        prompt = self._examples.apply(sample["input"])
        references = ideals(sample)
        sampled = await self.ask(prompt, max_tokens=self.max_tokens)
        score = float(self.bleu.sentence_score(sampled, references).score)
        record_metrics(sacrebleu_sentence_score=score)
        record_match(score > _GOOD, expected=references, sampled=sampled, sacrebleu_sentence_score=score)
        return score > _GOOD

    def run(self, recorder: Recorder) -> dict[str, Any]:
        self.eval_all_samples(recorder, self.get_samples(), collect=False)
        hypotheses: list[str] = []
        references: list[list[str]] = []
        for event in recorder.get_events("match"):
            expected = event.data["expected"]
            hypotheses.append(event.data["sampled"])
            references.append(expected if isinstance(expected, list) else [expected])
        return {"accuracy": recorder.scores.mean(MATCH), "sacrebleu_score": _corpus_score(hypotheses, references)}


def _bleu(**options: Any) -> Any:
    try:
        from sacrebleu.metrics.bleu import BLEU
    except ModuleNotFoundError:
        raise UsageError(
            "Translate needs sacrebleu, which is not installed", hint='Install it: pip install "aigc_evals[translate]"'
        ) from None
    return BLEU(**options)


def _corpus_score(hypotheses: list[str], references: list[list[str]]) -> float:
    if not hypotheses:
        return float("nan")
    most = max(map(len, references))
    streams = [[refs[i] if i < len(refs) else None for refs in references] for i in range(most)]
    return float(_bleu().corpus_score(hypotheses, streams).score)
