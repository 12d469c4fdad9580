"""What is due from whom and has not come: what reminders (`letters`) and notices rest on.

An edition tells of the months from the first to the last that anybody reported. Of the month that is being collected, before
the first report on it has gone through a run, it knows nothing; then who is in force and the due dates tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from typing import Any, NamedTuple

from oversight.editions import open_edition
from oversight.intake.own_files import REPORTS
from oversight.settings import DataFolder
from oversight.workflow import handing_in

# A month that was due longer ago and of which no run has seen a report is not being collected: nobody works with this
# folder at present, and going back to it must not begin with a year of reminders.
COLLECTED = timedelta(days=31)


class Missing(NamedTuple):
    """A report that is due from a unit and has not come."""

    code: str
    month: date
    dataset: str
    due_on: date

    @property
    def cell(self) -> str:
        """As receipts name it."""
        return f"{self.dataset} {_text(self.month)} {self.code}"


@cache
def _text(month: date) -> str:
    """A month as receipts name it: of the country there are a hundred thousand cells in few months."""
    return f"{month:%Y-%m}"


def missing(folder: DataFolder, edition_id: str, prefixes: Sequence[str], today: date) -> list[Missing]:
    """What is due and has not come in an edition, from units below any of these codes, with what is on its way."""
    below = " or ".join("starts_with(township_code, ?)" for _ in prefixes) or "false"
    with open_edition(folder, edition_id) as connection:
        found = [
            Missing(*row)
            for row in connection.execute(
                "select township_code, month, dataset, due_on from detail.submission_status "
                f"where status in ('missing', 'not_due') and due_on is not null and ({below}) order by all",
                list(prefixes),
            ).fetchall()
        ]
        (last,) = connection.execute("select max(month) from detail.submission_status").fetchone() or (None,)
        units = connection.execute(
            f"select township_code, valid_from, valid_to from townships where is_township and ({below})",
            list(prefixes),
        ).fetchall()
    for month in _collected(last, today):
        days = handing_in.due_days(folder, month)
        end = _next(month) - timedelta(days=1)
        found += [
            Missing(code, month, name, days[name])
            for code, since, until in units
            if (since is None or since <= end) and (until is None or until > end)
            for name in REPORTS
            if name in days and days[name] >= today - COLLECTED
        ]
    return found


def handed(folder: DataFolder, edition_id: str, receipts: Sequence[dict[str, Any]]) -> frozenset[str]:
    """Cells of receipts of what the edition does not know yet."""
    with open_edition(folder, edition_id) as connection:
        known = {row[0] for row in connection.execute("select submission_id from submissions").fetchall()}
    return frozenset(on_the_way(receipts, known))


def on_the_way(receipts: Sequence[dict[str, Any]], known: set[str]) -> dict[str, dict[str, Any]]:
    """Cell → receipt, of what may still come to be used: not withdrawn, not returned by a reviewer, and no submission
    that is `known` by its id. What came back is owed as before."""
    return {
        cell: item
        for item in receipts
        if not item.get("withdrawn_at")
        and item.get("review") != "returned"
        and item["sha256"][:16] not in known
        for cell in item["cells"]
        if cell not in item.get("returned_cells", ())
    }


def _collected(last: date | None, today: date) -> list[date]:
    """The months that have ended, after the last of an edition; the due days tell which of them count."""
    found: list[date] = []
    month = last and _next(last)
    while month and _next(month) <= today:
        found.append(month)
        month = _next(month)
    return found


def _next(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)
