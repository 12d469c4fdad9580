"""A second pair of eyes: what a fresh process reads in a finished warehouse file.

Run as `python -m oversight.editions.verify FILE`. Another process, because the one that wrote the file would
answer from its own memory what may never have reached the disk.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from oversight.editions.edition import EditionError
from oversight.editions.published import (
    DETAIL,
    MAIN,
    QUALITY,
    REPORTED,
    facts,
    fingerprint,
    tables_of,
)


def read_back(warehouse: Path) -> dict[str, Any]:
    """Rows, totals and fingerprint of every table, and the engine's version, as a new process finds them."""
    command = [sys.executable, "-m", "oversight.editions.verify", str(warehouse)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        detail = (done.stderr.strip().splitlines() or ["无输出"])[-1]
        raise EditionError(f"新版本写好后无法重新读出（{detail}）。请检查磁盘空间和磁盘状态后再运行。")
    content: dict[str, Any] = json.loads(done.stdout)
    return content


def main(arguments: list[str]) -> int:
    """Print what the file holds, as JSON."""
    import duckdb

    connection = duckdb.connect(arguments[0], read_only=True)
    database = _scalar(connection.execute("select current_database()").fetchone())
    found: dict[str, Any] = {}
    tables = tables_of(connection, database, (MAIN, REPORTED, DETAIL, QUALITY))
    for (schema, table), columns in tables.items():
        seen = facts(connection, database, schema, table, columns)
        found[f"{schema}.{table}"] = {
            "rows": seen.rows,
            "fingerprint": fingerprint(connection, database, schema, table, columns),
            "totals": seen.totals,
        }
    print(json.dumps({"duckdb": duckdb.__version__, "tables": found}))
    return 0


def _scalar(row: tuple[Any, ...] | None) -> str:
    assert row is not None
    return str(row[0])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
