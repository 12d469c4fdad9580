-- A row is a duty in force that was not met in a period: what was missing, for how many months by then, and its finding.
-- Must hold: plans, reports and aims are no duties; what is too small to name anybody for, or exempt, does not stand here.
{{ config(alias='unmet_duties') }}
with periods as (
    select period, max(months_count) as months_count
    from {{ ref('int_periods') }}
    group by period
),

duties as (
    select s.standard_id as rule_id, p.months_count
    from {{ ref('stg_standards') }} as s
    inner join {{ ref('stg_policy_documents') }} as d on s.document_id = d.document_id
    inner join periods as p on s.period = p.period
    where d.force = 'binding' and s.gradeable = 'Y' and s.strength in ('must', 'principle')
),

spells as (
    select
        f.finding_id, i.subject_unit, f.rule_id, f.subject_level, f.opened_month, f.last_month,
        f.is_minor, f.is_exempt, f.shortfall, f.unit, d.months_count,
        split_part(f.message_zh, '：', 1) as subject_name
    from {{ ref('findings') }} as f
    inner join {{ ref('int_findings') }} as i on f.finding_id = i.finding_id
    inner join duties as d on f.rule_id = d.rule_id
),

final as (
    select
        cast(j.month as date) as month,
        cast(j.subject_code as string) as subject_code,
        cast(s.subject_name as string) as subject_name,
        cast(j.rule_id as string) as rule_id,
        cast(j.shortfall as decimal(18, 4)) as shortfall,
        cast(s.unit as string) as unit,
        cast(
            {{ month_index('j.month') }} - {{ month_index('s.opened_month') }} + s.months_count as bigint
        ) as months_count,
        cast(s.finding_id as string) as finding_id
    from {{ ref('judgements') }} as j
    -- A unit that was renamed within the months of a finding is one unit.
    inner join spells as s
        on
            j.rule_id = s.rule_id
            and j.subject_level = s.subject_level
            and j.subject_unit = s.subject_unit
            and j.month between s.opened_month and s.last_month
    where
        j.status = 'short' and j.shortfall is not null
        -- A finding carries the size of its last answer; what was missing before may have been more.
        and not coalesce(s.is_minor and j.shortfall <= s.shortfall, false)
        and not coalesce(s.is_exempt, false)
)

select * from final
order by extract(year from month), subject_code, month, rule_id
