"""The table of divisions: what lies in what, where a row does not say so."""

from __future__ import annotations

import polars as pl


def with_parents(rows: pl.DataFrame) -> pl.DataFrame:
    """Divisions each with the one that it lies in: the one it names, else the one that its code begins with."""
    code = pl.col("division_code")
    derived = (
        pl.when(code.str.len_chars() > 6)
        .then(code.str.slice(0, code.str.len_chars() - 3))
        .when(~code.str.ends_with("00"))
        .then(code.str.slice(0, 4) + "00")
        .when(~code.str.ends_with("0000"))
        .then(code.str.slice(0, 2) + "0000")
    )
    return rows.with_columns(parent_code=pl.coalesce("parent_code", derived), doubts=pl.lit(None, pl.String))
