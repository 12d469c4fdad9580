"""`oversight report`: the monthly supervision report."""

from __future__ import annotations

import argparse
import re
from datetime import date, datetime

from oversight.cli import add_data_argument
from oversight.reports import FORMATS, ReportError, month_before, supervise
from oversight.settings import TIME_ZONE, DataFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--month`, `--scope`, `--format`, `--provisional`, `--send` and `--data`."""
    parser.add_argument("--month", metavar="年-月", help="统计月份，如 2025-06；不写则为上个月")
    parser.add_argument(
        "--scope",
        metavar="代码",
        action="append",
        help="省、市或县的6位区划代码，可写多次；不写则按设置（默认为恰好含全部乡镇的一级，没有则逐县）",
    )
    parser.add_argument(
        "--format",
        metavar="格式",
        default=",".join(FORMATS),
        help=f"用逗号分开，默认全部：{','.join(FORMATS)}",
    )
    parser.add_argument("--provisional", action="store_true", help="数据未齐也生成，标明草稿，不发送")
    parser.add_argument(
        "--send", action="store_true", help="生成后按 report/report.toml 的设置发送，每个接收方每版只发一次"
    )
    parser.add_argument(
        "--send-again", metavar="接收方", help="发送中断、结果不明时，查明没有收到后用这一项重发"
    )
    add_data_argument(parser)


def run(args: argparse.Namespace) -> int:
    """One line a report: version and folder, then its files."""
    folder = DataFolder.at(args.data)
    month = _month(args.month)
    formats = _formats(args.format)
    if args.provisional and (args.send or args.send_again):
        raise ReportError("草稿不能发送。请去掉 --send，或去掉 --provisional。")
    supervise(
        folder,
        month,
        args.scope,
        formats,
        provisional=args.provisional,
        send=args.send,
        again=args.send_again,
        say=print,
    )
    return 0


def _month(text: str | None) -> date:
    if text is None:
        return month_before(datetime.now(TIME_ZONE).date())
    found = re.fullmatch(r"(\d{4})-?(\d{1,2})", text.strip())
    if not found or not 1 <= int(found[2]) <= 12 or int(found[1]) < 1900:
        raise ReportError(f"月份“{text}”不对。请写成 2025-06 的样子。")
    return date(int(found[1]), int(found[2]), 1)


def _formats(text: str) -> list[str]:
    chosen = [part.strip().lower() for part in text.split(",") if part.strip()]
    unknown = [part for part in chosen if part not in FORMATS]
    if unknown or not chosen:
        raise ReportError(f"没有“{'、'.join(unknown) or text}”这种格式，可用的有：{'、'.join(FORMATS)}。")
    return [form for form in FORMATS if form in chosen]
