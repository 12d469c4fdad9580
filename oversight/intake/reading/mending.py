"""A few cells of a received file, shown as they stand and changed in it: everything else stays as the sender wrote it.

Of an .xlsx only the elements of the changed cells are written anew, of a CSV only their lines. Nothing works formulas out:
where one would have to be, the change is refused and says which. What was made is read again and held against what was
asked, so that nothing else can have changed without a word. Meant to run where memory and time are bounded.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape

from oversight.intake.reading.delimited import decode, delimiter_of, text_rows
from oversight.intake.reading.files import BROKEN_ZIP, is_ours
from oversight.intake.reading.found import Unreadable
from oversight.intake.reading.grid import Grid, Place, column_letters
from oversight.intake.reading.markup import kind_of
from oversight.intake.reading.values import cell_text
from oversight.intake.reading.workbooks import xlsx_grids
from oversight.intake.reading.xlsx import Damaged, place_of, sheet_parts

MOST_BYTES = 3_000_000
# Above so many cells only the first rows and those with a remark are shown.
MOST_CELLS = 4_000
FIRST_ROWS = 10
MOST_ROWS = 120
MOST_COLUMNS = 80
_OTHER_KIND = "只有 .xlsx 和 CSV 能在页面里改。请下载标注好的工作簿，改好后重新上传。"
_TOO_LARGE = f"超过 {MOST_BYTES // 1_000_000} MB 的文件不能在页面里改。请在 Excel 里改好后重新上传。"


class CannotMend(Exception):
    """The change cannot be made in a page; the sentence says why and what to do."""


@dataclass(frozen=True)
class Change:
    """A cell, counted from one, with the text it had and the one it is to have."""

    sheet: str
    row: int
    column: int
    before: str
    value: str

    @property
    def place(self) -> Place:
        """As grids count."""
        return self.row - 1, self.column - 1

    @property
    def cell(self) -> str:
        """As people write it."""
        return f"{column_letters(self.column - 1)}{self.row}"


def shown(path: Path, name: str, marked: Mapping[str, Collection[int]]) -> list[dict[str, Any]] | str:
    """The sheets of a file as a page shows them to be changed; a sentence where they cannot be.

    `marked`: sheet → rows something is said of, which are shown however long the sheet is.
    """
    try:
        return [_sheet(grid, marked.get(grid.name or "", ())) for grid in _grids(path.read_bytes(), name)]
    except CannotMend as failure:
        return str(failure)


def mended(path: Path, name: str, changes: Sequence[Change]) -> bytes | str:
    """The file with these cells changed; a sentence where it cannot be done. Asked of what it made, it makes the same."""
    data = path.read_bytes()
    try:
        before = _grids(data, name)
        named = {grid.name or "": grid for grid in before}
        if len(named) < len(before):
            raise CannotMend("有同名的工作表，不能在页面里改。请在 Excel 里改好后重新上传。")
        for change in changes:
            grid = named.get(change.sheet)
            there = None if grid is None else _text(grid, change.place)
            if grid is None or there not in (change.before, change.value):
                raise CannotMend(f"单元格 {change.cell} 与页面上看到的不同。请刷新页面后再改。")
            if change.place in _covered(grid):
                raise CannotMend(f"单元格 {change.cell} 是合并单元格的一部分。请改合并区左上角的那一格。")
        made = (
            _mended_book(data, named, changes)
            if data.startswith(b"PK")
            else _mended_text(data, name, changes)
        )
        _compare(before, _grids(made, name), changes)
    except CannotMend as failure:
        return str(failure)
    return made


def _grids(data: bytes, name: str) -> list[Grid]:
    if len(data) > MOST_BYTES:
        raise CannotMend(_TOO_LARGE)
    try:
        if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                if "xl/workbook.xml" not in archive.NameToInfo:
                    raise CannotMend(_OTHER_KIND)
                return [grid for grid in xlsx_grids(archive) if not is_ours(grid)]
        if data.startswith(b"\xd0\xcf\x11\xe0") or kind_of(data, name) is not None:
            raise CannotMend(_OTHER_KIND)
        return [Grid("", list(text_rows(data, name).values()), is_csv=True)]
    except (Unreadable, *BROKEN_ZIP) as failure:
        raise CannotMend("文件读不出来，不能在页面里改。请检查文件后重新上传。") from failure


def _text(grid: Grid, place: Place) -> str:
    row, column = place
    if row >= len(grid.rows) or column >= len(grid.rows[row]):
        return ""
    return cell_text(grid.rows[row][column])


def _covered(grid: Grid) -> set[Place]:
    """Cells of a merged area that are not its first."""
    return {
        (row, column)
        for (top, left), (bottom, right) in grid.merged
        for row in range(top, bottom + 1)
        for column in range(left, right + 1)
        if (row, column) != (top, left)
    }


def _sheet(grid: Grid, marked: Collection[int]) -> dict[str, Any]:
    width = min(max(map(len, grid.rows), default=0), MOST_COLUMNS)
    covered = _covered(grid)
    filled = [n for n, row in enumerate(grid.rows) if any(cell_text(cell) for cell in row)]
    if len(filled) * width > MOST_CELLS:
        filled = [n for n in filled if n < FIRST_ROWS or n + 1 in marked][:MOST_ROWS]
    return {
        "name": grid.name or "",
        "is_hidden": grid.visibility != "visible",
        "columns": [column_letters(at) for at in range(width)],
        "is_whole": len(filled) == sum(1 for row in grid.rows if any(cell_text(cell) for cell in row)),
        "rows": [
            {
                "row": n + 1,
                "cells": [
                    # None: no cell of its own.
                    None if (n, at) in covered else _text(grid, (n, at))
                    for at in range(width)
                ],
                "formulas": sorted(at for at in grid.formulas.get(n, ()) if at < width),
            }
            for n in filled
        ],
    }


def _compare(before: Sequence[Grid], after: Sequence[Grid], changes: Sequence[Change]) -> None:
    """Raise unless every cell is what it was, or what was asked for."""
    wanted = {(change.sheet, change.place): change.value for change in changes}
    failure = CannotMend("这份文件的写法不能在页面里改。请在 Excel 里改好后重新上传。")
    if [g.name for g in before] != [g.name for g in after]:
        raise failure
    for old, new in zip(before, after, strict=True):
        if (old.merged, old.hidden_rows, old.hidden_columns, old.formulas) != (
            new.merged,
            new.hidden_rows,
            new.hidden_columns,
            new.formulas,
        ):
            raise failure
        for row in range(max(len(old.rows), len(new.rows))):
            for column in range(max(len(g.rows[row]) if row < len(g.rows) else 0 for g in (old, new))):
                there = _text(new, (row, column))
                asked = wanted.pop((old.name or "", (row, column)), None)
                if asked is None and there != _text(old, (row, column)):
                    raise failure
                if asked is not None and there != asked and not _is_same_number(there, asked):
                    raise failure
    # A cell that was emptied at the end of its row is not there any more.
    if any(wanted.values()):
        raise failure


_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,10})?")


def _is_same_number(one: str, other: str) -> bool:
    return bool(_NUMBER.fullmatch(one) and _NUMBER.fullmatch(other)) and float(one) == float(other)


# --- text ---------------------------------------------------------------------------------------------------


def _mended_text(data: bytes, name: str, changes: Sequence[Change]) -> bytes:
    text = decode(data, name).replace("\x00", "")
    delimiter = delimiter_of(text)
    lines = list(io.StringIO(text, newline=""))
    by_row: dict[int, list[Change]] = {}
    for change in changes:
        by_row.setdefault(change.row, []).append(change)
    reader = csv.reader(lines, delimiter=delimiter)
    made: list[str] = []
    begin = 0
    for number, row in enumerate(reader, 1):
        own = lines[begin : reader.line_num]
        begin = reader.line_num
        if number not in by_row:
            made.extend(own)
            continue
        for change in by_row[number]:
            row.extend([""] * (change.column - len(row)))
            row[change.column - 1] = change.value
        out = io.StringIO(newline="")
        csv.writer(out, delimiter=delimiter, lineterminator="").writerow(row)
        ending = own[-1][len(own[-1].rstrip("\r\n")) :]
        made.append(out.getvalue() + ending)
    return "".join(made).encode(_encoding(data))


def _encoding(data: bytes) -> str:
    """What the text is written in again: as it came, if that can hold every character."""
    if data.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "utf-8-sig"
    return "utf-8-sig" if b"\x00" in data else "utf-8"


# --- workbooks ----------------------------------------------------------------------------------------------


def _mended_book(data: bytes, grids: Mapping[str, Grid], changes: Sequence[Change]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        try:
            parts = dict(sheet_parts(archive))
        except (Damaged, KeyError) as failure:
            raise CannotMend(_OTHER_KIND) from failure
        wanted: dict[str, list[Change]] = {}
        for change in changes:
            wanted.setdefault(change.sheet, []).append(change)
        written: dict[str, bytes] = {}
        for sheet, part in parts.items():
            content = archive.read(part)
            places = {change.place for change in wanted.get(sheet, ())}
            found = _located(content, places)
            _without_stale(sheet, found.formulas, wanted)
            if places:
                written[part] = _spliced(content, found, grids[sheet], wanted[sheet])
        memory = io.BytesIO()
        with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as made:
            for entry in archive.infolist():
                same = zipfile.ZipInfo(entry.filename, entry.date_time)
                same.compress_type = zipfile.ZIP_DEFLATED
                made.writestr(same, written.get(entry.filename) or archive.read(entry))
    return memory.getvalue()


@dataclass
class _Element:
    """Where a cell's element lies in the bytes of its sheet; of one that is not there `begin` and `end` are one place."""

    begin: int
    end: int
    prefix: str
    style: str = ""
    kind: str = "n"
    formula: tuple[int, int] | None = None


