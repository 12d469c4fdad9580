"""The grid of units and months says the same as looking at every pair of rows."""

from __future__ import annotations

from datetime import date

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from oversight.intake.judging.slots import lay_out

# Far apart, so that the grid is also laid out over the units that occur only.
UNIT = st.sampled_from([0, 1, 2, 41_000, 5_000_000])
MONTH = st.builds(date, st.sampled_from([1999, 2024, 2025]), st.integers(1, 12), st.just(1))
ROWS = st.lists(st.tuples(UNIT, MONTH), min_size=1, max_size=40)


def _month_before(month: date) -> date:
    return date(month.year - (month.month == 1), (month.month - 2) % 12 + 1, 1)


@given(ROWS, st.data())
def test_what_shares_a_place_and_what_stands_before(
    rows: list[tuple[int, date]], data: st.DataObject
) -> None:
    units = pl.Series([u for u, _ in rows], dtype=pl.UInt32)
    slots, slot = lay_out(units, pl.Series([m for _, m in rows], dtype=pl.Date))
    shared = slots.shared(slot)
    expected = [rows.count(row) > 1 for row in rows]
    assert (shared.to_list() if shared is not None else [False] * len(rows)) == expected
    order = data.draw(st.permutations(range(len(rows))))
    counting = order[: data.draw(st.integers(0, len(rows)))]
    last = {rows[at]: at for at in counting}
    before = slots.before(slot, pl.Series(counting, dtype=pl.UInt32))
    assert before.to_list() == [last.get((unit, _month_before(month))) for unit, month in rows]
