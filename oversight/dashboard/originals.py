"""The policy documents as a bureau laid them in: which are there, where a clause stands, and the document opened there.

Law is public: whoever may look at pages may read them. A document is named by its number in the standards, never by a
path, and is shown as words on a page of ours; the file itself can only be taken away.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import flask

from oversight.accounts import record
from oversight.dashboard import queries
from oversight.dashboard.access import EVERYTHING
from oversight.dashboard.gate import refusal
from oversight.dashboard.inputs import DocumentFile, DocumentQuery, given, takes
from oversight.dashboard.shelf import Shelf, Unavailable
from oversight.dashboard.warehouse import Row, Warehouse
from oversight.policies.finding import Place, Span, Text
from oversight.policies.laid_in import LaidIn, Named, Texts, laid_in
from oversight.policies.reading import Paragraph, Unreadable
from oversight.settings import DataFolder

# Paragraphs of a document on one page, and how many of them stand before the place that is meant.
SHOWN = 400
BEFORE = 40
_GONE = "没有这份文件。请从政策标准页重新打开。"

log = logging.getLogger(__name__)


@cache
def texts(folder: DataFolder) -> Texts:
    """What the files of a data folder say."""
    return Texts(folder)


def files(w: Warehouse) -> LaidIn:
    """Which of an edition's documents are laid in, now."""
    documents = queries.documents(w, EVERYTHING)
    return laid_in(
        w.folder,
        [Named(row["document_id"], row["document_title"], row["document_no"] or "") for row in documents],
    )


def read_all(w: Warehouse) -> None:
    """Read every document once, so that whoever looks for words does not wait for it."""
    for path in files(w).files.values():
        try:
            texts(w.folder).of(path)
        except Unreadable as error:
            log.warning("policy document %s: %s", path.name, error)


def address(document: str, edition: str, *, rule: str = "", at: int = 0, q: str = "") -> str:
    """Where a document is opened: at a rule's clause, or at a paragraph with words marked."""
    asked = {"rule": rule, "at": str(at or ""), "q": q, "edition": edition}
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"/document/{quote(document, safe='')}?{query}" + ("#place" if rule or at else "")


def place_of(text: Text, rule: Row) -> Place | None:
    """Where a rule's clause stands."""
    return text.find(rule["quotation"]) if rule["quotation"] else None


def said_place(paragraph: Paragraph, number: int) -> str:
    """A place in words: the clause, the page where the file tells it, the paragraph."""
    told = [paragraph.clause, f"第 {paragraph.page} 页" if paragraph.page else "", f"第 {number + 1} 段"]
    return "，".join(part for part in told if part)


def pieces(text: str, spans: Sequence[Span]) -> list[tuple[str, bool]]:
    """A paragraph cut where its marks begin and end, with whether each piece is marked."""
    cuts = sorted({0, len(text), *(bound for span in spans for bound in (span.start, span.end))})
    return [
        (text[start:end], any(span.start <= start and end <= span.end for span in spans))
        for start, end in pairwise(cuts)
    ]


def register(server: flask.Flask, shelf: Shelf, page: Callable[..., flask.Response]) -> None:
    """Add the routes. `page` renders one of our plain pages."""

    def found(name: str) -> tuple[Warehouse, Row, Path] | None:
        edition = given(DocumentQuery).edition or shelf.current_id() or ""
        try:
            w = shelf.warehouse(edition)
        except Unavailable:
            return None
        row = next((row for row in queries.documents(w, w.scope) if row["document_id"] == name), None)
        path = files(w).files.get(name) if row else None
        return (w, row, path) if row is not None and path is not None else None

    @server.get("/document/<name>")
    @takes(path=DocumentFile, query=DocumentQuery)
    def document(name: str) -> flask.Response:
        """A policy document, its text around a place."""
        opened = found(name)
        if opened is None:
            return refusal(_GONE, 404)
        w, row, path = opened
        asked = given(DocumentQuery)
        try:
            text: Text | None = texts(shelf.folder).of(path)
            wrong = ""
        except Unreadable as error:
            text, wrong = None, str(error)
        rules = [rule for rule in queries.standards(w, w.scope) if rule["document_id"] == name]
        return page(
            "document",
            row["document_title"],
            document=row,
            file_name=path.name,
            unread=wrong,
            whole=f"/document/{quote(name, safe='')}/whole?{urlencode({'edition': asked.edition})}",
            **(_shown(text, rules, asked, name) if text is not None else {}),
        )

    @server.get("/document/<name>/whole")
    @takes(path=DocumentFile, query=DocumentQuery)
    def document_whole(name: str) -> flask.Response:
        """The file as it was laid in, to be taken away."""
        opened = found(name)
        if opened is None:
            return refusal(_GONE, 404)
        _, row, path = opened
        try:
            file = path.open("rb")
        except OSError:
            return refusal("这份文件不能读取。请检查数据目录 policy/ 下文件的权限。", 410)
        record.note(shelf.folder, "download", 政策文件=row["document_title"])
        answer = flask.Response(
            flask.stream_with_context(iter(lambda: file.read(1 << 16), b"")),
            content_type="application/octet-stream",
        )
        answer.call_on_close(file.close)
        answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(path.name)}"
        answer.headers["Cache-Control"] = "no-store"
        return answer


def _shown(text: Text, rules: Sequence[Row], asked: DocumentQuery, name: str) -> dict[str, Any]:
    """What the page shows of a document: the clauses found in it, and the paragraphs around the place asked for."""
    rule = next((rule for rule in rules if rule["standard_id"] == asked.rule), None)
    place = place_of(text, rule) if rule is not None else None
    words = asked.q.split()
    at = place.paragraph if place else min(max(0, asked.at - 1), len(text.paragraphs) - 1)
    marks: dict[int, list[Span]] = {}
    if place:
        for span in place.spans:
            marks.setdefault(span.paragraph, []).append(span)
    elif asked.at and words:
        marks[at] = list(text.words_in(at, words))
    first = max(0, at - BEFORE)
    last = min(len(text.paragraphs), first + SHOWN)
    lines = []
    page = None
    for number in range(first, last):
        paragraph = text.paragraphs[number]
        lines.append(
            {
                "number": number + 1,
                "page": paragraph.page if paragraph.page != page else None,
                "pieces": pieces(paragraph.text, marks.get(number, ())),
                "is_place": number == at and bool(place or asked.at),
            }
        )
        page = paragraph.page
    clauses = []
    for own in rules:
        where = place_of(text, own)
        clauses.append(
            {
                "rule": own,
                "where": said_place(text.paragraphs[where.paragraph], where.paragraph) if where else "",
                "is_whole": where is not None and where.is_whole,
                "href": address(name, asked.edition, rule=own["standard_id"]),
            }
        )

    def window(start: int) -> str:
        return address(name, asked.edition, at=start)

    return {
        "rule": rule,
        "place": place,
        "where": said_place(text.paragraphs[at], at),
        "lines": lines,
        "count": len(text.paragraphs),
        "clauses": clauses,
        "earlier": window(max(1, first - SHOWN + BEFORE + 1)) if first else "",
        "later": window(last + 1) if last < len(text.paragraphs) else "",
    }
