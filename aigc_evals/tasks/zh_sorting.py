"""Putting things in order in Chinese: by an order that is given, by two keys, by numerals, by the time of day."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

from aigc_evals.tasks.task import MARKED_ANSWER, Row, Task, distinct, text_of
from aigc_evals.tasks.zh_common import asked, counted, found, from_hanzi, list_forms, to_hanzi

TASK = "请按题目的要求排列，用顿号隔开，所有项目都要写出来。"
NAMES = [
    "周岚",
    "陈远",
    "林宁",
    "何国",
    "许静",
    "郭涵",
    "唐满",
    "沈新",
    "孟云",
    "罗齐",
    "韩梅",
    "邓豪",
    "曹桐",
    "魏河",
    "蒋月",
    "傅红",
]
ORDERS = {
    "职级": ["实习生", "助理", "专员", "主管", "经理", "总监"],
    "奖项": ["特等奖", "一等奖", "二等奖", "三等奖", "鼓励奖"],
    "部门": ["后勤处", "教务处", "财务处", "保卫处", "团委"],
    "颜色": ["青", "赤", "黑", "黄", "白", "紫"],
    "季节": ["秋", "冬", "春", "夏"],
}
THINGS = [
    "核桃",
    "砚台",
    "风筝",
    "竹笛",
    "陶罐",
    "草帽",
    "算盘",
    "灯笼",
    "木梳",
    "铜锣",
    "折扇",
    "绣球",
    "泥人",
    "毛笔",
    "香囊",
    "剪纸",
]
_PERIODS = {"凌晨": range(1, 5), "早上": range(6, 9), "上午": range(9, 12), "下午": range(1, 6), "晚上": range(7, 12)}


def generate(rng: random.Random, n: int, difficulty: int) -> Iterator[Row]:
    """``n`` rows, of five kinds in turn, with five to seven, seven to nine or nine to eleven things to put in order."""
    kinds = [_given, _two_keys, _numerals, _times, _shuffled]
    return distinct(lambda i: kinds[i % len(kinds)](rng, rng.randint(3 + 2 * difficulty, 5 + 2 * difficulty)), n)


def _given(rng: random.Random, size: int) -> Row:
    # A thing for each place of an order drawn afresh, so knowing the usual order does not help.
    order = rng.sample(
        list(rng.choice(["甲乙丙丁戊己庚辛壬癸", "子丑寅卯辰巳午未申酉戌亥", "金木水火土日月山石田云"])), size - 1
    )
    things = rng.sample(THINGS, size - 1)
    pairs = list(zip(things, order, strict=True))
    shown = rng.sample(pairs, len(pairs))
    text = (
        f"规定“{'、'.join(order)}”为从先到后的次序。几样东西各贴了一个字："
        f"{'，'.join(f'{thing}贴“{label}”' for thing, label in shown)}。请按所贴的字从先到后排列这些东西。"
    )
    return asked(TASK, text, list_forms(things))


def _two_keys(rng: random.Random, size: int) -> Row:
    name = rng.choice(list(ORDERS))
    order = rng.sample(ORDERS[name], len(ORDERS[name]))
    people = rng.sample(NAMES, size)
    scores = rng.sample(range(60, 100), size)
    entries = [(person, rng.choice(order), score) for person, score in zip(people, scores, strict=True)]
    high = rng.random() < 0.5
    ordered = sorted(entries, key=lambda entry: (order.index(entry[1]), -entry[2] if high else entry[2]))
    text = (
        f"先按{name}排，次序是{'、'.join(order)}；{name}相同的，分数{'高' if high else '低'}的在前。名单："
        f"{'；'.join(f'{person}，{group}，{score} 分' for person, group, score in entries)}。请排列这些人的姓名。"
    )
    return asked(TASK, text, list_forms([person for person, _, _ in ordered]))


def _numerals(rng: random.Random, size: int) -> Row:
    base = [rng.randint(1, 9) * 10 ** rng.randint(2, 5) for _ in range(3)]
    values: set[int] = set()
    while len(values) < size:
        values.add(
            rng.choice(base) + rng.choice([0, rng.randint(1, 9), rng.randint(1, 9) * 10, rng.randint(1, 9) * 100])
        )
    shown = rng.sample(sorted(values), size)
    down = rng.random() < 0.5
    words = [to_hanzi(value) for value in sorted(values, reverse=down)]
    text = f"把下面的数从{'大到小' if down else '小到大'}排列，仍用汉字数字写：{'、'.join(map(to_hanzi, shown))}。"
    return asked(TASK, text, list_forms(words)[:4])


def _times(rng: random.Random, size: int) -> Row:
    minutes: dict[int, str] = {}
    while len(minutes) < size:
        period = rng.choice(list(_PERIODS))
        hour, quarter = rng.choice(_PERIODS[period]), rng.choice([0, 15, 30, 45, 10, 50])
        late = 12 if period in ("下午", "晚上") else 0
        ending = {0: "整", 15: "一刻", 30: "半", 45: "三刻"}.get(quarter, f"{to_hanzi(quarter)}分")
        minutes[(hour + late) * 60 + quarter] = f"{period}{counted(hour)}点{ending}"
    people = rng.sample(NAMES, size)
    times = rng.sample(sorted(minutes), size)
    back = rng.random() < 0.4
    ordered = [person for _, person in sorted(zip(times, people, strict=True), reverse=back)]
    text = (
        f"下面是同一天里各人到达的时间：{'，'.join(f'{p}{minutes[t]}' for p, t in zip(people, times, strict=True))}。"
        f"请按到达时间从{'晚到早' if back else '早到晚'}排列这些人的姓名。"
    )
    return asked(TASK, text, list_forms(ordered))


def _shuffled(rng: random.Random, size: int) -> Row:
    things = rng.sample(THINGS, size)
    order = list(things)
    steps = []
    for _ in range(max(3, size // 2)):
        move = rng.choice(["swap", "first", "last", "after", "reverse"])
        one, other = rng.sample(things, 2)
        steps.append(_step(order, move, one, other))
    body = "；".join(f"{'先' if not number else '再'}{step}" for number, step in enumerate(steps))
    text = f"桌上从左到右放着{'、'.join(things)}。{body}。最后从左到右依次是什么？"
    return asked(TASK, text, list_forms(order))


def _step(order: list[str], move: str, one: str, other: str) -> str:
    if move == "swap":
        i, j = order.index(one), order.index(other)
        order[i], order[j] = order[j], order[i]
        return f"把{one}和{other}对调位置"
    if move == "reverse":
        order.reverse()
        return "把所有东西的左右次序整个倒过来"
    order.remove(one)
    if move == "after":
        order.insert(order.index(other) + 1, one)
        return f"把{one}移到紧挨着{other}的右边"
    order.insert(0 if move == "first" else len(order), one)
    return f"把{one}移到最{'左' if move == 'first' else '右'}边"


def solve(row: Row) -> str:
    """The answer from the sentences of the question: things are placed one by one, moves are replayed on the text."""
    text = text_of(row)
    if "规定" in text:
        order = found("规定“(.+?)”", text)[1].split("、")
        labels = {label: thing for thing, label in re.findall("(..)贴“(.)”", text)}
        return _answer([labels[label] for label in order])
    if text.startswith("先按"):
        order = found("次序是(.+?)；", text)[1].split("、")
        entries = [
            (p, g, int(s)) for p, g, s in re.findall(r"([^；：，]+)，([^；，]+)，(\d+) 分", text.split("名单：")[1])
        ]
        people: list[str] = []
        for group in order:
            inside = sorted((score, person) for person, each, score in entries if each == group)
            people += [person for _, person in (inside[::-1] if "高的在前" in text else inside)]
        return _answer(people)
    if "汉字数字" in text:
        numbers = found("：(.+?)。", text)[1].split("、")
        return _answer(sorted(numbers, key=from_hanzi, reverse="从大到小" in text))
    if "到达" in text:
        entries = [
            (p, 0, _minutes(t)) for p, t in (_person_and_time(e) for e in found("：(.+?)。", text)[1].split("，"))
        ]
        entries.sort(key=lambda entry: entry[2], reverse="晚到早" in text)
        return _answer([entry[0] for entry in entries])
    return _answer(_replayed(text))


def _answer(items: Sequence[str]) -> str:
    return f"【{'、'.join(items)}】"


def _person_and_time(entry: str) -> tuple[str, str]:
    return entry[:2], entry[2:]


def _minutes(time: str) -> int:
    period, hour, rest = found("^(..)(.+?)点(.+)$", time).groups()
    past = {"整": 0, "一刻": 15, "半": 30, "三刻": 45}
    late = 720 if period in {"下午", "晚上"} else 0
    return late + from_hanzi(hour) * 60 + (past[rest] if rest in past else from_hanzi(rest[:-1]))


def _replayed(text: str) -> list[str]:
    start, moves = found("放着(.+?)。(.+?)。", text).groups()
    line = start.split("、")
    for move in moves.split("；"):
        named = sorted((thing for thing in line if thing in move), key=move.index)
        if not named:
            line = line[::-1]
        elif "对调" in move:
            swap = {named[0]: named[1], named[1]: named[0]}
            line = [swap.get(thing, thing) for thing in line]
        else:
            rest = [thing for thing in line if thing != named[0]]
            place = 0 if "最左边" in move else len(rest) if "最右边" in move else rest.index(named[1]) + 1
            line = [*rest[:place], named[0], *rest[place:]]
    return line


TASKS = (
    Task(
        "sorting_zh",
        "zh",
        "按给定次序、两级条件、汉字数字大小、时刻早晚排列，以及追踪移动后的次序；【】中的排列与标准答案一致为正确。",
        generate,
        solve,
        eval_class=MARKED_ANSWER,
        args={},
        size=180,
    ),
)
