"""Tables that web systems and old Excel export as .xls: HTML, MHTML, and the XML of Excel 2003.

Parsed as streams by the standard library's parsers. A web page becomes one grid: what stands between its tables, a
title say, is a row of one cell, as when Excel opens it.
"""

from __future__ import annotations

import email
import email.policy
import io
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Literal

from oversight.intake.reading import values
from oversight.intake.reading.formats import GENERAL, Format, moment, parsed
from oversight.intake.reading.found import Unreadable
from oversight.intake.reading.grid import Area, Grid, Visibility, fitting
from oversight.intake.reading.layout import find_tables
from oversight.intake.reading.xlsx import (
    MAX_COLUMNS,
    MAX_LAID_OUT,
    MAX_ROWS,
    Attributes,
    Damaged,
    Forbidden,
    iso,
    local,
    walk,
)

Kind = Literal["html", "mhtml", "spreadsheetml"]
_SPREADSHEET = "urn:schemas-microsoft-com:office:spreadsheet"
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_VISIBILITY: dict[str, Visibility] = {"SheetHidden": "hidden", "SheetVeryHidden": "very_hidden"}


def _opening(data: bytes) -> str:
    encoding = next((name for mark, name in _BOMS if data.startswith(mark)), "latin-1")
    text = data[: 1 << 14].decode(encoding, "replace").lstrip("\ufeff\xef\xbb\xbf\r\n\t ")
    return text.lower()


def kind_of(data: bytes, name: str) -> Kind | None:
    """Which of these the text is; None for any other. Raises `Unreadable` for XML that is none of them."""
    text = _opening(data)
    if text.startswith("<?xml"):
        if _SPREADSHEET in text:
            return "spreadsheetml"
        if "<html" not in text:
            raise Unreadable("F01", name=Path(name).name, detail="是 XML 文档")
        return "html"
    if text.startswith("<"):
        is_page = any(f"<{tag}" in text for tag in ("html", "table", "body", "head", "meta", "!doctype html"))
        return "html" if is_page else None
    head = text[:2048]
    if "mime-version:" in head and "content-type:" in text and ":" in head.partition("\n")[0]:
        return "mhtml"
    return None


def markup_grids(data: bytes, kind: Kind, name: str) -> list[Grid]:
    """The sheets of such a file."""
    try:
        if kind == "spreadsheetml":
            return _spreadsheetml(data)
        grids = _mhtml(data, name) if kind == "mhtml" else _html(data, name)
    except Forbidden as failure:
        raise Unreadable("F16", detail="XML 文档类型声明") from failure
    except Damaged as failure:
        raise Unreadable("F04", detail=str(failure)[:120]) from failure
    if not any(grid.rows for grid in grids):
        raise Unreadable("F01", name=Path(name).name, detail="是网页（HTML），里面没有表格")
    return grids


# --- web pages ------------------------------------------------------------------------------------------


@dataclass
class _Block:
    """A table, or the lines of text between two."""

    rows: list[list[Any]] = field(default_factory=list)
    merged: list[Area] = field(default_factory=list)
    hidden: set[int] = field(default_factory=set)
    formulas: dict[int, set[int]] = field(default_factory=dict)
    # Column → rows below that a cell above still covers.
    covered: dict[int, int] = field(default_factory=dict)
    column: int = 0
    cell: tuple[int, int] | None = None
    in_row: bool = False


