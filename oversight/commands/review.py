"""`oversight review`: what waits for a reviewer, and deciding on it."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from oversight.accounts.actor import at_the_machine
from oversight.cli import add_data_argument
from oversight.editions.edition import current, open_edition
from oversight.settings import DataFolder
from oversight.workflow import questions as open_questions
from oversight.workflow import review
from oversight.workflow.answers import ReviewError

STEPS = {
    "list": "列出待审核的报送和待确认的数（不写步骤时就是这一步）",
    "show": "逐行显示一份报送",
    "accept": "采用一份报送（或 --row 指定的行），或确认一个数无误",
    "return": "退回，须写原因",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The step, what it is about, and what single steps need."""
    parser.add_argument(
        "step",
        nargs="?",
        choices=STEPS,
        default="list",
        metavar="步骤",
        help="；".join(f"{name} {text}" for name, text in STEPS.items()),
    )
    parser.add_argument(
        "id", nargs="?", metavar="编号", help="报送的回执编号（18 位），或待确认的数的编号（24 位）"
    )
    parser.add_argument(
        "--row", metavar="序号", type=int, action="append", help="show 列出的行的序号，可写多次"
    )
    parser.add_argument(
        "--by", metavar="姓名", default="", help="审核人（accept、return 必写），不能是报送人"
    )
    parser.add_argument("--note", metavar="文字", default="", help="原因：退回，以及采用有疑问的行时必写")
    add_data_argument(parser)


def run(args: argparse.Namespace) -> int:
    """What waits, or one line for what was done."""
    folder = DataFolder.at(args.data)
    if args.step != "list" and not re.fullmatch(r"[0-9a-f]{18}|[0-9a-f]{24}", args.id or ""):
        raise ReviewError(f"请写明编号：oversight review {args.step} 编号。编号见 oversight review list。")
    if args.step == "list":
        return _list(folder)
    if args.step == "show":
        return _show(folder, args.id)
    if not args.by.strip():
        raise ReviewError(f"请写明由谁审核：oversight review {args.step} {args.id} --by 姓名。")
    if len(args.id) == 24:
        return _answer(folder, args)
    item = review.decide(
        folder,
        args.id,
        [number - 1 for number in args.row] if args.row else None,
        args.step,
        args.note,
        at_the_machine(),
        by=args.by.strip(),
    )
    left = f"，还有 {len(item.left)} 行待定" if item.left else ""
    print(f"{item.told['file_name']}：{review.STATE_ZH[item.state]}{left}，{args.by.strip()}")
    return 0


def _list(folder: DataFolder) -> int:
    review.resume(folder)
    found = review.reviews_in(folder, at_the_machine().scope)
    waiting = [item for item in found if item.state == "waiting"]
    for item in waiting:
        told = item.told
        print(
            f"{item.id}  {told['file_name']}  {told['county_name']}  {'、'.join(told['months'])}  "
            f"{told['handed_in_at'][:16].replace('T', ' ')} {told['by']}  {len(item.rows)} 行，待定 {len(item.left)}"
        )
    print(f"待审核的报送 {len(waiting)} 份。" if waiting else "没有待审核的报送。")
    answers = open_questions.answered(folder)
    asked = [item for item in _asked(folder) if open_questions.answer_to(answers, item) is None]
    for question in asked:
        column = f"{question.column} {question.value} " if question.column else ""
        print(
            f"{question.id}  {open_questions.KIND_ZH[question.kind]}  {question.name} {question.month:%Y-%m}  "
            f"{column}{question.what}"
        )
    print(f"当前版本里待确认的数和存疑 {len(asked)} 处。")
    return 0


def _show(folder: DataFolder, identifier: str) -> int:
    item = review.find(folder, identifier)
    if item is None:
        raise ReviewError(f"没有编号为 {identifier} 的报送。编号见 oversight review list。")
    print(f"{item.told['file_name']}  {review.STATE_ZH[item.state]}  SHA-256 {item.told['sha256']}")
    for remark in item.told["remarks"]:
        print(f"  {remark['kind_zh']}：{remark['what']}")
    for row in item.rows:
        figures = "；".join(f"{title} {value}" for title, value in row["figures"].items())
        told = row["decision"]
        said = f"  {review.VERDICT_ZH[told['verdict']]}（{told['by']}）{told['reason']}" if told else ""
        print(
            f"  {row['n'] + 1}. {row['name']} {row['code']} {row['month']} {row['sheet'] or ''}第 {row['row']} 行  "
            f"{figures}{said}"
        )
        for remark in row["remarks"]:
            print(f"     {remark['kind_zh']}：{remark['what']}")
        if row["is_nil"]:
            print("     零报告：本月各项按 0 计")
    for remark in item.told["unusable"]:
        print(f"  不能用：{remark['sheet'] or ''}第 {remark['row']} 行 {remark['what']}")
    return 0


def _answer(folder: DataFolder, args: argparse.Namespace) -> int:
    found = next((item for item in _asked(folder) if item.id == args.id), None)
    if found is None:
        raise ReviewError("没有这个待确认的数，可能已有新的数据版本。请用 oversight review list 查看。")
    open_questions.settle(folder, found, args.step, args.note, at_the_machine(), by=args.by.strip())
    print(f"已记下，下一次运行生效：{found.name} {found.month:%Y-%m} {found.column or found.what}")
    return 0


def _asked(folder: DataFolder) -> list[open_questions.Question]:
    if current(folder) is None:
        return []
    with closing(open_edition(folder)) as connection:

        def rows(sql: str, values: Sequence[Any]) -> list[dict[str, Any]]:
            cursor = connection.execute(sql, list(values))
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

        return open_questions.questions(rows, at_the_machine().scope)
