"""`oversight template`: a fill-in workbook for a county's townships."""

from __future__ import annotations

import argparse
from datetime import date, datetime
from pathlib import Path

from oversight.cli import add_data_argument
from oversight.commands.explain import a_month
from oversight.contracts import DATASETS, LIST_DATASETS
from oversight.errors import OversightError
from oversight.settings import TIME_ZONE, DataFolder

TEMPLATED = {**DATASETS, **LIST_DATASETS}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """DATASET, `--county`, `--month`, `--out`, `--data`."""
    names = "、".join(f"{c.name}（{c.title_zh}）" for c in TEMPLATED.values())
    parser.add_argument("dataset", metavar="数据集", help=f"{names}；写中文名也可以")
    parser.add_argument("--county", metavar="代码", required=True, help="县（市、区）的 6 位区划代码")
    parser.add_argument(
        "--month", metavar="月份", type=a_month, help="统计月份，如 2025-06；行政区划表不用写，其余必须写"
    )
    parser.add_argument(
        "-o", "--out", metavar="文件", help="写到哪个文件；不写则按县、月份和数据集起名，写在当前目录"
    )
    add_data_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Write the workbook and print where it is."""
    from oversight.intake.sending_back.templates import county_of, new_county, write_template
    from oversight.workflow.templates import indicators_asked

    contract = next((c for c in TEMPLATED.values() if args.dataset in (c.name, c.title_zh)), None)
    if contract is None:
        known = "、".join(f"{c.name}（{c.title_zh}）" for c in TEMPLATED.values())
        raise OversightError(f"没有数据集“{args.dataset}”，可用的有：{known}。")
    folder = DataFolder.at(args.data)
    now = datetime.now(TIME_ZONE)
    is_divisions = contract.name == "divisions"
    if args.month is None and not is_divisions:
        raise OversightError(f"请用 --month 写明{contract.title_zh}的统计月份，如 --month {now:%Y-%m}。")
    month: date = args.month or now.date().replace(day=1)
    county = county_of(folder, args.county, month, now=now, new=new_county if is_divisions else None)
    when = "" if is_divisions else f"{month.year}年{month.month}月"
    target = Path(args.out or f"{county.name}{when}{contract.title_zh}.xlsx")
    if target.is_dir():
        target = target / f"{county.name}{when}{contract.title_zh}.xlsx"
    indicators = indicators_asked(folder, county.code, month) if contract.name == "indicators" else []
    write_template(contract.name, county, month, target, indicators)
    if county.is_new:
        print(
            f"空的行政区划表已写出：{target}。请填好省、市、县和各乡镇（街道）的代码、名称、类型，放进 {folder.raw}。"
        )
    else:
        print(f"模板已写出：{target}（{county.name}，{len(county.townships)} 个乡镇、街道）")
    return 0
