-- A row is a county, city, province or the whole country × month: counts and sums over its townships.
-- Must hold: every figure is that of the townships' own rows; what is unknown adds nothing and is counted apart.
{{ config(
    alias='unit_monthly',
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew('month')) }}"
) }}

with funding as (
    select
        county_code, month,
        count(*) as units_count,
        count(standard_id) as covered_count,
        sum(guaranteed_annual_cny) as guaranteed_annual_cny,
        sum(guaranteed_ytd_cny) as guaranteed_ytd_cny,
        sum(case when standard_id is not null then allocated_annual_cny end) as allocated_annual_cny,
        sum(case when standard_id is not null then disbursed_ytd_cny end) as disbursed_ytd_cny,
        sum(case when standard_id is not null then spent_ytd_cny end) as spent_ytd_cny,
        sum(allocation_shortfall_cny) as allocation_shortfall_cny,
        sum(disbursement_shortfall_ytd_cny) as disbursement_shortfall_ytd_cny,
        sum(case when allocated_annual_cny is not null then guaranteed_annual_cny end) as judged_guaranteed_cny,
        sum(case when guaranteed_annual_cny is not null then allocated_annual_cny end) as judged_allocated_cny,
        sum(case when status = 'short' then 1 else 0 end) as short_count,
        sum(case when status = 'met' then 1 else 0 end) as met_count,
        sum(case when status = 'not_reported' then 1 else 0 end) as not_reported_count,
        sum(case when status = 'no_standard' then 1 else 0 end) as no_standard_count
    from {{ ref('funding_gap_monthly') }}
    where {{ anew('month') }}
    group by county_code, month
),

-- Somebody short under two standards is missing once: the larger of the two counts.
staffed as (
    select
        county_code, township_code, month,
        max(shortfall_persons) as shortfall_persons,
        max(excess_persons) as excess_persons,
        max(required_min_persons) as required_persons,
        max(case when status = 'short' then 1 else 0 end) as is_short,
        max(case when status = 'not_reported' then 1 else 0 end) as is_silent
    from (
        select
            substr(township_code, 1, 6) as county_code,
            township_code, month, shortfall_persons, excess_persons, required_min_persons, status
        from {{ ref('staffing_gap_monthly') }}
        where {{ anew('month') }}
    ) as s
    group by county_code, township_code, month
),

staffing as (
    select
        county_code, month,
        count(*) as staff_asked_count,
        sum(shortfall_persons) as shortfall_persons,
        sum(excess_persons) as excess_persons,
        sum(required_persons) as required_persons,
        sum(is_short) as staff_short_count,
        sum(is_silent) as staff_silent_count
    from staffed
    group by county_code, month
),

sent as (
    select
        county_code, township_code, month,
        sum(case when dataset = 'population' and is_there then 1 else 0 end) as population,
        sum(case when dataset = 'budget' and is_there then 1 else 0 end) as budget,
        sum(case when dataset = 'staffing' and is_there then 1 else 0 end) as staffing,
        max(case when is_late then 1 else 0 end) as is_late
    from (
        select
            county_code, township_code, month, dataset, is_late,
            status in ('on_time', 'late', 'undated', 'corrected') as is_there
        from {{ ref('detail_submission_status') }}
        where {{ anew('month') }}
    ) as s
    group by county_code, township_code, month
),

reports as (
    select
        county_code, month,
        count(*) as expected_count,
        sum(1 - population) as population_missing_count,
        sum(1 - budget) as budget_missing_count,
        sum(1 - staffing) as staffing_missing_count,
        sum(case when population + budget + staffing < 3 then 1 else 0 end) as missing_count,
        sum(is_late) as late_count
    from sent
    group by county_code, month
),

counties as (
    select
        f.*,
        s.staff_asked_count, s.shortfall_persons, s.excess_persons, s.required_persons,
        s.staff_short_count, s.staff_silent_count,
        r.expected_count, r.population_missing_count, r.budget_missing_count, r.staffing_missing_count,
        r.missing_count, r.late_count
    from funding as f
    left join staffing as s on f.county_code = s.county_code and f.month = s.month
    left join reports as r on f.county_code = r.county_code and f.month = r.month
),

levels as (
    select 'county' as unit_level, c.county_code as unit_code, c.* from counties as c
    union all
    select 'city' as unit_level, substr(c.county_code, 1, 4) || '00' as unit_code, c.* from counties as c
    union all
    select 'province' as unit_level, substr(c.county_code, 1, 2) || '0000' as unit_code, c.* from counties as c
    union all
    select 'country' as unit_level, '000000' as unit_code, c.* from counties as c
),

final as (
    select
        cast(unit_level as varchar) as unit_level,
        cast(unit_code as varchar) as unit_code,
        cast(month as date) as month,
        {%- for name in [
            'units_count', 'covered_count', 'short_count', 'met_count', 'not_reported_count',
            'no_standard_count', 'staff_asked_count', 'staff_short_count', 'staff_silent_count',
            'shortfall_persons', 'excess_persons', 'required_persons', 'expected_count',
            'population_missing_count', 'budget_missing_count', 'staffing_missing_count', 'missing_count',
            'late_count'
        ] %}
        cast(sum({{ name }}) as bigint) as {{ name }},
        {%- endfor %}
        {%- for name in [
            'guaranteed_annual_cny', 'guaranteed_ytd_cny', 'allocated_annual_cny', 'disbursed_ytd_cny',
            'spent_ytd_cny', 'allocation_shortfall_cny', 'disbursement_shortfall_ytd_cny',
            'judged_guaranteed_cny', 'judged_allocated_cny'
        ] %}
        cast(sum({{ name }}) as decimal(24, 2)) as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from levels
    group by unit_level, unit_code, month
)

select * from final
order by extract(year from month), unit_level, unit_code, month
