-- A row is a month from the first to the last that any dataset reports, or to the last that was due where a folder wants it.
-- Must hold: no month is left out, whether or not anybody reported in it.
-- The provinces computed by themselves are told what all report (`reported`), since each sees its own reports alone.
{{ config(tags=['nationwide']) }}
{% set told = var('reported', none) %}
with reported as (
    {% if told %}
    select cast('{{ told[0] }}' as date) as month
    union all
    select cast('{{ told[1] }}' as date) as month
    {% else %}
    select month from {{ ref('reported_population') }} where is_current
    union all
    select month from {{ ref('reported_budget') }} where is_current
    union all
    select month from {{ ref('reported_staffing') }} where is_current
    union all
    select month from {{ ref('reported_indicators') }} where is_current
    {% endif %}
),

ends as (
    select min(month) as first_month, max(month) as last_month from reported
),

due as (
    select max(month) as last_month from {{ source('inputs', 'due_dates') }} where makes_rows
),

bounds as (
    select
        e.first_month,
        case when d.last_month > e.last_month then d.last_month else e.last_month end as last_month
    from ends as e
    cross join due as d
),

digits as (
    select 0 as digit
    {% for digit in range(1, 10) %}
    union all select {{ digit }} as digit
    {% endfor %}
),

numbers as (
    select hundreds.digit * 100 + tens.digit * 10 + ones.digit as step
    from digits as hundreds
    cross join digits as tens
    cross join digits as ones
),

months as (
    select cast({{ dbt.dateadd('month', 'n.step', 'b.first_month') }} as date) as month, b.last_month
    from bounds as b
    cross join numbers as n
    where b.first_month is not null
),

final as (
    select
        month,
        cast(extract(year from month) as bigint) as fiscal_year,
        cast(extract(month from month) as bigint) as month_number,
        cast({{ dbt.last_day('month', 'month') }} as date) as last_day
    from months
    where month <= last_month
)

select * from final
