"""`make dev`: the Dagster page over a data folder, with the same history as `oversight run`.

python -m dagster_project.dev [FOLDER] [--port 3000]
"""

from __future__ import annotations

import argparse
import os
import sys

from dagster_project.context import DATA_VARIABLE
from dagster_project.run_job import prepare_home
from oversight.settings import DataFolder


def main(arguments: list[str]) -> None:
    """Become `dagster dev`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", metavar="数据目录")
    parser.add_argument("--port", type=int, default=3000, metavar="端口", help="默认 3000")
    asked = parser.parse_args(arguments)
    folder = DataFolder.at(asked.folder)
    prepare_home(folder)
    os.environ[DATA_VARIABLE] = str(folder.root)
    command = ["-m", "dagster", "dev", "-m", "dagster_project.definitions", "--port", str(asked.port)]
    os.execv(sys.executable, [sys.executable, *command])


if __name__ == "__main__":
    main(sys.argv[1:])
