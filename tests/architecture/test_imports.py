"""Imports go downwards only, in no circle, and nothing of the package needs what is made for tests."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter

import pytest
from modules import imports, modules

FLOORS = {
    "ground": "errors failures base api prompt fastjson files data metrics statistics columns formatting redact",
    "core": (
        "log record aio sampling engine progress eval registry specs objects models judges provenance yaml_files plugins "
        "report sinks made_data"
    ),
    "suites": "elsuite completion_fns",
    "runs": "run_config runner evalset",
    "wings": "tools check schemas sync tasks generate",
    "top": "cli",
}
"""From the lowest up; a package stands for all its modules."""

APART = ("testing",)
"""For tests, the users' and ours: no other module imports it, and it needs the ground floor only."""

UPWARDS = {
    ("api", "record"): "record_and_check_match, in api as upstream has it, records into the current sample when called",
    ("registry", "completion_fns.openai"): "a name that no registry knows is a model, made when it is asked for",
    ("registry", "elsuite.modelgraded.base"): "a model-graded spec is built as its class when it is asked for",
}
"""Imports inside functions that lead upwards, each with its reason."""

RANK = {room: rank for rank, rooms in enumerate(FLOORS.values()) for room in rooms.split()}


def room(name: str) -> str:
    return name.split(".")[0]


def rank(name: str) -> int:
    """The floor of a module; the package itself, which loads nothing but on demand, lies below all."""
    return -1 if not name else RANK[room(name)]


ALL = sorted(modules())
OURS = [name for name in ALL if room(name) not in APART]


def test_every_module_has_its_floor() -> None:
    assert {room(name) for name in OURS} - {""} == set(RANK)
    assert {room(name) for name in ALL} >= set(APART)


@pytest.mark.parametrize("name", OURS)
def test_modules_import_downwards(name: str) -> None:
    loaded, _ = imports(name)
    assert {other for other in loaded if room(other) in APART or rank(other) > rank(name)} == set()


def test_only_known_functions_import_upwards() -> None:
    found = {(name, other) for name in OURS for other in imports(name)[1] if rank(other) > rank(name)}
    assert found == UPWARDS.keys()


def test_nothing_imports_what_is_made_for_tests() -> None:
    assert {name for name in OURS for other in set().union(*imports(name)) if room(other) in APART} == set()


def test_what_is_made_for_tests_needs_the_ground_floor_only() -> None:
    for name in ALL:
        if room(name) in APART:
            others = {other for other in set().union(*imports(name)) if room(other) not in APART}
            assert {other for other in others if rank(other) > 0} == set(), name


def test_the_suites_do_not_know_each_other() -> None:
    for name in OURS:
        others = {room(other) for other in set().union(*imports(name))}
        if room(name) in ("elsuite", "completion_fns"):
            assert others & {"elsuite", "completion_fns"} <= {room(name)}, name


ASKED_OF_PATHS = {"is_dir", "is_file", "exists", "expanduser", "home"}
"""What of pathlib raises, or says no, by the version of Python where a folder may not be searched or there is no home."""

ASK_THEMSELVES = ("files", "sync.plan")
"""Where that is meant: the module that has it in words, and the entries of a folder that is being listed."""


@pytest.mark.parametrize("name", OURS)
def test_what_is_there_is_asked_in_one_way(name: str) -> None:
    if name.startswith(ASK_THEMSELVES):
        return
    tree = ast.parse(modules()[name].read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and not node.args and not node.keywords]
    asked = [node.func for node in calls if isinstance(node.func, ast.Attribute) and node.func.attr in ASKED_OF_PATHS]
    assert [f"{name}:{node.lineno}: use aigc_evals.files" for node in asked] == []


def test_there_is_no_circle() -> None:
    try:
        TopologicalSorter({name: imports(name)[0] for name in ALL}).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_the_package_itself_loads_nothing() -> None:
    assert imports("")[0] == frozenset()
