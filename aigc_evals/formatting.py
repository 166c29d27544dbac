"""Multiple-choice questions as text."""

from __future__ import annotations

import random
from collections.abc import Sequence

from aigc_evals.errors import SampleError


def make_abc(
    answers: Sequence[str], *, correct_idx: int = 0, shuffle: bool = True, rng: random.Random | None = None
) -> tuple[str, str]:
    """The answers lettered line by line ("A) ..."), and the letter of answer ``correct_idx``.

    With ``shuffle`` they come in an order drawn from ``rng``, which must then be given. After Z letters go on
    with AA.
    """
    if not 0 <= correct_idx < len(answers):
        raise SampleError(f"correct_idx is {correct_idx}, but there are {len(answers)} answers")
    order = list(range(len(answers)))
    if shuffle:
        if rng is None:
            raise ValueError("shuffling the answers needs an rng")
        rng.shuffle(order)
    lines = [f"{_letters(place)}) {answers[which]}" for place, which in enumerate(order)]
    return "\n".join(lines), _letters(order.index(correct_idx))


def _letters(place: int) -> str:
    before, last = divmod(place, 26)
    return (_letters(before - 1) if before else "") + chr(ord("A") + last)
