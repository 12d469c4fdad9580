"""Drawn pages, kept packed: the same question to the same edition has one answer, and the likeliest are drawn ahead.

They lie in files of a folder that goes with the server, so that its memory holds their names alone. What a page shows
besides its edition is in the name: path, search, theme, edition, the role and scope of whoever asks, and the state of
what a page shows from beside the edition (`Page.beside`). One that shows more is never kept (`Page.is_of_edition`).
"""

from __future__ import annotations

import atexit
import contextlib
import gzip
import hashlib
import json
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import flask

from oversight import scratch
from oversight.accounts.exist import exist
from oversight.accounts.identity import OPEN, Identity, current
from oversight.dashboard.access import Scope, significant
from oversight.dashboard.pages import pages
from oversight.dashboard.queries import children, padded
from oversight.dashboard.shelf import SCOPES_OPEN, Shelf, Unavailable
from oversight.dashboard.state import State
from oversight.dashboard.warehouse import Outdated, Warehouse
from oversight.settings import DataFolder

BYTES_KEPT = 300_000_000
# Of these, what is drawn ahead of one edition.
BYTES_AHEAD = 240_000_000
# The address of the callbacks, and the name of its view.
DRAWN_BY = "/_dash-update-component"
# Says of an answer that it was `kept` from before, or drawn `ahead`.
HEADER = "Server-Timing"
# How long nobody may have asked for a page before one is drawn ahead.
QUIET_SECONDS = 1.0
# What is looked at of each unit, the likeliest first; and for how many months of the reader's own.
LIKELY = ("/", "/funding", "/findings", "/staffing", "/submissions")
MONTHS_AHEAD = 24
COUNTY_DIGITS = 6

log = logging.getLogger(__name__)


