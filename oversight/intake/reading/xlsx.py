"""An .xlsx workbook in one pass over each of its parts: values, and every fact about them that the file states.

The parts are parsed as a stream, piece by piece as they are inflated, so that neither a claimed size nor a far cell
costs anything; only cells that hold something are kept. Meant to run where memory and time are bounded.
"""

from __future__ import annotations

import contextlib
import io
import posixpath
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat

from oversight.intake.reading import values
from oversight.intake.reading.formats import GENERAL, Format, builtin, moment, parsed
from oversight.intake.reading.grid import Area, Grid, Place, Visibility, fitting

MAX_ROWS, MAX_COLUMNS = 1_048_576, 16_384
# Blank cells before far ones included; beyond it a sheet is no report.
MAX_LAID_OUT = 16_000_000
_WHOLE = 1 << 20
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
    encoding: str | None = None,
    piece: int = 1 << 16,
) -> None:
    """Parse a part, a stream of them piece by piece; names come as "namespace name". Refuses declarations of types."""
    parser = expat.ParserCreate(encoding=encoding, namespace_separator=" ")
    parser.buffer_text = True

    def refuse(*_: object) -> None:
        raise Forbidden(part)

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = start
    if end is not None:
        parser.EndElementHandler = end
    if text is not None:
        parser.CharacterDataHandler = text
    try:
        if isinstance(stream, bytes):
            parser.Parse(stream, True)
        else:
            while read := stream.read(piece):
                parser.Parse(read, False)
            parser.Parse(b"", True)
    except (expat.ExpatError, LookupError) as failure:
        # LookupError: of an encoding that a part declares and nobody knows.
        raise Damaged(f"{part}：{failure}") from failure


def _content(archive: zipfile.ZipFile, part: str) -> Any:
    """A part to be parsed: whole if it is small, else a stream."""
    return _read(archive, part) if archive.getinfo(part).file_size <= _WHOLE else archive.open(part)


# The sizes of name and extra field in the header that stands before a member's bytes.
_LOCAL_HEADER = struct.Struct("<4s22x2H")
# Encrypted, or patched.
_ODD_FLAGS = 0x1 | 0x20 | 0x40


def _read(archive: zipfile.ZipFile, part: str) -> bytes:
    """A part as it was before it was packed: at once where it is an ordinary member of an archive in memory.

    What is out of the ordinary in any way, and what does not come out as the directory says, is left to the library.
    """
    entry = archive.getinfo(part)
    memory = archive.fp
    if (
        isinstance(memory, io.BytesIO)
        and entry.compress_type == zipfile.ZIP_DEFLATED
        and not entry.flag_bits & _ODD_FLAGS
        and entry.file_size
    ):
        data = memory.getvalue()
        start = entry.header_offset + _LOCAL_HEADER.size
        header = data[entry.header_offset : start]
        if len(header) == _LOCAL_HEADER.size and header.startswith(b"PK\x03\x04"):
            _, name, extra = _LOCAL_HEADER.unpack(header)
            packed = data[start + name + extra : start + name + extra + entry.compress_size]
            if data[start : start + name] == part.encode() and part == entry.orig_filename:
                with contextlib.suppress(zlib.error):
                    content = zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, entry.file_size)
                    if len(content) == entry.file_size and zlib.crc32(content) == entry.CRC:
                        return content
    return archive.read(entry)


class _Begun(Exception):
    """The outermost element has been reached, and no document type stood before it."""


def _space(content: Any, part: str) -> str:
    """The namespace of a part as the tree's names have it: nothing of another one counts. Refuses document types."""
    found = ""

    def first(name: str, _: Attributes) -> None:
        nonlocal found
        space = name.rpartition(" ")[0]
        found = f"{{{space}}}" if space else ""
        raise _Begun

    with contextlib.suppress(_Begun):
        # In small pieces: what follows the outermost element in the same piece is parsed for nothing.
        walk(io.BytesIO(content) if isinstance(content, bytes) else content, part, first, piece=1 << 9)
    return found


def _elements(
    archive: zipfile.ZipFile, part: str, names: tuple[str, ...]
) -> tuple[str, Iterable[ElementTree.Element]]:
    """A part's namespace, and its elements of these names, whole and in order. A large part is never held whole."""
    content = _content(archive, part)
    if not isinstance(content, bytes):
        space = _space(content, part)
        return space, _streamed(archive.open(part), part, {space + name for name in names})
    # Without this there is no document type, in whatever expat reads: of several bytes a character only UTF-16 is.
    if b"<!" in content or b"\0" in content:
        _space(content, part)
    try:
        root = ElementTree.fromstring(content)  # nosec B314 - no document type is let through
    except (ElementTree.ParseError, LookupError) as failure:
        raise Damaged(f"{part}：{failure}") from failure
    space, brace, _ = root.tag.rpartition("}")
    space += brace
    wanted = {space + name for name in names}
    return space, (found for found in root.iter() if found.tag in wanted)


