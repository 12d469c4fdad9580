"""A sheet as a grid of cells, and what is found on it: headers, tables, refusals. The types that reading shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from oversight.intake.reading import values

Cell = Any
Row = Sequence[Cell]
MAX_COLUMNS = 400


@dataclass(frozen=True)
class Grid:
    """A sheet (or a whole CSV file): its rows from the first on, and which cells are merged."""

    name: str | None
    rows: Sequence[Row]
    merged: Sequence[tuple[tuple[int, int], tuple[int, int]]] = ()
    is_csv: bool = False
    counts_from_1904: bool = False


@dataclass(frozen=True)
class Context:
    """What is said around a table: in its title lines and footer, in the sheet's and the file's name."""

    month: date | None
    year: int | None
    filed_on: date | None
    is_correction: bool
    money_unit: str | None
    count_unit: str | None
    words: str
    # The one township that the whole table speaks of, where title, sheet or file name say so: (code, name).
    township: tuple[str | None, str | None] = (None, None)


@dataclass(frozen=True)
class Refusal:
    """A table (or file) that cannot be used, with the catalogue code and what fills its text."""

    code: str
    found: dict[str, str]
    row_number: int = 1
    sheet: str | None = None
    dataset: str | None = None
    rows: tuple[int, ...] = ()
    rows_ignored: int = 0


@dataclass(frozen=True)
class Header:
    """A recognised header: where it stands and which grid column holds which contract column."""

    dataset: str
    first_row: int
    last_row: int
    columns: dict[str, int]
    units: dict[str, str]
    titles: dict[int, str]
    width: int
    # A table with months as columns is read as one table a month: (year or None, month), and what varies with it.
    period: tuple[int | None, int] | None = None
    varying: frozenset[str] = frozenset()
    # The year in a column of its own, beside one that has only the month.
    year_at: int | None = None
    # The county in a column of its own, for units that are named without a code.
    county_at: int | None = None
    # A column that says which figure a row holds (项目): read only where the figures have columns of their own.
    item_at: int | None = None


@dataclass
class Table:
    """A recognised table: for each data row its number and, by contract column, its cells as text."""

    dataset: str
    sheet: str | None
    header: Header
    context: Context
    row_numbers: list[int] = field(default_factory=list)
    cells: dict[str, list[str | None]] = field(default_factory=dict)
    totals: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    ignored: list[tuple[int, str]] = field(default_factory=list)
    broken: list[tuple[int, str, str, str]] = field(default_factory=list)
    total_problem: str | None = None


def text_of(cell: Cell) -> str:
    return cell if isinstance(cell, str) else values.cell_text(cell)


def is_blank_row(row: Row) -> bool:
    """Whether a row has nothing in it."""
    return all(cell is None or (isinstance(cell, str) and not cell.strip()) for cell in row)


def column_letters(at: int) -> str:
    """0 → A, 26 → AA, as the sender sees it."""
    letters = ""
    at += 1
    while at:
        at, rest = divmod(at - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def line_of(row: Row) -> str:
    return " ".join(t for c in row[:MAX_COLUMNS] if (t := text_of(c).strip()))
