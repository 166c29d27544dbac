"""The same evals through upstream and through ours, against the same scripted endpoint: the same results.

Compared for each case: the keys and values of the final report, and for each sample the match, metrics
and sampling events and the parameters of its requests. A judge's prompt is compared without the answer
instruction.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from . import answers, local_registry, ours
from .conftest import SAMPLES
from .oaieval_runner import run_upstream
from .results import RunResult, differences
from .selection import UPSTREAM_CASES, Case

CASES = [*UPSTREAM_CASES, *local_registry.LOCAL_CASES]

#: Parameters of a request that decide what a model answers; absent and null are the same.
PARAMETERS = (
    "temperature",
    "max_tokens",
    "max_completion_tokens",
    "top_p",
    "frequency_penalty",
    "presence_penalty",
    "n",
    "stop",
    "seed",
)

#: Fields that upstream reports as 0 when a newer OpenAI client adds them to the usage.
_EMPTY_USAGE = {"usage_completion_tokens_details", "usage_prompt_tokens_details"}

Requests = dict[tuple[str, str], set[tuple[tuple[str, Any], ...]]]


def requests_by_prompt(records: Iterable[dict[str, Any]], table: dict[str, Any]) -> Requests:
    """For each model and prompt the sets of parameters it was asked with."""
    found: Requests = {}
    for record in records:
        body = record["body"]
        if not isinstance(body, dict) or "model" not in body:
            continue
        text = answers.own_words_removed(answers.prompt_text(body), table)
        parameters = tuple((name, repr(body[name])) for name in PARAMETERS if body.get(name) is not None)
        found.setdefault((body["model"], text), set()).add(parameters)
    return found


@pytest.fixture(scope="session")
def by_upstream(
    upstream_python: Path,
    answer_table: dict[str, Any],
    local_root: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[dict[Case, RunResult], Requests]:
    """Every case run by upstream, and what it asked."""
    assert upstream_python
    assert all(case.max_samples == SAMPLES for case in CASES)
    with ours.serve(Path(answers.__file__)) as server:
        results = run_upstream(
            CASES,
            base_url=server.base_url,
            work=tmp_path_factory.mktemp("upstream"),
            table=answer_table,
            registry_path=[local_root / "registry"],
            datasets=local_registry.datasets_path(local_root),
        )
        return results, requests_by_prompt(server.requests(), answer_table)


def test_upstream_runs_them_all(by_upstream: tuple[dict[Case, RunResult], Requests]) -> None:
    """The comparison is not empty: upstream itself succeeds on every case."""
    results, _ = by_upstream
    failed = {case.name: result.error for case, result in results.items() if result.error}
    assert not failed
    print(f"upstream ran {len(results)} cases in {sum(r.seconds for r in results.values()):.1f} s")


@pytest.mark.usefixtures("stand_ins")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_same_results(
    case: Case,
    by_upstream: tuple[dict[Case, RunResult], Requests],
    scripted_server: Any,
    answer_table: dict[str, Any],
    upstream_registry: Path,
    local_root: Path,
    tmp_path: Path,
) -> None:
    """Report, events and requests of one case agree."""
    results, asked_by_upstream = by_upstream
    scripted_server.reset()
    found = ours.run_ours(
        case,
        base_url=scripted_server.base_url,
        log=tmp_path / "log.jsonl",
        table=answer_table,
        registry_path=[upstream_registry, local_root / "registry"],
        datasets=local_registry.datasets_path(local_root),
    )
    if case.own_samples:
        assert results[case].report.keys() - _EMPTY_USAGE <= found.report.keys()
        return
    wrong = differences(results[case], found)
    for (model, text), parameters in requests_by_prompt(scripted_server.requests(), answer_table).items():
        expected = asked_by_upstream.get((model, text))
        if expected is None:
            wrong.append(f"request: upstream never asks {model} {text[-300:]!r}")
        elif not parameters <= expected:
            wrong.append(f"request: {model} with {sorted(parameters - expected)}, upstream {sorted(expected)}")
    assert not wrong, f"{case.why}; problems of ours: {found.error}\n" + "\n".join(wrong[:12])
