"""运行: files that wait, running now, how far it is, how runs ended, and back to an edition of before.

The page is a frame; `assets/run.js` fills it from the routes in `oversight.dashboard.running`.
"""

from __future__ import annotations

import json
from typing import Any

from oversight.dashboard.components import card
from oversight.dashboard.elements import html
from oversight.dashboard.pages import Page
from oversight.dashboard.view import View


def render(view: View) -> list[Any]:
    """The page."""
    del view  # A run is of the whole data folder, whatever unit or month is shown.
    return [
        html.Div(
            html.Div(
                [html.H1("运行"), html.P("对整个数据目录，与月份、地区无关。", className="note")],
                className="page-title",
            ),
            className="page-head",
        ),
        html.Div(
            [
                card("现在运行", html.Div(id="run-now", **{"aria-live": "polite"}), wide=True, name="now"),
                card(
                    "等待运行的文件",
                    html.Div(id="run-waiting", className="hand-in-body"),
                    note="raw/ 里还没有被采用的文件，以及改过的更正；待审核的不在其中",
                    wide=True,
                    name="waiting",
                ),
                card(
                    "由页面启动的运行",
                    html.Div(id="run-list", className="hand-in-body"),
                    note="点“记录”看那次运行说的全部内容",
                    wide=True,
                    name="runs",
                ),
                card(
                    "定时与各次运行",
                    html.Div(id="run-scheduled", className="hand-in-body"),
                    note="由页面、命令行和定时启动的都在内，最近的在前",
                    wide=True,
                    name="scheduled",
                ),
                card(
                    "回到以前的版本",
                    html.Div(id="run-editions", className="hand-in-body"),
                    note="发布一个与旧版相同的新版本；什么都不删除，有新文件的下一次运行按全部文件计算",
                    wide=True,
                    name="editions",
                ),
            ],
            id="run-page",
            className="hand-in-page",
            **{"data-setup": json.dumps({})},
        ),
    ]


PAGE = Page("/run", "运行", "play", 58, render, is_of_edition=False, needs="run")
