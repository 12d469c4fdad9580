"""`oversight brief`: one page on a division, to be printed or taken along."""

from __future__ import annotations

import argparse
from pathlib import Path

from oversight import presentation
from oversight.cli import add_data_argument
from oversight.commands.report import month_of
from oversight.reports.brief import brief
from oversight.settings import DataFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The division, `--month`, `--edition`, `--yuan` and where the page goes."""
    parser.add_argument("code", metavar="代码", help="省、市或县的6位区划代码")
    parser.add_argument("--month", metavar="年-月", help="统计月份，如 2025-06；不写则为上个月")
    parser.add_argument("--edition", metavar="版本", help="所用的数据版本；不写则为当前版本")
    parser.add_argument("--yuan", action="store_true", help="金额用元；不写用万元")
    parser.add_argument(
        "-o", "--output", metavar="文件", help="写到哪里；不写则为当前文件夹里的“简报_代码_月份.pdf”"
    )
    add_data_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Write the page and say where it lies."""
    month = month_of(args.month)
    page = brief(
        DataFolder.at(args.data),
        month,
        args.code,
        edition_id=args.edition,
        money="yuan" if args.yuan else "wan",
    )
    path = Path(args.output or f"简报_{args.code}_{presentation.month_code(month)}.pdf")
    path.write_bytes(page)
    print(path)
    return 0
