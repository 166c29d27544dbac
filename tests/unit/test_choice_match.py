"""Choice questions through whole runs: what is right, unparsed, grouped, and asked with examples of its subject."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.registries import write_jsonl

from aigc_evals.api import TextResult
from aigc_evals.base import RunSpec
from aigc_evals.columns import width
from aigc_evals.elsuite.basic.match import Match
from aigc_evals.elsuite.choice_match import ChoiceMatch, options_of
from aigc_evals.errors import SampleError, UsageError
from aigc_evals.record import LocalRecorder, Recorder
from aigc_evals.report import build, render
from aigc_evals.report.markdown import markdown
from aigc_evals.statistics import macro_average
from aigc_evals.statistics.groups import group_report, labels_of
from aigc_evals.testing import ScriptedCompletionFn
from aigc_evals.tools.report import rendered, report_of


def row(text: str, ideal: Any = "A", **more: Any) -> dict[str, Any]:
    return {"input": [{"role": "user", "content": text}], "ideal": ideal, **more}


def echo(prompt: Any, **kwargs: Any) -> str:
    """Answers with the last message."""
    return str(prompt[-1]["content"])


def run(
    folder: Path, samples: list[dict[str, Any]], cls: Any = ChoiceMatch, **kwargs: Any
) -> tuple[dict[str, Any], Any, Path]:
    path = write_jsonl(folder / "rows.jsonl", samples)
    log = folder / "log.jsonl"
    recorder = LocalRecorder(log, RunSpec(["echo"], "a.b", "a", "b", {}, ""))
    repeats = kwargs.pop("repeats", 1)
    made = cls([echo], samples_jsonl=str(path), name="a.b", **kwargs)
    made.repeats = repeats
    report = build(made.run(recorder), recorder, metric_ranges=made.metric_ranges, repeats=repeats)
    matches = [event.data for event in recorder.get_events("match")]
    recorder.record_final_report(report)
    return report, matches, log


def test_an_answer_without_a_letter_is_unparsed_and_the_report_has_both_figures(tmp_path: Path) -> None:
    samples = [row("The answer is A."), row("答案是B"), row("A and B"), row("I do not know")]
    report, matches, _ = run(tmp_path, samples)
    assert report["outcomes"]["scored"] == 2
    assert report["outcomes"]["unparsed"] == 2
    assert (report["accuracy"], report["accuracy_unparsed_wrong"]) == (0.5, 0.25)
    assert report["metrics"]["accuracy"]["value"] == 0.5
    assert report["metrics"]["accuracy"]["bounds"] == [0.25, 0.75]
    assert sorted((m["picked"], m["rule"]) for m in matches if m["picked"]) == [
        ("A", "answer line"),
        ("B", "answer line"),
    ]
    assert sorted(m["rule"] for m in matches if not m["picked"]) == ["nothing", "several"]


def test_a_run_in_which_nothing_could_be_read_has_no_accuracy(tmp_path: Path) -> None:
    report, _, _ = run(tmp_path, [row("hm"), row("A or B")])
    assert report["accuracy"] is None
    assert report["accuracy_unparsed_wrong"] == 0.0


@pytest.mark.parametrize("said, outcome", [("I think", "truncated"), ("The answer is A", "truncated"), ("", "empty")])
def test_a_cut_or_empty_answer_is_that_and_not_unparsed(tmp_path: Path, said: str, outcome: str) -> None:
    path = write_jsonl(tmp_path / "rows.jsonl", [row("q")])
    recorder = Recorder(RunSpec(["fn"], "a.b", "a", "b", {}, ""))
    cut = ChoiceMatch(
        [lambda prompt, **_: TextResult(said, finish_reason="length" if said else "stop")], str(path), name="a.b"
    )
    assert build(cut.run(recorder), recorder, metric_ranges={})["outcomes"][outcome] == 1


@pytest.mark.parametrize(
    "answer, ideal, more, correct",
    [
        ("C", ["B", "C"], {}, True),
        ("London", "B", {"choices": {"A": "Paris", "B": "London"}}, True),
        ("伦敦", "B", {"choices": ["巴黎", "伦敦"]}, True),
        ("F", "F", {"choices": 6}, True),
        ("E", "E", {}, True),
    ],
)
def test_one_letter_of_the_ideals_is_right(tmp_path: Path, answer: str, ideal: Any, more: Any, correct: bool) -> None:
    _, matches, _ = run(tmp_path, [row(answer, ideal, **more)])
    assert matches[0]["correct"] is correct


@pytest.mark.parametrize(
    "answer, ideal, correct",
    [
        ("答案是ABD", "ABD", True),
        ("A, B and D", ["D", "A", "B"], True),
        ("AB", "ABD", False),
        ("ABCD", "ABD", False),
        ("A", "A", True),
    ],
)
def test_several_letters_must_be_exactly_the_right_ones(tmp_path: Path, answer: str, ideal: Any, correct: bool) -> None:
    _, matches, _ = run(tmp_path, [row(answer, ideal)], multiple=True)
    assert matches[0]["correct"] is correct


@pytest.mark.parametrize(
    "sample, message",
    [
        (row("q", "E", choices=["x", "y"]), "one letter of AB"),
        (row("q", "AB"), "one letter"),
        (row("q", ""), "one letter"),
        (row("q", []), "no right option"),
        (row("q", choices={"a": "x"}), "letters to texts"),
        (row("q", choices=27), "their number"),
        (row("q", choices=[1, 2]), "texts"),
    ],
)
def test_a_malformed_sample_is_refused_before_anything_is_asked(tmp_path: Path, sample: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        run(tmp_path, [sample])


def test_options_are_a_to_d_and_further_where_an_ideal_is() -> None:
    assert list(options_of(row("q", "B"))) == list("ABCD")
    assert list(options_of(row("q", "G"))) == list("ABCDEFG")


SUBJECTS = [
    *(row("A", metadata={"subject": "物理", "category": "STEM"}) for _ in range(3)),
    row("B", metadata={"subject": "物理", "category": "STEM"}),
    row("A", metadata={"subject": "历史", "category": "人文"}),
    row("A", metadata={"subject": "历史", "category": "人文"}),
    row("B", metadata={"subject": "law", "category": "人文"}),
    row("hm", metadata={"subject": "law", "category": "人文"}),
]


@pytest.mark.parametrize("cls", [ChoiceMatch, Match])
def test_the_report_has_the_figures_by_group_and_the_means_over_groups(tmp_path: Path, cls: Any) -> None:
    report, _, log = run(tmp_path, SUBJECTS if cls is ChoiceMatch else SUBJECTS[:-1], cls)
    error = math.sqrt(0.75 * 0.25 / 3)
    assert report["groups"] == {
        "category": {
            "STEM": {"n": 4, "accuracy": 0.75, "stderr": pytest.approx(error)},
            "人文": {"n": 3, "accuracy": pytest.approx(2 / 3), "stderr": pytest.approx(1 / 3)},
        },
        "subject": {
            "law": {"n": 1, "accuracy": 0.0, "stderr": None},
            "历史": {"n": 2, "accuracy": 1.0, "stderr": 0.0},
            "物理": {"n": 4, "accuracy": 0.75, "stderr": pytest.approx(error)},
        },
    }
    assert report["macro/category"] == pytest.approx((0.75 + 2 / 3) / 2)
    assert report["macro/subject"] == pytest.approx(1.75 / 3)
    assert report["macro_stderr/category"] == pytest.approx(math.hypot(error, 1 / 3) / 2)
    assert report["macro_stderr/subject"] is None
    assert report["metrics"]["accuracy"]["value"] == pytest.approx(5 / 7)
    made_again = report_of(log).report
    assert {k: made_again[k] for k in ("groups", "macro/category")} == {
        k: report[k] for k in ("groups", "macro/category")
    }


def test_tables_and_files_show_the_groups(tmp_path: Path) -> None:
    report, _, log = run(tmp_path, SUBJECTS)
    lines = render(report).splitlines()
    begin = next(i for i, line in enumerate(lines) if line.startswith("by"))
    assert [line.split()[:3] for line in lines[begin + 1 : begin + 3]] == [
        ["category", "STEM", "0.7500"],
        ["category", "人文", "0.6667"],
    ]
    assert len({width(line[: line.index("0.")]) for line in lines[begin + 1 : begin + 3]}) == 1
    assert "macro" not in next(line for line in lines if line.startswith("report"))
    assert "| category | STEM | 0.7500 | 4 | 0.2500 |" in markdown([("t", report)])
    csv = rendered([report_of(log)], "csv").splitlines()
    assert [line.split(",")[2] for line in csv[1:]] == [
        "accuracy", "accuracy/category/STEM", "accuracy/category/人文", "macro/category",
        "accuracy/subject/law", "accuracy/subject/历史", "accuracy/subject/物理", "macro/subject",
    ]  # fmt: skip


def test_many_groups_are_in_the_report_and_one_line_of_the_table(tmp_path: Path) -> None:
    report, _, _ = run(tmp_path, [row("A", metadata={"subject": f"s{i}"}) for i in range(57)])
    assert len(report["groups"]["subject"]) == 57
    lines = [line.split() for line in render(report).splitlines()]
    assert [line for line in lines if line[:1] == ["subject"]] == [
        ["subject", "mean", "over", "57", "groups", "1.0000", "-"]
    ]


def test_a_group_of_which_nothing_was_scored_is_shown_and_left_out_of_the_mean(tmp_path: Path) -> None:
    samples = [
        row("hm", metadata={"subject": "化学"}),
        row("A", metadata={"subject": "law"}),
        row("B", metadata={"subject": "law"}),
    ]
    report, _, log = run(tmp_path, samples)
    assert report["groups"]["subject"]["化学"] == {"n": 0, "accuracy": None, "stderr": None}
    assert report["macro/subject"] == 0.5
    told = [line.split() for line in render(report).splitlines() if line.startswith("subject")]
    assert told[0] == ["subject", "law", "0.5000", "2", "0.5000"]
    assert told[1] == ["subject", "化学", "-", "0", "-"]
    assert told[2][:6] == ["subject", "mean", "over", "1", "of", "2"]
    assert report_of(log).report["groups"] == report["groups"]


def test_by_names_other_keys_and_rows_without_metadata_make_no_groups(tmp_path: Path) -> None:
    report, _, _ = run(
        tmp_path, [row("A", metadata={"level": 1, "subject": "x"}), row("B", metadata={"level": 2})], by=["level"]
    )
    assert {axis: list(labels) for axis, labels in report["groups"].items()} == {"level": ["1", "2"]}
    (tmp_path / "none").mkdir()
    report, _, _ = run(tmp_path / "none", [row("A"), row("B", metadata="x")])
    assert not [key for key in report if key.startswith(("groups", "macro"))]


def test_a_group_counts_samples_not_answers_where_each_is_asked_several_times(tmp_path: Path) -> None:
    samples = [row("A", metadata={"subject": "x"}), row("B", metadata={"subject": "x"})]
    report, _, _ = run(tmp_path, samples, repeats=3)
    assert report["groups"]["subject"]["x"] == {"n": 2, "accuracy": 0.5, "stderr": 0.5}


def test_groups_keep_clusters_together() -> None:
    report = group_report("accuracy", [1, 1, 0, 0], [0, 0, 0, 0], [{"subject": "x"}], clusters=[1, 1, 2, 2])
    assert report["groups"]["subject"]["x"]["stderr"] == pytest.approx(math.sqrt(2 / 1 * (1 + 1) / 16))


@given(st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.integers(-1, 2)), max_size=40))
def test_the_groups_of_an_axis_hold_every_grouped_value_once(values: list[tuple[float, int]]) -> None:
    sets = [{"s": "x"}, {"s": "y", "c": "z"}, {"c": "z"}]
    report = group_report("accuracy", [v for v, _ in values], [c for _, c in values], sets)
    for axis, codes in (("s", (0, 1)), ("c", (1, 2))):
        groups = report.get("groups", {}).get(axis, {})
        mine = [value for value, code in values if code in codes]
        assert sum(told["n"] for told in groups.values()) == len(mine)
        assert sum(told["n"] * (told["accuracy"] or 0) for told in groups.values()) == pytest.approx(sum(mine))
        assert all((told["accuracy"] is None) == (told["n"] == 0) for told in groups.values())


def test_labels_are_texts_and_whole_numbers() -> None:
    sample = {"metadata": {"subject": "", "category": 3, "x": None, "y": True, "z": [1]}}
    assert labels_of(sample, ("subject", "category", "x", "y", "z")) == {"category": "3"}


def test_the_mean_over_groups_counts_each_the_same() -> None:
    assert macro_average([0.5, 1.0], [0.3, 0.4]) == (0.75, 0.25)
    assert all(map(math.isnan, macro_average([], [])))


# -- examples of the same subject -----------------------------------------------------------------------------------


def example(subject: str | None, letter: str) -> dict[str, Any]:
    messages = [{"role": "user", "content": f"{subject}?"}, {"role": "assistant", "content": letter}]
    return {"sample": messages, **({"metadata": {"subject": subject}} if subject else {})}


def asked(folder: Path, examples: list[dict[str, Any]], sample: dict[str, Any], count: int) -> list[str]:
    fn = ScriptedCompletionFn(["A"])
    path = write_jsonl(folder / "dev.jsonl", examples)
    made = ChoiceMatch([fn], samples_jsonl="", name="a.b", num_few_shot=count, few_shot_jsonl=str(path))
    recorder = Recorder(RunSpec(["fn"], "a.b", "a", "b", {}, ""))
    with recorder.as_default_recorder("a.b.0"):
        made.eval_sample(sample, random.Random(1))
    return [message["content"] for message in fn.calls[0].prompt]


def test_examples_are_of_the_samples_own_subject(tmp_path: Path) -> None:
    examples = [
        example("law", "A"),
        example("物理", "B"),
        example("law", "C"),
        example("物理", "D"),
        example("物理", "A"),
    ]
    sample = row("q", metadata={"subject": "物理"})
    assert asked(tmp_path, examples, sample, 2) == ["物理?", "B", "物理?", "D", "q"]
    assert asked(tmp_path, examples, sample, 0) == ["q"]
    with pytest.raises(SampleError, match="history"):
        asked(tmp_path, examples, row("q", metadata={"subject": "history"}), 2)


def test_examples_without_subjects_serve_all_samples(tmp_path: Path) -> None:
    examples = [example(None, "A"), example(None, "B"), example(None, "C")]
    assert asked(tmp_path, examples, row("q", metadata={"subject": "x"}), 2) == ["None?", "A", "None?", "B", "q"]
