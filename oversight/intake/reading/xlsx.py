"""An .xlsx workbook in one pass over each of its parts: values, and every fact about them that the file states.

The parts are parsed as a stream, piece by piece as they are inflated, so that neither a claimed size nor a far cell
costs anything; only cells that hold something are kept. Meant to run where memory and time are bounded.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any
from xml.parsers import expat

from oversight.intake.reading import values
from oversight.intake.reading.formats import GENERAL, Format, builtin, moment, parsed
from oversight.intake.reading.grid import Area, Grid, Place, Visibility, fitting

MAX_ROWS, MAX_COLUMNS = 1_048_576, 16_384
# Blank cells before far ones included; beyond it a sheet is no report.
MAX_LAID_OUT = 16_000_000
_PIECE = 1 << 16
_RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATED_STRICT = "http://purl.oclc.org/ooxml/officeDocument/relationships"
_VISIBILITY: dict[str, Visibility] = {"hidden": "hidden", "veryHidden": "very_hidden"}
_TRUE = frozenset(("1", "true", "on"))


class Damaged(ValueError):
    """The workbook contradicts itself or its format; the text says where."""


class Forbidden(ValueError):
    """A part of the workbook declares a document type or entities; the text names the part."""


class TooLarge(ValueError):
    """The workbook lays out more cells than any report has; the text says what."""


Attributes = dict[str, str]
Start = Callable[[str, Attributes], None]


def walk(
    stream: Any,
    part: str,
    start: Start,
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
    first: Callable[[str], None] | None = None,
    encoding: str | None = None,
) -> None:
    """Parse a part piece by piece; names come as "namespace name". Refuses document types and entities.

    `first` is called with the name of the outermost element, before any other.
    """
    parser = expat.ParserCreate(encoding=encoding, namespace_separator=" ")
    parser.buffer_text = True

    def refuse(*_: object) -> None:
        raise Forbidden(part)

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = start
    if first is not None:

        def outermost(name: str, _: Attributes) -> None:
            first(name)
            parser.StartElementHandler = start

        parser.StartElementHandler = outermost
    if end is not None:
        parser.EndElementHandler = end
    if text is not None:
        parser.CharacterDataHandler = text
    try:
        while piece := stream.read(_PIECE):
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except expat.ExpatError as failure:
        raise Damaged(f"{part}：{failure}") from failure


# --- the parts about the whole workbook -----------------------------------------------------------------


@dataclass(frozen=True)
class _Sheet:
    name: str
    part: str
    visibility: Visibility


@dataclass
class _Book:
    """What workbook.xml says."""

    sheets: list[_Sheet] = field(default_factory=list)
    parts: dict[str, str] = field(default_factory=dict)
    counts_from_1904: bool = False
    # The program that wrote it leaves it to Excel to work the formulas out when it is opened.
    asks_to_calculate: bool = False


def local(name: str) -> str:
    """An element's or attribute's name without its namespace."""
    return name.rpartition(" ")[2]


def related_parts(archive: zipfile.ZipFile, part: str) -> dict[str, tuple[str, str]]:
    """Id → (kind, part) of what a part relates to."""
    folder, name = posixpath.split(part)
    found: dict[str, tuple[str, str]] = {}

    def start(element: str, attributes: Attributes) -> None:
        if local(element) == "Relationship" and attributes.get("TargetMode") != "External":
            target = attributes.get("Target", "").replace("\\", "/")
            whole = target.lstrip("/") if target.startswith("/") else posixpath.join(folder, target)
            kind = attributes.get("Type", "").rpartition("/")[2]
            found[attributes.get("Id", "")] = (kind, posixpath.normpath(whole))

    rels = f"{folder}/_rels/{name}.rels"
    with archive.open(rels) as stream:
        walk(stream, rels, start)
    return found


def _book(archive: zipfile.ZipFile, part: str) -> _Book:
    book = _Book()
    related = related_parts(archive, part)
    there = set(archive.namelist())
    # A small writer may name them and leave them out; whether they are needed, the cells show.
    book.parts = {
        kind: target
        for kind, target in related.values()
        if kind in ("sharedStrings", "styles") and target in there
    }

    def start(element: str, attributes: Attributes) -> None:
        name = local(element)
        if name == "sheet":
            relation = next((attributes[f"{ns} id"] for ns in _IDS if f"{ns} id" in attributes), "")
            kind, target = related.get(relation, ("", ""))
            if kind == "worksheet":
                state = _VISIBILITY.get(attributes.get("state", ""), "visible")
                book.sheets.append(_Sheet(attributes.get("name", ""), target, state))
        elif name == "workbookPr":
            book.counts_from_1904 = attributes.get("date1904") in _TRUE
        elif name == "calcPr":
            book.asks_to_calculate = attributes.get("fullCalcOnLoad") in _TRUE

    with archive.open(part) as stream:
        walk(stream, part, start)
    return book


_IDS = (_RELATED, _RELATED_STRICT)


def _strings(archive: zipfile.ZipFile, part: str | None) -> list[str]:
    """The shared strings; furigana above a text are no part of it."""
    if part is None:
        return []
    found: list[str] = []
    pieces: list[str] = []
    collecting = False
    phonetic = 0

    def start(element: str, _: Attributes) -> None:
        nonlocal collecting, phonetic
        name = local(element)
        if name == "t":
            collecting = not phonetic
        elif name == "rPh":
            phonetic += 1

    def end(element: str) -> None:
        nonlocal collecting, phonetic
        name = local(element)
        if name == "t":
            collecting = False
        elif name == "rPh":
            phonetic -= 1
        elif name == "si":
            found.append(_unescaped("".join(pieces)))
            pieces.clear()

    def text(piece: str) -> None:
        if collecting:
            pieces.append(piece)

    with archive.open(part) as stream:
        walk(stream, part, start, end, text)
    return found


_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")


def _unescaped(text: str) -> str:
    """A text with the characters that XML cannot hold put back: _x000D_ is a carriage return."""
    if "_x" not in text:
        return text
    return _ESCAPE.sub(lambda match: chr(int(match.group(1), 16)), text)


def _styles(archive: zipfile.ZipFile, part: str | None) -> tuple[Format, ...]:
    if part is None:
        return ()
    data = archive.read(part)
    return _formats(data, part) if len(data) <= 1 << 18 else _formats.__wrapped__(data, part)


@lru_cache(maxsize=16)
def _formats(data: bytes, part: str) -> tuple[Format, ...]:
    """The number format of each cell style. Files of one sender come with the same styles again and again."""
    own: dict[str, str] = {}
    numbers: list[str] = []
    inside = False

    def start(element: str, attributes: Attributes) -> None:
        nonlocal inside
        name = local(element)
        if name == "numFmt":
            own.setdefault(attributes.get("numFmtId", ""), attributes.get("formatCode", ""))
        elif name == "cellXfs":
            inside = True
        elif name == "xf" and inside:
            numbers.append(attributes.get("numFmtId", "0"))

    def end(element: str) -> None:
        nonlocal inside
        inside = inside and local(element) != "cellXfs"

    walk(io.BytesIO(data), part, start, end)
    return tuple(
        parsed(own[n]) if n in own else builtin(int(n)) if n.isdecimal() else GENERAL for n in numbers
    )


# --- a sheet --------------------------------------------------------------------------------------------


class _Columns(dict[str, int]):
    """Column letters → 0-based column."""

    def __missing__(self, letters: str) -> int:
        column = 0
        for letter in letters.upper():
            if not "A" <= letter <= "Z":
                raise Damaged(f"单元格地址“{letters[:20]}”写法不对")
            column = column * 26 + ord(letter) - 64
            if column > MAX_COLUMNS:
                raise Damaged(f"单元格地址“{letters[:20]}”超出工作表范围")
        if not column:
            raise Damaged("单元格地址没有列")
        self[letters] = column - 1
        return column - 1


_COLUMNS = _Columns()


def place_of(reference: str) -> Place:
    """C5 → (4, 2)."""
    letters = reference.rstrip("0123456789")
    digits = reference[len(letters) :]
    if not digits or len(digits) > 7 or not 1 <= int(digits) <= MAX_ROWS:
        raise Damaged(f"单元格地址“{reference[:20]}”超出工作表范围")
    return int(digits) - 1, _COLUMNS[letters]


@dataclass
class _Formulas:
    """Whether any formula of the workbook has a result that is not 0, and where those that are 0 stand."""

    any_other: bool = False
    zeros: list[tuple[int, int, int]] = field(default_factory=list)


def _sheet(
    stream: Any,
    sheet: _Sheet,
    number: int,
    strings: list[str],
    formats: tuple[Format, ...],
    from_1904: bool,
    calculated: _Formulas,
) -> Grid:
    rows: list[Any] = []
    blank_row: tuple[Any, ...] = ()
    merged: list[Area] = []
    hidden_rows: set[int] = set()
    hidden_columns: set[int] = set()
    formulas: dict[int, frozenset[int]] = {}
    decimals: dict[int, Mapping[int, int]] = {}
    known_patterns: dict[Any, Any] = {}
    row_formulas: list[int] = []
    row_places: list[tuple[int, int]] = []
    pieces: list[str] = []
    row, column = -1, -1
    kind = ""
    style: Format = GENERAL
    has_formula = collecting = row_hidden = False
    phonetic = laid_out = 0
    shapes = {str(at): shape for at, shape in enumerate(formats)}

    def keep(value: Any) -> None:
        nonlocal laid_out
        if row >= len(rows):
            rows.extend([blank_row] * (row + 1 - len(rows)))
        cells = rows[row]
        if cells is blank_row:
            cells = rows[row] = []
        gap = column - len(cells)
        if gap >= 0:
            laid_out += gap + 1
            if laid_out > MAX_LAID_OUT:
                raise TooLarge(f"工作表“{sheet.name}”铺开有 {MAX_LAID_OUT:,} 个以上单元格")
            if gap:
                cells.extend([""] * gap)
            cells.append(value)
        else:
            cells[column] = value

    def start(name: str, attributes: Attributes) -> None:
        nonlocal row, column, kind, style, has_formula, collecting, row_hidden, phonetic
        if name == c_name:
            reference = attributes.get("r")
            if reference is None:
                column += 1
            else:
                at, column = place_of(reference.strip())
                if at != row:
                    close_row()
                    row = at
            kind = attributes.get("t", "n")
            style = shapes.get(attributes.get("s", "0"), GENERAL)
            has_formula = False
        elif name == v_name:
            collecting = kind != "inlineStr"
        elif name == f_name:
            has_formula = True
        elif name == row_name:
            given = attributes.get("r")
            row = row + 1 if given is None else _row_number(given)
            column = -1
            row_hidden = attributes.get("hidden") in _TRUE
        elif name == t_name:
            collecting = kind == "inlineStr" and not phonetic
        elif name == phonetic_name:
            phonetic += 1
        elif name == merge_name:
            first, _, last = attributes.get("ref", "").partition(":")
            merged.append((place_of(first), place_of(last or first)))
        elif name == col_name and attributes.get("hidden") in _TRUE:
            low, high = _column_number(attributes.get("min")), _column_number(attributes.get("max"))
            hidden_columns.update(range(low - 1, high))

    def end(name: str) -> None:
        nonlocal collecting, phonetic
        if name in (v_name, t_name):
            collecting = False
        elif name == c_name:
            if pieces:
                text = "".join(pieces) if len(pieces) > 1 else pieces[0]
                pieces.clear()
            else:
                text = ""
            value: Any = ""
            if kind == "n":
                if text:
                    value = _number(text, style, from_1904)
                    if has_formula and value == 0:
                        calculated.zeros.append((number, row, column))
                        text = ""
                    if style.places is not None:
                        row_places.append((column, style.places))
                elif has_formula:
                    value = values.NO_RESULT
            elif kind == "s":
                if text:
                    try:
                        value = strings[int(text)] if text.strip().isdecimal() else None
                    except IndexError:
                        value = None
                    if value is None:
                        raise Damaged(f"工作表“{sheet.name}”引用了不存在的文字（{text[:20]}）")
            elif kind == "str" or kind == "inlineStr":
                value = _unescaped(text)
            elif kind == "e":
                value = text.strip() or values.NO_RESULT
            elif kind == "b":
                if text:
                    value = text.strip() in _TRUE
                elif has_formula:
                    value = values.NO_RESULT
            elif kind == "d":
                value = iso(text) if text else (values.NO_RESULT if has_formula else "")
            else:
                raise Damaged(f"工作表“{sheet.name}”有不认识的单元格类型“{kind[:20]}”")
            if has_formula:
                row_formulas.append(column)
                calculated.any_other |= bool(text) and kind != "e"
            if value != "":
                keep(value)
        elif name == row_name:
            close_row()
        elif name == phonetic_name:
            phonetic -= 1

    def close_row() -> None:
        nonlocal row_hidden
        if row_hidden and 0 <= row < len(rows) and rows[row] is not blank_row:
            hidden_rows.add(row)
        if row_formulas:
            pattern = frozenset(row_formulas)
            formulas[row] = known_patterns.setdefault(pattern, pattern)
            row_formulas.clear()
        if row_places:
            key = tuple(row_places)
            decimals[row] = known_patterns.setdefault(key, dict(key)) if key else {}
            row_places.clear()

    def text(piece: str) -> None:
        if collecting:
            pieces.append(piece)

    c_name = v_name = f_name = row_name = t_name = phonetic_name = merge_name = col_name = ""

    def first(name: str) -> None:
        """The outermost element tells the namespace of all the others; nothing of another one is a cell."""
        nonlocal c_name, v_name, f_name, row_name, t_name, phonetic_name, merge_name, col_name
        space = name[: len(name) - len(local(name))]
        c_name, v_name, f_name, row_name = (space + n for n in ("c", "v", "f", "row"))
        t_name, phonetic_name, merge_name, col_name = (space + n for n in ("t", "rPh", "mergeCell", "col"))

    walk(stream, sheet.part, start, end, text, first)
    kept = fitting(merged, rows)
    if kept is None:
        raise Damaged(f"工作表“{sheet.name}”的合并单元格互相重叠")
    width = max(map(len, rows), default=0)
    return Grid(
        sheet.name,
        rows,
        kept,
        counts_from_1904=from_1904,
        visibility=sheet.visibility,
        hidden_rows=frozenset(hidden_rows),
        hidden_columns=frozenset(at for at in hidden_columns if at < width),
        formulas=formulas,
        decimals=decimals,
    )


def _row_number(text: str) -> int:
    text = text.strip()
    if not text.isdecimal() or len(text) > 7 or not 1 <= int(text) <= MAX_ROWS:
        raise Damaged(f"行号“{text[:20]}”超出工作表范围")
    return int(text) - 1


def _column_number(text: str | None) -> int:
    if text is None or not text.isdecimal() or len(text) > 5 or not 1 <= int(text) <= MAX_COLUMNS:
        raise Damaged(f"列号“{(text or '')[:20]}”超出工作表范围")
    return int(text)


def _number(text: str, style: Format, from_1904: bool) -> Any:
    try:
        found = float(text)
    except ValueError:
        return text
    if "_" in text:
        return text
    return found if style.kind == "number" else moment(found, style, from_1904)


def iso(text: str) -> date | datetime | str:
    """A day or moment as ISO 8601 writes it; any other text as it is. A day alone where no time is meant."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return text
    return found.date() if found.time() == time() else found


def workbook(archive: zipfile.ZipFile, part: str = "xl/workbook.xml") -> list[Grid]:
    """The worksheets in their order. Raises `Damaged`, `Forbidden`, `TooLarge`, or what a broken zip raises."""
    try:
        book = _book(archive, part)
        strings = _strings(archive, book.parts.get("sharedStrings"))
        formats = _styles(archive, book.parts.get("styles"))
        calculated = _Formulas()
        grids: list[Grid] = []
        for number, sheet in enumerate(book.sheets):
            with archive.open(sheet.part) as stream:
                grids.append(
                    _sheet(stream, sheet, number, strings, formats, book.counts_from_1904, calculated)
                )
    except KeyError as failure:
        raise Damaged(f"缺少部件 {str(failure)[:100]}") from failure
    if book.asks_to_calculate and not calculated.any_other:
        # The zeros are what the writing program put there for Excel to work out; nobody ever did.
        for number, row, column in calculated.zeros:
            cells: Any = grids[number].rows[row]
            cells[column] = values.NO_RESULT
    return grids
