-- Of two reports of a township and month the later one counts; hardly any are.
update reported.population as r set is_latest = false, is_current = false
from (select month, township_code, max(precedence) as last from reported.population group by all having count(*) > 1) as d
where r.month = d.month and r.township_code = d.township_code and r.precedence < d.last;
update reported.staffing as r set is_latest = false, is_current = false
from (select month, township_code, max(precedence) as last from reported.staffing group by all having count(*) > 1) as d
where r.month = d.month and r.township_code = d.township_code and r.precedence < d.last;
update reported.budget as r set is_latest = false, is_current = false
from (select month, township_code, max(precedence) as last from reported.budget group by all having count(*) > 1) as d
where r.month = d.month and r.township_code = d.township_code and r.precedence < d.last;
insert into main.townships by name
select
    d.division_code as township_code, d.division_name as township_name, d.division_type as township_type,
    left(d.division_code, 6) as county_code, c.division_name as county_name,
    left(d.division_code, 4) || '00' as city_code, y.division_name as city_name,
    left(d.division_code, 2) || '0000' as province_code, p.division_name as province_name,
    d.valid_from, d.valid_to, d.successor_code, true as is_township, d.division_code as unit_id
from reported.divisions as d
left join reported.divisions as c on c.division_code = left(d.division_code, 6)
left join reported.divisions as y on y.division_code = left(d.division_code, 4) || '00'
left join reported.divisions as p on p.division_code = left(d.division_code, 2) || '0000'
where length(d.division_code) = 9
order by d.division_code;
create temp table months as
select cast(unnest(generate_series(first_month, last_month, interval 1 month)) as date) as month, year(month) as fiscal_year,
    month(month) as month_number, last_month
from (select min(month_from) as first_month, max(month_to) as last_month from main.submissions);
update main.edition set first_month = (select min(month) from months), last_month = (select max(month) from months);

-- The people of a year: the latest report of the year before, else the earliest of the year.
create temp table people as
with ranked as (
    select y.fiscal_year, r.township_code,
        arg_max(r.population_persons, r.month) filter (year(r.month) < y.fiscal_year) as before_persons,
        max(r.month) filter (year(r.month) < y.fiscal_year) as before_month,
        arg_min(r.population_persons, r.month) filter (year(r.month) = y.fiscal_year) as own_persons,
        min(r.month) filter (year(r.month) = y.fiscal_year) as own_month
    from reported.population as r
    join (select distinct fiscal_year from months) as y on year(r.month) in (y.fiscal_year, y.fiscal_year - 1)
    where r.is_current
    group by all
)
select fiscal_year, township_code, before_month is null as is_fallback,
    coalesce(before_persons, own_persons) as persons, coalesce(before_month, own_month) as population_month
from ranked;
create temp table money_rules as
select s.standard_id, s.population_basis, t.tier_no, t.tier_label, t.value, t.lower_bound, t.upper_bound,
    coalesce(t.lower_bound, 0) + if(coalesce(t.lower_included, true), 0, 1) as least,
    coalesce(t.upper_bound, 1_000_000_000) - if(coalesce(t.upper_included, true), 0, 1) as most
from main.standards as s
join main.standard_tiers as t using (standard_id)
where s.formula = 'per_capita_by_tier' and s.scope_code = '000000';
create temp table guarantees as
select p.*, r.standard_id, r.population_basis, r.tier_label, r.value, p.persons * cast(r.value * 12 * 100 as bigint) as annual_fen,
    o.tier_label as other_tier_label, p.persons * cast(o.value * 12 * 100 as bigint) as other_fen
from people as p
join money_rules as r on p.persons between r.least and r.most
left join money_rules as o on o.tier_no <> r.tier_no and p.persons in (o.lower_bound, o.upper_bound) and p.persons > 0;
insert into detail.funding_pieces by name
select township_code as unit_id, township_code, fiscal_year, 1 as known_from_number, 12 as known_until_number,
    1 as phase_from_number, 12 as phase_until_number, 12 as unit_last_number, standard_id, 'monthly' as accrual,
    true as is_counted, 1 as first_number, 12 as last_number, population_basis, persons as population_persons,
    population_month, tier_label, value as tier_value, annual_fen * 100 as annual_units,
    annual_fen::hugeint * 100 * 27720 // 12 as month_units
