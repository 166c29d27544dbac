"""Models deployed at Azure OpenAI: the same requests under Azure's addresses and with its ways to say who asks."""

from __future__ import annotations

import asyncio
import inspect
import os
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from aigc_evals.completion_fns.endpoint import Address, EndpointFn
from aigc_evals.completion_fns.login import secrets_in, texts
from aigc_evals.completion_fns.openai import ChatKind, TextKind, endpoint_is_configured
from aigc_evals.errors import AigcEvalsError, EndpointError, UsageError

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from aigc_evals.api import CompletionResult
    from aigc_evals.completion_fns.endpoint import Settings

SCOPE = "https://cognitiveservices.azure.com/.default"
"""What an Entra token is asked for."""

DEFAULT_API_VERSION = "2024-10-21"
_REFRESH_SECONDS = 300.0
_ENDPOINT, _KEY, _DEPLOYMENT = "AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_API_KEY", "AZURE_OPENAI_DEPLOYMENT"
_VERSIONS = ("AZURE_OPENAI_API_VERSION", "OPENAI_API_VERSION")


def azure_is_configured(arguments: Mapping[str, Any]) -> bool:
    """Whether arguments or environment say where the Azure resource is."""
    return bool(arguments.get("azure_endpoint") or os.environ.get(_ENDPOINT))


class EntraTokens:
    """Tokens of Microsoft Entra, each used until five minutes before it expires.

    ``provider`` gives a token (a text, which is then asked for anew each time), or a token with the time it expires
    (``token`` and ``expires_on`` in seconds since 1970, or a pair of these); plain or async. Without one it is
    azure-identity's ``DefaultAzureCredential``. ``clock`` gives the seconds since 1970.
    """

    __slots__ = ("_asking", "_clock", "_expires", "_loop", "_provider", "_token")

    def __init__(self, provider: Callable[[], Any] | None = None, clock: Callable[[], float] = time.time) -> None:
        self._provider = provider
        self._clock = clock
        self._token: str | None = None
        self._expires = 0.0
        self._asking: asyncio.Lock | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def last(self) -> str | None:
        """The token in use."""
        return self._token

    def prepare(self) -> None:
        """UsageError where azure-identity is needed and not installed."""
        if self._provider is not None:
            return
        try:
            from azure.identity import DefaultAzureCredential
        except ImportError:
            raise UsageError(
                "there is no API key, and without one Azure needs the package azure-identity",
                key=_KEY,
                hint='Set it, or: pip install "aigc_evals[azure]"',
            ) from None
        credential = DefaultAzureCredential()
        self._provider = lambda: credential.get_token(SCOPE)

    async def token(self) -> str:
        """A token that is still good for a while; EndpointError (``auth``) where none is to be had."""
        if self._token is not None and self._clock() < self._expires - _REFRESH_SECONDS:
            return self._token
        loop = asyncio.get_running_loop()
        if self._asking is None or self._loop is not loop:
            self._asking, self._loop = asyncio.Lock(), loop
        async with self._asking:
            # Another call may have brought one while this one waited.
            if self._token is None or self._clock() >= self._expires - _REFRESH_SECONDS:
                self._token, self._expires = await self._fresh()
            return self._token

    async def _fresh(self) -> tuple[str, float]:
        self.prepare()
        assert self._provider is not None
        try:
            given = await asyncio.to_thread(self._provider)
            if inspect.isawaitable(given):
                given = await given
        except AigcEvalsError:
            raise
        except Exception as error:
            raise EndpointError(f"no Entra token: {type(error).__name__}: {error}", kind="auth") from error
        if isinstance(given, str):
            return given, 0.0
        token, expires = given if isinstance(given, tuple) and len(given) == 2 else (given.token, given.expires_on)
        return str(token), float(expires)


