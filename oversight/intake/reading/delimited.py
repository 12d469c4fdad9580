"""Delimited text → tables: which encoding, which delimiter, and large regular files in one go."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Collection, Sequence
from pathlib import Path

import polars as pl

from oversight.contracts import ALL_DATASETS
from oversight.intake.reading.body import classify
from oversight.intake.reading.found import BulkTable, Reading, Unreadable
from oversight.intake.reading.grid import Grid, Header
from oversight.intake.reading.headers import HEADER_SEARCH_ROWS, find_header, read_header
from oversight.intake.reading.layout import context_of, find_tables
from oversight.intake.reading.text import plain

# An irregular CSV is read row by row, at some fifty times its size in memory.
MAX_IRREGULAR_CSV_BYTES = 64 * 2**20
# A text without a header is looked at only as far as a nil report goes.
MAX_HEADERLESS_TEXT = 4_000
# From this size a CSV goes through Polars as a whole; below, plain lists are faster and say more.
BULK_CSV_BYTES = 400_000


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
        found = _recognised(data, ("utf-16-le", "utf-16-be"))
        if len(found) != 1:
            raise Unreadable("F01", name=Path(name).name, detail="含有二进制内容，不是文本表格")
        return next(iter(found.values()))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as failure:
        found = _recognised(data, ("gb18030", "big5"))
        if len(found) == 1:
            return next(iter(found.values()))
        if found:
            raise Unreadable("F07", detail=f"{'、'.join(found)} 都读得通") from failure
        try:
            return data.decode("gb18030")
        except UnicodeDecodeError as other:
            detail = f"第 {failure.start + 1} 字节处不是 UTF-8，第 {other.start + 1} 字节处不是 GB18030"
            raise Unreadable("F07", detail=detail) from other


def _recognised(data: bytes, encodings: Sequence[str]) -> dict[str, str]:
    """The encodings in which all of the text can be read and a header is found, with the text."""
    found: dict[str, str] = {}
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if _delimiter(text) is not None:
            found[encoding] = text
    return found


_UTF_8_MARK = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_DELIMITERS = (",", "\t", ";", "|", "，")


def read_text(data: bytes, name: str) -> Reading:
    """The tables of a delimited text."""
    if len(data) > BULK_CSV_BYTES and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        bulk = _read_bulk(data, name)
        if bulk is not None:
            return bulk
    if len(data) > MAX_IRREGULAR_CSV_BYTES:
        raise Unreadable(
            "F12", detail=f"CSV 有 {len(data) // 2**20} MB，且各行列数不一或不止一张表，请分成几个文件"
        )
    text = decode(data, name)
    delimiter = _delimiter(text)
    if delimiter is None and len(text) > MAX_HEADERLESS_TEXT:
        return Reading()
    # A text without a header may still say that there is nothing to report.
    delimiter = delimiter or ","
    tables, refusals = find_tables(Grid(None, _rows(text, delimiter), is_csv=True), name)
    return Reading(list(tables), refusals)


def _lines(data: bytes, wanted: Sequence[int]) -> dict[int, list[str]]:
    """Some rows of a CSV in UTF-8 whose rows are lines: of a large file only those asked for are taken apart."""
    body = data.removeprefix(_UTF_8_MARK)
    delimiter = _delimiter(body[: body.rfind(b"\n", 0, 65536) + 1].decode() or body.decode()) or ","
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
            return _lines(data, sorted(wanted))
        except UnicodeDecodeError:
            # Not UTF-8: which encoding it is, the whole text must tell.
            pass
    text = decode(data, name)
    delimiter = delimiter_of(text)
    return {n: row for n, row in enumerate(_rows(text, delimiter), 1) if wanted is None or n in wanted}


def delimiter_of(text: str) -> str:
    """What stands between the cells of a text; a comma where no header tells."""
    return _delimiter(text) or ","


def _delimiter(text: str) -> str | None:
    """The delimiter under which a header is recognised best; None if there is none."""
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
    delimiter = _delimiter(opening)
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
    if header.tick_at is not None:
        return None
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
    unknown = {f"c{at}": title for at, title in header.others.items() if at < width}
    if unknown:
        kept = frame if mask.all() else frame.filter(mask)
        said = pl.struct(pl.col(at).str.strip_chars().replace("", None).alias(t) for at, t in unknown.items())
        blank = pl.all_horizontal(pl.col(at).fill_null("").str.strip_chars() == "" for at in unknown)
        told = kept.select(pl.when(~blank).then(said.struct.json_encode()).alias("other_columns"))
        if told.get_column("other_columns").null_count() < told.height:
            body = body.with_columns(told.get_column("other_columns"))
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
