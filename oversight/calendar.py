"""Working days: weekends, the published public holidays and the weekends worked in exchange for them.

The holidays are those of the package chinesecalendar (the State Council's yearly notices); a data folder's own
`standards/calendar.csv` (`date,kind,note`) says otherwise for single days: `holiday` 放假 or `workday` 上班. Due dates
and the dates in letters all come from here.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

from oversight.errors import OversightError
from oversight.settings import DataFolder

# What becomes of a date that falls on a day off: it stays, moves to the next working day, or moves only where the
# day is a public holiday (a weekend alone does not move it).
DayOffRule = Literal["none", "next_workday", "statutory"]
RULES: tuple[DayOffRule, ...] = ("none", "next_workday", "statutory")
COLUMNS = ("date", "kind", "note")
_DAYS_KEPT = 10_000
_HOLIDAY = frozenset({"holiday", "放假", "休"})
_WORKDAY = frozenset({"workday", "上班", "班"})


@dataclass(frozen=True)
class Calendar:
    """Which days are off. `years`: those whose holidays are known; in any other only weekends count."""

    holidays: frozenset[date]
    workdays: frozenset[date]
    years: frozenset[int]
    names: Mapping[date, str] = field(default_factory=dict)
    # What was counted before: letters to each of many units ask for the same few days.
    _counted: dict[tuple[date, int], date] = field(default_factory=dict, repr=False, compare=False)

    def is_workday(self, day: date) -> bool:
        """Whether offices work on this day."""
        return day in self.workdays or (day.weekday() < 5 and day not in self.holidays)

    def next_workday(self, day: date) -> date:
        """This day if offices work on it, else the first one after it on which they do."""
        while not self.is_workday(day):
            day += timedelta(days=1)
        return day

    def moved(self, day: date, rule: DayOffRule) -> date:
        """The day on which something is due that a rule puts on `day`."""
        if rule == "next_workday":
            return self.next_workday(day)
        if rule == "statutory":
            while day in self.holidays:
                day += timedelta(days=1)
        return day

    def add_workdays(self, day: date, count: int) -> date:
        """The `count`-th working day after `day`."""
        found = self._counted.get((day, count))
        if found is None:
            found = day
            for _ in range(count):
                found = self.next_workday(found + timedelta(days=1))
            if len(self._counted) >= _DAYS_KEPT:
                self._counted.clear()
            self._counted[day, count] = found
        return found

    def unknown_years(self, days: Iterable[date]) -> list[int]:
        """The years among these days for which no holidays are known, in order."""
        return sorted({day.year for day in days} - self.years)


def notice_zh(years: Iterable[int]) -> str | None:
    """What a run says of years without a calendar; None where there are none."""
    named = "、".join(map(str, years))
    if not named:
        return None
    return f"没有 {named} 年的放假安排，这些年份的日期只避开周末；安排公布后请写入 standards/calendar.csv（date,kind,note）。"


def load_calendar(folder: DataFolder | None = None) -> Calendar:
    """The published calendar with the data folder's own days laid over it; raises, saying where, for a bad row."""
    from chinese_calendar import constants

    holidays, workdays = set(constants.holidays), set(constants.workdays)
    years = {day.year for day in holidays}
    names = dict(constants.holidays)
    path = folder.standards / "calendar.csv" if folder else None
    if path is not None and path.is_file():
        own = _own_days(path.read_text("utf-8-sig"), path.name)
        for day, (is_holiday, note) in own.items():
            (holidays if is_holiday else workdays).add(day)
            (workdays if is_holiday else holidays).discard(day)
            names[day] = note
        # A year whose holidays a bureau wrote down is known; one exchanged weekend does not make it so.
        years |= {day.year for day, (is_holiday, _) in own.items() if is_holiday}
    return Calendar(frozenset(holidays), frozenset(workdays), frozenset(years), names)


def _own_days(text: str, name: str) -> dict[date, tuple[bool, str]]:
    """day → (is a holiday, note), as a bureau's calendar.csv has them."""
    reader = csv.DictReader(text.splitlines())
    missing = [c for c in COLUMNS[:2] if c not in (reader.fieldnames or ())]
    if missing:
        raise OversightError(f"{name} 第 1 行：缺少列 {'、'.join(missing)}。请照 {'、'.join(COLUMNS)} 填写。")
    own: dict[date, tuple[bool, str]] = {}
    for number, row in enumerate(reader, start=2):
        written, kind = (row["date"] or "").strip(), (row["kind"] or "").strip().lower()
        if not written and not kind:
            continue
        try:
            year, month, day = (int(part) for part in written.replace("/", "-").split("-"))
            if kind not in _HOLIDAY | _WORKDAY:
                raise ValueError
            own[date(year, month, day)] = (kind in _HOLIDAY, (row.get("note") or "").strip())
        except ValueError:
            raise OversightError(
                f"{name} 第 {number} 行：“{written}，{kind}”填写有误。date 填 2027-02-05 这样的日期，"
                "kind 填 holiday（放假）或 workday（上班）。"
            ) from None
    return own
