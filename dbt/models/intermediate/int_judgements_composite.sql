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

answers as (
    select o.standard_id, o.subject_level, o.subject_code, o.subject_unit, o.month, b.status
    from owed as o
    inner join parts as p on o.standard_id = p.standard_id
    left join {{ ref('int_judgements_base') }} as b
        on
            p.part_rule_id = b.rule_id
            and o.subject_level = b.subject_level
            and o.subject_code = b.subject_code
            and o.month = b.month
),

counted as (
    select
        standard_id, subject_level, subject_code, subject_unit, month,
        cast(count(*) as bigint) as parts_count,
        cast(sum(case when status in ('met', 'over') then 1 else 0 end) as bigint) as met_count,
        cast(sum(case when status = 'short' then 1 else 0 end) as bigint) as short_count,
        cast(sum(case when status = 'not_applicable' then 1 else 0 end) as bigint) as idle_count
    from answers
    group by standard_id, subject_level, subject_code, subject_unit, month
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
