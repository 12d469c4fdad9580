-- A row is what a standard asks of a township in a phase of a fiscal year: tier, amount or number, and the other reading.
-- Must hold: variant 0 is the population as written; the others are those that a population written in 万人 may stand for.
-- Staff have variant 0 alone, and beside it the least that the others would require and the most they would advise.
-- A number of staff has variant 0 alone, and beside it the least and the most that the others ask and advise.
{{ config(
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew_year('fiscal_year')) }}"
) }}
{% set money = "('per_capita_by_tier', 'per_capita_marginal', 'flat_by_tier')" %}
with with_population as (
    select
        ts.township_code, ts.standard_id, ts.formula, b.unit_id, b.fiscal_year, b.from_number, b.until_number,
        b.stretch_number, s.edge_rule, b.population_basis,
        b.population_persons, b.population_month, b.population_township_code, b.population_is_fallback,
        b.population_is_stale, b.sums_predecessors,
        -- Of an odd unit of the last place the half person is nobody.
        b.population_persons - cast(floor(b.population_written_to * 0.5) as bigint) as least_persons,
        b.population_persons + cast(floor(b.population_written_to * 0.5) as bigint)
        - case when b.population_written_to > 1 and mod(cast(b.population_written_to as bigint), 2) = 0
            then 1 else 0 end as most_persons,
        b.population_written_to > 1 as is_coarse
    from {{ ref('int_township_standards') }} as ts
    inner join {{ ref('stg_standards') }} as s on ts.standard_id = s.standard_id
    inner join {{ ref('int_unit_bases') }} as b
        on ts.township_code = b.township_code and coalesce(s.population_basis, 'registered') = b.population_basis
    where
        {{ anew_year('b.fiscal_year') }}
        and ts.formula in (
            'per_capita_by_tier', 'per_capita_marginal', 'flat_by_tier', 'staff_floor', 'staff_range_by_tier',
            'posts_parts'
        )
),

-- Within a tier a guarantee only grows with the people: the least of a range lies at its start or where a tier begins.
-- Whatever the name a unit has and whichever standard holds, it is the same people: one set for the whole stretch.
turns as (
    select w.unit_id, w.fiscal_year, w.stretch_number, w.population_basis, w.least_persons as persons
    from with_population as w
    where w.is_coarse and w.formula in {{ money }}
    union
    select w.unit_id, w.fiscal_year, w.stretch_number, w.population_basis, w.most_persons as persons
    from with_population as w
    where w.is_coarse and w.formula in {{ money }}
    {% for step in [0, 1] %}
    union
    select w.unit_id, w.fiscal_year, w.stretch_number, w.population_basis, t.lower_bound + {{ step }} as persons
    from with_population as w
    inner join {{ ref('stg_standard_tiers') }} as t on w.standard_id = t.standard_id
    where
        w.is_coarse and w.formula in {{ money }}
        and t.lower_bound + {{ step }} > w.least_persons and t.lower_bound + {{ step }} < w.most_persons
    {% endfor %}
),

coarse as (
    select unit_id, fiscal_year, stretch_number
    from turns
    group by unit_id, fiscal_year, stretch_number
),

-- Registered and resident people are two numbers: each of the one with each of the other; an exact one is what it is.
exactly as (
    select w.unit_id, w.fiscal_year, w.stretch_number, w.population_basis, w.population_persons as persons
    from with_population as w
    inner join coarse as c
        on w.unit_id = c.unit_id and w.fiscal_year = c.fiscal_year and w.stretch_number = c.stretch_number
    where w.formula in {{ money }} and w.population_persons is not null and not w.is_coarse
    group by w.unit_id, w.fiscal_year, w.stretch_number, w.population_basis, w.population_persons
),

candidates_of_people as (
    select unit_id, fiscal_year, stretch_number, population_basis, persons
    from turns
    where persons > 0
    union all
    select unit_id, fiscal_year, stretch_number, population_basis, persons
    from exactly
),

