-- A row is a figure that two sources report differently of one township and month, each with its cell.
-- Must hold: every difference of latest reports stands here, and the one that counts is the one the rule names.
{{ config(
    materialized='incremental', on_schema_change='fail',
    pre_hook="{{ forget(anew('month')) }}"
) }}
{% set cell = 'submission_id, sheet, row_number' %}
{% set key = 'dataset, township_code, month, fund_code, item' %}
{% set monthly = {
    'population': ref('reported_population'), 'budget': ref('reported_budget'), 'staffing': ref('reported_staffing')
} %}
with
{% for dataset, reports in monthly.items() %}
-- Few townships have two sources: only their rows are taken apart into figures.
{{ dataset }}_reports as (
    select
        r.*, {% if dataset != 'budget' %}'' as fund, {% else %}r.fund_code as fund, {% endif %}
        min(r.source) over (partition by r.township_code, r.month) as first_source,
        max(r.source) over (partition by r.township_code, r.month) as last_source
    from {{ reports }} as r
    where r.is_latest and {{ anew('r.month') }}
),

{% endfor %}
-- A list of payments speaks of a month by the sum of its vouchers; the first of them stands for its cells.
paid as (
    select
        township_code, month, fund_code, source, min(submission_id) as submission_id, min(sheet) as sheet,
        min(row_number) as row_number, cast(sum(amount_cny) as decimal(18, 4)) as value
    from {{ ref('reported_payments') }}
    where is_current and {{ anew('month') }}
    group by township_code, month, fund_code, source
),

covered as (
    select
        t.township_code, c.month, c.fund_code, c.source,
        min(c.submission_id) as submission_id, min(c.sheet) as sheet, cast(null as bigint) as row_number,
        cast(0 as decimal(18, 4)) as value
    from {{ source('inputs', 'payment_coverage') }} as c
    inner join {{ ref('int_township_months') }} as t
        on c.month = t.month and c.division_code = substr(t.township_code, 1, 6) and t.is_township
    left join paid as p
        on
            t.township_code = p.township_code and c.month = p.month
            and c.fund_code = p.fund_code and c.source = p.source
    where p.township_code is null and {{ anew('c.month') }}
    group by t.township_code, c.month, c.fund_code, c.source
),

listed as (
    select * from paid
    union all
    select * from covered
),

figures as (
    {% for dataset in monthly %}
    {% for column in measures_of(dataset) %}
    select
        '{{ dataset }}' as dataset, township_code, month, fund as fund_code, '' as item,
        '{{ column.name }}' as figure, '{{ column.title }}' as figure_zh, source, {{ cell }},
        {% if column.kind == 'bool' %}
        cast(case when {{ column.name }} then 1 else 0 end as decimal(18, 4)) as value
        {% else %}
        cast({{ column.name }} as decimal(18, 4)) as value
        {% endif %}
    from {{ dataset }}_reports
    where
        {{ column.name }} is not null
        {% if column.name == 'disbursed_month_cny' %}
        and not exists (
            select 1 from listed as l
            where
                l.township_code = {{ dataset }}_reports.township_code and l.month = {{ dataset }}_reports.month
                and l.fund_code = {{ dataset }}_reports.fund and l.source = {{ dataset }}_reports.source
        )
        {% else %}
        and first_source < last_source
        {% endif %}
    union all
    {% endfor %}
    {% endfor %}
    select
        'budget' as dataset, township_code, month, fund_code, '' as item,
        'disbursed_month_cny' as figure,
        '{{ title_of('budget', 'disbursed_month_cny') }}' as figure_zh,
        source, {{ cell }}, value
    from listed
    union all
    select
        'indicators' as dataset, subject_code as township_code, month, '' as fund_code, indicator_code as item,
        indicator_code as figure, coalesce(indicator_name, indicator_code) as figure_zh, source, {{ cell }},
        indicator_value as value
    from {{ ref('reported_indicators') }}
    where is_latest and indicator_value is not null and {{ anew('month') }}
),

ranked as (
    select
        f.*, {{ source_rank('p') }} as source_rank, coalesce(p.reason_zh, p_any.reason_zh) as reason_zh,
        coalesce(s.is_own, false) as is_own, coalesce(s.source_name, f.source) as source_name
    from figures as f
    left join {{ ref('stg_report_sources') }} as s on f.source = s.source
    left join {{ ref('stg_source_precedence') }} as p on f.source = p.source and f.figure = p.figure
    left join {{ ref('stg_source_precedence') }} as p_any on f.source = p_any.source and p_any.figure = '*'
),

