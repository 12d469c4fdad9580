"""A workbook's bytes → its sheets as grids: xlsx by our own pass, xls, xlsb and ods by a library and one more pass."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import python_calamine as calamine

from oversight.intake.reading.found import Unreadable
from oversight.intake.reading.grid import Grid, Visibility, fitting
from oversight.intake.reading.marks import DAMAGED, SheetMarks, sheet_marks
from oversight.intake.reading.xlsx import Damaged, Forbidden, TooLarge, workbook


def xlsx_grids(archive: zipfile.ZipFile) -> list[Grid]:
    """The sheets of an xlsx."""
    try:
        return workbook(archive)
    except Forbidden as failure:
        raise Unreadable("F16", detail=str(failure)) from failure
    except TooLarge as failure:
        raise Unreadable("F12", detail=str(failure)) from failure
    except Damaged as failure:
        raise Unreadable("F04", detail=str(failure)[:120]) from failure


def other_grids(data: bytes, name: str) -> list[Grid]:
    """The sheets of an xls, xlsb or ods."""
    try:
        told = sheet_marks(data)
    except Forbidden as failure:
        raise Unreadable("F16", detail=str(failure)) from failure
    except DAMAGED as failure:
        book = _opened(data, name)
        # What the library reads of it may lack cells that were errors: nothing of it can be vouched for.
        raise Unreadable("F04", detail=f"{type(failure).__name__}: {failure}"[:120]) from failure
    try:
        book = _opened(data, name)
        return [
            _grid(book, meta, told[number] if number < len(told) else SheetMarks())
            for number, meta in enumerate(book.sheets_metadata)
            if meta.typ == calamine.SheetTypeEnum.WorkSheet
        ]
    except (calamine.CalamineError, OSError) as failure:
        raise Unreadable("F04", detail=str(failure)[:120]) from failure


def _opened(data: bytes, name: str) -> Any:
    try:
        return calamine.load_workbook(io.BytesIO(data))
    except calamine.PasswordError as failure:
        raise Unreadable("F03") from failure
    except calamine.CalamineError as failure:
        if is_encrypted_ole(data):
            raise Unreadable("F03") from failure
        is_ole = data.startswith(b"\xd0\xcf\x11\xe0")
        if is_ole and not any(word.encode("utf-16-le") in data for word in ("Workbook", "Book")):
            raise Unreadable("F01", name=Path(name).name, detail="是 Word 等其他 Office 文档") from failure
        raise Unreadable("F04", detail=str(failure)[:120]) from failure


def _grid(book: Any, meta: Any, besides: SheetMarks) -> Grid:
    sheet = book.get_sheet_by_name(meta.name)
    rows: list[list[Any]] = []
    if sheet.height and sheet.width:
        rows = sheet.to_python(skip_empty_area=False)
    for (r, c), text in besides.cells.items():
        if r < len(rows) and c < len(rows[r]):
            rows[r][c] = text
        elif r < len(rows):
            rows[r].extend([""] * (c - len(rows[r])) + [text])
    merged = sheet.merged_cell_ranges if besides.merged is None else besides.merged
    kept = fitting(merged or (), rows)
    if kept is None:
        raise Unreadable("F04", detail=f"工作表“{meta.name}”的合并单元格互相重叠")
    width = max(map(len, rows), default=0)
    return Grid(
        meta.name,
        rows,
        kept,
        visibility=_visibility(meta.visible),
        hidden_rows=frozenset(at for at in besides.hidden_rows if at < len(rows)),
        hidden_columns=frozenset(at for at in besides.hidden_columns if at < width),
        formulas=besides.formulas,
        decimals=besides.decimals,
    )


def _visibility(given: Any) -> Visibility:
    if given == calamine.SheetVisibleEnum.VeryHidden:
        return "very_hidden"
    return "hidden" if given == calamine.SheetVisibleEnum.Hidden else "visible"


def is_encrypted_ole(data: bytes) -> bool:
    """Whether an OLE file is a workbook with a password."""
    return "EncryptedPackage".encode("utf-16-le") in data or "EncryptionInfo".encode("utf-16-le") in data
