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
    d.valid_from, d.valid_to, d.successor_code,
    regexp_matches(d.division_type, '镇|乡|街道|苏木') and not regexp_matches(d.division_type, '类似|其他|开发区|场') as is_township, d.division_code as unit_id
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
create temp table rules as
select s.*, string_split(s.subject_level, ';') as levels, v.value as asked,
    case when scope_code = '000000' then '' when scope_code like '__0000' then left(scope_code, 2)
        when scope_code like '____00' then left(scope_code, 4) else scope_code end as prefix
from main.standards as s join main.standard_tiers as v on s.standard_id = v.standard_id and v.tier_no = 1
where s.gradeable <> 'N';
create temp table tiers as
select t.*, coalesce(lower_bound, 0) + if(coalesce(lower_included, true), 0, 1) as least,
    coalesce(upper_bound, 1_000_000_000) - if(coalesce(upper_included, true), 0, 1) as most
from main.standard_tiers as t;
-- Of several standards for the same money the highest counts.
create temp table guarantees as
with asked as (
    select p.*, r.standard_id, r.population_basis, t.tier_label, t.value,
        if(formula = 'flat_by_tier', t.value * 100, p.persons * t.value * 12 * 100)::bigint as annual_fen, o.tier_label as other_tier_label,
        if(formula = 'flat_by_tier', o.value * 100, p.persons * o.value * 12 * 100)::bigint as other_fen
    from people as p join main.townships as u on p.township_code = u.township_code and u.is_township
    join rules as r on r.formula in ('per_capita_by_tier', 'flat_by_tier') and starts_with(p.township_code, r.prefix)
    join tiers as t on r.standard_id = t.standard_id and p.persons between t.least and t.most
    left join tiers as o on r.standard_id = o.standard_id and o.tier_no <> t.tier_no
        and p.persons in (o.lower_bound, o.upper_bound) and p.persons > 0
),
highest as (select fiscal_year, township_code, arg_max(standard_id, annual_fen) as counted_id from asked group by all)
select asked.*, standard_id = counted_id as is_counted,
    case when is_counted then (select string_agg(r.standard_id, ';' order by r.standard_id) from rules as r
        where r.formula in ('per_capita_by_tier', 'flat_by_tier') and starts_with(township_code, r.prefix) and r.standard_id <> counted_id)
    end as also_standard_id
from asked join highest using (fiscal_year, township_code);
insert into detail.funding_pieces by name
select township_code as unit_id, township_code, fiscal_year, 1 as known_from_number, 12 as known_until_number,
    1 as phase_from_number, 12 as phase_until_number, 12 as unit_last_number, standard_id, 'monthly' as accrual,
    is_counted, 1 as first_number, 12 as last_number, population_basis, persons as population_persons,
    population_month, tier_label, value as tier_value, annual_fen * 100 as annual_units,
    annual_fen::hugeint * 100 * 27720 // 12 as month_units
from guarantees order by fiscal_year, township_code;

-- In the generated country each report gives all its figures (nothing checks it here: comparing would show it), so a month without one takes them from the month before it.
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
        t.township_code, t.township_name, t.county_code, t.county_name, m.month, m.fiscal_year, g.standard_id, g.also_standard_id,
        g.tier_label, 'registered' as population_basis, p.persons as population_persons, p.population_month,
        t.township_code as population_township_code, p.is_fallback as population_is_fallback, false as population_is_stale, false as includes_predecessors,
        g.other_tier_label is not null as is_on_tier_edge, false as is_tier_uncertain, g.other_tier_label,
        yuan(g.other_fen) as other_annual_cny, yuan(g.annual_fen) as guaranteed_annual_cny,
        yuan(half_up(g.annual_fen * m.month_number, 12)) as guaranteed_ytd_cny, if(g.standard_id is null, null, m.month_number) as accrued_months_count,
        l.initial_cny as allocated_annual_cny, l.initial_as_of_month as allocated_as_of_month,
        l.initial_precision_cny as allocated_precision_cny, l.allocated_source, l.disbursed_ytd_cny,
        l.disbursed_as_of_month, l.disbursed_precision_cny, false as disbursed_is_partial, l.disbursed_source,
        if(l.disbursed_as_of_month = m.month, 'figure', 'missing') as disbursed_told, l.spent_ytd_cny,
        l.spent_as_of_month, l.spent_precision_cny, false as spent_is_partial, false as predecessors_are_added,
        false as is_within_precision
    from main.townships as t cross join months as m
    left join people as p on t.township_code = p.township_code and m.fiscal_year = p.fiscal_year
    left join guarantees as g on t.township_code = g.township_code and m.fiscal_year = g.fiscal_year and g.is_counted
    left join main.fund_ledger_monthly as l on t.township_code = l.township_code and m.month = l.month
)
select *, guaranteed_annual_cny as guaranteed_least_annual_cny, guaranteed_ytd_cny as guaranteed_least_ytd_cny,
    missing(guaranteed_annual_cny, allocated_annual_cny) as allocation_shortfall_cny,
    missing(allocated_annual_cny, guaranteed_annual_cny) as allocation_surplus_cny,
    case when disbursed_ytd_cny >= guaranteed_ytd_cny then 0
        when disbursed_as_of_month = month then missing(guaranteed_ytd_cny, disbursed_ytd_cny)
    end as disbursement_shortfall_ytd_cny,
    pct(allocated_annual_cny, guaranteed_annual_cny) as adequacy_pct,
    case when standard_id is null then 'no_standard' when guaranteed_annual_cny > allocated_annual_cny then 'short'
        when guaranteed_annual_cny <= allocated_annual_cny then 'met' else 'not_reported' end as status,
    if(standard_id is not null and allocated_annual_cny is null, 'missing', null) as status_reason
