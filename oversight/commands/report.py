"""`oversight report`: the monthly supervision report and the steps of its life."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from datetime import date, datetime

from oversight import presentation
from oversight.accounts import record
from oversight.cli import add_data_argument
from oversight.reports import (
    FORMATS,
    Issuing,
    ReportError,
    archive,
    month_before,
    review,
    supervise,
    withdraw,
)
from oversight.settings import TIME_ZONE, DataFolder

STEPS = {
    "draft": "生成草稿（不写步骤时就是这一步）",
    "review": "记下审核人对草稿的认可",
    "issue": "印发：编号、署签发日期（不写即当天）；已印发而内容有变的，印发更正",
    "withdraw": "撤回已印发的通报",
    "list": "列出各件及其状态",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The step, `--month`, `--scope`, `--format`, `--by` and what single steps need."""
    parser.add_argument(
        "step",
        nargs="?",
        choices=STEPS,
        default="draft",
        metavar="步骤",
        help="；".join(f"{name} {text}" for name, text in STEPS.items()),
    )
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
    parser.add_argument(
        "--by", metavar="姓名", help="审核人、签发人或撤回的经办人（review、issue、withdraw 必写）"
    )
    parser.add_argument("--note", metavar="文字", default="", help="审核意见；撤回时写明原因（必写）")
    parser.add_argument("--number", type=int, metavar="号", help="指定文号里的号；不写则取登记簿的下一个")
    parser.add_argument(
        "--signed-on",
        type=_a_day,
        metavar="日期",
        help="领导签发的日期（如 2026-03-05），即成文日期；不写署当天。不早于审核，不在休息日，期限须尚未到",
    )
    parser.add_argument(
        "--provisional", action="store_true", help="数据未齐也生成草稿；这样的草稿不能审核、印发"
    )
    parser.add_argument(
        "--send",
        action="store_true",
        help="把已印发的按 report/report.toml 的设置发送，每个接收方每件只发一次",
    )
    parser.add_argument(
        "--send-again", metavar="接收方", help="发送中断、结果不明时，查明没有收到后用这一项重发"
    )
    add_data_argument(parser)


def _a_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"“{text}”不是日期，请写成 2026-03-05") from None


def run(args: argparse.Namespace) -> int:
    """One line a paper, then its files."""
    folder = DataFolder.at(args.data)
    if args.step == "list":
        return _list(folder, args)
    month, now = month_of(args.month), datetime.now(TIME_ZONE)
    formats = _formats(args.format)
    if args.provisional and (args.step != "draft" or args.send or args.send_again):
        raise ReportError("数据未齐的草稿不能审核、印发或发送。请去掉 --provisional。")
    if args.step != "draft" and not (args.by or "").strip():
        raise ReportError(f"请写明由谁办理：oversight report {args.step} … --by 姓名。")
    if args.number is not None and (args.step != "issue" or len(args.scope or ()) != 1 or args.number < 1):
        raise ReportError("--number 要是正整数，只用于 issue，并且同时用 --scope 指定一个地方。")
    if args.signed_on is not None and args.step != "issue":
        raise ReportError("--signed-on 只用于 issue。")
    if args.step in ("review", "withdraw"):
        return _note(folder, month, now, args)
    record.note(
        folder,
        "report",
        步骤="印发" if args.step == "issue" else "生成草稿",
        月份=presentation.month_code(month),
        地区=args.scope or [],
        办理人=args.by or "",
        发送="是" if args.send or args.send_again else "",
    )
    supervise(
        folder,
        month,
        args.scope,
        formats,
        provisional=args.provisional,
        issuing=Issuing(args.by.strip(), now, args.number, signed_on=args.signed_on)
        if args.step == "issue"
        else None,
        send=args.send,
        again=args.send_again,
        # Sent is what was issued; a change since then is not issued on the way.
        only_missing=args.step == "draft" and (args.send or args.send_again is not None),
        now=now,
        say=print,
    )
    return 0


def _note(folder: DataFolder, month: date, now: datetime, args: argparse.Namespace) -> int:
    if not args.scope:
        raise ReportError(f"请用 --scope 写明{'审核' if args.step == 'review' else '撤回'}哪个地方的通报。")
    if args.step == "withdraw" and not args.note.strip():
        raise ReportError("请用 --note 写明撤回的原因。")
    for code in args.scope:
        if args.step == "review":
            version = review(folder, month, code, by=args.by.strip(), at=now, note=args.note.strip())
        else:
            version = withdraw(folder, month, code, by=args.by.strip(), at=now, why=args.note.strip())
        record.note(
            folder,
            "report",
            步骤="审核" if args.step == "review" else "撤回",
            月份=version.manifest["month"],
            地区=[code],
            办理人=args.by.strip(),
            意见=args.note.strip(),
        )
        print(
            f"{version.scope_name} {version.manifest['month']} 督查通报 {version.name_zh}，{args.by.strip()}"
        )
        if args.step == "withdraw":
            from oversight.reports.delivery import had

            for name in had(folder, version):
                print(f"  已发给 {name}，请另行告知撤回")
    return 0


def _list(folder: DataFolder, args: argparse.Namespace) -> int:
    chosen: Callable[[date], bool] = (
        (lambda month: month == month_of(args.month)) if args.month else lambda _: True
    )
    for version in archive(folder, drafts=True):
        if chosen(version.month) and version.scope_code in (args.scope or [version.scope_code]):
            last = version.events[-1]
            who = f"，{last['by']}" if last["by"] else ""
            number = f" {version.document_no}" if version.document_no else ""
            print(
                f"{version.manifest['month']} {version.scope_code} {version.scope_name} {version.name_zh}{number}"
                f"（{last['at'][:10]}{who}）"
            )
    return 0


def month_of(text: str | None) -> date:
    """The month that `--month` names; without it the one before this."""
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
