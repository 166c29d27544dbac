"""When a run goes no further, with many calls in flight: failures of single samples are told from those of an endpoint."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import aigc_evals
from aigc_evals.errors import EndpointError

SAMPLES = 2000
EVAL = "rows.test.v0:\n  class: aigc_evals.elsuite.basic.match:Match\n  args: {{samples_jsonl: {}}}\n"


def code() -> None:
    raise ValueError("Could not parse LLM output")


def bad_request() -> None:
    raise EndpointError("this prompt is too long", kind="bad_request", status=400)


def wrong_type() -> None:
    """Nothing is returned."""


FAILURES = [code, bad_request, wrong_type]
Failure = Callable[[], None]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("registry")
    (folder / "evals").mkdir()
    lines = [json.dumps({"input": f"q {number}", "ideal": "x"}) + "\n" for number in range(SAMPLES)]
    (folder / "rows.jsonl").write_text("".join(lines), encoding="utf-8")
    (folder / "evals" / "rows.yaml").write_text(EVAL.format(json.dumps(str(folder / "rows.jsonl"))), encoding="utf-8")
    return folder


def outcomes(fn: Any, rows: Path, concurrency: int) -> tuple[dict[str, int], list[str]]:
    """How many samples ended how, and the problems of the run."""
    result = aigc_evals.run(
        fn, "rows.test.v0", registry_path=[rows], concurrency=concurrency, dry_run=True, dry_run_logging=False
    )
    return {name: count for name, count in result.report["outcomes"].items() if count}, result.problems


def is_bad(prompt: Any, percent: int = 85) -> bool:
    return int(hashlib.sha256(str(prompt).encode()).hexdigest(), 16) % 100 < percent


@pytest.mark.parametrize("concurrency", [1, 64, 500])
@pytest.mark.parametrize("failure", FAILURES)
def test_a_run_goes_on_to_its_end_though_most_samples_fail(failure: Failure, concurrency: int, rows: Path) -> None:
    bad: list[Any] = []

    async def fn(prompt: Any, **_: Any) -> Any:
        await asyncio.sleep(0)
        if is_bad(prompt):
            bad.append(prompt)
            return failure()
        return "x"

    ended, problems = outcomes(fn, rows, concurrency)
    assert ended == {"scored": SAMPLES - len(bad), "error": len(bad)}
    assert len(bad) > 0.8 * SAMPLES
    assert not any("in a row" in problem for problem in problems)


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("quick_answers", [0, 1])
def test_failures_that_are_quicker_than_answers_do_not_end_a_run(
    quick_answers: int, failure: Failure, rows: Path
) -> None:
    """Answers come when they are all that is in flight, but for the first: by then many calls have failed."""
    row = [0]
    begun = 0
    waiting: list[asyncio.Event] = []

    async def fn(prompt: Any, **_: Any) -> Any:
        nonlocal begun
        begun += 1
        answer = None if is_bad(prompt) else asyncio.Event()
        if answer is not None:
            waiting.append(answer)
        if len(waiting) == 64 or begun == SAMPLES:
            for event in waiting:
                event.set()
            waiting.clear()
        if answer is None:
            row[-1] += 1
            return failure()
        if len(row) > quick_answers:
            await answer.wait()
        else:
            waiting.remove(answer)
        row.append(0)
        return "x"

    ended, _ = outcomes(fn, rows, 64)
    assert ended == {"scored": len(row) - 1, "error": sum(row)}
    assert sum(row) + len(row) - 1 == SAMPLES
    assert row[quick_answers] > 100


@pytest.mark.parametrize("concurrency", [1, 64, 500])
@pytest.mark.parametrize("failure", FAILURES)
def test_calls_that_fail_together_are_one_event(failure: Failure, concurrency: int, rows: Path) -> None:
    """After 500 answers all that are in flight fail at once."""
    begun = 0
    together = asyncio.Event()

    async def fn(prompt: Any, **_: Any) -> Any:
        nonlocal begun
        begun += 1
        if 500 < begun <= 500 + concurrency:
            if begun == 500 + concurrency:
                together.set()
            await together.wait()
            return failure()
        await asyncio.sleep(0)
        return "x"

    assert outcomes(fn, rows, concurrency)[0] == {"scored": SAMPLES - concurrency, "error": concurrency}


@pytest.mark.parametrize("concurrency", [1, 64, 500])
@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize(("answers", "most"), [(0, 20), (1, 100)])
def test_what_always_fails_ends_a_run(answers: int, most: int, failure: Failure, concurrency: int, rows: Path) -> None:
    begun = 0

    async def fn(prompt: Any, **_: Any) -> Any:
        nonlocal begun
        begun += 1
        if begun <= answers:
            return "x"
        await asyncio.sleep(0)
        return failure()

    ended, problems = outcomes(fn, rows, concurrency)
    assert ended["error"] + ended["skipped"] + answers == SAMPLES
    # Those in flight when it is known, and those that take their places before it is counted.
    assert most <= ended["error"] <= most + 2 * (concurrency - 1)
    assert any("times in a row" in problem for problem in problems)


def test_what_fails_for_different_reasons_ends_a_run_too(rows: Path) -> None:
    begun = 0

    async def fn(prompt: Any, **_: Any) -> str:
        nonlocal begun
        begun += 1
        raise ValueError("甲乙丙"[begun % 3])

    ended, problems = outcomes(fn, rows, 64)
    assert 100 <= ended["error"] < 228
    assert any("failures in a row, the last one: ValueError: " in problem for problem in problems)


@pytest.mark.parametrize("concurrency", [1, 64])
def test_refusals_of_a_filter_are_answers_however_many(concurrency: int, rows: Path) -> None:
    async def fn(prompt: Any, **_: Any) -> str:
        raise EndpointError("HTTP 400: no", kind="bad_request", status=400, code="data_inspection_failed")

    assert outcomes(fn, rows, concurrency)[0] == {"refused": SAMPLES}