@dataclass(frozen=True)
class _Formula:
    """A formula's text, and how far it stands from where that text was written."""

    text: str
    rows: int = 0
    columns: int = 0


@dataclass
class _Found:
    cells: dict[Place, _Element] = field(default_factory=dict)
    formulas: dict[Place, _Formula | None] = field(default_factory=dict)


def _located(content: bytes, wanted: Collection[Place]) -> _Found:
    """The cells that are wanted, and every formula. None for a formula that does not say what it is."""
    if not content.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<") or re.search(
        rb"<\?xml[^>]*encoding=[\"'](?!utf-8)", content[:200], re.IGNORECASE
    ):
        raise CannotMend(_OTHER_KIND)
    found = _Found()
    by_row: dict[int, set[int]] = {}
    for row, column in wanted:
        by_row.setdefault(row, set()).add(column)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    row, column = -1, -1
    open_cell: _Element | None = None
    shared: dict[str, tuple[Place, str]] = {}
    formula: dict[str, str] | None = None
    words: list[str] = []

    def end_of(begin: int) -> int:
        """Where the element ends whose last tag begins there."""
        return content.index(b">", begin) + 1

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal row, column, open_cell, formula
        prefix, _, local = name.rpartition(":")
        if local == "row":
            given = attributes.get("r", "").strip()
            row, column = (int(given) - 1 if given.isdecimal() else row + 1), -1
        elif local == "c":
            column = place_of(attributes["r"])[1] if "r" in attributes else column + 1
            at = parser.CurrentByteIndex
            own = f"{prefix}:" if prefix else ""
            for missing in by_row.get(row, ()):
                if missing < column and (row, missing) not in found.cells:
                    found.cells[row, missing] = _Element(at, at, own)
            open_cell = _Element(at, at, own, attributes.get("s", ""), attributes.get("t", "n"))
            if column in by_row.get(row, ()):
                found.cells[row, column] = open_cell
        elif local == "f" and open_cell is not None:
            formula = attributes
            words.clear()
            open_cell.formula = (parser.CurrentByteIndex, 0)

    def end(name: str) -> None:
        nonlocal open_cell, formula
        local, at = name.rpartition(":")[2], parser.CurrentByteIndex
        if local == "f" and open_cell is not None and formula is not None and open_cell.formula is not None:
            begin = open_cell.formula[0]
            open_cell.formula = (begin, end_of(at if content[at : at + 2] == b"</" else begin))
            found.formulas[row, column] = _formula(formula, "".join(words), (row, column), shared)
            formula = None
        elif local == "c" and open_cell is not None:
            open_cell.end = end_of(at if content[at : at + 2] == b"</" else open_cell.begin)
            open_cell = None
        elif local == "row" and content[at : at + 2] == b"</":
            prefix = name.rpartition(":")[0]
            for missing in by_row.get(row, ()):
                if (row, missing) not in found.cells:
                    found.cells[row, missing] = _Element(at, at, f"{prefix}:" if prefix else "")

    def text(piece: str) -> None:
        if formula is not None:
            words.append(piece)

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, Damaged, ValueError) as failure:
        raise CannotMend(_OTHER_KIND) from failure
    return found


