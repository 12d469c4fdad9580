-- A row is a township × month × funding standard in force, with what it guarantees.
-- Must hold: a standard that is replaced or ended no longer appears from its date.
{{ config(
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew('month')) }}"
) }}
with final as (
    select
        m.township_code, m.township_name, m.county_code, m.unit_id, m.month, m.fiscal_year, m.month_number,
        ts.standard_id,
        r.tier_label, r.tier_value, r.population_basis,
        r.population_persons, r.population_month, r.population_township_code, r.population_is_fallback,
        r.is_on_tier_edge, r.other_tier_label, r.other_annual_cny,
        r.guaranteed_annual_cny,
        {{ from_fen(divide_half_up(to_fen('r.guaranteed_annual_cny') ~ ' * m.month_number', '12')) }}
            as guaranteed_ytd_cny
    from {{ ref('int_township_months') }} as m
    inner join {{ ref('int_township_standards') }} as ts
        on
            m.township_code = ts.township_code
            and ts.formula in ('per_capita_by_tier', 'per_capita_marginal', 'flat_by_tier')
            and ts.effective_from <= m.last_day
            and (ts.effective_to is null or ts.effective_to >= m.last_day)
            and (ts.replaced_on is null or ts.replaced_on > m.last_day)
    inner join {{ ref('int_township_requirements') }} as r
        on
            ts.township_code = r.township_code
            and ts.standard_id = r.standard_id
            and m.fiscal_year = r.fiscal_year
    where {{ anew('m.month') }}
)

select * from final
