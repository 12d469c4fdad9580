"""催报与文书: who is to get which letter, and its life: drafted, approved by another person, issued, delivered.

Letters stand in `letters/letters.sqlite`, which is also the register of numbers (by issuer and year, never used twice) and
what makes a letter happen once: each is about occasions (a finding and the kind of letter; a unit and the month it has not
reported), and of an occasion there is one letter at most. Their files lie in `letters/<year>/<id>/`.

A letter is looked at again when it is issued and when it is delivered: one to a unit that has meanwhile met the rule,
answered or been exempted goes no further. None is issued or delivered on a day off.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

from oversight import durable, scratch
from oversight import presentation as show
from oversight.accounts import record
from oversight.accounts.roles import Conflict, apart
from oversight.accounts.scope import Scope as Sight
from oversight.archive.sums import digest_of, not_vouched, vouched
from oversight.calendar import Calendar, load_calendar
from oversight.capitals import in_capitals
from oversight.editions import current, open_edition
from oversight.errors import OversightError
from oversight.reports import config, delivery, store
from oversight.reports.facts import Scope
from oversight.reports.letter import Letter as Page
from oversight.reports.letter import write_docx, write_pdf
from oversight.settings import TIME_ZONE, DataFolder
from oversight.workflow import following, handing_in, owed
from oversight.workflow.following import Act, Case, FollowError, Said, State
from oversight.workflow.owed import Missing

Kind = Literal["reminder", "notice", "supervise", "rectify"]
KINDS: dict[Kind, str] = {
    "reminder": "催报函",
    "notice": "提醒函",
    "supervise": "督办单",
    "rectify": "整改通知书",
}
# From which states of a finding a letter may be issued. Afterwards it waits for an answer: `_WAITING`.
FROM: dict[Kind, tuple[State, ...]] = {
    "notice": ("new",),
    "supervise": ("notified", "rectifying"),
    "rectify": ("recurring", "notified", "rectifying"),
}
_WAITING: tuple[State, ...] = ("notified", "rectifying")
# States that may call for a letter at all.
_CALLING = frozenset(state for states in FROM.values() for state in states)
COLOURS = {"blue": "蓝色", "yellow": "黄色", "red": "红色"}
_WHAT = {
    "blue": "尚在约定期限内，请抓紧办理",
    "yellow": "期限将到而尚未办结",
    "red": "已超过期限",
}
STATES = {
    "drafted": "待审批",
    "approved": "待签发",
    "issuing": "签发中",
    "issued": "待送达",
    "delivered": "已送达",
    "withheld": "不再送达",
    "discarded": "作废",
}
# A letter in one of these stands for its occasions; a discarded one leaves them free.
_DEAD = ("discarded",)
RECIPIENTS = "recipients.csv"
FORMATS = ("docx", "pdf")
# So many are delivered with one opening of the ledger.
TOGETHER = 2000
DATASETS = {"population": "户籍人口", "budget": "民政工作经费", "staffing": "民政工作人员"}

_SCHEMA = """
create table if not exists letters (
    id text primary key, kind text not null, unit_code text not null, unit_name text not null, county_code text not null,
    colour text not null, state text not null, content text not null, edition_id text not null,
    drafted_by text not null, drafted_at text not null, approved_by text, approved_at text,
    issued_by text, issued_at text, issuer text, year integer, number integer, files text,
    delivered_at text, why text, unique (issuer, year, number)
);
create table if not exists occasions (
    occasion text not null, letter_id text not null references letters (id), finding_id text,
    is_live integer not null, primary key (letter_id, occasion)
);
create unique index if not exists once on occasions (occasion) where is_live = 1;
create index if not exists by_state on letters (state);
"""


@dataclass(frozen=True)
class Unit:
    """Whom a letter goes to, and whose bureau writes it: the county's to a township, the city's to a county."""

    code: str
    name: str
    county_code: str
    above_code: str
    above_name: str

    @property
    def above(self) -> Scope:
        """The division whose bureau writes."""
        level: Literal["county", "city"] = "city" if len(self.code) == 6 else "county"
        return Scope(self.above_code, level, self.above_name)

    @property
    def addressed(self) -> str:
        """As a letter names it."""
        if len(self.code) == 6:
            return f"{self.name}人民政府"
        return self.name + ("办事处" if self.name.endswith("街道") else "人民政府")


def writer_of(code: str) -> str:
    """The division whose bureau writes to a unit: the county to a township, the city to a county."""
    return code[:6] if len(code) == 9 else f"{code[:4]}00"


@dataclass
class Ground:
    """What letters rest on: the findings of an edition with what was done about them, and the reports that are missing."""

    folder: DataFolder
    rows: Sequence[Mapping[str, Any]]
    units: Mapping[str, Unit]
    missing: Sequence[Missing]
    edition_id: str
    # "dataset month unit" of what was handed in and waits for a run.
    handed: frozenset[str] = frozenset()
    calendar: Calendar = field(default_factory=load_calendar)

    def cases(self, today: date, names: Iterable[str] | None = None) -> dict[str, Case]:
        """The findings as of a day; only those named, where some are."""
        rows = self.rows if names is None else [self.by_id[name] for name in names if name in self.by_id]
        return following.cases(self.folder, rows, today)

    @cached_property
    def by_id(self) -> dict[str, Mapping[str, Any]]:
        """Rows by finding."""
        return {str(row["finding_id"]): row for row in self.rows}

    @cached_property
    def settings(self) -> _Settings:
        """What each county has set, read once."""
        return _Settings(self.folder)

    @cached_property
    def owed(self) -> frozenset[tuple[str, date, str]]:
        """What has not been reported, nor handed in."""
        return frozenset(
            (item.code, item.month, item.dataset) for item in self.missing if item.cell not in self.handed
        )


def ground(folder: DataFolder, today: date) -> Ground:
    """Of the current edition, as of a day. Raises `FollowError` where there is none."""
    edition = current(folder)
    if edition is None:
        raise FollowError("还没有数据版本。请先运行 oversight run。")
    with open_edition(folder, edition.edition_id) as connection:
        units = {
            row[0]: Unit(*row)
            for row in connection.execute(
                "select township_code, township_name, county_code, county_code, county_name from townships "
                "union all select distinct county_code, county_name, county_code, city_code, city_name from townships "
                "where city_code is not null"
            ).fetchall()
        }
    missing = owed.missing(folder, edition.edition_id, ("",), today)
    handed = owed.handed(folder, edition.edition_id, handing_in.every_receipt(folder))
    rows = following.edition_rows(folder)
    return Ground(folder, rows, units, missing, edition.edition_id, handed, load_calendar(folder))


@dataclass(frozen=True)
class Wanted:
    """A letter that is due: to whom, about what. `occasions`: (what happens once, the finding it is about)."""

    kind: Kind
    unit: Unit
    colour: str
    occasions: tuple[tuple[str, str | None], ...]
    # Of a reminder: month, reports, due day, stage.
    told: Mapping[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What kind it is, for people."""
        return (COLOURS[self.colour] if self.colour else "") + KINDS[self.kind]


