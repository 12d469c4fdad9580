-- A row is one of the five of 五有 × a county, city, province or the whole country × month: its townships by state.
-- Must hold: a township that no rule asks is counted in no state.
{{ config(
    alias='unit_scorecard_monthly', tags=['nationwide'],
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(
        anew('month') ~ ' or month <= (select ' ~ dbt.dateadd('month', -12, 'max(month)') ~ ' from ' ~ ref('int_months') ~ ')'
    ) }}"
) }}

with counties as (
    select
        substr(township_code, 1, 6) as county_code, month, pillar_no, pillar_zh,
        sum(case when rules_count > 0 then 1 else 0 end) as asked_units_count,
        sum(case when status = 'met' then 1 else 0 end) as met_units_count,
        sum(case when status = 'short' then 1 else 0 end) as short_units_count,
        sum(case when status = 'not_reported' then 1 else 0 end) as silent_units_count,
        sum(rules_count) as rules_count,
        sum(met_count) as met_count,
        sum(short_count) as short_count,
        sum(not_reported_count) as not_reported_count
    from {{ ref('detail_scorecard') }}
    where {{ anew('month') }}
    group by substr(township_code, 1, 6), month, pillar_no, pillar_zh
),

levels as (
    {{ at_every_level('counties') }}
),

final as (
    select
        cast(unit_level as string) as unit_level,
        cast(unit_code as string) as unit_code,
        cast(month as date) as month,
        pillar_no,
        cast(pillar_zh as string) as pillar_zh,
        {%- for name in [
            'asked_units_count', 'met_units_count', 'short_units_count', 'silent_units_count', 'rules_count',
            'met_count', 'short_count', 'not_reported_count'
        ] %}
        cast(sum({{ name }}) as bigint) as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from levels
    group by unit_level, unit_code, month, pillar_no, pillar_zh
)

select * from final
order by extract(year from month), unit_level, unit_code, month, pillar_no
