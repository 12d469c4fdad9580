"""`oversight user`: who may sign in, with what role, and what they may see."""

from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path

from oversight.accounts.roles import ROLES
from oversight.cli import add_data_argument
from oversight.errors import OversightError
from oversight.settings import DataFolder

STEPS = {
    "add": "新建账号（第一个必须是管全部的管理员）",
    "list": "列出账号（不写步骤时就是这一步）",
    "set": "改角色、区划",
    "password": "重设密码并解锁",  # nosec B105 - help
    "disable": "停用，已登录的立即失效",
    "enable": "恢复停用的账号",
    "revoke": "结束该账号的全部登录",
    "export": "导出账号、角色、区划清单（xlsx）",
    "check": "核对留痕是否完整",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The step, the account, and what single steps need."""
    parser.add_argument(
        "step",
        nargs="?",
        choices=STEPS,
        default="list",
        metavar="步骤",
        help="；".join(f"{name} {text}" for name, text in STEPS.items()),
    )
    parser.add_argument("name", nargs="?", metavar="账号", help="小写字母、数字、点、减号、下划线")
    parser.add_argument(
        "--role", metavar="角色", help="；".join(f"{name} {text}" for name, text in ROLES.items())
    )
    parser.add_argument(
        "--division", metavar="代码", action="append", help="能看的区划，可写多次；000000 为全部"
    )
    parser.add_argument("--full-name", metavar="姓名", default="", help="显示在页面上的姓名或岗位")
    parser.add_argument(
        "--password-stdin", action="store_true", help="从标准输入读密码；不写则在屏幕上问，或由系统生成一个"
    )
    parser.add_argument("--generate", action="store_true", help="由系统生成密码，只显示一次，首次登录须修改")
    parser.add_argument("--proxy", action="store_true", help="只由本单位门户登录，不设密码")
    parser.add_argument("-o", "--output", metavar="文件", help="export 写到哪里，默认 账号清单.xlsx")
    add_data_argument(parser)


def run(args: argparse.Namespace) -> int:
    """One line for what was done."""
    folder = DataFolder.at(args.data)
    if not folder.root.is_dir():
        raise OversightError(f"没有数据目录 {folder.root}。请先运行 oversight init。")
    if args.step not in ("list", "export", "check") and not args.name:
        raise OversightError(f"请写明账号：oversight user {args.step} 账号。")
    return {"add": _add, "list": _list, "export": _export, "check": _check}.get(args.step, _change)(
        folder, args
    )


def _add(folder: DataFolder, args: argparse.Namespace) -> int:
    from oversight.accounts import people
    from oversight.accounts.actor import at_the_machine
    from oversight.accounts.exist import exist
    from oversight.accounts.scope import WHOLE

    is_first = not exist(folder)
    if is_first and (args.role != "administrator" or WHOLE not in (args.division or [])):
        raise OversightError(
            "第一个账号必须是管全部的管理员：oversight user add 账号 --role administrator --division 000000。"
        )
    if not args.role or not args.division:
        raise OversightError("新建账号要写 --role 角色 和 --division 区划代码（可写多次）。")
    password = None if args.proxy else _password(args)
    made = people.add(
        folder,
        at_the_machine(),
        args.name,
        args.role,
        args.division,
        full_name=args.full_name,
        password=password,
        # Whoever sets up the first account sets their own password.
        must_change=not is_first,
        is_by_proxy=args.proxy,
    )
    print(f"已建立账号 {args.name.strip().lower()}（{ROLES[args.role]}）。")
    _tell(made)
    if is_first:
        print("从现在起，看板须登录才能使用。")
    return 0


def _change(folder: DataFolder, args: argparse.Namespace) -> int:
    from oversight.accounts import people
    from oversight.accounts.actor import at_the_machine

    _needs_accounts(folder)
    actor, name = at_the_machine(), args.name.strip().lower()
    if args.step == "password":
        made = people.set_password(folder, actor, name, _password(args))
        print(f"已重设账号 {name} 的密码并解锁，原有登录已全部结束；下次登录须修改密码。")
        _tell(made)
    elif args.step == "revoke":
        print(f"已结束账号 {name} 的 {people.revoke(folder, actor, name)} 个登录。")
    elif args.step == "set":
        if not args.role and not args.division:
            raise OversightError(
                "请写明改什么：--role 角色，或 --division 区划代码（写出全部，代替原有的）。"
            )
        people.change(folder, actor, name, role=args.role, divisions=args.division)
        print(f"已修改账号 {name}，立即生效。")
    else:
        people.change(folder, actor, name, is_disabled=args.step == "disable")
        print(f"已{'停用' if args.step == 'disable' else '恢复'}账号 {name}。")
    return 0


def _list(folder: DataFolder, _: argparse.Namespace) -> int:
    from oversight.accounts.exist import exist

    if not exist(folder):
        print("还没有账号：看板只能在本机打开，不用登录。用 oversight user add 建立第一个管理员。")
        return 0
    from oversight.accounts import people

    for item in people.everyone(folder):
        state = "停用" if item.is_disabled else f"上次登录 {(item.last_sign_in_at or '从未')[:16]}"
        print(
            f"{item.name}  {item.full_name or '—'}  {ROLES.get(item.role, item.role)}  "  # type: ignore[call-overload]
            f"{'、'.join(item.divisions)}  {state}"
        )
    return 0


def _export(folder: DataFolder, args: argparse.Namespace) -> int:
    _needs_accounts(folder)
    from oversight.accounts import lists, record

    target = Path(args.output or "账号清单.xlsx")
    try:
        target.write_bytes(lists.access(folder))
    except OSError as error:
        raise OversightError(f"不能写入 {target}，请检查文件夹是否存在、是否有权限。") from error
    record.note(folder, "export", 内容="账号清单", 文件=target.name)
    print(f"已写入 {target}")
    return 0


def _check(folder: DataFolder, _: argparse.Namespace) -> int:
    from oversight.accounts import record

    wrong = record.check(folder)
    for line in wrong:
        print(line)
    if not wrong:
        head = record.head(folder)
        print(f"留痕完整，共 {head['number'] if head else 0} 条。")
    return 1 if wrong else 0


def _needs_accounts(folder: DataFolder) -> None:
    from oversight.accounts.exist import exist

    if not exist(folder):
        raise OversightError("还没有账号。用 oversight user add 建立第一个管理员。")


def _password(args: argparse.Namespace) -> str | None:
    """What was typed; None to have one made up."""
    if args.password_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if args.generate or not sys.stdin.isatty():
        return None
    first = getpass.getpass("密码（直接回车则由系统生成）：")
    if not first:
        return None
    if getpass.getpass("再输入一次：") != first:
        raise OversightError("两次输入的密码不同。请重新运行。")
    return first


def _tell(made: str | None) -> None:
    if made is not None:
        print(f"初始密码（只显示这一次，首次登录须修改）：{made}")
