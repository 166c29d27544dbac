"""Chain of thought: think first, then read the answer out of the thoughts."""

from __future__ import annotations

from typing import Any

from aigc_evals.api import CompletionResult, TextResult
from aigc_evals.completion_fns.parts import make_inner, registry_for
from aigc_evals.errors import UsageError
from aigc_evals.prompt.base import ChatCompletionPrompt
from aigc_evals.record.scope import current_scope
from aigc_evals.registry import Registry
from aigc_evals.sampling import Sampler

DEFAULT_COT_TEMPLATE = "\nLet me work through this step by step before I commit to an answer, and then state it."
DEFAULT_EXTRACT_ANSWER_TEMPLATE = "\nSo, in exactly the form that the question asks for, the answer is:"


class ChainOfThoughtCompletionFn:
    """Asks ``cot_completion_fn`` to think, then ``extract_completion_fn`` (default: the same) for the answer alone.

    Both are names as on the command line. The templates are put into the mouth of the assistant.
    """

    composite = True
    """The functions it calls are limited, timed and repeated; it itself is not."""

    def __init__(
        self,
        cot_template: str = DEFAULT_COT_TEMPLATE,
        extract_answer_template: str = DEFAULT_EXTRACT_ANSWER_TEMPLATE,
        cot_completion_fn: str | None = None,
        extract_completion_fn: str | None = None,
        registry: Registry | None = None,
        registry_path: str | None = None,
        **_kwargs: Any,
    ) -> None:
        if cot_completion_fn is None:
            raise UsageError("it must be said which function thinks", key="cot_completion_fn")
        registry = registry_for(registry, registry_path)
        self.cot_template = cot_template
        self.extract_answer_template = extract_answer_template
        self.cot_completion_fn_instance = make_inner(registry, cot_completion_fn)
        self.extract_completion_fn_instance = make_inner(registry, extract_completion_fn or cot_completion_fn)

    def __call__(self, prompt: Any, **kwargs: Any) -> CompletionResult:
        return Sampler().wrap(self)(prompt=prompt, **kwargs)

    async def acall(self, prompt: Any, **kwargs: Any) -> CompletionResult:
        messages = ChatCompletionPrompt(prompt).to_formatted_prompt()
        thinking = [*messages, {"role": "assistant", "content": self.cot_template}]
        thoughts = await self._ask(self.cot_completion_fn_instance, thinking, kwargs)
        extracting = [
            *thinking,
            {"role": "assistant", "content": thoughts},
            {"role": "assistant", "content": self.extract_answer_template},
        ]
        answer = await self._ask(self.extract_completion_fn_instance, extracting, kwargs)
        return TextResult(answer.strip())

    async def _ask(self, fn: Any, prompt: list[dict[str, Any]], kwargs: dict[str, Any]) -> str:
        result = await fn.acall(prompt=prompt, **kwargs)
        completions = result.get_completions()
        answer = (completions[0] if completions else None) or ""
        scope = current_scope()
        if scope is not None:
            scope.recorder.record_sampling(prompt, answer, sample_id=scope.sample_id)
        return answer