from rows
order by fiscal_year, township_code, month;

-- Which of the people reported a rule counts, and how many of them it asks for by themselves.
create temp table counting as
select r.standard_id, r.matter, r.formula, r.prefix, string_agg(m.measure_code, ';' order by m.measure_code) as parts,
    parts like '%administrative_posts%' as administrative, parts like '%institution_posts%' as institution,
    parts like '%dedicated_staff_persons%' as dedicated, parts like '%welfare_posts_persons%' as welfare,
    parts like '%purchased_service_persons%' as purchased,
    max(threshold) filter (measure_code = 'administrative_posts') as least_administrative,
    max(threshold) filter (measure_code = 'institution_posts') as least_institution
from rules as r join detail.standard_measures as m using (standard_id)
where formula in ('staff_floor', 'staff_range_by_tier', 'posts_parts') group by all;
insert into main.staffing_gap_monthly by name
select
    t.township_code, m.month, c.standard_id, v.tier_label, p.persons as population_persons, p.population_month,
    p.is_fallback as population_is_fallback,
    coalesce(p.persons > 0 and p.persons in (v.lower_bound, v.upper_bound), false) as is_on_tier_edge,
    false as is_tier_uncertain,
    if(administrative, administrative_posts, 0) + if(institution, institution_posts, 0) + if(dedicated, dedicated_staff_persons, 0)
    + if(welfare, welfare_posts_persons, 0) + if(purchased, purchased_service_persons, 0) as counted_persons,
    false as counted_is_partial, v.value as required_min_persons, v.value as required_least_persons,
    v.value_max as advised_max_persons, v.value_max as advised_most_persons,
    if(formula = 'posts_parts',
        missing(least_administrative, administrative_posts) + missing(least_institution, institution_posts),
        missing(v.value, counted_persons)) as shortfall_persons,
    case when shortfall_persons is null then null when v.value_max is null then 0 else missing(counted_persons, v.value_max)
    end as excess_persons, true as is_counted_in_totals,
    case when shortfall_persons is null then 'not_reported' when shortfall_persons > 0 then 'short' when excess_persons > 0 then 'over'
        else 'met' end as status
from main.townships as t cross join months as m
join counting as c on starts_with(t.township_code, c.prefix)
left join people as p on t.township_code = p.township_code and m.fiscal_year = p.fiscal_year
join tiers as v on c.standard_id = v.standard_id and coalesce(p.persons, 0) between v.least and v.most
left join reported.staffing as r on t.township_code = r.township_code and m.month = r.month and r.is_current
where t.is_township
order by m.fiscal_year, t.township_code, m.month, c.standard_id;
-- Of rules on the same matter that count the same people, the one that misses most stands for them in totals.
update main.staffing_gap_monthly as s set is_counted_in_totals = false
from (
    select township_code, month, standard_id
    from main.staffing_gap_monthly join counting using (standard_id)
    where matter || parts in (select matter || parts from counting group by all having count(*) > 1)
    qualify row_number() over (
        partition by township_code, month, matter, parts order by shortfall_persons desc nulls last, standard_id) > 1
) as less
where s.township_code = less.township_code and s.month = less.month and s.standard_id = less.standard_id;

