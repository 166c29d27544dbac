"""Version 2 of Match, Includes and FuzzyMatch: what is the same, what is a part, and what is not, in both languages."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.bounded import ends

from aigc_evals.elsuite.matching import begins, f1, fold, includes, matches
from aigc_evals.errors import SampleError

INCLUDED = [
    # answer, gold, is it included (case kept)
    ("Paris", "Paris", True),
    ("It is Paris.", "Paris", True),
    ("It is **Paris**!", "Paris", True),
    ("It is paris.", "Paris", False),
    ("Parisian", "Paris", False),
    ("Ｐａｒｉｓ", "Paris", True),
    ("New York City", "New York", True),
    ("New, York", "New York", True),
    ("York, New", "New York", False),
    ("a well-known city", "well known", True),
    ("state-of-the-art", "state of the art", False),
    ("othello", "hello", False),
    ("Zürich", "Zu\u0308rich", True),
    ("Москва.", "Москва", True),
    ("Москвабад", "Москва", False),
    ("Einstein’s theory", "Einstein", True),
    ("that's all", "thats", False),
    ("✅ Paris 🎉", "Paris", True),
    # digits
    ("1", "1", True),
    ("11", "1", False),
    ("10", "1", False),
    ("The total is 1.", "1", True),
    ("The total is 1.5", "1", False),
    ("The total is 1/2", "1", False),
    ("1,000 metres", "1000", True),
    ("1000 metres", "1,000", True),
    ("1,000 metres", "1", False),
    ("100，200", "100", True),
    ("1,2", "1", True),
    ("-5", "5", False),
    ("the result: −5", "-5", True),
    ("7-5", "5", True),
    ("10kg", "10", False),
    ("10 kg", "10", True),
    ("1st", "1", False),
    ("50%", "50", True),
    ("50", "50%", False),
    ("５０％", "50%", True),
    ("10² = 100", "102", False),
    ("10²³", "10^23", True),
    ("10⁻³", "10^3", False),
    ("10⁻³", "10^-3", True),
    ("1½", "11/2", False),
    ("1½", "1 1/2", True),
    ("12元", "12", True),
    ("12千克", "12", True),
    ("3万人", "3", False),
    ("负12", "12", False),
    ("$12$", "12", True),
    ("€5", "$5", False),
    ("25 ℃", "25°C", True),
    ("at 10:30", "10：30", True),
    ("版本v1.2.3", "2.3", False),
    # labels and articles
    ("A", "A", True),
    ("The answer is A.", "A", True),
    ("Answer", "A", False),
    ("(A) a dog", "A", True),
    ("A: a dog", "A", True),
    ("A is right", "A", True),
    ("Option A looks right", "A", True),
    ("A dog", "A", False),
    ("It is a dog", "A", False),
    ("B", "A", False),
    ("选A。", "A", True),
    ("答案是Ａ", "A", True),
    ("AB", "A", False),
    ("(B)", "B", True),
    ("B and C", "B", True),
    ("A only", "A", True),
    ("The A answer", "A", True),
    ("不选B，选C", "B", False),
    ("不选B，选C", "C", True),
    ("Beatles", "The Beatles", True),
    ("The Beatles", "Beatles", True),
    # words with signs in them
    ("C++", "C", False),
    ("C++", "C++", True),
    ("C#.", "C", False),
    ("don’t", "don't", True),
    ("don't", "don", False),
    ("in the U.S. today", "US", True),
    ("foo_bar", "foo", False),
    ("_foo_", "foo", True),
    ("x > 5", "x < 5", False),
    ("?", "?", True),
    ("why?", "?", True),
    ("why", "?", False),
    ("好。", "。", True),
    ("不？", "？", True),
    ("回答：👍", "👍", True),
    # Chinese, one character
    ("是", "是", True),
    ("是。", "是", True),
    ("【是】", "是", True),
    ("“是”", "是", True),
    ("是的", "是", True),
    ("是的，他去过。", "是", True),
    ("答案：是", "是", True),
    ("答案是是", "是", True),
    ("当然是", "是", True),
    ("不是", "是", False),
    ("不 是", "是", False),
    ("是否", "是", False),
    ("是不是", "是", False),
    ("他是学生", "是", False),
    ("A是B", "是", False),
    ("否", "否", True),
    ("答案是否", "否", True),
    ("是否", "否", False),
    ("否定", "否", False),
    ("对的", "对", True),
    ("不对", "对", False),
    ("它不是水。", "水", False),
    ("它是水。", "水", True),
    ("水果", "水", False),
    ("三个", "三", False),
    ("答案是：否", "是", False),
    ("答案是：否", "否", True),
    ("答案是**否**。", "是", False),
    ("答案是**否**。", "否", True),
    ("回答是“不是”", "是", False),
    ("答案是\n否", "是", False),
    ("我认为是：否", "是", False),
    ("我认为是。", "是", True),
    ("是：因为他去过", "是", True),
    ("是\n\n因为他去过", "是", True),
    ("不**是**", "是", False),
    ("是还是否", "否", False),
    ("答案是否定的", "否", False),
    ("他是男的", "男", True),
    ("他不是男的", "男", False),
    ("是的～", "是", True),
    ("✅是", "是", True),
    ("| 是 |", "是", True),
    ("<answer>是</answer>", "是", True),
    ("没有", "有", False),
    ("葛\U000e0100", "葛", True),
    # Chinese, longer
    ("答案是北京。", "北京", True),
    ("北 京", "北京", True),
    ("北、京", "北京", True),
    ("完全正确", "正确", True),
    ("不正确", "正确", False),
    ("不太正确", "正确", False),
    ("不正确，正确的是", "正确", True),
    ("东北京剧", "北京", True),
    ("北京市", "北京", True),
    ("不是北京", "北京", False),
    ("不是“北京”，是上海", "北京", False),
    ("不是“北京”，是上海", "上海", True),
    ("不仅是北京", "北京", True),
    ("无非是北京", "北京", True),
    ("位于南非开普敦", "开普敦", True),
    ("没有错误", "错误", False),
    ("这句话是否正确？错误", "正确", False),
    ("这句话是否正确？错误", "错误", True),
    # denials that lead to a gold, and words that only begin like one
    ("回答不太正确。", "正确", False),
    ("不太正确，正确的是乙", "正确", True),
    ("并非正确", "正确", False),
    ("并非完全正确", "正确", False),
    ("未必正确", "正确", False),
    ("不是很正确", "正确", False),
    ("没那么正确", "正确", False),
    ("不能认为它正确", "正确", False),
    ("谈不上正确", "正确", False),
    ("是否完全正确？", "正确", False),
    ("不能说是真", "真", False),
    ("我不认为这是真的", "真", False),
    ("可以说是真的", "真", True),
    ("不一定对", "对", False),
    ("不可能是北京", "北京", False),
    ("不应该选B，应该选C", "B", False),
    ("不应该选B，应该选C", "C", True),
    ("不得不选B", "B", True),
    ("不能不说正确", "正确", True),
    ("不仅正确", "正确", True),
    ("不外乎是北京", "北京", True),
    ("不是上海而是北京", "北京", True),
    ("不太好，正确", "正确", True),
    ("差不多正确", "正确", True),
    ("非常正确", "正确", True),
    ("未来会是北京", "北京", True),
    ("很难说正确", "正确", True),
    ("incorrect", "correct", False),
    ("not correct", "correct", True),
    ("It is not Paris.", "Paris", True),
    ("This cannot be said to be true.", "true", True),
    ("列夫·托尔斯泰", "列夫・托尔斯泰", True),
    ("《红楼梦》", "红楼梦", True),
    ("ｱｲｳ", "アイウ", True),
    ("서울은", "서울", True),
    # numerals
    ("一百二十", "120", True),
    ("一百二十。", "120", True),
    ("120", "一百二十", True),
    ("120.0", "一百二十", True),
    ("壹佰贰拾", "120", True),
    ("3万", "三万", True),
    ("二〇二四", "2024", True),
    ("负三点五", "-3.5", True),
    ("共一百二十个", "120", False),
    ("二十", "十", False),
    ("答案是二十一", "二十", False),
    ("答案是二十", "二十", True),
    ("答案是负二十", "二十", False),
    ("统一万岁", "统一", True),
    ("007", "7", True),
    ("12.0", "12", True),
    ("112", "12", False),
    ("-12", "12", False),
    # nothing
    ("", "Paris", False),
    ("  ", "是", False),
    ("。", "是", False),
    ("", "", True),
    ("x", "", False),
    ("\u200b", "\xad", True),
    ("x", "\xad", False),
    ("。", "", False),
]


@pytest.mark.parametrize(("answer", "gold", "expected"), INCLUDED)
def test_includes(answer: str, gold: str, expected: bool) -> None:
    assert includes(answer, gold) is expected


@pytest.mark.parametrize(
    ("answer", "gold", "expected"),
    [
        ("Paris, of course", "Paris", True),
        (" Paris", "Paris", True),
        ("**Paris**", "Paris", True),
        ("It is Paris", "Paris", False),
        ("paris", "Paris", False),
        ("10", "1", False),
        ("1. Paris", "1", True),
        ("A) Paris", "A", True),
        ("A dog", "A", False),
        ("Answer: A", "A", False),
        ("巴黎是首都", "巴黎", True),
        ("“是”", "是", True),
        ("是的，", "是", True),
        ("是否", "是", False),
        ("不是", "是", False),
        ("否定", "否", False),
        ("一百二十。", "120", True),
        ("是：因为他去过", "是", True),
        ("是因为他去过", "是", False),
        ("$12$", "12", True),
        ("12万", "12", False),
        ("✅ B", "B", True),
        ("| B |", "B", True),
        ("(?)", "?", True),
        ("why?", "?", False),
        ("", "Paris", False),
        ("x", "", False),
        ("", "", True),
    ],
)
def test_begins(answer: str, gold: str, expected: bool) -> None:
    assert begins(answer, gold) is expected


@pytest.mark.parametrize(
    ("answer", "gold", "expected", "score"),
    [
        ("The Paris!", "paris", True, 1.0),
        ("It is in Paris", "Paris", True, 0.4),
        ("Paris", "It is in Paris", True, 0.4),
        ("guilty", "not guilty", True, 2 / 3),
        ("Rome", "Paris", False, 0.0),
        ("11", "1", False, 0.0),
        ("the answer is a.", "A", True, 0.5),
        ("Answer", "A", False, 0.0),
        ("STRASSE", "Straße", True, 1.0),
        ("是。", "是", True, 1.0),
        ("不是", "是", False, 2 / 3),
        ("不太正确", "正确", False, 2 / 3),
        ("正确", "不太正确", False, 2 / 3),
        ("是", "不是", False, 2 / 3),
        ("北京市", "北京", True, 0.8),
        ("在北京的GPU上", "GPU", True, 2 / 7),
        ("一百二十", "120", True, 1.0),
        ("百分之五十", "50%", True, 1.0),
        ("50.0％", "百分之五十", True, 1.0),
        ("60%", "50%", False, 0.0),
        ("15%", "百分之五", False, 0.0),
        ("50%", "0.5", False, 0.0),
        ("负5", "-5", True, 1.0),
        ("-5", "负五", True, 1.0),
        ("5", "负5", False, 0.0),
        ("一百二十", "一百三十", False, 0.0),
        ("", "x", False, 0.0),
        ("x", "", False, 0.0),
        ("", "", True, 1.0),
        ("。", "！", False, 0.0),
        ("。", "北京。", False, 0.0),
        ("why?", "?", True, 2 / 3),
    ],
)
def test_matches_and_f1(answer: str, gold: str, expected: bool, score: float) -> None:
    assert matches(answer, gold) is expected
    assert f1(answer, [gold]) == pytest.approx(score)


def test_the_best_gold_counts() -> None:
    assert f1("北京", ["上海", "北京"]) == 1.0
    with pytest.raises(SampleError):
        f1("北京", [])


SPOKEN = st.text(
    st.sampled_from("aAbtheTHE ñÉ019.,-%+#'_/()?$*是否不的选负没有北京一十百万三点，。！：　\n"), max_size=14
)
RELATIONS = [includes, begins, matches]


@pytest.mark.parametrize("relation", RELATIONS)
@settings(max_examples=100, deadline=None)
@given(text=st.one_of(SPOKEN, st.text(max_size=8)))
def test_every_text_matches_itself(relation: Any, text: str) -> None:
    assert relation(text, text)
    assert f1(text, [text]) == pytest.approx(1.0)


@pytest.mark.parametrize("relation", RELATIONS)
@settings(max_examples=100, deadline=None)
@given(gold=st.one_of(SPOKEN, st.text(max_size=8)), blank=st.text(" \t\n\u3000\u200b\xad\ufe0f", max_size=3))
def test_an_empty_answer_matches_an_empty_gold_only(relation: Any, gold: str, blank: str) -> None:
    empty = not fold(gold).strip()
    assert relation(blank, gold) is empty
    assert f1(blank, [gold]) == float(empty)


@pytest.mark.parametrize("relation", RELATIONS)
@settings(max_examples=100, deadline=None)
@given(answer=SPOKEN, place=st.integers(0, 14), unseen=st.sampled_from("\xad\u200b\u034f\ufe0f\U000e0101"))
def test_what_nobody_sees_does_not_count(relation: Any, answer: str, place: int, unseen: str) -> None:
    changed = answer[:place] + unseen + answer[place:]
    assert relation(changed, answer)
    assert relation(answer, changed)


def _wide(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if c.isascii() and c.isalnum() else c for c in text)


@pytest.mark.parametrize("relation", RELATIONS)
@settings(max_examples=100, deadline=None)
@given(answer=SPOKEN, gold=SPOKEN)
def test_width_case_and_white_space_do_not_count(relation: Any, answer: str, gold: str) -> None:
    expected = relation(answer, gold, ignore_case=True)
    for change in (
        _wide,
        str.upper,
        str.swapcase,
        lambda text: text.replace(" ", " \u3000 "),
        lambda text: f"\n {text} \n",
    ):
        assert relation(change(answer), gold, ignore_case=True) is expected
        assert relation(answer, change(gold), ignore_case=True) is expected


@pytest.mark.parametrize(
    "text", ["是" * 30_000, "不是" * 15_000, "a." * 15_000, "1,000" * 6_000, "a" * 30_000, "“" * 30_000]
)
def test_long_answers_take_no_long_time(text: str) -> None:
    with ends():
        for relation in RELATIONS:
            relation(text, "是")
            relation(text, "？")
            relation(text, "a.b")


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=30), st.text(max_size=10))
def test_any_text_can_be_compared(answer: str, gold: str) -> None:
    for relation in RELATIONS:
        assert relation(answer, gold) in (True, False)
    assert 0.0 <= f1(answer, [gold]) <= 1.0
