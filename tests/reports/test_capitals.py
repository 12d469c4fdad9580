"""Amounts in capitals: examples of the rules, and every amount read back by a parser that shares nothing."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oversight.capitals import in_capitals

DIGITS = {name: value for value, name in enumerate("零壹贰叁肆伍陆柒捌玖")}
UNITS = {"拾": 10, "佰": 100, "仟": 1000}


def read(text: str) -> Decimal:
    """What somebody who reads the characters one after the other understands; a 零 says nothing."""
    sign = -1 if text.startswith("负") else 1
    found = re.fullmatch(r"负?(?:(.+)元)?(零)?(?:(.)角)?(?:(.)分|整)", text)
    assert found, text
    total = section = digit = high = 0
    for character in found[1] or "":
        if character in DIGITS:
            digit = DIGITS[character]
        elif character in UNITS:
            section, digit = section + digit * UNITS[character], 0
        elif character == "万":
            total, section, digit = total + (section + digit) * 10_000, 0, 0
        else:
            assert character == "亿", text
            high, total, section, digit = (total + section + digit) * 100_000_000, 0, 0, 0
    cents = (high + total + section + digit) * 100 + DIGITS[found[3] or "零"] * 10 + DIGITS[found[4] or "零"]
    return sign * Decimal(cents).scaleb(-2)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("1234.56", "壹仟贰佰叁拾肆元伍角陆分"),
        ("0", "零元整"),
        ("0.05", "伍分"),
        ("0.50", "伍角整"),
        ("10", "壹拾元整"),
        ("1409.50", "壹仟肆佰零玖元伍角整"),
        ("6007.14", "陆仟零柒元壹角肆分"),
        ("16409.02", "壹万陆仟肆佰零玖元零贰分"),
        ("325.04", "叁佰贰拾伍元零肆分"),
        ("43200", "肆万叁仟贰佰元整"),
        ("100000000", "壹亿元整"),
        ("100000050", "壹亿零伍拾元整"),
        ("1000500.00", "壹佰万零伍佰元整"),
        ("2000000000001.10", "贰万亿零壹元壹角整"),
        ("9999999999999999.99", "玖仟玖佰玖拾玖万玖仟玖佰玖拾玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分"),
        ("-2.64", "负贰元陆角肆分"),
    ],
)
def test_amounts_as_the_rules_write_them(amount: str, text: str) -> None:
    assert in_capitals(Decimal(amount)) == text


@given(st.decimals("-9999999999999999.99", "9999999999999999.99", places=2))
@example(Decimal("10000000.01"))
@example(Decimal("100010001000.10"))
def test_every_amount_is_read_back_and_well_written(amount: Decimal) -> None:
    text = in_capitals(amount)
    assert read(text) == amount
    assert "零零" not in text
    assert not re.search(r"零[亿万仟佰拾角分]|.零元" if amount else r"零[亿万仟佰拾角分]", text)
    # What ends with 元 or 角 says that nothing follows, what ends with 分 needs no such word.
    assert text.endswith("整") != text.endswith("分")


@given(st.integers(0, 10**18 - 1), st.integers(0, 10**18 - 1))
def test_two_amounts_never_look_the_same(one: int, other: int) -> None:
    texts = {in_capitals(Decimal(cents).scaleb(-2)) for cents in (one, other)}
    assert len(texts) == len({one, other})


@pytest.mark.parametrize("amount", ["0.001", "10000000000000000", "NaN", "Infinity"])
def test_what_is_no_amount_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match=r"capitals|decimals"):
        in_capitals(Decimal(amount))
