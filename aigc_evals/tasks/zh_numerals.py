"""Chinese numerals, read and written: 一万零三百二十, 两, 亿, and the capital numerals of cheques."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from aigc_evals.tasks.task import MARKED_ANSWER, Row, Task, distinct, text_of
from aigc_evals.tasks.zh_common import (
    DIGITS,
    asked,
    bracketed,
    found,
    from_hanzi,
    number_forms,
    to_hanzi,
)

TASK = "请回答下面关于中文数字的问题。"
_CAPITALS = str.maketrans("零一二三四五六七八九十百千", "零壹贰叁肆伍陆柒捌玖拾佰仟")
_PLAIN = {new: chr(old) for old, new in ((k, chr(v)) for k, v in _CAPITALS.items() if isinstance(v, int))}


def generate(rng: random.Random, n: int, difficulty: int) -> Iterator[Row]:
    """``n`` rows, of six kinds in turn; numbers have about ``3 + 2 * difficulty`` digits."""
    kinds = [_read, _parse, _capitals, _cheque, _sum, _units]
    return distinct(lambda i: kinds[i % len(kinds)](rng, 3 + 2 * difficulty), n)


def _number(rng: random.Random, digits: int) -> int:
    """A number with many zeros that all conventions read alike (105000 is read both 十万五千 and 十万零五千)."""
    while True:
        length = rng.randint(max(4, digits - 2), min(12, digits + 2))
        text = str(rng.randint(1, 9)) + "".join(
            rng.choice("0000123456789") if rng.random() < 0.8 else "2" for _ in range(length - 1)
        )
        whole = int(text)
        groups = [whole // 10_000**level % 10_000 for level in range(3)]
        unlike = any(high and high % 10 == 0 and low >= 1000 for high, low in zip(groups[1:], groups[:-1], strict=True))
        empty = any(not group for group in groups[: (length - 1) // 4])
        if whole % 10_000 and not unlike and not (empty and groups[0] >= 1000):
            return whole


def _spoken(number: int) -> str:
    return re.sub("(?<![十零])二(?=[百千万亿])", "两", to_hanzi(number))


def _read(rng: random.Random, digits: int) -> Row:
    number = _number(rng, digits)
    text = to_hanzi(number)
    question = (
        f"把 {number} 写成汉字数字，用“一、二、三”这样的小写，数字 2 一律写成“二”。"
        "读法：从右往左每四位为一级，每一级末尾的零不读，其他数位上不论有一个零还是连着几个零，都只读一个“零”。"
    )
    forms = [text, "一" + text] if text.startswith("十") else [text]
    return asked(TASK, question, bracketed(forms))


def _parse(rng: random.Random, digits: int) -> Row:
    number = _number(rng, digits)
    question = f"“{_spoken(number)}”用阿拉伯数字怎么写？"
    return asked(TASK, question, number_forms(number))


def _capital(number: int) -> str:
    text = to_hanzi(number)
    return ("一" + text if text.startswith("十") else text).translate(_CAPITALS)


def _capitals(rng: random.Random, digits: int) -> Row:
    number = _number(rng, min(digits, 8))
    question = f"开支票时，¥{number}.00 的大写金额应当怎么写？以“元整”结尾，前面不写“人民币”。"
    text = _capital(number)
    return asked(TASK, question, bracketed(text + end for end in ("元整", "圆整", "元正", "圆正")))


def _cheque(rng: random.Random, digits: int) -> Row:
    number, tenths, cents = _number(rng, min(digits, 8)), rng.randint(0, 9), rng.randint(1, 9)
    text = _capital(number) + "元" + (f"{_capital(tenths)}角" if tenths else "零") + f"{_capital(cents)}分"
    question = f"一张支票上写着“人民币{text}”，用阿拉伯数字表示是多少元？保留两位小数。"
    return asked(TASK, question, _money(f"{number}.{tenths}{cents}"))


def _money(amount: str) -> list[str]:
    forms = number_forms(amount, "元")
    return [*forms, *(form.replace("【", "【¥") for form in forms[:2])]


def _sum(rng: random.Random, digits: int) -> Row:
    one, other = sorted((_number(rng, digits) for _ in range(2)), reverse=True)
    if rng.random() < 0.5:
        return _asked_sum(f"{_spoken(one)}加上{_spoken(other)}，和是多少？用阿拉伯数字回答。", one + other)
    return _asked_sum(f"{_spoken(one)}减去{_spoken(other)}，差是多少？用阿拉伯数字回答。", one - other)


def _asked_sum(question: str, value: int) -> Row:
    return asked(TASK, question, number_forms(value))


def _units(rng: random.Random, digits: int) -> Row:
    tens = 10 ** rng.randint(1, 3)
    value = rng.randint(1, 30) * tens + rng.randint(1, tens - 1)
    if rng.random() < 0.5:
        whole, part = divmod(value, tens)
        amount = f"{whole}.{str(part).zfill(len(str(tens)) - 1)}".rstrip("0")
        return asked(TASK, f"{amount}亿等于多少万？用阿拉伯数字回答。", number_forms(value * (10_000 // tens), "万"))
    thousands = value * rng.choice([10, 100, 1000])
    high, low = divmod(thousands, 10_000)
    exact = f"{high}.{low:04d}".rstrip("0").rstrip(".")
    question = f"{thousands}万等于多少亿？用阿拉伯数字回答，不是整数就写成小数，末尾不留多余的零。"
    return asked(TASK, question, number_forms(exact, "亿"))


def solve(row: Row) -> str:
    """The answer, found by rewriting digits one by one and by evaluating numerals: not by the generator's way."""
    text = text_of(row)
    if "写成汉字" in text:
        digits = found(r"把 (\d+) 写", text)[1]
        return f"【{_by_rewriting(digits)}】"
    if "大写金额" in text:
        plain = _by_rewriting(found(r"¥(\d+)\.00", text)[1])
        plain = "一" + plain if plain.startswith("十") else plain
        return f"【{plain.translate(_CAPITALS)}元整】"
    if "支票上写着" in text:
        plain = "".join(_PLAIN.get(char, char) for char in found("人民币(.+?)”", text)[1])
        yuan, _, rest = plain.partition("元")
        tenths = DIGITS.index(rest[rest.index("角") - 1]) if "角" in rest else 0
        return f"【{from_hanzi(yuan)}.{tenths}{DIGITS.index(rest[rest.index('分') - 1])}】"
    if "亿等于多少万" in text:
        whole, _, part = found(r"([\d.]+)亿", text)[1].partition(".")
        return f"【{int(whole + part.ljust(4, '0'))}】"
    if "万等于多少亿" in text:
        digits = found(r"(\d+)万", text)[1].zfill(5)
        return f"【{digits[:-4].lstrip('0') or '0'}.{digits[-4:]}".rstrip("0").rstrip(".") + "】"
    if "阿拉伯数字怎么写" in text:
        return f"【{from_hanzi(found('“(.+?)”', text)[1])}】"
    one, sign, other = found("^(.+?)(加上|减去)(.+?)，", text).groups()
    return f"【{from_hanzi(one) + (1 if sign == '加上' else -1) * from_hanzi(other)}】"


def _by_rewriting(digits: str) -> str:
    units = ["", "十", "百", "千", "万", "十", "百", "千", "亿", "十", "百", "千"]
    text = "".join(DIGITS[int(d)] + units[len(digits) - 1 - i] for i, d in enumerate(digits))
    text = re.sub("零+", "零", re.sub("零[十百千]", "零", text))
    text = re.sub("零(?=[万亿])", "", text).replace("亿万", "亿零")
    text = re.sub("零+", "零", text).rstrip("零")
    return re.sub("^一十", "十", text)


TASKS = (
    Task(
        "numerals_zh",
        "zh",
        "中文数字：汉字读法与阿拉伯数字互换、大写金额、以万和亿为单位的换算与加减；【】中的答案与标准答案一致为正确。",
        generate,
        solve,
        eval_class=MARKED_ANSWER,
        args={},
        size=180,
    ),
)
