"""What stands at the head of every page: where one is, the title, the filters; and what is said where nothing follows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from oversight import presentation as show
from oversight.dashboard import queries
from oversight.dashboard.components import Element, empty, icon, select
from oversight.dashboard.elements import dmc, html
from oversight.dashboard.view import View


def crumbs(view: View, page_title: str) -> Element:
    """Province → city → county → township, each a link."""
    state, items = view.state, [("", "全部地区")]
    prefix = state.prefix
    for digits in (2, 4, 6):
        if len(prefix) >= digits:
            code = queries.padded(prefix[:digits])
            items.append((code, view.warehouse.names.get(code, code)))
    if len(prefix) > 6:
        items.append((state.unit, view.unit_name))
    parts: list[Element] = []
    for number, (code, name) in enumerate(items):
        is_last = number == len(items) - 1
        if not view.scope.touches(code) and code:
            continue
        path = "/" if state.path == "/township" and not is_last else state.path
        link = (
            html.Span(name, **{"aria-current": "page"})
            if is_last
            else html.A(name, href=state.href(path, unit=code, q=None))
        )
        parts.append(html.Li(link))
    return html.Nav(html.Ol(parts, className="crumbs"), **{"aria-label": f"{page_title}所在层级"})


def title_head(view: View, title: str, *, shown: str = "") -> Element:
    """Breadcrumbs and title alone (`shown` where it says more than the crumb), for a page with filters of its own."""
    return html.Div(
        html.Div([crumbs(view, title), html.H1(shown or title)], className="page-title"),
        className="page-head",
    )


def page_head(
    view: View,
    title: str,
    *,
    filters: Sequence[Element] = (),
    actions: Sequence[Element] = (),
    has_units: bool = True,
    has_money: bool = True,
) -> Element:
    """Breadcrumbs, title, and the filters every page has, with those and the actions of its own."""
    w, state = view.warehouse, view.state
    common: list[Element] = []
    below = queries.all_below(w, view.scope, state.unit) if has_units else {}
    if below and state.level != "township":
        common.append(
            select("unit", "下钻至", below, "", placeholder="选择下级区划", clearable=False)
            if state.level != "county"
            else select("unit", "查看乡镇", below["township"], "", placeholder="选择乡镇（街道）")
        )
    months = [(show.month_code(month), show.month(month)) for month in reversed(w.months)]
    common.append(select("month", "统计截至", months, show.month_code(view.month), allowDeselect=False))
    money = dmc.InputWrapper(
        dmc.SegmentedControl(
            id={"type": "filter", "name": "money", "initial": state.money},
            data=[{"value": "wan", "label": "万元"}, {"value": "yuan", "label": "元"}],
            value=state.money,
            size="sm",
            **{"aria-label": "金额单位"},
        ),
        label="金额单位",
        size="sm",
        className="filter filter-money",
    )
    return html.Div(
        [
            html.Div([crumbs(view, title), html.H1(title)], className="page-title"),
            html.Div(
                [
                    *common,
                    *filters,
                    *([money] if has_money else []),
                    *([html.Div(list(actions), className="button-row page-actions")] if actions else []),
                ],
                className="filters no-print",
                role="group",
                **{"aria-label": "筛选"},
            ),
        ],
        className="page-head",
    )


def notice(text: str) -> Element:
    """What stands before a page that shows something else than its address asks for."""
    return html.Div([icon("info"), html.Span(text)], className="notice", role="alert")


# What these ask for is told before the page is made, or by the page.
_TOLD = ("unit", "month", "money", "units", "with", "older")


def not_offered(view: View, content: Sequence[Any]) -> list[str]:
    """What the address chooses of a filter of the page that does not offer it."""
    asked = {name: value for name, value in view.state.more.items() if name not in _TOLD}
    if not any(not name.startswith("g.") for name in asked):
        return []
    return [
        f"网址中的“{item.label}”没有“{asked[name][:20]}”这一项"
        for item in _selects(content)
        if (name := item.id["name"]) in asked and asked[name] not in _offered(item.data)
    ]


def _selects(node: Any) -> Iterator[Any]:
    if isinstance(node, dmc.Select) and isinstance(node.id, dict) and node.id.get("type") == "filter":
        yield node
    elif isinstance(node, (list, tuple)):
        for item in node:
            yield from _selects(item)
    elif getattr(node, "children", None) is not None:
        yield from _selects(node.children)


def _offered(data: Sequence[Any]) -> set[str]:
    return {own["value"] for item in data for own in item.get("items", [item])}


# Of more the list above offers a choice.
_OWN_SHOWN = 8


def _own_units(view: View) -> Element:
    """The way to the divisions that somebody was given, where they are few."""
    found = []
    for prefix in view.scope.prefixes[:_OWN_SHOWN]:
        code = queries.padded(prefix)
        name = queries.unit_name(view.warehouse, view.scope, code)
        path = "/township" if len(code) > 6 else None
        if name:
            found.append(html.A(name, href=view.state.href(path, unit=code), className="button"))
    return html.Div(found, className="button-row") if found else None


def nothing_here(view: View) -> Any:
    """Why a unit has no roll-up in the month shown."""
    if not view.scope.covers(queries.padded(view.state.prefix) or "000000"):
        told = f"{view.unit_name}只有一部分在您的权限之内，没有可供查看的合计。"
        own = _own_units(view)
        return empty(told + ("您可以查看：" if own else "请选择下级单位。"), action=own)
    if view.state.level == "township":
        own = html.A("查看它的档案", href=view.state.href("/township"), className="button")
        return empty(f"{view.unit_name}是乡镇级单位，本页是县及以上的合计。", action=own)
    return empty(f"{view.unit_name}在{show.month(view.month)}没有在册的乡镇。请换一个月份或地区。")
