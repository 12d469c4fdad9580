"""Which paper is being written: a draft, the report itself or a correction, and the days it may speak of.

The date of a paper is the day it is issued. Deadlines are working days after it, so a draft, which is not issued,
names their number and no day.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import date

from oversight.calendar import Calendar
from oversight.reports.document import Value

DEADLINES = ("confirm", "supplement", "plan", "rectify")
ROWS_IN_TEXT = 12


@dataclasses.dataclass(frozen=True)
class Deadline:
    """A day by which something is to be done: so many working days after the day of issue."""

    days: int
    on: date | None


@dataclasses.dataclass(frozen=True)
class Dates:
    """The days of a paper. `issued` and the deadlines' days are None in a draft."""

    issued: date | None
    due: date
    confirm: Deadline
    supplement: Deadline
    plan: Deadline
    rectify: Deadline

    @property
    def is_late(self) -> bool:
        """Whether the paper comes after the day by which it should have been issued."""
        return self.issued is not None and self.issued > self.due


def dates(month: date, issued: date | None, deadlines: Mapping[str, int], calendar: Calendar) -> Dates:
    """The days of a report on `month` that is issued on `issued`."""
    years, index = divmod(month.year * 12 + month.month, 12)
    due = calendar.next_workday(date(years, index + 1, deadlines["issue_day"]))

    def after(name: str) -> Deadline:
        days = deadlines[f"{name}_days"]
        return Deadline(days, calendar.add_workdays(issued, days) if issued else None)

    return Dates(issued, due, *(after(name) for name in DEADLINES))


@dataclasses.dataclass(frozen=True)
class Cited:
    """A paper issued before, as another paper names it."""

    version: int
    title: str
    document_no: str
    issued_on: date


@dataclasses.dataclass(frozen=True)
class Changes:
    """What the report says now against the paper issued before: what differs, and why."""

    before: int
    reasons: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]

    @property
    def count(self) -> int:
        """How many figures differ."""
        return len(self.rows)

    @property
    def is_same(self) -> bool:
        """Whether no figure differs."""
        return not self.rows

    @property
    def is_long(self) -> bool:
        """Whether the figures fill an annex of their own."""
        return len(self.rows) > ROWS_IN_TEXT


@dataclasses.dataclass(frozen=True)
class Paper:
    """The paper to be written; without a day of issue it is a draft and `notice` stands on each of its pages.

    `corrects` and `changes` go together. `replaces` is a paper that was withdrawn.
    """

    version: int = 0
    issued_on: date | None = None
    number: int | None = None
    notice: str = ""
    corrects: Cited | None = None
    changes: Changes | None = None
    replaces: Cited | None = None
