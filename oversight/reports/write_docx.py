"""The Word file on the page of GB/T 9704, to be edited and stamped.

Written as WordprocessingML text on python-docx's package: building cell by cell through its objects takes
minutes for a province, and what is written here is just what Word shows.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

from oversight.reports import layout, zipped
from oversight.reports.document import (
    Annex,
    Block,
    ChartRef,
    Heading,
    Paragraph,
    Report,
    Table,
    TableRef,
    half_widths,
)
from oversight.reports.write_xlsx import describe

_NS = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" '
    'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture"'
)
_EMU = 36_000
# Twentieths of a point. 22 lines of 28.95 pt are the 225 mm of the type area; 28 characters of 16 pt, each
# drawn in by a quarter of a point, are its 156 mm.
_PITCH, _SQUEEZE = 579, -5
_PORTRAIT = {"w": 11906, "h": 16838, "top": 2098, "bottom": 1984, "left": 1588, "right": 1474}
_LANDSCAPE = {"w": 16838, "h": 11906, "top": 1588, "bottom": 1474, "left": 2098, "right": 1984}
_RED = "D40000"
_SHORT_TABLE = 14
# 35 mm.
_HEAD_DROP = 1984
# Another computer's figures may be wider than those of the font asked for.
_SLACK = 1.25


def write(report: Report, pictures: dict[str, bytes]) -> bytes:
    """The file's bytes, still to be settled (`zipped`). `pictures` holds the charts as PNG, by key."""
    from docx import Document

    document = Document()
    _styles(document, report.fonts)
    _properties(document, report)
    xml = "".join(_Writer(document, report, pictures).parts())
    held = io.BytesIO()
    document.save(held)
    # Text, not elements: python-docx needs minutes to take over the tree of a table of 2,000 rows.
    body = f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<w:document {_NS}><w:body>{xml}</w:body></w:document>'
    return zipped.replaced(held.getvalue(), {"word/document.xml": body.encode()})


def _styles(document: Any, fonts: dict[str, str]) -> None:
    from docx.enum.text import WD_LINE_SPACING
    from docx.oxml import parse_xml
    from docx.oxml.ns import qn
    from docx.shared import Pt

    latin = fonts["word_latin"]

    def font(style: Any, family: str, size: float, *, bold: bool = False) -> None:
        old = style.element.find(qn("w:rPr"))
        if old is not None:
            style.element.remove(old)
        half = round(size * 2)
        weight = "<w:b/>" if bold else '<w:b w:val="0"/>'
        style.element.append(
            parse_xml(
                f"<w:rPr {_NS}>{_fonts(family, latin)}{weight}"
                f'<w:color w:val="000000"/><w:spacing w:val="{_SQUEEZE if size == 16 else 0}"/>'
                f'<w:kern w:val="0"/><w:sz w:val="{half}"/><w:szCs w:val="{half}"/>'
                '<w:lang w:val="en-US" w:eastAsia="zh-CN"/></w:rPr>'
            )
        )

    # Two marks that meet take the room of one and a half, as in the PDF.
    settings = document.settings.element
    for name, value in (("characterSpacingControl", "compressPunctuation"), ("themeFontLang", "zh-CN")):
        (element,) = settings.xpath(f"w:{name}")
        element.set(qn("w:val" if name.startswith("char") else "w:eastAsia"), value)

    normal = document.styles["Normal"]
    font(normal, fonts["word_body"], 16)
    normal.paragraph_format.line_spacing_rule = WD_LINE_SPACING.EXACTLY
    normal.paragraph_format.line_spacing = Pt(_PITCH / 20)
    # Figures stand close to the characters around them, as in the PDF; else dates break in narrow columns.
    for name in ("w:autoSpaceDN", "w:autoSpaceDE"):
        normal.element.get_or_add_pPr().insert(0, parse_xml(f'<{name} {_NS} w:val="0"/>'))
    normal.paragraph_format.space_after = normal.paragraph_format.space_before = Pt(0)
    for level, family, bold in (
        (1, fonts["word_heading1"], False),
        (2, fonts["word_heading2"], True),
        (3, fonts["word_body"], True),
    ):
        style = document.styles[f"Heading {level}"]
        font(style, family, 16, bold=bold)
        style.paragraph_format.space_before = style.paragraph_format.space_after = Pt(0)
        style.paragraph_format.keep_with_next = True


