"""Tables as county offices type them, each with what a person would read stated first; through `check` alone.

Written from the description of the inputs, not from the generator of messy files, which shares its authors' views.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from oversight.intake.sending_back.checking import check
from tests.intake.formats import ods_bytes, xls_bytes, xlsb_bytes
from tests.intake.world import NOW, TOWNSHIPS, World

CODES = {name: code for code, name in TOWNSHIPS} | {"老关镇（卢龙）": "130324101", "卢龙镇": "130324100"}
Expected = list[dict[str, Any]]
Sheet = tuple[str, Sequence[Sequence[Any]], Sequence[str]]


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("by_hand") / "data")
    world.take_in()
    return world


def book(*sheets: Sheet, from_1904: bool = False, number_format: Mapping[str, str] | None = None) -> bytes:
    """A workbook: (name, rows, merged ranges) for each sheet."""
    made = openpyxl.Workbook()
    del made[made.sheetnames[0]]
    if from_1904:
        made.epoch = CALENDAR_MAC_1904
    for name, rows, merges in sheets:
        page = made.create_sheet(name)
        for r, row in enumerate(rows, start=1):
            for c, value in enumerate(row, start=1):
                if value not in ("", None):
                    page.cell(r, c).value = value
        for merge in merges:
            page.merge_cells(merge)
        for cell, form in (number_format or {}).items():
            page[cell].number_format = form
    memory = io.BytesIO()
    made.save(memory)
    return memory.getvalue()


def one(rows: Sequence[Sequence[Any]], *merges: str, **more: Any) -> bytes:
    return book(("Sheet1", rows, merges), **more)


def told(world: World, content: bytes, name: str = "报表.xlsx") -> dict[str, Any]:
    path = world.folder.root.parent / Path(name).name
    path.write_bytes(content)
    found = check([path], world.folder, now=NOW)[0].to_json()
    kinds = ("accepted", "held", "rejected", "ignored")
    assert found["rows_read"] == sum(found[kind] for kind in kinds)
    return found


def says(
    world: World,
    content: bytes,
    expected: Expected,
    errors: Iterable[tuple[str, int | None]] = (),
    name: str = "报表.xlsx",
) -> dict[str, Any]:
    """The accepted rows have these values (and there are no others), and these rows are refused."""
    found = told(world, content, name)
    rest = list(found["rows"])
    for wanted in expected:
        hit = next((r for r in rest if all(r[k] == v for k, v in wanted.items())), None)
        assert hit is not None, (wanted, rest, found["errors"])
        rest.remove(hit)
    assert not rest
    codes = sorted((e["error_code"], e["row_number"]) for e in found["errors"] if e["error_code"] != "F13")
    assert codes == sorted(errors)
    return found


def people(month: str, **figures: int) -> Expected:
    return [{"统计月份": month, "区划代码": CODES[n], "户籍人口(人)": v} for n, v in figures.items()]


JUNE = people("2025-06", 湘东镇=20_000, 荷尧镇=30_000, 老关镇=15_000)
TITLE = ["湘东区2025年6月户籍人口统计表"]
PLAIN = [
    ["区划代码", "乡镇", "户籍人口"],
    *([CODES[n], n, v] for n, v in (("湘东镇", 20_000), ("荷尧镇", 30_000), ("老关镇", 15_000))),
]
STAFF = [
    ["区划代码", "乡镇", "行政编制", "事业编制", "在编在岗专职人数"],
    ["360313102", "荷尧镇", 1, 1, 2],
    ["360313101", "湘东镇", 2, 3, 4],
]
STAFFED: Expected = [
    {"统计月份": "2025-06", "区划代码": "360313101", "行政编制数(名)": 2, "在编在岗专职人数(人)": 4},
    {"统计月份": "2025-06", "区划代码": "360313102", "行政编制数(名)": 1, "在编在岗专职人数(人)": 2},
]
NAMED = [["湘东镇", 2], ["荷尧镇", 3], ["老关镇", 1.5]]

# --- units ----------------------------------------------------------------------------------------------

UNITS: dict[str, list[list[Any]]] = {
    "in the title's bracket": [["湘东区2025年6月户籍人口统计表（万人）"], ["乡镇", "户籍人口"], *NAMED],
    "in the title": [["湘东区2025年6月户籍人口统计表（单位：万人）"], ["乡镇", "户籍人口"], *NAMED],
    "below the title": [TITLE, ["", "单位：万人"], ["乡镇", "户籍人口"], *NAMED],
    "a cell of its own": [TITLE, ["", "万人"], ["乡镇", "户籍人口"], *NAMED],
    "a row below the header": [TITLE, ["乡镇", "户籍人口"], ["", "（万人）"], *NAMED],
    "a labelled row below the header": [TITLE, ["乡镇", "户籍人口"], ["计量单位", "万人"], *NAMED],
    "in a note": [TITLE, ["乡镇", "户籍人口"], *NAMED, ["注：本表计量单位为万人。"]],
    "behind a dash": [TITLE, ["乡镇", "户籍人口-万人"], *NAMED],
    "without any mark": [TITLE, ["乡镇", "户籍人口万人"], *NAMED],
    "in the cells": [
        TITLE,
        ["乡镇", "户籍人口"],
        ["湘东镇", "2万人"],
        ["荷尧镇", "3.0万"],
        ["老关镇", "15,000人"],
    ],
}


@pytest.mark.parametrize("where", UNITS)
def test_the_unit_is_found_where_a_person_finds_it(units: World, where: str) -> None:
    says(units, one(UNITS[where]), JUNE)


def test_the_title_beats_a_note_that_says_otherwise(units: World) -> None:
    rows = [
        ["湘东区2025年6月户籍人口（单位：人）"],
        ["乡镇", "户籍人口"],
        ["湘东镇", 20_000],
        ["注：单位：万人"],
    ]
    says(units, one(rows), people("2025-06", 湘东镇=20_000))


def test_figures_of_last_month_and_parts_are_left_alone(units: World) -> None:
    header = ["乡镇", "上月户籍人口", "户籍人口", "其中：城镇户籍人口", "增减"]
    says(units, one([TITLE, header, ["湘东镇", 19_999, 20_000, 6000, 1]]), people("2025-06", 湘东镇=20_000))


def test_a_figure_for_the_year_beside_figures_by_month(units: World) -> None:
    rows = [
        ["湘东区2025年民政工作经费（万元）"],
        ["乡镇", "年初预算", "本月拨付", "", "累计拨付", ""],
        ["", "", "1月", "2月", "1月", "2月"],
        ["湘东镇", 6.72, 0.56, 0.56, 0.56, 1.12],
    ]
    expected = [
        {"统计月份": m, "年初预算(元)": "67200.00", "本月拨付(元)": "5600.00", "累计拨付(元)": c}
        for m, c in (("2025-01", "5600.00"), ("2025-02", "11200.00"))
    ]
    says(units, one(rows, "A2:A3", "B2:B3", "C2:D2", "E2:F2"), expected)


def test_a_columns_own_unit_beats_the_sheets(units: World) -> None:
    rows = [
        ["湘东区2025年6月民政工作经费情况表"],
        ["单位：万元"],
        [
            "区划代码",
            "乡镇",
            "年初预算（元）",
            "调整后预算",
            "本月拨付（千元）",
            "累计拨付(万元)",
            "本月支出(元)",
            "累计支出（亿元）",
        ],
        ["360313101", "湘东镇", 67_200, 6.8, 5.6, 3.36, 5000.5, 0.0003],
    ]
    says(units, one(rows), [BUDGET])


BUDGET = {
    "统计月份": "2025-06",
    "区划代码": "360313101",
    "年初预算(元)": "67200.00",
    "调整后预算(元)": "68000.00",
    "本月拨付(元)": "5600.00",
    "累计拨付(元)": "33600.00",
    "本月支出(元)": "5000.50",
    "累计支出(元)": "30000.00",
}

# --- headers --------------------------------------------------------------------------------------------


def test_three_header_rows_with_a_group_of_several_known_words(units: World) -> None:
    rows = [
        ["湘东区2025年6月民政工作经费情况表"],
        ["填报单位：湘东区财政局", "", "", "", "单位：万元"],
        ["序号", "乡镇（街道）", "民政工作经费预算", "", "拨付", "", "支出", ""],
        ["", "", "年初预算", "调整后预算", "本月", "累计", "本月", "累计"],
        [1, "湘东镇", 6.72, 6.8, 0.56, 3.36, 0.50005, 3],
        ["合计", "", 6.72, 6.8, 0.56, 3.36, 0.50005, 3],
        ["审核人：张三", "", "", "填表人：李四"],
    ]
    found = says(units, one(rows, "A1:H1", "A3:A4", "B3:B4", "C3:D3", "E3:F3", "G3:H3"), [BUDGET])
    assert {d["error_code"] for d in found["doubts"]} == {"D03"}


def test_four_header_rows(units: World) -> None:
    rows = [
        ["湘东区民政工作经费情况表"],
        ["2025年6月"],
        ["单位：元"],
        ["行政区划代码", "乡镇", "民政工作经费", "", "", "", "", ""],
        ["", "", "民政工作经费预算", "", "资金执行情况", "", "", ""],
        ["", "", "", "", "拨付情况", "", "支出情况", ""],
        ["", "", "年初预算", "其中：调整后预算", "本月拨付", "累计拨付", "本月支出", "累计支出"],
        ["360313101", "湘东镇", 67_200, 68_000, 5600, 33_600, 5000.5, 30_000],
    ]
    says(units, one(rows, "A4:A7", "B4:B7", "C4:H4", "C5:D6", "E5:H5", "E6:F6", "G6:H6"), [BUDGET])


@pytest.mark.parametrize("total", ["合计", "总人口", "小计"])
def test_men_and_women_below_the_total_are_not_the_total(units: World, total: str) -> None:
    rows = [
        TITLE,
        ["区划代码", "乡镇", "户籍人口", "", ""],
        ["", "", total, "其中：男", "女"],
        *(
            [CODES[n], n, v, v // 2, v - v // 2]
            for n, v in (("湘东镇", 20_000), ("荷尧镇", 30_000), ("老关镇", 15_000))
        ),
    ]
    says(units, one(rows, "A2:A3", "B2:B3", "C2:E2"), JUNE)


def test_men_and_women_without_a_total_are_refused(units: World) -> None:
    rows = "统计月份,区划代码,乡镇,户籍人口,\n,,,男,女\n2025-06,360313101,湘东镇,10001,9999\n"
    found = told(units, rows.encode(), "人口.csv")
    assert (found["rows"], [e["error_code"] for e in found["errors"]]) == ([], ["F06"])


def test_of_which_beside_the_total_in_a_csv(units: World) -> None:
    rows = "统计月份,区划代码,乡镇,户籍人口,其中：,\n,,,,男,女\n2025-06,360313101,湘东镇,20000,10001,9999\n"
    says(units, rows.encode(), people("2025-06", 湘东镇=20_000), name="人口.csv")


# --- several tables -------------------------------------------------------------------------------------

BOTH = JUNE + STAFFED
SHEETS: dict[str, tuple[list[list[Any]], Expected]] = {
    "below one another": (
        [["湘东区2025年6月民政统计表"], ["一、户籍人口"], *PLAIN, [], ["二、民政工作人员"], *STAFF],
        BOTH,
    ),
    "without a gap": ([["湘东区2025年6月民政统计表"], *PLAIN, *STAFF], BOTH),
    "beside one another, in another order": (
        [["湘东区2025年6月民政统计表"], *([*p, "", *s] for p, s in zip(PLAIN, [*STAFF, []], strict=True))],
        BOTH,
    ),
    "beside one another, each with its month": (
        [
            ["湘东区2025年5月户籍人口", "", "", "", "湘东区2025年6月民政工作人员"],
            *([*p, "", *s] for p, s in zip(PLAIN, [*STAFF, []], strict=True)),
        ],
        people("2025-05", 湘东镇=20_000, 荷尧镇=30_000, 老关镇=15_000) + STAFFED,
    ),
    "the same table for two months": (
        [["湘东区2025年5月户籍人口"], *PLAIN, [], ["湘东区2025年6月户籍人口"], *PLAIN],
        people("2025-05", 湘东镇=20_000, 荷尧镇=30_000, 老关镇=15_000) + JUNE,
    ),
    "one table in two halves": (
        [
            TITLE,
            ["序号", "乡镇", "户籍人口", "序号", "乡镇", "户籍人口"],
            [1, "湘东镇", 20_000, 2, "荷尧镇", 30_000],
            [3, "老关镇", 15_000, "", "合计", 65_000],
        ],
        JUNE,
    ),
    "pages with title and header again": (
        [
            TITLE,
            ["序号", "乡镇", "户籍人口"],
            [1, "湘东镇", 20_000],
            ["", "小计", 20_000],
            TITLE,
            ["序号", "乡镇", "户籍人口"],
            [2, "荷尧镇", 30_000],
            [3, "老关镇", 15_000],
            ["", "小计", 45_000],
            ["", "总计", 65_000],
        ],
        JUNE,
    ),
}


@pytest.mark.parametrize("how", SHEETS)
def test_several_tables_on_a_sheet(units: World, how: str) -> None:
    rows, expected = SHEETS[how]
    found = says(units, one(rows), expected)
    assert "D11" not in {d["error_code"] for d in found["doubts"]}


def test_a_sheet_a_township(units: World) -> None:
    expected = people("2025-01", 湘东镇=20_000, 荷尧镇=30_000) + people(
        "2025-02", 湘东镇=20_001, 荷尧镇=30_001
    )
    sheets = [
        (n, [["月份", "户籍人口"], ["2025年1月", v], ["2025年2月", v + 1]], ())
        for n, v in (("湘东镇", 20_000), ("荷尧镇", 30_000))
    ]
    says(units, book(*sheets), expected, name="湘东区户籍人口.xlsx")
    titled = [
        (
            f"Sheet{i}",
            [[f"湘东区{n}2025年户籍人口统计表"], ["月份", "户籍人口"], ["1月", v], ["2月", v + 1]],
            (),
        )
        for i, (n, v) in enumerate((("湘东镇", 20_000), ("荷尧镇", 30_000)))
    ]
    says(units, book(*titled), expected)
    # A title that was copied and not changed: which of the two is it?
    wrong = book(("荷尧镇", [["湘东区湘东镇2025年户籍人口统计表"], ["月份", "户籍人口"], ["1月", 1]], ()))
    assert [e["error_code"] for e in told(units, wrong)["errors"]] == ["F06"]


# --- months ---------------------------------------------------------------------------------------------

TWO = people("2025-01", 湘东镇=20_000) + people("2025-02", 湘东镇=20_001)
YEAR = ["湘东区2025年户籍人口统计表"]
MONTHS: dict[str, tuple[list[list[Any]], list[str]]] = {
    "as columns": (
        [YEAR, ["乡镇", "1月", "2月", "3月"], ["湘东镇", 20_000, 20_001, ""], ["合计", 20_000, 20_001, ""]],
        [],
    ),
    "as dates over columns": (
        [
            ["湘东区户籍人口"],
            ["乡镇", date(2025, 1, 1), date(2025, 2, 1)],
            ["湘东镇", 20_000, 20_001],
        ],
        [],
    ),
    "below a merged year": (
        [["湘东区户籍人口"], ["乡镇", "2025年", ""], ["", "1月", "2月"], ["湘东镇", 20_000, 20_001]],
        ["A2:A3", "B2:C2"],
    ),
    "below each figure": (
        [
            YEAR,
            ["乡镇", "户籍人口", "", "出生人口", ""],
            ["", "1月", "2月", "1月", "2月"],
            ["湘东镇", 20_000, 20_001, 1, 2],
        ],
        ["A2:A3", "B2:C2", "D2:E2"],
    ),
    "above each figure": (
        [
            YEAR,
            ["乡镇", "1月", "", "2月", ""],
            ["", "户籍人口", "出生人口", "户籍人口", "出生人口"],
            ["湘东镇", 20_000, 1, 20_001, 2],
        ],
        ["A2:A3", "B2:C2", "D2:E2"],
    ),
    "below a merged township": (
        [YEAR, ["乡镇", "月份", "户籍人口"], ["湘东镇", "1月", 20_000], ["", "2月", 20_001]],
        ["A3:A4"],
    ),
    "beside a year": (
        [
            ["湘东区户籍人口"],
            ["年度", "月份", "乡镇", "户籍人口"],
            [2025, 1, "湘东镇", 20_000],
            [2025, 2, "湘东镇", 20_001],
        ],
        [],
    ),
    "beside a merged year": (
        [
            ["湘东区户籍人口"],
            ["年份", "月份", "乡镇", "户籍人口"],
            ["2025年", "1月", "湘东镇", 20_000],
            ["", "2月", "湘东镇", 20_001],
        ],
        ["A3:A4"],
    ),
    "as rows between": (
        [YEAR, ["乡镇", "户籍人口"], ["1月"], ["湘东镇", 20_000], ["2月"], ["湘东镇", 20_001]],
        [],
    ),
    "below rows with the year": (
        [
            ["湘东区户籍人口"],
            ["月份", "乡镇", "户籍人口"],
            ["2025年"],
            ["1月", "湘东镇", 20_000],
            ["2月", "湘东镇", 20_001],
        ],
        [],
    ),
    "as bare numbers": (
        [YEAR, ["月份", "乡镇", "户籍人口"], [1, "湘东镇", 20_000], ["2", "湘东镇", 20_001]],
        [],
    ),
}


@pytest.mark.parametrize("how", MONTHS)
def test_where_the_month_is_said(units: World, how: str) -> None:
    rows, merges = MONTHS[how]
    says(units, one(rows, *merges), TWO)


def test_sheets_named_by_month(units: World) -> None:
    table = [["乡镇", "户籍人口"], ["湘东镇", 20_000]]
    expected = people("2025-01", 湘东镇=20_000) + people("2025-02", 湘东镇=20_000)
    says(units, book(("1月", table, ()), ("2月", table, ())), expected, name="湘东区2025年户籍人口.xlsx")
    says(units, book(("202501", table, ()), ("2025.02", table, ())), expected, name="湘东区户籍人口.xlsx")
    says(units, one([YEAR, *table]), expected[:1], name="湘东区1月.xlsx")


def test_a_day_of_filing_is_no_month(units: World) -> None:
    title = "湘东区户籍人口（填表日期：2025年7月3日）"
    found = told(units, one([[title], ["乡镇", "户籍人口"], ["湘东镇", 20_000]]))
    assert (found["rows"], [e["error_code"] for e in found["errors"]]) == ([], ["F18"])


@pytest.mark.parametrize(
    "title", ["湘东区2025年1-6月户籍人口", "湘东区2025年上半年户籍人口", "湘东区2025年第二季度户籍人口"]
)
def test_how_many_lived_there_is_of_the_last_month_of_a_span(units: World, title: str) -> None:
    says(units, one([[title], ["乡镇", "户籍人口"], ["湘东镇", 20_000]]), people("2025-06", 湘东镇=20_000))


def test_days_counted_from_1904(units: World) -> None:
    header = ["统计月份", "区划代码", "乡镇名称", "户籍人口(人)"]
    for month in (date(2025, 6, 1), 45809 - 1462):
        content = one([header, [month, "360313101", "湘东镇", 20_000]], from_1904=True)
        says(units, content, people("2025-06", 湘东镇=20_000))


def test_a_column_that_says_which_figure_is_not_guessed_over(units: World) -> None:
    """Births in a table titled 户籍人口 must not become its population."""
    rows = [YEAR, ["乡镇", "项目", "1月", "2月"], ["湘东镇", "出生人口", 1, 2]]
    found = told(units, one(rows))
    assert (found["rows"], [e["error_code"] for e in found["errors"]]) == ([], ["F05"])


# --- rows -----------------------------------------------------------------------------------------------


def test_parts_of_a_row_are_no_rows(units: World) -> None:
    rows = [
        TITLE,
        ["乡镇", "户籍人口"],
        ["合计", 65_000],
        ["其中：湘东镇", 20_000],
        ["其中：城镇", 8000],
        ["荷尧镇", 30_000],
        ["老关镇", 15_000],
        ["平均", 21_667],
    ]
    found = says(units, one(rows), JUNE)
    assert found["ignored"] == 3


@pytest.mark.parametrize(
    ("rows", "doubt"),
    [
        ([["1", *PLAIN[1]], ["2", *PLAIN[2]], ["合计", "", "", 51_000]], "50000"),
        (
            [
                ["", *PLAIN[1]],
                ["", *PLAIN[2]],
                ["", "", "小计", 49_000],
                ["", *PLAIN[3]],
                ["", "", "小计", 15_000],
                ["", "", "总计", 65_000],
            ],
            "50000",
        ),
        (
            [
                ["", *PLAIN[1]],
                ["", *PLAIN[2]],
                ["", "", "小计", 50_000],
                ["", *PLAIN[3]],
                ["", "", "总计", 66_000],
            ],
            "15000",
        ),
    ],
)
def test_any_total_that_does_not_agree_is_told(units: World, rows: list[list[Any]], doubt: str) -> None:
    found = told(units, one([TITLE, ["序号", *PLAIN[0]], *rows]))
    (said,) = [d for d in found["doubts"] if d["error_code"] == "D11"]
    assert doubt in said["message_zh"].replace(",", "")


def test_a_county_in_a_column_of_its_own(units: World) -> None:
    rows = [
        ["2025年6月户籍人口"],
        ["县区", "乡镇", "户籍人口"],
        ["湘东区", "老关镇", 1],
        ["", "湘东镇", 2],
        ["卢龙县", "老关镇", 3],
    ]
    expected = people("2025-06", 老关镇=1, 湘东镇=2) + people("2025-06", **{"老关镇（卢龙）": 3})
    says(units, one(rows, "A3:A4"), expected)


# --- how a value is written -----------------------------------------------------------------------------

HEADER = ["统计月份", "区划代码", "乡镇名称", "户籍人口(人)"]


@pytest.mark.parametrize(
    "written",
    [
        "２００００",
        "20,000",
        "2万",
        "20000人",
        "2.0E+04",
        "贰万",
        "'20000",
        20000.0,
        "20 000",
        "2万0千",
        "两万",
    ],
)
def test_twenty_thousand(units: World, written: Any) -> None:
    says(units, one([HEADER, ["2025-06", "360313101", "湘东镇", written]]), people("2025-06", 湘东镇=20_000))


@pytest.mark.parametrize(
    ("written", "figure"),
    [("1万2千", 12_000), ("1万2345", 12_345), ("壹万贰仟", 12_000), ("0", 0), ("零", 0)],
)
def test_other_figures(units: World, written: str, figure: int) -> None:
    says(units, one([HEADER, ["2025-06", "360313101", "湘东镇", written]]), people("2025-06", 湘东镇=figure))


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("20000①", "R04"),
        ("20000²", "R04"),
        ("1万2", "R04"),
        ("约2万", "R04"),
        ("2-3万", "R04"),
        ("20,00", "R04"),
        ("50%", "R04"),
        ("（123）", "R06"),
        ("负123", "R06"),
        (-123, "R06"),
        (12.5, "R16"),
        (True, "R04"),
        ("=1+1", "R22"),
    ],
)
def test_what_is_no_certain_figure_is_refused(units: World, written: Any, code: str) -> None:
    says(units, one([HEADER, ["2025-06", "360313101", "湘东镇", written]]), [], [(code, 2)])


@pytest.mark.parametrize("blank", ["—", "/", "无", "", "空", "空白", "未填", "…", "N/A"])
def test_blank_is_not_zero(units: World, blank: str) -> None:
    rows = [
        [*HEADER, "出生人口"],
        ["2025-06", "360313101", "湘东镇", 1, blank],
        ["2025-06", "360313102", "荷尧镇", 1, 0],
    ]
    births = [{"区划代码": "360313101", "出生人口(人)": None}, {"区划代码": "360313102", "出生人口(人)": 0}]
    says(units, one(rows), births)


@pytest.mark.parametrize(
    "code",
    [
        360313101,
        360313101.0,
        "360313101000",
        360313101000,
        "３６０３１３１０１",
        "360 313 101",
        "360,313,101",
        "360313-101",
        "3.60313101E+11",
        "'360313101",
    ],
)
def test_codes_that_are_certain(units: World, code: Any) -> None:
    says(units, one([HEADER, ["2025-06", code, "湘东镇", 1]]), people("2025-06", 湘东镇=1))


@pytest.mark.parametrize(
    "name",
    ["湘 东 镇 ", "　湘东镇\n", "江西省萍乡市湘东区湘东镇", "1.湘东镇", "（1）湘东镇", "湘东镇人民政府"],
)
def test_names_without_a_code(units: World, name: str) -> None:
    says(units, one([TITLE, ["乡镇", "户籍人口"], [name, 1]]), people("2025-06", 湘东镇=1))


def test_short_names(units: World) -> None:
    says(units, one([TITLE, ["乡镇", "户籍人口"], ["荷尧", 1]]), people("2025-06", 荷尧镇=1))
    # 湘东 may be the county as well as the town.
    says(units, one([TITLE, ["乡镇", "户籍人口"], ["湘东", 1]]), [], [("R12", 3)])


def test_a_county_written_before_the_name_decides(units: World) -> None:
    other = people("2025-06", **{"老关镇（卢龙）": 1})
    says(units, one([TITLE, ["乡镇", "户籍人口"], ["卢龙县老关镇", 1]]), other)
    untitled = [["2025年6月户籍人口"], ["乡镇", "户籍人口"], ["湘东区老关镇", 1]]
    says(units, one(untitled), people("2025-06", 老关镇=1))
    says(units, one([TITLE, ["乡镇", "户籍人口"], ["卢龙镇", 1]]), [], [("R12", 3)])


# --- files ----------------------------------------------------------------------------------------------

FULL = [
    [*HEADER, "出生人口"],
    ["2025-06", "360313101", "湘东镇", 20_000, 0],
    ["2025-06", "360313102", "荷尧镇", "3万", "—"],
    ["2025-06", "360313103", "老关镇", 15_000, "#DIV/0!"],
]
MERGED = [
    HEADER,
    ["2025-06", "360313101", "湘东镇", 20_000],
    ["", "360313102", "荷尧镇", 30_000],
    ["2025-06", "360313103", "老关镇", 50_000],
    ["2025-06", "360313104", "腊市镇", ""],
]
FORMATS = {".xls": xls_bytes, ".et": xls_bytes, ".ods": ods_bytes, ".xlsb": xlsb_bytes}


@pytest.mark.parametrize("ending", FORMATS)
def test_other_workbook_formats(units: World, ending: str) -> None:
    make = FORMATS[ending]
    good = people("2025-06", 湘东镇=20_000, 荷尧镇=30_000)
    # An error in a cell is no blank, in whatever format.
    says(units, make(FULL), good, [("R22", 4)], name=f"人口{ending}")
    # A month merged over rows holds for each, a figure for none.
    says(
        units,
        make(MERGED, [(1, 0, 2, 0), (3, 3, 4, 3)]),
        good,
        [("R23", 4), ("R23", 5)],
        name=f"人口{ending}",
    )


def test_wrong_endings_and_formulas_never_worked_out(units: World) -> None:
    good = people("2025-06", 湘东镇=20_000)
    for content in (xls_bytes(FULL[:2]), one(FULL[:2]), xlsb_bytes(FULL[:2])):
        says(units, content, good, name="人口.et")
    says(units, xls_bytes([*FULL[:2], ["2025-06", "360313102", "荷尧镇", "=1+1", ""]]), good, [("R22", 3)])


def test_an_xlsx_with_prefixes_hides_no_formula(units: World) -> None:
    """Other programs write the same XML with prefixes; a formula without a result must not pass for a blank."""
    content = one([[*HEADER, "出生人口"], ["2025-06", "360313101", "湘东镇", 20_000, "=1+1"]])
    memory = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(memory, "w") as new:
        for entry in old.infolist():
            part = old.read(entry)
            if entry.filename == "xl/worksheets/sheet1.xml":
                part = part.replace(b"<", b"<x:").replace(b"<x:/", b"</x:").replace(b"<x:?", b"<?")
                part = part.replace(b"xmlns=", b"xmlns:x=")
            new.writestr(entry, part)
    says(units, memory.getvalue(), [], [("R22", 2)])


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_by_line_ends(units: World, newline: str, encoding: str, delimiter: str) -> None:
    rows = [HEADER, ["2025-06", "360313101", "湘东镇", "20000"]]
    text = newline.join(delimiter.join(row) for row in rows)
    says(units, text.encode(encoding), people("2025-06", 湘东镇=20_000), name="人口.csv")


CSV = {
    "quoted newlines": '统计月份,区划代码,"乡镇\n名称","户籍人口\n(人)",备注\n2025-06,360313101,湘东镇,20000,"一\n二, ""三"""\n',
    "codes kept as text": '统计月份,区划代码,乡镇名称,户籍人口\n2025-06,="360313101",湘东镇,20000\n',
    "a line for Excel": "sep=;\n统计月份;区划代码;乡镇名称;户籍人口\n2025-06;360313101;湘东镇;20000\n",
    "empty columns and rows": "统计月份,区划代码,乡镇名称,户籍人口,,\n2025-06,360313101,湘东镇,20000,,\n,,,,,\n",
    "a form": "湘东区2025年6月户籍人口,,\n单位：万人,,\n区划代码,乡镇名称,户籍人口\n360313101,湘东镇,2\n"
    "合计,,2\n湘东区民政局（盖章）,,\n",
}


