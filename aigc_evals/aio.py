"""Event loops: where plain code meets asynchronous code."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


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
                loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
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
