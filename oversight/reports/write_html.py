"""One HTML file that opens from a disk without a network: every table whole, charts one can point at.

plotly.js is copied into the file from the installed package. Names are escaped in the page, in the script and
in Plotly's own mark-up.
"""

from __future__ import annotations

import json
from functools import cache
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from oversight.reports.charts import ACCENT, DARK, GREY, wrapped
from oversight.reports.config import DEFAULTS
from oversight.reports.document import (
    Block,
    Chart,
    ChartRef,
    Heading,
    Paragraph,
    Report,
    Table,
    TableRef,
    text_of,
)
from oversight.reports.errors import ReportError
from oversight.reports.write_xlsx import describe

_PATTERNS = ("", "/", ".", "x", "\\")
_FILLS = ("#ffffff", "#f0b89d", "#f7e3a8", "#dde3ea", "#e6dcf7")
_FONT = "'Noto Sans CJK SC','Source Han Sans SC','Microsoft YaHei','PingFang SC',sans-serif"


def write(report: Report) -> bytes:
    """The file's bytes."""
    style = (DEFAULTS / "report.css").read_text("utf-8")
    figures = {ref.chart.key: figure(ref.chart) for ref in report.charts}
    draft = f'<p class="draft" role="note">{escape(report.draft)}</p>' if report.draft else ""
    contents = "".join(
        f'<li><a href="#h{number}">{escape(block.text)}</a></li>'
        for number, block in enumerate(report.body)
        if isinstance(block, Heading) and block.level == 1
    ) + "".join(f'<li><a href="#a{a.number}">{a.label} {escape(a.title)}</a></li>' for a in report.annexes)
    head = (
        f'<p class="issuer">{escape(report.red_head)}</p><p class="number">{escape(report.document_no)}</p><hr>'
        if report.red_head
        else ""
    )
    body = "".join(_block(block, f"h{number}") for number, block in enumerate(report.body))
    annexes = "".join(
        f'<section id="a{annex.number}"><p class="label">{annex.label}</p><h2 class="annex">{escape(annex.title)}</h2>'
        + "".join(_block(block, "") for block in annex.blocks)
        + "</section>"
        for annex in report.annexes
    )
    notes = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in report.notes)
    page = (
        f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><title>{escape(report.title)}</title>'
        f"<style>{style}</style></head><body>{draft}<main><header>{head}<h1>{escape(report.title)}</h1></header>"
        f'<nav aria-label="目录"><ol>{contents}</ol></nav>'
        f'<p class="to">{escape(report.recipients.rstrip("：:"))}：</p>'
        f"{''.join(_block(block, '') for block in report.opening)}{body}"
        f'<p class="sign">{escape(report.signature)}</p><p class="sign">{escape(report.dated)}</p>'
        f"{annexes}{_colophon(report)}"
        f'<section class="notes"><h2>说明</h2><dl>{notes}</dl><p>{escape(report.source)}</p></section></main>'
    )
    if figures:
        page += f"<script>{_plotly()}</script><script>{_script(figures)}</script>"
    return (page + "</body></html>\n").encode()


def _colophon(report: Report) -> str:
    """版记: copies to, printed by, on."""
    if not report.printed:
        return ""
    copies = f"<p>抄送：{escape(report.copies)}。</p>" if report.copies else ""
    return f'<footer class="colophon">{copies}<p>{escape(report.printed_by)}　{escape(report.printed)}</p></footer>'


def _block(block: Block, anchor: str) -> str:
    if isinstance(block, Heading):
        level = block.level + 1
        return f'<h{level} id="{anchor}">{escape(block.text)}</h{level}>'
    if isinstance(block, Paragraph):
        return (
            f'<p class="point">{escape(block.text)}</p>' if block.is_point else f"<p>{escape(block.text)}</p>"
        )
    if isinstance(block, ChartRef):
        key = escape(block.chart.key)
        label = escape(describe(block.chart), quote=True)
        return (
            f'<figure><div class="chart" id="chart-{key}" role="img" aria-label="{label}" '
            f'style="height:{_height(block.chart)}px"></div><figcaption>{escape(block.caption)}</figcaption></figure>'
        )
    assert isinstance(block, TableRef)
    return _table(block.table, block.caption)


def _table(table: Table, caption: str) -> str:
    marks = [" class=n" if c.is_number else " class=m" if c.kind == "month" else "" for c in table.columns]

    def cells(row: Any) -> str:
        return "".join(
            f"<td{mark}>{escape(text_of(value, column.kind))}</td>"
            for mark, column, value in zip(marks, table.columns, row, strict=True)
        )

    head = "".join(
        f'<th scope="col" style="min-width:{min(column.width, 28) * 0.55 + 1:.1f}em">{escape(column.title)}</th>'
        for column in table.columns
    )
    rows = "".join(f"<tr>{cells(row)}</tr>" for row in table.rows)
    total = table.total_row()
    foot = f"<tfoot><tr>{cells(total)}</tr></tfoot>" if total else ""
    note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return (
        f'<div class="table" tabindex="0"><table data-key="{escape(table.key)}">{title}'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody>{foot}</table></div>{note}"
    )


