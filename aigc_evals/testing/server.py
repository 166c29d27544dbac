"""The loopback server's process.

    python -m aigc_evals.testing.server [--port N] [--config FILE] [--settings JSON|-]

It prints one JSON line with its address once it listens, and ends with the process that started it: when
stdin is a pipe, its end is the end of the server. From Python use ``aigc_evals.testing.LoopbackServer``.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import stat
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from aigc_evals.errors import UsageError
from aigc_evals.testing.app import LoopbackApp
from aigc_evals.testing.settings import Settings
from aigc_evals.testing.wire import Connection

_BACKLOG = 4096
_PARENT_CHECK_SECONDS = 1.0


class _LiveConnection(Connection):
    """A connection that is dropped when the server ends."""

    def __init__(self, app: LoopbackApp, loop: asyncio.AbstractEventLoop, live: set[Connection]) -> None:
        super().__init__(app, loop)
        self._live = live

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._live.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._live.discard(self)
        super().connection_lost(exc)


async def serve(settings: Settings, port: int, ready: Callable[[int], None]) -> None:
    """Serve on 127.0.0.1 until stdin ends, the parent dies, or SIGTERM or SIGINT comes."""
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    app = LoopbackApp(settings)
    live: set[Connection] = set()
    server = await loop.create_server(
        lambda: _LiveConnection(app, loop, live), "127.0.0.1", port, backlog=_BACKLOG, reuse_address=True
    )
    for name in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(name, over.set)
    if _stdin_is_pipe():
        loop.add_reader(0, _stdin_readable, over)
        _watch_parent(loop, os.getppid(), over)
    ready(server.sockets[0].getsockname()[1])
    await over.wait()
    # Connections are dropped, not drained: whoever stops the server wants it gone.
    server.close()
    for connection in list(live):
        connection.drop()
    await asyncio.sleep(0)


def _stdin_is_pipe() -> bool:
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _stdin_readable(over: asyncio.Event) -> None:
    if not os.read(0, 65536):
        asyncio.get_running_loop().remove_reader(0)
        over.set()


def _watch_parent(loop: asyncio.AbstractEventLoop, parent: int, over: asyncio.Event) -> None:
    """The pipe alone is not enough: a forked sibling may hold its other end open."""
    if os.getppid() != parent:
        over.set()
    else:
        loop.call_later(_PARENT_CHECK_SECONDS, _watch_parent, loop, parent, over)


def _raise_file_limit() -> None:
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _read_settings(arguments: argparse.Namespace) -> Settings:
    settings = Settings()
    try:
        if arguments.config:
            settings = settings.merged(json.loads(Path(arguments.config).read_bytes()))
        if arguments.settings:
            text = sys.stdin.buffer.readline() if arguments.settings == "-" else arguments.settings
            settings = settings.merged(json.loads(text))
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"cannot read the settings: {error}") from error
    return settings


def _run(main: Any) -> None:
    """Run a coroutine on uvloop where it is installed."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(main)
        return
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(main)
    finally:
        loop.close()


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m aigc_evals.testing.server", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--port", type=int, default=0, help="0 (default): any free port")
    parser.add_argument("--config", metavar="FILE", help="settings as a JSON file")
    parser.add_argument("--settings", metavar="JSON", help='settings as JSON; "-": from the first line of stdin')
    arguments = parser.parse_args(argv)
    _raise_file_limit()

    def ready(port: int) -> None:
        line = {"port": port, "base_url": f"http://127.0.0.1:{port}/v1", "pid": os.getpid()}
        print(json.dumps(line), flush=True)

    try:
        _run(serve(_read_settings(arguments), arguments.port, ready))
    except (UsageError, OSError) as error:
        print(json.dumps({"error": str(error)}), flush=True)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
