"""审核: what was handed in waits until a reviewer accepts or returns it, row by row or all at once.

    reviews/<month>/<id>.json   the rows of a file, what was found in them, and who decided what and when

The content lies in the archive from the moment it was handed in, and nowhere else while it waits: a run looks only into
raw/. Once every row is decided, the answers go into `corrections/` and after them the file, whole as it was sent, into
raw/; a run that sees the file has seen the answers. A file of which nothing is accepted never gets there. A step that
was cut off is taken again by whoever comes next.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from oversight import durable
from oversight.accounts import record
from oversight.accounts.actor import Actor
from oversight.accounts.roles import apart
from oversight.accounts.scope import Scope
from oversight.archive import store as archive
from oversight.archive.sums import as_json
from oversight.settings import TIME_ZONE, DataFolder, folder_settings
from oversight.workflow import handing_in as desk
from oversight.workflow.answers import ReviewError, add, answer, one_at_a_time, reason_of

Verdict = Literal["accept", "return"]
VERDICT_ZH: dict[str, str] = {"accept": "采用", "return": "退回"}
STATE_ZH = {
    "waiting": "待审核",
    "accepted": "审核采用",
    "partly": "部分采用",
    "returned": "审核退回",
    "withdrawn": "已撤回",
}
_ID = re.compile(r"[0-9a-f]{18}")


@dataclass(frozen=True)
class Review:
    """A file that waits, or waited, for a reviewer: `told` as it is kept."""

    path: Path
    told: dict[str, Any]

    @property
    def id(self) -> str:
        """The receipt's id."""
        return str(self.told["id"])

    @property
    def state(self) -> str:
        """One of `STATE_ZH`."""
        return str(self.told["state"])

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows that can be used, in the order of the file."""
        found: list[dict[str, Any]] = self.told["rows"]
        return found

    @property
    def left(self) -> list[int]:
        """The numbers of the rows that nobody has decided on."""
        return [row["n"] for row in self.rows if row["decision"] is None]

    def save(self) -> None:
        """Keep it as it now is."""
        durable.write_bytes(self.path, as_json(self.told))


def is_on(folder: DataFolder, codes: Sequence[str]) -> bool:
    """Whether what speaks of these units waits for a reviewer."""
    divisions = folder_settings(folder).review.divisions
    scope = Scope.of(divisions)
    return bool(divisions) and any(scope.covers(code) for code in codes)


def begin(
    folder: DataFolder, receipt: Mapping[str, Any], found: Mapping[str, Any], content: bytes, county: str
) -> None:
    """Keep a file that was handed in, and let it wait. May be asked again."""
    sha256 = archive.keep(folder, content)
    if found.get("is_personal"):
        days = folder_settings(folder).personal_days
        archive.encrypt(folder, sha256, datetime.now(TIME_ZONE).date() + timedelta(days=days))
    path = folder.reviews / str(receipt["handed_in_at"])[:7] / f"{receipt['id']}.json"
    if path.is_file():
        return
    keys = ("id", "file_name", "sha256", "bytes", "handed_in_at", "by", "county_code", "is_nil")
    told = {key: receipt[key] for key in keys} | {
        # A receipt of before cells could be changed in a page says nothing of it.
        "mended": receipt.get("mended", []),
        "county_name": county,
        "state": "waiting",
        **{key: receipt[key] for key in ("dataset", "months", "units", "counts")},
        "rows": [{"n": n, **row, "decision": None} for n, row in enumerate(found["lines"])],
        "remarks": found["file_remarks"],
        "unusable": found["unusable"],
        "decision": None,
    }
    Review(path, told).save()


def find(folder: DataFolder, identifier: str) -> Review | None:
    """A file by its receipt's id."""
    if not _ID.fullmatch(identifier):
        return None
    for path in folder.reviews.glob(f"*/{identifier}.json"):
        return Review(path, json.loads(path.read_text("utf-8")))
    return None


def reviews_in(folder: DataFolder, scope: Scope) -> list[Review]:
    """Files of the last months that speak of units inside a scope alone: those that wait first, the longest waiting
    before the others; then what was decided, the latest first."""
    found = [item for item in _listed(folder) if covers(scope, item)]
    open_ones = sorted((r for r in found if r.state == "waiting"), key=lambda r: str(r.told["handed_in_at"]))
    done = [r for r in found if r.state != "waiting"]
    return open_ones + sorted(done, key=lambda r: str(r.told.get("decided_at") or ""), reverse=True)


