"""An open edition: one read-only attachment, a fresh cursor a query, results remembered.

An edition never changes, so whatever was once read from it stays right.
"""

from __future__ import annotations

import atexit
import contextlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from datetime import date, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from oversight import presentation, scratch
from oversight.dashboard.access import Scope, significant
from oversight.editions import Edition
from oversight.editions.code import code_version
from oversight.settings import DataFolder

T = TypeVar("T")
Row = dict[str, Any]

# Values of results remembered for an edition, all queries together, and for a copy cut to a scope: some 130 bytes each.
VALUES_KEPT = 250_000
SCOPE_VALUES_KEPT = 80_000
ENGINE: dict[str, Any] = {
    # Readers come several at a time: one core a query answers all of them sooner than two cores one after another.
    "threads": 1,
    "memory_limit": "80MB",
    "preserve_insertion_order": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}

# Queries of an edition that run at the same time: they share the memory above, and there are seldom more cores.
AT_ONCE = 2

# Sums and counts the pages above the township start from, so that a click never reads a million rows.
ROLL_UPS = (
    ("detail", "unit_monthly"),
    ("detail", "township_monthly"),
    ("detail", "payment_pace"),
    ("detail", "unit_rules_monthly"),
    ("detail", "unit_scorecard_monthly"),
    ("detail", "unit_findings_monthly"),
    ("detail", "submission_units"),
)


class Outdated(Exception):
    """The edition was made by a program that did not sum it up as the pages need it."""


@cache
def _spill_folder() -> str:
    """Where a query that needs more memory than it may have puts the rest; gone when the server stops."""
    folder = scratch.Scratch()
    atexit.register(folder.end)
    return str(folder.path)


def _weight(result: Any) -> int:
    """How many values a result holds: its rows are alike, and one of a township has eighty."""
    if isinstance(result, tuple):
        return 1 + sum(map(_weight, result))
    if not isinstance(result, list) or not result:
        return 1
    return 1 + len(result) * (len(result[0]) if isinstance(result[0], (dict, tuple)) else 1)


