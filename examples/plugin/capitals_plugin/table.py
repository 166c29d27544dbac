"""A recorder that writes how each sample ended into a CSV file.

exec_aigc_evals atlas plugin-capitals --recorder table=outcomes.csv
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from aigc_evals.base import RunSpec
from aigc_evals.log import read_events
from aigc_evals.sinks import Delivery


class TableSink:
    """Reads the log when the run is over: a sink may do its work whenever it likes, the log holds everything."""

    def __init__(self, path: str = "outcomes.csv") -> None:
        self._path = Path(path)
        self._log: Path | None = None

    def open(self, log_path: Path, run_spec: RunSpec) -> None:
        self._log = log_path

    def notify(self, events: int) -> None:
        """The log has grown; nothing is to be done yet."""

    def close(self, report: Any) -> Delivery:
        assert self._log is not None
        rows = [(event.sample_id, event.data["outcome"]) for event in read_events(self._log, "sample")]
        with self._path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("sample_id", "outcome"), *rows])
        return Delivery("table", len(rows), 0, over_threshold=False)

    def abort(self) -> None:
        """The run will be continued; there is nothing to undo."""
