"""Joins the events of a streamed reply to the reply that would have come whole. Pure but for the clock it is given."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from aigc_evals.errors import EndpointError

_SPOKEN = ("content", "reasoning_content", "reasoning", "refusal", "text")
_NEW = {"chat.completion.chunk": "chat.completion"}


class JoinedReply:
    """The reply so far: ``add`` each event, then take ``reply``.

    Texts of a field are put one after another, the parts of a tool call by its index, everything else is what came
    last. ``finished`` is whether the server has said the last word: every choice has a ``finish_reason``, or the
    stream its closing mark.
    """

    def __init__(self) -> None:
        self._head: dict[str, Any] = {}
        self._choices: dict[int, dict[str, Any]] = {}
        self._done = False

    def add(self, event: Any) -> bool:
        """Take an event in; whether it brought anything that the model said."""
        if not isinstance(event, dict):
            raise EndpointError(f"an event is not an object: {str(event)[:300]}", kind="bad_reply", retryable=True)
        if event.get("done") is True:
            self._done = True
            return False
        for key, value in event.items():
            if key != "choices" and value is not None:
                self._head[key] = _NEW.get(value, value) if key == "object" else value
        choices = event.get("choices") or ()
        if not isinstance(choices, (list, tuple)) or not all(isinstance(choice, dict) for choice in choices):
            raise EndpointError(f"an event has no choices: {str(event)[:300]}", kind="bad_reply", retryable=True)
        spoken = [self._add_choice(choice) for choice in choices]
        return any(spoken)

    def _add_choice(self, choice: dict[str, Any]) -> bool:
        index = choice.get("index") or 0
        joined = self._choices.setdefault(index, {"index": index, "finish_reason": None})
        if choice.get("finish_reason"):
            joined["finish_reason"] = choice["finish_reason"]
        if choice.get("logprobs"):
            _join_logprobs(joined, choice["logprobs"])
        # An endpoint that does not stream gives the message itself.
        delta = choice.get("delta") or choice.get("message")
        if isinstance(delta, dict):
            return _join_message(joined.setdefault("message", {"role": "assistant", "content": None}), delta)
        if isinstance(choice.get("text"), str):
            joined["text"] = joined.get("text", "") + choice["text"]
            return bool(choice["text"])
        if "delta" in choice or "message" in choice:
            joined.setdefault("message", {"role": "assistant", "content": None})
        return False

    @property
    def finished(self) -> bool:
        reasons = [choice["finish_reason"] for choice in self._choices.values()]
        return self._done or (bool(reasons) and all(reasons))

    @property
    def reply(self) -> dict[str, Any]:
        """The JSON as it would have come in one piece; without ``choices`` where no event had any."""
        if not self._choices:
            return dict(self._head)
        return {**self._head, "choices": [self._choices[index] for index in sorted(self._choices)]}


def _join_message(message: dict[str, Any], delta: dict[str, Any]) -> bool:
    spoken = False
    for key, value in delta.items():
        if value is None:
            continue
        if key == "tool_calls" and isinstance(value, list):
            calls = message.setdefault("tool_calls", [])
            for part in value:
                if isinstance(part, dict):
                    spoken = True
                    _join_call(calls, part)
        elif key in _SPOKEN and isinstance(value, str):
            message[key] = (message.get(key) or "") + value
            spoken = spoken or bool(value)
        else:
            message[key] = value
    return spoken


def _join_call(calls: list[dict[str, Any]], part: dict[str, Any]) -> None:
    """Parts of one call have its index; a server that gives none sends calls whole."""
    index = part.get("index")
    call = next((call for call in calls if index is not None and call.get("index") == index), None)
    if call is None:
        call = {"index": len(calls) if index is None else index, "type": "function", "function": {"arguments": ""}}
        calls.append(call)
    for key, value in part.items():
        if key == "function" and isinstance(value, dict):
            function = call["function"]
            function["arguments"] += value.get("arguments") or ""
            if value.get("name"):
                function["name"] = value["name"]
        elif value is not None:
            call[key] = value


def _join_logprobs(joined: dict[str, Any], logprobs: Any) -> None:
    held = joined.get("logprobs")
    if not isinstance(held, dict) or not isinstance(logprobs, dict):
        joined["logprobs"] = logprobs
        return
    for key, value in logprobs.items():
        held[key] = [*held[key], *value] if isinstance(value, list) and isinstance(held.get(key), list) else value


async def join(
    events: AsyncIterator[Any], clock: Callable[[], float] = time.perf_counter
) -> tuple[dict[str, Any], float | None]:
    """The whole reply, and the seconds until the model's first word (None where it said nothing).

    EndpointError (``bad_reply``, may be repeated) for a stream that ends before its last word.
    """
    began = clock()
    joined, first = JoinedReply(), None
    async for event in events:
        if joined.add(event) and first is None:
            first = clock() - began
    reply = joined.reply
    if "choices" in reply and not joined.finished:
        raise EndpointError("the stream broke off before its end", kind="bad_reply", retryable=True)
    return reply, first
