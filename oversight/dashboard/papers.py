"""Routes of 办理 on the page 月报: a report from its draft to the issued paper, and the bureau's own wording.

What takes long is done in a process of its own, one at a time; the browser asks again until it is done.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from typing import Any

import flask

from oversight import presentation as show
from oversight.accounts.identity import acting, current
from oversight.accounts.roles import Action
from oversight.accounts.scope import Scope
from oversight.dashboard.access import scope_of_request
from oversight.dashboard.archive import KINDS, address, policy_of, reports_in_sight
from oversight.dashboard.doing import doing
from oversight.dashboard.gate import refusal
from oversight.dashboard.inputs import Named, PaperPreview, PaperStep, PaperText, given
from oversight.dashboard.shelf import Shelf
from oversight.dashboard.warehouse import Warehouse
from oversight.reports import Version
from oversight.reports.delivery import had
from oversight.workflow import papers
from oversight.workflow.papers import PaperError

JOBS_KEPT = 200
PREVIEWS_KEPT = 20
LISTED = 200
_NEEDS: dict[str, Action] = {
    "draft": "make_report",
    "submit": "make_report",
    "review": "review_report",
    "return": "review_report",
    "issue": "issue_report",
    "deliver": "issue_report",
    "withdraw": "issue_report",
}


class Jobs:
    """What takes long, one after the other. The same thing asked for again while it goes on is the same job."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="papers")
        self._jobs: dict[str, tuple[str, Any, Future[dict[str, Any]]]] = {}
        self._lock = threading.Lock()

    def take(
        self,
        owner: str,
        key: Any,
        work: Callable[[], dict[str, Any]],
        first: Callable[[], None] = lambda: None,
    ) -> str:
        """Have something done; the job's id. `first` is done at once, where there is no such job yet."""
        with self._lock:
            for name, (who, what, job) in self._jobs.items():
                if (who, what) == (owner, key) and not job.done():
                    return name
            while len(self._jobs) >= JOBS_KEPT:
                self._jobs.pop(next(iter(self._jobs)))
            first()
            name = secrets.token_hex(8)
            self._jobs[name] = (owner, key, self._pool.submit(work))
            return name

    def look(self, owner: str, name: str) -> dict[str, Any]:
        """How far a job of this owner is. Raises what it ended in."""
        found = self._jobs.get(name)
        if found is None or found[0] != owner:
            raise PaperError("没有这件事，服务可能重新启动过。请刷新页面查看。")
        return (
            {"id": name, "is_done": True, **found[2].result()}
            if found[2].done()
            else {"id": name, "is_done": False}
        )


def scopes_in_sight(w: Warehouse, scope: Scope) -> list[tuple[str, str]]:
    """The divisions that whoever asks may make a report on: code and name."""
    rows = w.rows(
        "select distinct county_code as code, county_name as name from e.townships union "
        "select distinct city_code, city_name from e.townships union "
        "select distinct province_code, province_name from e.townships order by code"
    )
    return [
        (row["code"], row["name"])
        for row in rows
        if row["code"] and row["name"] and scope.covers(row["code"])
    ]


