"""Rules of a general shape: indicators and columns compared with a figure, a share, a list of parts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from oversight import presentation
from oversight.explain.arithmetic import FEN, difference, plain_unit, shift, shown, trimmed, written
from oversight.explain.cells import COLUMN_TITLES, Edition, dataset_of, doubt
from oversight.explain.funding import amount_parts
from oversight.explain.model import Cell, Line, RuleExplanation
from oversight.explain.population import population_cell
from oversight.standards.shapes import SHAPES, Shape

# Figures that the funding table makes of reports.
_OF_FUNDING = (
    "allocated_annual_cny",
    "disbursed_ytd_cny",
    "spent_ytd_cny",
    "guaranteed_annual_cny",
    "guaranteed_ytd_cny",
)
# The same of a fund on another matter, as its ledger has them.
_OF_LEDGER = {
    "allocated_annual_cny": "coalesce(adjusted_cny, initial_cny)",
    "disbursed_ytd_cny": "disbursed_ytd_cny",
    "spent_ytd_cny": "spent_ytd_cny",
}
_UNITS_SHOWN = 20
# What else than met or short a part of a list is answered.
_PART_ANSWERS = {
    "within_precision": "最低数在填写的位数所能代表的范围之内，按达到算。",
    "too_coarse": "填写的位数太粗，不能断定是否达到，按未报送算。",
}


_MONTHS_OF = {"month": 1, "quarter": 3, "half_year": 6, "year": 12, "two_years": 24}


_PERIOD_NAMES = {"quarter": "本季", "half_year": "本半年", "year": "本年", "two_years": "近两年"}


def general_rule(
    edition: Edition, told: RuleExplanation, standard: dict[str, Any], judged: dict[str, Any]
) -> None:
    """A rule of a general shape, from the operands that the judgement was made of; nothing is computed again."""
    shape = SHAPES[standard["formula"]]
    measures = edition.measures(standard["standard_id"])
    reported: dict[tuple[str, int], list[Decimal]] = {}
    for measure in (m for m in measures if m["role"] != "unit"):
        cells = _figures(edition, standard, measure, judged)
        told.cells += [cell for cell, _ in cells]
        values = [value for _, value in cells if value is not None]
        if values:
            reported[measure["role"], measure["part_no"]] = values
        elif not cells and (measure["required"] is not False or judged["value_checked"] is None):
            told.cells.append(Cell(f"{measure['label_zh']}（{measure['measure_code']}）", None, None))
    _validity(told, standard, judged)
    pattern = next((m["pattern"] for m in measures if m["pattern"]), None)
    if pattern:
        told.assumptions.append(f"名称式样：{_forms(pattern)}；符合其中一式记 1，不符合记 0。")
    if shape.name == "coverage_of_units":
        _units(edition, told, judged)
    if judged["value_checked"] is None:
        return
    evidence = edition.evidence(judged)
    if evidence is None:
        told.assumptions.append("该版本由旧版程序生成，没有保存算式所用的数，只列结果。")
        evidence = dict.fromkeys(_OPERANDS)
    told.arithmetic += _operands(measures, reported, evidence, plain_unit(judged))
    told.arithmetic += _lines(edition, told, shape, judged, measures, reported, evidence)
    if shape.name == "floor_by_tier" and evidence["tier_label"]:
        _tier_of(edition, told, judged, measures, evidence)
    if judged["value_expected"] is not None and judged["shortfall"] is not None:
        if shape.name == "composite":
            return
        left, right = judged["value_expected"], judged["value_checked"]
        if shape.name == "benchmark" and right > left:
            left, right = right, left
        elif judged["reason"] == "within_precision":
            return
        elif judged["status"] == "short" and judged["shortfall"] < left - right:
            left = right + judged["shortfall"]
            told.assumptions.append(
                f"所依据的数是四舍五入的：要求值最少可能是 {trimmed(left)}，只按这一数计差额。"
            )
        told.arithmetic.append(difference("差额", left, right, judged["shortfall"], plain_unit(judged)))


_OPERANDS = ("numerator", "denominator", "per", "base", "included", "advised_max", "decimals", "tier_label")


def _forms(pattern: str) -> str:
    readable = pattern.replace("{名}", "〔本单位名称〕").replace("_", "×").replace("%", "…")
    return "、".join(f"“{form}”" for form in readable.split(";"))


def _operands(
    measures: list[dict[str, Any]],
    reported: dict[tuple[str, int], list[Decimal]],
    evidence: dict[str, Any],
    unit: str,
) -> list[Line]:
    """How a numerator or denominator came about, where it is more than one figure as reported."""
    lines = []
    for role, name in (("numerator", "分子"), ("denominator", "分母")):
        parts = [m for m in measures if m["role"] == role]
        if evidence[role] is None or not (len(parts) > 1 or any(m.get("factor") for m in parts)):
            continue
        terms = [
            " + ".join(written(value) for value in reported[role, m["part_no"]])
            + (f" × {trimmed(m['factor'])}" if m.get("factor") else "")
            for m in parts
            if (role, m["part_no"]) in reported
        ]
        lines.append(Line(name, " + ".join(terms), trimmed(evidence[role]), unit if unit != "%" else ""))
    return lines


def _lines(
    edition: Edition,
    told: RuleExplanation,
    shape: Shape,
    judged: dict[str, Any],
    measures: list[dict[str, Any]],
    reported: dict[tuple[str, int], list[Decimal]],
    evidence: dict[str, Any],
) -> list[Line]:
    """What was found and what is asked, as the shape says that they come about."""
    checked, expected, unit = judged["value_checked"], judged["value_expected"], plain_unit(judged)
    lines: list[Line] = []
    if shape.checked and evidence["numerator"] is not None and evidence["denominator"]:
        lines.append(Line("实际值", _filled(shape.checked, evidence), trimmed(checked), unit, shape.remark))
    elif shape.name == "composite":
        answers = edition.part_answers(judged)
        if answers is None:
            return [Line("达到的项数", trimmed(checked), trimmed(checked), unit)]
        met = ["1" if answers.get(m["part_no"]) in ("met", "within_precision") else "0" for m in measures]
        lines.append(Line("达到的项数", " + ".join(met), trimmed(checked), unit))
        told.assumptions += [
            f"{m['label_zh']}：{_PART_ANSWERS[answers[m['part_no']]]}"
            for m in measures
            if answers.get(m["part_no"]) in _PART_ANSWERS
        ]
        if judged["shortfall"] is not None:
            lacking = ["1" if answers.get(m["part_no"]) == "short" else "0" for m in measures]
            lines.append(
                Line("不达标项数", " + ".join(lacking), trimmed(judged["shortfall"]), unit, "未报送的不算缺")
            )
        return lines
    else:
        terms = [
            value
            for (role, _), values in reported.items()
            if role in ("value", "numerator")
            for value in values
        ]
        remark = shape.remark if shape.name == "boolean" else ""
        if not terms or sum(terms, Decimal(0)) != checked:
            terms = [checked]
            if shape.name == "frequency":
                remark = "其中有累计数，只计比前一次累计多出的部分"
        lines.append(
            Line("实际值", " + ".join(trimmed(term) for term in terms), trimmed(checked), unit, remark)
        )
    if shape.name == "benchmark":
        told.assumptions.append(f"与原文所列数核对时四舍五入到 {evidence['decimals'] or 0} 位小数。")
    if expected is None:
        return lines
    if shape.expected and evidence["denominator"] is not None:
        name = "应不低于" if shape.name == "relative_to_peers" else "应为"
        lines.append(Line(name, _filled(shape.expected, evidence), trimmed(expected), unit, shape.remark))
    else:
        upper = f"上限 {trimmed(evidence['advised_max'])}，超过只作提示" if shape.name == "range" else ""
        lines.append(Line("要求值", trimmed(expected), trimmed(expected), unit, upper))
    return lines


def _filled(template: str, evidence: dict[str, Any]) -> str:
    """The shape's arithmetic with its operands; what changes nothing (× 1, 0 +) is left out."""
    included = Decimal(evidence["included"] or 0)
    over = written(evidence["denominator"])
    if included:
        over = f"({over} − {written(included)})" if evidence["denominator"] > included else "0"
    text = template.format(
        numerator=written(evidence["numerator"]),
        denominator=written(evidence["denominator"]),
        per=trimmed(evidence["per"]),
        base=trimmed(evidence["base"]),
        least=trimmed(evidence["base"]),
        beyond=over,
    )
    return text.removesuffix(" × 1").removesuffix(" ÷ 1").removeprefix("0 + ")


