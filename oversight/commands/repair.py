"""`oversight repair`: what can be made again from what is whole."""

from __future__ import annotations

import argparse
from datetime import datetime

from oversight.cli import add_data_argument
from oversight.errors import OversightError
from oversight.settings import TIME_ZONE, DataFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--data`."""
    add_data_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Exit code 0: everything is whole again; 1: what is not is named."""
    from oversight.archive.repair import repair
    from oversight.editions.lock import run_lock

    folder = DataFolder.at(args.data)
    if not folder.root.is_dir():
        raise OversightError(f"没有数据目录 {folder.root}。请检查 --data 的路径。")
    with run_lock(folder):
        left = repair(folder, say=print, now=datetime.now(TIME_ZONE))
    if not left:
        print("全部完好。")
        return 0
    print(f"还有 {len(left)} 处修不好：")
    for fault in left:
        print(fault.line(folder))
    return 1
