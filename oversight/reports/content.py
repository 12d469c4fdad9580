"""From figures and wording to a `Report`: which sentences, tables, charts and annexes there are.

Templates are plain text. `# `, `## ` and `### ` begin headings (numbered 一、（一）1. here), `- ` a point of the first
page, `[表 key]` and `[图 key]` say where a table or chart stands, every other line is a paragraph. A table or chart that has
nothing to show is left out with its caption.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from oversight import presentation
from oversight.calendar import Calendar
from oversight.metrics import METRICS, added
from oversight.reports import layout, weighing, write_pdf
from oversight.reports.config import VALUE_MARK, Wording, by, tight
from oversight.reports.document import (
    Annex,
    Block,
    Chart,
    ChartRef,
    Column,
    Heading,
    Paragraph,
    Report,
    Series,
    Table,
    TableRef,
)
from oversight.reports.errors import ReportError
from oversight.reports.facts import Facts, Row, built_at, month_end
from oversight.reports.paper import Dates, Paper, dates
from oversight.reports.report_tables import (
    DATASETS,
    DOUBT_ZH,
    KIND_ZH,
    changes_table,
    figure_in_text,
    tables_of,
    titled,
    told_of,
)

NOT_REPORTED, NONE = presentation.NOT_REPORTED, presentation.NONE
UNDATED_ZH = "（日期以签发之日为准）"
GAP_STEPS = {
    "opened": "新出现缺口",
    "grown": "缺口扩大",
    "shrunk": "缺口缩小",
    "closed": "缺口消除",
    "entered": "新纳入判定且有缺口",
    "left": "不再纳入判定而原有缺口",
    "ended": "年内撤销的单位",
}
SPELL_ZH = {"month": "个月", "quarter": "个季度", "half_year": "个半年", "year": "个年度"}
_DIGITS = "零一二三四五六七八九"


class _Citing:
    """Names a paper in full where it is first cited, and as 同一文件 where it is cited again."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.named: set[str] = set()

    def __call__(self, row: Row) -> str:
        paper = weighing.source(self.facts, row)
        if paper not in self.named:
            self.named.add(paper)
            return weighing.cited(self.facts, row)
        return "同一文件" if paper == row.get("origin_zh") else f"同一文件{row['clause'] or ''}"


class _Numbers(dict[str, int]):
    """Numbers of annexes by key; an annex that was left out is spoken of without one."""

    def __missing__(self, key: str) -> str:
        return "（本期略）"


