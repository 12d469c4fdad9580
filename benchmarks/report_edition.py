"""A made-up edition of any size, with the tables a report reads, for its benchmark and its tests.

Not the pipeline's work: the figures are made by SQL from the units' numbers, so that an edition of 2,000
townships is there in seconds. All invented (模拟数据).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime

import duckdb

from oversight.settings import TIME_ZONE, DataFolder

PROVINCE = "990000"
FIRST_NAMES = "永安石桥青山柳河长岗望龙泉白沙大湾枫林竹坪金溪南塘云峰清水东江北原"
SECOND_NAMES = "平兴和顺福康宁泰丰盛昌荣華安远新乐"


def name_of(number: int) -> str:
    """永安镇, 石平乡 … repeated names are usual."""
    first = FIRST_NAMES[number * 2 % len(FIRST_NAMES)] + SECOND_NAMES[number * 7 % len(SECOND_NAMES)]
    return first + ("镇", "乡", "镇", "街道")[number % 4]


def write(
    folder: DataFolder,
    counties: Sequence[int],
    *,
    months: int = 24,
    name: str = "20260103-080000-feedbeef",
    built_at: datetime = datetime(2026, 1, 3, 8, 0, tzinfo=TIME_ZONE),
    names: Callable[[int], str] = name_of,
    adjust: Callable[[duckdb.DuckDBPyConnection], object] = lambda _: None,
) -> str:
    """Publish an edition with so many townships in each county, from 2024-01 on, and make it current.

    `adjust` may change the base tables (units, facts) before anything is derived from them.
    """
    home = folder.marts / "editions" / name
    home.mkdir(parents=True)
    connection = duckdb.connect(str(home / "warehouse.duckdb"))
    units = [
        (f"99{1 + place // 40:02d}{1 + place % 40:02d}", place, number)
        for place, size in enumerate(counties)
        for number in range(size)
    ]
    connection.execute(
        "create temp table units(number bigint, township_code varchar, township_name varchar, county_code varchar, "
        "county_name varchar, city_code varchar, city_name varchar)"
    )
    connection.executemany(
        "insert into units values (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                running,
                f"{county}{100 + number:03d}",
                names(running),
                county,
                f"模拟{name_of(place)[0]}{place + 1}县",
                f"{county[:4]}00",
                f"模拟{int(county[2:4])}市",
            )
            for running, (county, place, number) in enumerate(units)
        ],
    )
    connection.execute(_FACTS, [months])
    adjust(connection)
    for statement in filter(str.strip, _TABLES.split(";")):
        connection.execute(statement)
    connection.execute(
        "create table edition as select ? as edition_id, cast(? as timestamp) as built_at, 'in' as input_fingerprint, "
        "'standards' as standards_fingerprint, '0.1.0+test' as code_version, "
        "(select min(month) from funding_gap_monthly) as first_month, "
        "(select max(month) from funding_gap_monthly) as last_month",
        [name, built_at.replace(tzinfo=None)],
    )
    first, last = connection.execute("select first_month, last_month from edition").fetchall()[0]
    connection.close()
    manifest = {
        "edition_id": name,
        "built_at": built_at.isoformat(),
        "input_fingerprint": "in",
        "standards_fingerprint": "standards",
        "code_version": "0.1.0+test",
        "months": {"first": str(first), "last": str(last)},
        "inputs": [],
        "tables": {},
    }
    (home / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    (folder.marts / "CURRENT").write_text(name, "utf-8")
    return name


# Every thirteenth unit does not report at all, every seventh pays late, every fifth is short of staff.
_FACTS = """
create temp table facts as
with months as (
    select cast(date '2024-01-01' + to_months(cast(m as integer)) as date) as month from range(?) r(m)
)
select u.*, m.month, cast(year(m.month) as bigint) as fiscal_year,
    case when number % 13 <> 12 then cast(4000 + (number * 7919) % 61000 as bigint) end as population,
    case when number % 13 <> 12 then cast(20 + (number * 31) % 160 as decimal(18, 2)) * 1000 end as allocated,
    case when number % 13 <> 12 then
        cast(round(cast(20 + (number * 31) % 160 as decimal(18, 2)) * 1000 * month(m.month) / 12
            * case when number % 7 = 3 then 0.6 else 1 end, 2) as decimal(18, 2)) end as disbursed,
    case when number % 13 <> 12 then
        case when number % 5 = 2 and (month(m.month) + number) % 6 <> 0 then 1 else 2 + number % 3 end end as staff,
    case when number % 13 <> 12 then 10 + number % 9 end as villages,
    case when number % 13 <> 12 then 10 + number % 9 - (number % 4) % 3 end as assisted
