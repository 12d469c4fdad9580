-- A row is a unit × matter × month: the amounts that standards on the matter are compared with, of all its funds together.
-- Must hold: two matters never meet; of several funds of one matter the least known one decides how far the sum is known.
{{ config(
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew('month')) }}"
) }}
with used as (
    select * from {{ ref('int_fund_used') }} where matter <> '' and {{ anew('month') }}
),

final as (
    select
        unit_id, matter, fiscal_year, month, month_number,
        cast(sum(guaranteeing_cny) as decimal(18, 2)) as allocated_cny,
        cast(sum(case when guaranteeing_cny is not null then allocated_precision_cny end) as decimal(18, 2))
            as allocated_precision_cny,
        max(allocated_as_of_month) as allocated_as_of_month,
        max(case when guaranteeing_cny is not null then allocated_source end) as allocated_source,
        {% for kind in ['disbursed', 'spent'] %}
        cast(sum({{ kind }}_ytd_cny) as decimal(18, 2)) as {{ kind }}_ytd_cny,
        cast(sum({{ kind }}_precision_cny) as decimal(18, 2)) as {{ kind }}_precision_cny,
        min({{ kind }}_as_of_number) as {{ kind }}_as_of_number,
        max(case when {{ kind }}_is_partial then 1 else 0 end) = 1 as {{ kind }}_is_partial,
        max(case when {{ kind }}_is_cumulative then 1 else 0 end) = 1 as {{ kind }}_is_cumulative,
        max(case when {{ kind }}_ytd_cny is not null then {{ kind }}_source end) as {{ kind }}_source,
        {% endfor %}
        max(case when is_listed_separately then 1 when not is_listed_separately then 0 end) = 1 as is_listed_separately
    from used
    group by unit_id, matter, fiscal_year, month, month_number
)

select * from final
