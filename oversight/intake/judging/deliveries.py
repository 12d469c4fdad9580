"""What was received for each township, month and dataset: for who has not reported."""

from __future__ import annotations

import polars as pl

from oversight.intake.judging import corrections
from oversight.intake.judging.judged import Judged
from oversight.intake.judging.scale import MONTH_SPAN, unit_month
from oversight.intake.own_files import REPORTS
from oversight.intake.reading.nothing import REPORT
from oversight.references import WORKING_FUNDS

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
_STATUSES = ("accepted", "held", "rejected")
# What is read of the rows of a report.
DELIVERED = {"month", "township_code", "row_status", "source", "nil_figures", "fund_code"}


def deliveries(judged: Judged) -> pl.DataFrame:
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
    parts = [_of_dataset(dataset, judged, refused, days) for dataset in sorted(REPORTS)]
    return pl.concat(parts)


def _of_dataset(dataset: str, judged: Judged, refused: pl.DataFrame, days: pl.DataFrame) -> pl.DataFrame:
    # Rows that were read but not taken: they still say who tried to report what.
    own = judged.tables.filter(
        (pl.col("dataset") == dataset) & pl.col("source").is_in(list(judged.references.own))
    )
    tables = own.select("table_no", "submission_id", "sheet")
    places = tables.join(refused, on=["submission_id", "sheet"], how="inner", nulls_equal=True)
    tried = (
        judged.tried[dataset]
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
        # Of several on the first day one without a day of its own is enough, in whatever order they are read.
        pl.col("is_dated")
        .filter(accepted & reported)
        .sort_by(first, pl.col("is_dated").filter(accepted & reported))
        .first()
        .alias("is_dated"),
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
