"""Grading by a model, piece by piece: the question put to it, the verdict read from its reply, and what that is worth.

Everything but the two functions that ask is a pure function over plain values.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from aigc_evals.elsuite.denial import is_denied
from aigc_evals.elsuite.modelgraded.base import ModelGradedSpec
from aigc_evals.elsuite.utils import completion_arguments, first_answer, format_necessary, format_prompt
from aigc_evals.errors import SampleError, UsageError, nearest
from aigc_evals.prompt.base import chat_prompt_to_text_prompt, is_chat_prompt
from aigc_evals.sampling import JUDGE, POLICY

INVALID_STR = "__invalid__"
"""The verdict of a reply in which none can be found."""

_T = TypeVar("_T")

MatchFn = Callable[[str, str], Any]

MATCH_FNS: dict[str, MatchFn] = {
    "include": lambda line, choice: choice in line,
    "exact": lambda line, choice: line == choice,
    "endswith": lambda line, choice: line.endswith(choice),
    "starts_or_endswith": lambda line, choice: line.startswith(choice) or line.endswith(choice),
}
"""How a choice is looked for in a line of the reply, both free of punctuation; case counts."""

_LAST_LINE = (
    "Think it through in writing before you decide; do not begin with your verdict. When you have decided, write exactly "
    "one of {choices} on a line of its own, with no quotation marks and no punctuation. Make that choice, alone, the last "
    "line of your reply.\n\nReasoning:"
)
_LAST_LINE_ZH = (
    "请先逐步写出你的推理过程，不要一开始就给出结论。推理完成后，从 {choices} 中选出唯一的一个选项，单独写在一行里，"
    "不加引号，也不加任何标点。最后，请务必另起一行，把这个选项再单独重复一遍，最后一行只能有这个选项，不能有其他任何文字。\n\n推理："
)
_LAST_LINE_JP = (
    "まず、判断に至る考えを順を追って書いてください。最初に結論を述べないでください。考え終えたら、{choices} の中から一つだけを選び、"
    "引用符や句読点を付けずに一行で書いてください。最後の行には、その選択肢だけをもう一度書いてください。\n\n考え："
)
ANSWER_PROMPTS: dict[str, str] = {
    "classify": (
        "Reply with exactly one of {choices} and nothing else: no quotation marks, no punctuation, no explanation."
    ),
    "classify_cot": (
        "On the first line write exactly one of {choices}, with no quotation marks and no punctuation. "
        "From the second line on, explain step by step how you came to it."
    ),
    "cot_classify": _LAST_LINE,
    "classify_zh": "请只回答 {choices} 中的一个选项，不加引号和标点，也不要写任何其他文字。",
    "classify_cot_zh": "请在第一行只写 {choices} 中的一个选项，不加引号和标点。从第二行起，逐步说明你的理由。",
    "cot_classify_zh": _LAST_LINE_ZH,
    "classify_jp": "{choices} の中から一つだけを、引用符や句読点を付けずに答えてください。ほかの文字は書かないでください。",
    "classify_cot_jp": (
        "一行目に {choices} の中から一つだけを、引用符や句読点を付けずに書いてください。二行目から、その理由を順を追って説明してください。"
    ),
    "cot_classify_jp": _LAST_LINE_JP,
}
"""What is appended to the prompt for each ``eval_type``."""


def get_choice_strings(choice_strings: Sequence[str] | str, n: int | None = None) -> list[str]:
    """The verdicts as a list; ``from_n*`` stand for the numbers or letters of ``n`` completions.

    UsageError where a verdict has ASCII punctuation, which is deleted from replies before they are read.
    """
    count = n or 1
    if choice_strings == "from_n":
        choices = [str(i + 1) for i in range(count)]
    elif choice_strings == "from_n_abc":
        choices = [string.ascii_lowercase[i % 26] for i in range(count)]
    elif choice_strings == "from_n_ABC":
        choices = [string.ascii_uppercase[i % 26] for i in range(count)]
    else:
        choices = [str(choice) for choice in choice_strings]
    for choice in choices:
        if any(character in string.punctuation for character in choice):
            raise UsageError(
                f"the choice {choice!r} contains punctuation, which is taken out of replies, so it can never be found",
                key="choice_strings",
            )
    return choices


def choice_to_str(choice_strings: Iterable[str]) -> str:
    """``"Yes" or "No" or "Unsure"``."""
    return " or ".join(f'"{choice}"' for choice in choice_strings)


def get_choice_score(
    choice: str, choice_strings: Iterable[str], choice_scores: Mapping[str, float] | str | None = None
) -> float | None:
    """What a verdict is worth; None without ``choice_scores``. The invalid verdict is worth the least there is."""
    scores = score_table(choice_strings, choice_scores)
    if scores is None:
        return None
    return min(scores.values()) if choice == INVALID_STR else scores[choice]


def score_table(
    choice_strings: Iterable[str], choice_scores: Mapping[str, float] | str | None
) -> dict[str, float] | None:
    """``choice_scores`` as a mapping; UsageError where a verdict has no number."""
    if choice_scores is None:
        return None
    try:
        if isinstance(choice_scores, str):
            if choice_scores != "from_strings":
                raise UsageError(f"expected a mapping or from_strings, got {choice_scores!r}", key="choice_scores")
            return {choice: float(choice) for choice in choice_strings}
        table = {str(key): float(value) for key, value in choice_scores.items()}
    except (TypeError, ValueError) as error:
        raise UsageError(f"a choice has no number: {error}", key="choice_scores") from None
    missing = [choice for choice in choice_strings if choice not in table]
    if missing:
        raise UsageError(f"no score for the choices {missing}", key="choice_scores")
    return table


def match_function(match_fn: str | MatchFn | None) -> MatchFn:
    """A function of ``MATCH_FNS`` by name (default ``starts_or_endswith``), or itself."""
    if match_fn is None:
        return MATCH_FNS["starts_or_endswith"]
    if callable(match_fn):
        return match_fn
    if match_fn not in MATCH_FNS:
        hint = nearest(match_fn, MATCH_FNS) or f"It is one of: {', '.join(MATCH_FNS)}"
        raise UsageError(f"unknown match_fn {match_fn!r}", key="match_fn", hint=hint)
    return MATCH_FNS[match_fn]


def get_choice(text: str, eval_type: str | None, match_fn: str | MatchFn | None, choice_strings: Iterable[str]) -> str:
    """The verdict in a reply, or ``__invalid__``.

    Its lines (from the last one on for ``cot_classify*``) are stripped and freed of punctuation, Markdown's and Chinese
    included, and full-width letters and digits become plain ones; the first line and the first choice that ``match_fn``
    accepts decide. Of two choices one of which contains the other (``incorrect``, ``不正确``), that one is meant; a choice that
    is denied in Chinese (``不是`` where ``是`` is one, ``不太正确``, ``不选B``) is none. English denials are not looked at.
    """
    accepts = match_function(match_fn)
    choices = list(choice_strings)
    wanted = frozenset("".join(choices))
    lines = text.strip().split("\n")
    if eval_type is not None and eval_type.startswith("cot_classify"):
        lines.reverse()
    for line in lines:
        bare = _bare(line.strip(), wanted)
        if not bare:
            continue
        accepted = [choice for choice in choices if accepts(bare, choice)]
        for choice in accepted:
            contained = any(choice in other and choice != other for other in accepted)
            if not contained and not _is_denied(line, choice, wanted):
                return choice
        if accepted:
            break
    return INVALID_STR


def _is_denied(line: str, choice: str, wanted: Collection[str]) -> bool:
    """Whether a choice stands in a line only where Chinese words that deny it lead to it, in the same phrase."""
    phrases = [_bare(phrase, wanted) for phrase in re.split(f"[{''.join(_STOPS.difference(wanted))}]", line)]
    phrases = [phrase for phrase in phrases if choice in phrase] or [_bare(line, wanted)]
    places = ((phrase, found.start()) for phrase in phrases for found in re.finditer(re.escape(choice), phrase))
    leading = [phrase[max(0, start - _REACH) : start] for phrase, start in places]
    return bool(leading) and all(is_denied("".join(before.split())) for before in leading)


def _bare(line: str, wanted: Collection[str]) -> str:
    """The line without punctuation, invisible characters and full-width forms, but for what ``wanted`` choices consist of."""
    if line.isascii():
        return line.translate(_ASCII_PUNCTUATION)
    kept = (
        character if character in wanted else character.translate(_PLAIN)
        for character in line
        if character in wanted or not _is_adornment(character)
    )
    return "".join(kept).translate(_ASCII_PUNCTUATION).strip()


def _is_adornment(character: str) -> bool:
    category = unicodedata.category(character)
    return not character.isascii() and (category[0] == "P" or category == "Cf")


_REACH = 40
"""How many characters before a choice are looked at."""

_STOPS = frozenset("，。；！？、…,;!?\n")
"""Where a phrase ends; a new line is in no line, so there is always one that no choice contains."""

_ASCII_PUNCTUATION = str.maketrans("", "", string.punctuation)
_PLAIN = {ord(character) + 0xFEE0: character for character in string.ascii_letters + string.digits}
"""Full-width letters and digits (Ａ, １) to the plain ones."""


def append_answer_prompt(
    prompt: Sequence[Mapping[str, Any]],
    eval_type: str,
    append_type: str = "as_content",
    answer_prompt: str | list[dict[str, Any]] | None = None,
    choice_strings: Iterable[str] | None = None,
) -> list[dict[str, Any]]:
    """A new chat prompt with the instruction of ``eval_type`` at its end: in the last message, or as a message."""
    messages = [dict(message) for message in prompt]
    asked: Any = answer_prompt or _answer_prompt(eval_type)
    asked = format_prompt(asked, choices=choice_to_str(choice_strings or ()))
    if append_type == "as_content" and isinstance(asked, str):
        messages[-1]["content"] += "\n\n" + asked
    elif append_type == "as_message" and is_chat_prompt(asked):
        messages += asked
    else:
        raise ValueError(f"cannot append a {type(asked).__name__} {append_type!r}")
    return messages


def _answer_prompt(eval_type: str) -> str:
    if eval_type not in ANSWER_PROMPTS:
        hint = nearest(eval_type, ANSWER_PROMPTS) or f"It is one of: {', '.join(ANSWER_PROMPTS)}"
        raise UsageError(f"unknown eval_type {eval_type!r}", key="eval_type", hint=hint)
    return ANSWER_PROMPTS[eval_type]


def as_text(value: Any) -> Any:
    """A chat prompt as text, without the closing "Assistant:"; anything else as it is."""
    if isinstance(value, list) and value and is_chat_prompt(value):
        return chat_prompt_to_text_prompt(value, for_completion=False)
    return value


def fill(prompt: Sequence[Mapping[str, Any]], values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A new chat prompt with the placeholders of its contents filled.

    Values are put in as they are: braces in a sample's text mean nothing. SampleError where a placeholder has no value.
    """
    texts = {key: as_text(value) for key, value in values.items()}
    return [
        {**message, "content": format_necessary(message["content"], **texts)} if "content" in message else dict(message)
        for message in prompt
    ]


