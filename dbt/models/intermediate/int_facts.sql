-- A row is a figure that a general rule counts: subject × measure × month as reported, or as the budget year carries it.
-- Must hold: at most one row a subject, measure and month; what nobody reported has no row.
-- `below` and `above`: how much less or more may have been written so.
{% set budget = ['allocated_annual_cny', 'disbursed_ytd_cny', 'spent_ytd_cny'] %}
{# What is guaranteed, for rules on pace and use; as the funding table has it. #}
{% set guaranteed = ['guaranteed_annual_cny', 'guaranteed_ytd_cny'] %}
{# By the population that decides the year, below; not as each month reports it. #}
{% set by_year = ['population_persons', 'resident_population_persons'] %}
{% set datasets = {
    'population': ref('reported_population'), 'budget': ref('reported_budget'), 'staffing': ref('reported_staffing')
} %}
with counted as (
    select m.fact_code as measure_code, min(m.label_zh) as label_zh
    from {{ ref('int_rule_measures') }} as m
    inner join {{ ref('int_rules') }} as r on m.standard_id = r.standard_id
    group by m.fact_code
),

lineage as (
    select township_code, unit_id from {{ ref('int_unit_lineage') }}
),

indicators as (
    select
        case
            when i.measure_code is not null then f.subject_code || '/' || coalesce(f.subject_name, '')
            else coalesce(l.unit_id, f.subject_code)
        end as subject_unit,
        f.indicator_code as measure_code,
        f.month,
        f.indicator_value as value,
        cast(0 as decimal(18, 4)) as below,
        cast(0 as decimal(18, 4)) as above,
        f.indicator_text as value_text,
        coalesce(f.indicator_name, c.label_zh) as title
    from {{ ref('reported_indicators') }} as f
    inner join counted as c on f.indicator_code = c.measure_code
    left join {{ ref('int_institution_measures') }} as i on f.indicator_code = i.measure_code
    left join lineage as l on f.subject_code = l.township_code
    where f.is_current and (f.indicator_value is not null or f.indicator_text is not null)
),

columns_of_datasets as (
    {% for dataset, reports in datasets.items() %}
    {% for column in measures_of(dataset) if column.name not in by_year %}
    select
        l.unit_id as subject_unit, '{{ column.name }}' as measure_code, r.month,
        {% if column.kind == 'bool' %}
        cast(case when r.{{ column.name }} then 1 else 0 end as decimal(18, 4)) as value
        {% else %}
        cast(r.{{ column.name }} as decimal(18, 4)) as value
        {%- endif %},
        {% for side in ['below', 'above'] %}
        {% if column.has_precision %}
        {{ half_of('r.' ~ column.name ~ '_precision', column.kind != 'money') }}
        {% else %}
        cast(0 as decimal(18, 4))
        {% endif %}
        as {{ side }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ reports }} as r
    inner join lineage as l on r.township_code = l.township_code
    where
        r.is_current and r.{{ column.name }} is not null
        and exists (select 1 from counted as c where c.measure_code = '{{ column.name }}')
    union all
    {% endfor %}
    {% endfor %}
    {% for column in budget %}
    select
        b.unit_id as subject_unit, '{{ column }}' as measure_code, b.month,
        cast(b.{{ column }} as decimal(18, 4)) as value,
        {{ half_of('b.' ~ column.split('_')[0] ~ '_precision_cny') }} as below,
        {{ half_of('b.' ~ column.split('_')[0] ~ '_precision_cny') }} as above
    from {{ ref('int_township_budget') }} as b
    where
        b.{{ column }} is not null
        {% if column != 'allocated_annual_cny' %}
        -- What does not reach the month, or lacks one before it, is no figure to judge by.
        and b.{{ column | replace('_ytd_cny', '_is_complete') }}
        {% endif %}
        and exists (select 1 from counted as c where c.measure_code = '{{ column }}')
    union all
    {% endfor %}
    -- Two matters never meet: a rule on another matter counts the amounts of that matter's funds.
    {% for column in budget %}
    {% set amount = column | replace('allocated_annual_cny', 'allocated_cny') %}
    select
        a.unit_id as subject_unit, a.matter || '/{{ column }}' as measure_code, a.month,
        cast(a.{{ amount }} as decimal(18, 4)) as value,
        {{ half_of('a.' ~ column.split('_')[0] ~ '_precision_cny') }} as below,
        {{ half_of('a.' ~ column.split('_')[0] ~ '_precision_cny') }} as above
    from {{ ref('int_matter_amounts') }} as a
    where
        a.matter <> 'working_funds' and a.{{ amount }} is not null
        {% if column != 'allocated_annual_cny' %}
        {% set kind = column | replace('_ytd_cny', '') %}
        and a.{{ kind }}_as_of_number = a.month_number and not a.{{ kind }}_is_partial
        {% endif %}
        and exists (select 1 from counted as c where c.measure_code = a.matter || '/{{ column }}')
    union all
    {% endfor %}
    {% for column in guaranteed %}
    select
        l.unit_id as subject_unit, '{{ column }}' as measure_code, g.month,
        cast(g.{{ column }} as decimal(18, 4)) as value,
        cast(g.{{ column }} - coalesce(g.{{ column | replace('guaranteed', 'guaranteed_least') }}, g.{{ column }})
            as decimal(18, 4)) as below,
        cast(0 as decimal(18, 4)) as above
    from {{ ref('funding_gap_monthly') }} as g
    inner join lineage as l on g.township_code = l.township_code
    where
        g.{{ column }} is not null
        and exists (select 1 from counted as c where c.measure_code = '{{ column }}')
    union all
    {% endfor %}
    -- People are counted as for tiers: by the population that decides the year.
    select
        y.unit_id as subject_unit,
        case when y.population_basis = 'resident' then 'resident_population_persons' else 'population_persons' end
            as measure_code,
        m.month, cast(y.population_persons as decimal(18, 4)) as value,
        {{ half_of('y.population_written_to', true) }} as below,
        {{ half_of('y.population_written_to', true) }} as above
    from {{ ref('int_unit_bases') }} as y
    inner join {{ ref('int_months') }} as m
        on
            y.fiscal_year = m.fiscal_year
            and m.month_number >= y.from_number
            and m.month_number <= y.until_number
    where y.population_persons is not null and exists (
        select 1
        from counted as c
        where
            c.measure_code
            = case when y.population_basis = 'resident' then 'resident_population_persons' else 'population_persons' end
    )
),

every_figure as (
    select
        subject_unit, measure_code, month, cast(value as decimal(18, 4)) as value, below, above, value_text,
        -- The title of a number to date says since when it counts; any other number is the month's own.
        case
            when title like '%本季%' or title like '%季度%' then 'quarter'
            when title like '%半年%' then 'half_year'
            when title like '%本年%' or title like '%全年%' or title like '%年内%' or title like '%累计%' then 'year'
        end as counted_since
    from indicators
    union all
    select
        subject_unit, measure_code, month, value, below, above,
        cast(null as string) as value_text, cast(null as string) as counted_since
    from columns_of_datasets
),

final as (
    select
        e.subject_unit, e.measure_code, e.month, e.value, e.below, e.above, e.value_text, e.counted_since,
        cast(extract(year from e.month) as bigint) * 12
        + cast(extract(month from e.month) as bigint) - 1 as month_index,
        lead(cast(extract(year from e.month) as bigint) * 12 + cast(extract(month from e.month) as bigint) - 1) over (
            partition by e.subject_unit, e.measure_code order by e.month asc nulls first
        ) as next_index,
        row_number() over (
            partition by e.subject_unit, e.measure_code order by e.month asc nulls first
        ) = 1 as is_first
    from every_figure as e
)

select * from final
