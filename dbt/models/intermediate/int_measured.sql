-- A row is what a rule counts of a subject in a period: one figure of one measure.
-- Must hold: a month's figure is the latest report that is still valid; a longer period's is its latest, or its sum.
-- A rule that carries one figure is not here: int_judgements_carried judges it without a row a month.
with measures as (
    select
        r.standard_id, r.period, r.valid_months, m.role, m.part_no, m.fact_code as measure_code, m.pattern,
        coalesce(m.factor, 1) as factor,
        coalesce(m.combine, 'latest') as combine,
        coalesce(m.years_back, 0) * 12 as months_back
    from {{ ref('int_rules') }} as r
    inner join {{ ref('int_rule_measures') }} as m on r.standard_id = m.standard_id
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
        f.value, f.below, f.above, f.value_text, m.pattern
    from {{ ref('int_facts') }} as f
    inner join measures as m on f.measure_code = m.measure_code and m.period = 'month'
    inner join steps as s
        on s.step < m.valid_months and (f.next_index is null or f.month_index + s.step < f.next_index)
),

-- Events are added up; a report that gives the number to date (its title says since when) counts what it adds.
events as (
    select
        f.subject_unit, f.measure_code, f.month_index, f.value, f.below, f.above, f.counted_since,
        cast(case f.counted_since
            when 'year' then {{ div_floor('f.month_index', 12) }}
            when 'half_year' then {{ div_floor('f.month_index', 6) }}
            when 'quarter' then {{ div_floor('f.month_index', 3) }}
        end as bigint) as window_no,
        case f.counted_since when 'year' then 12 when 'half_year' then 6 when 'quarter' then 3 else 1 end
            as window_months
    from {{ ref('int_facts') }} as f
    inner join (
        select measure_code
        from measures
        where combine = 'sum'
        group by measure_code
    ) as m on f.measure_code = m.measure_code
),

to_date as (
    select
        e.*,
        cast(sum(case when e.counted_since is null then e.value else 0 end) over (
            partition by e.subject_unit, e.measure_code
            order by e.month_index asc nulls first
            rows between unbounded preceding and current row
        ) as decimal(18, 4)) as singly
    from events as e
),

before as (
    select
        t.*,
        lag(t.value) over (
            partition by t.subject_unit, t.measure_code, t.counted_since, t.window_no
            order by t.month_index asc nulls first
        ) as value_before,
        lag(t.singly) over (
            partition by t.subject_unit, t.measure_code, t.counted_since, t.window_no
            order by t.month_index asc nulls first
        ) as singly_before
    from to_date as t
),

-- Before the first number to date of a window: what was reported singly until the window began.
window_starts as (
    select
        b.subject_unit, b.measure_code, b.month_index, max(earlier.singly) as singly_at_start
    from before as b
    inner join before as earlier
        on
            b.subject_unit = earlier.subject_unit
            and b.measure_code = earlier.measure_code
            and earlier.month_index < b.window_no * b.window_months
    where b.counted_since is not null and b.value_before is null
    group by b.subject_unit, b.measure_code, b.month_index
),

added as (
    select
        b.subject_unit, b.measure_code, b.month_index,
        b.counted_since is not null and b.value_before is null as begins_a_window,
        b.window_no * b.window_months as window_start, b.below, b.above,
        cast(case
            when b.counted_since is null then b.value
            else
                b.value - coalesce(b.value_before, 0)
                - (b.singly - coalesce(b.singly_before, w.singly_at_start, 0))
        end as decimal(18, 4)) as value
    from before as b
    left join window_starts as w
        on
            b.subject_unit = w.subject_unit
            and b.measure_code = w.measure_code
            and b.month_index = w.month_index
),

added_within as (
    select
        m.standard_id, m.role, m.part_no, a.subject_unit, p.end_index,
        cast(sum(a.value) as decimal(18, 4)) as summed,
        cast(sum(a.below) as decimal(18, 4)) as below,
        cast(sum(a.above) as decimal(18, 4)) as above,
        -- A number to date that reaches back beyond the period cannot be parted.
        max(case when a.begins_a_window and a.window_start < p.start_index then 1 else 0 end) as reaches_back
    from added as a
    inner join measures as m on a.measure_code = m.measure_code and m.period <> 'month' and m.combine = 'sum'
    inner join {{ ref('int_periods') }} as p
        on
            m.period = p.period
            and a.month_index + m.months_back >= p.start_index
            and a.month_index + m.months_back <= p.end_index
    group by m.standard_id, m.role, m.part_no, a.subject_unit, p.end_index
),

within_period as (
    select
        m.standard_id, m.role, m.part_no, m.pattern, f.subject_unit, p.end_index,
        f.value, f.below, f.above, f.value_text,
        cast(row_number() over (
            partition by m.standard_id, m.role, m.part_no, f.subject_unit, p.end_index
            order by f.month_index desc nulls last
        ) as bigint) as recency
    from {{ ref('int_facts') }} as f
    inner join measures as m on f.measure_code = m.measure_code and m.period <> 'month' and m.combine <> 'sum'
    inner join {{ ref('int_periods') }} as p
        on
            m.period = p.period
            and f.month_index + m.months_back >= p.start_index
            and f.month_index + m.months_back <= p.end_index
),

every_period as (
    select standard_id, role, part_no, subject_unit, end_index, value, below, above, value_text, pattern from monthly
    union all
    select standard_id, role, part_no, subject_unit, end_index, value, below, above, value_text, pattern
    from within_period
    where recency = 1
    union all
    select
        standard_id, role, part_no, subject_unit, end_index,
        case when reaches_back = 0 then summed end as value, below, above,
        cast(null as string) as value_text, cast(null as string) as pattern
    from added_within
),

names as (
    select
        n.subject_unit,
        min({{ stem_of('n.subject_name') }}) as one_stem,
        max({{ stem_of('n.subject_name') }}) as other_stem
    from {{ ref('int_subjects') }} as n
    where exists (select 1 from measures as m where m.pattern is not null)
    group by n.subject_unit
),

named as (
    select e.*, n.one_stem, n.other_stem
    from every_period as e
    left join names as n on e.subject_unit = n.subject_unit and e.pattern is not null
),

-- An amount for each of what is counted: 7 元 a head.
scaled as (
    select
        n.standard_id, n.role, n.part_no, n.subject_unit, n.end_index, n.value_text, n.pattern,
        n.one_stem, n.other_stem,
        cast(n.value * m.factor as decimal(18, 4)) as value,
        cast(n.below * m.factor as decimal(18, 4)) as below,
        cast(n.above * m.factor as decimal(18, 4)) as above
    from named as n
    inner join measures as m on n.standard_id = m.standard_id and n.role = m.role and n.part_no = m.part_no
),

final as (
    select
        standard_id, role, part_no, subject_unit, end_index,
        -- A name is checked against its pattern here, so that everything later counts with figures.
        case
            when pattern is null then value
            when {{ fits_a_form('value_text', 'pattern', 'one_stem') }} then cast(1 as decimal(18, 4))
            when {{ fits_a_form('value_text', 'pattern', 'other_stem') }} then cast(1 as decimal(18, 4))
            when value_text is not null then cast(0 as decimal(18, 4))
        end as value, below, above
    from scaled
)

select * from final
