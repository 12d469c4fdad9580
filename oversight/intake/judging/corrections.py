"""Corrections and confirmations by the analyst: data, not edits.

CSV files in the data folder's corrections/, a row each:

    类型,数据集,统计月份,区划代码,数据列,原值,新值,原因,提出人,日期

更正 puts a new figure in the place of the one that counts, which stays in the history; 确认 says that a figure
that was held is right. Both name the value they speak of: if the source has changed under them they are not
applied, and say so.

退回 and 核实 are a reviewer's: a row of a file is sent back and not used, or a doubt about it was looked into. They
name the row itself, in three columns more: 文件 (the file's SHA-256), 工作表, 行.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from oversight.archive import store as archive
from oversight.contracts import ALL_DATASETS, DATASETS
from oversight.intake.own_files import CORRECTION_TITLES, PLACE_TITLES
from oversight.intake.raw_files import RawFile, readable
from oversight.intake.reading import values
from oversight.intake.reading.delimited import decode
from oversight.intake.reading.found import Unreadable
from oversight.intake.reading.text import fold, plain
from oversight.intake.reading.values import Problem
from oversight.settings import DataFolder

PREFIX = "corrections/"

_DIGEST = re.compile(r"[0-9a-f]{64}")
_PARSERS: dict[str, Callable[[str], Any]] = {
    "money": values.money,
    "count": values.count,
    "bool": values.yes_no,
}


@dataclass(frozen=True)
class Correction:
    """One row: a figure to be replaced (更正) or to be let through (确认)."""

    row_number: int
    is_confirmation: bool
    dataset: str
    month: date
    code: str
    column: str
    expected: Any
    value: Any
    reason: str
    by: str


@dataclass(frozen=True)
class Reviewed:
    """A row of a report that was sent back (退回), or whose doubts were looked into (核实)."""

    row_number: int
    is_return: bool
    dataset: str
    month: date | None
    submission_id: str
    sheet: str | None
    at: int
    reason: str
    by: str


@dataclass(frozen=True)
class Faulty:
    """A row that cannot be understood: which cell, and why."""

    row_number: int
    title: str
    value: str


@dataclass(frozen=True)
class CorrectionFile:
    """A file of corrections as it lies there now."""

    file: RawFile
    rows: tuple[Correction, ...]
    faulty: tuple[Faulty, ...]
    reviewed: tuple[Reviewed, ...] = ()


def _contents(folder: DataFolder) -> list[tuple[RawFile, bytes]]:
    """Each file read once: what is judged is what was hashed."""
    if not folder.corrections.is_dir():
        return []
    found = []
    for path in sorted(folder.corrections.glob("*.csv")):
        if not path.name.startswith((".", "~$")):
            content = path.read_bytes()
            name = PREFIX + readable(path.name)
            found.append((RawFile(name, path, hashlib.sha256(content).hexdigest()), content))
    return found


def scan(folder: DataFolder) -> list[RawFile]:
    """The correction files that lie in the folder now, by name."""
    return [file for file, _ in _contents(folder)]


def read(folder: DataFolder, *, keeping: bool = False) -> list[CorrectionFile]:
    """All corrections, by file name; a file that is no such table has one faulty row.

    `keeping` puts them into the archive, where the figures that they replace can still be traced to them.
    """
    files = {file.sha256: (file, content) for file, content in reversed(_contents(folder))}
    if keeping:
        for _, content in files.values():
            archive.keep(folder, content)
    return [_read_file(*item) for item in sorted(files.values(), key=lambda item: item[0].name)]


def _read_file(file: RawFile, content: bytes) -> CorrectionFile:
    try:
        table = list(csv.reader(io.StringIO(decode(content, file.name), newline="")))
    except (Unreadable, csv.Error):
        return CorrectionFile(file, (), (Faulty(1, "文件", file.name),))
    header = [fold(title) for title in table[0]] if table else []
    missing = [title for title in CORRECTION_TITLES if title not in header]
    if missing:
        return CorrectionFile(file, (), (Faulty(1, "、".join(missing), "缺少此列"),))
    rows: list[Correction] = []
    faulty: list[Faulty] = []
    reviewed: list[Reviewed] = []
    for number, line in enumerate(table[1:], start=2):
        if not any(cell.strip() for cell in line):
            continue
        cells = dict(zip(header, line + [""] * (len(header) - len(line)), strict=False))
        found = _read_row(number, cells)
        if isinstance(found, Correction):
            rows.append(found)
        elif isinstance(found, Reviewed):
            reviewed.append(found)
        else:
            faulty.append(found)
    return CorrectionFile(file, tuple(rows), tuple(faulty), tuple(reviewed))


def _read_review(number: int, cells: dict[str, str], *, is_return: bool) -> Reviewed | Faulty:
    dataset = next((c for c in ALL_DATASETS.values() if fold(cells["数据集"]) in (c.name, c.title_zh)), None)
    month = values.month(cells["统计月份"]) if cells["统计月份"].strip() else None
    told = {title: cells.get(title, "").strip() for title in PLACE_TITLES}
    is_right = {
        "数据集": dataset is not None,
        "统计月份": month is None or isinstance(month, date),
        "文件": bool(_DIGEST.fullmatch(told["文件"])),
        "行": told["行"].isascii() and told["行"].isdigit(),
        "原因": bool(cells["原因"].strip()),
        "提出人": bool(cells["提出人"].strip()),
    }
    wrong = next((title for title, holds in is_right.items() if not holds), None)
    if wrong is not None or dataset is None:
        return Faulty(number, wrong or "数据集", cells.get(wrong or "数据集", ""))
    return Reviewed(
        row_number=number,
        is_return=is_return,
        dataset=dataset.name,
        month=month if isinstance(month, date) else None,
        submission_id=told["文件"][:16],
        sheet=told["工作表"] or None,
        at=int(told["行"]),
        reason=cells["原因"].strip(),
        by=cells["提出人"].strip(),
    )


def _read_row(number: int, cells: dict[str, str]) -> Correction | Reviewed | Faulty:
    def wrong(title: str) -> Faulty:
        return Faulty(number, title, cells[title])

    kind = fold(cells["类型"])
    if kind in ("退回", "核实"):
        return _read_review(number, cells, is_return=kind == "退回")
    if kind not in ("更正", "确认"):
        return wrong("类型")
    dataset = next((c for c in DATASETS.values() if fold(cells["数据集"]) in (c.name, c.title_zh)), None)
    if dataset is None or "reported_code" not in dataset.columns:
        return wrong("数据集")
    month, code = values.month(cells["统计月份"]), values.code(cells["区划代码"])
    if not isinstance(month, date):
        return wrong("统计月份")
    if not isinstance(code, str):
        return wrong("区划代码")
    wanted = plain(cells["数据列"])
    names = {plain(t): c for c in dataset.measures for t in (c.label_zh, c.title_zh, c.name)}
    column = names.get(wanted)
    if column is None:
        return wrong("数据列")
    parse: Callable[[str], Any] = _PARSERS[column.kind]
    expected, value = parse(cells["原值"]), parse(cells["新值"])
    for title, parsed in (("原值", expected), ("新值", value)):
        if isinstance(parsed, Problem):
            return wrong(title)
    if kind == "确认" and expected is None:
        return wrong("原值")
    for title in ("原因", "提出人"):
        if not cells[title].strip():
            return wrong(title)
    return Correction(
        row_number=number,
        is_confirmation=kind == "确认",
        dataset=dataset.name,
        month=month,
        code=code,
        column=column.name,
        expected=expected,
        value=value,
        reason=cells["原因"].strip(),
        by=cells["提出人"].strip(),
    )


def same(one: Any, other: Any) -> bool:
    """Whether two figures are the same, blank equal to blank only."""
    if one is None or other is None:
        return one is None and other is None
    return Decimal(str(one)) == Decimal(str(other)) if not isinstance(one, bool) else one is other
