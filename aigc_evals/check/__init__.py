"""Every problem of a registry at once, each with its place: ``check_registry``. Nothing is asked of any model.

``RULES`` is the table of all rules. Importing this package loads neither; each name is loaded when first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aigc_evals.check.driver import check_registry
    from aigc_evals.check.findings import Finding, Problem, Rule
    from aigc_evals.check.rules import RULES

__all__ = ["RULES", "Finding", "Problem", "Rule", "check_registry"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    homes = {"RULES": "rules", "check_registry": "driver"}
    return getattr(import_module(f"{__name__}.{homes.get(name, 'findings')}"), name)
