"""The formulas of comparisons agree with scipy, with published values, and with what can be counted by hand."""

from __future__ import annotations

import itertools
import math
import random
from array import array

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from aigc_evals.statistics import student_t_tail
from aigc_evals.statistics.paired import (
    correlation,
    holm,
    mcnemar,
    paired_difference,
    sign_flip_p,
    smallest_detectable,
    tango_interval,
    verdict,
)


def pairs(n: int, seed: int = 1) -> tuple[list[float], list[float]]:
    draw = random.Random(seed)
    a = [draw.gauss(0, 1) for _ in range(n)]
    return a, [x + draw.gauss(0.3, 1) for x in a]


@given(st.floats(-50, 50), st.floats(0.5, 1e5))
@settings(max_examples=100, deadline=None)
def test_the_tail_of_student_s_t_is_scipy_s(t: float, df: float) -> None:
    assert student_t_tail(t, df) == pytest.approx(stats.t.sf(t, df), rel=1e-6, abs=1e-14)


@pytest.mark.parametrize("n", [2, 3, 10, 57, 400])
def test_numeric_scores_are_compared_as_in_the_paired_t_test(n: int) -> None:
    a, b = pairs(n)
    ours, theirs = paired_difference(a, b), stats.ttest_rel(b, a)
    low, high = theirs.confidence_interval(0.95)
    assert (ours.low, ours.high) == pytest.approx((low, high))
    assert ours.difference / ours.stderr == pytest.approx(theirs.statistic)
    assert ours.correlation == pytest.approx(stats.pearsonr(a, b).statistic)
    assert ours.interval == "t"


@given(st.integers(0, 400), st.integers(0, 400))
@settings(max_examples=60, deadline=None)
def test_mcnemar_s_exact_test_is_the_binomial_one(wins: int, losses: int) -> None:
    expected = stats.binomtest(wins, wins + losses).pvalue if wins + losses else 1.0
    assert mcnemar(wins, losses) == pytest.approx(expected, rel=1e-9)
    point = stats.binom.pmf(wins, wins + losses, 0.5) if wins + losses else 0.0
    mid = expected - point if wins != losses else 1.0
    assert mcnemar(wins, losses, mid=True) == pytest.approx(mid, rel=1e-9)


def test_mcnemar_of_a_million_samples_takes_no_time() -> None:
    assert mcnemar(500_000, 501_000) == pytest.approx(stats.binomtest(500_000, 1_001_000).pvalue, rel=1e-6)


def test_the_exact_test_of_published_ratings() -> None:
    """Approval of a politician by 1,600 people, asked twice (Agresti, Categorical Data Analysis, table 10.1)."""
    low, high = tango_interval(150, 86, 1600)
    assert (round(low, 3), round(high, 3)) == (0.021, 0.059)
    assert (150 - 86) / math.sqrt(150 + 86) == pytest.approx(4.17, abs=0.01)
    assert mcnemar(150, 86) == pytest.approx(3.7e-5, rel=0.01)


@pytest.mark.parametrize(("wins", "losses", "n"), [(9, 1, 44), (30, 22, 120), (3, 0, 20), (7, 7, 50)])
def test_the_ends_of_tango_s_interval_are_where_the_score_test_is_just_significant(
    wins: int, losses: int, n: int
) -> None:
    """The constrained likelihood is maximised numerically here, not by Tango's root."""
    for delta in tango_interval(wins, losses, n):

        def unlikely(q: float, delta: float = delta) -> float:
            cells = ((wins, q + delta), (losses, q), (n - wins - losses, 1 - 2 * q - delta))
            return -sum(count * math.log(max(p, 1e-300)) for count, p in cells if count)

        q = optimize.minimize_scalar(
            unlikely, bounds=(max(0.0, -delta), (1 - delta) / 2), method="bounded", options={"xatol": 1e-12}
        ).x
        z = (wins - losses - n * delta) / math.sqrt(n * (2 * q + delta - delta**2))
        assert abs(z) == pytest.approx(1.959964, rel=1e-3)


def test_no_difference_seen_is_not_no_difference() -> None:
    right = [1.0] * 100
    one = paired_difference(right, right, margin=0.05)
    assert (one.difference, one.stderr, one.p) == (0.0, 0.0, 1.0)
    assert one.high == pytest.approx(3.8415 / 103.8415, rel=1e-3)
    assert one.low == -one.high
    assert one.p_same is not None
    assert 0 < one.p_same < 0.05


def test_flipped_signs_are_all_tried_where_there_are_few() -> None:
    d = [0.5, -0.25, 1.0, 0.75, -0.1]
    totals = [
        abs(sum(s * abs(x) for s, x in zip(signs, d, strict=True))) for signs in itertools.product((1, -1), repeat=5)
    ]
    assert sign_flip_p(d) == sum(total >= abs(sum(d)) - 1e-12 for total in totals) / 32
    assert sign_flip_p([*d, 0.0, 0.0]) == sign_flip_p(d)


def test_random_flips_agree_with_scipy_and_are_the_same_each_time() -> None:
    a, b = pairs(60, seed=3)
    d = numpy.array([y - x for x, y in zip(a, b, strict=True)])
    theirs = stats.permutation_test(
        (d,), lambda x, axis: x.mean(axis=axis), permutation_type="samples", n_resamples=9999, vectorized=True
    ).pvalue
    ours = sign_flip_p(d.tolist())
    assert ours == sign_flip_p(d.tolist())
    assert ours != sign_flip_p(d.tolist(), seed=8)
    # Two random samples of flips: four standard errors of their difference.
    assert ours == pytest.approx(theirs, abs=4 * math.sqrt(2 * max(ours * (1 - ours), 1e-4) / 9999))
    assert ours == pytest.approx(stats.ttest_1samp(d, 0).pvalue, abs=0.02)


