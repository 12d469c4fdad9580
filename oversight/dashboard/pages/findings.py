"""问题台账: findings with a life, from the month they opened to the month they were cleared."""

from __future__ import annotations

from typing import Any

from oversight import presentation as show
from oversight.dashboard import figures, queries
from oversight.dashboard.components import ROWS_SHOWN, card, chart, empty, kpi, select, table_card
from oversight.dashboard.elements import html
from oversight.dashboard.grids import Column, Table, public
from oversight.dashboard.heads import page_head
from oversight.dashboard.pages import Page
from oversight.dashboard.pages.staffing import subject_href
from oversight.dashboard.theme import palette
from oversight.dashboard.view import View, by_month

FILTERS = ("status", "rule", "severity", "change", "topic")
CHANGES = {"new": "本月新增", "cleared": "本月整改"}
STATUSES = {
    "open": "未了（全部）",
    "short": "不达标",
    "not_reported": "未报送",
    "unconfirmed": "依据待确认",
    "cleared": "已整改",
    "unit_ended": "已撤并",
    "superseded": "标准更替",
}

NOW = "到数据的最后一个月为止的状态；当时未了、后来整改的，这里写已整改"


def _chosen(view: View) -> dict[str, str]:
    chosen = {name: view.state.get(name) for name in FILTERS}
    if not chosen["status"] and not chosen["change"]:
        # Somebody who opens the ledger wants what is still to be done.
        chosen["status"] = "open"
    if chosen["status"] == "all":
        chosen["status"] = ""
    return chosen


def render(view: View) -> list[Any]:
    """The page."""
    w, scope, state = view.warehouse, view.scope, view.state
    chosen = _chosen(view)
    rules = [row for row in queries.standards(w, scope) if row["gradeable"] != "N"]
    topics = sorted({row["topic_zh"] for row in rules if row["topic_zh"]})
    filters = [
        select(
            "status",
            "状态",
            [("all", "全部"), *STATUSES.items()],
            chosen["status"] or ("" if chosen["change"] else "all"),
            placeholder="全部",
        ),
        select("change", "变化", list(CHANGES.items()), chosen["change"], placeholder="不限", clearable=True),
        select(
            "severity",
            "严重程度",
            [(code, look.label) for code, look in show.SEVERITY.items()],
            chosen["severity"],
            placeholder="不限",
            clearable=True,
        ),
        select(
            "topic",
            "主题",
            [(topic, topic) for topic in topics],
            chosen["topic"],
            placeholder="不限",
            clearable=True,
        ),
        select(
            "rule",
            "规则",
            [(row["standard_id"], f"{row['standard_id']} {row['title_zh']}") for row in rules],
            chosen["rule"],
            placeholder="不限",
            clearable=True,
        ),
    ]
    return [
        page_head(
            view,
            f"{view.unit_name if state.unit else ''}问题台账 · {show.month(view.month)}",
            filters=filters,
        ),
        _figures(view),
        _over_time(view),
        table_card(
            view,
            findings_table(view, ROWS_SHOWN),
            note="一条是一个单位在一项规则上从出现到整改的一段；点击单位查看由来",
        ),
        _moved(view),
    ]


def _figures(view: View) -> Any:
    w, scope, state, month = view.warehouse, view.scope, view.state, view.month

    counts = queries.finding_counts(w, scope, state.prefix, month)
    items: list[tuple[str, int, str, str, dict[str, Any], str]] = [
        ("未了问题", counts["open_count"], "ledger", "plain", {"status": "open"}, "截至本月尚未整改的问题"),
        (
            "其中严重",
            counts["open_high_count"],
            "warning",
            "bad",
            {"status": "open", "severity": "high"},
            "未了问题中严重程度为严重的",
        ),
        (
            "本月新增",
            counts["opened_count"],
            "info",
            "warn",
            {"change": "new", "status": None},
            "本月首次出现的问题",
        ),
        (
            "本月整改",
            counts["cleared_count"],
            "shield",
            "good",
            {"change": "cleared", "status": None},
            "本月转为达标的问题",
        ),
    ]
    reset: dict[str, Any] = dict.fromkeys(FILTERS)
    return html.Div(
        [
            kpi(
                label,
                show.count(value),
                "项",
                "点击查看",
                icon_name=icon_name,
                tone=tone if value else "plain",
                href=state.href(**(reset | changes)),
                hint=hint,
                name=f"findings_{label}",
            )
            for label, value, icon_name, tone, changes, hint in items
        ],
        className="kpis",
    )


