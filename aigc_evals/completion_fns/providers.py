"""Models of providers that speak as OpenAI does, each with the variables it is known by: entries ``<provider>/*``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from aigc_evals.completion_fns.endpoint import Address, EndpointFn
from aigc_evals.completion_fns.login import authorized, without_login
from aigc_evals.completion_fns.openai import ChatKind, TextKind, gateway_is_configured
from aigc_evals.errors import UsageError

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from aigc_evals.completion_fns.endpoint import Settings

_ANY_ADDRESS = ("", "0.0.0.0", "::")


def full_address(given: str, default: str, key: str = "base_url") -> str:
    """``given`` with what it lacks taken from ``default``: scheme and port together, and the path.

    ``127.0.0.1``, ``gpu-1:8000``, ``https://host`` and ``https://host/v1`` are all addresses. The address that a server
    listens at for any caller (0.0.0.0) is this machine's to a client.
    """
    other = urlsplit(default)
    bare = "://" not in given
    try:
        parts = urlsplit(f"{other.scheme}://{given}" if bare else given)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise UsageError(f"{without_login(given)[0]!r} is no address", key=key) from None
    host = "127.0.0.1" if host in _ANY_ADDRESS else host
    port = other.port if bare and port is None else port
    login = parts.netloc.rpartition("@")[0]
    place = (f"{login}@" if login else "") + (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
    path = parts.path.rstrip("/") or other.path.rstrip("/")
    return f"{parts.scheme}://{place}{path}"


def _variable(names: str | list[str] | None) -> tuple[str | None, str | None]:
    """The first of these variables that is set, and its value; else the first name, and None."""
    listed = [names] if isinstance(names, str) else list(names or ())
    for name in listed:
        # A key that was read from a file often ends in a line end.
        value = os.environ.get(name, "").strip()
        if value:
            return name, value
    return (listed[0] if listed else None), None


class _ProviderFn(EndpointFn):
    """A model of a provider. ``base_url`` is its usual address.

    ``base_url_env`` and ``api_key_env`` are the variables that say another address, and the key (a name, or names of
    which the first that is set counts); ``needs_key`` says that nothing can be asked without one. ``api_base`` and
    ``api_key`` go before all of these. OpenAI's own variables are never looked at.
    """

    def __init__(
        self,
        model: str | None = None,
        api_base: str | None = None,
        api_key: str | None = None,
        *args: Any,
        base_url: str | None = None,
        base_url_env: str | list[str] | None = None,
        api_key_env: str | list[str] | None = None,
        needs_key: bool = False,
        headers: Mapping[str, Any] | None = None,
        **settings: Unpack[Settings],
    ) -> None:
        if not model:
            raise UsageError("it must be said which model is asked", key="model", hint="As in: ollama/qwen2.5:7b")
        setting, address = _variable(base_url_env)
        given = str(api_base or address or base_url or "").strip()
        if not given:
            raise UsageError("it must be said where the models are", key=setting or "base_url")
        key = "api_base" if api_base else setting or "base_url"
        base, login = without_login(full_address(given, str(base_url or given), key))
        variable, value = _variable(api_key_env)
        self.api_key = str(api_key or value or "").strip() or None
        if needs_key and not self.api_key and not login:
            raise UsageError("there is no API key", key=variable or "api_key", hint=f"Set {variable or 'api_key'}.")
        sent, secrets = authorized(headers, self.api_key, login)
        where = Address(base, base + self._path, sent, secrets, setting or "base_url")
        super().__init__(model, where, *args, **settings)

    @classmethod
    def is_meant(cls, arguments: Mapping[str, Any]) -> bool:
        """Whether a name means the provider: not where only another endpoint than OpenAI's is configured, which may have
        models of such names.
        """
        own = (arguments.get("base_url_env"), arguments.get("api_key_env"))
        if arguments.get("api_base") or arguments.get("api_key") or any(_variable(names)[1] for names in own):
            return True
        return not gateway_is_configured()


class ProviderChatCompletionFn(ChatKind, _ProviderFn):
    """A provider's chat model. A text prompt is sent as one system message."""


class ProviderCompletionFn(TextKind, _ProviderFn):
    """A provider's text completion model. A chat prompt is rendered as text."""
