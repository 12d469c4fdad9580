"""总览: where the money and the people are missing, in five seconds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from urllib.parse import urlencode

from oversight import presentation as show
from oversight.dashboard import figures, queries
from oversight.dashboard.components import (
    FIRST_MONTH,
    ROWS_SHOWN,
    View,
    by_month,
    card,
    chart,
    columns,
    empty,
    icon,
    keys,
    metric_card,
    page_head,
    rows_height,
    table_card,
)
from oversight.dashboard.elements import html
from oversight.dashboard.grids import Column, Table, of_metric
from oversight.dashboard.pages import Page
from oversight.dashboard.warehouse import Row
from oversight.metrics import METRICS, MOVED, unit_status
from oversight.presentation import Figure

HEAT_MONTHS = 24
HEAT_ROWS = 32
FEWEST_UNITS = 6
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
OF_UNITS = (
    "guaranteed_of_judged_cny",
    "allocated_of_judged_cny",
    "allocation_shortfall_of_judged_cny",
    "adequacy_of_judged_pct",
    "guaranteed_ytd_of_complete_cny",
    "disbursed_of_complete_cny",
    "disbursement_shortfall_of_compared_cny",
    "disbursed_of_complete_pct",
    "spent_of_spending_cny",
    "staff_shortfall_of_judged_persons",
)
_DECISIVE = ("allocation_shortfall_of_judged_cny", "disbursement_shortfall_of_compared_cny")
_PARTS = (("安排", "moved_allocated_ytd_cny"), ("拨付", "moved_disbursed_ytd_cny"))
PAGES = {"staff_shortfall_of_judged_persons": "/staffing", "missing_count": "/submissions"}


def nothing_here(view: View) -> Any:
    """Why a unit has no roll-up in the month shown."""
    if not view.scope.covers(queries.padded(view.state.prefix) or "000000"):
        return empty(f"{view.unit_name}只有一部分在您的权限之内，没有可供查看的合计。请选择下级单位。")
    return empty(f"{view.unit_name}在{show.month(view.month)}没有在册的乡镇。请换一个月份或地区。")


def render(view: View) -> list[Any]:
    """The page."""
    state, month = view.state, view.month
    series = by_month(own_months(view))
    if month not in series:
        return [page_head(view, "总览"), nothing_here(view)]
    title = f"{'' if not state.unit else view.unit_name}乡镇保障总览 · {show.month(month)}"
    return [
        page_head(view, title, actions=_actions(view)),
        _figures(view, series),
        columns(
            html.Div([_first(view), _doubts(view)], className="stack"),
            _news(view, series[month]),
        ),
        columns(_dumbbell(view), payments(view, BARS_SHOWN)),
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


def own_months(view: View) -> list[Row]:
    """The roll-ups of the unit shown, by month."""
    if len(view.state.prefix) > 6:
        return []
    return queries.units(view.warehouse, view.scope, view.state.prefix)


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


def chart_digits(view: View) -> int:
    """The level worth drawing: the next one below that has units enough to compare."""
    digits = queries.BELOW.get(len(view.state.prefix), 9)
    while digits < 9:
        rows = queries.units(view.warehouse, view.scope, view.state.prefix, digits, [view.month])
        if len([row for row in rows if row["covered_count"]]) >= FEWEST_UNITS:
            break
        digits = queries.BELOW[digits]
    return digits


def unit_rows(view: View, digits: int | None = None) -> list[Row]:
    """The units below the one shown, with their figures by metric; the largest gap first."""
    own = digits or queries.BELOW.get(len(view.state.prefix), 9)
    return view.once(("unit rows", own), lambda: _unit_rows(view, own))


def _unit_rows(view: View, digits: int) -> list[Row]:
    w, scope, state, month = view.warehouse, view.scope, view.state, view.month
    rows: list[Row]
    if digits == 9:
        rows = [
            {
                "code": row["code"],
                "name": row["name"],
                "status": row["status"],
                "is_covered": row["standard_id"] is not None,
                "missing_count": None if row["sent_count"] is None else 3 - row["sent_count"],
                **{key: METRICS[key].of_township(row) for key in OF_UNITS},
            }
            for row in queries.townships(w, scope, state.prefix, [month])
        ]
    else:
        rows = [
            {
                "code": queries.padded(row["code"]),
                "name": w.names.get(queries.padded(row["code"]), row["code"]),
                "status": unit_status(row),
                "is_covered": row["covered_count"] > 0,
                **{key: METRICS[key].of(row) for key in ("units_count", "short_count", "missing_count")},
                **{key: METRICS[key].of(row) for key in OF_UNITS},
            }
            for row in queries.units(w, scope, state.prefix, digits, [month])
        ]
    return sorted(
        rows, key=lambda row: (-(row["allocation_shortfall_of_judged_cny"].value or 0), row["code"])
    )


def unknown_text(rows: Sequence[Row], *names: str) -> str:
    """How many covered units a chart leaves out, because one of the figures it compares is not known of them."""
    left = [row for row in rows if row["is_covered"] and any(not row[name].is_known for name in names)]
    return f"；{len(left)} 个单位未报或无法判定，不在图上" if left else ""


def _first(view: View) -> Any:
    """What is to be done first: money by amount times months, then people; duties in force alone."""
    w, scope, state, month = view.warehouse, view.scope, view.state, view.month
    asked = {"money": ("元", "元/年"), "people": ("人", "名")}
    found = queries.worst(w, scope, state.prefix, month, asked, max(FIRST_MONEY, FIRST_PEOPLE))
    late = [
        {**row, "title_zh": f"今年拨付{show.PACE[row['pace']].label}", "unit": "元"}
        for row in queries.late(w, scope, state.prefix, month, FIRST_MONEY)
    ]
    money = sorted([*found["money"], *late], key=lambda row: (-row["weight"], row["subject_code"]))[
        :FIRST_MONEY
    ]
    people = found["people"][:FIRST_PEOPLE]
    title = "最该办的"
    if not money and not people:
        return card(title, empty("没有资金、人员低于有约束力的标准的单位；未报送的不算达标。"), name="first")
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


def _doubts(view: View) -> Any:
    """Doubts that change, or may change, what is concluded."""
    rows, total = queries.doubts(view.warehouse, view.scope, view.state.prefix, view.month, LISTED)
    title = "会改变结论的疑点"
    if not rows:
        return card(title, empty("没有会改变达标结论的疑点。"), name="doubts")

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


def _compared_units(view: View, names: tuple[str, str, str]) -> tuple[list[Row], list[Row]]:
    """Units worth drawing with what they should have, have and lack; and all there are."""
    found = unit_rows(view, chart_digits(view))
    rows = [
        {
            "name": row["name"],
            "href": view.unit_href(row["code"]),
            "guaranteed": row[names[0]].value,
            "allocated": row[names[1]].value,
            "shortfall": row[names[2]].value,
        }
        for row in found
        if row["is_covered"] and all(row[name].is_known for name in names)
    ]
    rows.sort(key=lambda row: -(row["shortfall"] or 0))
    return rows, found


def _dumbbells(
    view: View,
    title: str,
    names: tuple[str, str, str],
    limit: int,
    *,
    name: str,
    have: str,
    gap: str,
    wide: bool = False,
) -> Any:
    rows, found = _compared_units(view, names)
    shown = rows[:limit]
    if not shown:
        return card(title, nothing_to_compare(found))
    note = f"按{gap}从大到小；空心为应保障，实心为{have}，三角表示有{gap}。点击下钻"
    if len(rows) > len(shown):
        note += f"；共 {len(rows)} 个单位，此处为{gap}最大的 {len(shown)} 个"
    note += unknown_text(found, *names)
    worst = show.money(shown[0]["shortfall"], view.state.money, named=True)
    return card(
        title,
        chart(
            name,
            figures.dumbbell(shown, view.state.money, view.theme, have=have, gap=gap),
            rows_height(len(shown), row=28, least=240),
            f"{len(shown)} 个单位应保障与{have}对比，{shown[0]['name']}{gap}最大，为 {worst}",
        ),
        note=note,
        wide=wide,
    )


def _dumbbell(view: View) -> Any:
    names = ("guaranteed_of_judged_cny", "allocated_of_judged_cny", "allocation_shortfall_of_judged_cny")
    return _dumbbells(
        view, "全年应保障与已安排", names, BARS_SHOWN, name="dumbbell", have="已安排", gap="缺口"
    )


def payments(view: View, limit: int, *, wide: bool = False) -> Any:
    """What was due to the month against what was paid, unit by unit."""
    names = (
        "guaranteed_ytd_of_complete_cny",
        "disbursed_of_complete_cny",
        "disbursement_shortfall_of_compared_cny",
    )
    return _dumbbells(
        view, "截至当月应保障与已拨付", names, limit, name="units", have="已拨付", gap="差额", wide=wide
    )


def nothing_to_compare(rows: Sequence[Row]) -> Any:
    """Why no unit can be drawn: no standard applies, or nothing is known."""
    if any(row["is_covered"] for row in rows):
        return empty("这里的乡镇有适用的经费标准，但人口或经费都还没有报，无法比较。")
    return empty("这里的乡镇没有适用的经费标准。可在“政策标准”查看各标准的适用范围。")


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


def _list(title: str, view: View, change: str) -> list[Any]:
    w, scope, state, month = view.warehouse, view.scope, view.state, view.month
    rows, _ = queries.findings(w, scope, state.prefix, month, change=change, limit=LISTED)
    if not rows:
        return []
    moved = {
        row["finding_id"]: row["moved_cny"]
        for row in (queries.moved_rows(w, scope, state.prefix, month)[0] if change == "cleared" else [])
        if row["month"] == month
    }

    def end(row: Row) -> Any:
        if row["finding_id"] in moved:
            amount = moved[row["finding_id"]]
            told = "到位数算不出" if amount is None else f"到位 {show.money(amount, state.money, named=True)}"
            return html.Span(told, className="tone-good push")
        return html.Span(show.status_label(row["status"]), className=f"status status-{row['status']} push")

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
        for row in queries.units(w, scope, state.prefix, digits, months):
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
        return card(title, nothing_to_compare(ranked), wide=True)
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