def build(facts: Facts, wording: Wording, paper: Paper, calendar: Calendar) -> Report:
    """The whole paper: the report, or a correction that has the corrected report as an annex."""
    settings = wording.settings
    facts = weighing.sized(facts, settings)
    days = dates(facts.month, paper.issued_on, settings["deadlines"], calendar)
    named = _named(facts, wording, days)
    tables = tables_of(facts, settings)
    if paper.changes is not None:
        tables["changes"] = changes_table(paper.changes)
    charts = _charts(facts, settings)
    front = ["corrected"] if paper.corrects else []
    if paper.changes is not None and paper.changes.is_long:
        front.append("changes")
    numbers = _Numbers()
    values = _values(facts, wording, numbers, paper, days, named)
    first, whole = _named_tables(named, settings, "")
    tables |= {first.key: first, whole.key: whole}
    # Which annexes there are decides their numbers, and the text names the numbers.
    keys = [
        key
        for key in _annex_keys(settings, tables)
        if _annex_blocks(key, _Written(tables, charts, _Numbering(), wording), wording, values)
    ]
    numbers.update({key: place for place, key in enumerate([*front, *keys], start=1)})
    tables["named"] = _named_tables(named, settings, numbers["named"])[0]
    written = _Written(tables, charts, _Numbering(), wording)

    def section(name: str) -> tuple[Block, ...]:
        return tuple(written.blocks(name, wording.template(name, **values)))

    # The annexes were written first to see which there are; the text begins anew.
    sections, limit = settings["content"]["sections"], settings["content"]["body_pages"]
    # What a section says rests on the papers that were named before it and on nothing else that changes.
    said_once: dict[tuple[str, frozenset[str]], tuple[str, frozenset[str]]] = {}

    def cited_section(name: str, citing: _Citing) -> tuple[Block, ...]:
        before = frozenset(citing.named)
        if (name, before) not in said_once:
            said_once[name, before] = wording.template(name, **values), frozenset(citing.named)
        rendered, named_after = said_once[name, before]
        citing.named |= named_after
        return tuple(written.blocks(name, rendered))

    def text(annexed: Sequence[str]) -> tuple[tuple[Block, ...], tuple[Block, ...]]:
        citing = values["cited"] = _Citing(facts)
        written.numbering = _Numbering()
        opening = cited_section("opening", citing) + cited_section("headlines", citing)
        parts = [cited_section(name, citing) for name in sections if name not in annexed]
        where = _where_annexed([cited_section(name, citing) for name in annexed], numbers["situation"])
        return opening, tuple(block for part in (*parts[:-1], where, *parts[-1:]) for block in part)

    def pages(opening: tuple[Block, ...], body: tuple[Block, ...]) -> int:
        # As it will be issued: with a number, and with the line that says that a paper is late.
        late = () if days.is_late else (Paragraph("印", is_point=True),)
        asked = replace(
            report,
            title=wording.line(texts["title"], **known),
            document_no=report.document_no or "〔〕号",
            opening=tuple(map(layout.undated, (*opening, *late))),
            body=tuple(map(layout.undated, body)),
            annexes=tuple(Annex(numbers[key], _ANNEX_TITLES.get(key, key), ()) for key in keys),
        )
        return write_pdf.body_pages(asked, wording.pdf_families, wording.fonts)

    # What the pages of the body do not hold stands in an annex, a section at a time.
    report = _bare(facts, wording, paper, values)
    texts, known = settings["document"], {**values, "issuer": report.issuer}
    movable = [name for name in settings["content"]["annexed_first"] if name in sections[:-1]]
    if "situation" not in keys:
        movable = []

    def fits(fewer: int) -> bool:
        return pages(*text(movable[:fewer])) <= int(limit)

    # The fewest that have to move; the last is moved without asking.
    annexed: list[str] = []
    if movable and not fits(0):
        annexed = movable[: bisect_left(range(len(movable)), True, lo=1, key=fits)]
    opening, body = text(annexed)
    said = opening + body
    if paper.corrects:
        written.numbering = _Numbering()
        opening, body = section("correction"), ()
    annexes = []
    for key in [*front, *keys]:
        written.numbering.levels = [0, 0, 0]
        values["cited"] = partial(weighing.cited, facts)
        moved = [block for name in annexed for block in section(name)] if key == "situation" else []
        blocks = (
            said
            if key == "corrected"
            else (TableRef(tables["changes"], ""),)
            if key == "changes"
            else (*moved, *_annex_blocks(key, written, wording, values))
        )
        annexes.append(Annex(numbers[key], _ANNEX_TITLES.get(key, key), tuple(blocks)))

    return replace(report, opening=opening, body=body, annexes=tuple(annexes))


def _bare(facts: Facts, wording: Wording, paper: Paper, values: Row) -> Report:
    """The paper without its text: who issues it, to whom, under which number, title and day."""
    texts = wording.settings["document"]
    issuer = wording.line(texts["issuer"], **values)
    known = {**values, "issuer": issuer}
    edition = str(facts.edition["edition_id"])
    return Report(
        month=facts.month,
        scope_code=facts.scope.code,
        scope_name=facts.scope.name,
        issuer=issuer,
        red_head=wording.line(texts["red_head_text"], **known) if texts["red_head"] else "",
        document_no=_document_no(wording, known) if paper.number is not None else "",
        title=wording.line(texts["correction_title" if paper.corrects else "title"], **known),
        recipients=wording.line(texts["recipients"], **known),
        opening=(),
        body=(),
        closing=(),
        annexes=(),
        signature=wording.line(texts["signature"], **known),
        dated=presentation.day(paper.issued_on) if paper.issued_on else UNDATED_ZH,
        copies=wording.line(texts["copies"], **known),
        printed_by=wording.line(texts["printed_by"], **known),
        printed=f"{presentation.day(paper.issued_on)}印发" if paper.issued_on else "",
        notes=_notes(facts, paper),
        edition_id=edition,
        built_at=built_at(facts),
        version=paper.version,
        draft=paper.notice,
        source=presentation.source_line(edition, facts.edition.get("last_month"), built_at(facts)),
        fonts={name: value for name, value in wording.settings["style"].items() if isinstance(value, str)},
    )


