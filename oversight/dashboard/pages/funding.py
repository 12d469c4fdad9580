"""经费保障: guaranteed against allocated, paid and spent; the tiers and their cliffs; pace of payment."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from oversight import presentation as show
from oversight.dashboard import figures, queries
from oversight.dashboard.access import significant
from oversight.dashboard.comparing import PAID, Compared, compared, comparison, nothing_to_compare
from oversight.dashboard.components import (
    ROWS_SHOWN,
    card,
    chart,
    columns,
    empty,
    metric_card,
    select,
    table_card,
)
from oversight.dashboard.elements import html
from oversight.dashboard.grids import Column, Table, public
from oversight.dashboard.heads import nothing_here, page_head
from oversight.dashboard.pages import Page
from oversight.dashboard.theme import palette
from oversight.dashboard.view import View
from oversight.dashboard.warehouse import Row
from oversight.metrics import METRICS

FORMULAS = ("per_capita_by_tier", "per_capita_marginal", "flat_by_tier")
POINTS_SHOWN = 700
UNITS_SHOWN = 20
MONTHS_SHOWN = 36
NEAR_SHARE = Decimal("0.02")
# Figures of the cards: key and drawing.
CARDS = {
    "guaranteed_ytd_of_complete_cny": "shield",
    "disbursed_of_complete_cny": "paid",
    "disbursed_of_complete_pct": "gauge",
    "disbursement_shortfall_of_compared_cny": "warning",
    "progress_of_complete_pct": "gauge",
    "spent_of_spending_cny": "money",
    "allocation_shortfall_of_judged_cny": "warning",
    "short_count": "profile",
}


@dataclass(frozen=True)
class _Asked:
    """What the page shows, asked for at once: the unit's roll-ups by month; the rules, those that apply here first, with
    the tiers of each; the townships near an edge; those drawn of the rule `shown`, and how many it has; the units
    compared; and the townships' amounts."""

    series: dict[Any, Row]
    rules: list[Row]
    tiers: dict[str, list[Row]]
    near: tuple[list[Row], int]
    shown: Row | None
    points: list[Row]
    points_count: int
    paid: Compared
    townships: tuple[list[Row], int]


def _ask(view: View, series: dict[Any, Row]) -> _Asked:
    w, scope, prefix, month = view.warehouse, view.scope, view.state.prefix, view.month
    rules, tiers = _rules(view)
    near = _near(view, tiers, ROWS_SHOWN)
    wanted = view.state.get("rule")
    shown = next((rule for rule in rules if rule["standard_id"] == wanted), rules[0] if rules else None)
    code = shown["standard_id"] if shown else ""
    return _Asked(
        series=series,
        rules=rules,
        tiers=tiers,
        near=near,
        shown=shown,
        points=queries.tier_points(w, scope, prefix, month, code, POINTS_SHOWN) if shown else [],
        points_count=queries.count_funding_rows(w, scope, prefix, month, rule=code) if shown else 0,
        paid=compared(view, PAID, UNITS_SHOWN),
        townships=_townships(view, ROWS_SHOWN),
    )


def _rules(view: View) -> tuple[list[Row], dict[str, list[Row]]]:
    """Funding rules, those first that bind somebody in the unit shown, then those that apply there; the tiers of each."""
    w, scope, prefix = view.warehouse, view.scope, view.state.prefix
    # Where two issuers' rules apply, the higher binds: of the other there would be nobody to show.
    binding = {row["standard_id"] for row in queries.standards_of(w, scope, prefix, view.month)}

    def applies(rule: Row) -> bool:
        place = significant(rule["scope_code"])
        return place.startswith(prefix) or prefix.startswith(place)

    found = [row for row in queries.standards(w, scope) if row["formula"] in FORMULAS]
    found.sort(key=lambda row: (row["standard_id"] not in binding, not applies(row), row["standard_id"]))
    return found, {row["standard_id"]: queries.tiers(w, scope, row["standard_id"]) for row in found}


def _near(view: View, tiers: dict[str, list[Row]], limit: int | None) -> tuple[list[Row], int]:
    bounds = [(code, bound) for code, own in tiers.items() for bound in _bounds(own)]
    return queries.near_edges(
        view.warehouse, view.scope, view.state.prefix, view.month, bounds, NEAR_SHARE, limit, view.ask
    )


def _townships(view: View, limit: int | None) -> tuple[list[Row], int]:
    state = view.state
    return queries.funding_rows(
        view.warehouse,
        view.scope,
        state.prefix,
        view.month,
        status=state.get("status"),
        tier=state.get("tier"),
        limit=limit,
        ask=view.ask,
    )


