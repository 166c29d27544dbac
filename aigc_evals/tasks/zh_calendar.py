"""Days, double hours and units of measure in Chinese, each with the rule it needs in the question."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta

from aigc_evals.tasks.task import MARKED_ANSWER, Row, Task, distinct, text_of
from aigc_evals.tasks.zh_common import asked, bracketed, counted, found, from_hanzi, number_forms, to_hanzi

TASK = "请回答下面关于日期、时间和计量单位的问题。"
WEEK = "一二三四五六日"
BRANCHES = "子丑寅卯辰巳午未申酉戌亥"
STEMS = "甲乙丙丁戊己庚辛壬癸"
_DOUBLE_HOURS = (
    "古时把一昼夜分成十二个时辰，依次是子、丑、寅、卯、辰、巳、午、未、申、酉、戌、亥，"
    "每个时辰合两小时，子时从 23 点开始，到次日 1 点为止。"
)


def generate(rng: random.Random, n: int, difficulty: int) -> Iterator[Row]:
    """``n`` rows, of nine kinds in turn; distances grow with the difficulty."""
    kinds = [_weekday, _date, _workdays, _double_hour, _clock, _cycle, _weight, _old_weight, _land]
    return distinct(lambda i: kinds[i % len(kinds)](rng, difficulty), n)


def _day(rng: random.Random) -> date:
    return date(rng.randint(1990, 2035), 1, 1) + timedelta(rng.randrange(365))


def _zh(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _week_forms(day: date) -> list[str]:
    name = WEEK[day.weekday()]
    names = [name, "天"] if name == "日" else [name]
    return bracketed(prefix + each for prefix in ("星期", "周", "礼拜") for each in names)


def _date_forms(day: date) -> list[str]:
    return bracketed([_zh(day), _zh(day)[:-1] + "号", f"{day.year}年{day.month:02d}月{day.day:02d}日", day.isoformat()])


def _weekday(rng: random.Random, difficulty: int) -> Row:
    start = _day(rng)
    end = start + timedelta(rng.randint(40, 300 * difficulty))
    text = f"{_zh(start)}是星期{WEEK[start.weekday()]}，{_zh(end)}是星期几？"
    return asked(TASK, text, _week_forms(end))


def _date(rng: random.Random, difficulty: int) -> Row:
    start = _day(rng)
    days = rng.randint(20, 120 * difficulty)
    back = rng.random() < 0.5
    end = start + timedelta(-days if back else days)
    side, first = ("之前", "前一天") if back else ("之后", "次日")
    text = f"{_zh(start)}{side}的第 {days} 天是哪一天？（{first}算第 1 天。）请写出年、月、日。"
    return asked(TASK, text, _date_forms(end))


def _workdays(rng: random.Random, difficulty: int) -> Row:
    start = _day(rng)
    while start.weekday() > 4:
        start += timedelta(1)
    days = rng.randint(5, 25 * difficulty)
    end, left = start, days
    while left:
        end += timedelta(1)
        left -= end.weekday() < 5
    text = (
        f"一份申请在{_zh(start)}（星期{WEEK[start.weekday()]}）提交，规定从第二天起的 {days} 个工作日内办结。"
        "只有星期六和星期日不算工作日，不考虑节假日。办结的最后期限是哪一天？请写出年、月、日。"
    )
    return asked(TASK, text, _date_forms(end))


def _double_hour(rng: random.Random, difficulty: int) -> Row:
    hour, minute = rng.randrange(24), rng.randint(1, 59)
    later = rng.randint(1, 8) * difficulty
    name = BRANCHES[((hour + 1) // 2 + later) % 12]
    text = f"{_DOUBLE_HOURS}现在是 {hour} 点 {minute} 分，再过{counted(later)}个时辰，是什么时辰？"
    return asked(TASK, text, bracketed([name + "时", name]))


def _clock(rng: random.Random, difficulty: int) -> Row:
    start, periods, quarters = rng.randrange(12), rng.randint(2, 3 + 2 * difficulty), rng.randint(1, 7)
    minutes = (start * 120 - 60 + periods * 120 + quarters * 15) % 1440
    hour, minute = divmod(minutes, 60)
    text = (
        f"{_DOUBLE_HOURS}一刻按 15 分钟算。从{BRANCHES[start]}时刚开始的那一刻起，过了{counted(periods)}个时辰零{counted(quarters)}刻，"
        "这时是几点几分？请按 24 小时制回答。"
    )
    forms = [f"{hour}点{minute}分", f"{hour}点{minute:02d}分", f"{hour:02d}点{minute:02d}分", f"{hour}时{minute}分"]
    forms += [f"{hour}:{minute:02d}", f"{hour:02d}:{minute:02d}", f"{hour}：{minute:02d}", f"{hour:02d}：{minute:02d}"]
    if not minute:
        forms += [f"{hour}点", f"{hour}点整", f"{hour}时"]
    if minute == 30:
        forms += [f"{hour}点半"]
    return asked(TASK, text, bracketed(forms))


def _cycle(rng: random.Random, difficulty: int) -> Row:
    known = rng.randint(1950, 2030)
    wanted = known + rng.choice([-1, 1]) * rng.randint(13, 60 * difficulty)
    text = (
        f"干支纪年把十天干（{STEMS}）和十二地支（{BRANCHES}）依次相配，甲子之后是乙丑，六十年一轮回。"
        f"已知 {known} 年是{_pair(known)}年，那么 {wanted} 年是什么年？只写干支两个字。"
    )
    return asked(TASK, text, bracketed([_pair(wanted), _pair(wanted) + "年"]))


def _pair(year: int) -> str:
    return STEMS[(year - 4) % 10] + BRANCHES[(year - 4) % 12]


def _weight(rng: random.Random, difficulty: int) -> Row:
    goods = rng.choice(["红枣", "核桃", "木耳", "茶叶", "花椒", "腊肉", "香菇", "枸杞", "绿豆", "莲子"])
    pounds, ounces, price = rng.randint(2, 10 * difficulty), rng.randint(1, 9), rng.randint(8, 60)
    tenths = (pounds * 10 + ounces) * price
    if rng.random() < 0.5:
        text = f"一斤等于十两，一斤合 500 克。{counted(pounds)}斤{_ounces(ounces)}{goods}是多少克？"
        return asked(TASK, text, number_forms((pounds * 10 + ounces) * 50, "克"))
    amount = f"{tenths // 10}.{tenths % 10}" if tenths % 10 else str(tenths // 10)
    text = f"一斤等于十两。{goods}每斤 {price} 元，买{counted(pounds)}斤{_ounces(ounces)}，一共要付多少元？"
    forms = number_forms(amount, "元")
    return asked(TASK, text, forms + number_forms(f"{tenths // 10}.{tenths % 10}0", "元"))


def _ounces(ounces: int) -> str:
    return ("二" if ounces == 2 else to_hanzi(ounces)) + "两"


def _old_weight(rng: random.Random, difficulty: int) -> Row:
    one, other = (
        sorted(rng.sample(range(20, 90 * difficulty), 2))
        if rng.random() < 0.5
        else sorted(rng.sample(range(33, 160), 2))
    )
    if not one % 16 or not other % 16:
        return _old_weight(rng, difficulty)
    low, high = (f"{counted(w // 16)}斤{_ounces(w % 16)}" for w in (one, other))
    if rng.random() < 0.5:
        text = f"按旧制，一斤等于十六两。{high}比{low}多多少两？"
        return asked(TASK, text, number_forms(other - one, "两"))
    total = one + other
    text = f"按旧制，一斤等于十六两。{low}加上{high}，一共是几斤几两？用阿拉伯数字写，不足一斤的部分写成两。"
    forms = [f"{total // 16}斤{total % 16}两", f"{total // 16} 斤 {total % 16} 两", f"{total // 16}斤零{total % 16}两"]
    return asked(TASK, text, bracketed(forms if total % 16 else [*forms, f"{total // 16}斤", f"{total // 16} 斤"]))


def _land(rng: random.Random, difficulty: int) -> Row:
    if rng.random() < 0.5:
        mu, tenths, crop = rng.randint(3, 20 * difficulty), rng.randint(1, 9), rng.randint(20, 90) * 10
        text = (
            f"一亩等于十分，一斤合 0.5 公斤。一户人家有{counted(mu)}亩{_tenths(tenths)}地，每亩收麦子 {crop} 斤，"
            "一共收了多少公斤麦子？"
        )
        return asked(TASK, text, number_forms(_exact((mu * 10 + tenths) * crop, 20), "公斤", "千克"))
    li, paces = rng.randint(3, 15 * difficulty), rng.choice([4, 5, 8, 10])
    walked = rng.randint(1, 9) * 100
    text = (
        f"一里合 500 米。从村口到县城有{counted(li)}里路，老周已经走了 {walked} 米，剩下的路他每分钟走 {paces * 10} 米，"
        "还要走多少分钟？"
    )
    left = li * 500 - walked
    if left <= 0 or left % (paces * 10):
        return _land(rng, difficulty)
    return asked(TASK, text, number_forms(left // (paces * 10), "分钟", "分"))


def _tenths(tenths: int) -> str:
    return ("二" if tenths == 2 else to_hanzi(tenths)) + "分"


def _exact(numerator: int, denominator: int) -> str:
    whole, rest = divmod(numerator, denominator)
    return str(whole) if not rest else f"{whole + rest / denominator:.2f}".rstrip("0")


def _read_day(text: str, pattern: str = "") -> date:
    match = found(pattern + r"(\d+)年(\d+)月(\d+)日", text)
    return date(*(int(part) for part in match.groups()))


def solve(row: Row) -> str:
    """The answer by stepping: day after day, minute after minute, year after year."""
    text = text_of(row)
    if "是星期几" in text:
        start, end = _read_day(text), _read_day(text, "，")
        place = WEEK.index(found("是星期(.)", text)[1])
        while start < end:
            start, place = start + timedelta(1), (place + 1) % 7
        return f"【星期{WEEK[place]}】"
    if "的第" in text:
        end, step = _read_day(text), -1 if "之前" in text else 1
        for _ in range(int(found(r"第 (\d+) 天", text)[1])):
            end += timedelta(step)
        return f"【{_zh(end)}】"
    if "工作日" in text:
        return _solve_workdays(text)
    if "时辰" in text:
        return _solve_double_hours(text)
    if "干支" in text:
        return _solve_cycle(text)
    return _solve_units(text)


def _solve_workdays(text: str) -> str:
    day, left = _read_day(text), int(found(r"(\d+) 个工作日", text)[1])
    place = WEEK.index(found("（星期(.)）", text)[1])
    while left:
        day, place = day + timedelta(1), (place + 1) % 7
        left -= WEEK[place] not in "六日"
    return f"【{_zh(day)}】"


def _solve_double_hours(text: str) -> str:
    names = {(23 + 2 * place + half) % 24: name for place, name in enumerate(BRANCHES) for half in (0, 1)}
    if "什么时辰" in text:
        hour, periods = found(r"现在是 (\d+) 点.+再过(.+?)个时辰", text).groups()
        return f"【{names[(int(hour) + 2 * from_hanzi(periods)) % 24]}时】"
    name, periods, quarters = found("从(.)时刚开始.+过了(.+?)个时辰零(.+?)刻", text).groups()
    minutes = (23 + 2 * BRANCHES.index(name)) * 60
    for _ in range(from_hanzi(periods) * 120 + from_hanzi(quarters) * 15):
        minutes = (minutes + 1) % 1440
    return f"【{minutes // 60 % 24}点{minutes % 60}分】"


def _solve_cycle(text: str) -> str:
    known, name, wanted = found(r"已知 (\d+) 年是(..)年，那么 (\d+) 年", text).groups()
    stem, branch = STEMS.index(name[0]), BRANCHES.index(name[1])
    step = 1 if int(wanted) > int(known) else -1
    for _ in range(abs(int(wanted) - int(known))):
        stem, branch = (stem + step) % 10, (branch + step) % 12
    return f"【{STEMS[stem]}{BRANCHES[branch]}】"


def _solve_units(text: str) -> str:
    if "旧制" in text:
        pair = found("。(.+?)斤(.+?)两(?:比|加上)(.+?)斤(.+?)两", text).groups()
        one, other = (from_hanzi(a) * 16 + from_hanzi(b) for a, b in (pair[:2], pair[2:]))
        return f"【{one - other}】" if "比" in text else f"【{(one + other) // 16}斤{(one + other) % 16}两】"
    if "多少克" in text:
        pounds, ounces = found("。(.+?)斤(.)两", text).groups()
        return f"【{from_hanzi(pounds) * 500 + from_hanzi(ounces) * 50}】"
    if "每斤" in text:
        price, pounds, ounces = found(r"每斤 (\d+) 元，买(.+?)斤(.)两", text).groups()
        cents = int(price) * 100 * from_hanzi(pounds) + int(price) * 10 * from_hanzi(ounces)
        return f"【{cents / 100:g}】"
    if "多少公斤" in text:
        mu, tenths, crop = found(r"有(.+?)亩(.)分地，每亩收麦子 (\d+) 斤", text).groups()
        return f"【{from_hanzi(mu) * int(crop) * 0.5 + from_hanzi(tenths) * int(crop) * 0.05:.10g}】"
    li, walked, speed = found(r"有(.+?)里路，.+走了 (\d+) 米，.+走 (\d+) 米", text).groups()
    minutes, left = 0, from_hanzi(li) * 500 - int(walked)
    while left > 0:
        minutes, left = minutes + 1, left - int(speed)
    return f"【{minutes}】"


TASKS = (
    Task(
        "calendar_units_zh",
        "zh",
        "日期推算、时辰、干支纪年以及斤两、里、亩等单位的换算，规则都写在题目里；【】中的答案与标准答案一致为正确。",
        generate,
        solve,
        eval_class=MARKED_ANSWER,
        args={},
        size=180,
    ),
)
