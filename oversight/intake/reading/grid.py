"""A sheet as a grid of cells, and what is found on it: headers, tables, refusals. The types that reading shares."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from oversight.intake.reading import values

Cell = Any
Row = Sequence[Cell]
# 0-based (row, column), as everything that is told of a grid's cells.
Place = tuple[int, int]
Area = tuple[Place, Place]
Visibility = Literal["visible", "hidden", "very_hidden"]
MAX_COLUMNS = 400
_NONE: frozenset[int] = frozenset()
_NO_PLACES: Mapping[int, int] = {}


@dataclass(frozen=True)
class Grid:
    """A sheet (or a whole CSV file): its rows from the first on, which cells are merged, and the facts of its cells.

    A blank cell is an empty text. An error cell and a formula that nothing ever worked out hold their word for it
    (`values.ERROR_CELLS`, `values.NO_RESULT`), because a blank would mean "not reported".
    """

    name: str | None
    rows: Sequence[Row]
    merged: Sequence[Area] = ()
    is_csv: bool = False
    counts_from_1904: bool = False
    visibility: Visibility = "visible"
    # Hidden by hand or by a filter.
    hidden_rows: frozenset[int] = _NONE
    hidden_columns: frozenset[int] = _NONE
    # Row → columns that hold a formula.
    formulas: Mapping[int, frozenset[int]] = field(default_factory=dict)
    # Row → column → decimal places that the number format of a number fixes, negative where it shows thousands.
    decimals: Mapping[int, Mapping[int, int]] = field(default_factory=dict)

    def is_formula(self, row: int, column: int) -> bool:
        """Whether the cell's value is the result of a formula."""
        return column in self.formulas.get(row, _NONE)

    def places(self, row: int, column: int) -> int | None:
        """The decimal places that the cell's number format fixes; None where it fixes none, or the file has none."""
        return self.decimals.get(row, _NO_PLACES).get(column)


def fitting(merged: Sequence[Area], rows: Sequence[Row]) -> tuple[Area, ...] | None:
    """Merged areas cut down to the cells there are; None where so many cannot be without lying on one another.

    A workbook may claim any number of areas over whole columns; what is walked over later is bounded so.
    """
    height, width = len(rows), max(map(len, rows), default=0)
    kept: list[Area] = []
    covered = 0
    for (top, left), (bottom, right) in merged:
        if top >= height or left >= width or bottom < top or right < left:
            continue
        bottom, right = min(bottom, height - 1), min(right, width - 1)
        covered += (bottom - top + 1) * (right - left + 1)
        kept.append(((top, left), (bottom, right)))
    return None if covered > height * width else tuple(kept)


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
    # The office that fills the form in, as 填报单位 or the beginning of the title names it.
    reporter: str | None = None
    # The months that a title or a line above speaks of, first and last.
    period: tuple[date, date] | None = None
    # First and last month, where the table covers more than one; `month` is then the last.
    span: tuple[int, int] | None = None
    # Who sends the table, as far as it says so.
    sender: str = ""
    # Where the month was found: 标题, 工作表名 or 文件名.
    month_from: str = ""
    # Where title, sheet, file name and the column of months do not agree on the month: what each says.
    months_said: str = ""


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
    # Columns whose meaning is a question until someone answers it, and those understood without being spelled so.
    asked: frozenset[str] = frozenset()
    inferred: frozenset[str] = frozenset()
    # Of a table that lies on its side: the sheet's row for each of `columns`, and the column of their headings. Its rows
    # are then columns of the sheet.
    rows_of: dict[int, int] = field(default_factory=dict)
    # And the column of each, where one township's values stand in several columns.
    columns_of: dict[int, int] = field(default_factory=dict)
    label_at: int = 0
    # Columns that the contract does not know: what stands in them is kept with the row.
    others: dict[int, str] = field(default_factory=dict)
    # Of a prefilled template: the column of the tick, and for each prefilled column the one with what was filled in.
    tick_at: int | None = None
    last_at: dict[str, int] = field(default_factory=dict)
    # The fund that the heading of the one figure names, where funds stand side by side.
    fund: str | None = None

    def place(self, at: int) -> str:
        """A column's letters; of a table that lies on its side the number of its row, or the very cell."""
        if at in self.columns_of:
            return f"{column_letters(self.columns_of[at])}{self.rows_of[at]}"
        return str(self.rows_of[at]) if at in self.rows_of else column_letters(at)

    def where(self, at: int) -> str:
        """Its place as the sender is told it."""
        place = self.place(at)
        return f"{place} 列" if place.isalpha() else f"{place} 行" if place.isdigit() else f"{place} 单元格"


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
    # Of the columns with figures, for each data row: whether a formula gave the figure, and the decimal places that
    # the number format fixes. Columns of which nothing is known are left out.
    is_formula: dict[str, list[bool]] = field(default_factory=dict)
    places: dict[str, list[int | None]] = field(default_factory=dict)
    # The numbers of the data rows that are hidden in the sheet.
    hidden: frozenset[int] = _NONE
    # For each row what stands in columns that the contract does not know, as JSON.
    others: list[str | None] = field(default_factory=list)
    # Prefilled figures that nobody confirmed: (number of the row, column).
    unconfirmed: list[tuple[int, str]] = field(default_factory=list)

    @property
    def given(self) -> Collection[str]:
        """The contract's columns that it has."""
        return self.cells

    def drop(self, at: Sequence[int], kind: str) -> None:
        """Take the data rows at these places out; they count as ignored, for the reason `kind`."""
        gone = set(at)
        numbers = {self.row_numbers[i] for i in gone}
        self.ignored = sorted([*self.ignored, *((number, kind) for number in numbers)])
        self.broken = [entry for entry in self.broken if entry[0] not in numbers]
        self.unconfirmed = [entry for entry in self.unconfirmed if entry[0] not in numbers]
        kept = [i for i in range(len(self.row_numbers)) if i not in gone]
        self.row_numbers = [self.row_numbers[i] for i in kept]
        self.cells = {name: [cells[i] for i in kept] for name, cells in self.cells.items()}
        self.is_formula = {name: [cells[i] for i in kept] for name, cells in self.is_formula.items()}
        self.places = {name: [cells[i] for i in kept] for name, cells in self.places.items()}
        self.others = [self.others[i] for i in kept] if self.others else []


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


def ranges_of(cells: Iterable[tuple[int, int]]) -> str:
    """Cells, given as (column from 0, row from 1), named as the sender sees them: D4:F9、H4."""
    rows_of: dict[int, set[int]] = {}
    for at, row in cells:
        rows_of.setdefault(at, set()).add(row)
    # Runs of rows below one another in each column, then runs that stand beside one another.
    runs: dict[tuple[int, int], list[int]] = {}
    for at in sorted(rows_of):
        rows = sorted(rows_of[at])
        first = rows[0]
        for row, after in zip(rows, [*rows[1:], None], strict=True):
            if after != row + 1:
                runs.setdefault((first, row), []).append(at)
                first = after if after is not None else row
    named: list[tuple[int, int, str]] = []
    for (first, last), places in runs.items():
        left = places[0]
        for at, after in zip(places, [*places[1:], None], strict=True):
            if after != at + 1:
                one, other = f"{column_letters(left)}{first}", f"{column_letters(at)}{last}"
                named.append((left, first, one if one == other else f"{one}:{other}"))
                left = after if after is not None else at
    return "、".join(text for _, _, text in sorted(named))


def line_of(row: Row) -> str:
    return " ".join(t for c in row[:MAX_COLUMNS] if (t := text_of(c).strip()))