def _formula(
    attributes: Mapping[str, str], words: str, place: Place, shared: dict[str, tuple[Place, str]]
) -> _Formula | None:
    kind = attributes.get("t", "normal")
    if kind == "shared":
        number = attributes.get("si", "")
        if words:
            shared[number] = (place, words)
        if number not in shared:
            return None
        (top, left), words = shared[number]
        return _Formula(words, place[0] - top, place[1] - left)
    return _Formula(words) if kind == "normal" and words else None


_QUOTED = re.compile(r'"[^"]*"')
_REFERENCE = re.compile(
    r"(?:(?P<sheet>'(?:[^']|'')+'|[^\W\d][\w.]*)!)?"
    r"(?P<from>\$?[A-Za-z]{1,3}\$?\d{1,7})(?::(?P<to>\$?[A-Za-z]{1,3}\$?\d{1,7}))?(?![\w(.])"
)
_FUNCTION = re.compile(r"[A-Za-z][\w.]*\(")
_MOVING = re.compile(r"\b(INDIRECT|OFFSET)\(", re.IGNORECASE)
_ONE = re.compile(r"(\$?)([A-Za-z]{1,3})(\$?)(\d{1,7})")


def _without_stale(
    sheet: str, formulas: Mapping[Place, _Formula | None], changes: Mapping[str, Sequence[Change]]
) -> None:
    """Refuse a change that a formula's result depends on, unless that result is given with it."""
    changed = {(name, change.place) for name, own in changes.items() for change in own}
    for place, formula in formulas.items():
        if (sheet, place) in changed:
            continue
        if formula is None or _depends(formula, sheet, changed):
            cell = f"{column_letters(place[1])}{place[0] + 1}"
            raise CannotMend(
                f"工作表“{sheet}”的 {cell} 是公式，要用到改动的格，页面不重新计算公式。"
                f"请把 {cell} 的结果也一并改好，或在 Excel 里改好后重新上传。"
            )


