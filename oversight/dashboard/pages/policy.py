"""政策标准: documents, clauses and tiers, when they hold and whom they cover."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from oversight import presentation as show
from oversight.dashboard import originals, queries
from oversight.dashboard.access import significant
from oversight.dashboard.components import card, facts, plain_table, select, table_card
from oversight.dashboard.elements import html
from oversight.dashboard.grids import Column, Table, public
from oversight.dashboard.heads import notice, page_head
from oversight.dashboard.pages import Page
from oversight.dashboard.view import View
from oversight.dashboard.warehouse import Row
from oversight.policies.reading import Unreadable


def _rules(view: View) -> list[Row]:
    state = view.state
    found = queries.standards(view.warehouse, view.scope)
    return [
        row
        for row in found
        if (not state.get("document") or row["document_id"] == state.get("document"))
        and (not state.get("topic") or row["topic_zh"] == state.get("topic"))
        and (not state.get("gradeable") or row["gradeable"] == state.get("gradeable"))
        and _reaches(view, row)
    ]


def _reaches(view: View, rule: Row) -> bool:
    place, prefix = significant(rule["scope_code"]), view.state.prefix
    return place.startswith(prefix) or prefix.startswith(place)


def render(view: View) -> list[Any]:
    """The page."""
    w, state = view.warehouse, view.state
    every = queries.standards(w, view.scope)
    documents = queries.documents(w, view.scope)
    topics = sorted({row["topic_zh"] for row in every if row["topic_zh"]})
    filters = [
        select(
            "document",
            "文件",
            [(row["document_id"], f"{row['document_id']} {row['document_title']}") for row in documents],
            state.get("document"),
            placeholder="全部",
            clearable=True,
        ),
        select(
            "topic",
            "主题",
            [(topic, topic) for topic in topics],
            state.get("topic"),
            placeholder="全部",
            clearable=True,
        ),
        select(
            "gradeable",
            "能否判定",
            list(show.GRADEABLE.items()),
            state.get("gradeable"),
            placeholder="全部",
            clearable=True,
        ),
    ]
    asked = state.get("rule")
    rule = next((row for row in every if row["standard_id"] == asked), None)
    return [
        page_head(view, f"{view.unit_name if state.unit else ''}政策标准", filters=filters),
        *([_one(view, rule, every)] if rule is not None else []),
        *([notice(f"没有编号为 {asked[:20]} 的标准。")] if asked and rule is None else []),
        _documents(view, documents),
        table_card(view, rules_table(view), note="点击编号查看原文、分档、适用范围和说明"),
        table_card(view, tiers_table(view), note="金额、人数的分档；边界是否含本数已写明"),
    ]


def _place(view: View, code: str) -> str:
    return "全国" if code == "000000" else queries.unit_name(view.warehouse, view.scope, code) or code


def _documents(view: View, documents: list[Row]) -> Any:
    heads = ("编号", "文件", "发文机关", "效力", "成文日期", "规则", "参与判定", "原文", "说明")
    laid = originals.files(view.warehouse)
    rows = [
        html.Tr(
            [
                html.Td(
                    html.A(row["document_id"], href=view.state.href(document=row["document_id"], rule=None))
                ),
                html.Td(
                    [
                        html.Div(row["document_title"]),
                        html.Div(row["document_no"] or "文号未载", className="muted note"),
                    ]
                ),
                html.Td(
                    [
                        row["issuer_name"] or show.NONE,
                        html.Div(show.label(show.LEVEL, row["issuer_level"]), className="muted note"),
                    ]
                ),
                html.Td(show.label(show.FORCE, row["force"])),
                html.Td(show.day(row["issued_on"], absent=row["issued_on_note"] or "不详")),
                html.Td(f"{show.count(row['rules_count'])} 条", className="numeric"),
                html.Td(f"{show.count(row['judged_count'])} 条", className="numeric"),
                html.Td(
                    _opened("打开", originals.address(row["document_id"], view.warehouse.edition_id))
                    if row["document_id"] in laid.files
                    else "未放入",
                    className="whole",
                ),
                html.Td(row["note"] or show.NONE),
            ]
        )
        for row in documents
    ]
    note = None
    if len(laid.files) < len(documents):
        note = f"原文未放入的：{_HOW}"
    parts: list[Any] = [plain_table("政策文件", heads, rows)]
    for paths, told in (
        (laid.unknown, "认不出是哪一份文件的：{}。文件名请以编号开头"),
        (laid.besides, "重复放入、没有用到的：{}"),
    ):
        if paths:
            parts.append(html.P(told.format("、".join(path.name for path in paths)), className="note"))
    return card("政策文件", parts, note=note, wide=True)


# How an original is laid in, wherever one is missing.
_HOW = (
    "把本单位留存的 Word（docx）、带文字的 PDF、网页或文本放进数据目录的 policy/，"
    "文件名以编号开头（如 A 实施方案.pdf），不用重新运行"
)


def _opened(name: str, href: str) -> Any:
    return html.A(name, href=href, target="_blank", rel="noopener")


def _original(view: View, rule: Row) -> list[Any]:
    """The clause in the document itself, as laid in; or that it is not there, and what to do."""
    w, document = view.warehouse, rule["document_id"]
    head = html.H3("原文中的这一处")
    path = originals.files(w).files.get(document)
    if path is None:
        how = _HOW.replace("文件名以编号开头（如 A 实施方案.pdf）", f"文件名以 {document} 开头")
        return [head, html.P(f"这份文件的原文未放入。{how}，就能在这里翻到这一处。", className="muted")]
    try:
        text = originals.texts(w.folder).of(path)
    except Unreadable as error:
        return [
            head,
            html.P([f"{path.name}：{error} ", _opened("打开", originals.address(document, w.edition_id))]),
        ]
    href = originals.address(document, w.edition_id, rule=rule["standard_id"])
    place = originals.place_of(text, rule)
    if place is None:
        told = f"{path.name} 里没有找到这段引文，可能不是同一个版本，请核对。"
        return [head, html.P([told, _opened("打开原文", href)])]
    paragraph = text.paragraphs[place.paragraph]
    spans = [span for span in place.spans if span.paragraph == place.paragraph]
    said = [
        html.Mark(piece) if is_marked else piece
        for piece, is_marked in originals.pieces(paragraph.text, spans)
    ]
    where = originals.said_place(paragraph, place.paragraph)
    return [
        head,
        html.P(said, className="original"),
        html.P(
            [
                _opened("打开原文，翻到这一处", href),
                html.Span(
                    f"（{path.name}，{where}）" + ("" if place.is_whole else "，只找到引文的一部分，请核对"),
                    className="muted",
                ),
            ]
        ),
    ]


# Clauses of the same paper that are shown before and after the one that is open.
_BESIDE = 2


def _beside(view: View, rule: Row, every: list[Row]) -> list[Any]:
    """The clause at its place: what the same paper says right before and after it, in the paper's order."""
    clauses: dict[str, list[Row]] = {}
    for row in every:
        if row["document_id"] == rule["document_id"]:
            clauses.setdefault(row["quotation"] or row["title_zh"], []).append(row)
    order = list(clauses)
    at = order.index(rule["quotation"] or rule["title_zh"])
    items = []
    for text in order[max(0, at - _BESIDE) : at + _BESIDE + 1]:
        row = clauses[text][0]
        place = [html.Span(row["clause"] or show.NONE, className="muted"), " "]
        said = html.Mark(text) if text == order[at] else text
        links = [
            html.A(own["standard_id"], href=view.state.href(rule=own["standard_id"]))
            if own is not rule
            else ""
            for own in clauses[text]
        ]
        items.append(html.Li([*place, said, " ", *links]))
    whole = html.A(
        f"《{rule['document_title']}》的全部 {len(order)} 处条文",
        href=view.state.href(rule=None, document=rule["document_id"]),
    )
    return [html.H3("在文件中的位置"), html.Ul(items, className="clauses"), html.P(whole)]


