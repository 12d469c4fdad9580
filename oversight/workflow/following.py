"""The life of a finding: what may be done about it in which state, and the ledger of what was done.

The ledger is the CSV files under `findings/` (`oversight.standards.notes`), which the pipeline reads: what is done in the
browser or by `oversight finding` is one more row of `办理_<month>.csv`, and a line of the record. A state is never kept;
it follows from the rows and from what the edition says of the finding.
"""

from __future__ import annotations

import csv
import fcntl
import hashlib
import io
import os
import re
import secrets
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from oversight import durable
from oversight.accounts import record
from oversight.accounts.roles import Action, Conflict, apart
from oversight.accounts.scope import EVERYTHING, Scope
from oversight.calendar import Calendar
from oversight.editions import current, open_edition
from oversight.errors import OversightError
from oversight.settings import DataFolder
from oversight.standards import notes as files

State = Literal[
    "new", "recurring", "notified", "replied", "rectifying", "pending", "closed", "exempt"
]  # fmt: skip
STATES: dict[State, str] = {
    "new": "新发现",
    "recurring": "反复",
    "notified": "已通知",
    "replied": "已答复",
    "rectifying": "整改中",
    "pending": "待核销",
    "closed": "已销号",
    "exempt": "已豁免",
}
OPEN: tuple[State, ...] = ("new", "recurring", "notified", "replied", "rectifying", "pending")
_ALL: tuple[State, ...] = (*OPEN, "closed", "exempt")


def _stay(*states: State) -> dict[State, State]:
    return {state: state for state in states}


def _to(target: State, *states: State) -> dict[State, State]:
    return dict.fromkeys(states, target)


@dataclass(frozen=True)
class Step:
    """Something done about a finding: what it is called, from which state to which it leads, who may do it."""

    title: str
    leads: Mapping[State, State]
    needs: Action
    # What must be given besides: fields of `Said`.
    wants: tuple[str, ...] = ("text",)


# The whole of it: from a state that a step does not name, it is refused.
STEPS: dict[str, Step] = {
    "assigned": Step("指定责任人", _stay(*OPEN, "exempt"), "follow", ("owner",)),
    "notice": Step("通知", _to("notified", "new", "recurring", "notified") | _stay("rectifying"), "follow"),
    "reply": Step("答复", _to("replied", "new", "recurring", "notified", "replied", "rectifying"), "reply"),
    "agreed": Step(
        "约定整改", _to("rectifying", "notified", "replied", "rectifying"), "follow", ("text", "on")
    ),
    "done": Step("提请核销", _to("pending", "notified", "replied", "rectifying"), "follow"),
    "returned": Step("退回", {"pending": "rectifying", "replied": "notified"}, "close_finding"),
    "closed": Step("核销", {"pending": "closed"}, "close_finding", ("text", "approver")),
    "exemption": Step("豁免", _to("exempt", *OPEN), "close_finding", ("text", "on", "approver")),
    # Back to where it was, which `_folded` knows.
    "exemption_end": Step("取消豁免", {"exempt": "notified"}, "close_finding"),
    "reopened": Step("重新打开", {"closed": "recurring"}, "close_finding"),
    "remark": Step("备注", _stay(*_ALL), "follow"),
}
# Where a row that was written by hand leads whatever the state: files are taken as they stand.
_BY_HAND: dict[str, State] = {
    "notice": "notified",
    "reply": "replied",
    "agreed": "rectifying",
    "done": "pending",
    "returned": "rectifying",
    "closed": "closed",
    "exemption": "exempt",
    "reopened": "recurring",
}
_WANTED = {"text": "内容", "on": "日期", "approver": "批准人（核销人）", "owner": "责任人"}
_OVER = {"cleared": "数据已达标", "unit_ended": "单位已撤并", "superseded": "标准已更替"}
TEXT_CHARACTERS = 2000
FILES_EACH = 10
_KEY = re.compile(r"[0-9a-f]{8,32}")
_HEAD = ("\ufeff" + ",".join(files.HEADS)).encode()
# As it is written, and as a spreadsheet leaves it, or somebody who has put a column behind.
_HEADS = (_HEAD + b"\n", _HEAD + b"\r\n", _HEAD + b",")

