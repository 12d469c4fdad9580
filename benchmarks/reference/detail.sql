-- A county's row once for each level that adds it up.
create macro levels(county) as [
    {'unit_level': 'county', 'unit_code': county}, {'unit_level': 'city', 'unit_code': left(county, 4) || '00'},
    {'unit_level': 'province', 'unit_code': left(county, 2) || '0000'}, {'unit_level': 'country', 'unit_code': '000000'}];
insert into detail.submission_units by name
select submission_id, left(township_code, 6) as county_code, count(distinct township_code) as townships_count
from (
    select submission_id, township_code from reported.population
    union all select submission_id, township_code from reported.budget
    union all select submission_id, township_code from reported.staffing
)
group by all order by all;
insert into detail.submission_status by name
with datasets as (from (values ('population'), ('budget'), ('staffing')) as d (dataset)),
received as (
    select 'population' as dataset, township_code, month, 1 as files_count, null as blank_figures from reported.population where is_latest
    union all
    select 'budget', township_code, month, 1, if(adjusted_budget_cny is null, 'adjusted_budget_cny', null)
    from reported.budget where is_latest
    union all
    select 'staffing', township_code, month, 1, null from reported.staffing where is_latest
)
select
    t.township_code, t.township_name, t.county_code, m.month, d.dataset, u.due_on, u.nominal_due_on,
    case when files_count is null then if(u.due_on < current_date, 'missing', 'not_due')
        when u.due_on < current_date then 'undated' else 'on_time' end as status,
    case when files_count is not null then 'reported' when u.due_on < current_date then 'missing' else 'not_due' end as state,
    if(state = 'reported', 'figure', state) as told, blank_figures, false as is_late,
    if(state = 'reported', current_date, null) as first_received_on, first_received_on as last_received_on,
    coalesce(files_count, 0) as files_count, 0 as held_count, 0 as rejected_count
from main.townships as t cross join months as m cross join datasets as d join due_dates as u on m.month = u.month
left join received as r on d.dataset = r.dataset and t.township_code = r.township_code and m.month = r.month
where t.is_township
order by m.fiscal_year, t.township_code, m.month, d.dataset;
insert into detail.payment_pace by name
with silent as (
    select *, coalesce(disbursement_shortfall_ytd_cny is not null and disbursed_as_of_month = month and guaranteed_annual_cny > 0, false)
            as is_known,
        row_number() over (partition by township_code, fiscal_year, disbursed_ytd_cny order by month)
        - if(disbursed_ytd_cny = 0, 0, 1) as silent_months,
        coalesce(disbursement_shortfall_ytd_cny > 0, false) as is_behind,
        count(*) filter (not is_behind) over (partition by township_code, fiscal_year order by month) as times_good
    from main.funding_gap_monthly where standard_id is not null
),
behind as (
    select *, count(*) filter (is_behind) over (partition by township_code, fiscal_year, times_good order by month) as behind_months
    from silent
),
limits as (select limit_name, value::decimal(18, 4) as value from {seed:payment_pace})
select
    township_code, month,
    if(is_known, pct(disbursed_ytd_cny, guaranteed_annual_cny), null) as progress_pct,
    if(is_known, pct(guaranteed_ytd_cny, guaranteed_annual_cny), null) as calendar_pct,
    if(is_known, silent_months, null) as silent_months_count,
    case
        when not is_known then null
        when (guaranteed_ytd_cny - disbursed_ytd_cny) * 100
            <= guaranteed_annual_cny * (select value from limits where limit_name = 'behind_points') then 'on_pace'
        when disbursed_ytd_cny * 100 < guaranteed_ytd_cny * (select value from limits where limit_name = 'far_behind_pct')
            or silent_months >= (select value from limits where limit_name = 'silent_months') then 'far_behind'
        else 'behind'
    end as pace,
    if(is_known and is_behind, behind_months, null) as behind_months_count,
    if(is_known, disbursement_shortfall_ytd_cny, null) as behind_cny
