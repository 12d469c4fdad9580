"""`oversight serve`: the dashboard in a browser."""

from __future__ import annotations

import argparse

from oversight.cli import add_data_argument
from oversight.dashboard.server import serve
from oversight.settings import DataFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--data`, `--host`, `--port`."""
    add_data_argument(parser)
    parser.add_argument("--host", metavar="地址", default="127.0.0.1", help="监听的地址；默认只供本机访问")
    parser.add_argument("--port", metavar="端口", type=int, default=8050, help="监听的端口，默认 8050")


def run(args: argparse.Namespace) -> int:
    """Serve until stopped."""

    def say(line: str) -> None:
        print(line, flush=True)

    return serve(DataFolder.at(args.data), args.host, args.port, say)
