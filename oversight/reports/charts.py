"""The charts, drawn once and used by all formats: SVG for the PDF, PNG for Word and Excel.

Set by typst from `defaults/charts.typ`, as the pages are: where a value stands on its axis is reckoned here. Text is
drawn as outlines in the SVG, so that no reader needs the font; nothing in a file depends on the clock.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Literal

from oversight import presentation
from oversight.reports import fonts, typesetting
from oversight.reports.document import Chart

WIDTH_MM = 156
DARK, ACCENT, GREY = "#26303c", "#b93a0b", "#8792a0"
FAMILY = "Noto Sans CJK SC"
PNG_PER_INCH = 200

Form = Literal["svg", "png"]


def draw(charts: Iterable[Chart], form: Form) -> dict[str, bytes]:
    """Each chart as the bytes of a file, by its key: the same bytes for the same chart, whatever stands beside it."""
    used = {chart.key: chart for chart in charts}
    if not used:
        return {}
    data = {"font": FAMILY, "width": WIDTH_MM, "charts": [_reckoned(chart) for chart in used.values()]}
    pages = typesetting.pages("charts.typ", data, [fonts.folder()], form=form, per_inch=PNG_PER_INCH)
    return dict(zip(used, pages, strict=True))


def blank(charts: Iterable[Chart]) -> dict[str, bytes]:
    """Pictures as large as the charts, to measure a text by: nobody sees them."""
    return {
        chart.key: (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH_MM}mm" height="{height_mm(chart)}mm"'
            f' viewBox="0 0 {WIDTH_MM} {height_mm(chart)}"/>'
        ).encode()
        for chart in charts
    }


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


def _reckoned(chart: Chart) -> dict[str, Any]:
    """What the template draws: labels in lines, ticks and values as shares of the axis, and texts beside them."""
    low, high = _ends(chart)
    step = _step(low, high, is_whole=chart.form == "stacked")

    def share(value: Decimal | int) -> float:
        return round((float(value) - low) / (high - low), 6)

    ticks = [step * place for place in range(math.ceil(low / float(step)), int(high // float(step)) + 1)]
    places = max(0, -int(step.normalize().as_tuple().exponent))
    return {
        "form": chart.form,
        "height": height_mm(chart),
        "unit": chart.unit,
        "labels": [wrapped(name) if chart.form == "stacked" else [name] for name in chart.categories],
        "ticks": [{"at": share(tick), "text": f"{tick:,.{places}f}"} for tick in ticks],
        "series": [
            {
                "name": series.name,
                "values": [None if value is None else share(value) for value in series.values],
                "texts": [_text(chart, value) for value in series.values],
            }
            for series in chart.series
        ],
    }


def _ends(chart: Chart) -> tuple[float, float]:
    """The ends of the value axis: from nought where lengths are compared, near the values where a course is shown."""
    if chart.form == "stacked":
        sums = [
            sum(value for value in values if value is not None)
            for values in zip(*(series.values for series in chart.series), strict=True)
        ]
        return 0.0, float(max(sums, default=0)) * 1.03 or 1.0
    known = [float(value) for series in chart.series for value in series.values if value is not None]
    if chart.form == "dumbbell":
        return 0.0, max(known, default=0.0) * 1.04 or 1.0
    low, high = min(known, default=0.0), max(known, default=1.0)
    room = (high - low) * 0.18 or max(abs(high) * 0.05, 1.0)
    return low - room, high + room


def _step(low: float, high: float, *, is_whole: bool) -> Decimal:
    """Between ticks: 1, 2, 2.5 or 5 times a power of ten, so that there are at most eight of them."""
    least = (high - low) / 8
    power = Decimal(10) ** math.floor(math.log10(least))
    step = next(step for times in ("1", "2", "2.5", "5", "10") if (step := power * Decimal(times)) >= least)
    return max(Decimal(math.ceil(step)), Decimal(1)) if is_whole else step


def _text(chart: Chart, value: Decimal | int | None) -> str:
    if value is None:
        return ""
    if chart.form == "lines":
        return presentation.percent(Decimal(value), 2, named=False)
    return presentation.count(int(value))
