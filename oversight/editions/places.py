"""Where each figure of funding comes from, for a reader with other tools: files of text in an edition.

`places/figures-YEAR.tsv.gz`  the rows of `funding_gap_monthly`, in the text of docs/editions.md
`places/reports-YEAR.tsv.gz`  every report of population, of budgets and of divisions: of whom, of when, and its file, sheet, row
`places/tables.tsv.gz`        which columns of that sheet hold what

They name places and hold no operand: `verify/` reads the amounts and the people in the archive.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oversight.editions.published import MAIN, REPORTED, tables_of
from oversight.editions.rows import BATCH, bytes_of, row_text
from oversight.editions.years import Before, Sums, files_by_year, sums_of

if TYPE_CHECKING:
    import duckdb

_LEVEL = 2
# What zlib calls a file of gzip with its head.
_GZIP = zlib.MAX_WBITS + 16

FOLDER = "places"
FIGURES = "funding_gap_monthly"
_FILE = "select submission_id as file_id, sha256, file_name from main.submissions where status <> 'duplicate'"
_REPORTS = " union all by name ".join(
    (
        *(
            f"select '{dataset}' as dataset, township_code as code, reported_code, month, {fund} as fund_code, source, "
            f"submission_id, sheet, row_number, row_status, precedence from reported.{dataset}"
            for dataset, fund in (("population", "null"), ("budget", "fund_code"))
        ),
        "select 'divisions' as dataset, division_code as code, division_code as reported_code, submission_id, sheet, "
        "row_number, row_status, precedence from reported.divisions",
    )
)
_TABLES = "dataset, sheet, header_row, columns"


def write_places(
    connection: duckdb.DuckDBPyConnection, inputs: Path, draft: Path, before: Before
) -> dict[str, Sums]:
    """Write the files of an edition; the warehouse is the connection's `warehouse`. What tells the rows of their years.

    Only what the warehouse of a whole build has can be told: without the reports there are no places, and no files.
    """
    found = tables_of(connection, "warehouse", (MAIN, REPORTED))
    tables = inputs / "report_tables.parquet"
    if not tables.is_file() or not {(REPORTED, "budget"), (REPORTED, "divisions")} <= found.keys():
        return {}
    connection.execute("use warehouse")
    sums: dict[str, Sums] = {}
    for name, rows, order in (
        ("figures", f"main.{FIGURES}", "township_code, month"),
        (
            "reports",
            "(select dataset, code, reported_code, month, fund_code, source, sha256, sheet, row_number, row_status, "
            f"precedence from ({_REPORTS}) join ({_FILE}) on submission_id = file_id)",
            "dataset, code, month, precedence, sha256, sheet, row_number",
        ),
    ):
        kinds = _kinds(connection, f"from {rows}")
        sums[f"{FOLDER}.{name}"] = of_years = sums_of(connection, rows, kinds)

        def write(path: Path, where: str, rows: str = rows, order: str = order, kinds: Any = kinds) -> None:
            _write(connection, f"from {rows} where {where} order by {order}", kinds, path)

        files_by_year(before, f"{FOLDER}.{name}", of_years, draft, f"{FOLDER}/{name}-{{}}.tsv.gz", write)
    source = str(tables).replace("'", "''")
    query = (
        f"select sha256, file_name, {_TABLES} from read_parquet('{source}') join ({_FILE}) on submission_id = file_id "
        "where dataset in ('population', 'budget', 'divisions') order by all"
    )
    _write(connection, f"from ({query})", _kinds(connection, query), draft / FOLDER / "tables.tsv.gz")
    connection.execute("use memory")
    return sums


def _kinds(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, str]:
    return {column: kind for column, kind, *_ in connection.execute(f"describe {query}").fetchall()}


def _write(connection: duckdb.DuckDBPyConnection, query: str, kinds: Mapping[str, str], target: Path) -> None:
    # Packed lightly: DuckDB packs four times as long for a quarter less.
    packing = zlib.compressobj(_LEVEL, wbits=_GZIP)
    with target.open("wb") as file:
        file.write(packing.compress(("\t".join(kinds) + "\n").encode()))
        # The text has its own escapes: nothing is quoted on top of them.
        lines = connection.sql(f"select {row_text(kinds)} || chr(10) as line {query}").to_arrow_reader(BATCH)
        for batch in lines:
            file.write(packing.compress(bytes_of(batch.column(0))))
        file.write(packing.flush())