class Kept:
    """Packed answers by name, those asked for last."""

    def __init__(self, folder: DataFolder) -> None:
        self._data = folder
        # How many bytes each has, and whether it was drawn ahead.
        self._files: OrderedDict[str, tuple[int, bool]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        # Pages being asked for just now, and when the last was answered.
        self._asked = 0
        self._answered_at = 0.0

    @cached_property
    def _folder(self) -> Path:
        made = scratch.Scratch()
        atexit.register(made.end)
        return made.path

    def find(self, name: str) -> tuple[bytes, bool] | None:
        """The packed answer of that name, and whether it was drawn ahead."""
        with self._lock:
            if name not in self._files:
                return None
            self._files.move_to_end(name)
            is_ahead = self._files[name][1]
        try:
            return (self._folder / name).read_bytes(), is_ahead
        except OSError:
            # Cleared away by the system, or given up just now.
            with self._lock:
                self._bytes -= self._files.pop(name, (0, False))[0]
            return None

    def keep(self, name: str, packed: bytes, *, is_ahead: bool = False) -> None:
        """Keep an answer; those asked for longest ago make room. Where nothing can be written nothing is kept."""
        own = self._folder / f"{name}.{threading.get_ident()}"
        with contextlib.suppress(OSError):
            own.write_bytes(packed)
            own.replace(self._folder / name)
            with self._lock:
                self._bytes += len(packed) - self._files.pop(name, (0, False))[0]
                self._files[name] = (len(packed), is_ahead)
                while self._bytes > BYTES_KEPT:
                    old, (size, _) = self._files.popitem(last=False)
                    self._bytes -= size
                    (self._folder / old).unlink(missing_ok=True)

    def name_of(self, who: Identity, values: Sequence[Any]) -> str:
        """What an answer to these inputs of the drawing callback, path first, is kept under."""
        page = pages().get((values[0] or "").rstrip("/") or "/")
        beside = page.beside(self._data) if page else ()
        asked = json.dumps([who.role, who.scope.prefixes, values, beside], sort_keys=True)
        return hashlib.sha256(asked.encode()).hexdigest()

    def draw(
        self, server: flask.Flask, who: Identity, values: Sequence[Any], *, is_ahead: bool = False
    ) -> bytes | None:
        """The packed page of these inputs of the drawing callback, drawn as if a browser had asked for it, and kept; None
        of one that failed. Raises `BadInput` for inputs that a browser would be refused."""
        body = json.dumps(_asking(values)).encode()
        server.extensions["gate"].callbacks.check(body)
        with server.test_request_context(DRAWN_BY, method="POST", data=body, content_type="application/json"):
            flask.g.identity = who
            packed = packed_page(flask.make_response(server.view_functions[DRAWN_BY]()))
        if packed is not None:
            self.keep(self.name_of(who, values), packed, is_ahead=is_ahead)
        return packed

    def is_busy(self) -> bool:
        """Whether somebody asks for a page, or did a moment ago: whoever draws ahead waits."""
        return self._asked > 0 or time.monotonic() - self._answered_at < QUIET_SECONDS

    def has(self, name: str) -> bool:
        """Whether there is an answer of that name."""
        return name in self._files

    def install(self, server: flask.Flask) -> None:
        """Answer the drawing callback from what is kept, and keep what it gives."""

        @server.before_request
        def known() -> flask.Response | None:
            call = flask.g.get("call")
            if call is None or not call.output.startswith("..content.children."):
                return None
            with self._lock:
                self._asked += 1
            flask.g.is_drawing = True
            flask.g.answer_name = self.name_of(current(), call.values)
            found = self.find(flask.g.answer_name)
            if found is None:
                return None
            response = _packed(found[0])
            response.headers[HEADER] = "ahead" if found[1] else "kept"
            return response

        @server.after_request
        def keep(response: flask.Response) -> flask.Response:
            name = flask.g.get("answer_name")
            if name is None or response.headers.get("Content-Encoding") or HEADER in response.headers:
                return response
            packed = packed_page(response)
            if packed is None:
                return response
            self.keep(name, packed)
            return _packed(packed)

        @server.teardown_request
        def done(error: BaseException | None) -> None:
            del error
            if flask.g.pop("is_drawing", False):
                with self._lock:
                    self._asked -= 1
                    self._answered_at = time.monotonic()


def packed_page(response: flask.Response) -> bytes | None:
    """The answer that may be kept, packed; None of a page that failed."""
    data = response.get_data()
    if response.status_code != 200 or b'data-action":"reload"' in data.replace(b" ", b""):
        return None
    return gzip.compress(data, 4)


def _packed(data: bytes) -> flask.Response:
    if "gzip" not in flask.request.headers.get("Accept-Encoding", ""):
        return flask.Response(gzip.decompress(data), mimetype="application/json")
    response = flask.Response(data, mimetype="application/json")
    response.headers["Content-Encoding"] = "gzip"
    return response


class Ahead:
    """Draws what is likely to be looked at while nobody asks for anything: half of a processor, a page at a time."""

    def __init__(self, server: flask.Flask, shelf: Shelf, kept: Kept) -> None:
        self._server = server
        self._shelf = shelf
        self._kept = kept
        self._alone = threading.Lock()

    def draw(self) -> int:
        """Draw until there is nothing left, or a newer edition; how many were drawn."""
        edition_id = self._shelf.current_id()
        if edition_id is None:
            return 0
        number, size, begun, spent = 0, 0, time.monotonic(), time.thread_time()
        with self._alone, contextlib.suppress(Outdated, Unavailable):
            for who, path, search in self._wanted(edition_id):
                # What is drawn now must not push out what was drawn a moment ago.
                if size > BYTES_AHEAD or not self._may_go_on(edition_id):
                    break
                drawn = self._draw(who, path, search, edition_id)
                number, size = number + (drawn > 0), size + drawn
        log.info(
            "%d pages of %d bytes drawn ahead in %.0f s, %.0f of them of a processor",
            number,
            size,
            time.monotonic() - begun,
            time.thread_time() - spent,
        )
        return number

    def _wanted(self, edition_id: str) -> Iterator[tuple[Identity, str, str]]:
        """What to draw: everybody's own units before what lies in anybody's."""
        for addresses in (of_own_units, of_units_within):
            for who in readers(self._shelf.folder):
                w = self._shelf.warehouse(edition_id, who.scope)
                yield from ((who, path, search) for path, search in addresses(w, who.scope))

    def _may_go_on(self, edition_id: str) -> bool:
        """Wait until nobody asks; False when the edition is no longer the newest."""
        while self._kept.is_busy():
            time.sleep(0.1)
        return self._shelf.current_id() == edition_id

    def _draw(self, who: Identity, path: str, search: str, edition_id: str) -> int:
        """Draw a page that is not there yet; its bytes, none where nothing was kept."""
        values = (path, search, "light", edition_id)
        if self._kept.has(self._kept.name_of(who, values)):
            return 0
        begun = time.monotonic()
        packed = self._kept.draw(self._server, who, values, is_ahead=True)
        # As long again is left to others.
        time.sleep(time.monotonic() - begun)
        return len(packed or b"")


def _asking(values: Sequence[Any]) -> dict[str, Any]:
    """What a browser sends to have a page drawn."""
    path, search, theme, edition_id = values
    outputs = [("content", "children"), ("nav", "children"), ("meta", "data")]
    inputs = [("url", "pathname", path), ("url", "search", search), ("theme", "data", theme)]
    return {
        "output": "..content.children...nav.children...meta.data..",
        "outputs": [{"id": own, "property": name} for own, name in outputs],
        "inputs": [{"id": own, "property": name, "value": value} for own, name, value in inputs],
        "changedPropIds": [],
        "state": [{"id": "edition", "property": "data", "value": edition_id}],
    }


def readers(folder: DataFolder) -> list[Identity]:
    """Those who may read, each role and scope once, whoever signed in last first; without accounts there is one."""
    if not exist(folder):
        return [OPEN]
    from oversight.accounts import people

    active = [item for item in people.everyone(folder) if not item.is_disabled]
    active.sort(key=lambda item: item.last_sign_in_at or "", reverse=True)
    found = {(item.role, item.scope): Identity(role=item.role, divisions=item.divisions) for item in active}
    return list(found.values())[:SCOPES_OPEN]


def of_own_units(w: Warehouse, scope: Scope) -> Iterator[tuple[str, str]]:
    """The addresses of the pages of a reader's own units, the likeliest first: as they open, then by month."""
    yield from ((path, "") for path in LIKELY)
    for month in reversed(w.months[-MONTHS_AHEAD:]):
        for unit in _own(scope):
            yield from _pages_of(unit, month)


def of_units_within(w: Warehouse, scope: Scope) -> Iterator[tuple[str, str]]:
    """The addresses of what lies within a reader's own units, in the last month: provinces, cities and counties, and of a
    county its townships. Those of more than one county are too many."""
    for month in w.months[-1:]:
        for unit in _own(scope):
            prefix = significant(unit)
            for digits in sorted(digits for digits in w.of_digits if digits > len(prefix)):
                for code, _ in w.of_digits[digits]:
                    if code.startswith(prefix):
                        yield from _pages_of(code, month)
            if len(prefix) == COUNTY_DIGITS:
                for code, _ in children(w, scope, unit):
                    yield from _pages_of(code, month)


def _own(scope: Scope) -> list[str]:
    return [padded(prefix) if prefix else "" for prefix in scope.prefixes]


def _pages_of(unit: str, month: Any) -> Iterator[tuple[str, str]]:
    for path in LIKELY if len(unit) <= COUNTY_DIGITS else ("/township",):
        yield path, "?" + State(path, unit, month).query()
