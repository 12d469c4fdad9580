"""The rows of published tables in a text of their own, and one digest over all of them.

Neither depends on the engine that wrote the edition: docs/editions.md has the rules, and whoever can read a table and
compute SHA-256 can check the root, or that a row is in it. A root is made of parts, one for each year of a table with
months, of buckets within a part, and of rows within a bucket; DuckDB makes the rows' digests, 1.7 µs each.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from oversight.editions.published import MAIN, REPORTED, quoted, tables_of
from oversight.editions.years import Sums, rows_of, sums_of

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import numpy.typing as npt

# Tables that readers are promised, and what was reported; detail and quality follow from these.
SCHEMAS = (MAIN, REPORTED)
# Digits of a row's digest that name its bucket.
_BUCKET = 3
# Digits of a row's digest.
_DIGITS = 64
# Rows that are fetched at once.
BATCH = 100_000
_ESCAPES = (("'\\'", "'\\\\'"), ("chr(9)", "'\\t'"), ("chr(10)", "'\\n'"), ("chr(13)", "'\\r'"))


def row_text(columns: Mapping[str, str], before: str = "") -> str:
    """SQL for the text of a row: columns in table order, with tabs between them; see docs/editions.md.

    With `before`, a text that stands as one more column before them."""
    plain = _joined(columns, before, escape=False)
    texts = ", ".join(quoted(name) for name, kind in columns.items() if kind == "VARCHAR")
    if not texts:
        return plain
    # Hardly a row has a character that must be escaped; looking for one is cheaper than escaping all, and looking for
    # each by itself cheaper than by a pattern.
    looks = " or ".join(f"contains(concat({texts}), {old})" for old, _ in _ESCAPES)
    return f"case when {looks} then {_joined(columns, before, escape=True)} else {plain} end"


def _joined(columns: Mapping[str, str], before: str, *, escape: bool) -> str:
    cells = [f"'{before}'"] if before else []
    cells += [_cell(name, kind, escape) for name, kind in columns.items()]
    return f"concat_ws(chr(9), {', '.join(cells)})"


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
    import numpy as np

    # A year at a time: its digests are put in order in memory, and ten years of the country are many.
    where = rows_of(part) if columns.get("month") == "DATE" else "true"
    hashes = connection.sql(
        f"select sha256({row_text(columns, f'{schema}.{table}')}) as hash "
        f"from {_place(database, schema, table)} where {where}"
    ).to_arrow_reader(BATCH)
    digits = np.frombuffer(b"".join(bytes_of(batch.column(0)) for batch in hashes), np.uint8)
    return _of_buckets(in_order(digits.reshape(-1, _DIGITS)))


def bytes_of(column: Any) -> memoryview:
    """The texts of an Arrow column one after the other, without a Python object for each."""
    import numpy as np
    import pyarrow

    _, places, content = column.buffers()
    kind = np.int64 if pyarrow.types.is_large_string(column.type) else np.int32
    begins = np.frombuffer(places, kind)
    return memoryview(content)[begins[column.offset] : begins[column.offset + len(column)]]


def in_order(hashes: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """As sorted as texts: by their first eight digits, taken as one number, and those alike there by all."""
    import numpy as np

    numbers = hashes.view(">u8")
    ordered = numbers[np.argsort(numbers[:, 0].astype(np.uint64))]
    alike = np.flatnonzero(ordered[1:, 0] == ordered[:-1, 0])
    for run in np.split(alike, np.flatnonzero(np.diff(alike) > 1) + 1):
        if len(run):
            rows = ordered[run[0] : run[-1] + 2]
            rows[:] = rows[np.lexsort(rows.T[::-1])]
    return ordered.view(np.uint8)


def _of_buckets(hashes: npt.NDArray[np.uint8]) -> str:
    import numpy as np

    names = hashes[:, :_BUCKET]
    begins = [0, *(np.flatnonzero((names[1:] != names[:-1]).any(axis=1)) + 1).tolist(), len(hashes)]
    digest = hashlib.sha256()
    for begin, end in pairwise(begins):
        digest.update(hashlib.sha256(hashes[begin:end].data).hexdigest().encode())
    return digest.hexdigest()


def _place(database: str, schema: str, table: str) -> str:
    return ".".join(map(quoted, (database, schema, table)))


def root(parts: Mapping[str, Mapping[str, str]]) -> str:
    """The one digest over all tables."""
    return _digest((table, _digest(sorted(parts[table].items()))) for table in sorted(parts))


def _digest(lines: Iterable[tuple[str, str]]) -> str:
    return hashlib.sha256("".join(f"{name}\t{digest}\n" for name, digest in lines).encode()).hexdigest()