_LINES = frozenset(("p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "br", "caption", "center", "li"))
_SILENT = frozenset(("script", "style", "title"))


class _Page(HTMLParser):
    """Gathers the tables of a page and the lines between them, in the order in which they begin."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[_Block] = [_Block()]
        self.open: list[_Block] = []
        self.sheets: list[tuple[str, Visibility]] = []
        self._text: list[str] = []
        self._exact: str | None = None
        self._silent: str | None = None
        self._laid_out = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A cell opens, or what is open ends because the page does not say so itself."""
        if tag in _SILENT:
            self._silent = tag
        elif tag == "table":
            self._end_cell()
            self.open.append(_Block())
            self.blocks.append(self.open[-1])
        elif tag == "tr" and self.open:
            self._begin_row(dict(attrs))
        elif tag in ("td", "th") and self.open:
            self._begin_cell({name: value or "" for name, value in attrs})
        elif tag in _LINES:
            if self.open and self.open[-1].cell:
                self._text.append("\n")
            elif not self.open:
                self._end_line()

    def handle_endtag(self, tag: str) -> None:
        """A cell, a row or a table ends."""
        if tag == self._silent:
            self._silent = None
        elif tag in ("td", "th"):
            self._end_cell()
        elif tag == "tr" and self.open:
            self._end_row()
        elif tag == "table" and self.open:
            self._end_row()
            block = self.open.pop()
            last = len(block.rows) - 1
            block.merged = [(first, (min(bottom, last), right)) for first, (bottom, right) in block.merged]
            self.blocks.append(_Block())
        elif tag in _LINES and not self.open:
            self._end_line()

    def handle_data(self, data: str) -> None:
        """Text counts inside cells, and between tables."""
        if self._silent is None and (not self.open or self.open[-1].cell is not None):
            self._text.append(data)

    def handle_comment(self, data: str) -> None:
        """Excel hides its sheets' names in a comment."""
        if "x:excelworksheet" in data.lower():
            names = _SheetNames()
            names.feed(data.partition(">")[2])
            self.sheets.extend(names.sheets)

    def close(self) -> None:
        """End whatever is still open."""
        super().close()
        while self.open:
            self.handle_endtag("table")
        self._end_line()

    def _begin_row(self, attributes: dict[str, str | None]) -> None:
        block = self.open[-1]
        self._end_row()
        block.in_row = True
        block.column = 0
        block.rows.append([])
        if _is_hidden(attributes.get("style")):
            block.hidden.add(len(block.rows) - 1)

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        block = self.open[-1]
        self._end_cell()
        if not block.in_row:
            self._begin_row({})
        while block.covered.get(block.column, 0) > 0:
            block.column += 1
        down, across = _span(attributes.get("rowspan")), _span(attributes.get("colspan"))
        row, column = len(block.rows) - 1, block.column
        if column + across > MAX_COLUMNS or row >= MAX_ROWS:
            raise Damaged("网页表格超出工作表范围")
        if down > 1 or across > 1:
            block.merged.append(((row, column), (row + down - 1, column + across - 1)))
        for at in range(column, column + across):
            block.covered[at] = down
        block.column = column + across
        block.cell = (row, column)
        # The value as it is stored, where the text shows less of it.
        self._exact = attributes.get("x:num") or None
        if "x:fmla" in attributes:
            block.formulas.setdefault(row, set()).add(column)

    def _end_cell(self) -> None:
        text = _tidy("".join(self._text))
        self._text.clear()
        if not self.open or self.open[-1].cell is None:
            if text and not self.open:
                self.blocks[-1].rows.append([text])
            return
        block = self.open[-1]
        row, column = block.cell or (0, 0)
        block.cell = None
        cells = block.rows[row]
        self._laid_out += column + 1 - len(cells)
        if self._laid_out > MAX_LAID_OUT:
            raise Unreadable("F12", detail=f"网页表格铺开有 {MAX_LAID_OUT:,} 个以上单元格")
        cells.extend([""] * (column - len(cells)))
        cells.append(self._exact if self._exact is not None and text else text)

    def _end_line(self) -> None:
        if not self.open:
            self._end_cell()

    def _end_row(self) -> None:
        block = self.open[-1]
        self._end_cell()
        if block.in_row:
            block.covered = {at: left - 1 for at, left in block.covered.items() if left > 1}
        block.in_row = False


class _SheetNames(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.sheets: list[tuple[str, Visibility]] = []
        self._tag = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self._tag = tag
        if tag == "x:excelworksheet":
            self.sheets.append(("", "visible"))

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002
        self._tag = ""

    def handle_data(self, data: str) -> None:
        if self.sheets and self._tag == "x:name":
            self.sheets[-1] = (data.strip(), self.sheets[-1][1])
        elif self.sheets and self._tag == "x:visible":
            self.sheets[-1] = (self.sheets[-1][0], _VISIBILITY.get(data.strip(), "visible"))


def _is_hidden(style: str | None) -> bool:
    return style is not None and "display:none" in style.replace(" ", "").lower()


def _span(text: str | None) -> int:
    digits = (text or "").strip()
    return max(1, min(int(digits), MAX_ROWS)) if digits.isdecimal() and len(digits) < 8 else 1


def _tidy(text: str) -> str:
    lines = (" ".join(line.split()) for line in text.replace("\xa0", " ").split("\n"))
    whole = "\n".join(line for line in lines if line)
    # ="360313101" is how an export keeps Excel from making a number of it.
    return whole[2:-1] if whole.startswith('="') and whole.endswith('"') else whole


def _page(text: str) -> tuple[Grid, list[tuple[str, Visibility]]]:
    page = _Page()
    page.feed(text)
    page.close()
    rows: list[list[Any]] = []
    merged: list[Area] = []
    hidden: set[int] = set()
    formulas: dict[int, frozenset[int]] = {}
    has_table = any(
        block.merged or len(block.rows) > 1 or any(len(r) > 1 for r in block.rows) for block in page.blocks
    )
    for block in page.blocks if has_table else ():
        if not any(cell for row in block.rows for cell in row):
            continue
        below = len(rows)
        rows.extend(block.rows)
        merged.extend(((t + below, le), (b + below, r)) for (t, le), (b, r) in block.merged)
        hidden.update(at + below for at in block.hidden)
        formulas.update({at + below: frozenset(columns) for at, columns in block.formulas.items()})
    kept = fitting(merged, rows)
    if kept is None:
        raise Damaged("网页表格的合并单元格互相重叠")
    name, visibility = page.sheets[0] if len(page.sheets) == 1 else ("", "visible")
    grid = Grid(
        name or None,
        rows,
        kept,
        visibility=visibility if name else "visible",
        hidden_rows=frozenset(hidden),
        formulas=formulas,
    )
    return grid, page.sheets


class _Declared(HTMLParser):
    """The encoding that a page declares for itself."""

    encoding: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "meta" and self.encoding is None:
            told = {name: value or "" for name, value in attrs}
            said = told.get("charset") or told.get("content", "").lower().partition("charset=")[2]
            self.encoding = said.strip(" \"';") or None


def _encodings(data: bytes, declared: str | None) -> Iterator[str]:
    """Encodings to try, the likeliest first: text that is UTF-8 by its bytes is, whatever it declares."""
    yield from (encoding for mark, encoding in _BOMS if data.startswith(mark))
    if b"\x00" in data[:1024]:
        yield from ("utf-16-le", "utf-16-be")
    yield "utf-8"
    if declared:
        known = declared.strip().lower()
        # What declares itself as one of the older Chinese encodings often has characters of the newest.
        yield "gb18030" if known in ("gb2312", "gbk", "gb_2312-80", "x-gbk", "cp936", "gb18030") else known
    yield from ("gb18030", "big5")


def _decoded(data: bytes, declared: str | None) -> Iterator[str]:
    tried: set[str] = set()
    for encoding in _encodings(data, declared):
        if encoding in tried:
            continue
        tried.add(encoding)
        try:
            yield data.decode(encoding).removeprefix("\ufeff")
        except (UnicodeDecodeError, LookupError):
            continue


def _html(data: bytes, name: str, declared: str | None = None) -> list[Grid]:
    head = _Declared()
    head.feed(data[: 1 << 13].decode("latin-1"))
    best: Grid | None = None
    for text in _decoded(data, declared or head.encoding):
        grid, _ = _page(text)
        if find_tables(grid, name)[0]:
            return [grid]
        best = best or grid
    if best is None:
        raise Unreadable("F07", detail="网页的文字编码无法判断")
    return [best]


def _mhtml(data: bytes, name: str) -> list[Grid]:
    message = email.message_from_bytes(data, policy=email.policy.compat32)
    grids: list[Grid] = []
    sheets: list[tuple[str, Visibility]] = []
    for part in message.walk():
        if part.is_multipart() or part.get_content_type() not in ("text/html", "application/xhtml+xml"):
            continue
        content = part.get_payload(decode=True)
        if not isinstance(content, bytes):
            continue
        charset = part.get_content_charset()
        text = next(_decoded(content, charset), None)
        if text is not None:
            sheets = sheets or _page(text)[1]
        grids.extend(grid for grid in _html(content, name, charset) if grid.rows)
    if len(sheets) == len(grids) > 1:
        # The names of several sheets stand on the page that frames them.
        grids = [
            replace(grid, name=called or grid.name, visibility=visibility)
            for grid, (called, visibility) in zip(grids, sheets, strict=True)
        ]
    return grids


# --- the XML of Excel 2003 ------------------------------------------------------------------------------

_NAMED = {
    "Fixed": "0.00",
    "Standard": "#,##0.00",
    "Currency": "#,##0.00",
    "Euro Currency": "#,##0.00",
    "Percent": "0.00%",
    "Scientific": "0.00E+00",
    "General Number": "General",
    "General Date": "yyyy-mm-dd",
    "Long Date": "yyyy-mm-dd",
    "Medium Date": "yyyy-mm-dd",
    "Short Date": "yyyy-mm-dd",
}


def _spreadsheetml(data: bytes) -> list[Grid]:
    declaration = data[:200].decode("latin-1").partition("?>")[0]
    declared = declaration.partition("encoding=")[2].strip().strip("\"'").partition('"')[0].partition("'")[0]
    text = next(_decoded(data, declared or None), None)
    if text is None:
        raise Unreadable("F07", detail="XML 的文字编码无法判断")
    reader = _Spreadsheet()
    stream = io.BytesIO(text.encode("utf-8", "surrogatepass"))
    walk(stream, "XML", reader.start, reader.end, reader.text, encoding="utf-8")
    return reader.grids


class _Spreadsheet:
    """Handlers for the elements of a 2003 workbook."""

    def __init__(self) -> None:
        self.grids: list[Grid] = []
        self._styles: dict[str, Format] = {}
        self._style = ""
        self._pieces: list[str] | None = None
        self._in_comment = False
        self._laid_out = 0
        self._begin_sheet("")

    def _begin_sheet(self, name: str) -> None:
        self._name = name
        self._visibility: Visibility = "visible"
        self._rows: list[list[Any]] = []
        self._merged: list[Area] = []
        self._hidden_rows: set[int] = set()
        self._hidden_columns: set[int] = set()
        self._formulas: dict[int, set[int]] = {}
        self._decimals: dict[int, dict[int, int]] = {}
        self._row = self._column = self._heading = -1
        self._cell: dict[str, str] = {}
        self._row_style = ""
        self._kind = ""
        self._value: Any = ""

    def start(self, element: str, attributes: Attributes) -> None:
        """An element opens."""
        name = local(element)
        told = {local(n): value for n, value in attributes.items()}
        if name == "Style":
            self._style = told.get("ID", "")
        elif name == "NumberFormat":
            code = told.get("Format", "General")
            self._styles[self._style] = parsed(_NAMED.get(code, code))
        elif name == "Worksheet":
            self._begin_sheet(told.get("Name", ""))
        elif name == "Column":
            self._heading = _index(told, self._heading, MAX_COLUMNS)
            last = self._heading + _number(told, "Span")
            if told.get("Hidden") == "1":
                self._hidden_columns.update(range(self._heading, min(last, MAX_COLUMNS) + 1))
            self._heading = last
        elif name == "Row":
            self._row = _index(told, self._row, MAX_ROWS)
            self._column = -1
            self._row_style = told.get("StyleID", "")
            if told.get("Hidden") == "1":
                self._hidden_rows.add(self._row)
        elif name == "Cell":
            self._column = _index(told, self._column, MAX_COLUMNS)
            self._cell, self._value, self._kind = told, "", ""
        elif name == "Comment":
            self._in_comment = True
        elif name == "Data" and not self._in_comment:
            self._kind, self._pieces = told.get("Type", "String"), []
        elif name == "Visible":
            self._pieces = []

    def text(self, piece: str) -> None:
        """Text counts in a cell's data, and where a sheet says how visible it is."""
        if self._pieces is not None:
            self._pieces.append(piece)

    def end(self, element: str) -> None:
        """An element closes."""
        name = local(element)
        if name == "Data" and self._pieces is not None:
            self._value, self._pieces = "".join(self._pieces), None
        elif name == "Visible" and self._pieces is not None:
            self._visibility = _VISIBILITY.get("".join(self._pieces).strip(), "visible")
            self._pieces = None
        elif name == "Comment":
            self._in_comment = False
        elif name == "Cell":
            self._end_cell()
        elif name == "Worksheet":
            self._end_sheet()

    def _end_cell(self) -> None:
        down, across = _number(self._cell, "MergeDown"), _number(self._cell, "MergeAcross")
        row, column = self._row, self._column
        style = self._styles.get(self._cell.get("StyleID", self._row_style), GENERAL)
        has_formula = bool(self._cell.get("Formula"))
        value = _typed(str(self._value), self._kind, style)
        if has_formula:
            self._formulas.setdefault(row, set()).add(column)
            value = values.NO_RESULT if value == "" and self._kind != "String" else value
        if down or across:
            self._merged.append(((row, column), (row + down, column + across)))
        if style.places is not None and isinstance(value, float):
            self._decimals.setdefault(row, {})[column] = style.places
        if value != "":
            self._keep(row, column, value)
        self._column += across

    def _keep(self, row: int, column: int, value: Any) -> None:
        while len(self._rows) <= row:
            self._rows.append([])
        cells = self._rows[row]
        self._laid_out += max(column + 1 - len(cells), 0)
        if self._laid_out > MAX_LAID_OUT:
            raise Unreadable("F12", detail=f"铺开有 {MAX_LAID_OUT:,} 个以上单元格")
        cells.extend([""] * (column + 1 - len(cells)))
        cells[column] = value

    def _end_sheet(self) -> None:
        kept = fitting(self._merged, self._rows)
        if kept is None:
            raise Damaged(f"工作表“{self._name}”的合并单元格互相重叠")
        width = max(map(len, self._rows), default=0)
        self.grids.append(
            Grid(
                self._name,
                self._rows,
                kept,
                visibility=self._visibility,
                hidden_rows=frozenset(at for at in self._hidden_rows if at < len(self._rows)),
                hidden_columns=frozenset(at for at in self._hidden_columns if at < width),
                formulas={row: frozenset(columns) for row, columns in self._formulas.items()},
                decimals=self._decimals,
            )
        )


def _index(told: dict[str, str], before: int, limit: int) -> int:
    given = told.get("Index")
    at = before + 1 if given is None else int(given) - 1 if given.isdecimal() and len(given) < 9 else limit
    if at >= limit or at <= before:
        raise Damaged(f"行号或列号“{(given or str(at + 1))[:20]}”不对")
    return at


def _number(told: dict[str, str], name: str) -> int:
    given = told.get(name, "0")
    return int(given) if given.isdecimal() and len(given) < 9 else 0


def _typed(text: str, kind: str, style: Format) -> Any:
    if kind == "Number":
        try:
            found = float(text)
        except ValueError:
            return text
        return found if style.kind == "number" else moment(found, style, from_1904=False)
    if kind == "DateTime":
        return iso(text)
    if kind == "Boolean" and text:
        return text.strip() == "1"
    if kind == "Error":
        return text.strip() or values.NO_RESULT
    return text
