"""The number that a free text gives as its answer, and the eval that compares it by value."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.bounded import ends

import aigc_evals
from aigc_evals.elsuite.final_number import final_number
from aigc_evals.errors import UsageError

MARKED = [
    ("She earns 9*2 = $18.\n#### 18", 18, "####"),
    ("####18 eggs in 7 days", 18, "####"),
    ("**Answer:** $1,050.00 per day", 1050, "answer"),
    ("So the answer is -5 degrees, not 7.", -5, "answer"),
    ("Answer: 3 + 4 = 7 apples in 2 days", 7, "answer"),
    (r"\[ \boxed{70{,}000} \]", 70000, "boxed"),
    (r"The total: \boxed{\text{about } \$70\,000} (2 years)", 70000, "boxed"),
    (r"\boxed{-\frac{1}{2}}", Fraction(-1, 2), "boxed"),
    ("The answer is 12. No, wait: 6 more.\n#### 18", 18, "####"),
    ("#### 12\nThat was wrong.\n#### 18", 18, "####"),
    ("Answer: 18\n\nIs the answer: unsure? No.", 18, "answer"),
    ("每天 9 个，共 2 元。\n答案：１８", 18, "answer"),
    ("所以答案是十二个。", 12, "answer"),
    ("答案应该是 3万 元（2 年）", 30000, "answer"),
    ("答案是负5度", -5, "answer"),
    ("答案：误差为正负5", 5, "answer"),
    ("答案：肩负三项任务", 3, "answer"),
    ("答案：负五场", 5, "answer"),
    ("答案：负五度", -5, "answer"),
    ("答案是百分之六十", 60, "answer"),
    ("#### on the 42nd day, 18", 18, "####"),
    (r"\boxed{\frac{1}{20}th}", Fraction(1, 20), "boxed"),
]
UNMARKED = [
    ("It is 18.", 18),
    ("16-3-4=9", 9),
    ("10 - 4 eggs", 4),
    ("5–6 eggs", 6),
    ("She loses -$5", -5),
    ("1,234,567.50", Fraction(2469135, 2)),
    ("12,34,567", 1234567),
    ("the numbers 1,2,3", 3),
    ("3/4 of them", Fraction(3, 4)),
    ("60%", 60),
    (".5", Fraction(1, 2)),
    ("1e5", 100000),
    ("US$3.50", Fraction(7, 2)),
    ("共18个", 18),
    ("9 of the H2O molecules on the 3rd", 9),
    ("7, not 1/0", 7),
    ("7, or " + "9" * 5000, 7),
    ("### Answer\n18", 18),
    ("18 houses on 120th street", 18),
    ("18 of them, the 1,234TH and the 5th", 18),
    ("18 in the 2nd届", 18),
    ("the 1/20th part", Fraction(1, 20)),
    ("他肩负3项任务", 3),
    ("担负5个岗位", 5),
    ("盈亏自负30%", 30),
    ("辜负2人", 2),
    ("身负4处伤", 4),
    ("球队胜10场，负5场。", 5),
    ("3胜负2", 2),
    ("负 12 局", 12),
    ("下了9盘，负4盘", 4),
    ("共负1,200次", 1200),
    ("气温是负5度", -5),
    ("利润为负3万元", -30000),
    ("10的负5次方", -5),
]


@pytest.mark.parametrize(("text", "value", "rule"), MARKED)
def test_what_is_marked_counts(text: str, value: Any, rule: str) -> None:
    assert final_number(text) == final_number(text, unmarked=False) == (value, rule)


@pytest.mark.parametrize(("text", "value"), UNMARKED)
def test_without_a_mark_the_last_number_counts(text: str, value: Any) -> None:
    assert final_number(text) == (value, "last number")
    assert final_number(text, unmarked=False) == (None, "nothing")


@pytest.mark.parametrize(
    "text", ["", "no", "The answer is not clear.", "####", r"\boxed{x}", "1/0", "on the 3rd", "答案：不知道"]
)
def test_there_may_be_no_number(text: str) -> None:
    assert final_number(text) == (None, "nothing")


@given(
    st.integers(-(10**12), 10**12),
    st.integers(0, 99),
    st.sampled_from(["#### {}", "blah 7.\nAnswer: {} km", r"so \boxed{{{}}}.", "答案是{}元", "It is {}."]),
    st.booleans(),
)
def test_a_number_is_read_as_it_was_written(whole: int, cents: int, frame: str, grouped: bool) -> None:
    written = f"{whole:,}" if grouped else str(whole)
    value = Fraction(f"{whole}.{cents:02}")
    assert final_number(frame.format(f"{written}.{cents:02}")).value == value
    assert final_number(frame.format(written)).value == whole


RUNS = st.integers(0, 5).map(lambda n: f"9{'1' * n}9")
PIECES = st.sampled_from(["st", "nd", "rd", "th", "TH", " ", ",", ".", "-", "$", "%", "km", "届", "\n", "#### ", "="])


@given(st.lists(RUNS | PIECES, max_size=12).map("".join))
def test_what_is_read_is_never_a_part_of_a_longer_run_of_digits(text: str) -> None:
    """Each run begins and ends with the only nines in it, so that a part of one would not."""
    found = final_number(text).value
    if found is not None:
        digits = abs(found)
        while digits.denominator != 1:
            digits *= 10
        assert str(digits)[0] == str(digits)[-1] == "9"


@given(st.text(alphabet="0123456789,./-$%=#{}\\ boxedanswris答案是:万\n", max_size=80))
def test_any_text_is_read(text: str) -> None:
    found = final_number(text)
    assert (found.value is None) == (found.rule == "nothing")
    if found.rule != "last number":
        assert final_number(text, unmarked=False) == found


@pytest.mark.parametrize(
    "part", ["1,111", "#### ", r"\boxed{", "-", "$", "1/", "answer is ", "1", "1 ", "一", "=", "{,}1"]
)
def test_endless_repetition_takes_no_time(part: str) -> None:
    with ends():
        final_number(part * (60_000 // len(part)))


def written(folder: Path, *ideals: Any, **args: Any) -> Path:
    (folder / "evals").mkdir()
    rows = [{"input": f"problem {number}", "ideal": ideal} for number, ideal in enumerate(ideals)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    spec = {
        "class": "aigc_evals.elsuite.final_number:FinalNumber",
        "args": {"samples_jsonl": str(folder / "rows.jsonl"), **args},
    }
    (folder / "evals" / "numbers.yaml").write_text(json.dumps({"numbers.test.v0": spec}), encoding="utf-8")
    return folder


REPLIES = ["#### 18", "It is 18.0", "18", "no idea", "#### 1/3"]


def report_of(folder: Path) -> dict[str, Any]:
    fn = lambda prompt, **_: REPLIES[int(prompt[-1])]  # noqa: E731
    report: dict[str, Any] = aigc_evals.run(
        fn, "numbers.test.v0", registry_path=[folder], dry_run=True, dry_run_logging=False
    ).report
    return report


def test_values_are_compared_and_what_cannot_be_read_is_no_answer(tmp_path: Path) -> None:
    report = report_of(written(tmp_path, "36/2", ["3", "$18"], "18.1", "18", "0.3333"))
    assert report["metrics"]["accuracy"]["value"] == report["accuracy"] == pytest.approx(2 / 4)
    assert report["accuracy_unparsed_wrong"] == pytest.approx(2 / 5)
    assert (report["outcomes"]["scored"], report["outcomes"]["unparsed"]) == (4, 1)


def test_answers_without_a_mark_can_be_refused(tmp_path: Path) -> None:
    report = report_of(written(tmp_path, "18", "18", "18", "18", "1/3", unmarked=False))
    assert report["accuracy"] == 1.0
    assert report["accuracy_unparsed_wrong"] == pytest.approx(2 / 5)


@pytest.mark.parametrize("ideal", ["", "eighteen", "18 eggs", [], "#### 18"])
def test_an_ideal_is_a_number(ideal: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="ideal"):
        aigc_evals.run("dummy", "numbers.test.v0", registry_path=[written(tmp_path, ideal)], dry_run=True)
