"""`oversight editions`: the editions there are, newest first, and back to one of before."""

from __future__ import annotations

import argparse

from oversight.cli import add_data_argument
from oversight.editions.edition import Edition, EditionError, current, list_editions
from oversight.editions.seal import is_signed
from oversight.settings import TIME_ZONE, DataFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The step and what it needs."""
    parser.add_argument(
        "step",
        nargs="?",
        choices=("list", "back"),
        default="list",
        metavar="步骤",
        help="list 列出（不写步骤时就是这一步）；back 回到以前的版本：发布一个与它相同的新版本",
    )
    parser.add_argument("edition", nargs="?", metavar="版本", help="back 回到哪一版")
    parser.add_argument("--by", metavar="姓名", default="", help="由谁办理（back 必写）")
    parser.add_argument("--note", metavar="文字", default="", help="为什么（back 必写）")
    add_data_argument(parser)


def run(args: argparse.Namespace) -> int:
    """One line an edition: name, when it was made, months, how many files and townships, whether it is signed."""
    folder = DataFolder.at(args.data)
    if args.step == "back":
        return _back(folder, args)
    editions = list_editions(folder)
    if not editions:
        raise EditionError(f"数据目录 {folder.root} 还没有已发布的版本。请先运行 oversight run。")
    pointed = current(folder)
    for edition in editions:
        print(("* " if edition == pointed else "  ") + _line(edition))
    print("（* 为当前版本）")
    return 0


def _back(folder: DataFolder, args: argparse.Namespace) -> int:
    from oversight.accounts.actor import at_the_machine
    from oversight.workflow.running import go_back

    if not args.edition or not args.by.strip() or not args.note.strip():
        raise EditionError("请写明版本、由谁办理和原因：oversight editions back 版本 --by 姓名 --note 原因。")
    made = go_back(folder, args.edition, args.note, at_the_machine(), by=args.by.strip())
    print(
        f"已发布 {made.edition_id}，与 {args.edition} 相同，现为当前版本。有新文件的下一次运行按全部文件计算。"
    )
    return 0


def _line(edition: Edition) -> str:
    made = f"{edition.built_at.astimezone(TIME_ZONE):%Y-%m-%d %H:%M:%S}"
    months = edition.months
    span = f"{months[0]:%Y-%m} 至 {months[1]:%Y-%m}" if months else "无月份"
    signed = f"已签名（{edition.manifest['signed_by']}）" if is_signed(edition.path) else "未签名"
    files, townships = len(edition.manifest["inputs"]), edition.row_count("main.townships")
    told = edition.manifest.get("restores")
    restores = f"  与 {told['edition_id']} 相同（{told['by']}：{told['why']}）" if told else ""
    return f"{edition.edition_id}  {made}  {span}  乡镇 {townships} 个  文件 {files} 份  {signed}{restores}"
