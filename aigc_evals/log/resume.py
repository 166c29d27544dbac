"""Continuing a log: whether it is the same run's, what it holds, and from where it goes on."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from aigc_evals.base import Event, JudgeRule
from aigc_evals.errors import RunError, UsageError
from aigc_evals.fastjson import encode, without_keys
from aigc_evals.files import replacement
from aigc_evals.log import LogFile, LogState, read_samples, read_spec
from aigc_evals.redact import MARK


class DifferentRunError(UsageError):
    """A log was to be continued that a run with other settings, functions or data made."""


def continue_log(
    file: LogFile, spec: dict[str, Any], retry: Collection[str], take_in: Callable[[list[Event]], None]
) -> tuple[LogFile, LogState]:
    """Read what an open log of the run ``spec`` holds; ``take_in`` gets the events of each finished sample.

    Samples that ended in one of the outcomes ``retry`` are taken out of the log first. The state returned says where the
    part that counts ends; the file is as it was beyond it. UsageError for a file that is no log, or another run's.
    """
    path = file.path
    old = read_spec(path)
    if old is None:
        raise UsageError(
            "this file exists and is not a log of aigc_evals", path=path, hint="Choose another --record_path."
        )
    different = differences(old, spec)
    if different:
        raise DifferentRunError(
            "this log belongs to a different run: " + "; ".join(different),
            path=path,
            hint="Choose another --record_path, or give the settings the log was made with.",
        )
    if retry:
        file.close()
        without_samples(path, retry)
        file = LogFile.open(path)
    last = LogState(old, None, 0, 0)
    for group, state in read_samples(path):
        last = state
        if group:
            take_in(group)
    return file, last


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What keeps two specs from being the same run, one phrase each: eval, model, data, or settings that move results."""
    found: list[str] = []
    for key in ("eval_name", "completion_fns"):
        _compare(key, old.get(key), new.get(key), found)
    before, after = old.get("run_config") or {}, new.get("run_config") or {}
    for key in ("seed", "max_samples", "completion_args"):
        _compare(key, before.get(key), after.get(key), found)
    _compare("repeats", before.get("repeats", 1), after.get("repeats", 1), found)
    _compare("data", _contents(before.get("data")), _contents(after.get("data")), found)
    judges = before.get("judge") or {}, after.get("judge") or {}
    if "judge" in before or judges[1].get("rule") in (JudgeRule.NAMED, JudgeRule.ENVIRONMENT):
        _compare("judge", judges[0].get("name"), judges[1].get("name"), found)
    for key in ("cls", "args"):
        _compare(key, (before.get("eval_spec") or {}).get(key), (after.get("eval_spec") or {}).get(key), found)
    return found


def _contents(data: Any) -> Any:
    """What was read, wherever it lay."""
    return without_keys(data, frozenset({"files"}))


def _compare(name: str, old: Any, new: Any, found: list[str]) -> None:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            _compare(f"{name}.{key}", old.get(key), new.get(key), found)
    elif old != new and not _alike(old, new):
        found.append(f"{name} was {_short(old)}, is now {_short(new)}")


def _alike(old: Any, new: Any) -> bool:
    """Whether two texts are the same but for what is masked in one of them: versions differ in what they hold for secret."""
    if not (isinstance(old, str) and isinstance(new, str)):
        return False
    return any(
        MARK in masked and re.fullmatch(".*".join(map(re.escape, masked.split(MARK))), other, re.DOTALL)
        for masked, other in ((old, new), (new, old))
    )


def _short(value: Any) -> str:
    text = encode(value).decode()
    return text if len(text) <= 80 else text[:77] + "..."


def without_samples(path: Path, outcomes: Collection[str]) -> int:
    """Rewrite a log without the samples that ended in one of ``outcomes``; returns how many went.

    The other events keep their ids, which receivers may know already.
    """
    if not any(group and group[-1].data["outcome"] in outcomes for group, _state in read_samples(path)):
        return 0
    dropped = 0
    spec = read_spec(path)
    try:
        with replacement(path) as out:
            out.write(encode({"spec": spec}) + b"\n")
            for group, _state in read_samples(path):
                if group and group[-1].data["outcome"] in outcomes:
                    dropped += 1
                else:
                    out.writelines(encode(event) + b"\n" for event in group)
    except OSError as error:
        raise RunError(f"{path}: cannot rewrite the log: {error.strerror}. It is as it was.") from None
    return dropped
