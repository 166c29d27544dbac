"""Dates, times of day and units: ``calendar_units_en``."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from aigc_evals.tasks.task import Row, Task, as_json, distinct, question, text_of

_NUMBER = "\nWrite only the number, in digits, without a unit and without separators."
_DATE = '\nWrite only the date in double quotes, year-month-day, like "2024-02-29".'
_WEEKDAY = '\nWrite only the English name of the day in double quotes, like "Monday".'
_TIME = '\nWrite only the time in double quotes, on the 24-hour clock, like "07:05".'
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_PLACES = ("Lisbon", "Nairobi", "Mumbai", "Bangkok", "Tokyo", "Auckland", "Chicago", "Bogota", "Sao Paulo")


def generate(rng: random.Random, n: int, difficulty: int) -> Iterator[Row]:
    kinds = (_shift, _gap, _weekday, _duration, _flight, _length, _weekdays_between)

    def make(number: int) -> Row:
        text, value = kinds[number % len(kinds)](rng, difficulty)
        return {"input": question(text), "ideal": as_json(value)}

    return distinct(make, n)


def _day(rng: random.Random) -> date:
    return date(1950, 1, 1) + timedelta(days=rng.randint(0, 51_000))


def _say(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _shift(rng: random.Random, level: int) -> tuple[str, str]:
    day, days = _day(rng), rng.randint(30, 150 * level * level)
    word, end = rng.choice((("after", day + timedelta(days=days)), ("before", day - timedelta(days=days))))
    return f"What is the date {days} days {word} {_say(day)}?{_DATE}", end.isoformat()


def _gap(rng: random.Random, level: int) -> tuple[str, int]:
    day, days = _day(rng), rng.randint(40, 300 * level * level)
    return f"How many days after {_say(day)} is {_say(day + timedelta(days=days))}?{_NUMBER}", days


def _weekday(rng: random.Random, level: int) -> tuple[str, str]:
    day, days = _day(rng), rng.randint(20, 250 * level * level)
    other = day + timedelta(days=days * rng.choice((1, -1)))
    return (
        f"{_say(day)} is a {_DAYS[day.weekday()]}. Which day of the week is {_say(other)}?{_WEEKDAY}",
        _DAYS[other.weekday()],
    )


def _duration(rng: random.Random, level: int) -> tuple[str, int]:
    parts = [(rng.randint(1, 4), rng.randint(2, 59), rng.randint(2, 59)) for _ in range(1 + level)]
    told = ", ".join(f"{h} h {m} min {s} s" for h, m, s in parts)
    total = timedelta()
    for h, m, s in parts:
        total += timedelta(hours=h, minutes=m, seconds=s)
    return f"A machine ran {len(parts)} times: {told}. How many seconds did it run in all?{_NUMBER}", int(
        total.total_seconds()
    )


def _flight(rng: random.Random, level: int) -> tuple[str, str]:
    start = datetime(2024, 1, 10, rng.randint(0, 23), rng.randint(0, 59))
    a, b = rng.sample(_PLACES, 2)
    shift = rng.choice((-1, 1)) * (rng.randint(2, 11) * 60 + (rng.choice((0, 30)) if level > 1 else 0))
    length = rng.randint(95, 400 * level)
    ahead = "ahead of" if shift > 0 else "behind"
    text = (
        f"A flight leaves {a} at {start:%H:%M} local time and takes {length // 60} h {length % 60} min to {b}, where "
        f"clocks are {abs(shift) // 60} h {abs(shift) % 60} min {ahead} those of {a}. "
        f"What is the local time in {b} when it lands?{_TIME}"
    )
    return text, f"{start + timedelta(minutes=length + shift):%H:%M}"


def _length(rng: random.Random, level: int) -> tuple[str, int]:
    pieces = rng.randint(3, 9 * level)
    if rng.random() < 0.5:
        feet, inches = rng.randint(2, 40), rng.randint(2, 11)
        text = f"One plank is {feet} ft {inches} in long. How many inches are {pieces} such planks together (1 ft = 12 in)?"
        return text + _NUMBER, pieces * (12 * feet + inches)
    kg, g, spare = rng.randint(2, 30), rng.randint(10, 990), rng.randint(100, 950)
    text = (
        f"One sack holds {kg} kg {g} g. How many grams are left of {pieces} full sacks "
        f"when {spare} g are taken out of each (1 kg = 1000 g)?"
    )
    return text + _NUMBER, pieces * (1000 * kg + g - spare)


def _weekdays_between(rng: random.Random, level: int) -> tuple[str, int]:
    day, days, wanted = _day(rng), rng.randint(25, 80 * level), rng.randrange(7)
    end = day + timedelta(days=days)
    count = sum((day + timedelta(days=i)).weekday() == wanted for i in range(days + 1))
    return (
        f"{_say(day)} is a {_DAYS[day.weekday()]}. How many {_DAYS[wanted]}s are there from that day to {_say(end)}, "
        f"both days included?{_NUMBER}",
        count,
    )


# -- the solver counts days itself, with no calendar library -------------------------------------------------------


def solve(row: Row) -> str:
    """Reads the question, and counts days and minutes without the library that made it."""
    text = text_of(row)
    asked = text.split("\n")[0]
    days = [
        _ordinal(int(y), _MONTHS.index(m) + 1, int(d)) for d, m, y in re.findall(r"(\d+) ([A-Z][a-z]+) (\d{4})", asked)
    ]
    numbers = [int(number) for number in re.findall(r"\d+", asked)]
    if found := re.search(r"date (\d+) days (after|before)", asked):
        return as_json(_written(days[0] + int(found[1]) * (1 if found[2] == "after" else -1)))
    if "How many days after" in asked:
        return as_json(days[1] - days[0])
    if "Which day of the week" in asked:
        return as_json(_DAYS[(_DAYS.index(_named_day(asked)) + days[1] - days[0]) % 7])
    if found := re.search(r"How many ([A-Z][a-z]+)s are there", asked):
        first = (_DAYS.index(found[1]) - _DAYS.index(_named_day(asked))) % 7
        return as_json((days[1] - days[0] - first) // 7 + 1)
    if "seconds" in asked:
        return as_json(sum(3600 * h + 60 * m + s for h, m, s in zip(*(iter(numbers[1:]),) * 3, strict=True)))
    if "planks" in asked:
        return as_json((numbers[0] * 12 + numbers[1]) * numbers[2])
    if "sack" in asked:
        return as_json((numbers[0] * 1000 + numbers[1] - numbers[3]) * numbers[2])
    hour, minute, h, m, ahead_h, ahead_m = numbers
    sign = 1 if "ahead of" in asked else -1
    at = (60 * (hour + h) + minute + m + sign * (60 * ahead_h + ahead_m)) % (24 * 60)
    return as_json(f"{at // 60:02}:{at % 60:02}")


def _named_day(text: str) -> str:
    found = re.search(r"\d{4} is a ([A-Z][a-z]+)", text)
    assert found is not None
    return found[1]


def _leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _month_lengths(year: int) -> list[int]:
    return [31, 29 if _leap(year) else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]


def _ordinal(year: int, month: int, day: int) -> int:
    """Days since the beginning of 1900."""
    return sum(366 if _leap(y) else 365 for y in range(1900, year)) + sum(_month_lengths(year)[: month - 1]) + day - 1


def _written(ordinal: int) -> str:
    year, left = 1900, ordinal
    while left >= (366 if _leap(year) else 365):
        left -= 366 if _leap(year) else 365
        year += 1
    month = 0
    while left >= _month_lengths(year)[month]:
        left -= _month_lengths(year)[month]
        month += 1
    return f"{year}-{month + 1:02}-{left + 1:02}"


TASKS = (
    Task(
        name="calendar_units_en",
        language="en",
        description="Dates, days of the week, time zones, durations and units; right when the number, date or time is exact.",
        generate=generate,
        solve=solve,
    ),
)