def test_clusters_make_the_standard_error_of_clusters() -> None:
    """Of clusters of one size the formula is the paired t test over the clusters' means."""
    a, b = pairs(120)
    clusters = [i // 4 for i in range(120)]
    means = [[sum(x[i : i + 4]) / 4 for i in range(0, 120, 4)] for x in (a, b)]
    ours, theirs = paired_difference(a, b, clusters=clusters), stats.ttest_rel(means[1], means[0])
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs.confidence_interval(0.95)))
    assert ours.p == pytest.approx(theirs.pvalue)
    assert (ours.clusters, ours.test, ours.interval) == (30, "cluster-t", "cluster-t")
    few = paired_difference(a[:80], b[:80], clusters=clusters[:80])
    assert (few.clusters, few.test) == (20, "sign-flip-clusters")


def test_clusters_of_one_sample_each_are_none() -> None:
    a, b = [1.0, 0.0, 1.0, 1.0, 0.0], [1.0, 1.0, 1.0, 0.0, 1.0]
    alone, plain = paired_difference(a, b, clusters=[5, 4, 3, 2, 1]), paired_difference(a, b)
    assert (alone.low, alone.high, alone.p, alone.test) == (plain.low, plain.high, plain.p, "mcnemar-mid-p")


def test_equivalence_is_two_one_sided_tests() -> None:
    a, b = pairs(200)
    one = paired_difference(a, b, margin=0.5)
    d = numpy.array(b) - numpy.array(a)
    upper = stats.ttest_1samp(d, 0.5, alternative="less").pvalue
    lower = stats.ttest_1samp(d, -0.5, alternative="greater").pvalue
    assert one.p_same == pytest.approx(max(upper, lower))


def test_the_smallest_detectable_difference_of_published_figures() -> None:
    """2.8 standard errors, as Bloom (1995) has it for many samples, and more for few."""
    assert smallest_detectable(1.0, math.inf) == pytest.approx(2.8016, abs=1e-4)
    assert smallest_detectable(1.0, 10) == pytest.approx(stats.t.ppf(0.975, 10) + stats.t.ppf(0.8, 10))


def test_holm_s_correction() -> None:
    """The example of Holm's paper in many textbooks: .01, .04, .03, .005 become .03, .06, .06, .02."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    adjusted = holm([0.02, math.nan, 0.03])
    assert adjusted[0] == pytest.approx(0.04)
    assert math.isnan(adjusted[1])
    assert holm([]) == []


VERDICTS = [
    # difference  p     p_same  lower  word
    (0.1, 0.01, None, False, "better"),
    (-0.1, 0.01, None, False, "worse"),
    (-0.1, 0.01, None, True, "better"),
    (0.1, 0.2, None, False, "inconclusive"),
    (0.1, 0.2, 0.3, False, "inconclusive"),
    (0.001, 0.2, 0.01, False, "no difference within the margin"),
    (0.001, 0.01, 0.01, False, "no difference within the margin"),
    (0.1, math.nan, math.nan, False, "inconclusive"),
]


@pytest.mark.parametrize(("difference", "p", "p_same", "lower", "word"), VERDICTS)
def test_the_word_for_it(difference: float, p: float, p_same: float | None, lower: bool, word: str) -> None:
    assert verdict(difference, p, p_same, lower_is_better=lower) == word


def test_what_cannot_be_known_is_nan() -> None:
    nothing = paired_difference([], [])
    assert (nothing.n, nothing.interval) == (0, "none")
    assert math.isnan(nothing.difference)
    assert math.isnan(nothing.p) or nothing.p == 1.0
    single = paired_difference([0.5], [0.75])
    assert single.difference == 0.25
    assert all(math.isnan(value) for value in (single.stderr, single.low, single.p, single.detectable))
    alike = paired_difference([0.5, 0.25, 0.125], [1.0, 0.75, 0.625])
    assert (alike.stderr, alike.interval, alike.p) == (0.0, "none", 0.25)
    one_cluster = paired_difference([0.5, 0.25], [1.0, 0.3], clusters=["甲", "甲"])
    assert math.isnan(one_cluster.low)
    assert math.isnan(one_cluster.p)
    assert math.isnan(correlation([1.0, 1.0], [0.0, 1.0]))


def test_clusters_that_all_stand_still_are_worth_one_sample_each() -> None:
    right = [1.0] * 40
    one = paired_difference(right, right, clusters=[i // 4 for i in range(40)])
    assert one.interval == "tango-clusters"
    assert (one.low, one.high) == pytest.approx(tango_interval(0, 0, 10))


def test_wrong_lengths_and_margins_are_refused() -> None:
    with pytest.raises(ValueError, match="same number"):
        paired_difference([1.0], [])
    with pytest.raises(ValueError, match="margin"):
        paired_difference([1.0], [1.0], margin=0)


def test_many_pairs_are_no_trouble() -> None:
    draw = numpy.random.default_rng(5)
    a, b = (array("d", draw.random(300_000).tolist()) for _ in range(2))
    one = paired_difference(a, b)
    assert (one.n, one.test) == (300_000, "t")
    assert one.p == pytest.approx(stats.ttest_rel(b, a).pvalue, rel=1e-6)
