"""`make dev`: the Dagster page over a data folder, with the same history as `oversight run`."""

from __future__ import annotations

import os
import sys

from dagster_project.context import DATA_VARIABLE
from dagster_project.run_job import prepare_home
from oversight.settings import DataFolder


def main(arguments: list[str]) -> None:
    """Become `dagster dev`."""
    folder = DataFolder.at(arguments[0] if arguments else None)
    prepare_home(folder)
    os.environ[DATA_VARIABLE] = str(folder.root)
    os.execv(sys.executable, [sys.executable, "-m", "dagster", "dev", "-m", "dagster_project.definitions"])


if __name__ == "__main__":
    main(sys.argv[1:])