def render(view: View) -> list[Any]:
    """The page: it asks for all that it shows, then draws."""
    state, month = view.state, view.month
    of = (
        *CARDS,
        *("guaranteed_of_judged_cny", "allocated_of_judged_cny", "adequacy_of_judged_pct"),
        *("calendar_of_complete_pct", "partly_paid_count", "disbursed_of_partly_cny"),
        *("covered_count", "not_reported_count", "no_standard_count"),
    )
    series = view.roll_ups(of, view.last_months(MONTHS_SHOWN))
    asked = _ask(view, series) if month in series else None
    statuses = [(code, show.STATUS[code].label) for code in ("short", "met", "not_reported", "no_standard")]
    head = page_head(
        view,
        f"{view.unit_name if state.unit else ''}经费保障 · {show.month(month)}",
        filters=[
            select("status", "状态", statuses, state.get("status"), placeholder="全部", clearable=True),
        ],
    )
    if asked is None:
        return [head, nothing_here(view)]
    return [
        head,
        _figures(view, asked.series),
        columns(_over_time(view, asked.series), _pace(view, asked.series)),
        comparison(view, asked.paid, wide=True),
        _tiers(view, asked),
        table_card(
            view,
            _townships_table(view, *asked.townships),
            note="缺口最大的在前；点击名称查看该乡镇每个数字的由来",
        ),
    ]


def _figures(view: View, series: dict[Any, Row]) -> Any:
    now = series[view.month]
    calendar = METRICS["calendar_of_complete_pct"]
    counts = {
        key: METRICS[key].text(now) for key in ("covered_count", "not_reported_count", "no_standard_count")
    }
    special: dict[str, dict[str, Any]] = {
        "progress_of_complete_pct": {
            # Of townships that are not known there is no calendar either.
            "change": f"{calendar.title} {calendar.text(now, named=True)}"
            if calendar.of(now).is_known
            else ""
        },
        "short_count": {
            "unit": f"/ {counts['covered_count']} 个",
            "change": f"未报 {counts['not_reported_count']} 个 · 无标准 {counts['no_standard_count']} 个",
            "href": view.state.href(status="short"),
        },
    }
    return html.Div(
        [
            metric_card(view, METRICS[key], series, icon_name, **special.get(key, {}))
            for key, icon_name in CARDS.items()
        ],
        className="kpis",
    )


def _line(
    series: dict[Any, Row], months: list[Any], key: str, colour: str, dash: str = "solid", **changes: Any
) -> figures.Line:
    metric = METRICS[key]
    values = [metric.of(series.get(month)) for month in months]
    among = [metric.count_text(series.get(month)) for month in months]
    return figures.Line(metric.title, values, colour, dash, of_year=metric.is_of_year, among=among, **changes)


def _is_empty(drawn: list[figures.Line]) -> bool:
    return all(value.value is None for line in drawn for value in line.values)


def _is_covered(series: dict[Any, Row], months: list[Any]) -> bool:
    return any(series[month]["covered_count"] for month in months if month in series)


def _over_time(view: View, series: dict[Any, Row]) -> Any:
    months = view.last_months(MONTHS_SHOWN)
    colours = palette(view.theme)
    drawn = [
        _line(series, months, "guaranteed_of_judged_cny", colours.guaranteed, "dash"),
        _line(series, months, "allocated_of_judged_cny", colours.allocated),
        _line(series, months, "allocation_shortfall_of_judged_cny", colours.shortfall, apart=True),
    ]
    rate = METRICS["adequacy_of_judged_pct"]
    title = "应保障与已安排的变化"
    if _is_empty(drawn):
        return card(title, nothing_to_compare(_is_covered(series, months)))
    return card(
        title,
        chart(
            "over_time",
            figures.lines(
                months,
                drawn,
                view.theme,
                money=view.state.money,
                links=[view.state.href(month=month) for month in months],
            ),
            340,
            f"近 {len(months)} 个月应保障、已安排与缺口；本月{rate.title} {rate.text(series[view.month], named=True)}",
        ),
        note="只算两者都已知的乡镇，下方是缺口；标准按财政年度换人口基数，所以每年一月有台阶。点击转到该月",
    )


def _pace(view: View, series: dict[Any, Row]) -> Any:
    year, now = view.month.year, series[view.month]
    months = [month for month in view.warehouse.months if month.year == year and month <= view.month]
    colours = palette(view.theme)
    drawn = [
        _line(series, months, "guaranteed_ytd_of_complete_cny", colours.guaranteed, "dash"),
        _line(series, months, "disbursed_of_complete_cny", colours.disbursed),
        _line(series, months, "spent_of_spending_cny", colours.spent, "dot"),
    ]
    told = "，".join(
        f"{METRICS[key].title} {METRICS[key].text(now, named=True)}"
        for key in ("progress_of_complete_pct", "calendar_of_complete_pct", "disbursed_of_complete_pct")
    )
    partly = METRICS["partly_paid_count"]
    others = (
        f"；另有 {partly.text(now)} 个乡镇只知一部分，已知 "
        f"{METRICS['disbursed_of_partly_cny'].text(now, view.state.money, named=True)}，不计在内"
        if now["partly_paid_count"]
        else ""
    )
    title = f"{year}年拨付进度"
    if _is_empty(drawn):
        return card(title, nothing_to_compare(_is_covered(series, months)))
    return card(
        title,
        chart(
            "pace",
            figures.lines(
                months,
                drawn,
                view.theme,
                money=view.state.money,
                links=[view.state.href(month=m) for m in months],
            ),
            340,
            f"{year}年累计拨付与时序进度；{told}",
        ),
        note=f"虚线为时序进度应到的数，各月只算报到当月的乡镇，其数见指到的文字；截至{show.month(view.month)}，{told}{others}",
    )


