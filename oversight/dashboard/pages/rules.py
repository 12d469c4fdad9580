"""核算依据: corrections, confirmations, own standards, funds, calendar, due dates, headings, on one page.

The page is a frame; `assets/rules.js` draws each file from its description and fills it from the routes in
`oversight.dashboard.rules`.
"""

from __future__ import annotations

import json
from typing import Any

from oversight.accounts.identity import current
from oversight.dashboard.components import card
from oversight.dashboard.elements import html
from oversight.dashboard.heads import title_head
from oversight.dashboard.pages import Page
from oversight.dashboard.rules import described
from oversight.dashboard.view import View


def render(view: View) -> list[Any]:
    """The page."""
    setup = {"files": described(), "who": current().name}
    return [
        title_head(view, "核算依据"),
        html.Div(
            [
                card(
                    "依据",
                    [html.Div(id="rules-files"), html.Div(id="rules-table", **{"aria-live": "polite"})],
                    note="本单位自己定的都在这里；命令行读的是同样的文件",
                    wide=True,
                    name="rules-card",
                ),
                card(
                    "改动",
                    html.Div(id="rules-draft", **{"aria-live": "polite"}),
                    note="先检查、看会影响什么，再提交；更正和标准由另一人批准后写入，下次运行时生效",
                    wide=True,
                    name="rules-draft-card",
                ),
                card(
                    "待批准与历史",
                    html.Div(id="rules-changes", **{"aria-live": "polite"}),
                    note="每次改动的人、时间、理由；恢复是一次新的改动",
                    wide=True,
                    name="rules-changes-card",
                ),
            ],
            id="rules-page",
            className="follow-page rules-page",
            **{"data-setup": json.dumps(setup, ensure_ascii=False)},
        ),
    ]


PAGE = Page("/rules", "核算依据", "law", 72, render, is_of_edition=False, needs="confirm")
