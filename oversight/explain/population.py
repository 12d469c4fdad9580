"""Which population decided, and what another would have given."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from oversight import presentation
from oversight.explain.arithmetic import span
from oversight.explain.cells import COLUMN_TITLES, Edition
from oversight.explain.guarantee import guarantee
from oversight.explain.model import Cell, RuleExplanation
from oversight.standards.shapes import MONEY


def population_cell(edition: Edition, row: dict[str, Any]) -> Cell:
    column = (
        "resident_population_persons" if row.get("population_basis") == "resident" else "population_persons"
    )
    if row["population_month"] is None:
        return Cell(COLUMN_TITLES[column], None, None)
    found = edition.reported(
        "population", row.get("population_township_code") or row["township_code"], row["population_month"]
    )
    cell = edition.cell(column, found, row["population_month"])
    if found and row.get("includes_predecessors") and found[column] != row["population_persons"]:
        told = (
            f"并入前各单位之和为 {row['population_persons']:,} 人"
            if row["population_persons"]
            else "并入单位未报"
        )
        return replace(cell, note="；".join(text for text in (cell.note, told) if text))
    return cell


def population_assumption(edition: Edition, told: RuleExplanation, row: dict[str, Any]) -> None:
    year, basis = (
        row["month"].year,
        presentation.POPULATION_BASIS.get(row.get("population_basis") or "", "户籍人口"),
    )
    if row["population_month"] is None:
        told.assumptions.append(f"{year}年和以前都没有报送过{basis}，无法定档，不作零处理。")
    elif row.get("population_is_stale"):
        told.assumptions.append(
            f"{year - 1}年、{year}年都没有报送{basis}，只有 {row['population_month']:%Y-%m} 的数：陈旧，不据以判断。"
        )
    elif row["population_is_fallback"]:
        told.assumptions.append(
            f"{year - 1}年没有报送{basis}，代以{year}年最早一次报送数（{row['population_month']:%Y-%m}）。"
        )
        told.assumptions.append("上年末人口报来后自动改用。")
    else:
        told.assumptions.append(
            f"定档人口取{year - 1}年最近一次报送的{basis}（{row['population_month']:%Y-%m}）："
            "编预算时所能用的人口；文件未写以何日为准。"
        )
    _as_of_the_month(edition, told, row)


def _as_of_the_month(edition: Edition, told: RuleExplanation, row: dict[str, Any]) -> None:
    """What the population of the month itself would give, where it stands in another tier."""
    basis = row.get("population_basis") or "registered"
    column = "resident_population_persons" if basis == "resident" else "population_persons"
    now = edition.reported("population", row["township_code"], row["month"])
    persons = now[column] if now else None
    if persons is None or row["standard_id"] is None:
        return
    tiers = [
        tier
        for tier in edition.rows(
            "select t.*, s.formula from standard_tiers t join standards s using (standard_id) "
            "where standard_id = ? order by tier_no",
            row["standard_id"],
        )
        if _reaches(tier["lower_bound"] or 0, persons, tier["lower_included"])
        and (tier["upper_bound"] is None or _reaches(persons, tier["upper_bound"], tier["upper_included"]))
    ]
    if not tiers or any(tier["tier_label"] == row["tier_label"] for tier in tiers):
        return
    tier = tiers[0]
    if tier["formula"] in MONEY:
        line = guarantee(edition, tier, persons, tier["formula"], None)
        asked = f"{line.expression} = {line.result} 元"
    else:
        asked = span(tier)
    told.other_readings.append(f"若按当月报送的人口 {persons:,} 人定档，归“{tier['tier_label']}”：{asked}")


def _reaches(lower: Any, upper: Any, is_included: bool | None) -> bool:
    return bool(lower < upper or (lower == upper and is_included))


def population_code(edition: Edition, row: dict[str, Any]) -> str:
    found = edition.one(
        "select r.township_code from reported.population r join townships t using (township_code) "
        "where r.is_current and r.month = ? and t.unit_id = "
        "(select unit_id from townships where township_code = ?) order by 1 limit 1",
        row["population_month"],
        row["township_code"],
    )
    return str(found["township_code"]) if found else row["township_code"]
