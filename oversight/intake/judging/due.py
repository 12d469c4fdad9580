"""Until when reports were due.

The dates are data: `defaults/due_dates.csv`, or the data folder's own `standards/due_dates.csv` of the same columns,
which replaces the dates of the datasets it names. `on_day_off` says what becomes of a date on a day off
(`oversight.calendar`): none, next_workday (where nothing is said) or statutory.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from oversight.calendar import RULES, Calendar, DayOffRule, load_calendar
from oversight.contracts import DATASETS
from oversight.errors import OversightError
from oversight.intake.own_files import DUE_DATES, REPORTS
from oversight.settings import DataFolder, folder_settings

# The dashboard asks until when something is due, and does without Polars.
if TYPE_CHECKING:
    import polars as pl

    from oversight.intake.judging.judged import Judged

_COLUMNS = ("dataset", "months_after", "day", "effective_from", "on_day_off", "note")


def due_schema() -> dict[str, pl.DataType]:
    """The columns of `Due.dates`: `nominal_due_on` is the day before the calendar moved it; `makes_rows` marks a month
    that has rows in the tables though nobody may have reported in it (`rows_until = "last_due"`)."""
    import polars as pl

    return {
        "dataset": pl.String(),
        "month": pl.Date(),
        "due_on": pl.Date(),
        "nominal_due_on": pl.Date(),
        "makes_rows": pl.Boolean(),
    }


@dataclass(frozen=True)
class Due:
    """Until when reports were due: a row for each dataset and month; the last month of which one was due before today,
    where the tables go on to it; and the years for which only weekends are known to be off."""

    dates: pl.DataFrame
    last_month: date | None
    unknown_years: list[int]


def due_dates(folder: DataFolder, judged: Judged, today: date) -> Due:
    """The day until which each dataset of each month was due, from the first to the last month of all data.

    Where the data folder's settings say so, to the last month that was due before `today`, if that is later. A month
    before the first `effective_from` of its dataset has no row: nothing was due.
    """
    import polars as pl

    rules, calendar = _all_rules(folder), load_calendar(folder)
    spans = [judged.rows[name]["month"] for name, c in DATASETS.items() if "month" in c.columns]
    months = pl.concat(spans).drop_nulls()
    first, last = months.min(), months.max()
    last_due = _last_month(rules, calendar, today) if _goes_on(folder) else None
    rows: list[tuple[str, date, date, date, bool]] = []
    if isinstance(first, date) and isinstance(last, date):
        for number in range(_number(first), _number(max(last, last_due or last)) + 1):
            month = date(number // 12, number % 12 + 1, 1)
            makes_rows = last_due is not None and month <= last_due
            for dataset in REPORTS:
                rule = _in_force(rules[dataset], month)
                if rule:
                    day = _on(number + rule.months_after, rule.day)
                    due = calendar.moved(day, rule.on_day_off)
                    rows.append((dataset, month, due, day, makes_rows))
    dates = pl.DataFrame(rows, schema=due_schema(), orient="row")
    return Due(dates, last_due, calendar.unknown_years(dates["nominal_due_on"].to_list()))


def due_days(folder: DataFolder, month: date) -> dict[str, date]:
    """Until which day each report on a month is due; without those that nothing is said of."""
    rules, calendar = _all_rules(folder), load_calendar(folder)
    found = {dataset: _in_force(rules[dataset], month) for dataset in REPORTS}
    return {name: _due(_number(month), rule, calendar) for name, rule in found.items() if rule}


def last_due_month(folder: DataFolder, today: date) -> date | None:
    """The last month of which a report was due before `today`; None where the tables end with the last report."""
    return _last_month(_all_rules(folder), load_calendar(folder), today) if _goes_on(folder) else None


def _goes_on(folder: DataFolder) -> bool:
    return folder_settings(folder).rows_until == "last_due"


def _last_month(rules: dict[str, list[_Rule]], calendar: Calendar, today: date) -> date | None:
    for number in range(_number(today), _number(today) - 24, -1):
        month = date(number // 12, number % 12 + 1, 1)
        for dataset in REPORTS:
            rule = _in_force(rules[dataset], month)
            if rule and _due(number, rule, calendar) < today:
                return month
    return None


class _Rule(NamedTuple):
    """When the report on a month is due: so many months after it, on that day, from that month on."""

    since: date
    months_after: int
    day: int
    on_day_off: DayOffRule


def _in_force(rules: list[_Rule], month: date) -> _Rule | None:
    return max((rule for rule in rules if rule.since <= month), default=None)


def _due(number: int, rule: _Rule, calendar: Calendar) -> date:
    return calendar.moved(_on(number + rule.months_after, rule.day), rule.on_day_off)


def _number(month: date) -> int:
    return month.year * 12 + month.month - 1


def _all_rules(folder: DataFolder) -> dict[str, list[_Rule]]:
    rules: dict[str, list[_Rule]] = defaultdict(list)
    for path in (DUE_DATES, folder.standards / "due_dates.csv"):
        rules.update(_rules(path) if path.is_file() else {})
    return rules


def _on(number: int, day: int) -> date:
    """That day of the month with this number, or its last day where it has fewer."""
    following = date((number + 1) // 12, (number + 1) % 12 + 1, 1)
    return min(
        date(number // 12, number % 12 + 1, 1) + timedelta(days=day - 1), following - timedelta(days=1)
    )


def _rules(path: Path) -> dict[str, list[_Rule]]:
    """dataset → its rules; raises, saying where, when a row cannot be used."""
    found: dict[str, list[_Rule]] = defaultdict(list)
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        missing = [c for c in _COLUMNS[:3] if c not in (reader.fieldnames or ())]
        if missing:
            raise OversightError(
                f"{path.name} 第 1 行：缺少列 {'、'.join(missing)}。请照 {'、'.join(_COLUMNS)} 填写。"
            )
        for number, row in enumerate(reader, start=2):
            try:
                after, day = int(row["months_after"]), int(row["day"])
                text = (row.get("effective_from") or "").strip()
                since = date.fromisoformat(text) if text else date.min
                moving = (row.get("on_day_off") or "").strip() or "next_workday"
                if row["dataset"] not in REPORTS or not 0 <= after <= 12 or not 1 <= day <= 31:
                    raise ValueError
                if moving not in RULES:
                    raise ValueError
            except (ValueError, TypeError):
                raise OversightError(
                    f"{path.name} 第 {number} 行：填写有误。dataset 填 {'、'.join(REPORTS)} 之一，"
                    "months_after 填 0 至 12（1 为次月），day 填 1 至 31，effective_from 填 2025-01-01 或留空，"
                    "on_day_off 填 next_workday（遇休息日顺延）、statutory（只遇法定假日顺延）或 none（不顺延）。"
                ) from None
            found[row["dataset"]].append(_Rule(since, after, day, cast(DayOffRule, moving)))
    return found
