"""提醒: what somebody has to know of or to see to, from the state of things as they are; and by mail, each thing once.

Nothing is kept of a notice but who has seen it and who has had it by mail:

    notices/<digest of the account's name>.json    what was seen, and what was sent with which message
    report/notices.csv    账号,邮箱: who has notices by mail; a blank 账号 is the service itself (everything)

A notice speaks of several things of one kind (`items`); one that is new makes it unseen again, and is what a mail is
about. Mails go the way of reports and letters, with a ledger that sends a message once, and on working days only.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from oversight import durable
from oversight.accounts.roles import Action, may
from oversight.accounts.scope import EVERYTHING, Scope
from oversight.calendar import Calendar, load_calendar
from oversight.editions import current, open_edition
from oversight.errors import OversightError
from oversight.settings import DataFolder
from oversight.workflow.following import locked

Tone = Literal["failed", "late", "todo"]
DATASETS = {"population": "户籍人口", "budget": "民政工作经费", "staffing": "民政工作人员"}
# So many working days before a report is due it is told of.
DUE_WITHIN = 3
# What was returned or failed longer ago is no news.
RECENT = timedelta(days=30)
KEPT = 5000
# Jobs that make no edition: a paper that was refused is told of as owed.
REPORT_JOB, JOB = "monthly_report_run", "notices_run"
_NO_RUNS = (REPORT_JOB, JOB)
LIST = "notices.csv"


@dataclass(frozen=True)
class Notice:
    """So many things of one kind: how urgent, in words, where to see to them."""

    kind: str
    tone: Tone
    text: str
    href: str
    items: tuple[str, ...]


@dataclass(frozen=True)
class Reader:
    """Whom notices are for: an account, what it may do, and what it sees."""

    name: str
    may: Callable[[Action], bool]
    scope: Scope


def notices(folder: DataFolder, who: Reader, now: datetime) -> list[Notice]:
    """What there is for somebody now, the most urgent first."""
    calendar = load_calendar(folder)
    found = [
        *_of_the_service(folder, who, now),
        *_of_reports(folder, who, now, calendar),
        *_of_findings(folder, who, now.date(), calendar),
        *_of_steps(folder, who, now),
    ]
    order: dict[str, int] = {"failed": 0, "late": 1, "todo": 2}
    return sorted((item for item in found if item.items), key=lambda item: order[item.tone])


# --- what there is ------------------------------------------------------------------------------------------


def _of_the_service(folder: DataFolder, who: Reader, now: datetime) -> Iterator[Notice]:
    """Runs and papers that failed, and what the service warns of."""
    if not (who.may("run") or who.may("operate") or who.may("make_report")):
        return
    from oversight import operation
    from oversight.reports.owed import owed

    if who.may("run") or who.may("operate"):
        from oversight.workflow import running

        runs = operation.runs(folder)
        failed = [
            run.run_id
            for run in [next((run for run in runs if run.is_over and run.job not in _NO_RUNS), None)]
            if run is not None and run.status == "FAILURE"
        ]
        # One that ended before the orchestrator began is known to the page alone.
        edition = current(folder)
        failed += [
            run.id
            for run in running.runs(folder)[:1]
            if run.state in ("failed", "broken")
            and (edition is None or datetime.fromisoformat(run.told["started_at"]) > edition.built_at)
        ]
        where = "/run" if who.may("run") else "/operation"
        yield Notice(
            "run_failed", "failed", "最近一次运行没有完成，读者看到的仍是上一版", where, tuple(failed)
        )
        if who.may("operate"):
            told = _warnings(folder, now)
            yield Notice("service", "failed", f"服务有 {len(told)} 项需要处理", "/operation", told)
        mails = next((run for run in runs if run.is_over and run.job == JOB), None)
        if who.may("operate") and mails is not None and mails.status == "FAILURE":
            yield Notice("mail_failed", "failed", "提醒邮件没有全部发出", where, (mails.run_id,))
    if who.may("make_report") or who.may("operate"):
        items = owed(folder)
        if items:
            first = items[0]
            yield Notice(
                "paper_owed",
                "failed",
                f"{len(items)} 个月的通报到期未出：{first.month:%Y-%m}，{first.reason}",
                "/reports",
                tuple(f"{item.month:%Y-%m} {item.reason}" for item in items),
            )


def _warnings(folder: DataFolder, now: datetime) -> tuple[str, ...]:
    """What the page 运行状况 warns of. Measuring the disk walks over every file: it is not done each minute."""
    from oversight.operation import operation

    before = _warned.get(folder.root)
    if before is None or not timedelta(0) <= now - before[0] < _WARNED_FOR:
        _warned.clear()
        before = _warned[folder.root] = (now, operation(folder, now).warnings)
    return before[1]


_WARNED_FOR = timedelta(minutes=10)
_warned: dict[Path, tuple[datetime, tuple[str, ...]]] = {}


def _of_reports(folder: DataFolder, who: Reader, now: datetime, calendar: Calendar) -> Iterator[Notice]:
    """What is to be handed in and was not, and what was handed in and waits or came back."""
    from oversight.workflow import handing_in, owed, review, running

    is_reporter = who.may("hand_in") and not who.may("run")
    edition = current(folder)
    # Every open page asks for notices: they are read once.
    receipts = handing_in.every_receipt(folder) if who.may("hand_in") or who.may("follow") else []
    if (is_reporter or who.may("follow")) and edition is not None:
        today = now.date()
        handed = owed.handed(folder, edition.edition_id, receipts)
        soon = calendar.add_workdays(today, DUE_WITHIN)
        missing = [
            item
            for item in owed.missing(folder, edition.edition_id, who.scope.prefixes, today)
            if item.due_on <= soon and item.cell not in handed
        ]
        late = [item for item in missing if item.due_on < today]
        coming = [item for item in missing if item.due_on >= today]
        href = "/hand-in" if is_reporter else "/letters"
        if late:
            last = max(item.month for item in late)
            units = len({item.code for item in late if item.month == last})
            text = f"逾期未报 {len(late)} 张报表，其中 {last:%Y-%m} 有 {units} 个单位"
            yield Notice("late", "late", text, href, tuple(item.cell for item in late))
        if coming:
            first = min(coming, key=lambda item: item.due_on)
            text = f"{len(coming)} 张报表将到期，最早 {first.due_on:%m月%d日}（{DATASETS[first.dataset]}）"
            yield Notice("coming", "todo", text, href, tuple(item.cell for item in coming))
    if who.may("hand_in"):
        since = (now - RECENT).isoformat()
        back = [
            item
            for item in review.reviews_in(folder, who.scope)
            if item.state in ("returned", "partly")
            and item.told.get("by") == who.name
            and str(item.told.get("decided_at") or item.told.get("handed_in_at") or "") >= since
        ]
        yield Notice(
            "returned",
            "late",
            f"您报送的 {len(back)} 份文件被退回",
            "/hand-in",
            tuple(item.id for item in back),
        )
        unused = _not_used(folder, who, since, receipts)
        text = f"您报送的 {len(unused)} 份文件里有运行没有采用的行"
        yield Notice("not_used", "late", text, "/hand-in", unused)
    if who.may("confirm"):
        waiting = [item.id for item in review.reviews_in(folder, who.scope) if item.state == "waiting"]
        yield Notice("to_review", "todo", f"{len(waiting)} 份报送待审核", "/review", tuple(waiting))
    if who.may("run"):
        files = tuple(item["name"] for item in running.waiting(folder))
        yield Notice("to_run", "todo", f"{len(files)} 份文件等待运行", "/run", files)


def _not_used(
    folder: DataFolder, who: Reader, since: str, receipts: Sequence[Mapping[str, Any]]
) -> tuple[str, ...]:
    """Receipts of one's own files of which the run refused or held something, until the same is handed in again."""
    mine = [
        item
        for item in receipts
        if who.name
        and item["by"] == who.name
        and not item.get("withdrawn_at")
        and item["handed_in_at"] >= since
    ]
    if not mine or current(folder) is None:
        return ()
    with open_edition(folder) as connection:
        found = connection.execute(
            "select submission_id from submissions where list_contains(?, submission_id) "
            "and (status = 'refused' or rows_rejected + rows_held > 0)",
            [[item["sha256"][:16] for item in mine]],
        ).fetchall()
    marked = {row[0] for row in found}
    return tuple(
        item["id"]
        for item in mine
        # What a reviewer returned of it was told of when it was.
        if item["sha256"][:16] in marked
        and item.get("review") != "partly"
        and not any(
            later["handed_in_at"] > item["handed_in_at"] and set(later["cells"]) & set(item["cells"])
            for later in mine
        )
    )


