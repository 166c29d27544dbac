"""The wheel holds the package with its whole registry, and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    [wheel] = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if not name.endswith("/")}


def test_the_wheel_is_the_package_and_nothing_else(contents: set[str]) -> None:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("which files belong to the project is told by git, and this is no clone")
    command = [
        "git",
        "-c",
        "core.quotePath=off",
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        "aigc_evals",
    ]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, encoding="utf-8")
    ours = {name for name in done.stdout.splitlines() if (ROOT / name).is_file()}
    about = {name for name in contents if name.split("/")[0].endswith(".dist-info")}
    assert contents - about == ours


def test_what_is_no_python_is_in_the_wheel_too(contents: set[str]) -> None:
    for name in (
        "py.typed",
        "registry/evals/boolq.yaml",
        "registry/data/boolq/boolq.jsonl",
        "schemas/evals.schema.json",
    ):
        assert f"aigc_evals/{name}" in contents
