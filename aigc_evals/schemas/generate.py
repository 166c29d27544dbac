"""Makes the JSON Schemas from the code: specs from their dataclasses, arguments from the constructors of the eval classes."""

from __future__ import annotations

import collections.abc
import dataclasses
import importlib
import inspect
import json
import pkgutil
import re
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

import aigc_evals.elsuite
from aigc_evals.base import BaseEvalSpec, CompletionFnSpec, EvalSetSpec, EvalSpec
from aigc_evals.check.arguments import constructor_arguments
from aigc_evals.elsuite.modelgraded.base import ModelGradedSpec
from aigc_evals.elsuite.modelgraded.classify_utils import ANSWER_PROMPTS, MATCH_FNS
from aigc_evals.eval import Eval

_DRAFT = "http://json-schema.org/draft-07/schema#"
_MADE = ("key", "group", "registry_path")
_SPECS: Mapping[str, tuple[str, tuple[type, ...]]] = {
    "evals": ("eval", (BaseEvalSpec, EvalSpec)),
    "eval_sets": ("eval set", (EvalSetSpec,)),
    "completion_fns": ("completion function", (CompletionFnSpec,)),
    "modelgraded": ("model-graded spec", (ModelGradedSpec,)),
}
_TOLD = {
    "id": "The name of another entry: this one is an alias of it.",
    "class": "module:Name of the class.",
    "args": "Arguments of the class's constructor.",
    "metrics": "The metrics that are reported; the first is the headline.",
    "description": "What it measures, in a sentence.",
    "made_by": "The command that makes its data, where that may not be there yet.",
    "disclaimer": "What should be known before the figures are used.",
    "higher_is_better": "Whether more of the first metric is better.",
    "evals": "Names of evals, or patterns over them (* is any text).",
    "prompt": "The question to the judge, as text or as messages; {fields} are filled.",
    "choice_strings": "The verdicts: a list, a string of letters, or from_n, from_n_abc, from_n_ABC.",
    "input_outputs": "Key of each input -> key that its completion goes by in the prompt.",
    "eval_type": "How the verdict is asked for.",
    "choice_scores": "What each verdict is worth, or from_strings.",
    "output_template": "How one of several completions is laid out: {i} {i_abc} {i_ABC} {output} {n}.",
    "samples_jsonl": "The data: a file, or a path below the registry's data folder.",
    "few_shot_jsonl": "Examples, each row a list of messages under sample.",
    "num_few_shot": "How many examples are put before each question.",
    "match_fn": "How a choice is looked for in the judge's reply.",
}
_ENUMS = {"eval_type": sorted(ANSWER_PROMPTS), "match_fn": sorted(MATCH_FNS)}
_PLAIN: Mapping[Any, str] = {str: "string", int: "integer", bool: "boolean", float: "number", type(None): "null"}


def schema(kind: str) -> dict[str, Any]:
    """The schema of one kind of YAML file, as a mapping."""
    noun, specs = _SPECS[kind]
    fields: dict[str, Any] = {"id": _told("id", {"type": "string"})}
    required: list[str] = []
    for cls in specs:
        hints = typing.get_type_hints(cls)
        for item in dataclasses.fields(cls):
            name = "class" if item.name == "cls" else item.name
            if name in _MADE or name == "id":
                continue
            fields[name] = _told(name, _named(name, _of_type(hints[item.name])))
            if item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING:
                required.append(name)
    spec: dict[str, Any] = {
        "type": "object",
        "properties": fields,
        "additionalProperties": False,
        "anyOf": [{"required": ["id"]}, {"required": sorted(required)}],
    }
    made: dict[str, Any] = {
        "$schema": _DRAFT,
        "title": f"{noun}s of a registry",
        "type": ["object", "null"],
        "additionalProperties": {"anyOf": [{"type": "string"}, {"$ref": "#/definitions/spec"}]},
        "definitions": {"spec": spec},
    }
    if kind == "evals":
        spec["allOf"] = []
        for cls in eval_classes():
            made["definitions"][cls.__name__] = _arguments(cls)
            spec["allOf"].append(_where_class_is(cls))
    return made


