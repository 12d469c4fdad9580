-- A row is a unit × fund × month: of each amount the one that counts, and whose it is.
-- Must hold: an amount of the year comes from one source: the preferred if complete, else another that is, else the furthest.
{{ config(
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew('month')) }}"
) }}
{% set key = 'unit_id, fund_code, fiscal_year, month, month_number' %}
{% set groups = {
    'allocated': ['allocated_cny', 'allocated_precision_cny', 'allocated_as_of_month',
        'initial_cny', 'initial_precision_cny', 'initial_as_of_month',
        'adjusted_cny', 'adjusted_precision_cny', 'adjusted_as_of_month',
        'carried_over_cny', 'carried_over_precision_cny', 'carried_over_as_of_month',
        'from_above_cny', 'from_above_precision_cny', 'from_above_as_of_month',
        'own_cny', 'own_precision_cny', 'own_as_of_month', 'is_listed_separately'],
    'disbursed': ['disbursed_ytd_cny', 'disbursed_precision_cny', 'disbursed_as_of_number', 'disbursed_is_partial',
        'disbursed_is_cumulative'],
    'spent': ['spent_ytd_cny', 'spent_precision_cny', 'spent_as_of_number', 'spent_is_partial', 'spent_is_cumulative']
} %}
with amounts as (
    select * from {{ ref('int_fund_amounts') }} where {{ anew('month') }}
),

-- Most units have one source: nothing is to be chosen there, and a window over them all would sort the whole country.
contested as (
    select unit_id, fund_code, fiscal_year
    from amounts
    group by unit_id, fund_code, fiscal_year
    having min(source) < max(source)
),

single as (
    select a.*
    from amounts as a
    left join contested as c
        on a.unit_id = c.unit_id and a.fund_code = c.fund_code and a.fiscal_year = c.fiscal_year
    where c.unit_id is null
),

{% for group, figure in [
    ('allocated', 'initial_budget_cny'), ('disbursed', 'disbursed_month_cny'), ('spent', 'spent_month_cny')
] %}
{{ group }}_choice as (
    select
        a.unit_id, a.fund_code, a.month, a.source, {{ groups[group] | join(', ') }},
        cast(row_number() over (
            partition by a.unit_id, a.fund_code, a.month
            order by
                {% if group == 'allocated' %}
                case when a.allocated_cny is not null then 0 else 1 end asc nulls last,
                {% else %}
                case when a.{{ group }}_as_of_number = a.month_number and not a.{{ group }}_is_partial then 0 else 1 end
                    asc nulls last,
                case
                    when a.{{ group }}_as_of_number = a.month_number and not a.{{ group }}_is_partial then 0
                    else -coalesce(a.{{ group }}_as_of_number, 0)
                end asc nulls last,
                -- Of two that reach as far, one that lacks no month before.
                case when a.{{ group }}_is_partial then 1 else 0 end asc nulls last,
                {% endif %}
                {{ source_rank('p') }} asc nulls last, a.source asc nulls last
        ) as bigint) as choice
    from amounts as a
    inner join contested as c
        on a.unit_id = c.unit_id and a.fund_code = c.fund_code and a.fiscal_year = c.fiscal_year
    {{ join_precedence('a.source', figure, 'p') }}
),

{% endfor %}
chosen as (
    select
        {{ key }},
        {% for group, columns in groups.items() %}
        source as {{ group }}_source, {{ columns | join(', ') }}{{ ',' if not loop.last }}
        {% endfor %}
    from single
    union all
    select
        m.unit_id, m.fund_code, m.fiscal_year, m.month, m.month_number,
        {% for group, columns in groups.items() %}
        {{ group }}.source as {{ group }}_source,
        {% set outer = loop %}
        {% for column in columns %}
        {{ group }}.{{ column }}{{ ',' if not (loop.last and outer.last) }}
        {% endfor %}
        {% endfor %}
    from (
        select a.unit_id, a.fund_code, a.fiscal_year, a.month, a.month_number
        from amounts as a
        inner join contested as c
            on a.unit_id = c.unit_id and a.fund_code = c.fund_code and a.fiscal_year = c.fiscal_year
        group by a.unit_id, a.fund_code, a.fiscal_year, a.month, a.month_number
    ) as m
    {% for group in groups %}
    inner join {{ group }}_choice as {{ group }}
        on
            m.unit_id = {{ group }}.unit_id and m.fund_code = {{ group }}.fund_code
            and m.month = {{ group }}.month and {{ group }}.choice = 1
    {% endfor %}
),

final as (
    select
        c.*,
        coalesce(f.matter, '') as matter,
        -- What was carried over never counts towards a guarantee.
        cast(
            c.allocated_cny
            - case when coalesce(f.budget_includes_carryover, false) then coalesce(c.carried_over_cny, 0) else 0 end
            as decimal(18, 2)
        ) as guaranteeing_cny
    from chosen as c
    left join {{ ref('stg_funds') }} as f on c.fund_code = f.fund_code
)

select * from final
