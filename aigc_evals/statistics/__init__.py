"""Means with their uncertainty, in pure Python: standard errors, intervals, quantiles, bounds for missing
scores.

Aggregates plain numbers; what is counted as a score is decided in ``report``.

Sources: Student's t interval for means in general; Wilson (1927) score interval for binary scores, which
stays honest near 0 and 1 and for few samples (Brown, Cai, DasGupta 2001; Bowyer et al. 2025, arXiv
2503.01747); cluster-robust standard errors for samples that share a passage, a question or an author (Miller
2024, arXiv 2411.00640, section 2.2).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace

_NO_VARIANCE = 1e-24
"""What rounding leaves of a variance that is 0."""

SERIES_DF = 1000.0
"""Degrees of freedom from which the t quantile is computed by its expansion around the normal one."""


@dataclass(frozen=True)
class Estimate:
    """A mean with its uncertainty.

    ``low`` and ``high`` are the ends of the confidence interval that ``method`` names: "wilson", "t",
    "cluster-t", "wilson-clusters" or "none". ``clusters`` is the number of clusters, where there were any;
    ``design_effect`` how many times larger the variance is than if the samples were independent. NaN stands
    for what cannot be known.
    """

    value: float
    n: int
    stderr: float
    low: float
    high: float
    method: str
    clusters: int | None = None
    design_effect: float | None = None


def mean_estimate(
    values: Sequence[float],
    *,
    clusters: Sequence[Hashable] | None = None,
    bounds: tuple[float, float] | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """The mean of ``values`` with standard error and confidence interval.

    - All values at one of the two ends of ``bounds`` (0 or 1 where none are given), no clusters: Wilson score
      interval; stderr as below.
    - Otherwise: stderr = sqrt(sum (s - mean)^2 / (n (n - 1))), interval mean +- t(n - 1) stderr.
    - ``clusters`` (an id per value; at least two values share one): stderr^2 = G / (G - 1) sum over clusters
      of (sum (s - mean))^2 / n^2, interval with t(G - 1) for G clusters. The design effect is the ratio of
      this variance to the plain one. Binary values whose clusters all have the same mean (all right, or half of
      each pair) show no variance at all; they get a Wilson interval over G.

    ``bounds``, the lowest and highest possible score, cut the interval. One value
    alone has no standard error; no value at all has no mean: those fields are NaN.
    """
    n = len(values)
    if clusters is not None and len(clusters) != n:
        raise ValueError(f"{n} values but {len(clusters)} cluster ids")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, got {confidence}")
    if n == 0:
        return Estimate(math.nan, 0, math.nan, math.nan, math.nan, "none", None if clusters is None else 0)
    if bounds is not None and bounds != (0, 1) and all(value in bounds for value in values):
        low, width = bounds[0], bounds[1] - bounds[0]
        shares = mean_estimate([float(value != low) for value in values], clusters=clusters, confidence=confidence)
        return replace(
            shares,
            value=low + width * shares.value,
            stderr=width * shares.stderr,
            low=low + width * shares.low,
            high=low + width * shares.high,
        )
    mean = _mean(values)
    if not math.isfinite(mean):
        return Estimate(mean, n, math.nan, math.nan, math.nan, "none")
    binary = bounds in (None, (0, 1)) and _is_binary(values)
    squares = n * mean * (1 - mean) if binary else math.fsum((value - mean) ** 2 for value in values)
    stderr = math.sqrt(squares / (n * (n - 1))) if n > 1 else math.nan
    if binary and bounds is None:
        bounds = (0.0, 1.0)
    groups = None if clusters is None else len(set(clusters))
    if clusters is None or groups is None or groups == n:
        effect = None if groups is None else 1.0
        if binary:
            low, high = wilson_interval(mean, n, confidence)
            return Estimate(mean, n, stderr, low, high, "wilson", groups, effect)
        low, high = _t_interval(mean, stderr, n - 1, confidence, bounds)
        return Estimate(mean, n, stderr, low, high, "t" if n > 1 else "none", groups, effect)
    robust = _cluster_variance(values, clusters, mean, groups)
    plain = squares / (n * (n - 1))
    if binary and (squares == 0 or math.isclose(robust, 0.0, abs_tol=_NO_VARIANCE)):
        low, high = wilson_interval(mean, groups, confidence)
        stderr, effect = 0.0 if groups > 1 else math.nan, 0.0 if plain else math.nan
        return Estimate(mean, n, stderr, low, high, "wilson-clusters", groups, effect)
    low, high = _t_interval(mean, math.sqrt(robust), groups - 1, confidence, bounds)
    effect = robust / plain if plain else math.nan
    method = "cluster-t" if groups > 1 else "none"
    return Estimate(mean, n, math.sqrt(robust), low, high, method, groups, effect)


def wilson_interval(share: float, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """The Wilson score interval of a share of n independent samples: all p with |share - p| <= z sqrt(p(1 -
    p) / n).
    """
    if n < 1:
        return math.nan, math.nan
    z2 = normal_quantile((1 + confidence) / 2) ** 2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    # At the ends the formula gives 0 and 1 exactly, but for rounding.
    low = 0.0 if share == 0 else max(0.0, centre - half)
    high = 1.0 if share == 1 else min(1.0, centre + half)
    return low, high


def missing_bounds(
    total: float, n_scored: int, n_missing: int, low: float = 0.0, high: float = 1.0
) -> tuple[float, float]:
    """The mean if every missing sample had scored ``low``, and if ``high``; ``total`` is the sum of known
    scores.

    No assumption about why samples are missing is needed: the complete mean lies between the two. NaN for no
    samples.
    """
    n = n_scored + n_missing
    if n == 0:
        return math.nan, math.nan
    return (total + n_missing * low) / n, (total + n_missing * high) / n


def macro_average(means: Sequence[float], stderrs: Sequence[float]) -> tuple[float, float]:
    """The mean over groups of their means, and its standard error sqrt(sum of stderr^2) / G for G groups.

    The groups are taken as given (the subjects of a test, not a sample of subjects) and as independent: the
    estimator of stratified sampling with equal weights, Cochran 1977, Sampling Techniques, theorem 5.3. NaN for
    no groups; the error is NaN where a group has none.
    """
    if not means:
        return math.nan, math.nan
    return math.fsum(means) / len(means), math.sqrt(math.fsum(error * error for error in stderrs)) / len(means)


def normal_quantile(p: float) -> float:
    """The z below which a standard normal variable lies with probability ``p``."""
    _probability(p)
    if p in (0, 1):
        return -math.inf if p == 0 else math.inf
    from statistics import NormalDist

    return NormalDist().inv_cdf(p)


def student_t_quantile(p: float, df: float) -> float:
    """The t below which a Student t variable with ``df`` degrees of freedom (any positive number) lies with
    prob. ``p``.

    Exact formulas for df 1 and 2; else Newton steps, kept inside a bracket, on the regularised incomplete
    beta function; from ``SERIES_DF`` the Cornish-Fisher expansion (Abramowitz and Stegun 26.7.5). Relative
    error below 1e-9.
    """
    _probability(p)
    if not df > 0:
        raise ValueError(f"degrees of freedom must be positive, got {df}")
    if p in (0, 1):
        return -math.inf if p == 0 else math.inf
    if p == 0.5:
        return 0.0
    if p < 0.5:
        return -_upper_quantile(p, 0.5 - p, df)
    return _upper_quantile(1 - p, p - 0.5, df)


def student_t_tail(t: float, df: float) -> float:
    """The probability that a Student t variable with ``df`` degrees of freedom lies above ``t``; NaN for a NaN."""
    if math.isnan(t) or math.isnan(df):
        return math.nan
    if not df > 0:
        raise ValueError(f"degrees of freedom must be positive, got {df}")
    if math.isinf(t):
        return 0.0 if t > 0 else 1.0
    if math.isinf(df):
        return math.erfc(t / math.sqrt(2)) / 2
    return _t_tail(t, df) if t >= 0 else 1 - _t_tail(t, df)


def _upper_quantile(tail: float, centre: float, df: float) -> float:
    """t > 0 with probability ``tail`` above it and ``centre`` between 0 and it."""
    if df == 1:
        return 1 / math.tan(math.pi * tail) if tail < 0.25 else math.tan(math.pi * centre)
    if df == 2:
        return 2 * centre * math.sqrt(2 / (4 * tail * (1 - tail)))
    if df >= SERIES_DF:
        return _series(-normal_quantile(tail) if tail < 0.25 else normal_quantile(0.5 + centre), df)
    # Whichever of the two probabilities is smaller keeps its digits.
    if tail < 0.25:
        return _solve(lambda t: tail - _t_tail(t, df), df)
    return _solve(lambda t: _t_centre(t, df) - centre, df)


def _series(z: float, df: float) -> float:
    z2 = z * z
    terms = (
        (z2 + 1) / 4,
        ((5 * z2 + 16) * z2 + 3) / 96,
        (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384,
        ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) / 92160,
    )
    return z * (1 + sum(term / df**i for i, term in enumerate(terms, 1)))


def _solve(excess: Callable[[float], float], df: float) -> float:
    """The root of ``excess``, a probability less its target, rising in t; its derivative is the t density."""
    low, high = 0.0, 1.0
    while excess(high) < 0:
        low, high = high, high * 4
    t = (low + high) / 2
    log_norm = math.lgamma((df + 1) / 2) - math.lgamma(df / 2) - 0.5 * math.log(df * math.pi)
    for _ in range(200):
        error = excess(t)
        if error < 0:
            low = t
        else:
            high = t
        density = math.exp(log_norm - (df + 1) / 2 * math.log1p(t * t / df))
        step = t - error / density if density > 0 else -1.0
        if not low < step < high:
            step = (low + high) / 2
        if abs(step - t) <= 1e-14 * abs(step):
            return step
        t = step
    return t


def _t_tail(t: float, df: float) -> float:
    return _beta_share(df / (df + t * t), t * t / (df + t * t), df / 2, 0.5) / 2


def _t_centre(t: float, df: float) -> float:
    return _beta_share(t * t / (df + t * t), df / (df + t * t), 0.5, df / 2) / 2


def _beta_share(x: float, rest: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b), ``rest`` being 1 - x without loss of digits."""
    if x <= 0:
        return 0.0
    if rest <= 0:
        return 1.0
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(rest)
    if x < (a + 1) / (a + b + 2):
        return math.exp(log_front) * _beta_fraction(x, a, b) / a
    return 1 - math.exp(log_front) * _beta_fraction(rest, b, a) / b


