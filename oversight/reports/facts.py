"""Every figure of a report, by SQL from one edition. No wording here, no rounding and no sums of amounts.

`gather` reads one edition for one month and one division. Sums and rates are those of the roll-ups
(`detail.unit_monthly`): each runs over the townships of which its parts are known, so that a township that did not
report weighs neither as nought nor as met; how many were left out is always beside the sum.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from oversight import presentation
from oversight.reports.errors import ReportError

if TYPE_CHECKING:
    import duckdb

Row = dict[str, Any]
Level = Literal["province", "city", "county"]

JUDGED = ("met", "short")
TREND_MONTHS = 13
_LEVEL_ZH = {"province": "全省（自治区、直辖市）", "city": "全市", "county": "全县（市、区）"}


@dataclass(frozen=True)
class Scope:
    """The division a report is about."""

    code: str
    level: Level
    name: str

    @property
    def whole(self) -> str:
        """全市, 全区, 全县 …, by the name's own ending."""
        if self.level == "county":
            for ending, word in (("区", "全区"), ("旗", "全旗"), ("市", "全市"), ("县", "全县")):
                if self.name.endswith(ending):
                    return word
        if self.level == "province":
            return "全区" if self.name.endswith("自治区") else "全市" if self.name.endswith("市") else "全省"
        return "全州" if self.name.endswith("州") else "全盟" if self.name.endswith("盟") else "全市"


@dataclass(frozen=True)
class Totals:
    """One month of a unit as its roll-up has it: `guaranteed` … `surplus` over judged townships, `paid_…` over those
    whose payments are known to the month, `spent…` over those whose spending is too. What nothing is known of is None.
    """

    month: date
    units: int
    ended: int
    judged: int
    met: int
    short: int
    not_reported: int
    no_standard: int
    guaranteed: Decimal | None
    guaranteed_ytd: Decimal | None
    allocated: Decimal | None
    gap: Decimal | None
    surplus: Decimal | None
    adequacy: Decimal | None
    met_pct: Decimal | None
    paid_units: int
    paid_guaranteed: Decimal | None
    paid: Decimal | None
    paid_pct: Decimal | None
    progress: Decimal | None
    calendar: Decimal | None
    paid_gap: Decimal | None
    paid_short: int
    partly_paid_units: int
    partly_paid: Decimal | None
    spent_units: int
    spent: Decimal | None
    spent_paid: Decimal | None
    spent_pct: Decimal | None


# Where each of them stands in `detail.unit_monthly`.
_OF_ROLL_UP = {
    "units": "units_count",
    "ended": "ended_count",
    "judged": "judged_count",
    "met": "met_count",
    "short": "short_count",
    "not_reported": "not_reported_count",
    "no_standard": "no_standard_count",
    "guaranteed": "guaranteed_of_judged_cny",
    "guaranteed_ytd": "guaranteed_ytd_of_judged_cny",
    "allocated": "allocated_of_judged_cny",
    "gap": "allocation_shortfall_of_judged_cny",
    "surplus": "allocation_surplus_of_judged_cny",
    "adequacy": "adequacy_of_judged_pct",
    "met_pct": "met_of_judged_pct",
    "paid_units": "complete_count",
    "paid_guaranteed": "guaranteed_ytd_of_complete_cny",
    "paid": "disbursed_of_complete_cny",
    "paid_pct": "disbursed_of_complete_pct",
    "progress": "progress_of_complete_pct",
    "calendar": "calendar_of_complete_pct",
    "paid_gap": "disbursement_shortfall_of_compared_cny",
    "paid_short": "underpaid_count",
    "partly_paid_units": "partly_paid_count",
    "partly_paid": "disbursed_of_partly_cny",
    "spent_units": "spending_count",
    "spent": "spent_of_spending_cny",
    "spent_paid": "disbursed_of_spending_cny",
    "spent_pct": "spent_of_spending_pct",
}


@dataclass(frozen=True)
class Step:
    """Part of a change: how many townships, and what they added to guarantee, allocation and gap."""

    key: str
    units: int
    guaranteed: Decimal
    allocated: Decimal
    gap: Decimal


@dataclass(frozen=True)
class Change:
    """The month against an earlier one, and what the change consists of.

    `by_unit`: townships judged in both months, newly judged, no longer judged: these add up to the change of
    each sum. `by_gap`: gaps opened, grown, shrunk, closed, come and gone with their townships: these add up to
    the change of the gap.
    """

    then: Totals
    guaranteed: Decimal | None
    allocated: Decimal | None
    gap: Decimal | None
    adequacy: Decimal | None
    met: int
    same_year: bool
    by_unit: tuple[Step, ...]
    by_gap: tuple[Step, ...]


