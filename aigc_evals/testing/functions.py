"""Completion functions that follow a script: for tests of evals without a model and without a network."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aigc_evals.api import CompletionResult, TextResult
from aigc_evals.errors import EndpointError

#: What a script may give: a text, a whole result, or an error to raise.
Scripted = str | CompletionResult | BaseException


@dataclass(frozen=True)
class Call:
    """One call of a scripted function: ``outcome`` is the text given, or the error raised."""

    prompt: Any
    kwargs: dict[str, Any]
    outcome: str | BaseException


class ScriptedCompletionFn:
    """Answers from ``answers`` and keeps all its calls in ``calls``.

    ``answers`` is a list (taken in the order of the calls; under concurrency that is not the order of the
    samples), a dict (by the last user message, else by the whole prompt's text, its messages joined by
    lines), or a function of the prompt. An error among them is raised. When the list is used up it begins
    again with ``cycle``; otherwise, and for a prompt the dict does not know, the answer is ``default``;
    without one the call fails.
    """

    def __init__(
        self,
        answers: Sequence[Scripted] | Mapping[str, Scripted] | Callable[[Any], Scripted],
        *,
        default: Scripted | None = None,
        cycle: bool = False,
        usage: dict[str, Any] | None = None,
        finish_reason: str | None = None,
        model: str | None = None,
    ) -> None:
        self.calls: list[Call] = []
        self._answers = answers
        self._default = default
        self._cycle = cycle
        self._usage = usage
        self._finish_reason = finish_reason
        self._model = model
        self._given = 0
        self._lock = threading.Lock()

    def __call__(self, prompt: Any, **kwargs: Any) -> CompletionResult:
        # A script that is a function of the prompt is called outside the lock, and so may block or call back.
        scripted = self._answers(prompt) if callable(self._answers) else self._next(prompt)
        outcome = scripted if isinstance(scripted, (str, BaseException)) else "\n".join(scripted.get_completions())
        self.calls.append(Call(prompt, kwargs, outcome))
        if isinstance(scripted, BaseException):
            raise scripted.with_traceback(None)
        if not isinstance(scripted, str):
            return scripted
        return TextResult(scripted, usage=self._usage, finish_reason=self._finish_reason, model=self._model)

    async def acall(self, prompt: Any, **kwargs: Any) -> CompletionResult:
        return self(prompt, **kwargs)

    def _next(self, prompt: Any) -> Scripted:
        if isinstance(self._answers, Mapping):
            for key in prompt_keys(prompt):
                if key in self._answers:
                    return self._answers[key]
            return self._fall_back(f"the script has no answer to the prompt {prompt_keys(prompt)[0]!r}")
        assert not callable(self._answers)
        with self._lock:
            number = self._given
            self._given += 1
        count = len(self._answers)
        if number < count or (self._cycle and count):
            return self._answers[number % count]
        return self._fall_back(f"the script has {count} answers and was asked for one more")

    def _fall_back(self, problem: str) -> Scripted:
        return EndpointError(problem, kind="code") if self._default is None else self._default


class FailingCompletionFn:
    """Raises ``error`` the first ``times`` calls (None: always), then answers ``answer``.

    It keeps its calls in ``calls``. ``error`` is an error, an error class, or a function that makes one.
    """

    def __init__(
        self,
        error: BaseException | Callable[[], BaseException],
        times: int | None = None,
        *,
        answer: str = "ok",
    ) -> None:
        self.calls: list[Call] = []
        self._error = error
        self._times = times
        self._answer = answer
        self._failed = 0
        self._lock = threading.Lock()

    def __call__(self, prompt: Any, **kwargs: Any) -> CompletionResult:
        with self._lock:
            fails = self._times is None or self._failed < self._times
            self._failed += fails
        if not fails:
            self.calls.append(Call(prompt, kwargs, self._answer))
            return TextResult(self._answer)
        error = self._error if isinstance(self._error, BaseException) else self._error()
        self.calls.append(Call(prompt, kwargs, error))
        raise error.with_traceback(None)

    async def acall(self, prompt: Any, **kwargs: Any) -> CompletionResult:
        return self(prompt, **kwargs)


def prompt_keys(prompt: Any) -> list[str]:
    """What a prompt is looked up by: the last user message, then the whole text."""
    if isinstance(prompt, str):
        return [prompt]
    if not isinstance(prompt, (list, tuple)):
        return [str(prompt)]
    keys = []
    texts = []
    for message in prompt:
        content = message.get("content") if isinstance(message, Mapping) else message
        texts.append(content if isinstance(content, str) else str(content))
        if isinstance(message, Mapping) and message.get("role") == "user":
            keys = [texts[-1]]
    return [*keys, "\n".join(texts)]