COLUMNS = (
    "finding_id, rule_id, subject_level, subject_code, opened_month, last_month, cleared_month, months_open, status, "
    "value_checked, value_expected, shortfall, unit, severity, is_minor, weight, document_title, clause, message_zh, "
    "previous_finding_id"
)


class FollowError(OversightError):
    """What was asked for cannot be done; the sentence says why and what to do."""


@dataclass(frozen=True)
class Said:
    """What somebody says with a step; `on` is the agreed day, or the last day of an exemption."""

    text: str = ""
    on: date | None = None
    approver: str = ""
    owner: str = ""
    # (name, SHA-256) of files that `keep_attachment` has put away.
    attachments: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class _Told:
    """The notes on a finding in their order, and the state they lead to from `begin`."""

    begin: State
    notes: tuple[dict[str, Any], ...]
    state: State
    before_exemption: State

    @classmethod
    def of(cls, begin: State, notes: Iterable[dict[str, Any]]) -> _Told:
        """From notes in whatever order."""
        return cls(begin, (), begin, begin).then(sorted(notes, key=_order))

    def then(self, notes: Sequence[dict[str, Any]]) -> _Told:
        """With more notes, themselves in order. A finding may have a hundred, and nearly always the next one is the last:
        then nothing before it is gone through again."""
        if self.notes and notes and _order(notes[0]) < _order(self.notes[-1]):
            return _Told.of(self.begin, (*self.notes, *notes))
        state, before = self.state, self.before_exemption
        for note in notes:
            kind, was = str(note["kind"]), state
            if kind == "exemption_end":
                state = before if was == "exempt" else was
            else:
                state = STEPS[kind].leads.get(was, _BY_HAND.get(kind, was))
            if state == "exempt" and was != "exempt":
                before = was
        return _Told(self.begin, (*self.notes, *notes), state, before)


def _order(note: Mapping[str, Any]) -> tuple[date, str, int]:
    return note["recorded_on"], note["acted_at"] or "", note["note_no"]


@dataclass
class Case:
    """A finding with everything done about it, as of a day."""

    row: Mapping[str, Any]
    today: date
    told: _Told
    earlier: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.state, self.closed_by = self._now()

    @property
    def notes(self) -> Sequence[dict[str, Any]]:
        """Everything done about it, in order."""
        return self.told.notes

    @property
    def finding_id(self) -> str:
        """As the edition names it."""
        return str(self.row["finding_id"])

    @property
    def version(self) -> int:
        """How much had been done about it: whoever acts says what they saw."""
        return len(self.notes)

    @property
    def state_zh(self) -> str:
        """The state, for people."""
        return STATES[self.state]

    @property
    def is_open(self) -> bool:
        """Whether something is still to be done."""
        return self.state in OPEN

    def last(self, *kinds: str) -> dict[str, Any] | None:
        """The last note of these kinds."""
        return next((note for note in reversed(self.notes) if note["kind"] in kinds), None)

    @property
    def owner(self) -> str:
        """Who sees to it; '' where nobody was named."""
        note = self.last("assigned")
        return str(note["owner"]) if note else ""

    @property
    def due_on(self) -> date | None:
        """The day by which something is expected: the agreed one, before that the one by which to reply."""
        note = {"rectifying": self.last("agreed"), "notified": self.last("notice")}.get(self.state)
        return note["agreed_on"] if note else None

    def is_overdue(self, calendar: Calendar) -> bool:
        """Whether that day has passed; one on a day off ends with the next working day."""
        due = self.due_on
        return due is not None and calendar.next_workday(due) < self.today

    def _now(self) -> tuple[State, str]:
        told = str(self.row["status"])
        if told in _OVER:
            return "closed", _OVER[told]
        state = self.told.state
        if state == "exempt":
            note = self.last("exemption") or {}
            until = note.get("exempt_until")
            return (
                (self.told.before_exemption, "") if until is not None and until < self.today else (state, "")
            )
        if state == "closed":
            note = self.last("closed") or {}
            # What a person closed and the data of a later month say again has come back.
            if _last_day(self.row["last_month"]) > note["recorded_on"]:
                return "recurring", ""
            return state, f"{note['approver']}核销"
        return state, ""