def colour_of(due: date, today: date, calendar: Calendar, yellow_days: int) -> str:
    """Red after the day, yellow from so many working days before it on, blue before that."""
    due = calendar.next_workday(due)
    if due < today:
        return "red"
    return "yellow" if calendar.add_workdays(today, yellow_days) >= due else "blue"


def wanted(
    ground: Ground, now: datetime, kinds: Sequence[Kind] = tuple(KINDS), prefixes: Sequence[str] = ("",)
) -> list[Wanted]:
    """Every letter that is due and not there yet, one for each unit and kind."""
    today, below, settings = now.date(), tuple(prefixes), ground.settings
    asked = [
        case
        for case in ground.cases(today).values()
        if case.state in _CALLING
        and not case.row["is_minor"]
        and (code := str(case.row["subject_code"])) in ground.units
        and code.startswith(below)
    ]
    reds = _reds(ground.folder, asked)
    called: list[tuple[tuple[Kind, str, str], tuple[str, str]]] = []
    for case in asked:
        code = str(case.row["subject_code"])
        due = _due(case, ground, today, settings.of(ground.units[code]), reds)
        if due is not None and due[0] in kinds:
            called.append(((due[0], code, due[1]), (due[2], case.finding_id)))
    taken = _taken(ground.folder, [occasion for _, (occasion, _) in called])
    found: dict[tuple[Kind, str, str], list[tuple[str, str | None]]] = {}
    for which, (occasion, name) in called:
        if occasion not in taken:
            found.setdefault(which, []).append((occasion, name))
    made = [
        Wanted(kind, ground.units[code], colour, tuple(occasions))
        for (kind, code, colour), occasions in found.items()
    ]
    if "reminder" in kinds:
        made += _reminders(ground, today, below, settings)
    return sorted(made, key=lambda item: (item.unit.code, list(KINDS).index(item.kind), item.colour))


def _due(
    case: Case, ground: Ground, today: date, settings: Mapping[str, Any], reds: Mapping[str, str]
) -> tuple[Kind, str, str] | None:
    """Kind, colour and occasion of the letter that a finding calls for."""
    name = case.finding_id
    if case.state in FROM["notice"]:
        return "notice", "", f"notice {name}"
    if case.state == "recurring":
        # As often as it was closed and came back.
        times = sum(note["kind"] in ("closed", "reopened") for note in case.notes)
        return "rectify", "", f"rectify {name} {times}"
    due = case.due_on
    if case.state not in FROM["supervise"] or due is None:
        return None
    red = reds.get(name, "")
    answer = case.last("reply", "agreed")
    if red and not (answer and (answer["acted_at"] or "") > red):
        # What a red one did not move is not warned again, but ordered.
        on = date.fromisoformat(red[:10])
        is_ripe = ground.calendar.add_workdays(on, settings["rectify_after_days"]) < today
        return ("rectify", "", f"rectify {name} after {on}") if is_ripe else None
    colour = colour_of(due, today, ground.calendar, settings["yellow_days"])
    if colour == "blue" and case.state == "notified":
        # The letter before it says the same day.
        return None
    return "supervise", colour, f"supervise {colour} {name} {due}"


