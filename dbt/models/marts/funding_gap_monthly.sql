-- A row is a township × month in force: what it is guaranteed, allotted, paid, and what is missing.
-- Must hold: the standard that holds at the year's end binds; an unknown amount is null, never zero.
{{ config(
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew('month')) }}"
) }}
with standards as (
    select
        f.township_code, f.month,
        min(case when not f.is_binding then f.standard_id end) as also_standard_id
    from {{ ref('int_funding_by_standard') }} as f
    where f.matter = 'working_funds' and {{ anew('f.month') }}
    group by f.township_code, f.month
),

-- Who took another unit over, and from which month of the year.
taken as (
    select t.heir_unit_id, y.fiscal_year, min(t.since_index - y.fiscal_year * 12 + 1) as since_number
    from {{ ref('int_takeovers') }} as t
    inner join (
        select fiscal_year from {{ ref('int_months') }} where {{ anew('month') }} group by fiscal_year
    ) as y
        on t.since_index > y.fiscal_year * 12 and t.since_index <= y.fiscal_year * 12 + 11
    group by t.heir_unit_id, y.fiscal_year
),

joined as (
    select
        m.township_code, m.township_name, m.county_code, m.month, m.fiscal_year,
        coalesce(county.division_name, m.county_code) as county_name,
        g.standard_id,
        s.also_standard_id,
        g.tier_label,
        coalesce(g.population_basis, p.population_basis) as population_basis,
        {% for column in [
            'population_persons', 'population_month', 'population_township_code', 'population_is_fallback',
            'population_is_stale'
        ] %}
        case when g.standard_id is null then p.{{ column }} else g.{{ column }} end as {{ column }},
        {% endfor %}
        coalesce(case when g.standard_id is null then p.sums_predecessors else g.includes_predecessors end, false)
        or k.heir_unit_id is not null as includes_predecessors,
        g.is_on_tier_edge, g.is_tier_uncertain, g.other_tier_label, g.other_annual_cny,
        g.guaranteed_annual_cny, g.guaranteed_ytd_cny, g.least_annual_cny, g.least_ytd_cny, g.months_count,
        b.allocated_annual_cny, b.allocated_as_of_month, b.allocated_precision_cny, b.allocated_is_added,
        b.disbursed_ytd_cny, b.disbursed_as_of_month, b.disbursed_precision_cny, b.disbursed_is_partial,
        b.disbursed_is_doubtful,
        b.spent_ytd_cny, b.spent_as_of_month, b.spent_precision_cny, b.spent_is_partial,
        b.allocated_source, b.disbursed_source,
        -- Five things that are not one: a figure, nothing declared, a dash, a blank, no report.
        case
            when r.township_code is null then 'missing'
            when ';' || coalesce(r.nil_figures, '') || ';' like '%;disbursed_month_cny;%' then 'nil'
            when r.disbursed_month_cny is not null or r.disbursed_cumulative_cny is not null then 'figure'
            when
                ';' || coalesce(r.dashed_figures, '') || ';' like '%;disbursed_month_cny;%'
                or ';' || coalesce(r.dashed_figures, '') || ';' like '%;disbursed_cumulative_cny;%'
                then 'dash'
            else 'blank'
        end as disbursed_told,
        a.allocation_status, a.allocation_reason, a.allocation_shortfall_cny, a.payment_shortfall_cny
    from {{ ref('int_township_months') }} as m
    left join {{ ref('int_funding_by_standard') }} as g
        on m.township_code = g.township_code and m.month = g.month and g.is_binding
    left join {{ ref('int_funding_answers') }} as a
        on m.township_code = a.township_code and m.month = a.month and g.standard_id = a.standard_id
    left join standards as s on m.township_code = s.township_code and m.month = s.month
    left join taken as k
        on m.unit_id = k.heir_unit_id and m.fiscal_year = k.fiscal_year and m.month_number >= k.since_number
    left join {{ ref('int_township_budget') }} as b on m.township_code = b.township_code and m.month = b.month
    left join {{ ref('reported_budget') }} as r
        on m.township_code = r.township_code and m.month = r.month and r.is_current
    left join {{ ref('int_unit_bases') }} as p
        on
            m.unit_id = p.unit_id
            and m.fiscal_year = p.fiscal_year
            and m.month_number >= p.from_number
            and m.month_number <= p.until_number
            and p.population_basis = 'registered'
    left join {{ ref('int_units') }} as county on m.county_code = county.division_code
    where {{ anew('m.month') }}
),

