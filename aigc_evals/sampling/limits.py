"""What holds for one endpoint, whoever calls it: how many calls at once, and when to give up on it."""

from __future__ import annotations

import asyncio
import heapq
import math
import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aigc_evals.errors import EndpointError

_START = 32
_GROWTH = 2.0
_WORTH_IT = 1.10
_SHRINK = 0.7
_THROTTLED_SHARE = 0.15
_FEWEST_THROTTLED = 4
_BUSY = 0.85
_MEMORY = 0.75
_HARMLESS_SHARE = 0.05
_HOLD_WINDOWS = 8

OF_ONE_SAMPLE = ("bad_request", "code")
"""Kinds of failures that may speak of one sample."""

_NOTHING: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0)
"""Calls done and throttled, seconds of those answered, seconds passed: since the last change, older windows fading."""

Place = tuple[int, float]
"""A call's place at an endpoint: the window it began in, and when."""


def endpoint_key(fn: Any) -> str | int:
    """What tells the endpoint of a function from others: its ``endpoint`` attribute where that is a name, else itself."""
    named = getattr(fn, "endpoint", None)
    return named if isinstance(named, str) and named else id(fn)


class Limiter:
    """How many calls may be in flight at an endpoint.

    With ``fixed`` that number; else it adapts. The limit starts at 32 and is doubled for as long as a doubling brings
    at least a tenth more answers a second; when it does not, the step is taken back and tried again later. When more
    than 15 % of a window's calls are throttled or time out, the limit shrinks to 70 %, but never below the number of
    calls that were being answered at a time: an endpoint that throttles for reasons of its own (so many requests a
    minute, a bad day) does so at any limit. From 5 % on it only stops growing, because a limit that is a little too high
    costs a repeat now and then, one that is too low costs all the time.
    A window is as many calls as the limit (at least 16) that began after the last change.
    """

    def __init__(self, fixed: int | None, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = min(fixed or _START, most)
        self.in_flight = 0
        self.sleeping = 0
        self.on_room: Callable[[], None] | None = None
        self._adaptive = fixed is None
        self._most = most
        self._clock = clock
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._before = 0
        self._rate_before = 0.0
        self._hold = 0
        self._epoch = 0
        self._seen = _NOTHING
        self._restart()

    @property
    def wanted(self) -> int:
        """How many samples should be under way so that this endpoint never waits for work."""
        return self.limit + self.sleeping

    async def acquire(self) -> Place:
        """Wait for a place; returns the token to give back with ``release``."""
        while self._waiters and self._waiters[0].done():
            self._waiters.popleft()
        if self.in_flight < self.limit and not self._waiters:
            self.in_flight += 1
            if self.in_flight == self.limit:
                self._saturated = True
            return self._epoch, self._clock()
        self._saturated = True
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                # The place had been handed over already; the next one gets it.
                self.in_flight -= 1
                self._wake()
            raise
        return self._epoch, self._clock()

    def release(self, token: Place, *, throttled: bool = False) -> None:
        """Give the place back; ``throttled`` says that the endpoint was not able to serve the call."""
        self.in_flight -= 1
        epoch, began = token
        if not throttled:
            # What an endpoint gets done includes calls from before the change; without them a window lacks its first wave.
            self._answered += 1
            self._served += self._clock() - began
        if self._adaptive and epoch == self._epoch:
            self._done += 1
            self._throttled += throttled
            if self._done >= max(self.limit, 16):
                self._adapt()
        if self.in_flight < self.limit:
            self._wake()

    def _wake(self) -> None:
        """Hand free places over, first come, first served: nobody who comes later can take them."""
        while self._waiters and self.in_flight < self.limit:
            waiter = self._waiters.popleft()
            if not waiter.done():
                self.in_flight += 1
                waiter.set_result(None)

    def _adapt(self) -> None:
        elapsed = max(self._clock() - self._since, 1e-6)
        rate = self._answered / elapsed
        share = self._throttled / self._done
        seen = self._seen = tuple(
            _MEMORY * old + new
            for old, new in zip(self._seen, (self._done, self._throttled, self._served, elapsed), strict=True)
        )
        if seen[1] >= max(_FEWEST_THROTTLED, _THROTTLED_SHARE * seen[0]):
            # Little's law: calls answered a second, times the seconds of each, is how many were being answered at a time.
            served = seen[2] / seen[3]
            if served > _BUSY * self.limit:
                self._restart()
                return
            self._change(max(1, int(self.limit * _SHRINK), math.ceil(served)))
            self._hold = _HOLD_WINDOWS
            self._before, self._rate_before = 0, 0.0
        elif share >= _HARMLESS_SHARE or not self._saturated:
            self._restart()
        elif self._before and rate < self._rate_before * _WORTH_IT:
            self._change(self._before)
            self._before, self._rate_before, self._hold = 0, 0.0, _HOLD_WINDOWS
        elif self._hold > 0:
            self._hold -= 1
            self._restart()
        elif self.limit < self._most:
            self._before, self._rate_before = self.limit, rate
            self._change(min(self._most, int(self.limit * _GROWTH)))
        else:
            self._restart()

    def _change(self, limit: int) -> None:
        grown = limit > self.limit
        self.limit = limit
        self._seen = _NOTHING
        self._restart()
        if grown:
            self._wake()
            if self.on_room is not None:
                self.on_room()

    def _restart(self) -> None:
        self._epoch += 1
        self._done = 0
        self._answered = 0
        self._served = 0.0
        self._throttled = 0
        self._saturated = False
        self._since = self._clock()


@dataclass
class Endpoint:
    """The state shared by all calls of one endpoint in one run.

    ``succeeded`` tells a wrong key from a key that was withdrawn; ``failures`` counts final failures in a row, ``repeats``
    those of them that are the same failure, whose words are ``told``.

    A failure that may be of one sample is counted in the order in which calls began, once all that began before it have
    ended: such failures are often quicker than answers, and would come before all of them. After an answer it is counted
    only if its call began after the first failure of the row was known, since calls that are in flight together may well
    fail together.
    """

    name: str
    limiter: Limiter
    succeeded: bool = False
    repeats: int = 0
    failures: int = 0
    told: str = ""
    _last: str = ""
    _begun: int = 0
    _open: dict[int, None] = field(default_factory=dict)
    _uncounted: list[tuple[int, str, str]] = field(default_factory=list)
    _known_since: int | None = None

    def begin(self) -> int:
        """Take note of a call that begins; returns its number."""
        self._begun += 1
        self._open[self._begun] = None
        return self._begun

    def ended(self, call: int) -> None:
        """Take note that a call has ended, in whichever way."""
        self._open.pop(call, None)

    def good(self, call: int) -> None:
        """Take note of an answer: it ends a row."""
        self.ended(call)
        self.succeeded = True
        self.repeats = 0
        self.failures = 0
        self._known_since = None
        while self._uncounted and self._uncounted[0][0] < call:
            heapq.heappop(self._uncounted)

    def failed(self, error: EndpointError, call: int) -> None:
        """Take note of a final failure."""
        self.ended(call)
        # Numbers and ids (of the request, the time) make the same failure look new each time.
        text = re.sub(r"[\w.-]*\d[\w.-]*", "#", str(error)[:200])
        fingerprint = f"{error.kind} {error.status} {error.code} {text}"
        first = self._known_since is None
        if self._known_since is None:
            self._known_since = self._begun
        if error.kind not in OF_ONE_SAMPLE:
            self._count(fingerprint, str(error))
            return
        if first or not self.succeeded or call > self._known_since:
            heapq.heappush(self._uncounted, (call, fingerprint, str(error)))
        oldest = next(iter(self._open), math.inf)
        while self._uncounted and self._uncounted[0][0] < oldest:
            self._count(*heapq.heappop(self._uncounted)[1:])

    def _count(self, fingerprint: str, told: str) -> None:
        self.repeats = self.repeats + 1 if fingerprint == self._last else 1
        self.failures += 1
        self._last, self.told = fingerprint, told
