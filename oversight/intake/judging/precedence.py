"""Which submission counts when several speak of the same unit and month."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date

import polars as pl


@dataclass(frozen=True)
class Arrival:
    """What decides: the file's own words first, then when it came, then its name."""

    submission_id: str
    is_correction: bool
    filed_on: date | None
    arrival_seq: int
    name: str


def ranks(arrivals: list[Arrival]) -> dict[str, int]:
    """submission_id → precedence, larger wins; no two submissions share one.

    A correction (更正) goes before all that is none. Between two that give their 填表日期 the later day wins;
    where one gives none, the later arrival wins, then the name. These can contradict one another in a circle
    (dated 5th, then undated, then dated 3rd): then the dates the files give themselves are kept.
    """
    order: list[str] = []
    for correction in (False, True):
        group = sorted(
            (a for a in arrivals if a.is_correction is correction), key=lambda a: (a.arrival_seq, a.name)
        )
        days: list[date] = []
        buckets: list[list[str]] = []
        undated: list[str] = []
        for arrival in group:
            if arrival.filed_on is None:
                (buckets[-1] if buckets else undated).append(arrival.submission_id)
                continue
            at = bisect_right(days, arrival.filed_on)
            days.insert(at, arrival.filed_on)
            buckets.insert(at, [arrival.submission_id])
        order.extend(undated)
        for bucket in buckets:
            order.extend(bucket)
    return {submission_id: rank for rank, submission_id in enumerate(order, start=1)}


def with_precedence(tables: pl.DataFrame, reported: pl.DataFrame) -> pl.DataFrame:
    """The tables with `precedence`, that of the submission that each stands in; `reported` is the ledger."""
    said = tables.group_by("submission_id").agg(pl.col("is_correction").any(), pl.col("filed_on").max())
    first = reported.filter("is_first").select(
        pl.col("sha256").str.slice(0, 16).alias("submission_id"), "arrival_seq", "file_name"
    )
    known = first.join(said, on="submission_id", how="left")
    arrivals = [
        Arrival(r["submission_id"], bool(r["is_correction"]), r["filed_on"], r["arrival_seq"], r["file_name"])
        for r in known.iter_rows(named=True)
    ]
    order = pl.DataFrame(
        list(ranks(arrivals).items()),
        schema={"submission_id": pl.String, "precedence": pl.Int64},
        orient="row",
    )
    return tables.join(order, on="submission_id", how="left", maintain_order="left")
