"""Taking a table away: the rows and columns on the screen, with units and source line, as xlsx or CSV."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import flask

from oversight import presentation as show
from oversight.accounts import record
from oversight.accounts.identity import current
from oversight.dashboard.access import scope_of_request
from oversight.dashboard.archive import returned_in_sight
from oversight.dashboard.asking import ask_of
from oversight.dashboard.components import ROWS_SHOWN, View, count_text
from oversight.dashboard.grids import chosen, to_csv, to_xlsx
from oversight.dashboard.pages import Page, pages
from oversight.dashboard.queries import unit_name
from oversight.dashboard.state import read_state
from oversight.dashboard.warehouse import Outdated, Shelf, Unavailable

# More than anybody reads in a sheet, and less than Excel takes.
MOST_ROWS = 100_000
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def register(server: flask.Flask, shelf: Shelf) -> None:
    """Add the routes."""

    @server.post("/download")
    def download() -> flask.Response:
        """One table of one page. Form as `_asked` has it; columns and rows (JSON, optional), format."""
        form = flask.request.form
        asked = _asked(form, shelf)
        if isinstance(asked, flask.Response):
            return asked
        page, view = asked
        columns, rows = _json(form.get("columns")), _json(form.get("rows"))
        whole = page.tables[form["table"]](view, MOST_ROWS)
        table = chosen(whole, columns, rows)
        chosen_by = _filters(view, form.get("filter"))
        context = [
            table.title,
            f"地区：{view.unit_name}；月份：{show.month(view.month)}；金额单位：{show.MONEY_UNITS[view.state.money]}"
            + (f"；筛选：{'，'.join(chosen_by)}" if chosen_by else ""),
            view.warehouse.source_line,
        ]
        if rows is None and whole.total is not None and whole.total > len(whole.rows):
            context.insert(
                2,
                f"共 {show.count(whole.total)} 条，本文件含前 {show.count(len(whole.rows))} 条；请缩小地区或加筛选条件",
            )
        name = f"{table.title}_{view.unit_name}_{show.month_code(view.month)}" + (
            "_已筛选" if chosen_by else ""
        )
        money = view.state.money
        record.note(
            shelf.folder,
            "download",
            表=table.title,
            单位=view.state.unit,
            月份=show.month_code(view.month),
            筛选=chosen_by,
            行数=len(table.rows),
            格式="csv" if form.get("format") == "csv" else "xlsx",
            版本=view.warehouse.edition_id,
        )
        if form.get("format") == "csv":
            return _file(to_csv(table, money, context[1:]), f"{name}.csv", "text/csv; charset=utf-8")
        return _file(to_xlsx(table, money, context), f"{name}.xlsx", XLSX)

    @server.post("/rows")
    def rows() -> flask.Response:
        """The first rows of a long table as its filters and sorting choose them. Form as `_asked` has it."""
        asked = _asked(flask.request.form, shelf)
        if isinstance(asked, flask.Response):
            return asked
        page, view = asked
        table = page.tables[flask.request.form["table"]](view, ROWS_SHOWN)
        total = table.total if table.total is not None else len(table.rows)
        return flask.jsonify(
            {
                "rows": table.grid_rows(view.state.money),
                "count": count_text(total, len(table.rows), is_asked=view.ask.where != "true"),
            }
        )

    @server.get("/returned/<path:name>")
    def returned(name: str) -> flask.Response:
        """A sender's own workbook with its mistakes marked."""
        root = shelf.folder.returned.resolve()
        path = (root / name).resolve()
        if name not in _returned(shelf) or not path.is_relative_to(root) or not path.is_file():
            return _refused("没有这份文件，可能已经清理。请重新运行 oversight run。", 404)
        record.note(shelf.folder, "download", 退回件=name)
        return _file(path.read_bytes(), path.name, "application/octet-stream")


def _returned(shelf: Shelf) -> list[str]:
    try:
        return returned_in_sight(shelf.warehouse(shelf.current_id() or ""))
    except (Outdated, Unavailable):
        return []


def _asked(form: Mapping[str, str], shelf: Shelf) -> tuple[Page, View] | flask.Response:
    """What a form asks for: table, path, search, edition; filter and sort (JSON, optional) as the grid says them."""
    page = pages().get(form.get("path", ""))
    if page is None or not current().may(page.needs) or form.get("table") not in page.tables:
        return _refused("没有这张表，请刷新页面后重试。", 404)
    state = read_state(form["path"], form.get("search", ""))
    try:
        warehouse = shelf.warehouse(state.edition or form.get("edition", ""))
    except Unavailable:
        return _refused("本页所用的数据版本已经清理，请刷新页面后再试。", 410)
    scope = scope_of_request()
    if state.unit and unit_name(warehouse, scope, state.unit) is None:
        return _refused("没有这个单位，或您无权查看。", 404)
    state = replace(state, month=state.month if state.month in warehouse.months else warehouse.months[-1])
    view = View(warehouse, scope, state, "light", shelf=shelf)
    filters, sorting = _json(form.get("filter")), _json(form.get("sort"))
    if filters or sorting:
        columns = page.tables[form["table"]](view, 1).columns
        view = replace(view, ask=ask_of(columns, filters, sorting, state.money))
    return page, view


# What the filters of the pages are called; a value is told by its word where it has one.
_FILTERS = {
    "status": "状态",
    "rule": "规则",
    "topic": "主题",
    "severity": "严重程度",
    "change": "变化",
    "tier": "档次",
    "document": "文件",
    "gradeable": "能否判定",
    "disposition": "行的处置",
    "q": "名称或代码",
}


def _filters(view: View, of_grid: str | None) -> list[str]:
    """What chose the rows, in words: the page's filters, and that the table's own were used."""
    told = []
    for name, value in view.state.more.items():
        if value and name in _FILTERS:
            words = (
                {code: look.label for code, look in show.STATUS.items()}
                if name == "status"
                else show.words_of(name)
            )
            told.append(f"{_FILTERS[name]}={words.get(value, value)}")
    columns = _json(of_grid)
    if isinstance(columns, dict) and columns:
        told.append("表内筛选")
    return told


def _json(text: str | None) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None


def _file(data: bytes, name: str, kind: str) -> flask.Response:
    response = flask.Response(data, content_type=kind)
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    response.headers["Cache-Control"] = "no-store"
    return response


def _refused(message: str, code: int) -> flask.Response:
    return flask.Response(message, status=code, content_type="text/plain; charset=utf-8")
