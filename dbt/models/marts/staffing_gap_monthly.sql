-- A row is a township × month × staffing standard in force: who counts, who is required, who is missing.
-- Must hold: people count only as the standard counts them; the gap is a fact, whether or not the law is confirmed.
with final as (
    select
        s.township_code, s.month, s.standard_id, s.tier_label,
        s.population_persons, s.population_month, s.population_is_fallback, s.is_on_tier_edge,
        s.counted_persons, s.counted_is_partial, s.required_min_persons, s.advised_max_persons,
        s.shortfall_persons, s.excess_persons, s.status
    from {{ ref('int_staffing_judged') }} as s
)

select * from final
