-- A row is a township × month whose money the roll-ups of the month add: in force in it, or ended earlier in the year.
-- Must hold: numerator and denominator of a rate come from the same rows; what is unknown is null and counted apart.
{{ config(materialized='view') }}

with latest as (
    select township_code, max(month) as month
    from {{ ref('int_township_months') }}
    group by township_code
),

-- One successor carries the whole year on; a unit without one would vanish from the year's sums with its last month.
ended as (
    select last.township_code, last.month as last_month
    from latest as last
    inner join {{ ref('int_units') }} as u on last.township_code = u.division_code
    left join {{ ref('int_units') }} as heir on u.successor_code = heir.division_code
    where u.unit_end is not null and heir.division_code is null
),

in_force as (
    select
        county_code, month, standard_id, status,
        guaranteed_annual_cny, guaranteed_ytd_cny, allocated_annual_cny, disbursed_ytd_cny, spent_ytd_cny,
        allocation_shortfall_cny, allocation_surplus_cny, disbursement_shortfall_ytd_cny,
        0 as is_ended
    from {{ ref('funding_gap_monthly') }}
    where {{ anew('month') }}
),

-- What a unit was guaranteed for the year is what had accrued when it ended.
gone as (
    select
        f.county_code, m.month, f.standard_id,
        case
            when f.status not in ('met', 'short') then f.status
            when f.guaranteed_ytd_cny > f.allocated_annual_cny then 'short'
            else 'met'
        end as status,
        f.guaranteed_ytd_cny as guaranteed_annual_cny,
        f.guaranteed_ytd_cny, f.allocated_annual_cny, f.disbursed_ytd_cny, f.spent_ytd_cny,
        case when f.status in ('met', 'short')
            then {{ missing('f.guaranteed_ytd_cny', 'f.allocated_annual_cny') }} end as allocation_shortfall_cny,
        case when f.status in ('met', 'short')
            then {{ missing('f.allocated_annual_cny', 'f.guaranteed_ytd_cny') }} end as allocation_surplus_cny,
        f.disbursement_shortfall_ytd_cny,
        1 as is_ended
    from ended as e
    inner join {{ ref('funding_gap_monthly') }} as f
        on e.township_code = f.township_code and e.last_month = f.month
    inner join {{ ref('int_months') }} as m on f.fiscal_year = m.fiscal_year and m.month > f.month
    where {{ anew('m.month') }}
),

added as (
    select * from in_force
    union all
    select * from gone
),

final as (
    select
        *,
        case when standard_id is not null then 1 else 0 end as is_covered,
        case when status in ('met', 'short') then 1 else 0 end as is_judged,
        case when guaranteed_ytd_cny is not null and disbursed_ytd_cny is not null then 1 else 0 end as is_complete,
        case
            when standard_id is not null and disbursed_ytd_cny is not null and spent_ytd_cny is not null then 1
            else 0
        end as is_spending
    from added
)

select * from final
