"""Errors of SQL in Chinese, with the place marked, from what DuckDB says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from oversight.errors import OversightError


@dataclass(frozen=True)
class Place:
    """Where in the text: offset in characters, line and column from 1."""

    offset: int
    line: int
    column: int


class QueryError(OversightError):
    """A query that gave no result. `str()` is the whole message in Chinese; `original` is DuckDB's own, if any."""

    def __init__(
        self, message_zh: str, place: Place | None = None, original: str = "", code: str = "sql"
    ) -> None:
        self.message_zh, self.place, self.original, self.code = message_zh, place, original, code
        where = f"第 {place.line} 行第 {place.column} 个字：" if place else ""
        super().__init__(where + message_zh)

    def marked(self, sql: str) -> str:
        """The message, the line it is about, and a mark under the place."""
        if self.place is None:
            return str(self)
        line = sql.splitlines()[self.place.line - 1] if sql.splitlines() else ""
        before = line[: self.place.column - 1]
        # A Chinese character is two columns wide on a terminal.
        indent = sum(2 if ord(character) > 0x2E7F else 1 for character in before)
        return f"{self}\n  {line}\n  {' ' * indent}^"


def unshowable() -> QueryError:
    """For a value that neither Arrow nor Python has, such as a date in the year 290000."""
    return QueryError("结果里有不能显示的值，请用 cast(… as varchar) 转成文字。", code="value")


def place_of(sql: str, byte_offset: int | None) -> Place | None:
    """Where a byte offset of the UTF-8 text lies."""
    if byte_offset is None or byte_offset < 0:
        return None
    before = sql.encode()[:byte_offset].decode("utf-8", "ignore")
    line = before.count("\n") + 1
    return Place(len(before), line, len(before) - (before.rfind("\n") + 1) + 1)


_REFUSED = {
    "empty": "没有可以执行的语句。请写一条 SELECT 查询。",
    "long": "语句太长（超过 1 MB）。请缩短后再执行。",
    "several": "一次只能执行一条查询，这里有多条（用分号隔开）。请只保留一条 SELECT；PIVOT 请写明 IN (…) 的值。",
    "not_select": "这里只能查询（SELECT），不能修改数据、改设置、读写文件或装扩展。",
}

_KINDS: Mapping[str, str] = {
    "Table": "表",
    "View": "视图",
    "Scalar Function": "函数",
    "Aggregate Function": "函数",
}


def _missing(found: re.Match[str], told: Mapping[str, Any]) -> str:
    kind = _KINDS.get(found["kind"].strip(), "函数" if "unction" in found["kind"] else found["kind"].strip())
    near = _near(told, found["near"])
    return f"没有名为“{found['name']}”的{kind}。" + (
        near or "可用 show all tables 查看全部的表。" if kind == "表" else near
    )


def _near(told: Mapping[str, Any], fallback: str | None = None) -> str:
    names = [name for name in str(told.get("candidates") or fallback or "").split(",") if name.strip(' "')]
    shown = "、".join(name.strip(' "') for name in names[:4])
    return f"是不是想写：{shown}？" if shown and "pg_" not in shown else ""


def _column(found: re.Match[str], told: Mapping[str, Any]) -> str:
    names = re.search(r"Candidate bindings: (.*)", str(told.get("exception_message", "")))
    return f"没有名为“{found['name']}”的列。{_near(told, names[1] if names else None)}".rstrip()


