"""A second pair of eyes: what a fresh process reads in a finished warehouse file.

Run as `python -m oversight.editions.verify FILE [MANIFEST]`, the manifest being of the edition before. Another process,
because the one that wrote the file would answer from its own memory what may never have reached the disk.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from oversight.editions.edition import EditionError
from oversight.editions.published import (
    DETAIL,
    MAIN,
    QUALITY,
    REPORTED,
    facts_and_fingerprint,
    tables_of,
)
from oversight.editions.rows import roots, sums
from oversight.personal import PATTERN

# Columns that hold what somebody wrote. Codes and numbers of vouchers may be as long as an ID number.
_WRITTEN = {
    *(
        "remark",
        "other_columns",
        "indicator_text",
        "value",
        "message_zh",
        "text_zh",
        "reply_zh",
        "exempt_reason_zh",
    ),
    *("file_name", "sheet", "reported_name", "subject_name", "indicator_name", "fund_name", "what_to_do_zh"),
}


def read_back(warehouse: Path, before: Path | None = None) -> dict[str, Any]:
    """Rows, totals and fingerprint of every table, row digests of the public ones, and the engine's version.

    All of it as a new process finds it. `before` is the manifest of the edition before, of the same engine and with a good
    signature: digests of rows that are the same are taken from there.
    """
    command = [sys.executable, "-m", "oversight.editions.verify", str(warehouse)]
    if before is not None:
        command.append(str(before))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        detail = (done.stderr.strip().splitlines() or ["无输出"])[-1]
        raise EditionError(f"新版本写好后无法重新读出（{detail}）。请检查磁盘空间和磁盘状态后再运行。")
    content: dict[str, Any] = json.loads(done.stdout)
    if found := content.pop("personal"):
        raise EditionError(
            f"新版本里有像身份证号或手机号的内容（{'；'.join(found)}），未发布。"
            "请在报来的文件、文件名或 corrections/ 中删去个人信息后重新运行。"
        )
    return content


def main(arguments: list[str]) -> int:
    """Print what the file holds, as JSON."""
    import duckdb

    connection = duckdb.connect(arguments[0], read_only=True)
    database = _scalar(connection.execute("select current_database()").fetchone())
    found: dict[str, Any] = {}
    tables = tables_of(connection, database, (MAIN, REPORTED, DETAIL, QUALITY))
    for (schema, table), columns in tables.items():
        seen, fingerprint = facts_and_fingerprint(connection, database, schema, table, columns)
        found[f"{schema}.{table}"] = {
            "rows": seen.rows,
            "fingerprint": fingerprint,
            "totals": seen.totals,
        }
    personal = personal_in(connection, database, tables)
    before = json.loads(Path(arguments[1]).read_bytes()) if len(arguments) > 1 else None
    of_years = sums(connection, database)
    parts = roots(connection, database, of_years, before)
    told = {
        "duckdb": duckdb.__version__,
        "tables": found,
        "personal": personal,
        "sums": of_years,
        "parts": parts,
    }
    print(json.dumps(told))
    return 0


def personal_in(connection: Any, database: str, tables: Mapping[tuple[str, str], Any]) -> list[str]:
    """Where texts that somebody wrote hold what could be an ID or telephone number."""
    wrong = []
    for schema, table, column in connection.execute(
        "select schema_name, table_name, column_name from duckdb_columns() where database_name = ? "
        "and data_type = 'VARCHAR' order by all",
        [database],
    ).fetchall():
        if column in _WRITTEN and (schema, table) in tables:
            hits = connection.execute(
                f'select count(*) from "{schema}"."{table}" where regexp_matches("{column}", ?)', [PATTERN]
            ).fetchone()[0]
            if hits:
                wrong.append(f"{schema}.{table} 的 {column} 列 {hits} 行")
    return wrong


def _scalar(row: tuple[Any, ...] | None) -> str:
    assert row is not None
    return str(row[0])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
