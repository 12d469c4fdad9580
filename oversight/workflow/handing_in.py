"""Handing in a report: what was uploaded, how it was judged, and the receipt of what was put into raw/.

    .work/hand_in/<tray>/         an upload on its way: what was sent, what was found in it; gone once handed in.
                                  Cells that are changed in the page make another file of it before it is handed in,
                                  which is judged, kept and put down like one that was sent
    handed_in/<month>/<id>.json   a receipt for each file that was put into raw/, also when it was withdrawn

What is handed in is a file in raw/ like any other: nothing bypasses ledger and archive. Where a county has reviewers,
it gets there once one has accepted it; see `oversight.workflow.review`. A step that was cut off may
be taken again, from a second click or another browser: the name under raw/ is settled in the tray before the bytes
are put there, and the receipt's id follows from the tray's.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import shutil
import threading
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from oversight import durable
from oversight.accounts import record
from oversight.accounts.actor import Actor
from oversight.accounts.scope import Scope
from oversight.archive.sums import as_json, from_json
from oversight.editions.lock import holder
from oversight.editions.seal import sm3
from oversight.errors import OversightError
from oversight.settings import TIME_ZONE, DataFolder

FILES_EACH = 20
FILE_BYTES = 20 * 2**20
TRAYS_EACH = 20
# An upload that nobody came back to.
TRAY_HOURS = 24
# Receipts are listed from so many months back.
MONTHS_LISTED = 3
MONTHLY: dict[str, str] = {
    "population": "户籍人口",
    "budget": "民政工作经费",
    "staffing": "民政工作人员",
    "indicators": "能力建设指标",
}
_ID = re.compile(r"[0-9a-f]{16}")
_RECEIPT = re.compile(r"[0-9a-f]{18}")
# Besides what file systems refuse: marks that turn the order of letters, and whatever is not shown.
_NOT_IN_NAMES = re.compile(
    r'[\x00-\x1f\x7f<>:"/\\|?*\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffe\uffff\ud800-\udfff]'
)
_NOT_READ = (".md", ".tmp", ".crdownload", ".part", ".lock")
_NAMES_NOT_READ = frozenset(("thumbs.db", "desktop.ini"))
_lock = threading.RLock()


class HandInError(OversightError):
    """What was asked for cannot be done; the sentence says why and what to do."""


@dataclass(frozen=True)
class Tray:
    """An upload on its way. `meta` as it is kept; `state`: filling, waiting, judged or failed."""

    id: str
    place: Path
    meta: dict[str, Any]

    @property
    def state(self) -> str:
        """How far it has come."""
        return str(self.meta["state"])

    @property
    def files(self) -> list[dict[str, Any]]:
        """What it holds: name, size, and sha256 once it is whole."""
        found: list[dict[str, Any]] = self.meta["files"]
        return found

    def file(self, number: int) -> Path:
        """Where the bytes of a file lie."""
        return self.place / f"{number}.bin"

    def marked(self, number: int) -> Path:
        """Where the sender's workbook with its mistakes marked lies, once there is one."""
        return self.place / f"{number}.marked.xlsx"

    def page(self, number: int) -> Path:
        """Where the cells of a file lie as a page shows them to be changed."""
        return self.place / f"{number}.page.json"

    def as_it_is(self) -> Tray:
        """The tray as it is kept now: another process may have changed it."""
        return _read(self.place) or self

    def found(self) -> list[dict[str, Any]]:
        """What was found in each file; empty before it was judged."""
        try:
            told: list[dict[str, Any]] = json.loads((self.place / "found.json").read_text("utf-8"))
        except (OSError, ValueError):
            return []
        return told

    def save(self, **changes: Any) -> Tray:
        """Keep the tray as it now is."""
        meta = self.meta | changes
        durable.write_text(self.place / "tray.json", json.dumps(meta, ensure_ascii=False))
        return Tray(self.id, self.place, meta)


