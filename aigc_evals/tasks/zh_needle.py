"""Facts hidden among close to four thousand characters of Chinese: the last word on one, two put together, a sum of several."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from itertools import count

from aigc_evals.tasks.task import MARKED_ANSWER, Row, Task, text_of
from aigc_evals.tasks.zh_common import asked, bracketed, data_lines, found, number_forms

TASK = "下面是一篇很长的手记，里面夹着几条需要记住的事情。请读完以后回答最后的问题。"
PLACES = [
    "东仓库",
    "西仓库",
    "南阁楼",
    "北阁楼",
    "旧车棚",
    "新车棚",
    "前门房",
    "后门房",
    "大地窖",
    "小地窖",
    "老茶房",
    "新茶房",
]
PEOPLE = ["小林", "阿杰", "老周", "小梅", "阿芳", "老陈", "小雨", "阿强", "老何", "小唐", "阿宁", "老孟"]
ITEMS = ["铜锣", "算盘", "砚台", "风筝", "陶罐", "棋盘", "竹笛", "灯笼", "渔网", "罗盘", "油画", "皮箱"]
GOODS = [("毛巾", "条"), ("蜡烛", "支"), ("手套", "双"), ("雨衣", "件"), ("饭盒", "个")]


def generate(rng: random.Random, n: int, difficulty: int) -> Iterator[Row]:
    """``n`` rows, four questions to a text; a text is a cluster. Texts have some 1,900, 3,700 or 4,000 characters."""
    sentences = data_lines("sentences.txt")
    made = 0
    for number in count(1):
        lines, facts = _text(rng, sentences, difficulty)
        text = "".join(lines)
        for question, ideal in facts:
            if made == n:
                return
            row = asked(TASK, f"{text}\n\n问题：{question}", ideal)
            yield {**row, "cluster": f"needle-zh-{number:03d}"}
            made += 1


def _text(rng: random.Random, sentences: Sequence[str], level: int) -> tuple[list[str], list[tuple[str, list[str]]]]:
    filler = rng.sample(list(sentences), min(len(sentences), 53 * level))
    size = min(len(PLACES), 4 + 4 * level)
    places, people = rng.sample(PLACES, size), rng.sample(PEOPLE, size)
    chains = {place: rng.sample(range(1000, 10_000), rng.choice([1, 1, 2, 3])) for place in places}
    wanted = max(places, key=lambda place: len(chains[place]))
    left = {person: (rng.choice(ITEMS), place) for person, place in zip(people, places, strict=True)}
    asked_for = rng.choice(people)
    item, place = left[asked_for]
    # The same thing at another place, so that one clue alone does not do.
    other = rng.choice([person for person in people if person != asked_for])
    left[other] = (item, left[other][1])
    takes = _takes(rng, people, 10 + 20 * level)
    needles: list[list[str]] = [_chain(place, codes) for place, codes in chains.items()]
    needles += [[f"{person}把{thing}寄放在了{where}。"] for person, (thing, where) in left.items()]
    needles += [[_take(take)] for take in takes]
    hop = rng.choice([person for person in people if person != asked_for])
    taker, goods, _ = rng.choice(takes)
    total = sum(pieces for person, thing, pieces in takes if (person, thing) == (taker, goods))
    facts = [
        (f"{wanted}的门锁现在的密码是多少？", bracketed([str(chains[wanted][-1])])),
        (f"是谁把{item}寄放在了{place}？只写名字。", bracketed([asked_for])),
        (f"{hop}寄放东西的地方，门锁现在的密码是多少？", bracketed([str(chains[left[hop][1]][-1])])),
        (f"{taker}前后一共领走了多少{goods[1]}{goods[0]}？", number_forms(total, goods[1])),
    ]
    return _mixed(rng, filler, needles), facts


_Take = tuple[str, tuple[str, str], int]


def _takes(rng: random.Random, people: Sequence[str], n: int) -> list[_Take]:
    few = rng.sample(list(people), 4)
    return [(rng.choice(few), rng.choice(GOODS), rng.randint(3, 60)) for _ in range(n)]


def _take(take: _Take) -> str:
    person, goods, pieces = take
    return f"这天{person}领走了 {pieces} {goods[1]}{goods[0]}。"


def _chain(place: str, codes: Sequence[int]) -> list[str]:
    return [f"{place}的门锁密码是 {codes[0]}。", *(f"后来{place}的门锁密码改成了 {code}。" for code in codes[1:])]


def _mixed(rng: random.Random, filler: Sequence[str], needles: Sequence[Sequence[str]]) -> list[str]:
    """Everything in one line: places drawn at random, each chain in its own order."""
    slots = [-1] * len(filler) + [number for number, chain in enumerate(needles) for _ in chain]
    rng.shuffle(slots)
    queues = [iter(chain) for chain in needles]
    rest = iter(filler)
    return [next(rest) if slot < 0 else next(queues[slot]) for slot in slots]


def solve(row: Row) -> str:
    """The answer from the sentences of the text, read one after another with regular expressions."""
    text, question = text_of(row).split("\n\n问题：")
    # Of several codes for one place the last one stays.
    codes: dict[str, str] = dict(re.findall(r"(?:。|^|后来)([^。]{3})的门锁密码(?:是|改成了) (\d{4})(?=。)", text))
    left = re.findall("([^。]{2})把([^。]+?)寄放在了([^。]+?)。", text)
    if question.startswith("是谁"):
        item, place = found("把(.+?)寄放在了(.+?)？", question).groups()
        (person,) = (who for who, thing, where in left if (thing, where) == (item, place))
        return f"【{person}】"
    if "寄放东西" in question:
        (place,) = (where for who, _, where in left if question.startswith(who))
        return f"【{codes[place]}】"
    if "领走" in question:
        taker, goods = found("^(.+?)前后一共领走了多少(.+?)？", question).groups()
        pieces = re.findall(rf"{taker}领走了 (\d+) {goods}。", text)
        return f"【{sum(map(int, pieces))}】"
    return f"【{codes[question[:3]]}】"


TASKS = (
    Task(
        "needle_zh",
        "zh",
        "近四千字的长文里找几条事实：最后的改动、两步推断、分散的数目求和，每篇四问为一组；【】中的答案与标准答案一致为正确。",
        generate,
        solve,
        eval_class=MARKED_ANSWER,
        args={},
        size=160,
        packed=True,
    ),
)
