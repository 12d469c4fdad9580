"""运行状况: how the service itself is doing, for whoever runs it."""

from __future__ import annotations

from typing import Any

from oversight import operation as state_of
from oversight import presentation as show
from oversight.dashboard.components import card, empty, facts, icon, plain_table
from oversight.dashboard.elements import html
from oversight.dashboard.pages import Page
from oversight.dashboard.view import View

_PARTS = {
    "raw": "收到的文件",
    "archive": "原件存档",
    "landed": "收文台账与逐行数据",
    "marts": "发布的版本",
    "reports": "通报",
    "returned": "退回件",
    "logs": "运行日志",
    ".work": "中间结果（可删）",
    ".dagster": "运行记录",
}
# A part smaller than this is not worth a line.
_LEAST_SHOWN = 2**20


def render(view: View) -> list[Any]:
    """The page."""
    found = state_of.operation(view.warehouse.folder)
    return [
        html.Div(
            html.Div(
                [html.H1("运行状况"), html.P("供管理员查看，与月份、地区无关。", className="note")],
                className="page-title",
            ),
            className="page-head",
        ),
        _warnings(found),
        card("运行", _runs(found), note="最近的在前；“运行中”的只有一个，其余要等它结束"),
        card("磁盘", _disk(found.disk)),
        card("备份", _backup(found.backup)),
    ]


def _warnings(found: state_of.Operation) -> Any:
    if not found.warnings:
        return html.Div([icon("info"), html.Span("没有需要处理的事。")], className="notice", role="status")
    return html.Div(
        [
            html.Div([icon("info"), html.Span(text)], className="notice", role="alert")
            for text in found.warnings
        ]
    )


def _runs(found: state_of.Operation) -> Any:
    if not found.runs:
        return empty("还没有运行过。请在服务器上运行 oversight run。")
    rows = []
    for run in found.runs:
        word = show.run_status(run.status, is_held=found.holder is not None)
        took = (run.ended_at - run.started_at).total_seconds() if run.started_at and run.ended_at else None
        rows.append(
            html.Tr(
                [
                    html.Td(word),
                    html.Td(show.moment(run.started_at) if run.started_at else show.NONE),
                    html.Td(f"{took:.0f} 秒" if took is not None else show.NONE),
                ],
                title=f"编号 {run.run_id}",
            )
        )
    return plain_table("最近的运行", ("结果", "开始", "用时"), rows)


def _disk(disk: state_of.Disk) -> Any:
    known = {title: disk.parts.get(name, 0) for name, title in _PARTS.items()}
    known["其他"] = sum(size for name, size in disk.parts.items() if name not in _PARTS)
    shown = sorted(((size, title) for title, size in known.items() if size >= _LEAST_SHOWN), reverse=True)
    return facts(
        [
            ("可用", f"{_size(disk.free)}（共 {_size(disk.total)}）"),
            *((title, _size(size)) for size, title in shown),
        ]
    )


def _backup(made: state_of.LastBackup | None) -> Any:
    if made is None:
        return empty("还没有备份过。")
    return facts([("上次备份", show.moment(made.made_at)), ("文件", f"{show.count(made.files)} 个")])


def _size(number: int) -> str:
    return f"{number / 2**30:.1f} GB" if number >= 2**30 else f"{number / 2**20:.1f} MB"


PAGE = Page("/operation", "运行状况", "gauge", 95, render, is_of_edition=False, needs="operate")