def _reminders(ground: Ground, today: date, below: tuple[str, ...], settings: _Settings) -> list[Wanted]:
    called: list[tuple[str, tuple[str, date, str, date], str]] = []
    for item in ground.missing:
        unit = ground.units.get(item.code)
        if (item.code, item.month, item.dataset) not in ground.owed or unit is None:
            continue
        if not item.code.startswith(below):
            continue
        is_late = item.due_on < today
        days = settings.of(unit)["remind_days"]
        if not is_late and ground.calendar.add_workdays(today, days) < item.due_on:
            continue
        stage = "late" if is_late else "before"
        occasion = f"reminder {stage} {item.code} {item.month:%Y-%m} {item.dataset}"
        called.append((occasion, (item.code, item.month, stage, item.due_on), item.dataset))
    taken = _taken(ground.folder, [occasion for occasion, _, _ in called])
    by_unit: dict[tuple[str, date, str, date], list[str]] = {}
    for occasion, which, dataset in called:
        if occasion not in taken:
            by_unit.setdefault(which, []).append(dataset)
    return [
        Wanted(
            "reminder",
            ground.units[code],
            "",
            tuple((f"reminder {stage} {code} {month:%Y-%m} {name}", None) for name in names),
            {"month": f"{month:%Y-%m}", "datasets": names, "due": f"{due}", "stage": stage},
        )
        for (code, month, stage, due), names in by_unit.items()
    ]


class _Settings:
    """The settings of each county, read once."""

    def __init__(self, folder: DataFolder) -> None:
        self.folder = folder
        self._known: dict[str, config.Wording] = {}
        self._issuers: dict[str, str] = {}

    def wording(self, unit: Unit) -> config.Wording:
        """Settings and templates for a unit's letters."""
        if unit.above_code not in self._known:
            self._known[unit.above_code] = config.load(self.folder, unit.above_code)
        return self._known[unit.above_code]

    def of(self, unit: Unit) -> Mapping[str, Any]:
        """The part on letters."""
        found: Mapping[str, Any] = self.wording(unit).settings["letters"]
        return found

    def issuer(self, unit: Unit) -> str:
        """Who signs."""
        if unit.above_code not in self._issuers:
            wording = self.wording(unit)
            told = wording.line(str(wording.settings["document"]["issuer"]), scope=unit.above)
            self._issuers[unit.above_code] = told
        return self._issuers[unit.above_code]


# --- the ledger of letters ----------------------------------------------------------------------------------


def home(folder: DataFolder) -> Path:
    """Where letters lie."""
    return folder.root / "letters"


def _ledger(folder: DataFolder) -> Path:
    return home(folder) / "letters.sqlite"


@contextmanager
def _writing(folder: DataFolder) -> Iterator[sqlite3.Connection]:
    """The ledger while nobody else writes it; its digest stands beside it afterwards. Raises `Damaged` where it is not
    what was last written: a letter that it has forgotten would go out again."""
    path = _ledger(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    with following.locked(folder, "letters-ledger"), vouched(path), _opened(path) as ledger:
        ledger.execute("pragma synchronous = full")
        ledger.executescript(_SCHEMA)
        ledger.execute("begin immediate")
        yield ledger
        ledger.execute("commit")


@contextmanager
def _reading(folder: DataFolder) -> Iterator[sqlite3.Connection | None]:
    """The ledger as it stands; None before the first letter."""
    if not _ledger(folder).is_file():
        yield None
        return
    with _opened(_ledger(folder)) as ledger:
        is_made = ledger.execute("select 1 from sqlite_master where name = 'by_state'").fetchone()
        yield ledger if is_made else None


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, isolation_level=None, timeout=30)
    try:
        connection.row_factory = sqlite3.Row
        yield connection
    finally:
        connection.close()


def examine(folder: DataFolder) -> Iterator[tuple[Path, str]]:
    """Each file of letters, and why it is not what was written; '' where it is."""
    path = _ledger(folder)
    damage = not_vouched(path)
    if damage:
        yield damage.path, damage.why
        return
    if not path.is_file():
        return
    yield path, ""
    own: set[Path] = set()
    for row in letters(folder):
        place = home(folder) / str(row["year"]) / row["id"]
        for name, sha256 in json.loads(row["files"] or "{}").values():
            file = place / name
            own.add(file)
            why = "" if file.is_file() and digest_of(file) == sha256 else "内容与它的校验值不符"
            yield file, why if file.is_file() else "文件不在了"
        # What an attempt that was cut off has written is written again by the next.
        if row["state"] == "issuing" and place.is_dir():
            own |= set(place.iterdir())
    for file in sorted(home(folder).glob("*/*/*")):
        if file not in own and not file.name.startswith("."):
            yield file, "文书登记里没有它"


def _taken(folder: DataFolder, occasions: Sequence[str]) -> frozenset[str]:
    """Of these occasions, those that have their letter."""
    with _reading(folder) as ledger:
        return frozenset() if ledger is None else _live(ledger, occasions)


def _live(ledger: sqlite3.Connection, occasions: Iterable[str]) -> frozenset[str]:
    found = ledger.execute(
        "select occasion from occasions where is_live = 1 and occasion in (select value from json_each(?))",
        [json.dumps(list(occasions), ensure_ascii=False)],
    )
    return frozenset(row[0] for row in found)


