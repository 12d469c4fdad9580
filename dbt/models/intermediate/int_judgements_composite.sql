-- A row is an answer owed under a rule that is made of other rules, as 五有: rule × subject × month.
-- Must hold: a part is a matter, answered by whatever binding rules on it are in force for the subject; one part known to
-- fail fails the whole, a silent part leaves it unanswered and is not counted as lacking.
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

parts_counts as (
    select standard_id, cast(count(*) as bigint) as parts_count
    from {{ ref('stg_standard_measures') }}
    where role = 'part' and threshold is null
    group by standard_id
),

-- Counted from the answers and not from what is owed: those are many, what they are counted into are few.
answered as (
    select
        p.standard_id, p.part_no, b.subject_level, b.subject_code, b.month,
        cast(sum(case when b.status in ('met', 'over') then 1 else 0 end) as bigint) as met_count,
        cast(sum(case when b.status = 'short' then 1 else 0 end) as bigint) as short_count,
        cast(sum(case when b.status = 'not_reported' then 1 else 0 end) as bigint) as silent_count
    from {{ ref('int_judgements_base') }} as b
    inner join {{ ref('detail_standard_parts') }} as p on b.rule_id = p.rule_id
    group by p.standard_id, p.part_no, b.subject_level, b.subject_code, b.month
),

answered_parts as (
    select
        standard_id, subject_level, subject_code, month,
        cast(sum(case when short_count > 0 then 1 else 0 end) as bigint) as short_count,
        cast(sum(case when short_count = 0 and silent_count > 0 then 1 else 0 end) as bigint) as silent_count,
        cast(sum(case when short_count = 0 and silent_count = 0 and met_count > 0 then 1 else 0 end) as bigint)
            as met_count
    from answered
    group by standard_id, subject_level, subject_code, month
),

counted as (
    select
        o.standard_id, o.subject_level, o.subject_code, o.subject_unit, o.month,
        coalesce(a.met_count, 0) as met_count,
        coalesce(a.short_count, 0) as short_count,
        coalesce(a.silent_count, 0) as silent_count,
        -- On the other matters no rule is in force for the subject, or it does not apply.
        n.parts_count - coalesce(a.met_count + a.short_count + a.silent_count, 0) as idle_count,
        n.parts_count
    from owed as o
    inner join parts_counts as n on o.standard_id = n.standard_id
    left join answered_parts as a
        on
            o.standard_id = a.standard_id
            and o.subject_level = a.subject_level
            and o.subject_code = a.subject_code
            and o.month = a.month
),

judged as (
    select
        c.*,
        case
            when c.short_count > 0 then 'short'
            when c.silent_count > 0 then 'not_reported'
            when c.met_count = 0 then 'not_applicable'
            else 'met'
        end as status
    from counted as c
),

final as (
    select
        standard_id as rule_id, subject_level, subject_code, subject_unit, month, status,
        cast(met_count as decimal(18, 4)) as value_checked,
        cast(parts_count - idle_count as decimal(18, 4)) as value_expected,
        cast(case when status <> 'not_reported' then short_count end as decimal(18, 4)) as shortfall,
        cast(null as string) as reason
    from judged
)

select * from final
