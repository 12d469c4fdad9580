"""Routes of the page 催报与文书: what is due, drafts, and each step of a letter's life, inside the scope of whoever asks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote

import flask
from pydantic import Field, StringConstraints

from oversight.accounts import record
from oversight.accounts.identity import current
from oversight.accounts.roles import Action
from oversight.dashboard.access import scope_of_request, significant
from oversight.dashboard.doing import doing
from oversight.dashboard.following import TOGETHER, OfPlace, who
from oversight.dashboard.inputs import Id, Input, Name, given
from oversight.dashboard.shelf import Shelf
from oversight.settings import TIME_ZONE
from oversight.workflow import letters
from oversight.workflow.following import FollowError
from oversight.workflow.letters import COLOURS, KINDS, STATES, Ground, Wanted, writer_of

SHOWN = 500
STEPS: dict[str, tuple[str, Action]] = {
    "approve": ("审批", "approve_letter"),
    "issue": ("签发", "follow"),
    "send": ("送达", "follow"),
    "discard": ("作废", "follow"),
}
_KINDS = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
}


class Due(Input):
    """A letter that is due."""

    kind: Literal[*KINDS]  # type: ignore[valid-type]
    unit: Annotated[str, StringConstraints(pattern=r"^(\d{6}|\d{9})$")]
    colour: Literal["", *COLOURS] = ""  # type: ignore[valid-type]
    # Of a reminder: month, stage and day.
    about: Name = ""


class Drafts(Input):
    """Letters to be drafted."""

    items: Annotated[list[Due], Field(min_length=1, max_length=TOGETHER)]
    by: Name = ""


class Taken(Input):
    """A step on letters."""

    step: Literal[*STEPS]  # type: ignore[valid-type]
    letters: Annotated[list[Id], Field(min_length=1, max_length=TOGETHER)]
    by: Name = ""
    note: Name = ""


class OneLetter(Input):
    """A letter, and as what it is to be seen."""

    id: Id
    form: Literal["pdf", "docx"] = "pdf"


def register(server: flask.Flask, shelf: Shelf) -> None:
    """Add the routes."""
    folder = shelf.folder
    routes = flask.Blueprint("letters", __name__)
    route = doing(routes, "see_letters")

    def now() -> datetime:
        return datetime.now(TIME_ZONE)

    def due_now(ground: Ground) -> list[Wanted]:
        scope = scope_of_request()
        # Nobody writes to their own county in the name of the city.
        return [item for item in letters.wanted(ground, now()) if scope.covers(writer_of(item.unit.code))]

    def in_sight() -> list[dict[str, Any]]:
        scope = scope_of_request()
        return [row for row in letters.letters(folder) if scope.covers(row["unit_code"])]

    def own(names: list[str], *, to_act: bool = True) -> list[str]:
        scope = scope_of_request()
        known = {
            row["id"] for row in in_sight() if not to_act or scope.covers(writer_of(str(row["unit_code"])))
        }
        if not known.issuperset(names):
            raise FollowError("没有这件文书，或您无权办理。请刷新后重试。")
        return names

    @route("GET", "/letters/all", query=OfPlace)
    def listed() -> dict[str, Any]:
        """What is due and not drafted yet, and the letters there are."""
        ground = letters.ground(folder, now().date())
        place = significant(given(OfPlace).unit)
        items = [item for item in due_now(ground) if item.unit.code.startswith(place)]
        rows = [row for row in in_sight() if row["unit_code"].startswith(place)]
        return {
            "due": [
                {
                    "kind": item.kind,
                    "unit": item.unit.code,
                    "name": item.unit.name,
                    "colour": item.colour,
                    "about": _about(item),
                    "title": item.title,
                    "what": _what(item),
                }
                for item in items[:SHOWN]
            ],
            "due_count": len(items),
            "letters": [
                {
                    "id": row["id"],
                    "title": row["title"],
                    "colour": row["colour"],
                    "name": row["unit_name"],
                    "state": row["state"],
                    "state_zh": row["state_zh"],
                    "number": row["document_no"],
                    "why": row["why"] or "",
                    "by": "，".join(
                        f"{said} {name}"
                        for said, name in (
                            ("拟稿", row["drafted_by"]),
                            ("审批", row["approved_by"]),
                            ("签发", row["issued_by"]),
                        )
                        if name
                    ),
                    "on": (row["issued_at"] or row["drafted_at"])[:10],
                }
                for row in rows[:SHOWN]
            ],
            "letters_count": len(rows),
        }

    @route("POST", "/letters/draft", needing="follow", body=Drafts)
    def drafted() -> dict[str, Any]:
        """Draft letters that are due."""
        asked = given(Drafts)
        ground = letters.ground(folder, now().date())
        wanted = {(item.kind, item.unit, item.colour, item.about) for item in asked.items}
        items = [
            item
            for item in due_now(ground)
            if (item.kind, item.unit.code, item.colour, _about(item)) in wanted
        ]
        made = letters.draft(ground, items, by=who() or asked.by, now=now())
        return {
            "done": len(made),
            "told": [] if len(made) == len(wanted) else ["其余已有文书，或已不需要发。"],
        }

    @route("POST", "/letters/step", body=Taken)
    def taken() -> dict[str, Any]:
        """Take a step; how many, and what became of the others."""
        asked = given(Taken)
        title, action = STEPS[asked.step]
        if not current().may(action):
            raise FollowError(f"您的角色不能{title}文书。需要时请联系管理员。")
        by, names = who() or asked.by, own(asked.letters)
        if asked.step == "approve":
            return {"done": len(letters.approve(folder, names, by=by, now=now())), "told": []}
        if asked.step == "discard":
            return {"done": len(letters.discard(folder, names, by=by, why=asked.note)), "told": []}
        ground = letters.ground(folder, now().date())
        step = letters.issue if asked.step == "issue" else letters.deliver
        done, told = step(ground, names, by=by, now=now())
        return {"done": len(done), "told": told}

    @route("GET", "/letters/file", query=OneLetter)
    def file() -> flask.Response:
        """A letter as PDF, to be read within the page, or as Word file."""
        asked = given(OneLetter)
        own([asked.id], to_act=False)
        content = letters.preview(letters.ground(folder, now().date()), asked.id, now(), asked.form)
        if asked.form == "docx":
            record.note(folder, "download", 文书=asked.id)
        response = flask.Response(content, content_type=_KINDS[asked.form])
        kind = "inline" if asked.form == "pdf" else "attachment"
        response.headers["Content-Disposition"] = (
            f"{kind}; filename*=UTF-8''{quote(f'文书_{asked.id}.{asked.form}')}"
        )
        if asked.form == "pdf":
            response.headers["X-Frame-Options"] = "SAMEORIGIN"
            response.headers["Content-Security-Policy"] = (
                "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"
            )
        return response

    server.register_blueprint(routes)


def states() -> list[tuple[str, str]]:
    """The states of a letter, as a page names them."""
    return list(STATES.items())


def _about(item: Wanted) -> str:
    return " ".join(str(item.told[name]) for name in ("month", "stage", "due")) if item.told else ""


def _what(item: Wanted) -> str:
    if item.kind == "reminder":
        reports = "、".join(letters.DATASETS[name] for name in item.told["datasets"])
        return f"{item.told['month']} {reports}，截止 {item.told['due']}"
    return f"{len(item.occasions)} 项问题"
