"""Routes of the page 核算依据: what a bureau lays down, a change with its checks and preview, agreeing, history, undoing."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

import flask
from pydantic import Field, StringConstraints

from oversight.accounts.identity import acting, current
from oversight.dashboard.access import scope_of_request
from oversight.dashboard.doing import doing
from oversight.dashboard.inputs import Id, Input, Line, Name, Named, Text, given
from oversight.dashboard.papers import Jobs
from oversight.dashboard.shelf import Shelf
from oversight.workflow import headings, rules, trial
from oversight.workflow.rules import (
    ASKS,
    CELL_CHARACTERS,
    REASON_CHARACTERS,
    ROWS_EACH,
    STATES,
    File,
    RuleError,
    Step,
)

ROWS_SHOWN = 1000
CHANGES_SHOWN = 200
HEADINGS_SHOWN = 200

_Cells = Annotated[
    dict[Name, Annotated[Line, StringConstraints(max_length=CELL_CHARACTERS)]], Field(max_length=60)
]
_Change = Annotated[str, StringConstraints(pattern=r"^\d{8}-\d{6}-[0-9a-f]{6}$")]


class OneFile(Input):
    """A file."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")]


class OneStep(Input):
    """A row to be added, changed or taken out."""

    file: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")]
    place: Name = ""
    before: _Cells | None = None
    after: _Cells | None = None


class Steps(Input):
    """A change that is not asked for yet."""

    steps: Annotated[list[OneStep], Field(min_length=1, max_length=ROWS_EACH)]


class Asked(Steps):
    """A change that is asked for; the same `key` is the same change."""

    why: Annotated[Text, StringConstraints(max_length=REASON_CHARACTERS)]
    key: Id
    undoes: _Change | Literal[""] = ""


class Decided(Input):
    """What becomes of a change."""

    id: _Change
    verdict: Literal["agree", "return", "withdraw"]
    note: Annotated[Text, StringConstraints(max_length=REASON_CHARACTERS)] = ""


class OneChange(Input):
    """A change."""

    id: _Change


