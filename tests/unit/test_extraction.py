"""JSON against JSON: values computed by hand, what holds for any JSON, and whole runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.bounded import ends
from support.registries import write_jsonl

from aigc_evals.base import RunSpec
from aigc_evals.elsuite.extraction import Counts, JsonExtraction, compare, read_json, total
from aigc_evals.errors import UsageError
from aigc_evals.record import Recorder
from aigc_evals.report import build, render


@pytest.mark.parametrize(
    "said, ideal, counts",
    [
        ({"a": 1}, {"a": 1}, (1, 1, 1)),
        ({"a": 1}, {"a": 1.0}, (1, 1, 1)),
        ({"a": "1"}, {"a": 1}, (0, 1, 1)),
        ({"a": True}, {"a": 1}, (0, 1, 1)),
        ({"a": " Ｘ１ "}, {"a": "X1"}, (1, 1, 1)),
        ({"a": "x"}, {"a": "X"}, (0, 1, 1)),
        ({"a": 1, "b": 2}, {"a": 1}, (1, 2, 1)),
        ({"a": 1}, {"a": 1, "b": 2}, (1, 1, 2)),
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}, (1, 1, 2)),
        ({"a": {"b": 1}}, {"b": 1}, (0, 1, 1)),
        ({"a": [1, 2, 2]}, {"a": [2, 1]}, (2, 3, 2)),
        ({"a": ["x"]}, {"a": "x"}, (1, 1, 1)),
        ({"a": [{"n": "x"}, {"n": "y"}]}, {"a": [{"n": "y"}]}, (1, 2, 1)),
        ({"a": None, "b": [], "c": {}}, {}, (0, 0, 0)),
        ({"城市": "北京"}, {"城市": "上海"}, (0, 1, 1)),
        ([1, 2], [2, 3], (1, 2, 2)),
    ],
)
def test_values_are_counted_by_path(said: Any, ideal: Any, counts: tuple[int, int, int]) -> None:
    assert total(compare(said, ideal).values()) == counts


def test_values_are_found_at_any_depth() -> None:
    value: Any = 1
    for _ in range(5000):
        value = {"a": [value]}
    assert total(compare(value, value).values()) == (1, 1, 1)


def test_counts_are_told_by_field() -> None:
    found = compare(
        {"name": "王伟", "tags": ["a", "b"], "x": 1}, {"name": "王伟", "tags": ["b"], "address": {"city": "北京"}}
    )
    assert found == {"address.city": (0, 0, 1), "name": (1, 1, 1), "tags": (1, 2, 1), "x": (0, 1, 0)}


@pytest.mark.parametrize(
    "counts, precision, recall, f1",
    [
        ((2, 3, 4), 2 / 3, 1 / 2, 4 / 7),
        ((0, 0, 0), 1.0, 1.0, 1.0),
        ((0, 0, 3), 0.0, 0.0, 0.0),
        ((0, 3, 0), 0.0, 0.0, 0.0),
        ((3, 3, 3), 1.0, 1.0, 1.0),
    ],
)
def test_precision_recall_and_f1_by_hand(counts: Any, precision: float, recall: float, f1: float) -> None:
    found = Counts(*counts)
    assert (found.precision, found.recall, found.f1) == pytest.approx((precision, recall, f1))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(max_size=5), JSON, max_size=5)


@given(OBJECTS)
def test_what_is_identical_is_wholly_right(value: Any) -> None:
    told = total(compare(value, json.loads(json.dumps(value))).values())
    assert (told.precision, told.recall, told.f1) == (1.0, 1.0, 1.0)


@given(OBJECTS, OBJECTS)
def test_what_shares_no_field_is_wholly_wrong(left: dict[str, Any], right: dict[str, Any]) -> None:
    told = total(compare({"l": left}, {"r": right}).values())
    assert told.right == 0
    assert told.f1 == (0.0 if told.extracted or told.expected else 1.0)


@given(OBJECTS, OBJECTS)
def test_precision_one_way_is_recall_the_other_way(left: Any, right: Any) -> None:
    one, other = (total(compare(a, b).values()) for a, b in ((left, right), (right, left)))
    assert (one.precision, one.recall, one.f1) == (other.recall, other.precision, other.f1)
    assert 0 <= one.f1 <= 1


@pytest.mark.parametrize(
    "reply, value",
    [
        ('{"a": 1}', {"a": 1}),
        (' [1, 2]\n', [1, 2]),
        ('```json\n{"a": 1}\n```', {"a": 1}),
        ('Here it is:\n```\n{"a": "b`c"}\n```\nAnything else?', {"a": "b`c"}),
        ('First try:\n```json\n{"a": 1}\n```\nBetter:\n```json\n{"a": 2}\n```', {"a": 2}),
        ('The result is {"a": {"b": [1]}}, I think.', {"a": {"b": [1]}}),
        ('结果：{"城市": "北京"}。', {"城市": "北京"}),
        ('The set {x} gives {"a": 1}', {"a": 1}),
        ('{"a": 1} or rather {"a": 2}', {"a": 2}),
        ('{"a": 1', None),
        ('{"a": NaN}', None),
        ("42", None),
        ("no JSON here", None),
        ("", None),
        ("[" * 100_000, None),
        ('{"a":' * 100_000, None),
    ],
)  # fmt: skip
def test_json_is_found_in_a_reply(reply: str, value: Any) -> None:
    with ends():
        assert read_json(reply) == value


def test_json_of_another_kind_is_passed_over() -> None:
    assert read_json('[1] and {"a": 2} and [3]', dict) == {"a": 2}
    assert read_json('{"a": [1]}', list) is None


@given(
    OBJECTS,
    st.sampled_from(["", "Sure:\n", "好的，结果如下：\n"]),
    st.sampled_from(["{}", "```json\n{}\n```", "```\n{}\n```\nDone."]),
)
def test_any_object_is_found_again(value: Any, before: str, around: str) -> None:
    text = before + around.replace("{}", json.dumps(value, ensure_ascii=True, indent=1), 1)
    assert read_json(text, dict) == value


def run(folder: Path, rows: list[tuple[str, Any]]) -> tuple[dict[str, Any], Recorder]:
    path = write_jsonl(folder / "rows.jsonl", [{"input": said, "ideal": ideal} for said, ideal in rows])
    recorder = Recorder(RunSpec(["echo"], "a.b", "a", "b", {}, ""))
    made = JsonExtraction([lambda prompt, **_: prompt], samples_jsonl=str(path), name="a.b")
    return build(made.run(recorder), recorder, metric_ranges=made.metric_ranges), recorder


def test_a_report_has_the_means_the_micro_averages_and_the_fields(tmp_path: Path) -> None:
    rows = [
        ('{"name": "Ann", "age": 30}', '{"name": "Ann", "age": 30}'),
        ('```json\n{"name": "Bo", "age": 31, "made up": 1}\n```', {"name": "Bob", "age": 31}),
        ("I could not find anything.", {"name": "Cy", "age": 4}),
    ]
    report, recorder = run(tmp_path, rows)
    assert report["outcomes"]["unparsed"] == 1
    assert report["accuracy"] == 0.5
    assert report["metrics"]["f1"]["value"] == pytest.approx((1 + 2 / 5) / 2)
    assert report["metrics"]["f1"]["n"] == 2
    assert (report["precision_micro"], report["recall_micro"]) == (3 / 5, 3 / 4)
    assert report["f1_micro"] == pytest.approx(6 / 9)
    assert report["f1_micro_unparsed_empty"] == pytest.approx(6 / 11)
    assert report["fields"] == {
        "age": {"n": 2, "precision": 1.0, "recall": 1.0, "f1": 1.0},
        "name": {"n": 2, "precision": 0.5, "recall": 0.5, "f1": 0.5},
    }
    assert "fields" not in render(report)
    assert sorted(e.data["fields"].get("name") for e in recorder.get_events("match")) == [
        [0, 0, 1],
        [0, 1, 1],
        [1, 1, 1],
    ]


def test_a_run_without_any_json_has_no_figures_but_the_one_that_counts_it(tmp_path: Path) -> None:
    report, _ = run(tmp_path, [("nothing", {"a": 1})])
    assert (report["accuracy"], report["f1_micro"], report["f1_micro_unparsed_empty"]) == (None, None, 0.0)


@pytest.mark.parametrize("ideal", ["not JSON", "42", 42, ["x"], None])
def test_an_ideal_that_is_no_json_is_refused_before_anything_is_asked(tmp_path: Path, ideal: Any) -> None:
    with pytest.raises(UsageError, match="JSON"):
        run(tmp_path, [("{}", ideal)])
