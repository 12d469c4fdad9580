-- A row is a part of a list that has least numbers of its own: rule × part × subject × period, with its answer.
-- Must hold: a part fails only if nothing that may be written so would reach its number; what nobody reported has no row.
{{ config(alias='part_answers') }}

with limits as (
    {{ minor_amounts() }}
),

final as (
    select
        v.standard_id, v.subject_unit, p.month, v.end_index, v.part_no, v.value,
        coalesce(m.threshold, 1) as least_value,
        case
            when
                m.measure_code like '%_cny'
                and v.value - v.below < coalesce(m.threshold, 1) and v.value + v.above > coalesce(m.threshold, 1)
                and v.above > z.below_amount
                and cast(v.above as decimal(18, 4)) * cast(100 as decimal(3, 0))
                > cast(coalesce(m.threshold, 1) as decimal(18, 4)) * cast(z.below_pct as decimal(18, 4))
                then 'too_coarse'
            when {{ is_surely_less('v.value', 'v.above', 'coalesce(m.threshold, 1)') }} then 'short'
            when v.value < coalesce(m.threshold, 1) then 'within_precision'
            else 'met'
        end as answer
    from {{ ref('int_measured') }} as v
    inner join {{ ref('int_rules') }} as r on v.standard_id = r.standard_id and r.formula = 'composite'
    inner join {{ ref('stg_standard_measures') }} as m
        on v.standard_id = m.standard_id and v.role = m.role and v.part_no = m.part_no
    inner join {{ ref('int_periods') }} as p on r.period = p.period and v.end_index = p.end_index
    cross join limits as z
    where v.role = 'part' and v.value is not null
)

select * from final
order by standard_id, subject_unit, month, part_no
