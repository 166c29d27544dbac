"""What the loopback server remembers: counts, whole requests if wanted, and received event batches."""

from __future__ import annotations

import hmac
import time
from collections import Counter
from typing import Any

from aigc_evals.testing.wire import Request

_SECRET_HEADERS = frozenset({"authorization", "api-key", "x-api-key", "cookie", "proxy-authorization"})


class Journal:
    """Counts and recorded requests since the last reset."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.open_connections = 0
        self.clear()

    def clear(self) -> None:
        """Forget everything except what is in flight just now."""
        self.number = 0
        self.ingest_number = 0
        self.connections = 0
        self.max_in_flight = self.in_flight
        self.abandoned = 0
        self.paths: Counter[str] = Counter()
        self.statuses: Counter[int | None] = Counter()
        self.faults: Counter[str] = Counter()
        self.records: list[dict[str, Any]] = []
        self._seen: dict[int, int] = {}
        self.repeats = 0

    def see(self, request: Request) -> int:
        """How often this body has come to this path, with this time."""
        # A hash in place of the body: a benchmark sends a million of them.
        key = hash((request.path, request.body))
        seen = self._seen.get(key, 0) + 1
        self._seen[key] = seen
        if seen > 1:
            self.repeats += 1
        return seen

    def record(self, request: Request, body: Any, authorized: bool, number: int) -> dict[str, Any]:
        """Keep a whole request, without its secrets; its status is filled in when it is known."""
        headers = {name: value for name, value in request.headers().items() if name not in _SECRET_HEADERS}
        entry: dict[str, Any] = {
            "number": number,
            "method": request.method,
            "path": request.path,
            "query": request.query,
            "headers": headers,
            "authorized": authorized,
            "body": body,
            "status": None,
            "fault": None,
            "time": time.time(),
        }
        self.records.append(entry)
        return entry

    def stats(self) -> dict[str, Any]:
        return {
            "requests": self.paths.total(),
            "paths": dict(self.paths),
            "statuses": {"none" if status is None else str(status): n for status, n in self.statuses.items()},
            "distinct": len(self._seen),
            "repeats": self.repeats,
            "in_flight": self.in_flight,
            "max_in_flight": self.max_in_flight,
            "abandoned": self.abandoned,
            "connections": self.connections,
            "open_connections": self.open_connections,
            "faults": dict(self.faults),
        }


class Inbox:
    """The event batches received, each as the bytes that came."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.duplicates = 0
        self._batches: list[dict[str, Any]] = []
        self._raw: list[bytes] = []
        self._keys: set[str] = set()

    def accept(self, key: str | None, raw: bytes, count: int) -> bool:
        """Keep a batch; False when its key was known, and so nothing was kept."""
        if key is not None and key in self._keys:
            self.duplicates += 1
            return False
        if key is not None:
            self._keys.add(key)
        self._batches.append({"key": key, "events": count, "time": time.time()})
        inner = raw.strip()[1:-1].strip()
        if inner:
            self._raw.append(inner)
        return True

    def as_json(self) -> bytes:
        """Everything, with the events' own bytes untouched by any parser."""
        from aigc_evals.testing._json import dumps

        events = b",".join(self._raw)
        return b'{"events":[%s],"batches":%s,"duplicates":%d}' % (
            events,
            dumps(self._batches),
            self.duplicates,
        )


def is_authorized(request: Request, wanted: str | tuple[str, ...] | None) -> bool:
    """Whether the request carries a wanted token; with none wanted, whether it carries any."""
    headers = request.headers()
    given = headers.get("authorization", "")
    token = given[7:].strip() if given[:7].lower() == "bearer " else headers.get("api-key", "")
    if wanted is None:
        return bool(token)
    keys = (wanted,) if isinstance(wanted, str) else wanted
    return any(hmac.compare_digest(token.encode(), key.encode()) for key in keys)