def _of_findings(folder: DataFolder, who: Reader, today: date, calendar: Calendar) -> Iterator[Notice]:
    """Findings that wait for an answer or for somebody to close them. Only those that something was done about can."""
    if current(folder) is None or not (who.may("reply") or who.may("follow") or who.may("close_finding")):
        return
    from oversight.workflow import following

    cases = following.noted_cases(folder, who.scope.prefixes, today).values()
    late = tuple(case.finding_id for case in cases if case.is_overdue(calendar))
    yield Notice("overdue", "late", f"{len(late)} 个问题超过答复或整改期限", "/follow?overdue=1", late)
    if who.may("close_finding"):
        pending = tuple(case.finding_id for case in cases if case.state == "pending")
        yield Notice("pending", "todo", f"{len(pending)} 个问题待核销", "/follow?state=pending", pending)
    if who.may("follow"):
        replied = tuple(case.finding_id for case in cases if case.state == "replied")
        yield Notice(
            "replied", "todo", f"{len(replied)} 个问题有答复待处理", "/follow?state=replied", replied
        )
    elif who.may("reply"):
        asked = tuple(case.finding_id for case in cases if case.state == "notified")
        yield Notice("asked", "todo", f"{len(asked)} 个问题等您答复", "/follow?state=notified", asked)


