"""Models behind OpenAI-compatible endpoints: chat and text completion."""

from __future__ import annotations

import os
import re
from base64 import b64encode
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from aigc_evals.api import CompletionResult
from aigc_evals.errors import EndpointError, UsageError
from aigc_evals.fastjson import encode
from aigc_evals.prompt.base import ChatCompletionPrompt, CompletionPrompt, Prompt
from aigc_evals.sampling import Sampler
from aigc_evals.scope import current_scope
from aigc_evals.transport import JsonClient

if TYPE_CHECKING:
    from aigc_evals.registry import Registry

_DEFAULT_BASE = "https://api.openai.com/v1"
_BASE_VARIABLES = ("OPENAI_BASE_URL", "OPENAI_API_BASE", "OPENAI_API_BASE_URL")
_RENAMED = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
_NEEDED = ("model", "messages", "prompt")
_UNSUPPORTED = re.compile(
    r"unsupported|not support|unrecognized|unknown|unexpected|not permitted|extra inputs|not allowed|deprecated",
    re.IGNORECASE,
)


def endpoint_is_configured(arguments: Mapping[str, Any]) -> bool:
    """Whether arguments or environment say where models are or with which key they are asked."""
    if any(arguments.get(name) for name in ("api_base", "base_url", "api_key")):
        return True
    return any(os.environ.get(name) for name in (*_BASE_VARIABLES, "OPENAI_API_KEY"))


class OpenAIBaseCompletionResult(CompletionResult):
    """A reply of the endpoint. ``data`` is its JSON, ``raw_data`` the same as an object of the ``openai`` package."""

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


def _without_login(url: str) -> tuple[str, tuple[str, ...]]:
    """An address without user and password, and these: the password as it stands, decoded, and all as Basic wants it."""
    scheme, separator, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    login, at, host = authority.rpartition("@")
    if not at:
        return url, ()
    user, _, password = login.partition(":")
    basic = b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode("ascii")
    return f"{scheme}{separator}{host}{slash}{path}", (password, unquote(password), basic)


def _mapping(key: str, value: Any) -> Mapping[Any, Any]:
    if not isinstance(value or {}, Mapping):
        raise UsageError(f"expected a mapping, got {type(value).__name__}", key=key)
    return value or {}


def _positive(key: str, value: Any) -> Any:
    if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1e9):
        raise UsageError(f"expected a number above 0, got {value!r}", key=key)
    return value


