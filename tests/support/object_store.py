"""An S3-compatible server in a process of its own, and a gate in front of it that can be slow, broken or away."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

KEY, SECRET = "AKIDEXAMPLE0TEST", "wJalrXUtnFEMI9K7MDENGsecret"


class ObjectStore:
    """moto's server; everything is kept in its memory. ``url`` is where it is."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "store.log"
        env = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=env,
                start_new_session=True,
            )
        until = time.monotonic() + 60
        while not (found := re.search(r"Running on (http://127\.0\.0\.1:(\d+))", self._text())):
            assert self._process.poll() is None, self._text()
            assert time.monotonic() < until, self._text()
            time.sleep(0.05)
        self.url, self.port = found[1], int(found[2])

    @property
    def settings(self) -> dict[str, str]:
        """The variables of an environment in which this is the store."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def requests(self) -> list[str]:
        """Method and target of every request so far."""
        return re.findall(r'"([A-Z]+ \S+) HTTP/1\.1"', self._text())

    def _text(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


class Gate:
    """A port in front of another one. Counts what passes, and does as it is told.

    ``up`` and ``down`` are bytes towards the server and back; ``rate`` bounds each connection, in bytes a second;
    ``break_after`` is how many more bytes pass before all connections break; then it is ``away`` if ``stay_away``.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.up = self.down = 0
        self.rate: float | None = None
        self.break_after: int | None = None
        self.stay_away = False
        self.away = False
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    def come_back(self) -> None:
        self.break_after = None
        self.away = False
        self.up = self.down = 0

    def close(self) -> None:
        self._closed = True
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port)).close()
        self._break()

    def _accept(self) -> None:
        with self._listener:
            while True:
                client, _ = self._listener.accept()
                if self._closed or self.away:
                    client.close()
                    if self._closed:
                        return
                    continue
                server = socket.create_connection(("127.0.0.1", self._target))
                with self._lock:
                    self._open |= {client, server}
                for source, target, is_up in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._pass, args=(source, target, is_up), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, is_up: bool) -> None:
        with contextlib.suppress(OSError):
            while content := source.recv(1 << 16):
                with self._lock:
                    if self.break_after is not None:
                        self.break_after -= len(content)
                    broken = self.break_after is not None and self.break_after < 0
                    if is_up:
                        self.up += len(content)
                    else:
                        self.down += len(content)
                if broken:
                    self.break_after = None
                    self.away = self.stay_away
                    self._break()
                    return
                if self.rate:
                    time.sleep(len(content) / self.rate)
                target.sendall(content)
        self._forget(source, target)

    def _break(self) -> None:
        with self._lock:
            sockets = list(self._open)
        self._forget(*sockets)

    def _forget(self, *sockets: socket.socket) -> None:
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        with self._lock:
            self._open -= set(sockets)


@contextlib.contextmanager
def gate_to(store: ObjectStore) -> Iterator[Gate]:
    gate = Gate(store.port)
    try:
        yield gate
    finally:
        gate.close()