@dataclass(frozen=True)
class Facts:
    """All a report is made from."""

    scope: Scope
    month: date
    edition: Row
    totals: Totals
    against_month: Change | None
    against_year: Change | None
    rank_by: str
    ranking: list[Row]
    units: list[Row]
    trend: list[Totals]
    staffing: list[Row]
    staffing_rows: list[Row]
    capacity: list[Row]
    capacity_rows: list[Row]
    findings: list[Row]
    reporting: list[Row]
    # What two sources tell differently in the year up to the month, and every fund as it stands in the month.
    differences: list[Row]
    funds: list[Row]
    doubts: list[Row]
    files: Row
    documents: list[Row]
    standards: list[Row]
    sources: dict[str, dict[str, str]]
    audit: list[Row] | None
    five: list[Row] = field(default_factory=list)
    # What closed money findings moved in the year up to the month (`metrics.MOVED`); None where none was closed.
    moved: Row | None = None
    # By township: the pace of payment, how many months of the year it has been short, and for how many nothing was paid.
    pace: dict[str, Row] = field(default_factory=dict)


def clean(value: Any) -> Any:
    """Names and messages on one line, without characters that no document format can hold."""
    if not isinstance(value, str):
        return value
    kept = "".join(c if c.isprintable() else " " for c in value if not 0xD800 <= ord(c) <= 0xDFFF)
    return " ".join(kept.split())


def rows(connection: duckdb.DuckDBPyConnection, query: str, *parameters: Any) -> list[Row]:
    """A query's rows, by column name. Parameters are values for `?`, or one mapping for `$name`."""
    named = len(parameters) == 1 and isinstance(parameters[0], dict)
    cursor = connection.execute(query, parameters[0] if named else list(parameters))
    names = [item[0] for item in cursor.description or ()]
    return [dict(zip(names, map(clean, row), strict=True)) for row in cursor.fetchall()]


def one(connection: duckdb.DuckDBPyConnection, query: str, *parameters: Any) -> Row:
    """A query's only row."""
    found = rows(connection, query, *parameters)
    assert len(found) == 1, query
    return found[0]


def earlier(month: date, months: int) -> date:
    """The first of the month so many months before."""
    years, index = divmod(month.year * 12 + month.month - 1 - months, 12)
    return date(years, index + 1, 1)


def month_end(month: date) -> date:
    """The last day of the month."""
    return date.fromordinal(earlier(month, -1).toordinal() - 1)


def find_scope(connection: duckdb.DuckDBPyConnection, code: str) -> Scope:
    """The division of that code; raises, naming those there are, when the edition has no such division."""
    for level in ("county", "city", "province"):
        found = connection.execute(
            f"select {level}_name from townships where {level}_code = ? limit 1", [code]
        ).fetchone()
        if found:
            return Scope(code, level, presentation.division_name(clean(found[0]), code))
    known = connection.execute(
        "select distinct county_code, county_name from townships order by 1 limit 12"
    ).fetchall()
    names = "、".join(f"{code} {name}" for code, name in known)
    raise ReportError(f"本版数据里没有区划代码 {code}（要用省、市、县的6位代码）。数据里有：{names} 等。")


def default_scopes(connection: duckdb.DuckDBPyConnection) -> list[Scope]:
    """The smallest division that holds every township; every county where there is none."""
    for level in ("county", "city", "province"):
        codes = connection.execute(f"select distinct {level}_code from townships").fetchall()
        if len(codes) == 1:
            return [find_scope(connection, codes[0][0])]
    codes = connection.execute("select distinct county_code from townships order by 1").fetchall()
    return [find_scope(connection, code) for (code,) in codes]


