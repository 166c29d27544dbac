"""Means carry the uncertainty that the formulas in the literature give."""

from __future__ import annotations

import math
from array import array

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]

from aigc_evals.statistics import (
    mean_estimate,
    missing_bounds,
    normal_quantile,
    student_t_quantile,
    wilson_interval,
)

PROBABILITIES = [
    0.001,
    0.01,
    0.025,
    0.1,
    0.3,
    0.4999,
    0.5001,
    0.7,
    0.74,
    0.76,
    0.9,
    0.975,
    0.99,
    0.999,
    0.9999,
]
DEGREES = [1, 2, 3, 4, 5, 7, 10, 29, 30, 99, 100, 300, 999, 1000, 1001, 5000, 1e5, 1e6]


@pytest.mark.parametrize("df", DEGREES)
def test_t_quantiles_agree_with_scipy(df: float) -> None:
    for p in PROBABILITIES:
        assert student_t_quantile(p, df) == pytest.approx(float(stats.t.ppf(p, df)), rel=1e-7)


@given(st.floats(1e-6, 1 - 1e-6), st.floats(0.5, 1e6))
def test_t_quantiles_agree_with_scipy_everywhere(p: float, df: float) -> None:
    assert student_t_quantile(p, df) == pytest.approx(float(stats.t.ppf(p, df)), rel=1e-6, abs=1e-9)


def test_quantiles_at_the_ends() -> None:
    assert normal_quantile(0.975) == pytest.approx(1.959963984540054)
    assert normal_quantile(0) == -math.inf
    assert student_t_quantile(1, 5) == math.inf
    assert student_t_quantile(0.5, 7) == 0
    assert student_t_quantile(0.975, math.inf) == pytest.approx(normal_quantile(0.975))
    for bad in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError):
            normal_quantile(bad)
    with pytest.raises(ValueError):
        student_t_quantile(0.9, 0)


@given(st.integers(1, 3000), st.data())
def test_binary_scores_get_the_wilson_interval(n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, n))
    estimate = mean_estimate([True] * k + [0.0] * (n - k))
    expected = stats.binomtest(k, n).proportion_ci(method="wilson")
    assert estimate.method == "wilson"
    assert [estimate.low, estimate.high] == pytest.approx([expected.low, expected.high])
    assert estimate.low <= estimate.value <= estimate.high


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=50), st.sampled_from([0.8, 0.95, 0.99]))
def test_other_scores_get_a_t_interval(values: list[float], confidence: float) -> None:
    values = [*values, 0.5]
    estimate = mean_estimate(array("d", values), confidence=confidence)
    n = len(values)
    stderr = float(np.std(values, ddof=1)) / math.sqrt(n)
    half = float(stats.t.ppf((1 + confidence) / 2, n - 1)) * stderr
    assert estimate.method == "t"
    assert estimate.n == n
    assert estimate.stderr == pytest.approx(stderr, rel=1e-6, abs=1e-12)
    assert estimate.high - estimate.low == pytest.approx(2 * half, rel=1e-6, abs=1e-9)


def test_bounds_cut_the_interval() -> None:
    estimate = mean_estimate([0.1, 0.9, 1.0], bounds=(0, 1))
    assert 0 == estimate.low < estimate.value < estimate.high == 1


def test_values_at_the_ends_of_another_range_are_shares_of_it() -> None:
    share = mean_estimate([0, 0, 1, 0])
    scaled = mean_estimate([0, 0, 100, 0], bounds=(0, 100))
    assert (scaled.value, scaled.method) == (25, "wilson")
    assert (scaled.low, scaled.high) == pytest.approx((100 * share.low, 100 * share.high))
    assert scaled.stderr == pytest.approx(100 * share.stderr)
    assert mean_estimate([0] * 10, bounds=(0, 100)).high > 20
    assert mean_estimate([0, 1, 0, 1], bounds=(0, 100)).method == "t"