def marked(report: Report, facts: Facts, paper: Paper) -> Report:
    """A report that was built without date, number or predecessor, under a version and notice of a draft."""
    return replace(report, version=paper.version, draft=paper.notice, notes=_notes(facts, paper))


def _where_annexed(sections: Sequence[Sequence[Block]], number: int) -> tuple[Block, ...]:
    """A line that says where sections stand that the body has no room for."""
    titles = [
        block.text.partition("、")[2] for part in sections for block in part[:1] if isinstance(block, Heading)
    ]
    return (Paragraph(f"{'、'.join(titles)}的情况见附件{number}。"),) if titles else ()


def _document_no(wording: Wording, known: Row) -> str:
    """The paper's number; two papers must not have the same."""
    text = wording.settings["document"]["document_no"]
    if wording.line(text, **known) == wording.line(text, **{**known, "number": known["number"] + 1}):
        raise ReportError(
            f"通报设置 document.document_no 写的是“{text}”，里面没有登记簿给出的号，各件会用同一个文号。"
            "请在 report.toml 里写成“督通〔{{ dates.issued.year }}〕{{ number }}号”的样子。"
        )
    return wording.line(text, **known)


def _annex_blocks(key: str, written: _Written, wording: Wording, values: Row) -> tuple[Block, ...]:
    """An annex: what its template says, and its table."""
    blocks: tuple[Block, ...] = ()
    if wording.has_template(f"annex_{key}"):
        blocks = tuple(written.blocks(f"annex_{key}", wording.template(f"annex_{key}", **values)))
        if key != "standards":
            return blocks
    table = written.tables["ranking_all" if key == "ranking" else f"annex_{key}"]
    return (*blocks, TableRef(table, "")) if table.rows else ()


class _Numbering:
    """Numbers of headings, tables and charts through the whole document."""

    def __init__(self) -> None:
        self.levels = [0, 0, 0]
        self.tables = 0
        self.charts = 0

    def heading(self, level: int, text: str) -> Heading:
        """The heading with its number; deeper levels begin anew."""
        self.levels[level - 1] += 1
        self.levels[level:] = [0] * (3 - level)
        number = self.levels[level - 1]
        written = (f"{chinese(number)}、", f"（{chinese(number)}）", f"{number}.")[level - 1]
        return Heading(level, written + text)


class _Written:
    """Reads rendered templates."""

    def __init__(
        self, tables: dict[str, Table], charts: dict[str, Chart], numbering: _Numbering, wording: Wording
    ) -> None:
        self.tables, self.charts, self.numbering, self.wording = tables, charts, numbering, wording

    def blocks(self, template: str, rendered: str) -> Iterable[Block]:
        """Blocks of a rendered template, in order."""
        for raw in rendered.split("\n"):
            line = raw.strip()
            text = " ".join(line.replace(VALUE_MARK, "").split())
            if not text:
                continue
            if line.startswith("- "):
                yield Paragraph(text[2:], is_point=True)
            elif line.startswith("#"):
                level = len(line) - len(line.lstrip("#"))
                yield self.numbering.heading(min(level, 3), text.lstrip("#").strip())
            elif line.startswith(("[表 ", "[图 ")) and line.endswith("]"):
                yield from self._placed(template, line[1], line[3:-1].strip())
            else:
                yield Paragraph(text)

    def _placed(self, template: str, kind: str, key: str) -> Iterable[Block]:
        key, _, bare = key.partition(" ")
        is_bare = bare == "无题"
        if kind == "表":
            if key not in self.tables:
                raise self.wording.slip(template, f"[表 {key}]", list(self.tables))
            table = self.tables[key]
            if table.rows and is_bare:
                yield TableRef(table, "")
            elif table.rows:
                self.numbering.tables += 1
                yield TableRef(table, f"表{self.numbering.tables} {table.title}")
        elif key not in _CHARTS:
            raise self.wording.slip(template, f"[图 {key}]", _CHARTS)
        elif key in self.charts:
            self.numbering.charts += 1
            chart = self.charts[key]
            yield ChartRef(chart, f"图{self.numbering.charts} {chart.title}")


def chinese(number: int) -> str:
    """1 to 99 as 一 … 九十九, for headings."""
    tens, ones = divmod(number, 10)
    front = "" if tens == 0 else "十" if tens == 1 else f"{_DIGITS[tens]}十"
    return front + (_DIGITS[ones] if ones or not tens else "")


