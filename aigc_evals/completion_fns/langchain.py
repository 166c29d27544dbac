"""Models of LangChain: chat models and plain language models, by the names of their classes."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from aigc_evals.api import CompletionResult, TextResult
from aigc_evals.completion_fns.arguments import mapping, positive
from aigc_evals.errors import SampleError, UsageError
from aigc_evals.objects import load_object
from aigc_evals.prompt.base import CompletionPrompt, is_chat_prompt
from aigc_evals.sampling import Sampler

_USAGE = {"input_tokens": "prompt_tokens", "output_tokens": "completion_tokens", "total_tokens": "total_tokens"}
_ANYWHERE = ("langchain_core.language_models", "langchain_core.language_models.fake_chat_models")
_CHAT_HOMES = ("langchain_community.chat_models", "langchain.chat_models", *_ANYWHERE)
_LLM_HOMES = ("langchain_community.llms", "langchain.llms", *_ANYWHERE)
_PACKAGES = {
    "ChatOpenAI": "langchain_openai",
    "AzureChatOpenAI": "langchain_openai",
    "OpenAI": "langchain_openai",
    "AzureOpenAI": "langchain_openai",
    "ChatAnthropic": "langchain_anthropic",
    "ChatOllama": "langchain_ollama",
    "OllamaLLM": "langchain_ollama",
    "ChatGoogleGenerativeAI": "langchain_google_genai",
    "ChatMistralAI": "langchain_mistralai",
    "ChatGroq": "langchain_groq",
    "ChatDeepSeek": "langchain_deepseek",
    "ChatHuggingFace": "langchain_huggingface",
}
"""Where classes live that have a package of their own."""


class _LangChainFn:
    """``llm`` is the class: "module:Class", or the name of one that LangChain or its packages have.

    ``llm_kwargs`` are its arguments (its own repeats are off unless these say otherwise). What an eval asks for, as
    temperature, is passed on with each call unless ``pass_kwargs`` is false. Calls to it are at most
    ``max_concurrency`` at a time.
    """

    _homes: tuple[str, ...]
    _base: str

    def __init__(
        self,
        llm: str,
        llm_kwargs: Mapping[str, Any] | None = None,
        *,
        pass_kwargs: bool = True,
        timeout: float | None = None,
        max_concurrency: int | None = None,
        **_others: Any,
    ) -> None:
        arguments = dict(mapping("llm_kwargs", llm_kwargs))
        cls = _class(llm, self._homes)
        base = getattr(importlib.import_module("langchain_core.language_models"), self._base)
        if not isinstance(cls, type) or not issubclass(cls, base):
            raise UsageError(f"{llm} is not a {self._base}", key="llm")
        if "max_retries" in getattr(cls, "model_fields", {}):
            arguments.setdefault("max_retries", 0)
        try:
            self.llm: Any = cls(**arguments)
        except Exception as error:
            raise UsageError(f"{llm} cannot be made from its arguments: {error}", key="llm_kwargs") from error
        self._pass_kwargs = pass_kwargs
        self.timeout = positive("timeout", timeout)
        self.max_concurrency = positive("max_concurrency", max_concurrency)

    def __call__(self, prompt: Any, **kwargs: Any) -> CompletionResult:
        return Sampler().wrap(self)(prompt=prompt, **kwargs)

    def _options(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        return kwargs if self._pass_kwargs else {}


class LangChainChatModelCompletionFn(_LangChainFn):
    """A chat model of LangChain. A text prompt is sent as one message of the user.

    ``chat_model_kwargs`` is openai/evals' name for ``llm_kwargs``.
    """

    _homes = _CHAT_HOMES
    _base = "BaseChatModel"

    def __init__(
        self,
        llm: str,
        llm_kwargs: Mapping[str, Any] | None = None,
        *,
        chat_model_kwargs: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        arguments = {**mapping("llm_kwargs", llm_kwargs), **mapping("chat_model_kwargs", chat_model_kwargs)}
        super().__init__(llm, arguments, **settings)

    async def acall(self, prompt: Any, **kwargs: Any) -> CompletionResult:
        from langchain_core.messages import convert_to_messages

        raw = prompt if is_chat_prompt(prompt) else [{"role": "user", "content": prompt}]
        try:
            messages = convert_to_messages(raw)
        except (TypeError, ValueError, NotImplementedError) as error:
            raise SampleError(f"LangChain does not take this conversation: {error}") from error
        reply = await self.llm.ainvoke(messages, **self._options(kwargs))
        return _ChatResult(reply)


class LangChainLLMCompletionFn(_LangChainFn):
    """A plain language model of LangChain. A chat prompt is rendered as text."""

    _homes = _LLM_HOMES
    _base = "BaseLanguageModel"

    async def acall(self, prompt: Any, **kwargs: Any) -> CompletionResult:
        text = CompletionPrompt(prompt).to_formatted_prompt()
        reply = await self.llm.ainvoke(text, **self._options(kwargs))
        return _ChatResult(reply) if hasattr(reply, "content") else TextResult(str(reply))


class _ChatResult(TextResult):
    """A message of LangChain as a result: text, tokens, why it ended, reasoning and refusal where it has them."""

    def __init__(self, reply: Any) -> None:
        about: Mapping[str, Any] = getattr(reply, "response_metadata", None) or {}
        more: Mapping[str, Any] = getattr(reply, "additional_kwargs", None) or {}
        counted: Mapping[str, Any] = getattr(reply, "usage_metadata", None) or {}
        super().__init__(
            _text(reply.content),
            usage={name: counted[key] for key, name in _USAGE.items() if key in counted} or None,
            finish_reason=about.get("finish_reason") or about.get("stop_reason"),
            reasoning=more.get("reasoning_content"),
            model=about.get("model_name") or about.get("model"),
        )
        self.refusal = more.get("refusal")
        self.tool_calls = getattr(reply, "tool_calls", None) or None


def _text(content: Any) -> str:
    if not isinstance(content, list):
        return str(content)
    return "".join(part if isinstance(part, str) else str(part.get("text") or "") for part in content)


def _class(name: str, homes: tuple[str, ...]) -> Any:
    try:
        import langchain_core  # noqa: F401
    except ImportError:
        raise UsageError(
            "LangChain is not installed", key="llm", hint='Install it: pip install "aigc_evals[langchain]"'
        ) from None
    if ":" in name:
        return load_object(name)
    own = _PACKAGES.get(name)
    for home in (own, *homes) if own else homes:
        try:
            module = importlib.import_module(home)
        except ImportError:
            continue
        found = getattr(module, name, None)
        if found is not None:
            return found
    hint = f"Install it: pip install {own.replace('_', '-')}" if own else 'Write it as "module:Class".'
    raise UsageError(f"no class of LangChain is named {name!r} here", key="llm", hint=hint)
