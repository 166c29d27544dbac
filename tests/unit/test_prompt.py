"""Prompts turn from text to chat and back as openai/evals does it."""

from __future__ import annotations

from typing import Any

import pytest

from aigc_evals.errors import SampleError
from aigc_evals.prompt.base import (
    ChatCompletionPrompt,
    CompletionPrompt,
    chat_prompt_to_text_prompt,
    is_chat_prompt,
    text_prompt_to_chat_prompt,
)

SYSTEM = {"role": "system", "content": "Translate."}
USER = {"role": "user", "content": "你好"}


@pytest.mark.parametrize(
    "prompt, expected",
    [
        ([USER], "你好"),
        ([SYSTEM, USER], "Translate.\nUser: 你好\nAssistant:"),
        (
            [SYSTEM, {"role": "system", "name": "example_user", "content": "a"}, USER],
            "Translate.\nUser: a\nUser: 你好\nAssistant:",
        ),
        ([{"role": "tool", "content": "x"}, USER], "Tool: x\nUser: 你好\nAssistant:"),
        ([{"role": "system", "content": "  lead"}, USER], "lead\nUser: 你好\nAssistant:"),
        ([], "Assistant:"),
        ([{"role": "user", "content": None}, USER], "User: \nUser: 你好\nAssistant:"),
    ],
)
def test_a_conversation_reads_as_prefixed_lines(prompt: Any, expected: str) -> None:
    assert chat_prompt_to_text_prompt(prompt) == expected


def test_without_a_completion_to_come_the_text_ends_with_the_last_message() -> None:
    assert chat_prompt_to_text_prompt([SYSTEM, USER], for_completion=False) == "Translate.\nUser: 你好\n"


def test_prefixes_can_be_given() -> None:
    text = chat_prompt_to_text_prompt([SYSTEM, USER], chat_to_prefixes={"user": "问：", "assistant": "答： "})
    assert text == "System: Translate.\n问：你好\n答："


def test_parts_of_a_multimodal_message_give_their_text() -> None:
    parts = [
        {"type": "text", "text": "看图"},
        {"type": "image_url", "image_url": {"url": "x"}},
        {"type": "text", "text": "?"},
    ]
    assert chat_prompt_to_text_prompt([{"role": "user", "content": parts}]) == "看图\n?"


@pytest.mark.parametrize("prompt", ["text", [1], None, [{"role": "user"}], [USER, {"content": "x"}]])
def test_what_is_no_conversation_is_a_sample_error(prompt: Any) -> None:
    with pytest.raises(SampleError):
        chat_prompt_to_text_prompt(prompt)


def test_text_becomes_one_system_message() -> None:
    assert text_prompt_to_chat_prompt("嗨") == [{"role": "system", "content": "嗨"}]
    assert ChatCompletionPrompt("嗨").to_formatted_prompt() == [{"role": "system", "content": "嗨"}]
    with pytest.raises(SampleError):
        text_prompt_to_chat_prompt([USER])  # type: ignore[arg-type]


def test_each_prompt_class_passes_its_own_form_unchanged() -> None:
    chat = [SYSTEM, USER]
    assert ChatCompletionPrompt(chat).to_formatted_prompt() is chat
    assert CompletionPrompt("text").to_formatted_prompt() == "text"
    assert CompletionPrompt(chat).to_formatted_prompt().endswith("Assistant:")


def test_a_list_of_messages_is_a_chat_prompt() -> None:
    assert is_chat_prompt([])
    assert is_chat_prompt([USER])
    assert not is_chat_prompt("x")
    assert not is_chat_prompt(["x"])
    assert not is_chat_prompt((USER,))
