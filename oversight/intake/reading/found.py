"""What reading a file comes to: its tables, parts that had to be refused, doubts, or why nothing can be read."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from oversight.intake.reading.grid import Context, Header, Refusal, Table

if TYPE_CHECKING:
    import polars as pl


class Unreadable(Exception):
    """A file that cannot be read, with its catalogue code."""

    def __init__(self, code: str, **found: str) -> None:
        super().__init__(code)
        self.refusal = Refusal(code, found)


@dataclass
class BulkTable:
    """A large CSV as one frame of text columns named by contract, with `row_number`."""

    dataset: str
    header: Header
    context: Context
    frame: pl.DataFrame
    ignored: list[tuple[int, str]]
    sheet: str | None = None
    totals: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    broken: list[tuple[int, str, str, str]] = field(default_factory=list)
    total_problem: str | None = None
    # On its way from the process that read it: the file that holds the frame.
    spooled: str | None = None

    @property
    def row_numbers(self) -> list[int]:
        """The number of each data row."""
        return self.frame["row_number"].to_list()

    @property
    def given(self) -> Collection[str]:
        """The contract's columns that it has."""
        return self.frame.columns


@dataclass(frozen=True)
class Notice:
    """A doubt about a sheet or a part of it, with the catalogue code and what fills its text."""

    code: str
    found: dict[str, str]
    sheet: str | None = None
    row_number: int | None = None
    dataset: str | None = None


@dataclass
class Reading:
    """What was found in a file: tables, tables that had to be refused, or why nothing can be read."""

    tables: list[Table | BulkTable] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    error: Refusal | None = None
    has_formulas: bool = False
    notices: list[Notice] = field(default_factory=list)
    # It has columns about persons, which are kept encrypted.
    is_personal: bool = False
    # The content is not the one that was to be read.
    is_not_it: bool = False
