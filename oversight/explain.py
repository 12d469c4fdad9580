"""How a figure came about, from an edition alone: the reported cells, the clause, the arithmetic, what was assumed.

`explain` answers for one subject and month, for one rule or for all that were judged. What it prints can be
followed with a pocket calculator: every line of arithmetic stands as `名称：算式 = 结果 单位`, with `×`, `÷`,
`−`, `+`, and says where a result was rounded or taken as zero. Dashboard and report show the same content.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from oversight import presentation
from oversight.errors import OversightError

if TYPE_CHECKING:
    import duckdb

_FEN = Decimal("0.01")
_PER_MONTH = "月"
_FLAG = "是/否"
_MONEY_FORMULAS = ("per_capita_by_tier", "per_capita_marginal", "flat_by_tier")

# Columns of the datasets, as the forms call them.
COLUMN_TITLES = {
    "population_persons": "户籍人口（人）",
    "resident_population_persons": "常住人口（人）",
    "households_count": "户籍户数（户）",
    "initial_budget_cny": "年初预算（元）",
    "adjusted_budget_cny": "调整后预算（元）",
    "disbursed_month_cny": "本月拨付（元）",
    "disbursed_cumulative_cny": "累计拨付（元）",
    "spent_month_cny": "本月支出（元）",
    "spent_cumulative_cny": "累计支出（元）",
    "is_listed_separately": "是否单独列支",
    "administrative_posts": "行政编制数（名）",
    "institution_posts": "事业编制数（名）",
    "dedicated_staff_persons": "在编在岗专职人数（人）",
    "welfare_posts_persons": "公益性岗位人数（人）",
    "purchased_service_persons": "政府购买服务人数（人）",
    "part_time_persons": "兼职人数（人）",
    "villages_count": "村（社区）数（个）",
    "villages_with_assistant_count": "已配备协理员村（社区）数（个）",
}
_STAFFING = (
    "administrative_posts",
    "institution_posts",
    "dedicated_staff_persons",
    "welfare_posts_persons",
    "purchased_service_persons",
    "part_time_persons",
    "villages_count",
    "villages_with_assistant_count",
)


_REASONS = {
    "before_deadline": "未到规则所定期限，到期前未达到不算不达标。",
    "target_only": "本规则属争取、计划或参照，未达到也不算不达标，只列差距。",
    "stale_basis": "本规则超过确认期限未再确认，是否仍有效待查，故记为依据待确认；"
    "核实后在数据目录 standards/confirmations.csv 写明确认日期即恢复判定。",
    "nothing_to_count": "分母为零，没有应计的对象，不适用。",
    "unlisted": "行政区划名册中没有列出该类对象，也没有对象报送，故记在县级名下为未报送。",
}
_UNITS_SHOWN = 20
_MONTHS_OF = {"month": 1, "quarter": 3, "half_year": 6, "year": 12, "two_years": 24}
_PERIOD_NAMES = {"quarter": "本季", "half_year": "本半年", "year": "本年", "two_years": "近两年"}


class ExplainError(OversightError):
    """Nothing to explain: an unknown code, a month without data, a rule that was not judged."""


@dataclass(frozen=True)
class Cell:
    """A reported figure and where it stands. `value` None: the file leaves it blank, or nobody reported."""

    what: str
    month: date | None
    value: str | None
    file: str | None = None
    sheet: str | None = None
    row: int | None = None
    note: str = ""

    def text(self) -> str:
        """As one line."""
        value = "未报送" if self.value is None else self.value
        when = f"{self.month:%Y-%m} " if self.month else ""
        sheet = f"，工作表“{self.sheet}”" if self.sheet else ""
        place = f"（{self.file}{sheet}，第 {self.row} 行）" if self.file else ""
        return f"{when}{self.what}：{value}{place}" + (f"；{self.note}" if self.note else "")


@dataclass(frozen=True)
class Line:
    """A line of arithmetic. `kept`: the result as used, where it differs from the plain one, with the reason."""

    name: str
    expression: str
    result: str
    unit: str
    remark: str = ""

    def text(self) -> str:
        """`名称：算式 = 结果 单位（说明）`."""
        tail = f"（{self.remark}）" if self.remark else ""
        return f"{self.name}：{self.expression} = {self.result} {self.unit}".rstrip() + tail


@dataclass
class RuleExplanation:
    """One rule for one subject and month."""

    rule_id: str
    title: str
    status: str
    status_label: str
    document: str
    clause: str
    quotation: str
    origin: str = ""
    tier: str = ""
    tier_quotation: str = ""
    cells: list[Cell] = field(default_factory=list)
    arithmetic: list[Line] = field(default_factory=list)
    assumptions: list[str] = field(default_factory=list)
    other_readings: list[str] = field(default_factory=list)
    conclusion: str = ""
    notes: list[str] = field(default_factory=list)


@dataclass
class Explanation:
    """Everything said of a subject and month."""

    subject_code: str
    subject_name: str
    place: str
    month: date
    edition_id: str
    rules: list[RuleExplanation]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        content: dict[str, Any] = json.loads(json.dumps(asdict(self), default=str, ensure_ascii=False))
        return content

    def json(self) -> str:
        """As JSON text."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=1)

    def text(self) -> str:
        """As plain Chinese text."""
        lines = [f"{self.place}{self.subject_name}（{self.subject_code}）　{presentation.month(self.month)}"]
        lines.append(f"数据版本 {self.edition_id}")
        for rule in self.rules:
            lines += ["", f"{_headed(rule)}：{rule.status_label}", f"  {rule.conclusion}"]
            for title, items in _sections(rule):
                lines.append(f"  {title}")
                lines += [f"    {item}" for item in items]
        return "\n".join(lines) + "\n"

    def html(self) -> str:
        """As an HTML fragment without styles or scripts of its own."""
        parts = [
            '<article class="explanation">',
            f"<h2>{_h(self.place + self.subject_name)}（{_h(self.subject_code)}） {presentation.month(self.month)}</h2>",
            f"<p>数据版本 {_h(self.edition_id)}</p>",
        ]
        for rule in self.rules:
            parts.append(f'<section data-rule="{_h(rule.rule_id)}" data-status="{_h(rule.status)}">')
            parts.append(f"<h3>{_h(_headed(rule))}：{_h(rule.status_label)}</h3>")
            parts.append(f"<p>{_h(rule.conclusion)}</p>")
            for title, items in _sections(rule):
                parts.append(f"<h4>{_h(title)}</h4><ul>")
                parts += [f"<li>{_h(item)}</li>" for item in items]
                parts.append("</ul>")
            parts.append("</section>")
        return "\n".join([*parts, "</article>"]) + "\n"


