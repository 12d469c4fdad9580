"""What the same output costs at least: one DuckDB script that writes the tables of an edition from the same files.

    python benchmarks/reference.py make DATA OUT          DATA holds raw/ and standards/, as `generate.py national` writes them
    python benchmarks/reference.py compare EDITION OUT    each table against an edition's, both ways and in their order

`make` reads the CSV files, judges each row against its contract, keeps file, digest and row with it, writes the tables, the
Parquet files and, in a fresh process, a digest of each table (that of docs/editions.md for schemas main and reported). It is
written from what the tables are documented to hold, for the made-up country: no corrections, takeovers, indicators, payment
lists or registers of villages; what rests on those is an empty table. Beside what LEFT_OUT names it leaves out the comments on
tables and columns with the views in Chinese, `places/`, the audit's pages, SM3 digests, receipts and the signature.

`compare` fails where a table differs, by content, order of rows, columns or digest.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np

PROJECT_ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = Path(__file__).resolve().parent / "reference"
DATASETS = {
    "户籍人口": "population",
    "民政工作人员": "staffing",
    "民政工作经费": "budget",
    "行政区划": "divisions",
}
STORAGE_VERSION = "v1.4.0"
_ESCAPES = (("'\\'", "'\\\\'"), ("chr(9)", "'\\t'"), ("chr(10)", "'\\n'"), ("chr(13)", "'\\r'"))
# What two runs over the same files do not have in common: the run's own name, time and inputs' digest, and the day of receipt.
NEVER_THE_SAME = {
    "main.edition": {"edition_id", "built_at", "input_fingerprint", "standards_fingerprint", "code_version"},
    "main.table_changes": {"edition_id"},
    "main.submissions": {"received_at"},
    "detail.submission_status": {"first_received_on", "last_received_on"},
}
# Tables whose order leaves rows open: the pieces of two standards of a unit may lie either way.
ORDER_IS_OPEN = {"detail.funding_pieces"}
# Not made by the reference: what the audit says of itself, one row a check.
LEFT_OUT = {"quality.suite_results"}


def make(data: Path, out: Path) -> None:
    """Write `warehouse.duckdb`, `parquet/` and `fingerprints.json`; print what each table took."""
    out.mkdir(parents=True)
    (out / "parquet").mkdir()
    warehouse = out / "warehouse.duckdb"
    connection = duckdb.connect()
    connection.execute(f"attach '{warehouse}' as warehouse (storage_version '{STORAGE_VERSION}')")
    connection.execute("use warehouse; create schema reported; create schema detail; create schema quality")
    words = {"data": str(data)}
    for script in ("macros", "schema", "edition"):
        _run(connection, script, words)
    connection.execute("create temp table received as from main.submissions")
    _dates(connection)
    files = [
        (path, dataset)
        for path in sorted((data / "raw").rglob("*.csv"))
        for title, dataset in DATASETS.items()
        if title in path.name
    ]
    # The register first: the reports are judged against it.
    for number, (path, dataset) in sorted(enumerate(files, 1), key=lambda item: item[1][1] != "divisions"):
        _land(connection, path, dataset, number)
    connection.execute("insert into main.submissions from received order by submission_id")
    for script in ("rules", "main", "detail", "quality", "views"):
        _run(connection, script, words)
    start = _cpu()
    for (table,) in connection.execute(
        "select table_name from duckdb_tables() where schema_name = 'main'"
    ).fetchall():
        connection.execute(
            f"copy main.{table} to '{out}/parquet/{table}.parquet' (format parquet, compression zstd)"
        )
    _took("Parquet", start)
    start = _cpu()
    connection.execute("use memory; detach warehouse")
    connection.close()
    _took("checkpoint", start)
    start = _cpu()
    read = subprocess.run(
        [sys.executable, __file__, "read", str(warehouse)], check=True, capture_output=True, text=True
    )
    (out / "fingerprints.json").write_text(read.stdout, "utf-8")
    _took("read back", start)


def _land(connection: duckdb.DuckDBPyConnection, path: Path, dataset: str, precedence: int) -> None:
    """The rows of one file, judged; those that stand into `reported`, the others into `rejected_rows`."""
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    words = {"id": sha256[:16], "precedence": str(precedence), "dataset": dataset}
    connection.execute(
        "create or replace temp table read as select * from read_csv(?, header = true, all_varchar = true)",
        [str(path)],
    )
    _run(connection, dataset, words)
    if dataset != "divisions":
        _run(connection, "landed", words)
    connection.execute(
        "insert into main.rejected_rows by name select ? as submission_id, row_number, error_code, "
        "'' as message_zh, 'rejected' as disposition from judged where error_code is not null",
        [sha256[:16]],
    )
    months = "null, null" if dataset == "divisions" else "min(month), max(month)"
    connection.execute(
        f"insert into received select ?, ?, ?, ?, localtimestamp, {months}, count(*), count(*) - count(error_code), 0, "
        "count(error_code), 0, 'accepted', false, null, null, count(*) || ' 行全部入库。', '无需处理。' from judged",
        [sha256[:16], path.name, sha256, dataset],
    )
    connection.execute("drop table judged")


def _run(connection: duckdb.DuckDBPyConnection, script: str, words: dict[str, str]) -> None:
    """The statements of a script, with what each took."""
    for statement in _statements(script, words):
        start = _cpu()
        connection.execute(statement)
        told = re.search(r"(?:insert into|temp table|view|update) ([\w.]+)", statement)
        if told:
            _took(told[1], start)


def _statements(script: str, words: dict[str, str]) -> Iterator[str]:
    text = (SCRIPTS / f"{script}.sql").read_text("utf-8")
    for name, value in words.items():
        text = text.replace("{" + name + "}", value)
    text = re.sub(
        r"\{seed:(\w+)\}", rf"read_csv('{PROJECT_ROOT}/dbt/seeds/\1.csv', all_varchar = true)", text
    )
    own = rf"read_csv('{words.get('data')}/standards/\1.csv', all_varchar = true)"
    text = re.sub(r"\{own:(\w+)\}", own, text)
    yield from (each for each in text.split(";\n") if each.strip())


def _dates(connection: duckdb.DuckDBPyConnection) -> None:
    """The day on which the reports of a month are due: the fifth of the next one, or the first working day after it."""
    import chinese_calendar

    def is_workday(day: date) -> bool:
        try:
            return bool(chinese_calendar.is_workday(day))
        except NotImplementedError:
            return day.weekday() < 5

    rows = []
    for number in range(2000 * 12, 2100 * 12):
        nominal = due = date((number + 1) // 12, (number + 1) % 12 + 1, 5)
        while not is_workday(due):
            due += timedelta(days=1)
        rows.append((date(number // 12, number % 12 + 1, 1), due, nominal))
    connection.execute("create temp table due_dates (month date, due_on date, nominal_due_on date)")
    connection.executemany("insert into due_dates values (?, ?, ?)", rows)


def _cpu() -> float:
    """CPU seconds of this process and of those it waited for."""
    return sum(os.times()[:4])


def _took(name: str, start: float) -> None:
    print(f"{_cpu() - start:8.2f} CPU s  {name}", flush=True)


def read_back(warehouse: Path) -> dict[str, dict[str, str]]:
    """Every table of a file: its rows, and a digest of each year's."""
    connection = duckdb.connect(str(warehouse), read_only=True)
    return {
        name: _digests(connection, name, columns)
        for name, columns in _tables(connection, warehouse.stem).items()
    }


