"""Whole processes and what they cost: CPU and peak memory as the operating system accounts them, and wall time."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """What one finished process cost: CPU seconds (user and system), wall seconds, peak resident memory in MB."""

    cpu: float
    wall: float
    peak_mb: float


def cost(command: Sequence[str], environ: Mapping[str, str] | None = None) -> Cost:
    """Run ``command`` to its end; RuntimeError with its output when it fails."""
    with tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environ or {})},
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            text = output.read().decode("utf-8", "replace")
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{text[-3000:]}")
    return Cost(
        usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1 << 20)
    )


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def command(name: str) -> str:
    """The installed command of that name, beside the Python that runs this."""
    found = Path(sys.executable).with_name(name)
    if not found.exists():
        raise SystemExit(f"{found} does not exist: install the package in this environment first")
    return str(found)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows as a Markdown table, the first one its head."""
    head, *body = [[str(cell) for cell in row] for row in rows]
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
