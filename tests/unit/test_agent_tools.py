"""What an agent's tools promise: schemas from signatures, checked arguments, a calculator that never runs code."""

from __future__ import annotations

import asyncio
import enum
import sys
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, Literal

import pytest
from support.bounded import ends

from aigc_evals.completion_fns.calculator import calculator
from aigc_evals.completion_fns.parts import fill
from aigc_evals.completion_fns.tool_schema import docstring_parts, function_schema, mismatch
from aigc_evals.completion_fns.tools import Tool, ToolError, make_tool
from aigc_evals.errors import UsageError

# -- the schema of a function -----------------------------------------------------------------------------------------


class Unit(enum.Enum):
    METRE = "m"
    FOOT = "ft"


def look_up(city: str, days: int = 1, units: list[Unit] | None = None, mode: Literal["短", "长"] = "短", *, any_: Any):
    """Tell the weather of a city. 查询天气。

    It may be wrong.

    Args:
        city: the name of the city,
            in any language
        days (int): 几天
    Returns:
        a sentence
    """


def test_a_schema_comes_from_signature_and_docstring() -> None:
    description, schema = function_schema(look_up)
    assert description == "Tell the weather of a city. 查询天气。\n\nIt may be wrong."
    assert schema["properties"] == {
        "city": {"type": "string", "description": "the name of the city, in any language"},
        "days": {"type": "integer", "description": "几天", "default": 1},
        "units": {"anyOf": [{"type": "array", "items": {"enum": ["m", "ft"]}}, {"type": "null"}]},
        "mode": {"enum": ["短", "长"], "default": "短"},
        "any_": {},
    }
    assert schema["required"] == ["city", "any_"]
    assert schema["additionalProperties"] is False


def test_sphinx_fields_and_chinese_headings_are_read() -> None:
    assert docstring_parts("Add.\n\n:param int a: first\n:param b: second\n:returns: the sum") == (
        "Add.", {"a": "first", "b": "second"},
    )  # fmt: skip
    assert docstring_parts("查字典。\n\n参数：\n    词：要查的词")[1] == {"词": "要查的词"}


def test_optional_types_allow_null() -> None:
    def fn(a: int | None = None, b: str | int = "x", c: dict[str, int] | None = None) -> None: ...

    properties = function_schema(fn)[1]["properties"]
    assert properties["a"] == {"type": ["integer", "null"]}
    assert properties["b"] == {"type": ["string", "integer"], "default": "x"}
    assert properties["c"] == {"type": ["object", "null"]}


MISFITS = [
    ({"any_": 1}, "missing arguments: city"),
    ({"city": "北京", "any_": 1, "when": 2}, "unknown arguments: when"),
    ({"city": 5, "any_": 1}, "city must be string, got 5"),
    ({"city": "北京", "any_": 1, "days": True}, "days must be integer, got True"),
    ({"city": "北京", "any_": 1, "mode": "中"}, "mode must be one of"),
    ({"city": "北京", "any_": None, "days": 2.0}, None),
]


@pytest.mark.parametrize("arguments, wrong", MISFITS)
def test_arguments_that_do_not_fit_are_told_in_words(arguments: dict[str, Any], wrong: str | None) -> None:
    found = mismatch(function_schema(look_up)[1], arguments)
    assert found is None if wrong is None else wrong in str(found)


# -- the calculator ---------------------------------------------------------------------------------------------------

SUMS = [
    ("2 + 3 * 4", "14"),
    ("(2 + 3) * 4 ** 2 / 8", "10"),
    ("（１２ × ３）÷ ４", "9"),
    ("7 // 2 + 7 % 4 - -1", "7"),
    ("2^10", "1024"),
    ("sqrt(16) + max(1, 2, 3)", "7"),
    ("0.1 + 0.2", "0.30000000000000004"),
    ("factorial(20)", "2432902008176640000"),
    ("2 ** 100", "1267650600228229401496703205376"),
]


@pytest.mark.parametrize("expression, result", SUMS)
def test_the_calculator_calculates(expression: str, result: str) -> None:
    assert calculator(expression) == result


ATTACKS = [
    "__import__('os').system('true')",
    "().__class__",
    "open('/etc/passwd').read()",
    "9**9**9**9",
    "factorial(99999999)",
    "'a' * 10**9",
    "[1] * 10**9",
    "(lambda: 1)()",
    "1 if 1 else 2",
    "(" * 400 + "1" + ")" * 400,
    "1+" * 2000 + "1",
    "1 +",
    "",
    "(-8) ** 0.5",
    "1\x002",
]


