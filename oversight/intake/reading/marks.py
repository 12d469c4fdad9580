"""What the reader library does not tell of an old workbook: errors, formulas, number formats, what is merged or hidden.

It shows an error as a blank, and a blank would mean "not reported". An xls, xlsb or ods is walked over once more for
just these; places are 0-based (row, column). Of an ods no number formats are told.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import olefile  # type: ignore[import-untyped]

from oversight.intake.reading import values
from oversight.intake.reading.formats import GENERAL, Format, builtin, parsed
from oversight.intake.reading.grid import Area, Place
from oversight.intake.reading.xlsx import Attributes, local, related_parts, walk

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
    """Of one sheet: cells that have no value though they are not blank, and the facts of the others."""

    cells: dict[Place, str] = field(default_factory=dict)
    # None where the reader library tells it itself.
    merged: list[Area] | None = None
    formula_cells: dict[int, set[int]] = field(default_factory=dict)
    decimals: dict[int, dict[int, int]] = field(default_factory=dict)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)

    def add_formula(self, place: Place) -> None:
        """Note that a formula stands there."""
        self.formula_cells.setdefault(place[0], set()).add(place[1])

    def add_format(self, place: Place, shown: Format) -> None:
        """Note the places that a number there is shown with."""
        if shown.places is not None:
            self.decimals.setdefault(place[0], {})[place[1]] = shown.places

    @property
    def formulas(self) -> Mapping[int, frozenset[int]]:
        """Row → columns that hold a formula."""
        return {row: frozenset(columns) for row, columns in self.formula_cells.items()}


DAMAGED = (ValueError, LookupError, OSError, OverflowError, struct.error)


def sheet_marks(data: bytes) -> list[SheetMarks]:
    """Of an xls, xlsb or ods workbook, by sheet in their order; none for other formats.

    Raises one of `DAMAGED` where the file is, or `Forbidden`.
    """
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        return _xls(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = set(archive.namelist())
        if "xl/workbook.bin" in names:
            return _xlsb(archive)
        if "content.xml" in names:
            return _ods(archive)
    return []


# --- xls ------------------------------------------------------------------------------------------------

_BOUNDSHEET, _BOF, _EOF, _FORMULA, _BOOLERR = 0x85, 0x809, 0x0A, 0x06, 0x205
_ROW, _COLUMNS, _FORMAT, _XF = 0x208, 0x7D, 0x41E, 0xE0
_NUMBER, _RK, _MULTIPLE_RK = 0x203, 0x27E, 0xBD


def _xls(data: bytes) -> list[SheetMarks]:
    with olefile.OleFileIO(io.BytesIO(data)) as ole:
        name = "Workbook" if ole.exists("Workbook") else "Book"
        book = ole.openstream(name).read()
    starts: list[int] = []
    own: dict[int, Format] = {}
    numbers: list[int] = []
    for kind, body in _xls_records(book, 0):
        if kind == _BOUNDSHEET:
            starts.append(struct.unpack_from("<I", body)[0])
        elif kind == _FORMAT:
            own[struct.unpack_from("<H", body)[0]] = parsed(_xls_text(body[2:]))
        elif kind == _XF:
            numbers.append(struct.unpack_from("<H", body, 2)[0])
    formats = [own.get(number) or builtin(number) for number in numbers]
    sheets = [SheetMarks() for _ in starts]
    uncalculated: list[tuple[SheetMarks, Place]] = []
    calculated = False
    for sheet, start in zip(sheets, starts, strict=True):
        for kind, body in _xls_records(book, start):
            if kind == _BOOLERR and body[7]:
                sheet.cells[struct.unpack_from("<HH", body)] = _ERRORS.get(body[6], "#N/A")
            elif kind == _FORMULA:
                place = struct.unpack_from("<HH", body)
                sheet.add_formula(place)
                special = body[12:14] == b"\xff\xff"
                if special and body[6] == 2:
                    sheet.cells[place] = _ERRORS.get(body[8], "#N/A")
                if special and body[6] == 3:
                    uncalculated.append((sheet, place))
                else:
                    calculated = True
                    sheet.add_format(place, _at(formats, struct.unpack_from("<H", body, 4)[0]))
            elif kind in (_NUMBER, _RK):
                row, column, style = struct.unpack_from("<HHH", body)
                sheet.add_format((row, column), _at(formats, style))
            elif kind == _MULTIPLE_RK:
                row, column = struct.unpack_from("<HH", body)
                for at in range(4, len(body) - 2, 6):
                    style = struct.unpack_from("<H", body, at)[0]
                    sheet.add_format((row, column + (at - 4) // 6), _at(formats, style))
            elif kind == _ROW and struct.unpack_from("<H", body, 12)[0] & 0x20:
                sheet.hidden_rows.add(struct.unpack_from("<H", body)[0])
            elif kind == _COLUMNS and struct.unpack_from("<H", body, 8)[0] & 1:
                first, last = struct.unpack_from("<HH", body)
                sheet.hidden_columns.update(range(first, min(last, 255) + 1))
    if not calculated:
        # Where no formula at all has a result, a program wrote them and nothing ever worked them out.
        for sheet, place in uncalculated:
            sheet.cells[place] = values.NO_RESULT
    return sheets


def _at(formats: list[Format], number: int) -> Format:
    return formats[number] if number < len(formats) else GENERAL


def _xls_text(body: bytes) -> str:
    """A format's spelling: as Excel 97 writes it, or with one byte a character as before."""
    if len(body) >= 3 and len(body) - 3 in (n := struct.unpack_from("<H", body)[0], 2 * n):
        return body[3:].decode("utf-16-le" if body[2] & 1 else "latin-1")
    return body[1 : 1 + body[0]].decode("latin-1") if body else ""


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

