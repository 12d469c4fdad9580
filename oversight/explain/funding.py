"""Funding: what was guaranteed, budgeted, paid and spent, and what is missing."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from oversight import presentation
from oversight.explain.arithmetic import FEN, difference, trimmed, written
from oversight.explain.cells import Edition, last_with
from oversight.explain.guarantee import guarantee
from oversight.explain.model import Cell, Line, RuleExplanation
from oversight.explain.population import population_assumption, population_cell
from oversight.explain.sources import told_sources


def funding_rule(
    edition: Edition,
    told: RuleExplanation,
    standard: dict[str, Any],
    judged: dict[str, Any],
    funding: dict[str, Any] | None,
) -> None:
    if funding is None:
        return
    if funding["standard_id"] != standard["standard_id"]:
        told.assumptions.append(
            f"几项经费标准并存，保障额较高的 {funding['standard_id']} 为准，缺口见该项；本项同时适用。"
        )
        _other_standard(edition, told, standard, judged, funding)
        return
    told.cells.append(population_cell(edition, funding))
    population_assumption(edition, told, funding)
    tier = edition.tier(standard["standard_id"], funding["tier_label"])
    if tier and funding["guaranteed_annual_cny"] is not None:
        told.tier, told.tier_quotation = funding["tier_label"], tier["quotation"] or ""
        told.arithmetic.append(
            guarantee(
                edition,
                tier,
                funding["population_persons"],
                standard["formula"],
                funding["guaranteed_annual_cny"],
            )
        )
        if funding["is_on_tier_edge"]:
            _edge(edition, told, standard, funding)
        number = funding["month"].month
        told.arithmetic.append(
            Line(
                f"截至{number}月应保障",
                f"{written(funding['guaranteed_annual_cny'])} × {number} ÷ 12",
                written(funding["guaranteed_ytd_cny"]),
                "元",
                "四舍五入到分",
            )
        )
    _budget_cells(edition, told, funding)
    _gaps(told, funding)


def _other_standard(
    edition: Edition,
    told: RuleExplanation,
    standard: dict[str, Any],
    judged: dict[str, Any],
    funding: dict[str, Any],
) -> None:
    told.cells.append(population_cell(edition, funding))
    tiers = edition.rows(
        "select * from standard_tiers where standard_id = ? order by tier_no", standard["standard_id"]
    )
    expected = judged["value_expected"]
    for tier in tiers:
        if expected is not None and funding["population_persons"] is not None:
            line = guarantee(edition, tier, funding["population_persons"], standard["formula"], None)
            if Decimal(line.result.replace(",", "")) == expected:
                told.tier, told.tier_quotation = tier["tier_label"], tier["quotation"] or ""
                told.arithmetic.append(line)
                break
    _budget_cells(edition, told, funding)


def _edge(edition: Edition, told: RuleExplanation, standard: dict[str, Any], funding: dict[str, Any]) -> None:
    rule = presentation.EDGE_RULE.get(standard["edge_rule"], standard["edge_rule"])
    told.assumptions.append(
        f"人口恰为 {funding['population_persons']:,} 人，在分档线上，两档都说得通；按“{rule}”取“{funding['tier_label']}”。"
    )
    other = edition.tier(standard["standard_id"], funding["other_tier_label"])
    if other is None:
        return
    line = guarantee(
        edition, other, funding["population_persons"], standard["formula"], funding["other_annual_cny"]
    )
    text = f"若归“{funding['other_tier_label']}”：{line.expression} = {line.result} 元"
    if funding["allocated_annual_cny"] is not None:
        gap = funding["other_annual_cny"] - funding["allocated_annual_cny"]
        text += f"，安排缺口 {written(max(gap, Decimal(0)).quantize(FEN))} 元"
    told.other_readings.append(text)


def _gaps(told: RuleExplanation, funding: dict[str, Any]) -> None:
    guaranteed, allocated = funding["guaranteed_annual_cny"], funding["allocated_annual_cny"]
    if guaranteed is None or allocated is None:
        return
    told.arithmetic += [
        difference("安排缺口", guaranteed, allocated, funding["allocation_shortfall_cny"]),
        difference("安排结余", allocated, guaranteed, funding["allocation_surplus_cny"]),
    ]
    if funding["adequacy_pct"] is not None:
        told.arithmetic.append(
            Line(
                "保障率",
                f"{written(allocated)} ÷ {written(guaranteed)} × 100",
                written(funding["adequacy_pct"]),
                "%",
                "四舍五入到两位小数",
            )
        )
    if funding["disbursement_shortfall_ytd_cny"] is not None:
        told.arithmetic.append(
            difference(
                "拨付缺口（累计）",
                funding["guaranteed_ytd_cny"],
                funding["disbursed_ytd_cny"],
                funding["disbursement_shortfall_ytd_cny"],
            )
        )


def _budget_cells(edition: Edition, told: RuleExplanation, funding: dict[str, Any]) -> None:
    own = edition.one("select unit_id from townships where township_code = ?", funding["township_code"])
    codes = edition.codes(own["unit_id"]) if own else [funding["township_code"]]
    months = edition.rows(
        "select r.*, s.file_name from reported.budget r left join submissions s using (submission_id) "
        f"where r.is_current and r.township_code in ({', '.join('?' * len(codes))}) "
        "and year(r.month) = ? and r.month <= ? order by r.month",
        *codes,
        funding["fiscal_year"],
        funding["month"],
    )
    adjusted = last_with(months, "adjusted_budget_cny")
    initial = last_with(months, "initial_budget_cny")
    if adjusted:
        told.cells.append(edition.cell("adjusted_budget_cny", adjusted, adjusted["month"]))
    told.cells.append(edition.cell("initial_budget_cny", initial, initial["month"] if initial else None))
    if funding["allocated_annual_cny"] is None:
        told.assumptions.append(f"{funding['fiscal_year']}年截至本月没有报送预算，年度安排未知，不作零处理。")
    else:
        used = "调整后预算" if adjusted else "年初预算"
        told.arithmetic.append(
            Line(
                "年度安排",
                written(funding["allocated_annual_cny"]),
                written(funding["allocated_annual_cny"]),
                "元",
                f"本年最近一次报送的{used}",
            )
        )
    for kind, title, result in (
        ("disbursed", "累计拨付", funding["disbursed_ytd_cny"]),
        ("spent", "累计支出", funding["spent_ytd_cny"]),
    ):
        _to_date(edition, told, months, kind, title, result)
    told_sources(edition, told, funding)


def _to_date(
    edition: Edition,
    told: RuleExplanation,
    months: list[dict[str, Any]],
    kind: str,
    title: str,
    result: Decimal | None,
) -> None:
    cumulative = last_with(months, f"{kind}_cumulative_cny")
    if cumulative:
        told.cells.append(edition.cell(f"{kind}_cumulative_cny", cumulative, cumulative["month"]))
        told.arithmetic.append(
            Line(title, written(result), written(result), "元", "本年最近一次报送的累计数")
        )
        return
    parts = [row for row in months if row[f"{kind}_month_cny"] is not None]
    told.cells += [edition.cell(f"{kind}_month_cny", row, row["month"]) for row in parts]
    if parts:
        expression = " + ".join(written(row[f"{kind}_month_cny"]) for row in parts)
        told.arithmetic.append(Line(title, expression, written(result), "元", "没有报送累计数，取各月之和"))
    elif kind == "disbursed":
        told.assumptions.append("本年截至本月没有报送拨付数，拨付缺口未知，不作零处理。")


def without_standard(edition: Edition, funding: dict[str, Any]) -> RuleExplanation:
    told = RuleExplanation(
        "",
        "民政工作经费",
        "no_standard",
        presentation.status_label("no_standard"),
        document="",
        clause="",
        quotation="",
        conclusion="没有适用于该单位的经费标准：只列报送数据，不判断缺口。"
        "确有标准的，请照 docs/guide/policy.md 在数据目录的 standards/ 中增补。",
    )
    told.cells.append(population_cell(edition, funding))
    _budget_cells(edition, told, funding)
    return told


def listed_rule(edition: Edition, told: RuleExplanation, judged: dict[str, Any]) -> None:
    rows = edition.rows(
        "select f.township_code, f.township_name, f.status, t.unit_id from funding_gap_monthly f "
        "join townships t using (township_code) where f.county_code = ? and f.month = ? and t.is_township "
        "order by 1",
        judged["subject_code"],
        judged["month"],
    )
    for row in rows:
        budget = edition.one(
            "select r.*, s.file_name from reported.budget r join townships t using (township_code) "
            "left join submissions s using (submission_id) where r.is_current and t.unit_id = ? "
            "and year(r.month) = ? and r.month <= ? and r.is_listed_separately is not null "
            "order by r.month desc limit 1",
            row["unit_id"],
            judged["month"].year,
            judged["month"],
        )
        cell = edition.cell("is_listed_separately", budget, budget["month"] if budget else None)
        told.cells.append(
            Cell(
                f"{row['township_name']}是否单独列支",
                cell.month,
                cell.value,
                cell.file,
                cell.sheet,
                cell.row,
                f"经费{presentation.status_label(row['status'])}",
            )
        )
    kept, owed = judged["value_checked"], judged["value_expected"]
    if kept is not None and owed:
        told.arithmetic.append(
            Line(
                "单独列支且足额的乡镇占比",
                f"{written(kept)} ÷ {written(owed)} × 100",
                written((kept * 100 / owed).quantize(FEN, ROUND_HALF_UP)),
                "%",
                "四舍五入到两位小数",
            )
        )
    if kept is not None and owed is not None and judged["shortfall"] is not None:
        silent = owed - kept - judged["shortfall"]
        told.arithmetic.append(
            Line(
                "未单独列支或不足额的乡镇",
                f"{trimmed(owed)} − {trimmed(kept)}" + (f" − {trimmed(silent)}" if silent else ""),
                trimmed(judged["shortfall"]),
                "个",
                f"{trimmed(silent)} 个未报送，不算不达标" if silent else "",
            )
        )