from guarantees order by fiscal_year, township_code;

-- Each report gives all its figures (checked by the script), so a month without one takes them from the month before it.
create temp table unreported as
select t.township_code, m.month, m.fiscal_year
from main.townships as t cross join months as m anti join reported.budget as b using (township_code, month);
insert into main.fund_ledger_monthly by name
with known as (
    select township_code, month, month as as_of, b.* exclude (township_code, month)
    from reported.budget as b where is_current
    union all by name
    select u.township_code, u.month, b.month as as_of, b.* exclude (township_code, month)
    from unreported as u
    asof join reported.budget as b on u.township_code = b.township_code and u.month >= b.month
    where year(b.month) = u.fiscal_year
)
select
    k.township_code, t.township_name, t.county_code, k.month, year(k.month) as fiscal_year, k.fund_code,
    f.fund_name, f.matter, initial_budget_cny as initial_cny, initial_budget_cny_precision as initial_precision_cny,
    as_of as initial_as_of_month, k.source as allocated_source, disbursed_cumulative_cny as disbursed_ytd_cny,
    disbursed_cumulative_cny_precision as disbursed_precision_cny, as_of as disbursed_as_of_month,
    false as disbursed_is_partial, k.source as disbursed_source, spent_cumulative_cny as spent_ytd_cny,
    spent_cumulative_cny_precision as spent_precision_cny, as_of as spent_as_of_month, false as spent_is_partial,
    k.source as spent_source, initial_budget_cny - spent_cumulative_cny as balance_cny
from known as k join main.townships as t using (township_code) join {seed:funds} as f using (fund_code)
order by year(k.month), k.township_code, k.month;
insert into main.funding_gap_monthly by name
with rows as (
    select
        t.township_code, t.township_name, t.county_code, t.county_name, m.month, m.fiscal_year, g.standard_id, g.tier_label,
        g.population_basis, g.persons as population_persons, g.population_month, t.township_code as population_township_code,
        g.is_fallback as population_is_fallback, false as population_is_stale, false as includes_predecessors,
        g.other_tier_label is not null as is_on_tier_edge, false as is_tier_uncertain, g.other_tier_label,
        yuan(g.other_fen) as other_annual_cny, yuan(g.annual_fen) as guaranteed_annual_cny,
        yuan(half_up(g.annual_fen * m.month_number, 12)) as guaranteed_ytd_cny, m.month_number as accrued_months_count,
        l.initial_cny as allocated_annual_cny, l.initial_as_of_month as allocated_as_of_month,
        l.initial_precision_cny as allocated_precision_cny, l.allocated_source, l.disbursed_ytd_cny,
        l.disbursed_as_of_month, l.disbursed_precision_cny, false as disbursed_is_partial, l.disbursed_source,
        if(l.disbursed_as_of_month = m.month, 'figure', 'missing') as disbursed_told, l.spent_ytd_cny,
        l.spent_as_of_month, l.spent_precision_cny, false as spent_is_partial, false as predecessors_are_added,
        false as is_within_precision
    from main.townships as t cross join months as m
    left join guarantees as g using (township_code, fiscal_year)
    left join main.fund_ledger_monthly as l on t.township_code = l.township_code and m.month = l.month
)
select *, guaranteed_annual_cny as guaranteed_least_annual_cny, guaranteed_ytd_cny as guaranteed_least_ytd_cny,
    missing(guaranteed_annual_cny, allocated_annual_cny) as allocation_shortfall_cny,
    missing(allocated_annual_cny, guaranteed_annual_cny) as allocation_surplus_cny,
    case when disbursed_ytd_cny >= guaranteed_ytd_cny then 0
        when disbursed_as_of_month = month then missing(guaranteed_ytd_cny, disbursed_ytd_cny)
    end as disbursement_shortfall_ytd_cny,
    pct(allocated_annual_cny, guaranteed_annual_cny) as adequacy_pct,
    case when guaranteed_annual_cny > allocated_annual_cny then 'short'
        when guaranteed_annual_cny <= allocated_annual_cny then 'met' else 'not_reported' end as status,
    if(allocated_annual_cny is null, 'missing', null) as status_reason