def _over_time(view: View) -> Any:
    if len(view.state.prefix) not in queries.LEVELS:
        return None
    rows = by_month(queries.unit_findings(view.warehouse, view.scope, view.state.prefix))
    months = view.last_months(24)
    # In the first month of all, whatever was already wrong counts as new and would dwarf every other month.
    begins = len(months) > 1 and months[0] == view.warehouse.months[0]
    months = months[1:] if begins else months
    colours = palette(view.theme)
    opened = [rows.get(month, {}).get("opened_count", 0) for month in months]
    cleared = [rows.get(month, {}).get("cleared_count", 0) for month in months]
    if months == view.warehouse.months[:1]:
        told = f"{show.month(months[0])}是数据的第一个月，当月已有的问题都计为新增；从下个月起画变化。"
        return card("新增与整改", empty(told))
    if not any(opened) and not any(cleared):
        span = f"{show.month(months[0])}到{show.month(months[-1])}" if months[1:] else show.month(months[0])
        return card("新增与整改", empty(f"{span}没有新增的问题，也没有整改的问题。"))
    return card(
        "新增与整改",
        chart(
            "changes",
            figures.month_bars(
                months,
                [("新增", opened, colours.shortfall), ("整改", cleared, colours.good)],
                view.theme,
                [view.state.href(month=month, change="new", status=None) for month in months],
            ),
            230,
            f"近 {len(months)} 个月新增与整改的问题数",
        ),
        note=(
            f"数据自{show.month(view.warehouse.months[0])}起，当月已有的问题都计为新增，不在图上；"
            if begins
            else ""
        )
        + "点击查看该月新增",
    )


def findings_table(view: View, limit: int | None = None) -> Table:
    """Findings as the filters choose them."""
    w, state = view.warehouse, view.state
    chosen = _chosen(view)
    rows, total = queries.findings(
        w, view.scope, state.prefix, view.month, **chosen, limit=limit, ask=view.ask
    )

    def value(name: str, title: str, absent: str) -> Column:
        return Column(
            name,
            title,
            "number",
            is_of_unit=True,
            text=lambda row, money: show.quantity(row[name], row["unit"], money, absent=absent),
        )

    def of(name: str, **changes: Any) -> Column:
        return public(w, f"findings.{name}", **changes)

    columns = [
        Column("subject_name", "单位", "link", width=130),
        # A finding has one state, that of now; beside a month that is over it must not be read as that month's.
        of("status", width=112, **({} if view.month == w.months[-1] else {"title": "现状", "hint": NOW})),
        of("severity", kind="status", looks=show.SEVERITY, width=92),
        Column("title_zh", "问题", "long", is_decisive=True),
        value("value_checked", "实际", show.NOT_REPORTED),
        value("value_expected", "要求", show.NONE),
        Column(
            "shortfall",
            "差",
            "number",
            is_of_unit=True,
            is_decisive=True,
            text=lambda item, money: show.shortfall(item["shortfall"], item["unit"], money),
        ),
        Column("months_open", "持续", "number", "月", "到所选月份为止", width=84),
        of("opened_month", width=104),
        Column("county_name", "县（区）", absent=show.NONE, width=100, is_hidden=len(view.state.prefix) >= 6),
        of("rule_id", width=84),
        of("cleared_month", absent=show.NONE),
        of("clause", absent=show.NONE),
        of("source", absent=show.NONE, width=104),
        of("document_title", kind="long", is_hidden=True),
        of("message_zh", kind="long", is_hidden=True),
        *([of("notified_on", absent=show.NONE)] if "findings.notified_on" in w.texts else []),
        of("reply_zh", kind="long", absent=show.NONE),
        of("agreed_on", absent=show.NONE),
        of("is_overdue", is_hidden=True),
        of("is_exempt", is_hidden=True),
        of("exempt_reason_zh", kind="long", absent=show.NONE, is_hidden=True),
        of("exempt_approver", absent=show.NONE, is_hidden=True),
        of("exempt_until", absent=show.NONE, is_hidden=True),
        of("previous_finding_id", absent=show.NONE, is_hidden=True),
    ]
    return Table(
        name="findings",
        title="问题台账",
        columns=columns,
        rows=rows,
        key=lambda row: str(row["finding_id"]),
        href=lambda row: subject_href(view, row),
        total=total,
        empty="没有符合条件的问题。可以放宽筛选条件，或换一个月份、地区。",
    )


