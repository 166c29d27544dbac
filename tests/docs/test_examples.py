"""What lies in ``examples`` runs as its files say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support import cli, logs

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"


def commands(path: Path) -> list[tuple[dict[str, str], list[str]]]:
    """The commands in a file's docstring: what they set, and their words."""
    found = re.findall(r"^    (?:(PYTHONPATH)=(\S+) )?exec_aigc_evals (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return [({name: value} if name else {}, words.split()) for name, value, words in found]


ALL = [(path.name, *command) for path in sorted(EXAMPLES.glob("*.py")) for command in commands(path)]


@pytest.mark.parametrize(("name", "variables", "words"), ALL)
def test_the_commands_in_the_examples_run(
    name: str, variables: dict[str, str], words: list[str], tmp_path: Path
) -> None:
    env = cli.environment(tmp_path, **variables)
    done = cli.run(*words, "--json", "--record_path", tmp_path / "log.jsonl", env=env, cwd=ROOT)
    assert done.code == 0, done.err
    report = done.report
    logs.check_ledger(report)
    assert report["planned"] == 6
    if "units-number" in words:
        assert report["outcomes"]["unparsed"] == 2
        assert report["metrics"]["accuracy"]["value"] == 1.0
        assert report["metrics"]["accuracy"]["bounds"] == pytest.approx([4 / 6, 1.0])
        assert report["metrics"]["relative_error"]["value"] == 0.0
    else:
        assert report["accuracy"] == pytest.approx(4 / 6)
        assert report["metrics"]["accuracy"]["clusters"] == 3


def test_every_example_is_run() -> None:
    assert {name for name, _, _ in ALL} == {path.name for path in EXAMPLES.glob("*.py")}
    assert len(ALL) == 3


def test_a_malformed_sample_is_named_before_anything_is_asked(tmp_path: Path) -> None:
    folder = tmp_path / "registry"
    (folder / "evals").mkdir(parents=True)
    (folder / "data" / "units").mkdir(parents=True)
    (folder / "evals" / "units.yaml").write_bytes((EXAMPLES / "my_eval" / "evals" / "units.yaml").read_bytes())
    (folder / "data" / "units" / "samples.jsonl").write_text('{"input": "How many?", "ideal": "many"}\n', "utf-8")
    env = cli.environment(tmp_path, PYTHONPATH=str(EXAMPLES))
    done = cli.run("dummy", "units-number", "--registry_path", folder, env=env)
    assert done.code == 2
    assert "samples.jsonl:1: 'ideal' is not a number: 'many'" in done.message
