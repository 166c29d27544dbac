"""Helpers for tests of evals, completion functions and sinks: yours and this package's own.

    LoopbackServer         a real OpenAI-compatible server on 127.0.0.1, in a process of its own
    Fault                  one way in which that server misbehaves
    ScriptedCompletionFn   a completion function that answers from a script and records its calls
    FailingCompletionFn    a completion function that fails, always or the first few times
    Call                   one recorded call of either

Importing this package loads none of them; each name is loaded when first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aigc_evals.testing.functions import Call, FailingCompletionFn, ScriptedCompletionFn
    from aigc_evals.testing.loopback import LoopbackServer
    from aigc_evals.testing.settings import Fault

__all__ = ["Call", "FailingCompletionFn", "Fault", "LoopbackServer", "ScriptedCompletionFn"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    homes = {"LoopbackServer": "loopback", "Fault": "settings"}
    return getattr(import_module(f"{__name__}.{homes.get(name, 'functions')}"), name)
