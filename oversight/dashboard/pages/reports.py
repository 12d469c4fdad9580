"""月报: the supervision reports that were made, to read and to take away, and what each version changed."""

from __future__ import annotations

import json
from itertools import groupby
from typing import Any

from oversight import presentation as show
from oversight.accounts.identity import current
from oversight.accounts.roles import Action
from oversight.dashboard.access import significant
from oversight.dashboard.archive import KINDS, address, key_of, reports_in_sight
from oversight.dashboard.components import card, icon, plain_table
from oversight.dashboard.elements import html
from oversight.dashboard.heads import notice, page_head
from oversight.dashboard.pages import Page
from oversight.dashboard.papers import scopes_in_sight
from oversight.dashboard.view import View
from oversight.reports import Version, differences

CHANGES_SHOWN = 30


def render(view: View) -> list[Any]:
    """The page."""
    state = view.state
    every = reports_in_sight(view.warehouse.folder, view.scope)
    inside = [item for item in every if _belongs(view, item)]
    head = page_head(view, f"{view.unit_name if state.unit else ''}督查通报", has_money=False)
    chosen = next((item for item in inside if key_of(item) == state.get("report")), None)
    desk = _desk(view)
    if not inside:
        return [head, *desk, _none(view, bool(every))]
    parts: list[Any] = [head, *desk]
    if chosen is not None:
        parts.append(_reading(view, chosen))
    elif state.get("report"):
        parts.append(notice("没有网址所指的这份通报，可能已经清理，或不在所选的地区。以下为现有的通报。"))
    for month, items in groupby(inside, key=lambda item: item.month):
        parts.append(_month(view, show.month(month), list(items)))
    return parts


def _desk(view: View) -> list[Any]:
    """Where reports are made, reviewed and issued, for those who may; `assets/papers.js` fills it."""
    who = current()
    steps: tuple[Action, ...] = ("make_report", "review_report", "issue_report")
    may = [action for action in steps if who.may(action)]
    if not may:
        return []
    w = view.warehouse
    setup = {
        "may": may,
        "month": show.month_code(view.month),
        "months": [(show.month_code(month), show.month(month)) for month in reversed(w.months[-24:])],
        "scopes": scopes_in_sight(w, view.scope),
        "unit": view.state.unit[:6],
    }
    return [
        html.Div(
            card(
                "办理",
                [html.Div(id="paper-make"), html.Div(id="paper-list"), html.Div(id="paper-texts")],
                note="起草、送审、审核、印发、发送、更正、撤回；起草的人不审核，审核的人不签发",
                wide=True,
                name="papers",
            ),
            id="paper-page",
            className="hand-in-page",
            **{"data-setup": json.dumps(setup, ensure_ascii=False)},
        )
    ]


def _belongs(view: View, version: Version) -> bool:
    """Reports on the unit shown, on what lies in it, and on what it lies in."""
    own, prefix = significant(version.scope_code), view.state.prefix[:6]
    return own.startswith(prefix) or prefix.startswith(own)


def _none(view: View, elsewhere: bool) -> Any:
    month = show.month_code(view.month)
    unit = view.state.unit[:6]
    command = f"oversight report --month {month}" + (f" --scope {unit}" if unit else "")
    return html.Div(
        [
            icon("report"),
            html.H2(f"还没有{f'{view.unit_name}的' if unit else ''}督查通报"),
            html.P(
                "通报按月生成，有 Word、PDF、Excel 和网页四种格式。"
                + ("在上面“办理”里起草，或" if current().may("make_report") else "")
                + "在服务器上运行："
            ),
            html.Pre(command),
            html.P(
                "先生成草稿，审核后用 oversight report review、issue 印发。数据没有报齐时会说明缺什么；"
                "要先看样子，加 --provisional。完成后刷新本页。"
            ),
            html.A("查看其他地区的通报", href=view.state.href(unit=""), className="button")
            if elsewhere
            else None,
        ],
        className="empty empty-page",
    )