-- Who answers what, and when: no indicator is reported in this world, so every rule on one is unanswered.
create temp table periods as
select period, month from months, (values
    ('month', 1, 0), ('quarter', 3, 2), ('half_year', 6, 5), ('year', 12, 11), ('two_years', 12, 23)) as p (period, every, before)
where month_number % every = 0 and month >= (select min(month) from months) + to_months(before);
create temp table subjects as
select 'township' as subject_level, township_code as subject_code, township_name as subject_name from main.townships
where is_township
union all
select distinct on (level, code) level, code, coalesce(division_name, code)
from (
    select unnest(['county', 'city', 'province']) as level, unnest([county_code, city_code, province_code]) as code
    from main.townships where is_township
) left join reported.divisions on division_code = code;
create temp table unanswered as
select r.standard_id as rule_id, j.subject_level, j.subject_code, r.period, r.unit, r.strength in ('must', 'principle') as is_binding,
    r.effective_from, r.effective_to, if(r.formula = 'step', null, r.asked) as value_expected, r.formula, m.unit_level,
    if(m.unit_level in ('village', 'community') or not list_contains(r.levels, j.subject_level), 'unlisted', null) as reason
from rules as r join subjects as j on starts_with(j.subject_code, r.prefix) and (list_contains(r.levels, j.subject_level)
    or j.subject_level = 'county' and not list_has_any(r.levels, ['county', 'township', 'city', 'province']))
left join detail.standard_measures as m on r.standard_id = m.standard_id and m.role = 'unit' and r.formula = 'coverage_of_units'
where r.formula not in ('staff_floor', 'staff_range_by_tier', 'posts_parts', 'per_capita_by_tier', 'flat_by_tier', 'paid_in_full',
    'village_coverage', 'county_listed_separately') and r.standard_id not in (select standard_id from detail.standard_parts);
insert into detail.unit_shares by name
select u.rule_id as standard_id, u.subject_level, u.subject_code, p.month, count(*) as units_count, 0 as having_count,
    count(*) as silent_count, true as roster_is_complete
from unanswered as u join periods as p using (period)
join subjects as j on j.subject_level = u.unit_level and starts_with(j.subject_code, rtrim(u.subject_code, '0'))
where u.unit_level = 'township' group by all order by p.month, u.rule_id, u.subject_code;
create temp table money as
select standard_id, is_counted, township_code, month, allocated_annual_cny, yuan(annual_fen) as annual_cny, disbursed_ytd_cny,
    disbursed_as_of_month, missing(annual_cny, allocated_annual_cny) as gap_cny
from main.funding_gap_monthly as f join guarantees as g using (township_code, fiscal_year, standard_id)
union all
select g.standard_id, g.is_counted, township_code, month, allocated_annual_cny, yuan(g.annual_fen) as annual_cny, disbursed_ytd_cny,
    disbursed_as_of_month, missing(annual_cny, allocated_annual_cny)
from guarantees as g join main.funding_gap_monthly as f using (township_code, fiscal_year) where not g.is_counted;
create temp table payments as
select r.standard_id, is_counted, township_code, month, annual_cny, disbursed_ytd_cny,
    case when disbursed_ytd_cny >= annual_cny then 0
        when disbursed_as_of_month = month then missing(annual_cny, disbursed_ytd_cny) end as gap_cny
from money as g join rules as r on r.standard_id = g.standard_id || '.1' where month(month) = 12;
insert into main.judgements by name
select rule_id, subject_level, subject_code, month, status, value_checked, value_expected, shortfall, unit, reason, is_binding,
    subject_code as subject_unit
