"""`oversight verify`: every byte that is kept against its digest, or one edition against its signature."""

from __future__ import annotations

import argparse

from oversight.cli import add_data_argument
from oversight.errors import OversightError
from oversight.settings import DataFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The edition, if only one is to be checked, and `--data`."""
    parser.add_argument(
        "edition",
        metavar="版本",
        nargs="?",
        help="只核对这一版：签名、每个文件和各表的行；不写则核对数据目录里的全部内容",
    )
    add_data_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Exit code 0: every byte is what it was; 1: each file that is not is named."""
    from oversight.archive.verify import edition_faults, not_looked_at, verify
    from oversight.editions.edition import editions_folder

    folder = DataFolder.at(args.data)
    if not folder.root.is_dir():
        raise OversightError(f"没有数据目录 {folder.root}。请检查 --data 的路径。")
    if args.edition:
        place = editions_folder(folder) / args.edition
        if place.parent != editions_folder(folder) or not place.is_dir():
            raise OversightError(f"没有名为 {args.edition} 的版本。请用 oversight editions 查看现有版本。")
        faults = edition_faults(folder, place, with_rows=True)
        for fault in faults:
            print(fault.line(folder))
        told = f"有 {len(faults)} 处不符" if faults else "完好：签名、文件和各表的行都相符"
        print(f"版本 {args.edition} {told}")
        return 1 if faults else 0
    wrong = looked_at = 0
    for group, looked, faults in verify(folder):
        print(
            f"{group.title_zh}：{looked:,} 个文件，" + (f"{len(faults)} 处不符" if faults else "完好"),
            flush=True,
        )
        for fault in faults:
            print(fault.line(folder))
        wrong += len(faults)
        looked_at += looked
    if wrong:
        print(f"共 {looked_at:,} 个文件，{wrong} 处不符。请运行 oversight repair；修不好的从备份恢复。")
        return 1
    print(f"共 {looked_at:,} 个文件，每个字节都与校验值相符。")
    others = [pattern.removesuffix("/**") for pattern, _ in not_looked_at(folder)]
    if others:
        print(f"没有校验值、不在核对之列：{'、'.join(others)}（理由见手册“存档、核对、备份与恢复”）。")
    return 0
