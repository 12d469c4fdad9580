-- A row is an answer owed under a rule that is made of other rules, as 五有: rule × subject × month.
-- Must hold: one part known to fail fails the whole; a silent part leaves it unanswered.
with owed as (
    select o.standard_id, o.subject_level, o.subject_code, o.subject_unit, o.month
    from {{ ref('int_answers_owed') }} as o
    where
        o.formula = 'composite'
        and not exists (
            select 1
            from {{ ref('stg_standard_measures') }} as m
            where m.standard_id = o.standard_id and m.threshold is not null
        )
),

parts as (
    select m.standard_id, m.measure_code as part_rule_id
    from {{ ref('stg_standard_measures') }} as m
    inner join {{ ref('int_rules') }} as r on m.standard_id = r.standard_id
    where r.formula = 'composite' and m.threshold is null
),

parts_counts as (
    select standard_id, cast(count(*) as bigint) as parts_count
    from parts
    group by standard_id
),

-- Counted from the answers and not from what is owed: those are many, what they are counted into are few.
answered as (
    select
        p.standard_id, b.subject_level, b.subject_code, b.month,
        cast(sum(case when b.status in ('met', 'over') then 1 else 0 end) as bigint) as met_count,
        cast(sum(case when b.status = 'short' then 1 else 0 end) as bigint) as short_count,
        cast(sum(case when b.status = 'not_applicable' then 1 else 0 end) as bigint) as idle_count
    from {{ ref('int_judgements_base') }} as b
    inner join parts as p on b.rule_id = p.part_rule_id
    group by p.standard_id, b.subject_level, b.subject_code, b.month
),

counted as (
    select
        o.standard_id, o.subject_level, o.subject_code, o.subject_unit, o.month, n.parts_count,
        coalesce(a.met_count, 0) as met_count,
        coalesce(a.short_count, 0) as short_count,
        coalesce(a.idle_count, 0) as idle_count
    from owed as o
    inner join parts_counts as n on o.standard_id = n.standard_id
    left join answered as a
        on
            o.standard_id = a.standard_id
            and o.subject_level = a.subject_level
            and o.subject_code = a.subject_code
            and o.month = a.month
),

final as (
    select
        standard_id as rule_id, subject_level, subject_code, subject_unit, month,
        case
            when short_count > 0 then 'short'
            when met_count + idle_count < parts_count then 'not_reported'
            when met_count = 0 then 'not_applicable'
            else 'met'
        end as status,
        cast(met_count as decimal(18, 4)) as value_checked,
        cast(parts_count - idle_count as decimal(18, 4)) as value_expected,
        cast(parts_count - idle_count - met_count as decimal(18, 4)) as shortfall,
        cast(null as varchar) as reason
    from counted
)

select * from final