@pytest.mark.parametrize("expression", ATTACKS)
def test_the_calculator_refuses_what_is_not_arithmetic_at_once(expression: str) -> None:
    with ends(5), pytest.raises(ValueError):
        calculator(expression)


# -- running tools ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def threads() -> Callable[[], Executor]:
    pool = ThreadPoolExecutor(4)
    return lambda: pool


def call(tool: Tool, **arguments: Any) -> str:
    return asyncio.run(tool.run(arguments))


def python(code: str, **more: Any) -> dict[str, Any]:
    return {"name": "t", "command": [sys.executable, "-c", code], **more}


def slow(seconds: float) -> str:
    time.sleep(seconds)
    return "done"


async def greet(name: str) -> dict[str, str]:
    """Greet."""
    return {"问候": f"你好，{name}"}


def test_plain_and_async_functions_are_called_and_their_results_become_text(threads: Callable[[], Executor]) -> None:
    assert call(make_tool("calculator", "k", threads), expression="6*7") == "42"
    assert call(make_tool(greet, "k", threads), name="小明") == '{"问候": "你好，小明"}'


def test_a_function_that_raises_or_takes_too_long_is_a_tool_error(threads: Callable[[], Executor]) -> None:
    with pytest.raises(ToolError, match="ZeroDivisionError"):
        call(make_tool("calculator", "k", threads), expression="1/0")
    with pytest.raises(ToolError, match=r"no result within 0\.05 s"):
        call(make_tool({"function": slow, "timeout": 0.05}, "k", threads), seconds=0.5)


def test_a_command_gets_json_and_gives_text(threads: Callable[[], Executor]) -> None:
    code = "import sys, json; print(json.load(sys.stdin)['词'][::-1])"
    env = {"PYTHONIOENCODING": "utf-8"}
    assert call(make_tool(python(code, env=env), "k", threads), 词="北京") == "京北"


def test_a_command_that_fails_says_why(threads: Callable[[], Executor]) -> None:
    with pytest.raises(ToolError, match="exit code 3: broken"):
        call(make_tool(python("import sys; sys.stderr.write('broken'); sys.exit(3)"), "k", threads))
    with pytest.raises(ToolError, match="cannot be started"):
        call(make_tool({"name": "t", "command": ["/no/such/program"]}, "k", threads))


def test_a_command_is_killed_with_all_it_started_when_time_is_over(
    threads: Callable[[], Executor], tmp_path: Any
) -> None:
    mark = tmp_path / "mark"
    child = f"import time; time.sleep(0.8); open({str(mark)!r}, 'w')"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    with pytest.raises(ToolError, match=r"no result within 0\.3 s"):
        call(make_tool(python(code, timeout=0.3), "k", threads))
    time.sleep(0.8)
    assert not mark.exists()


def test_a_command_that_talks_without_end_is_cut(threads: Callable[[], Executor]) -> None:
    said = call(make_tool(python("while True: print('x' * 1000)", max_output=2000), "k", threads))
    assert 2000 < len(said) < 200_000


def test_a_command_sees_no_keys(threads: Callable[[], Executor], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "zebra-quartz-7731")
    said = call(make_tool(python("import os; print(dict(os.environ))", env={"MINE": "1"}), "k", threads))
    assert "zebra" not in said
    assert "'MINE': '1'" in said


WRONG = [
    ("calculater", "Did you mean: calculator"),
    (5, "a name or a mapping"),
    ({"name": "t"}, "either function or command"),
    ({"name": "t", "command": "true", "max_outptu": 3}, "Did you mean: max_output"),
    ({"name": "t", "command": "true", "timeout": 0}, "above 0"),
    ({"name": "名字", "command": "true"}, "letters, digits"),
    ({"command": "true"}, "letters, digits"),
    (max, "cannot be"),
]


@pytest.mark.parametrize("raw, told", WRONG)
def test_a_malformed_tool_is_a_usage_error(raw: Any, told: str, threads: Callable[[], Executor]) -> None:
    with pytest.raises(UsageError) as caught:
        make_tool(raw, "tools[0]", threads)
    assert told in str(caught.value)


def test_what_is_filled_in_is_never_read_as_a_template() -> None:
    filled = fill("{{{input}}} {other}", {"input": "{other} {{x}} {0}", "other": "秘密"})
    assert filled == "{{other} {{x}} {0}} 秘密"