def _h(text: str) -> str:
    return html.escape(text)


def _headed(rule: RuleExplanation) -> str:
    return f"【{rule.rule_id or '经费'}】{rule.title}"


def _sections(rule: RuleExplanation) -> list[tuple[str, list[str]]]:
    basis = [f"《{rule.document}》{rule.clause}：“{rule.quotation}”"] if rule.document else []
    if rule.origin:
        basis.append(f"由该文件转引，出自{rule.origin}")
    if rule.tier:
        quoted = f"：“{rule.tier_quotation}”" if rule.tier_quotation else ""
        basis.append(f"适用档次 {rule.tier}{quoted}")
    found = [
        ("依据", basis),
        ("报送数据", [cell.text() for cell in rule.cells]),
        ("计算", [line.text() for line in rule.arithmetic]),
        ("所作假定", rule.assumptions),
        ("另一种理解", rule.other_readings),
        ("处理记录", rule.notes),
    ]
    return [(title, items) for title, items in found if items]


def explain(
    connection: duckdb.DuckDBPyConnection, code: str, month: date | None = None, rule: str | None = None
) -> Explanation:
    """How the figures of a subject came about in a month: of one rule, or of all that were judged.

    `connection` is any read-only connection to an edition's warehouse. `code` may have 6, 9 or 12 digits
    (trailing zeros of a 12-digit township code are ignored); without `month`, the edition's last. Raises
    `ExplainError`, saying what there is, for an unknown code, month or rule.
    """
    return _Reader(connection).explain(code.strip(), month, rule)


