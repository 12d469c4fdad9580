-- A row is one of the five of 五有 for a township and month: 机构, 人员, 经费, 场所, 动力, with what is missing.
-- Must hold: all five stand for every township in the last twelve months; longer answers last until the next.
{{ config(
    alias='scorecard',
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(
        anew('month') ~ ' or month <= (select ' ~ dbt.dateadd('month', -12, 'max(month)') ~ ' from ' ~ ref('int_months') ~ ')'
    ) }}"
) }}

with all_months as (
    select month, fiscal_year * 12 + month_number - 1 as month_index from {{ ref('int_months') }}
),

months as (
    select m.month, m.month_index
    from all_months as m
    cross join (select max(month_index) as month_index from all_months) as latest
    where m.month_index > latest.month_index - 12 and {{ anew('m.month') }}
),

steps as (
    select 0 as step
    {% for step in range(1, 24) %}
    union all select {{ step }} as step
    {% endfor %}
),

periods as (
    select period, max(months_count) as months_count
    from {{ ref('int_periods') }}
    group by period
),

rules as (
    select s.standard_id, s.title_zh, t.pillar_no, p.months_count
    from {{ ref('stg_standards') }} as s
    inner join {{ ref('scorecard_topics') }} as t on s.topic_zh = t.topic_zh
    inner join periods as p on s.period = p.period
    where s.strength in ('must', 'principle') and s.gradeable <> 'N'
),

-- Which answers a month shows is settled before the judgements are read: most of them are older.
shown as (
    select r.standard_id, r.title_zh, r.pillar_no, judged.month as judged_month, m.month
    from rules as r
    inner join steps as s on s.step < r.months_count
    cross join all_months as judged
    inner join months as m on judged.month_index + s.step = m.month_index
),

answers as (
    select
        j.subject_code as township_code, s.month, s.pillar_no, s.standard_id, s.title_zh, j.status
    from {{ ref('judgements') }} as j
    inner join shown as s on j.rule_id = s.standard_id and j.month = s.judged_month
    where j.subject_level = 'township'
),

counted as (
    select
        township_code, month, pillar_no,
        cast(count(*) as bigint) as rules_count,
        cast(sum(case when status in ('met', 'over') then 1 else 0 end) as bigint) as met_count,
        cast(sum(case when status in ('short', 'unconfirmed') then 1 else 0 end) as bigint) as short_count,
        cast(sum(case when status = 'not_reported' then 1 else 0 end) as bigint) as not_reported_count
    from answers
    group by township_code, month, pillar_no
),

-- Titles are put together only where something is missing; that is dear and mostly for nothing.
named as (
    select
        township_code, month, pillar_no,
        {{ dbt.listagg("case when status <> 'not_reported' then title_zh end", "'；'", "order by standard_id") }}
            as missing_zh,
        {{ dbt.listagg("case when status = 'not_reported' then title_zh end", "'；'", "order by standard_id") }}
            as not_reported_zh
    from answers
    where status in ('short', 'unconfirmed', 'not_reported')
    group by township_code, month, pillar_no
),

pillars as (
    select pillar_no, pillar_zh
    from {{ ref('scorecard_topics') }}
    group by pillar_no, pillar_zh
),

final as (
    select
        m.township_code, m.month, p.pillar_no, p.pillar_zh,
        case
            when not m.is_township then 'not_applicable'
            when c.rules_count is null then 'no_standard'
            when c.short_count > 0 then 'short'
            when c.not_reported_count > 0 then 'not_reported'
            when c.met_count > 0 then 'met'
            else 'not_applicable'
        end as status,
        coalesce(c.rules_count, 0) as rules_count,
        coalesce(c.met_count, 0) as met_count,
        coalesce(c.short_count, 0) as short_count,
        coalesce(c.not_reported_count, 0) as not_reported_count,
        n.missing_zh,
        n.not_reported_zh
    from {{ ref('int_township_months') }} as m
    inner join months as recent on m.month = recent.month
    cross join pillars as p
    left join counted as c
        on m.township_code = c.township_code and m.month = c.month and p.pillar_no = c.pillar_no
    left join named as n
        on m.township_code = n.township_code and m.month = n.month and p.pillar_no = n.pillar_no
)

select * from final
order by extract(year from month), township_code, month, pillar_no
