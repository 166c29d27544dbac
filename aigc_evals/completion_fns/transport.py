"""HTTP for completion functions: connections that are reused, JSON in, JSON out, and every failure an EndpointError.

A reply comes whole (``post``) or as a stream (``post_stream``) of server-sent events or lines of JSON. It speaks over
aiohttp, one session per event loop. It does not retry, limit or time out: that is ``sampling``'s part.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from aigc_evals.errors import EndpointError, UsageError
from aigc_evals.failures import http_error
from aigc_evals.fastjson import decode
from aigc_evals.redact import Redactor

if TYPE_CHECKING:
    import aiohttp
    from yarl import URL

_EXCERPT = 300
_LONGEST_SECRET = 4096
_DRAIN_SECONDS = 0.1
_STREAM_END = "[DONE]"


@dataclass(frozen=True)
class Framing:
    """How a stream is cut into events: server-sent events, or with ``lines`` a JSON value on each line.

    ``ends`` are the texts that stand in place of an event where the server says it was all, and ``done`` is what is given
    for one. With ``strict`` a stream is known by its content type, else anything but JSON is one; and an event with an
    ``error`` is a failure.
    """

    lines: bool = False
    strict: bool = True
    ends: tuple[str, ...] = (_STREAM_END,)
    done: Any = field(default_factory=lambda: {"done": True})


class JsonClient:
    """POSTs JSON to one URL, or to others of its host.

    ``verify`` is True, False, or the path of a CA file; proxies come from the environment. ``setting`` is the
    environment variable that a user is told to check when the address is wrong, ``key`` the argument it came by. What a
    failure tells of a reply has ``secrets`` masked: a server may repeat in its refusal what it was sent. ``passing`` says
    of the JSON of a refusal whether it may pass although its status does not say so.
    """

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        verify: bool | str = True,
        setting: str = "OPENAI_BASE_URL",
        key: str = "api_base",
        secrets: Iterable[str] = (),
        passing: Callable[[Any], bool] | None = None,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(f"expected an http:// or https:// address, got {url!r}", key=key)
        try:
            port = parts.port
        except ValueError:
            # It is not shown: what stands there may be half of a password.
            raise UsageError("the port in the address is no number up to 65535", key=key) from None
        if isinstance(verify, str) and not os.path.isfile(verify):
            raise UsageError("no such file of certificates", path=verify, key="verify")
        self.url = url
        self._setting = setting
        self._key = key
        self._host = parts.hostname
        self._port = port or (443 if parts.scheme == "https" else 80)
        self._headers = {"Content-Type": "application/json", "Accept": "application/json", **headers}
        self._verify = verify
        self._redactor = Redactor(secrets)
        self._passing = passing
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._proxy: str | None = None
        self._target: URL | None = None

    def preflight(self) -> None:
        """UsageError when the host's name cannot be resolved; says nothing about hosts behind a proxy."""
        if _proxy_for(self.url) is not None:
            return
        try:
            socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise UsageError(
                f"unknown host {self._host!r} ({error.strerror or error})",
                key=self._key,
                hint=f"Check {self._setting}.",
            ) from None

    async def post(
        self,
        body: bytes | None,
        headers: Mapping[str, str] | None = None,
        *,
        method: str = "POST",
        url: str | None = None,
    ) -> Any:
        """The decoded JSON reply to ``body``; EndpointError for any other.

        ``headers``, another ``method`` and another ``url`` of the host hold for this request alone.
        """
        with self._failures():
            # A reply read to its end gives its connection back by itself, one that breaks off closes it.
            response = await self._send(body, headers, method, url)
            content = await response.read()
        return self._decoded(response, content)

    async def post_stream(
        self,
        body: bytes | None,
        headers: Mapping[str, str] | None = None,
        *,
        method: str = "POST",
        url: str | None = None,
        framing: Framing | None = None,
    ) -> AsyncIterator[Any]:
        """The decoded JSON of each event of the reply, as it comes; ``{"done": True}`` where the server says it was all.

        A server that does not stream gives its whole reply as the only item. EndpointError as for ``post``, also for
        a stream that breaks off. An ``error`` event in the midst of a stream is an EndpointError too.
        """
        import aiohttp

        framing = framing or Framing()
        with self._failures():
            response = await self._send(body, headers, method, url)
            async with response:
                if response.status >= 300 or not _streams(response.content_type, framing):
                    yield self._decoded(response, await response.read())
                    return
                events = JsonLines() if framing.lines else ServerSentEvents()
                try:
                    async for chunk in response.content.iter_any():
                        for data in events.feed(chunk):
                            if data in framing.ends:
                                yield framing.done
                                await _drain(response)
                                return
                            yield self._event(data, framing.strict)
                    for data in events.feed(b"\n\n"):
                        yield framing.done if data in framing.ends else self._event(data, framing.strict)
                except GeneratorExit:
                    # Whoever listened has heard enough.
                    with contextlib.suppress(aiohttp.ClientError, OSError):
                        await _drain(response)
                    raise

    async def _send(
        self, body: bytes | None, headers: Mapping[str, str] | None, method: str, url: str | None
    ) -> aiohttp.ClientResponse:
        session = self._session
        if session is None or self._loop is not asyncio.get_running_loop():
            session = await self._connect()
        target = url or self._target or self.url
        return await session.request(
            method, target, data=body, headers=headers, proxy=self._proxy, allow_redirects=False
        )

    @contextlib.contextmanager
    def _failures(self) -> Iterator[None]:
        """What aiohttp raises within, as EndpointErrors."""
        import aiohttp

        try:
            yield
        except aiohttp.ClientConnectorDNSError as error:
            # It was known when the run began.
            raise EndpointError(f"unknown host {self._host!r}: {error}", kind="connection", retryable=True) from None
        except aiohttp.ClientConnectorCertificateError as error:
            raise EndpointError(
                f"the certificate of {self._host} is not trusted: {error.certificate_error}", kind="bad_request"
            ) from None
        except (aiohttp.ClientPayloadError, aiohttp.ClientResponseError) as error:
            raise EndpointError(f"broken reply: {_told(error)}", kind="bad_reply", retryable=True) from None
        except aiohttp.ClientConnectorError as error:
            why = "nothing listens there" if _is_refusal(error.os_error) else _told(error.os_error)
            raise EndpointError(
                f"cannot connect to {error.host}:{error.port}: {why}", kind="connection", retryable=True
            ) from None
        except (aiohttp.ClientError, OSError) as error:
            raise EndpointError(f"connection failed: {_told(error)}", kind="connection", retryable=True) from None

    async def _connect(self) -> aiohttp.ClientSession:
        import aiohttp
        from yarl import URL

        ssl: Any = True
        if self._verify is False:
            ssl = False
        elif isinstance(self._verify, str):
            from ssl import create_default_context

            ssl = create_default_context(cafile=self._verify)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=ssl, ttl_dns_cache=300),
            # The sampling wrapper times each attempt as a whole.
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=30),
            headers=self._headers,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        self._loop = asyncio.get_running_loop()
        self._proxy = _proxy_for(self.url)
        self._target = URL(self.url)
        return self._session

    async def aclose(self) -> None:
        """Close the connections; the next ``post`` opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    # -- what a reply says --------------------------------------------------------------------------------------

    def _decoded(self, response: aiohttp.ClientResponse, content: bytes) -> Any:
        if response.status >= 300:
            raise self._refused(response.status, content, response.headers, response.charset)
        try:
            return _value(content, response.charset)
        except ValueError:
            told = f"the reply is not JSON: {self._excerpt(content)}"
            raise EndpointError(told, kind="bad_reply", retryable=True, status=response.status) from None

    def _event(self, data: str, strict: bool) -> Any:
        try:
            value = _value(data)
        except ValueError:
            told = f"an event of the stream is not JSON: {self._excerpt(data.encode())}"
            raise EndpointError(told, kind="bad_reply", retryable=True) from None
        if strict and isinstance(value, dict) and value.get("error"):
            error = value["error"]
            code = error.get("code") if isinstance(error, dict) else None
            # The status line has gone out as 200 long ago; servers that say more put it into the code.
            status = code if isinstance(code, int) and 400 <= code < 600 else 500
            raise self._refused(status, data.encode(), {})
        return value

    def _excerpt(self, content: bytes) -> str:
        # Masked before it is cut: of half a secret nothing would be known.
        text = content[: _EXCERPT + _LONGEST_SECRET].decode("utf-8", "backslashreplace")
        text = self._redactor.text(text)
        return repr(text[:_EXCERPT]) + ("..." if len(text) > _EXCERPT else "")

    def _refused(
        self, status: int, content: bytes, headers: Mapping[str, str], charset: str | None = None
    ) -> EndpointError:
        """The error that a reply of 400 or more stands for; OpenAI's, vLLM's and FastAPI's forms are understood."""
        message, code, param = "", None, None
        try:
            body = _value(content, charset)
        except ValueError:
            body = None
        if isinstance(body, dict):
            error = body.get("error")
            inner: dict[str, Any] = error if isinstance(error, dict) else body
            message = str(inner.get("message") or inner.get("detail") or error or "")
            code = inner.get("code") or inner.get("type")
            param = inner.get("param")
        if status < 400:
            message = f"the endpoint has moved to {headers.get('Location', 'an unnamed place')}; give that address"
        message = self._redactor.text(message) or self._excerpt(content)
        return http_error(
            status,
            f"HTTP {status}: {message}",
            headers,
            code=code if isinstance(code, str) else None,
            param=param if isinstance(param, str) else None,
            passing=body is not None and self._passing is not None and self._passing(body),
        )


