"""Samples that were asked several times: from columns of answers to one value per sample.

Pure functions over plain columns. A mean over repeats is taken within each sample first, then over samples, so that the
repeats of one question never pass for independent questions (Miller 2024, arXiv 2411.00640). ``pass@k`` is the unbiased
estimator of Chen et al. 2021 (arXiv 2107.03374), ``pass^k`` that of Yao et al. 2024 (arXiv 2406.12045).
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import comb

_ALL_UP_TO = 8


def pass_at_k(n: int, c: int, k: int) -> float:
    """The chance that at least one of k answers, drawn from n of which c are right, is right: 1 - C(n-c, k) / C(n, k)."""
    _possible(n, c, k)
    return 1.0 - comb(n - c, k) / comb(n, k)


def pass_all_k(n: int, c: int, k: int) -> float:
    """The chance that all of k answers, drawn from n of which c are right, are right ("pass^k"): C(c, k) / C(n, k)."""
    _possible(n, c, k)
    return comb(c, k) / comb(n, k)


def _possible(n: int, c: int, k: int) -> None:
    if not 0 <= c <= n or not 1 <= k <= n:
        raise ValueError(f"there must be 0 <= c <= n and 1 <= k <= n, got n = {n}, c = {c}, k = {k}")


def shown_ks(repeats: int) -> list[int]:
    """The k that are reported: every one up to 8 repeats, then 1, 2, 4, ... and the number of repeats itself."""
    if repeats <= _ALL_UP_TO:
        return list(range(1, repeats + 1))
    powers = [1 << exponent for exponent in range(repeats.bit_length())]
    return sorted({*(power for power in powers if power < repeats), repeats})


@dataclass(frozen=True)
class Grouped:
    """The answers to each sample that has any, samples in the order of their rows.

    ``counts`` are how many there are, ``totals`` the sums of their values, ``clusters`` the samples' cluster codes.
    """

    rows: array[int]
    counts: array[int]
    totals: array[float]
    clusters: array[int]

    @property
    def means(self) -> array[float]:
        return array("d", (total / count for total, count in zip(self.totals, self.counts, strict=True)))


def grouped(values: Sequence[float], rows: Sequence[int], clusters: Sequence[int]) -> Grouped:
    """One entry per row that occurs; a row's cluster is that of its first answer. The three have one length."""
    size = max(rows, default=-1) + 1
    counts, totals, codes = array("Q", bytes(8 * size)), array("d", bytes(8 * size)), array("i", bytes(4 * size))
    for value, row, cluster in zip(values, rows, clusters, strict=True):
        if not counts[row]:
            codes[row] = cluster
        counts[row] += 1
        totals[row] += value
    present = array("Q", (row for row in range(size) if counts[row]))
    return Grouped(
        present,
        array("Q", (counts[row] for row in present)),
        array("d", (totals[row] for row in present)),
        array("i", (codes[row] for row in present)),
    )


def is_binary(values: array[float]) -> bool:
    return values.count(0.0) + values.count(1.0) == len(values)


def passes(samples: Grouped, k: int, estimator: Callable[[int, int, int], float]) -> tuple[array[float], array[int]]:
    """Per sample with at least k answers, each 0 or 1: its ``pass_at_k`` or ``pass_all_k``, and its cluster."""
    values, clusters = array("d"), array("i")
    known: dict[tuple[int, int], float] = {}
    for count, total, cluster in zip(samples.counts, samples.totals, samples.clusters, strict=True):
        if count < k:
            continue
        pair = (count, round(total))
        if pair not in known:
            known[pair] = estimator(*pair, k)
        values.append(known[pair])
        clusters.append(cluster)
    return values, clusters


def majority(votes: Sequence[int], right: Sequence[bool | int]) -> float:
    """Whether the most frequent vote is right; where several are equally frequent, the share of them that is."""
    tally: dict[int, list[int]] = {}
    for vote, good in zip(votes, right, strict=True):
        entry = tally.setdefault(vote, [0, 0])
        entry[0] += 1
        entry[1] += int(good)
    most = max((count for count, _ in tally.values()), default=0)
    leaders = [good / count for count, good in tally.values() if count == most]
    return sum(leaders) / len(leaders) if leaders else float("nan")


class Votes:
    """What each scored answer said, as a hash, whether it was right, and a hash of what was expected: 25 bytes each."""

    __slots__ = ("clusters", "expected", "picked", "right", "rows")

    def __init__(self) -> None:
        self.rows: array[int] = array("I")
        self.picked: array[int] = array("q")
        self.expected: array[int] = array("q")
        self.right: array[int] = array("b")
        self.clusters: array[int] = array("i")

    def add(self, row: int, picked: str, expected: str, right: bool, cluster: int) -> None:
        self.rows.append(row)
        self.picked.append(hash(picked))
        self.expected.append(hash(expected))
        self.right.append(right)
        self.clusters.append(cluster)

    def majorities(self) -> tuple[array[float], array[int]] | None:
        """Per sample its majority vote and its cluster.

        None where what is expected differs between the repeats of a sample, as with options that are shuffled anew: then
        equal words do not say the same.
        """
        samples = grouped(self.right, self.rows, self.clusters)
        # Counting sort: where the answers to each sample stand, in 8 bytes each.
        place = array("Q", bytes(8 * (max(self.rows, default=-1) + 2)))
        start = 0
        for row, count in zip(samples.rows, samples.counts, strict=True):
            place[row] = start
            start += count
        order = array("Q", bytes(8 * len(self.rows)))
        for index, row in enumerate(self.rows):
            order[place[row]] = index
            place[row] += 1
        shares = array("d")
        start = 0
        for count in samples.counts:
            mine = order[start : start + count]
            start += count
            if len({self.expected[index] for index in mine}) > 1:
                return None
            shares.append(majority([self.picked[index] for index in mine], [self.right[index] for index in mine]))
        return shares, samples.clusters
