"""Whether a text is exactly one SELECT, by DuckDB's own parser, and which parameters it asks for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

QUERY_BYTES = 1 << 20
# Longer than any honest message; what is written about the error is searched by the server, which must not tire.
_MESSAGE_CHARACTERS = 4000
# Table functions that make rows of nothing or tell of the edition's own tables. Every other one reads files, the
# network, memory or settings, or runs a query given as text, and so is refused by name, whatever a version adds.
_TABLE_FUNCTIONS = {
    "range",
    "generate_series",
    "unnest",
    "repeat",
    "repeat_row",
    "json_each",
    "json_tree",
    "test_all_types",
    "duckdb_columns",
    "duckdb_constraints",
    "duckdb_functions",
    "duckdb_keywords",
    "duckdb_schemas",
    "duckdb_tables",
    "duckdb_types",
    "duckdb_views",
    "pragma_show",
    "pragma_table_info",
    "pragma_version",
    "icu_calendar_names",
    "pg_timezone_names",
}
# What tells of the server and not of the data, as a scalar function or as a view.
_HIDDEN = {
    "current_setting",
    "write_log",
    "duckdb_databases",
    "duckdb_logs",
    "duckdb_settings",
    "pg_settings",
    "pragma_database_list",
    "database_list",
}


class Refused(Exception):
    """A statement that is not run: the reason's name and where it stands, in bytes."""

    def __init__(self, reason: str, position: int | None = None) -> None:
        super().__init__(reason)
        self.reason, self.position = reason, position

    def told(self) -> dict[str, Any]:
        """As DuckDB tells its errors."""
        return {"exception_type": "Refused", "exception_message": self.reason, "position": self.position}


def check(connection: duckdb.DuckDBPyConnection, sql: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters the statement asks for, of those given. Raises `Refused`, or DuckDB's parser error."""
    import duckdb

    if not sql.strip().strip(";").strip():
        raise Refused("empty")
    if len(sql.encode()) > QUERY_BYTES:
        raise Refused("long")
    row = connection.execute("select json_serialize_sql(cast(? as varchar))", [sql]).fetchone()
    assert row is not None
    tree = json.loads(row[0])
    if tree["error"] and tree.get("error_type") == "parser":
        position = tree.get("position")
        if position is not None and int(duckdb.__version__.split(".")[0]) < 2:
            # The parser before 2.0 counts characters; everything else, and 2.0, counts bytes.
            position = len(sql[: int(position)].encode())
        told = {
            "exception_type": "Parser",
            "exception_message": tree["error_message"],
            "position": position,
        }
        raise duckdb.ParserException(json.dumps(told))
    _look_for_hidden(tree)
    # The module's own default connection would be opened here, behind the limits: 2.0 ends the process at that.
    statements = connection.extract_statements(sql)
    if not statements:
        raise Refused("empty")
    if len(statements) > 1:
        raise Refused("several", len(statements[0].query.encode()))
    # A PRAGMA counts as a SELECT there, but is none here.
    if statements[0].type != duckdb.StatementType.SELECT or tree["error"]:
        raise Refused("not_select")
    asked = statements[0].named_parameters
    unknown = sorted(name for name in asked if name not in given)
    if unknown:
        raise Refused(f"parameter {unknown[0]}", sql.encode().find(f"${unknown[0]}".encode()))
    return {name: given[name] for name in asked}


def told(error: Exception) -> dict[str, Any]:
    """A DuckDB error as the JSON it was raised with, or made to look like it; no text longer than a message is."""
    text = str(error)
    start = text.find("{")
    try:
        found: dict[str, Any] = json.loads(text[start:]) if start >= 0 else {}
    except ValueError:
        found = {}
    if "exception_type" not in found:
        found = {"exception_type": type(error).__name__.removesuffix("Exception"), "exception_message": text}
    return {
        name: value[:_MESSAGE_CHARACTERS] if isinstance(value, str) else value
        for name, value in found.items()
        if isinstance(value, (str, int))
    }


def _look_for_hidden(tree: Any) -> None:
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            if node.get("type") == "TABLE_FUNCTION":
                name = (node.get("function") or {}).get("function_name")
                if not isinstance(name, str) or name.lower() not in _TABLE_FUNCTIONS:
                    raise Refused(f"table function {name}")
            name = node.get("function_name") or node.get("table_name")
            if isinstance(name, str) and name.lower() in _HIDDEN:
                raise Refused(f"hidden {name}")
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)
