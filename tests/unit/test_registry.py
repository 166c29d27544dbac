"""Registries: names, places, aliases, overriding, and the objects that specs name."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from support.registries import registry

from aigc_evals.elsuite.basic.includes import Includes
from aigc_evals.elsuite.basic.match import Match
from aigc_evals.errors import UsageError
from aigc_evals.objects import load_object, python_object
from aigc_evals.registry import (
    BUILT_IN,
    Registry,
    is_chat_model,
    n_ctx_from_model_name,
)

EVALS = """
first:
  id: first.dev.v0
  metrics: [f1]
  description: The first.
first.dev.v0:
  class: aigc_evals.elsuite.basic.match:Match
  args: {samples_jsonl: a.jsonl}
first.test: first.dev.v0
second.dev.v0:
  class: evals.elsuite.basic.includes:Includes
  args: &shared {samples_jsonl: b.jsonl}
third.dev.v0:
  class: evals.elsuite.basic.includes:Includes
  args:
    <<: *shared
    ignore_case: true
a+b.dev: {class: "x:Y"}
axb.dev: {class: "x:Y"}
"""


def made(folder: Path, **files: str) -> Registry:
    """A registry of these files alone, ``evals__a`` standing for ``evals/a.yaml``."""
    return Registry([registry(folder, {f"{name.replace('__', '/')}.yaml": text for name, text in files.items()})])


@pytest.fixture
def some(tmp_path: Path) -> Registry:
    return made(tmp_path, evals__some=EVALS)


def test_a_spec_knows_its_key_group_and_registry(some: Registry, tmp_path: Path) -> None:
    spec = some.eval("first")
    assert (spec.key, spec.group, spec.registry_path) == ("first.dev.v0", "some", tmp_path)
    assert spec.cls == "aigc_evals.elsuite.basic.match:Match"
    assert spec.args == {"samples_jsonl": "a.jsonl"}
    assert some.eval("first.test").key == "first.dev.v0"


def test_the_group_ends_at_the_first_dot_of_the_file_name(tmp_path: Path) -> None:
    found = Registry([registry(tmp_path, {"evals/a.b.c.yaml": "x.y: {class: 'a:B'}"})])
    assert found.eval("x.y").group == "a"


def test_a_base_eval_says_what_the_name_itself_says(some: Registry) -> None:
    base = some.get_base_eval("first")
    assert base is not None
    assert (base.id, base.metrics, base.description, base.higher_is_better) == (
        "first.dev.v0",
        ["f1"],
        "The first.",
        True,
    )
    assert some.get_base_eval("nothing") is None
    assert [getattr(found, "id", None) for found in some.get_base_evals()] == ["first.dev.v0"]


def test_anchors_and_merged_arguments(some: Registry) -> None:
    assert some.eval("third.dev.v0").args == {"samples_jsonl": "b.jsonl", "ignore_case": True}


def test_upstream_classes_are_ours(some: Registry) -> None:
    assert some.get_class(some.eval("first")).func is Match
    assert some.get_class(some.eval("second.dev.v0")).func is Includes


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        (["*"], ["first.dev.v0", "second.dev.v0", "third.dev.v0", "a+b.dev", "axb.dev"]),
        (["second.*", "first"], ["first.dev.v0", "second.dev.v0"]),
        (["first*"], ["first.dev.v0"]),
        (["*.v0"], ["first.dev.v0", "second.dev.v0", "third.dev.v0"]),
        (["irst"], []),
        (["first.dev"], []),
        (["first?dev?v0", "second.dev.v."], []),
        (["a+b.dev"], ["a+b.dev"]),
        (["a+b*", "a[x+]b.dev"], ["a+b.dev"]),
        ([], []),
    ],
)
def test_a_star_is_any_text_and_all_else_is_itself(patterns: Sequence[str], names: list[str], some: Registry) -> None:
    assert [spec.key for spec in some.get_evals(patterns)] == names


def test_what_matches_nothing_is_reported(some: Registry, caplog: pytest.LogCaptureFixture) -> None:
    list(some.get_evals(["frist", "second*"]))
    (record,) = caplog.records
    assert "'frist'" in record.getMessage()
    assert "first" in record.getMessage()


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("a: {id: b}\nb: {id: c}\nc: {id: a}\n", "a", "a -> b -> c -> a"),
        ("a: a\n", "a", "a -> a"),
        ("a: bb.c\nbbb.c: {class: 'x:Y'}\n", "a", "'bb.c', which does not exist\nDid you mean: bbb.c"),
        ("a: {id: [1]}\n", "a", "must be the name of another eval"),
        ("a: {id: 5}\n", "a", "must be the name of another eval"),
        ("a.b: {args: {}}\n", "a.b", "lacks class"),
        ("a.b: {class: 'x:Y', args: 5}\n", "a.b", "args must be a mapping"),
        ("a.b: {class: 'x:Y', args: {since: 2024-13-45}}\n", "a.b", "month must be in 1..12\nPut it in quotes"),
        ("a.b: {class: 'x:Y', args: &all {again: *all}}\n", "a.b", "inside the very part that it names"),
        ("a.b: &all {class: 'x:Y', args: [*all]}\n", "a.b", "inside the very part that it names"),
    ],
)
def test_specs_that_lead_nowhere(text: str, name: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        made(tmp_path, evals__some=text).eval(name)
    assert said in str(caught.value)
    assert str(tmp_path / "evals/some.yaml:") in str(caught.value)


def test_the_place_of_an_entry_is_the_line_of_its_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        made(tmp_path, evals__some="# first\na.b:\n  args: {}\n").eval("a.b")
    assert caught.value.line == 2


def test_an_alias_beats_a_class(tmp_path: Path) -> None:
    found = made(tmp_path, evals__some="a: {id: b.c, class: 'x:Y'}\nb.c: {class: 'x:Z'}\n")
    assert found.eval("a").cls == "x:Z"


def test_unknown_fields_do_not_stop_a_run(tmp_path: Path) -> None:
    assert made(tmp_path, evals__some="a.b: {class: 'x:Y', owner: me}\n").eval("a.b").cls == "x:Y"


@pytest.mark.parametrize("content", ["", "# nothing\n", "- a\n- b\n", "text\n", "5\n"])
def test_files_that_are_empty_or_no_mapping_are_skipped(content: str, tmp_path: Path) -> None:
    found = made(tmp_path, evals__one=content, evals__two="a.b: {class: 'x:Y'}\n")
    assert [spec.key for spec in found.get_evals(["*"])] == ["a.b"]


def test_only_yaml_files_at_the_top_count_and_a_kind_may_be_one_file(tmp_path: Path) -> None:
    files = {
        "evals/a.yaml": "a.b: {class: 'x:Y'}\n",
        "evals/deep/b.yaml": "b.b: {class: 'x:Y'}\n",
        "evals/c.yml.bak": "c.b: {class: 'x:Y'}\n",
        "eval_sets.yaml": "all: {evals: ['*']}\n",
    }
    found = Registry([registry(tmp_path, files)])
    assert [spec.key for spec in found.get_evals(["*"])] == ["a.b"]
    assert list(found.eval_set("all").evals) == ["*"]


@pytest.mark.parametrize("name", ["key", "group", "cls"])
def test_reserved_keys(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="reserved"):
        made(tmp_path, evals__some=f"a.b: {{class: 'x:Y', {name}: z}}\n").eval("a.b")


def test_the_same_name_twice(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(UsageError, match="second time"):
        made(tmp_path / "one", evals__a="x.y: {class: 'a:B'}\nx.y: {class: 'a:B'}\n").eval("x.y")
    two = made(tmp_path / "two", evals__a="x.y: {class: 'a:B'}\n", evals__b="x.y: {class: 'a:B'}\n")
    with pytest.raises(UsageError) as caught:
        two.eval("x.y")
    assert "a.yaml:1" in str(caught.value)
    assert "b.yaml:1" in str(caught.value)
    spec = "g: {prompt: '%s', choice_strings: AB, input_outputs: {input: completion}}\n"
    lenient = made(tmp_path / "three", modelgraded__m=spec % "one" + spec % "two")
    with caplog.at_level(logging.WARNING):
        assert lenient.get_modelgraded_spec("g").prompt == "two"
    assert "second time" in caplog.text


def test_later_registries_override_earlier_ones_with_a_notice(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = registry(tmp_path / "first", {"evals/a.yaml": "a.b: {class: 'x:Old'}\nc.d: {class: 'x:C'}\n"})
    second = registry(tmp_path / "second", {"evals/a.yaml": "a.b: {class: 'x:New'}\n"})
    found = Registry([first])
    assert found.eval("a.b").cls == "x:Old"
    with caplog.at_level(logging.WARNING):
        found.add_registry_paths([second])
        assert (found.eval("a.b").cls, found.eval("c.d").cls) == ("x:New", "x:C")
    assert "second overrides 1 eval of earlier registries: a.b" in caplog.text
    assert found.eval("a.b").registry_path == second


def test_the_notice_comes_once_for_all_runs_of_a_set_and_names_a_few(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    entries = "".join(f"名{i}.b: {{class: 'x:Y'}}\n" for i in range(9))
    functions = "f: {class: 'x:F'}\n"
    paths = [
        registry(tmp_path / name, {"evals/a.yaml": entries, "completion_fns/a.yaml": functions})
        for name in ("first", "second")
    ]
    base = Registry([])
    base.add_registry_paths([*paths, paths[1]])
    for one in (base, base.wrapping(lambda fn: fn), base.wrapping(lambda fn: fn)):
        one.add_registry_paths([])
        assert one.eval("名1.b").registry_path == paths[1]
        assert one.get_completion_fn("f") is not None
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        f"{paths[1]} overrides 9 evals of earlier registries: 名0.b, 名1.b, 名2.b, 名3.b, 名4.b, ...",
        f"{paths[1]} overrides 1 completion function of earlier registries: f",
    ]


def test_what_cannot_be_read_is_an_error_where_it_was_named_and_else_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    own = tmp_path / ".evals"
    own.mkdir()
    (own / "evals").symlink_to("evals")
    registry(tmp_path / ".aigc_evals", {"evals/a.yaml": "甲.乙: {class: 'x:Y'}\n"})
    with pytest.raises(UsageError, match="symbolic links") as caught:
        Registry([own]).get_eval("甲.乙")
    assert (caught.value.path, caught.value.key) == (str(own / "evals"), "registry_path")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    found = Registry()
    assert (found.eval("甲.乙").cls, found.get_completion_fn("甲")) == ("x:Y", None)
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == ["passed over"]


def test_files_that_editors_hide_are_no_part_of_a_registry(tmp_path: Path) -> None:
    found = made(tmp_path, evals__a="a.b: {class: 'x:Y'}\n")
    (tmp_path / "evals" / ".#a.yaml").symlink_to("user@host.1:2")
    assert list(found.get_evals(["*"])) == [found.eval("a.b")]


MERGING = """
base.x: &base
  class: x:Y
  args: &first {a: 1, b: 1}
