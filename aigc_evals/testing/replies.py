"""Replies of the loopback server in the JSON shapes of the OpenAI API: answers in, plain values out."""

from __future__ import annotations

import math
import re
import struct
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import shake_128
from typing import Any
from zlib import crc32

from aigc_evals.testing.answers import Answer, count_tokens, tokens
from aigc_evals.testing.settings import Settings

Json = dict[str, Any]

_PIECE = re.compile(r"\S+\s*|\s+")


def chat_reply(body: Json, text: str, answers: Sequence[Answer], number: int, settings: Settings) -> Json:
    """``POST /v1/chat/completions``."""
    choices = []
    for index, answer in enumerate(answers):
        message: Json = {"role": "assistant", "content": answer.content, "refusal": answer.refusal}
        if answer.reasoning is not None:
            message["reasoning_content"] = answer.reasoning
        if answer.tool_calls is not None:
            message["tool_calls"] = answer.tool_calls
        logprobs = {"content": _chat_logprobs(answer.content or "")} if body.get("logprobs") else None
        choices.append(
            {"index": index, "message": message, "logprobs": logprobs, "finish_reason": answer.finish_reason}
        )
    reply = _head("chatcmpl", "chat.completion", body, number, settings)
    reply["choices"] = choices
    if settings.usage:
        reply["usage"] = _usage(text, answers, settings.usage == "plain")
    reply["system_fingerprint"] = "fp_loopback"
    return reply


def completion_reply(
    body: Json, texts: Sequence[str], answers: Sequence[Answer], number: int, settings: Settings
) -> Json:
    """``POST /v1/completions``: the answers of all prompts in order, as many for each."""
    choices = []
    each = max(1, len(answers) // max(1, len(texts)))
    for index, answer in enumerate(answers):
        said = answer.content or ""
        if body.get("echo"):
            said = texts[index // each] + ("" if body.get("max_tokens") == 0 else said)
        logprobs = None if body.get("logprobs") in (None, False) else _completion_logprobs(said)
        choices.append({"text": said, "index": index, "logprobs": logprobs, "finish_reason": answer.finish_reason})
    reply = _head("cmpl", "text_completion", body, number, settings)
    reply["choices"] = choices
    if settings.usage:
        reply["usage"] = _usage("\n".join(texts), answers, settings.usage == "plain")
    reply["system_fingerprint"] = "fp_loopback"
    return reply


def embedding_reply(body: Json, texts: Sequence[str], settings: Settings) -> Json:
    """``POST /v1/embeddings``: floats, or base64 of float32 where ``encoding_format`` asks for it."""
    size = body.get("dimensions") or settings.embedding_dimensions
    data = []
    for index, text in enumerate(texts):
        vector = embed(text, size)
        packed = body.get("encoding_format") == "base64"
        value = b64encode(struct.pack(f"<{size}f", *vector)).decode() if packed else vector
        data.append({"object": "embedding", "index": index, "embedding": value})
    used = sum(map(count_tokens, texts))
    model = settings.served_model or body.get("model")
    return {
        "object": "list",
        "data": data,
        "model": model,
        "usage": {"prompt_tokens": used, "total_tokens": used},
    }


def embed(text: str, size: int) -> list[float]:
    """A unit vector for ``text``: a sum over its words, so texts with common words lie near each other."""
    total = [0.0] * size
    for word in tokens(text.lower()) or [""]:
        raw = shake_128(word.encode("utf-8", "surrogatepass")).digest(2 * size)
        for place, value in enumerate(struct.unpack(f"<{size}h", raw)):
            total[place] += value
    norm = math.sqrt(sum(value * value for value in total)) or 1.0
    return [value / norm for value in total]


def models_reply(settings: Settings) -> Json:
    """``GET /v1/models``."""
    return {"object": "list", "data": [model_reply(name) for name in settings.models]}


def model_reply(name: str) -> Json:
    return {"id": name, "object": "model", "created": 1700000000, "owned_by": "loopback"}


def error_reply(message: str, kind: str, code: str | None = None, param: str | None = None) -> Json:
    """An error in OpenAI's shape; ``kind`` is its ``type``."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def events(reply: Json, body: Json) -> Iterator[Json]:
    """The chunks that stream ``reply``, with the token counts last where the request wants them."""
    chat = reply["object"] == "chat.completion"
    with_usage = bool((body.get("stream_options") or {}).get("include_usage"))
    head: Json = {
        "id": reply["id"],
        "object": "chat.completion.chunk" if chat else "text_completion",
        "created": reply["created"],
        "model": reply["model"],
        "system_fingerprint": reply["system_fingerprint"],
    }
    tail: Json = {"usage": None} if with_usage and "usage" in reply else {}
    for choice in reply["choices"]:
        for part in _chat_deltas(choice) if chat else _text_deltas(choice):
            yield {**head, "choices": [{"index": choice["index"], **part}], **tail}
    if tail:
        yield {**head, "choices": [], "usage": reply["usage"]}


def _chat_deltas(choice: Json) -> Iterator[Json]:
    message, logprobs = choice["message"], choice["logprobs"]
    open_end = {"logprobs": None, "finish_reason": None}
    first: Json = {"role": "assistant", "content": "" if message["content"] is not None else None}
    yield {"delta": first, **open_end}
    for field in ("reasoning_content", "content", "refusal"):
        for piece in _PIECE.findall(message.get(field) or ""):
            yield {"delta": {field: piece}, **open_end}
    for index, call in enumerate(message.get("tool_calls") or ()):
        yield {"delta": {"tool_calls": [{"index": index, **call}]}, **open_end}
    yield {"delta": {}, "logprobs": logprobs, "finish_reason": choice["finish_reason"]}


def _text_deltas(choice: Json) -> Iterator[Json]:
    for piece in _PIECE.findall(choice["text"]):
        yield {"text": piece, "logprobs": None, "finish_reason": None}
    yield {"text": "", "logprobs": choice["logprobs"], "finish_reason": choice["finish_reason"]}


def _head(prefix: str, kind: str, body: Json, number: int, settings: Settings) -> Json:
    return {
        "id": f"{prefix}-loopback{number}",
        "object": kind,
        "created": int(time.time()),
        "model": settings.served_model or body.get("model"),
    }


def _usage(prompt: str, answers: Sequence[Answer], plain: bool) -> Json:
    if len(answers) == 1 and answers[0].usage is not None:
        return answers[0].usage
    asked = count_tokens(prompt)
    thought = sum(count_tokens(answer.reasoning) for answer in answers if answer.reasoning)
    said = thought + sum(count_tokens(answer.content) for answer in answers if answer.content)
    totals = {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}
    if plain:
        return totals
    return {
        **totals,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": thought,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _logprob(token: str) -> float:
    return -(crc32(token.encode("utf-8", "surrogatepass")) % 1000) / 1000


def _chat_logprobs(text: str) -> list[Json]:
    return [
        {
            "token": token,
            "logprob": _logprob(token),
            "bytes": list(token.encode("utf-8", "replace")),
            "top_logprobs": [],
        }
        for token in _PIECE.findall(text)
    ]


def _completion_logprobs(text: str) -> Json:
    pieces = _PIECE.findall(text)
    offsets = [match.start() for match in _PIECE.finditer(text)]
    chances = [_logprob(piece) for piece in pieces]
    return {"tokens": pieces, "token_logprobs": chances, "top_logprobs": None, "text_offset": offsets}
