"""`oversight describe`: the columns of a table, with Chinese titles, units and meaning."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Mapping

from oversight.cli import add_data_argument
from oversight.dictionary import TableEntry, read_dictionary, relation_columns, relations
from oversight.editions.edition import open_edition
from oversight.errors import OversightError
from oversight.sandbox.output import format_table
from oversight.settings import DataFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """TABLE, `--edition`, `--data`."""
    parser.add_argument("table", metavar="表名", help="英文名或中文名，如 funding_gap_monthly、经费缺口_月")
    parser.add_argument("--edition", metavar="版本", help="哪一版数据；不写则为当前版本")
    add_data_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Print the table's title, both names, and its columns."""
    with open_edition(DataFolder.at(args.data), args.edition) as connection:
        found = relations(read_dictionary(connection))
    name, entry = _find(found, args.table)
    print(f"{entry.title}：{entry.hint}\n表名 {entry.full_name}，中文名 {name}\n")
    if args.table == name:
        rows: list[tuple[str, ...]] = [(column.name, column.comment) for column in relation_columns(entry)]
        print(format_table(("列", "含义"), rows, most=100))
        return 0
    described = [(c.name, c.title, c.unit, c.type.lower(), c.hint) for c in entry.columns]
    print(format_table(("列", "中文名", "单位", "类型", "含义"), described, most=80))
    return 0


def _find(found: Mapping[str, TableEntry], wanted: str) -> tuple[str, TableEntry]:
    names = {name: (name, entry) for name, entry in found.items()}
    names |= {entry.full_name: (name, entry) for name, entry in found.items()}
    names |= {f"{entry.schema}.{entry.name}": (name, entry) for name, entry in found.items()}
    if wanted in names:
        return names[wanted]
    near = difflib.get_close_matches(wanted, names, 3, 0.4)
    hint = f"是不是：{'、'.join(near)}？" if near else ""
    raise OversightError(f"没有名为 {wanted} 的表。{hint}用 oversight tables 查看全部的表。")