def gather(
    connection: duckdb.DuckDBPyConnection, month: date, scope_code: str, rank_by: str = "auto"
) -> Facts:
    """Every figure of the report on `scope_code` for `month`.

    `rank_by` is township, county, city or auto: the townships of a county, the counties of anything larger.
    """
    scope = find_scope(connection, scope_code)
    if rank_by == "auto":
        rank_by = "township" if scope.level == "county" else "county"
    _scope_tables(connection, scope, month)
    trend = [
        _totals(row)
        for row in rows(
            connection,
            "select * from detail.unit_monthly where unit_level = ? and unit_code = ? and month <= ? order by month",
            scope.level,
            scope.code,
            month,
        )
    ]
    by_month = {totals.month: totals for totals in trend}
    totals = by_month.get(month)
    if totals is None:
        raise ReportError(
            f"{scope.name}在{presentation.month(month)}没有在册的乡镇，无法生成通报。请检查月份和区划数据。"
        )
    return Facts(
        scope=scope,
        month=month,
        edition=one(connection, "select * from edition"),
        totals=totals,
        against_month=_change(connection, totals, by_month.get(earlier(month, 1))),
        against_year=_change(connection, totals, by_month.get(earlier(month, 12))),
        rank_by=rank_by,
        ranking=_ranking(connection, month, rank_by),
        units=rows(connection, _UNITS, month),
        trend=[item for item in trend if item.month > earlier(month, TREND_MONTHS)],
        staffing=rows(connection, _STAFFING),
        staffing_rows=rows(connection, _STAFFING_ROWS),
        capacity=rows(connection, _CAPACITY),
        capacity_rows=rows(connection, _CAPACITY_ROWS),
        findings=rows(connection, _FINDINGS, {"month": month}),
        reporting=_reporting(connection, month),
        differences=[_with_unit(row) for row in rows(connection, _DIFFERENCES, {"month": month})],
        funds=rows(connection, _FUNDS, month),
        doubts=_doubts(connection, month),
        files=one(connection, _FILES, {"month": month}),
        documents=rows(connection, _DOCUMENTS),
        standards=rows(connection, _STANDARDS),
        sources=_sources(connection, month),
        audit=_audit(connection),
        moved=_moved(connection, scope, month),
        five=rows(connection, _FIVE, month) if _has(connection, "detail", "scorecard") else [],
        pace={row["township_code"]: row for row in rows(connection, _PACE, {"month": month})},
    )


def _scope_tables(connection: duckdb.DuckDBPyConnection, scope: Scope, month: date) -> None:
    """Temporary tables that hold the scope's rows only; they live in memory, the edition stays untouched."""
    run: Callable[..., object] = connection.execute
    run(
        f"create or replace temp table r_townships as select * from townships where {scope.level}_code = ?",
        [scope.code],
    )
    run(
        "create or replace temp table r_funding as "
        "select f.*, t.unit_id, t.is_township, t.city_code, t.city_name "
        "from funding_gap_monthly f join r_townships t using (township_code) where f.month <= ?",
        [month],
    )
    run(
        "create or replace temp table r_staffing as "
        "select s.*, t.unit_id, t.township_name, t.county_code, t.county_name, r.title_zh, r.unit, r.clause, r.matter, "
        "r.document_id, r.gradeable, r.strength, r.origin_zh, d.document_title, d.force, d.issuer_code "
        "from staffing_gap_monthly s join r_townships t using (township_code) "
        "join standards r using (standard_id) join policy_documents d using (document_id) where s.month = ?",
        [month],
    )
    run(
        "create or replace temp table r_subjects as "
        "select township_code as subject_code, township_name as subject_name, county_name, unit_id "
        "from r_townships "
        "union all select distinct county_code, county_name, county_name, county_code from r_townships "
        "where county_code <> township_code "
    )
    if scope.level != "county":
        run("insert into r_subjects select distinct city_code, city_name, '', city_code from r_townships")
    if scope.level == "province":
        run(
            "insert into r_subjects select distinct province_code, province_name, '', province_code "
            "from r_townships"
        )
    run(
        "insert into r_subjects select distinct d.division_code, d.division_name, t.township_name, d.division_code "
        "from reported.divisions d join r_townships t on substr(d.division_code, 1, 9) = t.township_code "
        "where d.is_current and length(d.division_code) = 12"
    )
    run(
        "create or replace temp table r_judged as "
        "select j.*, s.unit_id, s.subject_name, s.county_name from judgements j "
        "join (select * from r_subjects qualify row_number() over (partition by subject_code order by unit_id) = 1)"
        " s using (subject_code) where j.month <= ?",
        [month],
    )
    # A rule's last answer owed counts until the next is due: a quarter's rule is judged once in three months.
    run(
        "create or replace temp table r_latest as "
        "select j.*, r.title_zh, r.topic_zh, r.clause, r.gradeable, r.strength, r.period, r.document_id, r.origin_zh, "
        "r.formula, d.force, d.document_title, d.issuer_code "
        "from r_judged j join standards r on r.standard_id = j.rule_id "
        "join policy_documents d using (document_id) "
        "where j.month > case r.period when 'month' then ? when 'quarter' then ? when 'half_year' then ? else ? end "
        "qualify row_number() over (partition by j.rule_id, j.subject_level, j.unit_id "
        "order by j.month desc, j.subject_code desc) = 1",
        [earlier(month, 1), earlier(month, 3), earlier(month, 6), earlier(month, 12)],
    )
    run(
        "create or replace temp table r_files as "
        "with told as ("
        + " union ".join(
            f"select distinct submission_id, month, township_code from reported.{name}"
            for name in ("population", "budget", "staffing")
        )
        + "), homes as (select s.submission_id, split_part(s.file_name, '/', 1) as home, "
        "t.county_code from submissions s join told using (submission_id) join townships t using (township_code)), "
        # A file in which nothing could be read belongs where the rest of its folder belongs.
        "folders as (select home, min(county_code) as county_code from homes group by home "
        "having count(distinct county_code) = 1) "
        "select distinct s.*, coalesce(h.county_code, f.county_code) as county_code from submissions s "
        "left join homes h using (submission_id) "
        "left join folders f on f.home = split_part(s.file_name, '/', 1) "
        "and contains(s.file_name, '/') "
        "where coalesce(h.county_code, f.county_code) in (select county_code from r_townships)"
    )


