"""ModelBasedClassify: a grading model says which of a few verdicts an answer deserves."""

from __future__ import annotations

import hashlib
import inspect
import random
import string
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from aigc_evals.base import JudgeRule, Outcome
from aigc_evals.elsuite.few_shot import check_prompt
from aigc_evals.elsuite.modelgraded.classify_utils import (
    INVALID_STR,
    aask,
    aclassify,
    asample_and_concat_n_completions,
    get_choice_strings,
    judge_prompt,
    match_function,
    score_table,
)
from aigc_evals.elsuite.utils import completion_arguments
from aigc_evals.errors import EndpointError, UsageError
from aigc_evals.eval import Eval, check_keys
from aigc_evals.fastjson import encode
from aigc_evals.record import Recorder, record_metrics
from aigc_evals.record.scope import current_scope
from aigc_evals.sampling import JudgeFailure, NoAnswer

FROM_MODELS = "from_models"


class ModelBasedClassify(Eval):
    """Answers are graded by a model that picks one of a spec's choices.

    The grading model is ``eval_model`` where given, else the run's ``--judge``, else the last of several completion
    functions, else ``AIGC_EVALS_JUDGE``, else the only one, which then judges itself (with ``metaeval`` it is what is
    measured, and ``AIGC_EVALS_JUDGE`` does not replace it). ``modelgraded_spec`` names the spec,
    ``modelgraded_spec_args`` fill further placeholders of its prompt; ``eval_type`` says how the verdict is asked for;
    ``multicomp_n`` asks for several completions at once (the number, or ``from_models``: one from each function);
    ``metaeval`` compares the verdict with the sample's own ``choice``. ``sample_kwargs`` and ``eval_kwargs`` (max_tokens,
    temperature, n_samples, completion_kwargs) go to the calls.
    """

    def __init__(
        self,
        modelgraded_spec: str,
        *args: Any,
        modelgraded_spec_args: Mapping[str, Any] | None = None,
        sample_kwargs: Mapping[str, Any] | None = None,
        eval_kwargs: Mapping[str, Any] | None = None,
        multicomp_n: int | str = 1,
        eval_type: str | None = None,
        match_fn: str | None = None,
        metaeval: bool = False,
        eval_model: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.eval_completion_fn = self.choose_judge(eval_model, under_test=metaeval)
        self.sample_kwargs = {"max_tokens": 1024, **(sample_kwargs or {})}
        self.eval_kwargs = {"max_tokens": 1024, **(eval_kwargs or {})}
        self.modelgraded_spec_args = dict(modelgraded_spec_args or {})
        self.eval_type = eval_type
        self.match_fn = match_fn
        self.metaeval = metaeval
        self.multicomp_n = self._number_of_completions(multicomp_n)
        self.mg = self.registry.get_modelgraded_spec(modelgraded_spec)
        self._check_spec()

    def _number_of_completions(self, multicomp_n: int | str) -> int:
        n_models = len(self.completion_fns)
        if multicomp_n == FROM_MODELS:
            if n_models < 2:
                raise UsageError("from_models needs several models and one that grades", key="multicomp_n")
            return n_models
        if not isinstance(multicomp_n, int) or isinstance(multicomp_n, bool) or multicomp_n < 1:
            raise UsageError(f"expected a number or from_models, got {multicomp_n!r}", key="multicomp_n")
        if n_models > 1 and multicomp_n != n_models:
            hint = "A judge is named, so every completion function is asked; leave out the one that is not to be asked."
            raise UsageError(
                f"{n_models} models are to give {multicomp_n} completions",
                key="multicomp_n",
                hint=hint if self.judge is not None and self.judge.rule != JudgeRule.LAST else None,
            )
        return multicomp_n

    def _check_spec(self) -> None:
        """Whatever is wrong with the spec or the arguments is found before anything is asked."""
        choices = get_choice_strings(self.mg.choice_strings, n=self.multicomp_n)
        self._needed = self._placeholders(judge_prompt(self.mg, self.eval_type, choices))
        match_function(self.match_fn)
        if self.mg.eval_type is None and self.eval_type is None:
            raise UsageError(
                f"neither the eval nor the spec {self.mg.key!r} says how the verdict is given", key="eval_type"
            )
        if self.multicomp_n > 1 and not self.mg.output_template:
            raise UsageError(
                f"the spec {self.mg.key!r} has no output_template for several completions", key="multicomp_n"
            )
        scores = score_table(choices, self.mg.choice_scores)
        ranges = {"metascore": (0.0, 1.0)}
        if scores:
            ranges["score"] = (min(scores.values()), max(scores.values()))
        self.metric_ranges = ranges
        for name, given in (("sample_kwargs", self.sample_kwargs), ("eval_kwargs", self.eval_kwargs)):
            unknown = set(given) - set(inspect.signature(completion_arguments).parameters)
            if unknown:
                raise UsageError(f"unknown keys {sorted(unknown)}", key=name)

    def _placeholders(self, prompt: list[dict[str, Any]]) -> list[str]:
        """What the judge's prompt wants of a sample, besides what the eval itself knows."""
        known = {"n", *self.modelgraded_spec_args, *self.mg.input_outputs.values()}
        needed: dict[str, None] = {}
        for message in prompt:
            try:
                fields = [name for _, name, _, _ in string.Formatter().parse(str(message.get("content", ""))) if name]
            except ValueError as error:
                raise UsageError(
                    f"the prompt of the spec {self.mg.key!r} is malformed: {error}", key="prompt"
                ) from None
            needed.update(dict.fromkeys(name for name in fields if name not in known))
        return list(needed)

    def facts(self) -> Mapping[str, Any]:
        return {"modelgraded_spec": {"sha256": hashlib.sha256(encode(asdict(self.mg))).hexdigest()}}

    def check_sample(self, sample: Any) -> None:
        check_keys(sample, *self.mg.input_outputs, *self._needed)
        for key, output in self.mg.input_outputs.items():
            if output not in sample:
                check_prompt(sample[key], key)
        if self.metaeval:
            check_keys(sample, "choice")

    async def aeval_sample(self, sample: Any, rng: random.Random | None = None) -> Any:
        self.check_sample(sample)
        completions = {
            output: await self._answer(sample[key])
            for key, output in self.mg.input_outputs.items()
            if output not in sample
        }
        try:
            choice, info = await aclassify(
                self.mg,
                self.eval_completion_fn,
                completion_kwargs=self.eval_kwargs,
                format_kwargs={**completions, **sample, **self.modelgraded_spec_args},
                eval_type=self.eval_type,
                n=self.multicomp_n,
                match_fn=self.match_fn,
            )
        except EndpointError as error:
            _count("invalid_judge")
            raise JudgeFailure from error
        metrics: dict[str, Any] = {"choice": choice, "score": info["score"]}
        if self.metaeval:
            metrics["metascore"] = choice == sample["choice"]
        scope = current_scope()
        if scope is not None and (choice == INVALID_STR or self._cut_before_the_verdict(scope.judge_flaw)):
            scope.outcome = Outcome.JUDGE_FAILED
        record_metrics(**metrics)
        return choice

    def _cut_before_the_verdict(self, flaw: Outcome | None) -> bool:
        """Whether what was read as the verdict is the last line of a reply that broke off: reasons, not a verdict."""
        return flaw is Outcome.TRUNCATED and (self.mg.eval_type or self.eval_type or "").startswith("cot_classify")

    async def _answer(self, prompt: Any) -> str:
        """The completion, or the several of them laid out together, of one input."""
        try:
            if self.multicomp_n > 1:
                return await asample_and_concat_n_completions(
                    self.completion_fns, prompt, self.multicomp_n, self.mg.output_template, self.sample_kwargs
                )
            answer = await aask(self.completion_fn, prompt, completion_arguments(**self.sample_kwargs))
        except EndpointError:
            _count("invalid_policy")
            raise
        scope = current_scope()
        if scope is not None and scope.answer_flaw in (Outcome.REFUSED, Outcome.EMPTY) and not answer.strip():
            # There is nothing to be graded.
            raise NoAnswer(scope.answer_flaw)
        return answer

    def _own_judge(self, samples: Sequence[Any]) -> None:
        """Say so where a model judges its own answers; samples may also bring the answers that are judged."""
        own = self.judge is not None and self.judge.rule == JudgeRule.ITSELF and len(samples) > 0
        if own and any(output not in samples[0] for output in self.mg.input_outputs.values()):
            self.remark(
                "the model judges its own answers; name a judge by --judge, by the argument eval_model, as a further "
                "completion function, or by AIGC_EVALS_JUDGE"
            )

    def run(self, recorder: Recorder) -> dict[str, Any]:
        samples = self.get_samples()
        self._own_judge(samples)
        self.eval_all_samples(recorder, samples, collect=False)
        scores = recorder.scores
        report: dict[str, Any] = {}
        for choice, count in scores.labels.get("choice", {}).items():
            report[f"counts/{choice}"] = count
            report[f"counts/choice/{choice}"] = count
        for key in ("score", "metascore"):
            if scores.count(key):
                report[key] = scores.mean(key)
        report["invalid_request_during_completion"] = scores.totals["invalid_policy"]
        report["invalid_request_during_evaluation"] = scores.totals["invalid_judge"]
        return report


def _count(key: str) -> None:
    scope = current_scope()
    if scope is not None:
        scope.count(key)
