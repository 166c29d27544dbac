"""What the commands share: messages, the console, and how a process ends."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any


def prepare_console() -> None:
    """Make the console take any text: what its code page lacks is shown escaped, never a reason to fail."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            with contextlib.suppress(OSError, ValueError):
                reconfigure(errors="backslashreplace")


def prepare_logging(debug: bool, log_to_file: str | None) -> None:
    """Messages of the package go to stderr, or to a file."""
    import logging

    try:
        logging.basicConfig(
            format="[%(asctime)s] %(levelname)s %(name)s: %(message)s" if debug or log_to_file else "%(message)s",
            level=logging.DEBUG if debug else logging.INFO if log_to_file else logging.WARNING,
            filename=log_to_file,
            encoding="utf-8" if log_to_file else None,
        )
    except OSError as error:
        from aigc_evals.errors import UsageError

        raise UsageError(f"cannot be written: {error.strerror}", path=log_to_file, key="log_to_file") from None


def say(text: str, stream: Any = None) -> None:
    """Print to stderr (or ``stream``); a terminal that has gone away is not an error."""
    stream = stream or sys.stderr
    try:
        print(text, file=stream, flush=True)
    except (OSError, ValueError):
        _mute(stream)


def _mute(stream: Any) -> None:
    """Let what a stream still holds go nowhere: flushing it again at the end of the process would fail the process."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def guarded(work: Callable[[Sequence[str]], int], argv: Sequence[str]) -> int:
    """Run a command; the user's own mistakes end in one message and exit code 2, never in a traceback."""
    prepare_console()
    from aigc_evals.errors import AigcEvalsError, UsageError

    try:
        return work(argv)
    except UsageError as error:
        say(f"error: {_safe(str(error))}")
        return 2
    except AigcEvalsError as error:
        say(f"error: {_safe(str(error))}")
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return 130


def _safe(text: str) -> str:
    from aigc_evals.redact import Redactor

    return Redactor.from_environment(os.environ).text(text)


def leave(code: int) -> int:
    """End the process with ``code`` at once when threads are still busy (a blocking call cannot be cancelled)."""
    busy = [t for t in threading.enumerate() if t is not threading.main_thread() and t.name.startswith("aigc_evals")]
    if busy:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)
    return code
