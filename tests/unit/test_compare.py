"""Two logs compared: which samples make pairs, what is told of the rest, and what differs between the runs."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scipy import stats
from support.registries import registry, rows, write_jsonl

from aigc_evals import RunResult, run
from aigc_evals.columns import padded, table, width, wrapped
from aigc_evals.errors import UsageError
from aigc_evals.tools.compare import compare

YAML = """
{name}:
  id: {name}.dev.v0
{name}.dev.v0:
  class: aigc_evals.elsuite.basic.{cls}
  args:
    samples_jsonl: {name}.jsonl
"""


def number(prompt: Any) -> int:
    return int("".join(c for c in str(prompt) if c.isdigit()))


def right_if(rule: Callable[[int], bool]) -> Callable[..., str]:
    """A model whose answer to question ``i`` is right where ``rule(i)`` holds."""

    def answer(prompt: Any, **_kwargs: Any) -> str:
        return "True" if rule(number(prompt)) else "错"

    return answer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    evals = {
        f"evals/{name}.yaml": YAML.format(name=name, cls=cls)
        for name, cls in (("plain", "match:Match"), ("fuzzy", "fuzzy_match:FuzzyMatch"), ("grouped", "match:Match"))
    }
    grouped = [{**row, "cluster": f"段落{i // 4}"} for i, row in enumerate(rows(160))]
    data = {"plain.jsonl": rows(120), "fuzzy.jsonl": rows(40), "grouped.jsonl": grouped}
    return registry(tmp_path / "registry", evals, data)


def made(folder: Path, name: str, fn: Callable[..., Any], eval: str = "plain", **config: Any) -> Path:
    path = folder / f"{name}.jsonl"
    result: RunResult = run(fn, eval, registry_path=[folder], record_path=path, progress=False, **config)
    assert result.log_path == path
    return path


def test_samples_are_paired_by_id_and_counted(folder: Path) -> None:
    a = made(folder, "a", right_if(lambda i: i % 2 == 0))
    b = made(folder, "b", right_if(lambda i: i % 2 == 0 or i % 10 == 1))
    found = compare(a, b)
    one = found.metrics[0]
    d = one.difference
    assert (one.metric, d.n, d.wins, d.losses, d.ties) == ("accuracy", 120, 12, 0, 108)
    assert d.difference == pytest.approx(0.1)
    assert d.p_exact == pytest.approx(stats.binomtest(12, 12).pvalue)
    assert one.verdict == "better"
    assert compare(b, a).metrics[0].verdict == "worse"
    assert compare(b, a).metrics[0].difference.low == pytest.approx(-d.high)
    assert compare(b, a, lower_is_better=["accuracy"]).metrics[0].verdict == "better"
    assert found.pairs["compared"] == 120
    assert sum(found.pairs.values()) == 120


def test_what_only_one_run_scored_is_left_out_and_told(folder: Path) -> None:
    def shaky(prompt: Any, **_kwargs: Any) -> str:
        if number(prompt) < 10:
            raise RuntimeError("断线了")
        return "" if number(prompt) < 15 else "True"

    a = made(folder, "a", right_if(lambda i: True), max_samples=100)
    b = made(folder, "b", shaky)
    found = compare(a, b)
    pairs = found.pairs
    assert pairs["compared"] == found.metrics[0].difference.n
    assert pairs["compared"] + pairs["only_a_scored"] == 100
    assert pairs["only_b_scored"] == pairs["neither_scored"] == pairs["only_in_a"] == 0
    assert pairs["only_in_b"] == 20
    assert 5 < pairs["only_a_scored"] <= 15
    assert found.b["outcomes"] == {"scored": 105, "error": 10, "empty": 5}
    assert "max_samples was 100, is now null" in found.differences


def test_clusters_are_kept_together(folder: Path) -> None:
    a = made(folder, "a", right_if(lambda i: i // 4 % 2 == 0), "grouped")
    b = made(folder, "b", right_if(lambda i: i // 4 % 2 == 0 or i // 4 % 5 == 1), "grouped")
    d = compare(a, b).metrics[0].difference
    means = [float(c % 2 == 1 and c % 5 == 1) for c in range(40)]
    theirs = stats.ttest_1samp(means, 0)
    assert (d.clusters, d.interval, d.test) == (40, "cluster-t", "cluster-t")
    assert (d.low, d.high) == pytest.approx(tuple(theirs.confidence_interval(0.95)))
    assert d.p == pytest.approx(theirs.pvalue)
    assert d.design_effect is not None
    assert d.design_effect > 3


def test_every_number_both_runs_have_is_compared_with_holm_s_correction(folder: Path) -> None:
    a = made(folder, "a", right_if(lambda i: i % 2 == 0), "fuzzy")
    b = made(folder, "b", lambda prompt, **kwargs: "True 也许" if number(prompt) % 2 else "True", "fuzzy")
    found = compare(a, b)
    assert [one.metric for one in found.metrics] == ["accuracy", "f1_score"]
    assert [one.difference.test for one in found.metrics] == ["mcnemar-mid-p", "sign-flip"]
    smallest = min(one.difference.p for one in found.metrics)
    assert min(one.p_adjusted for one in found.metrics) == pytest.approx(2 * smallest)
    assert [one.metric for one in compare(a, b, metrics=["f1_score"]).metrics] == ["f1_score"]
    with pytest.raises(UsageError, match="not a metric of both logs: 'f2'"):
        compare(a, b, metrics=["f2"])


def test_flips_show_both_answers_losses_first(folder: Path) -> None:
    a = made(folder, "a", right_if(lambda i: i != 7))
    b = made(folder, "b", right_if(lambda i: i not in (3, 40)))
    flips = compare(a, b, flips=10).flips
    assert [(flip.sample_id, flip.a, flip.b) for flip in flips] == [
        ("plain.dev.3", 1.0, 0.0),
        ("plain.dev.40", 1.0, 0.0),
        ("plain.dev.7", 0.0, 1.0),
    ]
    assert (flips[0].answer_a, flips[0].answer_b, flips[0].expected) == ("True", "错", "True")
    assert len(compare(a, b, flips=1).flips) == 1
    assert compare(a, b).flips == []


def test_repeats_of_a_sample_are_one_pair(folder: Path) -> None:
    a = made(folder, "a", right_if(lambda i: i % 3 > 0))
    b = made(folder, "b", right_if(lambda i: i % 3 > 0), repeats=3)
    d = compare(a, b).metrics[0].difference
    assert (d.n, d.difference, d.ties) == (120, 0.0, 120)
    assert compare(a, b).b["answers"] == 360


def test_a_margin_makes_no_difference_a_result(folder: Path) -> None:
    a = made(folder, "a", right_if(lambda i: i != 1))
    b = made(folder, "b", right_if(lambda i: i != 2))
    assert compare(a, b).metrics[0].verdict == "inconclusive"
    assert compare(a, b, margin=0.1).metrics[0].verdict == "no difference within the margin"
    assert compare(a, b, margin=0.001).metrics[0].verdict == "inconclusive"
    for margin in (0, -1, math.nan):
        with pytest.raises(UsageError, match="positive"):
            compare(a, b, margin=margin)


def test_other_data_are_a_warning(folder: Path) -> None:
    a = made(folder, "a", right_if(lambda i: True))
    write_jsonl(folder / "data" / "plain.jsonl", [{**row, "ideal": "错"} for row in rows(120)])
    found = compare(a, made(folder, "b", right_if(lambda i: True)))
    assert found.warnings == [
        "the data differ, so samples of the same number may be different questions",
        "120 pairs have different expected answers",
    ]
    assert any(text.startswith("data.samples.sha256 was") for text in found.differences)


def test_the_log_of_a_run_that_was_killed_can_be_compared(folder: Path) -> None:
    a = made(folder, "a", right_if(lambda i: True))
    torn = folder / "torn.jsonl"
    torn.write_bytes(a.read_bytes()[: len(a.read_bytes()) // 2])
    found = compare(a, torn)
    assert found.pairs["compared"] + found.pairs["only_in_a"] == 120
    assert found.warnings == [f"{torn} is of a run that has not ended"]


def test_what_cannot_be_compared_is_said(folder: Path) -> None:
    a = made(folder, "a", right_if(lambda i: True))
    with pytest.raises(UsageError, match="no such log"):
        compare(a, folder / "没有.jsonl")
    with pytest.raises(UsageError, match="this is a folder"):
        compare(a, folder)
    with pytest.raises(UsageError, match="not a log of aigc_evals"):
        compare(folder / "data" / "plain.jsonl", a)
    with pytest.raises(UsageError, match="no sample in common"):
        compare(a, made(folder, "f", right_if(lambda i: True), "fuzzy"))
    with pytest.raises(UsageError, match="no sample was scored in both"):
        compare(a, made(folder, "empty", lambda prompt, **kwargs: ""))


def test_the_json_of_a_comparison_has_no_nan(folder: Path) -> None:
    a = made(folder, "a", right_if(lambda i: True))
    told = compare(a, a).as_dict()
    assert told["metrics"]["accuracy"]["correlation"] is None
    assert told["metrics"]["accuracy"]["detectable"] is None
    assert told["baseline"]["log"] == str(a)


WIDTHS = [("abc", 3), ("北京", 4), ("ｱ", 1), ("Ａ", 2), ("e\u0301", 1), ("", 0), ("\u200b", 0)]


@pytest.mark.parametrize(("text", "columns"), WIDTHS)
def test_chinese_characters_take_two_columns(text: str, columns: int) -> None:
    assert width(text) == columns
    assert width(padded(text, 6)) == 6


def test_tables_and_wrapped_lines_keep_their_width() -> None:
    assert table([("模型", "n"), ("a", "12")]) == ["模型  n", "a     12"]
    text = "The answer 是北京，因为它是首都。 " * 5 + "x" * 50
    lines = list(wrapped(text, 20))
    assert max(map(width, lines)) <= 20
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert list(wrapped("one two three", 8)) == ["one two", "three"]
    assert list(wrapped("", 8)) == [""]
    assert list(wrapped("a\n\nb", 8)) == ["a", "", "b"]