more.x:
  <<: *base
  args: &second
    <<: *first
    b: 2
same.x:
  class: x:Z
  args: *second
"""


@pytest.mark.parametrize("order", [*itertools.permutations(["base.x", "more.x", "same.x"])])
def test_merged_mappings_are_the_same_in_whatever_order_they_are_asked_for(
    order: tuple[str, ...], tmp_path: Path
) -> None:
    found = made(tmp_path, evals__a=MERGING)
    args = {name: found.eval(name).args for name in order}
    assert args == {"base.x": {"a": 1, "b": 1}, "more.x": {"a": 1, "b": 2}, "same.x": {"a": 1, "b": 2}}
    assert found.eval("more.x").cls == "x:Y"


def test_nesting_of_any_usual_depth_is_read_and_more_is_refused_in_words(tmp_path: Path) -> None:
    text = "a.b:\n  class: x:Y\n  args: {deep: %s}\n"
    assert made(tmp_path / "one", evals__a=text % ("[" * 1000 + "]" * 1000)).eval("a.b").cls == "x:Y"
    merging = made(tmp_path / "two", evals__a=text % ("[" * 1000 + "]" * 1000) + "  <<: {b: 1}\n")
    with pytest.raises(UsageError, match="nested too deeply"):
        merging.eval("a.b")


def test_a_registry_that_does_not_exist_is_reported_only_where_it_was_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such registry"):
        Registry([]).add_registry_paths([tmp_path / "nowhere"])
    assert list(Registry([tmp_path / "nowhere"]).get_evals(["*"])) == []


def test_nothing_is_read_before_it_is_needed(tmp_path: Path) -> None:
    found = made(tmp_path, evals__good="a.b: {class: 'x:Y'}\n", completion_fns__bad="[\n", modelgraded__bad="[\n")
    assert found.eval("a.b").cls == "x:Y"
    with pytest.raises(UsageError, match="not valid YAML"):
        found.get_completion_fn("a")


def test_a_broken_spec_among_good_ones_stops_only_itself(tmp_path: Path) -> None:
    found = made(tmp_path, evals__a="bad.b: {args: {}}\ngood.b: {class: 'x:Y'}\n")
    assert found.eval("good.b").cls == "x:Y"


@pytest.mark.parametrize("kind", ["eval", "eval_set", "get_modelgraded_spec"])
def test_unknown_names_come_with_the_nearest(kind: str) -> None:
    known = {"eval": "test-match", "eval_set": "boolq", "get_modelgraded_spec": "closedqa"}[kind]
    with pytest.raises(UsageError, match=f"Did you mean: .*{known}"):
        getattr(Registry(), kind)(known[:-1] + "X")


def test_fields_of_a_modelgraded_spec_can_be_overridden() -> None:
    assert Registry().get_modelgraded_spec("fact", prompt="other").prompt == "other"


# -- completion functions ---------------------------------------------------------------------------------------------

SOURCE = """
from __future__ import annotations
from dataclasses import dataclass