from behind order by fiscal_year, township_code, month;
insert into detail.township_monthly by name
with sent as (
    select township_code, month, any_value(status) filter (dataset = 'population') as population_status,
        any_value(status) filter (dataset = 'budget') as budget_status,
        any_value(status) filter (dataset = 'staffing') as staffing_status,
        any_value(told) filter (dataset = 'population') as population_told,
        any_value(told) filter (dataset = 'budget') as budget_told, any_value(told) filter (dataset = 'staffing') as staffing_told,
        count(*) filter (state = 'reported') as sent_count, false as is_late
    from detail.submission_status group by township_code, month
)
select
    g.township_code, g.county_code, g.month,
    if(g.disbursed_as_of_month = g.month, pct(g.disbursed_ytd_cny, g.guaranteed_ytd_cny), null) as disbursed_pct,
    if(g.disbursed_as_of_month = g.month, pct(g.spent_ytd_cny, g.disbursed_ytd_cny), null) as spent_pct,
    case when s.township_code is null then 'no_standard' when is_short then 'short' when s.staff_excess_persons > 0 then 'over'
        when is_silent then 'not_reported' else 'met' end as staff_status,
    s.staff_shortfall_persons, s.staff_excess_persons, s.staff_required_persons, coalesce(s.is_silent, false) as staff_is_silent,
    sent.* exclude (township_code, month, is_late), false as is_late
from main.funding_gap_monthly as g
left join (
    select township_code, month, max(shortfall_persons) as staff_shortfall_persons, max(excess_persons) as staff_excess_persons,
        max(required_min_persons) as staff_required_persons, bool_or(status = 'short') as is_short,
        bool_or(status = 'not_reported') as is_silent
    from main.staffing_gap_monthly group by all
) as s on g.township_code = s.township_code and g.month = s.month
left join sent on g.township_code = sent.township_code and g.month = sent.month
order by g.fiscal_year, g.township_code, g.month;
insert into detail.vacancies_monthly by name
with known as (
    select t.township_code, m.month, if(dedicated_staff_persons is null, null, administrative_posts + institution_posts) as posts,
        if(posts is null, null, dedicated_staff_persons) as persons
    from main.townships as t cross join months as m left join reported.staffing as r
        on t.township_code = r.township_code and m.month = r.month and r.is_current
    where t.is_township
),
counted as (
    select township_code, month, 1 as units_count, if(posts is null, 0, 1) as known_count, posts as established_posts,
        persons as in_post_persons, missing(posts, persons) as vacant_posts, missing(persons, posts) as unposted_persons,
        if(vacant_posts > 0, 1, 0) as units_with_vacancies_count
    from known
),
counties as (
    select left(township_code, 6) as county, month, sum(columns(* exclude (township_code, month))) as '\0' from counted group by 1, 2
)
select 'township' as unit_level, township_code as unit_code, * exclude (township_code) from counted
union all by name
select unit_level, unit_code, month, sum(columns(* exclude (county, month, unit_level, unit_code))) as '\0'
from (select *, unnest(levels(county), recursive := true) from counties) group by 1, 2, 3
order by year(month), unit_level, unit_code, month;
insert into detail.unit_staffing_monthly by name
with counties as (
    select left(township_code, 6) as county, standard_id, month, count(*) as due_count, count(*) filter (status = 'met') as met_count,
        count(*) filter (status = 'short') as short_count, count(*) filter (status = 'over') as over_count,
        count(*) filter (status = 'not_reported') as not_reported_count, coalesce(sum(shortfall_persons) filter (status = 'short'), 0) as shortfall_persons
    from main.staffing_gap_monthly group by all
)
select unit_level, unit_code, month, standard_id, sum(due_count) as due_count, sum(met_count) as met_count,
    sum(short_count) as short_count, sum(over_count) as over_count, sum(not_reported_count) as not_reported_count, 0 as unconfirmed_count,
    0 as partial_count, sum(shortfall_persons) as shortfall_persons
