"""Some rows of a file that was received, as they stand in it, taken out in a process of their own.

    python -m oversight.workflow.showing FOLDER SHA256 NAME SHEET ROW

What was sent may be anything: it is opened in the bounded worker alone, and only as the content that the ledger names.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from oversight.archive import store
from oversight.intake.reading.worker import Stopped, Worker
from oversight.settings import DataFolder

# Rows above and below the one that is meant.
AROUND = 12


def main(root: str, sha256: str, name: str, sheet: str, row: str) -> int:
    """Print the rows as JSON; nothing, and exit code 2, where they cannot be shown."""
    folder = DataFolder.at(Path(root))
    with store.readable(folder, sha256) as path, Worker() as worker:
        found = worker.run("excerpt", [(path, name, sha256, sheet, int(row), AROUND)])[0]
    if found is None or isinstance(found, Stopped):
        return 2
    print(json.dumps(asdict(found), ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:6]))
