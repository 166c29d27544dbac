"""Samples asked several times: pass@k, pass^k, the majority, and means that do not take repeats for samples."""

from __future__ import annotations

import itertools
import math
from array import array
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import logs
from support.registries import match_registry, registry

from aigc_evals import run
from aigc_evals.statistics import mean_estimate
from aigc_evals.statistics.repeats import Votes, grouped, majority, pass_all_k, pass_at_k, passes, shown_ks

# -- the estimators -------------------------------------------------------------------------------------------------

draws = st.integers(1, 9).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n)))


@given(draws)
def test_pass_at_k_and_pass_all_k_are_what_counting_all_draws_gives(case: tuple[int, int, int]) -> None:
    n, c, k = case
    drawn = list(itertools.combinations([True] * c + [False] * (n - c), k))
    assert pass_at_k(n, c, k) == pytest.approx(sum(map(any, drawn)) / len(drawn))
    assert pass_all_k(n, c, k) == pytest.approx(sum(map(all, drawn)) / len(drawn))


@given(draws)
def test_pass_at_k_is_the_product_that_chen_et_al_compute(case: tuple[int, int, int]) -> None:
    n, c, k = case
    product = math.prod(1 - k / i for i in range(n - c + 1, n + 1)) if n - c >= k else 0.0
    assert pass_at_k(n, c, k) == pytest.approx(1 - product)


@given(draws)
def test_the_two_frame_the_mean_and_meet_at_one(case: tuple[int, int, int]) -> None:
    n, c, k = case
    assert pass_all_k(n, c, k) <= c / n + 1e-12
    assert pass_at_k(n, c, k) >= c / n - 1e-12
    assert pass_at_k(n, c, 1) == pytest.approx(pass_all_k(n, c, 1)) == pytest.approx(c / n)


@pytest.mark.parametrize("case", [(0, 0, 1), (3, 4, 1), (3, 1, 4), (3, 1, 0), (3, -1, 1)])
def test_what_cannot_be_is_refused(case: tuple[int, int, int]) -> None:
    for estimator in (pass_at_k, pass_all_k):
        with pytest.raises(ValueError, match="there must be"):
            estimator(*case)


@pytest.mark.parametrize(
    ("repeats", "shown"),
    [(1, [1]), (3, [1, 2, 3]), (8, list(range(1, 9))), (10, [1, 2, 4, 8, 10]), (16, [1, 2, 4, 8, 16])],
)
def test_few_repeats_show_every_k_and_many_show_powers_of_two(repeats: int, shown: list[int]) -> None:
    assert shown_ks(repeats) == shown


@pytest.mark.parametrize(
    ("votes", "right", "share"),
    [
        ("aab", [1, 1, 0], 1.0),
        ("abb", [1, 0, 0], 0.0),
        ("ab", [1, 0], 0.5),
        ("aabbc", [1, 1, 0, 0, 0], 0.5),
        ("aabbcc", [1, 1, 0, 0, 0, 0], 1 / 3),
        ("aabb", [1, 1, 1, 1], 1.0),
        ("a", [0], 0.0),
    ],
)
def test_the_majority_is_the_most_frequent_vote_and_ties_count_as_their_share(
    votes: str, right: list[int], share: float
) -> None:
    assert majority([ord(vote) for vote in votes], right) == pytest.approx(share)


answers = st.lists(st.tuples(st.integers(0, 30), st.booleans(), st.sampled_from("甲乙丙")), min_size=1, max_size=80)


@given(answers)
def test_grouping_is_what_a_dictionary_of_lists_would_be(given_answers: list[tuple[int, bool, str]]) -> None:
    by_row: dict[int, list[tuple[bool, str]]] = {}
    column, votes = array("d"), Votes()
    rows, clusters = array("I"), array("i")
    for row, right, vote in given_answers:
        by_row.setdefault(row, []).append((right, vote))
        column.append(float(right))
        rows.append(row)
        clusters.append(row % 3)
        votes.add(row, vote, "甲", right, row % 3)
    samples = grouped(column, rows, clusters)
    ordered = [by_row[row] for row in sorted(by_row)]
    assert list(samples.rows) == sorted(by_row)
    assert list(samples.means) == pytest.approx([sum(r for r, _ in row) / len(row) for row in ordered])
    assert list(samples.clusters) == [row % 3 for row in sorted(by_row)]
    shares, _ = votes.majorities() or (None, None)
    assert shares is not None
    assert list(shares) == pytest.approx([majority([ord(v) for _, v in row], [r for r, _ in row]) for row in ordered])
    two, _ = passes(samples, 2, pass_at_k)
    assert list(two) == pytest.approx(
        [pass_at_k(len(row), sum(r for r, _ in row), 2) for row in ordered if len(row) >= 2]
    )


