-- A row is a rule × a county, city, province or the whole country × month: its subjects by what was answered.
-- Must hold: every judgement is counted once at each level.
{{ config(
    alias='unit_rules_monthly', tags=['nationwide'],
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew('month')) }}"
) }}

{% set statuses = ['met', 'short', 'over', 'not_reported', 'unconfirmed', 'not_applicable'] %}
with answers as (
    select
        substr(subject_code, 1, 6) as county_code, rule_id, month,
        count(*) as answers_count,
        {%- for status in statuses %}
        sum(case when status = '{{ status }}' then 1 else 0 end) as {{ status }}_count,
        {%- endfor %}
        sum(shortfall) as shortfall
    from {{ ref('judgements') }}
    where {{ anew('month') }}
    group by substr(subject_code, 1, 6), rule_id, month
),

levels as (
    {{ at_every_level('answers') }}
),

final as (
    select
        cast(unit_level as string) as unit_level,
        cast(unit_code as string) as unit_code,
        cast(month as date) as month,
        cast(rule_id as string) as rule_id,
        cast(sum(answers_count) as bigint) as answers_count,
        {%- for status in statuses %}
        cast(sum({{ status }}_count) as bigint) as {{ status }}_count,
        {%- endfor %}
        cast(sum(shortfall) as decimal(24, 4)) as shortfall
    from levels
    group by unit_level, unit_code, month, rule_id
)

select * from final
order by extract(year from month), unit_level, unit_code, month, rule_id
