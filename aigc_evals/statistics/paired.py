"""Is B better than A on the same samples? Formulas for pairs of scores: differences, intervals, tests, what can be seen.

All over d = b - a, sample by sample: pairing takes the difficulty of the samples out of the comparison (Miller 2024,
arXiv 2411.00640, section 4.2). Aggregates plain numbers; which samples make a pair is decided in ``compare``.

Sources: Tango 1998 (Statistics in Medicine 17, 891-908) for the interval of a difference of paired shares; McNemar 1947
for its test, exact and with the mid-p value (Lancaster 1961; Fagerland, Lydersen and Laake 2013, BMC Medical Research
Methodology 13:91); Fisher 1935 for the test by flipping signs; Schuirmann 1987 for the two one-sided tests; Bloom 1995
(Evaluation Review 19, 547-556) for the smallest detectable difference; Holm 1979 for several tests at once.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from aigc_evals.statistics import normal_quantile, student_t_quantile, student_t_tail

ALPHA = 0.05
POWER = 0.8
SEED = 20220722
RESAMPLES = 9999
FEW_CLUSTERS = 30
"""Below as many clusters the cluster t test is too easily convinced, and signs are flipped instead."""

MOST_FLIPPED = 10_000
"""Above as many differences that are not zero, the t test says the same as flipping signs, in no time."""

_ENUMERATED = 13
_BLOCK = 4_000_000


@dataclass(frozen=True)
class Difference:
    """How the scores B differ from the scores A of the same ``n`` samples: ``difference`` = mean of B - mean of A.

    ``low`` and ``high`` are the ends of the confidence interval that ``interval`` names: "tango" (0/1 scores), "t",
    "cluster-t", "tango-clusters" (0/1 scores that no cluster moves) or "none". ``p`` is two-sided, by the ``test`` named:
    "mcnemar-mid-p" (then ``p_exact`` is its exact form), "sign-flip", "sign-flip-clusters", "cluster-t", "t". ``p_same``
    is the larger p of the two one-sided tests against ``margin``. ``wins``, ``losses``, ``ties`` count samples on which B
    scored higher, lower, the same. ``detectable`` is the smallest difference that as many samples would show with 80 %
    power. NaN stands for what cannot be known.
    """

    n: int
    mean_a: float
    mean_b: float
    difference: float
    stderr: float
    low: float
    high: float
    interval: str
    p: float
    test: str
    p_exact: float | None
    p_same: float | None
    margin: float | None
    wins: int
    losses: int
    ties: int
    correlation: float
    detectable: float
    clusters: int | None
    design_effect: float | None


def paired_difference(
    a: Sequence[float],
    b: Sequence[float],
    *,
    clusters: Sequence[Hashable] | None = None,
    margin: float | None = None,
    confidence: float = 1 - ALPHA,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Difference:
    """B compared with A, ``b[i]`` and ``a[i]`` being the scores of one sample.

    - stderr = sqrt(sum (d - mean)^2 / (n (n - 1))); with ``clusters`` (an id per sample; at least two share one)
      stderr^2 = G / (G - 1) sum over clusters of (sum (d - mean))^2 / n^2.
    - Interval: mean +- t(n - 1) stderr, with clusters t(G - 1); for 0/1 scores without clusters Tango's score interval,
      which stays honest where few samples or none differ.
    - Test: for 0/1 scores McNemar's with the mid-p value, else ``resamples`` random flips of the signs of d (all of them
      where there are few). With clusters the t test on the clustered stderr, below FEW_CLUSTERS random flips of the signs
      of whole clusters.
    - ``margin``: p of the two one-sided tests that the difference is at least ``margin`` in either direction.
    """
    n = len(a)
    if len(b) != n or (clusters is not None and len(clusters) != n):
        raise ValueError("the scores, and the clusters where there are any, must be of the same number")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, got {confidence}")
    if margin is not None and not margin > 0:
        raise ValueError(f"a margin must be positive, got {margin}")
    d = [y - x for x, y in zip(a, b, strict=True)]
    wins, losses = sum(value > 0 for value in d), sum(value < 0 for value in d)
    mean = math.fsum(d) / n if n else math.nan
    groups = None if clusters is None else len(set(clusters))
    sums = d if clusters is None or groups == n else _cluster_sums(d, clusters)
    parts = len(sums)
    binary = _is_binary(a) and _is_binary(b)
    squares = math.fsum((value - mean) ** 2 for value in d)
    plain = squares / (n * (n - 1)) if n > 1 else math.nan
    variance, effect = plain, None if groups is None else 1.0
    if parts != n and clusters is not None:
        variance = _cluster_variance(d, clusters, mean, parts)
        effect = variance / plain if plain else math.nan
    stderr = math.sqrt(variance)
    spread: _Score | _Student | None = None
    if binary and n and (parts == n or variance == 0):
        # A cluster that holds together is worth one sample.
        spread = _Score(wins * parts / n, losses * parts / n, parts)
    elif stderr > 0:
        spread = _Student(mean, stderr, parts - 1)
    interval = "none" if spread is None else spread.name if parts == n else spread.clustered
    low, high = (math.nan, math.nan) if spread is None else spread.interval(confidence)
    p_exact = None
    if binary and parts == n:
        p, test, p_exact = mcnemar(wins, losses, mid=True), "mcnemar-mid-p", mcnemar(wins, losses)
    elif parts != n and parts >= FEW_CLUSTERS and stderr > 0:
        p, test = 2 * student_t_tail(abs(mean) / stderr, parts - 1), "cluster-t"
    elif sum(value != 0 for value in sums) > MOST_FLIPPED:
        p, test = 2 * student_t_tail(abs(mean) / stderr, parts - 1) if stderr > 0 else math.nan, "t"
    else:
        p = sign_flip_p(sums, resamples=resamples, seed=seed) if parts > 1 else math.nan
        test = "sign-flip" if parts == n else "sign-flip-clusters"
    p_same = None
    if margin is not None:
        p_same = math.nan if spread is None else max(spread.tail(-margin), 1 - spread.tail(margin))
    detectable = math.nan
    if stderr > 0 and spread is not None:
        detectable = smallest_detectable(stderr, spread.df, alpha=1 - confidence)
    return Difference(
        n,
        _mean(a),
        _mean(b),
        mean,
        stderr,
        low,
        high,
        interval,
        p,
        test,
        p_exact,
        p_same,
        margin,
        wins,
        losses,
        n - wins - losses,
        correlation(a, b),
        detectable,
        groups,
        effect,
    )


def verdict(
    difference: float, p: float, p_same: float | None, *, alpha: float = ALPHA, lower_is_better: bool = False
) -> str:
    """``no difference within the margin``, ``better``, ``worse`` or ``inconclusive``, for B as compared with A.

    A difference that is surely smaller than the margin does not matter, even if it is surely not zero; so the margin is
    asked first. The p values are those of all metrics together (``holm``).
    """
    if p_same is not None and p_same < alpha:
        return "no difference within the margin"
    if p < alpha and difference:
        return "better" if (difference > 0) != lower_is_better else "worse"
    return "inconclusive"


def mcnemar(wins: int, losses: int, *, mid: bool = False) -> float:
    """The two-sided p of McNemar's test: of ``wins`` + ``losses`` samples that differ, each is a win with probability 1/2.

    Exact: 2 P(X <= min(wins, losses)), at most 1, for X binomial. ``mid`` counts the outcome observed by half, which
    makes the test's error rate close to what it claims, where the exact one's lies below it.
    """
    m, k = wins + losses, min(wins, losses)
    if m == 0:
        return 1.0
    point = math.exp(math.lgamma(m + 1) - math.lgamma(k + 1) - math.lgamma(m - k + 1) - m * math.log(2))
    terms, term = [point], point
    for i in range(k, 0, -1):
        term *= i / (m - i + 1)
        terms.append(term)
        if term < 1e-18 * point:
            break
    p = 2 * math.fsum(terms)
    if not mid:
        return min(1.0, p)
    return 1.0 if wins == losses else p - point


def sign_flip_p(differences: Sequence[float], *, resamples: int = RESAMPLES, seed: int = SEED) -> float:
    """The two-sided p of the sum of ``differences``, if each of them might as well have had the other sign.

    All combinations of signs for at most 13 differences that are not zero; else (1 + hits) / (1 + resamples) with
    ``resamples`` random ones, which is a valid p whatever their number (Phipson and Smyth 2010).
    """
    import numpy

    sizes = numpy.array([abs(value) for value in differences if value], dtype=float)
    m = len(sizes)
    if m == 0:
        return 1.0
    # What differs by rounding alone is as extreme as what was observed.
    least = abs(math.fsum(differences)) - 1e-9 * float(sizes.sum())
    if m <= _ENUMERATED:
        bits = (numpy.arange(2**m)[:, None] >> numpy.arange(m)) & 1
        return float(numpy.mean(numpy.abs((2.0 * bits - 1) @ sizes) >= least))
    draw = numpy.random.default_rng(seed)
    hits, left = 0, resamples
    while left > 0:
        rows = min(left, max(1, _BLOCK // m))
        packed = draw.integers(0, 256, size=(rows, (m + 7) // 8), dtype=numpy.uint8)
        signs = numpy.unpackbits(packed, axis=1, count=m)
        hits += int(numpy.count_nonzero(numpy.abs(2 * (signs @ sizes) - sizes.sum()) >= least))
        left -= rows
    return (1 + hits) / (1 + resamples)


def tango_interval(wins: float, losses: float, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Tango's score interval of the difference of two paired shares, (wins - losses) / n being its estimate."""
    return _Score(wins, losses, n).interval(confidence)


