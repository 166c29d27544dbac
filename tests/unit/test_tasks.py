"""Generated evals: reproducible, decided exactly, proved by solvers that see the prompt only, and written by a command."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from math import sqrt
from pathlib import Path
from typing import Any

import pytest
from support import cli

import aigc_evals
from aigc_evals.cli.main import main
from aigc_evals.elsuite.constraints import Constraints, check_rules, keeps
from aigc_evals.errors import SampleError, UsageError
from aigc_evals.registry import BUILT_IN, Registry
from aigc_evals.tasks import TASKS, catalogue, get
from aigc_evals.tasks.task import JSON_MATCH, LEVELS, Row, Task, make_rows, write
from aigc_evals.testing import ScriptedCompletionFn

ENGLISH = [name for name in TASKS if get(name).language == "en"]
EXACT = [name for name in ENGLISH if get(name).eval_class == JSON_MATCH]
ROOT = Path(__file__).resolve().parents[2]


@cache
def rows(name: str) -> list[Row]:
    """The committed rows of a task."""
    raw = (BUILT_IN / "data" / get(name).data_path).read_bytes()
    return [json.loads(line) for line in unpacked(raw).decode().splitlines()]


def unpacked(raw: bytes) -> bytes:
    return gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw


def report(fn: Any, name: str, **config: Any) -> dict[str, Any]:
    return aigc_evals.run(fn, name, dry_run=True, dry_run_logging=False, progress=False, **config).report


def accuracy(fn: Any, name: str, **config: Any) -> float:
    metric = report(fn, name, **config)["metrics"]["accuracy"]
    value: float = metric["value"]
    return value


# -- the committed data --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TASKS)
def test_the_committed_data_are_what_the_generator_makes(name: str, tmp_path: Path) -> None:
    for path in write(get(name), tmp_path):
        committed = BUILT_IN / path.relative_to(tmp_path)
        assert unpacked(path.read_bytes()) == unpacked(committed.read_bytes()), committed


@pytest.mark.parametrize("name", TASKS)
def test_there_are_at_least_150_rows_with_prompts_of_their_own(name: str) -> None:
    prompts = {json.dumps(row["input"]) for row in rows(name)}
    assert len(prompts) == len(rows(name)) >= 150


def test_the_repository_stays_small() -> None:
    sizes = {name: (BUILT_IN / "data" / get(name).data_path).stat().st_size for name in TASKS}
    assert max(sizes.values()) < 1_500_000
    assert sum(sizes.values()) < 8_000_000


def test_needles_lie_in_texts_of_the_length_that_the_name_says() -> None:
    for name, characters in (("needle_4k_en", 16_000), ("needle_16k_en", 64_000)):
        lengths = [len(row["input"][0]["content"]) for row in rows(name)]
        assert 0.9 * characters < min(lengths) <= max(lengths) < 1.1 * characters


def test_files_packed_twice_have_the_same_bytes(tmp_path: Path) -> None:
    task = get("needle_4k_en")
    one, other = (write(task, tmp_path / folder, n=3)[0].read_bytes() for folder in "ab")
    assert one == other


def test_other_seeds_and_difficulties_make_other_rows() -> None:
    for name in TASKS:
        task = get(name)
        made = [make_rows(task, 3), make_rows(task, 3, seed=1), make_rows(task, 3, difficulty=3)]
        assert len({json.dumps(one) for one in made}) == 3, name


# -- every ideal is right, and nothing else is ---------------------------------------------------------------------


@pytest.mark.parametrize("name", TASKS)
def test_the_solver_gets_every_committed_row_right_from_its_prompt(name: str) -> None:
    found = report(catalogue.oracle(name), name)
    assert found["metrics"]["accuracy"]["value"] == 1.0
    assert found["outcomes"]["scored"] == len(rows(name))


@pytest.mark.parametrize("name", TASKS)
def test_the_solver_gets_rows_of_any_seed_and_difficulty_right(name: str, tmp_path: Path) -> None:
    task = get(name)
    for level in LEVELS:
        folder = tmp_path / str(level)
        write(task, folder, n=12, seed=7 + level, difficulty=level)
        assert accuracy(catalogue.oracle(name), name, registry=Registry([BUILT_IN, folder])) == 1.0


@pytest.mark.parametrize("name", EXACT)
def test_an_ideal_of_json_match_equals_nothing_but_itself(name: str) -> None:
    """Null equals nothing, and true and false equal 1 and 0."""

    def plain(value: Any) -> bool:
        if isinstance(value, dict):
            return bool(value) and all(map(plain, value.values()))
        if isinstance(value, list):
            return bool(value) and all(map(plain, value))
        return isinstance(value, (bool, str)) or (isinstance(value, int) and value not in (0, 1))

    for row in rows(name):
        assert isinstance(row["ideal"], str)
        assert plain(json.loads(row["ideal"]))


@pytest.mark.parametrize("name", EXACT)
def test_what_only_begins_like_the_answer_is_wrong(name: str) -> None:
    oracle = catalogue.oracle(name)
    for ending in ("0", " or maybe not"):
        assert accuracy(lambda prompt, ending=ending, **_: oracle(prompt) + ending, name, max_samples=40) == 0.0


@pytest.mark.parametrize("name", ["arithmetic_en", "json_extract_en", "knights_en", "table_lookup_en"])
def test_the_answer_to_another_question_is_wrong(name: str) -> None:
    task = get(name)
    answers = {json.dumps(row["input"]): row["ideal"] for row in rows(name)}
    prompts = list(answers)
    following = dict(zip(prompts, [answers[prompt] for prompt in [*prompts[1:], prompts[0]]], strict=True))
    same = sum(answers[prompt] == following[prompt] for prompt in prompts) / len(prompts)
    assert accuracy(lambda prompt, **_: following[json.dumps(prompt)], task.name) == pytest.approx(same)


@pytest.mark.parametrize("name", TASKS)
def test_guessing_is_worth_what_was_computed(name: str) -> None:
    """Within four standard errors of the computed chance."""
    asked = 20 if get(name).packed else len(rows(name))
    chance = get(name).chance(rows(name))
    allowed = 4 * sqrt(chance * (1 - chance) / asked)
    assert abs(accuracy("baseline/random", name, max_samples=asked) - chance) <= allowed + 1e-9


def test_half_of_the_comparisons_follow() -> None:
    assert sum(row["ideal"] == "true" for row in rows("ordering_en")) == len(rows("ordering_en")) / 2


# -- the frame -----------------------------------------------------------------------------------------------------


def test_a_task_is_loaded_when_it_is_asked_for() -> None:
    code = "import sys, aigc_evals.tasks; print([m for m in sys.modules if m.startswith('aigc_evals.tasks.')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_every_task_is_in_the_table_under_its_own_name() -> None:
    for name, module in TASKS.items():
        assert get(name).name == name
        assert set(TASKS) >= {task.name for task in sys.modules[f"aigc_evals.tasks.{module}"].TASKS}


def only(count: int) -> Task:
    """A task with so many different questions."""
    make: Callable[..., Any] = lambda rng, n, difficulty: catalogue_rows(rng, n, count)  # noqa: E731
    return Task("只有几题", "zh", "只有几道题", make, lambda row: "")


def catalogue_rows(rng: Any, n: int, count: int) -> Any:
    from aigc_evals.tasks.task import distinct, question

    return distinct(lambda _: {"input": question(f"第 {rng.randrange(count)} 题"), "ideal": "好"}, n)


def test_more_rows_than_questions_is_the_users_mistake() -> None:
    assert len(make_rows(only(5), 5)) == 5
    with pytest.raises(UsageError, match="there are only 5 different questions"):
        make_rows(only(5), 6)


# -- the command ---------------------------------------------------------------------------------------------------


def test_generate_writes_an_eval_that_runs(home: Path) -> None:
    env = cli.environment(home)
    done = cli.run(
        *("generate", "knights_en", "--samples", 7, "--seed", 3, "--difficulty", 1, "--out", "自己的"),
        env=env,
        program="aigc_evals",
    )
    assert done.code == 0, done.err
    assert done.out.split() == ["自己的/data/knights_en/knights_en.jsonl", "自己的/evals/knights_en.yaml"]
    ran = cli.run("baseline/random", "knights_en", "--registry_path", "自己的", "--json", env=env)
    assert ran.report["planned"] == 7


def test_generate_lists_the_tasks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[lines.index("tasks") + 1 :]] == sorted(TASKS)


@pytest.mark.parametrize(
    "words, message",
    [
        (["knihgts_en"], "Did you mean: knights_en"),
        ([], "it must be said which data set or task"),
        (["knights_en", "--samples", "0"], "[samples]: must be at least 1"),
        (["knights_en", "--difficulty", "9"], "[difficulty]: must be one of 1, 2, 3, got 9"),
        (["knights_en", "--out", "/dev/null/x"], "cannot be written"),
    ],
)
def test_mistakes_end_in_one_message(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", *words]) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert said.out == ""


# -- eval sets -----------------------------------------------------------------------------------------------------


def test_the_core_set_of_a_language_holds_its_tasks() -> None:
    assert sorted(Registry([BUILT_IN]).eval_set("core-en").evals) == sorted(ENGLISH)


def test_the_core_set_runs(tmp_path: Path) -> None:
    done = aigc_evals.run_set(
        "baseline/lexical", "core-en", record_path=tmp_path / "日志", max_samples=5, progress=False
    )
    assert done.exit_code == 0
    assert len(done.results) == len(ENGLISH)


# -- constraints ---------------------------------------------------------------------------------------------------

KEPT = [
    ("one two  three —", {"rule": "words", "min": 3, "max": 3}, True),
    ("don't stop-me", {"rule": "words", "max": 1}, False),
    ("春天来了，雨停了。", {"rule": "characters", "min": 7, "max": 7}, True),
    ("春天来了。雨停了！", {"rule": "sentences", "min": 2, "max": 2}, True),
    ("It cost 3.50 euros. Really?", {"rule": "sentences", "min": 2, "max": 2}, True),
    ("- 一\n- 二\n\n", {"rule": "bullets", "min": 2, "max": 2}, True),
    ("- one\nand more", {"rule": "only_bullets"}, False),
    ("* one\n\n* two", {"rule": "only_bullets"}, True),
    ("", {"rule": "only_bullets"}, False),
    ("- a b\n- c d", {"rule": "bullet_words", "min": 2, "max": 2}, True),
    ("- a b\n- c", {"rule": "bullet_words", "min": 2, "max": 2}, False),
    ("The River, the river", {"rule": "contains", "text": "river", "min": 2, "max": 2}, True),
    ("rivers", {"rule": "contains", "text": "river"}, False),
    ("小河边的河", {"rule": "contains", "text": "河", "word": False, "min": 2}, True),
    ("other", {"rule": "absent", "text": "the"}, True),
    ("THE end", {"rule": "absent", "text": "the"}, False),
    ("从前有座山", {"rule": "absent", "text": "山", "word": False}, False),
    ("我爱北京天安门", {"rule": "absent", "text": "北京"}, False),
    ("我爱北京天安门", {"rule": "contains", "text": "北京"}, True),
    ("小河边的河", {"rule": "contains", "text": "河", "min": 2, "max": 2}, True),
    ("我用Python写程序", {"rule": "absent", "text": "python"}, False),
    ("我用CPython写程序", {"rule": "absent", "text": "python"}, True),
    ("买了iPad平板电脑", {"rule": "contains", "text": "ipad平板"}, True),
    ("买了MyiPad平板电脑", {"rule": "contains", "text": "ipad平板"}, False),
    ("There are 13.", {"rule": "absent", "text": "3"}, True),
    ("共3个", {"rule": "absent", "text": "3"}, False),
    ("Wait, no.", {"rule": "absent", "text": ","}, False),
    ("Use C++11", {"rule": "contains", "text": "C++"}, True),
    ("naïve", {"rule": "absent", "text": "na"}, True),
    ("  Once more", {"rule": "starts_with", "text": "Once"}, True),
    ("once more", {"rule": "starts_with", "text": "Once"}, False),
    ("完了。\n", {"rule": "ends_with", "text": "完了。"}, True),
    ("all low 3", {"rule": "case", "is": "lower"}, True),
    ("Not ALL", {"rule": "case", "is": "upper"}, False),
    ("123", {"rule": "case", "is": "upper"}, False),
    ('{"a": 1, "b": 2}', {"rule": "json_keys", "keys": ["b", "a"]}, True),
    ('{"a": 1, "b": 2}', {"rule": "json_keys", "keys": ["a"]}, False),
    ("[1]", {"rule": "json_keys", "keys": []}, False),
    ('{"a": "x y", "b": "z w"}', {"rule": "json_words", "min": 2, "max": 2}, True),
    ('{"a": "x y", "b": 2}', {"rule": "json_words", "min": 1}, False),
]


@pytest.mark.parametrize("text, rule, kept", KEPT)
def test_a_rule_is_kept_or_not(text: str, rule: dict[str, Any], kept: bool) -> None:
    check_rules([rule])
    assert keeps(text, rule) is kept


@pytest.mark.parametrize(
    "rules, message",
    [
        ([], "at least one rule"),
        ("words", "at least one rule"),
        ([{"rule": "字数"}], "a rule is an object whose 'rule' is one of words"),
        ([{"rule": "contains"}], "has the fields max, min, text, word"),
        ([{"rule": "words", "most": 3}], "has the fields max, min, got"),
        ([{"rule": "words", "min": "3"}], "whole numbers"),
        ([{"rule": "absent", "text": ""}], "must be a text that is not empty"),
        ([{"rule": "case", "is": "Title"}], "lower or upper"),
        ([{"rule": "json_keys", "keys": "ab"}], "list of strings"),
    ],
)
def test_a_rule_that_cannot_be_checked_is_refused(rules: Any, message: str) -> None:
    with pytest.raises(SampleError, match=message):
        check_rules(rules)


def test_constraints_report_the_share_of_rules_kept_too(tmp_path: Path) -> None:
    rules = [{"rule": "starts_with", "text": "春"}, {"rule": "characters", "max": 4}]
    data = tmp_path / "rows.jsonl"
    texts = ("春天", "春天真的很好", "秋天")
    data.write_text(
        "".join(json.dumps({"input": f"写 {text}", "rules": rules}, ensure_ascii=False) + "\n" for text in texts),
        encoding="utf-8",
    )
    (tmp_path / "evals").mkdir()
    (tmp_path / "evals" / "rules.yaml").write_text(
        "rules: {id: rules.dev.v0, metrics: [accuracy]}\n"
        f"rules.dev.v0: {{class: 'aigc_evals.elsuite.constraints:Constraints', args: {{samples_jsonl: '{data}'}}}}\n",
        encoding="utf-8",
    )
    fn = ScriptedCompletionFn({f"写 {text}": text for text in texts})
    found = report(fn, "rules", registry_path=[tmp_path])
    assert found["accuracy"] == pytest.approx(1 / 3)
    assert found["rules"] == pytest.approx(2 / 3)


def test_an_ideal_that_breaks_a_rule_is_refused() -> None:
    made = Constraints([ScriptedCompletionFn(["好"])], "rows.jsonl")
    with pytest.raises(SampleError, match="the ideal breaks a rule"):
        made.check_sample({"input": "写", "rules": [{"rule": "characters", "min": 3}], "ideal": "好"})


# -- the catalogue -------------------------------------------------------------------------------------------------

MEASURED_HERE = ("BoolQ_match", "BoolQ_zh_match", "knights_en", "sorting_en", "test-match-zh", "test-modelgraded")


def test_the_catalogue_is_in_step() -> None:
    """All of it from the registry and the docstrings, and some of the figures (the others take too long here)."""
    text = (ROOT / "docs" / "catalogue.md").read_text(encoding="utf-8")
    held = catalogue.read_figures(text)
    assert set(held) == set(catalogue.eval_names()), "run: python -m aigc_evals.tasks.catalogue"
    for name in MEASURED_HERE:
        assert held[name] == catalogue.figures(name)
    assert text == catalogue.page(held), "run: python -m aigc_evals.tasks.catalogue"


def test_the_catalogue_says_that_every_solver_is_always_right() -> None:
    held = catalogue.read_figures((ROOT / "docs" / "catalogue.md").read_text(encoding="utf-8"))
    assert {name: held[name][-1] for name in TASKS} == dict.fromkeys(TASKS, "1.000")
