"""What the analyst confirms is let through, and what he corrects stands beside what it corrects."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl

from oversight.contracts import ALL_DATASETS
from oversight.intake.judging.corrections import Correction, same
from oversight.intake.judging.desk import CorrectionDesk
from oversight.intake.judging.scale import figure
from oversight.intake.judging.verdicts import KEY, VERDICT_SCHEMA, without
from oversight.references import TOWNSHIP, WORKING_FUNDS


def confirm(desk: CorrectionDesk, dataset: str, rows: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """What remains held once confirmed figures are let through; with one figure its whole row is."""
    mine = desk.corrections(dataset, confirming=True)
    if not mine or dataset == "payments":
        return held
    places = held.join(rows.select(*KEY, "unit_code", "reported_code", "month"), on=KEY, how="left")
    cleared: list[tuple[int, int]] = []
    for number, item in mine:
        found = places.filter(
            ((pl.col("unit_code") == item.code) | (pl.col("reported_code") == item.code))
            & (pl.col("month") == item.month)
            & (pl.col("column") == item.column)
            & (pl.col("value") == figure(item.expected))
        )
        if found.height == 0:
            _missing(desk, number, item, "确认")
            continue
        desk.dealt_with(number)
        cleared.extend(found.select(KEY).rows())
    gone = pl.DataFrame(cleared, schema={k: VERDICT_SCHEMA[k] for k in KEY}, orient="row")
    return without(held, gone)


def correct(
    desk: CorrectionDesk, dataset: str, rows: pl.DataFrame, held: pl.DataFrame, tables: pl.DataFrame
) -> pl.DataFrame:
    """Rows with a new version for each that is corrected, made of the one that counts."""
    mine = desk.corrections(dataset, confirming=False)
    if not mine or dataset == "payments":
        return rows
    codes = [c.code for _, c in mine]
    near = rows.filter(pl.col("unit_code").is_in(codes) | pl.col("reported_code").is_in(codes))
    near = near.join(held.select(KEY).unique().with_columns(held=pl.lit(value=True)), on=KEY, how="left")
    near = near.join(tables.select("table_no", "precedence"), on="table_no", how="left").sort("precedence")
    known = near.to_dicts()
    made: dict[tuple[int, int, int], dict[str, Any]] = {}
    for number, item in mine:
        at = [
            r for r in known if r["month"] == item.month and item.code in (r["unit_code"], r["reported_code"])
        ]
        # Each source and each fund has a figure that counts; the correction speaks of the one it names.
        base = next((r for lane in _by_lane(at) if (r := _corrected(lane, item)) is not None), None)
        if base is None and not at:
            _missing(desk, number, item, "更正")
            continue
        if base is None:
            now = ([r for r in at if not r["held"]] or at)[-1][item.column]
            title = ALL_DATASETS[dataset].columns[item.column].title_zh
            texts = {
                "expected": "空白" if item.expected is None else str(item.expected),
                "column": title,
                "value": "空白" if now is None else str(now),
            }
            desk.refuse(number, item.row_number, item.column, now, "C01", texts)
            continue
        key = (number, base["unit_month"], base["lane"])
        if key in made:
            desk.replaced(number)
        doubts = ";".join(d for d in dict.fromkeys([*(base["doubts"] or "").split(";"), "D12"]) if d)
        made[key] = base | {
            "table_no": number,
            "row_number": item.row_number,
            item.column: item.value,
            **_precision_of_correction(item),
            "doubts": doubts,
            "held": None,
        }
        desk.added(number)
        known = [r for r in known if (r["table_no"], r["unit_month"], r["lane"]) != key] + [made[key]]
    if not made:
        return rows
    new = pl.DataFrame([{c: r[c] for c in rows.columns} for r in made.values()], schema=rows.schema)
    return pl.concat([rows, new])


def _missing(desk: CorrectionDesk, number: int, item: Correction, action: str) -> None:
    title = ALL_DATASETS[item.dataset].columns[item.column].title_zh
    texts = {"unit": item.code, "month": f"{item.month:%Y-%m}", "action": action, "column": title}
    desk.refuse(number, item.row_number, item.column, item.expected, "C02", texts)


def _by_lane(rows: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Rows of one unit and month by source and fund, those of the working funds and of the township itself first."""
    lanes: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        lanes.setdefault(row["lane"], []).append(row)
    return sorted(
        lanes.values(),
        key=lambda r: (r[0].get("fund_code", WORKING_FUNDS) != WORKING_FUNDS, r[0]["source"] != TOWNSHIP),
    )


def _corrected(at: list[dict[str, Any]], item: Correction) -> dict[str, Any] | None:
    """The row of one source and fund that a correction speaks of; None where none has the figure it names."""
    counting = [r for r in at if not r["held"]][-1:]
    # A held figure counts for nothing yet, but it can be put right; one sent before the figure that counts
    # is past, and a correction of it has lost its ground.
    since = at[at.index(counting[0]) + 1 :] if counting else at
    return next((r for r in (*counting, *reversed(since)) if same(r[item.column], item.expected)), None)


def _precision_of_correction(item: Correction) -> dict[str, Decimal | None]:
    """An analyst corrects to the 分 and to the person."""
    column = ALL_DATASETS[item.dataset].columns[item.column]
    if not column.has_precision:
        return {}
    unit = Decimal("0.01") if column.kind == "money" else Decimal(1)
    return {column.precision_name: None if item.value is None else unit}
