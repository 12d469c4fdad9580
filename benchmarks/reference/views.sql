create view detail.evidence as
with rules as (
    select s.standard_id as rule_id, s.formula, s.decimals, v.value as base, v.value_max as advised_max, v.lower_bound as included,
        (select max(threshold) from detail.standard_measures as m where m.standard_id = s.standard_id and m.role = 'denominator') as per
    from main.standards as s left join main.standard_tiers as v on s.standard_id = v.standard_id and v.tier_no = 1
)
select j.rule_id, j.subject_level, j.subject_code, j.month, r.formula, j.status, j.reason, j.unit, j.value_checked, j.value_expected,
    j.shortfall, j.numerator, j.denominator, cast(coalesce(r.per, 1) as decimal(18, 4)) as per, r.base, r.included, r.advised_max, r.decimals,
    u.silent_count, u.roster_is_complete, coalesce(j.tier_label, p.tier_label, f.tier_label) as tier_label,
    coalesce(p.is_on_tier_edge, f.is_on_tier_edge, false) as is_on_tier_edge, f.other_tier_label,
    coalesce(p.population_persons, f.population_persons) as population_persons,
    coalesce(p.population_month, f.population_month) as population_month
from main.judgements as j join rules as r using (rule_id)
left join detail.unit_shares as u
    on j.rule_id = u.standard_id and j.subject_level = u.subject_level and j.subject_code = u.subject_code and j.month = u.month
left join main.staffing_gap_monthly as p
    on j.rule_id = p.standard_id and j.subject_level = 'township' and j.subject_code = p.township_code and j.month = p.month
left join main.funding_gap_monthly as f
    on j.rule_id = f.standard_id and j.subject_level = 'township' and j.subject_code = f.township_code and j.month = f.month;
create view detail.unit_steps_monthly as
with judged as (
    select county_code as county, township_code, month, guaranteed_annual_cny as guaranteed, allocated_annual_cny as allocated,
        allocation_shortfall_cny as gap
    from main.funding_gap_monthly where status in ('met', 'short')
),
pairs as (
    select coalesce(n.county, t.county) as county, coalesce(n.month, cast(t.month + to_months(t.back) as date)) as month,
        coalesce(n.back, t.back) as months_back, n.county is null as has_left, t.county is null as has_entered,
        coalesce(n.guaranteed, 0) - coalesce(t.guaranteed, 0) as guaranteed, coalesce(n.allocated, 0) - coalesce(t.allocated, 0) as allocated,
        coalesce(n.gap, 0) - coalesce(t.gap, 0) as gap, coalesce(n.gap, 0) as gap_now, coalesce(t.gap, 0) as gap_then
    from (select *, unnest([1, 12]) as back from judged) as n
    full join (select *, unnest([1, 12]) as back from judged) as t
        on n.township_code = t.township_code and n.back = t.back and n.month = cast(t.month + to_months(t.back) as date)
),
steps as (
    select *, 'unit' as family, case when has_entered then 'entered' when has_left then 'left' else 'same' end as step from pairs
    union all
    select * from (select *, 'gap' as family, case when has_entered and gap_now > 0 then 'entered' when has_left and gap_then > 0 then 'left'
        when gap_then = 0 and gap_now > 0 then 'opened' when gap_then > 0 and gap_now = 0 then 'closed' when gap > 0 then 'grown'
        when gap < 0 then 'shrunk' end as step
    from pairs) where step is not null
),
counties as (
    select county, month, months_back, family, step, count(*) as units_count, sum(guaranteed) as guaranteed, sum(allocated) as allocated,
        sum(gap) as gap
    from steps group by all
)
select unit_level, unit_code, month, cast(months_back as integer) as months_back, family, step,
    cast(sum(units_count) as bigint) as units_count, cast(sum(guaranteed) as decimal(20, 2)) as guaranteed_change_cny,
    cast(sum(allocated) as decimal(20, 2)) as allocated_change_cny, cast(sum(gap) as decimal(20, 2)) as allocation_shortfall_change_cny
from (select *, unnest(levels(county), recursive := true) from counties)
group by 1, 2, 3, 4, 5, 6 order by month, unit_level, unit_code, months_back, family, step;
