"""Every core eval of upstream's registry runs with ours, with `dummy` and with a scripted function."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from . import answers, ours, selection

SAMPLES = 5

#: A key of the report that each class must give.
_REPORTED = {"ModelBasedClassify": "counts/"}


class _Result:
    def __init__(self, text: str) -> None:
        self._text = text

    def get_completions(self) -> list[str]:
        return [self._text]


def scripted(prompt: Any, **_: Any) -> _Result:
    """A completion function, named as `module:scripted`, that answers as the scripted server does."""
    body = {"messages": prompt} if isinstance(prompt, list) else {"prompt": str(prompt)}
    return _Result(answers.answer(body))


@pytest.mark.usefixtures("answer_table")
@pytest.mark.parametrize("completion_fn", ["dummy", f"{__name__}:scripted"], ids=["dummy", "scripted"])
def test_every_core_eval_runs(completion_fn: str, upstream_registry: Path, tmp_path: Path) -> None:
    """Each of them gives a report; none is left out without a reason."""
    registry = ours.make_registry([upstream_registry])
    skipped: Counter[str] = Counter()
    failed: dict[str, str] = {}
    ran = 0
    for item in selection.core_evals(upstream_registry):
        reason = selection.why_not_runnable(item, upstream_registry)
        if reason is not None:
            skipped[reason if "Hugging" in reason or "lfs" in reason else f"{item.key}: {reason}"] += 1
            continue
        if item.args.get("multicomp_n") == "from_models":
            functions = ",".join([completion_fn] * 3)
        else:
            functions = completion_fn
        log = tmp_path / "log.jsonl"
        try:
            report = ours.run_quietly(functions, item.key, registry, log, SAMPLES)
        except Exception as error:
            failed[item.key] = f"{type(error).__name__}: {error}"
            continue
        finally:
            log.unlink(missing_ok=True)
        wanted = _REPORTED.get(item.kind, "accuracy")
        values = [value for key, value in report.items() if key.startswith(wanted)]
        if not values or any(value is None or math.isnan(value) for value in values):
            failed[item.key] = f"no usable {wanted} in {report}"
        ran += 1
    print(f"\n{completion_fn}: {ran} evals ran, {sum(skipped.values())} skipped:")
    for reason, count in skipped.most_common():
        print(f"  {count:4d}  {reason}")
    assert not failed, f"{len(failed)} failed: {dict(list(failed.items())[:20])}"
    assert ran > 500
