-- A row is a township-level unit × month in which it is in force on the last day.
-- Must hold: a row stands there whether or not the township reported anything.
{{ config(
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew('month')) }}"
) }}
with units as (
    select division_code, division_name, valid_from, unit_end, is_township
    from {{ ref('int_units') }}
    where unit_level = 'township'
),

final as (
    select
        u.division_code as township_code,
        u.division_name as township_name,
        l.unit_id,
        substr(u.division_code, 1, 6) as county_code,
        u.is_township,
        m.month,
        m.fiscal_year,
        m.month_number,
        m.last_day
    from units as u
    inner join {{ ref('int_unit_lineage') }} as l on u.division_code = l.township_code
    inner join {{ ref('int_months') }} as m
        on
            (u.valid_from is null or u.valid_from <= m.last_day)
            and (u.unit_end is null or u.unit_end > m.last_day)
    where {{ anew('m.month') }}
)

select * from final
