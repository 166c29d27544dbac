"""HTTP/1.1 by hand over ``asyncio.Protocol``: one connection, and how a reply can go wrong on it.

It knows bytes, not models: ``App`` decides what is answered. One request at a time is worked on per
connection; what a client sends ahead waits in the buffer. Written by hand because the same server measures
the speed of clients.
"""

from __future__ import annotations

import asyncio
import gzip
import socket
import struct
import sys
import traceback
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

HEAD_LIMIT = 1 << 20
#: Time for the first half of a reply to leave before the connection is reset.
_FLUSH_SECONDS = 0.02

_REASONS = {status.value: status.phrase for status in HTTPStatus} | {529: "Overloaded"}
_OK_JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n%s"


class BadRequestError(Exception):
    """What came is not HTTP that this server speaks."""


class Request:
    """A request as it came; its headers are only taken apart when somebody asks."""

    __slots__ = ("body", "head", "method", "path", "query")

    def __init__(self, head: bytes, body: bytes) -> None:
        line = head.partition(b"\r\n")[0].decode("latin-1").split(" ")
        if len(line) != len(("method", "target", "version")):
            raise BadRequestError("malformed request line")
        self.head = head
        self.method = line[0]
        self.path, _, self.query = line[1].partition("?")
        self.body = body

    def headers(self) -> dict[str, str]:
        """By lower-case name; of a repeated header the last."""
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        pairs = (line.partition(":") for line in lines)
        return {name.strip().lower(): value.strip() for name, _, value in pairs}


@dataclass
class Reply:
    """What is sent, and how: ``way`` is "whole", or the transport fault that cuts it short.

    ``silent`` (never), ``close`` and ``reset`` (no byte is sent), ``stall``, ``truncated`` and
    ``reset_middle`` (half of it is sent). ``chunks`` replaces ``body`` for a streamed reply; ``pause``
    seconds lie between them.
    """

    body: bytes = b""
    status: int = 200
    content_type: bytes = b"application/json"
    headers: bytes = b""
    way: str = "whole"
    chunks: list[bytes] | None = None
    pause: float = 0.0

    def head(self) -> bytes:
        length = b"Transfer-Encoding: chunked" if self.chunks is not None else b"Content-Length: %d" % len(self.body)
        reason = _REASONS.get(self.status, "Unknown").encode()
        kind = self.content_type
        return b"HTTP/1.1 %d %s\r\nContent-Type: %s\r\n%s\r\n%s\r\n" % (
            self.status,
            reason,
            kind,
            length,
            self.headers,
        )


class App(Protocol):
    """What answers the requests of a connection."""

    def handle(self, request: Request, connection: Connection) -> None:
        """Must lead to one ``connection.send``, now or later."""

    def ended(self, connection: Connection, status: int | None) -> None:
        """The request in work is over; ``status`` is None when no byte of a reply was sent."""

    def closed(self, connection: Connection) -> None:
        """The connection is gone."""