def _one(view: View, rule: Row, every: list[Row]) -> Any:
    w = view.warehouse
    tiers = queries.tiers(w, view.scope, rule["standard_id"])
    covered = queries.covered(w, view.scope, rule["scope_code"], view.month)
    items = [
        ("文件", f"《{rule['document_title']}》{rule['document_no'] or ''}"),
        ("条款", rule["clause"] or show.NONE),
        *([("转引自", rule["origin_zh"])] if rule.get("origin_zh") else []),
        ("适用范围", f"{_place(view, rule['scope_code'])}（本月在册乡镇级单位 {show.count(covered)} 个）"),
        ("判定对象", show.label(show.LEVEL, rule["subject_level"])),
        ("主题", rule["topic_zh"] or show.NONE),
        ("衡量什么", rule["metric_zh"] or show.NONE),
        ("计算方式", show.label(show.FORMULA, rule["formula"])),
        ("判定周期", show.label(show.PERIOD, rule["period"])),
        ("人口口径", show.label(show.POPULATION_BASIS, rule["population_basis"])),
        ("人口时点", show.label(show.POPULATION_DATE_RULE, rule["population_date_rule"])),
        ("分档线归属", show.label(show.EDGE_RULE, rule["edge_rule"])),
        ("约束力", show.label(show.STRENGTH, rule["strength"])),
        ("严重程度", show.label(show.SEVERITY, rule["severity"])),
        ("能否判定", show.label(show.GRADEABLE, rule["gradeable"])),
        ("生效", show.day(rule["effective_from"])),
        ("失效", show.day(rule["effective_to"], absent="未定")),
        ("最近确认", show.day(rule["last_confirmed_on"])),
    ]
    texts = [
        html.P(f"“{rule['quotation']}”", className="quote"),
        *_original(view, rule),
        *_beside(view, rule, every),
        facts(items),
        *(
            [
                html.H3("分档"),
                html.Ul([html.Li(f"{tier['tier_label']}：{_range(tier)}，{_value(tier)}") for tier in tiers]),
            ]
            if tiers
            else []
        ),
        *([html.H3("不判定的原因"), html.P(rule["not_judged_reason"])] if rule["not_judged_reason"] else []),
        *([html.H3("歧义与本系统的处理"), html.P(rule["ambiguity_zh"])] if rule["ambiguity_zh"] else []),
        *([html.H3("算例"), html.P(rule["example_zh"])] if rule["example_zh"] else []),
    ]
    # Of one that nothing is judged by, those pages would be empty.
    is_judged = rule["gradeable"] != "N"
    links = [
        html.A(title, href=view.state.href(path, rule=rule["standard_id"]), className="button")
        for title, path in (("查看各单位的判定", "/staffing"), ("查看未了问题", "/findings"))
        if is_judged
    ]
    return card(
        f"{rule['standard_id']} {rule['title_zh']}",
        [*texts, html.Div(links, className="button-row")],
        actions=html.A("收起", href=view.state.href(rule=None), className="button"),
        wide=True,
        name="rule",
        opened=f"rule {rule['standard_id']}",
    )


