"""自助查询: an editor for one SELECT, the tables and columns there are, and what came out.

The page is a frame; `assets/sql.js` fills it from the routes in `oversight.dashboard.sql_service`.
"""

from __future__ import annotations

import json
from typing import Any

from oversight import presentation as show
from oversight.dashboard.elements import html
from oversight.dashboard.pages import Page
from oversight.dashboard.view import View
from oversight.sandbox.examples import EXAMPLES


def _button(name: str, text: str, *, kind: str = "", **options: Any) -> Any:
    return html.Button(
        text, className=f"button {kind}".strip(), type="button", **{"data-sql": name, **options}
    )


def render(view: View) -> list[Any]:
    """The page."""
    months = [(show.month_code(month), show.month(month)) for month in reversed(view.warehouse.months)]
    setup = {
        "edition": view.warehouse.edition_id,
        "months": months,
        "month": show.month_code(view.month),
        "unit": view.state.unit,
        "saved": view.state.get("q"),
        "examples": [{"title": e.title, "group": e.group, "sql": e.sql} for e in EXAMPLES],
    }
    side = html.Aside(
        [
            html.Div(
                [
                    _button("tab-tables", "表与列", kind="sql-tab", **{"aria-pressed": "true"}),
                    _button("tab-examples", "示例", kind="sql-tab", **{"aria-pressed": "false"}),
                    _button("tab-saved", "已存", kind="sql-tab", **{"aria-pressed": "false"}),
                    _button("tab-history", "历史", kind="sql-tab", **{"aria-pressed": "false"}),
                ],
                className="sql-tabs",
                role="group",
                **{"aria-label": "左侧栏内容"},
            ),
            html.Div(id="sql-side", className="sql-side-body", tabIndex="0"),
        ],
        className="card sql-side",
        **{"aria-label": "表、示例、已存的查询"},
    )
    toolbar = html.Div(
        [
            _button("run", "运行（Ctrl+Enter）", kind="sql-primary"),
            _button("cancel", "取消", disabled=True),
            html.Label(["月份 $month", html.Span(id="sql-month-place")], className="sql-parameter"),
            html.Label(["地区 $unit", html.Span(id="sql-unit-place")], className="sql-parameter"),
            _button("save", "保存并取得链接"),
        ],
        className="sql-toolbar",
    )
    result = html.Section(
        [
            html.Div(
                [
                    html.Div(
                        id="sql-status", className="sql-status", role="status", **{"aria-live": "polite"}
                    ),
                    html.Div(
                        [
                            _button("view-table", "表格", **{"aria-pressed": "true"}),
                            _button("view-chart", "图表", **{"aria-pressed": "false"}),
                            _button("xlsx", "下载 Excel"),
                            _button("csv", "下载 CSV"),
                            _button("parquet", "下载 Parquet"),
                        ],
                        id="sql-result-actions",
                        className="button-row",
                        hidden=True,
                    ),
                ],
                className="sql-result-head",
            ),
            html.Div(id="sql-error", className="sql-error", role="alert", hidden=True),
            html.Div(
                id="sql-result",
                className="sql-result",
                tabIndex="0",
                role="region",
                **{"aria-label": "查询结果"},
            ),
        ],
        className="card",
    )
    return [
        html.Div(
            html.Div(
                [
                    html.H1("自助查询"),
                    html.P(
                        "用一条 SELECT 查询本版数据；只能读，不能改。列名、表名用中文或英文均可。",
                        className="note",
                    ),
                ],
                className="page-title",
            ),
            className="page-head",
        ),
        html.Div(
            [
                side,
                html.Div(
                    [
                        html.Section(
                            [toolbar, html.Div(id="sql-editor", className="sql-editor")], className="card"
                        ),
                        result,
                    ],
                    className="sql-main",
                ),
            ],
            id="sql-page",
            className="sql-page",
            **{"data-setup": json.dumps(setup, ensure_ascii=False)},
        ),
    ]


PAGE = Page("/sql", "自助查询", "sql", 80, render, needs="query")
