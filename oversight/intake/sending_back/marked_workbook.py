"""The sender's own workbook with what is wrong marked in it, and listed on a first sheet.

An .xlsx keeps its formatting; of a CSV or an old format a new workbook with the same cells is made. What is mended
and sent back is read as any workbook; our own sheet is left out there.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from oversight import durable
from oversight.contracts import ALL_DATASETS
from oversight.intake.own_files import NOT_USED
from oversight.intake.reading.delimited import text_rows
from oversight.intake.reading.files import RETURN_SHEET
from oversight.intake.sending_back.instructions import instructions
from oversight.intake.sending_back.remarks import KIND_ZH, Remark
from oversight.intake_messages import CATALOGUE

AUTHOR = "民政监督系统"
_COLOURS = {"refused": "FFFFC7CE", "rejected": "FFFFC7CE", "held": "FFFFD966", "doubt": "FFFFF2CC"}
# Opening these again would cost what made them be refused.
NOT_OPENED = frozenset({"F01", "F02", "F03", "F04", "F07", "F12", "F14", "F15", "F16", "F17"})
# Above this a file is not copied whole: its first rows and those with a remark are.
MAX_COPIED_INFLATED_BYTES = 24 * 2**20
MAX_COPIED_BYTES = 3_000_000
MAX_COPIED_CELLS = 20_000
FIRST_ROWS = 10
MAX_EXCEL_COLUMNS = 16_384
MAX_LISTED = 5_000
_EXPECTED_BY_KIND = {
    "month": "年月，如 2025-06",
    "code": "6、9 或 12 位区划代码（文本）",
    "count": "不小于 0 的整数，没有就留空",
    "money": "金额，数字，精确到分",
    "bool": "是 或 否",
    "date": "日期，如 2025-06-30",
    "value": "数字、是/否或文字",
    "text": "文字",
}
_KIND_OF_TITLE = {c.title_zh: c.kind for d in ALL_DATASETS.values() for c in d.columns.values()}


def expected_zh(remark: Remark) -> str:
    """What should have stood there."""
    expected = CATALOGUE[remark.error_code].expected_zh
    if expected:
        return expected
    kind = _KIND_OF_TITLE.get(remark.column_title or "")
    return _EXPECTED_BY_KIND[kind] if kind else "能读取的表格"


def write_returned(
    source: Path, name: str, found: Sequence[Remark], target: Path, *, with_copy: bool = True
) -> None:
    """Write the annotated workbook of the file at `source`; without a copy of it where it is not to be opened."""
    import openpyxl

    book, moved = _copy(source, name, found) if with_copy else (openpyxl.Workbook(), {})
    _mark(book, found, moved)
    _list(book, name, found, moved)
    memory = io.BytesIO()
    book.save(memory)
    whole = _with_results(memory.getvalue(), source, book.sheetnames) if moved else memory.getvalue()
    durable.write_bytes(target, whole)


_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def _with_results(written: bytes, source: Path, sheets: Sequence[str]) -> bytes:
    """The workbook with the stored results of the sender's formulas, which the library drops when it writes.

    Without them a workbook that is sent on unopened would have formulas without a result.
    """
    with zipfile.ZipFile(io.BytesIO(written)) as archive:
        parts = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    having = {
        n: f"xl/worksheets/sheet{at}.xml"
        for at, n in enumerate(sheets, start=1)
        if n != RETURN_SHEET and b"<f" in parts.get(f"xl/worksheets/sheet{at}.xml", b"")
    }
    if not having:
        return written
    import openpyxl

    # From bytes: of a path the library looks at the ending, and an xlsx may be called .et.
    try:
        stored = openpyxl.load_workbook(io.BytesIO(source.read_bytes()), data_only=True, keep_links=False)
    except Exception:
        # A damaged workbook may be read once and not again; without results Excel works the formulas out itself.
        return written
    ElementTree.register_namespace("", _MAIN[1:-1])
    ElementTree.register_namespace("r", "http://schemas.openxmlformats.org/officeDocument/2006/relationships")
    for name, part in having.items():
        root = ElementTree.fromstring(parts[part])  # nosec B314 - written by openpyxl just now
        for cell in root.iter(f"{_MAIN}c"):
            if cell.find(f"{_MAIN}f") is not None:
                _put_result(cell, stored[name][cell.get("r", "")].value)
        parts[part] = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return memory.getvalue()


def _put_result(cell: ElementTree.Element, value: object) -> None:
    """Beside a formula, the result that the sender's file held for it."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return
    kept = cell.find(f"{_MAIN}v")
    if kept is None:
        kept = ElementTree.SubElement(cell, f"{_MAIN}v")
    kept.text = value if isinstance(value, str) else repr(value)
    if isinstance(value, str):
        cell.set("t", "e" if value.startswith("#") else "str")
    else:
        cell.attrib.pop("t", None)


# --- the copy -------------------------------------------------------------------------------------------

_Moved = dict[tuple[str | None, int], tuple[str, int]]