def _reds(folder: DataFolder, cases: Iterable[Case]) -> dict[str, str]:
    """Findings whose last letter was a red 督办单, and when that was issued.

    A letter notes itself with its finding when it is issued, so the finding's own notes lead to it: what is read of the
    register does not grow with the register.
    """
    left = {
        case.finding_id: (
            str(note["action_id"]).partition("-")[0]
            for note in reversed(case.notes)
            if note["kind"] == "notice" and note["action_id"]
        )
        for case in cases
        if case.state in FROM["supervise"]
    }
    reds: dict[str, str] = {}
    with _reading(folder) as ledger:
        # The last of each first; a notice that was given without a letter leads to the one before.
        while ledger is not None:
            last = {name: letter for name, own in left.items() if (letter := next(own, None))}
            if not last:
                break
            rows = ledger.execute(
                "select id, kind, colour, issued_at from letters where state in ('issued', 'delivered') "
                "and id in (select value from json_each(?))",
                [json.dumps(sorted(set(last.values())))],
            )
            known = {row[0]: (row[1:3], row[3]) for row in rows}
            for name, letter in last.items():
                if letter in known:
                    what, at = known[letter]
                    if what == ("supervise", "red"):
                        reds[name] = at
                    del left[name]
    return reds


def letters(
    folder: DataFolder, states: Sequence[str] = tuple(STATES), names: Sequence[str] | None = None
) -> list[dict[str, Any]]:
    """Letters in these states, the newest first, each with its findings; those named alone, where some are."""
    marks = ", ".join("?" for _ in states)
    condition, values = f"state in ({marks})", list(states)
    if names is not None:
        condition += " and id in (select value from json_each(?))"
        values.append(json.dumps(list(names)))
    with _reading(folder) as ledger:
        if ledger is None:
            return []
        found = ledger.execute(
            f"select * from letters where {condition} order by drafted_at desc, unit_code, id", values
        ).fetchall()
        about: dict[str, list[str]] = {}
        for letter_id, name in ledger.execute(
            "select letter_id, finding_id from occasions where finding_id is not null "
            "and letter_id in (select value from json_each(?)) order by rowid",
            [json.dumps([row["id"] for row in found])],
        ):
            about.setdefault(letter_id, []).append(name)
    return [
        dict(row)
        | {
            "findings": about.get(row["id"], []),
            "told": told,
            "state_zh": STATES[row["state"]],
            "title": (COLOURS[row["colour"]] if row["colour"] else "") + KINDS[row["kind"]],
            "document_no": told.get("document_no", ""),
        }
        for row, told in ((row, json.loads(row["content"])) for row in found)
    ]


def waiting(folder: DataFolder, states: Sequence[str]) -> list[tuple[str, str]]:
    """Letters in these states: id and unit."""
    with _reading(folder) as ledger:
        if ledger is None:
            return []
        marks = ",".join("?" for _ in states)
        rows = ledger.execute(
            f"select id, unit_code from letters where state in ({marks}) order by id", list(states)
        )
        return [(row[0], row[1]) for row in rows]


def _one(folder: DataFolder, name: str) -> dict[str, Any]:
    found = next(iter(letters(folder, names=[name])), None)
    if found is None:
        raise FollowError(f"没有文书 {name}。用 oversight letter list 查看编号。")
    return found


def draft(ground: Ground, items: Sequence[Wanted], *, by: str, now: datetime) -> list[str]:
    """Draft letters; the ids of those that are new. What already has its letter is left out."""
    by = _who(by)
    made = []
    with _writing(ground.folder) as ledger:
        live = set(_live(ledger, [occasion for item in items for occasion, _ in item.occasions]))
        for item in items:
            if any(occasion in live for occasion, _ in item.occasions):
                continue
            name = secrets.token_hex(8)
            ledger.execute(
                "insert into letters (id, kind, unit_code, unit_name, county_code, colour, state, content, edition_id, "
                "drafted_by, drafted_at) values (?, ?, ?, ?, ?, ?, 'drafted', ?, ?, ?, ?)",
                (
                    *(name, item.kind, item.unit.code, item.unit.name, item.unit.county_code, item.colour),
                    json.dumps(dict(item.told), ensure_ascii=False),
                    *(ground.edition_id, by, now.isoformat(timespec="seconds")),
                ),
            )
            ledger.executemany(
                "insert into occasions values (?, ?, ?, 1)",
                [(occasion, name, finding) for occasion, finding in item.occasions],
            )
            live |= {occasion for occasion, _ in item.occasions}
            made.append(name)
        _tell(ground.folder, "拟稿", made, by)
    return made


def approve(folder: DataFolder, names: Sequence[str], *, by: str, now: datetime) -> list[str]:
    """Agree to drafts that somebody else wrote. Raises `FollowError`, naming them, for those that cannot be approved;
    the others are."""
    by = _who(by)

    def step(row: sqlite3.Row) -> dict[str, Any]:
        if row["state"] != "drafted":
            raise FollowError(f"现在是“{STATES[row['state']]}”，不用审批")
        try:
            apart(by, "approve_letter", [("follow", row["drafted_by"])])
        except Conflict as error:
            raise FollowError(str(error).rstrip("。")) from error
        return {"state": "approved", "approved_by": by, "approved_at": now.isoformat(timespec="seconds")}

    return _each(folder, names, step, "审批", by)


