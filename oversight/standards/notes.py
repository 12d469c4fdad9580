"""What is recorded on findings: notices, replies, agreed dates, exemptions, closings. Data beside the standards, kept
across editions.

They stand in CSV files under the data folder's `findings/`, one row a note, with the columns below in Chinese or
English. A note never hides a finding; it is shown with it. Whatever is done about a finding, in the browser or by
`oversight finding`, is such a row too (`oversight.workflow.following` adds it) and bears an `action_id`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oversight.errors import OversightError
from oversight.settings import DataFolder

if TYPE_CHECKING:
    import polars as pl

_COLUMNS = {
    "finding_id": "问题编号",
    "kind": "类别",
    "recorded_on": "记录日期",
    "text_zh": "内容",
    "agreed_on": "约定日期",
    "exempt_until": "豁免至",
    "approver": "批准人",
    "recorded_by": "记录人",
    "owner": "责任人",
    "attachments": "附件",
    "action_id": "办理编号",
    "acted_at": "办理时间",
}
_REQUIRED = ("finding_id", "kind", "recorded_on", "text_zh")
_DATES = ("recorded_on", "agreed_on", "exempt_until")
KINDS = {
    "通知": "notice",
    "答复": "reply",
    "约定整改": "agreed",
    "豁免": "exemption",
    "指定责任人": "assigned",
    "提请核销": "done",
    "退回": "returned",
    "核销": "closed",
    "取消豁免": "exemption_end",
    "重新打开": "reopened",
    "备注": "remark",
}
_KINDS_ZH = {kind: title for title, kind in KINDS.items()}
_KIND_AT = list(_COLUMNS).index("kind")
# What was done in the browser or by `oversight finding` stands in files that begin so, one for each month.
ACTIONS = "办理_"
HEADS: tuple[str, ...] = tuple(_COLUMNS.values())
# What a kind cannot do without, besides what every note needs.
_NEEDED: dict[str, tuple[str, str]] = {
    "exemption": ("approver", "豁免须写明批准人"),
    "agreed": ("agreed_on", "约定整改须写明约定日期"),
    "closed": ("approver", "核销须写明核销人（批准人一列）"),
    "assigned": ("owner", "指定责任人须写明责任人"),
}
_FINDING_ID = re.compile(r"^[^/]+/.+/\d{4}-(0[1-9]|1[0-2])$")


class FindingNoteError(OversightError, ValueError):
    """A note that cannot be kept; the message says in Chinese where, what and what to do."""


def note_files(folder: DataFolder | None) -> list[Path]:
    """The files of notes, in the order in which they are read."""
    if folder is None:
        return []
    place = folder.root / "findings"
    try:
        # Asked again for each letter, so without looking for patterns.
        return sorted(path for path in place.iterdir() if path.name.endswith(".csv"))
    except (FileNotFoundError, NotADirectoryError):
        return []


def load_finding_notes(folder: DataFolder | None) -> pl.DataFrame:
    """Every note: its number and columns, and the name of its file. Raises FindingNoteError for one that cannot be
    understood."""
    # The pipeline alone wants a frame; the dashboard, which reads the same files, does without Polars.
    import polars as pl

    schema: dict[str, pl.DataType] = {
        **{name: pl.Date() if name in _DATES else pl.String() for name in _COLUMNS},
        "file_name": pl.String(),
    }
    # One file after the other: a country's year has two million.
    frames = [
        pl.DataFrame(read_notes(path), schema=schema, infer_schema_length=None) for path in note_files(folder)
    ]
    return (
        pl.concat([pl.DataFrame(schema=schema), *frames])
        .with_row_index("note_no", 1)
        .cast({"note_no": pl.Int64()})
    )


def read_notes(path: Path) -> list[dict[str, Any]]:
    """The notes of one file, without their numbers. Raises FindingNoteError."""
    return [_note(path, number, row) for number, row in enumerate(_read(path), 2)]


def parsed(path: Path, rows: Iterable[Sequence[str]], number: int) -> list[dict[str, Any]]:
    """Rows under `HEADS`, as they were put into a file from line `number` on, as `read_notes` would read them."""
    return [
        _note(path, at, {name: cell.strip() for name, cell in zip(_COLUMNS, row, strict=True)})
        for at, row in enumerate(rows, number)
    ]


def written(note: Mapping[str, Any]) -> list[str]:
    """A note as a row under `HEADS`."""
    texts = ["" if (value := note.get(name)) is None else str(value) for name in _COLUMNS]
    texts[_KIND_AT] = _KINDS_ZH[texts[_KIND_AT]]
    return texts


def _read(path: Path) -> list[dict[str, str]]:
    content = path.read_bytes()
    if path.name.startswith(ACTIONS):
        # A line without its end is being written at this moment, or was when the machine stopped.
        content = content[: content.rfind(b"\n") + 1]
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


def _note(path: Path, number: int, row: dict[str, str]) -> dict[str, Any]:
    where = f"findings/{path.name} 第 {number} 行"
    note: dict[str, Any] = {name: row.get(name) or None for name in _COLUMNS}
    note["file_name"] = path.name
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
    column, said = _NEEDED.get(kind, ("text_zh", ""))
    if note[column] is None:
        raise FindingNoteError(f"{where}：{said}。请补填后重新运行。")
    return note