def _range(tier: Row) -> str:
    low, high = tier["lower_bound"], tier["upper_bound"]
    if low is None and high is None:
        return "不论人口"
    low_text = f"{show.count(low or 0)} 人{'（含）' if tier['lower_included'] else '（不含）'}"
    return low_text + (
        f"至 {show.count(high)} 人{'（含）' if tier['upper_included'] else '（不含）'}"
        if high is not None
        else "以上"
    )


def _value(tier: Row) -> str:
    def plain(value: Decimal | None) -> str:
        return "" if value is None else show.quantity(value, None)

    if tier["step_every"] is not None:
        # The number of a step is what comes on top, and mostly nothing does.
        beyond = f"，另加 {plain(tier['value'])}" if tier["value"] else ""
        return f"每 {plain(tier['step_every'])} 个{tier['step_of'].removesuffix('数')}配 1 个{beyond}"
    if tier["unit"] == "是/否":
        return show.quantity(tier["value"], tier["unit"])
    text = plain(tier["value"]) + (f"至 {plain(tier['value_max'])}" if tier["value_max"] is not None else "")
    return f"{text} {tier['unit']}"


def rules_table(view: View, limit: int | None = None) -> Table:
    """Rules, in force and not."""
    w = view.warehouse
    rows = [{**row, "place": _place(view, row["scope_code"])} for row in _rules(view)]

    def of(name: str, **changes: Any) -> Column:
        return public(w, f"standards.{name}", **changes)

    return Table(
        name="rules",
        title="规则",
        columns=[
            of("standard_id", kind="link", width=90),
            of("title_zh", kind="long"),
            of("clause", absent=show.NONE),
            of("quotation", kind="long", is_hidden=True),
            Column("place", "适用范围"),
            of("subject_level", wraps=True),
            of("topic_zh", absent=show.NONE),
            of("formula", wraps=True),
            of("strength", absent=show.NONE),
            of("severity", kind="status", looks=show.SEVERITY, absent=show.NONE),
            of("effective_from"),
            of("effective_to", absent="未定", is_hidden=True),
            of("gradeable"),
            of("not_judged_reason", kind="long", absent=show.NONE, is_hidden=True),
            Column("document_title", "文件", "long", is_hidden=True),
        ],
        rows=rows[:limit] if limit is not None else rows,
        key=lambda row: str(row["standard_id"]),
        href=lambda row: view.state.href(rule=row["standard_id"]),
        total=len(rows),
    )


def tiers_table(view: View, limit: int | None = None) -> Table:
    """Tiers of the rules shown."""
    titles = {row["standard_id"]: row["title_zh"] for row in _rules(view)}
    rows = [
        {**row, "title_zh": titles[row["standard_id"]], "range": _range(row), "amount": _value(row)}
        for row in queries.all_tiers(view.warehouse, view.scope)
        if row["standard_id"] in titles
    ]
    return Table(
        name="tiers",
        title="分档",
        columns=[
            Column("standard_id", "规则", "link", width=90),
            Column("title_zh", "内容", "long"),
            Column("tier_label", "档次", is_decisive=True),
            Column("range", "人口范围", width=190, wraps=True),
            Column("amount", "标准", width=120, is_decisive=True, wraps=True),
            Column("quotation", "原文", "long", absent=show.NONE),
        ],
        rows=rows[:limit] if limit is not None else rows,
        key=lambda row: f"{row['standard_id']}/{row['tier_no']}",
        href=lambda row: view.state.href(rule=row["standard_id"]),
        total=len(rows),
    )


# Originals are laid in at any time.
PAGE = Page(
    "/policy",
    "政策标准",
    "law",
    70,
    render,
    {"rules": rules_table, "tiers": tiers_table},
    is_of_edition=False,
)
