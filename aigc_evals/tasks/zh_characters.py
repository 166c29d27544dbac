"""Counting, finding and turning round characters of Chinese text: what a model that sees tokens finds hard."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

from aigc_evals.tasks.task import MARKED_ANSWER, Row, Task, distinct, text_of
from aigc_evals.tasks.zh_common import (
    asked,
    bracketed,
    counted,
    data_lines,
    found,
    from_hanzi,
    small_number_forms,
    to_hanzi,
)

TASK = "请回答下面关于汉字的问题。标点符号不算汉字。"
FREQUENT = "的了一在他不里得上把下来大地人着有是就个"
_MARKS = "，。：；？！“”、"


def generate(rng: random.Random, n: int, difficulty: int) -> Iterator[Row]:
    """``n`` rows, of six kinds in turn, over texts of two to four or four to eight sentences."""
    sentences = data_lines("sentences.txt")
    kinds = [_count, _nth, _reverse, _length, _first, _every]
    return distinct(lambda i: kinds[i % len(kinds)](rng, rng.sample(sentences, 2 * difficulty)), n)


def _characters(text: str) -> str:
    return "".join(char for char in text if char not in _MARKS)


def _count(rng: random.Random, sentences: Sequence[str]) -> Row:
    text = "".join(sentences)
    present = [char for char in FREQUENT if text.count(char) > 1] or [text[0]]
    char = rng.choice(present)
    question = f"下面这段话里，“{char}”字一共出现了几次？\n{text}"
    return asked(TASK, question, small_number_forms(text.count(char), "次", "个"))


def _nth(rng: random.Random, sentences: Sequence[str]) -> Row:
    text = "".join(sentences[:2])
    chars = _characters(text)
    back = rng.random() < 0.4
    place = rng.randint(6, len(chars) - 5)
    char = chars[-place] if back else chars[place - 1]
    question = f"不算标点符号，下面这段话{'倒数' if back else ''}第{to_hanzi(place)}个字是什么字？\n{text}"
    return asked(TASK, question, bracketed([char, f"“{char}”"]))


def _reverse(rng: random.Random, sentences: Sequence[str]) -> Row:
    clause = max(re.split(f"[{_MARKS}]", sentences[0]), key=len)
    text = f"把下面这些字从最后一个到第一个倒着写出来，一个字也不要多，一个字也不要少：\n{clause}"
    return asked(TASK, text, bracketed([clause[::-1]]))


def _length(rng: random.Random, sentences: Sequence[str]) -> Row:
    text = "".join(rng.sample(sentences, 2))
    question = f"下面这段话一共有多少个汉字？标点符号不算。\n{text}"
    return asked(TASK, question, small_number_forms(len(_characters(text)), "个", "个字", "个汉字", "字"))


def _first(rng: random.Random, sentences: Sequence[str]) -> Row:
    text = "".join(sentences)
    chars = _characters(text)
    last = rng.random() < 0.5
    choice = [char for char in FREQUENT if chars.count(char) > 1] or [chars[5]]
    char = rng.choice(choice)
    place = (chars.rindex(char) if last else chars.index(char)) + 1
    which = "最后" if last else "第"
    question = f"不算标点符号，从头数起，下面这段话里{which}一次出现的“{char}”是整段话的第几个字？\n{text}"
    forms = [
        *small_number_forms(place, "个", "个字"),
        *bracketed([f"第{place}个字", f"第{place}个", f"第{to_hanzi(place)}个字"]),
    ]
    return asked(TASK, question, forms)


def _every(rng: random.Random, sentences: Sequence[str]) -> Row:
    chars = _characters("".join(sentences))[: rng.randint(20, 28)]
    step = rng.choice([3, 4, 5])
    picked = chars[step - 1 :: step]
    question = (
        f"从下面这串字里，每数{counted(step)}个字取一个，也就是取第 {step}、{step * 2}、{step * 3} 个字，一直取到末尾，"
        f"按顺序连起来是什么？\n{chars}"
    )
    forms = [picked, "、".join(picked), " ".join(picked), "，".join(picked)]
    return asked(TASK, question, bracketed(forms))


def solve(row: Row) -> str:
    """The answer by going through the text character by character."""
    question, text = text_of(row).split("\n")
    chars = re.sub(r"[^\u4e00-\u9fff]", "", text)
    if "倒着写" in question:
        return f"【{''.join(reversed(text))}】"
    if "每数" in question:
        step = int(found(r"取第 (\d+)、", question)[1])
        return f"【{''.join(char for number, char in enumerate(text, 1) if not number % step)}】"
    if "多少个汉字" in question:
        return f"【{len(chars)}】"
    if "什么字" in question:
        place = from_hanzi(found("第(.+?)个字", question)[1])
        ordered = list(chars)[::-1] if "倒数" in question else list(chars)
        return f"【{ordered[place - 1]}】"
    char = found("“(.)”", question)[1]
    places = [number for number, each in enumerate(chars, 1) if each == char]
    if "几次" in question:
        return f"【{len(places)}】"
    return f"【{places[-1] if '最后一次' in question else places[0]}】"


TASKS = (
    Task(
        "char_count_zh",
        "zh",
        "数汉字、找第几个字、倒写、隔几个字取一个；【】中的答案与标准答案一致为正确。",
        generate,
        solve,
        eval_class=MARKED_ANSWER,
        args={},
        size=180,
    ),
)