class _Plain:
    """Gives cursors that read the edition's tables by their bare names and remember what they were asked."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def cursor(self) -> _PlainCursor:
        """A cursor."""
        return _PlainCursor(self._warehouse)


class _PlainCursor:
    """As much of a DuckDB cursor as reading needs; the same question to the same edition is asked once."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._own: duckdb.DuckDBPyConnection | None = None
        self.description: Sequence[tuple[Any, ...]] = ()
        self._found: list[tuple[Any, ...]] = []

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> _PlainCursor:
        """Ask."""
        key = ("plain", sql, tuple(parameters))
        self.description, self._found = self._warehouse.remember(key, lambda: self._ask(sql, parameters))
        return self

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Every row."""
        return self._found

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self._found)

    def fetchone(self) -> tuple[Any, ...] | None:
        """The first row."""
        return self._found[0] if self._found else None

    def close(self) -> None:
        """Done with it."""
        if self._own is not None:
            self._own.close()
            self._own = None

    def _ask(
        self, sql: str, parameters: Sequence[Any]
    ) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
        own = self._own = self._own or self._warehouse.plain_cursor()

        def ask() -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
            result = own.execute(sql, list(parameters))
            return list(result.description or ()), result.fetchall()

        return self._warehouse.in_turn(ask)


class Warehouse:
    """One edition, open for reading: whole, or the copy that holds what a scope may see."""

    def __init__(self, edition: Edition, folder: DataFolder, file: Path, scope: Scope) -> None:
        self.edition = edition
        self.folder = folder
        self.scope = scope
        # The file that pages and the SQL sandbox read.
        self.file = file
        self.edition_id = edition.edition_id
        self._results: OrderedDict[Hashable, Any] = OrderedDict()
        self._values_kept = 0
        self._lock = threading.Lock()
        self._making: dict[Hashable, threading.Event] = {}
        self._turns = threading.Semaphore(AT_ONCE)
        self._alone = threading.Lock()
        self._connection = duckdb.connect(":memory:", config={**ENGINE, "temp_directory": _spill_folder()})
        path = str(self.file).replace("'", "''")
        self._connection.execute(f"attach '{path}' as e (read_only)")
        self._tables = {
            (schema, table)
            for schema, table in self._connection.execute(
                "select schema_name, table_name from duckdb_tables() where database_name = 'e' "
                "union all select schema_name, view_name from duckdb_views() where database_name = 'e'"
            ).fetchall()
        }
        if any(not self.has(*table) for table in ROLL_UPS):
            raise Outdated(edition.edition_id)

    @property
    def is_of_other_program(self) -> bool:
        """Whether a program that is not this one made the edition, so that it may lack a table or a column."""
        return self.edition.made_from.code_version != code_version()

    def plain_connection(self) -> Any:
        """Something whose cursors read the edition's tables by their bare names."""
        return _Plain(self)

    def plain_cursor(self) -> duckdb.DuckDBPyConnection:
        """A cursor for which the edition's tables need no prefix."""
        cursor = self._connection.cursor()
        cursor.execute("use e")
        return cursor

    def has(self, schema: str, table: str) -> bool:
        """Whether the edition carries a table or view."""
        return (schema, table) in self._tables

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """The rows of a query as dictionaries; the same query of the same edition is asked once."""
        return self.remember(("rows", sql, tuple(parameters)), lambda: self._rows(sql, parameters))

    def rows_beside(
        self,
        sql: str,
        parameters: Sequence[Any],
        key: tuple[str, ...],
        needed: str,
        further: str = "",
        columns: Sequence[str] = (),
    ) -> list[Row]:
        """The rows of a query with those of two others beside them, by key; each is asked with the same parameters.

        Planning one join of tables with eighty columns takes twice as long as asking each for its own. A row that the
        query `needed` lacks is left out; of one that `further` lacks its `columns` are unknown.
        """

        def by_key(query: str) -> dict[tuple[Any, ...], Row]:
            return {tuple(row[name] for name in key): row for row in self._rows(query, parameters)}

        def make() -> list[Row]:
            rows, wanted = self._rows(sql, parameters), by_key(needed)
            others = by_key(further) if further else {}
            unknown: Row = dict.fromkeys(columns)
            places = [(row, tuple(row[name] for name in key)) for row in rows]
            return [
                {**row, **wanted[place], **others.get(place, unknown)}
                for row, place in places
                if place in wanted
            ]

        return self.remember(("beside", sql, needed, further, tuple(parameters)), make)

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> Row:
        """The one row of a query."""
        return self.rows(sql, parameters)[0]

    def remember(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, made once even when many ask at the same time."""
        while True:
            with self._lock:
                if key in self._results:
                    self._results.move_to_end(key)
                    found: T = self._results[key]
                    return found
                waiting = self._making.get(key)
                if waiting is None:
                    self._making[key] = threading.Event()
                    break
            waiting.wait()
        try:
            made = make()
            with self._lock:
                self._results[key] = made
                self._values_kept += _weight(made)
                most = VALUES_KEPT if self.scope.is_whole else SCOPE_VALUES_KEPT
                while self._values_kept > most and len(self._results) > 1:
                    self._values_kept -= _weight(self._results.popitem(last=False)[1])
            return made
        finally:
            with self._lock:
                self._making.pop(key).set()

    def in_turn(self, ask: Callable[[], T]) -> T:
        """What a query gives. Where the others that run left it too little memory, it is asked again alone."""
        try:
            with self._turns:
                return ask()
        except duckdb.OutOfMemoryException:
            with self._alone, contextlib.ExitStack() as turns:
                for _ in range(AT_ONCE):
                    turns.enter_context(self._turns)
                return ask()

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query as they come, for what is made of them; not remembered."""
        return self._ask(lambda cursor: cursor.execute(sql, list(parameters)).fetchall())

    def _rows(self, sql: str, parameters: Sequence[Any]) -> list[Row]:
        def ask(cursor: Any) -> tuple[Any, list[tuple[Any, ...]]]:
            result = cursor.execute(sql, list(parameters))
            return result.description, result.fetchall()

        described, found = self._ask(ask)
        names = [item[0] for item in described or ()]
        return [dict(zip(names, values, strict=True)) for values in found]

    def _ask(self, ask: Callable[[Any], T]) -> T:
        cursor = self._connection.cursor()
        try:
            return self.in_turn(lambda: ask(cursor))
        except (duckdb.BinderException, duckdb.CatalogException) as error:
            # A column that an older program did not make; in an edition of this one it is a fault of ours.
            if not self.is_of_other_program:
                raise
            raise Outdated(self.edition_id) from error
        finally:
            cursor.close()

    @cached_property
    def months(self) -> list[date]:
        """Every month judged, in order."""
        # A part of the country has no roll-up of the whole, but townships of its own.
        source = (
            "e.detail.unit_monthly where unit_level = 'country'"
            if self.scope.is_whole
            else "e.detail.township_monthly"
        )
        return [row["month"] for row in self.rows(f"select distinct month from {source} order by month")]

    @cached_property
    def built_at(self) -> datetime | None:
        """When the edition was made."""
        made: datetime | None = self.row("select built_at from e.edition")["built_at"]
        return made

    @cached_property
    def texts(self) -> dict[str, presentation.ColumnText]:
        """Titles, units and hints by `table.column`, from the comments in the warehouse."""
        cursor = self._connection.cursor()
        try:
            found = presentation.column_texts(cursor)
        finally:
            cursor.close()
        return {
            (f"{table}.{name}" if schema == "main" else f"{schema}.{table}.{name}"): text
            for (schema, table), columns in found.items()
            for name, text in columns.items()
        }

    @cached_property
    def names(self) -> dict[str, str]:
        """Names of provinces, cities and counties that have townships, by six-digit code."""
        found: dict[str, str] = {}
        for level in ("province", "city", "county"):
            for row in self.rows(
                f"select distinct {level}_code as code, {level}_name as name from e.townships"
            ):
                found[row["code"]] = presentation.division_name(row["name"], row["code"])
        return found

    @cached_property
    def below(self) -> dict[str, list[tuple[str, str]]]:
        """Codes and names of the provinces, cities and counties right below each unit, by the unit's digits."""
        found: dict[str, list[tuple[str, str]]] = {}
        for code, name in sorted(self.names.items()):
            own = significant(code)
            found.setdefault(own[:-2], []).append((code, name))
        return found

    @cached_property
    def of_digits(self) -> dict[int, list[tuple[str, str]]]:
        """Codes and names of the provinces, cities and counties, by how many digits of the code say something."""
        found: dict[int, list[tuple[str, str]]] = {}
        for code, name in sorted(self.names.items()):
            found.setdefault(len(significant(code)), []).append((code, name))
        return found

    @property
    def source_line(self) -> str:
        """What stands under every table taken away."""
        last = self.months[-1] if self.months else None
        return presentation.source_line(self.edition_id, last, self.built_at)