def _values(
    facts: Facts, wording: Wording, annex: _Numbers, paper: Paper, days: Dates, named: Sequence[Row]
) -> dict[str, Any]:
    """What templates may name; described in docs/report.md."""
    settings = wording.settings
    shorts = [row for row in facts.findings if row["status"] == "short"]
    by_kind = {kind: [row for row in shorts if row["kind"] == kind] for kind in KIND_ZH}
    demanded = [row for row in weighing.open_findings(facts) if not row.get("is_exempt")]
    own = [row for row in shorts if weighing.is_own(facts, row) and row["kind"] != "cleared"]
    missing = [
        {
            **row,
            "what": _what_is_missing(row),
            "never": all(row[f"{name}_last"] is None for name in DATASETS),
            "months": _months_missing(row, facts.month),
        }
        for row in facts.reporting
        if any(row[name] == "missing" for name in DATASETS)
    ]
    return {
        "scope": facts.scope,
        "month": facts.month,
        "month_zh": presentation.month(facts.month),
        "month_end": month_end(facts.month),
        "month_end_zh": presentation.day(month_end(facts.month)),
        "edition": facts.edition,
        "documents": facts.documents,
        "standards": facts.standards,
        "totals": facts.totals,
        "against_month": facts.against_month,
        "against_year": facts.against_year,
        "is_first_month": facts.against_month is None,
        "ranking": facts.ranking,
        "units": facts.units,
        "staffing": facts.staffing,
        "staffing_rows": facts.staffing_rows,
        "capacity": [{**row, "is_silent": row["not_reported"] == row["due"]} for row in facts.capacity],
        "five": facts.five,
        "capacity_rows": facts.capacity_rows,
        "findings": by_kind,
        "demanded": demanded,
        "own": [row for row in own if weighing.is_demanded(row)],
        "headlines": weighing.headlines(facts, settings),
        "by_sort": {
            sort: [row for row in named if row["sort"] == sort]
            for sort in ("payment", "money", "arrears", "people", "other")
        },
        "payments": [row for row in weighing.payments(facts, settings) if weighing.is_demanded(row)],
        "missing_people": weighing.missing_people(facts),
        "named": named,
        "named_units": _by_unit(named),
        "changed": _changed(facts),
        "moved": facts.moved,
        "cited": _Citing(facts),
        "sources": _cited_papers(facts),
        "ranking_rows": settings["content"]["ranking_rows"],
        "ranking_ends": settings["content"]["ranking_ends"],
        "capacity_demanded": [
            row
            for row in facts.capacity_rows
            if weighing.is_demanded(row) and not weighing.is_own(facts, row) and row["unit"] != "元"
        ],
        "reporting": facts.reporting,
        "is_silent": all(row[name] == "missing" for row in facts.reporting for name in DATASETS),
        "missing": missing,
        "differences": facts.differences,
        "differences_now": [row for row in facts.differences if row["month"] == facts.month],
        "funds": facts.funds,
        "other_funds": [row for row in facts.funds if row["fund_code"] != "working_funds"],
        "figure_of": figure_in_text,
        "nil": [row for row in facts.reporting if any(row[name] == "nil" for name in DATASETS)],
        "figureless": [
            {**row, "what": _what_has_no_figure(row)}
            for row in facts.reporting
            if any(row[name] in ("dash", "blank") for name in DATASETS)
        ],
        "held": [row for row in facts.reporting if any(row[name] == "held" for name in DATASETS)],
        "doubts": [{**row, "kind_zh": DOUBT_ZH[row["kind"]]} for row in facts.doubts],
        "files": facts.files,
        "gap_steps": GAP_STEPS,
        "place": partial(_place, facts),
        "places": partial(_places, facts),
        "titled": titled,
        "spell": spell,
        "annex": annex,
        "dates": days,
        "number": paper.number,
        "corrects": paper.corrects,
        "changes": paper.changes,
        "replaces": paper.replaces,
    }


def _cited_papers(facts: Facts) -> list[Row]:
    """Every paper the report rests on, once."""
    found: dict[str, Row] = {}
    for row in facts.standards:
        paper = weighing.source(facts, row)
        is_origin = paper == row.get("origin_zh")
        issuer = "" if is_origin else row["issuer_name"]
        found.setdefault(paper, {"source": paper, "issuer_name": issuer, "force": row["force"]})
    return list(found.values())