_JUDGED = "status in ('met', 'short')"

_UNITS = """
select f.*, s.formula, r.value as tier_value, r.unit as tier_unit, s.clause, s.title_zh, s.strength, s.gradeable,
    d.document_title, d.force, d.issuer_code, s.origin_zh
from r_funding f
left join standards s using (standard_id)
left join policy_documents d using (document_id)
left join standard_tiers r on r.standard_id = f.standard_id and r.tier_label = f.tier_label
where f.month = ?
order by f.county_code, f.township_code
"""

# The pace as the marts have it, and for how many months of the year to this one payments have been short.
_PACE = """
with last_good as (
    select township_code, max(month) as month from r_funding
    where year(month) = year($month) and coalesce(disbursement_shortfall_ytd_cny, 0) = 0 group by township_code
)
select p.township_code, p.pace, p.progress_pct, p.calendar_pct, p.silent_months_count as unpaid_months,
    count(f.month) as months_behind
from detail.payment_pace p
join r_townships using (township_code)
left join last_good g using (township_code)
left join r_funding f on f.township_code = p.township_code and year(f.month) = year($month)
    and f.month > coalesce(g.month, date '1900-01-01')
where p.month = $month and p.pace is not null
group by all
"""

_STAFFING = """
select standard_id, title_zh, unit, clause, gradeable, strength, document_title, force, issuer_code, origin_zh,
    matter, count(*) filter (where status in ('met', 'short', 'over', 'not_reported', 'unconfirmed')) as due,
    count(*) filter (where status = 'met') as met,
    count(*) filter (where status = 'short') as short,
    count(*) filter (where status = 'over') as over,
    count(*) filter (where status = 'not_reported') as not_reported,
    count(*) filter (where status = 'unconfirmed') as unconfirmed,
    coalesce(sum(shortfall_persons) filter (where status = 'short'), 0)::bigint as shortfall,
    count(*) filter (where counted_is_partial) as partial
from r_staffing
group by all
having due > 0
order by standard_id
"""

_STAFFING_ROWS = """
select * from r_staffing
where status in ('met', 'short', 'over', 'not_reported', 'unconfirmed')
order by standard_id, county_code, township_code
"""

_OTHER_RULES = """
    rule_id not in (select standard_id from staffing_gap_monthly)
    and rule_id not in (select standard_id from funding_gap_monthly where standard_id is not null)
    and status in ('met', 'short', 'over', 'not_reported', 'unconfirmed')
"""

_CAPACITY = f"""
select rule_id, title_zh, topic_zh, clause, gradeable, strength, force, max(month) as month,
    count(*) as due,
    count(*) filter (where status = 'met') as met,
    count(*) filter (where status = 'short') as short,
    count(*) filter (where status = 'over') as over,
    count(*) filter (where status = 'not_reported') as not_reported
from r_latest
where {_OTHER_RULES}
group by rule_id, title_zh, topic_zh, clause, gradeable, strength, force
order by rule_id
"""

_CAPACITY_ROWS = f"""
select * from r_latest where {_OTHER_RULES} and status = 'short' order by rule_id, subject_code
"""

