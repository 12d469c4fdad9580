"""From what was received to what is landed: which contents are to be read, read again, or are lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from oversight.archive import store as archive
from oversight.archive.sums import Damaged
from oversight.errors import OversightError
from oversight.intake import landed as store
from oversight.intake import ledger as ledger_of
from oversight.intake.gathering import parse
from oversight.intake.judging import corrections
from oversight.intake.questions import Answers, read_answers
from oversight.intake.raw_files import RawFile
from oversight.settings import TIME_ZONE, DataFolder, folder_settings


def read_again(folder: DataFolder) -> Path:
    """A mark that the next run reads everything from the archive again, whatever was landed."""
    return folder.work / "read_again"


def land(
    folder: DataFolder, files: list[RawFile], ledger: pl.DataFrame, say: Callable[[str], None]
) -> store.Landed:
    """Parse what was not parsed yet, was parsed by other code or is damaged, and return everything landed.

    `files` lie in raw/ now; all that `ledger` tells of is read from the archive. Call it under the run's lock.
    """
    loaded = store.load_sound(folder)
    answers = read_answers(folder)
    kept = {sha256: archive.place(folder, sha256) for sha256 in archive.contents(folder)}
    landed, had_any = loaded.landed, loaded.had_any
    again = read_again(folder)
    current = loaded.is_of_this_code and not again.exists()
    asked = _asked_again(loaded, answers) if current else set()
    parsed = set(landed.files["submission_id"]) - asked if current else set()
    at_hand = _at_hand(files, ledger, kept)
    todo = [f for f in sorted(at_hand.values(), key=lambda f: f.name) if f.submission_id not in parsed]
    asked &= {f.submission_id for f in todo}
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


def _at_hand(files: list[RawFile], ledger: pl.DataFrame, kept: Mapping[str, Path]) -> dict[str, RawFile]:
    """Every content ever received that can be read now, under the name that it first came under.

    The name is part of what a file says, wherever the content lies now.
    """
    not_opened = {f.sha256: f for f in files if f.refusal is not None}
    found: dict[str, RawFile] = {}
    for sha256, name in ledger.filter("is_first").select("sha256", "file_name").iter_rows():
        if name.startswith(corrections.PREFIX):
            continue
        if sha256 in not_opened:
            found[sha256] = replace(not_opened[sha256], name=name)
        elif sha256 in kept:
            found[sha256] = RawFile(name, kept[sha256], sha256)
    return found


def _refuse_what_is_lost(
    folder: DataFolder,
    ledger: pl.DataFrame,
    landed: store.Landed,
    at_hand: dict[str, RawFile],
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
    todo: list[RawFile],
    answers: Answers,
    files: list[RawFile],
    say: Callable[[str], None],
) -> store.Landed:
    """Read contents from the archive; one that was damaged there is put right from raw/ if it still lies there."""
    raw = {f.sha256: f.path for f in files if f.refusal is None}
    while True:
        try:
            batch, personal = parse(todo, answers, folder)
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