def discard(folder: DataFolder, names: Sequence[str], *, by: str, why: str) -> list[str]:
    """Throw drafts away; their occasions may have another letter. An issued letter stays."""
    by = _who(by)
    if not why.strip():
        raise FollowError("请写明作废的理由。")

    def step(row: sqlite3.Row) -> dict[str, Any]:
        if row["state"] not in ("drafted", "approved"):
            raise FollowError(f"现在是“{STATES[row['state']]}”，不能作废")
        return {"state": "discarded", "why": why.strip()}

    return _each(folder, names, step, "作废", by)


def _each(
    folder: DataFolder,
    names: Sequence[str],
    step: Callable[[sqlite3.Row], dict[str, Any]],
    what: str,
    by: str,
) -> list[str]:
    done, failed = [], []
    with _writing(folder) as ledger:
        for name in dict.fromkeys(names):
            row = ledger.execute("select * from letters where id = ?", (name,)).fetchone()
            try:
                if row is None:
                    raise FollowError("没有这件文书")
                _set(ledger, name, **step(row))
                done.append(name)
            except FollowError as error:
                failed.append(f"{name}：{str(error).rstrip('。')}")
        _tell(folder, what, done, by)
    if failed:
        raise FollowError(f"{'；'.join(failed)}。" + (f"其余 {len(done)} 件已{what}。" if done else ""))
    return done


def _set(ledger: sqlite3.Connection, name: str, **changes: Any) -> None:
    told = ", ".join(f"{column} = ?" for column in changes)
    ledger.execute(f"update letters set {told} where id = ?", [*changes.values(), name])
    if changes.get("state") in _DEAD:
        ledger.execute("update occasions set is_live = 0 where letter_id = ?", (name,))


def _tell(folder: DataFolder, what: str, names: Sequence[str], by: str, **more: Any) -> None:
    if names:
        record.note(
            folder, "letter", 动作=what, 文书=[following.spelt(name) for name in names], 办理人=by, **more
        )


def _who(by: str) -> str:
    by = " ".join(by.split())
    if not by:
        raise FollowError("请写明由谁办理。")
    return by


# --- what it says -------------------------------------------------------------------------------------------


def page_of(ground: Ground, row: Mapping[str, Any], now: datetime) -> Page:
    """A letter as it would be issued now; without a number it is a draft."""
    unit = ground.units[row["unit_code"]]
    settings = ground.settings
    wording, own = settings.wording(unit), settings.of(unit)
    told, today = row["told"], now.date()
    calendar = ground.calendar
    cases = list(ground.cases(today, row["findings"]).values())
    reply_by = _reply_by(row, cases, today, calendar, own)
    attachments: tuple[str, ...] = ()
    if row["kind"] == "reminder":
        month = date.fromisoformat(f"{told['month']}-01")
        reports = "、".join(DATASETS[name] for name in told["datasets"]) + "报表"
        values = {"stage": told["stage"], "month": show.month(month), "reports": reports}
        values["due"] = show.day(date.fromisoformat(told["due"]))
        about = f"报送{show.month(month)}报表"
        attachments = tuple(f"{show.month(month)}{DATASETS[name]}填报模板" for name in told["datasets"])
    else:
        last = max((case.row["last_month"] for case in cases), default=today)
        values = {
            "month": show.month(last),
            "count": str(len(cases)),
            "findings": [f"{number}.{_said(case)}" for number, case in enumerate(cases, 1)],
            "due": show.day(reply_by),
            "colour": row["colour"],
            "what": _WHAT.get(row["colour"], "")
            if row["kind"] == "supervise"
            else "整改后再次出现"
            if all(case.state == "recurring" for case in cases)
            else "经通知、督办仍未办结",
        }
        about = {
            "notice": "核对民政保障有关问题",
            "supervise": "限期办理民政保障有关问题",
            "rectify": "限期整改民政保障有关问题",
        }[row["kind"]]
    text = wording.template(f"letter_{row['kind']}", **values).replace(config.VALUE_MARK, "")
    paragraphs = [line.strip() for line in text.splitlines() if line.strip()]
    if own["contact"]:
        paragraphs.append(str(own["contact"]))
    issuer = settings.issuer(unit)
    return Page(
        issuer=issuer,
        document_no=str(told.get("document_no", "")),
        title=f"{issuer}关于{about}的{KINDS[row['kind']]}",
        recipients=unit.addressed,
        paragraphs=tuple(paragraphs),
        attachments=attachments,
        signature=issuer,
        dated=show.day(today) if row["number"] else "（签发日期）",
        mark=f"督办等级：{COLOURS[row['colour']]}" if row["colour"] else "",
        colour=str(row["colour"]),
        draft="" if row["number"] else "草稿，未审批、未签发",
        made=datetime(today.year, today.month, today.day, tzinfo=TIME_ZONE),
        style=wording.settings["style"],
    )


# A month as tables write it; official papers write it out.
_MONTH = re.compile(r"\b(\d{4})-(\d{2})(?![-\d]) ?")


