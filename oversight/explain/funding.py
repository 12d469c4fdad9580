"""Funding: what was guaranteed, budgeted, paid and spent, and what is missing."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from oversight import presentation
from oversight.explain.arithmetic import FEN, difference, trimmed, written
from oversight.explain.cells import Edition, doubt, last_with
from oversight.explain.guarantee import guarantee
from oversight.explain.model import Cell, Line, RuleExplanation
from oversight.explain.pieces import Piece, joined, lines, pieces_of, row_pieces, total
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
            f"几项经费标准并存，全年以 {funding['standard_id']} 为准，缺口见该项；本项同时适用，按本项单独计提。"
        )
        _other_standard(edition, told, standard, judged, funding)
        return
    _population(edition, told, funding)
    _guarantee(edition, told, standard, funding)
    _budget(edition, told, funding)
    for kind in ("disbursed", "spent"):
        _to_date(edition, told, funding, kind)
    told_sources(edition, told, funding)
    _gaps(told, funding)


def payment_rule(
    edition: Edition,
    told: RuleExplanation,
    judged: dict[str, Any],
    funding: dict[str, Any] | None,
) -> None:
    """Whether the year's guarantee was paid."""
    if funding is None:
        return
    base = judged["rule_id"].removesuffix(".1")
    _population(edition, told, funding)
    if funding["standard_id"] == base:
        every, less = row_pieces(edition, funding)
        _whole_of_the_year(told, every, less)
    else:
        every = pieces_of(edition, funding, base)
    pieces = [piece for piece in every if not piece.is_expected]
    if judged["value_expected"] is not None and pieces:
        told.arithmetic += lines(pieces)
        told.arithmetic.append(total(_to_month(funding), pieces, _fen(judged["value_expected"])))
    _to_date(edition, told, funding, "disbursed")
    told_sources(edition, told, funding)
    if judged["shortfall"] is not None:
        told.arithmetic.append(
            _gap(
                "拨付缺口（累计）",
                _fen(judged["value_expected"]),
                funding["disbursed_ytd_cny"],
                _fen(judged["shortfall"]),
                funding["disbursed_precision_cny"],
            )
        )


def _fen(value: Decimal) -> Decimal:
    return value.quantize(FEN)


def _to_month(funding: dict[str, Any]) -> str:
    return f"截至{funding['month'].month}月应保障"


def _population(edition: Edition, told: RuleExplanation, funding: dict[str, Any]) -> None:
    told.cells.append(population_cell(edition, funding))
    population_assumption(edition, told, funding)
    if funding["is_tier_uncertain"]:
        told.assumptions.append(
            "人口以万人填写，可能的人数跨两档：列出所写人数的一档，缺口按可能的最低保障额计。"
        )
    if funding["includes_predecessors"]:
        told.assumptions.append(
            "本年有单位并入：并入以前各按各的人口和档次计提，并入以后按合计人口所在的档次计提，合为整个区域的保障数。"
        )


def _guarantee(
    edition: Edition, told: RuleExplanation, standard: dict[str, Any], funding: dict[str, Any]
) -> None:
    tier = edition.tier(standard["standard_id"], funding["tier_label"])
    if tier is None:
        return
    told.tier, told.tier_quotation = funding["tier_label"], tier["quotation"] or ""
    if funding["guaranteed_annual_cny"] is None:
        return
    pieces, less = row_pieces(edition, funding)
    _whole_of_the_year(told, pieces, less)
    past = [piece for piece in pieces if not piece.is_expected]
    if len(joined(pieces)) > 1:
        told.arithmetic += lines(pieces)
        told.assumptions.append(
            f"{funding['month'].month}月以后各月按该单位和已印发的标准照旧计；其后有变动的，自变动的月份起改计。"
        )
    told.arithmetic.append(total("全年应保障", joined(pieces), funding["guaranteed_annual_cny"]))
    if funding["is_on_tier_edge"]:
        _edge(edition, told, standard, funding)
    told.arithmetic.append(total(_to_month(funding), past, funding["guaranteed_ytd_cny"]))


