"""Secrets are masked wherever they stand, and everything else is left alone."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from aigc_evals.data import decode, encode
from aigc_evals.redact import Redactor, names_a_secret, url_secrets

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVPmB92K27uhbUJU1p1r_wW1gFWFOEjXk"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAx+/1\nabc=\n-----END RSA PRIVATE KEY-----"

SHAPES = [
    "sk-" + "a" * 20,
    "sk-proj-Ab12_cdEF-34567890ghijKL",
    "sk-ant-api03-AbCdEfGhIjKlMnOpQrSt",
    "AKIAIOSFODNN7EXAMPLE",
    "ASIAIOSFODNN7EXAMPLE",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz",
    "hf_abcdefghijklmnopqrstuvwxyzABCDEFGH",
    "xoxb-123456789012-1234567890123-AbCdEf",
    "AIzaSyA1234567890abcdefghijklmnopqrstuv",
    JWT,
    PEM,
]


@pytest.mark.parametrize("secret", SHAPES)
@pytest.mark.parametrize(
    "around", ["{}", "key={} end", "密钥{}。", "line\n{}\nline", '{{"k": "{}"}}', "\t{}\t", "'{}'"]
)
def test_keys_and_tokens_are_known_by_their_shape(secret: str, around: str) -> None:
    redactor = Redactor()
    text = around.format(secret)
    assert redactor.text(text) == around.format("[redacted]")
    assert redactor.line(encode({"a": text, "b": 1})) == encode({"a": around.format("[redacted]"), "b": 1})
    quoted = encode({"a": encode(text).decode()})
    assert secret.encode() not in redactor.line(quoted)
    assert b"[redacted]" in redactor.line(quoted)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic [redacted]"),
        ("'authorization': 'Bearer abc123'", "'authorization': 'Bearer [redacted]'"),
        ('"Authorization":"Basic dXNlcjpwYXNz"', '"Authorization":"Basic [redacted]"'),
        ("Bearer abcdefghijklmnopqrstuvwxyz", "Bearer [redacted]"),
        ("bearer Zm9vYmFy.QmF6LXF1eA.c3VwZXJzZWNyZXQ", "bearer [redacted]"),
        ("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Basic [redacted]"),
        ("postgres://user:p%40ss@db/x", "postgres://[redacted]@db/x"),
        ("https://ghtoken@github.com/a/b", "https://[redacted]@github.com/a/b"),
        ("https://a.b/c?x=1&api_key=abc&y=2", "https://a.b/c?x=1&api_key=[redacted]&y=2"),
        ("https://a.b/c?token=abc#top", "https://a.b/c?token=[redacted]#top"),
        ("https://a.b/?key=abc 你好", "https://a.b/?key=[redacted] 你好"),
        ("https://a.b/?X-Amz-Signature=0a1b", "https://a.b/?X-Amz-Signature=[redacted]"),
    ],
)
def test_secrets_in_headers_and_urls_are_masked_alone(text: str, expected: str) -> None:
    assert Redactor().text(text) == expected
    assert decode(Redactor().line(encode({"a": text}))) == {"a": expected}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "task-specific-classification-benchmarks are risk-averse",
        "the bearer of responsibilities and internationalization",
        "Basic understanding of thermodynamics",
        "authorization: required",
        "a@b.com wrote to https://medium.com/@someone about x = y",
        "hf_hub_download(get_bootstrap_accuracy_std)",
        "https://a.b/c?page=2&monkey_business=3",
        "chatcmpl-AbCdEfGhIjKlMnOpQrStUvWxYz012345",
        "f47ac10b-58cc-4372-a567-0e02b2c3d479",
        "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0\n-----END PUBLIC KEY-----",
        "EMPTY",
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    line = encode({"a": text})
    assert Redactor().text(text) == text
    assert Redactor().line(line) is line or Redactor().line(line) == line


SECRET = st.text(st.characters(codec="utf-8"), min_size=6, max_size=30)


@given(SECRET, st.text(max_size=20), st.text(max_size=20))
@example('quo"te\\back\nline', "a\\", "\\b")
@example("nabcdefgh", "\n", "")
@example("correcthorsebattery", "", "")
@example("密码密码密码密码", "前", "后")
def test_a_known_value_never_gets_through(secret: str, before: str, after: str) -> None:
    redactor = Redactor([secret])
    assume(redactor._values)
    secret = secret.strip()
    assert secret not in redactor.text(before + secret + after)
    for line in (
        encode({"a": [before + secret + after], secret: 1}),
        json.dumps({"a": [before + secret + after], secret: 1}).encode(),
        encode({"a": encode([before + secret + after]).decode()}),
    ):
        masked = redactor.line(line)
        json.loads(masked)
        for form in (secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
            assert form.encode() not in masked.replace(b"[redacted]", b"\x00")


PIECES = st.sampled_from(
    [*SHAPES, "Bearer ", "Authorization: Basic ", "https://u:p@", "?key=", "\n", "\\n", " ", "x", '"', "你"]
)
TEXTS = st.lists(PIECES | st.text(max_size=5), max_size=6).map("".join)


@given(TEXTS)
def test_masking_twice_changes_nothing_more(text: str) -> None:
    redactor = Redactor(["hunter2-hunter2", "p@ss\nword", "sk-" + "z" * 30])
    once = redactor.text(text)
    assert redactor.text(once) == once
    line = redactor.line(encode([text]))
    assert redactor.line(line) == line


@given(TEXTS)
def test_a_line_is_masked_as_its_texts_are(text: str) -> None:
    redactor = Redactor(["hunter2-hunter2"])
    assert decode(redactor.line(encode({"a": [text]}) + b"\n")) == {"a": [redactor.text(text)]}


def test_a_clean_line_is_the_same_object_and_a_line_end_stays() -> None:
    redactor = Redactor(["hunter2-hunter2"])
    line = encode({"a": "你好" * 50, "token": "Hello", "big": 2**70}) + b"\n"
    assert redactor.line(line) is line
    assert redactor.line(encode(["hunter2-hunter2"]) + b"\n") == b'["[redacted]"]\n'
    assert redactor.line(b"no json hunter2-hunter2 \xff") == b"no json [redacted] \xff"


def test_values_under_telling_keys_are_masked_in_settings() -> None:
    settings = {
        "api_key": "short",
        "headers": {"X-Api-Key": "a", "Authorization": "b", "Accept": "json"},
        "openai_api_key": "x",
        "max_tokens": 5,
        "token": "t",
        "password": "",
        "list": [{"secret": "s"}, ("sk-" + "a" * 20, 1)],
        "n": None,
    }
    assert Redactor().value(settings) == {
        "api_key": "[redacted]",
        "headers": {"X-Api-Key": "[redacted]", "Authorization": "[redacted]", "Accept": "json"},
        "openai_api_key": "[redacted]",
        "max_tokens": 5,
        "token": "[redacted]",
        "password": "",
        "list": [{"secret": "[redacted]"}, ("[redacted]", 1)],
        "n": None,
    }
    assert settings["api_key"] == "short"


def test_a_value_of_any_depth_can_be_masked() -> None:
    deep: Any = "sk-" + "a" * 20
    for _ in range(5000):
        deep = [deep]
    assert b"sk-aaa" not in encode(Redactor().value(deep))


def test_the_environment_gives_its_secrets(tmp_path: Path) -> None:
    (tmp_path / "key.pem").touch()
    secrets = {
        "OPENAI_API_KEY": "my-own-key-0001",
        "HF_TOKEN": "tokenvalue1234",
        "DB_PASSWORD": "correcthorse",
        "GOOGLE_APPLICATION_CREDENTIALS_JSON": '{"private": "abc"}',
        "HTTPS_PROXY": "http://me:proxypass@proxy:8080",
    }
    plain = {
        "PWD": "/home/user/project",
        "SSH_AUTH_SOCK": "/tmp/agent.123",
        "SSL_KEY": str(tmp_path / "key.pem"),
        "AUTH_METHOD": "kerberos",
        "AUTH_MODE": "interactive",
        "MAX_TOKEN": "100000000",
        "LOCAL_API_KEY": "EMPTY",
        "AUTH_URL": "https://login.example.com/",
        "TOKENIZERS_PARALLELISM": "false-or-true",
        "MONKEY": "banana-banana",
        "KEYBOARD": "us-international",
    }
    redactor = Redactor.from_environment({**secrets, **plain}, extra=["extra-secret"])
    text = " ".join([*secrets.values(), "extra-secret"])
    masked = redactor.text(text)
    for secret in ("my-own-key", "tokenvalue", "correcthorse", "private", "proxypass", "extra-secret"):
        assert secret not in masked
    for value in plain.values():
        assert redactor.text(value) == value


def test_names_of_secrets_are_known_by_their_words() -> None:
    for name in ("X-Api-Key", "APIKEY", "api_key", "appSecret", "X-Token", "accessToken", "Cookie", "BAIDU_AK", "pwd"):
        assert names_a_secret(name), name
    for name in ("MONKEY", "AUTHOR", "KEYBOARD", "Signal-Name", "mask", "X-App-Id", "tokenizer"):
        assert not names_a_secret(name), name


_ALWAYS = """
    api_key apikey x_api_key api_token access_token refresh_token id_token auth_token bearer_token token password passwd
    passphrase secret client_secret secret_key secret_access_key private_key authorization proxy_authorization x_auth_token
    cookie set_cookie credentials ocp_apim_subscription_key x_goog_api_key db_password aws_access_key aws_secret_key
    hf_access_token Set-Cookie X-API-KEY Ocp-Apim-Subscription-Key apiKey accessToken 密钥_api_key API_KEY PassPhrase
    passWord toKEN-2 jwt X-JWT id_jwt csrf X-CSRF csrf_token X-XSRF-TOKEN session_token
