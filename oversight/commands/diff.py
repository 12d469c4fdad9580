"""`oversight diff`: what changed between two editions, and why."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import asdict
from decimal import Decimal

from oversight import presentation
from oversight.cli import add_data_argument
from oversight.commands.explain import a_month
from oversight.editions.compare import (
    CAUSES,
    FINDING_CAUSES,
    MEASURES,
    Change,
    Difference,
    FindingChange,
    compare,
)
from oversight.editions.edition import open_edition
from oversight.settings import DataFolder

_SHOWN = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Two editions, `--month`, `--format`, `--data`."""
    parser.add_argument("older", metavar="旧版本", help="较早的版本，见 oversight editions")
    parser.add_argument("newer", metavar="新版本", nargs="?", help="较新的版本；不写则为当前版本")
    parser.add_argument(
        "--month", type=a_month, metavar="月份", help="比较哪个月；不写则为两版共有的最近一个月"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="输出格式，默认 text")
    add_data_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Print the totals with their causes, the units that changed most, and the findings opened and cleared."""
    folder = DataFolder.at(args.data)
    with open_edition(folder, args.older) as older, open_edition(folder, args.newer) as newer:
        found = compare(older, newer, args.month)
    if args.format == "json":
        print(json.dumps(asdict(found), ensure_ascii=False, default=str, indent=1))
    else:
        print("\n".join(told(found)))
    return 0


def told(found: Difference) -> list[str]:
    """The difference as lines of text; every line of amounts adds up."""
    lines = [f"{found.older} → {found.newer}，{found.month:%Y年%m月}（元）"]
    for total in found.totals:
        line = f"{MEASURES[total.measure]}：{_amount(total.before)} → {_amount(total.after)}"
        if total.before is not None and total.after is not None:
            line += f"，变动 {_signed(total.after - total.before)}"
        lines.append(line)
        if any(total.parts.values()):
            lines.append("    其中 " + "，".join(_parts(total.parts)))
    changes = sorted(found.changes, key=lambda change: (-_size(change), change.township_code, change.measure))
    if changes:
        lines += [
            "",
            f"有变动的乡镇（按变动大小，列前 {min(_SHOWN, len(changes))} 项，共 {len(changes)} 项）",
        ]
    for change in changes[:_SHOWN]:
        lines.append(
            f"  {change.township_code} {change.township_name} {MEASURES[change.measure]}："
            f"{_amount(change.before)} → {_amount(change.after)}（{'，'.join(_parts(change.parts)) or '由未报变为零，或反之'}）"
        )
    lines += ["", f"未了的问题：{found.open_before} 个 → {found.open_after} 个"]
    for title, findings in (
        ("新出现的问题", found.opened),
        ("已整改的问题", found.cleared),
        ("不再列出的问题", found.gone),
        ("状态有变的问题", found.changed),
    ):
        counts = Counter(finding.cause for finding in findings)
        why = "，".join(
            f"{FINDING_CAUSES[cause]} {counts[cause]} 个" for cause in FINDING_CAUSES if counts[cause]
        )
        lines += ["", f"{title} {len(findings)} 个" + (f"（{why}）" if why else "")]
        lines += [_finding(finding) for finding in findings[:_SHOWN]]
        if len(findings) > _SHOWN:
            lines.append(f"  另有 {len(findings) - _SHOWN} 个，用 --format json 查看全部")
    return lines


def _finding(finding: FindingChange) -> str:
    before, after = finding.status_before, finding.status_after
    moved = (
        ""
        if before is None or after is None
        else (f"{presentation.status_label(before)} → {presentation.status_label(after)}，")
    )
    return f"  {finding.finding_id}（{moved}{FINDING_CAUSES[finding.cause]}）　{finding.message}"


def _size(change: Change) -> Decimal:
    return abs((change.after or Decimal(0)) - (change.before or Decimal(0)))


def _parts(parts: object) -> list[str]:
    assert isinstance(parts, dict)
    return [f"{CAUSES[cause]} {_signed(amount)}" for cause, amount in parts.items() if amount]


def _amount(value: Decimal | None) -> str:
    return "未知" if value is None else f"{value:,.2f}"


def _signed(value: Decimal) -> str:
    return f"{value:+,.2f}".replace("-", "−")
