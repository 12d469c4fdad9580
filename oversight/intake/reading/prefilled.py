"""Figures that a template carries over from the last report, and the tick that makes a report of them.

A prefilled cell that nobody touched says nothing: the clerk may not have come to it. It counts where the row's tick says
that all is as it was, or where the figure is another one than was filled in. What was filled in stands beside it in
hidden columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from oversight.contracts import ALL_DATASETS
from oversight.intake.reading import values
from oversight.intake.reading.grid import Grid, Header, Table, text_of
from oversight.intake.reading.text import fold, plain

# What a template fills in where nothing was reported before: unknown, as a dash always is.
UNKNOWN = "—"
# The headings of the tick and of the hidden columns.
TICK = "与上月一致"
LAST = "上月数："

_TICKED = frozenset(("√", "✓", "✔", "☑", "v", "y", "yes", "1", "对", "一致", "同上月", "与上月一致", "相同"))


def with_prefilled(header: Header, titles: Mapping[int, str]) -> Header:
    """The header with the places of the tick and of what was filled in, where it is one of a prefilled template."""
    tick_at = next((at for at, title in titles.items() if plain(title) == TICK), None)
    if tick_at is None:
        return header
    columns = ALL_DATASETS[header.dataset].columns
    at_of = {plain(title): at for at, title in titles.items()}
    last_at = {
        name: at_of[written]
        for name in header.columns
        if (written := plain(LAST + columns[name].title_zh)) in at_of
    }
    return replace(header, tick_at=tick_at, last_at=last_at)


def is_ticked(text: str) -> bool:
    """Whether a cell below the tick says that all is as it was."""
    folded = fold(text).strip().lower()
    return folded in _TICKED or values.yes_no(folded) is True


def take_out_unconfirmed(table: Table, ticks: Sequence[str], last: Mapping[str, Sequence[str]]) -> None:
    """Blank the prefilled figures that nobody confirmed or changed, and note where they stood.

    Where the columns of what was filled in were lost, nothing without a tick that hardly ever changes is a report.
    """
    columns = ALL_DATASETS[table.dataset].columns
    rare = [n for n in table.cells if columns[n].rarely_changes]
    for name in last or rare:
        cells = table.cells[name]
        for at, number in enumerate(table.row_numbers):
            written = cells[at]
            if not written:
                continue
            if last and written == last[name][at] == UNKNOWN:
                cells[at] = None
            elif not is_ticked(ticks[at]) and (not last or _same(written, last[name][at])):
                cells[at] = None
                table.unconfirmed.append((number, name))
    figures = [table.cells[n] for n in table.cells if columns[n].is_measure]
    unfilled = [at for at in range(len(table.row_numbers)) if not any(cells[at] for cells in figures)]
    told = list(table.unconfirmed)
    # Rows of a template may be left as they are: what was filled in there is told, not each of them.
    table.drop(unfilled, "unfilled")
    table.unconfirmed = told


def beside(grid: Grid, table: Table, at: int) -> list[str]:
    """What a column that is none of the contract's says of each row, a merged cell holding for all its rows."""
    cells = {
        n - 1: text_of(grid.rows[n - 1][at]) if at < len(grid.rows[n - 1]) else "" for n in table.row_numbers
    }
    for (top, left), (bottom, right) in grid.merged:
        if left <= at <= right and top in cells:
            cells |= {r: cells[top] for r in range(top, bottom + 1) if r in cells}
    return list(cells.values())


def _same(written: str, filled_in: str) -> bool:
    if not filled_in.strip():
        return False
    one, other = values.number(written), values.number(filled_in)
    if one is not None and other is not None and not isinstance(one, values.Problem):
        return one == other
    return plain(written) == plain(filled_in)
