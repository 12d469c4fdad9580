-- A row is one spell in which a subject did not meet a rule, or did not answer.
-- Must hold: silence never ends a spell; a spell ends with an answer that the rule is met or no longer applies.
with judged as (
    select
        j.*,
        j.status in ('short', 'not_reported', 'unconfirmed') as is_open,
        lag(j.status in ('short', 'not_reported', 'unconfirmed')) over (
            partition by j.rule_id, j.subject_level, j.subject_unit
            order by j.month asc nulls first, j.subject_code asc nulls first
        ) as was_open,
        lead(j.month) over (
            partition by j.rule_id, j.subject_level, j.subject_unit
            order by j.month asc nulls first, j.subject_code asc nulls first
        ) as next_month,
        lead(j.status) over (
            partition by j.rule_id, j.subject_level, j.subject_unit
            order by j.month asc nulls first, j.subject_code asc nulls first
        ) as next_status
    from {{ ref('int_judgements') }} as j
),

numbered as (
    select
        j.*,
        cast(sum(case when j.is_open and not coalesce(j.was_open, false) then 1 else 0 end) over (
            partition by j.rule_id, j.subject_level, j.subject_unit
            order by j.month asc nulls first, j.subject_code asc nulls first
            rows between unbounded preceding and current row
        ) as bigint) as spell_number
    from judged as j
),

spells as (
    select
        rule_id, subject_level, subject_unit, spell_number,
        min(month) as opened_month,
        max(month) as last_month,
        cast(count(*) as bigint) as months_open
    from numbered
    where is_open
    group by rule_id, subject_level, subject_unit, spell_number
),

last_answers as (
    select
        s.*,
        n.subject_code, n.status, n.value_checked, n.value_expected, n.shortfall, n.next_month, n.next_status
    from spells as s
    inner join numbered as n
        on
            s.rule_id = n.rule_id
            and s.subject_level = n.subject_level
            and s.subject_unit = n.subject_unit
            and s.last_month = n.month
            and n.is_open
),

edition_end as (
    select max(month) as last_month from {{ ref('int_months') }}
),

worded as (
    select
        a.*,
        r.unit, r.severity, r.title_zh, r.clause, d.document_title,
        coalesce(u.division_name, a.subject_code) as subject_name,
        case
            when a.next_status = 'not_applicable' then 'not_applicable'
            when a.next_month is not null then 'cleared'
            -- The subject's answers stop before the edition does: it was abolished or the rule ended.
            when a.last_month < e.last_month then 'not_applicable'
            else a.status
        end as finding_status
    from last_answers as a
    inner join {{ ref('stg_standards') }} as r on a.rule_id = r.standard_id
    inner join {{ ref('stg_policy_documents') }} as d on r.document_id = d.document_id
    left join {{ ref('int_units') }} as u on a.subject_code = u.division_code
    cross join edition_end as e
),

final as (
    select
        cast(rule_id || '/' || subject_unit || '/' || substr(cast(opened_month as varchar), 1, 7) as varchar)
            as finding_id,
        cast(rule_id as varchar) as rule_id,
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
                when status = 'short' then
                    substr(cast(last_month as varchar), 1, 7) || ' 应为 '
                    || {{ plain_number('value_expected', 'unit') }} || ' ' || unit || '，实为 '
                    || {{ plain_number('value_checked', 'unit') }} || ' ' || unit || '，差 '
                    || {{ plain_number('shortfall', 'unit') }} || ' ' || unit
                else substr(cast(last_month as varchar), 1, 7) || ' 未报送所需数据，无法判断'
            end
            || case
                when finding_status = 'cleared' then '；' || substr(cast(next_month as varchar), 1, 7) || ' 起已整改'
                else ''
            end
            || '。依据：《' || document_title || '》' || clause
            as varchar
        ) as message_zh
    from worded
)

select * from final
