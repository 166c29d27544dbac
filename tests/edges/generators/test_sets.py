"""``aigc_evals generate --set``: what the evals of a set lack, by the commands that they name."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from support.generators import World, jsonl
from test_clue import csl

REST = "What was made stays; the same command makes the rest."
BUILT_IN = "aigc_evals generate csl --split validation --samples 2 --seed 20220722 --out own"


def own(world: World, made_by: str = BUILT_IN) -> Path:
    """A registry with a set of three evals, two of them over the same data."""
    entries = {
        name: {
            "class": "aigc_evals.elsuite.basic.match:Match",
            "made_by": command,
            "args": {"samples_jsonl": f"{file}.jsonl"},
        }
        for name, command, file in (
            ("csl.one.v0", BUILT_IN, "csl/csl"),
            ("csl.two.v0", BUILT_IN, "csl/csl"),
            ("other.one.v0", made_by, "other"),
        )
    }
    root = world.folder / "own"
    for name, content in {"evals/mine": entries, "eval_sets/mine": {"mine": {"evals": list(entries)}}}.items():
        path = root / f"{name}.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return root


def test_each_command_is_run_once_and_one_that_fails_keeps_none_from_it(world: World) -> None:
    root = own(world, "make data")
    ((address, content),) = csl().items()
    world.publisher.serve(address, content)
    code, out, err = world.command("generate", "--set", "mine", "--registry_path", root)
    assert code == 2
    assert out.splitlines() == [str(Path("own/data/csl/csl.jsonl")), str(Path("own/evals/csl.yaml"))]
    assert err.count(f"{BUILT_IN}\n") == 1
    assert "1 of 2 made for the 3 evals of mine" in err
    assert "[1/2] aigc_evals generate csl" in err
    why = "this is another program's command; run it yourself"
    assert err.endswith(f"error: not made:\n  make data\n    {why}\n{REST}\n")
    (root / "data" / "other.jsonl").write_bytes(jsonl([{"input": "问", "ideal": "答"}]))
    code, out, err = world.command("generate", "--set", "mine", "--registry_path", root)
    assert (code, out) == (0, "")
    assert "nothing was missing for the 3 evals of mine" in err
    assert f"exec_aigc_evalset COMPLETION_FN mine --registry_path {root}" in err
    assert len(world.publisher.requests) == 1


@pytest.mark.parametrize(
    "command, why",
    [
        ("aigc_evals generate", "it must be said which data set or task"),
        ("aigc_evals generate '", "not a command line: No closing quotation"),
        ("aigc_evals generate --no-such 1", "not a command line that is understood"),
        ("aigc_evals generate Nope", "there is no data set and no task 'Nope'"),
        ("aigc_evals check", "this is another program's command; run it yourself"),
    ],
)
def test_a_command_that_cannot_be_run_is_named_with_its_reason(command: str, why: str, world: World) -> None:
    root = own(world, command)
    (root / "data" / "csl").mkdir(parents=True)
    (root / "data" / "csl" / "csl.jsonl").write_bytes(b"")
    code, out, err = world.command("generate", "--set", "mine", "--registry_path", root)
    assert (code, out) == (2, "")
    assert err.endswith(f"error: not made:\n  {command}\n    {why}\n{REST}\n")


def test_downloads_go_to_the_folder_that_is_named(world: World) -> None:
    root = own(world)
    ((address, content),) = csl().items()
    world.publisher.serve(address, content)
    code, _, err = world.command("generate", "--set", "mine", "--registry_path", root, "--folder", "原始数据")
    assert code == 0, err
    assert Path("原始数据/downloads/csl/csl_public.zip").is_file()
    assert not Path("downloads").exists()


@pytest.mark.parametrize(
    "words, said",
    [
        (["--set", "eval-cloudmind"], "Did you mean: eval-cloudminds"),
        (["--set", "boolq", "BoolQ"], "not both"),
        (["--set", "boolq", "--samples", 3], "samples"),
        (["--set", "boolq", "--out", "elsewhere"], "out"),
        (["BoolQ", "--registry_path", "."], "registry_path"),
    ],
)
def test_what_does_not_go_with_a_set_is_refused(words: list[object], said: str, world: World) -> None:
    code, out, err = world.command("generate", *words)
    assert (code, out) == (2, "")
    assert said in err
    assert not world.publisher.requests


def test_the_error_of_a_set_names_the_registries_that_it_was_found_in(world: World) -> None:
    from aigc_evals import UsageError, run_set

    root = own(world, "make data")
    with pytest.raises(UsageError) as caught:
        run_set("dummy", "mine", registry_path=[root])
    assert "\n  csl.one.v0: aigc_evals generate csl" in str(caught.value)
    assert f"aigc_evals generate --set mine --registry_path {root}\n" in str(caught.value)
