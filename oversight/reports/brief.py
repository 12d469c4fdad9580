"""A one-page brief on a division: what leads its report, the figures of its roll-up, who is worst, and its units.

Figures, statements and their order are those of the report; nothing is decided anew here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from oversight import presentation as show
from oversight.calendar import load_calendar
from oversight.editions import find_edition, open_edition
from oversight.metrics import METRICS, Metric
from oversight.presentation import MoneyUnit
from oversight.reports import config, weighing
from oversight.reports.content import build, spell
from oversight.reports.document import Paragraph
from oversight.reports.facts import Facts, Row, built_at, gather, rows
from oversight.reports.make import check_months
from oversight.reports.paper import Paper
from oversight.reports.typesetting import set_pages
from oversight.settings import DataFolder

# Lines of what is to be done first; more would leave no room for the units.
WORST = 8
CARDS = (
    "guaranteed_of_judged_cny",
    "allocated_of_judged_cny",
    "allocation_shortfall_of_judged_cny",
    "adequacy_of_judged_pct",
    "disbursed_of_complete_cny",
    "disbursement_shortfall_of_compared_cny",
    "staff_shortfall_of_judged_persons",
    "missing_count",
)
OF_UNITS = (
    "guaranteed_of_judged_cny",
    "allocated_of_judged_cny",
    "allocation_shortfall_of_judged_cny",
    "adequacy_of_judged_pct",
    "disbursed_of_complete_cny",
    "disbursement_shortfall_of_compared_cny",
    "disbursed_of_complete_pct",
    "staff_shortfall_of_judged_persons",
)
_GAPS = ("allocation_shortfall_of_judged_cny", "disbursement_shortfall_of_compared_cny")
_NEXT = {"province": "city", "city": "county"}
_MARKS = "①②③④⑤⑥⑦⑧"
_UNIT_ZH = {"city": "市（州、盟）", "county": "县（市、区）", "township": "乡镇（街道）"}


def brief(
    folder: DataFolder,
    month: date,
    scope_code: str,
    *,
    edition_id: str | None = None,
    money: MoneyUnit = "wan",
) -> bytes:
    """The page as PDF. Raises `ReportError` where the edition has no such division or month."""
    edition = find_edition(folder, edition_id)
    wording = config.load(folder, scope_code)
    connection = open_edition(folder, edition.edition_id)
    try:
        check_months(connection, month)
        facts = gather(connection, month, scope_code, wording.settings["content"]["rank_by"])
        own = rows(connection, "trend", level=facts.scope.level, code=scope_code, month=month)[-1]
        level = _NEXT.get(facts.scope.level, "township")
        units = (
            rows(connection, "brief_townships", month=month)
            if level == "township"
            else rows(connection, "ranked_units", level=level, month=month, before=month)
        )
    finally:
        connection.close()
    report = build(facts, wording, Paper(), load_calendar(folder))
    made = built_at(facts)
    data = {
        "title": f"{facts.scope.name}乡镇民政保障简报",
        "when": f"{show.month(month)}　金额单位：{show.MONEY_UNITS[money]}",
        # The numbered statements; the ranking is in the table below.
        "points": [
            item.text for item in report.opening if isinstance(item, Paragraph) and item.text[:1].isdigit()
        ]
        or ["本月没有需要首先说明的问题。"],
        "cards": [_card(METRICS[key], own, money) for key in CARDS],
        "worst": _worst(facts, wording.settings, money),
        "units": _units(units, level, money),
        "source": f"{show.source_line(edition.edition_id, facts.edition.get('last_month'), made)}。"
        "合计只算有关的数都已知的乡镇；未报送的不算零，也不算达标。",
        "fonts": {"heading1": wording.settings["style"]["pdf_heading1"]},
    }
    return set_pages("brief.typ", data, made, wording.fonts)


def _card(metric: Metric, own: Row, money: MoneyUnit) -> Row:
    figure = metric.of(own)
    return {
        "title": metric.title,
        "value": metric.written(figure, money),
        "unit": metric.unit_text(money) if figure.is_known else "",
        "note": metric.count_text(own),
        "is_bad": bool(metric.rising == "bad" and figure.value),
    }


def _worst(facts: Facts, settings: Row, money: MoneyUnit) -> Row:
    """Who is named in the report, worst first, each with the clause, what is, and what is missing."""
    named = weighing.named(facts, settings)
    columns: Sequence[tuple[str, int, bool]] = (
        ("单位", 13, False),
        ("问题", 36, False),
        ("依据", 14, False),
        ("应有", 10, True),
        ("实有", 10, True),
        ("差", 10, True),
        ("持续", 9, True),
    )
    papers: dict[str, str] = {}

    def clause(row: Row) -> str:
        """The clause, behind a mark for its paper, which is told once below."""
        paper = weighing.source(facts, row)
        mark = papers.setdefault(paper, _MARKS[len(papers) % len(_MARKS)])
        return mark + weighing.cited(facts, row).removeprefix(paper)

    found = [
        [
            str(row["subject_name"]),
            # Within the year the pace of payment is no violation: it is shown as what it is.
            "拨付进度滞后" if row.get("is_pace") else str(row["title_zh"]),
            clause(row),
            show.quantity(row["value_expected"], row.get("unit") or "元", money, absent=show.NONE),
            show.quantity(row["value_checked"], row.get("unit") or "元", money),
            show.shortfall(row["shortfall"], row.get("unit") or "元", money),
            f"{row['months_open']}个月" if row.get("is_pace") else spell(row),
        ]
        for row in named[:WORST]
    ]
    if not named:
        note = "没有达到点名标准的问题；未报送的不算达标"
    elif len(named) > WORST:
        note = f"按严重程度、资金和人员缺口乘以月数排列；共 {len(named)} 项，此处列前 {WORST} 项"
    else:
        note = "按严重程度、资金和人员缺口乘以月数排列"
    below = "依据：" + "；".join(f"{mark}{paper}" for paper, mark in papers.items()) if papers else ""
    return {"columns": _columns(columns), "rows": found, "total": [], "note": note, "below": below}


def _columns(columns: Sequence[tuple[str, int, bool]]) -> list[dict[str, Any]]:
    return [{"title": title, "width": width, "number": number} for title, width, number in columns]


def _units(units: Sequence[Row], level: str, money: MoneyUnit) -> Row:
    """The units below: the largest gaps, of allocation or of payment, first."""
    metrics = [METRICS[key] for key in OF_UNITS]

    def figures(row: Row) -> dict[str, show.Figure]:
        return {m.key: m.of_township(row) if level == "township" else m.of(row) for m in metrics}

    def gap(own: dict[str, show.Figure]) -> Decimal:
        return max(Decimal(own[key].value or 0) for key in _GAPS)

    lines = [(row, figures(row)) for row in units]
    lines.sort(
        key=lambda item: (-gap(item[1]), str(item[0].get("township_code") or item[0].get("unit_code")))
    )
    return {
        "title": f"各{_UNIT_ZH[level]}",
        "unit": _UNIT_ZH[level],
        "note": "",
        "below": "",
        "order": "按安排缺口、拨付差额中较大的一个排列",
        "columns": _columns(
            [("单位", 16, False), *((m.heading(money), 11, True) for m in metrics)],
        ),
        "rows": [
            [str(row["name"]), *(m.told_text(own[m.key], money) for m in metrics)] for row, own in lines
        ],
        "total": [],
    }
