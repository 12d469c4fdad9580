-- A row is a township × month with the budget, payments and spending known for the year up to that month.
-- Must hold: from a takeover on they are the whole area's, told once from the heir's figures; unknown is null, never zero.
{{ config(
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew('month')) }}"
) }}
{% set kinds = ['disbursed', 'spent'] %}
with {{ area_amounts(anew('month')) }}
final as (
    select
        m.township_code, m.unit_id, m.month, m.fiscal_year, m.month_number,
        cast(a.allocated_cny as decimal(18, 2)) as allocated_annual_cny,
        cast(case when a.allocated_cny is not null then a.allocated_precision_cny end as decimal(18, 2))
            as allocated_precision_cny,
        cast(case when a.allocated_cny is not null then a.allocated_as_of_month end as date) as allocated_as_of_month,
        a.allocated_is_added,
        {% for kind in kinds %}
        cast(a.{{ kind }}_ytd_cny as decimal(18, 2)) as {{ kind }}_ytd_cny,
        cast(a.{{ kind }}_precision_cny as decimal(18, 2)) as {{ kind }}_precision_cny,
        cast({{ dbt.dateadd('month', 'cast(a.' ~ kind ~ '_as_of_number - m.month_number as int)', 'm.month') }} as date)
            as {{ kind }}_as_of_month,
        a.{{ kind }}_is_partial,
        a.{{ kind }}_is_doubtful,
        -- Complete: it reaches the month, and none before it is missing.
        coalesce(a.{{ kind }}_as_of_number = m.month_number and not a.{{ kind }}_is_partial, false)
            as {{ kind }}_is_complete,
        {% endfor %}
        o.is_listed_separately, o.allocated_source, o.disbursed_source, o.spent_source
    from {{ ref('int_township_months') }} as m
    inner join own as o on m.unit_id = o.unit_id and m.month = o.month
    inner join areas_3 as a on m.unit_id = a.unit_id and m.month = a.month
    where {{ anew('m.month') }}
)

select * from final
