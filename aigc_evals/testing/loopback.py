"""``LoopbackServer``: the loopback server's process, held by a test or a benchmark."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import Any

from aigc_evals.errors import AigcEvalsError, RunError, UsageError
from aigc_evals.testing.settings import Fault

_CONTROL_SECONDS = 30.0
_STOP_SECONDS = 5.0


class LoopbackServer:
    """An OpenAI-compatible server on 127.0.0.1 in a process of its own.

        with LoopbackServer(answer="True", faults=[Fault("rate_limit", every=10, retry_after=1)]) as server:
            ask(server.base_url)
            assert server.stats()["repeats"] == 10

    The keyword arguments are the fields of ``aigc_evals.testing.settings.Settings``. The process ends with
    ``stop``, with the ``with`` block, and with this process, however that ends.
    """

    def __init__(self, *, port: int = 0, startup_seconds: float = 30.0, **settings: Any) -> None:
        self.port = port
        self._startup_seconds = startup_seconds
        self._initial = {name: _plain(value) for name, value in settings.items()}
        self._changed: dict[str, Any] = {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The server's root, "http://127.0.0.1:PORT"."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        """What a client of the OpenAI API takes as its base URL."""
        return f"{self.url}/v1"

    @property
    def ingest_url(self) -> str:
        """Where batches of events are received."""
        return f"{self.url}/ingest"

    @property
    def pid(self) -> int | None:
        """The process id, None when it does not run."""
        return self._process.pid if self.running and self._process is not None else None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> LoopbackServer:
        """Start the process; after ``stop`` or ``kill`` on the same port and with the same settings."""
        if self.running:
            return self
        package_root = str(Path(__file__).resolve().parents[2])
        # The test's own modules must be found too: a script names a function in one.
        paths = [package_root, *(path or str(Path.cwd()) for path in sys.path)]
        process = subprocess.Popen(
            [sys.executable, "-m", "aigc_evals.testing.server", "--port", str(self.port), "--settings", "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))},
        )
        assert process.stdin is not None
        assert process.stdout is not None
        watchdog = threading.Timer(self._startup_seconds, process.kill)
        watchdog.start()
        try:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(json.dumps(self._initial).encode() + b"\n")
                process.stdin.flush()
            line = process.stdout.readline()
        finally:
            watchdog.cancel()
        answer: dict[str, Any] = json.loads(line) if line else {"error": "the loopback server did not start"}
        if "port" not in answer:
            _end(process)
            raise UsageError(answer["error"])
        self.port = answer["port"]
        self._process = process
        if self._changed:
            self._control("POST", "configure", self._changed)
        return self

    def stop(self) -> None:
        """End the process in peace: its connections are closed. Does nothing when it does not run."""
        if self._process is None:
            return
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_SECONDS)
        _end(self._process)
        self._process = None

    def kill(self) -> None:
        """End the process as a crash would (SIGKILL)."""
        if self._process is not None:
            _end(self._process)
            self._process = None

    def restart(self) -> LoopbackServer:
        """``stop`` and ``start`` on the same port."""
        self.stop()
        return self.start()

    def configure(self, **settings: Any) -> None:
        """Change these settings from the next request on; the others stay."""
        plain = {name: _plain(value) for name, value in settings.items()}
        self._control("POST", "configure", plain)
        self._changed.update(plain)

    def reset(self, *, settings: bool = False) -> None:
        """Forget counts, requests and events; with ``settings``, go back to the first settings too."""
        self._control("POST", "reset", {"settings": settings})
        if settings:
            self._changed.clear()

    def stats(self) -> dict[str, Any]:
        """Counts since the last reset: ``Journal.stats`` names them."""
        return self._control("GET", "stats")  # type: ignore[no-any-return]

    def requests(self) -> list[dict[str, Any]]:
        """The requests since the last reset, in the order they came; empty with ``record=False``."""
        return self._control("GET", "requests")  # type: ignore[no-any-return]

    def ingested(self) -> dict[str, Any]:
        """What the event receiver holds: ``events``, ``batches`` and the number of ``duplicates``."""
        return self._control("GET", "ingest")  # type: ignore[no-any-return]

    def _control(self, method: str, action: str, body: Any = None) -> Any:
        if not self.running:
            raise RunError("the loopback server does not run")
        connection = HTTPConnection("127.0.0.1", self.port, timeout=_CONTROL_SECONDS)
        try:
            data = None if body is None else json.dumps(body).encode()
            connection.request(method, f"/_control/{action}", body=data, headers={"Connection": "close"})
            response = connection.getresponse()
            answer = json.loads(response.read())
        except OSError as error:
            raise AigcEvalsError(f"the loopback server does not answer: {error}") from error
        finally:
            connection.close()
        if response.status != 200:
            raise UsageError(answer["error"]["message"])
        return answer

    def __enter__(self) -> LoopbackServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _plain(value: Any) -> Any:
    """``value`` as JSON takes it: faults as objects."""
    if isinstance(value, Fault):
        return value.as_dict()
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
