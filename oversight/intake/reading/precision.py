"""How exactly a figure was written: one unit of its last place.

A column is a column of one sheet of one file. Its places are those that its number format fixes, or else the most
that at least a tenth of its typed cells store; a cell that stores more has its own and changes no other. A report in
万元 with two decimals says no more than that an amount lies within 50 元: nobody is judged by digits it does not have.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl

from oversight.contracts.amounts import MONEY
from oversight.intake.reading import values

# The share of a column's cells that makes its places, as one in so many.
_ONE_IN = 10
# In columns of fewer cells than this, whole 万元 and tenths are most often a matter of chance.
_FEW, _PLACES_OF_FEW, _WAN = 10, 2, 4
# Longer writings are more than a double holds for certain and are looked at one by one.
_CERTAIN_LENGTH = 16
_LARGEST = 15


def precision(cells: pl.DataFrame, kind: str, where: pl.Series) -> pl.Series:
    """One unit of the last place of each figure, in 元 or persons; null where `where` does not hold.

    `cells`: one for each figure, in order: `text`, `power` (of ten, of the column's unit), `sheet`, `fixed` (decimals
    that the cell's number format fixes, or null) and `is_formula`.
    """
    last = _last_places(cells)
    # A cell that names its own unit (5.30万) stands among those that do so too.
    column = last.group_by("sheet", "unit").agg(
        pl.len().alias("cells"),
        typed=(~pl.col("is_formula")).sum(),
        formatted=pl.col("fixed").drop_nulls().len(),
        fixed=pl.col("fixed").mode().max(),
    )
    counted = (
        last.join(column.select("sheet", "unit", "typed"), on=("sheet", "unit"))
        # Where no cell is typed, what formulas give counts as typed.
        .filter((pl.col("typed") == 0) | ~pl.col("is_formula"))
        .group_by("sheet", "unit", "last")
        .len()
        .sort("last")
        .with_columns(
            upto=pl.col("len").cum_sum().over("sheet", "unit"), all=pl.col("len").sum().over("sheet", "unit")
        )
        .filter(pl.col("upto") * _ONE_IN >= pl.col("all"))
        .group_by("sheet", "unit")
        .agg(stored=pl.col("last").min())
    )
    column = column.join(counted, on=("sheet", "unit"), how="left").with_columns(
        places=pl.when(pl.col("formatted") * 2 > pl.col("cells"))
        .then(pl.col("unit") - pl.col("fixed"))
        .otherwise("stored")
    )
    if kind == "money":
        few = (pl.col("cells") < _FEW) & (pl.col("unit") == _WAN)
        at_least = pl.min_horizontal("places", pl.col("unit") - _PLACES_OF_FEW)
        column = column.with_columns(places=pl.when(few).then(at_least).otherwise("places"))
    least = -2 if kind == "money" else 0
    found = last.join(
        column.select("sheet", "unit", "places"), on=("sheet", "unit"), how="left", maintain_order="left"
    ).select(pl.min_horizontal("last", "places").clip(least, _LARGEST).cast(pl.Int8).alias("place"))
    units = {place: Decimal(1).scaleb(place) for place in range(least, _LARGEST + 1)}
    unit = found.select(pl.col("place").replace_strict(units, return_dtype=MONEY)).to_series()
    if where.all():
        return unit
    return pl.repeat(None, where.len(), dtype=MONEY, eager=True).scatter(where.arg_true(), unit)


def _last_places(cells: pl.DataFrame) -> pl.DataFrame:
    """With `last`, the power of ten of the last place that a cell stores, and `unit`, that of its unit."""
    text = pl.col("text")
    plain = text.str.contains(r"^\d+(?:\.\d+)?$") & (text.str.len_bytes() <= _CERTAIN_LENGTH)
    places = (
        text.str.len_bytes().cast(pl.Int32) - text.str.find(".", literal=True).cast(pl.Int32) - 1
    ).fill_null(0)
    power = pl.col("power").cast(pl.Int32)
    last = cells.with_columns(
        last=pl.when(plain).then(power - places),
        unit=pl.when(plain).then(power),
        fixed=pl.col("fixed").cast(pl.Int32),
    )
    if not last.get_column("last").null_count():
        return last
    rest = last.filter(pl.col("last").is_null()).select("text", "power").unique()
    parsed: list[tuple[Any, ...]] = [
        (written, unit, *(values.written_places(written, unit) or (unit, unit)))
        for written, unit in rest.iter_rows()
    ]
    table = pl.DataFrame(
        parsed,
        schema={"text": pl.String, "power": rest.schema["power"], "own_last": pl.Int32, "own_unit": pl.Int32},
        orient="row",
    )
    joined = last.join(table, on=("text", "power"), how="left", maintain_order="left")
    return joined.with_columns(last=pl.coalesce("last", "own_last"), unit=pl.coalesce("unit", "own_unit"))
