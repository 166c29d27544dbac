"""The JSON schema of a Python function's arguments, from its signature and docstring, and checking arguments by one."""

from __future__ import annotations

import enum
import inspect
import re
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_SIMPLE: dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}
_PYTHON: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}
_SECTION = re.compile(r"^\s*(Args|Arguments|Parameters|参数)\s*[:：]\s*$")
_ARGUMENT = re.compile(r"^(\s+)\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*[:：]\s*(.*)$")
_FIELD = re.compile(r"^\s*:param\s+(?:[\w\[\], |.]+\s+)?(\w+)\s*:\s*(.*)$")
_NEXT = re.compile(r"^\s*(?:\w[\w ]*[:：]\s*$|:\w+)")


def function_schema(function: Callable[..., Any]) -> tuple[str, dict[str, Any]]:
    """A function's description and the JSON schema of its arguments.

    Types come from annotations (what none is known for may be anything), required is what has no default. The
    description is the docstring up to its arguments, theirs come from ``Args:`` or ``:param name:``. ValueError for a
    function that takes positional arguments only, or any number of them.
    """
    text, arguments = docstring_parts(inspect.getdoc(function) or "")
    try:
        hints = typing.get_type_hints(function)
    except Exception:
        hints = dict(getattr(function, "__annotations__", {}))
    properties: dict[str, Any] = {}
    required: list[str] = []
    extra = False
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            extra = True
            continue
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.POSITIONAL_ONLY):
            raise ValueError(f"the argument {name!r} cannot be given by name")
        schema = type_schema(hints.get(name, Any))
        if name in arguments:
            schema["description"] = arguments[name]
        if parameter.default is parameter.empty:
            required.append(name)
        elif isinstance(parameter.default, (str, int, float, bool)):
            schema["default"] = parameter.default
        properties[name] = schema
    made = {"type": "object", "properties": properties, "required": required, "additionalProperties": extra}
    return text, made


def type_schema(annotation: Any) -> dict[str, Any]:
    """The JSON schema of a type: simple ones, lists, mappings, Literal, enumerations, unions; {} for others."""
    if annotation in _SIMPLE:
        return {"type": _SIMPLE[annotation]}
    if annotation is type(None):
        return {"type": "null"}
    if inspect.isclass(annotation) and issubclass(annotation, enum.Enum):
        return {"enum": [member.value for member in annotation]}
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return type_schema(inner[0])
    if origin is typing.Literal:
        return {"enum": list(inner)}
    if origin in (typing.Union, types.UnionType):
        schemas = [type_schema(part) for part in inner if part is not type(None)]
        if all(set(schema) == {"type"} for schema in schemas):
            kinds = [schema["type"] for schema in schemas] + (["null"] if len(schemas) < len(inner) else [])
            return {"type": kinds}
        return {"anyOf": schemas + ([{"type": "null"}] if len(schemas) < len(inner) else [])}
    base = origin or annotation
    if inspect.isclass(base) and issubclass(base, Mapping):
        return {"type": "object"}
    if inspect.isclass(base) and issubclass(base, (Sequence, set, frozenset)):
        items = type_schema(inner[0]) if inner and inner[0] is not Any else {}
        return {"type": "array", **({"items": items} if items else {})}
    return {}


def docstring_parts(text: str) -> tuple[str, dict[str, str]]:
    """The text before the description of arguments, and these by name (Google's and Sphinx's form)."""
    before: list[str] = []
    arguments: dict[str, list[str]] = {}
    current: list[str] | None = None
    inside = False
    for line in text.splitlines():
        field = _FIELD.match(line)
        item = _ARGUMENT.match(line) if inside else None
        if field:
            inside, current = True, arguments.setdefault(field[1], [field[2]])
        elif _SECTION.match(line):
            inside, current = True, None
        elif item and (current is None or len(item[1]) <= 4):
            current = arguments.setdefault(item[2], [item[3]])
        elif inside and (_NEXT.match(line) or not line.strip()):
            current = None
        elif inside and current is not None:
            current.append(line.strip())
        elif not inside:
            before.append(line)
    return "\n".join(before).strip(), {name: " ".join(filter(None, lines)) for name, lines in arguments.items()}


def mismatch(schema: Mapping[str, Any], arguments: Mapping[str, Any]) -> str | None:
    """What is wrong with ``arguments`` by an object's schema (names, types, enumerations), in words; None if nothing."""
    properties: Mapping[str, Any] = schema.get("properties") or {}
    missing = [name for name in schema.get("required") or () if name not in arguments]
    if missing:
        return f"missing arguments: {', '.join(missing)}"
    unknown = [name for name in arguments if name not in properties]
    if unknown and schema.get("additionalProperties") is False:
        return f"unknown arguments: {', '.join(unknown)}; it takes: {', '.join(properties) or 'none'}"
    for name, value in arguments.items():
        wanted = properties.get(name) or {}
        kinds = wanted.get("type") or []
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if kinds and not any(_is(value, kind) for kind in kinds):
            return f"{name} must be {' or '.join(kinds)}, got {value!r}"
        if "enum" in wanted and value not in wanted["enum"]:
            return f"{name} must be one of {wanted['enum']}, got {value!r}"
    return None


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool) and kind in ("integer", "number"):
        return False
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _PYTHON.get(kind, (object,)))
