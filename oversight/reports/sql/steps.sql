-- A row is a part of the change from one month to another: townships of a kind, and what they added to each sum.
-- Must hold: a township that only changed its name or code is the same unit; the rows of a family add up to the change.
with judged as (
    select
        month, unit_id, guaranteed_annual_cny as g, allocated_annual_cny as a, allocation_shortfall_cny as s
    from r_funding
    where status in ('met', 'short') and month in ($now, $before)
),

pairs as (
    select
        n.unit_id as new_unit, t.unit_id as old_unit,
        coalesce(n.g, 0) - coalesce(t.g, 0) as g,
        coalesce(n.a, 0) - coalesce(t.a, 0) as a,
        coalesce(n.s, 0) - coalesce(t.s, 0) as s,
        coalesce(n.s, 0) as s_now, coalesce(t.s, 0) as s_then
    from (select * from judged where month = $now) as n
    full join (select * from judged where month = $before) as t on n.unit_id = t.unit_id
),

named as (
    select
        *,
        case when old_unit is null then 'entered' when new_unit is null then 'left' else 'same' end as unit_key,
        case
            when old_unit is null and s_now > 0 then 'entered'
            when new_unit is null and s_then > 0 then 'left'
            when s_then = 0 and s_now > 0 then 'opened'
            when s_then > 0 and s_now = 0 then 'closed'
            when s > 0 then 'grown'
            when s < 0 then 'shrunk'
        end as gap_key
    from pairs
),

parts as (
    select 'unit' as family, unit_key as key, g, a, s from named
    union all
    select 'gap' as family, gap_key as key, g, a, s from named where gap_key is not null
),

final as (
    select family, key, count(*) as units, sum(g) as guaranteed, sum(a) as allocated, sum(s) as gap
    from parts
    group by family, key
)

select * from final order by family, key, units, guaranteed, allocated, gap
