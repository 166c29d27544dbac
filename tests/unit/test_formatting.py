"""Multiple-choice options are lettered, and the letter of the right one is known."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigc_evals.errors import SampleError
from aigc_evals.formatting import make_abc


def test_options_keep_their_order_without_shuffling() -> None:
    assert make_abc(["苹果", "梨"], correct_idx=1, shuffle=False) == ("A) 苹果\nB) 梨", "B")


@given(st.integers(1, 60), st.data(), st.integers())
def test_the_letter_always_stands_before_the_right_answer(n: int, data: st.DataObject, seed: int) -> None:
    correct = data.draw(st.integers(0, n - 1))
    text, letter = make_abc([f"answer {i}" for i in range(n)], correct_idx=correct, rng=random.Random(seed))
    assert f"{letter}) answer {correct}" in text.split("\n")
    assert len({line.split(")")[0] for line in text.split("\n")}) == n


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match="rng"):
        make_abc(["a", "b"])
    with pytest.raises(SampleError, match="2 answers"):
        make_abc(["a", "b"], correct_idx=2, shuffle=False)
