-- A row is a township × month × staffing standard in force: who counts, who is required, who is missing.
-- Must hold: people count only as the standard counts them; a basis unconfirmed for too long is said.
with standards as (
    select standard_id, {{ confirmed_until() }} as confirmed_until
    from {{ ref('stg_standards') }}
),

final as (
    select
        s.township_code, s.month, s.standard_id, s.tier_label,
        s.population_persons, s.population_month, s.population_is_fallback, s.is_on_tier_edge,
        s.counted_persons, s.counted_is_partial, s.required_min_persons, s.advised_max_persons,
        s.shortfall_persons, s.excess_persons,
        cast(case
            when s.status = 'short' and b.confirmed_until < m.last_day then 'unconfirmed'
            else s.status
        end as varchar) as status
    from {{ ref('int_staffing_judged') }} as s
    inner join standards as b on s.standard_id = b.standard_id
    inner join {{ ref('int_months') }} as m on s.month = m.month
)

select * from final
