"""What is published, and how a table's content is told from another's.

A fingerprint is a sum over row hashes, so it does not depend on the order of rows; columns that say when or
under which name a run took place are left out, so equal inputs give equal fingerprints. The hash is DuckDB's
own (a seventh of the cost of MD5 at national size): it is comparable between editions made by the same
engine, whose version the manifest keeps beside it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

# The contract with readers: an edition without one of these is not published. More may stand beside them.
PUBLIC_TABLES = (
    "townships",
    "funding_gap_monthly",
    "fund_ledger_monthly",
    "reconciliation",
    "staffing_gap_monthly",
    "judgements",
    "findings",
    "standards",
    "standard_tiers",
    "policy_documents",
    "submissions",
    "rejected_rows",
    "table_changes",
    "edition",
)
MAIN = "main"
REPORTED = "reported"
# Beside the public tables: evidence behind judgements, roll-ups, scorecard, notes on findings.
DETAIL = "detail"
QUALITY = "quality"

# The clock, or the name of the run: not what a table says.
_VOLATILE = {"edition_id", "built_at", "received_at", "arrival_seq", "precedence"}
_SUMMED = ("_cny", "_persons", "_posts")


@dataclass(frozen=True)
class TableFacts:
    """What is compared before the pointer moves, and kept in the manifest."""

    rows: int
    totals: dict[str, str]


def quoted(name: str) -> str:
    """An identifier for SQL."""
    return '"' + name.replace('"', '""') + '"'


def tables_of(
    connection: duckdb.DuckDBPyConnection, database: str, schemas: Iterable[str]
) -> dict[tuple[str, str], dict[str, str]]:
    """(schema, table) of every table and view of those schemas of an attached database, with its columns and types."""
    rows = connection.execute(
        "select table_schema, table_name, column_name, data_type from information_schema.columns "
        "where table_catalog = ? and list_contains(?, table_schema) order by 1, 2, ordinal_position",
        [database, list(schemas)],
    ).fetchall()
    found: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for schema, table, column, kind in rows:
        found[schema, table][column] = kind
    return dict(found)


def facts(
    connection: duckdb.DuckDBPyConnection, database: str, schema: str, table: str, columns: dict[str, str]
) -> TableFacts:
    """Row count and the sums of money, persons and posts, exact and as text."""
    return _told(connection, _at(database, schema, table), columns, "")[0]


def facts_and_fingerprint(
    connection: duckdb.DuckDBPyConnection, database: str, schema: str, table: str, columns: dict[str, str]
) -> tuple[TableFacts, str]:
    """The facts, and what the table says as hexadecimal digits, whatever the order of its rows and the time of the run.

    In one scan: a view is worked out by each."""
    told = ", ".join(quoted(name) for name in columns if name not in _VOLATILE)
    total = f", coalesce(sum(cast(hash({told}) as hugeint)), 0)"
    found, rest = _told(connection, _at(database, schema, table), columns, total)
    return found, f"{found.rows:x}-{int(rest[0]):x}"


def _told(
    connection: duckdb.DuckDBPyConnection, place: str, columns: dict[str, str], more: str
) -> tuple[TableFacts, tuple[Any, ...]]:
    summed = [
        name
        for name, kind in columns.items()
        if name.endswith(_SUMMED) and kind.startswith(("DECIMAL", "BIGINT", "INTEGER", "HUGEINT"))
    ]
    sums = "".join(f", cast(sum({quoted(name)}) as varchar)" for name in summed)
    row = connection.execute(f"select count(*){sums}{more} from {place}").fetchone()
    assert row is not None
    values, rest = row[1 : len(summed) + 1], row[len(summed) + 1 :]
    totals = {name: value or "" for name, value in zip(summed, values, strict=True)}
    return TableFacts(int(row[0]), totals), tuple(rest)


def _at(database: str, schema: str, table: str) -> str:
    return ".".join(map(quoted, (database, schema, table)))
