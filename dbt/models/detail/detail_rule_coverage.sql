-- A row is how many units below a county, city or province meet a rule: rule × level of units × parent × month.
-- Must hold: the denominator is every unit that owes an answer, not only those that reported.
{{ config(
    alias='rule_coverage',
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew('month')) }}"
) }}

with counties as (
    select
        rule_id, subject_level as unit_level, substr(subject_code, 1, 6) as county_code, month,
        cast(count(*) as bigint) as owed_count,
        cast(sum(case when status in ('met', 'over') then 1 else 0 end) as bigint) as met_count,
        cast(sum(case when status = 'short' then 1 else 0 end) as bigint) as short_count,
        cast(sum(case when status = 'not_reported' then 1 else 0 end) as bigint) as not_reported_count,
        cast(sum(case when status = 'unconfirmed' then 1 else 0 end) as bigint) as unconfirmed_count,
        cast(sum(case when status = 'not_applicable' then 1 else 0 end) as bigint) as not_applicable_count
    from {{ ref('judgements') }}
    where
        subject_level in ('county', 'township', 'village', 'community', 'institution')
        -- The county that answers for units no register lists is no unit itself.
        and coalesce(reason, '') <> 'unlisted'
        and {{ anew('month') }}
    group by rule_id, subject_level, substr(subject_code, 1, 6), month
),

parents as (
    select 'county' as parent_level, c.county_code as parent_code, c.*
    from counties as c
    where c.unit_level <> 'county'
    union all
    select 'city' as parent_level, substr(c.county_code, 1, 4) || '00' as parent_code, c.*
    from counties as c
    union all
    select 'province' as parent_level, substr(c.county_code, 1, 2) || '0000' as parent_code, c.*
    from counties as c
),

summed as (
    select
        rule_id, unit_level, parent_level, parent_code, month,
        cast(sum(owed_count) as bigint) as owed_count,
        cast(sum(met_count) as bigint) as met_count,
        cast(sum(short_count) as bigint) as short_count,
        cast(sum(not_reported_count) as bigint) as not_reported_count,
        cast(sum(unconfirmed_count) as bigint) as unconfirmed_count,
        cast(sum(not_applicable_count) as bigint) as not_applicable_count
    from parents
    group by rule_id, unit_level, parent_level, parent_code, month
),

final as (
    select
        s.*,
        cast({{ ratio('s.met_count', '(s.owed_count - s.not_applicable_count)', '100') }} as decimal(18, 4))
            as coverage_pct
    from summed as s
)

select * from final
order by month, rule_id, unit_level, parent_level, parent_code
