"""The landed rows of a dataset as judging begins: those that reading found fault with, or a reviewer sent back, set apart."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from oversight.intake.judging.verdicts import VERDICT_SCHEMA, without
from oversight.intake.landed import Landed, row_schema


@dataclass(frozen=True)
class AsRead:
    """Rows without those that are rejected, as verdicts; and what reading noted of figures that are used all the same,
    or was unsure of, so that they are held."""

    rows: pl.DataFrame
    rejected: pl.DataFrame
    noted: pl.DataFrame
    unsure: pl.DataFrame


def landed_rows(landed: Landed, dataset: str) -> pl.DataFrame:
    """All that was read of a dataset."""
    return landed.rows.get(dataset, pl.DataFrame(schema=row_schema(dataset)))


def as_read(
    landed: Landed, tables: pl.DataFrame, dataset: str, sent_back: pl.DataFrame, *, usable: bool = True
) -> AsRead:
    """Rows and what was found in reading them; of a row that was `sent_back` that is all there is to say.

    Without `usable` there is no judging this dataset: nobody knows the units that it speaks of.
    """
    rows = landed_rows(landed, dataset)
    numbers = tables.filter(pl.col("dataset") == dataset).select("table_no")
    errors = landed.errors.join(numbers, on="table_no", how="semi")
    errors = errors.with_columns(found=pl.lit(None, pl.String)).select(VERDICT_SCHEMA.keys())
    if sent_back.height:
        errors = pl.concat([without(errors, sent_back).cast(pl.Schema(VERDICT_SCHEMA)), sent_back])
    if not usable:
        rows, errors = rows.clear(), errors.clear()
    code = pl.col("code")
    is_list = dataset in ("divisions", "division_changes")
    is_noted = pl.lit(value=False) if is_list else code.str.starts_with("D")
    is_unsure = pl.lit(value=False) if is_list or dataset == "payments" else code.str.starts_with("H")
    rejected = errors.filter(~(is_noted | is_unsure))
    return AsRead(without(rows, rejected), rejected, errors.filter(is_noted), errors.filter(is_unsure))