class OneFigure(Input):
    """A figure of a unit and month."""

    dataset: Name
    month: Annotated[str, StringConstraints(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
    code: Annotated[str, StringConstraints(pattern=r"^\d{6,12}$")]
    column: Name


def register(server: flask.Flask, shelf: Shelf) -> None:
    """Add the routes."""
    folder = shelf.folder
    routes = flask.Blueprint("rules", __name__)
    route = doing(routes, "confirm")
    jobs = Jobs()

    def steps_given(asked: Steps) -> list[Step]:
        steps = [Step(s.file, s.place, s.before, s.after) for s in asked.steps]
        return [rules.signed(step, current().name or "未登录") for step in steps]

    @route("GET", "/rules/file/<name>", path=OneFile)
    def file(name: str) -> dict[str, Any]:
        """A file: its columns, the bureau's rows in sight, and the project's own."""
        found, scope = rules.file_of(name), scope_of_request()
        rows = [row for row in rules.rows(folder, found) if rules.sees(found, row.cells, scope)]
        return {
            "name": found.name,
            "rows": [
                {"place": row.place, "number": row.number, "cells": row.cells} for row in rows[-ROWS_SHOWN:]
            ],
            "count": len(rows),
            "defaults": found.defaults(),
            "may_ask": current().may(ASKS[found.group][0])
            and (bool(found.scope_column) or rules.has_all(folder, scope)),
        }

    @route("GET", "/rules/headings")
    def asked() -> dict[str, Any]:
        """What the files of the current edition leave to be asked about their headings; to whom may answer alone."""
        if not rules.has_all(folder, scope_of_request()):
            return {"asked": []}
        return {"asked": headings.open_ones(folder)[:HEADINGS_SHOWN]}

    @route("GET", "/rules/figure", query=OneFigure)
    def figure() -> dict[str, Any]:
        """What the current edition has for a figure, so that nobody copies it by hand."""
        asked = given(OneFigure)
        if not scope_of_request().covers(asked.code):
            raise RuleError("这个单位不在您的管理范围内。请检查区划代码。")
        year, month = map(int, asked.month.split("-"))
        dataset, column = rules.measure_of(asked.dataset, asked.column)
        found = rules.figures(folder, dataset, date(year, month, 1), asked.code[:9], column)
        return {
            "figures": [
                {"value": "" if f["value"] is None else str(f["value"]), "is_held": f["is_held"]}
                for f in found
            ]
        }

    @route("POST", "/rules/check", body=Steps)
    def check() -> dict[str, Any]:
        """What is wrong with a change, what it touches, and how long trying it out takes."""
        steps = steps_given(given(Steps))
        wrong = rules.check(folder, steps, scope_of_request())
        took = trial.seconds(folder)
        return {
            "wrong": wrong,
            "touched": [] if wrong else rules.touched(folder, steps),
            "seconds": round(took) if took else None,
        }

    @route("POST", "/rules/trial", body=Steps)
    def try_out() -> dict[str, Any]:
        """Try a change out; answers with a job."""
        asked = given(Steps)
        steps = steps_given(asked)
        wrong = rules.check(folder, steps, scope_of_request())
        if wrong:
            raise RuleError("\n".join(wrong))
        if not rules.has_all(folder, scope_of_request()):
            # What a trial tells is of every unit.
            raise RuleError("试算的结果涉及全部地区，您只管其中一部分，不能试算。改动可以照常提交。")
        key = asked.model_dump_json()
        return {"job": jobs.take(current().name, key, lambda: trial.apart(folder, steps)), "is_done": False}

    @route("GET", "/rules/job/<name>", path=Named)
    def job(name: str) -> dict[str, Any]:
        """How far a trial is."""
        return jobs.look(current().name, name)

    @route("POST", "/rules/ask", body=Asked)
    def ask() -> dict[str, Any]:
        """Ask for a change."""
        asked = given(Asked)
        steps = steps_given(asked)
        if not current().may(ASKS[rules.group_of(steps)][0]):
            raise RuleError("您的角色不能提出这种改动。需要时请联系管理员。")
        return _told(rules.ask_for(folder, steps, asked.why, acting(), key=asked.key, undoes=asked.undoes))

    @route("POST", "/rules/decide", body=Decided)
    def decide() -> dict[str, Any]:
        """Agree, send back, or take back one's own."""
        asked = given(Decided)
        told = rules.change(folder, asked.id)
        agrees = ASKS[told["group"]][1]
        if asked.verdict != "withdraw" and (agrees is None or not current().may(agrees)):
            raise RuleError("您的角色不能批准这种改动。需要时请联系管理员。")
        return _told(rules.decide(folder, asked.id, asked.verdict, asked.note, acting()))

    @route("GET", "/rules/undo", query=OneChange)
    def undo() -> dict[str, Any]:
        """The rows of a new change that would take one back."""
        steps = rules.undone(folder, given(OneChange).id)
        return {
            "steps": [{"file": s.file, "place": s.place, "before": s.before, "after": s.after} for s in steps]
        }

    @route("GET", "/rules/changes")
    def changes() -> dict[str, Any]:
        """Changes in sight, the newest first."""
        found = [told for told in rules.changes(folder) if rules.in_sight(told, scope_of_request())]
        return {"changes": [_told(told) for told in found[:CHANGES_SHOWN]], "count": len(found)}

    def _told(told: dict[str, Any]) -> dict[str, Any]:
        asks, agrees = ASKS[told["group"]]
        is_own = told["events"][0]["by"] == current().name
        may = []
        if told["state"] == "waiting":
            may += ["withdraw"] if is_own else []
            may += ["agree", "return"] if agrees is not None and current().may(agrees) and not is_own else []
        elif told["state"] == "taken" and current().may(asks):
            may += ["undo"]
        return {
            "id": told["id"],
            "state": told["state"],
            "state_zh": STATES[told["state"]],
            "why": told["why"],
            "undoes": told["undoes"],
            "files": sorted({rules.file_of(step["file"]).title for step in told["steps"]}),
            "steps": told["steps"],
            "events": [event | {"at": event["at"][:16].replace("T", " ")} for event in told["events"]],
            "may": may,
        }

    server.register_blueprint(routes)


def described() -> list[dict[str, Any]]:
    """Every file as a page needs it: what it is called, its columns, what may stand in them."""
    return [_described(file) for file in rules.files().values()]


def _described(file: File) -> dict[str, Any]:
    return {
        "name": file.name,
        "title": file.title,
        "group": file.group,
        "note": file.note,
        "replaces": file.replaces,
        "needs_second": ASKS[file.group][1] is not None,
        "columns": [
            {
                "name": column.name,
                "title": column.title,
                "form": column.form,
                "is_wanted": column.is_wanted,
                "is_given": column.is_given,
                "hint": column.hint,
                "choices": column.choices,
            }
            for column in file.columns
        ],
    }
