"""Who asks: the login of an address, the key, the headers; and what of all that must never be shown.

A header may be a key, and it may say what was measured, as ``X-Route: canary`` does. So of the headers only what is secret
by its name or looks like a key is masked; where that is in doubt, it is.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from aigc_evals.completion_fns.arguments import mapping
from aigc_evals.redact import names_a_secret

_PIECE = re.compile(r"[A-Za-z0-9]+")
_WORD = r"(?:[a-z]+|[A-Z]+|[A-Z][a-z]+)"
_PLAIN = re.compile(
    rf"""(?=.{{1,15}}\Z) (?: {_WORD} | [A-Z]?[a-z]{{2,}} (?:[A-Z][a-z]{{2,}})* [A-Z]{{0,4}} )  # canary  OpenAI
    | [0-9]{{1,8}}                                                                    # 20241122
    | (?=.{{1,10}}\Z) (?: {_WORD}[0-9]+ | {_WORD}?[0-9]{{1,4}}{_WORD} )                  # v2  a100  72b  gpt4o""",
    re.VERBOSE,
)
"""What letters and digits may be: a word, a number, or a word with a number."""

_TELLING = re.compile(r"(?i)hmac|ticket|licen[cs]e|nonce|access|\bpin\b")
"""Headers that are secret by what HTTP APIs put in them, besides the names that are secret anywhere."""

_MIXED = re.compile(r"[A-Za-z][0-9]|[0-9][A-Za-z]")
_MOST_MIXED = 2
"""How many pieces of letters and digits a name has (``qwen2.5-72b-instruct``); ``ab12-cd34-ef56`` has more."""

_PADDED = re.compile(r"[A-Za-z0-9+/_-]{8,}={1,2}")
_ADDRESS = re.compile(r"https?://[^@?]+")
_LONGEST = 20
"""A longer text without white space may be a key made of words."""


def texts(headers: Mapping[str, Any] | None) -> dict[str, str]:
    """Headers as they are sent; UsageError for what is no mapping."""
    return {str(name): str(value) for name, value in mapping("headers", headers).items()}


def without_login(url: str) -> tuple[str, tuple[str, ...]]:
    """An address without user and password, and these: the password as it stands, decoded, and all as Basic wants it."""
    scheme, separator, rest = url.partition("://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    login, at, host = authority.rpartition("@")
    if not at:
        return url, ()
    user, _, password = login.partition(":")
    basic = b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode("ascii")
    return f"{scheme}{separator}{host}{rest[len(authority) :]}", (password, unquote(password), basic)


def authorized(
    headers: Mapping[str, Any] | None, api_key: str | None, login: tuple[str, ...]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """The headers that are sent, with the login of the address or else the key, unless they say who asks themselves; and
    what of it all must never be shown.
    """
    sent = texts(headers)
    secrets = (*filter(None, (api_key, *login)), *secrets_in(sent))
    if not any(name.lower() == "authorization" for name in sent):
        if login:
            sent["Authorization"] = f"Basic {login[-1]}"
        elif api_key:
            sent["Authorization"] = f"Bearer {api_key}"
    return sent, secrets


def secrets_in(headers: Mapping[str, str]) -> Iterator[str]:
    """What of headers must never be shown: the values of those that are secret by their names, as a whole and word by word
    (a server may repeat the one without ``Bearer``), and of others the words that look like keys.
    """
    for name, value in headers.items():
        secret = names_a_secret(name, anywhere=True) or _TELLING.search(name) is not None
        if secret:
            yield value
        for word in re.split(r"[\s;,]+", value):
            if word and (secret or looks_like_a_key(word)):
                yield word


def looks_like_a_key(word: str) -> bool:
    """Whether a text without white space may be a key: not if it is short, and all of it words, numbers, and names such as
    ``v2`` or ``a100``, as in ``canary-v2``, ``2024-11-22``, ``application/json``.
    """
    if _PADDED.fullmatch(word) or (len(word) > _LONGEST and not _ADDRESS.fullmatch(word)):
        return True
    pieces = _PIECE.findall(word)
    mixed = sum(_MIXED.search(piece) is not None for piece in pieces)
    return mixed > _MOST_MIXED or not all(map(_PLAIN.fullmatch, pieces))
