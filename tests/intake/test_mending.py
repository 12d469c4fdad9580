"""A few cells of a file changed in a page: those, and nothing else."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from oversight.intake.reading.files import read
from oversight.intake.reading.mending import Change, mended, shown

HEADS = ("统计月份", "区划代码", "乡镇名称", "户籍户数(户)", "户籍人口(人)")


def book(tmp_path: Path, *, total: str | None = None, results: dict[str, Any] | None = None) -> Path:
    """A workbook with two rows, with a look of its own, and perhaps a total worked out by a formula."""
    made = openpyxl.Workbook()
    page = made.active
    page.title = "人口"
    page.append(("湘东镇 2026年1月户籍人口报表",))
    page.merge_cells("A1:E1")
    page.append(HEADS)
    page.append(("2026-01", "360313101", "湘东镇", 12_000, "四万一"))
    page.append(("2026-01", "360313102", "荷尧镇", 9_000, 30_000))
    page["E4"].number_format = "#,##0"
    if total is not None:
        page.append(("合计", None, None, None, total))
    path = tmp_path / "人口.xlsx"
    made.save(path)
    for cell, value in (results or {}).items():
        put_result(path, cell, value)
    return path


def put_result(path: Path, cell: str, value: Any) -> None:
    """The stored result of a formula, which the library does not write."""
    parts = parts_of(path.read_bytes())
    sheet = parts["xl/worksheets/sheet1.xml"].decode()
    begin = sheet.index(f'<c r="{cell}"')
    at = sheet.index("<v", begin)
    end = sheet.index("</c>", at)
    parts["xl/worksheets/sheet1.xml"] = f"{sheet[:at]}<v>{value}</v>{sheet[end:]}".encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def parts_of(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def cells(data: bytes) -> dict[str, Any]:
    page = openpyxl.load_workbook(io.BytesIO(data), data_only=True)["人口"]
    return {cell.coordinate: cell.value for row in page.iter_rows() for cell in row if cell.value is not None}


def change(row: int, column: int, before: str, value: str, sheet: str = "人口") -> Change:
    return Change(sheet, row, column, before, value)


def done(path: Path, *changes: Change) -> bytes:
    made = mended(path, path.name, changes)
    assert isinstance(made, bytes), made
    # Asked again of what it made it makes the same: a step that was cut off is taken once more.
    path.write_bytes(made)
    assert mended(path, path.name, changes) == made
    return made


def test_a_cell_of_a_workbook_is_changed_and_nothing_else(tmp_path: Path) -> None:
    path = book(tmp_path)
    before = path.read_bytes()
    made = done(path, change(3, 5, "四万一", "41000"), change(4, 5, "30000", "30001"))
    assert cells(made) == cells(before) | {"E3": "41000", "E4": 30_001}
    old, new = parts_of(before), parts_of(made)
    assert {name for name in old if old[name] != new[name]} == {"xl/worksheets/sheet1.xml"}
    assert openpyxl.load_workbook(io.BytesIO(made))["人口"]["E4"].number_format == "#,##0"
    assert not read(made, path.name).refusals


@pytest.mark.parametrize("value", ["41000", "<&>\"'", "_x0041_", "  有空格  ", "2026-02", "0360", "=1+1", ""])
def test_a_text_comes_back_as_it_was_typed(tmp_path: Path, value: str) -> None:
    path = book(tmp_path)
    done(path, change(3, 3, "湘东镇", value))
    (sheet,) = shown(path, path.name, {})
    assert sheet["rows"][2]["cells"][2] == value


def test_a_cell_that_was_blank_is_filled(tmp_path: Path) -> None:
    made = done(book(tmp_path), change(3, 7, "", "备注"), change(1, 6, "", "附件"))
    assert (cells(made)["G3"], cells(made)["F1"]) == ("备注", "附件")


def test_a_total_that_would_no_longer_be_right_has_to_be_given_with_it(tmp_path: Path) -> None:
    path = book(tmp_path, total="=SUM(E3:E4)", results={"E5": 30_000})
    told = mended(path, path.name, [change(3, 5, "四万一", "41000")])
    assert isinstance(told, str)
    assert "E5" in told
    assert "不重新计算" in told
    made = done(path, change(3, 5, "四万一", "41000"), change(5, 5, "30000", "71000"))
    assert cells(made)["E5"] == 71_000
    assert openpyxl.load_workbook(io.BytesIO(made))["人口"]["E5"].value == "=SUM(E3:E4)"
    # What no formula reads is nobody's matter.
    done(path, change(3, 3, "湘东镇", "湘东"))


@pytest.mark.parametrize("formula", ["=SUM(D:E)", '=SUM(INDIRECT("E3:E4"))', "=人口!E3+E4", "=全部", "=E3*2"])
def test_a_formula_of_which_it_cannot_be_told_counts_as_one_that_depends(
    tmp_path: Path, formula: str
) -> None:
    path = book(tmp_path, total=formula, results={"E5": 1})
    assert "E5" in str(mended(path, path.name, [change(3, 5, "四万一", "41000")]))


def test_what_stands_there_now_must_be_what_was_seen(tmp_path: Path) -> None:
    path = book(tmp_path)
    assert "与页面上看到的不同" in str(mended(path, path.name, [change(3, 5, "四万二", "42000")]))
    assert "与页面上看到的不同" in str(
        mended(path, path.name, [change(3, 5, "四万一", "42000", sheet="别的")])
    )
    assert "合并单元格" in str(mended(path, path.name, [change(1, 2, "", "x")]))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "gb18030", "utf-16"])
def test_a_line_of_a_text_is_changed_and_the_others_stay(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "人口.csv"
    lines = [
        ",".join(HEADS),
        "",
        '2026-01,="360313101","湘东,镇",12000,四万一',
        '2026-01,360313102,"荷""尧"镇,9000,30000',
    ]
    path.write_bytes("\r\n".join(lines).encode(encoding))
    made = done(path, change(3, 5, "四万一", "41,000", sheet=""))
    text = made.decode("utf-16" if made.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    found = text.split("\r\n")
    assert found[:2] + found[3:] == lines[:2] + lines[3:]
    assert found[2].endswith('12000,"41,000"')


def test_what_a_page_cannot_change_it_says(tmp_path: Path) -> None:
    inside = book(tmp_path)
    archive = tmp_path / "几张表.zip"
    with zipfile.ZipFile(archive, "w") as made:
        made.write(inside, "人口.xlsx")
    old = tmp_path / "旧.xls"
    old.write_bytes(b"\xd0\xcf\x11\xe0" + bytes(600))
    for path in (archive, old):
        for told in (shown(path, path.name, {}), mended(path, path.name, [change(3, 5, "四万一", "1")])):
            assert "只有 .xlsx 和 CSV" in str(told)


def test_a_page_is_shown_the_cells_and_of_a_long_sheet_those_that_matter(tmp_path: Path) -> None:
    path = book(tmp_path, total="=SUM(E3:E4)", results={"E5": 30_000})
    (sheet,) = shown(path, path.name, {})
    assert sheet["columns"] == ["A", "B", "C", "D", "E"]
    assert sheet["rows"][0]["cells"] == ["湘东镇 2026年1月户籍人口报表", None, None, None, None]
    assert sheet["rows"][2]["cells"] == ["2026-01", "360313101", "湘东镇", "12000", "四万一"]
    assert [row["formulas"] for row in sheet["rows"]] == [[], [], [], [], [4]]
    assert sheet["is_whole"]
    long = tmp_path / "长.csv"
    long.write_text("\n".join(["a,b,c", *(f"{n},{n},{n}" for n in range(5_000))]), "utf-8")
    (sheet,) = shown(long, long.name, {"": [4_000]})
    assert [row["row"] for row in sheet["rows"]] == [*range(1, 11), 4_000]
    assert not sheet["is_whole"]