def _copy(source: Path, name: str, found: Sequence[Remark]) -> tuple[Any, _Moved]:
    """The workbook to mark, and where each row with a remark stands in it: (sheet, row) → (sheet, row)."""
    import openpyxl

    if any(r.error_code in NOT_OPENED and r.sheet is None for r in found):
        return openpyxl.Workbook(), {}
    try:
        data = source.read_bytes()
        if data.startswith(b"PK"):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                members = set(archive.namelist())
                inflated = sum(entry.file_size for entry in archive.infolist())
            if inflated > MAX_COPIED_INFLATED_BYTES:
                # The other library takes some fifty times that.
                return openpyxl.Workbook(), {}
            if "xl/workbook.xml" in members:
                if len(data) > MAX_COPIED_BYTES:
                    return _new(_sheets_of(data), found)
                book = openpyxl.load_workbook(io.BytesIO(data), keep_links=False)
                _unmark(book)
                rows = {(r.sheet, r.row_number) for r in found if r.sheet and r.row_number}
                return book, {(sheet, row): (sheet, row) for sheet, row in rows}
            if "xl/workbook.bin" not in members and "content.xml" not in members:
                return openpyxl.Workbook(), {}
            return _new(_sheets_of(data), found)
        if data.startswith(b"\xd0\xcf\x11\xe0"):
            return _new(_sheets_of(data), found)
        wanted = None if len(data) <= MAX_COPIED_BYTES else _marked(found, None)
        return _new({None: text_rows(data, name, wanted)}, found)
    except Exception:
        # A workbook that the other library cannot write again: the list alone says what is wrong.
        return openpyxl.Workbook(), {}


def _marked(found: Sequence[Remark], sheet: str | None) -> set[int]:
    """The rows of a large sheet that are copied: its first ones and those with a remark."""
    return {*range(1, FIRST_ROWS + 1), *(r.row_number for r in found if r.sheet == sheet and r.row_number)}


def _sheets_of(data: bytes) -> dict[str | None, dict[int, list[Any]]]:
    import python_calamine as calamine

    book = calamine.load_workbook(io.BytesIO(data))
    return {
        name: dict(enumerate(book.get_sheet_by_name(name).to_python(skip_empty_area=False), start=1))
        for name in book.sheet_names
        if name != RETURN_SHEET
    }


def _new(sheets: dict[str | None, dict[int, list[Any]]], found: Sequence[Remark]) -> tuple[Any, _Moved]:
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    moved: _Moved = {}
    size = sum(len(row) for rows in sheets.values() for row in rows.values())
    for sheet, rows in sheets.items():
        page = book.create_sheet(_NO_XML.sub("", sheet or "") or "数据")
        marked = _marked(found, sheet)
        wanted = [n for n in rows if size <= MAX_COPIED_CELLS or n in marked]
        for place, number in enumerate(wanted, start=1):
            for column, value in enumerate(rows[number][:MAX_EXCEL_COLUMNS], start=1):
                if value is not None and value != "":
                    _put(page.cell(place, column), value)
            if number in marked:
                moved[sheet, number] = (page.title, place)
    return book, moved


# What XML 1.0 cannot hold: the library lets some of it through and then fails to save.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _put(cell: Any, value: Any) -> None:
    """A value as what it is; text that begins like a formula stays text."""
    if isinstance(value, str):
        cell.value = _NO_XML.sub("", value)[:32_767]
        cell.data_type = "s"
        if value[:1] in "=+-@":
            cell.quotePrefix = True
    elif isinstance(value, (bool, int, float, datetime, date)):
        cell.value = value
    else:
        cell.value = str(value)


# Between our remark on a cell and the comment that the sender had written there.
_NOTED = "\n\n原有批注 "


def _unmark(book: Any) -> None:
    """Take away what we put into a workbook that comes back mended, but not quite."""
    from openpyxl.comments import Comment
    from openpyxl.styles import PatternFill

    if RETURN_SHEET in book.sheetnames and len(book.sheetnames) > 1:
        book.remove(book[RETURN_SHEET])
    for page in book.worksheets:
        # Only the cells that there are: one in the far corner would make the library lay out all before it.
        for cell in list(page._cells.values()):
            if cell.comment is not None and cell.comment.author == AUTHOR:
                _, _, noted = cell.comment.text.partition(_NOTED)
                who, _, words = noted.partition("：")
                cell.comment = Comment(words, who) if words else None
                if cell.fill.fgColor.rgb in _COLOURS.values():
                    cell.fill = PatternFill()


# --- the marks ------------------------------------------------------------------------------------------


def _place(remark: Remark, moved: _Moved) -> tuple[str, str] | None:
    """(sheet, cell) of a remark in the returned workbook."""
    if remark.cell is None or remark.row_number is None:
        return None
    to = moved.get((remark.sheet, remark.row_number))
    if to is None:
        return None
    return to[0], remark.cell.rstrip("0123456789") + str(to[1])


