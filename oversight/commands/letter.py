"""`oversight letter`: reminders and letters, the same as in the browser."""

from __future__ import annotations

import argparse
from datetime import datetime
from pathlib import Path

from oversight import durable
from oversight.accounts.scope import significant
from oversight.cli import add_data_argument
from oversight.settings import TIME_ZONE, DataFolder
from oversight.workflow import letters
from oversight.workflow.following import FollowError
from oversight.workflow.letters import KINDS, STATES

STEPS = {
    "due": "列出该发的文书（不写步骤时就是这一步）",
    "draft": "拟稿：该发的各单位各一件",
    "list": "列出文书及其状态、文号",
    "preview": "把一件文书写成文件来看",
    "approve": "审批（须由拟稿以外的人）",
    "issue": "签发：编号、署日期、记入问题台账",
    "send": "按送达名单送达，每件只送一次",
    "discard": "作废未签发的文书",
}
_BEFORE = {"approve": ("drafted",), "issue": ("approved", "issuing"), "send": ("issued",)}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The step, the letters and what single steps need."""
    parser.add_argument(
        "step",
        nargs="?",
        choices=STEPS,
        default="due",
        metavar="步骤",
        help="；".join(f"{name} {text}" for name, text in STEPS.items()),
    )
    parser.add_argument(
        "what", nargs="*", metavar="文书", help="文书编号；审批、签发、送达不写则为全部待办的"
    )
    parser.add_argument(
        "--kind",
        metavar="种类",
        action="append",
        choices=list(KINDS.values()),
        help=f"只办这些种类：{'、'.join(KINDS.values())}",
    )
    parser.add_argument("--unit", metavar="代码", default="", help="只办这个区划的")
    parser.add_argument("--by", metavar="姓名", default="", help="由谁办理（办理时必写）")
    parser.add_argument("--note", metavar="文字", default="", help="作废的理由")
    parser.add_argument("-o", "--output", metavar="文件", help="preview 写到哪里：.docx、.pdf 或 .png")
    parser.add_argument("--send-again", action="store_true", help="上次送达中断、查明没有收到后重送")
    add_data_argument(parser)


def run(args: argparse.Namespace) -> int:
    """One line a letter."""
    folder, now = DataFolder.at(args.data), datetime.now(TIME_ZONE)
    if args.step == "list":
        return _list(folder, args)
    if args.step == "discard":
        done = letters.discard(folder, args.what, by=args.by, why=args.note)
        print(f"作废 {len(done)} 件。")
        return 0
    ground = letters.ground(folder, now.date())
    if args.step in ("due", "draft"):
        kinds = [kind for kind, title in KINDS.items() if title in (args.kind or KINDS.values())]
        items = letters.wanted(ground, now, kinds, (significant(args.unit),))
        if args.step == "draft":
            made = letters.draft(ground, items, by=args.by, now=now)
            print(f"拟稿 {len(made)} 件，待审批。")
            return 0
        for item in items:
            print(f"{item.unit.code} {item.unit.name}  {item.title}  {len(item.occasions)} 项")
        print(f"共 {len(items)} 件该发。")
        return 0
    if args.step == "preview":
        target = Path(args.output or "文书.pdf").expanduser()
        form = target.suffix.lstrip(".")
        if len(args.what) != 1 or form not in ("docx", "pdf", "png"):
            raise FollowError(
                "请写明一件文书，写成 .docx、.pdf 或 .png：oversight letter preview 编号 -o 文书.pdf。"
            )
        durable.write_bytes(target, letters.preview(ground, args.what[0], now, form))  # type: ignore[arg-type]
        print(f"已写出 {target}")
        return 0
    prefix = significant(args.unit)
    names = args.what or [
        row["id"]
        for row in letters.letters(folder, _BEFORE[args.step])
        if row["unit_code"].startswith(prefix) and KINDS[row["kind"]] in (args.kind or KINDS.values())
    ]
    if args.step == "approve":
        done = letters.approve(folder, names, by=args.by, now=now)
        print(f"审批 {len(done)} 件。")
        return 0
    if args.step == "issue":
        done, stopped = letters.issue(ground, names, by=args.by, now=now)
        print(f"签发 {len(done)} 件。")
    else:
        done, stopped = letters.deliver(ground, names, by=args.by, now=now, again=args.send_again)
        print(f"送达 {len(done)} 件。")
    for text in stopped:
        print(f"  {'作废' if args.step == 'issue' else '不再送达'}：{text}")
    return 0


def _list(folder: DataFolder, args: argparse.Namespace) -> int:
    prefix = significant(args.unit)
    for row in letters.letters(folder):
        if not row["unit_code"].startswith(prefix) or KINDS[row["kind"]] not in (args.kind or KINDS.values()):
            continue
        why = f"（{row['why']}）" if row["why"] else ""
        number = row["document_no"] or "未编号"
        print(f"{row['id']}  {row['state_zh']}{why}  {number}  {row['unit_name']}  {row['title']}")
    print(f"状态：{'、'.join(STATES.values())}。")
    return 0