from rows
order by fiscal_year, township_code, month;

insert into main.staffing_gap_monthly by name
select
    t.township_code, m.month, s.standard_id, v.tier_label, p.persons as population_persons, p.population_month,
    p.is_fallback as population_is_fallback, false as is_on_tier_edge, false as is_tier_uncertain,
    r.dedicated_staff_persons as counted_persons, false as counted_is_partial, v.value as required_min_persons,
    v.value as required_least_persons, missing(v.value, counted_persons) as shortfall_persons,
    if(counted_persons is null, null, 0) as excess_persons, true as is_counted_in_totals,
    case when v.value > counted_persons then 'short' when v.value <= counted_persons then 'met' else 'not_reported' end as status
from main.townships as t cross join months as m
join main.standards as s on s.formula = 'staff_floor' and s.scope_code = '000000'
join main.standard_tiers as v using (standard_id)
left join people as p using (township_code, fiscal_year)
left join reported.staffing as r on t.township_code = r.township_code and m.month = r.month and r.is_current
order by m.fiscal_year, t.township_code, m.month;

-- Who answers what, and when: no indicator is reported in this world, so every rule on one is unanswered.
create temp table periods as
select period, month from months, (values
    ('month', 1, 0), ('quarter', 3, 2), ('half_year', 6, 5), ('year', 12, 11), ('two_years', 12, 23)) as p (period, every, before)
where month_number % every = 0 and month >= (select min(month) from months) + to_months(before);
create temp table subjects as
select 'township' as subject_level, township_code as subject_code, township_name as subject_name from main.townships
union all
select distinct on (level, code) level, code, coalesce(division_name, code)
from (
    select unnest(['county', 'city', 'province']) as level, unnest([county_code, city_code, province_code]) as code
    from main.townships
) left join reported.divisions on division_code = code;
create temp table unanswered as
with rules as (
    select s.*, string_split(subject_level, ';') as levels, v.value as asked,
        case when scope_code = '000000' then '' when scope_code like '__0000' then left(scope_code, 2)
            when scope_code like '____00' then left(scope_code, 4) else scope_code end as prefix
    from main.standards as s join main.standard_tiers as v on s.standard_id = v.standard_id and v.tier_no = 1
    where gradeable <> 'N' and formula not in ('staff_floor', 'per_capita_by_tier', 'paid_in_full')
)
select r.standard_id as rule_id, j.subject_level, j.subject_code, r.period, r.unit, r.strength in ('must', 'principle') as is_binding,
    r.effective_from, r.effective_to, r.asked as value_expected,
    if(r.formula = 'coverage_of_units' or not list_contains(r.levels, j.subject_level), 'unlisted', null) as reason
from rules as r join subjects as j on starts_with(j.subject_code, r.prefix) and (list_contains(r.levels, j.subject_level)
    or j.subject_level = 'county' and not list_has_any(r.levels, ['county', 'township', 'city', 'province']));
insert into main.judgements by name
select rule_id, subject_level, subject_code, month, status, value_checked, value_expected, shortfall, unit, reason, is_binding,
    subject_code as subject_unit