class _OpenAIFn:
    """What both kinds share: where and as whom, what to send, and learning from a 400 which parameters are not taken.

    ``api_base`` (or ``base_url``) and ``api_key`` default to ``OPENAI_BASE_URL`` (``OPENAI_API_BASE``) and
    ``OPENAI_API_KEY``; a local endpoint needs no key. ``extra_options`` are merged into each request, ``headers`` are
    sent with it, ``verify`` is False or a CA file for endpoints with certificates of their own.
    """

    _path: str

    def __init__(
        self,
        model: str | None = None,
        api_base: str | None = None,
        api_key: str | None = None,
        n_ctx: int | None = None,
        extra_options: dict[str, Any] | None = None,
        *,
        base_url: str | None = None,
        headers: dict[str, str] | None = None,
        verify: bool | str = True,
        timeout: float | None = None,
        max_concurrency: int | None = None,
        registry: Registry | None = None,
    ) -> None:
        configured = next((os.environ[name] for name in _BASE_VARIABLES if os.environ.get(name)), _DEFAULT_BASE)
        self.model = model
        self.api_base, login = _without_login(str(api_base or base_url or configured).strip().rstrip("/"))
        # A key that was read from a file often ends in a line end, which no header can carry.
        self.api_key = str(api_key or os.environ.get("OPENAI_API_KEY") or "").strip() or None
        self.n_ctx = n_ctx
        self.extra_options = dict(_mapping("extra_options", extra_options))
        self.timeout = _positive("timeout", timeout)
        self.max_concurrency = _positive("max_concurrency", max_concurrency)
        self.endpoint = self.api_base
        sent = {str(name): str(value) for name, value in _mapping("headers", headers).items()}
        self.secrets = tuple(filter(None, (self.api_key, *login, *sent.values())))
        """What must never be shown."""
        if not any(name.lower() == "authorization" for name in sent):
            if login:
                sent["Authorization"] = f"Basic {login[-1]}"
            elif self.api_key:
                sent["Authorization"] = f"Bearer {self.api_key}"
        if os.environ.get("OPENAI_ORG_ID"):
            sent.setdefault("OpenAI-Organization", os.environ["OPENAI_ORG_ID"])
        self._client = JsonClient(self.api_base + self._path, sent, verify=verify)
        self._adjusted: dict[str, str | None] = {}

    def preflight(self) -> None:
        """UsageError for what can be told without asking: an unknown host, a key missing where one is sure to be needed."""
        if not self.api_key and self.api_base == _DEFAULT_BASE:
            raise UsageError("there is no API key", key="OPENAI_API_KEY", hint="Set it, or OPENAI_BASE_URL.")
        self._client.preflight()

    async def aclose(self) -> None:
        await self._client.aclose()

    def __call__(self, prompt: Any, **kwargs: Any) -> CompletionResult:
        """Ask from plain code, outside a run."""
        return Sampler().wrap(self)(prompt=prompt, **kwargs)

    async def acall(self, prompt: Any, **kwargs: Any) -> CompletionResult:
        formatted, body = self._request(prompt)
        body.update(kwargs)
        body.update(self.extra_options)
        for known in self._adjusted:
            self._adjust(body, known)
        corrected: set[str] = set()
        while True:
            try:
                data = await self._client.post(encode(body))
            except EndpointError as error:
                name = self._unsupported(error, body, corrected)
                if name is None:
                    raise
                corrected.add(name)
                # Another call may have learned it while this one was on its way.
                if name not in self._adjusted:
                    self._learn(name, error, corrected)
                self._adjust(body, name)
                scope = current_scope()
                if scope is not None:
                    scope.count("requests")
                    scope.count("retries")
                continue
            if not isinstance(data, dict):
                raise EndpointError(f"the reply is not an object: {str(data)[:300]}", kind="bad_reply", retryable=True)
            return self._result(data, formatted)

    def _request(self, prompt: Any) -> tuple[Any, dict[str, Any]]:
        raise NotImplementedError

    def _result(self, data: dict[str, Any], prompt: Any) -> CompletionResult:
        raise NotImplementedError

    # -- parameters an endpoint does not take -------------------------------------------------------------------

    def _unsupported(self, error: EndpointError, body: Mapping[str, Any], corrected: Collection[str]) -> str | None:
        """The parameter of ``body`` that a 400 says is not supported, unless this call has corrected it once already."""
        if error.status not in (400, 422):
            return None
        text = str(error)
        named = error.code in ("unsupported_parameter", "unsupported_value", "unknown_parameter")
        if not named and not _UNSUPPORTED.search(text):
            return None
        candidates = [name for name in body if name not in _NEEDED and name not in corrected]
        if error.param in candidates:
            return error.param
        return next((name for name in candidates if re.search(rf"\b{re.escape(name)}\b", text)), None)

    def _learn(self, name: str, error: EndpointError, corrected: Collection[str]) -> None:
        other = _RENAMED.get(name)
        known = other is not None and other in str(error) and other not in corrected and other not in self._adjusted
        self._adjusted[name] = other if known else None
        scope = current_scope()
        if scope is not None:
            note = {"endpoint": self.api_base, "model": self.model, "parameter": name, "sent_as": self._adjusted[name]}
            scope.recorder.record_extra({"adjusted_request": note, "because": str(error)}, sample_id=scope.sample_id)

    def _adjust(self, body: dict[str, Any], name: str) -> None:
        if name in body:
            value = body.pop(name)
            other = self._adjusted[name]
            if other is not None:
                body.setdefault(other, value)

    @property
    def adjusted(self) -> dict[str, str | None]:
        """Parameters that the endpoint did not take -> the name they are now sent under (None: not at all)."""
        return dict(self._adjusted)


class OpenAIChatCompletionFn(_OpenAIFn):
    """A chat model. A text prompt is sent as one system message."""

    _path = "/chat/completions"

    def _request(self, prompt: Any) -> tuple[Any, dict[str, Any]]:
        messages = (prompt if isinstance(prompt, Prompt) else ChatCompletionPrompt(prompt)).to_formatted_prompt()
        return messages, {"model": self.model, "messages": messages}

    def _result(self, data: dict[str, Any], prompt: Any) -> CompletionResult:
        return OpenAIChatCompletionResult(data, prompt)


class OpenAICompletionFn(_OpenAIFn):
    """A text completion model. A chat prompt is rendered as text."""

    _path = "/completions"

    def _request(self, prompt: Any) -> tuple[Any, dict[str, Any]]:
        text = (prompt if isinstance(prompt, Prompt) else CompletionPrompt(prompt)).to_formatted_prompt()
        return text, {"model": self.model, "prompt": text}

    def _result(self, data: dict[str, Any], prompt: Any) -> CompletionResult:
        return OpenAICompletionResult(data, prompt)
