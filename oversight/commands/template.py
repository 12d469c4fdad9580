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
    """DATASET, `--county`, `--month`, `--to`, `--out`, `--data`."""
    names = "、".join(f"{c.name}（{c.title_zh}）" for c in TEMPLATED.values())
    parser.add_argument(
        "dataset",
        metavar="数据集",
        nargs="?",
        help=f"{names}；写中文名也可以；不写则为乡镇每月要报的各种报表各写一份",
    )
    parser.add_argument("--county", metavar="代码", required=True, help="县（市、区）的 6 位区划代码")
    parser.add_argument(
        "--month", metavar="月份", type=a_month, help="统计月份，如 2025-06；行政区划表不用写，其余必须写"
    )
    parser.add_argument(
        "--to", metavar="月份", type=a_month, help="直到哪个月，每月一份；不写则只有 --month 这一个月"
    )
    parser.add_argument(
        "-o",
        "--out",
        metavar="文件或目录",
        help="写到哪个文件；一次写几份时是目录。不写则按县、月份和数据集起名，写在当前目录",
    )
    add_data_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Write the workbooks and print where they are."""
    from oversight.intake.sending_back.templates import county_of, known_divisions, new_county
    from oversight.workflow.templates import MONTHLY, write_for

    contract = next((c for c in TEMPLATED.values() if args.dataset in (c.name, c.title_zh)), None)
    if contract is None and args.dataset is not None:
        known = "、".join(f"{c.name}（{c.title_zh}）" for c in TEMPLATED.values())
        raise OversightError(f"没有数据集“{args.dataset}”，可用的有：{known}。")
    folder = DataFolder.at(args.data)
    now = datetime.now(TIME_ZONE)
    is_divisions = contract is not None and contract.name == "divisions"
    if args.month is None and not is_divisions:
        what = contract.title_zh if contract else "报表"
        raise OversightError(f"请用 --month 写明{what}的统计月份，如 --month {now:%Y-%m}。")
    first: date = args.month or now.date().replace(day=1)
    months = _months(first, args.to or first)
    contracts = [contract] if contract is not None else [DATASETS[name] for name in MONTHLY]
    divisions = known_divisions(folder, now)
    is_one = len(months) == len(contracts) == 1
    target = Path(args.out or ".")
    if not is_one:
        if target.is_file():
            raise OversightError(
                f"{target} 是一个文件，而要写 {len(months) * len(contracts)} 份。请用 -o 指定目录。"
            )
        target.mkdir(parents=True, exist_ok=True)
    for month in months:
        county = county_of(
            folder, args.county, month, now=now, new=new_county if is_divisions else None, divisions=divisions
        )
        when = "" if is_divisions else f"{month.year}年{month.month}月"
        for each in contracts:
            path = target / f"{county.name}{when}{each.title_zh}.xlsx" if target.is_dir() else target
            write_for(folder, each.name, county, month, path)
            if county.is_new:
                print(
                    f"空的行政区划表已写出：{path}。请填好省、市、县和各乡镇（街道）的代码、名称、类型，放进 {folder.raw}。"
                )
            else:
                print(f"模板已写出：{path}（{county.name}，{len(county.townships)} 个乡镇、街道）")
    return 0


def _months(first: date, last: date) -> list[date]:
    """Each month from the first to the last."""
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    if not 1 <= count <= 36:
        raise OversightError(f"从 {first:%Y-%m} 到 {last:%Y-%m} 不是 1 到 36 个月。请核对 --month 和 --to。")
    return [
        date(first.year + (first.month - 1 + n) // 12, (first.month - 1 + n) % 12 + 1, 1)
        for n in range(count)
    ]
