-- A row is a township × year × rule of payment: whether what was paid reached what was guaranteed.
-- Must hold: judged in December, and in its last month of a unit that ends without a single heir.
{{ config(
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew('month')) }}"
) }}
with rules as (
    -- The rule of payment of a money standard has its number with `.1` after it.
    select standard_id as rule_id, substr(standard_id, 1, length(standard_id) - 2) as standard_id
    from {{ ref('stg_standards') }}
    where formula = 'paid_in_full' and gradeable <> 'N' and standard_id like '%.1'
),

last_months as (
    select p.unit_id, p.fiscal_year, max(p.last_number) as last_number
    from {{ ref('int_unit_phases') }} as p
    where not exists (select 1 from {{ ref('int_takeovers') }} as t where p.unit_id = t.unit_id)
    group by p.unit_id, p.fiscal_year
),

final as (
    select
        r.rule_id, a.standard_id, a.is_binding, a.township_code, a.unit_id, a.month,
        a.guaranteed_ytd_cny, a.disbursed_ytd_cny, a.payment_status, a.payment_shortfall_cny, a.payment_reason
    from {{ ref('int_funding_answers') }} as a
    inner join rules as r on a.standard_id = r.standard_id
    left join last_months as l on a.unit_id = l.unit_id and a.fiscal_year = l.fiscal_year
    where {{ anew('a.month') }} and (a.month_number = 12 or a.month_number = l.last_number)
)

select * from final
