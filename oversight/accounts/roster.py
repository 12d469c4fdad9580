"""The same person on the rosters of two townships, told without keeping who it is.

Names and ID numbers live in memory while the rosters are compared, as a keyed digest whose key is gone when the
command ends; what is told is the townships and a name's first character.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oversight.errors import OversightError
from oversight.personal import has_right_check_digit

_HEADS = {
    "township": re.compile(r"乡镇|街道|区划|单位"),
    "name": re.compile(r"姓名"),
    "number": re.compile(r"身份证|证件号|公民身份号码"),
}
_HEAD_ROWS = 10


@dataclass(frozen=True, repr=False)
class Row:
    """A line of a roster; never shown, kept or logged."""

    township: str
    name: str
    number: str
    place: str


@dataclass(frozen=True)
class Finding:
    """What came of it; nothing in it says who somebody is."""

    persons: int
    townships: int
    doubles: int
    wrong_numbers: int
    without_number: int
    lines: tuple[str, ...]


def read(path: Path) -> list[Row]:
    """The lines of a roster in Excel or CSV. Raises `OversightError` that names the file and never a person."""
    try:
        sheets = dict(_sheets(path))
    except OversightError:
        raise
    except Exception as error:
        raise OversightError(
            f"名册 {path.name} 不能读取（{type(error).__name__}）。请另存为 xlsx 或 UTF-8 的 CSV。"
        ) from None
    found: list[Row] = []
    for title, rows in sheets.items():
        head, places = _head(rows)
        if places is None:
            continue
        for number, row in enumerate(rows[head + 1 :], head + 2):
            told = {key: row[at].strip() if at < len(row) else "" for key, at in places.items()}
            if told["name"] and told["township"]:
                place = f"{path.name}{f'“{title}”' if title else ''}第 {number} 行"
                found.append(
                    Row(told["township"], re.sub(r"\s", "", told["name"]), told["number"].upper(), place)
                )
    if not found:
        raise OversightError(f"名册 {path.name} 里没有找到“乡镇”“姓名”“身份证号”三列都有的表。请检查表头。")
    return found


def check(rows: Iterable[Row]) -> Finding:
    """Compare names with ID numbers; whose number lacks or fails its check digit is counted and not compared."""
    key = secrets.token_bytes(32)
    seen: dict[bytes, dict[str, str]] = {}
    initials: dict[bytes, str] = {}
    townships, lines = set(), []
    wrong = without = 0
    for row in rows:
        townships.add(row.township)
        if not row.number:
            without += 1
            continue
        if not has_right_check_digit(row.number):
            wrong += 1
            lines.append(f"{row.place}：身份证号位数或校验码不对，未参与比对。请向报送单位核实。")
            continue
        who = hashlib.blake2b(f"{row.name}\n{row.number}".encode(), key=key).digest()
        initials[who] = row.name[:1]
        seen.setdefault(who, {}).setdefault(row.township, row.place)
    doubles = [(initials[who], places) for who, places in seen.items() if len(places) > 1]
    lines += [
        f"{initial}某：同时在{'、'.join(places)}的名册上（{'；'.join(places.values())}）。请核实在岗单位。"
        for initial, places in doubles
    ]
    return Finding(len(seen), len(townships), len(doubles), wrong, without, tuple(lines))


def _head(rows: Sequence[Sequence[str]]) -> tuple[int, dict[str, int] | None]:
    for number, row in enumerate(rows[:_HEAD_ROWS]):
        places = {
            key: at
            for key, pattern in _HEADS.items()
            for at in [next((at for at, text in enumerate(row) if pattern.search(text)), None)]
            if at is not None
        }
        if len(places) == len(_HEADS):
            return number, places
    return 0, None


def _sheets(path: Path) -> Iterator[tuple[str, list[list[str]]]]:
    if path.suffix.lower() == ".csv":
        data = path.read_bytes()
        for encoding in ("utf-8-sig", "gb18030"):
            try:
                yield "", list(csv.reader(io.StringIO(data.decode(encoding))))
                return
            except UnicodeDecodeError:
                continue
        raise OversightError(f"名册 {path.name} 的编码不是 UTF-8 或 GB18030。请另存后再试。")
    from python_calamine import CalamineWorkbook

    with CalamineWorkbook.from_path(str(path)) as book:
        for name in book.sheet_names:
            yield name, [[_text(cell) for cell in row] for row in book.get_sheet_by_name(name).to_python()]


def _text(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)
