-- A row is a unit × fund × source × month: the year's budget, payments and spending as that source reported them so far.
-- Must hold: a figure stands with the month it rests on, whether a month before that is missing, and how it was written.
{{ config(
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew('month')) }}"
) }}
{% set year = 'unit_id, fund_code, source, fiscal_year' %}
with in_force as (
    select m.unit_id, m.month, m.fiscal_year, m.month_number
    from {{ ref('int_township_months') }} as m
    where {{ anew('m.month') }}
    -- What a unit was paid in the month in which it ended belongs to its last figure.
    union
    select
        t.unit_id, r.month,
        cast(extract(year from r.month) as bigint) as fiscal_year,
        cast(extract(month from r.month) as bigint) as month_number
    from {{ ref('int_takeovers') }} as t
    inner join {{ ref('reported_budget') }} as r on t.township_code = r.township_code
    where r.is_current and t.since_index = {{ month_index('r.month') }} and {{ anew('r.month') }}
),

months as (
    select m.unit_id, m.month, m.fiscal_year, m.month_number, p.first_index
    from in_force as m
    -- One that ended in January has no phase of that year.
    inner join (
        select unit_id, min(first_index) as first_index from {{ ref('int_unit_phases') }} group by unit_id
    ) as p
        on m.unit_id = p.unit_id
    group by m.unit_id, m.month, m.fiscal_year, m.month_number, p.first_index
),

reports as (
    select * from {{ ref('int_fund_reports') }} where {{ anew('month') }}
),

-- Whoever reported of a unit in the year; of the working funds its own report is looked for in any case.
lanes as (
    select unit_id, fiscal_year, 'working_funds' as fund_code, 'township' as source
    from months
    group by unit_id, fiscal_year
    union
    select unit_id, cast(extract(year from month) as bigint) as fiscal_year, fund_code, source
    from reports
    group by unit_id, extract(year from month), fund_code, source
),

reported as (
    select
        m.unit_id, n.fund_code, n.source, m.month, m.fiscal_year, m.month_number,
        -- Months count from January or from the unit's first.
        case when m.first_index > m.fiscal_year * 12 then m.first_index - m.fiscal_year * 12 else 0 end
            as before_number,
        {% for figure in [
            'initial_budget', 'adjusted_budget', 'disbursed_month', 'disbursed_cumulative', 'spent_month', 'spent_cumulative',
            'carried_over', 'from_above', 'own'
        ] %}
        b.{{ figure }}_cny, b.{{ figure }}_cny_precision,
        {% endfor %}
        b.is_listed_separately
    from months as m
    inner join lanes as n on m.unit_id = n.unit_id and m.fiscal_year = n.fiscal_year
    left join reports as b
        on m.unit_id = b.unit_id and m.month = b.month and n.fund_code = b.fund_code and n.source = b.source
),

-- Where each month of the year tells all that any of them tells, with cumulative payments and spending, it stands by itself:
-- most do, and looking back over all of the country is dear.
{% set stocks = ['initial_budget', 'adjusted_budget', 'carried_over', 'from_above', 'own'] %}
even as (
    select {{ year }}
    from reported
    group by {{ year }}
    having
        count(disbursed_cumulative_cny) = count(*) and count(spent_cumulative_cny) = count(*)
        {% for figure in ['initial_budget_cny', 'adjusted_budget_cny', 'carried_over_cny', 'from_above_cny', 'own_cny',
            'is_listed_separately'] %}
        and (count({{ figure }}) = 0 or count({{ figure }}) = count(*))
        {% endfor %}
),

standing as (
    select r.*
    from reported as r
    inner join even as e
        on
            r.unit_id = e.unit_id and r.fund_code = e.fund_code and r.source = e.source
            and r.fiscal_year = e.fiscal_year
),