def _whole_of_the_year(told: RuleExplanation, pieces: list[Piece], less: list[Piece]) -> None:
    """Say that a whole amount of the year counts, where the months' highest amounts come to less."""
    if not less:
        return
    by_month, whole = (sum((piece.exact for piece in found), Decimal(0)) for found in (less, pieces))
    told.assumptions.append(
        f"{pieces[-1].standard_id} 的全年额照计，不论在册多久；几个机关的标准逐月取高，合计只有 "
        f"{written(by_month.quantize(FEN, ROUND_HALF_UP))} 元，少于它的 {written(whole.quantize(FEN, ROUND_HALF_UP))} 元："
        "全年的保障不低于照计的全年额，本年以该项为准。"
    )


def _other_standard(
    edition: Edition,
    told: RuleExplanation,
    standard: dict[str, Any],
    judged: dict[str, Any],
    funding: dict[str, Any],
) -> None:
    told.cells.append(population_cell(edition, funding))
    pieces = pieces_of(edition, funding, standard["standard_id"])
    if judged["value_expected"] is not None and pieces:
        tier = edition.tier(standard["standard_id"], pieces[-1].tier_label)
        told.tier, told.tier_quotation = pieces[-1].tier_label, (tier or {}).get("quotation") or ""
        told.arithmetic.append(total("全年应保障", joined(pieces), _fen(judged["value_expected"])))
    _budget(edition, told, funding)
    told_sources(edition, told, funding)
    if judged["shortfall"] is not None:
        told.arithmetic.append(
            _gap(
                "安排缺口",
                _fen(judged["value_expected"]),
                funding["allocated_annual_cny"],
                _fen(judged["shortfall"]),
                funding["allocated_precision_cny"],
            )
        )


def _edge(edition: Edition, told: RuleExplanation, standard: dict[str, Any], funding: dict[str, Any]) -> None:
    rule = presentation.EDGE_RULE.get(standard["edge_rule"], standard["edge_rule"])
    told.assumptions.append(
        f"人口恰为 {funding['population_persons']:,} 人，在分档线上，两档都说得通；按“{rule}”取“{funding['tier_label']}”。"
    )
    other = edition.tier(standard["standard_id"], funding["other_tier_label"])
    if other is None:
        return
    line = guarantee(edition, other, funding["population_persons"], standard["formula"], None)
    asked = written(funding["other_annual_cny"])
    text = f"若归“{funding['other_tier_label']}”：全年额 {line.expression} = {line.result} 元"
    if asked != line.result:
        text += f"，按月计提后应保障 {asked} 元"
    if funding["allocated_annual_cny"] is not None:
        gap = funding["other_annual_cny"] - funding["allocated_annual_cny"]
        text += f"，安排缺口 {written(max(gap, Decimal(0)).quantize(FEN))} 元"
    told.other_readings.append(text)


def _gap(name: str, asked: Decimal, had: Decimal, kept: Decimal, precision: Decimal | None) -> Line:
    """What is missing; nothing where the places that were written do not tell, or where less may be asked."""
    if kept == 0 and asked > had:
        unit = written(precision)
        return Line(
            name,
            "0.00",
            "0.00",
            "元",
            f"写出的数低 {written(asked - had)} 元，但只写到 {unit} 元，不能断定不足，判达标",
        )
    if kept > 0 and kept != asked - had:
        return Line(
            name, f"{written(kept + had)} − {written(had)}", written(kept), "元", "按可能的最低保障额计"
        )
    return difference(name, asked, had, kept)


def _gaps(told: RuleExplanation, funding: dict[str, Any]) -> None:
    guaranteed, allocated = funding["guaranteed_annual_cny"], funding["allocated_annual_cny"]
    if funding["allocation_shortfall_cny"] is not None:
        told.arithmetic += [
            _gap(
                "安排缺口",
                guaranteed,
                allocated,
                funding["allocation_shortfall_cny"],
                funding["allocated_precision_cny"],
            ),
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
            _gap(
                "拨付缺口（累计）",
                funding["guaranteed_ytd_cny"],
                funding["disbursed_ytd_cny"],
                funding["disbursement_shortfall_ytd_cny"],
                funding["disbursed_precision_cny"],
            )
        )


def _used_source(edition: Edition, funding: dict[str, Any], group: str) -> str:
    """Whose figures the year's amount is made of."""
    # One question for all three: each answer is remembered.
    used = edition.one(
        "select allocated_source, disbursed_source, spent_source from fund_ledger_monthly "
        "where township_code = ? and month = ? and fund_code = 'working_funds'",
        funding["township_code"],
        funding["month"],
    )
    return (used or {}).get(f"{group}_source") or "township"


