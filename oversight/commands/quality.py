"""`oversight quality suites`: Great Expectations' suites, written anew from contracts and standards."""

from __future__ import annotations

import argparse

from oversight.errors import OversightError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`suites`, `--check`."""
    from oversight.cli import Parser

    actions = parser.add_subparsers(
        dest="action",
        metavar="动作",
        title="动作",
        required=True,
        parser_class=Parser,
        prog=parser.prog,
    )
    text = "按数据约定和标准重新生成 gx/expectations/ 里的套件；自己增添的条目保留"
    suites = actions.add_parser("suites", help=text, description=text)
    suites.add_argument("--check", action="store_true", help="只看是否一致，不写；不一致时退出码为 1")


def run(args: argparse.Namespace) -> int:
    """Write the suites, or say which of them differ from what contracts and standards say."""
    from oversight.quality import expectations
    from oversight.quality.rules import Rules

    try:
        before = expectations.stored()
    except ValueError as error:
        raise OversightError(
            f"{expectations.GX_ROOT / 'expectations'} 中有套件文件不是 JSON：{error}。请改正后重试。"
        ) from error
    suites = expectations.renewed(before, Rules.of_project())
    changed = [name for name, suite in suites.items() if suite != before.get(name)]
    if args.check:
        for name in changed:
            print(f"{name}：与数据约定和标准不一致。用 oversight quality suites 重新生成。")
        return 1 if changed else 0
    expectations.write(suites)
    for name, suite in suites.items():
        added = sum(not expectations.is_made(each) for each in suite["expectations"])
        print(
            f"{name}：{len(suite['expectations'])} 条"
            + (f"，其中自己增添 {added} 条" if added else "")
            + ("，已更新" if name in changed else "")
        )
    return 0
