"""`oversight run`: from the files received to a published edition."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime

from oversight.cli import add_data_argument
from oversight.run import run as run_over
from oversight.settings import TIME_ZONE, DataFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--data` and `--again`."""
    add_data_argument(parser)
    parser.add_argument("--again", action="store_true", help="即使没有新内容也重新发布一版")


def run(args: argparse.Namespace) -> int:
    """Exit code 0: an edition stands, whatever it found."""
    folder = DataFolder.at(args.data)

    def say(line: str) -> None:
        print(line, flush=True)

    outcome = run_over(folder, say=say, now=datetime.now(TIME_ZONE), even_if_unchanged=args.again)
    if not outcome.is_new:
        print(f"没有新内容：文件、标准和程序都与当前版本 {outcome.edition.edition_id} 相同，未发布新版本。")
        return 0

    from oversight.summary import summary

    sys.stdout.write("\n" + "\n".join(summary(folder, outcome.edition)) + "\n")
    return 0
