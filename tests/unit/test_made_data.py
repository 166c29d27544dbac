"""Where an eval's data is looked for, and that whoever asks whether it is there looks in the same place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aigc_evals.base import EvalSpec
from aigc_evals.elsuite.basic.match import Match
from aigc_evals.errors import UsageError
from aigc_evals.made_data import locate_data, missing_data, require_data


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A registry beside a working directory; of each kind of name one is in one, in the other, in both and in neither."""
    here, below = tmp_path / "work", tmp_path / "registry" / "data"
    for folder, names in ((here, ["here", "both"]), (below, ["below", "both"])):
        for name in names:
            (folder / f"{name} 文件夹").mkdir(parents=True)
            (folder / f"{name}.jsonl").write_bytes(b"{}\n")
    monkeypatch.chdir(here)
    return tmp_path / "registry"


@pytest.mark.parametrize(
    ("value", "in_registry"),
    [
        ("here.jsonl", False),
        ("both.jsonl", False),
        ("below.jsonl", True),
        ("neither.jsonl", True),
        ("here 文件夹", False),
        ("both 文件夹", True),
        ("below 文件夹", True),
        ("neither 文件夹", True),
    ],
)
def test_a_file_here_goes_first_and_a_folder_here_last(registry: Path, value: str, in_registry: bool) -> None:
    expected = registry / "data" / value if in_registry else Path(value)
    assert locate_data(value, registry) == expected
    assert Match([str], value, eval_registry_path=registry)._prefix_registry_path(value) == expected
    missing = [] if expected.exists() else [("samples_jsonl", expected)]
    assert list(missing_data({"samples_jsonl": value, "cls": "neither.jsonl"}, registry)) == missing


def test_a_path_from_the_root_is_taken_as_it_is(registry: Path) -> None:
    path = registry / "data" / "neither.jsonl"
    assert locate_data(str(path), registry) == path
    assert list(missing_data({"few_shot_jsonl": str(path)}, registry)) == [("few_shot_jsonl", path)]


def test_what_is_on_another_machine_is_never_missing(registry: Path) -> None:
    url = "s3://数据/a.jsonl"
    assert locate_data(url, registry) == url
    assert list(missing_data({"samples_jsonl": url, "few_shot_jsonl": "", "more_jsonl": None}, registry)) == []


@pytest.mark.parametrize("made_by", ["aigc_evals generate BoolQ", None])
def test_only_what_a_command_makes_is_told_with_that_command(registry: Path, made_by: str | None) -> None:
    args: dict[str, Any] = {"samples_jsonl": "neither.jsonl"}
    spec = EvalSpec(cls="m:C", registry_path=registry, args=args, key="a.b", group="a", made_by=made_by)
    if made_by is None:
        require_data(spec, "a.b")
        return
    with pytest.raises(UsageError, match="not been made here yet") as error:
        require_data(spec, "a.b")
    assert (error.value.path, error.value.hint) == (str(registry / "data" / "neither.jsonl"), f"Make it: {made_by}")
