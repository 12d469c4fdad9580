"""The `oversight` command: finds the module of the command asked for, and says in one line what went wrong.

A command's module is imported only when that command is chosen, so that `oversight path` does not wait for
Dagster.
"""

from __future__ import annotations

import argparse
import importlib
import os
import re
import sys
import traceback
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from oversight import telemetry
from oversight.editions.code import VERSION
from oversight.errors import OversightError
from oversight.faults import cause_zh
from oversight.loading import as_process, without_pandas
from oversight.settings import TIME_ZONE, DataFolder

# name → (module, help). A feature adds its line here and its module; nothing else.
COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("oversight.commands.run", "读取各乡镇报来的文件，核对、判定并发布新版本"),
    "check": ("oversight.commands.check", "核对文件而不入库：哪些能用，哪些不能用，怎样改"),
    "headings": ("oversight.commands.headings", "列出拿不准的表头，并确认它们对应哪一列"),
    "template": ("oversight.commands.template", "生成填报模板：乡镇已填好，单位固定，填错即提示"),
    "path": ("oversight.commands.path", "显示当前版本的数据库文件位置"),
    "explain": ("oversight.commands.explain", "说明一个单位的数字从哪里来、怎样算出来"),
    "diff": ("oversight.commands.diff", "比较两个版本：变了什么、为什么变"),
    "editions": ("oversight.commands.editions", "列出已发布的版本，或回到以前的版本"),
    "init": ("oversight.commands.init", "新建一个空的数据目录，用来放本单位的报表"),
    "review": ("oversight.commands.review", "审核报送：采用或退回，确认待确认的数"),
    "report": ("oversight.commands.report", "生成每月督查通报（Word、PDF、Excel、网页）"),
    "brief": ("oversight.commands.brief", "生成一个地方的一页简报（PDF）"),
    "policy": ("oversight.commands.policy", "核对放入的政策原文：读不读得出，各条引文在不在里面"),
    "sql": ("oversight.commands.sql", "用 SQL 查询当前版本的数据"),
    "tables": ("oversight.commands.tables", "列出可以查询的表"),
    "describe": ("oversight.commands.describe", "说明一张表有哪些列、单位和含义"),
    "verify": ("oversight.commands.verify", "核对存档、数据、版本和通报的每个字节"),
    "repair": ("oversight.commands.repair", "修复能由完好的部分重新得出的内容"),
    "backup": ("oversight.commands.backup", "备份数据目录，只增加有变化的内容"),
    "restore": ("oversight.commands.restore", "把备份恢复到一个空文件夹"),
    "serve": ("oversight.commands.serve", "启动网页看板，供浏览器查看"),
    "letter": (
        "oversight.commands.letter",
        "催报与文书：拟稿、审批、签发、送达催报函、提醒函、督办单、整改通知书",
    ),
    "notice": ("oversight.commands.notice", "列出待办、逾期和出错的提醒，或发邮件"),
    "finding": ("oversight.commands.finding", "办理问题：通知、答复、约定、核销、豁免，列出、对账、导入导出"),
    "roster": ("oversight.commands.roster", "核对名册：同一个人是否在两个乡镇（只留结论，不留号码）"),
    "user": ("oversight.commands.user", "管理看板的账号、角色和能看的区划，核对留痕"),
    "quality": ("oversight.commands.quality", "数据核对：按数据约定和标准生成 Great Expectations 的套件"),
    "licences": ("oversight.commands.licences", "列出所装各个包的许可证"),
}

# Great Expectations, which only these start, needs pandas.
_AUDITING = {"run", "quality"}