# 五有: each pillar by how many townships have it whole.
_FIVE = """
select pillar_no, pillar_zh, count(*) as due,
    count(*) filter (where status = 'met') as met,
    count(*) filter (where status = 'short') as short,
    count(*) filter (where status = 'not_reported') as not_reported
from detail.scorecard join r_townships using (township_code)
where month = ? and status in ('met', 'short', 'not_reported')
group by pillar_no, pillar_zh
order by pillar_no
"""

# What stood at the end of the month, though the edition may know what came after.
_FINDINGS = """
with units as (
    select subject_code, min(unit_id) as unit_id from r_subjects group by subject_code
),
spells as (
    select f.*, u.unit_id,
        case
            when f.cleared_month = $month then 'cleared'
            when f.opened_month = $month then 'new'
            else 'continuing'
        end as kind
    from findings f join units u using (subject_code)
    where f.opened_month <= $month
        and (f.cleared_month is null or f.cleared_month >= $month)
        and not (f.status in ('not_applicable', 'unit_ended', 'superseded') and f.last_month < $month)
),
answers as (
    select s.finding_id, j.month, j.status, j.value_checked, j.value_expected, j.shortfall,
        j.subject_name, j.county_name, j.subject_code,
        count(*) over (partition by s.finding_id) as months,
        row_number() over (partition by s.finding_id order by j.month desc, j.subject_code desc) as place
    from spells s join r_judged j
        on j.rule_id = s.rule_id and j.subject_level = s.subject_level and j.unit_id = s.unit_id
        and j.month between s.opened_month and least(s.last_month, $month)
)
select s.finding_id, s.rule_id, s.subject_level, a.subject_code, a.subject_name, a.county_name, s.kind,
    s.opened_month, s.cleared_month, a.months as months_open, a.status, a.month as judged_month,
    a.value_checked, a.value_expected, a.shortfall,
    s.* exclude (finding_id, rule_id, subject_level, subject_code, opened_month, cleared_month, months_open, status,
        value_checked, value_expected, shortfall, kind),
    r.title_zh, r.topic_zh, r.matter, r.formula, r.gradeable, r.strength, r.period, r.origin_zh, d.force,
    d.issuer_code
from spells s
join answers a on a.finding_id = s.finding_id and a.place = 1
join standards r on r.standard_id = s.rule_id
join policy_documents d on d.document_id = r.document_id
order by case s.severity when 'high' then 1 when 'medium' then 2 else 3 end,
    coalesce(a.shortfall, 0) * a.months desc, s.rule_id, a.subject_code
"""

_USED_RULES = """
    select standard_id from r_funding where month = (select max(month) from r_funding)
    union select also_standard_id from r_funding where month = (select max(month) from r_funding)
    union select standard_id from r_staffing where status <> 'not_applicable'
    union select rule_id from r_latest where status <> 'not_applicable'
"""

_STANDARDS = f"""
select s.*, d.document_title, d.document_no, d.issuer_name, d.issuer_code, d.force
from standards s join policy_documents d using (document_id)
where s.standard_id in ({_USED_RULES})
order by s.standard_id
"""

_DOCUMENTS = f"""
select d.*, string_agg(s.clause, '、' order by s.place) as clauses
from policy_documents d
join (
    select document_id, clause, min(standard_id) as place from standards
    where standard_id in ({_USED_RULES}) group by document_id, clause
) s using (document_id)
group by all
order by d.document_id
"""

_FILES = """
with covering as (select * from r_files where month_from <= $month and month_to >= $month)
select
    (select count(distinct submission_id) from covering where status <> 'duplicate') as files,
    (select count(distinct submission_id) from covering where status = 'partial') as partial,
    (select count(distinct submission_id) from r_files where status = 'refused') as refused,
    (select count(distinct submission_id) from covering where is_correction) as corrections
"""


# The latest month first; within it the figures of most money.
_DIFFERENCES = """
select r.*, t.county_name, f.fund_name
from reconciliation r
join (
    select township_code, min(county_name) as county_name from (
        select township_code, county_name from r_townships
        union all select distinct county_code, county_name from r_townships
    ) group by township_code
) t on t.township_code = r.township_code
left join (select fund_code, min(fund_name) as fund_name from fund_ledger_monthly group by fund_code) f
    on f.fund_code = r.fund_code
where r.month between date_trunc('year', $month) and $month
order by r.month desc, case when r.figure like '%_cny' then 0 else 1 end, abs(r.difference) desc,
    r.township_code, r.dataset, r.figure, r.source_a, r.source_b
"""

_FUNDS = """
select l.*, t.county_name
from fund_ledger_monthly l
join r_townships t using (township_code)
where l.month = ?
order by case when l.fund_code = 'working_funds' then 1 else 0 end, l.fund_code, t.county_code, l.township_code
"""


