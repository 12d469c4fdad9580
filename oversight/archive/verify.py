"""Every byte that is kept, held against its digest: which file is not what it was, and what rests on it.

Each group can be looked at by itself. Nothing is changed here, and nothing is locked: what a run is just writing is
not looked at before it stands.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from oversight.archive import store
from oversight.archive.sums import SUMS, Damaged, damaged_in, digest_of, is_as_written
from oversight.archive.uses import edition_folders, names_received, used_in_editions
from oversight.editions import seal
from oversight.editions.edition import MANIFEST, POINTER, STABLE
from oversight.editions.keys import faults as keys_faults
from oversight.editions.keys import readable_keys
from oversight.editions.receipts import check_receipts
from oversight.errors import OversightError
from oversight.intake import landed, ledger
from oversight.reports import store as papers
from oversight.settings import DataFolder


@dataclass(frozen=True)
class Fault:
    """A file that is not what it was: which group it is of, why, what depends on it and what helps."""

    group: str
    path: Path
    why: str
    depends: str
    remedy: str

    def line(self, folder: DataFolder) -> str:
        """One line for the terminal."""
        shown = self.path.relative_to(folder.root) if self.path.is_relative_to(folder.root) else self.path
        return f"  ✗ {shown}：{self.why}。影响：{self.depends}。办法：{self.remedy}。"


@dataclass(frozen=True)
class Group:
    """What is looked at together, and how many files that were."""

    name: str
    title_zh: str
    look: Callable[[DataFolder], tuple[int, list[Fault]]]


_FROM_BACKUP = "从备份恢复该文件"
# Looked at without being read into one piece of memory; hashing waits for the disk and lets others go on.
_READERS = 4


def verify(folder: DataFolder, names: Sequence[str] = ()) -> Iterator[tuple[Group, int, list[Fault]]]:
    """Each group (all, unless some are named), the files looked at and what is wrong with them."""
    for group in GROUPS:
        if not names or group.name in names:
            yield group, *group.look(folder)


# --- what was received ----------------------------------------------------------------------------------


def _archive(folder: DataFolder) -> tuple[int, list[Fault]]:
    if not folder.archive.is_dir():
        return 0, []
    names = names_received(folder)
    used = used_in_editions(folder, "inputs", "standards_files")
    faults: list[Fault] = []
    # What waits for a reviewer lies nowhere else.
    for path in sorted(folder.reviews.glob("*/*.json")):
        try:
            told = json.loads(path.read_text("utf-8"))
            store.place(folder, told["sha256"])
            # Where it was deleted in its time, the record says so.
            if store.DELETED_ON not in told:
                names.setdefault(told["sha256"], []).append(f"{told['file_name']}（审核）")
        except (OSError, ValueError, KeyError, TypeError):
            faults.append(Fault("archive", path, "审核记录读不出来", "这份报送的审核", _FROM_BACKUP))
    contents = store.contents(folder)

    def depends(sha256: str) -> str:
        told = [f"收文“{name}”" for name in names.get(sha256, [])[:3]]
        told += [f"版本 {edition}" for edition in used.get(sha256, [])[:3]]
        return "、".join(told) or "没有收文记录用到它"

    def look(sha256: str) -> Fault | None:
        try:
            store.check(folder, sha256)
        except store.ArchiveError:
            path = store.sealed_place(folder, sha256)
            path = path if path.is_file() else store.place(folder, sha256)
            return Fault("archive", path, "内容与它的校验值不符", depends(sha256), "oversight repair")
        except OversightError as error:
            path = store.sealed_place(folder, sha256)
            return Fault("archive", path, str(error).rstrip("。"), depends(sha256), "恢复密钥文件")
        return None

    with ThreadPoolExecutor(_READERS) as readers:
        faults += [fault for fault in readers.map(look, contents) if fault]
    try:
        gone = {item.sha256 for item in store.personal(folder) if item.deleted_on}
    except Damaged as damage:
        gone = set()
        faults.append(Fault("archive", damage.path, damage.why, "含个人信息的存档何时删除", _FROM_BACKUP))
    # What could not be read when it came is known by its name alone: there is no content to keep.
    missing = names.keys() - set(contents) - gone - _never_kept(folder)
    faults += [
        Fault("archive", store.place(folder, sha), "文件不在了", depends(sha), "oversight repair")
        for sha in sorted(missing)
    ]
    ours = {store.PERSONAL, store.JOURNAL}
    strange = [
        path
        for path in sorted(folder.archive.iterdir())
        if not (path.name in ours or path.name.startswith(".") or _is_content(path))
    ]
    faults += [Fault("archive", path, "不是存档写下的文件", "无", "移走该文件") for path in strange]
    return len(contents) + 1, faults


def _is_content(path: Path) -> bool:
    return bool(store.DIGEST.fullmatch(path.stem)) and path.suffix in ("", store.ENCRYPTED)


def _never_kept(folder: DataFolder) -> set[str]:
    refused = landed.load_sound(folder).landed.files.filter(pl.col("error_code").is_in(["F50", "F51", "F12"]))
    short = set(refused["submission_id"])
    return {sha for sha in names_received(folder) if sha[:16] in short}


# --- what was made of it --------------------------------------------------------------------------------


def _ledger(folder: DataFolder) -> tuple[int, list[Fault]]:
    faults = [
        Fault("ledger", path, why, "全部收文的名称和时间", "oversight repair")
        for path, why in ledger.differing(folder)
    ]
    faults += [
        Fault("ledger", ledger.ledger_path(folder), why, "全部收文的名称和时间", _FROM_BACKUP)
        for why in _forgotten(folder)
    ]
    there = [ledger.ledger_path(folder), ledger.journal_path(folder)]
    return sum(path.is_file() for path in there), faults


def _forgotten(folder: DataFolder) -> Iterator[str]:
    """What ledger and journal do not tell of though it came: both are of before, and fit each other."""
    try:
        known = set(ledger.read(folder)["sha256"])
    except OversightError:
        return
    read = {name for place in landed.batch_folders(folder) for name in landed.submissions_of(place)}
    if missing := read - {sha256[:16] for sha256 in known}:
        yield f"没有已经读入的 {len(missing)} 份文件：它和流水是以前的"
    if lacking := _forgotten_inputs(folder, known):
        edition, count = next(iter(lacking.items()))
        yield f"没有版本 {edition} 用过的 {count} 份文件：它和流水是以前的"


def _forgotten_inputs(folder: DataFolder, known: set[str]) -> dict[str, int]:
    """How many of the files that each edition was made of are not among those that are known to have come."""
    found: dict[str, int] = {}
    for sha256, editions in used_in_editions(folder, "inputs").items():
        if sha256 not in known and store.DIGEST.fullmatch(sha256):
            for edition in editions:
                found[edition] = found.get(edition, 0) + 1
    return found


def _landed(folder: DataFolder) -> tuple[int, list[Fault]]:
    looked = 0
    faults: list[Fault] = []
    seen: set[str] = set()
    for place in landed.batch_folders(folder):
        files = [path for path in place.iterdir() if path.is_file()]
        looked += len(files)
        if not (place / SUMS).is_file() and landed.is_of_other_code(place):
            continue
        damages = damaged_in(place)
        read = landed.submissions_of(place)
        if read & seen and not damages:
            damages = [Damaged(place, landed.TWICE)]
        seen |= read
        faults += [
            Fault(
                "landed",
                damage.path,
                damage.why,
                f"第 {place.name} 批读入的数据，之后发布的版本",
                "oversight repair",
            )
            for damage in damages
        ]
    return looked, faults


def edition_faults(folder: DataFolder, place: Path, *, with_rows: bool = False) -> list[Fault]:
    """What is wrong with one edition."""
    cited = _cited(folder).get(place.name, [])
    depends = "、".join([f"版本 {place.name}", *cited])
    found = seal.check_in_place(
        place, readable_keys(folder), with_rows=with_rows, by_sha256_alone=not with_rows
    )
    return [
        Fault("editions", place / damage.file, damage.message_zh.rstrip("。"), depends, _OF_EDITION)
        for damage in found
        if damage.kind != "unsigned" or (place / seal.SIGNATURE).is_file() or _names_its_files(place)
    ]


_OF_EDITION = "从备份恢复；是当前版时 oversight run 会重新算出一版"


def _names_its_files(place: Path) -> bool:
    """Whether the edition was signed when it was made: those of before signatures cannot be checked."""
    try:
        return "files" in json.loads((place / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError):
        return True


def _editions(folder: DataFolder) -> tuple[int, list[Fault]]:
    looked = 0
    faults: list[Fault] = []
    places = edition_folders(folder)
    for place in places:
        looked += sum(1 for path in place.rglob("*") if path.is_file())
        faults += edition_faults(folder, place)
    pointer = folder.marts / POINTER
    if places:
        told = pointer.read_bytes().decode("utf-8", "replace") if pointer.is_file() else ""
        if told not in {f"{place.name}\n" for place in places}:
            why = "指向的版本不存在" if told else "文件不在了"
            faults.append(Fault("editions", pointer, why, "看板、通报和查询用哪一版", "oversight repair"))
        stable = folder.marts / STABLE
        if (stable.is_symlink() or stable.exists()) and stable.resolve() not in {
            place.resolve() for place in places if f"{place.name}\n" == told
        }:
            why = "不是通向当前版本的链接" if stable.is_symlink() else "是某一版的复制件，不会随新版本更新"
            faults.append(Fault("editions", stable, why, "按固定路径读取的程序", "oversight repair"))
    return looked + pointer.is_file(), faults


def _cited(folder: DataFolder) -> dict[str, list[str]]:
    """The papers that rest on each edition."""
    found: dict[str, list[str]] = {}
    for path in papers.reports_folder(folder).glob(f"*/*/v*/{papers.MANIFEST}"):
        try:
            told = json.loads(path.read_text("utf-8"))
            found.setdefault(told["edition_id"], []).append(
                f"通报 {told['month']} {told['scope_code']} v{told['version']}"
            )
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return found


def _reports(folder: DataFolder) -> tuple[int, list[Fault]]:
    looked = 0
    faults: list[Fault] = []
    for place, damaged in papers.examine(folder):
        looked += sum(1 for path in place.iterdir() if path.is_file()) if place.is_dir() else 1
        faults += [Fault("reports", path, why, _paper(folder, path), _FROM_BACKUP) for path, why in damaged]
    return looked, faults


def _paper(folder: DataFolder, path: Path) -> str:
    parts = path.relative_to(papers.reports_folder(folder)).parts
    return f"通报 {' '.join(parts[:3])}" if len(parts) > 3 else "全部通报的文号、发送记录"


def _receipts(folder: DataFolder) -> tuple[int, list[Fault]]:
    looked = sum(1 for path in folder.receipts.glob("*") if path.is_file())
    return looked, [
        Fault(
            "receipts",
            folder.receipts / damage.file,
            damage.message_zh.rstrip("。"),
            "报送单位据以对账的回执",
            _FROM_BACKUP,
        )
        for damage in check_receipts(folder, readable_keys(folder))
    ]


def _record(folder: DataFolder) -> tuple[int, list[Fault]]:
    from oversight.accounts import record
    from oversight.accounts.exist import database_path, exist

    # Compared with the heads that the editions kept here carry, which are there even where the database is gone.
    return int(exist(folder)), [
        Fault("record", database_path(folder), why.rstrip("。"), "谁在何时做了什么的留痕", _FROM_BACKUP)
        for why in record.check(folder)
    ]


# --- what people did ------------------------------------------------------------------------------------


def _desk(folder: DataFolder) -> tuple[int, list[Fault]]:
    from oversight.accounts.exist import exist
    from oversight.workflow import following, letters

    looked = 0
    faults: list[Fault] = []

    def fault(path: Path, why: str, depends: str) -> None:
        faults.append(Fault("desk", path, why.rstrip("。"), depends, _FROM_BACKUP))

    for top, pattern, depends in (
        (folder.reviews, "*/*.json", "这份报送的审核"),
        (folder.handed_in, "*/*.json", "这份报送的回执"),
        (folder.root / "queries", "*.json", "保存的查询"),
    ):
        for path in sorted(top.glob(pattern)):
            looked += 1
            if not is_as_written(path) or json.loads(path.read_bytes()).get("id") != path.stem:
                fault(path, "内容与它的校验值不符", depends)
    for path, why in letters.examine(folder):
        looked += 1
        if why:
            fault(path, why, "文书的文号、签发和送达")
    attachments = following.attachment(folder, "00").parents[1]
    for path in sorted(path for path in attachments.rglob("*") if path.is_file()):
        looked += 1
        if path.name != digest_of(path):
            fault(path, "内容与它的校验值不符", "办理问题时所附的文件")
    # What was done in the browser stands in the record too; what people wrote into the files by hand stands here alone.
    if exist(folder) or attachments.parent.is_dir():
        looked += sum(1 for _ in attachments.parent.glob("*.csv"))
        try:
            wrong: Sequence[str] = following.reconcile(folder).wrong
        except OversightError as error:
            wrong = [str(error)]
        for why in wrong:
            fault(attachments.parent, why, "问题办到了哪一步")
    return looked, faults


def _keys(folder: DataFolder) -> tuple[int, list[Fault]]:
    found = keys_faults(folder)
    depends = "签名、核验签名"
    return sum(1 for path in folder.keys.glob("*") if path.is_file()), [
        Fault("keys", path, why, depends, "恢复另行保管的密钥文件") for path, why in found
    ]


# What no digest can tell of: (files, why). Every other file in a data folder is looked at; locks and what was not written
# to its end have names that begin with a dot.
NOT_LOOKED_AT = (
    ("raw/**", "报来的原件：每次运行读到的内容都在存档里核对"),
    ("standards/**", "本单位维护的标准：每一版所用的内容都在存档里核对"),
    ("policy/**", "本单位放入的政策原文：只供查看，不参与计算"),
    ("corrections/**", "本单位维护的更正和确认：改动记在留痕里，每一版所用的内容都在存档里核对"),
    ("headings.csv", "本单位确认的表头：改动记在留痕里"),
    ("settings.toml", "本单位的设置"),
    ("sources.toml", "本单位的设置"),
    ("report/**", "本单位的通报文字和送达名单：印发的通报自成一份"),
    ("说明.md", "说明"),
    ("accounts.sqlite*", "账号数据库：其中的留痕逐条核对，账号和会话由数据库自身保证"),
    ("last_backup.json", "上次备份的时间"),
    ("returned/**", "退回件：随时重新生成"),
    ("logs/**", "日志：可以删除"),
    (".work/**", "运行的中间结果：可以删除"),
    (".dagster/**", "运行历史：可以删除"),
)


def not_looked_at(folder: DataFolder) -> list[tuple[str, str]]:
    """Those of `NOT_LOOKED_AT` that this folder has."""
    return [item for item in NOT_LOOKED_AT if any(folder.root.glob(item[0]))]


GROUPS = (
    Group("archive", "存档", _archive),
    Group("ledger", "收文台账", _ledger),
    Group("landed", "落库数据", _landed),
    Group("editions", "版本", _editions),
    Group("reports", "通报", _reports),
    Group("receipts", "回执", _receipts),
    Group("record", "留痕", _record),
    Group("desk", "报送、审核与办理", _desk),
    Group("keys", "密钥", _keys),
)
