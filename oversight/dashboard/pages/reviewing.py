"""审核: files that wait for a reviewer, row by row, and what waits in the current edition.

The page is a frame; `assets/review.js` fills it from the routes in `oversight.dashboard.reviewing`.
"""

from __future__ import annotations

import json
from typing import Any

from oversight.dashboard.components import card
from oversight.dashboard.elements import html
from oversight.dashboard.heads import title_head
from oversight.dashboard.pages import Page
from oversight.dashboard.view import View


def render(view: View) -> list[Any]:
    """The page."""
    setup = {"unit": view.state.unit, "file": view.state.get("review") or ""}
    return [
        title_head(view, "审核"),
        html.Div(
            [
                card(
                    "待审核的报送",
                    html.Div(id="review-files", className="hand-in-body", **{"aria-live": "polite"}),
                    note="采用的进入下一次运行；退回的连同原因告知报送人",
                    wide=True,
                    name="waiting",
                ),
                html.Div(id="review-file"),
                card(
                    "当前版本里待确认的数和存疑",
                    html.Div(id="review-questions", className="hand-in-body"),
                    note="确认或退回都要写原因，下一次运行生效",
                    wide=True,
                    name="questions",
                ),
                card(
                    "已审核",
                    html.Div(id="review-done", className="hand-in-body"),
                    wide=True,
                    name="done",
                ),
            ],
            id="review-page",
            className="hand-in-page",
            **{"data-setup": json.dumps(setup, ensure_ascii=False)},
        ),
    ]


PAGE = Page("/review", "审核", "check", 57, render, is_of_edition=False, needs="confirm")