def _beta_fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz's method."""
    tiny = 1e-300
    c, d = 1.0, 1 - (a + b) * x / (a + 1)
    d = 1 / (d if abs(d) > tiny else tiny)
    result = d
    for m in range(1, 10_000):
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 + numerator * d
            d = 1 / (d if abs(d) > tiny else tiny)
            c = 1 + numerator / c
            c = c if abs(c) > tiny else tiny
            result *= d * c
        if abs(d * c - 1) < 1e-16:
            break
    return result


def _t_interval(
    mean: float, stderr: float, df: int, confidence: float, bounds: tuple[float, float] | None
) -> tuple[float, float]:
    if df < 1 or math.isnan(stderr):
        return math.nan, math.nan
    half = student_t_quantile((1 + confidence) / 2, df) * stderr
    low, high = mean - half, mean + half
    return (low, high) if bounds is None else (max(bounds[0], low), min(bounds[1], high))


def _cluster_variance(values: Sequence[float], clusters: Sequence[Hashable], mean: float, groups: int) -> float:
    if groups < 2:
        return math.nan
    sums = dict.fromkeys(clusters, 0.0)
    for cluster, value in zip(clusters, values, strict=True):
        sums[cluster] += value - mean
    return math.fsum(total * total for total in sums.values()) / len(values) ** 2 * groups / (groups - 1)


def _mean(values: Sequence[float]) -> float:
    try:
        return math.fsum(values) / len(values)
    except (ValueError, OverflowError):  # infinities of both signs, or a sum beyond all floats
        return math.nan


def _is_binary(values: Sequence[float]) -> bool:
    return values.count(0) + values.count(1) == len(values)


def _probability(p: float) -> None:
    if not 0 <= p <= 1:
        raise ValueError(f"a probability must be between 0 and 1, got {p}")
