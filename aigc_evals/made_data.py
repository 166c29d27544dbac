"""Where the data of an eval is; and data that is made by a command and may not be there yet: what is missing, what to tell."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from aigc_evals.base import EvalSpec
from aigc_evals.errors import UsageError
from aigc_evals.files import is_file, is_folder


def locate_data(value: str | Path, registry_path: Path) -> Path | str:
    """Where a run looks for a data file that an eval names: ``value`` itself when it is a file or a remote path, else the same
    below the registry's data folder; a folder of the working directory only where the registry has nothing of that name.
    """
    if "://" in str(value):
        return value
    below = registry_path / "data" / value
    try:
        here = is_file(value) or (is_folder(value) and not os.path.exists(below))
    except UsageError:
        # Whoever opens it will hear why that cannot be.
        here = not os.path.exists(below)
    return Path(value) if here else below


def missing_data(args: Mapping[str, Any], registry_path: Path) -> Iterator[tuple[str, Path]]:
    """Argument -> path, for each argument that names a local JSONL file which is not where a run would look for it."""
    for key, value in args.items():
        if key.endswith("_jsonl") and isinstance(value, str) and value and "://" not in value:
            path = Path(locate_data(value, registry_path))
            if not os.path.exists(path):
                yield key, path


def require_data(spec: EvalSpec, whose: str) -> None:
    """UsageError with the command that makes the data of an eval, where it has such a command and lacks data."""
    error = lacking(spec, whose)
    if error is not None:
        raise error


def lacking(spec: EvalSpec, whose: str) -> UsageError | None:
    """What ``require_data`` would raise."""
    if spec.made_by is None:
        return None
    for key, path in missing_data(spec.args or {}, Path(spec.registry_path)):
        message = f"the data of {whose} has not been made here yet"
        return UsageError(message, path=path, key=key, hint=f"Make it: {spec.made_by}")
    return None


def lacking_in_set(specs: Sequence[EvalSpec], eval_set: str, registry_path: Sequence[str | Path]) -> UsageError:
    """The error for evals of a set that lack data: each with its command, and the one command that makes it all."""
    commands = "".join(f"\n  {spec.key}: {spec.made_by}" for spec in specs)
    return UsageError(
        f"the data of these evals of the set {eval_set} has not been made here yet:{commands}",
        hint=f"Make it all: {command_of_set(eval_set, registry_path)}\nOr run the other evals: --no-exit-on-error",
    )


def command_of_set(eval_set: str, registry_path: Sequence[str | Path]) -> str:
    """The one command that makes all data which the evals of a set lack."""
    words = ["aigc_evals", "generate", "--set", eval_set]
    for path in registry_path:
        words += ["--registry_path", str(path)]
    return shlex.join(words)