from units u cross join months m
"""

_TABLES = """
create schema reported;
create schema quality;
create table townships as
select township_code, township_name, '镇' as township_type, county_code, county_name, city_code, city_name,
    '990000' as province_code, '模拟省' as province_name, cast(null as date) as valid_from,
    cast(null as date) as valid_to, cast(null as varchar) as successor_code, true as is_township,
    township_code as unit_id
from units order by 1;

create table standard_tiers as
select * from (values
    ('A-10', 1, '2万人以下', 0, true, 20000, true, 0.28, null, '元/人·月', '2万人以下0.28元'),
    ('A-10', 2, '2-5万人', 20000, false, 50000, false, 0.22, null, '元/人·月', '2-5万人0.22元'),
    ('A-10', 3, '5万人以上', 50000, true, null, null, 0.18, null, '元/人·月', '5万人以上0.18元'),
    ('A-06', 1, '不分档', null, null, null, null, 2, null, '人', '不少于2名'),
    ('A-07', 1, '不分档', null, null, null, null, 1, null, '人/村', '配备1名')
) t(standard_id, tier_no, tier_label, lower_bound, lower_included, upper_bound, upper_included, value, value_max,
    unit, quotation);

create table policy_documents as
select 'A' as document_id, '模拟文件' as document_title, '模拟〔2019〕1号' as document_no, '模拟省民政厅' as issuer_name,
    '990000' as issuer_code, 'province' as issuer_level, 'binding' as force, date '2019-06-10' as issued_on,
    cast(null as varchar) as issued_on_note, date '2025-01-01' as recorded_on, cast(null as varchar) as basis_documents,
    cast(null as varchar) as note;

create table standards as
select standard_id, 'A' as document_id, clause, quotation, title_zh, matter, '990000' as scope_code,
    'township' as subject_level, topic_zh, metric_zh, formula, '>=' as comparator, unit, 'month' as period,
    cast(null as varchar) as population_basis, cast(null as varchar) as population_date_rule,
    cast(null as varchar) as edge_rule, 'must' as strength, severity, 'Y' as gradeable,
    cast(null as varchar) as not_judged_reason, date '2019-06-10' as effective_from, cast(null as date) as effective_to,
    cast(null as date) as deadline, date '2019-06-10' as issued_on, date '2025-01-01' as recorded_on,
    date '2025-01-01' as last_confirmed_on, cast(24 as bigint) as confirm_within_months,
    cast(null as varchar) as ambiguity_zh, cast(null as varchar) as example_zh,
    cast(null as varchar) as origin_zh, cast(null as varchar) as origin_issuer_code
from (values
    ('A-06', '二（二）', '每个乡镇必须固定不少于2名在编在岗人员', '乡镇专职民政在编在岗人员不少于2名', 'dedicated_staff', '人员',
        '人数', 'staff_floor', '人', 'high'),
    ('A-07', '二（二）', '明确村(居)委会配备1名民政协理员', '每个村（居）配备1名民政协理员', 'village_assistant', '人员',
        '村数', 'village_coverage', '个', 'medium'),
    ('A-10', '二（三）', '按照乡镇辖区户籍人口数确定基层民政所工作经费', '民政所工作经费分档保障', 'working_funds', '经费',
        '安排数', 'per_capita_by_tier', '元', 'high')
) t(standard_id, clause, quotation, title_zh, matter, topic_zh, metric_zh, formula, unit, severity);

