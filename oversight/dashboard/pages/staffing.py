"""人员与能力: who is short of people, and of everything else that the rules ask for."""

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
    empty,
    rows_height,
    select,
    table_card,
)
from oversight.dashboard.elements import html
from oversight.dashboard.grids import Column, Table, public
from oversight.dashboard.heads import page_head
from oversight.dashboard.pages import Page
from oversight.dashboard.view import View
from oversight.dashboard.warehouse import Row

BARS_SHOWN = 25
STATUSES = ("met", "short", "over", "not_reported", "unconfirmed", "not_applicable")


def render(view: View) -> list[Any]:
    """The page."""
    rules = queries.rules_summary(view.warehouse, view.scope, view.state.prefix, view.month)
    topics = sorted({row["topic_zh"] for row in rules if row["topic_zh"]})
    state = view.state
    filters = [
        select(
            "topic",
            "主题",
            [(topic, topic) for topic in topics],
            state.get("topic"),
            placeholder="全部",
            clearable=True,
        ),
        select(
            "rule",
            "规则",
            [(row["rule_id"], f"{row['rule_id']} {row['title_zh']}") for row in rules],
            state.get("rule"),
            placeholder="全部",
            clearable=True,
        ),
        select(
            "status",
            "状态",
            [(code, show.STATUS[code].label) for code in STATUSES],
            state.get("status"),
            placeholder="全部",
            clearable=True,
        ),
    ]
    head = page_head(
        view, f"{view.unit_name if state.unit else ''}人员与能力 · {show.month(view.month)}", filters=filters
    )
    if not rules:
        text = f"{view.unit_name}在{show.month(view.month)}没有可判定的规则。可在“政策标准”查看各规则的适用范围。"
        return [head, empty(text)]
    shown = [
        row
        for row in rules
        if (not state.get("topic") or row["topic_zh"] == state.get("topic"))
        and (not state.get("rule") or row["rule_id"] == state.get("rule"))
    ]
    return [
        head,
        parts_card(view, state.prefix, is_one=len(state.prefix) > 6),
        *_vacancies(view),
        columns(_by_rule(view, shown), _by_unit(view, shown)),
        table_card(view, rules_table(view), note="点击规则只看这一项"),
        table_card(view, answers_table(view, ROWS_SHOWN), note="不达标的在前，缺得多的在前"),
    ]


def _vacancies(view: View) -> list[Any]:
    """Posts against people in post: what is free here does not make up for what is over there."""
    row = queries.vacancies(view.warehouse, view.scope, view.state.prefix, view.month)
    if row is None:
        return []
    if row["established_posts"] is None:
        text = "没有一个乡镇报全编制数和在编在岗专职人数，空编未知。"
    else:
        text = (
            f"编制 {show.count(row['established_posts'])} 名，在编在岗专职 {show.count(row['in_post_persons'])} 人；"
            f"空编 {show.count(row['vacant_posts'])} 名（{show.count(row['units_with_vacancies_count'])} 个乡镇），"
            f"超编 {show.count(row['unposted_persons'])} 人。"
        )
    note = (
        f"{show.count(row['units_count'])} 个乡镇（街道）中 {show.count(row['known_count'])} 个报全；"
        "各乡镇的空编与超编互不相抵；人员报表只用于当月，设施、机制类的报送在各规则所写的月数内有效"
    )
    return [card("空编", html.P(text), note=note, wide=True, name="vacancies")]


