"""What analysts record on findings: notices, replies, agreed dates, exemptions. Data beside the standards, kept across editions.

They stand in CSV files under the data folder's `findings/`, one row a note, with the columns below in Chinese or
English. A note never hides a finding; it is shown with it.
"""

from __future__ import annotations

import csv
import re
from datetime import date
from pathlib import Path

import polars as pl

from oversight.settings import DataFolder

_COLUMNS = {
    "finding_id": "问题编号",
    "kind": "类别",
    "recorded_on": "记录日期",
    "text_zh": "内容",
    "agreed_on": "约定日期",
    "exempt_until": "豁免至",
    "approver": "批准人",
    "recorded_by": "记录人",
}
_REQUIRED = ("finding_id", "kind", "recorded_on", "text_zh")
_DATES = ("recorded_on", "agreed_on", "exempt_until")
KINDS = {"通知": "notice", "答复": "reply", "约定整改": "agreed", "豁免": "exemption"}
SCHEMA: dict[str, pl.DataType] = {
    "note_no": pl.Int64(),
    **{name: pl.Date() if name in _DATES else pl.String() for name in _COLUMNS},
    "file_name": pl.String(),
}
_FINDING_ID = re.compile(r"^[^/]+/.+/\d{4}-(0[1-9]|1[0-2])$")


class FindingNoteError(ValueError):
    """A note that cannot be kept; the message says in Chinese where, what and what to do."""


def note_files(folder: DataFolder | None) -> list[Path]:
    """The files of notes, in the order in which they are read."""
    return sorted((folder.root / "findings").glob("*.csv")) if folder else []


def load_finding_notes(folder: DataFolder | None) -> pl.DataFrame:
    """Every note, numbered, as `SCHEMA` has it. Raises FindingNoteError for one that cannot be understood."""
    rows: list[dict[str, object]] = []
    for path in note_files(folder):
        for number, row in enumerate(_read(path), 2):
            rows.append(_note(path, number, row) | {"note_no": len(rows) + 1, "file_name": path.name})
    return pl.DataFrame(rows, schema=SCHEMA, infer_schema_length=None)


def _read(path: Path) -> list[dict[str, str]]:
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030", errors="replace")
    rows = list(csv.reader(text.splitlines(keepends=True)))
    if not rows:
        return []
    names = {title: name for name, title in _COLUMNS.items()} | {name: name for name in _COLUMNS}
    header = [names.get(cell.strip(), "") for cell in rows[0]]
    if lacking := [_COLUMNS[name] for name in _REQUIRED if name not in header]:
        raise FindingNoteError(
            f"findings/{path.name} 第 1 行：缺少列 {'、'.join(lacking)}。请补齐后重新运行。"
        )
    return [
        {name: cell.strip() for name, cell in zip(header, row, strict=False) if name}
        for row in rows[1:]
        if any(row)
    ]


def _note(path: Path, number: int, row: dict[str, str]) -> dict[str, object]:
    where = f"findings/{path.name} 第 {number} 行"
    note: dict[str, object] = {name: row.get(name) or None for name in _COLUMNS}
    for name in _REQUIRED:
        if note[name] is None:
            raise FindingNoteError(f"{where}：缺少“{_COLUMNS[name]}”。请补填后重新运行。")
    if not _FINDING_ID.match(str(note["finding_id"])):
        raise FindingNoteError(
            f"{where}：“{note['finding_id']}”不是问题编号。请照问题台账 findings 表的 finding_id 填写，"
            "如 A-06/360313108/2025-04。"
        )
    kind = KINDS.get(str(note["kind"]), str(note["kind"]))
    if kind not in KINDS.values():
        raise FindingNoteError(f"{where}：类别“{note['kind']}”未知，可用：{'、'.join(KINDS)}。")
    note["kind"] = kind
    for name in _DATES:
        if note[name] is not None:
            try:
                note[name] = date.fromisoformat(str(note[name]).replace("/", "-"))
            except ValueError:
                raise FindingNoteError(
                    f"{where}“{_COLUMNS[name]}”列：“{note[name]}”不是日期，请写成 2025-01-01。"
                ) from None
    if kind == "exemption" and note["approver"] is None:
        raise FindingNoteError(f"{where}：豁免须写明批准人。请补填后重新运行。")
    if kind == "agreed" and note["agreed_on"] is None:
        raise FindingNoteError(f"{where}：约定整改须写明约定日期。请补填后重新运行。")
    return note
