"""A mistake of the user is said once, with its place and what was expected, before anything is asked or written."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from support import cli
from support.registries import match_registry, registry, rows, write_jsonl

from aigc_evals.testing import LoopbackServer

MATCH = "class: aigc_evals.elsuite.basic.match:Match"
GOOD = f"good: {{id: good.dev.v0}}\ngood.dev.v0:\n  {MATCH}\n  args: {{samples_jsonl: good.jsonl}}\n"
FUNCTIONS = """
from __future__ import annotations
import dataclasses
text = "not a function"

@dataclasses.dataclass
class Good:
    answer: str = "True"
    def __call__(self, prompt, **kwargs):
        return self.answer

def nothing(prompt, **kwargs):
    return None

def number(prompt, **kwargs):
    return 5

class Picky:
    def __init__(self, size: int):
        self.size = 10 // size
    def __call__(self, prompt, **kwargs):
        return "True"

class BadEval:
    pass
"""
CHINESE = '{"input": "天是蓝色的吗？", "ideal": "是"}\n'


@dataclass(frozen=True)
class Case:
    """One mistake: how the run is called, what lies in its registry, and what must be said."""

    said: tuple[str, ...]
    args: tuple[object, ...] = ()
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    data: bytes | None = None
    eval: str = "good"
    model: str = "mock-model"
    env: Mapping[str, str] = field(default_factory=dict)
    program: str = cli.RUN


def yaml(text: str | bytes, *said: str, **more: Any) -> Case:
    return Case(said, files={"evals/bad.yaml": text}, **more)


def entry(args: str, *said: str) -> Case:
    text = f"bad: {{id: bad.dev.v0}}\nbad.dev.v0:\n  {MATCH}\n  args: {{samples_jsonl: good.jsonl, {args}}}\n"
    return yaml(text, *said, eval="bad")


def rows_of(text: str | bytes, *said: str) -> Case:
    return Case(("good.jsonl", *said), data=text.encode() if isinstance(text, str) else text)


CASES: dict[str, Case] = {
    # the registry's files
    "broken YAML": yaml("a: b\nc: [1, 2\n", "bad.yaml:", "not valid YAML"),
    "YAML with a tab": yaml("a:\n\tid: b\n", "bad.yaml:2", "not valid YAML"),
    "YAML in gb18030": yaml("名字: {id: 别的}\n".encode("gb18030"), "bad.yaml:1", "not UTF-8"),
    "YAML in utf-16": yaml("a: {id: b}\n".encode("utf-16"), "bad.yaml:1", "not UTF-8"),
    "a Python object in YAML": yaml(
        "bad: {id: bad.dev.v0}\nbad.dev.v0: {class: !!python/name:os.system ''}", "bad.yaml:2", eval="bad"
    ),
    "a name in two files": yaml("good: {id: good.dev.v0}\n", "'good' is defined", "bad.yaml", "good.yaml:1"),
    "a name twice in a file": yaml("x: {id: y}\nx: {id: z}\n", "bad.yaml:2", "[x]", "second time", "line 1"),
    "a field twice": yaml("x:\n  id: y\n  id: z\n", "bad.yaml:3", "[id]", "second time"),
    "an argument twice": yaml(
        f"bad.dev.v0:\n  {MATCH}\n  args:\n    max_tokens: 1\n    max_tokens: 2\n",
        "bad.yaml:5", "[max_tokens]", "second time", eval="bad.dev.v0",
    ),
    "a reserved key": yaml("x:\n  id: y\n  group: z\n", "bad.yaml:3", "[x.group]", "reserved"),
    "an entry that is a list": yaml("x: [1]\n", "bad.yaml:1", "[x]", "mapping"),
    "an entry that is empty": yaml("x:\n", "bad.yaml:1", "[x]", "mapping"),
    "an alias cycle": yaml("a: {id: b}\nb: {id: a}\n", "bad.yaml", "a -> b -> a", eval="a"),
    "an alias of itself": yaml("a: a\n", "bad.yaml", "a -> a", eval="a"),
    "an alias of nothing": yaml("a: {id: goood.dev.v0}\n", "bad.yaml:1", "'goood.dev.v0'", "good.dev.v0", eval="a"),
    "an eval without a split": yaml(f"plain:\n  {MATCH}\n", "base.split", "'plain'", eval="plain"),
    "no class": yaml("a.b: {args: {}}\n", "bad.yaml:1", "lacks class", eval="a.b"),
    "arguments that are a list": yaml(f"a.b:\n  {MATCH}\n  args: [1]\n", "bad.yaml:1", "mapping", eval="a.b"),
    "a class without a module": yaml("a.b: {class: Match}\n", "bad.yaml:1", "module:Name", eval="a.b"),
    "a module that is none": yaml("a.b: {class: 'no_such_module:X'}\n", "bad.yaml:1", "'no_such_module'", eval="a.b"),
    "a class of a file": yaml(
        "a.b: {class: 'my/evals.py:Mine'}\n", "bad.yaml:1", "write evals:Mine", "the folder my on PYTHONPATH", eval="a.b"
    ),
    "an argument that is misspelt": entry("num_fewshot: 1", "bad.yaml:2", "'num_fewshot'", "num_few_shot"),
    "a class that is none": yaml(
        "a.b: {class: 'aigc_evals.elsuite.basic.match:Macth'}\n", "bad.yaml:1", "'Macth'", "Did you mean: Match", eval="a.b"
    ),
    "an upstream class we lack": yaml(
        "a.b: {class: 'evals.elsuite.no_such:X'}\n", "evals.elsuite.no_such", "not installed", eval="a.b"
    ),
    # names
    "an unknown eval": Case(("no eval is named 'goood'", "good"), eval="goood"),
    "an unknown set": Case(("no eval set is named 'tests'", "test"), eval="tests", program=cli.SET),
    "a set of nothing": Case(
        ("no eval matches", "nothing.*"), eval="bad", program=cli.SET,
        files={"eval_sets/bad.yaml": "bad: {evals: ['nothing.*']}\n"},
    ),
    "a set that is no list": Case(
        ("bad.yaml", "must be a list"), eval="bad", program=cli.SET, files={"eval_sets/bad.yaml": "bad: {evals: good}\n"}
    ),
    "a set where an eval is wanted": Case(("no eval is named 'boolq'", "is an eval set", "exec_aigc_evalset"), eval="boolq"),
    "an eval where a set is wanted": Case(("no eval set is named 'good'", "is an eval: run it with exec_aigc_evals."), program=cli.SET),
    "model and eval the wrong way round": Case(("it comes first",), eval="baseline/lexical", model="good"),
    "an unknown argument": entry("max_tokns: 3", "max_tokns", "Did you mean: max_tokens"),
    "an argument of a wrong kind": entry("num_few_shot: many, few_shot_jsonl: good.jsonl", "eval bad.dev.v0", "TypeError"),
    "few-shot without a file": entry("num_few_shot: 2", "few_shot_jsonl"),
    "a missing argument": yaml(f"a.b:\n  {MATCH}\n", "samples_jsonl", eval="a.b"),
    "a missing registry": Case(("no such registry folder", "/nowhere"), ("--registry_path", "/nowhere")),
    # the data
    "no data file": Case(("nowhere.jsonl",), ("--extra_eval_params", "samples_jsonl=nowhere.jsonl")),
    "not JSON": rows_of('{"input": "a", "ideal": "b"}\n{"input": "a" "ideal": "b"}\n', ":2:15", "not JSON"),
    "single quotes": rows_of("{'input': 'a'}\n", ":1", "double quotes"),
    "a key is missing": rows_of('\n{"input": "a", "answer": "b"}\n', ":2", "'ideal'", "answer"),
    "a row is a list": rows_of("[1]\n", ":1", "JSON object"),
    "an ideal is a number": rows_of('{"input": "a", "ideal": 5}\n', ":1", "'ideal'", "5"),
    "an input is null": rows_of('{"input": null, "ideal": "b"}\n', ":1", "'input'", "None"),
    "an input is a number": rows_of('{"input": 5, "ideal": "b"}\n', ":1", "'input'", "5"),
    "a message is text": rows_of('{"input": [{"role": "user", "content": "a"}, "b"], "ideal": "c"}\n', ":1", "message 2"),
    "data in gb18030": rows_of(CHINESE.encode("gb18030"), ":1", "not UTF-8", "gb18030"),
    "data in utf-16": rows_of(CHINESE.encode("utf-16"), ":1", "not UTF-8", "utf-16"),
    # flags
    "a flag nobody knows": Case(("--max-sample", "Did you mean: --max_samples"), ("--max-sample", 3)),
    "a flag like no other": Case(("unrecognized arguments: --蘑菇",), ("--蘑菇", 3)),
    "negative max_samples": Case(("max_samples", "-1"), ("--max_samples", -1)),
    "max_samples as text": Case(("max_samples", "many"), ("--max_samples", "many")),
    "a boolean that is none": Case(("dry-run", "maybe"), ("--dry-run=maybe",)),
    "max_invalid above 1": Case(("max_invalid", "1.5"), ("--max_invalid", 1.5)),
    "a time-out that is no number": Case(("timeout",), ("--timeout", "nan")),
    "an endless time-out": Case(("timeout",), ("--timeout", "inf")),
    "no concurrency": Case(("concurrency",), ("--concurrency", 0)),
    "EVALS_THREADS": Case(("EVALS_THREADS", "'many'"), env={"EVALS_THREADS": "many"}),
    "parameters without =": Case(("extra_eval_params", "key=value", "'max_tokens'"), ("--extra_eval_params", "max_tokens")),
    "a quote left open": Case(("completion_args", "not closed"), ("--completion_args", "a='b,c=1")),
    "an unknown parameter": Case(("max_tokns",), ("--extra_eval_params", "max_tokns=1")),
    "an unknown function argument": Case(("mock-model", "tmeout", "timeout"), ("--completion_args", "tmeout=1")),
    "a function argument of a wrong kind": Case(("timeout", "'soon'"), ("--completion_args", "timeout=soon")),
    "headers that are text": Case(("headers", "mapping"), ("--completion_args", "headers=X")),
    "http-run without a place": Case(("http-run-url",), ("--http-run",)),
    "an unwritable log": Case(("/proc/nowhere/run.jsonl",), ("--record_path", "/proc/nowhere/run.jsonl")),
    "a log that is a folder": Case(("cannot write the log here",), ("--record_path", "/")),
    "a log on the network": Case(("record_path", "local"), ("--record_path", "s3://bucket/run.jsonl")),
    "messages to nowhere": Case(("log_to_file",), ("--log_to_file", "/nowhere/messages.txt")),
    # functions
    "a file without a name": Case(("functions.py:NAME", "--models"), model="functions.py", env={"OPENAI_BASE_URL": ""}),
    "a file that is none": Case(("nowhere.py", "no such Python file"), model="nowhere.py:f"),
    "a name the file lacks": Case(("functions.py", "'Goood'", "Good"), model="functions.py:Goood"),
    "a file that fails": Case(("broken.py", "ZeroDivisionError", "broken.py:2"), model="broken.py:f"),
    "a file that is no Python": Case(("syntax.py", "SyntaxError"), model="syntax.py:f"),
    "not a function": Case(("functions.py:text", "str", "cannot be called"), model="functions.py:text"),
    "a constructor that fails": Case(
        ("functions.py:Picky", "ZeroDivisionError", "functions.py:"), ("--completion_args", "size=0"),
        model="functions.py:Picky",
    ),
    "a constructor that wants more": Case(("functions.py:Picky", "size"), model="functions.py:Picky"),
    "a module that fails": Case(("broken", "ZeroDivisionError"), model="broken:f", env={"PYTHONPATH": "."}),
    "a name the module lacks": Case(("json", "'lods'", "loads"), model="json:lods"),
    "no endpoint": Case(
        ("no completion function is named 'dumy'", "OPENAI_API_KEY"), model="dumy", env={"OPENAI_BASE_URL": ""}
    ),
    "an unknown judge": Case(
        ("no model-graded spec is named 'fakt'", "fact"), ("--extra_eval_params", "modelgraded_spec=fakt"), eval="BoolQ_fact"
    ),
    "a row the judge's prompt cannot be filled from": Case(
        ("good.jsonl:1", "'ideal'"), eval="judged",
        files={
            "evals/judged.yaml": (
                "judged: {id: judged.dev.v0}\njudged.dev.v0:\n"
                "  class: aigc_evals.elsuite.modelgraded.classify:ModelBasedClassify\n"
                "  args: {samples_jsonl: good.jsonl, modelgraded_spec: fact, eval_type: cot_classify}\n"
            )
        },
        data=b'{"input": "a"}\n',
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Ended:
    finished: cli.Finished
    left: list[str]


def perform(case: Case, home: Path, url: str) -> Ended:
    work = home / "work"
    work.mkdir(parents=True)
    (work / "functions.py").write_text(FUNCTIONS)
    (work / "broken.py").write_text("\n1 / 0\n")
    (work / "syntax.py").write_text("def f(:\n")
    made = registry(work / "registry", {"evals/good.yaml": GOOD, **case.files}, {"good.jsonl": rows(3)})
    if case.data is not None:
        (made / "data/good.jsonl").write_bytes(case.data)
    before = set(home.rglob("*"))
    env = cli.environment(home, url, **case.env)
    before |= {home / "tmp"}
    args = [case.model, case.eval, "--registry_path", made, *case.args]
    finished = cli.run(*args, env={**env, "PYTHONDONTWRITEBYTECODE": "1"}, program=case.program, cwd=work)
    return Ended(finished, [str(path.relative_to(home)) for path in home.rglob("*") if path not in before])


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ended]:
    folder = tmp_path_factory.mktemp("bad")
    with LoopbackServer(answer="True") as server, ThreadPoolExecutor(4) as pool:
        going = {
            name: pool.submit(perform, case, folder / str(number), server.base_url)
            for number, (name, case) in enumerate(CASES.items())
        }
        found = {name: future.result() for name, future in going.items()}
        assert server.stats()["requests"] == 0, "a run that could not begin has asked"
    return found


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_is_one_clear_message_and_exit_code_2(name: str, ended: dict[str, Ended]) -> None:
    result = ended[name].finished
    message = result.message
    for text in CASES[name].said:
        assert text in message, f"{text!r} is not in:\n{message}"
    assert result.code == 2, message
    assert message.count("error:") == 1


@pytest.mark.parametrize(("name", "what"), [("nothing", "NoneType"), ("number", "int")])
def test_answers_of_a_wrong_type_are_errors_of_samples_that_the_report_explains(
    name: str, what: str, home: Path
) -> None:
    result = perform(Case((), ("--json",), model=f"functions.py:{name}"), home, "http://127.0.0.1:9/v1").finished
    assert (result.code, result.report["outcomes"]["error"]) == (1, 3)
    (problem,) = result.report["problems"]
    assert f"must return a str or a CompletionResult, this one returned {what}" in problem


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_leaves_nothing_behind(name: str, ended: dict[str, Ended]) -> None:
    assert [path for path in ended[name].left if path.endswith(".jsonl")] == []


def test_every_mistake_costs_no_request(ended: dict[str, Ended]) -> None:
    """The fixture counts the server's requests over all cases."""
    assert len(ended) == len(CASES)