uneven as (
    select r.*
    from reported as r
    left join even as e
        on
            r.unit_id = e.unit_id and r.fund_code = e.fund_code and r.source = e.source
            and r.fiscal_year = e.fiscal_year
    where e.unit_id is null
),

-- A unit founded or renamed within a month has one row a month, whatever its codes.
to_date as (
    select
        {{ year }}, month, month_number, before_number,
        {% for kind in stocks %}
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
    from uneven
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

known as (
    select
        {{ year }}, month, month_number, before_number,
        {% for kind in stocks %}
        {{ kind }}, {{ kind }}_precision, {{ kind }}_month,
        {% endfor %}
        {% for kind in ['disbursed', 'spent'] %}
        {{ kind }}_cumulative, {{ kind }}_cumulative_precision, {{ kind }}_is_cumulative, {{ kind }}_cumulative_number,
        {{ kind }}_as_of_number,
        {% for name in parts %}
        {{ kind }}_{{ name }} - {{ kind }}_{{ name }}_contained as {{ kind }}_{{ name }}_since,
        {% endfor %}
        {% endfor %}
        is_listed_separately
    from contained
    union all
    select
        {{ year }}, month, month_number, before_number,
        {% for kind in stocks %}
        {{ kind }}_cny as {{ kind }}, {{ kind }}_cny_precision as {{ kind }}_precision,
        case when {{ kind }}_cny is not null then month end as {{ kind }}_month,
        {% endfor %}
        {% for kind in ['disbursed', 'spent'] %}
        {{ kind }}_cumulative_cny as {{ kind }}_cumulative,
        {{ kind }}_cumulative_cny_precision as {{ kind }}_cumulative_precision, true as {{ kind }}_is_cumulative,
        month_number as {{ kind }}_cumulative_number, month_number as {{ kind }}_as_of_number,
        {% for name in parts %}
        cast(0 as decimal(18, 2)) as {{ kind }}_{{ name }}_since,
        {% endfor %}
        {% endfor %}
        is_listed_separately
    from standing
),

final as (
    select
        {{ year }}, month, month_number,
        {% for kind, name in [
            ('initial_budget', 'initial'), ('adjusted_budget', 'adjusted'),
            ('carried_over', 'carried_over'), ('from_above', 'from_above'), ('own', 'own')
        ] %}
        cast({{ kind }} as decimal(18, 2)) as {{ name }}_cny,
        cast({{ kind }}_precision as decimal(18, 2)) as {{ name }}_precision_cny,
        cast({{ kind }}_month as date) as {{ name }}_as_of_month,
        {% endfor %}
        cast(coalesce(adjusted_budget, initial_budget) as decimal(18, 2)) as allocated_cny,
        cast(case when adjusted_budget is not null then adjusted_budget_precision else initial_budget_precision end
            as decimal(18, 2)) as allocated_precision_cny,
        cast(case when adjusted_budget is not null then adjusted_budget_month else initial_budget_month end as date)
            as allocated_as_of_month,
        {% for kind in ['disbursed', 'spent'] %}
        cast(case
            when {{ kind }}_as_of_number is not null
                then coalesce({{ kind }}_cumulative, 0) + {{ kind }}_sum_since
        end as decimal(18, 2)) as {{ kind }}_ytd_cny,
        cast(case
            when {{ kind }}_as_of_number is not null
                then coalesce({{ kind }}_cumulative_precision, 0) + {{ kind }}_sum_precision_since
        end as decimal(18, 2)) as {{ kind }}_precision_cny,
        cast({{ kind }}_as_of_number as bigint) as {{ kind }}_as_of_number,
        -- Partial: of the months after the latest cumulative figure, or after the first, one has no figure.
        {{ kind }}_as_of_number - coalesce({{ kind }}_cumulative_number, before_number)
        > {{ kind }}_months_since as {{ kind }}_is_partial,
        {{ kind }}_is_cumulative,
        {% endfor %}
        is_listed_separately
    from known
)

select * from final
