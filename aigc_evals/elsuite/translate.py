"""Translate: translations measured by BLEU (extra ``translate``)."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from aigc_evals.elsuite.asking import AsksAfterExamples
from aigc_evals.elsuite.bleu import AS_OPENAI_EVALS, bleu_class, first_ideals, tokenizer_of
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

    ``tokenize`` is the name of one of sacrebleu's tokenizers (``13a``, ``zh``, ``char``, ``intl``, ...). By default, ``auto``,
    it is ``zh``, which splits Chinese into characters, where most of the first 100 samples have ideals with Chinese
    characters, ``char`` where these are Japanese, else ``13a`` as in openai/evals; what is not ``13a`` the report tells as
    ``sacrebleu_tokenize``.
    """

    metric_ranges = {"accuracy": (0.0, 1.0), "sacrebleu_sentence_score": (0.0, 100.0)}

    def __init__(self, *args: Any, max_tokens: int = 500, tokenize: str = "auto", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.max_tokens = max_tokens
        self.tokenize = tokenize
        self.bleu = _bleu(AS_OPENAI_EVALS if tokenize == "auto" else tokenize, effective_order=True)

    def facts(self) -> Mapping[str, Any]:
        """With the tokenizer in use, unless it is that of logs without one."""
        same = self.tokenize in ("auto", AS_OPENAI_EVALS)
        return super().facts() if same else {**super().facts(), "tokenize": self.tokenize}

    def check_sample(self, sample: Any) -> None:
        check_input_and_ideals(sample)
        need(sample["ideal"] != [], "'ideal' is empty: there is no translation to compare with")

    async def aeval_sample(self, sample: Any, rng: random.Random | None = None) -> Any:
        self.check_sample(sample)
        prompt = self._examples.apply(sample["input"])
        references = ideals(sample)
        sampled = await self.ask(prompt, max_tokens=self.max_tokens)
        score = float(self._bleu_for(references).sentence_score(sampled, references).score)
        record_metrics(sacrebleu_sentence_score=score)
        record_match(score > _GOOD, expected=references, sampled=sampled, sacrebleu_sentence_score=score)
        return score > _GOOD

    def _bleu_for(self, references: Sequence[str]) -> Any:
        """Outside a run each sample says for itself how its texts are cut into tokens."""
        wanted = tokenizer_of(references) if self.tokenize == "auto" else AS_OPENAI_EVALS
        return self.bleu if wanted == AS_OPENAI_EVALS else _bleu(wanted, effective_order=True)

    def run(self, recorder: Recorder) -> dict[str, Any]:
        samples = self.get_samples()
        if self.tokenize == "auto":
            self.tokenize = tokenizer_of(first_ideals(samples))
            if self.tokenize != AS_OPENAI_EVALS:
                self.bleu = _bleu(self.tokenize, effective_order=True)
        self.eval_all_samples(recorder, samples, collect=False)
        hypotheses: list[str] = []
        references: list[list[str]] = []
        for event in recorder.get_events("match"):
            expected = event.data["expected"]
            hypotheses.append(event.data["sampled"])
            references.append(expected if isinstance(expected, list) else [expected])
        corpus = _corpus_score(_bleu(self.tokenize), hypotheses, references)
        report: dict[str, Any] = {"accuracy": recorder.scores.mean(MATCH), "sacrebleu_score": corpus}
        return report if self.tokenize == AS_OPENAI_EVALS else report | {"sacrebleu_tokenize": self.tokenize}


def _bleu(tokenize: str, *, effective_order: bool = False) -> Any:
    bleu = bleu_class("Translate", "translate")
    if tokenize not in bleu.TOKENIZERS:
        raise UsageError(f"expected auto or one of {', '.join(bleu.TOKENIZERS)}, got {tokenize!r}", key="tokenize")
    try:
        return bleu(tokenize=tokenize, effective_order=effective_order)
    except (ImportError, RuntimeError) as error:
        raise UsageError(
            f"sacrebleu has no tokenizer {tokenize} here: {' '.join(str(error).split())}", key="tokenize"
        ) from error


def _corpus_score(bleu: Any, hypotheses: list[str], references: list[list[str]]) -> float:
    if not hypotheses:
        return float("nan")
    most = max(map(len, references))
    streams = [[refs[i] if i < len(refs) else None for refs in references] for i in range(most)]
    return float(bleu.corpus_score(hypotheses, streams).score)
