-- A row is a rule that answers for a part of a composite rule: composite × part × rule.
-- Must hold: a part is a matter; a part named by a rule's id stands for that rule's matter, whichever rule it is that holds.
{{ config(alias='standard_parts') }}

with parts as (
    select m.standard_id, m.part_no, m.label_zh, coalesce(s.matter, m.measure_code) as matter
    from {{ ref('stg_standard_measures') }} as m
    inner join {{ ref('int_rules') }} as r on m.standard_id = r.standard_id
    left join {{ ref('stg_standards') }} as s on m.measure_code = s.standard_id
    where r.formula = 'composite' and m.threshold is null
),

final as (
    select p.standard_id, p.part_no, p.label_zh, p.matter, s.standard_id as rule_id
    from parts as p
    inner join {{ ref('stg_standards') }} as s on p.matter = s.matter
    where s.gradeable <> 'N' and s.strength in ('must', 'principle') and s.standard_id <> p.standard_id
)

select * from final
order by standard_id, part_no, rule_id