from (select *, unnest(levels(county), recursive := true) from counties) group by 1, 2, 3, 4
order by year(month), unit_level, unit_code, month, standard_id;
insert into detail.unit_rules_monthly by name
with counties as (
    select left(subject_code, 6) as county, rule_id, month, count(*) as answers_count, count(*) filter (status = 'met') as met_count,
        count(*) filter (status = 'short') as short_count, count(*) filter (status = 'not_reported') as not_reported_count,
        count(*) filter (status = 'over') as over_count, sum(shortfall) as shortfall
    from main.judgements group by all
)
select unit_level, unit_code, month, rule_id, sum(answers_count) as answers_count, sum(met_count) as met_count,
    sum(short_count) as short_count, sum(over_count) as over_count, sum(not_reported_count) as not_reported_count, 0 as unconfirmed_count,
    0 as not_applicable_count, sum(shortfall) as shortfall
from (select *, unnest(levels(county), recursive := true) from counties) group by 1, 2, 3, 4
order by year(month), unit_level, unit_code, month, rule_id;
insert into detail.rule_coverage by name
with counties as (
    select rule_id, subject_level as unit_level, left(subject_code, 6) as county, month, count(*) as owed_count,
        count(*) filter (status in ('met', 'over')) as met_count, count(*) filter (status = 'short') as short_count,
        count(*) filter (status = 'not_reported') as not_reported_count
    from main.judgements where subject_level in ('county', 'township') and reason is distinct from 'unlisted' group by all
)
select rule_id, counties.unit_level, l.unit_level as parent_level, l.unit_code as parent_code, month,
    sum(owed_count) as owed_count, sum(met_count) as met_count, sum(short_count) as short_count,
    sum(not_reported_count) as not_reported_count, 0 as unconfirmed_count, 0 as not_applicable_count,
    cast(half_up(sum(met_count)::bigint * 1_000_000, sum(owed_count)::bigint) as decimal(18, 0)) * 0.0001::decimal(5, 4) as coverage_pct
from counties cross join (select unnest(levels(county)) as l)
where l.unit_level not in ('country', counties.unit_level)
group by 1, 2, 3, 4, 5
order by month, rule_id, unit_level, parent_level, parent_code;
insert into detail.scorecard by name
with shown as (select month from months where month > last_month - to_months(12)),
rules as (
    select s.standard_id as rule_id, s.title_zh, t.pillar_no, s.period
    from main.standards as s join {seed:scorecard_topics} as t using (topic_zh)
    where s.gradeable <> 'N' and s.strength in ('must', 'principle')
),
answers as (
    select subject_code as township_code, cast(j.month + to_months(step) as date) as month, pillar_no, rule_id, title_zh, status
    from main.judgements as j join rules using (rule_id)
    join (from range(24) as s (step)) on step < case period when 'month' then 1 when 'quarter' then 3 when 'half_year' then 6
        when 'year' then 12 else 24 end
    where subject_level = 'township' and cast(j.month + to_months(step) as date) in (from shown)
),
counted as (
    select township_code, month, pillar_no, count(*) as rules_count, count(*) filter (status in ('met', 'over')) as met_count,
        count(*) filter (status = 'short') as short_count, count(*) filter (status = 'not_reported') as not_reported_count
    from answers group by all
),
named as (
    select township_code, month, pillar_no, string_agg(title_zh, '；' order by rule_id) filter (status = 'short') as missing_zh,
        string_agg(title_zh, '；' order by rule_id) filter (status = 'not_reported') as not_reported_zh
    from answers where status in ('short', 'not_reported') group by all
),
pillars as (select distinct pillar_no, pillar_zh from {seed:scorecard_topics})
select t.township_code, s.month, p.pillar_no, p.pillar_zh,
    case when not t.is_township then 'not_applicable' when c.rules_count is null then 'no_standard' when c.short_count > 0 then 'short'
        when c.not_reported_count > 0 then 'not_reported' else 'met' end as status,
    coalesce(c.rules_count, 0) as rules_count, coalesce(c.met_count, 0) as met_count, coalesce(c.short_count, 0) as short_count,
    coalesce(c.not_reported_count, 0) as not_reported_count, n.missing_zh, n.not_reported_zh
