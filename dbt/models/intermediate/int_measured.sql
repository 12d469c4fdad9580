-- A row is what a rule counts of a subject in a period: one figure of one measure.
-- Must hold: a month's figure is the latest report that is still valid; a longer period's is its latest, or its sum.
-- A rule that carries one figure is not here: int_judgements_carried judges it without a row a month.
with measures as (
    select
        r.standard_id, r.period, r.valid_months, m.role, m.part_no, m.measure_code, m.pattern,
        coalesce(m.combine, 'latest') as combine,
        coalesce(m.years_back, 0) * 12 as months_back
    from {{ ref('int_rules') }} as r
    inner join {{ ref('stg_standard_measures') }} as m on r.standard_id = m.standard_id
    where not r.is_carried
),

steps as (
    select 0 as step
    {% for step in range(1, 24) %}
    union all select {{ step }} as step
    {% endfor %}
),

monthly as (
    select
        m.standard_id, m.role, m.part_no, f.subject_unit,
        f.month_index + m.months_back + s.step as end_index,
        f.value, f.value_text, m.pattern
    from {{ ref('int_facts') }} as f
    inner join measures as m on f.measure_code = m.measure_code and m.period = 'month'
    inner join steps as s
        on s.step < m.valid_months and (f.next_index is null or f.month_index + s.step < f.next_index)
),

within_period as (
    select
        m.standard_id, m.role, m.part_no, m.combine, m.pattern, f.subject_unit, p.end_index, f.value, f.value_text,
        cast(row_number() over (
            partition by m.standard_id, m.role, m.part_no, f.subject_unit, p.end_index
            order by f.month_index desc nulls last
        ) as bigint) as recency,
        cast(sum(f.value) over (
            partition by m.standard_id, m.role, m.part_no, f.subject_unit, p.end_index
        ) as decimal(18, 4)) as summed
    from {{ ref('int_facts') }} as f
    inner join measures as m on f.measure_code = m.measure_code and m.period <> 'month'
    inner join {{ ref('int_periods') }} as p
        on
            m.period = p.period
            and f.month_index + m.months_back >= p.start_index
            and f.month_index + m.months_back <= p.end_index
),

every_period as (
    select standard_id, role, part_no, subject_unit, end_index, value, value_text, pattern from monthly
    union all
    select
        standard_id, role, part_no, subject_unit, end_index,
        case when combine = 'sum' then summed else value end as value, value_text, pattern
    from within_period
    where recency = 1
),

final as (
    select
        standard_id, role, part_no, subject_unit, end_index,
        -- A name is checked against its pattern here, so that everything later counts with figures.
        case
            when pattern is null then value
            when value_text like pattern then cast(1 as decimal(18, 4))
            when value_text is not null then cast(0 as decimal(18, 4))
        end as value
    from every_period
)

select * from final
