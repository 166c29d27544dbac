"""A model behind any HTTP API, told in YAML: what is sent as a template, where the answer is as a JSON path."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import replace
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import uuid4

from aigc_evals.api import CompletionResult, TextResult
from aigc_evals.completion_fns.arguments import count, one_of, positive
from aigc_evals.completion_fns.endpoint import ClientFn
from aigc_evals.completion_fns.http_template import (
    EVERYTHING,
    PROMPT,
    Environment,
    Fields,
    Json,
    Text,
    literal_secrets,
    rendered,
)
from aigc_evals.completion_fns.json_path import Condition, JsonPath, Nowhere, kind_of
from aigc_evals.completion_fns.login import secrets_in, without_login
from aigc_evals.completion_fns.transport import Framing, JsonClient
from aigc_evals.errors import EndpointError, UsageError, nearest
from aigc_evals.fastjson import encode
from aigc_evals.prompt.base import ChatCompletionPrompt, Prompt, chat_prompt_to_text_prompt, is_chat_prompt
from aigc_evals.redact import Redactor, names_a_secret, redact_error

_METHODS = ("POST", "GET", "PUT", "PATCH")
_STREAMS = ("none", "sse", "json-lines")
_PIECES = ("delta", "whole")
_IN_HEADERS = tuple(name for name in EVERYTHING if name not in PROMPT)
_USAGE = ("prompt_tokens", "completion_tokens", "total_tokens")
_EXCERPT = 300
_END = object()


class HttpResult(TextResult):
    """The answer that a reply holds; none where the API gave null."""

    first_token_seconds: float | None = None
    answered = True

    def get_completions(self) -> list[str]:
        return [self.text] if self.answered else []


class HttpCompletionFn(ClientFn):
    """Asks an HTTP API. ``url``, ``headers``, ``body``, ``form``, ``params`` may have placeholders (``http_template``).

    ``body`` is JSON, as YAML or as text; ``form`` (fields of a form) takes its place, ``params`` are added to the URL.
    ``answer`` is the JSON path of the answer in the reply; ``finish_reason``, ``reply_model`` and ``usage`` (a path, or
    a path for each of prompt_tokens, completion_tokens, total_tokens) are paths too.

    ``stream`` is none, sse or json-lines; then the paths hold for each event, ``pieces`` says whether an event brings a
    piece (delta) or all there is so far (whole), and ``end`` (the text of the last event, or a condition) what a stream
    must end with to count as complete; ``[DONE]`` always ends one.

    ``success`` is a condition, ``{path: code, equals: 0}`` or ``equals: [0, 200]``, or a list of them that must all hold;
    of the events of a stream, only those that have the path must fulfil it. Where it does not hold, the text at
    ``error`` is told. Where one of ``retry_when`` holds, the failure may pass and the call is repeated. That is looked for in
    every reply, also in one whose status is a refusal that would be final (400); a ``Retry-After`` of it is obeyed.

    ``model`` fills ``{model}``, ``timeout`` is in seconds; ``max_concurrency`` bounds the calls at once, ``retries`` how often
    one is repeated (default: the run's ``max_retries``). Each request, a repeated one too, has a ``{uuid}`` of its own: a
    call that failed half-way must not be continued as a conversation. UsageError for what cannot be meant, and for a
    variable that is not set.
    """

    def __init__(
        self,
        url: str,
        answer: str,
        method: str = "POST",
        headers: Mapping[str, Any] | None = None,
        body: Any = None,
        form: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        *,
        model: str | None = None,
        stream: str | None = "none",
        pieces: str = "delta",
        end: str | Mapping[str, Any] | None = None,
        success: Mapping[str, Any] | list[Any] | None = None,
        error: str | None = None,
        retry_when: Mapping[str, Any] | list[Any] | None = None,
        finish_reason: str | None = None,
        reply_model: str | None = None,
        usage: str | Mapping[str, str] | None = None,
        verify: bool | str = True,
        timeout: float | None = None,
        max_concurrency: int | None = None,
        retries: int | None = None,
    ) -> None:
        self.method = one_of("method", str(method).upper(), _METHODS)
        self.stream = one_of("stream", str(stream or "none").lower().replace("_", "-"), _STREAMS)
        self.pieces = one_of("pieces", pieces, _PIECES)
        self._given_model = None if model is None else str(model)
        self.model = self._given_model or "(unnamed)"
        self.timeout = positive("timeout", timeout)
        self.max_concurrency = positive("max_concurrency", max_concurrency)
        self.retries = count("retries", retries)
        self._answer = JsonPath(answer, "answer")
        self._error = None if error is None else JsonPath(error, "error")
        paths = {"finish_reason": finish_reason, "model": reply_model}
        self._paths = {name: JsonPath(path, name) for name, path in paths.items() if path is not None}
        self._usage = _usage(usage)
        self._success = Condition.of(success, "success")
        self._retry_when = Condition.of(retry_when, "retry_when")
        self._end = end if isinstance(end, str) else None
        self._ends = () if isinstance(end, str) else Condition.of(end, "end")
        if (end is not None or pieces != "delta") and self.stream == "none":
            raise UsageError("this is said of streams only", key="end" if end is not None else "pieces")

        environment = Environment(os.environ)
        self._read_request(environment, url, headers, body, form, params)
        self._redactor = Redactor(self.secrets)
        setting = environment.read[0] if environment.read else "the url"
        self._client = JsonClient(
            self._url.head,
            {},
            verify=verify,
            setting=setting,
            key="url",
            secrets=self.secrets,
            passing=lambda reply: self._passing(reply) is not None,
        )
        told = {
            "request": [self.method, self.endpoint, without_login(self._url.identity)[0], self._identity],
            "reply": [self._answer.text, self.stream, self.pieces, str(end), str(success), self.model],
        }
        # What a header says may decide who answers, so only what has the name or the shape of a secret is left out.
        self.cache_key = sha256(encode(Redactor().value(told))).hexdigest()

    def _read_request(
        self, environment: Environment, url: Any, headers: Any, body: Any, form: Any, params: Any
    ) -> None:
        if not isinstance(url, str) or not url.strip():
            raise UsageError(f"expected an address, got {url!r}", key="url")
        if body is not None and form is not None:
            raise UsageError("a request has either a body or a form", key="form")
        if self.method == "GET" and (body is not None or form is not None):
            raise UsageError("a GET has no body", key="body" if form is None else "form", hint="Use params.")
        self._url = Text(url.strip(), "url", environment, url=True)
        self._url.head, login = without_login(self._url.head)
        parts = urlsplit(self._url.head)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(
                f"expected an http:// or https:// address, got {without_login(self._url.identity)[0]!r}",
                key=environment.read[0] if environment.read else "url",
            )
        # Calls to one address share a limit; what stands in its query may be a key.
        self.endpoint = f"{parts.scheme}://{parts.netloc}{parts.path}"
        self._headers = Fields(headers, "headers", environment, _IN_HEADERS, secret=True)
        self._body = None if body is None else Json(body, "body", environment)
        self._form = None if form is None else Fields(form, "form", environment)
        self._params = Fields(params, "params", environment)
        self._login = f"Basic {login[-1]}" if login else None
        fields = [template.identity for template in (self._body, self._form, self._params) if template is not None]
        literal = [*secrets_in(self._headers.identity), *literal_secrets(fields)]
        literal += literal_secrets(dict(parse_qsl(parts.query)))
        self.secrets = tuple(filter(None, (*environment.secrets, *login, *literal)))
        """What must never be shown."""
        used = [self._url.used, self._headers.used, self._params.used]
        used += [template.used for template in (self._body, self._form) if template is not None]
        self._used: set[str] = set().union(*used)
        if "model" in self._used and self._given_model is None:
            raise UsageError("{model} has no value", key="model", hint="Say model: ... in args.")
        if not self._used & set(PROMPT):
            raise UsageError("the prompt is not sent", key="body", hint="Say where: {prompt} or {messages}.")
        self._identity = {
            "headers": {name: v for name, v in self._headers.identity.items() if not names_a_secret(name)},
            "body": None if self._body is None else self._body.identity,
            "form": None if self._form is None else self._form.identity,
            "params": self._params.identity,
        }

    async def acall(self, prompt: Any, **kwargs: Any) -> CompletionResult:
        body, options = self._request(self._values(prompt, kwargs))
        try:
            if self.stream == "none":
                return self._whole(await self._client.post(body, **options))
            return await self._streamed(body, options)
        except EndpointError as error:
            # A server may repeat in its refusal what it was sent.
            redact_error(error, self._redactor)
            raise

    # -- the request --------------------------------------------------------------------------------------------

    def _values(self, prompt: Any, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        values = {name: value for name, value in kwargs.items() if value is not None}
        raw = prompt.to_formatted_prompt() if isinstance(prompt, Prompt) else prompt
        if "prompt" in self._used:
            values["prompt"] = chat_prompt_to_text_prompt(raw, for_completion=False) if is_chat_prompt(raw) else raw
        if "messages" in self._used:
            values["messages"] = ChatCompletionPrompt(raw).to_formatted_prompt()
        if "uuid" in self._used:
            values["uuid"] = str(uuid4())
        values["model"] = self.model
        return values

    def _request(self, values: Mapping[str, Any]) -> tuple[bytes | None, dict[str, Any]]:
        """The body, and what else ``JsonClient`` is to be told."""
        headers = self._headers.fill(values)
        names = {name.lower() for name in headers}
        if self._login and "authorization" not in names:
            headers["Authorization"] = self._login
        body = None
        if self._body is not None:
            body = encode(self._body.fill(values))
        elif self._form is not None:
            body = urlencode(self._form.fill(values)).encode("ascii")
            if "content-type" not in names:
                headers["Content-Type"] = "application/x-www-form-urlencoded"
        url = str(self._url.fill(values))
        query = urlencode(self._params.fill(values))
        if query:
            url += ("&" if "?" in url else "?") + query
        return body, {"headers": headers, "method": self.method, "url": url}

    # -- the reply ----------------------------------------------------------------------------------------------

    def _whole(self, reply: Any) -> HttpResult:
        self._check(reply)
        try:
            text = self._text(self._answer.find(reply), reply)
        except Nowhere as nowhere:
            raise self._bad(f"there is no answer at {self._answer.text}: {nowhere}", reply) from None
        return self._result(text, self._facts(reply))

    async def _streamed(self, body: bytes | None, options: dict[str, Any]) -> HttpResult:
        framing = Framing(lines=self.stream == "json-lines", strict=False, done=_END)
        if self._end is not None:
            framing = replace(framing, ends=(*framing.ends, self._end))
        began, first = time.perf_counter(), None
        pieces: list[str] = []
        facts: dict[str, Any] = {}
        ended, nowhere, last = False, "the stream is empty", None
        events = self._client.post_stream(body, framing=framing, **options)
        async with aclosing(events):  # type: ignore[type-var]
            async for event in events:
                ended = event is _END
                if ended:
                    break
                last = event
                self._check(event, streamed=True)
                facts.update(self._facts(event))
                try:
                    piece = self._text(self._answer.find(event), event)
                except Nowhere as reason:
                    nowhere = str(reason)
                    self._check_error(event)
                else:
                    if first is None and piece:
                        first = time.perf_counter() - began
                    if self.pieces == "whole" and piece is not None:
                        pieces.clear()
                    pieces.append(piece or "")
                ended = bool(self._ends) and all(condition.holds(event) for condition in self._ends)
                if ended:
                    break
        if (self._end or self._ends) and not ended:
            raise self._bad("the stream broke off before its end", last)
        if not pieces:
            raise self._bad(f"no event has an answer at {self._answer.text}: {nowhere}", last)
        result = self._result("".join(pieces), facts)
        result.first_token_seconds = None if first is None else round(first, 6)
        return result

    def _check(self, reply: Any, *, streamed: bool = False) -> None:
        """EndpointError where the reply says of itself that it is none."""
        passing = self._passing(reply)
        failed = next((condition for condition in self._success if not condition.holds(reply, streamed)), None)
        if passing is None and failed is None:
            return
        found = None if self._error is None else self._error.get(reply)
        message = self._excerpt(reply if found is None else found)
        told = (failed or passing).told(reply)  # type: ignore[union-attr]
        kind = "bad_request" if passing is None else "server"
        raise EndpointError(f"the API reports a failure ({told}): {message}", kind=kind, retryable=passing is not None)

    def _passing(self, reply: Any) -> Condition | None:
        """What the reply says by which it is a failure that may pass."""
        return next((condition for condition in self._retry_when if condition.holds(reply)), None)

    def _check_error(self, event: Any) -> None:
        """Where nothing is said of success, an event that has an error in place of the answer is a failure."""
        if not self._success and isinstance(event, dict) and event.get("error"):
            raise EndpointError(
                f"the stream reports an error: {self._excerpt(event)}", kind="bad_reply", retryable=True
            )

    def _text(self, found: Any, reply: Any) -> str | None:
        if isinstance(found, (dict, list)):
            has = f" of {', '.join(map(repr, list(found)[:8]))}" if isinstance(found, dict) and found else ""
            raise self._bad(f"what is at {self._answer.text} is {kind_of(found)}{has} and no text", reply)
        return None if found is None else rendered(found)

    def _bad(self, message: str, reply: Any) -> EndpointError:
        return EndpointError(f"{message}; the reply: {self._excerpt(reply)}", kind="bad_reply", retryable=True)

    def _excerpt(self, reply: Any) -> str:
        # Masked before it is cut: of half a secret nothing would be known.
        text = self._redactor.text(rendered(reply))
        return text if len(text) <= _EXCERPT else text[:_EXCERPT] + "..."

    def _facts(self, reply: Any) -> dict[str, Any]:
        """What the reply tells besides its answer, where it does."""
        told = {name: path.get(reply) for name, path in self._paths.items()}
        usage = self._usage.get(reply) if isinstance(self._usage, JsonPath) else None
        if isinstance(self._usage, dict):
            counts = {name: path.get(reply) for name, path in self._usage.items()}
            usage = {name: count for name, count in counts.items() if count is not None}
        told["usage"] = usage if isinstance(usage, dict) and usage else None
        return {name: value for name, value in told.items() if value is not None}

    def _result(self, text: str | None, facts: Mapping[str, Any]) -> HttpResult:
        finish, model = facts.get("finish_reason"), facts.get("model", self._given_model)
        result = HttpResult(
            text or "",
            usage=facts.get("usage"),
            finish_reason=None if finish is None else rendered(finish),
            model=None if model is None else rendered(model),
        )
        result.answered = text is not None
        return result


def _usage(raw: Any) -> JsonPath | dict[str, JsonPath] | None:
    if raw is None or isinstance(raw, str):
        return None if raw is None else JsonPath(raw, "usage")
    if not isinstance(raw, Mapping):
        raise UsageError(f"expected a JSON path or a mapping of names to paths, got {raw!r:.80}", key="usage")
    for name in raw:
        if name not in _USAGE:
            hint = nearest(str(name), _USAGE) or f"There are: {', '.join(_USAGE)}"
            raise UsageError(f"no such count: {name!r}", key="usage", hint=hint)
    return {name: JsonPath(path, f"usage.{name}") for name, path in raw.items()}