paired as (
    select
        c.unit_id, c.fiscal_year, c.stretch_number,
        a.persons as registered_persons, b.persons as resident_persons,
        cast(row_number() over (
            partition by c.unit_id, c.fiscal_year, c.stretch_number
            order by a.persons asc nulls first, b.persons asc nulls first
        ) as bigint) as variant_no
    from coarse as c
    left join candidates_of_people as a
        on
            c.unit_id = a.unit_id
            and c.fiscal_year = a.fiscal_year
            and c.stretch_number = a.stretch_number
            and a.population_basis = 'registered'
    left join candidates_of_people as b
        on
            c.unit_id = b.unit_id
            and c.fiscal_year = b.fiscal_year
            and c.stretch_number = b.stretch_number
            and b.population_basis = 'resident'
),

-- A number of staff is the same all over a tier: the ends of the range, and each edge inside with what follows it.
staff_turns as (
    select w.township_code, w.standard_id, w.fiscal_year, w.from_number, w.least_persons as persons
    from with_population as w
    where w.is_coarse and w.formula = 'staff_range_by_tier'
    union
    select w.township_code, w.standard_id, w.fiscal_year, w.from_number, w.most_persons as persons
    from with_population as w
    where w.is_coarse and w.formula = 'staff_range_by_tier'
    {% for step in [0, 1] %}
    union
    select w.township_code, w.standard_id, w.fiscal_year, w.from_number, t.lower_bound + {{ step }} as persons
    from with_population as w
    inner join {{ ref('stg_standard_tiers') }} as t on w.standard_id = t.standard_id
    where
        w.is_coarse and w.formula = 'staff_range_by_tier'
        and t.lower_bound + {{ step }} > w.least_persons and t.lower_bound + {{ step }} < w.most_persons
    {% endfor %}
),

variants as (
    select w.*, cast(0 as bigint) as variant_no, w.population_persons as persons
    from with_population as w
    union all
    select w.*, cast(-t.persons - 1 as bigint) as variant_no, t.persons
    from with_population as w
    inner join staff_turns as t
        on
            w.township_code = t.township_code
            and w.standard_id = t.standard_id
            and w.fiscal_year = t.fiscal_year
            and w.from_number = t.from_number
    union all
    select
        w.*, n.variant_no,
        case when w.population_basis = 'resident' then n.resident_persons else n.registered_persons end as persons
    from with_population as w
    inner join paired as n
        on w.unit_id = n.unit_id and w.fiscal_year = n.fiscal_year and w.stretch_number = n.stretch_number
    where w.formula in {{ money }}
),

-- With each tier what the full tiers below it come to, for rules that charge each part at its own rate.
-- Amounts are whole ten-thousandths of a 元: nothing is rounded before the months are added up.
tiers as (
    select
        t.standard_id, t.tier_no, t.tier_label, t.lower_bound, t.lower_included, t.upper_bound, t.upper_included,
        t.value, t.value_max,
        cast(round(cast(t.value as decimal(18, 4)) * cast(10000 as decimal(5, 0)), 0) as decimal(18, 0)) as rate,
        cast(case when t.unit like '%月' then 12 else 1 end as decimal(2, 0)) as times,
        cast(coalesce(sum(
            cast(round(cast(t.value as decimal(12, 4)) * cast(10000 as decimal(5, 0)), 0) as decimal(14, 0))
            * cast(t.upper_bound - coalesce(t.lower_bound, 0) as decimal(12, 0))
        ) over (
            partition by t.standard_id order by t.tier_no asc nulls first
            rows between unbounded preceding and 1 preceding
        ), 0) as decimal(28, 0)) as lower_tiers
    from {{ ref('stg_standard_tiers') }} as t
),

