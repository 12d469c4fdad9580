"""Two DuckDB files row by row: what one has and the other has not, in either direction."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import duckdb

from oversight.editions.published import DETAIL, MAIN, QUALITY, REPORTED, quoted, tables_of

# The clock, or the name of the run.
_OF_THE_RUN = {"edition_id", "built_at", "received_at"}
SCHEMAS = (MAIN, REPORTED, DETAIL, QUALITY)


def differences(one: Path, other: Path, *, but: Collection[str] = ()) -> dict[str, str]:
    """Table → how it differs, for each that does: in its columns and their types, or by so many rows each way.

    `but`: columns that are not looked at, besides those of the run."""
    found: dict[str, str] = {}
    with duckdb.connect() as connection:
        for name, path in (("one", one), ("other", other)):
            place = str(path).replace("'", "''")
            connection.execute(f"attach '{place}' as {name} (read_only)")
        sides = [tables_of(connection, name, SCHEMAS) for name in ("one", "other")]
        for key in sorted(sides[0].keys() | sides[1].keys()):
            schema, table = key
            if key == (DETAIL, "evidence"):
                # A view over the others, which names them without a database and cannot be read from another.
                continue
            columns = [side.get(key) for side in sides]
            if columns[0] is None or columns[1] is None:
                found[f"{schema}.{table}"] = "only one has it"
                continue
            if columns[0] != columns[1]:
                found[f"{schema}.{table}"] = f"columns {set(columns[0].items()) ^ set(columns[1].items())}"
                continue
            told = ", ".join(quoted(column) for column in columns[0] if column not in (*_OF_THE_RUN, *but))
            rows = [
                f"select {told} from {name}.{quoted(schema)}.{quoted(table)}" for name in ("one", "other")
            ]
            more = [
                connection.execute(f"select count(*) from ({a} except all {b})").fetchone()
                for a, b in (rows, rows[::-1])
            ]
            if more != [(0,), (0,)]:
                found[f"{schema}.{table}"] = f"rows {more[0]} and {more[1]}"
    return found
