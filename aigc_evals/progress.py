"""One line that says how a run is getting on: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import Any

from aigc_evals.base import Outcome
from aigc_evals.columns import bar_size
from aigc_evals.record import Recorder
from aigc_evals.record.scores import MATCH
from aigc_evals.sampling import Sampler

_TERMINAL_SECONDS = 0.2
_PLAIN_SECONDS = 30.0


class Progress:
    """Shows done / planned, score so far, rate, calls in flight, retries, tokens and time left on stderr."""

    def __init__(self, recorder: Recorder, sampler: Sampler, *, shown: bool) -> None:
        self._recorder = recorder
        self._sampler = sampler
        self._shown = shown and sys.stderr is not None
        self._bar: Any = None
        self._began = time.monotonic()
        self._before = self._done
        self._told = self._began
        terminal = self._shown and sys.stderr.isatty()
        self.interval = _TERMINAL_SECONDS if terminal else 1.0
        if terminal:
            from tqdm import tqdm

            self._bar = tqdm(total=recorder.planned, initial=self._before, unit="sample", **bar_size())

    @property
    def _done(self) -> int:
        return self._recorder.scores.outcomes.total()

    def show(self) -> None:
        """Bring the line up to date; a terminal that has gone away is no reason to stop a run."""
        if not self._shown:
            return
        try:
            if self._bar is not None:
                self._bar.set_postfix_str(self._facts(), refresh=False)
                self._bar.n = self._done
                self._bar.refresh()
            elif time.monotonic() - self._told >= _PLAIN_SECONDS:
                self._told = time.monotonic()
                self._tell()
        except OSError:
            self._shown = False

    def close(self) -> None:
        if self._bar is not None:
            self.show()
            with contextlib.suppress(OSError):
                self._bar.close()

    def _tell(self) -> None:
        elapsed = self._told - self._began
        rate = (self._done - self._before) / elapsed if elapsed else 0.0
        left = (self._recorder.planned - self._done) / rate if rate else float("inf")
        sys.stderr.write(
            f"{self._done}/{self._recorder.planned} samples, {rate:.1f} a second, "
            f"{'unknown time' if left == float('inf') else _duration(left)} left, {self._facts()}\n"
        )
        sys.stderr.flush()

    def _facts(self) -> str:
        scores = self._recorder.scores
        facts: list[str] = []
        for key, name in ((MATCH, "accuracy"), ("accuracy", "accuracy"), ("score", "score")):
            if key in scores.scored:
                facts.append(f"{name} {scores.scored[key].mean:.3f}")
                break
        facts.append(f"{self._sampler.in_flight} in flight")
        if scores.totals["retries"]:
            facts.append(f"{scores.totals['retries']} retries")
        if scores.usage["total_tokens"]:
            facts.append(f"{scores.usage['total_tokens']:,} tokens")
        bad = self._done - scores.outcomes[Outcome.SCORED.value]
        if bad:
            facts.append(f"{bad} not scored")
        return ", ".join(facts)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
