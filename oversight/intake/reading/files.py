"""One file's bytes → tables as text. Decides what a file is by its content, never by its name."""

from __future__ import annotations

import csv
import io
import itertools
import re
import struct
import zipfile
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl
import python_calamine as calamine

from oversight.contracts import ALL_DATASETS
from oversight.intake.reading import values
from oversight.intake.reading.body import classify
from oversight.intake.reading.grid import Context, Grid, Header, Refusal, Table, is_blank_row
from oversight.intake.reading.headers import HEADER_SEARCH_ROWS, find_header, read_header
from oversight.intake.reading.layout import context_of, find_tables
from oversight.intake.reading.marks import (
    DAMAGED,
    SheetMarks,
    place_of,
    relationships,
    sheet_marks,
    xlsx_cells,
)
from oversight.intake.reading.text import plain

# A workbook that inflates beyond this is no report of townships; measured on the archive's own directory.
MAX_INFLATED_BYTES = 400 * 2**20
MAX_FILE_BYTES = 2**30
MAX_ENTRIES = 5_000
# Above this a workbook goes to the worker.
WORKER_INFLATED_BYTES = 24 * 2**20
# An irregular CSV is read row by row, at some fifty times its size in memory.
MAX_IRREGULAR_CSV_BYTES = 64 * 2**20
# The list of mistakes that we put before a workbook when returning it; not the sender's, so it is left out.
RETURN_SHEET = "退回说明"
# From this size a CSV goes through Polars as a whole; below, plain lists are faster and say more.
BULK_CSV_BYTES = 400_000

_SIGNATURES = (
    (b"%PDF", "是 PDF 文档"),
    (b"\xff\xd8\xff", "是图片（JPEG）"),
    (b"\x89PNG", "是图片（PNG）"),
    (b"GIF8", "是图片（GIF）"),
    (b"BM", "是图片（BMP）"),
    (b"II*\x00", "是图片（TIFF）"),
    (b"MM\x00*", "是图片（TIFF）"),
    (b"Rar!", "是 RAR 压缩包"),
    (b"7z\xbc\xaf", "是 7z 压缩包"),
    (b"\x1f\x8b", "是 gzip 压缩包"),
    (b"{\\rtf", "是 RTF 文档"),
    (b"MZ", "是程序"),
)


BROKEN_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    struct.error,
)


class Unreadable(Exception):
    """A file that cannot be read, with its catalogue code."""

    def __init__(self, code: str, **found: str) -> None:
        super().__init__(code)
        self.refusal = Refusal(code, found)


@dataclass
class BulkTable:
    """A large CSV as one frame of text columns named by contract, with `row_number`."""

    dataset: str
    header: Header
    context: Context
    frame: pl.DataFrame
    ignored: list[tuple[int, str]]
    sheet: str | None = None
    totals: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    broken: list[tuple[int, str, str, str]] = field(default_factory=list)
    total_problem: str | None = None


@dataclass
class Reading:
    """What was found in a file: tables, tables that had to be refused, or why nothing can be read."""

    tables: list[Table | BulkTable] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    error: Refusal | None = None
    has_formulas: bool = False


class NeedsWorker(Exception):
    """The file may cost much to read: to be read by the worker, not here."""


def read(data: bytes, name: str, *, in_worker: bool = True) -> Reading:
    """Read a file's content; every failure comes back as a `Refusal`, none is raised.

    Only with `in_worker=False` it raises `NeedsWorker` for what is better read by a process with bounds.
    """
    try:
        return _read(data, name, in_worker)
    except NeedsWorker:
        raise
    except Unreadable as failure:
        return Reading(error=failure.refusal)
    except MemoryError:
        return Reading(error=Refusal("F14", {"detail": "内存不足"}))
    except BaseException as failure:
        # A fuzzed or hostile file must not stop the others; the fault itself is told to the administrator.
        # A panic in the Rust reader is no Exception, but like one it concerns this file only: it is damaged.
        if type(failure).__name__ == "PanicException":
            return Reading(error=Refusal("F04", {"detail": str(failure)[:120]}))
        if not isinstance(failure, Exception):
            raise
        return Reading(error=Refusal("F17", {"detail": f"{type(failure).__name__}: {failure}"[:200]}))


