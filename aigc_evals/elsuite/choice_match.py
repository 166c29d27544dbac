"""ChoiceMatch: choice questions whose answers are free text, with the accuracy by subject and category."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from aigc_evals.elsuite.choice_extraction import LETTERS, extract
from aigc_evals.elsuite.few_shot import FewShotBySubject, check_input_and_ideals, ideals
from aigc_evals.elsuite.read_answer import ReadAnswer
from aigc_evals.errors import UsageError
from aigc_evals.eval import need


class ChoiceMatch(ReadAnswer):
    """Correct when the letter that the answer chooses, read from free text in Chinese or English, is an ideal.

    A sample has ``input``, ``ideal`` (a letter, or a list of letters of which any is right), perhaps ``choices`` (letters to
    texts, a list of texts, or a number of options; without it the options are A to D, and further if an ideal is) and
    ``metadata`` with ``subject`` and ``category``, by which the report groups. With ``multiple: true`` a question has
    several right letters (``"ABD"`` or a list), and exactly these must be chosen.

    An answer that chooses no letter, or not one alone, cannot be read. ``rule`` of a ``match`` event says what the letter was
    read by (see ``choice_extraction``). ``by`` names the keys of ``metadata`` to group by. Examples from
    ``few_shot_jsonl`` are of the sample's own subject, where they have a ``metadata.subject``.
    """

    few_shot_rows = FewShotBySubject

    def __init__(
        self, *args: Any, multiple: bool = False, by: Sequence[str] | str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.multiple = multiple
        if by is not None:
            self.group_by = _names(by)

    def check_sample(self, sample: Any) -> None:
        check_input_and_ideals(sample)
        answers = ideals(sample)
        need(bool(answers), "'ideal' is empty: there is no right option")
        options = options_of(sample)
        for answer in answers:
            need(
                bool(answer) and (self.multiple or len(answer) == 1) and all(letter in options for letter in answer),
                f"'ideal' must be {'letters' if self.multiple else 'one letter'} of {''.join(options)}, got {answer!r}",
            )
        self._examples.check(sample)

    async def aeval_sample(self, sample: Any, rng: random.Random | None = None) -> Any:
        self.check_sample(sample)
        sampled = await self.answer(sample)
        found = extract(sampled, options_of(sample), several=self.multiple)
        expected = ["".join(sorted(set("".join(ideals(sample)))))] if self.multiple else ideals(sample)
        correct = found.letters in expected
        return self.record(correct, found.letters or None, expected=expected, sampled=sampled, rule=found.rule)


def options_of(sample: Mapping[str, Any]) -> dict[str, str]:
    """The letters of a sample's options, each with its text ("" where the sample does not say it); SampleError for others."""
    choices = sample.get("choices")
    if isinstance(choices, Mapping):
        good = all(
            isinstance(k, str) and len(k) == 1 and k in LETTERS and isinstance(v, str) for k, v in choices.items()
        )
        need(good and bool(choices), f"'choices' must map letters to texts, got {choices!r:.80}")
        return dict(choices)
    if isinstance(choices, list):
        good = 0 < len(choices) <= len(LETTERS) and all(isinstance(text, str) for text in choices)
        need(good, f"'choices' must be a list of at most {len(LETTERS)} texts, got {choices!r:.80}")
        return dict(zip(LETTERS, choices, strict=False))
    if choices is None:
        last = max((letter for ideal in ideals(sample) for letter in ideal if letter in LETTERS), default="D")
        choices = max(4, LETTERS.index(last) + 1)
    good = isinstance(choices, int) and not isinstance(choices, bool) and 0 < choices <= len(LETTERS)
    need(good, f"'choices' must be texts by letter, a list of texts, or their number, got {choices!r:.80}")
    return dict.fromkeys(LETTERS[:choices], "")


def _names(by: Any) -> tuple[str, ...]:
    names = [by] if isinstance(by, str) else by
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        raise UsageError(f"names of keys of 'metadata' are wanted, got {by!r}", key="by")
    return tuple(names)
