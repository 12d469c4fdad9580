"""`oversight serve`: the dashboard in a browser."""

from __future__ import annotations

import argparse

from oversight.cli import add_data_argument
from oversight.dashboard.server import serve
from oversight.settings import DataFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--data`, `--host`, `--port`, `--name`, `--proxy`, `--on-demand`."""
    add_data_argument(parser)
    parser.add_argument("--host", metavar="地址", default="127.0.0.1", help="监听的地址；默认只供本机访问")
    parser.add_argument("--port", metavar="端口", type=int, default=8050, help="监听的端口，默认 8050")
    parser.add_argument(
        "--name",
        metavar="名称",
        action="append",
        default=[],
        help="浏览器里用的主机名或地址，可写多次；用别的名称来的请求会被拒绝",
    )
    parser.add_argument(
        "--proxy",
        metavar="地址",
        action="append",
        default=[],
        help="前面的反向代理的地址，可写多次；只有它们说的来访者地址才作数",
    )
    parser.add_argument(
        "--on-demand",
        action="store_true",
        help="有人打开时才画页面；默认在没有人使用时先把常看的页面画好",
    )


def run(args: argparse.Namespace) -> int:
    """Serve until stopped."""

    def say(line: str) -> None:
        print(line, flush=True)

    return serve(
        DataFolder.at(args.data),
        args.host,
        args.port,
        say,
        names=args.name,
        proxies=args.proxy,
        draws_ahead=not args.on_demand,
    )
