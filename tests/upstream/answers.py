"""Deterministic answers for a scripted OpenAI-compatible endpoint: `answers.py:answer`, or `answers.py:reply`
with token counts.

The answer to a request depends on the request's text and model only. A digest of the text chooses between
many shapes of answer, so that right and wrong, well-formed and unparsable ones all occur. Two tables,
built beforehand from the data (see `tables.py`) and named by `$AIGC_EVALS_ANSWER_TABLE`, help:

* the ideals of known prompts, so that about half of the answers are right or nearly so;
* the literal beginnings and ends of judge prompts, so that a judge prompt is recognised, and hashed
  without the answer instruction that follows it, whose wording is each runner's own.

Only the standard library is used, because the file is loaded by path. With `$AIGC_EVALS_ANSWER_LOG` every
request body is appended to that file, one JSON line each.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

_TAG = re.compile(r"\[ref [0-9a-f]{8}\]")
_WORDS = re.compile(r"\w+")
_TAIL = 160
#: Begin the questions of the datasets in `local_registry`; what stands before them is a class's own wording.
_DATASET = re.compile(r"(?:Story|Bone|A tale) \d+")
_TALES = ["苹果", "banane", "яблоко", "fig", "{plum}", "pear", "'lime'", "グレープ", "kiwi", "wine"]


def answer(body: dict[str, Any]) -> str:
    """The text to answer a request body of `/chat/completions` or `/completions` with."""
    log = os.environ.get("AIGC_EVALS_ANSWER_LOG")
    if log:
        with open(log, "a", encoding="utf-8") as handle:
            handle.write(json.dumps(body, ensure_ascii=False) + "\n")
    table = _table(os.environ.get("AIGC_EVALS_ANSWER_TABLE", ""))
    text = prompt_text(body)
    if "Say nothing at all" in text:
        return ""
    model = str(body.get("model", ""))
    judge = find_judge(text, table)
    if judge is not None:
        return _judge_answer(judge, _digest(model, squeeze(cut_instruction(text, judge))))
    question = _DATASET.search(text)
    if question is not None:
        return _dataset_answer(text[question.start() :], model)
    digest = _digest(model, text)
    known = table["ideals"].get(key_of(text)) or table["ideals"].get(tail_key_of(text))
    if known is not None and known["kind"] == "ModelBasedClassify":
        return f"{_plain_answer(text, known['ideals'], digest)} [ref {digest.hex()[:8]}]"
    if known is not None and known["kind"] == "JsonMatch":
        return _json_answer(text, known["ideals"], digest)
    return _plain_answer(text, known["ideals"] if known else [], digest)


def reply(body: dict[str, Any]) -> dict[str, Any]:
    """`answer` with plain token counts, for a server that takes both from its script.

    The counts have no nested details: upstream adds up every field of the usage and fails on those. Each
    runner's own wording (see `own_words_removed`) is not counted, so that usage can be compared.
    """
    text = answer(body)
    table = _table(os.environ.get("AIGC_EVALS_ANSWER_TABLE", ""))
    asked = len(own_words_removed(prompt_text(body), table)) // 4 + 1
    answered = len(text) // 4 + 1
    usage = {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered}
    return {"content": text, "usage": usage}


def prompt_text(body: dict[str, Any]) -> str:
    """The text of a request: message contents in order with their roles and names, or the text prompt.

    A trailing "Assistant:" (the cue of a chat rendered as text) is not part of it.
    """
    if "messages" in body:
        return messages_text(body["messages"])
    prompt = body.get("prompt", "")
    text = prompt if isinstance(prompt, str) else json.dumps(prompt, ensure_ascii=False)
    return text.removesuffix("\nAssistant:")


def messages_text(messages: list[dict[str, Any]]) -> str:
    """One text for a list of messages; a single message of role system or user is its content alone."""
    if len(messages) == 1:
        return str(messages[0].get("content"))
    return "\x1e".join(f"{m.get('name', m.get('role'))}\x1f{m.get('content')}" for m in messages)


def key_of(text: str) -> str:
    """Key of a whole prompt in the table of ideals."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def tail_key_of(text: str) -> str:
    """Key of a prompt by its end alone: finds a prompt behind few-shot examples or rendered as text."""
    return "tail-" + key_of(text.rstrip()[-_TAIL:].rpartition("\x1f")[2])


def squeeze(text: str) -> str:
    """Text with runs of one brace as one: upstream doubles the braces of samples that a judge sees."""
    return re.sub(r"\}+", "}", re.sub(r"\{+", "{", text))


def find_judge(text: str, table: dict[str, Any]) -> dict[str, Any] | None:
    """The description of the judge whose prompt this is, or None for any other prompt."""
    for judge in table["judges"]:  # the longest beginning comes first
        if text.startswith(judge["head"]) and judge["tail"] in text:
            return dict(judge)
    return None


def cut_instruction(text: str, judge: dict[str, Any]) -> str:
    """A judge prompt without what follows the spec's own text.

    Where the spec ends in the completion, its end is the reference mark that policy answers carry, or the
    end of a completion known from the data; where neither is found, nothing is cut.
    """
    if judge["tail"]:
        return text[: text.rindex(judge["tail"]) + len(judge["tail"])]
    marks = list(_TAG.finditer(text))
    if marks:
        return text[: marks[-1].end()]
    rest = text[len(judge["head"]) :]
    known = [c for c in judge["completions"] if rest.startswith(c)]
    return judge["head"] + max(known, key=len) if known else text