def steps_of(rule: Row, tiers: list[Row]) -> list[tuple[int, int | None, Decimal, Decimal, str]]:
    """The guarantee along the population axis: from, to, amount at both ends, label."""
    steps = []
    for tier in tiers:
        low = int(tier["lower_bound"] or 0)
        high = tier["upper_bound"]
        first = _amount(rule, tiers, tier, low)
        last = _amount(rule, tiers, tier, high if high is not None else low + 1)
        steps.append((low, high, first, last, str(tier["tier_label"])))
    return steps


def _amount(rule: Row, tiers: list[Row], tier: Row, population: int) -> Decimal:
    """What a population is guaranteed in a tier, for a year."""
    months = 12 if str(tier["unit"]).endswith("月") else 1
    if rule["formula"] == "per_capita_by_tier":
        return Decimal(tier["value"] * population * months)
    if rule["formula"] == "per_capita_marginal":
        lower = [part for part in tiers if part["tier_no"] < tier["tier_no"]]
        below = sum(part["value"] * (part["upper_bound"] - (part["lower_bound"] or 0)) for part in lower)
        return Decimal((below + tier["value"] * (population - (tier["lower_bound"] or 0))) * months)
    return Decimal(tier["value"] * months)


def _bounds(tiers: list[Row]) -> list[int]:
    return sorted({int(tier["upper_bound"]) for tier in tiers if tier["upper_bound"] is not None})


def near_table(view: View, limit: int | None = None) -> Table:
    """Townships close to a tier's edge of the standard that binds them, and what they would be guaranteed beyond."""
    rules, tiers = _rules(view)
    return _near_table(view, rules, tiers, *_near(view, tiers, limit))


def _near_table(
    view: View, rules: list[Row], tiers: dict[str, list[Row]], found: list[Row], total: int
) -> Table:
    by_id = {rule["standard_id"]: rule for rule in rules}
    rows: list[Row] = []
    for row in found:
        code = row["standard_id"]
        other = _on_other_side(by_id[code], tiers[code], row, row["bound"])
        now = row["guaranteed_annual_cny"]
        rows.append({**row, "beyond_cny": other, "change_cny": other - now if now is not None else None})
    w = view.warehouse
    return Table(
        name="near",
        title="临近分档线的乡镇",
        columns=[
            Column("township_name", "乡镇", "link", width=120),
            Column("county_name", "县（区）"),
            public(w, "funding_gap_monthly.standard_id"),
            Column("population_persons", "人口", "number", "人"),
            Column("bound", "分档线", "number", "人"),
            Column("distance_count", "距线", "number", "人", "正数为高于分档线", is_decisive=True),
            public(
                w,
                "funding_gap_monthly.guaranteed_annual_cny",
                title=METRICS["guaranteed_of_judged_cny"].title,
            ),
            Column(
                "beyond_cny",
                "过线后应保障",
                "number",
                "元",
                "人口刚好落在分档线另一侧时的应保障数",
                in_sql=False,
            ),
            Column("change_cny", "相差", "number", "元", in_sql=False, is_decisive=True),
            Column(
                "is_on_tier_edge",
                "正在线上",
                width=150,
                text=lambda row, _: "是，两档均可解释" if row["is_on_tier_edge"] else "否",
            ),
        ],
        rows=rows,
        total=total,
        key=lambda row: f"{row['township_code']}/{row['bound']}",
        href=lambda row: view.state.href("/township", unit=row["township_code"]),
        empty="没有人口在分档线上下 2% 以内的乡镇。",
    )


def _on_other_side(rule: Row, tiers: list[Row], row: Row, bound: int) -> Decimal:
    """What the township would be guaranteed had it one person more, or less, than the bound."""
    goes_up = row["population_persons"] < bound or (
        row["population_persons"] == bound and row["tier_label"] == _tier_at(tiers, bound - 1)["tier_label"]
    )
    population = bound + 1 if goes_up else bound - 1
    return show.rounded(_amount(rule, tiers, _tier_at(tiers, population), population), 2)


