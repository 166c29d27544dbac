"""``aigc_evals list`` and ``show`` as processes: what a registry holds, and a sample exactly as a model will get it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import cli, logs
from support.registries import registry, write_jsonl

from aigc_evals.registry import BUILT_IN
from aigc_evals.tools.listing import columns, list_entries, render
from aigc_evals.tools.show import STAND_IN, show

ROWS = [
    {
        "input": [{"role": "system", "content": "只写答案。"}, {"role": "user", "content": "中国的首都？"}],
        "ideal": "北京",
    },
    {
        "input": [{"role": "system", "content": "只写答案。"}, {"role": "user", "content": "法国的首都？"}],
        "ideal": "巴黎",
    },
]
SHOT = {"sample": [{"role": "system", "name": "example_user", "content": "日本的首都？"}]}
YAML = {
    "evals/首都.yaml": """
        首都:
          id: 首都.测试.v0
          description: 各国的首都；回答以标准答案开头为正确。
          metrics: [accuracy]
        首都.测试.v0:
          class: aigc_evals.elsuite.basic.match:Match
          args:
            samples_jsonl: 首都.jsonl
            num_few_shot: 1
            few_shot_jsonl: 示例.jsonl
        首都评审.测试.v0:
          class: aigc_evals.elsuite.modelgraded.classify:ModelBasedClassify
          args: {samples_jsonl: 首都.jsonl, modelgraded_spec: 评审, eval_type: classify_zh, eval_model: 某个要钱的模型}
        坏的.测试.v0:
          class: aigc_evals.elsuite.basic.match:Match
          args: {samples_jsonl: 没有.jsonl}
        """,
    "eval_sets/首都.yaml": "首都: {evals: [首都, '首都评*', 没有]}\n",
    "modelgraded/评审.yaml": """
        评审:
          prompt: "问：{input}\\n答：{completion}"
          choice_strings: [对, 错]
          input_outputs: {input: completion}
        """,
    "completion_fns/我的.yaml": """
        我的模型:
          class: aigc_evals.completion_fns.openai:OpenAIChatCompletionFn
          args: {model: m, api_base: "http://127.0.0.1:9/v1", api_key: very-secret-value-1}
        """,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = registry(tmp_path_factory.mktemp("list") / "registry", YAML, {"首都.jsonl": ROWS})
    write_jsonl(path / "data" / "示例.jsonl", [SHOT])
    return path


@pytest.fixture
def env(home: Path) -> dict[str, str]:
    return cli.environment(home, LC_ALL="C.UTF-8")


def ask(*words: object, env: dict[str, str]) -> cli.Finished:
    return cli.run(*words, env=env, program="aigc_evals")


def test_list_names_each_thing_with_what_it_is_and_where_it_stands(folder: Path, env: dict[str, str]) -> None:
    done = ask("list", "首都", "--registry_path", folder, env=env)
    assert done.code == 0
    assert done.out.splitlines() == [
        "evals (2)",
        "  首都              Match               首都.yaml:2   各国的首都；回答以标准答案开头为正确。",
        "  首都评审.测试.v0  ModelBasedClassify  首都.yaml:12",
        "eval sets (1)",
        "  首都  3 entries  首都.yaml:1",
    ]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["evals", "首都*"], ["首都", "首都评审.测试.v0"]),
        (["evals", "首都", "--all"], ["首都", "首都.测试.v0", "首都评审.测试.v0"]),
        (["sets", "首都"], ["首都"]),
        (["completion_fns", "我的"], ["我的模型"]),
        (["modelgraded", "评审"], ["评审"]),
        (["BOOLQ_ZH_F*"], ["BoolQ_zh_fuzzy", "BoolQ_zh_fact"]),
    ],
)
def test_a_filter_is_a_part_of_a_name_or_a_pattern(
    words: list[str], names: list[str], folder: Path, env: dict[str, str]
) -> None:
    done = ask("list", *words, "--json", "--registry_path", folder, env=env)
    assert [row["name"] for row in json.loads(done.out)] == names


def test_nothing_found_and_nothing_meant_are_told(env: dict[str, str]) -> None:
    assert ask("list", "没有这样的", env=env).code == 1
    done = ask("list", "没有这一类", "首都", env=env)
    assert (done.code, "expected one of evals, sets" in done.message) == (2, True)
    done = ask("show", "BoolQ_zh_mach", env=env)
    assert (done.code, "Did you mean: BoolQ_zh_match" in done.message) == (2, True)


def test_a_broken_file_does_not_hide_the_others(folder: Path, tmp_path: Path) -> None:
    broken = registry(tmp_path / "registry", {"evals/a.yaml": "a: [\n", "evals/b.yaml": "b: c\n"})
    (row,) = list_entries([broken])
    assert (row.name, row.what) == ("b", "-> c (does not exist)")


def test_the_table_is_cut_to_the_terminal(folder: Path) -> None:
    lines = render(list_entries([folder], "evals"), 60).splitlines()
    assert max(map(columns, lines)) <= 60
    assert lines[1].endswith("…")


def test_show_tells_what_an_eval_is_and_what_will_be_sent(folder: Path, env: dict[str, str], tmp_path: Path) -> None:
    done = ask("show", "首都", "--registry_path", folder, env=env)
    assert done.code == 0, done.err
    shown, of_set = yaml.safe_load_all(done.out)
    assert shown["leads_to"] == ["首都.测试.v0"]
    assert shown["defined"] == [f"{folder}/evals/首都.yaml:2", f"{folder}/evals/首都.yaml:6"]
    assert shown["class"] == "aigc_evals.elsuite.basic.match:Match"
    assert shown["about"].startswith("Correct when the answer")
    data = folder / "data" / "首都.jsonl"
    assert shown["samples"] == 2
    assert shown["data"] == [{"file": str(data), "sha256": hashlib.sha256(data.read_bytes()).hexdigest()}]
    assert shown["metrics"] == ["accuracy"]
    assert [message["content"] for message in shown["prompt"]] == ["只写答案。", "日本的首都？", "中国的首都？"]
    assert (of_set["kind"], of_set["runs"]) == ("eval set", ["首都.测试.v0", "首都评审.测试.v0"])
    assert of_set["problem"] == "matches nothing: 没有"
    log = tmp_path / "log.jsonl"
    ran = cli.run("dummy", "首都", "--registry_path", folder, "--record_path", log, env=env)
    assert ran.code == 0, ran.err
    sent = {event["sample_id"]: event["data"]["prompt"] for event in logs.events(log, "sampling")}
    assert sent[shown["sample_id"]] == shown["prompt"]


def test_show_fills_the_judge_s_prompt_and_asks_no_model(folder: Path) -> None:
    (shown,) = show([BUILT_IN, folder], "首都评审.测试.v0")
    assert shown["prompt"] == ROWS[0]["input"]
    (judged,) = shown["judge_prompt"]
    assert "中国的首都？" in judged["content"]
    assert f"答：{STAND_IN}" in judged["content"]
    assert shown["judge_call"]["temperature"] == 0
    (spec,) = show([BUILT_IN, folder], "评审")
    assert spec["judge_prompt"] == shown["judge_prompt"]
    assert spec["used_by"] == ["首都评审.测试.v0"]


def test_show_masks_secrets(folder: Path, env: dict[str, str]) -> None:
    done = ask("show", "我的模型", "--json", "--registry_path", folder, env=env)
    (shown,) = json.loads(done.out)
    assert "very-secret-value-1" not in done.out + done.err
    assert shown["args"]["api_key"] == "[redacted]"
    assert shown["args"]["model"] == "m"


def test_show_masks_what_a_run_would(tmp_path: Path) -> None:
    headers = {
        "X-Session": "番茄",
        "userkey": "ab",
        "X-Trace": "build 9f8e7d6c5b4a",
        "X-Session-Id": "9f8e7d6c5b4b",
        "X-Route": "canary-v2",
    }
    asked = {"model": "m", "headers": headers, "options": {"extra_headers": {"Cookie": "a=b"}}}
    api = {
        "url": "http://h/x",
        "answer": "a",
        "body": {"token": "tomato-quartz", "q": "{prompt}", "end_token": "[END]"},
    }
    entries = {
        "甲": {"class": "aigc_evals.completion_fns.openai:OpenAIChatCompletionFn", "args": asked},
        "乙": {"class": "aigc_evals.completion_fns.http:HttpCompletionFn", "args": api},
    }
    place = registry(tmp_path, {"completion_fns/a.yaml": yaml.safe_dump(entries, allow_unicode=True)})
    (shown,) = show([place], "甲")
    assert shown["args"]["headers"] == {
        "X-Session": "[redacted]",
        "userkey": "[redacted]",
        "X-Trace": "build [redacted]",
        "X-Session-Id": "[redacted]",
        "X-Route": "canary-v2",
    }
    assert shown["args"]["options"] == {"extra_headers": {"Cookie": "[redacted]"}}
    (shown,) = show([place], "乙")
    assert shown["args"]["body"] == {"token": "[redacted]", "q": "{prompt}", "end_token": "[END]"}


def test_what_cannot_be_shown_is_said_and_the_rest_is_shown(folder: Path) -> None:
    (shown,) = show([BUILT_IN, folder], "坏的.测试.v0")
    assert "no such data file" in shown["problem"]
    assert shown["args"] == {"samples_jsonl": "没有.jsonl"}


def built_in(kind: str) -> list[Any]:
    return [row.name for row in list_entries([BUILT_IN], kind)]


@pytest.mark.parametrize("name", built_in("evals"))
def test_every_built_in_eval_can_be_shown_with_its_prompt(name: str) -> None:
    for shown in show([BUILT_IN], name):
        assert "problem" not in shown
        if shown["kind"] == "eval" and "not_made_yet" not in shown:
            assert "prompt" in shown or "judge_prompt" in shown


def test_every_model_graded_spec_can_be_shown() -> None:
    for name in built_in("modelgraded"):
        (shown,) = show([BUILT_IN], name)
        assert shown["choice_strings"]