def test_votes_say_nothing_where_what_is_expected_differs_within_a_sample() -> None:
    votes = Votes()
    votes.add(0, "A", "A", True, -1)
    votes.add(0, "A", "B", False, -2)
    assert votes.majorities() is None


# -- in a run -------------------------------------------------------------------------------------------------------


class Patterned:
    """Right, wrong or failing by question and repeat: one letter per repeat, T right, F and G wrong, E an error."""

    def __init__(self, patterns: dict[str, str]) -> None:
        self.patterns = patterns
        self.asked: dict[str, int] = {}

    def __call__(self, prompt: Any, **kwargs: Any) -> str:
        text = prompt if isinstance(prompt, str) else prompt[-1]["content"]
        number = text.split()[1].rstrip(":")
        turn = self.asked[number] = self.asked.get(number, -1) + 1
        letter = self.patterns[number][turn]
        if letter == "E":
            raise RuntimeError("坏了")
        return {"T": "True", "F": "False", "G": "Gar nichts"}[letter]


def report_of(tmp_path: Path, patterns: list[str], **config: Any) -> dict[str, Any]:
    paths = match_registry(tmp_path / "registry", len(patterns))
    fn = Patterned({str(number): pattern for number, pattern in enumerate(patterns)})
    config = {"record_path": tmp_path / "log.jsonl", "concurrency": 1, "max_retries": 0, "progress": False, **config}
    repeats = len(patterns[0])
    return run(fn, "many", registry_path=[paths], repeats=repeats, **config).report


def test_a_report_of_repeats_by_hand(tmp_path: Path) -> None:
    report = report_of(tmp_path, ["TTT", "TFF", "FFG", "TFG"])
    metrics = report["metrics"]
    assert (report["planned"], report["repeats"], report["accuracy"]) == (12, 3, 5 / 12)
    means = [1, 1 / 3, 0, 1 / 3]
    expected = mean_estimate(means, bounds=(0, 1))
    accuracy = metrics["accuracy"]
    assert (accuracy["n"], accuracy["answers"], accuracy["method"]) == (4, 12, "t")
    assert accuracy["value"] == pytest.approx(sum(means) / 4)
    assert accuracy["stderr"] == pytest.approx(expected.stderr)
    assert [metrics[f"accuracy/pass@{k}"]["value"] for k in (1, 2, 3)] == pytest.approx([5 / 12, (1 + 4 / 3) / 4, 0.75])
    assert [metrics[f"accuracy/pass^{k}"]["value"] for k in (1, 2, 3)] == pytest.approx([5 / 12, 0.25, 0.25])
    # TFG is a tie of three.
    assert metrics["accuracy/majority"]["value"] == pytest.approx((1 + 0 + 0 + 1 / 3) / 4)
    assert metrics["accuracy/pass@3"]["method"] == "wilson"
    assert all(metric["n"] == 4 for metric in metrics.values())
    logs.check_ledger(report)


def test_answers_that_are_missing_shorten_n_and_widen_the_bounds(tmp_path: Path) -> None:
    report = report_of(tmp_path, ["TET", "EFE"])
    metrics = report["metrics"]
    assert report["outcomes"]["error"] == 3
    assert (metrics["accuracy"]["value"], metrics["accuracy"]["n"], metrics["accuracy"]["answers"]) == (0.5, 2, 3)
    assert metrics["accuracy"]["bounds"] == pytest.approx([2 / 6, 5 / 6])
    assert (metrics["accuracy/pass@2"]["value"], metrics["accuracy/pass@2"]["n"]) == (1.0, 1)
    assert metrics["accuracy/pass@2"]["bounds"] == pytest.approx([0.5, 1.0])
    assert metrics["accuracy/pass@3"]["n"] == 0
    assert metrics["accuracy/pass@3"]["value"] is None


