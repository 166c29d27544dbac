"""The command line as a user runs it: real processes in an environment of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BIN = Path(sys.executable).parent
RUN = "exec_aigc_evals"
SET = "exec_aigc_evalset"
LONGEST = 60.0
"""Seconds after which a process counts as hanging."""


@dataclass(frozen=True)
class Finished:
    """A process that has ended: ``report`` is the final report where ``--json`` was given."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def report(self) -> dict[str, Any]:
        assert self.out.strip(), self.err
        report: dict[str, Any] = json.loads(self.out)
        return report

    @property
    def message(self) -> str:
        """The one message of a run that could not begin; fails where there was a traceback."""
        assert "Traceback" not in self.err, self.err
        assert self.out == ""
        return self.err


def environment(home: Path, base_url: str | None = None, **more: str) -> dict[str, str]:
    """An environment with nothing of the developer's: home, temporary folder and endpoint are the test's own."""
    kept = {key: value for key, value in os.environ.items() if key in ("PATH", "LANG", "SYSTEMROOT", "PYTHONPATH")}
    temporary = home / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    made = {**kept, "HOME": str(home), "TMPDIR": str(temporary), "PYTHONWARNINGS": "error"}
    if base_url is not None:
        made["OPENAI_BASE_URL"] = base_url
    return {**made, **more}


def start(
    *args: object,
    env: Mapping[str, str],
    program: str = RUN,
    stdout: Any = subprocess.PIPE,
    stderr: Any = subprocess.PIPE,
    cwd: Path | None = None,
    preexec: Any = None,
) -> subprocess.Popen[str]:
    """Start a command in a session of its own, with all signals as a shell would leave them."""

    def prepare() -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        if preexec is not None:
            preexec()

    return subprocess.Popen(
        [str(BIN / program), *map(str, args)],
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        encoding="utf-8",
        errors="backslashreplace",
        start_new_session=True,
        cwd=cwd or env["HOME"],
        preexec_fn=prepare,
    )


def finish(process: subprocess.Popen[str], *, timeout: float = LONGEST, began: float | None = None) -> Finished:
    """Wait for the end of a process; one that hangs is killed and fails the test."""
    began = time.monotonic() if began is None else began
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"the process hung for {timeout} s\n{out}\n{err}") from None
    return Finished(process.returncode, out or "", err or "", time.monotonic() - began)


def run(
    *args: object,
    env: Mapping[str, str],
    program: str = RUN,
    timeout: float = LONGEST,
    cwd: Path | None = None,
    preexec: Any = None,
) -> Finished:
    """Run a command to its end."""
    began = time.monotonic()
    return finish(start(*args, env=env, program=program, cwd=cwd, preexec=preexec), timeout=timeout, began=began)
