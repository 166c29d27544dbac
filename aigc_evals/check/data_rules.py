"""Rules about data files: their lines, their rows, and rows that are there twice."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from aigc_evals.check.findings import Problem
from aigc_evals.check.modelgraded_rules import missing_values
from aigc_evals.check.uses import JSON, Use
from aigc_evals.data.lines import BOM, is_blank, parse_line
from aigc_evals.errors import DataError, SampleError, UsageError
from aigc_evals.fastjson import encode

# -- lines: (bytes, number) -> what is wrong ----------------------------------------------------------------------


def byte_order_mark(line: bytes, number: int) -> Problem | None:
    """The file begins with a byte-order mark."""
    if number == 1 and line.startswith(BOM):
        return Problem("the file begins with a byte-order mark, which other readers trip over", number, 1)
    return None


def blank_line(line: bytes, number: int) -> Problem | None:
    """A line is blank, so that row numbers and line numbers differ."""
    if is_blank(line.removeprefix(BOM) if number == 1 else line):
        return Problem("the line is blank", number)
    return None


def not_json(line: bytes, number: int) -> Problem | None:
    """A line is not JSON."""
    error = _unreadable(line, number)
    return None if error is None or _is_foreign(line) else Problem(error.message, number, error.column, error.hint)


def not_utf8(line: bytes, number: int) -> Problem | None:
    """A line is not UTF-8."""
    error = _unreadable(line, number) if _is_foreign(line) else None
    return None if error is None else Problem(error.message, number, error.column, error.hint)


def _unreadable(line: bytes, number: int) -> DataError | None:
    content = line.removeprefix(BOM) if number == 1 else line
    if is_blank(content):
        return None
    try:
        parse_line(content, "", number)
    except DataError as error:
        return error
    return None


def _is_foreign(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return b"\x00" in line[:4]


# -- rows: (eval, row) -> what is wrong ---------------------------------------------------------------------------


def placeholder_value(use: Use, sample: Any) -> str | None:
    """A placeholder of the judge's prompt has no value."""
    missing = missing_values(use, sample)
    return f"the prompt's {', '.join(f'{{{name}}}' for name in missing)} has no value" if missing else None


def sample_form(use: Use, sample: Any) -> str | None:
    """The eval's class refuses the sample."""
    if use.evaluated is None or missing_values(use, sample):
        return None
    try:
        use.evaluated.check_sample(sample)
    except SampleError as error:
        # A gold that is not JSON has a rule of its own.
        return None if use.matcher == JSON and "must be JSON" in str(error) else str(error)
    except Exception as error:
        return f"check_sample fails: {type(error).__name__}: {error}"
    return None


def few_shot_rows(use: Use) -> Iterator[Problem]:
    """There are fewer examples than are to be put before each question."""
    count = use.args.get("num_few_shot")
    if use.examples_path is None or not isinstance(count, int) or count <= 0:
        return
    from aigc_evals.data.samples import JsonlSamples
    from aigc_evals.elsuite.few_shot import FewShotBySubject, shortage

    # What is wrong with the file itself is another rule's business.
    with contextlib.suppress(UsageError), contextlib.closing(JsonlSamples.open(use.examples_path)) as samples:
        by_subject = getattr(use.cls, "few_shot_rows", None) is FewShotBySubject
        told = shortage(list(samples), count, by_subject=by_subject)
        if told is not None:
            yield Problem(told, *use.entry.at("args", "num_few_shot"))


def few_shot_leak(use: Use, sample: Any) -> str | None:
    """A question stands among the examples that may be put before it."""
    if not use.few_shot or not isinstance(sample, dict):
        return None
    asked = sample.get("input")
    if isinstance(asked, list) and asked and isinstance(asked[-1], dict):
        asked = asked[-1].get("content")
    place = use.few_shot.get(asked.strip()) if isinstance(asked, str) else None
    return f"the question is also an example ({place}), so its answer may be given away" if place else None


# -- the whole file -----------------------------------------------------------------------------------------------


@dataclass
class Summary:
    """What is kept of all rows of a file: a hash of each question and gold, and the golds there are."""

    whole_rows: bool
    """Whether two rows are the same only when all of them is (a judge's question has many parts)."""
    seen: dict[int, tuple[int, int]] = field(default_factory=dict)
    same: list[tuple[int, int]] = field(default_factory=list)
    differing: list[tuple[int, int]] = field(default_factory=list)
    golds: dict[str, int] = field(default_factory=dict)
    """Gold -> the line it stands in first; the first thousand of them."""
    together: set[tuple[str, str]] = field(default_factory=set)
    """Pairs of golds that are right for one and the same question."""
    rows: int = 0

    def add(self, line: int, sample: Any, golds: list[str]) -> None:
        self.rows += 1
        if len(self.golds) < 1000:
            for gold in golds:
                self.golds.setdefault(gold, line)
            if 1 < len(golds) <= 10:
                self.together.update((one, other) for one in golds for other in golds)
        whole = self.whole_rows or not isinstance(sample, dict) or "input" not in sample
        question = hash(encode(sample if whole else sample["input"]))
        answer = 0 if whole else hash(encode(sample.get("ideal")))
        first = self.seen.setdefault(question, (line, answer))
        if first[0] != line:
            (self.same if first[1] == answer else self.differing).append((line, first[0]))


def duplicate_sample(summary: Summary) -> Iterator[Problem]:
    """A question is there twice, with the same gold."""
    for line, first in summary.same:
        yield Problem(f"the same sample as in line {first}", line, None, "It counts twice.")


def contradicting_sample(summary: Summary) -> Iterator[Problem]:
    """A question is there twice, with different golds."""
    for line, first in summary.differing:
        yield Problem(f"the question of line {first}, with another ideal", line, None, "One of the two is wrong.")
