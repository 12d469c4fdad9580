"""Whether the service can answer: an address for whoever watches it."""

from __future__ import annotations

import logging

import flask

from oversight.dashboard.inputs import takes
from oversight.dashboard.shelf import Shelf

log = logging.getLogger(__name__)


def register(server: flask.Flask, shelf: Shelf) -> None:
    """Add the route."""

    @server.get("/health")
    @takes()
    def health() -> flask.Response:
        """200 when the current edition answers a query, 503 when there is none or it does not."""
        edition_id = shelf.current_id()
        is_well = edition_id is not None
        if edition_id is not None:
            try:
                cursor = shelf.warehouse(edition_id).plain_cursor()
                try:
                    found = cursor.execute("select edition_id from main.edition").fetchall()
                finally:
                    cursor.close()
                is_well = len(found) == 1
            except Exception:
                log.exception("the current edition does not answer")
                is_well = False
        answer = flask.jsonify({"status": "ok" if is_well else "unavailable", "edition": edition_id})
        answer.status_code = 200 if is_well else 503
        return answer

    # Whoever watches the service has no account; what it says is no figure.
    health.is_public = True  # type: ignore[attr-defined]
