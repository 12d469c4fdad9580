"""One intake run: land what is new, judge everything, write the build inputs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl

from oversight.archive import store as archive
from oversight.archive.sums import Damaged
from oversight.calendar import notice_zh
from oversight.errors import OversightError
from oversight.intake import landed as store
from oversight.intake import ledger as ledger_of
from oversight.intake.judging import corrections
from oversight.intake.judging.deliveries import deliveries, due_dates, last_due_month, without_calendar
from oversight.intake.judging.judge import judge
from oversight.intake.judging.judged import Judged
from oversight.intake.questions import Answers, read_answers
from oversight.intake.sending_back.returning import return_files
from oversight.references import load_references
from oversight.settings import TIME_ZONE, DataFolder, folder_settings

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


def _quiet(_: str) -> None:
    return None


def input_fingerprint(folder: DataFolder) -> str:
    """What there is to build from: contents and the names they first came under.

    A second copy of known content does not change it, nor does a run; a new file does, and where the tables go to
    the last month that was due, so does the passing of a due date.
    """
    now = datetime.now(TIME_ZONE)
    ledger = store.enter(ledger_of.read(folder), store.scan(folder), now)
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
    archive.clear_leftovers(folder)
    _delete_due(folder, now.date(), say)
    known = ledger_of.read(folder)
    files = store.scan(folder)
    correcting = corrections.read(folder, keeping=True)
    ledger = store.enter(known, [*files, *(c.file for c in correcting)], now)
    new = ledger.height - known.height
    is_whole = ledger_of.is_whole(folder)
    if not is_whole and known.height:
        say("收文台账与流水不一致（上次运行中断或文件损坏），已由流水补齐")
    if new:
        say(f"新收到 {new} 个文件")
    if new or not is_whole:
        ledger_of.write(folder, ledger)
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
    # Not for the models: which column of which sheet a figure stands in, for whoever reads the cells again.
    yield "report_tables", judged.tables.select(TABLE_PLACES)
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


def _delete_due(folder: DataFolder, today: date, say: Callable[[str], None]) -> None:
    deleted = archive.delete_due(folder, today)
    if deleted:
        say(f"{len(deleted)} 份含个人信息的存档已到删除日期，已删除；校验值和收文记录保留")


def read_again(folder: DataFolder) -> Path:
    """A mark that the next run reads everything from the archive again, whatever was landed."""
    return folder.work / "read_again"


def _land(
    folder: DataFolder, files: list[store.RawFile], ledger: pl.DataFrame, say: Callable[[str], None]
) -> store.Landed:
    """Parse what was not parsed yet, was parsed by other code or is damaged, and return everything landed."""
    loaded = store.load_sound(folder)
    landed = loaded.landed
    again = read_again(folder)
    current = loaded.version == store.code_version() and not again.exists()
    answers = read_answers(folder)
    asked = _asked_again(loaded, answers) if current else set()
    parsed = set(landed.files["submission_id"]) - asked if current else set()
    at_hand = _at_hand(folder, files, ledger)
    todo = [f for f in sorted(at_hand.values(), key=lambda f: f.name) if f.submission_id not in parsed]
    asked &= {f.submission_id for f in todo}
    had_any = bool(store.batch_folders(folder))
    _refuse_what_is_lost(folder, ledger, landed, at_hand, loaded.damaged)
    if not todo and not loaded.damaged and (current or not had_any):
        again.unlink(missing_ok=True)
        return landed
    if loaded.damaged:
        say(f"落库数据 {loaded.damaged[0].path} 已损坏，已弃用，正从存档重新读取")
    elif again.exists():
        say(f"从存档重新读取 {len(todo)} 个文件")
    elif had_any and not current:
        say(f"读取程序有更新，重新读取 {len(todo)} 个文件")
    batch = _parse(folder, todo, answers, files, say)
    if (current and not asked and not loaded.damaged) or not had_any:
        if todo:
            store.save(folder, batch, answers.digest, replace_all=False)
        again.unlink(missing_ok=True)
        return store.combine([landed, batch])
    # Read by other code and kept nowhere since: what was read then is all there is, and it is kept.
    lost = set(landed.files["submission_id"]) - {f.submission_id for f in todo}
    everything = store.combine([store.only(landed, lost), batch])
    store.save(folder, everything, answers.digest, replace_all=True)
    again.unlink(missing_ok=True)
    return everything


def land(folder: DataFolder, say: Callable[[str], None], now: datetime) -> None:
    """Read what is not landed, or landed and damaged, from the archive. Call it under the run's lock."""
    ledger = store.enter(ledger_of.read(folder), store.scan(folder), now)
    _land(folder, store.scan(folder), ledger, say)