def smallest_detectable(stderr: float, df: float, *, alpha: float = ALPHA, power: float = POWER) -> float:
    """The smallest true difference that a two-sided test at ``alpha`` finds with probability ``power``:
    (t(1 - alpha / 2) + t(power)) stderr, with normal quantiles where ``df`` is infinite.
    """
    return (_quantile(1 - alpha / 2, df) + _quantile(power, df)) * stderr


def holm(p_values: Sequence[float]) -> list[float]:
    """The p values of several tests, each adjusted so that all of them together err with the probability of one.

    The k-th smallest of m becomes the largest of (m - j + 1) p(j) over j <= k, at most 1. NaN stays NaN, and counts as no
    test.
    """
    order = sorted((p, i) for i, p in enumerate(p_values) if not math.isnan(p))
    adjusted, largest = list(p_values), 0.0
    for rank, (p, i) in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - rank) * p))
        adjusted[i] = largest
    return adjusted


def correlation(a: Sequence[float], b: Sequence[float]) -> float:
    """Pearson's correlation of two runs' scores; NaN where one of them does not vary."""
    if len(a) < 2:
        return math.nan
    x, y = _mean(a), _mean(b)
    both = math.fsum((u - x) * (v - y) for u, v in zip(a, b, strict=True))
    own = math.fsum((u - x) ** 2 for u in a) * math.fsum((v - y) ** 2 for v in b)
    return max(-1.0, min(1.0, both / math.sqrt(own))) if own > 0 else math.nan