def now() -> str:
    """The time as receipts have it."""
    return datetime.now(TIME_ZONE).isoformat(timespec="seconds")


def safe_name(name: str) -> str:
    """A sender's file name as it may stand under raw/: the last part of it, without what a file system or a reader
    takes for something else. Raises `HandInError` for a name that intake never opens."""
    text = unicodedata.normalize("NFC", name.replace("\\", "/").rpartition("/")[2])
    text = re.sub(r"\s+", " ", _NOT_IN_NAMES.sub("", text)).strip(" .~$")
    stem, dot, ending = text.rpartition(".")
    if not dot or len(ending) > 8:
        stem, ending = text, ""
    if text.lower().endswith(_NOT_READ) or text.lower() in _NAMES_NOT_READ:
        raise HandInError(f"“{text}”不是报表文件。请上传 Excel、CSV 或压缩包。")
    stem = stem.strip(" .")[:60] or "报表"
    return f"{stem}.{ending}" if ending else stem


# --- uploads ------------------------------------------------------------------------------------------------


def _trays(folder: DataFolder) -> Path:
    return folder.work / "hand_in"


def new_tray(
    folder: DataFolder, actor: Actor, owner: str, county: tuple[str, str], files: list[tuple[str, int]]
) -> Tray:
    """Make room for files: (name, size) of each. `owner`: whose it is; `county`: code and name, whose folder it goes to."""
    _clear(folder)
    if not 1 <= len(files) <= FILES_EACH:
        raise HandInError(f"一次请上传 1 至 {FILES_EACH} 个文件。")
    for name, size in files:
        if size > FILE_BYTES:
            raise HandInError(
                f"“{safe_name(name)}”超过 {FILE_BYTES // 2**20} MB。请分成几个文件，或交给管理员直接放入数据目录的 raw。"
            )
        if size == 0:
            raise HandInError(f"“{safe_name(name)}”是空文件。请检查后重新选择。")
    if sum(1 for tray in _all(folder) if tray.meta["owner"] == owner) >= TRAYS_EACH:
        raise HandInError("还有许多上传了没有报送的文件。请先报送或删除它们。")
    names = [safe_name(name) for name, _ in files]
    name = secrets.token_hex(8)
    place = _trays(folder) / name
    place.mkdir(parents=True, mode=0o700)
    meta = {
        "owner": owner,
        "by": actor.name,
        "role": actor.role,
        "prefixes": list(actor.scope.prefixes),
        "made_at": now(),
        "county_code": county[0],
        "county_name": county[1],
        "state": "filling",
        "files": [{"name": n, "size": size} for n, (_, size) in zip(names, files, strict=True)],
    }
    return Tray(name, place, {}).save(**meta)


def open_tray(folder: DataFolder, name: str, owner: str) -> Tray | None:
    """An upload of this owner; None where there is none, or it is somebody else's."""
    if not _ID.fullmatch(name):
        return None
    found = _read(_trays(folder) / name)
    return found if found is not None and found.meta["owner"] == owner else None


def trays_of(folder: DataFolder, owner: str) -> list[Tray]:
    """What this owner has uploaded and not handed in, the newest first."""
    found = [tray for tray in _all(folder) if tray.meta["owner"] == owner]
    return sorted(found, key=lambda tray: str(tray.meta["made_at"]), reverse=True)


def add_part(tray: Tray, number: int, at: int, content: bytes) -> int:
    """Add bytes to a file where they belong; how many it has then. A part that came before is not added again."""
    with _lock:
        if not 0 <= number < len(tray.files):
            raise HandInError("没有这个文件。请刷新页面后重新上传。")
        path, size = tray.file(number), int(tray.files[number]["size"])
        have = path.stat().st_size if path.exists() else 0
        if tray.state != "filling" or at != have:
            return have
        if have + len(content) > size:
            raise HandInError(
                f"“{tray.files[number]['name']}”比开始时大了。请关闭正在编辑它的程序后重新上传。"
            )
        with path.open("ab") as file:
            file.write(content)
        return have + len(content)


