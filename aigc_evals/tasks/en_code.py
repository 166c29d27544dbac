"""What a small Python program prints: ``code_output_en``.

Each kind of program stands beside a second way to its result, written differently; the solver runs the program itself.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
import re
from collections.abc import Iterator
from typing import Any

from aigc_evals.tasks.task import Row, Task, as_json, distinct, pool, question, text_of

_ASK = "What does this Python program print? Write exactly what it prints, and nothing else.\n\n```python\n{code}\n```"
_WORDS = pool(
    "lantern harbour meadow copper violin thunder pepper saffron granite kettle balloon compass orchard pillow ribbon "
    "cottage mustard pebble tunnel willow barrel cabbage dolphin falcon hammer"
)


def generate(rng: random.Random, n: int, difficulty: int) -> Iterator[Row]:
    kinds = (_loop, _alias, _slices, _recursion, _closure, _counting, _floor, _matrix, _default, _generator)

    def make(number: int) -> Row:
        while True:
            code, value = kinds[number % len(kinds)](rng, difficulty)
            if clear(value):
                return {"input": question(_ASK.format(code=code)), "ideal": as_json(value)}

    return distinct(make, n)


def clear(value: Any) -> bool:
    """Whether no value but this one is equal to it: JSON's true and false equal 1 and 0 in Python."""
    if isinstance(value, list):
        return bool(value) and all(map(clear, value))
    return isinstance(value, str) or value not in (0, 1)


def _loop(rng: random.Random, level: int) -> tuple[str, int]:
    start, factor, modulus = rng.randint(2, 30), rng.randint(3, 9), rng.randint(37, 97)
    rounds, add = rng.randint(2 + 2 * level, 3 + 3 * level), rng.randint(2, 15)
    code = (
        f"x = {start}\ntotal = 0\nfor i in range({rounds}):\n    x = (x * {factor} + {add}) % {modulus}\n"
        f"    if x % 2 == 0:\n        total += x\n    else:\n        total -= i\nprint(total)"
    )
    xs = [start]
    while len(xs) <= rounds:
        xs.append((xs[-1] * factor + add) % modulus)
    return code, sum(-i if x % 2 else x for i, x in enumerate(xs[1:]))


def _alias(rng: random.Random, level: int) -> tuple[str, list[int]]:
    values = [rng.randint(2, 60) for _ in range(3 + level)]
    first, second, place = rng.randint(61, 80), rng.randint(81, 99), rng.randrange(len(values))
    code = (
        f"a = {values}\nb = a\nc = a[:]\nb.append({first})\nc.append({second})\na[{place}] = {first + second}\n"
        f"b += c[{place}:]\na = a + [len(c)]\nprint({{shown}})"
    )
    b = [*values, first]
    b[place] = first + second
    b += [*values, second][place:]
    shown = rng.choice("ab")
    return code.format(shown=shown), b if shown == "b" else [*b, len(values) + 1]


def _slices(rng: random.Random, level: int) -> tuple[str, str]:
    text = "".join(rng.choice(_WORDS) for _ in range(level))
    low, step, taken = rng.randint(0, 3), rng.randint(2, 3), rng.randint(3, 6)
    code = (
        f'text = "{text}"\nleft = text[{low}::{step}]\nright = text[::-1][:{taken}]\n'
        f"print('\"' + left + right.upper() + '\"')"
    )
    left = "".join(c for i, c in enumerate(text) if i >= low and (i - low) % step == 0)
    right = "".join(reversed(text[-taken:])).upper()
    return code, left + right


def _recursion(rng: random.Random, level: int) -> tuple[str, int]:
    n, a, b, step = rng.randint(4 + level, 6 + 2 * level), rng.randint(2, 20), rng.randint(2, 9), rng.randint(2, 3)
    code = f"def f(n):\n    if n < {step}:\n        return n + {a}\n    return f(n - 1) + {b} * f(n - {step}) - n\n\nprint(f({n}))"
    known = [i + a for i in range(step)]
    for i in range(step, n + 1):
        known.append(known[i - 1] + b * known[i - step] - i)
    return code, known[n]


def _closure(rng: random.Random, level: int) -> tuple[str, list[int]]:
    count, factor, given = 2 + level, rng.randint(2, 40), rng.randint(3, 60)
    code = (
        f"late = []\nbound = []\nfor i in range(2, {count + 2}):\n    late.append(lambda x: x * i + {factor})\n"
        f"    bound.append(lambda x, i=i: x * i - {factor})\n"
        f"print([f({given}) for f in late] + [f({given}) for f in bound])"
    )
    return code, [given * (count + 1) + factor] * count + [given * i - factor for i in range(2, count + 2)]


