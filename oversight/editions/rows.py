"""The rows of published tables in a text of their own, and one digest over all of them.

Neither depends on the engine that wrote the edition: docs/editions.md has the rules, and whoever can read a table and
compute SHA-256 can check the root, or that a row is in it. A root is made of parts, one for each year of a table with
months, of buckets within a part, and of rows within a bucket; DuckDB makes texts and buckets, 2.6 µs a row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from oversight.editions.published import MAIN, REPORTED, quoted, tables_of

if TYPE_CHECKING:
    import duckdb

# Tables that readers are promised, and what was reported; detail and quality follow from these.
SCHEMAS = (MAIN, REPORTED)
# Digits of a row's digest that name its bucket.
_BUCKET = 3
_ESCAPES = (("'\\'", "'\\\\'"), ("chr(9)", "'\\t'"), ("chr(10)", "'\\n'"), ("chr(13)", "'\\r'"))


def row_text(columns: Mapping[str, str]) -> str:
    """SQL for the text of a row: columns in table order, with tabs between them; see docs/editions.md."""
    plain = _joined(columns, escape=False)
    texts = [quoted(name) for name, kind in columns.items() if kind == "VARCHAR"]
    if not texts:
        return plain
    # Hardly a row has a character that must be escaped; looking for one is cheaper than escaping all.
    return (
        f"case when regexp_matches(concat({', '.join(texts)}), '[\\\\\\t\\n\\r]') "
        f"then {_joined(columns, escape=True)} else {plain} end"
    )


def _joined(columns: Mapping[str, str], *, escape: bool) -> str:
    return f"concat_ws(chr(9), {', '.join(_cell(name, kind, escape) for name, kind in columns.items())})"


def _cell(name: str, kind: str, escape: bool) -> str:
    text = quoted(name)
    if kind != "VARCHAR":
        text = f"cast({text} as varchar)"
    elif escape:
        for old, new in _ESCAPES:
            text = f"replace({text}, {old}, {new})"
    return f"coalesce({text}, '\\N')"


def roots(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, dict[str, str]]:
    """The parts of every table: `schema.table` → year (empty for a table without months) → root of its rows."""
    return {
        f"{schema}.{table}": _parts(connection, database, schema, table, columns)
        for (schema, table), columns in tables_of(connection, database, SCHEMAS).items()
    }


def _parts(
    connection: duckdb.DuckDBPyConnection, database: str, schema: str, table: str, columns: Mapping[str, str]
) -> dict[str, str]:
    found: dict[str, str] = {}
    place = ".".join(map(quoted, (database, schema, table)))
    for part, where in _years(connection, place, columns):
        digest = hashlib.sha256()
        # A year at a time: what an ordered aggregate gathers stays in memory, and ten years of the country are much of it.
        for (of_bucket,) in connection.execute(
            f"select sha256(string_agg(hash, '' order by hash)) from ("
            f"select sha256('{schema}.{table}' || chr(9) || {row_text(columns)}) as hash from {place} where {where}) "
            f"group by substr(hash, 1, {_BUCKET}) order by substr(hash, 1, {_BUCKET})"
        ).fetchall():
            digest.update(of_bucket.encode())
        found[part] = digest.hexdigest()
    return found


def _years(
    connection: duckdb.DuckDBPyConnection, place: str, columns: Mapping[str, str]
) -> list[tuple[str, str]]:
    """The parts of a table that has any row: the year and which rows are in it; those without a month, or all, first."""
    if columns.get("month") != "DATE":
        return [("", "true")] if connection.execute(f"select 1 from {place} limit 1").fetchall() else []
    years = connection.execute(f"select distinct year(month) from {place} order by 1 nulls first").fetchall()
    return [
        ("", "month is null")
        if year is None
        else (str(year), f"month between date '{year:04}-01-01' and date '{year:04}-12-31'")
        for (year,) in years
    ]


def root(parts: Mapping[str, Mapping[str, str]]) -> str:
    """The one digest over all tables."""
    return _digest((table, _digest(sorted(parts[table].items()))) for table in sorted(parts))


def _digest(lines: Iterable[tuple[str, str]]) -> str:
    return hashlib.sha256("".join(f"{name}\t{digest}\n" for name, digest in lines).encode()).hexdigest()
