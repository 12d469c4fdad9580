"""总览: where the money and the people are missing, in five seconds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from oversight import presentation as show
from oversight.dashboard import figures, queries
from oversight.dashboard.components import (
    ROWS_SHOWN,
    View,
    card,
    chart,
    columns,
    empty,
    kpi,
    page_head,
    rows_height,
    sparkline,
    table_card,
    tone_colour,
)
from oversight.dashboard.elements import html
from oversight.dashboard.grids import Column, Table, public
from oversight.dashboard.pages import Page
from oversight.dashboard.warehouse import Row

HEAT_MONTHS = 24
HEAT_ROWS = 32
FEWEST_UNITS = 6
NEW_YEAR = "新年度首月，重新累计"


def render(view: View) -> list[Any]:
    """The page."""
    w, scope, state, month = view.warehouse, view.scope, view.state, view.month
    series = queries.funding(w, scope, state.prefix)
    now = next((row for row in series if row["month"] == month), None)
    if now is None:
        return [
            page_head(view, "总览"),
            empty(f"{view.unit_name}在{show.month(month)}没有在册的乡镇。请换一个月份或地区。"),
        ]
    title = f"{'' if not state.unit else view.unit_name}乡镇保障总览 · {show.month(month)}"
    return [
        page_head(view, title),
        _figures(view, series),
        columns(_dumbbell(view), html.Div([_worse(view), _news(view)], className="stack"), ratio="wide-left"),
        _heat_map(view),
        table_card(view, units_table(view, ROWS_SHOWN), note="点击名称下钻；缺口为零或未报的排在后面"),
    ]


def _change(now: Any, before: Any, text: Any, suffix: str = "") -> str:
    if now is None or before is None:
        return "较上月 —"
    return f"较上月 {show.signed(text(now - before))}{suffix}"


def adequacy(row: Row) -> Decimal | None:
    """已安排 ÷ 应保障 over the townships of which both are known."""
    return show.ratio_pct(row["judged_allocated_cny"], row["judged_guaranteed_cny"])


def _figures(view: View, series: Sequence[Row]) -> Any:
    w, scope, state, month = view.warehouse, view.scope, view.state, view.month
    before = view.previous_month()
    recent = view.last_months(12)
    money = by_month(series)
    people = by_month(queries.staffing(w, scope, state.prefix))
    silent = by_month(queries.reports(w, scope, state.prefix))
    now, then = money.get(month, {}), money.get(before, {})
    unit = show.MONEY_UNITS[state.money]

    def amount(label: str, name: str, icon_name: str, tone: str, hint: str) -> Any:
        trend = [money.get(item, {}).get(name) for item in recent]
        return kpi(
            label,
            show.money(now.get(name), state.money),
            unit,
            NEW_YEAR
            if before is not None and not view.comparable(name)
            else _change(now.get(name), then.get(name), lambda value: show.money(value, state.money)),
            icon_name=icon_name,
            tone=tone,
            trend=sparkline(trend, tone_colour(tone, view.theme), f"{label}近{len(recent)}个月走势"),
            hint=hint,
            name=name,
        )

    def tone_of(now_value: Any, then_value: Any, *, more_is_bad: bool) -> str:
        if now_value is None or then_value is None or now_value == then_value:
            return "plain"
        return "bad" if (now_value > then_value) is more_is_bad else "good"

    rate, rate_then = (adequacy(row) if row else None for row in (now, then))
    gap_tone = tone_of(
        now.get("allocation_shortfall_cny"), then.get("allocation_shortfall_cny"), more_is_bad=True
    )
    short, short_then = (people.get(item, {}).get("shortfall_persons") for item in (month, before))
    missing, missing_then = (silent.get(item, {}).get("missing_count") for item in (month, before))
    rate_tone = tone_of(rate, rate_then, more_is_bad=False)
    staff_tone = tone_of(short, short_then, more_is_bad=True)
    silent_tone = tone_of(missing, missing_then, more_is_bad=True)
    cards = [
        amount(
            "全年应保障",
            "guaranteed_annual_cny",
            "shield",
            "plain",
            "有经费标准且人口已知的乡镇，按标准算出的全年数合计",
        ),
        amount(
            "全年已安排",
            "allocated_annual_cny",
            "budget",
            "plain",
            "有经费标准的乡镇，最近一次报的年度预算合计",
        ),
        amount("本年已拨付", "disbursed_ytd_cny", "paid", "plain", "有经费标准的乡镇，当年累计拨付合计"),
        amount(
            "安排缺口",
            "allocation_shortfall_cny",
            "warning",
            gap_tone,
            "各乡镇应保障减已安排的差额合计，多安排的不抵",
        ),
        kpi(
            "保障率",
            show.percent(rate, 1, named=False),
            "%" if rate is not None else "",
            _change(rate, rate_then, lambda value: show.number(value, 2), " 个百分点"),
            icon_name="gauge",
            tone=rate_tone,
            trend=sparkline(
                [adequacy(money[item]) if item in money else None for item in recent],
                tone_colour(rate_tone, view.theme),
                "保障率近12个月走势",
            ),
            hint="已安排 ÷ 应保障，只算两者都已知的乡镇",
            name="adequacy_pct",
        ),
        kpi(
            "人员缺口",
            show.count(short),
            "人" if short is not None else "",
            _change(short, short_then, lambda value: show.count(value), " 人"),
            icon_name="people",
            tone=staff_tone,
            trend=sparkline(
                [people.get(item, {}).get("shortfall_persons") for item in recent],
                tone_colour(staff_tone, view.theme),
                "人员缺口近12个月走势",
            ),
            href=state.href("/staffing"),
            hint="各乡镇专职人员或编制低于标准的人数合计；同一乡镇适用几项标准的，取缺得最多的一项",
            name="shortfall_persons",
        ),
        kpi(
            "未报齐乡镇",
            show.count(missing),
            f"/ {show.count(silent.get(month, {}).get('expected_count'), absent='—')} 个",
            _change(missing, missing_then, lambda value: show.count(value), " 个"),
            icon_name="inbox",
            tone=silent_tone,
            trend=sparkline(
                [silent.get(item, {}).get("missing_count") for item in recent],
                tone_colour(silent_tone, view.theme),
                "未报齐乡镇近12个月走势",
            ),
            href=state.href("/submissions"),
            hint="当月人口、经费、人员三张表没有报齐的乡镇（街道）数",
            name="missing_count",
        ),
    ]
    return html.Div(cards, className="kpis")


def by_month(rows: Sequence[Row]) -> dict[date, Row]:
    """Rows by their month."""
    return {row["month"]: row for row in rows}


def chart_digits(view: View) -> int:
    """The level worth drawing: the next one below that has units enough to compare."""
    digits = queries.BELOW.get(len(view.state.prefix), 9)
    while digits < 9:
        rows = queries.funding(view.warehouse, view.scope, view.state.prefix, digits, [view.month])
        if sum(row["covered_count"] > 0 for row in rows) >= FEWEST_UNITS:
            break
        digits = queries.BELOW[digits]
    return digits


def unit_rows(view: View, digits: int | None = None) -> list[Row]:
    """The units below the one shown, with their money, people and silence; the largest gap first."""
    w, scope, state, month = view.warehouse, view.scope, view.state, view.month
    digits = digits or queries.BELOW.get(len(state.prefix), 9)
    money = queries.funding(w, scope, state.prefix, digits, [month])
    people = {row["code"]: row for row in queries.staffing(w, scope, state.prefix, digits, [month])}
    silent = {row["code"]: row for row in queries.reports(w, scope, state.prefix, digits, [month])}
    names = queries.township_names(w, scope, state.prefix) if digits == 9 else w.names
    rows = []
    for row in money:
        code = queries.padded(row["code"])
        rows.append(
            {
                **row,
                "code": code,
                "name": names.get(code, code),
                "adequacy_pct": adequacy(row),
                "paid_pct": show.ratio_pct(row["disbursed_ytd_cny"], row["guaranteed_ytd_cny"]),
                "shortfall_persons": people.get(row["code"], {}).get("shortfall_persons"),
                "asked_count": people.get(row["code"], {}).get("asked_count"),
                "missing_count": silent.get(row["code"], {}).get("missing_count"),
                "status": unit_status(row),
            }
        )
    rows.sort(key=lambda row: (-(row["allocation_shortfall_cny"] or 0), row["code"]))
    return rows


def unit_status(row: Row) -> str:
    """The worst of a unit's townships."""
    for status in ("short", "not_reported", "met"):
        if row[f"{status}_count"]:
            return status
    return "no_standard"