@pytest.mark.parametrize("kind", CSV)
def test_csv_as_it_comes(units: World, kind: str) -> None:
    says(units, CSV[kind].encode("gb18030"), people("2025-06", 湘东镇=20_000), name="人口.csv")


def test_a_thousands_separator_without_quotes_moves_no_figure(units: World) -> None:
    text = "统计月份,区划代码,乡镇名称,户籍人口\n2025-06,360313101,湘东镇,20,000\n2025-06,360313102,荷尧镇,30000\n"
    says(units, text.encode(), people("2025-06", 荷尧镇=30_000), [("R20", 2)], name="人口.csv")


def windows_zip(members: Mapping[str, bytes]) -> bytes:
    """As Chinese Windows packs it: names in GBK, and nothing that says so."""
    body, directory = b"", b""
    for name, content in members.items():
        raw = name.encode("gbk")
        sizes = struct.pack("<III", zlib.crc32(content), len(content), len(content))
        entry = struct.pack("<HHHHH", 20, 0, 0, 0, 0x21) + sizes + struct.pack("<HH", len(raw), 0)
        directory += (
            b"PK\x01\x02" + struct.pack("<H", 20) + entry + struct.pack("<HHHII", 0, 0, 0, 0, len(body)) + raw
        )
        body += b"PK\x03\x04" + entry + raw + content
    counts = struct.pack("<HHHHIIH", 0, 0, len(members), len(members), len(directory), len(body), 0)
    return body + directory + b"PK\x05\x06" + counts


