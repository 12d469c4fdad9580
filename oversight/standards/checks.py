"""What standards data must satisfy before any figure is made from them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from oversight.standards.loading import Standards
from oversight.standards.shapes import (
    ROLES,
    SELECTIVE,
    SELECTIVE_OF_MEASURES,
    SELECTIVE_OF_TIERS,
    SHAPES,
    Shape,
)
from oversight.standards.shapes.columns import COLUMNS

LEVELS = frozenset({"province", "city", "county", "township", "village", "community", "institution"})
PERIODS = frozenset({"month", "quarter", "half_year", "year", "two_years"})
SEVERITIES = frozenset({"high", "medium", "low"})
STRENGTHS = frozenset({"must", "principle", "conditional", "option", "aim", "plan", "benchmark"})
ACCRUALS = frozenset({"monthly", "annual"})
EDGE_RULES = frozenset({"legal_default", "favour_township", "half_open"})
POPULATION_BASES = frozenset({"registered", "resident"})

_NEVER_JUDGED = frozenset({"<", "<=", "≤", "!=", "<>"})
_LOOKS_LIKE_A_COLUMN = re.compile(r"^[a-z_]+$")
_BASES = frozenset(
    {
        "元",
        "万元",
        "人",
        "名",
        "个",
        "间",
        "项",
        "次",
        "期",
        "批",
        "家",
        "户",
        "村",
        "台",
        "岁",
        "倍",
        "%",
        "㎡",
        "人次",
        "编",
        "式样",
        "是/否",
    }
)
_PERS = frozenset(
    {
        "人·月",
        "人·年",
        "月",
        "年",
        "季",
        "人",
        "名",
        "村",
        "岗",
        "县",
        "乡镇",
        "百户",
        "户",
        "个",
        "班",
        "万人",
    }
)


def parse_unit(unit: str) -> tuple[str, str | None] | None:
    """A unit as (what is counted, per what): `元/人·月` → (元, 人·月), `是/否` → (是/否, None); None if unknown."""
    if unit in _BASES:
        return unit, None
    base, slash, per = unit.partition("/")
    return (base, per) if slash and base in _BASES and per in _PERS else None


@dataclass(frozen=True)
class StandardProblem:
    """A mistake in the standards data: which standard, what is wrong, what to do."""

    standard_id: str
    message_zh: str

    def __str__(self) -> str:
        return f"{self.standard_id}：{self.message_zh}"


def check_standards(standards: Standards) -> list[StandardProblem]:
    """Every mistake found: a gap or an overlap of tiers, an unknown unit or formula, a missing clause, …

    A range whose two tiers both include the shared bound is allowed: both hold there, and their intersection
    is meant (秦政 2017, 3万人). For money that would leave two amounts, so it is refused.
    """
    return list(_problems(standards))


def _problems(standards: Standards) -> Iterator[StandardProblem]:
    documents = {row["document_id"] for row in standards.documents.to_dicts()}
    tiers = _grouped(standards.tiers.to_dicts())
    measures = _grouped(standards.measures.to_dicts())
    rows = standards.standards.to_dicts()
    known = {row["standard_id"] for row in rows}

    for orphan in sorted((tiers.keys() | measures.keys()) - known):
        yield StandardProblem(
            orphan, "分档或计量项所属的标准不存在，请在 standards.csv 补上该标准或删去这些行"
        )
    for name, group in (("标准", rows), ("文件", standards.documents.to_dicts())):
        key = "standard_id" if name == "标准" else "document_id"
        ids = [row[key] for row in group]
        for twice in sorted({i for i in ids if ids.count(i) > 1}):
            yield StandardProblem(twice, f"{name}编号重复，请只保留一行")
    for size in standards.materiality.to_dicts():
        yield from _size_problems(size)
    for row in rows:
        yield from _standard_problems(row, documents)
        shape = SHAPES.get(row["formula"] or "")
        if row["gradeable"] == "N" or shape is None:
            continue
        own_tiers, own_measures = tiers.get(row["standard_id"], []), measures.get(row["standard_id"], [])
        yield from _tier_problems(row, shape, own_tiers)
        if not own_measures:
            yield StandardProblem(
                row["standard_id"], "没有计量项，请在 standard_measures.csv 写明计入哪些数据"
            )
        yield from _measure_problems(row, shape, own_measures)
        yield from _idle_fields(row, shape, own_tiers, own_measures)
        if shape.explained == "general":
            yield from _general_problems(row, shape, own_measures, rows)
        if shape.name == "composite" and own_tiers and own_tiers[0]["value"] != len(own_measures):
            yield StandardProblem(
                row["standard_id"],
                f"合成的规则要求各组成项都做到：分档表的标准值应为组成项数 {len(own_measures)}，现为 {own_tiers[0]['value']}",
            )


def _size_problems(size: dict[str, Any]) -> Iterator[StandardProblem]:
    ident = f"materiality.csv 单位 {size['unit']}"
    if size["severity"] not in SEVERITIES:
        yield StandardProblem(
            ident, f"程度“{size['severity'] or ''}”未知（severity），可用：{'、'.join(sorted(SEVERITIES))}"
        )
    if size["below_amount"] is None and size["below_pct"] is None:
        yield StandardProblem(
            ident, "没有写多小算小：below_amount（数额）、below_pct（占要求值的百分数）至少填一个"
        )
    if any((size[column] or 0) < 0 for column in ("below_amount", "below_pct")):
        yield StandardProblem(ident, "below_amount、below_pct 不能为负数")


def _grouped(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row["standard_id"], []).append(row)
    return groups


def _standard_problems(row: dict[str, Any], documents: set[str]) -> Iterator[StandardProblem]:
    ident = row["standard_id"]
    for column, title in (
        ("clause", "条款"),
        ("quotation", "原文"),
        ("title_zh", "标准名称"),
        ("matter", "事项"),
        ("unit", "单位"),
        ("effective_from", "生效日期"),
        ("recorded_on", "录入日期"),
    ):
        if row[column] is None:
            yield StandardProblem(ident, f"缺少{title}（{column}），请补填")
    if row["document_id"] not in documents:
        yield StandardProblem(ident, f"所属文件 {row['document_id']} 不存在，请在 policy_documents.csv 补上")
    scope = row["scope_code"] or ""
    if not (scope.isdigit() and len(scope) in (6, 9)):
        yield StandardProblem(ident, f"适用范围“{scope}”不是 6 位或 9 位区划代码（全国写 000000）")
    if row["gradeable"] == "N":
        if row["not_judged_reason"] is None:
            yield StandardProblem(ident, "标明不可判定，却没有写原因（not_judged_reason）")
        return
    levels = (row["subject_level"] or "").split(";")
    for column, title, given, known in (
        ("subject_level", "对象层级", levels, LEVELS),
        ("period", "判定周期", [row["period"]], PERIODS),
        ("strength", "约束力", [row["strength"]], STRENGTHS),
        ("severity", "程度", [row["severity"] or "medium"], SEVERITIES),
    ):
        if unknown := [str(value or "") for value in given if value not in known]:
            yield StandardProblem(
                ident, f"{title}“{'、'.join(unknown)}”未知（{column}），可用：{'、'.join(sorted(known))}"
            )
    if row["formula"] not in SHAPES:
        yield StandardProblem(ident, f"计算方式“{row['formula']}”未知，可用：{'、'.join(sorted(SHAPES))}")
    if row["accrual"] not in (None, *ACCRUALS):
        yield StandardProblem(
            ident, f"计提方式“{row['accrual']}”未知（accrual），可用：{'、'.join(sorted(ACCRUALS))}"
        )
    if row["effective_from"] and row["effective_to"] and row["effective_to"] < row["effective_from"]:
        yield StandardProblem(ident, "失效日期早于生效日期")
    shape = SHAPES.get(row["formula"] or "")
    if shape is not None and shape.tiers == "by_population":
        if row["edge_rule"] not in EDGE_RULES:
            yield StandardProblem(
                ident, f"分档线归属“{row['edge_rule']}”未知，可用：{'、'.join(sorted(EDGE_RULES))}"
            )
        if row["population_basis"] not in POPULATION_BASES:
            yield StandardProblem(
                ident, f"人口口径“{row['population_basis']}”未知，可用：{'、'.join(sorted(POPULATION_BASES))}"
            )


def _measure_problems(
    row: dict[str, Any], shape: Shape, measures: list[dict[str, Any]]
) -> Iterator[StandardProblem]:
    """A measure that no data can ever fill would leave everybody unreported, or count something else in silence."""
    allowed = shape.columns
    for measure in measures:
        code = measure["measure_code"] or ""
        if measure["role"] not in ROLES:
            yield StandardProblem(
                row["standard_id"],
                f"计量项 {code} 的角色“{measure['role'] or ''}”未知（role），可用：{'、'.join(sorted(ROLES))}",
            )
        known = allowed or COLUMNS
        if row["formula"] == "composite" and measure["threshold"] is None:
            continue
        if code not in known and (allowed or not code or _LOOKS_LIKE_A_COLUMN.match(code)):
            yield StandardProblem(
                row["standard_id"],
                f"计量项“{code}”不是可计的数据列，可用：{'、'.join(sorted(known))}"
                + ("" if allowed else "；指标请写指标代码，如 X-01.1"),
            )


_TITLES = {
    "population_basis": "人口口径",
    "population_date_rule": "人口时点",
    "edge_rule": "分档线归属",
    "accrual": "计提方式",
    "report_valid_months": "报送有效月数",
    "decimals": "小数位数",
    "lower_bound": "下限",
    "lower_included": "含下限",
    "upper_bound": "上限",
    "upper_included": "含上限",
    "value_max": "上限值",
    "threshold": "最低数或每多少",
    "combine": "合并方式",
    "years_back": "取几年以前",
    "unit_level": "下级对象层级",
    "pattern": "名称式样",
    "factor": "每一个计多少",
}


def _idle_fields(
    row: dict[str, Any], shape: Shape, tiers: list[dict[str, Any]], measures: list[dict[str, Any]]
) -> Iterator[StandardProblem]:
    """A field that does nothing looks like a rule that holds; it is refused, with what to do."""

    def idle(where: str, fields: frozenset[str], values: dict[str, Any]) -> Iterator[StandardProblem]:
        for column in sorted(fields):
            if values.get(column) is not None:
                yield StandardProblem(
                    row["standard_id"],
                    f"{where}{_TITLES[column]}（{column}）对计算方式 {shape.name}（{shape.label}）不起作用，请留空",
                )

    yield from idle("", SELECTIVE - shape.reads, row)
    for tier in tiers:
        yield from idle(f"第 {tier['tier_no']} 档", SELECTIVE_OF_TIERS - shape.tier_reads, tier)
    for measure in measures:
        read = shape.measure_reads.get(measure["role"], frozenset())
        yield from idle(f"计量项 {measure['measure_code']}：", SELECTIVE_OF_MEASURES - read, measure)
        if measure["combine"] == "sum" and row["period"] == "month":
            yield StandardProblem(
                row["standard_id"],
                f"计量项 {measure['measure_code']}：按月判定的规则没有可相加的各期，合并方式请留空",
            )
    if (
        row["period"] != "month"
        and row["report_valid_months"] is not None
        and "report_valid_months" in shape.reads
    ):
        yield StandardProblem(
            row["standard_id"],
            "按季、按年判定的规则看的是期内的报送，报送有效月数（report_valid_months）请留空",
        )
    if len(tiers) > 1 and shape.tiers == "one":
        yield StandardProblem(
            row["standard_id"], f"计算方式 {shape.name}（{shape.label}）不分档，只读第一档，请只留一行"
        )
    if (row["comparator"] or "").strip() in _NEVER_JUDGED:
        yield StandardProblem(
            row["standard_id"],
            f"比较方式“{row['comparator']}”（comparator）不会照此判定：各种计算方式都按“不低于”“等于”“在区间内”判，"
            "要求“不超过”的规则请改写成它的反面（如结余率不超过 10% 写成使用率不低于 90%）",
        )


def _general_problems(
    row: dict[str, Any], shape: Shape, measures: list[dict[str, Any]], rows: list[dict[str, Any]]
) -> Iterator[StandardProblem]:
    ident, formula = row["standard_id"], shape.name
    roles = {measure["role"] for measure in measures}
    if measures and not any(wanted <= roles for wanted in shape.roles):
        wanted = " 或 ".join("、".join(sorted(each)) for each in shape.roles)
        yield StandardProblem(
            ident, f"计算方式 {formula} 的计量项角色应有 {wanted}，现为 {'、'.join(sorted(roles))}"
        )
    for role in sorted((roles & ROLES) - shape.every_role):
        yield StandardProblem(ident, f"计算方式 {formula} 不计角色为 {role} 的计量项，请删去")
    for measure in measures:
        where = f"计量项 {measure['measure_code']}"
        if measure["role"] == "unit" and measure["unit_level"] not in LEVELS:
            yield StandardProblem(ident, f"{where}没有写明下级对象的层级（unit_level）")
        if formula == "name_pattern" and not measure["pattern"]:
            yield StandardProblem(ident, f"{where}没有写名称式样（pattern），如 _%民政所")
        if measure["combine"] not in (None, "latest", "sum"):
            yield StandardProblem(ident, f"{where}的合并方式“{measure['combine']}”未知，可用：latest、sum")
        if formula == "step" and measure["role"] == "denominator" and not (measure["threshold"] or 0) > 0:
            yield StandardProblem(ident, f"{where}没有写每多少配一名（threshold），且须大于零")
        if measure["years_back"] and row["period"] == "month":
            yield StandardProblem(ident, f"{where}取上年数，须按年判定（period 写 year）")
    if formula == "composite":
        monthly = {
            name
            for other in rows
            if other["period"] == "month" and other["gradeable"] != "N"
            for name in (other["standard_id"], other["matter"])
        }
        for measure in measures:
            if measure["threshold"] is None and measure["measure_code"] not in monthly:
                yield StandardProblem(
                    ident,
                    f"组成项 {measure['measure_code']} 须是事项（matter，有按月判定的规则），或是写明最低数（threshold）的指标",
                )


def _tier_problems(
    standard: dict[str, Any], shape: Shape, tiers: list[dict[str, Any]]
) -> Iterator[StandardProblem]:
    ident = standard["standard_id"]
    if not tiers:
        yield StandardProblem(ident, "没有分档，请在 standard_tiers.csv 至少写一行（不分档的写“不分档”）")
        return
    for tier in tiers:
        where = f"第 {tier['tier_no']} 档"
        if shape.units is not None and tier["unit"] not in shape.units:
            yield StandardProblem(
                ident, f"{where}单位“{tier['unit']}”未知，可用：{'、'.join(sorted(shape.units))}"
            )
        if shape.units is None and parse_unit(tier["unit"] or "") is None:
            yield StandardProblem(
                ident, f"{where}单位“{tier['unit'] or ''}”未知，写法如 元/人·月、㎡/百户、次、%、是/否"
            )
        if tier["value"] is None or tier["value"] < 0:
            yield StandardProblem(ident, f"{where}缺少标准值，或为负数")
        elif tier["value_max"] is not None and tier["value_max"] < tier["value"]:
            yield StandardProblem(ident, f"{where}上限值小于标准值")
        if not tier["tier_label"]:
            yield StandardProblem(ident, f"{where}缺少档次名称")
    if shape.tiers != "one":
        yield from _interval_problems(standard, sorted(tiers, key=lambda tier: tier["tier_no"]))


def _interval_problems(standard: dict[str, Any], tiers: list[dict[str, Any]]) -> Iterator[StandardProblem]:
    ident = standard["standard_id"]
    first, last = tiers[0], tiers[-1]
    if (first["lower_bound"] or 0) != 0:
        yield StandardProblem(ident, f"最低一档从 {first['lower_bound']} 人起，0 人至该数之间无标准")
    if last["upper_bound"] is not None:
        yield StandardProblem(ident, f"最高一档止于 {last['upper_bound']} 人，超过该数无标准；请将上限留空")
    for lower, upper in pairwise(tiers):
        end, start = lower["upper_bound"], upper["lower_bound"]
        names = f"“{lower['tier_label']}”与“{upper['tier_label']}”"
        if end is None or start is None or end > start:
            yield StandardProblem(ident, f"{names}重叠")
        elif end < start:
            yield StandardProblem(ident, f"{names}之间（{end} 至 {start} 人）没有标准")
        elif not lower["upper_included"] and not upper["lower_included"]:
            yield StandardProblem(ident, f"{names}都不含 {end} 人，该人数没有标准")
        elif (
            lower["upper_included"]
            and upper["lower_included"]
            and standard["formula"] != "staff_range_by_tier"
        ):
            yield StandardProblem(ident, f"{names}都含 {end} 人，保障额有两个；请只让一档含本数")