create table funding_gap_monthly as
with tiered as (
    select f.*, t.tier_label, f.population in (20000, 50000) as is_on_tier_edge,
        cast(f.population * t.value * 12 as decimal(18, 2)) as guaranteed
    from facts f
    left join standard_tiers t on t.standard_id = 'A-10' and f.population >= t.lower_bound
        and (f.population > t.lower_bound or t.lower_included)
        and (t.upper_bound is null or f.population < t.upper_bound
            or (f.population = t.upper_bound and t.upper_included))
),
sums as (
    select *, cast(round(guaranteed * month(month) / 12, 2) as decimal(18, 2)) as guaranteed_ytd,
        guaranteed - allocated as missing
    from tiered
)
select township_code, township_name, county_code, county_name, month, fiscal_year, 'A-10' as standard_id,
    cast(null as varchar) as also_standard_id, tier_label, 'registered' as population_basis,
    population as population_persons, cast(make_date(fiscal_year - 1, 12, 1) as date) as population_month,
    township_code as population_township_code, false as population_is_fallback,
    coalesce(is_on_tier_edge, false) as is_on_tier_edge,
    cast(null as varchar) as other_tier_label, cast(null as decimal(18, 2)) as other_annual_cny,
    guaranteed as guaranteed_annual_cny, guaranteed_ytd as guaranteed_ytd_cny,
    allocated as allocated_annual_cny, disbursed as disbursed_ytd_cny,
    case when allocated is not null then month end as allocated_as_of_month,
    case when disbursed is not null then month end as disbursed_as_of_month, false as disbursed_is_partial,
    case when disbursed is not null then month end as spent_as_of_month, false as spent_is_partial,
    cast(round(disbursed * 0.9, 2) as decimal(18, 2)) as spent_ytd_cny,
    cast(case when missing is null then null when missing > 0 then missing else 0 end as decimal(18, 2))
        as allocation_shortfall_cny,
    cast(case when missing is null then null when missing < 0 then -missing else 0 end as decimal(18, 2))
        as allocation_surplus_cny,
    cast(case when guaranteed_ytd is null or disbursed is null then null
        when guaranteed_ytd > disbursed then guaranteed_ytd - disbursed else 0 end as decimal(18, 2))
        as disbursement_shortfall_ytd_cny,
    cast(round(allocated * 100 / guaranteed, 2) as decimal(18, 2)) as adequacy_pct,
    case when missing is null then 'not_reported' when missing > 0 then 'short' else 'met' end as status
from sums order by township_code, month;

create table staffing_gap_monthly as
select township_code, month, 'A-06' as standard_id, '不分档' as tier_label, cast(null as bigint) as population_persons,
    cast(null as date) as population_month, cast(null as boolean) as population_is_fallback, false as is_on_tier_edge,
    false as is_tier_uncertain,
    cast(staff as bigint) as counted_persons, false as counted_is_partial, cast(2 as bigint) as required_min_persons,
    cast(2 as bigint) as required_least_persons, cast(null as bigint) as advised_max_persons,
    cast(null as bigint) as advised_most_persons,
    cast(case when staff is null then null else greatest(2 - staff, 0) end as bigint) as shortfall_persons,
    cast(case when staff is null then null else 0 end as bigint) as excess_persons, true as is_counted_in_totals,
    case when staff is null then 'not_reported' when staff < 2 then 'short' else 'met' end as status
from facts order by 1, 2;