_ROW_HEADER, _CELL_ERROR, _FORMULA_ERROR, _BUNDLE, _MERGE = 0, 3, 11, 156, 176
_CELL_NUMBERS, _CELL_FORMULAS = {2, 5, 9}, {8, 9, 10, 11}
_COLUMN_INFO, _OWN_FORMAT, _STYLE, _BEGIN_STYLES, _END_STYLES = 60, 44, 47, 617, 618


def _xlsb(archive: zipfile.ZipFile) -> list[SheetMarks]:
    related = related_parts(archive, "xl/workbook.bin")
    styles = next((target for kind, target in related.values() if kind == "styles"), None)
    formats = _xlsb_formats(archive.read(styles)) if styles in archive.namelist() else []
    sheets: list[SheetMarks] = []
    for kind, body in _xlsb_records(archive.read("xl/workbook.bin")):
        if kind != _BUNDLE:
            continue
        length = struct.unpack_from("<I", body, 8)[0]
        relation = body[12 : 12 + 2 * length].decode("utf-16-le")
        sheets.append(_xlsb_sheet(archive.read(related[relation][1]), formats))
    return sheets


def _xlsb_formats(part: bytes) -> list[Format]:
    own: dict[int, Format] = {}
    numbers: list[int] = []
    inside = False
    for kind, body in _xlsb_records(part):
        if kind == _OWN_FORMAT:
            number, length = struct.unpack_from("<HI", body)
            own[number] = parsed(body[6 : 6 + 2 * length].decode("utf-16-le"))
        elif kind in (_BEGIN_STYLES, _END_STYLES):
            inside = kind == _BEGIN_STYLES
        elif kind == _STYLE and inside:
            numbers.append(struct.unpack_from("<H", body, 2)[0])
    return [own.get(number) or builtin(number) for number in numbers]


