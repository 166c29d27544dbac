"""The Chinese tasks: every answer proved, right in its natural forms, wrong when it only looks alike."""

from __future__ import annotations

import json
import random
import re
from collections import Counter, defaultdict
from functools import cache
from typing import Any

import pytest

import aigc_evals
from aigc_evals.registry import BUILT_IN, Registry
from aigc_evals.tasks import TASKS, get, zh_reading
from aigc_evals.tasks.task import MARKED_ANSWER, Row, make_rows, text_of
from aigc_evals.tasks.zh_common import bracketed, data_lines, from_hanzi, number_forms, to_hanzi
from aigc_evals.tasks.zh_words import AVOID, POOL

CHINESE = [name for name in TASKS if get(name).language == "zh"]
BRACKETED = [name for name in CHINESE if get(name).eval_class == MARKED_ANSWER]
CLUSTERED = [name for name in CHINESE if "cluster" in make_rows(get(name), 1)[0]]


@cache
def rows(name: str) -> list[Row]:
    return make_rows(get(name))


def accuracy(fn: Any, name: str, **config: Any) -> float:
    report = aigc_evals.run(fn, name, dry_run=True, dry_run_logging=False, progress=False, **config).report
    value: float = report["metrics"]["accuracy"]["value"]
    return value


def held(name: str) -> dict[str, Row]:
    """The rows by their prompts as text."""
    return {json.dumps(row["input"]): row for row in rows(name)}


def test_there_are_tasks_of_every_kind() -> None:
    assert len(CHINESE) >= 10
    assert sorted(Registry([BUILT_IN]).eval_set("core-zh").evals) == sorted(CHINESE)


@pytest.mark.parametrize("name", CHINESE)
def test_the_first_ideal_is_what_the_solver_finds(name: str) -> None:
    task = get(name)
    for row in rows(name):
        assert task.solve({"input": row["input"], "ideal": ""}) == row["ideal"][0], text_of(row)[-200:]