def register(server: flask.Flask, shelf: Shelf) -> None:
    """Add the routes."""
    folder = shelf.folder
    routes = flask.Blueprint("papers", __name__)
    route = doing(routes, "make_report")
    jobs = Jobs()
    previews: dict[str, tuple[str, bytes]] = {}

    def check_scope(code: str) -> None:
        w = shelf.warehouse(shelf.current_id() or "")
        if code not in {own for own, _ in scopes_in_sight(w, scope_of_request())}:
            raise PaperError("没有这个地区，或您无权办理它的通报。")

    def check_all() -> None:
        """The wording is everybody's: whoever changes it must answer for every unit there is."""
        w = shelf.warehouse(shelf.current_id() or "")
        whole = shelf.warehouse(shelf.current_id() or "", Scope(("",)))
        count = "select count(*) as n from e.townships"
        if w.row(count)["n"] != whole.row(count)["n"]:
            raise PaperError(
                "文字与设置是全部地区共用的，您只管其中一部分，不能改。请由管全部地区的分析员改。"
            )

    @route("GET", "/papers/list", needing="look")
    def listed() -> dict[str, Any]:
        """Drafts and papers in sight, each with what whoever asks may do with it."""
        found = reports_in_sight(folder, scope_of_request())
        return {"papers": [_told(item, found) for item in found[:LISTED]]}

    @route("POST", "/papers/step", needing="look", body=PaperStep)
    def step() -> flask.Response | dict[str, Any]:
        """Take a step; what takes long answers with a job."""
        asked = given(PaperStep)
        if not current().may(_NEEDS[asked.step]):
            return refusal("您的角色不能办理这一步。需要时请联系管理员。", 403)
        check_scope(asked.scope)
        actor, month = acting(), date.fromisoformat(f"{asked.month}-01")
        of = (folder, month, asked.scope)
        if asked.step == "submit":
            papers.submit(*of, asked.read, actor)
        elif asked.step in ("review", "return"):
            verdict = "accept" if asked.step == "review" else "return"
            papers.review(*of, asked.read, verdict, asked.note, actor)
        elif asked.step == "withdraw":
            made = papers.withdraw(*of, asked.version, asked.note, actor)
            return {"is_done": True, "told": [f"已发给 {name}，请另行告知撤回" for name in had(folder, made)]}
        else:
            choices: dict[str, dict[str, Any]] = {
                "draft": {"provisional": asked.provisional},
                "issue": {"number": asked.number, "signed_on": asked.signed_on},
                "deliver": {"number": asked.version},
            }
            more = choices[asked.step]
            papers.who(actor)
            key = (asked.step, asked.month, asked.scope, tuple(sorted(more.items(), key=str)))
            name = jobs.take(
                actor.name,
                key,
                lambda: papers.apart(folder, actor, asked.step, month, asked.scope, **more),
                lambda: papers.note(folder, asked.step, month, asked.scope, actor),
            )
            return {"job": name, "is_done": False}
        return {"is_done": True, "told": []}

    @route("GET", "/papers/job/<name>", needing="look", path=Named)
    def job(name: str) -> dict[str, Any]:
        """How far a job is."""
        told = jobs.look(current().name, name)
        return {"is_done": told["is_done"], "told": told.get("lines", []), "page": told.get("page", "")}

    @route("GET", "/papers/texts")
    def texts() -> dict[str, Any]:
        """The wording and the settings as they are."""
        check_all()
        return {"texts": papers.texts(folder)}

    @route("POST", "/papers/preview", body=PaperPreview)
    def preview() -> dict[str, Any]:
        """Make the page that a report would be with one text changed."""
        asked = given(PaperPreview)
        check_scope(asked.scope)
        check_all()
        papers.check_text(folder, asked.name, asked.text)
        actor, month = acting(), date.fromisoformat(f"{asked.month}-01")

        def work() -> dict[str, Any]:
            told = papers.apart(
                folder, actor, "preview", month, asked.scope, name=asked.name, text=asked.text
            )
            name = secrets.token_hex(8)
            while len(previews) >= PREVIEWS_KEPT:
                previews.pop(next(iter(previews)))
            previews[name] = (actor.name, told["html"].encode())
            return {"page": f"/papers/page/{name}"}

        key = ("preview", asked.month, asked.scope, asked.name, asked.text)
        return {"job": jobs.take(actor.name, key, work), "is_done": False}

    @route("GET", "/papers/page/<name>", path=Named)
    def page(name: str) -> flask.Response:
        """A preview, to be read within the page."""
        found = previews.get(name)
        if found is None or found[0] != current().name:
            return refusal("没有这份预览。请重新预览。", 404)
        answer = flask.Response(found[1], content_type=KINDS["html"][1])
        answer.headers["Content-Security-Policy"] = policy_of(found[1])
        answer.headers["X-Frame-Options"] = "SAMEORIGIN"
        return answer

    @route("POST", "/papers/save", body=PaperText)
    def save() -> dict[str, Any]:
        """Keep a text."""
        asked = given(PaperText)
        check_all()
        papers.save_text(folder, asked.name, asked.text, asked.read, acting())
        return {"texts": papers.texts(folder)}

    server.register_blueprint(routes)

    def _told(item: Version, every: list[Version]) -> dict[str, Any]:
        papers_of = [
            v for v in every if (v.month, v.scope_code) == (item.month, item.scope_code) and v.number
        ]
        standing = next((v for v in papers_of if v.state == "issued"), None)
        return {
            "month": item.manifest["month"],
            "scope": item.scope_code,
            "name": item.scope_name,
            "version": item.number,
            "state": item.state,
            "title": f"{item.scope_name}{show.month(item.month)}",
            "state_zh": item.name_zh,
            "document_no": item.document_no,
            "stamp": papers.stamp(item) if item.is_draft else "",
            "problems": list(item.manifest["problems"]),
            "read": address(item, "html", to_read=True) if "html" in item.formats else "",
            "sent_to": had(folder, item) if item.number else [],
            "steps": [step for step in _steps(item, standing) if current().may(_NEEDS[step])],
            "events": [
                {"step": e["step"], "by": e["by"], "at": e["at"][:16].replace("T", " "), "note": e["note"]}
                for e in item.events
            ],
        }


def _steps(item: Version, standing: Version | None) -> list[str]:
    """What can be done next with a draft or a paper; who may is another question."""
    if item.is_draft:
        if item.manifest["problems"]:
            return ["draft"]
        return {
            "drafted": ["draft", "submit"],
            "returned": ["draft", "submit"],
            "submitted": ["draft", "review", "return"],
            "reviewed": ["issue", "return"],
        }.get(item.state, [])
    if item.state == "issued" and standing is not None and standing.number == item.number:
        return ["deliver", "withdraw"]
    return []