def test_a_zip_from_windows_with_folders_and_a_broken_member(units: World) -> None:
    content = one([["乡镇", "户籍人口"], ["湘东镇", 20_000]])
    packed = windows_zip(
        {
            "湘东区/湘东区2025年6月户籍人口.xlsx": content,
            "湘东区/湘东区2025年5月户籍人口.xlsx": content[:2000],
        }
    )
    found = says(units, packed, people("2025-06", 湘东镇=20_000), [("F04", None)], name="湘东区.zip")
    assert found["errors"][0]["sheet"] == "湘东区/湘东区2025年5月户籍人口.xlsx"


def test_a_member_that_does_not_unpack_does_not_stop_the_others(units: World) -> None:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("坏.csv", "这一份".encode())
        archive.writestr("湘东区2025年6月户籍人口.csv", "乡镇,户籍人口\n湘东镇,20000\n".encode())
    packed = memory.getvalue().replace("这一份".encode(), "那一份".encode())
    says(units, packed, people("2025-06", 湘东镇=20_000), [("F04", None)], name="报表.zip")


@pytest.mark.parametrize(
    "county", [["360313", "湘东区"], ["360313000", "全区"], ["", "湘东区"], ["360313000000", ""]]
)
@pytest.mark.parametrize("comes_first", [True, False])
def test_a_row_for_the_county_that_adds_up_is_a_total(
    units: World, county: list[str], comes_first: bool
) -> None:
    total = [*county, 65_000]
    rows = [PLAIN[0], total, *PLAIN[1:]] if comes_first else [*PLAIN, total]
    found = says(units, one([TITLE, *rows]), JUNE)
    assert found["ignored"] >= 1
    assert found["rejected"] == 0


