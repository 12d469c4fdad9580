"""Units beside one another: those below the one shown, with what each should have, has and lacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from oversight import presentation as show
from oversight.dashboard import figures, queries
from oversight.dashboard.components import card, chart, empty, rows_height
from oversight.dashboard.view import View
from oversight.dashboard.warehouse import Row
from oversight.metrics import METRICS, STATE_COUNTS, unit_status

FEWEST_UNITS = 6
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


@dataclass(frozen=True)
class Comparison:
    """What is compared: its title, the name of its chart, what is due, had and lacking by metric, and their words."""

    title: str
    name: str
    metrics: tuple[str, str, str]
    have: str
    gap: str


ALLOCATED = Comparison(
    "全年应保障与已安排",
    "dumbbell",
    ("guaranteed_of_judged_cny", "allocated_of_judged_cny", "allocation_shortfall_of_judged_cny"),
    have="已安排",
    gap="缺口",
)
PAID = Comparison(
    "截至当月应保障与已拨付",
    "units",
    (
        "guaranteed_ytd_of_complete_cny",
        "disbursed_of_complete_cny",
        "disbursement_shortfall_of_compared_cny",
    ),
    have="已拨付",
    gap="差额",
)


@dataclass(frozen=True)
class Compared:
    """The units of which everything compared is known, those that lack most first: `shown` and how many there are; and
    all units."""

    kind: Comparison
    shown: list[Row]
    count: int
    units: list[Row]


def chart_digits(view: View) -> int:
    """The level worth drawing: the next one below that has units enough to compare."""
    digits = queries.BELOW.get(len(view.state.prefix), 9)
    while digits < 9:
        rows = _roll_ups(view, digits)
        if len([row for row in rows if row["covered_count"]]) >= FEWEST_UNITS:
            break
        digits = queries.BELOW[digits]
    return digits


def _roll_ups(view: View, digits: int) -> list[Row]:
    """What is told of the units of so many digits in the month shown."""
    of = (*OF_UNITS, *STATE_COUNTS, "units_count", "covered_count", "missing_count")
    return queries.units(view.warehouse, view.scope, view.state.prefix, digits, [view.month], of)


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
            for row in _roll_ups(view, digits)
        ]
    return sorted(
        rows, key=lambda row: (-(row["allocation_shortfall_of_judged_cny"].value or 0), row["code"])
    )


def unknown_text(rows: Sequence[Row], *names: str) -> str:
    """How many covered units a chart leaves out, because one of the figures it compares is not known of them."""
    left = [row for row in rows if row["is_covered"] and any(not row[name].is_known for name in names)]
    return f"；{len(left)} 个单位未报或无法判定，不在图上" if left else ""


def compared(view: View, kind: Comparison, limit: int) -> Compared:
    """The units worth drawing, at most so many."""
    names = kind.metrics
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
    return Compared(kind, rows[:limit], len(rows), found)


def comparison(view: View, told: Compared, *, wide: bool = False) -> Any:
    """Their chart."""
    kind, shown = told.kind, told.shown
    if not shown:
        return card(kind.title, nothing_to_compare(any(row["is_covered"] for row in told.units)))
    note = f"按{kind.gap}从大到小；空心为应保障，实心为{kind.have}，三角表示有{kind.gap}。点击下钻"
    if told.count > len(shown):
        note += f"；共 {told.count} 个单位，此处为{kind.gap}最大的 {len(shown)} 个"
    note += unknown_text(told.units, *kind.metrics)
    worst = show.money(shown[0]["shortfall"], view.state.money, named=True)
    drawn = figures.dumbbell(shown, view.state.money, view.theme, have=kind.have, gap=kind.gap)
    height = rows_height(len(shown), row=28, least=240)
    said = f"{len(shown)} 个单位应保障与{kind.have}对比，{shown[0]['name']}{kind.gap}最大，为 {worst}"
    return card(kind.title, chart(kind.name, drawn, height, said), note=note, wide=wide)


def nothing_to_compare(is_covered: bool) -> Any:
    """Why nothing can be drawn: no standard applies, or nothing is known."""
    if is_covered:
        return empty("这里的乡镇有适用的经费标准，但人口或经费都还没有报，无法比较。")
    return empty("这里的乡镇没有适用的经费标准。可在“政策标准”查看各标准的适用范围。")