def covers(scope: Scope, item: Review) -> bool:
    """Whether a file speaks of units inside a scope alone."""
    return scope.covers_all(item.told["units"] or [item.told["county_code"]])


def _listed(folder: DataFolder) -> Iterator[Review]:
    if not folder.reviews.is_dir():
        return
    months = sorted(path for path in folder.reviews.iterdir() if path.is_dir())
    late = months[-desk.MONTHS_LISTED :]
    for month in months:
        for path in sorted(month.glob("*.json")):
            text = path.read_text("utf-8")
            # What is decided long since is past; what waits is never out of sight.
            if month in late or '"state": "waiting"' in text:
                yield Review(path, json.loads(text))


def content_of(folder: DataFolder, item: Review) -> bytes:
    """The file as it was sent. Raises `ArchiveError`, and `ReviewError` where it was deleted in its time."""
    if deleted_on := item.told.get(archive.DELETED_ON):
        raise ReviewError(
            f"这份文件没有被采用，已按 settings.toml 的 archive_days 于 {deleted_on} 删除原件，审核记录仍在。"
        )
    return archive.read(folder, str(item.told["sha256"]))


# --- deciding -----------------------------------------------------------------------------------------------


def decide(
    folder: DataFolder,
    identifier: str,
    numbers: Sequence[int] | None,
    verdict: Verdict,
    reason: str,
    actor: Actor,
    *,
    by: str = "",
) -> Review:
    """Accept or return rows of a file (None: all that are left). With the last row the file is decided.

    Of two who decide on the same row the first wins; the other is told who it was. `by` names whoever decides where
    no account does. Raises `ReviewError`, `Conflict`.
    """
    who = by or actor.name
    with one_at_a_time(folder):
        item = _open(folder, identifier, actor)
        may_decide(who, actor, str(item.told["by"]))
        if item.state != "waiting":
            return _again(item, numbers, verdict, who)
        chosen = item.left if numbers is None else sorted(set(numbers))
        if any(not 0 <= number < len(item.rows) for number in chosen):
            raise ReviewError("没有这一行，没有处理。请刷新页面。")
        taken = [item.rows[n] for n in chosen if item.rows[n]["decision"] is not None]
        if taken:
            if len(taken) == len(chosen) and all(_is_same(row["decision"], verdict, who) for row in taken):
                return item
            raise ReviewError(f"{_said(taken[0])}，没有再处理。请刷新页面查看。")
        rows = [item.rows[number] for number in chosen]
        doubted = [row for row in rows if row["remarks"] or row["is_nil"]]
        is_doubted = bool(doubted) or (bool(item.told["remarks"]) and verdict == "accept")
        told = reason_of(
            reason,
            wanted=verdict == "return" or is_doubted,
            what="退回" if verdict == "return" else "采用有存疑、待确认、零报告或文件有提示的行",
        )
        record.note(
            folder,
            "corrections",
            动作=f"审核{VERDICT_ZH[verdict]}",
            文件=item.told["file_name"],
            sha256=item.told["sha256"],
            回执=item.id,
            行="全部" if numbers is None else [f"{row['sheet'] or ''}第{row['row']}行" for row in rows][:50],
            原因=told,
            审核人=who,
        )
        decision = {"verdict": verdict, "by": who, "at": desk.now(), "reason": told}
        for row in rows:
            row["decision"] = decision
        if not item.rows:
            item.told["decision"] = decision
        item.save()
        return conclude(folder, item)


def may_decide(who: str, actor: Actor, sender: str) -> None:
    """Raise where nobody is named, or where whoever decides is whoever handed in."""
    if not who:
        raise ReviewError("审核要记下是谁办的，这里还没有账号。请先用 oversight user add 建立账号。")
    for name in (who, actor.name):
        apart(name, "confirm", [("hand_in", sender)] if sender else [])


def _again(item: Review, numbers: Sequence[int] | None, verdict: Verdict, who: str) -> Review:
    """What is answered on a file that is decided: what stands, to whoever decided just that; else who did."""
    if item.state == "withdrawn":
        raise ReviewError("报送人已撤回这份文件，没有处理。请刷新页面。")
    rows = item.rows if numbers is None else [row for row in item.rows if row["n"] in numbers]
    decisions = [row["decision"] for row in rows] or [item.told["decision"]]
    if all(_is_same(told, verdict, who) for told in decisions if told):
        return item
    raise ReviewError(f"{_said(rows[0]) if rows else '这份文件已经审核'}，没有再处理。请刷新页面查看。")