_RULES: tuple[tuple[str, str | Callable[[re.Match[str], Mapping[str, Any]], str]], ...] = (
    (
        r'syntax error at or near "(?P<near>.*?)"',
        "语法有误，从“{near}”这里开始看不懂。请检查前后是否少了逗号、括号或关键字。",
    ),
    (r"syntax error at end of input|end of input", "语句没有写完。请检查末尾是否少了内容或括号。"),
    (r"unterminated quoted string|unterminated string", "单引号没有成对，文字没有结束。"),
    (r"unterminated quoted identifier", "双引号没有成对，名称没有结束。"),
    (r"zero-length delimited identifier", "双引号里没有名称。文字请用单引号。"),
    (r"A CTE needs a SELECT", "WITH 里面只能是查询（SELECT），不能修改数据。"),
    (r'Referenced column "(?P<name>[^"]*)" (?:not found|was not found)', _column),
    (
        r'Table "(?P<table>[^"]*)" does not have a column named "(?P<name>[^"]*)"',
        "表“{table}”没有名为“{name}”的列。",
    ),
    (r'Referenced table "(?P<table>[^"]*)" not found', "FROM 里没有“{table}”这张表或别名。"),
    (
        r'Ambiguous reference to column name "(?P<name>[^"]*)"',
        "列“{name}”在几张表里都有，请写成“表名.{name}”。",
    ),
    (
        r"(?P<kind>Table(?: Function)?|View|Scalar Function|Aggregate Function|Macro Function|[A-Z]\w+ Function|Type|Schema) "
        r'with name "?(?P<name>.*?)"? does not exist(?:.*?Did you mean "(?P<near>[^"]*)")?',
        _missing,
    ),
    (
        r'column "(?P<name>[^"]*)" must appear in the GROUP BY clause',
        "列“{name}”既没有放进 GROUP BY，也没有用汇总函数（如 sum、max）。请加进 GROUP BY，或用 any_value({name})。",
    ),
    (
        r"Could not convert string '(?P<value>.*?)' to (?P<type>\w+)",
        "“{value}”不能转换成需要的类型（{type}）。",
    ),
    (r"invalid date field format: \"(?P<value>[^\"]*)\"", "“{value}”不是日期，请写成 '2025-06-01'。"),
    (
        r"Cannot compare values of type (?P<a>[\w(),]+) and (?:type )?(?P<b>[\w(),]+)",
        "{a} 与 {b} 不能直接比较，请先用 cast 转换成同一类型。",
    ),
    (
        r"No function matches the given name and argument types '(?P<call>.*?)'",
        "函数不接受这样的参数：{call}。请用 cast 转换类型后再用。",
    ),
    (r"aggregate function calls cannot be nested", "汇总函数不能套在汇总函数里面。请先在子查询里汇总一次。"),
    (r"WHERE clause cannot contain aggregates", "WHERE 里不能用汇总函数。请改用 HAVING。"),
    (r"WHERE clause cannot contain window functions", "WHERE 里不能用窗口函数。请改用 QUALIFY 或子查询。"),
    (
        r"More than one row returned by a subquery",
        "括号里的子查询返回了多行，这里只能有一个值。请加条件，或改用 IN。",
    ),
    (r"GROUP BY clause cannot contain aggregates", "GROUP BY 里不能用汇总函数。"),
    (
        r"(?:Overflow|out of range)",
        "数值超出了该类型的范围。请改用更大的类型，如 cast(… as decimal(38, 2))。",
    ),
    (r"Division by zero|division by zero", "除数为零。请用 nullif(除数, 0)。"),
    (r"Max expression depth limit|recursion limit|too deep|stack", "语句嵌套得太深。请拆成几步（用 WITH）。"),
    (
        r"Values were not provided|Expected \d+ parameters",
        "语句里有没有赋值的参数。可用的参数是 $month（月份）和 $unit（区划代码）。",
    ),
    (
        r"file system operations are disabled|disabled by configuration|Permission",
        "不能读写文件或访问网络：这里只能查询本版数据里的表。",
    ),
    (
        r"Unsupported Arrow type (?P<type>\w+)",
        "结果里有不能显示的类型（{type}），请用 cast(… as varchar) 转成文字。",
    ),
    (r"read-only mode", "数据只能读，不能修改。"),
    (r"configuration has been locked", "设置已锁定，不能修改。"),
    (r"not in the catalog|extension", "这个功能需要的扩展没有安装，也不能在这里安装。"),
)

_TYPES = {
    "Parser": "语法有误。",
    "Binder": "语句里的名称或类型对不上。",
    "Catalog": "语句里用了不存在的表或函数。",
    "Conversion": "有的值不能转换成需要的类型。",
    "Out of Range": "数值超出了范围。",
    "Invalid Input": "给函数的值不对。",
    "Not implemented": "数据库不支持这种写法。",
    "Permission": "这里只能查询本版数据里的表。",
}


def explain(sql: str, told: Mapping[str, Any]) -> QueryError:
    """DuckDB's error (its JSON form) as ours."""
    kind, text = str(told.get("exception_type", "")), str(told.get("exception_message", ""))
    offset = _offset(told)
    place = place_of(sql, offset)
    if kind == "Refused":
        if text.startswith("parameter "):
            name = text.removeprefix("parameter ")
            return QueryError(
                f"没有名为 ${name} 的参数。可用的参数是 $month（月份）和 $unit（区划代码）。", place
            )
        if text.startswith(("hidden ", "table function ")):
            kind, _, name = text.rpartition(" ")
            at = sql.lower().find(name.lower())
            place = place_of(sql, len(sql[:at].encode()) if at >= 0 else None)
            if kind == "table function":
                return QueryError(
                    f"FROM 里不能使用 {name[:100]}：这里只能查询本版数据里的表，不能读写文件、访问网络或查看服务器。"
                    "可用的有 range、generate_series、unnest。",
                    place,
                    code="refused",
                )
            return QueryError(f"不能使用 {name[:100]}：它说的是服务器，不是数据。", place, code="refused")
        return QueryError(_REFUSED[text], place, code="refused")
    if kind in ("Out of Memory", "OutOfMemory"):
        return QueryError(
            "查询需要的内存超过了限制，已停止。请加条件缩小范围，或先汇总再排序。", code="memory"
        )
    for pattern, answer in _RULES:
        found = re.search(pattern, text, re.S)
        if found:
            message = answer.format(**found.groupdict()) if isinstance(answer, str) else answer(found, told)
            return QueryError(message, place, text)
    shown = " ".join(text.split())[:300]
    return QueryError(f"{_TYPES.get(kind, '查询没有成功。')}数据库的说明：{shown}", place, text)


def _offset(told: Mapping[str, Any]) -> int | None:
    try:
        offset = int(told["position"])
    except (KeyError, TypeError, ValueError):
        return None
    return offset if offset < 1 << 40 else None
