"""`oversight path`: where the current edition's warehouse lies."""

from __future__ import annotations

import argparse

from oversight.cli import add_data_argument
from oversight.editions.model import find_edition
from oversight.settings import DataFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--data`."""
    add_data_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Print the path and nothing else, so that scripts can use it."""
    print(find_edition(DataFolder.at(args.data)).warehouse)
    return 0
