"""Matching and template filling behave as in openai/evals, and sample text never acts as a template."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigc_evals.elsuite import utils
from aigc_evals.errors import SampleError
from aigc_evals.prompt.base import CompletionPrompt


@pytest.mark.parametrize(
    "text, expected",
    [
        ("", ""),
        ("The  cat's\nhat", "cats hat"),
        ("A", ""),
        ("Another an, theme", "another theme"),
        ("你好，世界。", "你好，世界。"),
        ("ÉCOLE!", "école"),
    ],
)
def test_normalising(text: str, expected: str) -> None:
    assert utils.normalize(text) == expected


@given(st.text())
def test_normalising_leaves_single_spaces_and_no_ascii_punctuation(text: str) -> None:
    once = utils.normalize(text)
    assert once == " ".join(once.split())
    assert not set(once) & set("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")


@pytest.mark.parametrize(
    "a, b, expected",
    [
        ("", "", True),
        ("x", "", False),
        ("hello", "Othello", True),
        ("1", "11", True),
        ("A", "B", False),
        ("北京", "在北京。", True),
    ],
)
def test_fuzzy_matching_is_containment_either_way(a: str, b: str, expected: bool) -> None:
    assert utils.fuzzy_match(a, b) is expected
    assert utils.fuzzy_match(b, a) is expected


def test_f1_is_the_best_over_the_answers() -> None:
    assert utils.f1_score("the cat sat", ["a dog", "cat sat down"]) == pytest.approx(0.8)
    assert utils.f1_score("x", ["y"]) == 0
    assert utils.f1_score("", [""]) == 0
    with pytest.raises(SampleError):
        utils.f1_score("x", [])


@given(st.lists(st.sampled_from("abc"), max_size=8), st.lists(st.sampled_from("abc"), max_size=8))
def test_f1_is_symmetric(a: list[str], b: list[str]) -> None:
    left, right = " ".join(f"w{x}" for x in a), " ".join(f"w{x}" for x in b)
    assert utils.f1_score(left, [right]) == pytest.approx(utils.f1_score(right, [left]))


def test_the_last_occurrence_of_an_answer_is_found() -> None:
    assert utils.get_answer("Yes or yes", "yes") == "yes"
    assert utils.get_answer("no, YES", "yes", ignore_case=True) == "YES"
    assert utils.get_answer("no", "yes") is None


@given(st.lists(st.sampled_from([None, "甲", "乙", "丙"])))
def test_the_consensus_is_the_most_frequent_real_answer(answers: list[str | None]) -> None:
    counts = Counter(a for a in answers if a is not None)
    found = utils.get_consensus(answers)
    if not counts:
        assert found is None
    else:
        best = [a for a in answers if a is not None and counts[a] == max(counts.values())]
        assert found == best[0]


def test_reviews_in_sections_are_read() -> None:
    text = "## clarity\nquite good 4/5\n## depth\nIt gets 2/5."
    assert utils.get_scores_from_text(text) == {"clarity": 4, "depth": 2}
    assert utils.get_yesno_from_text("## a\nso: y\n## b\n: n") == {"a": "y", "b": "n"}
    assert [utils.get_letter_from_data(d) for d in ("y then n", "n, y", "zzz")] == ["n", "y", "y"]


@given(st.text())
def test_scrubbed_text_survives_being_filled(text: str) -> None:
    scrubbed = utils.scrub_formatting_from_prompt([{"role": "user", "content": f"{text}{{"}])
    assert utils.format_prompt(scrubbed) == [{"role": "user", "content": f"{text}{{"}]


def test_scrubbing_leaves_its_argument_alone() -> None:
    prompt: list[Any] = [
        {"role": "user", "content": "{x}"},
        {"role": "user", "content": [{"type": "text", "text": "{"}]},
    ]
    scrubbed = utils.scrub_formatting_from_prompt(prompt)
    assert scrubbed[0]["content"] == "{{x}}"
    assert scrubbed[1]["content"][0]["text"] == "{{"
    assert prompt == [
        {"role": "user", "content": "{x}"},
        {"role": "user", "content": [{"type": "text", "text": "{"}]},
    ]
    assert utils.scrub_formatting_from_prompt("{x}") == "{{x}}"


@given(st.text(), st.text())
def test_values_are_never_templates(question: str, answer: str) -> None:
    filled = utils.format_necessary("Q: {q} A: {a}", q=question, a=answer, unused="{z}")
    assert filled == f"Q: {question} A: {answer}"


@pytest.mark.parametrize(
    "template, message",
    [
        ("{missing}", "missing"),
        ("{x", "malformed"),
        ("}", "malformed"),
        ("{}", "cannot"),
        ("{x.y}", "x.y"),
        ("{x:d}", "cannot"),
    ],
)
def test_a_template_that_cannot_be_filled_is_a_sample_error(template: str, message: str) -> None:
    with pytest.raises(SampleError, match=message):
        utils.format_necessary(template, x="1")


def test_missing_fields_may_stay_when_allowed_but_not_all_of_them() -> None:
    assert utils.format_necessary("{a} {b}", allow_missing=True, a="1") == "1 {b}"
    with pytest.raises(SampleError):
        utils.format_necessary("{a} {b}", allow_missing=True, c="1")


def test_fields_named_like_arguments_can_be_filled() -> None:
    assert utils.fill_prompt("{prompt} {template}", {"prompt": "p", "template": "t"}) == "p t"


def test_conversations_as_values_become_text() -> None:
    talk = [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}]
    assert utils.format_prompt("[{talk}]", talk=talk) == "[S\nUser: U\n]"
    prompt: list[Any] = [
        {"role": "user", "content": "{talk}"},
        {"role": "user", "content": [{"type": "text", "text": "{talk}"}]},
    ]
    filled = utils.format_prompt(prompt, talk="嗨")
    assert filled == [
        {"role": "user", "content": "嗨"},
        {"role": "user", "content": [{"type": "text", "text": "嗨"}]},
    ]
    assert prompt[0]["content"] == "{talk}"


class Recording:
    def __init__(self, completions: list[str]) -> None:
        self.completions = completions
        self.calls: list[dict[str, Any]] = []

    def __call__(self, **kwargs: Any) -> Recording:
        self.calls.append(kwargs)
        return self

    def get_completions(self) -> list[str]:
        return self.completions


class Awaited(Recording):
    async def acall(self, **kwargs: Any) -> Recording:
        return self(**kwargs, awaited=True)


def test_a_prompt_function_asks_with_the_filled_template() -> None:
    model = Recording(["first", "second"])
    ask = utils.PromptFn("{x}?", model, max_tokens=5, completion_kwargs={"top_p": 0.5, "stop": "."})  # type: ignore[arg-type]
    assert ask(x="天") == ("first", "天?")
    assert model.calls == [
        {
            "prompt": "天?",
            "max_tokens": 5,
            "temperature": 0,
            "top_p": 0.5,
            "frequency_penalty": 0,
            "presence_penalty": 0,
            "n": 1,
            "stop": ".",
        }
    ]


def test_a_prompt_function_awaits_where_it_can() -> None:
    plain, awaited = Recording(["p"]), Awaited(["a"])
    for model, answer in ((plain, "p"), (awaited, "a")):
        ask = utils.PromptFn([{"role": "user", "content": "{x}"}], model, 5, n_samples=2)  # type: ignore[arg-type]
        assert asyncio.run(ask.acall(x="1")) == (answer, [{"role": "user", "content": "1"}])
    assert "awaited" not in plain.calls[0]
    assert awaited.calls[0]["awaited"] is True
    assert awaited.calls[0]["n"] == 2


def test_no_completion_and_plain_strings_are_answers_too() -> None:
    assert utils.PromptFn("x", Recording([]), 5)() == ("", "x")  # type: ignore[arg-type]
    assert utils.PromptFn(CompletionPrompt("x"), lambda **_: "text", 5)() == ("text", "x")  # type: ignore[arg-type]