def _dumbbell(view: View) -> Any:
    rows = [
        {
            "name": row["name"],
            "href": view.unit_href(row["code"]),
            "guaranteed": row["guaranteed_annual_cny"],
            "allocated": row["allocated_annual_cny"],
            "shortfall": row["allocation_shortfall_cny"],
        }
        for row in unit_rows(view, chart_digits(view))
        if row["covered_count"]
    ]
    shown = rows[:25]
    note = "按缺口从大到小；空心为应保障，实心为已安排，三角表示有缺口。点击下钻"
    if len(rows) > len(shown):
        note += f"；共 {len(rows)} 个单位，此处为缺口最大的 {len(shown)} 个"
    if not shown:
        return card(
            "应保障与已安排",
            empty("这里的乡镇没有适用的经费标准，或人口、预算都未报。可在“政策标准”查看各标准的适用范围。"),
        )
    worst = shown[0]
    gap = show.money(worst["shortfall"], view.state.money, named=True)
    summary = f"各单位应保障与已安排对比，{worst['name']}缺口最大，为 {gap}"
    return card(
        "应保障与已安排",
        chart(
            "dumbbell",
            figures.dumbbell(shown, view.state.money, view.theme),
            rows_height(len(shown), least=260),
            summary,
        ),
        note=note,
    )


