"""Sends a run's events to an HTTP receiver, in batches.

A batch is a JSON array of events, POSTed under an ``Idempotency-Key`` that stays the same however often it is sent; the
final report follows as an event of type ``final_report``. What does not arrive stays in the log: ``replay`` sends it.
"""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from aigc_evals import __version__
from aigc_evals.errors import UsageError
from aigc_evals.failures import retry_after
from aigc_evals.redact import MARK
from aigc_evals.sinks import Delivery
from aigc_evals.sinks.carrier import Answer, How, Run
from aigc_evals.sinks.delivery import DeliverySink, at_least_one, deliver_log
from aigc_evals.sinks.ledger import Batch

if TYPE_CHECKING:
    import requests

_LONGEST_WAIT_ASKED_FOR = 60.0
_READ_OF_REPLY = 1 << 16
_PASSING = frozenset({408, 429})


class HttpSink(DeliverySink):
    """Delivers to ``url`` while the run goes on, in a thread that reads the log.

    ``timeout`` is seconds for one request, ``max_retries`` bounds its repeats before the batch is put aside until the end.
    A batch that is not full goes after ``flush_seconds``. ``close`` takes at most about ``close_seconds``, and much
    less when the receiver is dead. More than ``fail_percent_threshold`` percent undelivered is over the threshold.
    """

    def __init__(
        self,
        url: str,
        *,
        batch_size: int = 100,
        fail_percent_threshold: float = 5,
        timeout: float = 10.0,
        max_retries: int = 5,
        flush_seconds: float = 1.0,
        close_seconds: float = 30.0,
    ) -> None:
        check_url(url, "http-run-url")
        how = How(at_least_one(batch_size, "http-batch-size"), max_retries, flush_seconds)
        carrier = _HttpCarrier(url, timeout)
        super().__init__(carrier, how, fail_percent_threshold=fail_percent_threshold, close_seconds=close_seconds)


def replay(
    log_path: str | Path, url: str, *, batch_size: int = 100, timeout: float = 10.0, max_retries: int = 5
) -> Delivery:
    """Send what the receiver at ``url`` does not have of a log, its report included; says what this call delivered.

    Ends early when the receiver is dead, and can be called again. UsageError for what is not a log or not an address.
    """
    check_url(url, "url")
    how = How(at_least_one(batch_size, "http-batch-size"), max_retries)
    return deliver_log(log_path, _HttpCarrier(url, timeout), how)


class _Silent(logging.Filter):
    """Keeps a URL's query, which may hold a password, out of the debugging messages of the HTTP library."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._query = urlsplit(url).query

    def filter(self, record: logging.LogRecord) -> bool:
        return not self._query or self._query not in record.getMessage()


class _HttpCarrier:
    """POSTs batches over one connection. The receiver cannot be asked what it has: the ledger knows."""

    name = "http"
    flag = "--url"

    def __init__(self, url: str, timeout: float) -> None:
        self.key = url
        self.shown = masked(url)
        self._timeout = timeout
        self._run_id = ""
        self._session: requests.Session | None = None
        self._chatter = logging.getLogger("urllib3.connectionpool")
        self._silent = _Silent(url)

    def meet(self, run: Run) -> Answer:
        import requests

        self._run_id = str(run.spec["run_id"])
        self._chatter.addFilter(self._silent)
        self._session = requests.Session()
        self._session.headers.update(
            {"Content-Type": "application/json; charset=utf-8", "User-Agent": f"aigc_evals/{__version__}"}
        )
        return Answer(True)

    def send(self, batch: Batch, body: bytes, seconds: float) -> Answer:
        import requests

        if self._session is None:
            return Answer(False, False, "no session")
        timeout = max(0.05, min(self._timeout, seconds))
        try:
            with self._session.post(
                self.key,
                data=body,
                headers={"Idempotency-Key": f"{self._run_id}-{batch.first}-{batch.last}"},
                timeout=timeout,
                # A redirected POST would become a GET.
                allow_redirects=False,
                stream=True,
            ) as reply:
                status, headers = reply.status_code, reply.headers
                # Read for the connection's sake; that the batch was taken is said by the status alone.
                with contextlib.suppress(Exception):
                    reply.raw.read(_READ_OF_REPLY, decode_content=False)
        # What these say themselves holds the URL, and so perhaps a password.
        except requests.Timeout:
            return Answer(False, True, f"no reply within {timeout:.3g} s")
        except requests.exceptions.SSLError:
            return Answer(False, True, "no secure connection")
        except requests.ConnectionError:
            return Answer(False, True, "no connection")
        except (requests.RequestException, ValueError) as error:
            return Answer(False, False, type(error).__name__)
        if 200 <= status < 300:
            return Answer(True)
        if status in _PASSING or status >= 500:
            return Answer(False, True, f"HTTP {status}", min(retry_after(headers) or 0.0, _LONGEST_WAIT_ASKED_FOR))
        return Answer(False, False, f"HTTP {status}")

    def close(self) -> None:
        self._chatter.removeFilter(self._silent)
        if self._session is not None:
            self._session.close()
            self._session = None


def masked(url: str) -> str:
    """``url`` fit to be shown: without its user, password and the values of its query."""
    parts = urlsplit(url)
    host = f"{MARK}@{parts.netloc.rpartition('@')[2]}" if "@" in parts.netloc else parts.netloc
    fields = (field.partition("=") for field in parts.query.split("&") if field)
    query = "&".join(f"{name}={MARK}" if equals else MARK for name, equals, _ in fields)
    return urlunsplit((parts.scheme, host, parts.path, query, ""))


def check_url(url: str, key: str) -> None:
    """UsageError unless ``url`` is an http or https address."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or any(character.isspace() for character in url):
        # Not shown: what is no URL cannot be freed of its password.
        raise UsageError("events are sent to an http:// or https:// address, and this is none", key=key)
