"""Unit and month as one small whole number, so that a pass over millions of rows needs no sorting and no text.

Every unit has a row of places, one for each month that occurs; what shares a place speaks of the same unit and month,
and the place before is the same unit's month before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import cast

import polars as pl

# A grid of all units is laid out unless it would be much larger than the rows to be placed in it.
_SPARE = 4_000_000


@dataclass(frozen=True)
class Slots:
    """A grid of places: `months` to each unit; `follows` says of each whether the month before it occurs too.

    `is_single` says that no two of the rows it was laid out for share a place.
    """

    size: int
    months: int
    follows: pl.Series
    is_single: bool

    def shared(self, slot: pl.Series) -> pl.Series | None:
        """Which of these rows share their place with another one of them; None if none does."""
        if self.is_single:
            return None
        place = pl.int_range(slot.len(), dtype=pl.UInt32, eager=True)
        beaten = pl.repeat(None, self.size, dtype=pl.UInt32, eager=True).scatter(slot, place)
        again = slot.filter(beaten.gather(slot) != place)
        if again.is_empty():
            return None
        places = pl.repeat(value=False, n=self.size, dtype=pl.Boolean, eager=True)
        return places.scatter(again, True).gather(slot)

    def before(self, slot: pl.Series, rows: pl.Series) -> pl.Series:
        """For each row the number of the row that stands last among `rows` in the place of the month before."""
        held = pl.repeat(None, self.size, dtype=pl.UInt32, eager=True).scatter(slot.gather(rows), rows)
        has_one = self.follows.gather(slot % self.months)
        return held.gather(pl.select(pl.when(has_one).then(slot - 1)).to_series())


def lay_out(unit: pl.Series, month: pl.Series) -> tuple[Slots, pl.Series]:
    """The grid for rows of numbered units and first days of months, and the place of each row."""
    distinct, number = _numbered(month.cast(pl.Int32))
    height = cast(int, unit.max()) + 1
    if height * distinct.len() > 4 * unit.len() + _SPARE:
        units, unit = _numbered(unit.cast(pl.Int32))
        height = units.len()
    dates = distinct.cast(pl.Date).to_list()
    follows = [i > 0 and (d - timedelta(days=1)).replace(day=1) == dates[i - 1] for i, d in enumerate(dates)]
    slot = unit.cast(pl.UInt32) * distinct.len() + number
    size = height * distinct.len()
    taken = pl.repeat(value=False, n=size, dtype=pl.Boolean, eager=True).scatter(slot, True).sum()
    return Slots(size, distinct.len(), pl.Series(follows, dtype=pl.Boolean), taken == slot.len()), slot


def _numbered(values: pl.Series) -> tuple[pl.Series, pl.Series]:
    """The distinct values in order, and for each value its number among them. For values close together."""
    distinct = values.unique().sort()
    first, last = distinct[0], distinct[-1]
    table = pl.repeat(None, last - first + 1, dtype=pl.UInt32, eager=True).scatter(
        distinct - first, pl.int_range(distinct.len(), dtype=pl.UInt32, eager=True)
    )
    return distinct, table.gather(values - first)
