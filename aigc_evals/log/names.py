"""Where logs lie that nobody gave a path, what they are called, and which of them is a run's."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from aigc_evals.log import read_report, read_spec


def default_log_dir() -> Path:
    """Where logs go without ``record_path``."""
    return Path(tempfile.gettempdir()) / "evallogs"


def log_name(run_id: str, completion_fns: Sequence[str], eval_name: str) -> str:
    """The file name of a log; characters that some file system refuses are replaced."""
    name = re.sub(r'[\s/\\:*?"<>|\x00-\x1f]', "_", f"{','.join(completion_fns)}_{eval_name}")
    # File systems count bytes, 255 of them.
    name = name.encode()[:200].decode("utf-8", "ignore")
    return f"{run_id}_{name}.jsonl"


def find_log(
    folder: Path, completion_fns: Sequence[str], eval_name: str, *, finished: bool | None = None
) -> Path | None:
    """The newest log of these functions and this eval; only (un)finished ones where ``finished`` is given."""
    suffix = log_name("", completion_fns, eval_name)
    found = [path for path in folder.glob("*.jsonl") if path.name.endswith(suffix)]
    for path in sorted(found, key=_age, reverse=True):
        spec = read_spec(path)
        if spec is None or spec.get("eval_name") != eval_name or spec.get("completion_fns") != list(completion_fns):
            continue
        if finished is None or finished == is_finished(path):
            return path
    return None


def _age(path: Path) -> tuple[str, int]:
    """What logs are ordered by: the second they were begun in, and for those of one second, when they were last written."""
    try:
        return path.name[:12], path.stat().st_mtime_ns
    except OSError:
        return path.name[:12], 0


def is_finished(path: Path) -> bool:
    """Whether a log has a final report of a run that was not stopped early."""
    report = read_report(path)
    return report is not None and not report.get("partial")
