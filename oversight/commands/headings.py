"""`oversight headings`: which headings are a question, and their answers."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from oversight.errors import OversightError
from oversight.settings import TIME_ZONE, DataFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """FILE…, `--data`, `--confirm`, `--as`."""
    parser.add_argument(
        "files", metavar="文件", nargs="*", help="要看的文件；不写则看数据目录里已收到而还有疑问的文件"
    )
    parser.add_argument("--data", metavar="目录", help="数据目录；不写则用项目自带的 data/")
    parser.add_argument(
        "--confirm", action="store_true", help="按所列的对应列确认，记入数据目录的 headings.csv"
    )
    parser.add_argument(
        "--as",
        metavar="表头=列",
        dest="answers",
        action="append",
        default=[],
        help="另行指定一个表头的对应列，如 “预算金额=调整后预算(元)”；不用这一列写 “预算金额=不使用”；可写多次",
    )
    parser.epilog = (
        "确认只对同一报送单位的同一版式有效，记在数据目录的 headings.csv，可用 Excel 打开修改；下次运行时生效。"
        "退出码：没有疑问或已确认为 0；还有疑问为 1。"
    )


def run(args: argparse.Namespace) -> int:
    """0 when nothing is left to ask, else 1."""
    from oversight.contracts import ALL_DATASETS
    from oversight.intake.questions import remember

    folder = DataFolder.at(args.data)
    now = datetime.now(TIME_ZONE)
    asked = _questions(args.files, folder, now)
    wanted = dict(_answer(text) for text in args.answers)
    for item in asked:
        contract = ALL_DATASETS[item["dataset"]]
        sender = f"{item['sender']} " if item["sender"] else ""
        sheet = f"工作表“{item['sheet']}” " if item["sheet"] else ""
        print(
            f"{item['file']}：{sheet}{item['letters']}{item['row_number']} “{item['heading']}” → "
            f"{contract.title_zh}的“{contract.columns[item['column']].title_zh}”？（{sender}版式 {item['layout']}）"
            + (f"\n    {item['likeness_zh']}" if item.get("likeness_zh") else "")
        )
    if not asked:
        print("没有需要确认的表头。")
        return 0
    told = [_answered(item, wanted) for item in asked if args.confirm or item["heading"] in wanted]
    unknown = set(wanted) - {item["heading"] for item in asked}
    if unknown:
        raise OversightError(f"没有问到表头“{'、'.join(sorted(unknown))}”。请核对 --as 的写法。")
    if not told:
        print("确认无误请加 --confirm；对应列不对的，用 --as 表头=列 指明。")
        return 1
    new = remember(folder, told, now.date())
    print(f"已记入 {folder.headings}：{new} 项；下次运行时生效。")
    return 0 if len(told) == len(asked) else 1


def _questions(files: Sequence[str], folder: DataFolder, now: datetime) -> list[dict[str, Any]]:
    from oversight.intake import landed as store
    from oversight.intake.questions import proposals, read_answers
    from oversight.intake.raw_files import scan
    from oversight.intake.sending_back.checking import check
    from oversight.intake.sending_back.likeness import with_likeness

    if files:
        checked = check([Path(name) for name in files], folder, now=now)
        return [{**p, "file": c.path.name} for c in checked for p in c.proposals]
    landed = store.load(folder)
    received = {f.submission_id: f for f in scan(folder, keeping=False)}
    asked = {number: proposals(landed.headings, [number]) for number in received}
    told = with_likeness(asked, received.values(), read_answers(folder), landed)
    return [{**p, "file": received[number].name} for number, of in told.items() for p in of]


def _answer(text: str) -> tuple[str, str]:
    heading, mark, column = text.rpartition("=")
    if not mark or not heading.strip() or not column.strip():
        raise OversightError(f"--as “{text}”应写作 表头=列，如 预算金额=年初预算(元)。")
    return heading.strip(), column.strip()


def _answered(item: dict[str, Any], wanted: dict[str, str]) -> dict[str, Any]:
    from oversight.contracts import ALL_DATASETS
    from oversight.intake.own_files import NOT_USED
    from oversight.intake.reading.text import plain

    answer = wanted.get(item["heading"])
    if answer is None:
        return item
    if answer == NOT_USED:
        return {**item, "column": None}
    columns = ALL_DATASETS[item["dataset"]].columns.values()
    column = next((c for c in columns if plain(answer) in (plain(c.title_zh), plain(c.label_zh))), None)
    if column is None:
        titles = "、".join(c.title_zh for c in columns)
        raise OversightError(f"没有“{answer}”这一列；可用：{titles}，或 {NOT_USED}。")
    return {**item, "column": column.name}
