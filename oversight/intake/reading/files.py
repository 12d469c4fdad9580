"""One file's bytes → tables as text. Decides what a file is by its content, never by its name.

Everything here parses what strangers wrote: it runs in the worker, with bounds on memory and time.
"""

from __future__ import annotations

import hashlib
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from oversight.intake.reading import personal, values
from oversight.intake.reading.delimited import read_text, text_rows
from oversight.intake.reading.found import Reading, Unreadable
from oversight.intake.reading.grid import Grid, Refusal, is_blank_row
from oversight.intake.reading.headers import HEADER_SEARCH_ROWS
from oversight.intake.reading.headings import known_cells, nearly
from oversight.intake.reading.hidden import read_sheets
from oversight.intake.reading.markup import kind_of, markup_grids
from oversight.intake.reading.workbooks import is_encrypted_ole, other_grids, xlsx_grids

# A workbook that inflates beyond this is no report of townships; measured on the archive's own directory.
MAX_INFLATED_BYTES = 400 * 2**20
MAX_FILE_BYTES = 2**30
MAX_ENTRIES = 5_000
# What deflate can make of one byte at most; an entry that claims more lies.
_MOST_INFLATED = 1_040
# The list of mistakes that we put before a workbook when returning it; not the sender's, so it is left out.
RETURN_SHEET = "退回说明"
# Our templates explain their columns on a sheet of their own.
NOTES_SHEET = "填报说明"

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


def read(data: bytes, name: str) -> Reading:
    """Read a file's content; every failure comes back as a `Refusal`, none is raised."""
    _personal.clear()
    reading = _guarded(data, name)
    reading.is_personal = bool(_personal)
    return reading


# Whether a sheet of the file at hand has columns about persons: also of one that is then refused.
_personal: set[bool] = set()


def _guarded(data: bytes, name: str) -> Reading:
    try:
        return _read(data, name)
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


def read_path(path: Path, name: str, sha256: str | None = None) -> Reading:
    """As `read`, for a file on disk; with `sha256` only if it is that content."""
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            return Reading(error=Refusal("F12", {"detail": f"文件有 {size // 2**20} MB"}))
        data = path.read_bytes()
    except OSError as failure:
        return Reading(error=Refusal("F04", {"detail": str(failure.strerror or failure)}))
    if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
        return Reading(is_not_it=True)
    return read(data, name)


def _read(data: bytes, name: str) -> Reading:
    if not data[:4096].strip(b"\x00\r\n\t \xef\xbb\xbf") and not data.strip(b"\x00\r\n\t \xef\xbb\xbf"):
        raise Unreadable("F02")
    for signature, what in _SIGNATURES:
        if data.startswith(signature):
            raise Unreadable("F01", name=Path(name).name, detail=what)
    if data.startswith(b"PK\x03\x04") or data.startswith(b"PK\x05\x06"):
        return _read_archive(data, name)
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        if is_encrypted_ole(data):
            raise Unreadable("F03")
        return _read_grids(other_grids(data, name), name)
    kind = kind_of(data, name)
    if kind is not None:
        return _read_grids(markup_grids(data, kind, name), name)
    if personal.in_text(data):
        _personal.add(True)
    return read_text(data, name)


# --- workbooks and archives -----------------------------------------------------------------------------


def _read_archive(data: bytes, name: str, depth: int = 0) -> Reading:
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
            if any(e.file_size > _MOST_INFLATED * (e.compress_size + 1) for e in entries):
                raise Unreadable("F04", detail="压缩包目录里写的大小不可能")
            if any(n.startswith("word/") for n in names):
                raise Unreadable("F01", name=Path(name).name, detail="是 Word 文档")
            if any(n.startswith("ppt/") for n in names):
                raise Unreadable("F01", name=Path(name).name, detail="是 PowerPoint 演示文稿")
            grids = _archive_grids(archive, data, name)
            if grids is None:
                return _read_members(archive, name, depth)
    except BROKEN_ZIP as failure:
        raise Unreadable("F04", detail="压缩结构不完整") from failure
    return _read_grids(grids, name)


def _archive_grids(archive: zipfile.ZipFile, data: bytes, name: str) -> list[Grid] | None:
    """The sheets of an archive that is a workbook; None of one that holds other files."""
    names = set(archive.namelist())
    if "xl/workbook.bin" in names or "content.xml" in names:
        # The library takes a claimed size at its word: it has to be true.
        for entry in archive.infolist():
            if entry.filename.endswith((".bin", ".xml", ".rels")):
                _inflate(archive, entry)
        return other_grids(data, name)
    return xlsx_grids(archive) if "xl/workbook.xml" in names else None


@dataclass(frozen=True)
class Excerpt:
    """Some rows of a file as they stand in it: `rows` from the `first` on (counted from one), of so many; all sheets."""

    sheets: tuple[str, ...]
    sheet: str
    first: int
    rows: list[list[str]]
    count: int