create table judgements as
select 'A-10' as rule_id, 'township' as subject_level, township_code as subject_code, month, status,
    cast(allocated_annual_cny as decimal(18, 4)) as value_checked,
    cast(guaranteed_annual_cny as decimal(18, 4)) as value_expected,
    cast(allocation_shortfall_cny as decimal(18, 4)) as shortfall, '元' as unit
from funding_gap_monthly
union all
select standard_id, 'township', township_code, month, status, counted_persons, required_min_persons,
    shortfall_persons, '人' from staffing_gap_monthly
union all
select 'A-07', 'township', township_code, month,
    case when villages is null then 'not_reported' when assisted < villages then 'short' else 'met' end,
    assisted, villages, villages - assisted, '个' from facts;

create table findings as
with flagged as (
    select *, status in ('short', 'not_reported') as is_open,
        row_number() over (partition by rule_id, subject_code order by month)
        - row_number() over (partition by rule_id, subject_code, status in ('short', 'not_reported') order by month)
        as island
    from judgements
)
select rule_id || '/' || subject_code || '/' || strftime(min(month), '%Y-%m') as finding_id, rule_id,
    f.subject_level, subject_code, min(month) as opened_month, max(month) as last_month,
    case when max(month) < any_value(e.final_month) then cast(max(month) + interval 1 month as date) end as cleared_month,
    count(*) as months_open,
    case when max(month) < any_value(e.final_month) then 'cleared' else max_by(f.status, month) end as status,
    max_by(value_checked, month) as value_checked, max_by(value_expected, month) as value_expected,
    max_by(shortfall, month) as shortfall, any_value(f.unit) as unit, 'township' as source,
    case when any_value(f.unit) = '元'
        and max_by(shortfall, month) < greatest(100, max_by(value_expected, month) / 1000)
        then 'low' else any_value(s.severity) end as severity,
    coalesce(any_value(f.unit) = '元'
        and max_by(shortfall, month) < greatest(100, max_by(value_expected, month) / 1000), false) as is_minor,
    cast(max_by(shortfall, month) * count(*) as decimal(38, 4)) as weight,
    cast(null as varchar) as reply_zh, cast(null as date) as agreed_on, false as is_exempt,
    cast(null as varchar) as exempt_reason_zh,
    '模拟文件' as document_title, any_value(s.clause) as clause, '' as message_zh
from flagged f join standards s on s.standard_id = f.rule_id
cross join (select max(month) as final_month from facts) e
where is_open
group by rule_id, f.subject_level, subject_code, island;

create table submissions as
select 's' || row_number() over (order by county_code) as submission_id, county_name || '/年度报表（模拟数据）.xlsx' as file_name,
    sha256(county_code) as sha256, 'population,budget,staffing' as dataset, timestamp '2026-01-02 08:00:00' as received_at,
    (select min(month) from facts) as month_from, (select max(month) from facts) as month_to,
    cast(10 as bigint) as rows_read, cast(10 as bigint) as rows_accepted, cast(0 as bigint) as rows_held,
    cast(0 as bigint) as rows_rejected, cast(0 as bigint) as rows_ignored, 'accepted' as status,
    false as is_correction, cast(null as date) as filed_on, cast(null as varchar) as error_code,
    cast(null as varchar) as message_zh, cast(null as varchar) as what_to_do_zh, county_code
from (select distinct county_code, county_name from units);

create table rejected_rows as
select 's1' as submission_id, '人口' as sheet, cast(9 as bigint) as row_number, '户籍人口' as column_title, '-5' as value,
    'negative' as error_code, '户籍人口为-5，不能为负' as message_zh, '核对后重报该行' as what_to_do_zh,
    'rejected' as disposition;

create table reported.population as
select f.month, f.township_code, s.submission_id, '人口' as sheet, f.number as row_number, 'accepted' as row_status,
    cast(null as varchar) as doubts, f.population as population_persons, true as is_current
