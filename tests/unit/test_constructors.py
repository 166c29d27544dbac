"""Constructors that hand on what they do not know: what a class takes is known all the same, to ``check``, to a run, to Python."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from support.registries import registry

from aigc_evals.check import check_registry
from aigc_evals.completion_fns.azure import AzureOpenAIChatCompletionFn
from aigc_evals.completion_fns.endpoint import EndpointFn, Settings
from aigc_evals.completion_fns.openai import OpenAIChatCompletionFn, OpenAIEmbeddings
from aigc_evals.completion_fns.providers import ProviderChatCompletionFn
from aigc_evals.elsuite.basic.fuzzy_match import FuzzyMatch
from aigc_evals.elsuite.basic.includes import Includes
from aigc_evals.elsuite.basic.json_match import JsonMatch
from aigc_evals.elsuite.basic.json_validator import JsonValidator
from aigc_evals.elsuite.basic.match import Match
from aigc_evals.elsuite.basic.match_with_solvers import MatchWithSolvers
from aigc_evals.elsuite.choice_match import ChoiceMatch
from aigc_evals.elsuite.constraints import Constraints
from aigc_evals.elsuite.extraction import JsonExtraction
from aigc_evals.elsuite.final_number import FinalNumber
from aigc_evals.elsuite.marked_answer import MarkedAnswer
from aigc_evals.elsuite.overlap import Overlap
from aigc_evals.elsuite.test.match import TestMatch
from aigc_evals.elsuite.translate import Translate
from aigc_evals.errors import UsageError
from aigc_evals.objects import check_arguments, constructor_parameters
from aigc_evals.registry import Registry
from aigc_evals.testing import ScriptedCompletionFn

URL = "http://127.0.0.1:9/v1"
SHARED = {"n_ctx", "extra_options", "verify", "timeout", "max_concurrency", "stream", "registry"}
EVALS = {
    Match: {"max_tokens": 500, "num_few_shot": 0, "few_shot_jsonl": None, "version": 1},
    Includes: {"ignore_case": False, "version": 1},
    FuzzyMatch: {"max_tokens": 100, "version": 1},
    JsonMatch: {"max_tokens": 512},
    JsonValidator: {},
    Translate: {"max_tokens": 500, "tokenize": "auto", "num_few_shot": 0, "few_shot_jsonl": None},
    Constraints: {"max_tokens": 1024},
    JsonExtraction: {"max_tokens": 1024},
    MarkedAnswer: {"opening": "【", "closing": "】"},
    ChoiceMatch: {"max_tokens": None, "num_few_shot": 0, "few_shot_jsonl": None, "multiple": False, "by": None},
    FinalNumber: {"max_tokens": None, "num_few_shot": 0, "few_shot_jsonl": None, "unmarked": True},
    Overlap: {
        "metrics": ("rouge1", "rouge2", "rougeL", "bleu"),
        "language": None,
        "stem": False,
        "max_tokens": 500,
        "num_few_shot": 0,
        "few_shot_jsonl": None,
    },
}
"""Each class with what it takes besides what every eval does, and with the defaults."""


@pytest.mark.parametrize(
    ("cls", "own"),
    [
        (OpenAIChatCompletionFn, {"api_base", "base_url"}),
        (OpenAIEmbeddings, {"api_base", "base_url"}),
        (ProviderChatCompletionFn, {"api_base", "base_url", "base_url_env", "api_key_env", "needs_key"}),
        (
            AzureOpenAIChatCompletionFn,
            {"azure_endpoint", "api_base", "deployment", "api_version", "token_provider"},
        ),
    ],
)
def test_a_function_takes_its_own_arguments_and_those_of_all_endpoints(cls: type, own: set[str]) -> None:
    parameters, takes_others = constructor_parameters(cls)
    assert set(parameters) == {"model", "api_key", "headers"} | own | SHARED
    assert not takes_others
    assert all(parameter.default is not inspect.Parameter.empty for parameter in parameters.values())


def test_what_is_handed_on_is_what_endpoints_take() -> None:
    assert set(Settings.__annotations__) == SHARED == set(constructor_parameters(EndpointFn)[0])


@pytest.mark.parametrize(
    "cls", [OpenAIChatCompletionFn, ProviderChatCompletionFn, AzureOpenAIChatCompletionFn, OpenAIEmbeddings]
)
def test_a_function_takes_its_first_arguments_in_the_order_of_openai_evals(cls: Any) -> None:
    made = cls("m", URL, "key", 4096, {"seed": 7}, timeout=3, max_concurrency=2, stream=True, registry=None)
    assert made.api_base.startswith(URL)
    facts = (made.model, made.api_key, made.n_ctx, made.extra_options, made.timeout, made.max_concurrency, made.stream)
    assert facts == ("m", "key", 4096, {"seed": 7}, 3, 2, True)
    with pytest.raises(TypeError, match="tmeout"):
        cls("m", URL, "key", tmeout=3)


@pytest.mark.parametrize(("cls", "own"), EVALS.items())
def test_an_eval_takes_its_own_arguments_with_their_defaults(cls: type, own: dict[str, Any]) -> None:
    parameters, takes_others = constructor_parameters(cls)
    assert not takes_others
    every = {"completion_fns", "samples_jsonl", "eval_registry_path", "seed", "name", "registry"}
    assert {name: parameters[name].default for name in parameters if name not in every} == own
    assert parameters["samples_jsonl"].default is inspect.Parameter.empty


@pytest.mark.parametrize("cls", [*EVALS, MatchWithSolvers])
def test_an_eval_asks_one_function_about_the_file_it_is_given_by_place_or_by_name(cls: Any) -> None:
    task: Sequence[Any] = ("Say it.",) if cls is MatchWithSolvers else ()
    one = ScriptedCompletionFn(["x"])
    assert cls([one], "rows.jsonl", *task).samples_jsonl == "rows.jsonl"
    named = {"task_description": task[0]} if task else {}
    assert cls(completion_fns=[one], samples_jsonl="行.jsonl", **named).samples_jsonl == "行.jsonl"
    with pytest.raises(UsageError, match="asks exactly one completion function, got 2"):
        cls([one, one], "rows.jsonl", *task)


@pytest.mark.parametrize("cls", EVALS)
def test_what_is_missing_or_misspelt_is_told_before_anything_is_made(cls: type) -> None:
    given = dict.fromkeys(("completion_fns", "seed", "name", "eval_registry_path", "registry"))
    check_arguments(cls, {**given, "samples_jsonl": "a"}, "eval e")
    with pytest.raises(UsageError, match=r"^eval e: missing a required argument: 'samples_jsonl'"):
        check_arguments(cls, given, "eval e")
    with pytest.raises(UsageError, match="unexpected keyword argument 'sample_jsonl'\nDid you mean: samples_jsonl"):
        check_arguments(cls, {**given, "sample_jsonl": "a"}, "eval e")


def test_what_a_class_gives_itself_is_not_asked_for() -> None:
    given = dict.fromkeys(("completion_fns", "seed", "name", "eval_registry_path", "registry"))
    check_arguments(TestMatch, given, "eval e")
    assert constructor_parameters(TestMatch)[0]["samples_jsonl"].default == ""


def test_a_class_of_ones_own_may_do_as_it_likes_with_what_it_is_given() -> None:
    class Mine(JsonMatch):
        def __init__(self, completion_fns: Sequence[Any], **kwargs: Any) -> None:
            super().__init__(completion_fns, kwargs.pop("rows"))

    check_arguments(Mine, {"completion_fns": [], "rows": "a.jsonl"}, "eval e")


def test_a_registry_is_told_the_same_by_check_and_by_a_run(tmp_path: Path) -> None:
    text = """
    mine: {class: "aigc_evals.completion_fns.openai:OpenAIChatCompletionFn", args: {model: m, timeuot: 3}}
    they/*: {class: "aigc_evals.completion_fns.providers:ProviderChatCompletionFn", args: {base_url: "http://a/v1", veryfi: 3}}
    """
    evals = """
    e.dev.v0: {class: "aigc_evals.elsuite.constraints:Constraints", args: {max_tokens: 3}}
    """
    folder = registry(tmp_path / "r", {"completion_fns/a.yaml": text, "evals/e.yaml": evals})
    told = [finding.message for finding in check_registry([folder]) if finding.rule == "constructor-arguments"]
    assert told == [
        "Constraints: missing a required argument: 'samples_jsonl'",
        "OpenAIChatCompletionFn takes no argument 'timeuot'",
        "ProviderChatCompletionFn takes no argument 'veryfi'",
    ]
    for name, strange, meant in (("mine", "timeuot", "timeout"), ("they/m", "veryfi", "verify")):
        with pytest.raises(UsageError, match=f"unexpected keyword argument '{strange}'\nDid you mean: {meant}"):
            Registry([folder]).make_completion_fn(name)
