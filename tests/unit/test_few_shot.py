"""Fewer examples than an eval asks for: the run goes on with what there is, and its figures are not read without knowing it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.registries import registry, write_jsonl

from aigc_evals import run
from aigc_evals.elsuite.few_shot import shortage
from aigc_evals.testing import ScriptedCompletionFn

QUESTION = [{"role": "system", "content": "只答一个字。"}, {"role": "user", "content": "问？"}]


def shot(subject: str | None = None) -> dict[str, Any]:
    made: dict[str, Any] = {"sample": [{"role": "user", "content": "例？"}, {"role": "assistant", "content": "A"}]}
    return made if subject is None else {**made, "metadata": {"subject": subject}}


def report_of(tmp_path: Path, cls: str, shots: list[Any], count: int) -> tuple[dict[str, Any], ScriptedCompletionFn]:
    fn = ScriptedCompletionFn(lambda prompt: "A")
    sample = {"input": QUESTION, "ideal": "A", "metadata": {"subject": "化学"}}
    spec = (
        f"q.dev.v0:\n  class: aigc_evals.elsuite.{cls}\n  args:\n    samples_jsonl: q.jsonl\n"
        f"    num_few_shot: {count}\n    few_shot_jsonl: few.jsonl\n"
    )
    place = registry(tmp_path / "registry", {"evals/q.yaml": spec}, {"q.jsonl": [sample]})
    write_jsonl(place / "data" / "few.jsonl", shots)
    result = run([fn], "q.dev.v0", registry_path=[place], record_path=tmp_path / "log.jsonl", progress=False)
    assert (result.exit_code, result.problems) == (0, []), "it is no reason to fail"
    return result.report, fn


@pytest.mark.parametrize(
    "cls, shots, told",
    [
        ("basic.match:Match", [shot()] * 2, "num_few_shot is 3, but few_shot_jsonl has only 2 examples"),
        ("basic.match:Match", [], "num_few_shot is 3, but few_shot_jsonl has no examples"),
        ("choice_match:ChoiceMatch", [shot()] * 2, "num_few_shot is 3, but few_shot_jsonl has only 2 examples"),
        ("choice_match:ChoiceMatch", [shot("化学")] * 2 + [shot("历史")] * 3, "has fewer examples of 化学 (2);"),
        ("translate:Translate", [shot()], "has only 1 example;"),
    ],
)
def test_fewer_examples_than_asked_for_are_noted_and_the_questions_get_what_there_is(
    cls: str, shots: list[Any], told: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        report, fn = report_of(tmp_path, cls, shots, 3)
    (note,) = report["notes"]
    assert told in note
    assert [record.getMessage() for record in caplog.records].count(note) == 1
    assert len(fn.calls[0].prompt) == 2 + 2 * min(len(shots), 2)


@pytest.mark.parametrize("cls", ["basic.match:Match", "choice_match:ChoiceMatch"])
@pytest.mark.parametrize("count", [0, 1, 2])
def test_enough_examples_are_nothing_to_speak_of(count: int, cls: str, tmp_path: Path) -> None:
    report, fn = report_of(tmp_path, cls, [shot("化学")] * 2, count)
    assert "notes" not in report
    assert len(fn.calls[0].prompt) == 2 + 2 * count


@given(st.lists(st.sampled_from(["化学", "历史", None])), st.integers(1, 4))
def test_a_shortage_is_told_exactly_where_there_is_one(subjects: list[str | None], count: int) -> None:
    rows = [shot(subject) for subject in subjects]
    assert (shortage(rows, count) is not None) == (len(rows) < count)
    named = {subject for subject in subjects if subject is not None}
    few = [subject for subject in named if subjects.count(subject) < count]
    told = shortage(rows, count, by_subject=True)
    if named:
        assert (told is not None) == bool(few)
        assert all(f"{subject} ({subjects.count(subject)})" in str(told) for subject in few)
    else:
        assert (told is not None) == (len(rows) < count)


def test_many_subjects_with_a_shortage_are_counted() -> None:
    told = shortage([shot(f"科目{i}") for i in range(9)], 2, by_subject=True)
    assert "科目4 (1) and 4 more subjects" in str(told)
