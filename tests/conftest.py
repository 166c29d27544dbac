"""Fixtures of all tests: no setting of the developer's reaches a test, and a loopback server for each module."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from aigc_evals.testing import LoopbackServer

_PROVIDERS = (
    "OLLAMA_", "VLLM_", "SGLANG_", "LLAMA_", "DASHSCOPE_", "DEEPSEEK_", "ZHIPUAI_",
    "ZAI_", "MOONSHOT_", "OPENROUTER_", "CHATGLM_", "EXAMPLE_",
)  # fmt: skip
_FOREIGN = ("OPENAI_", "AZURE_OPENAI_", "EVALS_", "AIGC_EVALS_", "AWS_", *_PROVIDERS)
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(_FOREIGN) or name.lower() in _PROXIES:
            monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def module_server() -> Iterator[LoopbackServer]:
    with LoopbackServer() as server:
        yield server


@pytest.fixture
def loopback(module_server: LoopbackServer) -> LoopbackServer:
    """The module's server, with its first settings and nothing remembered."""
    module_server.reset(settings=True)
    return module_server


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home directory for processes of the test."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder
