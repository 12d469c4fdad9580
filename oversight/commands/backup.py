"""`oversight backup`: what the data folder holds, beside the backups made before."""

from __future__ import annotations

import argparse
from datetime import datetime
from pathlib import Path

from oversight.cli import add_data_argument
from oversight.settings import TIME_ZONE, DataFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to, and `--data`."""
    parser.add_argument("place", metavar="备份位置", help="存放备份的文件夹；再次备份只增加有变化的内容")
    add_data_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Exit code 0: the backup is there and whole; 1: it is there, and some contents were damaged already."""
    from oversight.archive.backup import backup
    from oversight.operation import LastBackup, note_backup

    folder, now = DataFolder.at(args.data), datetime.now(TIME_ZONE)
    made = backup(folder, Path(args.place), now=now)
    note_backup(folder, LastBackup(now, str(Path(args.place).resolve()), made.files))
    print(
        f"备份 {made.name} 已完成：{made.files:,} 个文件，其中新增或有变化 {made.new_files:,} 个"
        f"（{made.new_bytes / 2**20:,.1f} MB）。"
    )
    for name in made.damaged:
        print(f"  ✗ {name} 在数据目录里已经损坏。请运行 oversight verify 和 oversight repair。")
    return 1 if made.damaged else 0