def _with_unit(row: Row) -> Row:
    """A difference with its figure's title and unit apart, amounts to the 分."""
    told = presentation.column_text(row["figure"], row["figure_zh"])
    unit = "是/否" if row["figure"].startswith("is_") else told.unit

    def plain(value: Decimal) -> Decimal:
        return presentation.rounded(value, 2) if unit == "元" else presentation.trimmed(value)

    values = {name: plain(row[name]) for name in ("value_a", "value_b", "difference")}
    return {**row, **values, "title": told.title, "unit": unit, "is_yes_no": unit == "是/否"}


def _totals(row: Row) -> Totals:
    return Totals(month=row["month"], **{name: row[column] for name, column in _OF_ROLL_UP.items()})


def _own_totals(row: Row) -> Totals:
    """A township is ranked by its own row: the same figures over one unit."""
    status = row["status"]
    is_judged = status in JUDGED
    judged = row if is_judged else dict.fromkeys(row)
    paid_to_date = row["disbursed_as_of_month"] == row["month"] and not row["disbursed_is_partial"]
    is_paid = row["guaranteed_ytd_cny"] is not None and paid_to_date
    paid = row if is_paid else dict.fromkeys(row)
    is_partly_paid = row["standard_id"] is not None and row["disbursed_ytd_cny"] is not None and not is_paid
    is_spent = (
        row["standard_id"] is not None
        and paid_to_date
        and row["spent_as_of_month"] == row["month"]
        and not row["spent_is_partial"]
    )
    spent = row if is_spent else dict.fromkeys(row)
    rate = presentation.ratio_pct
    return Totals(
        month=row["month"],
        units=1,
        ended=0,
        judged=int(is_judged),
        met=int(status == "met"),
        short=int(status == "short"),
        not_reported=int(status == "not_reported"),
        no_standard=int(status == "no_standard"),
        guaranteed=judged["guaranteed_annual_cny"],
        guaranteed_ytd=judged["guaranteed_ytd_cny"],
        allocated=judged["allocated_annual_cny"],
        gap=row["allocation_shortfall_cny"],
        surplus=row["allocation_surplus_cny"],
        adequacy=judged["adequacy_pct"],
        met_pct=rate(int(status == "met"), int(is_judged)),
        paid_units=int(is_paid),
        paid_guaranteed=paid["guaranteed_ytd_cny"],
        paid=paid["disbursed_ytd_cny"],
        paid_pct=rate(paid["disbursed_ytd_cny"], paid["guaranteed_ytd_cny"]),
        progress=rate(paid["disbursed_ytd_cny"], paid["guaranteed_annual_cny"]),
        calendar=rate(paid["guaranteed_ytd_cny"], paid["guaranteed_annual_cny"]),
        paid_gap=row["disbursement_shortfall_ytd_cny"],
        paid_short=int(bool(row["disbursement_shortfall_ytd_cny"])),
        partly_paid_units=int(is_partly_paid),
        partly_paid=row["disbursed_ytd_cny"] if is_partly_paid else None,
        spent_units=int(is_spent),
        spent=spent["spent_ytd_cny"],
        spent_paid=spent["disbursed_ytd_cny"],
        spent_pct=rate(spent["spent_ytd_cny"], spent["disbursed_ytd_cny"]),
    )


def _change(connection: duckdb.DuckDBPyConnection, now: Totals, then: Totals | None) -> Change | None:
    if then is None:
        return None
    steps = rows(connection, _STEPS, {"now": now.month, "then": then.month})
    by_unit, by_gap = (
        tuple(
            Step(row["key"], row["units"], row["guaranteed"], row["allocated"], row["gap"])
            for row in steps
            if row["family"] == family
        )
        for family in ("unit", "gap")
    )
    return Change(
        then=then,
        guaranteed=_difference(now.guaranteed, then.guaranteed),
        allocated=_difference(now.allocated, then.allocated),
        gap=_difference(now.gap, then.gap),
        adequacy=_difference(now.adequacy, then.adequacy),
        met=now.met - then.met,
        same_year=now.month.year == then.month.year,
        by_unit=by_unit,
        by_gap=by_gap,
    )


def _difference(now: Decimal | None, then: Decimal | None) -> Decimal | None:
    return None if now is None or then is None else now - then


