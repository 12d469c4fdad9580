"""Taking a table away: the rows and columns on the screen, with units and source line, as xlsx or CSV."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date
from urllib.parse import quote

import flask

from oversight import presentation as show
from oversight.accounts import record
from oversight.accounts.identity import current
from oversight.dashboard.access import scope_of_request
from oversight.dashboard.archive import returned_in_sight
from oversight.dashboard.asking import ask_of, told_filters
from oversight.dashboard.components import ROWS_SHOWN, count_text
from oversight.dashboard.gate import refusal
from oversight.dashboard.grids import chosen, to_csv, to_xlsx
from oversight.dashboard.inputs import (
    BadInput,
    BriefQuery,
    DownloadForm,
    ReturnedFile,
    TableForm,
    given,
    takes,
)
from oversight.dashboard.pages import Page, pages
from oversight.dashboard.queries import unit_name
from oversight.dashboard.shelf import Shelf, Unavailable
from oversight.dashboard.state import read_state
from oversight.dashboard.view import View
from oversight.dashboard.warehouse import Outdated
from oversight.reports import ReportError

# More than anybody reads in a sheet, and less than Excel takes.
MOST_ROWS = 100_000
_setting = threading.Lock()
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def register(server: flask.Flask, shelf: Shelf) -> None:
    """Add the routes."""

    @server.post("/download")
    @takes(form=DownloadForm)
    def download() -> flask.Response:
        """One table of one page."""
        form = given(DownloadForm)
        page, view = _asked(form, shelf)
        rows = form.rows
        whole = page.tables[form.table](view, MOST_ROWS)
        table = chosen(whole, form.columns, rows)
        chosen_by = [*_filters(view), *told_filters(whole.columns, form.filters(), view.state.money)]
        context = [
            f"地区：{view.unit_name}；月份：{show.month(view.month)}；金额单位：{show.MONEY_UNITS[view.state.money]}"
            + f"；筛选：{'，'.join(chosen_by) or '无'}",
            f"数据版本：{view.warehouse.edition_id}，生成于 {show.moment(view.warehouse.built_at)}",
            view.warehouse.source_line,
        ]
        if rows is None and whole.total is not None and whole.total > len(whole.rows):
            context.insert(
                1,
                f"共 {show.count(whole.total)} 条，本文件含前 {show.count(len(whole.rows))} 条；请缩小地区或加筛选条件",
            )
        name = "_".join(
            _of_file(part, most)
            for part, most in (
                (table.title, 20),
                (view.unit_name, 16),
                (show.month_code(view.month), 7),
                ("，".join(chosen_by), 24),
                (view.warehouse.edition_id, 40),
            )
            if part
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
            格式=form.format,
            版本=view.warehouse.edition_id,
        )
        if form.format == "csv":
            return _file(to_csv(table, money, context), f"{name}.csv", "text/csv; charset=utf-8")
        return _file(to_xlsx(table, money, context), f"{name}.xlsx", XLSX)

    @server.post("/rows")
    @takes(form=TableForm)
    def rows() -> flask.Response:
        """The first rows of a long table as its filters and sorting choose them."""
        form = given(TableForm)
        page, view = _asked(form, shelf)
        table = page.tables[form.table](view, ROWS_SHOWN)
        total = table.total if table.total is not None else len(table.rows)
        return flask.jsonify(
            {
                "rows": table.grid_rows(view.state.money),
                "count": count_text(total, len(table.rows), is_asked=view.ask.where != "true"),
            }
        )

    @server.get("/brief")
    @takes(query=BriefQuery)
    def one_page() -> flask.Response:
        """A page on a division, to be printed: the report's engine, the figures of the edition shown."""
        asked = given(BriefQuery)
        try:
            warehouse = shelf.warehouse(asked.edition or shelf.current_id() or "")
        except Unavailable:
            return refusal("这个数据版本已经清理，请刷新页面后再试。", 410)
        scope = scope_of_request()
        name = unit_name(warehouse, scope, asked.unit)
        if name is None or not scope.covers(asked.unit):
            return refusal("没有这个单位，或您只能看它的一部分，没有它的简报。", 404)
        from oversight.reports.brief import brief

        month = date.fromisoformat(f"{asked.month}-01")
        try:
            # One at a time: setting a page takes a core for a second or two.
            with _setting:
                page = brief(
                    shelf.folder, month, asked.unit, edition_id=warehouse.edition_id, money=asked.money
                )
        except ReportError as error:
            return refusal(str(error), 404)
        record.note(shelf.folder, "download", 简报=asked.unit, 月份=asked.month, 版本=warehouse.edition_id)
        file = "_".join(_of_file(part, 40) for part in ("简报", name, asked.month, warehouse.edition_id))
        return _file(page, f"{file}.pdf", "application/pdf")

    @server.get("/returned/<path:name>")
    @takes(path=ReturnedFile)
    def returned(name: str) -> flask.Response:
        """A sender's own workbook with its mistakes marked."""
        root = shelf.folder.returned.resolve()
        path = root.joinpath(name)
        # A part of a path that no file system takes is no file either.
        is_possible = all(len(part.encode()) <= 255 for part in path.parts)
        if (
            not is_possible
            or name not in _returned(shelf)
            or not path.resolve().is_relative_to(root)
            or not path.is_file()
        ):
            return refusal("没有这份文件，可能已经清理。请重新运行 oversight run。", 404)
        record.note(shelf.folder, "download", 退回件=name)
        return _file(path.read_bytes(), path.name, "application/octet-stream")


