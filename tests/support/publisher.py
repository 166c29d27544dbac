"""A publisher of files on the loopback interface: ranges, validators, and whatever can go wrong."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from support.loopback_http import LoopbackHTTPServer


@dataclass
class File:
    """A file that is served: ``cut_after`` breaks the connection after so many bytes of a reply, ``times`` times."""

    content: bytes
    etag: str | None = '"v1"'
    ranges: bool = True
    cut_after: int | None = None
    times: int = 1
    statuses: list[int] = field(default_factory=list)
    """What is answered first, one status for each request, before the file is."""
    retry_after: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    """Sent with every reply that has content."""


@dataclass(frozen=True)
class Request:
    path: str
    range: str | None
    if_range: str | None
    status: int


class Publisher:
    """Serves ``files`` (by path, with their query) until it is closed; ``requests`` is what was asked for."""

    def __init__(self) -> None:
        self.files: dict[str, File] = {}
        self.requests: list[Request] = []
        publisher = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                publisher._answer(self)

            def log_message(self, *args: Any) -> None:
                return

        self._server = LoopbackHTTPServer(Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self.url = self._server.url

    def serve(self, path: str, content: bytes, **how: Any) -> File:
        """Serve a file; an address ``https://host/path`` stands for the path ``/host/path``, as on a mirror."""
        _, mark, rest = path.partition("://")
        file = self.files[f"/{rest}" if mark else path] = File(content, **how)
        return file

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        wanted, if_range = handler.headers.get("Range"), handler.headers.get("If-Range")
        file = self.files.get(handler.path)
        status, start = 404, 0
        if file is not None:
            status = file.statuses.pop(0) if file.statuses else 200
            if status == 200 and wanted and file.ranges and (if_range is None or if_range == file.etag):
                start = int(wanted.removeprefix("bytes=").rstrip("-"))
                status = 206 if start < len(file.content) else 416
        self.requests.append(Request(handler.path, wanted, if_range, status))
        body = file.content[start:] if file is not None and status in (200, 206) else b"no"
        handler.send_response(status)
        if file is not None and file.etag:
            handler.send_header("ETag", file.etag)
        if file is not None and file.retry_after is not None:
            handler.send_header("Retry-After", file.retry_after)
        if file is not None and status == 206:
            handler.send_header("Content-Range", f"bytes {start}-{len(file.content) - 1}/{len(file.content)}")
        for name, value in file.headers.items() if file is not None and status in (200, 206) else ():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if file is not None and file.cut_after is not None and file.times > 0 and status in (200, 206):
            file.times -= 1
            handler.wfile.write(body[: file.cut_after])
            handler.close_connection = True
            return
        handler.wfile.write(body)