_MEASURES = {"allocated": "年度安排", "disbursed": "累计拨付"}
_BEGINS = {"notice": "通知", "opened": "出现的月份（没有通知记录）"}
_UNKNOWN = {
    "start_unknown": "起点未报送或无法判定",
    "end_unknown": "整改时的数未知",
    "area_changed": "其间有单位并入，两个数不可比",
}


def _moved(view: View) -> Any:
    table = moved_table(view, ROWS_SHOWN)
    if not table.total:
        return None
    return table_card(
        view,
        table,
        note="本年截至所选月份已整改的资金问题：从通知到整改增加了多少，不超过通知时的差额。点击单位查看整改当月的由来",
    )


def moved_table(view: View, limit: int | None = None) -> Table:
    """What each closed money finding of the year moved, and the reports it is read from."""
    w = view.warehouse
    rows, total = queries.moved_rows(w, view.scope, view.state.prefix, view.month, limit, view.ask)

    def of(name: str, **changes: Any) -> Column:
        return public(w, f"detail.moved_amounts.{name}", **changes)

    def word(name: str, title: str, words: dict[str, str], **changes: Any) -> Column:
        return Column(name, title, text=lambda row, _: words.get(row[name], show.NONE), **changes)

    return Table(
        name="moved",
        title="促进资金到位",
        columns=[
            Column("township_name", "单位", "link", width=130),
            Column("county_name", "县（区）", absent=show.NONE, width=120),
            Column("title_zh", "标准", "long"),
            word("measure", "比的是", _MEASURES, width=100),
            of("moved_cny", absent=show.REASON["uncountable"], is_decisive=True),
            of("open_shortfall_cny", absent=show.NOT_REPORTED),
            of("from_cny", absent=show.NOT_REPORTED),
            of("to_cny", absent=show.NOT_REPORTED),
            of("month", is_decisive=True),
            of("from_month"),
            word("begins_with", "从何时算起", _BEGINS, width=150),
            of("notified_on", absent=show.NONE),
            of("from_report_month", absent=show.NONE),
            of("to_report_month", absent=show.NONE),
            of("is_of_two_years"),
            of("is_counted_in_totals"),
            word("unknown_reason", "算不出的原因", _UNKNOWN, width=150),
            of("rule_id", width=84),
            of("finding_id", is_hidden=True),
            *(
                of(f"{side}_{name}", absent=show.NONE, is_hidden=True)
                for side in ("from", "to")
                for name in ("submission_id", "sheet", "row_number")
            ),
        ],
        rows=rows,
        key=lambda row: str(row["finding_id"]),
        href=lambda row: view.state.href("/township", unit=row["township_code"], month=row["month"]),
        total=total,
        empty="本年截至所选月份没有资金问题整改。",
    )


PAGE = Page("/findings", "问题台账", "ledger", 40, render, {"findings": findings_table, "moved": moved_table})