def _counting(rng: random.Random, level: int) -> tuple[str, list[int]]:
    text = " ".join(rng.sample(_WORDS, 1 + level))
    letter = rng.choice(sorted(set(text) - {" "}))
    code = (
        f'text = "{text}"\ncounts = {{}}\nfor letter in text:\n    counts[letter] = counts.get(letter, 0) + 1\n'
        f'print([len(counts), counts["{letter}"] * 10, max(counts.values()) + len(text)])'
    )
    most = max(text.count(c) for c in text)
    return code, [len(set(text)), text.count(letter) * 10, most + len(text)]


def _floor(rng: random.Random, level: int) -> tuple[str, list[int]]:
    numbers = [rng.randint(20, 60 * level) * rng.choice((1, -1)) for _ in range(1 + level)]
    by = rng.randint(6, 13)
    code = f"numbers = {numbers}\nprint([n // {by} for n in numbers] + [n % {by} for n in numbers] + [int(n / {by}) for n in numbers])"
    floors = [-(-n // by) if n % by == 0 else (n - (n % by)) // by for n in numbers]
    cut = [abs(n) // by * (1 if n > 0 else -1) for n in numbers]
    return code, floors + [n - by * q for n, q in zip(numbers, floors, strict=True)] + cut


def _matrix(rng: random.Random, level: int) -> tuple[str, list[int]]:
    width, height = 2 + level, 2 + rng.randint(0, level)
    rows = [[rng.randint(2, 9) for _ in range(width)] for _ in range(height)]
    power = rng.randint(2, 3)
    code = (
        f"rows = {rows}\nout = []\nfor column in zip(*rows):\n    value = 0\n    for item in column:\n"
        f"        value = value * {power} + item\n    out.append(value - min(column))\nprint(out[::-1])"
    )
    out = []
    for j in reversed(range(width)):
        column = [rows[i][j] for i in range(height)]
        weights = [power ** (height - 1 - i) for i in range(height)]
        out.append(sum(w * v for w, v in zip(weights, column, strict=True)) - sorted(column)[0])
    return code, out


def _default(rng: random.Random, level: int) -> tuple[str, list[int]]:
    calls = [rng.randint(2, 30) for _ in range(2 + level)]
    fresh, limit = rng.randrange(len(calls)), rng.randint(10, 20)
    lines = [f"add({n}, [])" if i == fresh else f"add({n})" for i, n in enumerate(calls)]
    code = (
        f"def add(n, seen=[]):\n    if n > {limit}:\n        seen.append(n - {limit} + 1)\n    seen.append(n)\n    return seen\n\n"
        + "\n".join(lines[:-1])
        + f"\nprint({lines[-1]})"
    )
    taken = [calls[fresh]] if fresh == len(calls) - 1 else [n for i, n in enumerate(calls) if i != fresh]
    return code, [m for n in taken for m in ([n - limit + 1, n] if n > limit else [n])]


def _generator(rng: random.Random, level: int) -> tuple[str, list[int]]:
    start, stop, step = rng.randint(5, 30), rng.randint(60, 70 + 30 * level), rng.randint(2, 5)
    a, b = rng.sample((3, 4, 5, 7), 2)
    code = (
        f"def numbers(n):\n    while n < {stop}:\n        if n % {a} == 0:\n            n += {b}\n            continue\n"
        f"        yield n\n        n += {step} + n // 10\n\nitems = list(numbers({start}))\nprint([len(items), sum(items), items[-1]])"
    )
    items = []
    n = start
    while n < stop:
        if n % a:
            items.append(n)
        n = n + step + n // 10 if n % a else n + b
    return code, [len(items), sum(items), items[-1] if items else 0]


_BUILTINS = {
    function.__name__: function for function in (enumerate, int, len, list, max, min, print, range, sorted, sum, zip)
}


def solve(row: Row) -> str:
    """Runs the program of the prompt, with a few harmless builtins and nothing to import."""
    found = re.search(r"```python\n(.*)\n```", text_of(row), re.DOTALL)
    assert found is not None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(found[1], "<prompt>", "exec"), {"__builtins__": _BUILTINS})
    return as_json(json.loads(printed.getvalue()))


TASKS = (
    Task(
        name="code_output_en",
        language="en",
        description="What small Python programs print (loops, aliases, closures, defaults, generators); right when it is the same value.",
        generate=generate,
        solve=solve,
    ),
)