class _Student:
    """A mean difference with a standard error, as Student's t has it."""

    name = "t"
    clustered = "cluster-t"

    def __init__(self, mean: float, stderr: float, df: int) -> None:
        self.mean = mean
        self.stderr = stderr
        self.df: float = df
        if df < 1:
            raise ValueError("one difference alone has no standard error")

    def interval(self, confidence: float) -> tuple[float, float]:
        half = _quantile((1 + confidence) / 2, self.df) * self.stderr
        return self.mean - half, self.mean + half

    def tail(self, delta: float) -> float:
        """The probability of a difference as large as observed, or larger, if ``delta`` were the true one."""
        return student_t_tail((self.mean - delta) / self.stderr, self.df)


class _Score:
    """Tango's score statistic of the difference of paired shares."""

    name = "tango"
    clustered = "tango-clusters"
    df = math.inf

    def __init__(self, wins: float, losses: float, n: int) -> None:
        self.wins, self.losses, self.n = wins, losses, n

    def statistic(self, delta: float) -> float:
        """(wins - losses - n delta) over its standard deviation, were ``delta`` the true difference.

        The probability of a loss that goes into it is the larger root of 2n q^2 + B q + C = 0: its maximum likelihood
        estimate given ``delta``.
        """
        n, wins, losses = self.n, self.wins, self.losses
        linear = -wins - losses + (2 * n - wins + losses) * delta
        constant = -losses * delta * (1 - delta)
        root = math.sqrt(max(0.0, linear * linear - 8 * n * constant))
        lose = (root - linear) / (4 * n)
        variance = n * (2 * lose + delta * (1 - delta))
        excess = wins - losses - n * delta
        if variance <= 1e-15 * n:
            return 0.0 if abs(excess) < 1e-9 * n else math.copysign(math.inf, excess)
        return excess / math.sqrt(variance)

    def interval(self, confidence: float) -> tuple[float, float]:
        z = normal_quantile((1 + confidence) / 2)
        estimate = (self.wins - self.losses) / self.n
        return self._crossing(-1.0, estimate, z), self._crossing(estimate, 1.0, -z)

    def _crossing(self, low: float, high: float, level: float) -> float:
        """Where the statistic, falling in delta, crosses ``level``."""
        for _ in range(60):
            middle = (low + high) / 2
            if self.statistic(middle) > level:
                low = middle
            else:
                high = middle
        return (low + high) / 2

    def tail(self, delta: float) -> float:
        return math.erfc(self.statistic(delta) / math.sqrt(2)) / 2


def _quantile(p: float, df: float) -> float:
    return normal_quantile(p) if math.isinf(df) else student_t_quantile(p, df)


def _cluster_sums(d: Sequence[float], clusters: Sequence[Hashable]) -> list[float]:
    sums = dict.fromkeys(clusters, 0.0)
    for cluster, value in zip(clusters, d, strict=True):
        sums[cluster] += value
    return list(sums.values())


def _cluster_variance(d: Sequence[float], clusters: Sequence[Hashable], mean: float, groups: int) -> float:
    if groups < 2:
        return math.nan
    sums = _cluster_sums([value - mean for value in d], clusters)
    total = math.fsum(value * value for value in sums)
    # What is left by rounding is no variance.
    if total <= 1e-20 * len(d) ** 2 * max(1.0, mean * mean):
        return 0.0
    return total / len(d) ** 2 * groups / (groups - 1)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if len(values) else math.nan


def _is_binary(values: Sequence[float]) -> bool:
    return values.count(0) + values.count(1) == len(values)