def judge_prompt(mg: ModelGradedSpec, eval_type: str | None, choices: Sequence[str]) -> list[dict[str, Any]]:
    """The prompt of a spec as a chat, with the instruction of ``eval_type`` (if any) at its end; not yet filled."""
    prompt = [{"role": "user", "content": mg.prompt}] if isinstance(mg.prompt, str) else mg.prompt
    if eval_type is None:
        return [dict(message) for message in prompt]
    # The instruction is filled before the rest of the prompt is: what it says in braces must stay as it is.
    return append_answer_prompt(prompt, eval_type, choice_strings=choices)


async def aask(fn: Any, prompt: Any, kwargs: Mapping[str, Any], role: str = POLICY) -> str:
    """The first answer of ``fn``; "" where it gave none."""
    if hasattr(fn, "sampler"):
        kwargs = {**kwargs, "role": role}
    call = getattr(fn, "acall", None)
    return first_answer(fn(prompt=prompt, **kwargs) if call is None else await call(prompt=prompt, **kwargs))


class _Called:
    """A completion function that is asked by a plain call: during a run only the run's own loop may await one of its own."""

    def __init__(self, fn: Any) -> None:
        self._fn = fn
        if hasattr(fn, "sampler"):
            self.sampler = fn.sampler

    def __call__(self, **kwargs: Any) -> Any:
        return self._fn(**kwargs)


