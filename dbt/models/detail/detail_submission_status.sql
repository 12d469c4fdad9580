-- A row is a township × month × monthly dataset: whether, and when, its report came.
-- Must hold: every township in force in the month has a row for each dataset, whether or not anything came.
{{ config(
    alias='submission_status',
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew('month')) }}"
) }}

with datasets as (
    select 'population' as dataset
    union all
    select 'budget' as dataset
    union all
    select 'staffing' as dataset
),

expected as (
    select t.township_code, t.township_name, t.county_code, t.month, d.dataset
    from {{ ref('int_township_months') }} as t
    cross join datasets as d
    where t.is_township and {{ anew('t.month') }}
),

-- What the township's own latest report says of its figures: declared nil, a dash, or left blank.
{% set reports = {
    'population': ref('reported_population'), 'budget': ref('reported_budget'), 'staffing': ref('reported_staffing')
} %}
{# What each report is first of all about. #}
{% set main = {
    'population': ['population_persons'], 'budget': ['disbursed_month_cny', 'disbursed_cumulative_cny'],
    'staffing': ['dedicated_staff_persons']
} %}
told as (
    {% for dataset, reported in reports.items() %}
    select
        '{{ dataset }}' as dataset, r.township_code, r.month,
        {% for kind in ['nil', 'dashed'] %}
        max(case
            when
                {% for name in main[dataset] %}
                ';' || coalesce(r.{{ kind }}_figures, '') || ';' like '%;{{ name }};%'{{ ' or' if not loop.last }}
                {% endfor %}
                {% if kind == 'nil' %}or ';' || coalesce(r.nil_figures, '') || ';' like '%;report;%'{% endif %}
                then 1
            else 0
        end) as main_is_{{ kind }},
        {% endfor %}
        max(case
            when
                {% for name in main[dataset] %}
                r.{{ name }} is not null{{ ' or' if not loop.last }}
                {% endfor %}
                then 1
            else 0
        end) as main_is_known,
        max(case when r.nil_figures = 'report' or r.nil_figures like 'report;%' then 1 else 0 end) as is_nil,
        max(r.nil_figures) as nil_figures, max(r.dashed_figures) as dashed_figures,
        max(
            {% for column in measures_of(dataset) if column.is_main %}
            case
                when
                    r.{{ column.name }} is null
                    and ';' || coalesce(r.dashed_figures, '') || ';' not like '%;{{ column.name }};%'
                    then '{{ column.name }};'
                else ''
            end{{ ' ||' if not loop.last }}
            {% endfor %}
        ) as blank_figures
    from {{ reported }} as r
    inner join {{ ref('stg_report_sources') }} as s on r.source = s.source and s.is_own
    where r.is_latest{{ " and r.fund_code = 'working_funds'" if dataset == 'budget' }} and {{ anew('r.month') }}
    group by r.township_code, r.month
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

as_of as (
    select cast(built_at as date) as built_on from {{ source('inputs', 'edition') }}
),

joined as (
    select
        e.township_code,
        e.township_name,
        e.county_code,
        e.month,
        e.dataset,
        u.due_on,
        u.nominal_due_on,
        r.first_received_on,
        r.last_received_on,
        a.built_on,
        coalesce(r.first_received_on > u.due_on, false) as came_after,
        coalesce(r.is_dated, true) as is_dated,
        coalesce(r.files_count, 0) as files_count,
        coalesce(r.accepted_count, 0) as accepted_count,
        coalesce(r.held_count, 0) as held_count,
        coalesce(r.rejected_count, 0) as rejected_count,
        r.refused_code,
        -- What counts is what stands now: a nil that was corrected is none.
        case when w.township_code is null then coalesce(r.nil_count, 0) else w.is_nil end as is_nil,
        coalesce(w.main_is_nil, 0) as main_is_nil,
        coalesce(w.main_is_dashed, 0) as main_is_dashed,
        coalesce(w.main_is_known, 0) as main_is_known,
        w.nil_figures,
        w.dashed_figures,
        case
            when w.blank_figures <> '' then substr(w.blank_figures, 1, length(w.blank_figures) - 1)
        end as blank_figures
    from expected as e
    cross join as_of as a
    left join {{ source('inputs', 'due_dates') }} as u on e.dataset = u.dataset and e.month = u.month
    left join {{ source('inputs', 'deliveries') }} as r
        on e.dataset = r.dataset and e.month = r.month and e.township_code = r.township_code
    left join told as w
        on e.dataset = w.dataset and e.month = w.month and e.township_code = w.township_code
),

final as (
    select
        cast(township_code as string) as township_code,
        cast(township_name as string) as township_name,
        cast(county_code as string) as county_code,
        cast(month as date) as month,
        cast(dataset as string) as dataset,
        case
            when accepted_count > 0 and files_count > 1 then 'corrected'
            when accepted_count > 0 and came_after and not is_dated then 'undated'
            when accepted_count > 0 and came_after then 'late'
            when accepted_count > 0 then 'on_time'
            when held_count + rejected_count > 0 then 'refused'
            when due_on is null or built_on <= due_on then 'not_due'
            else 'missing'
        end as status,
        case
            when accepted_count > 0 and is_nil > 0 then 'nil'
            when accepted_count > 0 then 'reported'
            when held_count + rejected_count > 0 then 'refused'
            when due_on is null or built_on <= due_on then 'not_due'
            else 'missing'
        end as state,
        case
            when accepted_count = 0 and held_count + rejected_count > 0 then 'refused'
            when accepted_count = 0 and (due_on is null or built_on <= due_on) then 'not_due'
            when accepted_count = 0 then 'missing'
            when main_is_nil = 1 or (is_nil > 0 and main_is_known = 0) then 'nil'
            when main_is_known = 1 then 'figure'
            when main_is_dashed = 1 then 'dash'
            else 'blank'
        end as told,
        cast(nil_figures as string) as nil_figures,
        cast(dashed_figures as string) as dashed_figures,
        cast(blank_figures as string) as blank_figures,
        cast(refused_code as string) as refused_code,
        came_after and is_dated as is_late,
        cast(due_on as date) as due_on,
        cast(nominal_due_on as date) as nominal_due_on,
        cast(first_received_on as date) as first_received_on,
        cast(last_received_on as date) as last_received_on,
        cast(files_count as bigint) as files_count,
        cast(held_count as bigint) as held_count,
        cast(rejected_count as bigint) as rejected_count
    from joined
)

select * from final
order by extract(year from month), township_code, month, dataset
