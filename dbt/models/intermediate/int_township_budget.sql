-- A row is a township × month with the budget, payments and spending known for the year up to that month.
-- Must hold: a later report wins; a month without a report carries the last known figure, never zero.
{{ config(
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew('month')) }}"
) }}
with months as (
    select township_code, unit_id, month, fiscal_year
    from {{ ref('int_township_months') }}
    where {{ anew('month') }}
),

reported as (
    select
        m.township_code, m.unit_id, m.month, m.fiscal_year,
        b.initial_budget_cny, b.adjusted_budget_cny,
        b.disbursed_month_cny, b.disbursed_cumulative_cny,
        b.spent_month_cny, b.spent_cumulative_cny,
        b.is_listed_separately
    from months as m
    left join {{ ref('reported_budget') }} as b
        on m.township_code = b.township_code and m.month = b.month and b.is_current
),

{% set year = 'unit_id, fiscal_year' %}
to_date as (
    select
        township_code, unit_id, month, fiscal_year,
        {{ last_known('initial_budget_cny', year, 'month') }} as initial_cny,
        {{ last_known('adjusted_budget_cny', year, 'month') }} as adjusted_cny,
        {{ last_known('disbursed_cumulative_cny', year, 'month') }} as disbursed_cumulative,
        {{ last_known('spent_cumulative_cny', year, 'month') }} as spent_cumulative,
        {{ last_known('is_listed_separately', year, 'month') }} as is_listed_separately,
        sum(disbursed_month_cny) over (
            partition by {{ year }} order by month asc nulls first
            rows between unbounded preceding and current row
        ) as disbursed_sum,
        sum(spent_month_cny) over (
            partition by {{ year }} order by month asc nulls first
            rows between unbounded preceding and current row
        ) as spent_sum
    from reported
),

final as (
    select
        township_code, unit_id, month, fiscal_year,
        cast(coalesce(adjusted_cny, initial_cny) as decimal(18, 2)) as allocated_annual_cny,
        cast(coalesce(disbursed_cumulative, cast(disbursed_sum as decimal(18, 2))) as decimal(18, 2))
            as disbursed_ytd_cny,
        cast(coalesce(spent_cumulative, cast(spent_sum as decimal(18, 2))) as decimal(18, 2)) as spent_ytd_cny,
        is_listed_separately
    from to_date
)

select * from final