def _codes(edition: Edition, funding: dict[str, Any]) -> list[str]:
    own = edition.township(funding["township_code"])
    return edition.codes(own["unit_id"]) if own else [funding["township_code"]]


def _months(edition: Edition, funding: dict[str, Any], group: str) -> list[dict[str, Any]]:
    """The budget reports of the year on the unit, up to the month, of the source whose figures are used."""
    return edition.budgets(
        _codes(edition, funding),
        _used_source(edition, funding, group),
        funding["fiscal_year"],
        funding["month"],
    )


def _vouchers(edition: Edition, funding: dict[str, Any]) -> list[dict[str, Any]]:
    """The single payments of the year, up to the month, that the used source's list has."""
    if not edition.has("reported", "payments") or not edition.holds("reported", "payments"):
        return []
    codes = _codes(edition, funding)
    return edition.rows(
        "select p.*, s.file_name from reported.payments p left join submissions s using (submission_id) "
        f"where p.is_current and p.fund_code = 'working_funds' and p.source = ? "
        f"and p.township_code in ({', '.join('?' * len(codes))}) "
        "and year(p.month) = ? and p.month <= ? order by p.paid_on, p.submission_id, p.sheet, p.row_number",
        _used_source(edition, funding, "disbursed"),
        *codes,
        funding["fiscal_year"],
        funding["month"],
    )


def _before(edition: Edition, funding: dict[str, Any], column: str) -> list[tuple[str, Decimal]]:
    """What units taken over in the year came to in their last month: name and amount."""
    own = edition.township(funding["township_code"])
    if own is None:
        return []
    return [
        (f"{row['township_name']} {row['last_month']:%Y-%m}", row["amount"])
        for row in edition.rows(
            f"select t.township_name, k.last_month, k.{column} as amount "
            "from detail.takeovers k join townships t using (township_code) where k.heir_unit_id = ? "
            f"and year(k.since_month) = ? and month(k.since_month) <= ? and k.{column} is not null order by k.unit_id",
            own["unit_id"],
            funding["fiscal_year"],
            funding["month"].month,
        )
    ]


def _line(
    edition: Edition, funding: dict[str, Any], title: str, column: str, amounts: list[Decimal], remark: str
) -> tuple[Line, bool]:
    """An amount of the year as the sum of the cells, with what units taken over brought; whether that was added."""
    result: Decimal = funding[column]
    own = sum(amounts, Decimal(0))
    terms, added = [_signed(amount) for amount in amounts], []
    if result != own:
        added = [(name, amount) for name, amount in _before(edition, funding, column) if amount]
        while added and own + sum((amount for _, amount in added), Decimal(0)) != result:
            added.pop(0)
        terms += [_signed(amount) for _, amount in added]
        if not added:
            # Single payments of a list, several funds of one matter, or what was carried over.
            terms, remark = [written(result)], "由所采用的来源和各笔资金汇总，见表 fund_ledger_monthly"
    told = [remark] if remark and amounts else []
    told += ["另加并入单位：" + "、".join(name for name, _ in added)] if added else []
    if not terms:
        terms = [written(result)]
    return Line(title, " + ".join(terms), written(result), "元", "；".join(told)), bool(added)


def _budget(edition: Edition, told: RuleExplanation, funding: dict[str, Any]) -> None:
    months = _months(edition, funding, "allocated")
    adjusted = last_with(months, "adjusted_budget_cny")
    initial = last_with(months, "initial_budget_cny")
    if adjusted:
        told.cells.append(edition.cell("adjusted_budget_cny", adjusted, adjusted["month"]))
    told.cells.append(edition.cell("initial_budget_cny", initial, initial["month"] if initial else None))
    if funding["allocated_annual_cny"] is None:
        told.assumptions.append(f"{funding['fiscal_year']}年截至本月没有报送预算，年度安排未知，不作零处理。")
        return
    used, column = ("调整后预算", "adjusted_budget_cny") if adjusted else ("年初预算", "initial_budget_cny")
    row = adjusted or initial
    line, is_added = _line(
        edition,
        funding,
        "年度安排",
        "allocated_annual_cny",
        [] if row is None else [row[column]],
        f"本年最近一次报送的{used}",
    )
    told.arithmetic.append(line)
    if funding["allocated_precision_cny"] and funding["allocated_precision_cny"] > FEN:
        told.assumptions.append(
            f"年度安排写到 {written(funding['allocated_precision_cny'])} 元为止，实际数可能相差半个单位；"
            "最多也到不了保障额的才算不足。"
        )
    if is_added:
        told.assumptions.append("承接单位并入后报的预算不像是整个区域的，被并单位的预算另加，存疑。")