from main.townships as t cross join shown as s cross join pillars as p
left join counted as c using (township_code, month, pillar_no) left join named as n using (township_code, month, pillar_no)
order by year(s.month), t.township_code, s.month, p.pillar_no;
insert into detail.unit_scorecard_monthly by name
with counties as (
    select left(township_code, 6) as county, month, pillar_no, pillar_zh, count(*) filter (rules_count > 0) as asked_units_count,
        count(*) filter (status = 'met') as met_units_count, count(*) filter (status = 'short') as short_units_count,
        count(*) filter (status = 'not_reported') as silent_units_count, sum(rules_count) as rules_count,
        sum(met_count) as met_count, sum(short_count) as short_count, sum(not_reported_count) as not_reported_count
    from detail.scorecard group by all
)
select unit_level, unit_code, month, pillar_no, pillar_zh,
    sum(columns(* exclude (county, month, pillar_no, pillar_zh, unit_level, unit_code))) as '\0'
from (select *, unnest(levels(county), recursive := true) from counties) group by 1, 2, 3, 4, 5
order by year(month), unit_level, unit_code, month, pillar_no;
insert into detail.unit_monthly by name
with units as (
    select g.county_code as county, g.month, g.status, guaranteed_annual_cny as annual, guaranteed_ytd_cny as ytd,
        allocated_annual_cny as allocated, disbursed_ytd_cny as disbursed, spent_ytd_cny as spent, allocation_shortfall_cny as gap,
        allocation_surplus_cny as surplus, g.disbursement_shortfall_ytd_cny as behind_cny, g.status in ('met', 'short') as is_judged,
        g.standard_id is not null as is_covered, is_covered and coalesce(disbursed_as_of_month = g.month, false) as is_complete, p.pace, t.* exclude (township_code, month, county_code)
    from main.funding_gap_monthly as g left join detail.payment_pace as p using (township_code, month)
    join detail.township_monthly as t using (township_code, month)
),
counties as (
    select county, month, count(*) as units_count, count(annual) as covered_count, count(*) filter (is_judged) as judged_count,
        count(*) filter (status = 'short') as short_count, count(*) filter (status = 'met') as met_count,
        count(*) filter (status = 'not_reported') as not_reported_count, count(*) filter (not is_covered) as no_standard_count,
        count(*) filter (staff_status <> 'no_standard') as staff_asked_count, count(sent_count) as expected_count,
        sum(annual) as guaranteed_of_covered_cny, sum(ytd) as guaranteed_ytd_of_covered_cny,
        sum(allocated) filter (is_covered) as allocated_of_covered_cny, sum(annual) filter (is_judged) as guaranteed_of_judged_cny,
        sum(ytd) filter (is_judged) as guaranteed_ytd_of_judged_cny, sum(allocated) filter (is_judged) as allocated_of_judged_cny,
        sum(gap) as allocation_shortfall_of_judged_cny, sum(surplus) as allocation_surplus_of_judged_cny,
        count(*) filter (is_complete) as complete_count, sum(annual) filter (is_complete) as guaranteed_of_complete_cny,
        sum(ytd) filter (is_complete) as guaranteed_ytd_of_complete_cny, sum(disbursed) filter (is_complete) as disbursed_of_complete_cny,
        count(disbursed) filter (is_covered and not is_complete) as partly_paid_count,
        sum(disbursed) filter (is_covered and not is_complete) as disbursed_of_partly_cny,
        count(behind_cny) as compared_count, count(*) filter (behind_cny > 0) as underpaid_count,
        sum(behind_cny) as disbursement_shortfall_of_compared_cny, sum(if(pace is not distinct from 'on_pace', 1, 0)) filter (is_covered) as on_pace_count,
        sum(if(pace is not distinct from 'behind', 1, 0)) filter (is_covered) as behind_count,
        sum(if(pace is not distinct from 'far_behind', 1, 0)) filter (is_covered) as far_behind_count,
        sum(spent) filter (is_complete) as spent_of_spending_cny, count(staff_shortfall_persons) as staff_judged_count,
        count(*) filter (staff_status = 'short') as staff_short_count, count(*) filter (staff_is_silent) as staff_silent_count,
        sum(staff_shortfall_persons) as staff_shortfall_of_judged_persons, sum(staff_excess_persons) as staff_excess_of_judged_persons,
        sum(staff_required_persons) as staff_required_of_asked_persons,
        count(*) filter (population_told <> 'figure') as population_missing_count,
        count(*) filter (budget_told <> 'figure') as budget_missing_count,
        count(*) filter (staffing_told <> 'figure') as staffing_missing_count,
        count(*) filter (sent_count < 3) as missing_count
    from units group by all
),
summed as (
    select unit_level, unit_code, month, sum(columns(* exclude (county, month, unit_level, unit_code))) as '\0'
    from (select *, unnest(levels(county), recursive := true) from counties) group by 1, 2, 3
)
select *, 0 as ended_count, 0 as late_count,
    complete_count as spending_count, disbursed_of_complete_cny as disbursed_of_spending_cny,
    pct(met_count, judged_count) as met_of_judged_pct,
    pct(allocated_of_judged_cny, guaranteed_of_judged_cny) as adequacy_of_judged_pct,
    pct(disbursed_of_complete_cny, guaranteed_ytd_of_complete_cny) as disbursed_of_complete_pct,
    pct(disbursed_of_complete_cny, guaranteed_of_complete_cny) as progress_of_complete_pct,
    pct(guaranteed_ytd_of_complete_cny, guaranteed_of_complete_cny) as calendar_of_complete_pct,
    pct(spent_of_spending_cny, disbursed_of_spending_cny) as spent_of_spending_pct,
    pct(expected_count - missing_count, expected_count) as complete_reports_pct
