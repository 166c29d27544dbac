"""The protocols that systems under test speak: ``CompletionFn`` and ``CompletionResult``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

from aigc_evals.prompt.base import OpenAICreateChatPrompt, OpenAICreatePrompt


class CompletionResult(ABC):
    """What a completion function returns.

    A result may also carry ``usage`` (token counts by name), ``finish_reason``, ``reasoning`` and ``model``; they are
    recorded where present.
    """

    @abstractmethod
    def get_completions(self) -> list[str]:
        """The answers, first one first; empty when the model gave none."""


class TextResult(CompletionResult):
    """A result that is just its text, with whatever else is known about it."""

    def __init__(
        self,
        text: str,
        *,
        usage: dict[str, Any] | None = None,
        finish_reason: str | None = None,
        reasoning: str | None = None,
        model: str | None = None,
    ) -> None:
        self.text = text
        self.usage = usage
        self.finish_reason = finish_reason
        self.reasoning = reasoning
        self.model = model

    def get_completions(self) -> list[str]:
        return [self.text]


@runtime_checkable
class CompletionFn(Protocol):
    """Anything callable as ``fn(prompt=..., **kwargs)``.

    A function with ``async def acall(prompt, **kwargs)`` is awaited instead and so runs at full concurrency without
    threads. ``max_concurrency`` (an attribute) bounds how many calls run at once. A plain string may be returned in
    place of a result.
    """

    def __call__(self, prompt: OpenAICreatePrompt | OpenAICreateChatPrompt, **kwargs: Any) -> CompletionResult: ...


class DummyCompletionResult(CompletionResult):
    def get_completions(self) -> list[str]:
        return ["This is a dummy response."]


class DummyCompletionFn:
    """Always gives the same answer; for trying out an eval without a model."""

    def __call__(self, prompt: OpenAICreatePrompt | OpenAICreateChatPrompt, **kwargs: Any) -> CompletionResult:
        return DummyCompletionResult()

    async def acall(self, prompt: OpenAICreatePrompt | OpenAICreateChatPrompt, **kwargs: Any) -> CompletionResult:
        return DummyCompletionResult()


def record_and_check_match(
    prompt: Any,
    sampled: str,
    expected: str | list[str] | tuple[str, ...],
    separator: Callable[[str], bool] | None = None,
    options: Sequence[str] | None = None,
) -> str | None:
    """Pick the first of ``options`` (default: ``expected``) that ``sampled`` starts with, and record the match.

    With ``separator``, the character after the option (if any) must satisfy it. The match is correct when the picked
    option is among ``expected``. Returns the picked option, or None.
    """
    from aigc_evals.record import record_match

    ideals = [expected] if isinstance(expected, str) else list(expected)
    choices = list(ideals if options is None else options)
    picked = first_prefix(sampled, choices, separator)
    record_match(picked in ideals, expected=ideals, picked=picked, sampled=sampled, options=choices)
    return picked


def first_prefix(text: str, options: Sequence[str], separator: Callable[[str], bool] | None = None) -> str | None:
    """The first option, in order, that ``text`` starts with: no stripping, no case folding; "" starts every text."""
    for option in options:
        if not text.startswith(option):
            continue
        rest = text[len(option) :]
        if separator is None or not rest or separator(rest[0]):
            return option
    return None
