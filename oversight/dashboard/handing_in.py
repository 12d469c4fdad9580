"""Routes of the page 报送: what is due, templates, uploads in parts, their judgement, handing in, receipts.

An upload is judged in another process, two at a time; the browser asks again until it is done. A file comes in
parts of at most a megabyte, so that no request is large and one that breaks off can go on.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from urllib.parse import quote

import flask

from oversight import presentation as show
from oversight import scratch
from oversight.accounts import record
from oversight.accounts.identity import acting, current
from oversight.dashboard.access import scope_of_request
from oversight.dashboard.archive import returned_of
from oversight.dashboard.doing import doing
from oversight.dashboard.gate import refusal
from oversight.dashboard.inputs import (
    BadInput,
    ChangedCells,
    ChosenColumns,
    Named,
    NewUpload,
    NilReport,
    OfUpload,
    PartOfUpload,
    ReceiptQuery,
    ReportsDue,
    TemplateWanted,
    given,
)
from oversight.dashboard.judges import Judges, apart
from oversight.dashboard.shelf import Shelf, Unavailable
from oversight.dashboard.warehouse import Outdated, Warehouse
from oversight.settings import TIME_ZONE
from oversight.workflow import handing_in as desk
from oversight.workflow import headings, owed
from oversight.workflow.handing_in import HandInError, Tray
from oversight.workflow.review import STATE_ZH

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PART_BYTES = 2**20
TEMPLATE_SECONDS = 120
MONTHS_BACK = 24
# What a cell of the table of what is due says besides what the edition says.
_WAITING = show.Look("已交，待运行", "◆", "#1d4ed8", "#93c5fd")
_IN_REVIEW = show.Look("已交，待审核", "◆", "#1d4ed8", "#93c5fd")
# Of a file as it was judged: for the server alone.
_NOT_SHOWN = ("cells", "lines", "unusable", "file_remarks", "is_personal")


def register(server: flask.Flask, shelf: Shelf, page: Callable[..., flask.Response]) -> None:
    """Add the routes. `page` renders one of our plain pages."""
    folder = shelf.folder
    judge = Judges(folder.root)
    routes = flask.Blueprint("hand_in", __name__)

    route = doing(routes, "hand_in")

    def warehouse() -> Warehouse:
        return shelf.warehouse(shelf.current_id() or "")

    def mine(name: str) -> Tray:
        found = desk.open_tray(folder, name, _owner())
        if found is None:
            raise HandInError("没有这次上传，可能已经报送或删除。请刷新页面。")
        return found

    @route("GET", "/hand-in/due", query=ReportsDue)
    def due() -> dict[str, Any]:
        """What is due of a month from each unit of a county in sight."""
        asked = given(ReportsDue)
        w, code, month = warehouse(), asked.unit, _first_of(asked.month)
        county = _county(w, code)
        return {
            "county": county[1],
            "month": show.month(month),
            **_due(
                w,
                county[0],
                code if len(code) == 9 else "",
                month,
            ),
        }

    @route("GET", "/hand-in/template", query=TemplateWanted)
    def template() -> flask.Response:
        """The fill-in workbook."""
        asked = given(TemplateWanted)
        w, code, month, dataset = warehouse(), asked.unit, _first_of(asked.month), asked.dataset
        county = _county(w, code)
        scope = scope_of_request()
        prefixes = scope.prefixes if len(code) == 6 else (code,)
        with scratch.folder() as place:
            target = place / "template.xlsx"
            told = apart(
                *("template", str(folder.root), dataset, county[0], f"{month:%Y-%m}", str(target)),
                ",".join(prefixes),
                seconds=TEMPLATE_SECONDS,
            )
            if told:
                raise HandInError(told)
            content = target.read_bytes()
        named = _units(w, county[0], code)[0][1] if len(code) == 9 else county[1]
        name = f"{named}{month.year}年{month.month}月{desk.MONTHLY[dataset]}.xlsx"
        record.note(folder, "download", 模板=name)
        return _file(content, name)

    @route("POST", "/hand-in/new", body=NewUpload)
    def new() -> dict[str, Any]:
        """Begin an upload."""
        asked = given(NewUpload)
        county = _county(warehouse(), asked.unit)
        files = [(item.name, item.size) for item in asked.files]
        return _tray(desk.new_tray(folder, acting(), _owner(), county, files), judge)

    @route("POST", "/hand-in/part/<name>/<int:number>/<int:at>", path=PartOfUpload)
    def part(name: str, number: int, at: int) -> dict[str, Any]:
        """Bytes of a file from an offset on, as the request's body; how many it has then."""
        if (flask.request.content_length or 0) > PART_BYTES:
            raise BadInput("上传的一段太大，没有处理。请刷新页面后重试。", 413)
        return {"have": desk.add_part(mine(name), number, at, flask.request.get_data(cache=False))}

    @route("POST", "/hand-in/check/<name>", path=Named)
    def check(name: str) -> dict[str, Any]:
        """The upload is whole: have it judged."""
        tray = desk.complete(mine(name))
        judge.take(tray)
        return _tray(tray, judge)

    @route("GET", "/hand-in/tray/<name>", path=Named)
    def tray(name: str) -> dict[str, Any]:
        """How far an upload is, and what was found in it."""
        found = mine(name)
        # A server that was started anew goes on where the other one stopped.
        judge.take(found)
        return _tray(found, judge)

    @route("GET", "/hand-in/marked/<name>/<int:number>", path=OfUpload)
    def marked(name: str, number: int) -> flask.Response:
        """The sender's own workbook with its mistakes marked."""
        found = mine(name)
        told = found.found()
        if number >= len(told) or not told[number]["marked"] or not found.marked(number).is_file():
            return refusal("没有这份标注好的工作簿。请刷新页面。", 404)
        return _file(found.marked(number).read_bytes(), told[number]["marked"])

    @route("GET", "/hand-in/cells/<name>/<int:number>", path=OfUpload)
    def cells(name: str, number: int) -> dict[str, Any]:
        """The cells of a judged file, with what is wrong at each, to be changed in the page."""
        found = mine(name)
        if found.state != "judged" or not 0 <= number < len(found.files) or not found.page(number).is_file():
            raise HandInError("这份文件不能在页面里改，或正在核对。请刷新页面。")
        told: dict[str, Any] = json.loads(found.page(number).read_text("utf-8"))
        return told

    @route("POST", "/hand-in/change/<name>/<int:number>", path=OfUpload, body=ChangedCells)
    def change(name: str, number: int) -> dict[str, Any]:
        """Change cells of a judged file, and have it judged again."""
        asked = given(ChangedCells)
        wanted = [cell.model_dump() for cell in asked.cells]
        tray = desk.change(folder, mine(name), number, asked.sha256, wanted)
        judge.take(tray)
        return _tray(tray, judge)

    @route("POST", "/hand-in/headings/<name>/<int:number>", path=OfUpload, body=ChosenColumns)
    def answered(name: str, number: int) -> dict[str, Any]:
        """Answer what is asked about the headings of a judged file, and have it judged again."""
        asked = given(ChosenColumns)
        tray = mine(name)
        w = warehouse()
        rows = w.rows(
            "select township_code, township_name from e.townships where county_code = ?",
            [tray.meta["county_code"]],
        )
        units = {row["township_code"]: row["township_name"] for row in rows}
        chosen = [(item.number, item.column) for item in asked.answers]
        made = headings.answer(folder, tray, number, asked.sha256, chosen, acting(), units)
        judge.take(made)
        return _tray(made, judge)

    @route("POST", "/hand-in/again/<name>", path=Named)
    def again(name: str) -> dict[str, Any]:
        """Take a file that was handed in before as a new upload, to correct cells of it."""
        found = desk.receipt(folder, name)
        if found is None or not _is_in_sight(found):
            raise HandInError("没有这张回执，或您无权查看。")
        county = _county(warehouse(), str(found["county_code"]))
        made = desk.again_tray(folder, acting(), _owner(), county, found)
        judge.take(made)
        return _tray(made, judge)

    @route("POST", "/hand-in/send/<name>", path=Named)
    def send(name: str) -> dict[str, Any]:
        """Hand in what may be handed in; a second click gets the same receipts."""
        found = desk.open_tray(folder, name, _owner())
        if found is None:
            given = [item for item in desk.receipts_of_tray(folder, name) if _is_in_sight(item)]
            if not given or any(item["by"] != acting().name for item in given):
                raise HandInError("没有这次上传，可能已经删除。请刷新页面。")
        else:
            given = desk.hand_in(folder, found, acting())
        return {"receipts": [_told(item, _results(shelf)) for item in given]}

    @route("POST", "/hand-in/discard/<name>", path=Named)
    def discard(name: str) -> dict[str, Any]:
        """Throw an upload away."""
        found = desk.open_tray(folder, name, _owner())
        if found is not None:
            desk.discard(found)
        return {"discarded": True}

    @route("POST", "/hand-in/nil", body=NilReport)
    def nil() -> dict[str, Any]:
        """Write a unit's nil report and have it judged."""
        asked = given(NilReport)
        w, code, month, dataset = warehouse(), asked.unit, _first_of(asked.month), asked.dataset
        county = _county(w, code)
        units = _units(w, county[0], code)
        if len(code) != 9 or not units:
            raise HandInError("没有这个单位，或您无权报送。")
        rows = _due(w, county[0], code, month)["rows"]
        state = next((row["cells"][dataset] for row in rows if row["code"] == code), None)
        if state is None or not state["may_nil"]:
            raise HandInError("这张报表已经报送，不能再报零报告。要改数，请上传写明“更正”的报表。")
        made = desk.nil_tray(folder, acting(), _owner(), county, (code, units[0][1]), dataset, month)
        judge.take(made)
        return _tray(made, judge)

    @route("GET", "/hand-in/mine")
    def own() -> dict[str, Any]:
        """Uploads not handed in yet, and receipts in sight."""
        results = _results(shelf)
        receipts = desk.receipts_in(folder, scope_of_request())
        return {
            "trays": [_tray(item, judge) for item in desk.trays_of(folder, _owner())],
            "receipts": [_told(item, results) for item in receipts[:200]],
        }

    @route("POST", "/hand-in/withdraw/<name>", path=Named)
    def withdraw(name: str) -> dict[str, Any]:
        """Take back what no run has taken in."""
        found = desk.receipt(folder, name)
        if found is None or not _is_in_sight(found):
            raise HandInError("没有这张回执，或您无权查看。")
        return _told(desk.withdraw(folder, found, acting()), _results(shelf))

    @route("GET", "/hand-in/receipt/<name>", path=Named, query=ReceiptQuery)
    def receipt(name: str) -> flask.Response:
        """A receipt as a page to print, or with `form` as a file."""
        found = desk.receipt(folder, name)
        if found is None or not _is_in_sight(found):
            return refusal("没有这张回执，或您无权查看。", 404)
        told = _told(found, _results(shelf))
        form = given(ReceiptQuery).form
        if form == "json":
            content = json.dumps(told, ensure_ascii=False, indent=1) + "\n"
            return _file(content.encode(), f"回执_{name}.json", "application/json")
        if form == "pdf":
            return _file(desk.receipt_pdf(folder, told), f"回执_{name}.pdf", "application/pdf")
        return page(
            "receipt",
            "报送回执",
            receipt=told,
            facts=desk.receipt_facts(told),
            digests=tuple(desk.DIGESTS.values()),
            note=desk.RECEIPT_NOTE,
        )

    server.register_blueprint(routes)


