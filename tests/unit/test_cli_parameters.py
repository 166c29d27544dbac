"""``a=1,b=x`` and the flags of the commands."""

from __future__ import annotations

import math
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigc_evals.cli.flags import RUN_FLAGS, SET_FLAGS
from aigc_evals.cli.parameters import parse_parameters
from aigc_evals.cli.run import COMMAND
from aigc_evals.errors import UsageError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        (" ", {}),
        ("a=1", {"a": 1}),
        ("a=-1,b=1.5,c=1e3", {"a": -1, "b": 1.5, "c": 1000.0}),
        ("a=x,b=x y", {"a": "x", "b": "x y"}),
        ("a=true,b=False,c=NULL,d=none", {"a": True, "b": False, "c": None, "d": "none"}),
        ("a=b=c", {"a": "b=c"}),
        ("url=http://h/?q=1&r=2", {"url": "http://h/?q=1&r=2"}),
        ('a="x,y",b=2', {"a": "x,y", "b": 2}),
        ("a='1',b=''", {"a": "1", "b": ""}),
        ("""a='say "hi", you'""", {"a": 'say "hi", you'}),
        ("a=it's,b=2", {"a": "it's", "b": 2}),
        ("a=,b=2", {"a": "", "b": 2}),
        ("a=1,", {"a": 1}),
        (" a = x ", {"a": " x "}),
        ("名=值，值", {"名": "值，值"}),
        ("a=1,a=2", {"a": 2}),
        ("a=cot_classify_zh", {"a": "cot_classify_zh"}),
    ],
)
def test_pairs(text: str, expected: dict[str, Any]) -> None:
    found = parse_parameters(text, "f")
    assert found == expected
    assert list(map(type, found.values())) == list(map(type, expected.values()))


@pytest.mark.parametrize("text", ["a", "a,b=1", "=1", "a=1,=2", "a='x", 'a="x,b=1', "a=[1,2]"])
def test_what_is_no_pair_is_refused_with_the_flag(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_parameters(text, "extra_eval_params")
    assert caught.value.key == "extra_eval_params"


KEYS = st.text(string.ascii_letters + "_中", min_size=1, max_size=8)


@given(st.dictionaries(KEYS, st.integers() | st.floats(allow_nan=False) | st.booleans() | st.none()))
def test_plain_values_come_back_as_they_went(values: dict[str, Any]) -> None:
    told = {key: "null" if value is None else value for key, value in values.items()}
    found = parse_parameters(",".join(f"{key}={value}" for key, value in told.items()), "f")
    assert found == values
    assert all(type(found[key]) is type(value) for key, value in values.items())


@given(st.dictionaries(KEYS, st.text().filter(lambda text: '"' not in text)))
def test_any_text_without_its_quote_comes_back_from_quotes(values: dict[str, str]) -> None:
    assert parse_parameters(",".join(f'{key}="{value}"' for key, value in values.items()), "f") == values


@given(st.text())
def test_any_text_parses_or_is_refused(text: str) -> None:
    try:
        found = parse_parameters(text, "f")
    except UsageError:
        return
    assert all(isinstance(key, str) and key for key in found)


def test_nan_is_a_number_as_it_is_for_upstream() -> None:
    assert math.isnan(parse_parameters("a=nan", "f")["a"])


# -- flags ------------------------------------------------------------------------------------------------------------


def parse(*argv: str) -> Any:
    return COMMAND.parse(argv)


BOOLEANS = [flag for flag in RUN_FLAGS if flag.kind is bool]


@pytest.mark.parametrize("flag", BOOLEANS, ids=lambda flag: flag.name)
def test_every_boolean_takes_all_its_forms(flag: Any) -> None:
    for spelling in {flag.name, flag.name.replace("_", "-"), flag.name.replace("-", "_")}:
        for argv, expected in (
            ([f"--{spelling}"], True),
            ([f"--{spelling}", "true"], True),
            ([f"--{spelling}", "False"], False),
            ([f"--{spelling}=1"], True),
            ([f"--{spelling}=no"], False),
            ([f"--no-{spelling}"], False),
            ([], flag.default),
        ):
            assert getattr(parse("fn", "eval", *argv), flag.dest) is expected, argv
            assert getattr(parse(*argv, "fn", "eval"), flag.dest) is expected, argv


@pytest.mark.parametrize("flag", [flag for flag in RUN_FLAGS if flag.kind is not bool], ids=lambda flag: flag.name)
def test_every_other_flag_is_known_by_both_its_spellings(flag: Any) -> None:
    for spelling in {flag.name, flag.name.replace("_", "-"), flag.name.replace("-", "_")}:
        value = getattr(parse("fn", "eval", f"--{spelling}", "3"), flag.dest)
        assert value == ([flag.kind("3")] if flag.repeatable else flag.kind("3"))


def test_defaults_are_upstreams() -> None:
    args = parse("fn", "eval")
    assert (args.seed, args.cache, args.visible, args.max_samples, args.user) == (20220722, False, None, None, "")
    assert (args.http_batch_size, args.http_fail_percent_threshold) == (100, 5)
    assert (args.local_run, args.http_run, args.dry_run, args.dry_run_logging) == (True, False, False, True)


def test_registry_paths_add_up() -> None:
    assert parse("fn", "eval", "--registry_path", "a", "--registry-path", "b").registry_path == ["a", "b"]


def test_a_set_resumes_and_stops_at_errors_unless_told_otherwise() -> None:
    defaults = {flag.name: flag.default for flag in SET_FLAGS}
    assert (defaults["resume"], defaults["exit-on-error"]) == (True, True)
    assert {flag.name for flag in RUN_FLAGS} < set(defaults)
