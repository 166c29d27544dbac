"""What eval classes share: normalising and matching texts, filling prompt templates, asking with a template.

Pure functions but for ``PromptFn``, which makes the call.
"""

from __future__ import annotations

import inspect
import re
import string
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from aigc_evals.errors import SampleError
from aigc_evals.prompt.base import Prompt, chat_prompt_to_text_prompt, is_chat_prompt

if TYPE_CHECKING:
    from aigc_evals.api import CompletionFn
    from aigc_evals.prompt.base import OpenAICreateChatPrompt, OpenAICreatePrompt

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLE = re.compile(r"\b(?:an?|the)\b")
_SCORE_SECTION = re.compile(r"## (?P<name>.+?)\n.+?(?P<score>\d)/5", re.DOTALL)
_YESNO_SECTION = re.compile(r"## (?P<name>.+?)\n.+?(?P<letter>[yn])", re.DOTALL)

_Answer = TypeVar("_Answer", bound=Hashable)


def normalize(s: str) -> str:
    """Lower case, without ASCII punctuation, the words a, an, the, and surplus white space.

    "A" alone becomes "", and full-width or Chinese punctuation stays.
    """
    return " ".join(_ARTICLE.sub(" ", s.lower().translate(_PUNCTUATION)).split())


def fuzzy_match(s1: str, s2: str) -> bool:
    """Whether one text contains the other once both are normalised; an empty one matches only an empty one.

    "1" matches "11", and "hello" matches "othello": containment looks at characters, not at words.
    """
    a, b = normalize(s1), normalize(s2)
    return a == b if not a or not b else a in b or b in a


def f1_score(prediction: str, answers: Sequence[str]) -> float:
    """The best token F1 of ``prediction`` over ``answers``: of the normalised words shared, counted as often
    as in both.

    0 when nothing is shared (two empty texts too). Raises SampleError when there are no answers.
    """
    if not answers:
        raise SampleError("there is no answer to compare the prediction with")
    return max(_token_f1(normalize(prediction).split(), normalize(answer).split()) for answer in answers)


def _token_f1(predicted: list[str], wanted: list[str]) -> float:
    shared = sum((Counter(predicted) & Counter(wanted)).values())
    if not shared:
        return 0.0
    precision, recall = shared / len(predicted), shared / len(wanted)
    return 2 * precision * recall / (precision + recall)


def get_answer(text: str, answer_prompt: str, ignore_case: bool = False) -> str | None:
    """The last occurrence of ``answer_prompt`` in ``text``, spelled as there; None when there is none."""
    place = text.lower().rfind(answer_prompt.lower()) if ignore_case else text.rfind(answer_prompt)
    return None if place < 0 else text[place : place + len(answer_prompt)]


def get_consensus(answers: Iterable[_Answer | None]) -> _Answer | None:
    """The most frequent answer, the earliest of those equally frequent; None counts as no vote."""
    votes = Counter(answer for answer in answers if answer is not None)
    return max(votes, key=votes.__getitem__) if votes else None


def get_scores_from_text(text: str) -> dict[str, int]:
    """The scores of a review in sections: for each heading "## name", the next digit that is followed by
    "/5".
    """
    return {found["name"]: int(found["score"]) for found in _SCORE_SECTION.finditer(text)}


def get_yesno_from_text(text: str) -> dict[str, str]:
    """The verdicts of a review in sections: for each heading "## name", the next letter y or n after its
    line.
    """
    return {found["name"]: found["letter"] for found in _YESNO_SECTION.finditer(text)}


def get_letter_from_data(data: str) -> str:
    """Whichever of the letters y and n comes last; "y" when neither occurs."""
    return "y" if data.rfind("y") >= data.rfind("n") else "n"


def scrub_formatting_from_prompt(prompt: Any) -> Any:
    """A copy of a text or chat prompt with its braces doubled, so that filling it as a template gives it
    back.
    """
    if not is_chat_prompt(prompt):
        return _double_braces(prompt)
    return [
        {**message, "content": _map_content(message["content"], _double_braces)}
        if "content" in message
        else {**message}
        for message in prompt
    ]


