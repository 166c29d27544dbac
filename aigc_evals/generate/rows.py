"""What a data set's own code makes: a row that an eval can be run on, and errors that say where it goes wrong."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from numbers import Real
from pathlib import Path
from typing import Any

from aigc_evals.errors import AigcEvalsError, DataError, SampleError, UsageError
from aigc_evals.objects import raised_at

_UNFIT = re.compile(r'[\x00-\x1f\\/:*?"<>|]|^[. ]|[. ]$|^$')


def check_name(name: Any, key: str) -> None:
    """UsageError for what cannot be the name of a file on every system, of a data set or of one of its splits."""
    if not isinstance(name, str) or _UNFIT.search(name):
        hint = "It becomes the name of files: no slash or other mark of paths, and no dot or blank at its ends."
        raise UsageError(f"{name!r} cannot be a name here", key=key, hint=hint)


@contextlib.contextmanager
def explained(told: str, *, path: object = None, line: int | None = None, hint: str | None = None) -> Iterator[None]:
    """An error of a data set's own code as a UsageError: ``told``, what it was, and the place in the code that raised it.

    ``path`` and ``line`` say where the item stands that it is about.
    """
    try:
        yield
    except AigcEvalsError:
        raise
    except SampleError as error:
        raise UsageError(f"{told}: {error}", path=path, line=line, hint=hint) from error
    except Exception as error:
        why = ": ".join(filter(None, (type(error).__name__, str(error))))
        hints = "\n".join(filter(None, (raised_at(error), hint)))
        raise UsageError(f"{told}: {why}", path=path, line=line, hint=hints or None) from error


@contextlib.contextmanager
def of_raw_files(told: str, fetched: Path | None) -> Iterator[None]:
    """``explained``, with what to do where a raw file may be damaged; ``fetched`` is the folder it was fetched to, if it was."""
    try:
        with explained(told):
            yield
    except DataError as error:
        if error.hint is None and fetched is not None:
            again = f"delete the folder {fetched} to have it fetched again"
            error.hint = f"If the file is damaged, {again}, or name a good one with --source."
        raise


class LackedField(DataError, KeyError):
    """A field of a row was asked for that it has not; a KeyError too, as callers that can do without it expect."""


class Row(dict[Any, Any]):
    """An object of a raw file, with the file and perhaps the line that it stands in; LackedField for what it has not."""

    __slots__ = ("_line", "_path")

    def __init__(self, values: Any = (), path: object = None, line: int | None = None) -> None:
        super().__init__(values)
        self._path = path
        self._line = line

    def __missing__(self, key: Any) -> Any:
        there = ", ".join(map(str, self)) or "none"
        raise LackedField(f"there is no field {key!r} in it; its fields: {there}", path=self._path, line=self._line)


def name_lacked_field(make: Callable[[Any], Any], item: Any) -> None:
    """SampleError if what ``make`` asked for in vain is a field of the item, or of an object in it."""
    try:
        make(_rows(item))
    except LackedField as error:
        raise SampleError(error.message) from None
    except Exception:
        return


def _rows(value: Any) -> Any:
    if isinstance(value, Mapping):
        return Row({key: _rows(one) for key, one in value.items()})
    return [_rows(one) for one in value] if isinstance(value, list) else value


def as_ideal(ideal: Any) -> Any:
    """An ideal as evals want it: numbers as text, alone or in a list."""
    if isinstance(ideal, (set, frozenset)):
        ideal = sorted(ideal, key=str)
    if isinstance(ideal, (list, tuple)):
        return [as_ideal(one) for one in ideal]
    # Not a number is how tables say that there is nothing.
    return str(ideal) if isinstance(ideal, Real) and ideal == ideal else ideal


def made_row(made: Any, *, scored: bool, letters: int = 0) -> dict[str, Any]:
    """What ``format_one_json`` gave, as a row. With ``scored`` it must have an ``input`` and an ``ideal`` that the package's
    own ways of scoring can use, an ideal of at most so many ``letters`` of its options (0: of any text). SampleError for what
    cannot be a row.
    """
    if not isinstance(made, Mapping):
        raise SampleError(f"format_one_json gave {_shown(made)} where a mapping with 'input' and 'ideal' is wanted")
    row = dict(made)
    if "ideal" in row:
        row["ideal"] = as_ideal(row["ideal"])
    if scored:
        for key in ("input", "ideal"):
            if key not in row:
                raise SampleError(f"its row has no {key!r}; it has: {', '.join(map(str, row)) or 'nothing'}")
        check_input(row["input"])
        _check_ideal(row["ideal"])
    if letters:
        _check_letters(row, letters)
    return row


def check_input(prompt: Any) -> None:
    """SampleError unless a prompt is a text or messages, each with a role and what it says, that ask something."""
    if isinstance(prompt, str):
        if not prompt.strip():
            raise SampleError(f"it has no question: its 'input' is {_shown(prompt)}")
        return
    if not isinstance(prompt, (list, tuple)) or not prompt:
        raise SampleError(f"'input' must be a text or a list of messages, got {_shown(prompt)}")
    for number, message in enumerate(prompt, 1):
        if not isinstance(message, Mapping) or not isinstance(message.get("role"), str):
            raise SampleError(f"message {number} of 'input' is not an object with a role: {_shown(message)}")
        if not isinstance(message.get("content"), (str, list)):
            raise SampleError(
                f"message {number} of 'input' says nothing: its content is {_shown(message.get('content'))}"
            )
    asking = [number for number, message in enumerate(prompt, 1) if message["role"] == "user"][-1:]
    for number in (*asking, len(prompt)):
        content = prompt[number - 1]["content"]
        if _is_blank(content):
            raise SampleError(f"it has no question: message {number} of 'input' is {_shown(content)}")


def _is_blank(content: Any) -> bool:
    """Whether a message says nothing: a blank text, or parts that are all of them blank texts."""
    if isinstance(content, str):
        return not content.strip()
    return all(isinstance(part, Mapping) and part.get("type") == "text" and _no_text(part) for part in content)


def _no_text(part: Mapping[str, Any]) -> bool:
    text = part.get("text")
    return text is None or (isinstance(text, str) and not text.strip())


def _check_ideal(ideal: Any) -> None:
    ideals = ideal if isinstance(ideal, list) else [ideal]
    if not ideals or any(one is None or one != one or (isinstance(one, str) and not one.strip()) for one in ideals):
        raise SampleError(f"it has no answer: its 'ideal' is {_shown(ideal)}")
    if not all(isinstance(one, str) for one in ideals):
        raise SampleError(f"'ideal' must be a text or a list of texts, got {_shown(ideal)}")


def _check_letters(row: Mapping[str, Any], most: int) -> None:
    from aigc_evals.elsuite.choice_match import options_of

    options = options_of(row)
    for ideal in row["ideal"] if isinstance(row["ideal"], list) else [row["ideal"]]:
        if len(ideal) > most or not set(ideal) <= options.keys():
            raise SampleError(f"its 'ideal' is {ideal!r}, which is none of its options {', '.join(options)}")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
