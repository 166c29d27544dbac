"""Prompts as text and as chat messages, and the way from one form to the other.

Pure functions over plain values; filling templates is ``elsuite.utils``, sending prompts is
``completion_fns``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aigc_evals.errors import SampleError

OpenAICreatePrompt = str | list[str] | list[int] | list[list[int]]
"""What the text-completion endpoint takes."""

OpenAIChatMessage = dict[str, Any]
"""A message: ``role``, ``content`` (a string, or a list of parts for images and the like), perhaps
``name``.
"""

OpenAICreateChatPrompt = list[OpenAIChatMessage]
"""What the chat endpoint takes: the conversation so far."""

_PREFIXES: Mapping[str, str] = {"system": "", "example_user": "User: ", "example_assistant": "Assistant: "}


def is_chat_prompt(prompt: object) -> bool:
    """Whether ``prompt`` is a list of messages; the empty list counts as one."""
    return isinstance(prompt, list) and all(isinstance(message, dict) for message in prompt)


def content_text(content: object) -> str:
    """The text of a message's content: its text parts, one per line; images and other parts are left out."""
    if isinstance(content, str):
        return content
    if content is None:
        return ""
    if not isinstance(content, (list, tuple)):
        return str(content)
    texts = []
    for part in content:
        text = part.get("text") if isinstance(part, dict) else part
        if isinstance(text, str):
            texts.append(text)
    return "\n".join(texts)


def chat_prompt_to_text_prompt(
    prompt: OpenAICreateChatPrompt,
    for_completion: bool = True,
    chat_to_prefixes: Mapping[str, str] | None = None,
) -> str:
    """Render a conversation as text.

    A single message is its content alone. Several become one line each: a prefix and the content. The prefix
    is looked up by the message's ``name``, else its ``role``, in ``chat_to_prefixes`` (default: none for the
    system, "User: " and "Assistant: " for the example speakers); unlisted speakers are capitalised. With
    ``for_completion`` the text ends in "Assistant:", where the model is to go on. Raises SampleError for
    anything that is not a list of messages.
    """
    if not is_chat_prompt(prompt):
        raise SampleError(f"expected a list of chat messages, got {_brief(prompt)}")
    if len(prompt) == 1:
        return content_text(_field(prompt, 0, "content"))
    prefixes = _PREFIXES if chat_to_prefixes is None else chat_to_prefixes
    lines = []
    for i, message in enumerate(prompt):
        speaker = str(message["name"] if "name" in message else _field(prompt, i, "role"))
        prefix = prefixes.get(speaker, f"{speaker.capitalize()}: ")
        lines.append(f"{prefix}{content_text(_field(prompt, i, 'content'))}\n")
    if for_completion:
        lines.append(prefixes.get("assistant", "Assistant: ").rstrip())
    return "".join(lines).lstrip()


def text_prompt_to_chat_prompt(prompt: str, role: str = "system") -> OpenAICreateChatPrompt:
    """One message of ``role`` that holds the whole text."""
    if not isinstance(prompt, str):
        raise SampleError(f"expected a text prompt, got {_brief(prompt)}")
    return [{"role": role, "content": prompt}]


def _field(prompt: OpenAICreateChatPrompt, index: int, key: str) -> Any:
    try:
        return prompt[index][key]
    except KeyError:
        raise SampleError(f"message {index + 1} of the prompt has no {key!r}: {_brief(prompt[index])}") from None


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 200 else text[:200] + "..."


@dataclass
class Prompt(ABC):
    """A prompt that knows how to present itself to one kind of model."""

    @abstractmethod
    def to_formatted_prompt(self) -> Any:
        """The value to pass as the model call's ``prompt``."""


@dataclass
class CompletionPrompt(Prompt):
    """A prompt for text-completion models; conversations are rendered as text, everything else passes as it
    is.
    """

    raw_prompt: OpenAICreatePrompt | OpenAICreateChatPrompt

    def to_formatted_prompt(self) -> Any:
        if is_chat_prompt(self.raw_prompt):
            return chat_prompt_to_text_prompt(self.raw_prompt)  # type: ignore[arg-type]
        return self.raw_prompt


@dataclass
class ChatCompletionPrompt(Prompt):
    """A prompt for chat models; a text becomes one system message, a conversation passes as it is."""

    raw_prompt: OpenAICreatePrompt | OpenAICreateChatPrompt

    def to_formatted_prompt(self) -> OpenAICreateChatPrompt:
        if is_chat_prompt(self.raw_prompt):
            return self.raw_prompt  # type: ignore[return-value]
        return text_prompt_to_chat_prompt(self.raw_prompt)  # type: ignore[arg-type]
