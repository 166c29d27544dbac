"""Who a completion function is, as far as its answers go: the part of the cache's key that is not the request's own."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from aigc_evals.fastjson import encode
from aigc_evals.redact import MARK, Redactor

_SECRET = ("api_key", "secrets")
_LIMITS = ("timeout", "retries", "max_concurrency")
_LEARNED = ("_adjusted", "_proxy")
_NOT_IDENTITY = frozenset((*_SECRET, *_LIMITS, *_LEARNED, "registry", "cache_key"))


@dataclass(frozen=True)
class Identity:
    """Who answers: what entries are listed by, and a digest of everything that tells this function from others."""

    endpoint: str
    model: str
    digest: bytes


def identity(fn: Any) -> Identity | None:
    """Who ``fn`` is; None where that cannot be told, so that its answers are not kept.

    A function is known by an ``endpoint`` and a ``model`` (both texts), or by a ``cache_key`` (any plain value). It is told
    from others by its class and the ``cache_key``, or where it has none the plain values it holds. What it names as
    ``secrets``, what has the name or the shape of a secret, and limits (``timeout`` and the like) take no part in that.
    """
    if getattr(fn, "records_sampling", False) or getattr(fn, "composite", False):
        return None
    endpoint, model, key = (getattr(fn, name, None) for name in ("endpoint", "model", "cache_key"))
    key = None if callable(key) else key
    if not (isinstance(endpoint, str) and endpoint and isinstance(model, str) and model):
        if key is None:
            return None
        endpoint, model = (value if isinstance(value, str) else "" for value in (endpoint, model))
    secrets = getattr(fn, "secrets", ())
    redactor = (
        Redactor(str(secret) for secret in secrets if secret) if isinstance(secrets, (list, tuple)) else Redactor()
    )
    api_key = getattr(fn, "api_key", None)
    of_headers = Redactor((api_key,) if isinstance(api_key, str) else ())
    named = fn if hasattr(fn, "__qualname__") else type(fn)
    facts = [
        f"{named.__module__}.{named.__qualname__}",
        redactor.text(endpoint),
        model,
        Redactor().value(key),
        _facts(fn, redactor, of_headers, deeper=True) if key is None else None,
    ]
    name = redactor.text(endpoint) or str(facts[0])
    return Identity(name, model or str(facts[3]), sha256(encode(facts)).digest())


def _facts(thing: Any, redactor: Redactor, of_headers: Redactor, *, deeper: bool) -> dict[str, Any]:
    """The plain values that an object holds; of the objects it holds in turn, with ``deeper``, theirs as well.

    A function may name any header as a secret; those that have not the name or the shape of one, and are not its key,
    count all the same: they may decide who answers.
    """
    found: dict[str, Any] = {}
    for name, value in sorted(getattr(thing, "__dict__", {}).items()):
        if name in _NOT_IDENTITY or value is None:
            continue
        if _is_plain(value):
            headers = name.strip("_").lower().endswith("headers")
            masked = _without_marks((of_headers if headers else redactor).value({name: value}))
            found.update(masked)
        elif deeper and hasattr(value, "__dict__") and not isinstance(value, type):
            found[name] = [type(value).__qualname__, _facts(value, redactor, of_headers, deeper=False)]
    return found


def _is_plain(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(name, str) and _is_plain(item) for name, item in value.items())
    return value is None or isinstance(value, (str, int, float))


def _without_marks(value: Any) -> Any:
    """Whether there is a key or none is nobody's identity either."""
    if isinstance(value, dict):
        return {name: _without_marks(item) for name, item in value.items() if item != MARK}
    return value
