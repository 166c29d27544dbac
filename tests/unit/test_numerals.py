"""Numbers as they are written, in Chinese numerals too."""

from __future__ import annotations

from decimal import Decimal

import pytest

from aigc_evals.elsuite.numerals import chinese_number, number_value, percentage


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("零", "0"),
        ("十", "10"),
        ("十五", "15"),
        ("一百零五", "105"),
        ("一百一十", "110"),
        ("一百二", "120"),
        ("两千零八", "2008"),
        ("一万二", "12000"),
        ("一万零二", "10002"),
        ("三万亿", "3000000000000"),
        ("一亿两千万", "120000000"),
        ("二〇二四", "2024"),
        ("三点一四", "3.14"),
        ("负二", "-2"),
        ("百十", None),
        ("万一", None),
        ("一百千", None),
        ("十十", None),
        ("点五", None),
        ("三点", None),
        ("负", None),
        ("一个", None),
        ("", None),
    ],
)
def test_chinese_numbers(text: str, value: str | None) -> None:
    assert chinese_number(text) == (None if value is None else Decimal(value))


@pytest.mark.parametrize(
    ("parts", "value"),
    [
        (["负", "5"], "-5"),
        (["負", "3.5", "万"], "-35000"),
        (["负", "-5"], None),
        (["负", "负", "5"], None),
        (["负", "kg"], None),
        (["5", "负"], None),
    ],
)
def test_a_minus_in_words_goes_before_digits_too(parts: list[str], value: str | None) -> None:
    assert number_value(parts) == (None if value is None else Decimal(value))


@pytest.mark.parametrize(
    ("parts", "value"),
    [
        (["50", "%"], "50"),
        ([*"五十", "%"], "50"),
        ([*"百分之", *"五十"], "50"),
        ([*"百分之", "12.5"], "12.5"),
        ([*"负百分之", *"三点五"], "-3.5"),
        ([*"百分之"], None),
        (["%"], None),
        (["50"], None),
        ([], None),
        ([*"百分之", "5", "%"], None),
    ],
)
def test_percentages(parts: list[str], value: str | None) -> None:
    assert percentage(parts) == (None if value is None else Decimal(value))


def test_every_number_is_read_as_the_tasks_write_it() -> None:
    from aigc_evals.tasks.zh_common import to_hanzi

    for number in (*range(1200), *range(9_990, 10_130), 100_000_001, 305_000_070):
        assert chinese_number(to_hanzi(number)) == number
