"""Routes of the page 问题整改: lists, one finding with its history, steps on one or several, attachments."""

from __future__ import annotations

import mimetypes
from datetime import date, datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote

import flask
from pydantic import Field, StringConstraints

from oversight import presentation as show
from oversight.accounts import record
from oversight.accounts.exist import exist
from oversight.accounts.identity import acting, current
from oversight.accounts.roles import may
from oversight.accounts.scope import Scope, significant
from oversight.calendar import load_calendar
from oversight.dashboard.access import scope_of_request
from oversight.dashboard.doing import doing
from oversight.dashboard.gate import refusal
from oversight.dashboard.inputs import (
    LARGEST,
    Input,
    Line,
    Name,
    PartOfUpload,
    Text,
    UploadedFile,
    given,
)
from oversight.dashboard.shelf import Shelf
from oversight.dashboard.warehouse import Warehouse
from oversight.settings import TIME_ZONE
from oversight.workflow import following
from oversight.workflow import handing_in as uploads
from oversight.workflow.following import STATES, STEPS, Case, FollowError, Said

PAGE_ROWS = 50
TOGETHER = 500
# Differences between ledger and record that a page lists.
WRONG_SHOWN = 200
PART_BYTES = 2**20
FindingId = Annotated[
    Line, StringConstraints(min_length=12, max_length=120, pattern=r"^[^/]+/.+/\d{4}-\d{2}$")
]
Day = Annotated[str, StringConstraints(pattern=r"^(\d{4}-\d{2}-\d{2})?$")]


class Chosen(Input):
    """Filters of the list."""

    unit: Annotated[str, StringConstraints(pattern=r"^(\d{6}|\d{9})?$")] = ""
    state: Literal["", "open", "all", *STATES] = "open"  # type: ignore[valid-type]
    severity: Literal["", "high", "medium", "low"] = ""
    rule: Name = ""
    mine: Literal["", "1"] = ""
    overdue: Literal["", "1"] = ""
    words: Name = ""
    page: Annotated[int, Field(ge=0, lt=100_000)] = 0


class OfPlace(Input):
    """A unit to keep to; none for all in sight."""

    unit: Annotated[str, StringConstraints(pattern=r"^(\d{6}|\d{9})?$")] = ""


class OneFinding(Input):
    """A finding, in the address."""

    id: FindingId


class FileOfFinding(OneFinding):
    """A file that belongs to a finding."""

    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Seen(Input):
    """A finding, and how much had been done about it when it was shown."""

    id: FindingId
    version: Annotated[int, Field(ge=0, lt=LARGEST, strict=True)]


class Taken(Input):
    """A step on findings."""

    key: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16,32}$")]
    kind: Literal[*STEPS]  # type: ignore[valid-type]
    findings: Annotated[list[Seen], Field(min_length=1, max_length=TOGETHER)]
    text: Annotated[Text, StringConstraints(max_length=4000)] = ""
    on: Day = ""
    approver: Name = ""
    owner: Name = ""
    # Who it is, where nobody signs in.
    by: Name = ""
    upload: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{16})?$")] = ""


class NewAttachments(Input):
    """Files that are about to be sent."""

    files: Annotated[list[UploadedFile], Field(min_length=1, max_length=following.FILES_EACH)]