def _tier_of(
    edition: Edition,
    told: RuleExplanation,
    judged: dict[str, Any],
    measures: list[dict[str, Any]],
    evidence: dict[str, Any],
) -> None:
    """The tier that the other figure falls in, and the one beside it where the figure stands on their bound."""
    key = next(m["label_zh"] for m in measures if m["role"] == "tier_key")
    figure, unit = evidence["denominator"], plain_unit(judged)
    told.tier = f"{evidence['tier_label']}（{key} {trimmed(figure)}）"
    tiers = edition.rows(
        "select * from standard_tiers where standard_id = ? order by tier_no", judged["rule_id"]
    )
    own = next(tier for tier in tiers if tier["tier_label"] == evidence["tier_label"])
    told.tier_quotation = own["quotation"] or ""
    beside = [
        tier for tier in tiers if tier is not own and figure in (tier["lower_bound"], tier["upper_bound"])
    ]
    if beside:
        told.assumptions.append(
            f"{key}恰为 {trimmed(figure)}，在分档线上，两档都说得通；按标准数据所写的含本数取“{own['tier_label']}”。"
        )
    for tier in beside:
        told.other_readings.append(
            f"若归“{tier['tier_label']}”：应为 {trimmed(tier['value'])} {unit}".rstrip()
        )