def _depends(formula: _Formula, sheet: str, changed: Collection[tuple[str, Place]]) -> bool:
    """Whether it reads one of these cells, or says something from which that cannot be told."""
    text = _QUOTED.sub("", formula.text)
    rest = _FUNCTION.sub("(", _REFERENCE.sub("", text))
    if _MOVING.search(text) or re.search(r"[^\W\d]|[!\[#]", rest):
        return True
    for found in _REFERENCE.finditer(text):
        of = found["sheet"].strip("'").replace("''", "'") if found["sheet"] else sheet
        first = _moved(found["from"], formula)
        last = _moved(found["to"], formula) if found["to"] else first
        (top, bottom), (left, right) = (sorted(pair) for pair in zip(first, last, strict=True))
        if any(
            name == of and top <= row <= bottom and left <= column <= right for name, (row, column) in changed
        ):
            return True
    return False


def _moved(reference: str, formula: _Formula) -> Place:
    match = _ONE.fullmatch(reference)
    assert match is not None
    row, column = place_of(match[2] + match[4])
    return row + (0 if match[3] else formula.rows), column + (0 if match[1] else formula.columns)


def _spliced(content: bytes, found: _Found, grid: Grid, changes: Sequence[Change]) -> bytes:
    pieces: list[tuple[int, int, int, bytes]] = []
    for change in changes:
        element = found.cells.get(change.place)
        if element is None:
            raise CannotMend(
                f"单元格 {change.cell} 所在的行是空的，不能在页面里添加。请在 Excel 里改好后重新上传。"
            )
        pieces.append((element.begin, element.end, change.column, _cell(content, element, grid, change)))
    made: list[bytes] = []
    at = 0
    for begin, end, _, piece in sorted(pieces):
        made += [content[at:begin], piece]
        at = end
    return b"".join([*made, content[at:]])


def _cell(content: bytes, element: _Element, grid: Grid, change: Change) -> bytes:
    p, is_number = element.prefix, bool(_NUMBER.fullmatch(change.value))
    style = f' s="{escape(element.style)}"' if element.style else ""
    head = f'<{p}c r="{change.cell}"{style}'
    if element.formula is not None:
        if not is_number:
            raise CannotMend(f"单元格 {change.cell} 是公式，只能改成算好的数。请填数字，或在 Excel 里改。")
        kept = content[slice(*element.formula)].decode("utf-8")
        return f"{head}>{kept}<{p}v>{change.value}</{p}v></{p}c>".encode()
    row, column = change.place
    was = grid.rows[row][column] if row < len(grid.rows) and column < len(grid.rows[row]) else ""
    if is_number and isinstance(was, float):
        return f"{head}><{p}v>{change.value}</{p}v></{p}c>".encode()
    if not change.value:
        return f"{head}/>".encode()
    # What was no number may be shown as a day: a number put there would become one.
    text = "".join(_escaped(change.value))
    return f'{head} t="inlineStr"><{p}is><{p}t xml:space="preserve">{text}</{p}t></{p}is></{p}c>'.encode()


def _escaped(text: str) -> Iterator[str]:
    """A text as an element holds it: what would be read as a character's number is written as one itself."""
    yield escape(re.sub(r"_(?=x[0-9A-Fa-f]{4}_)", "_x005F_", text))
