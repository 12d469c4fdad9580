-- A row is a unit × fiscal year × population basis with the population that decides its tier.
-- Must hold: the latest month up to December of the year before; else the year's earliest, marked.
{{ config(
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew_year('fiscal_year')) }}"
) }}
with reported as (
    select
        l.unit_id, p.township_code, p.month,
        cast(extract(year from p.month) as bigint) as reported_year,
        p.population_persons, p.resident_population_persons
    from {{ ref('reported_population') }} as p
    inner join {{ ref('int_unit_lineage') }} as l on p.township_code = l.township_code
    where p.is_current
),

by_basis as (
    select
        unit_id, township_code, month, reported_year,
        'registered' as population_basis, population_persons as persons
    from reported
    where population_persons is not null
    union all
    select
        unit_id, township_code, month, reported_year,
        'resident' as population_basis, resident_population_persons as persons
    from reported
    where
        resident_population_persons is not null
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
        max(case when e.reported_year < y.fiscal_year then e.last_month end) as prior_month,
        min(case when e.reported_year = y.fiscal_year then e.first_month end) as fallback_month
    from year_ends as e
    inner join years as y on e.reported_year <= y.fiscal_year
    group by e.unit_id, e.population_basis, y.fiscal_year
),

final as (
    select
        d.unit_id,
        d.fiscal_year,
        d.population_basis,
        b.persons as population_persons,
        b.month as population_month,
        b.township_code as population_township_code,
        d.prior_month is null as population_is_fallback
    from deciding_months as d
    inner join by_basis as b
        on
            d.unit_id = b.unit_id
            and d.population_basis = b.population_basis
            and coalesce(d.prior_month, d.fallback_month) = b.month
)

select * from final
