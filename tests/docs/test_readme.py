"""Both READMEs do what they say: every command runs, in order, and prints what is printed there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from blocks import Block, as_pattern, blocks
from support import cli
from support.object_store import ObjectStore

from aigc_evals.cli.flags import RUN_FLAGS, SET_FLAGS
from aigc_evals.testing import LoopbackServer

ROOT = Path(__file__).resolve().parents[2]
READMES = ("README.md", "README_zh.md")
DOCUMENTS = [*READMES, "CONTRIBUTING.md", "CHANGELOG.md", "docs/architecture.md", "docs/report.md"]
LONGEST = 120.0

NOT_RUN = {
    "make demo": "set-up, of an environment of its own",
    "make test": "runs this very test",
    "make test lint types": "run by .ci",
    "pip install .": "set-up; .ci does it with the wheel",
    'pip install ".[text-metrics,s3,plots]"': "set-up",
    "export OPENAI_BASE_URL=http://localhost:8000/v1": "the test sets it to the loopback server",
    "export OPENAI_API_KEY=...": "the loopback server wants none",
    "export EVENTS_URL=https://example.com/events": "the test sets it to the loopback server",
    'pip install ".[postgresql]"': "set-up",
    "export AIGC_EVALS_SQL_URL=postgresql://me:password@host/evals": "there is no such server; SQLite is run below it",
    "exec_aigc_evals my-model BoolQ_match --sql-run": "the same; tests/edges runs it with a server of its own",
    "aigc_evals generate BoolQ --samples 100": "needs the network; tests/edges/generators has a publisher of its own",
    "exec_aigc_evals my-model BoolQ_match --registry_path registry": "the same",
    "aigc_evals generate ceval --subset logic --few_shot 5": "the same",
    "aigc_evals generate --set eval-cloudminds": "the same",
    "exec_aigc_evalset my-model eval-cloudminds --judge my-judge --no-exit-on-error": "the same",
    "export AWS_ENDPOINT_URL=http://localhost:9000": "the test sets it to a store of its own",
    "export AWS_ACCESS_KEY_ID=...": "the same",
    "export AWS_SECRET_ACCESS_KEY=...": "the same",
    "git clone https://github.com/openai/evals": "needs the network; tests/upstream runs such registries",
    "git -C evals lfs pull": "the same",
    "exec_aigc_evals my-model test-match --registry_path evals/evals/registry": "the same",
}
"""Every command that stands in an ``sh`` block and so is not executed here, and why."""


@pytest.fixture(scope="module")
def server() -> Iterator[LoopbackServer]:
    with LoopbackServer() as server:
        yield server


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ObjectStore]:
    store = ObjectStore(tmp_path)
    yield store
    store.stop()


def environment(folder: Path, server: LoopbackServer) -> dict[str, str]:
    made = cli.environment(folder / "home", server.base_url, EVENTS_URL=server.ingest_url, LC_ALL="C.UTF-8")
    made["PATH"] = os.pathsep.join((str(cli.BIN), made.get("PATH", os.defpath)))
    return made


def execute(block: Block, folder: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = ["bash", "-euo", "pipefail", "-c", block.text]
    if block.language == "python":
        command = [sys.executable, "-c", block.text]
    return subprocess.run(
        command,
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=LONGEST,
    )


@pytest.mark.parametrize("name", READMES)
def test_every_command_does_what_the_readme_says(
    name: str, tmp_path: Path, server: LoopbackServer, store: ObjectStore
) -> None:
    env = environment(tmp_path, server) | store.settings
    work = tmp_path / "work"
    work.mkdir()
    for block in blocks(ROOT / name):
        if block.language not in ("bash", "python"):
            continue
        done = execute(block, work, env)
        where = f"{name}:{block.line}\n{block.text}\n--- stdout\n{done.stdout}\n--- stderr\n{done.stderr}"
        assert done.returncode == 0, where
        if block.expected is not None:
            agrees = as_pattern(block.expected).fullmatch(done.stdout.strip()) is not None
            assert agrees, f"{where}\n--- expected\n{block.expected}"


@pytest.mark.parametrize("name", READMES)
def test_only_known_commands_are_not_run(name: str) -> None:
    written = [
        line.split("  #")[0].strip()
        for block in blocks(ROOT / name)
        if block.language == "sh"
        for line in block.text.splitlines()
        if line.strip()
    ]
    assert set(written) <= NOT_RUN.keys(), set(written) - NOT_RUN.keys()


@pytest.mark.parametrize("name", READMES)
def test_every_block_has_a_known_language_and_data_parse(name: str) -> None:
    for block in blocks(ROOT / name):
        assert block.language in ("bash", "sh", "python", "yaml", "json", "text"), f"{name}:{block.line}"
        if block.language == "yaml":
            assert yaml.safe_load(block.text), f"{name}:{block.line}"
        if block.language == "json":
            assert json.loads(block.text), f"{name}:{block.line}"


def test_both_readmes_have_the_same_commands_and_outputs() -> None:
    english, chinese = ([strip(block) for block in blocks(ROOT / name)] for name in READMES)
    assert english == chinese


def strip(block: Block) -> tuple[str, str, str | None]:
    """A block without its comments, which are in the language of the file."""
    text = re.sub(r"(?m) +# .*$", "", block.text) if block.language != "text" else block.text
    return block.language, text, block.expected


def test_both_readmes_have_the_same_sections() -> None:
    english, chinese = (re.findall(r"^#+ ", without_blocks(name), re.MULTILINE) for name in READMES)
    assert english == chinese


FLAGS = {"README.md": "## All flags", "README_zh.md": "## 全部参数"}


@pytest.mark.parametrize("name", READMES)
def test_every_flag_is_in_the_table(name: str) -> None:
    section = re.split(r"(?m)^## ", (ROOT / name).read_text(encoding="utf-8").partition(FLAGS[name])[2])[0]
    rows = re.findall(r"^\| `--([\w-]+)`", section, re.MULTILINE)
    assert list(dict.fromkeys(rows)) == list(dict.fromkeys(flag.name for flag in (*RUN_FLAGS, *SET_FLAGS)))


@pytest.mark.parametrize("name", READMES)
def test_every_environment_variable_is_in_the_table(name: str) -> None:
    told = (ROOT / name).read_text(encoding="utf-8")
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "aigc_evals").rglob("*.py"))
    own = {f"EVALS_{suffix}" for suffix in re.findall(r'_variable\(environ, "([A-Z_]+)"\)', sources)}
    others = set(re.findall(r'"((?:OPENAI|AZURE_OPENAI)_[A-Z_]+)"', sources))
    assert len(own) == 4
    assert {variable for variable in own | others if f"`{variable}`" not in told} == set()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)", without_blocks(name)):
        if "://" not in target:
            assert ((ROOT / name).parent / target).exists(), target


def test_every_modelgraded_spec_of_the_package_is_named() -> None:
    from aigc_evals.registry import BUILT_IN

    files = (BUILT_IN / "modelgraded").glob("*.yaml")
    names = {name for path in files for name in yaml.safe_load(path.read_text(encoding="utf-8"))}
    for readme in READMES:
        told = (ROOT / readme).read_text(encoding="utf-8")
        assert {name for name in names if f"`{name.removesuffix('_zh')}`" not in told} == set()


def without_blocks(name: str) -> str:
    return re.sub(r"^```.*?^```$", "", (ROOT / name).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
