"""A copy of an edition that holds only what a scope may see. Whatever the query, it cannot show what is not there.

The one place where an edition is cut: pages, downloads, files and the SQL sandbox of whoever does not see everything
read this copy and never the edition. A scope is a set of division code prefixes (`oversight.accounts.scope`). A table
is cut by the code of the unit its row is about. A table this module does not know how to cut is copied empty, never
whole.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from oversight.dictionary import CHINESE_SCHEMA, create_relations

if TYPE_CHECKING:
    import duckdb

# The column that says which unit a row is about: the first of these that a table has.
_CODES = ("township_code", "subject_code", "unit_code", "division_code", "county_code", "parent_code")
# Law, the meaning of columns, and the edition's own line are everybody's.
_PUBLIC = {
    "main.standards",
    "main.standard_tiers",
    "main.policy_documents",
    "main.edition",
    "main.table_changes",
    "detail.standard_measures",
    "detail.standard_parts",
}
_BY_FILE = {"main.submissions", "main.rejected_rows"}
# Counted into a copy's name: a copy cut by an earlier program is not read again.
_CUT = 3
_COPIES_KEPT = 200
# Many who come at once after a publication need the frame of their copies once.
_lock = threading.Lock()


def scoped_copy(warehouse: Path, prefixes: Collection[str], folder: Path) -> Path:
    """The file to query for a scope: the edition itself for everything, else a copy made once and kept in `folder`."""
    if "" in prefixes:
        return warehouse
    scope = sorted({prefix for prefix in prefixes if prefix.isascii() and prefix.isdigit()})
    name = hashlib.sha256(f"{_CUT}:{','.join(scope)}".encode()).hexdigest()[:16]
    target = folder / warehouse.parent.name / f"{name}.duckdb"
    try:
        # What is read goes last.
        os.utime(target)
    except FileNotFoundError:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _making(target) as made:
            _cut(warehouse, scope, made)
        _clear(folder, target)
    return target


@contextmanager
def _making(target: Path) -> Iterator[Path]:
    """A file that gets its name once it is whole."""
    made = target.with_suffix(f".{os.getpid()}-{os.urandom(4).hex()}")
    try:
        yield made
        made.replace(target)
    finally:
        made.unlink(missing_ok=True)


@contextmanager
def _opened(warehouse: Path, target: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    import duckdb

    connection = duckdb.connect(":memory:", config={"threads": 1, "memory_limit": "512MB"})
    try:
        connection.execute(f"attach '{_text(warehouse)}' as source (read_only)")
        connection.execute(f"attach '{_text(target)}' as scoped (storage_version 'v1.4.0')")
        yield connection
        connection.execute("detach scoped")
    finally:
        connection.close()


def _cut(warehouse: Path, scope: list[str], target: Path) -> None:
    # Tables, views and two thousand comments are the same in every copy: only rows are written for each.
    with _lock:
        shutil.copyfile(_frame(warehouse, target.parent), target)
    with _opened(warehouse, target) as connection:
        tables, columns = _tables(connection)
        # One transaction: each statement by itself would wait for the disk.
        connection.execute("begin")
        files = _files_within(tables, columns, scope)
        for schema, table in tables:
            name = f'"{schema}"."{table}"'
            if f"{schema}.{table}" not in _PUBLIC:
                condition = _condition(f"{schema}.{table}", columns[f"{schema}.{table}"], scope, files)
                connection.execute(f"insert into scoped.{name} select * from source.{name} where {condition}")
        connection.execute("commit")


def _frame(warehouse: Path, folder: Path) -> Path:
    """An edition's tables without rows (those that are everybody's with theirs), made once for all its copies."""
    target = folder / f"frame-{_CUT}.duckdb"
    try:
        os.utime(target)
    except FileNotFoundError:
        with _making(target) as made, _opened(warehouse, made) as connection:
            tables, _ = _tables(connection)
            connection.execute("begin")
            for schema in {schema for schema, _ in tables} - {"main"}:
                connection.execute(f'create schema scoped."{schema}"')
            for schema, table in tables:
                name = f'"{schema}"."{table}"'
                condition = f"{schema}.{table}" in _PUBLIC
                connection.execute(f"create table scoped.{name} as from source.{name} where {condition}")
            _views(connection)
            _comments(connection)
            connection.execute("commit")
            create_relations(connection, "scoped")
    return target


def _tables(connection: duckdb.DuckDBPyConnection) -> tuple[list[tuple[str, str]], dict[str, list[str]]]:
    """Every table of the edition, and the columns of each."""
    tables = connection.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = 'source' order by all"
    ).fetchall()
    columns: dict[str, list[str]] = {}
    for schema, table, column in connection.execute(
        "select schema_name, table_name, column_name from duckdb_columns() where database_name = 'source' "
        "order by column_index"
    ).fetchall():
        columns.setdefault(f"{schema}.{table}", []).append(column)
    return tables, columns


def _condition(name: str, columns: list[str], scope: list[str], files: str) -> str:
    if name in _BY_FILE:
        return f"submission_id in ({files})"
    if "finding_id" in columns and name != "main.findings":
        return f"finding_id in (select finding_id from source.main.findings where {_within('subject_code', scope)})"
    code = next((column for column in _CODES if column in columns), None)
    return _within(code, scope) if code else "false"


def _within(code: str, scope: list[str]) -> str:
    return " or ".join(f"starts_with({code}, '{prefix}')" for prefix in scope) or "false"


def _files_within(tables: list[tuple[str, str]], columns: dict[str, list[str]], scope: list[str]) -> str:
    """Files that speak of units inside the scope and of no other: a shared file says something about the others."""
    parts = []
    for schema, table in tables:
        own = columns[f"{schema}.{table}"]
        code = next((column for column in _CODES if column in own), None)
        if schema == "reported" and code and "submission_id" in own:
            parts.append(
                f'select submission_id, coalesce({_within(code, scope)}, false) as is_inside from source."{schema}"."{table}"'
            )
    if not parts:
        return "select null where false"
    return f"select submission_id from ({' union all '.join(parts)}) group by submission_id having bool_and(is_inside)"


def _views(connection: duckdb.DuckDBPyConnection) -> None:
    """Views of the edition over the tables of the copy; those with Chinese names are written by `create_relations`."""
    connection.execute("use scoped")
    for (sql,) in connection.execute(
        "select sql from duckdb_views() where database_name = 'source' and not internal and schema_name <> ? "
        "order by view_oid",
        [CHINESE_SCHEMA],
    ).fetchall():
        connection.execute(sql)
    connection.execute("use memory")


def _comments(connection: duckdb.DuckDBPyConnection) -> None:
    for kind in ("table", "view"):
        for schema, name, comment in connection.execute(
            f"select schema_name, {kind}_name, comment from duckdb_{kind}s() "
            f"where database_name = 'source' and schema_name <> '{CHINESE_SCHEMA}' and comment is not null"
        ).fetchall():
            connection.execute(f"""comment on {kind} scoped."{schema}"."{name}" is '{_text(comment)}'""")
    for schema, table, column, comment in connection.execute(
        "select schema_name, table_name, column_name, comment from duckdb_columns() "
        f"where database_name = 'source' and schema_name <> '{CHINESE_SCHEMA}' and comment is not null"
    ).fetchall():
        connection.execute(
            f"""comment on column scoped."{schema}"."{table}"."{column}" is '{_text(comment)}'"""
        )


def _clear(folder: Path, kept: Path) -> None:
    """Copies of editions long replaced go; one that is still open stays readable to its reader."""
    found = sorted(folder.glob("*/*.duckdb"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in found[_COPIES_KEPT:]:
        if path != kept:
            path.unlink(missing_ok=True)
    for place in folder.iterdir():
        if place.is_dir() and not any(place.iterdir()):
            shutil.rmtree(place, ignore_errors=True)


def _text(value: object) -> str:
    return str(value).replace("'", "''")
