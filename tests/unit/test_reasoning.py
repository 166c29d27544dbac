"""Visible reasoning is taken off, and an answer that only talks about the tags is left whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigc_evals.sampling.reasoning import split_reasoning


@pytest.mark.parametrize(
    "text, answer, reasoning",
    [
        ("<think>因为二加二</think>\n\n四", "四", "因为二加二"),
        ("  \n<THINK>a</Think> b", "b", "a"),
        ("<thinking>a</thinking>b", "b", "a"),
        ("<reasoning>a</reasoning>b", "b", "a"),
        ("<think>a</think>\n<think>b</think>\nc", "c", "a\n\nb"),
        ("<think>\n\n</think>\n\n4", "4", ""),
        ("so it is 4\n</think>\n\n4", "4", "so it is 4"),
        ("a </think> b </think> c", "c", "a </think> b"),
        ("<think>never done", "", "never done"),
        ("<think>a</think><think>never done", "", "a\n\nnever done"),
        ("<think>I shall write <think> tags</think> yes", "yes", "I shall write <think> tags"),
        ("<think>a <think>b</think> c</think> d", "d", "a <think>b</think> c"),
        ("<think>a</think> close it with </think>", "close it with </think>", "a"),
        ("<think>I write `</think>` last</think>x", "x", "I write `</think>` last"),
        ("<think>```py\nx = 1\n</think>\nfour", "four", "```py\nx = 1"),
        ("<thinking>a</think> b", "b", "a"),
        ("thought\n</think>\nWrite `</think>` to end.", "Write `</think>` to end.", "thought"),
        ("thought</think>\n```\n</think>\n```", "```\n</think>\n```", "thought"),
        ("<think></think>", "", ""),
    ],
)
def test_reasoning_is_taken_off(text: str, answer: str, reasoning: str) -> None:
    assert split_reasoning(text) == (answer, reasoning)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4",
        " 4 ",
        "a < b and b > c",
        "End the block with `</think>`.",
        "End the block with ``</think>``.",
        "例：\n```xml\n<think>x</think>\n```\n完",
        "```\n</think>\n```",
        'It prints "</think>" and stops.',
        "它输出「</think>」后停止。",
        "The model writes <think>...</think> first.",
        "An opening <think> alone",
        "<thinker>a</thinker>",
        "`<think>a</think>` is how it begins",
    ],
)
def test_an_answer_without_reasoning_is_the_same_object(text: str) -> None:
    answer, reasoning = split_reasoning(text)
    assert answer is text
    assert reasoning is None


@given(st.text(st.characters(exclude_characters="<`~")), st.text(st.characters(exclude_characters="<`~")))
def test_a_block_before_any_answer_comes_off_whole(thought: str, answer: str) -> None:
    assert split_reasoning(f"<think>{thought}</think>{answer}") == (answer.lstrip(), thought.strip())


@given(st.lists(st.sampled_from(["<think>", "</think>", "</reasoning>", "`", "```\n", '"', "\n", "a "]), max_size=12))
def test_no_text_breaks_it_and_the_answer_ends_the_text(pieces: list[str]) -> None:
    text = "".join(pieces)
    answer, _ = split_reasoning(text)
    assert text.endswith(answer)
