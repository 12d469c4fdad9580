"""A 0 that other figures contradict is held until confirmed: it was more likely left to a formula than meant.

Nobody has no people beside households; a budget is not adjusted to nothing, nor a year's payments back to nothing,
without somebody saying so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from oversight.intake.judging.scale import MONTH_SPAN, figure
from oversight.intake.judging.verdicts import as_verdicts

_PEOPLE = {"population_persons": "户籍人口", "resident_population_persons": "常住人口"}
_CUMULATIVE = ("disbursed_cumulative_cny", "spent_cumulative_cny")


def zeros(dataset: str, renamed: Mapping[str, str], rows: pl.DataFrame) -> pl.DataFrame:
    """One verdict for each 0 of `rows` (unit_month, month, measures) that is to be held.

    `renamed` gives the first code of each unit that bears another by now: it is the same unit.
    """
    firsts = {int(code): int(first) for code, first in renamed.items()}
    found: list[tuple[Any, ...]] = []
    if dataset == "population" and rows.height:
        found.extend(_nobody(rows, firsts))
    if dataset == "budget" and rows.height:
        found.extend(_no_budget(rows))
        found.extend(_nothing_paid_any_more(rows, firsts))
    return as_verdicts(found)


def _verdict(number: int, row: int, name: str, code: str, texts: dict[str, str]) -> tuple[Any, ...]:
    return number, row, name, figure(0), code, json.dumps({"value": figure(0), **texts}, ensure_ascii=False)


def _unit(firsts: Mapping[int, int]) -> pl.Expr:
    own = (pl.col("unit_month") // MONTH_SPAN).alias("unit")
    return own.replace(firsts) if firsts else own


def _nobody(rows: pl.DataFrame, firsts: Mapping[int, int]) -> Iterator[tuple[Any, ...]]:
    for name, label in _PEOPLE.items():
        empty = rows.filter(pl.col(name) == 0).with_columns(_unit(firsts))
        if empty.height == 0:
            continue
        units = empty.get_column("unit").unique()
        known = rows.filter(_unit(firsts).is_in(units.implode()) & (pl.col(name) > 0)).with_columns(
            _unit(firsts)
        )
        known = (
            # Of two reports of a month the larger figure is named, whichever came first.
            known.sort("month", name)
            .group_by("unit")
            .agg(pl.col("month").last().alias("known_month"), pl.col(name).last().alias("known"))
        )
        empty = empty.join(known, on="unit", how="left", maintain_order="left").filter(
            (pl.col("households_count") > 0) | pl.col("known").is_not_null()
        )
        for number, row, households, month, people in empty.select(
            "table_no", "row_number", "households_count", "known_month", "known"
        ).iter_rows():
            reference = (
                f"同一行的户籍户数是 {figure(households)}"
                if households
                else f"{month:%Y-%m} 的{label}是 {figure(people)}"
            )
            yield _verdict(number, row, name, "H10", {"reference": reference})


def _no_budget(rows: pl.DataFrame) -> Iterator[tuple[Any, ...]]:
    emptied = rows.filter((pl.col("adjusted_budget_cny") == 0) & (pl.col("initial_budget_cny") > 0))
    for number, row, initial in emptied.select("table_no", "row_number", "initial_budget_cny").iter_rows():
        yield _verdict(number, row, "adjusted_budget_cny", "H11", {"reference": figure(initial)})


def _nothing_paid_any_more(rows: pl.DataFrame, firsts: Mapping[int, int]) -> Iterator[tuple[Any, ...]]:
    for name in _CUMULATIVE:
        emptied = rows.filter(pl.col(name) == 0).select(
            "table_no", "row_number", "month", _unit(firsts), year=pl.col("month").dt.year()
        )
        if emptied.height == 0:
            continue
        units = emptied.get_column("unit").unique()
        paid = rows.filter(_unit(firsts).is_in(units.implode()) & (pl.col(name) > 0)).select(
            _unit(firsts), year=pl.col("month").dt.year(), paid_month="month", paid=name
        )
        before = emptied.join(paid, on=("unit", "year")).filter(pl.col("paid_month") < pl.col("month"))
        before = (
            before.sort("paid_month", "paid")
            .group_by("table_no", "row_number")
            .last()
            .sort("table_no", "row_number")
        )
        for number, row, month, amount in before.select(
            "table_no", "row_number", "paid_month", "paid"
        ).iter_rows():
            yield _verdict(number, row, name, "H12", {"month": f"{month:%Y-%m}", "reference": figure(amount)})