def _units(edition: Edition, told: RuleExplanation, judged: dict[str, Any]) -> None:
    row = edition.one(
        "select * from detail.unit_shares where standard_id = ? and subject_code = ? and month = ?",
        judged["rule_id"],
        judged["subject_code"],
        judged["month"],
    )
    if row is None:
        return
    _unit_cells(edition, told, judged)
    told.assumptions.append(
        f"分母为名册上的全部下级对象 {trimmed(row['units_count'])} 个，其中未报送 {trimmed(row['silent_count'])} 个。"
    )
    if judged["value_checked"] is not None and 0 < row["silent_count"] < row["units_count"]:
        told.other_readings.append(
            f"若未报送的 {trimmed(row['silent_count'])} 个都达到："
            f"({trimmed(row['having_count'])} + {trimmed(row['silent_count'])}) ÷ {trimmed(row['units_count'])} × 100 = "
            f"{trimmed(((row['having_count'] + row['silent_count']) * 100 / row['units_count']).quantize(FEN))} %"
        )


def _unit_cells(edition: Edition, told: RuleExplanation, judged: dict[str, Any]) -> None:
    """What the units report, those that do not reach the figure first; a province has more than anyone reads."""
    measure = next(m for m in edition.measures(judged["rule_id"]) if m["role"] == "unit")
    standard = edition.one(
        "select report_valid_months from standards where standard_id = ?", judged["rule_id"]
    ) or {"report_valid_months": 1}
    digits = {"county": 6, "city": 4, "province": 2}.get(judged["subject_level"], len(judged["subject_code"]))
    rows = edition.rows(
        "select * from (select r.*, s.file_name, row_number() over "
        "(partition by r.subject_code order by r.month desc) as recency from reported.indicators r "
        "left join submissions s using (submission_id) where r.is_current and r.indicator_code = ? "
        "and r.month between ? and ? and left(r.subject_code, ?) = ? and r.indicator_value is not null) "
        "where recency = 1 order by indicator_value >= ?, subject_code limit ?",
        measure["measure_code"],
        shift(judged["month"], 1 - (standard["report_valid_months"] or 1)),
        judged["month"],
        digits,
        judged["subject_code"][:digits],
        measure["threshold"] or 1,
        _UNITS_SHOWN + 1,
    )
    for row in rows[:_UNITS_SHOWN]:
        told.cells.append(
            Cell(
                f"{row['subject_name'] or row['subject_code']} {measure['label_zh']}（{measure['measure_code']}）",
                row["month"],
                row["indicator_text"] or shown(row["indicator_value"]),
                row["file_name"],
                row["sheet"],
                row["row_number"],
                doubt(row),
                row.get("submission_id"),
            )
        )
    if len(rows) > _UNITS_SHOWN:
        told.assumptions.append(
            f"报送数据只列出 {_UNITS_SHOWN} 个下级对象，未达到的在前；全部见各对象自己的说明。"
        )


