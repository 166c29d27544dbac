"""What came back from a call: as a result without reasoning, what is wrong with it, and what the log keeps of it."""

from __future__ import annotations

from typing import Any

from aigc_evals.api import CompletionResult, TextResult
from aigc_evals.base import Outcome
from aigc_evals.errors import EndpointError
from aigc_evals.failures import RETURN_TYPE
from aigc_evals.prompt.base import Prompt
from aigc_evals.record.scope import SampleScope
from aigc_evals.sampling.reasoning import split_reasoning

_RECORDED = (
    "finish_reason",
    "reasoning",
    "refusal",
    "tool_calls",
    "adjusted",
    "system_fingerprint",
    "cached",
    "first_token_seconds",
)
"""What a sampling event takes over from a result that has it."""


class Refusal(CompletionResult):
    """No answer, because a content filter declined: what it said is ``refusal``."""

    finish_reason = "content_filter"

    def __init__(self, refusal: str, model: str | None) -> None:
        self.refusal = refusal
        self.model = model

    def get_completions(self) -> list[str]:
        return []


class Answered(CompletionResult):
    """A result whose reasoning has been taken off; everything else is the inner result's."""

    def __init__(self, inner: CompletionResult, completions: list[str], reasoning: str | None) -> None:
        self._inner = inner
        self._completions = completions
        self.reasoning = reasoning

    def get_completions(self) -> list[str]:
        return list(self._completions)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def as_result(value: Any) -> CompletionResult:
    """What a completion function returned, as a result; EndpointError where it is neither that nor text."""
    if isinstance(value, str):
        return TextResult(value)
    if hasattr(value, "get_completions"):
        return value  # type: ignore[no-any-return]
    raise EndpointError(
        f"a completion function must return a str or a CompletionResult, this one returned {type(value).__name__}",
        kind="code",
        code=RETURN_TYPE,
    )


def without_reasoning(result: CompletionResult) -> CompletionResult:
    """The same with visible reasoning taken off its answers, which all are text then."""
    completions = result.get_completions()
    answers: list[str] = []
    taken: list[str] = []
    for text in completions:
        answer, reasoning = split_reasoning(text) if isinstance(text, str) else ("", None)
        answers.append(answer)
        if reasoning is not None:
            taken.append(reasoning)
    if not taken and None not in completions:
        return result
    own = getattr(result, "reasoning", None)
    return Answered(result, answers, "\n".join([own, *taken] if own else taken) or None)


def flaw(result: CompletionResult) -> Outcome | None:
    """Why the answer may be none: it was refused, cut, or is empty."""
    completions = result.get_completions()
    finish = getattr(result, "finish_reason", None)
    if getattr(result, "refusal", None) or finish == "content_filter":
        return Outcome.REFUSED
    if finish in ("length", "max_tokens"):
        return Outcome.TRUNCATED
    if not completions or not (completions[0] or "").strip():
        return Outcome.EMPTY
    return None


def record_answer(
    scope: SampleScope, prompt: Any, result: CompletionResult, seconds: float, *, role: str | None = None
) -> None:
    """Record the ``sampling`` event of an answer into its sample, and count what it cost."""
    data: dict[str, Any] = {"model": getattr(result, "model", None)}
    usage = getattr(result, "usage", None)
    if usage and getattr(result, "cached", None) is True:
        # It was paid for when it was first asked.
        data["usage_cached"] = _counted(usage)
    elif usage:
        data["usage"] = usage = _counted(usage)
        for key, value in usage.items():
            if isinstance(value, (int, float)):
                scope.usage[key] = scope.usage.get(key, 0) + value
    for name in _RECORDED:
        value = getattr(result, name, None)
        if value is not None:
            data[name] = value
    if role is not None:
        data["role"] = role
    data["seconds"] = round(seconds, 6)
    asked = getattr(result, "prompt", prompt)
    if isinstance(asked, Prompt):
        asked = asked.to_formatted_prompt()
    scope.recorder.record_sampling(asked, result.get_completions(), sample_id=scope.sample_id, **data)


def _counted(usage: Any) -> dict[str, Any]:
    """Usage as a plain mapping; of nested details only what is not zero, which is most of them in every reply."""
    mapping = usage.model_dump() if hasattr(usage, "model_dump") else usage
    counted: dict[str, Any] = {}
    for key, value in mapping.items():
        if isinstance(value, dict):
            value = {name: count for name, count in value.items() if count}
            if not value:
                continue
        counted[key] = value
    return counted