def parts_card(view: View, prefix: str, *, is_one: bool) -> Any:
    """五有: of one township what is missing, of more how many have each."""
    rows = queries.scorecard(view.warehouse, view.scope, prefix, view.month)
    if not rows:
        return None
    cards = []
    for row in rows:
        share = show.ratio_pct(row["met_count"], row["rules_count"])
        if is_one:
            lines = [
                html.Li([html.Span(f"{look.mark} ", className=f"status status-{status}"), html.Span(text)])
                for status, look, column in (
                    ("short", show.STATUS["short"], "missing_zh"),
                    ("not_reported", show.STATUS["not_reported"], "not_reported_zh"),
                )
                for text in (row[column] or "").split("；")
                if text
            ]
        else:
            lines = [
                html.Li(
                    [
                        html.Span(f"{show.STATUS[status].mark} {word}", className=f"status status-{status}"),
                        html.Span(f"{show.count(row[column])} 个"),
                    ]
                )
                for status, word, column in (
                    ("met", "全部达标", "met_units_count"),
                    ("short", "有不达标", "short_units_count"),
                    ("not_reported", "有未报送", "silent_units_count"),
                )
            ]
        cards.append(
            html.Div(
                [
                    html.Strong(f"有{row['pillar_zh']}"),
                    html.Div(
                        f"{show.count(row['met_count'])} / {show.count(row['rules_count'])} 项达标"
                        + (f"，{show.percent(share)}" if share is not None and not is_one else "")
                        if row["rules_count"]
                        else "没有适用的规则",
                        className="muted note",
                    ),
                    html.Ul(lines) if row["rules_count"] else None,
                ],
                className="part",
                **{"data-name": row["pillar_zh"]},
            )
        )
    note = (
        "列出不达标（▲）和未报送（○）的项"
        if is_one
        else "按乡镇计；机构、人员、经费、场所、动力各按其规则判定，未报送不算达标"
    )
    return card("五有", html.Div(cards, className="parts"), note=note, wide=True, name="parts")


def _by_rule(view: View, rules: Sequence[Row]) -> Any:
    worst = sorted(rules, key=lambda row: (-row["short_count"], -row["not_reported_count"], row["rule_id"]))
    rows = [
        {
            "name": f"{row['rule_id']} {row['title_zh']}",
            "href": view.state.href(rule=row["rule_id"]),
            **{status: row[f"{status}_count"] for status in STATUSES},
        }
        for row in worst[:BARS_SHOWN]
    ]
    more = f"；共 {len(rules)} 项，此处为不达标最多的 {len(rows)} 项" if len(rules) > len(rows) else ""
    return card(
        "各项规则的判定",
        chart(
            "rules",
            figures.status_bars(
                rows, {status: show.STATUS[status] for status in STATUSES}, view.theme, as_share=True
            ),
            rows_height(len(rows), row=34, least=220),
            f"{len(rows)} 项规则各状态的占比",
        ),
        note="占被判定对象的比例；点击只看这一项" + more,
    )


def _by_unit(view: View, rules: Sequence[Row]) -> Any:
    """Units below: by the answers to one rule where one is asked for, else by their open findings."""
    w, scope, state = view.warehouse, view.scope, view.state
    digits = queries.BELOW.get(len(state.prefix), 9)
    worst = max(rules, key=lambda row: (row["short_count"], row["not_reported_count"]), default=None)
    names = queries.township_names(w, scope, state.prefix) if digits == 9 else w.names
    # Of townships, and of one rule or topic, the answers to a rule: the one chosen, else the worst of them.
    if worst is not None and (digits == 9 or state.get("rule") or state.get("topic")):
        rule = worst["rule_id"]
        found = queries.rule_by_unit(w, scope, state.prefix, view.month, digits, rule)
        counts = [(row["code"], {status: row[f"{status}_count"] for status in STATUSES}) for row in found]
        looks, title = (
            {status: show.STATUS[status] for status in STATUSES},
            f"各单位的判定：{rule} {worst['title_zh']}",
        )
        note = "不达标多的在前；点击下钻" + ("" if state.get("rule") else "。没有选规则时是不达标最多的一项")
    else:
        # Townships have no roll-ups; without an answer to any rule there is nothing to compare.
        has_roll_ups = digits in queries.LEVELS
        found = queries.unit_findings(w, scope, state.prefix, digits, [view.month]) if has_roll_ups else []
        counts = [(row["code"], {code: row[f"open_{code}_count"] for code in show.SEVERITY}) for row in found]
        looks, title, note = (
            show.SEVERITY,
            "各单位的未了问题",
            "严重的多的在前；点击下钻，选一项规则看各单位的判定",
        )
    order = [code for code in looks if code != "met"]
    counts.sort(key=lambda item: ([-item[1][code] for code in order], item[0]))
    shown = [
        {"name": names.get(queries.padded(code), queries.padded(code)), "href": view.unit_href(code), **own}
        for code, own in counts[:BARS_SHOWN]
    ]
    if not shown:
        return card(title, empty("这里没有可以比较的单位。"))
    more = f"；共 {len(counts)} 个单位，此处为前 {len(shown)} 个" if len(counts) > len(shown) else ""
    return card(
        title,
        chart(
            "units",
            figures.status_bars(shown, looks, view.theme),
            rows_height(len(shown), least=220),
            f"{title}，{len(shown)} 个单位",
        ),
        note=note + more,
    )