def _last_day(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


# --- reading ------------------------------------------------------------------------------------------------


def cases(folder: DataFolder, rows: Iterable[Mapping[str, Any]], today: date) -> dict[str, Case]:
    """The findings of an edition (`COLUMNS`), each with its notes. A note follows the spell that holds its month."""
    rows = list(rows)
    ledger = _ledger(folder)
    earlier = {str(row["finding_id"]): row.get("previous_finding_id") for row in rows}
    found = {}
    for row in rows:
        name = str(row["finding_id"])
        chain: list[str] = []
        previous = row.get("previous_finding_id")
        while previous and previous not in chain:
            chain.append(str(previous))
            previous = earlier.get(previous)
        found[name] = Case(row, today, ledger.told(row, name), tuple(chain))
    return found


def noted_cases(folder: DataFolder, prefixes: Sequence[str], today: date) -> dict[str, Case]:
    """Of the current edition, the findings below any of these codes that something was done about."""
    stems = sorted(_ledger(folder).notes)
    return cases(folder, edition_rows(folder, prefixes, stems), today) if stems else {}


Mark = tuple[Path, int, int]
_NEW: dict[State, _Told] = {"new": _Told.of("new", ()), "recurring": _Told.of("recurring", ())}


@dataclass
class _Ledger:
    """The notes of a folder as they were last read: by finding without its month, each with its month."""

    marks: list[Mark] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    notes: dict[str, list[tuple[str, dict[str, Any]]]] = field(default_factory=dict)
    # What was made of them for a finding: of how many notes, up to which month.
    known: dict[str, tuple[int, date, _Told]] = field(default_factory=dict)

    def read(self, marks: Sequence[Mark]) -> None:
        """Read files that come after those that were read."""
        for mark in marks:
            # A file that cannot be understood is not taken for read.
            found = files.read_notes(mark[0])
            self.marks.append(mark)
            self.counts.append(0)
            self.add(len(self.marks) - 1, found)

    def add(self, at: int, found: Sequence[dict[str, Any]]) -> None:
        """Notes at the end of file number `at`."""
        for note in found:
            self.counts[at] += 1
            name = str(note["finding_id"])
            note["note_no"] = at * _FILE_NOTES + self.counts[at]
            self.notes.setdefault(name[:-8], []).append((name[-7:], note))

    def told(self, row: Mapping[str, Any], name: str) -> _Told:
        """The notes on a finding: those between its first month and its last."""
        begin: State = "recurring" if row.get("previous_finding_id") else "new"
        every = self.notes.get(name[:-8])
        if every is None:
            return _NEW[begin]
        last: date = row["last_month"]
        count, until, told = self.known.get(name, (0, last, _NEW[begin]))
        if (until, told.begin) != (last, begin):
            count, told = 0, _NEW[begin]
        size = len(every)
        if count < size:
            first, end = name[-7:], f"{last:%Y-%m}"
            fresh = sorted((note for at, note in every[count:size] if first <= at <= end), key=_order)
            told = told.then(fresh)
            self.known[name] = size, last, told
        return told


# More than a file has rows.
_FILE_NOTES = 10**8
_ledgers: dict[Path, _Ledger] = {}
_ledgers_lock = threading.Lock()


def _mark(path: Path) -> Mark:
    stat = path.stat()
    return path, stat.st_mtime_ns, stat.st_size


def _ledger(folder: DataFolder) -> _Ledger:
    """The notes as they stand; read anew where any file is not what it was, and only what is new where one came after
    the others, as with each month."""
    marks = [_mark(path) for path in files.note_files(folder)]
    with _ledgers_lock:
        found = _ledgers.get(folder.root)
        if found is not None and found.marks == marks:
            return found
        if found is None or found.marks != marks[: len(found.marks)]:
            found = _Ledger()
        found.read(marks[len(found.marks) :])
        while len(_ledgers) >= _FOLDERS_KEPT:
            _ledgers.pop(next(iter(_ledgers)))
        _ledgers[folder.root] = found
        return found


# A server has one folder, the tests have many.
_FOLDERS_KEPT = 4


def _extended(folder: DataFolder, before: Mark, rows: Sequence[Sequence[str]]) -> None:
    """Rows were put at the end of a file that was `before`: what was read of it goes on from there."""
    with _ledgers_lock:
        found = _ledgers.get(folder.root)
        if found is None or before not in found.marks:
            return
        at = found.marks.index(before)
        found.add(at, files.parsed(before[0], rows, found.counts[at] + 2))
        found.marks[at] = _mark(before[0])


def edition_rows(
    folder: DataFolder, prefixes: Sequence[str] = ("",), stems: Sequence[str] | None = None
) -> list[dict[str, Any]]:
    """The findings of the current edition below any of these codes; of these `stems` (an id without its month) alone,
    where some are given. Raises `FollowError` where there is no edition."""
    if current(folder) is None:
        raise FollowError("还没有数据版本。请先运行 oversight run。")
    with open_edition(folder) as connection:
        condition = " or ".join("starts_with(subject_code, ?)" for _ in prefixes) or "false"
        values: list[Any] = list(prefixes)
        if stems is not None:
            condition = f"({condition}) and list_contains(?, left(finding_id, length(finding_id) - 8))"
            values.append(list(stems))
        cursor = connection.execute(
            f"select {COLUMNS} from findings where {condition} order by subject_code, opened_month, finding_id",
            values,
        )
        names = [item[0] for item in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


# --- acting -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """What became of a step on several findings: those it was taken on, and why not on the others."""

    done: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Act:
    """A step on one finding. `seen`: the version that was seen (None: whatever it is). Of those of one `group` all are
    taken or none."""

    finding_id: str
    kind: str
    said: Said
    action_id: str
    seen: int | None = None
    group: str = ""


def act(
    folder: DataFolder,
    rows: Iterable[Mapping[str, Any]],
    asked: Mapping[str, int | None],
    kind: str,
    said: Said,
    *,
    by: str,
    now: datetime,
    key: str = "",
) -> Outcome:
    """Take a step on findings of an edition. `asked` has each finding's id and the version that was seen; the same `key`
    a second time changes nothing.

    Raises `FollowError` for what holds of all of them; what holds of one is told in the outcome.
    """
    key = key or secrets.token_hex(8)
    if not _KEY.fullmatch(key):
        raise FollowError("办理编号不对。请刷新页面后重试。")
    acts = [
        Act(name, kind, said, f"{key}-{number}", seen, group=name)
        for number, (name, seen) in enumerate(asked.items())
    ]
    return act_each(folder, rows, acts, by=by, now=now)


def act_each(
    folder: DataFolder, rows: Iterable[Mapping[str, Any]], acts: Sequence[Act], *, by: str, now: datetime
) -> Outcome:
    """Take several steps at once. Raises `FollowError` for a step that is not said as it must be."""
    by = _one_line(by)
    if not by:
        raise FollowError("请写明由谁办理。")
    checked = [(item, _checked(item.kind, item.said, by, now.date())) for item in acts]
    with locked(folder, "findings"):
        found = cases(folder, rows, now.date())
        done: list[str] = []
        refused: list[tuple[str, str]] = []
        made: list[tuple[dict[str, Any], str]] = []
        groups: dict[str, list[tuple[Act, Said]]] = {}
        for item, said in checked:
            groups.setdefault(item.group, []).append((item, said))
        for own in groups.values():
            fresh: list[tuple[Act, Said]] = []
            why: dict[str, str] = {}
            for item, said in own:
                case = found.get(item.finding_id)
                if case is None or item.action_id not in [note["action_id"] for note in case.notes]:
                    told = _why_not(case, item.kind, item.seen, by)
                    why |= {item.finding_id: told} if told else {}
                    fresh.append((item, said))
            if why:
                refused += why.items()
                continue
            done += [item.finding_id for item, _ in own]
            for item, said in fresh:
                case = found[item.finding_id]
                note = _row(item.finding_id, item.kind, said, by, now, item.action_id)
                then = case.told.then([note | {"note_no": 10**15, "file_name": ""}])
                after = Case(case.row, now.date(), then)
                made.append((note, f"{case.state_zh}→{after.state_zh}"))
                found[item.finding_id] = after
        if made:
            _keep(folder, made)
    return Outcome(tuple(done), tuple(refused))


def _checked(kind: str, said: Said, by: str, today: date) -> Said:
    step = STEPS.get(kind)
    if step is None:
        raise FollowError(f"没有“{kind}”这种办理，可用的是{'、'.join(s.title for s in STEPS.values())}。")
    texts = {name: _one_line(getattr(said, name)) for name in ("text", "approver", "owner")}
    said = Said(texts["text"], said.on, texts["approver"], texts["owner"], said.attachments)
    if step is STEPS["closed"] and not said.approver:
        said = Said(said.text, said.on, by, said.owner, said.attachments)
    lacking = [_WANTED[name] for name in step.wants if not getattr(said, name)]
    if lacking:
        raise FollowError(f"{step.title}须写明{'、'.join(lacking)}。请补填后重试。")
    for value in (said.text, said.approver, said.owner):
        if len(value) > TEXT_CHARACTERS:
            raise FollowError(f"内容超过 {TEXT_CHARACTERS} 字。请缩短，或把全文作为附件。")
    if said.on is not None and "on" in step.wants and said.on < today:
        raise FollowError(f"{step.title}的日期 {said.on} 已经过去。请写今天或以后的日期。")
    if len(said.attachments) > FILES_EACH:
        raise FollowError(f"一次最多附 {FILES_EACH} 个文件。")
    if not said.text:
        said = Said(said.owner, said.on, said.approver, said.owner, said.attachments)
    return said


def _why_not(case: Case | None, kind: str, seen: int | None, by: str) -> str:
    step = STEPS[kind]
    if case is None:
        return "当前版本里没有这个问题，或您无权查看。请刷新后重试。"
    if seen is not None and seen != case.version:
        last = case.notes[-1] if case.notes else None
        told = f"（{last['recorded_by'] or '有人'}刚刚办理了“{STEPS[last['kind']].title}”）" if last else ""
        return f"这个问题在您打开之后有了变化{told}。请刷新后按现在的情况办理。"
    if case.state not in step.leads:
        may = "、".join(STATES[state] for state in step.leads)
        why = f"（{case.closed_by}）" if case.closed_by else ""
        return f"这个问题现在是“{case.state_zh}”{why}，不能{step.title}；能{step.title}的是：{may}。"
    if kind == "reopened" and case.row["status"] in _OVER:
        return f"这个问题因{case.closed_by}销号，不能重新打开；再次不达标时会成为新的问题。"
    if kind == "closed":
        note = case.last("done")
        try:
            apart(by, "close_finding", [("follow", str(note["recorded_by"] or ""))] if note else [])
        except Conflict as error:
            return str(error)
    return ""


def _row(name: str, kind: str, said: Said, by: str, now: datetime, action_id: str) -> dict[str, Any]:
    is_exemption = kind == "exemption"
    return {
        "finding_id": name,
        "kind": kind,
        "recorded_on": now.date(),
        "text_zh": said.text,
        "agreed_on": None if is_exemption else said.on,
        "exempt_until": said.on if is_exemption else None,
        "approver": said.approver or None,
        "recorded_by": by,
        "owner": said.owner or None,
        "attachments": "/".join(f"{title}|{sha256}" for title, sha256 in said.attachments) or None,
        "action_id": action_id,
        "acted_at": now.isoformat(timespec="seconds"),
    }


def digest(note: Mapping[str, Any]) -> str:
    """What ties a row of the ledger to its line of the record."""
    return spelt(hashlib.sha256("\x1f".join(files.written(note)).encode()).hexdigest()[:16])


def spelt(name: str) -> str:
    """A name of ours as the record holds it: without digits, of which eleven in a row are taken for a telephone."""
    return name.translate(str.maketrans("0123456789", "ghijklmnop"))


def _keep(folder: DataFolder, made: Sequence[tuple[dict[str, Any], str]]) -> None:
    # What cannot be recorded does not happen.
    record.note_all(
        folder,
        "finding",
        [
            {
                "编号": spelt(note["action_id"]),
                "问题": note["finding_id"],
                "动作": STEPS[note["kind"]].title,
                "状态": change,
                "内容": note["text_zh"],
                "办理人": note["recorded_by"],
                "摘要": digest(note),
            }
            for note, change in made
        ],
    )
    append(folder, [note for note, _ in made])


def append(folder: DataFolder, made: Sequence[Mapping[str, Any]]) -> None:
    """Add rows to the ledger's file of their month. Call it within `locked`."""
    by_month: dict[str, list[list[str]]] = {}
    for note in made:
        by_month.setdefault(f"{note['recorded_on']:%Y-%m}", []).append(files.written(note))
    for month in sorted(by_month):
        path = folder.root / "findings" / f"{files.ACTIONS}{month}.csv"
        added = _lines(by_month[month]).encode()
        if not path.exists():
            durable.write_bytes(path, _HEADS[0])
        before = _mark(path)
        with path.open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 65536))
            tail = file.read()
            # A line that a crash cut off was never said to be done.
            end = size - (len(tail) - tail.rfind(b"\n") - 1)
            file.seek(end)
            file.truncate()
            file.write(added)
            file.flush()
            os.fsync(file.fileno())
        if end == size:
            _extended(folder, before, by_month[month])


