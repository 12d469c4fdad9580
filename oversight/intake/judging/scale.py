"""Figures that look wrong by a factor of 1,000 or 10,000 (元 for 万元, 人 for 万人) are held, never rescaled."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from statistics import median_low
from typing import Any

import polars as pl

from oversight.contracts import ALL_DATASETS, Column
from oversight.intake.judging.verdicts import as_verdicts

# Unit and month as one whole number: code times this, plus the days since 1970 (below it until the year 2243).
MONTH_SPAN = 100_000


def unit_month(code: str) -> pl.Expr:
    """Unit and month as one whole number; `code` names the column of the unit's code."""
    return pl.col(code).cast(pl.Int64) * MONTH_SPAN + pl.col("month").cast(pl.Int32)


# A stock moves by a few percent a month; real mergers and tier moves stay far below a hundredfold. Between a
# hundredfold and 1,000 lies room for both: the bound is set so that 1,000 is caught even on a figure that
# halved or doubled twice at the same time.
OWN_HISTORY = 150
# A small payment is no error: downwards a flow is only judged where it is smaller than any payment makes sense.
FLOW_DOWN = 500
# Townships of one county differ by up to a hundredfold of their own accord.
PEERS = 400
# No township is paid or spends twenty years' budget.
BUDGETS = 20
# Births or deaths of a tenth of all inhabitants in a month, or more people moving than live there.
PARTS = {"births_persons": 0.1, "deaths_persons": 0.1, "moved_in_persons": 2.0, "moved_out_persons": 2.0}
# A flow without a cumulative figure beside it is judged by its history only if there is some.
MIN_FLOW_HISTORY = 3
MIN_PEERS = 3
# What the powers of ten are called before 元, 人 and 户.
POWER_NAMES = {2: "百", 3: "千", 4: "万", 5: "十万", 6: "百万", 8: "亿"}


def off_scale(dataset: str, rows: pl.DataFrame) -> pl.DataFrame:
    """One verdict for each figure of `rows` (unit_code, month, measures) that is to be held."""
    found: list[tuple[Any, ...]] = []
    spans = _spans(dataset, rows)
    highest = (
        rows.lazy().select(c.name for c in ALL_DATASETS[dataset].measures).max().collect(engine="streaming")
    )
    for column in ALL_DATASETS[dataset].measures:
        if rows.height == 0:
            continue
        if column.scale in ("stock", "flow"):
            found.extend(_off_scale(column, rows, spans))
        if column.plausible_max is None:
            continue
        if not _reaches(column, highest):
            continue
        beyond = rows.filter(pl.col(column.name) > pl.lit(int(column.plausible_max)))
        for number, row, value in beyond.select("table_no", "row_number", column.name).iter_rows():
            texts = {"value": figure(value), "reference": figure(column.plausible_max)}
            found.append(
                (number, row, column.name, figure(value), "H03", json.dumps(texts, ensure_ascii=False))
            )
    if dataset == "budget" and rows.height:
        found.extend(_off_budget(rows, spans))
    if dataset == "population" and rows.height:
        found.extend(_off_part(rows))
    return as_verdicts(found).unique(["table_no", "row_number", "column"], keep="first", maintain_order=True)


def _reaches(column: Column, highest: pl.DataFrame) -> bool:
    value = highest.get_column(column.name).item()
    return value is not None and column.plausible_max is not None and value > column.plausible_max


