"""The rows of published tables in a text of their own, and one digest over all of them.

Neither depends on the engine that wrote the edition: docs/editions.md has the rules, and whoever can read a table and
compute SHA-256 can check the root, or that a row is in it. A root is made of parts, one for each year of a table with
months, of buckets within a part, and of rows within a bucket; DuckDB makes texts and buckets, 2.6 µs a row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from oversight.editions.published import MAIN, REPORTED, quoted, tables_of
from oversight.editions.years import Sums, rows_of, sums_of

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


def sums(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, Sums]:
    """What tells the rows of each year of every table whose rows are digested: `schema.table` → year → that."""
    return {
        f"{schema}.{table}": sums_of(connection, _place(database, schema, table), columns)
        for (schema, table), columns in tables_of(connection, database, SCHEMAS).items()
    }


def roots(
    connection: duckdb.DuckDBPyConnection,
    database: str,
    found: Mapping[str, Sums],
    before: Mapping[str, Any] | None = None,
) -> dict[str, dict[str, str]]:
    """The parts of every table: `schema.table` → year (empty for a table without months) → root of its rows.

    `found` are the table's `sums`. `before` is what the manifest of the edition before says: a part whose rows are the
    same is not worked out again.
    """
    told = before or {}
    return {
        name: {
            part: told["row_parts"][name][part]
            if told.get("row_sums", {}).get(name, {}).get(part) == total
            else _root_of(connection, database, schema, table, columns, part)
            for part, total in found[name].items()
        }
        for (schema, table), columns in tables_of(connection, database, SCHEMAS).items()
        for name in (f"{schema}.{table}",)
    }


def _root_of(
    connection: duckdb.DuckDBPyConnection,
    database: str,
    schema: str,
    table: str,
    columns: Mapping[str, str],
    part: str,
) -> str:
    # A year at a time: what an ordered aggregate gathers stays in memory, and ten years of the country are much of it.
    where = rows_of(part) if columns.get("month") == "DATE" else "true"
    digest = hashlib.sha256()
    for (of_bucket,) in connection.execute(
        f"select sha256(array_to_string(list_sort(list(hash)), '')) from ("
        f"select sha256('{schema}.{table}' || chr(9) || {row_text(columns)}) as hash "
        f"from {_place(database, schema, table)} where {where}) "
        f"group by substr(hash, 1, {_BUCKET}) order by substr(hash, 1, {_BUCKET})"
    ).fetchall():
        digest.update(of_bucket.encode())
    return digest.hexdigest()


def _place(database: str, schema: str, table: str) -> str:
    return ".".join(map(quoted, (database, schema, table)))


def root(parts: Mapping[str, Mapping[str, str]]) -> str:
    """The one digest over all tables."""
    return _digest((table, _digest(sorted(parts[table].items()))) for table in sorted(parts))


def _digest(lines: Iterable[tuple[str, str]]) -> str:
    return hashlib.sha256("".join(f"{name}\t{digest}\n" for name, digest in lines).encode()).hexdigest()