def _tables(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for name, column, kind in connection.execute(
        "select schema_name || '.' || table_name, column_name, data_type from duckdb_columns() where database_name = ? "
        "and schema_name in ('main', 'reported', 'detail', 'quality') and not internal order by 1, column_index",
        [database],
    ).fetchall():
        found.setdefault(name, {})[f'"{column}"'] = kind
    return found


def _digests(connection: duckdb.DuckDBPyConnection, name: str, columns: dict[str, str]) -> dict[str, str]:
    if name.startswith(("detail", "quality")):
        rows, digest = connection.execute(f"select count(*), bit_xor(hash(t)) from {name} as t").fetchall()[0]
        return {"rows": str(rows), "hash": str(digest)}
    cells = [f"coalesce(cast({column} as varchar), '\\N')" for column in columns]
    texts = [column for column, kind in columns.items() if kind == "VARCHAR"]
    escaped = [
        _escaped(column) if column in texts else cell for cell, column in zip(cells, columns, strict=True)
    ]
    # Hardly a row has a character to escape.
    looks = " or ".join(f"contains(concat({', '.join(texts)}), {old})" for old, _ in _ESCAPES)
    row = f"case when {looks} then concat_ws(chr(9), {', '.join(escaped)}) else concat_ws(chr(9), {', '.join(cells)}) end"
    parts = {}
    for part, where in _years(connection, name, columns):
        hashes = connection.sql(
            f"select sha256('{name}' || chr(9) || {row}) as hash from {name} where {where} order by hash"
        ).to_arrow_table()
        column = hashes["hash"].combine_chunks()
        rows = np.frombuffer(column.buffers()[2], "S64", len(column))
        digest = hashlib.sha256()
        buckets = rows.astype("S3")
        for bucket in np.split(rows, np.flatnonzero(buckets[1:] != buckets[:-1]) + 1):
            digest.update(hashlib.sha256(bucket.tobytes()).hexdigest().encode())
        parts[part] = digest.hexdigest()
    return parts


def _escaped(column: str) -> str:
    for old, new in _ESCAPES:
        column = f"replace({column}, {old}, {new})"
    return f"coalesce({column}, '\\N')"


def _years(
    connection: duckdb.DuckDBPyConnection, name: str, columns: dict[str, str]
) -> list[tuple[str, str]]:
    if columns.get('"month"') != "DATE":
        return [("", "true")] if connection.execute(f"select 1 from {name} limit 1").fetchall() else []
    years = connection.execute(f"select distinct year(month) from {name} order by 1").fetchall()
    return [(str(year), f"month between date '{year}-01-01' and date '{year}-12-31'") for (year,) in years]


def compare(edition: Path, out: Path) -> bool:
    """Print each table as equal or not; whether all are."""
    connection = duckdb.connect()
    for name, folder in (("ours", edition), ("reference", out)):
        connection.execute(f"attach '{folder}/warehouse.duckdb' as {name} (read_only)")
    stored = {
        name
        for (name,) in connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables()"
        ).fetchall()
    }
    ours, theirs = _tables(connection, "ours"), _tables(connection, "reference")
    told = json.loads((edition / "manifest.json").read_text("utf-8"))["row_parts"]
    digests = json.loads((out / "fingerprints.json").read_text("utf-8"))
    same = True
    for name in sorted(ours.keys() | theirs.keys()):
        if name in LEFT_OUT:
            rows = connection.execute(f"select count(*) from ours.{name}").fetchall()[0][0]
            print(f"left out  {name}: {rows} rows of what the audit says of itself")
            continue
        if ours.get(name) != theirs.get(name):
            print(f"DIFFERENT {name}: other columns")
            same = False
            continue
        never = NEVER_THE_SAME.get(name, set())
        columns = ", ".join(column for column in ours[name] if column.strip('"') not in never)
        # The order of a table's rows counts: it is part of what an edition promises. A view has none.
        place = "row_number() over () as place, " if name in stored - ORDER_IS_OPEN else ""
        sides = [f"select {place}{columns} from {side}.{name}" for side in ("ours", "reference")]
        count, more, fewer = connection.execute(
            f"select (select count(*) from ours.{name}), (select count(*) from ({sides[0]} except all {sides[1]})), "
            f"(select count(*) from ({sides[1]} except all {sides[0]}))"
        ).fetchall()[0]
        if more or fewer:
            sides = [f"select {columns} from {side}.{name}" for side in ("ours", "reference")]
            unordered = connection.execute(
                f"select (select count(*) from ({sides[0]} except all {sides[1]})), "
                f"(select count(*) from ({sides[1]} except all {sides[0]}))"
            ).fetchall()[0]
            print(
                f"DIFFERENT {name}: {count:,} rows; only in the edition {unordered[0]:,}, only in the reference {unordered[1]:,}"
            )
            same = False
        elif not never and name in told and told[name] != digests.get(name, {}):
            print(f"DIFFERENT {name}: other digests")
            same = False
        else:
            print(
                f"equal     {name}: {count:,} rows"
                + (f", but for {', '.join(sorted(never))}" if never else "")
            )
    return same


def main() -> int:
    """Make, compare, or read back."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, places in (
        ("make", ("data", "out")),
        ("compare", ("edition", "out")),
        ("read", ("warehouse",)),
    ):
        command = commands.add_parser(name)
        for place in places:
            command.add_argument(place, type=Path)
    words = parser.parse_args()
    if words.command == "make":
        make(words.data.resolve(), words.out.resolve())
    elif words.command == "read":
        print(json.dumps(read_back(words.warehouse)))
    else:
        return 0 if compare(words.edition, words.out) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