def read_path(path: Path, name: str, *, in_worker: bool = True) -> Reading:
    """As `read`, for a file on disk."""
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            return Reading(error=Refusal("F12", {"detail": f"文件有 {size // 2**20} MB"}))
        data = path.read_bytes()
    except OSError as failure:
        return Reading(error=Refusal("F04", {"detail": str(failure.strerror or failure)}))
    return read(data, name, in_worker=in_worker)


def _read(data: bytes, name: str, in_worker: bool) -> Reading:
    if not data[:4096].strip(b"\x00\r\n\t \xef\xbb\xbf") and not data.strip(b"\x00\r\n\t \xef\xbb\xbf"):
        raise Unreadable("F02")
    for signature, what in _SIGNATURES:
        if data.startswith(signature):
            raise Unreadable("F01", name=Path(name).name, detail=what)
    if data.startswith(b"PK\x03\x04") or data.startswith(b"PK\x05\x06"):
        return _read_archive(data, name, in_worker)
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        if _is_encrypted_ole(data):
            raise Unreadable("F03")
        if not in_worker:
            raise NeedsWorker
        return _read_workbook(data, name)
    return _read_text(data, name)


# --- workbooks ------------------------------------------------------------------------------------------


def _read_archive(data: bytes, name: str, in_worker: bool, depth: int = 0) -> Reading:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            names = {e.filename for e in entries}
            inflated = sum(e.file_size for e in entries)
            if inflated > MAX_INFLATED_BYTES or len(entries) > MAX_ENTRIES:
                detail = (
                    f"解压后有 {inflated // 2**20} MB"
                    if inflated > MAX_INFLATED_BYTES
                    else f"含 {len(entries)} 个文件"
                )
                raise Unreadable("F12", detail=detail)
            if any(e.flag_bits & 1 for e in entries):
                raise Unreadable("F03")
            if any(n.startswith("word/") for n in names):
                raise Unreadable("F01", name=Path(name).name, detail="是 Word 文档")
            if any(n.startswith("ppt/") for n in names):
                raise Unreadable("F01", name=Path(name).name, detail="是 PowerPoint 演示文稿")
            is_xlsx = "xl/workbook.xml" in names
            if not is_xlsx and "xl/workbook.bin" not in names and "content.xml" not in names:
                return _read_members(archive, name, in_worker, depth)
            marks: dict[str, dict[tuple[int, int], str]] = {}
            from_1904: bool | None = None
            if is_xlsx:
                if inflated > WORKER_INFLATED_BYTES and not in_worker:
                    raise NeedsWorker
                marks = _cell_marks(archive, in_worker)
                if "xl/workbook.bin" not in names and "content.xml" not in names:
                    from_1904 = _counts_from_1904(archive)
            elif not in_worker:
                raise NeedsWorker
            elif "content.xml" in names and _DOCTYPE.search(archive.read("content.xml")[:4096]):
                raise Unreadable("F16", detail="content.xml")
    except BROKEN_ZIP as failure:
        raise Unreadable("F04", detail="压缩结构不完整") from failure
    return _read_workbook(data, name, marks, from_1904)


def _member_name(entry: zipfile.ZipInfo) -> str:
    """A member's name; archives made by Chinese Windows write GBK without saying so."""
    if entry.flag_bits & 0x800:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("gb18030")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return entry.filename


