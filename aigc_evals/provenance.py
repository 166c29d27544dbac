"""Which code answered: the Python files that completion functions are written in, with their checksums."""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aigc_evals.files import checksum
from aigc_evals.models.named import NamedModel, NamedModelFn

_OURS = "aigc_evals"


def code_of(functions: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """By name, for each function that is written outside this package: ``class``, ``file`` and the file's ``sha256``.

    What is in no file (a notebook, a compiled module) is left out.
    """
    found = {}
    for name, function in functions.items():
        facts = _facts(function)
        if facts is not None:
            found[name] = facts
    return found


def _facts(function: Any) -> dict[str, str] | None:
    while True:
        if isinstance(function, functools.partial):
            function = function.func
        elif isinstance(function, NamedModelFn):
            function = function.cls
        elif "inner" in getattr(function, "__dict__", {}) and type(function).__module__.split(".")[0] == _OURS:
            function = function.inner
        else:
            break
    if not hasattr(function, "__qualname__") or isinstance(function, NamedModel):
        function = type(function)
    module_name = str(getattr(function, "__module__", ""))
    module = sys.modules.get(module_name)
    file = getattr(module, "__file__", None)
    if module_name.split(".")[0] == _OURS or not file or not str(file).endswith(".py"):
        return None
    try:
        digest = checksum(file)
    except OSError:
        return None
    return {"class": str(function.__qualname__), "file": str(Path(file).resolve()), "sha256": digest}


def changed_code(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> list[str]:
    """A sentence for each function whose file is not what it was when the log with the spec ``old`` was begun.

    That does not keep a log from being continued: who is asked is known by name, as with a model behind an endpoint, whose
    maker may change it as well, and an edit that mends a failing function is the usual reason to continue.
    """
    before = ((old or {}).get("run_config") or {}).get("code") or {}
    return [
        f"the code of {name} ({facts['file']}) has changed since this log was begun"
        for name, facts in new.items()
        if name in before and before[name].get("sha256") != facts["sha256"]
    ]
