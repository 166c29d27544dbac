"""The endpoints of the loopback server: models, event receiver and control."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from aigc_evals.errors import UsageError
from aigc_evals.testing import faults, replies
from aigc_evals.testing._json import dumps, loads
from aigc_evals.testing.answers import Answer, AnswerBook, chat_text, prompt_texts
from aigc_evals.testing.journal import Inbox, Journal, is_authorized
from aigc_evals.testing.settings import CONTENT, ERRORS, Fault, Settings
from aigc_evals.testing.wire import Connection, Reply, Request

CHAT, COMPLETIONS, EMBEDDINGS = "/v1/chat/completions", "/v1/completions", "/v1/embeddings"
_POSTS = frozenset({CHAT, COMPLETIONS, EMBEDDINGS})
_AZURE = re.compile(r"/openai/deployments/[^/]+/(chat/completions|completions|embeddings)")
_MAX_CHOICES = 128


class RefusedError(Exception):
    """The request is answered with an error of its own making."""

    def __init__(self, message: str, status: int = 400, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        body = dumps(replies.error_reply(message, "invalid_request_error", code, param))
        self.reply = Reply(body, status)


class LoopbackApp:
    """One server's state: answers requests as the settings say and keeps account of them."""

    def __init__(self, settings: Settings) -> None:
        self.journal = Journal()
        self.inbox = Inbox()
        self.initial = settings
        self.configure(settings)

    def configure(self, settings: Settings) -> None:
        self.book = AnswerBook(settings)
        self.settings = settings
        self._random = random.Random(settings.seed)
        self._extra = "".join(f"{name}: {value}\r\n" for name, value in (settings.headers or {}).items()).encode()

    def handle(self, request: Request, connection: Connection) -> None:
        path = request.path
        if path.startswith("/_control/"):
            connection.note = None
            connection.send(self._control(request))
            return
        journal = self.journal
        if not connection.counted:
            connection.counted = True
            journal.connections += 1
            journal.open_connections += 1
        journal.paths[path] += 1
        route = _route(request)
        if request.method == "POST" and route in _POSTS:
            journal.in_flight += 1
            if journal.in_flight > journal.max_in_flight:
                journal.max_in_flight = journal.in_flight
            connection.note = note = _Note(True)
            reply, delay = self._ask(request, route, note)
        elif path == "/ingest" or path.startswith("/ingest/"):
            connection.note = note = _Note(False)
            reply, delay = self._ingest(request, note)
        else:
            connection.note = note = _Note(False)
            reply, delay = self._look(request, note)
        connection.send(reply, delay)

    def ended(self, connection: Connection, status: int | None) -> None:
        note = connection.note
        connection.note = None
        if note is None:
            return
        journal = self.journal
        journal.statuses[status] += 1
        if note.is_model:
            journal.in_flight -= 1
        if note.entry is not None:
            note.entry["status"] = status
        if status is None and note.fault is None:
            journal.abandoned += 1

    def closed(self, connection: Connection) -> None:
        if connection.counted:
            self.journal.open_connections -= 1

    def _ask(self, request: Request, route: str, note: _Note) -> tuple[Reply, float]:
        """A model request to ``route`` (its path, as OpenAI has it): its reply and the seconds until it is sent."""
        settings, journal = self.settings, self.journal
        journal.number = number = journal.number + 1
        seen = journal.see(request)
        body = _parsed(request.body)
        if settings.record or settings.api_key is not None:
            authorized = is_authorized(request, settings.api_key)
            if settings.record:
                note.entry = journal.record(request, body, authorized, number)
            if settings.api_key is not None and not authorized:
                return _unauthorized(), 0.0
        limit = settings.concurrency_limit
        if limit is not None and journal.in_flight > limit:
            return faults.error(Fault("rate_limit", retry_after=settings.concurrency_retry_after), _NOBODY), 0.0
        try:
            _check(route, body)
            texts, last = _prompt(route, body)
        except RefusedError as error:
            return error.reply, 0.0
        delay = settings.latency
        if settings.jitter:
            delay += self._random.random() * settings.jitter
        fault = None
        if settings.faults:
            text = "\n".join(texts)
            meeting = faults.Meeting(route, request.body, number, seen, body, text)
            fault = faults.pick(settings.faults, meeting)
            if fault is not None:
                self._note_fault(fault, note)
                if fault.latency is not None:
                    delay = fault.latency
                if fault.kind in ERRORS:
                    return faults.error(fault, meeting), delay
        whole = self._whole(route, body, texts, last, number, fault)
        reply = self._reply(body, whole, number)
        if fault is not None:
            reply, more = faults.spoil(fault, reply, whole)
            delay += more
        return reply, delay

    def _whole(
        self, path: str, body: dict[str, Any], texts: list[str], last: str, number: int, fault: Fault | None
    ) -> replies.Json:
        settings = self.settings
        if path == EMBEDDINGS:
            return replies.embedding_reply(body, texts, settings)
        n = body.get("n") or 1
        answers: list[Answer] = []
        for text in texts:
            answers += self.book.choose(body, text, last if path == CHAT else text, n)
        if fault is not None and fault.kind in CONTENT:
            answers = faults.bend(fault, answers)
        if path == CHAT:
            return replies.chat_reply(body, texts[0], answers, number, settings)
        return replies.completion_reply(body, texts, answers, number, settings)

    def _reply(self, body: dict[str, Any], whole: replies.Json, number: int) -> Reply:
        headers = b"x-request-id: req_%d\r\n%s" % (number, self._extra)
        if body.get("stream") and "choices" in whole:
            chunks = [b"data: %s\n\n" % dumps(event) for event in replies.events(whole, body)]
            chunks.append(b"data: [DONE]\n\n")
            pause = self.settings.stream_delay
            return Reply(content_type=b"text/event-stream", headers=headers, chunks=chunks, pause=pause)
        return Reply(dumps(whole), headers=headers)

    def _look(self, request: Request, note: _Note) -> tuple[Reply, float]:
        """Everything under /v1 that is not asked of a model, and what does not exist."""
        settings = self.settings
        authorized = is_authorized(request, settings.api_key)
        if settings.record:
            note.entry = self.journal.record(request, _parsed(request.body), authorized, 0)
        if settings.api_key is not None and not authorized:
            return _unauthorized(), 0.0
        path = request.path
        meeting = faults.Meeting(path, request.body, 1, 1)
        for fault in settings.faults:
            if fault.path == path and faults.holds(fault, meeting):
                self._note_fault(fault, note)
                whole = replies.models_reply(settings)
                if fault.kind in ERRORS:
                    return faults.error(fault, meeting), fault.latency or 0.0
                return faults.spoil(fault, Reply(dumps(whole)), whole)
        if path in _POSTS:
            return RefusedError(f"Only POST requests are accepted at {path}.", 405, "method_not_supported").reply, 0.0
        if request.method == "GET" and path == "/v1/models":
            return Reply(dumps(replies.models_reply(settings)), headers=self._extra), 0.0
        if request.method == "GET" and path.startswith("/v1/models/"):
            name = path[len("/v1/models/") :]
            if name in settings.models:
                return Reply(dumps(replies.model_reply(name)), headers=self._extra), 0.0
            return RefusedError(f"The model '{name}' does not exist", 404, "model_not_found", "model").reply, 0.0
        return RefusedError(f"Unknown request URL: {request.method} {path}.", 404, "unknown_url").reply, 0.0

    def _ingest(self, request: Request, note: _Note) -> tuple[Reply, float]:
        """A batch of events: kept once for each idempotency key."""
        settings, journal = self.settings, self.journal
        journal.ingest_number = number = journal.ingest_number + 1
        seen = journal.see(request)
        authorized = is_authorized(request, settings.ingest_key)
        batch = _parsed(request.body)
        if settings.record:
            note.entry = journal.record(request, batch, authorized, number)
        delay = settings.ingest_latency
        if settings.ingest_key is not None and not authorized:
            return _unauthorized(), 0.0
        if request.method != "POST":
            return RefusedError("Only POST requests are accepted here.", 405).reply, 0.0
        if not isinstance(batch, list):
            return RefusedError("The body must be a JSON array of events.").reply, 0.0
        meeting = faults.Meeting(
            request.path, request.body, number, seen, batch, request.body.decode("utf-8", "replace")
        )
        fault = faults.pick(settings.ingest_faults, meeting)
        if fault is not None:
            self._note_fault(fault, note)
            if fault.latency is not None:
                delay = fault.latency
        key = request.headers().get("idempotency-key")
        fresh = False
        if fault is None or _accepts(fault):
            fresh = self.inbox.accept(key, request.body, len(batch))
        if fault is not None and fault.kind in ERRORS:
            return faults.error(fault, meeting), delay
        whole = {"accepted": len(batch) if fresh else 0, "duplicate": not fresh}
        if fault is None:
            return Reply(dumps(whole)), delay
        reply, more = faults.spoil(fault, Reply(dumps(whole)), whole)
        return reply, delay + more

    def _control(self, request: Request) -> Reply:
        actions: dict[str, Callable[[], bytes]] = {
            "GET stats": lambda: dumps(self.journal.stats()),
            "GET requests": lambda: dumps(self.journal.records),
            "GET ingest": self.inbox.as_json,
            "POST configure": lambda: self._configure(request),
            "POST reset": lambda: self._reset(request),
        }
        action = actions.get(f"{request.method} {request.path[len('/_control/') :]}")
        if action is None:
            return RefusedError(f"There is no {request.method} {request.path}.", 404).reply
        try:
            return Reply(action())
        except (UsageError, TypeError) as error:
            return RefusedError(str(error), 400, "usage").reply

    def _configure(self, request: Request) -> bytes:
        self.configure(self.settings.merged(json.loads(request.body)))
        return b'{"ok":true}'

    def _reset(self, request: Request) -> bytes:
        self.journal.clear()
        self.inbox.clear()
        if request.body and json.loads(request.body).get("settings"):
            self.configure(self.initial)
        return b'{"ok":true}'

    def _note_fault(self, fault: Fault, note: _Note) -> None:
        note.fault = fault.kind
        self.journal.faults[fault.kind] += 1
        if note.entry is not None:
            note.entry["fault"] = fault.kind


