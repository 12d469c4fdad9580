-- A row is a standard on people × a county, city, province or the whole country × month: its townships by answer.
-- Must hold: a township is counted once for each standard that asks it; people are missing only where it is short.
{{ config(
    alias='unit_staffing_monthly', tags=['nationwide'],
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew('month')) }}"
) }}

{% set statuses = ['met', 'short', 'over', 'not_reported', 'unconfirmed'] %}
with counties as (
    select
        substr(township_code, 1, 6) as county_code, standard_id, month,
        {%- for status in statuses %}
        sum(case when status = '{{ status }}' then 1 else 0 end) as {{ status }}_count,
        {%- endfor %}
        sum(case when counted_is_partial then 1 else 0 end) as partial_count,
        sum(case when status = 'short' then shortfall_persons else 0 end) as shortfall_persons
    from {{ ref('staffing_gap_monthly') }}
    where {{ anew('month') }}
    group by substr(township_code, 1, 6), standard_id, month
),

levels as (
    {{ at_every_level('counties') }}
),

final as (
    select
        cast(unit_level as string) as unit_level,
        cast(unit_code as string) as unit_code,
        cast(month as date) as month,
        cast(standard_id as string) as standard_id,
        cast(sum({{ statuses | join('_count + ') }}_count) as bigint) as due_count,
        {%- for status in statuses %}
        cast(sum({{ status }}_count) as bigint) as {{ status }}_count,
        {%- endfor %}
        cast(sum(partial_count) as bigint) as partial_count,
        cast(sum(shortfall_persons) as bigint) as shortfall_persons
    from levels
    group by unit_level, unit_code, month, standard_id
)

select * from final
order by extract(year from month), unit_level, unit_code, month, standard_id