class _AzureFn(EndpointFn):
    """A deployment at Azure OpenAI.

    ``deployment`` (or ``model``), ``azure_endpoint`` (or ``api_base``), ``api_version`` and ``api_key`` default to
    ``AZURE_OPENAI_DEPLOYMENT``, ``_ENDPOINT``, ``_API_VERSION`` (or ``OPENAI_API_VERSION``) and ``_API_KEY``. Without a
    key, tokens of Microsoft Entra are used: ``token_provider`` is a callable or names one ("module:attr"), as
    ``EntraTokens`` says.
    """

    def __init__(
        self,
        model: str | None = None,
        azure_endpoint: str | None = None,
        api_key: str | None = None,
        *args: Any,
        deployment: str | None = None,
        api_base: str | None = None,
        api_version: str | None = None,
        token_provider: Callable[[], Any] | str | None = None,
        headers: Mapping[str, Any] | None = None,
        **settings: Unpack[Settings],
    ) -> None:
        name = str(deployment or model or os.environ.get(_DEPLOYMENT) or "").strip()
        base = str(azure_endpoint or api_base or os.environ.get(_ENDPOINT) or "").strip().rstrip("/")
        base = base.removesuffix("/openai")
        if not base:
            raise UsageError("it must be said where the Azure resource is", key=_ENDPOINT, hint=f"Set {_ENDPOINT}.")
        if not name:
            raise UsageError("it must be said which deployment is asked", key=_DEPLOYMENT, hint=f"Set {_DEPLOYMENT}.")
        version = api_version or next((os.environ[key] for key in _VERSIONS if os.environ.get(key)), None)
        self.api_version = str(version or DEFAULT_API_VERSION)
        # An explicit provider says more than a key that happens to be in the environment.
        key = api_key or (None if token_provider else os.environ.get(_KEY))
        self.api_key = str(key or "").strip() or None
        sent = texts(headers)
        self._secrets = (*filter(None, [self.api_key]), *secrets_in(sent))
        if self.api_key:
            sent["api-key"] = self.api_key
        self.tokens = None if self.api_key else EntraTokens(_provider(token_provider))
        # Azure counts the calls to each deployment on their own.
        own = f"{base}/openai/deployments/{name}"
        url = f"{base}/openai/deployments/{quote(name, safe='')}{self._path}?api-version={quote(self.api_version)}"
        super().__init__(name, Address(own, url, sent, self._secrets, _ENDPOINT), *args, **settings)

    @classmethod
    def is_meant(cls, arguments: Mapping[str, Any]) -> bool:
        """Whether ``azure/<name>`` means a deployment: not where only an endpoint of another kind is configured."""
        return azure_is_configured(arguments) or not endpoint_is_configured(arguments)

    def preflight(self) -> None:
        """UsageError for an unknown host, and where there is neither a key nor a way to a token."""
        if self.tokens is not None:
            self.tokens.prepare()
        super().preflight()

    async def _headers(self) -> Mapping[str, str] | None:
        if self.tokens is None:
            return None
        token = await self.tokens.token()
        self.secrets = (*self._secrets, token)
        return {"Authorization": f"Bearer {token}"}

    async def acall(self, prompt: Any, **kwargs: Any) -> CompletionResult:
        try:
            return await super().acall(prompt, **kwargs)
        except EndpointError as error:
            if self.tokens is not None and self.tokens.last:
                # A server may repeat the token in its refusal.
                error.args = (str(error).replace(self.tokens.last, "***"),)
            raise


def _provider(given: Callable[[], Any] | str | None) -> Callable[[], Any] | None:
    if not isinstance(given, str):
        return given
    from aigc_evals.objects import python_object

    found = python_object(given)
    if not callable(found):
        raise UsageError(f"expected module:function, got {given!r}", key="token_provider")
    return found  # type: ignore[no-any-return]


class AzureOpenAIChatCompletionFn(ChatKind, _AzureFn):
    """A chat model deployed at Azure. A text prompt is sent as one system message."""


class AzureOpenAICompletionFn(TextKind, _AzureFn):
    """A text completion model deployed at Azure. A chat prompt is rendered as text."""