def _worse(view: View) -> Any:
    before = view.previous_month()
    rows = (
        queries.got_worse(view.warehouse, view.scope, view.state.prefix, view.month, before, 6)
        if before
        else []
    )
    body: Any = html.Ol(
        [
            html.Li(
                [
                    html.A(
                        row["township_name"], href=view.state.href("/township", unit=row["township_code"])
                    ),
                    html.Span(row["county_name"], className="muted"),
                    html.Span(
                        f"缺口 +{show.money(row['growth_cny'], view.state.money, named=True)}",
                        className="tone-bad push",
                    ),
                ]
            )
            for row in rows
        ],
        className="list",
    )
    return card(
        "比上月变差",
        body if rows else empty("没有乡镇的经费缺口比上月扩大。"),
        note="经费缺口比上月扩大的乡镇",
    )


def _news(view: View) -> Any:
    w, scope, state, month = view.warehouse, view.scope, view.state, view.month
    new, _ = queries.findings(w, scope, state.prefix, month, change="new", limit=6)
    counts = queries.finding_counts(w, scope, state.prefix, month)
    count, cleared, opened = counts["new_count"], counts["cleared_count"], counts["open_count"]
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
    items = html.Ul(
        [
            html.Li(
                [
                    html.A(
                        row["subject_name"],
                        href=state.href("/township", unit=row["subject_code"][:9])
                        if len(row["subject_code"]) > 6
                        else state.href("/findings", unit=row["subject_code"]),
                    ),
                    html.Span(row["title_zh"], className="muted"),
                    html.Span(
                        show.status_label(row["status"]), className=f"status status-{row['status']} push"
                    ),
                ]
            )
            for row in new
        ],
        className="list",
    )
    return card("本月新问题", [head, items if new else empty("本月没有新出现的问题。")])


