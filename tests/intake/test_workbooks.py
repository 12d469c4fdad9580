"""What a workbook says of its cells besides their values, in every format; and how other programs write xlsx."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import xlsxwriter
import xlwt

from oversight.intake.reading.files import read
from oversight.intake.reading.formats import builtin, parsed
from oversight.intake.reading.grid import Grid
from oversight.intake.reading.workbooks import other_grids, xlsx_grids
from oversight.intake.reading.xlsx import Damaged, walk
from tests.intake.formats import ods_bytes, xlsb_bytes
from tests.intake.world import POPULATION_HEADER, World, population_rows
from tests.intake.xml_writers import Made, compare, make

B = ("统计月份", "区划代码", "乡镇名称", "年初预算(万元)", "本月拨付(万元)", "累计拨付(万元)")


def grids(data: bytes) -> list[Grid]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return xlsx_grids(archive)


def book(write: Callable[[Any, Any], None]) -> bytes:
    """A workbook of one sheet, written with xlsxwriter."""
    memory = io.BytesIO()
    workbook = xlsxwriter.Workbook(memory, {"in_memory": True})
    write(workbook, workbook.add_worksheet("数据"))
    workbook.close()
    return memory.getvalue()


# --- error cells and formulas, beside blank bordered cells -----------------------------------------------


def bordered(rows: int, *, blanks: int = 0) -> bytes:
    """A budget sheet whose blank cells have borders, with an error in the cumulative column of the last row."""

    def write(workbook: Any, page: Any) -> None:
        border = workbook.add_format({"border": 1})
        page.write_row(0, 0, B, border)
        for at in range(1, rows + 1):
            page.write_row(at, 0, ("2025-06", f"36031310{at}", ""), border)
            page.write_number(at, 3, 6.72, border)
            page.write_blank(at, 4, None, border)
            if at < rows:
                page.write_number(at, 5, 3.36, border)
            else:
                page.write_formula(at, 5, "=#REF!+D2", border, "#REF!")
        for at in range(rows + 1, rows + 1 + blanks):
            for column in range(40):
                page.write_blank(at, column, None, border)

    return book(write)


def test_an_error_after_a_blank_bordered_cell_is_told_at_its_own_place(world: World) -> None:
    world.put("报表.xlsx", bordered(3))
    world.take_in()
    (told,) = [r for r in world.rejected("报表.xlsx") if r["error_code"] == "R22"]
    assert (told["row_number"], told["column_title"], told["value"]) == (4, "累计拨付(元)", "#REF!")
    assert world.submission("报表.xlsx")["rows_accepted"] == 2


def test_blank_bordered_rows_cost_time_as_their_number() -> None:
    """Two thousand of them once did not end: what took six seconds has to take a moment."""
    import time

    data = bordered(3, blanks=2_000)
    start = time.process_time()
    (grid,) = grids(data)
    assert time.process_time() - start < 3
    assert grid.rows[3][5] == "#REF!"
    assert len(grid.rows) == 4


def formulas(value: Any, *, typed: Any = None) -> bytes:
    def write(_: Any, page: Any) -> None:
        page.write_row(0, 0, POPULATION_HEADER)
        for at, code in enumerate(("360313101", "360313102"), start=1):
            page.write_row(at, 0, ("2025-06", code, ""))
            page.write_formula(at, 3, "=20000+15", None, value)
        if typed is not None:
            page.write_row(3, 0, ("2025-06", "360313103", "", typed))

    return book(write)


def test_zeros_that_were_left_for_excel_to_work_out_are_no_figures(world: World) -> None:
    """A program that cannot calculate stores 0 for every formula and asks Excel to do it."""
    world.put("报表.xlsx", formulas(0, typed=30_000))
    world.put("算过.xlsx", formulas(20_015))
    world.take_in()
    assert {r["error_code"] for r in world.rejected("报表.xlsx")} == {"R22"}
    assert world.population()["360313103", "2025-06"] == [30_000]
    assert [v for v in world.population().values() if 0 in v] == []
    assert world.population()["360313101", "2025-06"] == [20_015]


def test_a_zero_among_worked_out_formulas_is_a_figure() -> None:
    def write(_: Any, page: Any) -> None:
        page.write_formula(0, 0, "=A2-A2", None, 0)
        page.write_formula(1, 0, "=5", None, 5)

    (grid,) = grids(book(write))
    assert [row[0] for row in grid.rows] == [0, 5]
    assert grid.is_formula(0, 0)


# --- number formats --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "places"),
    [
        ("0.00", 2),
        ("#,##0.00_ ", 2),
        ("0", 0),
        ("#,##0", 0),
        ("#,##0.00_);[Red](#,##0.00)", 2),
        ('0.000"万元"', 3),
        ('"约"0.0', 1),
        ("0.00,", -1),
        ("0!.0,", -3),
        ("¥#,##0.00", 2),
        ("[$¥-804]#,##0.00", 2),
        ("General", None),
        ("G/通用格式", None),
        ("0%", None),
        ("0.00E+00", None),
        ("# ?/?", None),
        ("@", None),
        ("yyyy-mm-dd", None),
        ('yyyy"年"m"月"', None),
    ],
)
def test_the_places_that_a_number_format_fixes(code: str, places: int | None) -> None:
    assert parsed(code).places == places


@pytest.mark.parametrize("code", ["yyyy-mm-dd", 'yyyy"年"m"月"', "m/d/yy h:mm", "[$-804]e年m月", "mmm-yy"])
def test_formats_of_days(code: str) -> None:
    assert parsed(code).kind == "date"
    assert builtin(57).kind == "date"


def test_a_number_format_says_how_exactly_an_amount_is_written(world: World) -> None:
    """6.7 shown as 6.70 万元 is exact to 100 元; typed without a format it is what it stores."""

    def write(workbook: Any, page: Any) -> None:
        two = workbook.add_format({"num_format": "0.00"})
        page.write_row(0, 0, B)
        for at in range(1, 13):
            page.write_row(at, 0, (f"2025-{at:02}", "360313101", ""))
            page.write_number(at, 3, 7, two)
            page.write_number(at, 4, 0.5, workbook.add_format({"num_format": "0.0000"}))
            page.write_number(at, 5, 0.5 * at)

    world.put("报表.xlsx", book(write))
    world.take_in()
    row = world.read("budget").sort("month").row(0, named=True)
    assert row["initial_budget_cny_precision"] == Decimal("100.00")
    assert row["disbursed_month_cny_precision"] == Decimal("1.00")
    assert row["disbursed_cumulative_cny_precision"] == Decimal("1000.00")


# --- what is hidden --------------------------------------------------------------------------------------


def xlsx_hidden(state: str | None) -> bytes:
    rows = population_rows("2025-06", {"360313101": 20_000, "360313102": 30_000})

    def write(workbook: Any, page: Any) -> None:
        for at, row in enumerate(rows):
            page.write_row(at, 0, row)
        page.set_row(2, None, None, {"hidden": True})
        page.set_column(3, 3, None, None, {"hidden": True})
        other = workbook.add_worksheet("上月")
        for at, row in enumerate(population_rows("2025-05", {"360313101": 19_000})):
            other.write_row(at, 0, row)
        if state == "hidden":
            other.hide()
        elif state:
            other.very_hidden()

    return book(write)


def xls_hidden() -> bytes:
    workbook = xlwt.Workbook(encoding="utf-8")
    for name, month, hidden in (("数据", "2025-06", False), ("上月", "2025-05", True)):
        page = workbook.add_sheet(name)
        for r, row in enumerate(population_rows(month, {"360313101": 20_000, "360313102": 30_000})):
            for c, value in enumerate(row):
                page.write(r, c, value, xlwt.easyxf(num_format_str="0.0"))
        page.row(2).hidden = not hidden
        page.col(3).hidden = not hidden
        page.visibility = 1 if hidden else 0
    memory = io.BytesIO()
    workbook.save(memory)
    return memory.getvalue()


@pytest.mark.parametrize("make_", [lambda: xlsx_hidden("hidden"), lambda: xlsx_hidden("very"), xls_hidden])
def test_hidden_sheets_rows_and_columns_are_facts_and_are_mentioned(
    world: World, make_: Callable[[], bytes]
) -> None:
    data = make_()
    first, second = grids(data) if data.startswith(b"PK") else other_grids(data, "x.xls")
    assert (first.visibility, first.hidden_rows, first.hidden_columns) == ("visible", {2}, {3})
    assert second.visibility in ("hidden", "very_hidden")
    world.put("报表.xlsx", data)
    world.take_in()
    assert world.population() == {("360313101", "2025-06"): [20_000], ("360313102", "2025-06"): [30_000]}
    message = world.submission("报表.xlsx")["message_zh"]
    assert all(word in message for word in ("“上月”", "隐藏", "第 3 行", "D 列"))
    assert world.balanced()


def test_a_hidden_sheet_is_used_where_nothing_visible_says_otherwise(world: World) -> None:
    def write(workbook: Any, page: Any) -> None:
        page.write_row(0, 0, ("说明", "见另一张表"))
        other = workbook.add_worksheet("隐藏的表")
        for at, row in enumerate(population_rows("2025-06", {"360313101": 20_000})):
            other.write_row(at, 0, row)
        other.hide()

    world.put("报表.xlsx", book(write))
    world.take_in()
    assert world.population() == {("360313101", "2025-06"): [20_000]}
    assert "“隐藏的表”" in world.submission("报表.xlsx")["message_zh"]


def test_of_two_rows_for_one_unit_the_visible_one_counts(world: World) -> None:
    def write(_: Any, page: Any) -> None:
        page.write_row(0, 0, POPULATION_HEADER)
        page.write_row(1, 0, ("2025-06", "360313101", "湘东镇", 19_000))
        page.write_row(2, 0, ("2025-06", "360313101", "湘东镇", 20_000))
        page.set_row(1, None, None, {"hidden": True})

    world.put("报表.xlsx", book(write))
    world.take_in()
    assert world.population() == {("360313101", "2025-06"): [20_000]}
    assert "第 2 行" in world.submission("报表.xlsx")["message_zh"]
    assert world.balanced()


def test_the_older_formats_tell_formulas_formats_and_errors() -> None:
    workbook = xlwt.Workbook(encoding="utf-8")
    page = workbook.add_sheet("数据")
    two = xlwt.easyxf(num_format_str="0.00")
    page.write(0, 0, 6.7, two)
    page.write(0, 1, 7, two)
    page.write(0, 2, "字", two)
    page.write(0, 3, 5)
    memory = io.BytesIO()
    workbook.save(memory)
    (grid,) = other_grids(memory.getvalue(), "x.xls")
    assert [grid.places(0, c) for c in range(4)] == [2, 2, None, None]
    (grid,) = other_grids(ods_bytes([("a", 1), ("#DIV/0!", 2)]), "x.ods")
    assert grid.rows[1][0] == "#DIV/0!"
    assert grid.is_formula(1, 0)
    (grid,) = other_grids(xlsb_bytes([("a", 1), ("#REF!", 2)]), "x.xlsb")
    assert grid.rows[1][0] == "#REF!"


# --- far cells and areas ---------------------------------------------------------------------------------


def sheet_of(body: str) -> bytes:
    """A workbook of one sheet with this XML in it, and nothing else that need not be there."""
    return Made([("数据", body)]).packed()


GOOD = "".join(
    f'<row r="{r}">'
    + "".join(
        f'<c r="{c}{r}" t="inlineStr"><is><t>{v}</t></is></c>' for c, v in zip("ABCD", row, strict=True)
    )
    + "</row>"
    for r, row in enumerate(population_rows("2025-06", {"360313101": 20_000}), start=1)
)


@pytest.mark.parametrize(
    "far",
    [
        "<row r='1048576'><c r='XFD1048576'><v>1</v></c></row>",
        '<row r ="99999"><c r = "ZZ99999"><v>1</v></c></row>',
        '<row r="1048576"/>',
    ],
)
def test_a_far_cell_costs_nothing_and_hides_nothing(far: str) -> None:
    import time

    start = time.process_time()
    reading = read(sheet_of(f"<sheetData>{GOOD}{far}</sheetData>"), "x.xlsx")
    assert time.process_time() - start < 4
    assert [t.cells["population_persons"] for t in reading.tables] == [["20000"]]  # type: ignore[union-attr]


def test_areas_over_whole_rows_are_cut_to_what_there_is() -> None:
    areas = "".join(f'<mergeCell ref="A{r}:XFD{r}"/>' for r in range(3, 30_000))
    reading = read(sheet_of(f"<sheetData>{GOOD}</sheetData><mergeCells>{areas}</mergeCells>"), "x.xlsx")
    assert len(reading.tables) == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (
            f"<sheetData>{GOOD}</sheetData>"
            + "<mergeCells>"
            + '<mergeCell ref="A1:D2"/>' * 9
            + "</mergeCells>",
            "F04",
        ),
        ('<sheetData><row r="1"><c r="XFE1"><v>1</v></c></row></sheetData>', "F04"),
        ('<sheetData><row r="1048577"><c><v>1</v></c></row></sheetData>', "F04"),
        ('<sheetData><row r="1"><c r="A1" t="s"><v>7</v></c></row></sheetData>', "F04"),
        ('<sheetData><row r="1"><c r="A1" t="?"><v>7</v></c></row></sheetData>', "F04"),
        ("<sheetData><row", "F04"),
    ],
)
def test_a_sheet_that_cannot_be_is_damaged(body: str, code: str) -> None:
    reading = read(sheet_of(body), "x.xlsx")
    assert reading.error is not None
    assert reading.error.code == code


def test_a_document_type_is_refused_however_it_is_written() -> None:
    for part in ("xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml"):
        for encoding in ("utf-8", "utf-16"):
            made = Made([("数据", f"<sheetData>{GOOD}</sheetData>")], strings=["a"])
            parts = made.parts()
            text = parts[part].decode()
            body = text[text.index("?>") + 2 :]
            parts[part] = (
                f'<?xml version="1.0" encoding="{encoding}"?>{" " * 5_000}<!DOCTYPE x>{body}'.encode(encoding)
            )
            reading = read(Made.pack(parts), "x.xlsx")
            assert reading.error is not None, (part, encoding)
            assert reading.error.code == "F16", (part, encoding)


def test_a_part_that_is_not_what_the_directory_says_is_damage() -> None:
    data = book(lambda _, page: page.write_row(0, 0, POPULATION_HEADER))
    for part in ("xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entry = archive.getinfo(part)
        # Its digest in the directory, then its name where the content stands.
        directory = data.rindex(part.encode()) - 46
        for place in (directory + 16, entry.header_offset + 30):
            changed = bytearray(data)
            changed[place] ^= 1
            reading = read(bytes(changed), "x.xlsx")
            assert reading.error is not None, part
            assert reading.error.code == "F04", part


# --- against an independent reader -----------------------------------------------------------------------


def test_values_are_those_of_an_independent_reader() -> None:
    """XML as Excel, WPS and others write it, at random; `make fuzz-intake` goes on for longer."""
    compared = 0
    for seed in range(60):
        cells, different = compare(make(random.Random(seed)).packed())
        assert different == [], seed
        compared += cells
    assert compared > 1_500


def test_cells_that_do_not_say_where_they_stand_follow_those_that_do() -> None:
    cells = '<c r="B1" s="1"/><c><v>1</v></c><c s="1"/><c/><c><v>2</v></c><c r="J1"/><c r="K1"><v>3</v></c><c><v>4</v></c>'
    (grid,) = grids(sheet_of(f"<sheetData><row>{cells}</row><row><c><v>5</v></c></row></sheetData>"))
    assert grid.rows == [["", "", 1, "", "", 2, "", "", "", "", 3, 4], [5]]


def test_characters_that_xml_cannot_hold_are_put_back() -> None:
    cells = '<c r="A1" t="inlineStr"><is><t>a_x000D_b</t></is></c><c r="B1" t="str"><v>_x005F_x000D_</v></c>'
    (grid,) = grids(sheet_of(f'<sheetData><row r="1">{cells}</row></sheetData>'))
    assert grid.rows[0] == ["a\rb", "_x000D_"]


def test_an_encoding_that_nobody_knows_is_damage() -> None:
    with pytest.raises(Damaged):
        walk(b'<?xml version="1.0" encoding="UTG-8"?><a/>', "xl/workbook.xml", lambda *_: None)
