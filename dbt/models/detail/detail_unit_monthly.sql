-- A row is a county, city, province or the whole country × month: counts and sums over its townships.
-- Must hold: a sum says over which units it runs, a rate divides two sums over the same ones, nothing known is null.
{{ config(
    alias='unit_monthly', tags=['nationwide'],
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew('month')) }}"
) }}

with funding as (
    select
        county_code, month,
        sum(1 - is_ended) as units_count,
        sum(is_ended * is_covered) as ended_count,
        sum(is_covered) as covered_count,
        sum(is_judged) as judged_count,
        sum(case when status = 'short' then 1 else 0 end) as short_count,
        sum(case when status = 'met' then 1 else 0 end) as met_count,
        sum(case when status = 'not_reported' then 1 else 0 end) as not_reported_count,
        sum(case when status = 'no_standard' then 1 else 0 end) as no_standard_count,
        sum(guaranteed_annual_cny) as guaranteed_of_covered_cny,
        sum(guaranteed_ytd_cny) as guaranteed_ytd_of_covered_cny,
        sum(case when is_covered = 1 then allocated_annual_cny end) as allocated_of_covered_cny,
        sum(case when is_judged = 1 then guaranteed_annual_cny end) as guaranteed_of_judged_cny,
        sum(case when is_judged = 1 then guaranteed_ytd_cny end) as guaranteed_ytd_of_judged_cny,
        sum(case when is_judged = 1 then allocated_annual_cny end) as allocated_of_judged_cny,
        sum(allocation_shortfall_cny) as allocation_shortfall_of_judged_cny,
        sum(allocation_surplus_cny) as allocation_surplus_of_judged_cny,
        sum(is_complete) as complete_count,
        sum(case when is_complete = 1 then guaranteed_annual_cny end) as guaranteed_of_complete_cny,
        sum(case when is_complete = 1 then guaranteed_ytd_cny end) as guaranteed_ytd_of_complete_cny,
        sum(case when is_complete = 1 then disbursed_ytd_cny end) as disbursed_of_complete_cny,
        sum(case when is_covered = 1 and is_complete = 0 and disbursed_ytd_cny is not null then 1 else 0 end)
            as partly_paid_count,
        sum(case when is_covered = 1 and is_complete = 0 then disbursed_ytd_cny end) as disbursed_of_partly_cny,
        sum(case when disbursement_shortfall_ytd_cny is not null then 1 else 0 end) as compared_count,
        sum(case when disbursement_shortfall_ytd_cny > 0 then 1 else 0 end) as underpaid_count,
        sum(disbursement_shortfall_ytd_cny) as disbursement_shortfall_of_compared_cny,
        sum(is_spending) as spending_count,
        sum(case when is_spending = 1 then disbursed_ytd_cny end) as disbursed_of_spending_cny,
        sum(case when is_spending = 1 then spent_ytd_cny end) as spent_of_spending_cny
    from {{ ref('int_amounts_to_add') }}
    group by county_code, month
),

paces as (
    select
        substr(township_code, 1, 6) as county_code, month,
        sum(case when pace = 'on_pace' then 1 else 0 end) as on_pace_count,
        sum(case when pace = 'behind' then 1 else 0 end) as behind_count,
        sum(case when pace = 'far_behind' then 1 else 0 end) as far_behind_count
    from {{ ref('detail_payment_pace') }}
    where {{ anew('month') }}
    group by substr(township_code, 1, 6), month
),

townships as (
    select
        county_code, month,
        sum(case when staff_status <> 'no_standard' then 1 else 0 end) as staff_asked_count,
        sum(case when staff_shortfall_persons is not null then 1 else 0 end) as staff_judged_count,
        sum(staff_shortfall_persons) as staff_shortfall_of_judged_persons,
        sum(staff_excess_persons) as staff_excess_of_judged_persons,
        sum(staff_required_persons) as staff_required_of_asked_persons,
        sum(case when staff_status = 'short' then 1 else 0 end) as staff_short_count,
        sum(case when staff_is_silent then 1 else 0 end) as staff_silent_count,
        sum(case when sent_count is not null then 1 else 0 end) as expected_count,
        {%- for dataset in ['population', 'budget', 'staffing'] %}
        sum(case
            when {{ dataset }}_status is null or {{ dataset }}_status in ('on_time', 'late', 'undated', 'corrected')
                then 0
            else 1
        end) as {{ dataset }}_missing_count,
        {%- endfor %}
        sum(case when sent_count < 3 then 1 else 0 end) as missing_count,
        sum(case when is_late then 1 else 0 end) as late_count
    from {{ ref('detail_township_monthly') }}
    where {{ anew('month') }}
    group by county_code, month
),