@contextmanager
def locked(folder: DataFolder, what: str) -> Iterator[None]:
    """One writer of a ledger at a time, in whatever process; the kernel's lock goes with its holder."""
    path = folder.work / f"{what}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _one_line(text: str) -> str:
    """Text as a row holds it: on one line, so that a row is a line."""
    return " ".join(text.split())


# --- attachments --------------------------------------------------------------------------------------------


def keep_attachment(folder: DataFolder, content: bytes) -> str:
    """Put a file of a reply away; its SHA-256."""
    sha256 = hashlib.sha256(content).hexdigest()
    path = attachment(folder, sha256)
    if not path.is_file():
        durable.write_bytes(path, content)
    return sha256


def attachment(folder: DataFolder, sha256: str) -> Path:
    """Where it lies."""
    return folder.root / "findings" / "attachments" / sha256[:2] / sha256


def attachments_of(note: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(name, SHA-256) of a note's files."""
    parts = str(note["attachments"] or "").split("/")
    return [(name, sha256) for name, _, sha256 in (part.rpartition("|") for part in parts) if name]


# --- the ledger as a whole ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reconciled:
    """Ledger against record: how many actions stand in both, and what stands in one only or differs."""

    matched: int
    by_hand: int
    before_record: int
    wrong: tuple[str, ...]


def is_of(name: str, scope: Scope) -> bool:
    """Whether a finding's unit lies in a scope."""
    return scope.covers(name.split("/")[-2]) if name.count("/") > 1 else scope.is_whole


def reconcile(folder: DataFolder, scope: Scope = EVERYTHING) -> Reconciled:
    """Hold each action of the ledger against its line of the record, and the other way round; of the findings in a
    scope alone. 对账."""
    from oversight.accounts.exist import exist

    wrong = [
        f"{path.name} 的表头被改动过：改了名的列读不进来。请改回 {','.join(files.HEADS)}。"
        for path in files.note_files(folder)
        if path.name.startswith(files.ACTIONS) and not path.read_bytes().startswith(_HEADS)
    ]
    wrong += [
        f"{path.name} 里有 {count} 次办理与系统写下的字节不同（意思没有变）：写入之后被改动过。"
        "请运行 oversight repair 按原样写回。"
        for path in files.note_files(folder)
        if (count := _spelt_otherwise(path))
    ]
    lines: dict[str, str] = {}
    first = ""
    if exist(folder):
        first = next((line.at for line in record.lines(folder, limit=1)), "")
        for line in record.lines(folder, what="finding"):
            told = line.told
            if "编号" in told and is_of(str(told["问题"]), scope):
                lines[str(told["编号"])] = str(told["摘要"])
    matched = before = by_hand = 0
    seen: set[str] = set()
    # One file after the other: a country's year has two million notes.
    for note in (note for path in files.note_files(folder) for note in files.read_notes(path)):
        name = str(note["action_id"] or "")
        if not is_of(str(note["finding_id"]), scope):
            continue
        if not name:
            by_hand += 1
        elif name in seen:
            wrong.append(f"办理编号 {name} 在台账里出现了不止一次。请核对 findings/。")
        elif (line_digest := lines.pop(spelt(name), None)) is not None:
            if line_digest == digest(note):
                matched += 1
            else:
                wrong.append(f"{note['finding_id']}（{name}）的内容与留痕不同：台账被改动过。请从备份核对。")
        elif not first or str(note["acted_at"]) < first:
            before += 1
        else:
            wrong.append(
                f"{note['finding_id']}（{name}）在留痕里没有：不是在系统里办理的。请核对 findings/。"
            )
        seen.add(name)
    wrong += [f"留痕记有办理 {name}，台账里没有。请从备份恢复或重新办理。" for name in lines]
    return Reconciled(matched, by_hand, before, tuple(sorted(set(wrong))))


def _spelt_otherwise(path: Path) -> int:
    """How many actions stand in a file, by whatever it was changed, in other bytes than were put there."""
    lines = set(path.read_bytes().split(b"\n"))
    own = [files.written(note) for note in files.read_notes(path) if note["action_id"]]
    return sum(_lines([row]).removesuffix("\n").encode() not in lines for row in own)


def respell(folder: DataFolder) -> list[Path]:
    """Put files whose actions stand there in other bytes, and say the same, back into those they were written in."""
    with locked(folder, "findings"):
        found = [
            path
            for path in files.note_files(folder)
            # What somebody put into a column of their own stays.
            if path.read_bytes().startswith(_HEADS[:2]) and _spelt_otherwise(path)
        ]
        for path in found:
            durable.write_text(path, _as_file(files.read_notes(path)))
    return found


def _lines(rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _as_file(notes: Iterable[Mapping[str, Any]]) -> str:
    return _HEADS[0].decode() + _lines(map(files.written, notes))


def export(folder: DataFolder, scope: Scope = EVERYTHING) -> str:
    """Every note of every file as one CSV, in order; `import_notes` takes it back without loss. Of a scope, those on its
    units alone."""
    every = (note for path in files.note_files(folder) for note in files.read_notes(path))
    return _as_file(note for note in every if is_of(str(note["finding_id"]), scope))


# Some 200,000 notes, ten seconds: whoever has more goes through them on the command line.
PAGE_BYTES = 40 * 2**20


def is_large(folder: DataFolder) -> bool:
    """Whether going through the whole ledger takes longer than a page may."""
    return sum(path.stat().st_size for path in files.note_files(folder)) > PAGE_BYTES


def import_notes(folder: DataFolder, path: Path, *, by: str) -> tuple[int, int]:
    """Take notes from a file into the ledger: how many, and how many stood there already. All or none.

    Raises `FindingNoteError` for a row that cannot be understood.
    """
    with locked(folder, "findings"):
        known: dict[tuple[str, ...], int] = {}
        for own in files.note_files(folder):
            for note in files.read_notes(own):
                row = tuple(files.written(note))
                known[row] = known.get(row, 0) + 1
        fresh = []
        for note in files.read_notes(path):
            row = tuple(files.written(note))
            if known.get(row, 0):
                # As often as it stands there already, and no oftener: two equal notes are two notes.
                known[row] -= 1
            else:
                fresh.append(note)
        total = len(files.read_notes(path))
        if fresh:
            stem = re.sub(r"[^\w-]", "_", path.stem)[:40] or "notes"
            number = 1
            while (target := folder.root / "findings" / f"{stem}_{number}.csv").exists():
                number += 1
            record.note(folder, "finding", 动作="导入", 文件=path.name, 条数=len(fresh), 办理人=by)
            durable.write_text(target, _as_file(fresh))
    return len(fresh), total - len(fresh)
