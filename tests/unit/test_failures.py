"""What libraries and the operating system raise, told apart: may the same call succeed later, and if not, what is wrong."""

from __future__ import annotations

import errno
import http.client
import io
import json
import socket
import ssl
import subprocess
import sys
import urllib.error
from email.message import Message
from types import SimpleNamespace
from typing import Any

import pytest

from aigc_evals.errors import EndpointError
from aigc_evals.failures import as_endpoint_error, http_error, is_filtered

PASSING, FINAL = True, False


def told(error: Exception) -> tuple[str, bool]:
    found = as_endpoint_error(error)
    return found.kind, found.retryable


STATUSES = [
    (400, "bad_request", FINAL),
    (401, "auth", FINAL),
    (403, "auth", FINAL),
    (404, "not_found", FINAL),
    (408, "timeout", PASSING),
    (429, "rate_limit", PASSING),
    (500, "server", PASSING),
    (503, "server", PASSING),
]


@pytest.mark.parametrize("status, kind, passing", STATUSES)
def test_a_status_decides_whoever_tells_of_it(status: int, kind: str, passing: bool) -> None:
    import aiohttp
    import httpx
    import requests

    response = requests.Response()
    response.status_code = status
    response.headers["Retry-After"] = "7"
    request = httpx.Request("POST", "http://localhost/")
    headers = Message()
    headers["Retry-After"] = "7"
    with urllib.error.HTTPError("http://localhost/", status, "no", headers, io.BytesIO()) as of_urllib:
        errors: list[Exception] = [
            requests.HTTPError("no", response=response),
            httpx.HTTPStatusError("no", request=request, response=httpx.Response(status, headers={"Retry-After": "7"})),
            aiohttp.ClientResponseError(
                SimpleNamespace(real_url="http://localhost/"),  # type: ignore[arg-type]
                (),
                status=status,
                headers={"Retry-After": "7"},  # type: ignore[arg-type]
            ),
            of_urllib,
        ]
        for error in errors:
            found = as_endpoint_error(error)
            assert (found.kind, found.retryable, found.status) == (kind, passing, status), error
            assert found.retry_after == (7.0 if passing else None), error


def requests_errors() -> list[tuple[Exception, str, bool]]:
    import requests.exceptions as r

    return [
        (r.ConnectionError("refused"), "connection", PASSING),
        (r.ConnectTimeout("slow"), "timeout", PASSING),
        (r.ReadTimeout("slow"), "timeout", PASSING),
        (r.ProxyError("down"), "connection", PASSING),
        (r.ChunkedEncodingError("cut"), "bad_reply", PASSING),
        (r.JSONDecodeError("no JSON", "<html>", 0), "bad_reply", PASSING),
        (r.SSLError("not trusted"), "bad_request", FINAL),
        (r.MissingSchema("no scheme"), "bad_request", FINAL),
        (r.InvalidURL("no host"), "bad_request", FINAL),
        (r.TooManyRedirects("round and round"), "bad_request", FINAL),
    ]


def httpx_errors() -> list[tuple[Exception, str, bool]]:
    import httpx

    return [
        (httpx.ConnectError("refused"), "connection", PASSING),
        (httpx.ReadTimeout("slow"), "timeout", PASSING),
        (httpx.PoolTimeout("busy"), "timeout", PASSING),
        (httpx.RemoteProtocolError("cut"), "connection", PASSING),
        (httpx.DecodingError("broken"), "bad_reply", PASSING),
        (httpx.UnsupportedProtocol("no scheme"), "bad_request", FINAL),
        (httpx.InvalidURL("no host"), "bad_request", FINAL),
        (httpx.TooManyRedirects("round and round"), "bad_request", FINAL),
    ]


def aiohttp_errors() -> list[tuple[Exception, str, bool]]:
    import aiohttp
    from aiohttp.client_reqrep import ConnectionKey

    info = SimpleNamespace(real_url="http://localhost/")
    key = ConnectionKey("localhost", 443, True, True, None, None, None)
    certificate: Any = ssl.SSLCertVerificationError("not trusted")
    return [
        (aiohttp.ServerDisconnectedError(), "connection", PASSING),
        (aiohttp.ClientConnectorError(key, OSError(errno.ECONNREFUSED, "refused")), "connection", PASSING),
        (aiohttp.ServerTimeoutError(), "timeout", PASSING),
        (aiohttp.ClientPayloadError("cut"), "bad_reply", PASSING),
        (aiohttp.ContentTypeError(info, (), status=200), "bad_reply", PASSING),  # type: ignore[arg-type]
        (aiohttp.InvalidURL("x"), "bad_request", FINAL),
        (aiohttp.ClientConnectorCertificateError(key, certificate), "bad_request", FINAL),
    ]


