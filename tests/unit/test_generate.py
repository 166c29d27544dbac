"""Data sets as they describe themselves: samples drawn with a seed, rows, examples, the evals and the command."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from aigc_evals.errors import UsageError
from aigc_evals.generate import DATASETS, EvalKind, Generate, GenerateZh, get
from aigc_evals.generate.__main__ import files as built_in_files
from aigc_evals.generate.download import Remote
from aigc_evals.generate.sampling import pick
from aigc_evals.generate.source import remotes


class Capitals(Generate):
    """Capitals of countries."""

    instruction = "One word."
    licence = "CC0"
    subsets = {"eu": {"category": "Europe"}, "as": {"category": "Asia"}}
    few_shot_drawn = False

    def extract_and_save_datasets(self) -> None:
        for split, count in (("train", 6), ("validation", 9)):
            self.save_split(split, ({"subset": ["eu", "as"][i % 2], "q": f"{split}{i}?", "a": i} for i in range(count)))

    def format_chat_prompt(self, item: Any) -> list[dict[str, Any]]:
        return self.chat(item["q"])

    def format_ideal(self, item: Any) -> Any:
        return item["a"]


class 首都(GenerateZh):
    """各国首都。"""

    def extract_and_save_datasets(self) -> None:
        # As scripts for other runners do it: with the paths alone.
        os.makedirs(self.this_download_path, exist_ok=True)
        with open(os.path.join(self.this_dataset_path, "validation.jsonl"), "w", encoding="utf-8") as stream:
            stream.write(json.dumps({"q": "法国", "a": "巴黎"}, ensure_ascii=False) + "\n")

    def format_one_json(self, item: Any) -> dict[str, Any]:
        return {"input": self.format_chat_prompt(item), "ideal": item["a"]}

    def format_chat_prompt(self, item: Any) -> list[dict[str, Any]]:
        return [{"role": "system", "content": "只答城市名。"}, {"role": "user", "content": item["q"]}]


def rows_in(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


# -- samples -------------------------------------------------------------------------------------------------------


def test_samples_are_the_same_for_ever() -> None:
    assert pick(range(20), 5, name="x", split="validation", seed=20220722, total=20) == [2, 4, 7, 15, 17]


@given(st.integers(1, 60), st.integers(1, 70), st.integers(0, 5), st.sets(st.integers(0, 59)))
def test_samples_are_some_of_those_asked_for_in_order(total: int, n: int, seed: int, subset: set[int]) -> None:
    among = sorted(number for number in subset if number < total)
    found = pick(among, n, name="x", split="s", seed=seed, total=total)
    assert found == sorted(set(found))
    assert set(found) <= set(among)
    assert len(found) == min(n, len(among))
    assert set(found) <= set(pick(among, n + 1, name="x", split="s", seed=seed, total=total)), (
        "a larger sample has them"
    )
    whole = pick(range(total), n, name="x", split="s", seed=seed, total=total)
    assert set(whole) & set(among) <= set(found), "what is taken of all is taken of a part"


def test_every_item_is_drawn_equally_often() -> None:
    counts = [0] * 10
    for seed in range(2000):
        for number in pick(range(10), 3, name="x", split="s", seed=seed, total=10):
            counts[number] += 1
    assert max(abs(count - 600) for count in counts) < 100  # almost five standard deviations


# -- the pipeline --------------------------------------------------------------------------------------------------


def test_an_instance_with_a_config_writes_an_eval(tmp_path: Path) -> None:
    made = Capitals(config=["validation", 4], out=tmp_path / "r", folder=tmp_path, seed=1)
    assert made.written == [tmp_path / "r/data/Capitals/Capitals.jsonl", tmp_path / "r/evals/Capitals.yaml"]
    rows = rows_in(made.written[0])
    assert len(rows) == 4
    number = int(rows[0]["ideal"])
    assert rows[0] == {
        "input": [{"role": "system", "content": "One word."}, {"role": "user", "content": f"validation{number}?"}],
        "ideal": str(number),
        "metadata": [
            {"subject": "eu", "category": "Europe"},
            {"subject": "as", "category": "Asia"},
        ][number % 2],
    }
    assert len(rows_in(tmp_path / "datasets/Capitals/train.jsonl")) == 6


def test_paths_are_relative_to_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = 首都(config=["validation"])
    assert made.class_name == "首都"
    assert made.this_download_path == Path("downloads/首都")
    assert made.this_dataset_path == Path("datasets/首都")
    assert rows_in(tmp_path / "registry/data/首都/首都.jsonl")[0]["ideal"] == "巴黎"
    specs = yaml.safe_load((tmp_path / "registry/evals/首都.yaml").read_text(encoding="utf-8"))
    assert {name: spec["id"] for name, spec in specs.items() if "id" in spec} == {
        "首都_match": "首都.match1.v0",
        "首都_fuzzy": "首都.fuzzy1.v0",
        "首都_includes": "首都.includes1.v0",
        "首都_fact": "首都.fact1.v0",
    }
    assert specs["首都_match"]["metrics"] == ["accuracy"]
    assert specs["首都_fuzzy"]["metrics"] == ["f1_score"]
    assert specs["首都.fact1.v0"]["args"] == {
        "samples_jsonl": "首都/首都.jsonl",
        "modelgraded_spec": "fact_zh",
        "eval_type": "cot_classify_zh",
    }


def test_a_split_that_is_there_is_not_made_again(tmp_path: Path) -> None:
    path = tmp_path / "datasets/Capitals/validation.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text('{"q": "mine", "a": "x", "subset": "eu"}\n', encoding="utf-8")
    made = Capitals("validation", out=tmp_path / "r", folder=tmp_path)
    assert [row["ideal"] for row in rows_in(made.written[0])] == ["x"]
    assert not (tmp_path / "downloads").exists()


class Moves(Capitals):
    """Chess, whose splits have names of their own."""

    subsets = {}
    made: Sequence[str] = ("hard", "dev", "val")
    times = 0

    def extract_and_save_datasets(self) -> None:
        type(self).times += 1
        for split in self.made:
            self.save_split(split, [{"q": split, "a": i} for i in range(3)])
            assert [item["q"] for item in self.items(split)] == [split] * 3, "its own code may read what it has saved"


@pytest.mark.parametrize("split", ["hard", "dev", "val"])
def test_splits_of_a_class_that_names_none_are_the_files_it_makes(split: str, tmp_path: Path) -> None:
    made = Moves(config=[split, 1], out=tmp_path / "r", folder=tmp_path)
    assert [row["input"][-1]["content"] for row in rows_in(made.written[0])] == [split]
    assert f"--split {split} --samples 1" in str(made.made_by())


@pytest.mark.parametrize("split", ["hard", "dev"])
def test_a_split_put_there_by_hand_is_taken_whatever_its_name(split: str, tmp_path: Path) -> None:
    class ByHand(Moves):
        times = 0

    path = tmp_path / f"datasets/ByHand/{split}.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text('{"q": "mine", "a": 1}\n', encoding="utf-8")
    made = ByHand(config=[split, 1], out=tmp_path / "r", folder=tmp_path)
    assert rows_in(made.written[0])[0]["input"][-1]["content"] == "mine"
    assert ByHand.times == 0


def test_another_name_of_a_split_is_tried_when_none_has_that_name(tmp_path: Path) -> None:
    class Usual(Moves):
        made = ("train", "validation")
        times = 0

    made = Usual(config=["dev", 2], out=tmp_path / "r", folder=tmp_path)
    rows = rows_in(made.written[0])
    assert rows == rows_in(Usual(["validation", 2], out=tmp_path / "r", folder=tmp_path).written[0])
    assert made.split == "validation"
    assert Usual.times == 1
    assert [len(list(made.rows("dev"))) for _ in range(2)] == [3, 3]
    assert Usual.times == 1, "it is known by now which split that is"


@pytest.mark.parametrize("split, told", [("easy", "with --split: dev, hard, val"), ("../x", "cannot be a name here")])
def test_a_split_that_a_class_does_not_make_is_told(split: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=told):
        Moves(config=[split], out=tmp_path / "r", folder=tmp_path)


def test_splits_that_a_class_names_are_all_it_has(tmp_path: Path) -> None:
    class Named(Moves):
        splits = ("hard", "easy")
        default_split = "hard"

    with pytest.raises(UsageError, match=r"has no split 'dev'\nIt has: hard, easy"):
        Named(config=["dev"], out=tmp_path / "r", folder=tmp_path)
    assert list(tmp_path.iterdir()) == [], "nothing is fetched to find that out"


def test_without_a_config_nothing_happens_and_all_can_be_asked(tmp_path: Path) -> None:
    made = Capitals(folder=tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert [row["ideal"] for row in made.rows("train", subset="as")] == ["1", "3", "5"]
    assert len(list(made.rows("dev", 2))) == 2, "validation by another of its names"
    assert made.told() == "Capitals of countries."
    assert [kind.kind for kind in made.eval_kinds()] == ["match", "fuzzy", "includes", "fact"]


def test_a_source_without_the_split_is_no_reason_to_take_an_older_one(tmp_path: Path) -> None:
    class Moods(Capitals):
        def extract_and_save_datasets(self) -> None:
            splits = ["train"] if self.source else ["train", "validation"]
            for split in splits:
                self.save_split(split, [{"subset": "eu", "q": "?", "a": str(self.source)}])

    made = Moods("validation", out=tmp_path / "r", folder=tmp_path)
    with pytest.raises(UsageError, match="no split 'validation' after its raw files were read"):
        Moods("validation", out=tmp_path / "r", folder=tmp_path, source="mine")
    assert [item["a"] for split in ("train", "validation") for item in made.items(split)] == ["None", "None"]
    assert [path.name for path in (tmp_path / "datasets").iterdir() if path.is_dir()] == ["Moods"]


def test_a_class_that_says_nothing_of_itself_is_told_by_its_name() -> None:
    class Bare(GenerateZh):
        pass

    class Derived(Capitals):
        pass

    assert Bare().told() == "Bare"
    assert Derived().told() == "Capitals of countries."


def test_examples_are_turns_before_the_question(tmp_path: Path) -> None:
    made = Capitals(folder=tmp_path, few_shot=2)
    row = next(iter(made.rows("validation", subset="as")))
    assert [(message["role"], message["content"]) for message in row["input"]] == [
        ("system", "One word."),
        ("user", "train1?"),
        ("assistant", "1"),
        ("user", "train3?"),
        ("assistant", "3"),
        ("user", "validation1?"),
    ]


def test_a_question_is_never_its_own_example(tmp_path: Path) -> None:
    for row in Capitals(folder=tmp_path, few_shot=2).rows("train"):
        asked = [message["content"] for message in row["input"] if message["role"] == "user"]
        assert len(asked) == len(set(asked)) == 3


def test_no_example_is_of_the_question_s_own_cluster(tmp_path: Path) -> None:
    class Stories(Capitals):
        subsets = {}
        few_shot_drawn = True

        def format_more(self, item: Any) -> dict[str, Any]:
            return {"cluster": item["a"] < 3}

    for row in Stories(folder=tmp_path, few_shot=2).rows("train"):
        asked = [message["content"] for message in row["input"] if message["role"] == "user"]
        assert all((int(text[-2]) < 3) != row["cluster"] for text in asked[:-1])


def test_drawn_examples_depend_on_the_seed_alone(tmp_path: Path) -> None:
    class Drawn(Capitals):
        subsets = {}
        few_shot_drawn = True

    def examples(seed: int) -> list[str]:
        rows = [row["input"][1:-1] for row in Drawn(folder=tmp_path, few_shot=3, seed=seed).rows("validation")]
        assert all(row == rows[0] for row in rows)
        return [message["content"] for message in rows[0]]

    assert examples(1) == examples(1)
    assert len({tuple(examples(seed)) for seed in range(8)}) > 1


def test_evals_of_one_s_own_and_yaml_of_one_s_own(tmp_path: Path) -> None:
    class Own(Capitals):
        evals = ("match", EvalKind("json", "aigc_evals.elsuite.basic.json_match:JsonMatch", args={"max_tokens": 9}))

    class Mapped(Capitals):
        def format_one_yaml(self) -> dict[str, Any]:
            return {"甲.乙.v0": {"class": "m:C", "args": {"samples_jsonl": self.data_path}}}

    specs = yaml.safe_load(Own("validation", out=tmp_path, folder=tmp_path).written[1].read_text(encoding="utf-8"))
    assert list(specs) == ["Own_match", "Own.match1.v0", "Own_json", "Own.json1.v0"]
    assert specs["Own.json1.v0"]["args"] == {"samples_jsonl": "Own/Own.jsonl", "max_tokens": 9}
    text = Mapped("validation", out=tmp_path, folder=tmp_path).written[1].read_text(encoding="utf-8")
    assert yaml.safe_load(text)["甲.乙.v0"]["args"]["samples_jsonl"] == "Mapped/Mapped.jsonl"


def test_the_command_is_kept_with_the_eval(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    told = get("BoolQ")(seed=7, few_shot=2, out=tmp_path / "my evals", source="https://u:secret-word@h/x.zip").made_by()
    assert told == (
        "aigc_evals generate BoolQ --split validation --seed 7 --few_shot 2 "
        "--source 'https://[redacted]@h/x.zip' --out ~/'my evals'"
    )
    assert (
        Capitals().made_by()
        == f"aigc_evals generate {__name__}:Capitals --split validation --seed 20220722 --out registry"
    )


# -- mistakes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "config, told",
    [
        (["validaton"], "Capitals has no split 'validaton'"),
        (["validation", 0], "expected a split and how many samples"),
        (["validation", "many"], "expected a split and how many samples"),
        (["validation", 1, 2], "expected a split and how many samples"),
        ([3], "expected a split and how many samples"),
    ],
)
def test_a_wrong_config_is_told(config: Any, told: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=told):
        Capitals(config, folder=tmp_path, out=tmp_path)


@pytest.mark.parametrize(
    "how, told",
    [
        ({"subset": "eus"}, "Did you mean: eu"),
        ({"few_shot": -1}, "must not be negative"),
        ({"few_shot": 4}, "has only 3 examples for eu in its split 'train'"),
    ],
)
def test_wrong_arguments_are_told(how: dict[str, Any], told: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=told):
        Capitals("validation", folder=tmp_path, out=tmp_path, **how)


def test_what_a_class_lacks_or_gets_wrong_is_told(tmp_path: Path) -> None:
    class Empty(Generate):
        pass

    class Broken(Capitals):
        def format_ideal(self, item: Any) -> Any:
            return item["lable"]

    class Raw(Capitals):
        def extract_and_save_datasets(self) -> None:
            raise KeyError("passage")

    class Kinds(Capitals):
        evals = ("mach",)

    for cls, told in (
        (Empty, "Empty does not define extract_and_save_datasets"),
        (
            Broken,
            r"item 0 of the split 'validation' is not as it should be: there is no field 'lable' in it; its fields: subset, q, a\n",
        ),
        (Raw, "Raw: the raw files are not as they should be: KeyError: 'passage'"),
        (Kinds, "names a way of scoring 'mach'"),
    ):
        with pytest.raises(UsageError, match=told):
            cls("validation", folder=tmp_path, out=tmp_path / "r")


def test_addresses_come_in_several_forms() -> None:
    one, two = Remote("https://h/a.zip"), Remote("https://h/b.csv", "b2.csv", "ab")
    assert remotes("https://h/a.zip") == remotes(one) == remotes(["https://h/a.zip"]) == [one]
    assert remotes({"b2.csv": {"url": "https://h/b.csv", "sha256": "ab"}}) == [two]
    assert remotes({"b2.csv": two, "c": "https://h/c"}) == [two, Remote("https://h/c", "c")]
    with pytest.raises(UsageError, match=r"d_url\.x"):
        remotes({"x": 3})


# -- all that are known --------------------------------------------------------------------------------------------


def test_every_data_set_can_be_imported_by_its_name() -> None:
    import aigc_evals.generate as package

    for name in DATASETS:
        assert getattr(package, name) is get(name)
    assert set(DATASETS) < set(dir(package))
    code = "from aigc_evals.generate import BoolQ, lcqmc; import sys; print(BoolQ.__name__, lcqmc.__name__)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "BoolQ lcqmc\n"
    assert not hasattr(package, "BoolX")


def test_type_checkers_know_every_data_set() -> None:
    source = Path(str(sys.modules["aigc_evals.generate"].__file__)).read_text(encoding="utf-8")
    imports = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom) and node.module]
    found = {
        one.name: str(node.module).rpartition(".")[2]
        for node in imports
        for one in node.names
        if ".datasets." in str(node.module)
    }
    assert found == DATASETS


@pytest.mark.parametrize("name", DATASETS)
def test_every_data_set_says_what_it_is(name: str) -> None:
    made = get(name)()
    assert made.splits is not Generate.splits, "a wrong split is told before anything is fetched"
    assert made.class_name == name
    assert made.language in ("en", "zh")
    assert isinstance(made, GenerateZh) == (made.language == "zh")
    assert made.licence
    assert made.citation
    assert made.homepage.startswith("http")
    assert made.default_split in made.splits
    assert made.few_shot_split in made.splits
    assert all(remote.url.startswith(("https://", "http://")) for remote in remotes(made.d_url))
    specs = yaml.safe_load(str(made.format_one_yaml()))
    for kind in made.eval_kinds():
        assert specs[f"{name}_{kind.kind}"]["id"] == f"{name}.{kind.kind}1.v0"
        assert specs[f"{name}.{kind.kind}1.v0"]["made_by"].startswith(f"aigc_evals generate {name} --split ")


def test_names_are_found_whatever_their_case_and_suggested() -> None:
    assert get("boolq") is get("BoolQ")
    with pytest.raises(UsageError, match="Did you mean: BoolQ"):
        get("BoolX")


def test_the_package_s_own_evals_are_in_step() -> None:
    for path, text in built_in_files().items():
        assert path.read_text(encoding="utf-8") == text, "run: python -m aigc_evals.generate"
        made_by = next(spec["made_by"] for spec in yaml.safe_load(text).values() if "made_by" in spec)
        assert made_by.endswith("--seed 20220722 --out ~/.aigc_evals")
