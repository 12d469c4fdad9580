"""What has come: the files in raw/ and the analyst's corrections, kept in the archive and entered into the ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from oversight.archive import store as archive
from oversight.archive.retention import delete_what_never_counted
from oversight.intake import ledger as ledger_of
from oversight.intake.judging import corrections
from oversight.intake.raw_files import RawFile, scan
from oversight.settings import DataFolder


@dataclass(frozen=True)
class Received:
    """The files that lie in raw/ now, the corrections likewise, and the ledger with all that ever came.

    `new`: how many of the ledger's rows are of this run.
    """

    files: list[RawFile]
    correcting: list[corrections.CorrectionFile]
    ledger: pl.DataFrame
    new: int


def receive(folder: DataFolder, say: Callable[[str], None], now: datetime) -> Received:
    """Keep what is new, delete what is due to be deleted, and bring the ledger up to date."""
    archive.clear_leftovers(folder)
    deleted = archive.delete_due(folder, now.date())
    if deleted:
        say(f"{len(deleted)} 份含个人信息的存档已到删除日期，已删除；校验值和收文记录保留")
    # Read before anything is kept: of a ledger that cannot be relied on nothing is changed or deleted.
    known = ledger_of.read(folder)
    if never_counted := delete_what_never_counted(folder, known["sha256"], now.date()):
        say(f"{never_counted} 份审核退回或撤回的存档已满 archive_days，已删除；审核记录保留")
    files = scan(folder)
    correcting = corrections.read(folder, keeping=True)
    ledger = ledger_of.enter(known, [*files, *(c.file for c in correcting)], now)
    new = ledger.height - known.height
    is_whole = ledger_of.is_whole(folder)
    if not is_whole and known.height:
        say("收文台账与流水不一致（上次运行中断或文件损坏），已由流水补齐")
    if new:
        say(f"新收到 {new} 个文件")
    if new or not is_whole:
        ledger_of.write(folder, ledger)
    return Received(files, correcting, ledger, new)