def _read_members(archive: zipfile.ZipFile, name: str, in_worker: bool, depth: int) -> Reading:
    """A zip of reports: each member read as a file, its name put before its sheets' names. Nothing is unpacked."""
    if depth:
        raise Unreadable("F15", detail="压缩包里还有压缩包")
    whole = Reading()
    for entry in archive.infolist():
        if not entry.filename:
            raise Unreadable("F04", detail="压缩包里有一个没有名字的文件")
        member = _member_name(entry)
        parts = member.replace("\\", "/").split("/")
        if (
            entry.is_dir()
            or parts[-1].startswith((".", "~$"))
            or "__MACOSX" in parts
            or member.lower().endswith(".md")
        ):
            continue
        if ".." in parts or member.startswith(("/", "\\")) or re.match(r"^[A-Za-z]:", member):
            raise Unreadable("F15", detail=f"文件名“{member}”指向压缩包之外")
        try:
            content = archive.read(entry)
            if content.startswith(b"PK\x03\x04"):
                reading = _read_archive(content, f"{name}/{member}", in_worker, depth + 1)
            else:
                reading = _read(content, f"{name}/{member}", in_worker)
        except Unreadable as failure:
            if failure.refusal.code in ("F12", "F15", "F16"):
                raise
            whole.refusals.append(replace(failure.refusal, sheet=member))
            continue
        except BROKEN_ZIP:
            # One member that does not unpack says nothing against the others.
            whole.refusals.append(Refusal("F04", {"detail": "压缩结构不完整"}, sheet=member))
            continue
        whole.has_formulas |= reading.has_formulas
        for table in reading.tables:
            table.sheet = f"{member}/{table.sheet}" if table.sheet else member
            whole.tables.append(table)
        whole.refusals.extend(
            replace(r, sheet=f"{member}/{r.sheet}" if r.sheet else member) for r in reading.refusals
        )
        if not reading.tables and not reading.refusals:
            whole.refusals.append(Refusal("F05", {"detail": ""}, sheet=member))
    if not whole.tables and not whole.refusals:
        raise Unreadable("F01", name=Path(name).name, detail="是压缩包，里面没有表格")
    return whole


_MARKED = re.compile(rb'<c r="([A-Z]{1,3}\d+)"([^>]*)>((?:(?!</c>).)*)</c>', re.S)
# A cell in column AAA or row 100,000: with another near A1 the reader would lay out everything between.
_FAR_CELL = re.compile(rb'r="(?:[A-Z]{3}\d+|[A-Z]{0,2}\d{6,})"')
# Not <formula1> of a data validation.
_FORMULA = re.compile(rb"<(?:\w+:)?f[ />]")
_ERROR = re.compile(rb"""\bt=["']e["']""")
_ANY_CELL = re.compile(rb"<(?:\w+:)?c[ />]")
_DOCTYPE = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.I)


def _cell_marks(archive: zipfile.ZipFile, in_worker: bool) -> dict[str, dict[tuple[int, int], str]]:
    """Cells whose value the reader library would show as blank: errors, and formulas without a result.

    Taken from the sheet's XML, because a blank would mean "not reported". Keyed by the sheet's part name.
    """
    marks: dict[str, dict[tuple[int, int], str]] = {}
    for entry in archive.infolist():
        if not entry.filename.startswith("xl/"):
            continue
        if not entry.filename.endswith((".xml", ".rels")):
            continue
        is_sheet = entry.filename.startswith("xl/worksheets/") and entry.filename.endswith(".xml")
        if not is_sheet and entry.filename not in ("xl/workbook.xml", "xl/sharedStrings.xml"):
            continue
        xml = archive.read(entry)
        if _DOCTYPE.search(xml[:4096]):
            raise Unreadable("F16", detail=entry.filename)
        if is_sheet and not in_worker and _FAR_CELL.search(xml):
            raise NeedsWorker
        has_formulas = is_sheet and _FORMULA.search(xml) is not None
        if not is_sheet or (not has_formulas and not _ERROR.search(xml)):
            continue
        if sum(1 for _ in _ANY_CELL.finditer(xml)) != xml.count(b'<c r="'):
            try:
                marks[entry.filename] = xlsx_cells(xml)
            except DAMAGED as failure:
                raise Unreadable("F04", detail=f"{entry.filename}：{failure}"[:120]) from failure
            continue
        found: dict[tuple[int, int], str] = {}
        for match in _MARKED.finditer(xml):
            attributes, inside = match.group(2), match.group(3)
            value = re.search(rb"<v>([^<]*)</v>", inside)
            if b't="e"' in attributes:
                text = value.group(1).decode("utf-8", "replace") if value else values.NO_RESULT
            elif b"<f" in inside and not (value and value.group(1)) and b't="str"' not in attributes:
                text = values.NO_RESULT
            else:
                continue
            found[place_of(match.group(1).decode())] = text
        if found or has_formulas:
            marks[entry.filename] = found
    return marks


