"""乡镇档案: one township, everything, each figure down to file, sheet and row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from oversight import presentation as show
from oversight.dashboard import figures, queries
from oversight.dashboard.components import (
    ROWS_SHOWN,
    card,
    chart,
    columns,
    contents,
    empty,
    facts,
    kpi,
    sparkline,
    status_mark,
    table_card,
    tone_colour,
)
from oversight.dashboard.elements import dmc, html
from oversight.dashboard.grids import Column, Table, public, row_number
from oversight.dashboard.heads import page_head
from oversight.dashboard.pages import Page
from oversight.dashboard.pages.staffing import parts_card
from oversight.dashboard.sources import address as source_address
from oversight.dashboard.state import division
from oversight.dashboard.theme import palette
from oversight.dashboard.view import View
from oversight.dashboard.warehouse import Row
from oversight.explain import Cell, Read, RuleExplanation
from oversight.metrics import METRICS

DATASETS = ("population", "budget", "staffing")
_KEYS = (
    "month",
    "township_code",
    "reported_code",
    "reported_name",
    "submission_id",
    "sheet",
    "row_number",
    "row_status",
    "doubts",
    "precedence",
    "is_current",
)


# The parts of the page by the names of their sections.
_CONTENTS = (
    ("profile", "基本情况"),
    ("explained", "数字由来"),
    ("parts", "五有"),
    ("judged", "规则判定"),
    ("history", "历史"),
    ("findings", "问题"),
    *((dataset, show.DATASET[dataset]) for dataset in DATASETS),
    ("submissions", "报送文件"),
)


def render(view: View) -> list[Any]:
    """The page: a list to choose from, or one township."""
    row = queries.township(view.warehouse, view.scope, view.state.unit) if len(view.state.unit) > 6 else None
    return _one(view, row) if row is not None else _list(view)


def _list(view: View) -> list[Any]:
    text = view.state.get("q")
    search = dmc.TextInput(
        id={"type": "filter", "name": "q", "initial": text},
        label="名称或代码",
        value=text,
        placeholder="如 湘东镇、360313",
        debounce=400,
        size="sm",
        className="filter",
    )
    return [
        page_head(view, f"{view.unit_name if view.state.unit else ''}乡镇档案", filters=[search]),
        table_card(view, list_table(view, ROWS_SHOWN), note="点击名称查看该乡镇的全部情况与每个数字的由来"),
    ]


def list_table(view: View, limit: int | None = None) -> Table:
    """Townships to choose from."""
    w, state = view.warehouse, view.state
    text = state.get("q").strip()
    rows, total = queries.township_list(
        w, view.scope, state.prefix, division(text) or text, view.month, limit, view.ask
    )

    def of(name: str, **changes: Any) -> Column:
        return public(w, f"townships.{name}", **changes)

    return Table(
        name="townships",
        title="乡镇（街道）",
        columns=[
            of("township_name", kind="link", width=150),
            of("township_code", width=120),
            of("township_type", absent=show.NONE),
            of("county_name"),
            of("city_name"),
            of("province_name"),
            public(w, "funding_gap_monthly.allocation_shortfall_cny"),
            Column("status", "经费状态", "status", looks=show.STATUS, absent="不在册", width=110),
        ],
        rows=rows,
        key=lambda row: str(row["township_code"]),
        href=lambda row: state.href(unit=row["township_code"], q=None),
        total=total,
        empty="没有找到这样的乡镇。换一个名称或代码试试。",
    )


def _register(view: View) -> list[Row]:
    """What the register says of the unit shown under each of its codes; nothing where it is none."""

    def make() -> list[Row]:
        row = queries.township(view.warehouse, view.scope, view.state.unit)
        every = queries.lineage(view.warehouse, view.scope, row) if row else []
        return [found for found in every if row and found["unit_id"] == row["unit_id"]]

    return view.once("register", make)


def _codes(view: View) -> list[str]:
    return [row["township_code"] for row in _register(view)]


def _history(view: View) -> list[Row]:
    return view.once("history", lambda: queries.township_months(view.warehouse, view.scope, _codes(view)))


def _reports(view: View, dataset: str) -> list[Row]:
    """Every version of what the unit reported up to the month shown."""
    w = view.warehouse
    return view.once(
        ("reports", dataset),
        lambda: queries.reported(w, view.scope, dataset, _codes(view), view.month, w.months[0]),
    )


def _findings(view: View) -> list[Row]:
    return view.once("findings", lambda: queries.subject_findings(view.warehouse, view.scope, _codes(view)))


def have_read(view: View) -> Read:
    """What the page shows of the unit anyhow, for the explanation to take its rows from."""
    return Read(
        _register(view),
        _history(view),
        _findings(view),
        _judged(view),
        {dataset: _reports(view, dataset) for dataset in DATASETS},
        view.warehouse.months[0],
        view.month,
    )


def _one(view: View, row: Row) -> list[Any]:
    history = _history(view)
    now = next((item for item in history if item["month"] == view.month), None)
    parts: list[Any] = [
        page_head(view, f"{row['township_name']} · {show.month(view.month)}", has_units=False)
    ]
    if now is None:
        text = f"{row['township_name']}在{show.month(view.month)}不在册（未启用或已停用）。请换一个月份。"
        parts.append(card("本月", empty(text)))
    else:
        parts.append(_figures(view, now, history))
    parts.insert(1, contents(*_CONTENTS))
    parts += [
        columns(_profile(view, row, now), _changes(view, row), ratio="wide-left"),
        _explained(view, now["township_code"] if now else row["township_code"]),
        parts_card(view, now["township_code"] if now else row["township_code"], is_one=True),
        table_card(view, judged_table(view), note="按季、按年的规则，用最近一期的判定", page_size=10),
        columns(_money_history(view, history), _people_history(view)),
        table_card(view, findings_table(view, ROWS_SHOWN), page_size=10),
        *(table_card(view, reported_table(view, dataset), page_size=10) for dataset in DATASETS),
        table_card(view, submissions_table(view, ROWS_SHOWN), page_size=10),
    ]
    return parts


def _figures(view: View, now: Row, history: Sequence[Row]) -> Any:
    money, recent = view.state.money, [row for row in history if row["month"] <= view.month][-12:]
    tone = {"short": "bad", "met": "good"}.get(now["status"], "plain")

    def amount(key: str, icon_name: str, second: str, own: str = "plain") -> Any:
        metric = METRICS[key]
        figure = metric.of_township(now)
        drawn = [row for row in recent if not metric.is_of_year or row["month"].year == view.month.year]
        parts = [figure.word if figure.is_known else "", second, _as_of(figure, view)]
        return kpi(
            metric.title,
            metric.written(figure, money),
            metric.unit_text(money) if figure.is_known else "",
            "，".join(part for part in parts if part),
            icon_name=icon_name,
            tone=own,
            name=key,
            hint=metric.hint,
            trend=sparkline(
                [metric.of_township(row).value for row in drawn],
                tone_colour(own, view.theme),
                f"{metric.title}近{len(drawn)}个月走势",
            ),
        )

    def told(key: str) -> str:
        metric = METRICS[key]
        return f"{metric.title} {metric.written(metric.of_township(now), money, named=True)}"

    population = show.figure("funding_gap_monthly", "population_persons", now)
    notes = [
        show.month(now["population_month"]) if now["population_month"] else "",
        "当年数代替" if now["population_is_fallback"] else "",
        show.REASON["stale_population"] if now["population_is_stale"] else "",
        "含并入的单位" if now["includes_predecessors"] else "",
        "写法过粗，档次不定" if now["is_tier_uncertain"] else "",
        "正在分档线上" if now["is_on_tier_edge"] else "",
    ]
    return html.Div(
        [
            amount("guaranteed_of_judged_cny", "shield", now["tier_label"] or ""),
            amount("allocated_of_judged_cny", "budget", told("adequacy_of_judged_pct")),
            amount(
                "allocation_shortfall_of_judged_cny",
                "warning",
                show.status_label(now["status"]) + ("（报数精度之内）" if now["is_within_precision"] else ""),
                tone,
            ),
            amount("disbursed_of_complete_cny", "paid", told("disbursed_of_complete_pct")),
            amount(
                "disbursement_shortfall_of_compared_cny", "warning", told("guaranteed_ytd_of_complete_cny")
            ),
            amount("spent_of_spending_cny", "money", told("spent_of_spending_pct")),
            amount("staff_shortfall_of_judged_persons", "people", show.status_label(now["staff_status"])),
            kpi(
                "定档人口",
                show.count(population.value, absent=population.word),
                "人" if population.is_known else "",
                "，".join(note for note in notes if note),
                icon_name="people",
                tone="warn" if now["is_on_tier_edge"] or now["population_is_fallback"] else "plain",
                name="population_persons",
                hint="按上年末户籍人口定档；没有上年数的，用当年最早一个月的数并注明",
            ),
        ],
        className="kpis",
    )


def _as_of(figure: show.Figure, view: View) -> str:
    """The month a figure rests on, where it is not the month shown."""
    return f"截至{show.month(figure.as_of)}" if figure.as_of and figure.as_of != view.month else ""


def _last_told(report: Row, name: str) -> str:
    """A figure of the last report, and of which month that is; the word alone where there is no report."""
    told = show.count(report.get(name))
    return f"{told}（{show.month(report['month'])}）" if report else told


def _profile(view: View, row: Row, now: Row | None) -> Any:
    people, staff = (
        next((item for item in _reports(view, dataset) if item["is_current"]), {})
        for dataset in ("population", "staffing")
    )
    return card(
        "基本情况",
        facts(
            [
                ("区划代码", row["township_code"]),
                ("类型", row["township_type"] or show.NONE),
                (
                    "所在地",
                    "".join(
                        show.division_name(row[f"{level}_name"], row[f"{level}_code"])
                        for level in ("province", "city", "county")
                    ),
                ),
                ("启用", show.day(row["valid_from"])),
                ("停用", show.day(row["valid_to"])),
                ("户籍人口", _last_told(people, "population_persons")),
                ("常住人口", show.count(people.get("resident_population_persons"))),
                ("户籍户数", show.count(people.get("households_count"))),
                ("在编在岗专职", _last_told(staff, "dedicated_staff_persons")),
                ("村（社区）", show.count(staff.get("villages_count"))),
                ("已配协理员", show.count(staff.get("villages_with_assistant_count"))),
                ("适用经费标准", (now or {}).get("standard_id") or show.STATES["no_standard"]),
            ]
        ),
        note="人口、人员为到所选月份为止最近一次报的数",
        name="profile",
    )


def _changes(view: View, row: Row) -> Any:
    found = queries.lineage(view.warehouse, view.scope, row)
    items = []
    for item in found:
        span = f"{show.day(item['valid_from'], absent='期初')} 至 {show.day(item['valid_to'], absent='今')}"
        kind = ""
        if item["township_code"] != row["township_code"]:
            kind = "前身或后继" if item["unit_id"] == row["unit_id"] else "并入本单位，历史不并入"
        name: Any = f"{item['township_name']}（{item['township_code']}）"
        if kind:
            name = html.A(name, href=view.state.href(unit=item["township_code"]))
        items.append(
            html.Li([name, html.Span(span, className="muted"), html.Span(kind, className="muted push")])
        )
    if row["successor_code"]:
        name = queries.unit_name(view.warehouse, view.scope, row["successor_code"]) or row["successor_code"]
        items.append(
            html.Li(
                [
                    "变更后：",
                    html.A(
                        f"{name}（{row['successor_code']}）", href=view.state.href(unit=row["successor_code"])
                    ),
                ]
            )
        )
    note = "没有变更过代码或名称" if len(found) <= 1 and not row["successor_code"] else None
    return card("代码与名称沿革", html.Ul(items, className="list"), note=note)


def _explained(view: View, code: str) -> Any:
    """One rule down to file, sheet and row: the one the address names, or the funds; the others are links."""
    asked = view.state.get("why")
    found = queries.explanation(view.warehouse, view.scope, code, view.month, asked or None, have_read(view))
    if found is None:
        text = (
            f"本月没有对规则 {asked} 的判定。" if asked else "本月没有可以解释的判定。"
        ) + "请换一个月份，或在“政策标准”查看适用范围。"
        blocks: list[Any] = [empty(text)]
    else:
        blocks = [_rule(view, rule) for rule in found.rules]
    shown = {rule.rule_id for rule in found.rules} if found else set()
    # Several institutions of a township may answer to one rule.
    judged = {
        row["rule_id"]: row
        for row in reversed(_judged(view))
        if row["month"] == view.month and row["subject_code"] == code and row["rule_id"] not in shown
    }
    others = [
        html.Li(
            [
                html.A(
                    f"{row['rule_id']} {row['title_zh']}",
                    href=view.state.href(why=row["rule_id"]),
                    title="看这一条用了哪些数、怎样算",
                ),
                status_mark(row["status"]),
            ]
        )
        for _, row in sorted(judged.items())
    ]
    if others:
        blocks += [html.H3("本月判定的其他规则"), html.Ul(others, className="list rules-else")]
    return card(
        "每个数字的由来",
        blocks,
        note=f"{show.month(view.month)}：用了哪份文件哪一行、怎样算、作了什么假定。点一条规则看它的由来",
        wide=True,
        name="explained",
        opened=asked,
    )


def _rule(view: View, rule: RuleExplanation) -> Any:
    sections: list[Any] = [html.P(rule.conclusion)]
    if rule.document:
        clause = html.A(
            f"《{rule.document}》{rule.clause}",
            href=view.state.href("/policy", unit="", rule=rule.rule_id),
            title="在政策标准里打开这一条",
        )
        sections.append(html.P([clause, f"：“{rule.quotation}”"], className="quote"))
    if rule.tier:
        sections.append(
            html.P(f"适用档次：{rule.tier}" + (f"（“{rule.tier_quotation}”）" if rule.tier_quotation else ""))
        )
    for title, items, style in (
        ("报送数据（文件、工作表、行；点击看原件）", [_cell(view, cell) for cell in rule.cells], ""),
        ("计算", [line.text() for line in rule.arithmetic], "formula"),
        ("所作假定", rule.assumptions, ""),
        ("另一种理解", rule.other_readings, ""),
        ("处理记录", rule.notes, ""),
    ):
        if items:
            sections += [html.H3(title), html.Ul([html.Li(item, className=style) for item in items])]
    return html.Details(
        [
            html.Summary([html.Strong(f"{rule.rule_id} {rule.title}"), status_mark(rule.status)]),
            html.Div(sections),
        ],
        className="explained",
        open=True,
    )


def _cell(view: View, cell: Cell) -> Any:
    """A reported figure; where the file is known, a link to the row."""
    if not cell.submission:
        return cell.text()
    place = source_address(cell.submission, cell.sheet, cell.row, view.warehouse.edition_id)
    return html.A(cell.text(), href=place, target="_blank", rel="noopener")


def _money_history(view: View, history: Sequence[Row]) -> Any:
    if not history:
        return card("经费历史", empty("没有经费数据。"), name="history")
    colours = palette(view.theme)
    months = [row["month"] for row in history]
    drawn = [
        figures.Line(
            METRICS[key].title,
            [METRICS[key].of_township(row) for row in history],
            colour,
            dash,
            of_year=METRICS[key].is_of_year,
        )
        for key, colour, dash in (
            ("guaranteed_of_judged_cny", colours.guaranteed, "dash"),
            ("allocated_of_judged_cny", colours.allocated, "solid"),
            ("disbursed_of_complete_cny", colours.disbursed, "solid"),
            ("spent_of_spending_cny", colours.spent, "dot"),
        )
    ]
    if all(value.value is None for line in drawn for value in line.values):
        return card("经费历史", empty("没有报过人口、预算、拨付或支出，没有可画的数。"), name="history")
    links = [view.state.href(month=month) for month in months]
    figure = figures.lines(months, drawn, view.theme, money=view.state.money, links=links)
    return card(
        "经费历史",
        chart("money", figure, 300, "各月应保障、已安排、拨付、支出"),
        note="断线处没有数，原因见指到的文字；拨付、支出每年一月重新累计。点击转到该月",
        name="history",
    )


def _people_history(view: View) -> Any:
    rows = queries.township_staffing(view.warehouse, view.scope, _codes(view))
    if not rows:
        return card("人员历史", empty("没有适用于本单位的人员标准。"))
    colours = palette(view.theme)
    months = sorted({row["month"] for row in rows})
    drawn = []
    for rule, colour in zip(
        sorted({row["standard_id"] for row in rows}),
        (colours.allocated, colours.disbursed, colours.spent),
        strict=False,
    ):
        of_rule = {row["month"]: row for row in rows if row["standard_id"] == rule}
        for word, column, dash in (
            ("实有", "counted_persons", "solid"),
            ("要求", "required_min_persons", "dot"),
        ):
            values = [
                show.figure("staffing_gap_monthly", column, of_rule[month])
                if month in of_rule
                else show.NO_ROW
                for month in months
            ]
            drawn.append(figures.Line(f"{rule} {word}", values, colour, dash))
    links = [view.state.href(month=month) for month in months]
    figure = figures.lines(months, drawn, view.theme, unit="人", links=links)
    return card(
        "人员历史",
        chart("people", figure, 300, "各月实有人数与要求人数"),
        note="断线处没有数，原因见指到的文字；点击转到该月",
    )


def _judged(view: View) -> list[Row]:
    return view.once(
        "judged",
        lambda: queries.subject_judgements(view.warehouse, view.scope, _codes(view), view.month),
    )


def judged_table(view: View, limit: int | None = None) -> Table:
    """Every rule that was judged, with its answer."""
    del limit
    w = view.warehouse
    rows = _judged(view)

    def value(name: str, title: str, absent: str) -> Column:
        return Column(
            name,
            title,
            "number",
            is_of_unit=True,
            text=lambda item, money: show.quantity(item[name], item["unit"], money, absent=absent),
        )

    return Table(
        name="judged",
        title="全部规则的判定",
        columns=[
            Column("rule_id", "规则", "link", width=84),
            public(w, "judgements.status", width=112, is_decisive=True),
            Column("title_zh", "内容", "long", is_decisive=True),
            Column("topic_zh", "主题"),
            value("value_checked", "实际", show.NOT_REPORTED),
            value("value_expected", "要求", show.NONE),
            Column(
                "shortfall",
                "差",
                "number",
                is_of_unit=True,
                text=lambda item, money: show.shortfall(item["shortfall"], item["unit"], money),
            ),
            Column("month", "判定月份"),
            public(w, "judgements.reason", absent=show.NONE),
            Column("clause", "条款", absent=show.NONE),
        ],
        rows=rows,
        key=lambda item: f"{item['rule_id']}/{item['subject_level']}/{item['subject_unit']}",
        href=lambda item: view.state.href("/policy", unit="", rule=item["rule_id"]),
        empty="本月没有适用于本单位的规则。",
    )


def findings_table(view: View, limit: int | None = None) -> Table:
    """Every finding the township ever had."""
    w = view.warehouse
    rows = _findings(view)[:limit]
    return Table(
        name="findings",
        title="全部问题",
        columns=[
            Column("title_zh", "问题", "long"),
            public(w, "findings.severity", kind="status", looks=show.SEVERITY, width=92),
            public(w, "findings.opened_month"),
            public(w, "findings.last_month"),
            public(w, "findings.cleared_month", absent=show.NONE),
            public(w, "findings.months_open", kind="number"),
            public(w, "findings.message_zh", kind="long"),
            public(w, "findings.status", width=116, is_decisive=True),
        ],
        rows=rows,
        key=lambda item: str(item["finding_id"]),
        empty="这个乡镇没有出现过问题。",
    )


def _reported_column(name: str) -> dict[str, Any]:
    """How a column of a report is shown: its words are no numbers, and a blank one is nothing that was due."""
    if name.endswith("_precision"):
        return {"kind": "number", "is_hidden": True}
    if name.endswith(("_cny", "_persons", "_posts", "_count")):
        return {"is_decisive": True}
    return {} if name.startswith("is_") else {"absent": show.NONE}


def reported_table(view: View, dataset: str) -> Table:
    """Every version of every row the township reported, with file, sheet and row."""
    w = view.warehouse
    rows = _reports(view, dataset)
    measures = [
        name
        for name in (rows[0] if rows else {})
        if name not in (*_KEYS, "file_name", "submission_status", "filed_on")
    ]
    return Table(
        name=dataset,
        title=f"{show.DATASET[dataset]}：历次报送",
        columns=[
            public(w, f"reported.{dataset}.month", title="统计月份", width=110),
            *(public(w, f"reported.{dataset}.{name}", **_reported_column(name)) for name in measures),
            Column("is_current", "采用", width=80, is_decisive=True),
            Column("row_status", "处置", absent=show.NONE, width=90, is_hidden=True),
            Column("reported_name", "所报名称", absent=show.NONE, is_hidden=True),
            Column("reported_code", "所报代码", absent=show.NONE, is_hidden=True),
            Column("file_name", "文件", "long", absent=show.NONE),
            Column("sheet", "工作表", absent=show.NONE),
            row_number(),
        ],
        rows=rows,
        key=lambda item: f"{item['submission_id']}/{item['sheet']}/{item['row_number']}/{item['month']}",
        href=lambda item: source_address(
            item["submission_id"], item["sheet"], item["row_number"], w.edition_id
        ),
        empty=f"到{show.month(view.month)}为止没有报送过{show.DATASET[dataset]}。",
        notes=("同一个月有几次报送的，逐次列出；“采用”为是的一行是现在使用的；点击统计月份打开原件的那一行",),
    )


def submissions_table(view: View, limit: int | None = None) -> Table:
    """Files that carry a row of this township."""
    w = view.warehouse
    ids = {item["submission_id"] for dataset in DATASETS for item in _reports(view, dataset)}
    rows = queries.submissions_named(w, view.scope, sorted(ids))
    return Table(
        name="submissions",
        title="涉及本单位的报送文件",
        columns=[
            public(w, "submissions.file_name", kind="long"),
            public(w, "submissions.dataset", wraps=True, width=150),
            public(w, "submissions.month_from", absent=show.NONE),
            public(w, "submissions.month_to", absent=show.NONE),
            public(w, "submissions.received_at", absent=show.NONE),
            public(
                w,
                "submissions.status",
                kind="status",
                looks=show.SUBMISSION_STATUS,
                width=110,
                is_decisive=True,
            ),
        ],
        rows=rows[:limit] if limit is not None else rows,
        key=lambda item: str(item["submission_id"]),
        total=len(rows),
        empty=f"到{show.month(view.month)}为止没有收到过涉及本单位的文件。",
    )


def _reported(dataset: str) -> Any:
    return lambda view, _limit: reported_table(view, dataset)


PAGE = Page(
    "/township",
    "乡镇档案",
    "profile",
    50,
    render,
    {
        "townships": list_table,
        "judged": judged_table,
        "findings": findings_table,
        "submissions": submissions_table,
        **{dataset: _reported(dataset) for dataset in DATASETS},
    },
)
