-- A row is a unit × fund × source × month with what that source last reported; single payments are added up to their month.
-- Must hold: a source's month comes from its list of payments where it gives one; a month that a list covers is 0.00, not unknown.
{{ config(
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew('month')) }}"
) }}
{% set amounts = [
    'initial_budget_cny', 'adjusted_budget_cny', 'disbursed_cumulative_cny', 'spent_month_cny', 'spent_cumulative_cny',
    'carried_over_cny', 'from_above_cny', 'own_cny'
] %}
{% set lane = 'township_code, fund_code, source, month' %}
with budgets as (
    select * from {{ ref('reported_budget') }} where is_latest and {{ anew('month') }}
),

-- A covered month without a voucher is a payment of nothing.
payments as (
    select {{ lane }}, amount_cny, coalesce(amount_cny_precision, 0.01) as precision_cny
    from {{ ref('reported_payments') }}
    where is_current and {{ anew('month') }}
    union all
    select t.township_code, c.fund_code, c.source, c.month, 0 as amount_cny, 0 as precision_cny
    from {{ source('inputs', 'payment_coverage') }} as c
    inner join {{ ref('int_township_months') }} as t
        on c.month = t.month and c.division_code = substr(t.township_code, 1, 6) and t.is_township
    where {{ anew('c.month') }}
),

paid as (
    select
        {{ lane }},
        cast(sum(amount_cny) as decimal(18, 2)) as amount_cny,
        cast(sum(precision_cny) as decimal(18, 2)) as precision_cny
    from payments
    group by {{ lane }}
),

lanes as (
    select {{ lane }} from budgets
    union
    select {{ lane }} from paid
),

reports as (
    select
        u.unit_id, n.township_code, n.fund_code, n.source, n.month,
        {% for figure in amounts %}
        b.{{ figure }},
        case when b.{{ figure }} is not null then coalesce(b.{{ figure }}_precision, 0.01) end
            as {{ figure }}_precision,
        {% endfor %}
        coalesce(p.amount_cny, b.disbursed_month_cny) as disbursed_month_cny,
        coalesce(
            p.precision_cny,
            case when b.disbursed_month_cny is not null then coalesce(b.disbursed_month_cny_precision, 0.01) end
        ) as disbursed_month_cny_precision,
        b.is_listed_separately
    from lanes as n
    inner join {{ ref('int_unit_lineage') }} as u on n.township_code = u.township_code
    left join budgets as b
        on
            n.township_code = b.township_code and n.fund_code = b.fund_code
            and n.source = b.source and n.month = b.month
    left join paid as p
        on
            n.township_code = p.township_code and n.fund_code = p.fund_code
            and n.source = p.source and n.month = p.month
),

-- In the month of a renaming both codes may report. Hardly a unit has two, and a window over all would sort the country.
renamed as (
    select unit_id
    from {{ ref('int_unit_lineage') }}
    group by unit_id
    having min(township_code) <> max(township_code)
),

chosen as (
    select
        r.*,
        cast(row_number() over (
            partition by r.unit_id, r.fund_code, r.source, r.month order by r.township_code desc nulls last
        ) as bigint) as choice
    from reports as r
    inner join renamed as d on r.unit_id = d.unit_id
    union all
    select r.*, cast(1 as bigint) as choice
    from reports as r
    left join renamed as d on r.unit_id = d.unit_id
    where d.unit_id is null
),

final as (
    select
        unit_id, fund_code, source, month,
        {% for figure in amounts + ['disbursed_month_cny'] %}
        cast({{ figure }} as decimal(18, 2)) as {{ figure }},
        cast({{ figure }}_precision as decimal(18, 2)) as {{ figure }}_precision,
        {% endfor %}
        is_listed_separately
    from chosen
    where choice = 1
)

select * from final
