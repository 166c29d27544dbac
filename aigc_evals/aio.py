"""Event loops: where plain code meets asynchronous code."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Awaitable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_PATIENCE = 1.0


def new_loop() -> asyncio.AbstractEventLoop:
    """A new event loop, uvloop's where it is installed."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def run_in_new_loop(main: Coroutine[Any, Any, T]) -> T:
    """Run ``main`` to its end in a loop of its own, then cancel what it left running and close the loop."""
    loop = new_loop()
    try:
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(main)
    finally:
        try:
            left = asyncio.all_tasks(loop)
            for task in left:
                task.cancel()
            if left:
                # A task that will not be cancelled must not hold up the end.
                loop.run_until_complete(asyncio.wait(left, timeout=_PATIENCE))
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            asyncio.set_event_loop(None)
            loop.close()


def drive(main: Coroutine[Any, Any, T]) -> T:
    """Run ``main`` from plain code and return its result, also where a loop is running already (a notebook)."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return run_in_new_loop(main)
    outcome: list[Any] = []
    context = contextvars.copy_context()

    def work() -> None:
        try:
            outcome.extend((True, context.run(run_in_new_loop, main)))
        except BaseException as error:
            outcome.extend((False, error))

    thread = threading.Thread(target=work, name="aigc_evals-drive")
    thread.start()
    thread.join()
    good, value = outcome
    if not good:
        raise value
    return value  # type: ignore[no-any-return]


class Deadlines:
    """Time limits for many calls at once, all kept by one timer of the loop, which costs less than one timer a call.

    A limit is kept to within a tenth of the shortest limit in force (never finer than 10 ms).
    """

    def __init__(self) -> None:
        self._calls: set[_Call] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def within(self, seconds: float, call: Awaitable[T]) -> T:
        """The result of ``call``; TimeoutError after ``seconds``."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a deadline needs a task to cancel")
        loop = task.get_loop()
        entry = _Call(loop.time() + seconds, task)
        if self._loop is not loop:
            self._calls.clear()
            self._loop, self._timer = loop, None
        self._calls.add(entry)
        if self._timer is None:
            self._timer = loop.call_later(min(1.0, max(0.01, seconds / 10)), self._sweep)
        try:
            return await call
        except asyncio.CancelledError:
            if not entry.expired or (hasattr(task, "uncancel") and task.uncancel() > entry.cancelling):
                raise
            raise TimeoutError(f"no answer within {seconds:g} s") from None
        finally:
            self._calls.discard(entry)

    def _sweep(self) -> None:
        loop = self._loop
        if loop is None or not self._calls:
            self._timer = None
            return
        now = loop.time()
        shortest = 10.0
        for entry in self._calls:
            left = entry.due - now
            if left > 0:
                shortest = min(shortest, left)
            elif not entry.expired:
                entry.expired = True
                entry.task.cancel()
        self._timer = loop.call_later(min(1.0, max(0.01, shortest / 10)), self._sweep)


class _Call:
    __slots__ = ("cancelling", "due", "expired", "task")

    def __init__(self, due: float, task: asyncio.Task[Any]) -> None:
        self.due = due
        self.task = task
        self.expired = False
        self.cancelling: int = task.cancelling() if hasattr(task, "cancelling") else 0
