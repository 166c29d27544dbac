"""Who asks: which of the headers must never be shown, and which stay readable because they say what was measured."""

from __future__ import annotations

import base64
import random
import string
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from aigc_evals.completion_fns.azure import AzureOpenAIChatCompletionFn
from aigc_evals.completion_fns.http import HttpCompletionFn
from aigc_evals.completion_fns.login import authorized, looks_like_a_key, secrets_in
from aigc_evals.completion_fns.openai import OpenAIChatCompletionFn, OpenAIEmbeddings
from aigc_evals.completion_fns.providers import ProviderChatCompletionFn
from aigc_evals.errors import UsageError

URL = "http://127.0.0.1:9/v1"
FUNCTIONS: list[Callable[..., Any]] = [
    lambda **args: OpenAIChatCompletionFn("m", URL, **args),
    lambda **args: OpenAIEmbeddings("m", URL, **args),
    lambda **args: ProviderChatCompletionFn("m", URL, **args),
    lambda **args: AzureOpenAIChatCompletionFn("m", URL, "an-api-key", **args),
    lambda **args: HttpCompletionFn(URL, "text", body={"q": "{prompt}"}, **args),
]


@pytest.mark.parametrize(
    "name",
    [
        "x-api-key",
        "X-API-KEY",
        "X-Api-Key",
        "apikey",
        "ApiKey",
        "api-key",
        "Authorization",
        "authorization",
        "Proxy-Authorization",
        "Cookie",
        "X-Auth",
        "X-Auth-Token",
        "X-Token",
        "Ocp-Apim-Subscription-Key",
        "X-Goog-Api-Key",
        "X-Amz-Security-Token",
        "X-Client-Secret",
        "X-Password",
        "X-Sign",
        "X-Signature",
        "appSecret",
        "accessKey",
        "X_ACCESS_TOKEN",
        "X-Hmac",
        "X-Ticket",
        "X-Licence",
        "X-License",
        "X-Access",
        "X-Pin-Code",
        "X-Nonce",
        "xapikey",
        "userkey",
        "X-Authkey",
        "X-Accesstoken",
    ],
)
def test_the_value_of_a_header_with_the_name_of_a_secret_is_one_whatever_it_looks_like(name: str) -> None:
    assert "tomato" in list(secrets_in({name: "tomato"}))
    assert "番茄红了吗" in list(secrets_in({name: "番茄红了吗"}))


def test_a_secret_is_known_without_the_word_before_it_and_in_the_midst_of_others() -> None:
    assert set(secrets_in({"Authorization": "Bearer tomato-7"})) == {"Bearer tomato-7", "Bearer", "tomato-7"}
    found = set(secrets_in({"Cookie": "theme=dark; session=tomato"}))
    assert {"theme=dark; session=tomato", "session=tomato"} <= found
    assert list(secrets_in({"X-Trace": "build 9f8e7d6c5b4a, 甲"})) == ["9f8e7d6c5b4a"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Route", "canary"),
        ("X-Route", "canary-v2"),
        ("X-Route", "灰度"),
        ("X-Region", "eu-west-1"),
        ("X-Zone", "us-central1-a"),
        ("X-Model", "gpt-4o-2024-08-06"),
        ("X-Model", "qwen2.5-72b-instruct"),
        ("X-Hardware", "a100 80gb fp16"),
        ("X-Date", "2024-11-22"),
        ("X-Build", "20241122"),
        ("X-Project", "evals"),
        ("X-Title", "OpenAI LoadBalancer"),
        ("OpenAI-Beta", "assistants=v2"),
        ("anthropic-version", "2023-06-01"),
        ("Accept", "application/json, text/event-stream;q=0.9"),
        ("Accept-Language", "zh-CN,zh;q=0.9"),
        ("User-Agent", "evals/1.2.3 (Linux x86_64)"),
        ("HTTP-Referer", "https://example.com/evals/weekly"),
        ("X-Empty", ""),
    ],
)
def test_what_says_what_was_measured_stays_readable(name: str, value: str) -> None:
    assert list(secrets_in({name: value})) == []


@pytest.mark.parametrize(
    "value",
    [
        "zebra-quartz-7731-lantern",
        "correct-horse-battery-staple",
        "s3cr3t",
        "abc123def456",
        "QwErTyUiOp",
        "1234567890",
        "dGVhbTpyZWQ=",
        "A1B2C-D3E4F-G5H6I",
        "ab12-cd34-ef56",
        "https://someone:word@example.com/",
        "https://example.com/?who=someone",
    ],
)
def test_in_doubt_it_is_a_key(value: str) -> None:
    assert looks_like_a_key(value)


@pytest.mark.parametrize("seed", range(20))
def test_keys_as_they_are_made_look_like_keys(seed: int) -> None:
    drawn = random.Random(seed)
    letters = string.ascii_letters + string.digits
    for key in (
        drawn.randbytes(16).hex(),
        drawn.randbytes(10).hex(),
        str(uuid.UUID(bytes=drawn.randbytes(16), version=4)),
        base64.b64encode(drawn.randbytes(15)).decode("ascii"),
        base64.urlsafe_b64encode(drawn.randbytes(16)).decode("ascii"),
        "".join(drawn.choices(letters, k=20)),
        "".join(drawn.choices(string.ascii_lowercase, k=24)),
        "".join(drawn.choices(string.digits, k=12)),
    ):
        assert looks_like_a_key(key), key


@pytest.mark.parametrize("make", FUNCTIONS)
def test_every_function_names_the_secrets_among_its_headers_alone(make: Callable[..., Any]) -> None:
    fn = make(headers={"X-Route": "canary", "X-Auth": "tomato", "X-Gateway": "9f8e7d6c5b4a3210", "X-Level": 3})
    assert {"tomato", "9f8e7d6c5b4a3210"} <= set(fn.secrets)
    assert not {"canary", "3"} & set(fn.secrets)


def test_what_comes_from_the_environment_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "orchard")
    monkeypatch.setenv("ROUTE", "canary")
    assert "orchard" in OpenAIChatCompletionFn("m", URL).secrets
    assert "canary" in HttpCompletionFn(URL, "t", headers={"X-Route": "{env:ROUTE}"}, body={"q": "{prompt}"}).secrets


def test_a_key_goes_along_unless_a_header_says_who_asks() -> None:
    assert authorized({"X-Route": "canary"}, "tomato-7", ()) == (
        {"X-Route": "canary", "Authorization": "Bearer tomato-7"},
        ("tomato-7",),
    )
    sent, secrets = authorized({"authorization": "Token pear-8"}, "tomato-7", ())
    assert sent == {"authorization": "Token pear-8"}
    assert {"tomato-7", "pear-8"} <= set(secrets)


@pytest.mark.parametrize("make", FUNCTIONS)
def test_headers_that_are_no_mapping_are_refused(make: Callable[..., Any]) -> None:
    with pytest.raises(UsageError, match=r"expected a mapping"):
        make(headers="X-Route: canary")
