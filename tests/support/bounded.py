"""A guard against work that never ends: an expression that backtracks without bound, a loop over a hostile text."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

import pytest


@contextlib.contextmanager
def ends(cpu_seconds: float = 60.0) -> Iterator[None]:
    """Fail if the block takes this much processor time: hundreds of times what it needs, so that it tells work that grows
    without bound from work that does not, on any machine and under any load.
    """
    if not hasattr(signal, "setitimer"):  # Windows
        yield
        return

    def fail(number: int, frame: FrameType | None) -> None:
        pytest.fail(f"no end after {cpu_seconds:g} s of processor time")

    before = signal.signal(signal.SIGVTALRM, fail)
    signal.setitimer(signal.ITIMER_VIRTUAL, cpu_seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
