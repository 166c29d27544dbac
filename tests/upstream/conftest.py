"""Fixtures of the comparison with upstream: where it cannot be had, tests are skipped, saying why."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from . import environment, local_registry, ours, tables

SAMPLES = 20


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker of these tests."""
    config.addinivalue_line("markers", "upstream: compares with openai/evals, fetched from PyPI on first use")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this directory."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("upstream")


@pytest.fixture(scope="session")
def upstream_registry() -> Path:
    """Upstream's registry, unpacked."""
    try:
        return environment.registry_path()
    except environment.UpstreamUnavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def upstream_source(upstream_registry: Path) -> Path:
    """The directory that holds upstream's package `evals`."""
    return upstream_registry.parents[1]


@pytest.fixture(scope="session")
def upstream_python(upstream_registry: Path) -> Path:
    """An interpreter that can import upstream."""
    del upstream_registry
    try:
        return environment.python()
    except environment.UpstreamUnavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def local_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the registry and the datasets of `local_registry`."""
    root = tmp_path_factory.mktemp("local")
    local_registry.write(root)
    return root


@pytest.fixture(scope="session")
def answer_table(
    upstream_registry: Path, local_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Any]]:
    """The table of ideals and judges, which the scripted server reads as well."""
    target = tmp_path_factory.mktemp("answers") / "table.json"
    tables.write_table(target, [upstream_registry, local_root / "registry"], SAMPLES)
    patch = pytest.MonkeyPatch()
    patch.setenv("AIGC_EVALS_ANSWER_TABLE", str(target))
    yield json.loads(target.read_text(encoding="utf-8"))
    patch.undo()


@pytest.fixture(scope="session")
def stand_ins() -> Iterator[None]:
    """Let `import datasets` find the stand-in, unless the real package is installed."""
    path = str(environment.STUBS)
    sys.path.append(path)
    yield
    sys.path.remove(path)


@pytest.fixture(scope="session")
def scripted_server(answer_table: dict[str, Any]) -> Iterator[Any]:
    """The endpoint that ours asks."""
    assert answer_table
    assert os.environ["AIGC_EVALS_ANSWER_TABLE"]
    with ours.serve(Path(__file__).with_name("answers.py")) as server:
        yield server
