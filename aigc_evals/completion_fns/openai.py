"""Models behind OpenAI-compatible endpoints: chat, text completion, embeddings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aigc_evals.api import CompletionResult
from aigc_evals.completion_fns.endpoint import Address, EndpointFn
from aigc_evals.completion_fns.login import authorized, without_login
from aigc_evals.errors import EndpointError, UsageError
from aigc_evals.prompt.base import ChatCompletionPrompt, CompletionPrompt, Prompt

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from aigc_evals.completion_fns.endpoint import Settings

_DEFAULT_BASE = "https://api.openai.com/v1"
_BASE_VARIABLES = ("OPENAI_BASE_URL", "OPENAI_API_BASE", "OPENAI_API_BASE_URL")


def endpoint_is_configured(arguments: Mapping[str, Any]) -> bool:
    """Whether arguments or environment say where models are or with which key they are asked."""
    if any(arguments.get(name) for name in ("api_base", "base_url", "api_key")):
        return True
    return any(os.environ.get(name) for name in (*_BASE_VARIABLES, "OPENAI_API_KEY"))


def gateway_is_configured() -> bool:
    """Whether the environment names an endpoint that is not OpenAI's own."""
    bases = [os.environ.get(name, "").strip().rstrip("/") for name in _BASE_VARIABLES]
    return next(filter(None, bases), _DEFAULT_BASE) != _DEFAULT_BASE


class OpenAIBaseCompletionResult(CompletionResult):
    """A reply of the endpoint. ``data`` is its JSON, ``raw_data`` the same as an object of the ``openai`` package."""

    first_token_seconds: float | None = None
    """From sending the request to the first word of a streamed answer."""

    def __init__(self, data: dict[str, Any], prompt: Any, adjusted: dict[str, Any] | None = None) -> None:
        self.data = data
        self.prompt = prompt
        self.adjusted = adjusted
        choices = data.get("choices")
        if not isinstance(choices, list) or not all(self._is_choice(choice) for choice in choices):
            raise EndpointError(f"the reply has no choices: {str(data)[:300]}", kind="bad_reply", retryable=True)
        self.choices: list[dict[str, Any]] = choices
        first = choices[0] if choices else {}
        usage = data.get("usage")
        self.model: str | None = data.get("model")
        self.usage: dict[str, Any] | None = usage if isinstance(usage, dict) else None
        self.finish_reason: str | None = first.get("finish_reason")
        self.system_fingerprint: str | None = data.get("system_fingerprint")

    @property
    def raw_data(self) -> Any:
        raise NotImplementedError

    def _is_choice(self, choice: Any) -> bool:
        return isinstance(choice, dict)


class OpenAIChatCompletionResult(OpenAIBaseCompletionResult):
    def __init__(self, data: dict[str, Any], prompt: Any, adjusted: dict[str, Any] | None = None) -> None:
        super().__init__(data, prompt, adjusted)
        message = (self.choices[0].get("message") or {}) if self.choices else {}
        self.refusal: str | None = message.get("refusal")
        self.reasoning: str | None = message.get("reasoning_content") or message.get("reasoning")
        self.tool_calls: list[Any] | None = message.get("tool_calls") or None

    def get_completions(self) -> list[str]:
        contents = [(choice.get("message") or {}).get("content") for choice in self.choices]
        return [_text(content) for content in contents if content is not None]

    @property
    def raw_data(self) -> Any:
        from openai.types.chat import ChatCompletion

        return ChatCompletion.construct(**self.data)

    def _is_choice(self, choice: Any) -> bool:
        return isinstance(choice, dict) and isinstance(choice.get("message"), (dict, type(None)))


class OpenAICompletionResult(OpenAIBaseCompletionResult):
    def get_completions(self) -> list[str]:
        return [str(choice["text"]) for choice in self.choices if choice.get("text") is not None]

    @property
    def raw_data(self) -> Any:
        from openai.types import Completion

        return Completion.construct(**self.data)


def _text(content: Any) -> str:
    """Content may come in parts; the text of an answer is theirs together."""
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) if isinstance(part, dict) else str(part) for part in content)
    return str(content)


