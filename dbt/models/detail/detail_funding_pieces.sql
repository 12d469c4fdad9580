-- A row is a run of months in which one standard accrues for a unit on one population: a piece of its guarantee.
-- Must hold: a guarantee is the sum of the counted pieces known then; a standard alone has all of its own.
{{ config(
    alias='funding_pieces',
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew_year('fiscal_year')) }}"
) }}
with months as (
    select
        m.*,
        m.month_number - row_number() over (
            partition by m.unit_id, m.fiscal_year, m.known_number, m.from_number, m.standard_id, m.is_highest
            order by m.month_number asc nulls first
        ) as run_no
    from {{ ref('int_funding_months') }} as m
    where m.variant_no = 0 and {{ anew_year('m.fiscal_year') }}
),

runs as (
    select
        unit_id, fiscal_year, known_number, known_until_number, from_number, until_number,
        standard_id, accrual, is_highest,
        min(month_number) as first_number, max(month_number) as last_number,
        max(annual_units) as annual_units, max(share_units) as share_units
    from months
    group by
        unit_id, fiscal_year, known_number, known_until_number, from_number, until_number,
        standard_id, accrual, is_highest,
        run_no
),

final as (
    select
        cast(r.unit_id as string) as unit_id,
        cast(q.township_code as string) as township_code,
        cast(r.fiscal_year as bigint) as fiscal_year,
        cast(r.known_number as bigint) as known_from_number,
        cast(r.known_until_number as bigint) as known_until_number,
        cast(r.from_number as bigint) as phase_from_number,
        cast(r.until_number as bigint) as phase_until_number,
        cast(p.last_number as bigint) as unit_last_number,
        cast(r.standard_id as string) as standard_id,
        cast(r.accrual as string) as accrual,
        cast(r.is_highest as boolean) as is_counted,
        cast(r.first_number as bigint) as first_number,
        cast(r.last_number as bigint) as last_number,
        cast(q.population_basis as string) as population_basis,
        cast(q.population_persons as bigint) as population_persons,
        cast(q.population_month as date) as population_month,
        cast(q.tier_label as string) as tier_label,
        cast(q.tier_value as decimal(18, 4)) as tier_value,
        cast(r.annual_units as decimal(38, 0)) as annual_units,
        cast(r.share_units as decimal(38, 0)) as month_units
    from runs as r
    inner join {{ ref('int_township_requirements') }} as q
        on
            r.unit_id = q.unit_id
            and r.fiscal_year = q.fiscal_year
            and r.from_number = q.from_number
            and r.standard_id = q.standard_id
            and q.variant_no = 0
    inner join {{ ref('int_unit_phases') }} as p
        on r.unit_id = p.unit_id and r.fiscal_year = p.fiscal_year and r.from_number = p.from_number
)

select * from final
order by fiscal_year, unit_id, known_from_number, first_number, standard_id