def _double_braces(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _map_content(content: Any, change: Any) -> Any:
    """``change`` applied to the text of a message, or to the text parts of one that has parts."""
    if isinstance(content, str):
        return change(content)
    if isinstance(content, list):
        return [
            {**part, "text": change(part["text"])}
            if isinstance(part, dict) and isinstance(part.get("text"), str)
            else part
            for part in content
        ]
    return content


def fill_template(template: str, values: Mapping[str, Any], allow_missing: bool = False) -> str:
    """``template`` with its {fields} replaced from ``values``, which may hold more than it needs.

    Braces inside the values are left alone. With ``allow_missing``, fields without a value stay as they are,
    but one at least must have one. Raises SampleError for a missing field and for a malformed template.
    """
    try:
        fields = [name for _, name, _, _ in string.Formatter().parse(template) if name]
    except ValueError as error:
        raise SampleError(f"the template is malformed: {error}\n{template}") from None
    missing = [name for name in fields if name not in values]
    if (missing and not allow_missing) or (allow_missing and len(missing) == len(fields)):
        wanted = ", ".join(dict.fromkeys(missing)) or "any field"
        known = ", ".join(sorted(values)) or "nothing"
        raise SampleError(f"the template needs {wanted}; there is {known}\n{template}")
    try:
        return template.format(**{name: values.get(name, f"{{{name}}}") for name in fields})
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise SampleError(f"the template cannot be filled: {error}\n{template}") from None


def fill_prompt(prompt: Any, values: Mapping[str, Any], allow_missing: bool = False) -> Any:
    """A text or chat prompt with its {fields} replaced; values that are conversations become text. See
    fill_template.
    """
    texts = {
        name: chat_prompt_to_text_prompt(value, for_completion=False) if is_chat_prompt(value) else value
        for name, value in values.items()
    }
    if not is_chat_prompt(prompt):
        return fill_template(prompt, texts, allow_missing)

    def filled(text: str) -> str:
        return fill_template(text, texts, allow_missing)

    return [
        {**message, "content": _map_content(message["content"], filled)} if "content" in message else {**message}
        for message in prompt
    ]


def format_necessary(template: str, allow_missing: bool = False, **kwargs: Any) -> str:
    """``fill_template`` with the values as keyword arguments."""
    return fill_template(template, kwargs, allow_missing)


def format_prompt(prompt: Any, allow_missing: bool = False, **kwargs: Any) -> Any:
    """``fill_prompt`` with the values as keyword arguments."""
    return fill_prompt(prompt, kwargs, allow_missing)


class PromptFn:
    """A completion function behind a prompt template: called with the template's fields, it asks and answers.

    The call passes max_tokens, temperature, top_p 1, both penalties 0 and n, then ``completion_kwargs``
    (which may set any of these anew).
    """

    def __init__(
        self,
        prompt: OpenAICreatePrompt | OpenAICreateChatPrompt | Prompt,
        completion_fn: CompletionFn,
        max_tokens: int,
        temperature: float = 0,
        n_samples: int | None = None,
        completion_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        self.prompt = prompt.to_formatted_prompt() if isinstance(prompt, Prompt) else prompt
        self.completion_fn = completion_fn
        self.max_tokens = max_tokens
        self.temperature = temperature
        self.n_samples = n_samples
        self.completion_kwargs = dict(completion_kwargs or {})

    def __call__(self, **kwargs: Any) -> tuple[str, Any]:
        """The first answer ("" when the model gave none) and the prompt as it was sent."""
        prompt = fill_prompt(self.prompt, kwargs)
        return first_answer(self.completion_fn(prompt=prompt, **self._call_kwargs())), prompt

    async def acall(self, **kwargs: Any) -> tuple[str, Any]:
        """As a plain call, but awaits the completion function's ``acall`` where it has one."""
        prompt = fill_prompt(self.prompt, kwargs)
        call = getattr(self.completion_fn, "acall", None) or self.completion_fn
        result = call(prompt=prompt, **self._call_kwargs())
        return first_answer(await result if inspect.isawaitable(result) else result), prompt

    def _call_kwargs(self) -> dict[str, Any]:
        return completion_arguments(self.max_tokens, self.temperature, self.n_samples, self.completion_kwargs)


def completion_arguments(
    max_tokens: int = 1024,
    temperature: float = 0,
    n_samples: int | None = None,
    completion_kwargs: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The keyword arguments of a call as openai/evals makes one; ``completion_kwargs`` may set any of them anew."""
    return {
        "max_tokens": max_tokens,
        "temperature": temperature,
        "top_p": 1,
        "frequency_penalty": 0,
        "presence_penalty": 0,
        "n": 1 if n_samples is None else n_samples,
        **(completion_kwargs or {}),
    }


def first_answer(result: Any) -> str:
    """The first completion of a result (a text is its own); "" where there is none."""
    completions = [result] if isinstance(result, str) else result.get_completions()
    return (completions[0] if completions else None) or ""
