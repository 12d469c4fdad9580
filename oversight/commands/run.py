"""`oversight run`: from the files received to a published edition."""

from __future__ import annotations

import argparse
import contextlib
import logging
import secrets
import sys
from datetime import datetime

from oversight import logs, progress
from oversight.accounts import record
from oversight.cli import add_data_argument
from oversight.editions.build import DUCKDB, ENGINES
from oversight.editions.edition import Edition
from oversight.settings import TIME_ZONE, DataFolder
from oversight.whole_run import run as run_over

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--data`, `--again`, `--engine` and `--at-once`."""
    add_data_argument(parser)
    parser.add_argument(
        "--again", action="store_true", help="即使没有新内容也从头全部重新计算，发布一版，并与上一版逐表核对"
    )
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        default=DUCKDB,
        help="怎样计算：duckdb（默认，本机一次算完）；provinces（一次放不下时，按省分开算，再合成一个全国的版本）；"
        "spark（一台机器不够时，先执行 make spark；每次从头全部计算）",
    )
    parser.add_argument(
        "--at-once",
        type=_at_once,
        default=1,
        metavar="个数",
        help="与 --engine provinces 同用：同时算几个省（默认 1，逐个算）；内存按个数平分",
    )


def _at_once(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text} 不是正整数")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Exit code 0: an edition stands, whatever it found."""
    folder = DataFolder.at(args.data)

    # What is no data folder is told so, and gets no folder of logs.
    with contextlib.ExitStack() as held:
        if folder.raw.is_dir():
            held.enter_context(logs.written(folder.logs, "run"))
        held.enter_context(logs.holding(run=secrets.token_hex(4)))
        return _run(folder, even_if_unchanged=args.again, engine=args.engine, at_once=args.at_once)


def _run(folder: DataFolder, *, even_if_unchanged: bool, engine: str, at_once: int) -> int:
    def say(line: str) -> None:
        print(line, flush=True)
        logs.tell(log, line)

    started = datetime.now(TIME_ZONE)
    record.note_files(folder, "standards", [folder.standards])
    record.note_files(folder, "corrections", [folder.corrections, folder.headings])
    try:
        with progress.following(folder) as followed:
            said = followed.told_to(say)
            outcome = run_over(
                folder,
                say=said,
                now=started,
                even_if_unchanged=even_if_unchanged,
                engine=engine,
                at_once=at_once,
            )
    except Exception:
        log.exception("the run did not end")
        raise
    record.note(
        folder, "run", 版本=outcome.edition.edition_id, 结果="发布新版本" if outcome.is_new else "没有新内容"
    )
    if not outcome.is_new:
        print(f"没有新内容：文件、标准和程序都与当前版本 {outcome.edition.edition_id} 相同，未发布新版本。")
        return 0

    _log_files(outcome.edition, started)
    from oversight.summary import summary

    sys.stdout.write("\n" + "\n".join(summary(folder, outcome.edition)) + "\n")
    if outcome.before and outcome.differing is not None:
        print(_checked(outcome.before, outcome.edition, outcome.differing))
    return 0


def _log_files(edition: Edition, since: datetime) -> None:
    """A line for each file received by this run: what became of it, and of its rows."""
    import duckdb

    with duckdb.connect(str(edition.warehouse), read_only=True) as connection:
        rows = connection.execute(
            "select file_name, status, rows_accepted, rows_held, rows_rejected, error_code from submissions "
            "where received_at >= ? order by file_name",
            [since.replace(tzinfo=None)],
        ).fetchall()
    for name, status, accepted, held, rejected, code in rows:
        with logs.holding(file=name):
            logs.tell(log, "file", status=status, accepted=accepted, held=held, rejected=rejected, error=code)
    logs.tell(log, "published", edition=edition.edition_id)


def _checked(before: Edition, now: Edition, differing: tuple[str, ...]) -> str:
    """What came of computing everything once more."""
    if not differing:
        return f"重算核对  {len(now.manifest['tables'])} 张表的内容都与上一版 {before.edition_id} 相同"
    return (
        f"重算核对  与上一版 {before.edition_id} 相比，内容有变：{'、'.join(differing)}。文件、标准和程序都没有变："
        "只有“未到期”会随日期变成“未报”（detail.submission_status），其他表有变请交给维护人员。"
    )
