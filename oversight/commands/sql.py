"""`oversight sql`: one SELECT on an edition, as a table, CSV, xlsx or JSON."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from oversight.accounts.scope import significant
from oversight.cli import add_data_argument
from oversight.commands.explain import a_month
from oversight.editions.edition import open_edition
from oversight.errors import OversightError
from oversight.sandbox import output
from oversight.sandbox.messages import QueryError, explain
from oversight.sandbox.statement import Refused, check, told
from oversight.settings import DataFolder

if TYPE_CHECKING:
    import duckdb

_SHOWN = 200
_BATCH = 10_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """SQL or `-f`, `--format`, `-o`, `--month`, `--unit`, `--edition`, `--data`."""
    parser.add_argument("sql", metavar="SQL", nargs="?", help="一条 SELECT，用引号括起来")
    parser.add_argument("-f", "--file", metavar="文件", help="从文件读语句（UTF-8）；写 - 则从标准输入读")
    parser.add_argument(
        "--format", choices=("table", "csv", "xlsx", "json"), default="table", help="输出格式，默认 table"
    )
    parser.add_argument("-o", "--output", metavar="文件", help="写入文件；不写则显示在屏幕上（xlsx 必须写）")
    parser.add_argument("--month", type=a_month, metavar="月份", help="语句中 $month 的值，如 2025-06")
    parser.add_argument("--unit", metavar="区划代码", help="语句中 $unit 的值，如 360313")
    parser.add_argument("--edition", metavar="版本", help="查哪一版数据；不写则为当前版本")
    add_data_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Print or write the result."""
    sql = _statement(args)
    to_screen = args.output is None and sys.stdout.isatty()
    if args.format == "xlsx" and to_screen:
        raise OversightError("xlsx 要写入文件，请加 -o 文件名，如 -o 结果.xlsx。")
    parameters: dict[str, Any] = {}
    if args.month is not None:
        parameters["month"] = args.month
    if args.unit is not None:
        parameters["unit"] = significant(args.unit)
    with open_edition(DataFolder.at(args.data), args.edition) as connection:
        lock(connection)
        started = time.perf_counter()
        try:
            values = check(connection, sql, parameters)
            result = connection.execute(sql, values) if values else connection.execute(sql)
            names = output.unique([item[0] for item in result.description or ()])
            _write(args, names, _rows(result), started)
        except Refused as refused:
            raise _failed(explain(sql, refused.told()), sql) from None
        except Exception as error:
            if type(error).__module__.startswith(("_duckdb", "duckdb")):
                raise _failed(explain(sql, told(error)), sql) from None
            raise
    return 0


def lock(connection: duckdb.DuckDBPyConnection) -> None:
    """Nothing but this edition: no other files, no extensions, and bare Chinese names found."""
    place = connection.execute("select current_database()").fetchall()[0][0]
    schemas = connection.execute(
        "select schema_name from information_schema.schemata where catalog_name = ? and schema_name = '中文'",
        [place],
    ).fetchall()
    connection.execute(f"set search_path = '{place}.main{f',{place}.中文' if schemas else ''}'")
    for setting in (
        "autoinstall_known_extensions = false",
        "autoload_known_extensions = false",
        "errors_as_json = true",
        "enable_external_access = false",
        "lock_configuration = true",
    ):
        connection.execute(f"set {setting}")


def _failed(error: QueryError, sql: str) -> OversightError:
    return OversightError(error.marked(sql))


def _statement(args: argparse.Namespace) -> str:
    if (args.sql is None) == (args.file is None):
        raise OversightError(
            '请写一条 SQL，或用 -f 指定文件（只能选一种）。例如：oversight sql "select * from 经费缺口_月 limit 5"'
        )
    if args.sql is not None:
        return str(args.sql)
    try:
        return sys.stdin.read() if args.file == "-" else Path(args.file).read_text("utf-8-sig")
    except FileNotFoundError:
        raise OversightError(f"找不到文件 {args.file}。") from None
    except UnicodeDecodeError:
        raise OversightError(f"文件 {args.file} 不是 UTF-8 编码，请另存为 UTF-8。") from None


def _rows(result: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    while batch := result.fetchmany(_BATCH):
        yield from batch


def _write(
    args: argparse.Namespace, names: list[str], rows: Iterator[tuple[Any, ...]], started: float
) -> None:
    if args.format == "table":
        shown = []
        number = 0
        for number, row in enumerate(rows, 1):
            if number <= _SHOWN or args.output:
                shown.append(row)
        text = output.format_table(names, shown)
        text += f"\n（共 {number:,} 行"
        text += f"，显示前 {_SHOWN} 行；要全部请用 --format csv）" if number > len(shown) else "）"
        with _target(args.output) as out:
            out.write(f"{text}\n".encode())
        return
    with _target(args.output) as out:
        if args.format == "csv":
            number = output.write_csv(out, names, rows)
        elif args.format == "json":
            number = output.write_json(out, names, rows)
        else:
            number = output.write_xlsx(out, names, rows)
    if args.output:
        took = output.duration(time.perf_counter() - started)
        print(f"已写入 {args.output}：{number:,} 行，用时 {took}。")


@contextlib.contextmanager
def _target(path: str | None) -> Iterator[IO[bytes]]:
    if path is None:
        sys.stdout.flush()
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        with Path(path).open("wb") as out:
            yield out
    except (FileNotFoundError, IsADirectoryError, PermissionError):
        raise OversightError(f"不能写入 {path}，请检查文件夹是否存在、是否有权限。") from None
