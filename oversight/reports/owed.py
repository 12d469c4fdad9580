"""Which reports are still owed: due by the calendar, but refused, cut off or not sent.

`reports/owed/<month>.json` stands from the moment a month is due until all its drafts are there for the reviewers
(with `auto_issue`: all its reports are issued and sent), so that a report refused for late data is made when the
data come, and only that one: what stands already is neither made nor sent again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from oversight import presentation
from oversight.editions import EditionError, current
from oversight.errors import OversightError
from oversight.reports import store
from oversight.reports.errors import NotReady, Unfinished
from oversight.reports.make import supervise
from oversight.settings import DataFolder

if TYPE_CHECKING:
    from oversight.reports.make import Made

# Time for an attempt to end before the next; also how often a mail server that is down is tried.
PAUSE = timedelta(hours=1)


@dataclass(frozen=True)
class Owed:
    """A month's reports that are owed: which divisions (none named: all), and how the last attempt ended."""

    month: date
    scopes: tuple[str, ...]
    edition_id: str
    is_waiting: bool
    at: datetime
    reason: str

    def is_ripe(self, edition_id: str, now: datetime) -> bool:
        """Whether another attempt makes sense: not at once, and after a refusal only with other data."""
        return now - self.at >= PAUSE and not (self.is_waiting and edition_id == self.edition_id)


def owe(folder: DataFolder, month: date, now: datetime) -> None:
    """A month is due. Changes nothing where it is owed already."""
    path = _path(folder, month)
    if not path.is_file():
        _write(folder, Owed(month, (), "", False, now, "尚未生成"))


def owed(folder: DataFolder) -> list[Owed]:
    """The months owed, the earliest first."""
    found = []
    for path in sorted((store.reports_folder(folder) / "owed").glob("*.json")):
        if re.fullmatch(r"\d{4}-\d{2}", path.stem):
            told = json.loads(path.read_text("utf-8"))
            found.append(
                Owed(
                    date.fromisoformat(f"{path.stem}-01"),
                    tuple(told["scopes"]),
                    told["edition_id"],
                    told["is_waiting"],
                    datetime.fromisoformat(told["at"]),
                    told["reason"],
                )
            )
    return found


def settle(
    folder: DataFolder,
    month: date,
    scopes: Sequence[str] = (),
    *,
    only_missing: bool = False,
    now: datetime,
    say: Callable[[str], None],
) -> list[Made]:
    """Draft the reports of a month that is due, or issue and send them; what could not be done stays owed.

    `scopes` are the divisions still owed; none means all that the settings want. `only_missing` is for another
    attempt: what someone made by hand meanwhile is not made anew from a later edition. Raises as `supervise` does.
    """
    edition = current(folder)
    edition_id = edition.edition_id if edition else ""
    # Written first: an attempt that is cut off is owed like one that fails.
    _write(folder, Owed(month, tuple(scopes), edition_id, False, now, "上次生成或发送中断"))
    try:
        made = supervise(
            folder, month, scopes or None, send=True, only_missing=only_missing, now=now, say=say
        )
    except Unfinished as error:
        _write(folder, Owed(month, error.scopes, edition_id, error.is_waiting, now, str(error)))
        raise
    except OversightError as error:
        is_waiting = isinstance(error, (NotReady, EditionError))
        _write(folder, Owed(month, tuple(scopes), edition_id, is_waiting, now, str(error)))
        raise
    _path(folder, month).unlink(missing_ok=True)
    return made


def _path(folder: DataFolder, month: date) -> Path:
    return store.reports_folder(folder) / "owed" / f"{presentation.month_code(month)}.json"


def _write(folder: DataFolder, item: Owed) -> None:
    told = {
        "scopes": list(item.scopes),
        "edition_id": item.edition_id,
        "is_waiting": item.is_waiting,
        "at": item.at.isoformat(timespec="seconds"),
        "reason": item.reason,
    }
    store.put(_path(folder, item.month), told)
