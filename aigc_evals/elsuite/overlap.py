"""Overlap: summaries and translations measured by ROUGE and BLEU against references (extra ``text-metrics``)."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import Any

from aigc_evals.elsuite.asking import AsksAfterExamples
from aigc_evals.elsuite.bleu import HAN, bleu_class, first_ideals, language_of, missing, tokenizer_for
from aigc_evals.elsuite.few_shot import check_input_and_ideals, ideals
from aigc_evals.errors import UsageError
from aigc_evals.eval import need
from aigc_evals.record import Recorder, record_extra, record_metrics

__all__ = ["METRICS", "CharacterTokenizer", "Overlap", "corpus_bleu", "language_of"]

METRICS = ("rouge1", "rouge2", "rougeL", "bleu")

_TOKEN = re.compile(rf"{HAN}|[^\W_]+?(?={HAN}|[\W_]|$)")
_ORDER = 4


class CharacterTokenizer:
    """Texts for ROUGE: every Chinese character is a token, and every word of other scripts, in lower case."""

    def tokenize(self, text: str) -> list[str]:
        return _TOKEN.findall(text.lower())


class Overlap(AsksAfterExamples):
    """F-measures of ROUGE-1, ROUGE-2 and ROUGE-L, 0 to 1, and sentence BLEU, 0 to 100, each the best over the ideals.

    ``metrics`` chooses among ``rouge1``, ``rouge2``, ``rougeL``, ``bleu``; the first is the headline unless the registry says
    otherwise. ROUGE is rouge-score's (Lin 2004, ROUGE: A Package for Automatic Evaluation of Summaries); ``stem: true``
    takes English words by their stems. BLEU is sacrebleu's (Papineni et al. 2002; Post 2018), of a sentence with effective
    order. The report adds ``corpus_bleu``, from the n-gram counts of all answers, with its signature.

    ``language`` is ``zh`` (ROUGE over characters, BLEU tokenised by ``zh``), ``en``, or another code (ROUGE over words in any
    script); by default ``zh`` where most of the first 100 ideals have Chinese characters, else ``en``.
    """

    metric_ranges = {"rouge1": (0.0, 1.0), "rouge2": (0.0, 1.0), "rougeL": (0.0, 1.0), "bleu": (0.0, 100.0)}

    def __init__(
        self,
        *args: Any,
        metrics: Sequence[str] = METRICS,
        language: str | None = None,
        stem: bool = False,
        max_tokens: int = 500,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if isinstance(metrics, str) or not metrics or set(metrics) - set(METRICS):
            raise UsageError(f"expected a list of some of {', '.join(METRICS)}, got {metrics!r}", key="metrics")
        self.metrics = tuple(metrics)
        self.language = language
        self.stem = stem
        self.max_tokens = max_tokens
        self._measures: dict[str, tuple[Any, Any]] = {}
        self._measures_for(language or "en")

    def check_sample(self, sample: Any) -> None:
        check_input_and_ideals(sample)
        need(any(text.strip() for text in ideals(sample)), "'ideal' is empty: there is nothing to compare with")

    def _measures_for(self, language: str) -> tuple[Any, Any]:
        """The ROUGE scorer and the sentence BLEU of a language, None for what is not measured."""
        if language not in self._measures:
            rouges = [name for name in self.metrics if name != "bleu"]
            rouge = _rouge(rouges, language, self.stem) if rouges else None
            self._measures[language] = rouge, _bleu(language) if "bleu" in self.metrics else None
        return self._measures[language]

    async def aeval_sample(self, sample: Any, rng: random.Random | None = None) -> Any:
        self.check_sample(sample)
        references = [text for text in ideals(sample) if text.strip()]
        sampled = await self.ask(self._examples.apply(sample["input"]), max_tokens=self.max_tokens)
        rouge, bleu = self._measures_for(self.language or language_of(references))
        values: dict[str, float] = {}
        if rouge is not None:
            values = {name: float(one.fmeasure) for name, one in rouge.score_multi(references, sampled).items()}
        if bleu is not None:
            score = bleu.sentence_score(sampled, references)
            values["bleu"] = float(score.score)
            lengths = {"sys_len": int(score.sys_len), "ref_len": int(score.ref_len)}
            record_extra({"bleu": {"counts": list(score.counts), "totals": list(score.totals), **lengths}})
        record_metrics(**{name: values[name] for name in self.metrics})
        return values

    def run(self, recorder: Recorder) -> dict[str, Any]:
        samples = self.get_samples()
        if self.language is None:
            self.language = language_of(first_ideals(samples))
        self.eval_all_samples(recorder, samples, collect=False)
        report: dict[str, Any] = {name: recorder.scores.mean(name) for name in self.metrics}
        if "bleu" in self.metrics:
            report |= {"corpus_bleu": corpus_bleu(recorder), "corpus_bleu_signature": _signature(self.language)}
        return report


def corpus_bleu(recorder: Recorder) -> float:
    """The corpus BLEU of all answers, from the n-gram counts recorded with each; NaN where there are none."""
    counts, totals = [0] * _ORDER, [0] * _ORDER
    said = wanted = 0
    found = False
    for event in recorder.get_events("extra"):
        told = event.data.get("bleu") if isinstance(event.data, dict) else None
        if not isinstance(told, dict):
            continue
        found = True
        counts = [a + b for a, b in zip(counts, told["counts"], strict=True)]
        totals = [a + b for a, b in zip(totals, told["totals"], strict=True)]
        said, wanted = said + told["sys_len"], wanted + told["ref_len"]
    if not found:
        return float("nan")
    return float(_bleu_class().compute_bleu(counts, totals, said, wanted, smooth_method="exp").score)


def _bleu(language: str, *, effective_order: bool = True) -> Any:
    return _bleu_class()(tokenize=tokenizer_for(language), effective_order=effective_order)


def _bleu_class() -> Any:
    return bleu_class("Overlap", "text-metrics")


def _signature(language: str) -> str:
    bleu = _bleu(language, effective_order=False)
    # How many references there are may differ from sample to sample.
    bleu.num_refs = "var"
    return str(bleu.get_signature())


def _rouge(names: Sequence[str], language: str, stem: bool) -> Any:
    try:
        from rouge_score.rouge_scorer import RougeScorer
    except ModuleNotFoundError:
        raise missing("Overlap", "rouge-score", "text-metrics") from None
    if language == "en":
        return RougeScorer(list(names), use_stemmer=stem)
    return RougeScorer(list(names), tokenizer=CharacterTokenizer())