def as_text(kind: str) -> str:
    """The schema as it stands in its file."""
    return json.dumps(schema(kind), indent=2, ensure_ascii=False) + "\n"


def eval_classes() -> list[type[Eval]]:
    """The eval classes of the package, by name."""
    found = {cls for module in _modules() for cls in vars(module).values() if _is_eval(cls, module)}
    return sorted(found, key=lambda cls: cls.__name__)


def _modules() -> Iterator[types.ModuleType]:
    for info in pkgutil.walk_packages(aigc_evals.elsuite.__path__, "aigc_evals.elsuite."):
        yield importlib.import_module(info.name)


def _is_eval(cls: Any, module: types.ModuleType) -> bool:
    own = isinstance(cls, type) and cls.__module__ == module.__name__ and not cls.__name__.startswith("_")
    return own and issubclass(cls, Eval) and not inspect.isabstract(cls)


def _where_class_is(cls: type) -> dict[str, Any]:
    """Where the class is this one, under our module path or openai/evals', its arguments hold."""
    module = cls.__module__.removeprefix("aigc_evals.")
    pattern = f"^(aigc_)?evals\\.{re.escape(module)}:{cls.__name__}$"
    then: dict[str, Any] = {"properties": {"args": {"$ref": f"#/definitions/{cls.__name__}"}}}
    if constructor_arguments(cls).required:
        then["required"] = ["args"]
    return {"if": {"properties": {"class": {"pattern": pattern}}, "required": ["class"]}, "then": then}


def _arguments(cls: type) -> dict[str, Any]:
    takes = constructor_arguments(cls)
    hints = _hints(cls)
    return {
        "type": "object",
        "description": (inspect.getdoc(cls) or cls.__name__).splitlines()[0],
        "properties": {name: _told(name, _named(name, _of_type(hints.get(name, Any)))) for name in takes.names},
        "required": sorted(takes.required),
        "additionalProperties": takes.open,
    }


def _hints(cls: type) -> dict[str, Any]:
    """The types of all parameters of a class's constructors, the most derived one's counting."""
    found: dict[str, Any] = {}
    for base in reversed(inspect.getmro(cls)):
        constructor = base.__dict__.get("__init__")
        if constructor is None or base is object:
            continue
        try:
            found.update(typing.get_type_hints(constructor))
        except NameError:
            # Names that are imported for type checkers only; the rest is taken as it can be read.
            found.update(_readable_hints(constructor))
    return found


def _readable_hints(function: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, annotation in function.__annotations__.items():
        try:
            found[name] = eval(annotation, function.__globals__) if isinstance(annotation, str) else annotation
        except (NameError, TypeError):
            found[name] = Any
    return found


def _of_type(hint: Any) -> dict[str, Any]:
    """What JSON Schema says for a Python type; nothing for one that it cannot express."""
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    origin, parameters = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        parts = [_of_type(part) for part in parameters]
        if all(set(part) == {"type"} for part in parts):
            return {"type": [part["type"] for part in parts]}
        return {"anyOf": parts} if all(parts) else {}
    if origin is typing.Literal:
        return {"enum": list(parameters)}
    kind = origin or hint
    if isinstance(kind, type) and issubclass(kind, (list, tuple, collections.abc.Sequence)):
        items = _of_type(parameters[0]) if parameters else {}
        return {"type": "array", "items": items} if items else {"type": "array"}
    if isinstance(kind, type) and issubclass(kind, (dict, collections.abc.Mapping)):
        values = _of_type(parameters[1]) if len(parameters) == 2 else {}
        return {"type": "object", "additionalProperties": values} if values else {"type": "object"}
    return {}


def _named(name: str, made: dict[str, Any]) -> dict[str, Any]:
    """What is known of a field besides its type."""
    if name == "choice_strings":
        # YAML reads unquoted digits as numbers; they are verdicts all the same.
        return {"anyOf": [{"type": "array", "items": {"type": ["string", "number"]}}, {"type": "string"}]}
    if name in _ENUMS:
        return {"enum": [*_ENUMS[name], None]}
    return made


def _told(name: str, made: dict[str, Any]) -> dict[str, Any]:
    return {**made, "description": _TOLD[name]} if name in _TOLD else made
