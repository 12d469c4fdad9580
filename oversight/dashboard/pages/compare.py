"""对比: two to six units, two months or two editions side by side, with what differs and where it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from oversight import presentation as show
from oversight.dashboard import figures, queries
from oversight.dashboard.access import significant
from oversight.dashboard.comparing import OF_UNITS
from oversight.dashboard.components import card, chart, contents, empty, multi_select, select, table_card
from oversight.dashboard.elements import html
from oversight.dashboard.grids import Column, Table
from oversight.dashboard.heads import page_head
from oversight.dashboard.pages import Page
from oversight.dashboard.pages.editions import difference, other_edition
from oversight.dashboard.state import division
from oversight.dashboard.theme import palette
from oversight.dashboard.view import View, by_month
from oversight.dashboard.warehouse import Row, Warehouse
from oversight.editions import list_editions
from oversight.editions.compare import CAUSES, FINDING_CAUSES, Change, Difference
from oversight.metrics import METRICS, Metric, added
from oversight.presentation import Figure, MoneyUnit

MOST, FEWEST = 6, 2
MONTHS_DRAWN = 24
WAYS = {"units": "几个单位", "months": "两个月份", "editions": "两个数据版本"}

# What is compared, in order; of a single township those that it has a figure of its own of.
COMPARED = (
    "units_count",
    "judged_count",
    "short_count",
    *OF_UNITS,
    "missing_count",
    "complete_reports_pct",
)
_FINDINGS = {"open_count": "未了问题", "open_high_count": "其中严重", "opened_count": "当月新增"}
# Figures drawn over time, the first where none is chosen.
DRAWN = (
    "adequacy_of_judged_pct",
    "disbursed_of_complete_pct",
    "allocation_shortfall_of_judged_cny",
    "disbursement_shortfall_of_compared_cny",
    "staff_shortfall_of_judged_persons",
    "missing_count",
)
# The township's own column behind a figure: who makes it what it is.
_BEHIND = {
    "guaranteed_of_judged_cny": "guaranteed_annual_cny",
    "allocated_of_judged_cny": "allocated_annual_cny",
    "allocation_shortfall_of_judged_cny": "allocation_shortfall_cny",
    "adequacy_of_judged_pct": "allocation_shortfall_cny",
    "guaranteed_ytd_of_complete_cny": "guaranteed_ytd_cny",
    "disbursed_of_complete_cny": "disbursed_ytd_cny",
    "disbursement_shortfall_of_compared_cny": "disbursement_shortfall_ytd_cny",
    "disbursed_of_complete_pct": "disbursement_shortfall_ytd_cny",
    "spent_of_spending_cny": "spent_ytd_cny",
    "staff_shortfall_of_judged_persons": "staff_shortfall_persons",
}
# Of these the largest of a unit say why the unit is where it is.
_LARGEST = ("allocation_shortfall_cny", "disbursement_shortfall_ytd_cny", "staff_shortfall_persons")
# The measure of `editions.compare` that tells the causes of a figure's change.
_MEASURES = {
    "guaranteed_of_judged_cny": "guaranteed_annual_cny",
    "allocated_of_judged_cny": "allocated_annual_cny",
    "allocation_shortfall_of_judged_cny": "allocation_shortfall_cny",
    "disbursed_of_complete_cny": "disbursed_ytd_cny",
    "disbursement_shortfall_of_compared_cny": "disbursement_shortfall_ytd_cny",
}


@dataclass(frozen=True)
class Side:
    """One of the things compared: a unit in a month of an edition."""

    title: str
    warehouse: Warehouse
    unit: str
    month: date


@dataclass(frozen=True)
class Choice:
    """What the address asks to compare: the sides, the first of which is the measure; or why there are none."""

    way: str
    sides: tuple[Side, ...] = ()
    told: tuple[str, ...] = ()
    needs: str = ""


def _chosen(view: View) -> Choice:
    way = view.state.get("by", "units")
    if way == "months":
        return _two_months(view)
    if way == "editions":
        return _two_editions(view)
    return _units(view)


def _units(view: View) -> Choice:
    told, codes = [], []
    for text in dict.fromkeys(part.strip() for part in view.state.get("units").split(",") if part.strip()):
        code = division(text)
        if (
            len(code) not in (6, 9)
            or code == "000000"
            or queries.unit_name(view.warehouse, view.scope, code) is None
        ):
            told.append(f"没有区划代码为 {text[:20]} 的单位，或您无权查看")
        elif not view.scope.covers(code):
            told.append(f"{view.warehouse.names.get(code, code)}只有一部分在您的权限之内，没有合计可比")
        else:
            codes.append(code)
    if len(codes) > MOST:
        told.append(f"一次最多比 {MOST} 个单位，这里比前 {MOST} 个")
    names = {code: queries.unit_name(view.warehouse, view.scope, code) or code for code in codes[:MOST]}
    if len(names) < FEWEST:
        return Choice(
            "units", told=tuple(told), needs="请在上方“要比的单位”里选两到六个单位；各级单位都可以选。"
        )
    same = [name for name in names.values() if list(names.values()).count(name) > 1]
    sides = tuple(
        Side(f"{name}（{code}）" if name in same else name, view.warehouse, code, view.month)
        for code, name in names.items()
    )
    return Choice("units", sides, tuple(told))


def _month_of(view: View) -> date | None:
    wanted = view.state.get("with")
    return next((month for month in view.warehouse.months if show.month_code(month) == wanted), None)


def _two_months(view: View) -> Choice:
    if not view.scope.covers(queries.padded(view.state.prefix) or "000000"):
        return Choice(
            "months", needs=f"{view.unit_name}只有一部分在您的权限之内，没有合计可比。请选择下级单位。"
        )
    wanted, other = view.state.get("with"), _month_of(view)
    told = (f"没有“{wanted[:20]}”这个月份的数据",) if wanted and other is None else ()
    other = other or view.previous_month()
    if other is None or other == view.month:
        return Choice("months", told=told, needs="请在上方“与哪个月比”里选另一个月份。")
    months = sorted((other, view.month))
    sides = tuple(Side(show.month(month), view.warehouse, view.state.unit, month) for month in months)
    return Choice("months", sides, told)


def _two_editions(view: View) -> Choice:
    if not view.scope.covers(queries.padded(view.state.prefix) or "000000"):
        return Choice(
            "editions", needs=f"{view.unit_name}只有一部分在您的权限之内，没有合计可比。请选择下级单位。"
        )
    older = view.state.get("older")
    if not older or older == view.warehouse.edition_id:
        return Choice("editions", needs="请在上方“与哪一版比”里选另一个数据版本。")
    other = other_edition(view, older)
    if other is None:
        return Choice(
            "editions", needs=f"版本 {older} 已经清理，或由旧版程序生成，不能比较。请选另一个版本。"
        )
    if view.month not in other.months:
        return Choice("editions", needs=f"版本 {older} 没有{show.month(view.month)}的数据。请换一个月份。")
    pair = sorted((other, view.warehouse), key=lambda w: (str(w.built_at), w.edition_id))
    sides = tuple(
        Side(f"{word} {w.edition_id}", w, view.state.unit, view.month)
        for word, w in zip(("旧版", "新版"), pair, strict=True)
    )
    return Choice("editions", sides)


def render(view: View) -> list[Any]:
    """The page."""
    chosen = _chosen(view)
    head = page_head(
        view,
        f"对比 · {show.month(view.month)}",
        filters=_filters(view, chosen),
        has_units=chosen.way != "units",
    )
    told = [html.Div("；".join(chosen.told) + "。", className="notice", role="alert")] if chosen.told else []
    if not chosen.sides:
        return [head, *told, card(f"比较{WAYS[chosen.way]}", empty(chosen.needs))]
    return [
        head,
        *told,
        contents(("compared", "逐项对比"), ("multiples", "走势")),
        table_card(view, compared_table(view), note=_note(chosen), page_size=50),
        _multiples(view, chosen),
    ]


def _note(chosen: Choice) -> str:
    first = chosen.sides[0].title
    return f"差是各项减去{first}；“从何而来”写明差在哪里。整个对比写在网址里，复制链接即可发给同事"


def _filters(view: View, chosen: Choice) -> list[Any]:
    state, w = view.state, view.warehouse
    found = [select("by", "比什么", list(WAYS.items()), chosen.way, allowDeselect=False)]
    if chosen.way == "units":
        picked = [side.unit for side in chosen.sides] or [
            code for text in state.get("units").split(",") if len(code := division(text.strip())) in (6, 9)
        ]
        offered = _offered(view, picked)
        names = [(code, queries.unit_name(w, view.scope, code)) for code in picked]
        found.append(
            multi_select(
                "units",
                "要比的单位",
                offered,
                [(code, name) for code, name in names if name],
                most=MOST,
            )
        )
        metrics = [(key, METRICS[key].title) for key in DRAWN]
        found.append(select("metric", "走势画什么", metrics, _drawn(view), allowDeselect=False))
    elif chosen.way == "months":
        months = [(show.month_code(m), show.month(m)) for m in reversed(w.months) if m != view.month]
        other = next((side.month for side in chosen.sides if side.month != view.month), None)
        found.append(select("with", "与哪个月比", months, show.month_code(other) if other else ""))
    else:
        kept = [
            (edition.edition_id, edition.edition_id)
            for edition in list_editions(w.folder)
            if edition.edition_id != w.edition_id
        ]
        found.append(
            select("older", "与哪一版比", kept, state.get("older"), placeholder="选择版本", is_long=True)
        )
    return found


def _offered(view: View, picked: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    """Units to choose from: those of the whole, as far as a list goes, and the neighbours of those that are chosen."""
    found = dict(queries.all_below(view.warehouse, view.scope, ""))
    for code in dict.fromkeys([*picked, *([view.state.unit] if view.state.unit else [])]):
        own = significant(code)
        above = own[:6] if len(own) > 6 else own[:-2]
        for level, units in queries.all_below(view.warehouse, view.scope, queries.padded(above)).items():
            found[level] = sorted({*found.get(level, []), *units})
    return found


# --- figures


def _figures(view: View, side: Side) -> dict[str, Figure]:
    """Every figure compared, of one side; what it has none of is left out."""
    w, prefix = side.warehouse, significant(side.unit)
    if len(prefix) > 6:
        own = _months_of(view, side).get(side.month)
        if own is None:
            return {}
        return {key: METRICS[key].of_township(own) for key in COMPARED if METRICS[key].own}
    rows = queries.units(w, view.scope, prefix, 0, [side.month])
    if not rows:
        return {}
    counted = queries.unit_findings(w, view.scope, prefix, 0, [side.month])
    return {key: METRICS[key].of(rows[0]) for key in COMPARED} | {
        name: Figure(counted[0][name] if counted else 0) for name in _FINDINGS
    }


def _title(key: str) -> tuple[str, str]:
    """What a figure is called, and its unit."""
    return (_FINDINGS[key], "项") if key in _FINDINGS else (METRICS[key].title, METRICS[key].unit)


def _written(key: str, figure: Figure, money: MoneyUnit) -> str:
    if key in _FINDINGS:
        return show.count(figure.value)
    return METRICS[key].told_text(figure, money)


def _difference_text(key: str, value: Decimal | int | None, money: MoneyUnit) -> str:
    if value is None:
        return show.NONE
    if key not in _FINDINGS and METRICS[key].unit == "%":
        return show.signed(show.number(value, 2))
    return show.signed(_written(key, Figure(value), money))


def compared_table(view: View, limit: int | None = None) -> Table:
    """A row is a figure; a column one of the things compared, or by how much it differs from the first."""
    del limit
    chosen = _chosen(view)
    sides = [_figures(view, side) for side in chosen.sides]
    keys = [key for key in (*COMPARED, *_FINDINGS) if sides and all(key in side for side in sides)]
    rows: list[Row] = []
    for key in keys:
        title, unit = _title(key)
        own = [side[key] for side in sides]
        row: Row = {"key": key, "title": title, "unit": unit}
        for place, figure in enumerate(own):
            row[f"value_{place}"] = figure
            # Between what is known in part and anything else lies no difference that is known.
            both = all(one.is_known and one.state != "partial" for one in (own[0], figure))
            row[f"difference_{place}"] = (
                Decimal(figure.value or 0) - Decimal(own[0].value or 0) if both else None
            )
        rows.append(row)
    reasons = _reasons(view, chosen, rows)
    for row in rows:
        row["reason"] = reasons.get(row["key"], "")

    def value(place: int) -> Column:
        return Column(
            f"value_{place}",
            chosen.sides[place].title,
            "number",
            is_of_unit=True,
            is_decisive=True,
            text=lambda row, money: _written(row["key"], row[f"value_{place}"], money),
        )

    def apart(place: int) -> Column:
        name = "差" if len(sides) == FEWEST else f"{chosen.sides[place].title}差"
        return Column(
            f"difference_{place}",
            name,
            "number",
            is_of_unit=True,
            is_decisive=len(sides) == FEWEST,
            is_hidden=len(sides) > 3,
            text=lambda row, money: _difference_text(row["key"], row[f"difference_{place}"], money),
        )

    def counted_in(row: Row, money: MoneyUnit) -> str:
        return show.MONEY_UNITS[money] if row["unit"] == "元" else str(row["unit"])

    columns = [
        Column("title", "指标", width=140),
        Column("counted_in", "单位", width=76, text=counted_in, in_sql=False),
        *(value(place) for place in range(len(sides))),
        *(apart(place) for place in range(1, len(sides))),
        Column("reason", "从何而来", "long", in_sql=False),
    ]
    return Table(
        name="compared",
        title=f"逐项对比：{' / '.join(side.title for side in chosen.sides)}"
        if chosen.way != "months"
        else f"{view.unit_name}：{' / '.join(side.title for side in chosen.sides)}",
        columns=columns,
        rows=rows,
        key=lambda row: str(row["key"]),
        empty="所选的单位在这个月没有在册的乡镇。请换一个月份，或换几个单位。",
    )


# --- where a difference comes from


def _reasons(view: View, chosen: Choice, rows: Sequence[Row]) -> dict[str, str]:
    if len(chosen.sides) < FEWEST:
        return {}
    if chosen.way == "units":
        return _of_units(view, chosen, rows)
    if chosen.way == "months":
        return _of_months(view, chosen, rows)
    return _of_editions(view, chosen)


def _amount(view: View, column: str, value: Decimal | int) -> str:
    if column.endswith("_cny"):
        return show.money(value, view.state.money, named=True)
    return f"{show.count(value)} 人"


def _of_units(view: View, chosen: Choice, rows: Sequence[Row]) -> dict[str, str]:
    found: dict[str, str] = {}
    standards = [
        queries.standards_of(side.warehouse, view.scope, significant(side.unit), side.month)
        for side in chosen.sides
    ]
    told = "；".join(
        f"{side.title}："
        + ("、".join(f"{row['standard_id']} {row['n']} 个乡镇" for row in own) or "没有适用标准")
        for side, own in zip(chosen.sides, standards, strict=True)
    )
    found["guaranteed_of_judged_cny"] = told
    for key, column in _BEHIND.items():
        if column not in _LARGEST:
            continue
        parts = []
        figures_of = next((row for row in rows if row["key"] == key), {})
        for place, side in enumerate(chosen.sides):
            prefix = significant(side.unit)
            if len(prefix) > 6:
                continue
            largest = queries.largest(side.warehouse, view.scope, prefix, side.month, column, 2)
            names = "、".join(f"{row['name']} {_amount(view, column, row['value'])}" for row in largest)
            # Nobody lacks anything, or nobody is asked for anything: the figure itself says which.
            own = figures_of.get(f"value_{place}")
            parts.append(f"{side.title}：{names or ('没有' if own is None or own.is_known else own.word)}")
        if parts:
            found[key] = "缺得最多的，" + "；".join(parts)
    silent = []
    for side in chosen.sides:
        prefix = significant(side.unit)
        if len(prefix) <= 6:
            unheard, number = queries.silent(side.warehouse, view.scope, prefix, side.month, 3)
            if number:
                silent.append(
                    f"{side.title}：{'、'.join(unheard)}" + (f"等 {number} 个" if number > 3 else "")
                )
    if silent:
        found["missing_count"] = "没有报齐的，" + "；".join(silent)
    return found


def _of_months(view: View, chosen: Choice, rows: Sequence[Row]) -> dict[str, str]:
    first, second = chosen.sides
    prefix = significant(second.unit)
    found: dict[str, str] = {}
    new_year = first.month.year != second.month.year
    by_key = {row["key"]: row for row in rows}
    for key, column in _BEHIND.items():
        if key not in by_key:
            continue
        moved, number = queries.movers(
            second.warehouse, view.scope, prefix, first.month, second.month, column, 3
        )
        names = "、".join(
            f"{row['name']} {show.signed(_amount(view, column, row['change']))}" for row in moved
        )
        told = (
            (f"变动的 {number} 个乡镇，最大的：{names}" if number > 3 else f"变动的：{names}")
            if moved
            else ""
        )
        is_of_year = METRICS[key].is_of_year or column in ("disbursement_shortfall_ytd_cny",)
        parts = [
            told,
            "跨年，当年累计重新计算" if new_year and is_of_year else "",
            _range_text(view, first, second, METRICS[key]),
        ]
        found[key] = "；".join(part for part in parts if part)
    base = queries.changed_bases(second.warehouse, view.scope, prefix, first.month, second.month)
    said = [
        f"{word} {base[name]} 个乡镇"
        for name, word in (("standards", "适用标准变了的"), ("people", "定档人口变了的"))
        if base[name]
    ]
    if said:
        found["guaranteed_of_judged_cny"] = "；".join(
            [found.get("guaranteed_of_judged_cny", ""), *said]
        ).strip("；")
    return found


def _range_text(view: View, first: Side, second: Side, metric: Metric) -> str:
    """That a figure runs over other townships in one month than in the other."""
    if not metric.told or len(significant(first.unit)) > 6:
        return ""
    rows = [
        queries.units(side.warehouse, view.scope, significant(side.unit), 0, [side.month])
        for side in (first, second)
    ]
    if not all(rows) or rows[0][0][metric.told] == rows[1][0][metric.told]:
        return ""
    return f"算的乡镇由 {rows[0][0][metric.told]} 个变为 {rows[1][0][metric.told]} 个"


def _of_editions(view: View, chosen: Choice) -> dict[str, str]:
    older = view.state.get("older")
    told = difference(view, older)
    if not isinstance(told, Difference):
        return {}
    prefix, found = significant(chosen.sides[0].unit), {}
    for key, measure in _MEASURES.items():
        changes = [
            change
            for change in told.changes
            if change.measure == measure and change.township_code.startswith(prefix)
        ]
        sums = {cause: added(change.parts[cause] for change in changes) for cause in CAUSES}
        why = "，".join(
            f"{CAUSES[cause]} {show.signed(show.money(amount, view.state.money, named=True))}"
            for cause, amount in sums.items()
            if amount
        )
        names = "、".join(change.township_name for change in sorted(changes, key=_size, reverse=True)[:3])
        if changes:
            found[key] = (
                f"{why or '相互抵消'}（{names}{f'等 {len(changes)} 个乡镇' if len(changes) > 3 else ''}）"
            )
    for name, own in (("open_count", told.opened), ("opened_count", told.opened)):
        causes = [finding.cause for finding in own if finding.finding_id.split("/")[1].startswith(prefix)]
        if causes:
            found[name] = "新出现：" + "，".join(
                f"{FINDING_CAUSES[cause]} {causes.count(cause)} 个" for cause in dict.fromkeys(causes)
            )
    return found


def _size(change: Change) -> Decimal:
    return abs((change.after or Decimal(0)) - (change.before or Decimal(0)))


# --- over time


def _drawn(view: View) -> str:
    asked = view.state.get("metric")
    return asked if asked in DRAWN else DRAWN[0]


def _months_of(view: View, side: Side) -> dict[date, Row]:
    """A township's own figures by month, under whichever code it bore then."""
    w = side.warehouse
    return view.once(
        ("months", w.edition_id, side.unit),
        lambda: by_month(queries.unit_months(w, view.scope, significant(side.unit))),
    )


