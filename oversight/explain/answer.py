"""From a subject, a month and perhaps a rule to the explanation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from oversight import presentation
from oversight.explain.arithmetic import FLAG, with_unit
from oversight.explain.cells import Edition, Read
from oversight.explain.funding import funding_rule, listed_rule, payment_rule, without_standard
from oversight.explain.general import general_rule, parts_rule
from oversight.explain.model import ExplainError, Explanation, RuleExplanation
from oversight.explain.staffing import staffing_rule, villages_rule
from oversight.explain.subjects import known, month_of, named, why_not
from oversight.standards.shapes import SHAPES

if TYPE_CHECKING:
    import duckdb


_REASONS = {
    "missing": "人口或本年预算没有报送，无法判断，不作零处理。",
    "stale_population": "上年、本年都没有报送人口，只有更早的数：保障数照此列出，不据以判断。",
    "too_coarse": "填写的位数太粗：保障数（要求值）落在可能的范围之内，而该范围大于微小差额，不能断定足与不足。",
    "within_precision": "要求值在报送数四舍五入的范围之内：按填写的位数不能说不足，判达标，差额记 0。",
    "silent": "拨付数没有报到本月，或中间缺月，已知部分又未达到保障数，不能判断，不作零处理。",
    "before_deadline": "未到规则所定期限，到期前未达到不算不达标。",
    "target_only": "本规则属争取、计划或参照，未达到也不算不达标，只列差距。",
    "stale_basis": "本规则超过确认期限未再确认，是否仍有效待查，故记为依据待确认；"
    "核实后在数据目录 standards/confirmations.csv 写明确认日期即恢复判定。",
    "nothing_to_count": "分母为零，没有应计的对象，不适用。",
    "roster_incomplete": "行政区划名册没有列全下级的村、社区（有乡镇一个也没有列出，或少于该乡镇报送的村（社区）数），"
    "由名册汇总得不出占比，不作判断；补全名册，或由本级直接报送占比。",
    "unlisted": "行政区划名册中没有列出该类对象，也没有对象报送，故记在县级名下为未报送。",
}


def explain(
    connection: duckdb.DuckDBPyConnection,
    code: str,
    month: date | None = None,
    rule: str | None = None,
    *,
    is_first_only: bool = False,
    read: Read | None = None,
) -> Explanation:
    """How the figures of a subject came about in a month: of one rule, of all that were judged, or of the first of them.

    `connection` is any read-only connection to an edition's warehouse. `code` may have 6, 9 or 12 digits
    (trailing zeros of a 12-digit township code are ignored); without `month`, the edition's last. What is `read`
    already is not asked again. Raises `ExplainError`, saying what there is, for an unknown code, month or rule.
    """
    edition = Edition(connection, read)
    code = code.strip()
    when = month.replace(day=1) if month else None
    rows = edition.judged(code, when) if when else []
    if when is None or not rows:
        # Only who asks for something that is not there is told what is.
        code = known(edition, code)
        when = month_of(edition, code, month)
        rows = edition.judged(code, when)
    if rule is not None:
        rows = [row for row in rows if row["rule_id"] == rule]
        if not rows:
            raise ExplainError(why_not(edition, code, when, rule))
    funding = edition.funding(code, when)
    own = (funding and funding["standard_id"]) or ""
    rows = sorted(rows, key=lambda row: (row["rule_id"] != own, row["rule_id"]))
    rules = (
        [without_standard(edition, funding)]
        if rule is None and funding and funding["standard_id"] is None
        else []
    )
    if is_first_only and rule is None:
        rows = rows[: 1 - len(rules)]
    rules += [_rule(edition, row, funding) for row in rows]
    if not rules:
        raise ExplainError(
            f"{code} 在 {when:%Y-%m} 没有任何判定：没有适用于它的标准。可用 --month 换一个月份。"
        )
    published = edition.one("select edition_id from edition")
    assert published is not None
    name, place = named(edition, code)
    return Explanation(code, name, place, when, str(published["edition_id"]), rules)


def _rule(edition: Edition, judged: dict[str, Any], funding: dict[str, Any] | None) -> RuleExplanation:
    standard = edition.standards[judged["rule_id"]]
    told = RuleExplanation(
        rule_id=standard["standard_id"],
        title=standard["title_zh"],
        status=judged["status"],
        status_label=presentation.status_label(judged["status"]),
        document=standard["document_title"]
        + (f"（{standard['document_no']}）" if standard["document_no"] else ""),
        clause=standard["clause"],
        quotation=standard["quotation"],
        origin=standard.get("origin_zh") or "",
    )
    explained = SHAPES[standard["formula"]].explained
    if explained == "funding":
        funding_rule(edition, told, standard, judged, funding)
    elif explained == "payment":
        payment_rule(edition, told, judged, funding)
    elif explained == "staffing":
        staffing_rule(edition, told, standard, judged)
    elif explained == "villages":
        villages_rule(edition, told, judged)
    elif explained == "listed":
        listed_rule(edition, told, judged)
    elif standard["formula"] == "composite" and not any(
        m["threshold"] for m in edition.measures(standard["standard_id"])
    ):
        parts_rule(edition, told, judged)
    else:
        general_rule(edition, told, standard, judged)
    told.conclusion = _conclusion(judged)
    if judged["reason"] in _REASONS:
        told.assumptions.append(_REASONS[judged["reason"]])
    _notes(edition, told, judged)
    if standard["ambiguity_zh"]:
        told.assumptions.append(f"条文的理解：{standard['ambiguity_zh']}")
    return told


def _conclusion(judged: Mapping[str, Any]) -> str:
    unit = judged["unit"] or ""
    had, asked, short = (
        None if judged[name] is None else with_unit(judged[name], unit)
        for name in ("value_checked", "value_expected", "shortfall")
    )
    status = judged["status"]
    if status == "not_reported":
        return (
            f"应为{asked}，所需数据未报送或不全，无法判断。" if asked else "所需数据未报送或不全，无法判断。"
        )
    if had is None:
        return (
            "不适用，不作判断。" if status == "not_applicable" else presentation.status_label(status) + "。"
        )
    said = f"应为{asked}，实为{had}" if asked else f"实为{had}"
    if judged["shortfall"] and unit != FLAG:
        said += f"，差{short}"
    if status == "unconfirmed":
        said += "；依据超过确认期限，待确认"
    return said + "。"


def _notes(edition: Edition, told: RuleExplanation, judged: dict[str, Any]) -> None:
    finding = next(
        (
            row
            for row in edition.findings(judged["subject_code"])
            if row["rule_id"] == judged["rule_id"]
            and row["subject_level"] == judged["subject_level"]
            and row["opened_month"] <= judged["month"] <= row["last_month"]
        ),
        None,
    )
    if finding is None:
        return
    told.notes.append(f"问题 {finding['finding_id']}，自 {finding['opened_month']:%Y-%m} 起")
    if finding["previous_finding_id"]:
        told.notes.append(f"曾于 {finding['previous_finding_id']} 整改后再次出现")
    if finding.get("notified_on"):
        told.notes.append(f"通知：{finding['notified_on']:%Y-%m-%d}")
    if finding["reply_zh"]:
        told.notes.append(f"答复：{finding['reply_zh']}")
    if finding["agreed_on"]:
        late = "，已逾期" if finding["is_overdue"] else ""
        told.notes.append(f"约定 {finding['agreed_on']:%Y-%m-%d} 前整改{late}")
    if finding["exempt_reason_zh"]:
        until = f"至 {finding['exempt_until']:%Y-%m-%d}" if finding["exempt_until"] else "不限期"
        told.notes.append(
            f"豁免（{until}，批准人 {finding['exempt_approver']}）：{finding['exempt_reason_zh']}"
        )