pairs as (
    select
        a.dataset, a.township_code, a.month, a.fund_code, a.figure, a.figure_zh,
        {% for side in ['a', 'b'] %}
        {{ side }}.source as source_{{ side }}, {{ side }}.source_name as source_{{ side }}_name,
        {{ side }}.value as value_{{ side }}, {{ side }}.submission_id as submission_{{ side }},
        {{ side }}.sheet as sheet_{{ side }}, {{ side }}.row_number as row_number_{{ side }},
        {% endfor %}
        case when a.source_rank <= b.source_rank then a.source else b.source end as preferred_source,
        case when a.source_rank <= b.source_rank then a.reason_zh else b.reason_zh end as reason_zh
    from ranked as a
    inner join ranked as b
        on
            a.dataset = b.dataset and a.township_code = b.township_code and a.month = b.month
            and a.fund_code = b.fund_code and a.figure = b.figure
            and a.source <> b.source
            -- The township's own figure stands first, then by the source's code.
            and (
                (a.is_own and not b.is_own)
                or (a.is_own = b.is_own and a.source < b.source)
            )
    where a.value <> b.value
),

-- One source may tell months only, the other sums of the year only: what each comes to by the month is compared then,
-- where both are known to it. A difference that the months' own rows add up to is not told again.
{% for kind in ['disbursed', 'spent'] %}
{{ kind }}_sides as (
    select
        a.unit_id, m.township_code, a.fiscal_year, a.month, a.fund_code, a.source, a.{{ kind }}_ytd_cny as value,
        a.{{ kind }}_as_of_number = a.month_number and not a.{{ kind }}_is_partial as is_known,
        r.{{ kind }}_month_cny as month_value, r.{{ kind }}_cumulative_cny is not null as is_told
    from {{ ref('int_fund_amounts') }} as a
    inner join (
        select unit_id, fund_code, fiscal_year
        from {{ ref('int_fund_amounts') }}
        where {{ anew('month') }}
        group by unit_id, fund_code, fiscal_year
        having min(source) < max(source)
    ) as c on a.unit_id = c.unit_id and a.fund_code = c.fund_code and a.fiscal_year = c.fiscal_year
    inner join {{ ref('int_township_months') }} as m on a.unit_id = m.unit_id and a.month = m.month
    left join {{ ref('int_fund_reports') }} as r
        on
            a.unit_id = r.unit_id and a.month = r.month
            and a.fund_code = r.fund_code and a.source = r.source
    where {{ anew('a.month') }}
),

{{ kind }}_sums as (
    select
        a.township_code, a.month, a.fund_code, a.source as source_a, b.source as source_b,
        a.value as value_a, b.value as value_b, a.is_told as is_told_a, b.is_told as is_told_b,
        a.is_known and b.is_known and not (a.is_told and b.is_told) as is_compared,
        cast(coalesce(sum(a.month_value - b.month_value) over (
            partition by a.unit_id, a.fund_code, a.fiscal_year, a.source, b.source
            order by a.month asc nulls first rows between unbounded preceding and current row
        ), 0) as decimal(18, 2)) as told_by_months
    from {{ kind }}_sides as a
    inner join {{ kind }}_sides as b
        on a.unit_id = b.unit_id and a.month = b.month and a.fund_code = b.fund_code and a.source <> b.source
),

{% endfor %}
to_date as (
    {% for kind in ['disbursed', 'spent'] %}
    select
        'budget' as dataset, s.township_code, s.month, s.fund_code,
        '{{ kind }}_cumulative_cny' as figure,
        '{{ title_of('budget', kind ~ '_cumulative_cny') }}'
            as figure_zh,
        {% for side in ['a', 'b'] %}
        s.source_{{ side }}, s.value_{{ side }},
        coalesce(n{{ side }}.source_name, s.source_{{ side }}) as source_{{ side }}_name,
        -- The report that gives it, or what was told of the last of its months.
        {% for name in cell.split(', ') %}
        case
            when s.is_told_{{ side }} or l{{ side }}.submission_id is null then r{{ side }}.{{ name }}
            else l{{ side }}.{{ name }}
        end as {{ name }}_{{ side }},
        {% endfor %}
        {{ source_rank('p' ~ side) }} as rank_{{ side }},
        coalesce(p{{ side }}.reason_zh, p{{ side }}_any.reason_zh) as reason_zh_{{ side }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ kind }}_sums as s
    {% for side in ['a', 'b'] %}
    left join budget_reports as r{{ side }}
        on
            s.township_code = r{{ side }}.township_code and s.month = r{{ side }}.month
            and s.fund_code = r{{ side }}.fund and s.source_{{ side }} = r{{ side }}.source
    left join listed as l{{ side }}
        on
            s.township_code = l{{ side }}.township_code and s.month = l{{ side }}.month
            and s.fund_code = l{{ side }}.fund_code and s.source_{{ side }} = l{{ side }}.source
    left join {{ ref('stg_report_sources') }} as n{{ side }} on s.source_{{ side }} = n{{ side }}.source
    {{ join_precedence('s.source_' ~ side, kind ~ '_cumulative_cny', 'p' ~ side) }}
    {% endfor %}
    where
        s.is_compared and s.value_a <> s.value_b and s.value_a - s.value_b <> s.told_by_months
        and (
            (coalesce(na.is_own, false) and not coalesce(nb.is_own, false))
            or (coalesce(na.is_own, false) = coalesce(nb.is_own, false) and s.source_a < s.source_b)
        )
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

