"""What a failed call means: whatever was raised or answered, as an EndpointError that says if it may pass.

The errors of HTTP and RPC libraries are known by their classes. Those are looked up among the modules that are loaded
already: whoever raised an error of a library has loaded it.
"""

from __future__ import annotations

import asyncio
import errno
import json
import math
import re
import sys
import time
import traceback
from typing import Any

from aigc_evals.errors import EndpointError

RETURN_TYPE = "return_type"
"""``code`` of an EndpointError: a completion function returned what is no answer."""

CONSTRUCTION = "construction"
"""``code`` of an EndpointError: what was to answer could not be made."""

_FILTER_CODES = ("contentfilter", "datainspectionfailed", "contentpolicyviolation")
_FILTER_WORDS = re.compile(
    r"content[ _]?filter|content[ _]management[ _]policy|content[ _]policy[ _]violation|data_?inspection_?failed"
    r"|data may contain inappropriate content|content exists risk|unsafe or sensitive content|不安全或敏感内容",
    re.IGNORECASE,
)
"""What Azure and OpenAI, DashScope, DeepSeek and Zhipu say when their filter declines."""

_OF_A_PARAMETER = re.compile(r"unsupported|unrecognized|unknown|unexpected|not permitted|extra inputs", re.IGNORECASE)

_NETWORK_ERRORS = (ConnectionError, TimeoutError, asyncio.TimeoutError)

_KNOWN: tuple[tuple[str, str, str, bool], ...] = (
    ("requests.exceptions", "JSONDecodeError ChunkedEncodingError ContentDecodingError", "bad_reply", True),
    ("requests.exceptions", "SSLError", "bad_request", False),
    ("requests.exceptions", "Timeout", "timeout", True),
    ("requests.exceptions", "ConnectionError", "connection", True),
    ("requests.exceptions", "RequestException", "bad_request", False),
    ("httpx", "TimeoutException", "timeout", True),
    ("httpx", "UnsupportedProtocol", "bad_request", False),
    ("httpx", "TransportError", "connection", True),
    ("httpx", "DecodingError StreamError", "bad_reply", True),
    ("httpx", "RequestError InvalidURL", "bad_request", False),
    ("aiohttp", "ClientConnectorCertificateError ClientConnectorSSLError", "bad_request", False),
    ("aiohttp", "InvalidURL NonHttpUrlClientError TooManyRedirects", "bad_request", False),
    ("aiohttp", "ContentTypeError ClientPayloadError", "bad_reply", True),
    ("aiohttp", "ClientError", "connection", True),
    ("openai", "APITimeoutError", "timeout", True),
    ("openai", "APIConnectionError", "connection", True),
    ("urllib3.exceptions", "SSLError LocationValueError", "bad_request", False),
    ("urllib3.exceptions", "TimeoutError", "timeout", True),
    ("urllib3.exceptions", "HTTPError", "connection", True),
    ("http.client", "InvalidURL", "bad_request", False),
    ("http.client", "HTTPException", "connection", True),
    ("grpc", "FutureTimeoutError", "timeout", True),
    ("ssl", "SSLCertVerificationError", "bad_request", False),
    ("ssl", "SSLError", "connection", True),
    ("socket", "gaierror herror", "connection", True),
)
"""Errors that carry no status: module, its classes, the kind of failure, and whether the call may succeed later.

The first class that an error is an instance of decides.
"""

_GRPC: dict[str, tuple[str, bool]] = {
    "UNAVAILABLE": ("connection", True),
    "CANCELLED": ("connection", True),
    "DEADLINE_EXCEEDED": ("timeout", True),
    "RESOURCE_EXHAUSTED": ("rate_limit", True),
    "ABORTED": ("server", True),
    "INTERNAL": ("server", True),
    "UNKNOWN": ("server", True),
    "DATA_LOSS": ("server", True),
    "UNAUTHENTICATED": ("auth", False),
    "PERMISSION_DENIED": ("auth", False),
    "NOT_FOUND": ("not_found", False),
    "UNIMPLEMENTED": ("not_found", False),
}
"""Status of a gRPC call -> kind, and whether it may pass (https://grpc.io/docs/guides/status-codes/)."""

_CLIENTS = ("aiohttp", "httpx")
"""Clients that let the error of ``json`` through when a reply is no JSON."""

_SHORTAGES = "EADDRNOTAVAIL ENETDOWN ENETUNREACH ENETRESET EHOSTDOWN EHOSTUNREACH ENOTCONN ENOBUFS EMFILE ENFILE EAGAIN"
"""What the operating system says of a network, or of a shortage, that may be over soon."""


