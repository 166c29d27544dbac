"""Metrics over match events give openai/evals' figures."""

from __future__ import annotations

import math
import random
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigc_evals import metrics
from aigc_evals.errors import SampleError


def matches(*correct: Any) -> list[Any]:
    return [SimpleNamespace(data={"correct": value}) for value in correct]


def picks(*pairs: tuple[Any, Any]) -> list[Any]:
    return [SimpleNamespace(data={"expected": expected, "picked": picked}) for expected, picked in pairs]


def test_accuracy_is_the_share_of_correct_events_of_any_iterable() -> None:
    assert metrics.get_accuracy(matches(True, False, True, True)) == 0.75
    assert metrics.get_accuracy(iter(matches(True, False))) == 0.5
    assert math.isnan(metrics.get_accuracy([]))


@pytest.mark.parametrize("n_correct, n", [(0, 0), (1, 1), (0, 1)])
def test_no_half_can_be_drawn_from_fewer_than_two(n_correct: int, n: int) -> None:
    assert math.isnan(metrics.half_sample_std(n_correct, n))


@pytest.mark.parametrize("n_correct, n", [(1, 2), (3, 10), (50, 101), (1, 1000), (700, 1000), (0, 50), (50, 50)])
def test_the_half_sample_std_is_that_of_halves_really_drawn(n_correct: int, n: int) -> None:
    values = [1] * n_correct + [0] * (n - n_correct)
    rng = random.Random(1)
    drawn = float(np.std([np.mean(rng.sample(values, n // 2)) for _ in range(4000)]))
    assert metrics.half_sample_std(n_correct, n, 4000) == pytest.approx(drawn, rel=0.1, abs=1e-12)


@given(st.integers(2, 10**7), st.data())
def test_the_half_sample_std_follows_the_hypergeometric_variance(n: int, data: st.DataObject) -> None:
    n_correct = data.draw(st.integers(0, n))
    half = n // 2
    share = n_correct / n
    theory = math.sqrt(share * (1 - share) / half * (n - half) / (n - 1))
    found = metrics.half_sample_std(n_correct, n, 400)
    if min(n_correct, n - n_correct) >= 5 and half >= 5:
        assert found == pytest.approx(theory, rel=0.25)
    assert found == metrics.half_sample_std(n_correct, n, 400)


def test_the_seed_decides() -> None:
    events = matches(*[True, False, False] * 20)
    assert metrics.get_bootstrap_accuracy_std(events) == metrics.get_bootstrap_accuracy_std(iter(events))
    assert metrics.get_bootstrap_accuracy_std(events) != metrics.get_bootstrap_accuracy_std(events, seed=1)


def test_scores_between_0_and_1_are_drawn_as_they_are() -> None:
    assert metrics.get_bootstrap_accuracy_std(matches(0.5, 0.5, 0.5)) == 0
    assert metrics.get_bootstrap_accuracy_std(matches(0.1, 0.9, 0.3, 1.0)) > 0
    assert math.isnan(metrics.get_bootstrap_accuracy_std(matches(0.5)))


def test_the_confusion_matrix_counts_picks_outside_the_labels_last() -> None:
    events = picks(("甲", "甲"), ("甲", "乙"), ("乙", None), ("乙", ["x"]), ("乙", "乙"))
    matrix = metrics.get_confusion_matrix(iter(events), class_labels=["甲", "乙"])
    assert matrix.tolist() == [[1, 1, 0], [0, 1, 2]]
    assert metrics.get_confusion_matrix(picks(("b", "a"), ("a", "a"))).tolist() == [[1, 0, 0], [1, 0, 0]]
    with pytest.raises(SampleError):
        metrics.get_confusion_matrix(events, class_labels={"甲"})


def test_scores_of_a_confusion_matrix() -> None:
    matrix = np.array([[8, 2, 0], [1, 6, 3]])
    assert metrics.compute_precision(matrix) == pytest.approx(8 / 9)
    assert metrics.compute_recall(matrix, 1) == pytest.approx(0.6)
    assert metrics.compute_f_score(matrix) == pytest.approx(2 * (8 / 9 * 0.8) / (8 / 9 + 0.8))
    assert metrics.compute_f_score(matrix, beta=2) == pytest.approx(5 * (8 / 9 * 0.8) / (4 * 8 / 9 + 0.8))
    both = [metrics.compute_f_score(matrix, i) for i in (0, 1)]
    assert metrics.compute_averaged_f_score(matrix) == pytest.approx(sum(both) / 2)
    with pytest.raises(SampleError):
        metrics.compute_averaged_f_score(matrix, average="micro")


def test_matthews_correlation_leaves_its_argument_alone_and_does_not_overflow() -> None:
    matrix = np.array([[8, 2, 0], [1, 6, 3]])
    expected = (6 * 8 - 4 * 2) / math.sqrt(10 * 10 * 12 * 8)
    assert metrics.compute_matthew_corr(matrix) == pytest.approx(expected)
    assert matrix.tolist() == [[8, 2, 0], [1, 6, 3]]
    assert metrics.compute_matthew_corr(matrix * 10**6) == pytest.approx(expected)
    assert math.isnan(metrics.compute_matthew_corr(np.zeros((2, 3), dtype=int)))
    with pytest.raises(SampleError):
        metrics.compute_matthew_corr(np.zeros((3, 4), dtype=int))


def test_nothing_picked_or_nothing_there_is_nan() -> None:
    empty = np.zeros((2, 3), dtype=int)
    assert math.isnan(metrics.compute_precision(empty))
    assert math.isnan(metrics.compute_recall(empty))
    assert math.isnan(metrics.compute_f_score(empty))
