"""`oversight explain`: how a figure came about, down to the reported cell."""

from __future__ import annotations

import argparse
from datetime import date

from oversight.cli import add_data_argument
from oversight.editions import code_version, find_edition, open_edition
from oversight.errors import OversightError
from oversight.explain import explain
from oversight.settings import DataFolder


def a_month(text: str) -> date:
    """2025-06, 202506 or 2025年6月 as the first of the month."""
    digits = "".join(c if c.isdigit() else " " for c in text).split()
    if len(digits) == 1 and len(digits[0]) == 6:
        digits = [digits[0][:4], digits[0][4:]]
    try:
        year, number = (int(part) for part in digits[:2])
        return date(year, number, 1)
    except ValueError:
        raise argparse.ArgumentTypeError(f"“{text}”不是月份，请写成 2025-06") from None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """CODE, `--month`, `--rule`, `--format`, `--edition`, `--data`."""
    parser.add_argument("code", metavar="区划代码", help="乡镇 9 位、县级 6 位、村（社区）12 位")
    parser.add_argument("--month", type=a_month, metavar="月份", help="如 2025-06；不写则为最近一个月")
    parser.add_argument("--rule", metavar="规则", help="只说明这一项规则，如 A-10；不写则说明全部")
    parser.add_argument(
        "--format", choices=("text", "json", "html"), default="text", help="输出格式，默认 text"
    )
    parser.add_argument("--edition", metavar="版本", help="按哪一版数据；不写则为当前版本")
    add_data_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Print the explanation."""
    import duckdb

    folder = DataFolder.at(args.data)
    with open_edition(folder, args.edition) as connection:
        try:
            told = explain(connection, args.code, args.month, args.rule)
        except (KeyError, duckdb.BinderException, duckdb.CatalogException) as error:
            # In an edition of this very program it is a fault of ours.
            edition = find_edition(folder, args.edition)
            if edition.made_from.code_version == code_version():
                raise
            raise OversightError(
                f"版本 {edition.edition_id} 由旧版程序生成，缺少说明要用的表或列。"
                "请运行 oversight run 生成新版本后再看；要看这一版，请用生成它的那一版程序。"
            ) from error
    print({"text": told.text, "json": told.json, "html": told.html}[args.format](), end="")
    return 0
