"""`oversight finding`: what is done about findings, the same as in the browser."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

from oversight import durable
from oversight.calendar import load_calendar
from oversight.cli import add_data_argument
from oversight.settings import TIME_ZONE, DataFolder
from oversight.workflow import following
from oversight.workflow.following import STATES, STEPS, Case, FollowError, Said

_KINDS = {
    "assign": "assigned",
    "notify": "notice",
    "reply": "reply",
    "agree": "agreed",
    "done": "done",
    "return": "returned",
    "close": "closed",
    "exempt": "exemption",
    "unexempt": "exemption_end",
    "reopen": "reopened",
    "remark": "remark",
}
_OTHERS = {
    "list": "列出问题（不写步骤时就是这一步）",
    "show": "一个问题从出现到现在的经过",
    "check": "对账：台账里的每次办理与留痕互相核对",
    "export": "把全部办理记录写成一个 CSV",
    "import": "把 CSV 里的办理记录收进台账，已有的不重复",
}
STEPS_ZH = _OTHERS | {name: STEPS[kind].title for name, kind in _KINDS.items()}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The step, the findings and what is said."""
    parser.add_argument(
        "step",
        nargs="?",
        choices=STEPS_ZH,
        default="list",
        metavar="步骤",
        help="；".join(f"{name} {text}" for name, text in STEPS_ZH.items()),
    )
    parser.add_argument(
        "what", nargs="*", metavar="问题编号", help="如 A-10/360313108/2025-01；import 写文件"
    )
    parser.add_argument("--by", metavar="姓名", default="", help="由谁办理（办理时必写）")
    parser.add_argument("--text", metavar="文字", default="", help="内容、意见或理由")
    parser.add_argument("--on", metavar="日期", help="约定日期、答复期限，或豁免到哪一天，如 2026-12-31")
    parser.add_argument("--approver", metavar="姓名", default="", help="豁免的批准人；核销不写则为 --by")
    parser.add_argument("--owner", metavar="姓名", default="", help="责任人；列表时只列他的")
    parser.add_argument("--attach", metavar="文件", action="append", default=[], help="附件，可写多次")
    parser.add_argument(
        "--state",
        metavar="状态",
        action="append",
        choices=[*STATES.values(), "未了"],
        help=f"只列这些状态：{'、'.join([*STATES.values(), '未了'])}",
    )
    parser.add_argument("--unit", metavar="代码", default="", help="只列这个区划的")
    parser.add_argument("--rule", metavar="规则", default="", help="只列这项规则的，如 A-10")
    parser.add_argument("--overdue", action="store_true", help="只列逾期的")
    parser.add_argument("-o", "--output", metavar="文件", help="export 写到哪里，默认 问题办理记录.csv")
    add_data_argument(parser)


def run(args: argparse.Namespace) -> int:
    """One line a finding."""
    folder = DataFolder.at(args.data)
    chosen: Callable[[DataFolder, argparse.Namespace], int] = {
        "list": _list,
        "show": _show,
        "check": _check,
        "export": _export,
        "import": _import,
    }.get(args.step, _act)
    return chosen(folder, args)


def _cases(folder: DataFolder, args: argparse.Namespace) -> dict[str, Case]:
    from oversight.accounts.scope import significant

    rows = following.edition_rows(folder, (significant(args.unit),))
    return following.cases(folder, rows, _now().date())


def _now() -> datetime:
    return datetime.now(TIME_ZONE)


def _list(folder: DataFolder, args: argparse.Namespace) -> int:
    calendar = load_calendar(folder)
    states = set(args.state or ["未了"])
    if "未了" in states:
        states |= {STATES[state] for state in following.OPEN}
    count = 0
    for case in _cases(folder, args).values():
        if (
            case.state_zh not in states
            or (args.rule and case.row["rule_id"] != args.rule)
            or (args.owner and case.owner != args.owner)
            or (args.overdue and not case.is_overdue(calendar))
        ):
            continue
        count += 1
        late = "，逾期" if case.is_overdue(calendar) else ""
        due = f"，{case.due_on:%Y-%m-%d} 到期{late}" if case.due_on else ""
        owner = f"，{case.owner}" if case.owner else ""
        again = f"，此前 {'、'.join(case.earlier)}" if case.earlier else ""
        print(f"{case.finding_id}  {case.state_zh}{owner}{due}  {case.row['message_zh']}{again}")
    print(f"共 {count} 项。")
    return 0


