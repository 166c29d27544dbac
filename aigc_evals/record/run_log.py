"""The log of one run, as its recorder holds it: begun, or taken up where it was left; appended to; ended."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aigc_evals.base import Event, RunSpec
from aigc_evals.fastjson import decode
from aigc_evals.files import is_there
from aigc_evals.log import LogFile, is_torn_spec
from aigc_evals.log.resume import continue_log
from aigc_evals.sinks.ledger import first_free_id


class RunLog:
    """An open log. ``encode`` makes a line of a spec or a report, as it makes one of an event.

    ``previous_report`` is the report that an earlier part of this run ended with ({} where it did not end), ``first_id``
    the id of the next event.
    """

    def __init__(self, file: LogFile, encode: Callable[[Any], bytes], *, made: bool) -> None:
        self.path = file.path
        self.previous_report: dict[str, Any] = {}
        self.first_id = 0
        self.is_open = True
        self._file = file
        self._encode = encode
        self._made = made
        self._begun = False
        self._report_at: int | None = None

    @classmethod
    def open(
        cls,
        path: Path,
        run_spec: RunSpec,
        encode: Callable[[Any], bytes],
        take_in: Callable[[list[Event]], None],
        retry_outcomes: Sequence[str] = (),
    ) -> RunLog:
        """Begin the log of ``run_spec``, or take it up, without the samples that ended in one of ``retry_outcomes``.

        ``take_in`` gets the events of each finished sample that is in it, ``run_spec`` the id and the time of the run.
        UsageError for a file that cannot be written, is no log, or another run's; it stays as it was.
        """
        made = not is_there(path, key="record_path")
        log = cls(LogFile.open(path), encode, made=made)
        try:
            if log._file.size and is_torn_spec(path):
                log._file.truncate(0)
            if log._file.size:
                log._take_up(run_spec, take_in, retry_outcomes)
            else:
                log._begun = True
                log._file.append(encode({"spec": asdict(run_spec)}))
        except BaseException:
            log.discard()
            raise
        return log

    def _take_up(
        self, run_spec: RunSpec, take_in: Callable[[list[Event]], None], retry_outcomes: Sequence[str]
    ) -> None:
        spec = decode(self._encode(asdict(run_spec)))
        self._file, state = continue_log(self._file, spec, retry_outcomes, take_in)
        self.previous_report = state.report or {}
        if self.previous_report and not self.previous_report.get("partial"):
            # The report goes only when there is something to add to its run.
            self._report_at = state.end
        else:
            self._file.truncate(state.end)
        run_spec.run_id = state.spec.get("run_id", run_spec.run_id)
        run_spec.created_at = state.spec.get("created_at", run_spec.created_at)
        # An id that a receiver knows belongs to the event it came with, even if that is no longer in the log.
        self.first_id = max(state.events, first_free_id(self.path, str(run_spec.run_id)))

    @property
    def complete(self) -> bool:
        """Whether it held the whole run, the report included, and nothing has been added."""
        return self._report_at is not None

    def append(self, lines: bytes) -> None:
        """Append whole lines, in place of the report that may stand there; RunError where they cannot be written."""
        if self._report_at is not None:
            self._file.truncate(self._report_at)
            self._report_at = None
        self._file.append(lines)

    def sync(self) -> None:
        """Bring the log to the disk itself."""
        if self.is_open:
            self._file.sync()

    def end(self, final_report: Any, run_id: str | None) -> None:
        """Write the report as the last line, unless the run was whole before, and close."""
        if not self.complete:
            self._file.append(self._encode({"final_report": final_report, "run_id": run_id}))
            self._file.sync()
        self.close()

    def discard(self) -> None:
        """Close; of a log that was begun here nothing stays."""
        if self._begun and self.is_open:
            with contextlib.suppress(OSError):
                self._file.truncate(0)
                if self._made:
                    self.path.unlink()
        self.close()

    def close(self) -> None:
        self.is_open = False
        self._file.close()
