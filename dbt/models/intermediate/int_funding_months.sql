-- A row is a month of a unit's fiscal year × phase × money standard in force: the standard's annual amount and its share.
-- Must hold: a month's share is a twelfth of the annual amount, or of an amount of the year its part; nothing is rounded.
{{ config(
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew_year('fiscal_year')) }}"
) }}
-- Shares are counted in parts of which 27720 make the whole: every number of months up to 12 divides it.
with numbers as (
    {{ numbers_of_months() }}
),

firsts as (
    select unit_id, fiscal_year, min(from_number) as first_number
    from {{ ref('int_unit_phases') }}
    where {{ anew_year('fiscal_year') }}
    group by unit_id, fiscal_year
),

shares as (
    select
        r.unit_id, r.township_code, r.fiscal_year, w.known_number, w.known_until_number,
        r.from_number, r.until_number, r.variant_no, r.standard_id, w.matter, w.accrual,
        case when w.start_number > r.from_number then w.start_number else r.from_number end as start_number,
        w.end_number,
        r.population_is_stale, r.annual_units, coalesce(r.other_annual_units, r.annual_units) as other_annual_units,
        cast(case
            when w.accrual = 'annual' then
{{ adapter.dispatch('integer_quotient')(
                    '27720',
                    '(w.end_number - case when w.start_number > f.first_number then w.start_number else f.first_number end + 1)'
                ) }}
            else 2310
        end as decimal(5, 0)) as share
    from {{ ref('int_township_requirements') }} as r
    inner join {{ ref('int_funding_windows') }} as w
        on r.township_code = w.township_code and r.standard_id = w.standard_id and r.fiscal_year = w.fiscal_year
    inner join firsts as f on r.unit_id = f.unit_id and r.fiscal_year = f.fiscal_year
    where {{ anew_year('r.fiscal_year') }} and w.end_number >= r.from_number
),

final as (
    select
        s.unit_id, s.township_code, s.fiscal_year, s.known_number, s.known_until_number,
        s.from_number, s.until_number, s.variant_no, n.month_number, s.standard_id, s.matter, s.accrual,
        s.population_is_stale, s.annual_units,
        cast(s.annual_units * s.share as decimal(38, 0)) as share_units,
        cast(s.other_annual_units * s.share as decimal(38, 0)) as other_share_units,
        -- Of several issuers' standards the highest of the month accrues; one that cannot be known leaves it unknown.
        -- The guarantee of the funding tables is that of the working funds; standards on other matters stand alone.
        s.matter = 'working_funds' and row_number() over (
            partition by
                s.unit_id, s.fiscal_year, s.known_number, s.from_number, s.variant_no, n.month_number, s.matter
            order by s.annual_units desc nulls first, s.standard_id asc nulls last
        ) = 1 as is_highest
    from shares as s
    inner join numbers as n on n.month_number >= s.start_number and n.month_number <= s.end_number
)

select * from final