def _properties(document: Any, report: Report) -> None:
    made: datetime = report.built_at.replace(tzinfo=None, microsecond=0)
    core = document.core_properties
    core.title, core.author, core.last_modified_by = report.title, report.issuer, report.issuer
    core.subject = f"数据版次 {report.edition_id}"
    core.comments = report.draft
    core.language = "zh-CN"
    core.created = core.modified = made
    core.revision = max(report.version, 1)


def _fonts(family: str, latin: str) -> str:
    return (
        f"<w:rFonts w:ascii={_quoted(latin)} w:hAnsi={_quoted(latin)} w:cs={_quoted(latin)} "
        f"w:eastAsia={_quoted(family)}/>"
    )


def _quoted(text: str) -> str:
    return '"' + escape(text, {'"': "&quot;"}) + '"'


class _Writer:
    """Makes the body's parts in order; keeps count of pictures and of the kind of page."""

    def __init__(self, document: Any, report: Report, pictures: dict[str, bytes]) -> None:
        self.document, self.report, self.pictures = document, report, pictures
        self.count = 0
        self.footers = ""

    def parts(self) -> Iterable[str]:
        """Body XML: head, text, signature, annexes, the last section."""
        report = self.report
        self.footers = self._footers()
        yield from self._head()
        text = [*report.opening, *report.body]
        for place, block in enumerate(text, start=1):
            # A page of signatures alone would be open to abuse: the last lines before them stay with them.
            is_last = place == len(text) and not report.annexes
            yield from self._block(block, layout.PORTRAIT_UNITS, _PORTRAIT, keep=is_last)
        yield from self._signature()
        is_wide = False
        for annex in report.annexes:
            yield self._break(_LANDSCAPE if is_wide else _PORTRAIT)
            is_wide = layout.is_landscape(annex)
            yield from self._annex(annex, is_wide)
        yield from self._colophon()
        yield f"<w:sectPr>{self._section(_LANDSCAPE if is_wide else _PORTRAIT)}</w:sectPr>"

    # Pages ------------------------------------------------------------------------------------------------

    def _footers(self) -> str:
        from docx.oxml import parse_xml
        from docx.oxml.xmlchemy import serialize_for_reading

        self.document.settings.odd_and_even_pages_header_footer = True
        section = self.document.sections[0]
        for footer, side in ((section.footer, "right"), (section.even_page_footer, "left")):
            footer.is_linked_to_previous = False
            number = (
                f'<w:p {_NS}><w:pPr><w:spacing w:line="320" w:lineRule="exact"/>'
                f'<w:ind w:{side}="280"/><w:jc w:val="{side}"/></w:pPr>'
                + _run("— ", size=14)
                + '<w:r><w:rPr><w:sz w:val="28"/></w:rPr><w:fldChar w:fldCharType="begin"/></w:r>'
                + '<w:r><w:rPr><w:sz w:val="28"/></w:rPr><w:instrText xml:space="preserve"> PAGE </w:instrText></w:r>'
                + '<w:r><w:rPr><w:sz w:val="28"/></w:rPr><w:fldChar w:fldCharType="separate"/></w:r>'
                + _run("1", size=14)
                + '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
                + _run(" —", size=14)
                + "</w:p>"
            )
            _replace(footer, parse_xml(number))
        if self.report.draft:
            for header in (section.header, section.even_page_header):
                header.is_linked_to_previous = False
                text = _paragraph(_run(self.report.draft, size=10.5, colour="B93A0B"), align="center", line=0)
                _replace(header, parse_xml(text.replace("<w:p>", f"<w:p {_NS}>", 1)))
        references = section._sectPr.xpath("w:headerReference | w:footerReference")
        return "".join(serialize_for_reading(item) for item in references)

    def _section(self, page: dict[str, int]) -> str:
        across = ' w:orient="landscape"' if page is _LANDSCAPE else ""
        return (
            f"{self.footers}"
            f'<w:type w:val="nextPage"/><w:pgSz w:w="{page["w"]}" w:h="{page["h"]}"{across}/>'
            f'<w:pgMar w:top="{page["top"]}" w:right="{page["right"]}" w:bottom="{page["bottom"]}" '
            f'w:left="{page["left"]}" w:header="1134" w:footer="1418" w:gutter="0"/>'
            f'<w:docGrid w:type="lines" w:linePitch="{_PITCH}"/>'
        )

    def _break(self, page: dict[str, int]) -> str:
        """Ends a section in a line too low to be seen, so that a full page is not followed by an empty one."""
        return (
            '<w:p><w:pPr><w:spacing w:line="20" w:lineRule="exact"/><w:rPr><w:sz w:val="2"/></w:rPr>'
            f"<w:sectPr>{self._section(page)}</w:sectPr></w:pPr></w:p>"
        )

    # Head and signature -----------------------------------------------------------------------------------

    def _head(self) -> Iterable[str]:
        report, title = self.report, self.report.fonts["word_title"]
        if report.red_head:
            size = min(46.0, 430 / max(len(report.red_head), 1))
            # 35 mm from the type area's edge to the head: its line is as high as its characters.
            yield _paragraph("", line=_HEAD_DROP)
            yield _paragraph(
                _run(report.red_head, size=size, font=title, colour=_RED),
                align="center",
                line=round(size * 20),
            )
            yield _paragraph("", line=_PITCH * 2)
            # Below the number a line as high as its characters, and 4 mm to the red line.
            yield _paragraph(
                _run(report.document_no),
                align="center",
                line=320,
                border=f'<w:pBdr><w:bottom w:val="single" w:sz="18" w:space="11" w:color="{_RED}"/></w:pBdr>',
            )
        yield _paragraph("", line=_PITCH - 340)
        lines = '</w:t><w:br/><w:t xml:space="preserve">'.join(map(escape, layout.title_lines(report.title)))
        run = f'<w:r><w:rPr>{_fonts(title, report.fonts["word_latin"])}<w:spacing w:val="0"/><w:sz w:val="44"/></w:rPr>'
        yield _paragraph(f"{run}<w:t>{lines}</w:t></w:r>", align="center", line=700)
        if report.draft:
            yield _paragraph(_run(report.draft, size=14, colour="B93A0B"), align="center")
        yield _paragraph("", line=_PITCH - 160)
        yield _paragraph(_run(report.recipients.rstrip("：:") + "："))

    def _signature(self) -> Iterable[str]:
        report = self.report
        if report.annexes:
            yield _paragraph("")
        for place, annex in enumerate(report.annexes):
            front = "附件：" if place == 0 else ""
            text = f"{front}{annex.number}.{annex.title}"
            left = 640 if place == 0 else 640 + 960
            yield _paragraph(_run(text), left=left, keep=place >= len(report.annexes) - 2)
        yield from signed(report.signature, report.dated)

    def _colophon(self) -> Iterable[str]:
        """版记: between lines of 0.35 mm, 四号, with a thinner line within."""
        report = self.report
        if not report.printed:
            return
        thick, thin = 'w:val="single" w:sz="8" w:space="2"', 'w:val="single" w:sz="6" w:space="2"'
        yield _paragraph("", line=240)
        if report.copies:
            yield _paragraph(
                _run(f"抄送：{report.copies}。", size=14),
                border=f'<w:pBdr><w:top {thick} w:color="000000"/><w:bottom {thin} w:color="000000"/></w:pBdr>',
                line=480,
                left=280,
                right=280,
                keep=True,
            )
        top = "" if report.copies else f'<w:top {thick} w:color="000000"/>'
        yield _paragraph(
            _run(report.printed_by, size=14) + "<w:r><w:tab/></w:r>" + _run(report.printed, size=14),
            border=f'<w:pBdr>{top}<w:bottom {thick} w:color="000000"/></w:pBdr>'
            '<w:tabs><w:tab w:val="right" w:pos="8500"/></w:tabs>',
            line=480,
            left=280,
            right=280,
        )

    # Blocks -----------------------------------------------------------------------------------------------

    def _block(self, block: Block, units: int, page: dict[str, int], *, keep: bool = False) -> Iterable[str]:
        if isinstance(block, Heading):
            yield _paragraph(_run(block.text), style=f"Heading{block.level}", indent=True, keep=True)
        elif isinstance(block, Paragraph) and block.is_point:
            yield _paragraph(_run(block.text, size=10.5), align="both", line=282, after=8)
        elif isinstance(block, Paragraph):
            yield _paragraph(_run(block.text), indent=True, align="both", keep=keep)
        elif isinstance(block, ChartRef):
            yield _paragraph(self._picture(block), align="center", line=0, keep=True)
            yield self._caption(block.caption, after=200)
        elif isinstance(block, TableRef):
            if block.caption:
                yield self._caption(block.caption, keep=True)
            yield self._table(block.table, units, page)
            note = block.table.paper_note
            # Two tables with nothing between them would become one; the line that follows has room above its text.
            yield _paragraph(_run(note, size=9) if note else "", line=260 if note else 20, after=100)

    def _caption(self, text: str, *, keep: bool = False, after: int = 60) -> str:
        heading = self.report.fonts["word_heading1"]
        return _paragraph(
            _run(text, size=12, font=heading), align="center", line=400, before=80, after=after, keep=keep
        )

    def _annex(self, annex: Annex, is_wide: bool) -> Iterable[str]:
        fonts = self.report.fonts
        units = layout.LANDSCAPE_UNITS if is_wide else layout.PORTRAIT_UNITS
        page = _LANDSCAPE if is_wide else _PORTRAIT
        yield _paragraph(_run(annex.label, font=fonts["word_heading1"]), keep=True)
        yield _paragraph(
            _run(annex.title, size=18, font=fonts["word_title"]),
            align="center",
            line=600,
            after=120,
            keep=True,
        )
        for block in annex.blocks:
            yield from self._block(block, units, page)

    def _picture(self, block: ChartRef) -> str:
        content = self.pictures[block.chart.key]
        relation, _ = self.document.part.get_or_add_image(io.BytesIO(content))
        across, down = (int.from_bytes(content[at : at + 4], "big") for at in (16, 20))
        width = 155 * _EMU
        height = round(width * down / across)
        self.count += 1
        name = _quoted(block.caption)
        return (
            f'<w:r><w:drawing><wp:inline distT="0" distB="0" distL="0" distR="0"><wp:extent cx="{width}" cy="{height}"/>'
            f'<wp:docPr id="{self.count}" name={name} descr={_quoted(describe(block.chart))}/><a:graphic>'
            '<a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:pic><pic:nvPicPr>'
            f'<pic:cNvPr id="{self.count}" name={name}/><pic:cNvPicPr/></pic:nvPicPr><pic:blipFill>'
            f'<a:blip r:embed="{relation}"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill><pic:spPr><a:xfrm>'
            f'<a:off x="0" y="0"/><a:ext cx="{width}" cy="{height}"/></a:xfrm><a:prstGeom prst="rect"><a:avLst/>'
            "</a:prstGeom></pic:spPr></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r>"
        )

    def _table(self, table: Table, units: int, page: dict[str, int]) -> str:
        printed = table.printed
        columns = [table.columns[position] for position in printed]
        space = page["w"] - page["left"] - page["right"]
        shares = layout.widths(table, units, slack=_SLACK)
        # Where there is no room for another computer's wider figures, all stand a little smaller.
        size = 9 if sum(layout.widths(table, 0)) * _SLACK <= units else 7.5
        wide = [int(space * share / sum(shares)) for share in shares]
        heading = self.report.fonts["word_heading1"]
        grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in wide)
        head = "".join(
            _cell(
                _run(column.title, size=size, font=heading), width, "center", size, fill="E8ECF1", keep=True
            )
            for column, width in zip(columns, wide, strict=True)
        )
        rows = [f"<w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>{head}</w:tr>"]
        sides = ["right" if column.is_number else "left" for column in columns]
        rows_shown = table.paper_texts
        # A short table stays whole; the total of a long one does not stand alone on a page.
        kept = len(rows_shown) if len(rows_shown) <= _SHORT_TABLE else 2
        for left, texts in zip(range(len(rows_shown), 0, -1), rows_shown, strict=True):
            keep = left <= kept and (left > 1 or table.total is not None)
            rows.append(_row(texts, wide, sides, size=size, keep=keep))
        if table.total_texts is not None:
            rows.append(_row(table.total_texts, wide, sides, size=size, fill="F2F4F6", bold=True))
        borders = "".join(
            f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="55606D"/>'
            for side in ("top", "left", "bottom", "right", "insideH", "insideV")
        )
        return (
            f'<w:tbl><w:tblPr><w:tblW w:w="{sum(wide)}" w:type="dxa"/><w:jc w:val="center"/>'
            f"<w:tblBorders>{borders}</w:tblBorders>"
            '<w:tblLayout w:type="fixed"/><w:tblCellMar><w:left w:w="50" w:type="dxa"/>'
            f'<w:right w:w="50" w:type="dxa"/></w:tblCellMar></w:tblPr><w:tblGrid>{grid}</w:tblGrid>'
            f"{''.join(rows)}</w:tbl>"
        )


