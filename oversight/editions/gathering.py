"""Published tables that were computed elsewhere come into the build file, as the models would have left them there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oversight.editions.published import DETAIL, MAIN, REPORTED, quoted

if TYPE_CHECKING:
    import duckdb

_PUBLISHED = (MAIN, REPORTED, DETAIL)


def is_view(node: dict[str, Any]) -> bool:
    """Whether a model of dbt's manifest is worked out by whoever reads it."""
    return bool(node["config"]["materialized"] == "view")


def is_published(node: dict[str, Any]) -> bool:
    """Whether readers of an edition find it."""
    return node["resource_type"] == "model" and node["schema"] in _PUBLISHED


def create(connection: duckdb.DuckDBPyConnection, node: dict[str, Any], place: str, like: str) -> str:
    """An empty table of a model, like the rows of the query; with a contract it gets its columns, their types, and what
    must never be empty. The columns to be filled are returned."""
    if not node["config"]["contract"]["enforced"]:
        connection.execute(f"create table {place} as from ({like}) limit 0")
        return ", ".join(
            quoted(name) for name, *_ in connection.execute(f"describe from ({like})").fetchall()
        )
    columns = node["columns"].values()
    declared = [
        f"{quoted(column['name'])} {column['data_type']}"
        + (" not null" if any(each["type"] == "not_null" for each in column["constraints"]) else "")
        for column in columns
    ]
    connection.execute(f"create table {place} ({', '.join(declared)})")
    return ", ".join(quoted(column["name"]) for column in columns)
