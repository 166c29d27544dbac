"""Print how upstream resolves a registry; executed by the interpreter of its environment, not imported.

    python resolve_upstream.py PATTERNS.json > resolved.json

Upstream reads the files of a directory in the order in which the file system lists them. That order is no
promise, so here they are read sorted by name, which is ours.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evals.registry import Registry


class SortedRegistry(Registry):  # type: ignore[misc, unused-ignore]
    """Upstream's registry over sorted directory listings."""

    def _load_directory(self, path: Path) -> Iterator[Any]:
        for file in sorted(Path(path).glob("*.yaml")):
            yield from self._load_file(file)


def _plain(spec: Any) -> dict[str, Any] | None:
    if spec is None:
        return None
    fields = dataclasses.asdict(spec)
    fields.pop("registry_path", None)
    return fields


def main() -> None:
    """Resolve everything and print one JSON object."""
    logging.disable(logging.WARNING)
    patterns = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    registry = SortedRegistry([Path(path) for path in sys.argv[2:]])
    sets = {name: registry.get_eval_set(name) for name in registry._eval_sets}
    out = {
        "names": list(registry._evals),
        "evals": {name: _plain(registry.get_eval(name)) for name in registry._evals},
        "sets": {name: _plain(spec) for name, spec in sets.items()},
        "set_members": {name: [e.key for e in registry.get_evals(spec.evals)] for name, spec in sets.items()},
        "patterns": {p: [e.key for e in registry.get_evals([p])] for p in patterns},
        "modelgraded": {name: _plain(registry.get_modelgraded_spec(name)) for name in registry._modelgraded_specs},
        "completion_fns": {name: _plain(registry.get_completion_fn(name)) for name in registry._completion_fns},
    }
    json.dump(out, sys.stdout)


if __name__ == "__main__":
    main()
