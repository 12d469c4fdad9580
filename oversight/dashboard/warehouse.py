"""Open editions: one read-only attachment an edition, a fresh cursor a query, results remembered.

An edition never changes, so whatever was once read from it stays right. A page says which edition it shows;
a newer one is opened beside it and the old one goes when nobody has asked for it for a while.
"""

from __future__ import annotations

import atexit
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from datetime import date, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from oversight import presentation
from oversight.editions import Edition, current, find_edition
from oversight.settings import DataFolder

T = TypeVar("T")
Row = dict[str, Any]

# Editions held open at once: the current one, and those that pages opened earlier still show.
EDITIONS_OPEN = 4
# Rows of results remembered for an edition, all queries together.
ROWS_KEPT = 12_000
ENGINE: dict[str, Any] = {
    # Readers come several at a time: one core a query answers all of them sooner than two cores one after another.
    "threads": 1,
    "memory_limit": "120MB",
    "preserve_insertion_order": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}

# Sums that every page above the township starts from, so that a click never reads a million rows.
FUNDING_SUMS = """
    cast(count(*) as bigint) as units_count,
    cast(count(standard_id) as bigint) as covered_count,
    cast(sum(guaranteed_annual_cny) as decimal(24, 2)) as guaranteed_annual_cny,
    cast(sum(guaranteed_ytd_cny) as decimal(24, 2)) as guaranteed_ytd_cny,
    cast(sum(case when standard_id is not null then allocated_annual_cny end) as decimal(24, 2))
        as allocated_annual_cny,
    cast(sum(case when standard_id is not null then disbursed_ytd_cny end) as decimal(24, 2))
        as disbursed_ytd_cny,
    cast(sum(case when standard_id is not null then spent_ytd_cny end) as decimal(24, 2)) as spent_ytd_cny,
    cast(sum(allocation_shortfall_cny) as decimal(24, 2)) as allocation_shortfall_cny,
    cast(sum(disbursement_shortfall_ytd_cny) as decimal(24, 2)) as disbursement_shortfall_ytd_cny,
    cast(sum(case when allocated_annual_cny is not null then guaranteed_annual_cny end) as decimal(24, 2))
        as judged_guaranteed_cny,
    cast(sum(case when guaranteed_annual_cny is not null then allocated_annual_cny end) as decimal(24, 2))
        as judged_allocated_cny,
    cast(count(case when status = 'short' then 1 end) as bigint) as short_count,
    cast(count(case when status = 'met' then 1 end) as bigint) as met_count,
    cast(count(case when status = 'not_reported' then 1 end) as bigint) as not_reported_count,
    cast(count(case when status = 'no_standard' then 1 end) as bigint) as no_standard_count
"""

FUNDING_COLUMNS = (
    "units_count",
    "covered_count",
    "guaranteed_annual_cny",
    "guaranteed_ytd_cny",
    "allocated_annual_cny",
    "disbursed_ytd_cny",
    "spent_ytd_cny",
    "allocation_shortfall_cny",
    "disbursement_shortfall_ytd_cny",
    "judged_guaranteed_cny",
    "judged_allocated_cny",
    "short_count",
    "met_count",
    "not_reported_count",
    "no_standard_count",
)

# Somebody short under two standards is missing once: the larger of the two counts.
STAFF_BY_TOWNSHIP = """
    select
        township_code, month,
        max(shortfall_persons) as shortfall_persons,
        max(excess_persons) as excess_persons,
        max(required_min_persons) as required_persons,
        max(case when status = 'short' then 1 else 0 end) as is_short,
        max(case when status = 'not_reported' then 1 else 0 end) as is_silent
    from e.staffing_gap_monthly
    {where}
    group by township_code, month
"""
STAFF_SUMS = """
    cast(count(*) as bigint) as asked_count,
    cast(sum(shortfall_persons) as bigint) as shortfall_persons,
    cast(sum(excess_persons) as bigint) as excess_persons,
    cast(sum(required_persons) as bigint) as required_persons,
    cast(sum(is_short) as bigint) as short_count,
    cast(sum(is_silent) as bigint) as silent_count
"""
STAFF_COLUMNS = (
    "asked_count",
    "shortfall_persons",
    "excess_persons",
    "required_persons",
    "short_count",
    "silent_count",
)

