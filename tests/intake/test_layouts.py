"""Any layout: what a table is comes from its columns, what is certain is read, the rest is named."""

from __future__ import annotations

from typing import Any

import pytest

from tests.intake.world import POPULATION_HEADER, World, csv_bytes, population_rows, xlsx_bytes

GOOD = {"360313101": 20_000, "360313102": 30_000}


def accepted(world: World, name: str, content: bytes) -> dict[tuple[str, str], list[int | None]]:
    world.put(name, content)
    world.take_in()
    assert world.balanced()
    return world.population()


EXPECTED = {("360313101", "2025-06"): [20_000], ("360313102", "2025-06"): [30_000]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_csv_in_any_encoding_and_delimiter(world: World, encoding: str, delimiter: str) -> None:
    content = csv_bytes(population_rows("2025-06", GOOD), encoding, delimiter)
    assert accepted(world, "人口.csv", content) == EXPECTED


def test_big5_with_traditional_headers(world: World) -> None:
    rows = [
        ("統計月份", "區劃代碼", "鄉鎮名稱", "戶籍人口(萬人)"),
        ("2025-06", "360313101", "湘東鎮", 2),
        ("2025-06", "360313102", "荷堯鎮", 3),
        ("合計", "", "", 5),
    ]
    assert accepted(world, "人口.csv", csv_bytes(rows, "big5")) == EXPECTED


def test_a_name_outside_gbk_survives_both_encodings(world: World) -> None:
    """湖㳇镇 and 㮾梨街道 are outside GB2312 and GBK: GB18030 has them."""
    rows = [
        ("区划代码", "名称", "类型", "上级代码"),
        ("360313112", "湖㳇镇", "镇", "360313"),
        ("360313003", "㮾梨街道", "街道", "360313"),
    ]
    world.put("更多.csv", csv_bytes(rows, "gb18030"))
    table = [
        POPULATION_HEADER,
        ("2025-06", "360313112", "湖㳇镇", 1),
        ("2025-06", "360313003", "㮾梨街道", 2),
    ]
    content = csv_bytes(table, "gb18030")
    assert accepted(world, "人口.csv", content) == {
        ("360313112", "2025-06"): [1],
        ("360313003", "2025-06"): [2],
    }
    assert world.read("population")["doubts"].null_count() == 2


def test_form_with_title_unit_total_and_footer(world: World) -> None:
    rows: list[Any] = [
        ("湘东区2025年6月户籍人口统计表",),
        ("填报单位：湘东区民政局", "", "单位：万人", "填表日期：2025年7月3日"),
        ("序号", "区划代码", "乡镇名称", "户籍总人口", "出生人口(人)"),
        ("甲", "乙", "丙", 1, 2),
        ("", "", "合计", 5, 30),
        (1, "360313101", "湘东镇", 2, 10),
        (2, "360313102", "荷尧镇", 3, 20),
        (),
        ("审核人：张三", "", "填表人：李四"),
        ("注：1.本表由各乡镇填报，数据截至月末。",),
    ]
    assert accepted(world, "报表.xlsx", xlsx_bytes(rows, [(0, 0, 0, 4, rows[0][0])])) == EXPECTED
    submission = world.submission("报表.xlsx")
    assert submission["rows_ignored"] == 4
    assert str(submission["filed_on"]) == "2025-07-03"
    # The title's 万人 does not touch a column that names its own unit.
    assert world.read("population")["births_persons"].to_list() == [10, 20]


def test_merged_headers_over_three_rows(world: World) -> None:
    rows: list[Any] = [
        ("统计月份", "区划代码", "乡镇名称", "人口情况", "", "", ""),
        ("", "", "", "户籍人口（人）", "其中：", "", ""),
        ("", "", "", "", "出生人口", "死亡人口", "备注"),
        ("2025-06", "360313101", "湘东镇", 20_000, 1, 2, ""),
        ("2025-06", "360313102", "荷尧镇", 30_000, 3, 4, ""),
    ]
    merges = [
        (0, 0, 2, 0, "统计月份"),
        (0, 1, 2, 1, "区划代码"),
        (0, 2, 2, 2, "乡镇名称"),
        (0, 3, 0, 6, "人口情况"),
        (1, 3, 2, 3, "户籍人口（人）"),
        (1, 4, 1, 5, "其中："),
    ]
    assert accepted(world, "报表.xlsx", xlsx_bytes(rows, merges)) == EXPECTED
    assert world.read("population").sort("township_code")["deaths_persons"].to_list() == [2, 4]


def test_a_column_of_last_year_is_not_taken_for_this_year(world: World) -> None:
    rows: list[Any] = [
        ("统计月份", "区划代码", "乡镇名称", "上年", "本年"),
        ("", "", "", "户籍人口", "户籍人口"),
        ("2025-06", "360313101", "湘东镇", 1, 20_000),
    ]
    world.put("报表.csv", csv_bytes(rows))
    world.take_in()
    assert world.population() == {("360313101", "2025-06"): [20_000]}


def test_a_column_of_last_year_alone_is_no_figure(world: World) -> None:
    rows: list[Any] = [
        ("统计月份", "区划代码", "乡镇名称", "上年"),
        ("", "", "", "户籍人口"),
        ("2025-06", "360313101", "湘东镇", 1),
    ]
    world.put("报表.csv", csv_bytes(rows))
    world.take_in()
    assert world.population() == {}
    submission = world.submission("报表.csv")
    assert (submission["status"], submission["error_code"]) == ("refused", "F06")
    assert "户籍人口" in submission["message_zh"]


def test_two_columns_for_one_figure_are_refused(world: World) -> None:
    rows = [
        ("统计月份", "区划代码", "乡镇名称", "户籍人口", "户籍总人口"),
        ("2025-06", "360313101", "湘东镇", 1, 2),
    ]
    world.put("报表.csv", csv_bytes(rows))
    world.take_in()
    assert world.submission("报表.csv")["error_code"] == "F09"


def test_several_tables_on_a_sheet_and_repeated_headers(world: World) -> None:
    rows: list[Any] = [
        ("湘东区2025年6月报表",),
        ("区划代码", "乡镇名称", "户籍人口"),
        ("360313101", "湘东镇", 20_000),
        ("区划代码", "乡镇名称", "户籍人口"),
        ("360313102", "荷尧镇", 30_000),
        ("合计", "", 50_000),
        (),
        ("2025年6月民政工作经费", "", "单位：万元"),
        ("区划代码", "乡镇名称", "年初预算", "本月拨付"),
        ("360313101", "湘东镇", 6.72, 0.56),
    ]
    assert accepted(world, "报表.xlsx", xlsx_bytes(rows)) == EXPECTED
    budget = world.read("budget").row(0, named=True)
    assert (str(budget["initial_budget_cny"]), str(budget["disbursed_month_cny"])) == ("67200.00", "5600.00")
    assert world.submission("报表.xlsx")["dataset"] == "budget,population"


def test_one_sheet_a_month(world: World) -> None:
    table = [("区划代码", "乡镇名称", "户籍人口"), ("360313101", "湘东镇", 20_000)]
    book = xlsx_bytes(
        {"5月": [("2025年湘东区户籍人口",), *table], "6月": [("2025年湘东区户籍人口",), *table]}
    )
    assert accepted(world, "报表.xlsx", book) == {
        ("360313101", "2025-05"): [20_000],
        ("360313101", "2025-06"): [20_000],
    }


def test_no_month_anywhere_is_refused(world: World) -> None:
    world.put("报表.csv", csv_bytes([("区划代码", "乡镇名称", "户籍人口"), ("360313101", "湘东镇", 20_000)]))
    world.take_in()
    assert world.submission("报表.csv")["error_code"] == "F18"


def test_a_month_that_excel_shortened_is_not_guessed(world: World) -> None:
    rows = [POPULATION_HEADER, (2025.1, "360313101", "湘东镇", 20_000)]
    world.put("报表.xlsx", xlsx_bytes(rows))
    world.put("2025年10月报表.xlsx", xlsx_bytes([*rows, (2025.1, "360313102", "荷尧镇", 1)]))
    world.put("文本.xlsx", xlsx_bytes([POPULATION_HEADER, ("2025.1", "360313103", "老关镇", 2)]))
    world.take_in()
    assert [r["error_code"] for r in world.rejected("报表.xlsx")] == ["R24"]
    assert world.population() == {
        ("360313101", "2025-10"): [20_000],
        ("360313102", "2025-10"): [1],
        ("360313103", "2025-01"): [2],
    }


def test_figures_merged_over_rows_are_rejected_months_are_filled(world: World) -> None:
    rows = population_rows("2025-06", GOOD)
    content = xlsx_bytes(rows, [(1, 0, 2, 0, "2025-06")])
    assert accepted(world, "月份合并.xlsx", content) == EXPECTED
    content = xlsx_bytes(population_rows("2025-07", GOOD), [(1, 3, 2, 3, "50000")])
    world.put("数据合并.xlsx", content)
    world.take_in()
    assert {r["error_code"] for r in world.rejected("数据合并.xlsx")} == {"R23"}
    assert world.balanced()


def test_a_csv_row_with_too_many_cells_is_rejected(world: World) -> None:
    text = "统计月份,区划代码,乡镇名称,户籍人口\n2025-06,360313101,湘东镇,20,000\n2025-06,360313102,荷尧镇,30000\n"
    assert accepted(world, "报表.csv", text.encode()) == {("360313102", "2025-06"): [30_000]}
    assert [r["error_code"] for r in world.rejected("报表.csv")] == ["R20"]


def test_error_cells_and_formulas_without_result_are_not_blank(world: World) -> None:
    import io

    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    for row in population_rows("2025-06", {**GOOD, "360313103": 1}):
        sheet.append(list(row))
    sheet["D2"] = "#DIV/0!"
    sheet["D2"].data_type = "e"
    sheet["D3"] = "=1+1"
    memory = io.BytesIO()
    book.save(memory)
    assert accepted(world, "报表.xlsx", memory.getvalue()) == {("360313103", "2025-06"): [1]}
    assert [r["error_code"] for r in world.rejected("报表.xlsx")] == ["R22", "R22"]


def test_a_large_csv_reads_as_a_small_one() -> None:
    """The bulk path and the careful path must agree, dirt included."""
    figures = [f"{i},{i % 7}" if i % 1000 == 3 else str(20_000 + i % 50) for i in range(12_000)]
    lines = ["湘东区户籍人口,,,,", "统计月份,区划代码,乡镇名称,户籍人口,备注"]
    for i in range(12_000):
        month = f"{1990 + i // 12 % 30}-{i % 12 + 1:02d}"
        code = f"3603{13 + i // 360:02d}101"
        figure = f'"{figures[i]}"' if "," in figures[i] else figures[i]
        lines.append(f"{month},{code},湘东镇,{figure},备注里随便写几个字凑够长度")
        if i % 3000 == 0:
            lines += [
                "合计,,,1,",
                ",,,,",
                "统计月份,区划代码,乡镇名称,户籍人口,备注",
                ",360313,湘东区合计,5,",
            ]
    lines.append("审核人：张三,,,,")
    text = "\n".join(lines) + "\n"
    assert len(text.encode()) > 400_000
    import oversight.intake.reading.delimited as delimited
    from oversight.intake.reading.files import read
    from oversight.intake.reading.found import BulkTable
    from oversight.intake.reading.grid import Table

    bulk = read(text.encode(), "大.csv")
    assert isinstance(bulk.tables[0], BulkTable), "the bulk path was not taken"
    old = delimited.BULK_CSV_BYTES
    delimited.BULK_CSV_BYTES = 10**12
    try:
        slow = read(text.encode(), "大.csv")
    finally:
        delimited.BULK_CSV_BYTES = old
    frame, table = bulk.tables[0].frame, slow.tables[0]
    assert isinstance(table, Table)
    assert frame["row_number"].to_list() == table.row_numbers
    for name, column in table.cells.items():
        assert frame[name].to_list() == column, name
    assert bulk.tables[0].ignored == table.ignored


# --- months as columns ----------------------------------------------------------------------------------

WIDE = {("360313101", "2025-01"): [1], ("360313101", "2025-02"): [2], ("360313102", "2025-01"): [3]}


def test_months_as_columns_with_the_figure_in_the_title(world: World) -> None:
    rows: list[Any] = [
        ("湘东区2025年各乡镇户籍人口统计表",),
        ("区划代码", "乡镇名称", "1月", "2月", "3月"),
        ("360313101", "湘东镇", 1, 2, ""),
        ("360313102", "荷尧镇", 3, "", ""),
        ("合计", "", 4, 2, ""),
    ]
    assert accepted(world, "报表.xlsx", xlsx_bytes(rows)) == WIDE
    assert world.read("rejected_rows").height == 0


def test_months_as_columns_under_or_over_the_figures(world: World) -> None:
    over: list[Any] = [
        ("区划代码", "乡镇名称", "2025年1月", "", "2025年2月", ""),
        ("", "", "户籍人口（人）", "出生人口", "户籍人口（人）", "出生人口"),
        ("360313101", "湘东镇", 1, 0, 2, 5),
        ("360313102", "荷尧镇", 3, 0, "", ""),
    ]
    assert accepted(world, "上.csv", csv_bytes(over)) == WIDE
    assert sorted(world.read("population")["births_persons"].to_list()) == [0, 0, 5]


def test_months_as_columns_without_a_figure_are_refused(world: World) -> None:
    rows: list[Any] = [
        ("湘东区2025年报表",),
        ("区划代码", "乡镇名称", "1月", "2月"),
        ("360313101", "湘东镇", 1, 2),
    ]
    world.put("报表.csv", csv_bytes(rows))
    world.take_in()
    submission = world.submission("报表.csv")
    assert (submission["status"], submission["error_code"]) == ("refused", "F05")
    assert "月份" in submission["message_zh"]


# --- totals ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("total", "told"), [(50_000, False), (50_001, False), (51_000, True)])
def test_a_total_is_checked_against_its_details(world: World, total: int, told: bool) -> None:
    """Two whole figures may each be rounded by a half: a difference of one is no error."""
    rows = [*population_rows("2025-06", GOOD), ("合计", "", "", total)]
    assert accepted(world, "报表.xlsx", xlsx_bytes(rows)) == EXPECTED
    assert ("合计与明细不符" in world.submission("报表.xlsx")["message_zh"]) is told