def _at_once(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """The result of a coroutine that asks ``_Called`` functions only, and so has nothing to wait for."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    raise RuntimeError(f"{coroutine} waits for something")


async def aclassify(
    mg: ModelGradedSpec,
    completion_fn: Any,
    completion_kwargs: Mapping[str, Any] | None = None,
    format_kwargs: Mapping[str, Any] | None = None,
    eval_type: str | None = None,
    n: int | None = None,
    match_fn: str | MatchFn | None = None,
) -> tuple[str, dict[str, Any]]:
    """Ask the grading model and read its verdict: (choice, {score, sampled, prompt, invalid_choice})."""
    choices = get_choice_strings(mg.choice_strings, n=n)
    prompt = fill(judge_prompt(mg, eval_type, choices), {"n": n, **(format_kwargs or {})})
    reply = await aask(completion_fn, prompt, completion_arguments(**(completion_kwargs or {})), role=JUDGE)
    choice = get_choice(reply, mg.eval_type or eval_type, match_fn, choices)
    return choice, {
        "score": get_choice_score(choice, choices, mg.choice_scores),
        "sampled": [reply],
        "prompt": prompt,
        "invalid_choice": choice == INVALID_STR,
    }


def classify(
    mg: ModelGradedSpec,
    completion_fn: Any,
    completion_kwargs: Mapping[str, Any] | None = None,
    format_kwargs: Mapping[str, Any] | None = None,
    eval_type: str | None = None,
    n: int | None = None,
    match_fn: str | MatchFn | None = None,
) -> tuple[str, dict[str, Any]]:
    """``aclassify`` from plain code."""
    called = _Called(completion_fn)
    return _at_once(aclassify(mg, called, completion_kwargs, format_kwargs, eval_type, n, match_fn))


async def asample_and_concat_n_completions(
    completion_fns: Sequence[Any], prompt: Any, n: int, template_i: str | None, sample_kwargs: Mapping[str, Any]
) -> str:
    """``n`` completions of one prompt, from ``n`` functions or ``n`` times from one, laid out by ``template_i``."""
    fns = _functions(completion_fns, n, template_i)
    arguments = completion_arguments(**sample_kwargs)
    return concat_n_completions([await aask(fn, prompt, arguments) for fn in fns], template_i or "")


def sample_and_concat_n_completions(
    completion_fns: Sequence[Any], prompt: Any, n: int, template_i: str | None, sample_kwargs: Mapping[str, Any]
) -> str:
    """``asample_and_concat_n_completions`` from plain code."""
    called = [_Called(fn) for fn in completion_fns]
    return _at_once(asample_and_concat_n_completions(called, prompt, n, template_i, sample_kwargs))


def _functions(completion_fns: Sequence[Any], n: int, template_i: str | None) -> list[Any]:
    if not template_i:
        raise UsageError("several completions need a spec with an output_template", key="output_template")
    fns = list(completion_fns) if len(completion_fns) > 1 else [completion_fns[0]] * n
    if len(fns) != n:
        raise UsageError(f"{n} completions from {len(fns)} functions", key="multicomp_n")
    return fns


def concat_n_completions(completions: Sequence[str], template_i: str) -> str:
    """Each completion through ``template_i`` ({i} {i_abc} {i_ABC} {output} {n}), one after the other, stripped."""
    try:
        return "".join(
            format_necessary(
                template_i,
                i=i + 1,
                i_abc=string.ascii_lowercase[i % 26],
                i_ABC=string.ascii_uppercase[i % 26],
                output=completion,
                n=len(completions),
            )
            for i, completion in enumerate(completions)
        ).strip()
    except SampleError as error:
        raise UsageError(f"output_template: {error}") from None
