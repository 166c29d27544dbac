"""Requests as templates: texts and JSON with ``{placeholders}``, taken apart once and filled for each call.

``{prompt}``     the conversation as text
``{messages}``   the conversation as a list of messages
``{uuid}``       a new UUID for each request, the same everywhere in it
``{model}``      the model's name, as it was given
``{env:NAME}``   a variable of the environment, read when the template is made
``{max_tokens}`` and the other ``PARAMETERS``: what the eval asks for; left out where it does not

``{name=value}`` has a default. A value in JSON that is one placeholder and nothing else becomes what it stands for (a list,
a number); within a text it is rendered. A literal brace is doubled. Keys of objects are no templates.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from aigc_evals.completion_fns.arguments import mapping
from aigc_evals.errors import UsageError, nearest
from aigc_evals.fastjson import encode
from aigc_evals.redact import names_a_secret

PROMPT = ("prompt", "messages")
OWN = ("uuid", "model")
PARAMETERS = (
    "temperature",
    "top_p",
    "top_k",
    "max_tokens",
    "max_completion_tokens",
    "stop",
    "n",
    "seed",
    "frequency_penalty",
    "presence_penalty",
    "repetition_penalty",
    "response_format",
    "logit_bias",
)
EVERYTHING = (*PROMPT, *OWN, *PARAMETERS)

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_KEY_LIKE = re.compile(r"[A-Za-z0-9._~+/=:-]{8,}")
_ABSENT = object()


def literal_secrets(value: Any, name: str = "") -> Iterator[str]:
    """Keys that stand in a request as they are: texts under names of secrets that look like one, as ``[END]`` does not."""
    if isinstance(value, (Mapping, list)):
        items = value.items() if isinstance(value, Mapping) else ((name, item) for item in value)
        for inner, item in items:
            yield from literal_secrets(item, inner)
    elif isinstance(value, str) and names_a_secret(name) and _KEY_LIKE.fullmatch(value):
        yield value


@dataclass
class Environment:
    """The variables that templates may name; ``secrets`` and ``read`` gather what they did name."""

    variables: Mapping[str, str]
    secrets: list[str] = field(default_factory=list)
    read: list[str] = field(default_factory=list)

    def value(self, name: str, default: str | None, key: str, secret: bool) -> str:
        """The variable, or its default; UsageError where it is not set."""
        # A key that was read from a file often ends in a line end.
        value = self.variables.get(name, "").strip() or default
        if value is None:
            raise UsageError(
                f"the environment variable {name} is not set", key=key, hint=f"Set {name}, or write {{env:{name}=...}}."
            )
        self.read.append(name)
        # A default stands in the registry for all to read, unless its name says otherwise.
        if (secret and value != default) or names_a_secret(name):
            self.secrets.append(value)
        return value


@dataclass(frozen=True)
class _Field:
    name: str
    default: Any


class Text:
    """A text with placeholders. ``identity`` is what it says with variables filled in, but for those that are secret.

    ``allowed`` are the placeholders it may have. With ``url`` values are quoted, ``secret`` says that variables in it
    must not be shown.
    """

    def __init__(
        self,
        text: str,
        key: str,
        environment: Environment,
        allowed: Collection[str] = EVERYTHING,
        *,
        url: bool = False,
        secret: bool = False,
    ) -> None:
        self._url = url
        self._parts: list[str | _Field] = []
        self.identity = ""
        for part in _parts(text, key, allowed):
            literal, shown = part, part
            if isinstance(part, _Field):
                literal, shown = self._resolved(part, key, environment, secret)
            self.identity += str(shown)
            if isinstance(literal, str) and self._parts and isinstance(self._parts[-1], str):
                self._parts[-1] += literal
            else:
                self._parts.append(literal)
        self._whole = len(self._parts) == 1 and isinstance(self._parts[0], _Field) and not url
        if not self._whole:
            self._need_defaults(key)

    def _resolved(self, part: _Field, key: str, environment: Environment, secret: bool) -> tuple[str | _Field, str]:
        """What a placeholder is when the template is made, and how the identity shows it."""
        given = "" if part.default is _ABSENT else f"={rendered(part.default)}"
        if not part.name.startswith("env:"):
            return part, f"{{{part.name}{given}}}"
        name = part.name.removeprefix("env:")
        value = environment.value(name, given[1:] if given else None, key, secret)
        # What stands before the query is an address or a part of one, with its slashes and colons.
        value = quote(value, safe="") if self._url and "?" in self.identity else value
        return value, f"{{env:{name}}}" if names_a_secret(name) else value

    def _need_defaults(self, key: str) -> None:
        for part in self._parts:
            if isinstance(part, _Field) and part.name in PARAMETERS and part.default is _ABSENT:
                raise UsageError(
                    f"{{{part.name}}} stands within a text, and not every eval asks for one",
                    key=key,
                    hint=f"Give it a default: {{{part.name}=...}}",
                )

    @property
    def head(self) -> str:
        """What it begins with, up to the first placeholder that is filled for each call."""
        return self._parts[0] if self._parts and isinstance(self._parts[0], str) else ""

    @head.setter
    def head(self, text: str) -> None:
        self._parts[:1] = [text]

    @property
    def used(self) -> set[str]:
        """The names of the placeholders that are filled for each call."""
        return {part.name for part in self._parts if isinstance(part, _Field)}

    def fill(self, values: Mapping[str, Any]) -> Any:
        """The text, or for a lone placeholder its value; ``Text.ABSENT`` where that has none."""
        if self._whole:
            lone = self._parts[0]
            assert isinstance(lone, _Field)
            return values.get(lone.name, lone.default)
        return "".join(part if isinstance(part, str) else self._rendered(part, values) for part in self._parts)

    def _rendered(self, part: _Field, values: Mapping[str, Any]) -> str:
        text = rendered(values.get(part.name, part.default))
        return quote(text, safe="") if self._url else text

    ABSENT = _ABSENT


def rendered(value: Any) -> str:
    """A value as text: a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else encode(value).decode("utf-8")