# Charts ---------------------------------------------------------------------------------------------------


def _height(chart: Chart) -> int:
    rows = len(chart.categories)
    return {"dumbbell": 110 + rows * 24, "stacked": 110 + rows * 60, "lines": 300}[chart.form]


def figure(chart: Chart) -> dict[str, Any]:
    """The chart as a Plotly figure: the same values as in the other formats."""
    # Plotly reads <b> and the like in texts.
    names = ["<br>".join(escape(part, quote=False) for part in wrapped(name)) for name in chart.categories]
    traces = {"dumbbell": _dumbbell, "lines": _lines, "stacked": _stacked}[chart.form](chart, names)
    across = chart.form != "lines"
    category = {"type": "category", "autorange": "reversed" if across else True, "automargin": True}
    value = {
        "title": {"text": chart.unit},
        "rangemode": "tozero" if across else "normal",
        "gridcolor": "#e3e7ec",
        "automargin": True,
    }
    return {
        "data": traces,
        "layout": {
            "xaxis": value if across else category,
            "yaxis": category if across else value,
            "barmode": "stack",
            "font": {"family": _FONT, "size": 13, "color": DARK},
            "legend": {
                "orientation": "h",
                "y": 1.02,
                "yanchor": "bottom",
                "x": 0.5,
                "xanchor": "center",
                "traceorder": "normal",
            },
            "margin": {"l": 10, "r": 20, "t": 40, "b": 45},
            "plot_bgcolor": "#ffffff",
            "paper_bgcolor": "#ffffff",
            "hovermode": "closest",
        },
    }


def _values(values: Any) -> list[float | int | None]:
    return [
        None if value is None else int(value) if isinstance(value, int) else float(value) for value in values
    ]


def _dumbbell(chart: Chart, names: list[str]) -> list[dict[str, Any]]:
    wanted, given = chart.series[:2]
    left, right = _values(wanted.values), _values(given.values)
    joined: dict[str, Any] = {
        "type": "scatter",
        "mode": "lines",
        "x": [value for pair in zip(left, right, strict=True) for value in (*pair, None)],
        "y": [each for name in names for each in (name, name, None)],
        "line": {"color": GREY, "width": 3},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    marks = []
    for series, values, fill in ((wanted, left, "#ffffff"), (given, right, ACCENT)):
        marks.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": series.name,
                "x": values,
                "y": names,
                "marker": {"size": 11, "color": fill, "line": {"color": DARK, "width": 1.5}},
                "hovertemplate": f"%{{y}}<br>{series.name} %{{x:,.2f}} {chart.unit}<extra></extra>",
            }
        )
    return [joined, *marks]


def _lines(chart: Chart, names: list[str]) -> list[dict[str, Any]]:
    looks = (("solid", "circle-open", DARK), ("dash", "square", ACCENT))
    return [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": series.name,
            "x": names,
            "y": _values(series.values),
            "line": {"dash": dash, "color": colour, "width": 2},
            "marker": {"symbol": symbol, "size": 8},
            "hovertemplate": f"%{{x}}<br>{series.name} %{{y:.2f}}{chart.unit}<extra></extra>",
        }
        for series, (dash, symbol, colour) in zip(chart.series, looks, strict=False)
    ]


def _stacked(chart: Chart, names: list[str]) -> list[dict[str, Any]]:
    return [
        {
            "type": "bar",
            "orientation": "h",
            "name": series.name,
            "y": names,
            "x": _values(series.values),
            "text": [str(value) if value else "" for value in _values(series.values)],
            "textposition": "inside",
            "insidetextanchor": "middle",
            "textangle": 0,
            "textfont": {"color": DARK},
            "marker": {
                "color": fill,
                "line": {"color": DARK, "width": 1},
                "pattern": {"shape": pattern, "fgcolor": DARK, "size": 6, "solidity": 0.15},
            },
            "hovertemplate": f"%{{y}}<br>{series.name} %{{x}} {chart.unit}<extra></extra>",
        }
        for series, fill, pattern in zip(chart.series, _FILLS, _PATTERNS, strict=False)
    ]


def _script(figures: dict[str, Any]) -> str:
    held = json.dumps(figures, ensure_ascii=False, sort_keys=True).replace("<", "\\u003c")
    return (
        f"const figures={held};for(const [key,f] of Object.entries(figures)){{"
        "Plotly.newPlot('chart-'+key,f.data,f.layout,{displayModeBar:false,responsive:true});}"
    )


@cache
def _plotly() -> str:
    spec = find_spec("plotly")
    path = Path(spec.origin).parent / "package_data" / "plotly.min.js" if spec and spec.origin else None
    if path is None or not path.is_file():
        raise ReportError("缺少图表程序（Python 包 plotly）。请重新执行 make setup。")
    return path.read_text("utf-8").replace("</script", "<\\/script")
