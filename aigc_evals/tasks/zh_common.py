"""What the Chinese tasks share: numerals, the form of an answer. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from aigc_evals.tasks.task import Row, question

FORMAT = "可以先写出过程，最后把答案写在【】里。整个回答只用一次【】，里面只写答案本身。"
"""How an answer is asked for: in brackets, so that 【1】 is no part of 【10】 and reasons may stand before it."""

DIGITS = "零一二三四五六七八九"
_BESIDE_DIGITS = re.compile("(?<=[0-9])(?=[\u4e00-\u9fff])|(?<=[\u4e00-\u9fff])(?=[0-9])")
_SMALL = ["", "十", "百", "千"]
_LARGE = ["", "万", "亿", "万亿"]
_VALUES = {**{digit: value for value, digit in enumerate(DIGITS)}, "两": 2, "〇": 0}


def asked(task: str, text: str, ideal: list[str]) -> Row:
    """A row: what the task is and the form of the answer, then the question, and each right way to write the answer."""
    return {"input": question(text, task + FORMAT), "ideal": ideal}


def bracketed(forms: Iterable[str]) -> list[str]:
    """Each way to write an answer, in brackets, the plainest first, none twice; also with spaces around digits."""
    plain = list(forms)
    spaced = [_BESIDE_DIGITS.sub(" ", form) for form in plain]
    return [f"【{form}】" for form in dict.fromkeys(plain + spaced)]


def number_forms(value: int | str, *units: str) -> list[str]:
    """The ways to write a number in brackets: with and without thousands separators and each of ``units``."""
    plain = str(value)
    whole, point, rest = plain.partition(".")
    numbers = [plain, f"{int(whole):,}{point}{rest}"]
    return bracketed([*numbers, *(number + unit for unit in units for number in numbers)])


def small_number_forms(value: int, *units: str) -> list[str]:
    """As ``number_forms``, for counts: also in Chinese numerals."""
    words = [to_hanzi(value), *(counted(value) + unit for unit in units)]
    return list(dict.fromkeys([*number_forms(value, *units), *bracketed(words)]))


def list_forms(items: list[str]) -> list[str]:
    """The ways to write a list in brackets: with each usual separator."""
    return bracketed(separator.join(items) for separator in ("、", "，", ",", ", ", " ", ""))


def choice(text: str, options: Sequence[str], right: str) -> Row:
    """A multiple-choice row for ``Match``: the answer begins with the letter, alone or as one usually says it."""
    letters = "ABCD"[: len(options)]
    letter = letters[options.index(right)]
    shown = "".join(f"\n{name}. {option}" for name, option in zip(letters, options, strict=True))
    forms = ["{}", "【{}】", "（{}）", "({})", "**{}", "选{}", "选 {}", "选择{}", "答案是{}", "答案：{}", "答案为{}"]
    prompt = question(text + shown, "请做选择题。只回答一个字母，写在最前面，不要写其他内容。")
    return {"input": prompt, "ideal": [form.format(letter) for form in forms]}


def to_hanzi(number: int) -> str:
    """A number from 0 to below 10 ** 16 as it is read: zeros that end a group of four are silent, others said once."""
    if number == 0:
        return "零"
    groups = []
    while number:
        number, group = divmod(number, 10_000)
        groups.append(group)
    out, gap = "", False
    for level in range(len(groups) - 1, -1, -1):
        if not groups[level]:
            gap = True
            continue
        if out and (gap or groups[level] < 1000):
            out += "零"
        out += _group(groups[level]) + _LARGE[level]
        gap = False
    return out[1:] if out.startswith("一十") else out


def _group(number: int) -> str:
    out, gap = "", False
    for place in (3, 2, 1, 0):
        digit = number // 10**place % 10
        if not digit:
            gap = bool(out)
            continue
        out += ("零" if gap else "") + DIGITS[digit] + _SMALL[place]
        gap = False
    return out


def counted(number: int) -> str:
    """As ``to_hanzi``, as said before a measure word: 两 for 2."""
    return "两" if number == 2 else to_hanzi(number)


def from_hanzi(text: str) -> int:
    """The value of a number in Chinese numerals. Raises ValueError when it is none."""
    total = section = digit = 0
    for char in text:
        if char in _VALUES:
            digit = _VALUES[char]
        elif char in "十百千":
            section += (digit or (1 if char == "十" else 0)) * 10 ** _SMALL.index(char)
            digit = 0
        elif char == "万":
            section, digit, total = 0, 0, total + (section + digit) * 10_000
        elif char == "亿":
            section, digit, total = 0, 0, (total + section + digit) * 100_000_000
        else:
            raise ValueError(f"{text!r} is not a number in Chinese numerals")
    return total + section + digit


def found(pattern: str, text: str) -> re.Match[str]:
    """The first match. Raises ValueError when there is none: the question is not one of this task."""
    match = re.search(pattern, text, re.S)
    if match is None:
        raise ValueError(f"{pattern!r} does not occur in {text[:60]!r}")
    return match


def data_lines(name: str) -> list[str]:
    """The lines of a file of material, without empty ones."""
    from importlib.resources import files

    text = (files("aigc_evals.tasks") / "data_zh" / name).read_text(encoding="utf-8")
    return [line for line in text.split("\n") if line]