@pytest.mark.parametrize("name", CHINESE)
def test_every_form_of_an_ideal_is_accepted(name: str) -> None:
    answers = held(name)
    longest = max(len(row["ideal"]) for row in rows(name))
    for form in {0, 1, longest // 2, longest - 1}:
        assert accuracy(lambda prompt, form=form, **_: pick(answers, prompt, form), name, max_samples=60) == 1.0


def pick(answers: dict[str, Row], prompt: Any, form: int) -> str:
    ideals = answers[json.dumps(prompt)]["ideal"]
    return ideals[min(form, len(ideals) - 1)]


@pytest.mark.parametrize("name", BRACKETED)
def test_reasons_may_stand_before_the_answer(name: str) -> None:
    answers = held(name)
    fn = lambda prompt, **_: f"先想一想，这道题要分几步。\n所以答案是{pick(answers, prompt, 0)}。"  # noqa: E731
    assert accuracy(fn, name, max_samples=40) == 1.0


@pytest.mark.parametrize("name", BRACKETED)
@pytest.mark.parametrize("change", ["【{}03】", "【1{}】", "【不是{}】", "{}", "【{}以外】"])
def test_what_only_looks_like_the_answer_is_wrong(name: str, change: str) -> None:
    answers = held(name)
    fn = lambda prompt, **_: change.format(pick(answers, prompt, 0)[1:-1])  # noqa: E731
    assert accuracy(fn, name, max_samples=40) == 0.0


@pytest.mark.parametrize("name", BRACKETED)
def test_naming_the_answer_among_others_is_wrong(name: str) -> None:
    answers = held(name)
    fn = lambda prompt, **_: f"{pick(answers, prompt, 0)}或者【都不是】"  # noqa: E731
    assert accuracy(fn, name, max_samples=40) == 0.0


@pytest.mark.parametrize("name", BRACKETED)
def test_no_prompt_holds_its_answer_in_brackets(name: str) -> None:
    for row in rows(name):
        whole = "".join(message["content"] for message in row["input"])
        assert not any(ideal in whole for ideal in row["ideal"])


@pytest.mark.parametrize("name", CHINESE)
def test_the_figures_of_baselines(name: str) -> None:
    """Guessing is worth what was computed; what comparing words is worth is printed."""
    asked = 40 if get(name).packed else len(rows(name))
    chance = get(name).chance(rows(name))
    found = {fn: accuracy(fn, name, max_samples=asked) for fn in ("baseline/random", "baseline/lexical")}
    print(
        f"{name:<18} n {asked}  chance {chance:.2f}  " + "  ".join(f"{fn} {value:.3f}" for fn, value in found.items())
    )
    assert abs(found["baseline/random"] - chance) <= 4 * (chance * (1 - chance) / asked) ** 0.5 + 1e-9
    assert found["baseline/lexical"] < 0.6


@pytest.mark.parametrize("name", CHINESE)
def test_the_text_is_chinese_and_well_formed(name: str) -> None:
    for row in rows(name):
        for message in row["input"]:
            text = message["content"]
            assert text == text.strip()
            assert re.search("[\u4e00-\u9fff]", text)
            assert not re.search("[\u4e00-\u9fff][,?!;]|。。|，，|？？|，。", text), text[-200:]
            assert "None" not in text


@pytest.mark.parametrize("name", CLUSTERED)
def test_rows_of_a_cluster_share_their_text(name: str) -> None:
    shared: dict[str, list[str]] = defaultdict(list)
    for row in rows(name):
        shared[row["cluster"]].append(text_of(row).rsplit("\n\n", 1)[0])
    assert all(len(set(texts)) == 1 for texts in shared.values())
    assert Counter(len(texts) for texts in shared.values()) == {4: len(shared)}
    assert len({texts[0] for texts in shared.values()}) == len(shared)


# -- numerals ------------------------------------------------------------------------------------------------------

READ = {
    0: "零",
    10: "十",
    110: "一百一十",
    1001: "一千零一",
    10320: "一万零三百二十",
    105_000: "十万五千",
    100_005_000: "一亿零五千",
    1_003_200_050: "十亿零三百二十万零五十",
    1_000_000_000_001: "一万亿零一",
}


@pytest.mark.parametrize("number, text", READ.items())
def test_numbers_are_read_as_taught_in_school(number: int, text: str) -> None:
    assert to_hanzi(number) == text
    if number < 10**12:
        assert from_hanzi(text) == number


def test_reading_and_evaluating_are_inverse() -> None:
    rng = random.Random(1)
    for _ in range(2000):
        number = rng.randrange(10 ** rng.randint(1, 11))
        assert from_hanzi(to_hanzi(number)) == number
    assert from_hanzi("两亿零两百万") == 202_000_000


def test_what_is_no_numeral_is_refused() -> None:
    with pytest.raises(ValueError, match="'三点五' is not a number"):
        from_hanzi("三点五")


def test_numbers_may_be_written_with_separators_units_and_spaces() -> None:
    forms = ["1280.50", "1,280.50", "1280.50元", "1,280.50元", "1280.50 元", "1,280.50 元"]
    assert number_forms("1280.50", "元") == [f"【{form}】" for form in forms]
    assert bracketed(["8月15日"]) == ["【8月15日】", "【8 月 15 日】"]


# -- material written by hand --------------------------------------------------------------------------------------


def test_idioms_are_distinct_and_have_one_completion() -> None:
    lines = [line.split("|") for line in data_lines("idioms.txt")]
    assert len(lines) >= 160
    assert len({idiom for idiom, _, _ in lines}) == len({meaning for _, _, meaning in lines}) == len(lines)
    for idiom, places, meaning in lines:
        assert re.fullmatch("[\u4e00-\u9fff]{4}", idiom)
        assert re.fullmatch("[1-4]{2}", places)
        assert places[0] < places[1]
        assert idiom not in meaning
        assert re.fullmatch("[\u4e00-\u9fff，、]+", meaning)


def test_nouns_are_distinct_and_their_measure_words_known() -> None:
    lines = [line.split("|") for line in data_lines("classifiers.txt")]
    assert len({noun for noun, _ in lines}) == len(lines) >= 160
    assert {word for _, word in lines} == set(AVOID)
    assert all(word not in AVOID[word] for word in AVOID)
    # Enough words are left that are wrong beyond doubt.
    assert all(len(set(POOL) - set(AVOID[word]) - {word}) >= 3 for word in AVOID)


def test_options_are_distinct_and_each_letter_is_right_as_often() -> None:
    known = dict(line.split("|") for line in data_lines("classifiers.txt"))
    for row in rows("classifier_zh"):
        options = dict(re.findall(r"^([A-D])\. (.+)$", text_of(row), re.M))
        assert len(set(options.values())) == 4
        noun = re.search("“一□(.+?)”", text_of(row))
        if noun:
            right = known[noun[1]]
            assert options[row["ideal"][0]] == right
            assert not (set(options.values()) - {right}) & set(AVOID[right])
            continue
        for letter, option in options.items():
            wrong = [pair for pair in option.split("、") if known[pair[2:]] != pair[1]]
            assert len(wrong) == (letter != row["ideal"][0])
            assert all(pair[1] not in AVOID[known[pair[2:]]] for pair in wrong)
    share = Counter(row["ideal"][0] for row in rows("classifier_zh"))
    assert set(share) == set("ABCD")
    assert max(share.values()) < 0.36 * len(rows("classifier_zh"))


def test_passages_have_four_statements_of_each_verdict_often_enough() -> None:
    texts = zh_reading.passages()
    assert len({passage for passage, _ in texts}) == len(texts) >= 40
    assert all(95 <= len(passage) <= 125 for passage, _ in texts)
    statements = [statement for _, group in texts for statement, _ in group]
    assert len(set(statements)) == len(statements) == 4 * len(texts)
    assert all(statement.endswith("。") and len(statement) < 40 for statement in statements)
    share = Counter(verdict for _, group in texts for _, verdict in group)
    assert set(share) == set(zh_reading.VERDICTS)
    assert max(share.values()) <= 0.42 * len(statements)


def test_the_place_of_a_statement_does_not_give_its_verdict_away() -> None:
    for place in range(4):
        verdicts = Counter(row["ideal"][0] for row in rows("reading_zh")[place::4])
        assert max(verdicts.values()) <= 0.6 * verdicts.total()


def test_sentences_are_distinct_and_hold_nothing_that_is_asked_for() -> None:
    sentences = data_lines("sentences.txt")
    assert len(set(sentences)) == len(sentences) >= 100
    assert all(re.fullmatch("[\u4e00-\u9fff，、]+。", sentence) for sentence in sentences)
    assert not any(word in sentence for sentence in sentences for word in ("密码", "寄放", "领走"))


def test_needles_lie_in_texts_of_close_to_four_thousand_characters() -> None:
    assert all(3_300 < len(text_of(row)) < 4_000 for row in rows("needle_zh"))
