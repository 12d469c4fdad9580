"""Numbers, months and codes as people write them: read exactly, or named as unreadable, never guessed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversight.intake.reading import values
from oversight.intake.reading.values import Problem

AMOUNTS = st.decimals(min_value=0, max_value=10**11, places=2, allow_nan=False, allow_infinity=False)
FULL_WIDTH = str.maketrans("0123456789.,", "０１２３４５６７８９．，")
DIGITS = "零一二三四五六七八九"
FORMAL = "零壹贰叁肆伍陆柒捌玖"


def chinese(number: int, digits: str = DIGITS, steps: str = "十百千") -> str:
    """The one proper way to write a whole number below 10**8, made independently of the parser."""
    if number >= 10_000:
        high, low = divmod(number, 10_000)
        tail = "" if low == 0 else ("零" if low < 1000 else "") + chinese(low, digits, steps)
        return chinese(high, digits, steps) + "万" + tail
    if number == 0:
        return "零"
    written, gap = "", False
    for place in (3, 2, 1, 0):
        digit = number // 10**place % 10
        if digit == 0:
            gap = bool(written)
            continue
        written += ("零" if gap else "") + digits[digit] + (steps[place - 1] if place else "")
        gap = False
    return written


@given(AMOUNTS)
def test_an_amount_is_read_exactly_however_it_is_written(amount: Decimal) -> None:
    for written in (
        f"{amount}",
        f"{amount:,}",
        f"{amount}元",
        f"¥{amount:,}",
        f" {amount} ",
        f"{amount:,}".translate(FULL_WIDTH),
        f"{amount.scaleb(-4)}万元",
        f"{amount.scaleb(-8)}亿",
    ):
        assert values.money(written) == amount, written


@given(AMOUNTS, st.sampled_from([0, 3, 4, 8]))
def test_the_column_unit_multiplies_exactly(amount: Decimal, power: int) -> None:
    assert values.money(str(amount.scaleb(-power)), power) == amount


def test_a_cell_that_names_its_unit_beats_the_column() -> None:
    assert values.money("300元", power=4) == Decimal("300.00")
    assert values.count("1.2万", power=4) == 12_000


@given(st.integers(0, 10**8 - 1))
def test_chinese_numerals_round_trip(number: int) -> None:
    assert values.count(chinese(number)) == number
    assert values.count(chinese(number, FORMAL, "拾佰仟")) == number


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("壹万贰仟元叁角伍分", "12000.35"),
        ("十二", "12.00"),
        ("1e3", "1000.00"),
        ("1.2E+4", "12000.00"),
        ("人民币300元整", "300.00"),
        ("0", "0.00"),
    ],
)
def test_other_ways_to_write_an_amount(written: str, expected: str) -> None:
    assert values.money(written) == Decimal(expected)


@pytest.mark.parametrize("written", ["", " ", "—", "-", "/", "无", "未报", "N/A", "……", "\u3000"])
def test_nothing_reported_is_never_zero(written: str) -> None:
    assert values.money(written) is None
    assert values.count(written) is None


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("约三千", "R04"),
        ("12..5", "R04"),
        ("1,2,3", "R04"),
        ("1,23", "R04"),
        ("一万二", "R04"),
        ("三四百", "R04"),
        ("1万2", "R04"),
        ("3-5", "R04"),
        ("#REF!", "R22"),
        ("-5", "R06"),
        ("（123）", "R06"),
        # Beyond the 分 an amount is rounded and used; the code is a note.
        ("100.005", "D30"),
        ("9" * 30, "R19"),
    ],
)
def test_what_cannot_be_read_for_certain_is_a_problem(written: str, code: str) -> None:
    found = values.money(written)
    assert isinstance(found, Problem)
    assert found.code == code


def test_negative_in_brackets_is_a_number() -> None:
    assert values.number("（1,234.5）") == Decimal("-1234.5")


@given(st.text(max_size=20))
def test_no_text_makes_a_parser_fail(text: str) -> None:
    for parser in (values.money, values.count, values.month, values.day, values.code, values.yes_no):
        parser(text)  # an exception is the failure


@given(st.dates(date(1980, 1, 1), date(2099, 12, 31)))
def test_a_month_is_read_in_every_form(day: date) -> None:
    first = day.replace(day=1)
    year_zh = "".join("〇一二三四五六七八九"[int(c)] for c in str(day.year))
    forms = [
        f"{day:%Y-%m}",
        f"{day.year}年{day.month}月",
        f"{day:%Y年%m月}",
        f"{day:%Y%m}",
        f"{day:%Y/%m}",
        f"{day:%Y-%m-%d}",
        f"{day.year}年{day.month}月{day.day}日",
        f"{day:%Y%m%d}",
        f"{day:%Y-%m-%d} 00:00:00",
        str((day - date(1899, 12, 30)).days),
        f"{year_zh}年{chinese(day.month).removeprefix('一') if 10 <= day.month < 20 else chinese(day.month)}月",
        f"{day:%Y.%m}",
        f"{day:%Y-%m}".translate(FULL_WIDTH),
    ]
    for form in forms:
        assert values.month(form) == first, form


def test_a_month_without_a_year_needs_the_title() -> None:
    assert values.month("6月", 2025) == date(2025, 6, 1)
    assert isinstance(values.month("6月"), Problem)


@pytest.mark.parametrize("written", ["2025-13", "2025年0月", "上月", "2025", "13月", "202513", "2025-02-30"])
def test_what_is_no_month_is_refused(written: str) -> None:
    assert isinstance(values.month(written, None), Problem)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("360313101", "360313101"),
        ("360313101000", "360313101"),
        ("360313101001", "360313101001"),
        ("360313000", "360313"),
        ("360313000000", "360313"),
        ("360313101.0", "360313101"),
        ("3.60313101E+08", "360313101"),
        ("３６０３１３１０１", "360313101"),
        ("36", "360000"),
    ],
)
def test_codes_are_made_canonical(written: str, code: str) -> None:
    assert values.code(written) == code


@pytest.mark.parametrize("written", ["3.60313E+11", "36031310", "36031310l", "360313 101 5", "O60313101"])
def test_codes_that_lost_digits_are_not_guessed(written: str) -> None:
    assert values.code(written) == Problem("R03")


@pytest.mark.parametrize(
    ("title", "month"),
    [
        ("湘东区2025年6月户籍人口统计表", date(2025, 6, 1)),
        ("2025年6月户籍人口 填表日期：2025年7月3日", date(2025, 6, 1)),
        ("二〇二五年十二月报表", date(2025, 12, 1)),
        ("pop_202506.xlsx", date(2025, 6, 1)),
        ("人口2025-06.csv", date(2025, 6, 1)),
        ("截至2025年6月30日", date(2025, 6, 1)),
        ("2025年1-6月民政工作经费", None),
        ("2025年5月和2025年6月", None),
        ("填表日期：2025-07-03", None),
        ("2025年度报表", None),
    ],
)
def test_a_title_names_one_month_or_none(title: str, month: date | None) -> None:
    assert values.stated_month(title) == month