def _sheet_parts(data: bytes) -> dict[str, str]:
    """Sheet name → its part in the archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            workbook = archive.read("xl/workbook.xml").decode("utf-8", "replace")
            rels = archive.read("xl/_rels/workbook.xml.rels").decode("utf-8", "replace")
    except (*BROKEN_ZIP, KeyError) as failure:
        raise Unreadable("F04", detail=f"{type(failure).__name__}: {failure}"[:120]) from failure
    targets = relationships(rels)
    parts: dict[str, str] = {}
    for tag in re.findall(r"<(?:\w+:)?sheet\b[^>]*>", workbook):
        title, relation = re.search(r'\bname="([^"]*)"', tag), re.search(r'\b\w+:id="([^"]*)"', tag)
        if title and relation and relation.group(1) in targets:
            parts[_unescape(title.group(1))] = "xl/" + targets[relation.group(1)]
    return parts


def _told_besides(data: bytes) -> list[SheetMarks]:
    try:
        return sheet_marks(data)
    except DAMAGED as failure:
        # What the library reads of it may lack cells that were errors: nothing of it can be vouched for.
        raise Unreadable("F04", detail=f"{type(failure).__name__}: {failure}"[:120]) from failure


def _counts_from_1904(archive: zipfile.ZipFile) -> bool:
    """Whether days in an xlsx are counted from 1904; a number that is not formatted as a date does not show it."""
    return re.search(rb'\bdate1904="(?:1|true)"', archive.read("xl/workbook.xml")) is not None


def _unescape(text: str) -> str:
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&")):
        text = text.replace(entity, character)
    return text


def _read_workbook(
    data: bytes,
    name: str,
    marks: dict[str, dict[tuple[int, int], str]] | None = None,
    from_1904: bool | None = None,
) -> Reading:
    """A workbook's tables; `from_1904` is known of an xlsx, of which `marks` are all there is to tell besides."""
    try:
        return _read_sheets(data, name, marks, from_1904)
    except (calamine.CalamineError, OSError) as failure:
        raise Unreadable("F04", detail=str(failure)[:120]) from failure


def _read_sheets(
    data: bytes, name: str, marks: dict[str, dict[tuple[int, int], str]] | None, from_1904: bool | None
) -> Reading:
    try:
        book = calamine.load_workbook(io.BytesIO(data))
    except calamine.PasswordError as failure:
        raise Unreadable("F03") from failure
    except calamine.CalamineError as failure:
        if _is_encrypted_ole(data):
            raise Unreadable("F03") from failure
        if data.startswith(b"\xd0\xcf\x11\xe0") and not re.search(
            b"W\x00o\x00r\x00k\x00b\x00o\x00o\x00k|B\x00o\x00o\x00k", data
        ):
            raise Unreadable("F01", name=Path(name).name, detail="是 Word 等其他 Office 文档") from failure
        raise Unreadable("F04", detail=str(failure)[:120]) from failure
    parts = _sheet_parts(data) if marks else {}
    told = _told_besides(data) if from_1904 is None else []
    reading = Reading(has_formulas=bool(marks) or any(t.has_formulas for t in told))
    any_cells = False
    for number, meta in enumerate(book.sheets_metadata):
        if meta.typ != calamine.SheetTypeEnum.WorkSheet:
            continue
        sheet = book.get_sheet_by_name(meta.name)
        if sheet.height == 0 or sheet.width == 0:
            continue
        rows: list[list[Any]] = sheet.to_python(skip_empty_area=False)
        besides = told[number] if number < len(told) else SheetMarks()
        hidden = besides.cells or (marks or {}).get(parts.get(meta.name, ""), {})
        for (r, c), text in hidden.items():
            if r < len(rows) and c < len(rows[r]):
                rows[r][c] = text
            elif r < len(rows):
                rows[r].extend([""] * (c - len(rows[r])) + [text])
        if meta.name == RETURN_SHEET and str(rows[0][0]).startswith(RETURN_SHEET):
            continue
        any_cells = any_cells or any(not is_blank_row(row) for row in rows)
        merged = sheet.merged_cell_ranges if besides.merged is None else besides.merged
        grid = Grid(meta.name, rows, tuple(merged or ()), counts_from_1904=bool(from_1904))
        tables, refusals = find_tables(grid, name)
        reading.tables.extend(tables)
        reading.refusals.extend(refusals)
    if not any_cells:
        raise Unreadable("F02")
    return reading