def rules_table(view: View, limit: int | None = None) -> Table:
    """Every rule judged in the month, with counts by status."""
    state = view.state
    rows = [
        # Percentages of different subjects have no sum.
        row | ({"shortfall": None} if row["unit"] == "%" else {})
        for row in queries.rules_summary(view.warehouse, view.scope, state.prefix, view.month)
        if (not state.get("topic") or row["topic_zh"] == state.get("topic"))
        and (not state.get("rule") or row["rule_id"] == state.get("rule"))
    ]

    def tally(status: str) -> Column:
        title = show.STATUS[status].label
        return Column(f"{status}_count", title, "number", "个", is_decisive=status == "short")

    return Table(
        name="rules",
        title="规则汇总",
        columns=[
            Column("rule_id", "规则", "link", width=84),
            Column("title_zh", "内容", "long", is_decisive=True),
            Column("topic_zh", "主题"),
            Column("month", "判定月份", hint="按季、按年的规则，用最近一期的判定"),
            tally("met"),
            tally("short"),
            tally("over"),
            tally("not_reported"),
            Column(
                "shortfall",
                "合计缺",
                "number",
                is_of_unit=True,
                text=lambda row, money: show.shortfall(row["shortfall"], row["unit"], money, is_sum=True),
            ),
            Column("clause", "条款", absent=show.NONE),
            Column("document_title", "依据", "long", is_hidden=True),
        ],
        rows=rows[:limit] if limit is not None else rows,
        key=lambda row: str(row["rule_id"]),
        href=lambda row: state.href(rule=row["rule_id"]),
        total=len(rows),
    )


def answers_table(view: View, limit: int | None = None) -> Table:
    """Every answer of the month."""
    w, state = view.warehouse, view.state
    rows, total = queries.judgement_rows(
        w,
        view.scope,
        state.prefix,
        view.month,
        rule=state.get("rule"),
        status=state.get("status"),
        topic=state.get("topic"),
        limit=limit,
        ask=view.ask,
    )
    named = [{**row, "subject_name": subject_name(view, row)} for row in rows]
    return Table(
        name="answers",
        title="判定明细",
        columns=[
            Column("subject_name", "对象", "link", width=130),
            public(w, "judgements.status", width=112),
            Column("county_name", "县（区）", absent=show.NONE, width=120),
            public(w, "judgements.subject_level", is_hidden=True),
            Column("rule_id", "规则", width=84),
            Column("title_zh", "内容", "long", is_decisive=True),
            Column(
                "value_checked",
                "实际",
                "number",
                is_of_unit=True,
                text=lambda row, money: show.quantity(row["value_checked"], row["unit"], money),
            ),
            Column(
                "value_expected",
                "要求",
                "number",
                is_of_unit=True,
                text=lambda row, money: show.quantity(
                    row["value_expected"], row["unit"], money, absent=show.NONE
                ),
            ),
            Column(
                "shortfall",
                "差",
                "number",
                is_of_unit=True,
                is_decisive=True,
                text=lambda row, money: show.shortfall(row["shortfall"], row["unit"], money),
            ),
            Column("month", "判定月份"),
            public(w, "judgements.reason", absent=show.NONE, is_hidden=True),
            Column("clause", "条款", absent=show.NONE, is_hidden=True),
            Column("document_title", "依据", "long", is_hidden=True),
        ],
        rows=named,
        key=lambda row: f"{row['rule_id']}/{row['subject_level']}/{row['subject_unit']}",
        href=lambda row: subject_href(view, row),
        total=total,
    )


def subject_name(view: View, row: Row) -> str:
    """The name of whatever was judged: an institution bears its own, a village that of the divisions file."""
    code, level = str(row["subject_code"]), row["subject_level"]
    if level == "institution":
        return str(row["subject_unit"]).rpartition("/")[2]
    if len(code) == 6:
        return view.warehouse.names.get(code, code)
    return str((row["village_name"] if len(code) > 9 else row["township_name"]) or code)


def subject_href(view: View, row: Row) -> str:
    """Where a subject can be seen: a township's own page, a county's view, a village's township."""
    code = str(row["subject_code"])
    if len(code) >= 9:
        return view.state.href("/township", unit=code[:9])
    return view.state.href(unit=queries.padded(code))


PAGE = Page("/staffing", "人员与能力", "people", 30, render, {"rules": rules_table, "answers": answers_table})
