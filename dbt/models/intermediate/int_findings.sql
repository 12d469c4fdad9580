-- A row is one spell in which a subject did not meet a rule, or did not answer.
-- Must hold: silence never ends a spell; `cleared` means met; where answers stop with the unit or the standard, that is said.
{# How long a rule's period is: a unit that ended is judged for the year though no December may have come. #}
{% set period_months
    = "case r.period when 'month' then 1 when 'quarter' then 3 when 'half_year' then 6 when 'two_years' then 24 else 12 end"
%}
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
        s.rule_id || '/' || s.subject_unit || '/' || substr(cast(s.opened_month as string), 1, 7) as finding_id
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
    select period, max(month) as last_month
    from {{ ref('int_periods') }}
    group by period
),

-- Until when a unit stood, whatever codes it bore: a renamed one stands on.
units_ended as (
    select subject_level, subject_unit, max(coalesce(unit_end, cast('9999-12-31' as date))) as ended_on
    from {{ ref('int_subjects') }}
    group by subject_level, subject_unit
),

-- Rules that ceased for a subject although it stands, and whether another on the same matter came after.
rules_ended as (
    select
        standard_id, subject_level, subject_unit, matter,
        max(case
            when effective_to is null or replaced_on <= effective_to then replaced_on
            else cast({{ dbt.dateadd('day', 1, 'effective_to') }} as date)
        end) as ended_on,
        max(effective_from) as effective_from
    from {{ ref('int_subject_rules') }}
    where replaced_on is not null or effective_to is not null
    group by standard_id, subject_level, subject_unit, matter
),

rules_replaced as (
    select e.standard_id, e.subject_level, e.subject_unit, min(e.ended_on) as ended_on
    from rules_ended as e
    inner join {{ ref('int_subject_rules') }} as later
        on
            e.subject_level = later.subject_level
            and e.subject_unit = later.subject_unit
            and e.matter = later.matter
            and e.standard_id <> later.standard_id
            and e.effective_from < later.effective_from
    group by e.standard_id, e.subject_level, e.subject_unit
),

-- The least severity that the size of what is missing allows.
sizes as (
    select
        a.finding_id,
        min(case m.severity when 'low' then 1 when 'medium' then 2 else 3 end) as at_most
    from last_answers as a
    inner join {{ ref('stg_standards') }} as r on a.rule_id = r.standard_id
    inner join {{ ref('stg_materiality') }} as m on r.unit = m.unit
    where a.status in ('short', 'unconfirmed') and {{ is_below_size('a.shortfall', 'a.value_expected', 'm') }}
    group by a.finding_id
),

-- Whose figure the last answer rests on. Of most subjects nobody but themselves has reported: only of the others is
-- looked up which report it was.
foreign_told as (
    {% for dataset in ['population', 'budget', 'staffing'] %}
    select r.township_code as subject_code, '{{ dataset }}' as what
    from {{ ref('reported_' ~ dataset) }} as r
    inner join {{ ref('stg_report_sources') }} as s on r.source = s.source and not s.is_own
    where r.is_current
    union
    {% endfor %}
    select r.subject_code, r.indicator_code as what
    from {{ ref('reported_indicators') }} as r
    inner join {{ ref('stg_report_sources') }} as s on r.source = s.source and not s.is_own
    where r.is_current
),

told as (
    {% for dataset in ['population', 'budget', 'staffing'] %}
    select r.township_code as subject_code, '{{ dataset }}' as what, r.month, r.source
    from {{ ref('reported_' ~ dataset) }} as r
    inner join foreign_told as f on r.township_code = f.subject_code and f.what = '{{ dataset }}'
    where r.is_current
    union all
    {% endfor %}
    select r.subject_code, r.indicator_code as what, r.month, r.source
    from {{ ref('reported_indicators') }} as r
    inner join foreign_told as f on r.subject_code = f.subject_code and r.indicator_code = f.what
    where r.is_current
),

asked as (
    select
        standard_id,
        -- The linter sees no measures, and with them nothing but the first and the last line of this.
        case
            when measure_code is null then 'none'  -- noqa: ST02
            {% for dataset in ['population', 'budget', 'staffing'] %}
            {% for column in measures_of(dataset) %}
            when measure_code = '{{ column.name }}' then '{{ dataset }}'
            {% endfor %}
            {% endfor %}
            else measure_code
        end as what
    from {{ ref('stg_standard_measures') }}
    group by standard_id, measure_code
),

reports_used as (
    select
        a.finding_id, t.source,
        cast(row_number() over (
            partition by a.finding_id, t.what order by t.month desc nulls last, t.source asc nulls last
        ) as bigint) as recency
    from last_answers as a
    inner join {{ ref('stg_standards') }} as r on a.rule_id = r.standard_id
    inner join asked as q on a.rule_id = q.standard_id
    inner join told as t
        on
            a.subject_code = t.subject_code and q.what = t.what and t.month <= a.month
            and {{ month_index('t.month') }} > {{ month_index('a.month') }}
            - case when r.period = 'month' then coalesce(r.report_valid_months, 1) else {{ period_months }} end
    where r.formula not in ('per_capita_by_tier', 'per_capita_marginal', 'flat_by_tier', 'paid_in_full')
),

