"""The PDF, set by typst from `defaults/report.typ`; embedded fonts, no file outside the temporary folder."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from oversight.reports import fonts, layout
from oversight.reports.charts import height_mm
from oversight.reports.config import DEFAULTS
from oversight.reports.document import Block, ChartRef, Heading, Paragraph, Report, Table, TableRef
from oversight.reports.errors import ReportError
from oversight.reports.write_xlsx import describe
from oversight.settings import TIME_ZONE

# What would leave too much of a page empty when it does not fit.
_TALL_MM = 60
_TAGGED_CELLS = 10_000


def write(
    report: Report,
    pictures: dict[str, bytes],
    families: dict[str, list[str]],
    own_fonts: Path,
    *,
    form: Literal["pdf", "png"] = "pdf",
) -> bytes:
    """The file's bytes, or as `png` the first page, to be looked at.

    `pictures` holds the charts as SVG; `families` the fonts, best first.
    """
    # Tags let a screen reader walk the tables; in a book of tables they are most of the file.
    return set_pages(
        "report.typ",
        _data(report, families),
        report.built_at,
        own_fonts,
        pictures=pictures,
        form=form,
        is_tagged=_cells(report) <= _TAGGED_CELLS,
    )


def set_pages(
    template: str,
    data: dict[str, Any],
    made: datetime,
    own_fonts: Path,
    *,
    pictures: Mapping[str, bytes] | None = None,
    form: Literal["pdf", "png"] = "pdf",
    is_tagged: bool = True,
) -> bytes:
    """What a template of `defaults/` makes of `data`, which it reads as report.json: PDF/A-2, or the first page as png.

    Text is never read as mark-up. Raises `ReportError`.
    """
    import typst

    standard: Literal["a-2a", "a-2u"] | None = None
    if form == "pdf":
        standard = "a-2a" if is_tagged else "a-2u"
    stamp = made if made.tzinfo else made.replace(tzinfo=TIME_ZONE)
    with tempfile.TemporaryDirectory(prefix="oversight-") as place:
        root = Path(place)
        (root / template).write_bytes((DEFAULTS / template).read_bytes())
        (root / "report.json").write_text(json.dumps(data, ensure_ascii=False), "utf-8")
        for key, picture in (pictures or {}).items():
            (root / f"{key}.svg").write_bytes(picture)
        paths = [str(fonts.folder())]
        if own_fonts.is_dir():
            paths.insert(0, str(own_fonts))
        try:
            made_of: bytes | list[bytes] = typst.compile(
                str(root / template),
                root=str(root),
                format=form,
                font_paths=paths,
                # The same pages on every computer: no font of the system's own.
                ignore_system_fonts=True,
                timestamp=int(stamp.timestamp()),
                pdf_tags=is_tagged,
                pdf_standards=standard,
            )
        except typst.TypstError as error:
            raise ReportError(
                f"PDF 排版失败：{error.message}。请检查 report/fonts 里的字体后重新生成。"
            ) from error
    page = made_of[0] if isinstance(made_of, list) else made_of
    # The default, spelt out, makes readers that know an older form of the entry complain; its bytes become blanks.
    return page.replace(_SUSPECTS, b" " * len(_SUSPECTS), 1) if form == "pdf" else page


_SUSPECTS = b"/Suspects false"


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
            "tall": height_mm(block.chart) > _TALL_MM,
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