def test_a_row_for_the_county_that_does_not_add_up_is_refused(units: World) -> None:
    says(units, one([TITLE, *PLAIN, ["360313", "湘东区", 65_500]]), JUNE, [("R15", 6)])


@pytest.mark.parametrize("comes_first", [True, False])
@pytest.mark.parametrize("name", ["东片区", "城区片小计"])
def test_a_row_for_a_part_of_the_county_that_adds_up_is_its_subtotal(
    units: World, name: str, comes_first: bool
) -> None:
    """片区 above or below its townships: no township without a name, and nothing counted twice in the total."""
    parts = [[["", name, 50_000], *PLAIN[1:3]], [["", "西片", 15_000], *PLAIN[3:]]]
    rows = [row for part in parts for row in (part if comes_first else [*part[1:], part[0]])]
    found = says(units, one([TITLE, PLAIN[0], *rows, ["", "合计", 65_000]]), JUNE)
    assert not any("合计" in doubt["message_zh"] for doubt in found["doubts"])


def test_a_row_for_a_part_of_the_county_that_does_not_add_up_is_refused(units: World) -> None:
    says(units, one([TITLE, PLAIN[0], ["", "东片区", 51_000], *PLAIN[1:]]), JUNE, [("R12", 3)])


def test_words_below_the_last_heading_belong_to_it_though_nothing_stands_over_them(units: World) -> None:
    """户籍人口 is written over the first of its two columns and not merged: 上年末 is not this month's figure."""
    rows = [["乡镇", "户籍人口"], ["", "上年末", "本月末"]]
    rows += [["湘东镇", 19_000, 20_000], ["荷尧镇", 29_000, 30_000], ["老关镇", 14_000, 15_000]]
    found = says(units, one([TITLE, *rows]), JUNE)
    assert any("上年末" in doubt["message_zh"] for doubt in found["doubts"])