def _streamed(stream: Any, part: str, wanted: set[str]) -> Iterator[ElementTree.Element]:
    try:
        for _, element in ElementTree.iterparse(stream, ("end",)):  # nosec B314 - as above
            if element.tag in wanted:
                yield element
                # Its shell stays with its parent: 60 bytes.
                element.clear()
    except ElementTree.ParseError as failure:
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
    counts_from_1904: bool = False
    # The program that wrote it leaves it to Excel to work the formulas out when it is opened.
    asks_to_calculate: bool = False


def local(name: str) -> str:
    """An element's or attribute's name without its namespace."""
    return name.rpartition(" ")[2]


def related_parts(archive: zipfile.ZipFile, part: str) -> dict[str, tuple[str, str]]:
    """Id → (kind, part) of what a part relates to."""
    folder, name = posixpath.split(part)
    return _related(_read(archive, f"{folder}/_rels/{name}.rels"), folder, name)


@lru_cache(maxsize=16)
def _related(data: bytes, folder: str, name: str) -> dict[str, tuple[str, str]]:
    """As `related_parts`. Files of one sender come with the same ones again and again."""
    found: dict[str, tuple[str, str]] = {}

    def start(element: str, attributes: Attributes) -> None:
        if local(element) == "Relationship" and attributes.get("TargetMode") != "External":
            target = attributes.get("Target", "").replace("\\", "/")
            whole = target.lstrip("/") if target.startswith("/") else posixpath.join(folder, target)
            kind = attributes.get("Type", "").rpartition("/")[2]
            found[attributes.get("Id", "")] = (kind, posixpath.normpath(whole))

    walk(data, f"{name}.rels", start)
    return found


def _book(archive: zipfile.ZipFile, part: str) -> tuple[_Book, dict[str, str]]:
    """What the workbook says of itself, and its parts that all sheets share."""
    related = related_parts(archive, part)
    # A small writer may name them and leave them out; whether they are needed, the cells show.
    parts = {kind: target for kind, target in related.values() if target in archive.NameToInfo}
    worksheets = tuple((key, target) for key, (kind, target) in related.items() if kind == "worksheet")
    return _described(_read(archive, part), part, worksheets), parts


@lru_cache(maxsize=16)
def _described(data: bytes, part: str, worksheets: tuple[tuple[str, str], ...]) -> _Book:
    """What workbook.xml says; `worksheets`: the part of each worksheet by its id."""
    book = _Book()
    targets = dict(worksheets)

    def start(element: str, attributes: Attributes) -> None:
        name = local(element)
        if name == "sheet":
            relation = next((attributes[f"{ns} id"] for ns in _IDS if f"{ns} id" in attributes), "")
            if relation in targets:
                state = _VISIBILITY.get(attributes.get("state", ""), "visible")
                book.sheets.append(_Sheet(attributes.get("name", ""), targets[relation], state))
        elif name == "workbookPr":
            book.counts_from_1904 = attributes.get("date1904") in _TRUE
        elif name == "calcPr":
            book.asks_to_calculate = attributes.get("fullCalcOnLoad") in _TRUE

    walk(data, part, start)
    return book


_IDS = (_RELATED, _RELATED_STRICT)


def _strings(archive: zipfile.ZipFile, part: str | None) -> list[str]:
    """The shared strings."""
    if part is None:
        return []
    space, elements = _elements(archive, part, ("si",))
    t_name = f"{space}t"
    # Nearly every string is one text: that is looked at here, without a call.
    return [
        text
        if len(item) == 1 and item[0].tag == t_name and (text := item[0].text) and "_x" not in text
        else _text_of(item, space)
        for item in elements
    ]


def _text_of(item: ElementTree.Element, space: str) -> str:
    """The text of a string, which may be in pieces of their own looks; furigana above it are no part of it."""
    t_name, run_name = f"{space}t", f"{space}r"
    pieces: list[str] = []
    for child in item:
        if child.tag == t_name:
            pieces.append(child.text or "")
        elif child.tag == run_name:
            pieces.extend(piece.text or "" for piece in child.iterfind(t_name))
    return _unescaped(pieces[0] if len(pieces) == 1 else "".join(pieces))


_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")


def _unescaped(text: str) -> str:
    """A text with the characters that XML cannot hold put back: _x000D_ is a carriage return."""
    if "_x" not in text:
        return text
    return _ESCAPE.sub(lambda match: chr(int(match.group(1), 16)), text)


def _styles(archive: zipfile.ZipFile, part: str | None) -> dict[str, Format]:
    return {} if part is None else _formats(_read(archive, part), part)