all_pairs as (
    select
        dataset, township_code, month, fund_code, figure, figure_zh, false as is_sum, preferred_source, reason_zh,
        {% for side in ['a', 'b'] %}
        source_{{ side }}, source_{{ side }}_name, value_{{ side }}, submission_{{ side }}, sheet_{{ side }},
        row_number_{{ side }}{{ ',' if not loop.last }}
        {% endfor %}
    from pairs
    union all
    select
        dataset, township_code, month, fund_code, figure, figure_zh, true as is_sum,
        case when rank_a <= rank_b then source_a else source_b end as preferred_source,
        case when rank_a <= rank_b then reason_zh_a else reason_zh_b end as reason_zh,
        {% for side in ['a', 'b'] %}
        source_{{ side }}, source_{{ side }}_name,
        cast(value_{{ side }} as decimal(18, 4)) as value_{{ side }},
        submission_id_{{ side }} as submission_{{ side }},
        sheet_{{ side }},
        row_number_{{ side }}{{ ',' if not loop.last }}
        {% endfor %}
    from to_date
),

used as (
    select
        u.fund_code, m.township_code, u.month, u.allocated_source, u.disbursed_source, u.spent_source
    from {{ ref('int_fund_used') }} as u
    inner join {{ ref('int_township_months') }} as m on u.unit_id = m.unit_id and u.month = m.month
    where {{ anew('u.month') }}
),

decided as (
    select
        p.*,
        case
            when p.figure like 'disbursed_%' then coalesce(u.disbursed_source, p.preferred_source)
            when p.figure like 'spent_%' then coalesce(u.spent_source, p.preferred_source)
            else p.preferred_source
        end as used_source
    from all_pairs as p
    left join used as u
        on
            p.dataset = 'budget' and p.township_code = u.township_code
            and p.month = u.month and p.fund_code = u.fund_code
),

final as (
    select
        cast(d.township_code as string) as township_code,
        cast(coalesce(t.division_name, d.township_code) as string) as township_name,
        cast(substr(d.township_code, 1, 6) as string) as county_code,
        cast(d.month as date) as month,
        cast(d.dataset as string) as dataset,
        cast(case when d.fund_code <> '' then d.fund_code end as string) as fund_code,
        cast(d.figure as string) as figure,
        cast(d.figure_zh as string) as figure_zh,
        cast(d.source_a as string) as source_a,
        cast(d.source_a_name as string) as source_a_name,
        cast(d.value_a as decimal(18, 4)) as value_a,
        cast(d.source_b as string) as source_b,
        cast(d.source_b_name as string) as source_b_name,
        cast(d.value_b as decimal(18, 4)) as value_b,
        cast(d.value_a - d.value_b as decimal(18, 4)) as difference,
        cast(d.used_source as string) as used_source,
        cast(coalesce(n.source_name, d.used_source) as string) as used_source_name,
        cast(case
            when d.used_source not in (d.source_a, d.source_b) then '用第三个来源的数'
            when d.used_source = d.preferred_source then coalesce(d.reason_zh, '按来源先后')
            else '首选来源本年的数不全，用数据齐全的来源'
        end || case when d.is_sum then '；没有报累计数的一方由各月数相加' else '' end as string) as rule,
        {% for side in ['a', 'b'] %}
        cast(d.submission_{{ side }} as string) as submission_{{ side }},
        cast(f{{ side }}.file_name as string) as file_name_{{ side }},
        cast(d.sheet_{{ side }} as string) as sheet_{{ side }},
        cast(d.row_number_{{ side }} as bigint) as row_number_{{ side }}{{ ',' if not loop.last }}
        {% endfor %}
    from decided as d
    left join {{ ref('stg_report_sources') }} as n on d.used_source = n.source
    left join {{ ref('int_units') }} as t on d.township_code = t.division_code
    left join {{ ref('submissions') }} as fa on d.submission_a = fa.submission_id
    left join {{ ref('submissions') }} as fb on d.submission_b = fb.submission_id
)

select * from final
order by month, township_code, dataset, figure, source_b