from facts f join submissions s using (county_code) where f.population is not null;
create table reported.budget as
select f.month, f.township_code, s.submission_id, '经费' as sheet, f.number as row_number, 'accepted' as row_status,
    cast(null as varchar) as doubts, f.allocated as initial_budget_cny, true as is_current
from facts f join submissions s using (county_code) where f.allocated is not null;
create table reported.staffing as
select f.month, f.township_code, s.submission_id, '人员' as sheet, f.number as row_number, 'accepted' as row_status,
    cast(null as varchar) as doubts, f.staff as dedicated_staff_persons, true as is_current
from facts f join submissions s using (county_code) where f.staff is not null;
create table reported.divisions as
select township_code as division_code, township_name as division_name, true as is_current from units where false;
alter table submissions drop county_code;

create table reconciliation as
select township_code, township_name, county_code, month, 'budget' as dataset, 'working_funds' as fund_code,
    'disbursed_month_cny' as figure, '本月拨付(元)' as figure_zh, 'township' as source_a, '乡镇报送' as source_a_name,
    cast(1000 as decimal(18, 4)) as value_a, 'treasury' as source_b, '财政国库' as source_b_name,
    cast(900 as decimal(18, 4)) as value_b, cast(100 as decimal(18, 4)) as difference, 'treasury' as used_source,
    '财政国库' as used_source_name, '拨付数以财政国库为准' as rule, '乡镇.xlsx' as file_name_a, '经费' as sheet_a,
    cast(5 as bigint) as row_number_a, '国库.xlsx' as file_name_b, '明细' as sheet_b, cast(6 as bigint) as row_number_b
from funding_gap_monthly where false;
create table fund_ledger_monthly as
select township_code, township_name, county_code, month, 'working_funds' as fund_code, '民政工作经费' as fund_name,
    cast(null as decimal(18, 2)) as carried_over_cny, cast(null as decimal(18, 2)) as from_above_cny,
    cast(null as decimal(18, 2)) as own_cny, allocated_annual_cny as initial_cny,
    cast(null as decimal(18, 2)) as adjusted_cny, disbursed_ytd_cny, month as disbursed_as_of_month,
    false as disbursed_is_partial, spent_ytd_cny, month as spent_as_of_month, false as spent_is_partial,
    allocated_annual_cny - spent_ytd_cny as balance_cny
from funding_gap_monthly where allocated_annual_cny is not null or disbursed_ytd_cny is not null;

create schema detail;
create table detail.submission_status as
select f.township_code, f.month, d.dataset,
    case when d.value is null then 'missing' else 'reported' end as state,
    case when d.value is null then 'missing' else 'figure' end as told, cast(0 as bigint) as held_count
from facts f, lateral (
    values ('population', f.population), ('budget', f.allocated), ('staffing', f.staff)
) d(dataset, value);
create table detail.payment_pace as
with moved as (
    select township_code, fiscal_year, month, guaranteed_annual_cny as whole, guaranteed_ytd_cny as due,
        disbursed_ytd_cny as paid, disbursement_shortfall_ytd_cny as gap,
        lag(disbursed_ytd_cny) over (partition by township_code, fiscal_year order by month) as before
    from funding_gap_monthly
),
silent as (
    select *, month(month) - coalesce(max(case when paid > coalesce(before, 0) then month(month) end)
        over (partition by township_code, fiscal_year order by month), 0) as silent_months_count,
        month(month) - coalesce(max(case when gap is null or gap <= 0 then month(month) end)
        over (partition by township_code, fiscal_year order by month), 0) as behind_months
    from moved
)
select township_code, month, cast(round(paid * 100 / whole, 2) as decimal(18, 2)) as progress_pct,
    cast(round(due * 100 / whole, 2) as decimal(18, 2)) as calendar_pct,
    case when gap is not null then silent_months_count end as silent_months_count,
    case when gap is null then null
        when (due - paid) * 100 > whole * 10 and (paid * 100 < due * 50 or silent_months_count >= 3) then 'far_behind'
        when (due - paid) * 100 > whole * 10 then 'behind' else 'on_pace' end as pace,
    case when gap > 0 then behind_months end as behind_months_count, gap as behind_cny
