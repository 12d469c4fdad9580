"""A letter (函) on the page that GB/T 9704-2012 section 10.1 describes, as Word and PDF.

The issuer in red, its upper edge 30 mm below the page's; 4 mm below it a red double line, thick over thin, and 20 mm
above the page's lower edge one thin over thick, both 170 mm long; the number at the right edge below the first line; no
page number on the first page.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from oversight.reports import layout, zipped
from oversight.reports.typesetting import set_pages
from oversight.reports.write_docx import (
    _NS,
    _PITCH,
    _PORTRAIT,
    _RED,
    _fonts,
    _paragraph,
    _replace,
    _run,
    _styles,
    signed,
)

# 170 mm from edge to edge: beyond the type area by 8 mm at the left and 6 mm at the right.
_OUT_LEFT, _OUT_RIGHT = -454, -340
_HEAD_TOP, _FOOT = 1701, 1134
_COLOURS = {"blue": "1F5FA8", "yellow": "8A5A00", "red": "D40000"}


@dataclass(frozen=True)
class Letter:
    """What a letter says."""

    issuer: str
    document_no: str
    title: str
    recipients: str
    paragraphs: tuple[str, ...]
    attachments: tuple[str, ...]
    signature: str
    dated: str
    # What stands where an official paper has its urgency: 督办等级, and its colour.
    mark: str = ""
    colour: str = ""
    draft: str = ""
    made: datetime = datetime(2000, 1, 1)  # noqa: DTZ001 - replaced by the day of issue
    style: dict[str, Any] = field(default_factory=dict)


def write_pdf(letter: Letter, own_fonts: Path, *, form: Literal["pdf", "png"] = "pdf") -> bytes:
    """The PDF, or as `png` its first page. Raises `ReportError`."""
    return set_pages(
        "letter.typ",
        {
            "issuer": letter.issuer,
            "document_no": letter.document_no,
            "title": letter.title,
            "title_lines": layout.title_lines(letter.title),
            "recipients": letter.recipients.rstrip("：:"),
            "paragraphs": list(letter.paragraphs),
            "attachments": list(letter.attachments),
            "signature": letter.signature,
            "dated": letter.dated,
            "mark": letter.mark,
            "colour": f"#{_COLOURS.get(letter.colour, '000000')}",
            "draft": letter.draft,
            "fonts": {
                name: letter.style[f"pdf_{name}"] for name in ("title", "body", "heading1", "heading2")
            },
        },
        letter.made,
        own_fonts,
        form=form,
    )


def write_docx(letter: Letter) -> bytes:
    """The Word file."""
    from docx import Document
    from docx.oxml import parse_xml
    from docx.oxml.xmlchemy import serialize_for_reading

    document = Document()
    style = {name: str(value) for name, value in letter.style.items() if name.startswith("word_")}
    _styles(document, style)
    core = document.core_properties
    core.title, core.author, core.last_modified_by = letter.title, letter.issuer, letter.issuer
    core.comments, core.language = letter.draft, "zh-CN"
    core.created = core.modified = letter.made.replace(tzinfo=None, microsecond=0)
    section = document.sections[0]
    section.different_first_page_header_footer = True
    document.settings.odd_and_even_pages_header_footer = True

    def put(part: Any, paragraphs: str) -> None:
        part.is_linked_to_previous = False
        items = [
            parse_xml(f"<w:p {_NS}>{text}</w:p>".replace(f"<w:p {_NS}><w:p>", f"<w:p {_NS}>", 1))
            for text in paragraphs.split("</w:p>")
            if text
        ]
        _replace(part, items[0])
        for item in items[1:]:
            part._element.append(item)

    size = min(36.0, 430 / max(len(letter.issuer), 1))
    head = _paragraph(
        _run(letter.issuer, size=size, font=style["word_title"], colour=_RED),
        align="center",
        line=round(size * 20),
    )
    put(section.first_page_header, head + _line("bottom", "thickThinSmallGap", 227))
    put(section.first_page_footer, _line("top", "thinThickSmallGap", 20))
    for footer, side in ((section.footer, "right"), (section.even_page_footer, "left")):
        put(footer, _number(side))
    references = section._sectPr.xpath("w:headerReference | w:footerReference")
    kept = "".join(serialize_for_reading(item) for item in references)
    page = _PORTRAIT
    ending = (
        f'<w:sectPr>{kept}<w:type w:val="nextPage"/><w:pgSz w:w="{page["w"]}" w:h="{page["h"]}"/>'
        f'<w:pgMar w:top="{page["top"]}" w:right="{page["right"]}" w:bottom="{page["bottom"]}" '
        f'w:left="{page["left"]}" w:header="{_HEAD_TOP}" w:footer="{_FOOT}" w:gutter="0"/><w:titlePg/>'
        f'<w:docGrid w:type="lines" w:linePitch="{_PITCH}"/></w:sectPr>'
    )
    xml = "".join(_body(letter, style)) + ending
    held = io.BytesIO()
    document.save(held)
    text = f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<w:document {_NS}><w:body>{xml}</w:body></w:document>'
    content = zipped.replaced(held.getvalue(), {"word/document.xml": text.encode()})
    return zipped.settled(content, letter.made)


def _line(side: str, kind: str, height: int) -> str:
    border = f'<w:pBdr><w:{side} w:val="{kind}" w:sz="24" w:space="0" w:color="{_RED}"/></w:pBdr>'
    return _paragraph("", line=height, left=_OUT_LEFT, right=_OUT_RIGHT, border=border)


def _number(side: str) -> str:
    return (
        f'<w:p><w:pPr><w:spacing w:line="320" w:lineRule="exact"/><w:ind w:{side}="280"/><w:jc w:val="{side}"/></w:pPr>'
        + _run("— ", size=14)
        + '<w:r><w:rPr><w:sz w:val="28"/></w:rPr><w:fldChar w:fldCharType="begin"/></w:r>'
        + '<w:r><w:rPr><w:sz w:val="28"/></w:rPr><w:instrText xml:space="preserve"> PAGE </w:instrText></w:r>'
        + '<w:r><w:rPr><w:sz w:val="28"/></w:rPr><w:fldChar w:fldCharType="end"/></w:r>'
        + _run(" —", size=14)
        + "</w:p>"
    )


def _body(letter: Letter, style: dict[str, str]) -> list[str]:
    title = style["word_title"]
    # The first elements stand 7/8 of a character below the line.
    parts = [
        _paragraph(
            _run(letter.mark, size=16, font=style["word_heading1"], colour=_COLOURS.get(letter.colour, ""))
            + "<w:r><w:tab/></w:r>"
            + _run(letter.document_no),
            line=320,
            before=280,
            border='<w:tabs><w:tab w:val="right" w:pos="8844"/></w:tabs>',
        ),
        _paragraph(""),
        _paragraph(""),
    ]
    for text in layout.title_lines(letter.title):
        run = f'<w:r><w:rPr>{_fonts(title, style["word_latin"])}<w:spacing w:val="0"/><w:sz w:val="44"/></w:rPr>'
        parts.append(_paragraph(f"{run}<w:t>{_escaped(text)}</w:t></w:r>", align="center", line=700))
    if letter.draft:
        parts.append(_paragraph(_run(letter.draft, size=14, colour="B93A0B"), align="center"))
    parts += [_paragraph(""), _paragraph(_run(letter.recipients.rstrip("：:") + "："))]
    parts += [
        _paragraph(_run(text), indent=True, align="both", keep=number == len(letter.paragraphs))
        for number, text in enumerate(letter.paragraphs, 1)
    ]
    if letter.attachments:
        parts.append(_paragraph(""))
    for number, text in enumerate(letter.attachments, 1):
        front = "附件：" if number == 1 else ""
        several = f"{number}." if len(letter.attachments) > 1 else ""
        parts.append(
            _paragraph(_run(f"{front}{several}{text}"), left=640 if number == 1 else 640 + 960, keep=True)
        )
    return [*parts, *signed(letter.signature, letter.dated)]


def _escaped(text: str) -> str:
    from xml.sax.saxutils import escape

    return escape(text)
