"""Accounts and the record as workbooks, for whoever audits the system."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from oversight.accounts import people, record
from oversight.accounts.roles import ROLES
from oversight.accounts.scope import EVERYTHING, WHOLE, Scope
from oversight.settings import TIME_ZONE, DataFolder

ACCESS_HEADS = (
    *("账号", "姓名或岗位", "角色", "区划代码", "状态", "上次登录"),
    *("角色授予人", "角色授予时间", "区划授予人", "区划授予时间", "登录方式"),
)
RECORD_HEADS = ("序号", "时间", "账号", "角色", "区划", "来自", "事项", "内容", "上一条摘要", "本条摘要")


def access_rows(folder: DataFolder, scope: Scope = EVERYTHING) -> list[tuple[str, ...]]:
    """One row for each division of each account that lies in a scope."""
    return [
        (
            item.name,
            item.full_name,
            ROLES.get(item.role, item.role),  # type: ignore[call-overload]
            f"{grant.code}（全部）" if grant.code == WHOLE else grant.code,
            "停用" if item.is_disabled else "启用",
            item.last_sign_in_at or "从未登录",
            item.role_granted_by,
            item.role_granted_at,
            grant.by,
            grant.at,
            "密码" if item.has_password else "门户",
        )
        for item in people.everyone(folder)
        if scope.covers_all(item.divisions)
        for grant in item.grants
    ]


def access(folder: DataFolder, scope: Scope = EVERYTHING) -> bytes:
    """Accounts × roles × divisions × last sign-in × granted by and when."""
    return _workbook("账号清单", ACCESS_HEADS, access_rows(folder, scope))


def record_in(folder: DataFolder, scope: Scope, **chosen: Any) -> Iterable[record.Line]:
    """Lines about whoever lies wholly in a scope; whoever may see everything sees those of nobody too."""
    for line in record.lines(folder, **chosen):
        codes = [code for code in line.divisions.split(",") if code]
        if scope.is_whole or (codes and scope.covers_all(codes)):
            yield line


def record_workbook(folder: DataFolder, scope: Scope = EVERYTHING, **chosen: Any) -> bytes:
    """The record with its digests, so that whoever has the workbook can follow the chain."""
    rows = (
        (
            line.number,
            line.at,
            line.who,
            ROLES.get(line.role, line.role),  # type: ignore[call-overload]
            line.divisions,
            line.address,
            record.WHAT[line.what],
            line.text,
            line.previous,
            line.digest,
        )
        for line in record_in(folder, scope, **chosen)
    )
    return _workbook("留痕", RECORD_HEADS, rows)


def _workbook(title: str, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    import xlsxwriter

    out = io.BytesIO()
    # Everything is text: what somebody typed is never taken for a formula.
    book = xlsxwriter.Workbook(out, {"constant_memory": True})
    sheet = book.add_worksheet(title)
    bold = book.add_format({"bold": True, "font_size": 14})
    head = book.add_format({"bold": True, "bg_color": "#17355E", "font_color": "#FFFFFF", "border": 1})
    wrap = book.add_format({"text_wrap": True, "valign": "top"})
    sheet.set_column(0, len(heads) - 1, 20, wrap)
    sheet.write_string(0, 0, f"{title}（{datetime.now(TIME_ZONE):%Y-%m-%d %H:%M:%S} 导出）", bold)
    for x, text in enumerate(heads):
        sheet.write_string(1, x, text, head)
    for y, row in enumerate(rows, 2):
        for x, value in enumerate(row):
            if isinstance(value, int):
                sheet.write_number(y, x, value)
            else:
                sheet.write_string(y, x, str(value)[:32_000])
    sheet.freeze_panes(2, 1)
    book.close()
    return out.getvalue()
