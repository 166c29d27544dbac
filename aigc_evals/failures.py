"""What a failed call means: whatever was raised or answered, as an EndpointError that says if it may pass."""

from __future__ import annotations

import asyncio
import math
import time
from typing import Any

from aigc_evals.errors import EndpointError

_NETWORK_ERRORS = (ConnectionError, TimeoutError, asyncio.TimeoutError)


def as_endpoint_error(error: Exception) -> EndpointError:
    """Any failure of a call as an EndpointError: what kind it is and whether it may pass.

    Errors of HTTP clients are known by their ``status_code`` (or ``response.status_code``) and ``response.headers``.
    """
    if isinstance(error, EndpointError):
        return error
    if isinstance(error, _NETWORK_ERRORS):
        timeout = isinstance(error, (TimeoutError, asyncio.TimeoutError))
        text = str(error) or ("no answer in time" if timeout else type(error).__name__)
        return EndpointError(text, kind="timeout" if timeout else "connection", retryable=True)
    response = getattr(error, "response", None)
    status = getattr(error, "status_code", None) or getattr(response, "status_code", None)
    if isinstance(status, int):
        return http_error(status, f"{type(error).__name__}: {error}", getattr(response, "headers", None) or {})
    name = type(error).__name__
    retryable = name in (
        "APIConnectionError",
        "APITimeoutError",
        "ConnectTimeout",
        "ReadTimeout",
        "ChunkedEncodingError",
    )
    if retryable or any(base.__name__ == "RequestException" for base in type(error).__mro__):
        kind = "timeout" if "Timeout" in name else "connection"
        return EndpointError(f"{name}: {error}", kind=kind, retryable=True)
    return EndpointError(f"{name}: {error}", kind="code")


def http_error(
    status: int, message: str, headers: Any, *, code: str | None = None, param: str | None = None
) -> EndpointError:
    """The EndpointError of an HTTP status (``headers`` may carry ``Retry-After``)."""
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