def test_good_input_is_good(home: Path) -> None:
    """What the cases above spoil works when it is whole, a dataclass in a file included."""
    result = perform(Case((), ("--json",), model="functions.py:Good"), home, "http://127.0.0.1:9/v1")
    assert result.finished.code == 0, result.finished.err
    assert result.finished.report["accuracy"] == 1.0


def test_a_pattern_that_matches_nothing_is_said_and_the_rest_runs(loopback: LoopbackServer, home: Path) -> None:
    paths = match_registry(home / "registry", 2, "one")
    registry(paths, {"eval_sets/some.yaml": "some: {evals: [one, oen, 'x*']}\n"})
    env = cli.environment(home, loopback.base_url)
    finished = cli.run("mock-model", "some", "--registry_path", paths, "--json", env=env, program=cli.SET)
    assert finished.code == 0
    assert "'oen'" in finished.err
    assert "one" in finished.err
    assert "'x*'" in finished.err


def test_a_dry_run_writes_nothing(loopback: LoopbackServer, home: Path) -> None:
    env = cli.environment(home, loopback.base_url)
    before = sorted(home.rglob("*"))
    log = home / "run.jsonl"
    finished = cli.run("mock-model", "test-match", "--dry-run", "--json", "--record_path", log, env=env)
    assert finished.code == 0
    assert finished.report["planned"] == 10
    assert finished.err.count('"type":"match"') == 10
    quiet = cli.run("mock-model", "test-match", "--dry-run", "--no-dry-run-logging", "--json", env=env)
    assert '"type"' not in quiet.err
    assert sorted(home.rglob("*")) == before


