"""One intake run: land what is new, judge everything, write the build inputs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import polars as pl

from oversight import durable
from oversight.calendar import notice_zh
from oversight.intake import ledger as ledger_of
from oversight.intake.judging import corrections
from oversight.intake.judging.deliveries import DELIVERED, deliveries
from oversight.intake.judging.due import due_dates, last_due_month
from oversight.intake.judging.judge import judge
from oversight.intake.judging.judged import Judged
from oversight.intake.landing import land
from oversight.intake.raw_files import RawFile, scan
from oversight.intake.receiving import Received, receive
from oversight.intake.sending_back.returning import return_files
from oversight.references import load_references
from oversight.settings import TIME_ZONE, DataFolder

TABLE_PLACES = ("submission_id", "dataset", "sheet", "header_row", "columns")


@dataclass(frozen=True)
class IntakeResult:
    """What a run took in. Files count each content once; rows are over everything ever received."""

    inputs: Path
    fingerprint: str
    files: int
    new_files: int
    duplicates: int
    refused: int
    rows_read: int
    rows_accepted: int
    rows_held: int
    rows_rejected: int
    rows_ignored: int

    @property
    def summary_zh(self) -> str:
        """One line for the terminal."""
        return (
            f"收到 {self.files} 个文件（本次新增 {self.new_files}，重复 {self.duplicates}，拒收 {self.refused}）；"
            f"共读 {self.rows_read:,} 行：入库 {self.rows_accepted:,}，待确认 {self.rows_held:,}，"
            f"退回 {self.rows_rejected:,}，忽略 {self.rows_ignored:,}。"
        )


def input_fingerprint(folder: DataFolder) -> str:
    """What there is to build from: contents and the names they first came under.

    A second copy of known content does not change it, nor does a run; a new file does, and where the tables go to
    the last month that was due, so does the passing of a due date.
    """
    now = datetime.now(TIME_ZONE)
    ledger = ledger_of.enter(ledger_of.read(folder), scan(folder), now)
    return _fingerprint(folder, ledger, corrections.scan(folder), last_due_month(folder, now.date()))


def _fingerprint(
    folder: DataFolder, ledger: pl.DataFrame, correcting: list[RawFile], last_due: date | None
) -> str:
    """What was received stays, but corrections count only while they lie there."""
    reported = ledger.filter(~pl.col("file_name").str.starts_with(corrections.PREFIX))
    digest = hashlib.sha256(ledger_of.fingerprint(reported).encode())
    for file in correcting:
        digest.update(f"{file.sha256} {file.name}\n".encode())
    if folder.headings.is_file():
        digest.update(b"headings " + folder.headings.read_bytes())
    if last_due:
        digest.update(f"rows until {last_due}\n".encode())
    return digest.hexdigest()


def take_in(
    folder: DataFolder, *, say: Callable[[str], None] = lambda _: None, now: datetime
) -> IntakeResult:
    """Read new files in raw/, judge all that ever landed, and write the build inputs to `folder.inputs`.

    A file that cannot be used never stops the run; it has its line in `submissions`. Raises `Unbalanced` if the
    rows of a file do not add up, which would be our own mistake.
    """
    came = receive(folder, say, now)
    landed = land(folder, came.files, came.ledger, say).in_one_piece()
    judged = judge(landed, came.ledger, came.correcting, load_references(folder), letting_go=True)
    due = due_dates(folder, judged, now.date())
    notice = notice_zh(due.unknown_years)
    if notice:
        say(notice)
    result = _result(folder, came, judged, due.last_month)
    say(result.summary_zh)
    folder.inputs.mkdir(parents=True, exist_ok=True)
    # Written while the workbooks are returned: that is Python's work, the writing is not. One after the other, since
    # each takes memory of its own.
    with ThreadPoolExecutor(1) as writers:
        writing = [
            writers.submit(_write, frame, folder.inputs / f"{name}.parquet")
            for name, frame in _inputs(judged, due.dates)
        ]
        return_files(folder, came.files, landed, judged, say)
    for written in writing:
        written.result()
    # Made of a few of the columns: the others, which are on disk now, are let go first.
    writing.clear()
    judged.rows = {
        name: frame.select(sorted(DELIVERED & set(frame.columns))) for name, frame in judged.rows.items()
    }
    _write(deliveries(judged), folder.inputs / "deliveries.parquet")
    return result


def _inputs(judged: Judged, due: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """What the build is made from, but for `deliveries`."""
    yield from judged.rows.items()
    yield "payment_coverage", judged.covered
    yield "submissions", judged.submissions
    yield "rejected_rows", judged.rejected
    # Not for the models: which column of which sheet a figure stands in, for whoever reads the cells again.
    yield "report_tables", judged.tables.select(TABLE_PLACES)
    yield "due_dates", due


def _write(frame: pl.DataFrame, path: Path) -> None:
    """Write whole or not at all: a reader or a killed run never leaves half a file under this name."""
    with durable.written(path, lasting=False) as aside:
        frame.write_parquet(aside, compression="lz4", statistics=False)


def _result(folder: DataFolder, came: Received, judged: Judged, last_due: date | None) -> IntakeResult:
    status = judged.submissions["status"]
    return IntakeResult(
        inputs=folder.inputs,
        fingerprint=_fingerprint(folder, came.ledger, [c.file for c in came.correcting], last_due),
        files=int((status != "duplicate").sum()),
        new_files=came.new,
        duplicates=int((status == "duplicate").sum()),
        refused=int((status == "refused").sum()),
        **{
            name: int(judged.submissions[name].sum())
            for name in ("rows_read", "rows_accepted", "rows_held", "rows_rejected", "rows_ignored")
        },
    )