def as_endpoint_error(error: BaseException) -> EndpointError:
    """Any failure of a call as an EndpointError: what kind it is and whether it may pass.

    Errors of HTTP clients are known by their ``status_code`` (or ``response.status_code``, ``status``) and headers, those of
    gRPC by their status, others that libraries and the operating system raise by their class. What is none of these is an
    error in code, which repeating does not mend.
    """
    if isinstance(error, EndpointError):
        return error
    name = type(error).__name__
    text = str(error)
    if isinstance(error, _NETWORK_ERRORS):
        timeout = isinstance(error, (TimeoutError, asyncio.TimeoutError))
        text = text or ("no answer in time" if timeout else name)
        return EndpointError(text, kind="timeout" if timeout else "connection", retryable=True)
    status, headers = _status(error)
    if status is not None:
        return http_error(status, f"{name}: {text}", headers)
    grpc = _grpc_error(error)
    if grpc is not None:
        return grpc
    reason = getattr(error, "reason", None)
    if _is_a(error, "urllib.error", "URLError") and isinstance(reason, Exception):
        return as_endpoint_error(reason)
    for module, classes, kind, passing in _KNOWN:
        if _is_a(error, module, classes):
            return EndpointError(f"{name}: {text}" if text else name, kind=kind, retryable=passing)
    if isinstance(error, json.JSONDecodeError) and _read_by_a_client(error):
        return EndpointError(f"{name}: {text}", kind="bad_reply", retryable=True)
    if isinstance(error, OSError) and _in_short_supply(error):
        return EndpointError(f"{name}: {text}", kind="connection", retryable=True)
    return EndpointError(f"{name}: {text}", kind="code")


def is_filtered(failure: EndpointError) -> bool:
    """Whether a content filter declined the prompt or its answer: a refusal told as an error, and no fault of anybody."""
    if (failure.code or "").replace("_", "").lower() in _FILTER_CODES:
        return True
    told = str(failure)
    return failure.kind == "bad_request" and bool(_FILTER_WORDS.search(told)) and not _OF_A_PARAMETER.search(told)


def _read_by_a_client(error: BaseException) -> bool:
    """Whether it was an HTTP client that read a reply, and not the user's code that read something else."""
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
    return any(str(frame.f_globals.get("__name__")).partition(".")[0] in _CLIENTS for frame in frames)


def _in_short_supply(error: OSError) -> bool:
    name = errno.errorcode.get(error.errno or 0, "")
    return name.removeprefix("WSA") in _SHORTAGES.split()


def _is_a(error: BaseException, module: str, classes: str) -> bool:
    loaded = sys.modules.get(module)
    if loaded is None:
        return False
    found = (getattr(loaded, name, None) for name in classes.split())
    return any(isinstance(cls, type) and isinstance(error, cls) for cls in found)


def _status(error: BaseException) -> tuple[int | None, Any]:
    """The HTTP status of a refusal that an error tells of, and its headers."""
    response = getattr(error, "response", None)
    statuses = (
        getattr(error, "status_code", None),
        getattr(response, "status_code", None),
        getattr(response, "status", None),
        getattr(error, "status", None),
    )
    for status in statuses:
        if isinstance(status, int) and 400 <= status < 600:
            headers = getattr(response, "headers", None)
            if headers is None:
                headers = getattr(error, "headers", None)
            return int(status), headers if hasattr(headers, "get") else {}
    return None, {}


def _grpc_error(error: BaseException) -> EndpointError | None:
    """The failure that an error of gRPC stands for; None for any other error, or one without a status."""
    code = getattr(error, "code", None) if _is_a(error, "grpc", "RpcError") else None
    if not callable(code):
        return None
    status = getattr(code(), "name", None)
    if status is None:
        return None
    details = getattr(error, "details", None)
    told = details() if callable(details) else ""
    kind, passing = _GRPC.get(status, ("bad_request", False))
    return EndpointError(f"{status}: {told}" if told else status, kind=kind, retryable=passing)


def http_error(
    status: int,
    message: str,
    headers: Any,
    *,
    code: str | None = None,
    param: str | None = None,
    passing: bool = False,
) -> EndpointError:
    """The EndpointError of an HTTP status (``headers`` may carry ``Retry-After``).

    ``passing`` says that it may pass, whatever the status says, as the reply itself tells.
    """
    kind, retryable = "bad_request", False
    if status == 429:
        quota = code in ("insufficient_quota", "billing_hard_limit_reached") or "insufficient_quota" in message
        kind, retryable = ("quota", False) if quota else ("rate_limit", True)
    elif status in (401, 403):
        kind = "auth"
    elif status == 404:
        kind = "not_found"
    elif status == 408:
        kind, retryable = "timeout", True
    elif status >= 500 or status in (409, 425):
        kind, retryable = "server", True
    if passing and not retryable:
        kind, retryable = "rate_limit" if status == 429 else "server", True
    return EndpointError(
        message,
        kind=kind,
        retryable=retryable,
        status=status,
        retry_after=retry_after(headers) if retryable else None,
        code=code,
        param=param,
    )


def retry_after(headers: Any, now: float | None = None) -> float | None:
    """Seconds a server asks to wait (``Retry-After`` in seconds or as an HTTP date, ``retry-after-ms``), or None."""
    milliseconds = _finite(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return max(0.0, milliseconds / 1000)
    value = headers.get("Retry-After") or headers.get("retry-after")
    seconds = _finite(value)
    if seconds is not None:
        return max(0.0, seconds)
    if value is None:
        return None
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - (time.time() if now is None else now))
    except (TypeError, ValueError):
        return None


def _finite(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