funds_used as (
    select
        a.finding_id,
        case when r.formula = 'paid_in_full' then u.disbursed_source else u.allocated_source end as source
    from last_answers as a
    inner join {{ ref('stg_standards') }} as r on a.rule_id = r.standard_id
    left join (
        select matter from {{ ref('stg_funds') }} where matter <> 'working_funds' group by matter
    ) as f on r.matter = f.matter
    inner join {{ ref('int_fund_used') }} as u
        on
            a.subject_unit = u.unit_id and a.month = u.month
            and coalesce(f.matter, 'working_funds') = u.matter
    where r.formula in ('per_capita_by_tier', 'per_capita_marginal', 'flat_by_tier', 'paid_in_full')
),

figures_from as (
    select
        finding_id,
        case when min(source) = max(source) then min(source) else min(source) || ';' || max(source) end as source
    from (
        select finding_id, source from reports_used where recency = 1
        union all
        select finding_id, source from funds_used where source is not null
    ) as used
    group by finding_id
),

tables_end as (
    select max(last_day) as last_day from {{ ref('int_months') }}
),

worded as (
    select
        a.*,
        -- Periods of two years overlap, so their lengths are not added up.
        {{ period_months }}
        + (extract(year from a.last_month) - extract(year from a.opened_month)) * 12
        + extract(month from a.last_month) - extract(month from a.opened_month) as months_open,
        r.unit, r.title_zh, r.clause, r.period, d.document_title,
        case
            when z.at_most = 1 then 'low'
            when z.at_most = 2 and coalesce(r.severity, 'medium') = 'high' then 'medium'
            else coalesce(r.severity, 'medium')
        end as severity,
        coalesce(z.at_most = 1, false) as is_minor,
        coalesce(u.subject_name, a.subject_code) as subject_name,
        case
            when a.value_checked is not null
                then coalesce(o.source, case when a.subject_level = 'township' then 'township' end)
        end as source,
        n.source_name as other_source_name,
        case
            when a.next_status = 'not_applicable' then 'not_applicable'
            when a.next_month is not null then 'cleared'
            -- The subject's answers stop before the tables do: it was abolished, or the rule ended.
            when g.ended_on <= t.last_day and g.ended_on <= coalesce(x.ended_on, g.ended_on) then 'unit_ended'
            when x.ended_on <= t.last_day then 'superseded'
            when a.last_month < e.last_month then 'not_applicable'
            else a.status
        end as finding_status
    from last_answers as a
    inner join {{ ref('stg_standards') }} as r on a.rule_id = r.standard_id
    inner join {{ ref('stg_policy_documents') }} as d on r.document_id = d.document_id
    left join {{ ref('int_subjects') }} as u
        on a.subject_level = u.subject_level and a.subject_code = u.subject_code
    left join edition_end as e on r.period = e.period
    left join units_ended as g on a.subject_level = g.subject_level and a.subject_unit = g.subject_unit
    left join rules_replaced as x
        on
            a.rule_id = x.standard_id
            and a.subject_level = x.subject_level
            and a.subject_unit = x.subject_unit
    left join sizes as z on a.finding_id = z.finding_id
    left join figures_from as o on a.finding_id = o.finding_id
    left join {{ ref('stg_report_sources') }} as n on o.source = n.source and not n.is_own
    cross join tables_end as t
),

final as (
    select
        cast(finding_id as string) as finding_id,
        cast(rule_id as string) as rule_id,
        cast(subject_unit as string) as subject_unit,
        cast(subject_level as string) as subject_level,
        cast(subject_code as string) as subject_code,
        cast(opened_month as date) as opened_month,
        cast(last_month as date) as last_month,
        cast(case when finding_status = 'cleared' then next_month end as date) as cleared_month,
        cast(months_open as bigint) as months_open,
        cast(finding_status as string) as status,
        cast(value_checked as decimal(18, 4)) as value_checked,
        cast(value_expected as decimal(18, 4)) as value_expected,
        cast(shortfall as decimal(18, 4)) as shortfall,
        cast(unit as string) as unit,
        cast(source as string) as source,
        cast(severity as string) as severity,
        cast(is_minor as boolean) as is_minor,
        -- What is missing times the months it has been missing: the order of a list within a severity.
        cast(coalesce(shortfall, 0) * months_open as decimal(24, 4)) as weight,
        cast(document_title as string) as document_title,
        cast(clause as string) as clause,
        cast(
            subject_name || '：' || title_zh || '。'
            || case
                when status in ('short', 'unconfirmed') then
                    substr(cast(last_month as string), 1, 7) || ' 应为 '
                    || {{ plain_number('value_expected', 'unit') }} || '，实为 '
                    || {{ plain_number('value_checked', 'unit') }}
                    || case when other_source_name is null then '' else '（' || other_source_name || '的数）' end
                    || case when unit = '是/否' then '' else '，差 ' || {{ plain_number('shortfall', 'unit') }} end
                    || case when status = 'unconfirmed' then '；该依据超过确认期限，待确认后定' else '' end
                else substr(cast(last_month as string), 1, 7) || ' 未报送所需数据，无法判断'
            end
            || case
                when finding_status = 'cleared' and status = 'not_reported'
                    then '；' || substr(cast(next_month as string), 1, 7) || ' 已补报，达标'
                when finding_status = 'cleared'
                    then '；' || substr(cast(next_month as string), 1, 7) || ' 起已整改'
                when finding_status = 'unit_ended' then '；该单位已撤并，不再判定'
                when finding_status = 'superseded' then '；该标准已由后来的标准取代，不再按本项判定'
                else ''
            end
            || '。依据：《' || document_title || '》' || clause
            as string
        ) as message_zh,
        cast(previous_finding_id as string) as previous_finding_id
    from worded
)

select * from final