def _of_steps(folder: DataFolder, who: Reader, now: datetime) -> Iterator[Notice]:
    """Papers, letters and changes of the rules that wait for the next person."""
    from oversight.reports import store
    from oversight.workflow import letters, rules

    if who.may("make_report") or who.may("review_report") or who.may("issue_report"):
        drafts = [
            item
            for item in store.archive(folder, drafts=True)
            if item.is_draft and who.scope.covers(item.scope_code)
        ]
        for state, action, said in (
            ("submitted", "review_report", "份通报草稿待审核"),
            ("reviewed", "issue_report", "份通报待印发"),
            ("returned", "make_report", "份通报草稿被退回"),
            ("drafted", "make_report", "份通报草稿待送审"),
        ):
            if who.may(action):  # type: ignore[arg-type]
                items = tuple(
                    f"{d.manifest['month']} {d.scope_code} {d.content}" for d in drafts if d.state == state
                )
                yield Notice(f"paper_{state}", "todo", f"{len(items)} {said}", "/reports", items)
    if who.may("see_letters") and (letters.home(folder) / "letters.sqlite").is_file():
        for states, action, said in (
            (("drafted",), "approve_letter", "件文书待审批"),
            (("approved", "issuing"), "follow", "件文书待签发"),
            (("issued",), "follow", "件文书待送达"),
        ):
            if who.may(action):  # type: ignore[arg-type]
                rows = letters.waiting(folder, states)
                items = tuple(name for name, code in rows if who.scope.covers(letters.writer_of(code)))
                yield Notice(f"letter_{states[0]}", "todo", f"{len(items)} {said}", "/letters", items)
    if who.may("confirm"):
        changes = [told for told in rules.changes(folder) if rules.in_sight(told, who.scope)]
        waiting = [
            told["id"]
            for told in changes
            if told["state"] == "waiting"
            and told["events"][0]["by"] != who.name
            and (agrees := rules.ASKS[told["group"]][1]) is not None
            and who.may(agrees)
        ]
        yield Notice(
            "rules_waiting", "todo", f"{len(waiting)} 项核算依据的改动待批准", "/rules", tuple(waiting)
        )
        since = f"{now - RECENT:%Y-%m-%d}"
        back = [
            told["id"]
            for told in changes
            if told["state"] == "returned"
            and told["events"][0]["by"] == who.name
            and told["events"][-1]["at"] >= since
        ]
        yield Notice("rules_returned", "late", f"您的 {len(back)} 项改动被退回", "/rules", tuple(back))


# --- what was seen ------------------------------------------------------------------------------------------


def _digests(items: tuple[str, ...], kind: str) -> set[str]:
    return {hashlib.sha256(f"{kind}\n{item}".encode()).hexdigest()[:16] for item in items}


def _place(folder: DataFolder, name: str) -> Path:
    return folder.root / "notices" / f"{hashlib.sha256(name.casefold().encode()).hexdigest()[:24]}.json"


def _kept(folder: DataFolder, name: str) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(_place(folder, name).read_text("utf-8"))
    except FileNotFoundError:
        return {"name": name, "seen": [], "sent": [], "messages": 0, "open": None}
    return told


def _keep(folder: DataFolder, told: Mapping[str, Any]) -> None:
    durable.write_text(_place(folder, str(told["name"])), json.dumps(told, ensure_ascii=False))


def unseen(folder: DataFolder, who: Reader, found: list[Notice]) -> list[bool]:
    """Of each notice, whether something in it was not seen yet."""
    seen = set(_kept(folder, who.name)["seen"])
    return [not _digests(item.items, item.kind) <= seen for item in found]


def see(folder: DataFolder, who: Reader, found: list[Notice]) -> None:
    """Somebody has looked at these. What is over is forgotten, so that it is told of when it comes again."""
    with locked(folder, "notices"):
        told = _kept(folder, who.name)
        now = sorted(set().union(*(_digests(item.items, item.kind) for item in found)))
        if now != told["seen"]:
            _keep(folder, told | {"seen": now[:KEPT]})


# --- by mail ------------------------------------------------------------------------------------------------