@pytest.mark.parametrize("samples", [0, 3])
def test_no_samples_fail_the_run(samples: int, loopback: LoopbackServer, home: Path, tmp_path: Path) -> None:
    paths = match_registry(tmp_path / "registry", samples)
    more = [] if samples == 0 else ["--max_samples", 0]
    finished = cli.run(
        "mock-model", "many", "--registry_path", paths, "--json", *more, env=cli.environment(home, loopback.base_url)
    )
    assert finished.code == 1
    assert any("no samples" in problem for problem in finished.report["problems"])


def test_bare_words_and_unicode_names_are_taken_as_they_are(loopback: LoopbackServer, home: Path) -> None:
    paths = match_registry(home / "注册表", 2, "问题")
    finished = cli.run(
        "模型:最新",
        "问题",
        "--registry_path",
        paths,
        "--json",
        env=cli.environment(home, loopback.base_url, LC_ALL="C"),
    )
    assert finished.code == 0, finished.err
    assert {request["body"]["model"] for request in loopback.requests()} == {"模型:最新"}
    (log,) = (home / "tmp" / "evallogs").glob("*.jsonl")
    assert json.loads(log.read_text(encoding="utf-8").splitlines()[0])["spec"]["eval_name"] == "问题.dev.v0"


def test_blank_lines_a_bom_and_other_line_ends_are_accepted(loopback: LoopbackServer, home: Path) -> None:
    paths = match_registry(home / "registry", 1)
    data = write_jsonl(paths / "data/many/samples.jsonl", rows(3))
    data.write_bytes(b"\xef\xbb\xbf" + data.read_bytes().replace(b"\n", b"\r\n\r\n"))
    env = cli.environment(home, loopback.base_url)
    assert cli.run("mock-model", "many", "--registry_path", paths, "--json", env=env).report["planned"] == 3


@pytest.mark.skipif(os.name == "nt", reason="a folder that is in use cannot be removed there")
def test_a_folder_that_has_gone_is_no_reason_to_fail(home: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    ended = cli.run(
        "dummy", "test-match", "--record_path", home / "log.jsonl",
        env=cli.environment(home), cwd=gone, preexec=lambda: os.rmdir(gone),
    )  # fmt: skip
    assert ended.code == 0, ended.err