# Which of the three monthly tables a township sent for a month. A village or a farm is not asked.
REPORTS_BY_TOWNSHIP = """
    select
        f.township_code, f.month,
        coalesce(g.population, 0) as population,
        coalesce(g.budget, 0) as budget,
        coalesce(g.staffing, 0) as staffing
    from e.funding_gap_monthly as f
    inner join e.townships as t on f.township_code = t.township_code and t.is_township
    left join (
        select
            township_code, month,
            max(population) as population, max(budget) as budget, max(staffing) as staffing
        from (
            select township_code, month, 1 as population, 0 as budget, 0 as staffing
            from e.reported.population where is_current {and_where}
            union all
            select township_code, month, 0, 1, 0 from e.reported.budget where is_current {and_where}
            union all
            select township_code, month, 0, 0, 1 from e.reported.staffing where is_current {and_where}
        ) group by township_code, month
    ) as g on f.township_code = g.township_code and f.month = g.month
    {where}
"""
REPORTS_SUMS = """
    cast(count(*) as bigint) as expected_count,
    cast(count(*) - sum(population) as bigint) as population_missing,
    cast(count(*) - sum(budget) as bigint) as budget_missing,
    cast(count(*) - sum(staffing) as bigint) as staffing_missing,
    cast(count(case when population + budget + staffing < 3 then 1 end) as bigint) as missing_count
"""
REPORTS_COLUMNS = (
    "expected_count",
    "population_missing",
    "budget_missing",
    "staffing_missing",
    "missing_count",
)


class Unavailable(Exception):
    """The edition a page shows is no longer there."""


@cache
def _spill_folder() -> str:
    """Where a query that needs more memory than it may have puts the rest; gone when the server stops."""
    folder = tempfile.TemporaryDirectory(prefix="oversight-dashboard-")
    atexit.register(folder.cleanup)
    return folder.name


def _weight(result: Any) -> int:
    return 1 + (len(result) if isinstance(result, list) else 0)


class _Plain:
    """A connection whose cursors stand in the edition instead of in the memory beside it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A fresh cursor."""
        cursor = self._connection.cursor()
        cursor.execute("use e")
        return cursor


