"""Which arguments a class takes: its constructor's, and those of the classes it derives from."""

from __future__ import annotations

import inspect
from dataclasses import dataclass

from aigc_evals.objects import constructor_parameters

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
    parameters, takes_all = constructor_parameters(cls)
    return Arguments(parameters, open=takes_all)