def complete(tray: Tray) -> Tray:
    """Close an upload: every file is whole, each with its digest, and it waits to be judged."""
    with _lock:
        if tray.state != "filling":
            return tray
        files = []
        for number, item in enumerate(tray.files):
            path = tray.file(number)
            if not path.exists() or path.stat().st_size != item["size"]:
                raise HandInError(f"“{item['name']}”没有传完。请重新上传。")
            files.append(item | {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()})
        return tray.save(state="waiting", files=files)


def change(
    folder: DataFolder, tray: Tray, number: int, sha256: str, cells: Sequence[Mapping[str, Any]]
) -> Tray:
    """Have some cells of a judged file changed: it is made anew from them and judged again. A second press changes nothing.

    `sha256`: the file as the page showed it; `cells`: sheet, row, column, before and value of each.
    """
    with _lock:
        tray = tray.as_it_is()
        asked = [dict(cell) for cell in cells]
        if not 0 <= number < len(tray.files):
            raise HandInError("没有这个文件。请刷新页面。")
        waiting_ones: dict[str, Any] = dict(tray.meta.get("changes", {}))
        if any(
            done["number"] == number and done["from"] == sha256 and done["cells"] == asked
            for done in [*tray.meta.get("mended", ()), *waiting_ones.values()]
        ):
            return tray
        if tray.state != "judged":
            raise HandInError("正在核对。请等核对完成后再改。")
        if tray.files[number]["sha256"] != sha256:
            raise HandInError("这份文件已经在别处改过。请刷新页面后再改。")
        told = tray.found()
        if not told or not told[number]["may_mend"] or tray.meta.get("stored"):
            raise HandInError("这份文件不能在页面里改。请改好后重新上传。")
        waiting_ones[str(number)] = {"number": number, "from": sha256, "cells": asked}
        record.note(
            folder,
            "hand_in",
            动作="页面改数",
            文件=tray.files[number]["name"],
            sha256=sha256,
            单元格=changes_told(asked),
        )
        return tray.save(state="waiting", changes=waiting_ones, refused={})


def changes_told(cells: Sequence[Mapping[str, Any]]) -> list[str]:
    """Each changed cell in words: where, what it was, what it is."""
    from oversight.intake.reading.grid import column_letters

    return [
        (f"{cell['sheet']}!" if cell["sheet"] else "")
        + f"{column_letters(cell['column'] - 1)}{cell['row']}：{cell['before'] or '空'} → {cell['value'] or '空'}"
        for cell in cells
    ]


def again_tray(
    folder: DataFolder, actor: Actor, owner: str, county: tuple[str, str], told: Mapping[str, Any]
) -> Tray:
    """An upload that holds a file which was handed in before, so that some of its cells can be changed: what a run took
    in is corrected by it, what a reviewer returned is made good. Raises `HandInError` where there is no such file."""
    from oversight.archive import store as archive

    is_returned = told.get("review") == "returned"
    if not is_returned and told["sha256"] not in taken_in(folder):
        raise HandInError("这份文件还没有运行，不用更正。请撤回后改好再报送。")
    # A second press gets the upload that the first one made.
    for tray in trays_of(folder, owner):
        if (
            tray.meta.get("again") == told["id"]
            and not tray.meta.get("mended")
            and not tray.meta.get("stored")
        ):
            return tray
    path = archive.place(folder, told["sha256"])
    if archive.sealed_place(folder, told["sha256"]).is_file() or not path.is_file():
        raise HandInError("这份文件含有个人信息，或已经不在存档里，不能在页面里改。请改好后重新上传。")
    content = archive.read(folder, told["sha256"])
    stem, dot, ending = str(told["file_name"]).rpartition(".")
    name = str(told["file_name"])
    if not is_returned and "更正" not in name:
        name = f"{stem}（更正）.{ending}" if dot else f"{name}（更正）"
    tray = new_tray(folder, actor, owner, county, [(name, len(content))])
    add_part(tray, 0, 0, content)
    return complete(tray.save(again=told["id"]))