class Warehouse:
    """One edition, open for reading."""

    def __init__(self, edition: Edition, returned_folder: Path) -> None:
        self.edition = edition
        self.returned_folder = returned_folder
        self.edition_id = edition.edition_id
        self._results: OrderedDict[Hashable, Any] = OrderedDict()
        self._rows_kept = 0
        self._lock = threading.Lock()
        self._making: dict[Hashable, threading.Event] = {}
        self._connection = duckdb.connect(":memory:", config={**ENGINE, "temp_directory": _spill_folder()})
        path = str(edition.warehouse).replace("'", "''")
        self._connection.execute(f"attach '{path}' as e (read_only)")
        self._tables = {
            (schema, table)
            for schema, table in self._connection.execute(
                "select schema_name, table_name from duckdb_tables() where database_name = 'e'"
            ).fetchall()
        }
        self._sum_up()

    def _sum_up(self) -> None:
        """County × month sums of everything monthly."""
        execute = self._connection.execute
        # Month by month, as the rows lie in the file: the whole country at once would not fit in the memory allowed.
        months = [
            row[0]
            for row in execute("select distinct month from e.funding_gap_monthly order by month").fetchall()
        ]
        for number, month in enumerate(months or [date(1900, 1, 1)]):
            span = f"month = date '{month}'"
            reports = REPORTS_BY_TOWNSHIP.format(where=f"where f.{span}", and_where=f"and {span}")
            county = "substr(township_code, 1, 6) as county_code"
            for table, query in (
                (
                    "county_funding",
                    f"select {county}, month, {FUNDING_SUMS} from e.funding_gap_monthly where {span}",
                ),
                (
                    "county_staffing",
                    f"select {county}, month, {STAFF_SUMS} from ({STAFF_BY_TOWNSHIP.format(where='where ' + span)})",
                ),
                ("county_reports", f"select {county}, month, {REPORTS_SUMS} from ({reports})"),
                (
                    "county_rules",
                    "select rule_id, substr(subject_code, 1, 6) as county_code, month, status, "
                    "cast(count(*) as bigint) as answers, cast(sum(shortfall) as decimal(24, 4)) as shortfall "
                    f"from e.judgements where {span}",
                ),
            ):
                verb = f"create table {table} as" if number == 0 else f"insert into {table}"
                execute(f"{verb} {query} group by all order by all")
        execute(
            "create table submission_counties as select distinct submission_id, "
            "substr(township_code, 1, 6) as county_code from ("
            "select submission_id, township_code from e.reported.population union all "
            "select submission_id, township_code from e.reported.budget union all "
            "select submission_id, township_code from e.reported.staffing)"
        )

    def plain_connection(self) -> Any:
        """Something whose cursors read the edition's tables by their bare names."""
        return _Plain(self._connection)

    def has(self, schema: str, table: str) -> bool:
        """Whether the edition carries a table."""
        return (schema, table) in self._tables

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """The rows of a query as dictionaries; the same query of the same edition is asked once."""
        return self.remember(("rows", sql, tuple(parameters)), lambda: self._rows(sql, parameters))

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
                self._rows_kept += _weight(made)
                while self._rows_kept > ROWS_KEPT and len(self._results) > 1:
                    self._rows_kept -= _weight(self._results.popitem(last=False)[1])
            return made
        finally:
            with self._lock:
                self._making.pop(key).set()

    def _rows(self, sql: str, parameters: Sequence[Any]) -> list[Row]:
        cursor = self._connection.cursor()
        try:
            result = cursor.execute(sql, list(parameters))
            names = [item[0] for item in result.description or ()]
            return [dict(zip(names, values, strict=True)) for values in result.fetchall()]
        finally:
            cursor.close()

    @cached_property
    def months(self) -> list[date]:
        """Every month judged, in order."""
        return [row["month"] for row in self.rows("select distinct month from county_funding order by month")]

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

    @property
    def source_line(self) -> str:
        """What stands under every table taken away."""
        last = self.months[-1] if self.months else None
        return presentation.source_line(self.edition_id, last, self.built_at)


class Shelf:
    """The editions of a data folder, opened when asked for."""

    def __init__(self, folder: DataFolder) -> None:
        self.folder = folder
        self._open: OrderedDict[str, Warehouse] = OrderedDict()
        self._opening: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def current_id(self) -> str | None:
        """The edition a page opened now shows; None before the first."""
        edition = current(self.folder)
        return edition.edition_id if edition else None

    def warehouse(self, edition_id: str) -> Warehouse:
        """That edition, open. Raises `Unavailable` when it is gone."""
        with self._lock:
            found = self._open.get(edition_id)
            if found is not None:
                self._open.move_to_end(edition_id)
                return found
            opening = self._opening.setdefault(edition_id, threading.Lock())
        with opening:
            with self._lock:
                found = self._open.get(edition_id)
            if found is not None:
                return found
            try:
                made = Warehouse(find_edition(self.folder, edition_id), self.folder.returned)
            except Exception as error:
                if not (Path(self.folder.marts) / "editions" / edition_id).exists():
                    raise Unavailable(edition_id) from error
                raise
            with self._lock:
                self._open[edition_id] = made
                # Whoever still reads an edition taken off the shelf keeps it until done.
                while len(self._open) > EDITIONS_OPEN:
                    self._open.popitem(last=False)
                self._opening.pop(edition_id, None)
            return made