def test_one_value_has_no_standard_error_and_none_has_no_mean() -> None:
    none = mean_estimate([])
    assert none.n == 0
    assert none.method == "none"
    assert all(map(math.isnan, (none.value, none.stderr, none.low)))
    one = mean_estimate([0.3])
    assert one.value == 0.3
    assert math.isnan(one.stderr)
    assert math.isnan(one.low)
    right = mean_estimate([1])
    assert right.value == 1
    assert math.isnan(right.stderr)
    assert right.low == pytest.approx(0.2065, abs=1e-4)
    assert math.isnan(mean_estimate([math.nan, 1.0]).stderr)
    assert math.isnan(mean_estimate([math.inf, -math.inf]).value)


def test_clustered_scores_get_a_cluster_robust_error() -> None:
    values, clusters = [1.0, 1, 0, 0, 1, 0, 0.5, 0.5], ["甲", "甲", "乙", "乙", "丙", "丙", "丁", "丁"]
    estimate = mean_estimate(values, clusters=clusters)
    sums = np.array([1.0, -1.0, 0.0, 0.0])
    stderr = math.sqrt(float((sums**2).sum()) / 64 * 4 / 3)
    assert estimate.stderr == pytest.approx(stderr)
    assert estimate.method == "cluster-t"
    assert estimate.clusters == 4
    assert estimate.design_effect == pytest.approx(stderr**2 / (np.var(values, ddof=1) / 8))
    half = float(stats.t.ppf(0.975, 3)) * stderr
    assert estimate.high == pytest.approx(0.5 + half)


def test_copies_of_each_sample_do_not_shrink_the_error_when_clustered() -> None:
    values = [0.1, 0.7, 0.4, 0.9, 0.35]
    alone = mean_estimate(values)
    copied = mean_estimate(values * 4, clusters=array("i", list(range(5)) * 4))
    assert copied.stderr == pytest.approx(alone.stderr)
    assert [copied.low, copied.high] == pytest.approx([alone.low, alone.high])


def test_clusters_of_one_change_nothing_but_are_counted() -> None:
    estimate = mean_estimate([0, 1, 1], clusters=[1, 2, 3])
    assert (estimate.method, estimate.clusters, estimate.design_effect) == ("wilson", 3, 1.0)
    assert estimate.low == mean_estimate([0, 1, 1]).low


def test_clusters_that_all_agree_are_not_taken_for_certainty() -> None:
    estimate = mean_estimate([1] * 40, clusters=[i // 4 for i in range(40)])
    assert estimate.method == "wilson-clusters"
    assert (estimate.low, estimate.high) == wilson_interval(1.0, 10)


def test_clusters_that_are_all_alike_are_not_taken_for_certainty() -> None:
    """One of two questions about each passage is answered with yes, so saying yes to all is half right, always."""
    pairs = mean_estimate([1, 0] * 20, clusters=[i // 2 for i in range(40)])
    assert (pairs.method, pairs.stderr) == ("wilson-clusters", 0)
    assert (pairs.low, pairs.high) == wilson_interval(0.5, 20)
    thirds = mean_estimate([1, 0, 0] * 7, clusters=[i // 3 for i in range(21)])
    assert (thirds.low, thirds.high) == pytest.approx(wilson_interval(1 / 3, 7))


def test_one_cluster_says_nothing_about_spread() -> None:
    estimate = mean_estimate([0, 1, 0.5], clusters=[7, 7, 7])
    assert estimate.method == "none"
    assert estimate.clusters == 1
    assert math.isnan(estimate.stderr)
    assert math.isnan(estimate.low)


def test_misuse_is_named() -> None:
    with pytest.raises(ValueError, match="cluster ids"):
        mean_estimate([1, 0], clusters=[1])
    with pytest.raises(ValueError, match="confidence"):
        mean_estimate([1, 0], confidence=95)


def test_missing_scores_give_bounds() -> None:
    assert missing_bounds(6, 8, 2) == (0.6, 0.8)
    assert missing_bounds(6, 8, 0) == (0.75, 0.75)
    assert missing_bounds(10, 4, 1, low=1, high=5) == (2.2, 3.0)
    assert math.isnan(missing_bounds(0, 0, 0)[0])
