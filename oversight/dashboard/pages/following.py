"""问题整改: what is done about findings, one by one or several at once.

The page is a frame; `assets/follow.js` fills it from the routes in `oversight.dashboard.following`.
"""

from __future__ import annotations

import json
from typing import Any

from oversight import presentation as show
from oversight.accounts.identity import current
from oversight.dashboard import queries
from oversight.dashboard.components import card
from oversight.dashboard.elements import html
from oversight.dashboard.following import TOGETHER, who
from oversight.dashboard.heads import title_head
from oversight.dashboard.pages import Page
from oversight.dashboard.view import View
from oversight.workflow.following import FILES_EACH, STATES, STEPS, TEXT_CHARACTERS


def render(view: View) -> list[Any]:
    """The page."""
    state = view.state
    asked = {
        name: state.get(name) for name in ("state", "severity", "rule", "mine", "overdue", "words", "id")
    }
    setup = {
        "unit": state.unit if len(state.unit) in (6, 9) else "",
        "asked": asked,
        "states": list(STATES.items()),
        "severities": [(code, look.label) for code, look in show.SEVERITY.items()],
        "rules": [
            (row["standard_id"], f"{row['standard_id']} {row['title_zh']}")
            for row in queries.standards(view.warehouse, view.scope)
            if row["gradeable"] != "N"
        ],
        "steps": [
            {"kind": kind, "title": step.title, "wants": list(step.wants), "from": list(step.leads)}
            for kind, step in STEPS.items()
            if current().may(step.needs)
        ],
        "who": who(),
        "may_attach": current().may("reply"),
        "may_follow": current().may("follow"),
        "most": TOGETHER,
        "files": FILES_EACH,
        "characters": TEXT_CHARACTERS,
    }
    return [
        title_head(view, "问题整改", shown=f"{view.unit_name if state.unit else ''}问题整改"),
        html.Div(
            [
                card(
                    "问题清单",
                    [
                        html.Div(id="follow-filters", className="follow-filters"),
                        html.Div(id="follow-bulk", className="follow-bulk"),
                        html.Div(id="follow-list", className="follow-list", **{"aria-live": "polite"}),
                        html.Div(id="follow-ledger", className="follow-ledger"),
                    ],
                    note="点击问题查看经过、办理；选中几项可以一起办理",
                    wide=True,
                    name="follow",
                ),
            ],
            id="follow-page",
            className="follow-page",
            **{"data-setup": json.dumps(setup, ensure_ascii=False)},
        ),
    ]


PAGE = Page("/follow", "问题整改", "shield", 45, render, is_of_edition=False)
