"""`oversight check`: judge files without loading them."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from oversight.errors import OversightError
from oversight.settings import TIME_ZONE, DataFolder

if TYPE_CHECKING:
    from oversight.intake.sending_back.checking import Checked

# A terminal is no place for ten thousand lines; JSON and the workbook have them all.
INSTRUCTIONS_SHOWN = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """FILE…, `--data`, `--format`, `--out`."""
    parser.add_argument("files", metavar="文件", nargs="+", help="要核对的 Excel、CSV 或压缩包，可写多个")
    parser.add_argument(
        "--data", metavar="目录", help="数据目录：按其中的行政区划和历史数据核对；不写则只核对写法"
    )
    parser.add_argument(
        "--format",
        choices=("table", "json", "workbook"),
        default="table",
        help="table 列出要改的（默认；相同的问题合为一条），json 供程序读取，workbook 写出标注好的退回件",
    )
    parser.add_argument("--out", metavar="目录", default=".", help="workbook 写到哪个目录，默认当前目录")
    parser.epilog = "退出码：全部入库为 0；有拒收、退回或待确认为 1；参数不对为 2。不改动数据目录。"


def run(args: argparse.Namespace) -> int:
    """0 when everything would be accepted, else 1."""
    from oversight.intake.sending_back.checking import check

    folder = DataFolder.at(args.data) if args.data else None
    checked = check([Path(name) for name in args.files], folder, now=datetime.now(TIME_ZONE))
    if args.format == "json":
        print(json.dumps([file.to_json() for file in checked], ensure_ascii=False, indent=1))
    else:
        for file in checked:
            print("\n".join(_lines(file, brief=args.format == "workbook")))
    if args.format == "workbook":
        _write(checked, Path(args.out))
    return 0 if all(file.is_clean for file in checked) else 1


def _lines(file: Checked, *, brief: bool) -> Sequence[str]:
    from oversight.intake.sending_back.instructions import instructions

    counts = file.counts
    lines = [f"{file.name}：{file.message_zh}"]
    if counts["rows_read"]:
        lines.append(
            f"  读到 {counts['rows_read']:,} 行：入库 {counts['accepted']:,}，待确认 {counts['held']:,}，"
            f"退回 {counts['rejected']:,}，忽略 {counts['ignored']:,}（表头、合计、说明）"
        )
    if not brief:
        told = instructions(file.remarks)
        for item in told[:INSTRUCTIONS_SHOWN]:
            remark = item.first
            title = f"“{remark.column_title}”" if remark.column_title else ""
            lines.append(f"  [{remark.error_code} {remark.title_zh}] {item.where_zh}{title}")
            lines.append(f"      {item.message_zh}")
            lines.append(f"      处理：{remark.what_to_do_zh}")
        rest = Counter(r.error_code for item in told[INSTRUCTIONS_SHOWN:] for r in item.remarks)
        if rest:
            kinds = "、".join(f"{code} {count} 处" for code, count in sorted(rest.items()))
            lines.append(f"  另有 {kinds}；用 --format workbook 查看全部。")
    lines += [f"  注意：{note}" for note in file.notes]
    return lines


def _write(checked: Sequence[Checked], out: Path) -> None:
    from oversight.intake.sending_back.returning import return_workbook, returned_name

    out.mkdir(parents=True, exist_ok=True)
    for file in checked:
        if not file.remarks:
            continue
        target = out / returned_name(file.name, file.submission_id)
        try:
            return_workbook(file.path, file.name, file.remarks, target)
        except OSError as failure:
            raise OversightError(
                f"写不出退回件 {target}：{failure.strerror}。请检查 --out 的目录。"
            ) from failure
        except Exception as failure:
            # What is wrong stands in the list all the same; one file stops no other.
            print(
                f"  退回件“{target.name}”未能写出（{type(failure).__name__}）；请看 --format table 的逐条说明。"
            )
            continue
        print(f"  退回件：{target}")