class _Reader:
    """Reads an edition for one explanation."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._cursor = connection.cursor()
        self._answers: dict[tuple[str, tuple[Any, ...]], list[dict[str, Any]]] = {}

    def explain(self, code: str, month: date | None, rule: str | None) -> Explanation:
        code = self._known(code)
        when = self._month(code, month)
        rows = self._rows(
            "select * from judgements where subject_code = ? and month = ? order by rule_id", code, when
        )
        if rule is not None:
            rows = [row for row in rows if row["rule_id"] == rule]
            if not rows:
                raise ExplainError(self._why_not(code, when, rule))
        funding = self._one(
            "select * from funding_gap_monthly where township_code = ? and month = ?", code, when
        )
        rules = [self._rule(row, funding) for row in rows]
        if rule is None and funding and funding["standard_id"] is None:
            rules.insert(0, self._without_standard(funding))
        if not rules:
            raise ExplainError(
                f"{code} 在 {when:%Y-%m} 没有任何判定：没有适用于它的标准。可用 --month 换一个月份。"
            )
        rules.sort(
            key=lambda item: (funding is None or item.rule_id != (funding["standard_id"] or ""), item.rule_id)
        )
        edition = self._one("select edition_id from edition")
        assert edition is not None
        name, place = self._named(code)
        return Explanation(code, name, place, when, str(edition["edition_id"]), rules)

    # --- what is asked

    def _known(self, code: str) -> str:
        tries = [code] + ([code[:9]] if len(code) == 12 and code.endswith("000") else [])
        for candidate in tries:
            if self._one(
                "select 1 as found from judgements where subject_code = ? union all "
                "select 1 from townships where township_code = ? limit 1",
                candidate,
                candidate,
            ):
                return candidate
        raise ExplainError(f"没有代码为 {code} 的单位，或它没有任何判定。{self._near(code)}")

    def _became(self, code: str, month: date) -> str:
        """Which code to ask instead, where a unit has changed its own."""
        found = self._one(
            "select n.township_code as code, n.township_name as name from townships o "
            "join townships n on o.successor_code = n.township_code or o.township_code = n.successor_code "
            "where o.township_code = ? and (n.valid_from is null or n.valid_from <= ?) "
            "and (n.valid_to is null or n.valid_to > ?) limit 1",
            code,
            month,
            month,
        )
        return f"当月在册的是变更前后的 {found['code']} {found['name']}。" if found else ""

    def _near(self, wanted: str) -> str:
        """Units of that name, or of the same county, for one who has mistyped a code."""
        named = self._rows(
            "select township_code as code, township_name as name, county_name from townships "
            "where ? <> '' and (township_name like '%' || ? || '%' or (length(?) > 6 and county_code = left(?, 6))) "
            "order by 1 limit 8",
            *[wanted] * 4,
        )
        if not named:
            return "请检查区划代码：乡镇 9 位，县级 6 位，村（社区）12 位；全部乡镇见表 townships。"
        return (
            "是不是：" + "、".join(f"{row['code']} {row['county_name']}{row['name']}" for row in named) + "？"
        )

    def _month(self, code: str, month: date | None) -> date:
        found = self._one(
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
                f"{self._became(code, wanted)}请用 --month 换一个月份。"
            )
        return wanted

    def _why_not(self, code: str, when: date, rule: str) -> str:
        standard = self._one("select * from standards where standard_id = ?", rule)
        if standard is None:
            asked = self._rows(
                "select distinct rule_id from judgements where subject_code = ? and month = ? order by 1",
                code,
                when,
            )
            known = "、".join(row["rule_id"] for row in asked)
            return f"没有编号为 {rule} 的规则。{code} 当月判定的有：{known}；全部规则见表 standards。"
        if standard["gradeable"] == "N":
            return f"规则 {rule}（{standard['title_zh']}）不作判定：{standard['not_judged_reason']}。"
        months = self._rows(
            "select distinct month from judgements where rule_id = ? and subject_code = ? order by 1",
            rule,
            code,
        )
        if months:
            shown = "、".join(f"{row['month']:%Y-%m}" for row in months[-6:])
            return f"规则 {rule} 在 {when:%Y-%m} 对 {code} 没有判定；最近有判定的月份：{shown}。"
        return f"规则 {rule}（{standard['title_zh']}）不适用于 {code}：适用范围 {standard['scope_code']}。"

    def _named(self, code: str) -> tuple[str, str]:
        row = self._one("select * from townships where township_code = ?", code)
        if row:
            return str(row["township_name"]), "".join(
                presentation.division_name(row[f"{level}_name"], row[f"{level}_code"])
                for level in ("province", "city", "county")
            )
        row = self._one(
            "select division_name from reported.divisions where division_code = ? and is_current", code
        )
        return (str(row["division_name"]) if row else code), ""

    # --- one rule

    def _rule(self, judged: dict[str, Any], funding: dict[str, Any] | None) -> RuleExplanation:
        standard = self._standards[judged["rule_id"]]
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
        formula = standard["formula"]
        if formula in _MONEY_FORMULAS:
            self._funding(told, standard, judged, funding)
        elif formula in ("staff_floor", "staff_range_by_tier", "posts_parts"):
            self._staffing(told, standard, judged)
        elif formula == "village_coverage":
            self._villages(told, judged)
        elif formula == "county_listed_separately":
            self._listed(told, judged)
        elif formula == "composite" and not any(
            m["threshold"] for m in self._measures(standard["standard_id"])
        ):
            self._parts(told, judged)
        else:
            self._general(told, standard, judged)
        told.conclusion = _conclusion(judged)
        if judged["reason"] in _REASONS:
            told.assumptions.append(_REASONS[judged["reason"]])
        self._notes(told, judged)
        if standard["ambiguity_zh"]:
            told.assumptions.append(f"条文的理解：{standard['ambiguity_zh']}")
        return told

    def _without_standard(self, funding: dict[str, Any]) -> RuleExplanation:
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
        told.cells.append(self._population_cell(funding))
        self._budget_cells(told, funding)
        return told

    def _tier(self, standard_id: str, label: str | None) -> dict[str, Any] | None:
        return self._one(
            "select * from standard_tiers where standard_id = ? and tier_label = ?", standard_id, label
        )

    # --- funding

    def _guarantee(self, tier: dict[str, Any], population: int, formula: str, result: Decimal | None) -> Line:
        lower = (
            self._rows(
                "select * from standard_tiers where standard_id = ? and tier_no < ? order by tier_no",
                tier["standard_id"],
                tier["tier_no"],
            )
            if formula == "per_capita_marginal"
            else []
        )
        return _annual(tier, population, formula, result, lower)

    def _funding(
        self,
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
            self._other_standard(told, standard, judged, funding)
            return
        told.cells.append(self._population_cell(funding))
        self._population_assumption(told, funding)
        tier = self._tier(standard["standard_id"], funding["tier_label"])
        if tier and funding["guaranteed_annual_cny"] is not None:
            told.tier, told.tier_quotation = funding["tier_label"], tier["quotation"] or ""
            told.arithmetic.append(
                self._guarantee(
                    tier, funding["population_persons"], standard["formula"], funding["guaranteed_annual_cny"]
                )
            )
            if funding["is_on_tier_edge"]:
                self._edge(told, standard, funding)
            number = funding["month"].month
            told.arithmetic.append(
                Line(
                    f"截至{number}月应保障",
                    f"{_n(funding['guaranteed_annual_cny'])} × {number} ÷ 12",
                    _n(funding["guaranteed_ytd_cny"]),
                    "元",
                    "四舍五入到分",
                )
            )
        self._budget_cells(told, funding)
        self._gaps(told, funding)

    def _other_standard(
        self, told: RuleExplanation, standard: dict[str, Any], judged: dict[str, Any], funding: dict[str, Any]
    ) -> None:
        told.cells.append(self._population_cell(funding))
        tiers = self._rows(
            "select * from standard_tiers where standard_id = ? order by tier_no", standard["standard_id"]
        )
        expected = judged["value_expected"]
        for tier in tiers:
            if expected is not None and funding["population_persons"] is not None:
                line = self._guarantee(tier, funding["population_persons"], standard["formula"], None)
                if Decimal(line.result.replace(",", "")) == expected:
                    told.tier, told.tier_quotation = tier["tier_label"], tier["quotation"] or ""
                    told.arithmetic.append(line)
                    break
        self._budget_cells(told, funding)

    def _edge(self, told: RuleExplanation, standard: dict[str, Any], funding: dict[str, Any]) -> None:
        rule = presentation.EDGE_RULE.get(standard["edge_rule"], standard["edge_rule"])
        told.assumptions.append(
            f"人口恰为 {funding['population_persons']:,} 人，在分档线上，两档都说得通；按“{rule}”取“{funding['tier_label']}”。"
        )
        other = self._tier(standard["standard_id"], funding["other_tier_label"])
        if other is None:
            return
        line = self._guarantee(
            other, funding["population_persons"], standard["formula"], funding["other_annual_cny"]
        )
        text = f"若归“{funding['other_tier_label']}”：{line.expression} = {line.result} 元"
        if funding["allocated_annual_cny"] is not None:
            gap = funding["other_annual_cny"] - funding["allocated_annual_cny"]
            text += f"，安排缺口 {_n(max(gap, Decimal(0)).quantize(_FEN))} 元"
        told.other_readings.append(text)

    def _gaps(self, told: RuleExplanation, funding: dict[str, Any]) -> None:
        guaranteed, allocated = funding["guaranteed_annual_cny"], funding["allocated_annual_cny"]
        if guaranteed is None or allocated is None:
            return
        told.arithmetic += [
            _difference("安排缺口", guaranteed, allocated, funding["allocation_shortfall_cny"]),
            _difference("安排结余", allocated, guaranteed, funding["allocation_surplus_cny"]),
        ]
        if funding["adequacy_pct"] is not None:
            told.arithmetic.append(
                Line(
                    "保障率",
                    f"{_n(allocated)} ÷ {_n(guaranteed)} × 100",
                    _n(funding["adequacy_pct"]),
                    "%",
                    "四舍五入到两位小数",
                )
            )
        if funding["disbursement_shortfall_ytd_cny"] is not None:
            told.arithmetic.append(
                _difference(
                    "拨付缺口（累计）",
                    funding["guaranteed_ytd_cny"],
                    funding["disbursed_ytd_cny"],
                    funding["disbursement_shortfall_ytd_cny"],
                )
            )

    def _population_cell(self, row: dict[str, Any]) -> Cell:
        column = (
            "resident_population_persons"
            if row.get("population_basis") == "resident"
            else "population_persons"
        )
        if row["population_month"] is None:
            return Cell(COLUMN_TITLES[column], None, None)
        found = self._reported(
            "population", row.get("population_township_code") or row["township_code"], row["population_month"]
        )
        return self._cell(column, found, row["population_month"])

    def _population_assumption(self, told: RuleExplanation, row: dict[str, Any]) -> None:
        year, basis = (
            row["month"].year,
            presentation.POPULATION_BASIS.get(row.get("population_basis") or "", "户籍人口"),
        )
        if row["population_month"] is None:
            told.assumptions.append(
                f"{year - 1}年12月及以前、{year}年内都没有报送{basis}，无法定档，不作零处理。"
            )
        elif row["population_is_fallback"]:
            told.assumptions.append(
                f"{year - 1}年12月及以前没有报送{basis}，代以{year}年最早一次报送数（{row['population_month']:%Y-%m}）。"
            )
            told.assumptions.append("上年末人口报来后自动改用。")
        else:
            told.assumptions.append(
                f"定档人口取{year - 1}年12月及以前最近一次报送的{basis}（{row['population_month']:%Y-%m}）："
                "编预算时所能用的人口；文件未写以何日为准。"
            )
        self._as_of_the_month(told, row)

    def _as_of_the_month(self, told: RuleExplanation, row: dict[str, Any]) -> None:
        """What the population of the month itself would give, where it stands in another tier."""
        basis = row.get("population_basis") or "registered"
        column = "resident_population_persons" if basis == "resident" else "population_persons"
        now = self._one(
            f"select {column} as persons from reported.population where township_code = ? and month = ? and is_current",
            row["township_code"],
            row["month"],
        )
        if now is None or now["persons"] is None or row["standard_id"] is None:
            return
        tiers = self._rows(
            "select t.*, s.formula from standard_tiers t join standards s using (standard_id) "
            "where standard_id = ? and (coalesce(lower_bound, 0) < ? or (coalesce(lower_bound, 0) = ? and lower_included)) "
            "and (upper_bound is null or upper_bound > ? or (upper_bound = ? and upper_included)) order by tier_no",
            row["standard_id"],
            *[now["persons"]] * 4,
        )
        if not tiers or any(tier["tier_label"] == row["tier_label"] for tier in tiers):
            return
        tier = tiers[0]
        if tier["formula"] in _MONEY_FORMULAS:
            line = self._guarantee(tier, now["persons"], tier["formula"], None)
            asked = f"{line.expression} = {line.result} 元"
        else:
            asked = _range(tier)
        told.other_readings.append(
            f"若按当月报送的人口 {now['persons']:,} 人定档，归“{tier['tier_label']}”：{asked}"
        )

    def _budget_cells(self, told: RuleExplanation, funding: dict[str, Any]) -> None:
        own = self._one("select unit_id from townships where township_code = ?", funding["township_code"])
        codes = self._codes(own["unit_id"]) if own else [funding["township_code"]]
        months = self._rows(
            "select r.*, s.file_name from reported.budget r left join submissions s using (submission_id) "
            f"where r.is_current and r.township_code in ({', '.join('?' * len(codes))}) "
            "and year(r.month) = ? and r.month <= ? order by r.month",
            *codes,
            funding["fiscal_year"],
            funding["month"],
        )
        adjusted = _last(months, "adjusted_budget_cny")
        initial = _last(months, "initial_budget_cny")
        if adjusted:
            told.cells.append(self._cell("adjusted_budget_cny", adjusted, adjusted["month"]))
        told.cells.append(self._cell("initial_budget_cny", initial, initial["month"] if initial else None))
        if funding["allocated_annual_cny"] is None:
            told.assumptions.append(
                f"{funding['fiscal_year']}年截至本月没有报送预算，年度安排未知，不作零处理。"
            )
        else:
            used = "调整后预算" if adjusted else "年初预算"
            told.arithmetic.append(
                Line(
                    "年度安排",
                    _n(funding["allocated_annual_cny"]),
                    _n(funding["allocated_annual_cny"]),
                    "元",
                    f"本年最近一次报送的{used}",
                )
            )
        for kind, title, result in (
            ("disbursed", "累计拨付", funding["disbursed_ytd_cny"]),
            ("spent", "累计支出", funding["spent_ytd_cny"]),
        ):
            self._to_date(told, months, kind, title, result)

    def _to_date(
        self,
        told: RuleExplanation,
        months: list[dict[str, Any]],
        kind: str,
        title: str,
        result: Decimal | None,
    ) -> None:
        cumulative = _last(months, f"{kind}_cumulative_cny")
        if cumulative:
            told.cells.append(self._cell(f"{kind}_cumulative_cny", cumulative, cumulative["month"]))
            told.arithmetic.append(Line(title, _n(result), _n(result), "元", "本年最近一次报送的累计数"))
            return
        parts = [row for row in months if row[f"{kind}_month_cny"] is not None]
        told.cells += [self._cell(f"{kind}_month_cny", row, row["month"]) for row in parts]
        if parts:
            expression = " + ".join(_n(row[f"{kind}_month_cny"]) for row in parts)
            told.arithmetic.append(Line(title, expression, _n(result), "元", "没有报送累计数，取各月之和"))
        elif kind == "disbursed":
            told.assumptions.append("本年截至本月没有报送拨付数，拨付缺口未知，不作零处理。")

    # --- staff

    def _staffing(self, told: RuleExplanation, standard: dict[str, Any], judged: dict[str, Any]) -> None:
        row = self._one(
            "select * from staffing_gap_monthly where township_code = ? and month = ? and standard_id = ?",
            judged["subject_code"],
            judged["month"],
            standard["standard_id"],
        )
        if row is None:
            return
        found = self._reported("staffing", judged["subject_code"], judged["month"])
        measures = self._measures(standard["standard_id"])
        for measure in measures:
            told.cells.append(self._cell(measure["measure_code"], found, judged["month"]))
        if standard["formula"] == "staff_range_by_tier":
            told.cells.insert(
                0,
                self._population_cell(
                    row
                    | {
                        "population_basis": standard["population_basis"],
                        "population_township_code": self._population_code(row),
                    }
                ),
            )
            self._population_assumption(told, row | {"population_basis": standard["population_basis"]})
        tier = self._tier(standard["standard_id"], row["tier_label"])
        if tier and row["tier_label"] != "不分档":
            told.tier, told.tier_quotation = row["tier_label"], tier["quotation"] or ""
        if row["is_on_tier_edge"]:
            labels = self._rows(
                "select * from standard_tiers where standard_id = ? and "
                "coalesce(lower_bound, 0) <= ? and coalesce(upper_bound, ?) >= ? order by tier_no",
                standard["standard_id"],
                *[row["population_persons"]] * 3,
            )
            told.assumptions.append(
                f"人口恰为 {row['population_persons']:,} 人，在分档线上，"
                + "、".join(f"“{item['tier_label']}”要求 {_range(item)}" for item in labels)
                + f"；同时适用，取 {_range({'value': row['required_min_persons'], 'value_max': row['advised_max_persons']})}。"
            )
            told.other_readings += [f"若只按“{item['tier_label']}”：{_range(item)}" for item in labels]
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
        if standard["formula"] == "posts_parts":
            for m in counted:
                least, had = int(m["threshold"]), found[m["measure_code"]]
                told.arithmetic.append(
                    _difference(
                        f"{m['label_zh']}缺额",
                        Decimal(least),
                        Decimal(had),
                        Decimal(max(least - had, 0)),
                        unit,
                    )
                )
        elif row["required_min_persons"] is not None:
            told.arithmetic.append(
                _difference(
                    "缺员",
                    Decimal(row["required_min_persons"]),
                    Decimal(row["counted_persons"]),
                    Decimal(row["shortfall_persons"]),
                    unit,
                )
            )
            if row["advised_max_persons"] is not None:
                told.arithmetic.append(
                    _difference(
                        "超过建议上限",
                        Decimal(row["counted_persons"]),
                        Decimal(row["advised_max_persons"]),
                        Decimal(row["excess_persons"]),
                        unit,
                    )
                )

    def _population_code(self, row: dict[str, Any]) -> str:
        found = self._one(
            "select r.township_code from reported.population r join townships t using (township_code) "
            "where r.is_current and r.month = ? and t.unit_id = "
            "(select unit_id from townships where township_code = ?) order by 1 limit 1",
            row["population_month"],
            row["township_code"],
        )
        return str(found["township_code"]) if found else row["township_code"]

    def _villages(self, told: RuleExplanation, judged: dict[str, Any]) -> None:
        found = self._reported("staffing", judged["subject_code"], judged["month"])
        for column in ("villages_count", "villages_with_assistant_count"):
            told.cells.append(self._cell(column, found, judged["month"]))
        if judged["value_checked"] is not None and judged["value_expected"] is not None:
            told.arithmetic.append(
                _difference(
                    "未配备的村（社区）",
                    judged["value_expected"],
                    judged["value_checked"],
                    judged["shortfall"],
                    "个",
                )
            )

    def _listed(self, told: RuleExplanation, judged: dict[str, Any]) -> None:
        rows = self._rows(
            "select f.township_code, f.township_name, f.status, t.unit_id from funding_gap_monthly f "
            "join townships t using (township_code) where f.county_code = ? and f.month = ? and t.is_township "
            "order by 1",
            judged["subject_code"],
            judged["month"],
        )
        for row in rows:
            budget = self._one(
                "select r.*, s.file_name from reported.budget r join townships t using (township_code) "
                "left join submissions s using (submission_id) where r.is_current and t.unit_id = ? "
                "and year(r.month) = ? and r.month <= ? and r.is_listed_separately is not null "
                "order by r.month desc limit 1",
                row["unit_id"],
                judged["month"].year,
                judged["month"],
            )
            cell = self._cell("is_listed_separately", budget, budget["month"] if budget else None)
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
                    f"{_n(kept)} ÷ {_n(owed)} × 100",
                    _n((kept * 100 / owed).quantize(_FEN, ROUND_HALF_UP)),
                    "%",
                    "四舍五入到两位小数",
                )
            )
        if kept is not None and owed is not None and judged["shortfall"] is not None:
            silent = owed - kept - judged["shortfall"]
            told.arithmetic.append(
                Line(
                    "未单独列支或不足额的乡镇",
                    f"{_n4(owed)} − {_n4(kept)}" + (f" − {_n4(silent)}" if silent else ""),
                    _n4(judged["shortfall"]),
                    "个",
                    f"{_n4(silent)} 个未报送，不算不达标" if silent else "",
                )
            )

    # --- rules of a general shape

    def _general(self, told: RuleExplanation, standard: dict[str, Any], judged: dict[str, Any]) -> None:
        found: dict[str, list[Decimal]] = {}
        measures = self._measures(standard["standard_id"])
        for measure in (m for m in measures if m["role"] != "unit"):
            cells = self._figures(standard, measure, judged)
            told.cells += [cell for cell, _ in cells]
            values = [value for _, value in cells if value is not None]
            if values:
                found.setdefault(measure["role"], []).append(
                    sum(values, Decimal(0)) if measure["combine"] == "sum" else values[0]
                )
            elif not cells and (measure["required"] is not False or judged["value_checked"] is None):
                told.cells.append(Cell(f"{measure['label_zh']}（{measure['measure_code']}）", None, None))
        self._validity(told, standard, judged)
        pattern = next((m["pattern"] for m in measures if m["pattern"]), None)
        if pattern:
            told.assumptions.append(
                f"名称式样：{pattern.replace('_', '×').replace('%', '…')}；符合记 1，不符合记 0。"
            )
        if judged["value_checked"] is None:
            if standard["formula"] == "coverage_of_units":
                self._units(told, judged)
            return
        told.arithmetic += self._checked(told, standard, judged, measures, found)
        if judged["value_expected"] is not None and judged["shortfall"] is not None:
            left, right = judged["value_expected"], judged["value_checked"]
            if standard["formula"] == "benchmark" and right > left:
                left, right = right, left
            told.arithmetic.append(_difference("差额", left, right, judged["shortfall"], _plain_unit(judged)))

    def _checked(
        self,
        told: RuleExplanation,
        standard: dict[str, Any],
        judged: dict[str, Any],
        measures: list[dict[str, Any]],
        found: dict[str, list[Decimal]],
    ) -> list[Line]:
        formula, checked = standard["formula"], judged["value_checked"]
        unit = _plain_unit(judged)
        tiers = self._rows("select * from standard_tiers order by standard_id, tier_no")
        tier = next((t for t in tiers if t["standard_id"] == standard["standard_id"]), None) or {
            "value": None,
            "value_max": None,
            "lower_bound": None,
        }
        per = next(
            (m["threshold"] for m in measures if m["role"] == "denominator" and m["threshold"]), Decimal(1)
        )
        numerator = sum(found.get("numerator", []), Decimal(0))
        denominator = next(iter(found.get("denominator", [])), None)
        own = next(iter(found.get("value", [])), None)
        rounded = "四舍五入到四位小数"
        lines: list[Line] = []
        if formula == "coverage_of_units" and (line := self._units(told, judged)):
            lines.append(line)
        elif formula in ("coverage", "rate", "benchmark") and own is None and denominator:
            times = Decimal(100) if formula == "coverage" else per
            expression = f"{_n(numerator)} ÷ {_n(denominator)}" + (f" × {_n(times)}" if times != 1 else "")
            lines.append(Line("实际值", expression, _n4(checked), unit, rounded))
            if formula == "benchmark":
                places = standard["decimals"] or 0
                told.assumptions.append(f"与原文所列数核对时四舍五入到 {places} 位小数。")
        elif formula == "composite":
            parts = [m for m in measures if m["role"] == "part"]
            counts = [
                1
                if (v := next(iter(self._values(standard, m, judged)), None)) is not None
                and v >= m["threshold"]
                else 0
                for m in parts
            ]
            lines.append(Line("达到的项数", " + ".join(map(str, counts)), _n4(checked), unit))
        else:
            terms = found.get("numerator" if formula == "step" else "value", []) or [checked]
            remark = {"boolean": "是为 1，否为 0"}.get(formula, "")
            shown = [checked] if formula in ("boolean", "name_pattern") else terms
            lines.append(Line("实际值", " + ".join(_n4(term) for term in shown), _n4(checked), unit, remark))
        if formula == "step" and denominator is not None:
            included = Decimal(tier["lower_bound"] or 0)
            beyond = f"({_n(denominator)} − {_n(included)})" if included else _n(denominator)
            expression = f"{beyond} ÷ {_n(per)}"
            if tier["value"]:
                expression = f"{_n4(tier['value'])} + {expression}"
            if denominator <= included:
                expression = _n4(tier["value"])
            lines.append(Line("应配", expression, _n4(judged["value_expected"]), unit, "不足一个的进一"))
        elif formula == "relative_to_peers":
            peers = self._one(
                "select sum(value_checked) as total, count(value_checked) as count from judgements "
                "where rule_id = ? and month = ? and left(subject_code, 6) = left(?, 6)",
                standard["standard_id"],
                judged["month"],
                judged["subject_code"],
            )
            assert peers is not None
            expression = f"{_n(peers['total'])} ÷ {_n(peers['count'])} × {_n4(tier['value'])}"
            lines.append(Line("应不低于", expression, _n4(judged["value_expected"]), unit, rounded))
        elif judged["value_expected"] is not None:
            expected = _n4(judged["value_expected"])
            upper = f"上限 {_n4(tier['value_max'])}，超过只作提示" if formula == "range" else ""
            lines.append(Line("要求值", expected, expected, unit, upper))
        return lines

    def _units(self, told: RuleExplanation, judged: dict[str, Any]) -> Line | None:
        row = self._one(
            "select * from detail.unit_shares where standard_id = ? and subject_code = ? and month = ?",
            judged["rule_id"],
            judged["subject_code"],
            judged["month"],
        )
        if row is None:
            return None
        self._unit_cells(told, judged)
        told.assumptions.append(
            f"分母为名册上的全部下级对象 {_n4(row['units_count'])} 个，其中未报送 {_n4(row['silent_count'])} 个。"
        )
        if row["silent_count"] >= row["units_count"] or judged["value_checked"] is None:
            return None
        if row["silent_count"]:
            told.other_readings.append(
                f"若未报送的 {_n4(row['silent_count'])} 个都达到："
                f"({_n4(row['having_count'])} + {_n4(row['silent_count'])}) ÷ {_n4(row['units_count'])} × 100 = "
                f"{_n4(((row['having_count'] + row['silent_count']) * 100 / row['units_count']).quantize(_FEN))} %"
            )
        return Line(
            "实际值",
            f"{_n4(row['having_count'])} ÷ {_n4(row['units_count'])} × 100",
            _n4(judged["value_checked"]),
            judged["unit"] or "%",
            "四舍五入到四位小数",
        )

    def _unit_cells(self, told: RuleExplanation, judged: dict[str, Any]) -> None:
        """What the units report, those that do not reach the figure first; a province has more than anyone reads."""
        measure = next(m for m in self._measures(judged["rule_id"]) if m["role"] == "unit")
        standard = self._one(
            "select report_valid_months from standards where standard_id = ?", judged["rule_id"]
        ) or {"report_valid_months": 1}
        digits = {"county": 6, "city": 4, "province": 2}.get(
            judged["subject_level"], len(judged["subject_code"])
        )
        rows = self._rows(
            "select * from (select r.*, s.file_name, row_number() over "
            "(partition by r.subject_code order by r.month desc) as recency from reported.indicators r "
            "left join submissions s using (submission_id) where r.is_current and r.indicator_code = ? "
            "and r.month between ? and ? and left(r.subject_code, ?) = ? and r.indicator_value is not null) "
            "where recency = 1 order by indicator_value >= ?, subject_code limit ?",
            measure["measure_code"],
            _shift(judged["month"], 1 - (standard["report_valid_months"] or 1)),
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
                    row["indicator_text"] or _shown(row["indicator_value"]),
                    row["file_name"],
                    row["sheet"],
                    row["row_number"],
                    _doubt(row),
                )
            )
        if len(rows) > _UNITS_SHOWN:
            told.assumptions.append(
                f"报送数据只列出 {_UNITS_SHOWN} 个下级对象，未达到的在前；全部见各对象自己的说明。"
            )

    def _parts(self, told: RuleExplanation, judged: dict[str, Any]) -> None:
        counts = []
        for measure in self._measures(judged["rule_id"]):
            part = self._one(
                "select * from judgements where rule_id = ? and subject_level = ? and subject_code = ? and month = ?",
                measure["measure_code"],
                judged["subject_level"],
                judged["subject_code"],
                judged["month"],
            )
            status = part["status"] if part else "not_reported"
            counts.append("1" if status in ("met", "over") else "0")
            told.cells.append(
                Cell(
                    f"{measure['label_zh']}（{measure['measure_code']}）",
                    judged["month"],
                    presentation.status_label(status),
                    note="详见该项",
                )
            )
        told.arithmetic.append(
            Line("达标项数", " + ".join(counts), _n4(judged["value_checked"]), judged["unit"] or "项")
        )
        told.arithmetic.append(
            _difference(
                "未达标或未报送",
                judged["value_expected"],
                judged["value_checked"],
                judged["shortfall"],
                judged["unit"] or "项",
            )
        )

    def _values(
        self, standard: dict[str, Any], measure: dict[str, Any], judged: dict[str, Any]
    ) -> list[Decimal]:
        return [value for _, value in self._figures(standard, measure, judged) if value is not None]

    def _figures(
        self, standard: dict[str, Any], measure: dict[str, Any], judged: dict[str, Any]
    ) -> list[tuple[Cell, Decimal | None]]:
        """The reported figures a measure takes, newest first; only the newest unless they are added up."""
        code, title = measure["measure_code"], f"{measure['label_zh']}（{measure['measure_code']}）"
        length = (
            standard["report_valid_months"] or 1
            if standard["period"] == "month"
            else _MONTHS_OF[standard["period"]]
        )
        last = _shift(judged["month"], -12 * (measure["years_back"] or 0))
        first = _shift(last, 1 - length)
        if code in COLUMN_TITLES or code in ("allocated_annual_cny", "disbursed_ytd_cny", "spent_ytd_cny"):
            rows = self._column(code, judged, first, last)
        else:
            rows = [
                row
                for row in self._indicators(judged)
                if row["indicator_code"] == code and first <= row["month"] <= last
            ]
        chosen = rows if measure["combine"] == "sum" else rows[:1]
        return [
            (
                Cell(
                    title,
                    row["month"],
                    row["indicator_text"] if row.get("indicator_text") else _shown(row["figure"]),
                    row.get("file_name"),
                    row.get("sheet"),
                    row.get("row_number"),
                    _doubt(row),
                ),
                row["figure"],
            )
            for row in chosen
        ]

    def _indicators(self, judged: dict[str, Any]) -> list[dict[str, Any]]:
        """Every indicator the subject has, newest first."""
        return self._rows(
            "select r.*, s.file_name, r.indicator_value as figure from reported.indicators r "
            "left join submissions s using (submission_id) left join townships t on t.township_code = r.subject_code "
            "where r.is_current and (r.subject_code = ? or t.unit_id = ? or r.subject_code || '/' || r.subject_name = ?) "
            "and (r.indicator_value is not null or r.indicator_text is not null) order by r.month desc",
            judged["subject_code"] if judged["subject_level"] != "institution" else "",
            judged["subject_unit"],
            judged["subject_unit"],
        )

    def _column(self, code: str, judged: dict[str, Any], first: date, last: date) -> list[dict[str, Any]]:
        """Figures of the datasets themselves; population and budget as the funding of that month has them."""
        if code in ("population_persons", "allocated_annual_cny", "disbursed_ytd_cny", "spent_ytd_cny"):
            funding = self._one(
                "select * from funding_gap_monthly where township_code = ? and month = ?",
                judged["subject_code"],
                last,
            )
            if funding is None or funding[code] is None:
                return []
            kept = "population_month" if code == "population_persons" else "month"
            return [{"month": funding[kept], "figure": funding[code]}]
        dataset = "staffing" if code in _STAFFING else "population"
        codes = self._codes(judged["subject_unit"])
        return self._rows(
            f"select r.*, s.file_name, r.{code} as figure from reported.{dataset} r "
            "left join submissions s using (submission_id) "
            f"where r.is_current and r.township_code in ({', '.join('?' * len(codes)) or 'null'}) "
            f"and r.month between ? and ? and r.{code} is not null order by r.month desc",
            *codes,
            first,
            last,
        )

    def _validity(self, told: RuleExplanation, standard: dict[str, Any], judged: dict[str, Any]) -> None:
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

    def _notes(self, told: RuleExplanation, judged: dict[str, Any]) -> None:
        finding = next(
            (
                row
                for row in self._rows(
                    "select * from findings where subject_code = ? order by opened_month desc",
                    judged["subject_code"],
                )
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

    # --- cells

    def _measures(self, standard_id: str) -> list[dict[str, Any]]:
        every = self._rows("select * from detail.standard_measures order by standard_id, part_no, role")
        return [row for row in every if row["standard_id"] == standard_id]

    def _reported(self, dataset: str, code: str, month: date) -> dict[str, Any] | None:
        return self._one(
            f"select r.*, s.file_name from reported.{dataset} r left join submissions s using (submission_id) "
            "where r.township_code = ? and r.month = ? and r.is_current",
            code,
            month,
        )

    def _codes(self, unit_id: str) -> list[str]:
        """Every code a unit has borne: named one by one, they let the engine read just its rows."""
        rows = self._rows("select township_code from townships where unit_id = ? order by 1", unit_id)
        return [row["township_code"] for row in rows]

    def _cell(self, column: str, row: Mapping[str, Any] | None, month: date | None) -> Cell:
        title = COLUMN_TITLES.get(column, column)
        if row is None:
            return Cell(title, month, None)
        value = row[column]
        notes = []
        if row.get("reported_code") and row["reported_code"] != row["township_code"]:
            notes.append(
                f"以 {row['reported_code']} {row['reported_name'] or ''} 报送".replace(" 报送", "报送")
            )
        if row.get("doubts"):
            notes.append(_doubt(row))
        return Cell(
            title,
            month,
            None if value is None else _shown(value),
            row["file_name"],
            row["sheet"],
            row["row_number"],
            "；".join(notes),
        )

    # --- reading

    def _rows(self, query: str, *parameters: Any) -> list[dict[str, Any]]:
        """The rows of a query; the rules of one subject ask much the same, and each question is asked once."""
        found = self._answers.get((query, parameters))
        if found is None:
            self._cursor.execute(query, list(parameters))
            names = [column[0] for column in self._cursor.description or []]
            found = [dict(zip(names, row, strict=True)) for row in self._cursor.fetchall()]
            self._answers[query, parameters] = found
        return found

    @cached_property
    def _standards(self) -> dict[str, dict[str, Any]]:
        rows = self._rows(
            "select s.*, d.document_title, d.document_no from standards s "
            "left join policy_documents d using (document_id)"
        )
        return {row["standard_id"]: row for row in rows}

    def _one(self, query: str, *parameters: Any) -> dict[str, Any] | None:
        rows = self._rows(query, *parameters)
        return rows[0] if rows else None


def _doubt(row: Mapping[str, Any]) -> str:
    return f"数据存疑：{presentation.doubts(row['doubts'])}" if row.get("doubts") else ""


def _last(rows: Sequence[dict[str, Any]], column: str) -> dict[str, Any] | None:
    return next((row for row in reversed(rows) if row[column] is not None), None)


def _annual(
    tier: Mapping[str, Any],
    population: int,
    formula: str,
    result: Decimal | None,
    lower: Sequence[Mapping[str, Any]] = (),
) -> Line:
    """The year's guarantee; `lower` are the full tiers below, where each part has its own rate."""
    months = ["12"] if str(tier["unit"]).endswith(_PER_MONTH) else []
    if formula == "per_capita_marginal":
        parts = [(part["upper_bound"], part["lower_bound"] or 0, part["value"]) for part in lower]
        parts.append((population, tier["lower_bound"] or 0, tier["value"]))
        terms = [
            [f"({_n(high)} − {_n(low)})" if low else _n(high), _n(value), *months]
            for high, low, value in parts
        ]
        product = sum((value * (high - low) for high, low, value in parts), Decimal(0)) * (
            12 if months else 1
        )
    else:
        heads = [population] if formula == "per_capita_by_tier" else []
        terms = [[*(_n(count) for count in heads), _n(tier["value"]), *months]]
        product = Decimal(tier["value"]) * (population if heads else 1) * (12 if months else 1)
    rounded = product.quantize(_FEN, ROUND_HALF_UP)
    return Line(
        "全年应保障",
        " + ".join(" × ".join(factors) for factors in terms),
        _n(result if result is not None else rounded),
        "元",
        "" if rounded == product else "四舍五入到分",
    )


