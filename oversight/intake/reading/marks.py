"""What the reader library does not tell of a workbook: error cells, formulas without a result, merged cells of ods.

It shows an error as a blank, and a blank would mean "not reported". Each format is walked over once more for just
these; places are 0-based (row, column).
"""

from __future__ import annotations

import io
import re
import struct
import xml.etree.ElementTree as ElementTree
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field

import olefile  # type: ignore[import-untyped]

from oversight.intake.reading import values

Place = tuple[int, int]
Merged = list[tuple[Place, Place]]
_ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
}


@dataclass
class SheetMarks:
    """Of one sheet: cells that have no value though they are not blank, and what else is hidden."""

    cells: dict[Place, str] = field(default_factory=dict)
    has_formulas: bool = False
    # None where the reader library tells it itself.
    merged: Merged | None = None


DAMAGED = (ValueError, LookupError, OSError, OverflowError, struct.error, ElementTree.ParseError)


def sheet_marks(data: bytes) -> list[SheetMarks]:
    """Of an xls, xlsb or ods workbook, by sheet in their order; none for other formats.

    Raises one of `DAMAGED` where the file is.
    """
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        return _xls(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = set(archive.namelist())
        if "xl/workbook.bin" in names:
            return _xlsb(archive)
        if "content.xml" in names:
            return _ods(archive.read("content.xml"))
    return []


# --- xls ------------------------------------------------------------------------------------------------

_BOUNDSHEET, _BOF, _EOF, _FORMULA, _BOOLERR = 0x85, 0x809, 0x0A, 0x06, 0x205


def _xls(data: bytes) -> list[SheetMarks]:
    with olefile.OleFileIO(io.BytesIO(data)) as ole:
        name = "Workbook" if ole.exists("Workbook") else "Book"
        book = ole.openstream(name).read()
    starts = [
        struct.unpack_from("<I", body)[0] for kind, body in _xls_records(book, 0) if kind == _BOUNDSHEET
    ]
    sheets = [SheetMarks() for _ in starts]
    uncalculated: list[tuple[SheetMarks, Place]] = []
    calculated = False
    for sheet, start in zip(sheets, starts, strict=True):
        for kind, body in _xls_records(book, start):
            if kind == _BOOLERR and body[7]:
                sheet.cells[struct.unpack_from("<HH", body)] = _ERRORS.get(body[6], "#N/A")
            elif kind == _FORMULA:
                place = struct.unpack_from("<HH", body)
                sheet.has_formulas = True
                special = body[12:14] == b"\xff\xff"
                if special and body[6] == 2:
                    sheet.cells[place] = _ERRORS.get(body[8], "#N/A")
                if special and body[6] == 3:
                    uncalculated.append((sheet, place))
                else:
                    calculated = True
    if not calculated:
        # Where no formula at all has a result, a program wrote them and nothing ever worked them out.
        for sheet, place in uncalculated:
            sheet.cells[place] = values.NO_RESULT
    return sheets


def _xls_records(book: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """The records of one substream, those of charts inside it left out."""
    depth = 0
    while at + 4 <= len(book):
        kind, length = struct.unpack_from("<HH", book, at)
        body = book[at + 4 : at + 4 + length]
        at += 4 + length
        if kind == _BOF:
            depth += 1
        elif kind == _EOF:
            depth -= 1
            if depth <= 0:
                return
        elif depth == 1:
            yield kind, body


# --- xlsb -----------------------------------------------------------------------------------------------

_ROW, _CELL_ERROR, _BUNDLE, _MERGE = 0, 3, 156, 176
_CELL_FORMULAS = {8, 9, 10, 11}


def _xlsb(archive: zipfile.ZipFile) -> list[SheetMarks]:
    rels = archive.read("xl/_rels/workbook.bin.rels").decode("utf-8", "replace")
    targets = relationships(rels)
    sheets: list[SheetMarks] = []
    for kind, body in _xlsb_records(archive.read("xl/workbook.bin")):
        if kind != _BUNDLE:
            continue
        length = struct.unpack_from("<I", body, 8)[0]
        relation = body[12 : 12 + 2 * length].decode("utf-16-le")
        sheets.append(_xlsb_sheet(archive.read("xl/" + targets[relation])))
    return sheets


def _xlsb_sheet(part: bytes) -> SheetMarks:
    sheet = SheetMarks(merged=[])
    row = 0
    for kind, body in _xlsb_records(part):
        if kind == _ROW:
            row = struct.unpack_from("<I", body)[0]
        elif kind in (_CELL_ERROR, 11):
            sheet.cells[row, struct.unpack_from("<I", body)[0]] = _ERRORS.get(body[8], "#N/A")
        elif kind == _MERGE and sheet.merged is not None:
            top, bottom, left, right = struct.unpack_from("<4I", body)
            sheet.merged.append(((top, left), (bottom, right)))
        sheet.has_formulas |= kind in _CELL_FORMULAS
    return sheet


def _xlsb_records(part: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(part):
        kind = part[at]
        at += 1
        if kind & 0x80:
            kind = (kind & 0x7F) | (part[at] & 0x7F) << 7
            at += 1
        length = 0
        for shift in range(0, 28, 7):
            byte = part[at]
            at += 1
            length |= (byte & 0x7F) << shift
            if not byte & 0x80:
                break
        yield kind, part[at : at + length]
        at += length


# --- ods ------------------------------------------------------------------------------------------------

_FAR = 20_000


def _ods(xml: bytes) -> list[SheetMarks]:
    sheets: list[SheetMarks] = []
    sheet = SheetMarks(merged=[])
    row = column = row_repeat = 0
    for event, element in ElementTree.iterparse(io.BytesIO(xml), events=("start", "end")):
        tag = _local(element.tag)
        if event == "start":
            if tag == "table":
                sheet = SheetMarks(merged=[])
                sheets.append(sheet)
                row = 0
            elif tag == "table-row":
                column, row_repeat = 0, _number(element, "number-rows-repeated")
        elif tag == "table-row":
            row += row_repeat
            element.clear()
        elif tag in ("table-cell", "covered-table-cell"):
            repeat = _number(element, "number-columns-repeated")
            rows, columns = (
                _number(element, "number-rows-spanned"),
                _number(element, "number-columns-spanned"),
            )
            if sheet.merged is not None and (rows > 1 or columns > 1):
                sheet.merged.append(((row, column), (row + rows - 1, column + columns - 1)))
            text = _ods_problem(element)
            sheet.has_formulas |= "formula" in map(_local, element.attrib)
            if text is not None and repeat * row_repeat < _FAR:
                for r in range(row, row + row_repeat):
                    for c in range(column, column + repeat):
                        sheet.cells[r, c] = text
            column += repeat
    return sheets


def _ods_problem(cell: ElementTree.Element) -> str | None:
    attributes = {_local(name): value for name, value in cell.attrib.items()}
    kinds = [value for name, value in cell.attrib.items() if _local(name) == "value-type"]
    if "error" not in kinds and not ("formula" in attributes and not kinds):
        return None
    text = "".join(cell.itertext()).strip()
    return text if text in values.ERROR_CELLS else values.NO_RESULT


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _number(element: ElementTree.Element, name: str) -> int:
    found = next((v for k, v in element.attrib.items() if _local(k) == name), "1")
    return max(int(found), 1)


# --- xlsx -----------------------------------------------------------------------------------------------


def xlsx_cells(xml: bytes) -> dict[Place, str]:
    """Marks of a sheet whose XML is not written as Excel writes it: with prefixes, or cells that do not say where."""
    found: dict[Place, str] = {}
    row = column = -1
    kind, value, has_formula = "", "", False
    for event, element in ElementTree.iterparse(io.BytesIO(xml), events=("start", "end")):
        tag = _local(element.tag)
        if event == "start":
            if tag == "row":
                row = int(element.get("r") or row + 2) - 1
                column = -1
            elif tag == "c":
                reference = element.get("r")
                column = place_of(reference)[1] if reference else column + 1
                kind, value, has_formula = element.get("t") or "", "", False
        elif tag == "f":
            has_formula = True
        elif tag == "v":
            value = element.text or ""
        elif tag == "c":
            if kind == "e":
                found[row, column] = value or values.NO_RESULT
            elif has_formula and not value and kind != "str":
                found[row, column] = values.NO_RESULT
        elif tag == "row":
            element.clear()
    return found


def place_of(reference: str) -> Place:
    """C5 → (4, 2)."""
    match = re.fullmatch(r"([A-Z]{1,3})(\d+)", reference)
    if match is None:
        raise ValueError(reference)
    column = 0
    for letter in match.group(1):
        column = column * 26 + ord(letter) - 64
    return int(match.group(2)) - 1, column - 1


def relationships(xml: str) -> dict[str, str]:
    """Id → target below xl/, of a workbook's list of parts."""
    targets: dict[str, str] = {}
    for tag in re.findall(r"<(?:\w+:)?Relationship\b[^>]*>", xml):
        identifier, target = re.search(r'\bId="([^"]*)"', tag), re.search(r'\bTarget="([^"]*)"', tag)
        if identifier and target:
            targets[identifier.group(1)] = target.group(1).lstrip("/").removeprefix("xl/")
    return targets