def test_small_figures_of_one_townships_form_do_not_number_its_columns(units: World) -> None:
    """2 3 2 12 below the headings of a sheet that names its township are what it reports; 1 2 3 are not."""
    labels = ["行政编制数", "事业编制数", "在编在岗专职人数", "村(社区)数"]
    form = [["湘东区2025年6月民政工作人员"], ["填报单位：湘东镇"], ["项目", "数值"]]
    figures = [2, 3, 2, 12]
    staffed = [{"区划代码": "360313101", "行政编制数(名)": 2, "事业编制数(名)": 3, "村(社区)数(个)": 12}]
    says(units, one([*form, *map(list, zip(labels, figures, strict=True))]), staffed)
    says(units, one([*form[:2], labels, [1, 2, 3, 4], figures]), staffed)


@pytest.mark.parametrize(
    ("said", "month"),
    [
        *(
            (f"{span}", "2025-09")
            for span in ("前三季度", "1-3季度", "一至三季度", "一、二、三季度", "前9个月")
        ),
        *((f"{span}", "2025-06") for span in ("前两个季度", "一、二季度", "前六个月", "1月—2025年6月")),
    ],
)
def test_several_quarters_or_months_are_one_span(units: World, said: str, month: str) -> None:
    title = [f"湘东区2025年{said}民政工作经费"]
    rows = [title, ["区划代码", "乡镇", "年初预算", "累计拨付"], ["360313101", "湘东镇", 30_000, 9_000]]
    says(units, one(rows), [{"统计月份": month, "累计拨付(元)": "9000.00"}])
    rows[1][3] = "本月拨付"
    says(units, one(rows), [], [("H61", 3)])