from (
    select standard_id as rule_id, 'township' as subject_level, township_code as subject_code, month, status,
        allocated_annual_cny as value_checked, guaranteed_annual_cny as value_expected, allocation_shortfall_cny as shortfall,
        '元' as unit, status_reason as reason, true as is_binding
    from main.funding_gap_monthly
    union all
    select s.standard_id, 'township', township_code, month,
        case when disbursement_shortfall_ytd_cny is null then 'not_reported' when disbursement_shortfall_ytd_cny > 0 then 'short' else 'met' end, disbursed_ytd_cny,
        guaranteed_ytd_cny, disbursement_shortfall_ytd_cny, '元', if(disbursement_shortfall_ytd_cny is null, 'silent', null), true
    from main.funding_gap_monthly as g join main.standards as s on s.standard_id = g.standard_id || '.1'
    where month(month) = 12
    union all
    select standard_id, 'township', township_code, month, status, counted_persons, required_min_persons, shortfall_persons,
        '人', null, true
    from main.staffing_gap_monthly
    union all
    select rule_id, subject_level, subject_code, month, 'not_reported', null, value_expected, null, unit, reason, is_binding
    from unanswered join periods using (period)
    where last_day(month) between effective_from and coalesce(effective_to, last_day(month))
)
order by year(month), subject_code, month, rule_id, subject_level;

-- Consecutive answers that are not met are one spell; it was cleared if the rule was answered again after it.
create temp table spells as
with open as (
    select j.*, s.period,
        year(month) * 12 + month(month) as number, number - row_number() over (partition by rule_id, subject_level, subject_code order by month) * if(s.period = 'year', 12, 1) as spell
    from main.judgements as j join (select standard_id, period from main.standards) as s on j.rule_id = s.standard_id
    where j.is_binding and j.status <> 'met'
)
select rule_id, subject_level, subject_code, period, any_value(unit) as unit, min(month) as opened_month, max(month) as last_month,
    max(number) - min(number) + if(period = 'year', 12, 1) as months_open, arg_max(status, month) as last_status,
    arg_max_null(value_checked, month) as value_checked, arg_max_null(value_expected, month) as value_expected,
    arg_max_null(shortfall, month) as shortfall
from open group by rule_id, subject_level, subject_code, spell, period;
insert into main.findings by name
with ends as (select period, max(month) as end_month from periods group by period),
told as (
    select f.*, s.clause, s.title_zh, d.document_title, j.subject_name, e.end_month,
        if(last_month < end_month, cast(last_month + to_months(if(f.period = 'year', 12, 1)) as date), null) as cleared_month,
        coalesce(last_status = 'short' and (shortfall < m.below_amount::decimal(18, 4) or shortfall * 100 < value_expected * m.below_pct::decimal(18, 4)), false)
            as is_minor,
        coalesce(s.severity, 'medium') as severity_of_rule,
        rule_id || '/' || f.subject_code || '/' || strftime(opened_month, '%Y-%m') as finding_id
    from spells as f join main.standards as s on f.rule_id = s.standard_id join main.policy_documents as d using (document_id)
    join ends as e on f.period = e.period join subjects as j on f.subject_level = j.subject_level and f.subject_code = j.subject_code
    left join {seed:materiality} as m on f.unit = m.unit
)
select
    finding_id, rule_id, subject_level, subject_code, opened_month, last_month, cleared_month, months_open,
    if(cleared_month is null, last_status, 'cleared') as status, value_checked, value_expected, shortfall, unit,
    if(value_checked is null, null, 'township') as source, if(is_minor, 'low', severity_of_rule) as severity, is_minor,
    coalesce(shortfall, 0) * months_open as weight, document_title, clause,
    subject_name || '：' || title_zh || '。' || strftime(last_month, '%Y-%m') || if(
        last_status = 'short',
        ' 应为 ' || in_words(value_expected, unit) || '，实为 ' || in_words(value_checked, unit) || '，差 ' || in_words(shortfall, unit),
        ' 未报送所需数据，无法判断'
    ) || coalesce('；' || strftime(cleared_month, '%Y-%m') || if(last_status = 'short', ' 起已整改', ' 已补报，达标'), '')
    || '。依据：《' || document_title || '》' || clause as message_zh,
    lag(finding_id) over (partition by rule_id, subject_level, subject_code order by opened_month) as previous_finding_id,
    false as is_overdue, false as is_exempt, 0 as notes_count
from told
order by subject_code, opened_month, finding_id;