def signed(name: str, dated: str) -> list[str]:
    """The last lines: the date's end four characters from the edge, the name centred on it, so that a stamp covers both."""
    wider = (half_widths(name) - half_widths(dated)) * 160
    right = max(1280, wider // 2)
    return [
        _paragraph("", keep=True),
        _paragraph("", keep=True),
        _paragraph(_run(name), align="right", right=right - wider // 2, keep=True),
        _paragraph(_run(dated), align="right", right=right),
    ]


def _row(
    texts: Sequence[str],
    wide: Sequence[int],
    sides: Sequence[str],
    *,
    size: float = 9,
    fill: str = "",
    bold: bool = False,
    keep: bool = False,
) -> str:
    cells = "".join(
        _cell(_run(text, size=size, bold=bold), width, side, size, fill=fill, keep=keep)
        for text, width, side in zip(texts, wide, sides, strict=True)
    )
    return f"<w:tr><w:trPr><w:cantSplit/></w:trPr>{cells}</w:tr>"


def _cell(run: str, width: int, side: str, size: float, *, fill: str = "", keep: bool = False) -> str:
    shade = f'<w:shd w:val="clear" w:color="auto" w:fill="{fill}"/>' if fill else ""
    kept = "<w:keepNext/>" if keep else ""
    # The pitch of the PDF's tables: as high as its font asks, a line would differ from computer to computer.
    line = round(size * 1.45 * 20)
    return (
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{shade}<w:vAlign w:val="center"/></w:tcPr>'
        f'<w:p><w:pPr>{kept}<w:snapToGrid w:val="0"/><w:spacing w:before="30" w:after="30" w:line="{line}" '
        f'w:lineRule="exact"/><w:jc w:val="{side}"/></w:pPr>{run}</w:p></w:tc>'
    )


def _run(text: str, *, size: float = 0, font: str = "", colour: str = "", bold: bool = False) -> str:
    look = f"<w:rFonts w:eastAsia={_quoted(font)}/>" if font else ""
    look += "<w:b/>" if bold else ""
    look += f'<w:color w:val="{colour}"/>' if colour else ""
    look += (
        f'<w:spacing w:val="0"/><w:sz w:val="{round(size * 2)}"/><w:szCs w:val="{round(size * 2)}"/>'
        if size
        else ""
    )
    return (
        f'<w:r>{f"<w:rPr>{look}</w:rPr>" if look else ""}<w:t xml:space="preserve">{escape(text)}</w:t></w:r>'
    )


def _paragraph(
    runs: str,
    *,
    style: str = "",
    align: str = "",
    line: int | None = None,
    before: int = 0,
    after: int = 0,
    left: int = 0,
    right: int = 0,
    indent: bool = False,
    keep: bool = False,
    border: str = "",
) -> str:
    """A paragraph; `line` is its exact line pitch in twentieths of a point, 0 for as high as its content."""
    look = f'<w:pStyle w:val="{style}"/>' if style else ""
    look += "<w:keepNext/>" if keep else ""
    look += border
    if line is not None:
        # What is not running text stands off the grid of lines, or each caption would take two of them.
        look += '<w:snapToGrid w:val="0"/>'
    if line is not None or before or after:
        rule = "auto" if line == 0 else "exact"
        pitch = 240 if line == 0 else line or _PITCH
        look += f'<w:spacing w:before="{before}" w:after="{after}" w:line="{pitch}" w:lineRule="{rule}"/>'
    if indent:
        look += '<w:ind w:firstLineChars="200" w:firstLine="640"/>'
    elif left or right:
        look += f'<w:ind w:left="{left}" w:right="{right}"/>'
    look += f'<w:jc w:val="{align}"/>' if align else ""
    return f"<w:p>{f'<w:pPr>{look}</w:pPr>' if look else ''}{runs}</w:p>"


def _replace(part: Any, paragraph: Any) -> None:
    element = part._element
    for child in list(element):
        element.remove(child)
    element.append(paragraph)