class Connection(asyncio.Protocol):
    """One client connection."""

    def __init__(self, app: App, loop: asyncio.AbstractEventLoop) -> None:
        self.app = app
        self.loop = loop
        #: The app's own: a note about the request in work, and whether this connection was counted.
        self.note: Any = None
        self.counted = False
        self._buffer = bytearray()
        self._needed = 0
        self._busy = False
        self._parsing = False
        self._close_after = False
        self._continued = False
        self._status: int | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Any: a transport of uvloop is no asyncio.Transport.
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._busy and len(self._buffer) >= self._needed:
            self._parse()

    def connection_lost(self, exc: Exception | None) -> None:
        self._buffer.clear()
        if self._timer is not None:
            self._timer.cancel()
        if self._busy:
            self._busy = False
            self.app.ended(self, self._status)
        self.app.closed(self)

    def send(self, reply: Reply, delay: float = 0.0) -> None:
        """Answer the request in work after ``delay`` seconds."""
        if delay > 0:
            self._timer = self.loop.call_later(delay, self._deliver, reply)
        else:
            self._deliver(reply)

    def drop(self) -> None:
        """Close the connection at once."""
        self._transport.abort()

    def _parse(self) -> None:
        self._parsing = True
        try:
            while self._buffer and not self._busy:
                if (request := self._next_request()) is None:
                    return
                self._busy = True
                try:
                    self.app.handle(request, self)
                except Exception:
                    # A test's own script failed: say so in the reply, or the client would wait for ever.
                    text = traceback.format_exc()
                    print(text, file=sys.stderr, flush=True)
                    self._deliver(Reply(text.encode("utf-8", "replace"), 500, b"text/plain; charset=utf-8"))
        except (BadRequestError, ValueError, EOFError, OSError) as error:
            reply = Reply(f"bad request: {error}".encode(), 400, b"text/plain", b"Connection: close\r\n")
            self._buffer.clear()
            self._transport.write(reply.head() + reply.body)
            self._transport.close()
        finally:
            self._parsing = False

    def _next_request(self) -> Request | None:
        """Take a whole request off the buffer; None: it is not all there yet."""
        buffer = self._buffer
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(buffer) > HEAD_LIMIT:
                raise BadRequestError("headers too long")
            return None
        head = bytes(buffer[:end])
        low = head.lower()
        start = end + 4
        at = low.find(b"\r\ncontent-length:")
        if at >= 0:
            stop = low.find(b"\r\n", at + 17)
            length = int(low[at + 17 :] if stop < 0 else low[at + 17 : stop])
            if length < 0:
                raise BadRequestError("negative content length")
            total = start + length
            if len(buffer) < total:
                self._needed = total
                self._say_continue(low)
                return None
            body = bytes(buffer[start:total])
        elif b"\r\ntransfer-encoding:" in low:
            unchunked = _unchunk(buffer, start)
            if unchunked is None:
                self._say_continue(low)
                return None
            body, total = unchunked
        else:
            body, total = b"", start
        del buffer[:total]
        self._needed = 0
        self._continued = False
        if b"\r\ncontent-encoding: gzip" in low:
            body = gzip.decompress(body)
        self._close_after = b"\r\nconnection: close" in low or b" http/1.0\r\n" in low
        return Request(head, body)

    def _say_continue(self, low: bytes) -> None:
        if not self._continued and b"\r\nexpect: 100-continue" in low:
            self._continued = True
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _deliver(self, reply: Reply) -> None:
        self._timer = None
        way = reply.way
        if way == "whole" and reply.chunks is None:
            self._status = reply.status
            if reply.status == 200 and reply.content_type == b"application/json":
                self._transport.write(_OK_JSON % (len(reply.body), reply.headers, reply.body))
            else:
                self._transport.write(reply.head() + reply.body)
            self._done()
        elif way == "silent":
            return
        elif way == "close":
            self._transport.close()
        elif way == "reset":
            self._reset()
        else:
            self._status = reply.status
            if reply.chunks is None:
                self._transport.write(reply.head() + reply.body[: len(reply.body) // 2])
                self._cut(way)
            else:
                cut = way != "whole"
                chunks = reply.chunks[: len(reply.chunks) // 2] if cut else reply.chunks
                self._transport.write(reply.head())
                self._stream([b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks], reply)

    def _stream(self, chunks: list[bytes], reply: Reply) -> None:
        if reply.pause > 0 and chunks:
            self._transport.write(chunks[0])
            self._timer = self.loop.call_later(reply.pause, self._stream, chunks[1:], reply)
            return
        self._timer = None
        self._transport.write(b"".join(chunks))
        if reply.way == "whole":
            self._transport.write(b"0\r\n\r\n")
            self._done()
        else:
            self._cut(reply.way)

    def _cut(self, way: str) -> None:
        if way == "truncated":
            self._transport.close()
        elif way == "reset_middle":
            self._timer = self.loop.call_later(_FLUSH_SECONDS, self._reset)

    def _reset(self) -> None:
        sock = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def _done(self) -> None:
        self._busy = False
        status, self._status = self._status, None
        self.app.ended(self, status)
        if self._close_after:
            self._transport.close()
        elif self._buffer and not self._parsing:
            self._parse()


def _unchunk(buffer: bytearray, start: int) -> tuple[bytes, int] | None:
    """The body of a chunked request and where it ends; None: not all of it is there yet."""
    parts: list[bytes] = []
    at = start
    while True:
        line_end = buffer.find(b"\r\n", at)
        if line_end < 0:
            return None
        size = int(bytes(buffer[at:line_end]).partition(b";")[0], 16)
        data = line_end + 2
        after = data + size
        if len(buffer) < after + 2:
            return None
        if size == 0:
            return b"".join(parts), after + 2
        parts.append(bytes(buffer[data:after]))
        at = after + 2
