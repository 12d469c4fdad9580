"""Staff: who counts, and how many are asked."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from oversight.explain.arithmetic import difference, span
from oversight.explain.cells import COLUMN_TITLES, Edition
from oversight.explain.model import Line, RuleExplanation
from oversight.explain.population import population_assumption, population_cell, population_code


def staffing_rule(
    edition: Edition, told: RuleExplanation, standard: dict[str, Any], judged: dict[str, Any]
) -> None:
    row = edition.one(
        "select * from staffing_gap_monthly where township_code = ? and month = ? and standard_id = ?",
        judged["subject_code"],
        judged["month"],
        standard["standard_id"],
    )
    if row is None:
        return
    found = edition.reported("staffing", judged["subject_code"], judged["month"])
    measures = edition.measures(standard["standard_id"])
    for measure in measures:
        told.cells.append(edition.cell(measure["measure_code"], found, judged["month"]))
    if standard["formula"] == "staff_range_by_tier":
        told.cells.insert(
            0,
            population_cell(
                edition,
                row
                | {
                    "population_basis": standard["population_basis"],
                    "population_township_code": population_code(edition, row),
                },
            ),
        )
        population_assumption(edition, told, row | {"population_basis": standard["population_basis"]})
    tier = edition.tier(standard["standard_id"], row["tier_label"])
    if tier and row["tier_label"] != "不分档":
        told.tier, told.tier_quotation = row["tier_label"], tier["quotation"] or ""
    if row["is_on_tier_edge"]:
        labels = edition.rows(
            "select * from standard_tiers where standard_id = ? and "
            "coalesce(lower_bound, 0) <= ? and coalesce(upper_bound, ?) >= ? order by tier_no",
            standard["standard_id"],
            *[row["population_persons"]] * 3,
        )
        told.assumptions.append(
            f"人口恰为 {row['population_persons']:,} 人，在分档线上，"
            + "、".join(f"“{item['tier_label']}”要求 {span(item)}" for item in labels)
            + f"；同时适用，取 {span({'value': row['required_min_persons'], 'value_max': row['advised_max_persons']})}。"
        )
        told.other_readings += [f"若只按“{item['tier_label']}”：{span(item)}" for item in labels]
    if row["is_tier_uncertain"]:
        most = row["advised_most_persons"]
        told.assumptions.append(
            f"{standard['standard_id']} 的定档人口写作万人，可能落在不同的档：至少要求 {row['required_least_persons']} 人，"
            + ("没有上限" if most is None else f"至多建议 {most} 人")
            + "；缺员按至少要求判定，超配按至多建议判定，表中所列仍是写出的数所在的档。"
        )
    if row["counted_persons"] is None or found is None:
        return
    counted = [m for m in measures if found[m["measure_code"]] is not None]
    missing = [COLUMN_TITLES[m["measure_code"]] for m in measures if found[m["measure_code"]] is None]
    unit = "名" if standard["formula"] == "posts_parts" else "人"
    told.arithmetic.append(
        Line(
            "计入数",
            " + ".join(str(found[m["measure_code"]]) for m in counted),
            str(row["counted_persons"]),
            unit,
        )
    )
    if missing:
        told.assumptions.append(f"{'、'.join(missing)}未报送，只计已报送的部分；补报后人数只会增加。")
    if row["shortfall_persons"] is None:
        if missing:
            told.assumptions.append(
                "已报送的部分没有达到下限，没有报送的部分可能补足：差多少未知，不判达标与否。"
            )
        return
    if standard["formula"] == "posts_parts":
        for m in counted:
            least, had = int(m["threshold"]), found[m["measure_code"]]
            told.arithmetic.append(
                difference(
                    f"{m['label_zh']}缺额",
                    Decimal(least),
                    Decimal(had),
                    Decimal(max(least - had, 0)),
                    unit,
                )
            )
    elif row["required_min_persons"] is not None:
        told.arithmetic.append(
            difference(
                "缺员",
                Decimal(row["required_least_persons"]),
                Decimal(row["counted_persons"]),
                Decimal(row["shortfall_persons"]),
                unit,
            )
        )
        if row["advised_most_persons"] is not None:
            told.arithmetic.append(
                difference(
                    "超过建议上限",
                    Decimal(row["counted_persons"]),
                    Decimal(row["advised_most_persons"]),
                    Decimal(row["excess_persons"]),
                    unit,
                )
            )


def villages_rule(edition: Edition, told: RuleExplanation, judged: dict[str, Any]) -> None:
    found = edition.reported("staffing", judged["subject_code"], judged["month"])
    for column in ("villages_count", "villages_with_assistant_count"):
        told.cells.append(edition.cell(column, found, judged["month"]))
    if judged["value_checked"] is not None and judged["value_expected"] is not None:
        told.arithmetic.append(
            difference(
                "未配备的村（社区）",
                judged["value_expected"],
                judged["value_checked"],
                judged["shortfall"],
                "个",
            )
        )
