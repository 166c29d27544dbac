"""Systems under test made of models: agents, chains, retrieval, LangChain, Azure; each against a real endpoint."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from support import cli, logs
from support.api_server import ApiServer
from support.registries import MATCH, registry, write_jsonl

import aigc_evals
from aigc_evals.completion_fns.agent import ToolAgentCompletionFn
from aigc_evals.completion_fns.azure import AzureOpenAIChatCompletionFn, AzureOpenAICompletionFn, EntraTokens
from aigc_evals.completion_fns.chain import PromptChainCompletionFn
from aigc_evals.completion_fns.openai import OpenAIChatCompletionFn
from aigc_evals.completion_fns.retrieval import RetrievalCompletionFn
from aigc_evals.errors import EndpointError, UsageError
from aigc_evals.registry import Registry
from aigc_evals.testing import Fault, LoopbackServer
from aigc_evals.testing.replies import embed

COUNT = {
    "name": "count_characters",
    "command": [sys.executable, "-c", "import json, sys; print(len(json.load(sys.stdin)['text']))"],
    "parameters": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
}
SCRIPT = "support.agent_script:reply"


@pytest.fixture
def environment(loopback: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The endpoint of the environment is the loopback server."""
    monkeypatch.setenv("OPENAI_BASE_URL", loopback.base_url)


def one_eval(folder: Path, *inputs: Any) -> Path:
    """A registry with an eval ``asks`` whose ideal is "True" for each input."""
    rows = [{"input": given, "ideal": "True"} for given in inputs]
    return registry(folder, {"evals/asks.yaml": MATCH.format(name="asks")}, {"asks/samples.jsonl": rows})