def _parts(text: str, key: str, allowed: Collection[str]) -> Iterator[str | _Field]:
    """Literal texts and placeholders in turn."""
    literal, end = "", 0
    for match in _TOKEN.finditer(text):
        literal += text[end : match.start()]
        end = match.end()
        token = match[0]
        if token in ("{{", "}}"):
            literal += token[0]
        elif match[1] is None:
            raise UsageError(f"a lone {token!r} in {text!r:.80}", key=key, hint="A literal brace is written twice.")
        else:
            if literal:
                yield literal
            literal = ""
            yield _field(match[1].strip(), key, allowed)
    literal += text[end:]
    if literal:
        yield literal


def _field(inside: str, key: str, allowed: Collection[str]) -> _Field:
    name, equals, told = (part.strip() for part in inside.partition("="))
    if name.startswith("env:"):
        name = "env:" + name.removeprefix("env:").strip()
        if not re.fullmatch(r"env:[A-Za-z_][A-Za-z0-9_]*", name):
            raise UsageError(f"no name of a variable: {{{inside}}}", key=key, hint="As in: {env:MY_API_URL}")
        return _Field(name, told if equals else _ABSENT)
    if name not in allowed:
        known = [*allowed, "env:NAME"]
        hint = nearest(name, known) or f"There are: {', '.join(known)}. A literal brace is written twice."
        why = "cannot stand here" if name in EVERYTHING else "is no placeholder"
        raise UsageError(f"{{{inside}}} {why}", key=key, hint=hint)
    if not equals:
        return _Field(name, _ABSENT)
    try:
        return _Field(name, json.loads(told))
    except ValueError:
        return _Field(name, told)


class Json:
    """JSON with placeholders in its texts. ``raw`` is a value as YAML gives it, or JSON as text."""

    def __init__(self, raw: Any, key: str, environment: Environment) -> None:
        if isinstance(raw, str):
            try:
                raw = json.loads(raw)
            except ValueError as error:
                raise UsageError(
                    f"this text is not JSON: {error}",
                    key=key,
                    hint='Placeholders stand in quotes: {"input": "{prompt}"}',
                ) from None
        self._texts: list[Text] = []
        self._root = self._compiled(raw, key, environment)

    def _compiled(self, raw: Any, key: str, environment: Environment) -> Any:
        if isinstance(raw, Mapping):
            return {str(name): self._compiled(item, f"{key}.{name}", environment) for name, item in raw.items()}
        if isinstance(raw, (list, tuple)):
            return [self._compiled(item, f"{key}[{index}]", environment) for index, item in enumerate(raw)]
        if isinstance(raw, str):
            text = Text(raw, key, environment)
            self._texts.append(text)
            return text
        if raw is None or isinstance(raw, (bool, int, float)):
            return raw
        raise UsageError(f"{type(raw).__name__} is nothing that JSON has: {raw!r}", key=key, hint="Put it in quotes.")

    @property
    def identity(self) -> Any:
        return _mapped(self._root, lambda text: text.identity)

    @property
    def used(self) -> set[str]:
        return set().union(*(text.used for text in self._texts))

    def fill(self, values: Mapping[str, Any]) -> Any:
        """The JSON of one request; what has no value is left out."""
        return _mapped(self._root, lambda text: text.fill(values))


def _mapped(value: Any, fill: Callable[[Text], Any]) -> Any:
    if isinstance(value, Text):
        return fill(value)
    if isinstance(value, dict):
        made = {name: _mapped(item, fill) for name, item in value.items()}
        return {name: item for name, item in made.items() if item is not _ABSENT}
    if isinstance(value, list):
        return [made for made in (_mapped(item, fill) for item in value) if made is not _ABSENT]
    return value


class Fields:
    """A mapping of names to texts with placeholders: headers, form fields, query parameters."""

    def __init__(
        self,
        raw: Any,
        key: str,
        environment: Environment,
        allowed: Collection[str] = EVERYTHING,
        *,
        secret: bool = False,
    ) -> None:
        self._texts: dict[str, Text] = {}
        for name, value in mapping(key, raw).items():
            if value is None or isinstance(value, (Mapping, list)):
                raise UsageError(f"expected a text, got {value!r:.80}", key=f"{key}.{name}")
            text = value if isinstance(value, str) else rendered(value)
            self._texts[str(name)] = Text(text, f"{key}.{name}", environment, allowed, secret=secret)

    @property
    def identity(self) -> dict[str, str]:
        return {name: text.identity for name, text in self._texts.items()}

    @property
    def used(self) -> set[str]:
        return set().union(*(text.used for text in self._texts.values()))

    def fill(self, values: Mapping[str, Any]) -> dict[str, str]:
        """The texts of one request; what has no value is left out."""
        filled = {name: text.fill(values) for name, text in self._texts.items()}
        return {name: rendered(value) for name, value in filled.items() if value is not _ABSENT}