def _is_same(decision: Mapping[str, Any], verdict: Verdict, who: str) -> bool:
    return bool(decision["verdict"] == verdict and decision["by"] == who)


def _said(row: Mapping[str, Any]) -> str:
    told = row["decision"]
    where = f"{row['sheet'] or ''}第 {row['row']} 行"
    return f"{where}已由{told['by']}于 {told['at'][:16].replace('T', ' ')} {VERDICT_ZH[told['verdict']]}"


def _open(folder: DataFolder, identifier: str, actor: Actor) -> Review:
    item = find(folder, identifier)
    if item is None or not covers(actor.scope, item):
        raise ReviewError("没有这份待审核的文件，或您无权审核。请刷新页面。")
    return item


def conclude(folder: DataFolder, item: Review) -> Review:
    """Put a file of which every row is decided where it belongs. May be asked again. Call it under the lock."""
    if item.state != "waiting" or item.left:
        return item
    decisions = [row["decision"] for row in item.rows] or [item.told["decision"]]
    if decisions == [None]:
        return item
    accepted = [told for told in decisions if told["verdict"] == "accept"]
    state = "accepted" if len(accepted) == len(decisions) else "partly" if accepted else "returned"
    changes: dict[str, Any] = {"review": state, "reviewed_at": desk.now()}
    changes["reviewed_by"] = "、".join(dict.fromkeys(str(told["by"]) for told in decisions))
    changes["review_reasons"] = [
        {"sheet": row["sheet"], "row": row["row"], "name": row["name"], "reason": row["decision"]["reason"]}
        for row in item.rows
        if row["decision"]["verdict"] == "return"
    ] or [
        {"sheet": None, "row": None, "name": "", "reason": told["reason"]}
        for told in decisions
        if not accepted
    ]
    # Owed as before, where no other row of the file brings them.
    cells: dict[str, set[str]] = {verdict: set() for verdict in VERDICT_ZH}
    for row in item.rows:
        cells[row["decision"]["verdict"]].add(f"{row['dataset']} {row['month']} {row['code']}")
    changes["returned_cells"] = sorted(cells["return"] - cells["accept"])
    if accepted:
        add(folder, [line for row in item.rows for line in _answers(item, row)])
        changes["stored_as"] = desk.store(folder, item.told, content_of(folder, item))
    desk.note_review(folder, item.id, changes)
    item.told.update({"state": state, "decided_at": changes["reviewed_at"]})
    item.save()
    return item


def _answers(item: Review, row: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """What a decision says to the run: nothing of a row that is accepted and was never in doubt."""
    told = row["decision"]
    common = {
        "dataset": row["dataset"],
        "month": row["month"],
        "code": row["code"],
        "sha256": item.told["sha256"],
        "sheet": row["sheet"],
        "row": row["row"],
        "reason": told["reason"],
        "by": told["by"],
    }
    if told["verdict"] == "return":
        yield answer("退回", **common)
        return
    held = [remark for remark in row["remarks"] if remark["kind"] == "held"]
    for remark in held:
        yield answer("确认", **common, column=remark["column"], value=remark["base"])
    if any(remark["kind"] == "doubt" for remark in row["remarks"]):
        yield answer("核实", **common)


def withdraw(folder: DataFolder, identifier: str) -> None:
    """The sender takes a file back before it is decided. Raises `ReviewError` where it is too late."""
    with one_at_a_time(folder):
        item = find(folder, identifier)
        if item is None:
            raise ReviewError("没有这份待审核的文件。请刷新页面。")
        if item.state == "withdrawn":
            return
        decided = next((row for row in item.rows if row["decision"]), None)
        if decided is not None or item.state != "waiting":
            said = _said(decided) if decided is not None else "这份文件已经审核"
            raise ReviewError(f"{said}，不能撤回。要改数，请在文件名里写明“更正”后重新报送。")
        item.told.update({"state": "withdrawn", "decided_at": desk.now()})
        item.save()


def resume(folder: DataFolder) -> None:
    """Finish what was cut off: files of which every row is decided but that are not where they belong."""
    if not folder.reviews.is_dir():
        return
    with one_at_a_time(folder):
        for item in list(_listed(folder)):
            if item.state == "waiting":
                conclude(folder, item)
