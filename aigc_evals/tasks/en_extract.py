"""From a message to a JSON object: ``json_extract_en``."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any

from aigc_evals.tasks.task import Row, Task, as_json, distinct, pool, question, text_of

_FIRST = ("Maria", "Tom", "Aisha", "Viktor", "Noor", "Clara", "Jin", "Pablo", "Ruth", "Emeka")
_LAST = ("Hill", "Okoro", "Novak", "Silva", "Berg", "Tanaka", "Moreau", "Kaur", "Dunn", "Rossi")
_ITEMS = (
    "desk lamps",
    "oak shelves",
    "wall clocks",
    "floor mats",
    "garden chairs",
    "paint rollers",
    "tea sets",
    "door handles",
)
_TOWNS = ("Leeds", "Cork", "Ghent", "Turin", "Malmo", "Graz", "Porto", "Tartu")
_MONTHS = ("January", "March", "April", "June", "July", "September", "October", "December")
_NUMBER_OF = {name: i for i, name in zip((1, 3, 4, 6, 7, 9, 10, 12), _MONTHS, strict=True)}
_WORDS = {name: i for i, name in enumerate(pool("two three four five six seven eight nine ten eleven twelve"), 2)}
_SYSTEM = (
    "Extract the order from the message. What is corrected later in the message counts as corrected. Write only a JSON "
    'object, without a code fence, with these keys and no others: "customer" (first and last name, a string), "order" '
    '(the number of the order, a number), "items" (a list of objects with "name" as in the message and "quantity", '
    'a number, in the order in which they are first named, without cancelled ones), "delivery" (the date as '
    'year-month-day, like "2024-02-29"), "town" (a string), "gift" (true or false).'
)


def generate(rng: random.Random, n: int, difficulty: int) -> Iterator[Row]:
    def make(_: int) -> Row:
        text, order = _message(rng, difficulty)
        return {"input": question(text, _SYSTEM), "ideal": as_json(order)}

    return distinct(make, n)


def _message(rng: random.Random, level: int) -> tuple[str, dict[str, Any]]:
    customer, other = (f"{rng.choice(_FIRST)} {last}" for last in rng.sample(_LAST, 2))
    names = rng.sample(_ITEMS, 2 + level)
    quantities = {name: rng.randint(2, 12) for name in names}
    number, old = rng.sample(range(10_000, 100_000), 2)
    day, month, year = rng.randint(2, 28), rng.choice(_MONTHS), rng.randint(2021, 2027)
    town, wrong_town = rng.sample(_TOWNS, 2)
    gift = rng.random() < 0.5
    told = [f"{_spoken(rng, quantities[name])} {name}" for name in names]
    parts = [
        f"This is about order {number}, not order {old}, which {other} has already dealt with.",
        f"We would like {', '.join(told[:-1])} and {told[-1]}.",
    ]
    changes = []
    changed = rng.choice(names)
    quantities[changed] = rng.choice([q for q in range(2, 13) if q != quantities[changed]])
    changes.append(f"Please change the {changed} to {_spoken(rng, quantities[changed])}.")
    if level > 1:
        cancelled = rng.choice([name for name in names if name != changed])
        del quantities[cancelled]
        changes.append(f"We do not need the {cancelled} any more.")
    if level > 2:
        more = rng.choice(list(quantities))
        add = rng.randint(2, 6)
        quantities[more] += add
        changes.append(f"And {_spoken(rng, add)} more {more} than said so far, please.")
    moved = rng.random() < 0.5
    first_day = rng.randint(2, 28) if moved else day
    dates = [f"Deliver it to {wrong_town if moved else town} on {first_day} {month} {year}."]
    if moved:
        dates.append(f"Sorry, it should go to {town} instead, on the {day}{_ending(day)} of the same month.")
    wrap = "It is a present, so please wrap it." if gift else "It is not a present, so do not wrap it."
    middle = [*changes, *dates] if rng.random() < 0.5 else [dates[0], *changes, *dates[1:]]
    parts += [*middle, wrap, f"Kind regards, {customer} (please do not call {other} again)"]
    return " ".join(parts), {
        "customer": customer,
        "order": number,
        "items": [{"name": name, "quantity": quantities[name]} for name in names if name in quantities],
        "delivery": f"{year}-{_NUMBER_OF[month]:02}-{day:02}",
        "town": town,
        "gift": gift,
    }


def _spoken(rng: random.Random, number: int) -> str:
    words = {value: word for word, value in _WORDS.items()}
    return words[number] if rng.random() < 0.5 else str(number)


def _ending(day: int) -> str:
    return "th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


def solve(row: Row) -> str:
    """Reads the message sentence by sentence, keeping what is known so far."""
    text = text_of(row)
    item = "|".join(_ITEMS)
    first = re.search(r"We would like (.+?)\. ", text)
    assert first is not None
    items = {name: _read(count) for count, name in re.findall(rf"(\w+) ({item})", first[1])}
    for name, count in re.findall(rf"change the ({item}) to (\w+)\.", text):
        items[name] = _read(count)
    for name in re.findall(rf"do not need the ({item}) any more", text):
        items.pop(name)
    for count, name in re.findall(rf"And (\w+) more ({item})", text):
        items[name] += _read(count)
    number = re.search(r"about order (\d+)", text)
    place = re.search(r"Deliver it to (\w+) on (\d+) (\w+) (\d+)\.", text)
    who = re.search(r"Kind regards, (.+?) \(", text)
    assert number is not None
    assert place is not None
    assert who is not None
    town, day, month, year = place.groups()
    if moved := re.search(r"should go to (\w+) instead, on the (\d+)", text):
        town, day = moved.groups()
    return as_json(
        {
            "customer": who[1],
            "order": int(number[1]),
            "items": [{"name": name, "quantity": count} for name, count in items.items()],
            "delivery": f"{year}-{_NUMBER_OF[month]:02}-{int(day):02}",
            "town": town,
            "gift": "It is a present" in text,
        }
    )


def _read(word: str) -> int:
    return _WORDS[word] if word in _WORDS else int(word)


TASKS = (
    Task(
        name="json_extract_en",
        language="en",
        description="An order out of a message with corrections and cancellations, as a JSON object; right when all of it is.",
        generate=generate,
        solve=solve,
    ),
)
