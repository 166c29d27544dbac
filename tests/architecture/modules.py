"""The modules of the package and what they import, read from their source without importing them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "aigc_evals"


@cache
def modules() -> dict[str, Path]:
    """Dotted name below the package ("" for the package itself) -> file."""
    found: dict[str, Path] = {}
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        parts = path.relative_to(ROOT / PACKAGE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def imports(name: str) -> tuple[frozenset[str], frozenset[str]]:
    """Modules of the package that ``name`` imports: when it is loaded, and only inside functions.

    What stands under ``if TYPE_CHECKING`` is not imported at all.
    """
    path = modules()[name]
    loaded: set[str] = set()
    later: set[str] = set()
    for node, inside in _imports(ast.parse(path.read_text(encoding="utf-8")), inside=False):
        (later if inside else loaded).update(_targets(node))
    return frozenset(loaded - {name}), frozenset(later - loaded - {name})


def _imports(tree: ast.AST, *, inside: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node, inside
        elif isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            for other in node.orelse:
                yield from _imports(other, inside=inside)
        else:
            function = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            yield from _imports(node, inside=inside or function)


def _targets(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute"
        names = [f"{node.module}.{alias.name}" for alias in node.names]
        names = [name if _below(name) in modules() else str(node.module) for name in names]
    else:
        names = [alias.name for alias in node.names]
    for name in names:
        if name == PACKAGE or name.startswith(PACKAGE + "."):
            yield _below(name)


def _below(name: str) -> str:
    return name.removeprefix(PACKAGE).removeprefix(".")