def addresses(folder: DataFolder) -> dict[str, str]:
    """Account (blank: the service itself) → mail address. Raises `OversightError`, naming the line."""
    from oversight.reports.config import report_folder

    path = report_folder(folder) / LIST
    if not path.is_file():
        return {}
    found: dict[str, str] = {}
    reader = csv.DictReader(path.read_text("utf-8-sig").splitlines())
    if not {"账号", "邮箱"} <= set(reader.fieldnames or ()):
        raise OversightError(f"{path} 的第一行应为：账号,邮箱。请改正。")
    for number, row in enumerate(reader, 2):
        name, mail = (row["账号"] or "").strip(), (row["邮箱"] or "").strip()
        if "@" not in mail or " " in mail or name in found:
            raise OversightError(
                f"{path} 第 {number} 行：“{name}，{mail}”写错了，或同一账号写了两次。请一行写一个账号和一个邮箱。"
            )
        found[name] = mail
    return found


def readers(folder: DataFolder) -> list[Reader]:
    """Those who have notices by mail. An account that is closed has none."""
    from oversight.accounts.exist import exist

    wanted = addresses(folder)
    found = []
    people = {}
    if exist(folder):
        from oversight.accounts.people import everyone

        people = {item.name: item for item in everyone(folder)}
    for name in wanted:
        person = people.get(name)
        if not name:
            found.append(Reader("", lambda action: action != "manage", EVERYTHING))
        elif person is None:
            raise OversightError(
                f"report/{LIST} 里的账号“{name}”不存在。请改正，或用 oversight user add 建立。"
            )
        elif not person.is_disabled:
            found.append(
                Reader(name, lambda action, role=person.role: may(role, action), person.scope)  # type: ignore[misc]
            )
    return found


def unsent(folder: DataFolder, who: Reader, now: datetime) -> list[Notice]:
    """What somebody has not had by mail yet."""
    sent = set(_kept(folder, who.name)["sent"])
    return [item for item in notices(folder, who, now) if not _digests(item.items, item.kind) <= sent]


def is_due(folder: DataFolder, now: datetime) -> bool:
    """Whether a mail is to be sent: on a working day, where there is a server and something new for anybody."""
    if not addresses(folder) or not load_calendar(folder).is_workday(now.date()):
        return False
    return any(_kept(folder, who.name)["open"] or unsent(folder, who, now) for who in readers(folder))


def send(folder: DataFolder, now: datetime) -> list[str]:
    """Send everybody what is new, in one message; a line for each. Nothing goes out on a day off.

    A message is numbered and put down before it is sent: one that was cut off goes out again under its own number, which
    the ledger of deliveries knows. One of which nobody can tell whether the server took it is not sent again: the page
    has it too. Raises `OversightError`, naming the accounts, where some could not be served.
    """
    if not load_calendar(folder).is_workday(now.date()):
        return ["今天是休息日，不发提醒。"]
    mails = addresses(folder)
    done, failed = [], []
    for who in readers(folder):
        title = who.name or "服务"
        with locked(folder, "notices"):
            told = _kept(folder, who.name)
            if told["open"] is None:
                fresh = unsent(folder, who, now)
                if not fresh:
                    continue
                sent = sorted(set().union(*(_digests(item.items, item.kind) for item in fresh)))
                lines = [f"· {item.text}" for item in fresh]
                told |= {"messages": told["messages"] + 1, "open": {"items": sent, "lines": lines}}
                _keep(folder, told)
            try:
                _mail(folder, who.name, mails[who.name], told)
            except OversightError as error:
                failed.append(f"{title}：{error}")
                continue
            every = list(dict.fromkeys([*told["open"]["items"], *told["sent"]]))
            _keep(folder, told | {"sent": every[:KEPT], "open": None})
        done.append(f"{title}：已发邮件到 {mails[who.name]}")
    if failed:
        raise OversightError("提醒没有全部发出。" + "；".join(failed))
    return done


def _mail(folder: DataFolder, name: str, address: str, told: Mapping[str, Any]) -> None:
    from oversight.reports import config, delivery, store

    settings = config.load(folder, "000000").settings
    lines = "\n".join(told["open"]["lines"])
    parcel = delivery.Parcel(
        "notice",
        _place(folder, name).stem,
        int(told["messages"]),
        "乡镇资金与人员监督：待办提醒",
        "",
        "",
        "",
        {},
        text=f"{name or '您'}好：\n\n{lines}\n\n请登录系统办理。每件事只用邮件提醒一次，全部事项见页面右上角的提醒。\n",
    )
    recipient = {"name": name or "服务", "email": address}
    with store.lock(folder):
        if delivery.state_of(folder, parcel, recipient["name"]) is None:
            delivery.send(folder, settings, parcel, [recipient])