def discard(tray: Tray) -> None:
    """Throw an upload away."""
    with _lock:
        shutil.rmtree(tray.place, ignore_errors=True)


def nil_tray(
    folder: DataFolder,
    actor: Actor,
    owner: str,
    county: tuple[str, str],
    unit: tuple[str, str],
    dataset: str,
    month: date,
) -> Tray:
    """An upload that holds the nil report of a unit: a table as a clerk would write it, read like any other."""
    from oversight.contracts import DATASETS

    contract = DATASETS[dataset]
    today = datetime.now(TIME_ZONE).date()
    columns = list(contract.columns.values())
    told = {"month": f"{month:%Y-%m}", "reported_code": unit[0], "reported_name": unit[1]}
    row = [told.get(column.name, "零报告" if column is contract.measures[0] else "") for column in columns]
    lines = [
        f"{unit[1]}{month.year}年{month.month}月{contract.title_zh}报表",
        f"填报单位：{unit[1]},,填表日期：{today:%Y-%m-%d}",
        ",".join(column.title_zh for column in columns),
        ",".join(row),
    ]
    content = ("\ufeff" + "\r\n".join(lines) + "\r\n").encode()
    name = f"{unit[1]}{month.year}年{month.month}月{contract.title_zh}零报告.csv"
    tray = new_tray(folder, actor, owner, county, [(name, len(content))])
    add_part(tray, 0, 0, content)
    return complete(tray.save(is_nil=True))


def _read(place: Path) -> Tray | None:
    try:
        return Tray(place.name, place, json.loads((place / "tray.json").read_text("utf-8")))
    except (OSError, ValueError):
        return None


def _all(folder: DataFolder) -> Iterator[Tray]:
    root = _trays(folder)
    for place in sorted(root.iterdir()) if root.is_dir() else []:
        tray = _read(place)
        if tray is not None:
            yield tray


def _clear(folder: DataFolder) -> None:
    last = datetime.now(TIME_ZONE) - timedelta(hours=TRAY_HOURS)
    for tray in list(_all(folder)):
        # What is being put into raw/ is seen through, however late.
        if datetime.fromisoformat(tray.meta["made_at"]) < last and not tray.meta.get("stored"):
            discard(tray)


# --- handing in ---------------------------------------------------------------------------------------------


def hand_in(folder: DataFolder, tray: Tray, actor: Actor) -> list[dict[str, Any]]:
    """Put what was uploaded and may be handed in into raw/, and return the receipts. May be asked again.

    Raises `HandInError` where nothing of it may be handed in.
    """
    with _lock:
        tray = tray.as_it_is()
        if not tray.place.is_dir():
            given = receipts_of_tray(folder, tray.id)
            if given:
                return given
            raise HandInError("这次上传已经删除。请重新上传。")
        if tray.state != "judged":
            raise HandInError("文件还没有核对完。请稍候再报送。")
        if tuple(tray.meta["prefixes"]) != actor.scope.prefixes:
            raise HandInError("您的区划在上传后有变动。请重新上传，按现在的区划核对。")
        found = tray.found()
        able = [number for number, item in enumerate(found) if item["may_hand_in"]]
        if not able:
            raise HandInError("这些文件都不能报送，原因见各文件的说明。请改正后重新上传。")
        _refuse_a_second(folder, tray, [found[number] for number in able])
        made = [_put(folder, tray, number, found[number], actor) for number in able]
        shutil.rmtree(tray.place, ignore_errors=True)
        return made