def _is_encrypted_ole(data: bytes) -> bool:
    return "EncryptedPackage".encode("utf-16-le") in data or "EncryptionInfo".encode("utf-16-le") in data


# --- text files -----------------------------------------------------------------------------------------


def decode(data: bytes, name: str = "") -> str:
    """The text of a CSV.

    Strict UTF-8 first: read as GB18030 it would turn to nonsense without an error. Where more than one of the
    remaining encodings can be read, the one under which a header is recognised is right; if that does not decide,
    the sender is asked.
    """
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8"),
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be"),
    ):
        if data.startswith(mark):
            try:
                return data[len(mark) :].decode(encoding)
            except UnicodeDecodeError as failure:
                raise Unreadable("F07", detail=f"第 {failure.start} 字节处不是 {encoding}") from failure
    if b"\x00" in data[:65536]:
        found = _recognised(data, ("utf-16-le", "utf-16-be"), name)
        if len(found) != 1:
            raise Unreadable("F01", name=Path(name).name, detail="含有二进制内容，不是文本表格")
        return next(iter(found.values()))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as failure:
        found = _recognised(data, ("gb18030", "big5"), name)
        if len(found) == 1:
            return next(iter(found.values()))
        if found:
            raise Unreadable("F07", detail=f"{'、'.join(found)} 都读得通") from failure
        try:
            return data.decode("gb18030")
        except UnicodeDecodeError as other:
            detail = f"第 {failure.start + 1} 字节处不是 UTF-8，第 {other.start + 1} 字节处不是 GB18030"
            raise Unreadable("F07", detail=detail) from other


def _recognised(data: bytes, encodings: Sequence[str], name: str) -> dict[str, str]:
    """The encodings in which all of the text can be read and a header is found, with the text."""
    found: dict[str, str] = {}
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if _delimiter(text, name) is not None:
            found[encoding] = text
    return found


_UTF_8_MARK = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_DELIMITERS = (",", "\t", ";", "|", "，")


def _read_text(data: bytes, name: str) -> Reading:
    if len(data) > BULK_CSV_BYTES and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        bulk = _read_bulk(data, name)
        if bulk is not None:
            return bulk
    if len(data) > MAX_IRREGULAR_CSV_BYTES:
        raise Unreadable(
            "F12", detail=f"CSV 有 {len(data) // 2**20} MB，且各行列数不一或不止一张表，请分成几个文件"
        )
    text = decode(data, name)
    delimiter = _delimiter(text, name)
    if delimiter is None:
        return Reading()
    tables, refusals = find_tables(Grid(None, _rows(text, delimiter), is_csv=True), name)
    return Reading(list(tables), refusals)


def _lines(data: bytes, name: str, wanted: Sequence[int]) -> dict[int, list[str]]:
    """Some rows of a CSV in UTF-8 whose rows are lines: of a large file only those asked for are taken apart."""
    body = data.removeprefix(_UTF_8_MARK)
    delimiter = _delimiter(body[: body.rfind(b"\n", 0, 65536) + 1].decode() or body.decode(), name) or ","
    lines = io.BytesIO(body)
    rows: dict[int, list[str]] = {}
    at = 0
    for number in wanted:
        line = next(itertools.islice(lines, number - at - 1, None), None)
        if line is None:
            break
        at = number
        rows[number] = next(csv.reader([line.decode()], delimiter=delimiter), [])
    return rows


