"""`oversight path`: where the current edition's warehouse lies."""

from __future__ import annotations

import argparse

from oversight.cli import add_data_argument
from oversight.editions.edition import find_edition
from oversight.settings import DataFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--edition` and `--data`."""
    parser.add_argument(
        "--edition", metavar="版本", help="过去的某个版本，见 oversight editions；不写则为当前版本"
    )
    add_data_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Print the path and nothing else, so that scripts can use it."""
    print(find_edition(DataFolder.at(args.data), args.edition).warehouse)
    return 0
