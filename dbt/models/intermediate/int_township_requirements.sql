-- A row is what a standard asks of a township in a fiscal year: tier, amount or number, and the other reading.
-- Must hold: the tier is found from the population of DESIGN's rule; at a shared bound the row is marked.
{{ config(
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew_year('fiscal_year')) }}"
) }}
with asked as (
    select
        ts.township_code, ts.standard_id, ts.formula, l.unit_id, y.fiscal_year,
        s.edge_rule, s.population_basis
    from {{ ref('int_township_standards') }} as ts
    inner join {{ ref('stg_standards') }} as s on ts.standard_id = s.standard_id
    inner join {{ ref('int_unit_lineage') }} as l on ts.township_code = l.township_code
    cross join (select fiscal_year from {{ ref('int_months') }} group by fiscal_year) as y
    where
        {{ anew_year('y.fiscal_year') }}
        and ts.formula in (
            'per_capita_by_tier', 'per_capita_marginal', 'flat_by_tier', 'staff_floor', 'staff_range_by_tier',
            'posts_parts'
        )
),

with_population as (
    select
        a.*,
        p.population_persons, p.population_month, p.population_township_code, p.population_is_fallback
    from asked as a
    left join {{ ref('int_unit_year_population') }} as p
        on
            a.unit_id = p.unit_id
            and a.fiscal_year = p.fiscal_year
            and a.population_basis = p.population_basis
),

-- With each tier what the full tiers below it come to, for rules that charge each part at its own rate.
tiers as (
    select
        t.standard_id, t.tier_no, t.tier_label, t.lower_bound, t.lower_included, t.upper_bound, t.upper_included,
        t.value, t.value_max, t.unit,
        cast(coalesce(sum(
            cast(t.value as decimal(12, 4))
            * cast(t.upper_bound - coalesce(t.lower_bound, 0) as decimal(12, 0))
        ) over (
            partition by t.standard_id order by t.tier_no asc nulls first
            rows between unbounded preceding and 1 preceding
        ), 0) as decimal(24, 4)) as lower_tiers_cny
    from {{ ref('stg_standard_tiers') }} as t
),

-- Every tier whose closed interval holds the population: two of them exactly at a shared bound.
candidates as (
    select
        w.township_code, w.standard_id, w.fiscal_year,
        t.tier_no, t.tier_label, t.value, t.value_max,
        case
            when w.formula = 'per_capita_by_tier' then
                cast(round(
                    cast(
                        cast(t.value as decimal(12, 4)) * cast(w.population_persons as decimal(12, 0))
                        as decimal(24, 4)
                    )
                    * cast(case when t.unit like '%月' then 12 else 1 end as decimal(2, 0)),
                    2
                ) as decimal(18, 2))
            when w.formula = 'per_capita_marginal' then
                cast(round(
                    cast(
                        t.lower_tiers_cny
                        + cast(
                            cast(t.value as decimal(12, 4))
                            * cast(w.population_persons - coalesce(t.lower_bound, 0) as decimal(12, 0))
                            as decimal(24, 4)
                        ) as decimal(24, 4)
                    )
                    * cast(case when t.unit like '%月' then 12 else 1 end as decimal(2, 0)),
                    2
                ) as decimal(18, 2))
            when w.formula = 'flat_by_tier' then
                cast(round(
                    cast(t.value as decimal(18, 4))
                    * cast(case when t.unit like '%月' then 12 else 1 end as decimal(2, 0)),
                    2
                ) as decimal(18, 2))
        end as annual_cny,
        case
            when t.lower_bound is null and t.upper_bound is null then true
            when w.edge_rule = 'half_open' then
                w.population_persons >= coalesce(t.lower_bound, 0)
                and (t.upper_bound is null or w.population_persons < t.upper_bound)
            when w.edge_rule = 'favour_township' then true
            else
                (t.lower_bound is null or w.population_persons > t.lower_bound or t.lower_included)
                and (t.upper_bound is null or w.population_persons < t.upper_bound or t.upper_included)
        end as holds
    from with_population as w
    inner join tiers as t
        on
            w.standard_id = t.standard_id
            and (
                (t.lower_bound is null and t.upper_bound is null)
                or (
                    w.population_persons >= coalesce(t.lower_bound, 0)
                    and (t.upper_bound is null or w.population_persons <= t.upper_bound)
                )
            )
),

ranked as (
    select
        c.*,
        cast(row_number() over (
            partition by c.township_code, c.standard_id, c.fiscal_year
            order by
                c.holds desc nulls last, coalesce(c.annual_cny, c.value) desc nulls last, c.tier_no asc nulls last
        ) as bigint) as choice
    from candidates as c
),

chosen as (
    select
        township_code, standard_id, fiscal_year,
        cast(count(*) as bigint) as candidates_count,
        max(case when choice = 1 then tier_label end) as tier_label,
        max(case when choice = 1 then value end) as tier_value,
        max(case when choice = 1 then annual_cny end) as guaranteed_annual_cny,
        max(case when choice = 2 then tier_label end) as other_tier_label,
        max(case when choice = 2 then annual_cny end) as other_annual_cny,
        -- Where two tiers of a range hold at once, both bind: the higher minimum and the lower maximum.
        max(case when holds then value end) as required_min,
        min(case when holds then value_max end) as advised_max
    from ranked
    group by township_code, standard_id, fiscal_year
),

final as (
    select
        w.township_code, w.standard_id, w.fiscal_year, w.formula,
        w.population_basis,
        w.population_persons, w.population_month, w.population_township_code, w.population_is_fallback,
        c.tier_label,
        c.tier_value,
        c.guaranteed_annual_cny,
        coalesce(c.candidates_count > 1, false) as is_on_tier_edge,
        c.other_tier_label,
        c.other_annual_cny,
        c.required_min,
        c.advised_max
    from with_population as w
    left join chosen as c
        on
            w.township_code = c.township_code
            and w.standard_id = c.standard_id
            and w.fiscal_year = c.fiscal_year
)

select * from final
