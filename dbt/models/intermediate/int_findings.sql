-- A row is one spell in which a subject did not meet a rule, or did not answer.
-- Must hold: silence never ends a spell; a spell ends with an answer that the rule is met or no longer applies.
with judged as (
    select
        j.rule_id, j.subject_level, j.subject_code, j.subject_unit, j.month, j.status,
        j.value_checked, j.value_expected, j.shortfall,
        lag(j.status) over (
            partition by j.rule_id, j.subject_level, j.subject_unit
            order by j.month asc nulls first, j.subject_code asc nulls first
        ) as previous_status,
        lead(j.month) over (
            partition by j.rule_id, j.subject_level, j.subject_unit
            order by j.month asc nulls first, j.subject_code asc nulls first
        ) as next_month,
        lead(j.status) over (
            partition by j.rule_id, j.subject_level, j.subject_unit
            order by j.month asc nulls first, j.subject_code asc nulls first
        ) as next_status
    from {{ ref('judgements') }} as j
    -- Plans, aims and benchmarks can be missed, never violated.
    where j.is_binding
),

open_answers as (
    select
        j.*,
        coalesce(j.previous_status, 'met') not in ('short', 'not_reported', 'unconfirmed') as is_first,
        coalesce(j.next_status, 'met') not in ('short', 'not_reported', 'unconfirmed') as is_last
    from judged as j
    where j.status in ('short', 'not_reported', 'unconfirmed')
),

-- A spell is told by its first and its last answer; the many between them are not carried on.
ends as (
    select
        o.*,
        cast(sum(case when o.is_first then 1 else 0 end) over (
            partition by o.rule_id, o.subject_level, o.subject_unit
            order by o.month asc nulls first, o.subject_code asc nulls first
            rows between unbounded preceding and current row
        ) as bigint) as spell_number
    from open_answers as o
    where o.is_first or o.is_last
),

spells as (
    select
        e.*,
        e.month as last_month,
        min(e.month) over (partition by e.rule_id, e.subject_level, e.subject_unit, e.spell_number) as opened_month
    from ends as e
),

named as (
    select
        s.*,
        s.rule_id || '/' || s.subject_unit || '/' || substr(cast(s.opened_month as varchar), 1, 7) as finding_id
    from spells as s
    where s.is_last
),

last_answers as (
    select
        n.*,
        lag(n.finding_id) over (
            partition by n.rule_id, n.subject_level, n.subject_unit order by n.spell_number asc nulls first
        ) as previous_finding_id
    from named as n
),

edition_end as (
    select period, max(months_count) as months_count, max(month) as last_month
    from {{ ref('int_periods') }}
    group by period
),

worded as (
    select
        a.*,
        -- Periods of two years overlap, so their lengths are not added up.
        e.months_count
        + (extract(year from a.last_month) - extract(year from a.opened_month)) * 12
        + extract(month from a.last_month) - extract(month from a.opened_month) as months_open,
        r.unit, r.severity, r.title_zh, r.clause, r.period, d.document_title,
        coalesce(u.subject_name, a.subject_code) as subject_name,
        case
            when a.next_status = 'not_applicable' then 'not_applicable'
            when a.next_month is not null then 'cleared'
            -- The subject's answers stop before the periods do: it was abolished or the rule ended.
            when a.last_month < e.last_month then 'not_applicable'
            else a.status
        end as finding_status
    from last_answers as a
    inner join {{ ref('stg_standards') }} as r on a.rule_id = r.standard_id
    inner join {{ ref('stg_policy_documents') }} as d on r.document_id = d.document_id
    left join {{ ref('int_subjects') }} as u
        on a.subject_level = u.subject_level and a.subject_code = u.subject_code
    inner join edition_end as e on r.period = e.period
),

final as (
    select
        cast(finding_id as varchar) as finding_id,
        cast(rule_id as varchar) as rule_id,
        cast(subject_unit as varchar) as subject_unit,
        cast(subject_level as varchar) as subject_level,
        cast(subject_code as varchar) as subject_code,
        cast(opened_month as date) as opened_month,
        cast(last_month as date) as last_month,
        cast(case when finding_status = 'cleared' then next_month end as date) as cleared_month,
        cast(months_open as bigint) as months_open,
        cast(finding_status as varchar) as status,
        cast(value_checked as decimal(18, 4)) as value_checked,
        cast(value_expected as decimal(18, 4)) as value_expected,
        cast(shortfall as decimal(18, 4)) as shortfall,
        cast(unit as varchar) as unit,
        cast(severity as varchar) as severity,
        cast(document_title as varchar) as document_title,
        cast(clause as varchar) as clause,
        cast(
            subject_name || '：' || title_zh || '。'
            || case
                when status in ('short', 'unconfirmed') then
                    substr(cast(last_month as varchar), 1, 7) || ' 应为 '
                    || {{ plain_number('value_expected', 'unit') }} || '，实为 '
                    || {{ plain_number('value_checked', 'unit') }}
                    || case when unit = '是/否' then '' else '，差 ' || {{ plain_number('shortfall', 'unit') }} end
                    || case when status = 'unconfirmed' then '；该依据超过确认期限，待确认后定' else '' end
                else substr(cast(last_month as varchar), 1, 7) || ' 未报送所需数据，无法判断'
            end
            || case
                when finding_status = 'cleared' and status = 'not_reported'
                    then '；' || substr(cast(next_month as varchar), 1, 7) || ' 已补报，达标'
                when finding_status = 'cleared'
                    then '；' || substr(cast(next_month as varchar), 1, 7) || ' 起已整改'
                else ''
            end
            || '。依据：《' || document_title || '》' || clause
            as varchar
        ) as message_zh,
        cast(previous_finding_id as varchar) as previous_finding_id
    from worded
)

select * from final
