"""Upstream's registry resolves the same by our resolver as by upstream's own."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from . import environment, ours

PATTERNS = [
    "test-match",
    "test-*",
    "*.dev.v0",
    "coqa-*",
    "chinese*",
    "*",
    "mmlu-*.val.ab-v1",
    "logic.dev.v0",
    "logic?dev",
    "no-such-eval*",
    "russe.test.v0",
    "*[a-c]*",
]


@pytest.fixture(scope="session")
def resolved(
    upstream_python: Path, upstream_registry: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What upstream makes of its registry."""
    patterns = tmp_path_factory.mktemp("resolve") / "patterns.json"
    # Upstream reads `[` and `?` as parts of a regular expression; here they are literal, so such patterns
    # are left out.
    patterns.write_text(json.dumps([p for p in PATTERNS if not set(p) & set("[?")]), encoding="utf-8")
    script = Path(__file__).with_name("resolve_upstream.py")
    done = subprocess.run(
        [str(upstream_python), str(script), str(patterns), str(upstream_registry)],
        capture_output=True,
        text=True,
        env=environment.process_environment(),
        check=True,
    )
    content: dict[str, Any] = json.loads(done.stdout)
    return content


@pytest.fixture(scope="session")
def registry(upstream_registry: Path) -> Any:
    """Our resolver over the same directory."""
    return ours.make_registry([upstream_registry])


def test_names_in_order(registry: Any, resolved: dict[str, Any]) -> None:
    """The same names, in the same order (files sorted by name)."""
    assert list(registry._evals) == resolved["names"]


def test_every_eval(registry: Any, resolved: dict[str, Any]) -> None:
    """Every name leads to the same key, with the same arguments and group."""
    wrong = {}
    for name, expected in resolved["evals"].items():
        spec = registry.get_eval(name)
        found = {"key": spec.key, "group": spec.group, "args": dict(spec.args or {})}
        if found != {"key": expected["key"], "group": expected["group"], "args": expected["args"] or {}}:
            wrong[name] = (found, expected)
    assert not wrong
    print(f"{len(resolved['evals'])} names resolve alike")


def test_eval_sets(registry: Any, resolved: dict[str, Any]) -> None:
    """Every eval set has the same members and stands for the same keys in the same order."""
    for name, expected in resolved["sets"].items():
        found = registry.get_eval_set(name)
        assert list(found.evals) == expected["evals"], name
        members = [spec.key for spec in registry.get_evals(found.evals)]
        # Upstream runs an eval once for each of its names that a pattern meets; ours once.
        assert members == list(dict.fromkeys(resolved["set_members"][name])), name


@pytest.mark.parametrize("pattern", [p for p in PATTERNS if not set(p) & set("[?")])
def test_patterns(registry: Any, resolved: dict[str, Any], pattern: str) -> None:
    """A pattern meets the same evals in the same order."""
    found = [spec.key for spec in registry.get_evals([pattern])]
    assert found == list(dict.fromkeys(resolved["patterns"][pattern]))


@pytest.mark.parametrize("pattern", [p for p in PATTERNS if set(p) & set("[?")])
def test_other_signs_are_literal(registry: Any, pattern: str) -> None:
    """Only `*` has a meaning in a pattern."""
    assert list(registry.get_evals([pattern])) == []


def test_modelgraded_specs(registry: Any, resolved: dict[str, Any]) -> None:
    """Every model-graded spec has the same fields."""
    for name, expected in resolved["modelgraded"].items():
        spec = registry.get_modelgraded_spec(name)
        fields = {f.name: getattr(spec, f.name) for f in dataclasses.fields(spec)}
        for field in (
            "prompt",
            "choice_strings",
            "input_outputs",
            "eval_type",
            "choice_scores",
            "output_template",
        ):
            found = fields[field]
            found = list(found) if isinstance(found, tuple) else found
            assert found == expected[field], (name, field)


def test_completion_fns(registry: Any, resolved: dict[str, Any]) -> None:
    """Every completion function has the same arguments."""
    for name, expected in resolved["completion_fns"].items():
        assert dict(registry.get_completion_fn(name).args or {}) == (expected["args"] or {}), name
