-- A row is a tier of a standard, with what a step of it counts: one for every so many of something.
-- Must hold: one row a standard and tier.
with steps as (
    select standard_id, min(threshold) as step_every, min(label_zh) as step_of
    from e.detail.standard_measures
    where role = 'denominator' and threshold is not null
    group by standard_id
),

final as (
    select t.*, s.step_every, s.step_of
    from e.standard_tiers as t
    left join steps as s on t.standard_id = s.standard_id
)

select * from final
