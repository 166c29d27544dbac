"""``version: 2`` of Match, Includes and FuzzyMatch: in runs, and over recorded answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support import cli, logs
from support.registries import registry

import aigc_evals as evals
from aigc_evals.elsuite.basic.fuzzy_match import FuzzyMatch
from aigc_evals.elsuite.basic.includes import Includes
from aigc_evals.elsuite.basic.match import Match
from aigc_evals.errors import UsageError
from aigc_evals.testing import ScriptedCompletionFn
from aigc_evals.tools.score import rescore

ANSWERS = [
    ("11", "1"),
    ("是否", "是"),
    ("不是", "是"),
    ("一百二十。", "120"),
    ("Paris.", "Paris"),
    ("The answer is A.", "A"),
]
BY_VERSION = {
    "match:Match": {1: [True, True, False, False, True, False], 2: [False, False, False, True, True, False]},
    "includes:Includes": {1: [True, True, True, False, True, True], 2: [False, False, False, True, True, True]},
    "fuzzy_match:FuzzyMatch": {1: [True, True, True, False, True, False], 2: [False, False, False, True, True, True]},
}


def asked(folder: Path, name: str, version: int) -> evals.RunResult:
    """A run over ``ANSWERS``, logged to ``log.jsonl``."""
    yaml = f"""
    v:
      id: v.dev.v0
      metrics: [accuracy]
    v.dev.v0:
      class: aigc_evals.elsuite.basic.{name}
      args:
        samples_jsonl: v/samples.jsonl
        version: {version}
    """
    data = [{"input": f"{place}：问题？", "ideal": gold} for place, (_, gold) in enumerate(ANSWERS)]
    path = registry(folder / "registry", {"evals/v.yaml": yaml}, {"v/samples.jsonl": data})

    def answer(prompt: Any, **kwargs: Any) -> str:
        text = prompt if isinstance(prompt, str) else prompt[-1]["content"]
        return ANSWERS[int(text.partition("：")[0])][0]

    return evals.run(answer, "v", registry_path=[path], record_path=folder / "log.jsonl", progress=False)


def correct(log: Path) -> list[bool]:
    found = {event["sample_id"]: event["data"]["correct"] for event in logs.events(log, "match")}
    return [found[f"v.dev.{place}"] for place in range(len(ANSWERS))]


@pytest.mark.parametrize("name", BY_VERSION)
@pytest.mark.parametrize("version", [1, 2])
def test_runs(name: str, version: int, tmp_path: Path) -> None:
    expected = BY_VERSION[name][version]
    report = asked(tmp_path, name, version).report
    assert report["accuracy"] == pytest.approx(sum(expected) / len(expected))
    assert correct(tmp_path / "log.jsonl") == expected


@pytest.mark.parametrize("name", BY_VERSION)
def test_recorded_answers_are_scored_again_with_version_2(name: str, tmp_path: Path) -> None:
    asked(tmp_path, "match:Match", 1)
    old, new = tmp_path / "log.jsonl", tmp_path / "new.jsonl"
    cls = f"aigc_evals.elsuite.basic.{name}"
    done = rescore(old, cls=cls, args={"version": 2}, record_path=new, progress=False)
    assert (done.replayed, done.unanswered) == (len(ANSWERS), 0)
    assert correct(new) == BY_VERSION[name][2]
    assert any("version" in line for line in done.differences)


def test_the_command_scores_with_version_2(tmp_path: Path) -> None:
    asked(tmp_path, "includes:Includes", 1)
    done = cli.run(
        "score",
        tmp_path / "log.jsonl",
        "--class",
        "aigc_evals.elsuite.basic.fuzzy_match:FuzzyMatch",
        "--arg",
        "version=2",
        "--record_path",
        tmp_path / "new.jsonl",
        "--json",
        env=cli.environment(tmp_path / "home"),
        program="aigc_evals",
    )
    assert done.code == 0, done.err
    assert json.loads(done.out)["accuracy"] == pytest.approx(0.5)
    assert correct(tmp_path / "new.jsonl") == BY_VERSION["fuzzy_match:FuzzyMatch"][2]
    wrong = cli.run(
        "score",
        tmp_path / "log.jsonl",
        "--arg",
        "version=3",
        env=cli.environment(tmp_path / "home"),
        program="aigc_evals",
    )
    assert (wrong.code, "versions 1 and 2" in wrong.message) == (2, True)


@pytest.mark.parametrize("cls", [Match, Includes, FuzzyMatch])
@pytest.mark.parametrize("version", [0, 3, "2", True, None])
def test_there_are_two_versions(cls: Any, version: Any) -> None:
    with pytest.raises(UsageError, match="versions 1 and 2") as error:
        cls([ScriptedCompletionFn(["是"])], samples_jsonl="", name="a.b", version=version)
    assert error.value.key == "version"
