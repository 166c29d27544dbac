"""aigc_evals: a registry-driven runner of evaluations of language models.

Everything public can be imported from here; nothing is loaded before it is used.
"""

from __future__ import annotations

__version__ = "0.1.0"

# What type checkers take for true; typing itself would be half of the cost of --help.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from aigc_evals.api import CompletionFn as CompletionFn
    from aigc_evals.api import CompletionResult as CompletionResult
    from aigc_evals.api import DummyCompletionFn as DummyCompletionFn
    from aigc_evals.api import TextResult as TextResult
    from aigc_evals.api import record_and_check_match as record_and_check_match
    from aigc_evals.base import Outcome as Outcome
    from aigc_evals.base import RunResult as RunResult
    from aigc_evals.completion_fns.openai import OpenAIChatCompletionFn as OpenAIChatCompletionFn
    from aigc_evals.completion_fns.openai import OpenAICompletionFn as OpenAICompletionFn
    from aigc_evals.completion_fns.openai import OpenAICompletionResult as OpenAICompletionResult
    from aigc_evals.data import get_csv as get_csv
    from aigc_evals.data import get_json as get_json
    from aigc_evals.data import get_jsonl as get_jsonl
    from aigc_evals.data import get_jsonls as get_jsonls
    from aigc_evals.data import get_lines as get_lines
    from aigc_evals.data import iter_jsonls as iter_jsonls
    from aigc_evals.data import jsondump as jsondump
    from aigc_evals.data import jsondumps as jsondumps
    from aigc_evals.data import jsonload as jsonload
    from aigc_evals.data import jsonloads as jsonloads
    from aigc_evals.errors import AigcEvalsError as AigcEvalsError
    from aigc_evals.errors import EndpointError as EndpointError
    from aigc_evals.errors import RunError as RunError
    from aigc_evals.errors import SampleError as SampleError
    from aigc_evals.errors import UsageError as UsageError
    from aigc_evals.eval import Eval as Eval
    from aigc_evals.evalset import run_set as run_set
    from aigc_evals.models.named import NamedModel as NamedModel
    from aigc_evals.registry import Registry as Registry
    from aigc_evals.runner import RunConfig as RunConfig
    from aigc_evals.runner import run as run

_HOME = {
    "CompletionFn": "api",
    "CompletionResult": "api",
    "DummyCompletionFn": "api",
    "TextResult": "api",
    "record_and_check_match": "api",
    "Outcome": "base",
    "RunResult": "base",
    "OpenAIChatCompletionFn": "completion_fns.openai",
    "OpenAICompletionFn": "completion_fns.openai",
    "OpenAICompletionResult": "completion_fns.openai",
    "get_csv": "data",
    "get_json": "data",
    "get_jsonl": "data",
    "get_jsonls": "data",
    "get_lines": "data",
    "iter_jsonls": "data",
    "jsondump": "data",
    "jsondumps": "data",
    "jsonload": "data",
    "jsonloads": "data",
    "AigcEvalsError": "errors",
    "EndpointError": "errors",
    "RunError": "errors",
    "SampleError": "errors",
    "UsageError": "errors",
    "Eval": "eval",
    "run_set": "evalset",
    "NamedModel": "models.named",
    "Registry": "registry",
    "RunConfig": "runner",
    "run": "runner",
}
_MODULES = {
    **dict.fromkeys(("api", "base", "data", "eval", "formatting", "metrics", "record", "registry"), ()),
    "completion_fns": ("openai",),
    "elsuite": ("utils", "modelgraded.base"),
    "prompt": ("base",),
}
"""What code written for openai/evals uses after nothing but ``import evals``, and the modules it finds in there."""

__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> Any:
    import importlib

    if name in _HOME:
        value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
        globals()[name] = value
        return value
    if name in _MODULES:
        for module in _MODULES[name]:
            importlib.import_module(f"{__name__}.{name}.{module}")
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME, *_MODULES])
