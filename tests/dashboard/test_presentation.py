"""Figures become text in one way."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversight import presentation as show
from oversight.dashboard import figures
from oversight.dashboard.grids import Column, Table, to_csv, to_xlsx
from oversight.dashboard.pages.funding import steps_of
from oversight.settings import PROJECT_ROOT


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


def test_every_source_has_its_word_wherever_a_column_names_one() -> None:
    with (PROJECT_ROOT / "dbt/seeds/report_sources.csv").open(encoding="utf-8") as file:
        names = {row["source"]: row["source_name"] for row in csv.DictReader(file)}
    assert names == show.SOURCE
    for column in ("source", "allocated_source", "disbursed_source", "spent_source"):
        assert {code: show.cell(column, code) for code in names} == names


@pytest.mark.parametrize("looks", [show.STATUS, show.SEVERITY, show.SUBMISSION_STATUS, show.DISPOSITION])
def test_status_colours_can_be_read_on_their_surface(looks: dict[str, show.Look]) -> None:
    for look in looks.values():
        for colour, surface in ((look.light, "#ffffff"), (look.dark, "#18212d")):
            high, low = sorted((_luminance(colour), _luminance(surface)), reverse=True)
            assert (high + 0.05) / (low + 0.05) >= 4.5, (look, surface)


def test_a_rate_reads_100_only_where_nothing_is_missing() -> None:
    told = show.rate(Decimal("100.00"), Decimal("52800.00"), Decimal("52802.64"))
    assert show.percent(told, 2) == "99.995%"
    assert show.percent(show.rate(Decimal("100.00"), Decimal(5), Decimal(5)), 2) == "100.00%"
    assert show.percent(Decimal("108.00"), 2) == "108.00%"


@pytest.mark.parametrize(
    ("column", "row", "word"),
    [
        ("guaranteed_annual_cny", {"status": "no_standard"}, "无适用标准"),
        ("allocated_annual_cny", {"status": "no_standard"}, "未报"),
        ("spent_pct", {"status": "no_standard"}, "未报"),
        ("allocation_shortfall_cny", {"status": "not_reported", "status_reason": "missing"}, "未报"),
        ("allocation_shortfall_cny", {"status": "not_reported", "status_reason": "too_coarse"}, "报数过粗"),
        ("adequacy_pct", {"status": "not_reported", "status_reason": "stale_population"}, "人口数过旧"),
        ("also_standard_id", {"status": "met"}, "—"),
        ("allocation_shortfall_cny", {"status": None}, "—"),
    ],
)
def test_what_null_means_is_said_in_one_place(column: str, row: dict[str, Any], word: str) -> None:
    assert show.figure("funding_gap_monthly", column, row).word == word


def test_a_payment_that_stops_is_known_in_part() -> None:
    row = {
        "month": date(2025, 6, 1),
        "status": "met",
        "disbursed_ytd_cny": Decimal("6000.00"),
        "disbursed_as_of_month": date(2025, 2, 1),
        "disbursed_is_partial": False,
    }
    figure = show.figure("funding_gap_monthly", "disbursed_ytd_cny", row)
    assert (figure.value, figure.state, figure.as_of) == (Decimal("6000.00"), "partial", date(2025, 2, 1))


def test_a_file_holds_what_the_screen_rounds() -> None:
    rows = [
        {
            "name": "腊市镇",
            "gap_cny": Decimal("2.64"),
            "rate_pct": Decimal("99.99500000"),
            "month": date(2025, 6, 1),
        },
        {
            "name": "甲镇",
            "gap_cny": Decimal("31866.000000"),
            "rate_pct": Decimal("80.00"),
            "month": date(2025, 6, 1),
        },
    ]
    table = Table(
        name="t",
        title="表",
        columns=[
            Column("name", "乡镇"),
            Column("gap_cny", "缺口", "number", "元"),
            Column("rate_pct", "保障率", "number", "%"),
            Column("month", "统计月份"),
        ],
        rows=rows,
        key=lambda row: str(row["name"]),
    )
    text = to_csv(table, "wan", ["地区", "来源"]).decode("utf-8-sig")
    assert "腊市镇,0.000264,99.995,2025-06-01" in text
    assert "甲镇,3.1866,80.00,2025-06-01" in text
    assert "甲镇,31866.00,80.00" in to_csv(table, "yuan", ["地区", "来源"]).decode("utf-8-sig")
    sheet = openpyxl.load_workbook(io.BytesIO(to_xlsx(table, "wan", ["表", "地区", "来源"]))).active
    assert [cell.value for cell in sheet[5]][1:3] == [0.000264, 99.995]
    assert sheet.cell(5, 4).value == datetime(2025, 6, 1)  # noqa: DTZ001


def test_what_adds_up_over_a_year_is_not_drawn_across_january() -> None:
    months = [date(2024, 11, 1), date(2024, 12, 1), date(2025, 1, 1)]
    line = figures.Line("本年已拨付", [show.Figure(Decimal(n)) for n in (11, 12, 1)], "#000", of_year=True)
    drawn = figures.lines(months, [line], "light", money="yuan")["data"]
    assert [trace["y"] for trace in drawn] == [[11.0, 12.0], [1.0]]
    assert [trace["showlegend"] for trace in drawn] == [True, False]


def test_unknown_and_not_asked_are_two_shades() -> None:
    months = [date(2025, 1, 1), date(2025, 2, 1)]
    cells = {
        ("a", months[0]): figures.Cell(show.Figure(None, "not_reported"), "", ""),
        ("a", months[1]): figures.Cell(show.Figure(None, "no_standard"), "", ""),
    }
    unknown, nothing, _ = figures.heat_map([("a", "甲镇")], months, cells, "light")["data"]
    assert (unknown["z"], nothing["z"]) == ([[0, None]], [[None, 0]])
    assert unknown["colorscale"] != nothing["colorscale"]


def test_names_at_a_cliff_do_not_lie_upon_one_another() -> None:
    def row(name: str, people: int, amount: int) -> dict[str, Any]:
        return {"township_name": name, "population_persons": people, "allocated_annual_cny": Decimal(amount)}

    rows = [
        row("甲镇", 50_000, 100),
        row("乙镇", 50_200, 101),
        row("丙镇", 49_900, 99),
        row("丁镇", 20_000, 40),
    ]
    assert figures._place_names(rows, 80_000, 200) == [
        (0, "甲镇<br>乙镇等 3 个", False),
        (3, "丁镇", False),
    ]
    # Where the guarantee falls at a bound, the name of whoever still has the higher stands above.
    assert [
        place[2]
        for place in figures._place_names([row("甲镇", 19_999, 67), row("乙镇", 20_001, 53)], 80_000, 170)
    ] == [
        True,
        False,
    ]


def test_an_axis_of_amounts_has_no_mark_below_nought() -> None:
    assert figures._ticks(-24.0, 106.0) == [0, 20, 40, 60, 80, 100]
    assert figures._ticks(2.2, 10.4) == [4, 6, 8, 10]


def test_a_point_known_in_part_says_so() -> None:
    line = figures.Line(
        "本年已拨付", [show.Figure(Decimal(5), "partial"), show.Figure(Decimal(0), "nil")], "#000"
    )
    months = [date(2025, 1, 1), date(2025, 2, 1)]
    read = figures.lines(months, [line], "light", money="yuan")["data"][0]["hovertext"]
    assert [text.partition("<br>")[2] for text in read] == [
        "本年已拨付 5.00 元（不全）",
        "本年已拨付 0.00 元（零报告）",
    ]


@pytest.mark.parametrize(
    ("formula", "tiers", "at"),
    [
        # One rate for everybody; rates by parts; one rate in each tier.
        ("per_capita_by_tier", [(0, None, "0.5")], {0: 0, 40_000: 240_000}),
        ("per_capita_marginal", [(0, 20_000, "1"), (20_000, None, "0.5")], {40_000: 360_000}),
        ("per_capita_by_tier", [(0, 20_000, "1"), (20_000, None, "0.5")], {40_000: 240_000}),
    ],
)
def test_the_last_tier_rises_as_its_rule_has_it(
    formula: str, tiers: list[tuple[int, int | None, str]], at: dict[int, int]
) -> None:
    rows = [
        {"tier_no": n, "tier_label": str(n), "lower_bound": low, "upper_bound": high, "value": Decimal(value)}
        | {"unit": "元/人·月"}
        for n, (low, high, value) in enumerate(tiers, 1)
    ]
    large = {
        "township_code": "1",
        "township_name": "甲镇",
        "county_name": "",
        "tier_label": "",
        "population_persons": 50_000,
        "href": "",
    }
    large |= {
        "status": "met",
        "guaranteed_annual_cny": None,
        "allocated_annual_cny": Decimal(1),
        "name": "甲镇",
    }
    drawn = figures.tier_steps([large], steps_of({"formula": formula}, rows), set(), "yuan", "light")["data"]
    line = next(trace for trace in drawn if trace.get("mode") == "lines")
    (x0, y0), (x1, y1) = list(zip(line["x"], line["y"], strict=True))[-2:]
    for people, amount in at.items():
        assert y0 + (y1 - y0) * (people / 10_000 - x0) / (x1 - x0) == pytest.approx(amount, abs=1)


def test_a_sum_over_fewer_units_says_over_how_many() -> None:
    values = [show.Figure(Decimal(8)), show.Figure(Decimal(6))]
    line = figures.Line("本年已拨付", values, "#000", among=["", "2 / 3 个乡镇"])
    months = [date(2025, 5, 1), date(2025, 6, 1)]
    read = figures.lines(months, [line], "light", money="yuan")["data"][0]["hovertext"]
    assert read == ["2025年5月<br>本年已拨付 8.00 元", "2025年6月<br>本年已拨付 6.00 元<br>2 / 3 个乡镇"]