def register(server: flask.Flask, shelf: Shelf) -> None:
    """Add the routes."""
    folder = shelf.folder
    routes = flask.Blueprint("follow", __name__)
    route = doing(routes, "look")

    def warehouse() -> Warehouse:
        return shelf.warehouse(shelf.current_id() or "")

    def now() -> datetime:
        return datetime.now(TIME_ZONE)

    @route("GET", "/follow/list", query=Chosen)
    def listed() -> dict[str, Any]:
        """A page of findings, how many there are, and how many in each state."""
        asked = given(Chosen)
        found = cases_of(warehouse(), significant(asked.unit), now().date())
        calendar = load_calendar(folder)
        own = who()
        fits = [case for case in found.values() if _fits(case, asked, own, calendar)]
        counts = {state: sum(case.state == state for case in fits) for state in STATES}
        fits = [
            case
            for case in fits
            if asked.state in ("", "all")
            or (case.is_open if asked.state == "open" else case.state == asked.state)
        ]
        fits.sort(key=_order)
        first = asked.page * PAGE_ROWS
        return {
            "total": len(fits),
            "page": asked.page,
            "pages": -(-len(fits) // PAGE_ROWS),
            "counts": counts,
            "rows": [_brief(case, calendar) for case in fits[first : first + PAGE_ROWS]],
        }

    @route("GET", "/follow/one", query=OneFinding)
    def one() -> dict[str, Any]:
        """A finding, everything done about it, and what may be done now by whoever asks."""
        case = _case(warehouse(), given(OneFinding).id, now().date())
        return _whole(case, load_calendar(folder))

    @route("POST", "/follow/act", body=Taken)
    def taken() -> dict[str, Any]:
        """Take a step on findings; what became of each."""
        asked = given(Taken)
        step = STEPS[asked.kind]
        if not current().may(step.needs):
            raise FollowError(f"您的角色不能{step.title}。需要时请联系管理员。")
        by = who() or asked.by.strip()
        if not by:
            raise FollowError("请写明由谁办理。")
        is_approved_here = asked.kind in ("closed", "exemption") and bool(who())
        files = _attached(asked.upload)
        said = Said(
            asked.text,
            _day(asked.on),
            # Where people sign in, whoever exempts or closes answers for it under the own name.
            by if is_approved_here else asked.approver,
            asked.owner,
            files,
        )
        outcome = following.act(
            folder,
            _rows(warehouse(), ""),
            {item.id: item.version for item in asked.findings},
            asked.kind,
            said,
            by=by,
            now=now(),
            key=asked.key,
        )
        return {
            "done": list(outcome.done),
            "refused": [{"id": name, "why": why} for name, why in outcome.refused],
        }

    def _attached(name: str) -> tuple[tuple[str, str], ...]:
        if not name:
            return ()
        tray = uploads.open_tray(folder, name, _owner())
        if tray is None:
            raise FollowError("附件没有找到，可能已经超过一天。请重新选择附件。")
        tray = uploads.complete(tray)
        return tuple(
            (item["name"], following.keep_attachment(folder, tray.file(number).read_bytes()))
            for number, item in enumerate(tray.files)
        )

    @route("POST", "/follow/attach", needing="reply", body=NewAttachments)
    def attach() -> dict[str, Any]:
        """Begin to send files."""
        asked = given(NewAttachments)
        made = uploads.new_tray(
            folder, acting(), _owner(), ("", ""), [(item.name, item.size) for item in asked.files]
        )
        return {"id": made.id}

    @route("POST", "/follow/part/<name>/<int:number>/<int:at>", needing="reply", path=PartOfUpload)
    def part(name: str, number: int, at: int) -> dict[str, Any]:
        """Bytes of a file from an offset on; how many it has then."""
        tray = uploads.open_tray(folder, name, _owner())
        if tray is None or (flask.request.content_length or 0) > PART_BYTES:
            raise FollowError("附件没有传完。请重新选择附件。")
        return {"have": uploads.add_part(tray, number, at, flask.request.get_data(cache=False))}

    @route("GET", "/follow/file", query=FileOfFinding)
    def file() -> flask.Response:
        """A file that was attached to a finding in sight."""
        asked = given(FileOfFinding)
        case = _case(warehouse(), asked.id, now().date())
        names = [
            title
            for note in case.notes
            for title, sha256 in following.attachments_of(note)
            if sha256 == asked.sha256
        ]
        path = following.attachment(folder, asked.sha256)
        if not names or not path.is_file():
            return refusal("没有这个附件，或您无权查看。", 404)
        kind = mimetypes.guess_type(names[0])[0] or "application/octet-stream"
        # Never shown within the site: what somebody sent could be a page.
        response = flask.Response(path.read_bytes(), content_type=kind)
        response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(names[0])}"
        response.headers["Content-Security-Policy"] = "sandbox"
        return response

    @route("GET", "/follow/reconcile", query=OfPlace)
    def reconciled() -> dict[str, Any]:
        """对账: each action in sight against its line of the record."""
        found = following.reconcile(folder, _looked_at())
        return {
            "told": f"台账与留痕一致 {found.matched} 次；手工记入 {found.by_hand} 条；"
            f"建立账号以前办理（没有留痕）{found.before_record} 次。",
            "wrong": list(found.wrong[:WRONG_SHOWN]),
            "count": len(found.wrong),
        }

    @route("GET", "/follow/export", query=OfPlace)
    def exported() -> flask.Response:
        """Everything done about the findings in sight, as the CSV that `oversight finding import` takes back."""
        content = following.export(folder, _looked_at()).encode()
        record.note(folder, "export", 内容="问题办理记录")
        response = flask.Response(content, content_type="text/csv; charset=utf-8")
        response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote('问题办理记录.csv')}"
        response.headers["Cache-Control"] = "no-store"
        return response

    def _looked_at() -> Scope:
        """What a page asks for, inside what whoever asks may see."""
        if following.is_large(folder):
            raise FollowError("台账较大，页面上不逐条过。请用命令行：oversight finding check 或 export。")
        unit, scope = given(OfPlace).unit, scope_of_request()
        return Scope((significant(unit),)) if unit and scope.covers(unit) else scope

    @route("GET", "/follow/people", needing="follow")
    def people_in_sight() -> dict[str, Any]:
        """Whom a finding may be given to."""
        if not exist(folder):
            return {"names": []}
        from oversight.accounts import people

        scope = scope_of_request()
        return {
            "names": [
                named(item.name, item.full_name)
                for item in people.everyone(folder)
                if not item.is_disabled and may(item.role, "look") and scope.covers_all(item.divisions)
            ]
        }

    server.register_blueprint(routes)


