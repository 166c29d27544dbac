"""What the commands share about the terminal: how wide it is, and JSON on stdout."""

from __future__ import annotations

import json
import os
import struct
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from aigc_evals.cli import main
from aigc_evals.cli.console import say_json
from aigc_evals.columns import bar_size, terminal_columns

pty = pytest.importorskip("pty", reason="a terminal of POSIX")


@pytest.fixture
def terminal() -> Iterator[IO[str]]:
    """A terminal that nobody has told its size."""
    main, side = pty.openpty()
    with open(main, "rb", buffering=0), open(side, "w", encoding="utf-8") as stream:
        yield stream


def use(stream: IO[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let stdout and stderr of this process be ``stream``."""
    monkeypatch.delenv("COLUMNS", raising=False)
    for name in ("stdout", "__stdout__", "stderr"):
        monkeypatch.setattr(sys, name, stream)


def test_a_terminal_says_how_wide_it_is(terminal: IO[str], monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl
    import termios

    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 93, 0, 0))
    use(terminal, monkeypatch)
    assert terminal_columns() == 93
    assert bar_size() == {"dynamic_ncols": True}


def test_on_a_terminal_without_a_size_a_bar_has_a_usual_one(terminal: IO[str], monkeypatch: pytest.MonkeyPatch) -> None:
    use(terminal, monkeypatch)
    assert tuple(os.get_terminal_size(terminal.fileno())) == (0, 0)
    assert bar_size() == {"ncols": 80, "nrows": 24}


def test_what_goes_to_a_file_is_not_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open(tmp_path / "out", "w", encoding="utf-8") as stream:
        use(stream, monkeypatch)
        assert terminal_columns() is None
        assert bar_size() == {"ncols": 80, "nrows": 24}


def test_json_goes_to_stdout_as_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"问": "答\n案", "path": "a"}
    say_json({**value, "path": Path("a")})
    told = capsys.readouterr()
    assert told.out.count("\n") == 1
    assert json.loads(told.out) == value
    assert "问" in told.out
    assert told.err == ""


def test_a_command_that_other_code_calls_leaves_its_process_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """Though a call of a model, which cannot be cancelled, may still be under way in a thread."""
    over = threading.Event()
    busy = threading.Thread(target=over.wait, name="aigc_evals_0")
    busy.start()
    try:
        assert main.main(["--version"]) == 0
        assert main.main(["list", "sets"]) == 0
    finally:
        over.set()
        busy.join()
    assert "quick" in capsys.readouterr().out
