"""搜索: units, rules and clauses, findings, files and pages by one word, from anywhere."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from oversight import presentation as show
from oversight.accounts.identity import current
from oversight.dashboard import originals, queries
from oversight.dashboard.components import card, empty
from oversight.dashboard.elements import html
from oversight.dashboard.heads import title_head
from oversight.dashboard.pages import Page, pages
from oversight.dashboard.queries import Ask, NamedUnit
from oversight.dashboard.spelling import spells
from oversight.dashboard.state import division
from oversight.dashboard.view import View
from oversight.policies.finding import Span
from oversight.policies.reading import Paragraph, Unreadable

# As many of a kind as are looked at before one types more.
SHOWN = 20
# Characters of a clause beside the word that was looked for.
AROUND = 36


def render(view: View) -> list[Any]:
    """The page."""
    # A code with all its noughts is the code without them.
    words = [division(word) or word for word in view.state.get("q").split()]
    title = "搜索"
    head = title_head(view, title)
    if not words:
        return [head, empty("在上方输入单位名称、代码、拼音或首字母，政策条文、问题、文件名里的词，按回车。")]
    parts = [part for part in (_units(view, words), _rules(view, words)) if part is not None]
    parts += [part for part in (_originals(view, words),) if part is not None]
    parts += [part for part in (_findings(view, words), _files(view, words)) if part is not None]
    parts += [part for part in (_pages(view, words),) if part is not None]
    if not parts:
        parts = [
            empty(f"没有找到“{' '.join(words)}”。可以换一个说法，或只输其中几个字；单位也可以输拼音首字母。")
        ]
    return [head, *parts]


def _section(title: str, total: int, items: Sequence[Any], more: Any = None) -> Any:
    counted = f"{title}（{show.count(total)}）"
    note = f"先列 {len(items)} 个，再输几个字可以缩小范围" if total > len(items) and more is None else None
    return card(counted, html.Ul(list(items), className="found"), note=note, actions=more)


def _item(name: Any, href: str, *said: str) -> Any:
    told = "　".join(part for part in said if part)
    return html.Li([html.A(name, href=href), html.Span(told, className="muted")])


def _units(view: View, words: list[str]) -> Any:
    every = queries.named_units(view.warehouse, view.scope)
    found = sorted(
        (unit for unit in every if _is_meant(unit, words)),
        key=lambda unit: (unit.is_former, unit.name != words[-1], not _begins(unit, words), unit.code),
    )
    if not found:
        return None
    items = [
        _item(
            unit.name,
            view.unit_href(unit.code, q=None) if len(unit.code) > 6 else view.state.href("/", unit=unit.code),
            unit.inside,
            unit.code,
            f"现为 {unit.now}" if unit.now else "已撤销" if unit.is_former else "",
        )
        for unit in found[:SHOWN]
    ]
    return _section("单位", len(found), items)


def _is_meant(unit: NamedUnit, words: list[str]) -> bool:
    """Every word is in the unit's name, in what it lies in, or is the beginning of its code."""
    for word in words:
        if word.isdigit():
            if not unit.code.startswith(word):
                return False
        elif re.fullmatch(r"[A-Za-z']+", word):
            typed = word.lower().replace("'", "")
            if not spells(typed, unit.name) and not (len(words) > 1 and spells(typed, unit.inside)):
                return False
        elif word not in unit.name and not (len(words) > 1 and word in unit.inside):
            return False
    return True


def _begins(unit: NamedUnit, words: list[str]) -> bool:
    return unit.name.startswith(words[-1]) or unit.code.startswith(words[-1])


def _rules(view: View, words: list[str]) -> Any:
    items = []
    quoted_tiers: dict[str, list[str]] = {}
    for tier in queries.all_tiers(view.warehouse, view.scope):
        quoted_tiers.setdefault(tier["standard_id"], []).append(tier["quotation"] or "")
    for rule in queries.standards(view.warehouse, view.scope):
        told = [
            rule[name] or "" for name in ("standard_id", "title_zh", "document_title", "clause", "origin_zh")
        ]
        clauses = [rule["quotation"] or "", *quoted_tiers.get(rule["standard_id"], ())]
        if all(any(word.lower() in text.lower() for text in (*told, *clauses)) for word in words):
            place = f"《{rule['document_title']}》{rule['clause'] or ''}"
            quoted = next((text for text in (_around(clause, words) for clause in clauses) if text), "")
            name = f"{rule['standard_id']} {rule['title_zh']}"
            items.append(_item(name, view.state.href("/policy", rule=rule["standard_id"]), place, quoted))
    return _section("政策标准与条文", len(items), items[:SHOWN]) if items else None


