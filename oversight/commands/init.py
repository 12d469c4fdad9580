"""`oversight init DIR`: an empty data folder, so that the sample never mixes with real reports."""

from __future__ import annotations

import argparse
from pathlib import Path

from oversight.errors import OversightError
from oversight.settings import SETTINGS_EXAMPLE, DataFolder

_README = """# 数据目录

| 文件夹或文件 | 放什么 |
|---|---|
| raw/ | 各乡镇报来的 Excel、CSV 文件，原样放入，可以分文件夹；系统只读不改 |
| standards/ | 本单位自有的标准（CSV，列与项目 dbt/seeds 中的同名文件相同）；没有就空着 |
| policy/ | 本单位留存的政策文件原文（docx、带文字的 PDF、网页、文本），文件名以文件编号开头；没有就空着 |
| corrections/ | 分析人员的更正与确认；没有就空着 |
| settings.toml | 各表的最后一个月怎样定：截止日已过的最后一个月，或有人报过的最后一个月 |
| sources.toml | 直接从数据库或网址取数的设置；不用就保持原样 |
| keys/ | 签名密钥：signing.key 只留在本机并另行备份，不外传；signing.pub 可交给核验的人 |
| marts/ | 系统发布的版本，不要手工改动 |

运行：`oversight run --data 本目录`。先放入行政区划表（`oversight template divisions` 写出空表），再放各月报表。
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The folder to make."""
    parser.add_argument("folder", metavar="目录", help="要新建的数据目录；已有的文件不会被改动")


def run(args: argparse.Namespace) -> int:
    """Make what is missing; touch nothing that is there."""
    folder = DataFolder.at(args.folder)
    if folder.root.exists() and not folder.root.is_dir():
        raise OversightError(f"{folder.root} 是一个文件，不能作为数据目录。请换一个名字。")
    for path in (folder.raw, folder.standards, folder.policy, folder.corrections, folder.marts):
        path.mkdir(parents=True, exist_ok=True)
    from oversight.editions.keys import signing_key
    from oversight.sources import EXAMPLE

    _write_new(folder.root / "说明.md", _README)
    _write_new(folder.sources_toml, EXAMPLE)
    _write_new(folder.settings_toml, SETTINGS_EXAMPLE)
    signing_key(folder)
    print(f"数据目录已备好：{folder.root}")
    print(f"第一步：把行政区划表放进 {folder.raw}；没有现成的，用下面的命令写出空表来填：")
    print(f"        oversight template divisions --county 县级代码 --data {folder.root}")
    print(f"第二步：把各乡镇报来的文件放进 {folder.raw}，运行 oversight run --data {folder.root}")
    return 0


def _write_new(path: Path, text: str) -> None:
    if not path.exists():
        path.write_text(text, "utf-8")