def _owner() -> str:
    """Whose uploads these are: the account's; where nobody signs in there is one for all, at this machine."""
    return current().name


def _first_of(month: str) -> date:
    return date.fromisoformat(f"{month}-01")


def _county(w: Warehouse, code: str) -> tuple[str, str]:
    """The county of a unit in sight. Raises `HandInError`."""
    county = code[:6]
    if not (code.isascii() and code.isdigit() and len(code) in (6, 9)) or county not in w.names:
        raise HandInError("没有这个单位，或您无权报送。")
    if len(code) == 9 and not _units(w, county, code):
        raise HandInError("没有这个单位，或您无权报送。")
    return county, w.names[county]


def _units(w: Warehouse, county: str, code: str = "", month: date | None = None) -> list[tuple[str, str]]:
    """Units of a county that whoever asks reports on, in force in a month, or only one of them."""
    scope = scope_of_request()
    rows = w.rows(
        "select township_code, township_name, valid_from, valid_to from e.townships where county_code = ? "
        "order by township_code",
        [county],
    )
    return [
        (row["township_code"], row["township_name"])
        for row in rows
        if scope.covers(row["township_code"])
        and code in ("", county, row["township_code"])
        and (
            month is None
            or (
                (row["valid_from"] is None or row["valid_from"].replace(day=1) <= month)
                and (row["valid_to"] is None or row["valid_to"] >= month)
            )
        )
    ]


