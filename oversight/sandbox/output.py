"""Results as text and files. Text that a spreadsheet would take for a formula stays text."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any
from unicodedata import east_asian_width

Row = Sequence[Any]

SHEET_ROWS = 1_000_000
_CELL_CHARACTERS = 32_767
# More digits than a spreadsheet's number keeps.
_EXACT_DIGITS = 15


def plain(value: Any) -> str:
    """A value as text; nothing for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple) and len(value) == 3:
        # What Arrow makes of an interval.
        months, days, nanoseconds = value
        return f"{months} 个月 {days} 天 {timedelta(microseconds=nanoseconds / 1000)}"
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False, default=plain)
    return str(value)


def unique(names: Sequence[str]) -> list[str]:
    """Column names of which none occurs twice: a second `金额` becomes `金额_2`."""
    seen: set[str] = set()
    made = []
    for name in names:
        candidate, number = name or "列", 1
        while candidate in seen:
            number += 1
            candidate = f"{name}_{number}"
        seen.add(candidate)
        made.append(candidate)
    return made


def _guarded(value: Any) -> str:
    text = plain(value)
    is_text = not isinstance(value, (int, float, Decimal))
    return "'" + text if is_text and text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def write_csv(out: IO[bytes], names: Sequence[str], rows: Iterable[Row]) -> int:
    """UTF-8 with the mark that Excel needs; how many rows."""
    text = io.TextIOWrapper(out, "utf-8-sig", newline="", write_through=False)
    writer = csv.writer(text)
    writer.writerow([_guarded(name) for name in names])
    number = 0
    for row in rows:
        number += 1
        writer.writerow([_guarded(value) for value in row])
    text.flush()
    text.detach()
    return number


def write_json(out: IO[bytes], names: Sequence[str], rows: Iterable[Row]) -> int:
    """A list of objects, one line each; numbers with decimals as text, so that nothing is rounded."""
    out.write(b"[")
    number = 0
    for number, row in enumerate(rows, 1):
        values = {name: _jsonable(value) for name, value in zip(names, row, strict=True)}
        out.write(b"\n" if number == 1 else b",\n")
        out.write(json.dumps(values, ensure_ascii=False).encode())
    out.write(b"\n]\n" if number else b"]\n")
    return number


def _jsonable(value: Any) -> Any:
    return value if value is None or isinstance(value, (bool, int, float, str)) else plain(value)


def write_xlsx(
    out: IO[bytes] | Path, names: Sequence[str], rows: Iterable[Row], notes: Sequence[str] = ()
) -> int:
    """A workbook: numbers as numbers, everything else as text; beyond a sheet's rows, further sheets."""
    import xlsxwriter

    book = xlsxwriter.Workbook(
        str(out) if isinstance(out, Path) else out,
        {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "nan_inf_to_errors": True,
        },
    )
    head = book.add_format({"bold": True, "bg_color": "#E8EFF9", "border": 1, "text_wrap": True})
    feed: Iterator[Row] = iter(rows)
    total, first, sheet_number = 0, next(feed, None), 0
    while first is not None or sheet_number == 0:
        sheet_number += 1
        sheet = book.add_worksheet("查询结果" if sheet_number == 1 else f"查询结果{sheet_number}")
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, max(len(names) - 1, 0), 16)
        for column, name in enumerate(names):
            sheet.write_string(0, column, name, head)
        here = chain([first], islice(feed, SHEET_ROWS - 1)) if first is not None else iter(())
        for number, row in enumerate(here, 1):
            for column, value in enumerate(row):
                _write_cell(sheet, number, column, value)
            total += 1
        first = next(feed, None)
    if notes:
        sheet = book.add_worksheet("说明")
        sheet.set_column(0, 0, 100)
        for number, line in enumerate(notes):
            sheet.write_string(number, 0, line[:_CELL_CHARACTERS])
    book.close()
    return total


def _write_cell(sheet: Any, row: int, column: int, value: Any) -> None:
    if value is None:
        return
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        digits = len(value.as_tuple().digits) if isinstance(value, Decimal) else len(str(abs(value)))
        if isinstance(value, float) or digits <= _EXACT_DIGITS:
            sheet.write_number(row, column, value)
            return
    sheet.write_string(row, column, plain(value)[:_CELL_CHARACTERS])


def width(text: str) -> int:
    """Columns a text takes on a terminal."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def format_table(names: Sequence[str], rows: Sequence[Row], *, most: int = 60) -> str:
    """Rows for a terminal: numbers to the right, long texts cut, nulls as a dash."""
    shown = [
        [_cut(plain(value).replace("\n", " "), most) if value is not None else "—" for value in row]
        for row in rows
    ]
    numeric = [
        any(row[column] is not None for row in rows)
        and all(isinstance(row[column], (int, float, Decimal, type(None))) for row in rows)
        for column in range(len(names))
    ]
    widths = [
        max(width(name), *(width(row[column]) for row in shown)) if shown else width(name)
        for column, name in enumerate(names)
    ]

    def line(cells: Sequence[str]) -> str:
        parts = []
        for cell, size, right in zip(cells, widths, numeric, strict=True):
            space = " " * (size - width(cell))
            parts.append(space + cell if right else cell + space)
        return "  ".join(parts).rstrip()

    return "\n".join([line(list(names)), "  ".join("─" * size for size in widths), *map(line, shown)])


def _cut(text: str, most: int) -> str:
    if width(text) <= most:
        return text
    kept, used = [], 0
    for character in text:
        used += width(character)
        if used > most - 1:
            break
        kept.append(character)
    return "".join(kept) + "…"


def duration(value: timedelta | float) -> str:
    """Seconds for a reader."""
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    return f"{seconds * 1000:.0f} 毫秒" if seconds < 1 else f"{seconds:.1f} 秒"