from summed order by year(month), unit_level, unit_code, month;
insert into detail.unit_findings_monthly by name
with moves as (
    select left(subject_code, 6) as area, opened_month as month, severity, 1 as opened, 0 as cleared from main.findings
    union all
    select left(subject_code, 6), cleared_month, severity, 0, 1 from main.findings where cleared_month is not null
),
moved as (
    select unit_level, unit_code, month, sum(opened) as opened, sum(cleared) as cleared,
        sum(opened - cleared) filter (severity = 'high') as high, sum(opened - cleared) filter (severity = 'medium') as medium,
        sum(opened - cleared) filter (severity = 'low') as low
    from (select *, unnest(levels(area), recursive := true) from moves)
    where unit_level in ('country', 'province') or unit_level = 'city' and area[3:] <> '0000' or area[5:] <> '00'
    group by 1, 2, 3
)
select unit_level, unit_code, m.month, sum(coalesce(opened - cleared, 0)) over so_far as open_count,
    sum(coalesce(high, 0)) over so_far as open_high_count, sum(coalesce(medium, 0)) over so_far as open_medium_count,
    sum(coalesce(low, 0)) over so_far as open_low_count, coalesce(opened, 0) as opened_count, coalesce(cleared, 0) as cleared_count
from (select distinct unit_level, unit_code from moved) cross join months as m left join moved using (unit_level, unit_code, month)
window so_far as (partition by unit_level, unit_code order by m.month)
order by unit_level, unit_code, m.month;
insert into detail.moved_amounts by name
with closed as (
    select f.*, s.formula from main.findings as f join main.standards as s on f.rule_id = s.standard_id
    where f.status = 'cleared' and s.formula in ('per_capita_by_tier', 'flat_by_tier', 'paid_in_full')
),
compared as (
    select c.finding_id, c.rule_id, c.subject_code as township_code, c.subject_code as unit_id,
        if(formula = 'paid_in_full', 'disbursed', 'allocated') as measure, 'opened' as begins_with, c.opened_month as from_month,
        c.cleared_month as month, b.value_checked as from_cny, e.value_checked as to_cny, b.shortfall as open_shortfall_cny,
        case when b.shortfall is null or from_cny is null then 'start_unknown' when to_cny is null then 'end_unknown' end
            as unknown_reason
    from closed as c
    join main.judgements as b on c.rule_id = b.rule_id and c.subject_code = b.subject_code and c.opened_month = b.month
    join main.judgements as e on c.rule_id = e.rule_id and c.subject_code = e.subject_code and c.cleared_month = e.month
)
select c.*, if(unknown_reason is null, least(greatest(to_cny - from_cny, 0), open_shortfall_cny), null) as moved_cny,
    year(from_month) <> year(c.month) as is_of_two_years,
    exists (from guarantees as g where g.is_counted and g.township_code = c.township_code and g.fiscal_year = year(c.month)
        and g.standard_id = regexp_replace(c.rule_id, '\.1$', '')) as is_counted_in_totals,
    f.month as from_report_month, f.submission_id as from_submission_id, f.sheet as from_sheet, f.row_number as from_row_number,
    t.month as to_report_month, t.submission_id as to_submission_id, t.sheet as to_sheet, t.row_number as to_row_number