-- Every tier whose closed interval holds the population: two of them exactly at a shared bound.
candidates as (
    select
        w.township_code, w.standard_id, w.fiscal_year, w.from_number, w.variant_no,
        t.tier_no, t.tier_label, t.value, t.value_max,
        cast(case
            when w.formula = 'per_capita_by_tier' then
                cast(t.rate * cast(w.persons as decimal(12, 0)) as decimal(30, 0)) * t.times
            when w.formula = 'per_capita_marginal' then
                cast(
                    t.lower_tiers
                    + cast(t.rate * cast(w.persons - coalesce(t.lower_bound, 0) as decimal(12, 0)) as decimal(30, 0))
                    as decimal(30, 0)
                ) * t.times
            when w.formula = 'flat_by_tier' then cast(t.rate * t.times as decimal(32, 0))
        end as decimal(28, 0)) as annual_units,
        case
            when t.lower_bound is null and t.upper_bound is null then true
            when w.edge_rule = 'half_open' then
                w.persons >= coalesce(t.lower_bound, 0)
                and (t.upper_bound is null or w.persons < t.upper_bound)
            when w.edge_rule = 'favour_township' then true
            else
                (t.lower_bound is null or w.persons > t.lower_bound or t.lower_included)
                and (t.upper_bound is null or w.persons < t.upper_bound or t.upper_included)
        end as holds
    from variants as w
    inner join tiers as t
        on
            w.standard_id = t.standard_id
            and (
                (t.lower_bound is null and t.upper_bound is null)
                or (
                    w.persons >= coalesce(t.lower_bound, 0)
                    and (t.upper_bound is null or w.persons <= t.upper_bound)
                )
            )
),

{% set key = 'township_code, standard_id, fiscal_year, from_number, variant_no' %}
ranked as (
    select
        c.*,
        cast(row_number() over (
            partition by {{ key }}
            order by
                c.holds desc nulls last, coalesce(c.annual_units, c.value) desc nulls last, c.tier_no asc nulls last
        ) as bigint) as choice
    from candidates as c
),

chosen as (
    select
        {{ key }},
        cast(count(*) as bigint) as candidates_count,
        max(case when choice = 1 then tier_no end) as tier_no,
        max(case when choice = 1 then tier_label end) as tier_label,
        max(case when choice = 1 then value end) as tier_value,
        max(case when choice = 1 then annual_units end) as annual_units,
        max(case when choice = 2 then tier_label end) as other_tier_label,
        max(case when choice = 2 then annual_units end) as other_annual_units,
        -- Where two tiers of a range hold at once, both bind: the higher minimum and the lower maximum.
        max(case when holds then value end) as required_min,
        min(case when holds then value_max end) as advised_max
    from ranked
    group by {{ key }}
),

-- A tier is uncertain where the population's range reaches into another. Nobody lacks whom any number in it would not
-- require, nor has too many while any would allow them.
ranges as (
    select
        township_code, standard_id, fiscal_year, from_number,
        min(tier_no) < max(tier_no) as is_tier_uncertain,
        min(required_min) as required_least,
        case when count(advised_max) = count(*) then max(advised_max) end as advised_most
    from chosen
    group by township_code, standard_id, fiscal_year, from_number
),

final as (
    select
        w.township_code, w.standard_id, w.unit_id, w.fiscal_year, w.from_number, w.until_number, w.variant_no,
        w.formula, w.population_basis,
        w.persons as population_persons, w.population_month, w.population_township_code,
        w.population_is_fallback, w.population_is_stale, w.sums_predecessors,
        c.tier_label,
        c.tier_value,
        c.annual_units,
        coalesce(c.candidates_count > 1, false) as is_on_tier_edge,
        c.other_tier_label,
        c.other_annual_units,
        coalesce(r.is_tier_uncertain, false) as is_tier_uncertain,
        c.required_min,
        c.advised_max,
        r.required_least,
        r.advised_most
    from variants as w
    left join chosen as c
        on
            w.township_code = c.township_code
            and w.standard_id = c.standard_id
            and w.fiscal_year = c.fiscal_year
            and w.from_number = c.from_number
            and w.variant_no = c.variant_no
    left join ranges as r
        on
            w.township_code = r.township_code
            and w.standard_id = r.standard_id
            and w.fiscal_year = r.fiscal_year
            and w.from_number = r.from_number
    where w.variant_no >= 0
)

select * from final
