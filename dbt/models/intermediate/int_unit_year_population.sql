-- A row is the population that decides a unit's tiers in a fiscal year, by basis, as the unit itself reported it.
-- Must hold: the latest of the year before; else the year's earliest, marked; else an older one, marked as stale.
{{ config(
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew_year('fiscal_year')) }}"
) }}
with reported as (
    select
        l.unit_id, p.township_code, p.month,
        cast(extract(year from p.month) as bigint) as reported_year,
        p.population_persons, p.population_persons_precision,
        p.resident_population_persons, p.resident_population_persons_precision
    from {{ ref('reported_population') }} as p
    inner join {{ ref('int_unit_lineage') }} as l on p.township_code = l.township_code
    where p.is_current
),

-- Nobody is no basis: 0 people never meet anything.
by_basis as (
    select
        unit_id, township_code, month, reported_year,
        'registered' as population_basis, population_persons as persons, population_persons_precision as written_to
    from reported
    where population_persons > 0
    union all
    select
        unit_id, township_code, month, reported_year,
        'resident' as population_basis, resident_population_persons as persons,
        resident_population_persons_precision as written_to
    from reported
    where
        resident_population_persons > 0
        and exists (select 1 from {{ ref('stg_standards') }} as s where s.population_basis = 'resident')
),

year_ends as (
    select
        unit_id, population_basis, reported_year,
        min(month) as first_month, max(month) as last_month
    from by_basis
    group by unit_id, population_basis, reported_year
),

years as (
    select fiscal_year from {{ ref('int_months') }} where {{ anew_year('fiscal_year') }} group by fiscal_year
),

deciding_months as (
    select
        e.unit_id, e.population_basis, y.fiscal_year,
        max(case when e.reported_year = y.fiscal_year - 1 then e.last_month end) as prior_month,
        min(case when e.reported_year = y.fiscal_year then e.first_month end) as fallback_month,
        max(case when e.reported_year < y.fiscal_year - 1 then e.last_month end) as stale_month
    from year_ends as e
    inner join years as y on e.reported_year <= y.fiscal_year
    group by e.unit_id, e.population_basis, y.fiscal_year
),

-- In the month of a renaming both codes may report.
ranked as (
    select
        d.unit_id, d.fiscal_year, d.population_basis, d.prior_month, d.fallback_month,
        b.persons, b.written_to, b.month, b.township_code,
        cast(row_number() over (
            partition by d.unit_id, d.fiscal_year, d.population_basis order by b.township_code asc nulls last
        ) as bigint) as choice
    from deciding_months as d
    inner join by_basis as b
        on
            d.unit_id = b.unit_id
            and d.population_basis = b.population_basis
            and coalesce(d.prior_month, d.fallback_month, d.stale_month) = b.month
),

final as (
    select
        unit_id,
        fiscal_year,
        population_basis,
        persons as population_persons,
        -- A number written whole is exact, and so is a sum of such numbers.
        case when written_to > 1 then written_to else 0 end as population_written_to,
        month as population_month,
        township_code as population_township_code,
        prior_month is null and fallback_month is not null as population_is_fallback,
        prior_month is null and fallback_month is null as population_is_stale
    from ranked
    where choice = 1
)

select * from final