# A township that only changed its name or code is the same unit; one judged in both months is compared.
_STEPS = f"""
with judged as (
    select month, unit_id, guaranteed_annual_cny as g, allocated_annual_cny as a, allocation_shortfall_cny as s
    from r_funding where {_JUDGED} and month in ($now, $then)
),
pairs as (
    select n.unit_id as new_unit, t.unit_id as old_unit,
        coalesce(n.g, 0) - coalesce(t.g, 0) as g,
        coalesce(n.a, 0) - coalesce(t.a, 0) as a,
        coalesce(n.s, 0) - coalesce(t.s, 0) as s,
        coalesce(n.s, 0) as s_now, coalesce(t.s, 0) as s_then
    from (select * from judged where month = $now) n
    full join (select * from judged where month = $then) t on n.unit_id = t.unit_id
),
named as (
    select *,
        case when old_unit is null then 'entered' when new_unit is null then 'left' else 'same' end as unit_key,
        case
            when old_unit is null and s_now > 0 then 'entered'
            when new_unit is null and s_then > 0 then 'left'
            when s_then = 0 and s_now > 0 then 'opened'
            when s_then > 0 and s_now = 0 then 'closed'
            when s > 0 then 'grown'
            when s < 0 then 'shrunk'
        end as gap_key
    from pairs
)
select 'unit' as family, unit_key as key, count(*) as units, sum(g) as guaranteed, sum(a) as allocated,
    sum(s) as gap from named group by all
union all
select 'gap', gap_key, count(*), sum(g), sum(a), sum(s) from named where gap_key is not null group by all
order by all
"""


def _ranking(connection: duckdb.DuckDBPyConnection, month: date, rank_by: str) -> list[Row]:
    """Units by adequacy, best first; ties share a place; without a known rate there is no place."""
    of_month_before = earlier(month, 1)
    if rank_by == "township":
        found = rows(
            connection,
            "select *, township_code as code, township_name as name, county_name as parent from r_funding "
            "where month in (?, ?) order by township_code",
            month,
            of_month_before,
        )
    else:
        parent = "city_name" if rank_by == "county" else "''"
        found = rows(
            connection,
            f"select u.*, u.unit_code as code, t.name, t.parent from detail.unit_monthly as u inner join "
            f"(select {rank_by}_code as code, min({rank_by}_name) as name, min({parent}) as parent "
            "from r_townships group by 1) as t on u.unit_code = t.code "
            "where u.unit_level = ? and u.month in (?, ?) order by u.unit_code",
            rank_by,
            month,
            of_month_before,
        )
    placed: dict[date, dict[str, int]] = {}
    listed: list[Row] = []
    for each in (of_month_before, month):
        of_month = []
        for row in (row for row in found if row["month"] == each):
            totals = _own_totals(row) if rank_by == "township" else _totals(row)
            identity = {key: row[key] for key in ("code", "name", "parent")}
            of_month.append({**identity, "totals": totals, "adequacy": totals.adequacy})
        rates = [item["adequacy"] for item in of_month if item["adequacy"] is not None]
        placed[each] = {
            item["code"]: 1 + sum(rate > item["adequacy"] for rate in rates)
            for item in of_month
            if item["adequacy"] is not None
        }
        listed = of_month
    now, before = placed[month], placed[of_month_before]
    for item in listed:
        item["rank"], item["rank_before"] = now.get(item["code"]), before.get(item["code"])
        item["name"] = presentation.division_name(item["name"], item["code"])
        item["parent"] = item["parent"] or ""
    return sorted(listed, key=lambda item: (item["rank"] or len(listed) + 1, item["code"]))


def _reporting(connection: duckdb.DuckDBPyConnection, month: date) -> list[Row]:
    """Each township in force with, for each dataset, whether its own report came and the month of its last one.

    `reported` with a figure, `nil` declared so, `dash` or `blank` where the main figure is, `held`, else `missing`.
    """
    parts, columns = [], []
    for name in ("population", "budget", "staffing"):
        parts.append(
            f"max(s.month) filter (where s.dataset = '{name}' and s.state in ('reported', 'nil')) as {name}_last, "
            f"max(case when s.told = 'figure' then 'reported' when s.told in ('nil', 'dash', 'blank') then s.told "
            f"when s.held_count > 0 then 'held' end) filter (where s.dataset = '{name}' and s.month = $month) as {name}"
        )
        columns.append(f"coalesce(c.{name}, 'missing') as {name}, c.{name}_last")
    return rows(
        connection,
        f"with came as (select t.unit_id, {', '.join(parts)} from detail.submission_status s "
        "join r_townships t using (township_code) where s.month <= $month group by t.unit_id) "
        f"select f.township_code, f.township_name, f.county_code, f.county_name, {', '.join(columns)} "
        "from r_funding f left join came c on c.unit_id = f.unit_id "
        "where f.month = $month and f.is_township order by f.township_code",
        {"month": month},
    )


