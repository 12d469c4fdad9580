"""报送: what is due, uploading, the judgement at the cell, handing in, receipts.

The page is a frame; `assets/hand_in.js` fills it from the routes in `oversight.dashboard.handing_in`.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from oversight import presentation as show
from oversight.dashboard import queries
from oversight.dashboard.components import card, empty, icon
from oversight.dashboard.elements import html
from oversight.dashboard.handing_in import months_to_choose
from oversight.dashboard.heads import title_head
from oversight.dashboard.pages import Page
from oversight.dashboard.view import View
from oversight.settings import TIME_ZONE
from oversight.workflow.handing_in import FILE_BYTES, FILES_EACH, MONTHLY


def render(view: View) -> list[Any]:
    """The page."""
    w, state = view.warehouse, view.state
    unit = state.unit if len(state.unit) >= 6 and state.level in ("county", "township") else ""
    counties = _counties(view)
    if not unit and len(counties) == 1:
        unit = counties[0][0]
    head = title_head(view, "报送")
    if not unit:
        return [head, _choose(view, counties)]
    months = months_to_choose(w)
    today = datetime.now(TIME_ZONE).date()
    before = [month for month in months if (month.year, month.month) < (today.year, today.month)]
    asked = state.get("for")
    chosen = next((m for m in months if show.month_code(m) == asked), before[-1] if before else months[-1])
    setup = {
        "unit": unit,
        "month": show.month_code(chosen),
        "months": [(show.month_code(month), show.month(month)) for month in reversed(months)],
        "datasets": list(MONTHLY.items()),
        "most": FILES_EACH,
        "bytes": FILE_BYTES,
    }
    return [
        head,
        html.Div(
            [
                card(
                    "应报什么、何时截止",
                    html.Div(id="hand-in-due", className="hand-in-body", **{"aria-live": "polite"}),
                    actions=html.Div(id="hand-in-month"),
                    wide=True,
                    name="due",
                ),
                card(
                    "上传报表",
                    [
                        html.Div(
                            [
                                icon("inbox"),
                                html.Div(
                                    [
                                        html.Strong("把文件拖到这里，或"),
                                        html.Button(
                                            "选择文件",
                                            className="button hand-in-main",
                                            type="button",
                                            **{"data-hand-in": "choose"},
                                        ),
                                    ]
                                ),
                                html.P(
                                    f"Excel、CSV 或压缩包，一次最多 {FILES_EACH} 个，每个不超过 {FILE_BYTES // 2**20} MB。"
                                    "先核对，确认后才报送。",
                                    className="note",
                                ),
                            ],
                            id="hand-in-drop",
                            className="hand-in-drop",
                        ),
                        html.Div(id="hand-in-trays"),
                    ],
                    wide=True,
                    name="upload",
                ),
                card(
                    "已报送的文件",
                    html.Div(id="hand-in-receipts", className="hand-in-body"),
                    note="运行前可以撤回；运行后显示采用结果",
                    wide=True,
                    name="receipts",
                ),
            ],
            id="hand-in-page",
            className="hand-in-page",
            **{"data-setup": json.dumps(setup, ensure_ascii=False)},
        ),
    ]


def _counties(view: View) -> list[tuple[str, str]]:
    prefix = view.state.prefix
    rows = view.warehouse.rows(
        "select distinct county_code, county_name from e.townships order by county_code"
    )
    return [
        (row["county_code"], show.division_name(row["county_name"], row["county_code"]))
        for row in rows
        if view.scope.touches(row["county_code"]) and row["county_code"].startswith(prefix[:6])
    ]


def _choose(view: View, counties: list[tuple[str, str]]) -> Any:
    """Whoever reports for several counties says first for which."""
    state = view.state
    below = queries.children(view.warehouse, view.scope, state.unit) if len(counties) > 60 else counties
    if not below:
        return empty("没有由您报送的单位。请联系管理员核对账号的区划。")
    links = [html.Li(html.A(name, href=state.href(unit=code))) for code, name in below]
    return card(
        "先选择县（市、区）" if below is counties else "先选择地区",
        html.Ul(links, className="list hand-in-units"),
    )


PAGE = Page("/hand-in", "报送", "inbox", 55, render, is_of_edition=False, needs="hand_in")