@lru_cache(maxsize=16)
def _formats(data: bytes, part: str) -> dict[str, Format]:
    """The number format of each cell style, by its number. Files of one sender come with the same styles again and again."""
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

    walk(data, part, start, end)
    return {
        str(at): parsed(own[n]) if n in own else builtin(int(n)) if n.isdecimal() else GENERAL
        for at, n in enumerate(numbers)
    }


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


@lru_cache(maxsize=1 << 16)
def place_of(reference: str) -> Place:
    """C5 → (4, 2)."""
    reference = reference.strip()
    letters = reference.rstrip("0123456789")
    digits = reference[len(letters) :]
    if not digits or len(digits) > 7 or not 1 <= int(digits) <= MAX_ROWS:
        raise Damaged(f"单元格地址“{reference[:20]}”超出工作表范围")
    return int(digits) - 1, _COLUMNS[letters]


@dataclass
class _Contents:
    """What the sheets of a workbook share."""

    strings: list[str]
    styles: dict[str, Format]
    from_1904: bool
    # Whether any formula has a result that is not 0, and where those that are 0 stand: (sheet, row, column).
    is_calculated: bool = False
    zeros: list[tuple[int, int, int]] = field(default_factory=list)


class _Rows:
    """The rows of a sheet as they are read, blank ones only as far as there are any below."""

    def __init__(self, name: str) -> None:
        self.rows: list[Any] = []
        self._name = name
        self._laid_out = 0

    def at(self, row: int) -> list[Any]:
        """The cells of a row, to be added to."""
        if row >= len(self.rows):
            self.rows.extend([_BLANK_ROW] * (row - len(self.rows)))
            self.rows.append([])
        elif self.rows[row] is _BLANK_ROW:
            self.rows[row] = []
        found: list[Any] = self.rows[row]
        return found

    def far(self, cells: list[Any], column: int) -> None:
        """Blank cells up to a column."""
        gap = column - len(cells)
        self._laid_out += gap
        if self._laid_out > MAX_LAID_OUT:
            raise TooLarge(f"工作表“{self._name}”铺开有 {MAX_LAID_OUT:,} 个以上单元格")
        cells.extend([""] * gap)


_BLANK_ROW: tuple[Any, ...] = ()


