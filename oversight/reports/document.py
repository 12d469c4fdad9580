"""What a report says, as plain data, before anyone decides how it looks.

Every writer gets the same `Report` and takes the text of a figure from `text_of`, so that no two formats can
differ. Nothing here knows SQL, templates or a file format.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Literal

from oversight import presentation
from oversight.metrics import added

Value = Decimal | int | str | date | None
Kind = Literal["text", "count", "money", "pct", "rank", "month", "quantity"]
_NUMERIC = ("count", "money", "pct", "rank", "quantity")


@dataclass(frozen=True)
class Column:
    """A column of a table. `width` is relative; a column that is not `printed` is in xlsx and HTML only.

    `total`: "sum" adds the rows that count, ("ratio", part, whole) divides two of the totals, None is a value that
    the rows do not add up to, or nothing.
    """

    key: str
    title: str
    kind: Kind = "text"
    width: float = 1.0
    printed: bool = True
    total: Literal["sum"] | tuple[Literal["ratio"], str, str] | None = None

    @property
    def is_number(self) -> bool:
        """Whether values stand to the right, and are numbers in the workbook."""
        return self.kind in _NUMERIC


@dataclass(frozen=True)
class Total:
    """The last row. Only rows whose column `where` holds one of `counted` count, all rows when it is None.

    `values` are the roll-ups' figures; a column of sums that has none there is what the rows shown add up to.
    """

    label: str
    values: dict[str, Value]
    where: str | None = None
    counted: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table: a number, a word for what is missing (未报, —), or text in every cell."""

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    total: Total | None = None
    note: str = ""
    # On paper a table of more rows than this leaves out those whose column `omitted[0]` says `omitted[1]`.
    paper_limit: int | None = None
    omitted: tuple[str, str] = ("", "")

    @property
    def printed(self) -> list[int]:
        """Positions of the columns that have a place on paper."""
        return [position for position, column in enumerate(self.columns) if column.printed]

    @cached_property
    def paper_rows(self) -> tuple[tuple[Value, ...], ...]:
        """The rows that have a place on paper; the workbook and the page always hold all of them."""
        if self.paper_limit is None or len(self.rows) <= self.paper_limit:
            return self.rows
        key, value = self.omitted
        at = self.position(key)
        return tuple(row for row in self.rows if row[at] != value)

    @cached_property
    def paper_texts(self) -> list[list[str]]:
        """The paper rows as they are printed, in the printed columns."""
        kinds = [(position, self.columns[position].kind) for position in self.printed]
        return [[text_of(row[position], kind) for position, kind in kinds] for row in self.paper_rows]

    @cached_property
    def total_texts(self) -> list[str] | None:
        """The last row as it is printed; None where there is no total."""
        total = self.total_row()
        if total is None:
            return None
        return [text_of(total[position], self.columns[position].kind) for position in self.printed]

    @cached_property
    def longest(self) -> list[int]:
        """How many half-width characters the longest text of each printed column has."""
        rows = self.paper_texts if self.total_texts is None else [*self.paper_texts, self.total_texts]
        if not rows:
            return [0] * len(self.printed)
        return [max(map(half_widths, set(texts))) for texts in zip(*rows, strict=True)]

    @property
    def paper_note(self) -> str:
        """The note, and on paper how many rows were left out."""
        left = len(self.rows) - len(self.paper_rows)
        if not left:
            return self.note
        return f"{self.note}“{self.omitted[1]}”的{presentation.count(left)}行从略，全部见Excel和网页版；如有合计，含从略的行。"

    def position(self, key: str) -> int:
        """Where a column stands."""
        return next(position for position, column in enumerate(self.columns) if column.key == key)

    def total_row(self) -> tuple[Value, ...] | None:
        """The total's cells in the order of the columns: its label first."""
        if self.total is None:
            return None
        return (self.total.label, *(self._total_of(column) for column in self.columns[1:]))

    def _total_of(self, column: Column) -> Value:
        assert self.total is not None
        if column.key in self.total.values or column.total != "sum":
            return self.total.values.get(column.key, "")
        at, where = self.position(column.key), self.total.where
        shown = added(
            row[at]
            for row in self.rows
            if isinstance(row[at], (Decimal, int))
            and (where is None or row[self.position(where)] in self.total.counted)
        )
        return presentation.NONE if shown is None else shown


@dataclass(frozen=True)
class Series:
    """Values of one measure over a chart's categories; None is a gap, never nought."""

    name: str
    values: tuple[Decimal | int | None, ...]


@dataclass(frozen=True)
class Chart:
    """A picture: `dumbbell` compares two measures a category, `lines` over time, `stacked` shares of a whole."""

    key: str
    title: str
    form: Literal["dumbbell", "lines", "stacked"]
    categories: tuple[str, ...]
    series: tuple[Series, ...]
    unit: str
    note: str = ""


@dataclass(frozen=True)
class Heading:
    """A heading of level 1 (一、), 2 (（一）) or 3 (1.), with its number."""

    level: int
    text: str


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of running text; a point of the first page is set smaller, so that the page holds all of them."""

    text: str
    is_point: bool = False


@dataclass(frozen=True)
class TableRef:
    """Where a table stands in the text; `caption` has its number."""

    table: Table
    caption: str


@dataclass(frozen=True)
class ChartRef:
    """Where a chart stands in the text; `caption` has its number."""

    chart: Chart
    caption: str


Block = Heading | Paragraph | TableRef | ChartRef


@dataclass(frozen=True)
class Annex:
    """附件: a title, and tables, charts or text."""

    number: int
    title: str
    blocks: tuple[Block, ...]

    @property
    def label(self) -> str:
        """附件1."""
        return f"附件{self.number}"


@dataclass(frozen=True)
class Report:
    """A whole report."""

    month: date
    scope_code: str
    scope_name: str
    issuer: str
    red_head: str
    document_no: str
    title: str
    recipients: str
    opening: tuple[Block, ...]
    body: tuple[Block, ...]
    closing: tuple[Block, ...]
    annexes: tuple[Annex, ...]
    signature: str
    dated: str
    copies: str
    printed_by: str
    printed: str
    notes: tuple[tuple[str, str], ...]
    edition_id: str
    built_at: datetime
    version: int
    draft: str = ""
    source: str = ""
    fonts: dict[str, str] = field(default_factory=dict)

    @property
    def tables(self) -> list[TableRef]:
        """Every table in the order in which it stands."""
        return [block for block in self.blocks if isinstance(block, TableRef)]

    @property
    def charts(self) -> list[ChartRef]:
        """Every chart in the order in which it stands."""
        return [block for block in self.blocks if isinstance(block, ChartRef)]

    @property
    def blocks(self) -> list[Block]:
        """Text, tables and charts from the opening to the last annex."""
        found = [*self.opening, *self.body, *self.closing]
        for annex in self.annexes:
            found += annex.blocks
        return found


@lru_cache(maxsize=1 << 16)
def half_widths(text: str) -> int:
    """Length in half-width characters: a Chinese character is as wide as two figures."""
    return sum(2 if unicodedata.east_asian_width(c) in "WFA" else 1 for c in text)


def text_of(value: Value, kind: Kind) -> str:
    """A value as every format prints it."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, date):
        return presentation.month(value)
    if kind == "money":
        return presentation.money(value, "yuan")
    if kind == "pct":
        return presentation.percent(Decimal(value), 2, named=False)
    if kind == "quantity":
        # Money comes with its two decimals and keeps them.
        is_money = isinstance(value, Decimal) and value.as_tuple().exponent == -2
        return presentation.money(value, "yuan") if is_money else presentation.quantity(value, None)
    return presentation.count(value)