def _said(case: Case) -> str:
    """What a letter says of a finding: amounts in figures and in capitals."""
    row = case.row
    text = str(row["message_zh"]).partition("：")[2] or str(row["message_zh"])
    shortfall = row["shortfall"]
    if row["unit"] == "元" and shortfall:
        text = text.rstrip("。") + f"。差额大写：人民币{in_capitals(shortfall)}"
    earlier = f"此前同一问题：{'、'.join(name[-7:] for name in case.earlier)}出现过" if case.earlier else ""
    text, earlier = (_MONTH.sub(lambda at: f"{at[1]}年{int(at[2])}月", said) for said in (text, earlier))
    agreed = f"约定期限：{show.day(case.due_on)}" if case.due_on else ""
    return "；".join(part for part in (text.rstrip("。"), agreed, earlier) if part) + "。"


def _reply_by(
    row: Mapping[str, Any], cases: Sequence[Case], today: date, calendar: Calendar, own: Mapping[str, Any]
) -> date:
    """The day by which an answer is asked for: a blue or yellow paper moves no date."""
    dues = [case.due_on for case in cases if case.due_on is not None]
    if row["colour"] in ("blue", "yellow") and dues:
        return max(min(dues), today)
    return calendar.add_workdays(today, int(own["reply_days"]))


def preview(ground: Ground, name: str, now: datetime, form: Literal["docx", "pdf", "png"] = "pdf") -> bytes:
    """A letter to be looked at: as it was issued, or as it would be now."""
    row = _one(ground.folder, name)
    if row["files"] and form != "png":
        return _checked(ground.folder, row)[form][1]
    fonts = ground.settings.wording(ground.units[row["unit_code"]]).fonts
    page = page_of(ground, row, now)
    return write_docx(page) if form == "docx" else write_pdf(page, fonts, form=form)


# --- issuing and delivering ---------------------------------------------------------------------------------


def why_not(
    ground: Ground,
    row: Mapping[str, Any],
    today: date,
    states: Sequence[str],
    seen: Mapping[str, Case] | None = None,
) -> str:
    """Why a letter may go no further; '' where it may. `seen` are findings that were looked at before."""
    if row["kind"] == "reminder":
        told = row["told"]
        month = date.fromisoformat(f"{told['month']}-01")
        come = [n for n in told["datasets"] if (row["unit_code"], month, n) not in ground.owed]
        return f"{'、'.join(DATASETS[name] for name in come)}已经报送" if come else ""
    cases = ground.cases(today, row["findings"]) if seen is None else seen
    gone = [name for name in row["findings"] if name not in cases]
    if gone:
        return f"{gone[0]} 在当前版本里已经没有"
    changed = next((case for name in row["findings"] if (case := cases[name]).state not in states), None)
    return f"{changed.finding_id} 现在是“{changed.state_zh}”" if changed else ""


def issue(
    ground: Ground,
    names: Sequence[str],
    *,
    by: str,
    now: datetime,
    formats: Sequence[str] = FORMATS,
) -> tuple[list[str], list[str]]:
    """Number, date and write approved letters and put them down with their findings. Ids issued, and what became void.

    May be asked again after it was cut off: a letter that has its number keeps it. Raises `FollowError` on a day off.
    """
    by, today, folder = _who(by), now.date(), ground.folder
    if not ground.calendar.is_workday(today):
        raise FollowError(
            f"{show.day(today)}是休息日，文书不在休息日签发。请在 {show.day(ground.calendar.next_workday(today))}办理。"
        )
    with following.locked(folder, "letters"):
        wanted_names = set(names)
        rows = letters(folder, names=sorted(wanted_names))
        wrong = [row for row in rows if row["state"] not in ("approved", "issuing", "issued", "delivered")]
        if wrong or len(rows) != len(wanted_names):
            told = "；".join(f"{row['id']} 现在是“{row['state_zh']}”" for row in wrong) or "有的文书不存在"
            raise FollowError(f"只有审批过的文书可以签发：{told}。")
        rows = [row for row in rows if row["state"] in ("approved", "issuing")]
        void: list[str] = []
        chosen = []
        settings = ground.settings
        acted = _acted(ground, today, rows)
        # One look at all of them: whoever answers after it is seen by `act_each`, which notes the letter or refuses it.
        seen = ground.cases(today, {name for row in rows for name in row["findings"]})
        with _writing(folder) as ledger:
            for row in sorted(rows, key=lambda row: (row["unit_code"], row["id"])):
                # One whose findings have its notice already was cut off after it.
                why = (
                    "" if row["id"] in acted else why_not(ground, row, today, FROM.get(row["kind"], ()), seen)
                )
                if why:
                    _set(ledger, row["id"], state="discarded", why=why)
                    void.append(f"{row['unit_name']}{row['title']}：{why}")
                    continue
                own = [seen[name] for name in row["findings"] if name in seen]
                chosen.append(row | _numbered(ledger, settings, ground, row, own, by, now))
        # What cannot be written is not issued; it keeps its number for the next attempt.
        failed = []
        for row in list(chosen):
            try:
                row["files"] = _write(ground, row, now, formats)
            except OversightError as error:
                failed.append(str(error).rstrip("。"))
                chosen.remove(row)
        acts = [
            Act(name, "notice", Said(f"{row['title']} {row['told']['document_no']}", row["reply_by"]),
                f"{row['id']}-{number}", group=row["id"])
            for row in chosen
            for number, name in enumerate(row["findings"])
        ]  # fmt: skip
        named = {item.finding_id for item in acts}
        outcome = following.act_each(
            folder, [ground.by_id[name] for name in named & ground.by_id.keys()], acts, by=by, now=now
        )
        refused = dict(outcome.refused)
        done = []
        with _writing(folder) as ledger:
            for row in chosen:
                why = next((refused[name] for name in row["findings"] if name in refused), "")
                if why:
                    # Its number stays taken, as a void one.
                    files = json.dumps(row["files"], ensure_ascii=False)
                    _set(ledger, row["id"], state="discarded", why=why, files=files)
                    void.append(f"{row['unit_name']}{row['title']}（{row['told']['document_no']}）：{why}")
                else:
                    _set(
                        ledger, row["id"], state="issued", files=json.dumps(row["files"], ensure_ascii=False)
                    )
                    done.append(row["id"])
            issued = set(done)
            numbers = [row["told"]["document_no"] for row in chosen if row["id"] in issued]
            _tell(folder, "签发", done, by, 文号=numbers)
    if failed:
        raise FollowError(f"{'；'.join(failed)}。其余 {len(done)} 件已签发。")
    return done, void