def _returned(shelf: Shelf) -> list[str]:
    try:
        return returned_in_sight(shelf.warehouse(shelf.current_id() or ""))
    except (Outdated, Unavailable):
        return []


def _asked(form: TableForm, shelf: Shelf) -> tuple[Page, View]:
    """The page and the view of it that a form asks for. Raises `BadInput`."""
    page = pages().get(form.path)
    if page is None or not current().may(page.needs) or form.table not in page.tables:
        raise BadInput("没有这张表，请刷新页面后重试。", 404)
    state = read_state(form.path, form.search)
    try:
        warehouse = shelf.warehouse(state.edition or form.edition)
    except Unavailable:
        raise BadInput("本页所用的数据版本已经清理，请刷新页面后再试。", 410) from None
    if not warehouse.months:
        raise BadInput("这一版数据里没有任何月份，没有可取的表。", 404)
    scope = scope_of_request()
    if state.unit and unit_name(warehouse, scope, state.unit) is None:
        raise BadInput("没有这个单位，或您无权查看。", 404)
    state = replace(state, month=state.month if state.month in warehouse.months else warehouse.months[-1])
    view = View(warehouse, scope, state, "light", shelf=shelf)
    # Rows that the browser chose are chosen; what chose them is told, not asked again.
    if (form.filter or form.sort) and getattr(form, "rows", None) is None:
        columns = page.tables[form.table](view, 1).columns
        view = replace(view, ask=ask_of(columns, form.filters(), form.sorting(), state.money))
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


def _of_file(text: str, most: int) -> str:
    """A part of a file's name: nothing that a file system refuses, and not too long."""
    kept = "".join("_" if c in '/\\:*?"<>|' or not c.isprintable() else c for c in text).strip(" .")
    return kept if len(kept) <= most else kept[: most - 1] + "…"


def _filters(view: View) -> list[str]:
    """What the page's own filters choose, in words."""
    told = []
    for name, value in view.state.more.items():
        if value and name in _FILTERS:
            words = (
                {code: look.label for code, look in show.STATUS.items()}
                if name == "status"
                else show.words_of(name)
            )
            told.append(f"{_FILTERS[name]}={words.get(value, value)}")
    return told


def _file(data: bytes, name: str, kind: str) -> flask.Response:
    response = flask.Response(data, content_type=kind)
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    response.headers["Cache-Control"] = "no-store"
    return response
