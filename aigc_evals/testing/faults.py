"""Whether a request meets a fault of the loopback server, and what that does to its reply."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from email.utils import formatdate
from hashlib import blake2b
from typing import Any

from aigc_evals.testing._json import dumps
from aigc_evals.testing.answers import Answer, count_tokens, first_tokens
from aigc_evals.testing.replies import Json, error_reply
from aigc_evals.testing.settings import CONTENT, ERRORS, Fault
from aigc_evals.testing.wire import Reply


@dataclass
class Meeting:
    """What a fault may depend on; ``seen`` is how often this body came, this time included."""

    path: str
    raw: bytes
    number: int
    seen: int
    body: Any = None
    text: str = ""


def pick(faults: Iterable[Fault], meeting: Meeting) -> Fault | None:
    """The first fault that holds."""
    return next((fault for fault in faults if holds(fault, meeting)), None)


def holds(fault: Fault, meeting: Meeting) -> bool:
    """Whether all conditions of ``fault`` hold."""
    if fault.path is not None and fault.path != meeting.path:
        return False
    if fault.kind in CONTENT and not meeting.path.endswith("completions"):
        return False
    number = meeting.number - (fault.after or 0)
    if number < 1 or (fault.first is not None and number > fault.first):
        return False
    if fault.every is not None and meeting.number % fault.every:
        return False
    if fault.times is not None and meeting.seen > fault.times:
        return False
    if fault.when_contains is not None and fault.when_contains not in meeting.text:
        return False
    if fault.share is not None and not _falls_in(fault, meeting):
        return False
    if fault.kind == "context_length" and fault.limit_tokens is not None:
        return count_tokens(meeting.text) > fault.limit_tokens
    return fault.kind != "unsupported_parameter" or bool(_refused(fault, meeting.body))


def _falls_in(fault: Fault, meeting: Meeting) -> bool:
    by_body = fault.by == "body" or (fault.by is None and fault.times is not None)
    what = meeting.raw if by_body else b"%d" % meeting.number
    digest = blake2b(what, digest_size=8, salt=b"%d" % (fault.seed % 10**12), person=fault.kind[:16].encode())
    return int.from_bytes(digest.digest(), "big") / 2**64 < (fault.share or 0.0)


def _refused(fault: Fault, body: Any) -> str | None:
    """The first parameter of the request that the fault refuses; a temperature of 1, the default, passes."""
    if not isinstance(body, dict):
        return None
    for name in fault.params:
        if name in body and not (name == "temperature" and fault.style == "openai" and body[name] == 1):
            return name
    return None


def bend(fault: Fault, answers: Sequence[Answer]) -> list[Answer]:
    """The answers as a fault of the content leaves them."""
    return [_bend(fault, answer) for answer in answers]


def _bend(fault: Fault, answer: Answer) -> Answer:
    content = answer.content or ""
    if fault.kind == "empty":
        return replace(answer, content="")
    if fault.kind == "null":
        return replace(answer, content=None)
    if fault.kind == "refusal":
        refusal = "I'm sorry, but I can't help with that." if fault.text is None else fault.text
        return replace(answer, content=None, refusal=refusal, tool_calls=None)
    if fault.kind == "content_filter":
        return replace(answer, content=fault.text or "", finish_reason="content_filter", tool_calls=None)
    kept = first_tokens(content, count_tokens(content) // 2) if fault.text is None else fault.text
    return replace(answer, content=kept, finish_reason="length", tool_calls=None)


def spoil(fault: Fault, reply: Reply, whole: Json) -> tuple[Reply, float]:
    """What becomes of a good ``reply`` (whose JSON is ``whole``), and the seconds of further delay."""
    kind = fault.kind
    if kind == "hang":
        return (replace(reply, way="silent"), 0.0) if fault.seconds is None else (reply, fault.seconds)
    if kind == "reset":
        return replace(reply, way="reset" if fault.when == "before" else "reset_middle"), 0.0
    if kind in ("stall", "close", "truncated"):
        return replace(reply, way=kind), 0.0
    if kind == "wrong_shape":
        shape = (
            fault.body if fault.body is not None else {k: v for k, v in whole.items() if k not in ("choices", "data")}
        )
        return Reply(dumps(shape)), 0.0
    if kind == "garbage":
        return _garbage(fault), 0.0
    return reply, 0.0


def _garbage(fault: Fault) -> Reply:
    if fault.body == "html":
        return Reply(
            b"<!DOCTYPE html><html><body><h1>Please sign in to the network</h1></body></html>",
            200,
            b"text/html",
        )
    if fault.body == "binary":
        return Reply(bytes(range(256)) * 4)
    if isinstance(fault.body, str) and fault.body != "text":
        return Reply(fault.body.encode("utf-8", "surrogatepass"))
    return Reply(b'{"id": "chatcmpl-1", "choices": [{"index": 0, "mess')


def error(fault: Fault, meeting: Meeting) -> Reply:
    """The error reply of one of the error kinds."""
    assert fault.kind in ERRORS
    status, body = _ERRORS[fault.kind](fault, meeting)
    reply = Reply(b"", fault.status or status, headers=retry_header(fault.retry_after, fault.retry_after_form))
    if fault.kind == "server_error" and fault.body in ("html", "text"):
        title = f"{reply.status} Server Error"
        page = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
        kind = b"text/html" if fault.body == "html" else b"text/plain"
        return replace(reply, body=(page if fault.body == "html" else title).encode(), content_type=kind)
    return replace(reply, body=dumps(body))


def retry_header(seconds: float | None, form: str = "seconds") -> bytes:
    """``Retry-After`` in one of its forms; a date is rounded up, as it has no parts of a second."""
    if seconds is None:
        return b""
    if form == "ms":
        return f"retry-after-ms: {seconds * 1000:g}\r\n".encode()
    if form == "date":
        return f"Retry-After: {formatdate(math.ceil(time.time() + seconds), usegmt=True)}\r\n".encode()
    return f"Retry-After: {seconds:g}\r\n".encode()


def _rate_limit(fault: Fault, meeting: Meeting) -> tuple[int, Json]:
    wait = "" if fault.retry_after is None else f" Please try again in {fault.retry_after:g}s."
    message = fault.message or f"Rate limit reached on requests per min (RPM): Limit 500, Used 500, Requested 1.{wait}"
    return 429, error_reply(message, "requests", "rate_limit_exceeded")


def _quota(fault: Fault, meeting: Meeting) -> tuple[int, Json]:
    message = fault.message or "You have used up your current quota; please check your plan and billing details."
    return 429, error_reply(message, "insufficient_quota", "insufficient_quota")


def _server_error(fault: Fault, meeting: Meeting) -> tuple[int, Json]:
    if fault.status == 529:
        return 529, error_reply(fault.message or "Overloaded", "overloaded_error")
    message = fault.message or "The server had an error while processing your request. Sorry about that!"
    return 500, error_reply(message, "server_error")


def _auth(fault: Fault, meeting: Meeting) -> tuple[int, Json]:
    return 401, error_reply(fault.message or "Incorrect API key provided.", "invalid_request_error", "invalid_api_key")


def _forbidden(fault: Fault, meeting: Meeting) -> tuple[int, Json]:
    message = fault.message or "Your project does not have access to this resource."
    return 403, error_reply(message, "invalid_request_error", "access_denied")


def _not_found(fault: Fault, meeting: Meeting) -> tuple[int, Json]:
    model = meeting.body.get("model") if isinstance(meeting.body, dict) else None
    message = fault.message or f"The model `{model}` does not exist or you do not have access to it."
    return 404, error_reply(message, "invalid_request_error", "model_not_found")


def _prompt_filter(fault: Fault, meeting: Meeting) -> tuple[int, Json]:
    message = fault.message or "The response was filtered due to the prompt triggering the content management policy."
    return 400, error_reply(message, "invalid_request_error", "content_filter", "prompt")


def _context_length(fault: Fault, meeting: Meeting) -> tuple[int, Json]:
    used = count_tokens(meeting.text)
    limit = fault.limit_tokens if fault.limit_tokens is not None else max(1, used - 1)
    message = fault.message or (
        f"This model's maximum context length is {limit} tokens. However, your messages resulted in "
        f"{used} tokens. Please reduce the length of the messages."
    )
    return 400, error_reply(message, "invalid_request_error", "context_length_exceeded", "messages")


def _unsupported(fault: Fault, meeting: Meeting) -> tuple[int, Json]:
    name = _refused(fault, meeting.body) or fault.params[0]
    value = meeting.body.get(name) if isinstance(meeting.body, dict) else None
    extra = "Extra inputs are not permitted"
    if fault.style == "fastapi":
        detail = {
            "type": "extra_forbidden",
            "loc": ["body", name],
            "msg": fault.message or extra,
            "input": value,
        }
        return 422, {"detail": [detail]}
    if fault.style == "pydantic":
        problem = {"type": "extra_forbidden", "loc": ("body", name), "msg": extra, "input": value}
        return 400, {
            "object": "error",
            "message": fault.message or f"[{problem}]",
            "type": "BadRequestError",
            "param": None,
            "code": 400,
        }
    if fault.style == "unknown":
        message, code = f"Unknown parameter: '{name}'.", "unknown_parameter"
    elif name == "temperature":
        message = f"Unsupported value: 'temperature' does not support {value} with this model. "
        message, code = message + "Only the default (1) value is supported.", "unsupported_value"
    else:
        message, code = (
            f"Unsupported parameter: '{name}' is not supported with this model.",
            "unsupported_parameter",
        )
        if name == "max_tokens":
            message += " Use 'max_completion_tokens' instead."
    return 400, error_reply(fault.message or message, "invalid_request_error", code, name)


_ERRORS = {
    "rate_limit": _rate_limit,
    "quota": _quota,
    "server_error": _server_error,
    "auth": _auth,
    "forbidden": _forbidden,
    "not_found": _not_found,
    "context_length": _context_length,
    "prompt_filter": _prompt_filter,
    "unsupported_parameter": _unsupported,
}