def _acted(ground: Ground, today: date, rows: Sequence[Mapping[str, Any]]) -> set[str]:
    names = {name for row in rows if row["state"] == "issuing" for name in row["findings"]}
    return {
        str(note["action_id"]).partition("-")[0]
        for case in ground.cases(today, names).values()
        for note in case.notes
        if note["action_id"]
    }


def _numbered(
    ledger: sqlite3.Connection,
    settings: _Settings,
    ground: Ground,
    row: Mapping[str, Any],
    cases: Sequence[Case],
    by: str,
    now: datetime,
) -> dict[str, Any]:
    unit = ground.units[row["unit_code"]]
    own, issuer, year = settings.of(unit), settings.issuer(unit), now.year
    if row["number"] and (row["issuer"], row["year"]) == (issuer, year):
        number = int(row["number"])
    else:
        (last,) = ledger.execute(
            "select max(number) from letters where issuer = ? and year = ?", (issuer, year)
        ).fetchone()
        number = max(int(own["first_number"]), (last or 0) + 1)
    wording = settings.wording(unit)
    told = dict(row["told"]) | {
        "document_no": wording.line(
            str(own["document_no"]), year=year, number=number, scope=unit.above, issuer=issuer
        )
    }
    changes: dict[str, Any] = {"issuer": issuer, "year": year, "number": number, "issued_by": by}
    changes |= {"state": "issuing", "issued_at": now.isoformat(timespec="seconds")}
    _set(ledger, row["id"], **changes, content=json.dumps(told, ensure_ascii=False))
    reply_by = None
    if row["kind"] != "reminder":
        reply_by = _reply_by(row, cases, now.date(), ground.calendar, own)
    return changes | {"told": told, "reply_by": reply_by}


def _write(
    ground: Ground, row: Mapping[str, Any], now: datetime, formats: Sequence[str]
) -> dict[str, list[str]]:
    """Write a letter's files; form → name and digest."""
    if not formats:
        return {}
    page = page_of(ground, row, now)
    unit = ground.units[row["unit_code"]]
    fonts = ground.settings.wording(unit).fonts
    place = home(ground.folder) / str(row["year"]) / row["id"]
    contents: dict[str, bytes] = {}
    if "docx" in formats:
        contents["docx"] = write_docx(page)
    if "pdf" in formats:
        contents["pdf"] = write_pdf(page, fonts)
    stem = f"{row['told']['document_no']} {unit.name}{row['title']}".replace("/", "_")
    found = {}
    for form, content in contents.items():
        durable.write_bytes(place / f"{stem}.{form}", content)
        found[form] = [f"{stem}.{form}", hashlib.sha256(content).hexdigest()]
    if row["kind"] == "reminder" and "pdf" in formats:
        found |= _templates(ground, row, place, now)
    return found


def _templates(ground: Ground, row: Mapping[str, Any], place: Path, now: datetime) -> dict[str, list[str]]:
    """The fill-in workbooks that a reminder brings along."""
    from oversight.workflow.templates import fill_in

    found = {}
    month = date.fromisoformat(f"{row['told']['month']}-01")
    for dataset in row["told"]["datasets"]:
        with scratch.folder() as aside:
            target = aside / "template.xlsx"
            try:
                fill_in(ground.folder, dataset, row["county_code"], month, target, now=now,
                        scope=Sight.of([row["unit_code"]]))  # fmt: skip
            except OversightError as error:
                raise FollowError(f"{row['unit_name']}的填报模板没有生成：{error}") from error
            content = target.read_bytes()
        name = f"{row['unit_name']}{show.month(month)}{DATASETS[dataset]}.xlsx"
        durable.write_bytes(place / name, content)
        found[f"xlsx {dataset}"] = [name, hashlib.sha256(content).hexdigest()]
    return found


def _checked(folder: DataFolder, row: Mapping[str, Any]) -> dict[str, tuple[str, bytes]]:
    """A letter's files, each as it was written. Raises `FollowError` for one that is not."""
    found = {}
    for form, (name, sha256) in json.loads(row["files"] or "{}").items():
        path = home(folder) / str(row["year"]) / row["id"] / name
        content = path.read_bytes() if path.is_file() else b""
        if hashlib.sha256(content).hexdigest() != sha256:
            raise FollowError(f"文书 {path} 已损坏或不在了。请从备份恢复后再送达。")
        found[form] = (name, content)
    return found


