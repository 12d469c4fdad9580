-- A row is the population on which a unit's tiers rest in a phase of a fiscal year, by basis.
-- Must hold: a basis that rests on a month before a takeover is the sum of both units'; one part unknown, all unknown.
-- Phases that rest on the same people are one stretch: a number written in 万人 is one and the same in all of them.
{{ config(
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew_year('fiscal_year')) }}"
) }}
with own as (
    select * from {{ ref('int_unit_year_population') }} where {{ anew_year('fiscal_year') }}
),

links as (
    select unit_id, heir_unit_id, since_index from {{ ref('int_takeovers') }}
),

phases as (
    select * from {{ ref('int_unit_phases') }} where {{ anew_year('fiscal_year') }}
),

bases as (
    select 'registered' as population_basis
    union all
    select 'resident' as population_basis
    from {{ ref('stg_standards') }}
    where population_basis = 'resident'
    group by population_basis
),

years as (
    select fiscal_year from {{ ref('int_months') }} where {{ anew_year('fiscal_year') }} group by fiscal_year
),

firsts as (
    select
        t.heir_unit_id as unit_id, max(case when t.since_index = p.first_index then 1 else 0 end) = 1 as is_founded
    from links as t
    inner join (select unit_id, min(first_index) as first_index from phases group by unit_id) as p
        on t.heir_unit_id = p.unit_id
    group by t.heir_unit_id
),

-- Those taken over that had taken over others themselves: up to three in a row.
chains as (
    select
        l.unit_id, y.fiscal_year, b.population_basis, 999999 as upto_index, coalesce(f.is_founded, false) as is_founded
    from (select l.unit_id from links as l inner join links as h on l.unit_id = h.heir_unit_id group by l.unit_id) as l
    cross join years as y
    cross join bases as b
    left join firsts as f on l.unit_id = f.unit_id
),

{% set columns = 'unit_id, fiscal_year, population_basis, population_persons, population_written_to, '
    ~ 'population_month, population_township_code, population_is_fallback, population_is_stale' %}
{% for step in [1, 2] %}
summed_{{ step }} as (
    {{ whole_base('chains', 'own' if step == 1 else 'members_' ~ (step - 1)) }}
),

members_{{ step }} as (
    select {{ columns }} from own as o
    where not exists (select 1 from chains as c where o.unit_id = c.unit_id)
    union all
    select {{ columns }} from ({{ chosen_base('summed_' ~ step) }}) as c
),

{% endfor %}
heirs as (
    select
        p.unit_id, p.fiscal_year, b.population_basis, p.from_index as upto_index, f.is_founded
    from phases as p
    inner join firsts as f on p.unit_id = f.unit_id
    cross join bases as b
),

summed as (
    {{ whole_base('heirs', 'members_2') }}
),

joined as (
    {{ chosen_base('summed') }}
),

every_phase as (
    select
        p.unit_id, p.township_code, p.fiscal_year, p.from_index, p.from_number, p.until_number, b.population_basis,
        o.population_persons, o.population_written_to, o.population_month, o.population_township_code,
        o.population_is_fallback, o.population_is_stale,
        false as sums_predecessors
    from phases as p
    cross join bases as b
    left join own as o
        on p.unit_id = o.unit_id and p.fiscal_year = o.fiscal_year and b.population_basis = o.population_basis
    where not exists (select 1 from firsts as f where p.unit_id = f.unit_id)
    union all
    select
        p.unit_id, p.township_code, p.fiscal_year, p.from_index, p.from_number, p.until_number, j.population_basis,
        j.population_persons, j.population_written_to, j.population_month, j.population_township_code,
        j.population_is_fallback, j.population_is_stale,
        coalesce(j.sums_predecessors, false) as sums_predecessors
    from phases as p
    inner join joined as j
        on p.unit_id = j.unit_id and p.fiscal_year = j.fiscal_year and p.from_index = j.upto_index
),

compared as (
    select
        e.*,
        {% for name in ['persons', 'written_to', 'month'] %}
        lag(e.population_{{ name }}) over (
            partition by e.unit_id, e.fiscal_year, e.population_basis order by e.from_number asc nulls first
        ) as {{ name }}_before{{ ',' if not loop.last }}
        {% endfor %}
    from every_phase as e
),

changing as (
    select
        unit_id, fiscal_year, from_number,
        max(case
            when
                population_persons is not distinct from persons_before
                and population_written_to is not distinct from written_to_before
                and population_month is not distinct from month_before
                then 1
            else from_number
        end) as since_number
    from compared
    group by unit_id, fiscal_year, from_number
),

stretches as (
    select
        c.unit_id, c.fiscal_year, c.from_number,
        cast(max(c.since_number) over (
            partition by c.unit_id, c.fiscal_year
            order by c.from_number asc nulls first rows between unbounded preceding and current row
        ) as bigint) as stretch_number
    from changing as c
),

final as (
    select e.*, s.stretch_number
    from every_phase as e
    inner join stretches as s
        on e.unit_id = s.unit_id and e.fiscal_year = s.fiscal_year and e.from_number = s.from_number
)

select * from final