def _xlsb_sheet(part: bytes, formats: list[Format]) -> SheetMarks:
    sheet = SheetMarks(merged=[])
    row = 0
    for kind, body in _xlsb_records(part):
        if kind == _ROW_HEADER:
            row = struct.unpack_from("<I", body)[0]
            if len(body) > 11 and body[11] & 0x10:
                sheet.hidden_rows.add(row)
        elif kind == _COLUMN_INFO and body[16] & 1:
            first, last = struct.unpack_from("<II", body)
            sheet.hidden_columns.update(range(first, min(last, 16_383) + 1))
        elif kind in (_CELL_ERROR, _FORMULA_ERROR):
            sheet.cells[row, struct.unpack_from("<I", body)[0]] = _ERRORS.get(body[8], "#N/A")
        elif kind == _MERGE and sheet.merged is not None:
            top, bottom, left, right = struct.unpack_from("<4I", body)
            sheet.merged.append(((top, left), (bottom, right)))
        if kind in _CELL_FORMULAS:
            sheet.add_formula((row, struct.unpack_from("<I", body)[0]))
        if kind in _CELL_NUMBERS:
            style = int.from_bytes(body[4:7], "little")
            sheet.add_format((row, struct.unpack_from("<I", body)[0]), _at(formats, style))
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


def _ods(archive: zipfile.ZipFile) -> list[SheetMarks]:
    sheets: list[SheetMarks] = []
    sheet = SheetMarks(merged=[])
    row = column = column_from = 0
    repeated_rows = 1
    row_hidden = False
    cell: dict[str, str] | None = None
    text: list[str] = []

    def start(element: str, attributes: Attributes) -> None:
        nonlocal sheet, row, column, column_from, repeated_rows, row_hidden, cell
        name = local(element)
        told = {local(n): value for n, value in attributes.items()}
        if name == "table" and element.endswith("table:1.0 table"):
            sheet = SheetMarks(merged=[])
            sheets.append(sheet)
            row = column_from = 0
        elif name == "table-column":
            repeated = _number(told, "number-columns-repeated")
            if told.get("visibility") in _HIDDEN:
                sheet.hidden_columns.update(range(column_from, min(column_from + repeated, _FAR)))
            column_from += repeated
        elif name == "table-row":
            column, repeated_rows = 0, _number(told, "number-rows-repeated")
            row_hidden = told.get("visibility") in _HIDDEN
            if row_hidden and repeated_rows < _FAR:
                sheet.hidden_rows.update(range(row, row + repeated_rows))
        elif name in _CELLS:
            # Two attributes are called value-type; the newer one alone tells an error.
            cell = told | {"kinds": " ".join(v for n, v in attributes.items() if local(n) == "value-type")}
            text.clear()

    def end(element: str) -> None:
        nonlocal row, column, cell
        name = local(element)
        if name == "table-row":
            row += repeated_rows
        elif name in _CELLS and cell is not None:
            repeated = _number(cell, "number-columns-repeated")
            down, across = _number(cell, "number-rows-spanned"), _number(cell, "number-columns-spanned")
            if sheet.merged is not None and (down > 1 or across > 1):
                sheet.merged.append(((row, column), (row + down - 1, column + across - 1)))
            problem = _ods_problem(cell, "".join(text).strip())
            if repeated * repeated_rows < _FAR:
                for r in range(row, row + repeated_rows):
                    for c in range(column, column + repeated):
                        if problem is not None:
                            sheet.cells[r, c] = problem
                        if "formula" in cell:
                            sheet.add_formula((r, c))
            column += repeated
            cell = None

    def gather(piece: str) -> None:
        if cell is not None:
            text.append(piece)

    walk(archive.open("content.xml"), "content.xml", start, end, gather)
    return sheets


_CELLS = frozenset(("table-cell", "covered-table-cell"))
_HIDDEN = frozenset(("collapse", "filter"))


def _ods_problem(cell: Mapping[str, str], text: str) -> str | None:
    kinds = cell["kinds"].split()
    if "error" not in kinds and not ("formula" in cell and not kinds):
        return None
    return text if text in values.ERROR_CELLS else values.NO_RESULT


def _number(told: Mapping[str, str], name: str) -> int:
    return max(int(told.get(name, "1")), 1)