def _difference(name: str, left: Decimal, right: Decimal, kept: Decimal | None, unit: str = "元") -> Line:
    plain = left - right
    remark = f"得 {_n(plain)}，不足零按零" if plain < 0 else ""
    return Line(name, f"{_n(left)} − {_n(right)}", _n(kept), unit, remark)


def _range(tier: Mapping[str, Any]) -> str:
    low, high = tier["value"], tier["value_max"]
    return f"{_n(low)}—{_n(high)} 人" if high is not None and high != low else f"{_n(low)} 人"


def _conclusion(judged: Mapping[str, Any]) -> str:
    unit = judged["unit"] or ""
    had, asked, short = (
        None if judged[name] is None else _with_unit(judged[name], unit)
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
    if judged["shortfall"] and unit != _FLAG:
        said += f"，差{short}"
    if status == "unconfirmed":
        said += "；依据超过确认期限，待确认"
    return said + "。"


def _with_unit(value: Decimal, unit: str) -> str:
    return ("是" if value >= 1 else "否") if unit == _FLAG else f" {_n(value)} {unit}".rstrip()


def _n(value: Decimal | int | None) -> str:
    """A figure as the arithmetic writes it: thousands separated, no needless zeros beyond two decimals."""
    if value is None:
        return "未知"
    if isinstance(value, int):
        return f"{value:,}".replace("-", "−")
    exponent = value.as_tuple().exponent
    places = -exponent if isinstance(exponent, int) and exponent < 0 else 0
    text = f"{value:,.{places}f}"
    if places > 2:
        whole, _, decimals = text.partition(".")
        decimals = decimals.rstrip("0")
        text = f"{whole}.{decimals}" if decimals else whole
    return text.replace("-", "−")


def _plain_unit(judged: Mapping[str, Any]) -> str:
    unit = judged["unit"] or ""
    return "" if unit == _FLAG else unit


def _n4(value: Decimal | int | None) -> str:
    """A judged figure without needless zeros: 3, 66.67, 3.7609."""
    if value is None:
        return "未知"
    text = f"{Decimal(value):,f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", "−")


def _shift(month: date, months: int) -> date:
    number = month.year * 12 + month.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    return _n(value) if isinstance(value, int | Decimal) else str(value)
