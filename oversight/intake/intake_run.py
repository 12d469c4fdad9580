"""One intake run: land what is new, judge everything, write the build inputs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import polars as pl

from oversight import durable
from oversight.calendar import notice_zh
from oversight.intake import landed as store
from oversight.intake.judging import corrections
from oversight.intake.judging.deliveries import deliveries, due_dates, last_due_month, without_calendar
from oversight.intake.judging.judge import judge
from oversight.intake.judging.judged import Judged
from oversight.intake.questions import Answers, read_answers
from oversight.intake.sending_back.returning import return_files
from oversight.references import load_references
from oversight.settings import TIME_ZONE, DataFolder


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


def _quiet(_: str) -> None:
    return None


def input_fingerprint(folder: DataFolder) -> str:
    """What there is to build from: contents and the names they first came under.

    A second copy of known content does not change it, nor does a run; a new file does, and where the tables go to
    the last month that was due, so does the passing of a due date.
    """
    now = datetime.now(TIME_ZONE)
    ledger = store.enter(store.read_ledger(folder), store.scan(folder), now)
    return _fingerprint(folder, ledger, corrections.scan(folder), last_due_month(folder, now.date()))


def _fingerprint(
    folder: DataFolder, ledger: pl.DataFrame, correcting: list[store.RawFile], last_due: date | None
) -> str:
    """What was received stays, but corrections count only while they lie there."""
    reported = ledger.filter(~pl.col("file_name").str.starts_with(corrections.PREFIX))
    digest = hashlib.sha256(store.fingerprint(reported).encode())
    for file in correcting:
        digest.update(f"{file.sha256} {file.name}\n".encode())
    if folder.headings.is_file():
        digest.update(b"headings " + folder.headings.read_bytes())
    if last_due:
        digest.update(f"rows until {last_due}\n".encode())
    return digest.hexdigest()


def take_in(folder: DataFolder, *, say: Callable[[str], None] = _quiet, now: datetime) -> IntakeResult:
    """Read new files in raw/, judge all that ever landed, and write the build inputs to `folder.inputs`.

    A file that cannot be used never stops the run; it has its line in `submissions`. Raises `Unbalanced` if the
    rows of a file do not add up, which would be our own mistake.
    """
    folder.landed.mkdir(parents=True, exist_ok=True)
    files = store.scan(folder)
    correcting = corrections.read(folder)
    known = store.read_ledger(folder)
    ledger = store.enter(known, [*files, *(c.file for c in correcting)], now)
    new = ledger.height - known.height
    if new:
        say(f"新收到 {new} 个文件")
        store.write_parquet(ledger, folder.landed / "ledger.parquet", lasting=True)
    landed = _land(folder, files, ledger, say).in_one_piece()
    judged = judge(landed, ledger, correcting, load_references(folder))
    folder.inputs.mkdir(parents=True, exist_ok=True)
    # Written while the workbooks are returned: that is Python's work, the writing is not.
    with ThreadPoolExecutor() as writers:
        writing = [
            writers.submit(store.write_parquet, frame, folder.inputs / f"{name}.parquet", lasting=False)
            for name, frame in _inputs(folder, landed, judged, now.date(), say)
        ]
        result = _result(folder, ledger, correcting, new, judged, now.date())
        say(result.summary_zh)
        return_files(folder, files, landed, judged, say)
    for written in writing:
        written.result()
    return result


def _inputs(
    folder: DataFolder, landed: store.Landed, judged: Judged, today: date, say: Callable[[str], None]
) -> Iterator[tuple[str, pl.DataFrame]]:
    """The build inputs, each as soon as it is there."""
    yield from judged.rows.items()
    yield "payment_coverage", judged.covered
    yield "submissions", judged.submissions
    yield "rejected_rows", judged.rejected
    yield "deliveries", deliveries(landed, judged)
    due = due_dates(folder, judged, today)
    notice = notice_zh(without_calendar(folder, due))
    if notice:
        say(notice)
    yield "due_dates", due


def _result(
    folder: DataFolder,
    ledger: pl.DataFrame,
    correcting: list[corrections.CorrectionFile],
    new: int,
    judged: Judged,
    today: date,
) -> IntakeResult:
    status = judged.submissions["status"]
    return IntakeResult(
        inputs=folder.inputs,
        fingerprint=_fingerprint(folder, ledger, [c.file for c in correcting], last_due_month(folder, today)),
        files=int((status != "duplicate").sum()),
        new_files=new,
        duplicates=int((status == "duplicate").sum()),
        refused=int((status == "refused").sum()),
        **{
            name: int(judged.submissions[name].sum())
            for name in ("rows_read", "rows_accepted", "rows_held", "rows_rejected", "rows_ignored")
        },
    )


def _land(
    folder: DataFolder, files: list[store.RawFile], ledger: pl.DataFrame, say: Callable[[str], None]
) -> store.Landed:
    """Parse what was not parsed yet, or was parsed by other code, and return everything landed."""
    landed, version = store.load(folder)
    current = version == store.code_version()
    answers = read_answers(folder)
    asked = _asked_again(folder, landed, answers) if current else set()
    parsed = set(landed.files["submission_id"]) - asked if current else set()
    first_name = dict(ledger.filter("is_first").select("sha256", "file_name").iter_rows())
    at_hand: dict[str, store.RawFile] = {}
    for file in files:
        # The name it first came under is part of what a file says, wherever the content lies now.
        at_hand.setdefault(file.sha256, replace(file, name=first_name[file.sha256]))
    todo = [f for f in sorted(at_hand.values(), key=lambda f: f.name) if f.submission_id not in parsed]
    asked &= {f.submission_id for f in todo}
    if not todo and current:
        return landed
    if version is not None and not current:
        say(f"读取程序有更新，重新读取 {len(todo)} 个文件")
    batch = store.parse(todo, answers)
    if (current and not asked) or (version is None and landed.files.height == 0):
        if todo:
            store.save(folder, batch, replace_all=False)
        _note_answers(folder, answers)
        return store.combine([landed, batch])
    # Read by other code but no longer in raw/: what was read then is all there is, and it is kept.
    lost = set(landed.files["submission_id"]) - {f.submission_id for f in todo}
    everything = store.combine([store.only(landed, lost), batch])
    store.save(folder, everything, replace_all=True)
    _note_answers(folder, answers)
    return everything


def _asked_again(folder: DataFolder, landed: store.Landed, answers: Answers) -> set[str]:
    """The files that another answer about headings may change, if there are other answers than when they were read."""
    path = folder.landed / "answers"
    before = path.read_text() if path.is_file() else ""
    if before == answers.digest:
        return set()
    turning = ("asked", "answered", "declined")
    return set(landed.headings.filter(pl.col("state").is_in(turning))["submission_id"])


def _note_answers(folder: DataFolder, answers: Answers) -> None:
    path = folder.landed / "answers"
    if answers.digest or path.is_file():
        durable.write_text(path, answers.digest)
