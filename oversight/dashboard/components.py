"""Parts that pages are put together from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from oversight import presentation as show
from oversight.dashboard.elements import dag, dcc, dmc, html
from oversight.dashboard.figures import CONFIG, Figure
from oversight.dashboard.grids import Table
from oversight.dashboard.theme import palette
from oversight.dashboard.view import View
from oversight.dashboard.warehouse import Row
from oversight.metrics import Metric
from oversight.presentation import Theme

Element = Any

# Rows sent to a browser; a download has them all.
ROWS_SHOWN = 300
# Months a card looks back upon: those it draws, and the one before the first of two that it compares.
TREND_MONTHS = 13


def icon(name: str, **options: Any) -> Element:
    """One of our own drawings, in the colour of the text around it."""
    extra = options.pop("className", "")
    return html.Span(className=f"icon icon-{name} {extra}".strip(), **{"aria-hidden": "true"}, **options)


Options = Sequence[tuple[str, str]] | Mapping[str, Sequence[tuple[str, str]]]


def select(name: str, label: str, options: Options, value: str, **changes: Any) -> Element:
    """A filter whose choice goes into the address under `name`. Options by level of division stand in groups."""

    def items(own: Sequence[tuple[str, str]]) -> list[Any]:
        return [{"value": code, "label": text} for code, text in own]

    is_grouped = isinstance(options, Mapping)
    return dmc.Select(
        id={"type": "filter", "name": name, "initial": value},
        label=label,
        data=[{"group": show.LEVEL[level], "items": items(own)} for level, own in options.items()]
        if isinstance(options, Mapping)
        else items(options),
        value=value or None,
        size="sm",
        searchable=is_grouped or len(options) > 8,
        clearable=changes.pop("clearable", False),
        placeholder=changes.pop("placeholder", None),
        nothingFoundMessage="没有符合的选项",
        checkIconPosition="right",
        comboboxProps={"shadow": "md"},
        maxDropdownHeight=320,
        className="filter filter-long" if changes.pop("is_long", False) else "filter",
        # A list that is long is cut while typing, or the browser builds thousands of entries.
        limit=450,
        clearButtonProps={"aria-label": f"清除{label}"},
        **changes,
    )


def multi_select(
    name: str, label: str, options: Options, chosen: Sequence[tuple[str, str]], *, most: int
) -> Element:
    """A filter of several choices, which stand in the address one after the other with commas between."""
    value = ",".join(code for code, _ in chosen)
    offered = options if isinstance(options, Mapping) else {"township": options}
    known = {code for own in offered.values() for code, _ in own}
    others = [(code, text) for code, text in chosen if code not in known]
    groups = [
        {"group": show.LEVEL[level], "items": [{"value": code, "label": text} for code, text in own]}
        for level, own in offered.items()
    ]
    if others:
        groups.append({"group": "已选", "items": [{"value": code, "label": text} for code, text in others]})
    return dmc.MultiSelect(
        id={"type": "filter", "name": name, "initial": value},
        label=label,
        data=groups,
        value=[code for code, _ in chosen],
        size="sm",
        searchable=True,
        clearable=True,
        maxValues=most,
        limit=450,
        placeholder="" if chosen else "选两到六个",
        nothingFoundMessage="没有符合的单位",
        comboboxProps={"shadow": "md"},
        maxDropdownHeight=320,
        className="filter filter-wide",
        debounce=600,
    )


def card(
    title: str,
    body: Any,
    *,
    note: Any = None,
    actions: Any = None,
    wide: bool = False,
    name: str = "",
    opened: str = "",
) -> Element:
    """A section with its heading. One that was `opened` by what the address names is brought into sight."""
    head = html.Div(
        [
            html.Div([html.H2(title), html.P(note, className="note") if note else None]),
            # An element without children is false in Python.
            html.Div(actions, className="card-actions no-print") if actions is not None else None,
        ],
        className="card-head",
    )
    return html.Section(
        [head, *(body if isinstance(body, list) else [body])],
        className="card" + (" card-wide" if wide else ""),
        **({"data-name": name} if name else {}),
        **({"data-opened": opened, "tabIndex": "-1"} if opened else {}),
    )


def contents(*parts: tuple[str, str]) -> Element:
    """Where to on a long page: the name of a section and what it is called here."""
    return html.Nav(
        html.Ol([html.Li(html.A(title, href=f"#{name}")) for name, title in parts]),
        className="contents no-print",
        **{"aria-label": "本页目录"},
    )


def sparkline(values: Sequence[Any], colour: str, label: str) -> Element:
    """A small trend, drawn by us."""
    known = [(x, float(value)) for x, value in enumerate(values) if value is not None]
    if len(known) < 2:
        return None
    low, high = min(y for _, y in known), max(y for _, y in known)
    span, width = (high - low) or 1.0, max(len(values) - 1, 1)
    points = " ".join(f"{2 + 92 * x / width:.1f},{28 - 24 * (y - low) / span:.1f}" for x, y in known)
    drawing = (
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 96 32'>"
        f"<polyline points='{points}' fill='none' stroke='{colour}' stroke-width='2.2' "
        "stroke-linejoin='round' stroke-linecap='round'/></svg>"
    )
    return html.Img(src="data:image/svg+xml," + quote(drawing), alt=label, className="spark")


def kpi(
    label: str,
    value: str,
    unit: str,
    change: str,
    *,
    icon_name: str,
    tone: str = "plain",
    trend: Element = None,
    href: str | None = None,
    hint: str = "",
    name: str = "",
    note: str = "",
) -> Element:
    """A figure of the month with its change and trend; `note` says of how many units it is, where not of all."""
    # Long amounts are set smaller, or they would not fit beside seven others.
    length = show.breadth(value)
    size = " kpi-longest" if length > 13 else " kpi-long" if length > 9 else ""
    inside = [
        html.Div(
            [html.Span(label, className="kpi-label"), icon(icon_name, className=f"tone-{tone}")],
            className="kpi-top",
        ),
        html.Div([html.Span(value, className=f"kpi-value{size}"), html.Span(unit, className="kpi-unit")]),
        html.Div(note, className="kpi-note") if note else None,
        html.Div([html.Span(change, className=f"kpi-change tone-{tone}"), trend], className="kpi-bottom"),
    ]
    options: dict[str, Any] = {"className": "kpi", "title": hint or None}
    if name:
        options["data-name"] = name
    return html.A(inside, href=href, **options) if href else html.Div(inside, **options)


NEW_YEAR = "新年度首月，重新累计"
FIRST_MONTH = "数据的第一个月，没有上月可比"


def metric_card(
    view: View,
    metric: Metric,
    series: Mapping[Any, Row],
    icon_name: str,
    *,
    href: str | None = None,
    unit: str | None = None,
    change: str | None = None,
) -> Element:
    """A figure of the roll-ups: the month's, its change, its trend, and of how many units it is known.

    `series` are the unit's roll-ups by month. What adds up over a year is neither compared with the year before nor
    drawn across January.
    """
    before = view.previous_month()
    now, then = series.get(view.month), series.get(before)
    figure, earlier = metric.of(now), metric.of(then)
    tone, told = "plain", "较上月 —"
    if not figure.is_known:
        told = ""
    elif before is None:
        told = FIRST_MONTH
    elif metric.is_of_year and before.year != view.month.year:
        told = NEW_YEAR
    elif now and then and metric.told and now[metric.told] != then[metric.told] and earlier.is_known:
        told = f"上月算了 {show.count(then[metric.told])} 个乡镇，不直接相比"
    elif figure.value is not None and earlier.value is not None:
        difference = Decimal(figure.value) - Decimal(earlier.value)
        if difference and metric.rising:
            tone = "bad" if (difference > 0) is (metric.rising == "bad") else "good"
        suffix = {"%": " 个百分点", "元": ""}.get(metric.unit, f" {metric.unit}")
        text = (
            show.number(difference, 2)
            if metric.unit == "%"
            else metric.written(show.Figure(difference), view.state.money)
        )
        told = f"较上月 {show.signed(text)}{suffix}"
    recent = [
        month
        for month in view.last_months(TREND_MONTHS - 1)
        if not metric.is_of_year or month.year == view.month.year
    ]
    return kpi(
        metric.title,
        metric.written(figure, view.state.money),
        (metric.unit_text(view.state.money) if unit is None else unit) if figure.is_known else "",
        told if change is None else change,
        icon_name=icon_name,
        tone=tone,
        trend=sparkline(
            [
                metric.of(row).value
                if (row := series.get(month)) and _is_comparable(metric, row, now)
                else None
                for month in recent
            ],
            tone_colour(tone, view.theme),
            f"{metric.title}近{len(recent)}个月走势",
        ),
        href=href,
        hint=f"{metric.over}；{metric.hint}" if metric.hint else metric.over,
        name=metric.key,
        note=metric.count_text(now),
    )


# Of every so many units one more or less does not make the line rise or fall.
_FEW = 50


def _is_comparable(metric: Metric, row: Row, now: Row | None) -> bool:
    """Whether the figure of a month runs over about as many units as that of the month shown; of others no line is drawn."""
    if not metric.told or now is None:
        return True
    return abs(int(row[metric.told]) - int(now[metric.told])) * _FEW <= int(now[metric.told])


def keys(*items: tuple[str, str]) -> Element:
    """What the colours of a chart mean where it has no legend of its own: (class of the swatch, word)."""
    return html.Span(
        [
            html.Span([html.Span(className=f"swatch swatch-{name}"), word], className="key")
            for name, word in items
        ],
        className="keys",
    )


def chart(name: str, figure: Figure, height: int, summary: str) -> Element:
    """A chart with what it says in one sentence for those who cannot see it."""
    return html.Div(
        dcc.Graph(
            id={"type": "chart", "name": name},
            figure=figure,
            config=CONFIG,
            responsive=True,
            style={"height": f"{height}px"},
        ),
        role="figure",
        className="chart",
        # By keyboard as by mouse: see assets/charts.js.
        tabIndex="0",
        **{"aria-label": f"{summary}。可用方向键逐点查看，回车前往"},
    )


def rows_height(number: int, *, row: int = 30, least: int = 200, most: int = 1100) -> int:
    """Height of a chart with one line a unit."""
    return min(max(least, 90 + row * number), most)


def status_mark(status: str | None) -> Element:
    """A status as mark, word and colour."""
    look = show.STATUS.get(status or "")
    text = f"{look.mark} {look.label}" if look else show.NONE
    return html.Span(text, className=f"status status-{status}")


def empty(text: str, *, action: Element = None) -> Element:
    """Nothing to show, and what can be done about it."""
    return html.Div([icon("empty"), html.P(text), action], className="empty", role="status")


_DAY = re.compile(r"\d{4}年\d{1,2}月\d{1,2}日")


def grid(view: View, table: Table, *, page_size: int = 20, height: int | None = None) -> list[Element]:
    """A table to sort, filter and take away."""
    if not table.rows:
        return [empty(table.empty)]
    money = view.state.money
    shown_rows, sums = table.grid_rows(money), table.grid_sums(money)
    columns = []
    for number, column in enumerate(table.columns):
        # A number or a date that is cut is another one: its column is as wide as the longest of them.
        values = [row[column.field] for row in (*shown_rows, *sums)]
        widest = max(map(show.breadth, values), default=0)
        longest = widest if column.kind == "number" else 0
        days = [value for value in values if column.kind == "text" and _DAY.fullmatch(value)]
        options: dict[str, Any] = {
            "field": column.field,
            "headerName": column.heading(money),
            "headerTooltip": column.hint or column.title,
            "comparator": {"function": "compareText"},
            "initialHide": column.is_hidden,
            # What does not fit is read by pointing at it, or by making the column wider.
            **({} if column.kind in ("number", "long") else {"tooltipField": column.field}),
            "minWidth": column.width
            or (
                240
                if column.kind == "long"
                else max(100, 24 + 8 * longest)
                if column.kind == "number"
                else 122
                if any(len(value) > 9 for value in days)
                else 104
            ),
            "flex": 3 if column.kind == "long" else 1,
            "context": {
                **({"decisive": True} if column.is_decisive or number == 0 else {}),
                # What it gets by on where the whole table has a telephone's width: see `fit` in assets/app.js.
                "least": max(76, 22 + 8 * longest)
                if column.kind == "number"
                else 108
                if days
                else min(98, max(84, 22 + round(7.6 * widest)))
                if number == 0
                else 128
                if column.kind == "long"
                # The mark before the word besides.
                else max(82, 44 + 7 * widest)
                if column.looks is not None
                else 96,
            },
        }
        if number == 0 and table.href is not None:
            # Stays in sight while the others are scrolled, so it takes no more than it needs.
            options |= {"width": column.width or 130, "flex": None}
        if column.kind == "number":
            options |= {
                "type": "rightAligned",
                "filter": "agNumberColumnFilter",
                "filterValueGetter": {"function": f"toNumber(params.data['{column.field}'])"},
                "cellClass": "ag-right-aligned-cell numeric",
            }
            if "shortfall" in column.field:
                options["cellClassRules"] = {"is-missing": "toNumber(params.value) > 0"}
            if column.unit == "%":
                options["cellStyle"] = {"function": "rateBar(params.value)"}
        if column.kind == "long" or column.wraps:
            options |= {"wrapText": True, "autoHeight": True, "cellClass": "long"}
        if column.looks is not None:
            options |= {"cellRenderer": "StatusCell"}
        if column.kind == "link" or (number == 0 and table.href is not None):
            options |= {"cellRenderer": "LinkCell", "pinned": "left" if number == 0 else None}
        columns.append(options)
    has_pages = len(table.rows) > page_size
    options = {
        "theme": {"function": "gridTheme(themeQuartz)"},
        "getLocaleText": {"function": "localeText(params)"},
        "pagination": has_pages,
        "paginationPageSize": page_size,
        "paginationPageSizeSelector": [10, 20, 50, 100, 200],
        "domLayout": "autoHeight",
        "suppressDragLeaveHidesColumns": True,
        "enableCellTextSelection": True,
        "ensureDomOrder": True,
        "suppressColumnVirtualisation": len(columns) <= 16,
        "animateRows": False,
        "tooltipShowDelay": 300,
        "tooltipShowMode": "whenTruncated",
        "pinnedBottomRowData": sums,
    }
    element = dag.AgGrid(
        id={"type": "grid", "name": table.name},
        columnDefs=columns,
        rowData=shown_rows,
        defaultColDef={
            "sortable": True,
            "resizable": True,
            "filter": True,
            "suppressHeaderMenuButton": True,
            "wrapHeaderText": True,
            "autoHeaderHeight": True,
        },
        getRowId="params.data._id",
        dashGridOptions=options,
        className="grid",
        style={"height": height, "width": "100%"} if height else {"width": "100%"},
    )
    shown = len(table.rows)
    total = table.total if table.total is not None else shown
    return [
        html.Div(
            element,
            className="grid-frame",
            role="region",
            # More rows than are sent: filters and sorting are asked of all of them.
            **{
                "aria-label": table.title,
                "data-grid": table.name,
                "data-amounts": " ".join(column.field for column in table.columns if column.unit == "元"),
                **({"data-asks": table.name} if total > shown else {}),
            },
        ),
        html.Div(
            [
                html.Span(count_text(total, shown), className="grid-count"),
                *(html.Span(note) for note in (*table.notes, table.told_of_sums()) if note),
            ],
            className="grid-foot",
        ),
    ]


def count_text(total: int, shown: int, *, is_asked: bool = False) -> str:
    """How many rows there are, and how many of them are to be seen here."""
    what = "符合筛选的" if is_asked else "共"
    if total <= shown:
        return f"{what} {show.count(total)} 条"
    return (
        f"{what} {show.count(total)} 条，此处显示前 {show.count(shown)} 条；"
        "筛选和排序针对全部记录，下载的文件含全部"
    )


def table_actions(name: str) -> Element:
    """Choose columns; take the table away."""
    return html.Div(
        [
            html.Button(
                [icon("columns"), "选列"],
                className="button",
                type="button",
                **{"data-columns": name, "aria-haspopup": "dialog", "aria-expanded": "false"},
            ),
            html.Button(
                [icon("download"), "Excel"],
                className="button",
                type="button",
                **{"data-download": name, "data-format": "xlsx", "aria-label": "下载为 Excel 工作簿"},
            ),
            html.Button(
                [icon("download"), "CSV"],
                className="button",
                type="button",
                **{"data-download": name, "data-format": "csv", "aria-label": "下载为 CSV 文件"},
            ),
        ],
        className="button-row",
    )


def table_card(view: View, table: Table, *, note: Any = None, page_size: int = 20) -> Element:
    """A table in its section, with the buttons that go with it."""
    actions = table_actions(table.name) if table.rows else None
    return card(
        table.title,
        grid(view, table, page_size=page_size),
        note=note,
        actions=actions,
        name=table.name,
        wide=True,
    )


def plain_table(title: str, heads: Sequence[str], rows: Sequence[Element]) -> Element:
    """Rows (`Tr` of `Td`) to read, not to sort. Where there is no room each is a block of names and values."""
    for row in rows:
        for head, cell in zip(heads, row.children, strict=True):
            setattr(cell, "data-title", head)
    # A title stands where its values do.
    kinds = [getattr(cell, "className", None) for cell in rows[0].children] if rows else [None] * len(heads)
    titles = [
        html.Th(head, scope="col", className="numeric" if kind == "numeric" else None)
        for head, kind in zip(heads, kinds, strict=True)
    ]
    return html.Div(
        html.Table(
            [html.Thead(html.Tr(titles)), html.Tbody(list(rows))],
            className="plain-table folds",
        ),
        className="plain-frame",
        tabIndex="0",
        role="region",
        **{"aria-label": title},
    )


def facts(items: Sequence[tuple[str, Any]]) -> Element:
    """Name and value, side by side."""
    return html.Dl([html.Div([html.Dt(name), html.Dd(value)]) for name, value in items], className="facts")


def columns(*elements: Element, ratio: str = "halves") -> Element:
    """Sections side by side where there is room."""
    return html.Div(
        [element for element in elements if element is not None], className=f"columns columns-{ratio}"
    )


def tone_colour(tone: str, theme: Theme) -> str:
    """The colour of a figure's trend."""
    colours = palette(theme)
    return {"bad": colours.shortfall, "good": colours.good, "warn": colours.spent}.get(tone, colours.accent)
