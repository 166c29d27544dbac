"""MatchWithSolvers: as Match, with a description of the task before the question."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from typing import Any

from aigc_evals.api import record_and_check_match
from aigc_evals.elsuite.asking import AsksOne
from aigc_evals.elsuite.basic.match import match_report
from aigc_evals.elsuite.few_shot import check_input_and_ideals
from aigc_evals.errors import SampleError, UsageError
from aigc_evals.prompt.base import is_chat_prompt
from aigc_evals.record import Recorder


class MatchWithSolvers(AsksOne):
    """The first ideal, or it with a capital first letter, starts the answer.

    ``task_description`` (or the file of that name) is sent as a system message before the sample's messages. With
    ``shuffle`` the samples are shuffled by numpy, seeded with the run's seed, and the first ``n_samples`` are taken.
    """

    def __init__(
        self,
        completion_fns: Sequence[Any],
        samples_jsonl: str,
        task_description: str,
        n_samples: int | None = None,
        shuffle: bool = True,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(completion_fns, samples_jsonl, *args, **kwargs)
        if not task_description:
            raise UsageError("the task must be described, by text or by the name of a file", key="task_description")
        if len(task_description) < 1024 and os.path.isfile(task_description):
            with open(task_description, encoding="utf-8") as file:
                task_description = file.read()
        self.task_description = task_description
        self.n_samples = n_samples
        self.shuffle = shuffle

    def check_sample(self, sample: Any) -> None:
        check_input_and_ideals(sample)
        if not is_chat_prompt(sample["input"]):
            raise SampleError("'input' must be a list of messages")
        if not sample["ideal"]:
            raise SampleError("'ideal' is empty")

    async def aeval_sample(self, sample: Any, rng: random.Random | None = None) -> Any:
        self.check_sample(sample)
        messages = [{"role": "system", "content": self.task_description}, *sample["input"]]
        sampled = await self.ask(messages)
        ideal = sample["ideal"] if isinstance(sample["ideal"], str) else sample["ideal"][0]
        return record_and_check_match(prompt=sample["input"], sampled=sampled, expected=[ideal, ideal.capitalize()])

    def get_samples(self) -> Sequence[Any]:
        """The samples that are drawn, in the order they are drawn: their ids count in this order."""
        from aigc_evals.data.samples import Subset

        samples = super().get_samples()
        order = list(range(len(samples)))
        if self.shuffle:
            import numpy as np

            np.random.RandomState(self.seed).shuffle(order)
        return Subset(samples, order[: self.n_samples])

    def run(self, recorder: Recorder) -> dict[str, Any]:
        self.eval_all_samples(recorder, self.get_samples(), collect=False)
        return match_report(recorder, std_key="bootstrap_std")
