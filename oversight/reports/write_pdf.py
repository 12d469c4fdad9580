"""The PDF, set by typst from `defaults/report.typ`; embedded fonts, no file outside the temporary folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from oversight.reports import charts, layout
from oversight.reports.document import Block, ChartRef, Heading, Paragraph, Report, Table, TableRef
from oversight.reports.typesetting import last_page, set_pages
from oversight.reports.write_xlsx import describe

# What would leave too much of a page empty when it does not fit.
_TALL_MM = 60
_TAGGED_CELLS = 10_000
# Fewer free lines on the last page and the text, as Word breaks it, would need another.
_SPARE_LINES = 2


def write(
    report: Report,
    families: dict[str, list[str]],
    own_fonts: Path,
    *,
    form: Literal["pdf", "png"] = "pdf",
) -> bytes:
    """The file's bytes, or as `png` the first page, to be looked at. `families`: the fonts, best first."""
    # Tags let a screen reader walk the tables; in a book of tables they are most of the file.
    return set_pages(
        "report.typ",
        _data(report, families),
        report.built_at,
        own_fonts,
        pictures=charts.draw((ref.chart for ref in report.charts), "svg"),
        form=form,
        is_tagged=_cells(report) <= _TAGGED_CELLS,
    )


def body_pages(report: Report, families: dict[str, list[str]], own_fonts: Path) -> int:
    """On how many pages the text, the list of annexes and the date stand, in Word too, which may break lines earlier."""
    bare = replace(report, annexes=tuple(replace(annex, blocks=()) for annex in report.annexes))
    blank = charts.blank(ref.chart for ref in bare.charts)
    return last_page("report.typ", {**_data(bare, families), "spare": _SPARE_LINES}, own_fonts, blank)


def _cells(report: Report) -> int:
    return sum(len(ref.table.paper_rows) * len(ref.table.printed) for ref in report.tables)


def _data(report: Report, families: dict[str, list[str]]) -> dict[str, Any]:
    return {
        "title": report.title,
        "title_lines": layout.title_lines(report.title),
        "issuer": report.issuer,
        "red_head": report.red_head,
        "document_no": report.document_no,
        "recipients": report.recipients.rstrip("：:"),
        "draft": report.draft,
        "signature": report.signature,
        "dated": report.dated,
        "copies": report.copies,
        "printed_by": report.printed_by,
        "printed": report.printed,
        "fonts": families,
        "spare": 0,
        "blocks": [_block(block, layout.PORTRAIT_UNITS) for block in (*report.opening, *report.body)],
        "annexes": [
            {
                "number": annex.number,
                "label": annex.label,
                "title": annex.title,
                "landscape": layout.is_landscape(annex),
                "blocks": [
                    _block(
                        block,
                        layout.LANDSCAPE_UNITS if layout.is_landscape(annex) else layout.PORTRAIT_UNITS,
                    )
                    for block in annex.blocks
                ],
            }
            for annex in report.annexes
        ],
    }


def _block(block: Block, units: int) -> dict[str, Any]:
    if isinstance(block, Heading):
        return {"kind": "heading", "level": block.level, "text": block.text}
    if isinstance(block, Paragraph):
        return {"kind": "point" if block.is_point else "paragraph", "text": block.text}
    if isinstance(block, ChartRef):
        return {
            "kind": "chart",
            "file": f"{block.chart.key}.svg",
            "caption": block.caption,
            "alt": describe(block.chart),
            "tall": charts.height_mm(block.chart) > _TALL_MM,
        }
    assert isinstance(block, TableRef)
    return {
        "kind": "table",
        "caption": block.caption,
        "note": block.table.paper_note,
        **_table(block.table, units),
    }


def _table(table: Table, units: int) -> dict[str, Any]:
    printed = table.printed
    columns = [table.columns[position] for position in printed]
    return {
        "columns": [
            {"title": column.title, "number": column.is_number, "width": width}
            for column, width in zip(columns, layout.widths(table, units), strict=True)
        ],
        "rows": table.paper_texts,
        "total": table.total_texts,
    }
