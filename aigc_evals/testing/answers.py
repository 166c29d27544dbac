"""Which answer the loopback server gives to a prompt: pure functions over request bodies.

``AnswerBook`` looks an answer up in the settings; ``Answer`` is one choice before it gets its place in a
reply. Nothing here knows about HTTP or faults.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any
from zlib import crc32

from aigc_evals.errors import UsageError
from aigc_evals.testing.settings import Settings

_CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
_TOKEN = re.compile(f"[{_CJK}]|[^\\s{_CJK}]+")


@dataclass(frozen=True)
class Answer:
    """One choice: what the model says, and why it stopped."""

    content: str | None
    reasoning: str | None = None
    refusal: str | None = None
    finish_reason: str = "stop"
    usage: dict[str, Any] | None = None
    tool_calls: list[dict[str, Any]] | None = None


class AnswerBook:
    """Finds the answers to a prompt as the settings say."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._script = load_script(settings.script) if settings.script else None
        self._plain = not (self._script or settings.answers or settings.rules or settings.echo)
        self._as_is = settings.reasoning is None and not settings.truncate

    def choose(self, body: dict[str, Any], text: str, last: str, n: int) -> list[Answer]:
        """``n`` answers to the prompt with the whole text ``text`` and the last user message ``last``."""
        value = self._find(body, text, last)
        values = value if isinstance(value, list) and value else [value]
        answers = [to_answer(values[index % len(values)]) for index in range(n)]
        return answers if self._as_is else [self._finish(answer, body) for answer in answers]

    def _find(self, body: dict[str, Any], text: str, last: str) -> Any:
        settings = self._settings
        if not self._plain:
            if self._script is not None and (value := self._script(body)) is not None:
                return value
            if (book := settings.answers) is not None:
                for key in (last, _sha(last), _sha(text)):
                    if key in book:
                        return book[key]
            for rule in settings.rules:
                if rule["contains"] in text:
                    return rule["answer"]
            if settings.echo:
                return last
        return default_answer(text) if settings.answer is None else settings.answer

    def _finish(self, answer: Answer, body: dict[str, Any]) -> Answer:
        settings = self._settings
        if settings.reasoning is not None:
            reasoning = settings.reasoning_text if answer.reasoning is None else answer.reasoning
            if settings.reasoning == "think_tags":
                content = f"<think>\n{reasoning}\n</think>\n\n{answer.content or ''}"
                answer = replace(answer, content=content, reasoning=None)
            else:
                answer = replace(answer, reasoning=reasoning)
        limit = body.get("max_completion_tokens", body.get("max_tokens"))
        return truncated(answer, limit) if settings.truncate and isinstance(limit, int) else answer


def to_answer(value: Any) -> Answer:
    if isinstance(value, str):
        return Answer(value)
    if not isinstance(value, dict):
        raise UsageError(f"an answer is a string or an object, not {type(value).__name__}")
    calls = [_tool_call(call, index) for index, call in enumerate(value.get("tool_calls") or ())]
    return Answer(
        content=value.get("content"),
        reasoning=value.get("reasoning_content"),
        refusal=value.get("refusal"),
        finish_reason=value.get("finish_reason") or ("tool_calls" if calls else "stop"),
        usage=value.get("usage"),
        tool_calls=calls or None,
    )


def _tool_call(call: dict[str, Any], index: int) -> dict[str, Any]:
    """The full OpenAI shape; ``{"name": ..., "arguments": ...}`` will do."""
    if "function" in call:
        return {"id": f"call_{index}", "type": "function", **call}
    arguments = call.get("arguments", {})
    if not isinstance(arguments, str):
        from json import dumps

        arguments = dumps(arguments, ensure_ascii=False)
    function = {"name": call["name"], "arguments": arguments}
    return {"id": call.get("id", f"call_{index}"), "type": "function", "function": function}


def truncated(answer: Answer, limit: int) -> Answer:
    """``answer`` within ``limit`` tokens, its reasoning first, as reasoning models spend them."""
    thought = count_tokens(answer.reasoning or "")
    if thought + count_tokens(answer.content or "") <= limit:
        return answer
    reasoning = answer.reasoning if thought <= limit else first_tokens(answer.reasoning or "", limit)
    content = first_tokens(answer.content or "", max(0, limit - thought))
    return replace(answer, reasoning=reasoning, content=content, finish_reason="length", tool_calls=None)


def default_answer(text: str) -> str:
    """ "True" or "False" by the parity of the CRC-32 of the prompt's text."""
    return "False" if crc32(text.encode("utf-8", "surrogatepass")) & 1 else "True"


def tokens(text: str) -> list[str]:
    """Words, and CJK characters one each."""
    return text.split() if text.isascii() else _TOKEN.findall(text)


def count_tokens(text: str) -> int:
    return len(tokens(text))


def first_tokens(text: str, count: int) -> str:
    """``text`` up to the end of its ``count``-th token."""
    end = 0
    for number, match in enumerate(_TOKEN.finditer(text)):
        if number == count:
            return text[:end]
        end = match.end()
    return text


def chat_text(messages: list[Any]) -> tuple[str, str]:
    """The text of all messages, one after another by lines, and that of the last user message."""
    texts: list[str] = []
    last = ""
    for message in messages:
        content = message.get("content")
        text = content if isinstance(content, str) else _parts_text(content)
        texts.append(text)
        if message.get("role") == "user":
            last = text
    return "\n".join(texts), last


def _parts_text(content: Any) -> str:
    if not isinstance(content, list):
        return ""
    return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))


def prompt_texts(prompt: Any) -> list[str]:
    """The prompts of a completion or inputs of an embedding: text, token ids, or a list of either."""
    if isinstance(prompt, str):
        return [prompt]
    if not isinstance(prompt, list):
        return [""]
    if prompt and all(isinstance(item, int) for item in prompt):
        return [" ".join(map(str, prompt))]
    return [item if isinstance(item, str) else " ".join(map(str, item)) for item in prompt]


def load_script(target: str) -> Callable[[dict[str, Any]], Any]:
    """The function named by "package.module:function" or "path/to/file.py:function"."""
    home, _, name = target.rpartition(":")
    if not home:
        raise UsageError(f"{target!r} does not name a function", key="script", hint="Write module_or_file:function.")
    if home.endswith(".py"):
        spec = importlib.util.spec_from_file_location("loopback_script", home)
        if spec is None or spec.loader is None:
            raise UsageError("cannot be loaded", path=home, key="script")
        module = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except FileNotFoundError as error:
            raise UsageError("there is no such file", path=home, key="script") from error
    else:
        try:
            module = importlib.import_module(home)
        except ImportError as error:
            raise UsageError(str(error), key="script") from error
    function = getattr(module, name, None)
    if not callable(function):
        raise UsageError(f"{home} has no function {name!r}", key="script")
    return function  # type: ignore[no-any-return]


def _sha(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
