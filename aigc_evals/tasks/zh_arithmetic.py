"""Word problems in Chinese that take several steps; the solver finds each answer by trying or by stepping."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from math import lcm

from aigc_evals.tasks.task import MARKED_ANSWER, Row, Task, distinct, text_of
from aigc_evals.tasks.zh_common import asked, number_forms, small_number_forms

TASK = "请解答下面的应用题。"
PEOPLE = ["小军", "小燕", "李明", "王芳", "张强", "刘洋", "陈静", "赵磊", "孙丽", "周涛", "吴敏", "郑凯"]
Made = tuple[str, int, tuple[str, ...]]
"""The question, its value, and the units it may be given with."""


def generate(rng: random.Random, n: int, difficulty: int) -> Iterator[Row]:
    """``n`` rows, of twelve kinds in turn; the numbers grow with the difficulty."""

    def make(number: int) -> Row:
        text, value, units = KINDS[number % len(KINDS)](rng, difficulty)
        forms = small_number_forms(value, *units) if value <= 20 else number_forms(value, *units)
        return asked(TASK, text, forms)

    return distinct(make, n)


def _shop(rng: random.Random, level: int) -> Made:
    things = [("笔记本", "本"), ("钢笔", "支"), ("文件夹", "个"), ("圆规", "把"), ("颜料", "盒"), ("字典", "本")]
    (one, one_word), (other, other_word) = rng.sample(things, 2)
    n, m = rng.randint(3, 6 * level + 3), rng.randint(3, 6 * level + 3)
    p, q = rng.randint(4, 15 * level), rng.randint(6, 15 * level)
    notes = (n * p + m * q) // 100 + 1
    text = (
        f"{rng.choice(PEOPLE)}去文具店买了 {n} {one_word}{one}和 {m} {other_word}{other}。"
        f"{one}每{one_word} {p} 元，{other}每{other_word} {q} 元。"
        f"付钱时用了 {notes} 张面值 100 元的钞票，应该找回多少元？"
    )
    return text, notes * 100 - n * p - m * q, ("元",)


def _orchard(rng: random.Random, level: int) -> Made:
    fruit = rng.choice(["梨", "苹果", "桃", "柚子", "柿子"])
    rows, each, more = rng.randint(6, 12 * level), rng.randint(8, 24), rng.randint(5, 40)
    crop, box = rng.randint(12, 45), rng.choice([15, 16, 18, 20, 25])
    text = (
        f"果园里原有 {rows} 行{fruit}树，每行 {each} 棵，去年又补种了 {more} 棵，今年全部结果，平均每棵收 {crop} 千克。"
        f"每箱装 {box} 千克，最多能装满多少箱？"
    )
    return text, (rows * each + more) * crop // box, ("箱",)


def _pool(rng: random.Random, level: int) -> Made:
    out = rng.randint(8, 30)
    gain = rng.randint(6, 25)
    minutes, there = rng.randint(12, 60 * level), rng.randint(30, 300)
    text = (
        f"一个水池里原有 {there} 升水。打开进水管，每分钟进水 {out + gain} 升；同时出水管没有关，每分钟流出 {out} 升。"
        f"水池的容积是 {there + gain * minutes} 升，多少分钟以后水池正好注满？"
    )
    return text, minutes, ("分钟", "分")


def _meet(rng: random.Random, level: int) -> Made:
    slow, fast = rng.randint(40, 65), rng.randint(66, 110)
    early, hours = rng.randint(1, 2 + level), rng.randint(2, 5 + level)
    text = (
        f"甲、乙两地相距 {slow * early + (slow + fast) * hours} 千米。一辆货车先从甲地开往乙地，每小时行 {slow} 千米；"
        f"{early} 小时后，一辆客车从乙地开往甲地，每小时行 {fast} 千米。客车开出几小时后两车相遇？"
    )
    return text, hours, ("小时", "个小时")


def _discount(rng: random.Random, level: int) -> Made:
    thing, word = rng.choice([("衬衫", "件"), ("台灯", "盏"), ("背包", "个"), ("毛毯", "条"), ("运动鞋", "双")])
    price, n = rng.randint(4, 20) * 20, rng.randint(2, 3 + 2 * level)
    tenths, off = (
        rng.choice([(65, "六五"), (75, "七五"), (80, "八"), (85, "八五"), (90, "九")]),
        rng.choice([10, 15, 20, 30]),
    )
    text = (
        f"一种{thing}原价每{word} {price} 元，店里先按{tenths[1]}折出售，结账时再从总价里减去 {off} 元。"
        f"{rng.choice(PEOPLE)}买了 {n} {word}，实际付了多少元？"
    )
    return text, price * n * tenths[0] // 100 - off, ("元",)


def _work(rng: random.Random, level: int) -> Made:
    while True:
        one, other, days = rng.randint(6, 20 * level), rng.randint(6, 20 * level), rng.randint(2, 6 * level)
        whole = lcm(one, other)
        left = whole - days * (whole // one + whole // other)
        if one != other and left > 0 and not left % (whole // other):
            break
    text = (
        f"修一段路，甲队单独修要 {one} 天，乙队单独修要 {other} 天。两队先一起修了 {days} 天，"
        "剩下的由乙队单独修完，乙队还要修多少天？"
    )
    return text, left // (whole // other), ("天",)


def _ages(rng: random.Random, level: int) -> Made:
    times, child, years = rng.randint(2, 4), rng.randint(3, 14), rng.randint(2, 10 * level)
    elder = times * (child + years) - years
    while not 22 <= elder - child <= 45:
        times, child, years = rng.randint(2, 4), rng.randint(3, 14), rng.randint(2, 10 * level)
        elder = times * (child + years) - years
    relation, name = rng.choice(["爸爸", "妈妈", "舅舅", "姑姑"]), rng.choice(PEOPLE)
    text = (
        f"今年{name}的{relation} {elder} 岁，{name} {child} 岁。几年以后，{relation}的年龄正好是{name}的 {times} 倍？"
    )
    return text, years, ("年", "年后", "年以后")


def _sharing(rng: random.Random, level: int) -> Made:
    few, gap, people = rng.randint(3, 5 + 2 * level), rng.randint(1, 4), rng.randint(8, 20 * level)
    over = rng.randint(1, gap * people - 1)
    thing, word = rng.choice([("糖", "块"), ("橘子", "个"), ("铅笔", "支"), ("卡片", "张")])
    text = (
        f"老师把一些{thing}分给小朋友。"
        f"每人分 {few} {word}，还多 {over} {word}；每人分 {few + gap} {word}，就少 {gap * people - over} {word}。"
        f"一共有多少{word}{thing}？"
    )
    return text, few * people + over, (word, word + thing)


def _steps(rng: random.Random, level: int) -> Made:
    first, second = rng.randint(8, 15), rng.randint(16, 30)
    low, middle = rng.randint(2, 4), rng.randint(5, 6)
    high, used = rng.randint(7, 10), rng.randint(31, 30 + 20 * level)
    text = (
        f"某市按月分段收水费：每户用水不超过 {first} 吨的部分，每吨 {low} 元；超过 {first} 吨、不超过 {second} 吨的部分，每吨 {middle} 元；"
        f"超过 {second} 吨的部分，每吨 {high} 元。{rng.choice(PEOPLE)}家上个月用水 {used} 吨，要交水费多少元？"
    )
    return text, first * low + (second - first) * middle + (used - second) * high, ("元",)


def _trees(rng: random.Random, level: int) -> Made:
    gap, spaces, price = rng.randint(3, 12), rng.randint(20, 60 * level), rng.randint(15, 90)
    text = (
        f"一条笔直的公路长 {gap * spaces} 米，要在路的两边每隔 {gap} 米栽一棵{rng.choice(['梧桐', '银杏', '槐树', '香樟'])}，两头都栽。"
        f"每棵树苗 {price} 元，买树苗一共要多少元？"
    )
    return text, 2 * (spaces + 1) * price, ("元",)


def _scores(rng: random.Random, level: int) -> Made:
    before, more = rng.randint(3, 3 + level), rng.randint(2, 2 + level)
    mean, aim = rng.randint(74, 84), rng.randint(85, 88)
    while (aim * (before + more) - mean * before) % more or (aim * (before + more) - mean * before) // more > 100:
        before, more, mean, aim = (
            rng.randint(3, 4 + level),
            rng.randint(2, 4 + level),
            rng.randint(74, 84),
            rng.randint(85, 88),
        )
    text = (
        f"{rng.choice(PEOPLE)}前 {before} 次测验平均得 {mean} 分。要使全部 {before + more} 次测验的平均分正好是 {aim} 分，"
        "余下各次平均每次要得多少分？"
    )
    return text, (aim * (before + more) - mean * before) // more, ("分",)


def _pages(rng: random.Random, level: int) -> Made:
    first, step, days, rest = (
        rng.randint(12, 40),
        rng.randint(2, 4 + level),
        rng.randint(5, 6 + 4 * level),
        rng.randint(8, 60),
    )
    text = (
        f"{rng.choice(PEOPLE)}读一本小说，第 1 天读了 {first} 页，以后每天都比前一天多读 {step} 页。"
        f"读完第 {days} 天以后，还剩 {rest} 页没有读。这本小说一共有多少页？"
    )
    return text, days * first + step * days * (days - 1) // 2 + rest, ("页",)


KINDS: tuple[Callable[[random.Random, int], Made], ...] = (
    _shop,
    _orchard,
    _pool,
    _meet,
    _discount,
    _work,
    _ages,
    _sharing,
    _steps,
    _trees,
    _scores,
    _pages,
)


def solve(row: Row) -> str:
    """The answer from the numbers as they stand in the question, by trying and by stepping where that can be done."""
    text = text_of(row)
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    way = next(way for mark, way in _WAYS.items() if mark in text)
    if way is _paid:
        numbers.insert(2, _rate(text))
    return f"【{way(*numbers)}】"


def _change(n: int, m: int, p: int, q: int, notes: int, value: int) -> int:
    return sum([value] * notes) - sum([p] * n) - sum([q] * m)


def _boxes(rows: int, each: int, more: int, crop: int, box: int) -> int:
    left, boxes = sum([each * crop] * rows) + crop * more, 0
    while left >= box:
        left, boxes = left - box, boxes + 1
    return boxes


def _filled(there: int, into: int, out: int, whole: int) -> int:
    minutes = 0
    while there < whole:
        there, minutes = there + into - out, minutes + 1
    return minutes


def _met(way: int, slow: int, early: int, fast: int) -> int:
    hours = 0
    while slow * (early + hours) + fast * hours < way:
        hours += 1
    return hours


def _rate(text: str) -> int:
    digits = "".join(str("一二三四五六七八九".index(char) + 1) for char in re.findall("按(.+?)折", text)[0])
    return int(digits.ljust(2, "0"))


def _paid(price: int, off: int, rate: int, n: int) -> int:
    return sum(price * rate for _ in range(n)) // 100 - off


def _finished(one: int, other: int, days: int) -> int:
    more = 0
    while days * other + days * one + more * one < one * other:
        more += 1
    return more


def _years(elder: int, child: int, times: int) -> int:
    return next(years for years in range(200) if elder + years == times * (child + years))


def _shared(few: int, over: int, many: int, short: int) -> int:
    return next(few * n + over for n in range(1, 1000) if few * n + over == many * n - short)


def _bill(first: int, low: int, _: int, second: int, middle: int, __: int, high: int, used: int) -> int:
    return sum(low if ton <= first else middle if ton <= second else high for ton in range(1, used + 1))


def _planted(length: int, gap: int, price: int) -> int:
    return sum(2 * price for _ in range(0, length + 1, gap))


def _needed(before: int, mean: int, every: int, aim: int) -> int:
    return next(x for x in range(101) if before * mean + (every - before) * x == aim * every)


def _read(_: int, first: int, step: int, days: int, rest: int) -> int:
    return rest + sum(first + step * day for day in range(days))


_WAYS: dict[str, Callable[..., int]] = {
    "文具店": _change,
    "果园": _boxes,
    "水池": _filled,
    "相遇": _met,
    "折出售": _paid,
    "修一段路": _finished,
    "的年龄": _years,
    "分给小朋友": _shared,
    "水费": _bill,
    "公路": _planted,
    "测验": _needed,
    "小说": _read,
}

TASKS = (
    Task(
        "arithmetic_zh",
        "zh",
        "十二类多步应用题：购物、行程、工程、分段计费等；【】中的答案与标准答案一致为正确。",
        generate,
        solve,
        eval_class=MARKED_ANSWER,
        args={},
        size=180,
    ),
)