def amount_parts(
    edition: Edition, funding: dict[str, Any], kind: str
) -> tuple[list[Cell], list[Decimal], str]:
    """What was paid or spent, piece by piece, as the used source tells it: cells, amounts, and how they are added."""
    months = _months(edition, funding, kind)
    vouchers = _vouchers(edition, funding) if kind == "disbursed" else []
    cumulative = last_with(months, f"{kind}_cumulative_cny")

    def counts(row: dict[str, Any]) -> bool:
        return cumulative is None or row["month"] > cumulative["month"]

    listed = [row for row in vouchers if counts(row)]
    # A month of which there is a list is what its payments come to.
    of_lists = {row["month"] for row in listed}
    parts = [
        row
        for row in months
        if row[f"{kind}_month_cny"] is not None and counts(row) and row["month"] not in of_lists
    ]
    cells = [edition.cell(f"{kind}_cumulative_cny", cumulative, cumulative["month"])] if cumulative else []
    cells += [edition.cell(f"{kind}_month_cny", row, row["month"]) for row in parts]
    cells += [
        Cell(
            f"支付（凭证 {row['voucher_no'] or '无号'}）",
            row["month"],
            written(row["amount_cny"]),
            row["file_name"],
            row["sheet"],
            row["row_number"],
            doubt(row),
            row.get("submission_id"),
        )
        for row in listed
    ]
    amounts = [cumulative[f"{kind}_cumulative_cny"]] if cumulative else []
    amounts += [row[f"{kind}_month_cny"] for row in parts] + [row["amount_cny"] for row in listed]
    remark = "没有报送累计数，取各月之和"
    if cumulative:
        remark = "本年最近一次报送的累计数" + ("，加其后各月" if parts or listed else "")
    elif listed and not parts:
        remark = "各笔支付之和"
    return cells, amounts, remark


def _to_date(edition: Edition, told: RuleExplanation, funding: dict[str, Any], kind: str) -> None:
    title, what = ("累计拨付", "拨付") if kind == "disbursed" else ("累计支出", "支出")
    column = f"{kind}_ytd_cny"
    cells, amounts, remark = amount_parts(edition, funding, kind)
    told.cells += cells
    if funding[column] is None:
        if kind == "disbursed":
            told.assumptions.append("本年截至本月没有报送拨付数，拨付缺口未知，不作零处理。")
        return
    told.arithmetic.append(_line(edition, funding, title, column, amounts, remark)[0])
    source = _used_source(edition, funding, kind)
    if source != "township":
        told.assumptions.append(f"{title}用{presentation.cell('source', source)}的数，不是乡镇自报的数。")
    as_of = funding[f"{kind}_as_of_month"]
    if as_of is not None and as_of < funding["month"]:
        told.assumptions.append(f"{title}只报到 {as_of:%Y-%m}，其后各月没有报送，不作零处理。")
    if funding[f"{kind}_is_partial"]:
        told.assumptions.append(f"{as_of:%Y-%m} 以前缺某月的{what}数，所列{title}只是已知部分。")


def _signed(amount: Decimal) -> str:
    return f"({written(amount)})" if amount < 0 else written(amount)


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
        "确有标准的，请在“核算依据”页或数据目录的 standards/ 中增补。",
    )
    told.cells.append(population_cell(edition, funding))
    _budget(edition, told, funding)
    for kind in ("disbursed", "spent"):
        _to_date(edition, told, funding, kind)
    told_sources(edition, told, funding)
    return told


def _paid(edition: Edition, row: dict[str, Any], month: date) -> str:
    """The last December's answer on payment, which holds until the next."""
    december = date(month.year if month.month == 12 else month.year - 1, 12, 1)
    answer = edition.one(
        "select j.status from judgements j join townships t on j.subject_code = t.township_code "
        "join funding_gap_monthly f on f.township_code = j.subject_code and f.month = j.month "
        "where t.unit_id = ? and j.month = ? and j.rule_id = f.standard_id || '.1'",
        row["unit_id"],
        december,
    )
    return f"，{december.year}年全年拨付{presentation.status_label(answer['status'])}" if answer else ""


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
                f"经费{presentation.status_label(row['status'])}" + _paid(edition, row, judged["month"]),
                cell.submission,
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