def parts_rule(edition: Edition, told: RuleExplanation, judged: dict[str, Any]) -> None:
    """A rule made of other rules: each part is a matter, answered by the rules on it that are in force."""
    asked = edition.rows(
        "select p.part_no, p.label_zh, j.rule_id, j.status from detail.standard_parts p left join judgements j "
        "on j.rule_id = p.rule_id and j.subject_level = ? and j.subject_code = ? and j.month = ? "
        "where p.standard_id = ? order by p.part_no, j.rule_id nulls last",
        judged["subject_level"],
        judged["subject_code"],
        judged["month"],
        judged["rule_id"],
    )
    met, lacking = [], []
    for number in sorted({row["part_no"] for row in asked}):
        rows = [row for row in asked if row["part_no"] == number]
        answers = [row for row in rows if row["rule_id"] is not None]
        statuses = {row["status"] for row in answers}
        decides = next(
            (s for s in ("short", "not_reported", "met", "over") if s in statuses), "not_applicable"
        )
        met.append("1" if decides in ("met", "over") else "0")
        lacking.append("1" if decides == "short" else "0")
        rules = "、".join(row["rule_id"] for row in answers)
        told.cells.append(
            Cell(
                f"{rows[0]['label_zh']}（{rules or '当月没有有效的规则'}）",
                judged["month"],
                presentation.status_label(decides),
                note="详见该项" if answers else "",
            )
        )
    unit = judged["unit"] or "项"
    told.arithmetic.append(Line("达标项数", " + ".join(met), trimmed(judged["value_checked"]), unit))
    if judged["shortfall"] is not None:
        told.arithmetic.append(
            Line("不达标项数", " + ".join(lacking), trimmed(judged["shortfall"]), unit, "未报送的不算缺")
        )


def _figures(
    edition: Edition, standard: dict[str, Any], measure: dict[str, Any], judged: dict[str, Any]
) -> list[tuple[Cell, Decimal | None]]:
    """The reported figures a measure takes, newest first; only the newest unless they are added up."""
    code, title = measure["measure_code"], f"{measure['label_zh']}（{measure['measure_code']}）"
    length = (
        standard["report_valid_months"] or 1
        if standard["period"] == "month"
        else _MONTHS_OF[standard["period"]]
    )
    last = shift(judged["month"], -12 * (measure["years_back"] or 0))
    first = shift(last, 1 - length)
    if code in COLUMN_TITLES or code in _OF_FUNDING:
        rows = _column(edition, code, standard["matter"], judged, first, last)
    else:
        rows = [
            row
            for row in _indicators(edition, judged)
            if row["indicator_code"] == code and first <= row["month"] <= last
        ]
    chosen = rows if measure["combine"] == "sum" else rows[:1]
    made_of = _made_of(edition, code, standard["matter"], judged, last) if chosen else []
    return [
        (
            Cell(
                title,
                row["month"],
                row["indicator_text"] if row.get("indicator_text") else shown(row["figure"]),
                row.get("file_name"),
                row.get("sheet"),
                row.get("row_number"),
                doubt(row),
                row.get("submission_id"),
            ),
            row["figure"],
        )
        for row in chosen
    ] + [(cell, None) for cell in made_of]