def _place(facts: Facts, row: Row) -> str:
    """A unit by name; with its county before it where the report is about more than one."""
    name: str = row.get("subject_name") or row["township_name"]
    county = row["county_name"] if facts.scope.level != "county" else ""
    return name if county == name else (county or "") + name


def _places(facts: Facts, rows: Sequence[Row]) -> list[str]:
    """Units by name, a county's name before the first of its own only."""
    before = ["", *(row["county_name"] for row in rows)]
    return [
        (row.get("subject_name") or row["township_name"])
        if row["county_name"] == last
        else _place(facts, row)
        for last, row in zip(before, rows, strict=False)
    ]


def spell(row: Row) -> str:
    """24个月, 3个季度: for how many of its periods a rule has not been met."""
    return f"{presentation.count(row['months_open'])}{SPELL_ZH.get(row['period'], '期')}"


def _what_is_missing(row: Row) -> str:
    missing = [presentation.DATASET[name] for name in DATASETS if row[name] == "missing"]
    return "三项均未报" if len(missing) == len(DATASETS) else "、".join(missing)


# What each report is first of all about, as the marts ask for it.
_MAIN_ZH = {"population": "户籍人口", "budget": "拨付", "staffing": "专职人员"}


def _what_has_no_figure(row: Row) -> str:
    """拨付数为横线、专职人员数为空白."""
    told = [
        f"{_MAIN_ZH[name]}{presentation.TOLD[row[name]].label}"
        for name in DATASETS
        if row[name] in ("dash", "blank")
    ]
    return "、".join(told)


def _months_missing(row: Row, month: date) -> int:
    """The longest time for which one of the datasets has not come; 0 when it never came."""
    spans = [
        (month.year - last.year) * 12 + month.month - last.month
        for name in DATASETS
        if row[name] == "missing" and (last := row[f"{name}_last"]) is not None
    ]
    return max(spans, default=0)


def _named(facts: Facts, wording: Wording, days: Dates) -> list[Row]:
    """What somebody is named for, worst first, with its arithmetic, the demand, its date and who answers for it."""
    units = {row["township_code"]: row for row in facts.units}
    staff = {(row["township_code"], row["standard_id"]): row for row in facts.staffing_rows}
    office = wording.settings["office"]
    told = []
    for row in weighing.named(facts, wording.settings):
        unit = units.get(row["subject_code"])
        sort = row["sort"]
        is_money = sort in ("payment", "money", "arrears")
        item = {
            "is_pace": False,
            "unpaid_months": 0,
            **row,
            "place": _place(facts, row),
            "basis": weighing.cited(facts, row),
            "demand": _demand(facts, row),
            "deadline": days.plan if sort == "payment" and row.get("is_pace") else days.rectify,
            "office": office["money" if is_money else sort]
            if facts.scope.level == "county"
            else f"{row['county_name']}{office['above']}",
            "is_rate": _is_rate(unit),
        }
        key = row["subject_code"], row.get("rule_id", "")
        text = wording.template("arithmetic", f=item, unit=unit, staff=staff.get(key))
        item["arithmetic"] = "".join(text.replace(VALUE_MARK, "").split("\n")).strip()
        told.append(item)
    return told


def _is_rate(unit: Row | None) -> bool:
    """Whether the year's guarantee is simply head × rate × 12."""
    return bool(
        unit
        and unit["formula"] == "per_capita_by_tier"
        and unit["tier_value"] is not None
        and unit["population_persons"] is not None
        and unit["tier_value"] * unit["population_persons"] * 12 == unit["guaranteed_annual_cny"]
    )


def _demand(facts: Facts, row: Row) -> str:
    if row["sort"] == "money" and facts.month.month == 12:
        return f"列足{facts.month.year + 1}年预算"
    return {
        "payment": "按进度补拨" if row.get("is_pace") else "补拨到位",
        "money": "调整预算补足",
        "arrears": "补拨到位",
        "people": "配齐人员",
        "other": "整改到位",
    }[row["sort"]]


def _by_unit(named: Sequence[Row]) -> list[list[Row]]:
    """The named by unit, in the order of each unit's worst."""
    found: dict[str, list[Row]] = {}
    for row in named:
        found.setdefault(row["subject_code"], []).append(row)
    return list(found.values())


AMOUNTS_SHOWN = 3
PROBLEM_ZH = {
    "payment": "拨付不足",
    "money": "安排不足",
    "arrears": "上年欠拨",
    "people": "人员缺额",
    "other": "其他要求",
}