def _month(view: View, title: str, items: list[Version]) -> Any:
    rows = []
    for item in items:
        name = item.name_zh
        files = [
            html.A(
                [icon("download"), KINDS[form][0]],
                href=address(item, form),
                download=True,
                className="button",
                **{"aria-label": f"下载{item.scope_name}{title}通报{name}（{KINDS[form][0]}）"},
            )
            for form in ("docx", "pdf", "xlsx", "html")
            if form in item.formats
        ]
        rows.append(
            html.Tr(
                [
                    html.Td(
                        [
                            html.A(item.scope_name, href=view.state.href(report=key_of(item)))
                            if "html" in item.formats
                            else item.scope_name,
                            html.Div(item.draft_reason, className="muted note") if item.is_draft else None,
                        ]
                    ),
                    html.Td(
                        [
                            html.Span(
                                name, className="status" if item.state == "issued" else "status status-held"
                            ),
                            html.Div(item.document_no, className="muted note") if item.document_no else None,
                            *(html.Div(told, className="muted note") for told in _life(item)),
                        ]
                    ),
                    html.Td(
                        [
                            html.Div(show.moment(item.built_at)),
                            html.Div(f"版本 {item.edition_id}", className="muted note"),
                        ]
                    ),
                    html.Td(html.Div(files, className="button-row button-row-left")),
                ]
            )
        )
    heads = ("地区（点击阅读）", "状态", "所用数据", "下载")
    return card(
        f"{title}督查通报",
        plain_table(f"{title}督查通报", heads, rows),
        wide=True,
        name=f"reports-{items[0].manifest['month']}",
    )


_STEP_ZH = {
    "drafted": "生成",
    "submitted": "送审",
    "reviewed": "审核",
    "returned": "退回",
    "issued": "印发",
    "withdrawn": "撤回",
}


def _life(version: Version) -> list[str]:
    """Each step: when, what, who, and what was noted."""
    return [
        f"{event['at'][:10]} {_STEP_ZH[event['step']]}"
        + (f" {event['by']}" if event["by"] else "")
        + (f"：{event['note']}" if event["note"] else "")
        for event in version.events
    ]


def _reading(view: View, chosen: Version) -> Any:
    name = chosen.name_zh
    return card(
        f"{chosen.scope_name} {show.month(chosen.month)} · {name}",
        [
            _changes(view, chosen),
            html.Iframe(
                src=address(chosen, "html", to_read=True),
                title=f"{chosen.title} {name}",
                className="reading",
                sandbox="allow-scripts",
            ),
        ],
        note="草稿仅供核对，不得外发" if chosen.is_draft else f"所用数据版本 {chosen.edition_id}",
        actions=html.A("收起", href=view.state.href(report=None), className="button"),
        wide=True,
        name="reading",
        opened=f"report {key_of(chosen)}",
    )


def _changes(view: View, chosen: Version) -> Any:
    changes = differences(view.warehouse.folder, chosen)
    if changes is None:
        return None
    heads = ("单位", "项目", "原为", "更正为", "原因")
    shown = changes.rows[:CHANGES_SHOWN]
    rows = [html.Tr([html.Td(str(cell)) for cell in row]) for row in shown]
    table = plain_table("与上一版的差别", heads, rows)
    more = (
        f"共 {show.count(len(changes.rows))} 处变化，此处为前 {show.count(len(shown))} 处，全部见更正件。"
        if len(changes.rows) > len(shown)
        else ""
    )
    return html.Details(
        [
            html.Summary(
                html.Strong(
                    f"与第 {show.count(changes.before)} 版相比：{show.count(len(changes.rows))} 处变化"
                )
            ),
            html.Div(
                [
                    *(html.P(reason) for reason in changes.reasons),
                    table if shown else html.P("数字没有变化。"),
                    html.P(more, className="muted note") if more else None,
                ]
            ),
        ],
        className="explained",
    )


PAGE = Page("/reports", "月报", "report", 75, render, is_of_edition=False)
