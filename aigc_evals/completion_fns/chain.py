"""A chain of prompts: each step fills a template with what came before and asks; the last answer is the completion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aigc_evals.api import CompletionResult
from aigc_evals.completion_fns.arguments import mapping
from aigc_evals.completion_fns.parts import (
    ask_in_between,
    check_template,
    close_all,
    fill,
    first_text,
    make_inner,
    prompt_text,
    registry_for,
)
from aigc_evals.errors import UsageError, nearest
from aigc_evals.registry import Registry
from aigc_evals.sampling import Sampler

INPUT = "input"
_KEYS = ("name", "template", "completion_fn", "kwargs")


@dataclass(frozen=True)
class _Step:
    name: str
    template: Any
    fn: Any
    kwargs: Mapping[str, Any]


class PromptChainCompletionFn:
    """``steps``: a list of {name, template, completion_fn, kwargs}, asked one after another.

    A template is a text or a list of messages. In it ``{input}`` is the sample's prompt as text and ``{step_name}`` the
    answer of an earlier step; ``{{`` and ``}}`` are braces. ``completion_fn`` beside ``steps`` is that of steps without
    one. What an eval asks for (temperature, max_tokens) goes to the last step, whose ``kwargs`` override it; the others
    have their own ``kwargs`` alone. Only the last answer decides whether the sample counts as refused, empty or cut.
    """

    composite = True

    def __init__(
        self,
        steps: Sequence[Mapping[str, Any]],
        completion_fn: str | None = None,
        registry: Registry | None = None,
        registry_path: str | None = None,
    ) -> None:
        if isinstance(steps, (str, Mapping)) or not isinstance(steps, Sequence) or not steps:
            raise UsageError("expected a list of at least one step", key="steps")
        made_by = registry_for(registry, registry_path)
        self._steps: list[_Step] = []
        for number, raw in enumerate(steps):
            names = [INPUT, *(step.name for step in self._steps)]
            self._steps.append(_step(raw, f"steps[{number}]", names, completion_fn, made_by, len(steps) == number + 1))

    def __call__(self, prompt: Any, **kwargs: Any) -> CompletionResult:
        return Sampler().wrap(self)(prompt=prompt, **kwargs)

    async def acall(self, prompt: Any, **kwargs: Any) -> CompletionResult:
        values = {INPUT: prompt_text(prompt)}
        for step in self._steps[:-1]:
            answer = await ask_in_between(step.fn, fill(step.template, values), **step.kwargs)
            values[step.name] = first_text(answer)
        last = self._steps[-1]
        result: CompletionResult = await last.fn.acall(prompt=fill(last.template, values), **{**kwargs, **last.kwargs})
        return result

    async def aclose(self) -> None:
        await close_all(step.fn for step in self._steps)


def _step(raw: Any, key: str, names: Sequence[str], default_fn: str | None, registry: Registry, last: bool) -> _Step:
    if not isinstance(raw, Mapping):
        raise UsageError(f"a step is a mapping, got {type(raw).__name__}", key=key)
    for field in raw:
        if field not in _KEYS:
            raise UsageError(f"a step has no {field!r}", key=key, hint=nearest(str(field), _KEYS) or f"It has: {_KEYS}")
    name = raw.get("name", "" if last else None)
    if not isinstance(name, str) or (name and not name.isidentifier()) or (not name and not last):
        raise UsageError(f"a step needs a name of letters, digits and _, got {name!r}", key=f"{key}.name")
    if name in names:
        raise UsageError(f"the name {name!r} is taken", key=f"{key}.name")
    if "template" not in raw:
        raise UsageError("a step needs a template", key=key)
    check_template(raw["template"], names, f"{key}.template")
    fn = raw.get("completion_fn") or default_fn
    if not fn:
        raise UsageError("it must be said which function is asked", key=f"{key}.completion_fn")
    kwargs = mapping(f"{key}.kwargs", raw.get("kwargs"))
    return _Step(name, raw["template"], make_inner(registry, str(fn)), kwargs)
