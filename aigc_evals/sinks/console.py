"""Prints events as they are committed: what a dry run shows."""

from __future__ import annotations

import contextlib
import os
import sys

from aigc_evals.base import Event
from aigc_evals.fastjson import encode
from aigc_evals.redact import Redactor

_GREEN, _RED, _PLAIN = "\033[1;32m", "\033[1;31m", "\033[0m"


class EventPrinter:
    """Writes each event to stderr; match and metrics events green when good by ``primary_metric``, red when not."""

    def __init__(self, primary_metric: str = "accuracy", redactor: Redactor | None = None) -> None:
        self._metric = primary_metric
        self._redactor = redactor
        self._coloured = sys.stderr is not None and sys.stderr.isatty() and "NO_COLOR" not in os.environ

    def __call__(self, events: list[Event]) -> None:
        if sys.stderr is None:
            return
        for event in events:
            raw = encode(event)
            line = (raw if self._redactor is None else self._redactor.line(raw)).decode("utf-8", "replace")
            # A terminal that has gone away is no reason to stop a run.
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.write(f"not recorded: {self._paint(line, self.verdict(event))}\n")

    def verdict(self, event: Event) -> bool | None:
        """Whether the event is a good one; None where it does not say."""
        if event.type == "match" and self._metric != "f1_score":
            return bool(event.data.get("correct"))
        if event.type == "metrics" and isinstance(event.data.get(self._metric), (int, float)):
            return bool(event.data[self._metric] > 0.5)
        return None

    def _paint(self, line: str, good: bool | None) -> str:
        if good is None or not self._coloured:
            return line
        return f"{_GREEN if good else _RED}{line}{_PLAIN}"
