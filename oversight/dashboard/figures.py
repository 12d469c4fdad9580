"""Charts as plain dictionaries: building plotly's own objects takes longer than the queries do.

Every point that can be clicked carries in `customdata` the address the click leads to. A number stands in a
chart only as a position; its text comes from `presentation`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from oversight import presentation as show
from oversight.dashboard.theme import axis, layout, palette
from oversight.dashboard.warehouse import Row
from oversight.presentation import MONEY_UNITS, MoneyUnit, Theme

Figure = dict[str, Any]

LOCALE = {
    "zh-CN": {
        "dictionary": {
            "Download plot as a PNG": "保存为图片",
            "Download plot as a png": "保存为图片",
            "Download plot": "保存为图片",
            "Reset axes": "复位",
            "Autoscale": "自动缩放",
            "Zoom": "缩放",
            "Pan": "平移",
            "Taking snapshot - this may take a few seconds": "正在生成图片，请稍候",
            "Snapshot succeeded": "图片已保存",
            "Sorry, there was a problem downloading your snapshot!": "图片保存失败，请重试",
        },
        "format": {
            "days": ["星期日", "星期一", "星期二", "星期三", "星期四", "星期五", "星期六"],
            "shortDays": ["日", "一", "二", "三", "四", "五", "六"],
            "months": [f"{n}月" for n in range(1, 13)],
            "shortMonths": [f"{n}月" for n in range(1, 13)],
            "date": "%Y-%m-%d",
        },
    }
}
CONFIG: dict[str, Any] = {
    "displaylogo": False,
    "locale": "zh-CN",
    "locales": LOCALE,
    "modeBarButtons": [["toImage"]],
    "showTips": False,
    "doubleClick": False,
    "toImageButtonOptions": {"scale": 2},
}


@dataclass(frozen=True)
class Cell:
    """One field of a heat map: the figure with what is known of it, what is read over it, where a click leads."""

    figure: show.Figure
    hover: str
    link: str


# How a field without a number is drawn, and which states are drawn so.
_BLANK: dict[str, tuple[show.State, ...]] = {
    "empty": ("not_reported", "unsure"),
    "nothing": ("no_standard", "not_applicable", "none"),
}


def position(value: Decimal | int | None, money: MoneyUnit | None = None) -> float | None:
    """Where a value lies on an axis. Only a position: what is read is text from `presentation`."""
    if value is None:
        return None
    return float(show.money_value(value, money)) if money else float(value)


def _shortened(name: str, length: int = 9) -> str:
    return name if len(name) <= length else name[: length - 1] + "…"


def dumbbell(
    rows: Sequence[Row], money: MoneyUnit, theme: Theme, *, have: str = "已安排", gap: str = "缺口"
) -> Figure:
    """Guaranteed (open circle) and allocated or paid (dot) of each unit; the bar between them is the gap.

    Rows have name, href, guaranteed, allocated, shortfall.
    """
    colours = palette(theme)
    shown = [row for row in rows if row["guaranteed"] is not None or row["allocated"] is not None]
    names = _distinct([_shortened(row["name"]) for row in shown])
    short = [bool(row["shortfall"]) for row in shown]
    between = []
    for is_short, colour in ((True, colours.shortfall_soft), (False, colours.empty)):
        xs: list[float | None] = []
        ys: list[str | None] = []
        for name, row, own in zip(names, shown, short, strict=True):
            if own is is_short and row["guaranteed"] is not None and row["allocated"] is not None:
                xs += [position(row["allocated"], money), position(row["guaranteed"], money), None]
                ys += [name, name, None]
        between.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": xs,
                "y": ys,
                "line": {"width": 5, "color": colour},
                "hoverinfo": "skip",
                "showlegend": False,
            }
        )
    hover = [
        f"{row['name']}<br>应保障 {show.money(row['guaranteed'], money, named=True)}"
        f"<br>{have} {show.money(row['allocated'], money, named=True)}"
        f"<br>{gap} {show.money(row['shortfall'], money, named=True)}"
        for row in shown
    ]
    links = [row["href"] for row in shown]
    allocated = []
    for is_short, label, colour, symbol in (
        (False, f"{have}，足额", colours.good, "circle"),
        (True, f"{have}，有{gap}", colours.shortfall, "triangle-up"),
    ):
        chosen = [number for number, own in enumerate(short) if own is is_short]
        allocated.append(
            {
                "type": "scatter",
                "mode": "markers+text" if is_short else "markers",
                "name": label,
                "x": [position(shown[number]["allocated"], money) for number in chosen],
                "y": [names[number] for number in chosen],
                "text": [f"缺 {show.money_brief(shown[number]['shortfall'], money)}  " for number in chosen]
                if is_short
                else None,
                "textposition": "middle left",
                "textfont": {"size": 11, "color": colours.shortfall},
                "marker": {"size": 11, "color": colour, "symbol": symbol},
                "hovertext": [hover[number] for number in chosen],
                "hoverinfo": "text",
                "customdata": [links[number] for number in chosen],
                "cliponaxis": False,
            }
        )
    guaranteed = {
        "type": "scatter",
        "mode": "markers",
        "name": "应保障",
        "x": [position(row["guaranteed"], money) for row in shown],
        "y": names,
        "marker": {
            "size": 12,
            "color": colours.surface,
            "line": {"width": 2.5, "color": colours.guaranteed},
        },
        "hovertext": hover,
        "hoverinfo": "text",
        "customdata": links,
    }
    low, high = _span(
        [position(row[name], money) or 0 for row in shown for name in ("guaranteed", "allocated")],
        [
            (position(row["allocated"], money) or 0, f"缺 {show.money_brief(row['shortfall'], money)}")
            for row in shown
            if row["shortfall"]
        ],
    )
    return {
        "data": [*between, guaranteed, *allocated],
        "layout": layout(
            theme,
            xaxis=axis(
                theme,
                title=MONEY_UNITS[money],
                side="bottom",
                tickformat=",~f",
                range=[low, high],
                tickmode="array",
                tickvals=_ticks(low, high),
            ),
            yaxis=axis(
                theme,
                type="category",
                autorange="reversed",
                categoryorder="array",
                categoryarray=names,
                showgrid=False,
            ),
        ),
    }


# The part of an axis that a letter takes where a chart is narrowest, on a telephone.
_LETTER = 0.042


def _span(values: Sequence[float], words: Sequence[tuple[float, str]]) -> tuple[float, float]:
    """The range of an axis of points: where they lie, with room for the words, each of which stands left of a point."""
    low, high = min(values, default=0), max(values, default=1)
    if low < high * 0.3:
        low = 0
    width = (high - low) or high or 1
    taken = [show.breadth(word) * _LETTER - (place - low) / width for place, word in words]
    return low - width * max([0.08, *taken]), high + width * 0.06


def _ticks(low: float, high: float) -> list[float]:
    """Round places on an axis of amounts, none of them below nought: the room left of it is for words."""
    rough = (high - low) / 7 or 1
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * times for times in (1, 2, 5, 10) if size * times >= rough)
    first = max(0, math.ceil(low / step))
    return [round(step * number, 10) for number in range(first, math.floor(high / step) + 1)]


def _distinct(names: Sequence[str]) -> list[str]:
    """Names as categories: a name that comes twice gets a blank more each time, so that rows stay apart."""
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name + "\u200b" * (seen[name] - 1))
    return result


def heat_map(
    units: Sequence[tuple[str, str]],
    months: Sequence[date],
    cells: Mapping[tuple[str, date], Cell],
    theme: Theme,
    *,
    low: float = 40,
    high: float = 100,
    ticks: Mapping[float, str] | None = None,
) -> Figure:
    """Unit × month. What has no number is grey, and by the shade of grey one sees why: see `_BLANK`."""
    colours = palette(theme)
    names = _distinct([_shortened(name) for _, name in units])
    values, hover, links = [], [], []
    blanks: dict[str, list[list[int | None]]] = {name: [] for name in _BLANK}
    for code, name in units:
        found = [cells.get((code, month)) for month in months]
        values.append([position(cell.figure.value) if cell else None for cell in found])
        hover.append(
            [
                cell.hover if cell else f"{name}<br>{show.month(month)}<br>不在册"
                for cell, month in zip(found, months, strict=True)
            ]
        )
        links.append([cell.link if cell else "" for cell in found])
        for shade, states in _BLANK.items():
            blanks[shade].append([0 if cell and cell.figure.state in states else None for cell in found])
    common = {"x": [show.month_short(month) for month in months], "y": names, "xgap": 2, "ygap": 2}
    marks = ticks or {40: "≤40%", 60: "60%", 80: "80%", 100: "≥100%"}
    return {
        "data": [
            *(
                {
                    "type": "heatmap",
                    **common,
                    "z": blanks[shade],
                    "showscale": False,
                    "colorscale": [[0, getattr(colours, shade)], [1, getattr(colours, shade)]],
                    "hoverinfo": "skip",
                }
                for shade in _BLANK
            ),
            {
                "type": "heatmap",
                **common,
                "z": values,
                "zmin": low,
                "zmax": high,
                "text": hover,
                "hoverinfo": "text",
                "customdata": links,
                "colorscale": [list(step) for step in colours.scale],
                "colorbar": {
                    "thickness": 10,
                    "outlinewidth": 0,
                    "tickvals": list(marks),
                    "ticktext": list(marks.values()),
                    "tickfont": {"size": 11, "color": colours.muted},
                    "len": 1,
                },
            },
        ],
        "layout": layout(
            theme,
            # On a telephone more than every fifth of two years' months would lie upon the next.
            xaxis=axis(theme, type="category", showgrid=False, nticks=5, ticks=""),
            yaxis=axis(theme, type="category", autorange="reversed", showgrid=False, ticks=""),
        ),
    }


@dataclass(frozen=True)
class Line:
    """A series over time. One `of_year` adds up over a year and begins anew in January: no line crosses that.

    One `apart` is drawn in a panel of its own below, on an axis that shows it. `among` says of how many units each value
    is, where not of all: a sum over fewer may be less than the month's before.
    """

    name: str
    values: Sequence[show.Figure]
    colour: str
    dash: str = "solid"
    of_year: bool = False
    apart: bool = False
    among: Sequence[str] = ()


def lines(
    months: Sequence[date],
    series: Sequence[Line],
    theme: Theme,
    *,
    money: MoneyUnit | None = None,
    unit: str = "",
    links: Sequence[str] | None = None,
) -> Figure:
    """Series over time; what is not known is a break, and the word for it is read over the point beside."""
    labels = [show.month_short(month) for month in months]
    title = MONEY_UNITS[money] if money else unit
    data = []

    def read(value: show.Figure) -> str:
        if value.value is None:
            return value.word
        if unit == "%":
            return show.percent(Decimal(value.value), 2)
        return value.beside(
            show.money(value.value, money, named=True) if money else f"{show.count(value.value)} {unit}"
        )

    for line in series:
        years: list[int | None] = [None]
        if line.of_year:
            years = list(dict.fromkeys(month.year for month in months))
        for year in years:
            here = [number for number, month in enumerate(months) if year is None or month.year == year]
            data.append(
                {
                    "type": "scatter",
                    "mode": "lines+markers",
                    "name": line.name,
                    "legendgroup": line.name,
                    "showlegend": year == years[0],
                    "x": [labels[number] for number in here],
                    "y": [position(line.values[number].value, money) for number in here],
                    "line": {
                        "color": line.colour,
                        "width": 2.5 if line.dash == "solid" else 2,
                        "dash": line.dash,
                    },
                    "marker": {"size": 5, "color": line.colour},
                    "hovertext": [
                        f"{show.month(months[number])}<br>{line.name} {read(line.values[number])}"
                        + (f"<br>{line.among[number]}" if line.among and line.among[number] else "")
                        for number in here
                    ],
                    "hoverinfo": "text",
                    "customdata": [links[number] for number in here] if links else None,
                    **({"yaxis": "y2"} if line.apart else {}),
                }
            )
    has_two = any(line.apart for line in series)
    second = {
        "yaxis2": axis(theme, title=title, rangemode="tozero", tickformat=",~f", domain=[0, 0.3], nticks=4)
    }
    return {
        "data": data,
        "layout": layout(
            theme,
            xaxis=axis(
                theme,
                type="category",
                showgrid=False,
                nticks=8,
                tickangle=0,
                categoryorder="array",
                categoryarray=labels,
                **({"anchor": "y2"} if has_two else {}),
            ),
            yaxis=axis(
                theme,
                title=title,
                tickformat=",~f",
                # With a panel below, the panel above shows how its lines differ, not how far they are from nought.
                **({"domain": [0.4, 1], "nticks": 5} if has_two else {"rangemode": "tozero"}),
            ),
            **(second if has_two else {}),
        ),
    }


def common_range(series: Sequence[Line], money: MoneyUnit | None) -> tuple[float, float] | None:
    """The span of an axis on which all of several panels show how they differ; None where nothing is known."""
    known = [
        place
        for line in series
        for value in line.values
        if (place := position(value.value, money)) is not None
    ]
    if not known:
        return None
    low, high = min(known), max(known)
    room = (high - low) * 0.12 or abs(high) * 0.1 or 1
    return (max(0.0, low - room) if low >= 0 else low - room), high + room


def panel(
    months: Sequence[date],
    series: Sequence[Line],
    theme: Theme,
    *,
    money: MoneyUnit | None,
    unit: str,
    span: tuple[float, float] | None = None,
    marked: Sequence[date] = (),
    links: Sequence[str] | None = None,
) -> Figure:
    """A small chart beside others of its kind: series over time on a span that they may share, some months marked."""
    drawn = lines(months, series, theme, money=money, unit=unit, links=links)
    colours, own = palette(theme), span or common_range(series, money)
    drawn["layout"]["showlegend"] = False
    drawn["layout"]["xaxis"]["nticks"] = 5
    axis_y = {
        key: value for key, value in drawn["layout"]["yaxis"].items() if key not in ("title", "rangemode")
    }
    drawn["layout"]["yaxis"] = axis_y | {"nticks": 4, **({"range": list(own)} if own else {})}
    drawn["layout"]["shapes"] = [
        {
            "type": "line",
            "xref": "x",
            "yref": "paper",
            "x0": show.month_short(month),
            "x1": show.month_short(month),
            "y0": 0,
            "y1": 1,
            "line": {"color": colours.muted, "width": 1, "dash": "dot"},
        }
        for month in marked
        if month in months
    ]
    return drawn


def tier_steps(
    rows: Sequence[Row],
    steps: Sequence[tuple[int, int | None, Decimal, Decimal, str]],
    near: set[str],
    money: MoneyUnit,
    theme: Theme,
) -> Figure:
    """The guarantee as a function of population, its cliffs, and every township on it.

    `steps`: from, to, amount at the start, amount at the end, label. Rows are those of funding_gap_monthly with
    an href; `near` are the codes to be named.
    """
    colours = palette(theme)
    top = max([row["population_persons"] or 0 for row in rows] or [0])
    end = int(max(top, max([step[0] for step in steps] or [0]) * 1.25, 1) * 1.06)
    line_x: list[float | None] = []
    line_y: list[float | None] = []
    shapes, notes = [], []
    previous: Decimal | None = None
    for number, (start, stop, first, last, label) in enumerate(steps):
        until = stop if stop is not None else end
        if stop is None and steps[number][2] != steps[number][3]:
            # Per head: what one person more adds, up to the edge of the chart.
            last = first + (last - first) * (until - start)
        line_x += [start / 10_000, until / 10_000]
        line_y += [position(first, money), position(last, money)]
        shapes.append(
            {
                "type": "rect",
                "xref": "x",
                "yref": "paper",
                "x0": start / 10_000,
                "x1": until / 10_000,
                "y0": 0,
                "y1": 1,
                "fillcolor": colours.band[number % len(colours.band)],
                "line": {"width": 0},
                "layer": "below",
            }
        )
        notes.append(
            {
                "x": (start + until) / 20_000,
                "y": 1,
                "yref": "paper",
                "yanchor": "top",
                "text": label,
                "showarrow": False,
                "font": {"size": 11, "color": colours.muted},
            }
        )
        if previous is not None and previous != first:
            change = first - previous
            notes.append(
                {
                    "x": start / 10_000,
                    "y": 0,
                    # Every other one a line higher: on a telephone they would lie upon one another. The first, near
                    # which small townships stand, is the lower.
                    "yshift": 18 * ((number + 1) % 2),
                    "yref": "paper",
                    "yanchor": "bottom",
                    "text": f"过 {show.number(Decimal(start) / 10_000, 0)} 万人 "
                    + show.signed(show.money(change, money, named=True)),
                    "showarrow": False,
                    "bgcolor": colours.veil,
                    "font": {"size": 11, "color": colours.shortfall if change < 0 else colours.muted},
                }
            )
        previous = last
    top_amount = max([row["allocated_annual_cny"] or 0 for row in rows] or [0]) or 1
    traces: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "应保障标准",
            "x": line_x,
            "y": line_y,
            "line": {"color": colours.accent, "width": 2.5},
            "hoverinfo": "skip",
        }
    ]
    for name, is_near, colour, symbol in (
        ("乡镇已安排", False, colours.allocated, "circle"),
        ("临近分档线的乡镇", True, colours.shortfall, "diamond"),
    ):
        chosen = [
            row
            for row in rows
            if (row["township_code"] in near) is is_near
            and row["population_persons"] is not None
            and row["allocated_annual_cny"] is not None
        ]
        if is_near and len(chosen) <= 12:
            notes += [
                {
                    "x": chosen[number]["population_persons"] / 10_000,
                    "y": position(chosen[number]["allocated_annual_cny"], money),
                    "text": text,
                    "showarrow": False,
                    "align": "left",
                    "xanchor": "right" if chosen[number]["population_persons"] > 0.8 * end else "left",
                    "yanchor": "bottom" if is_above else "top",
                    "borderpad": 3,
                    # Legible where a line or another township lies behind it, which stay in sight.
                    "bgcolor": colours.veil,
                    "font": {"size": 11, "color": colour},
                }
                for number, text, is_above in _place_names(chosen, end, top_amount)
            ]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": name,
                "x": [row["population_persons"] / 10_000 for row in chosen],
                "y": [position(row["allocated_annual_cny"], money) for row in chosen],
                "marker": {
                    "size": 9,
                    "color": colour,
                    "symbol": symbol,
                    "opacity": 0.85,
                    "line": {"width": 1, "color": colours.surface},
                },
                "hovertext": [
                    f"{row['township_name']}（{row['county_name']}）<br>人口 {show.count(row['population_persons'])} 人，"
                    f"{row['tier_label']}<br>应保障 {show.money(row['guaranteed_annual_cny'], money, named=True)}"
                    f"<br>已安排 {show.money(row['allocated_annual_cny'], money, named=True)}"
                    for row in chosen
                ],
                "hoverinfo": "text",
                "customdata": [row["href"] for row in chosen],
                "cliponaxis": False,
            }
        )
    return {
        "data": traces,
        "layout": layout(
            theme,
            shapes=shapes,
            annotations=notes,
            xaxis=axis(theme, title="人口（万人）", range=[0, end / 10_000], showgrid=False),
            yaxis=axis(theme, title=f"{MONEY_UNITS[money]}／年", rangemode="tozero", tickformat=",~f"),
        ),
    }


def _place_names(rows: Sequence[Row], end: int, top_amount: Decimal | int) -> list[tuple[int, str, bool]]:
    """Names beside points: the row, the text, and whether it stands above the point.

    Those whose names would lie upon one another share one text of at most two names, each in a line of its own. Of two
    points one above the other, as at a bound, the higher has its name above.
    """
    groups: list[tuple[float, float, list[int]]] = []
    for number, row in enumerate(rows):
        x = row["population_persons"] / end
        y = float(Decimal(row["allocated_annual_cny"]) / Decimal(top_amount))
        near = next((own for at, up, own in groups if abs(at - x) < 0.2 and abs(up - y) < 0.07), None)
        if near is not None:
            near.append(number)
        else:
            groups.append((x, y, [number]))
    placed = []
    for x, y, own in groups:
        names = [_shortened(str(rows[number]["township_name"])) for number in own]
        more = f"等 {len(names)} 个" if len(names) > 2 else ""
        beside = [up for at, up, other in groups if other is not own and abs(at - x) < 0.2]
        placed.append((own[0], "<br>".join(names[:2]) + more, bool(beside) and y > max(beside)))
    return placed


def status_bars(
    rows: Sequence[Row], looks: Mapping[str, show.Look], theme: Theme, *, as_share: bool = False
) -> Figure:
    """Horizontal bars of counts by state. Rows have name, href and a count for each state of `looks`."""
    names = _distinct([_shortened(row["name"], 20) for row in rows])
    data = []
    for status, look in looks.items():
        values = [row.get(status) or 0 for row in rows]
        if not any(values):
            continue
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": f"{look.mark} {look.label}",
                "y": names,
                "x": values,
                "marker": {"color": look.colour(theme)},
                "hovertext": [
                    f"{row['name']}<br>{look.label} {show.count(value)}"
                    for row, value in zip(rows, values, strict=True)
                ],
                "hoverinfo": "text",
                "customdata": [row["href"] for row in rows],
            }
        )
    return {
        "data": data,
        "layout": layout(
            theme,
            barmode="stack",
            barnorm="percent" if as_share else None,
            # By itself a chart of one state would not say which.
            showlegend=True,
            legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "normal"},
            xaxis=axis(theme, title="占比（%）" if as_share else "个", **_whole_ticks(rows, looks, as_share)),
            yaxis=axis(
                theme,
                type="category",
                autorange="reversed",
                categoryorder="array",
                categoryarray=names,
                showgrid=False,
            ),
        ),
    }


def _whole_ticks(rows: Sequence[Row], looks: Mapping[str, Any], as_share: bool) -> dict[str, Any]:
    """Counts have no mark between whole numbers."""
    most = max((sum(row.get(status) or 0 for status in looks) for row in rows), default=0)
    return {"tickformat": ",d", "dtick": 1} if not as_share and most <= 8 else {"tickformat": ",~f"}


def month_bars(
    months: Sequence[date],
    series: Sequence[tuple[str, Sequence[int], str]],
    theme: Theme,
    links: Sequence[str],
) -> Figure:
    """Counts over time side by side: (name, values, colour). A bar that would flatten all others is cut, and says so."""
    labels = [show.month_short(month) for month in months]
    most = max((value for _, values, _ in series for value in values), default=0)
    top = _cut([value for _, values, _ in series for value in values])
    span: dict[str, Any] = {"range": [0, top * 1.16]} if top else {"rangemode": "tozero"}
    return {
        "data": [
            {
                "type": "bar",
                "name": name,
                "x": labels,
                "y": [min(value, top) if top else value for value in values],
                "text": [f"{show.count(value)} ↑" if top and value > top else "" for value in values],
                "textposition": "outside",
                "constraintext": "none",
                "textangle": 0,
                "textfont": {"size": 11, "color": colour},
                "cliponaxis": False,
                "marker": {"color": colour},
                "hovertext": [
                    f"{show.month(month)}<br>{name} {show.count(value)}"
                    for month, value in zip(months, values, strict=True)
                ],
                "hoverinfo": "text",
                "customdata": list(links),
            }
            for name, values, colour in series
        ],
        "layout": layout(
            theme,
            barmode="group",
            # The first month stands below the nought of the other axis.
            xaxis=axis(theme, type="category", showgrid=False, nticks=8, tickangle=0, ticklabelstandoff=6),
            yaxis=axis(
                theme,
                title="项",
                tickformat=",d",
                # Counts have no mark between whole numbers.
                **({"dtick": 1} if (top or most) <= 6 else {"nticks": 6}),
                **span,
            ),
        ),
    }


# From how many times the next smaller one on, and how many of all, bars are cut.
_FLATTENS = 3
_CUT_SHARE = 6


def _cut(values: Sequence[int]) -> int | None:
    """Where an axis ends, so that one or two bars many times as high as all others do not flatten these."""
    known = sorted((value for value in values if value), reverse=True)
    most = max(1, len(values) // _CUT_SHARE)
    jumps = [
        (known[place] / known[place + 1], known[place + 1]) for place in range(min(most, len(known) - 1))
    ]
    worst = max(jumps, default=(0.0, 0))
    return max(math.ceil(worst[1] * 1.3), 4) if worst[0] >= _FLATTENS else None
