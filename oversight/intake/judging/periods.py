"""Rows whose month, or the time an amount covers, was said in two ways: held until somebody confirms which it is."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from oversight.contracts import ALL_DATASETS
from oversight.intake.judging.scale import figure
from oversight.intake.judging.verdicts import KEY, as_verdicts


def periods(dataset: str, rows: pl.DataFrame, marks: pl.DataFrame) -> pl.DataFrame:
    """One verdict for each row of `rows` that reading marked H60 or H61.

    `marks`: table_no, row_number, column, value (what was said of the time), code.
    """
    found: list[tuple[Any, ...]] = []
    measures = [c.name for c in ALL_DATASETS[dataset].measures]
    if marks.height == 0 or rows.height == 0:
        return as_verdicts(())
    marked = marks.join(rows.select(*KEY, *measures), on=KEY, how="inner", maintain_order="left")
    for row in marked.unique([*KEY, "code", "column"], maintain_order=True).iter_rows(named=True):
        column = (
            row["column"] if row["code"] == "H61" else next((m for m in measures if row[m] is not None), None)
        )
        if column is None or row[column] is None:
            continue
        value = figure(row[column])
        texts = {"value": value, "said": row["value"]}
        found.append(
            (
                row["table_no"],
                row["row_number"],
                column,
                value,
                row["code"],
                json.dumps(texts, ensure_ascii=False),
            )
        )
    return as_verdicts(found)
