"""Judged rows as the models of the build have them."""

from __future__ import annotations

import polars as pl

from oversight.contracts import ALL_DATASETS
from oversight.intake.judging.slots import Slots
from oversight.intake.judging.verdicts import KEY


def provide(dataset: str, rows: pl.DataFrame, held: pl.DataFrame, tables: pl.DataFrame) -> pl.DataFrame:
    """Rows as the build input has them, validated by the contract's schema."""
    contract = ALL_DATASETS[dataset]
    frame = rows
    if "unit_code" in frame.columns:
        target = "subject_code" if dataset == "indicators" else "township_code"
        frame = frame.drop("subject_code", strict=False) if dataset == "indicators" else frame
        frame = frame.rename({"unit_code": target})
    elif "township_code" in contract.names:
        frame = frame.with_columns(township_code=pl.lit(None, pl.String))
    if held.height:
        marks = held.select(*KEY, row_status=pl.lit("held")).unique()
        frame = frame.join(marks, on=KEY, how="left", maintain_order="left").with_columns(
            pl.col("row_status").fill_null("accepted")
        )
    else:
        frame = frame.with_columns(row_status=pl.lit("accepted"))
    frame = frame.join(
        tables.select("table_no", "submission_id", "sheet", "precedence"),
        on="table_no",
        how="left",
        maintain_order="left",
    )
    schema = contract.polars_schema()
    ready = frame.select("table_no", *(pl.col(n).cast(t) for n, t in schema.items()))
    contract.schema.validate(ready.drop("table_no"))
    return ready


def places(rows: pl.DataFrame, slots: Slots | None) -> pl.DataFrame:
    """Of each row its table, its unit and month as one number, and whether another row speaks of these too."""
    shared = slots.shared(rows.get_column("slot")) if slots else None
    return rows.select("table_no", "unit_month", is_shared=pl.lit(value=False) if shared is None else shared)
