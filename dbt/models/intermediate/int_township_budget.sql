-- A row is a township × month with the budget, payments and spending known for the year up to that month.
-- Must hold: from a takeover on they are the whole area's, told once from the heir's figures; unknown is null, never zero.
{{ config(
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew('month')) }}"
) }}
{% set kinds = ['disbursed', 'spent'] %}
{% set amounts = [
    'allocated_cny', 'allocated_precision_cny', 'allocated_as_of_month', 'allocated_is_added',
    'disbursed_ytd_cny', 'disbursed_precision_cny', 'disbursed_as_of_number', 'disbursed_is_partial', 'disbursed_is_doubtful',
    'spent_ytd_cny', 'spent_precision_cny', 'spent_as_of_number', 'spent_is_partial', 'spent_is_doubtful'
] %}
with own as (
    select
        unit_id, month, fiscal_year, month_number,
        allocated_cny, allocated_precision_cny, allocated_as_of_month, false as allocated_is_added,
        {% for kind in kinds %}
        {{ kind }}_ytd_cny, {{ kind }}_precision_cny, {{ kind }}_as_of_number, {{ kind }}_is_partial,
        false as {{ kind }}_is_doubtful, {{ kind }}_is_cumulative,
        {% endfor %}
        is_listed_separately, allocated_source, disbursed_source, spent_source
    from {{ ref('int_matter_amounts') }}
    where matter = 'working_funds' and {{ anew('month') }}
),

years as (
    select fiscal_year from own group by fiscal_year
),

links as (
    select
        t.unit_id, t.heir_unit_id, y.fiscal_year, t.since_index - y.fiscal_year * 12 + 1 as since_number,
        -- A new code made of others has no figures of its own before.
        case when p.first_index = t.since_index then 1 else 0 end as is_founded
    from {{ ref('int_takeovers') }} as t
    inner join years as y on t.since_index >= y.fiscal_year * 12 and t.since_index <= y.fiscal_year * 12 + 11
    inner join (
        select unit_id, fiscal_year, min(first_index) as first_index
        from {{ ref('int_unit_phases') }}
        group by unit_id, fiscal_year
    ) as p
        on t.heir_unit_id = p.unit_id and y.fiscal_year = p.fiscal_year
    -- A unit that ended in January has nothing in the year but what it still told of that month.
    where
        t.since_index > y.fiscal_year * 12
        or exists (select 1 from own as o where t.unit_id = o.unit_id and y.fiscal_year = o.fiscal_year)
),

-- A takeover may follow another within the year: what was taken over first is added first.
areas_0 as (
    select unit_id, month, fiscal_year, month_number, {{ amounts | join(', ') }}
    from own
),

{% for step in [1, 2, 3] %}
{{ areas_after_takeovers('areas_' ~ (step - 1), step, kinds) }}

areas_{{ step }} as (
    select unit_id, month, fiscal_year, month_number, {{ amounts | join(', ') }}
    from own as o
    where not exists (select 1 from links as l where o.unit_id = l.heir_unit_id and o.fiscal_year = l.fiscal_year)
    union all
    select unit_id, month, fiscal_year, month_number, {{ amounts | join(', ') }}
    from joined_{{ step }}
),

{% endfor %}
final as (
    select
        m.township_code, m.unit_id, m.month, m.fiscal_year, m.month_number,
        cast(a.allocated_cny as decimal(18, 2)) as allocated_annual_cny,
        cast(case when a.allocated_cny is not null then a.allocated_precision_cny end as decimal(18, 2))
            as allocated_precision_cny,
        cast(case when a.allocated_cny is not null then a.allocated_as_of_month end as date) as allocated_as_of_month,
        a.allocated_is_added,
        {% for kind in kinds %}
        cast(a.{{ kind }}_ytd_cny as decimal(18, 2)) as {{ kind }}_ytd_cny,
        cast(a.{{ kind }}_precision_cny as decimal(18, 2)) as {{ kind }}_precision_cny,
        cast({{ dbt.dateadd('month', 'cast(a.' ~ kind ~ '_as_of_number - m.month_number as int)', 'm.month') }} as date)
            as {{ kind }}_as_of_month,
        a.{{ kind }}_is_partial,
        a.{{ kind }}_is_doubtful,
        -- Complete: it reaches the month, and none before it is missing.
        coalesce(a.{{ kind }}_as_of_number = m.month_number and not a.{{ kind }}_is_partial, false)
            as {{ kind }}_is_complete,
        {% endfor %}
        o.is_listed_separately, o.allocated_source, o.disbursed_source, o.spent_source
    from {{ ref('int_township_months') }} as m
    inner join own as o on m.unit_id = o.unit_id and m.month = o.month
    inner join areas_3 as a on m.unit_id = a.unit_id and m.month = a.month
    where {{ anew('m.month') }}
)

select * from final