def own_words_removed(text: str, table: dict[str, Any]) -> str:
    """A prompt without the parts whose wording each runner chooses: what two runners must agree on."""
    judge = find_judge(text, table)
    return cut_wording(text) if judge is None else squeeze(cut_instruction(text, judge))


def cut_wording(text: str) -> str:
    """A dataset's prompt without the class's own wording before the question; others as they are."""
    question = _DATASET.search(text)
    return text[question.start() :] if question else text


def _digest(*parts: str) -> bytes:
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "surrogatepass")).digest()


@lru_cache(maxsize=8)
def _table(path: str) -> dict[str, Any]:
    if not path:
        return {"ideals": {}, "judges": []}
    content: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    return content


def _judge_answer(judge: dict[str, Any], digest: bytes) -> str:
    choices: list[str] = judge["choices"] or ["1", "2", "3", "4", "a", "b", "c", "A", "B", "C"]
    first = choices[digest[1] % len(choices)]
    other = choices[digest[2] % len(choices)]
    shapes = [
        first,
        f"Let me compare them step by step.\nBoth seem fine at first.\n\n{first}",
        f"{first}\nBecause the submission says so.\nNothing else matters",
        f"The answer is ({first}).",
        f"**{first}**",
        f"逐步推理，两者说法一致\n所以选择下面一项\n{first}\n{first}",
        "I cannot decide between them, sorry",
        first.swapcase(),
        f"{first}\nOn reflection this was wrong\n{other}",
        f'  "{first}".\n',
        f"It is {first} and not {other}\n",
        f"\n\n{first}: as explained\n\nreasons follow {other}",
        f"option{first}x\n- {other}",
    ]
    return shapes[digest[0] % len(shapes)]


def _dataset_answer(question: str, model: str) -> str:
    digest = _digest(model, question)
    if question.startswith("A tale"):
        right = _TALES[int(question.split()[2]) % len(_TALES)]
        return [right, right, f"{right}.", f" {right}", right.upper(), "wine and more", "x"][digest[0] % 7]
    letter: str = "ABCD"[digest[1] % 4]
    return [letter, letter, letter, f"{letter})", letter.lower(), f" {letter}", "E"][digest[0] % 7]


def _json_answer(text: str, ideals: list[str], digest: bytes) -> str:
    ideal: str = ideals[digest[3] % len(ideals)]
    value: Any = json.loads(ideal)
    shapes: list[str] = [
        ideal,
        json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False),
        json.dumps(value),
        " " + ideal + "\n",
        json.dumps([value]),
        json.dumps({"answer": value}),
        json.dumps({**value, "more": None} if isinstance(value, dict) else value),
        json.dumps({**value, "more": 1} if isinstance(value, dict) else str(value)),
        json.dumps(dict(list(value.items())[1:]) if isinstance(value, dict) else None),
        ideal.upper(),
        ideal[:-1],
        f"```json\n{ideal}\n```",
        "NaN",
        "1e400",
        f"Sure! {ideal}",
        '{"a": 1, "a": 2}',
    ]
    if digest[0] % 4 == 0:
        return _plain_answer(text, [], digest)
    return shapes[digest[1] % len(shapes)]


def _plain_answer(text: str, ideals: list[str], digest: bytes) -> str:
    words = _WORDS.findall(text[-400:]) or ["none"]
    word = words[digest[4] % len(words)]
    if ideals and digest[0] % 4 != 0:
        ideal: str = ideals[digest[3] % len(ideals)]
        near = [
            ideal,
            ideal,
            ideal,
            ideal + ".",
            f"{ideal} because {word}",
            f"{ideal}。理由如下",
            ideal.lower(),
            ideal.upper(),
            " " + ideal,
            f"The answer is {ideal}",
            f'"{ideal}"',
            f"{word}\n{ideal}",
            ideal[:-1],
            ideal[::-1],
            f"{ideal}{ideal}",
            f"a {ideal}, the {word}!",
        ]
        return near[digest[1] % len(near)]
    far: list[str] = [
        word,
        f"{word} {words[digest[5] % len(words)]}",
        "ABCDE"[digest[2] % 5],
        f"{'ABCD'[digest[2] % 4]}) {word}",
        "YN"[digest[2] % 2],
        ["True", "False", "Yes", "No"][digest[2] % 4],
        str(digest[2]),
        f"{digest[2]}.{digest[3]}",
        f'{{"{word}": {digest[2]}}}',
        '{"unfinished": [1, 2',
        f"{{{word}}} {{{{x}}}}",
        ["是", "否", "对的。", "我不知道", "答案：三"][digest[2] % 5],
        "I'm sorry, but I can't help with that.",
        f"Let me think.\nFirst, {word}.\n\nAnswer: {'ABCDE'[digest[2] % 5]}",
        "   \n",
        text.replace("\x1e", "\n").replace("\x1f", ": ")[-120:],
        "é́ ﬁ ① Ⅳ 😀 \u200b\u2028",
    ]
    return far[digest[1] % len(far)]