def plain(prompt, answer="plain", **kwargs):
    return answer

@dataclass
class Made:
    answer: str = "made"
    registry: object = None

    def __call__(self, prompt, **kwargs):
        return self.answer

class Outer:
    class Inner:
        def __call__(self, prompt):
            return "inner"

instance = Made("instance")
loaded = []
"""


@pytest.mark.parametrize(
    ("name", "kwargs", "answer"),
    [
        ("plain", {}, "plain"),
        ("plain", {"answer": "given"}, "given"),
        ("Made", {}, "made"),
        ("Made", {"answer": "given"}, "given"),
        ("Outer.Inner", {}, "inner"),
        ("instance", {}, "instance"),
    ],
)
def test_functions_classes_and_objects_of_a_file(
    name: str, kwargs: Mapping[str, Any], answer: str, tmp_path: Path
) -> None:
    (tmp_path / "json.py").write_text(SOURCE)  # a name that a module has
    fn = Registry([]).make_completion_fn(f"{tmp_path / 'json.py'}:{name}", **kwargs)
    assert fn(prompt="a") == answer
    import json

    assert json.loads("1") == 1


def test_a_file_is_loaded_once(tmp_path: Path) -> None:
    (tmp_path / "f.py").write_text(SOURCE)
    assert python_object(f"{tmp_path}/f.py:loaded") is python_object(f"{tmp_path}/f.py:loaded")


def test_an_entry_is_made_from_its_arguments_then_those_given(tmp_path: Path) -> None:
    (tmp_path / "f.py").write_text(SOURCE)
    text = "mine:\n  class: aigc_evals.completion_fns.openai:OpenAIChatCompletionFn\n  args: {model: m, n_ctx: 5}\n"
    found = made(tmp_path / "registry", completion_fns__a=text, solvers__b=text.replace("mine", "solver"))
    for name in ("mine", "solver"):
        fn = found.make_completion_fn(name, api_base="http://h/v1", n_ctx=7)
        assert (fn.model, fn.n_ctx, fn.api_base) == ("m", 7, "http://h/v1")


@pytest.mark.parametrize(
    ("cls", "args", "said"),
    [
        ("json:__name__", "{}", "its class is a str, which cannot be called"),
        ("os:path", "{}", "its class is a module, which cannot be called"),
        (
            "aigc_evals.completion_fns.http:HttpCompletionFn",
            "{url: 'http://h', anser: text}",
            "got an unexpected keyword argument 'anser'\nDid you mean: answer",
        ),
    ],
)
def test_an_entry_that_cannot_be_made_says_why_and_where(cls: str, args: str, said: str, tmp_path: Path) -> None:
    found = made(tmp_path / "registry", completion_fns__a=f"mine:\n  class: {cls}\n  args: {args}\n")
    with pytest.raises(UsageError) as caught:
        found.make_completion_fn("mine")
    assert said in str(caught.value)
    assert "a.yaml:1" in str(caught.value)


def test_the_registry_goes_to_functions_that_ask_for_it(tmp_path: Path) -> None:
    (tmp_path / "f.py").write_text(SOURCE)
    found = Registry([])
    assert found.make_completion_fn(f"{tmp_path}/f.py:Made").registry is found


@pytest.mark.parametrize(
    ("name", "kind", "model"),
    [
        ("gpt-4o", "OpenAIChatCompletionFn", "gpt-4o"),
        ("llama3:latest", "OpenAIChatCompletionFn", "llama3:latest"),
        ("org/model:free", "OpenAIChatCompletionFn", "org/model:free"),
        ("gpt-3.5-turbo-instruct", "OpenAICompletionFn", "gpt-3.5-turbo-instruct"),
        ("davinci-002", "OpenAICompletionFn", "davinci-002"),
        ("completion/mine", "OpenAICompletionFn", "mine"),
    ],
)
def test_any_other_name_is_a_model(name: str, kind: str, model: str) -> None:
    fn = Registry([]).make_completion_fn(name, api_base="http://h/v1")
    assert (type(fn).__name__, fn.model) == (kind, model)


def test_dummy_needs_nothing() -> None:
    assert Registry([]).make_completion_fn("dummy")(prompt="a").get_completions() == ["This is a dummy response."]


@pytest.mark.parametrize(
    ("model", "chat", "context"),
    [
        ("gpt-4", True, 8192),
        ("gpt-4-32k-0613", True, 32768),
        ("gpt-3.5-turbo", True, 4096),
        ("gpt-3.5-turbo-16k-0613", True, 16384),
        ("gpt-3.5-turbo-instruct", False, 4096),
        ("gpt-4-base", False, 8192),
        ("davinci-002", False, None),
        ("anything", False, None),
    ],
)
def test_what_upstream_knew_of_models(model: str, chat: bool, context: int | None) -> None:
    assert (is_chat_model(model), n_ctx_from_model_name(model)) == (chat, context)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("json", "module:Name"),
        ("json:", "module:Name"),
        ("no.such.module:X", "no module"),
        ("json:lods", "Did you mean: loads"),
        ("evals.no_such:X", "belongs to the package evals"),
    ],
)
def test_classes_that_are_not_there(path: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_object(path)
    assert said in str(caught.value)


def test_a_module_that_lacks_a_package_says_which(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "needs_more.py").write_text("import surely_not_installed\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(UsageError, match=r"needs the module 'surely_not_installed'.*\n.*pip install"):
        load_object("needs_more:X")


def test_everything_that_ships_resolves() -> None:
    found = Registry([BUILT_IN])
    for spec in found.get_evals(["*"]):
        assert callable(found.get_class(spec))