_TRANSLATED = (
    (r"unrecognized arguments: (.*)", r"不认识的参数：\1"),
    (r"the following arguments are required: (.*)", r"缺少参数：\1"),
    (r"argument (\S+): expected one argument", r"参数 \1 后面要有一个值"),
    (r"argument \S+: invalid choice: '?([^' ]*)'? \(choose from (.*)\)", r"没有“\1”这个选项，可用的有：\2"),
    (r"argument (\S+): invalid \w+ value: (.*)", r"参数 \1 的值不对：\2"),
)


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Help with Chinese headings."""

    def add_usage(
        self, usage: str | None, actions: Iterable[Any], groups: Iterable[Any], prefix: str | None = None
    ) -> None:
        """As argparse does, with the Chinese word for usage."""
        super().add_usage(usage, actions, groups, prefix or "用法：")


class Parser(argparse.ArgumentParser):
    """An argument parser that speaks Chinese."""

    def __init__(self, **options: Any) -> None:
        super().__init__(add_help=False, formatter_class=Formatter, allow_abbrev=False, **options)
        self._positionals.title = "参数"
        self._optionals.title = "选项"
        self.add_argument("-h", "--help", action="help", help="显示这份说明")

    def error(self, message: str) -> NoReturn:
        """One line in Chinese and where to find help; exit code 2."""
        for pattern, chinese in _TRANSLATED:
            message, found = re.subn(f"^{pattern}$", chinese, message)
            if found:
                break
        self.exit(2, f"{message}。用 {self.prog} --help 查看用法。\n")


def add_data_argument(parser: argparse.ArgumentParser) -> None:
    """`--data`, the same in every command."""
    parser.add_argument(
        "--data",
        metavar="目录",
        help="数据目录，内有 raw/（收到的文件）和 marts/（发布的版本）；不写则用项目自带的 data/",
    )


def build_parser(chosen: str | None) -> Parser:
    """The parser; only the chosen command's module is imported and knows its arguments."""
    parser = Parser(prog="oversight", description="乡镇民政经费与人员保障监督：从各地报表到可核查的结论。")
    parser.add_argument("--version", action="version", version=VERSION, help="显示版本号")
    commands = parser.add_subparsers(
        dest="command", metavar="命令", title="命令", required=True, parser_class=Parser, prog=parser.prog
    )
    for name, (module, text) in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text)
        if name == chosen:
            importlib.import_module(module).add_arguments(command)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Whatever goes wrong ends in one Chinese line on standard error and a non-zero code."""
    telemetry.switch_off()
    words = list(sys.argv[1:] if arguments is None else arguments)
    chosen = next((word for word in words if not word.startswith("-")), None)
    if arguments is None and chosen not in _AUDITING:
        # The process is this command's alone.
        without_pandas()
    parsed = build_parser(chosen).parse_args(words)
    try:
        code: int = importlib.import_module(COMMANDS[parsed.command][0]).run(parsed)
    except OversightError as error:
        cause = cause_zh(error)
        if cause:
            cause += _where(_keep(error, DataFolder.at(getattr(parsed, "data", None))))
        print(cause or error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("已中断，已发布的版本不受影响；重新运行即可。", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output has gone, as `| head` does; nothing went wrong here.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        log = _keep(error, DataFolder.at(getattr(parsed, "data", None)))
        print(_explain(error, log), file=sys.stderr)
        return 1
    return code


def _explain(error: Exception, log: Path | None) -> str:
    text = " ".join(re.sub(r"https?://\S+", "", str(error)).split())[:200]
    cause = cause_zh(error)
    if cause is None:
        cause = (
            f"运行未完成，已发布的版本不受影响：{type(error).__name__}：{text}。"
            "请重新运行；若仍失败，把记录交给维护人员。"
        )
    return cause + _where(log)


def _where(log: Path | None) -> str:
    return f"详细记录在 {log}。" if log else "详细记录未能写出。"


def _keep(error: Exception, folder: DataFolder) -> Path | None:
    """Write the whole error where the one line says it is."""
    path = folder.work / "logs" / f"{datetime.now(TIME_ZONE):%Y%m%d-%H%M%S}-{os.getpid()}.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(traceback.format_exception(error)), "utf-8")
    except OSError:
        return None
    return path


def process() -> NoReturn:
    """The command `oversight`."""
    # Whoever ends the server means to.
    as_process(main, has_last_word="serve" not in sys.argv[1:2])


if __name__ == "__main__":
    process()