def _mark(book: Any, found: Sequence[Remark], moved: _Moved) -> None:
    from openpyxl.comments import Comment
    from openpyxl.styles import PatternFill

    at: dict[tuple[str, str], list[Remark]] = defaultdict(list)
    for remark in found[:MAX_LISTED]:
        place = _place(remark, moved)
        if place is not None and place[0] in book.sheetnames:
            at[place].append(remark)
    merged = {
        page.title: [(r, page.cell(r.min_row, r.min_col)) for r in page.merged_cells.ranges] for page in book
    }
    for (sheet, reference), told in at.items():
        cell = book[sheet][reference]
        asked = next((r for r in told if r.error_code in _ASKED and r.column_title), None)
        if asked is not None:
            _ask(book[sheet], cell, asked)
        cell = next((top for area, top in merged[sheet] if reference in area), cell)
        text = "\n".join(f"{KIND_ZH[r.kind]}：{r.message_zh}\n怎么改：{r.what_to_do_zh}" for r in told)
        text = _NO_XML.sub("", text)[:1_000]
        if cell.comment is not None:
            # What the sender had noted on the cell stays with it.
            text += f"{_NOTED}{cell.comment.author}：{cell.comment.text}"
        cell.comment = Comment(text, AUTHOR, height=40 + 40 * min(len(told), 4), width=320)
        worst = min(told, key=lambda r: list(_COLOURS).index(r.kind))
        cell.fill = PatternFill("solid", fgColor=_COLOURS[worst.kind])


# A question about a heading: it is answered in the cell itself.
_ASKED = frozenset({"F60", "D61"})


def _ask(page: Any, cell: Any, remark: Remark) -> None:
    """Put the question into the heading, with a list of what it may be."""
    from openpyxl.worksheet.datavalidation import DataValidation

    cell = next(
        (page.cell(r.min_row, r.min_col) for r in page.merged_cells.ranges if cell.coordinate in r), cell
    )
    contract = next(c for c in ALL_DATASETS.values() if c.by_title(remark.column_title or "") is not None)
    others = [c.title_zh for c in contract.measures if c.title_zh != remark.column_title]
    choices = f'"{",".join([remark.column_title or "", *others, NOT_USED])}"'
    _put(cell, f"{remark.value} → {remark.column_title}？")
    if len(choices) <= 255:
        page.add_data_validation(rule := DataValidation("list", formula1=choices, allow_blank=False))
        rule.showErrorMessage = False
        rule.add(cell.coordinate)


_TITLES = ("序号", "结果", "工作表", "单元格", "列", "填写的内容", "问题", "应当是", "怎么改", "编号")
_WIDTHS = (6, 10, 18, 9, 20, 22, 48, 26, 48, 7)


def _list(book: Any, name: str, found: Sequence[Remark], moved: _Moved) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.hyperlink import Hyperlink
    from openpyxl.worksheet.properties import PageSetupProperties

    if book.sheetnames == ["Sheet"] and not moved:
        page = book.active
        page.title = RETURN_SHEET
    else:
        page = book.create_sheet(RETURN_SHEET, 0)
    book.active = 0
    for other in book.worksheets[1:]:
        other.sheet_view.tabSelected = False
    _put(page["A1"], f"{RETURN_SHEET}：{Path(name).name}")
    page["A1"].font = Font(bold=True, size=14)
    page["A2"] = (
        "请按“怎么改”逐条更正（相同的问题合为一条；点“单元格”跳到第一处，各处有颜色并有批注），保存后整份重新报送；"
        "本页不必删除，系统读取时会略过。"
    )
    for column, (title, width) in enumerate(zip(_TITLES, _WIDTHS, strict=True), start=1):
        cell = page.cell(4, column, title)
        cell.font = Font(bold=True)
        cell.fill = PatternFill("solid", fgColor="FFD9E1F2")
        page.column_dimensions[get_column_letter(column)].width = width
    page.freeze_panes = "A5"
    page.page_setup.orientation = "landscape"
    page.page_setup.paperSize = page.PAPERSIZE_A4
    page.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    page.page_setup.fitToHeight = 0
    page.print_title_rows = "4:4"
    told = instructions(found)
    for number, item in enumerate(told[:MAX_LISTED], start=1):
        row = number + 4
        remark = item.first
        place = _place(remark, moved)
        values = (
            number,
            KIND_ZH[remark.kind],
            (place[0] if place else remark.sheet) or "",
            item.cells(lambda r: (_place(r, moved) or (None, r.cell))[1]),
            remark.column_title or "",
            item.values_zh,
            item.message_zh,
            expected_zh(remark),
            remark.what_to_do_zh,
            remark.error_code,
        )
        for column, value in enumerate(values, start=1):
            cell = page.cell(row, column)
            _put(cell, value)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
        page.cell(row, 2).fill = PatternFill("solid", fgColor=_COLOURS[remark.kind])
        if place is not None:
            sheet = place[0].replace("'", "''")
            link = page.cell(row, 4)
            link.hyperlink = Hyperlink(
                ref=link.coordinate, location=f"'{sheet}'!{place[1]}", display=place[1]
            )
            link.font = Font(color="FF0563C1", underline="single")
    if len(told) > MAX_LISTED:
        page.cell(MAX_LISTED + 5, 1, f"另有 {len(told) - MAX_LISTED} 类问题未列出，请先更正以上各处。")
