"""What comparisons promise, over thousands of simulated pairs of runs: 95 % intervals cover, tests err as often as they say."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy
import pytest

from aigc_evals.statistics.paired import Difference, paired_difference

TIMES = 2000
RESAMPLES = 399
"""Enough random flips for a test at 5 %; the default has more, for steadier p values."""

Draw = Callable[[numpy.random.Generator, float], tuple[list[float], list[float], list[int] | None]]


def binary(draw: numpy.random.Generator, effect: float) -> tuple[list[float], list[float], None]:
    """300 right or wrong answers of two models that find the same questions hard; B has ``effect`` more right."""
    return *graded(draw, draw.normal(0, 1, 300), effect), None


def graded(draw: numpy.random.Generator, ease: numpy.ndarray, effect: float) -> tuple[list[float], list[float]]:
    """Two models' answers to questions of that ease: A right with probability 0.4 to 0.8, B with ``effect`` more."""
    chance = 0.4 + 0.4 / (1 + numpy.exp(-ease))
    a = draw.random(len(ease)) < chance
    b = draw.random(len(ease)) < chance + effect
    return a.astype(float).tolist(), b.astype(float).tolist()


def scores(draw: numpy.random.Generator, effect: float) -> tuple[list[float], list[float], None]:
    """60 scores with ties and a heavy tail."""
    a = draw.normal(0, 1, 60)
    b = a + effect + draw.standard_t(6, 60)
    return a.tolist(), b.tolist(), None


def clustered_binary(draw: numpy.random.Generator, effect: float) -> tuple[list[float], list[float], list[int]]:
    """80 passages with 4 questions each; on some passages B does much better, on some much worse."""
    clusters = numpy.repeat(numpy.arange(80), 4)
    chance = numpy.clip(0.55 + draw.uniform(-0.25, 0.25, 80), 0, 1)[clusters]
    shift = draw.choice([-0.2, 0.2], 80)[clusters] + effect
    a = (draw.random(320) < chance).astype(float)
    b = (draw.random(320) < chance + shift).astype(float)
    return a.tolist(), b.tolist(), clusters.tolist()


def clustered_scores(draw: numpy.random.Generator, effect: float) -> tuple[list[float], list[float], list[int]]:
    """60 clusters of 2 to 4 scores each, whose differences hang together."""
    clusters = numpy.repeat(numpy.arange(60), draw.integers(2, 5, 60))
    a = draw.normal(0, 1, len(clusters))
    b = a + effect + draw.normal(0, 1, 60)[clusters] + draw.normal(0, 0.7, len(clusters))
    return a.tolist(), b.tolist(), clusters.tolist()


def few_clusters(draw: numpy.random.Generator, effect: float) -> tuple[list[float], list[float], list[int]]:
    """15 clusters of 4 scores each."""
    clusters = numpy.repeat(numpy.arange(15), 4)
    a = draw.normal(0, 1, 60)
    b = a + effect + draw.normal(0, 1, 15)[clusters] + draw.normal(0, 0.7, 60)
    return a.tolist(), b.tolist(), clusters.tolist()


@cache
def simulated(case: Draw, effect: float) -> list[Difference]:
    draw = numpy.random.default_rng(20260101)
    found = []
    for number in range(TIMES):
        a, b, clusters = case(draw, effect)
        found.append(paired_difference(a, b, clusters=clusters, resamples=RESAMPLES, seed=number))
    return found


CASES = {
    binary: (0.08, "tango", "mcnemar-mid-p"),
    scores: (0.45, "t", "sign-flip"),
    clustered_binary: (0.08, "cluster-t", "cluster-t"),
    clustered_scores: (0.3, "cluster-t", "cluster-t"),
    few_clusters: (0.3, "cluster-t", "sign-flip-clusters"),
}


@pytest.mark.parametrize("case", CASES)
def test_95_percent_intervals_cover_the_true_difference_95_percent_of_the_time(case: Draw) -> None:
    effect, interval, _ = CASES[case]
    for true in (0.0, effect):
        found = simulated(case, true)
        assert {one.interval for one in found} == {interval}
        assert 0.94 <= sum(one.low <= true <= one.high for one in found) / TIMES <= 0.96, true


@pytest.mark.parametrize("case", CASES)
def test_a_test_at_5_percent_finds_a_difference_where_there_is_none_5_percent_of_the_time(case: Draw) -> None:
    found = simulated(case, 0.0)
    assert {one.test for one in found} == {CASES[case][2]}
    assert 0.04 <= sum(one.p < 0.05 for one in found) / TIMES <= 0.06


def test_mcnemar_s_exact_test_errs_less_often_than_it_says_and_so_sees_less() -> None:
    none, some = simulated(binary, 0.0), simulated(binary, 0.08)
    assert sum((one.p_exact or 0) < 0.05 for one in none) < sum(one.p < 0.05 for one in none)
    assert sum((one.p_exact or 0) < 0.05 for one in some) < sum(one.p < 0.05 for one in some)


def test_ignoring_clusters_would_find_differences_that_are_not_there() -> None:
    draw = numpy.random.default_rng(7)
    wrong = 0
    for _ in range(400):
        a, b, _clusters = clustered_scores(draw, 0.0)
        one = paired_difference(a, b, resamples=99)
        wrong += not one.low <= 0 <= one.high
    assert wrong / 400 > 0.1


def test_the_smallest_detectable_difference_is_found_four_times_out_of_five() -> None:
    detectable = sum(one.detectable for one in simulated(scores, 0.0)) / TIMES
    assert detectable == pytest.approx(CASES[scores][0], rel=0.02)
    found = sum(one.p < 0.05 for one in simulated(scores, CASES[scores][0])) / TIMES
    assert 0.77 <= found <= 0.83


def test_equivalence_is_claimed_wrongly_at_most_5_percent_of_the_time() -> None:
    draw = numpy.random.default_rng(11)
    claimed = 0
    for _ in range(1000):
        a, b, _ = binary(draw, 0.08)
        p_same = paired_difference(a, b, margin=0.08).p_same
        claimed += p_same is not None and p_same < 0.05
    assert 0.03 <= claimed / 1000 <= 0.065