def _spans(dataset: str, rows: pl.DataFrame) -> pl.DataFrame:
    """For each unit the smallest and largest figure of every column judged by its history, zeros left out.

    One pass over all columns: nearly every unit is cleared by these two alone.
    """
    columns = [c.name for c in ALL_DATASETS[dataset].measures if c.scale in ("stock", "flow")]
    figures = rows.lazy().select(
        (pl.col("unit_month") // MONTH_SPAN).alias("unit"), *(_positive(name).alias(name) for name in columns)
    )
    groups = figures.group_by("unit").agg(
        *(pl.col(name).min().alias(f"low_{name}") for name in columns),
        *(pl.col(name).max().alias(f"high_{name}") for name in columns),
    )
    # Piece by piece: whole columns of the figures would be written to memory only to be read once.
    return groups.collect(engine="streaming")


def _positive(name: str) -> pl.Expr:
    value = pl.col(name).cast(pl.Float64)
    return pl.when(value > 0).then(value)


def _stock_suspects(name: str, groups: pl.DataFrame, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Units that may be off against their history or their county, and the middle figures of those counties' units.

    A county's middle lies between its smallest and its largest figure: where these are near, no unit is off.
    """
    county = pl.col("unit") // 1000
    groups = groups.with_columns(county=county)
    own = pl.col("high") > pl.col("low") * OWN_HISTORY
    wide = groups.group_by("county").agg(
        (own.any() | (pl.col("high").max() > pl.col("low").min() * PEERS)).alias("is_wide")
    )
    groups = groups.join(wide.filter("is_wide"), on="county", how="semi")
    if groups.height == 0:
        return groups, groups
    middles = (
        rows.filter(_of_units(groups))
        .group_by(unit=pl.col("unit_month") // MONTH_SPAN)
        .agg(middle=_positive(name).median())
    )
    groups = groups.join(middles, on="unit", how="left", maintain_order="left").sort("unit")
    counties = groups.group_by("county").agg(pl.col("middle").median().alias("peer"), pl.len().alias("peers"))
    groups = groups.join(counties, on="county", how="left", maintain_order="left")
    off_peers = (pl.col("high") > pl.col("peer") * PEERS) | (pl.col("low") * PEERS < pl.col("peer"))
    return groups.filter(own | ((pl.col("peers") > MIN_PEERS) & off_peers)), groups


def _off_scale(column: Column, rows: pl.DataFrame, spans: pl.DataFrame) -> Iterable[tuple[Any, ...]]:
    """Figures off against the unit's other months, or, where these do not decide, against the county's units."""
    name, is_flow = column.name, column.scale == "flow"
    groups = spans.select("unit", low=f"low_{name}", high=f"high_{name}").drop_nulls("low")
    if is_flow:
        suspects = groups.filter(pl.col("high") > pl.col("low") * OWN_HISTORY)
    else:
        suspects, groups = _stock_suspects(name, groups, rows)
    if suspects.height == 0:
        return
    near = rows.filter(_of_units(suspects))
    marked = near.filter(pl.col(name) > 0).select(
        "table_no", "row_number", "unit_code", "month", pl.col(name).cast(pl.Float64)
    )
    history: dict[str, list[tuple[int, int, Any, float]]] = defaultdict(list)
    for number, row, code, month, value in marked.iter_rows():
        history[code].append((number, row, month, value))
    if is_flow:
        supported = _supported(name, near)
        for entries in history.values():
            yield from _judge_flow(name, entries, supported)
        return
    middles: dict[int, list[tuple[str, float]]] = defaultdict(list)
    affected = groups.join(suspects.select("county").unique(), on="county", how="semi")
    for unit, county, middle in affected.select("unit", "county", "middle").iter_rows():
        middles[county].append((str(unit), middle))
    for code, entries in history.items():
        peers = [m for c, m in middles[int(code[:6])] if c != code]
        peer = median_low(sorted(peers)) if len(peers) >= MIN_PEERS else None
        yield from _judge_unit(name, entries, peer)


def _by_month(entries: list[tuple[int, int, Any, float]]) -> dict[Any, list[float]]:
    by_month: dict[Any, list[float]] = defaultdict(list)
    for _, _, month, value in entries:
        by_month[month].append(value)
    return by_month


def _judge_unit(
    name: str, entries: list[tuple[int, int, Any, float]], peer: float | None
) -> Iterable[tuple[Any, ...]]:
    by_month = _by_month(entries)
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


def _of_units(groups: pl.DataFrame) -> pl.Expr:
    return (pl.col("unit_month") // MONTH_SPAN).is_in(groups.get_column("unit").implode())


def _supported(name: str, rows: pl.DataFrame) -> set[tuple[int, int]]:
    """Rows whose month and cumulative figures bear each other out.

    A lump paid once a year is off against every other month, but the cumulative figure rises by just that much.
    """
    kind = name.split("_")[0]
    month_name, cumulative_name = f"{kind}_month_cny", f"{kind}_cumulative_cny"
    both = rows.filter(pl.col(month_name).is_not_null() & pl.col(cumulative_name).is_not_null())
    entries = both.select("table_no", "row_number", "unit_code", "month", month_name, cumulative_name).rows()
    reached: dict[tuple[str, Any], set[Decimal]] = defaultdict(set)
    for _, _, code, month, _, cumulative in entries:
        reached[code, month].add(cumulative)
    supported: set[tuple[int, int]] = set()
    for number, row, code, month, paid, cumulative in entries:
        before = (
            {Decimal(0)}
            if month.month == 1
            else reached.get((code, month.replace(month=month.month - 1)), set())
        )
        if any(b + paid == cumulative for b in before):
            supported.add((number, row))
    return supported


def _judge_flow(
    name: str,
    entries: list[tuple[int, int, Any, float]],
    supported: set[tuple[int, int]],
) -> Iterable[tuple[Any, ...]]:
    by_month = _by_month(entries)
    for number, row, month, value in entries:
        others = sorted(v for m, vs in by_month.items() if m != month for v in vs)
        if len(others) < MIN_FLOW_HISTORY or (number, row) in supported:
            continue
        own = median_low(others)
        if value > own * OWN_HISTORY or value * FLOW_DOWN < own:
            yield _verdict(number, row, name, value, own, "H01")


def _off_part(rows: pl.DataFrame) -> Iterable[tuple[Any, ...]]:
    """Births, deaths and moves that the same row's population makes impossible."""
    for name, share in PARTS.items():
        off = rows.lazy().filter(
            (pl.col("population_persons") > 0)
            & (pl.col(name) > 100)
            & (pl.col(name) > pl.col("population_persons") * share)
        )
        found = off.select("table_no", "row_number", name, "population_persons").collect(engine="streaming")
        for number, row, value, base in found.iter_rows():
            texts = {
                "value": figure(value),
                "other": "户籍人口",
                "reference": figure(base),
                "ratio": _ratio(value, base),
            }
            yield number, row, name, figure(value), "H04", json.dumps(texts, ensure_ascii=False)


def _off(value: float, reference: float, bound: int) -> bool:
    return value > reference * bound or value * bound < reference


def _off_budget(rows: pl.DataFrame, spans: pl.DataFrame) -> Iterable[tuple[Any, ...]]:
    """Payments and spending that the same row's budget for the year makes impossible."""
    # Only where a unit's largest payment is that much more than its smallest budget can one of its rows be off.
    flows = [f"high_{c.name}" for c in ALL_DATASETS["budget"].measures if c.scale == "flow"]
    least = pl.min_horizontal("low_initial_budget_cny", "low_adjusted_budget_cny")
    near = spans.filter(pl.max_horizontal(flows) > least * BUDGETS)
    if near.height == 0:
        return
    rows = rows.filter(_of_units(near))
    budget = pl.max_horizontal("initial_budget_cny", "adjusted_budget_cny").cast(pl.Float64)
    for column in ALL_DATASETS["budget"].measures:
        if column.scale != "flow":
            continue
        paid = pl.col(column.name).cast(pl.Float64)
        off = rows.filter((budget > 0) & (paid > budget * BUDGETS))
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


def in_senders_unit(value: str, power: int, unit: str) -> tuple[str, str]:
    """A held figure as its column is written (52,800 万元), and the same with what that comes to.

    `value` is the figure in `unit`, as `figure` writes it; the column counts in `unit` times ten to the `power`.
    """
    written = Decimal(value.replace(",", "")).scaleb(-power)
    plain = f"{written:,f}"
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    name = f"{plain} {POWER_NAMES[power]}{unit}"
    return name, f"{name}（即 {value} {unit}）"


def _ratio(value: float, reference: float) -> str:
    ratio = value / reference
    if ratio >= 1:
        return f"{float(f'{ratio:.2g}'):,.0f} 倍"
    return f"{10 ** round(math.log10(1 / ratio), 1):,.0f} 分之一"
