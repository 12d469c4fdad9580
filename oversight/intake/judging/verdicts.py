"""What became of landed rows that are not simply accepted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import polars as pl

KEY = ("table_no", "row_number")


VERDICT_SCHEMA: dict[str, Any] = {
    "table_no": pl.Int32,
    "row_number": pl.Int64,
    "column": pl.String,
    "value": pl.String,
    "code": pl.String,
    "found": pl.String,
}


@dataclass
class Verdicts:
    """What became of rows that are not simply accepted, gathered as the steps go."""

    rejected: list[pl.DataFrame] = field(default_factory=list)
    held: list[pl.DataFrame] = field(default_factory=list)
    repeated: list[pl.DataFrame] = field(default_factory=list)


def as_verdicts(rows: Iterable[tuple[Any, ...]]) -> pl.DataFrame:
    """Verdicts as a frame; `found` is what the message says of the case, as JSON."""
    return pl.DataFrame(list(rows), schema=VERDICT_SCHEMA, orient="row")


def without(rows: pl.DataFrame, gone: pl.DataFrame) -> pl.DataFrame:
    """The rows that no verdict in `gone` speaks of."""
    if gone.height == 0:
        return rows
    return rows.join(gone.select(KEY).unique(), on=KEY, how="anti", maintain_order="left")


def blank(rows: pl.DataFrame, cells: pl.DataFrame) -> pl.DataFrame:
    """The rows without the figures that are held cell by cell."""
    for name in cells.get_column("column").unique(maintain_order=True):
        mine = cells.filter(pl.col("column") == name).select(*KEY, is_held=pl.lit(value=True))
        marked = rows.join(mine, on=KEY, how="left", maintain_order="left")
        rows = marked.with_columns(
            pl.when(pl.col("is_held").is_null()).then(pl.col(c)).alias(c)
            for c in (name, f"{name}_precision")
            if c in rows.columns
        ).drop("is_held")
    return rows
