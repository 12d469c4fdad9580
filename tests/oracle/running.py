"""Running the product as a user does, and finding what it made."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def oversight(*arguments: str | Path) -> str:
    """One command of the product in a fresh process; its standard output."""
    done = subprocess.run(
        [sys.executable, "-m", "oversight.cli", *map(str, arguments)], capture_output=True, text=True
    )
    assert done.returncode == 0, (
        f"oversight {' '.join(map(str, arguments))}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    )
    return done.stdout


def run(data: Path) -> Path:
    """`oversight run` over a data folder; the path of the edition's warehouse."""
    oversight("run", "--data", data)
    return Path(oversight("path", "--data", data).strip())