class _OpenAIFn(EndpointFn):
    """A model of OpenAI or of anyone who speaks as OpenAI does.

    ``api_base`` (or ``base_url``) and ``api_key`` default to ``OPENAI_BASE_URL`` (``OPENAI_API_BASE``) and
    ``OPENAI_API_KEY``; a local endpoint needs no key. ``headers`` are sent with each request; the other arguments are
    those of ``EndpointFn``.
    """

    def __init__(
        self,
        model: str | None = None,
        api_base: str | None = None,
        api_key: str | None = None,
        *args: Any,
        base_url: str | None = None,
        headers: Mapping[str, Any] | None = None,
        **settings: Unpack[Settings],
    ) -> None:
        configured = next((os.environ[name] for name in _BASE_VARIABLES if os.environ.get(name)), _DEFAULT_BASE)
        base, login = without_login(str(api_base or base_url or configured).strip().rstrip("/"))
        # A key that was read from a file often ends in a line end, which no header can carry.
        self.api_key = str(api_key or os.environ.get("OPENAI_API_KEY") or "").strip() or None
        sent, secrets = authorized(headers, self.api_key, login)
        organization = os.environ.get("OPENAI_ORG_ID")
        if organization:
            sent.setdefault("OpenAI-Organization", organization)
            secrets = (*secrets, organization)
        super().__init__(model, Address(base, base + self._path, sent, secrets), *args, **settings)

    def preflight(self) -> None:
        """UsageError for what can be told without asking: an unknown host, a key missing where one is sure to be needed."""
        if not self.api_key and self.api_base == _DEFAULT_BASE:
            raise UsageError("there is no API key", key="OPENAI_API_KEY", hint="Set it, or OPENAI_BASE_URL.")
        super().preflight()


class ChatKind:
    """Asks a chat model. A text prompt is sent as one system message."""

    model: str | None
    _path = "/chat/completions"

    def _request(self, prompt: Any) -> tuple[Any, dict[str, Any]]:
        messages = (prompt if isinstance(prompt, Prompt) else ChatCompletionPrompt(prompt)).to_formatted_prompt()
        return messages, {"model": self.model, "messages": messages}

    def _result(self, data: dict[str, Any], prompt: Any) -> OpenAIChatCompletionResult:
        return OpenAIChatCompletionResult(data, prompt)


class TextKind:
    """Asks a text completion model. A chat prompt is rendered as text."""

    model: str | None
    _path = "/completions"

    def _request(self, prompt: Any) -> tuple[Any, dict[str, Any]]:
        text = (prompt if isinstance(prompt, Prompt) else CompletionPrompt(prompt)).to_formatted_prompt()
        return text, {"model": self.model, "prompt": text}

    def _result(self, data: dict[str, Any], prompt: Any) -> OpenAICompletionResult:
        return OpenAICompletionResult(data, prompt)


class OpenAIChatCompletionFn(ChatKind, _OpenAIFn):
    """A chat model. A text prompt is sent as one system message."""


class OpenAICompletionFn(TextKind, _OpenAIFn):
    """A text completion model. A chat prompt is rendered as text."""


class OpenAIEmbeddings(_OpenAIFn):
    """An embedding model, called with a list of texts; its result has one vector for each as ``vectors``.

    It is a completion function so that its calls are limited, timed, repeated and counted as all others are.
    """

    _path = "/embeddings"
    records_sampling = True
    """No answer is recorded: there is none."""

    def _request(self, prompt: Any) -> tuple[Any, dict[str, Any]]:
        return prompt, {"model": self.model, "input": list(prompt)}

    def _result(self, data: dict[str, Any], prompt: Any) -> EmbeddingsResult:
        return EmbeddingsResult(data, len(prompt))


class EmbeddingsResult(CompletionResult):
    """The vectors of ``count`` texts in their order, as the endpoint gave them; EndpointError where they are not there."""

    def __init__(self, data: dict[str, Any], count: int) -> None:
        usage = data.get("usage")
        self.model: str | None = data.get("model")
        self.usage: dict[str, Any] | None = usage if isinstance(usage, dict) else None
        rows = data.get("data")
        try:
            found = {int(row.get("index", place)): row["embedding"] for place, row in enumerate(rows or ())}
            self.vectors: list[list[float]] = [[float(value) for value in found[index]] for index in range(count)]
        except (KeyError, TypeError, ValueError, AttributeError):
            raise EndpointError(
                f"the reply has no embedding for each text: {str(data)[:300]}", kind="bad_reply", retryable=True
            ) from None

    def get_completions(self) -> list[str]:
        return []
