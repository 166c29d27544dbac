"""The errors a user of the package can meet.

AigcEvalsError
├── UsageError            the user's own mistake (command line, registry, data, settings): exit code 2
│   └── DataError         a data file cannot be read (a ValueError too, as callers of the data functions expect)
├── RunError              the run itself failed or went over a limit: exit code 1
└── EndpointError         a model call failed; says whether the same call may succeed later
SampleError               one sample is malformed (an AssertionError and a ValueError, as callers expect)
"""

from __future__ import annotations

from collections.abc import Iterable


class AigcEvalsError(Exception):
    """Root of the package's errors; its text is written for the user."""


class UsageError(AigcEvalsError):
    """A mistake of the user: what was wrong, where, and what to do.

    ``path``, ``line``, ``column`` and ``key`` say where; ``hint`` says what to do. Lines and columns count from 1.
    """

    def __init__(
        self,
        message: str,
        *,
        path: object = None,
        line: int | None = None,
        column: int | None = None,
        key: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.path = None if path is None else str(path)
        self.line = line
        self.column = column
        self.key = key
        self.hint = hint

    def __str__(self) -> str:
        place = self.path or ""
        if place and self.line is not None:
            place += f":{self.line}"
            if self.column is not None:
                place += f":{self.column}"
        if self.key is not None:
            place += f" [{self.key}]" if place else f"[{self.key}]"
        text = f"{place}: {self.message}" if place else self.message
        return f"{text}\n{self.hint}" if self.hint else text


class DataError(UsageError, ValueError):
    """A data file that cannot be read; a ValueError too, as callers of the data functions expect."""


class RunError(AigcEvalsError):
    """The run ended without a result that may be trusted (a limit was passed, nothing could be scored)."""


class EndpointError(AigcEvalsError):
    """A call of a completion function failed.

    ``kind`` is one of ``rate_limit``, ``server``, ``timeout``, ``connection``, ``bad_reply``, ``auth``, ``not_found``,
    ``quota``, ``bad_request``, ``code``. ``retryable`` says that the same call may succeed later; ``retry_after`` is
    the server's own wish in seconds. ``status`` is the HTTP status where there was one. ``final`` is set once retries
    are used up, so that nobody further out tries again.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: str,
        retryable: bool = False,
        status: int | None = None,
        retry_after: float | None = None,
        code: str | None = None,
        param: str | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.retryable = retryable
        self.status = status
        self.retry_after = retry_after
        self.code = code
        self.param = param
        self.final = False


class SampleError(AssertionError, ValueError):
    """A sample lacks what its eval needs, or has it in the wrong type."""


def nearest(name: str, names: Iterable[str], n: int = 5) -> str:
    """``Did you mean: a, b`` for the known names nearest to ``name``; empty when none is near."""
    import difflib

    close = difflib.get_close_matches(name, list(names), n=n, cutoff=0.5)
    return "Did you mean: " + ", ".join(close) if close else ""
