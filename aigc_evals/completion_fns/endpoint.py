"""What all functions of OpenAI-compatible endpoints share, whoever hosts them: sending, streaming, and learning from a
400 which parameters are not taken.

Where requests go and as whom is said by ``openai`` and ``azure``, what is asked by the kinds in ``openai``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, TypedDict

from aigc_evals.api import CompletionResult
from aigc_evals.completion_fns.arguments import mapping, positive
from aigc_evals.completion_fns.transport import JsonClient
from aigc_evals.errors import EndpointError, UsageError
from aigc_evals.fastjson import encode
from aigc_evals.record.scope import current_scope
from aigc_evals.sampling import Sampler

_RENAMED = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
_NEEDED = ("model", "messages", "prompt", "input")
_UNSUPPORTED = re.compile(
    r"unsupported|not support|unrecognized|unknown|unexpected|not permitted|extra inputs|not allowed|deprecated",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Address:
    """Where requests go, and as whom.

    ``base`` names the endpoint (calls to one base share a limit), ``url`` is where requests are sent with ``headers``.
    ``secrets`` must never be shown. ``setting`` is the environment variable that says where the endpoint is.
    """

    base: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    setting: str = "OPENAI_BASE_URL"


class Settings(TypedDict, total=False):
    """What the constructors here hand on to ``EndpointFn``, which says what it means."""

    n_ctx: int | None
    extra_options: Mapping[str, Any] | None
    verify: bool | str
    timeout: float | None
    max_concurrency: int | None
    stream: bool
    registry: object


class ClientFn:
    """What asks by a ``JsonClient``: a run awaits ``acall``, plain code calls the function itself."""

    _client: JsonClient

    def preflight(self) -> None:
        """UsageError for what can be told without asking, as that there is no such host."""
        self._client.preflight()

    async def aclose(self) -> None:
        await self._client.aclose()

    def __call__(self, prompt: Any, **kwargs: Any) -> CompletionResult:
        """Ask from plain code, outside a run."""
        return Sampler().wrap(self)(prompt=prompt, **kwargs)


class EndpointFn(ClientFn):
    """A model behind an address. ``extra_options`` are merged into each request, ``verify`` is False or a CA file.

    ``timeout`` is in seconds, ``max_concurrency`` the most calls at once. With ``stream`` the answer is asked for as a
    stream and put together again: the time to its first word is recorded, and connections that are cut when they are
    silent for long stay open. ``n_ctx`` and ``registry`` are taken because openai/evals gives them; nothing depends on them.
    """

    _path: str

    def __init__(
        self,
        model: str | None,
        address: Address,
        /,
        n_ctx: int | None = None,
        extra_options: Mapping[str, Any] | None = None,
        *,
        verify: bool | str = True,
        timeout: float | None = None,
        max_concurrency: int | None = None,
        stream: bool = False,
        registry: object = None,
    ) -> None:
        if not isinstance(stream, bool):
            raise UsageError(f"expected true or false, got {stream!r}", key="stream")
        self.model = model
        self.api_base = self.endpoint = address.base
        self.n_ctx = n_ctx
        self.extra_options = dict(mapping("extra_options", extra_options))
        self.timeout = positive("timeout", timeout)
        self.max_concurrency = positive("max_concurrency", max_concurrency)
        self.stream = stream
        self.secrets = address.secrets
        """What must never be shown."""
        self._client = JsonClient(
            address.url, address.headers, verify=verify, setting=address.setting, secrets=address.secrets
        )
        self._adjusted: dict[str, str | None] = {}

    async def acall(self, prompt: Any, **kwargs: Any) -> CompletionResult:
        formatted, body = self._request(prompt)
        body.update(kwargs)
        if self.stream:
            body["stream"] = True
        body.update(self.extra_options)
        if body.get("stream"):
            body.setdefault("stream_options", {"include_usage": True})
        for known in self._adjusted:
            self._adjust(body, known)
        corrected: set[str] = set()
        while True:
            try:
                data, first = await self._exchange(body)
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
            result = self._result(data, formatted)
            if first is not None:
                result.first_token_seconds = round(first, 6)  # type: ignore[attr-defined]
            return result

    async def _exchange(self, body: dict[str, Any]) -> tuple[Any, float | None]:
        """The reply to ``body``, and the seconds to its first word where it was streamed."""
        headers = await self._headers()
        if not body.get("stream"):
            return await self._client.post(encode(body), headers), None
        from aigc_evals.completion_fns.streaming import join

        async with aclosing(self._client.post_stream(encode(body), headers)) as events:  # type: ignore[type-var]
            return await join(events)

    async def _headers(self) -> Mapping[str, str] | None:
        """Headers that may change from request to request."""
        return None

    def _request(self, prompt: Any) -> tuple[Any, dict[str, Any]]:
        """The prompt as it is recorded, and the body of the request."""
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
