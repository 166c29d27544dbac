"""Questions about tables in Chinese: one cell, the largest of some, how many, how much together."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from aigc_evals.tasks.task import MARKED_ANSWER, Row, Task, text_of
from aigc_evals.tasks.zh_common import asked, bracketed, found, number_forms, small_number_forms

TASK = "请根据表格回答问题。"


@dataclass(frozen=True)
class _Kind:
    """A kind of table: its columns, what stands in them, and how one asks about them."""

    title: str
    key: str
    keys: Sequence[str]
    groups: Mapping[str, Sequence[str]]
    numbers: Mapping[str, tuple[int, int, int, str]]
    one: str
    """What one row is, with its measure word, after a number."""


KINDS = [
    _Kind(
        "员工登记表",
        "姓名",
        [
            "周晓岚",
            "陈志远",
            "林佳宁",
            "何建国",
            "许文静",
            "郭子涵",
            "唐小满",
            "沈立新",
            "孟庆云",
            "罗思齐",
            "韩冬梅",
            "邓家豪",
            "曹雨桐",
            "魏长河",
            "蒋明月",
            "傅红梅",
        ],
        {"部门": ["财务部", "研发部", "市场部", "后勤部"], "籍贯": ["四川", "浙江", "山东", "湖北", "陕西"]},
        {"年龄": (22, 58, 1, "岁"), "工龄": (1, 30, 1, "年"), "月薪": (4200, 15800, 100, "元")},
        "名员工",
    ),
    _Kind(
        "仓库存货表",
        "品名",
        [
            "毛巾",
            "脸盆",
            "暖水瓶",
            "台灯",
            "雨伞",
            "饭盒",
            "拖把",
            "衣架",
            "插座",
            "手电筒",
            "剪刀",
            "水杯",
            "闹钟",
            "枕套",
            "凉席",
            "竹篮",
        ],
        {"货架": ["甲区", "乙区", "丙区", "丁区"], "供货商": ["东兴商行", "永利公司", "华光厂", "新民合作社"]},
        {"单价": (6, 120, 1, "元"), "库存": (15, 480, 1, "件"), "上月销量": (10, 350, 1, "件")},
        "种商品",
    ),
    _Kind(
        "长途汽车时刻表",
        "终点站",
        [
            "青河",
            "白石",
            "柳林",
            "金沙",
            "双桥",
            "临湖",
            "石门",
            "大岭",
            "南浦",
            "望江",
            "云台",
            "松坪",
            "古渡",
            "清泉",
            "东屏",
            "西岭",
        ],
        {"检票口": ["一号口", "二号口", "三号口"], "车型": ["大客车", "中巴车", "卧铺车"]},
        {"票价": (18, 190, 1, "元"), "里程": (35, 620, 1, "公里"), "余票": (2, 48, 1, "张")},
        "条线路",
    ),
    _Kind(
        "学校社团名册",
        "社团",
        [
            "合唱团",
            "书法社",
            "篮球队",
            "天文社",
            "话剧社",
            "象棋社",
            "摄影社",
            "园艺社",
            "航模社",
            "舞蹈队",
            "文学社",
            "羽毛球队",
            "民乐团",
            "陶艺社",
            "辩论队",
            "登山社",
        ],
        {"活动地点": ["东楼", "西楼", "操场", "礼堂"], "活动时间": ["周一", "周三", "周五"]},
        {"人数": (8, 75, 1, "人"), "经费": (300, 4800, 50, "元"), "成立年份": (1988, 2021, 1, "年")},
        "个社团",
    ),
]

Table = list[dict[str, str | int]]


def generate(rng: random.Random, n: int, difficulty: int) -> Iterator[Row]:
    """``n`` rows, four questions to a table of eight, twelve or sixteen lines; a table is a cluster."""
    made = 0
    for number in count(1):
        kind = KINDS[number % len(KINDS)]
        table = _fill(rng, kind, 4 + 4 * difficulty)
        for ask in (_cell, _largest, _number, _together):
            if made == n:
                return
            text, ideal = ask(rng, kind, table)
            row = asked(TASK, f"{kind.title}\n{_drawn(table)}\n\n{text}", ideal)
            yield {**row, "cluster": f"table-zh-{number:03d}"}
            made += 1


def _fill(rng: random.Random, kind: _Kind, lines: int) -> Table:
    keys = rng.sample(list(kind.keys), lines)
    # Numbers do not repeat within a column, so that there is one largest and one with a given value.
    columns = {
        name: rng.sample(range(low, high + 1, step), lines) for name, (low, high, step, _) in kind.numbers.items()
    }
    return [
        {kind.key: key}
        | {name: rng.choice(list(values)) for name, values in kind.groups.items()}
        | {name: values[place] for name, values in columns.items()}
        for place, key in enumerate(keys)
    ]


def _drawn(table: Table) -> str:
    head = list(table[0])
    lines = [head, ["---"] * len(head), *([str(line[name]) for name in head] for line in table)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _cell(rng: random.Random, kind: _Kind, table: Table) -> tuple[str, list[str]]:
    known, wanted = rng.sample(list(kind.numbers), 2)
    line = rng.choice(table)
    unit, other = kind.numbers[known][3], kind.numbers[wanted][3]
    asks = "是哪一年" if "年份" in wanted else f"是多少{other}"
    return f"{known}是 {line[known]} {unit}的那一行，{wanted}{asks}？只写数字。", number_forms(int(line[wanted]), other)


def _largest(rng: random.Random, kind: _Kind, table: Table) -> tuple[str, list[str]]:
    group, column = rng.choice(list(kind.groups)), rng.choice(list(kind.numbers))
    values = [line[group] for line in table]
    value = max(sorted(set(values), key=str), key=values.count)
    lines = sorted((line for line in table if line[group] == value), key=lambda line: int(line[column]))
    side, place = rng.choice([("最大", -1), ("最小", 0), ("第二大", -2)])
    text = f"在{group}为“{value}”的各行里，{column}的数值{side}的是哪一行？只写这一行的{kind.key}。"
    return text, bracketed([str(lines[place][kind.key])])


def _number(rng: random.Random, kind: _Kind, table: Table) -> tuple[str, list[str]]:
    group, column = rng.choice(list(kind.groups)), rng.choice(list(kind.numbers))
    value = rng.choice(table)[group]
    ordered = sorted(int(line[column]) for line in table)
    bound, unit = ordered[rng.randint(2, len(ordered) - 3)], kind.numbers[column][3]
    over = rng.random() < 0.5
    fitting = [
        line
        for line in table
        if line[group] != value and (int(line[column]) > bound if over else int(line[column]) < bound)
    ]
    side = ("晚于" if over else "早于") if "年份" in column else ("大于" if over else "小于")
    text = f"表中{group}不是“{value}”，而且{column}{side} {bound} {unit}的，一共有几{kind.one}？"
    return text, small_number_forms(len(fitting), kind.one[0], kind.one)


def _together(rng: random.Random, kind: _Kind, table: Table) -> tuple[str, list[str]]:
    group = rng.choice(list(kind.groups))
    column = rng.choice([name for name in kind.numbers if "年份" not in name])
    present = [value for value in kind.groups[group] if any(line[group] == value for line in table)]
    value, other = rng.sample(present if len(present) > 1 else list(kind.groups[group]), 2)
    total = sum(int(line[column]) for line in table if line[group] in (value, other))
    unit = kind.numbers[column][3]
    text = f"{group}为“{value}”或“{other}”的各行，{column}加在一起是多少{unit}？"
    return text, number_forms(total, unit)


def solve(row: Row) -> str:
    """The answer from the lines of the table as they are drawn, looked through from top to bottom."""
    drawn, text = text_of(row).split("\n\n")
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in drawn.split("\n")[1:]]
    head, lines = cells[0], cells[2:]
    if "的那一行" in text:
        known, value, wanted = found(r"^(.+?)是 (\d+) .+?的那一行，(.+?)是(?:多少|哪一年)", text).groups()
        (line,) = (line for line in lines if line[head.index(known)] == value)
        return f"【{line[head.index(wanted)]}】"
    if "哪一行" in text:
        group, value, column, side = found("在(.+?)为“(.+?)”的各行里，(.+?)的数值(最大|最小|第二大)", text).groups()
        fitting_lines = [line for line in lines if line[head.index(group)] == value]
        ranked = [(int(line[head.index(column)]), line[0]) for line in fitting_lines]
        ranked.sort(reverse=side != "最小")
        return f"【{ranked[side == '第二大'][1]}】"
    if "一共有几" in text:
        group, value, column, side, bound = found(
            r"表中(.+?)不是“(.+?)”，而且(.+?)(大于|小于|晚于|早于) (\d+)", text
        ).groups()
        fitting = 0
        for line in lines:
            beyond = (int(line[head.index(column)]) - int(bound)) * (1 if side in {"大于", "晚于"} else -1)
            fitting += beyond > 0 and line[head.index(group)] != value
        return f"【{fitting}】"
    group, value, other, column = found("^(.+?)为“(.+?)”或“(.+?)”的各行，(.+?)加在一起", text).groups()
    total = 0
    for line in lines:
        if line[head.index(group)] in {value, other}:
            total += int(line[head.index(column)])
    return f"【{total}】"


TASKS = (
    Task(
        "table_zh",
        "zh",
        "看中文表格回答问题：查找、最值、计数、求和，每张表四问为一组；【】中的答案与标准答案一致为正确。",
        generate,
        solve,
        eval_class=MARKED_ANSWER,
        args={},
        size=180,
    ),
)
