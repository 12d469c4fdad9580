"""Whom an explanation is asked about: the unit, the month, and what to say where there is none."""

from __future__ import annotations

from datetime import date

from oversight import presentation
from oversight.explain.cells import Edition
from oversight.explain.model import ExplainError


def known(edition: Edition, code: str) -> str:
    tries = [code] + ([code[:9]] if len(code) == 12 and code.endswith("000") else [])
    for candidate in tries:
        if edition.one(
            "select 1 as found from judgements where subject_code = ? union all "
            "select 1 from townships where township_code = ? limit 1",
            candidate,
            candidate,
        ):
            return candidate
    raise ExplainError(f"没有代码为 {code} 的单位，或它没有任何判定。{_near(edition, code)}")


def _became(edition: Edition, code: str, month: date) -> str:
    """Which code to ask instead, where a unit has changed its own."""
    found = edition.one(
        "select n.township_code as code, n.township_name as name from townships o "
        "join townships n on o.successor_code = n.township_code or o.township_code = n.successor_code "
        "where o.township_code = ? and (n.valid_from is null or n.valid_from <= ?) "
        "and (n.valid_to is null or n.valid_to > ?) limit 1",
        code,
        month,
        month,
    )
    return f"当月在册的是变更前后的 {found['code']} {found['name']}。" if found else ""


def _near(edition: Edition, wanted: str) -> str:
    """Units of that name, or of the same county, for one who has mistyped a code."""
    named = edition.rows(
        "select township_code as code, township_name as name, county_name from townships "
        "where ? <> '' and (township_name like '%' || ? || '%' or (length(?) > 6 and county_code = left(?, 6))) "
        "order by 1 limit 8",
        *[wanted] * 4,
    )
    if not named:
        return "请检查区划代码：乡镇 9 位，县级 6 位，村（社区）12 位；全部乡镇见表 townships。"
    return "是不是：" + "、".join(f"{row['code']} {row['county_name']}{row['name']}" for row in named) + "？"


def month_of(edition: Edition, code: str, month: date | None) -> date:
    found = edition.one(
        "select min(month) as first, max(month) as last from "
        "(select month from judgements where subject_code = ? union all "
        "select month from funding_gap_monthly where township_code = ?)",
        code,
        code,
    )
    if not found or found["last"] is None:
        raise ExplainError(f"单位 {code} 在数据所及的月份都不在册，没有可说明的数字。")
    if month is None:
        return found["last"]  # type: ignore[no-any-return]
    wanted = month.replace(day=1)
    if not found["first"] <= wanted <= found["last"]:
        raise ExplainError(
            f"{code} 的判定从 {found['first']:%Y-%m} 到 {found['last']:%Y-%m}，没有 {wanted:%Y-%m}。"
            f"{_became(edition, code, wanted)}请用 --month 换一个月份。"
        )
    return wanted


def why_not(edition: Edition, code: str, when: date, rule: str) -> str:
    standard = edition.one("select * from standards where standard_id = ?", rule)
    if standard is None:
        asked = edition.rows(
            "select distinct rule_id from judgements where subject_code = ? and month = ? order by 1",
            code,
            when,
        )
        known = "、".join(row["rule_id"] for row in asked)
        return f"没有编号为 {rule} 的规则。{code} 当月判定的有：{known}；全部规则见表 standards。"
    if standard["gradeable"] == "N":
        return f"规则 {rule}（{standard['title_zh']}）不作判定：{standard['not_judged_reason']}。"
    months = edition.rows(
        "select distinct month from judgements where rule_id = ? and subject_code = ? order by 1",
        rule,
        code,
    )
    if months:
        shown = "、".join(f"{row['month']:%Y-%m}" for row in months[-6:])
        return f"规则 {rule} 在 {when:%Y-%m} 对 {code} 没有判定；最近有判定的月份：{shown}。"
    return f"规则 {rule}（{standard['title_zh']}）不适用于 {code}：适用范围 {standard['scope_code']}。"


def named(edition: Edition, code: str) -> tuple[str, str]:
    row = edition.township(code)
    if row:
        return str(row["township_name"]), "".join(
            presentation.division_name(row[f"{level}_name"], row[f"{level}_code"])
            for level in ("province", "city", "county")
        )
    row = edition.one(
        "select division_name from reported.divisions where division_code = ? and is_current", code
    )
    return (str(row["division_name"]) if row else code), ""