counties as (
    select
        f.*,
        {%- for name in [
            'staff_asked_count', 'staff_judged_count', 'staff_short_count', 'staff_silent_count',
            'staff_shortfall_of_judged_persons', 'staff_excess_of_judged_persons',
            'staff_required_of_asked_persons', 'expected_count', 'population_missing_count',
            'budget_missing_count', 'staffing_missing_count', 'missing_count', 'late_count'
        ] %}
        t.{{ name }},
        {%- endfor %}
        p.on_pace_count, p.behind_count, p.far_behind_count
    from funding as f
    left join townships as t on f.county_code = t.county_code and f.month = t.month
    left join paces as p on f.county_code = p.county_code and f.month = p.month
),

levels as (
    {{ at_every_level('counties') }}
),

summed as (
    select
        unit_level, unit_code, month,
        {%- for name in [
            'units_count', 'ended_count', 'covered_count', 'judged_count', 'short_count', 'met_count',
            'not_reported_count', 'no_standard_count', 'complete_count', 'partly_paid_count', 'compared_count',
            'underpaid_count', 'on_pace_count', 'behind_count', 'far_behind_count', 'spending_count', 'staff_asked_count', 'staff_judged_count', 'staff_short_count',
            'staff_silent_count', 'staff_shortfall_of_judged_persons', 'staff_excess_of_judged_persons',
            'staff_required_of_asked_persons', 'expected_count', 'population_missing_count',
            'budget_missing_count', 'staffing_missing_count', 'missing_count', 'late_count'
        ] %}
        cast(sum({{ name }}) as bigint) as {{ name }},
        {%- endfor %}
        {%- for name in [
            'guaranteed_of_covered_cny', 'guaranteed_ytd_of_covered_cny', 'allocated_of_covered_cny',
            'guaranteed_of_judged_cny', 'guaranteed_ytd_of_judged_cny', 'allocated_of_judged_cny',
            'allocation_shortfall_of_judged_cny', 'allocation_surplus_of_judged_cny', 'guaranteed_of_complete_cny', 'guaranteed_ytd_of_complete_cny',
            'disbursed_of_complete_cny', 'disbursed_of_partly_cny', 'disbursement_shortfall_of_compared_cny',
            'disbursed_of_spending_cny', 'spent_of_spending_cny'
        ] %}
        cast(sum({{ name }}) as decimal(24, 2)) as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from levels
    group by unit_level, unit_code, month
),

final as (
    select
        cast(unit_level as string) as unit_level,
        cast(unit_code as string) as unit_code,
        cast(month as date) as month,
        units_count, ended_count, covered_count, judged_count, short_count, met_count, not_reported_count,
        no_standard_count,
        {{ share_pct('met_count', 'judged_count') }} as met_of_judged_pct,
        guaranteed_of_covered_cny, guaranteed_ytd_of_covered_cny, allocated_of_covered_cny,
        guaranteed_of_judged_cny, guaranteed_ytd_of_judged_cny, allocated_of_judged_cny,
        allocation_shortfall_of_judged_cny, allocation_surplus_of_judged_cny,
        {{ share_pct('allocated_of_judged_cny', 'guaranteed_of_judged_cny') }} as adequacy_of_judged_pct,
        complete_count, guaranteed_of_complete_cny, guaranteed_ytd_of_complete_cny, disbursed_of_complete_cny,
        {{ share_pct('disbursed_of_complete_cny', 'guaranteed_ytd_of_complete_cny') }}
            as disbursed_of_complete_pct,
        {{ share_pct('disbursed_of_complete_cny', 'guaranteed_of_complete_cny') }} as progress_of_complete_pct,
        {{ share_pct('guaranteed_ytd_of_complete_cny', 'guaranteed_of_complete_cny') }}
            as calendar_of_complete_pct,
        partly_paid_count, disbursed_of_partly_cny,
        compared_count, underpaid_count, disbursement_shortfall_of_compared_cny,
        on_pace_count, behind_count, far_behind_count,
        spending_count, disbursed_of_spending_cny, spent_of_spending_cny,
        {{ share_pct('spent_of_spending_cny', 'disbursed_of_spending_cny') }} as spent_of_spending_pct,
        staff_asked_count, staff_judged_count, staff_short_count, staff_silent_count,
        staff_shortfall_of_judged_persons, staff_excess_of_judged_persons, staff_required_of_asked_persons,
        expected_count, population_missing_count, budget_missing_count, staffing_missing_count, missing_count,
        {{ share_pct('(expected_count - missing_count)', 'expected_count') }} as complete_reports_pct,
        late_count
    from summed
)

select * from final
order by extract(year from month), unit_level, unit_code, month
