"""Workbooks in the formats that the project reads but does not write: made for the tests, smallest that will do."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterable, Sequence
from typing import Any
from xml.sax.saxutils import escape

import xlwt

Merge = tuple[int, int, int, int]
BINARY = "application/vnd.ms-excel.sheet.binary.macroEnabled.main"
ERRORS = {"#DIV/0!": 0x07, "#REF!": 0x17}


def xls_bytes(rows: Sequence[Sequence[Any]], merges: Iterable[Merge] = ()) -> bytes:
    """An Excel 97 workbook; what WPS calls .et is the same. `#DIV/0!` becomes an error cell, `=…` a bare formula."""
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("数据", cell_overwrite_ok=True)
    for r, row in enumerate(rows):
        for c, value in enumerate(row):
            if value in ERRORS:
                sheet.row(r).set_cell_error(c, value)
            elif isinstance(value, str) and value.startswith("="):
                sheet.write(r, c, xlwt.Formula(value[1:]))
            elif value not in ("", None):
                sheet.write(r, c, value)
    for top, left, bottom, right in merges:
        sheet.merge(top, bottom, left, right)
    memory = io.BytesIO()
    book.save(memory)
    return memory.getvalue()


def ods_bytes(rows: Sequence[Sequence[Any]], merges: Iterable[Merge] = ()) -> bytes:
    """An OpenDocument sheet; `#DIV/0!` becomes the result of a formula."""
    spans = {(top, left): (bottom - top + 1, right - left + 1) for top, left, bottom, right in merges}
    lines = []
    for r, row in enumerate(rows):
        cells = []
        for c, value in enumerate(row):
            down, across = spans.get((r, c), (1, 1))
            span = (
                f' table:number-rows-spanned="{down}" table:number-columns-spanned="{across}"'
                if (down, across) != (1, 1)
                else ""
            )
            text = f"<text:p>{escape(str(value))}</text:p>"
            if value in ("", None):
                cells.append(f"<table:table-cell{span}/>")
            elif value in ERRORS:
                kinds = 'table:formula="of:=1/0" office:value-type="string" calcext:value-type="error"'
                cells.append(f"<table:table-cell {kinds}{span}>{text}</table:table-cell>")
            elif isinstance(value, (int, float)):
                kinds = f'office:value-type="float" office:value="{value}"'
                cells.append(f"<table:table-cell {kinds}{span}>{text}</table:table-cell>")
            else:
                cells.append(f'<table:table-cell office:value-type="string"{span}>{text}</table:table-cell>')
        lines.append(f"<table:table-row>{''.join(cells)}</table:table-row>")
    spaces = "".join(
        f' xmlns:{prefix}="urn:{urn}"'
        for prefix, urn in (
            ("office", "oasis:names:tc:opendocument:xmlns:office:1.0"),
            ("table", "oasis:names:tc:opendocument:xmlns:table:1.0"),
            ("text", "oasis:names:tc:opendocument:xmlns:text:1.0"),
            ("calcext", "org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"),
        )
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content{spaces}><office:body><office:spreadsheet>'
        f'<table:table table:name="数据">{"".join(lines)}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
    return memory.getvalue()


def _record(kind: int, body: bytes = b"") -> bytes:
    head = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
    length, size = b"", len(body)
    while True:
        length += bytes([size & 0x7F | (0x80 if size > 0x7F else 0)])
        size >>= 7
        if not size:
            return head + length + body


def _wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def xlsb_bytes(rows: Sequence[Sequence[Any]], merges: Iterable[Merge] = (), *, far: bool = False) -> bytes:
    """A binary workbook: one sheet, its texts in the cells; with a `far` cell the reader's library asks for 400 GB."""
    width = max(map(len, rows))
    sheet = _record(129) + _record(148, struct.pack("<4I", 0, len(rows) - 1, 0, width - 1)) + _record(145)
    for r, row in enumerate(rows):
        sheet += _record(0, struct.pack("<IIHBBBI", r, 0, 300, 0, 0, 0, 0))
        for c, value in enumerate(row):
            at = struct.pack("<II", c, 0)
            if value in ERRORS:
                sheet += _record(3, at + bytes([ERRORS[value]]))
            elif isinstance(value, (int, float)):
                sheet += _record(5, at + struct.pack("<d", value))
            elif value:
                sheet += _record(6, at + _wide(value))
    if far:
        sheet += _record(0, struct.pack("<IIHBBBI", 1_048_575, 0, 300, 0, 0, 0, 0))
        sheet += _record(5, struct.pack("<IId", 16_383, 0, 1.0))
    sheet += _record(146)
    for top, left, bottom, right in merges:
        sheet += _record(176, struct.pack("<4I", top, bottom, left, right))
    sheet += _record(130)
    book = (
        _record(131) + _record(143) + _record(156, struct.pack("<II", 0, 1) + _wide("rId1") + _wide("数据"))
    )
    book += _record(144) + _record(132)
    types = "http://schemas.openxmlformats.org/package/2006/content-types"
    rels = "http://schemas.openxmlformats.org/package/2006/relationships"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    members: dict[str, bytes | str] = {
        "[Content_Types].xml": f'<Types xmlns="{types}"><Default Extension="bin" ContentType="{BINARY}"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{rels}"><Relationship Id="rId1" Type="{office}/officeDocument"'
        ' Target="xl/workbook.bin"/></Relationships>',
        "xl/workbook.bin": book,
        "xl/_rels/workbook.bin.rels": f'<Relationships xmlns="{rels}"><Relationship Id="rId1"'
        f' Type="{office}/worksheet" Target="worksheets/sheet1.bin"/></Relationships>',
        "xl/worksheets/sheet1.bin": sheet,
    }
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return memory.getvalue()