def _has(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> bool:
    return bool(
        connection.execute(
            "select 1 from information_schema.tables where table_schema = ? and table_name = ?",
            [schema, table],
        ).fetchone()
    )


def _doubts(connection: duckdb.DuckDBPyConnection, month: date) -> list[Row]:
    """Rows held or refused, and figures used though something is odd about them."""
    held = " union all ".join(
        f"select submission_id, sheet, row_number, month, township_code from reported.{name} "
        "where row_status = 'held'"
        for name in ("population", "budget", "staffing")
    )
    found = rows(
        connection,
        f"with held as ({held}) "
        "select 'held' as kind, t.township_name as name, t.county_name, x.message_zh, x.what_to_do_zh, "
        "s.file_name, h.sheet, h.row_number "
        "from held h join r_townships t using (township_code) join submissions s using (submission_id) "
        "join rejected_rows x on x.submission_id = h.submission_id and x.row_number = h.row_number "
        "and x.sheet is not distinct from h.sheet and x.disposition = 'held' "
        "where h.month = $month "
        "union all "
        "select distinct 'rejected', '', c.county_name, x.message_zh, x.what_to_do_zh, f.file_name, x.sheet, "
        "x.row_number from rejected_rows x join r_files f using (submission_id) "
        "join (select distinct county_code, county_name from r_townships) c on c.county_code = f.county_code "
        # A row of a form that names a unit and nothing else is a report that did not come, told as such.
        "where x.disposition = 'rejected' and x.error_code <> 'R07' and f.month_from <= $month and f.month_to >= $month "
        "order by all",
        {"month": month},
    )
    if _has(connection, "quality", "suite_flags"):
        found += rows(
            connection,
            "select distinct 'doubt' as kind, u.subject_name as name, u.county_name, x.message_zh, "
            "'' as what_to_do_zh, s.file_name, x.sheet, x.row_number "
            "from quality.suite_flags x join r_subjects u using (subject_code) "
            "left join submissions s using (submission_id) "
            "where x.kind = 'doubt' and x.month = ? order by all",
            month,
        )
    return found


def _sources(connection: duckdb.DuckDBPyConnection, month: date) -> dict[str, dict[str, str]]:
    """For each township the files its figures of the month come from: name by content hash."""
    parts = " union ".join(
        f"select township_code, submission_id from reported.{name} where is_current and {months}"
        for name, months in (
            ("population", "month between date_trunc('year', $month) - interval 12 month and $month"),
            ("budget", "month between date_trunc('year', $month) and $month"),
            ("staffing", "month = $month"),
        )
    )
    found: dict[str, dict[str, str]] = {}
    for row in rows(
        connection,
        f"select distinct u.township_code, s.sha256, s.file_name from ({parts}) u "
        "join r_townships using (township_code) join submissions s using (submission_id) "
        "where s.status <> 'duplicate' order by all",
        {"month": month},
    ):
        found.setdefault(row["township_code"], {})[row["sha256"]] = row["file_name"]
    return found


def _moved(connection: duckdb.DuckDBPyConnection, scope: Scope, month: date) -> Row | None:
    if not _has(connection, "detail", "unit_moved_monthly"):
        return None
    found = rows(
        connection,
        "select * from detail.unit_moved_monthly where unit_level = ? and unit_code = ? and month = ?",
        scope.level,
        scope.code,
        month,
    )
    return found[0] if found else None


def _audit(connection: duckdb.DuckDBPyConnection) -> list[Row] | None:
    """Checks of the pipeline itself that failed; None when the edition carries no audit at all."""
    if not _has(connection, "quality", "suite_results"):
        return None
    return rows(
        connection,
        "select suite_title_zh, title_zh, message_zh from quality.suite_results "
        "where kind = 'blocking' and not success order by all",
    )


def readiness_counts(facts: Facts) -> tuple[int, int]:
    """Townships that reported everything for the month, and townships that should have."""
    complete = sum(
        all(row[name] != "missing" for name in ("population", "budget", "staffing"))
        for row in facts.reporting
    )
    return complete, len(facts.reporting)


def built_at(facts: Facts) -> datetime:
    """When the edition was made, the bureau's wall clock."""
    made: datetime = facts.edition["built_at"]
    return made
