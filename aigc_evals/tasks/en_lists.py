"""Lists: a chain of changes (``list_ops_en``) and sorting by several keys (``sorting_en``)."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cmp_to_key
from typing import Any

from aigc_evals.tasks.task import Row, Task, as_json, distinct, question, text_of

_LIST_FORM = "\nWrite only the resulting list as JSON, like [3, 4, 5], and nothing else."
_Step = tuple[str, Callable[[list[int]], list[int]]]


def generate_list_ops(rng: random.Random, n: int, difficulty: int) -> Iterator[Row]:
    def make(_: int) -> Row:
        while True:
            numbers = [rng.randint(2, 40) for _ in range(6 + 2 * difficulty)]
            numbers[-2:] = rng.sample(numbers[:-2], 2)
            rng.shuffle(numbers)
            now, told, shortest = numbers, [], len(numbers)
            for _ in range(2 + 2 * difficulty):
                text, change = _step(rng)
                now = change(now)
                told.append(text)
                shortest = min(shortest, len(now))
            # Nothing that true or false equals in Python, and never so short that a step would mean nothing.
            if shortest > 4 and now != numbers and not {0, 1} & set(now) and len(set(told)) == len(told):
                break
        steps = "\n".join(f"{i}. {text}" for i, text in enumerate(told, 1))
        text = f"Start with this list of numbers: {numbers}\nThen do the following, in this order:\n{steps}{_LIST_FORM}"
        return {"input": question(text), "ideal": as_json(now)}

    return distinct(make, n)


def _step(rng: random.Random) -> _Step:
    k, d, limit, add = rng.randint(2, 4), rng.randint(3, 5), rng.randint(25, 60), rng.randint(2, 9)
    steps: tuple[_Step, ...] = (
        ("Reverse the list.", lambda x: x[::-1]),
        (f"Remove every number that is divisible by {d}.", lambda x: [v for v in x if v % d]),
        (f"Move the first {k} numbers to the end, keeping their order.", lambda x: x[k:] + x[:k]),
        ("Swap the first and the last number.", lambda x: [x[-1], *x[1:-1], x[0]] if len(x) > 1 else x),
        (
            "Double every second number, beginning with the second one.",
            lambda x: [v * (1 + i % 2) for i, v in enumerate(x)],
        ),
        ("Keep only the first of numbers that are equal.", lambda x: list(dict.fromkeys(x))),
        (
            f"Add {add} to every number that is greater than {limit // 2}.",
            lambda x: [v + add * (v > limit // 2) for v in x],
        ),
        (
            "Append the difference between the greatest and the smallest number.",
            lambda x: [*x, max(x) - min(x)] if x else x,
        ),
        (
            "Sort the first half of the list (rounded down) in ascending order.",
            lambda x: sorted(x[: len(x) // 2]) + x[len(x) // 2 :],
        ),
        (f"Insert the number of numbers in the list after the first {k} numbers.", lambda x: [*x[:k], len(x), *x[k:]]),
    )
    return rng.choice(steps)


def solve_list_ops(row: Row) -> str:
    """Reads the steps one by one and changes a list in place."""
    text = text_of(row)
    first = re.search(r"numbers: (\[.*?\])\n", text)
    assert first is not None
    items: list[int] = json.loads(first[1])
    for step in re.findall(r"^\d+\. (.+)$", text, re.MULTILINE):
        _apply(step, [int(number) for number in re.findall(r"\d+", step)], items)
    return as_json(items)


def _apply(step: str, given: Sequence[int], items: list[int]) -> None:
    word = step.split()[0]
    if word == "Reverse":
        items.reverse()
    elif word == "Remove":
        for value in [v for v in items if v % given[0] == 0]:
            items.remove(value)
    elif word == "Move":
        for _ in range(min(given[0], len(items))):
            items.append(items.pop(0))
    elif word == "Swap":
        items[0], items[-1] = items[-1], items[0]
    elif word == "Double":
        for i in range(1, len(items), 2):
            items[i] += items[i]
    elif word == "Keep":
        for i in reversed(range(len(items))):
            if items[i] in items[:i]:
                del items[i]
    elif word == "Add":
        for i, value in enumerate(items):
            if value > given[1]:
                items[i] = value + given[0]
    elif word == "Append":
        ranked = sorted(items)
        items.append(ranked[-1] - ranked[0])
    elif word == "Sort":
        middle = len(items) // 2
        items[:middle] = sorted(items[:middle])
    elif word == "Insert":
        items.insert(given[0], len(items))
    else:
        raise ValueError(step)


# -- sorting by several keys ---------------------------------------------------------------------------------------

_PEOPLE = (
    *("Abel", "Bella", "Carlo", "Doris", "Edgar", "Fiona", "Gita", "Hugo", "Irma", "Jonas", "Karin", "Leo", "Mina"),
    *("Nils", "Olga", "Pavel", "Quinn", "Rosa", "Sven", "Tara", "Ugo", "Vera", "Wim", "Xenia", "Yann", "Zoe"),
)
_COLUMNS: dict[str, tuple[Any, ...]] = {
    "team": ("Blue", "Green", "Red"),
    "city": ("Bergen", "Cork", "Ghent", "Porto"),
    "age": (23, 27, 31, 36, 44),
    "score": (55, 60, 72, 88),
    "level": (2, 3, 4),
}
_SORTING_FORM = (
    '\nWrite only the names in their new order as a JSON list of strings, like ["Amy", "Bob"], and nothing else.'
)


def generate_sorting(rng: random.Random, n: int, difficulty: int) -> Iterator[Row]:
    def make(_: int) -> Row:
        people = rng.sample(_PEOPLE, 5 + 3 * difficulty)
        columns = rng.sample(list(_COLUMNS), 1 + difficulty)
        records = [{"name": name, **{c: rng.choice(_COLUMNS[c]) for c in columns}} for name in people]
        keys = [(column, rng.random() < 0.5) for column in [*columns, "name"]]
        shown = "\n".join(", ".join(f"{key}: {value}" for key, value in record.items()) for record in records)
        told = "; records that are equal so far ".join(_order(column, down) for column, down in keys)
        ordered = [record["name"] for record in sorted(records, key=cmp_to_key(_comparison(keys)))]
        text = f"Here are {len(records)} records:\n{shown}\nSort them {told}.{_SORTING_FORM}"
        return {"input": question(text), "ideal": as_json(ordered)}

    return distinct(make, n)


def _order(column: str, down: bool) -> str:
    if column in ("name", "team", "city"):
        return f"by {column} from {'Z to A' if down else 'A to Z'}"
    return f"by {column} from {'high to low' if down else 'low to high'}"


def _comparison(keys: Sequence[tuple[str, bool]]) -> Callable[[Any, Any], int]:
    def compare(a: Any, b: Any) -> int:
        for column, down in keys:
            if a[column] != b[column]:
                return 1 if (a[column] > b[column]) is not down else -1
        return 0

    return compare


def solve_sorting(row: Row) -> str:
    """Reads the records and the keys, and sorts once per key, the last one first (sorting is stable)."""
    text = text_of(row)
    records: list[dict[str, Any]] = []
    for line in re.findall(r"^name: .+$", text, re.MULTILINE):
        fields = dict(part.split(": ") for part in line.split(", "))
        records.append({key: int(value) if value.isdigit() else value for key, value in fields.items()})
    for column, way in reversed(re.findall(r"by (\w+) from (A to Z|Z to A|high to low|low to high)", text)):
        records.sort(key=lambda record: record[column], reverse=way in ("Z to A", "high to low"))
    return as_json([record["name"] for record in records])


TASKS = (
    Task(
        name="list_ops_en",
        language="en",
        description="Changes to a list of numbers, one after another; right when every number of the result is.",
        generate=generate_list_ops,
        solve=solve_list_ops,
    ),
    Task(
        name="sorting_en",
        language="en",
        description="Records sorted by several keys, each up or down; right when the whole order is.",
        generate=generate_sorting,
        solve=solve_sorting,
    ),
)