def test_the_repeats_of_a_sample_are_samples_of_their_own_in_the_log(tmp_path: Path) -> None:
    report_of(tmp_path, ["TT", "FF"])
    ids = list(logs.outcomes(tmp_path / "log.jsonl"))
    assert sorted(ids) == ["many.dev.0", "many.dev.0~2", "many.dev.1", "many.dev.1~2"]
    assert [ids[0] + "~2", ids[2] + "~2"] == [ids[1], ids[3]]
    closings = {e["sample_id"]: e["data"] for e in logs.events(tmp_path / "log.jsonl", "sample")}
    assert [(closings[i]["row"], closings[i]["repeat"]) for i in sorted(ids)] == [(0, 1), (0, 2), (1, 1), (1, 2)]


def test_one_repeat_leaves_log_and_report_as_they_were(tmp_path: Path) -> None:
    report = report_of(tmp_path, ["T", "F"])
    assert list(report["metrics"]) == ["accuracy"]
    assert "repeats" not in report
    assert "answers" not in report["metrics"]["accuracy"]
    assert set(logs.events(tmp_path / "log.jsonl", "sample")[0]["data"]) == {"outcome", "seconds", "requests"}


def test_a_cluster_of_its_own_goes_before_the_sample(tmp_path: Path) -> None:
    rows = [{"input": f"Question {i}: 是吗？", "ideal": "True", "cluster": f"篇{i // 2}"} for i in range(4)]
    yaml = "c: {id: c.dev.v0}\nc.dev.v0:\n  class: aigc_evals.elsuite.basic.match:Match\n  args: {samples_jsonl: c.jsonl}\n"
    paths = registry(tmp_path / "registry", {"evals/c.yaml": yaml}, {"c.jsonl": rows})
    fn = Patterned({"0": "TT", "1": "TF", "2": "FF", "3": "FT"})
    report = run(
        fn, "c", registry_path=[paths], repeats=2, concurrency=1, progress=False, record_path=tmp_path / "log.jsonl"
    ).report
    accuracy = report["metrics"]["accuracy"]
    expected = mean_estimate([1, 0.5, 0, 0.5], clusters=[0, 0, 1, 1], bounds=(0, 1))
    assert (accuracy["clusters"], accuracy["method"]) == (2, "cluster-t")
    assert accuracy["stderr"] == pytest.approx(expected.stderr)
    assert report["metrics"]["accuracy/pass@2"]["clusters"] == 2


def test_every_repeat_draws_its_own_random_numbers_and_the_first_draws_as_ever(tmp_path: Path) -> None:
    rows = [{"question": "首都？", "answers": ["北京", "上海", "广州", "成都", "西安"], "label": 0}]
    yaml = (
        "mc: {id: mc.dev.v0}\nmc.dev.v0:\n  class: aigc_evals.elsuite.multiple_choice:MultipleChoice\n"
        "  args: {dataset: mc.jsonl}\n"
    )
    paths = registry(tmp_path / "registry", {"evals/mc.yaml": yaml}, {"mc.jsonl": rows})
    prompts: dict[int, list[str]] = {}
    for repeats in (1, 6):
        seen: list[str] = prompts.setdefault(repeats, [])

        def answer(prompt: Any, seen: list[str] = seen, **kwargs: Any) -> str:
            seen.append(str(prompt))
            return "A"

        log = tmp_path / f"{repeats}.jsonl"
        report = run(
            answer, "mc", registry_path=[paths], repeats=repeats, concurrency=1, progress=False, record_path=log
        ).report
    assert prompts[6][0] == prompts[1][0]
    assert len(set(prompts[6])) > 1
    # The letters mean something else each time, so that there is nothing to vote on.
    assert "accuracy/pass@2" in report["metrics"]
    assert "accuracy/majority" not in report["metrics"]
