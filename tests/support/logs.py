"""Reading logs in tests, without the package's own reader."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

PASSING = ("seconds", "requests", "retries")
"""Keys of a report that a resume may change."""


def lines(path: Path) -> list[dict[str, Any]]:
    """Every line of a finished log; fails at one that is no JSON."""
    content = path.read_bytes()
    assert content.endswith(b"\n")
    return [json.loads(line) for line in content.splitlines()]


def events(path: Path, type: str | None = None) -> list[dict[str, Any]]:
    found = [line for line in lines(path) if "event_id" in line]
    return [event for event in found if type is None or event["type"] == type]


def final_report(path: Path) -> dict[str, Any] | None:
    report: dict[str, Any] | None = lines(path)[-1].get("final_report")
    return report


def outcomes(path: Path) -> dict[str, str]:
    """Sample id -> outcome; fails where a sample stands twice."""
    closings = events(path, "sample")
    ids = Counter(event["sample_id"] for event in closings)
    assert max(ids.values(), default=0) <= 1, ids.most_common(3)
    return {event["sample_id"]: event["data"]["outcome"] for event in closings}


def finished_samples(path: Path) -> int:
    """How many samples a log holds, also while it is being written."""
    return path.read_bytes().count(b'"type":"sample"') if path.exists() else 0


def wait_for_samples(path: Path, count: int, seconds: float = 30.0) -> None:
    """Wait until a log holds ``count`` samples."""
    until = time.monotonic() + seconds
    while finished_samples(path) < count:
        assert time.monotonic() < until, f"{path} did not come to {count} samples"
        time.sleep(0.005)


def lasting(report: dict[str, Any]) -> dict[str, Any]:
    """The part of a report that no interruption may change."""
    return {key: value for key, value in report.items() if key not in PASSING}


def check_ledger(report: dict[str, Any]) -> None:
    """Planned is the sum of the outcomes, and every metric's n is at most what was scored."""
    assert report["planned"] == sum(report["outcomes"].values())
    for metric in report["metrics"].values():
        assert metric["n"] <= report["outcomes"]["scored"]
