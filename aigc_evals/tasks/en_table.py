"""Questions about a table: ``table_lookup_en``."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any

from aigc_evals.tasks.task import Row, Task, as_json, distinct, question, text_of

_PRODUCTS = (
    "kettle",
    "lamp",
    "chair",
    "desk",
    "radio",
    "clock",
    "mirror",
    "carpet",
    "basket",
    "ladder",
    "bench",
    "shelf",
)
_MAKERS = ("Arden", "Boreal", "Cobalt", "Dorian", "Elmwood")
_STORES = ("North", "South", "East", "West")
_HEAD = ("Item", "Product", "Maker", "Store", "Stock", "Price")
_NUMBER = " Write only the number, in digits, and nothing else."
_TEXT = " Write only the item's code in double quotes, and nothing else."
_LIST = " Write only a JSON list of strings, in the order of the table, and nothing else."
_Record = tuple[str, str, str, str, int, int]


def generate(rng: random.Random, n: int, difficulty: int) -> Iterator[Row]:
    def make(number: int) -> Row:
        while True:
            records = _records(rng, 8 * difficulty)
            text, value = _ask(rng, records, number % 6)
            if value not in (None, [], 0, 1):
                break
        lines = ["| " + " | ".join(_HEAD) + " |", "|" + " --- |" * len(_HEAD)]
        lines += ["| " + " | ".join(map(str, record)) + " |" for record in records]
        return {"input": question("\n".join(lines) + "\n\n" + text), "ideal": as_json(value)}

    return distinct(make, n)


def _records(rng: random.Random, count: int) -> list[_Record]:
    codes = rng.sample(range(100, 1000), count)
    return [
        (
            f"{rng.choice('KLMNP')}-{code}",
            rng.choice(_PRODUCTS),
            rng.choice(_MAKERS),
            rng.choice(_STORES),
            rng.randint(2, 60),
            rng.randint(11, 99),
        )
        for code in codes
    ]


def _ask(rng: random.Random, records: list[_Record], kind: int) -> tuple[str, Any]:
    maker, store, limit = rng.choice(_MAKERS), rng.choice(_STORES), rng.randint(15, 40)
    if kind == 0:
        item = rng.choice(records)
        return f"What are the pieces in stock of item {item[0]} worth in all (stock times price)?" + _NUMBER, item[
            4
        ] * item[5]
    if kind == 1:
        found = [r for r in records if r[2] == maker and r[4] > limit]
        return f"How many rows have the maker {maker} and more than {limit} in stock?" + _NUMBER, len(found)
    if kind == 2:
        prices = [r[5] for r in records if r[3] == store]
        top = [r[0] for r in records if r[3] == store and r[5] == max(prices)]
        asked = f"Which item of the store {store} has the highest price?"
        return asked + _TEXT, top[0] if len(top) == 1 and len(prices) > 2 else None
    if kind == 3:
        pieces = [r[4] for r in records if r[3] == store and r[2] != maker]
        asked = f"How many pieces are in stock in the store {store}, not counting those of the maker {maker}?"
        return asked + _NUMBER, sum(pieces)
    if kind == 4:
        codes = [r[0] for r in records if r[2] == maker and r[5] < 2 * limit]
        return f"Which items of the maker {maker} cost less than {2 * limit}?" + _LIST, codes
    stock = {s: sum(r[4] for r in records if r[3] == s) for s in {r[3] for r in records}}
    difference = max(stock.values()) - min(stock.values())
    asked = "Add up the stock of each store. By how much does the highest of these sums exceed the lowest?"
    return asked + _NUMBER, difference if len(stock) > 2 else None


def solve(row: Row) -> str:
    """Reads the table from its lines and the question from its words."""
    text = text_of(row)
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.split("\n") if line.startswith("|")]
    table = [dict(zip(lines[0], cells, strict=True)) for cells in lines[2:]]
    asked = text.rsplit("\n", 1)[1]
    maker = re.search(r"the maker (\w+)", asked)
    store = re.search(r"the store (\w+)", asked)
    if found := re.search(r"of item (\S+) worth", asked):
        (record,) = (record for record in table if record["Item"] == found[1])
        return as_json(int(record["Stock"]) * int(record["Price"]))
    if "Add up" in asked:
        sums: dict[str, int] = {}
        for record in table:
            sums[record["Store"]] = sums.get(record["Store"], 0) + int(record["Stock"])
        ranked = sorted(sums.values())
        return as_json(ranked[-1] - ranked[0])
    if found := re.search(r"more than (\d+) in stock", asked):
        assert maker is not None
        return as_json(len([1 for r in table if r["Maker"] == maker[1] and int(r["Stock"]) > int(found[1])]))
    if found := re.search(r"cost less than (\d+)", asked):
        assert maker is not None
        return as_json([r["Item"] for r in table if r["Maker"] == maker[1] and int(r["Price"]) < int(found[1])])
    assert store is not None
    there = [record for record in table if record["Store"] == store[1]]
    if maker is not None:
        return as_json(sum(int(record["Stock"]) for record in there if record["Maker"] != maker[1]))
    return as_json(sorted(there, key=lambda record: int(record["Price"]))[-1]["Item"])


TASKS = (
    Task(
        name="table_lookup_en",
        language="en",
        description="Look-ups, counts, sums and comparisons in a table; right when the number, code or list is exact.",
        generate=generate,
        solve=solve,
    ),
)
