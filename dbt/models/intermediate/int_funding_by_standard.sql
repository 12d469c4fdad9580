-- A row is a township × month × money standard that is owed an answer, with what it guarantees.
-- Must hold: the row's own standard, which holds at the end of the year as known, carries all months' highest amounts,
-- or its own whole amount of the year where that is more.
{{ config(
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew('month')) }}"
) }}
with months as (
    select * from {{ ref('int_township_months') }} where is_township and {{ anew('month') }}
),

accruals as (
    select * from {{ ref('int_funding_accruals') }} where {{ anew_year('fiscal_year') }}
),

totals as (
    select
        m.township_code, m.township_name, m.county_code, m.unit_id, m.month, m.fiscal_year, m.month_number,
        a.known_number, a.from_number, a.last_standard_id, a.units_of_year
    from months as m
    inner join accruals as a
        on m.unit_id = a.unit_id and m.fiscal_year = a.fiscal_year and m.month_number = a.month_number
    where a.standard_id is null and a.months_count > 0
),

-- An amount that is guaranteed whole, however short the time, is not made less by another issuer's monthly standard:
-- where the months' highest amounts come to less, the year is that standard's.
wholes as (
    select
        t.township_code, t.month, a.standard_id,
        cast(row_number() over (
            partition by t.township_code, t.month order by a.units_of_year desc nulls last, a.standard_id asc nulls last
        ) as bigint) as choice
    from totals as t
    inner join {{ ref('int_funding_windows') }} as w
        on
            t.township_code = w.township_code
            and t.fiscal_year = w.fiscal_year
            and t.known_number = w.known_number
            and w.matter = 'working_funds'
            and w.accrual = 'annual'
            and w.start_number <= t.month_number
            and w.end_number = 12
    inner join accruals as a
        on
            t.unit_id = a.unit_id
            and t.fiscal_year = a.fiscal_year
            and t.month_number = a.month_number
            and w.standard_id = a.standard_id
    where a.units_of_year > t.units_of_year
),

decided as (
    select
        t.township_code, t.township_name, t.county_code, t.unit_id, t.month, t.fiscal_year, t.month_number,
        t.known_number, t.from_number, coalesce(w.standard_id, t.last_standard_id) as last_standard_id,
        w.standard_id is not null as is_whole
    from totals as t
    left join wholes as w on t.township_code = w.township_code and t.month = w.month and w.choice = 1
),

answers as (
    select t.*, w.standard_id, w.matter, t.last_standard_id = w.standard_id as is_binding
    from decided as t
    inner join {{ ref('int_funding_windows') }} as w
        on
            t.township_code = w.township_code
            and t.fiscal_year = w.fiscal_year
            and t.known_number = w.known_number
            and w.matter = 'working_funds'
            and (
                (w.start_number <= t.month_number and w.end_number >= t.month_number)
                or t.last_standard_id = w.standard_id
            )
),

counted as (
    select
        x.*,
        coalesce(alone.units_of_year, case when alone.unit_id is null then a.units_of_year end) as units_of_year,
        coalesce(alone.units_to_date, case when alone.unit_id is null then a.units_to_date end) as units_to_date,
        coalesce(alone.least_units_of_year, case when alone.unit_id is null then a.least_units_of_year end)
            as least_units_of_year,
        coalesce(alone.least_units_to_date, case when alone.unit_id is null then a.least_units_to_date end)
            as least_units_to_date,
        coalesce(alone.other_units_of_year, case when alone.unit_id is null then a.other_units_of_year end)
            as other_units_of_year,
        case when alone.unit_id is null then a.months_count else alone.months_count end as months_count,
        a.includes_predecessors, a.brings_stale
    from answers as x
    inner join accruals as a
        on
            x.unit_id = a.unit_id
            and x.fiscal_year = a.fiscal_year
            and x.month_number = a.month_number
            and a.standard_id is null
    left join accruals as alone
        on
            x.unit_id = alone.unit_id
            and x.fiscal_year = alone.fiscal_year
            and x.month_number = alone.month_number
            -- A condition on the left side alone would have DuckDB 1.5 compare every row with every row.
            and case when not x.is_binding or x.is_whole then x.standard_id end = alone.standard_id
),

-- Standards on other matters are owed an answer of their own, by the amounts of their own funds.
other_matters as (
    select
        m.township_code, m.township_name, m.county_code, m.unit_id, m.month, m.fiscal_year, m.month_number,
        a.known_number, a.from_number, a.last_standard_id, false as is_whole,
        w.standard_id, w.matter, false as is_binding,
        a.units_of_year, a.units_to_date, a.least_units_of_year, a.least_units_to_date, a.other_units_of_year,
        a.months_count, a.includes_predecessors, a.brings_stale
    from months as m
    inner join accruals as a
        on m.unit_id = a.unit_id and m.fiscal_year = a.fiscal_year and m.month_number = a.month_number
    inner join {{ ref('int_funding_windows') }} as w
        on
            m.township_code = w.township_code
            and m.fiscal_year = w.fiscal_year
            and a.known_number = w.known_number
            and a.standard_id = w.standard_id
            and w.start_number <= m.month_number
            and w.end_number >= m.month_number
    where w.matter <> 'working_funds' and a.months_count > 0
),

every_answer as (
    select * from counted
    union all
    select * from other_matters
),

final as (
    select
        c.township_code, c.township_name, c.county_code, c.unit_id, c.month, c.fiscal_year, c.month_number,
        c.known_number, c.standard_id, c.matter, c.is_binding,
        r.tier_label, r.tier_value, r.population_basis,
        r.population_persons, r.population_month, r.population_township_code, r.population_is_fallback,
        r.population_is_stale, r.is_on_tier_edge, r.is_tier_uncertain, r.other_tier_label,
        case when r.is_on_tier_edge then {{ cny_of_shares('c.other_units_of_year') }} end as other_annual_cny,
        {{ cny_of_shares('c.units_of_year') }} as guaranteed_annual_cny,
        {{ cny_of_shares('c.units_to_date') }} as guaranteed_ytd_cny,
        {{ cny_of_shares('c.least_units_of_year') }} as least_annual_cny,
        {{ cny_of_shares('c.least_units_to_date') }} as least_ytd_cny,
        c.months_count,
        c.includes_predecessors or r.sums_predecessors as includes_predecessors,
        r.population_is_stale or c.brings_stale as rests_on_stale
    from every_answer as c
    inner join {{ ref('int_township_requirements') }} as r
        on
            c.unit_id = r.unit_id
            and c.fiscal_year = r.fiscal_year
            and c.from_number = r.from_number
            and c.standard_id = r.standard_id
            and r.variant_no = 0
)

select * from final
