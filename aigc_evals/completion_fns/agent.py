"""A model that may use tools: it is asked, what it calls is called, and so on until it answers without calling.

Each reply is a ``sampling`` event and each call of a tool a ``function_call`` event of the sample.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

from aigc_evals.api import CompletionResult, TextResult
from aigc_evals.completion_fns.arguments import mapping, positive
from aigc_evals.completion_fns.parts import ask_in_between, close_all, first_text, make_inner, registry_for
from aigc_evals.completion_fns.tool_schema import mismatch
from aigc_evals.completion_fns.tools import Tool, ToolError, make_tool
from aigc_evals.errors import UsageError
from aigc_evals.prompt.base import ChatCompletionPrompt
from aigc_evals.record.scope import current_scope
from aigc_evals.registry import Registry
from aigc_evals.sampling import Sampler

_THREADS = 64


class ToolAgentCompletionFn:
    """``completion_fn`` names a chat model of an OpenAI-compatible endpoint; ``tools`` is a list as ``make_tool`` takes.

    The model is asked at most ``max_steps`` times. If the last of these replies still calls a tool, that is not called
    any more and the sample counts as truncated. An unknown tool, arguments that are not JSON or do not fit, and a tool
    that fails are told to the model, which may go on. ``system`` (a text) is put before the prompt; ``kwargs`` are
    sent with each request and override what the eval asks for.
    """

    composite = True

    def __init__(
        self,
        completion_fn: str,
        tools: Sequence[Any] = ("calculator",),
        max_steps: int = 10,
        system: str | None = None,
        kwargs: Mapping[str, Any] | None = None,
        registry: Registry | None = None,
        registry_path: str | None = None,
    ) -> None:
        if isinstance(tools, (str, Mapping)) or not isinstance(tools, Sequence):
            raise UsageError("expected a list of tools", key="tools")
        if not isinstance(positive("max_steps", max_steps), int):
            raise UsageError(f"expected a whole number, got {max_steps!r}", key="max_steps")
        self._executor: ThreadPoolExecutor | None = None
        self._tools: dict[str, Tool] = {}
        for number, raw in enumerate(tools):
            tool = make_tool(raw, f"tools[{number}]", self._threads)
            if tool.name in self._tools:
                raise UsageError(f"two tools are named {tool.name!r}", key=f"tools[{number}]")
            self._tools[tool.name] = tool
        self._max_steps = max_steps
        self._system = system
        self._kwargs = dict(mapping("kwargs", kwargs))
        self._fn = make_inner(registry_for(registry, registry_path), completion_fn)

    def __call__(self, prompt: Any, **kwargs: Any) -> CompletionResult:
        return Sampler().wrap(self)(prompt=prompt, **kwargs)

    async def acall(self, prompt: Any, **kwargs: Any) -> CompletionResult:
        first = [] if self._system is None else [{"role": "system", "content": self._system}]
        messages = [*first, *ChatCompletionPrompt(prompt).to_formatted_prompt()]
        options = {**kwargs, **self._kwargs}
        if self._tools:
            options["tools"] = [_declared(tool) for tool in self._tools.values()]
        for step in range(1, self._max_steps + 1):
            result = await ask_in_between(self._fn, messages, **options)
            calls = _calls(result)
            if not calls:
                return _final(result, getattr(result, "finish_reason", None), getattr(result, "refusal", None))
            if step < self._max_steps:
                said = {"role": "assistant", "content": first_text(result) or None, "tool_calls": calls}
                told = [await self._told(call, step) for call in calls]
                # A new list each time: the events keep what was sent.
                messages = [*messages, said, *told]
        _note_limit(self._max_steps, calls)
        return _final(result, "length", None)

    async def _told(self, call: Mapping[str, Any], step: int) -> dict[str, Any]:
        """Do what the model calls for; the message that tells it the result, or what went wrong."""
        function = call["function"]
        name, raw = str(function.get("name")), function.get("arguments")
        began = time.perf_counter()
        arguments, error, content = raw, True, ""
        try:
            tool, arguments = self._understood(name, raw)
            content = await tool.run(arguments)
            error = False
            if len(content) > tool.max_output:
                content = f"{content[: tool.max_output]}\n[cut off after {tool.max_output} characters]"
        except ToolError as trouble:
            content = f"Error: {trouble}"
        scope = current_scope()
        if scope is not None:
            seconds = round(time.perf_counter() - began, 6)
            scope.count("tool_calls")
            scope.recorder.record_function_call(
                name, arguments, content, scope.sample_id, call_id=call["id"], step=step, error=error, seconds=seconds
            )
        return {"role": "tool", "tool_call_id": call["id"], "content": content}

    def _understood(self, name: str, raw: Any) -> tuple[Tool, dict[str, Any]]:
        tool = self._tools.get(name)
        if tool is None:
            raise ToolError(f"there is no tool {name!r}; there is: {', '.join(self._tools) or 'none'}")
        try:
            # A tool without arguments is called with none at all by some models.
            arguments = json.loads(raw) if raw else {}
        except (TypeError, ValueError) as error:
            raise ToolError(f"the arguments are not JSON: {error}") from None
        if not isinstance(arguments, dict):
            raise ToolError(f"the arguments must be a JSON object, got {raw}")
        wrong = mismatch(tool.parameters, arguments)
        if wrong:
            raise ToolError(wrong)
        return tool, arguments

    def _threads(self) -> Executor:
        if self._executor is None:
            self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="aigc_evals_tools")
        return self._executor

    async def aclose(self) -> None:
        """Let the threads of the tools go, and close the model's connections."""
        await close_all([self._fn])
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._executor = None


def _declared(tool: Tool) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": function}


def _calls(result: CompletionResult) -> list[dict[str, Any]]:
    """The tool calls of a reply, each with an id and a function; what is not of this form is no call."""
    found: list[dict[str, Any]] = []
    for number, call in enumerate(getattr(result, "tool_calls", None) or ()):
        if isinstance(call, dict) and isinstance(call.get("function"), dict):
            function = {"name": call["function"].get("name"), "arguments": call["function"].get("arguments") or ""}
            found.append({"id": call.get("id") or f"call_{number}", "type": "function", "function": function})
    return found


def _note_limit(steps: int, calls: list[dict[str, Any]]) -> None:
    scope = current_scope()
    if scope is not None:
        left = [call["function"]["name"] for call in calls]
        scope.recorder.record_extra({"agent": "step limit", "steps": steps, "not_called": left}, scope.sample_id)


def _final(result: CompletionResult, finish_reason: str | None, refusal: str | None) -> CompletionResult:
    return _AgentResult(first_text(result), finish_reason, getattr(result, "model", None), refusal)


class _AgentResult(TextResult):
    def __init__(self, text: str, finish_reason: str | None, model: str | None, refusal: str | None) -> None:
        super().__init__(text, finish_reason=finish_reason, model=model)
        self.refusal = refusal