class _Note:
    """What the app wants to know again when a request is over."""

    __slots__ = ("entry", "fault", "is_model")

    def __init__(self, is_model: bool) -> None:
        self.is_model = is_model
        self.entry: dict[str, Any] | None = None
        self.fault: str | None = None


_NOBODY = faults.Meeting("", b"", 1, 1)


def _route(request: Request) -> str:
    """A path as OpenAI has it; Azure's, which need an api-version, are understood too."""
    found = _AZURE.fullmatch(request.path)
    return f"/v1/{found[1]}" if found and "api-version=" in request.query else request.path


def _parsed(raw: bytes) -> Any:
    """The JSON of a body; None where it is none."""
    try:
        return loads(raw) if raw else None
    except ValueError:
        return None


def _unauthorized() -> Reply:
    return replace(faults.error(Fault("auth"), _NOBODY), headers=b"WWW-Authenticate: Bearer\r\n")


def _check(path: str, body: Any) -> None:
    if not isinstance(body, dict):
        raise RefusedError("We could not parse the JSON body of your request.")
    if not isinstance(body.get("model"), str):
        raise RefusedError("you must provide a model parameter", param="model")
    needed = {CHAT: "messages", COMPLETIONS: "prompt", EMBEDDINGS: "input"}[path]
    if needed not in body:
        raise RefusedError(f"Missing required parameter: '{needed}'.", 400, "missing_required_parameter", needed)
    n = body.get("n")
    if n is not None and (isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= _MAX_CHOICES):
        raise RefusedError(f"Invalid 'n': expected an integer from 1 to {_MAX_CHOICES}, but got {n!r}.", param="n")


def _prompt(path: str, body: dict[str, Any]) -> tuple[list[str], str]:
    """The texts asked about (one for a chat) and the last user message of a chat."""
    if path != CHAT:
        return prompt_texts(body["prompt" if path == COMPLETIONS else "input"]), ""
    messages = body["messages"]
    if not isinstance(messages, list) or not messages or not all(isinstance(item, dict) for item in messages):
        raise RefusedError("Invalid 'messages': expected a non-empty array of objects.", param="messages")
    text, last = chat_text(messages)
    return [text], last


def _accepts(fault: Fault) -> bool:
    """Whether a batch is kept although its reply goes wrong: by default where a reply is begun."""
    if fault.accept is not None:
        return fault.accept
    begun = fault.kind in ("stall", "truncated", "garbage", "wrong_shape")
    return begun or (fault.kind == "reset" and fault.when == "middle") or fault.seconds is not None