def _made_of(edition: Edition, code: str, matter: str, judged: dict[str, Any], month: date) -> list[Cell]:
    """The cells behind a figure that the funding table makes: of the source whose figure is used."""
    kind = {"disbursed_ytd_cny": "disbursed", "spent_ytd_cny": "spent"}.get(code)
    if (kind is None and code != "population_persons") or (
        kind and matter != "working_funds" and _has_funds(edition, matter)
    ):
        return []
    funding = edition.one(
        "select * from funding_gap_monthly where township_code = ? and month = ?",
        judged["subject_code"],
        month,
    )
    if funding is None:
        return []
    return amount_parts(edition, funding, kind)[0] if kind else [population_cell(edition, funding)]


def _has_funds(edition: Edition, matter: str) -> bool:
    return (
        edition.one("select 1 as found from fund_ledger_monthly where matter = ? limit 1", matter) is not None
    )


def _indicators(edition: Edition, judged: dict[str, Any]) -> list[dict[str, Any]]:
    """Every indicator the subject has, newest first."""
    return edition.rows(
        "select r.*, s.file_name, r.indicator_value as figure from reported.indicators r "
        "left join submissions s using (submission_id) left join townships t on t.township_code = r.subject_code "
        "where r.is_current and (r.subject_code = ? or t.unit_id = ? or r.subject_code || '/' || r.subject_name = ?) "
        "and (r.indicator_value is not null or r.indicator_text is not null) order by r.month desc",
        judged["subject_code"] if judged["subject_level"] != "institution" else "",
        judged["subject_unit"],
        judged["subject_unit"],
    )


def _column(
    edition: Edition, code: str, matter: str, judged: dict[str, Any], first: date, last: date
) -> list[dict[str, Any]]:
    """Figures of the datasets themselves; population and budget as the funding of that month has them, amounts on
    another matter as its funds have them."""
    if code in _OF_LEDGER and matter != "working_funds" and _has_funds(edition, matter):
        return edition.rows(
            f"select month, sum({_OF_LEDGER[code]}) as figure from fund_ledger_monthly where township_code = ? "
            f"and matter = ? and month = ? group by month having sum({_OF_LEDGER[code]}) is not null",
            judged["subject_code"],
            matter,
            last,
        )
    if code == "population_persons" or code in _OF_FUNDING:
        funding = edition.one(
            "select * from funding_gap_monthly where township_code = ? and month = ?",
            judged["subject_code"],
            last,
        )
        if funding is None or funding[code] is None:
            return []
        kept = "population_month" if code == "population_persons" else "month"
        return [{"month": funding[kept], "figure": funding[code]}]
    dataset = dataset_of(code)
    if dataset == "budget" and matter != "working_funds" and _has_funds(edition, matter):
        # What is reported is of the working funds: two matters never meet.
        return []
    codes = edition.codes(judged["subject_unit"])
    return edition.rows(
        f"select r.*, s.file_name, r.{code} as figure from reported.{dataset} r "
        "left join submissions s using (submission_id) "
        f"where r.is_current and r.township_code in ({', '.join('?' * len(codes)) or 'null'}) "
        f"and r.month between ? and ? and r.{code} is not null order by r.month desc",
        *codes,
        first,
        last,
    )


def _validity(told: RuleExplanation, standard: dict[str, Any], judged: dict[str, Any]) -> None:
    if standard["deadline"]:
        told.assumptions.append(f"期限 {standard['deadline']:%Y-%m-%d}（含当日）。")
    if standard["period"] != "month":
        name = _PERIOD_NAMES[standard["period"]]
        told.assumptions.append(
            f"按期单独判定，{name}截至 {judged['month']:%Y-%m}；期内多次报送取最近一次，注明相加的除外。"
        )
    elif (standard["report_valid_months"] or 1) > 1:
        told.assumptions.append(
            f"一次报送在 {standard['report_valid_months']} 个月内有效（含当月），过期未再报即为未报送。"
        )
