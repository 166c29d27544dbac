"""Two runs of the same samples compared: which pairs there are, what differs, by how much, and whether it means anything.

``compare`` reads two logs (of runs that ended, or not) and pairs their samples by id; only those scored in both can be
compared, and the ledger says how many of each run were not. The formulas are in ``statistics.paired``.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aigc_evals.errors import UsageError, nearest
from aigc_evals.fastjson import encode
from aigc_evals.log.resume import differences
from aigc_evals.report import plain_number
from aigc_evals.statistics.paired import (
    FEW_CLUSTERS,
    RESAMPLES,
    SEED,
    Difference,
    holm,
    paired_difference,
    verdict,
)
from aigc_evals.tools.paired_runs import PairedRun, read_answers, read_run


@dataclass(frozen=True)
class Flip:
    """A sample on which the two runs differ most in a metric: both scores, both answers, what was expected."""

    sample_id: str
    metric: str
    a: float
    b: float
    answer_a: str | None
    answer_b: str | None
    expected: Any


@dataclass(frozen=True)
class Compared:
    """One metric: its difference, its p values adjusted for all metrics compared, and the word for it."""

    metric: str
    difference: Difference
    p_adjusted: float
    p_same_adjusted: float | None
    verdict: str
    note: str = ""


@dataclass(frozen=True)
class Comparison:
    """Run B compared with run A, the baseline: every difference is B - A.

    ``a`` and ``b`` are the facts of the runs, ``pairs`` the ledger of samples, ``metrics`` the results in order, ``flips``
    samples on which they differ, ``differences`` what is not the same in the two runs besides, ``warnings`` what makes the
    comparison doubtful.
    """

    a: dict[str, Any]
    b: dict[str, Any]
    pairs: dict[str, int]
    metrics: list[Compared]
    flips: list[Flip]
    differences: list[str]
    warnings: list[str]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; NaN becomes None."""
        metrics: dict[str, Any] = {}
        for one in self.metrics:
            told = {key: plain_number(value) for key, value in asdict(one.difference).items()}
            told.update(p_adjusted=plain_number(one.p_adjusted), p_same_adjusted=plain_number(one.p_same_adjusted))
            metrics[one.metric] = {**told, "verdict": one.verdict, "note": one.note}
        return {
            "baseline": self.a,
            "compared": self.b,
            "pairs": self.pairs,
            "metrics": metrics,
            "flips": [asdict(flip) for flip in self.flips],
            "differences": self.differences,
            "warnings": self.warnings,
        }


def compare(
    a: str | Path,
    b: str | Path,
    *,
    metrics: Sequence[str] = (),
    margin: float | None = None,
    flips: int = 0,
    lower_is_better: Collection[str] = (),
    seed: int = SEED,
    resamples: int = RESAMPLES,
) -> Comparison:
    """Compare the log ``b`` with the log ``a``, the baseline.

    ``metrics`` are compared (default: all that both runs have); ``margin`` is the difference that would not matter;
    ``flips`` bounds how many samples are listed on which the first metric differs; ``lower_is_better`` names metrics of
    which less is better. UsageError where a file is no log, a metric is unknown, or no sample was scored in both.
    """
    if margin is not None and not 0 < margin < math.inf:
        raise UsageError(f"must be a positive number, got {margin}", key="margin")
    if flips < 0:
        raise UsageError(f"must not be negative, got {flips}", key="flips")
    old, new = read_run(Path(a)), read_run(Path(b))
    common = [(row, new.rows[name]) for name, row in old.rows.items() if name in new.rows]
    pairs = [(i, j) for i, j in common if old.scored[i] and new.scored[j]]
    _check_pairs(old, new, common, pairs)
    names = _chosen(metrics, old, new, lower_is_better)
    clusters = shared_clusters(old, new)
    found: list[tuple[str, Difference]] = []
    for name in names:
        left, right = old.columns[name], new.columns[name]
        kept = [(i, j) for i, j in pairs if not (math.isnan(left[i]) or math.isnan(right[j]))]
        difference = paired_difference(
            array("d", (left[i] for i, _ in kept)),
            array("d", (right[j] for _, j in kept)),
            clusters=None if clusters is None else array("q", (clusters[i] for i, _ in kept)),
            margin=margin,
            resamples=resamples,
            seed=seed,
        )
        found.append((name, difference))
    adjusted = holm([difference.p for _, difference in found])
    same = holm([math.nan if one.p_same is None else one.p_same for _, one in found])
    compared = [
        Compared(
            name,
            one,
            p,
            p_same if margin is not None else None,
            verdict(one.difference, p, p_same, lower_is_better=name in lower_is_better),
            _note(name, one),
        )
        for (name, one), p, p_same in zip(found, adjusted, same, strict=True)
    ]
    ledger = {
        "compared": len(pairs),
        "only_a_scored": _alone(old, new),
        "only_b_scored": _alone(new, old),
        "neither_scored": sum(not old.scored[i] and not new.scored[j] for i, j in common),
        "only_in_a": len(old.rows) - len(common),
        "only_in_b": len(new.rows) - len(common),
    }
    return Comparison(
        old.facts,
        new.facts,
        ledger,
        compared,
        _flips(old, new, pairs, names[0], flips) if flips else [],
        _differences(old, new),
        _warnings(old, new, pairs),
    )


