"""经费保障: guaranteed against allocated, paid and spent; the tiers and their cliffs; pace of payment."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from oversight import presentation as show
from oversight.dashboard import figures, queries
from oversight.dashboard.access import significant
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
    select,
    sparkline,
    table_card,
    tone_colour,
)
from oversight.dashboard.elements import html
from oversight.dashboard.grids import Column, Table, public
from oversight.dashboard.pages import Page
from oversight.dashboard.pages.overview import NEW_YEAR, adequacy, by_month, chart_digits, unit_rows
from oversight.dashboard.theme import palette
from oversight.dashboard.warehouse import Row

FORMULAS = ("per_capita_by_tier", "per_capita_marginal", "flat_by_tier")
POINTS_SHOWN = 700
UNITS_SHOWN = 20
NEAR_SHARE = Decimal("0.02")


def rules(view: View) -> list[Row]:
    """Funding rules, those that hold somewhere in the unit shown first."""
    found = [row for row in queries.standards(view.warehouse, view.scope) if row["formula"] in FORMULAS]
    return sorted(found, key=lambda row: (not _applies(view, row), row["standard_id"]))


def _applies(view: View, rule: Row) -> bool:
    place, prefix = significant(rule["scope_code"]), view.state.prefix
    return place.startswith(prefix) or prefix.startswith(place)


def chosen_rule(view: View) -> Row | None:
    """The rule whose tiers are shown: the one asked for, else the first that applies here."""
    found = rules(view)
    wanted = view.state.get("rule")
    return next((row for row in found if row["standard_id"] == wanted), found[0] if found else None)


def render(view: View) -> list[Any]:
    """The page."""
    w, scope, state, month = view.warehouse, view.scope, view.state, view.month
    series = by_month(queries.funding(w, scope, state.prefix))
    statuses = [(code, show.STATUS[code].label) for code in ("short", "met", "not_reported", "no_standard")]
    head = page_head(
        view,
        f"{view.unit_name if state.unit else ''}经费保障 · {show.month(month)}",
        filters=[
            select("status", "状态", statuses, state.get("status"), placeholder="全部", clearable=True),
        ],
    )
    if month not in series:
        return [head, empty(f"{view.unit_name}在{show.month(month)}没有在册的乡镇。请换一个月份或地区。")]
    table = townships_table(view, ROWS_SHOWN)
    return [
        head,
        _figures(view, series),
        columns(_over_time(view, series), _pace(view, series)),
        _by_unit(view),
        _tiers(view),
        table_card(view, table, note="缺口最大的在前；点击名称查看该乡镇每个数字的由来"),
    ]


def _figures(view: View, series: dict[Any, Row]) -> Any:
    now, before = series[view.month], series.get(view.previous_month(), {})
    recent = view.last_months(12)
    unit = show.MONEY_UNITS[view.state.money]
    items = []
    for label, name, icon_name, hint in (
        ("截至本月应保障", "guaranteed_ytd_cny", "shield", "全年应保障 × 月份 ÷ 12"),
        ("本年已拨付", "disbursed_ytd_cny", "paid", "当年累计拨付合计"),
        ("本年已支出", "spent_ytd_cny", "money", "当年累计支出合计"),
        ("拨付差额", "disbursement_shortfall_ytd_cny", "warning", "截至本月应保障减已拨付，多拨的不抵"),
        ("安排缺口", "allocation_shortfall_cny", "warning", "全年应保障减已安排，多安排的不抵"),
    ):
        value, then = now[name], before.get(name) if view.comparable(name) else None
        is_gap = "shortfall" in name
        tone = "plain"
        if is_gap and value is not None and then is not None and value != then:
            tone = "bad" if value > then else "good"
        change = (
            f"较上月 {show.signed(show.money(value - then, view.state.money))}"
            if value is not None and then is not None
            else NEW_YEAR
            if before and not view.comparable(name)
            else "较上月 —"
        )
        items.append(
            kpi(
                label,
                show.money(value, view.state.money),
                unit,
                change,
                icon_name=icon_name,
                tone=tone,
                hint=hint,
                name=name,
                trend=sparkline(
                    [series[item][name] if item in series else None for item in recent],
                    tone_colour(tone, view.theme),
                    f"{label}近{len(recent)}个月走势",
                ),
            )
        )
    items.append(
        kpi(
            "不达标乡镇",
            show.count(now["short_count"]),
            f"/ {show.count(now['covered_count'])} 个",
            f"未报 {show.count(now['not_reported_count'])} 个 · 无标准 {show.count(now['no_standard_count'])} 个",
            icon_name="profile",
            tone="plain",
            href=view.state.href(status="short"),
            name="short_count",
            hint="年度安排数低于应保障数的乡镇，占有经费标准的乡镇",
        )
    )
    return html.Div(items, className="kpis")


def _over_time(view: View, series: dict[Any, Row]) -> Any:
    months = view.last_months(36)
    colours = palette(view.theme)
    lines = [
        (name, [series[month][column] if month in series else None for month in months], colour, dash)
        for name, column, colour, dash in (
            ("全年应保障", "guaranteed_annual_cny", colours.guaranteed, "dash"),
            ("全年已安排", "allocated_annual_cny", colours.allocated, "solid"),
            ("安排缺口", "allocation_shortfall_cny", colours.shortfall, "dot"),
        )
    ]
    links = [view.state.href(month=month) for month in months]
    rate = adequacy(series[view.month])
    return card(
        "应保障与已安排的变化",
        chart(
            "over_time",
            figures.lines(months, lines, view.theme, money=view.state.money, links=links),
            300,
            f"近 {len(months)} 个月应保障、已安排与缺口；本月保障率 {show.percent(rate)}",
        ),
        note="标准按财政年度换人口基数，所以每年一月有台阶；点击转到该月",
    )


def _pace(view: View, series: dict[Any, Row]) -> Any:
    year = view.month.year
    months = [month for month in view.warehouse.months if month.year == year and month <= view.month]
    colours = palette(view.theme)
    lines = [
        (name, [series[month][column] if month in series else None for month in months], colour, dash)
        for name, column, colour, dash in (
            ("按月序时应保障", "guaranteed_ytd_cny", colours.guaranteed, "dash"),
            ("累计拨付", "disbursed_ytd_cny", colours.disbursed, "solid"),
            ("累计支出", "spent_ytd_cny", colours.spent, "dot"),
        )
    ]
    now = series[view.month]
    share = show.ratio_pct(now["disbursed_ytd_cny"], now["guaranteed_ytd_cny"])
    return card(
        f"{year}年拨付进度",
        chart(
            "pace",
            figures.lines(
                months,
                lines,
                view.theme,
                money=view.state.money,
                links=[view.state.href(month=m) for m in months],
            ),
            300,
            f"{year}年累计拨付与时间进度，本月拨付为应保障的 {show.percent(share)}",
        ),
        note=f"虚线为时间进度应到的数；截至{show.month(view.month)}，拨付为应保障的 {show.percent(share)}",
    )


def _by_unit(view: View) -> Any:
    rows = [
        {
            "name": row["name"],
            "href": view.unit_href(row["code"]),
            "guaranteed": row["guaranteed_ytd_cny"],
            "allocated": row["disbursed_ytd_cny"],
            "shortfall": row["disbursement_shortfall_ytd_cny"],
        }
        for row in unit_rows(view, chart_digits(view))
        if row["covered_count"]
    ]
    rows.sort(key=lambda row: -(row["shortfall"] or 0))
    shown = rows[:UNITS_SHOWN]
    if not shown:
        return card(
            "各单位：应保障与已拨付",
            empty("这里的乡镇没有适用的经费标准，或人口、拨付都未报。可在“政策标准”查看各标准的适用范围。"),
        )
    note = f"截至{show.month(view.month)}；按拨付差额从大到小，点击下钻"
    if len(rows) > len(shown):
        note += f"；共 {len(rows)} 个单位，此处为差额最大的 {len(shown)} 个"
    return card(
        "各单位：应保障与已拨付",
        chart(
            "units",
            figures.dumbbell(shown, view.state.money, view.theme, have="已拨付", gap="差额"),
            rows_height(len(shown), row=26, least=220),
            f"{len(shown)} 个单位截至本月应保障与已拨付对比，{shown[0]['name']}差额最大",
        ),
        note=note,
        wide=True,
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
    """Townships close to a tier's edge, and what they would be guaranteed on its other side."""
    rule = chosen_rule(view)
    rows: list[Row] = []
    total = 0
    if rule is not None:
        w = view.warehouse
        tiers = queries.tiers(w, view.scope, rule["standard_id"])
        found, total = queries.near_edges(
            w,
            view.scope,
            view.state.prefix,
            view.month,
            rule["standard_id"],
            _bounds(tiers),
            NEAR_SHARE,
            limit,
            view.ask,
        )
        for row in found:
            other = _on_other_side(rule, tiers, row, row["bound"])
            now = row["guaranteed_annual_cny"]
            rows.append({**row, "beyond_cny": other, "change_cny": other - now if now is not None else None})
    w = view.warehouse
    return Table(
        name="near",
        title="临近分档线的乡镇",
        columns=[
            Column("township_name", "乡镇", "link", width=120),
            Column("county_name", "县（区）"),
            Column("population_persons", "人口", "number", "人"),
            Column("bound", "分档线", "number", "人"),
            Column("distance_count", "距线", "number", "人", "正数为高于分档线"),
            public(w, "funding_gap_monthly.guaranteed_annual_cny"),
            Column(
                "beyond_cny",
                "过线后应保障",
                "number",
                "元",
                "人口刚好落在分档线另一侧时的应保障数",
                in_sql=False,
            ),
            Column("change_cny", "相差", "number", "元", in_sql=False),
            Column(
                "is_on_tier_edge",
                "正在线上",
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


def _tiers(view: View) -> Any:
    rule = chosen_rule(view)
    if rule is None:
        return card("分档标准", empty("还没有经费分档标准。可在数据目录的 standards/ 里添加。"))
    w, scope, state = view.warehouse, view.scope, view.state
    tiers = queries.tiers(w, scope, rule["standard_id"])
    prefix, code = state.prefix, rule["standard_id"]
    number = queries.count_funding_rows(w, scope, prefix, view.month, rule=code)
    near = near_table(view, ROWS_SHOWN)
    near_codes = {row["township_code"] for row in near.rows}
    rows = list({row["township_code"]: row for row in near.rows}.values())
    rows += [
        row
        for row in queries.tier_points(w, scope, prefix, view.month, code, POINTS_SHOWN)
        if row["township_code"] not in near_codes
    ]
    note = (
        f"{code} {rule['title_zh']}（{rule['clause']}）。"
        "台阶处人口多一人，应保障数就跳变；菱形为距分档线 2% 以内的乡镇"
    )
    if number > len(rows):
        note += f"；共 {show.count(number)} 个乡镇，图上为最近分档线的和缺口最大的 {show.count(len(rows))} 个"
    choice = select(
        "rule",
        "分档标准",
        [(row["standard_id"], f"{row['standard_id']} {row['title_zh']}") for row in rules(view)],
        rule["standard_id"],
        allowDeselect=False,
    )
    points = [{**row, "href": state.href("/township", unit=row["township_code"])} for row in rows]
    if rows:
        body: Any = chart(
            "tiers",
            figures.tier_steps(
                points,
                steps_of(rule, tiers),
                near_codes,
                state.money,
                view.theme,
            ),
            400,
            f"{rule['title_zh']}的分档台阶与 {number} 个乡镇的安排数，{len(near.rows)} 处临近分档线",
        )
    else:
        body = empty(f"{view.unit_name}没有适用{rule['standard_id']}的乡镇。可换一项标准，或换一个地区。")
    first = card("分档标准与悬崖", body, note=note, actions=choice)
    if not near.rows:
        return first
    return html.Div(
        [
            first,
            table_card(view, near, note="人口差几个人，保障数就不同的乡镇，按距离从近到远", page_size=10),
        ],
        className="stack",
    )


def townships_table(view: View, limit: int | None = None) -> Table:
    """Every township of the month with all its amounts."""
    w, scope, state = view.warehouse, view.scope, view.state
    status, tier = state.get("status"), state.get("tier")
    rows, total = queries.funding_rows(
        w, scope, state.prefix, view.month, status=status, tier=tier, limit=limit, ask=view.ask
    )

    def of(name: str, **changes: Any) -> Column:
        return public(w, f"funding_gap_monthly.{name}", **changes)

    return Table(
        name="townships",
        title="乡镇经费明细",
        columns=[
            of("township_name", kind="link", width=130),
            of("status", width=108),
            of("county_name", width=120),
            of("standard_id", absent=show.NONE, width=96),
            of("tier_label", absent=show.NONE),
            of("population_persons"),
            of("guaranteed_annual_cny", absent=show.NONE),
            of("allocated_annual_cny"),
            of("allocation_shortfall_cny", absent=show.NONE),
            of("adequacy_pct", absent=show.NONE),
            of("guaranteed_ytd_cny", absent=show.NONE, is_hidden=True),
            of("disbursed_ytd_cny"),
            of("disbursement_shortfall_ytd_cny", absent=show.NONE),
            Column("disbursed_pct", "拨付进度", "number", "%", "已拨付 ÷ 截至本月应保障", absent=show.NONE),
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
