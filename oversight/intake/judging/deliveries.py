"""What was received for each township, month and dataset, and until when it was due: for who has not reported.

The due dates are data: `defaults/due_dates.csv`, or the data folder's own `standards/due_dates.csv` of the same
columns, which replaces the dates of the datasets it names. `on_day_off` says what becomes of a date on a day off
(`oversight.calendar`): none, next_workday (where nothing is said) or statutory.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple, cast

import polars as pl

from oversight.calendar import RULES, Calendar, DayOffRule, load_calendar
from oversight.contracts import DATASETS
from oversight.errors import OversightError
from oversight.intake.judging import corrections
from oversight.intake.judging.judged import Judged
from oversight.intake.judging.scale import MONTH_SPAN, unit_month
from oversight.intake.landed import Landed
from oversight.intake.reading.nothing import REPORT
from oversight.references import WORKING_FUNDS
from oversight.settings import DataFolder, folder_settings

REPORTS = tuple(name for name, c in DATASETS.items() if "township_code" in c.polars_schema())
DELIVERY_SCHEMA: dict[str, pl.DataType] = {
    "dataset": pl.String(),
    "month": pl.Date(),
    "township_code": pl.String(),
    "first_received_on": pl.Date(),
    "last_received_on": pl.Date(),
    "is_dated": pl.Boolean(),
    "files_count": pl.Int64(),
    "accepted_count": pl.Int64(),
    "held_count": pl.Int64(),
    "rejected_count": pl.Int64(),
    "nil_count": pl.Int64(),
    "refused_code": pl.String(),
}
# `nominal_due_on` is the day before the calendar moved it; `makes_rows` marks a month that has rows in the tables
# though nobody may have reported in it (`rows_until = "last_due"`).
DUE_SCHEMA: dict[str, pl.DataType] = {
    "dataset": pl.String(),
    "month": pl.Date(),
    "due_on": pl.Date(),
    "nominal_due_on": pl.Date(),
    "makes_rows": pl.Boolean(),
}
_STATUSES = ("accepted", "held", "rejected")
DEFAULTS = Path(__file__).parent / "defaults" / "due_dates.csv"
_COLUMNS = ("dataset", "months_after", "day", "effective_from", "on_day_off", "note")


def deliveries(landed: Landed, judged: Judged) -> pl.DataFrame:
    """A row for each dataset, month and township of which anything came from the township's own side, accepted or not.

    What another source reports of a township does not fulfil the township's duty. `nil_count` counts the rows that
    declare a nil report, `refused_code` says why a row was refused.
    A file counts on the day that it gives itself as 填表日期, else on the day it arrived. `files_count` counts the
    files with accepted rows, corrections by the analyst among them. `is_dated` is false where the file gives no day
    and came with the first run: then a whole history was put in at once, and its arrival says nothing of lateness.
    """
    days = judged.submissions.select(
        "submission_id",
        "file_name",
        day=pl.coalesce("filed_on", pl.col("received_at").dt.date()),
        is_dated=pl.col("filed_on").is_not_null() | (pl.col("received_at") > pl.col("received_at").min()),
    )
    refused = judged.rejected.filter(pl.col("disposition") == "rejected")
    refused = refused.group_by("submission_id", "sheet", "row_number").agg(pl.col("error_code").min())
    parts = [_of_dataset(dataset, landed, judged, refused, days) for dataset in sorted(REPORTS)]
    return pl.concat(parts)


def _of_dataset(
    dataset: str, landed: Landed, judged: Judged, refused: pl.DataFrame, days: pl.DataFrame
) -> pl.DataFrame:
    # Rows that were read but not taken: they still say who tried to report what.
    own = judged.tables.filter(
        (pl.col("dataset") == dataset) & pl.col("source").is_in(list(judged.references.own))
    )
    tables = own.select("table_no", "submission_id", "sheet")
    places = tables.join(refused, on=["submission_id", "sheet"], how="inner", nulls_equal=True)
    tried = (
        landed.rows[dataset]
        .join(places, on=["table_no", "row_number"], how="inner", maintain_order="left")
        .filter(pl.col("month").is_not_null() & pl.col("reported_code").str.contains(r"^\d{9}$"))
        .select(
            "month",
            "submission_id",
            "error_code",
            township_code="reported_code",
            row_status=pl.lit("rejected"),
            is_nil=pl.lit(value=False),
            fund_code=pl.lit(WORKING_FUNDS),
        )
        .with_columns(unit_month=unit_month("township_code"))
    )
    used = judged.rows[dataset].select(
        "month",
        "township_code",
        "row_status",
        "source",
        is_nil=pl.col("nil_figures").str.starts_with(REPORT).fill_null(value=False),
        fund_code="fund_code" if dataset == "budget" else pl.lit(WORKING_FUNDS),
        error_code=pl.lit(None, pl.String),
    )
    places = judged.places[dataset]
    used = used.with_columns(places.select("unit_month", "table_no"))
    # Of most townships one row came for a month: no grouping is needed for these.
    again = places.get_column("is_shared")
    mine = used.get_column("source").is_in(list(judged.references.own))
    if not mine.all() or not used.select((pl.col("fund_code") == WORKING_FUNDS).all()).item():
        used = used.filter(mine)
        again = used.get_column("unit_month").is_duplicated()
    if tried.height:
        again |= used.get_column("unit_month").is_in(tried.get_column("unit_month").implode())
    said = judged.tables.select("table_no", "submission_id").join(days, on="submission_id", how="left")
    accepted = pl.col("row_status") == "accepted"
    reported = ~pl.col("file_name").str.starts_with(corrections.PREFIX)
    several = used.filter(again).join(said, on="table_no", how="left", maintain_order="left")
    names = (
        *("month", "township_code", "row_status", "is_nil", "fund_code", "error_code", "unit_month"),
        *("submission_id", *days.columns[1:]),
    )
    several = pl.concat(
        [
            several.select(names),
            tried.join(days, on="submission_id", how="left", maintain_order="left").select(names),
        ]
    )
    of_table = said.select(
        "table_no",
        last_received_on="day",
        first_received_on=pl.when(reported).then("day"),
        is_dated=pl.when(reported).then("is_dated"),
    )
    single = (used if several.is_empty() else used.filter(~again)).join(
        of_table, on="table_no", how="left", maintain_order="left"
    )
    told = ("first_received_on", "last_received_on", "is_dated")
    if not single.select(accepted.all()).item():
        single = single.with_columns(pl.when(accepted).then(pl.col(c)).alias(c) for c in told)
    single = single.select(
        "month",
        "township_code",
        *told,
        accepted.cast(pl.Int64).alias("files_count"),
        *((pl.col("row_status") == s).cast(pl.Int64).alias(f"{s}_count") for s in _STATUSES),
        (accepted & pl.col("is_nil")).cast(pl.Int64).alias("nil_count"),
        refused_code="error_code",
        unit_month="unit_month",
    )
    first = pl.col("day").filter(accepted & reported)
    grouped = several.group_by("month", "township_code").agg(
        first.min().alias("first_received_on"),
        pl.col("day").filter(accepted).max().alias("last_received_on"),
        pl.col("is_dated").filter(accepted & reported).sort_by(first).first().alias("is_dated"),
        # Two funds in two files are two reports; the second of one fund is a correction.
        pl.struct("submission_id", "fund_code")
        .filter(accepted)
        .unique()
        .struct.field("fund_code")
        .unique_counts()
        .max()
        .fill_null(0)
        .cast(pl.Int64)
        .alias("files_count"),
        *((pl.col("row_status") == s).sum().cast(pl.Int64).alias(f"{s}_count") for s in _STATUSES),
        (accepted & pl.col("is_nil")).sum().cast(pl.Int64).alias("nil_count"),
        pl.col("error_code").min().alias("refused_code"),
        pl.col("unit_month").first(),
    )
    # By month, then by unit: as one number, and often in that order already.
    by_month = pl.col("unit_month") % MONTH_SPAN * 10**9 + pl.col("unit_month") // MONTH_SPAN
    rows = pl.concat([single, grouped]) if grouped.height else single
    order = rows.select(by_month).to_series()
    rows = rows if order.is_sorted() else rows[order.arg_sort()]
    return rows.select(pl.lit(dataset).alias("dataset"), *(c for c in DELIVERY_SCHEMA if c != "dataset"))


def due_dates(folder: DataFolder, judged: Judged, today: date) -> pl.DataFrame:
    """The day until which each dataset of each month was due, from the first to the last month of all data.

    Where the data folder's settings say so, to the last month that was due before `today`, if that is later. A month
    before the first `effective_from` of its dataset has no row: nothing was due.
    """
    rules, calendar = _all_rules(folder), load_calendar(folder)
    spans = [judged.rows[name]["month"] for name, c in DATASETS.items() if "month" in c.columns]
    months = pl.concat(spans).drop_nulls()
    first, last = months.min(), months.max()
    rows: list[tuple[str, date, date, date, bool]] = []
    if isinstance(first, date) and isinstance(last, date):
        last_due = last_due_month(folder, today)
        for number in range(_number(first), _number(max(last, last_due or last)) + 1):
            month = date(number // 12, number % 12 + 1, 1)
            makes_rows = last_due is not None and month <= last_due
            for dataset in REPORTS:
                rule = _in_force(rules[dataset], month)
                if rule:
                    day = _on(number + rule.months_after, rule.day)
                    due = calendar.moved(day, rule.on_day_off)
                    rows.append((dataset, month, due, day, makes_rows))
    return pl.DataFrame(rows, schema=DUE_SCHEMA, orient="row")


def due_days(folder: DataFolder, month: date) -> dict[str, date]:
    """Until which day each report on a month is due; without those that nothing is said of."""
    rules, calendar = _all_rules(folder), load_calendar(folder)
    found = {dataset: _in_force(rules[dataset], month) for dataset in REPORTS}
    return {name: _due(_number(month), rule, calendar) for name, rule in found.items() if rule}


def last_due_month(folder: DataFolder, today: date) -> date | None:
    """The last month of which a report was due before `today`; None where the tables end with the last report."""
    if folder_settings(folder).rows_until != "last_due":
        return None
    rules, calendar = _all_rules(folder), load_calendar(folder)
    for number in range(_number(today), _number(today) - 24, -1):
        month = date(number // 12, number % 12 + 1, 1)
        for dataset in REPORTS:
            rule = _in_force(rules[dataset], month)
            if rule and _due(number, rule, calendar) < today:
                return month
    return None


def without_calendar(folder: DataFolder, due: pl.DataFrame) -> list[int]:
    """The years of due dates for which only weekends are known to be off."""
    days = due.filter(pl.col("due_on").is_not_null())["nominal_due_on"]
    return load_calendar(folder).unknown_years(days.to_list())


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
    for path in (DEFAULTS, folder.standards / "due_dates.csv"):
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
