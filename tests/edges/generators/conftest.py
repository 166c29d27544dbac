"""A world of its own for every test of a data set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.generators import World
from support.publisher import Publisher


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    made = Publisher()
    yield made
    made.close()


@pytest.fixture
def world(
    tmp_path: Path, publisher: Publisher, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> World:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AIGC_EVALS_MIRROR", publisher.url)
    # Nothing but the publisher can be reached: whatever the mirror lacks ends at a proxy that is not there.
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return World(tmp_path, publisher, capsys)