class _SheetReader:
    """Reads one sheet element by element."""

    def __init__(self, sheet: _Sheet, number: int, book: _Contents, space: str) -> None:
        self._sheet, self._number, self._book = sheet, number, book
        self._rows = _Rows(sheet.name)
        self._row = -1
        self._merged: list[Area] = []
        self._hidden_rows: set[int] = set()
        self._hidden_columns: set[int] = set()
        self._formulas: dict[int, frozenset[int]] = {}
        self._decimals: dict[int, Mapping[int, int]] = {}
        # Rows look alike: what is told of their cells is kept once.
        self._patterns: dict[Any, Any] = {}
        self._space = space
        self._c, self._v, self._f, self._is = (space + name for name in ("c", "v", "f", "is"))

    def add(self, element: ElementTree.Element) -> None:
        """A row, a merged area or the look of some columns."""
        name = element.tag[len(self._space) :]
        if name == "row":
            self._add_row(element)
        elif name == "mergeCell":
            first, _, last = element.get("ref", "").partition(":")
            self._merged.append((place_of(first), place_of(last or first)))
        elif element.get("hidden") in _TRUE:
            low, high = _column_number(element.get("min")), _column_number(element.get("max"))
            self._hidden_columns.update(range(low - 1, high))

    def _add_row(self, element: ElementTree.Element) -> None:
        given = element.get("r")
        self._row = self._row + 1 if given is None else _row_number(given)
        c_name, v_name = self._c, self._v
        strings, styles, zeros = self._book.strings, self._book.styles, self._book.zeros
        column = -1
        before: str | None = None
        row = self._row
        cells: list[Any] | None = None
        width = 0
        formulas: list[int] = []
        shown: list[tuple[int, int]] = []
        # The loop that every cell of every workbook goes through: calls are kept out of it.
        for cell in element:
            told = cell.attrib
            kind = told.get("t", "n")
            inside = len(cell)
            if not inside and kind != "e":
                # Blank, with a look: where it stands matters only to a cell after it that does not say where it does.
                if "r" in told:
                    before = told["r"]
                else:
                    column = (column if before is None else place_of(before)[1]) + 1
                    before = None
                continue
            if "r" in told:
                at, column = place_of(told["r"])
                if at != row:
                    self._end_row(row, formulas, shown)
                    row, cells, formulas, shown = at, None, [], []
            else:
                column = (column if before is None else place_of(before)[1]) + 1
            before = None
            has_formula = False
            text: str | None
            if inside == 1 and (child := cell[0]).tag == v_name and kind != "inlineStr":
                text = child.text
            elif inside:
                text, has_formula = self._inside(cell, kind)
            else:
                text = None
            if cell.tag != c_name or (not text and not has_formula and kind != "e"):
                continue
            value: Any
            if kind == "s" and text:
                try:
                    value = strings[int(text)]
                except (IndexError, ValueError) as failure:
                    raise Damaged(f"工作表“{self._sheet.name}”引用了不存在的文字（{text[:20]}）") from failure
            elif kind == "n" and text:
                style = styles.get(told.get("s", "0"), GENERAL)
                try:
                    value = float(text)
                except ValueError:
                    value = text
                if style is not GENERAL and isinstance(value, float):
                    if style.places is not None:
                        shown.append((column, style.places))
                    elif style.kind != "number":
                        value = moment(value, style, self._book.from_1904)
                if has_formula and value == 0:
                    zeros.append((self._number, row, column))
                    text = ""
            else:
                value = _other(text or "", kind, self._sheet.name)
            if has_formula:
                formulas.append(column)
                self._book.is_calculated |= bool(text) and kind != "e"
            if value == "":
                continue
            if cells is None:
                cells = self._rows.at(row)
                width = len(cells)
            if column > width:
                self._rows.far(cells, column)
                width = column
            if column == width:
                cells.append(value)
                width += 1
            else:
                cells[column] = value
        if cells is not None and element.get("hidden") in _TRUE:
            self._hidden_rows.add(row)
        self._end_row(row, formulas, shown)

    def _inside(self, cell: ElementTree.Element, kind: str) -> tuple[str, bool]:
        """The text in a cell, and whether a formula gave it."""
        text = ""
        has_formula = False
        for child in cell:
            if child.tag == self._v and kind != "inlineStr":
                text = child.text or ""
            elif child.tag == self._f:
                has_formula = True
            elif child.tag == self._is and kind == "inlineStr":
                text = _text_of(child, self._space)
        return text, has_formula

    def _end_row(self, row: int, formulas: list[int], shown: list[tuple[int, int]]) -> None:
        if formulas:
            columns = frozenset(formulas)
            self._formulas[row] = self._patterns.setdefault(columns, columns)
        if shown:
            key = tuple(shown)
            if key not in self._patterns:
                self._patterns[key] = dict(key)
            self._decimals[row] = self._patterns[key]

    def grid(self) -> Grid:
        """The sheet, once all of it is added."""
        rows = self._rows.rows
        merged = fitting(self._merged, rows)
        if merged is None:
            raise Damaged(f"工作表“{self._sheet.name}”的合并单元格互相重叠")
        width = max(map(len, rows), default=0)
        return Grid(
            self._sheet.name,
            rows,
            merged,
            counts_from_1904=self._book.from_1904,
            visibility=self._sheet.visibility,
            hidden_rows=frozenset(self._hidden_rows),
            hidden_columns=frozenset(at for at in self._hidden_columns if at < width),
            formulas=self._formulas,
            decimals=self._decimals,
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


def _other(text: str, kind: str, sheet: str) -> Any:
    """The value of a cell that holds neither a number nor a shared string."""
    if kind in ("str", "inlineStr"):
        return _unescaped(text) if kind == "str" else text
    if kind == "e":
        return text.strip() or values.NO_RESULT
    if not text:
        return values.NO_RESULT
    if kind == "b":
        return text.strip() in _TRUE
    if kind == "d":
        return iso(text)
    raise Damaged(f"工作表“{sheet}”有不认识的单元格类型“{kind[:20]}”")


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
        book, parts = _book(archive, part)
        shared = _Contents(
            _strings(archive, parts.get("sharedStrings")),
            _styles(archive, parts.get("styles")),
            book.counts_from_1904,
        )
        grids = [_sheet(archive, sheet, number, shared) for number, sheet in enumerate(book.sheets)]
    except KeyError as failure:
        raise Damaged(f"缺少部件 {str(failure)[:100]}") from failure
    if book.asks_to_calculate and not shared.is_calculated:
        # The zeros are what the writing program put there for Excel to work out; nobody ever did.
        for number, row, column in shared.zeros:
            cells: Any = grids[number].rows[row]
            cells[column] = values.NO_RESULT
    return grids


def sheet_parts(archive: zipfile.ZipFile, part: str = "xl/workbook.xml") -> list[tuple[str, str]]:
    """Name and part of each worksheet, in their order."""
    return [(sheet.name, sheet.part) for sheet in _book(archive, part)[0].sheets]


def _sheet(archive: zipfile.ZipFile, sheet: _Sheet, number: int, shared: _Contents) -> Grid:
    space, elements = _elements(archive, sheet.part, ("row", "mergeCell", "col"))
    reader = _SheetReader(sheet, number, shared, space)
    for element in elements:
        reader.add(element)
    return reader.grid()
