"""Short passages in Chinese and statements about them: right, wrong, or not said. All written by hand."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

from aigc_evals.errors import UsageError
from aigc_evals.tasks.task import MATCH, Row, Task, text_of
from aigc_evals.tasks.zh_common import choice, data_lines, found

VERDICTS = {"对": "与短文相符", "错": "与短文不符", "无": "短文没有提到"}


def passages() -> list[tuple[str, list[tuple[str, str]]]]:
    """Each passage with its statements, each with its verdict: 对, 错 or 无."""
    out: list[tuple[str, list[tuple[str, str]]]] = []
    for line in data_lines("reading.txt"):
        if line.startswith("#"):
            out.append((line[1:], []))
        else:
            verdict, statement = line.split("|")
            out[-1][1].append((statement, verdict))
    return out


def generate(rng: random.Random, n: int, difficulty: int) -> Iterator[Row]:
    """``n`` rows, the statements of a passage one after another, a passage being a cluster.

    At difficulty 1 nothing is asked that the passage does not say. Raises UsageError when there are not that many rows.
    """
    rows = []
    texts = passages()
    for number, (passage, statements) in enumerate(rng.sample(texts, len(texts)), 1):
        for statement, verdict in rng.sample(statements, len(statements)):
            if difficulty > 1 or verdict != "无":
                text = f"{passage}\n\n“{statement}”这句话和短文是什么关系？"
                row = choice(text, list(VERDICTS.values()), VERDICTS[verdict])
                rows.append(Row(input=row["input"], ideal=row["ideal"], cluster=f"reading-zh-{number:03d}"))
    if n > len(rows):
        raise UsageError(f"there are {len(rows)} statements, fewer than {n}", key="samples")
    yield from rows[:n]


def solve(row: Row) -> str:
    """The letter of the verdict that the statement has among the passages."""
    passage, asks = text_of(row).split("\n\n")
    statement = found("^“(.+)”这句话", asks)[1]
    verdict = dict(dict(passages())[passage])[statement]
    (letter,) = (
        letter for letter, option in re.findall(r"^([A-D])\. (.+)$", asks, re.M) if option == VERDICTS[verdict]
    )
    return str(letter)


def one_of_three(rows: Sequence[Row]) -> float:
    """The chance of picking the right letter of three."""
    del rows
    return 1 / 3


TASKS = (
    Task(
        "reading_zh",
        "zh",
        "四十二篇短文，每篇四句话，判断与短文相符、不符还是没有提到；回答以正确选项的字母开头为正确。",
        generate,
        solve,
        one_of_three,
        eval_class=MATCH,
        args={},
        size=168,
    ),
)