from compared as c
left join main.fund_ledger_monthly as u on c.measure = 'allocated' and c.township_code = u.township_code and c.from_month = u.month
left join main.fund_ledger_monthly as v on c.measure = 'allocated' and c.township_code = v.township_code and c.month = v.month
left join reported.budget as f on u.township_code = f.township_code and u.initial_as_of_month = f.month and f.is_current
left join reported.budget as t on v.township_code = t.township_code and v.initial_as_of_month = t.month and t.is_current
order by c.township_code, c.month, c.finding_id;
insert into detail.unit_moved_monthly by name
with townships as (
    select township_code, m.month, left(township_code, 6) as county, count(*) as closed_money_count, count(moved_cny) as moved_known_count,
        count(*) filter (c.month = m.month) as closed_money_of_month_count,
        sum(moved_cny) filter (measure = 'allocated') as moved_allocated_ytd_cny,
        sum(moved_cny) filter (measure = 'disbursed') as moved_disbursed_ytd_cny,
        greatest(moved_allocated_ytd_cny, moved_disbursed_ytd_cny) as moved_ytd_cny
    from detail.moved_amounts as c join months as m on year(c.month) = m.fiscal_year and c.month <= m.month
    where is_counted_in_totals group by 1, 2
)
select unit_level, unit_code, month, 0 as moved_notified_count,
    sum(columns(* exclude (township_code, county, month, unit_level, unit_code))) as '\0'
from (select *, unnest(levels(county), recursive := true) from townships) group by 1, 2, 3
order by unit_level, unit_code, month;
insert into detail.unmet_duties by name
select
    j.month, j.subject_code, split_part(f.message_zh, '：', 1) as subject_name, j.rule_id, j.shortfall, f.unit,
    -- The finding tells the months up to its last answer.
    f.months_open - datediff('month', j.month, f.last_month) as months_count, f.finding_id
from main.judgements as j
join main.findings as f
    on j.rule_id = f.rule_id and j.subject_level = f.subject_level and j.subject_code = f.subject_code
    and j.month between f.opened_month and f.last_month
join main.standards as s on j.rule_id = s.standard_id join main.policy_documents as d using (document_id)
where j.status = 'short' and j.shortfall is not null and not f.is_exempt and not (f.is_minor and j.shortfall <= f.shortfall)
    and d.force = 'binding' and s.gradeable = 'Y' and s.strength in ('must', 'principle')
order by year(j.month), j.subject_code, j.month, j.rule_id;
insert into detail.conclusive_doubts by name
select township_code, month, 'edge' as kind, other_annual_cny as amount, other_tier_label as word, township_name, county_name
from main.funding_gap_monthly
where is_on_tier_edge and (allocated_annual_cny < other_annual_cny) <> (status = 'short')
order by month, township_code;
