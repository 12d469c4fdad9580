"""`oversight editions`: the editions there are, newest first."""

from __future__ import annotations

import argparse

from oversight.cli import add_data_argument
from oversight.editions.edition import Edition, EditionError, current, list_editions
from oversight.editions.seal import is_signed
from oversight.settings import TIME_ZONE, DataFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--data`."""
    add_data_argument(parser)


def run(args: argparse.Namespace) -> int:
    """One line an edition: name, when it was made, months, how many files and townships, whether it is signed."""
    folder = DataFolder.at(args.data)
    editions = list_editions(folder)
    if not editions:
        raise EditionError(f"数据目录 {folder.root} 还没有已发布的版本。请先运行 oversight run。")
    pointed = current(folder)
    for edition in editions:
        print(("* " if edition == pointed else "  ") + _line(edition))
    print("（* 为当前版本）")
    return 0


def _line(edition: Edition) -> str:
    made = f"{edition.built_at.astimezone(TIME_ZONE):%Y-%m-%d %H:%M:%S}"
    months = edition.months
    span = f"{months[0]:%Y-%m} 至 {months[1]:%Y-%m}" if months else "无月份"
    signed = f"已签名（{edition.manifest['signed_by']}）" if is_signed(edition.path) else "未签名"
    files, townships = len(edition.manifest["inputs"]), edition.row_count("main.townships")
    return f"{edition.edition_id}  {made}  {span}  乡镇 {townships} 个  文件 {files} 份  {signed}"