def _at_hand(
    folder: DataFolder, files: list[store.RawFile], ledger: pl.DataFrame
) -> dict[str, store.RawFile]:
    """Every content ever received that can be read now, under the name that it first came under.

    The name is part of what a file says, wherever the content lies now.
    """
    there = set(archive.contents(folder))
    not_opened = {f.sha256: f for f in files if f.refusal is not None}
    found: dict[str, store.RawFile] = {}
    for sha256, name in ledger.filter("is_first").select("sha256", "file_name").iter_rows():
        if name.startswith(corrections.PREFIX):
            continue
        if sha256 in not_opened:
            found[sha256] = replace(not_opened[sha256], name=name)
        elif sha256 in there:
            found[sha256] = store.RawFile(name, archive.place(folder, sha256), sha256)
    return found


def _refuse_what_is_lost(
    folder: DataFolder,
    ledger: pl.DataFrame,
    landed: store.Landed,
    at_hand: dict[str, store.RawFile],
    damaged: tuple[Damaged, ...],
) -> None:
    """Raise, naming them, where contents that came are neither landed nor in the archive, or the ledger has forgotten them."""
    forgotten = set(landed.files["submission_id"]) - {sha256[:16] for sha256 in ledger["sha256"]}
    if forgotten:
        raise OversightError(
            f"收文台账 {ledger_of.ledger_path(folder)} 里没有已经读入的 {len(forgotten)} 份文件：它和流水"
            f" {ledger_of.journal_path(folder)} 被换成了以前的，未发布新版本。请从备份恢复这两个文件，再重新运行。"
        )
    sound = set(landed.files["submission_id"])
    names = [
        name
        for sha256, name in ledger.filter("is_first").select("sha256", "file_name").iter_rows()
        if sha256 not in at_hand and sha256[:16] not in sound and not name.startswith(corrections.PREFIX)
    ]
    if names:
        what = (
            f"落库数据 {damaged[0].path} 已损坏，其中"
            if damaged
            else f"落库数据 {folder.landed / 'batches'} 有缺失："
        )
        raise OversightError(
            f"{what} {len(names)} 份文件（如“{names[0]}”）存档里没有，无法重新读取，"
            "未发布新版本。请从备份恢复，或把这些原始文件放回 raw 后重新运行。"
        )


def _parse(
    folder: DataFolder,
    todo: list[store.RawFile],
    answers: Answers,
    files: list[store.RawFile],
    say: Callable[[str], None],
) -> store.Landed:
    """Read contents from the archive; one that was damaged there is put right from raw/ if it still lies there."""
    raw = {f.sha256: f.path for f in files if f.refusal is None}
    while True:
        try:
            batch, personal = store.parse(todo, answers, folder)
            break
        except archive.ArchiveError as damage:
            path = raw.pop(damage.sha256, None)
            if path is None or archive.keep_file(folder, path)[0] != damage.sha256:
                raise
            say(f"存档文件 {damage.sha256} 已损坏，已用 raw 中的同一文件补上")
    new = sorted(personal - {item.sha256 for item in archive.personal(folder) if not item.deleted_on})
    if new:
        days = folder_settings(folder).personal_days
        until = datetime.now(TIME_ZONE).date() + timedelta(days=days)
        for sha256 in new:
            archive.encrypt(folder, sha256, until)
        say(
            f"{len(new)} 份文件含身份证号、银行账号等个人信息列，已加密存档，{until} 删除；"
            f"raw 中的原件请自行移走，密钥 {folder.root / archive.KEY} 请另行妥善保管"
        )
    return batch


def _asked_again(loaded: store.Loaded, answers: Answers) -> set[str]:
    """The files that another answer about headings may change, if there are other answers than when they were read."""
    if loaded.answers == answers.digest:
        return set()
    turning = ("asked", "answered", "declined")
    headings = loaded.landed.headings
    return set(headings.filter(pl.col("state").is_in(turning))["submission_id"])