final as (
    select
        cast(township_code as string) as township_code,
        cast(township_name as string) as township_name,
        cast(county_code as string) as county_code,
        cast(county_name as string) as county_name,
        cast(month as date) as month,
        cast(fiscal_year as bigint) as fiscal_year,
        cast(standard_id as string) as standard_id,
        cast(also_standard_id as string) as also_standard_id,
        cast(tier_label as string) as tier_label,
        cast(population_basis as string) as population_basis,
        cast(population_persons as bigint) as population_persons,
        cast(population_month as date) as population_month,
        cast(population_township_code as string) as population_township_code,
        cast(population_is_fallback as boolean) as population_is_fallback,
        cast(coalesce(population_is_stale, false) as boolean) as population_is_stale,
        cast(coalesce(includes_predecessors, false) as boolean) as includes_predecessors,
        cast(coalesce(is_on_tier_edge, false) as boolean) as is_on_tier_edge,
        cast(coalesce(is_tier_uncertain, false) as boolean) as is_tier_uncertain,
        cast(other_tier_label as string) as other_tier_label,
        cast(other_annual_cny as decimal(18, 2)) as other_annual_cny,
        cast(guaranteed_annual_cny as decimal(18, 2)) as guaranteed_annual_cny,
        cast(guaranteed_ytd_cny as decimal(18, 2)) as guaranteed_ytd_cny,
        cast(least_annual_cny as decimal(18, 2)) as guaranteed_least_annual_cny,
        cast(least_ytd_cny as decimal(18, 2)) as guaranteed_least_ytd_cny,
        cast(months_count as bigint) as accrued_months_count,
        cast(allocated_annual_cny as decimal(18, 2)) as allocated_annual_cny,
        cast(allocated_as_of_month as date) as allocated_as_of_month,
        cast(allocated_precision_cny as decimal(18, 2)) as allocated_precision_cny,
        cast(disbursed_ytd_cny as decimal(18, 2)) as disbursed_ytd_cny,
        cast(disbursed_as_of_month as date) as disbursed_as_of_month,
        cast(disbursed_precision_cny as decimal(18, 2)) as disbursed_precision_cny,
        cast(coalesce(disbursed_is_partial and disbursed_ytd_cny is not null, false) as boolean)
            as disbursed_is_partial,
        cast(case when disbursed_ytd_cny is not null then disbursed_source end as string) as disbursed_source,
        cast(disbursed_told as string) as disbursed_told,
        cast(case when allocated_annual_cny is not null then allocated_source end as string) as allocated_source,
        cast(spent_ytd_cny as decimal(18, 2)) as spent_ytd_cny,
        cast(spent_as_of_month as date) as spent_as_of_month,
        cast(spent_precision_cny as decimal(18, 2)) as spent_precision_cny,
        cast(coalesce(spent_is_partial and spent_ytd_cny is not null, false) as boolean) as spent_is_partial,
        cast(coalesce(allocated_is_added, false) or coalesce(disbursed_is_doubtful, false) as boolean)
            as predecessors_are_added,
        cast(allocation_shortfall_cny as decimal(18, 2)) as allocation_shortfall_cny,
        cast(case
            when allocation_status = 'short' then 0
            when allocation_status = 'met' and allocated_annual_cny > guaranteed_annual_cny
                then allocated_annual_cny - guaranteed_annual_cny
            when allocation_status = 'met' then 0
        end as decimal(18, 2)) as allocation_surplus_cny,
        cast(payment_shortfall_cny as decimal(18, 2)) as disbursement_shortfall_ytd_cny,
        case
            when allocation_status in ('met', 'short') then {{ from_fen(divide_half_up(
                to_fen('allocated_annual_cny') ~ ' * 10000',
                to_fen('guaranteed_annual_cny'))) }}
        end as adequacy_pct,
        cast(coalesce(allocation_status = 'met' and allocated_annual_cny < guaranteed_annual_cny, false) as boolean)
            as is_within_precision,
        cast(case when standard_id is null then 'no_standard' else allocation_status end as string) as status,
        cast(allocation_reason as string) as status_reason
    from joined
)

select * from final
order by fiscal_year, township_code, month