def _refuse_a_second(folder: DataFolder, tray: Tray, files: Sequence[Mapping[str, Any]]) -> None:
    """Of two reports on the same unit and month that come before a run the first is the report; the second would take its
    place without a word, unless it says that it corrects."""
    wanted = {cell: file for file in files if "更正" not in file["name"] for cell in file.get("cells", ())}
    if not wanted:
        return
    known = taken_in(folder)
    for other in _receipts(folder):
        both = sorted(wanted.keys() & set(other.get("cells", ())))
        # What a reviewer has decided may be made good, and comes to a reviewer again.
        is_gone = other.get("withdrawn_at") or other.get("review") not in (None, "waiting")
        if not both or is_gone or other["id"].startswith(tray.id) or other["sha256"] in known:
            continue
        file, (_, month, unit) = wanted[both[0]], both[0].split(" ")
        raise HandInError(
            f"“{file['name']}”没有报送：{unit} {month} 的{file['dataset_zh'] or '报表'}已由 {other['by'] or '他人'} 于"
            f" {other['handed_in_at'][:16].replace('T', ' ')} 报送，尚待运行。要改数，请在文件名里写明“更正”后重新上传；"
            "那一份报错了，请先撤回它。"
        )


def _put(
    folder: DataFolder, tray: Tray, number: int, found: Mapping[str, Any], actor: Actor
) -> dict[str, Any]:
    identifier = f"{tray.id}{number:02x}"
    known = receipt(folder, identifier)
    if known is not None:
        return known
    item = tray.files[number]
    content = tray.file(number).read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != item["sha256"]:
        raise HandInError(f"“{item['name']}”在服务器上已损坏。请重新上传。")
    from oversight.workflow import review

    county = str(tray.meta["county_code"])
    is_reviewed = review.is_on(folder, [county, *found["units"]])
    if is_reviewed and "lines" not in found:
        raise HandInError("上传后本县启用了审核。请删除这次上传，重新上传后再报送。")
    stored: dict[str, str] = dict(tray.meta.get("stored", {}))
    name = "" if is_reviewed else stored.get(str(number))
    if name is None or (name and not _is_free_or_same(folder.raw / name, sha256)):
        name = _free_name(folder, tray.meta["county_name"], item["name"], sha256)
        stored[str(number)] = name
        tray.meta.update(tray.save(stored=stored).meta)
    made: dict[str, Any] = {
        "id": identifier,
        "file_name": item["name"],
        "stored_as": name,
        "sha256": sha256,
        "sm3": sm3(content),
        "bytes": len(content),
        "handed_in_at": now(),
        "by": actor.name,
        "county_code": tray.meta["county_code"],
        "is_nil": bool(tray.meta.get("is_nil")),
        "mended": [
            line
            for done in tray.meta.get("mended", ())
            if done["number"] == number
            for line in changes_told(done["cells"])
        ],
        **{
            key: found[key]
            for key in ("dataset", "months", "units", "cells", "status", "message_zh", "counts")
        },
    }
    if is_reviewed:
        made["review"] = "waiting"
    # What cannot be recorded does not happen.
    record.note(
        folder,
        "hand_in",
        动作="零报告" if made["is_nil"] else "报送",
        文件=made["file_name"],
        存为=name,
        sha256=sha256,
        回执=identifier,
    )
    if is_reviewed:
        review.begin(folder, made, found, content, tray.meta["county_name"])
    elif not (folder.raw / name).exists():
        durable.write_bytes(folder.raw / name, content)
    durable.write_bytes(_receipt_path(folder, identifier, made["handed_in_at"]), as_json(made))
    return made


DIGESTS = {"sha256": "校验值 SHA-256", "sm3": "校验值 SM3", "id": "回执编号"}
RECEIPT_NOTE = "这张回执说明收到了什么。是否采用以运行结果为准。"