def recipients(folder: DataFolder) -> dict[str, dict[str, str]]:
    """Where letters to a unit, or to all units of a division, go: `report/recipients.csv`. Raises `FollowError`."""
    path = config.report_folder(folder) / RECIPIENTS
    if path.is_file():
        stat = path.stat()
        return _recipients(path, stat.st_mtime_ns, stat.st_size)
    raise FollowError(
        f"没有送达名单 {path}。请建立：表头 区划代码,接收方,文件夹,邮箱，一行一个单位（或县，县内乡镇共用）。"
    )


@lru_cache(maxsize=2)
def _recipients(path: Path, _written: int, _size: int) -> dict[str, dict[str, str]]:
    """The list as it was written at that moment: a country's has a row for each of its units."""
    import csv

    found: dict[str, dict[str, str]] = {}
    for number, row in enumerate(csv.DictReader(path.read_text("utf-8-sig").splitlines()), 2):
        told = {str(key).strip(): (value or "").strip() for key, value in row.items() if key is not None}
        code, place, mail = told.get("区划代码", ""), told.get("文件夹", ""), told.get("邮箱", "")
        if not code.isdigit() or len(code) not in (6, 9) or bool(place) == bool(mail):
            raise FollowError(
                f"{path} 第 {number} 行：要有 6 或 9 位区划代码，并且只写文件夹或邮箱其中一项。请改正。"
            )
        if code in found:
            raise FollowError(f"{path} 第 {number} 行：{code} 写了两次。请删去一行。")
        found[code] = {"name": told.get("接收方", "") or code} | (
            {"folder": place} if place else {"email": mail}
        )
    return found


def deliver(
    ground: Ground, names: Sequence[str], *, by: str, now: datetime, again: bool = False
) -> tuple[list[str], list[str]]:
    """Deliver issued letters, each once; ids delivered, and what is not delivered any more.

    Raises `FollowError` on a day off, and at the end for those that could not be delivered; the others are.
    """
    by, today, folder = _who(by), now.date(), ground.folder
    if not ground.calendar.is_workday(today):
        raise FollowError(
            f"{show.day(today)}是休息日，文书不在休息日送达。请在 {show.day(ground.calendar.next_workday(today))}办理。"
        )
    places = recipients(folder)
    done: list[str] = []
    withheld: list[str] = []
    failed: list[str] = []
    with following.locked(folder, "letters"):
        rows = letters(folder, ("issued",), names)
        # What a crash leaves unsaid here stands in the ledger of deliveries: nothing goes twice, and what went is not
        # called withheld because it has been answered since.
        changes: dict[str, dict[str, str]] = {}
        try:
            for batch in (rows[at : at + TOGETHER] for at in range(0, len(rows), TOGETHER)):
                # Reports that are sent meanwhile wait for so many letters, not for all.
                with store.lock(folder), delivery.opened(folder) as post:
                    for row in batch:
                        where = places.get(row["unit_code"]) or places.get(row["unit_code"][:6])
                        is_sent = where is not None and post.has_sent(_key(row, where))
                        why = "" if is_sent else why_not(ground, row, today, _WAITING)
                        if why:
                            withheld.append(f"{row['unit_name']}{row['title']}：{why}")
                            changes[row["id"]] = {"state": "withheld", "why": why}
                            continue
                        try:
                            if where is None:
                                raise FollowError(
                                    f"送达名单里没有 {row['unit_code']}，也没有 {row['unit_code'][:6]}"
                                )
                            if not is_sent:
                                _hand_over(ground, post, row, where, again=again)
                        except OversightError as error:
                            failed.append(f"{row['unit_name']}{row['title']}：{str(error).rstrip('。')}")
                            continue
                        at = now.isoformat(timespec="seconds")
                        changes[row["id"]] = {"state": "delivered", "delivered_at": at}
                        done.append(row["id"])
        finally:
            if changes:
                with _writing(folder) as ledger:
                    for name, told in changes.items():
                        _set(ledger, name, **told)
        _tell(folder, "送达", done, by)
        if withheld:
            record.note(folder, "letter", 动作="不再送达", 原因=withheld, 办理人=by)
    if failed:
        raise FollowError(
            f"没有全部送达：{'；'.join(failed)}。已送达 {len(done)} 件；排除原因后重新办理，不会重复送达。"
        )
    return done, withheld


def _key(row: Mapping[str, Any], where: Mapping[str, str]) -> tuple[str, str, int, str]:
    """What is delivered once."""
    return "letter", str(row["id"]), 1, where["name"]


def _hand_over(
    ground: Ground, post: delivery.Post, row: Mapping[str, Any], where: Mapping[str, str], *, again: bool
) -> None:
    settings = ground.settings.wording(ground.units[row["unit_code"]]).settings
    parcel = delivery.Parcel(
        "letter",
        row["id"],
        1,
        f"{row['title']}（{row['unit_name']}）",
        row["document_no"],
        row["edition_id"],
        f"{row['document_no']}_{row['unit_code']}",
        _checked(ground.folder, row),
    )
    post.send(settings, parcel, [where], again=where["name"] if again else None)
