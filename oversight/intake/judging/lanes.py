"""Whose report a row is, and of which fund: what two reports must share before one can correct the other.

A lane is a source and a fund. Within a unit and month only reports of one lane replace one another, are compared with
the month before, or contradict one another in one file; between lanes nothing is replaced and nothing is lost.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from oversight.intake.judging.slots import Slots
from oversight.references import TOWNSHIP, UNLISTED, WORKING_FUNDS, References

TREASURY = "treasury"


def sources_of(tables: pl.DataFrame, ledger: pl.DataFrame, references: References) -> pl.DataFrame:
    """The tables with `source`: who reported each."""
    names = dict(ledger.filter("is_first").select(pl.col("sha256").str.slice(0, 16), "file_name").iter_rows())
    told = tables.select("submission_id", "dataset", "reporter").iter_rows()
    sources = [_source(references, dataset, reporter, names.get(key, "")) for key, dataset, reporter in told]
    return tables.with_columns(pl.Series("source", sources, dtype=pl.String))


def _source(references: References, dataset: str, reporter: str | None, file_name: str) -> str:
    source = references.source_of(reporter, file_name)
    # A list of payments out of the treasury is the treasury's, whoever put it together.
    return TREASURY if dataset == "payments" and source in references.own else source


def with_lanes(rows: pl.DataFrame, tables: pl.DataFrame, references: References) -> pl.DataFrame:
    """Rows with `source`, `fund_code` where they have a fund, and `lane`, a small number for both."""
    sources = tables.get_column("source").unique().sort().to_list()
    if len(sources) > 1:
        rows = rows.join(
            tables.select("table_no", "source"), on="table_no", how="left", maintain_order="left"
        )
    else:
        rows = rows.with_columns(source=pl.lit(sources[0] if sources else TOWNSHIP))
    if "fund_name" not in rows.columns:
        return rows.with_columns(lane=_numbered(rows.get_column("source")))
    written = rows.get_column("fund_name").unique().to_list()
    if written == [None]:
        rows = rows.with_columns(fund_code=pl.lit(WORKING_FUNDS))
    else:
        codes = {name: references.fund_of(name) for name in written}
        funds = pl.col("fund_name").replace_strict(codes, default=WORKING_FUNDS, return_dtype=pl.String)
        rows = rows.with_columns(fund_code=funds)
    source, fund = _numbered(rows.get_column("source")), _numbered(rows.get_column("fund_code"))
    width = int(fund.max() or 0) + 1 if rows.height else 1  # type: ignore[arg-type]
    return rows.with_columns(lane=source * width + fund)


def _numbered(names: pl.Series) -> pl.Series:
    distinct = names.unique().sort()
    if distinct.len() <= 1:
        return pl.repeat(0, names.len(), dtype=pl.Int32, eager=True).alias("lane")
    places = {name: at for at, name in enumerate(distinct.to_list())}
    return names.replace_strict(places, return_dtype=pl.Int32).alias("lane")


def each(rows: pl.DataFrame, by: str, judge: Callable[[pl.DataFrame], pl.DataFrame]) -> pl.DataFrame:
    """What `judge` finds in the rows of each fund (or source, or lane): figures of different ones say nothing of one another."""
    if by not in rows.columns or rows.height == 0 or rows.get_column(by).n_unique() == 1:
        return judge(rows)
    return pl.concat([judge(part) for part in rows.partition_by(by, maintain_order=True)])


def blanked(rows: pl.DataFrame, tables: pl.DataFrame, slots: Slots, measures: list[str]) -> pl.Series | None:
    """Which rows leave blank a figure that the report they replace had; None where none does."""
    shared = slots.shared(rows.get_column("slot"))
    if shared is None:
        return None
    rank = tables.select("table_no", "precedence")
    several = rows.with_row_index("at").filter(shared).join(rank, on="table_no", how="left")
    several = several.sort("slot", "precedence", "at")
    lost = pl.any_horizontal(
        pl.col(name).is_null() & pl.col(name).shift(1).over("slot").is_not_null() for name in measures
    )
    at = several.filter(lost).get_column("at")
    if at.is_empty():
        return None
    return pl.repeat(value=False, n=rows.height, dtype=pl.Boolean, eager=True).scatter(at, True)


def unlisted() -> pl.Expr:
    """Rows of a fund that no list names."""
    return pl.col("fund_code").str.starts_with(UNLISTED)


def beyond_the_whole() -> pl.Expr:
    """Rows in which parts of a budget come to more than the budget (with what was carried over, where it is part of it)."""
    budget = pl.coalesce("adjusted_budget_cny", "initial_budget_cny")
    whole = budget + pl.col("carried_over_cny").fill_null(0)
    by_origin = pl.sum_horizontal("from_above_cny", "own_cny", ignore_nulls=True)
    by_use = pl.sum_horizontal("personnel_cny", "office_cny", ignore_nulls=True)
    return (by_origin > whole) | (by_use > whole)
