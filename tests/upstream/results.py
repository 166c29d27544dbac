"""What a run gives, in one form for both sides, and how two runs are compared."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import answers

#: Keys of the report that are estimated with random numbers.
_STANDARD_DEVIATIONS = {"boostrap_std", "bootstrap_std"}
_COMPARED_TYPES = ("match", "metrics", "sampling")


@dataclasses.dataclass(frozen=True)
class RunResult:
    """Report and events of one run; `error` instead where the run failed."""

    report: dict[str, Any]
    per_sample: dict[str, list[dict[str, Any]]]
    """For each sample id its events `{"type": ..., "data": ...}`, sorted."""
    error: str | None = None
    seconds: float = 0.0


def read_log(path: Path, table: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The match, metrics and sampling events of a log, grouped by sample and put into one order.

    Of a sampling event only prompt and completions are kept. A judge's prompt is kept without the answer
    instruction (the wording is each runner's own) and with runs of equal braces as one.
    """
    samples: dict[str, list[dict[str, Any]]] = {}
    for line in path.read_text(encoding="utf-8").split("\n"):
        event = json.loads(line) if line else {}
        if event.get("type") not in _COMPARED_TYPES:
            continue
        data = event["data"]
        if event["type"] == "sampling":
            data = {"prompt": _prompt(data["prompt"], table), "sampled": data["sampled"]}
        samples.setdefault(event["sample_id"], []).append({"type": event["type"], "data": _plain(data)})
    for events in samples.values():
        events.sort(key=lambda event: json.dumps(event, sort_keys=True, ensure_ascii=False))
    return samples


def _plain(value: Any) -> Any:
    """A value in which 1 and 1.0 are the same and floats are cut to twelve digits."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and math.isfinite(value):
        return int(value) if value.is_integer() else float(f"{value:.12g}")
    return value


def _prompt(prompt: Any, table: Mapping[str, Any]) -> str:
    body = {"messages": prompt} if isinstance(prompt, list) else {"prompt": prompt}
    return answers.own_words_removed(answers.prompt_text(body), dict(table))


def differences(upstream: RunResult, ours: RunResult) -> list[str]:
    """What differs, in words; empty when the runs agree.

    Ours may have further keys in the report. `boostrap_std` is drawn at random on both sides: it may
    differ by 15 % or by five standard errors, whichever is more.
    """
    found = []
    for key, expected in upstream.report.items():
        if key.startswith("usage_") and not expected:
            continue  # newer OpenAI clients report empty detail fields, which upstream sums to 0
        if key not in ours.report:
            found.append(f"report: {key} = {expected!r} is missing")
        elif not _same(key, expected, ours.report[key]):
            found.append(f"report: {key} is {ours.report[key]!r}, upstream {expected!r}")
    for sample_id in sorted(upstream.per_sample.keys() | ours.per_sample.keys()):
        expected_events = upstream.per_sample.get(sample_id, [])
        events = ours.per_sample.get(sample_id, [])
        if not any(event["type"] == "sampling" for event in expected_events):
            # Upstream leaves sampling events to the completion function; ours records them for every one.
            events = [event for event in events if event["type"] != "sampling"]
        if _canonical(events) != _canonical(expected_events):
            found.append(f"{sample_id}: {_first_difference(expected_events, events)}")
    return found


def _first_difference(expected: list[dict[str, Any]], found: list[dict[str, Any]]) -> str:
    left = {_canonical([event]) for event in expected}
    right = {_canonical([event]) for event in found}
    only_upstream = sorted(left - right)[:1]
    only_ours = sorted(right - left)[:1]
    return f"{len(expected)} and {len(found)} events\n  upstream {only_upstream}\n  ours     {only_ours}"


def _canonical(events: list[dict[str, Any]]) -> str:
    return json.dumps(events, sort_keys=True, ensure_ascii=False)


def _same(key: str, expected: Any, found: Any) -> bool:
    if isinstance(expected, float) and math.isnan(expected):
        return found is None or (isinstance(found, float) and math.isnan(found))
    if not isinstance(expected, (int, float)) or not isinstance(found, (int, float)):
        return bool(expected == found)
    if key in _STANDARD_DEVIATIONS:
        standard_error = expected / math.sqrt(2 * 1000)  # of a standard deviation estimated from 1000 draws
        return abs(expected - found) <= max(0.15 * expected, 5 * math.sqrt(2) * standard_error)
    return math.isclose(expected, found, rel_tol=1e-9, abs_tol=1e-12)
