-- A row is a unit × fund × source × month: the year's budget, payments and spending as that source reported them so far.
-- Must hold: a figure stands with the month it rests on, whether a month before that is missing, and how it was written.
{{ config(
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew('month')) }}"
) }}
{% set year = 'unit_id, fund_code, source, fiscal_year' %}
with months as (
    select m.unit_id, m.month, m.fiscal_year, m.month_number, min(p.first_index) as first_index
    from {{ ref('int_township_months') }} as m
    inner join {{ ref('int_unit_phases') }} as p on m.unit_id = p.unit_id and m.fiscal_year = p.fiscal_year
    where {{ anew('m.month') }}
    group by m.unit_id, m.month, m.fiscal_year, m.month_number
),

-- In the month of a renaming both codes may report.
reports as (
    select
        l.unit_id, b.*,
        cast(row_number() over (partition by l.unit_id, b.month order by b.township_code desc nulls last) as bigint)
            as choice
    from {{ ref('reported_budget') }} as b
    inner join {{ ref('int_unit_lineage') }} as l on b.township_code = l.township_code
    where b.is_current and {{ anew('b.month') }}
),

reported as (
    select
        m.unit_id, 'working_funds' as fund_code, 'township' as source, m.month, m.fiscal_year, m.month_number,
        -- Months count from January or from the unit's first.
        case when m.first_index > m.fiscal_year * 12 then m.first_index - m.fiscal_year * 12 else 0 end as before_number,
        b.initial_budget_cny, b.initial_budget_cny_precision,
        b.adjusted_budget_cny, b.adjusted_budget_cny_precision,
        {% for kind in ['disbursed', 'spent'] %}
        b.{{ kind }}_month_cny, b.{{ kind }}_month_cny_precision,
        b.{{ kind }}_cumulative_cny, b.{{ kind }}_cumulative_cny_precision,
        {% endfor %}
        b.is_listed_separately
    from months as m
    left join reports as b on m.unit_id = b.unit_id and m.month = b.month and b.choice = 1
),

-- A unit founded or renamed within a month has one row a month, whatever its codes.
to_date as (
    select
        {{ year }}, month, month_number, before_number,
        {% for kind in ['initial_budget', 'adjusted_budget'] %}
        {{ last_known(kind ~ '_cny', year, 'month') }} as {{ kind }},
        {{ last_known(kind ~ '_cny_precision', year, 'month') }} as {{ kind }}_precision,
        max(case when {{ kind }}_cny is not null then month end) over (
            partition by {{ year }} order by month asc nulls first rows between unbounded preceding and current row
        ) as {{ kind }}_month,
        {% endfor %}
        {% for kind in ['disbursed', 'spent'] %}
        {{ last_known(kind ~ '_cumulative_cny', year, 'month') }} as {{ kind }}_cumulative,
        {{ last_known(kind ~ '_cumulative_cny_precision', year, 'month') }} as {{ kind }}_cumulative_precision,
        {{ kind }}_cumulative_cny is not null as {{ kind }}_is_cumulative,
        max(case when {{ kind }}_cumulative_cny is not null then month_number end) over (
            partition by {{ year }} order by month asc nulls first rows between unbounded preceding and current row
        ) as {{ kind }}_cumulative_number,
        max(case
            when {{ kind }}_cumulative_cny is not null or {{ kind }}_month_cny is not null then month_number
        end) over (
            partition by {{ year }} order by month asc nulls first rows between unbounded preceding and current row
        ) as {{ kind }}_as_of_number,
        {% for name, figure in [
            ('sum', kind ~ '_month_cny'), ('sum_precision', kind ~ '_month_cny_precision'),
            ('months', 'case when ' ~ kind ~ '_month_cny is not null then 1 end')
        ] %}
        cast(coalesce(sum({{ figure }}) over (
            partition by {{ year }} order by month asc nulls first rows between unbounded preceding and current row
        ), 0) as decimal(18, 2)) as {{ kind }}_{{ name }},
        {% endfor %}
        {% endfor %}
        {{ last_known('is_listed_separately', year, 'month') }} as is_listed_separately
    from reported
),

-- What the monthly figures came to at the latest cumulative one, which already contains them.
{% set parts = ['sum', 'sum_precision', 'months'] %}
contained as (
    select
        t.*
        {% for kind in ['disbursed', 'spent'] %}
        {% for name in parts %},
        coalesce({{ last_known(
            'case when ' ~ kind ~ '_is_cumulative then ' ~ kind ~ '_' ~ name ~ ' end', year, 'month'
        ) }}, 0) as {{ kind }}_{{ name }}_contained
        {% endfor %}
        {% endfor %}
    from to_date as t
),

final as (
    select
        {{ year }}, month, month_number,
        cast(coalesce(adjusted_budget, initial_budget) as decimal(18, 2)) as allocated_cny,
        cast(case when adjusted_budget is not null then adjusted_budget_precision else initial_budget_precision end
            as decimal(18, 2)) as allocated_precision_cny,
        cast(case when adjusted_budget is not null then adjusted_budget_month else initial_budget_month end as date)
            as allocated_as_of_month,
        {% for kind in ['disbursed', 'spent'] %}
        cast(case
            when {{ kind }}_as_of_number is not null
                then coalesce({{ kind }}_cumulative, 0) + {{ kind }}_sum - {{ kind }}_sum_contained
        end as decimal(18, 2)) as {{ kind }}_ytd_cny,
        cast(case
            when {{ kind }}_as_of_number is not null
                then coalesce({{ kind }}_cumulative_precision, 0) + {{ kind }}_sum_precision
                - {{ kind }}_sum_precision_contained
        end as decimal(18, 2)) as {{ kind }}_precision_cny,
        cast({{ kind }}_as_of_number as bigint) as {{ kind }}_as_of_number,
        -- Partial: of the months after the latest cumulative figure, or after the first, one has no figure.
        {{ kind }}_as_of_number - coalesce({{ kind }}_cumulative_number, before_number)
        > {{ kind }}_months - {{ kind }}_months_contained as {{ kind }}_is_partial,
        {{ kind }}_is_cumulative,
        {% endfor %}
        is_listed_separately
    from contained
)

select * from final