"""
ALWAYS = _ALWAYS.split()
"""Nothing else goes by these names."""

_BY_A_WORD = """
    key keys appkey accesskey secretkey tokens secrets appsecret passwords pass pwd credential auth bearer cookies ak sk sign
    signature sig odbc key1 X-Token BAIDU_AK DB_PWD GOOGLE_APPLICATION_CREDENTIALS_JSON api_key_env stop_token max_token
    odbc_connect auth_method session X-Session user_session USER_SESSION jwt_assertion csrf_header
"""
BY_A_WORD = _BY_A_WORD.split()
"""One of their words is one that secrets go by."""

_BY_A_PART = """
    userkey mykey keyfile usertoken mysecret2 secretly dbpassword sslpassword sslpasswd oauth passfile
    userpass odbcconnect monkey csrfmiddleware appjwt
"""
BY_A_PART = _BY_A_PART.split()
"""A part of a word is."""

NO_SECRET = [
    "mask",
    "X-App-Id",
    "Signal-Name",
    "design",
    "task",
    "peak",
    "passages",
    "tokenizer",
    "tokenize",
    "author",
    "KEYBOARD",
    "keywords",
    "passthrough",
    "passage_file",
    "session_id",
    "X-Session-Id",
    "session_name",
    "sessions",
    "SESSION_MANAGER",
    "XDG_SESSION_TYPE",
    "DESKTOP_SESSION",
    "obsession",
    "sslmode",
    "名字",
    "",
]


def test_what_goes_by_a_telling_name_is_hidden_as_far_as_the_name_tells() -> None:
    for strictness, hidden, shown in (
        ({"surely": True}, ALWAYS, [*BY_A_WORD, *BY_A_PART, *NO_SECRET]),
        ({}, [*ALWAYS, *BY_A_WORD], [*BY_A_PART, *NO_SECRET]),
        ({"anywhere": True}, [*ALWAYS, *BY_A_WORD, *BY_A_PART], NO_SECRET),
    ):
        assert [name for name in hidden if not names_a_secret(name, **strictness)] == [], strictness
        assert [name for name in shown if names_a_secret(name, **strictness)] == [], strictness


@pytest.mark.parametrize("name", ALWAYS)
def test_a_setting_of_such_a_name_is_hidden_and_not_one_that_a_word_makes_suspicious(name: str) -> None:
    settings = {
        name: "x",
        "stop_token": "<|im_end|>",
        "api_key_env": "MY_KEY",
        "std_key": "std",
        "id_key": "uid",
        "key": "k",
    }
    assert Redactor().value(settings) == {**settings, name: "[redacted]"}


@pytest.mark.parametrize("name", [*ALWAYS, *BY_A_WORD])
def test_a_variable_of_such_a_name_is_hidden_and_no_folder(name: str) -> None:
    value = "zebra-Quartz-7731"
    assert Redactor.from_environment({name: value}).text(value) == "[redacted]"
    assert Redactor.from_environment({name: f"/home/{value}"}).text(f"/home/{value}") == f"/home/{value}"


@pytest.mark.parametrize("name", ["DB_PASSWORD", "dbPasswd", "CLIENT_SECRET", "DB_PWD", "db_pass"])
def test_a_password_may_be_a_word(name: str) -> None:
    assert Redactor.from_environment({name: "correcthorse"}).text("correcthorse") == "[redacted]"


@pytest.mark.parametrize("name", [*ALWAYS, *BY_A_WORD, *BY_A_PART])
def test_a_setting_of_a_database_s_url_is_hidden_by_any_part_of_its_name(name: str) -> None:
    assert "q/7 x" in url_secrets(f"postgresql://h/d?sslmode=require&{name}=q%2F7+x")


@pytest.mark.parametrize(
    "name",
    ["key", "userkey", "usertoken", "signature", "sig", "compsig", "secret", "dbpasswd", "credential", "X-Goog-Auth"],
)
def test_a_value_in_the_query_of_a_url_is_hidden_by_the_end_of_its_name(name: str) -> None:
    assert Redactor().text(f"https://h/p?a=b&{name}=q7#x") == f"https://h/p?a=b&{name}=[redacted]#x"
    assert Redactor().text(f"https://h/p?{name}word=q7") == f"https://h/p?{name}word=q7"


def test_short_values_and_placeholders_are_not_secrets() -> None:
    redactor = Redactor(["", "a", "EMPTY", "none", "password", "[redacted]", "redacted"])
    assert redactor.text("an EMPTY password [redacted]") == "an EMPTY password [redacted]"


@pytest.mark.parametrize(
    "word", ["ollama", "Ollama", "EMPTY", "none", "dummy", "local", "lm-studio", "not-needed", "sk-no-key-required"]
)
def test_what_servers_without_keys_are_given_for_one_is_a_word_like_any_other(word: str) -> None:
    text = f"How is {word} installed? 用 {word} 运行。"
    for redactor in (Redactor([word, f" {word}\n"]), Redactor.from_environment({"OPENAI_API_KEY": word})):
        assert redactor.text(text) == text
        assert redactor.line(encode({"prompt": text})) == encode({"prompt": text})
    assert "[redacted]" in Redactor([f"{word}-7731-quartz"]).text(f"{word}-7731-quartz"), "but what merely begins so"


def test_a_value_added_later_and_its_longer_kin_are_masked_whole() -> None:
    redactor = Redactor(["hunter2-one"])
    redactor.add("hunter2-one-and-two")
    assert redactor.text("hunter2-one-and-two, hunter2-one") == "[redacted], [redacted]"


@given(st.binary(min_size=15, max_size=40))
def test_basic_credentials_with_the_header_are_masked(raw: bytes) -> None:
    token = base64.b64encode(raw).decode()
    assert Redactor().text(f"Authorization: Basic {token}") == "Authorization: Basic [redacted]"
    assert token.encode() not in Redactor().line(encode({"m": f"headers: Authorization: Basic {token}"}))
