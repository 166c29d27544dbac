"""Idioms with missing characters, and measure words: material written by hand, questions drawn from it.

Which measure words a noun could also take, if less usually, stands in ``AVOID``: none of them is ever a wrong option.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

from aigc_evals.errors import UsageError
from aigc_evals.tasks.task import MARKED_ANSWER, MATCH, Row, Task, distinct, text_of
from aigc_evals.tasks.zh_common import asked, bracketed, choice, data_lines, found

POOL = "条匹只张辆艘架封首棵朵盏扇堵顶间篇则门座栋枚幅台本"
AVOID = {
    "条": "只张架座栋",
    "匹": "条只张幅",
    "头": "只条匹",
    "峰": "只条匹座",
    "只": "条匹枚朵架张",
    "艘": "条只座架台",
    "架": "台座只辆",
    "辆": "台架只",
    "盏": "台只架枚",
    "扇": "张幅座架堵",
    "堵": "张座扇",
    "座": "栋间架条台匹",
    "栋": "座间",
    "间": "座栋",
    "家": "座间栋",
    "口": "座只张台架",
    "顶": "只张座架",
    "件": "条张只",
    "张": "条幅封本枚座架只则",
    "枚": "张只封首架本台",
    "把": "条张只架台扇枚座",
    "本": "张封篇只枚",
    "篇": "则本首张封只条",
    "则": "篇本封张条首",
    "首": "篇张本则幅只枚台",
    "封": "张本篇则枚",
    "幅": "张本首架条",
    "副": "只张架幅枚条本台",
    "双": "只条枚",
    "对": "只枚门张条",
    "棵": "朵只条座",
    "朵": "只棵张枚",
    "粒": "枚只棵",
    "颗": "枚只门",
    "滴": "条只朵",
    "块": "只枚张座条本台架幅匹",
    "片": "张朵枚座本条只匹",
    "根": "条只棵枚封",
    "支": "条盏只座枚台首封",
    "部": "本台只架篇张条则首枚",
    "台": "架只间座",
    "门": "座架台本条则",
    "项": "条则门本枚",
    "场": "台顶",
    "阵": "条座",
    "股": "条座朵",
    "串": "棵只架条座枚",
    "束": "朵扇本只条",
    "面": "只张架座台扇枚幅条",
    "道": "条座本只张顶则扇台",
    "位": "条枚门",
    "名": "条枚门",
    "个": "只枚棵条座本间台",
}


def idioms(rng: random.Random, n: int, difficulty: int) -> Iterator[Row]:
    """``n`` rows, each of another idiom; at difficulty 1 one character is missing, above that two are.

    Raises UsageError when there are not that many idioms.
    """
    lines = data_lines("idioms.txt")
    if n > len(lines):
        raise UsageError(f"there are {len(lines)} idioms, fewer than {n}", key="samples")
    for line in rng.sample(lines, n):
        idiom, places, meaning = line.split("|")
        hidden = [int(place) - 1 for place in places][-1 if difficulty == 1 else 0 :]
        shown = "".join("□" if place in hidden else char for place, char in enumerate(idiom))
        missing = [idiom[place] for place in hidden]
        text = (
            f"成语“{shown}”的意思是：{meaning}。方框里缺的{'字是什么' if len(missing) == 1 else '两个字依次是什么'}？"
        )
        forms = ["".join(missing), "、".join(missing), "，".join(missing), " ".join(missing), idiom]
        yield asked("请补全成语。", text, bracketed(forms))


def solve_idiom(row: Row) -> str:
    """The answer from the list of idioms: the only one that has the characters shown and the meaning given."""
    shown, meaning = found("成语“(.{4})”的意思是：(.+?)。方框", text_of(row)).groups()
    (idiom,) = (
        idiom
        for idiom, _, told in (line.split("|") for line in data_lines("idioms.txt"))
        if told == meaning and re.fullmatch(shown.replace("□", "."), idiom)
    )
    return f"【{''.join(char for place, char in zip(shown, idiom, strict=True) if place == '□')}】"


def classifiers(rng: random.Random, n: int, difficulty: int) -> Iterator[Row]:
    """``n`` rows: one noun and four measure words, and, above difficulty 1, four lists of which one has no mistake."""
    nouns = [(noun, word) for noun, word in (line.split("|") for line in data_lines("classifiers.txt"))]
    lists = difficulty > 1
    order = rng.sample(nouns, len(nouns))

    def make(number: int) -> Row:
        return (
            _which_list(rng, nouns, difficulty)
            if lists and number % 2
            else _which_word(rng, *order[number // (1 + lists) % len(order)])
        )

    return distinct(make, n)


def _wrong(rng: random.Random, right: str, n: int) -> list[str]:
    return rng.sample([word for word in POOL if word != right and word not in AVOID[right]], n)


def _which_word(rng: random.Random, noun: str, right: str) -> Row:
    options = rng.sample([right, *_wrong(rng, right, 3)], 4)
    return choice(f"“一□{noun}”，方框里填哪个量词最恰当？", options, right)


def _which_list(rng: random.Random, nouns: Sequence[tuple[str, str]], difficulty: int) -> Row:
    size = difficulty + 1
    drawn = rng.sample(list(nouns), 4 * size)
    options = []
    for place in range(4):
        pairs = drawn[place * size : (place + 1) * size]
        bad = rng.randrange(size) if place else -1
        said = [_wrong(rng, word, 1)[0] if i == bad else word for i, (_, word) in enumerate(pairs)]
        options.append("、".join(f"一{word}{noun}" for word, (noun, _) in zip(said, pairs, strict=True)))
    shuffled = rng.sample(options, 4)
    return choice("下面哪一组里的量词全部用得恰当？其余三组各有一个量词用错了。", shuffled, options[0])


def solve_classifier(row: Row) -> str:
    """The letter of the only option whose every noun has the measure word of the list of nouns."""
    known = dict(line.split("|") for line in data_lines("classifiers.txt"))
    text = text_of(row)
    options = re.findall(r"^([A-D])\. (.+)$", text, re.M)
    noun = re.search("“一□(.+?)”", text)
    (only,) = (
        letter
        for letter, option in options
        if all(known[noun[1] if noun else pair[2:]] == (pair if noun else pair[1]) for pair in option.split("、"))
    )
    return str(only)


def one_of_four(rows: Sequence[Row]) -> float:
    """The chance of picking the right letter of four."""
    del rows
    return 0.25


TASKS = (
    Task(
        "idiom_zh",
        "zh",
        "根据释义补全一百七十个常用成语中缺的字；【】中的答案与标准答案一致为正确。",
        idioms,
        solve_idiom,
        eval_class=MARKED_ANSWER,
        args={},
        size=170,
    ),
    Task(
        "classifier_zh",
        "zh",
        "选出恰当的量词，或者量词全部用对的一组；回答以正确选项的字母开头为正确。",
        classifiers,
        solve_classifier,
        one_of_four,
        eval_class=MATCH,
        args={},
        size=180,
    ),
)
