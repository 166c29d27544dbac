"""Which arguments a class takes: its constructor's, and those of the classes it derives from."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

GIVEN = ("completion_fns", "eval_registry_path", "seed", "name", "registry")
"""What the runner gives every eval itself."""


@dataclass(frozen=True)
class Arguments:
    """The named parameters of a constructor; with ``open`` it takes others too."""

    parameters: dict[str, inspect.Parameter]
    open: bool

    @property
    def names(self) -> list[str]:
        """What a spec's ``args`` may hold."""
        return [name for name in self.parameters if name not in GIVEN]

    @property
    def required(self) -> list[str]:
        """What they must hold."""
        return [name for name in self.names if self.parameters[name].default is inspect.Parameter.empty]


def constructor_arguments(cls: type) -> Arguments:
    """The parameters of ``cls``; as long as a constructor takes ``**kwargs``, the next class's count as well."""
    found: dict[str, inspect.Parameter] = {}
    for base in inspect.getmro(cls):
        constructor = base.__dict__.get("__init__")
        if constructor is None:
            continue
        if base is object:
            break
        parameters = list(inspect.signature(constructor).parameters.values())[1:]
        for parameter in parameters:
            if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                found.setdefault(parameter.name, parameter)
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            return Arguments(found, open=False)
    return Arguments(found, open=True)


def is_ours(cls: Any) -> bool:
    """Whether a class is one of this package, whose constructors hand on all that they do not know."""
    return str(getattr(cls, "__module__", "")).split(".")[0] == "aigc_evals"