def text_rows(data: bytes, name: str, wanted: Collection[int] | None = None) -> dict[int, list[str]]:
    """The cells of a CSV as they stand, by row number; only the rows in `wanted`, if it is given.

    Raises `Unreadable` where the encoding cannot be told.
    """
    if wanted is not None and b'"' not in data and b"\x00" not in data and not data.startswith(_UTF_16):
        try:
            return _lines(data, name, sorted(wanted))
        except UnicodeDecodeError:
            # Not UTF-8: which encoding it is, the whole text must tell.
            pass
    text = decode(data, name)
    delimiter = _delimiter(text, name) or ","
    return {n: row for n, row in enumerate(_rows(text, delimiter), 1) if wanted is None or n in wanted}


def _delimiter(text: str, name: str) -> str | None:
    """The delimiter under which a header is recognised best; None if there is none."""
    opening = text[:4096].lstrip().lower()
    if opening.startswith(("<html", "<!doctype html", "<table")):
        raise Unreadable("F01", name=Path(name).name, detail="是网页（HTML），不是表格")
    if opening.startswith("<?xml"):
        raise Unreadable("F01", name=Path(name).name, detail="是 XML 文档")
    start = _head(text)
    best: tuple[int, str] | None = None
    for delimiter in _DELIMITERS:
        if delimiter not in start:
            continue
        grid = Grid(None, _rows(start, delimiter), is_csv=True)
        block = find_header(grid, 0, HEADER_SEARCH_ROWS)
        if block is None:
            continue
        width = max(len(h.columns) if isinstance(h, Header) else 1 for h in read_header(grid, *block))
        if best is None or width > best[0]:
            best = (width, delimiter)
    return best[1] if best else None


def _head(text: str) -> str:
    return "\n".join(text[:200_000].splitlines()[:HEADER_SEARCH_ROWS])


def _rows(text: str, delimiter: str) -> list[list[str]]:
    csv.field_size_limit(1_000_000)
    try:
        rows = list(csv.reader(io.StringIO(text.replace("\x00", ""), newline=""), delimiter=delimiter))
    except csv.Error as failure:
        raise Unreadable("F04", detail=f"CSV 格式有误：{failure}") from failure
    if '="' in text:
        # ="360313101" is how a CSV keeps Excel from making a number of it.
        rows = [[kept[1] if (kept := _KEPT_TEXT.match(cell)) else cell for cell in row] for row in rows]
    return rows


_KEPT_TEXT = re.compile(r'^="([^"]*)"$')