from silent order by all;
create table detail.unit_monthly as
with judged as (
    select t.county_code, t.city_code, t.province_code, f.*,
        case when f.status in ('met', 'short') then 1 else 0 end as is_judged,
        case when f.guaranteed_ytd_cny is not null and f.disbursed_ytd_cny is not null then 1 else 0 end as is_complete,
        s.shortfall_persons, s.excess_persons
    from (select * exclude (county_code) from funding_gap_monthly) f join townships t using (township_code)
    left join staffing_gap_monthly s using (township_code, month)
),
levels as (
    select 'county' as unit_level, county_code as unit_code, * from judged
    union all select 'city', city_code, * from judged
    union all select 'province', province_code, * from judged
),
summed as (
    select unit_level, unit_code, month, count(*) as units_count, cast(0 as bigint) as ended_count,
        sum(is_judged) as judged_count, count(*) filter (status = 'short') as short_count,
        count(*) filter (status = 'met') as met_count, count(*) filter (status = 'not_reported') as not_reported_count,
        count(*) filter (status = 'no_standard') as no_standard_count,
        sum(guaranteed_annual_cny) filter (is_judged = 1) as guaranteed_of_judged_cny,
        sum(guaranteed_ytd_cny) filter (is_judged = 1) as guaranteed_ytd_of_judged_cny,
        sum(allocated_annual_cny) filter (is_judged = 1) as allocated_of_judged_cny,
        sum(allocation_shortfall_cny) as allocation_shortfall_of_judged_cny,
        sum(allocation_surplus_cny) as allocation_surplus_of_judged_cny, sum(is_complete) as complete_count,
        sum(guaranteed_annual_cny) filter (is_complete = 1) as guaranteed_of_complete_cny,
        sum(guaranteed_ytd_cny) filter (is_complete = 1) as guaranteed_ytd_of_complete_cny,
        sum(disbursed_ytd_cny) filter (is_complete = 1) as disbursed_of_complete_cny,
        cast(0 as bigint) as partly_paid_count, cast(null as decimal(24, 2)) as disbursed_of_partly_cny,
        count(*) filter (disbursement_shortfall_ytd_cny > 0) as underpaid_count,
        sum(disbursement_shortfall_ytd_cny) as disbursement_shortfall_of_compared_cny,
        count(*) filter (is_complete = 1 and spent_ytd_cny is not null) as spending_count,
        sum(disbursed_ytd_cny) filter (is_complete = 1 and spent_ytd_cny is not null) as disbursed_of_spending_cny,
        sum(spent_ytd_cny) filter (is_complete = 1 and spent_ytd_cny is not null) as spent_of_spending_cny,
        cast(sum(shortfall_persons) as bigint) as staff_shortfall_of_judged_persons,
        cast(sum(excess_persons) as bigint) as staff_excess_of_judged_persons
    from levels group by all
)
select *,
    cast(round(met_count * 100.00 / nullif(judged_count, 0), 2) as decimal(18, 2)) as met_of_judged_pct,
    cast(round(cast(allocated_of_judged_cny * 100 as decimal(28, 2)) / nullif(guaranteed_of_judged_cny, 0), 2)
        as decimal(18, 2)) as adequacy_of_judged_pct,
    cast(round(disbursed_of_complete_cny * 100 / nullif(guaranteed_ytd_of_complete_cny, 0), 2) as decimal(18, 2))
        as disbursed_of_complete_pct,
    cast(round(disbursed_of_complete_cny * 100 / nullif(guaranteed_of_complete_cny, 0), 2) as decimal(18, 2))
        as progress_of_complete_pct,
    cast(round(guaranteed_ytd_of_complete_cny * 100 / nullif(guaranteed_of_complete_cny, 0), 2) as decimal(18, 2))
        as calendar_of_complete_pct,
    cast(round(spent_of_spending_cny * 100 / nullif(disbursed_of_spending_cny, 0), 2) as decimal(18, 2))
        as spent_of_spending_pct