def _show(folder: DataFolder, args: argparse.Namespace) -> int:
    found = _cases(folder, args)
    for name in _named(args):
        case = found.get(name)
        if case is None:
            raise FollowError(f"当前版本里没有问题 {name}。用 oversight finding list 查看编号。")
        print(f"{name}  {case.state_zh}{f'（{case.closed_by}）' if case.closed_by else ''}")
        print(f"  {case.row['message_zh']}")
        for before in case.earlier:
            print(f"  此前同一问题：{before}")
        for note in case.notes:
            on = note["agreed_on"] or note["exempt_until"]
            parts = [f"至 {on}" if on else "", note["owner"] or "", note["approver"] or ""]
            parts += [title for title, _ in following.attachments_of(note)]
            more = f"（{'，'.join(part for part in parts if part)}）" if any(parts) else ""
            print(
                f"  {note['recorded_on']}  {STEPS[note['kind']].title}  {note['recorded_by'] or ''}  "
                f"{note['text_zh']}{more}"
            )
    return 0


def _act(folder: DataFolder, args: argparse.Namespace) -> int:
    names = _named(args)
    if not args.by.strip():
        raise FollowError(f"请写明由谁办理：oversight finding {args.step} … --by 姓名。")
    attachments = []
    for text in args.attach:
        path = Path(text).expanduser()
        if not path.is_file():
            raise FollowError(f"没有附件 {path}。请检查文件名。")
        title = "".join(character for character in path.name if character not in "|/")
        attachments.append((title, following.keep_attachment(folder, path.read_bytes())))
    said = Said(args.text, _day(args.on), args.approver, args.owner, tuple(attachments))
    outcome = following.act(
        folder,
        following.edition_rows(folder),
        dict.fromkeys(names),
        _KINDS[args.step],
        said,
        by=args.by,
        now=_now(),
    )
    for name in outcome.done:
        print(f"{name}  已办理：{STEPS_ZH[args.step]}")
    if outcome.refused:
        raise FollowError("；".join(f"{name}：{why}" for name, why in outcome.refused))
    return 0


def _named(args: argparse.Namespace) -> list[str]:
    if not args.what:
        raise FollowError(f"请写明问题编号：oversight finding {args.step} A-10/360313108/2025-01。")
    return list(dict.fromkeys(args.what))


def _check(folder: DataFolder, args: argparse.Namespace) -> int:
    del args
    found = following.reconcile(folder)
    print(
        f"台账与留痕一致 {found.matched} 次；手工记入 {found.by_hand} 条；"
        f"建立账号以前办理（没有留痕）{found.before_record} 次。"
    )
    if found.wrong:
        raise FollowError("\n".join(found.wrong))
    return 0


def _export(folder: DataFolder, args: argparse.Namespace) -> int:
    target = Path(args.output or "问题办理记录.csv").expanduser()
    durable.write_text(target, following.export(folder))
    print(f"已写出 {target}")
    return 0


def _import(folder: DataFolder, args: argparse.Namespace) -> int:
    if len(args.what) != 1 or not Path(args.what[0]).is_file():
        raise FollowError("请写明一个 CSV 文件：oversight finding import 问题办理记录.csv --by 姓名。")
    if not args.by.strip():
        raise FollowError("请写明由谁办理：oversight finding import … --by 姓名。")
    fresh, known = following.import_notes(folder, Path(args.what[0]), by=args.by.strip())
    print(f"收进 {fresh} 条，已有 {known} 条。重新运行后进入数据版本。")
    return 0


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text.strip().replace("/", "-"))
    except ValueError:
        raise FollowError(f"日期“{text}”不对。请写成 2026-12-31 的样子。") from None
