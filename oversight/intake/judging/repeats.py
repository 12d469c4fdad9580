"""What stands twice in one file: repeated, or contradicting itself."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import polars as pl

from oversight.intake.judging.identity import Units
from oversight.intake.judging.slots import Slots
from oversight.intake.judging.verdicts import KEY, Verdicts, as_verdicts, without


def repeats(
    dataset: str,
    rows: pl.DataFrame,
    tables: pl.DataFrame,
    units: Units | None,
    slots: Slots | None,
    verdicts: Verdicts,
) -> pl.DataFrame:
    """The same key twice in one file: an identical repeat is ignored, contradicting rows are all rejected.

    Of payments only a voucher that is written down again to the letter is ignored.
    """
    if dataset == "payments":
        again = _vouchers_again(rows, tables)
        verdicts.repeated.append(again)
        return without(rows, again)
    if rows.height < 2:
        return rows
    if dataset == "divisions":
        key, ignore = ["division_code", "valid_from"], {"doubts"}
    elif dataset == "indicators":
        key = ["unit_month", "lane", "indicator_code"]
        ignore = {"subject_name", "indicator_name", "subject_code", "doubts", "slot"}
    else:
        key, ignore = ["unit_month", "lane"], {"reported_code", "reported_name", "doubts", "slot"}
    # Most rows share their key with no other row at all: one pass over whole numbers sorts these out.
    shared = slots.shared(rows.get_column("slot")) if slots else rows.get_column(key[0]).is_duplicated()
    if shared is None or not shared.any():
        return rows
    repeated = rows.filter(shared)
    numbered = tables.select("table_no", file_no=pl.col("submission_id").rank("dense").cast(pl.Int32))
    frame = repeated.join(numbered, on="table_no", how="left")
    full_key = ["file_no", *key]
    twice = frame.select(pl.struct(full_key).is_duplicated()).to_series()
    if not twice.any():
        return rows
    group = frame.filter(twice).sort("table_no", "row_number")
    figures = [c for c in group.columns if c not in {*KEY, *full_key, *ignore}]
    group = group.with_columns(
        variants=pl.struct(figures).n_unique().over(full_key) if figures else pl.lit(1),
        place=pl.int_range(pl.len()).over(full_key),
    )
    verdicts.repeated.append(group.filter((pl.col("variants") == 1) & (pl.col("place") > 0)).select(KEY))
    clash = group.filter(pl.col("variants") > 1)
    if clash.height:
        sheets = dict(tables.select("table_no", "sheet").iter_rows())
        unit_key, month_key = (
            ("unit_code", "month") if "unit_code" in rows.columns else ("division_code", "valid_from")
        )
        code_column = "reported_code" if "reported_code" in rows.columns else unit_key
        found: list[tuple[Any, ...]] = []
        places: dict[tuple[Any, ...], list[tuple[int, int]]] = {}
        width = len(full_key) + 2
        for row in clash.select(
            *full_key, pl.col(unit_key).alias("unit"), pl.col(month_key).alias("since"), *KEY
        ).iter_rows():
            places.setdefault(row[:width], []).append(row[width:])
        for values_, group_places in places.items():
            code, month = str(values_[-2]), values_[-1] if unit_key == "unit_code" else None
            for number, row_number in group_places:
                others = [
                    (f"{sheets.get(n)} " if sheets.get(n) else "") + f"第 {r} 行"
                    for n, r in group_places
                    if (n, r) != (number, row_number)
                ]
                texts = {
                    "unit": f"{units.name(code)}（{code}）" if units else code,
                    "month": f"{month:%Y-%m}" if isinstance(month, date) else "",
                    "other": "、".join(others[:3]),
                }
                found.append(
                    (number, row_number, code_column, code, "R14", json.dumps(texts, ensure_ascii=False))
                )
        verdicts.rejected.append(as_verdicts(found))
    gone = group.filter((pl.col("variants") > 1) | (pl.col("place") > 0))
    return without(rows, gone)


def _vouchers_again(rows: pl.DataFrame, tables: pl.DataFrame) -> pl.DataFrame:
    """The rows of a file that repeat a voucher to the letter: one payment written down twice."""
    numbered = tables.select("table_no", file_no=pl.col("submission_id").rank("dense").cast(pl.Int32))
    frame = rows.join(numbered, on="table_no", how="left").sort("table_no", "row_number")
    same = ("file_no", "voucher_no", "unit_month", "lane", "paid_on", "amount_cny")
    again = pl.int_range(pl.len()).over(same) > 0
    return frame.filter(pl.col("voucher_no").is_not_null() & again).select("table_no", "row_number")
