-- A row is a township × month whose money the roll-ups of the month add: in force in it, or ended earlier in the year.
-- Must hold: numerator and denominator of a rate come from the same rows; what is unknown is null and counted apart.
{{ config(materialized='view', tags=['nationwide']) }}

{% set amounts = [
    'guaranteed_annual_cny', 'guaranteed_ytd_cny', 'allocated_annual_cny', 'disbursed_ytd_cny', 'spent_ytd_cny',
    'allocation_shortfall_cny', 'allocation_surplus_cny', 'disbursement_shortfall_ytd_cny'
] %}
with limits as (
    {{ minor_amounts() }}
),

latest as (
    select unit_id, max(month) as month
    from {{ ref('int_township_months') }}
    group by unit_id
),

-- A single heir carries the whole area's year on; a unit without one would vanish from the year's sums.
ended as (
    select t.township_code, l.month as last_month, h.since_month
    from latest as l
    inner join {{ ref('int_township_months') }} as t on l.unit_id = t.unit_id and l.month = t.month
    inner join {{ ref('int_units') }} as u on t.township_code = u.division_code
    left join {{ ref('detail_takeovers') }} as h on l.unit_id = h.unit_id
    where u.unit_end is not null
),

known as (
    select
        f.*,
        coalesce(f.disbursed_as_of_month = f.month and not f.disbursed_is_partial, false) as is_paid_to_date,
        coalesce(f.spent_as_of_month = f.month and not f.spent_is_partial, false) as is_spent_to_date
    from {{ ref('funding_gap_monthly') }} as f
    where {{ anew('f.month') }}
),

-- What a unit was guaranteed for the year is what had accrued when it ended.
gone as (
    select
        k.county_code, m.month, k.standard_id, k.is_paid_to_date, k.is_spent_to_date,
        k.guaranteed_ytd_cny, k.guaranteed_least_ytd_cny, k.allocated_annual_cny, k.disbursed_ytd_cny, k.spent_ytd_cny,
        k.disbursement_shortfall_ytd_cny,
        -- A report too coarse for the whole year may be fine enough for the part that the unit had, or the other way round.
        case
            when k.status = 'no_standard' then k.status
            when coalesce(k.status_reason, '') in ('missing', 'stale_population') then 'not_reported'
            when {{ is_too_coarse(
                'k.allocated_annual_cny', 'k.allocated_precision_cny', 'k.guaranteed_least_ytd_cny', 'z'
            ) }} then 'not_reported'
            when {{ is_short('k.allocated_annual_cny', 'k.allocated_precision_cny', 'k.guaranteed_least_ytd_cny') }}
                then 'short'
            else 'met'
        end as status
    from ended as e
    inner join known as k on e.township_code = k.township_code and e.last_month = k.month
    inner join {{ ref('int_months') }} as m on k.fiscal_year = m.fiscal_year and m.month > k.month
    cross join limits as z
    where e.since_month is null or m.month < e.since_month
),

-- What was budgeted for months in which it no longer stood is nobody's surplus and makes up for nobody's shortfall.
judged as (
    select
        county_code, month, standard_id, status, is_paid_to_date, is_spent_to_date, guaranteed_ytd_cny,
        guaranteed_ytd_cny as guaranteed_annual_cny,
        case when allocated_annual_cny > guaranteed_ytd_cny then guaranteed_ytd_cny else allocated_annual_cny end
            as allocated_annual_cny,
        disbursed_ytd_cny, spent_ytd_cny, disbursement_shortfall_ytd_cny,
        case status when 'short' then guaranteed_least_ytd_cny - allocated_annual_cny when 'met' then 0 end
            as allocation_shortfall_cny,
        case when status in ('met', 'short') then 0 end as allocation_surplus_cny
    from gone
),

added as (
    select
        county_code, month, standard_id, status, is_paid_to_date, is_spent_to_date, 0 as is_ended,
        {{ amounts | join(', ') }}
    from known
    union all
    select
        county_code, month, standard_id, status, is_paid_to_date, is_spent_to_date, 1 as is_ended,
        {{ amounts | join(', ') }}
    from judged
),

final as (
    select
        *,
        case when standard_id is not null then 1 else 0 end as is_covered,
        case when status in ('met', 'short') then 1 else 0 end as is_judged,
        case when guaranteed_ytd_cny is not null and is_paid_to_date then 1 else 0 end as is_complete,
        case when standard_id is not null and is_paid_to_date and is_spent_to_date then 1 else 0 end as is_spending
    from added
)

select * from final
