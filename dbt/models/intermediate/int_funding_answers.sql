-- A row is a township × month × money standard: budget and payments compared with what it guarantees, and why not where not.
-- Must hold: nobody is short by digits the report does not have; a payment that does not reach the month is no gap.
{{ config(
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew('month')) }}"
) }}
with limits as (
    {{ minor_amounts() }}
),

-- A standard is compared with the amounts of its own matter and no other.
budgets as (
    select
        township_code, month, 'working_funds' as matter,
        allocated_annual_cny, allocated_precision_cny, disbursed_ytd_cny, disbursed_precision_cny, disbursed_is_complete
    from {{ ref('int_township_budget') }}
    where {{ anew('month') }}
    union all
    select
        m.township_code, m.month, a.matter,
        a.allocated_cny as allocated_annual_cny, a.allocated_precision_cny, a.disbursed_ytd_cny,
        a.disbursed_precision_cny,
        coalesce(a.disbursed_as_of_number = m.month_number and not a.disbursed_is_partial, false)
            as disbursed_is_complete
    from {{ ref('int_township_months') }} as m
    inner join {{ ref('int_matter_amounts') }} as a on m.unit_id = a.unit_id and m.month = a.month
    where a.matter <> 'working_funds' and {{ anew('m.month') }}
),

compared as (
    select
        f.*,
        b.allocated_annual_cny, b.disbursed_ytd_cny,
        case
            when f.population_persons is null or f.guaranteed_annual_cny is null then 'missing'
            when b.allocated_annual_cny is null then 'missing'
            when f.rests_on_stale then 'stale_population'
            when {{ is_too_coarse('b.allocated_annual_cny', 'b.allocated_precision_cny', 'f.least_annual_cny', 'z') }}
                then 'too_coarse'
        end as allocation_reason,
        {{ is_short('b.allocated_annual_cny', 'b.allocated_precision_cny', 'f.least_annual_cny') }}
            as allocation_is_short,
        case
            when f.population_persons is null or f.guaranteed_ytd_cny is null then 'missing'
            when b.disbursed_ytd_cny is null then 'silent'
            when f.rests_on_stale then 'stale_population'
            when
                not b.disbursed_is_complete
                and {{ is_short('b.disbursed_ytd_cny', 'b.disbursed_precision_cny', 'f.least_ytd_cny') }}
                then 'silent'
            when {{ is_too_coarse('b.disbursed_ytd_cny', 'b.disbursed_precision_cny', 'f.least_ytd_cny', 'z') }}
                then case when b.disbursed_is_complete then 'too_coarse' else 'silent' end
        end as payment_reason,
        {{ is_short('b.disbursed_ytd_cny', 'b.disbursed_precision_cny', 'f.least_ytd_cny') }} as payment_is_short
    from {{ ref('int_funding_by_standard') }} as f
    left join budgets as b on f.township_code = b.township_code and f.month = b.month and f.matter = b.matter
    cross join limits as z
    where {{ anew('f.month') }}
),

final as (
    select
        township_code, unit_id, month, fiscal_year, month_number, standard_id, is_binding,
        guaranteed_annual_cny, guaranteed_ytd_cny, allocated_annual_cny, disbursed_ytd_cny,
        allocation_reason,
        case
            when allocation_reason is not null then 'not_reported' when allocation_is_short then 'short' else 'met'
        end as allocation_status,
        cast(case
            when allocation_reason is not null then null
            when allocation_is_short then least_annual_cny - allocated_annual_cny
            else 0
        end as decimal(18, 2)) as allocation_shortfall_cny,
        payment_reason,
        case
            when payment_reason is not null then 'not_reported' when payment_is_short then 'short' else 'met'
        end as payment_status,
        cast(case
            when payment_reason is not null then null
            when payment_is_short then least_ytd_cny - disbursed_ytd_cny
            else 0
        end as decimal(18, 2)) as payment_shortfall_cny
    from compared
)

select * from final