def named(name: str, full_name: str) -> str:
    """An account as it stands in the ledger."""
    return f"{full_name}（{name}）" if full_name else name


def who() -> str:
    """Whoever asks, as they stand in the ledger; '' where nobody signs in."""
    return named(current().name, current().full_name) if current().name else ""


def _owner() -> str:
    """Whose uploads these are: apart from what the same account hands in."""
    return f"attachment {current().name}"


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise FollowError(f"日期“{text}”不对。请重新选择。") from None


def _rows(w: Warehouse, prefix: str) -> list[dict[str, Any]]:
    return w.rows(
        f"select {following.COLUMNS}, split_part(message_zh, '：', 1) as subject_name from e.findings "
        "where starts_with(subject_code, ?) order by subject_code, opened_month, finding_id",
        [prefix],
    )


def cases_of(w: Warehouse, prefix: str, today: date) -> dict[str, Case]:
    """The findings in sight below a unit."""
    return following.cases(w.folder, _rows(w, prefix), today)


def _case(w: Warehouse, name: str, today: date) -> Case:
    found = cases_of(w, "", today).get(name)
    if found is None:
        raise FollowError("当前版本里没有这个问题，或您无权查看。请刷新后重试。")
    return found


def _fits(case: Case, asked: Chosen, own: str, calendar: Any) -> bool:
    row = case.row
    return (
        (not asked.severity or row["severity"] == asked.severity)
        and (not asked.rule or row["rule_id"] == asked.rule)
        and (not asked.mine or (bool(own) and case.owner == own))
        and (not asked.overdue or case.is_overdue(calendar))
        and (not asked.words or asked.words in row["message_zh"] or asked.words in case.finding_id)
    )


def _order(case: Case) -> tuple[Any, ...]:
    rank = {"high": 0, "medium": 1}.get(case.row["severity"], 2)
    return (not case.is_open, rank, -(case.row["weight"] or 0), -case.row["months_open"], case.finding_id)


def _brief(case: Case, calendar: Any) -> dict[str, Any]:
    row = case.row
    look = show.SEVERITY.get(row["severity"])
    return {
        "id": case.finding_id,
        "version": case.version,
        "state": case.state,
        "state_zh": case.state_zh,
        "closed_by": case.closed_by,
        "unit": row["subject_name"],
        "code": row["subject_code"],
        "message": row["message_zh"].partition("：")[2] or row["message_zh"],
        "severity": row["severity"],
        "severity_zh": f"{look.mark} {look.label}" if look else "",
        "opened": show.month(row["opened_month"]),
        "months": row["months_open"],
        "owner": case.owner,
        "due": show.day(case.due_on) if case.due_on else "",
        "overdue": case.is_overdue(calendar),
        "earlier": list(case.earlier),
    }


def _whole(case: Case, calendar: Any) -> dict[str, Any]:
    may_do = [
        {"kind": kind, "title": step.title, "wants": list(step.wants)}
        for kind, step in STEPS.items()
        if case.state in step.leads
        and current().may(step.needs)
        and not (kind == "reopened" and case.row["status"] == "cleared")
    ]
    return _brief(case, calendar) | {
        "steps": may_do,
        "notes": [
            {
                "title": STEPS[note["kind"]].title,
                "on": str(note["recorded_on"]),
                "at": (note["acted_at"] or "")[11:16],
                "by": note["recorded_by"] or "",
                "text": note["text_zh"],
                "until": str(note["agreed_on"] or note["exempt_until"] or ""),
                "approver": note["approver"] or "",
                "owner": note["owner"] or "",
                "files": [
                    {"name": title, "href": f"/follow/file?id={quote(case.finding_id)}&sha256={sha256}"}
                    for title, sha256 in following.attachments_of(note)
                ],
            }
            for note in case.notes
        ],
    }
