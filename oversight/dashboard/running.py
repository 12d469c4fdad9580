"""Routes of the page 运行: what waits, a run, how far it is, what it said, and back to an edition of before."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import flask

from oversight import operation
from oversight import presentation as show
from oversight.accounts.identity import acting, polled
from oversight.calendar import load_calendar
from oversight.dashboard.doing import doing
from oversight.dashboard.inputs import GoBack, RunNamed, given
from oversight.dashboard.shelf import Shelf
from oversight.editions.edition import current, list_editions
from oversight.editions.lock import holder
from oversight.editions.seal import is_signed
from oversight.settings import TIME_ZONE
from oversight.workflow import notices, running
from oversight.workflow.running import RunError, StartedRun

EDITIONS_SHOWN = 24
_STARTED_BY = {"schedule": "定时", "sensor": "有新文件，自动", "": "页面或命令行"}
_JOBS = {notices.REPORT_JOB: "出通报草稿"}


def register(server: flask.Flask, shelf: Shelf) -> None:
    """Add the routes."""
    folder = shelf.folder
    routes = flask.Blueprint("run", __name__)
    route = doing(routes, "run")

    @route("GET", "/run/state")
    @polled
    def state() -> dict[str, Any]:
        """Whether a run goes on, how far it is, and the latest ones."""
        found = running.runs(folder)
        return {
            "now": running.how_far(folder),
            "runs": [_told(item) for item in found],
            "is_on": any(item.is_on for item in found),
        }

    @route("GET", "/run/waiting")
    def waiting() -> dict[str, Any]:
        """Files that no run has taken in."""
        found = running.waiting(folder)
        return {
            "count": len(found),
            "files": [
                {"name": item["name"], "bytes": item["bytes"], "at": show.moment(item["at"])}
                for item in found[: running.FILES_LISTED]
            ],
        }

    @route("GET", "/run/scheduled")
    def scheduled() -> dict[str, Any]:
        """Whether it runs by itself and when next; and every run, however it was started."""
        now = datetime.now(TIME_ZONE)
        held = holder(folder) is not None
        return {
            "is_on": operation.is_scheduled(folder, now),
            "next": show.moment(operation.next_scheduled(now, load_calendar(folder))),
            "runs": [
                {
                    "result": show.run_status(item.status, is_held=held),
                    "is_good": item.status == "SUCCESS",
                    "started": show.moment(item.started_at) if item.started_at else "",
                    "seconds": round((item.ended_at - item.started_at).total_seconds())
                    if item.started_at and item.ended_at
                    else None,
                    "by": _STARTED_BY[item.started_by],
                    "what": _JOBS.get(item.job, "运行"),
                }
                for item in operation.runs(folder)
                if item.job != notices.JOB
            ],
        }

    @route("POST", "/run/start")
    def start() -> dict[str, Any]:
        """Start a run; a second press gets the one that goes on."""
        return _told(running.start(folder, acting()))

    @route("GET", "/run/log/<name>", path=RunNamed)
    def log(name: str) -> dict[str, Any]:
        """What a run said."""
        found = running.find(folder, name)
        if found is None:
            raise RunError("没有这次运行的记录。请刷新页面。")
        return _told(found) | {"said": running.said(folder, found)}

    @route("GET", "/run/editions")
    def editions() -> dict[str, Any]:
        """The editions there are."""
        now = current(folder)
        return {
            "editions": [
                {
                    "id": item.edition_id,
                    "is_current": now is not None and item.edition_id == now.edition_id,
                    "built_at": f"{item.built_at.astimezone(TIME_ZONE):%Y-%m-%d %H:%M}",
                    "months": " 至 ".join(f"{month:%Y-%m}" for month in item.months) if item.months else "",
                    "files": len(item.manifest["inputs"]),
                    "is_signed": is_signed(item.path),
                    "restores": {
                        name: item.manifest["restores"][name] for name in ("edition_id", "by", "why")
                    }
                    if "restores" in item.manifest
                    else None,
                }
                for item in list_editions(folder)[:EDITIONS_SHOWN]
            ]
        }

    @route("POST", "/run/back", body=GoBack)
    def back() -> dict[str, Any]:
        """Publish anew what an edition of before said."""
        asked = given(GoBack)
        made = running.go_back(folder, asked.edition, asked.reason, acting())
        return {"edition": made.edition_id}

    def _told(item: StartedRun) -> dict[str, Any]:
        return {
            "id": item.id,
            "state": item.state,
            "state_zh": running.STATE_ZH[item.state],
            "by": item.told["by"],
            "started": item.told["started_at"][:19].replace("T", " "),
            "ended": str(item.told.get("ended_at", ""))[:19].replace("T", " "),
            "result": running.result_zh(folder, item),
            "edition": item.told.get("edition"),
        }

    server.register_blueprint(routes)