def system_errors() -> list[tuple[Exception, str, bool]]:
    return [
        (ConnectionResetError("reset"), "connection", PASSING),
        (TimeoutError(), "timeout", PASSING),
        (socket.gaierror(socket.EAI_AGAIN, "try again"), "connection", PASSING),
        (OSError(errno.ENETUNREACH, "unreachable"), "connection", PASSING),
        (OSError(errno.EMFILE, "too many open files"), "connection", PASSING),
        (http.client.IncompleteRead(b""), "connection", PASSING),
        (http.client.InvalidURL("x"), "bad_request", FINAL),
        (urllib.error.URLError(ConnectionRefusedError("refused")), "connection", PASSING),
        (urllib.error.URLError(TimeoutError("slow")), "timeout", PASSING),
        (ssl.SSLCertVerificationError("not trusted"), "bad_request", FINAL),
        (ssl.SSLEOFError("cut"), "connection", PASSING),
        (FileNotFoundError(errno.ENOENT, "no weights"), "code", FINAL),
        (PermissionError(errno.EACCES, "not yours"), "code", FINAL),
        (OSError(errno.ENOSPC, "full"), "code", FINAL),
        (OSError("what"), "code", FINAL),
        (KeyError("body"), "code", FINAL),
        (json.JSONDecodeError("no JSON", "x", 0), "code", FINAL),
        (RuntimeError("CUDA out of memory"), "code", FINAL),
    ]


@pytest.mark.parametrize("errors", [requests_errors, httpx_errors, aiohttp_errors, system_errors])
def test_errors_without_a_status_are_known_by_their_class(errors: Any) -> None:
    for error, kind, passing in errors():
        assert told(error) == (kind, passing), repr(error)


def test_a_reply_that_a_client_cannot_read_is_not_the_users_mistake() -> None:
    import httpx

    with pytest.raises(json.JSONDecodeError) as caught:
        httpx.Response(200, text="<html>网关</html>").json()
    assert told(caught.value) == ("bad_reply", PASSING)
    with pytest.raises(json.JSONDecodeError) as own:
        json.loads("<html>")
    assert told(own.value) == ("code", FINAL)


def test_subclasses_count_as_what_they_derive_from() -> None:
    import requests

    class OwnError(requests.ConnectionError):
        pass

    assert told(OwnError("down")) == ("connection", PASSING)


def test_an_error_with_a_class_name_alone_is_no_librarys_error() -> None:
    class ConnectTimeout(Exception):
        pass

    assert told(ConnectTimeout("mine")) == ("code", FINAL)


def test_a_status_that_is_no_refusal_decides_nothing() -> None:
    class Told(Exception):
        status = 200

    assert told(Told("fine")) == ("code", FINAL)


@pytest.mark.parametrize(
    ("status", "code", "text", "filtered"),
    [
        (400, "content_filter", "内容被过滤", True),
        (400, "content_policy_violation", "no", True),
        (400, "data_inspection_failed", "no", True),
        (400, "DataInspectionFailed", "no", True),
        (500, "content_filter", "in the midst of a stream", True),
        (400, None, "Input data may contain inappropriate content.", True),
        (400, None, "Error code: 400 - {'error': {'code': 'content_filter', 'message': '...'}}", True),
        (400, None, "triggering Azure OpenAI's content management policy", True),
        (400, "invalid_request_error", "Content Exists Risk", True),
        (400, "1301", "系统检测到输入或生成内容可能包含不安全或敏感内容", True),
        (400, "1301", "System detected potentially unsafe or sensitive content in input or generation.", True),
        (400, "1301", "something else of another provider", False),
        (400, None, "Unrecognized request argument supplied: content_filter", False),
        (400, "context_length_exceeded", "too many tokens", False),
        (500, None, "the content filter is down", False),
        (401, None, "content_filter", False),
        (400, None, "", False),
    ],
)
def test_what_a_content_filter_says_is_known(status: int, code: str | None, text: str, filtered: bool) -> None:
    assert is_filtered(http_error(status, text, {}, code=code)) is filtered


def test_what_is_known_already_stays_as_it_is() -> None:
    error = EndpointError("x", kind="quota")
    assert as_endpoint_error(error) is error


def test_a_grpc_status_decides() -> None:
    grpc = pytest.importorskip("grpc")

    class Call(grpc.RpcError):  # type: ignore[misc]
        def __init__(self, status: Any) -> None:
            self.status = status

        def code(self) -> Any:
            return self.status

        def details(self) -> str:
            return "详情"

    expected = {
        "UNAVAILABLE": ("connection", PASSING),
        "DEADLINE_EXCEEDED": ("timeout", PASSING),
        "RESOURCE_EXHAUSTED": ("rate_limit", PASSING),
        "INTERNAL": ("server", PASSING),
        "UNAUTHENTICATED": ("auth", FINAL),
        "UNIMPLEMENTED": ("not_found", FINAL),
        "INVALID_ARGUMENT": ("bad_request", FINAL),
    }
    for name, answer in expected.items():
        error = as_endpoint_error(Call(getattr(grpc.StatusCode, name)))
        assert (error.kind, error.retryable) == answer
        assert str(error) == f"{name}: 详情"
    assert told(grpc.FutureTimeoutError()) == ("timeout", PASSING)


def test_telling_errors_apart_loads_no_library() -> None:
    code = (
        "import sys; from aigc_evals.failures import as_endpoint_error\n"
        "assert as_endpoint_error(ValueError('x')).kind == 'code'\n"
        "print([name for name in ('requests', 'httpx', 'aiohttp', 'grpc', 'openai', 'urllib3') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
