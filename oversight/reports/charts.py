"""The charts, drawn once and used by all formats: SVG for the PDF, PNG for Word and Excel.

They must be readable printed in black and white: hollow against filled marks, solid against dashed lines,
hatching and figures in the bars, never colour alone. Text is drawn as outlines in the SVG, so that no reader
needs the font; nothing in a file depends on the clock.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from typing import Any, Literal

from oversight import presentation
from oversight.reports import fonts
from oversight.reports.document import Chart

WIDTH_MM = 156
DARK, ACCENT, GREY = "#26303c", "#b93a0b", "#8792a0"
_SAVED: dict[str, Any] = {
    "svg": {"metadata": {"Date": None, "Creator": None}},
    "png": {"dpi": 200, "metadata": {"Software": None}},
}
HATCHES = ("", "////", "....", "xxxx", "\\\\\\\\")
FILLS = ("#ffffff", "#f0b89d", "#f7e3a8", "#dde3ea", "#e6dcf7")


@cache
def _font() -> Any:
    from matplotlib import font_manager

    path = str(fonts.folder() / fonts.SANS)
    font_manager.fontManager.addfont(path)
    return font_manager.FontProperties(fname=path).get_name()


Form = Literal["svg", "png"]


def draw(chart: Chart, *forms: Form) -> dict[Form, bytes]:
    """The chart as the bytes of a file of each form: the same bytes for the same chart, whatever else is asked for."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    style: Any = {
        "font.family": _font(),
        "font.size": 8.5,
        "axes.unicode_minus": False,
        "svg.fonttype": "path",
        "svg.hashsalt": chart.key,
        "hatch.linewidth": 0.6,
        # A name with two dollar signs is a name, not a formula.
        "text.parse_math": False,
        "axes.edgecolor": DARK,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    with mpl.rc_context(style):
        height = height_mm(chart)
        figure = Figure(figsize=(WIDTH_MM / 25.4, height / 25.4), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        {"dumbbell": _dumbbell, "lines": _lines, "stacked": _stacked}[chart.form](axes, chart)
        # Where everything stands is worked out once for all forms: it is half of the work.
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        found = {}
        for form in forms:
            held = io.BytesIO()
            figure.savefig(held, format=form, **_SAVED[form])
            found[form] = held.getvalue()
    return found


def height_mm(chart: Chart) -> float:
    """How high the picture stands on paper."""
    rows = len(chart.categories)
    if chart.form == "dumbbell":
        return min(17 + rows * 4.3, 175)
    if chart.form == "stacked":
        return min(24 + rows * 12, 175)
    return 56


def wrapped(name: str, width: int = 12) -> list[str]:
    """A long label in pieces that stand one above the other."""
    pieces = -(-len(name) // width)
    each = -(-len(name) // max(pieces, 1))
    return [name[start : start + each] for start in range(0, len(name), each)] or [""]


def _numbers(values: Sequence[Decimal | int | None]) -> list[float]:
    return [float("nan") if value is None else float(value) for value in values]


def _legend(axes: Any, columns: int) -> None:
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=columns, frameon=False)


def _dumbbell(axes: Any, chart: Chart) -> None:
    places = list(range(len(chart.categories)))
    wanted, given = (_numbers(series.values) for series in chart.series[:2])
    for place, left, right in zip(places, given, wanted, strict=True):
        axes.plot([left, right], [place, place], color=GREY, linewidth=2.2, zorder=1, solid_capstyle="butt")
    axes.scatter(wanted, places, s=34, facecolor="white", edgecolor=DARK, linewidth=1.3, zorder=2)
    axes.scatter(given, places, s=34, facecolor=ACCENT, edgecolor=DARK, linewidth=0.6, zorder=3)
    handles = [
        axes.scatter(
            [], [], s=34, facecolor="white", edgecolor=DARK, linewidth=1.3, label=chart.series[0].name
        ),
        axes.scatter(
            [], [], s=34, facecolor=ACCENT, edgecolor=DARK, linewidth=0.6, label=chart.series[1].name
        ),
    ]
    axes.set_yticks(places, chart.categories)
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    axes.margins(y=0.5 / max(len(places), 1))
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color="#e3e7ec", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.set_xlabel(chart.unit)
    axes.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)


def _lines(axes: Any, chart: Chart) -> None:
    places = list(range(len(chart.categories)))
    looks = (
        {"color": DARK, "linestyle": "-", "marker": "o", "markerfacecolor": "white"},
        {"color": ACCENT, "linestyle": "--", "marker": "s", "markerfacecolor": ACCENT},
    )
    for series, look in zip(chart.series, looks, strict=False):
        values = _numbers(series.values)
        axes.plot(places, values, label=series.name, linewidth=1.4, markersize=4.5, **look)
        known = [place for place, value in enumerate(series.values) if value is not None]
        if known:
            last = known[-1]
            text = presentation.percent(Decimal(series.values[last] or 0), 2, named=False)
            axes.annotate(text, (last, values[last]), xytext=(5, 3), textcoords="offset points", fontsize=7.5)
    axes.set_xticks(places, chart.categories)
    axes.grid(axis="y", color="#e3e7ec", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.margins(x=0.06, y=0.18)
    axes.set_ylabel(chart.unit)
    _legend(axes, len(chart.series))


def _stacked(axes: Any, chart: Chart) -> None:
    places = list(range(len(chart.categories)))
    left = [0.0] * len(places)
    for series, fill, hatch in zip(chart.series, FILLS, HATCHES, strict=False):
        values = _numbers(series.values)
        axes.barh(
            places, values, left=left, height=0.58, label=series.name,
            facecolor=fill, edgecolor=DARK, linewidth=0.7, hatch=hatch,
        )  # fmt: skip
        for place, value, start in zip(places, values, left, strict=True):
            if value:
                axes.text(
                    start + value / 2, place, presentation.count(int(value)), ha="center", va="center",
                    fontsize=8, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
                )  # fmt: skip
        left = [start + value for start, value in zip(left, values, strict=True)]
    axes.set_yticks(places, ["\n".join(wrapped(name)) for name in chart.categories])
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel(chart.unit)
    _legend(axes, len(chart.series))
