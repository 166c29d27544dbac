"""Metrics over match events under openai/evals' names: accuracy, confusion matrix, precision, recall,
F-score.

Standard errors and intervals are in ``statistics``.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Protocol

from aigc_evals.errors import SampleError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.int_]


class HasData(Protocol):
    """An event, as far as metrics look at it."""

    @property
    def data(self) -> Any: ...


def get_accuracy(events: Iterable[HasData]) -> float:
    """The share of events whose ``data["correct"]`` is true; NaN when there are none."""
    total = correct = 0
    for event in events:
        total += 1
        correct += int(event.data["correct"])
    return correct / total if total else math.nan


def get_bootstrap_accuracy_std(events: Iterable[HasData], num_samples: int = 1000, seed: int = 0) -> float:
    """Standard deviation of the accuracies of random halves, drawn without replacement; NaN under 2 events.

    The figure that openai/evals reports as ``boostrap_std``. It is not a bootstrap: a half without
    replacement varies as a full sample of the same size would, about the standard error of the accuracy
    itself.
    """
    values = [event.data["correct"] for event in events]
    n = len(values)
    if all(value in (0, 1) for value in values):
        return half_sample_std(sum(1 for value in values if value), n, num_samples, seed)
    half = n // 2
    if not half:
        return math.nan
    rng = random.Random(seed)
    return _std([math.fsum(rng.sample(values, half)) / half for _ in range(num_samples)])


def half_sample_std(n_correct: int, n: int, num_samples: int = 1000, seed: int = 0) -> float:
    """Standard deviation of ``num_samples`` accuracies of random halves of n samples, n_correct of which are
    correct.

    How many correct ones a half of n // 2 holds is hypergeometric, so it is drawn from that distribution
    rather than by drawing samples. NaN under 2 samples. The same arguments give the same result.
    """
    if not 0 <= n_correct <= n:
        raise ValueError(f"n_correct must be between 0 and n, got {n_correct} of {n}")
    half = n // 2
    if not half or num_samples < 1:
        return math.nan
    lowest, weights = _hypergeometric(n, n_correct, half)
    cumulated = list(accumulate(weights))
    rng = random.Random(seed)
    total, last = cumulated[-1], len(cumulated) - 1
    draws = (min(bisect_left(cumulated, rng.random() * total), last) for _ in range(num_samples))
    return _std([(lowest + draw) / half for draw in draws])


def _hypergeometric(n: int, n_correct: int, half: int) -> tuple[int, list[float]]:
    """The likely counts (the lowest, and a weight for each from there on), by the ratio of neighbouring
    probabilities.

    Starts at the mode and stops where a count is less likely than 1e-18 of it.
    """
    lowest, highest = max(0, half - (n - n_correct)), min(half, n_correct)
    mode = min(max((half + 1) * (n_correct + 1) // (n + 2), lowest), highest)

    def ratio(k: int) -> float:  # P(k + 1) / P(k)
        return (n_correct - k) * (half - k) / ((k + 1) * (n - n_correct - half + k + 1))

    below: list[float] = []
    weight, k = 1.0, mode
    while k > lowest and weight > 1e-18:
        k -= 1
        weight /= ratio(k)
        below.append(weight)
    above = [1.0]
    weight, k = 1.0, mode
    while k < highest and weight > 1e-18:
        weight *= ratio(k)
        k += 1
        above.append(weight)
    return mode - len(below), below[::-1] + above


def _std(values: list[float]) -> float:
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))


def get_confusion_matrix(matches: Iterable[HasData], class_labels: Iterable[Any] | None = None) -> Matrix:
    """Counts of (expected, picked): a row per label, a column per label and a last one for picks that are no
    label.

    Labels are the expected values in sorted order, or ``class_labels`` in theirs, which must include every
    expected one.
    """
    import numpy as np

    pairs = [(match.data["expected"], match.data["picked"]) for match in matches]
    expected = {label for label, _ in pairs}
    labels = sorted(expected) if class_labels is None else list(class_labels)
    unknown = expected.difference(labels)
    if unknown:
        raise SampleError(f"expected values that are not among the class labels: {sorted(map(repr, unknown))}")
    index = {label: i for i, label in enumerate(labels)}
    counts = np.zeros((len(index), len(index) + 1), dtype=int)
    for label, picked in pairs:
        column = index.get(picked, len(index)) if not isinstance(picked, (list, dict)) else len(index)
        counts[index[label], column] += 1
    return counts


def compute_matthew_corr(confusion_matrix: Matrix) -> float:
    """Matthews correlation of a 2 x 3 confusion matrix, picks outside both labels counted as the first; may
    be NaN.

    The matrix is left as it is.
    """
    if confusion_matrix.shape != (2, 3):
        raise SampleError(f"a 2 x 3 confusion matrix is wanted, got shape {confusion_matrix.shape}")
    # Python's integers: the product of four counts passes 64 bits from some ten thousand samples on.
    (a, b, no_a), (c, d, no_c) = confusion_matrix.tolist()
    a, c = a + no_a, c + no_c
    product = (c + d) * (a + b) * (a + c) * (b + d)
    return float((d * a - c * b) / math.sqrt(product)) if product else math.nan


def compute_precision(confusion_matrix: Matrix, idx: int = 0) -> float:
    """Of the samples picked as label ``idx``, the share that is; NaN when none was picked."""
    return _ratio(confusion_matrix[idx, idx], confusion_matrix[:, idx].sum())


def compute_recall(confusion_matrix: Matrix, idx: int = 0) -> float:
    """Of the samples that are label ``idx``, the share picked as such; NaN when there are none."""
    return _ratio(confusion_matrix[idx, idx], confusion_matrix[idx, :].sum())


def compute_f_score(confusion_matrix: Matrix, idx: int = 0, beta: float = 1.0) -> float:
    """The F-score of label ``idx``: recall weighs ``beta`` times as much as precision; NaN when either is, or
    both 0.
    """
    precision = compute_precision(confusion_matrix, idx=idx)
    recall = compute_recall(confusion_matrix, idx=idx)
    return _ratio((1 + beta**2) * (precision * recall), beta**2 * precision + recall)


def compute_averaged_f_score(confusion_matrix: Matrix, beta: float = 1.0, average: str = "macro") -> float:
    """The mean of the labels' F-scores ("macro" is the only average); NaN when one of them is."""
    if average != "macro":
        raise SampleError(f"average must be 'macro', got {average!r}")
    scores = [compute_f_score(confusion_matrix, idx=i, beta=beta) for i in range(confusion_matrix.shape[0])]
    return sum(scores) / len(scores) if scores else math.nan


def _ratio(part: Any, whole: Any) -> float:
    return float(part) / float(whole) if whole else math.nan
