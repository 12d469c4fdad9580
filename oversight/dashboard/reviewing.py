"""Routes of the page 审核: files that wait, their rows, and what waits in the current edition."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import flask

from oversight import presentation as show
from oversight.accounts import record
from oversight.accounts.identity import acting
from oversight.dashboard.access import scope_of_request
from oversight.dashboard.doing import doing
from oversight.dashboard.gate import refusal
from oversight.dashboard.inputs import Decision, Named, QuestionsOf, given
from oversight.dashboard.shelf import Shelf, Unavailable
from oversight.dashboard.warehouse import Outdated
from oversight.workflow import questions as open_questions
from oversight.workflow import review
from oversight.workflow.answers import ReviewError
from oversight.workflow.review import Review

# More rows than anybody goes through one by one; all of them can be decided at once.
ROWS_SHOWN = 1000
DONE_SHOWN = 100
QUESTIONS_SHOWN = 300


def register(server: flask.Flask, shelf: Shelf) -> None:
    """Add the routes."""
    folder = shelf.folder
    routes = flask.Blueprint("review", __name__)
    route = doing(routes, "confirm")

    def in_sight(name: str) -> Review:
        found = review.find(folder, name)
        if found is None or not review.covers(scope_of_request(), found):
            raise ReviewError("没有这份待审核的文件，或您无权查看。请刷新页面。")
        return found

    def asked(unit: str) -> list[open_questions.Question]:
        w = shelf.warehouse(shelf.current_id() or "")
        prefix = unit.rstrip("0") if len(unit) == 6 and unit.endswith("00") else unit

        def rows(sql: str, values: Sequence[Any]) -> list[dict[str, Any]]:
            return w.rows(sql, list(values))

        return open_questions.questions(rows, scope_of_request(), prefix, "e.")

    def told(item: Review) -> dict[str, Any]:
        found = _told(item)
        # What a clerk left out, or wrote in her own way, is called as it is called.
        codes = sorted({row["code"] for row in found["lines"]})
        marks = ", ".join("?" * len(codes)) or "''"
        names: dict[str, str] = {}
        with contextlib.suppress(Unavailable, Outdated):
            for row in shelf.warehouse(shelf.current_id() or "").rows(
                f"select township_code, township_name from e.townships where township_code in ({marks})",
                codes,
            ):
                names[row["township_code"]] = row["township_name"]
        found["lines"] = [row | {"name": names.get(row["code"], row["name"])} for row in found["lines"]]
        return found

    @route("GET", "/review/files")
    def files() -> dict[str, Any]:
        """Files that wait, and those decided lately."""
        review.resume(folder)
        found = review.reviews_in(folder, scope_of_request())
        waiting = [item for item in found if item.state == "waiting"]
        done = [item for item in found if item.state != "waiting"]
        return {
            "waiting": [_summary(item) for item in waiting],
            "done": [_summary(item) for item in done[:DONE_SHOWN]],
            "done_count": len(done),
        }

    @route("GET", "/review/file/<name>", path=Named)
    def file(name: str) -> dict[str, Any]:
        """A file with its rows."""
        return told(in_sight(name))

    @route("GET", "/review/original/<name>", path=Named)
    def original(name: str) -> flask.Response:
        """The file as it was sent."""
        item = in_sight(name)
        content = review.content_of(folder, item)
        record.note(folder, "download", 文件=item.told["file_name"], sha256=item.told["sha256"])
        response = flask.Response(content, content_type="application/octet-stream")
        response.headers["Content-Disposition"] = (
            f"attachment; filename*=UTF-8''{quote(item.told['file_name'])}"
        )
        return response

    @route("POST", "/review/decide/<name>", path=Named, body=Decision)
    def decide(name: str) -> dict[str, Any]:
        """Accept or return rows; a second press gets what stands."""
        asked = given(Decision)
        return told(review.decide(folder, name, asked.rows, asked.verdict, asked.reason, acting()))

    @route("GET", "/review/questions", query=QuestionsOf)
    def questions() -> dict[str, Any]:
        """What waits in the current edition."""
        found = asked(given(QuestionsOf).unit)
        answers = open_questions.answered(folder)
        told = [_question(item, open_questions.answer_to(answers, item)) for item in found]
        left = [item for item in told if item["answer"] is None]
        return {
            "questions": [*left, *(item for item in told if item["answer"])][:QUESTIONS_SHOWN],
            "left": len(left),
            "count": len(told),
        }

    @route("POST", "/review/answer/<name>", path=Named, body=Decision)
    def answer(name: str) -> flask.Response | dict[str, Any]:
        """Confirm, look into, or send back."""
        told = given(Decision)
        found = next((item for item in asked("") if item.id == name), None)
        if found is None:
            return refusal("没有这个待确认的数，可能已有新的数据版本。请刷新页面。", 400)
        open_questions.settle(folder, found, told.verdict, told.reason, acting())
        return _question(found, open_questions.answer_to(open_questions.answered(folder), found))

    server.register_blueprint(routes)


def _summary(item: Review) -> dict[str, Any]:
    told = item.told
    decided = len(item.rows) - len(item.left)
    return {
        "id": item.id,
        "state": item.state,
        "state_zh": review.STATE_ZH[item.state],
        "file_name": told["file_name"],
        "sha256": told["sha256"],
        "dataset_zh": show.DATASET.get(told["dataset"] or "", ""),
        "is_nil": told["is_nil"],
        "county": told["county_name"],
        "months": told["months"],
        "units": len(told["units"]),
        "handed_in": told["handed_in_at"][:16].replace("T", " "),
        "by": told["by"],
        "rows": len(item.rows),
        "decided": decided,
        "questions": sum(bool(row["remarks"]) for row in item.rows) + len(told["remarks"]),
        "unusable": len(told["unusable"]),
        "decided_at": str(told.get("decided_at") or "")[:16].replace("T", " "),
        "reviewers": sorted({row["decision"]["by"] for row in item.rows if row["decision"]}),
        "is_own": bool(told["by"]) and told["by"].casefold() == acting().name.casefold(),
    }


def _told(item: Review) -> dict[str, Any]:
    # What raises a question comes first: that is what a reviewer is there for.
    rows = sorted(item.rows, key=lambda row: (not (row["remarks"] or row["is_nil"]), row["n"]))
    return _summary(item) | {
        "remarks": item.told["remarks"],
        "refused": item.told["unusable"][:ROWS_SHOWN],
        "lines": rows[:ROWS_SHOWN],
        "left": len(item.left),
        # What was changed in the page after the file was uploaded.
        "mended": item.told.get("mended", []),
    }


def _question(item: open_questions.Question, answer: dict[str, str] | None) -> dict[str, Any]:
    return {
        "id": item.id,
        "kind": item.kind,
        "kind_zh": open_questions.KIND_ZH[item.kind],
        "dataset_zh": show.DATASET[item.dataset],
        "month": f"{item.month:%Y-%m}",
        "code": item.code,
        "name": item.name,
        "file_name": item.file_name,
        "sheet": item.sheet,
        "row": item.row,
        "column": item.column,
        "value": item.value,
        "what": item.what,
        "answer": None
        if answer is None
        else {"kind": answer["类型"], "by": answer["提出人"], "on": answer["日期"], "reason": answer["原因"]},
    }