from (
    select standard_id as rule_id, 'township' as subject_level, township_code as subject_code, month,
        case when gap_cny > 0 then 'short' when gap_cny = 0 then 'met' else 'not_reported' end as status,
        allocated_annual_cny as value_checked, annual_cny as value_expected, gap_cny as shortfall,
        '元' as unit, if(gap_cny is null, 'missing', null) as reason, true as is_binding
    from money
    union all
    select standard_id, 'township', township_code, month,
        case when gap_cny > 0 then 'short' when gap_cny = 0 then 'met' else 'not_reported' end,
        disbursed_ytd_cny, annual_cny, gap_cny, '元', if(gap_cny is null, 'silent', null), true
    from payments
    union all
    select standard_id, 'township', township_code, month, status, counted_persons, required_min_persons, shortfall_persons,
        r.unit, null, true
    from main.staffing_gap_monthly join rules as r using (standard_id)
    union all
    select r.standard_id, 'township', t.township_code, m.month,
        case when villages_count > villages_with_assistant_count then 'short' when villages_count = 0 then 'not_applicable'
            when villages_count <= villages_with_assistant_count then 'met' else 'not_reported' end,
        villages_with_assistant_count, villages_count, missing(villages_count, villages_with_assistant_count), r.unit, null, true
    from rules as r join main.townships as t on t.is_township and starts_with(t.township_code, r.prefix) cross join months as m
    left join reported.staffing as s on t.township_code = s.township_code and m.month = s.month and s.is_current
    where r.formula = 'village_coverage'
    union all
    select standard_id, 'county', county_code, month,
        case when broken > 0 then 'short' when kept < asked then 'not_reported' else 'met' end, kept, asked, broken, unit, null, true
    from (
        select r.standard_id, r.unit, f.county_code, f.month, count(*) as asked,
            count(*) filter (f.status = 'met' and b.is_listed and coalesce(p.gap_cny, if(p.month is null, 0, 1)) = 0) as kept,
            count(*) filter (f.status = 'short' or not b.is_listed or p.gap_cny > 0) as broken
        from rules as r join main.funding_gap_monthly as f on starts_with(f.township_code, r.prefix) and f.standard_id is not null
        left join (
            select township_code, year(month) as fiscal_year, bool_and(is_listed_separately) as is_listed
            from reported.budget where is_current group by all
        ) as b on f.township_code = b.township_code and f.fiscal_year = b.fiscal_year and f.allocated_annual_cny is not null
        left join payments as p on p.is_counted and f.township_code = p.township_code
            and p.month = make_date(f.fiscal_year - if(month(f.month) = 12, 0, 1), 12, 1)
        where r.formula = 'county_listed_separately' group by all
    )
    union all
    -- One that is made of others: a part known to fail fails the whole, a silent one leaves it unanswered.
    select standard_id, 'township', township_code, month, if(short > 0, 'short', if(silent > 0, 'not_reported', 'met')), met, met + short + silent,
        if(short > 0 or silent = 0, short, null), unit, null, is_binding
    from (
        select standard_id, unit, is_binding, township_code, month, count(*) filter (short) as short,
            count(*) filter (silent and not short) as silent, count(*) filter (not silent and not short) as met
        from (
            select p.standard_id, r.unit, r.strength in ('must', 'principle') as is_binding, p.part_no, t.township_code, m.month,
                coalesce(bool_or(coalesce(f.gap_cny, s.shortfall_persons) > 0), false) as short,
                bool_or(coalesce(f.gap_cny, s.shortfall_persons) is null) as silent
            from detail.standard_parts as p join rules as r using (standard_id)
            join rules as of on of.standard_id = p.rule_id
            join main.townships as t on t.is_township and starts_with(t.township_code, r.prefix) and starts_with(t.township_code, of.prefix)
            cross join months as m
            left join money as f on f.standard_id = p.rule_id and f.township_code = t.township_code and f.month = m.month
            left join main.staffing_gap_monthly as s
                on s.standard_id = p.rule_id and s.township_code = t.township_code and s.month = m.month
            group by all
        ) group by all
    )
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
        year(month) * 12 + month(month) as number, number - row_number() over (partition by rule_id, subject_level, subject_code order by month) * every(s.period) as spell
    from main.judgements as j join (select standard_id, period from main.standards) as s on j.rule_id = s.standard_id
    where j.is_binding and j.status in ('short', 'not_reported')
)
select rule_id, subject_level, subject_code, period, any_value(unit) as unit, min(month) as opened_month, max(month) as last_month,
    max(number) - min(number) + every(period) as months_open, arg_max(status, month) as last_status,
    arg_max_null(value_checked, month) as value_checked, arg_max_null(value_expected, month) as value_expected,
    arg_max_null(shortfall, month) as shortfall
from open group by rule_id, subject_level, subject_code, spell, period;
insert into main.findings by name
with ends as (select period, max(month) as end_month from periods group by period),
told as (
    select f.*, s.clause, s.title_zh, d.document_title, j.subject_name, e.end_month,
        if(last_month < end_month, cast(last_month + to_months(every(f.period)) as date), null) as cleared_month,
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
    if(value_checked is not null and subject_level = 'township', 'township', null) as source, if(is_minor, 'low', severity_of_rule) as severity, is_minor,
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
