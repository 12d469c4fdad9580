"""The tables of a report: those of its body, those of its annexes, and the one of what a correction changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from oversight import presentation
from oversight.metrics import added
from oversight.reports import weighing
from oversight.reports.document import Column, Table, Total, Value
from oversight.reports.facts import Change, Facts, Row, Totals, own_totals
from oversight.reports.paper import Changes

NOT_REPORTED, NONE = presentation.NOT_REPORTED, presentation.NONE
UNIT_STEPS = {
    "same": "两期均可判定的单位",
    "entered": "本期新纳入判定的单位",
    "left": "本期不再纳入判定的单位",
    "ended": "年内撤销、按已计提数计入的单位",
}
KIND_ZH = {"new": "新增", "continuing": "持续", "cleared": "已整改"}
DOUBT_ZH = {"held": "待确认", "rejected": "退回", "doubt": "存疑"}
REPORTED_ZH = {
    "reported": "已报",
    **{
        code: look.label if code == "nil" else f"已报，{look.label}"
        for code, look in presentation.TOLD.items()
    },
    "held": "待确认",
    "missing": NOT_REPORTED,
}
DATASETS = ("population", "budget", "staffing")
# What a rule that is no plain duty is called wherever it is named.
STRENGTH_ZH = {
    "principle": "原则上",
    "conditional": "视条件",
    "option": "可选",
    "aim": "争取",
    "plan": "计划目标",
    "benchmark": "参照",
}


def titled(row: Row) -> str:
    """A rule's title with what it asks for less than a duty: 原则上, 参照, 只作提示."""
    told = STRENGTH_ZH.get(row["strength"]) or ("参照" if row["force"] == "report" else "")
    told = told or ("只作提示" if row["gradeable"] == "soft" else "")
    return str(row["title_zh"]) + (f"（{told}）" if told else "")


def tables_of(facts: Facts, settings: Row) -> dict[str, Table]:
    tables = [
        _overview(facts),
        *_change_tables(facts),
        *_ranking(facts, settings["content"]["ranking_rows"]),
        _five(facts),
        _capacity(facts),
        _brief(_annex_funding(facts), settings),
        _brief(_annex_staffing(facts), settings),
        _brief(
            _annex_findings(facts), settings, "severity", presentation.label(presentation.SEVERITY, "medium")
        ),
        _annex_reporting(facts),
        _annex_differences(facts),
        _brief(_annex_funds(facts), settings, "fund", presentation.label(presentation.FUND, "working_funds")),
        _annex_doubts(facts),
        _annex_standards(facts),
    ]
    return {table.key: table for table in tables}


def _brief(table: Table, settings: Row, key: str = "status", value: str = "") -> Table:
    """On paper without the rows nobody needs to look at, when there are very many."""
    limit = settings["content"]["paper_rows"]
    omitted = (key, value or presentation.status_label("met"))
    return dataclasses.replace(table, paper_limit=limit, omitted=omitted)


def _overview(facts: Facts) -> Table:
    columns = (
        Column("month", "月份", "month", 10),
        Column("judged", "可判定（个）", "count", 7),
        Column("guaranteed", "应保障（元）", "money", 14),
        Column("allocated", "年度安排（元）", "money", 14),
        Column("gap", "安排缺口（元）", "money", 14),
        Column("adequacy", "保障率（%）", "pct", 8),
        Column("paid", "累计拨付（元）", "money", 14),
        Column("paid_pct", "拨付率（%）", "pct", 8),
    )
    months = [facts.totals]
    months += [change.then for change in (facts.against_month, facts.against_year) if change]
    rows = tuple(
        (
            item.month,
            item.judged,
            item.guaranteed if item.judged else NONE,
            item.allocated if item.judged else NONE,
            item.gap if item.judged else NONE,
            item.adequacy if item.adequacy is not None else NONE,
            item.paid if item.paid_units else NOT_REPORTED,
            item.paid_pct if item.paid_pct is not None else NONE,
        )
        for item in months
    )
    return Table(
        "overview",
        "经费保障总体情况",
        columns,
        rows if facts.totals.judged else (),
        note="应保障、年度安排、安排缺口为全年数，只计可判定单位；累计拨付和拨付率只计已报拨付数的单位。",
    )


