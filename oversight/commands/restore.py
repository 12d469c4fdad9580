"""`oversight restore`: a backup into an empty folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from oversight.settings import DataFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where from, which one, and where to."""
    parser.add_argument("place", metavar="备份位置", help="oversight backup 写出的文件夹")
    parser.add_argument("--snapshot", metavar="备份", help="恢复哪一次备份；不写则用最近一次")
    parser.add_argument("--list", action="store_true", help="只列出有哪些备份")
    parser.add_argument("--data", metavar="目录", required=True, help="恢复到哪里：一个还没有的或空的文件夹")


def run(args: argparse.Namespace) -> int:
    """Exit code 0: the folder is what it was when the backup was made, and whole."""
    from oversight.archive.backup import restore, snapshots
    from oversight.archive.verify import verify

    place = Path(args.place)
    if args.list:
        print("\n".join(snapshots(place)) or f"{place} 里没有备份。")
        return 0
    folder = DataFolder.at(args.data)
    count = restore(place, folder, name=args.snapshot)
    print(f"已恢复 {count:,} 个文件到 {folder.root}，正在逐一核对……")
    faults = [fault for _, _, found in verify(folder) for fault in found]
    for fault in faults:
        print(fault.line(folder))
    print(f"有 {len(faults)} 处在备份时就已不符。" if faults else "核对完毕：每个字节都与校验值相符。")
    print(
        f"密钥不在备份里：请把另行保管的 keys/*.key 放回 {folder.keys}；没有的，下次运行会另建一把签名密钥。"
    )
    return 1 if faults else 0
