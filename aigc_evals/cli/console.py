"""What the commands share: messages, the console, and how a process ends."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence
    from typing import Any

    from aigc_evals.cli.flags import Command


def prepare_console() -> None:
    """Make the console take any text: what its code page lacks is shown escaped, never a reason to fail.

    Where the process was started without one, nothing else may get its descriptors (uvloop aborts when it does).
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            try:
                reconfigure(errors="backslashreplace")
            except (OSError, ValueError):
                continue


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


def say_json(value: Any) -> None:
    """Print a value to stdout as one line of JSON."""
    from aigc_evals.fastjson import encode_text

    say(encode_text(value), sys.stdout)


def _mute(stream: Any) -> None:
    """Let what a stream still holds go nowhere: flushing it again at the end of the process would fail the process."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (OSError, ValueError, AttributeError):
        return


def words_of(argv: Sequence[str] | None) -> list[str]:
    """What a command was given: its ``argv``, or without one what the process was."""
    return sys.argv[1:] if argv is None else list(argv)


def run_command(
    command: Command, work: Callable[[argparse.Namespace, str], int], words: Sequence[str], *, is_process: bool
) -> int:
    """The whole life of a command: help and version, ``work(arguments, command line)``, and its exit code.

    The user's own mistakes end in one message and exit code 2, never in a traceback. ``is_process`` says that the process
    is this command, and ends with it at once; else it was called by other code, which goes on.
    """
    code = _run(command, work, words)
    if _flushed() and is_process:
        # A blocking call in a thread cannot be cancelled.
        os._exit(code)
    return code


def _run(command: Command, work: Callable[[argparse.Namespace, str], int], words: Sequence[str]) -> int:
    prepare_console()
    if "--help" in words or "-h" in words:
        say(command.help, sys.stdout)
        return 0
    if "--version" in words:
        from aigc_evals import __version__

        say(__version__, sys.stdout)
        return 0
    return _guarded(command, work, words)


def _guarded(command: Command, work: Callable[[argparse.Namespace, str], int], words: Sequence[str]) -> int:
    import contextlib
    import shlex

    from aigc_evals.errors import AigcEvalsError, UsageError

    # So that module:attr finds a module of the folder one works in; last, so that it can hide none of Python's own.
    with contextlib.suppress(OSError):
        sys.path.append(os.getcwd())
    try:
        return work(command.parse(words), shlex.join([command.name, *words]))
    except UsageError as error:
        say(f"error: {safe(str(error))}")
        return 2
    except AigcEvalsError as error:
        say(f"error: {safe(str(error))}")
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return 130


def safe(text: str) -> str:
    """A text without the secrets of the environment."""
    from aigc_evals.redact import Redactor

    return Redactor.from_environment(os.environ).text(text)


def _flushed() -> bool:
    """Bring out what was printed; whether threads of this package are still busy."""
    threading = sys.modules.get("threading")
    threads = threading.enumerate() if threading is not None else []
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            _mute(stream)
    return any(thread.name.startswith("aigc_evals") for thread in threads)