def _value(content: bytes | str, charset: str | None = None) -> Any:
    """The value of a JSON text as servers send it: also with NaN, half of a surrogate pair, a byte order mark, or in the
    ``charset`` that the reply declares. ValueError for what is not JSON, or nested too deeply to be read.
    """
    try:
        return decode(content)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except ValueError:
        if charset is None or isinstance(content, str):
            raise
    try:
        return decode(content.decode(charset).removeprefix("\ufeff"))
    except (LookupError, RecursionError):
        raise ValueError(f"not in {charset}") from None


class ServerSentEvents:
    """Takes a stream of server-sent events apart, however it is cut into chunks; gives the data of each event.

    Lines end in LF, CRLF or CR; comments and other fields than ``data`` are passed over. Format: WHATWG HTML, section
    9.2.6 (server-sent events, interpreting an event stream).
    """

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[str] = []
        self._begun = False

    def feed(self, chunk: bytes) -> Iterator[str]:
        """The data of the events that ``chunk`` completes."""
        held = self._rest + chunk
        if not self._begun and held:
            if len(held) < 3 and b"\xef\xbb\xbf".startswith(held):
                self._rest = held
                return
            held = held.removeprefix(b"\xef\xbb\xbf")
            self._begun = True
        # bytes.splitlines knows LF, CRLF and CR alone. A CR at the end may be half of a CRLF.
        lines = held.splitlines(keepends=True)
        self._rest = lines.pop() if lines and (not lines[-1].endswith(b"\n")) else b""
        for line in lines:
            text = line.rstrip(b"\r\n")
            if not text and self._data:
                yield "\n".join(self._data)
                self._data = []
            name, _, value = text.partition(b":")
            if name == b"data":
                self._data.append(value.removeprefix(b" ").decode("utf-8", "replace"))


class JsonLines:
    """Takes a stream of lines apart, however it is cut into chunks; gives each that is not blank."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> Iterator[str]:
        """The lines that ``chunk`` completes."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            text = line.decode("utf-8", "replace").strip().removeprefix("\ufeff")
            if text:
                yield text


def _streams(content_type: str, framing: Framing) -> bool:
    if framing.strict:
        return content_type == "text/event-stream"
    return framing.lines or content_type != "application/json"


async def _drain(response: aiohttp.ClientResponse) -> None:
    """Read what follows the last event, which is nothing, so that the connection can be used again."""
    if not response.content.at_eof():
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(response.content.read(), _DRAIN_SECONDS)


def _proxy_for(url: str) -> str | None:
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(url)
    if not parts.hostname or proxy_bypass(parts.hostname):
        return None
    return getproxies().get(parts.scheme)


def _is_refusal(error: OSError) -> bool:
    # A name with several addresses gives one error that tells of all.
    return isinstance(error, ConnectionRefusedError) or f"[Errno {errno.ECONNREFUSED}]" in str(error)


def _told(error: BaseException) -> str:
    return str(error) or type(error).__name__
