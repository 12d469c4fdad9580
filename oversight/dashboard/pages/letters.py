"""催报与文书: which letters are due, and each letter from draft to delivery.

The page is a frame; `assets/letters.js` fills it from the routes in `oversight.dashboard.letters`.
"""

from __future__ import annotations

import json
from typing import Any

from oversight.accounts.identity import current
from oversight.dashboard.components import card
from oversight.dashboard.elements import html
from oversight.dashboard.following import TOGETHER, who
from oversight.dashboard.heads import title_head
from oversight.dashboard.letters import STEPS, states
from oversight.dashboard.pages import Page
from oversight.dashboard.view import View


def render(view: View) -> list[Any]:
    """The page."""
    state = view.state
    setup = {
        "unit": state.unit if len(state.unit) in (6, 9) else "",
        "steps": [
            {"step": step, "title": title} for step, (title, action) in STEPS.items() if current().may(action)
        ],
        "may_draft": current().may("follow"),
        "states": states(),
        "who": who(),
        "most": TOGETHER,
    }
    return [
        title_head(view, "催报与文书", shown=f"{view.unit_name if state.unit else ''}催报与文书"),
        html.Div(
            [
                card(
                    "该发的文书",
                    html.Div(id="letters-due", **{"aria-live": "polite"}),
                    note="没有报送的、问题到了该发函或督办的时候的；选中后拟稿",
                    wide=True,
                    name="letters-due-card",
                ),
                card(
                    "文书",
                    html.Div(id="letters-list", **{"aria-live": "polite"}),
                    note="拟稿、审批（须由另一人）、签发、送达；点击文书阅读成文",
                    wide=True,
                    name="letters-card",
                ),
            ],
            id="letters-page",
            className="follow-page",
            **{"data-setup": json.dumps(setup, ensure_ascii=False)},
        ),
    ]


PAGE = Page("/letters", "催报与文书", "report", 46, render, is_of_edition=False, needs="see_letters")