from summed order by all;

create table detail.unit_steps_monthly as
with judged as (
    select u.unit_level, u.unit_code, t.unit_id, f.month, f.guaranteed_annual_cny as g, f.allocated_annual_cny as a,
        f.allocation_shortfall_cny as s
    from funding_gap_monthly f join townships t using (township_code),
        lateral (values ('county', t.county_code), ('city', t.city_code), ('province', t.province_code))
            u(unit_level, unit_code)
    where f.status in ('met', 'short')
),
held as (
    select j.*, b.months_back, j.month + b.months_back * interval 1 month as against
    from judged j, (values (1), (12)) b(months_back)
),
pairs as (
    select coalesce(n.unit_level, t.unit_level) as unit_level, coalesce(n.unit_code, t.unit_code) as unit_code,
        cast(coalesce(n.month, t.against) as date) as month, coalesce(n.months_back, t.months_back) as months_back,
        n.unit_id as new_unit, t.unit_id as old_unit, coalesce(n.g, 0) - coalesce(t.g, 0) as g,
        coalesce(n.a, 0) - coalesce(t.a, 0) as a, coalesce(n.s, 0) - coalesce(t.s, 0) as s,
        coalesce(n.s, 0) as s_now, coalesce(t.s, 0) as s_then
    from held n full join held t on n.unit_level = t.unit_level and n.unit_code = t.unit_code
        and n.unit_id = t.unit_id and n.months_back = t.months_back and n.month = t.against
),
parts as (
    select 'unit' as family,
        case when old_unit is null then 'entered' when new_unit is null then 'left' else 'same' end as step, *
    from pairs
    union all
    select 'gap', case when old_unit is null and s_now > 0 then 'entered' when new_unit is null and s_then > 0 then 'left'
        when s_then = 0 and s_now > 0 then 'opened' when s_then > 0 and s_now = 0 then 'closed'
        when s > 0 then 'grown' else 'shrunk' end, *
    from pairs where s_now > 0 or s_then > 0
)
select unit_level, unit_code, month, months_back, family, step, count(*) as units_count,
    sum(g) as guaranteed_change_cny, sum(a) as allocated_change_cny, sum(s) as allocation_shortfall_change_cny
from parts where family = 'unit' or s <> 0 group by all;

create table detail.unit_staffing_monthly as
with levels as (
    select 'county' as unit_level, t.county_code as unit_code, s.*
    from staffing_gap_monthly s join townships t using (township_code)
    union all
    select 'city', t.city_code, s.* from staffing_gap_monthly s join townships t using (township_code)
    union all
    select 'province', t.province_code, s.* from staffing_gap_monthly s join townships t using (township_code)
)
select unit_level, unit_code, month, standard_id, count(*) as due_count, count(*) filter (status = 'met') as met_count,
    count(*) filter (status = 'short') as short_count, count(*) filter (status = 'over') as over_count,
    count(*) filter (status = 'not_reported') as not_reported_count, cast(0 as bigint) as unconfirmed_count,
    count(*) filter (counted_is_partial) as partial_count,
    cast(coalesce(sum(shortfall_persons) filter (status = 'short'), 0) as bigint) as shortfall_persons
from levels group by all;

create table quality.suite_results as
select '经费' as suite_title_zh, '检查' as title_zh, '' as message_zh, 'blocking' as kind, true as success;
create table quality.suite_flags as
select 'doubt' as kind, township_code as subject_code, month, '户籍人口较上月变动超过10%' as message_zh,
    cast(null as varchar) as submission_id, '' as sheet, cast(null as bigint) as row_number
from facts where number % 29 = 7;
"""
