"""MultipleChoice: one letter out of several options."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlparse

from aigc_evals.api import record_and_check_match
from aigc_evals.elsuite.datasets import load_rows
from aigc_evals.elsuite.few_shot import one_function
from aigc_evals.errors import SampleError, UsageError
from aigc_evals.eval import Eval, check_keys
from aigc_evals.formatting import make_abc
from aigc_evals.record import Recorder
from aigc_evals.record.scores import MATCH

_COLUMNS = {
    "hellaswag": ("ctx", "endings", "label"),
    "hendrycks_test": ("question", "choices", "answer"),
}


class MultipleChoice(Eval):
    """The options are shuffled by the sample's own random numbers and lettered; the answer must start with the right letter.

    ``dataset`` is ``hf://hellaswag?name=...&split=...`` or ``hf://hendrycks_test?...``, or a local JSONL file whose rows
    have ``question``, ``answers`` and ``label`` (index of the right answer, from 0).
    """

    length_limited = True

    def __init__(
        self, completion_fns: Sequence[Any], dataset: str, *args: Any, instructions: str | None = "", **kwargs: Any
    ) -> None:
        super().__init__(completion_fns, *args, **kwargs)
        one_function(self)
        self.dataset = dataset
        self.instructions = instructions or ""
        self._columns = ("question", "answers", "label")

    def get_samples(self) -> Sequence[Any]:
        address = urlparse(self.dataset)
        if address.scheme != "hf":
            return load_rows(self, self.dataset)
        if address.netloc not in _COLUMNS:
            raise UsageError(f"unknown data set {self.dataset!r}; known are {', '.join(_COLUMNS)}", key="dataset")
        self._columns = _COLUMNS[address.netloc]
        return load_rows(self, address.netloc, **{key: values[0] for key, values in parse_qs(address.query).items()})

    def check_sample(self, sample: Any) -> None:
        check_keys(sample, *self._columns)
        answers, label = sample[self._columns[1]], sample[self._columns[2]]
        if not isinstance(answers, Sequence) or not str(label).isdigit() or int(label) >= len(answers):
            raise SampleError(f"{self._columns[2]!r} must be the index of one of the answers, got {label!r}")

    async def aeval_sample(self, sample: Any, rng: random.Random) -> Any:
        question, answers, label = (sample[column] for column in self._columns)
        options, correct = make_abc(answers=answers, correct_idx=int(label), rng=rng)
        prompt = f"{self.instructions}\nReply with nothing but the letter of the right option.\n\n{question}\n{options}"
        sampled = await self.ask(prompt, temperature=0.0, max_tokens=1)
        return record_and_check_match(prompt=prompt, sampled=sampled, expected=correct)

    def run(self, recorder: Recorder) -> dict[str, Any]:
        self.eval_all_samples(recorder, self.get_samples(), collect=False)
        return {"accuracy": recorder.scores.mean(MATCH)}
