"""JsonExtraction: what was extracted as JSON, against what should have been: precision, recall and F1 by field."""

from __future__ import annotations

import json
import random
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from aigc_evals.base import Outcome
from aigc_evals.elsuite.asking import AsksOne
from aigc_evals.elsuite.few_shot import check_prompt
from aigc_evals.errors import SampleError
from aigc_evals.eval import check_keys, need
from aigc_evals.record import Recorder, record_match, record_metrics
from aigc_evals.record.scope import current_scope

_FENCE = re.compile(r"```[^\n`]*\n(.*?)```", re.DOTALL)
_MOST_STARTS = 200
"""Brackets in a reply at which JSON is looked for."""

_MOST_PATHS = 10_000
"""Paths that are counted by themselves: what a model makes up has no end."""

Fields = Counter[tuple[str, tuple[str, Any]]]


class Counts(NamedTuple):
    """Values that are right, that were extracted, and that were expected."""

    right: int
    extracted: int
    expected: int

    def __add__(self, other: object) -> Counts:
        if not isinstance(other, tuple):
            return NotImplemented
        return Counts(*(a + b for a, b in zip(self, other, strict=True)))

    @property
    def precision(self) -> float:
        return self._share(self.extracted)

    @property
    def recall(self) -> float:
        return self._share(self.expected)

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall: 2 right / (extracted + expected); 1 where there was nothing to find."""
        both = self.extracted + self.expected
        return 2 * self.right / both if both else 1.0

    def _share(self, of: int) -> float:
        if not self.extracted and not self.expected:
            return 1.0
        return self.right / of if of else 0.0


def fields_of(value: Any) -> Fields:
    """The values in a JSON value, each with its path (``address.city``), counted: the items of a list have the list's path.

    Texts are compared after NFKC and without white space around, numbers by value, and true is not 1. Null, empty lists and
    empty objects are no values: saying nothing of a field is the same as leaving it out.
    """
    return Counter(_leaves(value))


def _leaves(whole: Any) -> Iterator[tuple[str, tuple[str, Any]]]:
    # A list of values still to do, as a model's JSON may be deeper than Python's stack.
    todo: list[tuple[str, Any]] = [("", whole)]
    while todo:
        path, value = todo.pop()
        if isinstance(value, Mapping):
            todo += [(f"{path}.{key}" if path else str(key), inner) for key, inner in value.items()]
        elif isinstance(value, list):
            todo += [(path, inner) for inner in value]
        elif isinstance(value, bool):
            yield path, ("bool", value)
        elif isinstance(value, (int, float)):
            yield path, ("number", value)
        elif isinstance(value, str):
            yield path, ("text", unicodedata.normalize("NFKC", value).strip())


def compare(extracted: Any, expected: Any) -> dict[str, Counts]:
    """The counts by path, for every path that either JSON value has."""
    got, wanted = fields_of(extracted), fields_of(expected)
    right = _by_path(got & wanted)
    said, needed = _by_path(got), _by_path(wanted)
    return {path: Counts(right[path], said[path], needed[path]) for path in sorted({*said, *needed})}


def total(counts: Iterable[Counts]) -> Counts:
    return sum(counts, Counts(0, 0, 0))


def _by_path(fields: Fields) -> Counter[str]:
    found: Counter[str] = Counter()
    for (path, _), count in fields.items():
        found[path] += count
    return found


def read_json(reply: str, kind: type | tuple[type, ...] = (dict, list)) -> Any:
    """The JSON object or list (``kind``) in a reply: all of it, its last fenced block that is one, or the last one in its text.

    None where there is none.
    """
    for text in (reply.strip(), *reversed(_FENCE.findall(reply))):
        value = _loaded(text)
        if isinstance(value, kind):
            return value
    decoder = json.JSONDecoder(parse_constant=_no_constant)
    found, place = None, 0
    for _ in range(_MOST_STARTS):
        start = re.compile(r"[{\[]").search(reply, place)
        if start is None:
            break
        try:
            value, place = decoder.raw_decode(reply, start.start())
        except (ValueError, RecursionError):
            place = start.end()
            continue
        if isinstance(value, kind):
            found = value
    return found


def _loaded(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


class JsonExtraction(AsksOne):
    """Precision, recall and F1 of the values in a JSON answer against those in the ideal.

    A sample has ``input`` and ``ideal``: an object, or a text that is JSON (an object or a list). A value is right when the
    ideal has it at the same path (``address.city``), as often as the ideal has it; the order in lists does not matter, and
    which values stand together in a list of objects is not looked at. A key the answer lacks costs recall, one that it adds
    costs precision. Precision is right / extracted, recall right / expected, F1 = 2 right / (extracted + expected).

    ``precision``, ``recall`` and ``f1`` are means over samples; ``precision_micro``, ``recall_micro`` and ``f1_micro`` come from the
    counts of all samples (micro average over fields), ``fields`` has the same by path, for the ideals' paths, and ``accuracy``
    is the share of answers with every value right and none too many. The JSON may stand in a fence or in text around it; an
    answer without any is ``unparsed``, and ``f1_micro_unparsed_empty`` takes it for one in which nothing was extracted.
    """

    metric_ranges = dict.fromkeys(("accuracy", "precision", "recall", "f1"), (0.0, 1.0))

    def __init__(self, *args: Any, max_tokens: int = 1024, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.max_tokens = max_tokens

    def check_sample(self, sample: Any) -> None:
        check_keys(sample, "input", "ideal")
        check_prompt(sample["input"], "input")
        ideal = ideal_of(sample)
        need(isinstance(ideal, (dict, list)), "'ideal' must be an object, or JSON of an object or a list")

    async def aeval_sample(self, sample: Any, rng: random.Random | None = None) -> Any:
        self.check_sample(sample)
        ideal = ideal_of(sample)
        sampled = await self.ask(sample["input"], temperature=0.0, max_tokens=self.max_tokens)
        value = read_json(sampled, type(ideal))
        counts = compare({} if value is None else value, ideal)
        told = total(counts.values())
        exact = value is not None and told.right == told.extracted == told.expected
        record_match(
            exact,
            expected=ideal,
            picked=value,
            sampled=sampled,
            parsed=value is not None,
            fields={path: list(found) for path, found in counts.items()},
        )
        if value is not None:
            record_metrics(precision=told.precision, recall=told.recall, f1=told.f1)
        scope = current_scope()
        if value is None and scope is not None and scope.answer_flaw is None:
            scope.outcome = Outcome.UNPARSED
        return told

    def run(self, recorder: Recorder) -> dict[str, Any]:
        self.eval_all_samples(recorder, self.get_samples(), collect=False)
        read, fields, every, exact = Counts(0, 0, 0), dict[str, Counts](), Counts(0, 0, 0), [0, 0]
        for event in recorder.get_events("match"):
            counts = {path: Counts(*numbers) for path, numbers in event.data["fields"].items()}
            every += total(counts.values())
            if not event.data["parsed"]:
                continue
            read += total(counts.values())
            exact = [exact[0] + event.data["correct"], exact[1] + 1]
            for path, found in counts.items():
                if path in fields or len(fields) < _MOST_PATHS:
                    fields[path] = fields.get(path, Counts(0, 0, 0)) + found
        if not exact[1]:
            return {"accuracy": float("nan"), "f1_micro": float("nan"), "f1_micro_unparsed_empty": every.f1}
        return {
            "accuracy": exact[0] / exact[1],
            "precision_micro": read.precision,
            "recall_micro": read.recall,
            "f1_micro": read.f1,
            "f1_micro_unparsed_empty": every.f1,
            "fields": {path: _figures(fields[path]) for path in sorted(fields) if fields[path].expected},
        }


def ideal_of(sample: Mapping[str, Any]) -> Any:
    """The ideal as a JSON value; SampleError for a text that is not JSON."""
    ideal = sample["ideal"]
    if not isinstance(ideal, str):
        return ideal if isinstance(ideal, dict) else None
    try:
        return json.loads(ideal, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise SampleError(f"the ideal {ideal[:80]!r} is not JSON: {error}") from None


def _figures(counts: Counts) -> dict[str, float | int]:
    return {"n": counts.expected, "precision": counts.precision, "recall": counts.recall, "f1": counts.f1}
