"""URLs of databases: what is taken, what is a mistake and how that is said, and that no password is ever shown."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigc_evals.errors import UsageError
from aigc_evals.redact import Redactor, url_secrets
from aigc_evals.runner import run
from aigc_evals.sinks.database import Database, storable

SECRET = "hunter2hunter2"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql+psycopg://u:pw@h:5/d", "postgresql+psycopg://u:***@h:5/d"),
        ("postgresql://u:pw@h/d", "postgresql+psycopg://u:***@h/d"),
        ("postgres://h/d", "postgresql+psycopg://h/d"),
        ("postgresql://u:a%2Fb?c d@h/d", "postgresql+psycopg://u:***@h/d"),
        ("postgresql://h/d?password=pw&sslmode=require", "postgresql+psycopg://h/d?password=***&sslmode=***"),
        (" sqlite:///a.db ", "sqlite:///a.db"),
    ],
)
def test_what_is_shown(url: str, shown: str) -> None:
    assert Database(url).shown == shown


def test_the_forms_of_a_url_are_told_with_nothing_that_looks_like_a_password() -> None:
    with pytest.raises(UsageError) as caught:
        Database("events.db")
    assert "postgresql://host/database" in str(caught.value)
    assert Redactor([]).text(str(caught.value)) == str(caught.value)


def test_a_new_password_is_no_new_database() -> None:
    first, second, other = (Database(f"postgresql://{end}").key for end in ("u:a@h/d", "u:b@h/d", "u:a@h/e"))
    assert first == second != other


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "not the URL of a database"),
        (f"me:{SECRET}@host/db", "not the URL of a database"),
        (f"postgresql://me:{SECRET}@host:port/db", "not the URL of a database"),
        (f"postgresql://me:{SECRET}@{SECRET}@host/db", "more than one @"),
        (f"oracel://me:{SECRET}@host/db", "unknown kind of database 'oracel'"),
        (f"postgresql+psycopg9://me:{SECRET}@host/db", "unknown kind of database 'postgresql+psycopg9'"),
        ("sqlite://", "gone when the run ends"),
        ("sqlite:///:memory:", "gone when the run ends"),
        ("sqlite:////no/such/folder/events.db", "/no/such/folder [sql-run-url]: there is no such folder"),
        ("sqlite:////", "this is a folder"),
    ],
)
def test_mistakes(url: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        Database(url)
    assert said in str(error.value)
    assert "sql-run-url" in str(error.value)
    assert SECRET not in str(error.value)


@pytest.mark.parametrize(
    ("module", "url", "said", "hint"),
    [
        ("sqlalchemy.engine", "sqlite:///a.db", "need the package SQLAlchemy", 'pip install "aigc_evals[sql]"'),
        ("psycopg", "postgresql://h/d", "needs the module 'psycopg'", 'pip install "aigc_evals[postgresql]"'),
        ("psycopg2", "postgresql+psycopg2://h/d", "needs the module 'psycopg2'", "pip install psycopg2"),
        ("MySQLdb", "mysql://h/d", "needs the module 'MySQLdb'", "pip install mysqlclient"),
    ],
)
def test_what_is_not_installed(monkeypatch: pytest.MonkeyPatch, module: str, url: str, said: str, hint: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UsageError) as error:
        Database(url)
    assert said in error.value.message
    assert error.value.hint == hint


def test_an_asynchronous_driver_is_refused() -> None:
    with pytest.raises(UsageError) as error:
        Database("postgresql+psycopg_async://u:hunter2hunter2@h/d")
    assert "asynchronous" in error.value.message
    assert SECRET not in str(error.value)


@pytest.mark.parametrize("config", [{"sql_run_url": "nonsense"}, {}])
def test_a_mistake_costs_no_call_and_leaves_no_log(tmp_path: Path, config: dict[str, str]) -> None:
    asked: list[object] = []

    def answer(prompt: object, **kwargs: object) -> str:
        asked.append(prompt)
        return "True"

    log = tmp_path / "log.jsonl"
    with pytest.raises(UsageError, match="sql-run-url"):
        run(answer, "test-match", record_path=log, progress=False, sql_run=True, environ={}, **config)
    assert asked == []
    assert not log.exists()


PASSWORDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=6, max_size=30).filter(
    lambda password: "@" not in password and password.strip() == password and password not in ("password", "secret")
)


@given(PASSWORDS, st.booleans())
def test_no_password_is_left_in_a_text(password: str, escaped: bool) -> None:
    url = f"postgresql://Me:{quote(password, safe='') if escaped else password}@h/d"
    redactor = Redactor(url_secrets(url))
    shown = redactor.text(f"exec --sql-run-url {url} --seed 1; and {url}")
    assert "Me:" not in shown
    assert shown.count("[redacted]") >= 2


@given(PASSWORDS)
def test_no_password_is_left_in_what_is_shown(password: str) -> None:
    assert f":{quote(password, safe='')}@" not in Database(f"postgresql://Me:{quote(password, safe='')}@h/d").shown


def test_only_what_is_secret_is_masked() -> None:
    assert url_secrets("sqlite:///events.db") == []
    assert url_secrets("postgresql://me@host/db?sslmode=require") == []
    assert "a/b c" in url_secrets("postgresql://me@host/db?sslpassword=a%2Fb+c")


@pytest.mark.parametrize(
    ("value", "stored"),
    [(None, None), ("文", "文"), ("a\0b", "a\\u0000b"), ("\ud83d", "\\ud83d"), (7, "7")],
)
def test_storable(value: object, stored: str | None) -> None:
    assert storable(value) == stored
