"""`oversight roster`: whether somebody stands on the rosters of two townships. Nothing about persons is kept."""

from __future__ import annotations

import argparse
from pathlib import Path

from oversight.accounts import record
from oversight.accounts.roster import check, read
from oversight.cli import add_data_argument
from oversight.errors import OversightError
from oversight.settings import DataFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The rosters."""
    parser.add_argument(
        "files",
        nargs="+",
        metavar="名册",
        help="Excel 或 CSV 名册，要有乡镇（或区划代码）、姓名、身份证号三列；一个文件可含多个乡镇",
    )
    add_data_argument(parser)


def run(args: argparse.Namespace) -> int:
    """What was found, by township and initial; exit code 1 when somebody stands twice."""
    rows = []
    for name in args.files:
        path = Path(name)
        if not path.is_file():
            raise OversightError(f"找不到文件 {name}。")
        rows += read(path)
    found = check(rows)
    for line in found.lines:
        print(line)
    print(
        f"核对 {found.persons} 人、{found.townships} 个乡镇："
        f"同一人在两个乡镇的 {found.doubles} 人，身份证号有误的 {found.wrong_numbers} 行，没有号码的 {found.without_number} 行。"
    )
    record.note(
        DataFolder.at(args.data),
        "run",
        内容="名册核对",
        人数=found.persons,
        重复=found.doubles,
        号码有误=found.wrong_numbers,
    )
    return 1 if found.doubles else 0
