"""A reviewer's answers, as rows of the corrections that every run reads: `corrections/审核<year>-<month>.csv`.

    确认   a held figure is right and is used        退回   a row of a file is not used, and says why
    核实   a doubt about a row was looked into

The same answer again adds nothing. What a row does not fit any more (the figure was reported anew) is told by the run,
as with every correction.
"""

from __future__ import annotations

import csv
import fcntl
import io
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Literal

from oversight import durable
from oversight.errors import OversightError
from oversight.settings import TIME_ZONE, DataFolder

Kind = Literal["确认", "退回", "核实"]
REASON_CHARACTERS = 500


class ReviewError(OversightError):
    """What a reviewer asked for cannot be done; the sentence says why and what to do."""


@contextmanager
def one_at_a_time(folder: DataFolder) -> Iterator[None]:
    """Reviewers of one folder, in whichever process, one after the other; the kernel frees it with the process."""
    folder.reviews.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder.reviews / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def reason_of(text: str, *, wanted: bool, what: str) -> str:
    """A reason as it may stand in a table that people open in Excel. Raises `ReviewError` where one is wanted."""
    reason = " ".join(text.split())[:REASON_CHARACTERS].lstrip("=+-@ ")
    if wanted and not reason:
        raise ReviewError(f"{what}要写明原因，没有处理。请写明原因后再提交。")
    return reason


def answer(
    kind: Kind,
    *,
    dataset: str,
    month: str,
    code: str,
    sha256: str,
    sheet: str | None,
    row: int,
    reason: str,
    by: str,
    column: str = "",
    value: str = "",
) -> dict[str, str]:
    """A row of the file. `dataset` and `column` by name or title, `value` in the column's own unit."""
    return {
        "类型": kind,
        "数据集": dataset,
        "统计月份": month,
        "区划代码": code,
        "数据列": column,
        "原值": value,
        "新值": "",
        "原因": reason,
        "提出人": by,
        "日期": f"{datetime.now(TIME_ZONE):%Y-%m-%d}",
        "文件": sha256,
        "工作表": sheet or "",
        "行": str(row),
    }


def add(folder: DataFolder, rows: Iterable[Mapping[str, str]]) -> None:
    """Add answers. Call it under `one_at_a_time`."""
    from oversight.intake.own_files import CORRECTION_TITLES, PLACE_TITLES

    titles = (*CORRECTION_TITLES, *PLACE_TITLES)
    path = folder.corrections / f"审核{datetime.now(TIME_ZONE):%Y-%m}.csv"
    before = _read(path.read_bytes()) if path.is_file() else []
    known = {_key(row) for row in before}
    new = [row for row in rows if _key(row) not in known]
    if not new:
        return
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, titles, lineterminator="\r\n", extrasaction="ignore", restval="")
    writer.writeheader()
    writer.writerows([*before, *new])
    durable.write_bytes(path, b"\xef\xbb\xbf" + text.getvalue().encode())


def given(folder: DataFolder) -> list[dict[str, str]]:
    """Every answer that stands in a file of reviewers."""
    return [row for path in sorted(folder.corrections.glob("审核*.csv")) for row in _read(path.read_bytes())]


def place(row: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """What an answer speaks of: file, sheet, row and, for a figure, its column."""
    return (row["文件"][:16], row["工作表"], row["行"], row["数据列"])


def _key(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (row["类型"], *place(row), row["原值"], row["统计月份"])


def _read(content: bytes) -> list[dict[str, str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # As Excel saves it.
        text = content.decode("gb18030", errors="replace")
    rows = csv.DictReader(io.StringIO(text, newline=""))
    names = ("类型", "数据列", "原值", "统计月份", "文件", "工作表", "行")
    return [
        {**dict.fromkeys(names, ""), **{k: v or "" for k, v in row.items() if k}}
        for row in rows
        if any(row.values())
    ]