def _read_bulk(data: bytes, name: str) -> Reading | None:
    """A large regular CSV in one go; None if it is not regular enough (ragged rows, several tables)."""
    body_bytes = data.removeprefix(b"\xef\xbb\xbf")
    try:
        opening = body_bytes[: body_bytes.rfind(b"\n", 0, 65536) + 1].decode("utf-8")
    except UnicodeDecodeError:
        text = decode(data, name)
        body_bytes, opening = text.encode(), text[:65536]
        opening = opening[: opening.rfind("\n") + 1]
    delimiter = _delimiter(opening, name)
    if delimiter is None or len(delimiter.encode()) > 1:
        return None
    head_rows = _rows(_head(opening), delimiter)
    grid = Grid(None, head_rows, is_csv=True)
    block = find_header(grid, 0, HEADER_SEARCH_ROWS)
    if block is None:
        return None
    headers = read_header(grid, *block)
    usable = [h for h in headers if isinstance(h, Header)]
    if len(usable) != 1 or len(headers) != 1:
        return None
    header = usable[0]
    code_name = next(
        (n for n in ("reported_code", "subject_code", "division_code") if n in header.columns), None
    )
    unit_name = next(
        (n for n in ("reported_name", "subject_name", "division_name") if n in header.columns), None
    )
    start = _offset_after(body_bytes, header.last_row + 1)
    if code_name is None or start is None:
        return None
    width = max(len(head_rows[header.last_row]), header.width)
    try:
        frame = pl.read_csv(
            body_bytes,
            has_header=False,
            skip_lines=header.last_row + 1,
            separator=delimiter,
            schema={f"c{i}": pl.String for i in range(width)},
            row_index_name="row_number",
            row_index_offset=header.last_row + 2,
        )
    except (pl.exceptions.PolarsError, OSError):
        # Ragged, or not UTF-8 further down: read slowly, which can say what is wrong.
        return None
    wanted = {name_: f"c{at}" for name_, at in header.columns.items()}
    mask = _are_data(frame, wanted[code_name], wanted[unit_name] if unit_name is not None else None)
    others = frame.filter(~mask)
    if others.height > 20_000:
        return None
    data_again: list[int] = []
    ignored: list[tuple[int, str]] = []
    notes: list[str] = []
    cells = [f"c{i}" for i in range(width)]
    for row in others.iter_rows(named=True):
        line: Sequence[str] = [row[c] or "" for c in cells]
        kind = classify(line, header)
        if kind == "header":
            titles = [plain(t) for t in head_rows[header.last_row]]
            if [plain(t) for t in line][: len(titles)] != titles:
                return None
        if kind == "data":
            data_again.append(row["row_number"])
        elif kind != "blank":
            ignored.append((row["row_number"], kind))
            if kind in ("footer", "note"):
                notes.append(" ".join(t for t in line if t))
    if data_again:
        mask = mask | frame.get_column("row_number").is_in(data_again)
    body = (frame if mask.all() else frame.filter(mask)).select(
        pl.col("row_number").cast(pl.Int64), *(pl.col(at).alias(name_) for name_, at in wanted.items())
    )
    titles_above = [" ".join(t for t in row if t.strip()) for row in head_rows[: header.first_row]]
    context = context_of(titles_above, None, name, notes)
    month_column = next(
        (c.name for c in ALL_DATASETS[header.dataset].columns.values() if c.kind == "month"), None
    )
    if month_column in body.columns:
        months = body.get_column(month_column)
        if months.unique().str.contains(_SHORT_MONTH).any():
            body = body.with_columns(mark_ambiguous_months(pl.col(month_column)))
    return Reading([BulkTable(header.dataset, header, context, body, ignored)])


def _are_data(frame: pl.DataFrame, code_at: str, name_at: str | None) -> pl.Series:
    """Which rows of a large CSV are data: they have a code, and no word for a total as the name."""
    code = pl.col(code_at)
    township = code.cast(pl.Int64, strict=False).is_between(100_000_000, 999_999_999) & (
        code.str.len_bytes() == 9
    )
    mask = frame.select(township.fill_null(value=False)).to_series()
    if not mask.all():
        at = (~mask).arg_true()
        other = frame.get_column(code_at).gather(at).str.strip_chars().str.contains(r"^(\d{9}|\d{12}|\d{6})$")
        mask = mask.scatter(at, other.fill_null(value=False))
    if name_at is None:
        return mask
    total = r"计|汇总|其中"
    name = frame.get_column(name_at)
    # Names come back month after month: each is looked at once.
    if not name.unique().str.contains(total).any():
        return mask
    return mask & ~name.str.contains(total).fill_null(value=False)


_SHORT_MONTH = r"^\s*\d{4}\.1\s*$"


def mark_ambiguous_months(column: pl.Expr) -> pl.Expr:
    """2025.1 in a CSV may be a 2025.10 that Excel shortened, unless the column also has a 2025.10."""
    short = column.str.contains(_SHORT_MONTH)
    return (
        pl.when(short & ~column.str.contains(r"^\s*\d{4}\.10\s*$").any())
        .then(column.str.strip_chars() + "?")
        .otherwise(column)
    )


def _offset_after(text: bytes, records: int) -> int | None:
    """Where the text goes on after so many records, if none of them spans lines."""
    at = 0
    for _ in range(records):
        end = text.find(b"\n", at)
        if end < 0 or text.count(b'"', at, end) % 2:
            return None
        at = end + 1
    return at