def _tier_at(tiers: list[Row], population: int) -> Row:
    for tier in tiers:
        high = tier["upper_bound"]
        if population >= (tier["lower_bound"] or 0) and (high is None or population < high):
            return tier
    return tiers[-1]


def _tiers(view: View, asked: _Asked) -> Any:
    rule = asked.shown
    if rule is None:
        return card("分档标准", empty("还没有经费分档标准。可在数据目录的 standards/ 里添加。"))
    state, code = view.state, rule["standard_id"]
    near = _near_table(view, asked.rules, asked.tiers, *asked.near)
    of_rule = [row for row in near.rows if row["standard_id"] == code]
    near_codes = {row["township_code"] for row in of_rule}
    rows = list({row["township_code"]: row for row in of_rule}.values())
    rows += [row for row in asked.points if row["township_code"] not in near_codes]
    number = asked.points_count
    note = (
        f"{code} {rule['title_zh']}（{rule['clause']}）。"
        "台阶处人口多一人，应保障数就跳变；菱形为距分档线 2% 以内的乡镇"
    )
    if number > len(rows):
        note += f"；共 {show.count(number)} 个乡镇，图上为最近分档线的和缺口最大的 {show.count(len(rows))} 个"
    without = sum(row["population_persons"] is None or row["allocated_annual_cny"] is None for row in rows)
    note += f"；{show.count(without)} 个乡镇没有报人口或安排数，不在图上" if without else ""
    choice = select(
        "rule",
        "分档标准",
        [(row["standard_id"], f"{row['standard_id']} {row['title_zh']}") for row in asked.rules],
        rule["standard_id"],
        allowDeselect=False,
        is_long=True,
    )
    points = [{**row, "href": state.href("/township", unit=row["township_code"])} for row in rows]
    if rows:
        body: Any = chart(
            "tiers",
            figures.tier_steps(
                points,
                steps_of(rule, asked.tiers[code]),
                near_codes,
                state.money,
                view.theme,
            ),
            400,
            f"{rule['title_zh']}的分档台阶与 {number} 个乡镇的安排数，{len(of_rule)} 处临近分档线",
        )
    else:
        body = empty(
            f"{view.unit_name}{show.month(view.month)}没有以{rule['standard_id']}为准的乡镇：不适用，或另有更高的标准。"
            "可换一项标准，或换一个地区。"
        )
    first = card("分档标准与悬崖", body, note=note, actions=choice)
    if not near.rows:
        return first
    return html.Div(
        [
            first,
            table_card(
                view,
                near,
                note="所有经费标准下，人口差几个人、保障数就不同的乡镇，按距离从近到远",
                page_size=10,
            ),
        ],
        className="stack",
    )


def townships_table(view: View, limit: int | None = None) -> Table:
    """Every township of the month with all its amounts."""
    return _townships_table(view, *_townships(view, limit))


def _townships_table(view: View, rows: list[Row], total: int) -> Table:
    w, state = view.warehouse, view.state

    def of(name: str, **changes: Any) -> Column:
        return public(w, f"funding_gap_monthly.{name}", **changes)

    return Table(
        name="townships",
        title="乡镇经费明细",
        is_summed=True,
        columns=[
            of("township_name", kind="link", width=130),
            of("status", width=108, is_decisive=True),
            of("guaranteed_annual_cny"),
            of("allocated_annual_cny"),
            of("allocation_shortfall_cny", is_decisive=True),
            of("adequacy_pct"),
            of("disbursed_ytd_cny"),
            # By the name that cards and charts of the same page have for it.
            of(
                "disbursement_shortfall_ytd_cny",
                title=METRICS["disbursement_shortfall_of_compared_cny"].title,
                is_decisive=True,
            ),
            public(w, "detail.township_monthly.disbursed_pct", table="funding_gap_monthly"),
            public(
                w, "detail.payment_pace.pace", looks=show.PACE, kind="status", absent=show.NONE, width=108
            ),
            of("county_name", width=120, is_hidden=len(state.prefix) >= 6),
            of("population_persons"),
            of("standard_id", width=96),
            of("tier_label"),
            of("guaranteed_ytd_cny", is_hidden=True),
            public(w, "detail.payment_pace.progress_pct", table="funding_gap_monthly", is_hidden=True),
            public(w, "detail.payment_pace.calendar_pct", table="funding_gap_monthly", is_hidden=True),
            of("spent_ytd_cny"),
            of("population_month", is_hidden=True),
            of("population_is_fallback", is_hidden=True),
            of("is_on_tier_edge", is_hidden=True),
            of("township_code", is_hidden=True),
        ],
        rows=rows,
        key=lambda row: str(row["township_code"]),
        href=lambda row: state.href("/township", unit=row["township_code"]),
        total=total,
    )


PAGE = Page("/funding", "经费保障", "money", 20, render, {"townships": townships_table, "near": near_table})