def receipt_facts(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a receipt says, with what has become of the file since: name and text, in order."""
    counts, result = told["counts"], told.get("result")
    facts = [
        ("状态", told["state_zh"]),
        ("文件", told["file_name"]),
        *((title, told[name]) for name, title in DIGESTS.items() if name != "id" and told.get(name)),
        ("大小", f"{told['bytes']:,} 字节"),
        ("报送时间", told["handed_in"]),
        ("报送人", told["by"] or "本机"),
        ("报表", told["dataset_zh"] + ("（零报告）" if told["is_nil"] else "")),
        ("月份", "、".join(told["months"]) or "—"),
        ("单位", "、".join(told["units"]) or "—"),
        (
            "报送时核对",
            f"读到 {counts['rows_read']} 行：可采用 {counts['accepted']}，待确认 {counts['held']}，"
            f"退回 {counts['rejected']}，忽略 {counts['ignored']}",
        ),
    ]
    if told.get("mended"):
        facts.append(("在页面里改的", "；".join(told["mended"])))
    if result:
        taken = f"采用 {result['accepted']}，待确认 {result['held']}，退回 {result['rejected']}"
        facts.append(("运行结果", f"读到 {result['read']} 行：{taken}"))
    if told.get("withdrawn_at"):
        facts.append(
            ("撤回", f"{told['withdrawn_at'][:19].replace('T', ' ')}，{told['withdrawn_by'] or '本机'}")
        )
    return [*facts, (DIGESTS["id"], told["id"])]


def receipt_pdf(folder: DataFolder, told: Mapping[str, Any]) -> bytes:
    """The receipt on a page. Raises `ReportError`."""
    from oversight.reports import config
    from oversight.reports.typesetting import set_pages

    wording = config.load(folder, str(told["units"][0])[:6] if told["units"] else "")
    fonts = {name: wording.settings["style"][f"pdf_{name}"] for name in ("title", "body")}
    data = {"title": "报送回执", "facts": receipt_facts(told), "note": RECEIPT_NOTE, "fonts": fonts}
    return set_pages("receipt.typ", data, datetime.fromisoformat(told["handed_in_at"]), wording.fonts)


def store(folder: DataFolder, told: Mapping[str, Any], content: bytes) -> str:
    """Put a file that a reviewer accepted into raw/; its name there. Asked again, it is the same."""
    for name in _names(told["county_name"], told["file_name"], told["sha256"]):
        path = folder.raw / name
        if not path.exists():
            durable.write_bytes(path, content)
            return name
        if _is_free_or_same(path, told["sha256"]):
            return name
    raise HandInError(f"“{told['file_name']}”已经在 raw 里。请管理员移走同名的文件后再审核。")


def note_review(folder: DataFolder, identifier: str, changes: Mapping[str, Any]) -> None:
    """Put down in a receipt what the reviewer decided."""
    told = receipt(folder, identifier)
    if told is not None:
        told |= changes
        durable.write_bytes(_receipt_path(folder, identifier, told["handed_in_at"]), as_json(told))


def sender_of(folder: DataFolder, sha256: str) -> str:
    """Who handed in a content, '' where it came another way."""
    for path in folder.handed_in.glob("*/*.json"):
        told = from_json(path)
        if told["sha256"] == sha256 and not told.get("withdrawn_at"):
            return str(told["by"])
    return ""


def _is_free_or_same(path: Path, sha256: str) -> bool:
    return not path.exists() or (path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256)


def _free_name(folder: DataFolder, county: str, name: str, sha256: str) -> str:
    """A name under raw/ that nothing has. What tells two of one name apart is spelt without digits, which could be
    taken for a month."""
    for found in _names(county, name, sha256):
        if not (folder.raw / found).exists():
            return found
    raise HandInError(f"“{name}”已经在 raw 里。请换一个文件名后重新上传。")


def _names(county: str, name: str, sha256: str) -> Iterator[str]:
    stem, dot, ending = name.rpartition(".")
    stem, ending = (stem, dot + ending) if dot else (name, "")
    letters = sha256.translate(str.maketrans("0123456789", "ghijklmnop"))
    for mark in ("", *(f"_{letters[:length]}" for length in (4, 8, 16, 64))):
        yield f"{safe_name(county)}/{stem}{mark}{ending}"


def withdraw(folder: DataFolder, found: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
    """Take back what no run has taken in yet. Raises `HandInError` where one has, or may just be doing so."""
    with _lock:
        told = receipt(folder, found["id"]) or dict(found)
        if told.get("withdrawn_at"):
            return told
        if told.get("review") in ("waiting", "returned"):
            return _withdraw_from_review(folder, told, actor)
        if holder(folder) is not None:
            raise HandInError("正在运行，文件可能已被采用。请等运行结束后再看能否撤回。")
        if told["sha256"] in taken_in(folder):
            raise HandInError(
                "这份文件已经由一次运行采用，不能撤回。要改数，请在文件名里写明“更正”后重新报送。"
            )
        record.note(
            folder, "hand_in", 动作="撤回", 文件=told["file_name"], sha256=told["sha256"], 回执=told["id"]
        )
        path = folder.raw / told["stored_as"]
        told |= {"withdrawn_at": now(), "withdrawn_by": actor.name}
        if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == told["sha256"]:
            path.unlink()
            durable.sync(path.parent)
        durable.write_bytes(_receipt_path(folder, told["id"], told["handed_in_at"]), as_json(told))
        return told


def _withdraw_from_review(folder: DataFolder, told: dict[str, Any], actor: Actor) -> dict[str, Any]:
    from oversight.workflow import review

    if told["review"] == "returned":
        raise HandInError("审核员已经退回这份文件，不用撤回。请改正后重新报送。")
    review.withdraw(folder, told["id"])
    record.note(
        folder, "hand_in", 动作="撤回", 文件=told["file_name"], sha256=told["sha256"], 回执=told["id"]
    )
    told |= {"withdrawn_at": now(), "withdrawn_by": actor.name, "review": "withdrawn"}
    durable.write_bytes(_receipt_path(folder, told["id"], told["handed_in_at"]), as_json(told))
    return told


def taken_in(folder: DataFolder) -> set[str]:
    """The digests of everything that a run has taken in."""
    from oversight.intake.ledger import contents

    return contents(folder)


def due_days(folder: DataFolder, month: date) -> dict[str, date]:
    """Until which day each report on a month is due; without those that nothing is said of."""
    from oversight.intake.judging import due

    return due.due_days(folder, month)


# --- receipts -----------------------------------------------------------------------------------------------


def receipts_in(folder: DataFolder, scope: Scope) -> list[dict[str, Any]]:
    """Receipts of files that speak of units inside a scope alone, the newest first."""
    found = [item for item in _receipts(folder) if scope.covers_all(item["units"] or [item["county_code"]])]
    return sorted(found, key=lambda item: str(item["handed_in_at"]), reverse=True)


def every_receipt(folder: DataFolder) -> list[dict[str, Any]]:
    """Receipts of all files, whomever they concern: for what is told of one's own units alone."""
    return list(_receipts(folder))


def receipt(folder: DataFolder, identifier: str) -> dict[str, Any] | None:
    """A receipt by its id."""
    if not _RECEIPT.fullmatch(identifier):
        return None
    for path in folder.handed_in.glob(f"*/{identifier}.json"):
        return from_json(path)
    return None


def receipts_of_tray(folder: DataFolder, tray: str) -> list[dict[str, Any]]:
    """The receipts that an upload ended in."""
    found = (receipt(folder, f"{tray}{number:02x}") for number in range(FILES_EACH))
    return [item for item in found if item is not None]


def _receipt_path(folder: DataFolder, identifier: str, at: str) -> Path:
    return folder.handed_in / at[:7] / f"{identifier}.json"


def _receipts(folder: DataFolder) -> Iterator[dict[str, Any]]:
    root = folder.handed_in
    months = sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
    for month in months[-MONTHS_LISTED:]:
        for path in sorted(month.glob("*.json")):
            yield from_json(path)


def waiting(folder: DataFolder) -> set[str]:
    """The digests of what was handed in, not withdrawn, and not taken in by a run yet."""
    taken = taken_in(folder)
    return {
        item["sha256"]
        for item in _receipts(folder)
        if not item.get("withdrawn_at") and item.get("review") != "returned" and item["sha256"] not in taken
    }