def months_to_choose(w: Warehouse) -> list[date]:
    """Months that may be reported on: those of the edition, and on to the present one."""
    today = datetime.now(TIME_ZONE).date()
    number = today.year * 12 + today.month - 1
    last = [date(n // 12, n % 12 + 1, 1) for n in range(number - MONTHS_BACK + 1, number + 1)]
    return sorted({*last, *w.months[-MONTHS_BACK:]})


def _due(w: Warehouse, county: str, code: str, month: date) -> dict[str, Any]:
    today = datetime.now(TIME_ZONE).date()
    days = desk.due_days(w.folder, month)
    said = {
        (row["township_code"], row["dataset"]): row
        for row in w.rows(
            "select township_code, dataset, status, state, due_on, first_received_on, refused_code "
            "from e.detail.submission_status where county_code = ? and month = ?",
            [county, month],
        )
    }
    # Whoever handed it in, with whatever else: of each unit in sight it is told that its report is on its way.
    receipts = desk.every_receipt(w.folder)
    handed = {
        cell: _IN_REVIEW if item.get("review") == "waiting" else _WAITING
        for cell, item in owed.on_the_way(receipts, _submission_ids(w)).items()
    }
    rows = []
    for unit, name in _units(w, county, code, month):
        cells = {}
        for dataset in ("population", "budget", "staffing"):
            row = said.get((unit, dataset))
            on = (row["due_on"] if row else None) or days.get(dataset)
            status = row["status"] if row else "missing" if on and on < today else "not_due"
            look = show.REPORT_STATUS[status]
            is_reported = status not in ("missing", "not_due", "refused")
            if row and row["state"] == "nil":
                look = show.Look(f"零报告（{look.label}）", look.mark, look.light, look.dark)
            cell = f"{dataset} {month:%Y-%m} {unit}"
            is_waiting = cell in handed
            look = handed.get(cell, look)
            cells[dataset] = {
                "status": "waiting" if is_waiting else status,
                "text": f"{look.mark} {look.label}",
                "may_nil": not is_reported and not is_waiting,
                "on": show.day(row["first_received_on"]) if row and row["first_received_on"] else "",
            }
        rows.append({"code": unit, "name": name, "cells": cells})
    return {
        "rows": rows,
        "datasets": [
            {
                "name": name,
                "title": desk.MONTHLY[name],
                "due": show.day(days[name]) if name in days else "没有规定",
                "is_past": name in days and days[name] < today,
            }
            for name in ("population", "budget", "staffing")
        ],
    }


def _submission_ids(w: Warehouse) -> set[str]:
    return {row["submission_id"] for row in w.rows("select submission_id from e.submissions")}


def _results(shelf: Shelf) -> tuple[dict[str, Any], dict[str, str], set[str]]:
    """Of what the current edition says of each file: the submission, its returned workbook, what runs took in."""
    taken = desk.taken_in(shelf.folder)
    try:
        w = shelf.warehouse(shelf.current_id() or "")
    except (Outdated, Unavailable):
        return {}, {}, taken
    rows = w.rows(
        "select submission_id, status, rows_read, rows_accepted, rows_held, rows_rejected, message_zh "
        "from e.submissions"
    )
    return {row["submission_id"]: row for row in rows}, returned_of(w), taken


def _is_in_sight(item: dict[str, Any]) -> bool:
    return scope_of_request().covers_all(item["units"] or [item["county_code"]])


def _told(item: dict[str, Any], results: tuple[dict[str, Any], dict[str, str], set[str]]) -> dict[str, Any]:
    """A receipt with what has become of the file since."""
    submissions, returned, taken = results
    identifier = item["sha256"][:16]
    row = submissions.get(identifier)
    is_taken = item["sha256"] in taken
    told = {
        key: value for key, value in item.items() if key not in ("cells", "returned_cells", "county_code")
    }
    told["dataset_zh"] = desk.MONTHLY.get(item["dataset"] or "", show.DATASET.get(item["dataset"] or "", ""))
    told["handed_in"] = item["handed_in_at"][:19].replace("T", " ")
    told["may_withdraw"] = (
        not item.get("withdrawn_at") and not is_taken and item.get("review", "waiting") != "returned"
    )
    told["may_correct"] = (
        not item.get("withdrawn_at") and not item["is_nil"] and (is_taken or item.get("review") == "returned")
    )
    told["result"] = None
    if row is not None and is_taken:
        look = show.SUBMISSION_STATUS[row["status"]]
        told["state"], told["state_zh"] = row["status"], look.label
        told["result"] = {
            "read": row["rows_read"],
            "accepted": row["rows_accepted"],
            "held": row["rows_held"],
            "rejected": row["rows_rejected"],
            "message_zh": row["message_zh"],
        }
        name = returned.get(identifier)
        told["returned"] = f"/returned/{quote(name)}" if name else ""
    elif is_taken:
        told["state"], told["state_zh"] = "taken", "已收，结果待发布"
    elif item.get("withdrawn_at"):
        told["state"], told["state_zh"] = "withdrawn", "已撤回"
    elif item.get("review") == "waiting":
        told["state"], told["state_zh"] = "waiting", "已交，待审核"
    elif item.get("review") == "returned":
        told["state"], told["state_zh"] = "refused", "审核退回"
    elif item.get("review"):
        told["state"], told["state_zh"] = "waiting", f"{STATE_ZH[item['review']]}，待运行"
    else:
        told["state"], told["state_zh"] = "waiting", "已交，待运行"
    return told


def _tray(tray: Tray, judge: Judges) -> dict[str, Any]:
    return {
        "id": tray.id,
        "state": tray.state,
        "failure": tray.meta.get("failure", ""),
        "is_nil": bool(tray.meta.get("is_nil")),
        "is_again": bool(tray.meta.get("again")),
        "made": tray.meta["made_at"][:16].replace("T", " "),
        "seconds": judge.seconds() if tray.state == "waiting" else 0,
        "names": [item["name"] for item in tray.files],
        "files": [
            {key: value for key, value in item.items() if key not in _NOT_SHOWN} for item in tray.found()
        ]
        if tray.state == "judged"
        else [],
    }


def _file(content: bytes, name: str, kind: str = XLSX) -> flask.Response:
    response = flask.Response(content, content_type=kind)
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    response.headers["Cache-Control"] = "no-store"
    return response
