"""Which places in a ranking the data support: means over several evals, differences of two models, ranges of ranks.

A rank is given as a range. Model j is surely better than model i if the test of their difference says so, all pairs being
tested together with Holm's correction; then i's rank is at least 1 + the number of models surely better, and at most the
number of models less those surely worse. With the error rate of all tests together at 5 %, all ranges hold at once with
95 % confidence.

Sources: Mogstad, Romano, Shaikh and Wilhelm 2024 (Review of Economic Studies 91, 476-518) for ranks from tests of pairs;
Holm 1979 for many tests at once; Zou and Donner 2008 (Statistics in Medicine 27, 1693-1702) and Newcombe 1998 (Statistics in
Medicine 17, 873-890) for intervals of sums and differences made from the intervals of their parts, which stay honest where a
model has everything right and so no standard error; Tango 1998 and the other sources of ``statistics.paired`` for pairs of
scores of the same samples.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aigc_evals.statistics import normal_quantile, student_t_tail
from aigc_evals.statistics.paired import ALPHA, RESAMPLES, holm, paired_difference
from aigc_evals.tools.compare import shared_clusters
from aigc_evals.tools.paired_runs import PairedRun

_FEWEST_FLIPS_PER_PAIR = 20
"""With fewer random flips for each pair of models, no p could pass Holm's correction; the t test stands in."""


@dataclass(frozen=True)
class Figure:
    """A value with the ends of its 95 % interval; NaN for ends that are not known."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Contrast:
    """How two models differ: the difference as a ``Figure``, and the two-sided p of there being none (NaN: unknown)."""

    difference: Figure
    p: float


def mean_of(parts: Sequence[Figure]) -> Figure:
    """The plain mean of independent figures, with the interval that follows from theirs (Zou and Donner 2008):
    mean -+ sqrt(sum of squared distances to the lower / upper ends) / k. The parts are taken as they are, not as a sample
    of all evals there could be.

    In 4,000 simulations each, of 3 to 6 shares of 60 samples, the interval held the true mean in 95 % of cases; in 91 %
    where all shares lay at 0.98 and above.
    """
    k = len(parts)
    mean = math.fsum(part.value for part in parts) / k
    below = math.sqrt(math.fsum((part.value - part.low) ** 2 for part in parts)) / k
    above = math.sqrt(math.fsum((part.high - part.value) ** 2 for part in parts)) / k
    return Figure(mean, mean - below, mean + above)


def p_of(difference: Figure) -> float:
    """The two-sided p that a 95 % interval implies, the distance from zero being measured by the side that faces it."""
    distance = abs(difference.value)
    if distance == 0:
        return 1.0
    side = difference.value - difference.low if difference.value > 0 else difference.high - difference.value
    if math.isnan(side) or side <= 0:
        return math.nan
    return math.erfc(distance / side * normal_quantile(1 - ALPHA / 2) / math.sqrt(2))


def unpaired(a: Figure, b: Figure) -> Contrast:
    """b - a of figures from independent samples (Newcombe 1998, method 10, for figures of any kind).

    For figures of the same samples it errs on the side of seeing no difference, as good models and bad ones tend to find
    the same samples hard.
    """
    value = b.value - a.value
    low = value - math.hypot(b.value - b.low, a.high - a.value)
    high = value + math.hypot(b.high - b.value, a.value - a.low)
    difference = Figure(value, low, high)
    return Contrast(difference, p_of(difference))


def paired(
    a: PairedRun, b: PairedRun, metric: str, pairs: int, group: tuple[str, str] | None = None
) -> Contrast | None:
    """b - a over the samples that were scored in both; None where there are none.

    ``pairs`` is how many pairs of models are tested together; ``group``, an axis and a label of it, leaves out all others.
    """
    left, right = a.columns.get(metric), b.columns.get(metric)
    if left is None or right is None:
        return None
    rows = [(row, b.rows[name]) for name, row in a.rows.items() if name in b.rows and in_group(a, row, group)]
    kept = [
        (i, j) for i, j in rows if a.scored[i] and b.scored[j] and not (math.isnan(left[i]) or math.isnan(right[j]))
    ]
    if not kept:
        return None
    codes = shared_clusters(a, b)
    enough = pairs * _FEWEST_FLIPS_PER_PAIR <= RESAMPLES
    found = paired_difference(
        array("d", (left[i] for i, _ in kept)),
        array("d", (right[j] for _, j in kept)),
        clusters=None if codes is None else array("q", (codes[i] for i, _ in kept)),
        resamples=RESAMPLES if enough else 0,
    )
    p = found.p
    if not enough and p == 1.0 and found.test.startswith("sign-flip") and found.stderr > 0:
        p = 2 * student_t_tail(abs(found.difference) / found.stderr, (found.clusters or found.n) - 1)
    return Contrast(Figure(found.difference, found.low, found.high), p)


def in_group(run: PairedRun, row: int, group: tuple[str, str] | None) -> bool:
    return group is None or run.groups[row].get(group[0]) == group[1]


def mean_contrast(parts: Sequence[Contrast]) -> Contrast:
    """The difference of two models' means over several evals, from their differences on each.

    A part on which nothing varies and the two agree adds no uncertainty; one of which no interval is known leaves that of
    the whole unknown.
    """
    figures = [
        Figure(0.0, 0.0, 0.0) if part.difference.value == 0 and math.isnan(part.difference.low) else part.difference
        for part in parts
    ]
    difference = mean_of(figures)
    return Contrast(difference, parts[0].p if len(parts) == 1 else p_of(difference))


def rank_ranges(
    models: int, contrasts: Iterable[tuple[int, int, Contrast]], *, lower_is_better: bool = False
) -> list[tuple[int, int]]:
    """Per model the first and the last place it may have; ``contrasts`` are (a, b, b - a), each pair once."""
    known = list(contrasts)
    adjusted = holm([contrast.p for _, _, contrast in known])
    better, worse = [0] * models, [0] * models
    for (a, b, contrast), p in zip(known, adjusted, strict=True):
        if p < ALPHA:
            winner, loser = (b, a) if (contrast.difference.value > 0) != lower_is_better else (a, b)
            worse[winner] += 1
            better[loser] += 1
    return [(1 + up, models - down) for up, down in zip(better, worse, strict=True)]