def _change_tables(facts: Facts) -> list[Table]:
    return [
        _change_table("change_month", "较上月变化的构成", facts.against_month),
        _change_table("change_year", "较上年同月变化的构成", facts.against_year),
    ]


def _change_table(key: str, title: str, change: Change | None) -> Table:
    columns = (
        Column("what", "构成", "text", 22),
        Column("units", "单位数（个）", "count", 10, total="sum"),
        Column("guaranteed", "应保障变化（元）", "money", 16, total="sum"),
        Column("allocated", "年度安排变化（元）", "money", 16, total="sum"),
        Column("gap", "安排缺口变化（元）", "money", 16, total="sum"),
    )
    steps = change.by_unit if change else ()
    rows = tuple(
        (UNIT_STEPS[step.key], step.units, step.guaranteed, step.allocated, step.gap) for step in steps
    )
    if all(step.key == "same" and not (step.guaranteed or step.allocated or step.gap) for step in steps):
        rows = ()  # Nothing changed: the sentence says so.
    total = None
    if change:
        total = Total(
            "合计",
            {
                "guaranteed": change.guaranteed,
                "allocated": change.allocated,
                "gap": change.gap,
            },
        )
    return Table(key, title, columns, rows, total)


def _ranking(facts: Facts, shown: int) -> list[Table]:
    # A county's own townships belong to it, each is one unit.
    is_plain = facts.rank_by == "township" and facts.scope.level == "county"
    is_township = facts.rank_by == "township"
    columns: tuple[Column, ...] = (
        Column("rank", "名次", "rank", 6),
        Column("name", "单位", "text", 16),
        Column("parent", "所属", "text", 12),
        Column("judged", "可判定（个）", "count", 8, printed=not is_township, total="sum"),
        Column("guaranteed", "应保障（元）", "money", 14, total="sum"),
        Column("allocated", "年度安排（元）", "money", 14, total="sum"),
        Column("gap", "安排缺口（元）", "money", 14, total="sum"),
        Column("adequacy", "保障率（%）", "pct", 9, total=("ratio", "allocated", "guaranteed")),
        Column("paid_pct", "拨付率（%）", "pct", 9),
        Column("rank_before", "上月名次", "rank", 7),
    )
    kept = [
        place for place, column in enumerate(columns) if not (is_plain and column.key in ("parent", "judged"))
    ]
    columns = tuple(columns[place] for place in kept)

    def line(item: Row) -> tuple[Value, ...]:
        totals = item["totals"]
        known = totals.judged > 0
        absent = NOT_REPORTED if totals.not_reported else NONE
        values: tuple[Value, ...] = (
            item["rank"] or absent,
            item["name"],
            item["parent"],
            totals.judged,
            totals.guaranteed if known else absent,
            totals.allocated if known else absent,
            totals.gap if known else absent,
            item["adequacy"] if item["adequacy"] is not None else absent,
            totals.paid_pct if totals.paid_pct is not None else NONE,
            item["rank_before"] or NONE,
        )
        return tuple(values[place] for place in kept)

    rows = tuple(line(item) for item in facts.ranking)
    gone = _ended(facts, [item["totals"] for item in facts.ranking])
    if gone:
        # What the total counts stands in a row, though nobody can take its place.
        told = {"rank": NONE, "parent": "", "paid_pct": NONE, "rank_before": NONE, **gone}
        rows += (tuple(told[column.key] for column in columns),)
    placed = [item for item in facts.ranking if item["rank"]]
    total = Total(
        "合计",
        {
            "judged": facts.totals.judged,
            "guaranteed": facts.totals.guaranteed,
            "allocated": facts.totals.allocated,
            "gap": facts.totals.gap,
            "adequacy": facts.totals.adequacy,
        },
    )
    title = "保障率排名"
    whole = Table("ranking_all", title, columns, rows if placed else (), total)
    if len(facts.ranking) <= shown:
        return [dataclasses.replace(whole, key="ranking"), dataclasses.replace(whole, rows=())]
    # The first and the last places; everything is in the annex.
    half = max(shown // 2, 1)
    picked = tuple(line(item) for item in placed[:half] + placed[half:][-half:])
    some = Table("ranking", f"{title}（前{half}位和后{half}位）", columns, picked)
    return [some, whole]


def _ended(facts: Facts, counted: Sequence[Totals]) -> dict[str, Value]:
    """The units that ended in the year and that its sums still count, in one row: what the rows of the others leave."""
    totals = facts.totals

    def left_of(name: str) -> Any:
        return (getattr(totals, name) or 0) - (added(getattr(item, name) for item in counted) or 0)

    units = left_of("judged")
    if units <= 0:
        return {}
    left = {name: left_of(name) for name in ("guaranteed", "guaranteed_ytd", "allocated", "gap", "surplus")}
    rate = presentation.ratio_pct(left["allocated"], left["guaranteed"])
    return {
        "name": f"年内撤销的单位（{presentation.count(units)}个）",
        "judged": units,
        **left,
        "adequacy": NONE if rate is None else rate,
    }


def _five(facts: Facts) -> Table:
    columns = (
        Column("pillar", "项目", "text", 16),
        Column("due", "应判定（个）", "count", 12),
        Column("met", "达标", "count", 10),
        Column("short", "不达标", "count", 10),
        Column("not_reported", "未报送", "count", 10),
    )
    rows = tuple(
        (row["pillar_zh"], row["due"], row["met"], row["short"], row["not_reported"]) for row in facts.five
    )
    return Table("five", "“五有”达标情况（按单位计）", columns, rows)


def _capacity(facts: Facts) -> Table:
    columns = (
        Column("rule", "编号", "text", 8),
        Column("title", "事项", "text", 40),
        Column("month", "时期", "month", 12),
        Column("due", "应判定（个）", "count", 8),
        Column("met", "达标", "count", 6),
        Column("short", "不达标", "count", 7),
        Column("over", "超配提示", "count", 6, printed=any(row["over"] for row in facts.capacity)),
        Column("not_reported", "未报送", "count", 7),
    )
    rows = tuple(
        (
            row["rule_id"],
            titled(row),
            row["month"],
            row["due"],
            row["met"],
            row["short"],
            row["over"],
            row["not_reported"],
        )
        for row in facts.capacity
    )
    return Table("capacity", "村级力量和能力建设判定情况", columns, rows)


def _annex_funding(facts: Facts) -> Table:
    columns = (
        Column("name", "单位", "text", 16),
        Column("county", "县（市、区）", "text", 14, printed=facts.scope.level != "county"),
        Column("code", "区划代码", "text", 10, printed=False),
        Column("standard", "标准", "text", 6, printed=False),
        Column("population", "定档人口（人）", "count", 9),
        Column("population_month", "人口月份", "month", 11, printed=False),
        Column("population_note", "人口说明", "text", 12, printed=False),
        Column("tier", "档次", "text", 11),
        Column("guaranteed", "应保障（元）", "money", 13, total="sum"),
        Column("allocated", "年度安排（元）", "money", 13, total="sum"),
        Column("gap", "安排缺口（元）", "money", 13, total="sum"),
        Column("surplus", "高出标准（元）", "money", 13, printed=False, total="sum"),
        Column("adequacy", "保障率（%）", "pct", 8, total=("ratio", "allocated", "guaranteed")),
        Column("guaranteed_ytd", "应保障累计（元）", "money", 13, printed=False, total="sum"),
        Column("paid", "累计拨付（元）", "money", 13, total="sum"),
        Column("paid_gap", "拨付缺口（元）", "money", 13, total="sum"),
        Column("spent", "累计支出（元）", "money", 13, printed=False, total="sum"),
        Column("edge", "分档线说明", "text", 26, printed=False),
        Column("status", "状态", "text", 9),
    )
    rows: list[tuple[Value, ...]] = []
    for row in facts.units:
        absent = NOT_REPORTED if row["standard_id"] else NONE

        def known(name: str, row: Row = row, absent: str = absent) -> Value:
            value: Value = row[name]
            return absent if value is None else value

        rows.append(
            (
                row["township_name"],
                row["county_name"],
                row["township_code"],
                row["standard_id"] or NONE,
                known("population_persons"),
                row["population_month"] or NONE,
                "本年数代用" if row["population_is_fallback"] else "",
                row["tier_label"] or NONE,
                known("guaranteed_annual_cny"),
                NOT_REPORTED if row["allocated_annual_cny"] is None else row["allocated_annual_cny"],
                row["allocation_shortfall_cny"] if row["allocation_shortfall_cny"] is not None else NONE,
                row["allocation_surplus_cny"] if row["allocation_surplus_cny"] is not None else NONE,
                row["adequacy_pct"] if row["adequacy_pct"] is not None else NONE,
                known("guaranteed_ytd_cny"),
                NOT_REPORTED if row["disbursed_ytd_cny"] is None else row["disbursed_ytd_cny"],
                row["disbursement_shortfall_ytd_cny"]
                if row["disbursement_shortfall_ytd_cny"] is not None
                else NONE,
                NOT_REPORTED if row["spent_ytd_cny"] is None else row["spent_ytd_cny"],
                _edge(row),
                presentation.status_label(row["status"]),
            )
        )
    judged = [row for row in facts.units if row["status"] in ("met", "short")]
    gone = (
        _ended(facts, [own_totals(row) for row in facts.units]) if facts.totals.judged > len(judged) else {}
    )
    gone_zh = presentation.status_label("unit_ended")
    if gone:
        told: dict[str, Value] = dict.fromkeys((column.key for column in columns), NONE)
        told |= {"edge": "", "population_note": "", "county": "", **gone, "status": gone_zh}
        rows.append(tuple(told[column.key] for column in columns))
    sums = Total(
        "可判定单位合计",
        {
            "guaranteed": facts.totals.guaranteed,
            "allocated": facts.totals.allocated,
            "gap": facts.totals.gap,
            "surplus": facts.totals.surplus,
            "adequacy": facts.totals.adequacy if facts.totals.adequacy is not None else NONE,
            "guaranteed_ytd": facts.totals.guaranteed_ytd,
        },
        where="status",
        counted=(
            presentation.status_label("met"),
            presentation.status_label("short"),
            *([gone_zh] if gone else ()),
        ),
    )
    also = "和年内撤销、没有承接单位的单位（按撤销时已计提的数，其拨付只计入正文的合计）" if gone else ""
    return Table(
        "annex_funding",
        "乡镇经费保障明细表",
        columns,
        tuple(rows),
        sums if facts.totals.judged else None,
        note=f"合计只计状态为达标、不达标的单位{also}。“未报”为应报未报，“—”为不适用或无法计算，均不按零处理。",
    )


def _edge(row: Row) -> str:
    if not row["is_on_tier_edge"] or row["other_annual_cny"] is None:
        return ""
    return (
        f"在分档线上，按{row['other_tier_label']}档为{presentation.money(row['other_annual_cny'], 'yuan')}元"
    )


def _annex_staffing(facts: Facts) -> Table:
    columns = (
        Column("name", "单位", "text", 16),
        Column("county", "县（市、区）", "text", 14, printed=facts.scope.level != "county"),
        Column("code", "区划代码", "text", 10, printed=False),
        Column("standard", "标准", "text", 7),
        Column("tier", "档次", "text", 11),
        Column("counted", "计入", "count", 7),
        Column("required", "最低", "count", 7),
        Column("advised", "上限", "count", 7),
        Column("shortfall", "缺员", "count", 7, total="sum"),
        Column("excess", "超配", "count", 7),
        Column("counts", "缺员计入合计", "text", 7, printed=False),
        Column("partial", "口径说明", "text", 14, printed=False),
        Column("status", "状态", "text", 10),
    )
    rows = tuple(
        (
            row["township_name"],
            row["county_name"],
            row["township_code"],
            row["standard_id"],
            row["tier_label"] or NONE,
            NOT_REPORTED if row["counted_persons"] is None else row["counted_persons"],
            NONE if row["required_min_persons"] is None else row["required_min_persons"],
            NONE if row["advised_max_persons"] is None else row["advised_max_persons"],
            NONE if row["shortfall_persons"] is None else row["shortfall_persons"],
            NONE if row["excess_persons"] is None else row["excess_persons"],
            "是" if row["is_counted_in_totals"] else "否",
            "；".join(
                word
                for word, holds in (
                    ("部分口径未报", row["counted_is_partial"]),
                    ("人口写作万人、档次不定，按至少要求判定", row["is_tier_uncertain"]),
                )
                if holds
            ),
            presentation.status_label(row["status"]),
        )
        for row in facts.staffing_rows
    )
    # Of several standards on the same people the strictest counts, as in the roll-up.
    missing, beyond = facts.totals.missing_people, facts.totals.people_beyond
    sums = Total(
        "合计",
        {
            "shortfall": NONE if missing is None else missing,
            "excess": NONE if beyond is None else beyond,
        },
        where="counts",
        counted=("是",),
    )
    is_twice = any(not row["is_counted_in_totals"] for row in facts.staffing_rows)
    once = "同一单位适用几项标准的，合计只计要求最高的一项，人员不重复计算。" if is_twice else ""
    titles = "；".join(f"{row['standard_id']} {row['title_zh']}（{row['unit']}）" for row in facts.staffing)
    return Table(
        "annex_staffing",
        "乡镇人员配备明细表",
        columns,
        rows,
        sums if rows else None,
        note=(titles and f"标准：{titles}。") + once,
    )


def _measured(row: Row) -> tuple[Value, Value, Value]:
    """Expected, found and missing; 是 and 否 where that is what was asked."""
    expected, checked, shortfall = row["value_expected"], row["value_checked"], row["shortfall"]
    if row["unit"] == "是/否":
        told = (None if value is None else presentation.yes_no(bool(value)) for value in (expected, checked))
        expected, checked, shortfall = *told, None
    elif row["unit"] == "元":
        expected, checked, shortfall = (
            None if value is None else presentation.rounded(value, 2)
            for value in (expected, checked, shortfall)
        )
    return (
        NONE if expected is None else expected,
        NONE if checked is None else checked,
        NONE if shortfall is None else shortfall,
    )


def told_of(row: Row) -> str:
    """What the analyst has noted on a finding: an exemption, a notice, a date agreed on, a reply."""
    parts = []
    if row.get("is_exempt"):
        parts.append("已批准豁免" + (f"（{row['exempt_reason_zh']}）" if row.get("exempt_reason_zh") else ""))
    if row.get("notified_on"):
        parts.append(f"{presentation.day(row['notified_on'])}通知")
    if row.get("agreed_on"):
        parts.append(f"约定{presentation.day(row['agreed_on'])}前整改")
    if row.get("reply_zh"):
        parts.append(f"答复：{row['reply_zh']}")
    return "；".join(parts)


def _annex_findings(facts: Facts) -> Table:
    columns = (
        Column("name", "单位", "text", 16),
        Column("county", "县（市、区）", "text", 14, printed=facts.scope.level != "county"),
        Column("rule", "标准", "text", 7),
        Column("title", "未达标事项", "text", 32),
        Column("expected", "应为", "quantity", 11),
        Column("checked", "实为", "quantity", 11),
        Column("shortfall", "差额", "quantity", 11),
        Column("unit", "计量", "text", 5),
        Column("opened", "出现月份", "month", 11),
        Column("months", "期数", "count", 5),
        Column("severity", "程度", "text", 6),
        Column("kind", "情况", "text", 7),
        Column("source", "实际值来源", "text", 10, printed=False),
        Column("basis", "依据", "text", 40, printed=False),
        Column("record", "处理记录", "text", 30, printed=False),
    )
    rows = tuple(
        (
            row["subject_name"],
            row["county_name"],
            row["rule_id"],
            titled(row),
            *_measured(row),
            row["unit"] or "",
            row["opened_month"],
            row["months_open"],
            presentation.label(presentation.SEVERITY, row["severity"]),
            KIND_ZH[row["kind"]],
            presentation.cell("source", row["source"], absent=NONE),
            weighing.cited(facts, row),
            told_of(row),
        )
        for row in facts.findings
        if row["status"] == "short"
    )
    return Table("annex_findings", "问题清单", columns, rows, note="已整改的问题所列为整改前最近一期的数。")


def _annex_reporting(facts: Facts) -> Table:
    columns = (
        Column("name", "单位", "text", 18),
        Column("county", "县（市、区）", "text", 16, printed=facts.scope.level != "county"),
        Column("code", "区划代码", "text", 11, printed=False),
        *(Column(name, presentation.DATASET[name], "text", 12) for name in DATASETS),
        Column("last", "最近一次报送", "text", 16),
    )
    rows = []
    for row in facts.reporting:
        if all(row[name] == "reported" for name in DATASETS):
            continue
        last = max((row[f"{name}_last"] for name in DATASETS if row[f"{name}_last"]), default=None)
        rows.append(
            (
                row["township_name"],
                row["county_name"],
                row["township_code"],
                *(REPORTED_ZH[row[name]] for name in DATASETS),
                presentation.month(last, absent="从未报送"),
            )
        )
    return Table("annex_reporting", "未报送、零报告和待确认单位名单", columns, tuple(rows))


def _side(row: Row, side: str) -> str:
    """File, sheet and row of one side of a difference."""
    place = row[f"file_name_{side}"] or ""
    if row[f"sheet_{side}"]:
        place += f" {row[f'sheet_{side}']}"
    return place + (f" 第{row[f'row_number_{side}']}行" if row[f"row_number_{side}"] else "")


def _annex_differences(facts: Facts) -> Table:
    columns = (
        Column("name", "单位", "text", 14),
        Column("county", "县（市、区）", "text", 14, printed=facts.scope.level != "county"),
        Column("code", "区划代码", "text", 11, printed=False),
        Column("month", "月份", "month", 11),
        Column("figure", "数据项", "text", 16),
        Column("source_a", "甲方", "text", 9),
        Column("value_a", "甲方数", "quantity", 13),
        Column("source_b", "乙方", "text", 9),
        Column("value_b", "乙方数", "quantity", 13),
        Column("difference", "相差", "quantity", 12),
        Column("used", "采用", "text", 9),
        Column("rule", "采用的理由", "text", 22),
        Column("place_a", "甲方出处", "text", 30, printed=False),
        Column("place_b", "乙方出处", "text", 30, printed=False),
    )

    def value(row: Row, name: str) -> Value:
        found: Decimal = row[name]
        if row["is_yes_no"]:
            return NONE if name == "difference" else presentation.yes_no(bool(found))
        return found

    rows = tuple(
        (
            row["township_name"],
            row["county_name"],
            row["township_code"],
            row["month"],
            _figure(row),
            row["source_a_name"],
            value(row, "value_a"),
            row["source_b_name"],
            value(row, "value_b"),
            value(row, "difference"),
            row["used_source_name"],
            row["rule"],
            _side(row, "a"),
            _side(row, "b"),
        )
        for row in facts.differences
    )
    note = "列出本年1月至本月两个来源所报不同的全部数据；相差为甲方数减乙方数。两方的数都保留，采用哪一个由规定的先后决定。"
    return Table("annex_differences", "两方数据核对表", columns, rows, note=note)


def _figure(row: Row) -> str:
    """What the two tell differently: 本月拨付（元）, of another fund with its name."""
    fund = "" if row["fund_code"] in (None, "working_funds") else f"{row['fund_name'] or row['fund_code']}："
    unit = "" if row["is_yes_no"] or not row["unit"] else f"（{row['unit']}）"
    return f"{fund}{row['title']}{unit}"


def figure_in_text(row: Row) -> str:
    """The same in running text, where the values carry the unit."""
    return _figure({**row, "unit": ""})


def _annex_funds(facts: Facts) -> Table:
    amounts = (
        ("carried_over_cny", "上年结转（元）"),
        ("from_above_cny", "上级补助（元）"),
        ("own_cny", "本级安排（元）"),
        ("initial_cny", "年初预算（元）"),
        ("adjusted_cny", "调整后预算（元）"),
        ("disbursed_ytd_cny", "累计拨付（元）"),
        ("spent_ytd_cny", "累计支出（元）"),
        ("balance_cny", "结余（元）"),
    )
    # A column that nobody reported has no place on paper.
    told = {name for name, _ in amounts if any(row[name] is not None for row in facts.funds)}
    columns = (
        Column("name", "单位", "text", 14),
        Column("county", "县（市、区）", "text", 14, printed=facts.scope.level != "county"),
        Column("code", "区划代码", "text", 11, printed=False),
        Column("fund", "资金项目", "text", 14),
        *(Column(name, title, "money", 13, printed=name in told) for name, title in amounts),
        Column("remark", "说明", "text", 16),
    )
    rows = tuple(
        (
            row["township_name"],
            row["county_name"],
            row["township_code"],
            row["fund_name"],
            *(
                (NONE if name == "balance_cny" else NOT_REPORTED) if row[name] is None else row[name]
                for name, _ in amounts
            ),
            _until(row),
        )
        for row in facts.funds
    )
    note = (
        "各资金项目互不相加，只有民政工作经费对照经费保障标准；上年结转不抵保障。"
        "“未报”为没有报送，不按零处理；结余须预算和支出都已报送。"
    )
    return Table("annex_funds", "各资金项目收支表", columns, rows, note=note)


def _until(row: Row) -> str:
    """How far what was paid and spent is known, where that is not to the month."""
    parts = []
    for kind, title in (("disbursed", "拨付"), ("spent", "支出")):
        as_of = row[f"{kind}_as_of_month"]
        if as_of is None:
            continue
        if as_of < row["month"]:
            parts.append(f"{title}截至{as_of.month}月")
        if row[f"{kind}_is_partial"]:
            parts.append(f"{title}缺月份")
    return "、".join(parts)


def _annex_doubts(facts: Facts) -> Table:
    columns = (
        Column("kind", "类别", "text", 7),
        Column("name", "单位", "text", 15),
        Column("message", "说明", "text", 40),
        Column("what", "处理办法", "text", 26),
        Column("file", "文件", "text", 30),
        Column("sheet", "工作表", "text", 10, printed=False),
        Column("row", "行", "text", 5),
    )
    rows = tuple(
        (
            DOUBT_ZH[row["kind"]],
            row["name"] or row["county_name"] or NONE,
            row["message_zh"] or "",
            row["what_to_do_zh"] or "",
            row["file_name"] or NONE,
            row["sheet"] or "",
            str(row["row_number"]) if row["row_number"] is not None else NONE,
        )
        for row in facts.doubts
    )
    return Table("annex_doubts", "数据疑点清单", columns, rows)


def _annex_standards(facts: Facts) -> Table:
    documents = {weighing.source(facts, row) for row in facts.standards}
    columns = (
        Column("id", "编号", "text", 7),
        Column("title", "标准", "text", 26),
        Column("document", "文件", "text", 30, printed=len(documents) > 1),
        Column("clause", "条款", "text", 9),
        Column("quotation", "原文", "text", 44),
        Column("strength", "约束", "text", 7, printed=False),
        Column("ambiguity", "不明之处和处理", "text", 40, printed=False),
    )
    rows = tuple(
        (
            row["standard_id"],
            row["title_zh"],
            weighing.source(facts, row),
            row["clause"] or "",
            row["quotation"] or "",
            presentation.label(presentation.STRENGTH, row["strength"]),
            row["ambiguity_zh"] or "",
        )
        for row in facts.standards
    )
    note = f"以上均出自{documents.pop()}。" if len(documents) == 1 else ""
    return Table("annex_standards", "适用标准和条款原文", columns, rows, note=note)


def changes_table(changes: Changes) -> Table:
    columns = (
        Column("name", "单位", "text", 16),
        Column("what", "项目", "text", 20),
        Column("before", "原为", "text", 18),
        Column("after", "更正为", "text", 18),
        Column("why", "原因", "text", 44),
    )
    return Table("changes", "更正的数字", columns, changes.rows)
