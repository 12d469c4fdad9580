"""Logs for machines: one JSON object a line, with the run, the file and the user a line belongs to.

They lie in the data folder under `logs/`, turned over by size. They say what was done and how it went; figures,
queries, addresses' queries and people's names have no place in them.
"""

from __future__ import annotations

import contextvars
import json
import logging
import logging.handlers
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from oversight.settings import TIME_ZONE

LARGEST = 10 * 2**20
KEPT = 9
# What every line bears while it holds: run, file, user, request.
_held: contextvars.ContextVar[dict[str, str] | None] = contextvars.ContextVar("log_fields", default=None)


@contextmanager
def holding(**fields: str) -> Iterator[None]:
    """Lines written inside belong to this run, file or user."""
    token = _held.set({**(_held.get() or {}), **fields})
    try:
        yield
    finally:
        _held.reset(token)


class JsonLines(logging.Formatter):
    """A record as one line of JSON: time, level, logger, message, what is held, and the record's own `fields`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, TIME_ZONE).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **(_held.get() or {}),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["trace"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)


class _Lines(logging.handlers.RotatingFileHandler):
    """A file that is turned over; what cannot be written there for want of space is told by whoever ran into it."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Python would print its own trace to the terminal, in front of the sentence that says cause and remedy."""


@contextmanager
def written(folder: Path, name: str) -> Iterator[None]:
    """Everything logged inside is written to `folder/name.jsonl`."""
    folder.mkdir(parents=True, exist_ok=True)
    handler = _Lines(folder / f"{name}.jsonl", maxBytes=LARGEST, backupCount=KEPT, encoding="utf-8")
    handler.setFormatter(JsonLines())
    loggers = [logging.getLogger("oversight"), logging.getLogger("waitress")]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        # What is written here is not told to the terminal a second time.
        logger.propagate = False
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
            logger.propagate = True
        with suppress(OSError):
            handler.close()


def tell(logger: logging.Logger, message: str, **fields: object) -> None:
    """A line with fields of its own."""
    logger.info(message, extra={"fields": fields})
