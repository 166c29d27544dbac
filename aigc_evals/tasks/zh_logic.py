"""Who tells the truth, and who came in where: puzzles in Chinese with exactly one solution each."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations, product

from aigc_evals.tasks.task import MARKED_ANSWER, Row, Task, distinct, text_of
from aigc_evals.tasks.zh_common import DIGITS, asked, bracketed, counted, found, list_forms

TASK = "请解答下面的推理题，每道题都只有一个答案。"
PEOPLE = ["小林", "阿杰", "老周", "小梅", "阿芳", "老陈", "小雨", "阿强", "老何", "小唐", "阿宁", "老孟"]
_WORLDS = [
    "岛上的居民分两种：一种句句说真话，一种句句说假话。",
    "这个班里有的同学永远说真话，其余的同学永远说假话。",
    "村里的人要么每句话都是真的，要么每句话都是假的。",
    "镇上的人分成两派，一派从来只说真话，另一派从来只说假话。",
]
_RACES = [
    ("赛跑", "比赛没有并列名次"),
    ("游泳比赛", "没有人并列"),
    ("象棋比赛", "名次没有并列"),
    ("投篮比赛", "每个名次只有一人"),
]


def generate(rng: random.Random, n: int, difficulty: int) -> Iterator[Row]:
    """``n`` rows, truth-tellers and races in turn, with three to five or four to six people."""
    return distinct(lambda i: _race(rng, difficulty) if i % 3 == 2 else _truth(rng, difficulty), n)


def _truth(rng: random.Random, difficulty: int) -> Row:
    size = 2 + difficulty + (rng.random() < 0.4)
    while True:
        names = rng.sample(PEOPLE, size)
        said = [_statement(rng, names, speaker) for speaker in range(size)]
        worlds = [
            w for w in product((False, True), repeat=size) if all(w[i] == _holds(s, w) for i, s in enumerate(said))
        ]
        # A world where everyone, or no one, tells the truth would be too easy to guess.
        if len(worlds) == 1 and 0 < sum(worlds[0]) < size:
            break
    honest = [name for name, true in zip(names, worlds[0], strict=True) if true]
    lines = "\n".join(f"{name}说：“{_words(s, names)}”" for name, s in zip(names, said, strict=True))
    text = (
        f"{rng.choice(_WORLDS)}其中{counted(size)}个人，{'、'.join(names)}，各说了一句话：\n{lines}\n"
        "这些人里谁说真话？把说真话的人的名字全部写出来，按上面出场的先后排列，用顿号隔开。"
    )
    return asked(TASK, text, list_forms(honest) + bracketed(["和".join(honest)] if len(honest) == 2 else []))


_Statement = tuple[str, tuple[int, ...], int]


def _statement(rng: random.Random, names: Sequence[str], speaker: int) -> _Statement:
    others = [i for i in range(len(names)) if i != speaker]
    kind = rng.choice(["liar", "honest", "same", "differ", "one", "both", "count", "count", "least"])
    if kind in ("liar", "honest"):
        return kind, (rng.choice(others),), 0
    if kind in ("count", "least"):
        return kind, (), rng.randint(1 if kind == "count" else 2, len(names) - 1)
    return kind, tuple(sorted(rng.sample(others, 2))), 0


def _words(statement: _Statement, names: Sequence[str]) -> str:
    kind, who, number = statement
    people = [names[i] for i in who] + ["", ""]
    return {
        "liar": f"{people[0]}说假话。",
        "honest": f"{people[0]}说真话。",
        "same": f"{people[0]}和{people[1]}是同一种人。",
        "differ": f"{people[0]}和{people[1]}不是同一种人。",
        "one": f"{people[0]}和{people[1]}里至少有一个说假话。",
        "both": f"{people[0]}和{people[1]}都说真话。",
        "count": f"我们当中正好有{counted(number)}个人说真话。",
        "least": f"我们当中至少有{counted(number)}个人说真话。",
    }[kind]


def _holds(statement: _Statement, world: Sequence[bool]) -> bool:
    kind, who, number = statement
    truths = [world[i] for i in who]
    if kind in ("count", "least"):
        return sum(world) == number if kind == "count" else sum(world) >= number
    if kind in ("same", "differ"):
        return (truths[0] == truths[1]) == (kind == "same")
    return all(truths) if kind in ("honest", "both") else not all(truths)


def _race(rng: random.Random, difficulty: int) -> Row:
    size = 3 + difficulty
    names = rng.sample(PEOPLE, size)
    order = rng.sample(names, size)
    clues: list[str] = []
    while len(_orders(names, clues)) > 1:
        clue = _clue(rng, names, order)
        if len(_orders(names, [*clues, clue])) < len(_orders(names, clues)):
            clues.append(clue)
    for clue in list(clues):
        fewer = [other for other in clues if other != clue]
        clues = fewer if len(_orders(names, fewer)) == 1 else clues
    rng.shuffle(clues)
    event, alone = rng.choice(_RACES)
    head = f"{'、'.join(names)}{counted(size)}个人参加{event}，{alone}。已知：\n"
    body = "\n".join(f"（{number}）{clue}" for number, clue in enumerate(clues, 1))
    if rng.random() < 0.5:
        place = rng.randint(2, size)
        return asked(TASK, f"{head}{body}\n第{DIGITS[place]}名是谁？只写名字。", bracketed([order[place - 1]]))
    text = f"{head}{body}\n请从第一名到最后一名依次写出所有人的名字，用顿号隔开。"
    return asked(TASK, text, [*list_forms(order), *bracketed([">".join(order), " > ".join(order)])])


def _orders(names: Sequence[str], clues: Sequence[str]) -> list[tuple[str, ...]]:
    return [order for order in permutations(names) if all(_fits(clue, order) for clue in clues)]


def _clue(rng: random.Random, names: Sequence[str], order: Sequence[str]) -> str:
    first, other = sorted(rng.sample(names, 2), key=order.index)
    gap = order.index(other) - order.index(first) - 1
    if rng.random() < 0.35:
        wrong = rng.choice([place for place in range(len(names)) if order[place] != first])
        return f"{first}不是第{DIGITS[wrong + 1]}名。"
    if rng.random() < 0.5:
        between = f"正好隔着{counted(gap)}个人" if gap else "名次相邻"
        return f"{min(first, other)}和{max(first, other)}{between}。"
    return f"{first}的名次在{other}前面。" if rng.random() < 0.5 else f"{other}的名次在{first}后面。"


def _fits(clue: str, order: Sequence[str]) -> bool:
    place = {name: number for number, name in enumerate(order, 1)}
    if found_no := re.match("(..)不是第(.)名", clue):
        return place[found_no[1]] != DIGITS.index(found_no[2])
    if near := re.match("(..)和(..)(?:正好隔着(.)个人|名次相邻)", clue):
        gap = "零一两三四五六".index(near[3]) if near[3] else 0
        return abs(place[near[1]] - place[near[2]]) == gap + 1
    one, other, side = found("(..)的名次在(..)(前面|后面)", clue).groups()
    return (place[one] < place[other]) == (side == "前面")


def solve(row: Row) -> str:
    """The answer by trying everything that could be, each sentence read again from the question."""
    text = text_of(row)
    if "已知" not in text:
        said = dict(re.findall("^(..)说：“(.+?)。”$", text, re.M))
        (only,) = _worlds(said)
        return f"【{'、'.join(name for name in said if only[name])}】"
    names = found("^(.+?)[两三四五六]个人参加", text)[1].split("、")
    clues = re.findall(r"^（\d+）(.+。)$", text, re.M)
    (order,) = {order for order in permutations(names) if all(_said(clue, order) for clue in clues)}
    asked_for = re.search("第(.)名是谁", text)
    return f"【{order[DIGITS.index(asked_for[1]) - 1]}】" if asked_for else f"【{'、'.join(order)}】"


def _worlds(said: Mapping[str, str]) -> list[dict[str, bool]]:
    every = [dict(zip(said, true, strict=True)) for true in product((True, False), repeat=len(said))]
    return [world for world in every if all(_true(said[name], world) == world[name] for name in said)]


def _true(sentence: str, world: Mapping[str, bool]) -> bool:
    honest = {name for name, true in world.items() if true}
    named = {name for name in world if name in sentence}
    if number := re.search("(正好|至少)有(.)个人", sentence):
        wanted = "零一两三四五六".index(number[2])
        return len(honest) == wanted or (number[1] == "至少" and len(honest) > wanted)
    if "同一种人" in sentence:
        return ("不是" in sentence) == (len(named & honest) == 1)
    if "至少有一个说假话" in sentence:
        return bool(named - honest)
    return named <= honest if "真话" in sentence else not named & honest


def _said(clue: str, order: Sequence[str]) -> bool:
    one, other = [*sorted((name for name in order if name in clue), key=clue.index), ""][:2]
    if "不是" in clue:
        return order[DIGITS.index(found("第(.)名", clue)[1]) - 1] != one
    distance = order.index(one) - order.index(other)
    if "的名次在" in clue:
        return distance > 0 if "后面" in clue else distance < 0
    return abs(distance) == (1 if "相邻" in clue else 1 + "零一两三四五六".index(found("隔着(.)个", clue)[1]))


TASKS = (
    Task(
        "logic_zh",
        "zh",
        "谁说真话、名次先后的推理题，每题恰有一个解；【】中的答案与标准答案一致为正确。",
        generate,
        solve,
        eval_class=MARKED_ANSWER,
        args={},
        size=180,
    ),
)
