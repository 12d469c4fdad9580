"""Routes of the bell: what there is for whoever asks, and that they have seen it."""

from __future__ import annotations

import threading
import time
from datetime import datetime
from typing import Any

import flask

from oversight.accounts.identity import current, polled
from oversight.dashboard.access import scope_of_request
from oversight.dashboard.doing import doing
from oversight.dashboard.shelf import Shelf
from oversight.settings import TIME_ZONE
from oversight.workflow import notices
from oversight.workflow.notices import Notice, Reader

# Every open page asks; within so many seconds the same person gets the same answer.
KEPT_SECONDS = 20
PEOPLE_KEPT = 500


def register(server: flask.Flask, shelf: Shelf) -> None:
    """Add the routes."""
    folder = shelf.folder
    routes = flask.Blueprint("notices", __name__)
    route = doing(routes, "look")
    kept: dict[tuple[str, str, tuple[str, ...]], tuple[float, list[Notice]]] = {}
    lock = threading.Lock()

    def reader() -> Reader:
        who = current()
        return Reader(who.name, who.may, scope_of_request())

    def found(who: Reader) -> list[Notice]:
        key = (who.name, current().role, who.scope.prefixes)
        before = kept.get(key)
        if before is not None and time.monotonic() - before[0] < KEPT_SECONDS:
            return before[1]
        with lock:
            # One after the other: who waited finds what the one before him found.
            before = kept.get(key)
            if before is None or time.monotonic() - before[0] >= KEPT_SECONDS:
                while len(kept) >= PEOPLE_KEPT:
                    kept.pop(next(iter(kept)))
                before = kept[key] = (
                    time.monotonic(),
                    notices.notices(folder, who, datetime.now(TIME_ZONE)),
                )
        return before[1]

    @route("GET", "/notices")
    @polled
    def listed() -> dict[str, Any]:
        """What there is, and what of it is new."""
        who = reader()
        items = found(who)
        return {
            "notices": [
                {"kind": item.kind, "tone": item.tone, "text": item.text, "href": item.href, "is_new": is_new}
                for item, is_new in zip(items, notices.unseen(folder, who, items), strict=True)
            ]
        }

    @route("POST", "/notices/seen")
    def seen() -> dict[str, Any]:
        """Whoever asks has looked at what there is."""
        who = reader()
        notices.see(folder, who, found(who))
        return {}

    server.register_blueprint(routes)
