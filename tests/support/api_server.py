"""An HTTP API on loopback that answers as a test says, in threads of the test's own process."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from support.loopback_http import LoopbackHTTPServer


@dataclass(frozen=True)
class Asked:
    """One request as it came; ``number`` counts from 1."""

    number: int
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.target).query).items()}

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(self.body.decode()).items()}


@dataclass(frozen=True)
class Reply:
    """A reply: ``body`` is bytes, anything that is JSON, or a list of bytes sent as chunks.

    ``pause`` are the seconds before each chunk (or before the whole); with ``cut`` the connection ends after the last
    chunk without the mark of its end.
    """

    body: Any
    status: int = 200
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    pause: float = 0.0
    cut: bool = False


class ApiServer:
    """``with ApiServer(answer) as api``: ``answer`` makes the reply (or just its JSON) to each request."""

    def __init__(self, answer: Callable[[Asked], Any]) -> None:
        self.asked: list[Asked] = []
        self._lock = threading.Lock()
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                with api._lock:
                    asked = Asked(len(api.asked) + 1, self.command, self.path, headers, body)
                    api.asked.append(asked)
                made = answer(asked)
                with contextlib.suppress(ConnectionError):
                    self.send(made if isinstance(made, Reply) else Reply(made))

            do_GET = do_POST = do_PUT = answer

            def send(self, reply: Reply) -> None:
                self.send_response(reply.status)
                self.send_header("Content-Type", reply.content_type)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if isinstance(reply.body, list) and reply.body and all(isinstance(part, bytes) for part in reply.body):
                    self.send_chunks(reply)
                    return
                body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                time.sleep(reply.pause)
                self.wfile.write(body)

            def send_chunks(self, reply: Reply) -> None:
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for part in reply.body:
                    time.sleep(reply.pause)
                    self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
                    self.wfile.flush()
                if reply.cut:
                    self.close_connection = True
                else:
                    self.wfile.write(b"0\r\n\r\n")

            def log_message(self, format: str, *args: Any) -> None:
                """Tests read what was asked, not a log."""

        self._server = LoopbackHTTPServer(Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def url(self) -> str:
        return self._server.url

    def __enter__(self) -> ApiServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