def _check_pairs(old: PairedRun, new: PairedRun, common: Sequence[Any], pairs: Sequence[Any]) -> None:
    if not common:
        ids = [next(iter(run.rows), "none at all") for run in (old, new)]
        raise UsageError(
            "the two logs have no sample in common",
            path=new.path,
            hint=f"Samples are paired by id; the first is {ids[0]} there, {ids[1]} here.",
        )
    if not pairs:
        raise UsageError("no sample was scored in both logs, so there is nothing to compare", path=new.path)


def _chosen(metrics: Sequence[str], old: PairedRun, new: PairedRun, lower: Collection[str]) -> list[str]:
    shared = [name for name in old.columns if name in new.columns]
    for name in [*metrics, *lower]:
        if name not in shared:
            raise UsageError(
                f"not a metric of both logs: {name!r}",
                key="metric",
                hint=nearest(name, shared) or f"Both have: {shared}",
            )
    if not shared:
        raise UsageError("the two logs have no metric in common", path=new.path)
    # The shares of verdicts speak for runs that have no other figures; more of one of them need not be better.
    return list(dict.fromkeys(metrics)) or [name for name in shared if "/" not in name] or shared


def shared_clusters(old: PairedRun, new: PairedRun) -> list[int] | None:
    """The clusters of paired samples: a code per row of the baseline, or None where no sample belongs to a cluster."""
    codes: dict[str, int] = {}
    found: list[int] = []
    for number, (name, row) in enumerate(old.rows.items()):
        cluster = old.clusters[row]
        if cluster is None and name in new.rows:
            cluster = new.clusters[new.rows[name]]
        # Negative codes are never shared: a sample without a cluster stands alone.
        found.append(-1 - number if cluster is None else codes.setdefault(cluster, len(codes)))
    return found if codes else None


def _alone(one: PairedRun, other: PairedRun) -> int:
    """How many samples only ``one`` has a score of, though both runs have them."""
    return sum(
        1
        for name, row in one.rows.items()
        if one.scored[row] and name in other.rows and not other.scored[other.rows[name]]
    )


def _note(name: str, one: Difference) -> str:
    if one.clusters is not None and one.clusters < min(FEW_CLUSTERS, one.n):
        return f"only {one.clusters} clusters: the interval is approximate"
    if one.interval == "none":
        return "nothing varies, so no interval can be given" if one.n > 1 else "one pair alone says nothing"
    return "a share of verdicts: better means no more than that there are more of them" if "/" in name else ""


def _differences(old: PairedRun, new: PairedRun) -> list[str]:
    """What differs in eval, functions, arguments and data, then in settings, versions, models that answered, and the user."""
    found = differences(old.spec, new.spec)
    before, after = ((run.spec.get("run_config") or {}) for run in (old, new))
    for part in ("settings", "versions"):
        left, right = before.get(part) or {}, after.get(part) or {}
        for key in dict.fromkeys([*left, *right]):
            found += _told(f"{part}.{key}", left.get(key), right.get(key))
    if old.models and new.models:
        found += _told("models that answered", sorted(old.models), sorted(new.models))
    return found + _told("created_by", old.spec.get("created_by"), new.spec.get("created_by"))


def _told(name: str, left: Any, right: Any) -> list[str]:
    return [] if left == right else [f"{name} was {encode(left).decode()}, is now {encode(right).decode()}"]


def _warnings(old: PairedRun, new: PairedRun, pairs: Iterable[tuple[int, int]]) -> list[str]:
    found: list[str] = []
    sums = [((run.spec.get("run_config") or {}).get("data") or {}).get("samples") or {} for run in (old, new)]
    if sums[0].get("sha256") != sums[1].get("sha256"):
        found.append("the data differ, so samples of the same number may be different questions")
    other = sum(old.expected[i] != new.expected[j] for i, j in pairs)
    if other:
        found.append(f"{other} pairs have different expected answers")
    found += [f"{run.path} is of a run that has not ended" for run in (old, new) if not run.finished]
    return found


def _flips(old: PairedRun, new: PairedRun, pairs: Sequence[tuple[int, int]], metric: str, most: int) -> list[Flip]:
    """The samples on which the metric differs: losses first, the largest difference first, then in the order of ids."""
    names = list(old.rows)
    left, right = old.columns[metric], new.columns[metric]
    moved = [(right[j] - left[i], names[i], i, j) for i, j in pairs if abs(right[j] - left[i]) > 0]
    moved.sort(key=lambda item: (item[0] > 0, -abs(item[0]), _natural(item[1])))
    kept = moved[:most]
    wanted = {name for _, name, _, _ in kept}
    said, told = read_answers(old.path, wanted), read_answers(new.path, wanted)
    return [
        Flip(
            name,
            metric,
            left[i],
            right[j],
            said.get(name, (None, None))[0],
            told.get(name, (None, None))[0],
            said.get(name, (None, None))[1],
        )
        for _, name, i, j in kept
    ]


def _natural(sample_id: str) -> tuple[str, int]:
    name, _, number = sample_id.rpartition(".")
    return name, int(number) if number.isdecimal() else 0