def _originals(view: View, words: list[str]) -> Any:
    """Paragraphs of the policy documents that are laid in, each with its place."""
    w = view.warehouse
    titles = {row["document_id"]: row["document_title"] for row in queries.documents(w, view.scope)}
    items: list[Any] = []
    total = 0
    for document, path in sorted(originals.files(w).files.items()):
        try:
            text = originals.texts(w.folder).of(path)
        except Unreadable:
            # Said on the page of the documents.
            continue
        for number in text.with_words(words):
            total += 1
            if len(items) < SHOWN:
                paragraph = text.paragraphs[number]
                href = originals.address(document, w.edition_id, at=number + 1, q=" ".join(words))
                items.append(
                    _passage(paragraph, text.words_in(number, words), href, titles[document], number)
                )
    return _section("政策原文（全文）", total, items) if items else None


def _passage(paragraph: Paragraph, spans: Sequence[Span], href: str, title: str, number: int) -> Any:
    start = max(0, spans[0].start - AROUND)
    end = min(len(paragraph.text), spans[0].end + AROUND)
    within = [Span(0, max(s.start, start) - start, min(s.end, end) - start) for s in spans if s.start < end]
    said = [
        html.Mark(piece) if is_marked else piece
        for piece, is_marked in originals.pieces(paragraph.text[start:end], within)
    ]
    name = f"《{title}》{originals.said_place(paragraph, number)}"
    cut = ["…" if start else "", *said, "…" if end < len(paragraph.text) else ""]
    link = html.A(name, href=href, target="_blank", rel="noopener")
    return html.Li([link, html.Span(cut, className="muted")])


def _around(text: str, words: list[str]) -> str:
    """The sentence of a clause in which the word stands."""
    places = [text.find(word) for word in words if word in text]
    if not places:
        return ""
    start, end = max(0, min(places) - AROUND), min(places) + AROUND
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"


def _findings(view: View, words: list[str]) -> Any:
    ask = Ask(" and ".join(["contains(message_zh, ?)"] * len(words)), tuple(words))
    rows, total = queries.findings(
        view.warehouse, view.scope, view.state.prefix, view.month, limit=SHOWN, ask=ask
    )
    if not rows:
        return None
    items = [
        _item(
            row["message_zh"],
            # The ledger shows what is open unless it is asked for more.
            view.state.href(
                "/findings",
                rule=row["rule_id"],
                unit=_seat(row["subject_code"]),
                status="all" if row["status"] in _ENDED else None,
            ),
            show.label(show.STATUS, row["status"]),
        )
        for row in rows
    ]
    return _section(f"问题（截至{show.month(view.month)}）", total, items)


# States of a finding that is no longer open.
_ENDED = ("cleared", "unit_ended", "superseded", "not_applicable")


def _seat(code: str) -> str:
    """The unit on whose pages a subject stands: a village on its county's."""
    return code if len(code) <= 6 else code[:6]


def _files(view: View, words: list[str]) -> Any:
    ask = Ask(" and ".join(["contains(lower(file_name), lower(?))"] * len(words)), tuple(words))
    rows, total = queries.submissions(view.warehouse, view.scope, view.state.prefix, limit=SHOWN, ask=ask)
    if not rows:
        return None
    items = [
        _item(
            row["file_name"],
            _filtered(view, "/submissions", "files", "file_name", row["file_name"]),
            show.label(show.SUBMISSION_STATUS, row["status"]),
        )
        for row in rows
    ]
    return _section("报送文件", total, items)


def _filtered(view: View, path: str, table: str, column: str, text: str) -> str:
    """A page whose table shows the rows with this text alone, as the browser writes it into the address."""
    kept = {"f": {column: {"filterType": "text", "type": "contains", "filter": text}}}
    address = view.state.href(path)
    mark = "&" if "?" in address else "?"
    return f"{address}{mark}g.{table}={quote(json.dumps(kept, ensure_ascii=False))}"


def _pages(view: View, words: list[str]) -> Any:
    items = [
        _item(page.title, view.state.href(page.path))
        for page in pages().values()
        if page.in_navigation and current().may(page.needs) and all(word in page.title for word in words)
    ]
    return _section("页面", len(items), items) if items else None


# Originals are laid in at any time.
PAGE = Page("/search", "搜索", "search", 99, render, in_navigation=False, is_of_edition=False)
