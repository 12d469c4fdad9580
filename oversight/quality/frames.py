"""Frames that the checks look at, and the few figures that are worked out before Great Expectations sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

import polars as pl

PROVENANCE = ("submission_id", "sheet", "row_number")


def fen(column: str) -> pl.Expr:
    """Whole 分 of an amount kept as DECIMAL(18,2): its unscaled number, without arithmetic."""
    return pl.col(column).cast(pl.Decimal(18, 2)).to_physical().cast(pl.Int64)


def yuan(amount_fen: pl.Expr) -> pl.Expr:
    """元 with two decimals, as text, of whole 分."""
    return (amount_fen.cast(pl.Decimal(38, 2)) / 100).cast(pl.String)


def whole(column: str) -> pl.Expr:
    """A count, as a whole number."""
    return pl.col(column).cast(pl.Int64)


def flag(condition: pl.Expr) -> pl.Expr:
    """1 where the condition holds, 0 where it does not, null where it cannot be told."""
    return condition.cast(pl.Int64)


def is_among(column: str, known: pl.Series) -> pl.Expr:
    """1 where the value is one of these, else 0; quicker by far than a join that brings nothing but this."""
    return pl.col(column).is_in(known.implode()).fill_null(False).cast(pl.Int64)


def reported(column: str) -> pl.Expr:
    """1.0 where there is a value, null where there is none (blank text is none)."""
    return pl.when(pl.col(column).is_not_null()).then(1.0)


def month_number(column: str = "month") -> pl.Expr:
    """Months since year 0, so that the month before is one less."""
    return pl.col(column).dt.year().cast(pl.Int64) * 12 + pl.col(column).dt.month().cast(pl.Int64)


def told(template: str, *parts: pl.Expr) -> pl.Expr:
    """A sentence about a flagged row: who and when, then the template. Needs the column subject_name."""
    who = pl.concat_str(
        pl.col("subject_name").fill_null("名称不明"),
        pl.lit("（"),
        pl.col("subject_code").fill_null("代码缺失"),
        pl.lit("）"),
    )
    return pl.format("{}" + template, who, *parts)


def told_monthly(template: str, *parts: pl.Expr) -> pl.Expr:
    """The same with the month."""
    return told("{}：" + template, pl.col("month").dt.strftime("%Y年%-m月").fill_null(""), *parts)


def from_month(first: date | None) -> pl.Expr:
    """Rows of this month and later ones, or of no month: those too are looked at every time."""
    if first is None:
        return pl.lit(True)
    return pl.col("month").is_null() | (pl.col("month") >= first)


def current(inputs: Path, dataset: str, columns: Sequence[str], *, first: date | None = None) -> pl.DataFrame:
    """The row that counts for each township and month, sorted by them, from the month `first` on; township_code
    becomes subject_code.

    Later reports win by precedence; ties within a file go the way the warehouse goes (`reported.*`)."""
    path = inputs / f"{dataset}.parquet"
    rows = (
        pl.scan_parquet(path)
        .filter(pl.col("row_status") == "accepted", from_month(first))
        .select("month", "township_code", *columns, *PROVENANCE, "precedence")
        .rename({"township_code": "subject_code"})
        .with_columns(key=pl.col("subject_code").cast(pl.Int64, strict=False) * 100_000 + month_number())
        .collect()
    )
    repeated = pl.col("key").is_duplicated() & pl.col("key").is_not_null()
    if not rows.select(repeated.any()).item():
        return rows.sort("key").drop("precedence")
    # Sorting millions of rows by five columns costs seconds; few keys are reported twice.
    winners = (
        rows.filter(repeated)
        .sort(
            "key",
            "precedence",
            "submission_id",
            "sheet",
            "row_number",
            descending=[False, True, False, False, True],
            nulls_last=True,
        )
        .unique("key", keep="first", maintain_order=True)
    )
    return pl.concat([rows.filter(~repeated), winners]).sort("key").drop("precedence")


@dataclass(frozen=True)
class Landed:
    """The build inputs of a run, read as needed; of rows by month, those of `since`, a January, and later."""

    inputs: Path
    since: date | None = None

    @property
    def month_before(self) -> date | None:
        """The December before `since`: what follows from it is judged, and not the month itself."""
        return self.since and (self.since - timedelta(days=1)).replace(day=1)

    def judged(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Without the rows that were only needed for those after them."""
        return frame.filter(from_month(self.since)) if self.since else frame

    @cached_property
    def units(self) -> pl.DataFrame:
        """Divisions as the latest file has them: one row a code, with the first day no longer in force
        (`unit_end`). Where a successor starts the day after, the date given was the last day in force."""
        rows = (
            pl.read_parquet(self.inputs / "divisions.parquet")
            .filter(pl.col("row_status") == "accepted")
            .sort(
                "division_code",
                "precedence",
                "submission_id",
                "sheet",
                "row_number",
                descending=[False, True, False, False, True],
                nulls_last=True,
            )
            .unique("division_code", keep="first", maintain_order=True)
        )
        starts = rows.select(successor_code="division_code", successor_from="valid_from")
        return rows.join(starts, on="successor_code", how="left", maintain_order="left").with_columns(
            unit_end=pl.when(pl.col("successor_from") == pl.col("valid_to").dt.offset_by("1d"))
            .then(pl.col("successor_from"))
            .otherwise(pl.col("valid_to"))
        )

    @cached_property
    def names(self) -> pl.DataFrame:
        """Name of each code, for messages."""
        return self.units.select(subject_code="division_code", subject_name="division_name")

    @cached_property
    def months(self) -> pl.Series:
        """Every month from the first to the last that any dataset reports, or to the last that was due where the
        data folder's tables go on until then."""
        spans = [
            pl.scan_parquet(self.inputs / f"{dataset}.parquet")
            .filter(pl.col("row_status") == "accepted")
            .select(first=pl.col("month").min(), last=pl.col("month").max())
            for dataset in ("population", "budget", "staffing", "indicators")
        ]
        span = pl.concat(spans).select(pl.col("first").min(), pl.col("last").max()).collect().row(0)
        if span[0] is None:
            return pl.Series("month", [], pl.Date)
        due = pl.read_parquet(self.inputs / "due_dates.parquet").filter("makes_rows").get_column("month")
        last = max([span[1], *due])
        return pl.date_range(span[0], last, "1mo", eager=True).alias("month")

    @cached_property
    def township_months(self) -> pl.DataFrame:
        """subject_code × month for each township-level unit in force on the last day of the month."""
        units = self.units.filter(pl.col("division_code").str.len_chars() == 9)
        months = self.months.to_frame().filter(from_month(self.since))
        last_day = pl.col("month").dt.month_end()
        return (
            units.lazy()
            .select(
                "valid_from",
                "unit_end",
                subject_code="division_code",
                number=pl.col("division_code").cast(pl.Int64, strict=False),
                is_township=pl.col("division_type").str.contains("镇|乡|街道|苏木").fill_null(False),
            )
            .join(months.lazy(), how="cross")
            .filter(
                (pl.col("valid_from").is_null() | (pl.col("valid_from") <= last_day))
                & (pl.col("unit_end").is_null() | (pl.col("unit_end") > last_day))
            )
            .select(
                "subject_code",
                "month",
                "is_township",
                key=pl.col("number") * 100_000 + month_number(),
            )
            .collect()
        )

    @cached_property
    def budget_rows(self) -> pl.DataFrame:
        """Where each township's budget report of a month stands, with `key` and `year_key`."""
        return self._places("budget")

    @cached_property
    def indicator_rows(self) -> pl.DataFrame:
        """Where each indicator of a subject and month stands, the latest report last among its equals."""
        return (
            pl.scan_parquet(self.inputs / "indicators.parquet")
            .filter(pl.col("row_status") == "accepted")
            .select("subject_code", "month", "indicator_code", *PROVENANCE, "precedence")
            .sort("subject_code", "indicator_code", "month", "precedence")
            .unique(["subject_code", "indicator_code", "month"], keep="last", maintain_order=True)
            .drop("precedence")
            .collect()
        )

    @cached_property
    def staffing_rows(self) -> pl.DataFrame:
        """Where each township's staffing report of a month stands, with its posts."""
        return self._places("staffing", ("administrative_posts", "institution_posts"))

    def _places(self, dataset: str, columns: Sequence[str] = ()) -> pl.DataFrame:
        return current(self.inputs, dataset, columns, first=self.since).select(
            "key", *columns, *PROVENANCE, year_key=pl.col("key") - pl.col("month").dt.month().cast(pl.Int64)
        )

    def held_rows(self, dataset: str) -> pl.DataFrame:
        """Where the latest report of a township and month stands that is held until confirmed, with `key`."""
        key = pl.col("township_code").cast(pl.Int64, strict=False) * 100_000 + month_number()
        return (
            pl.scan_parquet(self.inputs / f"{dataset}.parquet")
            .filter(pl.col("row_status") == "held")
            .select(*PROVENANCE, "precedence", key=key)
            .sort("precedence", "submission_id", "row_number")
            .unique("key", keep="last", maintain_order=True)
            .drop("precedence")
            .collect()
        )
