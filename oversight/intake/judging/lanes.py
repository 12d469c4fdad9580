"""Whose report a row is, and of which fund: what two reports must share before one can correct the other.

A lane is a source and a fund. Within a unit and month only reports of one lane replace one another, are compared with
the month before, or contradict one another in one file; between lanes nothing is replaced and nothing is lost.
"""

from __future__ import annotations

import polars as pl

from oversight.references import TOWNSHIP, WORKING_FUNDS, References

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
