"""Requests as templates, replies by paths, conditions as data, addresses of providers: what each means and refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigc_evals.completion_fns.http import HttpCompletionFn
from aigc_evals.completion_fns.http_template import Environment, Fields, Json, Text
from aigc_evals.completion_fns.json_path import Condition, JsonPath, Nowhere
from aigc_evals.completion_fns.login import without_login
from aigc_evals.completion_fns.providers import full_address
from aigc_evals.errors import UsageError
from aigc_evals.sampling.cache_identity import identity

REPLY = {"body": {"message": "好"}, "choices": [{"text": "a"}, {"text": "b"}], "0": "zero", "a.b": {"[c]": 1}}


# -- paths ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("body.message", "好"),
        ("$.body.message", "好"),
        ("choices[0].text", "a"),
        ("choices.1.text", "b"),
        ("choices[-1].text", "b"),
        ("choices.-2.text", "a"),
        ("0", "zero"),
        ('["a.b"]["[c]"]', 1),
        ("['a.b']", {"[c]": 1}),
        (".", REPLY),
        ("$", REPLY),
    ],
)
def test_a_path_leads_where_it_says(path: str, found: Any) -> None:
    assert JsonPath(path).find(REPLY) == found


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("body.text", "body has no 'text', only: message"),
        ("body.message.x", "body.message is a text and has no 'x'"),
        ("choices[2].text", r"choices is a list of 2 and has no \[2\]"),
        ("choices.text", "choices is a list and has no 'text'"),
        ("nothing", "the reply has no 'nothing', only: body, choices, 0, a.b"),
    ],
)
def test_a_path_that_leads_nowhere_says_where_it_ended(path: str, why: str) -> None:
    with pytest.raises(Nowhere, match=why):
        JsonPath(path).find(REPLY)
    assert JsonPath(path).get(REPLY, "default") == "default"


@pytest.mark.parametrize("path", ["", " ", "a..b", "a.", "a[", "a[b]", "a[0]b", 'a["b', None, 7])
def test_what_is_no_path_is_refused(path: Any) -> None:
    with pytest.raises(UsageError, match="JSON path"):
        JsonPath(path, "answer")


KEYS = st.text(st.characters(exclude_characters="\"'", exclude_categories=("Cs",)), max_size=5)


@given(
    st.recursive(st.integers(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3))
)
def test_every_place_of_every_value_has_its_path(value: Any) -> None:
    def places(found: Any, path: str) -> None:
        assert JsonPath(path).find(value) == found
        if isinstance(found, dict):
            for key, item in found.items():
                places(item, f'{path}["{key}"]')
        elif isinstance(found, list):
            for index, item in enumerate(found):
                places(item, f"{path}[{index}]")
                places(item, f"{path}[{index - len(found)}]")

    places(value, "$")


# -- conditions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "reply", "holds"),
    [
        ({"path": "code", "equals": 0}, {"code": 0}, True),
        ({"path": "code", "equals": 0}, {"code": 1}, False),
        ({"path": "code", "equals": 0}, {"code": False}, False),
        ({"path": "code", "equals": 0}, {"code": "0"}, False),
        ({"path": "code", "equals": 0}, {}, False),
        ({"path": "body.status", "equals": ["ok", "成功"]}, {"body": {"status": "成功"}}, True),
        ({"path": "ok", "equals": True}, {"ok": 1}, False),
        ({"path": "data"}, {"data": ""}, True),
        ({"path": "data"}, {"data": None}, False),
    ],
)
def test_a_condition_holds_where_the_value_is_the_same(condition: Any, reply: Any, holds: bool) -> None:
    (made,) = Condition.of(condition, "success")
    assert made.holds(reply) is holds


@pytest.mark.parametrize(
    "raw", ["code == 0", {"equals": 0}, {"path": "a", "equal": 0}, {"path": "a", "equals": []}, [1]]
)
def test_a_condition_is_data_and_nothing_else(raw: Any) -> None:
    with pytest.raises(UsageError, match="success"):
        Condition.of(raw, "success")


# -- templates --------------------------------------------------------------------------------------------------------

VALUES = {"prompt": 'Say "水"\n', "messages": [{"role": "user", "content": "水"}], "uuid": "u-1", "temperature": 0.5}


def filled(text: str, **options: Any) -> Any:
    return Text(text, "body", Environment({"HOST": "h", "A_KEY": "k ey/1"}), **options).fill(VALUES)


def test_a_lone_placeholder_is_its_value_and_one_in_a_text_is_rendered() -> None:
    assert filled("{messages}") is VALUES["messages"]
    assert filled("{temperature}") == 0.5
    assert filled("Q: {prompt}!") == 'Q: Say "水"\n!'
    assert filled("m={messages}") == 'm=[{"role":"user","content":"水"}]'
    assert filled("{{x}} {env:HOST}") == "{x} h"
    assert filled("{{{env:HOST}}}") == "{h}"
    assert filled("{max_tokens=256}") == 256
    assert filled("{stop=END}") == "END"
    assert filled("{env:NOT_THERE=a=b}") == "a=b"


def test_values_in_a_url_are_quoted_and_an_address_is_not() -> None:
    made = filled("http://{env:HOST}/v1/{uuid}?q={prompt}&k={env:A_KEY}", url=True)
    assert made == "http://h/v1/u-1?q=Say%20%22%E6%B0%B4%22%0A&k=k%20ey%2F1"


def test_a_body_is_the_same_from_yaml_and_from_text_and_leaves_out_what_has_no_value() -> None:
    body = {"input": "{prompt}", "n": 1, "opts": {"max": "{max_tokens}", "t": "{temperature}"}, "l": ["{stop}", None]}
    expected = {"input": VALUES["prompt"], "n": 1, "opts": {"t": 0.5}, "l": [None]}
    for raw in (body, json.dumps(body)):
        made = Json(raw, "body", Environment({}))
        assert made.fill(VALUES) == expected
        assert made.used == {"prompt", "max_tokens", "temperature", "stop"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{promt}", "Did you mean: prompt"),
        ("{}", "is no placeholder"),
        ("a { b", "A literal brace is written twice"),
        ("}", "A literal brace is written twice"),
        ("t: {temperature}", "{temperature=...}"),
        ("{env:}", "no name of a variable"),
        ("{env:NOT_SET}", "the environment variable NOT_SET is not set"),
    ],
)
def test_what_is_no_template_is_refused_when_it_is_made(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        Json({"deep": [text]}, "body", Environment({}))
    assert message in str(caught.value)
    assert "[body.deep[0]]" in str(caught.value)


@given(st.text())
def test_every_text_can_be_said_by_doubling_its_braces(text: str) -> None:
    made = Text(text.replace("{", "{{").replace("}", "}}"), "body", Environment({}))
    assert made.fill({}) == text
    assert made.identity == text


def test_secrets_are_known_by_the_names_of_variables_and_all_in_headers() -> None:
    environment = Environment({"TEAM": "team-7", "MY_API_KEY": "k-123456\n", "ACCESS_TOKEN": "t-1"})
    Fields({"X-Team": "{env:TEAM}"}, "headers", environment, secret=True)
    body = Json({"key": "{env:MY_API_KEY}", "team": "{env:TEAM}", "t": "{env:ACCESS_TOKEN}"}, "body", environment)
    assert environment.secrets == ["team-7", "k-123456", "t-1"]
    assert body.identity == {"key": "{env:MY_API_KEY}", "team": "team-7", "t": "{env:ACCESS_TOKEN}"}


def test_a_default_that_all_can_read_is_no_secret() -> None:
    environment = Environment({})
    Fields({"X-Region": "{env:REGION=shanghai}", "X-Token": "{env:X_TOKEN=t-123456}"}, "h", environment, secret=True)
    assert environment.secrets == ["t-123456"]


# -- the whole --------------------------------------------------------------------------------------------------------

GOOD: dict[str, Any] = {"url": "http://127.0.0.1:9/x", "answer": "text", "body": {"q": "{prompt}"}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"url": "ftp://x/y"}, "expected an http:// or https:// address, got 'ftp://x/y'"),
        ({"url": "{uuid}"}, "expected an http:// or https:// address"),
        ({"url": "http://user:half/of-it@x/y"}, "[url]: the port in the address is no number"),
        ({"body": {"q": "constant"}}, "the prompt is not sent"),
        ({"body": '{"q": {prompt}}'}, "Placeholders stand in quotes"),
        ({"form": {"q": "{prompt}"}}, "either a body or a form"),
        ({"method": "GET"}, "Use params."),
        ({"method": "HEAD"}, "expected one of POST, GET"),
        ({"stream": "lines"}, "expected one of none, sse, json-lines"),
        ({"pieces": "whole"}, "[pieces]: this is said of streams only"),
        ({"end": "x"}, "[end]: this is said of streams only"),
        ({"headers": {"X": "{prompt}"}}, "{prompt} cannot stand here"),
        ({"headers": ["X"]}, "[headers]: expected a mapping"),
        ({"params": {"x": ["a"]}}, "[params.x]: expected a text"),
        ({"body": {"q": "{prompt}", "m": "{model}"}}, "{model} has no value"),
        ({"usage": {"tokens": "a"}}, "no such count: 'tokens'"),
        ({"timeout": 0}, "expected a number above 0"),
        ({"answer": None}, "[answer]: expected a JSON path"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_any_call(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        HttpCompletionFn(**{**GOOD, **change})
    assert message in str(caught.value)


def test_the_cache_tells_apis_apart_by_all_but_their_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    def digest(**change: Any) -> bytes:
        found = identity(HttpCompletionFn(**{**GOOD, **change}))
        assert found is not None
        return found.digest

    with_key = {"headers": {"Authorization": "Bearer {env:SOME_KEY}"}, "params": {"k": "{env:SOME_KEY}"}}
    monkeypatch.setenv("SOME_KEY", "one-secret-value")
    monkeypatch.setenv("TARGET", "variant-large")
    first = digest(**with_key)
    assert digest(url="http://name:word-of-mine@127.0.0.1:9/x") == digest()
    others = [
        digest(url="http://127.0.0.1:9/y"),
        digest(body={"q": "{prompt} "}),
        digest(answer="other"),
        digest(model="m"),
        digest(params={"to": "{env:TARGET}"}),
        digest(headers={"X-Variant": "{env:TARGET}"}),
        digest(headers={"X-Variant": "b"}),
    ]
    monkeypatch.setenv("SOME_KEY", "another-secret-value")
    assert digest(**with_key) == first
    monkeypatch.setenv("TARGET", "variant-small")
    others += [digest(params={"to": "{env:TARGET}"}), digest(headers={"X-Variant": "{env:TARGET}"})]
    assert len({digest(), first, *others}) == len(others) + 2


def test_no_secret_is_held_where_it_can_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_URL", "https://user:pass-word-1@h.example/x?token=query-secret")
    monkeypatch.setenv("TEAM", "team-seven")
    fn = HttpCompletionFn(
        **{**GOOD, "url": "{env:SOME_URL}", "headers": {"X-Team": "{env:TEAM}", "Authorization": "Token literal-one"}}
    )
    assert fn.endpoint == "https://h.example/x"
    assert {"pass-word-1", "team-seven", "literal-one"} <= set(fn.secrets)
    found = identity(fn)
    assert found is not None
    assert found.endpoint == "https://h.example/x"


# -- providers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "full"),
    [
        ("127.0.0.1", "http://127.0.0.1:11434/v1"),
        ("0.0.0.0", "http://127.0.0.1:11434/v1"),
        ("0.0.0.0:9000", "http://127.0.0.1:9000/v1"),
        (":9000", "http://127.0.0.1:9000/v1"),
        ("gpu-1", "http://gpu-1:11434/v1"),
        ("http://gpu-1:8000/", "http://gpu-1:8000/v1"),
        ("https://models.example.com", "https://models.example.com/v1"),
        ("https://models.example.com/api/v2/", "https://models.example.com/api/v2"),
        ("[::1]:7000", "http://[::1]:7000/v1"),
        ("http://u:p@h:1", "http://u:p@h:1/v1"),
    ],
)
def test_an_address_that_lacks_something_has_it_from_the_usual_one(given: str, full: str) -> None:
    assert full_address(given, "http://127.0.0.1:11434/v1") == full


def test_a_login_stands_before_the_host_and_nowhere_else() -> None:
    assert without_login("https://u:p%40w@h:1/x?y=a@b") == ("https://h:1/x?y=a@b", ("p%40w", "p@w", "dTpwQHc="))
    assert without_login("https://h?mail=a@b") == ("https://h?mail=a@b", ())
    assert without_login("https://h#a@b") == ("https://h#a@b", ())


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(UsageError, match="'h:port' is no address"):
        full_address("h:port", "http://127.0.0.1:11434/v1", "OLLAMA_HOST")
