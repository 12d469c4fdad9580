"""Rows that somebody looked into: those that were sent back, and those whose doubts were cleared."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from oversight.intake.judging.corrections import Reviewed
from oversight.intake.judging.desk import CorrectionDesk
from oversight.intake.judging.verdicts import KEY, VERDICT_SCHEMA, as_verdicts


def sent_back(desk: CorrectionDesk, dataset: str, rows: pl.DataFrame, tables: pl.DataFrame) -> pl.DataFrame:
    """The rows of a dataset that a reviewer sent back, as verdicts."""
    mine = desk.reviewed(dataset, sent_back=True)
    found: dict[tuple[int, int], tuple[Any, ...]] = {}
    for number, item in mine:
        at = _rows_at(item, rows, tables)
        if not at:
            texts = {"sheet": f"工作表“{item.sheet}”" if item.sheet else "", "row": str(item.at)}
            desk.refuse(number, item.row_number, None, item.submission_id, "C04", texts)
            continue
        desk.dealt_with(number)
        told = json.dumps({"reason": item.reason, "by": item.by}, ensure_ascii=False)
        found |= {key: (*key, None, None, "R70", told) for key in at}
    return as_verdicts(found.values())


def looked_into(desk: CorrectionDesk, dataset: str, rows: pl.DataFrame, tables: pl.DataFrame) -> pl.DataFrame:
    """Rows whose doubts were looked into say so in place of what was doubted."""
    mine = desk.reviewed(dataset, sent_back=False)
    keys: set[tuple[int, int]] = set()
    for number, item in mine:
        # What was sent back or replaced since has nothing left to be said of.
        desk.dealt_with(number)
        keys |= set(_rows_at(item, rows, tables))
    if not keys:
        return rows
    seen = pl.DataFrame(sorted(keys), schema={k: VERDICT_SCHEMA[k] for k in KEY}, orient="row")
    marked = rows.join(seen.with_columns(seen=True), on=KEY, how="left", maintain_order="left")
    is_seen = pl.col("seen").is_not_null() & pl.col("doubts").is_not_null()
    return marked.with_columns(doubts=pl.when(is_seen).then(pl.lit("D14")).otherwise("doubts")).drop("seen")


def _rows_at(item: Reviewed, rows: pl.DataFrame, tables: pl.DataFrame) -> list[tuple[int, int]]:
    """The rows of a dataset that stand where a reviewer says."""
    numbers = tables.filter(
        (pl.col("submission_id") == item.submission_id)
        & (pl.col("dataset") == item.dataset)
        & pl.col("sheet").eq_missing(pl.lit(item.sheet, pl.String))
    )["table_no"]
    found = rows.filter(pl.col("table_no").is_in(numbers.implode()) & (pl.col("row_number") == item.at))
    if item.month is not None and "month" in found.columns:
        found = found.filter(pl.col("month") == item.month)
    return list(found.select(KEY).iter_rows())