def run(fn: Any, home: Path, *inputs: Any, **config: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The report and the events of a run of ``asks``."""
    log = home / "run.jsonl"
    folder = one_eval(home / "registry", *inputs)
    result = aigc_evals.run(fn, "asks", registry_path=[folder], record_path=log, progress=False, **config)
    return result.report, logs.events(log)


def entries(home: Path, name: str, text: str) -> Path:
    return registry(home / "fns", {f"completion_fns/{name}.yaml": text})


# -- agents -----------------------------------------------------------------------------------------------------------


def agent(home: Path, **args: Any) -> Registry:
    made = {"completion_fn": "mock-model", "tools": ["calculator", COUNT], "system": "用工具。", **args}
    text = json.dumps(
        {"my/agent": {"class": "aigc_evals.completion_fns.agent:ToolAgentCompletionFn", "args": made}},
        ensure_ascii=False,
    )
    found = Registry()
    found.add_registry_paths([entries(home, "agent", text)])
    return found


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.usefixtures("environment")
def test_the_events_of_an_agent_tell_the_whole_story(stream: bool, loopback: LoopbackServer, home: Path) -> None:
    loopback.configure(script=SCRIPT)
    made = agent(home, kwargs={"stream": True} if stream else None)
    report, events = run("my/agent", home, [{"role": "user", "content": "算一算"}], registry=made)
    assert (report["accuracy"], report["outcomes"]["scored"]) == (1.0, 1)
    story = [event for event in events if event["type"] in ("sampling", "function_call", "match", "sample")]
    assert [event["type"] for event in story] == [
        "sampling", "function_call", "function_call", "sampling", "match", "sample",
    ]  # fmt: skip
    first, multiply, count, second, match, sample = (event["data"] for event in story)
    assert [message["role"] for message in first["prompt"]] == ["system", "user"]
    assert [call["function"]["name"] for call in first["tool_calls"]] == ["calculator", "count_characters"]
    assert (multiply["name"], multiply["arguments"], multiply["return_value"]) == (
        "calculator", {"expression": "6×7"}, "42",
    )  # fmt: skip
    assert (count["arguments"], count["return_value"], count["error"]) == ({"text": "北京欢迎你"}, "5", False)
    assert [message["role"] for message in second["prompt"]] == ["system", "user", "assistant", "tool", "tool"]
    assert second["prompt"][3] == {"role": "tool", "tool_call_id": multiply["call_id"], "content": "42"}
    assert second["sampled"] == ["True: 42 and 5"]
    assert match["sampled"] == "True: 42 and 5"
    assert (sample["requests"], sample["tool_calls"]) == (2, 2)
    declared = loopback.requests()[0]["body"]["tools"]
    assert declared[0]["function"]["parameters"]["required"] == ["expression"]


@pytest.mark.usefixtures("environment")
def test_every_mistake_is_told_to_the_model_which_goes_on(loopback: LoopbackServer, home: Path) -> None:
    loopback.configure(script=SCRIPT)
    report, events = run("my/agent", home, [{"role": "user", "content": "mistakes"}], registry=agent(home))
    assert report["accuracy"] == 1.0
    told = [event["data"]["return_value"] for event in events if event["type"] == "function_call"]
    assert [text.split(";")[0] for text in told] == [
        "Error: there is no tool 'no_such'",
        told[1],
        "Error: the arguments must be a JSON object, got [1]",
        "Error: missing arguments: expression",
        "Error: ZeroDivisionError: division by zero",
    ]
    assert told[1].startswith("Error: the arguments are not JSON")
    assert all(event["data"]["error"] for event in events if event["type"] == "function_call")


@pytest.mark.usefixtures("environment")
def test_an_agent_that_does_not_end_is_cut_off_at_its_last_step(loopback: LoopbackServer, home: Path) -> None:
    loopback.configure(script=SCRIPT)
    made = agent(home, max_steps=3)
    report, events = run("my/agent", home, [{"role": "user", "content": "for ever"}], registry=made)
    assert report["outcomes"]["truncated"] == 1
    assert loopback.stats()["requests"] == 3
    assert sum(event["type"] == "function_call" for event in events) == 2
    (note,) = [event["data"] for event in events if event["type"] == "extra"]
    assert note == {"agent": "step limit", "steps": 3, "not_called": ["calculator"]}


@pytest.mark.usefixtures("environment")
def test_an_agent_works_outside_a_run(loopback: LoopbackServer) -> None:
    loopback.configure(script=SCRIPT)
    fn = ToolAgentCompletionFn("mock-model", ["calculator", COUNT])
    assert fn(prompt=[{"role": "user", "content": "算"}]).get_completions() == ["True: 42 and 5"]


@pytest.mark.parametrize(
    "args, told",
    [({"tools": "calculator"}, "tools"), ({"max_steps": 0}, "max_steps"), ({"tools": ["calculator"] * 2}, "two tools")],
)
@pytest.mark.usefixtures("environment")
def test_a_malformed_agent_is_a_usage_error(args: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        ToolAgentCompletionFn("mock-model", **args)


# -- chains -----------------------------------------------------------------------------------------------------------

CHAIN = """
my/chain:
  class: aigc_evals.completion_fns.chain:PromptChainCompletionFn
  args:
    completion_fn: mock-model
    steps:
      - name: plan
        template: "先想一想 {{不是字段}}: {input}"
        kwargs: {max_tokens: 7}
      - template:
          - {role: system, content: "计划: {plan}"}
          - {role: user, content: "{input}"}
        kwargs: {seed: 3}
"""


@pytest.mark.usefixtures("environment")
def test_each_step_of_a_chain_sees_the_ones_before(loopback: LoopbackServer, home: Path) -> None:
    plan = {"content": "{input} {plan} 先查地图", "finish_reason": "length"}
    loopback.configure(rules=({"contains": "先想一想", "answer": plan}, {"contains": "计划", "answer": "True"}))
    made = Registry()
    made.add_registry_paths([entries(home, "chain", CHAIN)])
    report, events = run("my/chain", home, "首都 {plan}?", registry=made)
    assert report["accuracy"] == 1.0
    assert report["outcomes"]["scored"] == 1, "that an earlier step was cut does not decide"
    first, last = (request["body"] for request in loopback.requests())
    assert first["messages"][0]["content"] == "先想一想 {不是字段}: 首都 {plan}?"
    assert [message["content"] for message in last["messages"]] == ["计划: {input} {plan} 先查地图", "首都 {plan}?"]
    assert "temperature" not in first
    assert first["max_tokens"] == 7
    assert (last["temperature"], last["seed"]) == (0.0, 3), "what the eval asks for goes to the last step"
    assert sum(event["type"] == "sampling" for event in events) == 2


WRONG_STEPS = [
    ([], "at least one step"),
    ([{"name": "a", "template": "{inptu}"}], "Did you mean: input"),
    ([{"name": "a", "template": "{input}"}, {"name": "a", "template": "x"}], "is taken"),
    ([{"template": "x"}, {"template": "y"}], "needs a name"),
    ([{"name": "a", "tempalte": "x"}], "Did you mean: template"),
    ([{"name": "a", "template": 5}], "a text, or messages"),
    ([{"name": "a", "template": "x", "kwargs": 5}], "expected a mapping"),
    ([{"name": "a"}], "needs a template"),
]


@pytest.mark.parametrize("steps, told", WRONG_STEPS)
@pytest.mark.usefixtures("environment")
def test_a_malformed_chain_is_a_usage_error(steps: Any, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        PromptChainCompletionFn(steps, completion_fn="mock-model")
    assert told in str(caught.value)


# -- retrieval --------------------------------------------------------------------------------------------------------

TEXTS = ["巴 黎 是 法 国 首 都", "Tokyo is the capital of Japan", "Bread is baked from flour"]
QUESTION = "Which is the capital of Japan ?"


@pytest.mark.parametrize("form", ["texts.jsonl", "both.jsonl", "both.csv", "texts.csv"])
@pytest.mark.usefixtures("environment")
def test_the_nearest_texts_are_put_before_the_prompt(form: str, loopback: LoopbackServer, home: Path) -> None:
    loopback.configure(answer="True")
    path = home / form
    vectors = [embed(text, 64) for text in TEXTS]
    if form.endswith(".csv"):
        rows = [
            f'"{text}"' + (f',"{vector}"' if "both" in form else "")
            for text, vector in zip(TEXTS, vectors, strict=True)
        ]
        head = "\ufefftext,embedding" if "both" in form else "text"
        path.write_text("\n".join([head, *rows]), encoding="utf-8")
    else:
        both = [{"text": text, "embedding": vector} for text, vector in zip(TEXTS, vectors, strict=True)]
        write_jsonl(path, both if "both" in form else [{"text": text} for text in TEXTS])
    text = f"""
    my/retrieval:
      class: aigc_evals.completion_fns.retrieval:RetrievalCompletionFn
      args: {{completion_fn: mock-model, embeddings_and_text_path: "{path}", k: 1, embedding_model: e}}
    """
    made = Registry()
    made.add_registry_paths([entries(home, "retrieval", text)])
    report, events = run("my/retrieval", home, QUESTION, QUESTION + " Say.", registry=made)
    assert report["accuracy"] == 1.0
    found = [event["data"] for event in events if event["type"] == "embedding"]
    assert [[hit["row"] for hit in data["retrieved"]] for data in found] == [[1], [1]]
    assert found[0]["retrieved"][0]["text"] == TEXTS[1]
    assert 0.3 < found[0]["retrieved"][0]["score"] < 1
    bodies = [request["body"] for request in loopback.requests()]
    asked = [body["messages"] for body in bodies if "messages" in body]
    assert all(TEXTS[1] in messages[0]["content"] and TEXTS[2] not in str(messages) for messages in asked)
    embedded = [body["input"] for body in bodies if "input" in body]
    assert embedded.count(TEXTS) == ("texts" in form), "texts are embedded once, and only where they have to be"
    assert report["requests"] == len(bodies)


@pytest.mark.usefixtures("environment")
def test_prompts_and_texts_of_different_models_are_refused(loopback: LoopbackServer, home: Path) -> None:
    path = write_jsonl(home / "p.jsonl", [{"text": "甲", "embedding": [1, 0]}])
    with pytest.raises(UsageError, match=r"embeddings of 2 numbers.* gives 64"):
        RetrievalCompletionFn("mock-model", str(path))(prompt="a")


@pytest.mark.usefixtures("environment")
def test_a_failed_embedding_is_repeated_as_every_call(loopback: LoopbackServer, home: Path) -> None:
    path = write_jsonl(home / "p.jsonl", [{"text": "甲"}])
    loopback.configure(faults=[Fault("server_error", path="/v1/embeddings", first=1)], answer="好")
    template = "资料: {context}\n问题: {input}"
    fn = RetrievalCompletionFn("mock-model", str(path), retrieval_template=template)
    assert fn(prompt="什么 {context}?").get_completions() == ["好"]
    assert loopback.stats()["paths"]["/v1/embeddings"] == 3
    content = loopback.requests()[-1]["body"]["messages"]
    assert content == [{"role": "user", "content": "资料: 甲\n问题: 什么 {context}?"}]


BAD_FILES = [
    ("a.jsonl", '{"text": "x", "embedding": [1]}\n{"text": "y"}\n', "a.jsonl:2 [embedding]: some rows"),
    ("a.jsonl", '{"text": "x", "embedding": [1]}\n{"text": "y", "embedding": [1, 2]}\n', "has 2 numbers"),
    ("a.jsonl", '{"words": "x"}\n', "a.jsonl:1 [text]: a row needs a text"),
    ("a.csv", "a,b\n1,2\n", "must name a column text"),
    ("a.csv", 'text,embedding\nx,"[1, oh]"\n', "a list of numbers"),
    (
        "a.csv",
        'text,embedding\nx,"[1, 0]"\n\ny,"[NaN, 0]"\n',
        "a.csv:4 [embedding]: the embedding has a number that is not",
    ),
    ("a.jsonl", '{"text": "x", "embedding": [1e999, 1]}\n', "a.jsonl:1"),
    (
        "a.jsonl",
        '{"text": "x", "embedding": [1, 0]}\n{"text": "空", "embedding": [0, 0.0]}\n',
        "a.jsonl:2 [embedding]: the embedding is all zeros",
    ),
    ("a.txt", "x", "a .csv or a .jsonl"),
    ("a.jsonl", "", "no text to retrieve"),
]


@pytest.mark.parametrize("name, content, told", BAD_FILES)
@pytest.mark.usefixtures("environment")
def test_a_malformed_file_of_texts_is_a_usage_error(name: str, content: str, told: str, home: Path) -> None:
    (home / name).write_text(content, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        RetrievalCompletionFn("mock-model", str(home / name))
    assert told in str(caught.value)


# -- functions made of themselves ---------------------------------------------------------------------------------------

AGENT = "aigc_evals.completion_fns.agent:ToolAgentCompletionFn"
CIRCLES = """
self: {class: AGENT, args: {completion_fn: self}}
甲: {class: aigc_evals.completion_fns.cot:ChainOfThoughtCompletionFn, args: {cot_completion_fn: 乙}}
乙:
  class: aigc_evals.completion_fns.chain:PromptChainCompletionFn
  args: {steps: [{name: one, template: "{input}", completion_fn: dummy}, {name: two, template: "{one}", completion_fn: 丙}]}
丙: {id: 丁}
丁: {class: AGENT, args: {completion_fn: 甲}}
twice: {class: aigc_evals.completion_fns.cot:ChainOfThoughtCompletionFn, args: {cot_completion_fn: inner}}
inner: {class: AGENT, args: {completion_fn: dummy}}
""".replace("AGENT", AGENT)


@pytest.mark.parametrize(("name", "told"), [("self", "'self' asks itself"), ("甲", "乙 -> 丙 -> 甲 -> 乙")])
def test_functions_that_ask_each_other_in_a_circle_are_named(name: str, told: str, home: Path) -> None:
    made_by = Registry()
    made_by.add_registry_paths([entries(home, "circles", CIRCLES)])
    with pytest.raises(UsageError) as caught:
        made_by.make_completion_fn(name)
    assert told in str(caught.value)
    assert "circles.yaml" in str(caught.value)


def test_a_function_may_ask_the_same_one_twice(home: Path) -> None:
    made_by = Registry()
    made_by.add_registry_paths([entries(home, "circles", CIRCLES)])
    assert callable(made_by.make_completion_fn("twice"))
    assert callable(made_by.make_completion_fn("inner"))


# -- LangChain --------------------------------------------------------------------------------------------------------


def test_models_of_langchain_are_asked(home: Path) -> None:
    pytest.importorskip("langchain_core", reason="the extra langchain is not installed")
    names = ("example/langchain-chat", "example/langchain-llm")
    for number, name in enumerate(names):
        folder = home / str(number)
        folder.mkdir()
        report, events = run(name, folder, [{"role": "user", "content": "是吗？"}], "text 文本")
        assert report["accuracy"] == 1.0
        assert {event["data"]["sampled"][0] for event in events if event["type"] == "sampling"} == {"True"}


def test_a_message_of_langchain_keeps_its_tokens_and_its_end(home: Path) -> None:
    pytest.importorskip("langchain_core", reason="the extra langchain is not installed")
    from langchain_core.messages import AIMessage

    from aigc_evals.completion_fns.langchain import LangChainChatModelCompletionFn

    message = AIMessage(
        content=[{"type": "text", "text": "北"}, "京"],
        usage_metadata={"input_tokens": 3, "output_tokens": 2, "total_tokens": 5},
        response_metadata={"finish_reason": "length", "model_name": "m"},
    )
    arguments = {"messages": iter([message])}
    result = LangChainChatModelCompletionFn("GenericFakeChatModel", arguments)(prompt="a", temperature=0)
    assert result.get_completions() == ["北京"]
    assert result.usage == {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    assert (result.finish_reason, result.model) == ("length", "m")


@pytest.mark.parametrize("argument", ["llm_kwargs", "chat_model_kwargs"])
def test_entries_of_openai_evals_name_models_of_langchain(argument: str, home: Path) -> None:
    pytest.importorskip("langchain_core", reason="the extra langchain is not installed")
    module = "evals.completion_fns.langchain_llm"
    text = (
        f"langchain/chat: {{class: '{module}:LangChainChatModelCompletionFn',"
        f" args: {{llm: FakeListChatModel, {argument}: {{responses: [北京]}}}}}}\n"
        f"langchain/llm: {{class: '{module}:LangChainLLMCompletionFn',"
        f" args: {{llm: FakeListLLM, llm_kwargs: {{responses: [北京]}}}}}}\n"
        "cot/langchain: {class: 'evals.completion_fns.cot:ChainOfThoughtCompletionFn', args: {cot_completion_fn: langchain/llm}}\n"
    )
    made_by = Registry()
    made_by.add_registry_paths([entries(home, "langchain", text)])
    for name in ("langchain/chat", "langchain/llm", "cot/langchain"):
        assert made_by.make_completion_fn(name)(prompt="首都？").get_completions() == ["北京"]


@pytest.mark.parametrize(
    "llm, told",
    [("NoSuchChat", "module:Class"), ("ChatOpenAI", "langchain-openai"), ("json:JSONDecoder", "not a BaseChatModel")],
)
def test_an_unknown_model_of_langchain_is_a_usage_error(llm: str, told: str) -> None:
    pytest.importorskip("langchain_core", reason="the extra langchain is not installed")
    from aigc_evals.completion_fns.langchain import LangChainChatModelCompletionFn

    with pytest.raises(UsageError) as caught:
        LangChainChatModelCompletionFn(llm)
    assert told in str(caught.value)


# -- Azure ------------------------------------------------------------------------------------------------------------

KEY = "zebra-quartz-7731-lantern"


def test_azure_is_asked_in_its_own_way(loopback: LoopbackServer, home: Path) -> None:
    loopback.configure(api_key=KEY, answer="True")
    folder = one_eval(home / "registry", "水是湿的吗？")
    env = cli.environment(
        home, AZURE_OPENAI_ENDPOINT=loopback.url + "/", AZURE_OPENAI_API_KEY=KEY, OPENAI_API_VERSION="2025-01-01"
    )
    log = home / "run.jsonl"
    done = cli.run("azure/my deployment", "asks", "--registry_path", folder, "--record_path", log, "--json", env=env)
    assert done.code == 0, done.err
    assert done.report["accuracy"] == 1.0
    (request,) = loopback.requests()
    assert request["path"] == "/openai/deployments/my%20deployment/chat/completions"
    assert (request["query"], request["authorized"]) == ("api-version=2025-01-01", True)
    assert KEY not in log.read_text(encoding="utf-8") + done.err


def test_azure_text_models_and_variables(loopback: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", loopback.url)
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    monkeypatch.setenv("AZURE_OPENAI_DEPLOYMENT", "d")
    monkeypatch.setenv("AZURE_OPENAI_API_VERSION", "v1")
    monkeypatch.setenv("OPENAI_API_VERSION", "other")
    AzureOpenAICompletionFn()(prompt="a")
    assert loopback.requests()[0]["path"] == "/openai/deployments/d/completions"
    assert loopback.requests()[0]["query"] == "api-version=v1"
    made = Registry(wrap=None).make_completion_fn("azure/completion/e")
    assert isinstance(made, AzureOpenAICompletionFn)
    assert made.model == "e"


def test_a_gateway_may_have_models_named_azure(loopback: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", loopback.base_url)
    assert Registry().make_completion_fn("azure/gpt-4o").model == "azure/gpt-4o"
    monkeypatch.delenv("OPENAI_BASE_URL")
    with pytest.raises(UsageError, match="AZURE_OPENAI_ENDPOINT"):
        Registry().make_completion_fn("azure/gpt-4o")


def test_entra_tokens_are_used_and_renewed_before_they_expire(loopback: LoopbackServer) -> None:
    loopback.configure(api_key=["token-1", "token-2"])
    given: list[int] = []
    now = [0.0]

    def provide() -> tuple[str, float]:
        given.append(1)
        return f"token-{len(given)}", now[0] + 3600

    fn = AzureOpenAIChatCompletionFn("d", loopback.url, token_provider=provide)
    fn.tokens = EntraTokens(provide, clock=lambda: now[0])
    for moment, tokens in ((0, 1), (3000, 1), (3400, 2), (3500, 2)):
        now[0] = moment
        assert fn(prompt="a").get_completions()[0] in ("True", "False")
        assert len(given) == tokens
    assert all(request["authorized"] for request in loopback.requests())
    assert "token-2" in fn.secrets


def test_without_a_token_nothing_is_asked(loopback: LoopbackServer) -> None:
    async def provide() -> str:
        raise RuntimeError("没有登录")

    with pytest.raises(EndpointError, match="no Entra token: RuntimeError: 没有登录") as caught:
        AzureOpenAIChatCompletionFn("d", loopback.url, token_provider=provide)(prompt="a")
    assert caught.value.kind == "auth"
    assert loopback.stats()["requests"] == 0


@pytest.mark.parametrize("azure", [True, False])
def test_a_prompt_that_is_filtered_is_refused_not_failed(azure: bool, loopback: LoopbackServer, home: Path) -> None:
    loopback.configure(faults=[Fault("prompt_filter", message="内容被过滤", when_contains="坏")], answer="True")
    fn: Any = OpenAIChatCompletionFn("m", loopback.base_url)
    if azure:
        fn = AzureOpenAIChatCompletionFn("d", loopback.url, KEY)
    report, events = run(fn, home, "坏问题", "好问题")
    assert (report["outcomes"]["refused"], report["outcomes"]["scored"]) == (1, 1)
    refused = [event["data"] for event in events if event["type"] == "sampling" and "refusal" in event["data"]]
    assert "内容被过滤" in refused[0]["refusal"]
    assert refused[0]["model"] == fn.model
    assert loopback.stats()["requests"] == 2


@pytest.mark.parametrize(("fault", "outcome"), [("prompt_filter", "refused"), ("context_length", "error")])
def test_bad_prompts_do_not_end_a_run_however_many_they_are(
    fault: str, outcome: str, loopback: LoopbackServer, home: Path
) -> None:
    loopback.configure(faults=[Fault(fault, when_contains="坏")], answer="True")
    questions = [f"{'好' if number % 16 == 0 else '坏'}问题 {number}" for number in range(640)]
    report, _ = run(OpenAIChatCompletionFn("m", loopback.base_url), home, *questions, concurrency=64)
    assert (report["outcomes"]["scored"], report["outcomes"][outcome]) == (40, 600)
    assert loopback.stats()["requests"] == 640


# -- what is shipped --------------------------------------------------------------------------------------------------


def test_every_example_in_the_registry_can_be_made(
    loopback: LoopbackServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("langchain_core", reason="the extra langchain is not installed")
    monkeypatch.setenv("OPENAI_BASE_URL", loopback.base_url)
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", loopback.url)
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    monkeypatch.setenv("EXAMPLE_API_TOKEN", KEY)
    told = {"code": 0, "data": {"text": "True", "finished": True, "usage": {"input": 7, "output": 1}}}
    monkeypatch.chdir(tmp_path)
    write_jsonl(tmp_path / "passages.jsonl", [{"text": "甲"}])
    names = [name for name in Registry()._completion_fns if name.startswith("example/")]
    assert len(names) == 9
    with ApiServer(lambda asked: told) as api:
        monkeypatch.setenv("EXAMPLE_API_URL", api.url)
        for name in names:
            from aigc_evals.sampling import Sampler

            fn = Registry(wrap=Sampler().wrap).make_completion_fn(name)
            assert fn(prompt="是吗？").get_completions()[0] in ("True", "False"), name
    assert api.asked[0].json["max_new_tokens"] == 512
