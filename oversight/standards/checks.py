"""What standards data must satisfy before any figure is made from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from oversight.standards.loading import Standards

MONEY_FORMULAS = frozenset({"per_capita_by_tier", "flat_by_tier"})
TIERED_FORMULAS = MONEY_FORMULAS | {"staff_range_by_tier"}
FORMULAS = TIERED_FORMULAS | {"staff_floor", "posts_parts", "village_coverage", "county_listed_separately"}
EDGE_RULES = frozenset({"legal_default", "favour_township", "half_open"})
POPULATION_BASES = frozenset({"registered", "resident"})

# The units in which a tier's value may stand, for each formula.
TIER_UNITS: dict[str, frozenset[str]] = {
    "per_capita_by_tier": frozenset({"元/人·月", "元/人·年"}),
    "flat_by_tier": frozenset({"元/年", "元/月"}),
    "staff_floor": frozenset({"人"}),
    "staff_range_by_tier": frozenset({"人"}),
    "posts_parts": frozenset({"名"}),
    "village_coverage": frozenset({"人/村"}),
    "county_listed_separately": frozenset({"是/否"}),
}


@dataclass(frozen=True)
class StandardProblem:
    """A mistake in the standards data: which standard, what is wrong, what to do."""

    standard_id: str
    message_zh: str


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
    for row in rows:
        yield from _standard_problems(row, documents)
        if row["gradeable"] != "N":
            yield from _tier_problems(row, tiers.get(row["standard_id"], []))
            if not measures.get(row["standard_id"]):
                yield StandardProblem(
                    row["standard_id"], "没有计量项，请在 standard_measures.csv 写明计入哪些数据"
                )


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
    if row["formula"] not in FORMULAS:
        yield StandardProblem(ident, f"计算方式“{row['formula']}”未知，可用：{'、'.join(sorted(FORMULAS))}")
    if row["effective_from"] and row["effective_to"] and row["effective_to"] < row["effective_from"]:
        yield StandardProblem(ident, "失效日期早于生效日期")
    if row["formula"] in TIERED_FORMULAS:
        if row["edge_rule"] not in EDGE_RULES:
            yield StandardProblem(
                ident, f"分档线归属“{row['edge_rule']}”未知，可用：{'、'.join(sorted(EDGE_RULES))}"
            )
        if row["population_basis"] not in POPULATION_BASES:
            yield StandardProblem(
                ident, f"人口口径“{row['population_basis']}”未知，可用：{'、'.join(sorted(POPULATION_BASES))}"
            )


def _tier_problems(standard: dict[str, Any], tiers: list[dict[str, Any]]) -> Iterator[StandardProblem]:
    ident, formula = standard["standard_id"], standard["formula"]
    if not tiers:
        yield StandardProblem(ident, "没有分档，请在 standard_tiers.csv 至少写一行（不分档的写“不分档”）")
        return
    allowed = TIER_UNITS.get(formula, frozenset())
    for tier in tiers:
        where = f"第 {tier['tier_no']} 档"
        if formula in TIER_UNITS and tier["unit"] not in allowed:
            yield StandardProblem(
                ident, f"{where}单位“{tier['unit']}”未知，可用：{'、'.join(sorted(allowed))}"
            )
        if tier["value"] is None or tier["value"] < 0:
            yield StandardProblem(ident, f"{where}缺少标准值，或为负数")
        elif tier["value_max"] is not None and tier["value_max"] < tier["value"]:
            yield StandardProblem(ident, f"{where}上限值小于标准值")
        if not tier["tier_label"]:
            yield StandardProblem(ident, f"{where}缺少档次名称")
    if formula in TIERED_FORMULAS:
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
        elif lower["upper_included"] and upper["lower_included"] and standard["formula"] in MONEY_FORMULAS:
            yield StandardProblem(ident, f"{names}都含 {end} 人，保障额有两个；请只让一档含本数")
