"""``aigc_evals generate`` of data sets: sources, mistakes, what is told where the data is missing, several at once."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from support import cli
from support.generators import World, jsonl, read_rows, zip_of
from test_commonsense import stories

from aigc_evals.cli.main import main

BOOLQ = "https://dl.fbaipublicfiles.com/glue/superglue/data/v2/BoolQ.zip"
OWN = '''
from aigc_evals.generate import GenerateZh
from aigc_evals.generate.readers import find, read_jsonl

class 天气(GenerateZh):
    """天气问答。"""
    d_url = {"train.jsonl": "https://example.org/t", "validation.jsonl": "https://example.org/v"}

    def extract_and_save_datasets(self):
        for split in ("train", "validation"):
            self.save_split(split, read_jsonl(find(self.fetch(), f"{split}.jsonl")))

    def format_chat_prompt(self, item):
        return self.chat(item["问"])

    def format_ideal(self, item):
        return item["答"]
'''


def archive(count: int = 12) -> bytes:
    rows = [{"question": f"is it {i}", "passage": f"It is {i}.", "idx": i, "label": True} for i in range(count)]
    return zip_of({"BoolQ/train.jsonl": jsonl(rows), "BoolQ/val.jsonl": jsonl(rows)})


def test_samples_are_those_of_the_seed_and_the_command_says_so(world: World) -> None:
    made = world.generate("boolq", {BOOLQ: archive()}, "--samples", 3, "--seed", 5)
    again = world.generate("BoolQ", {}, "--samples", 3, "--seed", 5)
    assert made.rows == again.rows
    assert len(made.rows) == 3
    assert made.rows != world.generate("BoolQ", {}, "--samples", 3, "--seed", 6).rows
    assert len(world.publisher.requests) == 1, "the splits are there"
    spec = yaml.safe_load((made.registry / "evals" / "BoolQ.yaml").read_text(encoding="utf-8"))["BoolQ.match1.v0"]
    assert spec["made_by"] == "aigc_evals generate BoolQ --split validation --samples 3 --seed 6 --out registry"
    assert "exec_aigc_evals COMPLETION_FN BoolQ_match --registry_path registry" in made.said


@pytest.mark.parametrize("kind", ["file", "folder", "unpacked", "url"])
def test_a_source_takes_the_place_of_the_publisher(kind: str, world: World) -> None:
    world.generate("BoolQ", {BOOLQ: archive(2)})
    mine = world.folder / "我的"
    (mine / "BoolQ").mkdir(parents=True)
    source: object = mine
    if kind == "unpacked":
        rows = [{"question": "q", "passage": f"p{i}", "label": False} for i in range(5)]
        for name in ("train", "val"):
            (mine / "BoolQ" / f"{name}.jsonl").write_bytes(jsonl(rows))
    elif kind == "url":
        source = world.publisher.url + "/elsewhere/any.zip"
        host = world.publisher.url.removeprefix("http://")
        world.publisher.serve(f"/{host}/elsewhere/any.zip", archive(5))
    else:
        (mine / "BoolQ.zip").write_bytes(archive(5))
        source = mine / "BoolQ.zip" if kind == "file" else mine
    made = world.generate("BoolQ", {}, "--source", source)
    assert len(made.rows) == 5


def test_a_source_that_lacks_the_split_is_refused_and_changes_nothing(world: World) -> None:
    (world.folder / "我的.py").write_text(OWN, encoding="utf-8")
    rows = jsonl([{"问": "今天下雨吗？", "答": "不下"}])
    made = world.generate("我的.py:天气", {"https://example.org/t": rows, "https://example.org/v": rows})
    (world.folder / "other").mkdir()
    (world.folder / "other" / "train.jsonl").write_bytes(rows)
    code, _, err = world.command("generate", "我的.py:天气", "--source", "other")
    assert code == 2
    assert "the source has no file 'validation.jsonl'" in err
    assert world.generate("我的.py:天气", {}).rows == made.rows


def test_an_eval_of_a_source_s_rows_says_so_also_when_made_again_without_it(world: World) -> None:
    (world.folder / "BoolQ.zip").write_bytes(archive(5))
    world.generate("BoolQ", {}, "--source", "BoolQ.zip")
    made = world.generate("BoolQ", {}, "--samples", 2, "--out", "the registry")
    text = (world.folder / "the registry" / "evals" / "BoolQ.yaml").read_text(encoding="utf-8")
    spec = yaml.safe_load(text)["BoolQ.match1.v0"]
    assert "--source BoolQ.zip --out 'the registry'" in spec["made_by"]
    assert "--registry_path 'the registry'" in made.said


def test_a_class_of_one_s_own_is_made_by_its_file(world: World) -> None:
    (world.folder / "我的.py").write_text(OWN, encoding="utf-8")
    rows = jsonl([{"问": "今天下雨吗？", "答": "不下"}, {"问": "明天呢？", "答": ["下", "会下"]}])
    files = {"https://example.org/t": rows, "https://example.org/v": rows}
    made = world.generate("我的.py:天气", files, "--few_shot", 1)
    assert made.rows[1]["ideal"] == ["下", "会下"]
    spec = yaml.safe_load((made.registry / "evals" / "天气.yaml").read_text(encoding="utf-8"))["天气.match1.v0"]
    assert spec["made_by"].startswith("aigc_evals generate '我的.py:天气' --split validation")
    made.scores("天气_match", right=1, accuracy=1 / 2)
    world.checked("天气")


def test_missing_data_is_told_with_the_command_that_makes_it(world: World) -> None:
    made = world.generate("BoolQ", {BOOLQ: archive()}, "--samples", 2)
    (made.registry / "data" / "BoolQ" / "BoolQ.jsonl").unlink()
    command = "aigc_evals generate BoolQ --split validation --samples 2 --seed 20220722 --out registry"
    ran = cli.run("dummy", "BoolQ_match", "--registry_path", made.registry, env=cli.environment(world.folder / "home"))
    assert ran.code == 2
    assert f"has not been made here yet\nMake it: {command}" in ran.message
    world.checked("BoolQ")
    code, out, _ = world.command("show", "BoolQ_match", "--registry_path", made.registry)
    shown = yaml.safe_load(out)
    assert (code, shown["made_by"], "problem" in shown) == (0, command, False)
    assert shown["not_made_yet"] == [str(made.registry / "data" / "BoolQ" / "BoolQ.jsonl")]


def test_without_a_network_it_is_said_what_to_fetch_and_where_to_put_it(world: World) -> None:
    code, _, err = world.command("generate", "BoolQ")
    assert code == 2
    assert "the proxy of the environment does not answer" in err
    assert f"Fetch {BOOLQ} by hand and put it at downloads/BoolQ/BoolQ.zip." in err
    assert "aigc_evals generate BoolQ --source FILE" in err
    assert not (world.folder / "registry").exists()


@pytest.mark.parametrize(
    "words, told",
    [
        ([], ""),
        (["--split", "dev", "--seed", 20220722, "--few_shot", 0, "--out", "registry"], ""),
        (
            ["--split", "train", "--samples", 3, "--seed", 7, "--few_shot", 2],
            " --split train --samples 3 --seed 7 --few_shot 2",
        ),
        (["--folder", "甲 乙", "--out", "~/.aigc_evals"], " --folder '甲 乙' --out ~/.aigc_evals"),
    ],
)
def test_the_command_that_takes_files_from_elsewhere_has_what_was_asked_for(
    words: list[object], told: str, world: World
) -> None:
    code, _, err = world.command("generate", "BoolQ", *words)
    assert code == 2
    assert f"aigc_evals generate BoolQ --source FILE{told}\n" in err


def test_the_commands_that_are_told_make_what_a_run_lacked(world: World) -> None:
    asked = ("baseline/random", "StoryCloze_choice", "--max_samples", 1)
    env = cli.environment(world.folder / "home")
    lacking = cli.run(*asked, env=env)
    assert lacking.code == 2
    code, _, err = world.command(*command_in(lacking.err))
    assert code == 2
    (world.folder / "sent").mkdir()
    (world.folder / "sent" / "cloze_test_val__spring2016.csv").write_bytes(stories(120))
    code, out, err = world.command(*(word.replace("FOLDER", "sent") for word in command_in(err)))
    assert code == 0, err
    assert len(read_rows(Path(out.splitlines()[0]))) == 100
    assert "--registry_path" not in err
    assert cli.run(*asked, env=env).code == 0, "it has been made"


def test_the_command_of_a_class_of_one_s_own_names_it(world: World) -> None:
    (world.folder / "我的.py").write_text(f"{OWN}\n    splits = ('train', 'hard')\n", encoding="utf-8")
    code, _, err = world.command("generate", "我的.py:天气", "--split", "hard", "--samples", 1)
    assert code == 2
    told = "which needs train.jsonl, validation.jsonl: aigc_evals generate '我的.py:天气' --source FOLDER --split hard --samples 1\n"
    assert told in err


def command_in(told: str) -> list[str]:
    """The words after ``aigc_evals`` of the command in a message, as a shell reads them."""
    command = re.search(r"aigc_evals (generate .*)", told)
    assert command is not None, told
    return [os.path.expanduser(word) for word in shlex.split(command[1])]


@pytest.mark.parametrize(
    "words, told",
    [
        (["BoolQ", "--difficulty", 2], "--difficulty means nothing for data sets"),
        (["knights_en", "--split", "train"], "--split means nothing for tasks"),
        (["knights_en", "--few_shot", 0], "--few_shot means nothing for tasks"),
        (["knights_en", "--accept_changed"], "--accept_changed means nothing for tasks"),
        (["BoolQ", "--split", "tset"], "BoolQ has no split 'tset'"),
        (["BoolQ", "--samples", 0], "[samples]: must be at least 1"),
        (["BoolQ", "--subset", "x"], "BoolQ has no subset 'x'"),
        (["BoolQ", "--source", "nowhere.zip"], "nowhere.zip [source]: no such file or folder"),
        (["Boolqq"], "Did you mean: BoolQ"),
        (["os:path"], "is not a class derived from"),
        (["nowhere.py:X"], "no such Python file"),
        (["我的.py"], "Say which class of the file is meant: 我的.py:CLASS"),
    ],
)
def test_mistakes_end_in_one_message(words: list[object], told: str, world: World) -> None:
    code, out, err = world.command("generate", *words)
    assert (code, out) == (2, "")
    assert told in err


def test_the_list_has_sets_and_tasks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    sets, tasks = lines.index("data sets"), lines.index("tasks")
    assert any(line.split()[:3] == ["BoolQ", "en", "train,"] and "CC BY-SA" in line for line in lines[sets:tasks])
    assert any(line.split()[:2] == ["knights_en", "en"] for line in lines[tasks:])


@pytest.mark.parametrize("source", ["", "mine.zip"])
def test_several_processes_at_once_do_no_harm(source: str, world: World) -> None:
    world.publisher.serve(BOOLQ, archive(500))
    (world.folder / "mine.zip").write_bytes(archive(500))
    words = [sys.executable, "-m", "aigc_evals.cli.main", "generate", "BoolQ", "--samples", "400"]
    words += ["--source", source] if source else []
    started = [subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(4)]
    for process in started:
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err.decode()
    assert len(world.publisher.requests) == (0 if source else 1), "one fetched it, the others waited"
    assert len(read_rows(Path("registry/data/BoolQ/BoolQ.jsonl"))) == 400
    left = [path.name for path in world.folder.rglob("*.tmp")]
    assert left == []
