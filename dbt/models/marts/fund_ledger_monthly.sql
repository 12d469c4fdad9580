-- A row is a township × month × fund: what was carried over, budgeted, paid and spent of it, and what is left.
-- Must hold: funds never meet; an amount nobody reported is null, and each stands with its month and how it was written.
{{ config(
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew('month')) }}"
) }}
{% set budgets = ['carried_over', 'from_above', 'own', 'initial', 'adjusted'] %}
with used as (
    select * from {{ ref('int_fund_used') }} where {{ anew('month') }}
),

joined as (
    select
        m.township_code, m.township_name, m.county_code, m.month, m.fiscal_year, m.month_number,
        u.fund_code, u.matter,
        {% for name in budgets %}
        u.{{ name }}_cny, u.{{ name }}_precision_cny, u.{{ name }}_as_of_month,
        {% endfor %}
        u.allocated_cny, u.allocated_source,
        {% for kind in ['disbursed', 'spent'] %}
        u.{{ kind }}_ytd_cny, u.{{ kind }}_precision_cny, u.{{ kind }}_is_partial, u.{{ kind }}_source,
        cast({{ dbt.dateadd('month', 'cast(u.' ~ kind ~ '_as_of_number - m.month_number as int)', 'm.month') }} as date)
            as {{ kind }}_as_of_month,
        {% endfor %}
        f.fund_name, f.budget_includes_carryover
    from {{ ref('int_township_months') }} as m
    inner join used as u on m.unit_id = u.unit_id and m.month = u.month
    left join {{ ref('stg_funds') }} as f on u.fund_code = f.fund_code
    where
        {{ anew('m.month') }}
        and (
            u.allocated_cny is not null or u.disbursed_ytd_cny is not null or u.spent_ytd_cny is not null
            or u.carried_over_cny is not null or u.from_above_cny is not null or u.own_cny is not null
        )
),

final as (
    select
        cast(township_code as string) as township_code,
        cast(township_name as string) as township_name,
        cast(county_code as string) as county_code,
        cast(month as date) as month,
        cast(fiscal_year as bigint) as fiscal_year,
        cast(fund_code as string) as fund_code,
        -- A fund that no list names keeps the name that was written.
        cast(coalesce(fund_name, substr(fund_code, 10)) as string) as fund_name,
        cast(case when matter <> '' then matter end as string) as matter,
        {% for name in budgets %}
        cast({{ name }}_cny as decimal(18, 2)) as {{ name }}_cny,
        cast(case when {{ name }}_cny is not null then {{ name }}_precision_cny end as decimal(18, 2))
            as {{ name }}_precision_cny,
        cast(case when {{ name }}_cny is not null then {{ name }}_as_of_month end as date) as {{ name }}_as_of_month,
        {% endfor %}
        cast(case when allocated_cny is not null then allocated_source end as string) as allocated_source,
        {% for kind in ['disbursed', 'spent'] %}
        cast({{ kind }}_ytd_cny as decimal(18, 2)) as {{ kind }}_ytd_cny,
        cast(case when {{ kind }}_ytd_cny is not null then {{ kind }}_precision_cny end as decimal(18, 2))
            as {{ kind }}_precision_cny,
        cast(case when {{ kind }}_ytd_cny is not null then {{ kind }}_as_of_month end as date)
            as {{ kind }}_as_of_month,
        cast(case when {{ kind }}_ytd_cny is not null then coalesce({{ kind }}_is_partial, false) end as boolean)
            as {{ kind }}_is_partial,
        cast(case when {{ kind }}_ytd_cny is not null then {{ kind }}_source end as string) as {{ kind }}_source,
        {% endfor %}
        -- Left of the year's money: known where budget and spending are.
        cast(
            allocated_cny
            + case when coalesce(budget_includes_carryover, false) then 0 else coalesce(carried_over_cny, 0) end
            - spent_ytd_cny
            as decimal(18, 2)
        ) as balance_cny
    from joined
)

select * from final
order by fiscal_year, township_code, month, fund_code