def _missing(items: Sequence[Row]) -> str:
    """How much a unit lacks of one kind, in brackets; nothing where the kinds of thing differ."""
    amounts = [item["shortfall"] for item in items]
    if items[0]["sort"] == "other" or None in amounts:
        return ""
    if items[0]["sort"] == "people":
        return f"（{presentation.count(added(amounts))}人）"
    return f"（{_short_money(added(amounts))}）"


def _short_money(value: Decimal) -> str:
    return tight(presentation.money(value, "wan" if abs(value) >= 10_000 else "yuan", named=True))


def _unique(parts: Iterable[str]) -> str:
    return "；".join(dict.fromkeys(parts))


def _named_tables(named: Sequence[Row], settings: Row, number: object) -> list[Table]:
    """The named units of the first page, those with the same demand in one row, and every item in an annex."""
    shown = settings["named"]["first_page"]
    columns = (
        Column("problem", "点名问题", "text", 10),
        Column("units", "单位", "text", 44),
        Column("demand", "要求", "text", 18),
        Column("deadline", "期限", "text", 14),
        Column("office", "责任单位", "text", 12),
    )
    rows = []
    for sort, problem in PROBLEM_ZH.items():
        items = [item for item in named if item["sort"] == sort]
        if not items:
            continue
        # How much each lacks is said where there is room for it; the annex has it for all.
        grouped = _by_unit(items)
        units = [
            f"{item[0]['place']}{_missing(item) if len(grouped) <= AMOUNTS_SHOWN else ''}" for item in grouped
        ]
        # Many are named in one line, so that the page holds the whole table.
        listed = shown if len(units) <= shown else max(1, shown // 2)
        more = f"等{presentation.count(len(units))}个，见附件{number}" if len(units) > listed else ""
        rows.append(
            (
                problem,
                "、".join(units[:listed]) + more,
                items[0]["demand"],
                by(items[0]["deadline"]),
                _unique(item["office"] for item in items[:shown]),
            )
        )
    first = Table("named", "点名问题、要求和期限", columns, tuple(rows))
    each = (
        Column("name", "单位", "text", 14),
        Column("title", "事项", "text", 22),
        Column("found", "情况", "text", 40),
        Column("months", "持续", "text", 9),
        Column("basis", "依据", "text", 24),
        Column("reply", "答复", "text", 14, printed=any(row.get("reply_zh") for row in named)),
        Column("demand", "要求", "text", 16),
        Column("deadline", "期限", "text", 14),
        Column("office", "责任单位", "text", 10),
    )
    whole = tuple(
        (
            item["place"],
            "本年拨付进度" if item["is_pace"] else titled(item),
            item["arithmetic"],
            f"{item['months_open']}个月" if item["is_pace"] else spell(item),
            item["basis"],
            told_of(item),
            item["demand"],
            by(item["deadline"]),
            item["office"],
        )
        for item in named
    )
    return [first, Table("annex_named", "点名问题和整改任务", each, whole)]


_ANNEX_TITLES = {
    "corrected": "更正后的通报正文",
    "changes": "更正的数字",
    "named": "点名问题和整改任务",
    "ranking": "保障率排名",
    "situation": "总体情况和变化",
    "funding": "乡镇经费保障明细表",
    "staffing": "乡镇人员配备明细表",
    "findings": "问题清单",
    "reporting": "未报送、零报告和待确认单位名单",
    "differences": "两方数据核对表",
    "funds": "各资金项目收支表",
    "doubts": "数据疑点清单",
    "standards": "适用标准和条款原文",
    "letter": "提请研究解决的事项",
}


def _annex_keys(settings: Row, tables: dict[str, Table]) -> list[str]:
    chosen = list(settings["content"]["annexes"])
    if "ranking" not in chosen and tables["ranking_all"].rows:
        # More units than the text has room for.
        chosen.insert(0, "ranking")
    return chosen


_CHARTS = ("adequacy", "trend", "staffing")


def _charts(facts: Facts, settings: Row) -> dict[str, Chart]:
    found = (
        _adequacy_chart(facts, settings["content"]["chart_units"]),
        _trend_chart(facts),
        _staffing_chart(facts),
    )
    return {chart.key: chart for chart in found if chart is not None}


def _wan(value: Decimal) -> Decimal:
    return presentation.rounded(presentation.money_value(value, "wan"), 2)


def _adequacy_chart(facts: Facts, limit: int) -> Chart | None:
    judged = [item for item in facts.ranking if item["totals"].judged]
    if not judged:
        return None
    worst = sorted(judged, key=lambda item: (-item["totals"].gap, item["code"]))[:limit]
    title = "应保障与年度安排对比（万元）"
    if len(judged) > limit:
        title = f"应保障与年度安排对比（万元，缺口最大的{limit}个单位）"
    return Chart(
        "adequacy",
        title,
        "dumbbell",
        tuple(item["name"] for item in worst),
        (
            Series("应保障", tuple(_wan(item["totals"].guaranteed) for item in worst)),
            Series("年度安排", tuple(_wan(item["totals"].allocated) for item in worst)),
        ),
        "万元",
    )


def _trend_chart(facts: Facts) -> Chart | None:
    months = [item for item in facts.trend if item.judged]
    if len(months) < 2:
        return None
    return Chart(
        "trend",
        "保障率和拨付率走势（%）",
        "lines",
        tuple(presentation.month_short(item.month) for item in facts.trend),
        (
            Series(METRICS["adequacy_of_judged_pct"].title, tuple(item.adequacy for item in facts.trend)),
            Series(METRICS["disbursed_of_complete_pct"].title, tuple(item.paid_pct for item in facts.trend)),
        ),
        "%",
    )


def _staffing_chart(facts: Facts) -> Chart | None:
    if not facts.staffing:
        return None
    states = [
        state
        for state in ("met", "short", "over", "not_reported", "unconfirmed")
        if any(row[state] for row in facts.staffing)
    ]
    return Chart(
        "staffing",
        "人员标准判定情况（个）",
        "stacked",
        tuple(row["title_zh"] for row in facts.staffing),
        tuple(
            Series(presentation.status_label(state), tuple(row[state] for row in facts.staffing))
            for state in states
        ),
        "个",
    )


def _changed(facts: Facts) -> Row:
    """What was newly found and what was put right this month, of what can be demanded of the units below."""
    chosen = [
        row
        for row in facts.findings
        if row["status"] == "short" and weighing.is_demanded(row) and not weighing.is_own(facts, row)
    ]
    return {kind: [row for row in chosen if row["kind"] == kind] for kind in KIND_ZH}


def _notes(facts: Facts, paper: Paper) -> tuple[tuple[str, str], ...]:
    edition = facts.edition
    made: datetime = built_at(facts)
    states: Sequence[str] = (
        "met",
        "short",
        "over",
        "not_reported",
        "no_standard",
        "not_applicable",
        "unconfirmed",
    )
    labels = "、".join(presentation.status_label(state) for state in states)
    notes = [
        ("通报范围", f"{facts.scope.name}（{facts.scope.code}）"),
        ("统计月份", presentation.month(facts.month)),
        ("通报版本", paper.notice or f"第{paper.version}版"),
        ("印发日期", presentation.day(paper.issued_on) if paper.issued_on else UNDATED_ZH),
        ("数据版次", str(edition["edition_id"])),
        ("数据生成时间", presentation.moment(made)),
        ("标准指纹", str(edition["standards_fingerprint"])),
        ("程序版本", str(edition["code_version"])),
        ("计量单位", "金额单位为元，保留两位小数；正文中的万元为四舍五入后的数。"),
        ("应保障", "按标准全年应保障的工作经费；应保障累计为1月（或设立当月）至本月逐月计提之和。"),
        ("年度安排", "本年最近一次报送的调整后预算，没有则为年初预算。"),
        (
            METRICS["allocation_shortfall_of_judged_cny"].title,
            "应保障减年度安排，不足零按零；高出标准的部分不抵减其他单位的缺口。",
        ),
        (
            METRICS["adequacy_of_judged_pct"].title,
            "年度安排÷应保障×100，四舍五入保留两位小数；显示100.00%而状态为不达标的，差额在万分之零点五以内。",
        ),
        ("定档人口", "上年12月及以前最近一次报送数；没有的用本年最早一次报送数代用并注明。"),
        ("合计", "只计可判定（达标、不达标）的单位；未报送不按零计算，也不视为达标。"),
        ("名次", "按保留两位小数的保障率排列，比例相同名次并列，其后名次顺延；未报送的单位不排名。"),
        ("状态", labels),
    ]
    return tuple(notes)