def test_rows_of_several_kinds_or_months_are_told_as_the_rows_that_their_sender_sees(units: World) -> None:
    whole = [["乡镇", "户籍人口", "年初预算(元)", "本月拨付(元)", "行政编制", "事业编制", "在编在岗专职人数"]]
    whole += [[n, 20_000 + i, 30_000, 2_000, 2, 3, 4] for i, n in enumerate(("湘东镇", "荷尧镇"))]
    path = units.folder.root.parent / "报表.xlsx"
    path.write_bytes(one([["湘东区2025年6月民政综合表"], *whole]))
    found = check([path], units.folder, now=NOW)[0]
    assert (found.counts["accepted"], "表里是 2 行" in found.message_zh) == (6, True)
    path.write_bytes(one([TITLE, *PLAIN]))
    assert "表里是" not in check([path], units.folder, now=NOW)[0].message_zh


@pytest.mark.parametrize(
    ("headings", "code", "said"),
    [
        (("区划代码", "乡镇", "户籍人囗", "备注"), "F06", ("户籍人口", "“户籍人口(人)”只差一点")),
        (("区划代码", "乡镇", "备注", "甲乙"), "F05", ("认出了“区划代码”、“乡镇”、“备注”", "没有认出“甲乙”")),
        (("区划代码", "乡镇", "上月户籍人口"), "F05", ("没有认出报什么数的列",)),
        (("区划代码", "乡镇"), "F05", ("认出了“区划代码”“乡镇”",)),
        (("单元", "甲项"), "F05", ("没有找到认识的表头",)),
    ],
)
def test_what_was_nearly_recognised_is_named(
    units: World, headings: tuple[str, ...], code: str, said: tuple[str, ...]
) -> None:
    """区划代码 and 备注 stand in every table: a slip in 户籍人口 beside them is no lack of 年初预算."""
    rows = [["湘东区2025年6月"], [*headings], *([CODES[n], n, 20_000, "无"][: len(headings)] for n in CODES)]
    (error,) = told(units, one(rows))["errors"]
    assert error["error_code"] == code
    assert all(word in error["message_zh"] for word in said), error["message_zh"]
    assert "年初预算" not in error["message_zh"]
