"""`oversight tables`: what can be queried."""

from __future__ import annotations

import argparse

from oversight.cli import add_data_argument
from oversight.dictionary import read_dictionary, relations
from oversight.editions.edition import find_edition, open_edition
from oversight.sandbox.output import format_table
from oversight.settings import DataFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--edition`, `--data`."""
    parser.add_argument("--edition", metavar="版本", help="哪一版数据；不写则为当前版本")
    add_data_argument(parser)


def run(args: argparse.Namespace) -> int:
    """One line a table: both names, rows, what a row is."""
    folder = DataFolder.at(args.data)
    edition = find_edition(folder, args.edition)
    with open_edition(folder, args.edition) as connection:
        found = relations(read_dictionary(connection))
    rows = [
        (entry.full_name, name, edition.row_count(f"{entry.schema}.{entry.name}"), entry.hint)
        for name, entry in found.items()
    ]
    print(format_table(("表", "中文名", "行数", "一行是什么"), rows, most=90))
    print("（两种名称都可以查询；各列用 oversight describe 表名 查看）")
    return 0
