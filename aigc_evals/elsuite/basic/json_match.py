"""JsonMatch: the answer and an ideal are the same JSON value."""

from __future__ import annotations

import json
import random
from typing import Any

from aigc_evals.base import Outcome
from aigc_evals.elsuite.asking import AsksOne
from aigc_evals.elsuite.few_shot import check_input_and_ideals, ideals
from aigc_evals.errors import SampleError
from aigc_evals.record import Recorder, record_match, record_metrics
from aigc_evals.sampling import NoAnswer


def json_match(sampled_json: Any, correct_json: Any) -> bool:
    """Whether two JSON values are equal: objects by key (a missing one is null), lists by position and length.

    Null equals nothing, not even null.
    """
    if sampled_json is None or correct_json is None:
        return False
    if isinstance(sampled_json, dict) or isinstance(correct_json, dict):
        if not (isinstance(sampled_json, dict) and isinstance(correct_json, dict)):
            return False
        return all(json_match(sampled_json.get(key), correct_json.get(key)) for key in {**sampled_json, **correct_json})
    if isinstance(sampled_json, list) or isinstance(correct_json, list):
        if not (isinstance(sampled_json, list) and isinstance(correct_json, list)):
            return False
        return len(sampled_json) == len(correct_json) and all(map(json_match, sampled_json, correct_json))
    return bool(sampled_json == correct_json)


class JsonMatch(AsksOne):
    """Correct when the answer parses to the same JSON value as an ideal; an answer that is not JSON is wrong."""

    def __init__(self, *args: Any, max_tokens: int = 512, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.max_tokens = max_tokens

    def check_sample(self, sample: Any) -> None:
        check_input_and_ideals(sample)
        for ideal in ideals(sample):
            try:
                json.loads(ideal)
            except (ValueError, RecursionError) as error:
                raise SampleError(f"an ideal of JsonMatch must be JSON, and {ideal[:80]!r} is not: {error}") from None

    async def aeval_sample(self, sample: Any, rng: random.Random | None = None) -> Any:
        self.check_sample(sample)
        answers = ideals(sample)
        sampled = await self.ask(sample["input"], temperature=0.0, max_tokens=self.max_tokens)
        try:
            value = json.loads(sampled)
        except ValueError:
            value = None
        except RecursionError:
            raise NoAnswer(Outcome.UNPARSED) from None
        matches = [json_match(value, json.loads(answer)) for answer in answers]
        record_match(any(matches), expected=answers, picked=[sampled for match in matches if match])
        record_metrics(accuracy=float(any(matches)))
        return any(matches)

    def run(self, recorder: Recorder) -> dict[str, Any]:
        self.eval_all_samples(recorder, self.get_samples(), collect=False)
        return {"accuracy": recorder.scores.mean("accuracy")}
