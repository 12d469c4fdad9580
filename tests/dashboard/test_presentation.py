"""Figures become text in one way."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversight import presentation as show


@pytest.mark.parametrize(
    ("cny", "unit", "text"),
    [
        ("67200.00", "wan", "6.72"),
        ("12345.675", "yuan", "12,345.68"),
        ("50.00", "wan", "0.01"),
        ("49.99", "wan", "0.0050"),
        ("2.64", "wan", "0.0003"),
        ("0.01", "wan", "0.000001"),
        ("0", "wan", "0.00"),
        ("-91.6", "yuan", "−91.60"),
        ("105000", "wan", "10.50"),
        ("1234567890.12", "yuan", "1,234,567,890.12"),
    ],
)
def test_money_is_rounded_half_up_and_never_reads_as_nought_when_it_is_not(
    cny: str, unit: str, text: str
) -> None:
    assert show.money(Decimal(cny), unit) == text  # type: ignore[arg-type]


def test_what_is_absent_is_said_so_and_never_shown_as_zero() -> None:
    assert show.money(None) == "未报"
    assert show.count(None) == "未报"
    assert show.percent(None) == "—"
    assert show.month(None) == "—"
    assert show.yes_no(None) == "未报"
    assert show.quantity(None, "人") == "未报"


@given(st.decimals(min_value=Decimal("-99999999999999.99"), max_value=Decimal("99999999999999.99"), places=2))
def test_yuan_keeps_every_fen(cny: Decimal) -> None:
    assert Decimal(show.money(cny, "yuan").replace(",", "").replace("−", "-")) == cny


@pytest.mark.parametrize(
    ("comment", "title", "unit", "hint"),
    [
        (
            "应保障（年）（元）：按标准全年应保障的工作经费",
            "应保障（年）",
            "元",
            "按标准全年应保障的工作经费",
        ),
        ("下限（人）：人口下限；空为不限", "下限", "人", "人口下限；空为不限"),
        ("户籍人口(人)", "户籍人口", "人", ""),
        ("条款：条款号", "条款", "", "条款号"),
    ],
)
def test_column_titles_are_read_from_comments(comment: str, title: str, unit: str, hint: str) -> None:
    text = show.column_text("x", comment)
    assert (text.title, text.unit, text.hint) == (title, unit, hint)


def test_other_texts() -> None:
    assert show.month(date(2025, 6, 1)) == "2025年6月"
    assert show.moment(datetime.fromisoformat("2025-06-10T08:05:00")) == "2025-06-10 08:05"
    assert show.status_label("not_reported") == "未报送"
    assert show.quantity(Decimal("13.0000"), "个") == "13 个"
    assert show.signed("1.20") == "+1.20"
    assert show.signed("0.00") == "0.00"
    assert show.ratio_pct(1, 3) == Decimal("33.33")
    assert show.ratio_pct(1, 0) is None
    assert show.cell("dataset", "population,budget") == "户籍人口、民政工作经费"


def _luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("looks", [show.STATUS, show.SEVERITY, show.SUBMISSION_STATUS, show.DISPOSITION])
def test_status_colours_can_be_read_on_their_surface(looks: dict[str, show.Look]) -> None:
    for look in looks.values():
        for colour, surface in ((look.light, "#ffffff"), (look.dark, "#18212d")):
            high, low = sorted((_luminance(colour), _luminance(surface)), reverse=True)
            assert (high + 0.05) / (low + 0.05) >= 4.5, (look, surface)
