"""`oversight run`: from the files received to a published edition."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime

from oversight.accounts import record
from oversight.cli import add_data_argument
from oversight.editions.edition import Edition
from oversight.settings import TIME_ZONE, DataFolder
from oversight.whole_run import run as run_over


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--data` and `--again`."""
    add_data_argument(parser)
    parser.add_argument(
        "--again", action="store_true", help="即使没有新内容也从头全部重新计算，发布一版，并与上一版逐表核对"
    )


def run(args: argparse.Namespace) -> int:
    """Exit code 0: an edition stands, whatever it found."""
    folder = DataFolder.at(args.data)

    def say(line: str) -> None:
        print(line, flush=True)

    record.note_files(folder, "standards", [folder.standards])
    record.note_files(folder, "corrections", [folder.corrections, folder.headings])
    outcome = run_over(folder, say=say, now=datetime.now(TIME_ZONE), even_if_unchanged=args.again)
    record.note(
        folder, "run", 版本=outcome.edition.edition_id, 结果="发布新版本" if outcome.is_new else "没有新内容"
    )
    if not outcome.is_new:
        print(f"没有新内容：文件、标准和程序都与当前版本 {outcome.edition.edition_id} 相同，未发布新版本。")
        return 0

    from oversight.summary import summary

    sys.stdout.write("\n" + "\n".join(summary(folder, outcome.edition)) + "\n")
    if outcome.before and outcome.differing is not None:
        print(_checked(outcome.before, outcome.edition, outcome.differing))
    return 0


def _checked(before: Edition, now: Edition, differing: tuple[str, ...]) -> str:
    """What came of computing everything once more."""
    if not differing:
        return f"重算核对  {len(now.manifest['tables'])} 张表的内容都与上一版 {before.edition_id} 相同"
    return (
        f"重算核对  与上一版 {before.edition_id} 相比，内容有变：{'、'.join(differing)}。文件、标准和程序都没有变："
        "只有“未到期”会随日期变成“未报”（detail.submission_status），其他表有变请交给维护人员。"
    )
