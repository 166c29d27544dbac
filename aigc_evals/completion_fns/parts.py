"""What completion functions made of other ones share: templates, and asking without ending the sample."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from typing import Any

from aigc_evals.api import CompletionResult
from aigc_evals.errors import UsageError, nearest
from aigc_evals.prompt.base import chat_prompt_to_text_prompt, content_text, is_chat_prompt
from aigc_evals.record.scope import current_scope
from aigc_evals.registry import Registry
from aigc_evals.sampling import Sampler

_being_made: ContextVar[tuple[str, ...]] = ContextVar("aigc_evals_being_made", default=())
_FIELD = re.compile(r"\{\{|\}\}|\{(\w+)\}")


def registry_for(registry: Registry | None, registry_path: str | None) -> Registry:
    """The registry that inner functions are made by: the run's, or one of its own outside a run."""
    registry = registry or Registry(wrap=Sampler().wrap)
    if registry_path:
        registry.add_registry_paths([registry_path])
    return registry


def make_inner(registry: Registry, name: str) -> Any:
    """The function ``name`` that another one is made of; UsageError with the names where it is made of that one in turn."""
    outer = _being_made.get()
    if name in outer:
        circle = [*outer[outer.index(name) :], name]
        told = (
            f"{name!r} asks itself" if len(circle) == 2 else f"these ask each other in a circle: {' -> '.join(circle)}"
        )
        raise UsageError(told, key="completion_fn", hint="Name a model, or an entry that leads to one.")
    token = _being_made.set((*outer, name))
    try:
        return registry.make_completion_fn(name)
    finally:
        _being_made.reset(token)


def placeholders(template: Any) -> list[str]:
    """The names in braces in a template: a text, or messages."""
    texts = [content_text(message.get("content")) for message in template] if is_chat_prompt(template) else [template]
    return [name for text in texts for name in _FIELD.findall(str(text)) if name]


def check_template(template: Any, known: Iterable[str], key: str) -> None:
    """UsageError where a template is neither text nor messages, or names what there is not."""
    chat = is_chat_prompt(template) and template and all("role" in message for message in template)
    if not isinstance(template, str) and not chat:
        raise UsageError("expected a text, or messages with role and content", key=key)
    names = list(known)
    for name in placeholders(template):
        if name not in names:
            hint = nearest(name, names) or f"There is: {', '.join(names)}"
            raise UsageError(f"the template has {{{name}}}, which nothing gives", key=key, hint=hint)


def fill(template: Any, values: Mapping[str, str]) -> Any:
    """A template with each {name} replaced, in one pass: what is filled in is never read as a template.

    ``{{`` and ``}}`` stand for braces, a {name} that ``values`` lacks for itself.
    """
    if isinstance(template, str):
        return _FIELD.sub(lambda found: _value(found, values), template)
    return [{**message, "content": _fill_content(message.get("content"), values)} for message in template]


def _fill_content(content: Any, values: Mapping[str, str]) -> Any:
    if isinstance(content, list):
        return [
            {**part, "text": fill(part["text"], values)} if isinstance(part, dict) and "text" in part else part
            for part in content
        ]
    return fill(str(content or ""), values)


def _value(found: re.Match[str], values: Mapping[str, str]) -> str:
    name = found.group(1)
    return found.group()[0] if name is None else values.get(name, found.group())


def prompt_text(prompt: Any) -> str:
    """A prompt as one text: of a conversation its messages, each on a line of its own with who speaks."""
    return chat_prompt_to_text_prompt(prompt, for_completion=False).rstrip() if is_chat_prompt(prompt) else str(prompt)


def first_text(result: CompletionResult) -> str:
    completions = result.get_completions()
    return completions[0] if completions else ""


async def ask_in_between(fn: Any, prompt: Any, **kwargs: Any) -> CompletionResult:
    """Ask for something that is not yet the sample's answer: that it is empty or cut does not decide the outcome."""
    scope = current_scope()
    before = None if scope is None else scope.answer_flaw
    result: CompletionResult = await fn.acall(prompt=prompt, **kwargs)
    if scope is not None:
        scope.answer_flaw = before
    return result


async def close_all(fns: Iterable[Any]) -> None:
    """Close the connections of inner functions; a run closes them itself, and once more does no harm."""
    for fn in fns:
        close = getattr(fn, "aclose", None)
        if close is not None:
            await close()
