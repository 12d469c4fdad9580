"""总览: where the money and the people are missing, in five seconds."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import urlencode

from oversight import presentation as show
from oversight.dashboard import figures, queries
from oversight.dashboard.comparing import (
    ALLOCATED,
    OF_UNITS,
    PAID,
    chart_digits,
    compared,
    comparison,
    nothing_to_compare,
    unit_rows,
)
from oversight.dashboard.components import (
    FIRST_MONTH,
    ROWS_SHOWN,
    TREND_MONTHS,
    card,
    chart,
    columns,
    empty,
    icon,
    keys,
    metric_card,
    rows_height,
    table_card,
)
from oversight.dashboard.elements import html
from oversight.dashboard.grids import Column, Table, of_metric
from oversight.dashboard.heads import nothing_here, page_head
from oversight.dashboard.pages import Page
from oversight.dashboard.view import View, by_month
from oversight.dashboard.warehouse import Row
from oversight.metrics import METRICS, MOVED
from oversight.presentation import Figure

HEAT_MONTHS = 24
HEAT_ROWS = 32
# Figures of the cards, and of the units below: key and drawing.
CARDS = {
    "guaranteed_of_judged_cny": "shield",
    "allocated_of_judged_cny": "budget",
    "allocation_shortfall_of_judged_cny": "warning",
    "adequacy_of_judged_pct": "gauge",
    "staff_shortfall_of_judged_persons": "people",
    "disbursed_of_complete_cny": "paid",
    "disbursement_shortfall_of_compared_cny": "warning",
    "disbursed_of_complete_pct": "gauge",
    "missing_count": "inbox",
}
BARS_SHOWN = 15
# How many of what is to be done first are listed, in money and in people.
FIRST_MONEY, FIRST_PEOPLE, LISTED = 7, 3, 5
_DECISIVE = ("allocation_shortfall_of_judged_cny", "disbursement_shortfall_of_compared_cny")
_PARTS = (("安排", "moved_allocated_ytd_cny"), ("拨付", "moved_disbursed_ytd_cny"))
OF_OLDER_PROGRAM = "这一版由旧版程序生成，没有这一项。"
PAGES = {"staff_shortfall_of_judged_persons": "/staffing", "missing_count": "/submissions"}


def render(view: View) -> list[Any]:
    """The page."""
    state, month = view.state, view.month
    counts = ("judged_count", "covered_count", "expected_count")
    series = view.roll_ups((*CARDS, *counts), view.last_months(TREND_MONTHS))
    if month not in series:
        return [page_head(view, "总览"), nothing_here(view)]
    title = f"{'' if not state.unit else view.unit_name}乡镇保障总览 · {show.month(month)}"
    return [
        page_head(view, title, actions=_actions(view)),
        _figures(view, series),
        columns(
            html.Div([_first(view, series[month]), _doubts(view, series[month])], className="stack"),
            _news(view, series[month]),
        ),
        columns(*(comparison(view, compared(view, kind, BARS_SHOWN)) for kind in (ALLOCATED, PAID))),
        _heat_map(view),
        table_card(view, units_table(view, ROWS_SHOWN), note="点击名称下钻；缺口为零或未知的排在后面"),
    ]


def _actions(view: View) -> list[Any]:
    """What one does with a unit: set it beside others, take its page along."""
    state = view.state
    beside = html.A(
        [icon("columns"), "对比"],
        href=state.href("/compare", unit="", units=state.unit or None),
        className="button",
    )
    if not state.unit:
        return [beside]
    asked = {
        "unit": queries.padded(state.prefix),
        "month": show.month_code(view.month),
        "edition": view.warehouse.edition_id,
        "money": state.money,
    }
    page = html.A(
        [icon("print"), "一页简报"],
        href=f"/brief?{urlencode(asked)}",
        className="button",
        download=True,
        title=f"{view.unit_name}的一页 A4（PDF），可直接打印",
    )
    return [beside, page]


def _figures(view: View, series: dict[Any, Row]) -> Any:
    expected = METRICS["expected_count"].text(series[view.month])
    return html.Div(
        [
            metric_card(
                view,
                METRICS[key],
                series,
                icon_name,
                href=view.state.href(PAGES[key]) if key in PAGES else None,
                unit=f"/ {expected} 个" if key == "missing_count" else None,
            )
            for key, icon_name in CARDS.items()
        ]
        + [_moved(view)],
        className="kpis",
    )


def _moved(view: View) -> Any:
    """What the supervision of the year has moved so far; nothing in an edition that does not tell."""
    series = by_month(queries.moved(view.warehouse, view.scope, view.state.prefix))
    if view.month not in series:
        return None
    now = series[view.month]
    closed, known = now["closed_money_count"], now["moved_known_count"]
    change = f"已整改 {show.count(closed)} 项"
    if closed:
        parts = [
            f"{name} {MOVED[key].text(now, view.state.money, named=True)}"
            for name, key in _PARTS
            if now[key] is not None
        ]
        change = f"{change}：{'，'.join(parts)}" if parts else change
        change += f"；{show.count(closed - known)} 项算不出" if known < closed else ""
    return metric_card(
        view,
        MOVED["moved_ytd_cny"],
        series,
        "paid",
        href=view.state.href("/findings", change="cleared"),
        change=change,
    )


def _first(view: View, now: Row) -> Any:
    """What is to be done first: money by amount times months, then people; duties in force alone."""
    w, scope, state, month = view.warehouse, view.scope, view.state, view.month
    asked = {"money": ("元", "元/年"), "people": ("人", "名")}
    found = queries.worst(w, scope, state.prefix, month, asked, max(FIRST_MONEY, FIRST_PEOPLE))
    title = "最该办的"
    if found is None:
        return card(title, empty(OF_OLDER_PROGRAM), name="first")
    late = [
        {**row, "title_zh": f"今年拨付{show.PACE[row['pace']].label}", "unit": "元"}
        for row in queries.late(w, scope, state.prefix, month, FIRST_MONEY)
    ]
    money = sorted([*found["money"], *late], key=lambda row: (-row["weight"], row["subject_code"]))[
        :FIRST_MONEY
    ]
    people = found["people"][:FIRST_PEOPLE]
    if not money and not people:
        told = "没有资金、人员低于有约束力的标准的单位；未报送的不算达标。"
        if now["covered_count"] and not now["judged_count"]:
            told = "没有报到能够判定的乡镇，谁最差还不知道；先催报。"
        return card(title, empty(told), name="first")
    items = [
        html.Li(
            [
                html.A(row["subject_name"], href=subject_href(view, row["subject_code"])),
                html.Span(row["title_zh"], className="muted"),
                html.Span(
                    f"差 {show.shortfall(row['shortfall'], row['unit'], state.money)}，{show.count(row['months_open'])} 个月",
                    className="tone-bad push",
                ),
            ]
        )
        for row in (*money, *people)
    ]
    return card(
        title,
        [
            html.Ol(items, className="list"),
            html.P(html.A("全部未了的问题", href=state.href("/findings", status="open")), className="note"),
        ],
        note="先资金后人员，各按差额乘以持续月数排列；只列有约束力的标准，轻微和已豁免的不列",
        name="first",
    )


def subject_href(view: View, code: str) -> str:
    """Where a subject is seen: a township's own page, a county's findings."""
    if len(code) > 6:
        return view.state.href("/township", unit=code[:9])
    return view.state.href("/findings", unit=queries.padded(code))


_DOUBTS = {
    "edge": "人口正在分档线上：按另一档（{word}）应保障 {amount}，结论就变",
    "tier": "人口以万人报送，跨分档线，档次不定",
    "precision": "差 {amount}，在报数精度之内，判为达标",
    "too_coarse": "报数过粗，无法判定",
    "stale_population": "定档人口过旧，不作判定",
    "added": "并入单位的数是加上去的，报数口径待核实",
    "sources": "两个来源的拨付相差 {amount}，采用{word}，换一个来源结论就变",
    "people": "两个来源的人口相差 {amount} 人，采用{word}",
    "held": "有数疑似单位写错，待确认，未采用",
}


def _doubts(view: View, now: Row) -> Any:
    """Doubts that change, or may change, what is concluded."""
    found = queries.doubts(view.warehouse, view.scope, view.state.prefix, view.month, LISTED)
    title = "会改变结论的疑点"
    if found is None:
        return card(title, empty(OF_OLDER_PROGRAM), name="doubts")
    rows, total = found
    if not rows:
        told = "没有会改变达标结论的疑点。"
        if not now["judged_count"]:
            told = "没有能够判定经费的乡镇，也就没有结论可改变。"
        return card(title, empty(told), name="doubts")

    def said(row: Row) -> str:
        amount = row["amount"]
        told = (
            show.NONE
            if amount is None
            else show.signed(show.count(amount))
            if row["kind"] == "people"
            else show.quantity(amount, "元", view.state.money)
        )
        return _DOUBTS[row["kind"]].format(amount=told, word=row["word"] or "")

    items = [
        html.Li(
            [
                html.A(row["township_name"], href=view.state.href("/township", unit=row["township_code"])),
                html.Span(said(row), className="muted"),
            ]
        )
        for row in rows
    ]
    more = f"共 {show.count(total)} 处，此处列 {len(rows)} 处；" if total > len(rows) else ""
    return card(
        title, html.Ul(items, className="list"), note=f"{more}核实后结论可能不同；点击看由来", name="doubts"
    )


def _news(view: View, now: Row) -> Any:
    """What is new, what was put right and what that moved, and where gaps grew."""
    w, scope, state, month = view.warehouse, view.scope, view.state, view.month
    counts = queries.finding_counts(w, scope, state.prefix, month)
    count, cleared, opened = counts["opened_count"], counts["cleared_count"], counts["open_count"]
    head = html.P(
        [
            html.A(f"新增 {show.count(count)} 项", href=state.href("/findings", change="new")),
            " · ",
            html.A(f"整改 {show.count(cleared)} 项", href=state.href("/findings", change="cleared")),
            " · ",
            html.A(f"未了 {show.count(opened)} 项", href=state.href("/findings", status="open")),
        ],
        className="news-head",
    )
    parts = [
        head,
        *(_list("新增", view, "new") if count else []),
        *(_list("整改", view, "cleared") if cleared else []),
        *_worse(view, now),
    ]
    if not count and not cleared:
        parts.insert(1, html.P("本月没有新出现的问题，也没有整改的问题。", className="muted"))
    return card("本月变化", parts, name="news")


_OVER = ("cleared", "unit_ended", "superseded")


def _list(title: str, view: View, change: str) -> list[Any]:
    w, scope, state, month = view.warehouse, view.scope, view.state, view.month
    rows = queries.first_findings(w, scope, state.prefix, month, change, LISTED)
    if not rows:
        return []
    moved = queries.moved_by_finding(w, scope, state.prefix, month) if change == "cleared" else {}

    def end(row: Row) -> Any:
        if row["finding_id"] in moved:
            amount = moved[row["finding_id"]]
            told = "到位数算不出" if amount is None else f"到位 {show.money(amount, state.money, named=True)}"
            return html.Span(told, className="tone-good push")
        # What was new in the month shown may be over by now: then that came later.
        later = "其后" if change == "new" and row["status"] in _OVER else ""
        return html.Span(
            later + show.status_label(row["status"]), className=f"status status-{row['status']} push"
        )

    items = [
        html.Li(
            [
                html.A(row["subject_name"], href=subject_href(view, row["subject_code"])),
                html.Span(row["title_zh"], className="muted"),
                end(row),
            ]
        )
        for row in rows
    ]
    return [html.H3(title), html.Ul(items, className="list")]


def _worse(view: View, now: Row) -> list[Any]:
    """Townships whose gap grew since the month before, or why there are none."""
    before = view.previous_month()
    if before is None:
        return [html.P(f"{show.month(view.month)}是{FIRST_MONTH}。", className="muted")]
    if not now["judged_count"]:
        return [html.P("这里没有能够判定经费缺口的乡镇。", className="muted")]
    rows = queries.got_worse(view.warehouse, view.scope, view.state.prefix, view.month, before, LISTED)
    if not rows:
        return [html.P("两个月都能判定的乡镇，经费缺口都没有扩大。", className="muted")]
    items = [
        html.Li(
            [
                html.A(row["township_name"], href=view.state.href("/township", unit=row["township_code"])),
                html.Span(row["county_name"], className="muted"),
                html.Span(
                    f"缺口 +{show.money(row['growth_cny'], view.state.money, named=True)}",
                    className="tone-bad push",
                ),
            ]
        )
        for row in rows
    ]
    return [html.H3("经费缺口比上月扩大"), html.Ol(items, className="list")]


def _heat_map(view: View) -> Any:
    w, scope, state = view.warehouse, view.scope, view.state
    months = view.last_months(HEAT_MONTHS)
    digits = chart_digits(view)
    rate = METRICS["adequacy_of_judged_pct"]
    known: dict[tuple[str, date], Figure] = {}
    names: dict[str, str] = {}
    if digits == 9:
        for row in queries.township_rates(w, scope, state.prefix, months):
            names[row["township_code"]] = row["township_name"]
            known[row["township_code"], row["month"]] = rate.of_township(row)
    else:
        for row in queries.units(w, scope, state.prefix, digits, months, [rate.key]):
            code = queries.padded(row["code"])
            names[code] = w.names.get(code, code)
            known[code, row["month"]] = rate.of(row)
    ranked = unit_rows(view, digits)
    listed = [
        (row["code"], names[row["code"]]) for row in ranked if row["is_covered"] and row["code"] in names
    ]
    shown = listed[:HEAT_ROWS]
    label = "乡镇" if digits == 9 else "单位"
    title = f"{rate.title}：{label} × 月"
    if not shown:
        return card(title, nothing_to_compare(any(row["is_covered"] for row in ranked)), wide=True)
    more = f"；共 {len(listed)} 个单位，此处为前 {len(shown)} 个" if len(listed) > len(shown) else ""
    without = len(ranked) - len(listed)
    more += f"；另有 {without} 个单位没有适用标准，不列" if without else ""
    cells = {
        (code, month): _cell(view, code, name, month, known[code, month])
        for code, name in shown
        for month in months
        if (code, month) in known
    }
    states = {cell.figure.state for cell in cells.values()}
    return card(
        title,
        chart(
            "heat",
            figures.heat_map(shown, months, cells, view.theme),
            rows_height(len(shown), row=26, least=180),
            f"{len(shown)} 个单位近 {len(months)} 个月的{rate.title}",
        ),
        note=[
            f"近 {len(months)} 个月，按本月缺口排序；颜色越红{rate.title}越低。点击某格转到该月{more}",
            blank_keys(states),
        ],
        wide=True,
    )


def blank_keys(states: set[show.State]) -> Any:
    """What the cells without a colour of the scale mean, those that there are."""
    groups = (
        ("unknown", "未报送或无法判定", {"not_reported", "unsure"}),
        ("nothing", "无适用标准或不适用", {"no_standard", "not_applicable", "none"}),
    )
    return keys(*((name, word) for name, word, own in groups if own & states))


def _cell(view: View, code: str, name: str, month: date, figure: Figure) -> figures.Cell:
    rate = METRICS["adequacy_of_judged_pct"]
    hover = f"{name}<br>{show.month(month)}<br>{rate.title} {rate.written(figure, named=True)}"
    link = (
        view.once(("unit", code), lambda: view.unit_href(code))
        if len(code) == 9
        else view.state.href(month=month, unit=code)
    )
    return figures.Cell(figure, hover, link)


def units_table(view: View, limit: int | None = None) -> Table:
    """Units below with their figures of the month."""
    rows = unit_rows(view)
    is_township = queries.BELOW.get(len(view.state.prefix), 9) == 9
    missing = METRICS["missing_count"]
    return Table(
        name="units",
        title="乡镇明细" if is_township else "下级单位明细",
        columns=[
            Column("name", "乡镇" if is_township else "单位", "link", width=150),
            *([] if is_township else [of_metric(METRICS["units_count"])]),
            Column("status", "状态", "status", looks=show.STATUS, width=108, is_decisive=True),
            *(
                of_metric(
                    METRICS[key],
                    is_hidden=key in ("guaranteed_ytd_of_complete_cny", "spent_of_spending_cny"),
                    is_decisive=key in _DECISIVE,
                )
                for key in OF_UNITS
            ),
            Column("missing_count", "缺几张表", "number", "张", "当月三张表中没有报的", absent="不要求报")
            if is_township
            else of_metric(missing),
            *([] if is_township else [of_metric(METRICS["short_count"])]),
        ],
        rows=rows[:limit] if limit is not None else rows,
        key=lambda row: str(row["code"]),
        href=lambda row: view.unit_href(str(row["code"])),
        total=len(rows),
        is_summed=True,
    )


PAGE = Page("/", "总览", "home", 10, render, {"units": units_table})