def _line(
    view: View, side: Side, metric: Metric, months: Sequence[date], colour: str, dash: str = "solid"
) -> figures.Line:
    prefix = significant(side.unit)
    among: list[str] = []
    if len(prefix) > 6:
        rows = _months_of(view, side) if metric.own else {}
        values = [metric.of_township(rows[month]) if month in rows else show.NO_ROW for month in months]
    else:
        rows = by_month(queries.units(side.warehouse, view.scope, prefix))
        values = [metric.of(rows.get(month)) for month in months]
        among = [metric.count_text(rows.get(month)) for month in months]
    return figures.Line(side.title, values, colour, dash, of_year=metric.is_of_year, among=among)


def _multiples(view: View, chosen: Choice) -> Any:
    colours = palette(view.theme)
    last = max(side.month for side in chosen.sides)
    months = [month for month in view.warehouse.months if month <= last][-MONTHS_DRAWN:]
    panels: list[tuple[str, Metric, list[figures.Line]]] = []
    if chosen.way == "units":
        metric = METRICS[_drawn(view)]
        for side in chosen.sides:
            drawn = [replace(_line(view, side, metric, months, colours.allocated), name=metric.title)]
            panels.append((side.title, metric, drawn))
        note = f"{metric.heading(view.state.money)}，各图同一纵轴；断线处没有数"
    else:
        sides = chosen.sides[-1:] if chosen.way == "months" else chosen.sides
        styles = (
            [("solid", colours.allocated)]
            if len(sides) == 1
            else [
                ("dot", colours.guaranteed),
                ("solid", colours.allocated),
            ]
        )
        for key in DRAWN:
            metric = METRICS[key]
            if len(significant(chosen.sides[0].unit)) > 6 and not metric.own:
                continue
            drawn = [
                _line(view, side, metric, months, colour, dash)
                for side, (dash, colour) in zip(sides, styles, strict=True)
            ]
            panels.append((metric.heading(view.state.money), metric, drawn))
        note = "竖线为所比的两个月" if chosen.way == "months" else "点线为旧版，实线为新版"
    marked = [side.month for side in chosen.sides] if chosen.way == "months" else []
    shared = (
        figures.common_range(
            [line for _, _, drawn in panels for line in drawn], _money_of(panels[0][1], view)
        )
        if chosen.way == "units"
        else None
    )
    charts = []
    for place, (title, metric, drawn) in enumerate(panels):
        words = {value.word for line in drawn for value in line.values}
        if all(value.value is None for line in drawn for value in line.values):
            told = "、".join(sorted(words)) or show.NONE
            charts.append(html.Div([html.H3(title), empty(f"没有可画的数：{told}")], className="multiple"))
            continue
        own = figures.panel(
            months,
            drawn,
            view.theme,
            money=_money_of(metric, view),
            unit=metric.unit,
            span=shared,
            marked=marked,
            links=[view.state.href(month=month) for month in months],
        )
        charts.append(
            html.Div(
                [
                    html.H3(title),
                    chart(f"multiple-{place}", own, 170, f"{title}：{metric.title}近 {len(months)} 个月"),
                ],
                className="multiple",
            )
        )
    return card("走势", html.Div(charts, className="multiples"), note=note, wide=True, name="multiples")


def _money_of(metric: Metric, view: View) -> MoneyUnit | None:
    return view.state.money if metric.unit == "元" else None


PAGE = Page("/compare", "对比", "columns", 45, render, {"compared": compared_table}, is_of_edition=False)
