"""What a task is, and how its rows become data and an eval of a registry.

A task makes rows from a random generator, and has a second, independent way to find their answers from the text of the
prompt alone. Nothing here samples or scores: what it writes is run like any other eval.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any, TypedDict

from aigc_evals.errors import UsageError
from aigc_evals.files import write_whole

DEFAULT_SEED = 20220722
JSON_MATCH = "aigc_evals.elsuite.basic.json_match:JsonMatch"
MATCH = "aigc_evals.elsuite.basic.match:Match"
MARKED_ANSWER = "aigc_evals.elsuite.marked_answer:MarkedAnswer"
LEVELS = range(1, 4)
"""Difficulties that every task knows: easier, as committed, harder."""


class _Required(TypedDict):
    input: list[dict[str, str]]
    ideal: str | list[str]


class Row(_Required, total=False):
    """One sample as it stands in the JSONL: a chat prompt and what is expected, as ``aigc_evals`` reads them."""

    cluster: str
    metadata: dict[str, Any]
    rules: list[dict[str, Any]]


def never(rows: Sequence[Row]) -> float:
    """The chance where nothing that the random baseline can pick out of a prompt is a right answer."""
    del rows
    return 0.0


@dataclass(frozen=True)
class Task:
    """A kind of question that can be made in any number and decided exactly.

    ``generate(rng, n, difficulty)`` yields ``n`` rows with prompts of their own, and draws from ``rng`` only.
    ``solve(row)`` is the answer found from ``row["input"]`` alone (it must not look at anything else of the row), written
    as the prompt asks for it. ``chance(rows)`` is the accuracy that ``baseline/random`` has on them in expectation.
    ``eval_class`` and ``args`` say how answers are judged; ``samples_jsonl`` is added by ``write``. ``size`` is the number
    of rows that are committed, ``packed`` whether the data file is gzipped.
    """

    name: str
    language: str
    description: str
    generate: Callable[[random.Random, int, int], Iterator[Row]]
    solve: Callable[[Row], str]
    chance: Callable[[Sequence[Row]], float] = never
    eval_class: str = JSON_MATCH
    args: Mapping[str, Any] = field(default_factory=lambda: {"max_tokens": 4096})
    size: int = 200
    difficulty: int = 2
    packed: bool = False

    @property
    def data_path(self) -> str:
        """Where the rows stand below a registry's ``data`` folder."""
        return f"{self.name}/{self.name}.jsonl{'.gz' if self.packed else ''}"


def question(text: str, system: str | None = None) -> list[dict[str, str]]:
    """A chat prompt: a user message, after a system message where there is one."""
    asked = [{"role": "user", "content": text}]
    return asked if system is None else [{"role": "system", "content": system}, *asked]


def text_of(row: Row) -> str:
    """The user's messages of a prompt as one text: what a solver reads."""
    return "\n".join(message["content"] for message in row["input"] if message["role"] == "user")


def pool(text: str) -> tuple[str, ...]:
    """The words of a text, to draw from."""
    return tuple(text.split())


def as_json(value: Any) -> str:
    """A value as an ideal of JsonMatch."""
    return json.dumps(value, ensure_ascii=False)


def distinct(make: Callable[[int], Row], n: int) -> Iterator[Row]:
    """``n`` rows with different prompts from ``make(number)``; a prompt that was there is drawn again.

    Raises UsageError where a thousand draws in a row bring nothing new: the task has no more questions.
    """
    seen: set[str] = set()
    for number in range(n):
        for _ in range(1000):
            row = make(number)
            prompt = json.dumps(row["input"])
            if prompt not in seen:
                break
        else:
            raise UsageError(f"there are only {number} different questions of this kind and difficulty", key="samples")
        seen.add(prompt)
        yield row


def make_rows(
    task: Task, n: int | None = None, *, seed: int = DEFAULT_SEED, difficulty: int | None = None
) -> list[Row]:
    """The rows of a task; the same arguments give the same rows on every machine. UsageError for what cannot be made."""
    count = task.size if n is None else n
    level = task.difficulty if difficulty is None else difficulty
    if count < 1:
        raise UsageError(f"must be at least 1, got {count}", key="samples")
    if level not in LEVELS:
        raise UsageError(f"must be one of {', '.join(map(str, LEVELS))}, got {level}", key="difficulty")
    rng = random.Random(f"{task.name}:{seed}:{level}")
    return list(islice(task.generate(rng, count, level), count))


def write(
    task: Task, folder: str | Path, *, n: int | None = None, seed: int = DEFAULT_SEED, difficulty: int | None = None
) -> list[Path]:
    """Write a task as ``data/<name>/<name>.jsonl`` and ``evals/<name>.yaml`` of the registry ``folder``; returns both.

    The same arguments give the same bytes (of a packed file: the same bytes once it is unpacked; how small they are
    packed is up to the machine's zlib). Files that are there are replaced. UsageError where they cannot be written.
    """
    rows = make_rows(task, n, seed=seed, difficulty=difficulty)
    content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    root = Path(folder)
    data, spec = root / "data" / task.data_path, root / "evals" / f"{task.name}.yaml"
    level = task.difficulty if difficulty is None else difficulty
    write_whole(data, [_packed(content) if task.packed else content], key="out")
    write_whole(spec, [_yaml(task, len(rows), seed, level).encode()], key="out")
    return [data, spec]


def _packed(content: bytes) -> bytes:
    held = BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=held, compresslevel=9, mtime=0) as packed:
        packed.write(content)
    return held.getvalue()


def _yaml(task: Task, n: int, seed: int, difficulty: int) -> str:
    # JSON scalars are YAML scalars, and their quoting is the same everywhere.
    full = f"{task.name}.test.v0"
    args = {"samples_jsonl": task.data_path, **task.args}
    lines = [
        f"# Made by: aigc_evals generate {task.name} --samples {n} --seed {seed} --difficulty {difficulty}",
        "",
        f"{task.name}:",
        f"  id: {full}",
        f"  description: {as_json(task.description)}",
        "  metrics: [accuracy]",
        f"{full}:",
        f"  class: {task.eval_class}",
        "  args:",
        *(f"    {key}: {as_json(value)}" for key, value in args.items()),
    ]
    return "\n".join(lines) + "\n"