def _heat_map(view: View) -> Any:
    w, scope, state = view.warehouse, view.scope, view.state
    months = view.last_months(HEAT_MONTHS)
    digits = chart_digits(view)
    cells: dict[tuple[str, date], tuple[Any, str, str]] = {}
    units: dict[str, str] = {}
    if digits == 9:
        rows = queries.funding_grid(w, scope, state.prefix, months)
        for row in rows:
            units[row["code"]] = row["name"]
            cells[row["code"], row["month"]] = _cell(
                view, row["code"], row["name"], row, row["adequacy_pct"], row["status"]
            )
    else:
        for row in queries.funding(w, scope, state.prefix, digits, months):
            code = queries.padded(row["code"])
            name = w.names.get(code, code)
            units[code] = name
            cells[code, row["month"]] = _cell(view, code, name, row, adequacy(row), unit_status(row))
    ranked = unit_rows(view, digits)
    order = [row["code"] for row in ranked if row["covered_count"]] or [row["code"] for row in ranked]
    listed = [(code, units[code]) for code in order if code in units]
    shown = listed[:HEAT_ROWS]
    note = f"近 {len(months)} 个月，按本月缺口排序；颜色越红保障率越低，灰色为未报，没有适用标准的不列。点击某格转到该月"
    if len(listed) > len(shown):
        note += f"；共 {len(listed)} 个单位，此处为前 {len(shown)} 个"
    label = "乡镇" if digits == 9 else "单位"
    return card(
        f"保障率：{label} × 月",
        chart(
            "heat",
            figures.heat_map(shown, months, cells, view.theme),
            rows_height(len(shown), row=26, least=180),
            f"{len(shown)} 个单位近 {len(months)} 个月的保障率",
        ),
        note=note,
        wide=True,
    )


def _cell(view: View, code: str, name: str, row: Row, value: Any, status: str) -> tuple[Any, str, str]:
    text = show.percent(value, 2) if value is not None else show.status_label(status)
    hover = f"{name}<br>{show.month(row['month'])}<br>保障率 {text}"
    return (
        value,
        hover,
        view.unit_href(code) if len(code) == 9 else view.state.href(month=row["month"], unit=code),
    )


def units_table(view: View, limit: int | None = None) -> Table:
    """Units below with their figures of the month."""
    rows = unit_rows(view)
    w = view.warehouse
    is_township = queries.BELOW.get(len(view.state.prefix), 9) == 9

    def of(name: str, **changes: Any) -> Column:
        return public(w, f"funding_gap_monthly.{name}", **changes)

    staff = public(
        w,
        "staffing_gap_monthly.shortfall_persons",
        title="人员缺口",
        hint="缺得最多的一项标准所缺人数",
        absent=show.NONE,
    )
    return Table(
        name="units",
        title="乡镇明细" if is_township else "下级单位明细",
        columns=[
            Column("name", "乡镇" if is_township else "单位", "link", width=150),
            *([] if is_township else [Column("units_count", "乡镇数", "number", "个")]),
            Column("status", "状态", "status", looks=show.STATUS, width=108),
            *(
                of(name, absent=lambda row: show.NOT_REPORTED if row["covered_count"] else show.NONE)
                for name in (
                    "guaranteed_annual_cny",
                    "allocated_annual_cny",
                    "disbursed_ytd_cny",
                    "spent_ytd_cny",
                    "allocation_shortfall_cny",
                )
            ),
            of("adequacy_pct", absent=show.NONE),
            Column("paid_pct", "拨付进度", "number", "%", "本年已拨付 ÷ 截至本月应保障", absent=show.NONE),
            staff,
            Column(
                "missing_count",
                "未报齐" if not is_township else "三表未报齐",
                "number",
                "个",
                "当月三张表没有报齐的乡镇数",
                absent=show.NONE,
            ),
            *([] if is_township else [Column("short_count", "不达标乡镇", "number", "个")]),
        ],
        rows=rows[:limit] if limit is not None else rows,
        key=lambda row: str(row["code"]),
        href=lambda row: view.unit_href(str(row["code"])),
        total=len(rows),
    )


PAGE = Page("/", "总览", "home", 10, render, {"units": units_table})
