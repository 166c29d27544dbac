"""Arithmetic with numbers of several digits: ``arithmetic_en``."""

from __future__ import annotations

import ast
import operator
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

from aigc_evals.tasks.task import Row, Task, as_json, distinct, question, text_of

_FORM = "\nWrite only the number, in digits, without separators between them, and nothing else."


def generate(rng: random.Random, n: int, difficulty: int) -> Iterator[Row]:
    kinds = (_product, _expression, _remainder, _long_sum, _between, _power)

    def make(number: int) -> Row:
        while True:
            text, value = kinds[number % len(kinds)](rng, difficulty)
            # JSON's true and false equal 1 and 0 in Python, so these two are no answers.
            if value not in (0, 1):
                return {"input": question(text + _FORM), "ideal": as_json(value)}

    return distinct(make, n)


def _number(rng: random.Random, digits: int) -> int:
    return rng.randint(10 ** (digits - 1), 10**digits - 1)


def _product(rng: random.Random, level: int) -> tuple[str, int]:
    a, b = _number(rng, 2 + level), _number(rng, 1 + level)
    return f"Work out {a} * {b}.", a * b


def _expression(rng: random.Random, level: int) -> tuple[str, int]:
    a, b, c, d, e = (_number(rng, 1 + level) for _ in range(5))
    f = rng.randint(3, 9)
    shapes = (
        (f"{a} - {b} * ({c} - {d}) + {e}", a - b * (c - d) + e),
        (f"({a} + {b}) * {f} - {c} * {d}", (a + b) * f - c * d),
        (f"{f} * ({a} - ({b} - {c}) * {f}) + {d} - {e}", f * (a - (b - c) * f) + d - e),
        (f"{a} * {b} - {c} * {d} + {e} * {f}", a * b - c * d + e * f),
    )
    text, value = rng.choice(shapes)
    return f"Work out {text}.", value


def _remainder(rng: random.Random, level: int) -> tuple[str, int]:
    a, b = _number(rng, 4 + level), _number(rng, 1 + min(level, 2))
    return f"What is the remainder when {a} is divided by {b}?", a - (a // b) * b


def _long_sum(rng: random.Random, level: int) -> tuple[str, int]:
    numbers = [_number(rng, rng.randint(2, 3 + level)) * rng.choice((1, 1, -1)) for _ in range(4 + 2 * level)]
    text = " ".join(f"{'-' if number < 0 else '+'} {abs(number)}" for number in numbers[1:])
    return f"Work out {numbers[0]} {text}.", sum(numbers)


def _between(rng: random.Random, level: int) -> tuple[str, int]:
    step, low = rng.randint(6, 29), rng.randint(50, 200 * level)
    high = low + rng.randint(40, 150 * level)
    multiples = [number for number in range(low, high + 1) if number % step == 0]
    return f"What is the sum of all multiples of {step} from {low} to {high}, both included?", sum(multiples)


def _power(rng: random.Random, level: int) -> tuple[str, int]:
    base, exponent, modulus = rng.randint(3, 19), rng.randint(4 + 2 * level, 8 + 4 * level), _number(rng, 1 + level)
    return f"What is the remainder when {base} to the power of {exponent} is divided by {modulus}?", pow(
        base, exponent, modulus
    )


_OPERATORS: dict[type[ast.AST], Callable[..., int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.USub: operator.neg,
}


def solve(row: Row) -> str:
    """Reads the question and calculates: expressions from their syntax tree, the rest by its definition."""
    text = text_of(row)
    if found := re.search(r"Work out (.+)\.\n", text):
        return as_json(_evaluate(ast.parse(found[1], mode="eval").body))
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    if "power" in text:
        return as_json(numbers[0] ** numbers[1] % numbers[2])
    if "remainder" in text:
        return as_json(numbers[0] % numbers[1])
    step, low, high = numbers
    first, last = -(-low // step), high // step
    return as_json(step * (last * (last + 1) - first * (first - 1)) // 2)


def _evaluate(node: Any) -> int:
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    if isinstance(node, ast.UnaryOp):
        return _OPERATORS[type(node.op)](_evaluate(node.operand))
    if isinstance(node, ast.BinOp):
        return _OPERATORS[type(node.op)](_evaluate(node.left), _evaluate(node.right))
    raise ValueError(f"not arithmetic: {ast.dump(node)}")


TASKS = (
    Task(
        name="arithmetic_en",
        language="en",
        description="Products, expressions, remainders and long sums of numbers of several digits; right when the number is exact.",
        generate=generate,
        solve=solve,
    ),
)