def excerpt(path: Path, name: str, sha256: str, sheet: str, row: int, around: int) -> Excerpt | None:
    """The rows around one of a sheet, for a file that was read before; None where it is not that content, is no table or
    has no such sheet."""
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        return None
    first = max(1, row - around)
    try:
        grids = _grids_of(data, name)
        if grids is None:
            lines = text_rows(data, name)
            wanted = [
                lines.get(number, []) for number in range(first, min(row + around, max(lines, default=0)) + 1)
            ]
            return Excerpt(
                (), "", first, [[str(cell) for cell in line] for line in wanted], max(lines, default=0)
            )
    except (Unreadable, *BROKEN_ZIP):
        return None
    chosen = next((grid for grid in grids if (grid.name or "") == sheet), None)
    if chosen is None:
        return None
    shown = [
        ["" if cell is None else str(cell) for cell in line] for line in chosen.rows[first - 1 : row + around]
    ]
    return Excerpt(
        tuple(grid.name or "" for grid in grids), chosen.name or "", first, shown, len(chosen.rows)
    )


def _grids_of(data: bytes, name: str) -> list[Grid] | None:
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _archive_grids(archive, data, name) or []
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        return other_grids(data, name)
    kind = kind_of(data, name)
    return markup_grids(data, kind, name) if kind is not None else None


def _inflate(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    with archive.open(entry) as stream:
        while stream.read(1 << 20):
            pass


def _member_name(entry: zipfile.ZipInfo) -> str:
    """A member's name; archives made by Chinese Windows write GBK without saying so."""
    if entry.flag_bits & 0x800:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("gb18030")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return entry.filename


def _read_members(archive: zipfile.ZipFile, name: str, depth: int) -> Reading:
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
                reading = _read_archive(content, f"{name}/{member}", depth + 1)
            else:
                reading = _read(content, f"{name}/{member}")
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
            table.sheet = _inside(member, table.sheet)
            whole.tables.append(table)
        whole.refusals.extend(replace(r, sheet=_inside(member, r.sheet)) for r in reading.refusals)
        whole.notices.extend(replace(n, sheet=_inside(member, n.sheet)) for n in reading.notices)
        if not reading.tables and not reading.refusals:
            whole.refusals.append(Refusal("F05", {"detail": ""}, sheet=member))
    if not whole.tables and not whole.refusals:
        raise Unreadable("F01", name=Path(name).name, detail="是压缩包，里面没有表格")
    return whole


def _inside(member: str, sheet: str | None) -> str:
    return f"{member}/{sheet}" if sheet else member


def _read_grids(grids: Sequence[Grid], name: str) -> Reading:
    """The tables of a workbook's sheets, those that we added ourselves left out."""
    kept = [g for g in grids if g.rows and not is_ours(g)]
    if any(personal.in_cells(grid.rows) for grid in kept):
        _personal.add(True)
    if not any(not is_blank_row(row) for grid in kept for row in grid.rows):
        raise Unreadable("F02")
    reading = read_sheets(kept, name)
    reading.has_formulas = any(_has_results(grid) for grid in kept)
    if not reading.tables and not reading.refusals and (detail := _recognised(kept)):
        reading.refusals.append(Refusal("F05", {"detail": detail}))
    return reading


def _recognised(grids: Sequence[Grid]) -> str:
    """What is known of the row that comes nearest to a header, where no sheet has one; nothing where none does."""
    rows = [row for grid in grids for row in grid.rows[:HEADER_SEARCH_ROWS]]
    texts = [[t for c in row if isinstance(c, str) and 0 < len(t := c.strip()) <= 24] for row in rows]
    known = [[t for t in row if known_cells((t,))] for row in texts]
    at = max(range(len(rows)), key=lambda r: len(known[r]), default=None)
    if at is None or len(known[at]) < 2:
        return ""
    left = [t for t in texts[at] if t not in known[at]]
    close = [f"“{t}”与“{found[1]}”只差一点" for t in left if (found := nearly(t)) is not None]
    told = f"认出了“{'”“'.join(known[at])}”" + (f"，没有认出“{'”“'.join(left)}”" if left else "")
    return f"{told}；{'，'.join(close) or '没有认出报什么数的列'}。"


def _has_results(grid: Grid) -> bool:
    """Whether a figure in it was worked out by a formula."""
    without = {*values.ERROR_CELLS, values.NO_RESULT, ""}
    return any(
        column < len(grid.rows[row]) and grid.rows[row][column] not in without
        for row, columns in grid.formulas.items()
        if row < len(grid.rows)
        for column in columns
    )


def is_ours(grid: Grid) -> bool:
    """Whether a sheet is one that we added: what is wrong with a returned workbook, or the notes of a template."""
    first = next((row for row in grid.rows if len(row)), ())
    title = str(next(iter(first), ""))
    if grid.name == NOTES_SHEET:
        return f"{NOTES_SHEET}（模板第" in title
    return grid.name == RETURN_SHEET and title.startswith(RETURN_SHEET)
