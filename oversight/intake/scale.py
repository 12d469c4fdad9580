"""Figures that look wrong by a factor of 1,000 or 10,000 (元 for 万元, 人 for 万人) are held, never rescaled."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable
from statistics import median_low
from typing import Any

import polars as pl

from oversight.contracts import ALL_DATASETS, Column

# A stock moves by a few percent a month; real mergers and tier moves stay far below a hundredfold. Between a
# hundredfold and 1,000 lies room for both: the bound is set so that 1,000 is caught even on a figure that
# halved or doubled twice at the same time.
OWN_HISTORY = 150
# Townships of one county differ by up to a hundredfold of their own accord.
PEERS = 400
# A month's payment may be a day's or a year's; only against a base that cannot be the same figure is it judged.
FLOW = 300
MIN_PEERS = 3


def hold(dataset: str, rows: pl.DataFrame) -> pl.DataFrame:
    """One verdict for each figure of `rows` (unit_code, month, measures) that is to be held."""
    found: list[tuple[Any, ...]] = []
    for column in ALL_DATASETS[dataset].measures:
        if rows.height == 0:
            continue
        if column.scale == "stock":
            found.extend(_off_scale(column, rows))
        if column.plausible_max is None:
            continue
        beyond = rows.filter(pl.col(column.name) > pl.lit(int(column.plausible_max)))
        for number, row, value in beyond.select("table_no", "row_number", column.name).iter_rows():
            texts = {"value": figure(value), "reference": figure(column.plausible_max)}
            found.append(
                (number, row, column.name, figure(value), "H03", json.dumps(texts, ensure_ascii=False))
            )
    if dataset == "budget" and rows.height:
        found.extend(_off_budget(rows))
    return pl.DataFrame(
        found,
        schema={
            "table_no": pl.Int32,
            "row_number": pl.Int64,
            "column": pl.String,
            "value": pl.String,
            "code": pl.String,
            "found": pl.String,
        },
        orient="row",
    ).unique(["table_no", "row_number", "column"], keep="first", maintain_order=True)


def _off_scale(column: Column, rows: pl.DataFrame) -> Iterable[tuple[Any, ...]]:
    """Figures off against the unit's other months, or, where these do not decide, against the county's units."""
    name = column.name
    some = (
        rows.lazy()
        .filter(pl.col(name) > 0)
        .select("table_no", "row_number", "unit_code", "month", pl.col(name).cast(pl.Float64).alias("v"))
    )
    groups = (
        some.group_by("unit_code")
        .agg(
            pl.col("v").min().alias("low"),
            pl.col("v").max().alias("high"),
            pl.col("v").median().alias("middle"),
        )
        .with_columns(county=pl.col("unit_code").str.slice(0, 6))
        .collect()
    )
    if groups.height == 0:
        return
    counties = groups.group_by("county").agg(pl.col("middle").median().alias("peer"), pl.len().alias("peers"))
    groups = groups.join(counties, on="county")
    enough = pl.col("peers") > MIN_PEERS
    suspects = groups.filter(
        (pl.col("high") > pl.col("low") * OWN_HISTORY)
        | (enough & ((pl.col("high") > pl.col("peer") * PEERS) | (pl.col("low") * PEERS < pl.col("peer"))))
    )
    if suspects.height == 0:
        return
    history: dict[str, list[tuple[int, int, Any, float]]] = defaultdict(list)
    marked = some.collect().join(suspects.select("unit_code"), on="unit_code", how="semi")
    for number, row, code, month, value in marked.iter_rows():
        history[code].append((number, row, month, value))
    middles: dict[str, list[tuple[str, float]]] = defaultdict(list)
    affected = groups.join(suspects.select("county").unique(), on="county", how="semi")
    for code, county, middle in affected.select("unit_code", "county", "middle").iter_rows():
        middles[county].append((code, middle))
    for code, entries in history.items():
        peers = [m for c, m in middles[code[:6]] if c != code]
        peer = median_low(sorted(peers)) if len(peers) >= MIN_PEERS else None
        yield from _judge_unit(name, entries, peer)


def _judge_unit(
    name: str, entries: list[tuple[int, int, Any, float]], peer: float | None
) -> Iterable[tuple[Any, ...]]:
    by_month: dict[Any, list[float]] = defaultdict(list)
    for _, _, month, value in entries:
        by_month[month].append(value)
    for number, row, month, value in entries:
        others = sorted(v for m, vs in by_month.items() if m != month for v in vs)
        own = median_low(others) if others else None
        off_peer = peer is not None and _off(value, peer, PEERS)
        if own is not None and _off(value, own, OWN_HISTORY):
            # With one or two other months either side may be the wrong one: the county's units decide.
            same = sum(1 for v in others if not _off(value, v, OWN_HISTORY))
            if (len(others) >= 3 and same * 2 < len(others)) or peer is None or off_peer:
                yield _verdict(number, row, name, value, own, "H01")
        elif off_peer and peer is not None:
            yield _verdict(number, row, name, value, peer, "H02")


def _off(value: float, reference: float, bound: int) -> bool:
    return value > reference * bound or value * bound < reference


def _off_budget(rows: pl.DataFrame) -> Iterable[tuple[Any, ...]]:
    """Payments and spending that the same row's budget for the year makes impossible."""
    budget = pl.max_horizontal("initial_budget_cny", "adjusted_budget_cny").cast(pl.Float64)
    for column in ALL_DATASETS["budget"].measures:
        if column.scale != "flow":
            continue
        paid = pl.col(column.name).cast(pl.Float64)
        off = rows.filter((budget > 0) & (paid > budget * FLOW))
        for number, row, value, base in off.select(
            "table_no", "row_number", paid.alias("value"), budget.alias("base")
        ).iter_rows():
            texts = {
                "value": figure(value),
                "other": "全年预算",
                "reference": figure(base),
                "ratio": _ratio(value, base),
            }
            yield number, row, column.name, figure(value), "H04", json.dumps(texts, ensure_ascii=False)


def _verdict(number: int, row: int, name: str, value: float, reference: float, code: str) -> tuple[Any, ...]:
    texts = {"value": figure(value), "reference": figure(reference), "ratio": _ratio(value, reference)}
    return number, row, name, figure(value), code, json.dumps(texts, ensure_ascii=False)


def figure(value: Any) -> str:
    """A figure as the messages show it."""
    number = float(value)
    return f"{int(number):,}" if number.is_integer() else f"{number:,.2f}"


def _ratio(value: float, reference: float) -> str:
    ratio = value / reference
    if ratio >= 1:
        return f"{float(f'{ratio:.2g}'):,.0f} 倍"
    return f"{10 ** round(math.log10(1 / ratio), 1):,.0f} 分之一"
