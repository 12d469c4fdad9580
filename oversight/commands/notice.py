"""`oversight notice`: what waits for whom, and sending it by mail."""

from __future__ import annotations

import argparse
from datetime import datetime

from oversight.accounts.scope import EVERYTHING
from oversight.cli import add_data_argument
from oversight.settings import TIME_ZONE, DataFolder
from oversight.workflow import notices

_TONES = {"failed": "出错", "late": "逾期", "todo": "待办"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--send` and `--data`."""
    parser.add_argument(
        "--send",
        action="store_true",
        help="按 report/notices.csv（账号,邮箱）发邮件，每件事只发一次，休息日不发",
    )
    add_data_argument(parser)


def run(args: argparse.Namespace) -> int:
    """List everything there is, or send what is new."""
    folder, now = DataFolder.at(args.data), datetime.now(TIME_ZONE)
    if args.send:
        print("\n".join(notices.send(folder, now)) or "没有新的提醒，或没有收件人（report/notices.csv）。")
        return 0
    who = notices.Reader("", lambda action: action != "manage", EVERYTHING)
    found = notices.notices(folder, who, now)
    print("\n".join(f"{_TONES[item.tone]}  {item.text}" for item in found) or "没有等待办理的事。")
    return 0
