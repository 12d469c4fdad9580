"""Reads the four formats back as a reader's program would, knowing nothing of how they were written."""

from __future__ import annotations

import io
import re
from collections import Counter
from typing import Any

import openpyxl
import pypdf
from docx import Document
from lxml import html

NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_PAGE_NUMBER = re.compile(r"—\s*\d+\s*—")


def numbers(text: str) -> Counter[str]:
    """Every number in a text, as often as it stands there."""
    return Counter(NUMBER.findall(text))


def squeezed(text: str) -> str:
    """Without any white space: where lines break is no part of what is said."""
    return re.sub(r"\s+", "", text)


def docx_document(content: bytes) -> Any:
    """The document."""
    return Document(io.BytesIO(content))


def docx_tables(content: bytes) -> list[list[list[str]]]:
    """Cells of every table."""
    document = Document(io.BytesIO(content))
    return [
        [["".join(p.text for p in cell.paragraphs) for cell in row.cells] for row in table.rows]
        for table in document.tables
    ]


def docx_paragraphs(content: bytes) -> list[str]:
    """Text outside tables."""
    return [paragraph.text for paragraph in Document(io.BytesIO(content)).paragraphs]


def docx_text(content: bytes) -> str:
    """Everything."""
    cells = (cell for table in docx_tables(content) for row in table for cell in row)
    return "\n".join([*docx_paragraphs(content), *cells])


def pdf_pages(content: bytes) -> list[str]:
    """Text of each page, without its page number."""
    return [_PAGE_NUMBER.sub("", page.extract_text()) for page in pypdf.PdfReader(io.BytesIO(content)).pages]


def pdf_text(content: bytes) -> str:
    """Everything."""
    return "\n".join(pdf_pages(content))


def html_root(content: bytes) -> Any:
    """The page."""
    return html.document_fromstring(content.decode())


def html_tables(content: bytes) -> dict[str, list[list[str]]]:
    """Cells of every table by its key; a table that stands twice is read once."""
    return {
        table.get("data-key"): [
            ["".join(cell.itertext()) for cell in row.xpath("./td|./th")] for row in table.xpath(".//tr")
        ]
        for table in html_root(content).xpath("//table")
    }


def html_paragraphs(content: bytes) -> list[str]:
    """Headings and paragraphs of the text."""
    return [
        "".join(item.itertext())
        for item in html_root(content).xpath("//main//p|//main//h2|//main//h3|//main//h4")
    ]


def xlsx(content: bytes, *, values: bool = True) -> Any:
    """The workbook: values, or formulas."""
    return openpyxl.load_workbook(io.BytesIO(content), data_only=values)
